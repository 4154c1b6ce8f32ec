/*
 * attention.c - what attention does to a block of scores between its products: softmax with a running maximum and sum
 * (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135), and its gradient.
 */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

/* v in the lanes of columns seen, x elsewhere; lane 0 is column j. */
TG_INLINE v16 where_seen(tg_span seen, int64_t j, v16 v, v16 x)
{
    v = v16_select(v16_past(seen.end - j), x, v);
    if (j < seen.begin) v = v16_select(v16_past(seen.begin - j), v, x);
    return v;
}

/* These go over the columns [all) that some row sees: loops of the same length for every row are foreseen by the machine. */
TG_INLINE float score_largest(const float *s, tg_span seen, tg_span all)
{
    v16 top = v16_all(-INFINITY);
    for (int64_t j = all.begin; j < all.end; j += 16)
        top = v16_max(where_seen(seen, j, v16_load_n(s + j, all.end - j), v16_all(-INFINITY)), top);
    return v16_largest(top);
}

TG_INLINE float score_exp(float *s, tg_span seen, tg_span all, float top)
{
    v16 sum = v16_zero();
    for (int64_t j = all.begin; j < all.end; j += 16) {
        const v16 old = v16_load_n(s + j, all.end - j), e = v16_exp(v16_sub(old, v16_all(top)));
        v16_store_n(s + j, where_seen(seen, j, e, old), all.end - j);
        sum = v16_add(sum, where_seen(seen, j, e, v16_zero()));
    }
    return v16_sum(sum);
}

void TG_K(attend)(float *s, int64_t s_rs, float *top, float *sum, float *o, int64_t o_rs, const tg_span *seen, int64_t rows,
                  int64_t D)
{
    float keep[16];
    tg_span all = {INT64_MAX, 0};
    for (int64_t r = 0; r < rows; r++) {
        if (seen[r].begin >= seen[r].end) continue;
        if (seen[r].begin < all.begin) all.begin = seen[r].begin / 16 * 16;
        if (seen[r].end > all.end) all.end = seen[r].end;
    }
    for (int64_t r = 0; r < rows; r++, s += s_rs, o += o_rs) {
        if (seen[r].begin >= seen[r].end) continue;
        const float here = score_largest(s, seen[r], all), before = top[r];
        if (!(here > before)) { /* the maximum stays, and a NaN keeps out of it */
            sum[r] += score_exp(s, seen[r], all, before);
            continue;
        }
        top[r] = here;
        const float more = score_exp(s, seen[r], all, here);
        const v16 scale = v16_exp(v16_all(before - here)); /* 0 at first */
        v16_store(keep, scale);
        sum[r] = sum[r] * keep[0] + more;
        for (int64_t d = 0; d < D; d += 16) v16_store_n(o + d, v16_mul(v16_load_n(o + d, D - d), scale), D - d);
    }
}

void TG_K(attend_some)(float *o, int64_t o_rs, const float *p, int64_t p_rs, const float *v, int64_t v_rs, const tg_span *seen,
                       tg_span keys, int64_t rows, int64_t D)
{
    for (int64_t r = 0; r < rows; r++, o += o_rs, p += p_rs) {
        const int64_t begin = seen[r].begin > keys.begin ? seen[r].begin : keys.begin;
        const int64_t end = seen[r].end < keys.end ? seen[r].end : keys.end;
        for (int64_t d = 0; begin < end && d < D; d += 64) { /* four chains abreast */
            v16 sum[4];
            TG_UNROLL for (int q = 0; q < 4; q++) sum[q] = v16_load_n(o + d + 16 * q, D - d - 16 * q);
            for (int64_t j = begin; j < end; j++)
                TG_UNROLL for (int q = 0; q < 4; q++)
                    sum[q] = v16_fma(v16_all(p[j]), v16_load_n(v + j * v_rs + d + 16 * q, D - d - 16 * q), sum[q]);
            TG_UNROLL for (int q = 0; q < 4; q++) v16_store_n(o + d + 16 * q, sum[q], D - d - 16 * q);
        }
    }
}

void TG_K(attend_end)(float *y, int64_t y_rs, float *lse, const float *o, int64_t o_rs, const float *top, const float *sum,
                      int64_t rows, int64_t D)
{
    for (int64_t r = 0; r < rows; r++, y += y_rs, o += o_rs) {
        for (int64_t d = 0; r + 8 < rows && d < D; d += 16) __builtin_prefetch(y + 8 * y_rs + d, 1);
        for (int64_t d = 0; d < D; d += 16) v16_store_n(y + d, v16_div(v16_load_n(o + d, D - d), v16_all(sum[r])), D - d);
    }
    for (int64_t r = 0; lse && r < rows; r += 16) {
        const int64_t n = rows - r;
        v16_store_n(lse + r, v16_add(v16_load_n(top + r, n), v16_log(v16_load_n(sum + r, n))), n);
    }
}

void TG_K(attend_back)(float *s, float *d, int64_t rs, const float *lse, const float *delta, const tg_span *seen, int64_t rows,
                       int64_t columns)
{
    for (int64_t r = 0; r < rows; r++, s += rs, d += rs)
        for (int64_t j = 0; j < columns; j += 16) {
            v16 p = v16_zero(), ds = v16_zero();
            if (j < seen[r].end && j + 16 > seen[r].begin) {
                const v16 e = v16_exp(v16_sub(v16_load_n(s + j, columns - j), v16_all(lse[r])));
                p = where_seen(seen[r], j, e, p);
                const v16 change = v16_sub(v16_load_n(d + j, columns - j), v16_all(delta[r]));
                ds = where_seen(seen[r], j, v16_mul(e, change), ds);
            }
            v16_store_n(s + j, p, columns - j);
            v16_store_n(d + j, ds, columns - j);
        }
}

void TG_K(row_dots)(float *out, const float *a, int64_t a_rs, const float *b, int64_t b_rs, int64_t D, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        v16 sum = v16_zero();
        for (int64_t d = 0; r + 8 < rows && d < D; d += 16) __builtin_prefetch(b + (r + 8) * b_rs + d);
        for (int64_t d = 0; d < D; d += 16)
            sum = v16_fma(v16_load_n(a + r * a_rs + d, D - d), v16_load_n(b + r * b_rs + d, D - d), sum);
        out[r] = v16_sum(sum);
    }
}
