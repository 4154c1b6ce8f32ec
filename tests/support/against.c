#include "support/against.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "support/example.h"
#include "test.h"

void against_open(against *a, const char *file)
{
    *a = (against){.g = golden_open(file), .ctx = example_context(2, NULL)};
    CHECK_OK(tg_tape_new(a->ctx, &a->t));
}

void against_close(against *a)
{
    tg_tape_free(a->t);
    tg_context_free(a->ctx);
    golden_close(&a->g);
}

void against_case(against *a, const char *name)
{
    a->name = name;
    a->inputs = 0;
    tg_tape_begin(a->t, &(tg_tape_mode){.train = true});
}

static const char *full(const against *a, const char *prefix, const char *key, char out[96])
{
    snprintf(out, 96, "%s.%s%s", a->name, prefix, key);
    return out;
}

tg_tensor *against_input(against *a, const char *key)
{
    char name[96];
    tg_tensor *x = golden_tensor(&a->g, full(a, "", key, name));
    x->wants_grad = golden_has(&a->g, full(a, "d", key, name));
    a->in[a->inputs].key = key;
    a->in[a->inputs++].x = x;
    return x;
}

double against_check(against *a, tg_tensor *y, double tolerance)
{
    char name[96];
    if (!y) test_failed(__FILE__, __LINE__, "%s: %s", a->name, tg_error());
    tg_tensor *dy = golden_tensor(&a->g, full(a, "", "dy", name));
    dy->shape = tg_shape_of(2, (int64_t[]){1, tg_shape_count(&dy->shape)});
    tg_tensor *row = tg_reshape(a->t, y, 2, dy->shape.dims);
    CHECK_OK(tg_tape_backward(a->t, tg_linear(a->t, row, dy, NULL, TG_LINEAR)));
    double worst = golden_check(&a->g, full(a, "", "y", name), y->data, tolerance);
    for (int i = 0; i < a->inputs; i++)
        if (a->in[i].x->wants_grad) worst = fmax(worst, golden_check(&a->g, full(a, "d", a->in[i].key, name), a->in[i].x->grad,
                                                                     tolerance));
    return worst;
}
