/*
 * v16.h - sixteen float lanes over each instruction set, and the size of its GEMM tile.
 *
 * TG_SIMD names the set; its header defines v16, v16i (int32 lanes), v16m (mask) and the operations below, all with the
 * same bits everywhere: IEEE add, mul, div, sqrt, fused multiply-add, compare-and-select.
 *   v16   all zero add sub mul div fma(a,b,c)=a*b+c neg_fma(a,b,c)=c-a*b sqrt lt le eq (false for NaN) select(m,a,b)
 *         max min: a > b ? a : b, a < b ? a : b (so the second operand on NaN or equal zeros)
 *         load store load_n store_n (n may be <= 0 or >= 16; lanes past n read as 0, are not written) as_int
 *         turn(r): transposes r[16] in place
 *         part(&a, &b): of the 32 numbers a, b the even ones to a, the odd ones to b; zip(&a, &b): the way back
 *         pick(a, b, at): number at[l] of the 32 in a, b; 0 where at[l] is negative. Only where TG_HAVE_PICK: one instruction
 *   v16i  all add sub and or xor shl shr (arithmetic) eq load as_float
 *   TG_MR, TG_NV: the register tile is TG_MR rows by TG_NV vectors of TG_W lanes, vectors typed vt with operations vt_*.
 */
#ifndef TG_SIMD_V16_H
#define TG_SIMD_V16_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined TG_SIMD_avx512
#include "kernels/simd/avx512.h"
#elif defined TG_SIMD_avx2
#include "kernels/simd/avx2.h"
#elif defined TG_SIMD_neon
#include "kernels/simd/neon.h"
#else
#include "kernels/simd/scalar.h"
#endif


#define TG_NAME_(x) #x
#define TG_NAME(x) TG_NAME_(x)

#define TG_NR (TG_NV * TG_W)

#if defined TG_SIMD_scalar
#define TG_UNROLL
#define TG_TWICE
#elif defined __clang__
#define TG_UNROLL _Pragma("clang loop unroll(full)")
#define TG_TWICE _Pragma("clang loop unroll_count(2)")
#else
#define TG_UNROLL _Pragma("GCC unroll 32")
#define TG_TWICE _Pragma("GCC unroll 2")
#endif
#if defined TG_SIMD_scalar /* sixteen lanes in memory: forcing everything into one function makes compilers crawl */
#define TG_INLINE static inline
#else
#define TG_INLINE static inline __attribute__((always_inline))
#endif

/* Lanes l >= n: those past the end of a row. */
TG_INLINE v16m v16_past(int64_t n)
{
    static const float at[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return v16_le(v16_all((float)(n < 16 ? n : 16)), v16_load(at));
}

/* The one tree of every reduction: lane l with l+8, then l+4, l+2, l+1. For the largest, the later lane wins where it compares
 * larger: so a NaN in a later lane loses, one in the earlier stays. */
#ifndef TG_HAVE_FOLDS
TG_INLINE float v16_sum(v16 v)
{
    float x[16];
    v16_store(x, v);
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++) x[l] += x[l + half];
    return x[0];
}

TG_INLINE float v16_largest(v16 v)
{
    float x[16];
    v16_store(x, v);
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++) x[l] = x[l + half] > x[l] ? x[l + half] : x[l];
    return x[0];
}
#endif

/* 0 where |x| < 2^-95 = 2.5e-29, none of the exponent's upper three bits being set: what has decayed so far would soon be
 * denormal, and an instruction that meets one such lane takes a hundred times as long. NaN goes through. */
TG_INLINE v16 v16_flush(v16 x)
{
    return v16_select(v16i_eq(v16i_and(v16_as_int(x), v16i_all(0x70000000)), v16i_all(0)), v16_zero(), x);
}

/* NaN goes through. */
TG_INLINE v16 v16_relu(v16 x) { return v16_select(v16_lt(x, v16_zero()), v16_zero(), x); }

#endif
