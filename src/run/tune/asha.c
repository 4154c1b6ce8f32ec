/* asha.c - asynchronous successive halving (Li et al. 2018, arXiv:1810.05934, algorithm 2), of results that may be seen only. */
#include "base/alloc.h"
#include "run/tune/strategy_parts.h"

/* Among the best 1/reduction of a rung the first that has not gone on; -1: all have. A trial that failed never does. room: of as
 * many numbers as there are jobs, three times. */
static int64_t promotable(const tg_strategy_options *o, const tg_tune_job *jobs, int64_t count, int64_t seen, int64_t rung, int64_t *room)
{
    int64_t *order = room, *scratch = room + count, *went_on = room + 2 * count, n = 0; /* went_on: by trial */
    for (int64_t i = 0; i < count; i++) went_on[i] = 0;
    for (int64_t i = 0; i < count; i++) went_on[jobs[i].trial] |= jobs[i].rung > rung;
    for (int64_t i = 0; i < seen; i++)
        if (jobs[i].rung == rung) order[n++] = i;
    tg_best_first(jobs, order, n, scratch);
    for (int64_t k = 0; k < n / o->reduction; k++) {
        const tg_tune_job *j = &jobs[order[k]];
        if (j->value == j->value && !went_on[j->trial]) return order[k];
    }
    return -1;
}

tg_status tg_asha_next(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_tune_job *out, bool *more, bool *wait)
{
    int64_t *room = tg_alloc_array(3 * count + 1, sizeof *room), best = -1, rung = o->rungs - 1;
    if (!room) return TG_ENOMEM;
    while (best < 0 && rung > 0) best = promotable(o, jobs, count, seen, --rung, room);
    tg_free(room);
    const int64_t trials = tg_trials_of(jobs, count);
    if (best >= 0) *out = (tg_tune_job){.trial = jobs[best].trial, .rung = rung + 1, .point = jobs[best].point};
    else {
        *wait = o->trials > 0 && trials >= o->trials && seen < count;
        if (o->trials > 0 && trials >= o->trials) return TG_OK;
        *out = (tg_tune_job){.trial = trials};
        tg_quasi_point(s, o->seed, trials, &out->point);
    }
    out->until = out->rung < o->rungs - 1 ? tg_strategy_steps(o, out->rung) : 0;
    *more = true;
    return TG_OK;
}
