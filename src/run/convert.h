/* convert.h - what gen-convert is at: convert.c chooses and tells, convert_llama.c knows which of our tensors are which of
 * Llama's, convert_merge.c adds an adapter, convert_gguf.c writes these as GGUF, convert_gpt2.c writes tokenisers. */
#ifndef TG_RUN_CONVERT_H
#define TG_RUN_CONVERT_H
#include "base/file.h"
#include "base/hash.h"
#include "data/codec/llama2c.h"
#include "run/trained.h"
#include "tinygen/run.h"

typedef enum tg_form { TG_FORM_AUTO, TG_FORM_SAFETENSORS, TG_FORM_LLAMA2C, TG_FORM_GGUF, TG_FORM_NPY, TG_FORM_GPT2 } tg_form;

typedef struct tg_converting {
    tg_context *ctx;
    const tg_convert_options *o;
    tg_form from, to;
    tg_writer *writer;   /* of what is not safetensors */
    tg_sha256 sha;
    char sha256[65];     /* of the output */
    int64_t params, bytes;
} tg_converting;

/* Bytes to the output, which is opened with the first of them. */
tg_status tg_convert_add(tg_converting *c, const void *data, int64_t count);

/* A model of ours that is shaped as Llama. */
typedef struct tg_llama { tg_trained *t; tg_llama2 shape; double theta; } tg_llama;
/* Opens it. Errors: TG_EUNSUPPORTED (no Llama: what of it is not), those of tg_trained_open. */
tg_status tg_llama_open(tg_converting *c, const char *path, tg_llama *out);
void tg_llama_close(tg_llama *m);
/* A row of a matrix of Llama's, in llama2.c's order. */
const float *tg_llama_row(const tg_llama *m, tg_llama2_part p, int64_t layer, int64_t row);

/* A checkpoint of llama2.c to model.safetensors, and back. */
tg_status tg_convert_from_llama2(tg_converting *c);
tg_status tg_convert_to_llama2(tg_converting *c);
/* A model and an adapter of it to one model, that of the run which the adapter is from, byte for byte. */
tg_status tg_convert_merge(tg_converting *c);
tg_status tg_convert_to_gguf(tg_converting *c);
/* A tokeniser with merges to vocab.json and merges.txt; the latter's path, the caller's. */
tg_status tg_convert_to_gpt2(tg_converting *c);
tg_status tg_convert_merges_path(const char *out, char **path);
/* Warns that the output does not say how texts are cut into words; "GGUF does not". */
void tg_convert_tell_words(const tg_converting *c, const char *who);
#endif
