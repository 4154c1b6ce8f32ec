/* rng.c - Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") and what is
 * drawn from it. Integers, exact conversions and fmath.h only: the same numbers on every machine. */
#include "base/rng.h"
#include "base/fmath.h"

#include <math.h>

void tg_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t x = UINT64_C(0xd2511f53) * a, y = UINT64_C(0xcd9e8d57) * c;
        a = (uint32_t)(y >> 32) ^ b ^ k0;
        b = (uint32_t)y;
        c = (uint32_t)(x >> 32) ^ d ^ k1;
        d = (uint32_t)x;
        k0 += 0x9e3779b9u; /* the golden ratio and sqrt(3) - 1, times 2^32 */
        k1 += 0xbb67ae85u;
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

/* SplitMix64's finaliser, a bijection whose every output bit depends on every input bit. */
static uint64_t stir(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

tg_rng tg_rng_at(uint64_t seed, tg_purpose purpose, uint64_t step)
{
    uint64_t key = seed ^ stir((uint64_t)purpose);
    return (tg_rng){.key = {(uint32_t)key, (uint32_t)(key >> 32)}, .step = step};
}

uint32_t tg_rng_u32(tg_rng *r)
{
    if (r->index % 4 == 0) {
        uint64_t block = r->index / 4;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)r->step,
                                     (uint32_t)(r->step >> 32)};
        tg_philox(r->block, counter, r->key);
    }
    return r->block[r->index++ % 4];
}

uint64_t tg_rng_u64(tg_rng *r)
{
    uint64_t low = tg_rng_u32(r);
    return low | (uint64_t)tg_rng_u32(r) << 32;
}

float tg_rng_unit(tg_rng *r)
{
    return (float)(tg_rng_u32(r) >> 8) * 0x1p-24f;
}

int64_t tg_rng_below(tg_rng *r, int64_t n)
{
    if (n <= 1) return 0;
    uint64_t size = (uint64_t)n, excess = (0 - size) % size; /* 2^64 mod n: so many of the draws are one too many */
    uint64_t x = tg_rng_u64(r);
    while (x < excess) x = tg_rng_u64(r);
    return (int64_t)(x % size);
}

float tg_rng_normal(tg_rng *r)
{
    float u = (float)(((double)tg_rng_u32(r) + 0.5) * 0x1p-32), v = tg_rng_unit(r);
    return sqrtf(-2.0f * tg_logf(u)) * tg_cosf(6.2831853f * v);
}

enum { ROUNDS = 8, LANES = 8 };

/* Round i changes one half by a keyed function of the other, so it can be undone whatever that function is: the first word
 * of tg_philox, for LANES values side by side, as one alone waits for each of its multiplications. The high bit of the second
 * counter word keeps these blocks apart from those of tg_rng_u32. */
static void feistel(uint64_t x[LANES], int bits, const uint32_t key[2], uint64_t step, bool undo)
{
    const int low_bits = bits / 2;
    const uint32_t low_mask = (UINT32_C(1) << low_bits) - 1, high_mask = (UINT32_C(1) << (bits - low_bits)) - 1;
    uint32_t low[LANES], high[LANES], a[LANES], b[LANES], c[LANES], d[LANES];
    for (int k = 0; k < LANES; k++) low[k] = (uint32_t)x[k] & low_mask;
    for (int k = 0; k < LANES; k++) high[k] = (uint32_t)(x[k] >> low_bits);
    for (uint32_t n = 0; n < ROUNDS; n++) {
        const uint32_t i = undo ? ROUNDS - 1 - n : n, mask = i % 2 ? low_mask : high_mask;
        uint32_t *from = i % 2 ? high : low, *to = i % 2 ? low : high, k0 = key[0], k1 = key[1];
        for (int k = 0; k < LANES; k++) a[k] = from[k];
        for (int k = 0; k < LANES; k++) b[k] = UINT32_C(1) << 31 | i;
        for (int k = 0; k < LANES; k++) c[k] = (uint32_t)step;
        for (int k = 0; k < LANES; k++) d[k] = (uint32_t)(step >> 32);
        for (int round = 0; round < 10; round++, k0 += 0x9e3779b9u, k1 += 0xbb67ae85u)
            for (int k = 0; k < LANES; k++) {
                const uint64_t y = UINT64_C(0xd2511f53) * a[k], z = UINT64_C(0xcd9e8d57) * c[k];
                a[k] = (uint32_t)(z >> 32) ^ b[k] ^ k0;
                b[k] = (uint32_t)z;
                c[k] = (uint32_t)(y >> 32) ^ d[k] ^ k1;
                d[k] = (uint32_t)y;
            }
        for (int k = 0; k < LANES; k++) to[k] ^= a[k] & mask;
    }
    for (int k = 0; k < LANES; k++) x[k] = (uint64_t)high[k] << low_bits | low[k];
}

/* A permutation of 0 .. 2^bits - 1 < 2n, walked along until it is below n: at most two rounds on average. A lane whose walk
 * is over takes the next element. */
static void walk(const tg_rng *r, uint64_t step, int64_t n, int64_t at, int64_t count, bool undo, int64_t *out)
{
    uint64_t x[LANES] = {0};
    int64_t whose[LANES], next = 0, done = 0;
    int bits = 1;
    while (bits < 62 && INT64_C(1) << bits < n) bits++;
    for (int64_t i = 0; i < count && n <= 1; i++) out[i] = 0;
    if (n <= 1) return;
    for (int k = 0; k < LANES; k++) {
        whose[k] = next < count ? next : -1;
        if (next < count) x[k] = (uint64_t)(at + next++);
    }
    while (done < count) {
        feistel(x, bits, r->key, step, undo);
        for (int k = 0; k < LANES; k++) {
            if (whose[k] < 0 || x[k] >= (uint64_t)n) continue;
            out[whose[k]] = (int64_t)x[k];
            done++;
            whose[k] = next < count ? next : -1;
            if (next < count) x[k] = (uint64_t)(at + next++);
        }
    }
}

int64_t tg_rng_permute(uint64_t seed, tg_purpose purpose, uint64_t step, int64_t n, int64_t at)
{
    const tg_rng r = tg_rng_at(seed, purpose, step);
    int64_t out;
    walk(&r, step, n, at, 1, false, &out);
    return out;
}

void tg_rng_places(uint64_t seed, tg_purpose purpose, uint64_t step, int64_t n, int64_t item, int64_t count, int64_t *out)
{
    const tg_rng r = tg_rng_at(seed, purpose, step);
    walk(&r, step, n, item, count, true, out);
}
