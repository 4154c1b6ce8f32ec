/*
 * logistic.c - softmax regression, of two classes logistic regression: p(k|x) = e^(w_k·x + b_k) / sum over j of e^(w_j·x + b_j).
 *
 * What is made small is the mean surprise and a penalty that keeps the weights from growing without end where a plane separates
 * all:
 *
 *     L(w) = -1/n · sum over i of log p(y_i|x_i)  +  1/(2n) · |w|²        (scikit-learn's with C = 1; no offset is penalised)
 *
 * It is convex and its gradient simple, dL/dw_k = 1/n · sum over i of (p(k|x_i) - [y_i = k])·x_i + w_k/n. We go down it by
 * Nesterov's accelerated method, which looks where its momentum would carry it, w + m·(w - w before), and steps from there by the
 * gradient over its Lipschitz constant: at most 1/2 of the largest eigenvalue of XᵀX/n (Böhning 1992), which a power iteration
 * finds. Where the momentum leads uphill it is forgotten (O'Donoghue & Candès 2015).
 *
 * Cost: 4·n·d·K operations an iteration, up to 500 of them; memory 3·K·d doubles.
 */
#include "models/judges/judge_parts.h"

#include "base/alloc.h"
#include "base/fmath.h"

#include <math.h>
#include <string.h>

enum { ITERATIONS = 500, POWER_ITERATIONS = 30 };
static const double STILL = 1e-4; /* largest number of a gradient at which we have arrived */

/* scores become probabilities; the highest is taken off first, so that no exponential overflows. */
static void softmax(double *scores, int64_t K)
{
    double most = scores[0], sum = 0;
    for (int64_t k = 1; k < K; k++) most = scores[k] > most ? scores[k] : most;
    for (int64_t k = 0; k < K; k++) sum += scores[k] = (double)tg_expf((float)(scores[k] - most));
    for (int64_t k = 0; k < K; k++) scores[k] /= sum;
}

static void add_scaled(double *out, double by, const float *x, int64_t d)
{
    for (int64_t f = 0; f < d; f++) out[f] += by * (double)x[f];
}

static void gradient(const tg_examples *e, const double *w, double *g)
{
    const int64_t d = e->d, K = e->K;
    double p[TG_JUDGE_CLASSES];
    memset(g, 0, (size_t)(K * (d + 1)) * sizeof *g);
    for (int64_t i = 0; i < e->n; i++) {
        const float *x = e->x + i * d;
        tg_judge_planes(w, x, d, K, p);
        softmax(p, K);
        p[e->y[i]] -= 1;
        for (int64_t k = 0; k < K; k++) {
            add_scaled(g + k * (d + 1), p[k] / (double)e->n, x, d);
            g[k * (d + 1) + d] += p[k] / (double)e->n;
        }
    }
    for (int64_t k = 0; k < K; k++)
        for (int64_t f = 0; f < d; f++) g[k * (d + 1) + f] += w[k * (d + 1) + f] / (double)e->n;
}

/* The largest eigenvalue of XᵀX/n, each x with a 1 behind it for the offset: v becomes XᵀX·v again and again. */
static double curvature(const tg_examples *e, double *v, double *next)
{
    const int64_t d = e->d;
    double length = 0;
    for (int64_t f = 0; f <= d; f++) v[f] = 1 + (double)(f % 7) / 7; /* no direction that data would be square to */
    for (int step = 0; step < POWER_ITERATIONS; step++) {
        double squares = 0;
        for (int64_t f = 0; f <= d; f++) squares += v[f] * v[f];
        for (int64_t f = 0; f <= d; f++) v[f] /= sqrt(squares);
        memset(next, 0, (size_t)(d + 1) * sizeof *next);
        for (int64_t i = 0; i < e->n; i++) {
            double along;
            tg_judge_planes(v, e->x + i * d, d, 1, &along);
            add_scaled(next, along / (double)e->n, e->x + i * d, d);
            next[d] += along / (double)e->n;
        }
        length = 0;
        for (int64_t f = 0; f <= d; f++) length += next[f] * next[f];
        memcpy(v, next, (size_t)(d + 1) * sizeof *v);
    }
    return sqrt(length);
}

/* w [K, d + 1] starts as zeros; ahead and g are scratch of its size. */
static void descend(const tg_examples *e, double *w, double *ahead, double *g)
{
    const int64_t size = e->K * (e->d + 1);
    const double step = 1 / (0.55 * curvature(e, ahead, g) + 1 / (double)e->n); /* a tenth more: the iteration ends a little early */
    double momentum = 1;
    memset(ahead, 0, (size_t)size * sizeof *ahead);
    for (int i = 0; i < ITERATIONS; i++) {
        double steepest = 0, uphill = 0;
        gradient(e, ahead, g);
        const double next = (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
        for (int64_t k = 0; k < size; k++) {
            const double before = w[k];
            w[k] = ahead[k] - step * g[k];
            ahead[k] = w[k] + (momentum - 1) / next * (w[k] - before);
            uphill += g[k] * (w[k] - before);
            steepest = fabs(g[k]) > steepest ? fabs(g[k]) : steepest;
        }
        momentum = uphill > 0 ? 1 : next;
        if (uphill > 0) memcpy(ahead, w, (size_t)size * sizeof *w);
        if (steepest < STILL) break;
    }
}

static tg_status logistic_fit(const tg_examples *e, uint64_t seed, void **out)
{
    const int64_t size = e->K * (e->d + 1);
    double *w = tg_alloc_array(size, sizeof *w), *ahead = tg_alloc_array(size, sizeof *ahead), *g = tg_alloc_array(size, sizeof *g);
    const bool made = w && ahead && g;
    (void)seed; /* there is one lowest point, whoever looks for it */
    if (made) {
        descend(e, w, ahead, g);
        *out = w;
    } else {
        tg_free(w);
    }
    tg_free(ahead);
    tg_free(g);
    return made ? TG_OK : TG_ENOMEM;
}

static void logistic_score(const void *w, const float *x, int64_t d, int64_t K, double *scores)
{
    tg_judge_planes(w, x, d, K, scores);
    softmax(scores, K);
}

const tg_judge_row tg_judge_logistic = {
    .name = "logistic", .planes = true, .fit = logistic_fit, .score = logistic_score, .free = tg_free};
