/*
 * advise.h - the inside of gen-tune advise.
 *   advise.c        opens the run, drives, decides
 *   advise_look.c   what the run's weights tell: train/validation gap, units, gradient noise, time of each op
 *   advise_range.c  the learning-rate range test
 *   advise_trial.c  short trainings, each a run folder under -o
 *   advise_fit.c    power laws, and the decision
 *   advise_tell.c   the report, advice.json, commands
 *
 * Trainings are compared at the same number of passes over their data: a trial on a share of the data takes that share of the
 * run's steps, the whole schedule with it. So a quarter of the data costs a quarter of the run, every point of the learning curve
 * has its rate decayed, and one power law goes through them. What twice the passes bring is measured apart, so that what more
 * data promise is what they do beyond longer training.
 */
#ifndef TG_RUN_TUNE_ADVISE_H
#define TG_RUN_TUNE_ADVISE_H
#include "autograd/profile.h"
#include "base/str.h"
#include "run/metrics/interval.h"
#include "run/train.h"

typedef enum tg_lever { TG_LEVER_NONE, TG_LEVER_DATA, TG_LEVER_PARAMETERS, TG_LEVER_ARCHITECTURE } tg_lever;
const char *tg_lever_name(tg_lever lever); /* "data", "parameters", "architecture", "none" */

/* ---- advise_fit.c */

/* L(n) = floor + a·n^-b, n in units of the run's data. */
typedef struct tg_power { double floor, a, b; } tg_power;
double tg_power_at(const tg_power *p, double n);
/* The least squares over b of a grid, a >= 0 and, where positive is set, floor >= 0, points weighed by the root of n: those with
 * more are nearer to what is asked. Our own exp and log, so the same bits everywhere. count >= 2; of two points b is 0.35. */
void tg_power_fit(const double *n, const double *loss, int count, bool positive, tg_power *out);
/* What twice as much as n = 1 brings. Where the last point is off the law, half of that is taken for luck: level is in between, and
 * loss is it less what the law falls by from 1 to 2. low, high: 95 % of what comes out where each point is off by as much as they
 * scatter around the law, or by the loss's noise where that is more; and, by the root of squares, where the law itself, which goes
 * on where nobody has looked, misses by as much as `miss`. */
typedef struct tg_doubling { tg_power law; double level, loss, low, high; } tg_doubling;
tg_status tg_power_double(const double *n, const double *loss, int count, bool positive, double noise, double miss,
                          tg_doubling *out);

/* What a change promises. */
enum { TG_CHANGES = 8, TG_PROMISES = 12, TG_TRIALS = 16 };
typedef struct tg_change { const char *key; char value[32]; } tg_change; /* key: static text, a field's name */
typedef struct tg_promise {
    tg_lever lever;
    const char *what;         /* static text: "twice the data" */
    double loss, low, high;   /* predicted for the run; low, high NaN: not known */
    double gain;              /* what is its own: of data, beyond longer training */
    double share, passes;     /* of its training data, and over it, times the run's */
    int changes;
    tg_change change[TG_CHANGES];
} tg_promise;
/* Which promises most, more than `least` of |loss|; -1: none does. */
int tg_advise_decide(const tg_promise *p, int count, double loss, double least);

/* ---- advise_trial.c */

typedef struct tg_probe {
    double share, passes;     /* of the run's data and passes over it */
    double cost;              /* trainings like the run */
    tg_lever lever;           /* that it would be; of the learning curve none */
    int wider;                /* -1: narrower than the run, 1: wider */
    const char *what;         /* static text */
    int changes;
    tg_change change[TG_CHANGES];
    double loss;              /* NaN: it diverged, or cannot be */
    int64_t params;
    char *message;            /* why there is none; NULL */
} tg_probe;

/* ---- what was found */

typedef struct tg_unit_group {
    const void *op;
    const char *what;         /* static text: "forget gate" */
    int place;                /* which op of the pass, and which part of it */
    int part;
    bool gated;               /* its ends are flat: what counts is saturation; else dead units */
    int64_t units, dead;
    int64_t seen, saturated;  /* values */
    unsigned char *active;    /* [units] */
} tg_unit_group;
enum { TG_UNIT_GROUPS = 64, TG_RANGE_STEPS = 160 };

typedef struct tg_advice {
    tg_context *ctx;
    const tg_advise_options *o;
    tg_trained *trained;
    const tg_model_desc *desc;
    char *out, *data_path, *config_path, *config;  /* config: the run's config.json */
    int64_t config_length;
    tg_dataset *data;         /* training split as the run saw it */
    tg_kind kind;
    char hash[65];            /* of the model file */
    double began;
    /* the run */
    int64_t steps, best_step, params;
    double lr, min_lr, muon_lr, run_share, dropout;   /* dropout NaN: it has none */
    int64_t step_items;
    const char *width_key;    /* NULL: none */
    int64_t width, width_most;
    double val, train, end_val;  /* nats; end_val: of the log's last evaluation */
    tg_interval val_range, gap;
    double falling;           /* by how much validation fell over the last fifth of the evaluations' steps; NaN */
    bool overfits, measurable; /* measurable: by a validation loss */
    int64_t said_steps;       /* as its options have it, which may say that it ends before them: */
    bool until, time, target, patience;
    /* measurements */
    int units;
    tg_unit_group unit[TG_UNIT_GROUPS];
    double noise;             /* items; NaN: not measured, infinite: lost in it */
    int64_t noise_big;        /* items of the large batch */
    int range_count;
    double range_rate[TG_RANGE_STEPS], range_loss[TG_RANGE_STEPS];
    double steepest, blows_up, suggested; /* rates; NaN: none */
    double step_flops, peak, profile_seconds, step_seconds; /* step_seconds: 0 not known */
    int64_t profile_steps;
    tg_profile *profile;
    double effort, share;     /* share: of the data, that changes are tried on */
    int trials, curve;        /* curve: the first so many trials are of the learning curve */
    tg_probe trial[TG_TRIALS];
    double spent, planned, trials_began; /* cost of trials; monotonic seconds */
    tg_doubling doubling;     /* loss NaN: none */
    tg_power size_law;        /* over widths, in units of the run's, on the trials' share; a NaN: not known */
    int promises, chosen;
    tg_promise promise[TG_PROMISES];
} tg_advice;

/* The run's options and its model's, in keys. */
typedef struct tg_setup { tg_keys *keys; tg_train_options o; void *config; } tg_setup;
tg_status tg_setup_open(tg_advice *a, tg_setup *s);
void tg_setup_close(tg_setup *s);
/* A model of the run's settings, for training: weights as they started, or the run's. */
tg_status tg_advice_model(tg_advice *a, const tg_setup *s, bool trained, tg_model **out);

/* advise_look.c */
tg_status tg_advice_gap(tg_advice *a);
tg_status tg_advice_look(tg_advice *a);
/* Noise by McCandlish et al. 2018, A.1, of mean squares of gradients of small batches and of one large: tr(S)/|G|². */
double tg_noise_scale(double small_square, double small, double big_square, double big);
/* advise_range.c */
tg_status tg_advice_range(tg_advice *a);
/* What a range test tells: count rates, ascending, and losses. */
void tg_range_read(const double *rate, const double *loss, int count, bool blew_up, double *steepest, double *blows_up,
                   double *suggested);
/* advise_trial.c */
tg_status tg_advice_trials(tg_advice *a);
tg_status tg_advice_apply(tg_advice *a);
const tg_probe *tg_advice_trial(const tg_advice *a, const char *what, double share); /* NULL: none with a loss */
/* advise_tell.c */
tg_status tg_advice_tell(tg_advice *a);
tg_status tg_advice_command(const tg_advice *a, const tg_promise *p, tg_str *out);
#endif
