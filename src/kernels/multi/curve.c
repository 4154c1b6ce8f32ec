/* curve.c - activations from their input, element by element, and pools of images. */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

TG_INLINE v16 curve(v16 x, int act, v16 slope)
{
    switch (act) {
    case TG_ACT_TANH: return v16_tanh(x);
    case TG_ACT_SIGMOID: return v16_sigmoid(x);
    case TG_ACT_RELU: return v16_relu(x);
    case TG_ACT_LEAKY: return v16_select(v16_lt(x, v16_zero()), v16_mul(x, slope), x);
    case TG_ACT_SILU: return v16_mul(x, v16_sigmoid(x));
    case TG_ACT_SOFTPLUS: return v16_softplus(x);
    default: return x;
    }
}

TG_INLINE v16 slope_of(v16 x, int act, v16 slope)
{
    const v16 one = v16_all(1.0f);
    v16 s;
    switch (act) {
    case TG_ACT_TANH: s = v16_tanh(x); return v16_neg_fma(s, s, one);
    case TG_ACT_SIGMOID: s = v16_sigmoid(x); return v16_mul(s, v16_sub(one, s));
    case TG_ACT_RELU: return v16_select(v16_lt(v16_zero(), x), one, v16_zero());
    case TG_ACT_LEAKY: return v16_select(v16_lt(v16_zero(), x), one, slope);
    case TG_ACT_SILU: s = v16_sigmoid(x); return v16_fma(v16_mul(x, s), v16_sub(one, s), s);
    case TG_ACT_SOFTPLUS: return v16_sigmoid(x);
    default: return one;
    }
}

void TG_K(curve)(float *y, const float *x, int64_t n, int act, float slope)
{
    for (int64_t i = 0; i < n; i += 16) v16_store_n(y + i, curve(v16_load_n(x + i, n - i), act, v16_all(slope)), n - i);
}

void TG_K(curve_back)(float *dx, const float *dy, const float *x, int64_t n, int act, float slope, bool add)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 v = v16_mul(v16_load_n(dy + i, n - i), slope_of(v16_load_n(x + i, n - i), act, v16_all(slope)));
        v16_store_n(dx + i, add ? v16_add(v16_load_n(dx + i, n - i), v) : v, n - i);
    }
}

/* f'' */
TG_INLINE v16 bend_of(v16 x, int act)
{
    const v16 one = v16_all(1.0f), two = v16_all(2.0f);
    if (act == TG_ACT_TANH) {
        const v16 t = v16_tanh(x);
        return v16_mul(v16_mul(v16_all(-2.0f), t), v16_neg_fma(t, t, one));
    }
    if (act != TG_ACT_SIGMOID && act != TG_ACT_SILU && act != TG_ACT_SOFTPLUS) return v16_zero();
    const v16 s = v16_sigmoid(x), up = v16_mul(s, v16_sub(one, s)), turn = v16_neg_fma(two, s, one);
    if (act == TG_ACT_SIGMOID) return v16_mul(up, turn);
    return act == TG_ACT_SILU ? v16_mul(up, v16_fma(x, turn, two)) : up;
}

void TG_K(curve_bend)(float *dx, const float *dy, const float *d, const float *x, int64_t n, int act, bool add)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 v = v16_mul(v16_mul(v16_load_n(dy + i, n - i), v16_load_n(d + i, n - i)), bend_of(v16_load_n(x + i, n - i),
                                                                                                    act));
        v16_store_n(dx + i, add ? v16_add(v16_load_n(dx + i, n - i), v) : v, n - i);
    }
}

void TG_K(multiply)(float *y, const float *a, const float *b, int64_t n, bool add)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 v = v16_mul(v16_load_n(a + i, n - i), v16_load_n(b + i, n - i));
        v16_store_n(y + i, add ? v16_add(v16_load_n(y + i, n - i), v) : v, n - i);
    }
}

void TG_K(pool)(float *y, const float *x, int64_t Y, int64_t X, int64_t high, int64_t wide, float scale, tg_span planes, bool add)
{
    const int64_t rows = Y / high, columns = X / wide;
    for (int64_t n = planes.begin; n < planes.end; n++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++) {
                const float *from = x + (n * Y + r * high) * X + c * wide;
                float *to = y + (n * rows + r) * columns + c, sum = 0;
                for (int64_t i = 0; i < high; i++)
                    for (int64_t j = 0; j < wide; j++) sum += from[i * X + j];
                *to = add ? *to + sum * scale : sum * scale;
            }
}

void TG_K(spread)(float *y, const float *x, int64_t Y, int64_t X, int64_t high, int64_t wide, float scale, tg_span planes,
                  bool add)
{
    for (int64_t n = planes.begin; n < planes.end; n++)
        for (int64_t r = 0; r < Y; r++)
            for (int64_t c = 0; c < X; c++) {
                const float v = x[(n * (Y / high) + r / high) * (X / wide) + c / wide] * scale;
                float *to = y + (n * Y + r) * X + c;
                *to = add ? *to + v : v;
            }
}

void TG_K(pool_most)(float *y, int32_t *at, const float *x, int64_t Y, int64_t X, int64_t high, int64_t wide, tg_span planes)
{
    const int64_t rows = Y / high, columns = X / wide;
    for (int64_t n = planes.begin; n < planes.end; n++)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++) {
                const float *from = x + (n * Y + r * high) * X + c * wide;
                int64_t best = 0;
                for (int64_t i = 0; i < high; i++)
                    for (int64_t j = 0; j < wide; j++)
                        if (from[i * X + j] > from[best]) best = i * X + j;
                y[(n * rows + r) * columns + c] = from[best];
                at[(n * rows + r) * columns + c] = (int32_t)best;
            }
}

void TG_K(spread_most)(float *dx, const float *dy, const int32_t *at, int64_t Y, int64_t X, int64_t high, int64_t wide,
                       tg_span planes,
                       bool add)
{
    for (int64_t n = planes.begin; n < planes.end; n++)
        for (int64_t r = 0; r < Y; r++)
            for (int64_t c = 0; c < X; c++) {
                const int64_t from = (n * (Y / high) + r / high) * (X / wide) + c / wide;
                const float v = at[from] == r % high * X + c % wide ? dy[from] : 0.0f;
                float *to = dx + (n * Y + r) * X + c;
                *to = add ? *to + v : v;
            }
}
