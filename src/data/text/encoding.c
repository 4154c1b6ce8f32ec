/* encoding.c - UTF-16, GB18030 and Big5 by their tables, one character at a time, and whole texts to UTF-8. */
#include "data/text/encoding.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "data/text/encoding_tables.h"

const char *tg_encoding_name(tg_encoding e)
{
    static const char *const names[TG_ENCODINGS_NAMED] = {"UTF-8", "UTF-16LE", "UTF-16BE", "GB18030", "Big5", "UTF-7", "HZ",
                                                          "ISO-2022-JP", "ISO-2022-KR", "ISO-2022-CN"};
    return (unsigned)e < TG_ENCODINGS_NAMED ? names[e] : NULL;
}

/* ---- one character: its length, 0 none, -1 cut short ------------------------------------------------------------ */

static int next_utf8(const uint8_t *at, int64_t have, uint32_t *code)
{
    const char *text = (const char *)at;
    int size = tg_utf8_next(text, text + have, code);
    return size == 0 && have < 4 && tg_utf8_partial(text, have) == have ? -1 : size;
}

static int next_utf16(const uint8_t *at, int64_t have, int low, uint32_t *code)
{
    if (have < 2) return -1;
    uint32_t unit = at[low] | (uint32_t)at[1 - low] << 8;
    if ((unit & 0xf800) != 0xd800) {
        *code = unit;
        return 2;
    }
    if (unit >= 0xdc00) return 0;
    if (have < 4) return -1;
    uint32_t second = at[2 + low] | (uint32_t)at[3 - low] << 8;
    if ((second & 0xfc00) != 0xdc00) return 0;
    *code = 0x10000 + ((unit & 0x3ff) << 10 | (second & 0x3ff));
    return 4;
}

/* Below U+10000 codes of four bytes number what two bytes do not have; from 90308130 on they number all the rest. */
static int next_four(const uint8_t *at, int64_t have, uint32_t *code)
{
    if (have > 2 && (at[2] < 0x81 || at[2] == 0xff)) return 0;
    if (have < 4) return -1;
    if (at[3] < 0x30 || at[3] > 0x39) return 0;
    uint32_t number = ((at[0] - 0x81u) * 10 + (at[1] - 0x30u)) * 1260 + (at[2] - 0x81u) * 10 + (at[3] - 0x30u);
    if (number >= 189000) {
        if (number - 189000 > 0xfffff) return 0;
        *code = 0x10000 + (number - 189000);
        return 4;
    }
    if (number > 39419) return 0;
    int low = 0, high = sizeof gb18030_four / sizeof *gb18030_four; /* the run of number lies in [low, high) */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (gb18030_four[middle][0] <= number) low = middle;
        else high = middle;
    }
    *code = gb18030_four[low][1] + (number - gb18030_four[low][0]);
    return 4;
}

static int next_gb18030(const uint8_t *at, int64_t have, uint32_t *code)
{
    if (at[0] < 0x81 || at[0] == 0xff) return 0;
    if (have < 2) return -1;
    uint8_t trail = at[1];
    if (trail < 0x40) return trail >= 0x30 && trail <= 0x39 ? next_four(at, have, code) : 0;
    if (trail == 0x7f || trail == 0xff) return 0;
    *code = gb18030_two[at[0] - 0x81][trail - 0x40 - (trail > 0x7f)];
    return 2;
}

static int next_big5(const uint8_t *at, int64_t have, uint32_t *code)
{
    if (at[0] < 0xa1 || at[0] > 0xf9) return 0;
    if (have < 2) return -1;
    uint8_t trail = at[1];
    if (trail < 0x40 || (trail > 0x7e && trail < 0xa1) || trail == 0xff) return 0;
    uint32_t found = big5_two[at[0] - 0xa1][trail - 0x40 - (trail > 0x7e ? 0x22 : 0)];
    if (found == 0) return 0;
    *code = found;
    return 2;
}

static inline int next(tg_encoding e, const uint8_t *at, int64_t have, uint32_t *code)
{
    if (e == TG_UTF16LE || e == TG_UTF16BE) return next_utf16(at, have, e == TG_UTF16BE, code);
    if (at[0] < 0x80) {
        *code = at[0];
        return 1;
    }
    return e == TG_GB18030 ? next_gb18030(at, have, code)
           : e == TG_BIG5  ? next_big5(at, have, code)
                           : next_utf8(at, have, code);
}

int tg_encoding_next(tg_encoding e, const char *at, const char *end, uint32_t *code)
{
    return next(e, (const uint8_t *)at, end - at, code);
}

/* Codes of two bytes can be told from their middles only from a start that is sure: no byte of a character of several
 * is below 0x30, so the text is read from behind the last such byte. */
int tg_encoding_partial(tg_encoding e, const char *bytes, int64_t length)
{
    if (e == TG_UTF8) return tg_utf8_partial(bytes, length);
    if ((unsigned)e >= TG_ENCODINGS) return 0;
    const uint8_t *b = (const uint8_t *)bytes;
    int64_t i = length;
    if (e == TG_UTF16LE || e == TG_UTF16BE) i = length < 3 ? 0 : (length - 3) & ~INT64_C(1);
    else while (i > 0 && b[i - 1] >= 0x30) i--;
    while (i < length) {
        uint32_t code;
        int size = next(e, b + i, length - i, &code);
        if (size < 0) return (int)(length - i);
        i += size > 0 ? size : e == TG_UTF16LE || e == TG_UTF16BE ? 2 : 1;
    }
    return 0;
}

/* ---- whole texts ------------------------------------------------------------------------------------------------ */

static tg_status not_valid(tg_encoding e, int size, uint8_t byte, int64_t offset)
{
    static const char remedy[] = "give its encoding (--encoding NAME) or take bytes as they are (--tokenizer byte)";
    const char *why = size < 0 ? "begins a character that the end of the text cuts" : "begins no character";
    if (size == 0 && (e == TG_UTF16LE || e == TG_UTF16BE)) why = "begins half a character, a lone surrogate";
    return tg_fail(TG_EINVAL, "not %s: byte 0x%02x at byte %" PRId64 " %s; %s", tg_encoding_name(e), (unsigned)byte,
                   offset, why, remedy);
}

enum { PART = 4096 };

/* Fills text, PART bytes and a little more; moves *at behind what was read. */
static int64_t convert_part(tg_encoding e, const uint8_t **at, const uint8_t *end, char *text, int *size)
{
    bool ascii = e != TG_UTF16LE && e != TG_UTF16BE;
    const uint8_t *b = *at;
    char *to = text;
    *size = 1;
    while (b < end && to - text < PART) {
        uint64_t word;
        if (ascii && *b < 0x80 && end - b >= 8) {
            memcpy(&word, b, 8);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                memcpy(to, b, 8);
                b += 8, to += 8;
                continue;
            }
        }
        uint32_t code;
        *size = next(e, b, end - b, &code);
        if (*size <= 0) break;
        b += *size;
        if (code < 0x80) *to++ = (char)code;
        else if (code >= 0x800 && code < 0x10000) { /* nearly all; surrogates do not come here */
            to[0] = (char)(0xe0 | code >> 12);
            to[1] = (char)(0x80 | (code >> 6 & 0x3f));
            to[2] = (char)(0x80 | (code & 0x3f));
            to += 3;
        } else to += tg_utf8_put(to, code);
    }
    *at = b;
    return to - text;
}

/* Offset of the first NUL of a piece that is valid, -1: there is none. */
static int64_t find_nul(tg_encoding e, const uint8_t *at, const uint8_t *end)
{
    uint32_t code = 1;
    for (const uint8_t *b = at; b < end; b += next(e, b, end - b, &code))
        if (next(e, b, end - b, &code) > 0 && code == 0) return b - at;
    return -1;
}

/* A piece from *at on; from: its offset in the text. out NULL: only looks; nul, the first NUL's offset, then stays where it is
 * not negative. */
static tg_status convert(tg_encoding e, const uint8_t *bytes, const uint8_t *at, const uint8_t *end, int64_t from, tg_str *out,
                         int64_t *nul)
{
    while (at < end) {
        const uint8_t *begin = at;
        char text[PART + 8];
        int size;
        int64_t count = convert_part(e, &at, end, text, &size);
        if (out) tg_str_add_n(out, text, count);
        else if (*nul < 0 && memchr(text, 0, (size_t)count)) *nul = from + (begin - bytes) + find_nul(e, begin, at);
        if (out && out->failed) return TG_ENOMEM;
        if (size <= 0) return not_valid(e, size, *at, from + (at - bytes));
    }
    return TG_OK;
}

/* Moves *at behind a byte order mark. */
static tg_status skip_mark(tg_encoding e, const uint8_t **at, int64_t length, int64_t from)
{
    if (!tg_encoding_name(e)) return tg_fail(TG_EINVAL, "there is no encoding of number %d", (int)e);
    if (e >= TG_ENCODINGS)
        return tg_fail(TG_EINVAL, "the text is in %s, which is not read; make it UTF-8 first (iconv -f %s -t UTF-8%s), or take it "
                       "as it is (--encoding utf-8)", tg_encoding_name(e), tg_encoding_name(e),
                       e == TG_HZ ? "; where iconv lacks it, Python has it" : "");
    uint32_t first = 0;
    int size = length > 0 && from == 0 ? next(e, *at, length, &first) : 0;
    if (size == 2 && first == 0xfffe) { /* the mark, its bytes swapped: no text begins so */
        const char *other = tg_encoding_name(e == TG_UTF16LE ? TG_UTF16BE : TG_UTF16LE);
        return tg_fail(TG_EINVAL, "not %s: byte 0x%02x at byte 0 begins the mark of %s; give --encoding %s",
                       tg_encoding_name(e), (unsigned)**at, other, other);
    }
    if (size > 0 && first == 0xfeff) *at += size;
    return TG_OK;
}

tg_status tg_encoding_piece(tg_encoding e, const char *bytes, int64_t length, int64_t from, tg_str *out)
{
    const uint8_t *b = (const uint8_t *)bytes, *at = b, *end = b + length;
    int64_t before = out->length;
    tg_status status = skip_mark(e, &at, length, from);
    if (status) return status;
    bool whole = e == TG_UTF8 && tg_utf8_check((const char *)at, end - at) < 0;
    if (whole) tg_str_add_n(out, (const char *)at, end - at);
    status = !whole ? convert(e, b, at, end, from, out, NULL) : out->failed ? TG_ENOMEM : TG_OK;
    if (status && out->data) out->data[out->length = before] = 0;
    return status;
}

tg_status tg_encoding_check(tg_encoding e, const char *bytes, int64_t length, int64_t from, int64_t *nul)
{
    const uint8_t *b = (const uint8_t *)bytes, *at = b, *end = b + length;
    tg_status status = skip_mark(e, &at, length, from);
    if (status || e != TG_UTF8 || tg_utf8_check((const char *)at, end - at) >= 0)
        return status ? status : convert(e, b, at, end, from, NULL, nul);
    const char *found = *nul < 0 && length > 0 ? memchr(bytes, 0, (size_t)length) : NULL;
    if (found) *nul = from + (found - bytes);
    return TG_OK;
}

tg_status tg_encoding_to_utf8(tg_encoding e, const char *bytes, int64_t length, tg_str *out)
{
    return tg_encoding_piece(e, bytes, length, 0, out);
}
