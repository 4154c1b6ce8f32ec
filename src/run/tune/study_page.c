/* study_page.c - the page of a study: the ranking and what to do with it, how the search went, what each setting does, and what
 * failed. */
#include "run/tune/study_page.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "run/chart.h"
#include "run/curve.h"
#include "run/tune/study_view.h"

/* How many are shown at once, and at all: of a study of thousands the page is to be read, too. */
enum { ROWS = 20, MOST_ROWS = 500, MOST_POINTS = 1000, MOST_CURVES = 200, MOST_FAILED = 100 };

typedef struct shown {
    tg_page *p;
    tg_study_view *v;
    bool capped; /* values above cap are so far away that the others would lie on one line */
    double cap;
} shown;

static const char *word(const shown *s, tg_word w) { return tg_words(s->p->lang, w); }

static void *room(const shown *s, int64_t count, int64_t size)
{
    void *memory = tg_arena_alloc(s->v->arena, (count + 1) * size);
    if (!memory) s->p->body.failed = true;
    return memory;
}

/* "trials/0007", in the view's memory; "" where there is none, and then the page fails. */
static const char *trial_name(const shown *s, int64_t number)
{
    tg_str text = {0};
    tg_str_addf(&text, "trials/%04lld", (long long)number);
    const char *name = text.failed ? NULL : tg_arena_strdup(s->v->arena, text.data);
    tg_str_free(&text);
    if (!name) s->p->body.failed = true;
    return name ? name : "";
}

static void end_text(const shown *s, tg_str *text, void (*show)(tg_page *, const char *))
{
    if (text->failed) s->p->body.failed = true;
    else show(s->p, text->data);
    tg_str_free(text);
}

/* ---- the ranking -------------------------------------------------------------------------------------------------------- */

static void show_settings(const shown *s, const tg_view_trial *t)
{
    for (int64_t a = 0; a < s->v->axis_count; a++) tg_page_cell(s->p, tg_study_view_text(s->v, t, s->v->axes[a].key));
}

static void begin_table(const shown *s, const tg_word *tail, int tails, const char *last, int numbers)
{
    const int64_t axes = s->v->axis_count;
    const char **heads = room(s, axes + tails + 2, sizeof *heads);
    int n = 0;
    if (!heads) return;
    heads[n++] = word(s, TG_WORD_tune_trial);
    for (int64_t a = 0; a < axes; a++) heads[n++] = s->v->axes[a].key;
    for (int i = 0; i < tails; i++) heads[n++] = word(s, tail[i]);
    if (last) heads[n++] = last;
    tg_page_table(s->p, NULL, heads, n, numbers);
}

static void show_rows(const shown *s, int64_t from, int64_t to)
{
    static const tg_word tail[] = {TG_WORD_tune_steps};
    begin_table(s, tail, 1, s->v->metric, (int)s->v->axis_count + 1);
    for (int64_t i = from; i < to; i++) {
        const tg_view_trial *t = &s->v->trials[i];
        tg_str name = {0};
        tg_str_addf(&name, "%lld. %s", (long long)i + 1, trial_name(s, t->number));
        if (i == 0) tg_page_row_best(s->p);
        else tg_page_row(s->p);
        end_text(s, &name, tg_page_cell);
        show_settings(s, t);
        if (t->steps > 0) tg_page_cell_int(s->p, t->steps);
        else tg_page_cell(s->p, NULL);
        tg_page_cell_real(s->p, t->value, 4);
    }
    tg_page_table_end(s->p);
}

static void show_command(const shown *s)
{
    tg_str text = {0}, path = {0};
    if (!s->v->data) return; /* nothing was trained */
    tg_str_addf(&path, "%s/best.json", s->v->folder);
    tg_str_add(&text, "gen-train --config ");
    tg_str_add_word(&text, path.failed ? "" : path.data);
    tg_str_clear(&path);
    tg_str_addf(&path, "%s/%s", s->v->folder, trial_name(s, s->v->trials[0].number));
    tg_str_add(&text, " -o runs/best\ngen-sample ");
    tg_str_add_word(&text, path.failed ? "" : path.data);
    tg_page_text(s->p, word(s, TG_WORD_tune_command));
    if (path.failed || text.failed) s->p->body.failed = true;
    else tg_page_sample(s->p, NULL, text.data, text.length);
    tg_str_free(&text);
    tg_str_free(&path);
}

static void show_ranking(const shown *s)
{
    const int64_t all = s->v->ok < MOST_ROWS ? s->v->ok : MOST_ROWS, some = all < ROWS ? all : ROWS;
    tg_page_section(s->p, "ranking", word(s, TG_WORD_tune_ranking));
    tg_page_note(s->p, word(s, TG_WORD_tune_ranking_meaning));
    show_rows(s, 0, some);
    if (all > 0) show_command(s);
    if (all == some) return;
    tg_page_details(s->p, word(s, TG_WORD_tune_more), false);
    show_rows(s, some, all);
    tg_page_details_end(s->p);
}

/* ---- how the search went ------------------------------------------------------------------------------------------------ */

static void show_progress(const shown *s, bool by_steps)
{
    const int64_t n = s->v->end_count, stride = n / MOST_POINTS + 1;
    double *x = room(s, n, sizeof *x), *y = room(s, n, sizeof *y);
    double *best_x = room(s, n, sizeof *x), *best_y = room(s, n, sizeof *y);
    const char **hints = room(s, n, sizeof *hints);
    int64_t points = 0, corners = 0;
    double best = NAN, at = 0;
    if (!x || !y || !best_x || !best_y || !hints) return;
    for (int64_t i = 0; i < n; i++) {
        const tg_view_end *e = &s->v->ends[i];
        at = by_steps ? e->spent : (double)(i + 1);
        if (i % stride == 0) {
            x[points] = at;
            y[points] = e->value;
            hints[points++] = trial_name(s, e->trial);
        }
        if (isnan(e->value) || e->value >= best) continue;
        best_x[corners] = at;
        best_y[corners++] = best = e->value;
    }
    if (corners > 0) { /* to the end of the axis */
        best_x[corners] = at;
        best_y[corners++] = best;
    }
    const tg_chart chart = {.title = word(s, by_steps ? TG_WORD_tune_by_steps : TG_WORD_tune_by_trials), .y = s->v->metric,
                            .x = word(s, by_steps ? TG_WORD_tune_steps : s->v->rungs ? TG_WORD_tune_jobs : TG_WORD_tune_trial),
                            .cap_y = s->capped, .most_y = s->cap};
    const tg_series series[] = {
        {.name = word(s, TG_WORD_tune_trial), .mark = TG_POINTS, .x = x, .y = y, .count = points, .hints = hints, .faint = true},
        {.name = word(s, TG_WORD_tune_so_far), .mark = TG_STEPS, .x = best_x, .y = best_y, .count = corners}};
    tg_chart_draw(s->p, &chart, series, 2);
}

static void note_cap(const shown *s)
{
    tg_str text = {0};
    if (!s->capped) return;
    tg_str_add(&text, word(s, TG_WORD_tune_capped));
    tg_str_add_fixed(&text, s->cap, 3);
    end_text(s, &text, tg_page_note);
}

static void show_search(const shown *s)
{
    tg_page_section(s->p, "search", word(s, TG_WORD_tune_so_far));
    tg_page_note(s->p, word(s, TG_WORD_tune_so_far_meaning));
    tg_page_side(s->p);
    show_progress(s, false);
    if (s->v->rungs) show_progress(s, true);
    tg_page_side_end(s->p);
    note_cap(s);
}

/* ---- learning curves ---------------------------------------------------------------------------------------------------- */

/* Validation losses where they make a curve of any trial: short trials are looked at once, at their end. */
static int shown_losses(const tg_curve *curves, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (curves[i].count[TG_CURVE_VAL] > 1) return TG_CURVE_VAL;
    return TG_CURVE_TRAIN;
}

static void draw_curves(const shown *s, const tg_curve *curves, tg_series *series, const char **hints, int64_t n)
{
    const int wanted = shown_losses(curves, n);
    const char *others = word(s, TG_WORD_tune_others); /* in the legend once */
    int64_t drawn = 0;
    double cap = s->capped ? s->cap : s->v->trials[s->v->ok - 1].value;
    for (int64_t k = 0; k < n; k++) {
        const int64_t i = (k + 1) % n; /* the best last: over the others */
        const int of = curves[i].count[wanted] > 0 ? wanted : TG_CURVES - 1 - wanted;
        const int64_t count = curves[i].count[of];
        if (count == 0) continue;
        hints[i] = trial_name(s, s->v->trials[i].number);
        series[drawn++] = (tg_series){.name = i == 0 ? hints[i] : others, .mark = count > 1 ? TG_LINE : TG_POINTS,
                                      .x = curves[i].step[of], .y = curves[i].loss[of], .count = count, .faint = i > 0,
                                      .hints = count > 1 ? &hints[i] : NULL};
        others = NULL;
        if (i == 0 && curves[i].loss[of][0] > cap) cap = curves[i].loss[of][0];
    }
    if (drawn == 0) return;
    const tg_chart chart = {.title = word(s, TG_WORD_report_curves), .x = word(s, TG_WORD_report_step),
                            .y = word(s, TG_WORD_report_loss), .cap_y = true, .most_y = cap};
    tg_page_section(s->p, "curves", word(s, TG_WORD_report_curves));
    tg_page_note(s->p, word(s, TG_WORD_tune_curves_meaning));
    tg_chart_draw(s->p, &chart, series, drawn);
}

static tg_status show_curves(const shown *s)
{
    const int64_t n = s->v->ok < MOST_CURVES ? s->v->ok : MOST_CURVES;
    tg_curve *curves = room(s, n, sizeof *curves);
    tg_series *series = room(s, n, sizeof *series);
    const char **hints = room(s, n, sizeof *hints);
    tg_status status = curves && series && hints ? TG_OK : TG_ENOMEM;
    int64_t read = 0;
    while (read < n && !status) {
        char *folder = tg_path_join(s->v->folder, trial_name(s, s->v->trials[read].number));
        status = folder ? tg_curve_read(folder, &curves[read++]) : TG_ENOMEM;
        tg_free(folder);
    }
    if (!status && n > 0) draw_curves(s, curves, series, hints, n);
    for (int64_t i = 0; i < read; i++) tg_curve_free(&curves[i]);
    return status;
}

/* ---- what each setting does --------------------------------------------------------------------------------------------- */

/* Trials of one choice lie side by side, always in the same places. */
static double aside(int64_t number)
{
    const double turn = (double)number * 0.6180339887498949;
    return 0.5 * (turn - floor(turn) - 0.5);
}

static void show_setting(const shown *s, const tg_view_axis *a)
{
    const int64_t n = s->v->ok < MOST_POINTS ? s->v->ok : MOST_POINTS;
    double *x = room(s, n, sizeof *x), *y = room(s, n, sizeof *y);
    const char **hints = room(s, n, sizeof *hints);
    if (!x || !y || !hints) return;
    for (int64_t i = 0; i < n; i++) {
        const tg_view_trial *t = &s->v->trials[i];
        x[i] = tg_study_view_place(s->v, t, a);
        if (a->names) x[i] += aside(t->number);
        y[i] = t->value;
        hints[i] = trial_name(s, t->number);
    }
    const tg_chart chart = {.title = a->key, .y = s->v->metric, .names = a->names, .name_count = a->name_count, .log_x = a->log,
                            .cap_y = s->capped, .most_y = s->cap};
    const tg_series series[] = {{.mark = TG_POINTS, .x = x + 1, .y = y + 1, .hints = hints + 1, .count = n - 1, .faint = true},
                                {.name = hints[0], .mark = TG_POINTS, .x = x, .y = y, .hints = hints, .count = 1}};
    tg_chart_draw(s->p, &chart, series, isnan(x[0]) ? 1 : 2);
}

static void show_settings_one_by_one(const shown *s)
{
    tg_page_section(s->p, "settings", word(s, TG_WORD_tune_by_setting));
    tg_page_note(s->p, word(s, TG_WORD_tune_by_setting_meaning));
    tg_page_side(s->p);
    for (int64_t a = 0; a < s->v->axis_count; a++) show_setting(s, &s->v->axes[a]);
    tg_page_side_end(s->p);
    note_cap(s);
    if (s->v->weight_count == 0) return;
    tg_page_section(s->p, "importance", word(s, TG_WORD_tune_importance));
    tg_page_note(s->p, word(s, TG_WORD_tune_importance_meaning));
    tg_chart_shares(s->p, word(s, TG_WORD_tune_importance), s->v->weighed, s->v->weights, s->v->weight_count);
}

/* ---- what failed -------------------------------------------------------------------------------------------------------- */

static const char *status_word(const shown *s, const char *status)
{
    if (!strcmp(status, "diverged")) return word(s, TG_WORD_tune_status_diverged);
    return !strcmp(status, "failed") ? word(s, TG_WORD_tune_status_failed) : status;
}

static void show_failed(const shown *s)
{
    static const tg_word tail[] = {TG_WORD_tune_status, TG_WORD_tune_reason};
    const int64_t failed = s->v->count - s->v->ok, all = s->v->ok + (failed < MOST_FAILED ? failed : MOST_FAILED);
    if (failed == 0) return;
    tg_page_section(s->p, "failed", word(s, TG_WORD_tune_failed));
    tg_page_note(s->p, word(s, TG_WORD_tune_failed_meaning));
    begin_table(s, tail, 2, NULL, (int)s->v->axis_count + 3);
    for (int64_t i = s->v->ok; i < all; i++) {
        const tg_view_trial *t = &s->v->trials[i];
        tg_page_row(s->p);
        tg_page_cell(s->p, trial_name(s, t->number));
        show_settings(s, t);
        tg_page_cell(s->p, status_word(s, t->status));
        tg_page_cell(s->p, t->message);
    }
    tg_page_table_end(s->p);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

/* What is further from the middle half than three times its width. */
static void find_cap(shown *s)
{
    const int64_t n = s->v->ok;
    const tg_view_trial *t = s->v->trials;
    if (n < 4) return;
    s->cap = t[3 * n / 4].value + 3 * (t[3 * n / 4].value - t[n / 4].value);
    s->capped = t[n - 1].value > s->cap;
}

static tg_status fill(shown *s)
{
    find_cap(s);
    show_ranking(s);
    show_search(s);
    const tg_status status = show_curves(s);
    if (status) return status;
    if (s->v->ok > 0) show_settings_one_by_one(s);
    show_failed(s);
    return TG_OK;
}

static tg_status put(const char *folder, const tg_str *html)
{
    char *path = tg_path_join(folder, "study.html");
    const tg_status s = path && !html->failed ? tg_write_file(path, html->data, html->length) : TG_ENOMEM;
    tg_free(path);
    return s;
}

tg_status tg_study_page(const char *folder, int language)
{
    const tg_lang lang = (tg_lang)language;
    tg_study_view *v = NULL;
    tg_str about = {0}, html = {0};
    tg_status s = tg_study_view_open(folder, &v);
    if (s) return s;
    tg_str_addf(&about, "%s, %lld %s, %s", v->strategy, (long long)v->count, tg_words(lang, TG_WORD_tune_trials), v->metric);
    tg_page p = {.lang = lang, .title = tg_words(lang, TG_WORD_tune_title), .about = about.failed ? NULL : about.data};
    s = fill(&(shown){.p = &p, .v = v});
    const tg_status written = tg_page_write(&p, &html);
    if (!s) s = written;
    if (!s) s = put(folder, &html);
    tg_str_free(&about);
    tg_str_free(&html);
    tg_study_view_close(v);
    return s;
}
