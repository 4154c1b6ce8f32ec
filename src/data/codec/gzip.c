/* gzip.c - members one by one. The length that a member's end tells is four bytes of anything: it is a hint for the first
 * allocation where it can be true, and is checked against what came out. */
#include "data/codec/gzip.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "data/codec/inflate.h"

enum { HEAD = 10, TAIL = 8, DEFLATE = 8 };
enum { HAS_HEADER_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16, RESERVED = 0xe0 };

bool tg_gzip_known(const uint8_t *bytes, int64_t size)
{
    return size >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == DEFLATE;
}

static uint32_t little(const uint8_t *at, int bytes)
{
    uint32_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint32_t)at[i] << 8 * i;
    return x;
}

static tg_status cut_short(const char *what, int64_t size, const char *where)
{
    return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in %s; fetch it again", what, size, where);
}

/* *at is moved behind the next NUL; false where there is none. */
static bool pass_text(const uint8_t *bytes, int64_t size, int64_t *at)
{
    while (*at < size && bytes[*at]) ++*at;
    return ++*at <= size;
}

/* *at is moved from a member's first byte to its compressed data. */
static tg_status read_head(const uint8_t *bytes, int64_t size, int64_t *at, const char *what)
{
    const int64_t start = *at;
    int64_t i = start + HEAD;
    if (size - start < HEAD) return cut_short(what, size, "the header of gzip");
    if (!tg_gzip_known(bytes + start, size - start))
        return tg_fail(TG_EFORMAT, "%s: byte %" PRId64 " begins no gzip data", what, start);
    const uint8_t flags = bytes[start + 3];
    if (flags & RESERVED)
        return tg_fail(TG_EFORMAT, "%s: flags of no known meaning (%02x) at byte %" PRId64, what, flags, start + 3);
    if (flags & HAS_EXTRA) {
        if (size - i < 2) return cut_short(what, size, "the header of gzip");
        const int64_t extra = little(bytes + i, 2);
        i += 2;
        if (size - i < extra) return cut_short(what, size, "the header of gzip");
        i += extra;
    }
    if (flags & HAS_NAME && !pass_text(bytes, size, &i)) return cut_short(what, size, "the name in the header of gzip");
    if (flags & HAS_COMMENT && !pass_text(bytes, size, &i)) return cut_short(what, size, "the comment in the header of gzip");
    if (flags & HAS_HEADER_CRC) {
        if (size - i < 2) return cut_short(what, size, "the header of gzip");
        const uint32_t is = tg_crc32(0, bytes + start, i - start) & 0xffff, told = little(bytes + i, 2);
        if (is != told)
            return tg_fail(TG_EFORMAT, "%s: damaged: CRC of the header at byte %" PRId64 " is %04" PRIx32 ", said to be %04"
                           PRIx32 "; fetch it again", what, start, is, told);
        i += 2;
    }
    *at = i;
    return TG_OK;
}

static tg_status read_member(const uint8_t *bytes, int64_t size, int64_t *at, const char *what, tg_inflated *out)
{
    const int64_t start = out->length;
    tg_status status = read_head(bytes, size, at, what);
    if (!status) status = tg_inflate(bytes, size, at, what, out);
    if (status) return status;
    if (size - *at < TAIL) return cut_short(what, size, "the checksum of gzip");
    const uint32_t is = tg_crc32(0, out->data + start, out->length - start), told = little(bytes + *at, 4);
    if (is != told)
        return tg_fail(TG_EFORMAT, "%s: damaged: CRC-32 of what was compressed is %08" PRIx32 ", at byte %" PRId64
                       " it is said to be %08" PRIx32 "; fetch it again", what, is, *at, told);
    const uint32_t length = little(bytes + *at + 4, 4);
    if (length != (uint32_t)(out->length - start))
        return tg_fail(TG_EFORMAT, "%s: damaged: %" PRId64 " bytes were compressed, at byte %" PRId64 " it is said to be %" PRIu32
                       " (modulo 2^32); fetch it again", what, out->length - start, *at + 4, length);
    *at += TAIL;
    return TG_OK;
}

tg_status tg_gunzip(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, uint8_t **out, int64_t *out_size)
{
    tg_inflated made = {.limit = max_bytes};
    int64_t at = 0;
    tg_status status = TG_OK;
    if (size >= HEAD + TAIL) {
        const int64_t hint = little(bytes + size - 4, 4);
        if (hint / TG_INFLATE_MOST <= size) status = tg_inflate_reserve(&made, hint);
    }
    do {
        if (!status) status = read_member(bytes, size, &at, what, &made);
    } while (!status && tg_gzip_known(bytes + at, size - at));
    for (int64_t i = at; !status && i < size; i++)
        if (bytes[i])
            status = tg_fail(TG_EFORMAT, "%s: what follows its compressed data at byte %" PRId64
                             " is neither gzip data nor zeros", what, at);
    if (status) {
        tg_free(made.data);
        return status;
    }
    *out = made.data;
    *out_size = made.length;
    return TG_OK;
}
