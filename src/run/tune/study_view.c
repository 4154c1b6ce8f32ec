/* study_view.c - reads a study's files. What they hold is taken for what it says, never for a size or a name of a file. */
#include "run/tune/study_view.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/sort.h"
#include "run/runlog.h"

enum { MOST_TEXT = 1 << 28 };

/* folder/name; the tree lives in the view. */
static tg_status read_file(tg_study_view *v, const char *name, const tg_json **out)
{
    char *path = tg_path_join(v->folder, name), *text = NULL;
    int64_t length = 0;
    tg_status s = path ? tg_file_slurp(path, MOST_TEXT, &text, &length) : TG_ENOMEM;
    if (!s) s = tg_json_parse(v->arena, path, text, length, out);
    tg_free(text);
    tg_free(path);
    return s;
}

static void *room(tg_study_view *v, int64_t count, int64_t size) { return tg_arena_zeros(v->arena, (count + 1) * size); }

static int64_t members(const tg_json *j, tg_json_type type) { return j && j->type == type ? j->integer : 0; }

/* ---- ranking.json ------------------------------------------------------------------------------------------------------- */

/* Choices as texts; a number as it is printed. */
static const char *text_of(const tg_study_view *v, const tg_json *value)
{
    char number[32];
    if (!value || value->type == TG_JSON_NULL) return NULL;
    if (value->type == TG_JSON_TEXT) return value->text;
    if (value->type == TG_JSON_BOOL) return value->integer ? "true" : "false";
    if (value->type != TG_JSON_INT && value->type != TG_JSON_REAL) return NULL;
    tg_format_real(number, value->real);
    return tg_arena_strdup(v->arena, number);
}

static tg_status read_axis(tg_study_view *v, const tg_json *axis)
{
    tg_view_axis *a = &v->axes[v->axis_count];
    const tg_json *choices = tg_json_get(axis, "choices"), *log = tg_json_get(axis, "log");
    const int64_t most = members(choices, TG_JSON_ARRAY);
    const char **names = choices ? room(v, most, sizeof *names) : NULL;
    *a = (tg_view_axis){.key = tg_json_text(axis, "key"), .names = names};
    a->log = log && log->type == TG_JSON_BOOL && log->integer;
    if (choices && !names) return TG_ENOMEM;
    for (const tg_json *i = most ? choices->child : NULL; i; i = i->next) {
        names[a->name_count] = text_of(v, i);
        if (names[a->name_count]) a->name_count++;
    }
    v->axis_count += a->key != NULL;
    return TG_OK;
}

static tg_status read_axes(tg_study_view *v, const tg_json *list)
{
    const int64_t most = members(list, TG_JSON_ARRAY);
    tg_status s = TG_OK;
    v->axes = room(v, most, sizeof *v->axes);
    if (!v->axes) return TG_ENOMEM;
    for (const tg_json *i = most ? list->child : NULL; i && !s; i = i->next) s = read_axis(v, i);
    return s;
}

/* Why it failed: its folder knows. */
static tg_status read_failure(tg_study_view *v, tg_view_trial *t)
{
    const tg_json *failed = NULL;
    tg_str name = {0};
    tg_str_addf(&name, "trials/%04lld/failed.json", (long long)t->number);
    const tg_status s = name.failed ? TG_ENOMEM : read_file(v, name.data, &failed);
    tg_str_free(&name);
    t->message = tg_json_text(failed, "message");
    return s == TG_ENOMEM ? s : TG_OK;
}

static int compare_trials(const void *x, const void *y, void *user)
{
    const tg_view_trial *a = x, *b = y;
    (void)user;
    if (isnan(a->value) != isnan(b->value)) return isnan(a->value) ? 1 : -1;
    if (a->value < b->value || a->value > b->value) return a->value < b->value ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static tg_status read_trials(tg_study_view *v, const tg_json *list)
{
    const int64_t most = members(list, TG_JSON_ARRAY), size = sizeof *v->trials;
    tg_status s = TG_OK;
    v->trials = room(v, most, size);
    void *scratch = room(v, most, size);
    if (!v->trials || !scratch) return TG_ENOMEM;
    for (const tg_json *i = most ? list->child : NULL; i && !s; i = i->next) {
        tg_view_trial *t = &v->trials[v->count];
        *t = (tg_view_trial){.value = NAN, .status = tg_json_text(i, "status"), .message = tg_json_text(i, "message"),
                             .values = tg_json_get(i, "values")};
        if (!tg_json_int(i, "trial", &t->number) || t->number < 0) continue;
        (void)tg_json_int(i, "steps", &t->steps);
        if (!tg_json_real(i, "value", &t->value)) t->value = NAN;
        if (!t->status) t->status = isnan(t->value) ? "failed" : "ok";
        if (isnan(t->value) && !t->message) s = read_failure(v, t);
        v->ok += !isnan(t->value);
        v->count++;
    }
    tg_sort(v->trials, v->count, size, scratch, compare_trials, NULL);
    return s;
}

typedef struct weight { const char *key; double share; } weight;

static int compare_weights(const void *x, const void *y, void *user)
{
    const weight *a = x, *b = y;
    (void)user;
    return a->share < b->share ? 1 : a->share > b->share ? -1 : strcmp(a->key, b->key);
}

static tg_status read_weights(tg_study_view *v, const tg_json *list)
{
    const int64_t most = members(list, TG_JSON_ARRAY);
    weight *w = room(v, most, sizeof *w), *scratch = room(v, most, sizeof *w);
    v->weighed = room(v, most, sizeof *v->weighed);
    v->weights = room(v, most, sizeof *v->weights);
    if (!w || !scratch || !v->weighed || !v->weights) return TG_ENOMEM;
    for (const tg_json *i = most ? list->child : NULL; i; i = i->next) {
        weight *now = &w[v->weight_count];
        now->key = tg_json_text(i, "key");
        if (now->key && tg_json_real(i, "share", &now->share)) v->weight_count++; /* null: of too few trials */
    }
    tg_sort(w, v->weight_count, sizeof *w, scratch, compare_weights, NULL);
    for (int64_t i = 0; i < v->weight_count; i++) {
        v->weighed[i] = w[i].key;
        v->weights[i] = w[i].share;
    }
    return TG_OK;
}

static tg_status read_ranking(tg_study_view *v)
{
    const tg_json *ranking = NULL;
    tg_status s = read_file(v, "ranking.json", &ranking);
    if (s) return s;
    v->metric = tg_json_text(ranking, "metric");
    v->strategy = tg_json_text(ranking, "strategy");
    if (!v->metric || !v->strategy || !members(tg_json_get(ranking, "ranking"), TG_JSON_ARRAY))
        return tg_fail(TG_EFORMAT, "%s/ranking.json: no ranking of a study", v->folder);
    s = read_axes(v, tg_json_get(ranking, "axes"));
    if (!s) s = read_trials(v, tg_json_get(ranking, "ranking"));
    if (!s) s = read_weights(v, tg_json_get(ranking, "importance"));
    return s;
}

/* ---- study.jsonl -------------------------------------------------------------------------------------------------------- */

static void take_line(void *user, const tg_json *line)
{
    tg_study_view *v = user;
    const char *event = tg_json_text(line, "event");
    tg_view_end end = {.value = NAN};
    int64_t rung = 0;
    if (!event || strcmp(event, "end") || !tg_json_int(line, "job", &end.job) || !tg_json_int(line, "trial", &end.trial)) return;
    (void)tg_json_int(line, "steps", &end.steps);
    (void)tg_json_int(line, "rung", &rung);
    if (!tg_json_real(line, "value", &end.value)) end.value = NAN;
    v->rungs = v->rungs || rung > 0;
    v->ends[v->end_count++] = end;
}

static int compare_jobs(const void *x, const void *y, void *user)
{
    const tg_view_end *a = x, *b = y;
    (void)user;
    return (a->job > b->job) - (a->job < b->job);
}

static int compare_trials_and_jobs(const void *x, const void *y, void *user)
{
    const tg_view_end *a = x, *b = y;
    return a->trial != b->trial ? a->trial < b->trial ? -1 : 1 : compare_jobs(x, y, user);
}

/* A trial's steps are those of its last job: what a job adds is told by the one before it. */
static void add_up(tg_study_view *v, tg_view_end *scratch)
{
    double spent = 0;
    tg_sort(v->ends, v->end_count, sizeof *v->ends, scratch, compare_trials_and_jobs, NULL);
    for (int64_t i = 0; i < v->end_count; i++) {
        const int64_t before = i && v->ends[i - 1].trial == v->ends[i].trial ? v->ends[i - 1].steps : 0;
        v->ends[i].spent = v->ends[i].steps > before ? (double)(v->ends[i].steps - before) : 0;
    }
    tg_sort(v->ends, v->end_count, sizeof *v->ends, scratch, compare_jobs, NULL);
    int64_t kept = 0;
    for (int64_t i = 0; i < v->end_count; i++) {
        spent += v->ends[i].spent;
        kept += kept == 0 || v->ends[kept - 1].job != v->ends[i].job; /* told twice: it ended once */
        v->ends[kept - 1] = v->ends[i];
        v->ends[kept - 1].spent = spent;
    }
    v->end_count = kept;
}

static tg_status read_log(tg_study_view *v)
{
    char *path = tg_path_join(v->folder, "study.jsonl"), *text = NULL;
    int64_t length = 0, lines = 0;
    tg_status s = path ? tg_file_slurp(path, MOST_TEXT, &text, &length) : TG_ENOMEM;
    for (int64_t i = 0; i < length; i++) lines += text[i] == '\n';
    v->ends = room(v, lines, sizeof *v->ends);
    tg_view_end *scratch = room(v, lines, sizeof *v->ends);
    if (!s && (!v->ends || !scratch)) s = TG_ENOMEM;
    if (!s) s = tg_runlog_each(text, length, take_line, v);
    if (!s) add_up(v, scratch);
    tg_free(text);
    tg_free(path);
    return s;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

tg_status tg_study_view_open(const char *folder, tg_study_view **out)
{
    tg_study_view *v = tg_alloc(sizeof *v);
    if (!v) return TG_ENOMEM;
    v->folder = folder;
    v->arena = tg_arena_new(1 << 16);
    const tg_json *spec = NULL;
    tg_status s = v->arena ? read_file(v, "study.json", &spec) : TG_ENOMEM;
    v->data = tg_json_text(spec, "data");
    if (!s) s = read_ranking(v);
    if (!s) s = read_log(v);
    if (s) tg_study_view_close(v);
    else *out = v;
    return s;
}

void tg_study_view_close(tg_study_view *v)
{
    if (!v) return;
    tg_arena_free(v->arena);
    tg_free(v);
}

const char *tg_study_view_text(const tg_study_view *v, const tg_view_trial *t, const char *key)
{
    return text_of(v, tg_json_get(t->values, key));
}

double tg_study_view_place(const tg_study_view *v, const tg_view_trial *t, const tg_view_axis *a)
{
    const tg_json *value = tg_json_get(t->values, a->key);
    const char *text = a->names ? tg_study_view_text(v, t, a->key) : NULL;
    for (int64_t i = 0; text && i < a->name_count; i++)
        if (!strcmp(a->names[i], text)) return (double)i;
    return value && !a->names && (value->type == TG_JSON_INT || value->type == TG_JSON_REAL) ? value->real : (double)NAN;
}
