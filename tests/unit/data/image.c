/* image.c - tests of pictures read: against a decoder in Python, files made of known samples, and all that can be wrong in
 * them. */
#include "data/image/image.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "support/python.h"
#include "support/shared.h"
#include "test.h"

enum { LIMIT = 1 << 22 };

/* ---- files made by Python ------------------------------------------------------------------------------------------ */

static bool read_case(FILE *f, int64_t *refused)
{
    char line[400], name[300] = "";
    int64_t size, want, width, height, channels;
    tg_image image = {0};
    if (!fgets(line, sizeof line, f)) return false;
    CHECK(sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %299[^\n]", &size, &want, &width, &height,
                 &channels,
                 name) >= 5);
    uint8_t *bytes = python_bytes(f, size), *pixels = python_bytes(f, want < 0 ? 0 : want);
    const tg_status status = tg_image_decode(bytes, size, LIMIT, "x.png", &image);
    if (want < 0) {
        if (!status) test_failed(__FILE__, __LINE__, "not refused: %s", name);
        test_has(__FILE__, __LINE__, tg_error(), "x.png");
        test_has(__FILE__, __LINE__, tg_error(), name);
        CHECK(!image.pixels);
        ++*refused;
    } else {
        if (status) test_failed(__FILE__, __LINE__, "%s: %s", name, tg_error());
        if (image.width != width || image.height != height || image.channels != channels ||
            memcmp(image.pixels, pixels, (size_t)want))
            test_failed(__FILE__, __LINE__, "%s: other pixels", name);
        CHECK(tg_image_known(bytes, size));
    }
    tg_image_free(&image);
    tg_free(bytes);
    tg_free(pixels);
    return true;
}

static void read_cases(const char *command, int64_t good, int64_t bad)
{
    int64_t cases = 0, refused = 0;
    FILE *f = python_start(command);
    while (read_case(f, &refused)) cases++;
    python_end(f, cases);
    test_note("%" PRId64 " files, of them %" PRId64 " refused", cases, refused);
    CHECK(refused >= bad && cases - refused >= good);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(png_of_every_kind_gives_its_pixels_and_bad_ones_say_why)
{
    read_cases("tests/support/pngs.py png", 600, 700);
}

TEST(pnm_of_every_kind_gives_its_pixels_and_bad_ones_say_why)
{
    read_cases("tests/support/pngs.py pnm", 170, 20);
}

/* ---- real files ---------------------------------------------------------------------------------------------------- */

/* A line of tests/golden/png.txt. */
static void check_golden(const char *line, int64_t *refused)
{
    char want[65] = "", hex[65], name[300];
    int64_t width, height, channels, size;
    tg_image image = {0};
    const bool bad = sscanf(line, "refused %299[^\n]", name) == 1;
    if (!bad)
        CHECK_INT(sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %64s %299[^\n]", &width, &height, &channels, want, name), 5);
    char *bytes = shared_text(name, &size);
    const tg_status status = tg_image_decode((const uint8_t *)bytes, size, LIMIT, name, &image);
    *refused += bad;
    if (bad) {
        if (status != TG_EFORMAT) test_failed(__FILE__, __LINE__, "%s: status %d", name, (int)status);
    } else {
        if (status) test_failed(__FILE__, __LINE__, "%s", tg_error());
        tg_sha256_hex(image.pixels, image.width * image.height * image.channels, hex);
        if (image.width != width || image.height != height || image.channels != channels || strcmp(hex, want))
            test_failed(__FILE__, __LINE__, "%s: other pixels", name);
    }
    tg_image_free(&image);
    tg_free(bytes);
}

TEST(real_png_files_have_the_pixels_of_an_independent_decoder)
{
    char line[500];
    int64_t lines = 0, refused = 0;
    FILE *f = fopen("tests/golden/png.txt", "r");
    CHECK(f != NULL);
    for (; fgets(line, sizeof line, f); lines++) check_golden(line, &refused);
    fclose(f);
    CHECK_INT(lines, 131);
    CHECK_INT(refused, 14);
    CHECK_INT(tg_alloc_live(), 0);
}

/* ---- hostile ones -------------------------------------------------------------------------------------------------- */

/* 1 x 1 grey of 16 bits, 0x0180: rounded 1, cut off 1; its IDAT is stored. */
static const uint8_t tiny[] =
    "\x89PNG\r\n\x1a\n" "\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x10\0\0\0\0\x6a\xa1\x9b\x3a"
    "\0\0\0\x0eIDAT\x78\x01\x01\x03\0\xfc\xff\0\x01\x80\0\x85\0\x82\0\0\0\0" "\0\0\0\0IEND\xae\x42\x60\x82";

/* The checksums of tiny are made, so that flips of bits reach what lies behind them. */
static int64_t make_tiny(uint8_t *to)
{
    static const struct { int at, length; } chunks[] = {{8, 13}, {33, 14}, {59, 0}};
    memcpy(to, tiny, sizeof tiny - 1);
    for (int i = 0; i < 3; i++) {
        const uint32_t crc = tg_crc32(0, to + chunks[i].at + 4, chunks[i].length + 4);
        for (int b = 0; b < 4; b++) to[chunks[i].at + 8 + chunks[i].length + b] = (uint8_t)(crc >> (24 - 8 * b));
    }
    return sizeof tiny - 1;
}

TEST(png_with_bits_flipped_under_right_checksums_never_harms)
{
    int64_t read = 0;
    for (int bit = 64; bit < 71 * 8; bit++) {
        uint8_t *bytes = tg_alloc_raw(sizeof tiny - 1);
        tg_image image = {0};
        const int64_t size = make_tiny(bytes);
        if (bit == 64) CHECK_OK(tg_image_decode(bytes, size, 1, "x", &image));
        tg_image_free(&image);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        for (int at = 8; at + 12 <= size;) { /* each chunk as long as it says now */
            const int64_t length = (int64_t)bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
            if (length > size - at - 12) break;
            const uint32_t crc = tg_crc32(0, bytes + at + 4, length + 4);
            for (int b = 0; b < 4; b++) bytes[at + 8 + length + b] = (uint8_t)(crc >> (24 - 8 * b));
            at += 12 + (int)length;
        }
        if (!tg_image_decode(bytes, size, LIMIT, "x", &image)) read++;
        tg_image_free(&image);
        tg_free(bytes);
    }
    test_note("%" PRId64 " of them were pictures still", read);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_picture_larger_than_allowed_is_refused_before_memory_is_asked_for)
{
    uint8_t bytes[sizeof tiny - 1];
    tg_image image = {0};
    const int64_t size = make_tiny(bytes), asked = tg_alloc_count();
    CHECK_ERROR(tg_image_decode(bytes, size, 0, "x.png", &image), TG_EUNSUPPORTED,
                "x.png: 1 x 1 pixels of 1 channels are more than the 0 bytes that a picture may have here");
    CHECK_ERROR(tg_image_decode((const uint8_t *)"P5 1 2 255\nab", 13, 1, "x.pgm", &image), TG_EUNSUPPORTED,
                "x.pgm: 1 x 2 pixels");
    CHECK_INT(tg_alloc_count(), asked);
    CHECK_OK(tg_image_decode(bytes, size, 1, "x.png", &image));
    CHECK_INT(image.pixels[0], 1);
    tg_image_free(&image);
}

TEST(a_line_of_more_pixels_than_a_side_may_have_is_refused)
{
    enum { LONG = TG_IMAGE_SIDE + 1 };
    uint8_t *pixels = tg_alloc(LONG);
    tg_image image = {0};
    for (int upright = 0; upright < 2; upright++)
        for (int less = 0; less < 2; less++) {
            const int64_t n = LONG - less;
            const tg_image is = {.width = upright ? 1 : n, .height = upright ? n : 1, .channels = 1, .pixels = pixels};
            tg_str files[2] = {{0}};
            CHECK_OK(tg_png_write(&files[0], &is));
            CHECK_OK(tg_pnm_write(&files[1], &is));
            for (int k = 0; k < 2; k++) {
                const tg_status s = tg_image_decode((const uint8_t *)files[k].data, files[k].length, LIMIT, "x", &image);
                if (less) CHECK_OK(s);
                else CHECK_ERROR(s, TG_EUNSUPPORTED, "pixels: a side has 65535 at most");
                tg_image_free(&image);
                tg_str_free(&files[k]);
            }
        }
    tg_free(pixels);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(what_is_no_picture_is_told_from_a_broken_one)
{
    tg_image image = {0};
    static const char *const others[] = {"", "P", "P5", "P7\nWIDTH", "P5x", "P6 apples", "Poem\n", "GIF89a", "\x89PN"};
    for (int i = 0; i < (int)(sizeof others / sizeof *others); i++) {
        const int64_t size = (int64_t)strlen(others[i]);
        CHECK(!tg_image_known((const uint8_t *)others[i], size));
        CHECK_ERROR(tg_image_decode((const uint8_t *)others[i], size, LIMIT, "x", &image), TG_EUNSUPPORTED,
                    "x: neither PNG nor PNM");
    }
    CHECK(tg_image_known((const uint8_t *)"P5\n# words\n1", 12));
    CHECK_ERROR(tg_image_decode((const uint8_t *)"\x89PNG\n\x1a\n", 7, LIMIT, "x", &image), TG_EFORMAT, "broken at byte 4");
    CHECK_ERROR(tg_image_decode((const uint8_t *)"\x89PNG\r", 5, LIMIT, "x", &image), TG_EFORMAT, "cut short at byte 5");
}

static void without_memory(const uint8_t *bytes, int64_t size)
{
    for (int n = 1;; n++) {
        tg_image image = {0};
        tg_alloc_fail_at(n, true);
        const tg_status status = tg_image_decode(bytes, size, LIMIT, "x", &image);
        tg_alloc_fail_at(0, false);
        tg_image_free(&image);
        CHECK_INT(tg_alloc_live(), 0);
        if (!status) {
            CHECK(n > 1);
            return;
        }
        CHECK_INT(status, TG_ENOMEM);
    }
}

TEST(a_decoder_without_memory_fails_and_leaves_none)
{
    uint8_t bytes[sizeof tiny - 1];
    without_memory(bytes, make_tiny(bytes));
    without_memory((const uint8_t *)"P2 1 1 9 3", 10);
}

TEST(pnm_is_written_as_it_is_read)
{
    uint8_t pixels[24];
    tg_str out = {0};
    tg_image image = {.width = 2, .height = 4, .channels = 3, .pixels = pixels}, back;
    for (int i = 0; i < 24; i++) pixels[i] = (uint8_t)(i * 11);
    CHECK_OK(tg_pnm_write(&out, &image));
    CHECK_INT(out.length, 11 + 24);
    CHECK_BYTES(out.data, "P6\n2 4\n255\n", 11);
    CHECK_OK(tg_image_decode((const uint8_t *)out.data, out.length, LIMIT, "x", &back));
    CHECK_INT(back.width, 2);
    CHECK_BYTES(back.pixels, pixels, 24);
    tg_image_free(&back);
    tg_str_clear(&out);
    image.channels = 1;
    CHECK_OK(tg_pnm_write(&out, &image));
    CHECK_INT(out.length, 11 + 8);
    CHECK_BYTES(out.data, "P5\n2 4\n255\n\0\x0b", 13);
    image.channels = 4;
    CHECK_ERROR(tg_pnm_write(&out, &image), TG_EUNSUPPORTED, "PNM holds no transparency");
    image.channels = 3;
    image.pixels = NULL;
    CHECK_ERROR(tg_pnm_write(&out, &image), TG_EINVAL, "no picture");
    tg_str_free(&out);
}
