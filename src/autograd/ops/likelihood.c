/* likelihood.c - losses in nats per example: every element's -log p is added up and divided by the examples (the first axis). */
#include <math.h>

#include "autograd/tape.h"
#include "base/rng.h"

enum { A, B, X };           /* logits or means; log variances or log scales; what is to be explained */
enum { PARTIALS };
enum { CHUNK = 4096 };      /* decides bits: never change without raising TG_ALGORITHM */

static const char *const names[] = {
    [TG_LIKELY_BERNOULLI] = "bce_logits", [TG_LIKELY_GAUSSIAN] = "gauss_nll", [TG_LIKELY_LOGISTIC] = "logistic_nll",
    [TG_LIKELY_KL] = "gauss_kl",
};

static tg_status likelihood_shape(tg_tape *t, tg_node *n)
{
    char a[96], other[96];
    const tg_tensor *x = n->in[A];
    const int64_t chunks = (tg_shape_count(&x->shape) + CHUNK - 1) / CHUNK;
    for (int i = A; i <= X; i++)
        if (n->in[i] && (n->in[i]->dtype != TG_F32 || !tg_shape_equal(&n->in[i]->shape, &x->shape)))
            return tg_fail(TG_EINVAL, "%s: shapes %s and %s differ", names[n->attr.act], tg_shape_text(&x->shape, a),
                           tg_shape_text(&n->in[i]->shape, other));
    if (x->shape.rank < 1) return tg_fail(TG_EINVAL, "%s: a scalar is no batch of examples", names[n->attr.act]);
    if (!n->in[X] != (n->attr.act == TG_LIKELY_KL) || (!n->in[B] && n->attr.act != TG_LIKELY_BERNOULLI &&
                                                       n->attr.act != TG_LIKELY_GAUSSIAN))
        return tg_fail(TG_EINVAL, "%s: an input is missing", names[n->attr.act]);
    if (tg_tape_wants(t, n->in[X])) return tg_fail(TG_EINVAL, "%s: what is to be explained has no gradient", names[n->attr.act]);
    n->out->shape = tg_shape_of(0, NULL);
    tg_node_buffer(n, TG_LIFE_ROOM, chunks * (int64_t)sizeof(float));
    return TG_OK;
}

typedef struct likely_job { const tg_kernels *k; const tg_node *n; float *da, *db, by; bool add_a, add_b; } likely_job;

static const float *data_at(const tg_node *n, int i, int64_t at) { return n->in[i] ? n->in[i]->data + at : NULL; }

static void forward_span(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    float *partial = n->buffer[PARTIALS].data;
    partial[s.begin / CHUNK] = j->k->likely(n->attr.act, data_at(n, A, s.begin), data_at(n, B, s.begin), data_at(n, X, s.begin),
                                            (float)n->attr.number, s.end - s.begin);
}

static void likelihood_forward(tg_tape *t, tg_node *n)
{
    likely_job j = {.k = t->kernels, .n = n};
    const int64_t count = tg_shape_count(&n->in[A]->shape);
    const float *partial = n->buffer[PARTIALS].data;
    double sum = 0;
    tg_for_spans(t->ctx, count, CHUNK, forward_span, &j);
    for (int64_t i = 0; i * CHUNK < count; i++) sum += (double)partial[i];
    n->out->data[0] = (float)(sum / (double)n->in[A]->shape.dims[0]);
}

static void backward_span(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    j->k->likely_back(j->da ? j->da + s.begin : NULL, j->db ? j->db + s.begin : NULL, n->attr.act, data_at(n, A, s.begin),
                      data_at(n, B, s.begin), data_at(n, X, s.begin), (float)n->attr.number, j->by, s.end - s.begin, j->add_a,
                          j->add_b);
}

static void likelihood_backward(tg_tape *t, tg_node *n)
{
    likely_job j = {.k = t->kernels, .n = n, .by = n->out->grad[0] / (float)n->in[A]->shape.dims[0]};
    j.da = tg_node_grad(t, n, A, &j.add_a);
    j.db = n->in[B] ? tg_node_grad(t, n, B, &j.add_b) : NULL;
    if (j.da || j.db) tg_for_spans(t->ctx, tg_shape_count(&n->in[A]->shape), CHUNK, backward_span, &j);
}

/* Exponentials and logarithms count as 8. */
static double likelihood_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    static const double each[] = {[TG_LIKELY_BERNOULLI] = 30, [TG_LIKELY_GAUSSIAN] = 14, [TG_LIKELY_LOGISTIC] = 100,
                                  [TG_LIKELY_KL] = 13};
    (void)t, (void)backward;
    return each[n->attr.act] * (double)tg_shape_count(&n->in[A]->shape);
}

static bool likelihood_example(int variant, tg_example *e)
{
    static const struct { const char *what; int kind; bool b, x; double low, high; } v[] = {
        {"bernoulli", TG_LIKELY_BERNOULLI, false, true, -3, 3}, {"gaussian", TG_LIKELY_GAUSSIAN, true, true, -1, 1},
        {"gaussian, fixed variance", TG_LIKELY_GAUSSIAN, false, true, -1, 1}, {"logistic", TG_LIKELY_LOGISTIC, true, true, 0.1,
                                                                               0.9},
        {"divergence", TG_LIKELY_KL, true, false, -2, 2},
    };
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].kind;
    e->attr.number = -0.5;
    e->in[A] = tg_example_values(2, (int64_t[]){3, 19}, v[variant].low, v[variant].high);
    if (v[variant].b) e->in[B] = tg_example_values(2, (int64_t[]){3, 19}, -1, 1);
    if (v[variant].x) e->in[X] = tg_example_values(2, (int64_t[]){3, 19}, 0, 1);
    e->in[X].constant = true;
    return true;
}

const tg_op tg_op_likelihood = {
    .name = "likelihood", .n_in = 3, .optional = 1 << B | 1 << X,
    .doc = "nats per example: bernoulli (logits), gaussian, logistic of 256 bins (mean, log variance or scale), KL to N(0, 1)",
    .source = "Kingma & Welling 2013, arXiv:1312.6114; Salimans et al. 2017, arXiv:1701.05517, eq. 2",
    .shape = likelihood_shape,
    .forward = likelihood_forward,
    .backward = likelihood_backward,
    .flops = likelihood_flops,
    .example = likelihood_example,
};

static tg_tensor *apply(tg_tape *t, int kind, tg_tensor *a, tg_tensor *b, tg_tensor *x, double fixed)
{
    return tg_tape_apply(t, &tg_op_likelihood, (tg_tensor *[]){a, b, x}, &(tg_op_attr){.act = kind, .number = fixed});
}

tg_tensor *tg_bce_logits(tg_tape *t, tg_tensor *logits, tg_tensor *x)
{
    return apply(t, TG_LIKELY_BERNOULLI, logits, NULL, x, 0);
}

tg_tensor *tg_gauss_nll(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *x, double fixed_logvar)
{
    return apply(t, TG_LIKELY_GAUSSIAN, mean, logvar, x, fixed_logvar);
}

tg_tensor *tg_logistic_nll(tg_tape *t, tg_tensor *mean, tg_tensor *log_scale, tg_tensor *x)
{
    return apply(t, TG_LIKELY_LOGISTIC, mean, log_scale, x, 0);
}

tg_tensor *tg_gauss_kl(tg_tape *t, tg_tensor *mean, tg_tensor *logvar)
{
    return apply(t, TG_LIKELY_KL, mean, logvar, NULL, 0);
}

/* ---- noise ----------------------------------------------------------------------------------------------------------- */

typedef struct noise_job {
    const tg_kernels *k;
    const tg_node *n;
    tg_rng stream;
    int64_t first; /* elements of a tensor are fewer than 2^40, draws of a step fewer than 2^22 */
    float *to;
    bool add;
} noise_job;

static noise_job noise_of(const tg_tape *t, uint32_t index, float *to)
{
    return (noise_job){.k = t->kernels, .stream = tg_rng_at(t->mode.seed, TG_RNG_NOISE, t->mode.step),
                       .first = (int64_t)index << 40,
                       .to = to};
}

static void noise_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    j->k->normal(j->to + s.begin, j->first + s.begin, s.end - s.begin, j->stream.key, j->stream.step);
}

tg_tensor *tg_noise(tg_tape *t, int rank, const int64_t *dims)
{
    tg_tensor *x = tg_tape_values(t, rank, dims);
    if (!x) return NULL;
    noise_job j = noise_of(t, t->noises++, x->data);
    if (!t->mode.plan) tg_for_spans(t->ctx, tg_shape_count(&x->shape), CHUNK, noise_span, &j);
    return x;
}

enum { MEAN, LOGVAR };
enum { NOISE };

static tg_status reparam_shape(tg_tape *t, tg_node *n)
{
    char a[96], b[96];
    if (n->in[MEAN]->dtype != TG_F32 || n->in[LOGVAR]->dtype != TG_F32 || !tg_shape_equal(&n->in[MEAN]->shape,
                                                                                          &n->in[LOGVAR]->shape))
        return tg_fail(TG_EINVAL, "reparam: shapes %s and %s differ", tg_shape_text(&n->in[MEAN]->shape, a),
                       tg_shape_text(&n->in[LOGVAR]->shape, b));
    n->out->shape = n->in[MEAN]->shape;
    n->spare = true;
    n->index = t->noises++;
    tg_node_buffer(n, TG_LIFE_SAVE, tg_shape_count(&n->out->shape) * (int64_t)sizeof(float));
    return TG_OK;
}

static void reparam_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    const tg_node *n = j->n;
    const float *noise = (const float *)n->buffer[NOISE].data + s.begin;
    j->k->reparam(n->out->data + s.begin, n->in[MEAN]->data + s.begin, n->in[LOGVAR]->data + s.begin, noise, s.end - s.begin);
}

static void reparam_back_span(void *arg, tg_span s)
{
    const noise_job *j = arg;
    const tg_node *n = j->n;
    const float *noise = (const float *)n->buffer[NOISE].data + s.begin;
    j->k->reparam_back(j->to + s.begin, n->out->grad + s.begin, n->in[LOGVAR]->data + s.begin, noise, s.end - s.begin, j->add);
}

static void reparam_forward(tg_tape *t, tg_node *n)
{
    noise_job j = noise_of(t, n->index, n->buffer[NOISE].data);
    j.n = n;
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), CHUNK, noise_span, &j);
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), CHUNK, reparam_span, &j);
}

static void reparam_backward(tg_tape *t, tg_node *n)
{
    noise_job j = {.k = t->kernels, .n = n};
    const int64_t count = tg_shape_count(&n->out->shape);
    j.to = tg_node_grad(t, n, LOGVAR, &j.add);
    if (j.to) tg_for_spans(t->ctx, count, CHUNK, reparam_back_span, &j);
    j.to = tg_node_grad(t, n, MEAN, &j.add);
    if (j.to) tg_accumulate_all(t, j.to, n->out->grad, count, j.add);
}

/* A normal number counts as 60. */
static double reparam_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 12.0 : 70.0) * (double)tg_shape_count(&n->out->shape);
}

static bool reparam_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "19 latents";
    e->in[MEAN] = e->in[LOGVAR] = tg_example_values(2, (int64_t[]){3, 19}, -2, 2);
    return true;
}

const tg_op tg_op_reparam = {
    .name = "reparam", .n_in = 2,
    .doc = "z = mean + e^(logvar/2)·noise, noise from N(0, 1) by (seed, step, which draw of the step, element)",
    .source = "Kingma & Welling 2013, arXiv:1312.6114",
    .shape = reparam_shape,
    .forward = reparam_forward,
    .backward = reparam_backward,
    .flops = reparam_flops,
    .example = reparam_example,
};

tg_tensor *tg_reparam(tg_tape *t, tg_tensor *mean, tg_tensor *logvar)
{
    return tg_tape_apply(t, &tg_op_reparam, (tg_tensor *[]){mean, logvar}, NULL);
}
