/* search.c - gen-tune search: which settings do best, by many trainings. study.c keeps the books; here jobs are started, watched and
 * ended: by a pool of our own processes, or in waves by an engine that is there already. */
#include "run/tune/study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/proc.h"
#include "run/deps.h"
#include "run/presets.h"
#include "run/tune/backend.h"

enum { USUAL_TRIALS = 32, WAVE = 4096, MOST_CONFIG = 1 << 26 };
static const double grace = 60; /* seconds that a trial has to save itself */

#define ONCE TG_KEY_NO_CONFIG

const tg_key tg_search_keys[] = {
    TG_LIST(tg_search_options, space, 0, "KEY=VALUES", 0,
            "what is tried: lr=1e-4:1e-2:log, hidden=64,128,256, model=lstm,gru, or a JSON file of these; may be given again and again"),
    TG_TEXT(tg_search_options, out, 'o', NULL, "STUDY", ONCE | TG_KEY_NAME | TG_KEY_REQUIRED,
            "folder of the study, which is gone on with if it is there"),
    TG_CHOICE(tg_search_options, strategy, 0, "random", TG_STRATEGY_CHOICES, 0,
              "random: evenly spread points; grid: all combinations; asha: only the best train on; tpe: near the best so far"),
    TG_INT(tg_search_options, trials, 0, NULL, 1, 1e6, TG_KEY_AUTO, "how many: of a grid all, else 32, and with --budget alone no end"),
    TG_TIME(tg_search_options, budget, 0, "0", 0,
            "how long in all, such as 2h; then what runs is saved, and a larger one goes on; 0: no end"),
    TG_TEXT(tg_search_options, metric, 0, "val_loss", "NAME", TG_KEY_NAME, "a number of the trials' result.json, less being better"),
    TG_INT(tg_search_options, jobs, 'j', NULL, 1, 1024, TG_KEY_AUTO,
           "trials at once, which share --threads; the result does not depend on it"),
    TG_INT(tg_search_options, lag, 0, "4", 1, 1024, 0,
           "asha, tpe: a trial is chosen without the results of so many before it, so that as many may run at once"),
    TG_INT(tg_search_options, rungs, 0, "3", 1, 20, 0, "asha: how many lengths of training there are, the longest being --steps"),
    TG_INT(tg_search_options, reduction, 0, "3", 2, 100, 0, "asha: one of so many trains on, so many times as long"),
    TG_CHOICE(tg_search_options, backend, 0, "local", TG_BACKEND_CHOICES, 0,
              "who runs the trials: our own processes, a Makefile, GNU parallel, or a job array of Slurm, whose sbatch takes its "
              "options from SBATCH_PARTITION, SBATCH_TIMELIMIT, SBATCH_ACCOUNT and so on"),
    TG_TEXT(tg_search_options, objective, 0, NULL, "NAME", 0,
            "a built-in function in place of trainings, to try strategies on; a wrong NAME lists them"),
    TG_INT(tg_search_options, seed, 0, "1", 0, 9e15, TG_KEY_SEED, "of what is tried, and of each training"),
    TG_CHOICE(tg_search_options, lang, 0, "en", "en|zh", 0, "language of study.html"),
    TG_SWITCH(tg_search_options, force, 0, NULL, ONCE, "remove the study that is in the folder, and start anew"),
    TG_TEXT(tg_search_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

void tg_search_train_rows(tg_key *out)
{
    int n = 0;
    for (const tg_key *k = tg_train_keys; k->type != TG_KEY_END_ROW && n < TG_SEARCH_ROWS - 1; k++)
        if ((!(k->flags & TG_KEY_NO_CONFIG) && strcmp(k->name, "seed")) || !strcmp(k->name, "preset")) out[n++] = *k;
    out[n] = (tg_key)TG_KEYS_END;
}

/* ---- the first model ----------------------------------------------------------------------------------------------------------- */

/* The first of "model=lstm,gru", or of a file's {"model": ["lstm", "gru"]}; appended. */
static tg_status first_model(const char *item, tg_str *out)
{
    static const char key[] = "model=";
    if (tg_starts_with(item, key)) tg_str_add_n(out, item + strlen(key), (int64_t)strcspn(item + strlen(key), ","));
    if (strchr(item, '=') || tg_path_kind(item) != TG_PATH_FILE) return TG_OK;
    char *text = NULL;
    int64_t length = 0;
    const tg_json *root = NULL, *model = NULL;
    tg_arena *a = tg_arena_new(4096);
    tg_status s = a ? tg_file_slurp(item, MOST_CONFIG, &text, &length) : TG_ENOMEM;
    if (!s) s = tg_json_parse(a, item, text, length, &root);
    if (!s) model = tg_json_get(root, "model");
    if (model && model->type == TG_JSON_ARRAY) model = model->child;
    if (model && model->type == TG_JSON_TEXT) tg_str_add_n(out, model->text, (int64_t)strcspn(model->text, ","));
    tg_free(text);
    tg_arena_free(a);
    return s;
}

tg_status tg_search_model(const tg_search_options *o, const tg_train_options *train, const tg_model_desc **out)
{
    tg_str name = {0};
    tg_status s = TG_OK;
    *out = NULL;
    if (o->objective) return TG_OK;
    if (train->model || train->preset) return tg_train_model(train, out);
    for (int64_t i = 0; i < o->space.count && !s && name.length == 0; i++) s = first_model(o->space.items[i], &name);
    if (!s && name.failed) s = TG_ENOMEM;
    if (!s && name.length > 0) s = tg_model_find(name.data, out);
    tg_str_free(&name);
    return s;
}

/* ---- driving -------------------------------------------------------------------------------------------------------------------- */

typedef struct drive {
    tg_study *study;
    tg_procs *procs;
    int64_t jobs, threads;   /* at once; of each */
    int64_t running, ready;  /* ready: a job whose turn is next, prepared while others run; below 0: none */
    bool all_decided, over;  /* there is no further job; the budget is */
    double began;            /* tg_now */
    /* of a wave */
    int64_t *list, list_count;
    tg_status wave;
} drive;

static double end_of_budget(const drive *d)
{
    const tg_study *s = d->study;
    return s->o->budget > 0 ? s->started + s->o->budget - s->before : (double)INFINITY;
}

static int64_t done(const tg_study *s)
{
    int64_t n = 0;
    for (int64_t i = 0; i < s->count; i++) n += s->jobs[i].known;
    return n;
}

static void report(const drive *d, bool final)
{
    const tg_study *s = d->study;
    const int64_t n = done(s), all = s->strategy.kind == TG_STRATEGY_ASHA ? 0 : s->strategy.trials;
    const double seconds = tg_now() - d->began, rate = seconds > 0 ? (double)s->ran / seconds : 0;
    double left = rate > 0 && all > 0 ? (double)(all - n) / rate : (double)NAN;
    const double budget = end_of_budget(d) - tg_now();
    if (isfinite(budget) && !(left < budget)) left = budget > 0 ? budget : 0;
    tg_str what = {0};
    tg_str_add(&what, "search");
    if (!final) tg_str_addf(&what, ", %lld running", (long long)d->running);
    if (s->best >= 0) tg_str_addf(&what, ", best %.40s ", s->o->metric);
    if (s->best >= 0) tg_str_add_fixed(&what, s->jobs[s->best].value, 4);
    const tg_progress p = {.what = what.failed ? "search" : what.data, .done = n, .total = all, .rate = rate, .seconds_left = left,
                           .unit = s->strategy.kind == TG_STRATEGY_ASHA ? "jobs" : "trials", .loss = (double)NAN,
                           .val_loss = (double)NAN, .final = final};
    tg_report_progress(s->ctx, &p);
    tg_str_free(&what);
}

/* The next job that is to be run, if one may be decided now; those whose result is known already are passed over. */
static tg_status next_to_run(drive *d, int64_t *job)
{
    bool run = false;
    tg_status s = TG_OK;
    *job = TG_STUDY_LATER;
    while (!s && !run && !d->all_decided) {
        s = tg_study_next(d->study, job);
        if (!s && *job == TG_STUDY_OVER) d->all_decided = true;
        if (s || *job < 0) return s;
        s = tg_study_prepare(d->study, *job, &run);
        if (!s && tg_cancelled(d->study->ctx)) s = tg_fail(TG_ECANCELLED, "stopped");
    }
    if (run && tg_now() >= end_of_budget(d)) d->over = true;
    if (d->over) *job = TG_STUDY_LATER;
    return s;
}

/* ---- the pool ------------------------------------------------------------------------------------------------------------------- */

static tg_status start(drive *d, int64_t job)
{
    char trial[24], threads[24];
    snprintf(trial, sizeof trial, "%lld", (long long)d->study->jobs[job].trial);
    snprintf(threads, sizeof threads, "%lld", (long long)d->threads);
    const char *const argv[] = {d->study->program, "trial", trial, "-o", d->study->folder, "--threads", threads, "-q", NULL};
    tg_status s = tg_procs_start(d->procs, argv, job);
    if (!s) d->running++;
    return s;
}

static tg_status ended(drive *d, int64_t job, int code)
{
    bool again = false;
    d->running--;
    tg_status s = tg_study_end_job(d->study, job, code, &again);
    return s || !again ? s : start(d, job);
}

/* Starts what may start, and prepares one more, so that whoever ends is followed at once. */
static tg_status fill_pool(drive *d)
{
    tg_status s = TG_OK;
    while (!s) {
        if (d->ready < 0) s = next_to_run(d, &d->ready);
        if (s || d->ready < 0 || d->running >= d->jobs) break;
        s = tg_study_begin(d->study, d->ready);
        if (!s) s = start(d, d->ready);
        d->ready = TG_STUDY_LATER;
    }
    return s;
}

static tg_status run_pool(drive *d)
{
    static const double look = 0.2; /* seconds between two lines of progress */
    tg_status s = tg_procs_new(grace, &d->procs);
    d->ready = TG_STUDY_LATER;
    while (!s) {
        int64_t job = 0;
        int code = 0;
        s = fill_pool(d);
        if (s || d->over || d->running == 0) break;
        report(d, false);
        const double budget = end_of_budget(d), soon = tg_now() + look;
        s = tg_procs_wait(d->procs, d->study->ctx, soon < budget ? soon : budget, &job, &code);
        if (!s && job >= 0) s = ended(d, job, code);
        if (d->running > 0 && tg_now() >= budget) d->over = true;
    }
    tg_procs_free(d->procs); /* saved, where they still run */
    d->running = 0;
    return s;
}

/* ---- waves ---------------------------------------------------------------------------------------------------------------------- */

/* What a look or an end of a job has come to. */
static void take_down(drive *d, tg_status s, int64_t job)
{
    d->wave = s;
    if (!d->study->jobs[job].known) return;
    d->running--;
    report(d, false);
}

static bool is_over(void *user, int64_t i)
{
    drive *d = user;
    bool known = d->study->jobs[d->list[i]].known;
    if (!known && !d->wave) take_down(d, tg_study_look(d->study, d->list[i], &known), d->list[i]);
    return known;
}

/* The wave has ended, and nothing told of this one. */
static void end_silent(drive *d, int64_t job)
{
    bool again = false;
    take_down(d, tg_study_end_job(d->study, job, -1, &again), job);
    if (again) tg_log(d->study->ctx, TG_LOG_WARN, "trial %lld ended without a result: once more", (long long)d->study->jobs[job].trial);
}

/* What may be decided now, and what has ended without a result. */
static tg_status gather(drive *d)
{
    tg_status s = TG_OK;
    d->list_count = 0;
    for (int64_t i = 0; i < d->study->count && d->list_count < WAVE; i++)
        if (!d->study->jobs[i].known) d->list[d->list_count++] = i;
    while (!s && d->list_count < WAVE) {
        int64_t job = 0;
        s = next_to_run(d, &job);
        if (s || job < 0) break;
        s = tg_study_begin(d->study, job);
        d->list[d->list_count++] = job;
    }
    return s;
}

static tg_status run_waves(drive *d, const tg_backend *b)
{
    tg_study *study = d->study;
    const int64_t asked = study->ctx->options.threads;
    int64_t *trials = tg_alloc_array(WAVE, sizeof *trials);
    d->list = tg_alloc_array(WAVE, sizeof *d->list);
    tg_status s = trials && d->list ? TG_OK : TG_ENOMEM;
    while (!s) {
        s = gather(d);
        if (s || d->over || d->list_count == 0) break;
        for (int64_t i = 0; i < d->list_count; i++) trials[i] = study->jobs[d->list[i]].trial;
        d->running = d->list_count;
        const tg_backend_run r = {.ctx = study->ctx, .folder = study->folder, .trials = trials, .count = d->list_count,
                                  .jobs = b->elsewhere ? study->o->jobs : d->jobs, .end = end_of_budget(d),
                                  .threads = !b->elsewhere ? d->threads : asked > 0 ? asked : 1, .over = is_over, .user = d};
        s = b->run(&r);
        d->over = d->running > 0 && tg_now() >= r.end;
        for (int64_t i = 0; i < d->list_count && !s && !d->wave && !d->over; i++)
            if (!study->jobs[d->list[i]].known) end_silent(d, d->list[i]);
        if (!s) s = d->wave;
        if (!s && study->best >= 0) s = tg_study_results(study);
    }
    d->running = 0;
    tg_free(trials);
    tg_free(d->list);
    return s;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

static tg_status run(tg_study *s)
{
    const bool looks = s->strategy.kind == TG_STRATEGY_ASHA || s->strategy.kind == TG_STRATEGY_TPE;
    const int64_t all = tg_context_threads(s->ctx), most = looks && s->o->lag < all ? s->o->lag : all;
    drive d = {.study = s, .jobs = s->o->jobs > 0 ? s->o->jobs : most, .began = tg_now()};
    const tg_backend *b = tg_backend_at(s->o->backend);
    d.threads = all / d.jobs > 1 ? all / d.jobs : 1;
    if (looks && d.jobs > s->o->lag)
        tg_log(s->ctx, TG_LOG_WARN, "--lag %lld: only so many of %lld jobs at once have something to do",
               (long long)s->o->lag, (long long)d.jobs);
    if (b->run && s->strategy.trials == 0) return tg_fail(TG_EUSAGE, "--backend %s needs --trials: how many", b->name);
    tg_status status = b->run ? run_waves(&d, b) : run_pool(&d);
    if (status && status != TG_ECANCELLED) return status;
    const bool cancelled = status == TG_ECANCELLED, some = s->best >= 0;
    const double seconds = tg_now() - d.began;
    report(&d, true);
    if (d.over)
        tg_log(s->ctx, TG_LOG_WARN, "the budget is used up after %lld jobs; the same command with a larger --budget goes on",
               (long long)done(s));
    status = cancelled || d.over ? tg_study_pause(s) : TG_OK;
    if (!status && some) status = tg_study_results(s);
    if (status) return status;
    if (cancelled)
        return tg_fail(TG_ECANCELLED, "stopped after %lld jobs, and what ran is saved; the same command goes on", (long long)done(s));
    if (!some && !d.over) return tg_fail(TG_EINVAL, "no trial came to a result; %s/study.jsonl says why", s->o->out);
    return some || s->o->json ? tg_study_tell(s, &(tg_study_use){.jobs = b->run ? 0 : d.jobs, .seconds = seconds}) : TG_OK;
}

/* Of few points random ones are soon the same again, which says nothing new. */
static void warn_of_few(const tg_study *s)
{
    const int64_t trials = s->strategy.trials, points = tg_space_points(s->space);
    if (s->strategy.kind == TG_STRATEGY_GRID || points >= (trials > 0 ? trials : USUAL_TRIALS)) return;
    tg_log(s->ctx, TG_LOG_WARN, "the space has %lld point%s, so trials will be the same; --strategy grid tries each once",
           (long long)points, points == 1 ? "" : "s");
}

static tg_status check_options(const tg_search_options *o, const tg_train_options *train)
{
    if (!o->out) return tg_fail(TG_EUSAGE, "-o STUDY is missing: the folder of the study");
    if (o->objective && (train->data || train->model || train->preset))
        return tg_fail(TG_EUSAGE, "--objective stands in place of --data and --model");
    if (!o->objective && o->space.count == 0)
        return tg_fail(TG_EUSAGE, "--space KEY=VALUES is missing: what is to be tried, such as lr=1e-4:1e-2:log");
    return TG_OK;
}

tg_strategy_options tg_search_strategy(const tg_search_options *o, const tg_train_options *train)
{
    const int64_t usual = o->strategy == TG_STRATEGY_GRID || o->budget > 0 ? 0 : USUAL_TRIALS;
    return (tg_strategy_options){.kind = o->strategy, .lag = o->lag, .steps = train->steps, .rungs = o->rungs, .reduction = o->reduction,
                                 .seed = (uint64_t)o->seed, .trials = o->trials > 0 ? o->trials : usual};
}

tg_status tg_search(tg_context *ctx, const tg_search_options *o, const tg_train_options *train, const void *config, tg_keys *keys)
{
    tg_status s = check_options(o, train);
    if (!s && train->preset) s = tg_preset_apply(train->preset, keys); /* to train, too */
    if (s) return s;
    tg_study study = {.ctx = ctx, .o = o, .train = train, .config = config, .keys = keys};
    study.strategy = tg_search_strategy(o, train);
    s = tg_study_open(&study);
    if (!s) warn_of_few(&study);
    if (!s) s = run(&study);
    if (!s) s = tg_deps_write_in(ctx, o->deps, o->out, "ranking.json");
    tg_study_close(&study);
    return s;
}
