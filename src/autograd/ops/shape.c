/* shape.c - the same numbers in another shape. */
#include "autograd/tape.h"

static tg_status reshape_shape(tg_tape *t, tg_node *n)
{
    char from[96], to[96];
    const tg_tensor *x = n->in[0];
    (void)t;
    if (x->dtype != TG_F32 || tg_shape_count(&x->shape) != tg_shape_count(&n->attr.shape))
        return tg_fail(TG_EINVAL, "reshape: %s and %s have not as many elements", tg_shape_text(&x->shape, from),
                       tg_shape_text(&n->attr.shape, to));
    n->out->shape = n->attr.shape;
    n->out->data = x->data;
    n->view = true;
    return TG_OK;
}

/* All who use the result have been gone through, so its gradient may serve as that of x. */
static void reshape_backward(tg_tape *t, tg_node *n)
{
    bool add;
    if (!tg_node_grad_or_adopt(t, n, 0, n->out->grad)) return;
    float *dx = tg_node_grad(t, n, 0, &add);
    tg_accumulate_all(t, dx, n->out->grad, tg_shape_count(&n->out->shape), add);
}

static double reshape_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t, (void)n, (void)backward;
    return 0;
}

static tg_tensor *reshape_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx)
{
    return tg_tape_apply(t, n->op, dx, &n->attr);
}

static bool reshape_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "[2, 3, 4] to [6, 4]";
    e->attr.shape = tg_shape_of(2, (int64_t[]){6, 4});
    e->in[0] = tg_example_values(3, (int64_t[]){2, 3, 4}, -1, 1);
    return true;
}

const tg_op tg_op_reshape = {
    .name = "reshape", .n_in = 1, .adopts = 1, .passes_on = true,
    .doc = "the same elements in another shape",
    .source = "",
    .shape = reshape_shape,
    .backward = reshape_backward,
    .tangent = reshape_tangent,
    .flops = reshape_flops,
    .example = reshape_example,
};

tg_tensor *tg_reshape(tg_tape *t, tg_tensor *x, int rank, const int64_t *dims)
{
    return tg_tape_apply(t, &tg_op_reshape, (tg_tensor *[]){x}, &(tg_op_attr){.shape = tg_shape_of(rank, dims)});
}

tg_tensor *tg_flatten(tg_tape *t, tg_tensor *x)
{
    const int64_t rows = x && x->shape.rank > 0 ? x->shape.dims[0] : 0;
    return tg_reshape(t, x, 2, (int64_t[]){rows, rows > 0 ? tg_shape_count(&x->shape) / rows : 0});
}
