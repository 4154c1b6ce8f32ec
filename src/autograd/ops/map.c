/* map.c - products and multiples, element by element, and the sum of all elements. */
#include "autograd/tape.h"

typedef struct map_job { const tg_kernels *k; float *to; const float *a, *b; float factor, shift; bool add; } map_job;

enum { GRAIN = 16384 };

static double map_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 2.0 : 1.0) * (double)tg_shape_count(&n->in[0]->shape);
}

/* ---- a·b --------------------------------------------------------------------------------------------------------------- */

static tg_status mul_shape(tg_tape *t, tg_node *n)
{
    char a[96], b[96];
    (void)t;
    if (n->in[0]->dtype != TG_F32 || n->in[1]->dtype != TG_F32 || !tg_shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return tg_fail(TG_EINVAL, "mul: shapes %s and %s differ", tg_shape_text(&n->in[0]->shape, a),
                       tg_shape_text(&n->in[1]->shape, b));
    n->out->shape = n->in[0]->shape;
    n->spare = true;
    return TG_OK;
}

static void mul_span(void *arg, tg_span s)
{
    const map_job *j = arg;
    j->k->multiply(j->to + s.begin, j->a + s.begin, j->b + s.begin, s.end - s.begin, j->add);
}

static void mul_forward(tg_tape *t, tg_node *n)
{
    map_job j = {.k = t->kernels, .to = n->out->data, .a = n->in[0]->data, .b = n->in[1]->data};
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), GRAIN, mul_span, &j);
}

static void mul_backward(tg_tape *t, tg_node *n)
{
    for (int i = 0; i < 2; i++) {
        map_job j = {.k = t->kernels, .a = n->out->grad, .b = n->in[1 - i]->data};
        j.to = tg_node_grad(t, n, i, &j.add);
        if (j.to) tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), GRAIN, mul_span, &j);
    }
}

static tg_tensor *mul_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    tg_tensor *a = dx[0] ? tg_mul(t, dx[0], n->in[1]) : NULL, *b = dx[1] ? tg_mul(t, n->in[0], dx[1]) : NULL;
    return tg_tangent_sum(t, a, b);
}

static bool mul_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "two matrices";
    e->in[0] = e->in[1] = tg_example_values(2, (int64_t[]){3, 7}, -1, 1);
    return true;
}

const tg_op tg_op_mul = {
    .name = "mul", .n_in = 2,
    .doc = "y = a·b, element by element; equal shapes",
    .source = "",
    .shape = mul_shape,
    .forward = mul_forward,
    .backward = mul_backward,
    .tangent = mul_tangent,
    .flops = map_flops,
    .example = mul_example,
};

tg_tensor *tg_mul(tg_tape *t, tg_tensor *a, tg_tensor *b)
{
    return tg_tape_apply(t, &tg_op_mul, (tg_tensor *[]){a, b}, NULL);
}

/* ---- factor·x + shift -------------------------------------------------------------------------------------------------- */

static tg_status scale_shape(tg_tape *t, tg_node *n)
{
    (void)t;
    if (n->in[0]->dtype != TG_F32) return tg_fail(TG_EINVAL, "%s: x must be numbers, not ids", n->op->name);
    n->out->shape = n->in[0]->shape;
    n->spare = true;
    return TG_OK;
}

static void scale_span(void *arg, tg_span s)
{
    const map_job *j = arg;
    j->k->affine(j->to + s.begin, j->a ? j->a + s.begin : NULL, j->factor, j->shift, s.end - s.begin, j->add);
}

static void scale_forward(tg_tape *t, tg_node *n)
{
    map_job j = {.k = t->kernels, .to = n->out->data, .a = n->in[0]->data, .factor = (float)n->attr.number,
                 .shift = (float)n->attr.other};
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), GRAIN, scale_span, &j);
}

static void scale_backward(tg_tape *t, tg_node *n)
{
    map_job j = {.k = t->kernels, .a = n->out->grad, .factor = (float)n->attr.number};
    j.to = tg_node_grad(t, n, 0, &j.add);
    if (j.to) tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), GRAIN, scale_span, &j);
}

/* Also of total: both are linear but for the shift. */
static tg_tensor *scale_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    return tg_tape_apply(t, n->op, dx, &(tg_op_attr){.number = n->attr.number});
}

static bool scale_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "-0.7 x + 0.3";
    e->attr.number = -0.7;
    e->attr.other = 0.3;
    e->in[0] = tg_example_values(2, (int64_t[]){3, 7}, -1, 1);
    return true;
}

const tg_op tg_op_scale = {
    .name = "scale", .n_in = 1,
    .doc = "y = factor·x + shift",
    .source = "",
    .shape = scale_shape,
    .forward = scale_forward,
    .backward = scale_backward,
    .tangent = scale_tangent,
    .flops = map_flops,
    .example = scale_example,
};

tg_tensor *tg_scale(tg_tape *t, tg_tensor *x, double factor, double shift)
{
    return tg_tape_apply(t, &tg_op_scale, (tg_tensor *[]){x}, &(tg_op_attr){.number = factor, .other = shift});
}

tg_tensor *tg_add_scaled(tg_tape *t, tg_tensor *a, double factor, tg_tensor *b)
{
    return tg_add(t, a, tg_scale(t, b, factor, 0));
}

/* ---- factor·sum ---------------------------------------------------------------------------------------------------------- */

static tg_status total_shape(tg_tape *t, tg_node *n)
{
    tg_status s = scale_shape(t, n);
    n->out->shape = tg_shape_of(0, NULL);
    tg_node_buffer(n, TG_LIFE_ROOM, tg_sum_room(tg_shape_count(&n->in[0]->shape)));
    return s;
}

static void total_forward(tg_tape *t, tg_node *n)
{
    const double sum = tg_sum_all(t->ctx, n->in[0]->data, tg_shape_count(&n->in[0]->shape), false, n->buffer[0].data);
    n->out->data[0] = (float)(n->attr.number * sum);
}

static void total_backward(tg_tape *t, tg_node *n)
{
    map_job j = {.k = t->kernels, .shift = (float)n->attr.number * n->out->grad[0]};
    j.to = tg_node_grad(t, n, 0, &j.add);
    if (j.to) tg_for_spans(t->ctx, tg_shape_count(&n->in[0]->shape), GRAIN, scale_span, &j);
}

static bool total_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "a mean";
    e->attr.number = 1.0 / 21;
    e->in[0] = tg_example_values(2, (int64_t[]){3, 7}, -1, 1);
    return true;
}

const tg_op tg_op_total = {
    .name = "total", .n_in = 1,
    .doc = "y = factor·(sum of all elements of x), a scalar",
    .source = "",
    .shape = total_shape,
    .forward = total_forward,
    .backward = total_backward,
    .tangent = scale_tangent,
    .flops = map_flops,
    .example = total_example,
};

tg_tensor *tg_sum(tg_tape *t, tg_tensor *x)
{
    return tg_tape_apply(t, &tg_op_total, (tg_tensor *[]){x}, &(tg_op_attr){.number = 1});
}

tg_tensor *tg_mean(tg_tape *t, tg_tensor *x)
{
    return tg_tape_apply(t, &tg_op_total, (tg_tensor *[]){x},
                         &(tg_op_attr){.number = x ? 1 / (double)tg_shape_count(&x->shape) : 1});
}
