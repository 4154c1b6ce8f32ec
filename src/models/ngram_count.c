/*
 * ngram_count.c - all n-grams of a text, sorted, with their counts.
 *
 * The positions of the text are sorted by the tokens that begin there, up to the order: a radix sort, last token first,
 * a stable pass for each. Equal n-grams then lie side by side, and one walk over the positions for each level numbers
 * them. Nothing is hashed, so nothing depends on a table's order.
 */
#include "models/ngram.h"

#include "base/alloc.h"
#include "base/meter.h"

#include <string.h>

enum { PART = 1 << 20 /* positions between two looks at the cancel flag */ };

typedef struct counter {
    tg_ngram *g;
    const tg_ngram_text *text;
    int width;
    tg_meter meter;
    uint8_t *room;     /* [N] tokens from here to the document's end, at most the order */
    uint8_t *shared;   /* [N] tokens that the sorted position i has in common with i - 1 */
    uint32_t *sorted, *spare; /* [N] positions */
    uint32_t *below, *here;   /* [N] number of the n-gram that begins at a position, of the level below and of this one */
    int64_t *bucket;   /* [V + 1] where the next position with this token goes; 0: beyond the end */
    int64_t level;     /* of the pass or walk */
    int64_t last;      /* the n-gram that the walk is in */
    bool opens;        /* a document opens with it: told already */
} counter;

static tg_status in_parts(counter *c, void (*work)(counter *, int64_t, int64_t))
{
    tg_status s = TG_OK;
    for (int64_t i = 0, n = c->text->count; i < n && !s; i += PART) {
        const int64_t end = n - i < PART ? n : i + PART;
        work(c, i, end);
        s = tg_meter_add(&c->meter, end - i);
    }
    return s;
}

static uint32_t token_at(const counter *c, int64_t i)
{
    return tg_ngram_token(c->text->tokens, c->width, i);
}

static void measure_room(counter *c)
{
    const tg_ngram_text *t = c->text;
    int64_t d = t->starts ? t->documents : 0;
    uint8_t left = 0;
    for (int64_t i = t->count - 1; i >= 0; i--) {
        if (left < c->g->order) left++;
        c->room[i] = left;
        while (d > 0 && t->starts[d - 1] > i) d--;
        if (d > 0 && t->starts[d - 1] == i) left = 0;
    }
}

/* ---- sorting -------------------------------------------------------------------------------------------------------- */

/* The token that decides the pass: 0 beyond the document's end, so that what is cut short comes first. */
static uint32_t key_of(const counter *c, int64_t position)
{
    return c->room[position] >= c->level ? token_at(c, position + c->level - 1) + 1 : 0;
}

static void scatter(counter *c, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) {
        const uint32_t position = c->sorted[i];
        c->spare[c->bucket[key_of(c, position)]++] = position;
    }
}

static tg_status sort_by(counter *c, int64_t level)
{
    int64_t sum = 0;
    c->level = level;
    memset(c->bucket, 0, (size_t)(c->g->vocab + 1) * sizeof *c->bucket);
    for (int64_t i = 0; i < c->text->count; i++) c->bucket[key_of(c, i)]++;
    for (int64_t v = 0; v <= c->g->vocab; v++) {
        const int64_t n = c->bucket[v];
        c->bucket[v] = sum;
        sum += n;
    }
    tg_status s = in_parts(c, scatter);
    uint32_t *sorted = c->spare;
    c->spare = c->sorted;
    c->sorted = sorted;
    return s;
}

static void compare(counter *c, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) {
        uint8_t n = 0;
        if (i > 0) {
            const int64_t a = c->sorted[i - 1], b = c->sorted[i];
            const uint8_t most = c->room[a] < c->room[b] ? c->room[a] : c->room[b];
            while (n < most && token_at(c, a + n) == token_at(c, b + n)) n++;
        }
        c->shared[i] = n;
        for (int64_t k = n + 1; k <= c->room[c->sorted[i]]; k++) c->g->levels[k].count++;
    }
}

static tg_status sort_positions(counter *c)
{
    tg_status s = TG_OK;
    for (int64_t i = 0; i < c->text->count; i++) c->sorted[i] = (uint32_t)i;
    for (int64_t k = c->g->order; k >= 1 && !s; k--) s = sort_by(c, k);
    if (!s) s = in_parts(c, compare);
    c->g->levels[1].count = c->g->vocab;
    return s;
}

/* ---- levels --------------------------------------------------------------------------------------------------------- */

static tg_status make_level(tg_ngram *g, int64_t k)
{
    tg_ngram_level *l = &g->levels[k];
    if (k < g->order && !(l->first = tg_alloc_array(l->count + 1, sizeof *l->first))) return TG_ENOMEM;
    if (!(l->times = tg_alloc_array(l->count, sizeof *l->times))) return TG_ENOMEM;
    if (k == 1) return TG_OK;
    l->token = tg_alloc_array(l->count, sizeof *l->token);
    l->suffix = tg_alloc_array(l->count, sizeof *l->suffix);
    return l->token && l->suffix ? TG_OK : TG_ENOMEM;
}

/* An n-gram of level 2 or above comes for the first time, at this position: one more continuation of its context, and
 * one more token that its suffix follows. */
static void enter(counter *c, int64_t position)
{
    const int64_t k = c->level;
    tg_ngram_level *l = &c->g->levels[k], *lower = &c->g->levels[k - 1];
    const uint32_t suffix = c->below[position + 1];
    c->last++;
    l->token[c->last] = token_at(c, position + k - 1);
    l->suffix[c->last] = suffix;
    lower->first[c->below[position] + 1]++;
    lower->times[suffix]++;
}

/* Below the highest level an n-gram counts once for each different token before it, and once for opening documents: the
 * counts of Kneser & Ney 1995. The highest level has plain counts. */
static void number(counter *c, int64_t first, int64_t end)
{
    const int64_t k = c->level;
    const bool highest = k == c->g->order;
    for (int64_t i = first; i < end; i++) {
        const uint32_t position = c->sorted[i];
        if (c->room[position] < k) continue;
        if (c->shared[i] < k) {
            c->opens = false;
            if (k == 1) c->last = token_at(c, position);
            else enter(c, position);
        }
        if (highest) {
            c->g->levels[k].times[c->last]++;
        } else {
            c->here[position] = (uint32_t)c->last;
            if (!c->opens && (position == 0 || c->room[position - 1] == 1)) {
                c->opens = true;
                c->g->levels[k].times[c->last]++;
            }
        }
    }
}

static tg_status number_level(counter *c, int64_t k)
{
    tg_status s = make_level(c->g, k);
    if (s) return s;
    c->level = k;
    c->last = -1;
    s = in_parts(c, number);
    uint32_t *here = c->below;
    c->below = c->here;
    c->here = here;
    if (k == 1) return s;
    tg_ngram_level *lower = &c->g->levels[k - 1];
    for (int64_t i = 0; i < lower->count; i++) lower->first[i + 1] += lower->first[i];
    return s;
}

tg_status tg_ngram_gather(tg_context *ctx, const tg_ngram_text *text, tg_ngram *g)
{
    const int64_t N = text->count;
    counter c = {.g = g, .text = text, .width = tg_token_bytes(g->vocab),
                 .meter = tg_meter_start(ctx, "count", "positions", (2 * g->order + 1) * N),
                 .room = tg_alloc_raw(N), .shared = tg_alloc_raw(N), .sorted = tg_alloc_raw(4 * N),
                 .spare = tg_alloc_raw(4 * N), .below = tg_alloc_raw(4 * N), .bucket = tg_alloc_array(g->vocab + 1, sizeof *c.bucket)};
    tg_status s = c.room && c.shared && c.sorted && c.spare && c.below && c.bucket ? TG_OK : TG_ENOMEM;
    if (!s) measure_room(&c);
    if (!s) s = sort_positions(&c);
    c.here = c.spare; /* its work is done */
    c.spare = NULL;
    for (int64_t k = 1; k <= g->order && !s; k++) s = number_level(&c, k);
    tg_meter_end(&c.meter);
    tg_free(c.room);
    tg_free(c.shared);
    tg_free(c.sorted);
    tg_free(c.here);
    tg_free(c.below);
    tg_free(c.bucket);
    return s;
}
