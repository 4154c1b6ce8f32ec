/* utf8.h - UTF-8 as Unicode 17, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H
#include "tinygen/base.h"

/* Reads one character of [at, end); returns its length 1..4 and the code point, or 0 when the bytes are invalid. */
int tg_utf8_next(const char *at, const char *end, uint32_t *code);
/* The code point of U+1000..CFFF, three bytes that no rule but their form restricts and nearly all there is in Chinese; 0: not
 * one of these, look with tg_utf8_next. */
static inline uint32_t tg_utf8_three(const char *at, const char *end)
{
    const unsigned char *b = (const unsigned char *)at;
    if (end - at < 3 || b[0] < 0xe1 || b[0] > 0xec || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80) return 0;
    return (b[0] & 0xfu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
}
int tg_utf8_put(char out[4], uint32_t code);               /* bytes written; 0: not a scalar value */
/* Offset of the first invalid byte, or -1 when all is valid. */
int64_t tg_utf8_check(const char *bytes, int64_t count);
int64_t tg_utf8_length(const char *bytes, int64_t count);  /* in characters; text must be valid */
/* How many bytes at the end of [bytes, bytes+count) begin a character that is not complete (0..3). */
int tg_utf8_partial(const char *bytes, int64_t count);
/* Bytes of the extended grapheme cluster that begins at `at` (UAX #29), what a reader takes for one character; 0 at the
 * end. A byte that is not UTF-8 is a cluster of its own. */
int64_t tg_utf8_grapheme(const char *at, const char *end);
/* Columns on a terminal: 0 combining, 2 East Asian wide and emoji, 1 else; -1 control. */
int tg_utf8_width(uint32_t code);
/* By clusters: a cluster takes what its characters take, but two at most: so does a flag, a family, a keycap. Controls
 * take no column, a byte that is not UTF-8 takes one. */
int64_t tg_utf8_columns(const char *bytes, int64_t count);
/* Bytes of the whole clusters that fit in limit columns. */
int64_t tg_utf8_cut(const char *bytes, int64_t count, int64_t limit);
#endif
