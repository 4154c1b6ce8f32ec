/* png_write.c - a picture as PNG, 8 bits a sample. Which way of writing makes the smallest file cannot be told beforehand:
 * pictures of few colours and hard edges are smaller unfiltered, others filtered; so both are tried, and a palette in place of no
 * filter where there are at most 256 colours. The channels stay those of the picture: what is read back is what was written. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/sort.h"
#include "data/codec/deflate.h"
#include "data/codec/png.h"

enum { FILTERS = 5, COLOURS = 256, SLOTS = 1024, PART = 1 << 30 /* of a stream, in one IDAT */ };

static void put_chunk(tg_str *out, const char *type, const void *data, int64_t length)
{
    const int64_t start = out->length + 4;
    const char size[] = {(char)(length >> 24), (char)(length >> 16), (char)(length >> 8), (char)length};
    tg_str_add_n(out, size, 4);
    tg_str_add_n(out, type, 4);
    tg_str_add_n(out, data, length);
    if (out->failed) return;
    const uint32_t crc = tg_crc32(0, out->data + start, length + 4);
    const char check[] = {(char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc};
    tg_str_add_n(out, check, 4);
}

static void put_file(tg_str *out, const tg_png_head *h, const tg_str *packed)
{
    uint8_t head[13] = {0}, palette[3 * COLOURS], alpha[COLOURS];
    int clear = 0;
    for (int i = 0; i < 4; i++) {
        head[i] = (uint8_t)(h->width >> (24 - 8 * i));
        head[4 + i] = (uint8_t)(h->height >> (24 - 8 * i));
    }
    head[8] = (uint8_t)h->depth;
    head[9] = (uint8_t)h->colour;
    tg_str_add_n(out, TG_PNG_SIGNATURE, TG_PNG_SIGNATURE_BYTES);
    put_chunk(out, "IHDR", head, sizeof head);
    for (int i = 0; i < h->palette_count; i++) {
        memcpy(palette + 3 * i, h->palette[i], 3);
        alpha[i] = h->palette[i][3];
        if (alpha[i] < 255) clear = i + 1;
    }
    if (h->palette_count) put_chunk(out, "PLTE", palette, 3 * h->palette_count);
    if (h->transparent) put_chunk(out, "tRNS", alpha, clear ? clear : 1);
    for (int64_t at = 0; at < packed->length; at += PART)
        put_chunk(out, "IDAT", packed->data + at, packed->length - at < PART ? packed->length - at : PART);
    put_chunk(out, "IEND", "", 0);
}

/* ---- filters ------------------------------------------------------------------------------------------------------- */

static inline int guess(int filter, int left, int up, int corner)
{
    switch (filter) {
    case 1: return left;
    case 2: return up;
    case 3: return (left + up) / 2;
    case 4: return tg_png_paeth(left, up, corner);
    default: return 0;
    }
}

/* to[0] is the filter's number. Returns the sum of what is left, taken as numbers of -128..127, without signs. */
static inline int64_t filter_row(int filter, const uint8_t *row, const uint8_t *up, int64_t count, int64_t stride, uint8_t *to)
{
    int64_t sum = 0;
    *to++ = (uint8_t)filter;
    for (int64_t i = 0; i < stride; i++) to[i] = (uint8_t)(row[i] - guess(filter, 0, up[i], 0));
    for (int64_t i = stride; i < count; i++) to[i] = (uint8_t)(row[i] - guess(filter, row[i - stride], up[i], up[i - stride]));
    for (int64_t i = 0; i < count; i++) sum += to[i] < 128 ? to[i] : 256 - to[i];
    return sum;
}

/* Each row under the filter that leaves the least: a guess at what packs best that PNG's authors recommend. */
static void filter_rows(const tg_image *image, const uint8_t *zeros, uint8_t *spare, uint8_t *to)
{
    const int64_t c = image->channels, bytes = image->width * c;
    const uint8_t *up = zeros;
    for (int64_t y = 0; y < image->height; y++, to += 1 + bytes) {
        const uint8_t *row = image->pixels + y * bytes;
        int64_t least = filter_row(0, row, up, bytes, c, to), sum;
        for (int filter = 1; filter < FILTERS; filter++) {
            switch (filter) { /* constants, so that each has a loop of its own */
            case 1: sum = filter_row(1, row, up, bytes, c, spare); break;
            case 2: sum = filter_row(2, row, up, bytes, c, spare); break;
            case 3: sum = filter_row(3, row, up, bytes, c, spare); break;
            default: sum = filter_row(4, row, up, bytes, c, spare); break;
            }
            if (sum >= least) continue;
            least = sum;
            memcpy(to, spare, (size_t)(1 + bytes));
        }
        up = row;
    }
}

/* ---- palettes ------------------------------------------------------------------------------------------------------ */

/* Colours seen, and where each stands in the palette, by hash; index -1: an empty slot. */
typedef struct colours { uint32_t list[COLOURS], colour[SLOTS]; int16_t index[SLOTS]; int count; } colours;

static uint32_t colour_at(const uint8_t *pixel, int64_t channels)
{
    return (uint32_t)pixel[0] << 24 | (uint32_t)pixel[1] << 16 | (uint32_t)pixel[2] << 8 | (channels == 4 ? pixel[3] : 255);
}

static int slot_of(const colours *s, uint32_t colour)
{
    int slot = (int)(colour * UINT32_C(0x9e3779b1) >> 22);
    while (s->index[slot] >= 0 && s->colour[slot] != colour) slot = (slot + 1) % SLOTS;
    return slot;
}

/* False where there are more than a palette holds. */
static bool collect_colours(const tg_image *image, colours *s)
{
    const int64_t c = image->channels;
    memset(s->index, -1, sizeof s->index);
    s->count = 0;
    for (int64_t i = 0; i < image->width * image->height; i++) {
        const uint32_t colour = colour_at(image->pixels + i * c, c);
        const int slot = slot_of(s, colour);
        if (s->index[slot] >= 0) continue;
        if (s->count == COLOURS) return false;
        s->list[s->count++] = s->colour[slot] = colour;
        s->index[slot] = 0;
    }
    return true;
}

/* Those with transparency first, so that tRNS can end with them; each part from dark to bright. */
static int by_place(const void *a, const void *b, void *user)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    const bool x_opaque = (x & 255) == 255, y_opaque = (y & 255) == 255;
    (void)user;
    if (x_opaque != y_opaque) return x_opaque ? 1 : -1;
    return (x > y) - (x < y);
}

static void make_palette(colours *s, tg_png_head *h)
{
    uint32_t other[COLOURS];
    tg_sort(s->list, s->count, (int64_t)sizeof *s->list, other, by_place, NULL);
    for (int i = 0; i < s->count; i++) {
        s->index[slot_of(s, s->list[i])] = (int16_t)i;
        for (int k = 0; k < 4; k++) h->palette[i][k] = (uint8_t)(s->list[i] >> (24 - 8 * k));
    }
    h->palette_count = s->count;
    h->depth = s->count <= 2 ? 1 : s->count <= 4 ? 2 : s->count <= 16 ? 4 : 8;
}

/* The picture as indices of 1, 2, 4 or 8 bits, unfiltered. */
static int64_t index_rows(const tg_image *image, const colours *s, int depth, uint8_t *to)
{
    const int64_t bytes = (image->width * depth + 7) / 8, c = image->channels;
    const uint8_t *pixel = image->pixels;
    memset(to, 0, (size_t)(image->height * (1 + bytes)));
    for (int64_t y = 0; y < image->height; y++, to += 1 + bytes)
        for (int64_t x = 0; x < image->width; x++, pixel += c) {
            const int index = s->index[slot_of(s, colour_at(pixel, c))];
            to[1 + x * depth / 8] |= (uint8_t)(index << (8 - depth - x * depth % 8));
        }
    return image->height * (1 + bytes);
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

/* What was packed last becomes the best if it is smaller: packed bytes and head, a palette counted in. */
static void keep_smaller(tg_str *best, tg_png_head *best_head, tg_str *packed, const tg_png_head *h)
{
    const int64_t extra = h->palette_count ? 12 + 3 * h->palette_count + (h->transparent ? 12 + h->palette_count : 0) : 0;
    if (!best->data || packed->length + extra < best->length) {
        const tg_str other = *best;
        *best = *packed;
        *best_head = *h;
        *packed = other;
    }
    tg_str_clear(packed);
}

static tg_status write_smallest(tg_str *out, const tg_image *image, uint8_t *stream, uint8_t *zeros, uint8_t *spare)
{
    static const int types[] = {TG_PNG_GREY, TG_PNG_GREY_ALPHA, TG_PNG_RGB, TG_PNG_RGBA};
    const int64_t bytes = image->width * image->channels, size = image->height * (1 + bytes);
    const tg_png_head direct = {.width = image->width, .height = image->height, .depth = 8, .colour = types[image->channels - 1]};
    tg_png_head best_head = {0};
    tg_str packed = {0}, best = {0};
    colours seen;
    filter_rows(image, zeros, spare, stream);
    tg_status status = tg_zlib_write(&packed, stream, size);
    if (!status) keep_smaller(&best, &best_head, &packed, &direct);
    if (image->channels >= 3 && collect_colours(image, &seen)) {
        tg_png_head indexed = direct;
        indexed.colour = TG_PNG_PALETTE;
        indexed.transparent = image->channels == 4;
        make_palette(&seen, &indexed);
        const int64_t index_bytes = index_rows(image, &seen, indexed.depth, stream);
        if (!status) status = tg_zlib_write(&packed, stream, index_bytes);
        if (!status) keep_smaller(&best, &best_head, &packed, &indexed);
    } else {
        for (int64_t y = 0; y < image->height; y++) {
            stream[y * (1 + bytes)] = 0;
            memcpy(stream + y * (1 + bytes) + 1, image->pixels + y * bytes, (size_t)bytes);
        }
        if (!status) status = tg_zlib_write(&packed, stream, size);
        if (!status) keep_smaller(&best, &best_head, &packed, &direct);
    }
    if (!status) put_file(out, &best_head, &best);
    tg_str_free(&packed);
    tg_str_free(&best);
    return status ? status : out->failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_png_write(tg_str *out, const tg_image *image)
{
    if (!image->pixels || image->width < 1 || image->height < 1 || image->width > INT32_MAX || image->height > INT32_MAX ||
        image->channels < 1 || image->channels > 4)
        return tg_fail(TG_EINVAL, "no picture to be written as PNG: %" PRId64 " x %" PRId64 " pixels of %" PRId64 " channels",
                       image->width, image->height, image->channels);
    const int64_t bytes = 1 + image->width * image->channels;
    uint8_t *zeros = tg_alloc(bytes), *spare = zeros ? tg_alloc_raw(bytes) : NULL;
    uint8_t *stream = spare ? tg_alloc_raw(image->height * bytes) : NULL;
    const tg_status status = stream ? write_smallest(out, image, stream, zeros, spare) : TG_ENOMEM;
    tg_free(zeros);
    tg_free(spare);
    tg_free(stream);
    return status;
}
