/* batch.c - batches of one split, drawn as parallel streams or as windows; the file's way to memory ends here.
 *
 * stream:  length = (N - 1) / B; stream b begins at token b·length. Batch i covers offsets o = (i mod (length / T))·T
 *          to o + T of every stream; what is left over at the streams' ends and behind the last stream is not used.
 * tail:    the N - 1 targets are dealt to the B streams whole, the first (N - 1) mod B get one more; the last batch's
 *          rows beyond a stream's end have token 0 and target -1.
 * documents, tail: stream b begins at the first document at or behind token b·N / B; its last token, an end, is not read.
 * window:  an epoch has n = (N - T) / T windows (one at least) that lie side by side from an offset that it draws; place g of all
 *          that are ever drawn, g = i·B + b for row b of batch i, is window permutation(g mod n) of epoch g / n.
 * window, tail: rows of up to T targets one behind the other. With documents a row holds as many whole ones as fit; a longer one
 *          is cut.
 * Arrays are time-major: element (t, b) is at t·B + b. The target of a token is the token behind it. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/batch_samples.h"
#include "data/dataset.h"
#include "data/text/tokenizer.h"

struct tg_feed {
    const tg_dataset *dataset;
    tg_split split;
    int64_t B, T, steps; /* steps of an epoch */
    int64_t length, longer; /* of a stream; the first `longer` streams are one longer (tail only) */
    bool tail;
    int64_t *begin; /* [B + 1] of streams of whole documents; else NULL */
    bool windows;
    uint64_t seed;
    int64_t places;            /* windows: of an epoch, or rows of a tail */
    struct span { int64_t begin, end; } *spans; /* [places] rows of whole documents: tokens that are read; else NULL */
    int32_t *tokens, *targets, *row; /* [T, B], [T, B], [T + 1] */
    int32_t *reset, *first;    /* of documents, [T, B]: of streams, of windows; else NULL */
    tg_sample_feed *samples;   /* of images and points: all the rest is unused but steps */
};

const tg_array *tg_batch_array(const tg_batch *b, const char *name)
{
    for (int i = 0; i < b->count; i++)
        if (strcmp(b->arrays[i].name, name) == 0) return &b->arrays[i];
    return NULL;
}

static tg_status check_sizes(int64_t B, int64_t T)
{
    int64_t need;
    if (B >= 1 && T >= 1 && !__builtin_mul_overflow(B, T, &need) && need <= INT64_MAX / 16) return TG_OK;
    return tg_fail(TG_EINVAL, "a batch of %" PRId64 " rows of %" PRId64 " tokens cannot be", B, T);
}

/* How many tokens a split must have at least: for streams, one piece of T in each; else a target in each. */
tg_status tg_feed_check(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail)
{
    const int64_t have = tg_dataset_count(d, s);
    tg_status status = check_sizes(B, T);
    if (!status && tg_dataset_kind(d) != TG_KIND_TEXT)
        status = tg_fail(TG_EINVAL, "%s: is a dataset of %s, it has no tokens", tg_dataset_path(d), tg_kind_name(tg_dataset_kind(d)));
    if (status) return status;
    if (tg_dataset_documents(d, s) && T < TG_DOCUMENT_TIME)
        return tg_fail(TG_EINVAL, "%s has documents: they need --seq %d at least", tg_dataset_path(d), (int)TG_DOCUMENT_TIME);
    const int64_t need = (tail ? B : B * T) + 1;
    if (have >= need) return TG_OK;
    const char *name = tg_split_names[s];
    if (s != TG_TRAIN && have == 0)
        return tg_fail(TG_EINVAL, "%s: there is no split %s; give gen-preprocess a share for it: --%s 0.1",
                       tg_dataset_path(d), name, name);
    return tg_fail(TG_EINVAL,
                   "%s: split %s has %" PRId64 " tokens, one batch of %" PRId64 " rows of %" PRId64 " needs %" PRId64
                   "; take a smaller --batch or --seq, or more data",
                   tg_dataset_path(d), name, have, B, tail ? 1 : T, need);
}

static tg_status make_streams(tg_feed *f)
{
    const int64_t all = tg_dataset_count(f->dataset, f->split), documents = tg_dataset_documents(f->dataset, f->split);
    f->reset = tg_alloc_array(f->B * f->T, sizeof *f->reset);
    if (!f->reset) return TG_ENOMEM;
    if (!f->tail) return TG_OK;
    f->begin = tg_alloc_array(f->B + 1, sizeof *f->begin);
    if (!f->begin) return TG_ENOMEM;
    int64_t longest = 0, at = 0;
    for (int64_t b = 0; b <= f->B; b++) {
        const int64_t from = (int64_t)((double)all / (double)f->B * (double)b);
        while (at < documents && tg_dataset_document_start(f->dataset, f->split, at) < from) at++;
        f->begin[b] = b < f->B ? tg_dataset_document_start(f->dataset, f->split, at) : all;
        if (b && f->begin[b] - f->begin[b - 1] > longest) longest = f->begin[b] - f->begin[b - 1];
    }
    f->steps = (longest - 1 + f->T - 1) / f->T;
    return TG_OK;
}

static tg_status feed_new(tg_feed like, tg_feed **out)
{
    tg_feed *f = tg_alloc(sizeof *f);
    if (!f) return TG_ENOMEM;
    *f = like;
    f->tokens = tg_alloc_array(f->B * f->T, sizeof *f->tokens);
    f->targets = tg_alloc_array(f->B * f->T, sizeof *f->targets);
    f->row = tg_alloc_array(f->T + 1, sizeof *f->row);
    *out = f;
    return f->tokens && f->targets && f->row ? TG_OK : TG_ENOMEM;
}

tg_status tg_feed_new(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail, tg_feed **out)
{
    tg_status status = tg_feed_check(d, s, B, T, tail);
    if (status) return status;
    tg_feed *f = NULL;
    const int64_t targets = tg_dataset_count(d, s) - 1, length = targets / B, longer = tail ? targets % B : 0;
    status = feed_new((tg_feed){.dataset = d, .split = s, .B = B, .T = T, .tail = tail, .length = length, .longer = longer,
                                .steps = tail ? (length + (longer > 0) + T - 1) / T : length / T}, &f);
    if (!status && tg_dataset_documents(d, s)) status = make_streams(f);
    if (status) tg_feed_free(f);
    else *out = f;
    return status;
}

static void lay_row(struct span *spans, int64_t *rows, int64_t begin, int64_t end)
{
    if (spans) spans[*rows] = (struct span){begin, end};
    (*rows)++;
}

/* Rows of whole documents, or pieces of one; returns how many (spans NULL: that alone). A row's last end is not read. */
static int64_t lay_documents(const tg_feed *f, struct span *spans)
{
    int64_t rows = 0, begin = 0, end = 0;
    for (int64_t i = 0; i < tg_dataset_documents(f->dataset, f->split); i++) {
        const int64_t to = tg_dataset_document_start(f->dataset, f->split, i + 1) - 1;
        if (to - begin > f->T) {
            if (end > begin) lay_row(spans, &rows, begin, end);
            begin = tg_dataset_document_start(f->dataset, f->split, i);
            for (; to - begin > f->T; begin += f->T) lay_row(spans, &rows, begin, begin + f->T);
        }
        end = to;
    }
    lay_row(spans, &rows, begin, end);
    return rows;
}

int64_t tg_feed_windows_per_epoch(int64_t tokens, int64_t T)
{
    const int64_t fit = (tokens - T) / T;
    return fit > 1 ? fit : 1;
}

tg_status tg_feed_windows(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail, uint64_t seed, tg_feed **out)
{
    tg_status status = check_sizes(B, T);
    if (!status) status = tg_feed_check(d, s, 1, T, tail);
    if (status) return status;
    const int64_t N = tg_dataset_count(d, s);
    tg_feed *f = NULL;
    status = feed_new((tg_feed){.dataset = d, .split = s, .B = B, .T = T, .tail = tail, .windows = true, .seed = seed,
                                .places = tail ? (N - 1 + T - 1) / T : tg_feed_windows_per_epoch(N, T)}, &f);
    if (!status && tg_dataset_documents(d, s)) {
        f->first = tg_alloc_array(B * T, sizeof *f->first);
        if (tail) f->places = lay_documents(f, NULL);
        if (tail) f->spans = tg_alloc_array(f->places, sizeof *f->spans);
        if (!f->first || (tail && !f->spans)) status = TG_ENOMEM;
        if (f->spans) lay_documents(f, f->spans);
    }
    if (!status) f->steps = tail ? (f->places + B - 1) / B : f->places > B ? f->places / B : 1;
    if (status) tg_feed_free(f);
    else *out = f;
    return status;
}

tg_status tg_feed_samples(const tg_dataset *d, tg_split s, int64_t B, bool tail, uint64_t seed, tg_feed **out)
{
    tg_feed *f = tg_alloc(sizeof *f);
    tg_status status = f ? tg_sample_feed_new(d, s, B, tail, seed, &f->samples, &f->steps) : TG_ENOMEM;
    if (status) tg_feed_free(f);
    else *out = f;
    return status;
}

void tg_feed_free(tg_feed *f)
{
    if (!f) return;
    tg_sample_feed_free(f->samples);
    tg_free(f->tokens);
    tg_free(f->targets);
    tg_free(f->reset);
    tg_free(f->begin);
    tg_free(f->first);
    tg_free(f->spans);
    tg_free(f->row);
    tg_free(f);
}

int64_t tg_feed_steps_per_epoch(const tg_feed *f)
{
    return f->steps;
}

/* First token of stream b, and how many of its tokens have a target. */
static int64_t stream_of(const tg_feed *f, int64_t b, int64_t *length)
{
    if (f->begin) {
        *length = f->begin[b + 1] - f->begin[b] - 1;
        return f->begin[b];
    }
    *length = f->length + (b < f->longer);
    return b * f->length + (b < f->longer ? b : f->longer);
}

/* First token of window number g of all that are ever drawn, and how many of its tokens have a target. */
static int64_t window_of(const tg_feed *f, int64_t g, int64_t *length)
{
    const int64_t targets = tg_dataset_count(f->dataset, f->split) - 1;
    *length = f->T;
    if (!f->tail) {
        const int64_t epoch = g / f->places, slack = targets - f->places * f->T;
        tg_rng r = tg_rng_at(f->seed, TG_RNG_SHUFFLE, (uint64_t)epoch);
        const int64_t offset = tg_rng_below(&r, (slack < f->T ? slack : f->T - 1) + 1);
        return offset + f->T * tg_rng_permute(f->seed, TG_RNG_SHUFFLE, (uint64_t)epoch, f->places, g % f->places);
    }
    if (g >= f->places) *length = 0;
    else if (f->spans) *length = f->spans[g].end - f->spans[g].begin;
    else if (targets - g * f->T < f->T) *length = targets - g * f->T;
    return g >= f->places ? 0 : f->spans ? f->spans[g].begin : g * f->T;
}

/* Column b of the batch: n tokens from `begin` on, and their targets. *items grows by these. */
static tg_status fill_column(tg_feed *f, int64_t b, int64_t begin, int64_t n, int64_t *items)
{
    const tg_tokenizer *k = tg_dataset_tokenizer(f->dataset);
    int32_t first = 0;
    if (n > 0) {
        tg_status status = tg_dataset_tokens(f->dataset, f->split, begin, n + 1, f->row);
        if (status) return status;
    }
    for (int64_t t = 0; t < f->T; t++) {
        const int64_t at = t * f->B + b;
        const bool read = t < n, counts = read && tg_token_is_target(k, f->row[t + 1]);
        const bool starts = read && f->row[t] == k->special.start;
        if (starts) first = (int32_t)t;
        f->tokens[at] = read ? f->row[t] : 0;
        f->targets[at] = counts ? f->row[t + 1] : -1;
        if (f->reset) f->reset[at] = starts;
        if (f->first) f->first[at] = first;
        *items += counts;
    }
    return TG_OK;
}

static tg_status fill_stream(tg_feed *f, int64_t b, int64_t offset, int64_t *items)
{
    int64_t left;
    const int64_t begin = stream_of(f, b, &left);
    left -= offset;
    return fill_column(f, b, begin + offset, left < 0 ? 0 : left < f->T ? left : f->T, items);
}

static tg_status fill_window(tg_feed *f, int64_t b, int64_t g, int64_t *items)
{
    int64_t length;
    const int64_t begin = window_of(f, g, &length);
    return fill_column(f, b, begin, length, items);
}

tg_status tg_feed_batch(tg_feed *f, int64_t step, tg_batch *out)
{
    if (step < 0) return tg_fail(TG_EINVAL, "there is no batch %" PRId64, step);
    if (f->samples) return tg_sample_feed_batch(f->samples, step, out);
    int64_t offset = step % f->steps * f->T, items = 0;
    for (int64_t b = 0; b < f->B; b++) {
        tg_status status = f->windows ? fill_window(f, b, step * f->B + b, &items) : fill_stream(f, b, offset, &items);
        if (status) return status;
    }
    const bool marked = f->reset || f->first;
    *out = (tg_batch){
        .arrays = {{.name = "tokens", .rank = 2, .dims = {f->T, f->B}, .ids = f->tokens},
                   {.name = "targets", .rank = 2, .dims = {f->T, f->B}, .ids = f->targets},
                   {.name = f->first ? "first" : "reset", .rank = 2, .dims = {f->T, f->B}, .ids = f->first ? f->first : f->reset}},
        .count = marked ? 3 : 2, .items = items, .restart = f->windows || offset == 0,
    };
    return TG_OK;
}
