#include "support/net.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include "test.h"

void net_make(net *n, tg_context *ctx, const net_shape *shape, bool plan)
{
    *n = (net){.shape = *shape};
    CHECK_OK(tg_params_new(ctx, &n->params));
    CHECK_OK(tg_embed_layer_declare(n->params, &n->embed, "embedding", shape->V, shape->D, 1, 0));
    for (int64_t i = 0; i < shape->layers; i++)
        CHECK_OK(tg_recurrent_layer_declare(n->params, &n->recurrent[i], "rnn", (int)i, shape->kind,
                                            i ? shape->H : shape->D, shape->H, 1, 1, 0));
    if (shape->norm) CHECK_OK(tg_norm_layer_declare(n->params, &n->norm, "norm", shape->H, 0));
    CHECK_OK(tg_linear_layer_declare(n->params, &n->head, "head", shape->H, shape->V, true, 1, 1));
    CHECK_OK(tg_params_seal(n->params, 1, true, plan));
}

void net_free(net *n)
{
    tg_params_free(n->params);
}

tg_tensor *net_logits(const net *n, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, const tg_recurrent_state *first,
                      tg_recurrent_state *last)
{
    tg_tensor *h = tg_embed_layer_apply(t, &n->embed, tokens);
    for (int64_t i = 0; i < n->shape.layers; i++) {
        if (i) h = tg_dropout(t, h, n->shape.dropout);
        h = tg_recurrent_layer_apply(t, &n->recurrent[i], h, first ? &first[i] : NULL, reset, last ? &last[i] : NULL);
    }
    if (n->shape.norm) h = tg_norm_layer_apply(t, &n->norm, h);
    return tg_linear_layer_apply(t, &n->head, h, TG_LINEAR);
}

tg_tensor *net_loss(const net *n, tg_tape *t, int64_t T, int64_t B, const int32_t *tokens, const int32_t *targets)
{
    const int64_t dims[] = {T, B};
    tg_tensor *logits = net_logits(n, t, tg_input_ids(t, 2, dims, tokens), NULL, NULL, NULL);
    return tg_cross_entropy(t, logits, tg_input_ids(t, 2, dims, targets));
}

int32_t *net_tokens(uint64_t stream, int64_t count, int64_t V)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    int32_t *ids = tg_alloc_array(count, sizeof *ids);
    CHECK(ids != NULL);
    for (int64_t i = 0; i < count; i++) ids[i] = (int32_t)tg_rng_below(&r, V);
    return ids;
}

uint64_t net_grad_hash(const net *n)
{
    tg_xxh64 h;
    tg_xxh64_start(&h);
    for (int64_t i = 0; i < tg_params_count(n->params); i++) {
        const tg_tensor *x = tg_params_at(n->params, i);
        if (x->has_grad) tg_xxh64_add(&h, x->grad, tg_shape_count(&x->shape) * (int64_t)sizeof(float));
    }
    return tg_xxh64_end(&h);
}
