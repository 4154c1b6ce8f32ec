/* param.c - declared one by one, then sealed: one slab for all values, one for all gradients. */
#include "nn/param.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { LONGEST_NAME = 1024 };

tg_status tg_params_new(tg_context *ctx, tg_params **out)
{
    tg_params *p = tg_alloc(sizeof *p);
    if (!p) return TG_ENOMEM;
    p->ctx = ctx;
    p->starts_end = &p->starts;
    p->arena = tg_arena_new(4096);
    if (!p->arena) {
        tg_params_free(p);
        return TG_ENOMEM;
    }
    *out = p;
    return TG_OK;
}

void tg_params_free(tg_params *p)
{
    if (!p) return;
    tg_arena_free(p->arena);
    tg_free(p->rows);
    tg_free(p->values);
    tg_free(p->grads);
    tg_free(p->chunks);
    tg_free(p->partials);
    tg_free(p);
}

static bool make_room(tg_params *p)
{
    if (p->count < p->room) return true;
    int64_t room = p->room ? 2 * p->room : 32, each = (int64_t)sizeof *p->rows;
    tg_param_row *rows = tg_realloc(p->rows, p->room * each, room * each);
    if (!rows) return false;
    p->rows = rows;
    p->room = room;
    return true;
}

static tg_status check_new(const tg_params *p, const char *name, const tg_shape *shape, int rank)
{
    char text[96];
    int64_t count = tg_shape_count(shape);
    if (p->sealed) return tg_fail(TG_EINVAL, "parameter %s: the set is sealed already", name);
    if (!*name || strlen(name) > LONGEST_NAME)
        return tg_fail(TG_EINVAL, "a parameter's name must have 1 to 1024 bytes");
    if (tg_params_find(p, name)) return tg_fail(TG_EINVAL, "parameter %s: there is one of this name already", name);
    if (rank < 0 || rank > TG_MAX_RANK || count < 1 || count > (INT64_C(1) << 38) - p->size)
        return tg_fail(TG_EINVAL, "parameter %s: %s is no sensible shape", name, tg_shape_text(shape, text));
    return TG_OK;
}

tg_tensor *tg_param(tg_params *p, const char *name, int rank, const int64_t *dims, tg_init_kind kind, double scale,
                    bool decay, int group)
{
    tg_shape shape = tg_shape_of(rank, dims);
    if (check_new(p, name, &shape, rank) || !make_room(p)) return NULL;
    tg_tensor *x = tg_arena_zeros(p->arena, sizeof *x);
    const char *copy = x ? tg_arena_strdup(p->arena, name) : NULL;
    if (!copy) return NULL;
    *x = (tg_tensor){.shape = shape, .dtype = TG_F32, .group = group, .name = copy};
    int64_t count = tg_shape_count(&shape);
    p->rows[p->count++] = (tg_param_row){.tensor = x, .offset = p->size, .count = count, .init = kind, .scale = scale,
                                         .decay = decay};
    p->size += (count + TG_PARAM_PAD - 1) / TG_PARAM_PAD * TG_PARAM_PAD;
    p->elements += count;
    return x;
}

tg_tensor *tg_param_buffer(tg_params *p, const char *name, int rank, const int64_t *dims, tg_init_kind kind, double scale,
                           int group)
{
    tg_tensor *x = tg_param(p, name, rank, dims, kind, scale, false, group);
    if (!x) return NULL;
    p->rows[p->count - 1].buffer = true;
    p->elements -= p->rows[p->count - 1].count;
    return x;
}

tg_status tg_param_start(tg_params *p, const tg_tensor *parameter, int64_t first, int64_t count, double value)
{
    if (p->sealed) return tg_fail(TG_EINVAL, "parameter %s: the set is sealed already", parameter->name);
    if (first < 0 || count < 0 || first > tg_shape_count(&parameter->shape) - count)
        return tg_fail(TG_EINVAL, "parameter %s: elements from %lld on, %lld of them, are not there", parameter->name,
                       (long long)first, (long long)count);
    tg_param_start_range *s = tg_arena_alloc(p->arena, sizeof *s);
    if (!s) return TG_ENOMEM;
    *s = (tg_param_start_range){parameter, first, count, (float)value, NULL};
    *p->starts_end = s;
    p->starts_end = &s->next;
    return TG_OK;
}

static tg_param_row *row_of(tg_params *p, const tg_tensor *parameter)
{
    int64_t i = 0;
    while (p->rows[i].tensor != parameter) i++;
    return &p->rows[i];
}

tg_status tg_param_matrices(tg_params *p, const tg_tensor *parameter, int count, const int64_t *rows)
{
    int64_t all = 0;
    bool sensible = count > 0;
    for (int k = 0; k < count; k++) {
        sensible = sensible && rows[k] > 0 && rows[k] <= parameter->shape.dims[0] - all;
        all += sensible ? rows[k] : 0;
    }
    if (p->sealed) return tg_fail(TG_EINVAL, "parameter %s: the set is sealed already", parameter->name);
    if (parameter->shape.rank != 2 || !sensible || all != parameter->shape.dims[0])
        return tg_fail(TG_EINVAL, "parameter %s: it does not consist of %d matrices of the rows given", parameter->name, count);
    tg_param_row *row = row_of(p, parameter);
    int64_t *copy = tg_arena_alloc(p->arena, count * (int64_t)sizeof *copy);
    if (!copy) return TG_ENOMEM;
    memcpy(copy, rows, (size_t)count * sizeof *copy);
    row->parts = count;
    row->part_rows = copy;
    return TG_OK;
}

tg_status tg_param_rows(tg_params *p, const tg_tensor *parameter, tg_row_kind of, int64_t first)
{
    if (p->sealed) return tg_fail(TG_EINVAL, "parameter %s: the set is sealed already", parameter->name);
    tg_param_row *row = row_of(p, parameter);
    row->rows_of = of;
    row->first_row = first;
    return TG_OK;
}

static tg_status make_chunks(tg_params *p)
{
    int64_t chunks = 0;
    for (int64_t i = 0; i < p->count; i++) chunks += (p->rows[i].count + TG_PARAM_CHUNK - 1) / TG_PARAM_CHUNK;
    p->chunks = tg_alloc_array(chunks, sizeof *p->chunks);
    p->partials = tg_alloc_array(chunks, sizeof *p->partials);
    if (!p->chunks || !p->partials) return TG_ENOMEM;
    for (int64_t i = 0; i < p->count; i++)
        for (int64_t at = 0; at < p->rows[i].count; at += TG_PARAM_CHUNK) {
            int64_t left = p->rows[i].count - at;
            p->chunks[p->chunk_count++] =
                (tg_param_chunk){i, p->rows[i].offset + at, left < TG_PARAM_CHUNK ? left : TG_PARAM_CHUNK};
        }
    return TG_OK;
}

/* Back to unsealed, so that a failed seal changes nothing. */
static tg_status unseal(tg_params *p)
{
    tg_free(p->values);
    tg_free(p->grads);
    tg_free(p->chunks);
    tg_free(p->partials);
    p->values = p->grads = p->partials = NULL;
    p->chunks = NULL;
    p->chunk_count = 0;
    return TG_ENOMEM;
}

tg_status tg_params_seal(tg_params *p, uint64_t seed, bool train, bool plan)
{
    if (p->sealed) return tg_fail(TG_EINVAL, "the parameters are sealed already");
    if (!plan) {
        p->values = tg_alloc_array(p->size, sizeof(float));
        if (!p->values) return unseal(p);
        if (train) p->grads = tg_alloc_array(p->size, sizeof(float));
        if (train && !p->grads) return unseal(p);
        if (make_chunks(p)) return unseal(p);
        tg_params_draw(p, seed);
    }
    for (int64_t i = 0; i < p->count; i++) {
        tg_tensor *x = p->rows[i].tensor;
        if (p->values) x->data = p->values + p->rows[i].offset;
        if (p->grads) x->grad = p->grads + p->rows[i].offset;
        x->wants_grad = train && !p->rows[i].buffer && !p->rows[i].frozen;
    }
    p->sealed = true;
    return TG_OK;
}

tg_status tg_params_allot(tg_params *p)
{
    TG_ASSERT(p->sealed && !p->values);
    p->values = tg_alloc_raw(p->size * (int64_t)sizeof *p->values);
    if (!p->values || make_chunks(p)) return unseal(p);
    for (int64_t i = 0; i < p->count; i++) {
        const tg_param_row *row = &p->rows[i];
        const int64_t end = i + 1 < p->count ? row[1].offset : p->size;
        row->tensor->data = p->values + row->offset;
        memset(row->tensor->data + row->count, 0, (size_t)(end - row->offset - row->count) * sizeof *p->values);
    }
    return TG_OK;
}

void tg_params_freeze(tg_params *p, int64_t i)
{
    p->rows[i].frozen = true;
    p->rows[i].tensor->wants_grad = false;
}

bool tg_params_frozen(const tg_params *p, int64_t i) { return p->rows[i].frozen; }

int64_t tg_params_trained(const tg_params *p)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->count; i++)
        if (!p->rows[i].buffer && !p->rows[i].frozen) n += p->rows[i].count;
    return n;
}

tg_row_kind tg_params_rows_of(const tg_params *p, int64_t i, int64_t *first)
{
    *first = p->rows[i].first_row;
    return p->rows[i].rows_of;
}

int64_t tg_params_count(const tg_params *p) { return p->count; }
int64_t tg_params_size(const tg_params *p) { return p->size; }
int64_t tg_params_elements(const tg_params *p) { return p->elements; }
float *tg_params_values(const tg_params *p) { return p->values; }
float *tg_params_grads(const tg_params *p) { return p->grads; }

tg_tensor *tg_params_at(const tg_params *p, int64_t i)
{
    return i >= 0 && i < p->count ? p->rows[i].tensor : NULL;
}

int64_t tg_params_offset(const tg_params *p, int64_t i)
{
    TG_ASSERT(i >= 0 && i < p->count);
    return p->rows[i].offset;
}

tg_tensor *tg_params_find(const tg_params *p, const char *name)
{
    for (int64_t i = 0; i < p->count; i++)
        if (strcmp(p->rows[i].tensor->name, name) == 0) return p->rows[i].tensor;
    return NULL;
}

void tg_params_clear_grads(tg_params *p)
{
    for (int64_t i = 0; i < p->count; i++) p->rows[i].tensor->has_grad = false;
}
