/* matmul.c - linear: a product with a weight matrix; bias, activation, and a residual to start from fused. */
#include "autograd/tape.h"

#include <stddef.h>

enum { X, W, BIAS, ONTO };    /* inputs */
enum { SCRATCH, DZ, BACK };   /* buffers */

typedef struct sizes { int64_t N, I, O; } sizes;

static sizes sizes_of(const tg_node *n)
{
    return (sizes){tg_rows_of(n->in[X]), n->in[W]->shape.dims[1], n->in[W]->shape.dims[0]};
}

/* y[N, O] = onto + x·wᵀ */
static tg_gemm product_y(const tg_node *n, const tg_epilogue *ep)
{
    sizes z = sizes_of(n);
    return (tg_gemm){.m = z.N, .n = z.O, .k = z.I, .a = n->in[X]->data, .a_rs = z.I, .a_cs = 1,
                     .b = n->in[W]->data, .b_rs = 1, .b_cs = z.I, .from = n->in[ONTO] ? n->in[ONTO]->data : NULL,
                     .from_rs = z.O, .c = n->out->data, .c_rs = z.O, .ep = ep};
}

/* dx[N, I] = dz·w */
static tg_gemm product_dx(const tg_node *n, const float *dz, float *dx, bool add)
{
    sizes z = sizes_of(n);
    return (tg_gemm){.m = z.N, .n = z.I, .k = z.O, .a = dz, .a_rs = z.O, .a_cs = 1, .b = n->in[W]->data, .b_rs = z.I,
                     .b_cs = 1, .from = add ? dx : NULL, .from_rs = z.I, .c = dx, .c_rs = z.I};
}

/* dw[O, I] = dzᵀ·x: one chain over all rows */
static tg_gemm product_dw(const tg_node *n, const float *dz, float *dw, bool add)
{
    sizes z = sizes_of(n);
    return (tg_gemm){.m = z.O, .n = z.I, .k = z.N, .a = dz, .a_rs = 1, .a_cs = z.O, .b = n->in[X]->data, .b_rs = z.I,
                     .b_cs = 1, .from = add ? dw : NULL, .from_rs = z.I, .c = dw, .c_rs = z.I};
}

static tg_status linear_shape(tg_tape *t, tg_node *n)
{
    char x_text[96], w_text[96];
    const tg_tensor *x = n->in[X], *w = n->in[W], *b = n->in[BIAS], *onto = n->in[ONTO];
    if (x->dtype != TG_F32 || x->shape.rank < 1 || w->shape.rank != 2 || tg_columns_of(x) != w->shape.dims[1])
        return tg_fail(TG_EINVAL, "linear: x %s does not fit w %s; its last axis must be w's second",
                       tg_shape_text(&x->shape, x_text), tg_shape_text(&w->shape, w_text));
    if (b && tg_shape_count(&b->shape) != w->shape.dims[0])
        return tg_fail(TG_EINVAL, "linear: bias %s does not fit w %s", tg_shape_text(&b->shape, x_text),
                       tg_shape_text(&w->shape, w_text));
    if (n->attr.act < TG_LINEAR || n->attr.act > TG_RELU)
        return tg_fail(TG_EINVAL, "linear: the activation must be none, tanh, sigmoid or relu; tg_activate has the others");
    n->out->shape = x->shape;
    n->out->shape.dims[x->shape.rank - 1] = w->shape.dims[0];
    n->spare = n->attr.act == TG_LINEAR;
    if (onto && (onto->dtype != TG_F32 || !n->spare || !tg_shape_equal(&onto->shape, &n->out->shape)))
        return tg_fail(TG_EINVAL, "linear: it goes onto %s, but has the shape %s; they must be the same, without activation",
                       tg_shape_text(&onto->shape, x_text), tg_shape_text(&n->out->shape, w_text));
    tg_gemm y = product_y(n, NULL), dx = product_dx(n, NULL, NULL, false), dw = product_dw(n, NULL, NULL, false);
    tg_node_buffer(n, TG_LIFE_ROOM, tg_gemm_room(t->ctx, &y));
    if (!n->recorded) return TG_OK;
    int64_t back_x = tg_gemm_room(t->ctx, &dx), back_w = tg_gemm_room(t->ctx, &dw);
    tg_node_buffer(n, TG_LIFE_BACK, n->attr.act == TG_LINEAR ? 0 : y.m * y.n * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_BACK, back_x > back_w ? back_x : back_w);
    return TG_OK;
}

static void linear_forward(tg_tape *t, tg_node *n)
{
    tg_epilogue ep = {.bias = n->in[BIAS] ? n->in[BIAS]->data : NULL, .act = n->attr.act};
    tg_gemm y = product_y(n, &ep);
    bool fill = false;
    float *packed = NULL; /* of a product of parameters the result is kept, not this */
    const bool alone = y.m == 1 && tg_tape_first_frozen(t); /* one row: to pack first takes longer than to read as it lies */
    if (n->in[X]->group < 0 && !alone) packed = tg_tape_keep(t, n, &n->in[W], 1, tg_pack_room(t->ctx, y.k, y.n), &fill);
    if (fill) tg_pack(t->ctx, packed, y.b, y.b_rs, y.b_cs, y.k, y.n);
    y.packed = packed;
    y.far = packed && tg_tape_keeps_far(t);
    tg_gemm_run(t->ctx, &y, n->buffer[SCRATCH].data);
}

typedef struct act_job { const tg_kernels *k; float *dz; const float *dy, *y; int act; } act_job;

static void act_span(void *arg, tg_span s)
{
    const act_job *j = arg;
    j->k->act_back(j->dz + s.begin, j->dy + s.begin, j->y + s.begin, s.end - s.begin, j->act, false);
}

static void linear_backward(tg_tape *t, tg_node *n)
{
    sizes z = sizes_of(n);
    bool add;
    float *at;
    const float *dz = n->out->grad;
    if (n->attr.act != TG_LINEAR) {
        act_job j = {t->kernels, n->buffer[DZ].data, n->out->grad, n->out->data, n->attr.act};
        tg_for_spans(t->ctx, z.N * z.O, 4096, act_span, &j);
        dz = j.dz;
    }
    if ((at = tg_node_grad(t, n, X, &add)) != NULL) {
        tg_gemm dx = product_dx(n, dz, at, add);
        tg_gemm_run(t->ctx, &dx, n->buffer[BACK].data);
    }
    if ((at = tg_node_grad(t, n, W, &add)) != NULL) {
        tg_gemm dw = product_dw(n, dz, at, add);
        tg_gemm_run(t->ctx, &dw, n->buffer[BACK].data);
    }
    if ((at = tg_node_grad(t, n, BIAS, &add)) != NULL) tg_column_sums(t, at, dz, z.N, z.O, add);
    /* last: the result's gradient is free for onto now */
    if (tg_node_grad_or_adopt(t, n, ONTO, n->out->grad) && (at = tg_node_grad(t, n, ONTO, &add)) != NULL)
        tg_accumulate_all(t, at, dz, z.N * z.O, add);
}

static int linear_units(const tg_node *n, tg_op_units out[TG_OP_UNITS])
{
    const sizes z = sizes_of(n);
    if (n->attr.act == TG_LINEAR) return 0;
    out[0] = (tg_op_units){.what = "activation", .act = n->attr.act, .values = n->out->data, .rows = z.N, .stride = z.O,
                           .units = z.O, .inner = 1};
    return 1;
}

static double linear_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    sizes z = sizes_of(n);
    double product = 2.0 * (double)z.N * (double)z.I * (double)z.O;
    if (!backward) return product;
    return product * ((tg_tape_wants(t, n->in[X]) ? 1 : 0) + (tg_tape_wants(t, n->in[W]) ? 1 : 0));
}

/* The slope of an activation, of its result. */
static tg_tensor *times_slope(tg_tape *t, tg_tensor *dz, tg_tensor *y, int act)
{
    switch (act) {
    case TG_TANH: return tg_mul(t, dz, tg_scale(t, tg_mul(t, y, y), -1, 1));
    case TG_SIGMOID: return tg_mul(t, dz, tg_mul(t, y, tg_scale(t, y, -1, 1)));
    case TG_RELU: return tg_slope(t, dz, y, TG_RELU, 0);
    default: return dz;
    }
}

static tg_tensor *linear_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    if (dx[W] || dx[BIAS]) return tg_tangent_refused(t, n, dx[W] ? W : BIAS);
    tg_tensor *dz = dx[X] ? tg_linear(t, dx[X], n->in[W], NULL, TG_LINEAR) : NULL;
    return times_slope(t, tg_tangent_sum(t, dz, dx[ONTO]), n->out, n->attr.act);
}

static bool linear_example(int variant, tg_example *e)
{
    static const struct { const char *what; int act; bool bias, flat, onto; } v[] = {
        {"bias", TG_LINEAR, true, false, false},       {"no bias", TG_LINEAR, false, false, false},
        {"one row, tanh", TG_TANH, true, true, false}, {"tanh", TG_TANH, true, false, false},
        {"sigmoid", TG_SIGMOID, true, false, false},   {"relu", TG_RELU, false, false, false},
        {"onto", TG_LINEAR, false, false, true},       {"one row onto, bias", TG_LINEAR, true, true, true},
    };
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].act;
    e->in[X] = v[variant].flat ? tg_example_values(1, (int64_t[]){5}, -1, 1)
                               : tg_example_values(3, (int64_t[]){3, 2, 5}, -1, 1);
    e->in[W] = tg_example_values(2, (int64_t[]){7, 5}, -1, 1);
    if (v[variant].onto)
        e->in[ONTO] = tg_example_values(v[variant].flat ? 1 : 3, (int64_t[]){v[variant].flat ? 7 : 3, 2, 7}, -1, 1);
    if (v[variant].bias) e->in[BIAS] = tg_example_values(1, (int64_t[]){7}, -1, 1);
    return true;
}

const tg_op tg_op_linear = {
    .name = "linear", .n_in = 4, .optional = 1 << BIAS | 1 << ONTO, .adopts = 1 << ONTO, .passes_on = true,
    .doc = "y[..., O] = act(onto + x[..., I]·wᵀ + b); w[O, I], b[O] or none, onto[..., O] or none; act none, tanh, sigmoid or "
           "relu",
    .source = "",
    .shape = linear_shape,
    .forward = linear_forward,
    .backward = linear_backward,
    .tangent = linear_tangent,
    .units = linear_units,
    .flops = linear_flops,
    .example = linear_example,
};

tg_tensor *tg_linear(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, tg_activation act)
{
    return tg_tape_apply(t, &tg_op_linear, (tg_tensor *[]){x, w, b, NULL}, &(tg_op_attr){.act = (int)act});
}

tg_tensor *tg_linear_onto(tg_tape *t, tg_tensor *onto, tg_tensor *x, tg_tensor *w, tg_tensor *b)
{
    if (!onto && !t->status) tg_tape_fail(t, tg_fail(TG_EINVAL, "linear: there is nothing to go onto"));
    return tg_tape_apply(t, &tg_op_linear, (tg_tensor *[]){x, w, b, onto}, &(tg_op_attr){.act = TG_LINEAR});
}
