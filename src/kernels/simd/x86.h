/* x86.h - the last steps of v16_sum and v16_largest over eight lanes: l with l+4, l+2, l+1, as v16.h says it. */
#ifndef TG_SIMD_X86_H
#define TG_SIMD_X86_H
#include <immintrin.h>

static inline float v8_sum(__m256 v)
{
    const __m128 q = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 p = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(p, _mm_movehdup_ps(p)));
}

/* max(a, b) is a > b ? a : b: the later lane wins only where it is larger. */
static inline float v8_largest(__m256 v)
{
    const __m128 q = _mm_max_ps(_mm256_extractf128_ps(v, 1), _mm256_castps256_ps128(v));
    const __m128 p = _mm_max_ps(_mm_movehl_ps(q, q), q);
    return _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(p), p));
}
#endif
