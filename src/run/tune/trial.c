/* trial.c - gen-tune trial N: one trial of a study in this process, as far as its job says. What it is lies in trials/NNNN/config.json, so
 * this is gen-train --resume -o trials/NNNN, but that it waits for its folder and leaves failed.json where it fails. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "data/dataset.h"
#include "run/tune/objective.h"
#include "run/tune/study.h"

static const double nap = 0.05; /* seconds between two looks at a busy folder */

const tg_key tg_trial_keys[] = {
    TG_TEXT(tg_trial_options, number, 0, NULL, "N", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NO_CONFIG, "number of the trial"),
    TG_TEXT(tg_trial_options, out, 'o', ".", "STUDY", TG_KEY_NO_CONFIG | TG_KEY_NAME, "folder of the study"),
    TG_KEYS_END
};

typedef struct trial {
    tg_context *ctx;
    const char *study;             /* folder */
    int64_t number;
    char *folder;
    tg_arena *arena;
    const tg_json *spec, *job;     /* study.json, job.json */
} trial;

static tg_status put(const trial *t, const char *name, tg_str *text)
{
    char *path = tg_study_trial(t->study, t->number, name);
    tg_str_add(text, "\n");
    tg_status s = path && !text->failed ? tg_write_file(path, text->data, text->length) : TG_ENOMEM;
    tg_str_free(text);
    tg_free(path);
    return s;
}

/* Whatever another try could not mend is the trial's result; a model too large for the memory is. */
static tg_status put_failure(const trial *t, tg_status why)
{
    tg_str text = {0}, message = {0};
    tg_json_writer w = {.out = &text};
    if (why == TG_OK || why == TG_ECANCELLED || why == TG_EIO) return why;
    tg_str_add(&message, tg_error());
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "status", tg_trial_status_name(why == TG_EDIVERGED ? TG_TRIAL_DIVERGED : TG_TRIAL_FAILED));
    tg_json_member_text(&w, "message", message.data);
    tg_json_close(&w, '}');
    if (!message.failed && put(t, "failed.json", &text) == TG_OK) why = tg_fail(why, "%s", message.data);
    tg_str_free(&text);
    tg_str_free(&message);
    return why;
}

static tg_status wait_a_moment(const trial *t, bool *told)
{
    if (!*told) tg_log(t->ctx, TG_LOG_INFO, "%s; waiting", tg_error());
    *told = true;
    tg_nap(nap);
    return tg_cancelled(t->ctx) ? tg_fail(TG_ECANCELLED, "stopped while waiting for %s", t->folder) : TG_OK;
}

/* ---- an objective --------------------------------------------------------------------------------------------------------------- */

static tg_status find_space(const trial *t, const char *objective, tg_space **out)
{
    const tg_json *list = tg_json_get(t->spec, "space");
    const int64_t count = list && list->type == TG_JSON_ARRAY ? list->integer : 0;
    const char **items = tg_alloc_array(count + 1, sizeof *items);
    int64_t n = 0;
    if (!items) return TG_ENOMEM;
    for (const tg_json *i = count ? list->child : NULL; i; i = i->next) items[n++] = i->type == TG_JSON_TEXT ? i->text : "";
    tg_status s = tg_space_parse(items, n, NULL, objective, out);
    tg_free(items);
    return s;
}

static tg_status read_point(const trial *t, const tg_space *space, tg_point *out)
{
    const tg_json *at = tg_json_get(t->job, "at");
    if (!at || at->type != TG_JSON_ARRAY || at->integer != space->count)
        return tg_fail(TG_EFORMAT, "%s/job.json: no job of this study", t->folder);
    const tg_json *item = at->child;
    for (int i = 0; i < space->count; i++, item = item->next)
        out->at[i] = item->type == TG_JSON_INT || item->type == TG_JSON_REAL ? item->real : (double)NAN;
    return TG_OK;
}

static tg_status evaluate(const trial *t, const char *name)
{
    const tg_objective *objective = NULL;
    tg_space *space = NULL;
    tg_point point = {{0}};
    int64_t until = 0, steps = 0;
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    (void)tg_json_int(t->job, "until", &until);
    (void)tg_json_int(t->job, "steps", &steps);
    tg_status s = tg_objective_find(name, &objective);
    if (!s) s = find_space(t, name, &space);
    if (!s) s = read_point(t, space, &point);
    if (!s) {
        const bool whole = until == 0 || until >= steps;
        tg_json_open(&w, '{');
        tg_json_member_text(&w, "objective", name);
        tg_json_member_text(&w, "stopped", whole ? "steps" : "until");
        tg_json_member_int(&w, "steps", whole ? steps : until);
        tg_json_member_real(&w, "val_loss", objective->value(space, &point, whole ? 1 : (double)until / (double)steps));
        tg_json_close(&w, '}');
        s = put(t, "result.json", &text);
    }
    tg_space_free(space);
    return s;
}

/* One at a time, as of trainings. */
static tg_status evaluate_alone(const trial *t, const char *name)
{
    char *path = tg_study_trial(t->study, t->number, "run.lock");
    tg_lock *lock = NULL;
    bool told = false;
    tg_status s = path ? tg_lock_take(path, &lock) : TG_ENOMEM;
    while (s == TG_EBUSY) {
        s = wait_a_moment(t, &told);
        if (!s) s = tg_lock_take(path, &lock);
    }
    if (!s) s = evaluate(t, name);
    tg_lock_release(lock);
    tg_free(path);
    return s;
}

/* ---- a training ------------------------------------------------------------------------------------------------------------------ */

/* What the study says counts more than the run's own config.json: where the data are now, and how far. */
static tg_status set_from_study(const trial *t, tg_keys *keys)
{
    const char *data = tg_json_text(t->spec, "data"), *strategy = tg_json_text(t->spec, "strategy");
    int64_t until = 0;
    tg_str text = {0};
    tg_status s = data ? tg_keys_set(keys, "data", data, TG_FROM_FLAG) : TG_OK;
    if (s || !strategy || strcmp(strategy, "asha")) return s;
    (void)tg_json_int(t->job, "until", &until);
    tg_str_addf(&text, "%lld", (long long)until);
    s = text.failed ? TG_ENOMEM : tg_keys_set(keys, "until", text.data, TG_FROM_FLAG);
    tg_str_free(&text);
    return s;
}

static tg_status train_once(const trial *t)
{
    tg_train_options o = {0};
    tg_keys *keys = NULL;
    const tg_model_desc *desc = NULL;
    void *config = NULL;
    tg_status s = tg_keys_new(&keys);
    if (!s) s = tg_keys_add(keys, "training", tg_train_keys, &o);
    o.out = t->folder;
    o.resume = true;
    if (!s) s = tg_train_model(&o, &desc);
    if (!s && !desc) s = tg_fail(TG_EFORMAT, "%s/config.json names no model", t->folder);
    if (!s) config = tg_alloc(desc->config_size);
    if (!s && !config) s = TG_ENOMEM;
    if (!s) s = tg_keys_add(keys, desc->title, desc->keys, config);
    if (!s) s = set_from_study(t, keys);
    if (!s) s = tg_train(t->ctx, &o, config, keys);
    tg_keys_free(keys);
    tg_free(config);
    return s;
}

/* Data that are gone, or others by now, are no trial's failure. */
static tg_status check_data(const trial *t)
{
    const char *path = tg_json_text(t->spec, "data"), *hash = tg_json_text(t->spec, "data_hash");
    tg_dataset *d = NULL;
    if (!path || !hash) return tg_fail(TG_EFORMAT, "%s/study.json names no data", t->study);
    tg_status s = tg_dataset_open_within(path, 0, &d);
    if (!s && strcmp(hash, tg_dataset_hash(d)))
        s = tg_fail(TG_EINVAL, "%s holds other data than the study's, whose hash is %.64s; bring those back, or begin another study",
                    path, hash);
    tg_dataset_close(d);
    return s;
}

static tg_status train(const trial *t)
{
    bool told = false;
    tg_status s = train_once(t);
    while (s == TG_EBUSY) {
        s = wait_a_moment(t, &told);
        if (!s) s = train_once(t);
    }
    return s;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------- */

/* One that failed before stays so. */
static tg_status failed_already(const trial *t)
{
    const tg_json *failed = NULL;
    tg_status s = tg_study_read(t->arena, tg_study_trial(t->study, t->number, "failed.json"), &failed);
    const char *message = tg_json_text(failed, "message");
    return s || !failed ? s : tg_fail(TG_EINVAL, "it failed before: %s", message ? message : "nobody knows why");
}

static tg_status run(trial *t)
{
    t->folder = tg_study_trial(t->study, t->number, NULL);
    t->arena = tg_arena_new(4096);
    if (!t->folder || !t->arena) return TG_ENOMEM;
    if (tg_path_kind(t->folder) != TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL, "%s: there is no such trial; gen-tune search -o %s makes them", t->folder, t->study);
    tg_status s = tg_study_read(t->arena, tg_path_join(t->study, "study.json"), &t->spec);
    if (!s) s = tg_study_read(t->arena, tg_study_trial(t->study, t->number, "job.json"), &t->job);
    if (!s && (!t->spec || !t->job)) s = tg_fail(TG_EFORMAT, "%s: no trial of a study; gen-tune search -o STUDY makes them", t->folder);
    if (!s) s = failed_already(t);
    const char *objective = tg_json_text(t->spec, "objective");
    if (!s && !objective) s = check_data(t);
    if (s) return s;
    return put_failure(t, objective ? evaluate_alone(t, objective) : train(t));
}

tg_status tg_trial(tg_context *ctx, const tg_trial_options *o)
{
    trial t = {.ctx = ctx, .study = o->out};
    if (!tg_parse_int(o->number, (int64_t)strlen(o->number), &t.number) || t.number < 0)
        return tg_fail(TG_EUSAGE, "N %.100s: must be the number of a trial", o->number);
    tg_status s = run(&t);
    tg_arena_free(t.arena);
    tg_free(t.folder);
    return s;
}
