/* train.c - gen-train: a dataset and a model name -> a run folder. The steps are loop.c's; here are the options, the
 * clock, and when to look, tell, save and stop. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "data/dataset.h"
#include "run/defaults.h"
#include "run/deps.h"
#include "run/freeze.h"
#include "run/generate.h"
#include "run/presets.h"

#include <math.h>
#include <string.h>

enum { SAVE_SECONDS = 60, MOST_CONFIG = 1 << 26 };

/* STEPS: means something to models that train by steps, nothing to those that learn in one pass. */
#define STEPS TG_KEY_MARK
#define RESULT (TG_KEY_RESULT | STEPS)
#define AUTO (TG_KEY_RESULT | TG_KEY_AUTO | STEPS)
#define ONCE TG_KEY_NO_CONFIG

const tg_key tg_train_keys[] = {
    TG_TEXT(tg_train_options, data, 0, NULL, "FILE", 0, "dataset to learn from, as gen-preprocess writes it"),
    TG_TEXT(tg_train_options, model, 'm', NULL, "NAME", 0, "what to train; without a NAME all are listed; with --help: its own options"),
    TG_TEXT(tg_train_options, preset, 0, NULL, "NAME", ONCE,
            "a model with all its settings, such as gpt-tiny; a wrong NAME lists them; what else is given counts more"),
    TG_TEXT(tg_train_options, out, 'o', NULL, "RUN", ONCE | TG_KEY_NAME, "run folder to make"),
    TG_INT(tg_train_options, steps, 0, NULL, 1, 1e12, AUTO, "training steps"),
    TG_INT(tg_train_options, epochs, 0, NULL, 0, 1e9, STEPS, "passes over the data, in place of steps"),
    TG_INT(tg_train_options, until, 0, NULL, 0, 1e12, STEPS, "stop after so many steps, whatever the schedule says; 0: do not"),
    TG_TIME(tg_train_options, time, 0, NULL, STEPS, "how long to train, such as 10m; the schedule ends with it (wsd)"),
    TG_REAL(tg_train_options, target, 0, NULL, 0, 1e9, STEPS, "stop when the validation loss is so low; 0: do not"),
    TG_INT(tg_train_options, patience, 0, NULL, 0, 1e9, STEPS, "stop after so many evaluations without a better one; 0: do not"),
    TG_INT(tg_train_options, batch, 0, NULL, 1, 1e6, AUTO, "rows of a batch: parallel streams, or windows"),
    TG_INT(tg_train_options, accum, 0, "1", 1, 1e6, RESULT, "batches that make one step: the mean over all their targets"),
    TG_INT(tg_train_options, seq, 0, NULL, 1, 1e6, AUTO, "tokens of a row; those who see windows: at most their --context"),
    TG_CHOICE(tg_train_options, optimizer, 0, "adam", TG_OPTIM_CHOICES, RESULT, "how gradients become updates; of a transformer muon"),
    TG_REAL(tg_train_options, lr, 0, NULL, 0, 1e30, AUTO, "learning rate"),
    TG_REAL(tg_train_options, muon_lr, 0, "0", 0, 1e30, RESULT,
            "muon: rate of matrices between hidden units, the schedule's like the rest's; 0: as lr"),
    TG_REAL(tg_train_options, min_lr, 0, NULL, 0, 1e30, AUTO, "where the schedule ends"),
    TG_INT(tg_train_options, warmup, 0, NULL, 0, 1e12, AUTO, "steps over which the learning rate rises"),
    TG_CHOICE(tg_train_options, schedule, 0, NULL, TG_SCHEDULE_CHOICES, AUTO, "how the learning rate goes on"),
    TG_REAL(tg_train_options, decay_share, 0, "0.2", 0, 0.9, RESULT, "wsd: the last share of steps, where the rate falls"),
    TG_REAL(tg_train_options, weight_decay, 0, "0", 0, 100, RESULT, "pull of weights towards 0; of a transformer 0.1"),
    TG_REAL(tg_train_options, clip, 0, "5", 0, 1e30, RESULT, "longest gradient; 0: any; of a transformer 1"),
    TG_REAL(tg_train_options, momentum, 0, "0.9", 0, 0.9999999, RESULT, "sgd, muon: share of the last update that goes on (muon: 0.95)"),
    TG_SWITCH(tg_train_options, nesterov, 0, NULL, RESULT, "sgd, muon: look ahead (muon does)"),
    TG_REAL(tg_train_options, beta1, 0, "0.9", 0, 0.9999999, RESULT, "adam, adamw, muon: decay of the mean; of a gan 0.5"),
    TG_REAL(tg_train_options, beta2, 0, "0.999", 0, 0.9999999, RESULT,
            "adam, adamw, muon, rmsprop: decay of the mean square; of a transformer 0.99"),
    TG_REAL(tg_train_options, epsilon, 0, "1e-8", 1e-30, 1, RESULT, "adam, adamw, muon, rmsprop: least divisor"),
    TG_REAL(tg_train_options, ema, 0, "0", 0, 0.999999, RESULT, "moving average of the weights, such as 0.999; 0: none; of a gan 0.999"),
    TG_INT(tg_train_options, eval_every, 0, NULL, 1, 1e12, AUTO, "steps between evaluations"),
    TG_REAL(tg_train_options, eval_share, 0, NULL, 0, 1, AUTO,
            "evaluate and sample no more often than every so large a share of the steps done; 0: --eval-every says it all"),
    TG_INT(tg_train_options, save_every, 0, "0", 0, 1e12, STEPS, "steps between saves; 0: every minute"),
    TG_INT(tg_train_options, sample_every, 0, NULL, 0, 1e12, TG_KEY_AUTO | STEPS, "steps between samples; 0: none"),
    TG_INT(tg_train_options, keep, 0, "0", 0, 1e6, STEPS, "states to keep under states/, beside the last two"),
    TG_INT(tg_train_options, test_draws, 0, "0", 0, 1e8, ONCE | STEPS,
           "vae: at the end -log p(x) of the test split by so many draws of z each, such as 5000, of a run that has ended, too; 0: no"),
    TG_REAL(tg_train_options, train_share, 0, "1", 1e-6, 1, TG_KEY_RESULT,
            "learn from such a share of the training split, as if there were no more"),
    TG_INT(tg_train_options, seed, 0, "1", 0, 9e15, RESULT | TG_KEY_SEED, "of initial weights and dropout"),
    TG_CHOICE(tg_train_options, on_nan, 0, "stop", TG_ON_NAN_CHOICES, RESULT, "at a loss that is no finite number"),
    TG_SWITCH(tg_train_options, keep_going, 0, NULL, STEPS, "train on when a save fails"),
    TG_SWITCH(tg_train_options, resume, 0, NULL, ONCE, "go on where the run folder's state is; start if there is none"),
    TG_TEXT(tg_train_options, init, 0, NULL, "RUN", STEPS, "start from the weights of this run or model"),
    TG_SWITCH(tg_train_options, map_vocab, 0, NULL, RESULT,
              "with --init: its vocabulary, or classes, may be others; what both know keeps its weights"),
    TG_TEXT(tg_train_options, freeze, 0, NULL, "LIST", RESULT,
            "what is to stay as it starts: names or parts of them, such as embed,rnn.0 or all,-head; a wrong one lists them"),
    TG_INT(tg_train_options, lora_rank, 0, "0", 0, 4096, RESULT,
           "with --init: train adapters of so low a rank in place of the matrices, kept apart in adapter.safetensors; 0: do not"),
    TG_REAL(tg_train_options, lora_alpha, 0, "0", 0, 1e6, RESULT, "weight of adapters, over their rank; 0: twice the rank"),
    TG_SWITCH(tg_train_options, profile, 0, NULL, ONCE | STEPS, "tell at the end where the time of the steps went, op by op"),
    TG_SWITCH(tg_train_options, dry_run, 'n', NULL, ONCE, "only tell what it would cost"),
    TG_SWITCH(tg_train_options, force, 0, NULL, ONCE, "replace the run in the folder"),
    TG_TEXT(tg_train_options, deps, 0, NULL, "FILE", ONCE, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

/* ---- time and schedule --------------------------------------------------------------------------------------------- */

tg_schedule tg_training_schedule(const tg_train_options *o, int64_t n)
{
    return (tg_schedule){.kind = n > 0 ? (tg_schedule_kind)o->schedule : TG_CONSTANT, .lr = o->lr, .min_lr = o->min_lr,
                         .warmup = o->warmup, .steps = n, .decay_share = o->decay_share};
}

double tg_training_seconds(const tg_training *t)
{
    return t->before + tg_now() - t->started;
}

double tg_training_rate(const tg_training *t)
{
    if (t->step_seconds > 0) return (double)t->step_tokens / t->step_seconds;
    return t->old_rate > 0 ? t->old_rate : NAN;
}

const char *tg_training_done(const tg_training *t)
{
    const tg_train_options *o = t->o;
    const tg_place *at = &t->loop->place;
    if (o->steps > 0 && at->step >= o->steps) return "steps";
    if (o->until > 0 && at->step >= o->until) return "until";
    if (o->target > 0 && at->best_loss <= o->target) return "target";
    if (o->patience > 0 && at->worse >= o->patience) return "patience";
    if (o->time > 0 && !t->decay_laid && tg_training_seconds(t) >= o->time) return "time";
    return NULL;
}

tg_status tg_training_set_steps(tg_training *t, int64_t steps)
{
    tg_str text = {0};
    tg_str_addf(&text, "%lld", (long long)steps);
    tg_status s = text.failed ? TG_ENOMEM : tg_keys_set(t->keys, "steps", text.data, TG_FROM_FLAG);
    tg_str_free(&text);
    return s;
}

/* --time with wsd: when the share before the decay is over, the number of steps is laid down, so that from here on this is
 * the same run as one with that many --steps. */
static tg_status lay_decay(tg_training *t)
{
    const tg_train_options *o = t->o;
    int64_t step = t->loop->place.step;
    if (o->time <= 0 || o->steps > 0 || o->schedule != TG_WSD || step == 0) return TG_OK;
    if (tg_training_seconds(t) < o->time * (1 - o->decay_share)) return TG_OK;
    int64_t steps = o->decay_share < 1 ? (int64_t)((double)step / (1 - o->decay_share)) + 1 : step + 1;
    tg_schedule laid = tg_training_schedule(o, steps), open = tg_training_schedule(o, 0);
    while (tg_schedule_at(&laid, step - 1) < tg_schedule_at(&open, step - 1)) laid.steps++;
    tg_status s = tg_training_set_steps(t, laid.steps);
    if (s) return s;
    t->loop->options.schedule = laid;
    t->decay_laid = true;
    tg_log(t->ctx, TG_LOG_INFO, "step %lld: the learning rate falls from here to the end at step %lld", (long long)step,
           (long long)o->steps);
    return tg_training_settings(t);
}

/* ---- making everything --------------------------------------------------------------------------------------------- */

tg_status tg_training_settings(tg_training *t)
{
    char *json = tg_keys_json(t->keys, TG_KEY_RESULT, t->desc->learner ? STEPS : 0);
    if (!json) return TG_ENOMEM;
    tg_free(t->settings);
    t->about.settings = t->settings = json;
    t->saver.model_step = -1;
    return TG_OK;
}

/* A run that ended at a step holds it as --until. Whoever says anew how long it is to go on means more than that. */
static tg_status lift_until(tg_training *t)
{
    static const char *const lengths[] = {"steps", "epochs", "until", "time", "target", "patience"};
    bool said = false;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        said = said || tg_keys_source(t->keys, lengths[i]) > TG_FROM_RUN;
    return said ? tg_keys_set(t->keys, "until", "0", TG_FROM_RUN) : TG_OK;
}

/* What the run was started with holds where nothing else is said. Another model's options would not even be known. */
static tg_status read_run_config(tg_training *t)
{
    const char *out = t->o->out;
    char *path = tg_path_join(out, "config.json"), *text = NULL;
    int64_t length = 0;
    tg_arena *a = tg_arena_new(4096);
    const tg_json *config = NULL;
    tg_status s = a && path ? TG_OK : TG_ENOMEM;
    const bool there = !s && tg_path_kind(path) != TG_PATH_NONE;
    if (there) s = tg_file_slurp(path, MOST_CONFIG, &text, &length);
    if (!s && there) s = tg_json_parse(a, path, text, length, &config);
    const char *model = s ? NULL : tg_json_text(config, "model");
    if (model && strcmp(model, t->desc->name))
        s = tg_fail(TG_EINVAL, "%s cannot go on: its model is %s, but now it would be %s; give --model %s, or start anew with --force",
                    out, model, t->desc->name, model);
    if (!s && there) s = tg_keys_read_config(t->keys, path, text, length, NULL, TG_FROM_RUN);
    if (!s && there) s = lift_until(t);
    tg_arena_free(a);
    tg_free(text);
    tg_free(path);
    return s;
}

static const char *learns_from(const tg_model_desc *desc)
{
    return desc->kinds & TG_KIND_TEXT ? "text" : "images and points";
}

static tg_status check_text(const tg_training *t)
{
    int64_t n = tg_dataset_count(t->data, TG_TRAIN);
    int32_t first = -1, some[256];
    if (n < 2) return tg_fail(TG_EINVAL, "%s: no tokens to learn from; collect some text", t->o->data);
    for (int64_t i = 0; i < n; i += 256) { /* ends at the first token that differs */
        int64_t count = n - i < 256 ? n - i : 256;
        tg_status s = tg_dataset_tokens(t->data, TG_TRAIN, i, count, some);
        if (s) return s;
        if (first < 0) first = some[0];
        for (int64_t j = 0; j < count; j++)
            if (some[j] != first) return TG_OK;
    }
    return tg_fail(TG_EINVAL, "%s: the text repeats a single symbol, there is nothing to learn; give it other text", t->o->data);
}

static tg_status check_samples(const tg_training *t)
{
    const int64_t n = tg_dataset_count(t->data, TG_TRAIN), size = tg_model_data_size(&t->about.data);
    if (n < 2) return tg_fail(TG_EINVAL, "%s: fewer than two %s to learn from; collect more", t->o->data, t->words->items);
    float *both = tg_alloc_array(2 * size, sizeof *both);
    tg_status s = both ? tg_dataset_samples(t->data, TG_TRAIN, 0, 1, both, NULL) : TG_ENOMEM;
    bool differ = false;
    for (int64_t i = 1; i < n && !differ && !s; i++) {
        s = tg_dataset_samples(t->data, TG_TRAIN, i, 1, both + size, NULL);
        differ = !s && memcmp(both, both + size, (size_t)size * sizeof *both) != 0;
    }
    tg_free(both);
    if (s || differ) return s;
    return tg_fail(TG_EINVAL, "%s: all %s are the same, there is nothing to learn; collect others", t->o->data, t->words->items);
}

static tg_status check_data(const tg_training *t)
{
    if (t->desc->kinds & t->kind) return t->kind == TG_KIND_TEXT ? check_text(t) : check_samples(t);
    const char *from = learns_from(t->desc);
    return tg_fail(TG_EUNSUPPORTED, "%s: a dataset of %s; %s learns from %s: take one that gen-preprocess made of %s", t->o->data,
                   tg_kind_name(t->kind), t->desc->name, from, from);
}

/* What the data are, in memory and as JSON for the model's file. */
static tg_status describe_data(tg_training *t)
{
    const tg_tokenizer *k = tg_dataset_tokenizer(t->data);
    t->kind = tg_dataset_kind(t->data);
    t->words = tg_words_of(t->kind);
    if (t->kind == TG_KIND_TEXT) t->tokenizer = k ? tg_tokenizer_json(k) : NULL;
    else t->samples = tg_samples_json(t->data);
    if (!t->tokenizer && !t->samples) return TG_ENOMEM;
    t->about = (tg_about){.model = t->desc->name, .data_hash = tg_dataset_hash(t->data), .tokenizer = t->tokenizer,
                          .samples = t->samples, .data = tg_model_data_in(t->data)};
    return TG_OK;
}

static void warn_of_text(const tg_training *t)
{
    if (t->kind != TG_KIND_TEXT && tg_keys_source(t->keys, "seq") == TG_FROM_FLAG)
        tg_log(t->ctx, TG_LOG_WARN, "--seq: of no use to %s, each of which is one piece", t->words->items);
}

static tg_status open_data(tg_training *t, tg_str *chosen)
{
    if (!t->o->data) return tg_fail(TG_EUSAGE, "--data FILE is missing: the dataset, as gen-preprocess writes it");
    tg_status s = tg_dataset_open(t->ctx, t->o->data, &t->data);
    if (!s) tg_dataset_narrow(t->data, t->o->train_share);
    if (!s) s = tg_context_read(t->ctx, t->o->data);
    if (!s) s = describe_data(t);
    if (!s) s = check_data(t);
    if (!s) warn_of_text(t);
    if (!s && !t->desc->learner && (t->o->lora_rank > 0 || t->o->map_vocab) && !t->o->init)
        return tg_fail(TG_EUSAGE, "--%s goes on with a model that is there already: give --init RUN with it",
                       t->o->lora_rank > 0 ? "lora-rank" : "map-vocab");
    if (!s && !t->desc->learner) s = tg_training_init_settings(t);
    if (!s && !t->desc->learner) s = tg_train_defaults(t->o, t->desc, t->config, t->data, t->keys, chosen);
    if (s) return s;
    t->about.init = t->init_hash[0] ? t->init_hash : NULL;
    if (!t->desc->learner && t->o->on_nan == TG_NAN_REWIND && (t->desc->step || tg_dataset_count(t->data, TG_VAL) < 2))
        return tg_fail(TG_EUSAGE, "--on-nan rewind goes back to the best weights on validation, and there is no validation %s",
                       t->desc->step ? "loss" : "split");
    if (t->o->test_draws > 0 && (s = tg_bound_check(t->desc, t->data, TG_TEST))) return tg_note("--test-draws");
    return tg_training_settings(t);
}

tg_optim_config tg_training_optim(const tg_train_options *o)
{
    return (tg_optim_config){.kind = (tg_optim_kind)o->optimizer, .momentum = o->momentum, .nesterov = o->nesterov,
                             .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon, .weight_decay = o->weight_decay,
                             .hidden_rate = o->muon_lr > 0 ? o->muon_lr / o->lr : 1};
}

tg_lora_options tg_training_lora(const tg_train_options *o)
{
    return (tg_lora_options){.rank = o->lora_rank, .alpha = o->lora_alpha > 0 ? o->lora_alpha : 2 * (double)o->lora_rank,
                             .vocabulary = o->map_vocab, .seed = (uint64_t)o->seed};
}

tg_loop_options tg_training_loop(const tg_train_options *o)
{
    return (tg_loop_options){
        .optim = tg_training_optim(o),
        .schedule = tg_training_schedule(o, o->steps), .batch = o->batch, .seq = o->seq, .accum = o->accum,
        .clip = o->clip, .ema = o->ema, .seed = (uint64_t)o->seed, .on_nan = o->on_nan, .lora = tg_training_lora(o)};
}

static tg_status make_loop(tg_training *t)
{
    tg_loop_options options = tg_training_loop(t->o);
    tg_choice choice = {.temperature = 0.8, .top_p = 1, .repeat_penalty = 1};
    tg_status s = tg_model_new(t->ctx, t->desc, t->config, &t->about.data, (uint64_t)t->o->seed, true, false, &t->model);
    if (!s) s = tg_training_init_weights(t);
    if (!s) s = tg_freeze(tg_model_params(t->model), t->o->freeze);
    if (!s) s = tg_loop_new(t->ctx, t->model, t->data, &options, &t->loop);
    if (!s && t->kind == TG_KIND_TEXT)
        s = tg_generator_new(t->model, t->loop->tape, tg_dataset_tokenizer(t->data), &choice, 0, 1, &t->generator);
    t->saver = (tg_saver){.ctx = t->ctx, .dir = t->dir, .loop = t->loop, .about = &t->about, .keep = t->o->keep, .model_step = -1};
    return s;
}

static tg_status open_log(tg_training *t)
{
    char *path = tg_rundir_file(t->dir, "log.jsonl");
    tg_log_line last = {.kind = t->kind, .train_loss = NAN};
    tg_status s = path ? tg_runlog_open(path, t->loop->place.step, &last, &t->log) : TG_ENOMEM;
    t->before = last.seconds;
    t->train_loss = last.train_loss;
    t->old_rate = last.tokens_per_second;
    tg_free(path);
    return s;
}

tg_status tg_training_write_config(tg_training *t)
{
    char *json = tg_keys_json(t->keys, 0, TG_KEY_NO_CONFIG | (t->desc->learner ? STEPS : 0));
    tg_str text = {0};
    if (!json) return TG_ENOMEM;
    tg_str_add(&text, json);
    tg_str_add(&text, "\n");
    tg_status s = text.failed ? TG_ENOMEM : tg_rundir_put(t->dir, "config.json", text.data);
    tg_str_free(&text);
    tg_free(json);
    return s;
}

/* ---- driving -------------------------------------------------------------------------------------------------------- */

static tg_status save(tg_training *t)
{
    tg_status s = tg_checkpoint_save(&t->saver);
    t->saved_at = tg_now();
    if (!s || !t->o->keep_going || s == TG_ENOMEM) return s;
    tg_log(t->ctx, TG_LOG_WARN, "%s; training goes on", tg_error());
    return TG_OK;
}

static bool save_is_due(const tg_training *t)
{
    const tg_train_options *o = t->o;
    if (o->save_every > 0) return t->loop->place.step % o->save_every == 0;
    return tg_now() - t->saved_at >= SAVE_SECONDS;
}

bool tg_training_due(int64_t step, int64_t every, double share)
{
    const int64_t least = tg_handy_steps(share * (double)step);
    return every > 0 && step % (every > least ? every : least) == 0;
}

static bool evaluation_is_due(const tg_training *t)
{
    const tg_train_options *o = t->o;
    const int64_t step = t->loop->place.step;
    return tg_training_due(step, o->eval_every, o->eval_share) || step == o->steps;
}

/* Training broke down: the best weights so far, which the last save may not hold yet, are kept. */
static tg_status broke_down(tg_training *t, tg_status s)
{
    tg_str message = {0};
    if (s != TG_EDIVERGED || !t->loop->best || isnan(t->loop->place.best_loss)) return s;
    tg_str_add(&message, tg_error());
    const bool saved = tg_checkpoint_save_model(&t->saver) == TG_OK;
    if (!message.failed)
        s = tg_fail(s, "%s%s", message.data, saved ? "; model.safetensors holds the best weights so far" : "");
    tg_str_free(&message);
    return s;
}

static tg_status one_step(tg_training *t)
{
    tg_step_info i;
    double begin = tg_now();
    tg_status s = tg_loop_step(t->loop, &i);
    if (s) return broke_down(t, s);
    if (t->session_steps++ >= TG_WARM_STEPS) {
        t->step_seconds += tg_now() - begin;
        t->step_tokens += i.tokens;
    }
    if (t->session_steps == TG_WARM_STEPS) tg_training_start_profile(t);
    if (t->session_steps == 1)
        tg_log(t->ctx, TG_LOG_DETAIL, "first step done, %d ms after opening the data", (int)(1e3 * (tg_now() - t->started)));
    t->last_lr = i.lr;
    t->last_norm = i.grad_norm;
    tg_training_progress(t, &i, false);
    s = lay_decay(t);
    if (!s) s = tg_training_report(t, evaluation_is_due(t));
    if (!s && save_is_due(t)) s = save(t);
    return s;
}

static tg_status interrupted(tg_training *t)
{
    tg_status s = tg_checkpoint_save(&t->saver);
    if (s) return s;
    return tg_fail(TG_ECANCELLED, "stopped at step %lld, all saved; go on with: gen-train --resume -o %s",
                   (long long)t->loop->place.step, t->o->out);
}

/* An evaluation that was cancelled is made up for first: it is due, but not in the state. */
static tg_status make_up(tg_training *t)
{
    const tg_place *at = &t->loop->place;
    return t->loop->validation && at->step > 0 && at->evaluated != at->step && evaluation_is_due(t) ? tg_training_report(t, true)
                                                                                                    : TG_OK;
}

static tg_status run_steps(tg_training *t, const char **stopped)
{
    tg_status s = make_up(t);
    while (!s && !(*stopped = tg_training_done(t)) && !tg_cancelled(t->ctx)) s = one_step(t);
    if (s == TG_ECANCELLED || (!s && !*stopped)) return interrupted(t);
    return s;
}

/* The last step's loss; then config.json, which from now on repeats these steps whatever the clock says; then the state and
 * the result. A run that ended before its schedule did says where: --until. */
static tg_status finish(tg_training *t, const char *stopped)
{
    tg_status s = TG_OK;
    const double time = t->o->time;
    if (t->loop->place.evaluated != t->loop->place.step) s = tg_training_report(t, true);
    tg_training_tell_profile(t);
    if (s == TG_ECANCELLED) return interrupted(t);
    t->o->time = 0;
    if (strcmp(stopped, "steps")) t->o->until = t->loop->place.step;
    if (!s) s = tg_training_write_config(t);
    t->o->time = time;
    if (!s) s = tg_checkpoint_save(&t->saver);
    if (!s) s = tg_training_test(t);
    if (s == TG_ECANCELLED) return interrupted(t);
    return s ? s : tg_training_result(t, stopped);
}

/* A run that has ended already: nothing changes but what is missing or does not agree. */
static tg_status ended_already(tg_training *t, const char *stopped)
{
    char *path = tg_rundir_file(t->dir, "result.json"), *text = NULL;
    int64_t length = 0;
    tg_status s = path ? tg_checkpoint_save_model(&t->saver) : TG_ENOMEM;
    tg_log(t->ctx, TG_LOG_INFO, "%s has ended already, after step %lld; nothing is changed", t->o->out,
           (long long)t->loop->place.step);
    if (!s && (tg_path_kind(path) != TG_PATH_FILE || t->o->test_draws > 0)) {
        tg_free(path);
        s = open_log(t);
        return s || !stopped ? s : finish(t, stopped);
    }
    if (!s && t->o->json) s = tg_file_slurp(path, 1 << 26, &text, &length);
    if (!s && text) s = tg_output(t->ctx, text, length);
    tg_free(text);
    tg_free(path);
    return s;
}

static tg_status drive(tg_training *t, bool found, const char *chosen)
{
    const char *stopped = found ? tg_training_done(t) : NULL;
    if (stopped) return ended_already(t, stopped);
    tg_status s = tg_rundir_remove(t->dir, "result.json");
    if (!s) s = tg_training_write_config(t);
    if (!s) s = open_log(t);
    if (s) return s;
    if (found) tg_log(t->ctx, TG_LOG_INFO, "going on after step %lld", (long long)t->loop->place.step);
    else tg_training_tell_start(t, chosen);
    s = run_steps(t, &stopped);
    return s || !stopped ? s : finish(t, stopped);
}

static tg_status train_by_steps(tg_training *t, const char *chosen)
{
    bool found = false;
    tg_status s = make_loop(t);
    if (!s && t->o->resume && t->dir->used) s = tg_training_resume(t, &found);
    return s ? s : drive(t, found, chosen);
}

static tg_status train(tg_training *t, tg_str *chosen)
{
    tg_train_options *o = t->o;
    tg_status s = TG_OK;
    if (o->resume && o->out && tg_path_kind(o->out) == TG_PATH_FOLDER) s = read_run_config(t);
    if (!s && o->preset && o->resume) s = tg_preset_apply(o->preset, t->keys); /* is asked for now: a run of another does not fit */
    if (!s) s = open_data(t, chosen);
    if (!s && o->dry_run && t->desc->learner) return tg_training_learn_plan(t);
    if (!s && o->dry_run) return tg_training_plan(t, chosen->data ? chosen->data : "");
    if (!s) s = tg_rundir_open(o->out, o->resume, o->force, &t->dir);
    if (!s && t->desc->learner) s = tg_training_learn(t);
    else if (!s) s = train_by_steps(t, chosen->data ? chosen->data : "");
    return s ? s : tg_deps_write_in(t->ctx, o->deps, o->out, "result.json");
}

static void free_training(tg_training *t)
{
    tg_trained_close(t->initial);
    tg_generator_free(t->generator);
    tg_pictures_free(t->pictures);
    tg_runlog_close(t->log);
    tg_loop_free(t->loop);
    tg_model_free(t->model);
    tg_rundir_close(t->dir);
    tg_free(t->profile);
    tg_free(t->settings);
    tg_free(t->tokenizer);
    tg_free(t->samples);
    tg_dataset_close(t->data);
}

tg_status tg_train_cost(tg_context *ctx, tg_train_options *o, const tg_model_desc *desc, const void *config, tg_keys *keys, tg_cost *out)
{
    tg_training t = {.ctx = ctx, .o = o, .keys = keys, .desc = desc, .config = config, .started = tg_now()};
    tg_str chosen = {0};
    tg_status s = open_data(&t, &chosen);
    if (!s && !desc->learner) s = make_loop(&t);
    if (!s) s = desc->learner ? tg_training_learn_cost(&t, out) : tg_training_cost(&t, out);
    tg_str_free(&chosen);
    free_training(&t);
    return s;
}

tg_status tg_train(tg_context *ctx, tg_train_options *o, const void *config, tg_keys *keys)
{
    const tg_model_desc *desc = NULL;
    tg_str chosen = {0};
    tg_status s = tg_train_model(o, &desc);
    if (!s && o->preset) s = tg_preset_apply(o->preset, keys);
    if (s) return s;
    if (!desc) return tg_model_find(NULL, &desc);
    if (o->nesterov && ((o->optimizer != TG_SGD && o->optimizer != TG_MUON) || o->momentum <= 0))
        return tg_fail(TG_EUSAGE, "--nesterov is a form of sgd's momentum and of muon's: give --optimizer sgd --momentum 0.9 "
                                 "with it");
    if (!o->out && !o->dry_run) return tg_fail(TG_EUSAGE, "-o RUN is missing: the run folder to make");
    double now = tg_now();
    tg_training t = {.ctx = ctx, .o = o, .keys = keys, .desc = desc, .config = config, .started = now, .saved_at = now,
                     .train_loss = NAN, .diversity = NAN, .saver = {.model_step = -1}};
    s = train(&t, &chosen);
    if (s && t.dir && !t.dir->used && !tg_rundir_has(t.dir, "config.json")) tg_rundir_discard(t.dir);
    tg_str_free(&chosen);
    free_training(&t);
    return s;
}

tg_status tg_train_model(const tg_train_options *o, const tg_model_desc **out)
{
    *out = NULL;
    const char *preset = NULL;
    if (o->preset) {
        tg_status s = tg_preset_model(o->preset, &preset);
        if (s) return s;
        if (o->model && strcmp(o->model, preset))
            return tg_fail(TG_EUSAGE, "--preset %s is a %s; leave --model out", o->preset, preset);
    }
    if (o->model || preset) return tg_model_find(o->model ? o->model : preset, out);
    if (!o->resume || !o->out || tg_path_kind(o->out) != TG_PATH_FOLDER) return TG_OK;
    tg_arena *a = tg_arena_new(4096);
    const tg_json *config = NULL;
    tg_status s = a ? tg_rundir_config(o->out, a, &config) : TG_ENOMEM;
    const char *name = s ? NULL : tg_json_text(config, "model");
    if (name) s = tg_model_find(name, out);
    tg_arena_free(a);
    return s;
}
