/* agreement.c - Krippendorff's alpha, the binomial test, Student's interval. */
#include "run/agreement.h"

#include <math.h>

static const double Z95 = 1.959963984540054; /* of the normal distribution 95 % lie within +- this */

/* ---- agreement ------------------------------------------------------------------------------------------------------- */

/* Squared, as the paper has it. n: how often each value occurs. */
static double difference(tg_answer_scale scale, const double *n, int c, int k)
{
    if (scale == TG_NOMINAL) return c != k;
    double d = k - c;
    if (scale == TG_ORDINAL) {
        d = -(n[c] + n[k]) / 2;
        for (int g = c; g <= k; g++) d += n[g];
    }
    return d * d;
}

/* Every pair of answers to the same unit, each pair weighed so that the unit counts as many times as it was answered. */
static void count_pairs(const int8_t *values, int64_t raters, int64_t units, double pairs[TG_ANSWERS][TG_ANSWERS])
{
    for (int64_t u = 0; u < units; u++) {
        double n[TG_ANSWERS] = {0}, answers = 0;
        for (int64_t r = 0; r < raters; r++) {
            const int v = values[r * units + u];
            if (v < 1 || v > TG_ANSWERS) continue;
            n[v - 1]++;
            answers++;
        }
        for (int c = 0; c < TG_ANSWERS && answers > 1; c++)
            for (int k = 0; k < TG_ANSWERS; k++) pairs[c][k] += n[c] * (n[k] - (c == k)) / (answers - 1);
    }
}

double tg_krippendorff(const int8_t *values, int64_t raters, int64_t units, tg_answer_scale scale)
{
    double pairs[TG_ANSWERS][TG_ANSWERS] = {{0}}, n[TG_ANSWERS] = {0}, all = 0, observed = 0, expected = 0;
    count_pairs(values, raters, units, pairs);
    for (int c = 0; c < TG_ANSWERS; c++)
        for (int k = 0; k < TG_ANSWERS; k++) n[c] += pairs[c][k];
    for (int c = 0; c < TG_ANSWERS; c++) all += n[c];
    for (int c = 0; c < TG_ANSWERS; c++)
        for (int k = c + 1; k < TG_ANSWERS; k++) {
            observed += pairs[c][k] * difference(scale, n, c, k);
            expected += n[c] * n[k] * difference(scale, n, c, k);
        }
    return expected > 0 ? 1 - (all - 1) * observed / expected : NAN;
}

/* ---- shares ------------------------------------------------------------------------------------------------------------ */

/* From the middle outwards, in units of the middle's probability, as the true ones may be too small for a double. */
double tg_binomial_half(int64_t yes, int64_t count)
{
    if (count < 1) return NAN;
    const int64_t few = yes < count - yes ? yes : count - yes, middle = count / 2;
    double weight = 1, half = 0, tail = 0;
    for (int64_t j = middle; j >= 0 && weight > 0; j--) {
        half += 2 * j == count ? weight / 2 : weight;
        if (j <= few) tail += weight;
        weight *= (double)j / (double)(count - j + 1);
    }
    return tail < half ? tail / half : 1;
}

/* ---- means --------------------------------------------------------------------------------------------------------------- */

/* How much lies within +- t, of tan(angle) = t / sqrt(freedom); sine and cosine are of that angle. */
static double student_within(int64_t freedom, double angle)
{
    const double pi = 3.141592653589793, s = sin(angle), c = cos(angle);
    const int64_t odd = freedom & 1;
    double term = odd ? c : 1, sum = freedom == 1 ? 0 : term;
    for (int64_t i = 2 + odd; i <= freedom - 2; i += 2) {
        term *= c * c * (double)(i - 1) / (double)i;
        sum += term;
    }
    return odd ? (angle + s * sum) * 2 / pi : s * sum;
}

double tg_student_95(int64_t freedom)
{
    const double f = (double)freedom, z = Z95, z3 = z * z * z;
    if (freedom > 1000) return z + (z3 + z) / (4 * f) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * f * f);
    const int64_t n = freedom < 1 ? 1 : freedom;
    double low = 0, high = 1.5707963267948966;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        if (student_within(n, middle) < 0.95) low = middle;
        else high = middle;
    }
    return sqrt((double)n) * tan(low);
}
