/* train_plan.c - gen-train --dry-run: parameters, memory, FLOPs and time of a run that is not made. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "run/defaults.h"
#include "run/freeze.h"
#include "run/result.h"

#include <math.h>
#include <string.h>

enum { ROWS = 512, COLUMNS = 256, DEPTH = 256, TRIES = 8 };

double tg_training_peak(tg_context *ctx)
{
    tg_tape *tape = NULL;
    float *memory = tg_alloc_array(ROWS * DEPTH + COLUMNS * DEPTH, sizeof *memory);
    double best = 0;
    tg_status s = memory ? tg_tape_new(ctx, &tape) : TG_ENOMEM;
    for (int i = 0; i < TRIES && !s; i++) {
        tg_tape_begin(tape, &(tg_tape_mode){.train = false});
        tg_tensor *x = tg_input_values(tape, 2, (int64_t[]){ROWS, DEPTH}, memory);
        tg_tensor *w = tg_input_values(tape, 2, (int64_t[]){COLUMNS, DEPTH}, memory + ROWS * DEPTH);
        double begin = tg_now();
        tg_tensor *y = tg_linear(tape, x, w, NULL, TG_LINEAR);
        double seconds = tg_now() - begin;
        if (!y) break;
        if (seconds > 0 && tg_tape_flops(tape) / seconds > best) best = tg_tape_flops(tape) / seconds;
    }
    tg_tape_free(tape);
    tg_free(memory);
    return best;
}

/* room: what a step keeps beside the tape's activations */
typedef struct plan { double flops; int64_t activations, room, parameters, trained, slab, optimizer; } plan;

/* Of data with documents a third array tells where they begin: nobody reads it, but that it is there takes room. */
static tg_batch batch_of_text(const tg_training *t, int64_t T, int64_t B)
{
    static const int32_t unread;
    return (tg_batch){.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}}, {.name = "targets", .rank = 2, .dims = {T, B}},
                                 {.name = t->desc->context ? "first" : "reset", .rank = 2, .dims = {T, B}, .ids = &unread}},
                      .count = tg_dataset_documents(t->data, TG_TRAIN) ? 3 : 2, .items = T * B};
}

static tg_batch batch_of_samples(const tg_model_data *d, int64_t B)
{
    return (tg_batch){.arrays = {{.name = "x", .rank = d->rank + 1, .dims = {B, d->dims[0], d->dims[1], d->dims[2]}},
                                 {.name = "labels", .rank = 1, .dims = {B}}},
                      .count = d->classes ? 2 : 1, .items = B};
}

/* The model has values and gradients; of the adapters there is all else, too, and what is put aside while others are shown. */
static void add_adapters(const tg_lora *lora, plan *out)
{
    const int64_t own = tg_params_size(tg_lora_params(lora)) * (int64_t)sizeof(float);
    out->flops += tg_lora_flops(lora);
    out->trained = tg_params_trained(tg_lora_params(lora));
    out->room += 2 * out->slab + own + tg_lora_bytes(lora);
    out->slab = own;
}

/* One step on paper: the tape counts, nothing is computed. */
static tg_status plan_step(tg_training *t, plan *out)
{
    tg_model *m = NULL;
    tg_tape *tape = NULL;
    tg_optim *optim = NULL;
    tg_lora *lora = NULL;
    tg_carry carry = {0};
    const tg_optim_config config = tg_training_optim(t->o);
    const tg_lora_options options = tg_training_lora(t->o);
    const int64_t T = t->o->seq;
    tg_status s = t->kind != TG_KIND_TEXT ? TG_OK : tg_feed_check(t->data, TG_TRAIN, t->desc->context ? 1 : t->o->batch, T,
                                                                  false);
    if (!s) s = tg_model_new(t->ctx, t->desc, t->config, &t->about.data, 1, true, true, &m);
    if (!s) s = tg_freeze(tg_model_params(m), t->o->freeze);
    if (!s && options.rank > 0) s = tg_lora_new(t->ctx, tg_model_params(m), &options, &lora);
    if (!s) s = tg_optim_new(t->ctx, lora ? tg_lora_params(lora) : tg_model_params(m), &config, &optim);
    if (!s) s = tg_tape_new(t->ctx, &tape);
    if (!s && !t->desc->context) s = tg_carry_new(m, t->o->batch, &carry);
    if (!s) {
        const int64_t B = tg_loop_rows(m, t->o->batch, T);
        const tg_batch batch = t->kind == TG_KIND_TEXT ? batch_of_text(t, T, B) : batch_of_samples(&t->about.data, B);
        tg_metrics metrics = {0};
        tg_step_cost cost = {0};
        s = tg_model_plan(t->ctx, m, tape, &batch, &carry, &metrics, &cost);
        *out = (plan){.flops = cost.flops * (t->desc->step ? 1 : (double)(t->o->accum * (t->o->batch / B))) + tg_optim_flops(optim),
                      .activations = tg_tape_peak(tape), .room = cost.bytes, .parameters = tg_params_elements(tg_model_params(m)),
                      .slab = tg_params_size(tg_model_params(m)) * (int64_t)sizeof(float), .optimizer = tg_optim_bytes(optim)};
        if (lora) add_adapters(lora, out);
        else out->trained = tg_params_trained(tg_model_params(m));
    }
    tg_carry_free(&carry);
    tg_optim_free(optim);
    tg_lora_free(lora);
    tg_tape_free(tape);
    tg_model_free(m);
    return s;
}

static void row(tg_str *out, const char *name, const char *value)
{
    tg_str_addf(out, "%-22s %s\n", name, value);
}

/* Values, gradients, and what is kept of values. */
static int64_t slabs(const tg_train_options *o, bool validation)
{
    return 2 + (o->ema > 0) + validation;
}

static void add_rows(const tg_training *t, const plan *p, int64_t memory, double rate, const char *chosen, tg_str *out)
{
    const tg_train_options *o = t->o;
    char text[32];
    row(out, "model", t->desc->name);
    row(out, "parameters", tg_format_count(text, p->parameters));
    if (p->trained != p->parameters) row(out, "  of it trained", tg_format_count(text, p->trained));
    row(out, t->kind == TG_KIND_IMAGE ? "training images" : t->kind == TG_KIND_POINTS ? "training points" : "training tokens",
        tg_format_count(text, tg_dataset_count(t->data, TG_TRAIN)));
    row(out, t->kind == TG_KIND_IMAGE ? "images a step" : t->kind == TG_KIND_POINTS ? "points a step" : "tokens a step",
        tg_format_count(text, tg_step_items(o, t->desc, t->config)));
    row(out, "steps", o->steps > 0 ? tg_format_count(text, o->steps) : o->time > 0 ? "as --time says" : "as --until says");
    row(out, "memory", tg_format_bytes(text, (double)memory));
    row(out, "  of it activations", tg_format_bytes(text, (double)p->activations));
    row(out, "MFLOP a step", tg_format_count(text, (int64_t)(p->flops / 1e6 + 0.5)));
    if (rate > 0) row(out, "GFLOP/s of this machine", tg_format_count(text, (int64_t)(rate / 1e9 + 0.5)));
    if (rate > 0 && o->steps > 0) row(out, "time, at the least", tg_format_seconds(text, p->flops * (double)o->steps / rate));
    if (*chosen) row(out, "chosen by data's size", chosen);
}

static void add_object(const tg_training *t, const plan *p, int64_t memory, double rate, tg_str *out)
{
    const tg_train_options *o = t->o;
    tg_json_writer w = {.out = out};
    tg_result_begin(&w, "gen-train", NULL, o->seed, tg_training_seconds(t));
    tg_json_member_text(&w, "model", t->desc->name);
    tg_json_member_int(&w, "params", p->parameters);
    tg_json_member_int(&w, "trained_params", p->trained);
    tg_json_member_int(&w, t->kind == TG_KIND_IMAGE ? "images_per_step" : t->kind == TG_KIND_POINTS ? "points_per_step"
                       : "tokens_per_step",
                       tg_step_items(o, t->desc, t->config));
    tg_json_member_int(&w, "steps", o->steps);
    tg_json_member_int(&w, "bytes", memory);
    tg_json_member_int(&w, "activation_bytes", p->activations);
    tg_json_member_real(&w, "flops_per_step", p->flops);
    tg_json_member_real(&w, "gflops", rate > 0 ? rate / 1e9 : NAN);
    tg_json_member_real(&w, "least_seconds", rate > 0 && o->steps > 0 ? p->flops * (double)o->steps / rate : NAN);
    tg_json_member_raw(&w, "settings", t->settings);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
}

static int64_t memory_of(const tg_training *t, const plan *p)
{
    const bool validation = tg_dataset_count(t->data, TG_VAL) > 1 && !t->desc->step;
    return p->slab * slabs(t->o, validation) + p->optimizer + p->activations + p->room;
}

tg_status tg_training_cost(tg_training *t, tg_cost *out)
{
    static const double ENOUGH = 0.5; /* seconds of steps whose time is taken */
    plan p = {0};
    tg_step_info info;
    tg_status s = plan_step(t, &p);
    if (!s) s = tg_loop_step(t->loop, &info); /* pages are touched and matrices packed for the first time */
    const double begin = tg_now();
    int64_t steps = 0;
    while (!s && (steps < 2 || tg_now() - begin < ENOUGH) && steps < t->o->steps) {
        s = tg_cancelled(t->ctx) ? tg_fail(TG_ECANCELLED, "stopped; nothing was written")
                                  : tg_loop_step(t->loop, &info);
        steps++;
    }
    *out = (tg_cost){.params = p.parameters, .bytes = memory_of(t, &p), .steps = t->o->steps,
                     .seconds = steps > 0 ? (tg_now() - begin) / (double)steps * (double)t->o->steps : (double)NAN};
    return s;
}

tg_status tg_training_plan(tg_training *t, const char *chosen)
{
    plan p = {0};
    tg_str out = {0};
    const tg_train_options *o = t->o;
    tg_status s = plan_step(t, &p);
    if (s) return s;
    const double rate = tg_training_peak(t->ctx);
    const int64_t memory = memory_of(t, &p);
    if (o->json) add_object(t, &p, memory, rate, &out);
    else add_rows(t, &p, memory, rate, chosen, &out);
    s = out.failed ? TG_ENOMEM : tg_output(t->ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}
