/* png_write.c - tests of PNG written: what comes back, by our reader and by one in Python, is what was written, and small. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "data/codec/png.h"
#include "support/files.h"
#include "support/python.h"
#include "support/shared.h"
#include "test.h"

enum { LIMIT = 1 << 24 };

typedef enum texture { SMOOTH, NOISE, FEW_COLOURS, ONE_COLOUR, TEXTURES } texture;

/* A picture of so many colours at most (FEW_COLOURS). */
static tg_image make(int64_t width, int64_t height, int64_t channels, texture t, int few)
{
    tg_image m = {width, height, channels, tg_alloc_raw(width * height * channels)};
    uint64_t x = 88172645463325252;
    for (int64_t i = 0; i < width * height; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        for (int64_t c = 0; c < channels; c++) {
            const int64_t smooth = i % width * (c + 1) + i / width * 2 + (int64_t)(x >> (20 + c) & 1);
            const int64_t colour = i < few ? i : (int64_t)(x >> 24) % few;
            const int64_t values[TEXTURES] = {smooth, (int64_t)(x >> (8 + 8 * c)), colour * (2 * c + 1), 7};
            m.pixels[i * channels + c] = (uint8_t)values[t];
        }
    }
    return m;
}

static int64_t pixel_bytes(const tg_image *m)
{
    return m->width * m->height * m->channels;
}

static void comes_back(const tg_image *m, const tg_str *file)
{
    tg_image back;
    CHECK_OK(tg_image_decode((const uint8_t *)file->data, file->length, pixel_bytes(m), "x", &back));
    CHECK_INT(back.width, m->width);
    CHECK_INT(back.height, m->height);
    CHECK_INT(back.channels, m->channels);
    CHECK_BYTES(back.pixels, m->pixels, pixel_bytes(m));
    tg_image_free(&back);
}

/* Colour type and depth that the writer chose. */
static int colour_of(const tg_str *file)
{
    return file->data[25];
}

static int depth_of(const tg_str *file)
{
    return file->data[24];
}

TEST(png_comes_back_as_it_was_written)
{
    static const int64_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {3, 3}, {17, 9}, {32, 32}, {100, 60}};
    for (int s = 0; s < (int)(sizeof sizes / sizeof *sizes); s++)
        for (int channels = 1; channels <= 4; channels++)
            for (int t = 0; t < TEXTURES; t++) {
                tg_image m = make(sizes[s][0], sizes[s][1], channels, (texture)t, 5);
                tg_str file = {0};
                tg_str_add(&file, "before");
                CHECK_OK(tg_png_write(&file, &m));
                CHECK_BYTES(file.data, "before\x89PNG", 10);
                memmove(file.data, file.data + 6, (size_t)(file.length -= 6));
                comes_back(&m, &file);
                tg_str_free(&file);
                tg_image_free(&m);
            }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(png_takes_a_palette_where_it_is_smaller)
{
    static const struct { int few, depth; } cases[] = {{2, 1}, {3, 2}, {4, 2}, {5, 4}, {16, 4}, {17, 8}, {255, 8}, {256, 8}};
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++)
        for (int channels = 3; channels <= 4; channels++) {
            tg_image m = make(61, 50, channels, FEW_COLOURS, cases[i].few);
            tg_str file = {0};
            CHECK_OK(tg_png_write(&file, &m));
            comes_back(&m, &file);
            CHECK_INT(colour_of(&file), TG_PNG_PALETTE);
            CHECK_INT(depth_of(&file), cases[i].depth);
            tg_str_free(&file);
            tg_image_free(&m);
        }
    tg_image m = make(61, 50, 3, FEW_COLOURS, 256);
    tg_str file = {0};
    memcpy(m.pixels + 3 * 60, "\xff\0\x80", 3); /* no multiple of 1, 3, 5: the 257th */
    CHECK_OK(tg_png_write(&file, &m));
    CHECK_INT(colour_of(&file), TG_PNG_RGB);
    comes_back(&m, &file);
    tg_str_clear(&file);
    m.width = m.height = 2; /* four colours, but a palette is longer than they are */
    CHECK_OK(tg_png_write(&file, &m));
    CHECK_INT(colour_of(&file), TG_PNG_RGB);
    comes_back(&m, &file);
    tg_str_free(&file);
    tg_image_free(&m);
}

TEST(png_of_a_palette_says_that_opaque_pixels_have_alpha)
{
    tg_image m = make(40, 40, 4, FEW_COLOURS, 4);
    tg_str file = {0};
    for (int i = 0; i < 1600; i++) m.pixels[4 * i + 3] = 255;
    CHECK_OK(tg_png_write(&file, &m));
    comes_back(&m, &file);
    CHECK_INT(colour_of(&file), TG_PNG_PALETTE);
    CHECK_BYTES(file.data + 33 + 12 + 4 * 3, "\0\0\0\1tRNS\xff", 9); /* others pass over one without entries */
    tg_str_free(&file);
    tg_image_free(&m);
}

TEST(png_filters_what_is_smooth_and_leaves_what_is_not)
{
    tg_image m = make(100, 100, 3, SMOOTH, 1);
    tg_str file = {0};
    CHECK_OK(tg_png_write(&file, &m));
    CHECK(file.length < 9000); /* 10,000 pixels with a bit of noise in each channel: 3,750 bytes of entropy */
    tg_image_free(&m);
    tg_str_free(&file);
}

TEST(png_makes_the_same_bytes_everywhere)
{
    tg_str files = {0};
    char hex[65];
    for (int channels = 1; channels <= 4; channels++)
        for (int t = 0; t < TEXTURES; t++) {
            tg_image m = make(64, 64, channels, (texture)t, 40);
            CHECK_OK(tg_png_write(&files, &m));
            tg_image_free(&m);
        }
    tg_sha256_hex(files.data, files.length, hex);
    CHECK_TEXT(hex, "8819f5f5cdc753edb0274a4ce97a5bdf714bbe8279d1ad7f2332d57c547e15ed");
    tg_str_free(&files);
}

TEST(python_reads_the_png_that_is_written)
{
    char command[4000] = "tests/golden/png_reference.py", hashes[16][65];
    int64_t width, height, channels, read = 0;
    char hex[65], name[3000];
    const char *folder = test_folder();
    for (int i = 0; i < 16; i++) {
        tg_image m = make(13 + i, 30 - i, 1 + i % 4, (texture)(i / 4), 20);
        tg_str file = {0};
        snprintf(name, sizeof name, "%d.png", i);
        CHECK_OK(tg_png_write(&file, &m));
        CHECK_OK(tg_write_file(in(folder, name), file.data, file.length));
        tg_sha256_hex(m.pixels, pixel_bytes(&m), hashes[i]);
        tg_str_free(&file);
        tg_image_free(&m);
        snprintf(command + strlen(command), sizeof command - strlen(command), " '%s'", in(folder, name));
    }
    FILE *f = python_start(command);
    for (; fscanf(f, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %64s %2999s", &width, &height, &channels, hex, name) == 5; read++) {
        CHECK(read < 16);
        CHECK_INT(width, 13 + read);
        CHECK_INT(height, 30 - read);
        CHECK_INT(channels, 1 + read % 4);
        CHECK_TEXT(hex, hashes[read]);
    }
    python_end(f, read);
    CHECK_INT(read, 16);
}

TEST(real_pictures_are_written_smaller_than_they_came)
{
    int64_t theirs = 0, ours = 0;
    char line[500], name[300];
    FILE *f = fopen("tests/golden/png.txt", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f)) {
        int64_t size;
        tg_image m;
        tg_str file = {0};
        if (sscanf(line, "%*d %*d %*d %*s image/%299[^\n]", name) != 1) continue;
        snprintf(line, sizeof line, "image/%.290s", name);
        char *bytes = shared_text(line, &size);
        CHECK_OK(tg_image_decode((const uint8_t *)bytes, size, LIMIT, name, &m));
        CHECK_OK(tg_png_write(&file, &m));
        comes_back(&m, &file);
        theirs += size;
        ours += file.length;
        tg_free(bytes);
        tg_str_free(&file);
        tg_image_free(&m);
    }
    fclose(f);
    test_note("%" PRId64 " bytes, they were %" PRId64, ours, theirs);
    CHECK(ours < theirs);
}

TEST(what_is_no_picture_is_not_written)
{
    uint8_t pixel[5] = {0};
    tg_str file = {0};
    CHECK_ERROR(tg_png_write(&file, &(tg_image){1, 1, 5, pixel}), TG_EINVAL, "1 x 1 pixels of 5 channels");
    CHECK_ERROR(tg_png_write(&file, &(tg_image){0, 1, 1, pixel}), TG_EINVAL, "no picture");
    CHECK_ERROR(tg_png_write(&file, &(tg_image){1, 1, 1, NULL}), TG_EINVAL, "no picture");
    CHECK_INT(file.length, 0);
}

TEST(a_writer_without_memory_fails_and_leaves_none)
{
    tg_image m = make(20, 20, 4, SMOOTH, 1);
    for (int n = 1;; n++) {
        tg_str file = {0};
        tg_alloc_fail_at(n, true);
        const tg_status status = tg_png_write(&file, &m);
        tg_alloc_fail_at(0, false);
        tg_str_free(&file);
        CHECK_INT(tg_alloc_live(), 1);
        if (!status) {
            CHECK(n > 5);
            break;
        }
        CHECK_INT(status, TG_ENOMEM);
    }
    tg_image_free(&m);
}
