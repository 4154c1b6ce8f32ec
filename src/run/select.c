/* select.c - gen-select: which of several trained models to take. */
#include "run/select.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/deps.h"
#include "run/kinds.h"
#include "run/rundir.h"

const tg_key tg_select_keys[] = {
    TG_LIST(tg_select_options, runs, 0, "RUN", TG_KEY_ARGUMENT | TG_KEY_NO_CONFIG, "run folders to choose from"),
    TG_TEXT(tg_select_options, recommend, 0, NULL, "FILE", TG_KEY_NO_CONFIG | TG_KEY_NAME, "a dataset: what to train on it"),
    TG_TEXT(tg_select_options, out, 'o', NULL, "PATH", TG_KEY_NO_CONFIG | TG_KEY_NAME,
            "a link to the chosen run, with PATH.json beside it: the ranking and why"),
    TG_TEXT(tg_select_options, data, 0, NULL, "FILE", 0, "where the runs' dataset is now; without it, where it was"),
    TG_CHOICE(tg_select_options, metric, 0, "auto", "auto|val_loss|bpc|bpb|bits_per_dim|frechet|kernel", 0,
              "what is compared, less being better; auto: val_loss, of several tokenisers bpc, of images bits_per_dim"),
    TG_CHOICE(tg_select_options, split, 0, "val", "val|test", 0, "what it is measured on"),
    TG_INT(tg_select_options, max_params, 0, "0", 0, 1e15, 0, "leave out models of more parameters; 0: none"),
    TG_REAL(tg_select_options, max_ms, 0, "0", 0, 1e9, 0,
            "leave out those that take longer, measured here, for a text of 200 tokens or an image; 0: none"),
    TG_INT(tg_select_options, max_bytes, 0, "0", 0, 1e15, 0, "leave out those whose file is larger; 0: none"),
    TG_INT(tg_select_options, seed, 0, "1", 0, 9e15, TG_KEY_SEED, "of the bootstrap, of samples"),
    TG_SWITCH(tg_select_options, force, 0, NULL, TG_KEY_NO_CONFIG, "replace the link"),
    TG_TEXT(tg_select_options, deps, 0, NULL, "FILE", TG_KEY_NO_CONFIG, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

const char *tg_select_metric_name(tg_select_metric m)
{
    static const char *const names[] = {"auto", "val_loss", "bpc", "bpb", "bits_per_dim", "frechet", "kernel"};
    return names[m];
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

/* The dataset of a run, opened once for all that name it. */
static tg_status open_data(tg_selection *sel, tg_run_entry *r)
{
    tg_status s = sel->o->data ? TG_OK : tg_rundir_data(r->path, &r->data_path);
    if (sel->o->data) r->data_path = tg_strdup(sel->o->data);
    if (!s && !r->data_path) s = TG_ENOMEM;
    for (const tg_run_entry *before = sel->runs; before < r && !s; before++)
        if (!strcmp(before->data_path, r->data_path)) r->data = before->data;
    if (s || r->data) return s;
    s = tg_dataset_open(sel->ctx, r->data_path, &r->data);
    if (!s) s = tg_context_read(sel->ctx, r->data_path);
    r->owns_data = !s;
    return s;
}

/* The data must be those that it learned from: a run's loss on other data says nothing of it beside another run's. */
static tg_status check_data(const tg_selection *sel, const tg_run_entry *r)
{
    const char *learned = tg_json_text(tg_safetensors_meta(r->model->file), "data"), *is = tg_dataset_hash(r->data);
    const char *split = sel->split == TG_TEST ? "test" : "val";
    if (!learned || strcmp(learned, is))
        return tg_fail(TG_EINVAL, "it learned from a dataset of hash %.12s, and %s is of hash %.12s now; give the former with "
                       "--data", learned ? learned : "unknown", r->data_path, is);
    if (tg_dataset_count(r->data, sel->split) > 1) return TG_OK;
    return tg_fail(TG_EINVAL, "%s has no %s split to judge by; make one with gen-preprocess --%s 0.1", r->data_path, split,
                   split);
}

static tg_status open_run(tg_selection *sel, tg_run_entry *r)
{
    if (tg_path_kind(r->path) != TG_PATH_FOLDER) return tg_fail(TG_EUSAGE, "%s: it is no run folder, as gen-train -o makes", r->path);
    tg_status s = tg_trained_open(sel->ctx, r->path, false, &r->model);
    if (!s) s = tg_context_read(sel->ctx, r->model->path);
    if (s) return s;
    if (!r->model->desc->loss && !r->model->desc->learner && !tg_select_of_samples(sel->metric))
        return tg_fail(TG_EUNSUPPORTED, "%s: a %s has no likelihood, so there is no %s of it; --metric frechet compares what models draw",
                       r->path, r->model->desc->name, sel->metric == TG_METRIC_AUTO ? "loss" : tg_select_metric_name(sel->metric));
    s = open_data(sel, r);
    if (!s) s = check_data(sel, r);
    if (s) return tg_note("%s", r->path);
    char *result = tg_path_join(r->path, "result.json");
    if (result && tg_path_kind(result) == TG_PATH_NONE)
        tg_log(sel->ctx, TG_LOG_WARN, "%s has not ended: its model may still become better", r->path);
    tg_free(result);
    return result ? TG_OK : TG_ENOMEM;
}

/* ---- what may be compared ----------------------------------------------------------------------------------------------- */

/* Of all text of a dataset, whatever its tokens are; held_out: bytes of the split. */
static tg_status text_of(const tg_dataset *d, tg_split split, uint64_t *hash, int64_t *held_out)
{
    enum { PIECE = 4096 };
    const tg_tokenizer *k = tg_dataset_tokenizer(d);
    int32_t ids[PIECE];
    tg_xxh64 h;
    tg_status s = TG_OK;
    *held_out = 0;
    tg_xxh64_start(&h);
    for (int split_of = TG_TRAIN; split_of <= TG_TEST; split_of++) {
        const int64_t n = tg_dataset_count(d, (tg_split)split_of);
        for (int64_t at = 0; at < n && !s; at += PIECE) {
            const int64_t count = n - at < PIECE ? n - at : PIECE;
            s = tg_dataset_tokens(d, (tg_split)split_of, at, count, ids);
            for (int64_t i = 0; i < count && !s; i++) {
                int64_t length = 0;
                const char *text = tg_tokenizer_text(k, ids[i], &length);
                tg_xxh64_add(&h, text, length);
                if (split_of == (int)split) *held_out += length;
            }
        }
    }
    *hash = tg_xxh64_end(&h);
    return s;
}

/* Of text in other tokens: whether it is the same text. A split by position moves a little with the tokens. */
static tg_status check_text(const tg_selection *sel, const tg_run_entry *a, const tg_run_entry *b)
{
    static const double MOVED = 0.05;
    uint64_t hash_a = 0, hash_b = 0;
    int64_t held_a = 0, held_b = 0;
    tg_status s = text_of(a->data, sel->split, &hash_a, &held_a);
    if (!s) s = text_of(b->data, sel->split, &hash_b, &held_b);
    if (s) return s;
    const double gap = fabs((double)(held_a - held_b)) / (double)(held_a > held_b ? held_a : held_b);
    if (hash_a != hash_b || gap > MOVED)
        return tg_fail(TG_EINVAL, "%s and %s cannot be compared: %s and %s hold %s (hashes %.12s and %.12s)", a->path, b->path,
                       a->data_path, b->data_path, hash_a != hash_b ? "different texts" : "the same text, but hold out other parts of it",
                       tg_dataset_hash(a->data), tg_dataset_hash(b->data));
    if (held_a != held_b)
        tg_log(sel->ctx, TG_LOG_WARN, "%s holds out %lld bytes and %s %lld of the same text: their figures are not quite of the "
               "same", a->data_path, (long long)held_a, b->data_path, (long long)held_b);
    return TG_OK;
}

static tg_status check_pair(tg_selection *sel, const tg_run_entry *a, const tg_run_entry *b)
{
    const tg_kind kind = tg_dataset_kind(a->data), other = tg_dataset_kind(b->data);
    if (!strcmp(tg_dataset_hash(a->data), tg_dataset_hash(b->data))) return TG_OK;
    sel->one_data = false;
    if (kind == other && kind == TG_KIND_TEXT) return check_text(sel, a, b);
    return tg_fail(TG_EINVAL, "%s and %s cannot be compared: %s holds %s, hash %.12s, and %s %s, hash %.12s", a->path, b->path,
                   a->data_path, tg_kind_name(kind), tg_dataset_hash(a->data), b->data_path, tg_kind_name(other),
                   tg_dataset_hash(b->data));
}

static void add_setting(const tg_run_entry *r, const char *name, tg_str *out)
{
    const tg_json *value = tg_json_get(tg_json_get(tg_safetensors_meta(r->model->file), "settings"), name);
    if (value) tg_settings_text(out, value);
}

/* A likelihood of grey values and one of zeros and ones are of different things, and a bound of many draws is another bound. */
static tg_status check_likelihood(const tg_run_entry *a, const tg_run_entry *b)
{
    static const char *const keys[] = {"likelihood", "binarize", "draws"};
    tg_status s = TG_OK;
    for (int i = 0; i < 3 && !s; i++) {
        tg_str one = {0}, two = {0};
        add_setting(a, keys[i], &one);
        add_setting(b, keys[i], &two);
        const char *x = one.data ? one.data : "none", *y = two.data ? two.data : "none";
        if (one.failed || two.failed) s = TG_ENOMEM;
        else if (strcmp(x, y))
            s = tg_fail(TG_EINVAL, "%s and %s cannot be compared: %s is %s of the one and %s of the other, so their losses are "
                        "of different things; --metric frechet compares what they draw", a->path, b->path, keys[i], x, y);
        tg_str_free(&one);
        tg_str_free(&two);
    }
    return s;
}

/* The metric, and whether all may be compared by it. */
static tg_status check_all(tg_selection *sel)
{
    const tg_run_entry *first = &sel->runs[0];
    const tg_kind kind = tg_dataset_kind(first->data);
    const bool text = kind == TG_KIND_TEXT, image = kind == TG_KIND_IMAGE;
    tg_status s = TG_OK;
    for (int64_t i = 1; i < sel->count && !s; i++) {
        s = check_pair(sel, first, &sel->runs[i]);
        if (!s && !text && !tg_select_of_samples(sel->metric)) s = check_likelihood(first, &sel->runs[i]);
    }
    if (s) return s;
    if (sel->metric == TG_METRIC_AUTO)
        sel->metric = image ? TG_METRIC_BITS_PER_DIM : sel->one_data ? TG_METRIC_VAL_LOSS : TG_METRIC_BPC;
    const bool of_text = sel->metric == TG_METRIC_BPC || sel->metric == TG_METRIC_BPB;
    if ((of_text && !text) || (tg_select_of_samples(sel->metric) && text) || (sel->metric == TG_METRIC_BITS_PER_DIM && !image))
        return tg_fail(TG_EUSAGE, "--metric %s is not of %s", tg_select_metric_name(sel->metric), tg_kind_name(kind));
    for (int64_t i = 1; i < sel->count && !sel->one_data && !of_text; i++)
        if (strcmp(tg_dataset_hash(first->data), tg_dataset_hash(sel->runs[i].data)))
            return tg_fail(TG_EUSAGE, "%s and %s have different tokenisers, so their %s cannot be compared; --metric bpc can",
                           first->path, sel->runs[i].path, tg_select_metric_name(sel->metric));
    return TG_OK;
}

/* ---- choosing ----------------------------------------------------------------------------------------------------------- */

static tg_status rank(tg_selection *sel)
{
    tg_ranking found;
    int64_t n = 0;
    tg_contender *list = tg_alloc_array(sel->count, sizeof *list);
    int64_t *which = tg_alloc_array(sel->count, sizeof *which), *order = tg_alloc_array(sel->count, sizeof *order);
    tg_status s = list && which && order ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < sel->count && !s; i++)
        if (!sel->runs[i].left_out) {
            which[n] = i;
            list[n++] = sel->runs[i].about;
        }
    if (!s && n == 0) s = tg_fail(TG_EGATE, "no run is left to choose from; %s: %s", sel->runs[0].path, sel->runs[0].left_out);
    if (!s) s = tg_rank(list, n, (uint64_t)sel->o->seed, order, &found);
    if (!s) {
        for (int64_t i = 0; i < n; i++) {
            sel->runs[which[i]].about = list[i];
            sel->ranked[i] = which[order[i]];
        }
        sel->ranked_count = n;
        sel->chosen = which[found.chosen];
        sel->ties = found.ties;
        sel->why = found.why;
    }
    tg_free(list);
    tg_free(which);
    tg_free(order);
    return s;
}

/* What cannot be seen in the table. */
static void warn(const tg_selection *sel)
{
    enum { FEW = 10 };
    int64_t least = FEW;
    for (int64_t i = 0; i < sel->ranked_count; i++) {
        const tg_run_entry *r = &sel->runs[sel->ranked[i]];
        if (r->pieces && r->about.count < least) least = r->about.count;
    }
    if (sel->ranked_count > 1 && least < FEW)
        tg_log(sel->ctx, TG_LOG_WARN, "the split falls into %lld piece%s: %s; a larger one says more", (long long)least,
               least == 1 ? "" : "s",
               least == 1 ? "nobody knows how far the figures may be off" : "the intervals are rough, and rather too narrow");
    for (int64_t i = 0; i < sel->count; i++) {
        const tg_run_entry *r = &sel->runs[i];
        if (r->state && r->state_nats < r->nats)
            tg_log(sel->ctx, TG_LOG_WARN, "%s does better than %s, which is what counts here; it is a model, too: gen-sample %s", r->state,
                   r->model->path, r->state);
    }
}

/* "best/" is "best"; the ranking is "best.json". */
static char *path_of(const char *out, const char *ending)
{
    tg_str path = {0};
    int64_t length = (int64_t)strlen(out);
    while (length > 1 && out[length - 1] == '/') length--;
    tg_str_add_n(&path, out, length);
    tg_str_add(&path, ending);
    char *text = path.failed ? NULL : tg_strdup(path.data);
    tg_str_free(&path);
    return text;
}

static tg_status check_out(const tg_select_options *o)
{
    char *link = path_of(o->out, ""), *json = path_of(o->out, ".json");
    tg_status s = link && json ? tg_link_check(link, o->force) : TG_ENOMEM;
    if (!s) s = tg_output_check(json, o->force);
    if (!s && o->deps) s = tg_output_check(o->deps, true);
    tg_free(link);
    tg_free(json);
    return s;
}

/* config.json of a run is no place for the ranking. */
static tg_status spare_inputs(const tg_selection *sel)
{
    if (!sel->o->out) return TG_OK;
    char *link = path_of(sel->o->out, ""), *parent = link ? tg_path_parent(link) : NULL, *json = path_of(sel->o->out, ".json");
    tg_status s = parent && json ? tg_context_spare(sel->ctx, json) : TG_ENOMEM;
    if (!s) s = tg_context_spare(sel->ctx, sel->o->deps);
    for (int64_t i = 0; i < sel->count && !s; i++)
        if (tg_path_same(parent, sel->runs[i].path))
            s = tg_fail(TG_EUSAGE, "%s lies in a run folder; choose another place", sel->o->out);
    tg_free(link);
    tg_free(parent);
    tg_free(json);
    return s;
}

static tg_status check_options(const tg_select_options *o)
{
    if (o->recommend) {
        if (o->runs.count > 0 || o->out || o->deps)
            return tg_fail(TG_EUSAGE, "--recommend FILE stands alone, without runs and -o");
        return TG_OK;
    }
    if (o->runs.count == 0) return tg_fail(TG_EUSAGE, "RUN is missing: run folders to choose from, or --recommend FILE");
    if (o->deps && !o->out) return tg_fail(TG_EUSAGE, "--deps names what an output was made of; add -o best");
    return o->out ? check_out(o) : TG_OK;
}

/* best.json, then the link: whoever finds the link finds the reasons, too. */
static tg_status write_out(const tg_selection *sel)
{
    const tg_select_options *o = sel->o;
    char *link = path_of(o->out, ""), *path = path_of(o->out, ".json");
    tg_str json = {0};
    tg_status s = link && path ? tg_select_json(sel, &json) : TG_ENOMEM;
    if (!s) s = tg_write_file(path, json.data, json.length);
    if (!s) {
        s = tg_link_folder(sel->runs[sel->chosen].path, link);
        if (s && !o->force && tg_path_kind(link) == TG_PATH_NONE) (void)tg_remove(path); /* the next try finds nothing in its way */
    }
    if (!s) s = tg_deps_write(sel->ctx, o->deps, path);
    tg_str_free(&json);
    tg_free(path);
    tg_free(link);
    return s;
}

/* A trial of gen-tune search that failed before it had a model: trials are given by a pattern, so one of them stops nothing. */
static tg_status is_failure(tg_selection *sel, const char *path, bool *out)
{
    char *failed = tg_path_join(path, "failed.json"), *model = tg_path_join(path, "model.safetensors");
    *out = failed && model && tg_path_kind(failed) == TG_PATH_FILE && tg_path_kind(model) == TG_PATH_NONE;
    if (*out) tg_log(sel->ctx, TG_LOG_WARN, "%s: a trial that failed, and has no model; it is left out", path);
    const tg_status s = failed && model ? TG_OK : TG_ENOMEM;
    tg_free(failed);
    tg_free(model);
    return s;
}

static tg_status open_runs(tg_selection *sel)
{
    const int64_t given = sel->count;
    tg_status s = TG_OK;
    sel->count = 0;
    for (int64_t i = 0; i < given && !s; i++) {
        tg_run_entry *r = &sel->runs[sel->count];
        bool failed = false;
        s = is_failure(sel, sel->o->runs.items[i], &failed);
        if (s || failed) continue;
        r->path = sel->o->runs.items[i];
        r->nats = r->state_nats = NAN;
        sel->count++; /* what it opened is closed, also where it fails */
        s = open_run(sel, r);
    }
    if (!s && sel->count == 0) s = tg_fail(TG_EINVAL, "all of these trials failed; gen-tune search says why in study.html");
    return s;
}

static tg_status select_run(tg_selection *sel, double began)
{
    tg_status s = open_runs(sel);
    if (!s) s = spare_inputs(sel);
    if (!s) s = check_all(sel);
    for (int64_t i = 0; i < sel->count && !s; i++) s = tg_select_measure(sel, &sel->runs[i]);
    if (!s) s = rank(sel);
    if (s) return s;
    warn(sel);
    if (sel->o->out) s = write_out(sel);
    return s ? s : tg_select_tell(sel, tg_now() - began);
}

tg_status tg_select(tg_context *ctx, const tg_select_options *o)
{
    const double began = tg_now();
    tg_status s = check_options(o);
    if (s) return s;
    if (o->recommend) return tg_recommend(ctx, o);
    tg_selection sel = {.ctx = ctx, .o = o, .split = o->split ? TG_TEST : TG_VAL, .metric = (tg_select_metric)o->metric,
                        .count = o->runs.count, .one_data = true};
    sel.runs = tg_alloc_array(sel.count, sizeof *sel.runs);
    sel.ranked = tg_alloc_array(sel.count, sizeof *sel.ranked);
    s = sel.runs && sel.ranked ? select_run(&sel, began) : TG_ENOMEM;
    for (int64_t i = 0; sel.runs && i < sel.count; i++) {
        tg_run_entry *r = &sel.runs[i];
        tg_trained_close(r->model);
        if (r->owns_data) tg_dataset_close(r->data);
        tg_free(r->data_path);
        tg_free(r->left_out);
        tg_free(r->pieces);
        tg_free(r->state);
    }
    tg_free(sel.runs);
    tg_free(sel.ranked);
    return s;
}
