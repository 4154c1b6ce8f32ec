/*
 * manifold.h - how much of what is real is made, and how much of what is made is real: neighbours in a space of features. All
 * distances are Euclid's, exact, by brute force: 10,000 against 10,000 vectors of 128 numbers take seconds.
 */
#ifndef TG_RUN_METRICS_MANIFOLD_H
#define TG_RUN_METRICS_MANIFOLD_H
#include "tinygen/base.h"

/*
 * tg_neighbours - the k vectors of b [m, d] that are nearest to each of a [n, d], nearest first; the lower index of equals.
 *   same       a and b are one set, and a vector is no neighbour of itself
 *   index      [n, k]: places in b; -1 where b has fewer. May be NULL
 *   distance   [n, k]: infinity where b has fewer
 * Of samples against training data: what each was perhaps copied from. Errors: TG_EINVAL (no vectors, numbers that are not finite; k not 1 to 64), TG_ENOMEM,
 * TG_ECANCELLED.
 */
tg_status tg_neighbours(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t k, bool same,
                        int64_t *index, double *distance);

/*
 * Each vector of a set has a ball that reaches to its k-th nearest in the set, boundary and all; the balls are the set's manifold.
 *   precision  share of what is made that lies in a ball of what is real      k = 3
 *   recall     share of what is real that lies in a ball of what is made      k = 3    (Kynkäänniemi et al. 2019, arXiv:1904.06991)
 *   density    balls of what is real around something made, mean over k: above 1 where it crowds at the middle of them; not moved
 *              by a few outliers among the real, whose balls are large        k = 5    (Naeem et al. 2020, arXiv:2002.09797)
 *   coverage   share of the real whose ball holds something made              k = 5
 * Two samples of one distribution have precision = recall (a number that depends on the data and on how many they are), density
 * about 1 and coverage about 1 - 1/2^k, 97 %.
 */
enum { TG_MANIFOLD_NEAR = 3, TG_MANIFOLD_FAR = 5 };
typedef struct tg_manifold { double precision, recall, density, coverage; } tg_manifold;
/* real [n, d], made [m, d]. Both should be as many: precision and recall depend on it. Errors: TG_EINVAL (5 or fewer of one),
 * TG_ENOMEM, TG_ECANCELLED. */
tg_status tg_manifold_of(tg_context *ctx, const float *real, int64_t n, const float *made, int64_t m, int64_t d, tg_manifold *out);
#endif
