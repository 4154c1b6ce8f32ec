/* gzip.h - RFC 1952, read. A file is members one behind the other, each: 1f 8b, 08, flags, u32 time, 2 bytes; by flags: extra
 * field (u16 length first), name and comment (to a NUL), u16 CRC of the header; a deflate stream; u32 CRC-32 and u32 length of
 * what it made. All members are joined; zeros behind the last are padding. */
#ifndef TG_DATA_GZIP_H
#define TG_DATA_GZIP_H
#include "tinygen/base.h"

bool tg_gzip_known(const uint8_t *bytes, int64_t size);

/* All that the members hold; *out is the caller's by tg_free, not NULL even when empty. what names the source in errors.
 * Errors: TG_EFORMAT (damaged or cut short; says at which byte), TG_EUNSUPPORTED (makes more than max_bytes), TG_ENOMEM. */
tg_status tg_gunzip(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, uint8_t **out, int64_t *out_size);
#endif
