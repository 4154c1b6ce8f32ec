/* normalize.c - NFC, widths, control characters, case: what needs no change is copied in runs, as it lies.
 *   Normalization: Unicode Standard Annex 15; Hangul: The Unicode Standard, 3.12. */
#include "data/text/normalize.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "data/text/normalize_tables.h"

enum { YES, MAYBE, NO }; /* NFC quick check */
enum { L_FIRST = 0x1100, V_FIRST = 0x1161, T_FIRST = 0x11a7, S_FIRST = 0xac00, L_COUNT = 19, V_COUNT = 21, T_COUNT = 28,
       S_COUNT = L_COUNT * V_COUNT * T_COUNT };

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static tg_status not_utf8(const char *text, const char *at)
{
    return tg_fail(TG_EINVAL, "not UTF-8: byte 0x%02x at byte %" PRId64 " begins no character",
                   (unsigned)(unsigned char)*at, (int64_t)(at - text));
}

static tg_status finish(const tg_str *out)
{
    return out->failed ? TG_ENOMEM : TG_OK;
}

static void put(tg_str *out, uint32_t code)
{
    char bytes[4];
    tg_str_add_n(out, bytes, tg_utf8_put(bytes, code));
}

/* Past ASCII, eight bytes at once as long as they last. */
static const char *skip_ascii(const char *at, const char *end)
{
    uint64_t word;
    while (end - at >= 8) {
        memcpy(&word, at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
        at += 8;
    }
    while (at < end && (unsigned char)*at < 0x80) at++;
    return at;
}

/* Whether `at` begins one of U+4000..9FFF, whose characters no table here names. */
static bool is_ideograph(const char *at, const char *end)
{
    const unsigned char *b = (const unsigned char *)at;
    return end - at >= 3 && b[0] >= 0xe4 && b[0] <= 0xe9 && (b[1] & 0xc0) == 0x80 && (b[2] & 0xc0) == 0x80;
}

/* ---- NFC -------------------------------------------------------------------------------------------------------- */

/* class << 2 | quick check */
static uint32_t kind_of(uint32_t code)
{
    uint32_t page = code / 256;
    if (code < 0x300 || page >= KIND_PAGES) return 0;
    int low = run_of[page], high = run_of[page + 1]; /* the last run that does not begin after code */
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (kind_runs[middle] >> 10 <= code) low = middle;
        else high = middle - 1;
    }
    return kind_runs[low] & 0x3ff;
}

/* The characters of one sequence, decomposed: class << 24 | code. */
typedef struct sequence { uint32_t *items; int64_t count, room; } sequence;

enum { CODE = 0xffffff };

static bool push(sequence *s, uint32_t code)
{
    if (s->count == s->room) {
        int64_t room = s->room ? 2 * s->room : 64, size = (int64_t)sizeof *s->items;
        uint32_t *items = tg_realloc(s->items, s->room * size, room * size);
        if (!items) return false;
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] = kind_of(code) >> 2 << 24 | code;
    return true;
}

static const uint32_t *decomposition_of(uint32_t code)
{
    int low = 0, high = COUNT(decompositions);
    while (low < high) {
        int middle = (low + high) / 2;
        if (decompositions[middle][0] < code) low = middle + 1;
        else high = middle;
    }
    return low < COUNT(decompositions) && decompositions[low][0] == code ? decompositions[low] : NULL;
}

static bool push_decomposed(sequence *s, uint32_t code)
{
    if (code >= S_FIRST && code < S_FIRST + S_COUNT) {
        uint32_t i = code - S_FIRST, t = i % T_COUNT;
        return push(s, L_FIRST + i / (V_COUNT * T_COUNT)) && push(s, V_FIRST + i / T_COUNT % V_COUNT) &&
               (t == 0 || push(s, T_FIRST + t));
    }
    uint32_t seconds[8]; /* the deepest is 3 */
    int depth = 0;
    for (const uint32_t *d; depth < 8 && (d = decomposition_of(code)); code = d[1])
        if (d[2]) seconds[depth++] = d[2];
    bool fine = push(s, code);
    while (fine && depth > 0) fine = push(s, seconds[--depth]);
    return fine;
}

static int by_class(const void *a, const void *b, void *user)
{
    (void)user;
    int x = (int)(*(const uint32_t *)a >> 24), y = (int)(*(const uint32_t *)b >> 24);
    return x - y;
}

/* Marks between two starters by class, equal ones as they came. A text of nothing but marks must not take quadratic
 * time, so long runs of them are merged. */
static bool order_marks(sequence *s)
{
    for (int64_t i = 0, j; i < s->count; i = j) {
        bool sorted = true;
        for (j = i + 1; j < s->count && s->items[j] >> 24; j++) sorted &= s->items[j - 1] >> 24 <= s->items[j] >> 24;
        int64_t first = s->items[i] >> 24 ? i : i + 1, count = j - first, size = (int64_t)sizeof *s->items;
        if (sorted) continue;
        uint32_t few[32], *scratch = count <= 32 ? few : tg_alloc_array(count, size);
        if (!scratch) return false;
        tg_sort(s->items + first, count, size, scratch, by_class, NULL);
        if (scratch != few) tg_free(scratch);
    }
    return true;
}

/* What two characters compose to, 0: nothing. */
static uint32_t composed(uint32_t a, uint32_t b)
{
    if (a >= L_FIRST && a < L_FIRST + L_COUNT && b >= V_FIRST && b < V_FIRST + V_COUNT)
        return S_FIRST + ((a - L_FIRST) * V_COUNT + b - V_FIRST) * T_COUNT;
    if (a >= S_FIRST && a < S_FIRST + S_COUNT && (a - S_FIRST) % T_COUNT == 0 && b > T_FIRST && b < T_FIRST + T_COUNT)
        return a + b - T_FIRST;
    int low = 0, high = COUNT(compositions);
    while (low < high) {
        int middle = (low + high) / 2;
        const uint32_t *d = decompositions[compositions[middle]];
        if (d[1] < a || (d[1] == a && d[2] < b)) low = middle + 1;
        else high = middle;
    }
    if (low == COUNT(compositions)) return 0;
    const uint32_t *d = decompositions[compositions[low]];
    return d[1] == a && d[2] == b ? d[0] : 0;
}

/* A character joins the last starter unless one of its own class, or a starter, stands between them. */
static void compose(sequence *s)
{
    int64_t starter = -1, kept = 0;
    uint32_t before = 0; /* class of the last one kept behind the starter; 0: there is none */
    for (int64_t i = 0; i < s->count; i++) {
        uint32_t item = s->items[i], class = item >> 24;
        bool adjacent = starter == kept - 1;
        uint32_t joined = starter >= 0 && (adjacent || (before != 0 && before < class))
                              ? composed(s->items[starter] & CODE, item & CODE) : 0;
        if (joined) {
            s->items[starter] = joined;
            continue;
        }
        if (class == 0) starter = kept;
        before = class;
        s->items[kept++] = item;
    }
    s->count = kept;
}

/* Normalizes [at, end), which depends on nothing around it, onto out. */
static tg_status add_sequence(sequence *s, const char *at, const char *end, tg_str *out, int64_t *changed)
{
    uint32_t code = 0;
    s->count = 0;
    for (const char *p = at; p < end; p += tg_utf8_next(p, end, &code)) {
        tg_utf8_next(p, end, &code);
        if (!push_decomposed(s, code)) return TG_ENOMEM;
    }
    if (!order_marks(s)) return TG_ENOMEM;
    compose(s);
    int64_t from = out->length;
    for (int64_t i = 0; i < s->count; i++) put(out, s->items[i] & CODE);
    if (out->failed) return TG_ENOMEM;
    int64_t made = out->length - from, given = end - at, same = 0; /* bytes at both ends that are as they were */
    const char *result = out->data + from;
    while (same < made && same < given && result[same] == at[same]) same++;
    if (same == made && same == given) return TG_OK;
    while (same > 0 && same < given && ((unsigned char)at[same] & 0xc0) == 0x80) same--;
    int64_t tail = 0, most = (made < given ? made : given) - same;
    while (tail < most && result[made - 1 - tail] == at[given - 1 - tail]) tail++;
    int64_t gone = tg_utf8_length(at + same, given - same - tail);
    *changed += gone > 0 ? gone : 1;
    return TG_OK;
}

tg_status tg_nfc(const char *text, int64_t length, tg_str *out, int64_t *changed)
{
    const char *at = text, *end = text + length, *copied = text, *boundary = text; /* where a sequence may begin */
    sequence s = {0};
    int64_t count = 0;
    uint32_t class_before = 0;
    tg_status status = TG_OK;
    while (!status && at < end) {
        const char *here = at;
        if ((unsigned char)*at < 0x80) {
            at = skip_ascii(at, end);
            boundary = at - 1;
            class_before = 0;
            continue;
        }
        uint32_t code = 0, kind = 0;
        int size = is_ideograph(at, end) ? 3 : tg_utf8_next(at, end, &code);
        if (size == 0) {
            status = not_utf8(text, at);
            break;
        }
        at += size;
        kind = kind_of(code);
        if (kind == 0) boundary = here;
        uint32_t class = kind >> 2;
        if ((kind & 3) == YES && (class == 0 || class >= class_before)) {
            class_before = class;
            continue;
        }
        while (at < end) { /* to the next boundary */
            size = tg_utf8_next(at, end, &code);
            if (size == 0 || kind_of(code) == 0) break;
            at += size;
        }
        tg_str_add_n(out, copied, boundary - copied);
        status = add_sequence(&s, boundary, at, out, &count);
        copied = boundary = at;
        class_before = 0;
    }
    tg_free(s.items);
    if (status) return status;
    tg_str_add_n(out, copied, end - copied);
    if (!out->failed) *changed += count;
    return finish(out);
}

/* ---- one character for one -------------------------------------------------------------------------------------- */

tg_status tg_fold_width(const char *text, int64_t length, tg_str *out, int64_t *changed)
{
    const char *at = text, *end = text + length, *copied = text;
    int64_t count = 0;
    while ((at = skip_ascii(at, end)) < end) {
        uint32_t code = 0, form = 0;
        int size = is_ideograph(at, end) ? 3 : tg_utf8_next(at, end, &code);
        if (size == 0) return not_utf8(text, at);
        if (code == 0x3000) form = ' ';
        else if (code >= 0xff00 && code < 0xff00 + COUNT(width_forms)) form = width_forms[code - 0xff00];
        if (form) {
            tg_str_add_n(out, copied, at - copied);
            put(out, form);
            copied = at + size;
            count++;
        }
        at += size;
    }
    tg_str_add_n(out, copied, end - copied);
    if (!out->failed) *changed += count;
    return finish(out);
}

static uint32_t lower(uint32_t code)
{
    if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
    int low = 0, high = COUNT(lower_runs);
    while (low < high) { /* the first run that does not end before code */
        int middle = (low + high) / 2;
        if ((uint32_t)lower_runs[middle][1] < code) low = middle + 1;
        else high = middle;
    }
    if (low == COUNT(lower_runs)) return code;
    int32_t above = (int32_t)code - lower_runs[low][0];
    return above >= 0 && above % lower_runs[low][2] == 0 ? code + (uint32_t)lower_runs[low][3] : code;
}

/* In pieces of its own: capitals are too many to copy what is between them. */
tg_status tg_lowercase(const char *text, int64_t length, tg_str *out, int64_t *changed)
{
    char piece[1024];
    int used = 0;
    int64_t count = 0;
    for (const char *at = text, *end = text + length; at < end;) {
        uint32_t code = (unsigned char)*at;
        if (is_ideograph(at, end)) {
            memcpy(piece + used, at, 3);
            used += 3;
            at += 3;
        } else {
            int size = code < 0x80 ? 1 : tg_utf8_next(at, end, &code);
            if (size == 0) return not_utf8(text, at);
            uint32_t small = lower(code);
            used += tg_utf8_put(piece + used, small);
            count += small != code;
            at += size;
        }
        if (used > (int)sizeof piece - 4) {
            tg_str_add_n(out, piece, used);
            used = 0;
        }
    }
    tg_str_add_n(out, piece, used);
    if (!out->failed) *changed += count;
    return finish(out);
}

/* ---- control characters ----------------------------------------------------------------------------------------- */

/* Text, a line end, a control, a mark. */
typedef enum what { TEXT, LINE_END, CONTROL, MARK } what;

static what what_is(uint32_t code)
{
    if (code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029) return LINE_END;
    if (code == '\n' || code == '\t') return TEXT;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return CONTROL;
    return code == 0xfeff ? MARK : TEXT;
}

tg_status tg_clean_controls(const char *text, int64_t length, tg_str *out, tg_cleaned *counts)
{
    const char *at = text, *end = text + length, *copied = text;
    tg_cleaned found = {0};
    while (at < end) {
        uint32_t code = (unsigned char)*at;
        if (code >= 0x20 && code < 0x7f) {
            at++;
            continue;
        }
        if (is_ideograph(at, end)) {
            at += 3;
            continue;
        }
        int size = code < 0x80 ? 1 : tg_utf8_next(at, end, &code);
        if (size == 0) return not_utf8(text, at);
        what w = what_is(code);
        if (w != TEXT) tg_str_add_n(out, copied, at - copied);
        at += size;
        if (w == TEXT) continue;
        if (w == LINE_END) {
            if (code == '\r' && at < end && *at == '\n') at++;
            tg_str_add_n(out, "\n", 1);
        }
        copied = at;
        found.line_ends += w == LINE_END;
        found.controls += w == CONTROL;
        found.marks += w == MARK;
    }
    tg_str_add_n(out, copied, end - copied);
    if (out->failed) return TG_ENOMEM;
    counts->line_ends += found.line_ends;
    counts->controls += found.controls;
    counts->marks += found.marks;
    return TG_OK;
}
