/* resize.c - tests of pictures brought to one size: against plain double arithmetic, and by hand. */
#include "data/image/resize.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/image/sheet.h"
#include "test.h"

static tg_image noise(int64_t width, int64_t height, int64_t channels, uint64_t seed)
{
    tg_image i = {.width = width, .height = height, .channels = channels, .pixels = tg_alloc_raw(width * height * channels)};
    tg_rng r = tg_rng_at(seed, TG_RNG_TEST, 0);
    for (int64_t k = 0; k < width * height * channels; k++) i.pixels[k] = (uint8_t)tg_rng_below(&r, 256);
    return i;
}

/* Weight of pixel j in output pixel i, in double: the share that it covers, or Catmull and Rom's cubic with edges repeated. */
static double weight(int64_t in, int64_t out, int64_t i, int64_t j)
{
    const double scale = (double)in / (double)out;
    if (out <= in) {
        const double low = fmax((double)i * scale, (double)j), high = fmin((double)(i + 1) * scale, (double)(j + 1));
        return high > low ? (high - low) / scale : 0;
    }
    const double at = ((double)i + 0.5) * scale - 0.5;
    double sum = 0;
    for (int64_t k = (int64_t)floor(at) - 1; k < (int64_t)floor(at) + 3; k++) {
        const double d = fabs((double)k - at), w = d < 1 ? 1.5 * d * d * d - 2.5 * d * d + 1 : d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0;
        if ((k < 0 ? 0 : k >= in ? in - 1 : k) == j) sum += w;
    }
    return sum;
}

TEST(resized_pictures_are_those_of_plain_arithmetic)
{
    static const int sizes[][4] = {{28, 28, 8, 8}, {7, 5, 3, 4}, {33, 9, 32, 9}, {5, 6, 17, 6}, {4, 4, 9, 3}, {1, 1, 6, 5}, {64, 3, 1, 1}, {31, 30, 30, 31}};
    uint8_t out[32 * 31 * 3];
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        const int64_t W = sizes[n][0], H = sizes[n][1], w = sizes[n][2], h = sizes[n][3];
        tg_image in = noise(W, H, 3, n);
        /* cropping never gets in the way: each is stretched by padding of nothing, so only the same shape is compared */
        const tg_fitting how = {.width = w, .height = h, .channels = 3, .fit = TG_FIT_CROP};
        CHECK_OK(tg_image_fit(&in, &how, out));
        const bool wide = W * h > H * w, high = W * h < H * w;
        const int64_t cw = wide ? (2 * H * w + h) / (2 * h) : W, ch = high ? (2 * W * h + w) / (2 * w) : H;
        const int64_t pw = cw < 1 ? 1 : cw, ph = ch < 1 ? 1 : ch, px = (W - pw) / 2, py = (H - ph) / 2;
        for (int64_t c = 0; c < 3; c++)
            for (int64_t y = 0; y < h; y++)
                for (int64_t x = 0; x < w; x++) {
                    double want = 0;
                    for (int64_t j = 0; j < ph; j++)
                        for (int64_t i = 0; i < pw; i++)
                            want += weight(ph, h, y, j) * weight(pw, w, x, i) * in.pixels[((py + j) * W + px + i) * 3 + c];
                    want = fmin(fmax(want, 0), 255);
                    const double got = out[(c * h + y) * w + x];
                    if (fabs(got - want) > (w > pw || h > ph ? 0.56 : 0.500001))
                        test_failed(__FILE__, __LINE__, "%d: (%d, %d) is %g, not %g", (int)n, (int)x, (int)y, got, want);
                }
        tg_image_free(&in);
    }
}

TEST(one_colour_stays_one_colour_at_any_size)
{
    uint8_t out[40 * 40 * 3];
    for (int side = 1; side <= 40; side++) {
        uint8_t pixels[20 * 13 * 3];
        for (int i = 0; i < 20 * 13; i++) memcpy(pixels + 3 * i, "\x07\xfd\x80", 3);
        const tg_image in = {.width = 20, .height = 13, .channels = 3, .pixels = pixels};
        CHECK_OK(tg_image_fit(&in, &(tg_fitting){.width = side, .height = side, .channels = 3}, out));
        for (int i = 0; i < side * side; i++) CHECK(out[i] == 7 && out[side * side + i] == 0xfd && out[2 * side * side + i] == 0x80);
    }
}

TEST(cropping_takes_the_middle_and_padding_takes_all)
{
    uint8_t row[6] = {10, 20, 30, 40, 50, 60}, out[16];
    const tg_image in = {.width = 6, .height = 1, .channels = 1, .pixels = row};
    CHECK_OK(tg_image_fit(&in, &(tg_fitting){.width = 2, .height = 1, .channels = 1, .fit = TG_FIT_CROP}, out));
    CHECK(out[0] == 30 && out[1] == 40);
    CHECK_OK(tg_image_fit(&in, &(tg_fitting){.width = 3, .height = 3, .channels = 1, .fit = TG_FIT_PAD, .background = {200, 200, 200}}, out));
    CHECK_BYTES(out, ((uint8_t[]){200, 200, 200, 15, 35, 55, 200, 200, 200}), 9);
    const tg_image column = {.width = 1, .height = 6, .channels = 1, .pixels = row};
    CHECK_OK(tg_image_fit(&column, &(tg_fitting){.width = 3, .height = 3, .channels = 1, .fit = TG_FIT_PAD}, out));
    CHECK_BYTES(out, ((uint8_t[]){0, 15, 0, 0, 35, 0, 0, 55, 0}), 9);
}

/* Greys of pure colours are those that everybody's BT.601 in 16 bits gives. */
TEST(transparency_lies_over_the_background_and_grey_is_that_of_bt601)
{
    uint8_t pixels[] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 0, 0, 0, 0, 100, 200, 50, 128}, out[15];
    const tg_image in = {.width = 5, .height = 1, .channels = 4, .pixels = pixels};
    tg_fitting how = {.width = 5, .height = 1, .channels = 1, .background = {255, 255, 255}};
    CHECK_OK(tg_image_fit(&in, &how, out));
    CHECK(out[0] == 76 && out[1] == 150 && out[2] == 29 && out[3] == 255);
    how.channels = 3;
    memcpy(how.background, "\x10\x20\x30", 3);
    CHECK_OK(tg_image_fit(&in, &how, out));
    CHECK_INT(out[3], 0x10);
    CHECK_INT(out[5 + 3], 0x20);
    CHECK_INT(out[4], (100 * 128 + 16 * 127 + 127) / 255);
    CHECK_INT(out[10 + 4], (50 * 128 + 48 * 127 + 127) / 255);
    CHECK(tg_image_is_transparent(&in) && !tg_image_is_grey(&in, how.background));
    uint8_t grey[] = {9, 255, 7, 0}, same[] = {5, 5, 5, 6, 6, 6};
    const tg_image alpha = {.width = 2, .height = 1, .channels = 2, .pixels = grey}, rgb = {.width = 2, .height = 1, .channels = 3, .pixels = same};
    CHECK(tg_image_is_grey(&alpha, (uint8_t[]){1, 1, 1}) && !tg_image_is_grey(&alpha, how.background) && tg_image_is_transparent(&alpha));
    CHECK(tg_image_is_grey(&rgb, how.background) && !tg_image_is_transparent(&rgb));
}

/* ---- sheets ------------------------------------------------------------------------------------------------------- */

TEST(a_sheet_has_each_picture_in_its_cell)
{
    uint8_t pixels[2 * 4] = {0, 50, 100, 150, 1, 51, 101, 151};
    tg_scratch *data;
    tg_image out;
    CHECK_OK(tg_scratch_of(pixels, sizeof pixels, &data));
    CHECK_OK(tg_sheet_images(data, (int64_t[]){1, 2, 2}, (int64_t[]){1, -1, 0, 1}, 2, 2, &out));
    CHECK(out.width == 2 * 33 + 1 && out.height == 2 * 33 + 1 && out.channels == 1); /* enlarged to 32 */
    CHECK_INT(out.pixels[0], 160);
    CHECK_INT(out.pixels[out.width + 1], 1);
    CHECK_INT(out.pixels[out.width * 32 + 32], 151);
    CHECK_INT(out.pixels[out.width * 10 + 40], 160); /* none there */
    CHECK_INT(out.pixels[out.width * 34 + 1], 0);
    CHECK_INT(out.pixels[out.width * 34 + 34], 1);
    tg_image_free(&out);
    tg_scratch_free(data);
    CHECK_INT(tg_alloc_live(), 0);
}

static tg_status no_class(void *user, int64_t sample, int64_t *out)
{
    (void)user;
    (void)sample;
    *out = -1;
    return TG_OK;
}

/* Of a model that has gone astray. */
TEST(points_that_are_no_numbers_or_infinite_stay_within_the_plane)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1};
    enum { N = sizeof odd / sizeof *odd };
    for (int first = 0; first < N; first++) {
        float points[2 * N];
        int64_t order[N], inked = 0;
        tg_scratch *data;
        tg_image out;
        for (int i = 0; i < 2 * N; i++) points[i] = odd[(first + i / 2 + i % 2 * 3) % N];
        for (int i = 0; i < N; i++) order[i] = i;
        CHECK_OK(tg_scratch_of(points, sizeof points, &data));
        CHECK_OK(tg_sheet_points(data, 2, order, N, no_class, NULL, NULL, &out));
        for (int64_t i = 0; i < out.width * out.height; i++) inked += out.pixels[3 * i] < 255;
        CHECK(inked > 0 && inked <= N);
        tg_image_free(&out);
        tg_scratch_free(data);
    }
}
