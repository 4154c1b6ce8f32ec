/*
 * distance.h - how far what is made is from what is real: distances between two sets of vectors, and tests whether both come from
 * one distribution. Vectors are features of a classifier (features.h), pixels or points; distances in one space do not compare
 * with those in another. Functions are pure, the same for any number of threads and on every instruction set; all errors but
 * those that are named: TG_EINVAL (too few vectors, numbers that are not finite), TG_ENOMEM, TG_ECANCELLED.
 */
#ifndef TG_RUN_METRICS_DISTANCE_H
#define TG_RUN_METRICS_DISTANCE_H
#include "run/metrics/interval.h"

enum { TG_FRECHET_MOST = 256 };
/*
 * tg_frechet - squared Fréchet distance of the Gaussians N(u, A) and N(v, B) that have the sets' means and covariances:
 *   |u - v|² + trace(A) + trace(B) - 2·trace((A^1/2·B·A^1/2)^1/2)
 *   a [n, d], b [m, d]   n, m at least 2, d at most TG_FRECHET_MOST; covariances are samples', over n - 1
 * In units of the features, squared; 0: means and covariances agree. Too large where n is small (by about d/n of the spread), so
 * compare it at one n, with that of two real halves beside it. Errors: TG_EUNSUPPORTED (d).
 * Source: Dowson & Landau 1982; Heusel et al. 2017, arXiv:1706.08500, whose FID is this in Inception's features.
 */
tg_status tg_frechet(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, double *out);

/* Eigenvalues of a symmetric matrix a [d, d], which is used up, and its eigenvectors as rows of v [d, d]: Jacobi's rotations,
 * until what is off the diagonal is lost in rounding. In no order. */
void tg_eigen(double *a, int64_t d, double *v, double *values);

/*
 * tg_kernel_distance - KID: the squared distance of mean embeddings (MMD²) by the kernel k(x, y) = (x·y/d + 1)³, unbiased, so
 * that it is 0 on average, and may be below, where both sets come from one distribution, whatever their size.
 *   mean over pairs k(a_i, a_j), i != j, + the same of b - 2·mean of all k(a_i, b_j)
 *   size, subsets  the mean and the deviation of the figure over `subsets` pairs of subsets of `size` vectors each, drawn without
 *                  return; size 0: of both sets, whole, once
 * Source: Bińkowski et al. 2018, arXiv:1801.01401, which has 100 subsets of 1,000.
 */
typedef struct tg_kernel_result { double mean, deviation; } tg_kernel_result;
tg_status tg_kernel_distance(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t size,
                             int64_t subsets, uint64_t seed, tg_kernel_result *out);

/*
 * tg_mmd_test - the two-sample test of Gretton et al. 2012 (JMLR 13): MMD², unbiased, by the kernel exp(-|x - y|²/(2s²)), s the
 * median distance of all pairs.
 *   p   share of `permutations` mixed-up splits of both sets whose MMD² is as large, (1 + hits)/(1 + permutations): below 0.05,
 *       the sets differ
 * Needs no features. Takes 16·(n + m)² bytes and n + m up to TG_MMD_MOST: hand over some of many. Errors: TG_EUNSUPPORTED (more).
 */
enum { TG_MMD_MOST = 4096 };
typedef struct tg_mmd_result { double squared, width, p; } tg_mmd_result;
tg_status tg_mmd_test(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, int64_t permutations,
                      uint64_t seed, tg_mmd_result *out);

/*
 * tg_nearest_test - does the nearest neighbour of each vector, among all others of both sets, come from its own set? Of one
 * distribution half do. Above: the sets keep apart. Below: what is made lies nearer to the real than the real to each other: it
 * is copied. real and made are the shares of each set alone: real high and made low, much is missing; real low and made high, it
 * is not real. Both sets must be as many, else the larger is cut. Intervals are Wilson's.
 * Source: Lopez-Paz & Oquab 2017, arXiv:1610.06545; Xu et al. 2018, arXiv:1806.07755.
 */
typedef struct tg_nearest_result { double accuracy, real, made; tg_interval interval; int64_t each; } tg_nearest_result;
tg_status tg_nearest_test(tg_context *ctx, const float *real, int64_t n, const float *made, int64_t m, int64_t d,
                          tg_nearest_result *out);
#endif
