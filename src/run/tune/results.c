/* results.c - what a study came to: ranking.json, best.json, and the table or object for people and programs. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/term.h"
#include "run/columns.h"
#include "run/result.h"
#include "run/tune/study.h"
#include "run/tune/study_page.h"

enum { MOST_CONFIG = 1 << 26, SHOWN = 20, DECIMALS = 4 };

/* ---- JSON ------------------------------------------------------------------------------------------------------------------------ */

static void put_axis(const tg_space *space, const tg_axis *a, tg_json_writer *w)
{
    static const char *const kinds[] = {"choice", "int", "real"};
    const bool always = space->model_axis < 0 || a->models == ~UINT64_C(0);
    tg_json_open(w, '{');
    tg_json_member_text(w, "key", a->key);
    tg_json_member_text(w, "kind", kinds[a->kind]);
    if (a->kind == TG_AXIS_CHOICE) {
        tg_json_key(w, "choices");
        tg_json_open(w, '[');
        for (int64_t i = 0; i < a->count; i++) tg_study_put_value(w, a->choices[i]);
        tg_json_close(w, ']');
    } else {
        tg_json_key(w, "log");
        tg_json_put_bool(w, a->log);
        tg_json_member_real(w, "low", a->low);
        tg_json_member_real(w, "high", a->high);
    }
    if (!always) {
        tg_json_key(w, "models");
        tg_json_open(w, '[');
        for (int64_t m = 0; m < space->axes[space->model_axis].count; m++)
            if (a->models >> m & 1) tg_json_put_text(w, space->axes[space->model_axis].choices[m]);
        tg_json_close(w, ']');
    }
    tg_json_close(w, '}');
}

static void put_trial(const tg_study *s, const tg_ranked *r, tg_json_writer *w)
{
    const tg_tune_job *j = &s->jobs[r->job];
    tg_json_open(w, '{');
    tg_json_key(w, "rank");
    if (r->rank > 0) tg_json_put_int(w, r->rank);
    else tg_json_put_null(w);
    tg_json_member_int(w, "trial", j->trial);
    tg_json_member_text(w, "status", tg_trial_status_name(s->runs[r->job].status));
    tg_json_member_real(w, "value", j->value);
    tg_json_member_int(w, "rung", j->rung);
    tg_json_member_int(w, "steps", s->runs[r->job].steps);
    tg_json_key(w, "values");
    tg_json_open(w, '{');
    tg_study_put_point(s->space, &j->point, w);
    tg_json_close(w, '}');
    tg_json_close(w, '}');
}

static void put_importance(const tg_study *s, const double *importance, tg_json_writer *w)
{
    tg_json_open(w, '[');
    for (int i = 0; i < s->space->count; i++) {
        tg_json_open(w, '{');
        tg_json_member_text(w, "key", s->space->axes[i].key);
        tg_json_member_real(w, "share", importance[i]);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

static void put_trials(const tg_study *s, const tg_ranked *list, int64_t count, tg_json_writer *w)
{
    tg_json_open(w, '[');
    for (int64_t i = 0; i < count; i++) put_trial(s, &list[i], w);
    tg_json_close(w, ']');
}

/* Nothing of when, where and how it ran: the same bytes for any number of jobs, any backend, any kills. */
static void put_ranking(const tg_study *s, const tg_ranked *list, int64_t count, const double *importance, tg_json_writer *w)
{
    tg_json_open(w, '{');
    tg_json_member_text(w, "program", "gen-tune");
    tg_study_put_strategy(s, w);
    tg_json_member_text(w, "objective", s->o->objective);
    tg_json_member_text(w, "model", s->train->model);
    tg_json_member_text(w, "metric", s->o->metric);
    tg_json_member_int(w, "seed", s->o->seed);
    tg_json_key(w, "axes");
    tg_json_open(w, '[');
    for (int i = 0; i < s->space->count; i++) put_axis(s->space, &s->space->axes[i], w);
    tg_json_close(w, ']');
    tg_json_key(w, "importance");
    put_importance(s, importance, w);
    tg_json_key(w, "ranking");
    put_trials(s, list, count, w);
    tg_json_close(w, '}');
    tg_str_add(w->out, "\n");
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------- */

static tg_status put_file(const tg_study *s, const char *name, const char *text, int64_t length)
{
    char *path = tg_path_join(s->folder, name);
    tg_status status = path ? tg_write_file(path, text, length) : TG_ENOMEM;
    tg_free(path);
    return status;
}

/* The best trial's own config.json: gen-train has resolved it, so it repeats the trial whatever the defaults will be. */
static tg_status put_best(const tg_study *s, const tg_ranked *best)
{
    char *path = tg_study_trial(s->folder, s->jobs[best->job].trial, "config.json"), *text = NULL;
    int64_t length = 0;
    tg_status status = path ? tg_file_slurp(path, MOST_CONFIG, &text, &length) : TG_ENOMEM;
    if (!status) status = put_file(s, "best.json", text, length);
    tg_free(text);
    tg_free(path);
    return status;
}

tg_status tg_study_results(tg_study *s)
{
    tg_ranked *list = NULL;
    int64_t count = 0;
    double importance[TG_AXES];
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_status status = tg_study_rank(s, &list, &count);
    if (!status) status = tg_study_importance(s, importance);
    if (!status) put_ranking(s, list, count, importance, &w);
    if (!status && text.failed) status = TG_ENOMEM;
    if (!status) status = put_file(s, "ranking.json", text.data, text.length);
    if (!status && count > 0 && list[0].rank == 1) status = put_best(s, &list[0]);
    if (!status) status = tg_study_page(s->o->out, (int)s->o->lang);
    tg_str_free(&text);
    tg_free(list);
    return status;
}

/* ---- for people ---------------------------------------------------------------------------------------------------------------------- */

enum { RANK, TRIAL, VALUE, STEPS, FIRST_AXIS };

static void add_safe(tg_str *cell, const char *text)
{
    tg_term_safe_line(cell, text, (int64_t)strlen(text));
}

static void fill_row(const tg_study *s, const tg_ranked *r, tg_str *cells)
{
    const tg_tune_job *j = &s->jobs[r->job];
    char steps[32];
    tg_str text = {0};
    if (r->rank > 0) tg_str_addf(&cells[RANK], "%lld", (long long)r->rank);
    else tg_str_add(&cells[RANK], "-");
    tg_str_addf(&cells[TRIAL], "%04lld", (long long)j->trial);
    if (r->rank > 0) tg_str_add_fixed(&cells[VALUE], j->value, DECIMALS);
    else tg_str_add(&cells[VALUE], tg_trial_status_name(s->runs[r->job].status));
    tg_str_add(&cells[STEPS], tg_format_count(steps, s->runs[r->job].steps));
    for (int i = 0; i < s->space->count; i++) {
        tg_str *cell = &cells[FIRST_AXIS + i];
        tg_str_clear(&text);
        if (tg_space_applies(s->space, i, &j->point)) tg_space_text(&s->space->axes[i], j->point.at[i], &text);
        else tg_str_add(&text, "-");
        if (text.failed) cell->failed = true;
        else add_safe(cell, text.data);
    }
    tg_str_free(&text);
}

static tg_status add_table(const tg_study *s, const tg_ranked *list, int64_t count, tg_str *out)
{
    const int columns = FIRST_AXIS + s->space->count;
    const int64_t rows = (count < SHOWN ? count : SHOWN) + 1;
    tg_str *cells = tg_alloc_array(rows * columns, sizeof *cells);
    if (!cells) return TG_ENOMEM;
    tg_str_add(&cells[RANK], "rank");
    tg_str_add(&cells[TRIAL], "trial");
    add_safe(&cells[VALUE], s->o->metric);
    tg_str_add(&cells[STEPS], "steps");
    for (int i = 0; i < s->space->count; i++) tg_str_add(&cells[FIRST_AXIS + i], s->space->axes[i].key);
    for (int64_t i = 1; i < rows; i++) fill_row(s, &list[i - 1], &cells[i * columns]);
    tg_columns(cells, rows, columns, 0, out);
    if (count > SHOWN) tg_str_addf(out, "and %lld more, in ranking.json\n", (long long)(count - SHOWN));
    for (int64_t i = 0; i < rows * columns; i++) tg_str_free(&cells[i]);
    tg_free(cells);
    return TG_OK;
}

static void add_importance(const tg_study *s, const double *importance, tg_str *out)
{
    bool first = true;
    for (int i = 0; i < s->space->count; i++) {
        if (isnan(importance[i])) continue;
        tg_str_addf(out, "%s%s %d %%", first ? "importance: " : ", ", s->space->axes[i].key, (int)(100 * importance[i] + 0.5));
        first = false;
    }
    if (!first) tg_str_add(out, " (of the variance of ranks, explained by that axis alone)\n");
}

static void add_best(const tg_study *s, const tg_ranked *best, tg_str *out)
{
    const int64_t trial = s->jobs[best->job].trial;
    char *path = tg_path_join(s->o->out, "best.json"), *folder = tg_study_trial(s->o->out, trial, NULL);
    tg_str word = {0};
    tg_str_add_word(&word, path ? path : "");
    if (!path || !folder || word.failed) out->failed = true;
    tg_str_addf(out, "best: trial %lld, ", (long long)trial);
    add_safe(out, folder ? folder : "");
    if (!s->o->objective && word.data) {
        tg_str_add(out, "; again: gen-train --config ");
        add_safe(out, word.data);
        tg_str_add(out, " -o RUN");
    }
    tg_str_add(out, "\n");
    tg_str_free(&word);
    tg_free(folder);
    tg_free(path);
}

/* The share of the time of all that may run at once in which jobs ran; NaN: none did. */
static double utilisation(const tg_study *s, const tg_study_use *use)
{
    return s->ran > 0 && use->jobs > 0 && use->seconds > 0 ? s->busy / ((double)use->jobs * use->seconds) : (double)NAN;
}

static void tell_use(const tg_study *s, const tg_study_use *use)
{
    char time[32];
    if (!isnan(utilisation(s, use)))
        tg_log(s->ctx, TG_LOG_INFO, "%lld jobs in %s, %lld at once: utilisation %d.%d %%", (long long)s->ran,
               tg_format_seconds(time, use->seconds), (long long)use->jobs, (int)(100 * utilisation(s, use)),
               (int)(1000 * utilisation(s, use)) % 10);
}

static void add_object(const tg_study *s, const tg_ranked *list, int64_t count, const double *importance, const tg_study_use *use,
                       tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_result_begin(&w, "gen-tune", s->o->out, s->o->seed, tg_study_seconds(s));
    tg_study_put_strategy(s, &w);
    tg_json_member_text(&w, "metric", s->o->metric);
    tg_json_member_int(&w, "jobs", use->jobs);
    tg_json_member_int(&w, "ran", s->ran);
    tg_json_member_real(&w, "utilisation", utilisation(s, use));
    tg_json_key(&w, "best");
    if (s->best >= 0) put_trial(s, &list[0], &w);
    else tg_json_put_null(&w);
    tg_json_key(&w, "importance");
    put_importance(s, importance, &w);
    tg_json_key(&w, "trials");
    put_trials(s, list, count, &w);
}

tg_status tg_study_tell(tg_study *s, const tg_study_use *use)
{
    tg_ranked *list = NULL;
    int64_t count = 0;
    double importance[TG_AXES];
    tg_str out = {0};
    tg_status status = tg_study_rank(s, &list, &count);
    if (!status) status = tg_study_importance(s, importance);
    if (!status) tell_use(s, use);
    char *page = tg_path_join(s->o->out, "study.html");
    if (!status && page) tg_log(s->ctx, TG_LOG_INFO, "%s: open it in a browser", page);
    tg_free(page);
    if (!status && s->o->json) {
        add_object(s, list, count, importance, use, &out);
        tg_json_writer w = {.out = &out, .comma = true};
        status = tg_result_end(s->ctx, &w);
        tg_free(list);
        return status;
    }
    if (!status) status = add_table(s, list, count, &out);
    if (!status) add_importance(s, importance, &out);
    if (!status) add_best(s, &list[0], &out);
    if (!status) status = out.failed ? TG_ENOMEM : tg_output(s->ctx, out.data, out.length);
    tg_str_free(&out);
    tg_free(list);
    return status;
}
