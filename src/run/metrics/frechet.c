/* frechet.c - means, covariances, roots of matrices: all in double. */
#include "run/metrics/distance.h"

#include "base/alloc.h"
#include "base/context.h"
#include "run/metrics/pairs.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 60 }; /* ten do; a bound for what is not finite */

/* ---- Jacobi ------------------------------------------------------------------------------------------------------------- */

/* Turns rows p and q (and columns, which are the same numbers) so far that a[p, q] becomes 0: Golub & Van Loan, section 8.5. */
static void rotate(double *a, int64_t d, double *v, int64_t p, int64_t q)
{
    const double theta = (a[q * d + q] - a[p * d + p]) / (2 * a[p * d + q]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    const double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int64_t k = 0; k < d; k++) {
        const double x = a[p * d + k], y = a[q * d + k], vx = v[p * d + k], vy = v[q * d + k];
        a[p * d + k] = c * x - s * y;
        a[q * d + k] = s * x + c * y;
        v[p * d + k] = c * vx - s * vy;
        v[q * d + k] = s * vx + c * vy;
    }
    for (int64_t k = 0; k < d; k++) {
        const double x = a[k * d + p], y = a[k * d + q];
        a[k * d + p] = c * x - s * y;
        a[k * d + q] = s * x + c * y;
    }
    a[p * d + q] = a[q * d + p] = 0;
}

void tg_eigen(double *a, int64_t d, double *v, double *values)
{
    memset(v, 0, (size_t)(d * d) * sizeof *v);
    for (int64_t i = 0; i < d; i++) v[i * d + i] = 1;
    for (int sweep = 0, turned = 1; sweep < SWEEPS && turned; sweep++) {
        turned = 0;
        for (int64_t p = 0; p < d; p++)
            for (int64_t q = p + 1; q < d; q++) {
                const double size = sqrt(fabs(a[p * d + p])) * sqrt(fabs(a[q * d + q]));
                if (!(fabs(a[p * d + q]) > 1e-16 * size) || fabs(a[p * d + q]) < 1e-300) continue;
                rotate(a, d, v, p, q);
                turned = 1;
            }
    }
    for (int64_t i = 0; i < d; i++) values[i] = a[i * d + i];
}

/* ---- moments -------------------------------------------------------------------------------------------------------------- */

typedef struct moments { const float *x; int64_t n, d; double *mean, *covariance; } moments;

/* Row f of the covariance: f against itself and all behind it; examples in order. */
static void covariance_row(void *arg, int64_t f)
{
    const moments *g = arg;
    const int64_t d = g->d;
    double *row = g->covariance + f * d;
    for (int64_t i = 0; i < g->n; i++) {
        const float *x = g->x + i * d;
        const double off = (double)x[f] - g->mean[f];
        for (int64_t k = f; k < d; k++) row[k] += off * ((double)x[k] - g->mean[k]);
    }
    for (int64_t k = f; k < d; k++) row[k] /= (double)(g->n - 1);
}

static void moments_of(tg_context *ctx, moments *g)
{
    const int64_t d = g->d;
    for (int64_t i = 0; i < g->n * d; i++) g->mean[i % d] += (double)g->x[i];
    for (int64_t k = 0; k < d; k++) g->mean[k] /= (double)g->n;
    tg_pool_run(ctx->pool, covariance_row, g, d);
    for (int64_t f = 0; f < d; f++)
        for (int64_t k = 0; k < f; k++) g->covariance[f * d + k] = g->covariance[k * d + f];
}

/* ---- the distance ---------------------------------------------------------------------------------------------------------- */

/* out = x·y of symmetric y: rows against rows. */
static void product(const double *x, const double *y, int64_t d, double *out)
{
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) sum += x[i * d + k] * y[j * d + k];
            out[i * d + j] = sum;
        }
}

/* The symmetric root of a matrix without negative eigenvalues, but for rounding: sum over its eigenvectors of root(value)·vvᵀ. a
 * and v are used up. */
static void root_of(double *a, int64_t d, double *v, double *values, double *out)
{
    tg_eigen(a, d, v, values);
    memset(out, 0, (size_t)(d * d) * sizeof *out);
    for (int64_t e = 0; e < d; e++) {
        const double root = values[e] > 0 ? sqrt(values[e]) : 0;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++) out[i * d + j] += root * v[e * d + i] * v[e * d + j];
    }
}

/* trace((A^1/2·B·A^1/2)^1/2); A, B and the two scratch matrices are used up. */
static double trace_of_root(double *A, double *B, int64_t d, double *v, double *root, double *values)
{
    double trace = 0;
    root_of(A, d, v, values, root);
    product(root, B, d, v);   /* A^1/2·B */
    product(v, root, d, B);   /* A^1/2·B·A^1/2, symmetric but for rounding ... */
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++) B[i * d + j] = B[j * d + i] = (B[i * d + j] + B[j * d + i]) / 2; /* ... which goes */
    tg_eigen(B, d, v, values);
    for (int64_t i = 0; i < d; i++) trace += values[i] > 0 ? sqrt(values[i]) : 0;
    return trace;
}

tg_status tg_frechet(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, double *out)
{
    if (n < 2 || m < 2 || d < 1) return tg_fail(TG_EINVAL, "a Fréchet distance takes two vectors of each or more");
    if (d > TG_FRECHET_MOST)
        return tg_fail(TG_EUNSUPPORTED, "a Fréchet distance of %lld numbers each is not worked out: at most %d", (long long)d,
                       TG_FRECHET_MOST);
    tg_status s = tg_vectors_check(a, n, d);
    if (!s) s = tg_vectors_check(b, m, d);
    if (s) return s;
    double *room = tg_alloc_array(4 * d * d + 3 * d, sizeof *room);
    if (!room) return TG_ENOMEM;
    moments x = {.x = a, .n = n, .d = d, .covariance = room, .mean = room + 4 * d * d};
    moments y = {.x = b, .n = m, .d = d, .covariance = room + d * d, .mean = x.mean + d};
    double sum = 0;
    moments_of(ctx, &x);
    moments_of(ctx, &y);
    for (int64_t k = 0; k < d; k++) {
        const double off = x.mean[k] - y.mean[k];
        sum += off * off + x.covariance[k * d + k] + y.covariance[k * d + k];
    }
    sum -= 2 * trace_of_root(x.covariance, y.covariance, d, room + 2 * d * d, room + 3 * d * d, y.mean + d);
    tg_free(room);
    *out = sum < 0 ? 0 : sum; /* only by rounding */
    return TG_OK;
}
