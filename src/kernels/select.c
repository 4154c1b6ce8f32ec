/* select.c - picks the kernel table that the context's instruction set names. */
#include "kernels/drive.h"

#include <string.h>

#include "base/cpu.h"

#define TABLE(isa) extern const tg_kernels tg_k_##isa##_table;
#ifdef TG_HAVE_avx512
TABLE(avx512)
#endif
#ifdef TG_HAVE_avx2
TABLE(avx2)
#endif
#ifdef TG_HAVE_neon
TABLE(neon)
#endif
TABLE(scalar)

static const tg_kernels *const tables[] = {
#ifdef TG_HAVE_avx512
    &tg_k_avx512_table,
#endif
#ifdef TG_HAVE_avx2
    &tg_k_avx2_table,
#endif
#ifdef TG_HAVE_neon
    &tg_k_neon_table,
#endif
    &tg_k_scalar_table,
};

const tg_kernels *tg_kernels_named(const char *isa)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i]->name, isa) == 0) return tg_cpu_has(isa) ? tables[i] : NULL;
    return NULL;
}

const tg_kernels *tg_kernels_of(tg_context *ctx)
{
    if (!ctx->kernels) {
        const tg_kernels *k = tg_kernels_named(ctx->isa);
        ctx->kernels = k ? k : &tg_k_scalar_table;
    }
    return ctx->kernels;
}
