/* deflate.h - RFC 1951 (deflate) and 1950 (zlib), written; inflate.h reads. The same data make the same bytes on every
 * machine. */
#ifndef TG_DATA_DEFLATE_H
#define TG_DATA_DEFLATE_H
#include "base/str.h"

/* Appended to out. Errors: TG_ENOMEM. */
tg_status tg_deflate(tg_str *out, const uint8_t *data, int64_t size);
/* The same as a zlib stream: header, deflate, Adler-32. */
tg_status tg_zlib_write(tg_str *out, const uint8_t *data, int64_t size);

/* ---- deflate_block.c, for deflate.c: symbols of one block, written under whichever code makes the fewest bytes ---- */

enum { TG_DEFLATE_LITLENS = 286, TG_DEFLATE_DISTS = 30 };
/* A literal (distance 0), or a match. */
typedef struct tg_deflate_symbol { uint16_t length, distance; } tg_deflate_symbol;
typedef struct tg_deflate_bits { tg_str *out; uint64_t bits; int count; } tg_deflate_bits;
/* data, size: what the symbols stand for. */
void tg_deflate_block(tg_deflate_bits *to, const tg_deflate_symbol *symbols, int64_t count, const uint8_t *data, int64_t size,
                      bool last);
/* Fills up the last byte. */
void tg_deflate_flush(tg_deflate_bits *to);
/* Lengths of an optimal prefix code of at most `longest` bits for symbols of these frequencies; 0: a symbol that does not
 * occur. */
void tg_deflate_lengths(const uint32_t *frequencies, int count, int longest, uint8_t *lengths);
#endif
