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

enum { PART = 1 << 16 };

void tg_documents_free(tg_documents *d)
{
    tg_map_free(d->known);
    tg_free(d->starts);
    tg_free(d->labels);
    *d = (tg_documents){0};
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

static tg_status grow(tg_documents *d)
{
    if (d->count < d->room) return TG_OK;
    const int64_t room = d->room + d->room / 4 + 64; /* no more: there may be millions */
    int64_t *starts = tg_realloc(d->starts, d->room ? (d->room + 1) * 8 : 0, (room + 1) * 8);
    if (!starts) return TG_ENOMEM;
    d->starts = starts;
    int32_t *labels = tg_realloc(d->labels, d->room * 4, room * 4);
    if (!labels) return TG_ENOMEM;
    d->labels = labels;
    d->room = room;
    return TG_OK;
}

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
        if (grow(d)) return TG_ENOMEM;
        d->starts[d->count] = tg_scratch_length(text);
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

tg_status tg_documents_end(tg_documents *d, tg_scratch *text, const char *label)
{
    d->in_text = false;
    if (!d->open) return TG_OK;
    d->open = false;
    if (!d->written) return tg_scratch_cut(text, d->starts[d->count]);
    int32_t at;
    tg_status s = label_of(d, label, &at);
    if (s) return s;
    d->labels[d->count++] = at;
    d->starts[d->count] = tg_scratch_length(text);
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

/* ---- another order ------------------------------------------------------------------------------------------------ */

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

/* *text becomes `other`, unless s says that this went wrong. */
static tg_status replace(tg_status s, tg_scratch **text, tg_scratch *other)
{
    tg_scratch_free(s ? other : *text);
    if (!s) *text = other;
    return s;
}

tg_status tg_documents_drop(tg_context *ctx, tg_documents *d, tg_scratch **text, const int32_t *first)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < d->count; i++) kept += first[i] == i;
    if (kept == d->count) return TG_OK;
    tg_scratch *to;
    tg_window w = {0};
    tg_status s = tg_scratch_like(*text, &to);
    if (s) return s;
    tg_meter m = tg_meter_start(ctx, "leave out", "documents", d->count);
    kept = 0;
    for (int64_t i = 0; i < d->count && !s; i++) {
        const int64_t begin = d->starts[i], end = d->starts[i + 1];
        s = tg_meter_add(&m, 1);
        if (first[i] != i) {
            d->labelled -= d->labels[i] >= 0;
            continue;
        }
        d->starts[kept] = tg_scratch_length(to); /* never behind starts[i + 1], which is still to be read */
        d->labels[kept++] = d->labels[i];
        if (!s) s = copy(*text, &w, begin, end, to);
    }
    d->count = kept;
    d->starts[kept] = tg_scratch_length(to);
    tg_meter_end(&m);
    tg_window_free(&w);
    return replace(s, text, to);
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

/* How many documents end within so many bytes. */
static int64_t documents_within(const tg_documents *d, int64_t bytes)
{
    int64_t low = 0, high = d->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (d->starts[middle + 1] <= bytes) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The same shares of the text's bytes, each document on the side where it ends. */
static void split_by_bytes(tg_documents *d, double val, double test)
{
    int64_t bytes[TG_SPLITS];
    tg_split_at(val, test, d->starts[d->count], bytes);
    const int64_t train = documents_within(d, bytes[TG_TRAIN]);
    const int64_t before_test = documents_within(d, bytes[TG_TRAIN] + bytes[TG_VAL]);
    d->by_split[TG_TRAIN] = train;
    d->by_split[TG_VAL] = before_test - train;
    d->by_split[TG_TEST] = d->count - before_test;
}

/* All documents in the order that the seed draws. */
static tg_status shuffle(tg_context *ctx, tg_documents *d, tg_scratch **text, uint64_t seed)
{
    tg_scratch *to = NULL;
    tg_window w = {0};
    int64_t *starts = tg_alloc_array(d->count + 1, sizeof *starts);
    int32_t *labels = tg_alloc_array(d->count + 1, sizeof *labels);
    tg_status s = starts && labels ? tg_scratch_like(*text, &to) : TG_ENOMEM;
    tg_meter m = tg_meter_start(ctx, "shuffle", "documents", d->count);
    for (int64_t i = 0; i < d->count && !s; i++) {
        const int64_t from = tg_rng_permute(seed, TG_RNG_SPLIT, 0, d->count, i);
        s = copy(*text, &w, d->starts[from], d->starts[from + 1], to);
        labels[i] = d->labels[from];
        starts[i + 1] = tg_scratch_length(to);
        if (!s) s = tg_meter_add(&m, 1);
    }
    tg_meter_end(&m);
    tg_window_free(&w);
    tg_free(s ? starts : d->starts);
    tg_free(s ? labels : d->labels);
    if (!s) {
        d->starts = starts;
        d->labels = labels;
        d->room = d->count;
    }
    return replace(s, text, to);
}

tg_status tg_documents_split(tg_context *ctx, tg_documents *d, tg_scratch **text, int rule, uint64_t seed, double val, double test)
{
    tg_status status = rule == TG_SPLIT_RANDOM && d->count ? shuffle(ctx, d, text, seed) : TG_OK;
    if (status) return status;
    if (rule == TG_SPLIT_POSITION) split_by_bytes(d, val, test);
    else tg_split_at(val, test, d->count, d->by_split);
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
    tg_free(p->starts);
    tg_free(p->labels);
    *p = (tg_packed){0};
}

static tg_status pack_all(tg_packer *k, const tg_documents *d, tg_scratch *text, const tg_tokenizer *t, const int32_t *classes,
                          tg_meter *m, tg_packed *out)
{
    const int32_t start = tg_tokenizer_start(t), end = tg_tokenizer_end(t);
    int64_t at = 0;
    tg_status s = TG_OK;
    for (int split = 0; split < TG_SPLITS; split++) {
        const int64_t before = tg_packer_count(k);
        for (int64_t i = 0; i < d->by_split[split] && !s; i++, at++) {
            const int32_t class = classes ? classes[d->labels[at]] : 0;
            out->starts[at] = tg_packer_count(k) - before;
            if (classes) out->labels[at] = (uint16_t)class;
            s = tg_packer_ids(k, (int32_t[]){start, tg_tokenizer_class_token(t, class)}, classes ? 2 : 1);
            if (!s) s = tg_packer_text(k, text, d->starts[at], d->starts[at + 1], m);
            if (!s) s = tg_packer_ids(k, &end, 1);
        }
        out->counts[split] = tg_packer_count(k) - before;
    }
    return s ? s : tg_packer_end(k);
}

tg_status tg_documents_pack(tg_context *ctx, const tg_documents *d, tg_scratch *text, const tg_tokenizer *t,
                            const int32_t *classes, tg_packed *out)
{
    *out = (tg_packed){0};
    tg_packer *k = NULL;
    tg_status s = tg_scratch_like(text, &out->tokens);
    if (!s) s = tg_packer_new(t, out->tokens, &k);
    out->starts = tg_alloc_array(d->count + 1, sizeof *out->starts);
    if (classes) out->labels = tg_alloc_array(d->count + 1, sizeof *out->labels);
    if (!s && (!out->starts || (classes && !out->labels))) s = TG_ENOMEM;
    tg_meter m = tg_meter_start(ctx, "tokenise", "bytes", tg_scratch_length(text));
    if (!s) s = pack_all(k, d, text, t, classes, &m, out);
    tg_meter_end(&m);
    tg_packer_free(k);
    if (s) tg_packed_free(out);
    return s;
}
