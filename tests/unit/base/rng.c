/* rng.c - tests of the random numbers. Streams and permutations were computed by a Python program from the published
 * algorithms alone: they stand in people's results and must never change. */
#include "base/alloc.h"
#include "base/rng.h"
#include "test.h"

#include <math.h>
#include <string.h>

TEST(philox_gives_the_published_vectors) /* Salmon et al. 2011, Random123's known answers */
{
    uint32_t out[4];
    tg_philox(out, (uint32_t[4]){0}, (uint32_t[2]){0});
    CHECK_HEX(out, "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    tg_philox(out, (uint32_t[4]){~0u, ~0u, ~0u, ~0u}, (uint32_t[2]){~0u, ~0u});
    CHECK_HEX(out, "408f276d 41c83b0e a20bc7c6 6d5451fd");
    tg_philox(out, (uint32_t[4]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
              (uint32_t[2]){0xa4093822, 0x299f31d0});
    CHECK_HEX(out, "d16cfe09 94fdcceb 5001e420 24126ea1");
}

TEST(a_stream_is_the_words_of_its_counters)
{
    uint32_t words[8];
    tg_rng r = tg_rng_at(42, TG_RNG_SHUFFLE, (UINT64_C(1) << 32) + 3);
    for (int i = 0; i < 8; i++) words[i] = tg_rng_u32(&r);
    CHECK_HEX(words, "bc5c279c 0c69c7b6 e84d4c66 8317e564 dab5b0ed f9b95e96 1bfabed7 a42f33e9");
    r = tg_rng_at(1, TG_RNG_SAMPLE, 0);
    CHECK(tg_rng_u64(&r) == UINT64_C(0xd3c97510c3a776ae));
    CHECK(tg_rng_u64(&r) == UINT64_C(0x83ba85010303c894));
}

TEST(seed_purpose_and_step_each_give_another_stream)
{
    uint32_t seen[300];
    int n = 0;
    for (uint64_t seed = 0; seed < 6; seed++)
        for (int purpose = TG_RNG_INIT; purpose <= TG_RNG_TEST; purpose++)
            for (uint64_t step = 0; step < 6; step++) {
                tg_rng r = tg_rng_at(seed, (tg_purpose)purpose, step);
                if (n < 300) seen[n++] = tg_rng_u32(&r);
            }
    CHECK_INT(n, 288);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) CHECK(seen[i] != seen[j]);
}

TEST(unit_draws_are_uniform_below_one)
{
    enum { DRAWS = 160000, BINS = 16 };
    int bins[BINS] = {0};
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 1);
    for (int i = 0; i < DRAWS; i++) {
        float u = tg_rng_unit(&r);
        CHECK(u >= 0 && u < 1);
        CHECK(u * 0x1p24f == floorf(u * 0x1p24f));
        bins[(int)(u * BINS)]++;
    }
    double chi = 0;
    for (int b = 0; b < BINS; b++) chi += pow(bins[b] - DRAWS / (double)BINS, 2) / (DRAWS / (double)BINS);
    test_note("chi-square %.1f of 15 degrees of freedom", chi);
    CHECK(chi < 37.7); /* one stream in a thousand has more */
}

TEST(whole_draws_are_uniform_below_n)
{
    enum { DRAWS = 70000 };
    int bins[7] = {0};
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 2);
    for (int i = 0; i < DRAWS; i++) {
        int64_t x = tg_rng_below(&r, 7);
        CHECK(x >= 0 && x < 7);
        bins[x]++;
    }
    double chi = 0;
    for (int b = 0; b < 7; b++) chi += pow(bins[b] - DRAWS / 7.0, 2) / (DRAWS / 7.0);
    CHECK(chi < 22.5); /* 6 degrees of freedom, one in a thousand */
    CHECK_INT(tg_rng_below(&r, 1), 0);
    CHECK_INT(tg_rng_below(&r, 0), 0);
    int64_t high = 0, n = INT64_C(3) << 61; /* without rejection the lower half would come up two times in three */
    for (int i = 0; i < 3000; i++) {
        int64_t x = tg_rng_below(&r, n);
        CHECK(x >= 0 && x < n);
        high += x >= n / 2;
    }
    CHECK(high > 1390 && high < 1610); /* 4 standard deviations about 1500 */
}

TEST(normal_draws_follow_box_and_muller)
{
    static const double want[] = {0.1801919, -0.1860940, 1.4146000, 1.2217931};
    float got[4];
    tg_rng r = tg_rng_at(5, TG_RNG_NOISE, 0);
    for (int i = 0; i < 4; i++) got[i] = tg_rng_normal(&r);
    CHECK_CLOSE(got, want, 4, 2e-6);
}

TEST(normal_draws_have_the_moments_of_a_normal)
{
    enum { DRAWS = 200000 };
    double sum[5] = {0};
    int inside = 0;
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 3);
    for (int i = 0; i < DRAWS; i++) {
        double x = (double)tg_rng_normal(&r);
        CHECK(fabs(x) < 6.8);
        for (int p = 1; p < 5; p++) sum[p] += pow(x, p) / DRAWS;
        inside += fabs(x) < 1;
    }
    test_note("moments %.4f %.4f %.4f %.4f", sum[1], sum[2], sum[3], sum[4]);
    CHECK(fabs(sum[1]) < 4 * sqrt(1.0 / DRAWS)); /* four standard errors: of x, x^2, x^3, x^4 */
    CHECK(fabs(sum[2] - 1) < 4 * sqrt(2.0 / DRAWS));
    CHECK(fabs(sum[3]) < 4 * sqrt(15.0 / DRAWS));
    CHECK(fabs(sum[4] - 3) < 4 * sqrt(96.0 / DRAWS));
    CHECK(fabs(inside / (double)DRAWS - 0.6826895) < 4 * sqrt(0.217 / DRAWS));
}

static void check_permutation(int64_t n, uint64_t step)
{
    char *seen = tg_alloc(n);
    for (int64_t i = 0; i < n; i++) {
        int64_t x = tg_rng_permute(9, TG_RNG_SHUFFLE, step, n, i);
        CHECK(x >= 0 && x < n);
        CHECK(!seen[x]);
        seen[x] = 1;
        int64_t place;
        tg_rng_places(9, TG_RNG_SHUFFLE, step, n, x, 1, &place);
        CHECK_INT(place, i);
    }
    tg_free(seen);
    int64_t some[40]; /* many at once are the same */
    for (int64_t item = n / 3, count = 0; count <= 40 && item + count <= n; count += 13) {
        tg_rng_places(9, TG_RNG_SHUFFLE, step, n, item, count, some);
        for (int64_t i = 0; i < count; i++) CHECK_INT(tg_rng_permute(9, TG_RNG_SHUFFLE, step, n, some[i]), item + i);
    }
}

TEST(a_permutation_takes_every_place_once)
{
    for (int64_t n = 1; n < 300; n++) check_permutation(n, (uint64_t)n);
    for (int bits = 9; bits < 16; bits++)
        for (int64_t n = (1 << bits) - 1; n <= (1 << bits) + 1; n++) check_permutation(n, 3);
    check_permutation(100003, UINT64_MAX);
}

TEST(permutations_are_those_of_the_description)
{
    static const int64_t ten[] = {4, 2, 3, 8, 7, 0, 5, 9, 1, 6}, million[] = {901114, 677325, 588193, 11103},
                         large[] = {722606614012, 621076817691, 333402043554};
    for (int i = 0; i < 10; i++) CHECK_INT(tg_rng_permute(1, TG_RNG_SHUFFLE, 0, 10, i), ten[i]);
    for (int i = 0; i < 4; i++) CHECK_INT(tg_rng_permute(7, TG_RNG_SHUFFLE, 5, 1000003, i), million[i]);
    for (int i = 0; i < 3; i++) CHECK_INT(tg_rng_permute(7, TG_RNG_SHUFFLE, 5, INT64_C(1) << 40, i), large[i]);
}

TEST(large_permutations_stay_in_range_and_do_not_collide)
{
    static const int64_t sizes[] = {(INT64_C(1) << 40) - 1, (INT64_C(1) << 32) + 1, INT64_C(3) << 37};
    for (int s = 0; s < 3; s++) {
        int64_t seen[500];
        for (int i = 0; i < 500; i++) {
            int64_t at = i % 2 ? i : sizes[s] - 1 - i;
            seen[i] = tg_rng_permute(3, TG_RNG_SPLIT, 1, sizes[s], at);
            CHECK(seen[i] >= 0 && seen[i] < sizes[s]);
            for (int j = 0; j < i; j++) CHECK(seen[i] != seen[j]);
        }
    }
}

TEST(all_orders_of_four_come_up_equally_often)
{
    enum { STEPS = 24000 };
    int counts[256] = {0}, kinds = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        int code = 0;
        for (int i = 0; i < 4; i++) code = code * 4 + (int)tg_rng_permute(1, TG_RNG_TEST, step, 4, i);
        counts[code]++;
    }
    double chi = 0;
    for (int c = 0; c < 256; c++) {
        if (counts[c] == 0) continue;
        kinds++;
        chi += pow(counts[c] - STEPS / 24.0, 2) / (STEPS / 24.0);
    }
    test_note("chi-square %.1f of 23 degrees of freedom", chi);
    CHECK_INT(kinds, 24);
    CHECK(chi < 49.8); /* one in a thousand */
}
