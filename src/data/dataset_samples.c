/* dataset_samples.c - reading a dataset of images or points. Samples are kept in memory as they lie on disk, bytes or floats, or,
 * where there are too many, read as they are asked for; labels are always kept. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "data/dataset_parts.h"
#include "data/text/tokenizer.h"

static tg_status read_shape(tg_dataset *d, const tg_json *samples)
{
    const tg_json *shape = tg_json_get(samples, "shape");
    const int rank = d->kind == TG_KIND_IMAGE ? 3 : 1;
    if (!shape || shape->type != TG_JSON_ARRAY || shape->integer != rank)
        return tg_dataset_damaged(d, "its header does not tell the shape of a sample");
    d->size = 1;
    for (const tg_json *at = shape->child; at; at = at->next) {
        if (at->type != TG_JSON_INT || at->integer < 1 || __builtin_mul_overflow(d->size, at->integer, &d->size))
            return tg_dataset_damaged(d, "the shape of its samples makes no sense");
        d->dims[d->rank++] = at->integer;
    }
    if (d->kind == TG_KIND_IMAGE && d->dims[0] != 1 && d->dims[0] != 3) return tg_dataset_damaged(d, "its images are neither grey nor RGB");
    const char *augment = tg_json_text(samples, "augment");
    d->flips = augment && strcmp(augment, "flip") == 0;
    return TG_OK;
}

static tg_status read_classes(tg_dataset *d, const tg_json *samples)
{
    const tg_json *list = tg_json_get(samples, "classes");
    if (!list) return TG_OK;
    if (list->type != TG_JSON_ARRAY || list->integer < 1 || list->integer > TG_MOST_CLASSES)
        return tg_dataset_damaged(d, "its header does not tell its classes");
    for (const tg_json *at = list->child; at; at = at->next) {
        int64_t count;
        if (!tg_json_text(at, "name") || !tg_json_int(at, "count", &count) || count < 0)
            return tg_dataset_damaged(d, "one of its classes has no name or no count");
    }
    d->classes = list;
    return TG_OK;
}

static tg_status read_tensor(tg_dataset *d, const tg_json *meta, int s)
{
    tg_dataset_part *p = &d->parts[s];
    const tg_st_dtype type = d->kind == TG_KIND_IMAGE ? TG_ST_U8 : TG_ST_F32;
    int64_t count = 0;
    const tg_st_tensor *t = tg_safetensors_find(d->file, tg_split_names[s]);
    if (!tg_json_int(tg_json_get(meta, "counts"), tg_split_names[s], &count) || count != (t ? t->dims[0] : 0) || (t && t->rank < 1))
        return tg_dataset_damaged(d, "what its header tells of the splits is not what the tensors are");
    if (count == 0) return TG_OK;
    bool fits = t->dtype == type && t->rank == d->rank + 1;
    for (int i = 0; i < d->rank && fits; i++) fits = t->dims[i + 1] == d->dims[i];
    if (!fits) return tg_dataset_damaged(d, "its tensors have another type or shape than its header tells");
    p->tensor = t;
    p->count = count;
    p->width = (int)tg_st_size(type);
    return TG_OK;
}

static tg_status read_labels(tg_dataset *d, int s)
{
    tg_dataset_part *p = &d->parts[s];
    const tg_st_tensor *t = tg_safetensors_find(d->file, tg_labels_names[s]);
    if (!p->tensor || !d->classes) return TG_OK;
    if (!t || t->dtype != TG_ST_U16 || t->rank != 1 || t->count != p->tensor->dims[0])
        return tg_dataset_damaged(d, "its samples do not all have a label");
    p->labels = tg_alloc_raw(t->bytes);
    tg_status status = p->labels ? tg_safetensors_read(d->file, t, p->labels) : TG_ENOMEM;
    for (int64_t i = 0; i < t->count && !status; i++)
        if (p->labels[i] >= d->classes->integer) status = tg_dataset_damaged(d, "it has labels outside its classes");
    return status;
}

/* Coordinates that are no numbers would only show as a loss that is none. */
static tg_status check_finite(const tg_dataset *d, const float *x, int64_t count)
{
    bool finite = true;
    for (int64_t i = 0; i < count; i++) finite &= x[i] - x[i] == 0;
    return finite ? TG_OK : tg_dataset_damaged(d, "it has coordinates that are no numbers");
}

static tg_status load(tg_dataset *d, int s)
{
    tg_dataset_part *p = &d->parts[s];
    if (!p->tensor) return TG_OK;
    p->tokens = tg_alloc_raw(p->tensor->bytes);
    tg_status status = p->tokens ? tg_safetensors_read(d->file, p->tensor, p->tokens) : TG_ENOMEM;
    return status || d->kind == TG_KIND_IMAGE ? status : check_finite(d, p->tokens, p->tensor->count);
}

tg_status tg_dataset_read_samples(tg_dataset *d, const tg_json *meta, int64_t load_bytes)
{
    const tg_json *samples = tg_json_get(meta, "samples");
    int64_t bytes = 0;
    tg_status status = read_shape(d, samples);
    if (!status) status = read_classes(d, samples);
    for (int s = 0; s < TG_SPLITS && !status; s++) {
        status = read_tensor(d, meta, s);
        if (!status) status = read_labels(d, s);
        if (d->parts[s].tensor) bytes += d->parts[s].tensor->bytes; /* within the file's size: no overflow */
    }
    for (int s = 0; s < TG_SPLITS && !status && bytes <= load_bytes; s++) status = load(d, s);
    return status;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

int tg_dataset_shape(const tg_dataset *d, int64_t dims[3])
{
    for (int i = 0; i < d->rank; i++) dims[i] = d->dims[i];
    return d->rank;
}

bool tg_dataset_flips(const tg_dataset *d)
{
    return d->flips;
}

int64_t tg_dataset_classes(const tg_dataset *d)
{
    return d->classes ? d->classes->integer : 0;
}

static const tg_json *class_at(const tg_dataset *d, int64_t i)
{
    const tg_json *at = d->classes ? d->classes->child : NULL;
    for (; at && i > 0; i--) at = at->next;
    return at;
}

const char *tg_dataset_class_name(const tg_dataset *d, int64_t i)
{
    return tg_json_text(class_at(d, i), "name");
}

int64_t tg_dataset_class_count(const tg_dataset *d, int64_t i)
{
    int64_t count = 0;
    tg_json_int(class_at(d, i), "count", &count);
    return count;
}

/* raw may lie at the end of x's own room: a byte is read before its place is written. */
static void widen(const uint8_t *raw, int64_t count, float *x)
{
    for (int64_t i = 0; i < count; i++) x[i] = (float)raw[i] / 255.0f;
}

tg_status tg_dataset_samples(const tg_dataset *d, tg_split s, int64_t first, int64_t count, float *x, int32_t *labels)
{
    const tg_dataset_part *p = &d->parts[s];
    const int64_t all = tg_dataset_count(d, s), n = count * d->size;
    if (!d->rank) return tg_fail(TG_EINVAL, "%s: is a dataset of text, it has no samples", d->path);
    if (first < 0 || count < 0 || first > all || count > all - first)
        return tg_fail(TG_EINVAL, "%s: split %s has %" PRId64 " samples; %" PRId64 " from %" PRId64 " were asked for", d->path,
                       tg_split_names[s], all, count, first);
    if (count == 0) return TG_OK;
    const char *raw = (char *)x + n * (4 - p->width);
    tg_status status = TG_OK;
    if (p->tokens) raw = (const char *)p->tokens + first * d->size * p->width;
    else status = tg_safetensors_read_part(d->file, p->tensor, first * d->size, n, (char *)x + n * (4 - p->width));
    if (status) return status;
    if (p->width == 1) widen((const uint8_t *)raw, n, x);
    else if (p->tokens) memcpy(x, raw, (size_t)n * sizeof *x);
    else status = check_finite(d, x, n);
    for (int64_t i = 0; labels && i < count; i++) labels[i] = p->labels ? p->labels[first + i] : -1;
    return status;
}
