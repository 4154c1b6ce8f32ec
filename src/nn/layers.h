/*
 * layers.h - layers: a few parameters with PyTorch's names, layouts and initial values, and the op that uses them.
 * Declare before tg_params_seal, apply while a tape is open. name is the module's ("rnn", "head"); group the
 * parameters' group. Declaring fails as tg_param does; applying gives NULL as ops do.
 */
#ifndef TG_NN_LAYERS_H
#define TG_NN_LAYERS_H

#include "tinygen/nn.h"

/* nn.Linear: NAME.weight [out, in] from U(-gain/sqrt(in), gain/sqrt(in)), NAME.bias [out] with gain 1. PyTorch's gain
 * is 1; sqrt(3) keeps the variance (LeCun et al. 1998), more makes up for inputs that are small. */
typedef struct tg_linear_layer { tg_tensor *w, *b; } tg_linear_layer;
tg_status tg_linear_layer_declare(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out,
                                  bool bias, double gain, int group);
tg_tensor *tg_linear_layer_apply(tg_tape *t, const tg_linear_layer *l, tg_tensor *x, tg_activation act);

/* nn.Embedding: NAME.weight [V, D] from N(0, deviation²); PyTorch's deviation is 1. */
typedef struct tg_embed_layer { tg_tensor *table; } tg_embed_layer;
tg_status tg_embed_layer_declare(tg_params *p, tg_embed_layer *l, const char *name, int64_t V, int64_t D,
                                 double deviation, int group);
tg_tensor *tg_embed_layer_apply(tg_tape *t, const tg_embed_layer *l, tg_tensor *ids);

/* nn.LayerNorm: NAME.weight [D] ones, NAME.bias [D] zeros; eps 1e-5. */
typedef struct tg_norm_layer { tg_tensor *g, *b; } tg_norm_layer;
tg_status tg_norm_layer_declare(tg_params *p, tg_norm_layer *l, const char *name, int64_t D, int group);
tg_tensor *tg_norm_layer_apply(tg_tape *t, const tg_norm_layer *l, tg_tensor *x);

/*
 * One layer of nn.RNN, nn.LSTM or nn.GRU: NAME.weight_ih_lK [G·H, in], NAME.weight_hh_lK [G·H, H], NAME.bias_ih_lK,
 * NAME.bias_hh_lK [G·H], gates in PyTorch's order, all from U(-1/sqrt(H), 1/sqrt(H)) but for weight_ih:
 * U(-gain/sqrt(in), gain/sqrt(in)), see above. An LSTM's forget gate starts elsewhere: its part of bias_ih is forget_bias,
 * of bias_hh 0 (Jozefowicz et al. 2015 advise 1); others ignore it.
 */
typedef enum tg_recurrent_kind { TG_RNN_TANH, TG_RNN_RELU, TG_LSTM, TG_GRU } tg_recurrent_kind;
typedef struct tg_recurrent_layer {
    tg_recurrent_kind kind;
    int64_t in, hidden;
    tg_tensor *w_ih, *w_hh, *b_ih, *b_hh;
} tg_recurrent_layer;
/* State before and after: h and, for an LSTM, c, [B, H]. NULL before: zeros. */
typedef struct tg_recurrent_state { tg_tensor *h, *c; } tg_recurrent_state;
tg_status tg_recurrent_layer_declare(tg_params *p, tg_recurrent_layer *l, const char *name, int number,
                                     tg_recurrent_kind kind, int64_t in, int64_t hidden, double gain, double forget_bias,
                                     int group);
/* x [T, B, in] to [T, B, H]. first may be NULL, last, too; both may be the same. reset int [T, B] or NULL. */
tg_tensor *tg_recurrent_layer_apply(tg_tape *t, const tg_recurrent_layer *l, tg_tensor *x,
                                    const tg_recurrent_state *first, tg_tensor *reset, tg_recurrent_state *last);
/* The same behind the input projection gx [T, B, G·H], for a caller that has a cheaper way to it. */
tg_tensor *tg_recurrent_layer_run(tg_tape *t, const tg_recurrent_layer *l, tg_tensor *gx,
                                  const tg_recurrent_state *first, tg_tensor *reset, tg_recurrent_state *last);

/* "rnn" + ".weight_ih_l" + 0 declared: what all of the above are made of. number < 0: none. */
tg_tensor *tg_layer_param(tg_params *p, const char *module, const char *name, int number, int rank, const int64_t *dims,
                          tg_init_kind kind, double scale, int group);

#endif
