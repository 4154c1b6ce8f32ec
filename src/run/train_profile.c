/* train_profile.c - gen-train --profile: time, share and rate of every op, for people and in result.json. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/str.h"

#include <math.h>

void tg_training_start_profile(tg_training *t)
{
    if (!t->o->profile || t->profile) return;
    t->profile = tg_alloc(sizeof *t->profile); /* without memory there is none */
    tg_loop_profile(t->loop, t->profile);
}

static void add_padded(tg_str *out, int64_t width, double x, int decimals)
{
    tg_str number = {0};
    if (!isnan(x)) tg_str_add_fixed(&number, x, decimals);
    for (int64_t i = number.length; i < width; i++) tg_str_add(out, " ");
    if (number.data) tg_str_add(out, number.data);
    tg_str_free(&number);
}

/* Milliseconds a step, share of the step, GFLOP/s, and what it was. */
static void tell_row(const tg_training *t, const tg_profile_row *r, double steps, double total)
{
    char shape[96];
    tg_str line = {0};
    add_padded(&line, 9, 1e3 * r->seconds / steps, 3);
    add_padded(&line, 7, 100 * r->seconds / total, 1);
    tg_str_add(&line, " %");
    add_padded(&line, 9, r->flops > 0 ? r->flops / r->seconds / 1e9 : NAN, 1);
    tg_str_addf(&line, "  %s%s%s", r->name, *r->pass ? " " : "", r->pass);
    if (r->shape.rank > 0) tg_str_addf(&line, " %s", tg_shape_text(&r->shape, shape));
    if (!line.failed) tg_log(t->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_free(&line);
}

void tg_training_tell_profile(tg_training *t)
{
    const double total = t->step_seconds;
    const int64_t steps = t->session_steps - TG_WARM_STEPS;
    double known = 0;
    if (t->o->profile && steps < 1)
        tg_log(t->ctx, TG_LOG_WARN, "--profile leaves the first %d steps out, and there were no more; give --steps 50 or so",
               (int)TG_WARM_STEPS);
    if (!t->profile || steps < 1 || total <= 0) return;
    tg_profile_sort(t->profile);
    tg_log(t->ctx, TG_LOG_INFO, "profile of %lld steps (the first %d are left out):", (long long)steps, (int)TG_WARM_STEPS);
    tg_log(t->ctx, TG_LOG_INFO, "  ms/step    share  GFLOP/s  op, pass, shape of its result");
    for (int i = 0; i < t->profile->count; i++) {
        tell_row(t, &t->profile->rows[i], (double)steps, total);
        known += t->profile->rows[i].seconds;
    }
    const tg_profile_row rest = {.name = "all else", .pass = "", .seconds = total > known ? total - known : 0};
    tell_row(t, &rest, (double)steps, total);
}

void tg_training_put_profile(const tg_training *t, tg_json_writer *w)
{
    char shape[96];
    if (!t->profile) return;
    tg_json_key(w, "profile");
    tg_json_open(w, '[');
    for (int i = 0; i < t->profile->count; i++) {
        const tg_profile_row *r = &t->profile->rows[i];
        tg_json_open(w, '{');
        tg_json_member_text(w, "op", r->name);
        tg_json_member_text(w, "pass", r->pass);
        tg_json_member_text(w, "shape", r->shape.rank > 0 ? tg_shape_text(&r->shape, shape) : NULL);
        tg_json_member_int(w, "calls", r->calls);
        tg_json_member_real(w, "seconds", r->seconds);
        tg_json_member_real(w, "flops", r->flops);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}
