/* train_resume.c - finding the newest state, and refusing one that does not fit; starting from another run's weights. */
#include "run/train.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/kept.h"

#include <string.h>

/* In the order they are tried. A save that was cut off leaves the first, or, between its renames, the second as the newest. */
static const char *const state_names[] = {"state.safetensors", "state.next.safetensors", "state.prev.safetensors"};
enum { STATES = sizeof state_names / sizeof state_names[0] };

/* ---- comparing ------------------------------------------------------------------------------------------------------ */

static tg_status differs(const tg_training *t, const char *field, const char *stored, const char *now, const char *remedy)
{
    return tg_fail(TG_EINVAL, "%s cannot go on: its %s is %.200s, but now it would be %.200s; %s", t->o->out, field, stored, now,
                   remedy);
}

static const char start_anew[] = "give it as it was, start anew with --force, or go on elsewhere with --init RUN -o OTHER";

/* Steps may change where every rate so far would have been the same. */
static tg_status check_steps(tg_training *t, int64_t stored, int64_t step)
{
    const tg_train_options *o = t->o;
    if (o->steps == 0 && stored > 0 && o->schedule == TG_WSD) { /* --time had laid its decay */
        tg_status s = tg_training_set_steps(t, stored);
        if (s) return s;
        t->decay_laid = true;
    }
    tg_schedule before = tg_training_schedule(o, stored), after = tg_training_schedule(o, o->steps);
    if (stored == o->steps || step == 0 || (o->steps > 0 && step >= o->steps && o->schedule == TG_CONSTANT)) return TG_OK;
    if (tg_schedule_at(&before, step - 1) == tg_schedule_at(&after, step - 1)) return TG_OK;
    static const char *const why[] = {"constant", "cosine", "linear", "wsd"};
    return tg_fail(TG_EINVAL, "%s cannot go on to step %lld: its %s schedule was laid out for %lld steps, and at step %lld its "
                   "learning rate falls already; go on elsewhere with --init %s -o OTHER, or start anew with --force",
                   o->out, (long long)o->steps, why[o->schedule], (long long)stored, (long long)step, o->out);
}

static tg_status compare_setting(const tg_training *t, const tg_json *stored, const tg_json *now)
{
    tg_str a = {0}, b = {0}, field = {0}, remedy = {0};
    tg_settings_text(&a, stored);
    if (now) tg_settings_text(&b, now);
    else tg_str_add(&b, "nothing");
    tg_str_addf(&field, "setting %s", stored->key);
    tg_str_add(&remedy, "give --");
    if (stored->type == TG_JSON_BOOL && !stored->integer) tg_str_add(&remedy, "no-");
    for (const char *c = stored->key; *c; c++) tg_str_add_n(&remedy, *c == '_' ? "-" : c, 1);
    if (stored->type != TG_JSON_BOOL) tg_str_addf(&remedy, " %s", a.data ? a.data : "");
    if (t->desc->learner) tg_str_add(&remedy, ", or start anew with --force");
    else tg_str_addf(&remedy, ", start anew with --force, or go on elsewhere with --init %s -o OTHER", t->o->out);
    tg_status s = TG_OK;
    if (a.failed || b.failed || field.failed || remedy.failed) s = TG_ENOMEM;
    else if (strcmp(a.data ? a.data : "", b.data ? b.data : ""))
        s = differs(t, field.data, a.data ? a.data : "", b.data ? b.data : "", remedy.data);
    tg_str_free(&a);
    tg_str_free(&b);
    tg_str_free(&field);
    tg_str_free(&remedy);
    return s;
}

static tg_status compare_settings(const tg_training *t, const tg_json *stored)
{
    const tg_json *now = NULL;
    tg_arena *a = tg_arena_new(4096);
    tg_status s = a ? tg_json_parse(a, "settings", t->settings, (int64_t)strlen(t->settings), &now) : TG_ENOMEM;
    if (!s && (!stored || stored->type != TG_JSON_OBJECT)) s = tg_fail(TG_EFORMAT, "it lacks its settings");
    for (const tg_json *m = s ? NULL : stored->child; m && !s; m = m->next)
        if (strcmp(m->key, "steps") && strcmp(m->key, "on_nan")) s = compare_setting(t, m, tg_json_get(now, m->key));
    tg_arena_free(a);
    return s;
}

static tg_status compare_tokenizer(const tg_training *t, const tg_json *stored)
{
    tg_str json = {0};
    tg_json_writer w = {.out = &json};
    tg_tokenizer *old = NULL;
    if (!stored) return tg_fail(TG_EFORMAT, "it lacks its tokeniser");
    tg_json_put_tree(&w, stored);
    tg_status s = json.failed ? TG_ENOMEM : tg_tokenizer_from_json(json.data, json.length, &old);
    if (!s) s = tg_tokenizer_same(old, t->o->out, tg_dataset_tokenizer(t->data), t->o->data, NULL);
    tg_tokenizer_free(old);
    tg_str_free(&json);
    return s;
}

tg_status tg_training_compare(tg_training *t, const tg_json *meta)
{
    const char *model = tg_json_text(meta, "model"), *data = tg_json_text(meta, "data");
    int64_t algorithm = 0;
    if (!model || !data || !tg_json_int(meta, "algorithm", &algorithm)) return tg_fail(TG_EFORMAT, "it does not say what made it");
    char stored[24], now[24];
    tg_format_count(stored, algorithm);
    tg_format_count(now, TG_ALGORITHM);
    if (algorithm != TG_ALGORITHM)
        return differs(t, "algorithm version", stored, now, "use the version that began it, or --init");
    if (strcmp(model, t->desc->name)) return differs(t, "model", model, t->desc->name, start_anew);
    tg_status s = t->samples ? TG_OK : compare_tokenizer(t, tg_json_get(meta, "tokenizer")); /* the data's hash holds for the rest */
    if (!s && strcmp(data, t->about.data_hash))
        s = differs(t, "dataset's content hash", data, t->about.data_hash,
                    t->desc->learner ? "give the dataset it was begun with, or start anew with --force"
                                     : "give the dataset it was begun with, or go on elsewhere with --init RUN -o OTHER");
    return s ? s : compare_settings(t, tg_json_get(meta, "settings"));
}

/* Errors: TG_EINVAL (well-formed, but of another run), TG_EFORMAT (damaged). */
static tg_status compare(tg_training *t, const tg_json *meta)
{
    const char *kind = tg_json_text(meta, "kind");
    int64_t step = 0, steps = 0;
    const tg_json *settings = tg_json_get(meta, "settings");
    if (!kind || strcmp(kind, "state") || !tg_json_get(settings, "steps") ||
        !tg_json_int(tg_json_get(meta, "place"), "step", &step))
        return tg_fail(TG_EFORMAT, "it is not a training state");
    tg_json_int(settings, "steps", &steps); /* null: open-ended */
    tg_status s = tg_training_compare(t, meta);
    if (!s) s = check_steps(t, steps, step);
    const char *init = tg_json_text(meta, "init");
    if (!s && init && strlen(init) == 64) {
        memcpy(t->init_hash, init, 65);
        t->about.init = t->init_hash;
    }
    return s;
}

/* ---- resuming ------------------------------------------------------------------------------------------------------- */

/* Whether it is there, whole, and of the step that the model beside it is of. */
static bool adapter_fits(const tg_training *t)
{
    char *path = tg_rundir_file(t->dir, "adapter.safetensors");
    tg_safetensors *file = NULL;
    int64_t step = -1;
    const bool read = path && !tg_safetensors_open(path, &file) && tg_json_int(tg_safetensors_meta(file), "step", &step) &&
                      !tg_weights_read(t->ctx, file, "", t->loop->set, t->loop->aside);
    tg_safetensors_close(file);
    tg_free(path);
    return read && step == t->saver.model_step;
}

/* A damaged or missing model.safetensors is made anew from the state, and an adapter with it. */
static void check_model_file(tg_training *t)
{
    char *path = tg_rundir_file(t->dir, "model.safetensors"), *bytes = NULL, hex[65] = "";
    int64_t length = 0;
    if (path && tg_path_kind(path) == TG_PATH_FILE && tg_file_slurp(path, INT64_C(1) << 36, &bytes, &length) == TG_OK)
        tg_sha256_hex(bytes, length, hex);
    if (strcmp(hex, t->saver.model_sha256) || (t->loop->lora && !adapter_fits(t))) t->saver.model_step = -1;
    tg_free(bytes);
    tg_free(path);
}

static tg_status take_state(tg_training *t, const char *path)
{
    tg_safetensors *file = NULL;
    tg_status s = tg_safetensors_open(path, &file);
    if (!s && (s = compare(t, tg_safetensors_meta(file))) == TG_EFORMAT) s = tg_note("%s", path);
    if (!s) s = tg_checkpoint_load(file, &t->saver);
    bool other = false;
    if (!s) { /* settings may have changed: more steps */
        tg_str old = {0};
        tg_json_writer w = {.out = &old};
        tg_json_put_tree(&w, tg_json_get(tg_safetensors_meta(file), "settings"));
        int64_t step = t->saver.model_step;
        s = old.failed ? TG_ENOMEM : tg_training_settings(t);
        other = !s && strcmp(old.data, t->settings) != 0;
        t->saver.model_step = other ? -1 : step;
        tg_str_free(&old);
    }
    tg_safetensors_close(file);
    return s;
}

static bool is_damage(tg_status s)
{
    return s == TG_EFORMAT || s == TG_EIO;
}

static tg_status settle(tg_training *t)
{
    t->loop->options.schedule = tg_training_schedule(t->o, t->o->steps);
    if (t->saver.model_step >= 0) check_model_file(t);
    return TG_OK;
}

tg_status tg_training_resume(tg_training *t, bool *found)
{
    tg_str first = {0};
    int tried = 0;
    for (int i = 0; i < STATES; i++) {
        if (!tg_rundir_has(t->dir, state_names[i])) continue;
        char *path = tg_rundir_file(t->dir, state_names[i]);
        tg_status s = path ? take_state(t, path) : TG_ENOMEM;
        if (!s && tried > 0) tg_log(t->ctx, TG_LOG_WARN, "%s; taking %s in its place", first.data ? first.data : "", path);
        tg_free(path);
        *found = !s;
        if (!s || !is_damage(s)) {
            tg_str_free(&first);
            return s ? s : settle(t);
        }
        if (tried++ == 0) tg_str_add(&first, tg_error());
    }
    tg_status s = tried == 0 ? TG_OK
                : tg_fail(TG_EFORMAT, "%s; no state of %s can be read: start anew with --force", first.data ? first.data : "",
                          t->o->out);
    tg_str_free(&first);
    return s;
}

/* ---- --init ---------------------------------------------------------------------------------------------------------- */

static bool has_state(const tg_train_options *o)
{
    bool found = false;
    for (int i = 0; i < STATES && o->resume && o->out; i++) {
        char *path = tg_path_join(o->out, state_names[i]);
        found = found || (path && tg_path_kind(path) == TG_PATH_FILE);
        tg_free(path);
    }
    return found;
}

static tg_status tell_kept(const tg_training *t)
{
    tg_kept kept;
    char known[32], count[32], added[32];
    tg_status s = tg_kept_count(t->initial, t->data, &kept);
    if (s || kept.same) return s;
    tg_log(t->ctx, TG_LOG_INFO, "%s of %s %s known, %s new", tg_format_count(known, kept.known), tg_format_count(count, kept.count),
           t->samples ? "classes" : "tokens", tg_format_count(added, kept.count - kept.known));
    return TG_OK;
}

static tg_status check_vocabulary(const tg_training *t)
{
    const char *init = t->o->init, *data = t->o->data;
    const bool map = t->o->map_vocab;
    if (t->samples) {
        tg_status s = tg_samples_same(t->initial->samples, &t->initial->data, init, t->data, data, !map);
        return s || !map ? s : tell_kept(t);
    }
    if (map) return tell_kept(t);
    return tg_tokenizer_same(t->initial->tokenizer, init, tg_dataset_tokenizer(t->data), data,
                             "give --map-vocab to keep what both know, or train from the start");
}

tg_status tg_training_init_settings(tg_training *t)
{
    const char *init = t->o->init;
    if (!init || has_state(t->o)) return TG_OK;
    tg_status s = tg_trained_open(t->ctx, init, false, &t->initial);
    if (s) return tg_note("--init");
    s = tg_context_read(t->ctx, t->initial->path);
    if (s) return s;
    if (t->initial->desc != t->desc)
        return tg_fail(TG_EINVAL, "--init %s: its model is %s, not %s; give --model %s", init, t->initial->desc->name, t->desc->name,
                       t->initial->desc->name);
    s = check_vocabulary(t);
    if (!s) s = tg_trained_hash(t->initial->path, t->init_hash);
    if (!s) s = tg_settings_apply(tg_json_get(tg_safetensors_meta(t->initial->file), "settings"), t->desc->keys, t->keys,
                                  TG_FROM_CONFIG);
    return s ? tg_note("--init") : TG_OK;
}

tg_status tg_training_init_weights(tg_training *t)
{
    if (!t->initial) return TG_OK;
    tg_params *p = tg_model_params(t->model);
    tg_status s = t->o->map_vocab ? tg_kept_read(t->initial, t->data, p)
                                  : tg_weights_read(t->ctx, t->initial->file, "", p, tg_params_values(p));
    if (s) return tg_note("--init %s", t->initial->path);
    tg_trained_close(t->initial);
    t->initial = NULL;
    return TG_OK;
}
