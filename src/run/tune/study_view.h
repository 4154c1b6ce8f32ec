/* study_view.h - a study as its files tell of it, for those who look at it: ranking.json, study.jsonl, and what failed. */
#ifndef TG_RUN_TUNE_STUDY_VIEW_H
#define TG_RUN_TUNE_STUDY_VIEW_H
#include "base/json.h"

/* What was varied. */
typedef struct tg_view_axis {
    const char *key;
    bool log;
    const char *const *names; /* choices; NULL: a range of numbers */
    int64_t name_count;
} tg_view_axis;

typedef struct tg_view_trial {
    int64_t number, steps;    /* steps: that it was trained; 0: nobody knows */
    const char *status;       /* "ok", "failed", "diverged" */
    const char *message;      /* why it failed; NULL: nobody knows */
    double value;             /* less is better; NAN: none */
    const tg_json *values;    /* {"lr": 0.001, "model": "gru"}; what does not apply is not there */
} tg_view_trial;

/* A job that has ended, in the order in which jobs were decided. spent: steps of all jobs up to it. */
typedef struct tg_view_end { int64_t job, trial, steps; double value, spent; } tg_view_end;

typedef struct tg_study_view {
    const char *folder, *metric, *strategy, *data; /* data: of the trials, or NULL */
    tg_view_axis *axes;
    int64_t axis_count;
    tg_view_trial *trials;    /* the best first; those without a value last */
    int64_t count, ok;        /* ok: how many have one */
    const char **weighed;     /* keys by importance, the most important first ... */
    double *weights;          /* ... and how much, of 1 */
    int64_t weight_count;
    tg_view_end *ends;
    int64_t end_count;
    bool rungs;               /* trials are trained in several jobs */
    tg_arena *arena;
} tg_study_view;

/* Errors: TG_EIO, TG_EFORMAT (files that are none of a study's), TG_ENOMEM. */
tg_status tg_study_view_open(const char *folder, tg_study_view **out);
void tg_study_view_close(tg_study_view *v); /* NULL is fine */
/* A value as text, in the view's memory; NULL: it does not apply, or there was no memory. */
const char *tg_study_view_text(const tg_study_view *v, const tg_view_trial *t, const char *key);
/* Where it is on its axis: the number, or the position of the choice; NAN: nowhere. */
double tg_study_view_place(const tg_study_view *v, const tg_view_trial *t, const tg_view_axis *a);
#endif
