/* modes.c - parts of a mixture, shares of classes. */
#include "run/metrics/modes.h"

#include "data/synth.h"

#include <math.h>

/* ---- parts ---------------------------------------------------------------------------------------------------------------- */

/* Samples within 3 deviations of each centre, by the nearest. */
static int64_t count_near(int variant, const float *x, int64_t n, int64_t counts[TG_SYNTH_MODES])
{
    float centres[TG_SYNTH_MODES][2], deviation;
    const int parts = tg_synth_point_modes(variant, centres, &deviation);
    int64_t near = 0;
    for (int64_t i = 0; i < n; i++) {
        double least = INFINITY;
        int nearest = 0;
        for (int k = 0; k < parts; k++) {
            const double dx = (double)x[2 * i] - (double)centres[k][0], dy = (double)x[2 * i + 1] - (double)centres[k][1];
            if (!(dx * dx + dy * dy < least)) continue;
            least = dx * dx + dy * dy;
            nearest = k;
        }
        if (!(least <= 9 * (double)deviation * (double)deviation)) continue;
        counts[nearest]++;
        near++;
    }
    return near;
}

tg_status tg_modes_of(int variant, const float *x, int64_t n, tg_modes *out)
{
    const int parts = tg_synth_point_modes(variant, NULL, NULL);
    int64_t counts[TG_SYNTH_MODES] = {0};
    if (parts == 0 || n < 1) return tg_fail(TG_EINVAL, "modes are counted of samples of a mixture whose centres are known");
    const int64_t near = count_near(variant, x, n, counts), least = n / (20 * parts) > 1 ? n / (20 * parts) : 1;
    tg_modes m = {.parts = parts, .least = least, .near = (double)near / (double)n, .kl = near ? 0 : NAN};
    for (int k = 0; k < parts; k++) {
        m.covered += counts[k] >= least;
        m.least_one += counts[k] > 0;
        if (counts[k]) m.kl += (double)counts[k] / (double)near * log((double)counts[k] * parts / (double)near);
    }
    *out = m;
    return TG_OK;
}

int tg_modes_variant(const float *x, int64_t n)
{
    tg_modes m;
    for (int variant = 0; variant < TG_SYNTH_VARIANTS; variant++)
        if (n > 0 && tg_synth_point_modes(variant, NULL, NULL) && !tg_modes_of(variant, x, n, &m) && m.near >= 0.95 &&
            m.covered == m.parts)
            return variant;
    return -1;
}

/* ---- classes ------------------------------------------------------------------------------------------------------- */

/* The chance that chi-square with so many degrees of freedom is above x: the upper regularised gamma function Q(a, z), a half the
 * degrees, z = x/2: its series where z is small, else its continued fraction by Lentz's method. Abramowitz & Stegun 6.5.29,
 * 6.5.31. */
static double chance_above(double x, double degrees)
{
    const double a = degrees / 2, z = x / 2, front = exp(a * log(z) - z - lgamma(a));
    if (!(z > 0)) return 1;
    if (z < a + 1) {
        double term = 1 / a, sum = term;
        for (double k = a + 1; term > sum * 1e-17; k++) sum += term *= z / k;
        return 1 - front * sum;
    }
    double b = z + 1 - a, c = 1e300, d = 1 / b, fraction = d;
    for (int i = 1; i < 10000; i++) {
        const double by = -i * (i - a);
        b += 2;
        d = 1 / (by * d + b);
        c = b + by / c;
        fraction *= c * d;
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return front * fraction;
}

tg_status tg_class_balance_of(const int64_t *real, const int64_t *made, int64_t K, tg_class_balance *out)
{
    double n = 0, m = 0;
    int64_t occur = 0;
    bool fine = true;
    tg_class_balance b = {.p = 1};
    for (int64_t k = 0; k < K; k++) {
        fine = fine && real[k] >= 0 && made[k] >= 0;
        n += (double)real[k];
        m += (double)made[k];
    }
    if (!fine || !(n > 0) || !(m > 0)) return tg_fail(TG_EINVAL, "there are no classes to compare");
    for (int64_t k = 0; k < K; k++) {
        const double all = (double)real[k] + (double)made[k], r = all * n / (n + m), g = all * m / (n + m);
        if (all == 0) continue;
        b.chi_square += ((double)real[k] - r) * ((double)real[k] - r) / r + ((double)made[k] - g) * ((double)made[k] - g) / g;
        if (made[k]) b.kl += (double)made[k] / m * log((double)made[k] / m / ((double)real[k] / n));
        occur++;
    }
    if (occur > 1) b.p = chance_above(b.chi_square, (double)(occur - 1));
    *out = b;
    return TG_OK;
}
