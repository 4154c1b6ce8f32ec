/* trained.h - a model made from its file: model.safetensors alone suffices. */
#ifndef TG_RUN_TRAINED_H
#define TG_RUN_TRAINED_H
#include "data/codec/safetensors.h"
#include "tinygen/model.h"

typedef struct tg_trained {
    char *path;              /* of the file */
    tg_safetensors *file;    /* open: its metadata live here; an adapter's, where there is one ... */
    tg_safetensors *base;    /* ... and this is the model's that it was learned for; else NULL */
    const tg_model_desc *desc;
    void *config;
    tg_keys *keys;           /* bound to config, which holds what the file's settings say */
    tg_model_data data;
    tg_tokenizer *tokenizer; /* NULL: it is of images or points ... */
    const tg_json *samples;  /* ... and this tells what they are: kinds.h */
    tg_model *model;
} tg_trained;

/* path: a run folder, a model file, or, with weights, a training state: those that people would use
 * after its step. weights false: file, config and tokeniser only. Errors: TG_EINVAL (a folder
 * without a model), TG_EIO, TG_EFORMAT (no model of ours, a flipped bit), TG_EUNSUPPORTED (a model name or settings of
 * another version). */
tg_status tg_trained_open(tg_context *ctx, const char *path, bool weights, tg_trained **out);
/* The same with an adapter (of gen-train --lora-rank) added into the weights; NULL: without. What it was learned as holds in place
 * of what the model says: settings, vocabulary. The weights are those of the model.safetensors beside the adapter, bit for bit. Errors:
 * also TG_EINVAL (it belongs to another model: both hashes). */
tg_status tg_trained_open_adapted(tg_context *ctx, const char *path, const char *adapter, tg_trained **out);
void tg_trained_close(tg_trained *t);
/* sha256 of a model's file, as other files name it. Errors: TG_EIO. */
tg_status tg_trained_hash(const char *path, char hex[65]);
/* The file that path means: itself, or a run folder's model; the caller's by tg_free, after an error, too. Errors:
 * TG_EINVAL (no model in the folder), TG_ENOMEM. */
tg_status tg_trained_path(const char *path, char **out);
/* The tokeniser of a dataset or a model, a run folder's among them: what stands for text, without documents and classes, the
 * caller's. has_unknown, which may be NULL: whether it has a token for what it does not know. Errors: TG_EFORMAT (none in it). */
tg_status tg_trained_tokenizer(tg_context *ctx, const char *name, tg_tokenizer **out, bool *has_unknown);
/* Members of settings that these rows name, into keys that bind them, where those hold their defaults. */
tg_status tg_settings_apply(const tg_json *settings, const tg_key *rows, tg_keys *keys, tg_key_source source);
/* Parameters by name from a file into a slab, over the pool. Errors: TG_EFORMAT, naming the first that is missing or of another
 * shape. */
tg_status tg_weights_read(tg_context *ctx, tg_safetensors *file, const char *prefix, const tg_params *p, float *slab);
/* The same of an optimiser's slab, where frozen parameters are left out. */
tg_status tg_moments_read(tg_context *ctx, tg_safetensors *file, const char *prefix, const tg_params *p, float *slab);
tg_status tg_tensor_read(tg_safetensors *file, const char *prefix, const char *name, const tg_shape *shape, float *out);
/* A JSON scalar as the text that an option takes, appended. */
void tg_settings_text(tg_str *out, const tg_json *value);
/* TG_OK where both encode and decode alike, else TG_EINVAL: both kinds and sizes, the first token that differs, and what to do
 * (remedy; NULL: what is usual). */
tg_status tg_tokenizer_same(const tg_tokenizer *a, const char *a_name, const tg_tokenizer *b, const char *b_name, const char *remedy);
#endif
