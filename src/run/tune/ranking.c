/* ranking.c - who did best, and which axes it depended on. */
#include <math.h>

#include "base/alloc.h"
#include "base/sort.h"
#include "run/tune/study.h"

enum { BINS = 5 };

/* ---- ranking -------------------------------------------------------------------------------------------------------------------- */

/* The better result first, no result last; of equals the earlier trial. */
static int compare(const void *a, const void *b, void *user)
{
    const tg_study *s = user;
    const tg_tune_job *x = &s->jobs[((const tg_ranked *)a)->job], *y = &s->jobs[((const tg_ranked *)b)->job];
    if (isnan(x->value) != isnan(y->value)) return isnan(x->value) ? 1 : -1;
    if (x->value < y->value) return -1;
    if (x->value > y->value) return 1;
    return x->trial < y->trial ? -1 : x->trial > y->trial;
}

static int64_t trials_of(const tg_study *s)
{
    int64_t n = 0;
    for (int64_t k = 0; k < s->count; k++)
        if (s->jobs[k].trial >= n) n = s->jobs[k].trial + 1;
    return n;
}

tg_status tg_study_rank(const tg_study *s, tg_ranked **out, int64_t *count)
{
    const int64_t n = trials_of(s);
    tg_ranked *list = tg_alloc_array(n + 1, sizeof *list), *scratch = tg_alloc_array(n + 1, sizeof *scratch);
    if (!list || !scratch) {
        tg_free(list);
        tg_free(scratch);
        return TG_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++) list[i].job = -1;
    for (int64_t k = 0; k < s->count; k++) /* rungs of a trial come in order */
        if (s->jobs[k].known) list[s->jobs[k].trial].job = k;
    *count = 0;
    for (int64_t i = 0; i < n; i++)
        if (list[i].job >= 0) list[(*count)++].job = list[i].job;
    tg_sort(list, *count, sizeof *list, scratch, compare, (void *)(uintptr_t)s);
    for (int64_t i = 0; i < *count; i++) list[i].rank = isnan(s->jobs[list[i].job].value) ? 0 : i + 1;
    tg_free(scratch);
    *out = list;
    return TG_OK;
}

/* ---- importance ----------------------------------------------------------------------------------------------------------------- */

typedef struct numbered { double x; int64_t i; } numbered;

static int by_number(const void *a, const void *b, void *user)
{
    const numbered *x = a, *y = b;
    (void)user;
    if (x->x < y->x) return -1;
    if (x->x > y->x) return 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

/* Ranks from 0, of equals the mean of theirs. room: 2 n. */
static void midranks(const double *x, int64_t n, numbered *room, double *out)
{
    for (int64_t i = 0; i < n; i++) room[i] = (numbered){x[i], i};
    tg_sort(room, n, sizeof *room, room + n, by_number, NULL);
    for (int64_t i = 0, end = 0; i < n; i = end) {
        while (end < n && !(room[i].x < room[end].x)) end++;
        for (int64_t k = i; k < end; k++) out[room[k].i] = (double)(i + end - 1) / 2;
    }
}

typedef struct group { double sum; int64_t members; } group;

/* Epsilon squared of a one-way analysis (Kelley 1935): 1 - (SSW / (n - G)) / (SST / (n - 1)), at least 0. which: of each its group. */
static double explained(const double *y, const int64_t *which, int64_t n, group *groups)
{
    const double mean = (double)(n - 1) / 2; /* of ranks */
    double total = 0, within = 0;
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) {
        group *g = &groups[which[i]];
        used += g->members++ == 0;
        g->sum += y[i];
    }
    for (int64_t i = 0; i < n; i++) {
        const double own = groups[which[i]].sum / (double)groups[which[i]].members;
        within += (y[i] - own) * (y[i] - own);
        total += (y[i] - mean) * (y[i] - mean);
    }
    if (used < 2 || n < used + 2 || !(total > 0)) return NAN;
    const double share = 1 - within / (double)(n - used) * (double)(n - 1) / total;
    return share > 0 ? share : 0;
}

/* Room for as many as there are jobs. */
typedef struct sample { double *value, *at, *rank; int64_t *which; numbered *room; group *groups; } sample;

static double importance_of(const tg_study *s, int axis, const sample *m)
{
    const tg_axis *a = &s->space->axes[axis];
    int64_t n = 0;
    for (int64_t k = 0; k < s->count; k++) { /* of asha, the first rung: results of equally long trainings */
        const tg_tune_job *j = &s->jobs[k];
        if (!j->known || j->rung != 0 || !tg_space_applies(s->space, axis, &j->point)) continue;
        m->value[n] = isnan(j->value) ? (double)INFINITY : j->value;
        m->at[n++] = j->point.at[axis];
    }
    const int64_t root = (int64_t)sqrt((double)n), bins = root < BINS ? root : BINS;
    midranks(m->at, n, m->room, m->rank);
    for (int64_t i = 0; i < n; i++)
        m->which[i] = a->kind == TG_AXIS_CHOICE ? (int64_t)m->at[i] : (int64_t)((m->rank[i] + 0.5) * (double)bins / (double)n);
    midranks(m->value, n, m->room, m->rank);
    return explained(m->rank, m->which, n, m->groups);
}

tg_status tg_study_importance(const tg_study *s, double out[TG_AXES])
{
    const int64_t n = s->count + 1;
    int64_t most = BINS;
    for (int i = 0; i < s->space->count; i++)
        if (s->space->axes[i].kind == TG_AXIS_CHOICE && s->space->axes[i].count > most) most = s->space->axes[i].count;
    const sample m = {.value = tg_alloc_array(n, sizeof *m.value), .at = tg_alloc_array(n, sizeof *m.at),
                      .rank = tg_alloc_array(n, sizeof *m.rank), .which = tg_alloc_array(n, sizeof *m.which),
                      .room = tg_alloc_array(2 * n, sizeof *m.room), .groups = tg_alloc_array(most, sizeof *m.groups)};
    tg_status status = m.value && m.at && m.rank && m.which && m.room && m.groups ? TG_OK : TG_ENOMEM;
    for (int i = 0; i < s->space->count && !status; i++) {
        for (int64_t g = 0; g < most; g++) m.groups[g] = (group){0};
        out[i] = importance_of(s, i, &m);
    }
    tg_free(m.value);
    tg_free(m.at);
    tg_free(m.rank);
    tg_free(m.which);
    tg_free(m.room);
    tg_free(m.groups);
    return status;
}
