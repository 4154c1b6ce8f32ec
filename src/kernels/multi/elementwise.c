/* elementwise.c - maps and sums over n elements. Tails use masked loads: lanes past the end are 0 and are not stored. */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/philox.h"
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

void TG_K(affine)(float *y, const float *x, float s, float c, int64_t n, bool add)
{
    const v16 by = v16_all(s), on = v16_all(c);
    for (int64_t i = 0; i < n; i += 16) put(y + i, x ? v16_fma(v16_load_n(x + i, n - i), by, on) : on, n - i, add);
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

/* gelu in the tanh form of GPT-2: x·(1 + tanh(u))/2, u = sqrt(2/pi)·(x + 0.044715·x³). Hendrycks & Gimpel 2016, section 2 */
#define GELU_SCALE 0x1.988454p-1f
#define GELU_CUBE 0x1.6e4e26p-5f

TG_INLINE v16 gelu_tanh(v16 x)
{
    const v16 cube = v16_mul(v16_mul(x, x), v16_all(GELU_CUBE));
    return v16_tanh(v16_mul(v16_fma(cube, x, x), v16_all(GELU_SCALE)));
}

TG_INLINE v16 gelu(v16 x)
{
    const v16 half = v16_mul(x, v16_all(0.5f));
    return v16_fma(half, gelu_tanh(x), half);
}

/* (1 + tanh u)/2 + x/2·(1 - tanh² u)·u' */
TG_INLINE v16 gelu_slope(v16 x)
{
    const v16 one = v16_all(1.0f), half = v16_all(0.5f), t = gelu_tanh(x);
    const v16 bend = v16_fma(v16_mul(x, x), v16_all(3.0f * GELU_CUBE * GELU_SCALE), v16_all(GELU_SCALE));
    return v16_fma(v16_mul(v16_mul(half, x), v16_neg_fma(t, t, one)), bend, v16_fma(half, t, half));
}

void TG_K(activate)(float *y, const float *x, int64_t F, int act, tg_span rows)
{
    const int64_t n = (rows.end - rows.begin) * F;
    if (act != TG_ACT_SWIGLU) { /* rows without gaps are one */
        x += rows.begin * F;
        y += rows.begin * F;
        for (int64_t i = 0; i < n; i += 16) {
            const v16 v = v16_load_n(x + i, n - i);
            const v16 up = act == TG_ACT_GELU ? gelu(v) : v16_mul(v16_relu(v), v16_relu(v));
            v16_store_n(y + i, up, n - i);
        }
        return;
    }
    for (int64_t r = rows.begin; r < rows.end; r++)
        for (int64_t i = 0; i < F; i += 16) {
            const v16 a = v16_load_n(x + 2 * r * F + i, F - i), b = v16_load_n(x + (2 * r + 1) * F + i, F - i);
            v16_store_n(y + r * F + i, v16_mul(v16_mul(a, v16_sigmoid(a)), b), F - i);
        }
}

void TG_K(activate_back)(float *dx, const float *dy, const float *x, int64_t F, int act, tg_span rows, bool add)
{
    const int64_t n = (rows.end - rows.begin) * F, at = rows.begin * F;
    for (int64_t i = 0; act != TG_ACT_SWIGLU && i < n; i += 16) {
        const v16 v = v16_load_n(x + at + i, n - i), d = v16_load_n(dy + at + i, n - i);
        const v16 slope = act == TG_ACT_GELU ? gelu_slope(v) : v16_add(v16_relu(v), v16_relu(v));
        put(dx + at + i, v16_mul(d, slope), n - i, add);
    }
    for (int64_t r = rows.begin; act == TG_ACT_SWIGLU && r < rows.end; r++)
        for (int64_t i = 0; i < F; i += 16) {
            const int64_t left = F - i, first = 2 * r * F + i, second = first + F;
            const v16 a = v16_load_n(x + first, left), b = v16_load_n(x + second, left), d = v16_load_n(dy + r * F + i, left);
            const v16 s = v16_sigmoid(a), silu = v16_mul(a, s);
            put(dx + first, v16_mul(v16_mul(d, b), v16_fma(silu, v16_sub(v16_all(1.0f), s), s)), left, add);
            put(dx + second, v16_mul(d, silu), left, add);
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
