/* kinds.h - what differs between runs on text and on images or points, outside of models: words, and what a model's file says
 * of its data in place of a tokeniser. */
#ifndef TG_RUN_KINDS_H
#define TG_RUN_KINDS_H
#include "base/json.h"
#include "tinygen/model.h"

typedef struct tg_kind_words {
    const char *name;       /* in metadata: "image" */
    const char *items;      /* what a batch has so many of: "images" */
    const char *rate;       /* in logs and results: "images_per_second" */
    const char *bits;       /* a loss by 2's logarithm, per character or number; NULL: there is none */
    const char *bits_shown; /* to people: "bits/dim" */
    const char *baseline;   /* of gen-preprocess, that a model should beat; NULL: text has three */
} tg_kind_words;
const tg_kind_words *tg_words_of(tg_kind kind);

/* {"shape": [C, Y, X], "classes": [{"name", "count"}]} of a dataset of samples; the caller's by tg_free. NULL: no memory. */
char *tg_samples_json(const tg_dataset *d);
/* The same, read; TG_EFORMAT. */
tg_status tg_samples_read(const tg_json *samples, tg_kind kind, tg_model_data *out);
const char *tg_samples_class(const tg_json *samples, int64_t i, int64_t *count); /* NULL: none of that number */
/* TG_OK where kind, shape and (unless they may differ) classes are those of the dataset, else TG_EINVAL. old: what tg_samples_read made of samples. */
tg_status tg_samples_same(const tg_json *samples, const tg_model_data *old, const char *name, const tg_dataset *d,
                          const char *data_name, bool classes);
#endif
