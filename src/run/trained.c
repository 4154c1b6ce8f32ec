/* trained.c - a model made from its file. */
#include "run/trained.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/term.h"
#include "base/utf8.h"
#include "data/text/tokenizer.h"
#include "nn/lora.h"
#include "run/freeze.h"
#include "run/kinds.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- tensors ------------------------------------------------------------------------------------------------------- */

/* Numbers that are not finite have all bits of their exponent set: one more is carried into the sign's place of *seen. */
static void look_for_infinite(void *user, const void *piece, int64_t bytes)
{
    enum { AT_ONCE = 64 /* side by side */, SIZE = AT_ONCE * (int)sizeof(uint32_t), EXPONENT = 0x7f800000, ONE = 0x00800000 };
    uint32_t *seen = user, any = 0, bits[AT_ONCE] = {0};
    for (const char *at = piece; bytes > 0; at += SIZE, bytes -= SIZE) {
        memcpy(bits, at, (size_t)(bytes < SIZE ? bytes : SIZE));
        for (int i = 0; i < AT_ONCE; i++) any |= (bits[i] & EXPONENT) + ONE;
    }
    *seen |= any;
}

tg_status tg_tensor_read(tg_safetensors *file, const char *prefix, const char *name, const tg_shape *shape, float *out)
{
    tg_str full = {0};
    tg_str_addf(&full, "%s%s", prefix, name);
    if (full.failed) return TG_ENOMEM;
    const tg_st_tensor *t = tg_safetensors_find(file, full.data);
    tg_shape found = t ? tg_shape_of(t->rank, t->dims) : (tg_shape){0};
    char have[96], want[96];
    uint32_t seen = 0;
    tg_status s = TG_OK;
    if (!t) s = tg_fail(TG_EFORMAT, "the tensor %s is missing", full.data);
    else if (t->dtype != TG_ST_F32) s = tg_fail(TG_EFORMAT, "the tensor %s is not float32", full.data);
    else if (!tg_shape_equal(&found, shape))
        s = tg_fail(TG_EFORMAT, "the tensor %s is %s; %s was expected", full.data, tg_shape_text(&found, have),
                    tg_shape_text(shape, want));
    else s = tg_safetensors_read_looking(file, t, out, look_for_infinite, &seen);
    if (!s && seen >> 31)
        s = tg_fail(TG_EFORMAT, "the tensor %s holds a number that is not finite: it is damaged, or its training broke down", full.data);
    tg_str_free(&full);
    return s;
}

/* A tensor is read, checked and looked through by one thread: of a large model that takes as long as a few hundred tokens do. */
typedef struct reading {
    tg_safetensors *file;
    const char *prefix;
    const tg_params *p;
    float *slab;
    bool moments;          /* frozen parameters have none */
    atomic_flag held;      /* what follows: the first tensor, in order, that failed */
    int64_t failed;        /* -1: none */
    tg_status status;
    char message[512];
} reading;

static void read_one(void *arg, int64_t i)
{
    reading *r = arg;
    const tg_tensor *t = tg_params_at(r->p, i);
    if (r->moments && tg_params_frozen(r->p, i)) return;
    const tg_status s = tg_tensor_read(r->file, r->prefix, t->name, &t->shape, r->slab + tg_params_offset(r->p, i));
    if (!s) return;
    while (atomic_flag_test_and_set(&r->held)) continue;
    if (r->failed < 0 || i < r->failed) {
        r->failed = i;
        r->status = s;
        snprintf(r->message, sizeof r->message, "%s", tg_error());
    }
    atomic_flag_clear(&r->held);
}

static tg_status read_all(tg_context *ctx, reading *r)
{
    tg_pool_run(ctx->pool, read_one, r, tg_params_count(r->p));
    return r->status ? tg_fail(r->status, "%s", r->message) : TG_OK;
}

tg_status tg_weights_read(tg_context *ctx, tg_safetensors *file, const char *prefix, const tg_params *p, float *slab)
{
    return read_all(ctx, &(reading){.file = file, .prefix = prefix, .p = p, .slab = slab, .held = ATOMIC_FLAG_INIT, .failed = -1});
}

tg_status tg_moments_read(tg_context *ctx, tg_safetensors *file, const char *prefix, const tg_params *p, float *slab)
{
    return read_all(ctx, &(reading){.file = file, .prefix = prefix, .p = p, .slab = slab, .moments = true, .held = ATOMIC_FLAG_INIT,
                                    .failed = -1});
}

/* ---- settings ------------------------------------------------------------------------------------------------------- */

void tg_settings_text(tg_str *out, const tg_json *value)
{
    switch (value->type) {
    case TG_JSON_BOOL: tg_str_add(out, value->integer ? "true" : "false"); break;
    case TG_JSON_INT: tg_str_addf(out, "%lld", (long long)value->integer); break;
    case TG_JSON_REAL: tg_str_add_real(out, value->real); break;
    case TG_JSON_TEXT: tg_str_add_n(out, value->text, value->length); break;
    default: tg_str_add(out, ""); break;
    }
}

tg_status tg_settings_apply(const tg_json *settings, const tg_key *rows, tg_keys *keys, tg_key_source source)
{
    tg_status s = TG_OK;
    tg_str text = {0};
    for (; rows->type != TG_KEY_END_ROW && !s; rows++) {
        const tg_json *value = tg_json_get(settings, rows->name);
        if (!value || value->type == TG_JSON_NULL || tg_keys_source(keys, rows->name) != TG_FROM_DEFAULT) continue;
        tg_str_clear(&text);
        tg_settings_text(&text, value);
        s = text.failed ? TG_ENOMEM : tg_keys_set(keys, rows->name, text.data, source);
    }
    if (s == TG_EUSAGE) { /* "--layers 17: must be 1 to 16", but it is no option that anybody gave */
        tg_str_clear(&text);
        tg_str_add(&text, tg_error() + strspn(tg_error(), "-"));
        s = text.failed ? TG_ENOMEM : tg_fail(TG_EFORMAT, "its setting %s", text.data);
    }
    tg_str_free(&text);
    return s;
}

static tg_status make_config(tg_trained *t, const tg_json *settings)
{
    t->config = tg_alloc(t->desc->config_size);
    if (!t->config) return TG_ENOMEM;
    tg_status s = tg_keys_new(&t->keys);
    if (!s) s = tg_keys_add(t->keys, "Model", t->desc->keys, t->config);
    return s ? s : tg_settings_apply(settings, t->desc->keys, t->keys, TG_FROM_CONFIG);
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static tg_status fail_format(const char *what)
{
    return tg_fail(TG_EFORMAT, "%s; is it a model that gen-train wrote?", what);
}

/* "model" or "adapter", whichever is expected; for its weights a training state will do. */
static tg_status check_file_kind(const tg_trained *t, bool weights)
{
    const char *kind = tg_json_text(tg_safetensors_meta(t->file), "kind"), *wanted = t->base ? "adapter" : "model";
    if (!kind) return fail_format(t->base ? "there is no adapter in it" : "there is no model in it");
    if (!strcmp(kind, wanted)) return TG_OK;
    if (!strcmp(kind, "state") && weights && !t->base) return TG_OK;
    if (!strcmp(kind, "state"))
        return tg_fail(TG_EFORMAT, "this is a training state, not %s; use %s.safetensors beside it", t->base ? "an adapter" : "a model", wanted);
    if (!strcmp(kind, "adapter"))
        return tg_fail(TG_EFORMAT, "this is an adapter: name the model that it was learned for, and give this one as --adapter");
    if (!strcmp(kind, "model") && t->base) return tg_fail(TG_EFORMAT, "this is a whole model, not an adapter");
    return fail_format("there is no model in it");
}

static tg_status read_meta(tg_context *ctx, bool weights, tg_trained *t)
{
    const tg_json *meta = tg_safetensors_meta(t->file), *settings = tg_json_get(meta, "settings");
    const char *name = tg_json_text(meta, "model"), *data = tg_json_text(meta, "data_kind");
    int64_t vocab = 0, algorithm = 0;
    tg_status s = check_file_kind(t, weights);
    if (s) return s;
    if (!name) return fail_format("there is no model in it");
    s = tg_model_find(name, &t->desc);
    if (s) return tg_fail(TG_EUNSUPPORTED, "its model is %.64s, which this version does not know", name);
    const tg_kind data_kind = !data ? 0 : !strcmp(data, "text") ? TG_KIND_TEXT : !strcmp(data, "image") ? TG_KIND_IMAGE
                            : !strcmp(data, "points") ? TG_KIND_POINTS : 0;
    if (!data_kind) return tg_fail(TG_EUNSUPPORTED, "it is of %.64s, which this version does not know", data ? data : "no data");
    if (!settings || settings->type != TG_JSON_OBJECT || !tg_json_int(meta, "algorithm", &algorithm))
        return fail_format("its metadata lack the settings or the algorithm's version");
    if (algorithm != TG_ALGORITHM)
        tg_log(ctx, TG_LOG_WARN, "%s was made by algorithm version %lld, this is %d: samples may differ from what they were then",
               t->path, (long long)algorithm, TG_ALGORITHM);
    if (!(t->desc->kinds & data_kind)) return fail_format("its model does not go with its data");
    if (data_kind != TG_KIND_TEXT) {
        t->samples = tg_json_get(meta, "samples");
        s = tg_samples_read(t->samples, data_kind, &t->data);
        return s ? s : make_config(t, settings);
    }
    if (!tg_json_int(meta, "vocab", &vocab)) return fail_format("its metadata lack the vocabulary's size");
    const tg_json *tokenizer = tg_json_get(meta, "tokenizer");
    if (!tokenizer) return fail_format("its metadata lack the tokeniser");
    s = tg_tokenizer_from_tree(tokenizer, &t->tokenizer);
    if (s) return s;
    if (vocab < 1 || vocab != tg_tokenizer_vocab(t->tokenizer))
        return fail_format("the tokeniser has another size than its metadata say");
    t->data = tg_model_data_of(t->tokenizer);
    if (algorithm < 3) t->data.classes = 0; /* only since then are classes held, by weights of their own */
    return make_config(t, settings);
}

/* Of a state those that training would have left as a model: the averaged ones where there are any. */
static tg_status read_slab(tg_context *ctx, const tg_trained *t, const tg_params *p)
{
    tg_str ema = {0};
    tg_str_addf(&ema, "ema/%s", tg_params_count(p) ? tg_params_at(p, 0)->name : "");
    const bool averaged = !ema.failed && tg_safetensors_find(t->file, ema.data);
    tg_status s = ema.failed ? TG_ENOMEM : tg_weights_read(ctx, t->file, averaged ? "ema/" : "", p, tg_params_values(p));
    tg_str_free(&ema);
    return s;
}

/* Whether there are adapters in it: it is one, or the state of a training of some. */
static bool has_adapters(const tg_trained *t)
{
    const tg_json *meta = tg_safetensors_meta(t->file);
    const char *kind = tg_json_text(meta, "kind");
    int64_t rank = 0;
    return t->base || (kind && !strcmp(kind, "state") && tg_json_int(tg_json_get(meta, "settings"), "lora_rank", &rank) && rank > 0);
}

/* What adapters were learned for: a file of its own, or a part of their state. What they hold whole comes with them. */
static tg_status read_base(tg_context *ctx, const tg_trained *t, const tg_params *p, bool vocabulary)
{
    if (!t->base) return tg_weights_read(ctx, t->file, "base/", p, tg_params_values(p));
    tg_status s = TG_OK;
    for (int64_t i = 0, first; i < tg_params_count(p) && !s; i++) {
        const tg_tensor *x = tg_params_at(p, i);
        if (!vocabulary || tg_params_rows_of(p, i, &first) == TG_ROWS_OF_NOTHING)
            s = tg_tensor_read(t->base, "", x->name, &x->shape, x->data);
    }
    return s ? tg_note("%s", t->path) : TG_OK;
}

/* The base, and to it the products, as training adds them. */
static tg_status read_adapted(tg_context *ctx, const tg_trained *t, tg_params *p)
{
    enum { HIGHEST_ALPHA = 1000000 }; /* as gen-train takes it */
    const tg_json *settings = tg_json_get(tg_safetensors_meta(t->file), "settings"), *vocabulary = tg_json_get(settings, "map_vocab");
    tg_lora_options o = {.vocabulary = vocabulary && vocabulary->type == TG_JSON_BOOL && vocabulary->integer};
    tg_lora *l = NULL;
    uint32_t seen = 0;
    if (t->desc->learner) return fail_format("its model has no adapters");
    if (!tg_json_int(settings, "lora_rank", &o.rank) || !tg_json_real(settings, "lora_alpha", &o.alpha) || o.rank < 1)
        return fail_format("its settings lack the adapter's rank and weight");
    if (o.alpha <= 0) o.alpha = 2 * (double)o.rank;
    tg_status s = o.alpha <= HIGHEST_ALPHA ? read_base(ctx, t, p, o.vocabulary) : tg_fail(TG_EUSAGE, "its lora_alpha is no weight");
    if (!s) s = tg_freeze(p, tg_json_text(settings, "freeze"));
    if (!s) s = tg_lora_new(ctx, p, &o, &l);
    if (s == TG_EUSAGE) s = fail_format("its settings do not go together"); /* nobody gave options */
    if (!s) s = read_slab(ctx, t, tg_lora_params(l));
    if (!s) tg_lora_merge(l);
    tg_lora_free(l);
    if (!s) look_for_infinite(&seen, tg_params_values(p), tg_params_size(p) * (int64_t)sizeof(float));
    return seen >> 31 ? fail_format("with its adapters some weights are not finite") : s;
}

/* The weights alone, as a check before memory is asked for: a header that lies about layers or hidden is found out by the
 * file's size, since every parameter must be there. */
static tg_status read_weights(tg_context *ctx, tg_trained *t)
{
    tg_status s = tg_model_new(ctx, t->desc, t->config, &t->data, 1, false, true, &t->model);
    if (s == TG_EUSAGE) return fail_format("its settings do not go together, or not with its data"); /* nobody gave options */
    if (s) return s;
    tg_params *p = tg_model_params(t->model);
    const int64_t bytes = tg_safetensors_bytes(t->file) + (t->base ? tg_safetensors_bytes(t->base) : 0);
    if (tg_params_elements(p) > bytes / (int64_t)sizeof(float)) s = fail_format("its settings need more weights than it holds");
    if (!s) s = tg_params_allot(p);
    if (!s) s = has_adapters(t) ? read_adapted(ctx, t, p) : read_slab(ctx, t, p);
    if (!s && t->desc->learner) s = t->desc->learner->load(t->model, t->file);
    return s;
}

tg_status tg_trained_path(const char *path, char **out)
{
    if (tg_path_kind(path) != TG_PATH_FOLDER) {
        *out = tg_strdup(path);
        return *out ? TG_OK : TG_ENOMEM;
    }
    *out = tg_path_join(path, "model.safetensors");
    if (!*out) return TG_ENOMEM;
    if (tg_path_kind(*out) != TG_PATH_NONE) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: no model.safetensors in this folder; train first, or wait for the first save", path);
}

tg_status tg_trained_hash(const char *path, char hex[65])
{
    char *bytes = NULL;
    int64_t length = 0;
    tg_status s = tg_file_slurp(path, INT64_C(1) << 36, &bytes, &length);
    if (!s) tg_sha256_hex(bytes, length, hex);
    tg_free(bytes);
    return s;
}

static tg_status check_base(const tg_trained *t)
{
    const char *base = tg_json_text(tg_safetensors_meta(t->file), "base");
    char hex[65];
    if (!base) return fail_format("it does not say which model it was learned for");
    tg_status s = tg_trained_hash(t->path, hex);
    if (s || !strcmp(hex, base)) return s;
    return tg_fail(TG_EINVAL, "it was learned for the model of sha256 %.64s, and %s is %s", base, t->path, hex);
}

static tg_status open_files(tg_trained *t, const char *adapter)
{
    tg_safetensors **first = adapter ? &t->base : &t->file;
    tg_status s = tg_safetensors_open(t->path, first);
    return s || !adapter ? s : tg_safetensors_open(adapter, &t->file);
}

static tg_status open_trained(tg_context *ctx, const char *path, const char *adapter, bool weights, tg_trained **out)
{
    tg_trained *t = tg_alloc(sizeof *t);
    if (!t) return TG_ENOMEM;
    tg_status s = tg_trained_path(path, &t->path);
    if (!s) {
        s = open_files(t, adapter);
        bool opened = !s;
        if (!s) s = read_meta(ctx, weights, t);
        if (!s && adapter) s = check_base(t);
        if (!s && weights) s = read_weights(ctx, t);
        if (s && opened) s = tg_note("%s", adapter ? adapter : t->path);
    }
    if (s) {
        tg_trained_close(t);
        return s;
    }
    *out = t;
    return TG_OK;
}

tg_status tg_trained_open(tg_context *ctx, const char *path, bool weights, tg_trained **out)
{
    return open_trained(ctx, path, NULL, weights, out);
}

tg_status tg_trained_open_adapted(tg_context *ctx, const char *path, const char *adapter, tg_trained **out)
{
    return open_trained(ctx, path, adapter, true, out);
}

void tg_trained_close(tg_trained *t)
{
    if (!t) return;
    tg_model_free(t->model);
    tg_tokenizer_free(t->tokenizer);
    tg_keys_free(t->keys);
    tg_free(t->config);
    tg_safetensors_close(t->file);
    tg_safetensors_close(t->base);
    tg_free(t->path);
    tg_free(t);
}

/* ---- tokenisers ----------------------------------------------------------------------------------------------------- */

static void add_token(tg_str *out, const tg_tokenizer *t, int64_t id)
{
    int64_t length = 0;
    uint32_t code = 0;
    const char *text = id < tg_tokenizer_vocab(t) ? tg_tokenizer_text(t, (int32_t)id, &length) : NULL;
    if (!text) {
        tg_str_add(out, "none");
        return;
    }
    if (tg_tokenizer_special(t, (int32_t)id)) {
        text = tg_tokenizer_special(t, (int32_t)id);
        length = (int64_t)strlen(text);
    }
    tg_str_add(out, "\"");
    tg_term_safe_line(out, text, length);
    tg_str_add(out, "\"");
    if (tg_utf8_next(text, text + length, &code) == (int)length) tg_str_addf(out, " (U+%04X)", (unsigned)code);
}

static int64_t first_difference(const tg_tokenizer *a, const tg_tokenizer *b)
{
    int64_t n = tg_tokenizer_vocab(a) > tg_tokenizer_vocab(b) ? tg_tokenizer_vocab(a) : tg_tokenizer_vocab(b);
    for (int64_t i = 0; i < n; i++) {
        int64_t la = 0, lb = 0;
        const int32_t id = (int32_t)i;
        if (i >= tg_tokenizer_vocab(a) || i >= tg_tokenizer_vocab(b)) return i;
        const char *ta = tg_tokenizer_text(a, id, &la), *tb = tg_tokenizer_text(b, id, &lb);
        const char *sa = tg_tokenizer_special(a, id), *sb = tg_tokenizer_special(b, id);
        if (la != lb || memcmp(ta, tb, (size_t)la) || !sa != !sb || (sa && strcmp(sa, sb))) return i;
    }
    return -1;
}

tg_status tg_tokenizer_same(const tg_tokenizer *a, const char *a_name, const tg_tokenizer *b, const char *b_name, const char *remedy)
{
    int64_t at = first_difference(a, b);
    tg_str one = {0}, two = {0};
    if (at < 0 && !strcmp(tg_tokenizer_kind(a), tg_tokenizer_kind(b))) return TG_OK;
    if (at >= 0) {
        tg_str_addf(&one, "; token %lld is ", (long long)at);
        add_token(&one, a, at);
        tg_str_addf(&two, " in %s and ", a_name);
        add_token(&two, b, at);
        tg_str_addf(&two, " in %s", b_name);
    }
    tg_status s = one.failed || two.failed ? TG_ENOMEM
                : tg_fail(TG_EINVAL, "the vocabularies differ: %s has a %s tokeniser of %lld tokens, %s a %s tokeniser of %lld%s%s; "
                          "%s",
                          a_name, tg_tokenizer_kind(a), (long long)tg_tokenizer_vocab(a), b_name, tg_tokenizer_kind(b),
                          (long long)tg_tokenizer_vocab(b), at < 0 ? "" : one.data, at < 0 ? "" : two.data,
                          remedy ? remedy : "collect and preprocess both texts together, or train from the start");
    tg_str_free(&one);
    tg_str_free(&two);
    return s;
}

tg_status tg_trained_tokenizer(tg_context *ctx, const char *name, tg_tokenizer **out, bool *has_unknown)
{
    char *path = NULL;
    tg_safetensors *file = NULL;
    int64_t unknown = -1;
    tg_status s = tg_trained_path(name, &path);
    if (!s) s = tg_context_read(ctx, path);
    if (!s) s = tg_safetensors_open(path, &file);
    if (!s) {
        const tg_json *tree = tg_json_get(tg_safetensors_meta(file), "tokenizer");
        s = tree ? tg_tokenizer_plain_from_tree(tree, out) : tg_fail(TG_EFORMAT, "no tokeniser in it; take a dataset or a model");
        if (!s && has_unknown) *has_unknown = tg_json_int(tree, "unknown", &unknown) && unknown >= 0;
        if (s) s = tg_note("%s", path);
    }
    tg_safetensors_close(file);
    tg_free(path);
    return s;
}
