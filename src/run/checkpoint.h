/*
 * checkpoint.h - a run on disk: state.safetensors, the one commit point, and model.safetensors, derived from it.
 *
 * A save writes model.safetensors first, if its weights changed, then the state that names its hash; what the state was
 * before stays as state.prev.safetensors. Neither file holds a time, a path, a host or a thread count: the same work
 * gives the same bytes.
 *
 *   model   tensors by PyTorch's names
 *   adapter of a run with adapters (nn/lora.h), beside the model, which has them merged in: theirs alone, and whole what was trained whole
 *   state   the same as model, then SLAB/NAME for the optimiser's slabs (m, v), ema/NAME, best/NAME, carry/NAME; frozen parameters
 *           have no moments. Of a run with adapters: the same as adapter, and base/NAME, what the model was
 *   both    metadata "tinygen": {"kind": "model"|"state", "algorithm", "model", "data_kind", "vocab" of text, "data": content hash,
 *           "init": hash of the model it started from or null, "settings": {keys that decide the result}, "tokenizer" of text, else
 *           "samples": {"shape", "classes"},
 *           model, adapter: "step", "val_loss"; adapter: "base": hash of the model it belongs to; state: "place": {...}, "model_sha256"}
 */
#ifndef TG_RUN_CHECKPOINT_H
#define TG_RUN_CHECKPOINT_H
#include "base/json.h"
#include "data/codec/safetensors.h"
#include "run/loop.h"
#include "run/rundir.h"

/* What decides the result, beside weights: the same for all saves of a run. Borrowed texts. */
typedef struct tg_about {
    const char *model, *data_hash, *init; /* init: hash or NULL */
    const char *settings, *tokenizer;     /* JSON */
    const char *samples;                  /* the same, of images and points, in place of a tokeniser: kinds.h; NULL: text */
    tg_model_data data;
} tg_about;

typedef struct tg_saver {
    tg_context *ctx;
    const tg_rundir *dir;
    tg_loop *loop;
    const tg_about *about;
    int64_t keep;             /* states to keep under states/, beside the last two */
    int64_t model_step;       /* step whose weights model.safetensors holds; -1: none, or to be written anew */
    char model_sha256[65];
} tg_saver;

/* Errors: TG_EIO (the message says how much was to be written where), TG_ENOMEM; what was there before stays. */
tg_status tg_checkpoint_save(tg_saver *s);
/* model.safetensors alone, if it is not that of the loop's chosen weights. */
tg_status tg_checkpoint_save_model(tg_saver *s);
/* model.safetensors of a model that learns in one pass: there is no state beside it. */
tg_status tg_checkpoint_save_learned(const tg_rundir *dir, const tg_about *about, const tg_model *m, double val_loss,
                                     char sha256[65]);
/* The metadata of a model file. val_loss NaN: not known. */
void tg_checkpoint_model_meta(tg_json_writer *w, const tg_about *a, int64_t step, double val_loss);
/* A state's tensors, place and model hash into the loop and the saver; the file's settings have been compared before.
 * Errors: TG_EFORMAT (a flipped bit, a missing tensor, another shape). */
tg_status tg_checkpoint_load(tg_safetensors *file, tg_saver *s);
#endif
