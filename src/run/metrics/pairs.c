/* pairs.c - products of all pairs in blocks of rows, through the tape's linear op. */
#include "run/metrics/pairs.h"

#include "base/alloc.h"
#include "base/context.h"
#include "tinygen/autograd.h"

#include <math.h>

enum { ROWS = 256 };

typedef struct walk {
    tg_pairs p;
    float *a_near, *b_near; /* around the middle; NULL: a and b themselves */
    tg_pairs_look look;
    void *user;
    const float *dots;
    int64_t first;
} walk;

tg_status tg_vectors_check(const float *x, int64_t n, int64_t d)
{
    if (n < 1 || d < 1) return tg_fail(TG_EINVAL, "there is nothing to compare");
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            return tg_fail(TG_EINVAL, "number %lld of vector %lld is not finite", (long long)(i % d), (long long)(i / d));
    return TG_OK;
}

double tg_pairs_exact(const tg_pairs *p, int64_t i, int64_t j)
{
    const float *a = p->a + i * p->d, *b = p->b + j * p->d;
    double sums[4] = {0};
    int64_t k = 0;
    for (; k + 4 <= p->d; k += 4)
        for (int lane = 0; lane < 4; lane++) {
            const double off = (double)a[k + lane] - (double)b[k + lane];
            sums[lane] += off * off;
        }
    for (int lane = 0; k < p->d; k++, lane++) sums[lane] += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* What is subtracted from both sets changes no difference, but makes the squares small that differences are found from. */
static void middle_of(const walk *w, double *mean)
{
    const tg_pairs *p = &w->p;
    for (int64_t i = 0; i < p->n * p->d; i++) mean[i % p->d] += (double)p->a[i];
    for (int64_t i = 0; i < p->m * p->d; i++) mean[i % p->d] += (double)p->b[i];
    for (int64_t k = 0; k < p->d; k++) mean[k] /= (double)(p->n + p->m);
}

static void bring_near(const float *x, int64_t n, int64_t d, const double *mean, float *near, double *squares)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < d; k++) {
            near[i * d + k] = (float)((double)x[i * d + k] - mean[k]);
            squares[i] += (double)near[i * d + k] * (double)near[i * d + k];
        }
}

/* Numbers of `near` are off by 2^-24 of their size, so is each step of a product's chain of d; |a||b| <= (|a|² + |b|²)/2. */
static tg_status prepare(walk *w, bool middle)
{
    tg_pairs *p = &w->p;
    p->error = (double)(p->d + 8) * 0x1p-23;
    if (!middle) return TG_OK;
    double *mean = tg_alloc_array(p->d, sizeof *mean);
    p->a_squares = tg_alloc_array(p->n, sizeof *p->a_squares);
    p->b_squares = tg_alloc_array(p->m, sizeof *p->b_squares);
    w->a_near = tg_alloc_array(p->n, p->d * (int64_t)sizeof *w->a_near);
    w->b_near = tg_alloc_array(p->m, p->d * (int64_t)sizeof *w->b_near);
    const bool made = mean && p->a_squares && p->b_squares && w->a_near && w->b_near;
    if (made) {
        middle_of(w, mean);
        bring_near(p->a, p->n, p->d, mean, w->a_near, p->a_squares);
        bring_near(p->b, p->m, p->d, mean, w->b_near, p->b_squares);
    }
    tg_free(mean);
    return made ? TG_OK : TG_ENOMEM;
}

static void look_at_row(void *arg, int64_t row)
{
    const walk *w = arg;
    w->look(w->user, &w->p, w->first + row, w->dots + row * w->p.m);
}

static tg_status blocks(tg_context *ctx, walk *w, tg_tape *t)
{
    const tg_pairs *p = &w->p;
    const float *a = w->a_near ? w->a_near : p->a, *b = w->b_near ? w->b_near : p->b;
    for (int64_t count; w->first < p->n; w->first += count) {
        count = p->n - w->first < ROWS ? p->n - w->first : ROWS;
        if (tg_cancelled(ctx)) return tg_fail(TG_ECANCELLED, "stopped while comparing %lld vectors", (long long)p->n);
        tg_tape_begin(t, &(tg_tape_mode){.train = false});
        tg_tensor *of = tg_input_values(t, 2, (int64_t[]){count, p->d}, a + w->first * p->d);
        const tg_tensor *dots = tg_linear(t, of, tg_input_values(t, 2, (int64_t[]){p->m, p->d}, b), NULL, TG_LINEAR);
        if (!dots) return tg_tape_status(t);
        w->dots = dots->data;
        tg_pool_run(ctx->pool, look_at_row, w, count);
    }
    return TG_OK;
}

tg_status tg_pairs_each(tg_context *ctx, const float *a, int64_t n, const float *b, int64_t m, int64_t d, bool middle,
                        tg_pairs_look look, void *user)
{
    walk w = {.p = {.a = a, .b = b, .n = n, .m = m, .d = d}, .look = look, .user = user};
    tg_tape *t = NULL;
    tg_status s = tg_vectors_check(a, n, d);
    if (!s) s = tg_vectors_check(b, m, d);
    if (!s) s = prepare(&w, middle);
    if (!s) s = tg_tape_new(ctx, &t);
    if (!s) s = blocks(ctx, &w, t);
    tg_tape_free(t);
    tg_free(w.p.a_squares);
    tg_free(w.p.b_squares);
    tg_free(w.a_near);
    tg_free(w.b_near);
    return s;
}
