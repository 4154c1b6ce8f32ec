/* turns.c - training in turns: passes over the tape, each of which moves some of the parameters; and a step of any model on paper. */
#include <math.h>

#include "base/alloc.h"
#include "tinygen/model.h"

enum { PASSES = 256 }; /* of one step at most, each with noise of its own: a GAN's 50 updates of D are three each, and G's is one */

void tg_turns_start(tg_turns *u, int64_t step, double lr)
{
    u->step = step;
    u->lr = lr;
    u->passes = u->items = 0;
    u->flops = 0;
    u->diverged = false;
    u->loss = u->grad_norm = NAN;
}

void tg_turns_free(tg_turns *u)
{
    if (!u) return;
    tg_free(u->room);
    tg_free(u);
}

tg_status tg_turns_batch(tg_turns *u, int64_t number, tg_batch *out)
{
    tg_status s = TG_OK;
    if (u->given) *out = *u->given;
    else s = tg_feed_batch(u->feed, number, out);
    if (!s) u->items += out->items;
    return s;
}

uint64_t tg_turns_stream(const tg_turns *u)
{
    return (uint64_t)u->step * PASSES + (uint64_t)u->passes;
}

void tg_turns_pass(tg_turns *u, uint32_t groups)
{
    tg_params_clear_grads(u->params);
    tg_tape_begin(u->tape, &(tg_tape_mode){.train = true, .plan = u->plan, .seed = u->seed, .groups = groups,
                                            .step = tg_turns_stream(u), .update = u->step});
    u->passes++;
}

float *tg_turns_room(tg_turns *u, int64_t floats)
{
    if (floats <= u->room_size) return u->room;
    tg_free(u->room);
    u->room = tg_alloc_array(floats, sizeof *u->room);
    u->room_size = u->room ? floats : 0;
    return u->room;
}

tg_status tg_turns_back(tg_turns *u, tg_tensor *loss)
{
    if (!loss) return tg_tape_status(u->tape);
    tg_status s = tg_tape_backward(u->tape, loss);
    u->flops += tg_tape_flops(u->tape) + tg_tape_backward_flops(u->tape);
    return s;
}

tg_status tg_turns_update(tg_turns *u, tg_tensor *loss, double rate, int64_t number)
{
    tg_status s = tg_turns_back(u, loss);
    if (s || u->plan) return s;
    u->loss = (double)loss->data[0];
    u->grad_norm = isfinite(u->loss) ? tg_grad_norm(u->ctx, u->params) : (double)NAN;
    u->diverged = !isfinite(u->grad_norm);
    if (u->diverged) return tg_fail(TG_EINVAL, "the loss or its gradient is not finite");
    tg_optim_step(u->optim, u->lr * rate, tg_clip_scale(u->grad_norm, u->clip), number);
    return TG_OK;
}

tg_status tg_model_plan(tg_context *ctx, tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out,
                        tg_step_cost *cost)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    if (desc->step) {
        tg_turns u = {.ctx = ctx, .params = tg_model_params(m), .tape = t, .given = batch, .plan = true, .base_lr = 1};
        tg_turns_start(&u, 0, 1);
        tg_status s = desc->step(m, &u, out);
        *cost = (tg_step_cost){.flops = u.flops, .bytes = u.room_size * (int64_t)sizeof *u.room};
        tg_free(u.room);
        return s;
    }
    tg_tape_begin(t, &(tg_tape_mode){.train = true, .plan = true});
    tg_tensor *loss = desc->loss(m, t, batch, carry, out);
    tg_status s = loss ? tg_tape_backward(t, loss) : tg_tape_status(t);
    *cost = (tg_step_cost){.flops = tg_tape_flops(t) + tg_tape_backward_flops(t)};
    return s;
}
