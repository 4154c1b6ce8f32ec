/* pnm.c - Netpbm, read and written. The plain formats' numbers and a header's are read by one function. */
#include "data/codec/pnm.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"

enum { PLAIN_BITS = 1, BITS = 4, GREY = 5, MAXVAL_MOST = 65535, ANY_DIGITS = INT32_MAX };

typedef struct pnm {
    const uint8_t *bytes;
    int64_t size, at;
    const char *what;
    int kind;          /* the digit */
    int64_t width, height, maxval;
} pnm;

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind white space and comments. */
static void pass_space(pnm *p)
{
    for (; p->at < p->size; p->at++) {
        if (p->bytes[p->at] == '#')
            while (p->at < p->size && p->bytes[p->at] != '\n') p->at++;
        else if (!is_space(p->bytes[p->at])) return;
    }
    p->at = p->size; /* a comment without an end went past it */
}

static tg_status cut_short(const pnm *p, const char *where)
{
    return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in %s; fetch it again", p->what, p->size, where);
}

/* digits_most 1: bits may stand without white space between. */
static tg_status read_number(pnm *p, const char *where, int digits_most, int64_t low, int64_t high, int64_t *out)
{
    pass_space(p);
    const int64_t start = p->at;
    int64_t x = 0;
    if (start == p->size) return cut_short(p, where);
    for (; p->at < p->size && p->bytes[p->at] >= '0' && p->bytes[p->at] <= '9' && p->at - start < digits_most; p->at++)
        if (x <= high) x = 10 * x + (p->bytes[p->at] - '0');
    if (p->at == start) return tg_fail(TG_EFORMAT, "%s: no number at byte %" PRId64 ", in %s", p->what, start, where);
    if (x < low || x > high)
        return tg_fail(TG_EFORMAT, "%s: the number at byte %" PRId64 ", in %s, is not in %" PRId64 "..%" PRId64, p->what, start,
                       where, low, high);
    *out = x;
    return TG_OK;
}

bool tg_pnm_known(const uint8_t *bytes, int64_t size)
{
    if (size < 3 || bytes[0] != 'P' || bytes[1] < '1' || bytes[1] > '6' || (!is_space(bytes[2]) && bytes[2] != '#')) return false;
    pnm p = {.bytes = bytes, .size = size, .at = 2};
    pass_space(&p);
    return p.at == size || (bytes[p.at] >= '0' && bytes[p.at] <= '9');
}

static tg_status read_header(pnm *p)
{
    tg_status status = TG_OK;
    p->kind = p->bytes[1] - '0';
    p->at = 2;
    p->maxval = 1;
    status = read_number(p, "its width", ANY_DIGITS, 1, INT32_MAX, &p->width);
    if (!status) status = read_number(p, "its height", ANY_DIGITS, 1, INT32_MAX, &p->height);
    if (!status && p->kind != PLAIN_BITS && p->kind != BITS)
        status = read_number(p, "its largest value", ANY_DIGITS, 1, MAXVAL_MOST, &p->maxval);
    if (status || p->kind < BITS) return status;
    if (p->at == p->size) return cut_short(p, "its header");
    /* One white space, and a comment that follows without any is that, too: Netpbm reads it so. */
    if (p->bytes[p->at] == '#')
        while (p->at < p->size && p->bytes[p->at] != '\n') p->at++;
    else if (!is_space(p->bytes[p->at]))
        return tg_fail(TG_EFORMAT, "%s: no white space at byte %" PRId64 ", behind its header", p->what, p->at);
    p->at++;
    return TG_OK;
}

static int64_t row_bytes(const pnm *p, int channels)
{
    if (p->kind == BITS) return (p->width + 7) / 8;
    return p->width * channels * (p->maxval > 255 ? 2 : 1);
}

/* All samples of a plain format have been read one by one; those of the others lie at p->at. */
static tg_status read_samples(pnm *p, int channels, uint8_t *pixels)
{
    const int64_t in_row = p->width * channels, bytes = row_bytes(p, channels);
    for (int64_t y = 0; y < p->height; y++) {
        for (int64_t x = 0; x < in_row; x++) {
            const uint8_t *row = p->bytes + p->at;
            int64_t sample;
            if (p->kind < BITS) {
                const int digits = p->kind == PLAIN_BITS ? 1 : ANY_DIGITS;
                const tg_status status = read_number(p, "its samples", digits, 0, p->maxval, &sample);
                if (status) return status;
            } else if (p->kind == BITS) sample = row[x / 8] >> (7 - x % 8) & 1;
            else sample = p->maxval > 255 ? row[2 * x] << 8 | row[2 * x + 1] : row[x];
            if (sample > p->maxval)
                return tg_fail(TG_EFORMAT, "%s: a sample of %" PRId64 " in row %" PRId64 ", where %" PRId64
                               " is said to be the largest", p->what,
                               sample, y, p->maxval);
            if (p->kind == PLAIN_BITS || p->kind == BITS) sample = 1 - sample;
            *pixels++ = (uint8_t)((sample * 255 + p->maxval / 2) / p->maxval);
        }
        if (p->kind >= BITS) p->at += bytes;
    }
    return TG_OK;
}

/* White space may follow, nothing else: of several pictures in one file all but the first would be lost without a word. */
static tg_status check_end(pnm *p)
{
    const int64_t end = p->at;
    if (p->kind < BITS) pass_space(p);
    while (p->at < p->size && is_space(p->bytes[p->at])) p->at++;
    if (p->at == p->size) return TG_OK;
    return tg_fail(TG_EFORMAT, "%s: %" PRId64 " bytes lie behind the picture, from byte %" PRId64
                   " on; one picture a file is read", p->what,
                   p->size - end, end);
}

tg_status tg_pnm_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out)
{
    pnm p = {.bytes = bytes, .size = size, .what = what};
    tg_status status = read_header(&p);
    if (status) return status;
    const int channels = p.kind % 3 == 0 ? 3 : 1;
    int64_t count;
    if (__builtin_mul_overflow(p.width * p.height, channels, &count) || count > max_bytes)
        return tg_fail(TG_EUNSUPPORTED, "%s: %" PRId64 " x %" PRId64 " pixels of %d channels are more than the %" PRId64
                       " bytes that a picture may have here", what, p.width, p.height, channels, max_bytes);
    if (p.width > TG_IMAGE_SIDE || p.height > TG_IMAGE_SIDE) return tg_image_too_long(what, p.width, p.height);
    /* A plain sample is at least a digit, and but for bits a white space before it. */
    const int64_t least = p.kind == PLAIN_BITS ? count : p.kind < BITS ? 2 * count - 1 : row_bytes(&p, channels) * p.height;
    if (least > size - p.at)
        return tg_fail(TG_EFORMAT, "%s: cut short: %" PRId64 " x %" PRId64 " pixels need at least %" PRId64
                       " bytes from byte %" PRId64 " on, there are %" PRId64 "; fetch it again",
                       what, p.width, p.height, least, p.at, size - p.at);
    uint8_t *pixels = tg_alloc_raw(count);
    status = pixels ? read_samples(&p, channels, pixels) : TG_ENOMEM;
    if (!status) status = check_end(&p);
    if (!status) *out = (tg_image){p.width, p.height, channels, pixels};
    else tg_free(pixels);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

tg_status tg_pnm_write(tg_str *out, const tg_image *image)
{
    const int64_t c = image->channels;
    if (c == 2 || c == 4)
        return tg_fail(TG_EUNSUPPORTED, "PNM holds no transparency, and the picture has an alpha channel; write PNG");
    if (!image->pixels || (c != 1 && c != 3)) return tg_fail(TG_EINVAL, "no picture to be written as PNM");
    tg_str_addf(out, "P%d\n%" PRId64 " %" PRId64 "\n255\n", c == 3 ? GREY + 1 : GREY, image->width, image->height);
    tg_str_add_n(out, (const char *)image->pixels, image->width * image->height * c);
    return out->failed ? TG_ENOMEM : TG_OK;
}
