/* split.c - elements and rows in fixed chunks over the pool, and the one way to add up a long array. */
#include "kernels/drive.h"

typedef struct span_job {
    int64_t n, grain;
    void (*fn)(void *arg, tg_span span);
    void *arg;
} span_job;

static void run_span(void *arg, int64_t chunk)
{
    const span_job *j = arg;
    const int64_t begin = chunk * j->grain, end = begin + j->grain;
    j->fn(j->arg, (tg_span){begin, end < j->n ? end : j->n});
}

void tg_for_spans(tg_context *ctx, int64_t n, int64_t grain, void (*fn)(void *arg, tg_span span), void *arg)
{
    span_job j = {n, grain, fn, arg};
    tg_pool_run(ctx->pool, run_span, &j, (n + grain - 1) / grain);
}

enum { SUM_CHUNK = 4096 }; /* decides bits: never change without raising TG_ALGORITHM */

typedef struct sum_job {
    float (*sum)(const float *x, int64_t n);
    const float *x;
    float *partial;
} sum_job;

static void sum_span(void *arg, tg_span s)
{
    const sum_job *j = arg;
    j->partial[s.begin / SUM_CHUNK] = j->sum(j->x + s.begin, s.end - s.begin);
}

int64_t tg_sum_room(int64_t n)
{
    return (n / SUM_CHUNK + 1) * (int64_t)sizeof(float);
}

double tg_sum_all(tg_context *ctx, const float *x, int64_t n, bool squares, void *scratch)
{
    const tg_kernels *k = tg_kernels_of(ctx);
    sum_job j = {squares ? k->sum_squares : k->sum, x, scratch};
    tg_for_spans(ctx, n, SUM_CHUNK, sum_span, &j);
    double total = 0;
    for (int64_t i = 0; i * SUM_CHUNK < n; i++) total += (double)j.partial[i];
    return total;
}
