/* gradcheck.c - every op of the table, every example that its row gives: gradients against finite differences. An op
 * without an example fails. */
#include "base/alloc.h"
#include "support/example.h"
#include "test.h"

#include <math.h>
#include <string.h>

/*
 * With f the sum of random multiples of the results, two central differences are extrapolated (Richardson):
 * (4 D(h/2) - D(h))/3 is off by O(h^4), some 1e-5 for h = 1/32 and functions of this size. Rounding: a result carries a
 * relative error of a few 2^-24, so f of up to 100 of them one of about 1e-6, which division by h makes 3e-5. Together
 * well below 2e-4; a wrong formula is off by 1e-2 and more. Where a relu bends between x - h and x + h the difference
 * is wrong, not the gradient: then shorter steps are tried, with the tolerance that their rounding asks for. A wrong
 * gradient fails at every step.
 */
static const double H = 1.0 / 32, TOLERANCE = 2e-4;
enum { STEPS = 3 };

static double objective_at(example *e, tg_tape *t, float *at, double value)
{
    float before = *at;
    *at = (float)value;
    double f = example_objective(e, example_run(e, t));
    *at = before;
    return f;
}

static double difference(example *e, tg_tape *t, float *at, double h)
{
    float up = (float)((double)*at + h), down = (float)((double)*at - h);
    return (objective_at(e, t, at, (double)up) - objective_at(e, t, at, (double)down)) / ((double)up - (double)down);
}

static double check_input(example *e, tg_tape *t, int i, const float *gradient)
{
    double scale = 1, worst = 0;
    for (int64_t k = 0; k < e->count[i]; k++) scale = fmax(scale, fabs((double)gradient[k]));
    for (int64_t k = 0; k < e->count[i]; k++) {
        float *at = &e->in[i].data[k];
        double want = 0, off = INFINITY, h = H, allowed = TOLERANCE;
        for (int s = 0; s < STEPS && !(off <= allowed); s++) {
            h = H / (1 << 2 * s);
            allowed = TOLERANCE * (1 << 2 * s);
            want = (4 * difference(e, t, at, h / 2) - difference(e, t, at, h)) / 3;
            off = fabs((double)gradient[k] - want) / scale;
        }
        if (!(off <= allowed))
            test_failed(__FILE__, __LINE__, "%s, %s: gradient of input %d at %lld is %.7g; differences say %.7g",
                        e->op->name, e->what.what, i, (long long)k, (double)gradient[k], want);
        if (h == H) worst = fmax(worst, off);
    }
    return worst;
}

static double check_example(example *e, tg_tape *t)
{
    float *gradients[TG_OP_INPUTS] = {NULL};
    double worst = 0;
    int64_t checked = 0;
    example_back(e, t, example_run(e, t));
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        if (!e->count[i] || !e->in[i].wants_grad) continue;
        CHECK(e->in[i].has_grad);
        gradients[i] = tg_alloc_array(e->count[i], sizeof(float));
        memcpy(gradients[i], e->in[i].grad, (size_t)e->count[i] * sizeof(float));
    }
    for (int i = 0; i < TG_OP_INPUTS; i++) {
        if (gradients[i]) worst = fmax(worst, check_input(e, t, i, gradients[i])), checked += e->count[i];
        tg_free(gradients[i]);
    }
    CHECK(checked > 0);
    return worst;
}

TEST(gradients_of_all_ops_are_those_of_finite_differences)
{
    tg_context *ctx = example_context(1, NULL);
    tg_tape *t = NULL;
    double worst = 0;
    int variants = 0;
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int64_t i = 0; tg_op_at(i); i++) {
        const tg_op *op = tg_op_at(i);
        CHECK(op->name && op->doc && *op->doc && op->source);
        if (!op->example) test_failed(__FILE__, __LINE__, "op %s has no example", op->name);
        example e;
        int v = 0;
        for (; example_make(&e, op, v); v++) {
            worst = fmax(worst, check_example(&e, t));
            example_free(&e);
        }
        if (v == 0) test_failed(__FILE__, __LINE__, "op %s has no example", op->name);
        variants += v;
    }
    test_note("%d examples, largest discrepancy where nothing bends %.1e", variants, worst);
    tg_tape_free(t);
    tg_context_free(ctx);
}
