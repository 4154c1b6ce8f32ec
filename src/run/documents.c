/* documents.c - what a document is, which ones stay, where they go. */
#include "run/documents.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/meter.h"
#include "base/rng.h"
#include "data/pack.h"
#include "data/shingles.h"

enum { PART = 1 << 16, DOCUMENT = sizeof(tg_document) };

void tg_documents_free(tg_documents *d)
{
    tg_map_free(d->known);
    tg_scratch_free(d->list);
    *d = (tg_documents){0};
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

/* Position of a label among those seen so far, -1: none. */
static tg_status label_of(tg_documents *d, const char *label, int32_t *at)
{
    *at = -1;
    if (!label) return TG_OK;
    if (!d->known && !(d->known = tg_map_new())) return TG_ENOMEM;
    const int64_t entry = tg_map_add(d->known, label, (int64_t)strlen(label) + 1); /* keys keep their NUL: they are names */
    if (entry < 0) return TG_ENOMEM;
    if (entry >= TG_MOST_CLASSES)
        return tg_fail(TG_EINVAL, "more than %d different labels; --no-labels leaves them out", (int)TG_MOST_CLASSES);
    *at = (int32_t)entry;
    return TG_OK;
}

int64_t tg_documents_labels(const tg_documents *d)
{
    return d->known ? tg_map_count(d->known) : 0;
}

const char *tg_documents_label(const tg_documents *d, int64_t i)
{
    int64_t bytes;
    return tg_map_key(d->known, i, &bytes);
}

/* White space only, Unicode's: many Chinese texts part their poems by ideographic spaces. */
static bool is_blank(const char *bytes, int64_t length)
{
    int64_t begin = 0, end = length;
    tg_trim(bytes, &begin, &end);
    return begin >= end;
}

/* Goes on with the open document, or opens one. Newlines wait until something follows them. */
static tg_status put(tg_documents *d, tg_scratch *text, const char *bytes, int64_t length)
{
    if (!d->open) {
        while (length > 0 && bytes[0] == '\n') bytes++, length--;
        if (length == 0) return TG_OK;
        d->open = true;
        d->written = false;
        d->newlines = 0;
    }
    int64_t n = length;
    while (n > 0 && bytes[n - 1] == '\n') n--;
    tg_status s = TG_OK;
    for (; n > 0 && d->newlines > 0 && !s; d->newlines--) s = tg_scratch_add(text, "\n", 1);
    if (!s) s = tg_scratch_add(text, bytes, n);
    if (!d->written) d->written = !is_blank(bytes, n);
    d->newlines += length - n;
    return s;
}

/* A document of which the text has just got the last byte. */
static tg_status add_to_list(tg_scratch *list, const tg_scratch *text, int64_t label)
{
    return tg_scratch_add(list, &(tg_document){tg_scratch_length(text), label}, sizeof(tg_document));
}

tg_status tg_documents_end(tg_documents *d, tg_scratch *text, const char *label)
{
    d->in_text = false;
    if (!d->open) return TG_OK;
    d->open = false;
    if (!d->written) return tg_scratch_cut(text, d->end);
    int32_t at;
    tg_status s = label_of(d, label, &at);
    if (!s && !d->list) s = tg_scratch_like(text, &d->list);
    if (!s) s = add_to_list(d->list, text, at);
    if (s) return s;
    d->count++;
    d->end = tg_scratch_length(text);
    d->labelled += at >= 0;
    return TG_OK;
}

tg_status tg_documents_part(tg_documents *d, tg_scratch *text, const char *bytes, int64_t length, int how, const char *label)
{
    if (how == TG_DOCUMENTS_FILE) return put(d, text, bytes, length);
    tg_status s = TG_OK;
    for (int64_t at = 0, end; at < length && !s; at = end) {
        const char *stop = memchr(bytes + at, '\n', (size_t)(length - at));
        end = stop ? stop - bytes + 1 : length;
        if (!d->in_text) d->in_text = !is_blank(bytes + at, end - at);
        const bool in_text = d->in_text;
        if (in_text) s = put(d, text, bytes + at, end - at);
        if (!s && (!in_text || (how == TG_DOCUMENTS_LINE && stop))) s = tg_documents_end(d, text, label);
        if (stop) d->in_text = false;
    }
    return s;
}

/* ---- leaving out -------------------------------------------------------------------------------------------------- */

tg_status tg_documents_reach(const tg_documents *d, int64_t count, int64_t *bytes)
{
    const char *view;
    *bytes = 0;
    if (count == 0) return TG_OK;
    tg_status s = tg_scratch_view(d->list, (count - 1) * DOCUMENT, DOCUMENT, &view);
    if (!s) *bytes = ((const tg_document *)(const void *)view)->end;
    return s;
}

/* How many documents end within so many bytes. */
static tg_status documents_within(const tg_documents *d, int64_t bytes, int64_t *count)
{
    int64_t high = d->count;
    for (*count = 0; *count < high;) {
        const int64_t middle = *count + (high - *count) / 2;
        int64_t end;
        tg_status s = tg_documents_reach(d, middle + 1, &end);
        if (s) return s;
        if (end <= bytes) *count = middle + 1;
        else high = middle;
    }
    return TG_OK;
}

tg_status tg_documents_cut(tg_documents *d, int64_t bytes)
{
    int64_t left, begin;
    tg_window w = {0};
    tg_status s = documents_within(d, bytes, &left);
    for (int64_t i = left; i < d->count && !s; i++) {
        tg_document gone;
        s = tg_document_look(d->list, &w, i, &begin, &gone);
        if (!s) d->labelled -= gone.label >= 0;
    }
    tg_window_free(&w);
    if (!s && d->list) s = tg_scratch_cut(d->list, left * DOCUMENT);
    if (s) return s;
    d->count = left;
    return tg_documents_reach(d, left, &d->end);
}

/* Adds text[begin .. end) to another. */
static tg_status copy(const tg_scratch *text, tg_window *w, int64_t begin, int64_t end, tg_scratch *to)
{
    for (int64_t n; begin < end; begin += n) {
        const char *view;
        n = end - begin < PART ? end - begin : PART;
        tg_status s = tg_scratch_look(text, w, begin, n, &view);
        if (!s) s = tg_scratch_add(to, view, n);
        if (s) return s;
    }
    return TG_OK;
}

/* Documents in another order or number: those of d and *text are read, these are written and take their place. */
typedef struct remake {
    const tg_scratch *text, *list;
    tg_window in_text, in_list;
    tg_scratch *to_text, *to_list;
    int64_t labelled;
    tg_meter meter;
} remake;

static tg_status start(remake *r, tg_context *ctx, const char *what, const tg_documents *d, const tg_scratch *text)
{
    *r = (remake){.text = text, .list = d->list};
    tg_status s = tg_scratch_like(text, &r->to_text);
    if (!s) s = tg_scratch_like(text, &r->to_list);
    r->meter = tg_meter_start(ctx, what, "documents", d->count);
    return s;
}

/* The next document: from[begin .. end). */
static tg_status append(remake *r, const tg_scratch *from, tg_window *w, int64_t begin, int64_t end, int64_t label)
{
    tg_status s = copy(from, w, begin, end, r->to_text);
    if (!s) s = add_to_list(r->to_list, r->to_text, label);
    r->labelled += label >= 0;
    return s ? s : tg_meter_add(&r->meter, 1);
}

static tg_status take(remake *r, int64_t i)
{
    int64_t begin;
    tg_document d;
    tg_status s = tg_document_look(r->list, &r->in_list, i, &begin, &d);
    return s ? s : append(r, r->text, &r->in_text, begin, d.end, d.label);
}

/* Nothing has changed where s says that it went wrong. */
static tg_status end(remake *r, tg_status s, tg_documents *d, tg_scratch **text)
{
    tg_meter_end(&r->meter);
    tg_window_free(&r->in_text);
    tg_window_free(&r->in_list);
    tg_scratch_free(s ? r->to_text : *text);
    tg_scratch_free(s ? r->to_list : d->list);
    if (s) return s;
    *text = r->to_text;
    d->list = r->to_list;
    d->count = tg_document_count(d->list);
    d->end = tg_scratch_length(*text);
    d->labelled = r->labelled;
    return TG_OK;
}

tg_status tg_documents_drop(tg_context *ctx, tg_documents *d, tg_scratch **text, tg_spill *twins)
{
    if (tg_spill_count(twins) == 0) return TG_OK;
    remake r;
    tg_record twin = {0};
    bool more = true;
    tg_status s = start(&r, ctx, "leave out", d, *text);
    if (!s) s = tg_spill_next(twins, &twin, &more);
    for (int64_t i = 0; i < d->count && !s; i++) {
        if (more && twin.key == (uint64_t)i) s = tg_spill_next(twins, &twin, &more);
        else s = take(&r, i);
    }
    return end(&r, s, d, text);
}

/* ---- splitting ---------------------------------------------------------------------------------------------------- */

void tg_split_at(double val, double test, int64_t count, int64_t out[TG_SPLITS])
{
    int64_t train = (int64_t)floor((1 - val - test) * (double)count + 1e-6);
    int64_t before_test = (int64_t)floor((1 - test) * (double)count + 1e-6);
    if (test <= 0 || before_test > count) before_test = count;
    if (val <= 0 || train > before_test) train = before_test;
    out[TG_TRAIN] = train;
    out[TG_VAL] = before_test - train;
    out[TG_TEST] = count - before_test;
}

/* The same shares of the text's bytes, each document on the side where it ends. */
static tg_status split_by_bytes(tg_documents *d, double val, double test)
{
    int64_t bytes[TG_SPLITS], train, before_test = 0;
    tg_split_at(val, test, d->end, bytes);
    tg_status s = documents_within(d, bytes[TG_TRAIN], &train);
    if (!s) s = documents_within(d, bytes[TG_TRAIN] + bytes[TG_VAL], &before_test);
    d->by_split[TG_TRAIN] = train;
    d->by_split[TG_VAL] = before_test - train;
    d->by_split[TG_TEST] = d->count - before_test;
    return s;
}

/* ---- another order ------------------------------------------------------------------------------------------------ */

/* Where text or list lie in a file, to read them in any order costs a read a document, of a disk perhaps. So they are gone
 * through once from begin to end, and each document is put on the heap of its place; heaps, one after the other, are
 * small enough to be read in any order. */
typedef struct head { int64_t place, length, label; } head; /* the document follows */

enum {
    HEAD = sizeof(head),
    HEAPS = 64, /* at most: each has a MiB not written yet */
    GROUP = 64, /* documents whose places are drawn at once */
    AHEAD = 8   /* documents ahead of which a heap's memory is asked for: it is read here and there */
};

typedef struct heaps {
    tg_scratch *heap[HEAPS];
    int64_t count, places; /* of heaps; of documents in each, but the last */
    int64_t keep;          /* bytes of one that are in memory at once */
    int64_t *at;           /* [places] where in the heap a place's head is */
    tg_window window;
} heaps;

static tg_status heaps_new(heaps *h, const tg_documents *d, const tg_scratch *text)
{
    *h = (heaps){.keep = tg_scratch_keep(text)};
    h->count = (d->end + d->count * HEAD) / (h->keep + 1) + 1;
    if (h->count > HEAPS) h->count = HEAPS;
    h->places = (d->count + h->count - 1) / h->count;
    h->at = tg_alloc_array(h->places, sizeof *h->at);
    tg_status s = h->at ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < h->count && !s; i++) s = tg_scratch_beside(text, 0, &h->heap[i]);
    return s;
}

static void heaps_free(heaps *h)
{
    for (int64_t i = 0; i < h->count; i++) tg_scratch_free(h->heap[i]);
    tg_free(h->at);
    tg_window_free(&h->window);
}

static tg_status look_head(heaps *h, int64_t heap, int64_t at, head *out)
{
    const char *view;
    tg_status s = tg_scratch_look(h->heap[heap], &h->window, at, HEAD, &view);
    if (!s) memcpy(out, view, HEAD);
    return s;
}

static tg_status put_on_heap(heaps *h, remake *r, int64_t i, int64_t place)
{
    int64_t begin;
    tg_document d;
    tg_scratch *heap = h->heap[place / h->places];
    tg_status s = tg_document_look(r->list, &r->in_list, i, &begin, &d);
    if (!s) s = tg_scratch_add(heap, &(head){place, d.end - begin, d.label}, HEAD);
    return s ? s : copy(r->text, &r->in_text, begin, d.end, heap);
}

/* A heap's documents in order of their places. */
static tg_status take_heap(heaps *h, remake *r, int64_t heap)
{
    const int64_t length = tg_scratch_length(h->heap[heap]);
    const char *all = NULL;
    head d;
    int64_t count = 0;
    tg_status s = length <= h->keep ? tg_scratch_look(h->heap[heap], &h->window, 0, length, &all) : TG_OK;
    for (int64_t at = 0; at < length && !s; at += HEAD + d.length) {
        s = look_head(h, heap, at, &d);
        if (s) break;
        h->at[d.place - heap * h->places] = at;
        count++;
    }
    for (int64_t i = 0; i < count && !s; i++) {
        const int64_t begin = h->at[i] + HEAD;
        if (all && i + AHEAD < count) __builtin_prefetch(all + h->at[i + AHEAD]);
        s = look_head(h, heap, h->at[i], &d);
        if (!s) s = append(r, h->heap[heap], &h->window, begin, begin + d.length, d.label);
    }
    tg_window_free(&h->window); /* of the next heap it would show this one */
    tg_scratch_free(h->heap[heap]);
    h->heap[heap] = NULL;
    return s;
}

static tg_status by_heaps(const tg_documents *d, const tg_scratch *text, uint64_t seed, remake *r)
{
    heaps h;
    int64_t places[GROUP];
    tg_status s = heaps_new(&h, d, text);
    for (int64_t i = 0; i < d->count && !s; i++) {
        const int64_t left = d->count - i;
        if (i % GROUP == 0) tg_rng_places(seed, TG_RNG_SPLIT, 0, d->count, i, left < GROUP ? left : GROUP, places);
        s = put_on_heap(&h, r, i, places[i % GROUP]);
        if (!s && i % GROUP == 0) s = tg_meter_add(&r->meter, 0);
    }
    for (int64_t i = 0; i < h.count && !s; i++) s = take_heap(&h, r, i);
    heaps_free(&h);
    return s;
}

/* All documents in the order that the seed draws. */
static tg_status shuffle(tg_context *ctx, tg_documents *d, tg_scratch **text, uint64_t seed)
{
    remake r;
    tg_status s = start(&r, ctx, "shuffle", d, *text);
    if (!s && (!tg_scratch_memory(*text) || !tg_scratch_memory(d->list))) s = by_heaps(d, *text, seed, &r);
    else for (int64_t i = 0; i < d->count && !s; i++) s = take(&r, tg_rng_permute(seed, TG_RNG_SPLIT, 0, d->count, i));
    return end(&r, s, d, text);
}

tg_status tg_documents_split(tg_context *ctx, tg_documents *d, tg_scratch **text, int rule, uint64_t seed, double val, double test)
{
    tg_status status = rule == TG_SPLIT_RANDOM && d->count ? shuffle(ctx, d, text, seed) : TG_OK;
    if (!status && rule == TG_SPLIT_POSITION) status = split_by_bytes(d, val, test);
    if (status) return status;
    if (rule != TG_SPLIT_POSITION) tg_split_at(val, test, d->count, d->by_split);
    const double share[TG_SPLITS] = {1 - val - test, val, test};
    for (int s = 0; s < TG_SPLITS; s++)
        if (share[s] > 0 && d->by_split[s] == 0)
            return tg_fail(TG_EINVAL, "%" PRId64 " document%s: too few for a split %s; collect more, or give %s", d->count,
                           d->count == 1 ? "" : "s", tg_split_names[s],
                           s == TG_TRAIN ? "less to the others" : s == TG_VAL ? "--val 0" : "--test 0");
    return TG_OK;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------- */

void tg_packed_free(tg_packed *p)
{
    tg_scratch_free(p->tokens);
    tg_scratch_free(p->starts);
    tg_scratch_free(p->labels);
    *p = (tg_packed){0};
}

/* What the dataset says of a document: where it begins in its split, and its class. */
static tg_status note_document(tg_packed *out, int64_t at, int32_t class)
{
    tg_status s = tg_scratch_add(out->starts, &at, sizeof at);
    return s || !out->labels ? s : tg_scratch_add(out->labels, &(uint16_t){(uint16_t)class}, sizeof(uint16_t));
}

static tg_status pack_all(tg_packer *k, const tg_documents *d, tg_scratch *text, const tg_tokenizer *t, const int32_t *classes,
                          tg_meter *m, tg_packed *out)
{
    const int32_t start = tg_tokenizer_start(t), end = tg_tokenizer_end(t);
    int64_t at = 0, begin = 0;
    tg_window w = {0};
    tg_status s = TG_OK;
    for (int split = 0; split < TG_SPLITS; split++) {
        const int64_t before = tg_packer_count(k);
        for (int64_t i = 0; i < d->by_split[split] && !s; i++, at++) {
            tg_document one;
            s = tg_document_look(d->list, &w, at, &begin, &one);
            if (s) break;
            const int32_t class = classes ? classes[one.label] : 0;
            s = note_document(out, tg_packer_count(k) - before, class);
            if (!s) s = tg_packer_ids(k, (int32_t[]){start, tg_tokenizer_class_token(t, class)}, classes ? 2 : 1);
            if (!s) s = tg_packer_text(k, text, begin, one.end, m);
            if (!s) s = tg_packer_ids(k, &end, 1);
        }
        out->counts[split] = tg_packer_count(k) - before;
    }
    tg_window_free(&w);
    return s ? s : tg_packer_end(k);
}

tg_status tg_documents_pack(tg_context *ctx, const tg_documents *d, tg_scratch *text, const tg_tokenizer *t,
                            const int32_t *classes, tg_packed *out)
{
    *out = (tg_packed){0};
    tg_packer *k = NULL;
    tg_status s = tg_scratch_like(text, &out->tokens);
    if (!s) s = tg_scratch_like(text, &out->starts);
    if (!s && classes) s = tg_scratch_like(text, &out->labels);
    if (!s) s = tg_packer_new(t, out->tokens, &k);
    tg_meter m = tg_meter_start(ctx, "tokenise", "bytes", tg_scratch_length(text));
    if (!s) s = pack_all(k, d, text, t, classes, &m, out);
    tg_meter_end(&m);
    tg_packer_free(k);
    if (s) tg_packed_free(out);
    return s;
}
