/* conv.c - convolution and its transpose. One forward is the other's gradient of x, so both rows are made of the same three
 * calls. */
#include "autograd/tape.h"

enum { X, W, BIAS };
enum { SCRATCH, BACK };

/* Sizes of one axis of x, w and the result; i: 0 for Y, 1 for X. A line has one row. */
static tg_axis axis_of(const tg_node *n, int i, bool transposed)
{
    const tg_conv_options *o = &n->attr.conv;
    const tg_shape *x = &n->in[X]->shape, *w = &n->in[W]->shape;
    if (x->rank == 3 && i == 0) return (tg_axis){1, 1, 1, 1, 0, 1};
    const int64_t size = x->dims[x->rank - 2 + i], taps = w->dims[x->rank - 2 + i];
    const int64_t stride = o->stride[i] ? o->stride[i] : 1, dilation = o->dilation[i] ? o->dilation[i] : 1;
    const int64_t covers = dilation * (taps - 1) + 1;
    if (transposed)
        return (tg_axis){(size - 1) * stride - o->before[i] - o->after[i] + covers + o->extra[i], size, taps, stride,
                         o->before[i],
                         dilation};
    const int64_t room = size + o->before[i] + o->after[i] - covers;
    return (tg_axis){size, room < 0 ? 0 : room / stride + 1, taps, stride, o->before[i], dilation};
}

/* x and the result change places in the transpose. */
static tg_convolution sizes_of(const tg_node *n, bool transposed)
{
    const tg_shape *w = &n->in[W]->shape;
    return (tg_convolution){n->in[X]->shape.dims[0], w->dims[1], w->dims[0], axis_of(n, 0, transposed), axis_of(n, 1,
                                                                                                                transposed)};
}

static bool sensible(const tg_conv_options *o, bool transposed)
{
    bool ok = true;
    for (int i = 0; i < 2; i++)
        ok = ok && o->stride[i] >= 0 && o->dilation[i] >= 0 && o->before[i] >= 0 && o->after[i] >= 0 &&
             (transposed ? o->extra[i] >= 0 && o->extra[i] < (o->stride[i] > o->dilation[i] ? o->stride[i] : o->dilation[i]) + 1
                         : o->extra[i] == 0) &&
             o->stride[i] < 1 << 20 && o->dilation[i] < 1 << 20 && o->before[i] < 1 << 20 && o->after[i] < 1 << 20;
    return ok;
}

static tg_status check(const tg_node *n, bool transposed)
{
    char x_text[96], w_text[96];
    const char *name = n->op->name;
    const tg_tensor *x = n->in[X], *w = n->in[W], *b = n->in[BIAS];
    const int rank = x->shape.rank;
    if (x->dtype != TG_F32 || (rank != 3 && rank != 4) || w->shape.rank != rank ||
        x->shape.dims[1] != w->shape.dims[transposed ? 0 : 1])
        return tg_fail(TG_EINVAL,
                       "%s: x %s does not fit w %s; it must be [B, C, Y, X] with w [%s, P, Q], or both without Y and P", name,
                       tg_shape_text(&x->shape, x_text), tg_shape_text(&w->shape, w_text), transposed ? "C, O" : "O, C");
    if (b && tg_shape_count(&b->shape) != w->shape.dims[transposed ? 1 : 0])
        return tg_fail(TG_EINVAL, "%s: bias %s does not fit w %s", name, tg_shape_text(&b->shape, x_text),
                       tg_shape_text(&w->shape, w_text));
    if (!sensible(&n->attr.conv, transposed))
        return tg_fail(TG_EINVAL,
                       "%s: stride, dilation and padding must not be negative; extra is of the transpose, and below its stride",
                       name);
    return TG_OK;
}

static tg_status conv_shapes(tg_tape *t, tg_node *n, bool transposed)
{
    char x_text[96], w_text[96];
    tg_status s = check(n, transposed);
    if (s) return s;
    const tg_shape *x = &n->in[X]->shape;
    const tg_convolution g = sizes_of(n, transposed);
    const int64_t ys = transposed ? g.y.in : g.y.out, xs = transposed ? g.x.in : g.x.out, O = transposed ? g.C : g.O;
    if (ys < 1 || xs < 1)
        return tg_fail(TG_EINVAL, "%s: nothing of x %s is left under w %s; it wants more padding or a smaller filter",
                       n->op->name,
                       tg_shape_text(x, x_text), tg_shape_text(&n->in[W]->shape, w_text));
    n->out->shape = x->rank == 3 ? tg_shape_of(3, (int64_t[]){g.B, O, xs}) : tg_shape_of(4, (int64_t[]){g.B, O, ys, xs});
    n->spare = true;
    const int64_t there = tg_conv_room(t->ctx, &g), back_x = tg_conv_back_x_room(t->ctx, &g), back_w = tg_conv_back_w_room(t->ctx,
                                                                                                                           &g);
    const int64_t other = transposed ? there : back_x;
    tg_node_buffer(n, TG_LIFE_ROOM, transposed ? back_x : there);
    tg_node_buffer(n, TG_LIFE_BACK, other > back_w ? other : back_w);
    return TG_OK;
}

typedef struct bias_job { const tg_kernels *k; const tg_node *n; float *db; bool add; } bias_job;

static void bias_span(void *arg, tg_span channels)
{
    const bias_job *j = arg;
    const int64_t B = j->n->out->shape.dims[0], C = j->n->out->shape.dims[1];
    j->k->channel_sums(j->db, NULL, j->n->out->grad, NULL, NULL, NULL, B, C, tg_shape_count(&j->n->out->shape) / (B * C),
                       channels, j->add);
}

static void bias_backward(tg_tape *t, tg_node *n)
{
    bias_job j = {.k = t->kernels, .n = n};
    j.db = tg_node_grad(t, n, BIAS, &j.add);
    if (j.db) tg_for_spans(t->ctx, n->out->shape.dims[1], 4, bias_span, &j);
}

static const float *bias_of(const tg_node *n) { return n->in[BIAS] ? n->in[BIAS]->data : NULL; }

/* A multiply-add for each tap of each channel pair at each result (of the transpose: place of x). */
static double flops_of(const tg_tape *t, const tg_node *n, bool backward)
{
    const tg_tensor *one = n->op == &tg_op_conv ? n->out : n->in[X];
    const int64_t places = tg_shape_count(&one->shape) / one->shape.dims[1];
    const double each = 2.0 * (double)tg_shape_count(&n->in[W]->shape) * (double)places;
    if (!backward) return each;
    return each * ((tg_tape_wants(t, n->in[X]) ? 1 : 0) + (tg_tape_wants(t, n->in[W]) ? 1 : 0));
}

/* ---- convolution ---------------------------------------------------------------------------------------------------- */

static tg_status conv_shape(tg_tape *t, tg_node *n) { return conv_shapes(t, n, false); }

static void conv_forward(tg_tape *t, tg_node *n)
{
    const tg_convolution g = sizes_of(n, false);
    tg_conv_forward(t->ctx, &g, n->out->data, n->in[X]->data, n->in[W]->data, bias_of(n), false, n->buffer[SCRATCH].data);
}

static void conv_backward(tg_tape *t, tg_node *n)
{
    const tg_convolution g = sizes_of(n, false);
    bool add;
    float *at = tg_node_grad(t, n, X, &add);
    if (at) tg_conv_back_x(t->ctx, &g, at, n->out->grad, n->in[W]->data, NULL, add, n->buffer[BACK].data);
    at = tg_node_grad(t, n, W, &add);
    if (at) tg_conv_back_w(t->ctx, &g, at, n->out->grad, n->in[X]->data, add, n->buffer[BACK].data);
    bias_backward(t, n);
}

static tg_tensor *conv_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    if (dx[W] || dx[BIAS]) return tg_tangent_refused(t, n, dx[W] ? W : BIAS);
    return tg_tape_apply(t, n->op, (tg_tensor *[]){dx[X], n->in[W], NULL}, &n->attr);
}

/* One use of either op: of images [2, channels, sides], or of lines; w is [rows, columns, P, Q]. */
typedef struct conv_case { const char *what; tg_conv_options o; bool bias, line; int64_t P, Q; } conv_case;
typedef struct conv_sizes { int64_t channels, sides[2], length, rows, columns, out; } conv_sizes;

static bool example_of(const conv_case *v, const conv_sizes *n, tg_example *e)
{
    const int64_t image[] = {2, n->channels, n->sides[0], n->sides[1]}, line[] = {2, n->channels, n->length};
    const int64_t filters[] = {n->rows, n->columns, v->P, v->Q}, short_filters[] = {n->rows, n->columns, v->Q};
    e->what = v->what;
    e->attr.conv = v->o;
    e->in[X] = v->line ? tg_example_values(3, line, -1, 1) : tg_example_values(4, image, -1, 1);
    e->in[W] = v->line ? tg_example_values(3, short_filters, -1, 1) : tg_example_values(4, filters, -1, 1);
    if (v->bias) e->in[BIAS] = tg_example_values(1, &n->out, -1, 1);
    return true;
}

static bool conv_example(int variant, tg_example *e)
{
    static const conv_case v[] = {
        {"4x4, stride 2, padding 1", {{2, 2}, {1, 1}, {1, 1}, {1, 1}, {0, 0}}, true, false, 4, 4},
        {"3x2, no bias", {{0}, {0}, {0}, {0}, {0}}, false, false, 3, 2},
        {"stride 2 and 3, dilation, uneven padding", {{2, 3}, {2, 1}, {3, 0}, {1, 2}, {0, 0}}, true, false, 2, 3},
        {"a line, causal, dilation 2", {{0, 1}, {0, 2}, {0, 4}, {0, 0}, {0, 0}}, true, true, 1, 3},
        {"stride beyond the filter", {{3, 3}, {1, 1}, {0, 0}, {0, 0}, {0, 0}}, true, false, 1, 2},
    };
    static const conv_sizes n = {.channels = 3, .sides = {6, 5}, .length = 9, .rows = 4, .columns = 3, .out = 4};
    return variant < (int)(sizeof v / sizeof *v) && example_of(&v[variant], &n, e);
}

const tg_op tg_op_conv = {
    .name = "conv", .n_in = 3, .optional = 1 << BIAS,
    .doc = "y[B, O, Y', X'] = x[B, C, Y, X] convolved with w[O, C, P, Q], plus b[O] or none; also without Y",
    .source = "LeCun et al. 1989, Neural Computation 1",
    .shape = conv_shape,
    .forward = conv_forward,
    .backward = conv_backward,
    .tangent = conv_tangent,
    .flops = flops_of,
    .example = conv_example,
};

static tg_tensor *apply(tg_tape *t, const tg_op *op, tg_tensor *x, tg_tensor *w, tg_tensor *b, const tg_conv_options *o)
{
    tg_op_attr attr = {0};
    if (o) attr.conv = *o;
    return tg_tape_apply(t, op, (tg_tensor *[]){x, w, b}, &attr);
}

tg_tensor *tg_conv(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, const tg_conv_options *o)
{
    return apply(t, &tg_op_conv, x, w, b, o);
}

tg_conv_options tg_conv_square(int64_t stride, int64_t padding)
{
    return (tg_conv_options){.stride = {stride, stride}, .before = {padding, padding}, .after = {padding, padding}};
}

/* ---- its transpose -------------------------------------------------------------------------------------------------- */

static tg_status transpose_shape(tg_tape *t, tg_node *n) { return conv_shapes(t, n, true); }

static void transpose_forward(tg_tape *t, tg_node *n)
{
    const tg_convolution g = sizes_of(n, true);
    tg_conv_back_x(t->ctx, &g, n->out->data, n->in[X]->data, n->in[W]->data, bias_of(n), false, n->buffer[SCRATCH].data);
}

static void transpose_backward(tg_tape *t, tg_node *n)
{
    const tg_convolution g = sizes_of(n, true);
    bool add;
    float *at = tg_node_grad(t, n, X, &add);
    if (at) tg_conv_forward(t->ctx, &g, at, n->out->grad, n->in[W]->data, NULL, add, n->buffer[BACK].data);
    at = tg_node_grad(t, n, W, &add);
    if (at) tg_conv_back_w(t->ctx, &g, at, n->in[X]->data, n->out->grad, add, n->buffer[BACK].data);
    bias_backward(t, n);
}

static bool transpose_example(int variant, tg_example *e)
{
    static const conv_case v[] = {
        {"4x4, stride 2, padding 1", {{2, 2}, {1, 1}, {1, 1}, {1, 1}, {0, 0}}, true, false, 4, 4},
        {"3x2, no bias", {{0}, {0}, {0}, {0}, {0}}, false, false, 3, 2},
        {"stride 2 and 3, dilation, uneven padding, extra", {{2, 3}, {2, 1}, {2, 0}, {1, 1}, {1, 2}}, true, false, 2, 3},
        {"a line, stride 2", {{0, 2}, {0, 1}, {0, 1}, {0, 0}, {0, 0}}, true, true, 1, 3},
    };
    static const conv_sizes n = {.channels = 4, .sides = {3, 4}, .length = 5, .rows = 4, .columns = 2, .out = 2};
    return variant < (int)(sizeof v / sizeof *v) && example_of(&v[variant], &n, e);
}

const tg_op tg_op_conv_transpose = {
    .name = "conv_transpose", .n_in = 3, .optional = 1 << BIAS,
    .doc = "y[B, O, Y', X'] = the gradient of x of a convolution with w[C, O, P, Q] at x[B, C, Y, X], plus b[O] or none",
    .source = "Zeiler et al. 2010, CVPR; Dumoulin & Visin 2016, arXiv:1603.07285",
    .shape = transpose_shape,
    .forward = transpose_forward,
    .backward = transpose_backward,
    .tangent = conv_tangent,
    .flops = flops_of,
    .example = transpose_example,
};

tg_tensor *tg_conv_transpose(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, const tg_conv_options *o)
{
    return apply(t, &tg_op_conv_transpose, x, w, b, o);
}
