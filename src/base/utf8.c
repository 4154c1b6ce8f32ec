/* utf8.c - UTF-8 by the letter of Unicode 15, table 3-7, and widths on a terminal. */
#include "base/utf8.h"
#include "base/utf8_tables.h"

#include <string.h>

/* What may follow a first byte: so many bytes in all (0: it begins nothing), the second within [low, high]. */
typedef struct lead { int length; uint8_t low, high; } lead;

static lead lead_of(uint8_t first)
{
    if (first < 0x80) return (lead){1, 0, 0};
    if (first < 0xc2) return (lead){0, 0, 0}; /* continuations; c0 and c1 would be overlong */
    if (first < 0xe0) return (lead){2, 0x80, 0xbf};
    if (first < 0xf0) return (lead){3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf};
    if (first < 0xf5) return (lead){4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf};
    return (lead){0, 0, 0};
}

/* How many of the `have` bytes at `at` belong to one well-formed character, whole or begun. */
static int well_formed(const uint8_t *at, int64_t have, lead l)
{
    int n = 1;
    if (l.length > 1 && have > 1 && at[1] >= l.low && at[1] <= l.high) {
        n = 2;
        while (n < l.length && n < have && (at[n] & 0xc0) == 0x80) n++;
    }
    return n;
}

int tg_utf8_next(const char *at, const char *end, uint32_t *code)
{
    const uint8_t *bytes = (const uint8_t *)at;
    if (at >= end) return 0;
    lead l = lead_of(bytes[0]);
    if (l.length == 0 || well_formed(bytes, end - at, l) < l.length) return 0;
    uint32_t c = l.length == 1 ? bytes[0] : bytes[0] & (0x7fu >> l.length);
    for (int i = 1; i < l.length; i++) c = c << 6 | (bytes[i] & 0x3fu);
    *code = c;
    return l.length;
}

int tg_utf8_put(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    int length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> length & 0xf0u) | code);
    return length;
}

int64_t tg_utf8_check(const char *bytes, int64_t count)
{
    const uint8_t *b = (const uint8_t *)bytes;
    for (int64_t i = 0; i < count;) {
        uint64_t word;
        if (count - i >= 8) { /* eight ASCII characters at once */
            memcpy(&word, b + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += 8;
                continue;
            }
        }
        lead l = lead_of(b[i]);
        if (l.length == 0 || well_formed(b + i, count - i, l) < l.length) return i;
        i += l.length;
    }
    return -1;
}

int64_t tg_utf8_length(const char *bytes, int64_t count)
{
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++) n += ((uint8_t)bytes[i] & 0xc0) != 0x80;
    return n;
}

int tg_utf8_partial(const char *bytes, int64_t count)
{
    const uint8_t *end = (const uint8_t *)bytes + count;
    for (int n = 1; n <= 3 && n <= count; n++) {
        lead l = lead_of(end[-n]);
        if (l.length > n && well_formed(end - n, n, l) == n) return n;
        if ((end[-n] & 0xc0) != 0x80) return 0;
    }
    return 0;
}

static bool in_table(const uint32_t (*ranges)[2], int count, uint32_t code)
{
    int low = 0, high = count; /* the first range that does not end before code lies in [low, high] */
    while (low < high) {
        int middle = (low + high) / 2;
        if (ranges[middle][1] < code) low = middle + 1;
        else high = middle;
    }
    return low < count && ranges[low][0] <= code;
}

int tg_utf8_width(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10ffff) return -1;
    if (code < 0x300) return 1; /* the tables begin here */
    if (in_table(no_columns, sizeof no_columns / sizeof *no_columns, code)) return 0;
    return in_table(two_columns, sizeof two_columns / sizeof *two_columns, code) ? 2 : 1;
}

/* Control characters take no column, a byte that is not UTF-8 takes one. */
int64_t tg_utf8_columns(const char *bytes, int64_t count)
{
    int64_t columns = 0;
    for (const char *at = bytes, *end = bytes + count; at < end;) {
        uint32_t code;
        int length = tg_utf8_next(at, end, &code), width = length ? tg_utf8_width(code) : 1;
        columns += width > 0 ? width : 0;
        at += length ? length : 1;
    }
    return columns;
}
