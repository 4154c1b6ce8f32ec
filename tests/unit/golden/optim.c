/* optim.c - ten steps of each optimiser against PyTorch's. Settings as in make.py. */
#include <math.h>
#include <string.h>

#include "support/example.h"
#include "support/golden.h"
#include "test.h"
#include "tinygen/nn.h"

static const double tolerance = 1e-5;
enum { STEPS = 10 };

static void check(const char *name, double lr, const tg_optim_config *config)
{
    tg_context *ctx = example_context(1, NULL);
    golden g = golden_open("optim");
    const tg_tensor *start = golden_tensor(&g, "start"), *gradients = golden_tensor(&g, "gradients");
    int64_t n = tg_shape_count(&start->shape);
    tg_params *p = NULL;
    tg_optim *o = NULL;
    float path[STEPS * 64];
    CHECK(n <= 64);
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 1, &n, TG_INIT_ZERO, 0, true, 0);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK_OK(tg_optim_new(ctx, p, config, &o));
    memcpy(w->data, start->data, (size_t)n * sizeof(float));
    for (int step = 0; step < STEPS; step++) {
        memcpy(w->grad, gradients->data + step * n, (size_t)n * sizeof(float));
        w->has_grad = true;
        tg_optim_step(o, lr, 1, step + 1);
        memcpy(path + step * n, w->data, (size_t)n * sizeof(float));
    }
    test_note("%s: largest relative error %.1e", name, golden_check(&g, name, path, tolerance));
    tg_optim_free(o);
    tg_params_free(p);
    golden_close(&g);
    tg_context_free(ctx);
}

TEST(sgd_matches_pytorch)
{
    check("sgd", 0.1, &(tg_optim_config){.kind = TG_SGD});
    check("sgd_momentum", 0.1, &(tg_optim_config){.kind = TG_SGD, .momentum = 0.9, .weight_decay = 0.01});
    check("sgd_nesterov", 0.1, &(tg_optim_config){.kind = TG_SGD, .momentum = 0.9, .nesterov = true});
}

TEST(rmsprop_matches_pytorch)
{
    check("rmsprop", 0.01, &(tg_optim_config){.kind = TG_RMSPROP, .beta2 = 0.99, .epsilon = 1e-8,
                                              .weight_decay = 0.01});
}

TEST(adam_matches_pytorch)
{
    check("adam", 0.01, &(tg_optim_config){.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
                                           .weight_decay = 0.01});
}

TEST(adamw_matches_pytorch)
{
    check("adamw", 0.01, &(tg_optim_config){.kind = TG_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8,
                                            .weight_decay = 0.1});
}
