/*
 * fmath.h - elementary functions that may reach a weight or a sample: polynomials of fused multiply-adds, the same bits
 * on every machine. kernels/simd/math16.h is the same polynomials over sixteen lanes: both come from fmath.inc.
 *
 * Largest error over all 2^32 floats, in units of the last place of the true value:
 *   exp 0.90   log 0.95   tanh 1.74   sigmoid 2.00   sin 1.56   cos 1.56   erf 1.05
 * NaN gives NaN. No result is denormal unless the argument is. Results that ought to be denormal are 0: exp and sigmoid
 * below -87.33654. exp is infinite from 88.72284 on. tanh, erf and sin are exactly odd, cos exactly even.
 */
#ifndef TG_BASE_FMATH_H
#define TG_BASE_FMATH_H
#include <stdint.h>
float tg_expf(float x);
float tg_logf(float x); /* 0: -infinity; negative: NaN; denormals as they are */
float tg_tanhf(float x);
float tg_sigmoidf(float x); /* 1 / (1 + e^-x), as accurate where it is small as where it is near 1 */
float tg_sinf(float x);     /* any finite argument; slower beyond 2^17 */
float tg_cosf(float x);
float tg_erff(float x);
/* The n-th root of a > 0, n > 0: the same double everywhere. */
double tg_root(double a, int64_t n);
#endif
