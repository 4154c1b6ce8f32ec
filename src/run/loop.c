/* loop.c - the steady-state training step. */
#include "run/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fmath.h"

#include <math.h>
#include <string.h>

enum {
    MAX_SKIPS = 20,    /* in a row */
    MAX_REWINDS = 10,
    HIGH_STEPS = 100,  /* so many steps in a row may lose more than twice what guessing does */
    FAR_TOO_HIGH = 100 /* times what guessing loses: as good as not finite */
};

static int64_t slab_bytes(const tg_loop *l)
{
    return tg_params_size(l->set) * (int64_t)sizeof(float);
}

void tg_loop_merge(tg_loop *l)
{
    if (l->lora) tg_lora_merge(l->lora);
}

/* Batches of the feed that make one step. */
static int64_t pieces_of(const tg_loop *l)
{
    return l->options.accum * (l->options.batch / l->rows);
}

int64_t tg_loop_rows(const tg_model *m, int64_t batch, int64_t seq)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    const int64_t most = desc->rows ? desc->rows(m, seq) : batch;
    int64_t rows = most < batch ? most : batch;
    while (rows > 1 && batch % rows) rows--;
    return rows < 1 ? 1 : rows;
}

static tg_status open_feed(tg_loop *l, const tg_dataset *d)
{
    const tg_loop_options *o = &l->options;
    l->rows = tg_loop_rows(l->model, o->batch, o->seq);
    if (tg_dataset_kind(d) != TG_KIND_TEXT) return tg_feed_samples(d, TG_TRAIN, l->rows, false, o->seed, &l->feed);
    if (tg_model_descriptor(l->model)->context) return tg_feed_windows(d, TG_TRAIN, l->rows, o->seq, false, o->seed, &l->feed);
    tg_status s = tg_feed_new(d, TG_TRAIN, o->batch, o->seq, false, &l->feed);
    return s ? s : tg_carry_new(l->model, o->batch, &l->carry);
}

static tg_status make_turns(tg_loop *l)
{
    const tg_loop_options *o = &l->options;
    l->turns = tg_alloc(sizeof *l->turns);
    if (!l->turns) return TG_ENOMEM;
    *l->turns = (tg_turns){.ctx = l->ctx, .params = tg_model_params(l->model), .optim = l->optim, .tape = l->tape, .feed = l->feed,
                           .seed = o->seed, .base_lr = o->schedule.lr, .clip = o->clip};
    return TG_OK;
}

/* The first step on paper, so that its memory is taken in one piece. */
static tg_status plan_step(tg_loop *l)
{
    tg_batch batch;
    tg_metrics metrics = {0};
    tg_step_cost cost = {0};
    tg_status s = tg_feed_batch(l->feed, 0, &batch);
    if (!s) s = tg_model_plan(l->ctx, l->model, l->tape, &batch, &l->carry, &metrics, &cost);
    if (s) return s;
    l->step_flops = cost.flops * (l->turns ? 1 : (double)pieces_of(l)) + tg_optim_flops(l->optim) +
                    (l->lora ? tg_lora_flops(l->lora) : 0);
    tg_carry_zero(&l->carry);
    l->metrics = metrics.count;
    memcpy(l->metric_names, metrics.names, sizeof l->metric_names);
    return s;
}

/* Of pixels, a level of 256 each; of points any distance can be far or near. */
static double guessing(const tg_model *m)
{
    const tg_model_data *about = tg_model_about(m);
    if (about->kind == TG_KIND_POINTS) return INFINITY;
    if (about->kind == TG_KIND_IMAGE) return (double)tg_logf(256) * (double)tg_model_data_size(about);
    return (double)tg_logf((float)about->vocab) + 1e-3;
}

static tg_status choose_set(tg_loop *l)
{
    l->set = tg_model_params(l->model);
    if (l->options.lora.rank == 0) return TG_OK;
    tg_status s = tg_lora_new(l->ctx, l->set, &l->options.lora, &l->lora);
    if (s) return s;
    l->set = tg_lora_params(l->lora);
    l->aside = tg_alloc(slab_bytes(l));
    return l->aside ? TG_OK : TG_ENOMEM;
}

static tg_status build(tg_loop *l, const tg_dataset *d)
{
    const tg_loop_options *o = &l->options;
    tg_status s = choose_set(l);
    if (!s) s = open_feed(l, d);
    if (!s) s = tg_optim_new(l->ctx, l->set, &o->optim, &l->optim);
    if (!s) s = tg_tape_new(l->ctx, &l->tape);
    if (!s && tg_model_descriptor(l->model)->step) s = make_turns(l);
    if (!s) s = plan_step(l);
    if (!s && tg_dataset_count(d, TG_VAL) > 1 && !l->turns) {
        s = tg_likelihood_new(d, TG_VAL, l->model, &l->validation);
        if (!s && !(l->best = tg_alloc(slab_bytes(l)))) s = TG_ENOMEM;
    }
    if (!s && o->ema > 0) {
        l->ema = tg_alloc(slab_bytes(l));
        if (!l->ema) return TG_ENOMEM;
        memcpy(l->ema, tg_params_values(l->set), (size_t)slab_bytes(l));
    }
    return s;
}

tg_status tg_loop_new(tg_context *ctx, tg_model *m, const tg_dataset *d, const tg_loop_options *o, tg_loop **out)
{
    tg_loop *l = tg_alloc(sizeof *l);
    if (!l) return TG_ENOMEM;
    l->ctx = ctx;
    l->options = *o;
    l->model = m;
    l->guessing = guessing(m);
    l->place = (tg_place){.best_loss = NAN, .last_loss = NAN, .evaluated = -1, .rate_scale = 1};
    tg_status s = build(l, d);
    if (s) {
        tg_loop_free(l);
        return s;
    }
    *out = l;
    return TG_OK;
}

void tg_loop_free(tg_loop *l)
{
    if (!l) return;
    tg_feed_free(l->feed);
    tg_optim_free(l->optim);
    tg_tape_free(l->tape);
    tg_carry_free(&l->carry);
    tg_turns_free(l->turns);
    tg_likelihood_free(l->validation);
    tg_lora_free(l->lora);
    tg_free(l->ema);
    tg_free(l->best);
    tg_free(l->aside);
    tg_free(l);
}

void tg_loop_profile(tg_loop *l, tg_profile *p)
{
    l->profile = p;
    tg_tape_profile(l->tape, p);
}

/* What was done since *began counts for `name`; *began becomes now. */
static void account(const tg_loop *l, const char *name, double *began)
{
    if (!l->profile) return;
    const double now = tg_now();
    tg_profile_add(l->profile, name, NULL, "", now - *began, 0);
    *began = now;
}

/* ---- when a step goes wrong --------------------------------------------------------------------------------------- */

static bool is_far_too_high(const tg_loop *l, double loss)
{
    return loss > FAR_TOO_HIGH * l->guessing;
}

static tg_status not_finite(const tg_loop *l, const tg_step_info *i, const char *why)
{
    const char *bad = isfinite(i->loss) ? tg_grad_bad(tg_model_params(l->model)) : NULL;
    long long step = (long long)l->place.step + 1;
    const char *advice = l->options.on_nan == TG_NAN_STOP ? "try a lower --lr or --clip, or --on-nan skip"
                                                          : "try a lower --lr or --clip";
    if (!isfinite(i->loss)) return tg_fail(TG_EDIVERGED, "step %lld: the loss is not a finite number%s; %s", step, why, advice);
    if (is_far_too_high(l, i->loss))
        return tg_fail(TG_EDIVERGED, "step %lld: training diverges: the loss is %lld nats, guessing costs %lld%s; %s", step,
                       i->loss < 9e18 ? (long long)i->loss : INT64_MAX, (long long)(l->guessing + 0.5), why, advice);
    return tg_fail(TG_EDIVERGED, "step %lld: the gradient%s%s is not finite%s; %s", step, bad ? " of " : "", bad ? bad : "", why,
                   advice);
}

static const char *what_is_bad(const tg_step_info *i)
{
    if (!isfinite(i->loss)) return "the loss is not finite";
    return isfinite(i->grad_norm) ? "the loss is far too high" : "the gradient is not finite";
}

/* Back to the best weights, moments cleared, half the learning rate. By evaluations, never by saves: so that saving
 * often or seldom changes nothing. */
static tg_status rewind_to_best(tg_loop *l, const tg_step_info *i)
{
    if (!l->best || isnan(l->place.best_loss)) return not_finite(l, i, " and there was no evaluation yet to go back to");
    if (l->place.rewinds == MAX_REWINDS) return not_finite(l, i, " after ten rewinds");
    memcpy(tg_params_values(l->set), l->best, (size_t)slab_bytes(l));
    tg_loop_merge(l);
    if (l->ema) memcpy(l->ema, l->best, (size_t)slab_bytes(l));
    for (int k = 0; k < tg_optim_slabs(l->optim); k++) memset(tg_optim_slab(l->optim, k), 0, (size_t)slab_bytes(l));
    l->place.rewinds++;
    l->place.rate_scale /= 2;
    tg_log(l->ctx, TG_LOG_WARN, "step %lld: %s; back to the weights of step %lld with half the learning rate",
           (long long)l->place.step + 1, what_is_bad(i), (long long)l->place.best_step);
    return TG_OK;
}

static tg_status step_is_bad(tg_loop *l, tg_step_info *i)
{
    tg_status s = TG_OK;
    if (l->options.on_nan == TG_NAN_STOP) return not_finite(l, i, "");
    if (l->options.on_nan == TG_NAN_REWIND) s = rewind_to_best(l, i);
    else if (l->place.skipped_now == MAX_SKIPS) return not_finite(l, i, " twenty times in a row");
    if (s) return s;
    if (l->options.on_nan == TG_NAN_SKIP)
        tg_log(l->ctx, TG_LOG_WARN, "step %lld: %s; left out", (long long)l->place.step + 1, what_is_bad(i));
    tg_carry_zero(&l->carry);
    l->place.skipped++;
    l->place.skipped_now++;
    l->place.step++;
    i->taken = false;
    return TG_OK;
}

/* Losing much more than guessing for long: the weights are gone, only the numbers are still finite. */
static tg_status watch_divergence(tg_loop *l, double loss)
{
    l->place.high = loss > 2 * l->guessing + 1 ? l->place.high + 1 : 0;
    if (l->place.high < HIGH_STEPS || l->options.on_nan != TG_NAN_STOP) return TG_OK;
    return tg_fail(TG_EDIVERGED, "step %lld: training diverges: the loss has been above twice that of guessing for %d steps; "
                   "try a lower --lr or --clip", (long long)l->place.step + 1, (int)HIGH_STEPS);
}

/* ---- a step ------------------------------------------------------------------------------------------------------- */

/* What a batch counts among those of its step: a loss is a mean over targets, and documents have more or fewer of them
 * (starts, classes are none). A batch of targets only counts 1, and so does one that is alone. */
static double weight_of(const tg_loop *l, const tg_batch *batch)
{
    return pieces_of(l) == 1 ? 1 : (double)batch->items / (double)(l->rows * l->options.seq);
}

/* Forward and backward of one batch; gradients add up, and so do *weights. */
static tg_status one_batch(tg_loop *l, int64_t index, tg_step_info *i, double *weights)
{
    tg_batch batch;
    tg_metrics metrics = {0};
    double began = l->profile ? tg_now() : 0;
    tg_status s = tg_feed_batch(l->feed, index, &batch);
    if (s) return s;
    account(l, "batch", &began);
    if (batch.items == 0) return TG_OK; /* rows of starts and classes only */
    tg_tape_begin(l->tape, &(tg_tape_mode){.train = true, .seed = l->options.seed, .step = (uint64_t)index,
                                            .update = l->place.step});
    tg_tensor *loss = tg_model_descriptor(l->model)->loss(l->model, l->tape, &batch, &l->carry, &metrics);
    if (!loss) return tg_tape_status(l->tape);
    const double weight = weight_of(l, &batch);
    for (int k = 0; k < metrics.count; k++) i->metrics[k] += weight * metrics.values[k];
    s = tg_tape_backward_by(l->tape, loss, weight);
    i->loss += weight * (double)loss->data[0];
    *weights += weight;
    i->tokens += batch.items;
    return s;
}

/* The step's gradient, of so many weights' worth of batches, and its norm. */
static tg_status descend(tg_loop *l, tg_step_info *i, double *weights)
{
    const int64_t pieces = pieces_of(l);
    tg_status s = TG_OK;
    tg_params_clear_grads(tg_model_params(l->model));
    for (int64_t k = 0; k < pieces && !s; k++) s = one_batch(l, l->place.step * pieces + k, i, weights);
    if (s) return s;
    double began = l->profile ? tg_now() : 0;
    i->loss /= *weights;
    for (int k = 0; k < l->metrics; k++) i->metrics[k] /= *weights;
    if (l->lora) tg_lora_gradients(l->lora);
    i->grad_norm = isfinite(i->loss) ? tg_grad_norm(l->ctx, l->set) / *weights : NAN;
    account(l, "gradient norm", &began);
    return TG_OK;
}

/* All of a step in turns. Where a loss is not finite, the rest of its step is not taken. */
static tg_status take_turns(tg_loop *l, tg_step_info *i)
{
    tg_metrics metrics = {0};
    tg_turns_start(l->turns, l->place.step, i->lr);
    tg_status s = tg_model_descriptor(l->model)->step(l->model, l->turns, &metrics);
    i->loss = l->turns->loss;
    i->grad_norm = l->turns->grad_norm;
    i->tokens = l->turns->items;
    for (int k = 0; k < metrics.count; k++) i->metrics[k] = metrics.values[k];
    return l->turns->diverged ? TG_OK : s;
}

tg_status tg_loop_step(tg_loop *l, tg_step_info *out)
{
    const tg_loop_options *o = &l->options;
    tg_step_info i = {.taken = true, .lr = tg_schedule_at(&o->schedule, l->place.step) * l->place.rate_scale};
    double weights = 0;
    tg_status s = l->turns ? take_turns(l, &i) : descend(l, &i, &weights);
    if (s) return s;
    if (!isfinite(i.grad_norm) || is_far_too_high(l, i.loss)) {
        s = step_is_bad(l, &i);
        if (!s) *out = i;
        return s;
    }
    s = watch_divergence(l, i.loss);
    if (s) return s;
    double began = l->profile ? tg_now() : 0;
    if (!l->turns) tg_optim_step(l->optim, i.lr, tg_clip_scale(i.grad_norm, o->clip) / weights, l->place.step + 1);
    tg_loop_merge(l);
    if (l->ema) tg_ema_update(l->ctx, l->ema, l->set, o->ema, l->place.step);
    account(l, "update", &began);
    l->place.skipped_now = 0;
    l->place.loss_sum += i.loss;
    for (int k = 0; k < l->metrics; k++) l->place.metric_sum[k] += i.metrics[k];
    l->place.loss_count++;
    l->place.step++;
    *out = i;
    return TG_OK;
}

/* ---- evaluation ---------------------------------------------------------------------------------------------------- */

static void exchange(tg_loop *l)
{
    float *values = tg_params_values(l->set);
    int64_t n = tg_params_size(l->set);
    for (int64_t i = 0; l->ema && i < n; i++) {
        float x = values[i];
        values[i] = l->ema[i];
        l->ema[i] = x;
    }
    if (l->ema) tg_loop_merge(l);
}

void tg_loop_show(tg_loop *l)
{
    exchange(l);
}

void tg_loop_hide(tg_loop *l)
{
    exchange(l);
}

tg_status tg_loop_evaluate(tg_loop *l, double *nats)
{
    tg_place *at = &l->place;
    tg_loop_show(l);
    tg_status s = tg_likelihood_of(l->ctx, l->validation, l->model, l->tape, nats);
    if (!s) {
        at->last_loss = *nats;
        at->evaluated = at->step;
        at->worse++;
        if (isfinite(*nats) && !(*nats >= at->best_loss)) {
            at->best_loss = *nats;
            at->best_step = at->step;
            at->worse = 0;
            for (int k = 0; k < l->metrics; k++) at->best_metric[k] = tg_likelihood_metric(l->validation, k);
            memcpy(l->best, tg_params_values(l->set), (size_t)slab_bytes(l));
        }
    }
    tg_loop_hide(l);
    return s;
}

const float *tg_loop_chosen(const tg_loop *l)
{
    if (l->best && !isnan(l->place.best_loss)) return l->best;
    return l->ema ? l->ema : tg_params_values(l->set);
}

const float *tg_loop_put_on(tg_loop *l)
{
    if (!l->lora) return tg_loop_chosen(l);
    float *values = tg_params_values(l->set);
    memcpy(l->aside, values, (size_t)slab_bytes(l));
    memmove(values, tg_loop_chosen(l), (size_t)slab_bytes(l)); /* which may be the values themselves */
    tg_loop_merge(l);
    return tg_params_values(tg_model_params(l->model));
}

void tg_loop_take_off(tg_loop *l)
{
    if (!l->lora) return;
    memcpy(tg_params_values(l->set), l->aside, (size_t)slab_bytes(l));
    tg_loop_merge(l);
}
