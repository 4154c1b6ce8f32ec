/* png.c - chunks: their order, checksums and headers, and what of them the picture needs. Strict: what the specification forbids
 * is refused, as a picture for training is either right or not there. Chunks that need not be understood are passed over, but for
 * their checksums. */
#include "data/codec/png.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "data/codec/inflate.h"

enum { CHUNK_HEAD = 8, CHUNK_TAIL = 4, LONGEST = INT32_MAX, IHDR_BYTES = 13 };

typedef struct chunk { char type[5]; const uint8_t *data; int64_t length, at; } chunk;

typedef struct png {
    const uint8_t *bytes;
    int64_t size, at;       /* at: of the next chunk */
    const char *what;
    tg_png_head head;
    bool has_palette, has_transparency, ended;
    const uint8_t *first;   /* data of the first IDAT; NULL: none so far */
    int64_t parts, packed;  /* IDAT chunks, bytes in all of them */
    bool after;             /* another chunk came behind an IDAT */
} png;

static uint32_t big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool tg_png_known(const uint8_t *bytes, int64_t size)
{
    int same = 0;
    for (int i = 0; i < TG_PNG_SIGNATURE_BYTES && i < size; i++) same += bytes[i] == (uint8_t)TG_PNG_SIGNATURE[i];
    return same >= 5 || (size >= 4 && !memcmp(bytes, TG_PNG_SIGNATURE, 4));
}

/* ---- chunks -------------------------------------------------------------------------------------------------------- */

static tg_status wrong(const png *p, const chunk *c, const char *how)
{
    return tg_fail(TG_EFORMAT, "%s: chunk %s at byte %" PRId64 " %s", p->what, c->type, c->at, how);
}

static tg_status cut_short(const png *p, const char *where)
{
    return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in %s; fetch it again", p->what, p->size, where);
}

static tg_status next_chunk(png *p, chunk *c)
{
    const uint8_t *at = p->bytes + p->at;
    if (p->size - p->at < CHUNK_HEAD + CHUNK_TAIL)
        return cut_short(p, p->size == p->at ? "front of its chunk IEND" : "a chunk's frame");
    *c = (chunk){.data = at + CHUNK_HEAD, .length = big(at), .at = p->at};
    for (int i = 0; i < 4; i++) {
        const uint8_t letter = at[4 + i];
        if ((letter | 0x20) < 'a' || (letter | 0x20) > 'z')
            return tg_fail(TG_EFORMAT, "%s: damaged: no chunk begins at byte %" PRId64 "; fetch it again", p->what, p->at);
        c->type[i] = (char)letter;
    }
    if (c->length > LONGEST) return wrong(p, c, "says that it is longer than any chunk may be");
    if (c->length > p->size - p->at - CHUNK_HEAD - CHUNK_TAIL) return cut_short(p, c->type);
    const uint32_t is = tg_crc32(0, at + 4, c->length + 4), told = big(c->data + c->length);
    if (is != told)
        return tg_fail(TG_EFORMAT, "%s: damaged: CRC-32 of chunk %s at byte %" PRId64 " is %08" PRIx32 ", said to be %08" PRIx32
                       "; fetch it again", p->what, c->type, c->at, is, told);
    p->at += CHUNK_HEAD + c->length + CHUNK_TAIL;
    return TG_OK;
}

static bool is(const chunk *c, const char *type)
{
    return !memcmp(c->type, type, 4);
}

static tg_status read_header(png *p, const chunk *c)
{
    tg_png_head *h = &p->head;
    if (!is(c, "IHDR")) return wrong(p, c, "stands where IHDR must");
    if (c->length != IHDR_BYTES) return wrong(p, c, "is not of 13 bytes");
    h->width = big(c->data);
    h->height = big(c->data + 4);
    h->depth = c->data[8];
    h->colour = c->data[9];
    if (h->width == 0 || h->height == 0 || h->width > INT32_MAX || h->height > INT32_MAX)
        return tg_fail(TG_EFORMAT, "%s: a picture of %" PRId64 " x %" PRId64 " pixels: no such size", p->what, h->width,
                       h->height);
    static const struct { int colour, depths, channels; } kinds[] = { /* depths: a bit each */
        {TG_PNG_GREY, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16, 1}, {TG_PNG_RGB, 1 << 8 | 1 << 16, 3},
        {TG_PNG_PALETTE, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8, 3},        {TG_PNG_GREY_ALPHA, 1 << 8 | 1 << 16, 2},
        {TG_PNG_RGBA, 1 << 8 | 1 << 16, 4},
    };
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
        if (kinds[i].colour == h->colour && h->depth <= 16 && kinds[i].depths >> h->depth & 1) h->channels = kinds[i].channels;
    if (h->channels == 0)
        return tg_fail(TG_EFORMAT, "%s: colour type %d with %d bits a sample: there is no such kind", p->what, h->colour,
                       h->depth);
    if (c->data[10] != 0) return wrong(p, c, "names a compression that is not known");
    if (c->data[11] != 0) return wrong(p, c, "names a filter method that is not known");
    if (c->data[12] > 1) return wrong(p, c, "names an interlacing that is not known");
    h->interlaced = c->data[12];
    return TG_OK;
}

static tg_status read_palette(png *p, const chunk *c)
{
    tg_png_head *h = &p->head;
    const int64_t most = h->colour == TG_PNG_PALETTE ? 1 << h->depth : 256;
    if (p->has_palette) return wrong(p, c, "is the second of its kind");
    if (p->first || p->has_transparency) return wrong(p, c, "comes too late");
    if (h->colour == TG_PNG_GREY || h->colour == TG_PNG_GREY_ALPHA) return wrong(p, c, "is a palette in a grey picture");
    if (c->length == 0 || c->length % 3 != 0) return wrong(p, c, "is not made of colours of three bytes");
    if (c->length / 3 > most) return wrong(p, c, "has more colours than the picture's bits can name");
    p->has_palette = true;
    if (h->colour != TG_PNG_PALETTE) return TG_OK; /* a suggestion for screens of few colours */
    h->palette_count = (int)(c->length / 3);
    for (int i = 0; i < h->palette_count; i++) {
        memcpy(h->palette[i], c->data + 3 * i, 3);
        h->palette[i][3] = 255;
    }
    return TG_OK;
}

static tg_status read_transparency(png *p, const chunk *c)
{
    tg_png_head *h = &p->head;
    if (p->has_transparency) return wrong(p, c, "is the second of its kind");
    if (p->first) return wrong(p, c, "comes too late");
    if (h->colour == TG_PNG_GREY_ALPHA || h->colour == TG_PNG_RGBA) return wrong(p, c, "is in a picture with an alpha channel");
    p->has_transparency = h->transparent = true;
    h->channels++;
    if (h->colour == TG_PNG_PALETTE) {
        if (!p->has_palette) return wrong(p, c, "comes before the palette");
        if (c->length > h->palette_count) return wrong(p, c, "has more entries than the palette");
        for (int64_t i = 0; i < c->length; i++) h->palette[i][3] = c->data[i];
        return TG_OK;
    }
    const int samples = h->colour == TG_PNG_GREY ? 1 : 3;
    if (c->length != 2 * samples) return wrong(p, c, "is not one colour of the picture's kind");
    for (int i = 0; i < samples; i++)
        h->key[i] = (uint16_t)((c->data[2 * i] << 8 | c->data[2 * i + 1]) & ((1 << h->depth) - 1));
    return TG_OK;
}

static tg_status read_data(png *p, const chunk *c)
{
    if (p->after) return wrong(p, c, "is parted from those before it");
    if (p->head.colour == TG_PNG_PALETTE && !p->has_palette) return wrong(p, c, "comes before the palette");
    if (!p->first) p->first = c->data;
    p->parts++;
    p->packed += c->length;
    return TG_OK;
}

static tg_status read_chunk(png *p)
{
    chunk c;
    tg_status status = next_chunk(p, &c);
    if (status) return status;
    if (p->head.channels == 0) return read_header(p, &c);
    if (is(&c, "IDAT")) return read_data(p, &c);
    p->after = p->first;
    if (is(&c, "IHDR")) return wrong(p, &c, "is the second of its kind");
    if (is(&c, "PLTE")) return read_palette(p, &c);
    if (is(&c, "tRNS")) return read_transparency(p, &c);
    if (is(&c, "IEND")) {
        p->ended = true;
        if (c.length) return wrong(p, &c, "is not empty");
        return p->first ? TG_OK : wrong(p, &c, "comes before any image data (IDAT)");
    }
    const bool critical = !(c.type[0] & 0x20);
    return critical ? wrong(p, &c, "is of a kind that is not known, and the picture cannot be read without it") : TG_OK;
}

static tg_status read_chunks(png *p)
{
    for (int i = 0; i < TG_PNG_SIGNATURE_BYTES; i++) {
        if (i == p->size) return cut_short(p, "the signature of PNG");
        if (p->bytes[i] != (uint8_t)TG_PNG_SIGNATURE[i])
            return tg_fail(TG_EFORMAT,
                           "%s: damaged: the signature of PNG is broken at byte %d, as by a transfer as text; fetch it again",
                           p->what, i);
    }
    p->at = TG_PNG_SIGNATURE_BYTES;
    tg_status status = TG_OK;
    while (!status && !p->ended) status = read_chunk(p);
    return status;
}

/* ---- image data ---------------------------------------------------------------------------------------------------- */

/* All IDAT as one. Where there is but one it is taken from where it lies, and *joined stays NULL. */
static const uint8_t *join(const png *p, uint8_t **joined)
{
    if (p->parts == 1) return p->first;
    uint8_t *to = *joined = tg_alloc_raw(p->packed);
    const uint8_t *from = p->first;
    for (int64_t i = 0; to && i < p->parts; i++) {
        const uint32_t length = big(from - CHUNK_HEAD);
        if (length) memcpy(to, from, length);
        to += length;
        from += length + CHUNK_TAIL + CHUNK_HEAD;
    }
    return *joined;
}

static tg_status unpack(const png *p, tg_inflated *stream)
{
    uint8_t *joined = NULL;
    tg_str what = {0};
    tg_str_addf(&what, "%s, in the data of its IDAT", p->what);
    const uint8_t *packed = join(p, &joined);
    tg_status status = what.failed || !packed ? TG_ENOMEM : tg_inflate_reserve(stream, stream->limit);
    if (!status) status = tg_zlib_read(packed, p->packed, what.data, stream);
    if (status == TG_EUNSUPPORTED)
        status = tg_fail(TG_EFORMAT, "%s: more image data than %" PRId64 " x %" PRId64 " pixels have", p->what, p->head.width,
                         p->head.height);
    if (!status && stream->length < stream->limit)
        status = tg_fail(TG_EFORMAT, "%s: image data of %" PRId64 " bytes, where %" PRId64 " x %" PRId64 " pixels have %" PRId64,
                         p->what, stream->length, p->head.width, p->head.height, stream->limit);
    tg_str_free(&what);
    tg_free(joined);
    return status;
}

static tg_status make_pixels(const png *p, int64_t max_bytes, tg_image *out)
{
    const tg_png_head *h = &p->head;
    int64_t bytes;
    const int64_t most = max_bytes < INT64_C(1) << 40 ? max_bytes : INT64_C(1) << 40;
    if (__builtin_mul_overflow(h->width * h->height, h->channels, &bytes) || bytes > most)
        return tg_fail(TG_EUNSUPPORTED, "%s: %" PRId64 " x %" PRId64 " pixels of %d channels are more than the %" PRId64
                       " bytes that a picture may have here", p->what, h->width, h->height, h->channels, most);
    if (h->width > TG_IMAGE_SIDE || h->height > TG_IMAGE_SIDE) return tg_image_too_long(p->what, h->width, h->height);
    tg_inflated stream = {.limit = tg_png_stream_bytes(h)};
    if (stream.limit / TG_INFLATE_MOST > p->packed)
        return tg_fail(TG_EFORMAT, "%s: %" PRId64 " bytes of image data are too few for %" PRId64 " x %" PRId64 " pixels",
                       p->what, p->packed, h->width, h->height);
    tg_status status = unpack(p, &stream);
    uint8_t *pixels = status ? NULL : tg_alloc_raw(bytes);
    if (!status && !pixels) status = TG_ENOMEM;
    if (!status) status = tg_png_rows(h, stream.data, p->what, pixels);
    if (!status) *out = (tg_image){h->width, h->height, h->channels, pixels};
    else tg_free(pixels);
    tg_free(stream.data);
    return status;
}

tg_status tg_png_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out)
{
    png p = {.bytes = bytes, .size = size, .what = what};
    const tg_status status = read_chunks(&p);
    return status ? status : make_pixels(&p, max_bytes, out);
}
