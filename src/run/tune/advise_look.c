/* advise_look.c - what a trained model tells by itself: its loss on as much training data as there are validation data, which
 * units never act or always sit at an end, how noisy its gradients are, and where the time of a step goes. */
#include "run/tune/advise.h"

#include "autograd/tape.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/meter.h"
#include "data/dataset.h"

#include <math.h>
#include <string.h>

enum { PIECES = 24, FINEST = 64, DRAWS = 2000, NOISE_BATCHES = 16, PROFILE_STEPS = 12 };
static const double FLAT = 0.97; /* |tanh| beyond it: its slope is below 0.06 */

/* ---- the gap ------------------------------------------------------------------------------------------------------- */

typedef struct measured { double nats; tg_interval interval; } measured;

/* In pieces so fine that their scatter can be told from. */
static tg_status measure(tg_advice *a, const tg_dataset *d, tg_split split, tg_tape *tape, measured *out)
{
    tg_likelihood *l = NULL;
    tg_status s = tg_likelihood_new(d, split, a->trained->model, &l);
    for (int64_t finer = 2; !s && finer <= FINEST && tg_likelihood_pieces(l) < PIECES; finer *= 2) {
        tg_likelihood_free(l);
        l = NULL;
        s = tg_likelihood_finer(d, split, a->trained->model, finer, &l);
    }
    const int64_t n = s ? 0 : tg_likelihood_pieces(l);
    tg_piece *pieces = tg_alloc_array(n > 0 ? n : 1, sizeof *pieces);
    double *both = tg_alloc_array(2 * n + 1, sizeof *both);
    if (!s && (!pieces || !both)) s = TG_ENOMEM;
    if (!s) tg_likelihood_keep(l, pieces);
    if (!s) s = tg_likelihood_of(a->ctx, l, a->trained->model, tape, &out->nats);
    int64_t used = 0;
    for (int64_t i = 0; i < n && !s; i++) {
        if (pieces[i].items == 0) continue;
        both[used] = pieces[i].loss;
        both[n + used++] = (double)pieces[i].items;
    }
    if (!s) s = tg_bootstrap_weighed(both, both + n, used, DRAWS, 1, &out->interval);
    tg_free(both);
    tg_free(pieces);
    tg_likelihood_free(l);
    return s;
}

tg_status tg_advice_gap(tg_advice *a)
{
    const double val = (double)tg_dataset_count(a->data, TG_VAL), train = (double)tg_dataset_count(a->data, TG_TRAIN);
    tg_dataset *piece = NULL;
    tg_tape *tape = NULL;
    measured of_val = {0}, of_train = {0};
    tg_status s = tg_dataset_open(a->ctx, a->data_path, &piece);
    if (!s) tg_dataset_narrow(piece, a->run_share * (val < train ? val / train : 1));
    if (!s) s = tg_tape_new(a->ctx, &tape);
    if (!s) s = measure(a, a->data, TG_VAL, tape, &of_val);
    if (!s) s = measure(a, piece, TG_TRAIN, tape, &of_train);
    if (!s) {
        const double up = of_val.interval.high - of_val.nats, down = of_val.nats - of_val.interval.low;
        const double train_up = of_train.interval.high - of_train.nats, train_down = of_train.nats - of_train.interval.low;
        a->val_range = of_val.interval;
        a->train = of_train.nats;
        a->gap = (tg_interval){of_val.nats - of_train.nats - sqrt(down * down + train_up * train_up),
                               of_val.nats - of_train.nats + sqrt(up * up + train_down * train_down)};
    }
    tg_tape_free(tape);
    tg_dataset_close(piece);
    return s;
}

/* ---- units --------------------------------------------------------------------------------------------------------- */

typedef struct watch { tg_advice *a; const tg_tape *tape; bool turns; int place; tg_status status; } watch;

static bool is_flat(int act)
{
    return act == TG_TANH || act == TG_SIGMOID;
}

static tg_unit_group *group_of(watch *w, const tg_node *n, const tg_op_units *u, int part)
{
    tg_advice *a = w->a;
    for (int i = 0; i < a->units; i++) {
        tg_unit_group *g = &a->unit[i];
        if (g->place == w->place && g->part == part) return g->op == n->op && g->units == u->units ? g : NULL;
    }
    if (a->units == TG_UNIT_GROUPS) return NULL;
    tg_unit_group *g = &a->unit[a->units];
    *g = (tg_unit_group){.op = n->op, .what = u->what, .place = w->place, .part = part, .gated = is_flat(u->act),
                         .units = u->units, .active = tg_alloc(u->units)};
    if (!g->active) {
        w->status = TG_ENOMEM;
        return NULL;
    }
    a->units++;
    return g;
}

static void count_units(tg_unit_group *g, const tg_op_units *u)
{
    const double low = u->act == TG_SIGMOID ? (1 - FLAT) / 2 : -FLAT, high = u->act == TG_SIGMOID ? (1 + FLAT) / 2 : FLAT;
    for (int64_t r = 0; r < u->rows; r++) {
        for (int64_t i = 0; i < u->units; i++) {
            const float *x = u->values + r * u->stride + i * u->inner;
            for (int64_t k = 0; k < u->inner; k++) {
                if (g->gated) g->saturated += (double)x[k] < low || (double)x[k] > high;
                else if (x[k] > 0) g->active[i] = 1;
            }
        }
    }
    g->seen += u->rows * u->units * u->inner;
}

static void look(void *user, const tg_node *n)
{
    watch *w = user;
    tg_op_units units[TG_OP_UNITS];
    w->place = w->tape->newest || w->turns ? w->place + 1 : 0; /* of the pass; of a step in turns, of all its passes */
    const int count = n->op->units ? n->op->units(n, units) : 0;
    for (int k = 0; k < count && !w->status; k++) {
        tg_unit_group *g = group_of(w, n, &units[k], k);
        if (g) count_units(g, &units[k]);
    }
}

static void sum_up(tg_advice *a)
{
    for (int i = 0; i < a->units; i++) {
        tg_unit_group *g = &a->unit[i];
        for (int64_t k = 0; k < g->units && !g->gated; k++) g->dead += !g->active[k];
    }
}

/* Over the whole of validation; of a model that trains in turns, over the passes of one step. */
static tg_status look_at_units(tg_advice *a, tg_loop *l)
{
    watch w = {.a = a, .tape = l->tape, .turns = l->turns != NULL};
    double nats = 0;
    tg_step_info info;
    tg_tape_watch(l->tape, look, &w);
    tg_status s = l->validation ? tg_likelihood_of(a->ctx, l->validation, l->model, l->tape, &nats) : tg_loop_step(l, &info);
    tg_tape_watch(l->tape, NULL, NULL);
    sum_up(a);
    return s ? s : w.status;
}

/* ---- noise --------------------------------------------------------------------------------------------------------- */

double tg_noise_scale(double small_square, double small, double big_square, double big)
{
    const double signal = (big * big_square - small * small_square) / (big - small);
    const double noise = (small_square - big_square) / (1 / small - 1 / big);
    return signal > 0 ? fmax(noise, 0) / signal : (double)INFINITY;
}

static void add_gradients(const tg_params *p, float *sum)
{
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const tg_tensor *t = tg_params_at(p, i);
        const int64_t at = tg_params_offset(p, i), n = tg_shape_count(&t->shape);
        for (int64_t k = 0; k < n && t->has_grad; k++) sum[at + k] += t->grad[k];
    }
}

static tg_status one_gradient(tg_advice *a, tg_loop *l, int64_t index, int64_t *items)
{
    tg_batch batch;
    tg_metrics metrics = {0};
    tg_params *p = tg_model_params(l->model);
    tg_status s = tg_feed_batch(l->feed, index, &batch);
    if (s) return s;
    tg_params_clear_grads(p);
    *items = batch.items;
    tg_tape_begin(l->tape, &(tg_tape_mode){.train = true, .seed = l->options.seed, .step = (uint64_t)index, .update = a->steps});
    tg_tensor *loss = tg_model_descriptor(l->model)->loss(l->model, l->tape, &batch, &l->carry, &metrics);
    return loss ? tg_tape_backward(l->tape, loss) : tg_tape_status(l->tape);
}

/* Mean squares of the gradients of 16 batches, and of their mean. */
static tg_status measure_noise(tg_advice *a, tg_loop *l)
{
    tg_params *p = tg_model_params(l->model);
    const int64_t size = tg_params_size(p);
    float *sum = tg_alloc_array(size, sizeof *sum);
    double squares = 0, big = 0;
    int64_t items = 0, all = 0;
    tg_meter meter = tg_meter_start(a->ctx, "gradient noise", "batches", NOISE_BATCHES);
    tg_status s = sum ? TG_OK : TG_ENOMEM;
    for (int64_t k = 0; k < NOISE_BATCHES && !s; k++) {
        s = one_gradient(a, l, k, &items);
        if (!s) s = tg_meter_add(&meter, 1);
        if (s) break;
        const double norm = tg_grad_norm(a->ctx, p);
        squares += norm * norm / NOISE_BATCHES;
        all += items;
        add_gradients(p, sum);
    }
    tg_meter_end(&meter);
    for (int64_t i = 0; i < size && !s; i++) big += (double)sum[i] / NOISE_BATCHES * ((double)sum[i] / NOISE_BATCHES);
    if (!s) a->noise_big = all;
    if (!s) a->noise = tg_noise_scale(squares, (double)all / NOISE_BATCHES, big, (double)all);
    tg_carry_zero(&l->carry);
    tg_free(sum);
    return s;
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

static tg_status measure_time(tg_advice *a, tg_loop *l)
{
    tg_step_info info;
    tg_status s = TG_OK;
    a->profile = tg_alloc(sizeof *a->profile);
    if (!a->profile) return TG_ENOMEM;
    tg_meter meter = tg_meter_start(a->ctx, "time of a step", "steps", TG_WARM_STEPS + PROFILE_STEPS);
    double began = tg_now();
    for (int i = 0; i < TG_WARM_STEPS + PROFILE_STEPS && !s; i++) {
        if (i == TG_WARM_STEPS) {
            tg_loop_profile(l, a->profile);
            began = tg_now();
        }
        s = tg_loop_step(l, &info);
        a->profile_steps += !s && i >= TG_WARM_STEPS;
        if (!s) s = tg_meter_add(&meter, 1);
    }
    a->profile_seconds = tg_now() - began;
    tg_meter_end(&meter);
    tg_profile_sort(a->profile);
    if (s == TG_EDIVERGED) s = TG_OK; /* what was taken down holds */
    if (!s) a->peak = tg_training_peak(a->ctx);
    return s;
}

tg_status tg_advice_look(tg_advice *a)
{
    tg_setup setup = {0};
    tg_model *m = NULL;
    tg_loop *l = NULL;
    tg_status s = tg_setup_open(a, &setup);
    if (!s) s = tg_advice_model(a, &setup, true, &m);
    const tg_loop_options options = tg_training_loop(&setup.o);
    if (!s) s = tg_loop_new(a->ctx, m, a->data, &options, &l);
    if (!s) a->step_flops = l->step_flops;
    if (!s) s = look_at_units(a, l);
    if (!s && !l->turns) s = measure_noise(a, l);
    if (!s) s = measure_time(a, l);
    tg_loop_free(l);
    tg_model_free(m);
    tg_setup_close(&setup);
    return s;
}
