/*
 * strategy.h - which trial is next: pure functions of the past, so that a study is the same whoever runs it, however often it is
 * killed, and however many trials run at once.
 *
 * Job 0, 1, ... of a study is decided from all jobs before it as launched and from the results of jobs[0..seen) only. Whoever
 * runs them takes as `seen` of job k the number k - lag (0 where that is negative), waits until all those results are in, and,
 * where the answer is `wait`, asks again with seen + 1, up to k: the least number that gives an answer is the study's, never a
 * higher one, whatever else is known by then.
 */
#ifndef TG_RUN_TUNE_STRATEGY_H
#define TG_RUN_TUNE_STRATEGY_H
#include "run/tune/space.h"

typedef struct tg_tune_job {
    int64_t trial, rung, until;  /* until 0: to the end */
    tg_point point;
    bool known;                  /* its result is in */
    double value;                /* less is better; NaN: failed or diverged (counts as worst) */
} tg_tune_job;

/* random: points that fill the space evenly (scrambled Halton); grid: each point once; asha: the same points as random, trained
 * on only while they are among the best 1/reduction of their rung (Li et al. 2018, arXiv:1810.05934); tpe: where good results lie
 * closer together than the others (Bergstra et al. 2011; Watanabe 2023, arXiv:2304.11127). */
#define TG_STRATEGY_CHOICES "random|grid|asha|tpe"
typedef enum tg_strategy { TG_STRATEGY_RANDOM, TG_STRATEGY_GRID, TG_STRATEGY_ASHA, TG_STRATEGY_TPE } tg_strategy;

typedef struct tg_strategy_options {
    int64_t kind;                      /* tg_strategy */
    int64_t trials;                    /* 0: no end; of a grid: all its points */
    int64_t lag, steps;                /* steps of a whole trial */
    int64_t rungs, reduction;          /* asha */
    uint64_t seed;
} tg_strategy_options;

/* Whether these go together, before anything runs. Errors: TG_EUSAGE (a grid of more than a million points without a number of
 * trials, rungs shorter than a step, so few trials that none would reach the last rung). */
tg_status tg_strategy_check(const tg_strategy_options *o, const tg_space *s);
/* The next job after jobs[0..count); all of jobs[0..seen) are known. *more false: there is none; or, with *wait true, none until
 * more results may be looked at. */
tg_status tg_strategy_next(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                           tg_tune_job *out, bool *more, bool *wait);
/* Steps that a job of that rung ends at; the last one's are all. */
int64_t tg_strategy_steps(const tg_strategy_options *o, int64_t rung);
#endif
