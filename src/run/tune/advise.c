/* advise.c - gen-tune advise: a trained run -> what would help it most, by measurements. */
#include "run/tune/advise.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "run/defaults.h"
#include "run/freeze.h"
#include "run/kept.h"

#include <math.h>
#include <string.h>

enum { MOST_CONFIG = 1 << 26 };
static const double LOSS_NOISE = 0.004;           /* of a loss: what another seed changes it by, about */
/* By what share of the loss a law may miss: with less the interval would not have held all of the eighteen losses that were measured
 * on twice the data (docs/tune.md has some). */
static const double LAW_MISS = 0.04;
static const double EFFORT_FLOPS = 2e12, MOST_EFFORT = 10; /* a minute of one core; of small runs more is worth it */

const tg_key tg_advise_keys[] = {
    TG_TEXT(tg_advise_options, run, 0, NULL, "RUN", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NAME,
            "run folder to be advised on"),
    TG_TEXT(tg_advise_options, data, 0, NULL, "FILE", 0, "its dataset, where that has moved"),
    TG_TEXT(tg_advise_options, out, 'o', "advice", "FOLDER", TG_KEY_NAME,
            "folder of advice.json and the short trainings; goes on there"),
    TG_REAL(tg_advise_options, effort, 0, "0", 0, 1000, TG_KEY_AUTO,
            "how much to train for it, in trainings like the run; 0: 1, of small runs up to 10"),
    TG_TIME(tg_advise_options, budget, 0, NULL, 0, "the same in time, by what the run took; 0: as --effort says"),
    TG_REAL(tg_advise_options, least, 0, "0.02", 0, 1, 0,
            "what lowers the loss by less than this share of it is not worth advising"),
    TG_SWITCH(tg_advise_options, apply, 0, NULL, 0, "train what is advised, into the folder's applied/"),
    TG_TEXT(tg_advise_options, more, 0, NULL, "FILE", 0, "for --apply: a dataset of about twice the data"),
    TG_SWITCH(tg_advise_options, force, 0, NULL, TG_KEY_NO_CONFIG, "replace advice on another run, and what was applied"),
    TG_KEYS_END
};

/* ---- the run ------------------------------------------------------------------------------------------------------- */

tg_status tg_setup_open(tg_advice *a, tg_setup *s)
{
    *s = (tg_setup){0};
    s->config = tg_alloc(a->desc->config_size);
    tg_status status = s->config ? tg_keys_new(&s->keys) : TG_ENOMEM;
    if (!status) status = tg_keys_add(s->keys, "Training", tg_train_keys, &s->o);
    if (!status) status = tg_keys_add(s->keys, "Model", a->desc->keys, s->config);
    if (!status) status = tg_keys_read_config(s->keys, a->config_path, a->config, a->config_length, NULL, TG_FROM_CONFIG);
    return status ? status : tg_keys_set(s->keys, "data", a->data_path, TG_FROM_FLAG);
}

void tg_setup_close(tg_setup *s)
{
    tg_keys_free(s->keys);
    tg_free(s->config);
    *s = (tg_setup){0};
}

/* What the run started from, where that was another model. */
static tg_status read_initial(tg_advice *a, const tg_setup *setup, tg_params *p)
{
    tg_trained *from = NULL;
    tg_status s = tg_trained_open(a->ctx, setup->o.init, false, &from);
    if (!s) s = setup->o.map_vocab ? tg_kept_read(from, a->data, p)
                                   : tg_weights_read(a->ctx, from->file, "", p, tg_params_values(p));
    tg_trained_close(from);
    return s ? tg_note("--init %s", setup->o.init) : TG_OK;
}

tg_status tg_advice_model(tg_advice *a, const tg_setup *setup, bool trained, tg_model **out)
{
    tg_status s = tg_model_new(a->ctx, a->desc, setup->config, &a->trained->data, (uint64_t)setup->o.seed, true, false, out);
    if (s) return s;
    tg_params *p = tg_model_params(*out);
    if (trained) s = tg_weights_read(a->ctx, a->trained->file, "", p, tg_params_values(p));
    else if (setup->o.init) s = read_initial(a, setup, p);
    return s ? s : tg_freeze(p, setup->o.freeze);
}

static tg_status read_config(tg_advice *a)
{
    if (tg_path_kind(a->o->run) != TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL, "%s: no run folder; advise looks at a whole run, its settings and its log", a->o->run);
    a->config_path = tg_path_join(a->o->run, "config.json");
    if (!a->config_path) return TG_ENOMEM;
    tg_status s = tg_file_slurp(a->config_path, MOST_CONFIG, &a->config, &a->config_length);
    if (!s && !a->o->data) s = tg_rundir_data(a->o->run, &a->data_path);
    else if (!s && !(a->data_path = tg_strdup(a->o->data))) s = TG_ENOMEM;
    return s;
}

/* A model's setting that makes it wider; none where the run began with another's weights. Its dropout, where that does anything: in
 * recurrent models it lies between layers. */
static void find_width(tg_advice *a, const tg_setup *s)
{
    static const char *const keys[] = {"dim", "hidden", "order"};
    int64_t layers = 2;
    a->dropout = NAN;
    for (const tg_key *k = a->desc->keys; k->type != TG_KEY_END_ROW; k++) {
        const char *field = (const char *)s->config + k->offset;
        if (!strcmp(k->name, "layers")) memcpy(&layers, field, sizeof layers);
        if (!strcmp(k->name, "dropout")) memcpy(&a->dropout, field, sizeof a->dropout);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            if (strcmp(k->name, keys[i]) || a->width_key || s->o.init) continue;
            a->width_key = k->name;
            memcpy(&a->width, field, sizeof a->width);
            a->width_most = (int64_t)k->high;
        }
    }
    if (layers < 2 && a->desc->carry && !a->desc->context) a->dropout = NAN;
}

static tg_status read_settings(tg_advice *a)
{
    tg_setup s = {0};
    tg_status status = tg_setup_open(a, &s);
    if (!status) {
        a->run_share = s.o.train_share;
        a->lr = s.o.lr;
        a->min_lr = s.o.min_lr;
        a->muon_lr = s.o.muon_lr;
        a->until = s.o.until > 0;
        a->time = s.o.time > 0;
        a->target = s.o.target > 0;
        a->patience = s.o.patience > 0;
        a->steps = a->said_steps = s.o.steps;
        find_width(a, &s);
        if (s.o.init) a->width_key = NULL; /* the model that it went on from is as wide as it is */
        status = tg_dataset_open(a->ctx, a->data_path, &a->data);
        if (status && !a->o->data) status = tg_note("the data of %s (--data says where they are now)", a->o->run);
    }
    if (!status) {
        tg_dataset_narrow(a->data, a->run_share);
        a->kind = tg_dataset_kind(a->data);
        a->step_items = a->desc->learner ? 0 : tg_step_items(&s.o, a->desc, s.config);
    }
    tg_setup_close(&s);
    return status;
}

/* What the log tells of validation: its last loss, and how much that is below what it was at four fifths of the steps. */
static tg_status read_log(tg_advice *a)
{
    char *path = tg_path_join(a->o->run, "log.jsonl"), *text = NULL;
    int64_t length = 0, last = 0;
    double before = NAN;
    tg_arena *arena = tg_arena_new(1 << 14);
    tg_status s = path && arena ? TG_OK : TG_ENOMEM;
    a->end_val = a->falling = NAN;
    if (!s && tg_path_kind(path) == TG_PATH_FILE) s = tg_file_slurp(path, INT64_C(1) << 32, &text, &length);
    for (char *at = text, *end; !s && at && (end = strchr(at, '\n')); at = end + 1) {
        const tg_json *line = NULL;
        double val = NAN;
        int64_t step = 0;
        tg_arena_rewind(arena, (tg_arena_mark){0});
        if (tg_json_parse(arena, path, at, end - at, &line) || !tg_json_int(line, "step", &step)) continue; /* a torn line */
        if (!tg_json_real(line, "val_loss", &val)) continue;
        if (5 * step <= 4 * a->steps) before = val;
        a->end_val = val;
        last = step;
    }
    if (!isnan(before) && 5 * last > 4 * a->steps) a->falling = before - a->end_val;
    tg_arena_free(arena);
    tg_free(text);
    tg_free(path);
    return s;
}

static tg_status read_model(tg_advice *a)
{
    char *bytes = NULL;
    int64_t length = 0;
    const tg_json *meta = tg_safetensors_meta(a->trained->file);
    const char *hash = tg_json_text(meta, "data");
    a->val = NAN;
    tg_json_int(meta, "step", &a->best_step);
    tg_json_real(meta, "val_loss", &a->val);
    const tg_model *m = a->trained->model;
    a->params = a->desc->learner ? a->desc->learner->count(m) : tg_params_elements(tg_model_params(m));
    if (!hash || strcmp(hash, tg_dataset_hash(a->data)))
        return tg_fail(TG_EINVAL, "%s was not trained on %s; give --data the dataset that it was trained on", a->o->run,
                       a->data_path);
    tg_status s = tg_file_slurp(a->trained->path, INT64_C(1) << 36, &bytes, &length);
    if (!s) tg_sha256_hex(bytes, length, a->hash);
    tg_free(bytes);
    return s;
}

/* How many steps there were: of a run that time or somebody ended, its result's. */
static tg_status read_result(tg_advice *a)
{
    char *path = tg_path_join(a->o->run, "result.json"), *text = NULL;
    int64_t length = 0;
    const tg_json *result = NULL;
    tg_arena *arena = tg_arena_new(4096);
    double seconds = NAN;
    tg_status s = path && arena ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) == TG_PATH_FILE) s = tg_file_slurp(path, MOST_CONFIG, &text, &length);
    if (!s && text) s = tg_json_parse(arena, path, text, length, &result);
    if (result) tg_json_int(result, "steps", &a->steps);
    if (result) tg_json_real(result, "seconds", &seconds);
    if (!s && a->steps < 1 && !a->desc->learner)
        s = tg_fail(TG_EINVAL, "%s has not ended, and does not say how many steps it is to take; finish it: "
                                "gen-train --resume -o %s",
                    a->o->run, a->o->run);
    if (!s && !result) tg_log(a->ctx, TG_LOG_WARN, "%s has not ended: this is about its best weights so far", a->o->run);
    if (!s && a->o->budget > 0 && seconds > 0) a->effort = a->o->budget / seconds;
    tg_arena_free(arena);
    tg_free(text);
    tg_free(path);
    return s;
}

static tg_status open_run(tg_advice *a)
{
    tg_status s = read_config(a);
    if (!s) s = tg_trained_open(a->ctx, a->o->run, true, &a->trained);
    if (s) return s;
    a->desc = a->trained->desc;
    s = read_settings(a);
    if (!s) s = read_model(a);
    if (!s) s = read_result(a);
    if (!s && !a->desc->learner) s = read_log(a);
    a->measurable = !a->desc->step;
    if (!s && a->measurable && (tg_dataset_count(a->data, TG_VAL) < 2 || isnan(a->val)))
        s = tg_fail(TG_EINVAL, "%s has no validation loss, by which alone advice is measured; gen-preprocess --val 0.1 "
                                "makes a split",
                    a->o->run);
    if (!s) a->overfits = a->best_step * 10 <= a->steps * 7 && a->end_val - a->val > 0.01 * fabs(a->val);
    return s;
}

/* ---- the folder ---------------------------------------------------------------------------------------------------- */

/* A run's or a study's folder is none for advice: a study has trials/ of its own. */
static tg_status check_folder(const tg_advice *a)
{
    static const char *const others[] = {"config.json", "study.json"};
    tg_status s = TG_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others && !s; i++) {
        char *path = tg_path_join(a->out, others[i]);
        if (!path) s = TG_ENOMEM;
        else if (tg_path_kind(path) == TG_PATH_FILE)
            s = tg_fail(TG_EINVAL, "%s is the folder of a %s; give advice another -o", a->out, i ? "study" : "run");
        tg_free(path);
    }
    return s;
}

/* run.json names the model that the trials there are about. */
static tg_status claim_folder(tg_advice *a, tg_lock **lock)
{
    char *about = tg_path_join(a->out, "run.json"), *guard = tg_path_join(a->out, "advise.lock");
    char *trials = tg_path_join(a->out, "trials"), *applied = tg_path_join(a->out, "applied"), *text = NULL;
    int64_t length = 0;
    tg_str now = {0};
    tg_str_addf(&now, "{\"model_sha256\": \"%s\", \"data\": \"%s\"}\n", a->hash, tg_dataset_hash(a->data));
    tg_status s = about && guard && trials && applied && !now.failed ? check_folder(a) : TG_ENOMEM;
    if (!s) s = tg_make_folder(a->out);
    if (!s) s = tg_lock_take(guard, lock);
    if (!s && tg_path_kind(about) == TG_PATH_FILE) s = tg_file_slurp(about, MOST_CONFIG, &text, &length);
    if (!s && text && strcmp(text, now.data)) {
        if (!a->o->force)
            s = tg_fail(TG_EINVAL, "%s holds advice on another run, or on other weights of this one; give another -o, "
                                    "or --force", a->out);
        if (!s && tg_path_kind(trials) == TG_PATH_FOLDER) s = tg_remove_tree(trials);
        if (!s && tg_path_kind(applied) == TG_PATH_FOLDER) s = tg_remove_tree(applied);
    }
    if (!s) s = tg_write_file(about, now.data, now.length);
    tg_str_free(&now);
    tg_free(text);
    tg_free(about);
    tg_free(guard);
    tg_free(trials);
    tg_free(applied);
    return s;
}

/* ---- what is promised ---------------------------------------------------------------------------------------------- */

static tg_promise *promise(tg_advice *a, tg_lever lever, const char *what, double loss)
{
    tg_promise *p = &a->promise[a->promises++];
    *p = (tg_promise){.lever = lever, .what = what, .loss = loss, .low = NAN, .high = NAN, .gain = a->val - loss,
                      .share = 1, .passes = 1};
    return p;
}

/* The same training on the share that changes are tried on; NaN: it cannot be. */
static double same_loss(const tg_advice *a)
{
    const tg_probe *same = tg_advice_trial(a, "the same", a->share);
    return a->share < 1 ? same ? same->loss : (double)NAN : a->val;
}

/* A loss that nothing is expected to fall below: a quarter less than the least that was seen. The floor of the learning curve is none:
 * another rate or size has one of its own. */
static double least_loss(const tg_advice *a)
{
    double least = a->val;
    for (int i = 0; i < a->trials; i++)
        if (a->trial[i].loss < least) least = a->trial[i].loss;
    return least - fabs(least) / 4;
}

/* What a trial on a share of the data says of the run: what is above that floor shrinks in proportion. */
static double foretold(const tg_advice *a, double loss)
{
    const double base = same_loss(a), floor = least_loss(a);
    return a->share < 1 ? floor + (a->val - floor) * (loss - floor) / (base - floor) : loss;
}

static void promise_changes(tg_advice *a)
{
    for (int i = a->curve; i < a->trials; i++) {
        const tg_probe *t = &a->trial[i];
        const double loss = foretold(a, t->loss);
        if (isnan(loss)) continue;
        tg_promise *p = promise(a, t->lever, t->what, loss);
        p->passes = t->passes;
        p->changes = t->changes;
        memcpy(p->change, t->change, sizeof p->change);
    }
}

static tg_status fit_curve(tg_advice *a)
{
    double n[TG_TRIALS], loss[TG_TRIALS];
    int count = 0;
    a->doubling.loss = NAN;
    for (int i = 0; i < a->curve; i++) {
        if (isnan(a->trial[i].loss)) continue;
        n[count] = a->trial[i].share;
        loss[count++] = a->trial[i].loss;
    }
    n[count] = 1;
    loss[count++] = a->val;
    if (count < 3) return TG_OK;
    const double of = fmax(fabs(a->val), loss[0] - a->val); /* a density's loss may be about 0 */
    return tg_power_double(n, loss, count, a->kind != TG_KIND_POINTS, LOSS_NOISE * of, LAW_MISS * of, &a->doubling);
}

/* Through half the width, the run's and twice it. */
static void fit_sizes(tg_advice *a)
{
    double n[3], loss[3];
    int count = 0;
    for (int k = -1; k <= 1; k++) {
        double at = k ? (double)NAN : same_loss(a);
        for (int i = a->curve; i < a->trials && k; i++)
            if (a->trial[i].lever == TG_LEVER_ARCHITECTURE && a->trial[i].wider == k) at = a->trial[i].loss;
        if (isnan(at)) return;
        n[count] = k < 0 ? 0.5 : k ? 2 : 1;
        loss[count++] = at;
    }
    tg_power_fit(n, loss, count, a->kind != TG_KIND_POINTS, &a->size_law);
}

/* More data are worth what they bring beyond longer training. */
static void promise_data(tg_advice *a)
{
    double others = fmin(a->val, a->doubling.level);
    if (isnan(a->doubling.loss)) return;
    for (int i = 0; i < a->promises; i++)
        if (a->promise[i].passes > 1 && a->promise[i].loss < others) others = a->promise[i].loss;
    tg_promise *p = promise(a, TG_LEVER_DATA, "twice the data", a->doubling.loss);
    p->low = a->doubling.low;
    p->high = a->doubling.high;
    p->gain = others - p->loss;
    p->share = 2;
}

/* ---- driving ------------------------------------------------------------------------------------------------------- */

static void choose_effort(tg_advice *a)
{
    const double seconds = a->step_seconds * (double)a->steps; /* of a run that has not ended, as its steps are now */
    if (a->o->budget > 0 && !(a->effort > 0) && seconds > 0) a->effort = a->o->budget / seconds;
    if (a->effort > 0) return; /* --budget */
    a->effort = a->o->effort;
    if (a->effort > 0) return;
    const double flops = a->step_flops * (double)a->steps;
    a->effort = flops > 0 ? EFFORT_FLOPS / flops : MOST_EFFORT;
    a->effort = a->effort < 1 ? 1 : a->effort > MOST_EFFORT ? MOST_EFFORT : a->effort;
}

static tg_status measure_all(tg_advice *a)
{
    tg_status s = TG_OK;
    if (a->measurable && !a->desc->learner) s = tg_advice_gap(a);
    if (!s && !a->desc->learner) s = tg_advice_look(a);
    if (!s && a->measurable && !a->desc->learner) s = tg_advice_range(a);
    if (s || !a->measurable) return s;
    if (a->profile_steps > 0) a->step_seconds = a->profile_seconds / (double)a->profile_steps;
    choose_effort(a);
    s = tg_advice_trials(a);
    if (s) return s;
    s = fit_curve(a);
    if (!a->desc->learner) fit_sizes(a);
    promise_changes(a);
    promise_data(a);
    a->chosen = tg_advise_decide(a->promise, a->promises, a->val, a->o->least);
    return s;
}

static tg_status apply(tg_advice *a)
{
    if (a->chosen < 0) return tg_fail(TG_EINVAL, "nothing is advised, so there is nothing to apply");
    if (a->promise[a->chosen].lever != TG_LEVER_DATA || a->run_share <= 0.5 || a->o->more) return tg_advice_apply(a);
    return tg_fail(TG_EINVAL, "more data are advised, and must be found first: collect about as much again with gen-collect, "
                              "preprocess old and new together, and give --apply --more FILE");
}

static void free_advice(tg_advice *a)
{
    for (int i = 0; i < a->units; i++) tg_free(a->unit[i].active);
    for (int i = 0; i < a->trials; i++) tg_free(a->trial[i].message);
    tg_trained_close(a->trained);
    tg_dataset_close(a->data);
    tg_free(a->profile);
    tg_free(a->config);
    tg_free(a->config_path);
    tg_free(a->data_path);
    tg_free(a->out);
    tg_free(a);
}

tg_status tg_advise(tg_context *ctx, const tg_advise_options *o)
{
    tg_lock *lock = NULL;
    tg_advice *a = tg_alloc(sizeof *a);
    if (!a) return TG_ENOMEM;
    *a = (tg_advice){.ctx = ctx, .o = o, .began = tg_now(), .chosen = -1, .out = tg_strdup(o->out), .noise = NAN,
                     .steepest = NAN, .blows_up = NAN, .suggested = NAN, .doubling = {.loss = NAN}, .size_law = {.a = NAN}};
    tg_status s = a->out ? open_run(a) : TG_ENOMEM;
    if (!s) s = claim_folder(a, &lock);
    if (!s) s = measure_all(a);
    if (!s) s = tg_advice_tell(a);
    if (!s && o->apply) s = apply(a);
    tg_lock_release(lock);
    free_advice(a);
    return s;
}
