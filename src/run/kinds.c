/* kinds.c - text, images, points: their words and, of the latter two, what a model's file tells of them. */
#include "run/kinds.h"

#include <string.h>

#include "base/alloc.h"
#include "data/text/tokenizer.h"

const tg_kind_words *tg_words_of(tg_kind kind)
{
    static const tg_kind_words text = {"text", "tokens", "tokens_per_second", "bpc", "bits/char", NULL},
                               image = {"image", "images", "images_per_second", "bits_per_dim", "bits/dim", "pixels"},
                               points = {"points", "points", "points_per_second", NULL, NULL, "gauss"};
    return kind == TG_KIND_IMAGE ? &image : kind == TG_KIND_POINTS ? &points : &text;
}

char *tg_samples_json(const tg_dataset *d)
{
    int64_t dims[3];
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    const int rank = tg_dataset_shape(d, dims);
    tg_json_open(&w, '{');
    tg_json_key(&w, "shape");
    tg_json_open(&w, '[');
    for (int i = 0; i < rank; i++) tg_json_put_int(&w, dims[i]);
    tg_json_close(&w, ']');
    if (tg_dataset_classes(d)) {
        tg_json_key(&w, "classes");
        tg_json_open(&w, '[');
        for (int64_t i = 0; i < tg_dataset_classes(d); i++) {
            tg_json_open(&w, '{');
            tg_json_member_text(&w, "name", tg_dataset_class_name(d, i));
            tg_json_member_int(&w, "count", tg_dataset_class_count(d, i));
            tg_json_close(&w, '}');
        }
        tg_json_close(&w, ']');
    }
    tg_json_close(&w, '}');
    if (!out.failed) return out.data;
    tg_str_free(&out);
    return NULL;
}

static const tg_json *class_at(const tg_json *samples, int64_t i)
{
    const tg_json *list = tg_json_get(samples, "classes");
    const tg_json *at = list && list->type == TG_JSON_ARRAY && i >= 0 ? list->child : NULL;
    for (; at && i > 0; i--) at = at->next;
    return at;
}

const char *tg_samples_class(const tg_json *samples, int64_t i, int64_t *count)
{
    const tg_json *at = class_at(samples, i);
    *count = 0;
    tg_json_int(at, "count", count);
    return tg_json_text(at, "name");
}

tg_status tg_samples_read(const tg_json *samples, tg_kind kind, tg_model_data *out)
{
    enum { MOST = 1 << 28 };
    const tg_json *shape = tg_json_get(samples, "shape"), *classes = tg_json_get(samples, "classes");
    tg_model_data d = {.kind = kind, .classes = classes ? classes->integer : 0};
    const int rank = kind == TG_KIND_IMAGE ? 3 : 1;
    int64_t size = 1, count = 0;
    bool good = shape && shape->type == TG_JSON_ARRAY && shape->integer == rank;
    for (const tg_json *at = good ? shape->child : NULL; at && good; at = at->next) {
        good = at->type == TG_JSON_INT && at->integer > 0 && at->integer <= MOST / size;
        if (good) size *= d.dims[d.rank++] = at->integer;
    }
    good = good && (kind != TG_KIND_IMAGE || d.dims[0] == 1 || d.dims[0] == 3);
    good = good && (!classes || (classes->type == TG_JSON_ARRAY && classes->integer > 0 && classes->integer <= TG_MOST_CLASSES));
    for (const tg_json *at = good && classes ? classes->child : NULL; at && good; at = at->next)
        good = tg_json_text(at, "name") && tg_json_int(at, "count", &count) && count >= 0 && count < INT64_MAX / TG_MOST_CLASSES;
    if (!good) return tg_fail(TG_EFORMAT, "what it says of its data, their shape and classes, makes no sense");
    *out = d;
    return TG_OK;
}

static tg_status shape_differs(const tg_model_data *a, const char *name, const tg_model_data *b, const char *data_name)
{
    const tg_shape one = tg_shape_of(a->rank, a->dims), two = tg_shape_of(b->rank, b->dims);
    char was[96], is[96];
    return tg_fail(TG_EINVAL,
                   "%s was trained on %s of %s, and %s holds %s of %s; bring them to one size with gen-preprocess --size",
                   name, tg_kind_name(a->kind), tg_shape_text(&one, was), data_name, tg_kind_name(b->kind),
                   tg_shape_text(&two, is));
}

tg_status tg_samples_same(const tg_json *samples, const tg_model_data *old, const char *name, const tg_dataset *d,
                          const char *data_name, bool classes)
{
    const tg_model_data now = tg_model_data_in(d);
    int64_t count;
    if (old->kind != now.kind)
        return tg_fail(TG_EINVAL, "%s was trained on %s, and %s holds %s", name, tg_kind_name(old->kind), data_name,
                       tg_kind_name(now.kind));
    const tg_shape one = tg_shape_of(old->rank, old->dims), two = tg_shape_of(now.rank, now.dims);
    if (!tg_shape_equal(&one, &two)) return shape_differs(old, name, &now, data_name);
    bool same = old->classes == now.classes;
    if (!classes) return TG_OK;
    for (int64_t i = 0; i < now.classes && same; i++)
        same = !strcmp(tg_samples_class(samples, i, &count), tg_dataset_class_name(d, i));
    return same ? TG_OK : tg_fail(TG_EINVAL, "%s and %s do not have the same classes", name, data_name);
}
