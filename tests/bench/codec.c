/* codec.c - compression and pictures: megabytes a second of what is compressed, on one thread. The picture is made here: shades
 * with a little noise and hard edges, so that filters, matches and literals all have work. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "bench/bench.h"
#include "data/codec/deflate.h"
#include "data/codec/inflate.h"
#include "data/image/image.h"

enum { SIDE = 512, CHANNELS = 3, BYTES = SIDE * SIDE * CHANNELS };
typedef struct work { tg_image picture; tg_str packed, file, spare; } work;

static void paint(uint8_t *pixels)
{
    uint64_t x = 88172645463325252;
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int column = i % SIDE, row = i / SIDE;
        const bool inside = (column / 64 + row / 64) % 3 == 0;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        for (int c = 0; c < CHANNELS; c++)
            pixels[i * CHANNELS + c] = (uint8_t)(inside ? 40 * c : (column * (c + 1) + row) / 4 + (int)(x >> (8 * c) & 3));
    }
}

static void run_deflate(void *arg)
{
    work *w = arg;
    tg_str_clear(&w->spare);
    tg_zlib_write(&w->spare, w->picture.pixels, BYTES);
}

static void run_inflate(void *arg)
{
    work *w = arg;
    tg_inflated out = {.limit = BYTES};
    tg_zlib_read((const uint8_t *)w->packed.data, w->packed.length, "bench", &out);
    tg_free(out.data);
}

static void run_encode(void *arg)
{
    work *w = arg;
    tg_str_clear(&w->spare);
    tg_png_write(&w->spare, &w->picture);
}

static void run_decode(void *arg)
{
    work *w = arg;
    tg_image image = {0};
    tg_image_decode((const uint8_t *)w->file.data, w->file.length, BYTES, "bench", &image);
    tg_image_free(&image);
}

static double measure(bench_row *r)
{
    void (*const *run)(void *) = r->arg;
    work w = {.picture = {SIDE, SIDE, CHANNELS, tg_alloc_raw(BYTES)}};
    double rate = NAN;
    if (w.picture.pixels) {
        paint(w.picture.pixels);
        if (!tg_zlib_write(&w.packed, w.picture.pixels, BYTES) && !tg_png_write(&w.file, &w.picture))
            rate = bench_rate(*run, &w, BYTES * 1e-6);
    }
    tg_image_free(&w.picture);
    tg_str_free(&w.packed);
    tg_str_free(&w.file);
    tg_str_free(&w.spare);
    return rate;
}

void bench_codec(bench *b)
{
    static void (*runs[])(void *) = {run_inflate, run_deflate, run_decode, run_encode};
    static const char *const names[] = {"inflate", "deflate", "PNG read", "PNG written"};
    for (int i = 0; i < 4; i++) {
        bench_row row = {.group = "codec", .threads = 1, .unit = "MB/s", .measure = measure, .arg = &runs[i]};
        snprintf(row.name, sizeof row.name, "%s, RGB 512 x 512", names[i]);
        bench_add(b, &row);
    }
    bench_run(b, "Compression and pictures");
}
