/*
 * tinygen/nn.h - parameters, initialisers, optimisers, schedules, averages.
 *
 * All parameters of a model lie in one slab in order of their creation; gradients, moments and averages in slabs of
 * the same layout, so that an optimiser step is one sweep and a checkpoint a few tensors. First the shapes are
 * declared, then tg_params_seal allocates and initialises them:
 *
 *     tg_params *p;
 *     tg_params_new(ctx, &p);
 *     tg_tensor *w = tg_param(p, "head.weight", 2, (int64_t[]){V, H}, TG_INIT_UNIFORM, 1 / sqrt(H), true, 0);
 *     tg_tensor *b = tg_param(p, "head.bias", 1, (int64_t[]){V}, TG_INIT_ZERO, 0, false, 0);
 *     tg_params_seal(p, seed, true, false);                     // now w->data and b->data are there
 *     tg_optim_new(ctx, p, &(tg_optim_config){.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, &o);
 *     for (int64_t step = 0; step < steps; step++) {
 *         tg_params_clear_grads(p);
 *         ... record a loss on a tape, tg_tape_backward ...
 *         double scale = tg_clip_scale(tg_grad_norm(ctx, p), 5);
 *         tg_optim_step(o, tg_schedule_at(&schedule, step), scale, step + 1);
 *     }
 *
 * All of it gives the same bits for any number of threads and on every instruction set.
 */
#ifndef TINYGEN_NN_H
#define TINYGEN_NN_H

#include "tinygen/autograd.h"

/* ---- parameters ---------------------------------------------------------------------------------------------- */

typedef struct tg_params tg_params; /* names, shapes and one slab each for values and gradients */

/* How a parameter starts; scale is tg_param's. */
typedef enum tg_init_kind {
    TG_INIT_ZERO, TG_INIT_ONE,
    TG_INIT_UNIFORM,    /* in [-scale, scale) */
    TG_INIT_NORMAL,     /* mean 0, deviation scale */
    TG_INIT_NORMAL_ONE  /* mean 1, deviation scale */
} tg_init_kind;

/* An empty set. Errors: TG_ENOMEM. Freeing it frees the tensors that tg_param handed out. */
tg_status tg_params_new(tg_context *ctx, tg_params **out);
void tg_params_free(tg_params *p);
/* Declares one; the tensor's data come with tg_params_seal. decay: weight decay applies (matrices: yes; biases, norms:
 * no). group: 0..31, what tg_tape_mode.groups selects by (a GAN's two sides); gradients and updates go by it. Names are
 * unique (PyTorch's conventional ones) and copied. The tensor lives as long as p. NULL: see tg_error (name or shape make
 * no sense, no memory). */
tg_tensor *tg_param(tg_params *p, const char *name, int rank, const int64_t *dims, tg_init_kind kind, double scale,
                    bool decay, int group);
/* Declares numbers that training writes but no gradient moves (running statistics, a vector of power iteration): a tensor like
 * the others, saved and read with them, in no count of parameters and without decay; an average of weights copies it. */
tg_tensor *tg_param_buffer(tg_params *p, const char *name, int rank, const int64_t *dims, tg_init_kind kind, double scale,
                           int group);
/* Before the seal: elements [first, first + count) of a parameter of this set start as value, whatever is drawn for the
 * rest (an LSTM's forget-gate bias). Errors: TG_EINVAL (range, sealed). */
tg_status tg_param_start(tg_params *p, const tg_tensor *parameter, int64_t first, int64_t count, double value);
/* Before the seal: a parameter [rows, columns] of this set stands between hidden units on both sides, and is `count` matrices
 * on top of each other (queries, keys and values; an LSTM's gates), each of so many rows. An optimiser that treats matrices as
 * such (muon) does so with each of them; nothing said of a parameter, it is none: tables, heads, gains and biases. Errors:
 * TG_EINVAL (not two axes, rows that are not all of it, sealed), TG_ENOMEM. */
tg_status tg_param_matrices(tg_params *p, const tg_tensor *parameter, int count, const int64_t *rows);
/* What the rows of a parameter, along its first axis, stand for: nothing that has a name outside the model, the tokens of the
 * vocabulary, or the classes of the data. */
typedef enum tg_row_kind { TG_ROWS_OF_NOTHING, TG_ROWS_OF_TOKENS, TG_ROWS_OF_CLASSES } tg_row_kind;
/* Before the seal: row first + i of a parameter of this set belongs to token or class i; those before are nobody's. So a model
 * goes on with another vocabulary: what both know keeps its rows. Errors: TG_EINVAL (sealed). */
tg_status tg_param_rows(tg_params *p, const tg_tensor *parameter, tg_row_kind of, int64_t first);
/* Allocates the slab and draws initial values: element i of parameter k from stream (seed, INIT, k), so a parameter's
 * start depends on its place and shape only. train: also the gradients' slab. plan: shapes only, no memory for
 * values. */
tg_status tg_params_seal(tg_params *p, uint64_t seed, bool train, bool plan);
/* Parameter i stays as it starts, or from now on as it is: no gradient is worked out for it, and no step moves it by a bit. */
void tg_params_freeze(tg_params *p, int64_t i);
bool tg_params_frozen(const tg_params *p, int64_t i);
/* Memory for the values of a set that was sealed as a plan, for who reads all of them from a file: they are anything until then.
 * Errors: TG_ENOMEM. */
tg_status tg_params_allot(tg_params *p);
int64_t tg_params_count(const tg_params *p);              /* tensors */
tg_tensor *tg_params_at(const tg_params *p, int64_t i);   /* in order of declaration; NULL outside */
tg_tensor *tg_params_find(const tg_params *p, const char *name); /* NULL: none of that name */
int64_t tg_params_size(const tg_params *p);               /* floats in the slab (each tensor padded to 16 floats) */
int64_t tg_params_elements(const tg_params *p);           /* without padding and buffers: what people call parameters */
int64_t tg_params_trained(const tg_params *p);            /* of these, what is not frozen */
tg_row_kind tg_params_rows_of(const tg_params *p, int64_t i, int64_t *first); /* what tg_param_rows said of parameter i */
float *tg_params_values(const tg_params *p);              /* the slab; NULL before the seal and in a plan */
float *tg_params_grads(const tg_params *p);               /* its twin; NULL unless sealed for training */
/* Offset in the slab of parameter i. */
int64_t tg_params_offset(const tg_params *p, int64_t i);
/* Forgets gradients before a step (marks them; nothing is written). */
void tg_params_clear_grads(tg_params *p);

/* ---- optimisers ---------------------------------------------------------------------------------------------- */

typedef enum tg_optim_kind { TG_SGD, TG_RMSPROP, TG_ADAM, TG_ADAMW, TG_MUON } tg_optim_kind;
#define TG_OPTIM_CHOICES "sgd|rmsprop|adam|adamw|muon"

typedef struct tg_optim_config {
    tg_optim_kind kind;
    double momentum;            /* sgd, muon's matrices */
    bool nesterov;              /* sgd, muon's matrices */
    double beta1, beta2;        /* adam, adamw, the rest of muon; rmsprop: beta2 is its decay */
    double epsilon;
    double weight_decay;        /* adamw, muon: decoupled; the others: added to the gradient */
    double hidden_rate;         /* muon: its matrices' learning rate over that of the rest; above 0 */
} tg_optim_config;

typedef struct tg_optim tg_optim; /* one slab of moments for each that its kind needs */
/* For a sealed set, which it borrows. Errors: TG_EINVAL (settings out of range), TG_ENOMEM. */
tg_status tg_optim_new(tg_context *ctx, tg_params *p, const tg_optim_config *config, tg_optim **out);
void tg_optim_free(tg_optim *o);
/*
 * tg_optim_step - one update of every parameter that has a gradient; the others stay as they are, moments and all.
 *   lr      learning rate of this step
 *   scale   what gradients are multiplied by first (clipping, averaging)
 *   step    counts from 1 (bias correction)
 * With g = scale·grad:
 *   sgd      m = momentum·m + g;  w -= lr·m                      (nesterov: w -= lr·(g + momentum·m))
 *   rmsprop  v = beta2·v + (1-beta2)·g²;  w -= lr·g/(sqrt(v) + epsilon)
 *   adam     m = beta1·m + (1-beta1)·g;  v = beta2·v + (1-beta2)·g²;
 *            w -= lr·(m/(1-beta1^step)) / (sqrt(v/(1-beta2^step)) + epsilon)
 *   adamw    w -= lr·weight_decay·w first, then as adam; the other kinds add weight_decay·w to g
 *   muon     of each matrix [r, c] between hidden units (tg_param_matrices), with lr' = hidden_rate·lr:
 *            m = momentum·m + g;  x = m (nesterov: g + momentum·m);  x /= ‖x‖ + 1e-7, the root of the sum of its squares;
 *            five times x = 3.4445·x - 4.7750·(xxᵀ)x + 2.0315·(xxᵀ)²x, after which its singular values are about 1;
 *            w -= lr'·weight_decay·w, then w -= lr'·0.2·sqrt(max(r, c))·x;  of everything else as adamw
 * The factor of muon is Liu's: the root mean square of an update is then about what AdamW's is, 0.2 to 0.4, whatever the
 * shape, so that one learning rate and one weight decay are good for both. (Jordan's, sqrt(max(1, r/c)), wants another.)
 * Cost: one fused sweep over memory, in fixed chunks over threads; muon: tg_optim_flops on top.
 * Sources: Sutskever et al. 2013; Tieleman & Hinton 2012; Kingma & Ba 2014, arXiv:1412.6980; Loshchilov & Hutter 2017,
 * arXiv:1711.05101; Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks" (muon); Liu et al. 2025,
 * "Muon is scalable for LLM training", arXiv:2502.16982. Formulas as PyTorch's, muon's in float throughout.
 */
void tg_optim_step(tg_optim *o, double lr, double scale, int64_t step);
/* Its state for checkpoints: slabs of tg_params_size floats, laid out as the values are; names "m", "v". Borrowed; to be
 * written when a checkpoint is read. NULL in a plan. */
int tg_optim_slabs(const tg_optim *o);
const char *tg_optim_slab_name(const tg_optim *o, int i);
float *tg_optim_slab(const tg_optim *o, int i);

/* Bytes that it holds, or would hold if the parameters were no plan: slabs and scratch. */
int64_t tg_optim_bytes(const tg_optim *o);
/* Operations of one step's matrix products, a multiply-add being two, if all parameters have a gradient; 0 but for muon. */
double tg_optim_flops(const tg_optim *o);

/* 2-norm of all gradients, in fixed chunks; not finite when a gradient is not. */
double tg_grad_norm(tg_context *ctx, const tg_params *p);
/* What to multiply gradients by so that their norm is at most clip (0: no limit): min(1, clip/(norm + 1e-6)), as
 * PyTorch. */
double tg_clip_scale(double norm, double clip);
/* Name of the first parameter with a gradient that is not finite, or NULL. */
const char *tg_grad_bad(const tg_params *p);

/* average += (1 - decay)·(values - average), decay warmed up as min(decay, (1+step)/(10+step)); buffers are copied. */
void tg_ema_update(tg_context *ctx, float *average, const tg_params *p, double decay, int64_t step);

/* ---- schedules ----------------------------------------------------------------------------------------------- */

typedef enum tg_schedule_kind { TG_CONSTANT, TG_COSINE, TG_LINEAR_DECAY, TG_WSD } tg_schedule_kind;
#define TG_SCHEDULE_CHOICES "constant|cosine|linear|wsd"
typedef struct tg_schedule {
    tg_schedule_kind kind;
    double lr, min_lr;       /* the highest rate, and that of the last step */
    int64_t warmup, steps;   /* warmup: first steps, over which the rate rises; steps: all there will be */
    double decay_share;      /* wsd: share of steps, at the end, over which the rate falls */
} tg_schedule;
/*
 * tg_schedule_at - rate of a step (0, 1, ...): a linear warm-up from lr/warmup, then
 *   constant  lr
 *   cosine    half a cosine from lr to min_lr at the last step      (Loshchilov & Hutter 2016, arXiv:1608.03983)
 *   linear    a line from lr to min_lr
 *   wsd       lr, then a line to min_lr over the last decay_share of steps: "warm-up, stable, decay" (Hu et al. 2024,
 *             arXiv:2404.06395); until the fall begins, steps may grow without changing what was done
 * Pure; by our own cos, so the same bits everywhere.
 */
double tg_schedule_at(const tg_schedule *s, int64_t step);

#endif
