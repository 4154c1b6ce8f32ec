/* probe_images.c - patches and their transpose, sums over channels, turning a matrix. The size of a probe is an image's width. */
#include "support/naive_image.h"
#include "support/probe.h"
#include "test.h"

#include <math.h>

enum { CHANNELS = 3, HIGH = 5 };

/* The width is p->n: sixteens and what is around them. */
static int64_t geometries(const probe *p, tg_convolution g[5])
{
    const int64_t n = p->n;
    int64_t count = 0;
    g[count++] = (tg_convolution){1, CHANNELS, 1, {HIGH, 3, 4, 2, 2, 1}, {n, (n + 2) / 2, 2, 2, 1, 1}};   /* stride 2 */
    g[count++] = (tg_convolution){1, CHANNELS, 1, {HIGH, HIGH, 3, 1, 1, 1}, {n, n, 3, 1, 1, 1}};           /* same size */
    g[count++] = (tg_convolution){1, CHANNELS, 1, {HIGH, HIGH, 1, 1, 0, 1}, {n, n, 1, 1, 0, 1}};           /* 1 x 1 */
    g[count++] = (tg_convolution){1, CHANNELS, 1, {HIGH, 2, 4, 2, 1, 1}, {n, (n - 1) / 2 + 1, 3, 2, 1, 1}}; /* an odd tap */
    if (n >= 9) g[count++] = (tg_convolution){1, CHANNELS, 1, {HIGH, 2, 2, 3, 1, 2}, {n, (n - 7) / 3 + 1, 3, 3, 0, 2}};
    return count;
}

static void check_patches(probe *p, const tg_convolution *g, tg_span ys)
{
    const int64_t taps = g->y.taps * g->x.taps, each = (ys.end - ys.begin) * g->x.out, rs = each + 16;
    const float *x = probe_floats(p, CHANNELS * g->y.in * g->x.in, -1, 1);
    float *out = probe_result(p, CHANNELS * taps * rs), *planes = probe_result(p, tg_conv_planes(g, ys.end - ys.begin));
    float *got = probe_result(p, CHANNELS * taps * each);
    double *want = probe_doubles(p, CHANNELS * taps * each);
    p->k->patches(out, rs, x, g, CHANNELS, ys, planes);
    for (int64_t l = 0; l < CHANNELS * taps; l++)
        for (int64_t i = 0; i < each; i++) {
            const int64_t y = naive_tap(&g->y, ys.begin + i / g->x.out, l % taps / g->x.taps), z = naive_tap(&g->x, i % g->x.out,
                                                                                                             l % g->x.taps);
            want[l * each + i] = y < 0 || z < 0 ? 0 : (double)x[(l / taps * g->y.in + y) * g->x.in + z];
            got[l * each + i] = out[l * rs + i];
        }
    probe_check(p, out + CHANNELS * taps * rs, want, 0, 0); /* nothing behind the last row */
    probe_check(p, got, want, CHANNELS * taps * each, 0);
}

static void patches(probe *p)
{
    tg_convolution g[5];
    const int64_t count = geometries(p, g);
    for (int64_t i = 0; i < count; i++) {
        check_patches(p, &g[i], (tg_span){0, g[i].y.out});
        check_patches(p, &g[i], (tg_span){1, 2});
    }
}

static void unpatch(probe *p)
{
    tg_convolution g[5];
    const int64_t count = geometries(p, g);
    for (int64_t k = 0; k < 3 * count; k++) {
        const tg_convolution *s = &g[k / 3];
        const int64_t taps = s->y.taps * s->x.taps, each = s->y.out * s->x.out, rs = each + 5, n = CHANNELS * s->y.in * s->x.in;
        const bool add = k % 3 == 1, biased = k % 3 == 2;
        const float *cols = probe_floats(p, 32 + CHANNELS * taps * rs, -1, 1) + 16, *bias = probe_floats(p, CHANNELS, -1, 1);
        double *want;
        float *dx = probe_sum(p, n, &want);
        for (int64_t i = 0; i < n; i++) want[i] = add ? want[i] : biased ? (double)bias[i / (s->y.in * s->x.in)] : 0;
        for (int64_t l = 0; l < CHANNELS * taps; l++)
            for (int64_t i = 0; i < each; i++) {
                const int64_t y = naive_tap(&s->y, i / s->x.out, l % taps / s->x.taps), x = naive_tap(&s->x, i % s->x.out,
                                                                                                      l % s->x.taps);
                if (y >= 0 && x >= 0) want[(l / taps * s->y.in + y) * s->x.in + x] += (double)cols[l * rs + i];
            }
        p->k->unpatch(dx, cols, rs, s, CHANNELS, biased ? bias : NULL, add);
        probe_check(p, dx, want, n, 1e-6);
    }
}

static void turn(probe *p)
{
    enum { ROWS = 21, OUT = ROWS + 2 };
    for (int more = 0; more < 2; more++) {
        const int64_t n = p->n;
        const float *x = probe_floats(p, ROWS * (n + 1), -1, 1);
        double *want;
        float *out = probe_sum(p, n * OUT, &want);
        for (int64_t c = 0; c < n; c++)
            for (int64_t r = 0; r < ROWS; r++) want[c * OUT + r] = (more ? want[c * OUT + r] : 0) + (double)x[r * (n + 1) + c];
        p->k->turn(out, OUT, x, n + 1, ROWS, n, more);
        probe_check(p, out, want, n * OUT, 1e-7);
    }
}

static void affine(probe *p)
{
    for (int variant = 0; variant < 4; variant++) {
        const float *x = variant & 1 ? probe_floats(p, p->n, -1, 1) : NULL;
        double *want;
        float *y = probe_sum(p, p->n, &want);
        for (int64_t i = 0; i < p->n; i++) want[i] = (variant & 2 ? want[i] : 0) + (x ? (double)x[i] * 0.75 : 0) + 0.3125;
        p->k->affine(y, x, 0.75f, 0.3125f, p->n, variant & 2);
        probe_check(p, y, want, p->n, 2e-7);
    }
}

/* As images of n numbers, and as rows of n channels. */
static void channel_sums(probe *p)
{
    enum { B = 4 };
    for (int variant = 0; variant < 4; variant++) {
        const int64_t C = variant & 1 ? p->n : CHANNELS, N = variant & 1 ? 1 : p->n;
        const bool more = variant & 2;
        const float *dy = probe_floats(p, B * C * N, -1, 1), *x = probe_floats(p, B * C * N, -1, 1);
        const float *mean = probe_floats(p, C, -1, 1), *inv = probe_floats(p, C, 0.5, 2);
        double *sums, *dots, *alone;
        float *sum = probe_sum(p, C, &sums), *dot = probe_sum(p, C, &dots), *only = probe_sum(p, C, &alone);
        for (int64_t c = 0; c < C; c++) {
            if (!more) sums[c] = dots[c] = alone[c] = 0;
            for (int64_t b = 0; b < B; b++)
                for (int64_t i = 0; i < N; i++) {
                    const int64_t at = (b * C + c) * N + i;
                    sums[c] += (double)dy[at];
                    alone[c] += (double)dy[at];
                    dots[c] += (double)dy[at] * ((double)x[at] - (double)mean[c]) * (double)inv[c];
                }
        }
        const int64_t half = C < 16 ? 1 : 16;
        p->k->channel_sums(sum, dot, dy, x, mean, inv, B, C, N, (tg_span){0, half}, more);
        p->k->channel_sums(sum, dot, dy, x, mean, inv, B, C, N, (tg_span){half, C}, more);
        p->k->channel_sums(only, NULL, dy, NULL, NULL, NULL, B, C, N, (tg_span){0, C}, more);
        probe_check(p, sum, sums, C, 2e-6);
        probe_check(p, dot, dots, C, 3e-6);
        probe_check(p, only, alone, C, 2e-6);
    }
}

/* As images of n numbers, and as rows of n channels. */
static void channel_moments(probe *p)
{
    enum { B = 4 };
    for (int side_by_side = 0; side_by_side < 2; side_by_side++) {
        const int64_t C = side_by_side ? p->n : CHANNELS, N = side_by_side ? 1 : p->n;
        const float *x = probe_floats(p, B * C * N, 1, 3);
        float *mean = probe_result(p, C), *var = probe_result(p, C);
        double *means = probe_doubles(p, C), *vars = probe_doubles(p, C);
        for (int64_t c = 0; c < C; c++) {
            means[c] = vars[c] = 0;
            for (int64_t i = 0; i < B * N; i++) means[c] += (double)x[(i / N * C + c) * N + i % N] / (double)(B * N);
            for (int64_t i = 0; i < B * N; i++) vars[c] += pow((double)x[(i / N * C + c) * N + i % N] - means[c],
                                                               2) / (double)(B * N);
        }
        const int64_t half = C < 16 ? 1 : 16;
        p->k->channel_moments(mean, var, x, B, C, N, (tg_span){0, half});
        p->k->channel_moments(mean, var, x, B, C, N, (tg_span){half, C});
        probe_check(p, mean, means, C, 5e-7);
        probe_check(p, var, vars, C, 1e-6);
    }
}

/* Rows of n numbers, and n rows of one; forward, and backward from the same tables. */
static void norm_rows(probe *p)
{
    enum { ROWS = 5 };
    for (int variant = 0; variant < 4; variant++) {
        const int64_t rows = variant & 1 ? p->n : ROWS, N = variant & 1 ? 1 : p->n, n = rows * N, half = rows < 16 ? 1 : 16;
        const float *x = probe_floats(p, n, -2, 2), *dy = probe_floats(p, n, -1, 1), *t[6];
        float *y = probe_result(p, n);
        double *want = probe_doubles(p, n), *before;
        float *dx = probe_sum(p, n, &before);
        for (int i = 0; i < 6; i++) t[i] = probe_floats(p, rows, -1, 1);
        for (int64_t i = 0; i < n; i++) {
            const int64_t r = i / N;
            const double normal = ((double)x[i] - (double)t[0][r]) * (double)t[1][r];
            want[i] = normal * (double)t[2][r] + (double)t[3][r];
            const double d = (double)t[1][r] * ((double)dy[i] * (double)t[2][r] - (double)t[4][r] - normal * (double)t[5][r]);
            before[i] = (variant & 2 ? before[i] : 0) + d;
        }
        for (int piece = 0; piece < 2; piece++) {
            const tg_span s = {piece ? half : 0, piece ? rows : half};
            p->k->norm_rows(y, x, t[0], t[1], t[2], t[3], N, s);
            p->k->norm_rows_back(dx, dy, x, t[0], t[1], t[2], t[4], t[5], N, s, variant & 2);
        }
        probe_check(p, y, want, n, 1e-6);
        probe_check(p, dx, before, n, 1e-6);
    }
}

/* ---- curves: value, slope and its slope, by formulas that are not the kernels' -------------------------------------------- */

static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static double curve_at(double x, int act)
{
    switch (act) {
    case TG_ACT_TANH: return tanh(x);
    case TG_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case TG_ACT_RELU: return x > 0 ? x : 0;
    case TG_ACT_LEAKY: return x > 0 ? x : 0.25 * x;
    case TG_ACT_SILU: return x / (1 + exp(-x));
    default: return softplus(x);
    }
}

/* By central differences in double, exact to 1e-9 and (second) 1e-7; a bend at 0 is left out, x is never within 1e-3 of it. */
static double slope_at(double x, int act) { return (curve_at(x + 1e-5, act) - curve_at(x - 1e-5, act)) / 2e-5; }
static double bend_at(double x, int act)
{
    return (curve_at(x + 1e-4, act) - 2 * curve_at(x, act) + curve_at(x - 1e-4, act)) / 1e-8;
}

static void curve(probe *p)
{
    static const int acts[] = {TG_ACT_TANH, TG_ACT_SIGMOID, TG_ACT_RELU, TG_ACT_LEAKY, TG_ACT_SILU, TG_ACT_SOFTPLUS};
    for (int a = 0; a < 12; a++) {
        const int64_t n = p->n;
        const int act = acts[a / 2];
        const bool add = a & 1;
        float *x = probe_floats(p, n, -9, 9);
        const float *dy = probe_floats(p, n, -1, 1), *d = probe_floats(p, n, -1, 1);
        float *y = probe_result(p, n);
        double *want = probe_doubles(p, n), *first, *second;
        float *dx = probe_sum(p, n, &first), *bent = probe_sum(p, n, &second);
        for (int64_t i = 0; i < n; i++) {
            if (fabs((double)x[i]) < 1e-3) x[i] = 1;
            const double v = (double)x[i];
            want[i] = curve_at(v, act);
            first[i] = (add ? first[i] : 0) + (double)dy[i] * slope_at(v, act);
            second[i] = (add ? second[i] : 0) + (double)dy[i] * (double)d[i] * bend_at(v, act);
        }
        p->k->curve(y, x, n, act, 0.25f);
        p->k->curve_back(dx, dy, x, n, act, 0.25f, add);
        p->k->curve_bend(bent, dy, d, x, n, act, add);
        probe_check(p, y, want, n, 5e-7);
        probe_check(p, dx, first, n, 1e-6);
        probe_check(p, bent, second, n, 2e-6);
    }
}

/* Far from 0 it is x or e^x, to the last digits. */
static void softplus_far(probe *p)
{
    const float x[4] = {-40, -12, 30, 80};
    float y[4];
    p->k->curve(y, x, 4, TG_ACT_SOFTPLUS, 0);
    for (int i = 0; i < 4; i++)
        if (!(fabs((double)y[i] / softplus((double)x[i]) - 1) < 4e-7)) test_failed(__FILE__, __LINE__, "softplus(%g) is %g",
                                                                                   (double)x[i], (double)y[i]);
    curve(p);
}

static void multiply(probe *p)
{
    for (int more = 0; more < 2; more++) {
        const float *a = probe_floats(p, p->n, -1, 1), *b = probe_floats(p, p->n, -1, 1);
        double *want;
        float *y = probe_sum(p, p->n, &want);
        for (int64_t i = 0; i < p->n; i++) want[i] = (more ? want[i] : 0) + (double)a[i] * (double)b[i];
        p->k->multiply(y, a, b, p->n, more);
        probe_check(p, y, want, p->n, 2e-7);
    }
}

/* Tiles of 2 x 3, n of them in a row. */
static void pools(probe *p)
{
    enum { PLANES = 2, ROWS = 2, H = 2, W = 3 };
    const int64_t n = p->n, Y = ROWS * H, X = n * W, large = PLANES * Y * X, small = PLANES * ROWS * n;
    for (int more = 0; more < 2; more++) {
        const float *x = probe_floats(p, large, -1, 1), *v = probe_floats(p, small, -1, 1);
        int32_t *at = probe_ids(p, small, 0, 1);
        double *sums, *spreads, *there, *most = probe_doubles(p, small);
        float *y = probe_sum(p, small, &sums), *z = probe_sum(p, large, &spreads), *d = probe_sum(p, large, &there),
            *top = probe_result(p, small);
        for (int64_t i = 0; i < small; i++) sums[i] = more ? sums[i] : 0, most[i] = -INFINITY;
        for (int64_t i = 0; i < large; i++) {
            const int64_t of = (i / X / H) * n + i % X / W;
            sums[of] += 0.25 * (double)x[i];
            most[of] = fmax(most[of], (double)x[i]);
            spreads[i] = (more ? spreads[i] : 0) + 0.25 * (double)v[of];
        }
        for (int64_t i = 0; i < large; i++) {
            const int64_t of = (i / X / H) * n + i % X / W;
            there[i] = (more ? there[i] : 0) + ((double)x[i] == most[of] ? (double)v[of] : 0);
        }
        for (int64_t s = 0; s < PLANES; s++) {
            p->k->pool(y, x, Y, X, H, W, 0.25f, (tg_span){s, s + 1}, more);
            p->k->spread(z, v, Y, X, H, W, 0.25f, (tg_span){s, s + 1}, more);
            p->k->pool_most(top, at, x, Y, X, H, W, (tg_span){s, s + 1});
            p->k->spread_most(d, v, at, Y, X, H, W, (tg_span){s, s + 1}, more);
        }
        probe_check(p, y, sums, small, 1e-6);
        probe_check(p, z, spreads, large, 2e-7);
        probe_check(p, top, most, small, 0);
        probe_check(p, d, there, large, 2e-7);
    }
}

const probe_row probe_images[] = {
    {"curve", softplus_far}, {"curve_back", curve}, {"curve_bend", curve}, {"multiply", multiply}, {"pool", pools}, {"spread",
                                                                                                                     pools},
    {"pool_most", pools}, {"spread_most", pools},
    {"channel_moments", channel_moments}, {"norm_rows", norm_rows}, {"norm_rows_back", norm_rows},
    {"patches", patches}, {"unpatch", unpatch}, {"turn", turn}, {"affine", affine}, {"channel_sums", channel_sums}, {NULL, NULL},
};
