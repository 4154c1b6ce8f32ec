/*
 * tinygen/nn.h - parameters, initialisers, optimisers, schedules, averages.
 *
 * All parameters of a model lie in one slab in order of their creation; gradients, moments and averages in slabs of
 * the same layout, so that an optimiser step is one sweep and a checkpoint a few tensors. First the shapes are
 * declared, then tg_params_seal allocates and initialises them.
 */
#ifndef TINYGEN_NN_H
#define TINYGEN_NN_H

#include "tinygen/autograd.h"

/* ---- parameters ---------------------------------------------------------------------------------------------- */

typedef struct tg_params tg_params;

typedef enum tg_init_kind {
    TG_INIT_ZERO, TG_INIT_ONE,
    TG_INIT_UNIFORM,    /* in [-scale, scale) */
    TG_INIT_NORMAL      /* mean 0, deviation scale */
} tg_init_kind;

tg_status tg_params_new(tg_context *ctx, tg_params **out);
void tg_params_free(tg_params *p);
/* Declares one; the tensor's data come with tg_params_seal. decay: weight decay applies (matrices: yes; biases, norms:
 * no). Names are unique (PyTorch's conventional ones) and copied. NULL: see tg_error. */
tg_tensor *tg_param(tg_params *p, const char *name, int rank, const int64_t *dims, tg_init_kind kind, double scale,
                    bool decay, int group);
/* Before the seal: elements [first, first + count) of a parameter of this set start as value, whatever is drawn for the
 * rest (an LSTM's forget-gate bias). Errors: TG_EINVAL (range, sealed). */
tg_status tg_param_start(tg_params *p, const tg_tensor *parameter, int64_t first, int64_t count, double value);
/* Allocates the slab and draws initial values: element i of parameter k from stream (seed, INIT, k), so a parameter's
 * start depends on its place and shape only. train: also the gradients' slab. plan: shapes only, no memory for
 * values. */
tg_status tg_params_seal(tg_params *p, uint64_t seed, bool train, bool plan);
int64_t tg_params_count(const tg_params *p);              /* tensors */
tg_tensor *tg_params_at(const tg_params *p, int64_t i);
tg_tensor *tg_params_find(const tg_params *p, const char *name);
int64_t tg_params_size(const tg_params *p);               /* floats in the slab (each tensor padded to 16 floats) */
int64_t tg_params_elements(const tg_params *p);           /* without padding: what people call parameters */
float *tg_params_values(const tg_params *p);              /* the slab */
float *tg_params_grads(const tg_params *p);
/* Offset in the slab of parameter i. */
int64_t tg_params_offset(const tg_params *p, int64_t i);
/* Forgets gradients before a step (marks them; nothing is written). */
void tg_params_clear_grads(tg_params *p);

/* ---- optimisers ---------------------------------------------------------------------------------------------- */

typedef enum tg_optim_kind { TG_SGD, TG_RMSPROP, TG_ADAM, TG_ADAMW } tg_optim_kind;
#define TG_OPTIM_CHOICES "sgd|rmsprop|adam|adamw"

typedef struct tg_optim_config {
    tg_optim_kind kind;
    double momentum;            /* sgd */
    bool nesterov;              /* sgd */
    double beta1, beta2;        /* adam, adamw; rmsprop: beta2 is its decay */
    double epsilon;
    double weight_decay;        /* adamw: decoupled; the others: added to the gradient */
} tg_optim_config;

typedef struct tg_optim tg_optim;
tg_status tg_optim_new(tg_context *ctx, tg_params *p, const tg_optim_config *config, tg_optim **out);
void tg_optim_free(tg_optim *o);
/* Parameters without a gradient (has_grad is false) stay as they are, moments and all.
 * One update with gradients scaled by `scale` first (clipping). step counts from 1 (bias correction). One fused sweep,
 * chunks over threads. Sources: Kingma & Ba 2014; Loshchilov & Hutter 2017; Tieleman & Hinton 2012; formulas as
 * PyTorch's. */
void tg_optim_step(tg_optim *o, double lr, double scale, int64_t step);
/* Its state for checkpoints: slabs of tg_params_size floats, names "m", "v". */
int tg_optim_slabs(const tg_optim *o);
const char *tg_optim_slab_name(const tg_optim *o, int i);
float *tg_optim_slab(const tg_optim *o, int i);

/* 2-norm of all gradients, in fixed chunks; not finite when a gradient is not. */
double tg_grad_norm(tg_context *ctx, const tg_params *p);
/* What to multiply gradients by so that their norm is at most clip (0: no limit): min(1, clip/(norm + 1e-6)), as
 * PyTorch. */
double tg_clip_scale(double norm, double clip);
/* Name of the first parameter with a gradient that is not finite, or NULL. */
const char *tg_grad_bad(const tg_params *p);

/* average += (1 - decay)·(values - average), decay warmed up as min(decay, (1+step)/(10+step)). */
void tg_ema_update(tg_context *ctx, float *average, const tg_params *p, double decay, int64_t step);

/* ---- schedules ----------------------------------------------------------------------------------------------- */

typedef enum tg_schedule_kind { TG_CONSTANT, TG_COSINE, TG_LINEAR_DECAY, TG_WSD } tg_schedule_kind;
#define TG_SCHEDULE_CHOICES "constant|cosine|linear|wsd"
typedef struct tg_schedule {
    tg_schedule_kind kind;
    double lr, min_lr;
    int64_t warmup, steps;
    double decay_share;
} tg_schedule;
/* Rate of a step (0, 1, ...): linear warm-up from lr/warmup, then the shape; by our own cos. wsd: constant, then linear
 * to min_lr over the last decay_share of steps. */
double tg_schedule_at(const tg_schedule *s, int64_t step);

#endif
