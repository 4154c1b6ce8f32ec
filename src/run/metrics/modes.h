/* modes.h - is everything made that there is, as often as there is: parts of a mixture whose centres are known, and classes. */
#ifndef TG_RUN_METRICS_MODES_H
#define TG_RUN_METRICS_MODES_H
#include "tinygen/base.h"

/*
 * tg_modes_of - samples x [n, 2] among the parts of synth:points:8gaussians or 25gaussians (variant as data/synth.h counts them).
 *   near      share of samples within 3 deviations of the nearest centre; of the data themselves 1 - e^(-4.5) = 0.989
 *   covered   parts of `parts` that have `least` such samples or more: max(1, n/(20·parts)), a twentieth of what each would have,
 *             so that a stray point covers nothing; papers with 2,500 samples ask for one
 *   least_one the same with one sample enough
 *   kl        of the near samples' shares of the parts from equal ones: sum of share·log(share·parts), nats; 0: each has as many,
 *             log parts: all are in one; NaN: none is near
 * Errors: TG_EINVAL (another variant, no samples).
 * Source: Srivastava et al. 2017, arXiv:1705.07761; Lin et al. 2018, arXiv:1712.04086.
 */
typedef struct tg_modes { int64_t parts, covered, least, least_one; double near, kl; } tg_modes;
tg_status tg_modes_of(int variant, const float *x, int64_t n, tg_modes *out);
/* The variant that real points x [n, 2] are of, by where they lie: 95 % within 3 deviations and every part covered; -1: none. */
int tg_modes_variant(const float *x, int64_t n);

/*
 * tg_class_balance_of - are classes made as often as they are in the data: counts of K classes of both.
 *   chi_square, p  Pearson's test that both were drawn from the same shares, with K' - 1 degrees of freedom, K' the classes that
 *                  occur at all; good where most expected counts are 5 or more. K' = 1: 0 and 1
 *   kl             sum of made share·log(made share/real share), nats; infinite: a class is made that the data lack
 * Errors: TG_EINVAL (none of one, a count below 0).
 * Source: Pearson 1900.
 */
typedef struct tg_class_balance { double chi_square, p, kl; } tg_class_balance;
tg_status tg_class_balance_of(const int64_t *real, const int64_t *made, int64_t K, tg_class_balance *out);
#endif
