/* latent.c - what a latent model draws: normal noise, pixels, z made of noise, and how several draws of z bound log p(x). */
#include "autograd/tape.h"
#include "base/fmath.h"
#include "base/hash.h"
#include "base/rng.h"

enum { CHUNK = 4096 }; /* whole blocks of Philox */

typedef struct noise_job {
    const tg_kernels *k;
    const tg_node *n;
    tg_rng stream;
    int64_t first; /* elements of a tensor are fewer than 2^40, draws of a step fewer than 2^22 */
    float *to;
    bool add;
} noise_job;

static void noise_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    j->k->normal(j->to + s.begin, j->first + s.begin, s.end - s.begin, j->stream.key, j->stream.step);
}

tg_tensor *tg_noise(tg_tape *t, int rank, const int64_t *dims)
{
    tg_tensor *x = tg_tape_values(t, rank, dims);
    if (!x) return NULL;
    noise_job j = {.k = t->kernels, .stream = tg_rng_at(t->mode.seed, TG_RNG_NOISE, t->mode.step),
                   .first = (int64_t)t->noises++ << 40, .to = x->data};
    if (!t->mode.plan) tg_for_spans(t->ctx, tg_shape_count(&x->shape), CHUNK, noise_span, &j);
    return x;
}

/* ---- pixels of 0 and 1 ----------------------------------------------------------------------------------------------- */

typedef struct coin_job { const float *x; float *y; tg_rng stream; int64_t D; } coin_job;

static void coins(float *y, const float *x, int64_t n, tg_rng r)
{
    for (int64_t i = 0; i < n; i++) y[i] = tg_rng_unit(&r) < x[i] ? 1 : 0;
}

/* One stream for all: it goes on anywhere that whole blocks of it end, so a span has the numbers that it would have anyway. */
static void coin_span(void *arg, tg_span s)
{
    const coin_job *j = arg;
    tg_rng r = j->stream;
    r.index = (uint64_t)s.begin;
    coins(j->y + s.begin, j->x + s.begin, s.end - s.begin, r);
}

static void own_span(void *arg, tg_span rows)
{
    const coin_job *j = arg;
    for (int64_t at = rows.begin * j->D; at < rows.end * j->D; at += j->D)
        coins(j->y + at, j->x + at, j->D, tg_rng_at(0, TG_RNG_BINARY, tg_xxh64_of(j->x + at, j->D * (int64_t)sizeof(float))));
}

tg_tensor *tg_coins(tg_tape *t, const tg_tensor *x, bool own)
{
    tg_tensor *y = x ? tg_tape_values(t, x->shape.rank, x->shape.dims) : NULL;
    if (!y || t->mode.plan) return y;
    const int64_t n = tg_shape_count(&x->shape), rows = x->shape.dims[0];
    coin_job j = {.x = x->data, .y = y->data, .stream = tg_rng_at(t->mode.seed, TG_RNG_BINARY, t->mode.step), .D = n / rows};
    if (own) tg_for_spans(t->ctx, rows, 4, own_span, &j);
    else tg_for_spans(t->ctx, n, CHUNK, coin_span, &j);
    return y;
}

/* ---- z --------------------------------------------------------------------------------------------------------------- */

enum { MEAN, LOGVAR, NOISE };

static tg_status reparam_shape(tg_tape *t, tg_node *n)
{
    char a[96], b[96], c[96];
    const tg_shape *m = &n->in[MEAN]->shape, *e = &n->in[NOISE]->shape;
    tg_shape one = *e;
    if (one.rank > 0 && one.rank == m->rank && m->dims[0] > 0 && one.dims[0] % m->dims[0] == 0) one.dims[0] = m->dims[0];
    if (n->in[MEAN]->dtype != TG_F32 || n->in[LOGVAR]->dtype != TG_F32 || n->in[NOISE]->dtype != TG_F32 ||
        !tg_shape_equal(m, &n->in[LOGVAR]->shape) || !tg_shape_equal(m, &one))
        return tg_fail(TG_EINVAL, "reparam: shapes %s, %s and %s of the noise do not go together", tg_shape_text(m, a),
                       tg_shape_text(&n->in[LOGVAR]->shape, b), tg_shape_text(e, c));
    if (tg_tape_wants(t, n->in[NOISE])) return tg_fail(TG_EINVAL, "reparam: noise has no gradient");
    n->out->shape = *e;
    n->spare = true;
    return TG_OK;
}

/* Draw after draw of the same means: all draws of a span by one thread, so that theirs adds up in order. */
static void reparam_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    const tg_node *n = j->n;
    const int64_t size = tg_shape_count(&n->in[MEAN]->shape), all = tg_shape_count(&n->out->shape);
    for (int64_t at = s.begin; at < all; at += size)
        j->k->reparam(n->out->data + at, n->in[MEAN]->data + s.begin, n->in[LOGVAR]->data + s.begin, n->in[NOISE]->data + at,
                      s.end - s.begin);
}

static void reparam_back_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    const tg_node *n = j->n;
    const int64_t size = tg_shape_count(&n->in[MEAN]->shape), all = tg_shape_count(&n->out->shape);
    for (int64_t at = s.begin; at < all; at += size)
        j->k->reparam_back(j->to + s.begin, n->out->grad + at, n->in[LOGVAR]->data + s.begin, n->in[NOISE]->data + at,
                           s.end - s.begin, j->add || at > s.begin);
}

static void reparam_forward(tg_tape *t, tg_node *n)
{
    noise_job j = {.k = t->kernels, .n = n};
    tg_for_spans(t->ctx, tg_shape_count(&n->in[MEAN]->shape), CHUNK, reparam_span, &j);
}

static void reparam_backward(tg_tape *t, tg_node *n)
{
    noise_job j = {.k = t->kernels, .n = n};
    const int64_t size = tg_shape_count(&n->in[MEAN]->shape), all = tg_shape_count(&n->out->shape);
    j.to = tg_node_grad(t, n, LOGVAR, &j.add);
    if (j.to) tg_for_spans(t->ctx, size, CHUNK, reparam_back_span, &j);
    j.to = tg_node_grad(t, n, MEAN, &j.add);
    for (int64_t at = 0; j.to && at < all; at += size)
        tg_accumulate_all(t, j.to, n->out->grad + at, size, j.add || at > 0);
}

static double reparam_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 12.0 : 10.0) * (double)tg_shape_count(&n->out->shape);
}

static bool reparam_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    e->what = variant ? "two draws of 19 latents" : "19 latents";
    e->in[MEAN] = e->in[LOGVAR] = e->in[NOISE] = tg_example_values(2, (int64_t[]){3, 19}, -2, 2);
    if (variant) e->in[NOISE] = tg_example_values(2, (int64_t[]){6, 19}, -2, 2);
    e->in[NOISE].constant = true;
    return true;
}

const tg_op tg_op_reparam = {
    .name = "reparam", .n_in = 3,
    .doc = "z = mean + e^(logvar/2)·noise; mean, logvar [B, Z], noise [K·B, Z]: draw after draw",
    .source = "Kingma & Welling 2013, arXiv:1312.6114",
    .shape = reparam_shape,
    .forward = reparam_forward,
    .backward = reparam_backward,
    .flops = reparam_flops,
    .example = reparam_example,
};

tg_tensor *tg_reparam_by(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *noise)
{
    return tg_tape_apply(t, &tg_op_reparam, (tg_tensor *[]){mean, logvar, noise}, NULL);
}

tg_tensor *tg_reparam(tg_tape *t, tg_tensor *mean, tg_tensor *logvar)
{
    return tg_reparam_by(t, mean, logvar, mean ? tg_noise(t, mean->shape.rank, mean->shape.dims) : NULL);
}

/* ---- the bound by several draws -------------------------------------------------------------------------------------------- */

enum { SHARES };

static tg_status bound_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    const tg_shape *x = &n->in[0]->shape;
    (void)t;
    if (n->in[0]->dtype != TG_F32 || x->rank != 2 || x->dims[0] < 1 || x->dims[1] < 1)
        return tg_fail(TG_EINVAL, "importance_bound: nats of shape %s are not [K, B]", tg_shape_text(x, text));
    n->out->shape = tg_shape_of(0, NULL);
    n->spare = true;
    tg_node_buffer(n, TG_LIFE_SAVE, tg_shape_count(x) * (int64_t)sizeof(float));
    return TG_OK;
}

/* -log mean e^-x = m - log(mean e^(m - x)), m the least. The shares e^(m - x)/sum are the slopes. */
static void bound_forward(tg_tape *t, tg_node *n)
{
    const float *x = n->in[0]->data;
    float *share = n->buffer[SHARES].data;
    const int64_t K = n->in[0]->shape.dims[0], B = n->in[0]->shape.dims[1];
    double all = 0;
    (void)t;
    for (int64_t b = 0; b < B; b++) {
        float least = x[b];
        double sum = 0;
        for (int64_t k = 1; k < K; k++) least = x[k * B + b] < least ? x[k * B + b] : least;
        for (int64_t k = 0; k < K; k++) sum += (double)(share[k * B + b] = tg_expf(least - x[k * B + b]));
        for (int64_t k = 0; k < K; k++) share[k * B + b] = (float)((double)share[k * B + b] / sum);
        all += (double)least - (double)tg_logf((float)(sum / (double)K));
    }
    n->out->data[0] = (float)(all / (double)B);
}

static void bound_backward(tg_tape *t, tg_node *n)
{
    bool add;
    float *dx = tg_node_grad(t, n, 0, &add);
    const float *share = n->buffer[SHARES].data, by = n->out->grad[0] / (float)n->in[0]->shape.dims[1];
    for (int64_t i = 0; dx && i < tg_shape_count(&n->in[0]->shape); i++) dx[i] = by * share[i] + (add ? dx[i] : 0);
}

static double bound_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 2.0 : 12.0) * (double)tg_shape_count(&n->in[0]->shape);
}

static bool bound_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "four draws of three";
    e->in[0] = tg_example_values(2, (int64_t[]){4, 3}, -2, 2);
    return true;
}

const tg_op tg_op_importance_bound = {
    .name = "importance_bound", .n_in = 1,
    .doc = "y = mean over B of -log(mean over K of e^-x); x [K, B]: nats of each draw, -log(p(x, z)/q(z|x))",
    .source = "Burda et al. 2015, arXiv:1509.00519, eq. 8",
    .shape = bound_shape,
    .forward = bound_forward,
    .backward = bound_backward,
    .flops = bound_flops,
    .example = bound_example,
};

tg_tensor *tg_importance_bound(tg_tape *t, tg_tensor *nats)
{
    return tg_tape_apply(t, &tg_op_importance_bound, (tg_tensor *[]){nats}, NULL);
}
