/* avx512.h - v16 is one register. Tile 14 x 32: 28 sums, 2 columns of B, one broadcast: 31 of 32 registers. */
#ifndef TG_SIMD_AVX512_H
#define TG_SIMD_AVX512_H
#include "kernels/simd/x86.h"

typedef __m512 v16;
typedef __m512i v16i;
typedef __mmask16 v16m;

static inline v16m v16_lanes(int64_t n)
{
    return n >= 16 ? (v16m)0xffff : n <= 0 ? (v16m)0 : (v16m)((1u << n) - 1u);
}
static inline v16 v16_all(float x) { return _mm512_set1_ps(x); }
static inline v16 v16_zero(void) { return _mm512_setzero_ps(); }
static inline v16 v16_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v16_store(float *p, v16 v) { _mm512_storeu_ps(p, v); }
static inline v16 v16_load_n(const float *p, int64_t n)
{
    return n >= 16 ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(v16_lanes(n), p);
}
static inline void v16_store_n(float *p, v16 v, int64_t n)
{
    if (n >= 16) _mm512_storeu_ps(p, v);
    else _mm512_mask_storeu_ps(p, v16_lanes(n), v);
}
static inline v16 v16_add(v16 a, v16 b) { return _mm512_add_ps(a, b); }
static inline v16 v16_sub(v16 a, v16 b) { return _mm512_sub_ps(a, b); }
static inline v16 v16_mul(v16 a, v16 b) { return _mm512_mul_ps(a, b); }
static inline v16 v16_div(v16 a, v16 b) { return _mm512_div_ps(a, b); }
static inline v16 v16_sqrt(v16 a) { return _mm512_sqrt_ps(a); }
static inline v16 v16_fma(v16 a, v16 b, v16 c) { return _mm512_fmadd_ps(a, b, c); }
static inline v16 v16_neg_fma(v16 a, v16 b, v16 c) { return _mm512_fnmadd_ps(a, b, c); }
static inline v16m v16_lt(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline v16m v16_le(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline v16m v16_eq(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline v16 v16_select(v16m m, v16 a, v16 b) { return _mm512_mask_blend_ps(m, b, a); }
static inline v16 v16_max(v16 a, v16 b) { return _mm512_max_ps(a, b); }
static inline v16 v16_min(v16 a, v16 b) { return _mm512_min_ps(a, b); }
static inline v16i v16_as_int(v16 a) { return _mm512_castps_si512(a); }
static inline v16 v16i_as_float(v16i a) { return _mm512_castsi512_ps(a); }
static inline v16i v16i_all(int32_t x) { return _mm512_set1_epi32(x); }
static inline v16i v16i_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline v16i v16i_add(v16i a, v16i b) { return _mm512_add_epi32(a, b); }
static inline v16i v16i_sub(v16i a, v16i b) { return _mm512_sub_epi32(a, b); }
static inline v16i v16i_and(v16i a, v16i b) { return _mm512_and_si512(a, b); }
static inline v16i v16i_or(v16i a, v16i b) { return _mm512_or_si512(a, b); }
static inline v16i v16i_xor(v16i a, v16i b) { return _mm512_xor_si512(a, b); }
#define v16i_shl(a, n) _mm512_slli_epi32(a, n)
#define v16i_shr(a, n) _mm512_srai_epi32(a, n)
static inline v16m v16i_eq(v16i a, v16i b) { return _mm512_cmpeq_epi32_mask(a, b); }

static inline void v16_part(v16 *a, v16 *b)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const v16 x = *a;
    *a = _mm512_permutex2var_ps(x, even, *b);
    *b = _mm512_permutex2var_ps(x, _mm512_or_si512(even, _mm512_set1_epi32(1)), *b);
}
static inline void v16_zip(v16 *a, v16 *b)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const v16 x = *a;
    *a = _mm512_permutex2var_ps(x, low, *b);
    *b = _mm512_permutex2var_ps(x, _mm512_or_si512(low, _mm512_set1_epi32(8)), *b);
}

#define TG_HAVE_PICK 1
static inline v16 v16_pick(v16 a, v16 b, v16i at)
{
    return _mm512_maskz_permutex2var_ps(_knot_mask16(_mm512_movepi32_mask(at)), a, at, b);
}

/* Pairs, then fours of rows are interleaved within 128-bit lanes; then lanes are gathered. 64 shuffles for 256 numbers. */
static inline __attribute__((always_inline)) void v16_turn(v16 r[16])
{
    __m512 u[16];
#pragma GCC unroll 4
    for (int g = 0; g < 16; g += 4) {
        const __m512 a = _mm512_unpacklo_ps(r[g], r[g + 1]), b = _mm512_unpackhi_ps(r[g], r[g + 1]);
        const __m512 c = _mm512_unpacklo_ps(r[g + 2], r[g + 3]), d = _mm512_unpackhi_ps(r[g + 2], r[g + 3]);
        u[g] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(c)));
        u[g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(c)));
        u[g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(b), _mm512_castps_pd(d)));
        u[g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(b), _mm512_castps_pd(d)));
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        const __m512 p = _mm512_shuffle_f32x4(u[k], u[4 + k], 0x88), q = _mm512_shuffle_f32x4(u[k], u[4 + k], 0xdd);
        const __m512 s = _mm512_shuffle_f32x4(u[8 + k], u[12 + k], 0x88), t = _mm512_shuffle_f32x4(u[8 + k], u[12 + k], 0xdd);
        r[k] = _mm512_shuffle_f32x4(p, s, 0x88);
        r[4 + k] = _mm512_shuffle_f32x4(q, t, 0x88);
        r[8 + k] = _mm512_shuffle_f32x4(p, s, 0xdd);
        r[12 + k] = _mm512_shuffle_f32x4(q, t, 0xdd);
    }
}

#define TG_HAVE_FOLDS 1
static inline float v16_sum(v16 v) { return v8_sum(_mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1))); }
static inline float v16_largest(v16 v)
{
    return v8_largest(_mm256_max_ps(_mm512_extractf32x8_ps(v, 1), _mm512_castps512_ps256(v)));
}

typedef __m512 vt;
#define TG_W 16
#define TG_MR 14
#define TG_NV 2
static inline vt vt_zero(void) { return _mm512_setzero_ps(); }
static inline vt vt_all(float x) { return _mm512_set1_ps(x); }
static inline vt vt_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vt_store(float *p, vt v) { _mm512_storeu_ps(p, v); }
static inline vt vt_load_n(const float *p, int64_t n) { return v16_load_n(p, n); }
static inline void vt_store_n(float *p, vt v, int64_t n) { v16_store_n(p, v, n); }
static inline vt vt_add(vt a, vt b) { return _mm512_add_ps(a, b); }
static inline vt vt_fma(vt a, vt b, vt c) { return _mm512_fmadd_ps(a, b, c); }
#endif
