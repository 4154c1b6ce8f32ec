/* encoding_seven.c - encodings that hide other scripts in 7-bit bytes: ISO-2022 and HZ by escapes, UTF-7 by base64. All of
 * it is valid UTF-8, and nonsense. An escape alone proves nothing: what it encloses must be well formed, and hardly any of
 * its like may be ill formed. So "~{~a~}" of Lisp, "~{\bf x}" of TeX, "i++" of C, addresses with a plus, base64 and
 * terminal colours are none. */
#include <string.h>

#include "data/text/encoding.h"

enum { ESC = 0x1b, SHIFT_OUT = 0x0e, SHIFT_IN = 0x0f };
enum { HZ_PAIRS = 2, UTF7_UNITS = 4 }; /* fewer may be chance */

typedef struct runs { int64_t good, bad; } runs;

typedef struct looking {
    const char *end;
    tg_encoding designated;              /* what SHIFT_OUT begins; TG_UTF8: nothing */
    tg_encoding iso;                     /* of the first good run */
    runs of_iso, of_hz, of_utf7;
    int64_t hz_pairs, hz_common;
    int64_t utf7_units;                  /* of runs that differ: one address may come again and again */
    uint32_t seen[UTF7_UNITS];           /* hashes of those runs */
    int seen_count;
} looking;

static bool is_94(char c) { return c > 0x20 && c < 0x7f; }

/* Behind pairs of graphic bytes; *pairs: how many. */
static const char *pass_pairs(const char *at, const char *end, char stop, int64_t *pairs)
{
    for (*pairs = 0; end - at >= 2 && *at != stop && is_94(at[0]) && is_94(at[1]); at += 2) ++*pairs;
    return at;
}

/* What a run that ends where `at` is was; one that the text's end cuts says nothing. */
static void judge(runs *r, bool good, const char *at, const char *end)
{
    if (at == end) return;
    r->good += good;
    r->bad += !good;
}

/* ESC $ ... of ISO-2022: at once another set (JP), or one for SHIFT_OUT to begin (KR, CN). */
static const char *escape(looking *l, const char *at)
{
    const char *from = at + 2;
    int64_t pairs;
    if (l->end - at < 4 || at[1] != '$') return at + 1;
    if (*from == ')' || *from == '*') {
        l->designated = from[1] == 'C' ? TG_ISO_2022_KR : strchr("AEGH", from[1]) ? TG_ISO_2022_CN : l->designated;
        return from + 2;
    }
    from += *from == '(';
    if (!strchr("@ABCD", *from)) return at + 1;
    at = pass_pairs(from + 1, l->end, ESC, &pairs);
    if (at < l->end && l->end - at < 2 && *at != ESC) at = l->end;
    judge(&l->of_iso, pairs > 0 && at < l->end && *at == ESC, at, l->end);
    if (l->of_iso.good == 1 && l->iso == TG_UTF8) l->iso = TG_ISO_2022_JP;
    return at;
}

static const char *shifted(looking *l, const char *at)
{
    int64_t pairs;
    at = pass_pairs(at + 1, l->end, SHIFT_IN, &pairs);
    if (l->designated == TG_UTF8) return at;
    judge(&l->of_iso, pairs > 0 && at < l->end && *at == SHIFT_IN, at, l->end);
    if (l->of_iso.good == 1 && l->iso == TG_UTF8) l->iso = l->designated;
    return at;
}

/* ~{ GB 2312 without its high bits ~}. Common are punctuation and the hanzi of the first level. */
static const char *tilde(looking *l, const char *at)
{
    int64_t pairs = 0, common = 0;
    if (l->end - at < 2 || at[1] != '{') return at + (l->end - at >= 2 && at[1] == '~' ? 2 : 1);
    const char *p = at + 2;
    for (; l->end - p >= 2 && p[0] != '~' && p[0] > 0x20 && p[0] < 0x78 && is_94(p[1]); p += 2, pairs++)
        common += (p[0] >= 0x30 && p[0] < 0x58) || p[0] < 0x24;
    if (l->end - p < 2) return l->end;
    const bool good = pairs > 0 && p[0] == '~' && p[1] == '}';
    judge(&l->of_hz, good, p, l->end);
    if (!good) return at + 2;
    l->hz_pairs += pairs;
    l->hz_common += common;
    return p + 2;
}

static int base64(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* What somebody writes: letters of the living scripts, their signs, pictures (surrogates; their order is not looked at).
 * Of all units that is one in two. */
static bool is_written(uint32_t unit)
{
    static const uint16_t ranges[][2] = {
        {'\\', '\\'}, {'~', '~'}, {0xa0, 0x24f}, {0x370, 0x6ff}, {0x900, 0xe7f}, {0x1e00, 0x1fff}, {0x2010, 0x203a},
        {0x20ac, 0x20ac}, {0x3000, 0x30ff}, {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, {0xd83c, 0xd83e}, {0xdc00, 0xdfff},
        {0xff00, 0xffef}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (unit >= ranges[i][0] && unit <= ranges[i][1]) return true;
    return false;
}

static void count_run(looking *l, uint32_t hash, int64_t units)
{
    for (int i = 0; i < l->seen_count; i++)
        if (l->seen[i] == hash) return;
    if (l->seen_count < UTF7_UNITS) l->seen[l->seen_count++] = hash;
    l->utf7_units += units;
}

/* + UTF-16 in base64, then - or what is no base64; bits that are left over are fewer than six, and 0. "+-" is a plus. */
static const char *plus(looking *l, const char *at)
{
    uint32_t bits = 0, hash = 0;
    int held = 0, digit;
    int64_t units = 0;
    bool good = true;
    if (l->end - at >= 2 && at[1] == '-') return at + 2;
    for (at++; at < l->end && (digit = base64(*at)) >= 0; at++) {
        bits = bits << 6 | (uint32_t)digit;
        hash = hash * 31 + (uint32_t)digit + 1;
        held += 6;
        if (held < 16) continue;
        held -= 16;
        units++;
        good = good && is_written(bits >> held & 0xffff);
        bits &= (1u << held) - 1;
    }
    good = good && units > 0 && held < 6 && bits == 0 && at < l->end && *at != '=';
    judge(&l->of_utf7, good, at, l->end);
    if (good) count_run(l, hash, units);
    return at;
}

/* A tenth of such runs may be broken, or something else. */
static bool holds(runs r) { return r.good > 0 && r.bad * 10 <= r.good; }

tg_encoding tg_encoding_seven(const char *bytes, int64_t length)
{
    looking l = {.end = bytes + length, .designated = TG_UTF8, .iso = TG_UTF8};
    for (const char *at = bytes; at < l.end;) {
        if (*at == ESC) at = escape(&l, at);
        else if (*at == SHIFT_OUT) at = shifted(&l, at);
        else if (*at == '~') at = tilde(&l, at);
        else if (*at == '+') at = plus(&l, at);
        else at++;
    }
    if (holds(l.of_iso)) return l.iso;
    if (holds(l.of_hz) && l.hz_pairs >= HZ_PAIRS && l.hz_common * 5 >= l.hz_pairs * 4) return TG_HZ;
    return holds(l.of_utf7) && l.utf7_units >= UTF7_UNITS ? TG_UTF7 : TG_UTF8;
}
