/* chains.c - the orders of sums that docs/numerics.md states and constants of the drivers decide, written as plain loops in float:
 * results must equal them bit for bit. A constant that changes them shows here, whatever instruction set and threads agree on. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "kernels/drive.h"
#include "support/example.h"
#include "support/naive_image.h"
#include "test.h"

enum { LANES = 16, CHUNK = 4096, PARTS = 16, PARTIALS = 1 << 20, KEYS = 64 };

static void *room_for(int64_t bytes)
{
    void *room = tg_alloc(bytes);
    CHECK(room != NULL);
    return room;
}

/* got[0 .. n) is want, to the bit. */
static void check_bits(const char *what, const tg_context *ctx, const float *got, const float *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (memcmp(&got[i], &want[i], sizeof *got))
            test_failed(__FILE__, __LINE__, "%s, %s, %d threads: [%lld] is %.9g, not %.9g", what, tg_context_isa(ctx),
                        tg_context_threads(ctx), (long long)i, (double)got[i], (double)want[i]);
}

static void on_every_isa(void (*check)(tg_context *ctx))
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    for (int i = 0; i < 4; i++)
        for (int threads = 1; threads <= 3 && tg_kernels_named(isas[i]); threads += 2) {
            tg_context *ctx = example_context(threads, isas[i]);
            check(ctx);
            tg_context_free(ctx);
        }
}

/* Lane l with l + 8, then l + 4, l + 2, l + 1. */
static float tree(float lanes[LANES])
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    return lanes[0];
}

/* ---- long sums ------------------------------------------------------------------------------------------------------ */

static double long_sum(const float *x, int64_t n)
{
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += CHUNK) {
        float lanes[LANES] = {0};
        for (int64_t i = begin; i < n && i < begin + CHUNK; i++) lanes[i % LANES] += x[i];
        total += (double)tree(lanes);
    }
    return total;
}

static void check_sums(tg_context *ctx)
{
    static const int64_t sizes[] = {1, 4096, 4097, 30011};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t n = sizes[i];
        float *x = random_values(1, n, -1, 1);
        void *scratch = room_for(tg_sum_room(n));
        CHECK(tg_sum_all(ctx, x, n, false, scratch) == long_sum(x, n)); /* doubles, to the bit */
        tg_free(scratch);
        tg_free(x);
    }
}

TEST(a_long_sum_goes_by_lanes_then_by_chunks_of_4096) { on_every_isa(check_sums); }

/* ---- the gradient of filters ------------------------------------------------------------------------------------------- */

/* One number of dw over images [begin, end): a chain over images, then results, ascending. */
static float filter_chain(const tg_convolution *g, const float *dy, const float *x, int64_t at, int64_t begin, int64_t end)
{
    const int64_t Q = g->x.taps, q = at % Q, p = at / Q % g->y.taps, c = at / Q / g->y.taps % g->C, o = at / Q / g->y.taps / g->C;
    float sum = 0;
    for (int64_t b = begin; b < end; b++)
        for (int64_t r = 0; r < g->y.out * g->x.out; r++) {
            const int64_t i = naive_tap(&g->y, r / g->x.out, p), j = naive_tap(&g->x, r % g->x.out, q);
            const float pixel = i < 0 || j < 0 ? 0 : x[((b * g->C + c) * g->y.in + i) * g->x.in + j];
            sum = fmaf(pixel, dy[(b * g->O + o) * g->y.out * g->x.out + r], sum);
        }
    return sum;
}

static void check_filters(tg_context *ctx, const tg_convolution *g)
{
    const int64_t n = g->O * g->C * g->y.taps * g->x.taps, most = PARTIALS / n < PARTS ? PARTIALS / n : PARTS;
    const int64_t parts = g->B < most ? g->B : most;
    float *x = random_values(2, g->B * g->C * g->y.in * g->x.in, -1, 1), *dy = random_values(3, g->B * g->O * g->y.out * g->x.out, -1, 1);
    float *want = random_values(4, n, -1, 1), *got = random_values(5, n, -1, 1);
    void *scratch = room_for(tg_conv_back_w_room(ctx, g));
    for (int64_t i = 0; i < n; i++) {
        want[i] = filter_chain(g, dy, x, i, 0, g->B / parts);
        for (int64_t p = 1; p < parts; p++) want[i] += filter_chain(g, dy, x, i, g->B * p / parts, g->B * (p + 1) / parts);
    }
    tg_conv_back_w(ctx, g, got, dy, x, false, scratch);
    check_bits("filters' gradient", ctx, got, want, n);
    float *const all[] = {x, dy, want, got, scratch};
    for (int i = 0; i < 5; i++) tg_free(all[i]);
}

static void check_all_filters(tg_context *ctx)
{
    const tg_axis seven = {7, 4, 3, 2, 1, 1}, three = {3, 1, 3, 1, 0, 1};
    check_filters(ctx, &(tg_convolution){.B = 35, .C = 2, .O = 3, .y = seven, .x = seven});
    check_filters(ctx, &(tg_convolution){.B = 5, .C = 2, .O = 3, .y = seven, .x = seven});      /* fewer images than parts */
    check_filters(ctx, &(tg_convolution){.B = 11, .C = 64, .O = 256, .y = three, .x = three}); /* room for seven parts */
}

TEST(a_filters_gradient_is_chains_over_at_most_16_parts_of_the_batch) { on_every_isa(check_all_filters); }

/* ---- attention --------------------------------------------------------------------------------------------------------- */

/* What one query [D] sees of `count` keys and values, step floats apart: blocks of 64, the running maximum, lanes within a block. */
static void one_query(float *y, const float *q, const float *k, const float *v, int64_t step, int64_t count, int64_t D)
{
    float top = -INFINITY, sum = 0;
    memset(y, 0, (size_t)D * sizeof *y);
    for (int64_t begin = 0; begin < count; begin += KEYS) {
        const int64_t n = count - begin < KEYS ? count - begin : KEYS;
        float s[KEYS] = {0}, lanes[LANES] = {0}, largest = top;
        for (int64_t j = 0; j < n; j++) {
            for (int64_t d = 0; d < D; d++) s[j] = fmaf(q[d] * (1.0f / sqrtf((float)D)), k[(begin + j) * step + d], s[j]);
            largest = s[j] > largest ? s[j] : largest;
        }
        const float by = largest > top ? tg_expf(top - largest) : 1;
        for (int64_t d = 0; d < D; d++) y[d] *= by;
        for (int64_t j = 0; j < n; j++) {
            const float p = tg_expf(s[j] - largest);
            lanes[j % LANES] += p;
            for (int64_t d = 0; d < D; d++) y[d] = fmaf(p, v[(begin + j) * step + d], y[d]);
        }
        sum = sum * by + tree(lanes);
        top = largest;
    }
    for (int64_t d = 0; d < D; d++) y[d] /= sum;
}

static void check_attention(tg_context *ctx)
{
    enum { T = 150, D = 6 };
    float *qkv = random_values(6, T * 3 * D, -2, 2), *got = random_values(7, T * D, -1, 1), *want = random_values(8, T * D, -1, 1);
    const tg_attend s = {.T = T, .B = 1, .H = 1, .K = 1, .D = D, .qkv = qkv, .y = got};
    void *scratch = room_for(tg_attend_room(ctx, &s));
    for (int64_t t = 0; t < T; t++) one_query(want + t * D, qkv + t * 3 * D, qkv + D, qkv + 2 * D, 3 * D, t + 1, D);
    tg_attend_forward(ctx, &s, scratch);
    check_bits("attention", ctx, got, want, T * D);
    float *const all[] = {qkv, got, want, scratch};
    for (int i = 0; i < 4; i++) tg_free(all[i]);
}

TEST(a_query_takes_its_keys_in_blocks_of_64) { on_every_isa(check_attention); }
