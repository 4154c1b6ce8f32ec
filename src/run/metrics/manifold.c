/* manifold.c - neighbours, and what is in whose ball. */
#include "run/metrics/manifold.h"

#include "base/alloc.h"
#include "run/metrics/pairs.h"

#include <math.h>

enum { MOST = 64 };

/* ---- neighbours ----------------------------------------------------------------------------------------------------- */

typedef struct search { int64_t k; bool same; int64_t *index; double *squared; } search;

/* The k nearest so far, in order, wherever their squared distances lie. */
static void insert(double *squared, int64_t *index, int64_t k, double is, int64_t j)
{
    int64_t at = k - 1;
    for (; at > 0 && squared[at - 1] > is; at--) {
        squared[at] = squared[at - 1];
        index[at] = index[at - 1];
    }
    squared[at] = is;
    index[at] = j;
}

static void search_row(void *user, const tg_pairs *p, int64_t i, const float *dots)
{
    const search *s = user;
    double *squared = s->squared + i * s->k, off;
    int64_t index[MOST];
    for (int64_t at = 0; at < s->k; at++) {
        squared[at] = INFINITY;
        index[at] = -1;
    }
    for (int64_t j = 0; j < p->m && squared[s->k - 1] > 0; j++) {
        if (s->same && i == j) continue;
        const double rough = tg_pairs_rough(p, i, j, dots[j], &off);
        if (rough - off >= squared[s->k - 1]) continue;
        const double exact = tg_pairs_exact(p, i, j);
        if (exact < squared[s->k - 1]) insert(squared, index, s->k, exact, j);
    }
    for (int64_t at = 0; at < s->k; at++) {
        if (s->index) s->index[i * s->k + at] = index[at];
        squared[at] = sqrt(squared[at]);
    }
}

tg_status tg_neighbours(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t k, bool same,
                        int64_t *index, double *distance)
{
    if (k < 1 || k > MOST) return tg_fail(TG_EINVAL, "%lld neighbours are not looked for: 1 to %d", (long long)k, MOST);
    search s = {.k = k, .same = same, .index = index, .squared = distance};
    return tg_pairs_each(ctx, a, n, b, m, d, true, search_row, &s);
}

/* ---- balls -------------------------------------------------------------------------------------------------------------- */

typedef struct balls {
    double *real_near, *real_far, *made_near; /* squared radii */
    bool *precise;                            /* of a thing made: it is in a ball */
    bool *recalled, *covered;                 /* of a real thing: it is in a ball; its ball is not empty */
    int64_t *dense;                           /* of a real thing: how many are in its ball */
} balls;

/* A row is a real thing against all that is made. */
static void look_from_real(void *user, const tg_pairs *p, int64_t i, const float *dots)
{
    const balls *b = user;
    for (int64_t j = 0; j < p->m; j++) {
        b->dense[i] += tg_pairs_within(p, i, j, dots[j], b->real_far[i]);
        if (!b->recalled[i]) b->recalled[i] = tg_pairs_within(p, i, j, dots[j], b->made_near[j]);
    }
    b->covered[i] = b->dense[i] > 0;
}

/* A row is a thing made against all that is real. */
static void look_from_made(void *user, const tg_pairs *p, int64_t i, const float *dots)
{
    const balls *b = user;
    for (int64_t j = 0; j < p->m && !b->precise[i]; j++) b->precise[i] = tg_pairs_within(p, i, j, dots[j], b->real_near[j]);
}

/* Distances are roots of sums that were rounded once: squared again they must not fall short of the sum. */
static double squared_up(double distance)
{
    return distance * distance * (1 + 0x1p-50);
}

static tg_status radii(tg_context *ctx, const float *x, int64_t n, int64_t d, double *near, double *far)
{
    double *distance = tg_alloc_array(n, TG_MANIFOLD_FAR * (int64_t)sizeof *distance);
    tg_status s = distance ? tg_neighbours(ctx, x, n, x, n, d, TG_MANIFOLD_FAR, true, NULL, distance) : TG_ENOMEM;
    for (int64_t i = 0; i < n && !s; i++) {
        near[i] = squared_up(distance[i * TG_MANIFOLD_FAR + TG_MANIFOLD_NEAR - 1]);
        if (far) far[i] = squared_up(distance[i * TG_MANIFOLD_FAR + TG_MANIFOLD_FAR - 1]);
    }
    tg_free(distance);
    return s;
}

static tg_status balls_new(balls *b, int64_t n, int64_t m)
{
    *b = (balls){.real_near = tg_alloc_array(n, sizeof *b->real_near), .real_far = tg_alloc_array(n, sizeof *b->real_far),
                 .made_near = tg_alloc_array(m, sizeof *b->made_near), .precise = tg_alloc_array(m, sizeof *b->precise),
                 .recalled = tg_alloc_array(n, sizeof *b->recalled), .covered = tg_alloc_array(n, sizeof *b->covered),
                 .dense = tg_alloc_array(n, sizeof *b->dense)};
    return b->real_near && b->real_far && b->made_near && b->precise && b->recalled && b->covered && b->dense ? TG_OK : TG_ENOMEM;
}

static void balls_free(balls *b)
{
    tg_free(b->real_near);
    tg_free(b->real_far);
    tg_free(b->made_near);
    tg_free(b->precise);
    tg_free(b->recalled);
    tg_free(b->covered);
    tg_free(b->dense);
}

static tg_manifold count(const balls *b, int64_t n, int64_t m)
{
    tg_manifold sums = {0};
    for (int64_t j = 0; j < m; j++) sums.precision += b->precise[j];
    for (int64_t i = 0; i < n; i++) {
        sums.recall += b->recalled[i];
        sums.coverage += b->covered[i];
        sums.density += (double)b->dense[i];
    }
    return (tg_manifold){.precision = sums.precision / (double)m, .recall = sums.recall / (double)n,
                         .density = sums.density / ((double)m * TG_MANIFOLD_FAR), .coverage = sums.coverage / (double)n};
}

tg_status tg_manifold_of(tg_context *ctx, const float *real, int64_t n, const float *made, int64_t m, int64_t d, tg_manifold *out)
{
    if (n <= TG_MANIFOLD_FAR || m <= TG_MANIFOLD_FAR)
        return tg_fail(TG_EINVAL, "precision, recall, density and coverage take more than %d of each; there are %lld and %lld",
                       TG_MANIFOLD_FAR, (long long)n, (long long)m);
    balls b;
    tg_status s = balls_new(&b, n, m);
    if (!s) s = radii(ctx, real, n, d, b.real_near, b.real_far);
    if (!s) s = radii(ctx, made, m, d, b.made_near, NULL);
    if (!s) s = tg_pairs_each(ctx, real, n, made, m, d, true, look_from_real, &b);
    if (!s) s = tg_pairs_each(ctx, made, m, real, n, d, true, look_from_made, &b);
    if (!s) *out = count(&b, n, m);
    balls_free(&b);
    return s;
}
