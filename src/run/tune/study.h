/*
 * study.h - a study: what it tries (study.json), what happened (study.jsonl) and the folders of its trials.
 *
 * Jobs are numbered 0, 1, 2 ... in the order in which they are decided. A strategy decides job k from the specification, from jobs
 * 0..k-1 as launched, and from the results of those far enough back, so whoever opens the study again decides the same jobs, and what
 * the log says has ended is not run again. A trial's folder is the truth about its result (result.json or failed.json); the log
 * remembers it, for a trial that is trained on loses the result it had.
 */
#ifndef TG_RUN_TUNE_STUDY_H
#define TG_RUN_TUNE_STUDY_H
#include "base/file.h"
#include "base/json.h"
#include "run/tune/strategy.h"
#include "tinygen/run.h"

typedef enum tg_trial_status { TG_TRIAL_OPEN, TG_TRIAL_OK, TG_TRIAL_FAILED, TG_TRIAL_DIVERGED } tg_trial_status;
const char *tg_trial_status_name(tg_trial_status s);

enum { TG_STUDY_ATTEMPTS = 3 }; /* of a job that ends without a result, in one session */

/* What is known of a job beside what the strategies look at. */
typedef struct tg_study_run {
    tg_trial_status status;
    int64_t steps;                 /* that the trial had when the job ended */
    int attempts;                  /* that ended without a result, in this session */
    double began;                  /* tg_now */
    tg_str message;                /* why it failed, in this session */
} tg_study_run;

/* An end that the log tells of, from an earlier session. */
typedef struct tg_study_end { tg_trial_status status; int64_t trial, rung, steps; double value; } tg_study_end;

typedef struct tg_study {
    tg_context *ctx;
    const tg_search_options *o;
    const tg_train_options *train;
    const tg_keys *keys;           /* gen-train's rows, bound to train, and the model's, bound to config */
    const void *config;
    tg_space *space;
    tg_strategy_options strategy;
    char *folder, *program;        /* absolute; program: of gen-tune */
    char *data, *init;             /* absolute; NULL: none */
    char data_hash[65];
    tg_tune_job *jobs;
    tg_study_run *runs;            /* of each job */
    int64_t count, room;
    int64_t known;                 /* jobs 0..known-1 are known */
    int64_t best;                  /* the job of the least value so far, -1: none */
    tg_study_end *ends;            /* by job */
    int64_t ends_count, ends_room;
    tg_lock *lock;
    tg_appender *log;
    double started, before;        /* tg_now when it was opened; seconds of earlier sessions */
    double busy;                   /* seconds of the jobs that ended in this session, added up */
    int64_t ran;                   /* how many those are */
} tg_study;

/* What the options say of it (search.c). */
tg_strategy_options tg_search_strategy(const tg_search_options *o, const tg_train_options *train);
/* Checks all that can be checked, makes or opens the folder, and reads what has happened. Errors: TG_EUSAGE, TG_EBUSY (another
 * search is at it), TG_EINVAL (another study is in the folder: what differs), TG_EFORMAT (a damaged log), those of reading. */
tg_status tg_study_open(tg_study *s);
void tg_study_close(tg_study *s);
double tg_study_seconds(const tg_study *s); /* all sessions */

/* The next job. */
enum { TG_STUDY_LATER = -1, TG_STUDY_OVER = -2 }; /* not before more is known; there is none */
tg_status tg_study_next(tg_study *s, int64_t *job);
/* Makes the trial's folder ready; *run false: its result is known already, and it is not to be run. */
tg_status tg_study_prepare(tg_study *s, int64_t job, bool *run);
/* Takes down that it runs from now on. */
tg_status tg_study_begin(tg_study *s, int64_t job);
/* Whether a job has ended, as its folder tells; takes it down if so. */
tg_status tg_study_look(tg_study *s, int64_t job, bool *known);
/* Takes down how a job ended, as its folder tells; *again: it tells nothing, and the job is to be run again. code: the process's exit
 * code, 128 + a signal, below 0: nobody knows; for a job that has done so too often. Errors: TG_EIO (it has, and by no fault of its
 * own), those of reading and writing. */
tg_status tg_study_end_job(tg_study *s, int64_t job, int code, bool *again);

/* study_log.c */
/* Whole lines, to ends; *keep: bytes of them, for what a killed process has left of one is not kept. */
tg_status tg_study_read_log(tg_study *s, const char *path, int64_t *keep);
/* event: "start" or "end"; message: why it failed; NULL: nothing to say. */
tg_status tg_study_add_line(tg_study *s, const char *event, int64_t job, const char *message);
/* Takes down how long it took so far, of a study that stops before its end. */
tg_status tg_study_pause(tg_study *s);

/* study_spec.c */
/* study.json. */
tg_status tg_study_spec(const tg_study *s, tg_str *out);
/* Whether what the folder holds is the same study. Errors: TG_EINVAL, with what differs. */
tg_status tg_study_same(const tg_study *s, const char *path, const char *now);
/* config.json of a trial: what is fixed, and its point. */
tg_status tg_study_config(const tg_study *s, const tg_point *p, tg_str *out);
/* Whether what was given fits the space, the models and the data. */
tg_status tg_study_check(tg_study *s);
/* {"lr": 0.001, "hidden": 64}: what applies of a point. */
void tg_study_put_point(const tg_space *s, const tg_point *p, tg_json_writer *w);
void tg_study_put_value(tg_json_writer *w, const char *text); /* a number as one */
void tg_study_put_strategy(const tg_study *s, tg_json_writer *w); /* "strategy": "random" */

/* A JSON file; the tree lives in a. path is freed; NULL: no memory. *out NULL: it is not there. */
tg_status tg_study_read(tg_arena *a, char *path, const tg_json **out);
/* Files of a trial, the caller's by tg_free; NULL: no memory. */
char *tg_study_trial(const char *folder, int64_t trial, const char *name); /* name NULL: the folder */

/* ranking.c: who did best. Of the jobs that are known, the last of each trial: first those with a value, the best first. */
typedef struct tg_ranked { int64_t job, rank; } tg_ranked; /* rank: 1, 2, ...; 0: no value */
tg_status tg_study_rank(const tg_study *s, tg_ranked **out, int64_t *count); /* *out is the caller's by tg_free */
/* For each axis the share of the results' variance that it explains alone; NaN: too few to tell. Of results, their ranks are taken, so
 * that a few awful ones do not decide; of numbers, a few ranges. By an analysis of variance, corrected for chance (epsilon squared). */
tg_status tg_study_importance(const tg_study *s, double out[TG_AXES]);
/* results.c: ranking.json, best.json and study.html, written anew. */
tg_status tg_study_results(tg_study *s);
/* Of this session: jobs at once (0: somebody else knows), how long in all. */
typedef struct tg_study_use { int64_t jobs; double seconds; } tg_study_use;
/* To the output hook: a table, or, as is asked for, an object. */
tg_status tg_study_tell(tg_study *s, const tg_study_use *use);
#endif
