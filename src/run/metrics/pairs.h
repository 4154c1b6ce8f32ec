/*
 * pairs.h - all distances between two sets of vectors, exactly, at the speed of a matrix product.
 *
 * |a - b|² = |a|² + |b|² - 2·a·b in float may be off where a and b are near each other, by no more than a bound that we know. So
 * that is enough to pass over nearly all pairs; those that it does not decide are computed anew, in double, out of the
 * differences. What is decided is what doubles would decide, and so the same for any number of threads and on every instruction
 * set.
 */
#ifndef TG_RUN_METRICS_PAIRS_H
#define TG_RUN_METRICS_PAIRS_H
#include "tinygen/base.h"

/* Two sets a [n, d] and b [m, d], borrowed; of the numbers around their common middle, squares are sums of squares. */
typedef struct tg_pairs { const float *a, *b; int64_t n, m, d; double *a_squares, *b_squares; double error; } tg_pairs;

/* Row i of a: dots [m] are its products with all rows of b, both around the middle (middle false: as they are). Called once for
 * each row, by any thread. */
typedef void (*tg_pairs_look)(void *user, const tg_pairs *p, int64_t i, const float *dots);
/* Errors: TG_EINVAL (tg_vectors_check), TG_ENOMEM, TG_ECANCELLED. */
tg_status tg_pairs_each(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, bool middle,
                        tg_pairs_look look, void *user);

/* Whether there is a vector and all numbers of x [n, d] are finite: TG_EINVAL, naming the first that is not. */
tg_status tg_vectors_check(const float *x, int64_t n, int64_t d);

/* |a_i - b_j|², in double. */
double tg_pairs_exact(const tg_pairs *p, int64_t i, int64_t j);
/* The same out of the product, and by how much it may be off at most. */
static inline double tg_pairs_rough(const tg_pairs *p, int64_t i, int64_t j, float dot, double *off)
{
    const double squares = p->a_squares[i] + p->b_squares[j];
    *off = p->error * squares;
    return squares - 2 * (double)dot;
}
/* Whether |a_i - b_j|² is at most `squared`. */
static inline bool tg_pairs_within(const tg_pairs *p, int64_t i, int64_t j, float dot, double squared)
{
    double off;
    const double rough = tg_pairs_rough(p, i, j, dot, &off);
    return rough + off <= squared || (rough - off <= squared && tg_pairs_exact(p, i, j) <= squared);
}
#endif
