/* advise_tell.c - what was found, for people and as JSON, and the commands. advice.json holds no times, so it is the same bytes
 * for any machine that computes the same; --json has them beside. */
#include "run/tune/advise.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "run/result.h"
#include "run/select.h"

#include <math.h>
#include <string.h>

enum { ROWS = 6 };
static const double MANY_DEAD = 0.2, MANY_FLAT = 0.9; /* shares; gates that are open or shut do their work */

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static void add_option(tg_str *out, const char *key, const char *value)
{
    tg_str_add(out, " --");
    for (const char *c = key; *c; c++) tg_str_add_n(out, *c == '_' ? "-" : c, 1);
    tg_str_addf(out, " %s", value);
}

static void add_number(tg_str *out, const char *key, double x)
{
    char text[32];
    tg_format_real(text, x);
    add_option(out, key, text);
}

tg_status tg_advice_command(const tg_advice *a, const tg_promise *p, tg_str *out)
{
    const double times = p->share * p->passes;
    const bool collect = p->lever == TG_LEVER_DATA && a->run_share > 0.5;
    const struct { const char *key; bool is_set; } lifted[] = {{"until", a->until}, {"time", a->time}, {"target", a->target},
                                                               {"patience", a->patience}};
    tg_str config = {0}, applied = {0};
    tg_str_addf(&config, "%s/config.json", a->o->run);
    tg_str_addf(&applied, "%s/applied", a->out);
    tg_str_add(out, "gen-train --config ");
    if (!config.failed) tg_str_add_word(out, config.data);
    if (a->o->data || collect) {
        tg_str_add(out, " --data ");
        tg_str_add_word(out, collect ? a->o->more ? a->o->more : "MORE.safetensors" : a->o->data);
    }
    if (p->share > 1) add_number(out, "train_share", collect ? 1 : fmin(1, a->run_share * p->share));
    if (!a->desc->learner && (times > 1 || a->steps != a->said_steps))
        add_number(out, "steps", floor((double)a->steps * times + 0.5));
    for (size_t i = 0; i < sizeof lifted / sizeof *lifted; i++)
        if (lifted[i].is_set) add_option(out, lifted[i].key, "0");
    for (int i = 0; i < p->changes; i++) add_option(out, p->change[i].key, p->change[i].value);
    tg_str_add(out, " -o ");
    if (!applied.failed) tg_str_add_word(out, applied.data);
    const bool failed = config.failed || applied.failed || out->failed;
    tg_str_free(&config);
    tg_str_free(&applied);
    return failed ? TG_ENOMEM : TG_OK;
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

static void add_fixed(tg_str *out, const char *before, double x, const char *behind)
{
    tg_str_add(out, before);
    if (isnan(x)) tg_str_add(out, "?");
    else tg_str_add_fixed(out, x, 4);
    tg_str_add(out, behind);
}

static void add_rate(tg_str *out, const char *before, double x)
{
    char text[32];
    double scale = 1;
    tg_str_add(out, before);
    while (x > 0 && x * scale < 10) scale *= 10;
    tg_format_real(text, isnan(x) ? x : floor(x * scale + 0.5) / scale);
    tg_str_add(out, isnan(x) ? "nowhere" : text);
}

static void add_percent(tg_str *out, double share)
{
    tg_str_add_fixed(out, 100 * share, 1);
    tg_str_add(out, " %");
}

static void tell_head(const tg_advice *a, tg_str *out)
{
    char params[32], items[32], steps[32];
    tg_str_addf(out, "%s: %s of %s parameters on %s training %s", a->o->run, a->desc->name, tg_format_count(params, a->params),
                tg_format_count(items, tg_dataset_count(a->data, TG_TRAIN)), tg_words_of(a->kind)->items);
    if (!a->desc->learner) tg_str_addf(out, ", %s steps", tg_format_count(steps, a->steps));
    if (a->measurable) add_fixed(out, "; validation loss ", a->val, " nats");
    tg_str_add(out, "\n\n");
}

static void tell_fit(const tg_advice *a, tg_str *out)
{
    const bool gap = a->gap.low > 0.02 * fabs(a->val), falls = a->falling > 0.005 * fabs(a->val);
    if (a->desc->learner) return;
    add_fixed(out, "fit       training ", a->train, "");
    add_fixed(out, ", validation ", a->val, "");
    add_fixed(out, "; gap ", a->val - a->train, "");
    add_fixed(out, " (95 %: ", a->gap.low, "");
    add_fixed(out, " to ", a->gap.high, ")");
    tg_str_addf(out, "; best after step %lld of %lld", (long long)a->best_step, (long long)a->steps);
    if (!isnan(a->falling))
        add_fixed(out, a->falling >= 0 ? ", fell by " : ", rose by ", fabs(a->falling), " over the last fifth");
    const char *says = "no over-fitting, and the loss has levelled off: this is what such a model can do";
    if (isnan(a->falling)) says = "no over-fitting; too few evaluations to tell whether the loss still falls";
    if (falls) says = "under-fitting: training and validation agree and still fall: more steps, a better rate or a larger model";
    if (gap) says = "it knows its training data better than others: more of them, or more regularisation, would narrow the gap";
    if (a->overfits) says = "over-fitting: it learned by heart from there on; the best weights were kept";
    tg_str_addf(out, "\n          -> %s\n", says);
}

static void tell_range(const tg_advice *a, tg_str *out)
{
    add_rate(out, "rate      ", a->lr);
    add_rate(out, "; in a range test the loss falls fastest at ", a->steepest);
    add_rate(out, ", blows up at ", a->blows_up);
    add_rate(out, ", so about ", a->suggested);
    tg_str_addf(out, " is worth trying\n          -> %s\n", isnan(a->suggested) ? "the test says nothing: the loss never fell"
                : a->lr > a->blows_up ? "the run's rate is where training breaks down"
                : a->lr > 3 * a->suggested ? "the run's rate may be too high"
                : a->lr < a->suggested / 3 ? "the run's rate may be too low" : "the run's rate is in order");
}

static void tell_noise(const tg_advice *a, tg_str *out)
{
    const char *items = tg_words_of(a->kind)->items;
    char noise[32], batch[32], big[32];
    const double step = (double)a->step_items;
    tg_format_count(big, a->noise_big);
    if (isinf(a->noise)) tg_str_addf(out, "batch     the gradient is lost in its noise even over %s %s", big, items);
    else tg_str_addf(out, "batch     gradient noise scale about %s %s (simple; of %s)",
                     tg_format_count(noise, (int64_t)(a->noise + 0.5)), items, big);
    const char *says = "batch and noise go together";
    if (a->noise > 8 * step) says = "steps are mostly noise here: a larger --batch or --accum would let the last steps find more";
    if (a->noise < step / 8) says = "steps are averaged over more than they need: a smaller --batch would be as good, and faster";
    tg_str_addf(out, "; a step takes %s\n          -> %s\n", tg_format_count(batch, a->step_items), says);
}

static void tell_units(const tg_advice *a, tg_str *out)
{
    bool alarm = false, any = false;
    for (int i = 0; i < a->units; i++) {
        const tg_unit_group *g = &a->unit[i];
        const double share = g->gated ? (double)g->saturated / (double)g->seen : (double)g->dead / (double)g->units;
        if (!g->gated && g->dead == 0) continue;
        char count[32], all[32];
        tg_str_add(out, any ? "          " : "units     ");
        any = true;
        alarm = alarm || share > (g->gated ? MANY_FLAT : MANY_DEAD);
        if (g->gated) {
            add_percent(out, share);
            tg_str_addf(out, " of %s (op %d) near its ends\n", g->what, g->place);
        } else {
            tg_str_addf(out, "%s of %s units behind op %d never active\n", tg_format_count(count, g->dead),
                        tg_format_count(all, g->units), g->place);
        }
    }
    if (a->units == 0) tg_str_add(out, "units     no activation whose units could die or sit at an end\n");
    else if (!any) tg_str_add(out, "units     none is dead\n");
    tg_str_addf(out, "          -> %s\n", !alarm ? "in order"
                : "many: no gradient reaches them; a lower rate, or fewer units, would use them better");
}

static void tell_time(const tg_advice *a, tg_str *out)
{
    char shape[96];
    const tg_profile *p = a->profile;
    if (!p || a->profile_steps < 1 || a->profile_seconds <= 0) return;
    tg_str_add(out, "time      ");
    tg_str_add_fixed(out, 1e3 * a->profile_seconds / (double)a->profile_steps, 2);
    tg_str_add(out, " ms a step; of it:\n");
    for (int i = 0; i < p->count && i < ROWS; i++) {
        const tg_profile_row *r = &p->rows[i];
        tg_str_add(out, "          ");
        add_percent(out, r->seconds / a->profile_seconds);
        tg_str_addf(out, " %s%s%s", r->name, *r->pass ? " " : "", r->pass);
        if (r->shape.rank > 0) tg_str_addf(out, " %s", tg_shape_text(&r->shape, shape));
        if (a->peak > 0 && r->flops > 0) {
            tg_str_add(out, ", at ");
            add_percent(out, r->flops / r->seconds / a->peak);
            tg_str_add(out, " of what products reach");
        }
        tg_str_add(out, "\n");
    }
    const double share = a->peak > 0 ? a->step_flops * (double)a->profile_steps / a->profile_seconds / a->peak : NAN;
    if (isnan(share)) return;
    tg_str_add(out, "          -> the whole step reaches ");
    add_percent(out, share);
    tg_str_addf(out, ": %s\n", share < 0.3 ? "small products; a larger --batch costs less than in proportion" : "well used");
}

static void tell_curve(const tg_advice *a, tg_str *out)
{
    tg_str_add(out, "data      ");
    for (int i = 0; i < a->curve; i++) {
        const tg_probe *t = &a->trial[i];
        tg_str_add_real(out, t->share);
        add_fixed(out, " of them ", t->loss, ", ");
    }
    add_fixed(out, "all ", a->val, "\n");
    if (isnan(a->doubling.loss)) {
        tg_str_add(out, "          -> too few data for a learning curve\n");
        return;
    }
    add_fixed(out, "          -> L(n) = ", a->doubling.law.floor, " + ");
    add_fixed(out, "", a->doubling.law.a, " n^-");
    add_fixed(out, "", a->doubling.law.b, ", n in units of these data and the passes over them the same;\n");
    add_fixed(out, "             twice as many would give ", a->doubling.loss, "");
    add_fixed(out, " (95 %: ", a->doubling.low, "");
    add_fixed(out, " to ", a->doubling.high, ")\n");
}

static void tell_sizes(const tg_advice *a, tg_str *out)
{
    char params[32];
    if (isnan(a->size_law.a)) return;
    tg_str_add(out, "size      ");
    for (int k = -1; k <= 1; k += 2)
        for (int i = a->curve; i < a->trials; i++) {
            const tg_probe *t = &a->trial[i];
            if (!t->wider || t->wider != k) continue;
            tg_str_addf(out, "%s %s (%s parameters)", t->change[0].key, t->change[0].value, tg_format_count(params, t->params));
            add_fixed(out, ": ", t->loss, k < 0 ? ", " : "\n");
            if (k < 0) tg_str_addf(out, "%lld (%s) as below, ", (long long)a->width, tg_format_count(params, a->params));
        }
    add_fixed(out, "          -> by the law through them four times the width would give ", tg_power_at(&a->size_law, 4), "\n");
}

static void tell_trials(const tg_advice *a, tg_str *out)
{
    char share[32];
    const tg_probe *same = tg_advice_trial(a, "the same", a->share);
    tg_format_real(share, a->share);
    tg_str_addf(out, "changes   tried on %s of the data: ", share);
    add_fixed(out, "as it was ", a->share < 1 ? same ? same->loss : (double)NAN : a->val, "\n");
    for (int i = a->curve; i < a->trials; i++) {
        const tg_probe *t = &a->trial[i];
        tg_str_addf(out, "          %s", t->what);
        for (int k = 0; k < t->changes; k++) add_option(out, t->change[k].key, t->change[k].value);
        if (isnan(t->loss)) tg_str_addf(out, ": %s\n", t->message ? t->message : "no loss");
        else add_fixed(out, ": ", t->loss, "\n");
    }
}

static tg_status tell_verdict(const tg_advice *a, tg_str *out)
{
    tg_str command = {0};
    double most = -INFINITY;
    tg_status s = TG_OK;
    if (a->promises == 0) {
        tg_str_add(out, "\nno lever can be named: none of the short trainings came to a loss; a larger --effort tries them on more of "
                        "the data\n");
        return TG_OK;
    }
    tg_str_addf(out, "\n%-24s %-13s %10s %10s\n", "what", "lever", "loss then", "its gain");
    for (int i = 0; i < a->promises; i++) {
        const tg_promise *p = &a->promise[i];
        tg_str loss = {0}, gain = {0};
        tg_str_add_fixed(&loss, p->loss, 4);
        tg_str_add_fixed(&gain, p->gain, 4);
        if (loss.failed || gain.failed) s = TG_ENOMEM;
        else tg_str_addf(out, "%-24s %-13s %10s %10s%s\n", p->what, tg_lever_name(p->lever), loss.data, gain.data,
                         i == a->chosen ? "  <" : "");
        most = p->gain > most ? p->gain : most;
        tg_str_free(&loss);
        tg_str_free(&gain);
    }
    if (a->chosen < 0) {
        tg_str_add(out, "\ngood: nothing that was tried promises more than ");
        tg_str_add_fixed(out, a->o->least * fabs(a->val), 4);
        add_fixed(out, " nats (the most: ", most, ")\n");
        return s;
    }
    const tg_promise *p = &a->promise[a->chosen];
    if (!s) s = tg_advice_command(a, p, &command);
    tg_str_addf(out, "\nadvice: %s (%s)", tg_lever_name(p->lever), p->what);
    add_fixed(out, ": validation loss ", p->loss, "");
    if (!isnan(p->low)) add_fixed(out, " (95 %: ", p->low, "");
    if (!isnan(p->low)) add_fixed(out, " to ", p->high, ")");
    add_fixed(out, " in place of ", a->val, "\n");
    if (p->lever == TG_LEVER_DATA && a->run_share > 0.5)
        tg_str_add(out, "  gen-collect SOURCES... -o more; gen-preprocess OLD more -o MORE.safetensors # with the options of before\n");
    tg_str_addf(out, "  %s\n", command.data ? command.data : "");
    tg_str_free(&command);
    return s;
}

static tg_status tell_text(const tg_advice *a, tg_str *out)
{
    tell_head(a, out);
    if (a->measurable) tell_fit(a, out);
    if (a->range_count) tell_range(a, out);
    if (!isnan(a->noise)) tell_noise(a, out);
    if (!a->desc->learner) tell_units(a, out);
    tell_time(a, out);
    if (!a->measurable) {
        tg_str_addf(out, "\nno lever can be named: a %s has no validation loss, so rates, data and sizes cannot be compared by "
                         "short\ntrainings; compare samples: gen-evaluate %s\n", a->desc->name, a->o->run);
        return TG_OK;
    }
    tell_curve(a, out);
    tell_sizes(a, out);
    tell_trials(a, out);
    return tell_verdict(a, out);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static void put_interval(tg_json_writer *w, const char *key, double low, double high)
{
    tg_json_key(w, key);
    tg_json_open(w, '[');
    tg_json_put_real(w, low);
    tg_json_put_real(w, high);
    tg_json_close(w, ']');
}

static void put_changes(tg_json_writer *w, const tg_change *change, int count)
{
    tg_json_key(w, "changes");
    tg_json_open(w, '{');
    for (int i = 0; i < count; i++) {
        tg_json_key(w, change[i].key);
        tg_json_put_raw(w, change[i].value);
    }
    tg_json_close(w, '}');
}

static void put_measurements(const tg_advice *a, tg_json_writer *w)
{
    tg_json_member_real(w, "train_loss", a->train);
    put_interval(w, "gap", a->gap.low, a->gap.high);
    tg_json_member_int(w, "best_step", a->best_step);
    tg_json_member_real(w, "fell", a->falling);
    tg_json_key(w, "over_fits");
    tg_json_put_bool(w, a->overfits);
    tg_json_member_real(w, "lr", a->lr);
    tg_json_member_real(w, "lr_steepest", a->steepest);
    tg_json_member_real(w, "lr_blows_up", a->blows_up);
    tg_json_member_real(w, "lr_suggested", a->suggested);
    tg_json_key(w, "range_test");
    tg_json_open(w, '[');
    for (int i = 0; i < a->range_count; i++) {
        tg_json_open(w, '[');
        tg_json_put_real(w, a->range_rate[i]);
        tg_json_put_real(w, a->range_loss[i]);
        tg_json_close(w, ']');
    }
    tg_json_close(w, ']');
    tg_json_member_real(w, "noise_scale", a->noise);
    tg_json_member_int(w, "step_items", a->step_items);
    tg_json_key(w, "units");
    tg_json_open(w, '[');
    for (int i = 0; i < a->units; i++) {
        const tg_unit_group *g = &a->unit[i];
        tg_json_open(w, '{');
        tg_json_member_text(w, "what", g->what);
        tg_json_member_int(w, "op", g->place);
        tg_json_member_int(w, "units", g->units);
        tg_json_member_real(w, "dead", g->gated ? (double)NAN : (double)g->dead / (double)g->units);
        tg_json_member_real(w, "saturated", g->gated ? (double)g->saturated / (double)g->seen : (double)NAN);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

static void put_law(tg_json_writer *w, const char *key, const tg_power *law)
{
    tg_json_key(w, key);
    tg_json_open(w, '{');
    tg_json_member_real(w, "floor", law->floor);
    tg_json_member_real(w, "a", law->a);
    tg_json_member_real(w, "b", law->b);
    tg_json_close(w, '}');
}

static void put_trials(const tg_advice *a, tg_json_writer *w)
{
    tg_json_key(w, "trials");
    tg_json_open(w, '[');
    for (int i = 0; i < a->trials; i++) {
        const tg_probe *t = &a->trial[i];
        tg_json_open(w, '{');
        tg_json_member_text(w, "what", t->what);
        tg_json_member_real(w, "share", t->share);
        tg_json_member_real(w, "passes", t->passes);
        put_changes(w, t->change, t->changes);
        tg_json_member_real(w, "val_loss", t->loss);
        tg_json_member_real(w, "params", t->params < 0 ? (double)NAN : (double)t->params);
        tg_json_member_text(w, "failed", t->message);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
    if (!isnan(a->doubling.loss)) put_law(w, "law", &a->doubling.law);
    if (!isnan(a->size_law.a)) put_law(w, "size_law", &a->size_law);
}

static tg_status put_promises(const tg_advice *a, tg_json_writer *w)
{
    tg_str command = {0};
    tg_status s = TG_OK;
    tg_json_key(w, "promises");
    tg_json_open(w, '[');
    for (int i = 0; i < a->promises && !s; i++) {
        const tg_promise *p = &a->promise[i];
        tg_str_clear(&command);
        s = tg_advice_command(a, p, &command);
        tg_json_open(w, '{');
        tg_json_member_text(w, "lever", tg_lever_name(p->lever));
        tg_json_member_text(w, "what", p->what);
        tg_json_member_real(w, "val_loss", p->loss);
        put_interval(w, "interval", p->low, p->high);
        tg_json_member_real(w, "gain", p->gain);
        put_changes(w, p->change, p->changes);
        tg_json_member_text(w, "command", command.data);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
    tg_str_free(&command);
    return s;
}

static tg_status put_advice(const tg_advice *a, tg_json_writer *w)
{
    tg_json_member_text(w, "run", a->o->run);
    tg_json_member_text(w, "model", a->desc->name);
    tg_json_member_text(w, "model_sha256", a->hash);
    tg_json_member_int(w, "params", a->params);
    tg_json_member_int(w, "steps", a->steps);
    tg_json_member_real(w, "val_loss", a->val);
    if (!a->desc->learner) put_measurements(a, w);
    put_trials(a, w);
    tg_status s = put_promises(a, w);
    const tg_promise *p = a->chosen < 0 ? NULL : &a->promise[a->chosen];
    tg_json_member_text(w, "verdict", a->promises == 0 ? "unknown" : p ? tg_lever_name(p->lever) : "good");
    tg_json_member_text(w, "advice", p ? p->what : NULL);
    tg_json_member_real(w, "predicted", p ? p->loss : (double)NAN);
    return s;
}

static void put_times(const tg_advice *a, tg_json_writer *w)
{
    char shape[96];
    if (!a->profile) return;
    tg_json_member_real(w, "gflops_of_products", a->peak / 1e9);
    tg_json_member_real(w, "step_ms", a->profile_steps ? 1e3 * a->profile_seconds / (double)a->profile_steps : (double)NAN);
    tg_json_key(w, "profile");
    tg_json_open(w, '[');
    for (int i = 0; i < a->profile->count; i++) {
        const tg_profile_row *r = &a->profile->rows[i];
        tg_json_open(w, '{');
        tg_json_member_text(w, "op", r->name);
        tg_json_member_text(w, "pass", r->pass);
        tg_json_member_text(w, "shape", r->shape.rank > 0 ? tg_shape_text(&r->shape, shape) : NULL);
        tg_json_member_real(w, "share", a->profile_seconds > 0 ? r->seconds / a->profile_seconds : (double)NAN);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

static tg_status write_advice(const tg_advice *a)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    char *path = tg_path_join(a->out, "advice.json");
    tg_json_open(&w, '{');
    tg_status s = put_advice(a, &w);
    tg_json_close(&w, '}');
    tg_str_add(&out, "\n");
    if (!s && (!path || out.failed)) s = TG_ENOMEM;
    if (!s) s = tg_write_file(path, out.data, out.length);
    tg_str_free(&out);
    tg_free(path);
    return s;
}

tg_status tg_advice_tell(tg_advice *a)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_status s = write_advice(a);
    if (s) return s;
    if (a->o->json) {
        tg_result_begin(&w, "gen-tune", a->out, 0, tg_now() - a->began);
        s = put_advice(a, &w);
        put_times(a, &w);
        const tg_status ended = tg_result_end(a->ctx, &w);
        return s ? s : ended;
    }
    s = tell_text(a, &out);
    if (!s) s = out.failed ? TG_ENOMEM : tg_output(a->ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}
