/* dataset_parts.h - what an open dataset is made of, for the files that read it. */
#ifndef TG_DATA_DATASET_PARTS_H
#define TG_DATA_DATASET_PARTS_H
#include "data/codec/safetensors.h"
#include "data/dataset.h"

typedef struct tg_dataset_part {
    const tg_st_tensor *tensor; /* NULL: the split is empty */
    int width;
    void *tokens;     /* or pixels, coordinates, as they lie on disk; NULL: read as needed */
    int64_t *starts;  /* of documents; NULL: the text is one piece */
    int64_t documents, targets, bytes, chars;
    int64_t count;    /* tokens or samples that are used: all, but where tg_dataset_narrow took some of them: */
    int64_t piece, stride; /* the first piece of every stride, tokens; 0: what is used lies side by side */
    uint16_t *labels; /* of samples; NULL: none */
} tg_dataset_part;

struct tg_dataset {
    char *path;
    tg_safetensors *file;
    tg_kind kind;
    tg_tokenizer *tokenizer;  /* NULL: no text */
    tg_dataset_part parts[TG_SPLITS];
    int rank;                 /* of a sample: 3 [C, Y, X], 1 [D]; 0: text */
    int64_t dims[3], size;    /* size: their product */
    bool flips;
    const tg_json *classes;   /* [{"name", "count"}]; NULL: none */
    char hash[65];
};

/* "PATH: what; make it again". */
tg_status tg_dataset_damaged(const tg_dataset *d, const char *what);
/* Of images and points: everything behind the identity. Errors: TG_EFORMAT, TG_EIO, TG_ENOMEM. */
tg_status tg_dataset_read_samples(tg_dataset *d, const tg_json *meta, int64_t load_bytes);
#endif
