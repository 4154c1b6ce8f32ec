/* channel.c - sums and norms of channels of [B, C, N]. A channel's sum runs over 16 lanes along N, image after image, then one
 * fixed tree; where N is 1, that is one chain over the images, and 16 channels run side by side. */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* (x - mean)·inv in lanes before n, 0 behind */
TG_INLINE v16 normal_n(const float *x, int64_t n, v16 mean, v16 inv)
{
    const v16 v = v16_mul(v16_sub(v16_load_n(x, n), mean), inv);
    return n >= 16 ? v : v16_select(v16_past(n), v16_zero(), v);
}

static void put_one(float *out, float v, bool add)
{
    *out = add ? *out + v : v;
}

static void sums_side_by_side(float *sum, float *dot, const float *dy, const float *x, const float *mean, const float *inv,
                              int64_t B,
                              int64_t C, tg_span channels, bool add)
{
    for (int64_t c = channels.begin; c < channels.end; c += 16) {
        const int64_t n = channels.end - c;
        v16 s = v16_zero(), d = v16_zero();
        for (int64_t b = 0; b < B; b++) {
            const v16 v = v16_load_n(dy + b * C + c, n);
            s = v16_add(s, v);
            if (dot) d = v16_fma(v, normal_n(x + b * C + c, n, v16_load_n(mean + c, n), v16_load_n(inv + c, n)), d);
        }
        v16_store_n(sum + c, add ? v16_add(v16_load_n(sum + c, n), s) : s, n);
        if (dot) v16_store_n(dot + c, add ? v16_add(v16_load_n(dot + c, n), d) : d, n);
    }
}

void TG_K(channel_sums)(float *sum, float *dot, const float *dy, const float *x, const float *mean, const float *inv, int64_t B,
                        int64_t C, int64_t N, tg_span channels, bool add)
{
    if (N == 1) {
        sums_side_by_side(sum, dot, dy, x, mean, inv, B, C, channels, add);
        return;
    }
    for (int64_t c = channels.begin; c < channels.end; c++) {
        v16 s = v16_zero(), d = v16_zero();
        for (int64_t b = 0; b < B; b++)
            for (int64_t at = (b * C + c) * N, i = 0; i < N; i += 16) {
                const v16 v = v16_load_n(dy + at + i, N - i);
                s = v16_add(s, v);
                if (dot) d = v16_fma(v, normal_n(x + at + i, N - i, v16_all(mean[c]), v16_all(inv[c])), d);
            }
        put_one(sum + c, v16_sum(s), add);
        if (dot) put_one(dot + c, v16_sum(d), add);
    }
}

/* Variance of what is there, not of a sample; two passes, no cancellation. */
static void moments_side_by_side(float *mean, float *var, const float *x, int64_t B, int64_t C, tg_span channels)
{
    const v16 one = v16_all(1.0f);
    for (int64_t c = channels.begin; c < channels.end; c += 16) {
        const int64_t n = channels.end - c;
        v16 s = v16_zero(), squares = v16_zero();
        for (int64_t b = 0; b < B; b++) s = v16_add(s, v16_load_n(x + b * C + c, n));
        const v16 m = v16_div(s, v16_all((float)B));
        for (int64_t b = 0; b < B; b++) {
            const v16 v = normal_n(x + b * C + c, n, m, one);
            squares = v16_fma(v, v, squares);
        }
        v16_store_n(mean + c, m, n);
        v16_store_n(var + c, v16_div(squares, v16_all((float)B)), n);
    }
}

void TG_K(channel_moments)(float *mean, float *var, const float *x, int64_t B, int64_t C, int64_t N, tg_span channels)
{
    if (N == 1) {
        moments_side_by_side(mean, var, x, B, C, channels);
        return;
    }
    for (int64_t c = channels.begin; c < channels.end; c++) {
        v16 s = v16_zero(), squares = v16_zero();
        for (int64_t b = 0; b < B; b++)
            for (int64_t at = (b * C + c) * N, i = 0; i < N; i += 16) s = v16_add(s, v16_load_n(x + at + i, N - i));
        mean[c] = v16_sum(s) / (float)(B * N);
        for (int64_t b = 0; b < B; b++)
            for (int64_t at = (b * C + c) * N, i = 0; i < N; i += 16) {
                const v16 v = normal_n(x + at + i, N - i, v16_all(mean[c]), v16_all(1.0f));
                squares = v16_fma(v, v, squares);
            }
        var[c] = v16_sum(squares) / (float)(B * N);
    }
}

/* What rows r .. have of a table: the same for all numbers of a row, or, where rows are single numbers, a vector. */
TG_INLINE v16 of_rows(const float *table, int64_t r, int64_t N, int64_t n) { return N == 1 ? v16_load_n(table + r,
                                                                                                        n) : v16_all(table[r]); }

TG_INLINE void norm_sixteen(float *y, const float *x, v16 mean, v16 inv, v16 gain, v16 bias, int64_t n)
{
    v16_store_n(y, v16_fma(v16_mul(v16_sub(v16_load_n(x, n), mean), inv), gain, bias), n);
}

void TG_K(norm_rows)(float *y, const float *x, const float *mean, const float *inv, const float *gain, const float *bias,
                     int64_t N,
                     tg_span rows)
{
    for (int64_t r = rows.begin; r < rows.end; r += N == 1 ? 16 : 1) {
        const int64_t left = rows.end - r;
        const v16 m = of_rows(mean, r, N, left), s = of_rows(inv, r, N, left);
        const v16 g = of_rows(gain, r, N, left), b = of_rows(bias, r, N, left);
        if (N == 1) norm_sixteen(y + r, x + r, m, s, g, b, left);
        else for (int64_t i = 0; i < N; i += 16) norm_sixteen(y + r * N + i, x + r * N + i, m, s, g, b, N - i);
    }
}

typedef struct row_back { v16 mean, inv, gain, sum, dot; } row_back;

TG_INLINE void back_sixteen(float *dx, const float *dy, const float *x, const row_back *w, int64_t n, bool add)
{
    const v16 d = v16_mul(v16_load_n(dy, n), w->gain), normal = v16_mul(v16_sub(v16_load_n(x, n), w->mean), w->inv);
    const v16 v = v16_mul(w->inv, v16_neg_fma(normal, w->dot, v16_sub(d, w->sum)));
    v16_store_n(dx, add ? v16_add(v16_load_n(dx, n), v) : v, n);
}

void TG_K(norm_rows_back)(float *dx, const float *dy, const float *x, const float *mean, const float *inv, const float *gain,
                          const float *sum, const float *dot, int64_t N, tg_span rows, bool add)
{
    for (int64_t r = rows.begin; r < rows.end; r += N == 1 ? 16 : 1) {
        const int64_t left = rows.end - r;
        const row_back w = {of_rows(mean, r, N, left), of_rows(inv, r, N, left), of_rows(gain, r, N, left), of_rows(sum, r, N,
                                                                                                                    left),
                            of_rows(dot, r, N, left)};
        if (N == 1) back_sixteen(dx + r, dy + r, x + r, &w, left, add);
        else for (int64_t i = 0; i < N; i += 16) back_sixteen(dx + r * N + i, dy + r * N + i, x + r * N + i, &w, N - i, add);
    }
}
