/* noise.c - what reparam and noise draw: the k-th draw of a step starts at normal number k·2^40 of the step's stream. */
#include <math.h>

#include "autograd/tape.h"
#include "base/hash.h"
#include "base/rng.h"
#include "support/example.h"
#include "test.h"

static double normal_at(uint64_t seed, uint64_t step, uint64_t at)
{
    tg_rng r = tg_rng_at(seed, TG_RNG_NOISE, step);
    uint32_t word[2], out[4], counter[4] = {(uint32_t)(at / 2), (uint32_t)(at / 2 >> 32), (uint32_t)step, (uint32_t)(step >> 32)};
    tg_philox(out, counter, r.key);
    word[0] = out[at % 2 * 2], word[1] = out[at % 2 * 2 + 1];
    return sqrt(-2 * log(((double)word[0] + 0.5) * 0x1p-32)) * cos(6.283185307179586 * (double)(word[1] >> 8) * 0x1p-24);
}

TEST(latents_are_mean_and_deviation_times_the_noise_of_their_draw)
{
    enum { N = 5000 };
    static float mean[N], logvar[N];
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t = NULL;
    for (int i = 0; i < N; i++) mean[i] = (float)i * 0.01f, logvar[i] = i % 2 ? 1.0f : -2.0f;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.seed = 9, .step = 4});
    tg_tensor *m = tg_input_values(t, 2, (int64_t[]){2, N / 2}, mean), *v = tg_input_values(t, 2, (int64_t[]){2, N / 2}, logvar);
    tg_tensor *first = tg_noise(t, 1, (int64_t[]){3}), *z = tg_reparam(t, m, v);
    CHECK(first && z);
    CHECK(fabs((double)first->data[2] - normal_at(9, 4, 2)) < 1e-6);
    for (int i = 0; i < N; i++) {
        const double want = (double)mean[i] + exp((double)logvar[i] / 2) * normal_at(9, 4, (UINT64_C(1) << 40) + (uint64_t)i);
        if (!(fabs((double)z->data[i] - want) < 2e-5)) test_failed(__FILE__, __LINE__, "z[%d] is %g, not %g", i,
                                                                   (double)z->data[i], want);
    }
    tg_tape_free(t);
    tg_context_free(ctx);
}

TEST(coins_fall_as_one_stream_has_them_or_each_rows_own)
{
    enum { B = 3, D = 2731 };
    static float x[B * D];
    for (int i = 0; i < B * D; i++) x[i] = (float)(i % 11) / 10;
    for (int own = 0; own < 2; own++)
        for (int threads = 1; threads <= 3; threads += 2) {
            tg_context *ctx = example_context(threads, NULL);
            tg_tape *t = NULL;
            CHECK_OK(tg_tape_new(ctx, &t));
            tg_tape_begin(t, &(tg_tape_mode){.seed = 9, .step = 4});
            const tg_tensor *y = tg_coins(t, tg_input_values(t, 2, (int64_t[]){B, D}, x), own);
            CHECK(y && y->shape.rank == 2 && y->shape.dims[0] == B && y->shape.dims[1] == D);
            tg_rng r = tg_rng_at(9, TG_RNG_BINARY, 4);
            for (int i = 0; i < B * D; i++) {
                if (own && i % D == 0) r = tg_rng_at(0, TG_RNG_BINARY, tg_xxh64_of(x + i, D * (int64_t)sizeof *x));
                const float want = tg_rng_unit(&r) < x[i] ? 1 : 0;
                if (y->data[i] != want)
                    test_failed(__FILE__, __LINE__, "own %d, %d threads: [%d] is %g, not %g", own, threads, i, (double)y->data[i], (double)want);
            }
            tg_tape_free(t);
            tg_context_free(ctx);
        }
}
