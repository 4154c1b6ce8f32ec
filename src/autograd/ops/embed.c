/* embed.c - rows of a table by number, and the sum of their gradients back into the table. */
#include "autograd/tape.h"

enum { TABLE, IDS };

static tg_status embed_shape(tg_tape *t, tg_node *n)
{
    char table_text[96], ids_text[96];
    const tg_tensor *table = n->in[TABLE], *ids = n->in[IDS];
    if (table->shape.rank != 2 || ids->dtype != TG_I32 || ids->shape.rank >= TG_MAX_RANK)
        return tg_fail(TG_EINVAL, "embed: table %s and ids %s; wanted are [V, D] and whole numbers",
                       tg_shape_text(&table->shape, table_text), tg_shape_text(&ids->shape, ids_text));
    int64_t count = tg_shape_count(&ids->shape), V = table->shape.dims[0];
    for (int64_t i = 0; !t->mode.plan && i < count; i++)
        if (ids->ids[i] < 0 || ids->ids[i] >= V)
            return tg_fail(TG_EINVAL, "embed: id %d at position %lld is outside the table of %lld rows",
                           (int)ids->ids[i], (long long)i, (long long)V);
    n->out->shape = ids->shape;
    n->out->shape.dims[n->out->shape.rank++] = table->shape.dims[1];
    n->spare = true;
    return TG_OK;
}

typedef struct embed_job { const tg_kernels *k; tg_node *n; float *to; bool add; } embed_job;

static void gather_span(void *arg, tg_span rows)
{
    const embed_job *j = arg;
    const tg_tensor *table = j->n->in[TABLE];
    j->k->gather(j->to, table->data, j->n->in[IDS]->ids, table->shape.dims[1], rows);
}

static void embed_forward(tg_tape *t, tg_node *n)
{
    embed_job j = {t->kernels, n, n->out->data, false};
    tg_for_spans(t->ctx, tg_shape_count(&n->in[IDS]->shape), 256, gather_span, &j);
}

static void scatter_span(void *arg, tg_span columns)
{
    const embed_job *j = arg;
    const tg_tensor *table = j->n->in[TABLE], *ids = j->n->in[IDS];
    j->k->scatter_add(j->to, table->shape.dims[0], j->n->out->grad, ids->ids, tg_shape_count(&ids->shape),
                      table->shape.dims[1], columns, j->add);
}

/* Threads split the columns, so that a row's gradients are added in the order of their positions. */
static void embed_backward(tg_tape *t, tg_node *n)
{
    embed_job j = {.k = t->kernels, .n = n};
    j.to = tg_node_grad(t, n, TABLE, &j.add);
    if (j.to) tg_for_spans(t->ctx, n->in[TABLE]->shape.dims[1], 32, scatter_span, &j);
}

static double embed_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return backward ? (double)tg_shape_count(&n->out->shape) : 0;
}

static bool embed_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    e->what = variant ? "one id" : "ids that repeat";
    e->in[TABLE] = tg_example_values(2, (int64_t[]){6, 5}, -1, 1);
    e->in[IDS] = variant ? tg_example_ids(1, (int64_t[]){1}, 0, 6) : tg_example_ids(2, (int64_t[]){4, 3}, 0, 6);
    return true;
}

const tg_op tg_op_embed = {
    .name = "embed", .n_in = 2,
    .doc = "y[..., D] = table[ids[...]]; table[V, D]",
    .source = "",
    .shape = embed_shape,
    .forward = embed_forward,
    .backward = embed_backward,
    .flops = embed_flops,
    .example = embed_example,
};

tg_tensor *tg_embed(tg_tape *t, tg_tensor *table, tg_tensor *ids)
{
    return tg_tape_apply(t, &tg_op_embed, (tg_tensor *[]){table, ids}, NULL);
}
