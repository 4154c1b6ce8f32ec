/*
 * loop.h - the steady-state training step: batch, forward, backward, clip, update, average. No folder, no clock, no
 * words: run/train.c adds those. After the third step a step allocates nothing.
 *
 * Everything that decides how training goes on is in the model's parameters, the optimiser's slabs, ema, best, the carry
 * and `place`: a checkpoint is these and nothing else.
 */
#ifndef TG_RUN_LOOP_H
#define TG_RUN_LOOP_H
#include "autograd/profile.h"
#include "nn/lora.h"
#include "run/likelihood.h"

typedef enum tg_on_nan { TG_NAN_STOP, TG_NAN_SKIP, TG_NAN_REWIND } tg_on_nan;
#define TG_ON_NAN_CHOICES "stop|skip|rewind"

typedef struct tg_loop_options {
    tg_optim_config optim;
    tg_schedule schedule;
    int64_t batch, seq, accum; /* seq: 1 of images and points; accum: batches that make one step: the mean over all their targets */
    double clip, ema;          /* 0: off */
    uint64_t seed;
    int64_t on_nan;
    tg_lora_options lora;      /* rank 0: the model's own parameters are trained */
} tg_loop_options;

/* Where training stands; saved with a checkpoint. A loss that is not known yet is NaN. */
typedef struct tg_place {
    int64_t step;                 /* steps done */
    double loss_sum;              /* training loss since the last line of the log ... */
    int64_t loss_count;           /* ... over so many steps */
    double best_loss;             /* least validation loss, and the step it was found after */
    int64_t best_step;
    double last_loss;             /* the last validation loss ... */
    int64_t evaluated;            /* ... and the step it was found after, -1: none */
    int64_t worse;                /* evaluations since the best */
    double rate_scale;            /* learning rates are multiplied by this: halved by every rewind */
    int64_t skipped, skipped_now; /* steps left out: in all, in a row */
    int64_t rewinds, high;        /* high: steps in a row with a loss far above that of guessing */
    double metric_sum[TG_METRICS];  /* as loss_sum, of what the loss names ... */
    double best_metric[TG_METRICS]; /* ... and of validation at the best */
} tg_place;

typedef struct tg_step_info { double loss, lr, grad_norm; int64_t tokens; bool taken; double metrics[TG_METRICS]; } tg_step_info;

typedef struct tg_loop {
    tg_context *ctx;
    tg_loop_options options;
    tg_model *model;              /* borrowed */
    tg_lora *lora;                /* adapters, or NULL */
    tg_params *set;               /* what is trained, of which all slabs are: the model's parameters or the adapters'; borrowed */
    tg_optim *optim;
    tg_tape *tape;
    tg_feed *feed;                /* of `rows` rows, so many of whose batches make one */
    int64_t rows;
    tg_carry carry;
    tg_turns *turns;              /* of a model that trains in turns, else NULL */
    tg_likelihood *validation;    /* NULL: no validation split, or no loss of it */
    float *ema;                   /* slab, or NULL */
    float *best;                  /* slab of what validated best, or NULL without validation */
    float *aside;                 /* of adapters: the values while others are shown */
    int metrics;                  /* that the loss names */
    const char *metric_names[TG_METRICS];
    double guessing;              /* nats that it costs to guess; infinity: nobody knows */
    tg_place place;
    double step_flops;            /* of one step */
    tg_profile *profile;          /* borrowed; NULL: not wanted */
} tg_loop;

/* The model must have been made for training. Errors: TG_EINVAL (too few tokens, with what to do), TG_ENOMEM. */
tg_status tg_loop_new(tg_context *ctx, tg_model *m, const tg_dataset *d, const tg_loop_options *o, tg_loop **out);
void tg_loop_free(tg_loop *l);
/* Rows of a batch that go through forward and backward at once: all, but of windows as many as memory allows and the batch
 * divides by, for no row knows of another. By shapes only. */
int64_t tg_loop_rows(const tg_model *m, int64_t batch, int64_t seq);
/* One step. Errors: TG_EDIVERGED (loss or gradient is not finite, or far too high for long; the message names step and
 * tensor; weights are those before the step), those of reading. */
tg_status tg_loop_step(tg_loop *l, tg_step_info *out);
/* From now on steps are taken down in p (NULL: no more). */
void tg_loop_profile(tg_loop *l, tg_profile *p);
/* The weights people would use after this step: the EMA where there is one, put into the parameters; and back again.
 * Only these two calls may come between training steps. */
void tg_loop_show(tg_loop *l);
void tg_loop_hide(tg_loop *l);
/* Loss over the validation split with the weights to use; keeps them where they are the best so far. TG_ECANCELLED: the
 * cancel flag is up, and it is as if nothing had been asked. */
tg_status tg_loop_evaluate(tg_loop *l, double *nats);
/* The weights that model.safetensors holds: the best ones, else those to use now. A slab of the set, valid until the next step. */
const float *tg_loop_chosen(const tg_loop *l);
/* The same as a slab of the model's parameters. With adapters they are merged into the model until tg_loop_take_off. */
const float *tg_loop_put_on(tg_loop *l);
void tg_loop_take_off(tg_loop *l);
/* After the set's values were written: with adapters the model's follow from them. */
void tg_loop_merge(tg_loop *l);
#endif
