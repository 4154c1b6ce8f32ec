/*
 * svm.c - linear support vector machines, one a class: its examples have t = 1, all others t = -1, and the plane w shall have
 * them on its two sides, at a distance of 1 at least:
 *
 *     minimise over w  1/2·|w|² + C·sum over i of max(0, 1 - t_i·w·x_i)²        C = 1; the offset is the weight of a feature 1
 *
 * A small |w| is a wide margin. In the dual every example has a weight a_i >= 0, and w = sum of a_i·t_i·x_i; the examples whose
 * weight is not 0 are the support vectors. There a single a_i can be chosen best while the others stay, which is one division:
 *
 *     g = t_i·w·x_i - 1 + a_i/(2C),   a_i := max(0, a_i - g/(|x_i|² + 1/(2C)))
 *
 * and so all in turn, in another order every time, until no a_i would still move much. This is the algorithm of liblinear, which
 * scikit-learn's LinearSVC calls: Hsieh et al. 2008, "A dual coordinate descent method for large-scale linear SVM".
 *
 * Cost: 4·n·d operations a pass, up to 200 passes a class; memory n doubles.
 */
#include "models/judges/judge_parts.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>

enum { PASSES = 200 };
static const double C = 1, STILL = 1e-3; /* STILL: of the largest g of a pass */

typedef struct duals { double *a, *squares; int64_t *order; } duals; /* [n] */

/* One pass over all; returns the largest step that an example asked for. */
static double pass(const tg_examples *e, int32_t k, const duals *dual, double *w)
{
    const int64_t d = e->d;
    double most = 0;
    for (int64_t at = 0; at < e->n; at++) {
        const int64_t i = dual->order[at];
        const float *x = e->x + i * d;
        const double t = e->y[i] == k ? 1 : -1, before = dual->a[i];
        const double g = t * (tg_judge_dot(w, x, d) + w[d]) - 1 + before / (2 * C);
        if (before == 0 && g >= 0) continue; /* it lies beyond the margin and has no weight to lose */
        const double wanted = before - g / (dual->squares[i] + 1 / (2 * C)), a = wanted > 0 ? wanted : 0;
        for (int64_t f = 0; f < d; f++) w[f] += (a - before) * t * (double)x[f];
        w[d] += (a - before) * t;
        dual->a[i] = a;
        most = fabs(g) > most ? fabs(g) : most;
    }
    return most;
}

static void shuffle(int64_t *order, int64_t n, tg_rng *r)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t other = tg_rng_below(r, i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void separate(const tg_examples *e, int32_t k, uint64_t seed, const duals *dual, double *w)
{
    tg_rng r = tg_rng_at(seed, TG_RNG_SHUFFLE, (uint64_t)k);
    for (int64_t i = 0; i < e->n; i++) {
        dual->a[i] = 0;
        dual->order[i] = i;
    }
    for (int passes = 0; passes < PASSES; passes++) {
        shuffle(dual->order, e->n, &r);
        if (pass(e, k, dual, w) < STILL) break;
    }
}

static tg_status svm_fit(const tg_examples *e, uint64_t seed, void **out)
{
    const int64_t wide = e->d + 1;
    double *w = tg_alloc_array(e->K * wide, sizeof *w);
    duals dual = {tg_alloc_array(e->n, sizeof *dual.a), tg_alloc_array(e->n, sizeof *dual.squares),
                  tg_alloc_array(e->n, sizeof *dual.order)};
    const bool made = w && dual.a && dual.squares && dual.order;
    for (int64_t i = 0; i < e->n && made; i++) {
        dual.squares[i] = 1; /* of the feature 1 */
        for (int64_t f = 0; f < e->d; f++) dual.squares[i] += (double)e->x[i * e->d + f] * (double)e->x[i * e->d + f];
    }
    if (made && e->K == 2) { /* the two planes would be one, seen from either side */
        separate(e, 1, seed, &dual, w + wide);
        for (int64_t f = 0; f < wide; f++) w[f] = -w[wide + f];
    }
    for (int32_t k = 0; k < (int32_t)e->K && made && e->K > 2; k++) separate(e, k, seed, &dual, w + k * wide);
    tg_free(dual.a);
    tg_free(dual.squares);
    tg_free(dual.order);
    if (made) *out = w;
    else tg_free(w);
    return made ? TG_OK : TG_ENOMEM;
}

const tg_judge_row tg_judge_svm = {.name = "svm", .planes = true, .fit = svm_fit, .score = tg_judge_planes, .free = tg_free};
