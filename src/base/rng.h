/* rng.h - random numbers as a pure function of (seed, purpose, step, index): Philox4x32-10, Salmon et al. 2011. */
#ifndef TG_BASE_RNG_H
#define TG_BASE_RNG_H
#include "tinygen/base.h"

void tg_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* What a draw is for; each has its own stream under one seed. Never renumber: the numbers are in people's results. */
typedef enum tg_purpose {
    TG_RNG_INIT = 1, TG_RNG_SHUFFLE = 2, TG_RNG_DROPOUT = 3, TG_RNG_SAMPLE = 4, TG_RNG_SPLIT = 5, TG_RNG_SYNTH = 6,
    TG_RNG_NOISE = 7, TG_RNG_TEST = 8, TG_RNG_LABEL = 9,
    TG_RNG_BINARY = 10, TG_RNG_MIX = 11, TG_RNG_TUNE = 12
} tg_purpose;

/* Key = seed ^ (purpose stirred), low word first; counter = (block low, block high, step low, step high), where word
 * number `index` of the stream is out[index % 4] of block index / 4. */
typedef struct tg_rng { uint32_t key[2]; uint64_t step, index; uint32_t block[4]; } tg_rng;
tg_rng tg_rng_at(uint64_t seed, tg_purpose purpose, uint64_t step);
uint32_t tg_rng_u32(tg_rng *r);
uint64_t tg_rng_u64(tg_rng *r);
float tg_rng_unit(tg_rng *r);                              /* [0, 1), multiples of 2^-24 */
int64_t tg_rng_below(tg_rng *r, int64_t n);                /* 0..n-1, unbiased (rejection) */
/* Box & Muller 1958, two words a draw: sqrt(-2 log u) cos(2 pi v), u = (word + 1/2) / 2^32,
 * v = (next word >> 8) / 2^24, with our own log and cos. |x| < 6.8. */
float tg_rng_normal(tg_rng *r);
/* Element `at` of a permutation of 0..n-1, at any position in O(1): a Feistel network keyed by (seed, purpose, step),
 * cycle-walking (Black & Rogaway 2002). */
int64_t tg_rng_permute(uint64_t seed, tg_purpose purpose, uint64_t step, int64_t n, int64_t at);
/* At which `at` it gives item, item + 1, ..., count of them: many at once are several times as fast. */
void tg_rng_places(uint64_t seed, tg_purpose purpose, uint64_t step, int64_t n, int64_t item, int64_t count, int64_t *out);
#endif
