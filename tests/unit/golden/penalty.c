/* penalty.c - gradient penalties by tangents against PyTorch's double backward, and a tangent against finite differences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "support/example.h"
#include "support/golden.h"
#include "test.h"
#include "tinygen/autograd.h"

enum { PARAMETERS = 8, EXAMPLES = 3, EACH = 72 };
static const char *const names[PARAMETERS] = {"one.weight", "one.bias", "two.weight", "two.bias", "three.weight", "three.bias",
                                              "four.weight", "four.bias"};

typedef struct critic { golden g; tg_context *ctx; tg_tape *t; tg_tensor *p[PARAMETERS], *x; } critic;

static critic critic_open(void)
{
    critic c = {.g = golden_open("penalties"), .ctx = example_context(2, NULL)};
    CHECK_OK(tg_tape_new(c.ctx, &c.t));
    for (int i = 0; i < PARAMETERS; i++) (c.p[i] = golden_tensor(&c.g, names[i]))->wants_grad = true;
    (c.x = golden_tensor(&c.g, "x"))->wants_grad = true;
    return c;
}

static void critic_close(critic *c)
{
    tg_tape_free(c->t);
    tg_context_free(c->ctx);
    golden_close(&c->g);
}

/* Begins a pass: gradients of the one before are forgotten. [3, 1] */
static tg_tensor *critic_run(critic *c)
{
    const tg_conv_options half = tg_conv_square(2, 1), same = tg_conv_square(1, 1);
    tg_tape_begin(c->t, &(tg_tape_mode){.train = true});
    for (int i = 0; i <= PARAMETERS; i++) {
        tg_tensor *x = i < PARAMETERS ? c->p[i] : c->x;
        x->grad = NULL;
        x->has_grad = false;
    }
    tg_tensor *h = tg_leaky_relu(c->t, tg_conv(c->t, c->x, c->p[0], c->p[1], &half), 0.2);
    h = tg_activate(c->t, tg_conv(c->t, h, c->p[2], c->p[3], &same), TG_SILU);
    h = tg_linear(c->t, tg_reshape(c->t, h, 2, (int64_t[]){EXAMPLES, 27}), c->p[4], c->p[5], TG_TANH);
    return tg_linear(c->t, h, c->p[6], c->p[7], TG_LINEAR);
}

/* The first pass gives g; each example's part is scaled as the penalty's formula asks, and the second records J·g. */
static void check_penalty(critic *c, const char *name, bool gp)
{
    static float direction[EXAMPLES * EACH];
    char full[64];
    double loss = 0;
    CHECK_OK(tg_tape_backward(c->t, tg_sum(c->t, critic_run(c))));
    golden_check(&c->g, "g", c->x->grad, 1e-5);
    for (int b = 0; b < EXAMPLES; b++) {
        double square = 0;
        for (int i = 0; i < EACH; i++) square += pow((double)c->x->grad[b * EACH + i], 2);
        const double norm = sqrt(square), by = gp ? 2 * (norm - 1) / norm : 1;
        loss += (gp ? pow(norm - 1, 2) : square / 2) / EXAMPLES;
        for (int i = 0; i < EACH; i++) direction[b * EACH + i] = (float)(by / EXAMPLES) * c->x->grad[b * EACH + i];
    }
    tg_tensor *y = critic_run(c), *d = tg_input_values(c->t, 4, c->x->shape.dims, direction);
    tg_tensor *sum = tg_sum(c->t, tg_tangent(c->t, y, c->x, d));
    if (!sum) test_failed(__FILE__, __LINE__, "%s", tg_error());
    CHECK_OK(tg_tape_backward(c->t, sum));
    const float as_float = (float)loss;
    snprintf(full, sizeof full, "%s.loss", name);
    golden_check(&c->g, full, &as_float, 1e-5);
    double worst = 0;
    for (int i = 0; i < PARAMETERS - 1; i++) {
        snprintf(full, sizeof full, "%s.%s", name, names[i]);
        worst = fmax(worst, golden_check(&c->g, full, c->p[i]->grad, 1e-4));
    }
    test_note("%s: largest error %.1e", name, worst);
}

TEST(gradient_penalties_by_tangents_match_pytorchs_double_backward)
{
    critic c = critic_open();
    check_penalty(&c, "r1", false);
    check_penalty(&c, "gp", true);
    critic_close(&c);
}

TEST(a_tangent_is_the_difference_along_its_direction)
{
    critic c = critic_open();
    const double h = 1.0 / 64;
    float *d = random_values(7, EXAMPLES * EACH, -1, 1), at[EXAMPLES * EACH], got[EXAMPLES];
    double y[2][EXAMPLES];
    tg_tensor *run = critic_run(&c);
    memcpy(got, tg_tangent(c.t, run, c.x, tg_input_values(c.t, 4, c.x->shape.dims, d))->data, sizeof got);
    memcpy(at, c.x->data, sizeof at);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < EXAMPLES * EACH; i++) c.x->data[i] = at[i] + (side ? -1.0f : 1.0f) * (float)h * d[i];
        run = critic_run(&c);
        for (int b = 0; b < EXAMPLES; b++) y[side][b] = (double)run->data[b];
    }
    for (int b = 0; b < EXAMPLES; b++) { /* a leaky relu may bend in between */
        const double want = (y[0][b] - y[1][b]) / (2 * h);
        CHECK(fabs((double)got[b] - want) < 0.02 * (1 + fabs(want)));
    }
    tg_free(d);
    critic_close(&c);
}

TEST(what_has_no_tangent_says_so)
{
    critic c = critic_open();
    tg_tensor *y = critic_run(&c), *d = tg_input_values(c.t, 4, c.x->shape.dims, c.x->data);
    CHECK(!tg_tangent(c.t, tg_max_pool(c.t, c.x, 2, 2), c.x, d));
    CHECK(strstr(tg_error(), "max_pool has none"));
    y = critic_run(&c);
    c.x->wants_grad = false;
    CHECK(!tg_tangent(c.t, y, c.x, tg_input_values(c.t, 4, c.x->shape.dims, c.x->data)));
    CHECK(strstr(tg_error(), "wanting a gradient"));
    critic_close(&c);
}
