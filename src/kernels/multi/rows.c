/* rows.c - look-ups, column sums, norms, rotations and softmax, row by row. Callers split rows or columns over threads. */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

void TG_K(gather)(float *y, const float *table, const int32_t *ids, int64_t D, tg_span rows)
{
    for (int64_t r = rows.begin; r < rows.end; r++) {
        const float *from = table + ids[r] * D;
        for (int64_t d = 0; d < D; d += 16) v16_store_n(y + r * D + d, v16_load_n(from + d, D - d), D - d);
    }
}

void TG_K(scatter_add)(float *dtable, int64_t V, const float *dy, const int32_t *ids, int64_t rows, int64_t D, tg_span columns,
                       bool add)
{
    for (int64_t v = 0; !add && v < V; v++)
        for (int64_t d = columns.begin; d < columns.end; d += 16)
            v16_store_n(dtable + v * D + d, v16_zero(), columns.end - d);
    for (int64_t r = 0; r < rows; r++) {
        float *to = dtable + ids[r] * D;
        for (int64_t d = columns.begin; d < columns.end; d += 16) {
            const int64_t n = columns.end - d;
            v16_store_n(to + d, v16_add(v16_load_n(to + d, n), v16_load_n(dy + r * D + d, n)), n);
        }
    }
}

void TG_K(column_sum)(float *out, const float *x, int64_t x_rs, int64_t rows, tg_span columns, bool add)
{
    for (int64_t j = columns.begin; j < columns.end; j += 64) { /* four vectors: a row's cache line is used whole */
        const int64_t n = columns.end - j;
        v16 s[4];
        for (int q = 0; q < 4; q++) s[q] = add ? v16_load_n(out + j + 16 * q, n - 16 * q) : v16_zero();
        for (int64_t r = 0; r < rows; r++)
            for (int q = 0; q < 4; q++) s[q] = v16_add(s[q], v16_load_n(x + r * x_rs + j + 16 * q, n - 16 * q));
        for (int q = 0; q < 4; q++) v16_store_n(out + j + 16 * q, s[q], n - 16 * q);
    }
}

/* Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4: variance of the row, not of a sample; two passes, no cancellation. */
void TG_K(layernorm)(float *y, float *mean, float *inv_std, const float *x, const float *g, const float *b, int64_t D,
                     float eps, tg_span rows)
{
    for (int64_t r = rows.begin; r < rows.end; r++) {
        const float *xr = x + r * D;
        v16 sum = v16_zero(), squares = v16_zero();
        for (int64_t d = 0; d < D; d += 16) sum = v16_add(sum, v16_load_n(xr + d, D - d));
        mean[r] = v16_sum(sum) / (float)D;
        for (int64_t d = 0; d < D; d += 16) {
            /* lanes past the end hold the mean, so that they add 0 */
            const v16 m = v16_all(mean[r]), v = v16_sub(v16_load_n(xr + d, D - d), v16_select(v16_past(D - d), v16_zero(), m));
            squares = v16_fma(v, v, squares);
        }
        inv_std[r] = 1.0f / sqrtf(v16_sum(squares) / (float)D + eps);
        for (int64_t d = 0; d < D; d += 16) {
            const v16 v = v16_mul(v16_sub(v16_load_n(xr + d, D - d), v16_all(mean[r])), v16_all(inv_std[r]));
            v16_store_n(y + r * D + d, v16_fma(v, v16_load_n(g + d, D - d), v16_load_n(b + d, D - d)), D - d);
        }
    }
}

/* With n = (x-mean)·inv_std and e = dy·g: dx = inv_std·(e - mean(e) - n·mean(e·n)). */
void TG_K(layernorm_back)(float *dx, const float *dy, const float *x, const float *g, const float *mean,
                          const float *inv_std, int64_t D, tg_span rows, bool add)
{
    for (int64_t r = rows.begin; r < rows.end; r++) {
        const v16 m = v16_all(mean[r]), s = v16_all(inv_std[r]);
        v16 sum = v16_zero(), dot = v16_zero();
        for (int64_t d = 0; d < D; d += 16) { /* past the end g, and so e, is 0 */
            const v16 e = v16_mul(v16_load_n(dy + r * D + d, D - d), v16_load_n(g + d, D - d));
            const v16 n = v16_mul(v16_sub(v16_load_n(x + r * D + d, D - d), m), s);
            sum = v16_add(sum, e);
            dot = v16_fma(e, n, dot);
        }
        const v16 mean_e = v16_all(v16_sum(sum) / (float)D), mean_en = v16_all(v16_sum(dot) / (float)D);
        for (int64_t d = 0; d < D; d += 16) {
            const v16 e = v16_mul(v16_load_n(dy + r * D + d, D - d), v16_load_n(g + d, D - d));
            const v16 n = v16_mul(v16_sub(v16_load_n(x + r * D + d, D - d), m), s);
            v16 v = v16_mul(s, v16_neg_fma(n, mean_en, v16_sub(e, mean_e)));
            if (add) v = v16_add(v16_load_n(dx + r * D + d, D - d), v);
            v16_store_n(dx + r * D + d, v, D - d);
        }
    }
}

/* Sums down so many vectors of columns at once: of one alone, every row would be another line of memory. */
enum { ABREAST = 4 };

TG_INLINE void layernorm_columns(float *dg, float *db, const float *dy, const float *x, const float *mean, const float *inv_std,
                                 int64_t rows, int64_t D, int64_t n, bool add, int vectors)
{
    v16 sg[ABREAST], sb[ABREAST];
    TG_UNROLL for (int q = 0; q < vectors; q++) {
        sg[q] = add ? v16_load_n(dg + 16 * q, n - 16 * q) : v16_zero();
        sb[q] = add ? v16_load_n(db + 16 * q, n - 16 * q) : v16_zero();
    }
    for (int64_t r = 0; r < rows; r++, dy += D, x += D)
        TG_UNROLL for (int q = 0; q < vectors; q++) {
            const v16 d = v16_load_n(dy + 16 * q, n - 16 * q), v = v16_load_n(x + 16 * q, n - 16 * q);
            sg[q] = v16_fma(d, v16_mul(v16_sub(v, v16_all(mean[r])), v16_all(inv_std[r])), sg[q]);
            sb[q] = v16_add(sb[q], d);
        }
    TG_UNROLL for (int q = 0; q < vectors; q++) {
        v16_store_n(dg + 16 * q, sg[q], n - 16 * q);
        v16_store_n(db + 16 * q, sb[q], n - 16 * q);
    }
}

void TG_K(layernorm_dg)(float *dg, float *db, const float *dy, const float *x, const float *mean, const float *inv_std,
                        int64_t rows, int64_t D, tg_span columns, bool add)
{
    for (int64_t j = columns.begin, n; (n = columns.end - j) > 0; j += n >= 16 * ABREAST ? 16 * ABREAST : 16) {
        if (n >= 16 * ABREAST) layernorm_columns(dg + j, db + j, dy + j, x + j, mean, inv_std, rows, D, n, add, ABREAST);
        else layernorm_columns(dg + j, db + j, dy + j, x + j, mean, inv_std, rows, D, n, add, 1);
    }
}

/* Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4 */
TG_INLINE float inverse_rms(const float *x, int64_t D, float eps)
{
    v16 squares = v16_zero();
    for (int64_t d = 0; d < D; d += 16) {
        const v16 v = v16_load_n(x + d, D - d);
        squares = v16_fma(v, v, squares);
    }
    return 1.0f / sqrtf(v16_sum(squares) / (float)D + eps);
}

/* With n = x·inv and e = dy·g: dx = inv·(e - n·mean(e·n)). */
TG_INLINE void row_rms_back(float *dx, const float *dy, const float *x, const float *g, float inv, int64_t D, bool add)
{
    const v16 s = v16_all(inv);
    v16 dot = v16_zero();
    for (int64_t d = 0; d < D; d += 16) {
        const v16 e = v16_mul(v16_load_n(dy + d, D - d), v16_load_n(g + d, D - d));
        dot = v16_fma(e, v16_mul(v16_load_n(x + d, D - d), s), dot);
    }
    const v16 mean = v16_all(v16_sum(dot) / (float)D);
    for (int64_t d = 0; d < D; d += 16) {
        const v16 e = v16_mul(v16_load_n(dy + d, D - d), v16_load_n(g + d, D - d));
        v16 v = v16_mul(s, v16_neg_fma(v16_mul(v16_load_n(x + d, D - d), s), mean, e));
        if (add) v = v16_add(v16_load_n(dx + d, D - d), v);
        v16_store_n(dx + d, v, D - d);
    }
}

void TG_K(rmsnorm)(float *y, float *inv, const float *x, const float *g, int64_t D, float eps, tg_span rows)
{
    for (int64_t r = rows.begin; r < rows.end; r++) {
        inv[r] = inverse_rms(x + r * D, D, eps);
        for (int64_t d = 0; d < D; d += 16) {
            const v16 v = v16_mul(v16_load_n(x + r * D + d, D - d), v16_all(inv[r]));
            v16_store_n(y + r * D + d, v16_mul(v, v16_load_n(g + d, D - d)), D - d);
        }
    }
}

void TG_K(rmsnorm_back)(float *dx, const float *dy, const float *x, const float *g, const float *inv, int64_t D, tg_span rows,
                        bool add)
{
    for (int64_t r = rows.begin; r < rows.end; r++) row_rms_back(dx + r * D, dy + r * D, x + r * D, g, inv[r], D, add);
}

TG_INLINE void rmsnorm_columns(float *dg, const float *dy, const float *x, const float *inv, int64_t rows, int64_t D, int64_t n,
                               bool add, int vectors)
{
    v16 sum[ABREAST];
    TG_UNROLL for (int q = 0; q < vectors; q++) sum[q] = add ? v16_load_n(dg + 16 * q, n - 16 * q) : v16_zero();
    for (int64_t r = 0; r < rows; r++, dy += D, x += D)
        TG_UNROLL for (int q = 0; q < vectors; q++) {
            const v16 v = v16_mul(v16_load_n(x + 16 * q, n - 16 * q), v16_all(inv[r]));
            sum[q] = v16_fma(v16_load_n(dy + 16 * q, n - 16 * q), v, sum[q]);
        }
    TG_UNROLL for (int q = 0; q < vectors; q++) v16_store_n(dg + 16 * q, sum[q], n - 16 * q);
}

void TG_K(rmsnorm_dg)(float *dg, const float *dy, const float *x, const float *inv, int64_t rows, int64_t D, tg_span columns,
                      bool add)
{
    for (int64_t j = columns.begin, n; (n = columns.end - j) > 0; j += n >= 16 * ABREAST ? 16 * ABREAST : 16) {
        if (n >= 16 * ABREAST) rmsnorm_columns(dg + j, dy + j, x + j, inv, rows, D, n, add, ABREAST);
        else rmsnorm_columns(dg + j, dy + j, x + j, inv, rows, D, n, add, 1);
    }
}

/* A head's rows lie a whole position apart, where nothing but this foresees them; they are fetched so many ahead. */
enum { ROWS_AHEAD = 8 };

TG_INLINE void fetch_row(const float *x, int64_t D)
{
    for (int64_t d = 0; d < D; d += 16) __builtin_prefetch(x + d);
}

/* Su et al. 2021, arXiv:2104.09864, eq. 34, in the order of GPT-NeoX: halves, not neighbours. */
void TG_K(rotate)(float *y, int64_t y_rs, const float *x, int64_t x_rs, const float *g, float eps, const float *cosine,
                  const float *sine, float scale, int64_t D, int64_t rows)
{
    const int64_t half = cosine ? D / 2 : D;
    for (int64_t r = 0; r < rows; r++, x += x_rs, y += y_rs) {
        const v16 by = v16_all(g ? scale * inverse_rms(x, D, eps) : scale);
        if (r + ROWS_AHEAD < rows) fetch_row(x + ROWS_AHEAD * x_rs, D);
        for (int64_t d = 0; d < half; d += 16) {
            const int64_t n = half - d;
            v16 a = v16_mul(v16_load_n(x + d, n), by);
            if (g) a = v16_mul(a, v16_load_n(g + d, n));
            if (!cosine) {
                v16_store_n(y + d, a, n);
                continue;
            }
            v16 b = v16_mul(v16_load_n(x + half + d, n), by);
            if (g) b = v16_mul(b, v16_load_n(g + half + d, n));
            const v16 c = v16_load_n(cosine + r * half + d, n), s = v16_load_n(sine + r * half + d, n);
            v16_store_n(y + d, v16_neg_fma(b, s, v16_mul(a, c)), n);
            v16_store_n(y + half + d, v16_fma(a, s, v16_mul(b, c)), n);
        }
    }
}

/* dy turned back and scaled, in place. */
TG_INLINE void turn_back(float *dy, const float *cosine, const float *sine, float scale, int64_t D)
{
    const v16 by = v16_all(scale);
    for (int64_t d = 0; !cosine && d < D; d += 16) v16_store_n(dy + d, v16_mul(v16_load_n(dy + d, D - d), by), D - d);
    for (int64_t d = 0, half = D / 2; cosine && d < half; d += 16) {
        const int64_t n = half - d;
        const v16 a = v16_mul(v16_load_n(dy + d, n), by), b = v16_mul(v16_load_n(dy + half + d, n), by);
        const v16 c = v16_load_n(cosine + d, n), s = v16_load_n(sine + d, n);
        v16_store_n(dy + d, v16_fma(b, s, v16_mul(a, c)), n);
        v16_store_n(dy + half + d, v16_neg_fma(a, s, v16_mul(b, c)), n);
    }
}

void TG_K(rotate_back)(float *dx, int64_t dx_rs, float *dg, float *dy, int64_t dy_rs, const float *x, int64_t x_rs,
                       const float *g, float eps, const float *cosine, const float *sine, float scale, int64_t D, int64_t rows,
                       bool add)
{
    for (int64_t r = 0; r < rows; r++, x += x_rs, dy += dy_rs) {
        float *to = dx ? dx + r * dx_rs : NULL;
        if (to && r + ROWS_AHEAD < rows) fetch_row(to + ROWS_AHEAD * dx_rs, D);
        turn_back(dy, cosine ? cosine + r * (D / 2) : NULL, sine ? sine + r * (D / 2) : NULL, scale, D);
        const float inv = g ? inverse_rms(x, D, eps) : 1.0f;
        for (int64_t d = 0; g && d < D; d += 16) {
            const v16 n = v16_mul(v16_load_n(x + d, D - d), v16_all(inv));
            v16_store_n(dg + d, v16_fma(v16_load_n(dy + d, D - d), n, v16_load_n(dg + d, D - d)), D - d);
        }
        if (to && g) row_rms_back(to, dy, x, g, inv, D, add);
        for (int64_t d = 0; to && !g && d < D; d += 16) {
            const v16 v = v16_load_n(dy + d, D - d);
            v16_store_n(to + d, add ? v16_add(v16_load_n(to + d, D - d), v) : v, D - d);
        }
    }
}

/* Largest of a row; lanes past its end do not count. */
TG_INLINE float row_largest(const float *x, int64_t V)
{
    v16 top = v16_all(-INFINITY);
    for (int64_t j = 0; j < V; j += 16) {
        const v16 v = v16_select(v16_past(V - j), v16_all(-INFINITY), v16_load_n(x + j, V - j));
        top = v16_max(v, top);
    }
    return v16_largest(top);
}

/* y = exp(x - top); returns the sum */
TG_INLINE float row_exp(float *y, const float *x, float top, int64_t V)
{
    v16 sum = v16_zero();
    for (int64_t j = 0; j < V; j += 16) {
        const v16 e = v16_exp(v16_sub(v16_load_n(x + j, V - j), v16_all(top)));
        const v16 kept = v16_select(v16_past(V - j), v16_zero(), e);
        v16_store_n(y + j, kept, V - j);
        sum = v16_add(sum, kept);
    }
    return v16_sum(sum);
}

void TG_K(softmax)(float *y, const float *x, int64_t V, tg_span rows)
{
    for (int64_t r = rows.begin; r < rows.end; r++) {
        float *yr = y + r * V;
        const float sum = row_exp(yr, x + r * V, row_largest(x + r * V, V), V);
        for (int64_t j = 0; j < V; j += 16)
            v16_store_n(yr + j, v16_div(v16_load_n(yr + j, V - j), v16_all(sum)), V - j);
    }
}

void TG_K(softmax_loss)(float *loss, float *dx, const float *x, const int32_t *target, int64_t V, tg_span rows)
{
    float scratch[16];
    for (int64_t r = rows.begin; r < rows.end; r++) {
        const float *xr = x + r * V;
        float *dr = dx ? dx + r * V : NULL;
        if (target[r] < 0) {
            loss[r] = 0.0f;
            for (int64_t j = 0; dr && j < V; j++) dr[j] = 0.0f;
            continue;
        }
        const float top = row_largest(xr, V), hit = xr[target[r]];
        float sum;
        if (dr) {
            sum = row_exp(dr, xr, top, V);
            for (int64_t j = 0; j < V; j += 16)
                v16_store_n(dr + j, v16_flush(v16_div(v16_load_n(dr + j, V - j), v16_all(sum))), V - j);
            dr[target[r]] -= 1.0f;
        } else {
            v16 all = v16_zero();
            for (int64_t j = 0; j < V; j += 16) {
                const v16 e = v16_exp(v16_sub(v16_load_n(xr + j, V - j), v16_all(top)));
                all = v16_add(all, v16_select(v16_past(V - j), v16_zero(), e));
            }
            sum = v16_sum(all);
        }
        v16_store(scratch, v16_log(v16_all(sum)));
        loss[r] = scratch[0] - (hit - top);
    }
}
