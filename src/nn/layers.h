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
typedef struct tg_linear_layer { tg_tensor *w, *b, *u, *v; } tg_linear_layer;
tg_status tg_linear_layer_declare(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out,
                                  bool bias, double gain, int group);
/* The same with spectral norm and a bias: NAME.weight_orig, buffers NAME.weight_u, NAME.weight_v. */
tg_status tg_linear_layer_declare_spectral(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out, int group);
tg_tensor *tg_linear_layer_apply(tg_tape *t, const tg_linear_layer *l, tg_tensor *x, tg_activation act);
/* A view of the last step of x [T, B, C], as [1, B, C], where nobody goes back: what a head needs for the next token alone. */
tg_tensor *tg_last_step(tg_tape *t, const tg_tensor *x);

/* nn.Embedding: NAME.weight [V, D] from N(0, deviation²); PyTorch's deviation is 1. */
typedef struct tg_embed_layer { tg_tensor *table; } tg_embed_layer;
tg_status tg_embed_layer_declare(tg_params *p, tg_embed_layer *l, const char *name, int64_t V, int64_t D,
                                 double deviation, int group);
tg_tensor *tg_embed_layer_apply(tg_tape *t, const tg_embed_layer *l, tg_tensor *ids);

/* nn.LayerNorm: NAME.weight [D] ones, NAME.bias [D] zeros; eps 1e-5. */
typedef struct tg_norm_layer { tg_tensor *g, *b; } tg_norm_layer;
tg_status tg_norm_layer_declare(tg_params *p, tg_norm_layer *l, const char *name, int64_t D, int group);
tg_tensor *tg_norm_layer_apply(tg_tape *t, const tg_norm_layer *l, tg_tensor *x);

/* nn.Conv2d: NAME.weight [out, in, P, Q]; nn.ConvTranspose2d: NAME.weight [in, out, P, Q]; both NAME.bias [out]. Initial values
 * are
 * PyTorch's unless a deviation is given. spectral (convolution only): torch.nn.utils.spectral_norm, NAME.weight_orig and buffers
 * NAME.weight_u, NAME.weight_v; the first iteration normalises them. */
typedef struct tg_conv_shape {
    int64_t taps[2];         /* P, Q */
    tg_conv_options options; /* see tg_conv_square */
    bool bias, spectral;
    double deviation;        /* above 0: weights from N(0, deviation²), biases 0, as DCGAN's with 0.02 */
    int group;
} tg_conv_shape;
typedef struct tg_conv_layer { tg_conv_options options; tg_tensor *w, *b, *u, *v; } tg_conv_layer;
tg_status tg_conv_layer_declare(tg_params *p, tg_conv_layer *l, const char *name, int64_t in, int64_t out,
                                const tg_conv_shape *s);
tg_tensor *tg_conv_layer_apply(tg_tape *t, const tg_conv_layer *l, tg_tensor *x);
tg_status tg_conv_transpose_layer_declare(tg_params *p, tg_conv_layer *l, const char *name, int64_t in, int64_t out,
                                          const tg_conv_shape *s);
tg_tensor *tg_conv_transpose_layer_apply(tg_tape *t, const tg_conv_layer *l, tg_tensor *x);

/* nn.BatchNorm1d and 2d: NAME.weight [C] ones (deviation > 0: N(1, deviation²)), NAME.bias [C] zeros, buffers NAME.running_mean,
 * NAME.running_var [C]; momentum 0.1, eps 1e-5. num_batches_tracked, which nothing reads, is not kept. */
typedef struct tg_batch_norm_layer { tg_tensor *g, *b, *mean, *var; } tg_batch_norm_layer;
tg_status tg_batch_norm_layer_declare(tg_params *p, tg_batch_norm_layer *l, const char *name, int64_t C, double deviation,
                                      int group);
tg_tensor *tg_batch_norm_layer_apply(tg_tape *t, const tg_batch_norm_layer *l, tg_tensor *x);
/* nn.GroupNorm: declared as a layer norm of C. */
tg_tensor *tg_group_norm_layer_apply(tg_tape *t, const tg_norm_layer *l, tg_tensor *x, int64_t groups);

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

/* The same for a buffer: "norm" + ".running_mean". */
tg_tensor *tg_layer_buffer(tg_params *p, const char *module, const char *name, int rank, const int64_t *dims, tg_init_kind kind,
                           double scale, int group);

#endif
