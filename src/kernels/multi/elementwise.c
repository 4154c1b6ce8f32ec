/* elementwise.c - maps and sums over n elements. Tails use masked loads: lanes past the end are 0 and are not stored. */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

#define MAP(NAME, EXPR)                                        \
    void TG_K(NAME)(float *y, const float *x, int64_t n)       \
    {                                                          \
        for (int64_t i = 0; i < n; i += 16) {                  \
            const v16 v = v16_load_n(x + i, n - i);            \
            v16_store_n(y + i, EXPR, n - i);                   \
        }                                                      \
    }
MAP(map_exp, v16_exp(v))
MAP(map_tanh, v16_tanh(v))
MAP(map_sigmoid, v16_sigmoid(v))
MAP(map_log, v16_log(v))
MAP(map_sin, v16_sin(v))
MAP(map_cos, v16_cos(v))
MAP(map_erf, v16_erf(v))

void TG_K(add)(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16)
        v16_store_n(y + i, v16_add(v16_load_n(a + i, n - i), v16_load_n(b + i, n - i)), n - i);
}

/* y + v or v: how every gradient is written */
TG_INLINE void put(float *y, v16 v, int64_t left, bool add)
{
    v16_store_n(y, add ? v16_add(v16_load_n(y, left), v) : v, left);
}

void TG_K(accumulate)(float *y, const float *x, int64_t n, bool add)
{
    for (int64_t i = 0; i < n; i += 16) put(y + i, v16_load_n(x + i, n - i), n - i, add);
}

void TG_K(scale)(float *y, const float *x, float s, int64_t n, bool add)
{
    const v16 by = v16_all(s);
    for (int64_t i = 0; i < n; i += 16) put(y + i, v16_mul(v16_load_n(x + i, n - i), by), n - i, add);
}

void TG_K(act_back)(float *dx, const float *dy, const float *y, int64_t n, int act, bool add)
{
    const v16 one = v16_all(1.0f);
    for (int64_t i = 0; i < n; i += 16) {
        const v16 d = v16_load_n(dy + i, n - i), v = v16_load_n(y + i, n - i);
        v16 r = d;
        if (act == TG_ACT_TANH) r = v16_mul(v16_neg_fma(v, v, one), d);
        if (act == TG_ACT_SIGMOID) r = v16_mul(v16_mul(v, v16_sub(one, v)), d);
        if (act == TG_ACT_RELU) r = v16_select(v16_lt(v16_zero(), v), d, v16_zero());
        put(dx + i, r, n - i, add);
    }
}

float TG_K(sum)(const float *x, int64_t n)
{
    v16 s = v16_zero();
    for (int64_t i = 0; i < n; i += 16) s = v16_add(s, v16_load_n(x + i, n - i));
    return v16_sum(s);
}

float TG_K(sum_squares)(const float *x, int64_t n)
{
    v16 s = v16_zero();
    for (int64_t i = 0; i < n; i += 16) {
        const v16 v = v16_load_n(x + i, n - i);
        s = v16_fma(v, v, s);
    }
    return v16_sum(s);
}

/* Philox4x32-10 (Salmon et al. 2011), as base/rng.c, here in the loop that uses it. */
static void philox(uint32_t c[4], const uint32_t key[2])
{
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

void TG_K(dropout)(float *y, const float *x, int64_t first, int64_t n, const uint32_t key[2], uint64_t step,
                   uint32_t threshold, float scale, bool add)
{
    for (int64_t i = 0; i < n;) {
        const uint64_t at = (uint64_t)(first + i), block = at / 4;
        uint32_t word[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)(step >> 32)};
        philox(word, key);
        for (uint64_t w = at % 4; w < 4 && i < n; w++, i++) {
            const float v = word[w] >= threshold ? x[i] * scale : 0.0f;
            y[i] = add ? y[i] + v : v;
        }
    }
}
