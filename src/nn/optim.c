/* optim.c - SGD, RMSprop, Adam, AdamW over the slabs: one fork a step, each chunk one kernel call. Muon's matrices are
 * muon.c's, and AdamW does the rest. */
#include <math.h>

#include "base/alloc.h"
#include "nn/muon.h"

enum { MOST_SLABS = 2 };

struct tg_optim {
    tg_context *ctx;
    const tg_params *p;
    tg_optim_config config;
    float *slabs[MOST_SLABS];
    tg_muon *muon; /* NULL: another kind */
};

/* What one step hands to its chunks; all the arithmetic on settings is done in double before. */
typedef struct step_job {
    const tg_optim *o;
    const tg_kernels *k;
    float scale, lr;
    float rate, root; /* adam: lr/(1 - b1^t), 1/sqrt(1 - b2^t) */
} step_job;

typedef struct optim_row {
    int slabs;
    const char *names[MOST_SLABS];
    void (*step)(const step_job *j, float *w, const float *g, float *a, float *b, int64_t n, float decay);
} optim_row;

static void sgd(const step_job *j, float *w, const float *g, float *m, float *unused, int64_t n, float decay)
{
    const tg_optim_config *c = &j->o->config;
    (void)unused;
    j->k->sgd(w, g, m, n, j->scale, j->lr, (float)c->momentum, c->nesterov, decay);
}

static void rmsprop(const step_job *j, float *w, const float *g, float *v, float *unused, int64_t n, float decay)
{
    const tg_optim_config *c = &j->o->config;
    (void)unused;
    j->k->rmsprop(w, g, v, n, j->scale, j->lr, (float)c->beta2, (float)c->epsilon, decay);
}

static void adam(const step_job *j, float *w, const float *g, float *m, float *v, int64_t n, float decay)
{
    const tg_optim_config *c = &j->o->config;
    j->k->adam(w, g, m, v, n, j->scale, j->rate, (float)c->beta1, (float)c->beta2, (float)c->epsilon, j->root, decay,
               1);
}

static void adamw(const step_job *j, float *w, const float *g, float *m, float *v, int64_t n, float decay)
{
    const tg_optim_config *c = &j->o->config;
    float keep = (float)(1 - (double)j->lr * (double)decay);
    j->k->adam(w, g, m, v, n, j->scale, j->rate, (float)c->beta1, (float)c->beta2, (float)c->epsilon, j->root, 0, keep);
}

static const optim_row rows[] = {
    [TG_SGD] = {1, {"m"}, sgd},
    [TG_RMSPROP] = {1, {"v"}, rmsprop},
    [TG_ADAM] = {2, {"m", "v"}, adam},
    [TG_ADAMW] = {2, {"m", "v"}, adamw},
    [TG_MUON] = {2, {"m", "v"}, adamw}, /* a matrix's part of v stays 0 */
};

static tg_status check(const tg_optim_config *c)
{
    if ((int)c->kind < 0 || (int)c->kind >= (int)(sizeof rows / sizeof *rows))
        return tg_fail(TG_EINVAL, "there is no optimiser number %d", (int)c->kind);
    if (!(c->momentum >= 0 && c->momentum < 1 && c->beta1 >= 0 && c->beta1 < 1 && c->beta2 >= 0 && c->beta2 < 1))
        return tg_fail(TG_EINVAL, "an optimiser's momentum and betas must be at least 0 and below 1");
    if (!(c->epsilon >= 0 && c->weight_decay >= 0))
        return tg_fail(TG_EINVAL, "an optimiser's epsilon and weight decay must not be negative");
    if ((c->kind == TG_SGD || c->kind == TG_MUON) && c->nesterov && c->momentum == 0)
        return tg_fail(TG_EINVAL, "Nesterov's form wants a momentum above 0");
    if (c->kind == TG_MUON && !(c->hidden_rate > 0 && isfinite(c->hidden_rate)))
        return tg_fail(TG_EINVAL, "muon's hidden_rate, its matrices' learning rate over that of the rest, must be above 0");
    return TG_OK;
}

tg_status tg_optim_new(tg_context *ctx, tg_params *p, const tg_optim_config *config, tg_optim **out)
{
    tg_status s = check(config);
    if (s) return s;
    tg_optim *o = tg_alloc(sizeof *o);
    if (!o) return TG_ENOMEM;
    o->ctx = ctx;
    o->p = p;
    o->config = *config;
    for (int i = 0; i < tg_optim_slabs(o) && tg_params_values(p); i++) {
        o->slabs[i] = tg_alloc_array(tg_params_size(p), sizeof(float));
        if (o->slabs[i]) continue;
        tg_optim_free(o);
        return TG_ENOMEM;
    }
    if (config->kind == TG_MUON && (s = tg_muon_new(ctx, p, &o->muon))) {
        tg_optim_free(o);
        return s;
    }
    *out = o;
    return TG_OK;
}

void tg_optim_free(tg_optim *o)
{
    if (!o) return;
    for (int i = 0; i < MOST_SLABS; i++) tg_free(o->slabs[i]);
    tg_muon_free(o->muon);
    tg_free(o);
}

int tg_optim_slabs(const tg_optim *o)
{
    return o->config.kind == TG_SGD && o->config.momentum == 0 ? 0 : rows[o->config.kind].slabs;
}

const char *tg_optim_slab_name(const tg_optim *o, int i) { return rows[o->config.kind].names[i]; }
float *tg_optim_slab(const tg_optim *o, int i) { return o->slabs[i]; }
double tg_optim_flops(const tg_optim *o) { return o->muon ? tg_muon_flops(o->muon) : 0; }

int64_t tg_optim_bytes(const tg_optim *o)
{
    return tg_optim_slabs(o) * tg_params_size(o->p) * (int64_t)sizeof(float) + (o->muon ? tg_muon_room(o->muon) : 0);
}

static void step_chunk(void *arg, int64_t chunk)
{
    const step_job *j = arg;
    const tg_optim *o = j->o;
    const tg_param_chunk *c = &o->p->chunks[chunk];
    const tg_param_row *row = &o->p->rows[c->row];
    if (!row->tensor->has_grad || (o->muon && row->parts > 0)) return;
    float *a = o->slabs[0] ? o->slabs[0] + c->offset : NULL, *b = o->slabs[1] ? o->slabs[1] + c->offset : NULL;
    rows[o->config.kind].step(j, o->p->values + c->offset, o->p->grads + c->offset, a, b, c->count,
                              row->decay ? (float)o->config.weight_decay : 0);
}

/* x^n by squaring: multiplications only, so the same double everywhere. */
static double power(double x, int64_t n)
{
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

/* The corrections are for the betas as the kernels have them, in float: 1 - 0.999f is 1.3e-5 off 0.001. */
void tg_optim_step(tg_optim *o, double lr, double scale, int64_t step)
{
    step_job j = {.o = o, .k = tg_kernels_of(o->ctx), .scale = (float)scale, .lr = (float)lr};
    if (!o->p->grads) return;
    if (rows[o->config.kind].slabs == 2) { /* adam and what is made of it */
        j.rate = (float)(lr / (1 - power((double)(float)o->config.beta1, step)));
        j.root = (float)(1 / sqrt(1 - power((double)(float)o->config.beta2, step)));
    }
    tg_pool_run(o->ctx->pool, step_chunk, &j, o->p->chunk_count);
    if (o->muon) tg_muon_step(o->muon, &o->config, o->slabs[0], lr * o->config.hidden_rate, scale);
}
