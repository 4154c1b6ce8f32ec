/*
 * likelihood.c - losses of numbers, element by element, and their gradients; the caller adds up. Each has one source of truth, an
 * inline function that gives loss and slopes of sixteen elements; forward stores the one, backward the others.
 */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/philox.h"
#include "kernels/simd/v16.h"

typedef struct point { v16 loss, da, db; } point; /* and slopes by the two things that are learned */

#define HALF_LOG_2PI 0x1.d67f1cp-1f

/* softplus(l) - t·l: -log of the probability of t under sigmoid(l), for t in between, too */
TG_INLINE point bernoulli(v16 l, v16 t)
{
    return (point){v16_neg_fma(t, l, v16_softplus(l)), v16_sub(v16_sigmoid(l), t), v16_zero()};
}

/* ((x - m)²/e^v + v + log 2π)/2 */
TG_INLINE point gaussian(v16 m, v16 v, v16 x)
{
    const v16 half = v16_all(0.5f), weight = v16_exp(v16_sub(v16_zero(), v)), off = v16_sub(x, m), pull = v16_mul(off, weight);
    const v16 square = v16_mul(off, pull);
    return (point){v16_fma(half, v16_add(square, v), v16_all(HALF_LOG_2PI)), v16_sub(v16_zero(), pull),
                   v16_neg_fma(half, square, half)};
}

/* KL(N(m, e^v) || N(0, 1)) = (m² + e^v - 1 - v)/2 */
TG_INLINE point divergence(v16 m, v16 v)
{
    const v16 half = v16_all(0.5f), one = v16_all(1.0f), var = v16_exp(v);
    const v16 all = v16_fma(m, m, v16_sub(v16_sub(var, one), v));
    return (point){v16_mul(half, all), m, v16_mul(half, v16_sub(var, one))};
}

/* log q(z) - log p(z) of a draw z = m + e^(v/2)·e, q = N(m, e^v), p = N(0, 1): (z² - v - e²)/2, and how it moves with z and v */
TG_INLINE point ratio(v16 z, v16 v, v16 e)
{
    const v16 half = v16_all(0.5f);
    return (point){v16_mul(half, v16_sub(v16_neg_fma(e, e, v16_mul(z, z)), v)), z, v16_all(-0.5f)};
}

/*
 * A logistic with mean m and scale s = e^v over bins of width w = 1/255 around x = 0, w .. 1; the outer bins are open. With
 * a, b = (x ± w/2 - m)/s and d = w/s: P = sigmoid(a) - sigmoid(b) = sigmoid(a)·sigmoid(-b)·(1 - e^-d), so that no digits cancel:
 * -log P = softplus(-a) + softplus(b) - log(1 - e^-d). Below d = 1/8, (1 - e^-d)/d is its series, and log d is log w - v.
 */
TG_INLINE point logistic(v16 m, v16 v, v16 x)
{
    const v16 one = v16_all(1.0f), zero = v16_zero(), inv = v16_exp(v16_sub(zero, v));
    const v16 width = v16_all(0x1.010102p-8f), d = v16_mul(inv, width), half = v16_mul(d, v16_all(0.5f));
    const v16 middle = v16_mul(v16_sub(x, m), inv), a = v16_add(middle, half), b = v16_sub(middle, half);
    const v16m low = v16_lt(x, v16_all(0x1.010102p-9f)), high = v16_lt(v16_all(1.0f - 0x1.010102p-9f), x);
    const v16m small = v16_lt(d, v16_all(0.125f));
    /* 1 - d/2 + d²/6 - d³/24 + d⁴/120 - d⁵/720 */
    v16 series = v16_fma(d, v16_all(-0x1.6c16c2p-10f), v16_all(0x1.111112p-7f));
    series = v16_fma(d, series, v16_all(-0x1.555556p-5f));
    series = v16_fma(d, series, v16_all(0x1.555556p-3f));
    series = v16_fma(d, series, v16_all(-0.5f));
    series = v16_fma(d, series, one);
    const v16 fall = v16_exp(v16_sub(zero, d)), rest = v16_sub(one, fall);
    const v16 log_small = v16_add(v16_sub(v16_all(-0x1.62a41p+2f), v), v16_log(series));
    const v16 log_d = v16_select(small, log_small, v16_log(v16_select(small, one, rest)));
    const v16 by_d = v16_select(small, v16_div(fall, series), v16_div(v16_mul(d, fall), v16_select(small, one,
                                                                                                   rest))); /* d/(e^d - 1) */
    const v16 up = v16_sigmoid(v16_sub(zero, a)), down = v16_sigmoid(b);
    /* what an outer bin lacks is 0 */
    const v16 loss_a = v16_select(high, zero, v16_softplus(v16_sub(zero, a))), loss_b = v16_select(low, zero, v16_softplus(b));
    const v16 slope_a = v16_select(high, zero, up), slope_b = v16_select(low, zero, down);
    const v16 outer = v16_select(low, one, v16_select(high, one, zero)), inside = v16_sub(one, outer);
    const v16 log_in = v16_select(v16_lt(zero, outer), zero, log_d);
    point p = {v16_sub(v16_add(loss_a, loss_b), log_in), v16_mul(inv, v16_sub(slope_a, slope_b)), zero};
    /* a, b and d fall as v rises: d(-log P)/dv = a·sigmoid(-a) - b·sigmoid(b) + d/(e^d - 1) */
    p.db = v16_fma(inside, by_d, v16_sub(v16_mul(a, slope_a), v16_mul(b, slope_b)));
    return p;
}

/* a: logits or means, b: log variances or log scales (NULL: the number `fixed`), x: what is to be explained (NULL: none) */
TG_INLINE point at(int kind, const float *a, const float *b, const float *x, float fixed, int64_t n)
{
    const v16 va = v16_load_n(a, n), vb = b ? v16_load_n(b, n) : v16_all(fixed), vx = x ? v16_load_n(x, n) : v16_zero();
    switch (kind) {
    case TG_LIKELY_BERNOULLI: return bernoulli(va, vx);
    case TG_LIKELY_GAUSSIAN: return gaussian(va, vb, vx);
    case TG_LIKELY_LOGISTIC: return logistic(va, vb, vx);
    case TG_LIKELY_RATIO: return ratio(va, vb, vx);
    default: return divergence(va, vb);
    }
}

TG_INLINE v16 before(v16 v, int64_t n) { return n >= 16 ? v : v16_select(v16_past(n), v16_zero(), v); }

float TG_K(likely)(int kind, const float *a, const float *b, const float *x, float fixed, int64_t n)
{
    v16 sum = v16_zero();
    for (int64_t i = 0; i < n; i += 16)
        sum = v16_add(sum, before(at(kind, a + i, b ? b + i : NULL, x ? x + i : NULL, fixed, n - i).loss, n - i));
    return v16_sum(sum);
}

TG_INLINE void put(float *to, v16 v, v16 by, int64_t n, bool add)
{
    v = v16_mul(v, by);
    v16_store_n(to, add ? v16_add(v16_load_n(to, n), v) : v, n);
}

void TG_K(likely_back)(float *da, float *db, int kind, const float *a, const float *b, const float *x, float fixed, float by,
                       int64_t n,
                       bool add_a, bool add_b)
{
    for (int64_t i = 0; i < n; i += 16) {
        const point p = at(kind, a + i, b ? b + i : NULL, x ? x + i : NULL, fixed, n - i);
        if (da) put(da + i, p.da, v16_all(by), n - i, add_a);
        if (db) put(db + i, p.db, v16_all(by), n - i, add_b);
    }
}

/* tg_rng_normal's, sixteen at once: the same numbers. */
void TG_K(normal)(float *y, int64_t first, int64_t n, const uint32_t key[2], uint64_t step)
{
    for (int64_t i = 0; i < n; i += 16) {
        float u[16], v[16];
        for (int l = 0; l < 16; l += 2) {
            const uint64_t block = (uint64_t)(first + i + l) / 2;
            uint32_t w[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)(step >> 32)};
            philox(w, key);
            for (int k = 0; k < 2; k++) {
                u[l + k] = (float)(((double)w[2 * k] + 0.5) * 0x1p-32);
                v[l + k] = (float)(w[2 * k + 1] >> 8) * 0x1p-24f;
            }
        }
        const v16 size = v16_sqrt(v16_mul(v16_all(-2.0f), v16_log(v16_load(u))));
        v16_store_n(y + i, v16_mul(size, v16_cos(v16_mul(v16_load(v), v16_all(0x1.921fb6p+2f)))), n - i);
    }
}

void TG_K(reparam)(float *z, const float *m, const float *v, const float *noise, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 deviation = v16_exp(v16_mul(v16_all(0.5f), v16_load_n(v + i, n - i)));
        v16_store_n(z + i, v16_fma(deviation, v16_load_n(noise + i, n - i), v16_load_n(m + i, n - i)), n - i);
    }
}

void TG_K(reparam_back)(float *dv, const float *dz, const float *v, const float *noise, int64_t n, bool add)
{
    const v16 half = v16_all(0.5f);
    for (int64_t i = 0; i < n; i += 16) {
        const v16 deviation = v16_exp(v16_mul(half, v16_load_n(v + i, n - i)));
        const v16 pull = v16_mul(half, v16_mul(deviation, v16_load_n(noise + i, n - i)));
        const v16 d = v16_mul(v16_load_n(dz + i, n - i), pull);
        v16_store_n(dv + i, add ? v16_add(v16_load_n(dv + i, n - i), d) : d, n - i);
    }
}
