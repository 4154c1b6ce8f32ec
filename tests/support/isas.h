/* isas.h - the same bits on every instruction set that is here, for any number of threads. */
#ifndef TEST_ISAS_H
#define TEST_ISAS_H
#include "kernels/kernels.h"
#include "test.h"

/* hash: of what comes out on an instruction set by so many threads. */
static inline void same_on_every_isa(uint64_t (*hash)(const char *isa, int threads))
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    static const int threads[] = {1, 2, 3, 7};
    const uint64_t want = hash("scalar", 1);
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < 4 && tg_kernels_named(isas[i]); n++)
            if (hash(isas[i], threads[n]) != want)
                test_failed(__FILE__, __LINE__, "%s, %d threads: other bits", isas[i], threads[n]);
}
#endif
