/* recurrent.c - one recurrent layer: the input projection of all time steps is one product, then one op runs through
 * time. */
#include <math.h>

#include "nn/layers.h"

static const int64_t gates[] = {[TG_RNN_TANH] = 1, [TG_RNN_RELU] = 1, [TG_LSTM] = 4, [TG_GRU] = 3};

tg_status tg_recurrent_layer_declare(tg_params *p, tg_recurrent_layer *l, const char *name, int number,
                                     tg_recurrent_kind kind, int64_t in, int64_t hidden, double gain, double forget_bias,
                                     int group)
{
    const int64_t rows = gates[kind] * hidden, each_gate[] = {hidden, hidden, hidden, hidden};
    const double scale = 1 / sqrt((double)hidden);
    tg_recurrent_layer n = {.kind = kind, .in = in, .hidden = hidden};
    const struct { const char *name; int rank; int64_t columns; double scale; tg_tensor **to; } each[] = {
        {"weight_ih_l", 2, in, gain / sqrt((double)(in > 0 ? in : 1)), &n.w_ih}, {"weight_hh_l", 2, hidden, scale, &n.w_hh},
        {"bias_ih_l", 1, 1, scale, &n.b_ih}, {"bias_hh_l", 1, 1, scale, &n.b_hh},
    };
    for (int i = 0; i < 4; i++) {
        *each[i].to = tg_layer_param(p, name, each[i].name, number, each[i].rank, (int64_t[]){rows, each[i].columns},
                                     TG_INIT_UNIFORM, each[i].scale, group);
        if (!*each[i].to) return tg_note("declaring layer %d of %s", number, name);
    }
    tg_status s = tg_param_matrices(p, n.w_ih, (int)gates[kind], each_gate);
    if (!s) s = tg_param_matrices(p, n.w_hh, (int)gates[kind], each_gate);
    if (!s && kind == TG_LSTM) s = tg_param_start(p, n.b_ih, hidden, hidden, forget_bias);
    if (!s && kind == TG_LSTM) s = tg_param_start(p, n.b_hh, hidden, hidden, 0);
    if (!s) *l = n;
    return s;
}

tg_tensor *tg_recurrent_layer_run(tg_tape *t, const tg_recurrent_layer *l, tg_tensor *gx,
                                  const tg_recurrent_state *first, tg_tensor *reset, tg_recurrent_state *last)
{
    tg_tensor *h0 = first ? first->h : NULL, *c0 = first ? first->c : NULL;
    tg_recurrent_state after = {0};
    tg_tensor *y = NULL;
    switch (l->kind) {
    case TG_RNN_TANH: y = tg_rnn(t, gx, l->w_hh, l->b_hh, h0, reset, TG_TANH, &after.h); break;
    case TG_RNN_RELU: y = tg_rnn(t, gx, l->w_hh, l->b_hh, h0, reset, TG_RELU, &after.h); break;
    case TG_LSTM: y = tg_lstm(t, gx, l->w_hh, l->b_hh, h0, c0, reset, &after.h, &after.c); break;
    case TG_GRU: y = tg_gru(t, gx, l->w_hh, l->b_hh, h0, reset, &after.h); break;
    }
    if (last) *last = after;
    return y;
}

tg_tensor *tg_recurrent_layer_apply(tg_tape *t, const tg_recurrent_layer *l, tg_tensor *x,
                                    const tg_recurrent_state *first, tg_tensor *reset, tg_recurrent_state *last)
{
    return tg_recurrent_layer_run(t, l, tg_linear(t, x, l->w_ih, l->b_ih, TG_LINEAR), first, reset, last);
}
