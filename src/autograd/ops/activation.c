/* activation.c - activations whose gradient needs their input: gelu, relu2, swiglu. Those that do with their result are part of
 * linear. */
#include "autograd/tape.h"

/* Results of a row, and numbers of x behind each. */
static int64_t width_of(const tg_node *n) { return tg_columns_of(n->out); }
static int64_t parts_of(const tg_node *n) { return n->attr.act == TG_SWIGLU ? 2 : 1; }

static tg_status activate_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    const tg_tensor *x = n->in[0];
    const int64_t parts = parts_of(n);
    (void)t;
    if (n->attr.act != TG_GELU && n->attr.act != TG_RELU2 && n->attr.act != TG_SWIGLU)
        return tg_fail(TG_EINVAL, "activate: the activation must be gelu, relu2 or swiglu; linear has the others");
    if (x->dtype != TG_F32 || x->shape.rank < 1 || tg_columns_of(x) % parts)
        return tg_fail(TG_EINVAL, "activate: x %s wants a last axis%s", tg_shape_text(&x->shape, text),
                       parts == 2 ? " of two equal halves" : "");
    n->out->shape = x->shape;
    n->out->shape.dims[x->shape.rank - 1] /= parts;
    n->spare = true;
    return TG_OK;
}

typedef struct act_job { const tg_kernels *k; const tg_node *n; float *dx; bool add; } act_job;

static void forward_span(void *arg, tg_span rows)
{
    const act_job *j = arg;
    j->k->activate(j->n->out->data, j->n->in[0]->data, width_of(j->n), j->n->attr.act, rows);
}

static void backward_span(void *arg, tg_span rows)
{
    const act_job *j = arg;
    j->k->activate_back(j->dx, j->n->out->grad, j->n->in[0]->data, width_of(j->n), j->n->attr.act, rows, j->add);
}

/* Whole rows of about 4,096 results. */
static int64_t grain_of(const tg_node *n) { return (4096 + width_of(n) - 1) / width_of(n); }

static void activate_forward(tg_tape *t, tg_node *n)
{
    act_job j = {.k = t->kernels, .n = n};
    tg_for_spans(t->ctx, tg_rows_of(n->out), grain_of(n), forward_span, &j);
}

static void activate_backward(tg_tape *t, tg_node *n)
{
    act_job j = {.k = t->kernels, .n = n};
    j.dx = tg_node_grad(t, n, 0, &j.add);
    if (j.dx) tg_for_spans(t->ctx, tg_rows_of(n->out), grain_of(n), backward_span, &j);
}

/* A tanh or sigmoid counts as 10. */
static double activate_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    const double each = n->attr.act == TG_RELU2 ? 2 : n->attr.act == TG_GELU ? (backward ? 24 : 17) : (backward ? 17 : 12);
    return each * (double)tg_shape_count(&n->out->shape);
}

static bool activate_example(int variant, tg_example *e)
{
    static const struct { const char *what; int act; } v[] = {{"gelu", TG_GELU}, {"relu2", TG_RELU2}, {"swiglu", TG_SWIGLU}};
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].act;
    e->in[0] = tg_example_values(3, (int64_t[]){2, 3, 38}, -3, 3);
    return true;
}

const tg_op tg_op_activate = {
    .name = "activate", .n_in = 1,
    .doc = "y = gelu(x) (tanh form), max(x, 0)², or silu(a)·b of the two halves of x[..., 2F]",
    .source = "Hendrycks & Gimpel 2016, arXiv:1606.08415; So et al. 2021, arXiv:2109.08668; Shazeer 2020, arXiv:2002.05202",
    .shape = activate_shape,
    .forward = activate_forward,
    .backward = activate_backward,
    .flops = activate_flops,
    .example = activate_example,
};

tg_tensor *tg_activate(tg_tape *t, tg_tensor *x, tg_activation act)
{
    return tg_tape_apply(t, &tg_op_activate, (tg_tensor *[]){x}, &(tg_op_attr){.act = (int)act});
}
