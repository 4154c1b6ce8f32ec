/* batch.c - batches of one split, drawn as parallel streams; the file's way to memory ends here.
 *
 * stream:  length = (N - 1) / B; stream b begins at token b·length. Batch i covers offsets o = (i mod (length / T))·T
 *          to o + T of every stream; what is left over at the streams' ends and behind the last stream is not used.
 * tail:    the N - 1 targets are dealt to the B streams whole, the first (N - 1) mod B get one more; the last batch's
 *          rows beyond a stream's end have token 0 and target -1.
 * documents, tail: stream b begins at the first document at or behind token b·N / B; its last token, an end, is not read.
 * Arrays are time-major: element (t, b) is at t·B + b. The target of a token is the token behind it. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset.h"
#include "data/text/tokenizer.h"

struct tg_feed {
    const tg_dataset *dataset;
    tg_split split;
    int64_t B, T, steps; /* steps of an epoch */
    int64_t length, longer; /* of a stream; the first `longer` streams are one longer (tail only) */
    bool tail;
    int64_t *begin; /* [B + 1] of streams of whole documents; else NULL */
    int32_t *tokens, *targets, *reset, *row; /* [T, B], [T, B], [T, B] of documents, [T + 1] */
};

const tg_array *tg_batch_array(const tg_batch *b, const char *name)
{
    for (int i = 0; i < b->count; i++)
        if (strcmp(b->arrays[i].name, name) == 0) return &b->arrays[i];
    return NULL;
}

/* How many tokens a split must have at least: for streams, one piece of T in each; else a target in each. */
tg_status tg_feed_check(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail)
{
    int64_t have = tg_dataset_count(d, s), need;
    if (B < 1 || T < 1 || __builtin_mul_overflow(B, T, &need) || need > INT64_MAX / 16)
        return tg_fail(TG_EINVAL, "a batch of %" PRId64 " rows of %" PRId64 " tokens cannot be", B, T);
    if (tg_dataset_documents(d, s) && T < TG_DOCUMENT_TIME)
        return tg_fail(TG_EINVAL, "%s has documents: they need --seq %d at least", tg_dataset_path(d), (int)TG_DOCUMENT_TIME);
    need = (tail ? B : need) + 1;
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

tg_status tg_feed_new(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail, tg_feed **out)
{
    tg_status status = tg_feed_check(d, s, B, T, tail);
    if (status) return status;
    tg_feed *f = tg_alloc(sizeof *f);
    if (!f) return TG_ENOMEM;
    int64_t targets = tg_dataset_count(d, s) - 1;
    *f = (tg_feed){.dataset = d, .split = s, .B = B, .T = T, .tail = tail, .length = targets / B};
    f->longer = tail ? targets % B : 0;
    f->steps = tail ? (f->length + (f->longer > 0) + T - 1) / T : f->length / T;
    f->tokens = tg_alloc_array(B * T, sizeof *f->tokens);
    f->targets = tg_alloc_array(B * T, sizeof *f->targets);
    f->row = tg_alloc_array(T + 1, sizeof *f->row);
    if (!f->tokens || !f->targets || !f->row) status = TG_ENOMEM;
    if (!status && tg_dataset_documents(d, s)) status = make_streams(f);
    if (status) tg_feed_free(f);
    else *out = f;
    return status;
}

void tg_feed_free(tg_feed *f)
{
    if (!f) return;
    tg_free(f->tokens);
    tg_free(f->targets);
    tg_free(f->reset);
    tg_free(f->begin);
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

/* Column b of the batch: tokens and targets from `offset` of its stream. *items grows by the targets. */
static tg_status fill_column(tg_feed *f, int64_t b, int64_t offset, int64_t *items)
{
    const tg_tokenizer *k = tg_dataset_tokenizer(f->dataset);
    int64_t left, begin = stream_of(f, b, &left), n;
    left -= offset;
    n = left < f->T ? left : f->T;
    if (n < 0) n = 0;
    if (n > 0) {
        tg_status status = tg_dataset_tokens(f->dataset, f->split, begin + offset, n + 1, f->row);
        if (status) return status;
    }
    for (int64_t t = 0; t < n; t++) {
        const bool counts = tg_token_is_target(k, f->row[t + 1]);
        f->tokens[t * f->B + b] = f->row[t];
        f->targets[t * f->B + b] = counts ? f->row[t + 1] : -1;
        if (f->reset) f->reset[t * f->B + b] = f->row[t] == k->special.start;
        *items += counts;
    }
    for (int64_t t = n; t < f->T; t++) {
        f->tokens[t * f->B + b] = 0;
        f->targets[t * f->B + b] = -1;
        if (f->reset) f->reset[t * f->B + b] = 0;
    }
    return TG_OK;
}

tg_status tg_feed_batch(tg_feed *f, int64_t step, tg_batch *out)
{
    if (step < 0) return tg_fail(TG_EINVAL, "there is no batch %" PRId64, step);
    int64_t offset = step % f->steps * f->T, items = 0;
    for (int64_t b = 0; b < f->B; b++) {
        tg_status status = fill_column(f, b, offset, &items);
        if (status) return status;
    }
    *out = (tg_batch){
        .arrays = {{.name = "tokens", .rank = 2, .dims = {f->T, f->B}, .ids = f->tokens},
                   {.name = "targets", .rank = 2, .dims = {f->T, f->B}, .ids = f->targets},
                   {.name = "reset", .rank = 2, .dims = {f->T, f->B}, .ids = f->reset}},
        .count = f->reset ? 3 : 2, .items = items, .restart = offset == 0,
    };
    return TG_OK;
}
