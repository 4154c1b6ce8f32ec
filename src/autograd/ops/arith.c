/* arith.c - sums, element by element. */
#include "autograd/tape.h"

static tg_status add_shape(tg_tape *t, tg_node *n)
{
    char a[96], b[96];
    (void)t;
    if (n->in[0]->dtype != TG_F32 || n->in[1]->dtype != TG_F32 || !tg_shape_equal(&n->in[0]->shape, &n->in[1]->shape))
        return tg_fail(TG_EINVAL, "add: shapes %s and %s differ", tg_shape_text(&n->in[0]->shape, a),
                       tg_shape_text(&n->in[1]->shape, b));
    n->out->shape = n->in[0]->shape;
    return TG_OK;
}

typedef struct add_job { const tg_kernels *k; tg_node *n; } add_job;

static void add_span(void *arg, tg_span s)
{
    const add_job *j = arg;
    j->k->add(j->n->out->data + s.begin, j->n->in[0]->data + s.begin, j->n->in[1]->data + s.begin, s.end - s.begin);
}

static void add_forward(tg_tape *t, tg_node *n)
{
    add_job j = {t->kernels, n};
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), 16384, add_span, &j);
}

/* b first: a may adopt the result's gradient, which is free once b has had it. */
static void add_backward(tg_tape *t, tg_node *n)
{
    bool add;
    int64_t count = tg_shape_count(&n->out->shape);
    float *to = tg_node_grad(t, n, 1, &add);
    if (to) tg_accumulate_all(t, to, n->out->grad, count, add);
    if (!tg_node_grad_or_adopt(t, n, 0, n->out->grad)) return;
    to = tg_node_grad(t, n, 0, &add);
    tg_accumulate_all(t, to, n->out->grad, count, add);
}

static double add_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return backward ? 0 : (double)tg_shape_count(&n->out->shape);
}

static tg_tensor *add_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    (void)n;
    return tg_tangent_sum(t, dx[0], dx[1]);
}

static bool add_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "two matrices";
    e->in[0] = e->in[1] = tg_example_values(2, (int64_t[]){3, 7}, -1, 1);
    return true;
}

const tg_op tg_op_add = {
    .name = "add", .n_in = 2, .adopts = 1, .passes_on = true,
    .doc = "y = a + b; equal shapes",
    .source = "",
    .shape = add_shape,
    .forward = add_forward,
    .backward = add_backward,
    .tangent = add_tangent,
    .flops = add_flops,
    .example = add_example,
};

tg_tensor *tg_add(tg_tape *t, tg_tensor *a, tg_tensor *b)
{
    return tg_tape_apply(t, &tg_op_add, (tg_tensor *[]){a, b}, NULL);
}
