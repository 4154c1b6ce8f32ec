/* kept.c - going on with another vocabulary, or other classes. */
#include "run/kept.h"

#include "base/alloc.h"
#include "base/map.h"
#include "run/kinds.h"

#include <string.h>

/* Rows of the old model, those of its tokens or classes, and where each of the new ones comes from; -1: it is new. */
typedef struct links { int64_t old_count, count, known; int64_t *from; } links;

/* What a row is known by: the bytes of a token, or a name, apart from each other by what stands in front; a token without either by
 * its place. */
static bool key_of(const tg_tokenizer *t, int32_t id, tg_str *out)
{
    const char *name = tg_tokenizer_special(t, id), *text = NULL;
    int64_t length = 0;
    tg_str_clear(out);
    if (!name) text = tg_tokenizer_text(t, id, &length);
    if (name) tg_str_addf(out, "special %s", name);
    else if (length == 0) tg_str_addf(out, "place %d", (int)id);
    else {
        tg_str_add(out, "text ");
        tg_str_add_n(out, text, length);
    }
    return !out->failed;
}

typedef bool (*namer)(const void *of, int64_t i, tg_str *out);

static bool same_text(const tg_str *a, const tg_str *b)
{
    return a->length == b->length && !memcmp(a->data, b->data, (size_t)a->length);
}

/* Of two old rows with one text (a byte and a piece of SentencePiece's may have) the one at the same place counts, else the first. */
static tg_status link_names(links *l, namer old_name, const void *old, namer now_name, const void *now)
{
    tg_map *map = tg_map_new();
    tg_str key = {0}, there = {0};
    l->from = tg_alloc_array(l->count > 0 ? l->count : 1, sizeof *l->from);
    tg_status s = map && l->from ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < l->old_count && !s; i++) {
        const int64_t had = tg_map_count(map), at = old_name(old, i, &key) ? tg_map_add(map, key.data, key.length) : -1;
        if (at < 0) s = TG_ENOMEM;
        else if (at == had) *tg_map_value(map, at) = i;
    }
    for (int64_t i = 0; i < l->count && !s; i++) {
        if (!now_name(now, i, &key)) s = TG_ENOMEM;
        if (!s && i < l->old_count && !old_name(old, i, &there)) s = TG_ENOMEM;
        const int64_t at = s ? -1 : tg_map_find(map, key.data, key.length);
        l->from[i] = at < 0 ? -1 : i < l->old_count && same_text(&key, &there) ? i : *tg_map_value(map, at);
        l->known += at >= 0;
    }
    tg_str_free(&key);
    tg_str_free(&there);
    tg_map_free(map);
    return s;
}

static bool token_name(const void *of, int64_t i, tg_str *out)
{
    return key_of(of, (int32_t)i, out);
}

static bool put_name(tg_str *out, const char *name)
{
    tg_str_clear(out);
    tg_str_add(out, name ? name : "");
    tg_str_add_n(out, "", 1);
    return !out->failed;
}

static bool text_class(const void *of, int64_t i, tg_str *out) { return put_name(out, tg_tokenizer_class_name(of, i)); }
static bool data_class(const void *of, int64_t i, tg_str *out) { return put_name(out, tg_dataset_class_name(of, i)); }

static bool samples_class(const void *of, int64_t i, tg_str *out)
{
    int64_t count;
    return put_name(out, tg_samples_class(of, i, &count));
}

static tg_status link_tokens(const tg_trained *old, const tg_dataset *d, links *l)
{
    const tg_tokenizer *now = tg_dataset_tokenizer(d);
    *l = (links){.old_count = old->data.vocab, .count = now ? tg_tokenizer_vocab(now) : 0};
    return now ? link_names(l, token_name, old->tokenizer, token_name, now) : TG_OK;
}

static tg_status link_classes(const tg_trained *old, const tg_dataset *d, links *l)
{
    const tg_tokenizer *now = tg_dataset_tokenizer(d);
    *l = (links){.old_count = old->data.classes, .count = now ? tg_tokenizer_classes(now) : tg_dataset_classes(d)};
    return now ? link_names(l, text_class, old->tokenizer, text_class, now) : link_names(l, samples_class, old->samples, data_class, d);
}

tg_status tg_kept_count(const tg_trained *old, const tg_dataset *d, tg_kept *out)
{
    links l = {0};
    const tg_tokenizer *was = old->tokenizer, *now = tg_dataset_tokenizer(d);
    tg_status s = was ? link_tokens(old, d, &l) : link_classes(old, d, &l);
    bool same = !s && l.count == l.old_count && (!was || !now || !strcmp(tg_tokenizer_kind(was), tg_tokenizer_kind(now)));
    for (int64_t i = 0; same && i < l.count; i++) same = l.from[i] == i;
    if (!s) *out = (tg_kept){l.count, l.known, same};
    tg_free(l.from);
    return s;
}

/* A parameter that has rows: those before `first` and those that are known. One that the old model did not have is new. */
static tg_status read_rows(const tg_trained *old, const tg_tensor *t, int64_t first, const links *l)
{
    if (!tg_safetensors_find(old->file, t->name)) return TG_OK;
    tg_shape shape = t->shape;
    const int64_t size = tg_shape_count(&shape) / shape.dims[0];
    shape.dims[0] = first + l->old_count;
    float *rows = tg_alloc_array(tg_shape_count(&shape), sizeof *rows);
    tg_status s = rows ? tg_tensor_read(old->file, "", t->name, &shape, rows) : TG_ENOMEM;
    if (!s && first) memcpy(t->data, rows, (size_t)(first * size) * sizeof *rows);
    for (int64_t i = 0; i < l->count && !s; i++)
        if (l->from[i] >= 0)
            memcpy(t->data + (first + i) * size, rows + (first + l->from[i]) * size, (size_t)size * sizeof *rows);
    tg_free(rows);
    return s;
}

tg_status tg_kept_read(const tg_trained *old, const tg_dataset *d, tg_params *p)
{
    links tokens = {0}, classes = {0};
    tg_status s = old->tokenizer ? link_tokens(old, d, &tokens) : TG_OK;
    if (!s) s = link_classes(old, d, &classes);
    for (int64_t i = 0; i < tg_params_count(p) && !s; i++) {
        const tg_tensor *t = tg_params_at(p, i);
        int64_t first = 0;
        const tg_row_kind of = tg_params_rows_of(p, i, &first);
        if (of == TG_ROWS_OF_NOTHING) s = tg_tensor_read(old->file, "", t->name, &t->shape, t->data);
        else s = read_rows(old, t, first, of == TG_ROWS_OF_TOKENS ? &tokens : &classes);
    }
    tg_free(tokens.from);
    tg_free(classes.from);
    return s;
}
