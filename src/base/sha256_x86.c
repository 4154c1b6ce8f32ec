/* sha256_x86.c - SHA-256's blocks by the x86 instructions made for it, five times as fast as words one by one; beside fmath.c's
 * exp the one place of base with instructions of a machine. Its lanes hold the state as ABEF and CDGH (Intel, "SHA Extensions",
 * 2013). */
#include "base/hash.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

enum { SHA = 1 << 29 /* leaf 7, EBX */, SSE41 = 1 << 19 /* leaf 1, ECX; with it SSSE3 */ };

bool tg_sha256_x86(void)
{
    unsigned a, b, c, d, features;
    return __get_cpuid(1, &a, &b, &features, &d) && (features & SSE41) && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & SHA);
}

__attribute__((target("sha,sse4.1"))) void tg_sha256_x86_blocks(uint32_t h[8], const uint8_t *at, int64_t blocks,
                                                                const uint32_t constants[64])
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203); /* words are big-endian */
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)h), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(h + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; blocks > 0; blocks--, at += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4]; /* the last sixteen words of the schedule */
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            __m128i *x = &w[i % 4];
            if (i < 4) {
                *x = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i)), swap);
            } else {
                const __m128i seven_ago = _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4);
                *x = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*x, w[(i + 1) % 4]), seven_ago), w[(i + 3) % 4]);
            }
            const __m128i sum = _mm_add_epi32(*x, _mm_loadu_si128((const __m128i *)(const void *)(constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool tg_sha256_x86(void)
{
    return false;
}

void tg_sha256_x86_blocks(uint32_t h[8], const uint8_t *at, int64_t blocks, const uint32_t constants[64])
{
    (void)h, (void)at, (void)blocks, (void)constants;
}

#endif
