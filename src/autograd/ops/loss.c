/* loss.c - cross entropy of logits against target numbers. Where backward will come, forward leaves softmax - onehot,
 * which backward scales in place and hands over as the logits' gradient. */
#include "autograd/tape.h"

#include <stddef.h>

enum { LOGITS, TARGETS };
enum { LOSSES, PARTIALS, DLOGITS };

static tg_status check_targets(const tg_node *n, int64_t rows, int64_t V, int64_t *counted)
{
    *counted = 0;
    for (int64_t r = 0; r < rows; r++) {
        int32_t target = n->in[TARGETS]->ids[r];
        if (target >= V)
            return tg_fail(TG_EINVAL, "cross_entropy: target %d at position %lld, but there are %lld classes",
                           (int)target, (long long)r, (long long)V);
        *counted += target >= 0;
    }
    if (!*counted) return tg_fail(TG_EINVAL, "cross_entropy: no target is 0 or more, so there is nothing to learn");
    return TG_OK;
}

static tg_status cross_entropy_shape(tg_tape *t, tg_node *n)
{
    char logits[96], targets[96];
    const tg_tensor *x = n->in[LOGITS];
    int64_t V = tg_columns_of(x), rows = tg_rows_of(x);
    if (x->dtype != TG_F32 || x->shape.rank < 1 || n->in[TARGETS]->dtype != TG_I32 ||
        tg_shape_count(&n->in[TARGETS]->shape) != rows)
        return tg_fail(TG_EINVAL, "cross_entropy: logits %s want a target a row, not %s",
                       tg_shape_text(&x->shape, logits), tg_shape_text(&n->in[TARGETS]->shape, targets));
    n->counted = rows;
    tg_status s = t->mode.plan ? TG_OK : check_targets(n, rows, V, &n->counted);
    n->out->shape = tg_shape_of(0, NULL);
    tg_node_buffer(n, TG_LIFE_ROOM, rows * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_ROOM, tg_sum_room(rows));
    if (n->recorded) tg_node_buffer(n, TG_LIFE_SAVE, rows * V * (int64_t)sizeof(float));
    return s;
}

typedef struct loss_job { const tg_kernels *k; const tg_node *n; float *dx, scale; const float *x; bool add; } loss_job;

static void loss_span(void *arg, tg_span rows)
{
    const loss_job *j = arg;
    const tg_node *n = j->n;
    j->k->softmax_loss(n->buffer[LOSSES].data, j->dx, n->in[LOGITS]->data, n->in[TARGETS]->ids,
                       tg_columns_of(n->in[LOGITS]), rows);
}

static void cross_entropy_forward(tg_tape *t, tg_node *n)
{
    int64_t rows = tg_rows_of(n->in[LOGITS]);
    loss_job j = {.k = t->kernels, .n = n, .dx = n->recorded ? n->buffer[DLOGITS].data : NULL};
    tg_for_spans(t->ctx, rows, 16, loss_span, &j);
    double sum = tg_sum_all(t->ctx, n->buffer[LOSSES].data, rows, false, n->buffer[PARTIALS].data);
    n->out->data[0] = (float)(sum / (double)n->counted);
}

static void scale_span(void *arg, tg_span s)
{
    const loss_job *j = arg;
    j->k->scale(j->dx + s.begin, j->x + s.begin, j->scale, s.end - s.begin, j->add);
}

static void cross_entropy_backward(tg_tape *t, tg_node *n)
{
    float *own = n->buffer[DLOGITS].data;
    loss_job j = {.k = t->kernels, .n = n, .x = own, .dx = own, .scale = n->out->grad[0] / (float)n->counted};
    if (tg_node_grad_or_adopt(t, n, LOGITS, own)) j.dx = tg_node_grad(t, n, LOGITS, &j.add);
    tg_for_spans(t->ctx, tg_shape_count(&n->in[LOGITS]->shape), 16384, scale_span, &j);
}

/* An exponential counts as 8. */
static double cross_entropy_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 1.0 : 12.0) * (double)tg_shape_count(&n->in[LOGITS]->shape);
}

static bool cross_entropy_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    e->what = variant ? "some targets do not count" : "all targets count";
    e->in[LOGITS] = tg_example_values(3, (int64_t[]){3, 4, 19}, -2, 2);
    e->in[TARGETS] = tg_example_ids(2, (int64_t[]){3, 4}, variant ? -8 : 0, 19);
    return true;
}

const tg_op tg_op_cross_entropy = {
    .name = "cross_entropy", .n_in = 2, .adopts = 1 << LOGITS,
    .doc = "mean over the targets >= 0 of -log softmax(logits[..., V])[target], in nats",
    .source = "",
    .shape = cross_entropy_shape,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
    .flops = cross_entropy_flops,
    .example = cross_entropy_example,
};

tg_tensor *tg_cross_entropy(tg_tape *t, tg_tensor *logits, tg_tensor *targets)
{
    return tg_tape_apply(t, &tg_op_cross_entropy, (tg_tensor *[]){logits, targets}, NULL);
}
