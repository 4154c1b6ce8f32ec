/* select.h - the inside of gen-select: select.c drives, select_measure.c measures runs, select_rank.c puts them in order,
 * select_tell.c tells; recommend.c is --recommend. */
#ifndef TG_RUN_SELECT_H
#define TG_RUN_SELECT_H
#include "base/str.h"
#include "run/likelihood.h"
#include "run/metrics/interval.h"
#include "run/trained.h"
#include "tinygen/run.h"

typedef enum tg_select_metric {
    TG_METRIC_AUTO, TG_METRIC_VAL_LOSS, TG_METRIC_BPC, TG_METRIC_BPB, TG_METRIC_BITS_PER_DIM,
    TG_METRIC_FRECHET, TG_METRIC_KERNEL /* of samples, as gen-evaluate measures them */
} tg_select_metric;
const char *tg_select_metric_name(tg_select_metric m);
static inline bool tg_select_of_samples(tg_select_metric m) { return m >= TG_METRIC_FRECHET; }

enum { TG_RANGES = -1 };        /* pieces are ranges of the split's text, one after the other, whatever the model */

/* What is known of a run that may be chosen. Of all metrics less is better. */
typedef struct tg_contender {
    double value;               /* of the metric */
    double scale;               /* value is so many times nats */
    const tg_piece *pieces;     /* [count] of the split, nats; NULL: nobody knows them */
    tg_interval told;           /* of value, where there are no pieces; low is not below high: nobody knows it */
    int64_t count, context;     /* context: of windows, 0: streams, or TG_RANGES; pieces are the same only where this is */
    int64_t params, bytes;
    double ms;                  /* measured: a hint, never what decides between runs that cost nearly the same */
    /* what tg_rank finds */
    tg_interval interval;       /* 95 %, of value; NaN: there are not two pieces */
    bool front;                 /* no other is as good with fewer parameters, or better with as many */
    bool tied;                  /* cannot be told apart from the best */
} tg_contender;

typedef enum tg_select_why { TG_WHY_ALONE, TG_WHY_BEST, TG_WHY_PARAMS, TG_WHY_MS, TG_WHY_BYTES } tg_select_why;
typedef struct tg_ranking {
    int64_t *order;             /* [n], the best value first; where values are the same, as they were given */
    int64_t chosen;             /* the cheapest of those that are tied, the best among them */
    int64_t ties;               /* how many, the best among them */
    tg_select_why why;          /* BEST: none of those is cheaper; else what makes the chosen one cheaper than the best */
} tg_ranking;
enum { TG_RANK_DRAWS = 2000 };
/* order: room for n. Errors: TG_ENOMEM. */
tg_status tg_rank(tg_contender *c, int64_t n, uint64_t seed, int64_t *order, tg_ranking *out);

/* ---- runs */

typedef struct tg_run_entry {
    const char *path;           /* as it was given */
    char *data_path;
    tg_dataset *data;           /* shared where an entry before has opened it */
    bool owns_data;
    tg_trained *model;          /* while it is being measured, else settings only */
    char *left_out;             /* why it is not ranked; NULL: it is */
    double nats;                /* per token or image: what gen-train calls val_loss; or a figure of samples */
    tg_piece *pieces;
    char *state;                /* of states/, the path of the best; NULL: there are none */
    double state_nats;
    tg_contender about;
} tg_run_entry;

typedef struct tg_selection {
    tg_context *ctx;
    const tg_select_options *o;
    tg_split split;
    tg_select_metric metric;
    tg_run_entry *runs;
    int64_t count;
    int64_t *ranked;            /* [ranked_count]: which of runs, the best first */
    int64_t ranked_count, chosen; /* chosen: which of runs */
    int64_t ties;               /* that cannot be told apart from the best, it among them */
    tg_select_why why;
    bool one_data;              /* all are of one dataset */
} tg_selection;

/* select_measure.c: its loss, pieces, cost; or left_out is set. */
tg_status tg_select_measure(tg_selection *s, tg_run_entry *r);
/* A loss of nats in the metric's unit is so many times it. */
double tg_select_scale(const tg_selection *s, const tg_run_entry *r);
/* select_tell.c: on standard output; and the text of best.json, the caller's. */
tg_status tg_select_tell(const tg_selection *s, double seconds);
tg_status tg_select_json(const tg_selection *s, tg_str *out);
/* recommend.c */
tg_status tg_recommend(tg_context *ctx, const tg_select_options *o);
#endif
