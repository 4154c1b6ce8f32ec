/* scrub.c - scans for what is personal: stops at digits, '@' and ':', looks around, and mostly goes on. */
#include "data/text/scrub.h"

#include <string.h>

#include "data/text/scrub_parts.h"

const char *const tg_scrub_masks[TG_SCRUB_KINDS] = {"<EMAIL>", "<PHONE>", "<ID>", "<CARD>", "<IP>"};

/* ---- what stands before ----------------------------------------------------------------------------------------- */

/* Length of the entry of list that the text before `at` ends with, 0: none. A word of letters must match whole. */
static int64_t entry_before(const tg_scrub_text *t, int64_t at, const char *list)
{
    for (const char *entry = list + 1, *stop; *entry; entry = stop + 1) {
        stop = strchr(entry, '|');
        int64_t n = stop - entry, i = n;
        if (n > at) continue;
        while (i > 0) {
            unsigned char c = (unsigned char)t->bytes[at - n + i - 1];
            if ((c >= 'A' && c <= 'Z' ? c | 32 : c) != (unsigned char)entry[i - 1]) break;
            i--;
        }
        if (i == 0 && !(is_letter((unsigned char)*entry) && is_word(byte_at(t, at - n - 1)))) return n;
    }
    return 0;
}

bool tg_scrub_after(const tg_scrub_text *t, int64_t at, const char *words, const char *fillers)
{
    for (int i = 0; i <= 4; i++) {
        for (int spaces = 0; spaces < 4 && at > 0 && memchr(" :.(#=\"'", t->bytes[at - 1], 8); spaces++) at--;
        if (entry_before(t, at, words)) return true;
        int64_t n = entry_before(t, at, fillers);
        if (n == 0) return false;
        at -= n;
    }
    return false;
}

bool tg_scrub_begins(const tg_scrub_text *t, int64_t begin)
{
    if (begin == t->floor) return true;
    unsigned char c = byte_at(t, begin - 1), before = byte_at(t, begin - 2);
    if (is_word(c) || c == '#' || c == '$' || c == '+') return false;
    if (c == '.' || c == ',' || c == ':') return !is_digit(before);
    if (c == '-' || c == '/') return !is_word(before) || begin - 1 == t->floor;
    static const char *const currencies[] = {"\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", "\xef\xbf\xa5"};
    for (int i = 0; i < 4; i++) {
        int64_t n = (int64_t)strlen(currencies[i]);
        if (begin >= n && memcmp(t->bytes + begin - n, currencies[i], (size_t)n) == 0) return false;
    }
    return true;
}

/* ---- e-mail ----------------------------------------------------------------------------------------------------- */

enum { LONGEST_LOCAL = 64, LONGEST_DOMAIN = 253 };

/* icon@2x.png: so many pixels for a point. */
static bool is_image_scale(const tg_scrub_text *t, int64_t at, int64_t end)
{
    static const char *const kinds[] = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"};
    if (!is_digit(byte_at(t, at)) || (byte_at(t, at + 1) | 32) != 'x') return false;
    for (int i = 0; i < 6; i++)
        if (end - at - 2 == (int64_t)strlen(kinds[i]) && memcmp(t->bytes + at + 2, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

/* End of the domain at `at`, at: none. It has two labels or more, and the last is a word of letters. */
static int64_t domain_end(const tg_scrub_text *t, int64_t at)
{
    int64_t best = at, p = at;
    int labels = 0, numbers = 0; /* labels of digits that lead: 18.2.0 is no domain */
    while (p - at < LONGEST_DOMAIN) {
        int64_t begin = p;
        bool letters = true, digits = true;
        for (unsigned char c; is_letter(c = byte_at(t, p)) || is_digit(c) || c == '-'; p++) {
            letters &= is_letter(c);
            digits &= is_digit(c);
            if (p - at > LONGEST_DOMAIN) return at;
        }
        if (p == begin || byte_at(t, begin) == '-' || byte_at(t, p - 1) == '-') break;
        numbers += digits && numbers == labels;
        labels++;
        bool coded = p - begin > 4 && memcmp(t->bytes + begin, "xn--", 4) == 0;
        if (labels > 1 && numbers < 2 && p - begin > 1 && (letters || coded)) best = p;
        if (byte_at(t, p) != '.') break;
        p++;
    }
    return best > at && (is_word(byte_at(t, best)) || is_image_scale(t, at, best)) ? at : best;
}

/* First byte of a letter of U+00C0..03FF: müller is all masked; Chinese runs up to an address without a space. */
static bool is_accented(unsigned char c)
{
    return c >= 0xc3 && c <= 0xcf;
}

static bool find_email(const tg_scrub_text *t, int64_t at, tg_scrub_span *out)
{
    int64_t begin = at, lowest = at - LONGEST_LOCAL > t->floor ? at - LONGEST_LOCAL : t->floor;
    for (unsigned char c; begin > lowest; begin--) {
        c = byte_at(t, begin - 1);
        if ((c & 0xc0) == 0x80 && begin - 2 >= lowest && is_accented(byte_at(t, begin - 2))) {
            begin--;
            continue;
        }
        if (!is_word(c) && !memchr(".+-'%", c, 5)) break;
        if (c == '.' && byte_at(t, begin) == '.') break;
    }
    while (begin < at && !is_word(byte_at(t, begin)) && !is_accented(byte_at(t, begin))) begin++;
    if (begin == at || byte_at(t, at - 1) == '.') return false;
    int64_t end = domain_end(t, at + 1);
    *out = (tg_scrub_span){begin, end, TG_SCRUB_EMAIL};
    return end > at + 1;
}

/* ---- addresses of machines -------------------------------------------------------------------------------------- */

/* End of four numbers of 0..255 with dots between them, at: none. */
static int64_t ipv4_end(const tg_scrub_text *t, int64_t at)
{
    int64_t p = at;
    for (int i = 0; i < 4; i++) {
        int64_t begin = p;
        int value = 0;
        while (p - begin < 3 && is_digit(byte_at(t, p))) value = value * 10 + (byte_at(t, p++) - '0');
        if (p == begin || value > 255 || (byte_at(t, begin) == '0' && p - begin > 1)) return at;
        if (i < 3 && byte_at(t, p++) != '.') return at;
    }
    unsigned char next = byte_at(t, p), after = byte_at(t, p + 1);
    if (is_word(next) || (next == '.' && is_digit(after)) || (next == '-' && is_letter(after))) return at;
    return p;
}

static bool find_ipv4(const tg_scrub_text *t, int64_t at, tg_scrub_span *out)
{
    static const char versions[] = "|version|ver|v|release|firmware|section|sections|sec|chapter|clause|oid|版本|版|第|章节|"
                                   "固件|§|";
    int64_t end = ipv4_end(t, at);
    if (end == at || !tg_scrub_begins(t, at) || tg_scrub_after(t, at, versions, "|number|no|为|是|号|：|")) return false;
    *out = (tg_scrub_span){at, end, TG_SCRUB_IP};
    return true;
}

static int hex(unsigned char c)
{
    return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Prefixes in use: a::b is more often a name in a program than an address. */
static bool is_ipv6_prefix(uint32_t first, uint32_t second, int groups_before_gap)
{
    if (groups_before_gap == 0) return true; /* the caller has looked at it */
    return first >> 13 == 1 || first >> 9 == 0xfc00 >> 9 || first >> 6 == 0xfe80 >> 6 || first >> 8 == 0xff ||
           (first == 0x64 && second == 0xff9b);
}

/* The colon at `at` is the first of an address: look back to its first group, then read on. */
static bool find_ipv6(const tg_scrub_text *t, int64_t at, tg_scrub_span *out)
{
    int64_t begin = at;
    while (begin > t->floor && at - begin < 4 && hex(byte_at(t, begin - 1)) >= 0) begin--;
    unsigned char before = byte_at(t, begin - 1);
    if (begin > t->floor && (is_word(before) || before == ':' || before == '.')) return false;
    if (hex(byte_at(t, at + 1)) < 0 && byte_at(t, at + 1) != ':') return false;
    uint32_t group[8] = {0};
    int count = 0, gap = -1, longest = 0;
    int64_t p = begin, end = begin;
    while (count < 8) {
        int64_t tail = count > 0 && count <= 6 ? ipv4_end(t, p) : p;
        if (tail > p && is_digit(byte_at(t, p))) {
            count += 2;
            end = tail;
            break;
        }
        int64_t from = p;
        for (int x; p - from < 4 && (x = hex(byte_at(t, p))) >= 0; p++) group[count] = group[count] << 4 | (uint32_t)x;
        if (p > from) {
            count++;
            end = p;
            if (p - from > longest) longest = (int)(p - from);
        }
        if (byte_at(t, p) != ':') break;
        if (byte_at(t, p + 1) == ':') {
            if (gap >= 0) return false;
            gap = count;
            end = p += 2;
        } else if (hex(byte_at(t, p + 1)) >= 0 && p > from) p++;
        else break;
    }
    unsigned char next = byte_at(t, end);
    if (is_word(next) || (next == ':' && (byte_at(t, end + 1) == ':' || hex(byte_at(t, end + 1)) >= 0))) return false;
    if (next == '.' && is_digit(byte_at(t, end + 1))) return false;
    bool whole = gap < 0 && count == 8 && longest == 4;
    bool short_form = gap >= 0 && count < 8 && count > 0 && is_ipv6_prefix(group[0], group[1], gap);
    if (short_form && gap == 0) short_form = (count == 1 && group[0] == 1) || (count == 3 && group[0] == 0xffff);
    *out = (tg_scrub_span){begin, end, TG_SCRUB_IP};
    return whole || short_form;
}

/* ---- the scan --------------------------------------------------------------------------------------------------- */

bool tg_scrub_next(const char *text, int64_t length, int64_t from, tg_scrub_span *out)
{
    static const uint8_t stops[256] = {['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,
                                       ['7'] = 1, ['8'] = 1, ['9'] = 1, ['@'] = 2, [':'] = 3};
    const tg_scrub_text t = {text, length, from};
    for (int64_t at = from;; at++) {
        while (at < length && stops[(unsigned char)text[at]] == 0) at++;
        if (at >= length) return false;
        unsigned char c = (unsigned char)text[at];
        if (c == '@') {
            if (find_email(&t, at, out)) return true;
        } else if (c == ':') {
            if (find_ipv6(&t, at, out)) return true;
        } else {
            bool inside = at > from && is_word(byte_at(&t, at - 1)); /* of a word or hash: no number begins there */
            if (!inside && (find_ipv4(&t, at, out) || tg_scrub_number(&t, at, out))) return true;
            while (is_digit(byte_at(&t, at + 1))) at++;
        }
    }
}

tg_status tg_scrub(const char *text, int64_t length, tg_str *out, tg_scrubbed *counts)
{
    tg_scrubbed found = {{0}};
    tg_scrub_span span;
    int64_t copied = 0;
    while (tg_scrub_next(text, length, copied, &span)) {
        tg_str_add_n(out, text + copied, span.begin - copied);
        tg_str_add(out, tg_scrub_masks[span.kind]);
        copied = span.end;
        found.count[span.kind]++;
    }
    tg_str_add_n(out, text + copied, length - copied);
    if (out->failed) return TG_ENOMEM;
    for (int i = 0; i < TG_SCRUB_KINDS; i++) counts->count[i] += found.count[i];
    return TG_OK;
}
