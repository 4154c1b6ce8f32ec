/* study.c - a study's folder: opened or made, its trials' folders made ready and their results read. study_log.c is its log. */
#include "run/tune/study.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { MOST_TEXT = 1 << 28 };

static const char *const status_names[] = {"open", "ok", "failed", "diverged"};

const char *tg_trial_status_name(tg_trial_status s)
{
    return status_names[s];
}

double tg_study_seconds(const tg_study *s)
{
    return s->before + tg_now() - s->started;
}

char *tg_study_trial(const char *folder, int64_t trial, const char *name)
{
    tg_str path = {0};
    tg_str_add(&path, folder);
    if (*folder && folder[strlen(folder) - 1] == '/') tg_str_addf(&path, "trials/%04lld", (long long)trial); /* as tg_path_join */
    else tg_str_addf(&path, "/trials/%04lld", (long long)trial);
    if (name) tg_str_addf(&path, "/%s", name);
    if (!path.failed) return path.data;
    tg_str_free(&path);
    return NULL;
}

tg_status tg_study_read(tg_arena *a, char *path, const tg_json **out)
{
    char *text = NULL;
    int64_t length = 0;
    *out = NULL;
    tg_status s = path ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) != TG_PATH_NONE) {
        s = tg_file_slurp(path, MOST_TEXT, &text, &length);
        if (!s) s = tg_json_parse(a, path, text, length, out);
    }
    tg_free(text);
    tg_free(path);
    return s;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------ */

/* Whether somebody is at a trial still, of a search that was killed. */
static tg_status check_idle(const tg_study *s)
{
    tg_status status = TG_OK;
    bool there = true;
    for (int64_t n = 0; there && !status; n++) {
        char *folder = tg_study_trial(s->folder, n, NULL), *path = tg_study_trial(s->folder, n, "run.lock");
        tg_lock *lock = NULL;
        there = folder && tg_path_kind(folder) == TG_PATH_FOLDER;
        if (!folder || !path) status = TG_ENOMEM;
        else if (there) status = tg_lock_take(path, &lock);
        tg_lock_release(lock);
        tg_free(folder);
        tg_free(path);
    }
    return status;
}

/* --force. The log goes first, so that it never tells of trials that are gone, and the specification last: killed anywhere between, it
 * is a study's folder still. */
static tg_status remove_study(const tg_study *s)
{
    static const char *const names[] = {"study.jsonl", "trials", "best.json", "ranking.json", "study.html", "gen-tune", "study.json"};
    tg_status status = check_idle(s);
    for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++) {
        char *path = tg_path_join(s->folder, names[i]);
        if (!path) status = TG_ENOMEM;
        else if (tg_path_kind(path) == TG_PATH_FOLDER) status = tg_remove_tree(path);
        else status = tg_remove(path);
        tg_free(path);
    }
    return status;
}

/* A folder of other things is nobody's to write into. */
static tg_status check_folder(const char *out, const char *spec)
{
    tg_listing names = {0};
    if (tg_path_kind(out) != TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL, "%s is a file, not a study's folder; give -o another name", out);
    tg_status status = tg_path_kind(spec) == TG_PATH_NONE ? tg_list_tree(out, &names) : TG_OK;
    for (int64_t i = 0; i < names.count && !status; i++)
        if (strcmp(names.names[i], "study.lock"))
            status = tg_fail(TG_EINVAL, "%s is there already and is not a study's folder; give -o another name", out);
    tg_listing_free(&names);
    return status;
}

/* A search that was killed a moment ago may seem to hold it still: a child that it had just started does, until it has closed what it
 * inherited. */
static tg_status take_lock(tg_study *s, const char *path)
{
    static const double moment = 0.01; /* seconds */
    tg_status status = tg_lock_take(path, &s->lock);
    for (int i = 0; i < 50 && status == TG_EBUSY && !tg_cancelled(s->ctx); i++) {
        tg_nap(moment);
        status = tg_lock_take(path, &s->lock);
    }
    return status;
}

/* Lock, specification, log: in this order, so that a folder with a specification is a study's, and one without is empty. */
static tg_status take_folder(tg_study *s, const char *spec_path)
{
    char *lock = tg_path_join(s->folder, "study.lock"), *log = tg_path_join(s->folder, "study.jsonl");
    int64_t keep = 0;
    tg_str spec = {0};
    tg_status status = lock && log ? take_lock(s, lock) : TG_ENOMEM;
    if (!status) tg_clean_temps(s->folder);
    if (!status && s->o->force) status = remove_study(s);
    if (!status) status = tg_study_read_log(s, log, &keep);
    if (!status) status = tg_study_spec(s, &spec);
    if (!status && tg_path_kind(spec_path) != TG_PATH_NONE) status = tg_study_same(s, spec_path, spec.data);
    if (!status) status = tg_write_file(spec_path, spec.data, spec.length);
    if (!status) status = tg_appender_open(log, keep, &s->log);
    tg_str_free(&spec);
    tg_free(lock);
    tg_free(log);
    return status;
}

/* ./gen-tune in the folder: what job files start. */
static tg_status link_program(tg_study *s)
{
    if (s->o->program) s->program = tg_strdup(s->o->program);
    tg_status status = !s->o->program ? tg_process_program("gen-tune", &s->program) : s->program ? TG_OK : TG_ENOMEM;
    if (status || tg_path_kind(s->program) != TG_PATH_FILE) return status;
    char *link = tg_path_join(s->folder, "gen-tune");
    status = link ? tg_link_folder(s->program, link) : TG_ENOMEM;
    tg_free(link);
    return status;
}

tg_status tg_study_open(tg_study *s)
{
    const char *out = s->o->out;
    s->started = tg_now();
    s->best = -1;
    tg_status status = tg_space_parse(s->o->space.items, s->o->space.count, s->train->model, s->o->objective, &s->space);
    if (!status && s->strategy.kind == TG_STRATEGY_GRID && s->strategy.trials == 0) s->strategy.trials = tg_space_grid(s->space);
    if (!status) status = tg_study_check(s);
    if (status) return status;
    char *spec = tg_path_join(out, "study.json");
    if (!spec) return TG_ENOMEM;
    status = tg_path_kind(out) == TG_PATH_NONE ? tg_make_folder(out) : check_folder(out, spec);
    if (!status) status = tg_path_real(out, &s->folder);
    if (!status) status = take_folder(s, spec);
    if (!status) status = link_program(s);
    tg_free(spec);
    return status;
}

void tg_study_close(tg_study *s)
{
    for (int64_t i = 0; i < s->count; i++) tg_str_free(&s->runs[i].message);
    tg_appender_close(s->log);
    tg_lock_release(s->lock);
    tg_space_free(s->space);
    tg_free(s->jobs);
    tg_free(s->runs);
    tg_free(s->ends);
    tg_free(s->folder);
    tg_free(s->program);
    tg_free(s->data);
    tg_free(s->init);
}

/* ---- jobs --------------------------------------------------------------------------------------------------------------------- */

static void know(tg_study *s, int64_t job, tg_trial_status status, double value, int64_t steps)
{
    s->runs[job].status = status;
    s->runs[job].steps = steps;
    s->jobs[job].known = true;
    s->jobs[job].value = status == TG_TRIAL_OK ? value : (double)NAN;
    while (s->known < s->count && s->jobs[s->known].known) s->known++;
    if (status == TG_TRIAL_OK && (s->best < 0 || value < s->jobs[s->best].value)) s->best = job;
}

static tg_status add_job(tg_study *s, const tg_tune_job *next)
{
    if (s->count == s->room) {
        const int64_t room = s->room ? 2 * s->room : 64, job_size = sizeof *s->jobs, run_size = sizeof *s->runs;
        tg_tune_job *jobs = tg_realloc(s->jobs, s->room * job_size, room * job_size);
        if (jobs) s->jobs = jobs;
        tg_study_run *runs = jobs ? tg_realloc(s->runs, s->room * run_size, room * run_size) : NULL;
        if (!runs) return TG_ENOMEM;
        s->runs = runs;
        s->room = room;
    }
    const int64_t k = s->count++;
    s->jobs[k] = *next;
    s->jobs[k].known = false;
    s->jobs[k].value = NAN;
    s->runs[k] = (tg_study_run){.status = TG_TRIAL_OPEN};
    if (k >= s->ends_count || s->ends[k].status == TG_TRIAL_OPEN) return TG_OK;
    const tg_study_end *end = &s->ends[k];
    if (end->trial != next->trial || end->rung != next->rung)
        return tg_fail(TG_EFORMAT, "%s/study.jsonl: job %lld was of trial %lld, rung %lld, and should be of trial %lld, rung %lld; start "
                       "anew with --force", s->o->out, (long long)k, (long long)end->trial, (long long)end->rung,
                       (long long)next->trial, (long long)next->rung);
    know(s, k, end->status, end->value, end->steps);
    return TG_OK;
}

tg_status tg_study_next(tg_study *s, int64_t *job)
{
    const tg_strategy_options *o = &s->strategy;
    const bool looks = o->kind == TG_STRATEGY_ASHA || o->kind == TG_STRATEGY_TPE;
    const int64_t k = s->count;
    tg_tune_job next = {0};
    for (int64_t seen = looks && k > o->lag ? k - o->lag : 0;; seen++) {
        bool more = false, wait = false;
        *job = TG_STUDY_LATER;
        if (seen > s->known) return TG_OK;
        tg_status status = tg_strategy_next(o, s->space, s->jobs, k, seen, &next, &more, &wait);
        if (status) return status;
        if (more) break;
        *job = TG_STUDY_OVER;
        if (!wait || seen == k) return TG_OK;
    }
    *job = k;
    return add_job(s, &next);
}

/* ---- results ------------------------------------------------------------------------------------------------------------------ */

/* Whether a result is that of this job: of one that stops before its schedule ends, an earlier rung's may lie there still. */
static bool is_of_job(const tg_study *s, const tg_tune_job *j, const tg_json *result)
{
    const char *stopped = tg_json_text(result, "stopped");
    int64_t steps = 0;
    if (s->strategy.kind != TG_STRATEGY_ASHA || !stopped || strcmp(stopped, "until")) return true;
    return j->until > 0 && tg_json_int(result, "steps", &steps) && steps >= j->until;
}

typedef struct outcome { tg_trial_status status; double value; int64_t steps; } outcome;

/* A metric that results do not even name is a mistake in the request, and no trial's failure. (Where others have it, it is: of a model
 * that nothing like it is measured of.) */
static tg_status no_metric(const tg_study *s, const tg_json *result)
{
    tg_str names = {0};
    for (const tg_json *m = result->child; m && result->type == TG_JSON_OBJECT; m = m->next)
        if (m->type == TG_JSON_INT || m->type == TG_JSON_REAL) tg_str_addf(&names, "%s%s", names.length ? ", " : "", m->key);
    tg_status status = names.failed ? TG_ENOMEM
                       : tg_fail(TG_EUSAGE, "--metric %.100s: there is no such number in a trial's result.json; there are: %s",
                                 s->o->metric, names.data ? names.data : "none");
    tg_str_free(&names);
    return status;
}

static tg_status take_result(const tg_study *s, const tg_json *result, outcome *out, tg_str *message)
{
    const tg_json *metric = tg_json_get(result, s->o->metric);
    if (!metric && s->best < 0) return no_metric(s, result);
    (void)tg_json_int(result, "steps", &out->steps);
    out->status = tg_json_real(result, s->o->metric, &out->value) && isfinite(out->value) ? TG_TRIAL_OK : TG_TRIAL_FAILED;
    if (out->status == TG_TRIAL_FAILED)
        tg_str_addf(message, metric ? "its %.100s is no number" : "its result.json has no %.100s", s->o->metric);
    return message->failed ? TG_ENOMEM : TG_OK;
}

/* What the trial's folder tells; TG_TRIAL_OPEN: nothing yet. */
static tg_status look(const tg_study *s, const tg_tune_job *j, outcome *out, tg_str *message)
{
    const tg_json *failed = NULL, *result = NULL;
    tg_arena *a = tg_arena_new(4096);
    *out = (outcome){.status = TG_TRIAL_OPEN, .value = NAN};
    tg_status status = a ? tg_study_read(a, tg_study_trial(s->folder, j->trial, "failed.json"), &failed) : TG_ENOMEM;
    if (!status && !failed) status = tg_study_read(a, tg_study_trial(s->folder, j->trial, "result.json"), &result);
    const char *said = tg_json_text(failed, "status"), *why = tg_json_text(failed, "message");
    if (failed) {
        out->status = said && !strcmp(said, "diverged") ? TG_TRIAL_DIVERGED : TG_TRIAL_FAILED;
        tg_str_add(message, why ? why : "nobody knows why");
    } else if (result && is_of_job(s, j, result)) status = take_result(s, result, out, message);
    tg_arena_free(a);
    return status ? status : message->failed ? TG_ENOMEM : TG_OK;
}

static void tell(tg_study *s, int64_t job)
{
    const tg_tune_job *j = &s->jobs[job];
    const tg_study_run *r = &s->runs[job];
    tg_str line = {0};
    if (r->status != TG_TRIAL_OK) {
        tg_log(s->ctx, TG_LOG_WARN, "trial %lld %s: %s", (long long)j->trial, status_names[r->status],
               r->message.data ? r->message.data : "");
        return;
    }
    tg_str_addf(&line, "trial %lld: %s ", (long long)j->trial, s->o->metric);
    tg_str_add_fixed(&line, j->value, 4);
    if (j->until > 0) tg_str_addf(&line, " after %lld steps", (long long)r->steps);
    if (s->best == job) tg_str_add(&line, ", the best so far:");
    for (int i = 0; i < s->space->count && s->best == job; i++) {
        if (!tg_space_applies(s->space, i, &j->point)) continue;
        tg_str_addf(&line, " %s ", s->space->axes[i].key);
        tg_space_text(&s->space->axes[i], j->point.at[i], &line);
    }
    if (!line.failed) tg_log(s->ctx, s->best == job ? TG_LOG_INFO : TG_LOG_DETAIL, "%s", line.data);
    tg_str_free(&line);
}

/* *known: there was something to take down. */
static tg_status settle(tg_study *s, int64_t job, bool *known)
{
    tg_study_run *r = &s->runs[job];
    outcome got;
    tg_str_clear(&r->message);
    tg_status status = look(s, &s->jobs[job], &got, &r->message);
    *known = !status && got.status != TG_TRIAL_OPEN;
    if (!*known) return status;
    know(s, job, got.status, got.value, got.steps);
    status = tg_study_add_line(s, "end", job, r->message.length ? r->message.data : NULL);
    if (!status) tell(s, job);
    return status;
}

static tg_status put_failed(const tg_study *s, int64_t job, const char *why)
{
    char *path = tg_study_trial(s->folder, s->jobs[job].trial, "failed.json");
    tg_str text = {0}, message = {0};
    tg_json_writer w = {.out = &text};
    tg_str_addf(&message, "%s, %d times; gen-train --resume -o STUDY/trials/%04lld may say why", why, TG_STUDY_ATTEMPTS,
                (long long)s->jobs[job].trial);
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "status", "failed");
    tg_json_member_text(&w, "message", message.data);
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    tg_status status = !path || text.failed || message.failed ? TG_ENOMEM : tg_write_file(path, text.data, text.length);
    tg_str_free(&text);
    tg_str_free(&message);
    tg_free(path);
    return status;
}

tg_status tg_study_look(tg_study *s, int64_t job, bool *known)
{
    tg_status status = settle(s, job, known);
    if (status || !*known) return status;
    if (s->runs[job].began > 0) s->busy += tg_now() - s->runs[job].began;
    s->ran++;
    return TG_OK;
}

/* Whether its process was ended: whoever ends by himself removes his lock. */
static tg_status was_killed(const tg_study *s, int64_t job, int code, bool *out)
{
    char *lock = tg_study_trial(s->folder, s->jobs[job].trial, "run.lock");
    *out = code > 128 || (code < 0 && lock && tg_path_kind(lock) != TG_PATH_NONE);
    tg_free(lock);
    return lock ? TG_OK : TG_ENOMEM;
}

/* It has ended so often without a word. Being killed is taken for the trial's own fault: a crash, or more memory than there is. One that
 * ends by itself says in its folder what is wrong with it, so what was wrong is a full disk, data that are gone or the like: no other
 * trial would fare better, and none is to be given up for it. */
static tg_status give_up(const tg_study *s, int64_t job, int code)
{
    const int64_t trial = s->jobs[job].trial;
    bool killed = false;
    tg_str why = {0}, exit_code = {0};
    tg_status status = was_killed(s, job, code, &killed);
    if (code > 128) tg_str_addf(&why, "its process was ended by signal %d", code - 128);
    else tg_str_add(&why, "its process was ended");
    tg_str_add(&exit_code, "");
    if (code >= 0) tg_str_addf(&exit_code, ", exit code %d", code);
    if (!status && (why.failed || exit_code.failed)) status = TG_ENOMEM;
    if (!status && killed) status = put_failed(s, job, why.data);
    else if (!status)
        status = tg_fail(TG_EIO, "trial %lld ended without a result%s, %d times; gen-tune trial %lld -o %s says why, and once that is "
                         "mended the same command goes on", (long long)trial, exit_code.data ? exit_code.data : "", TG_STUDY_ATTEMPTS,
                         (long long)trial, s->o->out);
    tg_str_free(&why);
    tg_str_free(&exit_code);
    return status;
}

tg_status tg_study_end_job(tg_study *s, int64_t job, int code, bool *again)
{
    bool known = false;
    tg_status status = tg_study_look(s, job, &known);
    *again = !status && !known && ++s->runs[job].attempts < TG_STUDY_ATTEMPTS;
    if (status || known || *again) return status;
    status = give_up(s, job, code);
    return status ? status : tg_study_look(s, job, &known);
}

/* ---- starting ------------------------------------------------------------------------------------------------------------------ */

/* job.json: how far, and, of an objective, exactly where. */
static tg_status put_job(const tg_study *s, const tg_tune_job *j)
{
    char *path = tg_study_trial(s->folder, j->trial, "job.json");
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_int(&w, "until", j->until);
    tg_json_member_int(&w, "rung", j->rung);
    tg_json_member_int(&w, "steps", s->strategy.steps);
    tg_json_key(&w, "at");
    tg_json_open(&w, '[');
    for (int i = 0; i < s->space->count && s->o->objective; i++) tg_json_put_real(&w, j->point.at[i]);
    tg_json_close(&w, ']');
    tg_json_close(&w, '}');
    tg_str_add(&text, "\n");
    tg_status status = !path || text.failed ? TG_ENOMEM : tg_write_file(path, text.data, text.length);
    tg_str_free(&text);
    tg_free(path);
    return status;
}

/* Once; gen-train resolves and rewrites it. */
static tg_status put_config(const tg_study *s, const tg_tune_job *j)
{
    char *path = tg_study_trial(s->folder, j->trial, "config.json");
    tg_str text = {0};
    tg_status status = path ? TG_OK : TG_ENOMEM;
    if (!status && tg_path_kind(path) == TG_PATH_NONE) {
        status = tg_study_config(s, &j->point, &text);
        if (!status) status = tg_write_file(path, text.data, text.length);
    }
    tg_str_free(&text);
    tg_free(path);
    return status;
}

/* Renamed first, so that half of it is never taken for the trial. */
static tg_status remove_trial(const tg_study *s, int64_t trial)
{
    char *folder = tg_study_trial(s->folder, trial, NULL), *lock_path = tg_study_trial(s->folder, trial, "run.lock");
    tg_str old = {0};
    tg_lock *lock = NULL;
    tg_str_addf(&old, "%s/trials/.%04lld.old", s->folder, (long long)trial);
    tg_status status = folder && lock_path && !old.failed ? tg_lock_take(lock_path, &lock) : TG_ENOMEM;
    if (!status && tg_path_kind(old.data) != TG_PATH_NONE) status = tg_remove_tree(old.data);
    if (!status) status = tg_rename(folder, old.data);
    if (!status) status = tg_remove_tree(old.data);
    tg_lock_release(lock);
    tg_str_free(&old);
    tg_free(folder);
    tg_free(lock_path);
    return status;
}

/* A power cut may take the log's last lines: then a trial's folder can be a rung further than the log, and what it holds is no result
 * of this job. It is trained once more, from the first step on, and comes to the same. */
static tg_status drop_if_further(const tg_study *s, const tg_tune_job *j)
{
    tg_arena *a = tg_arena_new(1024);
    const tg_json *was = NULL;
    int64_t rung = 0;
    tg_status status = a ? tg_study_read(a, tg_study_trial(s->folder, j->trial, "job.json"), &was) : TG_ENOMEM;
    if (!status && tg_json_int(was, "rung", &rung) && rung > j->rung) {
        tg_log(s->ctx, TG_LOG_WARN, "trial %lld is further than study.jsonl tells; it is trained anew", (long long)j->trial);
        status = remove_trial(s, j->trial);
    }
    tg_arena_free(a);
    return status;
}

tg_status tg_study_prepare(tg_study *s, int64_t job, bool *run)
{
    const tg_tune_job *j = &s->jobs[job];
    bool known = j->known;
    tg_status status = known ? TG_OK : drop_if_further(s, j);
    if (!status && !known) status = settle(s, job, &known);
    *run = !status && !known;
    if (!*run) return status;
    char *folder = tg_study_trial(s->folder, j->trial, NULL);
    status = folder ? tg_make_folder(folder) : TG_ENOMEM;
    tg_free(folder);
    if (!status) status = put_config(s, j);
    return status ? status : put_job(s, j);
}

/* A process of a search that was killed may be at the trial still; the one that is started now waits for it. */
static void tell_if_busy(const tg_study *s, int64_t job)
{
    char *path = tg_study_trial(s->folder, s->jobs[job].trial, "run.lock");
    tg_lock *lock = NULL;
    if (path && tg_path_kind(path) == TG_PATH_FILE && tg_lock_take(path, &lock) == TG_EBUSY) tg_log(s->ctx, TG_LOG_INFO, "%s", tg_error());
    tg_lock_release(lock);
    tg_free(path);
}

tg_status tg_study_begin(tg_study *s, int64_t job)
{
    tell_if_busy(s, job);
    s->runs[job].began = tg_now();
    return tg_study_add_line(s, "start", job, NULL);
}
