/* fmath.c - fmath.inc over one float, and the remainder of large arguments by pi/2 that sin and cos need. */
#include "base/fmath.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "floats are computed in wider registers here, which gives other results; on x86 take -msse2 -mfpmath=sse"
#endif

static inline int32_t bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define F float
#define I int32_t
#define M int
#define F_FN static inline __attribute__((always_inline)) /* into functions for other machines, too */
#define F_NAME(name) scalar_##name
#define F_ALL(c) (c)
#define F_ADD(a, b) ((a) + (b))
#define F_SUB(a, b) ((a) - (b))
#define F_MUL(a, b) ((a) * (b))
#define F_DIV(a, b) ((a) / (b))
#define F_FMA(a, b, c) fmaf(a, b, c)
#define F_NEG_FMA(a, b, c) fmaf(-(a), b, c)
#define F_LT(a, b) ((a) < (b))
#define F_LE(a, b) ((a) <= (b))
#define F_EQ(a, b) ((a) == (b))
#define F_SELECT(m, a, b) ((m) ? (a) : (b))
#define F_MIN(a, b) ((a) < (b) ? (a) : (b))
#define F_AS_INT(x) bits_of(x)
#define I_AS_F(x) float_of(x)
#define I_ALL(c) ((int32_t)(c))
#define I_ADD(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))
#define I_SUB(a, b) ((int32_t)((uint32_t)(a) - (uint32_t)(b)))
#define I_AND(a, b) ((a) & (b))
#define I_OR(a, b) ((a) | (b))
#define I_XOR(a, b) ((a) ^ (b))
#define I_SHL(a, n) ((int32_t)((uint32_t)(a) << (n)))
#define I_SHR(a, n) ((a) >> (n))
#define I_EQ(a, b) ((a) == (b))
#include "base/fmath.inc"

/* Sampling takes one of each token of a vocabulary. Where the machine can fuse, that need not be left to calls of libm's fmaf,
 * which give the same bits. */
#if defined(__x86_64__)
__attribute__((target("fma"))) static float fused_exp(float x) { return scalar_exp(x); }
float tg_expf(float x) { return __builtin_cpu_supports("fma") ? fused_exp(x) : scalar_exp(x); }
#else
float tg_expf(float x) { return scalar_exp(x); }
#endif
float tg_logf(float x) { return scalar_log(x); }
float tg_tanhf(float x) { return scalar_tanh(x); }
float tg_sigmoidf(float x) { return scalar_sigmoid(x); }
float tg_erff(float x) { return scalar_erf(x); }

/*
 * sin(a + more pi/2) for any finite a > 2^17 (Payne and Hanek 1983). a = m 2^e with m of 24 bits, and a 2/pi is wanted
 * modulo 4: bit i of 2/pi (of weight 2^-i) matters from i = e - 1 on, and 96 of them leave an error below 2^-70.
 */
static float sin_large(float a, int more)
{
    static const uint64_t two_over_pi[] = {/* 32 zeros, then bits 1 to 224 */
        0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    int32_t bits = bits_of(a);
    uint64_t m = (uint64_t)(bits & 0x7fffff) | 0x800000u;
    int first = 32 + (bits >> 23) - 150 - 2; /* position of bit e - 1 */
    const uint64_t *w = two_over_pi + first / 32;
    int shift = first % 32;
    uint64_t high = w[0] << 32 | w[1], low = w[2] << 32 | w[3];
    if (shift > 0) {
        high = high << shift | low >> (64 - shift);
        low <<= shift;
    }
    uint64_t turns = m * high + (m * (low >> 32) >> 32); /* quarter turns modulo 4, 62 bits behind the point */
    int32_t quadrant = (int32_t)((turns + ((uint64_t)1 << 61)) >> 62);
    int64_t rest = (int64_t)(turns << 2); /* in -1/2..1/2, 64 bits behind the point */
    float r = (float)((double)rest * 0x1.921fb54442d18p-64);
    return scalar_sin_quadrant(r, quadrant + more);
}

float tg_sinf(float x)
{
    if (!(fabsf(x) > F_SIN_FAST)) return scalar_sin_fast(x);
    if (isinf(x)) return x - x;
    float y = sin_large(fabsf(x), 0);
    return x < 0.0f ? -y : y;
}

float tg_cosf(float x)
{
    if (!(fabsf(x) > F_SIN_FAST)) return scalar_cos_fast(x);
    return isinf(x) ? x - x : sin_large(fabsf(x), 1);
}

/* Newton's method, from our own exp and log. */
double tg_root(double a, int64_t n)
{
    double x = (double)tg_expf(tg_logf((float)a) / (float)n);
    for (int i = 0; i < 3; i++) {
        double power = 1;
        for (int64_t k = 1; k < n; k++) power *= x;
        x -= (power * x - a) / ((double)n * power);
    }
    return x;
}
