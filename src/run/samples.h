/* samples.h - gen-preprocess of images and points: samples_read.c walks the corpora, samples.c makes samples of what it finds,
 * samples_verdict.c judges and tells. */
#ifndef TG_RUN_SAMPLES_H
#define TG_RUN_SAMPLES_H
#include "base/map.h"
#include "data/dataset.h"
#include "data/image/resize.h"
#include "data/numbers.h"
#include "run/preprocess.h"

enum { TG_LABELS_AUTO, TG_LABELS_LAST, TG_LABELS_FIRST, TG_LABELS_NONE }; /* choices of --label-column */
enum { TG_NO_SPLIT = TG_SPLITS };                                         /* of a sample: none of its own */

/* What the corpora hold, before anything is made of it. */
typedef struct tg_survey {
    int64_t count, labelled, own[TG_SPLITS + 1]; /* samples; with a label; of a split of their own, or none */
    tg_map *sizes;          /* (width, height) of images, and how many have it */
    bool colour;            /* one at least is not grey */
    int64_t transparent;    /* images that are so */
    double low, high;       /* of tables: of all numbers but labels */
    bool whole;             /* these are whole numbers */
    int64_t columns;        /* of a table's rows, the label's not counted */
    tg_str names;           /* of these columns, JSON texts; empty: they have none */
} tg_survey;

/* One sample, as it lies in the corpus: an image, or a row of a table. */
typedef struct tg_found {
    const tg_image *image;
    const tg_field *row;       /* [columns], the label's left out */
    int64_t columns;
    const tg_numbers *table;   /* that the row is of */
    int64_t label_column;      /* of that table; -1: none */
    const char *label;         /* NULL: it has none */
    int split;                 /* TG_TRAIN..TG_TEST, TG_NO_SPLIT */
    const char *where;         /* for messages: path, origin and, of many in one file, the line or the number */
    int64_t number;            /* line, or image of a file of many, from 1 on; 0: it is alone */
} tg_found;

typedef struct tg_sampling {
    tg_context *ctx;
    const tg_preprocess_options *o;
    tg_bounds bounds;
    tg_preparing about;     /* provenance, findings, verdict: what a text has, too */
    tg_kind kind;
    bool tables;            /* rows of numbers, as points or as images */
    int64_t shape[3];       /* --shape; 0: not given */
    tg_survey survey;
    tg_fitting fit;
    int rank;
    int64_t dims[3], size;  /* of a sample; size: elements of it */
    double most;            /* of tables that are images: what is white */
    tg_scratch *data, *labels;
    tg_map *known;          /* labels, in order of first appearance, then: */
    tg_class *classes;      /* in order of names, with how many in training */
    int32_t *places;        /* where in that order a label went */
    int64_t class_count;
    tg_str own;             /* a byte a sample: its own split */
    bool given;             /* these splits are taken */
    int64_t count;          /* of all samples, before any is left out */
    int64_t *roots;         /* [count] the sample that each equals, or nearly: itself, or one that stays before it */
    int64_t *order, counts[TG_SPLITS];
    int64_t resized, enlarged, blank; /* images of another size, of a smaller one, of one colour */
    int64_t duplicates;     /* left out, as equal to one before */
    int64_t near;           /* left out, as nearly equal to one before */
    int64_t shared;         /* left out of training, as equal, or nearly, to one of a split of the corpus's own */
    int64_t conflicts;      /* of all three: of another class than that */
    int64_t leaks;          /* of validation and test, equal to one of training */
    int64_t twins;          /* not left out: equal to one before */
    void *room;             /* one sample in the making */
    double *mean, *deviation; /* of a channel, or a coordinate; one block */
    double baseline;        /* nats a sample; NaN: none */
    tg_str samples, figures, baselines;
    char *sheet;            /* where the contact sheet goes; NULL: there is none */
} tg_sampling;

/* Every sample in order, to `visit`. Of a table the label's column is told apart first. meter: "read". Errors: TG_EFORMAT,
 * TG_EINVAL (items of another kind), TG_EUNSUPPORTED, those of visit. */
typedef tg_status tg_visit(tg_sampling *p, const tg_found *f);
tg_status tg_samples_walk(tg_sampling *p, const char *what, tg_visit *visit, bool provenance);
/* What --label-column and the columns say: which one is the label, -1: none. */
tg_status tg_samples_label_column(const tg_sampling *p, const tg_numbers *t, int64_t *out);

/* The JSON texts and the grade. */
tg_status tg_samples_judge(tg_sampling *p);
tg_status tg_samples_tell(tg_sampling *p, double seconds);
/* "28 x 28 grey" of images; "2 coordinates". */
void tg_samples_add_shape(tg_str *out, const tg_sampling *p);

/* The kind of the first item of the first corpus, "text" where there is none; static. */
tg_status tg_samples_kind(const tg_preprocess_options *o, const char **out);
/* gen-preprocess of all that is no text. */
tg_status tg_preprocess_samples(tg_context *ctx, const tg_preprocess_options *o, const tg_bounds *bounds, const char *kind);
#endif
