/* png_rows.c - from the unpacked stream to pixels: filters undone row by row, then samples of any depth made bytes. */
#include <inttypes.h>
#include <string.h>

#include "data/codec/png.h"

/* Adam7: of each 8 x 8 square, which pixels a pass has. A picture that is not interlaced is one pass of all. */
typedef struct pass { int x, y, step_x, step_y; } pass;
static const pass adam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
static const pass all[] = {{0, 0, 1, 1}};

static int64_t columns(const tg_png_head *h, const pass *p)
{
    return (h->width - p->x + p->step_x - 1) / p->step_x;
}

static int64_t rows(const tg_png_head *h, const pass *p)
{
    return (h->height - p->y + p->step_y - 1) / p->step_y;
}

/* Samples of a pixel in the stream. */
static int samples(const tg_png_head *h)
{
    switch (h->colour) {
    case TG_PNG_RGB: return 3;
    case TG_PNG_GREY_ALPHA: return 2;
    case TG_PNG_RGBA: return 4;
    default: return 1;
    }
}

static int64_t row_bytes(const tg_png_head *h, int64_t width)
{
    return (width * samples(h) * h->depth + 7) / 8;
}

int64_t tg_png_stream_bytes(const tg_png_head *h)
{
    const pass *passes = h->interlaced ? adam7 : all;
    int64_t bytes = 0;
    for (int i = 0; i < (h->interlaced ? 7 : 1); i++) {
        const int64_t width = columns(h, &passes[i]);
        if (width > 0) bytes += rows(h, &passes[i]) * (1 + row_bytes(h, width));
    }
    return bytes;
}

/* ---- filters ------------------------------------------------------------------------------------------------------- */

enum { NONE, SUB, UP, AVERAGE, PAETH };

/* up: the row above, or a row of zeros; a pixel is `stride` bytes, a constant where this is called, and at least one. */
static inline void undo(int filter, uint8_t *row, const uint8_t *up, int64_t count, int64_t stride)
{
    switch (filter) {
    case SUB:
        for (int64_t i = stride; i < count; i++) row[i] = (uint8_t)(row[i] + row[i - stride]);
        break;
    case UP:
        for (int64_t i = 0; i < count; i++) row[i] = (uint8_t)(row[i] + up[i]);
        break;
    case AVERAGE:
        for (int64_t i = 0; i < stride; i++) row[i] = (uint8_t)(row[i] + up[i] / 2);
        for (int64_t i = stride; i < count; i++) row[i] = (uint8_t)(row[i] + (row[i - stride] + up[i]) / 2);
        break;
    case PAETH:
        for (int64_t i = 0; i < stride; i++) row[i] = (uint8_t)(row[i] + up[i]);
        for (int64_t i = stride; i < count; i++)
            row[i] = (uint8_t)(row[i] + tg_png_paeth(row[i - stride], up[i], up[i - stride]));
        break;
    default: break;
    }
}

static void undo_filter(int filter, uint8_t *row, const uint8_t *up, int64_t count, int64_t stride)
{
    switch (stride) {
    case 1: undo(filter, row, up, count, 1); break;
    case 2: undo(filter, row, up, count, 2); break;
    case 3: undo(filter, row, up, count, 3); break;
    case 4: undo(filter, row, up, count, 4); break;
    case 6: undo(filter, row, up, count, 6); break;
    default: undo(filter, row, up, count, 8); break;
    }
}

/* A first row has zeros above it: then two filters are others, and the third is done here. */
static void undo_first(int filter, uint8_t *row, int64_t count, int64_t stride)
{
    if (filter == SUB || filter == PAETH) undo_filter(SUB, row, row, count, stride);
    if (filter == AVERAGE)
        for (int64_t i = stride; i < count; i++) row[i] = (uint8_t)(row[i] + row[i - stride] / 2);
}

/* ---- samples ------------------------------------------------------------------------------------------------------- */

static inline int sample_at(const uint8_t *row, int depth, int64_t i)
{
    if (depth == 8) return row[i];
    if (depth == 16) return row[2 * i] << 8 | row[2 * i + 1];
    const int64_t bit = i * depth;
    return row[bit / 8] >> (8 - depth - bit % 8) & ((1 << depth) - 1);
}

/* Nearest of 0..255 to x of 0..2^depth - 1, both ends kept. */
static inline uint8_t to_byte(int x, int depth)
{
    if (depth == 16) return (uint8_t)((x * 255 + 32895) >> 16);
    return (uint8_t)(x * (255 / ((1 << depth) - 1)));
}

/* Pixels of a palette to out, `step` bytes apart. Returns the largest index. */
static int look_up(const tg_png_head *h, const uint8_t *row, int64_t count, uint8_t *out, int64_t step)
{
    int largest = 0;
    for (int64_t i = 0; i < count; i++, out += step) {
        const int index = sample_at(row, h->depth, i);
        if (index > largest) largest = index;
        memcpy(out, h->palette[index], 3);
        if (h->channels == 4) out[3] = h->palette[index][3];
    }
    return largest;
}

static void convert(const tg_png_head *h, const uint8_t *row, int64_t count, uint8_t *out, int64_t step)
{
    const int n = samples(h);
    if (h->depth == 8 && !h->transparent && step == n) {
        memcpy(out, row, (size_t)(count * n));
        return;
    }
    for (int64_t i = 0; i < count; i++, out += step) {
        bool is_key = h->transparent;
        for (int s = 0; s < n; s++) {
            const int x = sample_at(row, h->depth, i * n + s);
            out[s] = to_byte(x, h->depth);
            if (h->transparent && x != h->key[s]) is_key = false;
        }
        if (h->transparent) out[n] = is_key ? 0 : 255;
    }
}

/* ---- passes -------------------------------------------------------------------------------------------------------- */

static tg_status read_pass(const tg_png_head *h, const pass *p, uint8_t *stream, const char *what, uint8_t *pixels)
{
    const int64_t width = columns(h, p), bytes = row_bytes(h, width), step = (int64_t)p->step_x * h->channels;
    const int bits = samples(h) * h->depth;
    const uint8_t *up = NULL;
    for (int64_t y = p->y; y < h->height; y += p->step_y, stream += 1 + bytes) {
        uint8_t *row = stream + 1, *out = pixels + (y * h->width + p->x) * h->channels;
        const int filter = *stream;
        if (filter > PAETH)
            return tg_fail(TG_EFORMAT, "%s: row %" PRId64 " is under filter %d; there are 0 to 4", what, y, filter);
        if (up) undo_filter(filter, row, up, bytes, bits < 8 ? 1 : bits / 8);
        else undo_first(filter, row, bytes, bits < 8 ? 1 : bits / 8);
        up = row;
        if (h->colour != TG_PNG_PALETTE) {
            convert(h, row, width, out, step);
            continue;
        }
        const int largest = look_up(h, row, width, out, step);
        if (largest >= h->palette_count)
            return tg_fail(TG_EFORMAT, "%s: row %" PRId64 " names colour %d of a palette of %d", what, y, largest,
                           h->palette_count);
    }
    return TG_OK;
}

tg_status tg_png_rows(const tg_png_head *h, uint8_t *stream, const char *what, uint8_t *pixels)
{
    const pass *passes = h->interlaced ? adam7 : all;
    for (int i = 0; i < (h->interlaced ? 7 : 1); i++) {
        const int64_t width = columns(h, &passes[i]);
        if (width <= 0) continue;
        const tg_status status = read_pass(h, &passes[i], stream, what, pixels);
        if (status) return status;
        stream += rows(h, &passes[i]) * (1 + row_bytes(h, width));
    }
    return TG_OK;
}
