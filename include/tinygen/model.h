/*
 * tinygen/model.h - what a model is: a descriptor with key rows and a few functions. One file per model in src/models.
 *
 * A forward pass is written once, in terms of ops: loss() is it plus the loss; next() runs the same code for one token at a
 * time, with carried state. So training, evaluation and sampling cannot drift apart.
 *
 * Making a model of a given name and drawing one token from it:
 *
 *     const tg_model_desc *desc;
 *     tg_model_find("lstm", &desc);                                    // or TG_EUSAGE, with the nearest name
 *     tg_keys_add(keys, desc->title, desc->keys, config);              // defaults into config, desc->config_size bytes
 *     tg_model_new(ctx, desc, config, &(tg_model_data){.kind = TG_KIND_TEXT, .vocab = V}, seed, false, false, &m);
 *     tg_carry_new(m, 1, &carry);                                      // state of one row, zero
 *     tg_tape_begin(t, &(tg_tape_mode){0});
 *     tg_tensor *logits = desc->next(m, t, tg_input_ids(t, 2, (int64_t[]){1, 1}, &token), NULL, &carry);    // [1, 1, V]
 *     token = tg_chooser_draw(chooser, logits->data, seed, 0, position, &log_prob);
 *
 * Adding one: src/models/NAME.c with a tg_model_desc and a line in models.def.
 */
#ifndef TINYGEN_MODEL_H
#define TINYGEN_MODEL_H

#include "tinygen/data.h"
#include "tinygen/nn.h"

typedef struct tg_model tg_model; /* a descriptor, a copy of its config, parameters, and the model's own state struct */

/* What a model learns about its data before it declares parameters. */
typedef struct tg_model_data {
    tg_kind kind;
    int64_t vocab;
    int64_t classes, first_class; /* how many of the tokens are classes, and which is the first; in the order of ids */
    int rank;                     /* of images and points: the shape of one, [C, Y, X] or [D], and its classes */
    int64_t dims[3];
} tg_model_data;
/* Of text in that tokeniser's tokens. */
tg_model_data tg_model_data_of(const tg_tokenizer *k);
/* Of whatever the dataset holds. */
tg_model_data tg_model_data_in(const tg_dataset *d);
int64_t tg_model_data_size(const tg_model_data *data); /* numbers of one image or point */

/* Named figures of a batch beside the loss (kl, recon, ...). */
enum { TG_METRICS = 8 };
typedef struct tg_metrics { int count; const char *names[TG_METRICS]; double values[TG_METRICS]; } tg_metrics;

struct tg_safetensors; /* data/codec/safetensors.h */
struct tg_st_row;
struct tg_str;                /* base/str.h */

/* Recurrent state carried from batch to batch; saved with a checkpoint. Slabs with names. There are two sets: a forward
 * pass reads `data` (backward reads it again), writes `next` and ends with tg_carry_swap; so swapping once more takes
 * the last forward pass back. A kept slab is only written behind what another counts as used, a cache: both are one. */
typedef struct tg_carry {
    int count;
    const char *names[16];
    tg_shape shapes[16];
    int rows[16];            /* the axis that counts the batch's rows; -1: none, they share it */
    bool kept[16];
    int64_t filled[16];      /* of a kept slab's axis behind its rows': so much of it counts as used */
    float *data[16], *next[16];
    bool last_only;          /* whoever reads on wants the logits of the last step alone: next() may give [1, B, V] */
} tg_carry;

enum { TG_LEARNER_ROWS = 64 };

/* A model that learns in one pass and keeps no parameters but tensors of its own, whose sizes the data decide. */
typedef struct tg_learner {
    /* From the training split. Told of progress, asked for the cancel flag: TG_ECANCELLED. */
    tg_status (*fit)(tg_context *ctx, tg_model *m, const tg_dataset *d);
    /* Its loss over a split, nats per token; NaN: there is nothing to predict. */
    tg_status (*loss)(tg_context *ctx, const tg_model *m, const tg_dataset *d, tg_split s, double *nats);
    /* What it has learned: how many (its params); as a file's rows, up to TG_LEARNER_ROWS, borrowed, returns how many; and
     * back again. Errors: TG_EFORMAT (tensors that cannot be such a model's), those of reading. */
    int64_t (*count)(const tg_model *m);
    int (*rows)(const tg_model *m, struct tg_st_row *out);
    tg_status (*load)(tg_model *m, struct tg_safetensors *file);
    /* Bytes that fitting takes at the most. */
    double (*room)(const void *config, const tg_model_data *data, int64_t train_items);
} tg_learner;

/*
 * A step of training for models whose parts learn by losses of their own, in turns (a GAN's two sides). The model's step() draws
 * batches, begins passes over the tape, each for some groups of parameters, and has them moved:
 *
 *     s = tg_turns_batch(u, u->step, &batch);
 *     tg_turns_pass(u, 1u << GROUP);
 *     if (!s) s = tg_turns_update(u, some loss on u->tape, 1, u->step + 1);
 */
typedef struct tg_turns {
    tg_context *ctx;             /* borrowed, all of them */
    tg_params *params;
    tg_optim *optim;
    tg_tape *tape;
    tg_feed *feed;
    const tg_batch *given;       /* stands for every batch of the feed; NULL: the feed's own */
    bool plan;                   /* on paper: tensors have no data, and nothing moves */
    uint64_t seed;
    double base_lr, clip;        /* base_lr: the highest of the schedule */
    int64_t step;                /* steps done before this one */
    double lr;                   /* of this one */
    /* what came of it so far */
    int64_t passes, items;
    double flops, loss, grad_norm; /* the last two of the last update; NaN: there was none */
    bool diverged;               /* these are not finite, which is why the step ended */
    float *room;
    int64_t room_size;
} tg_turns;
void tg_turns_start(tg_turns *u, int64_t step, double lr);
void tg_turns_free(tg_turns *u); /* one that was allocated */
/* The feed's batch of that number. Valid until the next. */
tg_status tg_turns_batch(tg_turns *u, int64_t number, tg_batch *out);
/* Begins a pass, with noise of its own, whose gradients go to these groups (bits). */
void tg_turns_pass(tg_turns *u, uint32_t groups);
/* Number of a stream of random numbers for what belongs to the next pass. */
uint64_t tg_turns_stream(const tg_turns *u);
/* So many floats that outlive passes, at the same place until more are asked for; NULL: no memory. */
float *tg_turns_room(tg_turns *u, int64_t floats);
/* Gradients of a loss, which may be NULL where the tape failed; nothing moves. */
tg_status tg_turns_back(tg_turns *u, tg_tensor *loss);
/* The same, and the pass's groups move, by rate times the step's learning rate; it is their update number 1, 2, ... TG_EINVAL, and
 * diverged: the loss or its gradient is not finite, and nothing moved. */
tg_status tg_turns_update(tg_turns *u, tg_tensor *loss, double rate, int64_t number);

typedef struct tg_model_desc {
    const char *name, *title, *source; /* "lstm", "Long short-term memory", paper */
    unsigned kinds;                    /* bits of tg_kind: the data that it can learn from */
    const tg_key *keys;                /* its options; all decide the result */
    int64_t config_size, state_size;   /* bytes of the struct that keys fill, and of the one that init fills */
    /* Declares parameters from config and data into tg_model_params; fills state (pointers to them). */
    tg_status (*init)(tg_model *m);
    /* Frees what state points to; NULL: nothing to do. */
    void (*free)(tg_model *m);
    /* Mean loss over the batch's targets (images, points), nats; what is not in training is the plain likelihood or its bound,
     * whatever training weighs in. carry NULL: from zero state and nothing kept. Or instead ... */
    tg_tensor *(*loss)(tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out);
    /* One step of training in turns, where no one loss goes down; such a model has no loss of a split. Or instead ... */
    tg_status (*step)(tg_model *m, tg_turns *u, tg_metrics *out);
    int64_t (*batches)(const void *config); /* that a step draws; NULL: one */
    const tg_learner *learner; /* ... of a model without a tape: how it learns from a whole split at once */
    /* Declares the carry's entries for B rows (names, shapes; the caller provides memory). */
    void (*carry)(const tg_model *m, int64_t B, tg_carry *out);
    /* Logits [T, B, V] of tokens [T, B] from the carried state, which moves on: the forward pass itself. Or of the last step
     * alone, where the carry says that this is enough. */
    tg_tensor *(*next)(tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, tg_carry *carry);
    /* Latent models: numbers of a latent vector; x [B, C, Y, X] or [B, D] of z [B, Z], means, images in 0..1; and the way back, to
     * the most likely z of x, NULL: there is none. labels int [B], NULL for a model without classes; it has them if
     * conditional says so. Rows do not know of each other. */
    int64_t (*latent)(const tg_model *m);
    bool (*conditional)(const tg_model *m);
    tg_tensor *(*decode)(tg_model *m, tg_tape *t, tg_tensor *z, tg_tensor *labels);
    tg_tensor *(*encode)(tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels);
    /* How real x looks, [B], 0 being undecided; NULL: it has no opinion. */
    tg_tensor *(*score)(tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels);
    /* Deviation of the normal noise that makes a sample of what decode gives, in each of x's numbers alike. NULL, or 0: that is a
     * sample already (GAN), or is shown instead of one (images of a VAE). */
    float (*deviation)(const tg_model *m);
    /* Of a batch of one example: log p(x, z) - log q(z|x) of K draws of z, nats, by the tape's noise: with other draws of the mode
     * others, of the same x. NULL: there is no such bound. */
    tg_status (*log_weights)(tg_model *m, tg_tape *t, const tg_batch *batch, int64_t K, double *out);
    /* Adds to what is told at the start of training: "; pixels are drawn anew ..." NULL: nothing. */
    void (*told)(const tg_model *m, struct tg_str *line);
    /* Models of windows, else NULL: most positions that are seen at once. Trained on windows of the text in any order, without
     * carried state; the carry is what sampling has read so far, and next() fails with TG_EINVAL where it is full. */
    int64_t (*context)(const void *config);
    /* Models of attention, else NULL: its layers, in the order of a pass, and heads of queries in each. */
    void (*attention)(const void *config, int64_t *layers, int64_t *heads);
    /* Of those: rows of T tokens that go through forward and backward at once, so that memory is bounded; by shapes only. */
    int64_t (*rows)(const tg_model *m, int64_t T);
    /* Default of an AUTO key, its own or training's, by the data's kind and size only; NULL: none, the row's own. */
    const char *(*auto_default)(const char *key, const tg_model_data *data, int64_t train_items, char out[32]);
} tg_model_desc;

/* All of models.def, in order; NULL outside: for (i = 0; (d = tg_model_at(i)); i++). */
const tg_model_desc *tg_model_at(int64_t i);
/* Errors: TG_EUSAGE, naming the nearest and listing all; name NULL: that none was given. */
tg_status tg_model_find(const char *name, const tg_model_desc **out);

/* Declares, seals and draws the parameters. config: config_size bytes, copied. train: with gradients. plan: shapes and
 * counts only, no memory for values (--dry-run). Errors: those of init (TG_EUSAGE: options that contradict each other),
 * TG_ENOMEM. */
tg_status tg_model_new(tg_context *ctx, const tg_model_desc *desc, const void *config, const tg_model_data *data,
                       uint64_t seed, bool train, bool plan, tg_model **out);
void tg_model_free(tg_model *m);
/* Borrowed, as long as m lives. */
const tg_model_desc *tg_model_descriptor(const tg_model *m);
const void *tg_model_config(const tg_model *m);
void *tg_model_state(const tg_model *m);
tg_params *tg_model_params(const tg_model *m);
const tg_model_data *tg_model_about(const tg_model *m);
/* A batch's array of ids, or of values, as an input; NULL: it has none of that name. */
tg_tensor *tg_batch_ids(tg_tape *t, const tg_batch *batch, const char *name);
tg_tensor *tg_batch_values(tg_tape *t, const tg_batch *batch, const char *name);
/* For loss(): names a scalar of the tape, which may be NULL; or a number. */
void tg_metric(tg_metrics *out, const char *name, const tg_tensor *value);
void tg_metric_number(tg_metrics *out, const char *name, double value);
/* One step on paper: the tape counts, nothing is computed. carry as for loss(). */
typedef struct tg_step_cost { double flops; int64_t bytes; } tg_step_cost; /* of forward and backward; kept beside the tape's */
tg_status tg_model_plan(tg_context *ctx, tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out,
                        tg_step_cost *cost);
/* Memory for a carry of B rows, zeroed; freed by tg_carry_free. Errors: TG_ENOMEM. */
tg_status tg_carry_new(const tg_model *m, int64_t B, tg_carry *out);
void tg_carry_zero(tg_carry *c);  /* as at the start of a text */
void tg_carry_swap(tg_carry *c);  /* what was written becomes what is read */
/* B rows from now on, at most as many as it was made for; what they hold is anything. */
void tg_carry_resize(tg_carry *c, int64_t B);
/* Row i of `to` becomes row rows[i] of `from`, another carry of the same model, or the same one if rows ascend; to then has
 * `count` rows, at most as many as it was made for. */
void tg_carry_take(tg_carry *to, const tg_carry *from, const int64_t *rows, int64_t count);
void tg_carry_free(tg_carry *c);

/* ---- choosing a token ---------------------------------------------------------------------------------------- */

/*
 * How a token is drawn from logits. The five apply in this order, each neutral at the value in brackets:
 *   repeat_penalty  logits of tokens seen before are divided (if positive) or multiplied by it  [1]  Keskar et al. 2019
 *   top_k           only the k likeliest remain                                              [0]  Fan et al. 2018
 *   top_p           the likeliest whose probabilities sum to p                               [1]  Holtzman et al. 2019
 *   min_p           those at least min_p times as likely as the likeliest                    [0]  Nguyen et al. 2024
 *   temperature     logits are divided by it; 0 takes the likeliest                          [1]
 */
typedef struct tg_choice { double temperature; int64_t top_k; double top_p, min_p, repeat_penalty; } tg_choice;
typedef struct tg_chooser tg_chooser; /* settings, scratch and the tokens seen so far */
tg_status tg_chooser_new(const tg_choice *c, int64_t vocab, tg_chooser **out); /* scratch for vocab; TG_EINVAL: bad values */
void tg_chooser_free(tg_chooser *c);
void tg_chooser_reset(tg_chooser *c);                      /* forgets what was seen (repetition penalty) */
void tg_chooser_seen(tg_chooser *c, bool *seen);           /* [vocab], borrowed: from now on what was seen is in it; NULL: its own */
void tg_chooser_ban(tg_chooser *c, int32_t token);         /* is never drawn from now on */
void tg_chooser_saw(tg_chooser *c, int32_t token);         /* a token of the prompt, or one that was drawn */
/* Draws with stream (seed, sample) at position `at`. log_prob: of the token under the model's own distribution (nats).
 * Allocates nothing. */
int32_t tg_chooser_draw(tg_chooser *c, const float *logits, uint64_t seed, int64_t sample, int64_t at, float *log_prob);
/* log(sum of exp(logits)), nats: a logit less this is a log-probability. */
float tg_log_sum_exp(const float *logits, int64_t n);
/* The model's own distribution softmax(logits), most likely first, up to room entries; ties by lower id. */
int64_t tg_chooser_top(tg_chooser *c, const float *logits, int32_t *ids, float *probs, int64_t room);

#endif
