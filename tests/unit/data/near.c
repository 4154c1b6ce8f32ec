/* near.c - tests of pictures that are nearly another one: copies as people make them are found, pictures that merely look alike are
 * not, and what stays and what goes is a matter of order alone. */
#include "data/image/near.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/codec/gzip.h"
#include "data/codec/idx.h"
#include "support/shared.h"
#include "test.h"

enum { SIDE = 32, SIZE = 3 * SIDE * SIDE };

static uint8_t clip(double x) { return x < 0 ? 0 : x > 255 ? 255 : (uint8_t)(x + 0.5); }

/* A few soft blots of colour and a faint grain, as in a photograph; from 40 to 210, so that other light clips nothing. */
static void scene(uint8_t *out, uint64_t number)
{
    tg_rng r = tg_rng_at(number, TG_RNG_TEST, 0);
    double spots[6][6], light[SIZE] = {0}, low = INFINITY, high = -INFINITY;
    for (int k = 0; k < 6; k++)
        for (int v = 0; v < 6; v++) spots[k][v] = (double)tg_rng_unit(&r);
    for (int i = 0; i < SIZE; i++) {
        const int c = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
        for (int k = 0; k < 6; k++) {
            const double dy = y - SIDE * spots[k][0], dx = x - SIDE * spots[k][1];
            light[i] += (spots[k][2 + c] - 0.4) * exp(-(dx * dx + dy * dy) / (20 + 60 * spots[k][5]));
        }
        low = fmin(low, light[i]);
        high = fmax(high, light[i]);
    }
    for (int i = 0; i < SIZE; i++) out[i] = clip(40 + 170 * (light[i] - low) / (high - low) + (double)tg_rng_normal(&r));
}

/* As saved with loss: each block of 8 x 8 by its cosines, in steps of JPEG's table of lightness (ITU-T T.81, annex K), which
 * quality 75 halves. */
static void saved_again(uint8_t *out, const uint8_t *in)
{
    static const int steps[64] = {16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
                                  14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
                                  49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
    double turn[8][8];
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) turn[u][x] = (u ? 0.5 : sqrt(0.125)) * cos((2 * x + 1) * u * 3.14159265358979 / 16);
    for (int block = 0; block < SIZE / 64; block++) {
        const int corner = block / 16 * SIDE * SIDE + block / 4 % 4 * 8 * SIDE + block % 4 * 8;
        double waves[64] = {0};
        for (int f = 0; f < 64; f++) {
            for (int i = 0; i < 64; i++) waves[f] += turn[f / 8][i / 8] * turn[f % 8][i % 8] * in[corner + i / 8 * SIDE + i % 8];
            waves[f] = floor(waves[f] / (steps[f] / 2.0) + 0.5) * (steps[f] / 2.0);
        }
        for (int i = 0; i < 64; i++) {
            double x = 0;
            for (int f = 0; f < 64; f++) x += turn[f / 8][i / 8] * turn[f % 8][i % 8] * waves[f];
            out[corner + i / 8 * SIDE + i % 8] = clip(x);
        }
    }
}

static void moved(uint8_t *out, const uint8_t *in, int down, int right)
{
    for (int i = 0; i < SIZE; i++) {
        int y = i / SIDE % SIDE + down, x = i % SIDE + right;
        y = y < 0 ? 0 : y >= SIDE ? SIDE - 1 : y;
        x = x < 0 ? 0 : x >= SIDE ? SIDE - 1 : x;
        out[i] = in[i / (SIDE * SIDE) * SIDE * SIDE + y * SIDE + x];
    }
}

static void lit(uint8_t *out, const uint8_t *in, double times, double plus)
{
    for (int i = 0; i < SIZE; i++) out[i] = clip(times * in[i] + plus);
}

static void search_within(const uint8_t *data, const int64_t dims[3], const int64_t *order, int64_t count, int64_t *roots)
{
    tg_scratch *s;
    CHECK_OK(tg_scratch_of(data, count * dims[0] * dims[1] * dims[2], &s));
    CHECK_OK(tg_image_near(NULL, s, dims, order, count, roots));
    tg_scratch_free(s);
}

/* Roots of pictures that come as they lie; how many go. */
static int64_t search(const uint8_t *data, const int64_t dims[3], int64_t count, int64_t *roots)
{
    int64_t *order = tg_alloc_array(count, sizeof *order), gone = 0;
    for (int64_t i = 0; i < count; i++) order[i] = roots[i] = i;
    search_within(data, dims, order, count, roots);
    for (int64_t i = 0; i < count; i++) gone += roots[i] != i;
    tg_free(order);
    return gone;
}

static const int64_t colour[3] = {3, SIDE, SIDE};

TEST(copies_saved_again_lit_or_moved_by_a_pixel_are_found_and_scenes_are_not)
{
    enum { SCENES = 40, EACH = 8 };
    uint8_t *data = tg_alloc_raw(SCENES * EACH * SIZE), other[SIZE];
    int64_t roots[SCENES * EACH];
    for (int k = 0; k < SCENES; k++) {
        uint8_t *at = data + k * EACH * SIZE;
        scene(at, (uint64_t)k);
        saved_again(at + SIZE, at);
        lit(at + 2 * SIZE, at, 1, 20);
        lit(at + 3 * SIZE, at, 0.9, 0);
        moved(at + 4 * SIZE, at, 1, -1);
        moved(at + 5 * SIZE, at, 0, 1);
        moved(other, at, -1, 0); /* all at once */
        lit(at + 6 * SIZE, other, 1.05, 5);
        saved_again(at + 6 * SIZE, memcpy(other, at + 6 * SIZE, SIZE));
        moved(at + 7 * SIZE, at, 3, 3); /* further than a pixel */
    }
    search(data, colour, SCENES * EACH, roots);
    for (int i = 0; i < SCENES * EACH; i++) CHECK_INT(roots[i], i % EACH == 7 ? i : i / EACH * EACH);
    tg_free(data);
}

/* Each is the first but for one thing that the eye sees; two have a grain of 12 levels. */
TEST(a_clocks_hand_colours_a_stain_grain_and_light_make_another_picture)
{
    enum { OTHERS = 8 };
    uint8_t data[(OTHERS + 1) * SIZE];
    int64_t roots[OTHERS + 1];
    scene(data, 1);
    for (int k = 1; k <= OTHERS; k++) memcpy(data + k * SIZE, data, SIZE);
    for (int i = 0; i < SIZE; i++) {
        const int odd = (i % SIDE + i / SIDE % SIDE) % 2 ? 12 : -12;
        data[SIZE + i] = (uint8_t)(data[i] + odd);     /* the same light, cell by cell, */
        data[2 * SIZE + i] = (uint8_t)(data[i] - odd); /* and the same deviation */
    }
    for (int y = 8; y < 14; y++) /* a line of six pixels, black */
        for (int c = 0; c < 3; c++) data[3 * SIZE + (c * SIDE + y) * SIDE + 12] = 0;
    for (int p = 0; p < SIDE * SIDE; p++) { /* red and blue change places */
        uint8_t *red = data + 4 * SIZE + p, *blue = red + 2 * SIDE * SIDE, was = *red;
        *red = *blue;
        *blue = was;
    }
    for (int p = 20 * SIDE + 20; p < 20 * SIDE + 24; p++) { /* four pixels as light as before, but redder */
        data[5 * SIZE + p] += 40;
        data[5 * SIZE + 2 * SIDE * SIDE + p] -= 40;
    }
    for (int i = 0; i < 4; i++) data[6 * SIZE + (20 + i / 2) * SIDE + 20 + i % 2] ^= 0x80; /* a stain in one channel */
    lit(data + 7 * SIZE, data, 0.7, 38); /* nearly the same mean */
    lit(data + 8 * SIZE, data, 1, -38);
    CHECK_INT(search(data, colour, OTHERS + 1, roots), 0);
}

/* 1 is nearly 0, and 2 is nearly 1 but not 0: 2 stays, since 1 is gone. Where 1 comes first, it stays alone. */
TEST(what_goes_has_one_near_it_that_stays_and_order_decides)
{
    uint8_t data[5 * SIZE];
    int64_t roots[5];
    scene(data, 3);
    moved(data + SIZE, data, 1, 0);
    moved(data + 2 * SIZE, data, 2, 0);
    memcpy(data + 3 * SIZE, data + SIZE, SIZE); /* the equal of one that goes goes with it */
    memset(data + 4 * SIZE, 77, SIZE);          /* of a single colour: it is near none */
    memcpy(roots, (const int64_t[]){0, 1, 2, 1, 4}, sizeof roots);
    search_within(data, colour, (const int64_t[]){0, 1, 2, 3, 4}, 5, roots);
    CHECK(roots[0] == 0 && roots[1] == 0 && roots[2] == 2 && roots[3] == 0 && roots[4] == 4);
    memcpy(roots, (const int64_t[]){0, 1, 2, 1, 4}, sizeof roots);
    search_within(data, colour, (const int64_t[]){4, 1, 3, 2, 0}, 5, roots);
    CHECK(roots[0] == 1 && roots[1] == 1 && roots[2] == 1 && roots[3] == 1 && roots[4] == 4);
    for (int k = 0; k < 2; k++) { /* of two that it is near, it goes with the one that came first */
        memcpy(roots, (const int64_t[]){0, 1, 2, 1, 4}, sizeof roots);
        search_within(data, colour, (const int64_t[]){4, k ? 2 : 0, k ? 0 : 2, 1, 3}, 5, roots);
        CHECK(roots[0] == 0 && roots[2] == 2 && roots[1] == (k ? 2 : 0));
    }
}

TEST(pictures_of_any_size_are_searched_small_ones_as_they_lie)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {1, 1, 40}, {3, 7, 9}, {1, 8, 8}, {1, 16, 16}, {3, 17, 31}, {1, 28, 28}, {3, 64, 64}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const int64_t size = sizes[k][0] * sizes[k][1] * sizes[k][2];
        uint8_t *data = tg_alloc_raw(3 * size);
        int64_t roots[3];
        tg_rng r = tg_rng_at(5, TG_RNG_TEST, k);
        for (int64_t i = 0; i < 2 * size; i++) data[i] = (uint8_t)(tg_rng_u32(&r) % 200);
        for (int64_t i = 0; i < size; i++) data[2 * size + i] = (uint8_t)(data[i] + 9);
        search(data, sizes[k], 3, roots);
        CHECK(roots[1] == 1 && roots[2] == (size > 1 ? 0 : 2));
        tg_free(data);
    }
}

TEST(too_many_pictures_are_refused_before_any_is_read)
{
    tg_scratch *s;
    CHECK_OK(tg_scratch_of("", 0, &s));
    CHECK_ERROR(tg_image_near(NULL, s, colour, NULL, TG_NEAR_IMAGES + 1, NULL), TG_EINVAL, "--dedupe exact");
    tg_scratch_free(s);
}

/* ---- real ones: digits, of which many look alike and none is another's copy ---- */

TEST(handwritten_digits_are_all_kept_and_their_moved_copies_found)
{
    enum { MOST = 2000 };
    static const int64_t dims[3] = {1, 28, 28};
    tg_idx idx;
    int64_t length;
    uint8_t *bytes = NULL;
    char *packed = shared_text("image/mnist/t10k-images-idx3-ubyte.gz", &length);
    CHECK_OK(tg_gunzip((const uint8_t *)packed, length, 1 << 24, "t10k", &bytes, &length));
    CHECK_OK(tg_idx_read(bytes, length, "t10k", &idx));
    tg_free(packed);
    uint8_t *data = tg_alloc_raw(2 * MOST * 784);
    int64_t roots[2 * MOST];
    memcpy(data, idx.data, MOST * 784);
    CHECK_INT(search(data, dims, MOST, roots), 0);
    for (int i = 0; i < MOST * 784; i++) {
        const int from = i - 28;
        data[MOST * 784 + i] = from % 784 < 0 || i % 784 < 28 ? 0 : (uint8_t)(data[from] - data[from] / 20);
    }
    search(data, dims, 2 * MOST, roots);
    for (int i = 0; i < MOST; i++) CHECK(roots[i] == i && roots[MOST + i] == i);
    tg_free(data);
    tg_free(bytes);
}
