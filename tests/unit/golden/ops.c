/* ops.c - layer norm and cross entropy against PyTorch's, forward and backward. */
#include "support/example.h"
#include "support/golden.h"
#include "test.h"
#include "tinygen/autograd.h"

static const double tolerance = 1e-5;

static tg_tensor *wanted(golden *g, const char *name)
{
    tg_tensor *x = golden_tensor(g, name);
    x->wants_grad = true;
    return x;
}

/* The loss is the sum of y·dy, so that dy is the gradient of y. */
TEST(layernorm_matches_pytorch)
{
    tg_context *ctx = example_context(1, NULL);
    golden g = golden_open("ops");
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *x = wanted(&g, "norm.x"), *gain = wanted(&g, "norm.g"), *bias = wanted(&g, "norm.b");
    tg_tensor *dy = golden_tensor(&g, "norm.dy"), *y = tg_layernorm(t, x, gain, bias, 1e-5);
    const int64_t flat[] = {1, tg_shape_count(&dy->shape)};
    tg_tensor *dot = tg_input_values(t, 2, flat, dy->data);
    CHECK_OK(tg_tape_backward(t, tg_linear(t, tg_reshape(t, y, 2, flat), dot, NULL, TG_LINEAR)));
    golden_check(&g, "norm.y", y->data, tolerance);
    golden_check(&g, "norm.dx", x->grad, tolerance);
    golden_check(&g, "norm.dg", gain->grad, tolerance);
    golden_check(&g, "norm.db", bias->grad, tolerance);
    tg_tape_free(t);
    golden_close(&g);
    tg_context_free(ctx);
}

TEST(cross_entropy_with_ignored_targets_matches_pytorch)
{
    tg_context *ctx = example_context(1, NULL);
    golden g = golden_open("ops");
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *logits = wanted(&g, "loss.logits");
    tg_tensor *loss = tg_cross_entropy(t, logits, golden_tensor(&g, "loss.targets"));
    CHECK_OK(tg_tape_backward(t, loss));
    golden_check(&g, "loss.loss", loss->data, tolerance);
    golden_check(&g, "loss.dlogits", logits->grad, tolerance);
    tg_tape_free(t);
    golden_close(&g);
    tg_context_free(ctx);
}
