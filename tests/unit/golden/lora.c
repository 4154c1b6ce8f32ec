/* lora.c - five steps of an adapter against PyTorch's. Settings as in make.py. */
#include "nn/lora.h"

#include <string.h>

#include "support/example.h"
#include "support/golden.h"
#include "test.h"

enum { STEPS = 5, RANK = 2, ROWS = 9, COLS = 7, ITEMS = 6 };
static const double tolerance = 1e-5, ALPHA = 5, LR = 0.05;

/* dW of |x W' - y|^2 / 2. */
static void gradient_of_squares(tg_tensor *w, const float *x, const float *y)
{
    memset(w->grad, 0, ROWS * COLS * sizeof(float));
    for (int i = 0; i < ITEMS; i++)
        for (int r = 0; r < ROWS; r++) {
            double off = -(double)y[i * ROWS + r];
            for (int c = 0; c < COLS; c++) off += (double)x[i * COLS + c] * (double)w->data[r * COLS + c];
            for (int c = 0; c < COLS; c++) w->grad[r * COLS + c] += (float)(off * (double)x[i * COLS + c]);
        }
    w->has_grad = true;
}

TEST(an_adapter_matches_pytorch)
{
    tg_context *ctx = example_context(2, NULL);
    golden g = golden_open("lora");
    const float *x = golden_tensor(&g, "x")->data, *y = golden_tensor(&g, "y")->data;
    tg_params *p;
    tg_lora *l;
    tg_optim *o;
    float path[STEPS * ROWS * COLS];
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 2, (int64_t[]){ROWS, COLS}, TG_INIT_ZERO, 0, true, 0);
    CHECK_OK(tg_param_matrices(p, w, 1, (int64_t[]){ROWS}));
    CHECK_OK(tg_params_seal(p, 1, true, false));
    memcpy(w->data, golden_tensor(&g, "w0")->data, ROWS * COLS * sizeof(float));
    CHECK_OK(tg_lora_new(ctx, p, &(tg_lora_options){RANK, ALPHA, false, 1}, &l));
    tg_params *own = tg_lora_params(l);
    tg_tensor *a = tg_params_find(own, "w.lora_A"), *b = tg_params_find(own, "w.lora_B");
    memcpy(a->data, golden_tensor(&g, "a0")->data, RANK * COLS * sizeof(float));
    memcpy(b->data, golden_tensor(&g, "b0")->data, ROWS * RANK * sizeof(float));
    tg_lora_merge(l);
    CHECK_OK(tg_optim_new(ctx, own, &(tg_optim_config){.kind = TG_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8,
                                                       .weight_decay = 0.1}, &o));
    for (int step = 0; step < STEPS; step++) {
        gradient_of_squares(w, x, y);
        tg_lora_gradients(l);
        if (step == 0) {
            golden_check(&g, "grad.a", a->grad, tolerance);
            golden_check(&g, "grad.b", b->grad, tolerance);
        }
        tg_optim_step(o, LR, 1, step + 1);
        tg_lora_merge(l);
        memcpy(path + step * ROWS * COLS, w->data, ROWS * COLS * sizeof(float));
    }
    test_note("largest relative error %.1e", golden_check(&g, "w", path, tolerance));
    tg_optim_free(o);
    tg_lora_free(l);
    tg_params_free(p);
    golden_close(&g);
    tg_context_free(ctx);
}
