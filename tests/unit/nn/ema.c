/* ema.c - the average of the weights against a plain loop. */
#include <math.h>

#include "base/alloc.h"
#include "support/example.h"
#include "test.h"
#include "tinygen/nn.h"

TEST(the_average_follows_the_weights_with_a_warm_up)
{
    tg_context *ctx = example_context(2, NULL);
    tg_params *p = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 1, (int64_t[]){20000}, TG_INIT_NORMAL, 1, true, 0);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    int64_t size = tg_params_size(p);
    float *average = tg_alloc_array(size, sizeof *average);
    double *want = tg_alloc_array(size, sizeof *want);
    for (int64_t step = 0; step < 30; step++) {
        double decay = fmin(0.7, (1 + (double)step) / (10 + (double)step));
        for (int64_t i = 0; i < size; i++) {
            tg_params_values(p)[i] *= 1.01f;
            want[i] = decay * want[i] + (1 - decay) * (double)tg_params_values(p)[i];
        }
        tg_ema_update(ctx, average, p, 0.7, step);
    }
    CHECK_CLOSE(average, want, size, 1e-6);
    CHECK(w->data == tg_params_values(p));
    tg_free(average);
    tg_free(want);
    tg_params_free(p);
    tg_context_free(ctx);
}

TEST(a_buffer_is_no_parameter_and_its_average_is_a_copy)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    float average[64] = {0};
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *b = tg_param_buffer(p, "norm.running_mean", 1, (int64_t[]){5}, TG_INIT_ONE, 0, 0);
    tg_tensor *w = tg_param(p, "w", 1, (int64_t[]){7}, TG_INIT_ONE, 0, true, 0);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK(!b->wants_grad && w->wants_grad);
    CHECK_INT(tg_params_elements(p), 7);
    CHECK(tg_params_find(p, "norm.running_mean") == b);
    tg_ema_update(ctx, average, p, 0.9, 1000);
    CHECK(average[4] == 1 && average[5] == 0);
    CHECK(average[16] > 0.09f && average[16] < 0.11f);
    tg_params_free(p);
    tg_context_free(ctx);
}
