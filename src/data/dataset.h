/* dataset.h - making a dataset file, and the inside of reading one. docs/formats.md draws the file. */
#ifndef TG_DATA_DATASET_H
#define TG_DATA_DATASET_H
#include "base/json.h"
#include "data/figures.h"

/* Of so many targets of a document dataset in a row one counts at least: end, start and class may be the others. */
enum { TG_DOCUMENT_TIME = 4 };
enum { TG_DATASET_VERSION = 1, TG_DATASET_LOAD = 256 << 20 /* bytes of tokens up to which all are kept in memory */ };

/* Everything that goes into the file. The texts are JSON objects. Tokeniser, split and tokens make the content hash;
 * verdict, report and provenance travel beside it and never enter it. */
typedef struct tg_dataset_draft {
    const tg_tokenizer *tokenizer;
    tg_scratch *tokens;        /* all splits one behind the other, each token tg_token_bytes long */
    const tg_figures *figures; /* of these tokens */
    int64_t documents[TG_SPLITS]; /* all 0: the text is one piece */
    tg_scratch *starts;        /* int64_t of each document from its split's first token on, all splits one behind the other */
    tg_scratch *labels;        /* uint16_t: each document's class; NULL: none */
    const char *split, *verdict, *report, *provenance;
    tg_context *ctx;           /* told of the progress; may be NULL */
} tg_dataset_draft;

/* Atomic. Errors: TG_EIO, TG_ENOMEM, TG_ECANCELLED. */
tg_status tg_dataset_write(const char *path, const tg_dataset_draft *d, char content_sha256[65]);

/* The same of images and points. samples: a JSON object, all that tells what the tensors mean: {"shape": [C, Y, X] or [D],
 * "classes": [{"name", "count"}], ...}; with split and data it makes the content hash. */
typedef struct tg_sample_draft {
    tg_kind kind;
    int rank;
    int64_t dims[3];
    tg_scratch *data;      /* uint8_t, or float of points; samples one behind the other */
    tg_scratch *labels;    /* uint16_t: the class of each; NULL: none */
    const int64_t *order;  /* places in data: those of train, then val, then test, ascending in each, which is fastest */
    int64_t counts[TG_SPLITS];
    const char *samples, *split, *figures, *baselines, *verdict, *report, *provenance;
    tg_context *ctx;
} tg_sample_draft;
tg_status tg_dataset_write_samples(const char *path, const tg_sample_draft *d, char content_sha256[65]);
/* {"train": 1, "val": 2, "test": 3} under a key. */
void tg_dataset_put_splits(tg_json_writer *w, const char *key, const int64_t of[TG_SPLITS]);

/* tg_dataset_open with another bound than TG_DATASET_LOAD. */
tg_status tg_dataset_open_within(const char *path, int64_t load_bytes, tg_dataset **out);
/* From now on the training split is a share, in (0, 1], of what it was: the first of its documents, images or points; of a text in one
 * piece the beginnings of 32 parts, so that all of it is in there (its first tokens, where those pieces were too short to be of use).
 * Of such pieces, too, a smaller share is part of a larger one. The content hash stays. */
void tg_dataset_narrow(tg_dataset *d, double share);
/* Starts of all documents of a split; NULL: it has none. */
const int64_t *tg_dataset_starts(const tg_dataset *d, tg_split s);
extern const char *const tg_split_names[TG_SPLITS];  /* "train", "val", "test" */
extern const char *const tg_labels_names[TG_SPLITS]; /* of classes: "train.labels", ... */
extern const char *const tg_starts_names[TG_SPLITS]; /* tensors of document starts: "train.starts", ... */
const char *tg_dataset_path(const tg_dataset *d);
#endif
