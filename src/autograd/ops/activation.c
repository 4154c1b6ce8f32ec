/* activation.c - activations from their input, and the slopes of those that differ element by element. Those whose gradient needs
 * their result alone are part of linear, too. */
#include "autograd/tape.h"

/* Results of a row, and numbers of x behind each. */
static int64_t width_of(const tg_node *n) { return tg_columns_of(n->out); }
static int64_t parts_of(const tg_node *n) { return n->attr.act == TG_SWIGLU ? 2 : 1; }
static bool is_curve(int act) { return act != TG_GELU && act != TG_RELU2 && act != TG_SWIGLU; }

static tg_status activate_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    const tg_tensor *x = n->in[0];
    const int64_t parts = parts_of(n);
    (void)t;
    if (n->attr.act <= TG_LINEAR || n->attr.act > TG_SOFTPLUS) return tg_fail(TG_EINVAL, "activate: there is no such activation");
    if (x->dtype != TG_F32 || x->shape.rank < 1 || tg_columns_of(x) % parts)
        return tg_fail(TG_EINVAL, "activate: x %s wants a last axis%s", tg_shape_text(&x->shape, text),
                       parts == 2 ? " of two equal halves" : "");
    n->out->shape = x->shape;
    n->out->shape.dims[x->shape.rank - 1] /= parts;
    n->spare = true;
    return TG_OK;
}

typedef struct act_job { const tg_kernels *k; const tg_node *n; float *dx; const float *dy; bool add; } act_job;

static void forward_span(void *arg, tg_span rows)
{
    const act_job *j = arg;
    const int64_t F = width_of(j->n), at = rows.begin * F;
    if (is_curve(j->n->attr.act))
        j->k->curve(j->n->out->data + at, j->n->in[0]->data + at, (rows.end - rows.begin) * F, j->n->attr.act,
                    (float)j->n->attr.number);
    else j->k->activate(j->n->out->data, j->n->in[0]->data, width_of(j->n), j->n->attr.act, rows);
}

static void backward_span(void *arg, tg_span rows)
{
    const act_job *j = arg;
    const tg_node *n = j->n;
    const int64_t F = width_of(n), at = rows.begin * F;
    if (is_curve(n->attr.act))
        j->k->curve_back(j->dx + at, n->out->grad + at, n->in[0]->data + at, (rows.end - rows.begin) * F, n->attr.act,
                         (float)n->attr.number, j->add);
    else j->k->activate_back(j->dx, j->n->out->grad, j->n->in[0]->data, width_of(j->n), j->n->attr.act, rows, j->add);
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

/* Of images a unit is a channel. All but those that are flat at both ends are told by their input: its sign says who is
 * active. */
static int activate_units(const tg_node *n, tg_op_units out[TG_OP_UNITS])
{
    const int act = n->attr.act;
    const bool flat = act == TG_TANH || act == TG_SIGMOID, images = n->out->shape.rank == 4;
    const int64_t *d = n->out->shape.dims, inner = images ? d[2] * d[3] : 1, units = images ? d[1] : width_of(n);
    out[0] = (tg_op_units){.what = "activation", .act = act, .before = !flat, .values = flat ? n->out->data : n->in[0]->data,
                           .rows = tg_shape_count(&n->out->shape) / (units * inner), .stride = units * inner * parts_of(n),
                           .units = units, .inner = inner};
    return 1;
}

/* A tanh or sigmoid counts as 10. */
static double activate_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    const double each = n->attr.act == TG_RELU2 ? 2 : n->attr.act == TG_GELU ? (backward ? 24 : 17) : (backward ? 17 : 12);
    return each * (double)tg_shape_count(&n->out->shape);
}

static tg_tensor *activate_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    return tg_slope(t, dx[0], n->in[0], (tg_activation)n->attr.act, n->attr.number);
}

static bool activate_example(int variant, tg_example *e)
{
    static const struct { const char *what; int act; double slope; } v[] = {
        {"gelu", TG_GELU, 0},   {"relu2", TG_RELU2, 0}, {"swiglu", TG_SWIGLU, 0},     {"tanh", TG_TANH, 0},    {"sigmoid",
                                                                                                                TG_SIGMOID, 0},
        {"relu", TG_RELU, 0},   {"leaky", TG_LEAKY, 0.2}, {"silu", TG_SILU, 0}, {"softplus", TG_SOFTPLUS, 0},
    };
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].act;
    e->attr.number = v[variant].slope;
    e->in[0] = tg_example_values(3, (int64_t[]){2, 3, 38}, -3, 3);
    return true;
}

const tg_op tg_op_activate = {
    .name = "activate", .n_in = 1,
    .doc = "y = tanh, sigmoid, (leaky) relu, silu, softplus, gelu of x, max(x, 0)², silu(a)·b of halves of x[..., 2F]",
    .source = "Hendrycks & Gimpel 2016, arXiv:1606.08415; So et al. 2021, arXiv:2109.08668; Shazeer 2020, arXiv:2002.05202",
    .shape = activate_shape,
    .forward = activate_forward,
    .backward = activate_backward,
    .tangent = activate_tangent,
    .units = activate_units,
    .flops = activate_flops,
    .example = activate_example,
};

tg_tensor *tg_activate(tg_tape *t, tg_tensor *x, tg_activation act)
{
    return tg_tape_apply(t, &tg_op_activate, (tg_tensor *[]){x}, &(tg_op_attr){.act = (int)act,
                                                                               .number = act == TG_LEAKY ? 0.01 : 0});
}

tg_tensor *tg_leaky_relu(tg_tape *t, tg_tensor *x, double slope)
{
    return tg_tape_apply(t, &tg_op_activate, (tg_tensor *[]){x}, &(tg_op_attr){.act = TG_LEAKY, .number = slope});
}

/* ---- slope --------------------------------------------------------------------------------------------------------- */

static tg_status slope_shape(tg_tape *t, tg_node *n)
{
    char d[96], x[96];
    (void)t;
    if (n->attr.act <= TG_LINEAR || n->attr.act > TG_SOFTPLUS || !is_curve(n->attr.act))
        return tg_fail(TG_EUNSUPPORTED, "slope: there is none of this activation");
    if (n->in[0]->dtype != TG_F32 || n->in[1]->dtype != TG_F32 || !tg_shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return tg_fail(TG_EINVAL, "slope: shapes %s and %s differ", tg_shape_text(&n->in[0]->shape, d),
                       tg_shape_text(&n->in[1]->shape, x));
    n->out->shape = n->in[0]->shape;
    n->spare = true;
    return TG_OK;
}

static void slope_span(void *arg, tg_span s)
{
    const act_job *j = arg;
    const tg_node *n = j->n;
    const float *d = j->dy ? j->dy : n->in[0]->data;
    j->k->curve_back(j->dx + s.begin, d + s.begin, n->in[1]->data + s.begin, s.end - s.begin, n->attr.act, (float)n->attr.number,
                     j->add);
}

static void bend_span(void *arg, tg_span s)
{
    const act_job *j = arg;
    const tg_node *n = j->n;
    j->k->curve_bend(j->dx + s.begin, j->dy + s.begin, n->in[0]->data + s.begin, n->in[1]->data + s.begin, s.end - s.begin,
                     n->attr.act,
                     j->add);
}

static void slope_forward(tg_tape *t, tg_node *n)
{
    act_job j = {.k = t->kernels, .n = n, .dx = n->out->data};
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), 4096, slope_span, &j);
}

static void slope_backward(tg_tape *t, tg_node *n)
{
    act_job j = {.k = t->kernels, .n = n, .dy = n->out->grad};
    const int64_t count = tg_shape_count(&n->out->shape);
    if ((j.dx = tg_node_grad(t, n, 0, &j.add)) != NULL) tg_for_spans(t->ctx, count, 4096, slope_span, &j);
    if ((j.dx = tg_node_grad(t, n, 1, &j.add)) != NULL) tg_for_spans(t->ctx, count, 4096, bend_span, &j);
}

static bool slope_example(int variant, tg_example *e)
{
    static const struct { const char *what; int act; } v[] = {{"tanh", TG_TANH}, {"sigmoid", TG_SIGMOID}, {"silu", TG_SILU},
                                                              {"softplus", TG_SOFTPLUS}};
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].act;
    e->in[0] = e->in[1] = tg_example_values(2, (int64_t[]){3, 19}, -2, 2);
    return true;
}

const tg_op tg_op_slope = {
    .name = "slope", .n_in = 2,
    .doc = "y = d·f'(x), f being tanh, sigmoid, relu, leaky relu, silu or softplus; equal shapes",
    .source = "",
    .shape = slope_shape,
    .forward = slope_forward,
    .backward = slope_backward,
    .flops = activate_flops,
    .example = slope_example,
};

tg_tensor *tg_slope(tg_tape *t, tg_tensor *d, tg_tensor *x, tg_activation act, double slope)
{
    return tg_tape_apply(t, &tg_op_slope, (tg_tensor *[]){d, x}, &(tg_op_attr){.act = (int)act, .number = slope});
}
