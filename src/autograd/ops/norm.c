/* norm.c - layer norm and RMS norm over the last axis. */
#include "autograd/tape.h"

enum { X, GAIN, BIAS };
enum { MEAN, INV_STD, SUMS };

static tg_status layernorm_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    const tg_tensor *x = n->in[X];
    int64_t D = tg_columns_of(x), rows = tg_rows_of(x);
    (void)t;
    if (x->dtype != TG_F32 || x->shape.rank < 1 || tg_shape_count(&n->in[GAIN]->shape) != D ||
        tg_shape_count(&n->in[BIAS]->shape) != D)
        return tg_fail(TG_EINVAL, "layernorm: x %s wants gain and bias of its last axis' size",
                       tg_shape_text(&x->shape, text));
    if (!(n->attr.number >= 0)) return tg_fail(TG_EINVAL, "layernorm: eps must not be negative");
    n->out->shape = x->shape;
    tg_node_buffer(n, TG_LIFE_SAVE, rows * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_SAVE, rows * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_BACK, 2 * D * (int64_t)sizeof(float));
    return TG_OK;
}

typedef struct norm_job { const tg_kernels *k; tg_node *n; float *dx; bool add; } norm_job;

static void forward_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    j->k->layernorm(n->out->data, n->buffer[MEAN].data, n->buffer[INV_STD].data, n->in[X]->data, n->in[GAIN]->data,
                    n->in[BIAS]->data, tg_columns_of(n->out), (float)n->attr.number, rows);
}

static void layernorm_forward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n};
    tg_for_spans(t->ctx, tg_rows_of(n->out), 16, forward_span, &j);
}

static void dx_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    j->k->layernorm_back(j->dx, n->out->grad, n->in[X]->data, n->in[GAIN]->data, n->buffer[MEAN].data,
                         n->buffer[INV_STD].data, tg_columns_of(n->out), rows, j->add);
}

static void sums_span(void *arg, tg_span columns)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    int64_t D = tg_columns_of(n->out);
    float *dg = n->buffer[SUMS].data;
    j->k->layernorm_dg(dg, dg + D, n->out->grad, n->in[X]->data, n->buffer[MEAN].data, n->buffer[INV_STD].data,
                       tg_rows_of(n->out), D, columns, false);
}

static void layernorm_backward(tg_tape *t, tg_node *n)
{
    int64_t D = tg_columns_of(n->out);
    norm_job j = {.k = t->kernels, .n = n};
    j.dx = tg_node_grad(t, n, X, &j.add);
    if (j.dx) tg_for_spans(t->ctx, tg_rows_of(n->out), 16, dx_span, &j);
    if (!tg_tape_wants(t, n->in[GAIN]) && !tg_tape_wants(t, n->in[BIAS])) return;
    tg_for_spans(t->ctx, D, 64, sums_span, &j);
    for (int i = GAIN; i <= BIAS; i++) {
        bool add;
        float *to = tg_node_grad(t, n, i, &add);
        if (to) tg_accumulate_all(t, to, (const float *)n->buffer[SUMS].data + (i == BIAS ? D : 0), D, add);
    }
}

static double layernorm_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 14.0 : 8.0) * (double)tg_shape_count(&n->out->shape);
}

/* Of both norms, but for the bias. */
static bool norm_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    int64_t D = variant ? 19 : 8;
    e->what = variant ? "19 features" : "8 features";
    e->attr.number = 1e-5;
    e->in[X] = tg_example_values(3, (int64_t[]){2, 2, D}, -2, 2);
    e->in[GAIN] = tg_example_values(1, &D, 0.5, 1.5);
    return true;
}

static bool layernorm_example(int variant, tg_example *e)
{
    if (!norm_example(variant, e)) return false;
    e->in[BIAS] = e->in[GAIN];
    e->in[BIAS].low = -1;
    e->in[BIAS].high = 1;
    return true;
}

const tg_op tg_op_layernorm = {
    .name = "layernorm", .n_in = 3,
    .doc = "y = (x - mean)/sqrt(var + eps)·g + b over the last axis; x[..., D], g[D], b[D]",
    .source = "Ba, Kiros & Hinton 2016, arXiv:1607.06450",
    .shape = layernorm_shape,
    .forward = layernorm_forward,
    .backward = layernorm_backward,
    .flops = layernorm_flops,
    .example = layernorm_example,
};

tg_tensor *tg_layernorm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, double eps)
{
    return tg_tape_apply(t, &tg_op_layernorm, (tg_tensor *[]){x, g, b}, &(tg_op_attr){.number = eps});
}

/* ---- RMS norm ---------------------------------------------------------------------------------------------------- */

enum { INV };

static tg_status rmsnorm_shape(tg_tape *t, tg_node *n)
{
    char x_text[96], g_text[96];
    const tg_tensor *x = n->in[X], *g = n->in[GAIN];
    (void)t;
    if (x->dtype != TG_F32 || x->shape.rank < 1 || g->dtype != TG_F32 || tg_shape_count(&g->shape) != tg_columns_of(x))
        return tg_fail(TG_EINVAL, "rmsnorm: x %s wants a gain of its last axis' size, not %s", tg_shape_text(&x->shape, x_text),
                       tg_shape_text(&g->shape, g_text));
    if (!(n->attr.number >= 0)) return tg_fail(TG_EINVAL, "rmsnorm: eps must not be negative");
    n->out->shape = x->shape;
    n->spare = true;
    tg_node_buffer(n, TG_LIFE_SAVE, tg_rows_of(x) * (int64_t)sizeof(float));
    return TG_OK;
}

static void rms_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    j->k->rmsnorm(n->out->data, n->buffer[INV].data, n->in[X]->data, n->in[GAIN]->data, tg_columns_of(n->out),
                  (float)n->attr.number, rows);
}

static void rmsnorm_forward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n};
    tg_for_spans(t->ctx, tg_rows_of(n->out), 16, rms_span, &j);
}

static void rms_dx_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    j->k->rmsnorm_back(j->dx, n->out->grad, n->in[X]->data, n->in[GAIN]->data, n->buffer[INV].data, tg_columns_of(n->out), rows,
                       j->add);
}

static void rms_dg_span(void *arg, tg_span columns)
{
    const norm_job *j = arg;
    const tg_node *n = j->n;
    j->k->rmsnorm_dg(j->dx, n->out->grad, n->in[X]->data, n->buffer[INV].data, tg_rows_of(n->out), tg_columns_of(n->out),
                     columns, j->add);
}

static void rmsnorm_backward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n};
    if ((j.dx = tg_node_grad(t, n, X, &j.add)) != NULL) tg_for_spans(t->ctx, tg_rows_of(n->out), 16, rms_dx_span, &j);
    if ((j.dx = tg_node_grad(t, n, GAIN, &j.add)) != NULL) tg_for_spans(t->ctx, tg_columns_of(n->out), 64, rms_dg_span, &j);
}

static double rmsnorm_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 11.0 : 4.0) * (double)tg_shape_count(&n->out->shape);
}

const tg_op tg_op_rmsnorm = {
    .name = "rmsnorm", .n_in = 2,
    .doc = "y = x/sqrt(mean(x²) + eps)·g over the last axis; x[..., D], g[D]",
    .source = "Zhang & Sennrich 2019, arXiv:1910.07467",
    .shape = rmsnorm_shape,
    .forward = rmsnorm_forward,
    .backward = rmsnorm_backward,
    .flops = rmsnorm_flops,
    .example = norm_example,
};

tg_tensor *tg_rmsnorm(tg_tape *t, tg_tensor *x, tg_tensor *g, double eps)
{
    return tg_tape_apply(t, &tg_op_rmsnorm, (tg_tensor *[]){x, g}, &(tg_op_attr){.number = eps});
}
