/* evaluate.h - the inside of gen-evaluate: evaluate.c drives and tells, evaluate_text.c and evaluate_samples.c measure,
 * evaluate_page.c draws the report. What can be measured is a row of figures_of.def, which JSON, gates, the report and
 * --metrics all go by. */
#ifndef TG_RUN_EVALUATE_H
#define TG_RUN_EVALUATE_H
#include "run/metrics/calibration.h"
#include "run/metrics/copied.h"
#include "run/metrics/text.h"
#include "run/ratings.h"
#include "run/trained.h"
#include "run/words.h"
#include "tinygen/run.h"

typedef enum tg_figure_id {
#define TG_FIGURE(name, unit, decimals, better, en, zh) TG_FIGURE_##name,
#include "run/figures_of.def"
#undef TG_FIGURE
    TG_FIGURES
} tg_figure_id;

typedef struct tg_figure_row { const char *name, *unit; int decimals; char better; const char *meaning[TG_LANGS]; } tg_figure_row;
extern const tg_figure_row tg_figure_rows[TG_FIGURES];

/* One that was measured. NaN: not; no interval; nothing to compare with. baseline: the same of real data, or of what is simplest. */
typedef struct tg_figure { double value, low, high, baseline; } tg_figure;

#define TG_EVALUATE_ANSWERS "answers.json" /* of a quiz that is asked here */
enum { TG_EVALUATE_PASSAGES = 8, TG_EVALUATE_NEIGHBOURS = 10 };

/* A run and what was found of it. */
typedef struct tg_judged {
    const char *path;             /* as it was given */
    tg_trained *model;
    tg_dataset *data;
    tg_tape *tape;
    tg_figure figures[TG_FIGURES];
    double seconds;
    /* text */
    char *drawn, *pieces;         /* all samples, one behind the other; the text that real ones are cut from */
    tg_text *texts, *real;        /* [count], [real_count] */
    int64_t count, real_count;
    tg_calibration calibration;
    bool compared;                /* with the training text: the verdict is one */
    tg_copied_verdict verdict;
    tg_passage passages[TG_EVALUATE_PASSAGES];
    int64_t passage_count;
    /* images and points */
    float *x, *real_x;            /* [count, size], [real_count, size] */
    int32_t *labels;              /* [count], NULL: no classes */
    float *neighbours;            /* [TG_EVALUATE_NEIGHBOURS, size]: of training, nearest to the first samples; NULL: none */
    double accuracy;              /* of the classifier whose features were used; NaN: pixels or coordinates */
} tg_judged;

typedef struct tg_evaluation {
    tg_context *ctx;
    const tg_evaluate_options *o;
    tg_split split;
    tg_judged *runs;
    int64_t count;
    bool wanted[TG_FIGURES];
    const char *home;             /* the run folder whose cache/ keeps the classifier of real images; NULL: nobody does */
    tg_ratings *ratings;          /* NULL: none were given */
    const tg_people *people;
} tg_evaluation;

void tg_figure_set(tg_judged *j, tg_figure_id id, double value, double baseline);
void tg_figure_between(tg_judged *j, tg_figure_id id, double value, double low, double high, double baseline);
/* Whether any from first to last is asked for. */
bool tg_evaluation_wants(const tg_evaluation *e, tg_figure_id first, tg_figure_id last);

tg_status tg_evaluate_text(tg_evaluation *e, tg_judged *j);
tg_status tg_evaluate_samples(tg_evaluation *e, tg_judged *j);
/* One figure of the samples of j, whose path, model, data and tape are the caller's: of as many, as gen-evaluate --seed draws them.
 * home: as in tg_evaluation. */
tg_status tg_evaluate_figure(tg_context *ctx, tg_judged *j, tg_split split, int64_t seed, const char *home, tg_figure_id id);
/* The report, and the quiz: written to o->out and o->quiz. */
tg_status tg_evaluate_page(tg_evaluation *e);
tg_status tg_evaluate_quiz(tg_evaluation *e);
#endif
