/* distance.c - distances and tests by kernels and by neighbours. */
#include "run/metrics/distance.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/rng.h"
#include "base/sort.h"
#include "run/metrics/manifold.h"
#include "run/metrics/pairs.h"

#include <math.h>
#include <string.h>

/* ---- KID ------------------------------------------------------------------------------------------------------------------ */

typedef struct cubes { double *sums; bool same; } cubes; /* of each row */

static void cube_row(void *user, const tg_pairs *p, int64_t i, const float *dots)
{
    const cubes *c = user;
    double sum = 0;
    for (int64_t j = 0; j < p->m; j++) {
        const double k = (double)dots[j] / (double)p->d + 1;
        if (!c->same || j != i) sum += k * k * k;
    }
    c->sums[i] = sum;
}

/* Mean of k(a_i, b_j); same: a and b are one set, i = j left out. */
static tg_status mean_cube(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, bool same, double *sums,
                           double *out)
{
    double sum = 0;
    tg_status s = tg_pairs_each(ctx, a, n, b, m, d, false, cube_row, &(cubes){sums, same});
    for (int64_t i = 0; i < n && !s; i++) sum += sums[i];
    *out = sum / ((double)n * (double)(same ? m - 1 : m));
    return s;
}

static tg_status kid(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, double *sums, double *out)
{
    double aa = 0, bb = 0, ab = 0;
    tg_status s = mean_cube(ctx, a, n, a, n, d, true, sums, &aa);
    if (!s) s = mean_cube(ctx, b, m, b, m, d, true, sums, &bb);
    if (!s) s = mean_cube(ctx, a, n, b, m, d, false, sums, &ab);
    if (!s) *out = aa + bb - 2 * ab;
    return s;
}

static void draw_rows(const float *x, int64_t n, int64_t d, int64_t size, uint64_t seed, int64_t stream, float *out)
{
    for (int64_t i = 0; i < size; i++)
        memcpy(out + i * d, x + tg_rng_permute(seed, TG_RNG_SAMPLE, (uint64_t)stream, n, i) * d, (size_t)d * sizeof *out);
}

static tg_status kid_of_subsets(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t size,
                                int64_t subsets, uint64_t seed, double *sums, tg_kernel_result *out)
{
    float *x = tg_alloc_array(2 * size, d * (int64_t)sizeof *x);
    double *values = tg_alloc_array(subsets, sizeof *values), mean = 0, squares = 0;
    tg_status s = x && values ? TG_OK : TG_ENOMEM;
    for (int64_t k = 0; k < subsets && !s; k++) {
        draw_rows(a, n, d, size, seed, 2 * k, x);
        draw_rows(b, m, d, size, seed, 2 * k + 1, x + size * d);
        s = kid(ctx, x, size, x + size * d, size, d, sums, &values[k]);
        if (!s) mean += values[k] / (double)subsets;
    }
    for (int64_t k = 0; k < subsets && !s; k++) squares += (values[k] - mean) * (values[k] - mean) / (double)subsets;
    if (!s) *out = (tg_kernel_result){mean, sqrt(squares)};
    tg_free(x);
    tg_free(values);
    return s;
}

tg_status tg_kernel_distance(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t size,
                             int64_t subsets, uint64_t seed, tg_kernel_result *out)
{
    if (n < 2 || m < 2 || size == 1 || size > n || size > m || (size && subsets < 1))
        return tg_fail(TG_EINVAL, "a kernel distance takes two vectors of each or more, and subsets no larger than the sets");
    double *sums = tg_alloc_array(n > m ? n : m, sizeof *sums);
    if (!sums) return TG_ENOMEM;
    tg_kernel_result whole = {0};
    tg_status s = size ? kid_of_subsets(ctx, a, n, b, m, d, size, subsets, seed, sums, &whole)
                : kid(ctx, a, n, b, m, d, sums, &whole.mean);
    tg_free(sums);
    if (!s) *out = whole;
    return s;
}

/* ---- MMD ----------------------------------------------------------------------------------------------------------- */

/* Of both sets in one, a first. */
typedef struct mmd {
    int64_t n, all;         /* of a; of both */
    double *k;              /* [all, all]: squared distances, then kernels */
    double *sums;           /* [permutations + 1] */
    uint64_t seed;
    bool *mine;             /* [permutations + 1, all]: whose side each is on */
} mmd;

static void distance_row(void *user, const tg_pairs *p, int64_t i, const float *dots)
{
    double *row = ((const mmd *)user)->k + i * p->m, off;
    for (int64_t j = 0; j < p->m; j++) {
        const double rough = tg_pairs_rough(p, i, j, dots[j], &off);
        row[j] = rough > 1000 * off ? rough : tg_pairs_exact(p, i, j); /* to a thousandth at least, and mostly far better */
    }
}

static int by_size(const void *a, const void *b, void *user)
{
    const double x = *(const double *)a, y = *(const double *)b;
    (void)user;
    return x < y ? -1 : x > y;
}

/* The median of all distances between two that are not one; pairs and scratch: [all·(all - 1)/2]. */
static double median(const mmd *t, double *pairs, double *scratch)
{
    int64_t count = 0;
    for (int64_t i = 0; i < t->all; i++)
        for (int64_t j = i + 1; j < t->all; j++) pairs[count++] = t->k[i * t->all + j];
    tg_sort(pairs, count, sizeof *pairs, scratch, by_size, NULL);
    return count % 2 ? sqrt(pairs[count / 2]) : (sqrt(pairs[count / 2 - 1]) + sqrt(pairs[count / 2])) / 2;
}

/* Split 0 is that of the sets; in all others n of both sets, by chance, stand for a. */
static void split_sum(void *arg, int64_t split)
{
    const mmd *t = arg;
    bool *mine = t->mine + split * t->all;
    double within_a = 0, within_b = 0, across = 0;
    for (int64_t i = 0; i < t->n; i++)
        mine[split ? tg_rng_permute(t->seed, TG_RNG_SHUFFLE, (uint64_t)split, t->all, i) : i] = true;
    for (int64_t i = 0; i < t->all; i++) {
        double same = 0, other = 0;
        for (int64_t j = i + 1; j < t->all; j++) {
            const double k = t->k[i * t->all + j];
            same += mine[j] == mine[i] ? k : 0;
            other += mine[j] == mine[i] ? 0 : k;
        }
        if (mine[i]) within_a += same;
        else within_b += same;
        across += other;
    }
    const double n = (double)t->n, m = (double)(t->all - t->n);
    t->sums[split] = 2 * within_a / (n * (n - 1)) + 2 * within_b / (m * (m - 1)) - 2 * across / (n * m);
}

static tg_status kernels_of(tg_context *ctx, mmd *t, const float *both, int64_t d, double *width)
{
    const int64_t pairs = t->all * (t->all - 1) / 2;
    tg_status s = tg_pairs_each(ctx, both, t->all, both, t->all, d, true, distance_row, t);
    double *list = s ? NULL : tg_alloc_array(2 * pairs, sizeof *list);
    if (!s && !list) s = TG_ENOMEM;
    if (!s) *width = median(t, list, list + pairs);
    tg_free(list);
    if (!s && !(*width > 0)) s = tg_fail(TG_EINVAL, "more than half of all pairs of vectors are equal: there is nothing to test");
    for (int64_t i = 0; i < t->all * t->all && !s; i++) t->k[i] = exp(-t->k[i] / (2 * *width * *width));
    return s;
}

static tg_status mmd_of(tg_context *ctx, mmd *t, const float *a, const float *b, int64_t d, int64_t permutations,
                        tg_mmd_result *out)
{
    float *both = tg_alloc_array(t->all, d * (int64_t)sizeof *both);
    double width = 0;
    int64_t hits = 0;
    t->k = tg_alloc_array(t->all, t->all * (int64_t)sizeof *t->k);
    t->sums = tg_alloc_array(permutations + 1, sizeof *t->sums);
    t->mine = tg_alloc_array(permutations + 1, t->all * (int64_t)sizeof *t->mine);
    tg_status s = both && t->k && t->sums && t->mine ? TG_OK : TG_ENOMEM;
    if (!s) {
        memcpy(both, a, (size_t)(t->n * d) * sizeof *both);
        memcpy(both + t->n * d, b, (size_t)((t->all - t->n) * d) * sizeof *both);
        s = kernels_of(ctx, t, both, d, &width);
    }
    if (!s) {
        tg_pool_run(ctx->pool, split_sum, t, permutations + 1);
        for (int64_t k = 1; k <= permutations; k++) hits += t->sums[k] >= t->sums[0];
        *out = (tg_mmd_result){t->sums[0], width, (double)(1 + hits) / (double)(1 + permutations)};
    }
    tg_free(both);
    tg_free(t->k);
    tg_free(t->sums);
    tg_free(t->mine);
    return s;
}

tg_status tg_mmd_test(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t permutations,
                      uint64_t seed, tg_mmd_result *out)
{
    if (n < 2 || m < 2 || permutations < 1)
        return tg_fail(TG_EINVAL, "the MMD test takes two vectors of each or more, and a permutation or more");
    if (n > TG_MMD_MOST || m > TG_MMD_MOST - n)
        return tg_fail(TG_EUNSUPPORTED, "the MMD test takes %d vectors in all at the most; hand over some of them", TG_MMD_MOST);
    return mmd_of(ctx, &(mmd){.n = n, .all = n + m, .seed = seed}, a, b, d, permutations, out);
}

/* ---- nearest neighbours -------------------------------------------------------------------------------------------- */

tg_status tg_nearest_test(tg_context *ctx, const float *real, int64_t n, const float *made, int64_t m, int64_t d,
                          tg_nearest_result *out)
{
    const int64_t each = n < m ? n : m;
    int64_t kept[2] = {0};
    if (each < 2) return tg_fail(TG_EINVAL, "the nearest-neighbour test takes two vectors of each or more");
    double *own = tg_alloc_array(each, sizeof *own), *other = tg_alloc_array(each, sizeof *other);
    tg_status s = own && other ? TG_OK : TG_ENOMEM;
    for (int side = 0; side < 2 && !s; side++) {
        const float *mine = side ? made : real, *theirs = side ? real : made;
        s = tg_neighbours(ctx, mine, each, mine, each, d, 1, true, NULL, own);
        if (!s) s = tg_neighbours(ctx, mine, each, theirs, each, d, 1, false, NULL, other);
        for (int64_t i = 0; i < each && !s; i++) kept[side] += own[i] < other[i];
    }
    tg_free(own);
    tg_free(other);
    if (s) return s;
    const int64_t both = kept[0] + kept[1];
    *out = (tg_nearest_result){.accuracy = (double)both / (double)(2 * each), .real = (double)kept[0] / (double)each,
                               .made = (double)kept[1] / (double)each, .interval = tg_wilson(both, 2 * each), .each = each};
    return TG_OK;
}
