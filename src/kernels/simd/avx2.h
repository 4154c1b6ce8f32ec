/* avx2.h - v16 is two registers. Tile 6 x 16: 12 sums, 2 columns of B, a broadcast: 15 of 16 registers. */
#ifndef TG_SIMD_AVX2_H
#define TG_SIMD_AVX2_H
#include "kernels/simd/x86.h"

typedef struct { __m256 lo, hi; } v16;
typedef struct { __m256i lo, hi; } v16i;
typedef struct { __m256 lo, hi; } v16m;

static inline __m256i v8_lanes(int64_t n)
{
    const __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n > 8 ? 8 : n < 0 ? 0 : n)), at);
}
static inline v16 v16_all(float x) { return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline v16 v16_zero(void) { return (v16){_mm256_setzero_ps(), _mm256_setzero_ps()}; }
static inline v16 v16_load(const float *p) { return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
static inline void v16_store(float *p, v16 v)
{
    _mm256_storeu_ps(p, v.lo);
    _mm256_storeu_ps(p + 8, v.hi);
}
static inline v16 v16_load_n(const float *p, int64_t n)
{
    if (n >= 16) return v16_load(p);
    return (v16){_mm256_maskload_ps(p, v8_lanes(n)), n > 8 ? _mm256_maskload_ps(p + 8, v8_lanes(n - 8)) : _mm256_setzero_ps()};
}
static inline void v16_store_n(float *p, v16 v, int64_t n)
{
    if (n >= 16) {
        v16_store(p, v);
        return;
    }
    _mm256_maskstore_ps(p, v8_lanes(n), v.lo);
    if (n > 8) _mm256_maskstore_ps(p + 8, v8_lanes(n - 8), v.hi);
}
#define V16_TWO(name, op) \
    static inline v16 name(v16 a, v16 b) { return (v16){op(a.lo, b.lo), op(a.hi, b.hi)}; }
V16_TWO(v16_add, _mm256_add_ps)
V16_TWO(v16_sub, _mm256_sub_ps)
V16_TWO(v16_mul, _mm256_mul_ps)
V16_TWO(v16_div, _mm256_div_ps)
V16_TWO(v16_max, _mm256_max_ps)
V16_TWO(v16_min, _mm256_min_ps)
static inline v16 v16_sqrt(v16 a) { return (v16){_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
static inline v16 v16_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
static inline v16 v16_neg_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}
#define V16_COMPARE(name, how) \
    static inline v16m name(v16 a, v16 b) { return (v16m){_mm256_cmp_ps(a.lo, b.lo, how), _mm256_cmp_ps(a.hi, b.hi, how)}; }
V16_COMPARE(v16_lt, _CMP_LT_OQ)
V16_COMPARE(v16_le, _CMP_LE_OQ)
V16_COMPARE(v16_eq, _CMP_EQ_OQ)
static inline v16 v16_select(v16m m, v16 a, v16 b)
{
    return (v16){_mm256_blendv_ps(b.lo, a.lo, m.lo), _mm256_blendv_ps(b.hi, a.hi, m.hi)};
}
static inline v16i v16_as_int(v16 a) { return (v16i){_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
static inline v16 v16i_as_float(v16i a) { return (v16){_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
static inline v16i v16i_all(int32_t x) { return (v16i){_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
static inline v16i v16i_load(const int32_t *p)
{
    return (v16i){_mm256_loadu_si256((const __m256i *)(const void *)p),
                  _mm256_loadu_si256((const __m256i *)(const void *)(p + 8))};
}
#define V16I_TWO(name, op) \
    static inline v16i name(v16i a, v16i b) { return (v16i){op(a.lo, b.lo), op(a.hi, b.hi)}; }
V16I_TWO(v16i_add, _mm256_add_epi32)
V16I_TWO(v16i_sub, _mm256_sub_epi32)
V16I_TWO(v16i_and, _mm256_and_si256)
V16I_TWO(v16i_or, _mm256_or_si256)
V16I_TWO(v16i_xor, _mm256_xor_si256)
#define v16i_shl(a, n) ((v16i){_mm256_slli_epi32((a).lo, n), _mm256_slli_epi32((a).hi, n)})
#define v16i_shr(a, n) ((v16i){_mm256_srai_epi32((a).lo, n), _mm256_srai_epi32((a).hi, n)})
static inline v16m v16i_eq(v16i a, v16i b)
{
    return (v16m){_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.lo, b.lo)), _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.hi, b.hi))};
}

/* Even numbers of sixteen with step 0x88, odd ones with 0xdd. */
#define V8_EVERY_OTHER(v, step) \
    _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps((v).lo, (v).hi, step)), 0xd8))
static inline void v16_part(v16 *a, v16 *b)
{
    const v16 x = *a;
    *a = (v16){V8_EVERY_OTHER(x, 0x88), V8_EVERY_OTHER(*b, 0x88)};
    *b = (v16){V8_EVERY_OTHER(x, 0xdd), V8_EVERY_OTHER(*b, 0xdd)};
}
static inline v16 v8_zip(__m256 a, __m256 b)
{
    const __m256 lo = _mm256_unpacklo_ps(a, b), hi = _mm256_unpackhi_ps(a, b);
    return (v16){_mm256_permute2f128_ps(lo, hi, 0x20), _mm256_permute2f128_ps(lo, hi, 0x31)};
}
static inline void v16_zip(v16 *a, v16 *b)
{
    const v16 x = *a;
    *a = v8_zip(x.lo, b->lo);
    *b = v8_zip(x.hi, b->hi);
}

/* Eight rows of eight: pairs and fours within 128-bit lanes, then the lanes' halves change places. */
static inline void v8_turn(__m256 r[8])
{
    __m256 u[8];
    for (int g = 0; g < 8; g += 4) {
        const __m256 a = _mm256_unpacklo_ps(r[g], r[g + 1]), b = _mm256_unpackhi_ps(r[g], r[g + 1]);
        const __m256 c = _mm256_unpacklo_ps(r[g + 2], r[g + 3]), d = _mm256_unpackhi_ps(r[g + 2], r[g + 3]);
        u[g] = _mm256_shuffle_ps(a, c, 0x44);
        u[g + 1] = _mm256_shuffle_ps(a, c, 0xee);
        u[g + 2] = _mm256_shuffle_ps(b, d, 0x44);
        u[g + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    for (int k = 0; k < 4; k++) {
        r[k] = _mm256_permute2f128_ps(u[k], u[4 + k], 0x20);
        r[4 + k] = _mm256_permute2f128_ps(u[k], u[4 + k], 0x31);
    }
}
static inline void v16_turn(v16 r[16])
{
    __m256 block[4][8]; /* rows 0-7 and 8-15, low and high columns */
    for (int i = 0; i < 8; i++) {
        block[0][i] = r[i].lo;
        block[1][i] = r[i].hi;
        block[2][i] = r[8 + i].lo;
        block[3][i] = r[8 + i].hi;
    }
    for (int b = 0; b < 4; b++) v8_turn(block[b]);
    for (int i = 0; i < 8; i++) {
        r[i] = (v16){block[0][i], block[2][i]};
        r[8 + i] = (v16){block[1][i], block[3][i]};
    }
}

#define TG_HAVE_FOLDS 1
static inline float v16_sum(v16 v) { return v8_sum(_mm256_add_ps(v.lo, v.hi)); }
static inline float v16_largest(v16 v) { return v8_largest(_mm256_max_ps(v.hi, v.lo)); }

typedef __m256 vt;
#define TG_W 8
#define TG_MR 6
#define TG_NV 2
static inline vt vt_zero(void) { return _mm256_setzero_ps(); }
static inline vt vt_all(float x) { return _mm256_set1_ps(x); }
static inline vt vt_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vt_store(float *p, vt v) { _mm256_storeu_ps(p, v); }
static inline vt vt_load_n(const float *p, int64_t n) { return n >= 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, v8_lanes(n)); }
static inline void vt_store_n(float *p, vt v, int64_t n)
{
    if (n >= 8) _mm256_storeu_ps(p, v);
    else _mm256_maskstore_ps(p, v8_lanes(n), v);
}
static inline vt vt_add(vt a, vt b) { return _mm256_add_ps(a, b); }
static inline vt vt_fma(vt a, vt b, vt c) { return _mm256_fmadd_ps(a, b, c); }
#endif
