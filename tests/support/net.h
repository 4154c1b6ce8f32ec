/* net.h - a small language model out of ops and layers: embedding, recurrent layers with dropout between, layer norm if
 * wanted, head, loss. */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "nn/layers.h"

typedef struct net_shape {
    tg_recurrent_kind kind;
    int64_t V, D, H, layers;   /* layers <= 4 */
    bool norm;
    double dropout;
} net_shape;

typedef struct net {
    net_shape shape;
    tg_params *params;
    tg_embed_layer embed;
    tg_recurrent_layer recurrent[4];
    tg_norm_layer norm;
    tg_linear_layer head;
} net;

void net_make(net *n, tg_context *ctx, const net_shape *shape, bool plan); /* group 0; the head group 1 */
void net_free(net *n);
/* Logits [T, B, V]; first and last have shape.layers entries, or are NULL. */
tg_tensor *net_logits(const net *n, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, const tg_recurrent_state *first,
                      tg_recurrent_state *last);
/* The loss of tokens and targets [T, B]; plan: both may be NULL. */
tg_tensor *net_loss(const net *n, tg_tape *t, int64_t T, int64_t B, const int32_t *tokens, const int32_t *targets);
/* T·B ids below V of stream (1, TEST, stream); the caller's, by tg_free. */
int32_t *net_tokens(uint64_t stream, int64_t count, int64_t V);
/* xxHash64 of the gradients of all parameters, those that have one. */
uint64_t net_grad_hash(const net *n);

#endif
