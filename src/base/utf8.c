/* utf8.c - UTF-8 by the letter of Unicode, table 3-7; clusters of UAX #29 and columns on a terminal. */
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
        const int64_t here = i;
        while (tg_utf8_three(bytes + i, bytes + count)) i += 3;
        if (i > here) continue;
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

/* ---- clusters and columns */

static uint32_t run_of(uint32_t code)
{
    if (code < 0xa9) return code < 0x20 || (code >= 0x7f && code < 0xa0) ? CONTROL << 2 : OTHER << 2 | 1;
    if (code >= 0x4e00 && code < 0xa000) return OTHER << 2 | 2; /* ideographs, for speed */
    int low = 0, high = sizeof runs / sizeof *runs; /* the last run that begins at code or before lies in [low, high) */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (runs[middle] >> 8 <= code) low = middle;
        else high = middle;
    }
    return runs[low] & 0xff;
}

int tg_utf8_width(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10ffff) return -1;
    return (int)(run_of(code) & 3);
}

/* What a cluster holds of a sequence that may go on: PICTURE with what extends it, JOINER where that has come behind,
 * CONSONANT, LINKER where one has come behind, REGIONAL for the first half of a flag; OTHER: none. */
static int sequence_after(int sequence, int kind)
{
    bool conjunct = sequence == CONSONANT || sequence == LINKER;
    switch (kind) {
    case PICTURE:
    case CONSONANT: return kind;
    case REGIONAL: return sequence == REGIONAL ? OTHER : REGIONAL;
    case JOINER: return sequence == PICTURE ? JOINER : conjunct ? sequence : OTHER;
    case LINKER: return conjunct ? LINKER : sequence == PICTURE ? PICTURE : OTHER;
    case EXTEND: return conjunct || sequence == PICTURE ? sequence : OTHER;
    case NON_JOINER: return sequence == PICTURE ? PICTURE : OTHER;
    default: return OTHER;
    }
}

/* UAX #29, GB4 to GB13: no boundary between the character of kind before and the next one. */
static bool joins(int before, int sequence, int kind)
{
    if (before == CONTROL || kind == CONTROL) return false;
    switch (kind) {
    case EXTEND: case LINKER: case NON_JOINER: case JOINER: case SPACING: return true;
    case CONSONANT: if (sequence == LINKER) return true; break;
    case PICTURE: if (sequence == JOINER) return true; break;
    case REGIONAL: if (sequence == REGIONAL) return true; break;
    case HANGUL_L: case HANGUL_LV: case HANGUL_LVT: if (before == HANGUL_L) return true; break;
    case HANGUL_V: if (before == HANGUL_L || before == HANGUL_V || before == HANGUL_LV) return true; break;
    case HANGUL_T: if (before >= HANGUL_V) return true; break;
    default: break;
    }
    return before == PREPEND;
}

static int kind_of(uint32_t run, uint32_t code)
{
    int kind = (int)(run >> 2);
    return kind == HANGUL_LV && (code - 0xac00) % 28 != 0 ? HANGUL_LVT : kind;
}

/* One cluster: its bytes and its columns, which are those of its characters together, but two at most. */
static int64_t read_cluster(const char *at, const char *end, int *columns)
{
    const char *start = at;
    uint32_t code, last = 0;
    int length = tg_utf8_next(at, end, &code), before = CONTROL, sequence = OTHER;
    *columns = 1;
    if (length == 0) return at < end;
    *columns = 0;
    if (code == '\r') return end - at > 1 && at[1] == '\n' ? 2 : 1;
    for (; length > 0; length = tg_utf8_next(at, end, &code)) {
        uint32_t run = run_of(code);
        int kind = kind_of(run, code);
        if (at > start && !joins(before, sequence, kind)) break;
        *columns += (int)(run & 3);
        if (code == 0xfe0f && (before == PICTURE || (last < 0x80 && last && strchr("0123456789#*", (int)last))))
            *columns = 2; /* the selector of the emoji form: "1", U+FE0F, U+20E3 is a keycap */
        if (*columns > 2) *columns = 2;
        before = kind;
        sequence = sequence_after(sequence, kind);
        last = code;
        at += length;
    }
    return at - start;
}

int64_t tg_utf8_grapheme(const char *at, const char *end)
{
    int columns;
    return read_cluster(at, end, &columns);
}

/* Bytes of the clusters that fit in `limit` columns, and the columns they take. */
static int64_t fit(const char *bytes, int64_t count, int64_t limit, int64_t *columns)
{
    const char *at = bytes, *end = bytes + count;
    *columns = 0;
    while (at < end) {
        int width = 1;
        bool plain = *at >= ' ' && *at < 0x7f && (end - at == 1 || (uint8_t)at[1] < 0x80); /* nothing joins it */
        int64_t length = plain ? 1 : read_cluster(at, end, &width);
        if (*columns + width > limit) break;
        *columns += width;
        at += length;
    }
    return at - bytes;
}

int64_t tg_utf8_columns(const char *bytes, int64_t count)
{
    int64_t columns;
    fit(bytes, count, INT64_MAX, &columns);
    return columns;
}

int64_t tg_utf8_cut(const char *bytes, int64_t count, int64_t limit)
{
    int64_t columns;
    return fit(bytes, count, limit, &columns);
}
