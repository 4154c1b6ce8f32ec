/* blocks.c - half blocks in colours that terminals know, or shades. */
#include "data/image/blocks.h"

#include <string.h>

static int distance(const uint8_t *a, int r, int g, int b)
{
    return (a[0] - r) * (a[0] - r) + (a[1] - g) * (a[1] - g) + (a[2] - b) * (a[2] - b);
}

/* Of the cube of six levels a side (from 16 on) and the 24 greys (from 232 on), the nearer one. */
static int of_256(const uint8_t *rgb)
{
    static const int levels[] = {0, 95, 135, 175, 215, 255};
    int at[3], grey = (rgb[0] + rgb[1] + rgb[2]) / 3;
    for (int c = 0; c < 3; c++) at[c] = rgb[c] < 48 ? 0 : rgb[c] < 115 ? 1 : (rgb[c] - 35) / 40;
    const int step = grey < 4 ? 0 : grey > 238 ? 23 : (grey - 3) / 10, level = 8 + 10 * step;
    const int cube = distance(rgb, levels[at[0]], levels[at[1]], levels[at[2]]);
    return distance(rgb, level, level, level) < cube ? 232 + step : 16 + 36 * at[0] + 6 * at[1] + at[2];
}

static void add_colour(tg_str *out, bool ground, const uint8_t *rgb, bool deep)
{
    if (deep) tg_str_addf(out, "\x1b[%d;2;%d;%d;%dm", ground ? 48 : 38, rgb[0], rgb[1], rgb[2]);
    else tg_str_addf(out, "\x1b[%d;5;%dm", ground ? 48 : 38, of_256(rgb));
}

/* How light a pixel is: ITU-R BT.601's weights. */
static int light(const tg_image *image, int64_t x, int64_t y)
{
    const int64_t C = image->channels;
    const uint8_t *p = image->pixels + (y * image->width + x) * C;
    return C < 3 ? p[0] : (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000;
}

static void draw_shades(tg_str *out, const tg_image *image)
{
    static const char *const shades[] = {" ", "\xe2\x96\x91", "\xe2\x96\x92", "\xe2\x96\x93", "\xe2\x96\x88"};
    for (int64_t y = 0; y < image->height; y += 2) {
        const int64_t below = y + 1 < image->height ? y + 1 : y;
        for (int64_t x = 0; x < image->width; x++)
            tg_str_add(out, shades[(light(image, x, y) + light(image, x, below)) * 5 / 511]);
        tg_str_add(out, "\n");
    }
}

/* Below the last row of an odd number the terminal's own ground shows. */
void tg_blocks_draw(tg_str *out, const tg_image *image, tg_colours colours)
{
    const int64_t C = image->channels, X = image->width;
    if (colours == TG_COLOURS_NONE) {
        draw_shades(out, image);
        return;
    }
    for (int64_t y = 0; y < image->height; y += 2) {
        uint8_t last[2][3] = {{0}};
        for (int64_t x = 0; x < X; x++) {
            for (int half = 0; half < 2 && y + half < image->height; half++) {
                const uint8_t *p = image->pixels + ((y + half) * X + x) * C;
                const uint8_t rgb[3] = {p[0], p[C > 2 ? 1 : 0], p[C > 2 ? 2 : 0]};
                if (x == 0 || memcmp(last[half], rgb, 3)) add_colour(out, half == 1, rgb, colours == TG_COLOURS_DEEP);
                memcpy(last[half], rgb, 3);
            }
            tg_str_add(out, "\xe2\x96\x80");
        }
        tg_str_add(out, "\x1b[0m\n");
    }
}
