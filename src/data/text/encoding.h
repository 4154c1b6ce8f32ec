/*
 * encoding.h - texts that are not UTF-8: which encoding bytes are in, and UTF-8 made of them.
 *
 *     tg_guess g = tg_encoding_guess(bytes, length);
 *     if (g.confidence < 0.9) ... say so, and how to overrule it
 *     tg_str text = {0};
 *     tg_status status = tg_encoding_to_utf8(g.encoding, bytes, length, &text);
 *
 * GB18030 is whole, with its codes of four bytes for all of Unicode, and holds GBK and GB 2312. Big5 is Microsoft's
 * cp950; where editions differ, encoding_tables.py says which is meant. The Big5 of Hong Kong (HKSCS), UTF-32, Shift
 * JIS, EUC-JP, EUC-KR, Latin and Cyrillic code pages are not known: a text in one of them gets little confidence.
 * UTF-7, HZ and ISO-2022 are known by their escapes, and not read.
 */
#ifndef TG_DATA_ENCODING_H
#define TG_DATA_ENCODING_H
#include "base/str.h"

/* Behind TG_ENCODINGS: what is recognised, and refused with the remedy. */
typedef enum tg_encoding {
    TG_UTF8, TG_UTF16LE, TG_UTF16BE, TG_GB18030, TG_BIG5, TG_ENCODINGS,
    TG_UTF7 = TG_ENCODINGS, TG_HZ, TG_ISO_2022_JP, TG_ISO_2022_KR, TG_ISO_2022_CN, TG_ENCODINGS_NAMED
} tg_encoding;

const char *tg_encoding_name(tg_encoding e); /* "UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "Big5", "UTF-7", ...; NULL beyond */

/* Reads one character of [at, end), at < end; returns its length 1..4 and the code point, 0 when no character begins
 * with these bytes, -1 when the end cuts what may be one. *code is written only on success. A mark is U+FEFF. */
int tg_encoding_next(tg_encoding e, const char *at, const char *end, uint32_t *code);

/* How many bytes at the end begin a character that is not complete (0..3), when all before it is valid: what a reader
 * that stops at a bound has to leave out. UTF-16 counts from bytes: they begin at an even offset of the text. */
int tg_encoding_partial(tg_encoding e, const char *bytes, int64_t length);

/* Appends the text in UTF-8; drops the byte order mark that it may begin with. Line ends stay as they are.
 * Errors: TG_EINVAL (bytes that are no character, a lone surrogate, a character cut short by the end: the message names
 * the byte, its offset in `bytes`, the encoding and what to do), TG_ENOMEM; *out is then as long as it was. */
tg_status tg_encoding_to_utf8(tg_encoding e, const char *bytes, int64_t length, tg_str *out);
/* The same for a piece of a text, whole characters that begin at byte `from` of it: there alone a mark may stand at 0, and
 * messages count from there. */
tg_status tg_encoding_piece(tg_encoding e, const char *bytes, int64_t length, int64_t from, tg_str *out);
/* Whether tg_encoding_piece would succeed: the same errors. *nul, where it is negative, becomes the offset in the text of the
 * first NUL, if there is one. */
tg_status tg_encoding_check(tg_encoding e, const char *bytes, int64_t length, int64_t from, int64_t *nul);

/*
 * tg_encoding_guess - the likeliest encoding; the same for the same bytes, always. In this order:
 *   a byte order mark decides (EF BB BF, FF FE, FE FF, 84 31 95 33): confidence 1, mark true (UTF-32's FF FE 0 0: 0);
 *   ASCII without NUL is UTF-8: confidence 1; unless its first TG_GUESS_ROOM bytes look like UTF-7, HZ or ISO-2022
 *   (tg_encoding_seven): those, confidence 0.99;
 *   valid UTF-8 without NUL is UTF-8: fewer than one in five characters of a Chinese text in another encoding pass for
 *   it by chance, so n of them give confidence 1 - 0.1·0.2^n;
 *   else each encoding decodes the bytes, and one table prices the characters in bits: 7 the commonest hanzi and signs,
 *   9 and 13 what is common in either script, 16 other hanzi, 20 and more what texts hardly have, 28 a byte that is no
 *   character. So the right reading costs the same in every encoding, and a wrong one is noise, which costs more. A
 *   sixth candidate, "none of these", pays the same for printable ASCII, 6 bits for any other byte. The cheapest of the
 *   five wins; confidence = 1 / Σ 2^((its bits - theirs) / 2) over all six. The half: neighbours are not independent.
 * Below 0.5 do not believe it: none of the five fits, or the text is too short. 20 hanzi are nearly always enough (none
 * of 5,717 cuttings of 20 from real texts was mistaken), two are not. A character that the end cuts is no error.
 * Looked at: 1 MiB (2^20 bytes) from the first byte on that is not ASCII, or NUL, however late it comes; what is before
 * says nothing. More would not change a sum of thousands of bits, and a guess must not cost more than the decoding.
 * Weak: UTF-16 without mark is taken for ASCII where all its bytes happen to be (up to about five hanzi); Japanese and
 * Latin words with few hanzi in GB18030 or Big5 are found, but with low confidence.
 */
typedef struct tg_guess { tg_encoding encoding; double confidence; bool mark; } tg_guess; /* mark: a byte order mark */
tg_guess tg_encoding_guess(const char *bytes, int64_t length);
enum { TG_GUESS_WINDOW = 1 << 20 };
/* UTF-7, HZ or ISO-2022 for bytes that are ASCII without NUL and hold well formed runs of one of these, else TG_UTF8. Cautious:
 * a text of a few such characters passes for ASCII. */
tg_encoding tg_encoding_seven(const char *bytes, int64_t length);
/* The same guess of a text that comes in parts. read gives the next up to `room` bytes, as many as there are, none at the end;
 * room: TG_GUESS_ROOM bytes to work in. *ascii: all of it is, without NUL, and it is UTF-8. Errors: those of read. */
enum { TG_GUESS_LEAD = 2, TG_GUESS_ROOM = 2 * TG_GUESS_WINDOW + TG_GUESS_LEAD };
typedef tg_status tg_guess_read(void *user, char *out, int64_t room, int64_t *got);
tg_status tg_encoding_guess_parts(tg_guess_read *read, void *user, char *room, tg_guess *out, bool *ascii);
#endif
