/* lora.c - low-rank adapters. Three products for each matrix: two for its gradients, one to form it. */
#include "nn/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sizes.h"
#include "base/status.h"

enum { GRAIN = 4096, LONGEST_NAME = 1100 };
/* A's numbers are not those that the parameters of the same seed started from; seeds are far below. */
static const uint64_t OWN_SEED = UINT64_C(1) << 63;

/* A parameter of the set with an adapter, or (a NULL) one that is held in full and is `b` in the adapter's set. */
typedef struct adapted { const tg_param_row *of; tg_tensor *a, *b; float *base; } adapted;

struct tg_lora {
    tg_context *ctx;
    tg_params *p, *own;
    tg_lora_options o;
    adapted *list;
    int64_t count;
    float *memory, *scaled; /* W0 of all; then s·A or s·B, and scratch for products behind it */
    void *scratch;
    int64_t base_floats, scaled_floats, scratch_bytes;
};

static int64_t rows_of(const adapted *x) { return x->of->tensor->shape.dims[0]; }
static int64_t cols_of(const adapted *x) { return x->of->tensor->shape.dims[1]; }
static float scale_of(const tg_lora *l) { return (float)(l->o.alpha / (double)l->o.rank); }

/* ---- the three products --------------------------------------------------------------------------------------------- */

static tg_gemm form(const tg_lora *l, const adapted *x)
{
    const int64_t c = cols_of(x), rank = l->o.rank;
    return (tg_gemm){.m = rows_of(x), .n = c, .k = rank, .a = l->scaled, .a_rs = rank, .a_cs = 1, .b = x->a->data, .b_rs = c, .b_cs = 1,
                     .from = x->base, .from_rs = c, .c = x->of->tensor->data, .c_rs = c};
}

static tg_gemm gradient_of_a(const tg_lora *l, const adapted *x)
{
    const int64_t c = cols_of(x), rank = l->o.rank;
    return (tg_gemm){.m = rank, .n = c, .k = rows_of(x), .a = l->scaled, .a_rs = 1, .a_cs = rank, .b = x->of->tensor->grad, .b_rs = c,
                     .b_cs = 1, .c = x->a->grad, .c_rs = c};
}

static tg_gemm gradient_of_b(const tg_lora *l, const adapted *x)
{
    const int64_t c = cols_of(x), rank = l->o.rank;
    return (tg_gemm){.m = rows_of(x), .n = rank, .k = c, .a = x->of->tensor->grad, .a_rs = c, .a_cs = 1, .b = l->scaled, .b_rs = 1,
                     .b_cs = c, .c = x->b->grad, .c_rs = rank};
}

/* ---- making --------------------------------------------------------------------------------------------------------- */

static tg_tensor *declare(tg_lora *l, const adapted *x, const char *ending, int64_t rows, int64_t cols, tg_init_kind init, double scale)
{
    char name[LONGEST_NAME];
    snprintf(name, sizeof name, "%s%s", x->of->tensor->name, ending);
    return tg_param(l->own, name, 2, (int64_t[]){rows, cols}, init, scale, true, x->of->tensor->group);
}

static tg_status adapt(tg_lora *l, adapted *x)
{
    const int64_t r = rows_of(x), c = cols_of(x), rank = l->o.rank;
    if (rank >= (r < c ? r : c))
        return tg_fail(TG_EUSAGE, "--lora-rank %lld: %s is a matrix of [%lld, %lld], whose adapter must have a lower rank", (long long)rank,
                       x->of->tensor->name, (long long)r, (long long)c);
    x->a = declare(l, x, ".lora_A", rank, c, TG_INIT_UNIFORM, 1 / sqrt((double)c));
    x->b = x->a ? declare(l, x, ".lora_B", r, rank, TG_INIT_ZERO, 0) : NULL;
    l->base_floats += tg_padded(r * c, TG_PARAM_PAD);
    l->scaled_floats = tg_most(l->scaled_floats, tg_padded(rank * tg_most(r, c), TG_PARAM_PAD));
    return x->b ? TG_OK : tg_note("declaring an adapter of %s", x->of->tensor->name);
}

static tg_status take_whole(tg_lora *l, adapted *x)
{
    const tg_tensor *t = x->of->tensor;
    x->b = tg_param(l->own, t->name, t->shape.rank, t->shape.dims, TG_INIT_ZERO, 0, x->of->decay, t->group);
    if (!x->b) return tg_note("declaring %s again", t->name);
    if (x->of->frozen) tg_params_freeze(l->own, l->own->count - 1);
    return TG_OK;
}

static tg_status declare_all(tg_lora *l)
{
    int64_t matrices = 0, frozen = 0;
    for (int64_t i = 0; i < l->p->count; i++) {
        const tg_param_row *row = &l->p->rows[i];
        const bool whole = l->o.vocabulary && row->rows_of != TG_ROWS_OF_NOTHING, matrix = row->parts > 0 && !whole;
        frozen += matrix && row->frozen;
        if (row->buffer || (row->frozen && !whole)) continue;
        if (!matrix && !whole) {
            tg_params_freeze(l->p, i);
            continue;
        }
        adapted *x = &l->list[l->count++];
        *x = (adapted){.of = row};
        tg_status s = matrix ? adapt(l, x) : take_whole(l, x);
        if (s) return s;
        matrices += matrix;
    }
    return matrices > 0 ? TG_OK : tg_fail(TG_EUSAGE, "--lora-rank: this model has no matrix between hidden units to adapt%s",
                                          frozen > 0 ? " that is not frozen" : "");
}

/* By shapes: pointers are looked at for being there only. */
static void measure(tg_lora *l)
{
    for (int64_t i = 0; i < l->count; i++) {
        const adapted *x = &l->list[i];
        if (!x->a) continue;
        const tg_gemm all[] = {form(l, x), gradient_of_a(l, x), gradient_of_b(l, x)};
        for (int k = 0; k < 3; k++) l->scratch_bytes = tg_most(l->scratch_bytes, tg_gemm_room(l->ctx, &all[k]));
    }
}

static tg_status take_memory(tg_lora *l)
{
    l->memory = tg_alloc_array(tg_most(l->base_floats, 1), sizeof *l->memory);
    l->scaled = tg_alloc_array(tg_most(l->scaled_floats, 1), sizeof *l->scaled);
    if (!l->memory || !l->scaled) return TG_ENOMEM;
    float *at = l->memory;
    for (int64_t i = 0; i < l->count; i++) {
        if (!l->list[i].a) continue;
        l->list[i].base = at;
        at += tg_padded(l->list[i].of->count, TG_PARAM_PAD);
    }
    measure(l);
    l->scratch = tg_alloc(tg_most(l->scratch_bytes, 1));
    return l->scratch ? TG_OK : TG_ENOMEM;
}

tg_status tg_lora_new(tg_context *ctx, tg_params *p, const tg_lora_options *o, tg_lora **out)
{
    TG_ASSERT(p->sealed);
    tg_lora *l = tg_alloc(sizeof *l);
    if (!l) return TG_ENOMEM;
    *l = (tg_lora){.ctx = ctx, .p = p, .o = *o, .list = tg_alloc_array(tg_most(p->count, 1), sizeof *l->list)};
    tg_status s = l->list ? tg_params_new(ctx, &l->own) : TG_ENOMEM;
    if (!s) s = declare_all(l);
    if (!s) s = tg_params_seal(l->own, o->seed | OWN_SEED, p->grads != NULL, !p->values);
    if (!s && p->values) s = take_memory(l);
    if (s) {
        tg_lora_free(l);
        return s;
    }
    if (p->values) tg_lora_rebase(l);
    else measure(l);
    *out = l;
    return TG_OK;
}

void tg_lora_free(tg_lora *l)
{
    if (!l) return;
    tg_params_free(l->own);
    tg_free(l->list);
    tg_free(l->memory);
    tg_free(l->scaled);
    tg_free(l->scratch);
    tg_free(l);
}

tg_params *tg_lora_params(const tg_lora *l) { return l->own; }

int64_t tg_lora_bytes(const tg_lora *l)
{
    return (l->base_floats + l->scaled_floats) * (int64_t)sizeof(float) + l->scratch_bytes;
}

double tg_lora_flops(const tg_lora *l)
{
    double flops = 0;
    for (int64_t i = 0; i < l->count; i++)
        if (l->list[i].a) flops += 3 * 2.0 * (double)l->o.rank * (double)l->list[i].of->count;
    return flops;
}

/* ---- a step --------------------------------------------------------------------------------------------------------- */

typedef struct sweep { const tg_kernels *k; float *to; const float *from; float scale; } sweep;

static void scale_span(void *arg, tg_span t)
{
    const sweep *j = arg;
    j->k->scale(j->to + t.begin, j->from + t.begin, j->scale, t.end - t.begin, false);
}

static void copy_span(void *arg, tg_span t)
{
    const sweep *j = arg;
    j->k->accumulate(j->to + t.begin, j->from + t.begin, t.end - t.begin, false);
}

static void copy(const tg_lora *l, float *to, const float *from, int64_t n)
{
    tg_for_spans(l->ctx, n, GRAIN, copy_span, &(sweep){tg_kernels_of(l->ctx), to, from, 1});
}

static void scale(const tg_lora *l, const float *from, int64_t n)
{
    tg_for_spans(l->ctx, n, GRAIN, scale_span, &(sweep){tg_kernels_of(l->ctx), l->scaled, from, scale_of(l)});
}

void tg_lora_rebase(tg_lora *l)
{
    for (int64_t i = 0; i < l->count; i++) {
        const adapted *x = &l->list[i];
        copy(l, x->a ? x->base : x->b->data, x->of->tensor->data, x->of->count);
    }
}

const float *tg_lora_base(const tg_lora *l, int64_t i)
{
    for (int64_t k = 0; k < l->count; k++)
        if (l->list[k].of == &l->p->rows[i] && l->list[k].a) return l->list[k].base;
    return l->p->values + l->p->rows[i].offset;
}

void tg_lora_merge(tg_lora *l)
{
    for (int64_t i = 0; i < l->count; i++) {
        const adapted *x = &l->list[i];
        if (!x->a) {
            copy(l, x->of->tensor->data, x->b->data, x->of->count);
            continue;
        }
        const tg_gemm product = form(l, x);
        scale(l, x->b->data, rows_of(x) * l->o.rank);
        tg_gemm_run(l->ctx, &product, l->scratch);
    }
}

void tg_lora_gradients(tg_lora *l)
{
    for (int64_t i = 0; i < l->count; i++) {
        const adapted *x = &l->list[i];
        const tg_tensor *w = x->of->tensor;
        x->b->has_grad = w->has_grad;
        if (x->a) x->a->has_grad = w->has_grad;
        if (!w->has_grad) continue;
        if (!x->a) {
            copy(l, x->b->grad, w->grad, x->of->count);
            continue;
        }
        const tg_gemm of_a = gradient_of_a(l, x), of_b = gradient_of_b(l, x);
        scale(l, x->b->data, rows_of(x) * l->o.rank);
        tg_gemm_run(l->ctx, &of_a, l->scratch);
        scale(l, x->a->data, cols_of(x) * l->o.rank);
        tg_gemm_run(l->ctx, &of_b, l->scratch);
    }
}
