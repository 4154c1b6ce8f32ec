/* ema.c - exponential moving average of the weights, quicker at first (Polyak & Juditsky 1992; the warm-up is
 * customary). Buffers are averages already, or belong to the weights: they are copied. */
#include "nn/param.h"

typedef struct ema_job { const tg_kernels *k; const tg_params *p; float *average, rate; } ema_job;

static void ema_chunk(void *arg, int64_t chunk)
{
    const ema_job *j = arg;
    const tg_param_chunk *c = &j->p->chunks[chunk];
    float *average = j->average + c->offset;
    const float *values = j->p->values + c->offset;
    if (j->p->rows[c->row].buffer) j->k->accumulate(average, values, c->count, false);
    else j->k->ema(average, values, c->count, j->rate);
}

void tg_ema_update(tg_context *ctx, float *average, const tg_params *p, double decay, int64_t step)
{
    double warm = (1 + (double)step) / (10 + (double)step);
    ema_job j = {tg_kernels_of(ctx), p, average, (float)(1 - (decay < warm ? decay : warm))};
    tg_pool_run(ctx->pool, ema_chunk, &j, p->chunk_count);
}
