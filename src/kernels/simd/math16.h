/* math16.h - v16_exp, v16_log, v16_tanh, v16_sigmoid, v16_sin, v16_cos, v16_erf: base/fmath.inc over sixteen lanes, the
 * same bits as tg_expf and its sisters (any NaN for NaN). Ranges and errors are stated there. */
#ifndef TG_SIMD_MATH16_H
#define TG_SIMD_MATH16_H
#include "base/fmath.h"
#include "kernels/simd/v16.h"

#include <string.h>

#define F v16
#define I v16i
#define M v16m
#define F_FN TG_INLINE
#define F_NAME(name) v16_##name
#define F_ALL(c) v16_all(c)
#define F_ADD(a, b) v16_add(a, b)
#define F_SUB(a, b) v16_sub(a, b)
#define F_MUL(a, b) v16_mul(a, b)
#define F_DIV(a, b) v16_div(a, b)
#define F_FMA(a, b, c) v16_fma(a, b, c)
#define F_NEG_FMA(a, b, c) v16_neg_fma(a, b, c)
#define F_LT(a, b) v16_lt(a, b)
#define F_LE(a, b) v16_le(a, b)
#define F_EQ(a, b) v16_eq(a, b)
#define F_SELECT(m, a, b) v16_select(m, a, b)
#define F_MIN(a, b) v16_min(a, b)
#define F_AS_INT(x) v16_as_int(x)
#define I_AS_F(x) v16i_as_float(x)
#define I_ALL(c) v16i_all(c)
#define I_ADD(a, b) v16i_add(a, b)
#define I_SUB(a, b) v16i_sub(a, b)
#define I_AND(a, b) v16i_and(a, b)
#define I_OR(a, b) v16i_or(a, b)
#define I_XOR(a, b) v16i_xor(a, b)
#define I_SHL(a, n) v16i_shl(a, n)
#define I_SHR(a, n) v16i_shr(a, n)
#define I_EQ(a, b) v16i_eq(a, b)
#include "base/fmath.inc"

/* Lanes beyond 2^17 are rare: they take the scalar function. y holds the others. */
static inline v16 v16_sin_large(v16 x, v16 y, float (*scalar)(float))
{
    float in[16], out[16];
    int32_t room[16], all = 0;
    v16i size = v16i_and(v16_as_int(x), v16i_all(0x7fffffff));
    v16_store(in, v16i_as_float(v16i_sub(v16i_all(F_SIN_FAST_BITS), size)));
    memcpy(room, in, sizeof room);
    for (int l = 0; l < 16; l++) all |= room[l];
    if (all >= 0) return y;
    v16_store(in, x);
    v16_store(out, y);
    for (int l = 0; l < 16; l++)
        if (room[l] < 0) out[l] = scalar(in[l]);
    return v16_load(out);
}

static inline v16 v16_sin(v16 x) { return v16_sin_large(x, v16_sin_fast(x), tg_sinf); }
static inline v16 v16_cos(v16 x) { return v16_sin_large(x, v16_cos_fast(x), tg_cosf); }

/* log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|. What 1 + e loses of e is made up for in first order. */
static inline v16 v16_softplus(v16 x)
{
    const v16 one = v16_all(1.0f), size = v16_select(v16_lt(x, v16_zero()), v16_sub(v16_zero(), x), x);
    const v16 e = v16_exp(v16_sub(v16_zero(), size)), u = v16_add(one, e), lost = v16_sub(e, v16_sub(u, one));
    return v16_add(v16_max(x, v16_zero()), v16_add(v16_log(u), v16_div(lost, u)));
}

#undef F
#undef I
#undef M
#endif
