/*
 * ratings.h - what people answered in a quiz (quiz.h), read back and summed up.
 *
 *     tg_ratings *r;
 *     tg_ratings_new(ctx, &r);
 *     for each FILE of --ratings: tg_ratings_read(r, FILE);
 *     const tg_people *p;
 *     tg_ratings_sum(r, &p);                                  // lives as long as r
 *     tg_people_put(&json, p); tg_people_show(&page, p);      // into --json and report.html
 */
#ifndef TG_RUN_RATINGS_H
#define TG_RUN_RATINGS_H
#include "run/agreement.h"
#include "run/metrics/interval.h"
#include "run/page.h"
#include "run/quiz.h"

/* A mean with its interval of 95 %: marks of one item are taken for as alike as they are, so that many raters of few items do not
 * make it narrower than the items allow. NaN: no mark (value); marks of fewer than two items (low, high). */
typedef struct tg_people_mean { double value, low, high; int64_t count; } tg_people_mean;
/* A share with its interval, and how likely chance (one half) is to give one so far off. These two take answers for independent of
 * each other. NaN: count 0. */
typedef struct tg_people_share { int64_t yes, count; double value, p; tg_interval interval; } tg_people_share;

/* Of the items of one source, or of several. */
typedef struct tg_people_group {
    tg_people_mean marks[TG_QUIZ_QUESTIONS];
    tg_people_share real;  /* taken for real; of generated ones: fooled */
} tg_people_group;

typedef struct tg_people_item {
    int source;
    int64_t number, verdicts, real;                   /* real: taken for it */
    int64_t marks[TG_QUIZ_QUESTIONS];                 /* how many */
    double mean[TG_QUIZ_QUESTIONS];                   /* NaN: none */
} tg_people_item;

typedef struct tg_people {
    tg_kind kind;
    const char *quiz;
    int64_t raters, item_count, source_count;
    const tg_quiz_source *sources;                    /* [0]: the real data */
    tg_people_group real, generated, *runs;           /* runs[source - 1], of generated apart */
    tg_people_share right;                            /* verdicts that were so */
    double agreement;                                 /* on verdicts: Krippendorff's alpha, nominal; NaN: cannot be told */
    double agreements[TG_QUIZ_QUESTIONS];             /* on marks: ordinal */
    const tg_people_item *items;                      /* by source and number */
} tg_people;

typedef struct tg_ratings tg_ratings;
tg_status tg_ratings_new(tg_context *ctx, tg_ratings **out);
void tg_ratings_free(tg_ratings *r);
/* A file of answers; what is not as it should be is named, with what to do. Of the same sitting, saved twice, the later one
 * counts, told to the log; two people of one name are, too. After an error there is nothing to do but tg_ratings_free. Errors: TG_EFORMAT, TG_EINVAL (of another quiz than the files before; two
 * that cannot both be right), TG_EIO, TG_ENOMEM. */
tg_status tg_ratings_read(tg_ratings *r, const char *path);
/* The same of its text; name: for messages. */
tg_status tg_ratings_add(tg_ratings *r, const char *name, const char *text, int64_t length);
/* Errors: TG_EINVAL (no answers at all), TG_ENOMEM. */
tg_status tg_ratings_sum(tg_ratings *r, const tg_people **out);

/* A line for people: "3 raters, 24 items: 47 of 72 verdicts right (0.65, p 0.013), 13 of 36 generated taken for real (0.36, p 0.132)". */
void tg_people_summary(tg_str *out, const tg_people *p);
/* {"quiz", "kind", "raters", "items", "sources", "right", "fooled", "real", "generated", "runs", "agreement", "per_item"}: a value. */
void tg_people_put(tg_json_writer *w, const tg_people *p);
/* A section of a report. */
void tg_people_show(tg_page *page, const tg_people *p);
#endif
