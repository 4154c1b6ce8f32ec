/* backend.h - who runs the jobs of a study: our own pool of processes, or an engine that is there already. A job file of theirs
 * says no more than "./gen-tune trial 7", in the study's folder: what the trial is lies in trials/0007/config.json, and how far it
 * is to go in job.json beside it. */
#ifndef TG_RUN_TUNE_BACKEND_H
#define TG_RUN_TUNE_BACKEND_H
#include "tinygen/base.h"

typedef struct tg_backend_run {
    tg_context *ctx;
    const char *folder;                               /* the study's, absolute */
    const int64_t *trials, *untils;                   /* what to run now; each trial is there once */
    int64_t count, jobs, threads;                     /* jobs at once, threads of each */
    void (*ended)(void *user, int64_t i); void *user; /* i of them is over, as soon as the backend knows; its result is in its folder */
} tg_backend_run;

typedef struct tg_backend {
    const char *name, *needs;             /* needs: the program that must be installed; NULL: none */
    /* Returns when all are over, with or without a result; TG_ECANCELLED with children ended and saved. Whatever is left without
     * a result is run again, three times in all. NULL: the study's own pool, which is fed job by job. */
    tg_status (*run)(tg_backend_run *r);
} tg_backend;

#define TG_BACKEND_CHOICES "local"
/* By position in TG_BACKEND_CHOICES. */
const tg_backend *tg_backend_at(int64_t i);
#endif
