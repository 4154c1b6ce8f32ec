/*
 * lora.h - low-rank adapters: each hidden matrix W [r, c] of a set of parameters (tg_param_matrices) is W0 + (alpha/rank)·B·A
 * with A [rank, c] and B [r, rank], and only A and B are trained (Hu et al. 2021, arXiv:2106.09685). No model knows of it:
 *
 *     tg_lora_new(ctx, p, &o, &l);      // p's values now are W0; p is frozen but for the matrices, whose gradients are needed
 *     ... optimiser, norm and averages go over tg_lora_params(l) ...
 *     backward; tg_lora_gradients(l);   // dA = s·Bᵀ·dW, dB = s·dW·Aᵀ
 *     tg_optim_step; tg_lora_merge(l);  // W is formed anew from W0, so merged and separate weights are the same bits
 *
 * A matrix that is several on top of each other (an LSTM's gates; queries, keys and values) has one adapter: for the same number
 * of parameters that is more than twice the rank of one for each, whose A would each be as wide as this one (docs/tune.md).
 *
 * A is U(-1/sqrt(c), 1/sqrt(c)), B is 0: W starts as W0. With `vocabulary` what has a row for each token or class (tg_param_rows) is
 * trained beside them, in full: where there are new tokens, their rows have yet to be learned. It is held in full where it is frozen,
 * too: whoever adds the adapter to W0 has the rows of other tokens.
 *
 * Names in the adapter's set: NAME.lora_A, NAME.lora_B; NAME itself of what is trained in full.
 */
#ifndef TG_NN_LORA_H
#define TG_NN_LORA_H

#include "nn/param.h"

typedef struct tg_lora tg_lora;
typedef struct tg_lora_options {
    int64_t rank;
    double alpha;
    bool vocabulary;
    uint64_t seed;    /* of A */
} tg_lora_options;

/* For a sealed set, which it borrows; frozen parameters have no adapter. In a plan without memory. Errors: TG_EUSAGE (nothing to adapt, a
 * rank that is no lower than a matrix's), TG_ENOMEM. */
tg_status tg_lora_new(tg_context *ctx, tg_params *p, const tg_lora_options *o, tg_lora **out);
void tg_lora_free(tg_lora *l);
tg_params *tg_lora_params(const tg_lora *l); /* the adapter's own, borrowed */
/* The values of the set now are W0. */
void tg_lora_rebase(tg_lora *l);
/* W0 of parameter i of the set; its value where it has no adapter. */
const float *tg_lora_base(const tg_lora *l, int64_t i);
void tg_lora_merge(tg_lora *l);
void tg_lora_gradients(tg_lora *l);
int64_t tg_lora_bytes(const tg_lora *l);     /* W0 and scratch; in a plan, too */
double tg_lora_flops(const tg_lora *l);      /* of gradients and merging */

#endif
