/*
 * copied.c - the automaton of the judged texts, and the training text's way through it.
 *
 * A state is a set of substrings that end at the same places of the texts; `length` is that of its longest, `link` the state of
 * the longest suffix that ends at more places. While the training text passes, the state is that of the longest substring of the
 * texts that ends here, and `match` its length. A state remembers the longest match that ended at it (`seen`), and where. All
 * shorter suffixes of a match were in the training text as well; they belong to the states that links lead to, which learn it in
 * tg_copied_end, longest first. A substring that was never reached has its longest suffix that was: this the states learn then,
 * shortest first. After that, `seen` of a text's prefix is the longest run that ends with it.
 */
#include "run/metrics/copied.h"

#include "base/alloc.h"
#include "base/sort.h"
#include "data/leaks.h"

#include <math.h>
#include <string.h>

enum { NONE = -1, ROOT = 0 };

typedef struct state {
    int64_t where;         /* behind the match, in the training text */
    int32_t length, link;
    int32_t edges;         /* while it is built: the first of a list; then the first of those up to the next state's */
    int32_t seen;          /* 0: nothing */
} state;

/* While it is built: lists, newest first. */
typedef struct edge { int32_t target, next; uint8_t label; } edge;

struct tg_copied {
    state *states;         /* count, and one that ends the last one's edges */
    int32_t count, edge_count;
    edge *lists;           /* NULL when it is built */
    uint8_t *labels;       /* then: edges by state */
    int32_t *targets;
    int32_t at, match;     /* of the training text */
    int64_t position;
    tg_copied_group *groups;
    int64_t *chars;        /* where each character of a text begins: room for the longest */
};

/* ---- building ---------------------------------------------------------------------------------------------------- */

static edge *list_edge(const tg_copied *c, int32_t from, uint8_t label)
{
    for (int32_t e = c->states[from].edges; e != NONE; e = c->lists[e].next)
        if (c->lists[e].label == label) return &c->lists[e];
    return NULL;
}

static void add_edge(tg_copied *c, int32_t from, uint8_t label, int32_t target)
{
    c->lists[c->edge_count] = (edge){target, c->states[from].edges, label};
    c->states[from].edges = c->edge_count++;
}

static int32_t add_state(tg_copied *c, int32_t length)
{
    c->states[c->count] = (state){.length = length, .link = NONE, .edges = NONE};
    return c->count++;
}

/* `to` has longer substrings than what `from` and the label make: these get a state of their own. */
static int32_t split(tg_copied *c, int32_t from, int32_t to, uint8_t label)
{
    const int32_t part = add_state(c, c->states[from].length + 1);
    for (int32_t e = c->states[to].edges; e != NONE; e = c->lists[e].next)
        add_edge(c, part, c->lists[e].label, c->lists[e].target);
    c->states[part].link = c->states[to].link;
    c->states[to].link = part;
    for (edge *e; from != NONE; from = c->states[from].link) {
        e = list_edge(c, from, label);
        if (!e || e->target != to) break;
        e->target = part;
    }
    return part;
}

static int32_t reach(tg_copied *c, int32_t from, int32_t to, uint8_t label)
{
    return c->states[from].length + 1 == c->states[to].length ? to : split(c, from, to, label);
}

/* The state of `last` and one byte more. */
static int32_t extend(tg_copied *c, int32_t last, uint8_t label)
{
    edge *e = list_edge(c, last, label);
    if (e) return reach(c, last, e->target, label); /* another text has it */
    const int32_t longer = add_state(c, c->states[last].length + 1);
    for (; last != NONE && !(e = list_edge(c, last, label)); last = c->states[last].link) add_edge(c, last, label, longer);
    c->states[longer].link = last == NONE ? ROOT : reach(c, last, e->target, label);
    return longer;
}

/* Edges side by side, for speed. */
static tg_status settle(tg_copied *c)
{
    int32_t n = 0;
    c->labels = tg_alloc_raw(c->edge_count);
    c->targets = tg_alloc_raw((int64_t)c->edge_count * (int64_t)sizeof *c->targets);
    if (!c->labels || !c->targets) return TG_ENOMEM;
    for (int32_t s = 0; s < c->count; s++) {
        int32_t e = c->states[s].edges;
        c->states[s].edges = n;
        for (; e != NONE; e = c->lists[e].next, n++) {
            c->labels[n] = c->lists[e].label;
            c->targets[n] = c->lists[e].target;
        }
    }
    c->states[c->count].edges = n;
    tg_free(c->lists);
    c->lists = NULL;
    return TG_OK;
}

tg_status tg_copied_new(const tg_copied_group *groups, int count, tg_copied **out)
{
    int64_t all = 0, longest = 0;
    for (int g = 0; g < count; g++)
        for (int64_t i = 0; i < groups[g].count; i++) {
            const int64_t length = groups[g].texts[i].length;
            if (length > TG_COPIED_ROOM - all)
                return tg_fail(TG_EINVAL, "more than 64 MiB to be held against the training text: judge fewer samples");
            all += length;
            longest = length > longest ? length : longest;
        }
    tg_copied *c = tg_alloc(sizeof *c);
    if (!c) return TG_ENOMEM;
    /* Fewer than 2 states and 3 edges a byte (Blumer et al. 1987), a root, an end. Pages are touched when they are
     * used. */
    c->states = tg_alloc_raw((2 * all + 2) * (int64_t)sizeof *c->states);
    c->lists = tg_alloc_raw((3 * all + 1) * (int64_t)sizeof *c->lists);
    c->groups = tg_alloc_array(count, sizeof *c->groups);
    c->chars = tg_alloc_array(longest + 1, sizeof *c->chars);
    if (!c->states || !c->lists || !c->groups || !c->chars) {
        tg_copied_free(c);
        return TG_ENOMEM;
    }
    add_state(c, 0);
    for (int g = 0; g < count; g++) {
        c->groups[g] = groups[g];
        for (int64_t i = 0; i < groups[g].count; i++) {
            const tg_text *text = &groups[g].texts[i];
            int32_t last = ROOT;
            for (int64_t k = 0; k < text->length; k++) last = extend(c, last, (uint8_t)text->bytes[k]);
        }
    }
    tg_status status = settle(c);
    if (status) tg_copied_free(c);
    else *out = c;
    return status;
}

void tg_copied_free(tg_copied *c)
{
    if (!c) return;
    tg_free(c->states);
    tg_free(c->lists);
    tg_free(c->labels);
    tg_free(c->targets);
    tg_free(c->groups);
    tg_free(c->chars);
    tg_free(c);
}

/* ---- the training text -------------------------------------------------------------------------------------------- */

static int32_t target_of(const tg_copied *c, int32_t from, uint8_t label)
{
    const int32_t end = c->states[from + 1].edges;
    for (int32_t e = c->states[from].edges; e < end; e++)
        if (c->labels[e] == label) return c->targets[e];
    return NONE;
}

void tg_copied_read(tg_copied *c, const char *bytes, int64_t count)
{
    int32_t at = c->at, match = c->match;
    for (int64_t i = 0; i < count; i++) {
        int32_t next;
        while ((next = target_of(c, at, (uint8_t)bytes[i])) == NONE && at != ROOT) {
            at = c->states[at].link;
            match = c->states[at].length;
        }
        if (next == NONE) continue;
        at = next;
        if (++match <= c->states[at].seen) continue;
        c->states[at].seen = match;
        c->states[at].where = c->position + i + 1;
    }
    c->position += count;
    c->at = at;
    c->match = match;
}

void tg_copied_break(tg_copied *c)
{
    c->at = ROOT;
    c->match = 0;
}

/* States by length, ascending. */
static tg_status order_states(const tg_copied *c, int32_t **out)
{
    int64_t longest = 0;
    for (int32_t s = 0; s < c->count; s++) longest = c->states[s].length > longest ? c->states[s].length : longest;
    int32_t *order = tg_alloc_array(c->count, sizeof *order), *begin = tg_alloc_array(longest + 2, sizeof *begin);
    if (order && begin) {
        for (int32_t s = 0; s < c->count; s++) begin[c->states[s].length + 1]++;
        for (int64_t n = 1; n <= longest; n++) begin[n] += begin[n - 1];
        for (int32_t s = 0; s < c->count; s++) order[begin[c->states[s].length]++] = s;
    }
    tg_free(begin);
    if (!order || !begin) {
        tg_free(order);
        return TG_ENOMEM;
    }
    *out = order;
    return TG_OK;
}

tg_status tg_copied_end(tg_copied *c)
{
    int32_t *order;
    tg_status status = order_states(c, &order);
    if (status) return status;
    for (int32_t i = c->count - 1; i > 0; i--) {
        const state *s = &c->states[order[i]];
        state *shorter = &c->states[s->link];
        if (s->seen == 0 || shorter->seen == shorter->length) continue;
        shorter->seen = shorter->length;
        shorter->where = s->where;
    }
    for (int32_t i = 1; i < c->count; i++) {
        state *s = &c->states[order[i]];
        if (s->seen > 0) continue;
        s->seen = c->states[s->link].seen;
        s->where = c->states[s->link].where;
    }
    tg_free(order);
    return TG_OK;
}

/* ---- what was found ------------------------------------------------------------------------------------------------ */

/* The longest run that ends behind character `to` - 1 of a text: its characters [from, to). */
typedef struct run { int64_t text, from, to, in_train; } run;

typedef void tell_run(void *user, const run *r, const int64_t *chars, bool is_last);

/* Tells of the run at each character's end, empty ones too; is_last: the text ends there. */
static void each_run(const tg_copied *c, int group, tell_run *tell, void *user)
{
    for (int64_t i = 0; i < c->groups[group].count; i++) {
        const tg_text *text = &c->groups[group].texts[i];
        const char *at = text->bytes, *end = at + text->length;
        int32_t s = ROOT;
        c->chars[0] = 0;
        for (run r = {.text = i}; at < end;) {
            for (int n = tg_char_at(at, end); n > 0; n--) s = target_of(c, s, (uint8_t)*at++);
            const int64_t here = at - text->bytes, begin = here - c->states[s].seen;
            c->chars[++r.to] = here;
            while (c->chars[r.from] < begin) r.from++; /* a run that ends later begins no earlier */
            r.in_train = c->states[s].where - (here - c->chars[r.from]);
            tell(user, &r, c->chars, at == end);
        }
    }
}

static int64_t counted(int64_t n)
{
    return n < TG_COPIED_LONGEST ? n : TG_COPIED_LONGEST;
}

static void count_run(void *user, const run *r, const int64_t *chars, bool is_last)
{
    tg_copied_figures *f = user;
    const int64_t n = r->to - r->from;
    (void)chars, (void)is_last;
    f->grams[counted(r->to)]++;
    f->copied[counted(n)]++;
    if (n > f->longest) f->longest = n;
}

void tg_copied_of(const tg_copied *c, int group, tg_copied_figures *out)
{
    memset(out, 0, sizeof *out);
    for (int64_t i = 0; i < c->groups[group].count; i++) out->bytes += c->groups[group].texts[i].length;
    each_run(c, group, count_run, out);
    for (int n = TG_COPIED_LONGEST; n > 1; n--) { /* what ends here with n characters has shorter n-grams that end here */
        out->grams[n - 1] += out->grams[n];
        out->copied[n - 1] += out->copied[n];
    }
}

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

/* How many characters so many bytes of the texts are, on average, rounded up. */
static int64_t worth(const tg_copied_figures *f, int64_t bytes)
{
    const int64_t n = f->bytes > 0 ? (bytes * f->grams[1] + f->bytes - 1) / f->bytes : bytes;
    return n > 1 ? counted(n) : 1;
}

static double share_of(const tg_copied_figures *f, int64_t n)
{
    return (double)f->copied[n] / (double)f->grams[n];
}

tg_copied_verdict tg_copied_judge(const tg_copied_figures *texts, const tg_copied_figures *real)
{
    if (real && real->grams[worth(texts, TG_COPIED_SPAN)] < TG_COPIED_ENOUGH) real = NULL;
    const int64_t least = worth(texts, real ? TG_COPIED_SPAN : TG_LEAK_SPAN);
    int64_t usual = worth(texts, real ? TG_LEAK_SPAN / 2 : TG_LEAK_SPAN); /* the longest run that needs no reason */
    if (real && real->longest > usual) usual = real->longest;
    tg_copied_verdict v = {.why = TG_COPIED_SHORT, .length = least, .share = (double)NAN, .real_share = (double)NAN,
                           .bound = TG_COPIED_SHARE_MOST, .longest = texts->longest, .real_longest = real ? real->longest : -1,
                           .longest_bound = TG_COPIED_LONGER * usual};
    double natural = 0;
    for (int64_t n = least; n <= TG_COPIED_LONGEST && texts->grams[n] >= TG_COPIED_ENOUGH && !v.flagged; n++) {
        if (real && real->grams[n] >= TG_COPIED_ENOUGH) natural = share_of(real, n); /* else that of shorter ones */
        const double bound = TG_COPIED_SHARE_MOST + TG_COPIED_TIMES * natural, share = share_of(texts, n);
        v.flagged = share > bound;
        if (n > least && !v.flagged) continue;
        v.why = v.flagged ? TG_COPIED_SHARE : TG_COPIED_FINE;
        v.length = n;
        v.share = share;
        v.real_share = real ? natural : (double)NAN;
        v.bound = bound;
    }
    if (!v.flagged && v.longest > v.longest_bound) {
        v.why = TG_COPIED_RUN;
        v.flagged = true;
    }
    return v;
}

/* ---- passages ---------------------------------------------------------------------------------------------------- */

typedef struct collection { tg_passage *items, before; int64_t least, count, room; bool failed; } collection;

static void keep(collection *all, const tg_passage *p)
{
    if (p->chars < all->least || all->failed) return;
    if (all->count == all->room) {
        const int64_t room = all->room ? 2 * all->room : 64, size = sizeof *p;
        tg_passage *grown = tg_realloc(all->items, all->room * size, room * size);
        all->failed = !grown;
        if (!grown) return;
        all->items = grown;
        all->room = room;
    }
    all->items[all->count++] = *p;
}

/* A run is as long as can be when the next one begins later: then the one before is kept. */
static void collect_run(void *user, const run *r, const int64_t *chars, bool is_last)
{
    collection *all = user;
    const tg_passage p = {r->text, chars[r->from], chars[r->to] - chars[r->from], r->to - r->from, r->in_train};
    if (p.text == all->before.text && p.offset > all->before.offset) keep(all, &all->before);
    if (is_last) keep(all, &p);
    all->before = p;
}

static int longest_first(const void *a, const void *b, void *user)
{
    const tg_passage *x = a, *y = b;
    (void)user;
    if (x->chars != y->chars) return x->chars > y->chars ? -1 : 1;
    if (x->text != y->text) return x->text < y->text ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool overlaps(const tg_passage *a, const tg_passage *b)
{
    return a->text == b->text && a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

tg_status tg_copied_passages(const tg_copied *c, int group, int64_t least, tg_passage *out, int64_t room, int64_t *count)
{
    collection all = {.least = least > 1 ? least : 1, .before = {.text = -1}};
    each_run(c, group, collect_run, &all);
    tg_passage *scratch = all.failed ? NULL : tg_alloc_array(all.count, sizeof *scratch);
    int64_t n = 0;
    if (scratch) tg_sort(all.items, all.count, sizeof *all.items, scratch, longest_first, NULL);
    for (int64_t i = 0; i < all.count && scratch && n < room; i++) {
        bool is_new = true;
        for (int64_t k = 0; k < n && is_new; k++) is_new = !overlaps(&all.items[i], &out[k]);
        if (is_new) out[n++] = all.items[i];
    }
    const bool failed = !scratch;
    tg_free(scratch);
    tg_free(all.items);
    if (failed) return TG_ENOMEM;
    *count = n;
    return TG_OK;
}
