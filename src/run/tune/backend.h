/* backend.h - who runs the jobs of a study: our own pool of processes, or an engine that is there already. A job file of theirs
 * says no more than "./gen-tune trial 7", in the study's folder: what the trial is lies in trials/0007/config.json, and how far
 * it is to go in job.json beside it. */
#ifndef TG_RUN_TUNE_BACKEND_H
#define TG_RUN_TUNE_BACKEND_H
#include "tinygen/base.h"

typedef struct tg_backend_run {
    tg_context *ctx;
    const char *folder;                              /* the study's, absolute */
    const int64_t *trials;                           /* what to run now; each trial is there once */
    int64_t count, jobs, threads;                    /* at once (0: as many as there may be, elsewhere only); of each */
    double end;                                      /* of the budget, by tg_now: what still runs then is told to save and end */
    bool (*over)(void *user, int64_t i); void *user; /* whether i of them is, by its folder; the study takes it down then */
} tg_backend_run;

typedef struct tg_backend {
    const char *name;
    bool elsewhere;                       /* on other machines: how many cores this one has says nothing */
    /* Returns when all have ended, with or without a result; TG_ECANCELLED when they have been told to save and end. Whatever is
     * left without a result is run again by the study. NULL: the study's own pool, which is fed job by job. */
    tg_status (*run)(const tg_backend_run *r);
} tg_backend;

extern const tg_backend tg_backend_make, tg_backend_parallel, tg_backend_slurm;

#define TG_BACKEND_CHOICES "local|make|parallel|slurm"
/* By position in TG_BACKEND_CHOICES. */
const tg_backend *tg_backend_at(int64_t i);
#endif
