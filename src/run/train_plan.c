/* train_plan.c - gen-train --dry-run: parameters, memory, FLOPs and time of a run that is not made. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "run/defaults.h"

#include <string.h>

enum { ROWS = 512, COLUMNS = 256, DEPTH = 256, TRIES = 8 };

/* FLOP/s of a product of middle size, the best of a few: what training comes near to. */
static double gemm_rate(tg_context *ctx)
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

typedef struct plan { double flops; int64_t activations, parameters, slab; } plan;

/* One step on paper: the tape counts, nothing is computed. */
static tg_status plan_step(tg_training *t, plan *out)
{
    tg_model *m = NULL;
    tg_tape *tape = NULL;
    tg_carry carry = {0};
    int64_t T = t->o->seq, B = t->o->batch;
    int32_t *ids = tg_alloc_array(T * B, sizeof *ids);
    tg_status s = ids ? tg_model_new(t->ctx, t->desc, t->config, &t->about.data, 1, true, true, &m) : TG_ENOMEM;
    if (!s) s = tg_tape_new(t->ctx, &tape);
    if (!s) s = tg_carry_new(m, B, &carry);
    if (!s) {
        tg_batch batch = {.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}, .ids = ids},
                                     {.name = "targets", .rank = 2, .dims = {T, B}, .ids = ids}},
                          .count = 2, .items = T * B};
        tg_metrics metrics;
        tg_tape_begin(tape, &(tg_tape_mode){.train = true, .plan = true});
        tg_tensor *loss = t->desc->loss(m, tape, &batch, &carry, &metrics);
        s = loss ? tg_tape_backward(tape, loss) : tg_tape_status(tape);
        *out = (plan){.flops = (tg_tape_flops(tape) + tg_tape_backward_flops(tape)) * (double)t->o->accum,
                      .activations = tg_tape_peak(tape), .parameters = tg_params_elements(tg_model_params(m)),
                      .slab = tg_params_size(tg_model_params(m)) * (int64_t)sizeof(float)};
    }
    tg_carry_free(&carry);
    tg_tape_free(tape);
    tg_model_free(m);
    tg_free(ids);
    return s;
}

static void row(tg_str *out, const char *name, const char *value)
{
    tg_str_addf(out, "%-22s %s\n", name, value);
}

static int64_t slabs(const tg_train_options *o, bool validation)
{
    int64_t moments = o->optimizer == TG_SGD ? o->momentum > 0 : o->optimizer == TG_RMSPROP ? 1 : 2;
    return 2 + moments + (o->ema > 0) + validation;
}

tg_status tg_training_plan(tg_training *t, const char *chosen)
{
    plan p = {0};
    char text[32];
    tg_str out = {0};
    const tg_train_options *o = t->o;
    tg_status s = plan_step(t, &p);
    if (s) return s;
    double rate = gemm_rate(t->ctx);
    int64_t memory = p.slab * slabs(o, tg_dataset_count(t->data, TG_VAL) > 1) + p.activations;
    row(&out, "model", t->desc->name);
    row(&out, "parameters", tg_format_count(text, p.parameters));
    row(&out, "training tokens", tg_format_count(text, tg_dataset_count(t->data, TG_TRAIN)));
    row(&out, "tokens a step", tg_format_count(text, o->batch * o->seq * o->accum));
    row(&out, "steps", o->steps > 0 ? tg_format_count(text, o->steps) : "as --time says");
    row(&out, "memory", tg_format_bytes(text, (double)memory));
    row(&out, "  of it activations", tg_format_bytes(text, (double)p.activations));
    row(&out, "MFLOP a step", tg_format_count(text, (int64_t)(p.flops / 1e6 + 0.5)));
    if (rate > 0) row(&out, "GFLOP/s of this machine", tg_format_count(text, (int64_t)(rate / 1e9 + 0.5)));
    if (rate > 0 && o->steps > 0) row(&out, "time, at the least", tg_format_seconds(text, p.flops * (double)o->steps / rate));
    if (*chosen) row(&out, "chosen by data's size", chosen);
    s = out.failed ? TG_ENOMEM : tg_output(t->ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}
