/* shingles.c - folding and sets. The case table is the alphabets in which case is a matter of adding a number; what it
 * leaves out (İ, ß, Deseret) costs a few shingles their likeness, nothing more. */
#include "data/shingles.h"

#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "data/duplicates.h"

/* ---- characters ------------------------------------------------------------------------------------------------- */

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

uint32_t tg_fold_case(uint32_t c)
{
    static const struct { uint32_t from, to, add; } blocks[] = {
        {0xc0, 0xd6, 32},     {0xd8, 0xde, 32},    {0x391, 0x3a1, 32},  {0x3a3, 0x3ab, 32},
        {0x400, 0x40f, 80},   {0x410, 0x42f, 32},  {0x531, 0x556, 48},  {0xff21, 0xff3a, 32},
    };
    /* Large and small by turns, the large one first. */
    static const struct { uint32_t from, to; } turns[] = {
        {0x100, 0x12f}, {0x132, 0x137}, {0x139, 0x148}, {0x14a, 0x177}, {0x179, 0x17e},
        {0x460, 0x481}, {0x48a, 0x4bf}, {0x4d0, 0x52f}, {0x1e00, 0x1e95}, {0x1ea0, 0x1eff},
    };
    if (c < 0xc0) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (c >= blocks[i].from && c <= blocks[i].to) return c + blocks[i].add;
    for (size_t i = 0; c < 0x2000 && i < sizeof turns / sizeof *turns; i++)
        if (c >= turns[i].from && c <= turns[i].to) return c + !((c - turns[i].from) & 1);
    return c;
}

/* The character at *at, which moves on. An invalid byte is one beyond Unicode's, of 21 bits as they are. */
static uint32_t next(const char **at, const char *end)
{
    uint32_t code = (unsigned char)**at;
    if (code < 0x80) {
        *at += 1;
        return code;
    }
    int n = tg_utf8_next(*at, end, &code);
    if (!n) code = 0x110000 + (unsigned char)**at;
    *at += n ? n : 1;
    return code;
}

/* The same, folded, with the rest of a run of white space. */
static uint32_t next_folded(const char **at, const char *end)
{
    uint32_t code = next(at, end);
    if (!is_space(code)) return tg_fold_case(code);
    for (const char *ahead = *at; ahead < end && is_space(next(&ahead, end));) *at = ahead;
    return ' ';
}

void tg_trim(const char *text, int64_t *begin, int64_t *end)
{
    const char *at = text + *begin, *stop = text + *end;
    for (const char *ahead = at; ahead < stop && is_space(next(&ahead, stop));) at = ahead;
    while (stop > at) {
        const char *back = stop - 1, *ahead;
        while (back > at && stop - back < 4 && ((unsigned char)*back & 0xc0) == 0x80) back--;
        ahead = back;
        if (!is_space(next(&ahead, stop)) || ahead != stop) break;
        stop = back;
    }
    *begin = at - text;
    *end = stop - text;
}

/* From either end a part after the other, as long as it is all white space. A character that the part's border cuts ends the
 * part, no more: the next one begins there and has it whole. */
tg_status tg_trim_in(const tg_scratch *text, tg_window *w, int64_t *begin, int64_t *end)
{
    enum { PART = 4096 };
    const char *view;
    for (int64_t before = -1; *begin != before && *begin < *end;) {
        const int64_t n = *end - *begin < PART ? *end - *begin : PART;
        int64_t from = 0, to = n;
        tg_status status = tg_scratch_look(text, w, *begin, n, &view);
        if (status) return status;
        tg_trim(view, &from, &to);
        before = *begin;
        *begin += from;
        if (n == *end - before) *end = before + to; /* seen whole */
    }
    for (int64_t before = -1; *end != before && *begin < *end;) {
        const int64_t n = *end - *begin < PART ? *end - *begin : PART;
        int64_t from = 0, to = n;
        tg_status status = tg_scratch_look(text, w, *end - n, n, &view);
        if (status) return status;
        tg_trim(view, &from, &to);
        before = *end;
        *end -= n - to;
    }
    return TG_OK;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

uint64_t tg_stir(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t slots_for(int64_t items)
{
    uint64_t slots = 8;
    while (slots < 2 * (uint64_t)items) slots *= 2;
    return slots;
}

tg_status tg_shingles_new(int64_t longest, tg_shingles *out)
{
    if (longest > TG_NEAR_WHOLE) longest = TG_NEAR_WHOLE;
    tg_shingles s = {.items = tg_alloc_array(longest + 1, sizeof *s.items),
                     .slots = tg_alloc_array((int64_t)slots_for(longest), sizeof *s.slots)};
    if (!s.items || !s.slots) {
        tg_shingles_free(&s);
        return TG_ENOMEM;
    }
    *out = s;
    return TG_OK;
}

void tg_shingles_free(tg_shingles *s)
{
    tg_free(s->items);
    tg_free(s->slots);
}

static bool holds(const tg_shingles *s, uint64_t item, uint64_t *slot)
{
    uint64_t at = item & s->mask;
    while (s->slots[at] && s->slots[at] != item) at = (at + 1) & s->mask;
    *slot = at;
    return s->slots[at] == item;
}

static void add(tg_shingles *s, uint64_t hash)
{
    uint64_t item = hash ? hash : 1, slot;
    if (holds(s, item, &slot)) return;
    s->slots[slot] = item;
    s->items[s->count++] = item;
}

void tg_shingles_of(const char *text, int64_t begin, int64_t end, tg_shingles *s)
{
    tg_trim(text, &begin, &end);
    const char *at = text + begin, *stop = text + end;
    bool whole = end - begin > TG_NEAR_WHOLE;
    uint64_t slots = slots_for(whole ? 1 : end - begin), all = 0;
    s->count = 0;
    s->mask = slots - 1;
    memset(s->slots, 0, slots * sizeof *s->slots);
    /* The last five characters, 21 bits each: three in old, two in young. */
    uint64_t old = 0, young = 0;
    int64_t seen = 0;
    for (; at < stop; seen++) {
        uint64_t code = next_folded(&at, stop);
        if (whole) {
            all = tg_stir(all ^ code) + code;
            continue;
        }
        old = old >> 21 | (young & 0x1fffff) << 42;
        young = young >> 21 | code << 21;
        if (seen >= TG_NEAR_SHINGLE - 1) add(s, tg_stir(old ^ tg_stir(young)));
    }
    /* One shingle: what cannot be that of five characters is told apart by the length. */
    if (whole) add(s, all);
    else if (seen < TG_NEAR_SHINGLE) add(s, tg_stir(old ^ tg_stir(young) ^ tg_stir((uint64_t)seen + 1)));
}

double tg_shingles_jaccard(const tg_shingles *a, const tg_shingles *b)
{
    int64_t both = 0;
    uint64_t slot;
    for (int64_t i = 0; i < b->count; i++) both += holds(a, b->items[i], &slot);
    /* The nearest double of a quotient equals a threshold that was written as decimals: 4/5 is 0.8. */
    return (double)both / (double)(a->count + b->count - both);
}
