#include "support/example.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include "test.h"

#include <string.h>

tg_context *example_context(int threads, const char *isa)
{
    tg_context *ctx = NULL;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads, .isa = isa}, &ctx));
    return ctx;
}

float *random_values(uint64_t stream, int64_t n, double low, double high)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    float *x = tg_alloc_array(n, sizeof *x);
    CHECK(x != NULL);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(low + (high - low) * (double)tg_rng_unit(&r));
    return x;
}

static int32_t *random_ids(uint64_t stream, int64_t n, int64_t low, int64_t high)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    int32_t *x = tg_alloc_array(n, sizeof *x);
    CHECK(x != NULL);
    for (int64_t i = 0; i < n; i++) x[i] = (int32_t)(low + tg_rng_below(&r, high - low));
    return x;
}

static void make_input(example *e, int i, uint64_t stream)
{
    const tg_example_input *from = &e->what.in[i];
    int64_t n = tg_shape_count(&from->shape);
    e->count[i] = n;
    e->in[i] = (tg_tensor){.shape = from->shape, .dtype = from->dtype, .group = -1, .wants_grad = !from->constant};
    if (from->dtype == TG_I32) e->in[i].ids = random_ids(stream, n, (int64_t)from->low, (int64_t)from->high);
    else e->in[i].data = random_values(stream, n, from->low, from->high);
}

bool example_make(example *e, const tg_op *op, int variant)
{
    *e = (example){.op = op};
    if (!op->example(variant, &e->what)) return false;
    uint64_t stream = tg_xxh64_of(op->name, (int64_t)strlen(op->name)) + (uint64_t)variant * 16;
    for (int i = 0; i < op->n_in; i++)
        if (e->what.in[i].given) make_input(e, i, stream + (uint64_t)i);
    return true;
}

void example_free(example *e)
{
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        tg_free(e->in[i].data);
        tg_free(e->in[i].ids);
    }
    tg_free(e->dot.data);
}

tg_tensor *example_run(example *e, tg_tape *t)
{
    tg_tensor *in[TG_OP_INPUTS];
    for (int i = 0; i < TG_OP_INPUTS; i++) in[i] = e->count[i] ? &e->in[i] : NULL;
    tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1, .step = 2});
    tg_tensor *y = tg_tape_apply(t, e->op, in, &e->what.attr);
    if (!y) test_failed(__FILE__, __LINE__, "%s, %s: %s", e->op->name, e->what.what, tg_error());
    if (!e->dot.data) {
        int64_t n = tg_shape_count(&y->shape);
        e->dot = (tg_tensor){.shape = tg_shape_of(2, (int64_t[]){1, n}), .group = -1};
        e->dot.data = random_values(99, n, -1, 1);
    }
    return y;
}

void example_back(example *e, tg_tape *t, tg_tensor *y)
{
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        e->in[i].grad = NULL; /* what was there belonged to the step before */
        e->in[i].has_grad = false;
    }
    tg_tensor *row = tg_reshape(t, y, 2, e->dot.shape.dims);
    CHECK_OK(tg_tape_backward(t, tg_linear(t, row, &e->dot, NULL, TG_LINEAR)));
}

double example_objective(const example *e, const tg_tensor *y)
{
    double sum = 0;
    for (int64_t i = 0; i < e->dot.shape.dims[1]; i++) sum += (double)e->dot.data[i] * (double)y->data[i];
    return sum;
}

void set_gradient(tg_tensor *x, uint64_t stream)
{
    const int64_t n = tg_shape_count(&x->shape);
    float *g = random_values(stream, n, -1, 1);
    memcpy(x->grad, g, (size_t)n * sizeof *g);
    x->has_grad = true;
    tg_free(g);
}
