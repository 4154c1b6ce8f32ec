/* asha.c - asynchronous successive halving (Li et al. 2018, arXiv:1810.05934, algorithm 2), of results that may be seen only. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "run/tune/strategy_parts.h"

/* The best trial of a rung that has not gone on, if it is among the best 1/reduction of all there; its job, or -1. A trial that
 * failed never goes on. went_on: room for a mark for each trial. */
static int64_t promotable(const tg_strategy_options *o, const tg_tune_job *jobs, int64_t count, int64_t seen, int64_t rung,
                          bool *went_on)
{
    int64_t best = -1, all = 0, better = 0;
    memset(went_on, 0, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        if (jobs[i].rung > rung) went_on[jobs[i].trial] = true;
    for (int64_t i = 0; i < seen; i++) {
        const tg_tune_job *j = &jobs[i];
        if (j->rung != rung || isnan(j->value) || went_on[j->trial]) continue;
        if (best < 0 || j->value < jobs[best].value) best = i;
    }
    for (int64_t i = 0; i < seen && best >= 0; i++) {
        if (jobs[i].rung != rung) continue;
        all++;
        better += jobs[i].value < jobs[best].value || (jobs[i].value == jobs[best].value && i < best);
    }
    return best >= 0 && better < all / o->reduction ? best : -1;
}

tg_status tg_asha_next(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_tune_job *out, bool *more, bool *wait)
{
    bool *room = tg_alloc(count + 1);
    int64_t best = -1, rung = o->rungs - 1, trials = 0;
    if (!room) return TG_ENOMEM;
    while (best < 0 && rung > 0) best = promotable(o, jobs, count, seen, --rung, room);
    tg_free(room);
    for (int64_t i = 0; i < count; i++) trials += jobs[i].rung == 0;
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
