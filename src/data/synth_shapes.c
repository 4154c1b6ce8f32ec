/* synth_shapes.c - one figure on a plain ground: class, place, size and colour are drawn. Lengths are in eighths of a pixel and all
 * arithmetic is of integers; a pixel is as much of the figure's colour as of its 16 sub-pixels lie inside. */
#include <stdlib.h>

#include "data/synth.h"

enum { UNIT = 8, SIDE = TG_SHAPE_SIZE * UNIT, LEAST = 6 * UNIT, MOST = 12 * UNIT, SHAPES = 5, SUB = 4 };

static bool is_inside(int shape, int64_t x, int64_t y, int64_t r)
{
    const int64_t square = x * x + y * y, ax = llabs(x), ay = llabs(y);
    switch (shape) {
    case 0: return square <= r * r;
    case 1: return 100 * ax <= 86 * r && 100 * ay <= 86 * r;
    case 2: return 2 * y <= r && 1000 * ax <= 577 * (y + r); /* equilateral, a corner up */
    case 3: return (3 * ax <= r && ay <= r) || (3 * ay <= r && ax <= r);
    default: return square <= r * r && 100 * square >= 36 * r * r;
    }
}

/* A pure hue: one of 6 x 256 on the way red, yellow, green, cyan, blue, magenta, red. */
static void draw_hue(tg_rng *r, uint8_t out[3])
{
    const int64_t hue = tg_rng_below(r, 6 * 256), rise = hue % 256;
    const int sector = (int)(hue / 256), full = (sector + 1) / 2 % 3;
    out[0] = out[1] = out[2] = 0;
    out[full] = 255;
    out[sector % 2 ? (full + 2) % 3 : (full + 1) % 3] = (uint8_t)(sector % 2 ? 255 - rise : rise);
}

int tg_synth_shape(tg_rng *r, int variant, uint8_t *pixels)
{
    const int channels = variant == TG_SHAPE_GREY ? 1 : 3, shape = (int)tg_rng_below(r, SHAPES);
    const int64_t radius = LEAST + tg_rng_below(r, MOST - LEAST + 1);
    const int64_t cx = radius + tg_rng_below(r, SIDE - 2 * radius + 1), cy = radius + tg_rng_below(r, SIDE - 2 * radius + 1);
    const int64_t ground = tg_rng_below(r, 64);
    uint8_t colour[3] = {(uint8_t)(160 + tg_rng_below(r, 96)), 0, 0};
    if (channels == 3) draw_hue(r, colour);
    for (int64_t y = 0; y < TG_SHAPE_SIZE; y++)
        for (int64_t x = 0; x < TG_SHAPE_SIZE; x++) {
            int64_t inside = 0;
            for (int64_t s = 0; s < SUB * SUB; s++)
                inside += is_inside(shape, x * UNIT + 2 * (s % SUB) + 1 - cx, y * UNIT + 2 * (s / SUB) + 1 - cy, radius);
            for (int c = 0; c < channels; c++)
                *pixels++ = (uint8_t)((colour[c] * inside + ground * (SUB * SUB - inside) + SUB * SUB / 2) / (SUB * SUB));
        }
    return shape;
}
