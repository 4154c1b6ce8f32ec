/* interval.h - how far a figure that was measured on a few may be from that of all: 95 % intervals. */
#ifndef TG_RUN_METRICS_INTERVAL_H
#define TG_RUN_METRICS_INTERVAL_H
#include "tinygen/base.h"

typedef struct tg_interval { double low, high; } tg_interval;

/* Of a share, `hits` of n: where it would be, were the count no more than 1.96 deviations off. Good for few and for shares near 0
 * and 1; n 0: 0 to 1. Wilson 1927, JASA 22. */
tg_interval tg_wilson(int64_t hits, int64_t n);

/* Of the mean of x [n]: n of them are drawn, with return, `draws` times, and the 2.5 and 97.5 % points of the means that come out
 * are the interval's ends (between two means: their line). The same for the same seed. n 0: NaN. Errors: TG_ENOMEM.
 * Efron 1979, Annals of Statistics 7; draws: 1,000 or more. */
tg_status tg_bootstrap(const double *x, int64_t n, int64_t draws, uint64_t seed, tg_interval *out);
/* The same of the mean weighed by weights [n], each above 0: of means of pieces, by what is in them. NULL: all alike. */
tg_status tg_bootstrap_weighed(const double *x, const double *weights, int64_t n, int64_t draws, uint64_t seed, tg_interval *out);
#endif
