/* model.c - the registry over models.def, and what every model has: its config, parameters, state and carry. */
#include "base/alloc.h"
#include "base/str.h"
#include "tinygen/model.h"

#include <string.h>

#define TG_MODEL(name) extern const tg_model_desc tg_model_##name;
#include "models/models.def"
#undef TG_MODEL

#define TG_MODEL(name) &tg_model_##name,
static const tg_model_desc *const all_models[] = {
#include "models/models.def"
};
#undef TG_MODEL

enum { MODEL_COUNT = sizeof all_models / sizeof all_models[0] };

struct tg_model {
    const tg_model_desc *desc;
    void *config, *state;
    tg_params *params;
    tg_model_data data;
};

const tg_model_desc *tg_model_at(int64_t i)
{
    return i >= 0 && i < MODEL_COUNT ? all_models[i] : NULL;
}

static tg_status no_such_model(const char *name)
{
    const char *names[MODEL_COUNT];
    tg_str text = {0};
    for (int i = 0; i < MODEL_COUNT; i++) names[i] = all_models[i]->name;
    const char *near = name ? tg_nearest(name, names, MODEL_COUNT) : NULL;
    if (near) tg_str_addf(&text, " (did you mean %s?)", near);
    tg_str_add(&text, "; there are");
    for (int i = 0; i < MODEL_COUNT; i++) tg_str_addf(&text, "%s %s", i ? "," : "", names[i]);
    tg_status s = text.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s%s%s", name ? "unknown model " : "--model NAME is missing", name ? name : "", text.data);
    tg_str_free(&text);
    return s;
}

tg_status tg_model_find(const char *name, const tg_model_desc **out)
{
    for (int i = 0; i < MODEL_COUNT; i++) {
        if (!name || strcmp(all_models[i]->name, name)) continue;
        *out = all_models[i];
        return TG_OK;
    }
    return no_such_model(name);
}

static tg_status build(tg_context *ctx, tg_model *m, const void *config, uint64_t seed, bool train, bool plan)
{
    const tg_model_desc *d = m->desc;
    m->config = tg_alloc(d->config_size);
    m->state = tg_alloc(d->state_size);
    if (!m->config || !m->state) return TG_ENOMEM;
    memcpy(m->config, config, (size_t)d->config_size);
    tg_status s = tg_params_new(ctx, &m->params);
    if (!s) s = d->init(m);
    if (!s) s = tg_params_seal(m->params, seed, train, plan);
    return s;
}

tg_status tg_model_new(tg_context *ctx, const tg_model_desc *desc, const void *config, const tg_model_data *data,
                       uint64_t seed, bool train, bool plan, tg_model **out)
{
    if (!(desc->kinds & (unsigned)data->kind))
        return tg_fail(TG_EINVAL, "the model %s does not learn from this kind of data", desc->name);
    tg_model *m = tg_alloc(sizeof *m);
    if (!m) return TG_ENOMEM;
    m->desc = desc;
    m->data = *data;
    tg_status s = build(ctx, m, config, seed, train, plan);
    if (s) {
        tg_model_free(m);
        return s;
    }
    *out = m;
    return TG_OK;
}

void tg_model_free(tg_model *m)
{
    if (!m) return;
    if (m->state && m->desc->free) m->desc->free(m);
    tg_params_free(m->params);
    tg_free(m->config);
    tg_free(m->state);
    tg_free(m);
}

const tg_model_desc *tg_model_descriptor(const tg_model *m)
{
    return m->desc;
}

const void *tg_model_config(const tg_model *m)
{
    return m->config;
}

void *tg_model_state(const tg_model *m)
{
    return m->state;
}

tg_params *tg_model_params(const tg_model *m)
{
    return m->params;
}

const tg_model_data *tg_model_about(const tg_model *m)
{
    return &m->data;
}

tg_model_data tg_model_data_of(const tg_tokenizer *k)
{
    const int64_t classes = tg_tokenizer_classes(k);
    return (tg_model_data){.kind = TG_KIND_TEXT, .vocab = tg_tokenizer_vocab(k), .classes = classes,
                           .first_class = classes > 0 ? tg_tokenizer_class_token(k, 0) : 0};
}

tg_model_data tg_model_data_in(const tg_dataset *d)
{
    if (tg_dataset_kind(d) == TG_KIND_TEXT) return tg_model_data_of(tg_dataset_tokenizer(d));
    tg_model_data data = {.kind = tg_dataset_kind(d), .classes = tg_dataset_classes(d)};
    data.rank = tg_dataset_shape(d, data.dims);
    return data;
}

int64_t tg_model_data_size(const tg_model_data *data)
{
    int64_t n = 1;
    for (int i = 0; i < data->rank; i++) n *= data->dims[i];
    return n;
}

tg_tensor *tg_batch_ids(tg_tape *t, const tg_batch *batch, const char *name)
{
    const tg_array *a = tg_batch_array(batch, name);
    return a ? tg_input_ids(t, a->rank, a->dims, a->ids) : NULL;
}

tg_tensor *tg_batch_values(tg_tape *t, const tg_batch *batch, const char *name)
{
    const tg_array *a = tg_batch_array(batch, name);
    return a ? tg_input_values(t, a->rank, a->dims, a->values) : NULL;
}

void tg_metric_number(tg_metrics *out, const char *name, double value)
{
    if (!out || out->count == TG_METRICS) return;
    out->names[out->count] = name;
    out->values[out->count++] = value;
}

void tg_metric(tg_metrics *out, const char *name, const tg_tensor *value)
{
    if (value) tg_metric_number(out, name, value->data ? (double)value->data[0] : 0);
}

/* ---- carried state --------------------------------------------------------------------------------------------- */

tg_status tg_carry_new(const tg_model *m, int64_t B, tg_carry *out)
{
    tg_carry c = {0};
    if (m->desc->carry) m->desc->carry(m, B, &c);
    for (int i = 0; i < c.count; i++) {
        int64_t floats = tg_shape_count(&c.shapes[i]);
        if (floats < 0) c.data[i] = NULL;
        else if (c.kept[i] && floats < INT64_MAX / 4) c.data[i] = tg_alloc_raw(floats * 4); /* only what was written is read */
        else c.data[i] = tg_alloc_array(floats, sizeof(float));
        c.next[i] = c.kept[i] || !c.data[i] ? c.data[i] : tg_alloc_array(floats, sizeof(float));
        if (c.next[i]) continue;
        tg_carry_free(&c);
        return floats < 0 ? tg_fail(TG_EINVAL, "the state of %lld rows is too large", (long long)B) : TG_ENOMEM;
    }
    *out = c;
    return TG_OK;
}

void tg_carry_zero(tg_carry *c)
{
    for (int i = 0; i < c->count; i++)
        if (!c->kept[i]) memset(c->data[i], 0, (size_t)tg_shape_count(&c->shapes[i]) * sizeof(float));
}

void tg_carry_swap(tg_carry *c)
{
    for (int i = 0; i < c->count; i++) {
        float *old = c->data[i];
        c->data[i] = c->next[i];
        c->next[i] = old;
    }
}

void tg_carry_resize(tg_carry *c, int64_t B)
{
    for (int i = 0; i < c->count; i++)
        if (c->rows[i] >= 0) c->shapes[i].dims[c->rows[i]] = B;
}

/* Floats before a row's axis count as so many pieces of it, those behind as the size of a piece; what is not used of a kept one
 * stays behind. */
static void take_rows(float *to, const tg_carry *c, int entry, const int64_t *rows, int64_t count)
{
    const tg_shape *shape = &c->shapes[entry];
    const float *from = c->data[entry];
    const int axis = c->rows[entry];
    const int64_t B = shape->dims[axis];
    int64_t pieces = 1, size = 1;
    for (int i = 0; i < axis; i++) pieces *= shape->dims[i];
    for (int i = axis + 1; i < shape->rank; i++) size *= shape->dims[i];
    const int64_t used = c->kept[entry] ? size / shape->dims[axis + 1] * c->filled[entry] : size;
    for (int64_t p = 0; p < pieces; p++) /* in place nothing is written before it is read: rows ascend */
        for (int64_t r = 0; r < count; r++)
            memmove(to + (p * count + r) * size, from + (p * B + rows[r]) * size, (size_t)used * sizeof *to);
}

void tg_carry_take(tg_carry *to, const tg_carry *from, const int64_t *rows, int64_t count)
{
    for (int i = 0; i < to->count; i++) {
        to->filled[i] = from->filled[i];
        if (from->rows[i] >= 0) take_rows(to->data[i], from, i, rows, count);
        else memmove(to->data[i], from->data[i], (size_t)tg_shape_count(&from->shapes[i]) * sizeof(float));
    }
    tg_carry_resize(to, count);
}

void tg_carry_free(tg_carry *c)
{
    for (int i = 0; i < c->count; i++) {
        tg_free(c->data[i]);
        if (!c->kept[i]) tg_free(c->next[i]);
    }
    *c = (tg_carry){0};
}
