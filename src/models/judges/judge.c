/* judge.c - what the judges share: checks, standardised numbers, the highest score. */
#include "models/judges/judge_parts.h"

#include "base/alloc.h"

#include <math.h>

struct tg_judge {
    const tg_judge_row *row;
    void *learned;
    int64_t d, K;
};

static const tg_judge_row *const rows[TG_JUDGE_KINDS] = {&tg_judge_logistic, &tg_judge_tree, &tg_judge_svm};

const char *tg_judge_name(tg_judge_kind kind)
{
    return rows[kind]->name;
}

double tg_judge_dot(const double *w, const float *x, int64_t d)
{
    double sums[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (int lane = 0; lane < 4; lane++) sums[lane] += w[i + lane] * (double)x[i + lane];
    for (int lane = 0; i < d; i++, lane++) sums[lane] += w[i] * (double)x[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void tg_judge_planes(const void *planes, const float *x, int64_t d, int64_t K, double *scores)
{
    const double *w = planes;
    for (int64_t k = 0; k < K; k++, w += d + 1) scores[k] = tg_judge_dot(w, x, d) + w[d];
}

/* ---- standardising ----------------------------------------------------------------------------------------------------- */

typedef struct standard { double *mean, *scale; } standard; /* [d]: x becomes (x - mean)·scale */

/* A feature that never changes says nothing: it becomes 0. */
static void measure(const tg_examples *e, standard *s)
{
    const int64_t d = e->d;
    for (int64_t i = 0; i < e->n; i++)
        for (int64_t f = 0; f < d; f++) s->mean[f] += (double)e->x[i * d + f];
    for (int64_t f = 0; f < d; f++) s->mean[f] /= (double)e->n;
    for (int64_t i = 0; i < e->n; i++)
        for (int64_t f = 0; f < d; f++) {
            const double off = (double)e->x[i * d + f] - s->mean[f];
            s->scale[f] += off * off;
        }
    for (int64_t f = 0; f < d; f++) {
        const double deviation = sqrt(s->scale[f] / (double)e->n);
        s->scale[f] = deviation > 1e-9 * fabs(s->mean[f]) ? 1 / deviation : 0;
    }
}

static void standardise(const tg_examples *e, const standard *s, float *out)
{
    for (int64_t i = 0; i < e->n; i++)
        for (int64_t f = 0; f < e->d; f++, out++) *out = (float)(((double)e->x[i * e->d + f] - s->mean[f]) * s->scale[f]);
}

/* w·((x - mean)·scale) + b  =  (w·scale)·x + (b - w·(mean·scale)) */
static void undo(double *w, const standard *s, int64_t d, int64_t K)
{
    for (int64_t k = 0; k < K; k++, w += d + 1)
        for (int64_t f = 0; f < d; f++) {
            w[f] *= s->scale[f];
            w[d] -= w[f] * s->mean[f];
        }
}

static tg_status fit_planes(const tg_judge_row *row, const tg_examples *e, uint64_t seed, void **out)
{
    standard s = {tg_alloc_array(e->d, sizeof *s.mean), tg_alloc_array(e->d, sizeof *s.scale)};
    float *x = tg_alloc_array(e->n, e->d * (int64_t)sizeof *x);
    tg_status status = s.mean && s.scale && x ? TG_OK : TG_ENOMEM;
    if (!status) {
        measure(e, &s);
        standardise(e, &s, x);
        status = row->fit(&(tg_examples){.x = x, .y = e->y, .n = e->n, .d = e->d, .K = e->K}, seed, out);
    }
    if (!status) undo(*out, &s, e->d, e->K);
    tg_free(s.mean);
    tg_free(s.scale);
    tg_free(x);
    return status;
}

/* ---- fitting and judging --------------------------------------------------------------------------------------------------- */

static tg_status check(const tg_examples *e)
{
    if (e->n < 1 || e->d < 1 || e->K < 2 || e->n > INT32_MAX || e->d > INT32_MAX - 1 || e->K > TG_JUDGE_CLASSES)
        return tg_fail(TG_EINVAL, "there is nothing that a judge could learn from %lld examples of %lld numbers in %lld classes",
                       (long long)e->n, (long long)e->d, (long long)e->K);
    for (int64_t i = 0; i < e->n; i++)
        if (e->y[i] < 0 || e->y[i] >= e->K)
            return tg_fail(TG_EINVAL, "example %lld is of class %d; classes are 0 to %lld", (long long)i, (int)e->y[i],
                           (long long)e->K - 1);
    for (int64_t i = 0; i < e->n * e->d; i++)
        if (!isfinite(e->x[i]))
            return tg_fail(TG_EINVAL, "number %lld of example %lld is not finite", (long long)(i % e->d), (long long)(i / e->d));
    return TG_OK;
}

tg_status tg_judge_fit(tg_judge_kind kind, const float *x, const int32_t *y, int64_t n, int64_t d, int64_t K, uint64_t seed,
                       tg_judge **out)
{
    const tg_examples e = {.x = x, .y = y, .n = n, .d = d, .K = K};
    tg_status s = check(&e);
    if (s) return s;
    tg_judge *j = tg_alloc(sizeof *j);
    if (!j) return TG_ENOMEM;
    *j = (tg_judge){.row = rows[kind], .d = d, .K = K};
    s = j->row->planes ? fit_planes(j->row, &e, seed, &j->learned) : j->row->fit(&e, seed, &j->learned);
    if (s) tg_judge_free(j);
    else *out = j;
    return s;
}

void tg_judge_free(tg_judge *j)
{
    if (!j) return;
    if (j->learned) j->row->free(j->learned);
    tg_free(j);
}

void tg_judge_score(const tg_judge *j, const float *x, int64_t n, double *scores)
{
    for (int64_t i = 0; i < n; i++) j->row->score(j->learned, x + i * j->d, j->d, j->K, scores + i * j->K);
}

void tg_judge_predict(const tg_judge *j, const float *x, int64_t n, int32_t *classes)
{
    double scores[TG_JUDGE_CLASSES];
    for (int64_t i = 0; i < n; i++) {
        int32_t best = 0;
        tg_judge_score(j, x + i * j->d, 1, scores);
        for (int32_t k = 1; k < (int32_t)j->K; k++) best = scores[k] > scores[best] ? k : best;
        classes[i] = best;
    }
}
