/* likelihood.c - the loss over a whole split. */
#include "run/likelihood.h"

#include "base/alloc.h"
#include "base/meter.h"
#include "data/dataset.h"

enum {
    MAX_STREAMS = 50, /* and rows of windows at once */
    TOKENS_A_STREAM = 200,
    MAX_TIME = 64,
    MAX_LOGITS = 1 << 22, /* floats of logits at once: 16 MiB */
    SAMPLES = 250         /* images or points at once; decides bits, as the seed of their noise does */
};
static const uint64_t noise_seed = 1, noise_step = UINT64_C(1) << 63; /* steps that training never comes to */

struct tg_likelihood {
    tg_feed *feed;
    tg_carry carry;
    bool samples;           /* not text: a model may draw noise */
    double metrics[TG_METRICS]; /* means of the last time */
    tg_piece *pieces;       /* somebody else's, or NULL */
};

/* Streams hold whole documents: more of them than the longest document allows would only be empty rows. */
static int64_t streams_of_documents(const tg_dataset *d, tg_split split, int64_t most)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < tg_dataset_documents(d, split); i++) {
        const int64_t n = tg_dataset_document_start(d, split, i + 1) - tg_dataset_document_start(d, split, i);
        if (n > longest) longest = n;
    }
    const int64_t fit = (tg_dataset_count(d, split) + longest - 1) / longest;
    return fit < most ? fit : most;
}

/* Rows of a context, as many at once as the logits' memory allows, and no more than training would take. */
static tg_status over_windows(const tg_dataset *d, tg_split split, const tg_model *m, int64_t finer, tg_likelihood *l)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    const int64_t T = desc->context(tg_model_config(m)), V = tg_model_about(m)->vocab;
    const int64_t all = tg_dataset_count(d, split) / T + 1, fit = MAX_LOGITS / T / V;
    const int64_t most = fit < MAX_STREAMS ? fit : MAX_STREAMS;
    int64_t B = most < all ? most : all;
    if (desc->rows && desc->rows(m, T) < B) B = desc->rows(m, T);
    B /= finer;
    return tg_feed_windows(d, split, B < 1 ? 1 : B, T, true, 0, &l->feed);
}

static tg_status over_streams(const tg_dataset *d, tg_split split, const tg_model *m, int64_t finer, tg_likelihood *l)
{
    int64_t tokens = tg_dataset_count(d, split), B = tokens / TOKENS_A_STREAM, V = tg_model_about(m)->vocab;
    if (B > MAX_STREAMS) B = MAX_STREAMS;
    if (B < 1) B = 1;
    const int64_t least = tg_dataset_documents(d, split) ? TG_DOCUMENT_TIME : 1;
    if (tg_dataset_documents(d, split)) B = streams_of_documents(d, split, B);
    while (least > 1 && B > 1 && MAX_LOGITS / B / (V > 0 ? V : 1) < least) B /= 2;
    int64_t T = MAX_LOGITS / B / (V > 0 ? V : 1);
    if (T > MAX_TIME) T = MAX_TIME;
    if (T > tokens / B) T = tokens / B;
    T /= finer;
    if (T < least) T = least;
    tg_status s = tg_feed_new(d, split, B, T, true, &l->feed);
    return s ? s : tg_carry_new(m, B, &l->carry);
}

static tg_status over_samples(const tg_dataset *d, tg_split split, const tg_model *m, int64_t finer, tg_likelihood *l)
{
    const int64_t fit = MAX_LOGITS / tg_model_data_size(tg_model_about(m)), count = tg_dataset_count(d, split);
    int64_t B = fit < SAMPLES ? fit : SAMPLES;
    if (B > count) B = count;
    B /= finer;
    l->samples = true;
    return tg_feed_samples(d, split, B < 1 ? 1 : B, true, 0, &l->feed);
}

tg_status tg_likelihood_new(const tg_dataset *d, tg_split split, const tg_model *m, tg_likelihood **out)
{
    return tg_likelihood_finer(d, split, m, 1, out);
}

tg_status tg_likelihood_finer(const tg_dataset *d, tg_split split, const tg_model *m, int64_t finer, tg_likelihood **out)
{
    tg_likelihood *l = tg_alloc(sizeof *l);
    if (!l) return TG_ENOMEM;
    tg_status s = tg_dataset_kind(d) != TG_KIND_TEXT ? over_samples(d, split, m, finer, l)
                : tg_model_descriptor(m)->context ? over_windows(d, split, m, finer, l) : over_streams(d, split, m, finer, l);
    if (s) {
        tg_likelihood_free(l);
        return s;
    }
    *out = l;
    return TG_OK;
}

void tg_likelihood_free(tg_likelihood *l)
{
    if (!l) return;
    tg_feed_free(l->feed);
    tg_carry_free(&l->carry);
    tg_free(l);
}

static tg_status batch_loss(tg_likelihood *l, tg_model *m, tg_tape *t, int64_t index, const tg_batch *batch, double *out)
{
    tg_metrics metrics = {0};
    tg_tape_mode mode = {.train = false};
    if (l->samples) mode.seed = noise_seed;
    if (l->samples) mode.step = noise_step | (uint64_t)index;
    tg_tape_begin(t, &mode);
    tg_tensor *loss = tg_model_descriptor(m)->loss(m, t, batch, &l->carry, &metrics);
    if (!loss) return tg_tape_status(t);
    *out = (double)loss->data[0];
    for (int k = 0; k < metrics.count; k++) l->metrics[k] += metrics.values[k] * (double)batch->items;
    return TG_OK;
}

double tg_likelihood_metric(const tg_likelihood *l, int i)
{
    return l->metrics[i];
}

int64_t tg_likelihood_pieces(const tg_likelihood *l)
{
    return tg_feed_steps_per_epoch(l->feed);
}

void tg_likelihood_keep(tg_likelihood *l, tg_piece *pieces)
{
    l->pieces = pieces;
}

tg_status tg_likelihood_of(tg_context *ctx, tg_likelihood *l, tg_model *m, tg_tape *t, double *nats)
{
    double sum = 0;
    int64_t items = 0, steps = tg_feed_steps_per_epoch(l->feed);
    tg_meter meter = tg_meter_start(ctx, "evaluate", "batches", steps);
    tg_status s = TG_OK;
    tg_carry_zero(&l->carry);
    for (int k = 0; k < TG_METRICS; k++) l->metrics[k] = 0;
    for (int64_t i = 0; i < steps && !s; i++) {
        tg_batch batch;
        double loss = 0;
        s = tg_feed_batch(l->feed, i, &batch);
        if (!s && batch.items > 0) s = batch_loss(l, m, t, i, &batch, &loss);
        sum += loss * (double)batch.items;
        items += batch.items;
        if (l->pieces && !s) l->pieces[i] = (tg_piece){loss, batch.items};
        if (!s) s = tg_meter_add(&meter, 1);
    }
    tg_meter_end(&meter);
    if (s) return s;
    if (items == 0) return tg_fail(TG_EINVAL, "the split has no token to predict");
    *nats = sum / (double)items;
    for (int k = 0; k < TG_METRICS; k++) l->metrics[k] /= (double)items;
    return TG_OK;
}
