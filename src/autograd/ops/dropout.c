/* dropout.c - inverted dropout. The mask is a pure function of (seed, step, which dropout of the step, element): it is
 * drawn anew in backward instead of being kept. */
#include "autograd/tape.h"

#include "base/rng.h"

static tg_status dropout_shape(tg_tape *t, tg_node *n)
{
    if (!(n->attr.number > 0 && n->attr.number < 1) || n->in[0]->dtype != TG_F32)
        return tg_fail(TG_EINVAL, "dropout: the probability must be at least 0 and below 1");
    n->out->shape = n->in[0]->shape;
    n->index = t->dropouts++;
    return TG_OK;
}

typedef struct dropout_job {
    const tg_kernels *k;
    tg_rng stream;
    int64_t first;      /* elements of a tensor are fewer than 2^40, dropouts of a step fewer than 2^22 */
    uint32_t threshold;
    float scale;
    float *y;
    const float *x;
    bool add;
} dropout_job;

static dropout_job job_of(const tg_tape *t, const tg_node *n)
{
    return (dropout_job){.k = t->kernels, .stream = tg_rng_at(t->mode.seed, TG_RNG_DROPOUT, t->mode.step),
                         .first = (int64_t)n->index << 40, .threshold = (uint32_t)(n->attr.number * 0x1p32),
                         .scale = (float)(1 / (1 - n->attr.number))};
}

static void dropout_span(void *arg, tg_span s)
{
    const dropout_job *j = arg;
    j->k->dropout(j->y + s.begin, j->x + s.begin, j->first + s.begin, s.end - s.begin, j->stream.key, j->stream.step,
                  j->threshold, j->scale, j->add);
}

static void dropout_forward(tg_tape *t, tg_node *n)
{
    dropout_job j = job_of(t, n);
    j.y = n->out->data;
    j.x = n->in[0]->data;
    tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), 4096, dropout_span, &j);
}

static void dropout_backward(tg_tape *t, tg_node *n)
{
    dropout_job j = job_of(t, n);
    j.x = n->out->grad;
    j.y = tg_node_grad(t, n, 0, &j.add);
    if (j.y) tg_for_spans(t->ctx, tg_shape_count(&n->out->shape), 4096, dropout_span, &j);
}

static double dropout_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t, (void)backward;
    return (double)tg_shape_count(&n->out->shape);
}

static bool dropout_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    e->what = variant ? "p = 0.9" : "p = 0.3";
    e->attr.number = variant ? 0.9 : 0.3;
    e->in[0] = tg_example_values(2, (int64_t[]){5, 7}, -1, 1);
    return true;
}

const tg_op tg_op_dropout = {
    .name = "dropout", .n_in = 1,
    .doc = "y = 0 with probability p, else x/(1-p); element by element; only while training",
    .source = "Srivastava et al. 2014, JMLR 15",
    .shape = dropout_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .flops = dropout_flops,
    .example = dropout_example,
};

tg_tensor *tg_dropout(tg_tape *t, tg_tensor *x, double p)
{
    if (x && (p == 0 || (!t->mode.train && p > 0 && p < 1))) return t->status ? NULL : x;
    return tg_tape_apply(t, &tg_op_dropout, (tg_tensor *[]){x}, &(tg_op_attr){.number = p});
}
