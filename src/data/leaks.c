/* leaks.c - anchors of train in a table, val read against them from left to right.
 *
 * Of train only those anchors go into the table that val may hold, so that the longest train fills few tables: a filter of
 * all anchors of train is asked for each position of val, what it lets through is marked in cells, and an anchor whose cells
 * are marked is put into the table. The cells then count how often it was put there.
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
#include "base/sizes.h"
#include "base/sort.h"

enum { PIECE = 1 << 18, FIRST = 512, WIDTH = 32, MAX_ANCHORS = 1 << 21, SAME = 16, GROUP = 32, LINE = 64,
       MAX_WORDS = 1 << 22, MAX_LINES = 1 << 19 /* 32 MiB each */ };

/* An anchor's number + 1, 0: free; parts of hashes: its own, of the `half` bytes before it, of those behind. */
typedef struct slot { uint32_t anchor; uint16_t tag; uint8_t before, after; } slot;
typedef struct run { int64_t begin, end; } run;                 /* of val */
typedef struct filter { uint64_t *words, mask; } filter;        /* a set of hashes: never wrong when it says no */

/* Where a text is read: hashes of a group of positions are worked out ahead, so that memory is there when it is asked. */
typedef struct reader {
    const char *bytes;       /* [from, to) of val */
    int64_t from, to;
    uint64_t rolling;        /* of the position that comes next, if it rolls */
    bool rolls;
    uint64_t hash[GROUP];
} reader;

typedef struct search {
    tg_stretch train, val;
    tg_window ordered, in_train, in_val, ahead; /* train in order; where both are compared; where val is read on */
    int64_t span, width, step, half;
    uint64_t out;            /* what a byte that leaves the rolling hash weighs */
    int64_t anchors, next;   /* of train; the first that no section had yet */
    filter all, here;        /* anchors of train; those in the table */
    uint8_t *cells;          /* three in a line for a hash: 0 val has none, else 1 + how many such anchors were taken */
    uint64_t line_mask;
    slot *table;             /* two slots an anchor, or more */
    uint64_t mask;
    run *runs;
    int64_t count, room;
    tg_leaks found;
    tg_meter meter;
    tg_status status;        /* of reading */
} search;

/* count bytes from `at` on; NULL: s->status says why. */
static const char *bytes_of(search *s, tg_window *w, const tg_stretch *of, int64_t at, int64_t count)
{
    const char *view = NULL;
    if (!s->status) s->status = tg_scratch_look(of->text, w, of->begin + at, count, &view);
    return s->status ? NULL : view;
}

static const char *train_bytes(search *s, int64_t at, int64_t count)
{
    return bytes_of(s, &s->in_train, &s->train, at, count);
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

/* One step on: `gone` leaves the window, `come` enters it. */
static uint64_t roll(const search *s, uint64_t h, char gone, char come)
{
    return h * base + (unsigned char)come + 1 - s->out * ((unsigned char)gone + 1u);
}

/* ---- sets of hashes ---------------------------------------------------------------------------------------------- */

static uint64_t *word_of(const filter *f, uint64_t hash)
{
    return &f->words[hash >> 18 & f->mask];
}

/* Three of a word's bits (Bloom 1970, one cache line a question). */
static uint64_t filter_bits(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63) | UINT64_C(1) << (hash >> 12 & 63);
}

static bool may_hold(const filter *f, uint64_t hash)
{
    return (~*word_of(f, hash) & filter_bits(hash)) == 0;
}

/* Other bits than the filter takes, so that what slips through one does not slip through the other. */
static uint8_t *cells_of(const search *s, uint64_t hash, uint8_t *out[3])
{
    const uint64_t h = hash * base;
    uint8_t *line = s->cells + (h >> 36 & s->line_mask) * LINE;
    for (int i = 0; i < 3; i++) out[i] = &line[h >> (18 + 6 * i) & (LINE - 1)];
    return line;
}

static void mark_cells(const search *s, uint64_t hash)
{
    uint8_t *cell[3];
    cells_of(s, hash, cell);
    for (int i = 0; i < 3; i++) *cell[i] = 1;
}

/* Whether val may hold an anchor, of which fewer than SAME were taken; counts it. What others counted in some of its cells
 * does no harm: the least of them is believed (Estan & Varghese 2002). */
static bool take_anchor(const search *s, uint64_t hash)
{
    uint8_t *cell[3], low = UINT8_MAX;
    cells_of(s, hash, cell);
    for (int i = 0; i < 3; i++) low = *cell[i] < low ? *cell[i] : low;
    if (low == 0 || low > SAME) return false;
    for (int i = 0; i < 3; i++)
        if (*cell[i] == low) *cell[i] = (uint8_t)(low + 1);
    return true;
}

/* ---- anchors of train --------------------------------------------------------------------------------------------- */

/* Hashes of the anchors from number n on, at most GROUP; returns how many, 0: none, or s->status. */
static int64_t hash_anchors(search *s, int64_t n, uint64_t *hash)
{
    const int64_t group = tg_least(GROUP, s->anchors - n);
    if (group <= 0) return 0;
    const char *at = bytes_of(s, &s->ordered, &s->train, n * s->step, (group - 1) * s->step + s->width);
    if (!s->status) s->status = tg_meter_add(&s->meter, group * s->step);
    for (int64_t i = 0; i < group && !s->status; i++) hash[i] = stir(hash_of(at + i * s->step, s->width));
    return s->status ? 0 : group;
}

static void filter_train(search *s)
{
    uint64_t hash[GROUP];
    for (int64_t n = 0, group; (group = hash_anchors(s, n, hash)) > 0; n += group) {
        for (int64_t i = 0; i < group; i++) __builtin_prefetch(word_of(&s->all, hash[i]), 1);
        for (int64_t i = 0; i < group; i++) *word_of(&s->all, hash[i]) |= filter_bits(hash[i]);
    }
}

/* What tells half bytes from others: 1 to 255; 0 where the text does not have them. */
static uint8_t side(search *s, tg_window *w, const tg_stretch *of, int64_t at)
{
    if (at < 0 || at + s->half > of->length) return 0;
    const char *bytes = bytes_of(s, w, of, at, s->half);
    return bytes ? (uint8_t)(stir(hash_of(bytes, s->half)) % UINT8_MAX + 1) : 0;
}

static void put_anchor(search *s, uint64_t hash, int64_t anchor)
{
    const int64_t t = anchor * s->step;
    uint64_t at = hash & s->mask;
    while (s->table[at].anchor) at = (at + 1) & s->mask;
    s->table[at] = (slot){(uint32_t)anchor + 1, (uint16_t)(hash >> 48), side(s, &s->ordered, &s->train, t - s->half),
                          side(s, &s->ordered, &s->train, t + s->width)};
    *word_of(&s->here, hash) |= filter_bits(hash);
}

/* A section: the next anchors that are worth it, at most `most`. */
static void fill_table(search *s, int64_t most)
{
    uint64_t hash[GROUP];
    int64_t taken = 0, group;
    memset(s->table, 0, (s->mask + 1) * sizeof *s->table);
    memset(s->here.words, 0, (s->here.mask + 1) * sizeof *s->here.words);
    while (taken < most && (group = hash_anchors(s, s->next, hash)) > 0) {
        uint8_t *unused[3];
        int64_t i = 0;
        for (; i < group; i++) __builtin_prefetch(cells_of(s, hash[i], unused), 1);
        for (i = 0; i < group && taken < most; i++) {
            if (!take_anchor(s, hash[i])) continue;
            put_anchor(s, hash[i], s->next + i);
            taken++;
        }
        s->next += i;
    }
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
    for (int64_t piece = FIRST; n < most; piece = tg_least(2 * piece, PIECE)) {
        const int64_t count = tg_least(piece, most - n);
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
    for (int64_t piece = FIRST; n < most; piece = tg_least(2 * piece, PIECE)) {
        const int64_t count = tg_least(piece, most - n);
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
    int left = -1, right = -1; /* of val, as a slot's */
    m->covers = (run){v, v};
    for (uint64_t at = hash & s->mask; s->table[at].anchor; at = (at + 1) & s->mask) {
        const slot *a = &s->table[at];
        if (a->tag != hash >> 48) continue;
        if (left < 0) {
            left = side(s, &s->in_val, &s->val, v - s->half);
            right = side(s, &s->in_val, &s->val, v + s->width);
        }
        if ((!left || a->before != left) && (!right || a->after != right)) continue; /* less than half on both sides */
        const int64_t t = (int64_t)(a->anchor - 1) * s->step;
        before = tg_least(s->span, tg_least(t, v));
        after = tg_least(most, tg_least(s->train.length - t, s->val.length - v));
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
    before = alike_before(s, best_at, v, tg_least(best_at, v));
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

/* Hashes of `count` positions from v on; f is asked for them next. */
static tg_status hash_group(search *s, reader *r, const filter *f, int64_t v, int64_t count)
{
    if (v + count + s->width > r->to && (r->to < s->val.length || !r->bytes)) {
        tg_status status = tg_meter_add(&s->meter, v - r->from);
        r->from = v;
        r->to = v + tg_least(PIECE, s->val.length - v);
        r->bytes = bytes_of(s, &s->ahead, &s->val, r->from, r->to - r->from);
        if (status || !r->bytes) return status ? status : s->status;
    }
    const char *at = r->bytes + (v - r->from), *end = r->bytes + (r->to - r->from);
    if (!r->rolls) r->rolling = hash_of(at, s->width);
    r->rolls = true;
    for (int64_t i = 0; i < count; i++, at++) {
        r->hash[i] = stir(r->rolling);
        __builtin_prefetch(word_of(f, r->hash[i]), 0);
        if (at + s->width < end) r->rolling = roll(s, r->rolling, *at, at[s->width]);
    }
    return TG_OK;
}

/* Marks what val may share with train, wherever that lies. */
static tg_status mark_val(search *s)
{
    reader r = {.bytes = NULL};
    const int64_t positions = s->val.length - s->width + 1;
    tg_status status = TG_OK;
    for (int64_t v = 0, n; v < positions && !status; v += n) {
        n = tg_least(GROUP, positions - v);
        status = hash_group(s, &r, &s->all, v, n);
        for (int64_t i = 0; i < n && !status; i++)
            if (may_hold(&s->all, r.hash[i])) mark_cells(s, r.hash[i]);
    }
    return status ? status : tg_meter_add(&s->meter, s->val.length - r.from);
}

/* Val against one section. */
static tg_status read_val(search *s)
{
    int64_t reach = 0, left = 0, last = s->val.length - s->width;
    reader r = {.bytes = NULL};
    for (int64_t v = 0, next; v <= last; v = next) {
        const int64_t end = v + tg_least(GROUP, last - v + 1), first = v;
        tg_status status = hash_group(s, &r, &s->here, v, end - v);
        for (next = v; next < end && !status;) {
            const uint64_t hash = r.hash[next - first];
            const bool aside = next < left; /* a span is known that goes on: what else begins before it? */
            match m;
            v = next++;
            if (may_hold(&s->here, hash) && look_up(s, hash, v, aside ? s->span : s->val.length, aside ? 0 : reach, &m)) {
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
    filter_train(s);
    tg_status status = s->status ? s->status : mark_val(s);
    tg_free(s->all.words);
    s->all.words = NULL;
    while (!status && s->next < s->anchors) {
        fill_table(s, most);
        if (s->next < s->anchors) s->meter.total += s->val.length; /* to be read once more */
        status = s->status ? s->status : read_val(s);
        if (!status && s->count) status = unite_runs(s);
    }
    s->found.spans = s->count;
    for (int64_t i = 0; i < s->count; i++) s->found.covered += s->runs[i].end - s->runs[i].begin;
    return status;
}

static uint64_t power_of_2(int64_t least_one)
{
    uint64_t n = 1;
    while (n < (uint64_t)least_one) n *= 2;
    return n;
}

/* A filter of 8 bits or more for each of `count`, in at most so many words. */
static bool make_filter(filter *f, int64_t count, int64_t most)
{
    const uint64_t words = power_of_2(tg_least((count + 7) / 8, most));
    *f = (filter){tg_alloc((int64_t)(words * sizeof *f->words)), words - 1};
    return f->words != NULL;
}

static bool make_room(search *s, int64_t most)
{
    const uint64_t slots = power_of_2(2 * most), lines = power_of_2(tg_least(s->anchors / LINE + 1, MAX_LINES));
    s->mask = slots - 1;
    s->line_mask = lines - 1;
    if (!make_filter(&s->all, s->anchors, MAX_WORDS) || !make_filter(&s->here, 2 * most, MAX_WORDS)) return false;
    s->cells = tg_alloc((int64_t)(lines * LINE));
    s->table = tg_alloc_raw((int64_t)(slots * sizeof *s->table)); /* emptied for each section */
    return s->cells && s->table;
}

tg_status tg_leaks_find_with(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, int64_t anchors, tg_leaks *out)
{
    if (span < TG_LEAK_SHORTEST)
        return tg_fail(TG_EINVAL, "shared spans of %" PRId64 " bytes: %d or more are searched", span, TG_LEAK_SHORTEST);
    search s = {.train = train, .val = val, .span = span, .width = tg_least(WIDTH, span / 2), .out = 1};
    s.step = span - s.width + 1;
    s.half = s.step / 2; /* of the step - 1 bytes beside an anchor so many, or more, are on one side */
    for (int64_t i = 0; i < s.width; i++) s.out *= base;
    if (tg_least(train.length, val.length) >= s.width) s.anchors = (train.length - s.width) / s.step + 1;
    const int64_t most = tg_least(anchors, s.anchors);
    if (s.anchors >= UINT32_MAX)
        return tg_fail(TG_EINVAL, "%" PRId64 " bytes are too many to be searched for spans of %" PRId64, train.length, span);
    s.meter = tg_meter_start(ctx, "look for leaks", "bytes", 2 * (train.length + val.length));
    tg_status status = make_room(&s, most) ? find(&s, most) : TG_ENOMEM;
    tg_meter_end(&s.meter);
    tg_window_free(&s.ordered);
    tg_window_free(&s.in_train);
    tg_window_free(&s.in_val);
    tg_window_free(&s.ahead);
    tg_free(s.all.words);
    tg_free(s.here.words);
    tg_free(s.cells);
    tg_free(s.table);
    tg_free(s.runs);
    if (!status) *out = s.found;
    return status;
}

tg_status tg_leaks_find(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, tg_leaks *out)
{
    return tg_leaks_find_with(ctx, train, val, span, MAX_ANCHORS, out);
}
