/* wants.c - every op of the table: a gradient that nobody wants changes no other, and one that is there is added to. */
#include <string.h>

#include "base/alloc.h"
#include "support/example.h"
#include "test.h"

static bool differentiable(const example *e, int i)
{
    return e->count[i] && !e->what.in[i].constant;
}

static float *copy_of(const float *x, int64_t n)
{
    float *y = tg_alloc_array(n, sizeof *y);
    CHECK(y != NULL);
    memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

/* Gradients of all inputs, each a copy. */
static void gradients(example *e, tg_tape *t, float **out)
{
    example_back(e, t, example_run(e, t));
    for (int i = 0; i < TG_OP_INPUTS; i++) out[i] = differentiable(e, i) ? copy_of(e->in[i].grad, e->count[i]) : NULL;
}

static void check_unwanted(example *e, tg_tape *t, float *const *want)
{
    for (int off = 0; off < TG_OP_INPUTS; off++) {
        int others = 0;
        for (int i = 0; i < TG_OP_INPUTS; i++) others += i != off && differentiable(e, i);
        if (!differentiable(e, off) || !others) continue;
        e->in[off].wants_grad = false;
        example_back(e, t, example_run(e, t));
        CHECK(!e->in[off].has_grad && !e->in[off].grad);
        for (int i = 0; i < TG_OP_INPUTS; i++)
            if (i != off && differentiable(e, i))
                CHECK_BYTES(e->in[i].grad, want[i], e->count[i] * (int64_t)sizeof(float));
        e->in[off].wants_grad = true;
    }
}

/* Goes back from the result once more, into gradients that hold their own number already. */
static void check_added(example *e, tg_tape *t, float *const *want)
{
    tg_tensor *y = example_run(e, t);
    tg_tensor *row = tg_reshape(t, y, 2, e->dot.shape.dims), *loss = tg_linear(t, row, &e->dot, NULL, TG_LINEAR);
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        if (!differentiable(e, i)) continue;
        e->in[i].grad = copy_of(want[i], e->count[i]);
        e->in[i].has_grad = true;
    }
    CHECK_OK(tg_tape_backward(t, loss));
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        if (!differentiable(e, i)) continue;
        double *twice = tg_alloc_array(e->count[i], sizeof *twice);
        for (int64_t k = 0; k < e->count[i]; k++) twice[k] = 2 * (double)want[i][k];
        CHECK_CLOSE(e->in[i].grad, twice, e->count[i], 2e-6);
        tg_free(twice);
        tg_free(e->in[i].grad);
        e->in[i].grad = NULL;
    }
}

TEST(gradients_of_all_ops_are_apart_from_each_other_and_are_added_to_what_is_there)
{
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int64_t o = 0; tg_op_at(o); o++) {
        example e;
        for (int v = 0; example_make(&e, tg_op_at(o), v); v++) {
            float *want[TG_OP_INPUTS];
            gradients(&e, t, want);
            check_unwanted(&e, t, want);
            check_added(&e, t, want);
            for (int i = 0; i < TG_OP_INPUTS; i++) tg_free(want[i]);
            example_free(&e);
        }
    }
    tg_tape_free(t);
    tg_context_free(ctx);
}
