/* backend_parallel.c - trials by GNU parallel: their numbers, one a line, in the file joblist of the study's folder. */
#include <stdio.h>

#include "run/tune/wave.h"

#define NEEDS "--backend parallel needs GNU parallel (Debian: parallel), which is not here"

static tg_status write_list(const tg_wave *w)
{
    tg_str text = {0};
    for (int64_t i = 0; i < w->run->count; i++)
        if (!w->over[i]) tg_str_addf(&text, "%lld\n", (long long)w->run->trials[i]);
    return tg_wave_put(w, "joblist", &text);
}

static tg_status run(const tg_backend_run *r)
{
    tg_wave w;
    char jobs[32], threads[32];
    /* --plain: no settings of the user's. --termseq: time to save where the default kills after a third of a second. */
    const char *const argv[] = {"env", "PARALLEL_SHELL=/bin/sh", "parallel", "--plain", "--will-cite", "--ungroup", jobs,
                                "--termseq", "TERM,60000,KILL,25", "--joblog", "joblog", "--arg-file", "joblist",
                                "./gen-tune", "trial", "{}", "--threads", threads, "-q", NULL};
    snprintf(jobs, sizeof jobs, "--jobs=%lld", (long long)r->jobs);
    snprintf(threads, sizeof threads, "%lld", (long long)r->threads);
    tg_status s = tg_wave_begin(&w, r);
    if (!s) s = tg_wave_needs(&w, "parallel", "GNU parallel", NEEDS);
    if (!s) s = write_list(&w);
    if (!s) s = tg_wave_work(&w, argv);
    tg_wave_end(&w);
    return s;
}

const tg_backend tg_backend_parallel = {.name = "parallel", .run = run};
