/*
 * tinygen/autograd.h - the tape and its ops.
 *
 *     tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1, .step = 7});
 *     tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){T, B}, tokens);
 *     tg_tensor *h = tg_linear(t, tg_embed(t, table, x), w, b, TG_LINEAR);
 *     tg_tensor *loss = tg_cross_entropy(t, h, tg_input_ids(t, 2, (int64_t[]){T, B}, targets));
 *     if (tg_tape_backward(t, loss)) ...             // adds nothing: gradients of this batch are in w->grad, b->grad
 *
 * An op takes tensors, computes its result at once, and is remembered if the mode says train. Results belong to the
 * tape and are valid until the next tg_tape_begin. A failing op (shapes, memory) returns NULL and the tape keeps the
 * first cause; a NULL input gives NULL; so a model checks once, at its loss. The same bits for any number of threads.
 */
#ifndef TINYGEN_AUTOGRAD_H
#define TINYGEN_AUTOGRAD_H

#include "tinygen/tensor.h"

typedef struct tg_tape tg_tape; /* an arena, what was recorded in it, and its costs */

/* What an attention looked at: p [T, B, H, S], for each position and head of queries the shares of the S keys, those in the
 * cache first; a row sums to 1 and is 0 at what it does not see. */
typedef struct tg_attention_weights { int64_t T, B, H, S; const float *p; } tg_attention_weights;
/* Told of every attention, in the order of the pass; p is gone when look returns. */
typedef struct tg_attention_watch { void (*look)(void *user, const tg_attention_weights *w); void *user; } tg_attention_watch;

typedef struct tg_tape_mode {
    bool train;         /* remember ops for backward; dropout is on */
    bool plan;          /* shapes and costs only: no memory for values, nothing computed (--dry-run) */
    bool frozen;        /* parameters are those of the last begin: what is made of them alone (packed matrices, results of
                           ops that read nothing else) is kept as long as every begin says so; for sampling */
    uint64_t seed;      /* of dropout */
    uint64_t step;      /* of dropout: the training step (and micro-batch) */
    uint32_t groups;    /* bit g: parameter group g gets gradients; 0 means all */
    const tg_attention_watch *watch; /* borrowed until the next begin; results are the same bits with it; NULL: nobody looks */
    int64_t update;     /* updates of the weights so far: what a model that anneals something goes by */
    uint32_t draws;     /* of noise in this step before this pass: what one pass has no memory for goes on in another */
} tg_tape_mode;

/* Errors: TG_ENOMEM. ctx is borrowed; a tape is used by one thread at a time, its ops use the context's pool. */
tg_status tg_tape_new(tg_context *ctx, tg_tape **out);
void tg_tape_free(tg_tape *t);
/* Forgets the last step, keeps its memory. Parameters' gradients are not touched. */
void tg_tape_begin(tg_tape *t, const tg_tape_mode *mode);
/* First error since tg_tape_begin, TG_OK if none; its message is the thread's again. */
tg_status tg_tape_status(tg_tape *t);
/* Gradients of a scalar for every parameter in it. Parameters whose has_grad is false are overwritten, others added to:
 * so micro-batches add up. Once after a begin: what was recorded is used up. Errors: TG_EINVAL (not a scalar, nothing
 * recorded), or the tape's own; after one the parameters' gradients are not to be used. */
tg_status tg_tape_backward(tg_tape *t, tg_tensor *loss);
/* The gradients of weight·loss: for micro-batches of unlike sizes. */
tg_status tg_tape_backward_by(tg_tape *t, tg_tensor *loss, double weight);
const tg_tape_mode *tg_tape_mode_of(const tg_tape *t); /* of the last begin */
bool tg_tape_is_frozen(const tg_tape *t);  /* since the last begin: a model may choose a way whose parts are kept */
double tg_tape_flops(const tg_tape *t);   /* of the ops recorded since begin, forward; multiply-add = 2 */
double tg_tape_backward_flops(const tg_tape *t);
int64_t tg_tape_peak(const tg_tape *t);   /* most bytes of activations and gradients at once so far (or planned) */

/*
 * tg_tangent - how y changes as x moves along direction: J·d, J being dy/dx of what is recorded between them, recorded out of
 * ordinary
 * ops. Gradients reach the parameters through it, so that a gradient penalty needs no double backward: with g = dD/dx held
 * constant,
 * the gradient of |g|²/2 for the parameters is that of sum(tg_tangent(t, D, x, g)).
 *   x          an input whose wants_grad was set before it was used
 *   direction  like x, usually a constant: a gradient of the pass before, copied
 * Ops that have one: linear, conv, conv_transpose, activate (not gelu, relu2, swiglu), add, mul, scale, total, reshape, average
 * pool, upsample. Errors: TG_EUNSUPPORTED: another is in between; TG_EINVAL: x is not recorded, shapes, or y does not depend on
 * it.
 * Source: Pearlmutter 1994, Neural Computation 6 (the directional derivative); Mescheder et al. 2018, arXiv:1801.04406 (R1).
 */
tg_tensor *tg_tangent(tg_tape *t, tg_tensor *y, tg_tensor *x, tg_tensor *direction);

/* Inputs: borrowed memory, never written to, must stay until the next begin. In a plan the pointer may be NULL. */
tg_tensor *tg_input_ids(tg_tape *t, int rank, const int64_t *dims, const int32_t *ids);
tg_tensor *tg_input_values(tg_tape *t, int rank, const int64_t *dims, const float *values);

/* For a model that computes by itself: a tensor whose values (ids) the caller writes, in a plan without memory for them; no
 * gradient flows through it. NULL: no memory. And the tape's first error, s with the thread's message. */
tg_tensor *tg_tape_values(tg_tape *t, int rank, const int64_t *dims);
tg_tensor *tg_tape_ids(tg_tape *t, int rank, const int64_t *dims);
tg_status tg_tape_fail(tg_tape *t, tg_status s);

/* ---- ops ----------------------------------------------------------------------------------------------------- */

/* The first four go with tg_linear, all but TG_LINEAR with tg_activate. */
typedef enum tg_activation {
    TG_LINEAR, TG_TANH, TG_SIGMOID, TG_RELU, TG_GELU, TG_RELU2, TG_SWIGLU, TG_LEAKY, TG_SILU, TG_SOFTPLUS
} tg_activation;

/* y[..., O] = act(x[..., I]·wᵀ + b); w [O, I] as PyTorch's nn.Linear; b [O] or NULL.   Cost 2·N·I·O. */
tg_tensor *tg_linear(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, tg_activation act);
/* y = onto + x·wᵀ + b: the product's chains start from onto [..., O], so that a residual costs no pass of its own, forward or,
 * where nothing else reads onto, backward. */
tg_tensor *tg_linear_onto(tg_tape *t, tg_tensor *onto, tg_tensor *x, tg_tensor *w, tg_tensor *b);
/* One pass over x; backward recomputes from x and keeps nothing.
 *   TG_GELU    y = x/2·(1 + tanh(sqrt(2/pi)·(x + 0.044715·x³))): the tanh form, as in GPT-2     (Hendrycks & Gimpel 2016,
 *              arXiv:1606.08415)
 *   TG_RELU2   y = max(x, 0)²                                                          (So et al. 2021, arXiv:2109.08668)
 *   TG_SWIGLU  x [..., 2F] to y [..., F]: silu(first half)·second half, silu(a) = a·sigmoid(a)
 *                                                                                      (Shazeer 2020, arXiv:2002.05202)
 *   TG_SILU    x·sigmoid(x)    TG_SOFTPLUS  log(1 + e^x)    TG_TANH, TG_SIGMOID, TG_RELU as their names say
 *   TG_LEAKY   x, or 0.01·x where x < 0; tg_leaky_relu with another slope           (Maas et al. 2013) */
tg_tensor *tg_activate(tg_tape *t, tg_tensor *x, tg_activation act);
tg_tensor *tg_leaky_relu(tg_tape *t, tg_tensor *x, double slope);
/* y = d·f'(x) of an activation f that tg_activate knows, but for gelu, relu2 and swiglu: how a change d of x changes f(x). */
tg_tensor *tg_slope(tg_tape *t, tg_tensor *d, tg_tensor *x, tg_activation act, double slope);
/* y[..., D] = table[ids[...]]; table [V, D]. Ids must be in 0..V-1 (checked: TG_EINVAL names the first that is not). */
tg_tensor *tg_embed(tg_tape *t, tg_tensor *table, tg_tensor *ids);
/* Same data, other shape with as many elements. */
tg_tensor *tg_reshape(tg_tape *t, tg_tensor *x, int rank, const int64_t *dims);
/* [B, D] of x [B, ...]: each row's numbers side by side. */
tg_tensor *tg_flatten(tg_tape *t, tg_tensor *x);
/* y = a + b, element by element; equal shapes. */
tg_tensor *tg_add(tg_tape *t, tg_tensor *a, tg_tensor *b);
/* a·b, element by element; factor·x + shift; a + factor·b */
tg_tensor *tg_mul(tg_tape *t, tg_tensor *a, tg_tensor *b);
tg_tensor *tg_scale(tg_tape *t, tg_tensor *x, double factor, double shift);
tg_tensor *tg_add_scaled(tg_tape *t, tg_tensor *a, double factor, tg_tensor *b);
/* Sum and mean of all elements: scalars. */
tg_tensor *tg_sum(tg_tape *t, tg_tensor *x);
tg_tensor *tg_mean(tg_tape *t, tg_tensor *x);
/*
 * Losses in nats per example: -log p(x) of all elements added up, then the mean over the first axis. x is a constant; all shapes
 * are
 * the same.
 *   bce_logits    p(x) = sigmoid(l)^x·(1 - sigmoid(l))^(1-x), x in 0..1
 *   gauss_nll     N(mean, e^logvar); logvar NULL: e^fixed_logvar
 *   logistic_nll  x = k/255, k in 0..255: a logistic distribution of this mean and scale e^log_scale (both in units of x) over
 * bins
 *                 of width 1/255, the outer ones open       (Salimans et al. 2017, arXiv:1701.05517, eq. 2)
 *   gauss_kl      KL(N(mean, e^logvar) || N(0, 1))          (Kingma & Welling 2013, arXiv:1312.6114, appendix B)
 */
tg_tensor *tg_bce_logits(tg_tape *t, tg_tensor *logits, tg_tensor *x);
tg_tensor *tg_gauss_nll(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *x, double fixed_logvar);
tg_tensor *tg_logistic_nll(tg_tape *t, tg_tensor *mean, tg_tensor *log_scale, tg_tensor *x);
tg_tensor *tg_gauss_kl(tg_tape *t, tg_tensor *mean, tg_tensor *logvar);
/*
 * The same of each row by itself, [R] nats, not their mean; x (and gauss_ratio's logvar) may have B rows, of which R is a multiple:
 * row r goes with row r mod B, so that K draws for B examples stand one draw after the other.
 *   gauss_ratio   log q(z) - log p(z) of z = mean + e^(logvar/2)·noise, q = N(mean, e^logvar), p = N(0, 1): a draw's part of the KL
 */
tg_tensor *tg_bce_logits_each(tg_tape *t, tg_tensor *logits, tg_tensor *x);
tg_tensor *tg_gauss_nll_each(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *x);
tg_tensor *tg_logistic_nll_each(tg_tape *t, tg_tensor *mean, tg_tensor *log_scale, tg_tensor *x);
tg_tensor *tg_gauss_ratio_each(tg_tape *t, tg_tensor *z, tg_tensor *logvar, tg_tensor *noise);
/* z = mean + e^(logvar/2)·noise; and noise alone, a constant. Both draw N(0, 1) by (seed, step, how many draws of the step came
 * before,
 * element), in training or not. _by: of noise that is given, [K·B, Z] for K draws of mean [B, Z]. */
tg_tensor *tg_reparam(tg_tape *t, tg_tensor *mean, tg_tensor *logvar);
tg_tensor *tg_reparam_by(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *noise);
tg_tensor *tg_noise(tg_tape *t, int rank, const int64_t *dims);
/* 1 with chance x, else 0: a constant of the shape of x [B, ...], drawn by (seed, step, element), in training or not; own: row by
 * row by its own bytes, so that it is the same each time. Errors as tg_noise. */
tg_tensor *tg_coins(tg_tape *t, const tg_tensor *x, bool own);
/* Mean over B of -log(mean over K of e^-nats), nats [K, B]: with those of draws, recon + gauss_ratio, a bound of -log p(x) that is
 * -ELBO for K = 1 and falls towards it. Burda et al. 2015, arXiv:1509.00519, eq. 8. */
tg_tensor *tg_importance_bound(tg_tape *t, tg_tensor *nats);
/*
 * Losses of what the discriminator says (logits, one an example): of real images, of fake ones, and, in the generator's step, of
 * fake ones that shall fool it. Means over the batch.
 *   nonsaturating  softplus(-l), softplus(l), softplus(-l)          (Goodfellow et al. 2014, arXiv:1406.2661)
 *   hinge          max(0, 1 - l), max(0, 1 + l), -l                 (Lim & Ye 2017, arXiv:1705.02894)
 *   wasserstein    -l, l, -l                                        (Arjovsky et al. 2017, arXiv:1701.07875)
 */
typedef enum tg_gan_loss_kind { TG_GAN_NONSATURATING, TG_GAN_HINGE, TG_GAN_WASSERSTEIN } tg_gan_loss_kind;
typedef enum tg_gan_side { TG_GAN_REAL, TG_GAN_FAKE, TG_GAN_FOOLS } tg_gan_side;
tg_tensor *tg_gan_loss(tg_tape *t, tg_tensor *logits, tg_gan_loss_kind kind, tg_gan_side side);
/* Images x [B, C, Y, X] in tiles of high x wide, which must fit: the mean or the largest of each tile; 0: the whole image, to
 * [B, C, 1, 1]. Upsampling: each number becomes a tile (nearest neighbour). */
tg_tensor *tg_average_pool(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide);
tg_tensor *tg_max_pool(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide);
tg_tensor *tg_upsample(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide);
/* Inverted dropout: each element is 0 with probability p, else x/(1-p); nothing when not training or p = 0. */
tg_tensor *tg_dropout(tg_tape *t, tg_tensor *x, double p);
/* y = (x - mean)/sqrt(var + eps)·g + b over the last axis; g, b [D]. Ba, Kiros & Hinton 2016, arXiv:1607.06450. */
tg_tensor *tg_layernorm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, double eps);
/* y = x/sqrt(mean(x²) + eps)·g over the last axis; g [D]. Zhang & Sennrich 2019, arXiv:1910.07467. */
tg_tensor *tg_rmsnorm(tg_tape *t, tg_tensor *x, tg_tensor *g, double eps);
/* Mean over the targets that are >= 0 of -log softmax(logits)[target], nats; logits [..., V], targets int [...].
 * No target >= 0: TG_EINVAL. */
tg_tensor *tg_cross_entropy(tg_tape *t, tg_tensor *logits, tg_tensor *targets);

/* What attention keeps of positions it has seen, for sampling: keys (normalised and rotated) and values of positions
 * 0 .. used-1 in k, v [B, capacity, K·D]. The caller's; a pass writes its T positions behind them, and the caller then adds T to
 * used. */
typedef struct tg_attention_cache { float *k, *v; int64_t capacity, used; } tg_attention_cache;

typedef struct tg_attention_options {
    int64_t heads;             /* H, of queries */
    int64_t kv_heads;          /* K, of keys and values; 0: H. H is a multiple of K: each serves H/K heads of queries */
    double theta;              /* base of the rotary positions, such as 10000; 0: none */
    double eps;                /* of the norm of queries and keys */
    tg_attention_cache *cache; /* NULL: none. Only where nothing is recorded */
} tg_attention_options;

/*
 * tg_attention - causal multi-head attention softmax(q·kᵀ/√D)·v, in blocks: no T×T matrix in memory.
 *   qkv      [T, B, (H + 2K)·D]  heads of queries, then of keys, then of values
 *   q_gain, k_gain [D] or NULL   an RMS norm of each head's queries (keys) with this gain, before the rotation
 *   first int [T, B] or NULL     the first position that each query sees (documents share a row); NULL: 0. It sees itself, too,
 *                              where that comes before
 *   returns  [T, B, H·D]
 * With theta, position p turns elements i and i + D/2 of queries and keys by p·theta^(-2i/D); positions count on behind a cache.
 * Errors: TG_EINVAL: shapes; an odd D with theta; a cache that is full or with gradients.
 * Bits:   the same for any number of threads, and whether a sequence is computed at once or in pieces behind a cache.
 * Cost:   4·B·H·D FLOP for each pair of a query and a key that it sees, backward 10; memory for backward B·H·T numbers.
 * Source: Vaswani et al. 2017, arXiv:1706.03762; blocks: Dao et al. 2022, arXiv:2205.14135; rotation: Su et al. 2021,
 *         arXiv:2104.09864; shared heads: Ainslie et al. 2023, arXiv:2305.13245; norm: Henry et al. 2020, arXiv:2010.04245,
 *         as in Dehghani et al. 2023, arXiv:2302.05442.
 */
tg_tensor *tg_attention(tg_tape *t, tg_tensor *qkv, tg_tensor *q_gain, tg_tensor *k_gain, tg_tensor *first,
                        const tg_attention_options *o);

/*
 * tg_conv, tg_conv_transpose - convolution (cross-correlation, as everywhere) and its transpose, over images or lines.
 *   x [B, C, Y, X], conv: w [O, C, P, Q], transpose: w [C, O, P, Q], b [O] or NULL; returns [B, O, Y', X']
 *   x [B, C, X]: w has three axes, too, and only the options' second numbers count
 *   conv       Y' = (Y + before + after - dilation·(P-1) - 1)/stride + 1, rounded down; causal over X: before = dilation·(Q-1)
 *   transpose  Y' = (Y-1)·stride - before - after + dilation·(P-1) + 1 + extra: what is padding there is cut off here
 * With before = after this is PyTorch's padding; its output_padding is extra, its layouts are these.
 * Cost: 2·B·O·C·P·Q FLOP for each result of conv (each place of x of transpose).
 * Source: Dumoulin & Visin 2016, arXiv:1603.07285.
 */
typedef struct tg_conv_options {
    int64_t stride[2], dilation[2]; /* over Y, X; 0: 1 */
    int64_t before[2], after[2];    /* zeros on either side */
    int64_t extra[2];               /* transpose: rows and columns more */
} tg_conv_options;
tg_tensor *tg_conv(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, const tg_conv_options *o);
tg_tensor *tg_conv_transpose(tg_tape *t, tg_tensor *x, tg_tensor *w, tg_tensor *b, const tg_conv_options *o);
/* Stride and padding alike on all sides, no dilation. */
tg_conv_options tg_conv_square(int64_t stride, int64_t padding);

/* y = (x - mean)/sqrt(var + eps)·g + b with a mean and variance for each channel, over all else of x [B, C, ...] (also [B, C]).
 * g, b [C] or both NULL: 1 and 0. In training those of the batch, which pull the buffers running_mean and running_var [C] by
 * momentum, as PyTorch's do (the variance kept is a sample's, M/(M-1) of the batch's); else those that the buffers hold. Both
 * NULL: always the batch's. A buffer (tg_param_buffer) is the one kind of input that an op writes to.
 * Ioffe & Szegedy 2015, arXiv:1502.03167. */
tg_tensor *tg_batch_norm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, tg_tensor *running_mean, tg_tensor *running_var,
                         double momentum, double eps);
/* The same with a mean and variance for each example and group of C/groups channels side by side; groups = C is instance norm.
 * Wu & He 2018, arXiv:1803.08494; Ulyanov et al. 2016, arXiv:1607.08022. */
tg_tensor *tg_group_norm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, int64_t groups, double eps);

/* w divided by its largest singular value u·Wv, W [O, I] being w [O, ...] as a matrix. u [O] and v [I] are buffers, which one
 * power iteration a use brings nearer in training; gradients take them as constants. As torch.nn.utils.spectral_norm with dim 0.
 * Miyato et al. 2018, arXiv:1802.05957. */
tg_tensor *tg_spectral_norm(tg_tape *t, tg_tensor *w, tg_tensor *u, tg_tensor *v);

/* Whole-sequence recurrent layers over the projected input gx (gx = x·w_ihᵀ + b_ih, for all time steps at once). A gx that
 * an op made (a linear without activation, an embed) and that no other op has read is used up: its memory holds the gates
 * afterwards, and reading it again is an error.
 *   gx [T, B, G·H], w_hh [G·H, H], b_hh [G·H]; h0, c0 [B, H] (constants: gradients stop here); reset int [T, B] or
 *   NULL: 1 = this row's state is zero before this step. returns y [T, B, H]; *h_last, *c_last [B, H] (may be NULL) are
 *   views of the final state, valid until the next begin.
 * rnn: h' = act(gx + w_hh·h + b_hh), act TG_TANH or TG_RELU           (Elman 1990)
 * lstm: gates i f g o; c' = f·c + i·g, h' = o·tanh(c')          (Hochreiter & Schmidhuber 1997; forget gate: Gers 2000)
 * gru: gates r z n; n = tanh(gx_n + r·(w_hn·h + b_hn)), h' = (1-z)·n + z·h   (Cho et al. 2014, as in cuDNN and PyTorch)
 * Cost 2·T·B·G·H² + gates. Rows of the batch are independent: threads split them, without a barrier in time. */
tg_tensor *tg_rnn(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *reset,
                  tg_activation act, tg_tensor **h_last);
tg_tensor *tg_lstm(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *c0,
                   tg_tensor *reset, tg_tensor **h_last, tg_tensor **c_last);
tg_tensor *tg_gru(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *reset,
                  tg_tensor **h_last);

#endif
