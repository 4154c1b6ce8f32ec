/* train.h - the inside of gen-train: train.c drives, train_resume.c finds and compares states, train_report.c tells;
 * train_learn.c is all of it for models that learn in one pass. */
#ifndef TG_RUN_TRAIN_H
#define TG_RUN_TRAIN_H
#include "base/json.h"
#include "run/bound.h"
#include "run/checkpoint.h"
#include "run/kinds.h"
#include "run/runlog.h"
#include "run/trained.h"
#include "tinygen/run.h"

enum { TG_WARM_STEPS = 3 }; /* that rates and profiles leave out */

typedef struct tg_training {
    tg_context *ctx;
    tg_train_options *o;
    tg_keys *keys;                /* o and the model's config are bound to it */
    const tg_model_desc *desc;
    const void *config;
    tg_dataset *data;
    tg_rundir *dir;
    tg_model *model;
    tg_loop *loop;
    tg_runlog *log;
    tg_about about;
    tg_saver saver;
    char *settings, *tokenizer, *samples; /* JSON, of about */
    tg_kind kind;                 /* of the data */
    const tg_kind_words *words;
    tg_trained *initial;          /* of --init, until its weights are read */
    char init_hash[65];
    /* time: monotonic seconds */
    double started, before;       /* before: of earlier sessions */
    double saved_at;
    double step_seconds;          /* in steps of this session, without the first three, evaluation and saving */
    int64_t step_tokens, session_steps;
    double old_rate;              /* of the log's last line, for a run that ended before its result was written */
    bool told_estimate, decay_laid;
    double train_loss, train_metrics[TG_METRICS]; /* of the last line of the log */
    double last_lr, last_norm;
    tg_profile *profile;          /* of --profile, from the fourth step on */
    struct tg_generator *generator; /* samples on the way, of text */
    struct tg_pictures *pictures; /* the same, of latent models; NULL: none were drawn yet */
    double diversity;             /* of the last pictures, as a share of the data's; NaN: nobody looked */
    tg_bound test;                  /* of --test-draws; draws 0: not asked for */
} tg_training;

/* Settings as JSON into t->settings and t->about, after a change of them. */
tg_status tg_training_settings(tg_training *t);
/* Learning-rate schedule of n steps; 0: open-ended. */
tg_schedule tg_training_schedule(const tg_train_options *o, int64_t n);
tg_optim_config tg_training_optim(const tg_train_options *o);
tg_lora_options tg_training_lora(const tg_train_options *o);
tg_loop_options tg_training_loop(const tg_train_options *o);
double tg_training_seconds(const tg_training *t); /* all sessions */
double tg_training_rate(const tg_training *t);    /* tokens a second, NaN: not known yet */
/* Whether what comes every so many steps comes after this one; never more often than every so large a share of the steps
 * done. Pure, so that a run that is repeated or resumed looks at the same steps. */
bool tg_training_due(int64_t step, int64_t every, double share);
/* Lays the number of steps down, in options and settings. */
tg_status tg_training_set_steps(tg_training *t, int64_t steps);
/* config.json, anew. */
tg_status tg_training_write_config(tg_training *t);
/* Why training is over: "steps", "until", "time", "target", "patience"; NULL: it is not. */
const char *tg_training_done(const tg_training *t);

/* train_resume.c: the newest state that can be read goes into the loop; *found false: there is none. Errors: TG_EINVAL (what
 * does not fit: field, both values, remedy), TG_EFORMAT (all states are damaged). */
tg_status tg_training_resume(tg_training *t, bool *found);
/* Weights of another run, as --init says, unless there is a state to resume. Before the model is made, its settings are
 * taken over where none were given. */
tg_status tg_training_init_settings(tg_training *t);
tg_status tg_training_init_weights(tg_training *t);
/* Whether what a file's metadata say made this run would make it now: model, version, tokeniser, data, settings but for
 * the steps. Errors: TG_EINVAL (what differs, both values, remedy), TG_EFORMAT. */
tg_status tg_training_compare(tg_training *t, const tg_json *meta);

/* train_report.c */
tg_status tg_training_report(tg_training *t, bool evaluate); /* a line of the log, evaluation and samples where due */
void tg_training_progress(tg_training *t, const tg_step_info *i, bool final);
void tg_training_tell_start(tg_training *t, const char *chosen);
/* What training came to; NaN: not known. tg_training_put_result writes result.json and, with --json, tells it. */
typedef struct tg_outcome {
    const char *stopped;
    int64_t steps, best_step, params;
    int64_t trained;              /* parameters that training moves, adapters' in their place; 0: not known */
    double epochs, train_loss, val_loss, rate, gflops;
    const char *model_sha256;
    int metrics;                  /* of validation, by name */
    const char *const *names;
    const double *values;
} tg_outcome;
tg_status tg_training_put_result(tg_training *t, const tg_outcome *r);
tg_status tg_training_result(tg_training *t, const char *stopped); /* the same, of the loop */
tg_status tg_training_test(tg_training *t); /* --test-draws: the bound of model.safetensors on the test split, told and kept */
tg_status tg_training_sample(tg_training *t);
tg_status tg_training_write_sample(tg_training *t, int64_t step); /* by the generator's model as it is */
double tg_training_bits(const tg_training *t, double nats);       /* a character of validation, a number of an image; NaN: of points */
/* train_pictures.c: the same of a latent model, samples/NNNNNN.png, of noise that is the same each time. Of one that trains in
 * turns, also how diverse they are: a warning where they are all alike. */
typedef struct tg_pictures tg_pictures;
tg_status tg_training_write_picture(tg_training *t, int64_t step);
void tg_pictures_free(tg_pictures *p);
tg_status tg_training_put_file(tg_training *t, const char *name, const char *bytes, int64_t length); /* into samples/ */

/* train_profile.c: --profile */
void tg_training_start_profile(tg_training *t);
void tg_training_tell_profile(tg_training *t);
void tg_training_put_profile(const tg_training *t, tg_json_writer *w); /* a member of the result */

/* train_plan.c: --dry-run */
tg_status tg_training_plan(tg_training *t, const char *chosen);
/* What training would take here: its first steps are made, and nothing is written. */
typedef struct tg_cost {
    int64_t params, bytes, steps; /* bytes: of memory; params -1: not known before it is trained */
    double seconds;               /* of all steps, by the time of a few, or of the one pass; NaN: too much data to try */
} tg_cost;
/* Options and config as for tg_train, with o->data. */
tg_status tg_train_cost(tg_context *ctx, tg_train_options *o, const tg_model_desc *desc, const void *config, tg_keys *keys, tg_cost *out);
/* FLOP/s of a product of middle size, the best of a few: what training comes near to; 0: not known. */
double tg_training_peak(tg_context *ctx);
/* Of a training whose data are open and whose loop is made (steps), or whose data are open (learners). */
tg_status tg_training_cost(tg_training *t, tg_cost *out);
tg_status tg_training_learn_cost(tg_training *t, tg_cost *out);

/* train_learn.c: a model with a learner, and its --dry-run. */
tg_status tg_training_learn(tg_training *t);
tg_status tg_training_learn_plan(tg_training *t);
#endif
