/* inflate.h - RFC 1951 (deflate) and 1950 (zlib), read. Of bytes in memory; what they make grows as it comes, never past a limit,
 * so that no length that a file claims needs to be believed. deflate.h writes. */
#ifndef TG_DATA_INFLATE_H
#define TG_DATA_INFLATE_H
#include "tinygen/base.h"

/* No stream makes more than so many bytes of one of its own: a match of 258 bytes is at least two bits. */
enum { TG_INFLATE_MOST = 1032 };
/* Start from {.limit = most bytes}; data is the caller's by tg_free, whatever the status. */
typedef struct tg_inflated { uint8_t *data; int64_t length, room, limit; } tg_inflated;
/* Room for so many bytes in all (up to the limit) at once, where a caller knows how many there will be. */
tg_status tg_inflate_reserve(tg_inflated *out, int64_t bytes);

/* The deflate stream that begins at bytes[*at], appended to out; *at is then behind its last byte. what names the source in
 * errors, which count bytes from `bytes`. Matches do not reach back to what was in out before.
 * Errors: TG_EFORMAT, TG_EUNSUPPORTED (more than the limit), TG_ENOMEM. */
tg_status tg_inflate(const uint8_t *bytes, int64_t size, int64_t *at, const char *what, tg_inflated *out);
/* A whole zlib stream: header, deflate, Adler-32, nothing behind it. Errors: the same. */
tg_status tg_zlib_read(const uint8_t *bytes, int64_t size, const char *what, tg_inflated *out);
#endif
