/* clip.c - the norm of all gradients, and what it says. */
#include <math.h>

#include "nn/param.h"

typedef struct norm_job { const tg_params *p; const tg_kernels *k; } norm_job;

static void norm_chunk(void *arg, int64_t chunk)
{
    const norm_job *j = arg;
    const tg_param_chunk *c = &j->p->chunks[chunk];
    if (j->p->rows[c->row].tensor->has_grad)
        j->p->partials[chunk] = j->k->sum_squares(j->p->grads + c->offset, c->count);
}

/* Chunks are summed in order, in double; the root is IEEE's. */
double tg_grad_norm(tg_context *ctx, const tg_params *p)
{
    norm_job j = {p, tg_kernels_of(ctx)};
    if (!p->grads) return 0;
    tg_pool_run(ctx->pool, norm_chunk, &j, p->chunk_count);
    double sum = 0;
    for (int64_t i = 0; i < p->chunk_count; i++)
        if (p->rows[p->chunks[i].row].tensor->has_grad) sum += (double)p->partials[i];
    return sqrt(sum);
}

double tg_clip_scale(double norm, double clip)
{
    double scale = clip / (norm + 1e-6);
    return clip > 0 && scale < 1 ? scale : 1;
}

const char *tg_grad_bad(const tg_params *p)
{
    for (int64_t i = 0; i < p->count; i++) {
        const tg_param_row *row = &p->rows[i];
        if (!row->tensor->has_grad || !p->grads) continue;
        for (int64_t e = 0; e < row->count; e++)
            if (!isfinite(p->grads[row->offset + e])) return row->tensor->name;
    }
    return NULL;
}
