/* bpe_train.c - learning merges: the text's different chunks are kept as lists of ids, with how often each stands in the text;
 * the pair that stands side by side most often becomes a piece, again and again (Sennrich et al. 2016, arXiv:1508.07909).
 * Counts are kept up to date where a merge changes something; a heap gives the most frequent pair. A count only falls once
 * its pair is in the heap, so one that is lower than the heap says goes back with what it is. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/meter.h"
#include "data/pack.h"
#include "data/text/bpe.h"

enum { PART = 1 << 16, EVERY = 64 /* merges between two reports */ };

/* A pair of ids, how often it stands in the text, and the list of words that have it (or had it: a merge may have come). */
typedef struct pair { int32_t a, b; int64_t count; int32_t list; } pair;
typedef struct seen_in { int32_t word, next; } seen_in;
typedef struct entry { int64_t count; int32_t a, b, pair; } entry;

typedef struct trainer {
    tg_bpe rule;                      /* for tg_bpe_chunk: of it only the rule counts */
    tg_map *words;                    /* the chunks, and how often each */
    int64_t *begin;                   /* [words + 1] */
    int32_t *ids;                     /* of all words; a word that has become shorter ends in -1 */
    tg_map *known;                    /* pairs by key: their number */
    pair *pairs;
    seen_in *seen;
    entry *heap;
    int64_t pair_room, seen_count, seen_room, heap_count, heap_room, fresh; /* fresh: the first pair that is not in the heap */
    tg_map *made;                     /* the pieces, but for single bytes */
    tg_str pieces, both;
    int64_t *at;
    int32_t *merges;
    int64_t count;                    /* pieces so far */
} trainer;

static void trainer_free(trainer *t)
{
    tg_map_free(t->words);
    tg_map_free(t->known);
    tg_free(t->begin);
    tg_free(t->ids);
    tg_free(t->pairs);
    tg_free(t->seen);
    tg_free(t->heap);
    tg_map_free(t->made);
    tg_str_free(&t->pieces);
    tg_str_free(&t->both);
    tg_free(t->at);
    tg_free(t->merges);
}

/* Room for one more of `size` bytes behind `used`. */
static bool grow(void *array, int64_t used, int64_t *room, int64_t size)
{
    void *old, *more;
    if (used < *room) return true;
    memcpy(&old, array, sizeof old);
    more = tg_realloc(old, *room * size, (*room + *room / 2 + 1024) * size);
    if (!more) return false;
    memcpy(array, &more, sizeof more);
    *room += *room / 2 + 1024;
    return true;
}

/* ---- words */

static tg_status count_words(trainer *t, tg_scratch *text, int64_t length, tg_meter *m)
{
    tg_status s = TG_OK;
    for (int64_t at = 0, done; at < length && !s; at += done) {
        const int64_t n = length - at < PART ? length - at : PART;
        const char *part;
        s = tg_scratch_view(text, at, n, &part);
        for (done = 0; done < n && !s;) {
            const int64_t chunk = tg_bpe_chunk(&t->rule, part + done, part + n);
            if (at + n < length && n - done - chunk < TG_BPE_AHEAD) break;
            const int64_t word = tg_map_add(t->words, part + done, chunk);
            if (word < 0) s = TG_ENOMEM;
            else ++*tg_map_value(t->words, word);
            done += chunk;
        }
        if (!s) s = tg_meter_add(m, done);
    }
    return s;
}

static tg_status list_words(trainer *t)
{
    const int64_t words = tg_map_count(t->words);
    int64_t bytes, n = 0;
    for (int64_t w = 0; w < words; w++) {
        tg_map_key(t->words, w, &bytes);
        n += bytes;
    }
    t->begin = tg_alloc_array(words + 1, sizeof *t->begin);
    t->ids = tg_alloc_array(n + 1, sizeof *t->ids);
    if (!t->begin || !t->ids) return TG_ENOMEM;
    n = 0;
    for (int64_t w = 0; w < words; w++) {
        const unsigned char *key = tg_map_key(t->words, w, &bytes);
        t->begin[w] = n;
        for (int64_t i = 0; i < bytes; i++) t->ids[n++] = key[i];
    }
    t->begin[words] = n;
    return TG_OK;
}

/* ---- pieces */

static const char *piece(const trainer *t, int32_t id, int64_t *length)
{
    *length = t->at[id + 1] - t->at[id];
    return t->pieces.data + t->at[id];
}

static tg_status add_piece(trainer *t, const char *bytes, int64_t length)
{
    tg_str_add_n(&t->pieces, bytes, length);
    t->at[++t->count] = t->pieces.length;
    return t->pieces.failed ? TG_ENOMEM : TG_OK;
}

/* ---- pairs */

static bool before(const entry *x, const entry *y)
{
    return x->count > y->count || (x->count == y->count && tg_bpe_key(x->a, x->b) < tg_bpe_key(y->a, y->b));
}

static void push(trainer *t, entry e)
{
    int64_t i = t->heap_count++;
    for (int64_t up; i > 0 && before(&e, &t->heap[up = (i - 1) / 2]); i = up) t->heap[i] = t->heap[up];
    t->heap[i] = e;
}

static entry pop(trainer *t)
{
    const entry top = t->heap[0], e = t->heap[--t->heap_count];
    int64_t i = 0;
    for (int64_t down; (down = 2 * i + 1) < t->heap_count; i = down) {
        if (down + 1 < t->heap_count && before(&t->heap[down + 1], &t->heap[down])) down++;
        if (!before(&t->heap[down], &e)) break;
        t->heap[i] = t->heap[down];
    }
    t->heap[i] = e;
    return top;
}

/* The pairs that have come to be since the last call go into the heap. */
static tg_status push_fresh(trainer *t)
{
    const int64_t all = tg_map_count(t->known);
    for (; t->fresh < all; t->fresh++) {
        const pair *p = &t->pairs[t->fresh];
        if (p->count < 2) continue;
        if (!grow(&t->heap, t->heap_count, &t->heap_room, sizeof *t->heap)) return TG_ENOMEM;
        push(t, (entry){p->count, p->a, p->b, (int32_t)t->fresh});
    }
    return TG_OK;
}

/* by > 0: the pair stands in the word; where it may not be joined, nothing is counted. */
static tg_status count_pair(trainer *t, int32_t a, int32_t b, int32_t word, int64_t by)
{
    const uint64_t key = tg_bpe_key(a, b);
    int64_t i = tg_map_find(t->known, &key, sizeof key);
    if (i < 0) {
        if (by < 0) return TG_OK;
        int64_t la, lb;
        const char *one = piece(t, a, &la), *two = piece(t, b, &lb);
        if (!tg_bpe_may_join(one, la, two, lb)) return TG_OK;
        if (!grow(&t->pairs, tg_map_count(t->known), &t->pair_room, sizeof *t->pairs)) return TG_ENOMEM;
        i = tg_map_add(t->known, &key, sizeof key);
        if (i < 0) return TG_ENOMEM;
        t->pairs[i] = (pair){.a = a, .b = b, .list = -1};
    }
    pair *p = &t->pairs[i];
    p->count += by;
    if (by < 0 || (p->list >= 0 && t->seen[p->list].word == word)) return TG_OK;
    if (t->seen_count == INT32_MAX || !grow(&t->seen, t->seen_count, &t->seen_room, sizeof *t->seen)) return TG_ENOMEM;
    t->seen[t->seen_count] = (seen_in){word, p->list};
    p->list = (int32_t)t->seen_count++;
    return TG_OK;
}

static tg_status count_pairs(trainer *t)
{
    tg_status s = TG_OK;
    const int64_t words = tg_map_count(t->words);
    for (int64_t w = 0; w < words; w++) {
        const int64_t often = *tg_map_value(t->words, w);
        for (int64_t i = t->begin[w]; i + 1 < t->begin[w + 1] && !s; i++)
            s = count_pair(t, t->ids[i], t->ids[i + 1], (int32_t)w, often);
    }
    return s;
}

/* Joins a and b wherever they stand in a word, and counts anew what stands beside them. */
static tg_status merge_in(trainer *t, int32_t word, int32_t a, int32_t b, int32_t joined)
{
    int32_t *ids = t->ids + t->begin[word];
    const int64_t most = t->begin[word + 1] - t->begin[word], often = *tg_map_value(t->words, word);
    int64_t n = 0, o = 0;
    while (n < most && ids[n] >= 0) n++;
    tg_status s = TG_OK;
    for (int64_t i = 0; i < n && !s; o++) {
        if (ids[i] != a || i + 1 >= n || ids[i + 1] != b) {
            ids[o] = ids[i++];
            continue;
        }
        if (o > 0) {
            s = count_pair(t, ids[o - 1], a, word, -often);
            if (!s) s = count_pair(t, ids[o - 1], joined, word, often);
        }
        if (i + 2 < n && !s) {
            s = count_pair(t, b, ids[i + 2], word, -often);
            if (!s) s = count_pair(t, joined, ids[i + 2], word, often);
        }
        ids[o] = joined;
        i += 2;
    }
    if (o < most && o < n) ids[o] = -1;
    return s;
}

/* The most frequent pair by now; its count is below 2 where none stands in the text twice. */
static entry best(trainer *t)
{
    while (t->heap_count > 0) {
        const entry e = pop(t);
        const int64_t now = t->pairs[e.pair].count;
        if (now == e.count) return e;
        if (now > 1) push(t, (entry){now, e.a, e.b, e.pair});
    }
    return (entry){0};
}

/* A piece has one merge that makes it: a pair that would be the same text as an older piece stays two. */
static tg_status merge_best(trainer *t, bool *none)
{
    const entry e = best(t);
    const int32_t joined = (int32_t)t->count;
    int64_t la, lb;
    *none = e.count < 2;
    if (*none) return TG_OK;
    const char *one = piece(t, e.a, &la), *two = piece(t, e.b, &lb);
    tg_str_clear(&t->both);
    tg_str_add_n(&t->both, one, la);
    tg_str_add_n(&t->both, two, lb);
    if (t->both.failed) return TG_ENOMEM;
    if (tg_map_find(t->made, t->both.data, t->both.length) >= 0) return TG_OK;
    t->merges[2 * (joined - TG_BPE_LEAST)] = e.a;
    t->merges[2 * (joined - TG_BPE_LEAST) + 1] = e.b;
    tg_status s = tg_map_add(t->made, t->both.data, t->both.length) < 0 ? TG_ENOMEM : add_piece(t, t->both.data, t->both.length);
    for (int32_t at = t->pairs[e.pair].list; at >= 0 && !s; at = t->seen[at].next)
        s = merge_in(t, t->seen[at].word, e.a, e.b, joined);
    t->pairs[e.pair].count = 0;
    return s ? s : push_fresh(t);
}

/* ---- the whole */

static tg_status learn(trainer *t, tg_context *ctx, tg_scratch *text, int64_t length, int64_t vocab)
{
    tg_meter m = tg_meter_start(ctx, "find words", "bytes", length);
    tg_status s = count_words(t, text, length, &m);
    tg_meter_end(&m);
    if (!s) s = list_words(t);
    for (int b = 0; b < 256 && !s; b++) s = add_piece(t, (const char[]){(char)(unsigned char)b}, 1);
    if (!s) s = count_pairs(t);
    if (!s) s = push_fresh(t);
    m = tg_meter_start(ctx, "learn pieces", "pieces", vocab - TG_BPE_LEAST);
    bool none = false;
    while (!s && t->count < vocab && !none) {
        const int64_t before_it = t->count;
        s = merge_best(t, &none);
        if (!s && t->count > before_it && t->count % EVERY == 0) s = tg_meter_add(&m, EVERY);
    }
    tg_meter_end(&m);
    return s;
}

tg_status tg_bpe_train(tg_context *ctx, tg_scratch *text, int64_t length, int64_t vocab, tg_tokenizer **out)
{
    trainer t = {.rule.rule = TG_BPE_WORDS, .words = tg_map_new(), .known = tg_map_new(), .made = tg_map_new()};
    tg_status s = TG_OK;
    if (vocab < TG_BPE_LEAST || vocab > TG_BPE_MOST)
        s = tg_fail(TG_EINVAL, "a vocabulary of %" PRId64 " pieces; %d to %d are possible", vocab, TG_BPE_LEAST, TG_BPE_MOST);
    else {
        t.at = tg_alloc_array(vocab + 1, sizeof *t.at);
        t.merges = tg_alloc_array(2 * (vocab - TG_BPE_LEAST) + 1, sizeof *t.merges);
        if (!t.words || !t.known || !t.made || !t.at || !t.merges) s = TG_ENOMEM;
    }
    if (!s) s = learn(&t, ctx, text, length < TG_BPE_SAMPLE ? length : TG_BPE_SAMPLE, vocab);
    if (!s) {
        tg_bpe_parts parts = {.rule = TG_BPE_WORDS, .count = t.count, .bytes = t.pieces.data, .at = t.at, .merges = t.merges,
                              .merge_count = t.count - TG_BPE_LEAST};
        t.pieces = (tg_str){0};
        t.at = NULL;
        t.merges = NULL;
        s = tg_bpe_new(&parts, out);
    }
    trainer_free(&t);
    return s;
}
