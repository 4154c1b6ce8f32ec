/* study_spec.c - what a study tries, as JSON: study.json, which tells whether a study is the same, and config.json of a trial. */
#include "run/tune/study.h"

#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/key.h"
#include "data/dataset.h"

/* ---- what is fixed -------------------------------------------------------------------------------------------------------- */

static bool is_axis(const tg_study *s, const tg_key_row *r)
{
    for (int i = 0; i < s->space->count; i++)
        if (tg_key_find(s->keys, s->space->axes[i].key, (int64_t)strlen(s->space->axes[i].key)) == r) return true;
    return false;
}

/* Given, and no axis; data, model, init and seed have members of their own. */
static bool is_fixed(const tg_study *s, const tg_key_row *r)
{
    static const char *const apart[] = {"data", "model", "init"};
    const bool ours = r->values == (const char *)s->train || (s->config && r->values == (const char *)s->config);
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
        if (!strcmp(r->key->name, apart[i])) return false;
    if (r->source == TG_FROM_RUN && is_axis(s, r)) return false; /* a preset's, which an axis varies */
    return ours && r->source > TG_FROM_DEFAULT && !(r->key->flags & TG_KEY_NO_CONFIG);
}

static void put_fixed(const tg_study *s, bool model_only, tg_json_writer *w)
{
    for (int64_t i = 0; i < s->keys->count; i++) {
        const tg_key_row *r = &s->keys->rows[i];
        if (!is_fixed(s, r) || (model_only && r->values != (const char *)s->config)) continue;
        tg_json_key(w, r->key->name);
        tg_key_put_json(w, r);
    }
}

void tg_study_put_value(tg_json_writer *w, const char *text)
{
    const int64_t n = (int64_t)strlen(text);
    int64_t whole = 0;
    double real = 0;
    if (tg_parse_int(text, n, &whole)) tg_json_put_int(w, whole);
    else if (tg_parse_real(text, n, &real)) tg_json_put_real(w, real);
    else tg_json_put_text(w, text);
}

void tg_study_put_point(const tg_space *space, const tg_point *p, tg_json_writer *w)
{
    tg_str text = {0};
    for (int i = 0; i < space->count; i++) {
        if (!tg_space_applies(space, i, p)) continue;
        tg_str_clear(&text);
        tg_space_text(&space->axes[i], p->at[i], &text);
        if (!text.data) w->out->failed = true;
        tg_json_key(w, space->axes[i].key);
        tg_study_put_value(w, text.data ? text.data : "");
    }
    if (text.failed) w->out->failed = true;
    tg_str_free(&text);
}

tg_status tg_study_config(const tg_study *s, const tg_point *p, tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    if (s->data) tg_json_member_text(&w, "data", s->data);
    if (s->train->model) tg_json_member_text(&w, "model", s->train->model);
    if (s->init) tg_json_member_text(&w, "init", s->init);
    if (!s->o->objective) put_fixed(s, false, &w);
    if (!s->o->objective && tg_space_find(s->space, "seed") < 0) tg_json_member_int(&w, "seed", s->o->seed);
    tg_study_put_point(s->space, p, &w);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
    return out->failed ? TG_ENOMEM : TG_OK;
}

/* ---- checks --------------------------------------------------------------------------------------------------------------- */

/* The rows of a model, filled with what was given of the first one's. */
static tg_status check_fixed(const char *model, const char *fixed)
{
    const tg_model_desc *desc = NULL;
    tg_keys *keys = NULL;
    tg_status s = tg_model_find(model, &desc);
    void *config = s ? NULL : tg_alloc(desc->config_size);
    if (!s && !config) s = TG_ENOMEM;
    if (!s) s = tg_keys_new(&keys);
    if (!s) s = tg_keys_add(keys, desc->title, desc->keys, config);
    if (!s) s = tg_keys_read_config(keys, model, fixed, (int64_t)strlen(fixed), NULL, TG_FROM_FLAG);
    if (s == TG_EUSAGE) s = tg_note("what is given must fit all models, and what fits some is given as --space key=value");
    tg_keys_free(keys);
    tg_free(config);
    return s;
}

/* Whether the model learns from such data, and can be judged by what is asked for. */
static tg_status check_kind(const tg_study *s, const tg_dataset *d, const char *model)
{
    const tg_model_desc *desc = NULL;
    tg_status status = tg_model_find(model, &desc);
    if (status) return status;
    if (!(desc->kinds & tg_dataset_kind(d)))
        return tg_fail(TG_EUSAGE, "%s does not learn from the data of %s; leave it out", desc->name, s->train->data);
    if (!desc->loss && !desc->learner && !strcmp(s->o->metric, "val_loss"))
        return tg_fail(TG_EUSAGE, "a %s has no likelihood, so there is no val_loss of it; leave it out, or judge by another --metric",
                       desc->name);
    return TG_OK;
}

static tg_status check_models(const tg_study *s, const tg_dataset *d)
{
    tg_str fixed = {0};
    tg_json_writer w = {.out = &fixed};
    if (s->space->model_axis < 0) return check_kind(s, d, s->train->model);
    tg_json_open(&w, '{');
    put_fixed(s, true, &w);
    tg_json_close(&w, '}');
    const tg_axis *models = &s->space->axes[s->space->model_axis];
    tg_status status = fixed.failed ? TG_ENOMEM : TG_OK;
    for (int64_t m = 0; m < models->count && !status; m++) {
        status = check_kind(s, d, models->choices[m]);
        if (!status && s->config) status = check_fixed(models->choices[m], fixed.data);
    }
    tg_str_free(&fixed);
    return status;
}

/* An early stop of gen-train's own would stand in the way of asha's, which says how long a trial is trained. */
static tg_status check_asha(const tg_study *s)
{
    static const char *const lengths[] = {"until", "epochs", "time"};
    if (s->strategy.kind != TG_STRATEGY_ASHA) return TG_OK;
    if (s->train->steps == 0) return tg_fail(TG_EUSAGE, "--strategy asha needs --steps: how long the best trials are trained");
    if (tg_space_find(s->space, "steps") >= 0)
        return tg_fail(TG_EUSAGE, "--space steps: --strategy asha says itself how long a trial is trained");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (tg_keys_source(s->keys, lengths[i]) > TG_FROM_DEFAULT || tg_space_find(s->space, lengths[i]) >= 0)
            return tg_fail(TG_EUSAGE, "--%s: --strategy asha says itself how long a trial is trained; give --steps", lengths[i]);
    return TG_OK;
}

static tg_status check_data(tg_study *s)
{
    tg_dataset *d = NULL;
    if (!s->train->data) return tg_fail(TG_EUSAGE, "--data FILE is missing: the dataset, as gen-preprocess writes it");
    tg_status status = tg_dataset_open(s->ctx, s->train->data, &d);
    if (!status) status = tg_context_read(s->ctx, s->train->data);
    if (!status) status = tg_path_real(s->train->data, &s->data);
    if (!status && s->train->init) status = tg_context_read(s->ctx, s->train->init);
    if (!status && s->train->init) status = tg_path_real(s->train->init, &s->init);
    if (!status) status = check_models(s, d);
    if (!status && !strcmp(s->o->metric, "val_loss") && tg_dataset_count(d, TG_VAL) < 2)
        status = tg_fail(TG_EINVAL, "%s has no val split to judge by; make one with gen-preprocess --val 0.1", s->train->data);
    if (!status) memcpy(s->data_hash, tg_dataset_hash(d), sizeof s->data_hash);
    tg_dataset_close(d);
    return status;
}

tg_status tg_study_check(tg_study *s)
{
    for (int i = 0; i < s->space->count; i++) {
        const char *key = s->space->axes[i].key;
        const bool given = !strcmp(key, "model") ? s->train->model != NULL
                           : strcmp(key, "seed") && tg_keys_source(s->keys, key) > TG_FROM_RUN; /* --seed is also the search's own */
        if (given) return tg_fail(TG_EUSAGE, "--%s is given, and an axis of the space, too; leave one out", key);
    }
    tg_status status = check_asha(s);
    for (int64_t i = 0; i < s->o->space.count && !status; i++) /* for --deps: what is no KEY=VALUES is a file */
        if (!strchr(s->o->space.items[i], '=')) status = tg_context_read(s->ctx, s->o->space.items[i]);
    if (!status) status = tg_strategy_check(&s->strategy, s->space);
    return status || s->o->objective ? status : check_data(s);
}

/* ---- study.json ------------------------------------------------------------------------------------------------------------ */

/* An axis as --space takes it. */
static void add_item(const tg_axis *a, tg_str *out)
{
    tg_str_addf(out, "%s=", a->key);
    for (int64_t i = 0; a->kind == TG_AXIS_CHOICE && i < a->count; i++) tg_str_addf(out, "%s%s", i ? "," : "", a->choices[i]);
    if (a->kind == TG_AXIS_CHOICE) return;
    tg_space_text(a, a->low, out);
    tg_str_add(out, ":");
    tg_space_text(a, a->high, out);
    tg_str_addf(out, "%s:%lld", a->log ? ":log" : "", (long long)a->count);
}

static void put_space(const tg_study *s, tg_json_writer *w)
{
    tg_str item = {0};
    tg_json_key(w, "space");
    tg_json_open(w, '[');
    for (int i = 0; i < s->space->count; i++) {
        tg_str_clear(&item);
        add_item(&s->space->axes[i], &item);
        if (item.failed) w->out->failed = true;
        else tg_json_put_text(w, item.data);
    }
    tg_json_close(w, ']');
    tg_str_free(&item);
}

void tg_study_put_strategy(const tg_study *s, tg_json_writer *w)
{
    int64_t n = 0;
    const char *text = tg_key_choice(TG_STRATEGY_CHOICES, s->strategy.kind, &n);
    tg_json_key(w, "strategy");
    tg_json_put_text_n(w, text, n);
}

tg_status tg_study_spec(const tg_study *s, tg_str *out)
{
    const tg_strategy_options *o = &s->strategy;
    const bool looks = o->kind == TG_STRATEGY_ASHA || o->kind == TG_STRATEGY_TPE;
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "program", "gen-tune search");
    tg_json_member_int(&w, "algorithm", TG_ALGORITHM);
    tg_study_put_strategy(s, &w);
    put_space(s, &w);
    tg_json_member_text(&w, "objective", s->o->objective);
    tg_json_member_text(&w, "model", s->train->model);
    tg_json_member_text(&w, "metric", s->o->metric);
    tg_json_member_int(&w, "trials", o->trials);
    tg_json_member_int(&w, "seed", s->o->seed);
    if (looks) tg_json_member_int(&w, "lag", o->lag);
    if (o->kind == TG_STRATEGY_ASHA) tg_json_member_int(&w, "steps", o->steps);
    if (o->kind == TG_STRATEGY_ASHA) tg_json_member_int(&w, "rungs", o->rungs);
    if (o->kind == TG_STRATEGY_ASHA) tg_json_member_int(&w, "reduction", o->reduction);
    tg_json_key(&w, "fixed");
    tg_json_open(&w, '{');
    put_fixed(s, false, &w);
    tg_json_close(&w, '}');
    tg_json_member_text(&w, "init", s->init);
    tg_json_member_text(&w, "data_hash", s->data ? s->data_hash : NULL);
    tg_json_member_text(&w, "data", s->data);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
    return out->failed ? TG_ENOMEM : TG_OK;
}

/* ---- the same study? -------------------------------------------------------------------------------------------------------- */

static tg_status compare(const tg_study *s, const char *key, const tg_json *a, const tg_json *b)
{
    tg_str before = {0}, now = {0};
    if (a) tg_json_put_tree(&(tg_json_writer){.out = &before}, a);
    else tg_str_add(&before, "not said");
    if (b) tg_json_put_tree(&(tg_json_writer){.out = &now}, b);
    else tg_str_add(&now, "not said");
    tg_status status = before.failed || now.failed ? TG_ENOMEM : TG_OK;
    if (!status && strcmp(before.data, now.data))
        status = tg_fail(TG_EINVAL, "%s holds another study: its %s is %.300s, and now it would be %.300s; give it as it was, or -o "
                         "another, or start anew with --force", s->o->out, key, before.data, now.data);
    tg_str_free(&before);
    tg_str_free(&now);
    return status;
}

/* Where the data lie may change: their hash says what they are; by what is judged, before anything was; and how many trials there
 * are to be (0: no end), if none is left out that has ended, but for asha, which decides by their number who trains on. */
static bool may_differ(const tg_study *s, const char *key)
{
    const int64_t trials = s->strategy.trials;
    if (!strcmp(key, "trials") && s->strategy.kind != TG_STRATEGY_ASHA) return trials == 0 || trials >= s->ends_count;
    return !strcmp(key, "data") || (s->ends_count == 0 && !strcmp(key, "metric"));
}

tg_status tg_study_same(const tg_study *s, const char *path, const char *now)
{
    tg_arena *a = tg_arena_new(4096);
    const tg_json *before = NULL, *mine = NULL;
    char *text = NULL;
    int64_t length = 0;
    tg_status status = a ? tg_file_slurp(path, 1 << 26, &text, &length) : TG_ENOMEM;
    if (!status) status = tg_json_parse(a, path, text, length, &before);
    if (!status) status = tg_json_parse(a, "study.json", now, (int64_t)strlen(now), &mine);
    for (const tg_json *m = status ? NULL : mine->child; m && !status; m = m->next)
        if (!may_differ(s, m->key)) status = compare(s, m->key, tg_json_get(before, m->key), m);
    for (const tg_json *m = status ? NULL : before->child; m && !status; m = m->next)
        if (!may_differ(s, m->key) && !tg_json_get(mine, m->key)) status = compare(s, m->key, m, NULL);
    tg_free(text);
    tg_arena_free(a);
    return status;
}
