/* ema.c - exponential moving average of the weights, quicker at first (Polyak & Juditsky 1992; the warm-up is
 * customary). */
#include "nn/param.h"

typedef struct ema_job { const tg_kernels *k; float *average; const float *values; float rate; } ema_job;

static void ema_span(void *arg, tg_span s)
{
    const ema_job *j = arg;
    j->k->ema(j->average + s.begin, j->values + s.begin, s.end - s.begin, j->rate);
}

void tg_ema_update(tg_context *ctx, float *average, const tg_params *p, double decay, int64_t step)
{
    double warm = (1 + (double)step) / (10 + (double)step);
    ema_job j = {tg_kernels_of(ctx), average, p->values, (float)(1 - (decay < warm ? decay : warm))};
    tg_for_spans(ctx, p->size, 16384, ema_span, &j);
}
