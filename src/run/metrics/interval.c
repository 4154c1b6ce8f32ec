/* interval.c - Wilson's interval and the bootstrap's. */
#include "run/metrics/interval.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"

#include <math.h>

static const double z = 1.959963984540054; /* 97.5 % of normal numbers are below */

tg_interval tg_wilson(int64_t hits, int64_t n)
{
    if (n < 1) return (tg_interval){0, 1};
    const double share = (double)hits / (double)n, grow = 1 + z * z / (double)n;
    const double middle = (share + z * z / (2 * (double)n)) / grow;
    const double half = z / grow * sqrt(share * (1 - share) / (double)n + z * z / (4 * (double)n * (double)n));
    return (tg_interval){hits == 0 ? 0 : middle - half, hits == n ? 1 : middle + half}; /* exactly so, but for rounding */
}

static int by_size(const void *a, const void *b, void *user)
{
    const double x = *(const double *)a, y = *(const double *)b;
    (void)user;
    return x < y ? -1 : x > y;
}

/* The number that a share p of sorted ones is below, as NumPy's: places are 0 to n - 1, in between a line. */
static double point(const double *sorted, int64_t n, double p)
{
    const double place = p * (double)(n - 1);
    const int64_t below = (int64_t)place;
    const int64_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

tg_status tg_bootstrap(const double *x, int64_t n, int64_t draws, uint64_t seed, tg_interval *out)
{
    return tg_bootstrap_weighed(x, NULL, n, draws, seed, out);
}

tg_status tg_bootstrap_weighed(const double *x, const double *weights, int64_t n, int64_t draws, uint64_t seed, tg_interval *out)
{
    if (n < 1 || draws < 1) {
        *out = (tg_interval){NAN, NAN};
        return TG_OK;
    }
    double *means = tg_alloc_array(draws, sizeof *means), *scratch = tg_alloc_array(draws, sizeof *scratch);
    const bool made = means && scratch;
    for (int64_t k = 0; k < draws && made; k++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_SAMPLE, (uint64_t)k);
        double sum = 0, weight = 0;
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = tg_rng_below(&r, n);
            sum += weights ? x[at] * weights[at] : x[at];
            weight += weights ? weights[at] : 1;
        }
        means[k] = sum / weight;
    }
    if (made) {
        tg_sort(means, draws, sizeof *means, scratch, by_size, NULL);
        *out = (tg_interval){point(means, draws, 0.025), point(means, draws, 0.975)};
    }
    tg_free(means);
    tg_free(scratch);
    return made ? TG_OK : TG_ENOMEM;
}
