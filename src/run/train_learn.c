/* train_learn.c - gen-train for models that learn in one pass: no steps, no state; model.safetensors is the commit point,
 * and what a kill cut off is done anew. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/generate.h"
#include "run/result.h"

#include <math.h>
#include <string.h>

/* ---- options -------------------------------------------------------------------------------------------------------- */

static void warn_of_steps(const tg_training *t)
{
    tg_str names = {0};
    for (const tg_key *k = tg_train_keys; k->type != TG_KEY_END_ROW; k++) {
        if (!(k->flags & TG_KEY_MARK) || (k->flags & TG_KEY_SEED)) continue; /* a seed may be given to all models */
        if (tg_keys_source(t->keys, k->name) != TG_FROM_FLAG) continue;
        tg_str_add(&names, names.length ? ", --" : "--");
        for (const char *c = k->name; *c; c++) tg_str_add_n(&names, *c == '_' ? "-" : c, 1);
    }
    if (names.length && !names.failed)
        tg_log(t->ctx, TG_LOG_WARN, "%s: of no use to %s, which learns in one pass", names.data, t->desc->name);
    tg_str_free(&names);
}

tg_status tg_training_learn_plan(tg_training *t)
{
    char text[32];
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    const int64_t N = tg_dataset_count(t->data, TG_TRAIN);
    const double room = t->desc->learner->room(t->config, &t->about.data, N);
    warn_of_steps(t);
    if (t->o->json) {
        tg_result_begin(&w, "gen-train", NULL, t->o->seed, tg_training_seconds(t));
        tg_json_member_text(&w, "model", t->desc->name);
        tg_json_member_int(&w, "steps", 1);
        tg_json_member_real(&w, "bytes", room);
        tg_json_member_raw(&w, "settings", t->settings);
        tg_json_close(&w, '}');
        tg_str_add(&out, "\n");
    } else {
        tg_str_addf(&out, "%-22s %s\n%-22s %s\n", "model", t->desc->name, "training tokens", tg_format_count(text, N));
        tg_str_addf(&out, "%-22s %s\n", "memory, at the most", tg_format_bytes(text, room));
    }
    tg_status s = out.failed ? TG_ENOMEM : tg_output(t->ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}

tg_status tg_training_learn_cost(tg_training *t, tg_cost *out)
{
    enum { MOST = 20000000 }; /* tokens: a few seconds */
    const tg_learner *how = t->desc->learner;
    const int64_t N = tg_dataset_count(t->data, TG_TRAIN);
    *out = (tg_cost){.params = -1, .bytes = (int64_t)how->room(t->config, &t->about.data, N), .steps = 1, .seconds = NAN};
    if (N > MOST) return TG_OK;
    tg_status s = tg_model_new(t->ctx, t->desc, t->config, &t->about.data, (uint64_t)t->o->seed, true, false, &t->model);
    const double begin = tg_now();
    if (!s) s = how->fit(t->ctx, t->model, t->data);
    out->seconds = tg_now() - begin;
    if (!s) out->params = how->count(t->model);
    return s;
}

/* ---- resuming ------------------------------------------------------------------------------------------------------- */

/* What is there must be of the same run, else TG_EINVAL; damage is no error: it is written anew. */
static tg_status compare_model(tg_training *t, const char *path)
{
    tg_safetensors *file = NULL;
    tg_status s = tg_safetensors_open(path, &file);
    if (!s) s = tg_training_compare(t, tg_safetensors_meta(file));
    tg_safetensors_close(file);
    return s == TG_EFORMAT || s == TG_EIO ? TG_OK : s;
}

/* Whether result.json names the model that is there. */
static bool is_whole(const char *model, const char *result)
{
    char *bytes = NULL, hex[65] = "";
    int64_t length = 0;
    const tg_json *json = NULL;
    tg_arena *a = tg_arena_new(4096);
    if (a && tg_json_parse(a, "result.json", result, (int64_t)strlen(result), &json) == TG_OK &&
        tg_file_slurp(model, INT64_C(1) << 36, &bytes, &length) == TG_OK)
        tg_sha256_hex(bytes, length, hex);
    const char *named = tg_json_text(json, "model_sha256");
    const bool whole = named && !strcmp(named, hex);
    tg_free(bytes);
    tg_arena_free(a);
    return whole;
}

static tg_status look_back(tg_training *t, bool *ended)
{
    char *model = tg_rundir_file(t->dir, "model.safetensors"), *path = tg_rundir_file(t->dir, "result.json"), *result = NULL;
    int64_t length = 0;
    tg_status s = model && path ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(model) == TG_PATH_FILE) s = compare_model(t, model);
    if (!s && tg_path_kind(path) == TG_PATH_FILE) s = tg_file_slurp(path, 1 << 26, &result, &length);
    *ended = !s && result && is_whole(model, result);
    if (*ended) tg_log(t->ctx, TG_LOG_INFO, "%s has ended already; nothing is changed", t->o->out);
    if (*ended && t->o->json) s = tg_output(t->ctx, result, length);
    tg_free(result);
    tg_free(model);
    tg_free(path);
    return s;
}

/* ---- one pass ------------------------------------------------------------------------------------------------------- */

typedef struct lesson { double val_loss, seconds; char model_sha256[65]; } lesson;

static double rate_of(const tg_training *t, const lesson *l)
{
    return l->seconds > 0 ? (double)tg_dataset_count(t->data, TG_TRAIN) / l->seconds : (double)NAN;
}

static tg_status learn(tg_training *t, lesson *l)
{
    const tg_learner *how = t->desc->learner;
    double begin = 0;
    char count[32], tokens[32];
    tg_status s = tg_model_new(t->ctx, t->desc, t->config, &t->about.data, (uint64_t)t->o->seed, true, false, &t->model);
    begin = tg_now();
    if (!s) s = how->fit(t->ctx, t->model, t->data);
    l->seconds = tg_now() - begin;
    if (s) return s;
    tg_log(t->ctx, TG_LOG_INFO, "%s of %s parameters from %s training tokens", t->desc->name,
           tg_format_count(count, how->count(t->model)), tg_format_count(tokens, tg_dataset_count(t->data, TG_TRAIN)));
    if (tg_dataset_count(t->data, TG_VAL) > 1) return how->loss(t->ctx, t->model, t->data, TG_VAL, &l->val_loss);
    tg_log(t->ctx, TG_LOG_WARN, "no validation split: nobody knows how good it is (gen-preprocess --val 0.1 makes one)");
    return TG_OK;
}

static tg_status write_log(tg_training *t, const lesson *l)
{
    char *path = tg_rundir_file(t->dir, "log.jsonl");
    tg_log_line line = {.step = 1, .tokens = tg_dataset_count(t->data, TG_TRAIN), .epoch = 1, .train_loss = NAN,
                        .val_loss = l->val_loss, .bpc = tg_training_bits(t, l->val_loss), .lr = NAN, .grad_norm = NAN,
                        .tokens_per_second = rate_of(t, l), .seconds = tg_training_seconds(t),
                        .peak_memory = tg_peak_memory()};
    tg_str told = {0};
    tg_str_add(&told, "val ");
    tg_str_add_fixed(&told, l->val_loss, 3);
    tg_str_add(&told, "  bits/char ");
    tg_str_add_fixed(&told, line.bpc, 3);
    if (!told.failed && !isnan(l->val_loss)) tg_log(t->ctx, TG_LOG_INFO, "%s", told.data);
    tg_status s = path ? tg_runlog_open(path, 0, &(tg_log_line){0}, &t->log) : TG_ENOMEM;
    if (!s) s = tg_runlog_add(t->log, &line);
    tg_str_free(&told);
    tg_free(path);
    return s;
}

static tg_status write_sample(tg_training *t)
{
    const tg_choice choice = {.temperature = 0.8, .top_p = 1, .repeat_penalty = 1};
    tg_tape *tape = NULL;
    tg_status s = tg_tape_new(t->ctx, &tape);
    if (!s) s = tg_generator_new(t->model, tape, tg_dataset_tokenizer(t->data), &choice, 0, 1, &t->generator);
    if (!s) s = tg_training_write_sample(t, 1);
    tg_generator_free(t->generator);
    t->generator = NULL;
    tg_tape_free(tape);
    return s;
}

tg_status tg_training_learn(tg_training *t)
{
    lesson l = {.val_loss = NAN};
    bool ended = false;
    tg_status s = TG_OK;
    warn_of_steps(t);
    if (t->o->resume && t->dir->used) s = look_back(t, &ended);
    if (s || ended) return s;
    s = tg_rundir_remove(t->dir, "result.json");
    if (!s) s = tg_training_write_config(t);
    if (!s) s = learn(t, &l);
    if (!s) s = write_log(t, &l);
    if (!s) s = tg_checkpoint_save_learned(t->dir, &t->about, t->model, l.val_loss, l.model_sha256);
    if (!s) s = write_sample(t);
    if (s) return s;
    return tg_training_put_result(t, &(tg_outcome){
        .stopped = "steps", .steps = 1, .epochs = 1, .train_loss = NAN, .val_loss = l.val_loss, .best_step = 1, .rate = rate_of(t, &l),
        .gflops = NAN, .params = t->desc->learner->count(t->model), .model_sha256 = l.model_sha256,
    });
}
