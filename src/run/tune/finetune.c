/* finetune.c - gen-tune finetune: a model and new data -> a run folder, and what was gained and forgotten. The training is
 * gen-train's with --init; here are its defaults, and the measuring before and after. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/str.h"
#include "run/defaults.h"
#include "run/kept.h"
#include "run/kinds.h"
#include "run/likelihood.h"
#include "run/metrics/bits.h"
#include "run/result.h"
#include "run/rundir.h"
#include "run/tune/recall.h"
#include "tinygen/run.h"

#include <math.h>
#include <string.h>

const tg_key tg_finetune_keys[] = {
    TG_TEXT(tg_finetune_options, run, 0, NULL, "RUN|model.safetensors", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NO_CONFIG,
            "what to go on from: a run folder or a model file"),
    TG_TEXT(tg_finetune_options, old_data, 0, NULL, "FILE", TG_KEY_NO_CONFIG | TG_KEY_NAME,
            "dataset that RUN learned from, to see what is forgotten; without it, the one that RUN's config.json names"),
    TG_KEYS_END
};

/* Steps and rates beside those of training from scratch on the same data, and the share of steps over which the rate falls: a short
 * training gains most while it does. Measured: docs/tune.md. */
enum { STEPS_SHARE = 3 };
static const double RATE_SHARE = 0.5, ADAPTER_RATE_SHARE = 1;
static const char *const DECAY_SHARE = "0.5";
static const double NEGLIGIBLE = 0.01; /* share of characters that a text may lack and still be about the same text */

typedef struct finetuning {
    tg_context *ctx;
    const tg_finetune_options *o;
    tg_train_options *train;
    tg_keys *keys;
    tg_trained *old;           /* without weights */
    tg_dataset *data, *old_data;
    tg_kept kept;
    tg_recall new_before, new_after, old_before, old_after;
    int64_t steps, params, trained;
    double seconds;
} finetuning;

/* ---- defaults ------------------------------------------------------------------------------------------------------- */

/* As if the run folder said it: what stands there in a run that is gone on with counts more, and so do options. */
static tg_status propose(finetuning *f, const char *key, const char *value)
{
    return tg_keys_source(f->keys, key) == TG_FROM_DEFAULT ? tg_keys_set(f->keys, key, value, TG_FROM_RUN) : TG_OK;
}

static tg_status propose_out(finetuning *f)
{
    tg_str name = {0};
    const char *run = f->o->run;
    int64_t length = (int64_t)strlen(run);
    if (f->train->out || f->train->dry_run) return TG_OK;
    if (tg_path_kind(run) != TG_PATH_FOLDER) return tg_fail(TG_EUSAGE, "-o RUN is missing: the run folder to make");
    while (length > 1 && run[length - 1] == '/') length--;
    tg_str_add_n(&name, run, length);
    tg_str_add(&name, "-tuned");
    tg_status s = name.failed ? TG_ENOMEM : tg_keys_set(f->keys, "out", name.data, TG_FROM_RUN);
    tg_str_free(&name);
    return s;
}

static tg_status propose_length(finetuning *f)
{
    const tg_train_options *o = f->train;
    const bool muon = tg_keys_source(f->keys, "optimizer") == TG_FROM_DEFAULT || o->optimizer == TG_MUON;
    const tg_usual usual = tg_train_usual(f->old->desc, f->data, muon);
    char text[40];
    tg_str steps = {0};
    tg_format_real(text, usual.lr * (o->lora_rank > 0 ? ADAPTER_RATE_SHARE : RATE_SHARE));
    tg_status s = propose(f, "lr", text);
    if (!s) s = propose(f, "decay_share", DECAY_SHARE);
    tg_str_addf(&steps, "%lld", (long long)((usual.steps + STEPS_SHARE - 1) / STEPS_SHARE));
    if (!s && steps.failed) s = TG_ENOMEM;
    if (!s && o->epochs == 0 && o->time <= 0 && o->until == 0) s = propose(f, "steps", steps.data);
    tg_str_free(&steps);
    return s;
}

/* RUN is there to be compared with, and an adapter is of no use without it. */
static tg_status check_replaced(const finetuning *f)
{
    char *folder = tg_path_parent(f->old->path);
    tg_status s = !folder ? TG_ENOMEM : !tg_path_same(folder, f->train->out) ? TG_OK
                : tg_fail(TG_EUSAGE, "-o %s is where %s is, which would be replaced; give -o another name", f->train->out, f->o->run);
    tg_free(folder);
    return s;
}

/* What a run that is gone on with began with: all figures of before are RUN's. One that was killed before it could say begins anew. */
static tg_status check_begun(const finetuning *f)
{
    char *path = tg_path_join(f->train->out, "model.safetensors"), hex[65] = "";
    tg_safetensors *file = NULL;
    tg_status s = path ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(path) == TG_PATH_FILE && tg_safetensors_open(path, &file) == TG_OK) {
        const char *init = tg_json_text(tg_safetensors_meta(file), "init");
        s = tg_trained_hash(f->old->path, hex);
        if (!s && (!init || strcmp(init, hex)))
            s = tg_fail(TG_EINVAL, "%s cannot go on: it was not begun with %s as that is now; name the model that it was begun with, "
                                   "give -o another name, or start anew with --force", f->train->out, f->o->run);
    }
    tg_safetensors_close(file);
    tg_free(path);
    return s;
}

static tg_status check_out(const finetuning *f)
{
    tg_status s = check_replaced(f);
    return s || !f->train->resume ? s : check_begun(f);
}

static tg_status propose_all(finetuning *f)
{
    if (tg_keys_source(f->keys, "init") >= TG_FROM_CONFIG)
        return tg_fail(TG_EUSAGE, "--init says what to go on from, and so does %s; leave it out", f->o->run);
    tg_status s = propose(f, "model", f->old->desc->name);
    if (!s) s = propose(f, "init", f->o->run);
    if (!s && !f->kept.same) s = propose(f, "map_vocab", "true");
    if (!s) s = propose_out(f);
    if (!s && f->train->out) s = check_out(f);
    return s ? s : propose_length(f);
}

/* ---- what there is -------------------------------------------------------------------------------------------------- */

static tg_status check_kinds(const finetuning *f)
{
    const tg_kind had = f->old->data.kind, has = tg_dataset_kind(f->data);
    if (f->old->desc->learner)
        return tg_fail(TG_EUSAGE, "%s: %s learns in one pass and is not tuned: train one on both datasets", f->o->run,
                       f->old->desc->name);
    if (had == has && had != TG_KIND_TEXT)
        return tg_samples_same(f->old->samples, &f->old->data, f->o->run, f->data, f->train->data, false);
    if (had == has) return TG_OK;
    return tg_fail(TG_EINVAL, "%s was trained on %s, and %s holds %s", f->o->run, tg_kind_name(had), f->train->data, tg_kind_name(has));
}

/* Told where it is not there, and no reason to fail, unless it was asked for. */
static tg_status open_old_data(finetuning *f)
{
    const char *named = f->o->old_data, *hash = tg_json_text(tg_safetensors_meta(f->old->file), "data");
    char *path = NULL;
    tg_status s = named ? TG_OK : tg_rundir_data(f->o->run, &path);
    if (!s) s = tg_dataset_open(f->ctx, named ? named : path, &f->old_data);
    if (!s) s = tg_context_read(f->ctx, named ? named : path);
    if (s && !named && s != TG_ENOMEM) {
        tg_log(f->ctx, TG_LOG_WARN, "the old data, which %s learned from, are not at hand: nobody can say what is forgotten; give "
                                    "--old-data FILE (%s)", f->o->run, path ? path : "a model file does not name them");
        s = TG_OK;
    }
    if (!s && f->old_data && (!hash || strcmp(hash, tg_dataset_hash(f->old_data))))
        tg_log(f->ctx, TG_LOG_WARN, "%s is not what %s learned from: its content is another", named ? named : path, f->o->run);
    tg_free(path);
    return s;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

/* The model as training started it, before its first step: new rows are those of the run's seed. */
static tg_status measure_start(finetuning *f, tg_recall *out)
{
    const tg_model_data about = tg_model_data_in(f->data);
    tg_model *m = NULL;
    tg_tape *tape = NULL;
    tg_likelihood *l = NULL;
    *out = (tg_recall){.nats = NAN, .bits = NAN};
    if (!f->old->desc->loss || tg_dataset_count(f->data, TG_VAL) < 2) return TG_OK;
    tg_status s = tg_model_new(f->ctx, f->old->desc, f->old->config, &about, (uint64_t)f->train->seed, false, false, &m);
    if (!s) s = tg_kept_read(f->old, f->data, tg_model_params(m));
    if (!s) s = tg_tape_new(f->ctx, &tape);
    if (!s) s = tg_likelihood_new(f->data, TG_VAL, m, &l);
    if (!s) s = tg_likelihood_of(f->ctx, l, m, tape, &out->nats);
    if (!s) out->bits = about.kind == TG_KIND_TEXT ? tg_bits_per_char(f->data, TG_VAL, out->nats) : tg_bits_per_dim(&about, out->nats);
    tg_likelihood_free(l);
    tg_tape_free(tape);
    tg_model_free(m);
    return s;
}

static tg_status measure(finetuning *f)
{
    const char *out = f->train->out;
    tg_status s = measure_start(f, &f->new_before);
    if (!s) s = tg_recall_of(f->ctx, out, f->data, out, &f->new_after);
    if (!s && f->old_data) s = tg_recall_of(f->ctx, f->o->run, f->old_data, out, &f->old_before);
    if (!s && f->old_data) s = tg_recall_of(f->ctx, out, f->old_data, out, &f->old_after);
    return s;
}

static tg_status read_result(finetuning *f)
{
    char *path = tg_path_join(f->train->out, "result.json"), *text = NULL;
    int64_t length = 0;
    tg_arena *a = tg_arena_new(4096);
    const tg_json *result = NULL;
    tg_status s = path && a ? tg_file_slurp(path, 1 << 26, &text, &length) : TG_ENOMEM;
    if (!s) s = tg_json_parse(a, path, text, length, &result);
    if (!s) {
        tg_json_int(result, "steps", &f->steps);
        tg_json_int(result, "params", &f->params);
        if (!tg_json_int(result, "trained_params", &f->trained)) f->trained = f->params;
    }
    tg_arena_free(a);
    tg_free(text);
    tg_free(path);
    return s;
}

/* ---- telling -------------------------------------------------------------------------------------------------------- */

static void add_figure(tg_str *out, double x)
{
    enum { WIDTH = 10 };
    tg_str text = {0};
    if (isnan(x)) tg_str_add(&text, "-");
    else tg_str_add_fixed(&text, x, 3);
    for (int64_t i = text.length; i < WIDTH; i++) tg_str_add(out, " ");
    tg_str_add(out, text.data ? text.data : "");
    out->failed = out->failed || text.failed;
    tg_str_free(&text);
}

static void add_row(tg_str *out, const char *what, const char *unit, double before, double after)
{
    tg_str_addf(out, "%s, %-*s", what, (int)(20 - strlen(what)), unit);
    add_figure(out, before);
    add_figure(out, after);
    tg_str_add(out, "  ");
    if (!isnan(before) && !isnan(after)) {
        if (after > before) tg_str_add(out, "+");
        tg_str_add_fixed(out, after - before, 3);
    }
    tg_str_add(out, "\n");
}

static void add_share(tg_str *out, int64_t part, int64_t all)
{
    tg_str_add_fixed(out, all > 0 ? 100 * (double)part / (double)all : 0, 1);
    tg_str_add(out, " %");
}

static void add_table(const finetuning *f, tg_str *out)
{
    const tg_kind_words *words = tg_words_of(f->old->data.kind);
    char a[32], b[32], c[32];
    tg_str_addf(out, "%s -> %s", f->o->run, f->train->out);
    if (f->kept.count > 0)
        tg_str_addf(out, ": %s of %s %s known, %s new", tg_format_count(a, f->kept.known), tg_format_count(b, f->kept.count),
                    f->old->tokenizer ? "tokens" : "classes", tg_format_count(c, f->kept.count - f->kept.known));
    tg_str_add(out, "\n");
    tg_str_addf(out, "%s of %s parameters trained (", tg_format_count(a, f->trained), tg_format_count(b, f->params));
    add_share(out, f->trained, f->params);
    tg_str_addf(out, "), %s steps\n%-22s%10s%10s  change\n", tg_format_count(c, f->steps), "validation", "before", "after");
    add_row(out, "new data", "nats", f->new_before.nats, f->new_after.nats);
    if (words->bits) add_row(out, "new data", words->bits_shown, f->new_before.bits, f->new_after.bits);
    if (!f->old_data) return;
    if (words->bits) add_row(out, "old data", words->bits_shown, f->old_before.bits, f->old_after.bits);
    else add_row(out, "old data", "nats", f->old_before.nats, f->old_after.nats);
    if (f->old_after.missing == 0) return;
    tg_str_addf(out, "%s of %s characters of the old text are not in the new vocabulary and %s%s\n",
                tg_format_count(a, f->old_after.missing), tg_format_count(b, f->old_after.chars),
                tg_tokenizer_unknown(tg_dataset_tokenizer(f->data)) >= 0 ? "became unknown ones" : "were left out",
                (double)f->old_after.missing > NEGLIGIBLE * (double)f->old_after.chars ? ": its figures do not compare" : "");
}

static void put_recall(tg_json_writer *w, const char *const names[4], const tg_recall *before, const tg_recall *after)
{
    tg_json_member_real(w, names[0], before->nats);
    tg_json_member_real(w, names[1], after->nats);
    tg_json_member_real(w, names[2], before->bits);
    tg_json_member_real(w, names[3], after->bits);
}

static void add_object(const finetuning *f, tg_str *out)
{
    static const char *const of_new[] = {"val_loss_before", "val_loss", "bits_before", "bits"};
    static const char *const of_old[] = {"old_val_loss_before", "old_val_loss", "old_bits_before", "old_bits"};
    tg_json_writer w = {.out = out};
    tg_result_begin(&w, "gen-tune", f->train->out, f->train->seed, f->seconds);
    tg_json_member_text(&w, "run", f->o->run);
    tg_json_member_text(&w, "model", f->old->desc->name);
    tg_json_member_int(&w, "steps", f->steps);
    tg_json_member_int(&w, "params", f->params);
    tg_json_member_int(&w, "trained_params", f->trained);
    tg_json_member_int(&w, f->old->tokenizer ? "tokens" : "classes", f->kept.count);
    tg_json_member_int(&w, "known", f->kept.known);
    tg_json_member_int(&w, "new", f->kept.count - f->kept.known);
    put_recall(&w, of_new, &f->new_before, &f->new_after);
    put_recall(&w, of_old, &f->old_before, &f->old_after);
    tg_json_member_int(&w, "old_characters", f->old_after.chars);
    tg_json_member_int(&w, "old_characters_missing", f->old_after.missing);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
}

static tg_status put_file(const finetuning *f, const tg_str *object)
{
    char *path = tg_path_join(f->train->out, "finetune.json");
    tg_status s = path ? tg_write_file(path, object->data, object->length) : TG_ENOMEM;
    tg_free(path);
    return s;
}

static tg_status tell(const finetuning *f)
{
    tg_str object = {0}, table = {0};
    add_object(f, &object);
    if (!f->o->json) add_table(f, &table);
    const tg_str *shown = f->o->json ? &object : &table;
    tg_status s = object.failed || table.failed ? TG_ENOMEM : put_file(f, &object);
    if (!s) s = tg_output(f->ctx, shown->data, shown->length);
    tg_str_free(&object);
    tg_str_free(&table);
    return s;
}

/* ---- driving -------------------------------------------------------------------------------------------------------- */

static tg_status prepare(finetuning *f)
{
    if (!f->train->data) return tg_fail(TG_EUSAGE, "--data FILE is missing: the new dataset, as gen-preprocess writes it");
    tg_status s = tg_trained_open(f->ctx, f->o->run, false, &f->old);
    if (!s) s = tg_dataset_open(f->ctx, f->train->data, &f->data);
    if (!s) s = check_kinds(f);
    if (!s) s = tg_kept_count(f->old, f->data, &f->kept);
    if (!s) s = propose_all(f);
    if (!s && !f->train->dry_run) s = open_old_data(f);
    return s;
}

/* gen-train --resume would train to the end, but not report. */
static tg_status say_how_to_go_on(const finetuning *f, tg_status s)
{
    tg_str said = {0};
    if (s != TG_ECANCELLED || !f->train->out) return s;
    tg_str_add_n(&said, tg_error(), (int64_t)strcspn(tg_error(), ";"));
    if (!said.failed)
        s = tg_fail(s, "%s; go on with: gen-tune finetune %s --data %s --resume -o %s", said.data ? said.data : "", f->o->run,
                    f->train->data, f->train->out);
    tg_str_free(&said);
    return s;
}

static tg_status finetune(finetuning *f, const void *config)
{
    const double begin = tg_now();
    tg_status s = prepare(f);
    if (!s) s = tg_train(f->ctx, f->train, config, f->keys);
    if (!s && f->train->dry_run) return s;
    if (!s) s = measure(f);
    if (!s) s = read_result(f);
    f->seconds = tg_now() - begin;
    return s ? say_how_to_go_on(f, s) : tell(f);
}

tg_status tg_finetune(tg_context *ctx, const tg_finetune_options *o, tg_train_options *train, const void *config, tg_keys *keys)
{
    const tg_recall unknown = {.nats = NAN, .bits = NAN};
    finetuning f = {.ctx = ctx, .o = o, .train = train, .keys = keys, .new_before = unknown, .new_after = unknown,
                    .old_before = unknown, .old_after = unknown};
    train->json = o->json && train->dry_run;
    tg_status s = finetune(&f, config);
    tg_trained_close(f.old);
    tg_dataset_close(f.data);
    tg_dataset_close(f.old_data);
    return s;
}

tg_status tg_finetune_model(const tg_finetune_options *o, const tg_model_desc **out)
{
    char *path = NULL;
    tg_safetensors *file = NULL;
    *out = NULL;
    if (!o->run) return TG_OK;
    tg_status s = tg_trained_path(o->run, &path);
    if (!s) s = tg_safetensors_open(path, &file);
    const char *name = s ? NULL : tg_json_text(tg_safetensors_meta(file), "model");
    if (name) s = tg_model_find(name, out); /* all else that may be wrong with the file is found when it is used */
    tg_safetensors_close(file);
    tg_free(path);
    return s;
}
