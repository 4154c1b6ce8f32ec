/* convert_llama.c - which of our tensors are which of Llama's; from a checkpoint of llama2.c, and to one.
 *
 * The rows of queries and keys change places within each head, as the two turn other pairs. The tables of the rotation, which
 * readers of the format work out for themselves, are kept in the model beside its weights where they are not what would be
 * written anyway, so that a checkpoint comes back byte for byte. */
#include "run/convert.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/json.h"
#include "data/codec/safetensors.h"
#include "data/text/bpe.h"
#include "run/checkpoint.h"

enum { NAME = 64, TABLES = 2 };
static const double BASE = 10000; /* of the rotation in llama2.c */

/* Our tensors, and the matrices that lie in each, one below the other. */
typedef struct place { bool layered; const char *name; int count; tg_llama2_part parts[3]; } place;
static const place places[] = {
    {false, "embed.weight", 1, {TG_LLAMA2_EMBED}},
    {true, "norm1.weight", 1, {TG_LLAMA2_ATTENTION_NORM}},
    {true, "attn.qkv.weight", 3, {TG_LLAMA2_QUERY, TG_LLAMA2_KEY, TG_LLAMA2_VALUE}},
    {true, "attn.out.weight", 1, {TG_LLAMA2_OUT}},
    {true, "norm2.weight", 1, {TG_LLAMA2_NET_NORM}},
    {true, "mlp.up.weight", 2, {TG_LLAMA2_GATE, TG_LLAMA2_UP}},
    {true, "mlp.down.weight", 1, {TG_LLAMA2_DOWN}},
    {false, "norm.weight", 1, {TG_LLAMA2_NORM}},
    {false, "head.weight", 1, {TG_LLAMA2_HEAD_WEIGHT}},
    {false, "llama2.freq_cis_real", 1, {TG_LLAMA2_COSINE}},
    {false, "llama2.freq_cis_imag", 1, {TG_LLAMA2_SINE}},
};
enum { PLACES = sizeof places / sizeof places[0], COSINES = PLACES - 2, SINES };

/* The place of a tensor of ours, "norm.weight" or "layers.K.norm1.weight", and its layer. */
static const place *place_of(const char *name, int64_t *layer)
{
    const bool layered = tg_starts_with(name, "layers.");
    *layer = 0;
    if (layered) {
        for (name += strlen("layers."); *name >= '0' && *name <= '9'; name++) *layer = 10 * *layer + (*name - '0');
        name++; /* the dot */
    }
    for (int i = 0; i < PLACES; i++)
        if (places[i].layered == layered && !strcmp(places[i].name, name)) return &places[i];
    return NULL;
}

/* ---- from llama2.c ----------------------------------------------------------------------------------------------------- */

typedef struct incoming {
    tg_converting *c;
    tg_file *file;
    tg_llama2 shape;
    tg_tokenizer *tokenizer;
    const tg_model_desc *desc;
    void *config;
    tg_model *plan;      /* whose parameters are to be filled */
    char *settings, *tokenizer_json;
    tg_st_row *rows;
    int64_t count;
} incoming;

static tg_status read_floats(const incoming *m, tg_llama2_part p, int64_t layer, int64_t first, int64_t count, float *out)
{
    return tg_file_read_at(m->file, tg_llama2_offset(&m->shape, p, layer) + first * (int64_t)sizeof *out, out, count * (int64_t)sizeof *out);
}

/* Elements [first, first + count) of one of our tensors, read from where they are in the file. */
static tg_status fill(void *user, int64_t row, int64_t first, int64_t count, void *out)
{
    const incoming *m = user;
    float *to = out;
    int64_t layer, from = first;
    const place *where = place_of(m->rows[row].name, &layer);
    const bool weights = where < &places[COSINES];
    tg_status s = tg_cancelled(m->c->ctx) ? tg_fail(TG_ECANCELLED, "stopped; %s is as it was", m->c->o->out) : TG_OK;
    for (int i = 0; i < where->count && count > 0 && !s; i++) {
        const tg_llama2_part p = where->parts[i];
        const int64_t columns = tg_llama2_columns(&m->shape, p), size = tg_llama2_rows(&m->shape, p) * columns;
        for (int64_t n; from < size && count > 0 && !s; from += n, to += n, count -= n) { /* a row, as far as it is asked for */
            n = columns - from % columns < count ? columns - from % columns : count;
            s = read_floats(m, p, layer, tg_llama2_their_row(&m->shape, p, from / columns) * columns + from % columns, n, to);
            for (int64_t k = 0; k < n && weights && !s; k++)
                if (!isfinite(to[k]))
                    s = tg_fail(TG_EFORMAT, "the weights that become %s hold a number that is not finite: damaged?", m->rows[row].name);
        }
        from -= size;
    }
    return s;
}

static tg_status set(tg_keys *keys, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return tg_keys_set(keys, name, text, TG_FROM_CONFIG);
}

static tg_status make_plan(incoming *m)
{
    const tg_llama2 *c = &m->shape;
    tg_keys *keys = NULL;
    tg_status s = tg_model_find("transformer", &m->desc);
    if (!s && !(m->config = tg_alloc(m->desc->config_size))) s = TG_ENOMEM;
    if (!s) s = tg_keys_new(&keys);
    if (!s) s = tg_keys_add(keys, "Model", m->desc->keys, m->config);
    if (!s) s = set(keys, "layers", c->layers);
    if (!s) s = set(keys, "heads", c->heads);
    if (!s) s = set(keys, "kv_heads", c->kv_heads);
    if (!s) s = set(keys, "dim", c->dim);
    if (!s) s = set(keys, "context", c->context);
    if (!s) s = set(keys, "ffn", c->hidden);
    if (!s) s = tg_keys_set(keys, "tie", c->shared ? "true" : "false", TG_FROM_CONFIG);
    if (!s && !(m->settings = tg_keys_json(keys, TG_KEY_RESULT, 0))) s = TG_ENOMEM;
    tg_keys_free(keys);
    const tg_model_data data = tg_model_data_of(m->tokenizer);
    return s ? s : tg_model_new(m->c->ctx, m->desc, m->config, &data, 1, false, true, &m->plan);
}

static tg_status open_incoming(incoming *m)
{
    const tg_convert_options *o = m->c->o;
    unsigned char head[TG_LLAMA2_HEAD] = {0};
    tg_status s = tg_context_read(m->c->ctx, o->in);
    if (!s) s = tg_file_open(o->in, &m->file);
    if (s) return s;
    const int64_t size = tg_file_size(m->file), length = size < TG_LLAMA2_HEAD ? size : TG_LLAMA2_HEAD;
    if (size < 0) return tg_fail(TG_EUNSUPPORTED, "%s: a checkpoint cannot come through a pipe; save it first", o->in);
    s = tg_file_read_at(m->file, 0, head, length);
    if (!s) s = tg_llama2_parse(o->in, head, length, size, &m->shape);
    if (s) return s;
    if (!o->tokenizer) return tg_fail(TG_EUSAGE, "%s does not hold its tokeniser: add --tokenizer tokenizer.bin", o->in);
    s = tg_bpe_open(m->c->ctx, o->tokenizer, &m->tokenizer);
    if (!s && tg_tokenizer_own_start(m->tokenizer)) s = tg_fail(TG_EFORMAT, "%s: no tokenizer.bin of llama2.c", o->tokenizer);
    if (!s && tg_tokenizer_vocab(m->tokenizer) != m->shape.vocab)
        s = tg_fail(TG_EINVAL, "%s has %" PRId64 " pieces, %s is for %" PRId64 ": take the tokeniser that belongs to it", o->tokenizer,
                    tg_tokenizer_vocab(m->tokenizer), o->in, m->shape.vocab);
    return s;
}

/* Whether the file's table is the one that would be written anyway. */
static tg_status is_usual(const incoming *m, tg_llama2_part p, bool *usual)
{
    const int64_t columns = tg_llama2_columns(&m->shape, p);
    float *ours = tg_alloc_array(columns, sizeof *ours), *theirs = tg_alloc_array(columns, sizeof *theirs);
    tg_status s = ours && theirs ? TG_OK : TG_ENOMEM;
    for (int64_t t = 0; t < m->shape.context && *usual && !s; t++) {
        tg_llama2_table(&m->shape, p, t, ours);
        s = read_floats(m, p, 0, t * columns, columns, theirs);
        *usual = s || !memcmp(ours, theirs, (size_t)columns * sizeof *ours);
    }
    tg_free(ours);
    tg_free(theirs);
    return s;
}

static tg_status list_rows(incoming *m)
{
    const tg_params *p = tg_model_params(m->plan);
    bool usual = true;
    m->rows = tg_alloc_array(tg_params_count(p) + TABLES, sizeof *m->rows);
    if (!m->rows) return TG_ENOMEM;
    for (; m->count < tg_params_count(p); m->count++) {
        const tg_tensor *t = tg_params_at(p, m->count);
        m->rows[m->count] = (tg_st_row){.name = t->name, .dtype = TG_ST_F32, .rank = t->shape.rank};
        for (int i = 0; i < t->shape.rank; i++) m->rows[m->count].dims[i] = t->shape.dims[i];
    }
    tg_status s = is_usual(m, TG_LLAMA2_COSINE, &usual);
    if (!s) s = is_usual(m, TG_LLAMA2_SINE, &usual);
    for (int i = COSINES; i <= SINES && !usual && !s; i++)
        m->rows[m->count++] = (tg_st_row){.name = places[i].name, .dtype = TG_ST_F32, .rank = 2,
                                          .dims = {m->shape.context, tg_llama2_columns(&m->shape, places[i].parts[0])}};
    return s;
}

static tg_status write_model(incoming *m)
{
    tg_converting *c = m->c;
    tg_str meta = {0};
    m->tokenizer_json = tg_tokenizer_json(m->tokenizer);
    if (!m->tokenizer_json) return TG_ENOMEM;
    const tg_about about = {.model = m->desc->name, .settings = m->settings, .tokenizer = m->tokenizer_json,
                            .data = tg_model_data_of(m->tokenizer)};
    tg_checkpoint_model_meta(&(tg_json_writer){.out = &meta}, &about, 0, NAN);
    tg_status s = meta.failed ? TG_ENOMEM : tg_safetensors_write(c->o->out, m->rows, m->count, meta.data, fill, m, c->sha256);
    tg_str_free(&meta);
    c->params = tg_params_elements(tg_model_params(m->plan));
    if (s) return s == TG_EFORMAT ? tg_note("%s", c->o->in) : s;
    tg_file *written;
    s = tg_file_open(c->o->out, &written);
    if (!s) c->bytes = tg_file_size(written);
    if (!s) tg_file_close(written);
    return s;
}

tg_status tg_convert_from_llama2(tg_converting *c)
{
    incoming m = {.c = c};
    tg_status s = open_incoming(&m);
    if (!s) s = make_plan(&m);
    if (!s) s = list_rows(&m);
    if (!s) s = write_model(&m);
    tg_file_close(m.file);
    tg_tokenizer_free(m.tokenizer);
    tg_model_free(m.plan);
    tg_free(m.config);
    tg_free(m.settings);
    tg_free(m.tokenizer_json);
    tg_free(m.rows);
    return s;
}

/* ---- a model of ours as Llama ------------------------------------------------------------------------------------------ */

/* Its settings, those that the file does not name, too. */
static tg_status settings_of(const tg_trained *t, tg_arena *a, const tg_json **out)
{
    char *json = tg_keys_json(t->keys, TG_KEY_RESULT, 0);
    tg_status s = json ? tg_json_parse(a, "settings", json, (int64_t)strlen(json), out) : TG_ENOMEM;
    tg_free(json);
    return s;
}

static bool is_on(const tg_json *settings, const char *key)
{
    const tg_json *j = tg_json_get(settings, key);
    return j && j->type == TG_JSON_BOOL && j->integer;
}

static bool is_said(const tg_json *settings, const char *key, const char *value)
{
    const char *text = tg_json_text(settings, key);
    return text && !strcmp(text, value);
}

/* What makes it something else than Llama; NULL: nothing. */
static const char *unlike(const tg_json *settings)
{
    if (!is_said(settings, "norm", "rms")) return "layer norm (--norm layer)";
    if (!is_said(settings, "pos", "rope")) return "a table of positions (--pos learned)";
    if (!is_said(settings, "act", "swiglu")) return "another activation than swiglu (--act)";
    if (is_on(settings, "bias")) return "biases (--bias)";
    return is_on(settings, "qk_norm") ? "normalised queries and keys (--qk-norm)" : NULL;
}

static tg_status read_shape(const tg_trained *t, const tg_json *settings, tg_llama *out)
{
    const tg_tensor *down = tg_params_find(tg_model_params(t->model), "layers.0.mlp.down.weight");
    tg_llama2 *c = &out->shape;
    const char *what = unlike(settings);
    if (what) return tg_fail(TG_EUNSUPPORTED, "%s: the format cannot say %s: it is for models shaped as Llama", t->path, what);
    if (!down || !tg_json_int(settings, "layers", &c->layers) || !tg_json_int(settings, "heads", &c->heads) ||
        !tg_json_int(settings, "kv_heads", &c->kv_heads) || !tg_json_int(settings, "dim", &c->dim) ||
        !tg_json_int(settings, "context", &c->context) || !tg_json_real(settings, "theta", &out->theta))
        return tg_fail(TG_EFORMAT, "%s: its settings are not those of a Transformer", t->path);
    if (!c->kv_heads) c->kv_heads = c->heads;
    c->hidden = down->shape.dims[1];
    c->vocab = t->data.vocab;
    c->shared = is_on(settings, "tie");
    return TG_OK;
}

tg_status tg_llama_open(tg_converting *c, const char *path, tg_llama *out)
{
    const tg_json *settings;
    tg_arena *a = tg_arena_new(4096);
    *out = (tg_llama){0};
    tg_status s = a ? tg_trained_open(c->ctx, path, true, &out->t) : TG_ENOMEM;
    if (!s) s = tg_context_read(c->ctx, out->t->path);
    if (!s && strcmp(out->t->desc->name, "transformer"))
        s = tg_fail(TG_EUNSUPPORTED, "%s: the format cannot say a model of kind %s: it is for Transformers shaped as Llama", out->t->path,
                    out->t->desc->name);
    if (!s) s = settings_of(out->t, a, &settings);
    if (!s) s = read_shape(out->t, settings, out);
    if (!s) c->params = tg_params_elements(tg_model_params(out->t->model));
    tg_arena_free(a);
    return s;
}

void tg_llama_close(tg_llama *m)
{
    tg_trained_close(m->t);
}

const float *tg_llama_row(const tg_llama *m, tg_llama2_part p, int64_t layer, int64_t row)
{
    char name[NAME];
    for (int i = 0; i < COSINES; i++) {
        int64_t above = 0;
        for (int k = 0; k < places[i].count; above += tg_llama2_rows(&m->shape, places[i].parts[k++])) {
            if (places[i].parts[k] != p) continue;
            if (places[i].layered) snprintf(name, sizeof name, "layers.%d.%s", (int)layer, places[i].name);
            const tg_tensor *t = tg_params_find(tg_model_params(m->t->model), places[i].layered ? name : places[i].name);
            return t ? t->data + (above + tg_llama2_our_row(&m->shape, p, row)) * tg_llama2_columns(&m->shape, p) : NULL;
        }
    }
    return NULL;
}

/* ---- to llama2.c ------------------------------------------------------------------------------------------------------- */

static tg_status check_llama2(const tg_converting *c, const tg_llama *m)
{
    const tg_tokenizer *k = m->t->tokenizer;
    const tg_bpe *bpe = tg_bpe_of(k);
    const int32_t start = tg_tokenizer_start(k);
    if (m->theta < BASE || m->theta > BASE)
        return tg_fail(TG_EUNSUPPORTED, "%s: llama2.c cannot say another base of the rotation than 10000 (--theta)", m->t->path);
    if (!bpe || bpe->rule != TG_BPE_SCORES)
        return tg_fail(TG_EUNSUPPORTED, "%s: llama2.c wants a tokeniser with scores, a tokenizer.bin; this %s tokeniser has none", m->t->path,
                       tg_tokenizer_kind(k));
    if (tg_tokenizer_vocab(k) > k->plain)
        return tg_fail(TG_EUNSUPPORTED, "%s: llama2.c knows no tokens for documents and classes behind the pieces", m->t->path);
    if (start < 0) tg_log(c->ctx, TG_LOG_WARN, "llama2.c starts a text with token 1, which this model has not learned");
    if (!c->o->tokenizer) tg_log(c->ctx, TG_LOG_INFO, "llama2.c wants its tokeniser in a file beside it: --tokenizer FILE writes that, too");
    return TG_OK;
}

static tg_status add_tables(tg_converting *c, const tg_llama *m, int which)
{
    const tg_st_tensor *kept = tg_safetensors_find(m->t->file, places[which].name);
    const tg_llama2_part p = places[which].parts[0];
    const int64_t columns = tg_llama2_columns(&m->shape, p), all = m->shape.context * columns;
    if (kept && (kept->dtype != TG_ST_F32 || kept->count != all))
        return tg_fail(TG_EFORMAT, "%s: the tensor %s is not %" PRId64 " numbers, as it should be", m->t->path, kept->name, all);
    float *x = tg_alloc_array(all, sizeof *x);
    if (!x) return TG_ENOMEM;
    tg_status s = kept ? tg_safetensors_read(m->t->file, kept, x) : TG_OK;
    for (int64_t t = 0; t < m->shape.context && !kept; t++) tg_llama2_table(&m->shape, p, t, x + t * columns);
    if (!s) s = tg_convert_add(c, x, all * (int64_t)sizeof *x);
    tg_free(x);
    return s;
}

static tg_status add_part(tg_converting *c, const tg_llama *m, tg_llama2_part p)
{
    const int64_t rows = tg_llama2_rows(&m->shape, p), bytes = tg_llama2_columns(&m->shape, p) * (int64_t)sizeof(float);
    tg_status s = TG_OK;
    for (int64_t k = 0; k < tg_llama2_times(&m->shape, p); k++)
        for (int64_t r = 0; r < rows && !s; r++) s = tg_convert_add(c, tg_llama_row(m, p, k, r), bytes);
    return s;
}

static tg_status write_llama2(tg_converting *c, const tg_llama *m)
{
    unsigned char head[TG_LLAMA2_HEAD];
    tg_llama2_put(&m->shape, head);
    tg_status s = tg_convert_add(c, head, sizeof head);
    if (!s) tg_writer_expect(c->writer, tg_llama2_offset(&m->shape, TG_LLAMA2_PARTS, 0));
    for (int p = 0; p < TG_LLAMA2_PARTS && !s; p++) {
        if (p == TG_LLAMA2_COSINE || p == TG_LLAMA2_SINE) s = add_tables(c, m, p == TG_LLAMA2_COSINE ? COSINES : SINES);
        else s = add_part(c, m, (tg_llama2_part)p);
    }
    return s;
}

tg_status tg_convert_to_llama2(tg_converting *c)
{
    tg_llama m;
    tg_status s = tg_llama_open(c, c->o->in, &m);
    if (!s) s = check_llama2(c, &m);
    if (!s) s = write_llama2(c, &m);
    if (!s && c->o->tokenizer) s = tg_bpe_write_scores(m.t->tokenizer, c->o->tokenizer);
    tg_llama_close(&m);
    return s;
}
