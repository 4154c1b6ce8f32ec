/*
 * tinygen/run.h - one call per step of the pipeline. A tool fills an options struct from its key rows and makes one
 * call; so does a program that embeds the library:
 *
 *     tg_train_options o = {0};
 *     tg_keys_add(keys, "training", tg_train_keys, &o);       // writes the defaults
 *     o.data = "verses.safetensors"; o.model = "lstm"; o.out = "runs/a";
 *     const tg_model_desc *desc;
 *     tg_train_model(&o, &desc);
 *     void *config = malloc(desc->config_size);
 *     tg_keys_add(keys, "model", desc->keys, config);
 *     if (tg_train(ctx, &o, config, keys)) fprintf(stderr, "%s\n", tg_error());
 *
 * Each step reads only what the step before wrote and its own options, writes one output path (under a temporary name,
 * renamed when complete) and leaves it alone on failure. With o.json its result is one JSON object through the
 * context's output hook.
 */
#ifndef TINYGEN_RUN_H
#define TINYGEN_RUN_H

#include "tinygen/model.h"

/* ---- gen-collect: what the options mean stands in their rows, gen-collect --help -------------------------------- */

typedef struct tg_collect_options {
    tg_list sources;                             /* files, folders, "-", addresses, recipe:NAME, synth:KIND[:VARIANT] */
    const char *out, *licence, *origin, *label;  /* out: the corpus folder to make; the others go into its manifest */
    const char *column, *label_column;           /* of tables: which holds the texts, and which their classes */
    int64_t kind, split;                         /* choices: positions in their rows' lists */
    int64_t max_bytes, max_download, limit, seed; /* 0: no bound */
    double sample;                               /* share of a folder's files */
    bool force, list, json;
    const char *deps;
} tg_collect_options;
extern const tg_key tg_collect_keys[];
/* Sources to a corpus folder: items and manifest.jsonl. Errors: TG_EUSAGE (nothing to collect), TG_EINVAL (an unknown
 * grammar or recipe, no such column, out exists), TG_EFORMAT (no table; not the bytes that a recipe means), TG_EIO,
 * TG_EUNSUPPORTED (an address that is not fetched), TG_ECANCELLED. */
tg_status tg_collect(tg_context *ctx, const tg_collect_options *o);

/* ---- gen-preprocess ---------------------------------------------------------------------------------------------- */

typedef struct tg_preprocess_options {
    tg_list corpora;
    const char *out;         /* the dataset file to make */
    const char *tokenizer;   /* "char", "byte", "bpe" or a file; NULL: "char" */
    int64_t vocab_size;      /* of bpe; 0: what is usual */
    int64_t encoding, normalize, width, strip;
    bool lowercase, scrub_pii;
    int64_t documents, split, dedupe, min_count; /* choices: positions in their rows' lists */
    double val, test;        /* shares of the text, or of its documents */
    int64_t seed, max_bytes;
    bool raw, no_labels, force, json;
    const char *deps;
    /* of images, tables and points; 0, NULL: what suits the data */
    int64_t size, channels, fit, augment, label_column;
    double max_value;
    const char *background, *shape, *sheet;
} tg_preprocess_options;
extern const tg_key tg_preprocess_keys[];
/* Corpora to one dataset file: text cleaned and tokenised, images brought to one size, points as they are; split, judged. Errors:
 * TG_EINVAL (nothing in it, text that is not UTF-8, with the offset, kinds that do not go together), TG_EFORMAT (a corpus that is not
 * what its manifest says), TG_EIO, TG_ECANCELLED. */
tg_status tg_preprocess(tg_context *ctx, const tg_preprocess_options *o);

/* ---- gen-train --------------------------------------------------------------------------------------------------- */

/* Choices (optimizer, schedule, on_nan) are positions in their rows' lists; 0 or NaN in an AUTO field is filled in by
 * the data's size. Times are seconds. */
typedef struct tg_train_options {
    const char *data, *model, *preset, *out, *init, *freeze, *deps;
    int64_t lora_rank, steps, epochs, until, batch, accum, seq, optimizer, schedule, warmup, patience;
    int64_t eval_every, save_every, sample_every, keep, seed, on_nan, test_draws;
    double time, target, lr, muon_lr, min_lr, momentum, beta1, beta2, epsilon, weight_decay, clip, ema, decay_share, eval_share,
        train_share, lora_alpha;
    bool map_vocab, nesterov, resume, dry_run, keep_going, force, json, profile;
} tg_train_options;
extern const tg_key tg_train_keys[];
/* The model whose key rows are to be bound beside tg_train_keys: o->model, else, when resuming, the one that the run folder
 * o->out names; *out is NULL where nothing is named. Errors: TG_EUSAGE (no such model), those of reading. */
tg_status tg_train_model(const tg_train_options *o, const tg_model_desc **out);
/* A dataset and a model name -> a run folder. keys holds tg_train_keys bound to o and the model's own keys bound to
 * `config` (config_size bytes); what they leave open is filled in through them. With o->dry_run nothing is written: a
 * table of costs goes to the output hook. Errors: TG_EBUSY (the folder's lock), TG_ECANCELLED (stopped by the cancel
 * flag, saved), TG_EDIVERGED, TG_EINVAL (data that cannot be learned from, a run that does not fit), and those of its parts. */
tg_status tg_train(tg_context *ctx, tg_train_options *o, const void *config, tg_keys *keys);

/* ---- gen-tune finetune -------------------------------------------------------------------------------------------- */

typedef struct tg_finetune_options {
    const char *run, *old_data; /* run: what to go on from, a run folder or a model file */
    bool json;
} tg_finetune_options;
extern const tg_key tg_finetune_keys[]; /* command line only; what is trained how, tg_train_keys say */
/* The model of o->run, whose key rows are to be bound beside tg_train_keys; NULL where none is named, or nothing that is one. Errors: those
 * of reading. */
tg_status tg_finetune_model(const tg_finetune_options *o, const tg_model_desc **out);
/* Goes on from a model with new data, as tg_train with train->init does, and tells what it came to: the loss on the new data before
 * and after, that on the old data before and after. keys: tg_train_keys bound to train and the model's own to config. Makes the run
 * folder train->out and finetune.json in it. Errors: TG_EUSAGE (a model that learns in one pass), those of tg_train. */
tg_status tg_finetune(tg_context *ctx, const tg_finetune_options *o, tg_train_options *train, const void *config, tg_keys *keys);

/* ---- gen-sample -------------------------------------------------------------------------------------------------- */

typedef struct tg_sample_options {
    const char *model, *input, *adapter, *out, *prompt, *prompt_file, *label, *attention, *deps, *grid, *interpolate, *reconstruct;
    tg_list stop;
    int64_t n, first, length, seed, top_k, unk, format;
    double temperature, guidance, top_p, min_p, repeat_penalty, truncation;
    bool probs, map, show, raw, force, json;
} tg_sample_options;
extern const tg_key tg_sample_keys[];
/* A run folder or model.safetensors to text, through the output hook or into a file, and to a page of what it looked at; to images
 * and points, into a file or, with show, through the hook as a picture of characters. Errors: TG_EUSAGE (options that are not for
 * this kind of model), TG_EINVAL (a prompt's character that the model does not know, named), TG_EFORMAT (no model of ours),
 * TG_EIO, TG_ECLOSED, TG_ECANCELLED. */
tg_status tg_sample(tg_context *ctx, const tg_sample_options *o);

/* ---- gen-evaluate ------------------------------------------------------------------------------------------------ */

typedef struct tg_evaluate_options {
    tg_list runs, gate, ratings;
    const char *data, *out, *metrics, *prompts, *quiz, *deps;
    int64_t split, samples, length, draws, quiz_items, seed, lang; /* split, lang: positions in their rows' lists; samples 0: as many as suit the kind */
    double temperature;
    bool force, json;
} tg_evaluate_options;
extern const tg_key tg_evaluate_keys[];
/* Trained models and a dataset to figures: through the output hook, into a report, into a quiz for people. Errors: TG_EUSAGE,
 * TG_EINVAL (a model of other data), TG_EGATE (a gate was not met; all is written), those of reading and writing, TG_ECANCELLED. */
tg_status tg_evaluate(tg_context *ctx, const tg_evaluate_options *o);

/* ---- gen-select -------------------------------------------------------------------------------------------------- */

typedef struct tg_select_options {
    tg_list runs;
    const char *out, *data, *recommend, *deps;
    int64_t metric, split, max_params, max_bytes, seed; /* metric, split: positions in their rows' lists; limits 0: none */
    double max_ms;
    bool force, json;
} tg_select_options;
extern const tg_key tg_select_keys[];
/* Run folders to a ranking through the output hook and, with o->out, a link to the chosen one and a .json beside it; or, with
 * o->recommend, a dataset to the models that suit it. Errors: TG_EUSAGE, TG_EINVAL (runs that cannot be compared: which and why),
 * TG_EGATE (no run keeps within the limits), those of reading and writing, TG_ECANCELLED. */
tg_status tg_select(tg_context *ctx, const tg_select_options *o);

/* ---- gen-tune ---------------------------------------------------------------------------------------------------- */

typedef struct tg_advise_options {
    const char *run, *data, *out, *more;
    double effort, budget, least;
    bool apply, force, json;
} tg_advise_options;
extern const tg_key tg_advise_keys[];
/* A run folder to what would help it most, by measurements and short trainings in o->out: a report through the output hook,
 * advice.json beside the trainings; a call that was cut off goes on. The same bytes of advice.json for any number of threads.
 * Errors: TG_EINVAL (no validation loss; out holds advice on another run), TG_EBUSY, those of training, TG_ECANCELLED. */
tg_status tg_advise(tg_context *ctx, const tg_advise_options *o);

/* ---- gen-convert ------------------------------------------------------------------------------------------------- */

typedef struct tg_convert_options {
    const char *in, *out, *tokenizer, *tensor, *adapter, *deps;
    int64_t to; /* position in its row's list */
    bool force, json;
} tg_convert_options;
extern const tg_key tg_convert_keys[];
/* A llama2.c checkpoint to a model of ours; a model of ours to one, or to GGUF; a tensor to .npy; a model and its adapter to one
 * model. Errors: TG_EUSAGE (an output
 * whose format nothing tells), TG_EINVAL (it is there already), TG_EFORMAT (a file that is not what it should be),
 * TG_EUNSUPPORTED (a model that the format cannot say: what of it), TG_EIO, TG_ECANCELLED. */
tg_status tg_convert(tg_context *ctx, const tg_convert_options *o);

/* ---- gen-tune search: many trainings, and which settings do best -------------------------------------------------------- */

typedef struct tg_search_options {
    tg_list space;                              /* "lr=1e-4:1e-2:log", "hidden=64,128", or a JSON file of these */
    const char *out, *metric, *objective, *deps; /* out: the study's folder; objective: a built-in function in place of trainings */
    const char *program;                        /* gen-tune, which is started once a trial; NULL: the running program is it */
    int64_t trials, strategy, jobs, lag, rungs, reduction, backend, lang, seed; /* strategy, backend, lang: positions in their rows' lists */
    double budget;                              /* seconds, of all sessions; 0: none */
    bool force, json;
} tg_search_options;
extern const tg_key tg_search_keys[];
/* Those rows of tg_train_keys that a search fixes for all its trials, up to a TG_KEYS_END; room for TG_SEARCH_ROWS. */
enum { TG_SEARCH_ROWS = 64 };
void tg_search_train_rows(tg_key *out);
/* The model whose key rows are to be bound, too: train->model or train->preset's, else the first of the space's; *out NULL where
 * there is none. Errors: TG_EUSAGE (no such model), those of reading. */
tg_status tg_search_model(const tg_search_options *o, const tg_train_options *train, const tg_model_desc **out);
/* A study in o->out, begun or gone on with. keys holds tg_search_keys bound to o, the rows above bound to train, and the model's
 * rows bound to config, NULL where there are none; whatever was given of the latter two is fixed for all trials. Errors: TG_EUSAGE,
 * TG_EBUSY (another search is at it), TG_EINVAL (another study is there; no trial came to a result), TG_EIO (trials end without a
 * word: a full disk, data that are gone), TG_ECANCELLED (stopped), after which two the same call goes on; those of reading and
 * writing. */
tg_status tg_search(tg_context *ctx, const tg_search_options *o, const tg_train_options *train, const void *config,
                    tg_keys *keys);

typedef struct tg_trial_options { const char *out, *number; } tg_trial_options;
extern const tg_key tg_trial_keys[];
/* One trial of a study, as far as its job says: what every backend starts. Waits where another process is at it. A training that
 * fails leaves failed.json. Errors: those of tg_train. */
tg_status tg_trial(tg_context *ctx, const tg_trial_options *o);

typedef struct tg_search_gather_options { const char *out; } tg_search_gather_options;
extern const tg_key tg_search_gather_keys[];
/* Takes down what a study's trials have come to, and ranks them; starts none. Where a search is at the study, it does so itself: TG_OK.
 * Errors: those of tg_search. */
tg_status tg_search_gather(tg_context *ctx, const tg_search_gather_options *o);

#endif
