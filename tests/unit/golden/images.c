/* images.c - what image models are made of against PyTorch's, forward and backward. Settings: tests/golden/make.py. */
#include <math.h>
#include <stdio.h>

#include "support/against.h"
#include "support/example.h"
#include "test.h"

static const double tolerance = 1e-5;

TEST(convolutions_match_pytorch)
{
    static const struct { const char *name; bool transposed; tg_conv_options o; } cases[] = {
        {"down", false, {.stride = {2, 2}, .before = {1, 1}, .after = {1, 1}}},
        {"dilated", false, {.stride = {2, 1}, .dilation = {1, 2}, .before = {1, 2}, .after = {1, 2}}},
        {"causal", false, {.dilation = {1, 2}, .before = {0, 4}}},
        {"up", true, {.stride = {2, 2}, .before = {1, 1}, .after = {1, 1}}},
        {"up_more", true, {.stride = {3, 3}, .dilation = {2, 2}, .before = {1, 1}, .after = {1, 1}, .extra = {2, 2}}},
    };
    against a;
    double worst = 0;
    against_open(&a, "convolutions");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        against_case(&a, cases[i].name);
        tg_tensor *x = against_input(&a, "x"), *w = against_input(&a, "w"), *b = against_input(&a, "b");
        tg_tensor *y = (cases[i].transposed ? tg_conv_transpose : tg_conv)(a.t, x, w, b, &cases[i].o);
        worst = fmax(worst, against_check(&a, y, tolerance));
    }
    test_note("largest error %.1e", worst);
    against_close(&a);
}

/* Two cases: [B, C, Y, X] and [B, C]; the buffers after a step; and evaluation from them. */
static double check_batch_norm(against *a, const char *name)
{
    char full[64];
    against_case(a, name);
    tg_tensor *x = against_input(a, "x"), *g = against_input(a, "g"), *b = against_input(a, "b");
    tg_tensor *mean = against_input(a, "running_mean"), *var = against_input(a, "running_var");
    double worst = against_check(a, tg_batch_norm(a->t, x, g, b, mean, var, 0.1, 1e-5), tolerance);
    snprintf(full, sizeof full, "%s.mean_after", name);
    worst = fmax(worst, golden_check(&a->g, full, mean->data, tolerance));
    snprintf(full, sizeof full, "%s.var_after", name);
    worst = fmax(worst, golden_check(&a->g, full, var->data, tolerance));
    tg_tape_begin(a->t, &(tg_tape_mode){0});
    snprintf(full, sizeof full, "%s.eval", name);
    return fmax(worst, golden_check(&a->g, full, tg_batch_norm(a->t, x, g, b, mean, var, 0.1, 1e-5)->data, tolerance));
}

TEST(batch_group_and_instance_norm_match_pytorch)
{
    against a;
    against_open(&a, "channel_norms");
    double worst = fmax(check_batch_norm(&a, "batch"), check_batch_norm(&a, "batch_rows"));
    against_case(&a, "group");
    tg_tensor *x = against_input(&a, "x"), *g = against_input(&a, "g"), *b = against_input(&a, "b");
    worst = fmax(worst, against_check(&a, tg_group_norm(a.t, x, g, b, 2, 1e-5), tolerance));
    against_case(&a, "instance");
    worst = fmax(worst, against_check(&a, tg_group_norm(a.t, against_input(&a, "x"), NULL, NULL, 3, 1e-5), tolerance));
    test_note("largest error %.1e", worst);
    against_close(&a);
}

TEST(activations_and_pools_match_pytorch)
{
    static const struct { const char *name; tg_activation act; } cases[] = {
        {"tanh", TG_TANH}, {"sigmoid", TG_SIGMOID}, {"relu", TG_RELU}, {"silu", TG_SILU}, {"softplus", TG_SOFTPLUS},
    };
    against a;
    double worst = 0;
    against_open(&a, "activations");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        against_case(&a, cases[i].name);
        worst = fmax(worst, against_check(&a, tg_activate(a.t, against_input(&a, "x"), cases[i].act), tolerance));
    }
    against_case(&a, "leaky");
    worst = fmax(worst, against_check(&a, tg_leaky_relu(a.t, against_input(&a, "x"), 0.2), tolerance));
    against_case(&a, "average");
    worst = fmax(worst, against_check(&a, tg_average_pool(a.t, against_input(&a, "x"), 2, 3), tolerance));
    against_case(&a, "global");
    worst = fmax(worst, against_check(&a, tg_average_pool(a.t, against_input(&a, "x"), 0, 0), tolerance));
    against_case(&a, "most");
    worst = fmax(worst, against_check(&a, tg_max_pool(a.t, against_input(&a, "x"), 2, 2), tolerance));
    against_case(&a, "nearest");
    worst = fmax(worst, against_check(&a, tg_upsample(a.t, against_input(&a, "x"), 2, 2), tolerance));
    test_note("largest error %.1e", worst);
    against_close(&a);
}

TEST(likelihoods_match_pytorch)
{
    against a;
    double worst = 0;
    against_open(&a, "likelihoods");
    against_case(&a, "bce");
    tg_tensor *m = against_input(&a, "l"), *x = against_input(&a, "x"), *v;
    worst = fmax(worst, against_check(&a, tg_bce_logits(a.t, m, x), tolerance));
    against_case(&a, "gauss");
    m = against_input(&a, "m"), v = against_input(&a, "v"), x = against_input(&a, "x");
    worst = fmax(worst, against_check(&a, tg_gauss_nll(a.t, m, v, x, 0), tolerance));
    against_case(&a, "fixed");
    m = against_input(&a, "m"), x = against_input(&a, "x");
    worst = fmax(worst, against_check(&a, tg_gauss_nll(a.t, m, NULL, x, -1.5), tolerance));
    against_case(&a, "kl");
    m = against_input(&a, "m"), v = against_input(&a, "v");
    worst = fmax(worst, against_check(&a, tg_gauss_kl(a.t, m, v), tolerance));
    static const char *const scales[] = {"logistic", "logistic_wide", "logistic_narrow"};
    for (int i = 0; i < 3; i++) {
        against_case(&a, scales[i]);
        m = against_input(&a, "m"), v = against_input(&a, "v"), x = against_input(&a, "x");
        worst = fmax(worst, against_check(&a, tg_logistic_nll(a.t, m, v, x), 2e-5));
    }
    test_note("largest error %.1e", worst);
    against_close(&a);
}

TEST(losses_of_a_gan_match_pytorch)
{
    against a;
    against_open(&a, "likelihoods");
    against_case(&a, "gan_real");
    against_check(&a, tg_gan_loss(a.t, against_input(&a, "l"), TG_GAN_NONSATURATING, TG_GAN_REAL), tolerance);
    against_case(&a, "gan_real");
    against_check(&a, tg_gan_loss(a.t, against_input(&a, "l"), TG_GAN_NONSATURATING, TG_GAN_FOOLS), tolerance);
    against_case(&a, "gan_fake");
    against_check(&a, tg_gan_loss(a.t, against_input(&a, "l"), TG_GAN_NONSATURATING, TG_GAN_FAKE), tolerance);
    against_case(&a, "hinge_real");
    against_check(&a, tg_gan_loss(a.t, against_input(&a, "l"), TG_GAN_HINGE, TG_GAN_REAL), tolerance);
    against_case(&a, "hinge_fake");
    against_check(&a, tg_gan_loss(a.t, against_input(&a, "l"), TG_GAN_HINGE, TG_GAN_FAKE), tolerance);
    against_close(&a);
}

/* One iteration of a training step, the convolution behind it, and the gradient of the weight before the norm. */
TEST(spectral_norm_matches_pytorch)
{
    tg_context *ctx = example_context(2, NULL);
    golden g = golden_open("spectral");
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *w = golden_tensor(&g, "w"), *u = golden_tensor(&g, "u"), *v = golden_tensor(&g, "v"), *dy = golden_tensor(&g,
                                                                                                                         "dy");
    w->wants_grad = true;
    dy->shape = tg_shape_of(2, (int64_t[]){1, 5});
    tg_tensor *sn = tg_spectral_norm(t, w, u, v), *y = tg_conv(t, golden_tensor(&g, "x"), sn, NULL, NULL);
    CHECK_OK(tg_tape_backward(t, tg_linear(t, tg_reshape(t, y, 2, dy->shape.dims), dy, NULL, TG_LINEAR)));
    double worst = golden_check(&g, "w_sn", sn->data, tolerance);
    worst = fmax(worst, golden_check(&g, "u_after", u->data, tolerance));
    worst = fmax(worst, golden_check(&g, "v_after", v->data, tolerance));
    worst = fmax(worst, golden_check(&g, "dw", w->grad, tolerance));
    test_note("largest error %.1e", worst);
    tg_tape_begin(t, &(tg_tape_mode){0}); /* no iteration: the same u once more */
    tg_spectral_norm(t, w, u, v);
    golden_check(&g, "u_after", u->data, tolerance);
    tg_tape_free(t);
    golden_close(&g);
    tg_context_free(ctx);
}
