/* bound.c - the importance-weighted bound over a split. One item at a time: its draws are rows of one product after another, which
 * the threads share, against matrices that are packed once. */
#include "run/bound.h"

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/meter.h"
#include "run/kinds.h"
#include "run/trained.h"

#include <math.h>

enum { DRAWS = 250 }; /* at once, so that memory is bounded; decides bits, as the seed does */

tg_status tg_bound_check(const tg_model_desc *desc, const tg_dataset *d, tg_split split)
{
    static const char *const names[] = {"train", "val", "test"};
    if (desc->step)
        return tg_fail(TG_EUNSUPPORTED, "a %s has no likelihood, nor a bound of one; gen-evaluate compares its samples", desc->name);
    if (!desc->log_weights)
        return tg_fail(TG_EUNSUPPORTED, "%s draws no latents: its loss is the likelihood itself, not a bound", desc->name);
    if (tg_dataset_count(d, split) > 0) return TG_OK;
    return tg_fail(TG_EINVAL, "there is no %s split; gen-preprocess --%s 0.1 makes one", names[split], names[split]);
}

/* log of the mean of e^w, w = log_weights[0..k). */
static double log_mean_exp(const double *w, int64_t k)
{
    double most = w[0], sum = 0;
    for (int64_t i = 1; i < k; i++) most = w[i] > most ? w[i] : most;
    for (int64_t i = 0; i < k; i++) sum += (double)tg_expf((float)(w[i] - most));
    return most + (double)tg_logf((float)(sum / (double)k));
}

static tg_status weigh(tg_feed *feed, int64_t i, tg_model *m, tg_tape *t, const tg_bound_options *o, double *log_weights)
{
    tg_batch batch;
    tg_status s = tg_feed_batch(feed, i, &batch);
    for (int64_t at = 0; at < o->draws && !s; at += DRAWS) {
        tg_tape_begin(t, &(tg_tape_mode){.frozen = true, .seed = o->seed, .step = (uint64_t)i, .draws = (uint32_t)(at / DRAWS)});
        s = tg_model_descriptor(m)->log_weights(m, t, &batch, o->draws - at < DRAWS ? o->draws - at : DRAWS, log_weights + at);
    }
    return s;
}

/* Means and squares around the first: sums of what is alike lose no digits. */
static tg_status over_items(tg_context *ctx, tg_feed *feed, int64_t all, tg_model *m, tg_tape *t, const tg_bound_options *o,
                            double *log_weights, tg_bound *out)
{
    double first = 0, sum = 0, squares = 0, elbo = 0;
    tg_status s = TG_OK;
    tg_meter meter = tg_meter_start(ctx, "bound", tg_words_of(tg_model_about(m)->kind)->items, out->items);
    for (int64_t i = 0; i < out->items && !s; i++) {
        s = weigh(feed, (int64_t)((double)i * ((double)all / (double)out->items)), m, t, o, log_weights);
        if (s) break;
        const double nats = -log_mean_exp(log_weights, o->draws);
        double mean = 0;
        for (int64_t k = 0; k < o->draws; k++) mean += log_weights[k];
        if (i == 0) first = nats;
        sum += nats - first;
        squares += (nats - first) * (nats - first);
        elbo += mean / (double)o->draws;
        s = tg_meter_add(&meter, 1);
    }
    tg_meter_end(&meter);
    const double n = (double)out->items, variance = (squares - sum * sum / n) / (n - 1);
    out->nats = first + sum / n;
    out->error = n > 1 ? sqrt(fmax(variance, 0) / n) : (double)NAN;
    out->elbo = elbo / n;
    return s;
}

tg_status tg_bound_of(tg_context *ctx, const tg_dataset *d, tg_model *m, const tg_bound_options *o, tg_bound *out)
{
    const int64_t all = tg_dataset_count(d, o->split);
    tg_bound b = {.items = o->items > 0 && o->items < all ? o->items : all, .draws = o->draws};
    tg_feed *feed = NULL;
    tg_tape *tape = NULL;
    tg_status s = tg_bound_check(tg_model_descriptor(m), d, o->split);
    if (s) return s;
    double *log_weights = tg_alloc_array(o->draws, sizeof *log_weights);
    s = log_weights ? tg_feed_samples(d, o->split, 1, true, 0, &feed) : TG_ENOMEM;
    if (!s) s = tg_tape_new(ctx, &tape);
    if (!s) s = over_items(ctx, feed, all, m, tape, o, log_weights, &b);
    if (!s) *out = b;
    tg_tape_free(tape);
    tg_feed_free(feed);
    tg_free(log_weights);
    return s;
}

tg_status tg_bound_of_file(tg_context *ctx, const tg_dataset *d, const char *path, const tg_bound_options *o, tg_bound *out)
{
    tg_trained *t = NULL;
    tg_status s = tg_trained_open(ctx, path, true, &t);
    if (!s) s = tg_bound_check(t->desc, d, o->split); /* of text there are no samples */
    if (!s) s = tg_samples_same(t->samples, &t->data, t->path, d, "the data", true);
    if (!s) s = tg_bound_of(ctx, d, t->model, o, out);
    tg_trained_close(t);
    return s;
}
