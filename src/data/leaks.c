/* leaks.c - anchors of train in a table, val read against them from left to right.
 *
 * Anchors lie step = span - width + 1 bytes apart, so any span bytes of train hold one whole. A span that is found and
 * ends at `reach` covers what lies before; reading goes on at reach - span + 1, for whatever is shared and goes beyond
 * reach has span bytes that begin there or later, hence an anchor that is still to come. What begins before the found span has
 * its first anchor less than step bytes behind its begin: so far, reading does not jump yet. Each find moves reach, and
 * else no more than span bytes are compared, so the work is bounded by the length of val. */
#include "data/leaks.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/meter.h"
#include "base/sort.h"

enum { PIECE = 1 << 18, FIRST = 512, WIDTH = 32, MAX_ANCHORS = 1 << 20, SAME = 16, GROUP = 32 };

typedef struct slot { uint32_t tag, anchor; } slot; /* number of the anchor in its section + 1; 0: free */
typedef struct run { int64_t begin, end; } run;     /* of val */

typedef struct search {
    tg_stretch train, val;
    tg_window here, in_train, in_val, ahead; /* the section; where else they are compared; where val is read on */
    int64_t here_length;     /* of the section: most finds need no more of train */
    int64_t span, width, step;
    uint64_t out;            /* what a byte that leaves the window weighs */
    int64_t section;         /* of train: where its first anchor lies */
    slot *table;             /* two slots an anchor, or more */
    uint64_t *filter;        /* 16 bits an anchor: most of val needs no look into the table */
    uint64_t mask, filter_mask;
    run *runs;
    int64_t count, room;
    tg_leaks found;
    tg_meter meter;
    tg_status status;        /* of reading */
} search;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* count bytes from `at` on; NULL: s->status says why. */
static const char *bytes_of(search *s, tg_window *w, const tg_stretch *of, int64_t at, int64_t count)
{
    const char *view = NULL;
    if (!s->status) s->status = tg_scratch_look(of->text, w, of->begin + at, count, &view);
    return s->status ? NULL : view;
}

static const char *train_bytes(search *s, int64_t at, int64_t count)
{
    const bool here = at >= s->section && at + count <= s->section + s->here_length;
    return bytes_of(s, here ? &s->here : &s->in_train, &s->train, at, count);
}

/* ---- hashes ----------------------------------------------------------------------------------------------------- */

static const uint64_t base = 0x9e3779b97f4a7c15u;

static uint64_t hash_of(const char *at, int64_t width)
{
    uint64_t h = 0;
    for (int64_t i = 0; i < width; i++) h = h * base + (unsigned char)at[i] + 1;
    return h;
}

/* A polynomial's low bits know only the low bits of its bytes. */
static uint64_t stir(uint64_t h)
{
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static uint64_t filter_word(const search *s, uint64_t hash)
{
    return hash >> 18 & s->filter_mask;
}

/* Three of a word's bits (Bloom 1970, one cache line a question). */
static uint64_t filter_bits(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63) | UINT64_C(1) << (hash >> 12 & 63);
}

static void put_anchor(search *s, uint64_t hash, uint32_t anchor)
{
    uint64_t at = hash & s->mask;
    for (int same = 0; s->table[at].anchor; at = (at + 1) & s->mask)
        if (s->table[at].tag == hash >> 32 && ++same == SAME) return;
    s->table[at] = (slot){(uint32_t)(hash >> 32), anchor + 1};
    s->filter[filter_word(s, hash)] |= filter_bits(hash);
}

static bool may_hold(const search *s, uint64_t hash)
{
    return (~s->filter[filter_word(s, hash)] & filter_bits(hash)) == 0;
}

/* Anchors from s->section on; returns how many. In small groups, so that memory is on its way when it is needed. */
static int64_t fill_table(search *s, int64_t most)
{
    int64_t n = 0;
    memset(s->table, 0, (s->mask + 1) * sizeof *s->table);
    memset(s->filter, 0, (s->filter_mask + 1) * sizeof *s->filter);
    const int64_t all = least(most, (s->train.length - s->section - s->width) / s->step + 1);
    s->here_length = (all - 1) * s->step + s->width;
    bytes_of(s, &s->here, &s->train, s->section, s->here_length);
    for (int64_t group; n < all; n += group) {
        uint64_t hash[GROUP];
        group = least(GROUP, all - n);
        const char *at = train_bytes(s, s->section + n * s->step, (group - 1) * s->step + s->width);
        for (int64_t i = 0; i < group && at; i++) {
            hash[i] = stir(hash_of(at + i * s->step, s->width));
            __builtin_prefetch(&s->table[hash[i] & s->mask], 1);
            __builtin_prefetch(&s->filter[filter_word(s, hash[i])], 1);
        }
        for (int64_t i = 0; i < group && at; i++) put_anchor(s, hash[i], (uint32_t)(n + i));
    }
    return n;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

/* Bytes that a and b share from there on, at most `most`. */
static int64_t same_after(const char *a, const char *b, int64_t most)
{
    int64_t n = 0;
    for (uint64_t x, y; n + 8 <= most; n += 8) {
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y) return n + __builtin_ctzll(x ^ y) / 8; /* little-endian, as hash.c */
    }
    while (n < most && a[n] == b[n]) n++;
    return n;
}

static int64_t same_before(const char *a, const char *b, int64_t most)
{
    int64_t n = 0;
    for (uint64_t x, y; n + 8 <= most; n += 8) {
        memcpy(&x, a - n - 8, 8);
        memcpy(&y, b - n - 8, 8);
        if (x != y) return n + __builtin_clzll(x ^ y) / 8;
    }
    while (n < most && a[-n - 1] == b[-n - 1]) n++;
    return n;
}

/* The same of train[t..] and val[v..], piece by piece: most spans end in the first. */
static int64_t alike_after(search *s, int64_t t, int64_t v, int64_t most)
{
    int64_t n = 0;
    for (int64_t piece = FIRST; n < most; piece = least(2 * piece, PIECE)) {
        const int64_t count = least(piece, most - n);
        const char *a = train_bytes(s, t + n, count), *b = bytes_of(s, &s->in_val, &s->val, v + n, count);
        const int64_t same = a && b ? same_after(a, b, count) : 0;
        n += same;
        if (same < count) break;
    }
    return n;
}

static int64_t alike_before(search *s, int64_t t, int64_t v, int64_t most)
{
    int64_t n = 0;
    for (int64_t piece = FIRST; n < most; piece = least(2 * piece, PIECE)) {
        const int64_t count = least(piece, most - n);
        const char *a = train_bytes(s, t - n - count, count);
        const char *b = bytes_of(s, &s->in_val, &s->val, v - n - count, count);
        const int64_t same = a && b ? same_before(a + count, b + count, count) : 0;
        n += same;
        if (same < count) break;
    }
    return n;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

typedef struct match { run covers, best; int64_t in_train; } match; /* best: the longest; where it begins in train */

/* What shared spans around val[v] cover together, compared up to `most` bytes from v on; false: there is none of span
 * bytes that goes beyond `reach`. Where much lies before an anchor, only the longest is followed to its begin. */
static bool look_up(search *s, uint64_t hash, int64_t v, int64_t most, int64_t reach, match *m)
{
    int64_t best = 0, best_at = 0, before, after;
    m->covers = (run){v, v};
    for (uint64_t at = hash & s->mask; s->table[at].anchor; at = (at + 1) & s->mask) {
        if (s->table[at].tag != hash >> 32) continue;
        int64_t t = s->section + (s->table[at].anchor - 1) * s->step;
        before = least(s->span, least(t, v));
        after = least(most, least(s->train.length - t, s->val.length - v));
        after = alike_after(s, t, v, after);
        if (after < s->width || v + after <= reach) continue;
        before = alike_before(s, t, v, before);
        if (before + after < s->span) continue;
        if (v + after > m->covers.end) m->covers.end = v + after;
        if (v - before < m->covers.begin) m->covers.begin = v - before;
        if (before + after <= best) continue;
        best = before + after;
        best_at = t;
        m->best.end = v + after;
    }
    if (!best) return false;
    before = alike_before(s, best_at, v, least(best_at, v));
    m->best.begin = v - before;
    if (m->best.begin < m->covers.begin) m->covers.begin = m->best.begin;
    m->in_train = best_at - before;
    return true;
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

static int by_begin(const void *a, const void *b, void *user)
{
    const run *x = a, *y = b;
    (void)user;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Sorts runs and makes one of those that touch. */
static tg_status unite_runs(search *s)
{
    run *scratch = tg_alloc_array(s->count, sizeof *scratch);
    if (!scratch) return TG_ENOMEM;
    tg_sort(s->runs, s->count, sizeof *s->runs, scratch, by_begin, NULL);
    tg_free(scratch);
    int64_t n = 0;
    for (int64_t i = 0; i < s->count; i++) {
        run *last = n ? s->runs + n - 1 : NULL;
        if (!last || s->runs[i].begin > last->end) s->runs[n++] = s->runs[i];
        else if (s->runs[i].end > last->end) last->end = s->runs[i].end;
    }
    s->count = n;
    return TG_OK;
}

/* Whether val[at] is within a character. */
static bool is_within(search *s, int64_t at)
{
    const char *byte = bytes_of(s, &s->in_val, &s->val, at, 1);
    return byte && continues(*byte);
}

/* Cuts r to whole characters; false: too little remains. */
static bool cut(search *s, run *r)
{
    for (int i = 0; i < 3 && r->begin < r->end && is_within(s, r->begin); i++) r->begin++;
    for (int i = 0; i < 3 && r->end < s->val.length && r->end > r->begin && is_within(s, r->end); i++) r->end--;
    return r->end - r->begin >= s->span;
}

static tg_status add_match(search *s, const match *m)
{
    run best = m->best, r = m->covers;
    if (cut(s, &best) && best.end - best.begin > s->found.longest) {
        s->found.longest = best.end - best.begin;
        s->found.longest_in_val = best.begin;
        s->found.longest_in_train = m->in_train + (best.begin - m->best.begin);
    }
    if (!cut(s, &r)) return TG_OK;
    run *last = s->count > 0 ? s->runs + s->count - 1 : NULL;
    if (last && r.begin >= last->begin && r.begin <= last->end) {
        if (r.end > last->end) last->end = r.end;
        return TG_OK;
    }
    if (s->count == s->room) {
        int64_t room = s->room ? 2 * s->room : 64, size = sizeof *s->runs;
        run *grown = tg_realloc(s->runs, s->room * size, room * size);
        if (!grown) return TG_ENOMEM;
        s->runs = grown;
        s->room = room;
    }
    s->runs[s->count++] = r;
    return TG_OK;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

/* Where val is read: hashes of a group of positions are worked out ahead, so that the filter is there when it is asked. */
typedef struct reader {
    const char *bytes;       /* [from, to) of val */
    int64_t from, to;
    uint64_t rolling;        /* of the position that comes next, if it rolls */
    bool rolls;
    uint64_t hash[GROUP];
} reader;

/* Hashes of `count` positions from v on. */
static tg_status hash_group(search *s, reader *r, int64_t v, int64_t count)
{
    if (v + count + s->width > r->to && (r->to < s->val.length || !r->bytes)) {
        tg_status status = tg_meter_add(&s->meter, v - r->from);
        r->from = v;
        r->to = v + least(PIECE, s->val.length - v);
        r->bytes = bytes_of(s, &s->ahead, &s->val, r->from, r->to - r->from);
        if (status || !r->bytes) return status ? status : s->status;
    }
    const char *at = r->bytes + (v - r->from), *end = r->bytes + (r->to - r->from);
    if (!r->rolls) r->rolling = hash_of(at, s->width);
    r->rolls = true;
    for (int64_t i = 0; i < count; i++, at++) {
        r->hash[i] = stir(r->rolling);
        __builtin_prefetch(&s->filter[filter_word(s, r->hash[i])], 0);
        if (at + s->width < end)
            r->rolling = r->rolling * base + (unsigned char)at[s->width] + 1 - s->out * ((unsigned char)*at + 1u);
    }
    return TG_OK;
}

/* Val against one section. */
static tg_status read_val(search *s)
{
    int64_t reach = 0, left = 0, last = s->val.length - s->width;
    reader r = {.bytes = NULL};
    for (int64_t v = 0, next; v <= last; v = next) {
        const int64_t end = v + least(GROUP, last - v + 1), first = v;
        tg_status status = hash_group(s, &r, v, end - v);
        for (next = v; next < end && !status;) {
            const uint64_t hash = r.hash[next - first];
            const bool aside = next < left; /* a span is known that goes on: what else begins before it? */
            match m;
            v = next++;
            if (may_hold(s, hash) && look_up(s, hash, v, aside ? s->span : s->val.length, aside ? 0 : reach, &m)) {
                status = add_match(s, &m);
                if (!aside) {
                    reach = m.covers.end;
                    left = m.covers.begin + s->step;
                }
            }
            if (next >= left && reach - s->span + 1 > next) next = reach - s->span + 1;
        }
        if (status) return status;
        if (next > end) r.rolls = false;
    }
    return s->status ? s->status : tg_meter_add(&s->meter, s->val.length - r.from);
}

static tg_status find(search *s, int64_t most)
{
    for (int64_t n; s->section + s->width <= s->train.length; s->section += n * s->step) {
        n = fill_table(s, most);
        tg_status status = s->status ? s->status : read_val(s);
        if (!status && s->count) status = unite_runs(s);
        if (status) return status;
    }
    s->found.spans = s->count;
    for (int64_t i = 0; i < s->count; i++) s->found.covered += s->runs[i].end - s->runs[i].begin;
    return TG_OK;
}

tg_status tg_leaks_find_with(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, int64_t anchors, tg_leaks *out)
{
    if (span < TG_LEAK_SHORTEST)
        return tg_fail(TG_EINVAL, "shared spans of %" PRId64 " bytes: %d or more are searched", span, TG_LEAK_SHORTEST);
    search s = {.train = train, .val = val, .span = span, .width = least(WIDTH, span / 2), .out = 1};
    s.step = span - s.width + 1;
    for (int64_t i = 0; i < s.width; i++) s.out *= base;
    const int64_t most = least(anchors, train.length / s.step + 1);
    uint64_t slots = 64;
    while (slots < 2 * (uint64_t)most) slots *= 2;
    s.mask = slots - 1;
    s.filter_mask = slots / 8 - 1; /* words of 64 bits: 8 bits a slot */
    s.table = tg_alloc_raw((int64_t)(slots * sizeof *s.table)); /* emptied for each section */
    s.filter = tg_alloc_raw((int64_t)(slots / 8 * sizeof *s.filter));
    s.meter = tg_meter_start(ctx, "look for leaks", "bytes", val.length * (train.length / (most * s.step) + 1));
    tg_status status = s.table && s.filter ? find(&s, most) : TG_ENOMEM;
    tg_meter_end(&s.meter);
    tg_window_free(&s.here);
    tg_window_free(&s.in_train);
    tg_window_free(&s.in_val);
    tg_window_free(&s.ahead);
    tg_free(s.table);
    tg_free(s.filter);
    tg_free(s.runs);
    if (!status) *out = s.found;
    return status;
}

tg_status tg_leaks_find(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, tg_leaks *out)
{
    return tg_leaks_find_with(ctx, train, val, span, MAX_ANCHORS, out);
}
