/*
 * tpe.c - tree-structured Parzen estimator (Bergstra et al. 2011), as Watanabe 2023 (arXiv:2304.11127) advises: results are split
 * into a few good ones and the rest, each part is a density over the space, and of some points drawn from the good one that is
 * next at which good over rest is largest.
 *
 * A density is a mean of kernels, one for each trial and one, the prior, that is the same everywhere. A kernel is a product over
 * axes (so it knows which values go together): a normal curve cut off at the ends, its share of a whole number's cell, or, of
 * choices without order, most weight on the trial's own. An axis that did not apply to the trial counts as the prior does: so
 * trials of one model say nothing of keys that only another has. Axes lie in 0..1.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"
#include "base/sort.h"
#include "run/tune/strategy_parts.h"

static const double good_share = 0.1; /* of the results, */
static const double good_most = 25;   /* but no more than so many */
static const double spread = 0.1;     /* width of a single kernel, as a share of its axis; */
static const double narrowest = 0.03; /* no kernel is narrower */
static const double least = 1e-9;     /* of a kernel: products over all axes stay above 0 */
enum { FIRST = 10, CANDIDATES = 24, TRIES = 64 };

/* A trial along one axis; of choices without order only the value counts. NaN: as the prior. */
typedef struct kernel { double value, mu, scale; } kernel;

/* One of the two densities. */
typedef struct density {
    const tg_space *s;
    const kernel *kernels; /* [count, axes] */
    int64_t count;
    double width[TG_AXES];
} density;

/* A point along one axis; of choices without order, and of what does not apply, only the value counts. */
typedef struct place { double value, begin, end, prior; } place;

static bool is_number(const tg_axis *a)
{
    return a->kind != TG_AXIS_CHOICE || a->ordered;
}

/* Share of a normal curve below x. */
static double below(double x)
{
    return 0.5 * (1 + (double)tg_erff((float)(x * 0.70710678118654752)));
}

static double middle(const tg_axis *a, double value)
{
    double begin, end;
    tg_axis_cell(a, value, &begin, &end);
    return (begin + end) / 2;
}

/* Kernels get narrower with more of them, and slower so with more axes (Scott 1992). */
static void set_widths(density *d)
{
    const double n = (double)(d->count > 1 ? d->count : 1);
    for (int i = 0; i < d->s->count; i++) {
        const double w = spread * (double)tg_expf(-tg_logf((float)n) / (float)(d->s->count + 4));
        d->width[i] = w > narrowest ? w : narrowest;
    }
}

/* Of a trial's own choice; the rest goes to all of them alike. The more trials there are, the less the prior counts. */
static double own_weight(const density *d)
{
    return (double)(d->count + 1) / (double)(d->count + 2);
}

static kernel kernel_at(const density *d, int axis, double value)
{
    const tg_axis *a = &d->s->axes[axis];
    kernel k = {.value = value};
    if (isnan(value) || !is_number(a)) return k;
    const double w = d->width[axis];
    k.mu = middle(a, value);
    k.scale = 1 / (below((1 - k.mu) / w) - below(-k.mu / w)); /* what is cut off at the ends is missing elsewhere */
    return k;
}

static place place_at(const tg_axis *a, double value)
{
    place p = {.value = value};
    if (isnan(value)) return p;
    tg_axis_cell(a, value, &p.begin, &p.end);
    p.prior = p.end > p.begin ? p.end - p.begin : 1;
    return p;
}

/* A kernel along one axis at a place: a density, or a cell's share. */
static double kernel_in(const density *d, int axis, const kernel *k, const place *p)
{
    const tg_axis *a = &d->s->axes[axis];
    if (isnan(k->value)) return p->prior;
    if (!is_number(a)) {
        const double own = own_weight(d), other = (1 - own) / (double)a->count;
        return other + (k->value == p->value ? own : 0);
    }
    const double w = d->width[axis], from = (p->begin - k->mu) / w, to = (p->end - k->mu) / w;
    if (from > 6 || to < -6) return least;
    if (to > from) return least + k->scale * (below(to) - below(from));
    return least + k->scale * (double)tg_expf((float)(-0.5 * from * from)) / (w * 2.50662827463100050);
}

static double density_at(const density *d, const tg_point *x)
{
    place at[TG_AXES];
    double sum = 1; /* the prior */
    for (int i = 0; i < d->s->count; i++) {
        at[i] = place_at(&d->s->axes[i], x->at[i]);
        if (!isnan(x->at[i])) sum *= at[i].prior;
    }
    for (int64_t k = 0; k < d->count; k++) {
        double product = 1;
        for (int i = 0; i < d->s->count; i++)
            if (!isnan(x->at[i])) product *= kernel_in(d, i, &d->kernels[k * d->s->count + i], &at[i]);
        sum += product;
    }
    return sum / (double)(d->count + 1);
}

static double unit(tg_rng *r)
{
    return ((double)tg_rng_u32(r) + 0.5) * 0x1p-32;
}

/* A value along one axis from the kernel around `from`; NaN: from the prior. */
static double draw_along(const density *d, int axis, double from, tg_rng *r)
{
    const tg_axis *a = &d->s->axes[axis];
    if (isnan(from)) return tg_axis_value(a, unit(r));
    if (!is_number(a)) return unit(r) < own_weight(d) ? from : tg_axis_value(a, unit(r));
    const double mu = middle(a, from);
    double x = -1;
    for (int i = 0; i < TRIES && (x < 0 || x > 1); i++) x = mu + d->width[axis] * (double)tg_rng_normal(r);
    return tg_axis_value(a, x);
}

static void draw(const density *d, tg_rng *r, tg_point *out)
{
    const int64_t k = tg_rng_below(r, d->count + 1);
    for (int i = 0; i < d->s->count; i++)
        out->at[i] = draw_along(d, i, k == d->count ? NAN : d->kernels[k * d->s->count + i].value, r);
    for (int i = 0; i < d->s->count; i++)
        if (!tg_space_applies(d->s, i, out)) out->at[i] = NAN;
}

static bool same_point(const tg_space *s, const tg_point *a, const tg_point *b)
{
    for (int i = 0; i < s->count; i++)
        if (a->at[i] != b->at[i] && !(isnan(a->at[i]) && isnan(b->at[i]))) return false;
    return true;
}

static bool launched(const tg_space *s, const tg_tune_job *jobs, int64_t count, const tg_point *p)
{
    for (int64_t i = 0; i < count; i++)
        if (same_point(s, &jobs[i].point, p)) return true;
    return false;
}

/* The next quasi-random point that has not been launched; any, where there seems to be none. */
static void draw_fresh(const tg_space *s, const tg_tune_job *jobs, int64_t count, uint64_t seed, tg_point *out)
{
    bool fresh = false;
    for (int64_t n = count; !fresh && n < count + TRIES; n++) {
        tg_quasi_point(s, seed, n, out);
        fresh = !launched(s, jobs, count, out);
    }
}

/* The best of some points drawn from the good density; what has been launched already is not asked for again. */
static void choose(const density *good, const density *rest, const tg_tune_job *jobs, int64_t count, uint64_t seed, tg_point *out)
{
    tg_rng r = tg_rng_at(seed, TG_RNG_TUNE, UINT64_C(1) << 63 | (uint64_t)count);
    double best = 0;
    int found = 0;
    for (int i = 0; i < CANDIDATES * 8 && found < CANDIDATES; i++) {
        tg_point p;
        draw(good, &r, &p);
        if (launched(good->s, jobs, count, &p)) continue;
        const double ratio = density_at(good, &p) / density_at(rest, &p);
        if (found++ == 0 || ratio > best) {
            best = ratio;
            *out = p;
        }
    }
    if (!found) draw_fresh(good->s, jobs, count, seed, out);
}

/* The better result first, failed ones last; of equals the earlier. */
static int by_value(const void *a, const void *b, void *user)
{
    const tg_tune_job *jobs = *(const tg_tune_job *const *)user;
    const int64_t i = *(const int64_t *)a, k = *(const int64_t *)b;
    const double x = jobs[i].value, y = jobs[k].value;
    if (x < y || (!isnan(x) && isnan(y))) return -1;
    if (x > y || (isnan(x) && !isnan(y))) return 1;
    return i < k ? -1 : i > k;
}

tg_status tg_tpe_point(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_point *out)
{
    int64_t results = 0;
    for (int64_t i = 0; i < seen; i++) results += !isnan(jobs[i].value);
    if (results < FIRST) {
        draw_fresh(s, jobs, count, o->seed, out);
        return TG_OK;
    }
    int64_t *order = tg_alloc_array(count + seen, sizeof *order);
    kernel *kernels = tg_alloc_array(count * s->count, sizeof *kernels);
    if (order && kernels) {
        for (int64_t i = 0; i < count; i++) order[i] = i;
        tg_sort(order, seen, sizeof *order, order + count, by_value, &jobs);
        /* what runs still is among the rest: so the next trial is not beside it */
        const double share = ceil(good_share * (double)results);
        density good = {.s = s, .kernels = kernels, .count = (int64_t)(share < good_most ? share : good_most)};
        density rest = {.s = s, .kernels = kernels + good.count * s->count, .count = count - good.count};
        set_widths(&good);
        set_widths(&rest);
        for (int64_t k = 0; k < count; k++)
            for (int i = 0; i < s->count; i++)
                kernels[k * s->count + i] = kernel_at(k < good.count ? &good : &rest, i, jobs[order[k]].point.at[i]);
        choose(&good, &rest, jobs, count, o->seed, out);
    }
    const tg_status status = order && kernels ? TG_OK : TG_ENOMEM;
    tg_free(order);
    tg_free(kernels);
    return status;
}
