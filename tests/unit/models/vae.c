/* Tests of models/vae.c: a whole step as PyTorch takes it, learning by heart, what its options do. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/golden.h"
#include "support/models.h"

enum { B = 8, C = 1, Y = 6, X = 5, SIZE = C * Y * X };

static tg_context *ctx;

static tg_model_data images(int64_t channels, int64_t high, int64_t wide, int64_t classes)
{
    return (tg_model_data){.kind = TG_KIND_IMAGE, .rank = 3, .dims = {channels, high, wide}, .classes = classes};
}

static tg_model *model_of(const tg_model_data *data, const char *const *settings)
{
    tg_model *m;
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    CHECK_OK(model_with(ctx, "vae", settings, data, true, &m));
    return m;
}

/* ---- PyTorch's ---- */

static const float *weights_of(golden *g, const char *prefix, const tg_tensor *p)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    CHECK(tg_shape_equal(&golden_tensor(g, name)->shape, &p->shape));
    return golden_tensor(g, name)->data;
}

/* Noise of seed 3, step 11, which the golden file's maker works out for itself. */
static void steps_like_pytorch(const char *name, const tg_model_data *data, const char *const *settings)
{
    tg_model *m = model_of(data, settings);
    tg_params *p = tg_model_params(m);
    golden g = golden_open(name);
    tg_tape *t;
    tg_optim *o;
    tg_metrics metrics;
    double worst = 0;
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        tg_tensor *w = tg_params_at(p, i);
        memcpy(w->data, weights_of(&g, "w.", w), (size_t)tg_shape_count(&w->shape) * sizeof *w->data);
    }
    const tg_tensor *x = golden_tensor(&g, "x"), *labels = data->classes ? golden_tensor(&g, "labels") : NULL;
    tg_batch batch = {.arrays = {{.name = "x", .rank = 4, .values = x->data}}, .count = 1, .items = 5};
    memcpy(batch.arrays[0].dims, x->shape.dims, 4 * sizeof(int64_t));
    if (labels) batch.arrays[batch.count++] = (tg_array){.name = "labels", .rank = 1, .dims = {5}, .ids = labels->ids};
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_optim_new(ctx, p, &(tg_optim_config){.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}, &o));
    tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 3, .step = 11});
    tg_tensor *loss = tg_model_descriptor(m)->loss(m, t, &batch, NULL, &metrics);
    CHECK_OK(loss ? tg_tape_backward(t, loss) : tg_tape_status(t));
    CHECK_INT(metrics.count, 2);
    CHECK_TEXT(metrics.names[1], "kl");
    const float recon = (float)metrics.values[0], kl = (float)metrics.values[1];
    worst = fmax(golden_check(&g, "recon", &recon, 2e-6), golden_check(&g, "kl", &kl, 2e-6));
    worst = fmax(worst, golden_check(&g, "loss", loss->data, 2e-6));
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        char key[64];
        snprintf(key, sizeof key, "g.%s", tg_params_at(p, i)->name);
        worst = fmax(worst, golden_check(&g, key, tg_params_at(p, i)->grad, 2e-5));
    }
    tg_optim_step(o, 1e-2, 1, 1);
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        char key[64];
        snprintf(key, sizeof key, "after.%s", tg_params_at(p, i)->name);
        golden_check(&g, key, tg_params_at(p, i)->data, 1e-5);
    }
    test_note("%s: off by %lld billionths of the largest", name, (long long)(worst * 1e9));
    tg_optim_free(o);
    tg_tape_free(t);
    golden_close(&g);
    tg_model_free(m);
}

TEST(a_step_of_the_mlp_is_pytorchs)
{
    const tg_model_data data = images(1, 3, 4, 0);
    steps_like_pytorch("vae_mlp", &data, WITH("hidden=7", "latent=3"));
}

/* Sides of 6 and 5: what halving rounds off must come back; beta 0.5 as the last step of a warm-up of two has it of 1. */
TEST(a_step_with_convolutions_classes_and_a_learned_spread_is_pytorchs)
{
    const tg_model_data data = images(3, 6, 5, 3);
    steps_like_pytorch("vae_conv", &data, WITH("arch=conv", "hidden=6", "latent=2", "channels=2", "likelihood=gaussian", "beta=0.5"));
    steps_like_pytorch("vae_conv", &data, WITH("arch=conv", "hidden=6", "latent=2", "channels=2", "likelihood=gaussian", "kl-warmup=2"));
}

/* Rows of the decoder are more than those of x: four draws for each, layers behind the first; classes and a learned spread. */
TEST(a_step_by_several_draws_is_pytorchs)
{
    const tg_model_data small = images(1, 3, 4, 0), data = images(3, 6, 5, 3);
    steps_like_pytorch("vae_draws", &small, WITH("hidden=7", "latent=3", "layers=3", "act=tanh", "draws=4"));
    steps_like_pytorch("vae_draws_conv", &data, WITH("arch=conv", "hidden=6", "latent=2", "channels=2", "likelihood=gaussian", "layers=2",
                                                     "act=silu", "draws=3"));
}

/* ---- eight examples by heart ---- */

static float pixels[B * SIZE];
static int32_t classes[B];

static tg_batch examples(void)
{
    tg_rng r = tg_rng_at(5, TG_RNG_TEST, 0);
    for (int i = 0; i < B * SIZE; i++) pixels[i] = (float)tg_rng_below(&r, 2);
    for (int i = 0; i < B; i++) classes[i] = i % 3;
    return (tg_batch){.arrays = {{.name = "x", .rank = 4, .dims = {B, C, Y, X}, .values = pixels},
                                 {.name = "labels", .rank = 1, .dims = {B}, .ids = classes}}, .count = 2, .items = B};
}

/* Guessing costs 30 log 2 = 20.8 nats, of 256 levels 166; a small beta lets the code be as long as it likes. */
static void learns_by_heart(double most, bool grey, const char *const *settings)
{
    const tg_model_data data = images(C, Y, X, 3);
    tg_model *m = model_of(&data, settings);
    const tg_batch batch = examples();
    tg_rng r = tg_rng_at(6, TG_RNG_TEST, 0);
    for (int i = 0; i < B * SIZE && grey; i++) pixels[i] = (float)tg_rng_below(&r, 256) / 255.0f;
    CHECK(learned_by_heart(ctx, m, &batch, 0.01, 0.999) < most);
    tg_model_free(m);
}

TEST(a_vae_overfits_eight_examples) { learns_by_heart(7, false, WITH("hidden=96", "latent=8", "labels=false", "beta=0.1")); }
TEST(a_vae_that_knows_classes_overfits_eight_examples) { learns_by_heart(3, false, WITH("hidden=96", "latent=8", "beta=0.1")); }
TEST(a_convolutional_vae_overfits_eight_examples) { learns_by_heart(3, false, WITH("arch=conv", "channels=8", "hidden=48", "latent=8", "beta=0.1")); }
TEST(a_vae_of_several_draws_overfits_eight_examples) { learns_by_heart(4, false, WITH("hidden=96", "latent=8", "beta=0.1", "draws=5", "layers=2", "act=silu")); }
/* Densities: a spread that shrinks pays. */
TEST(a_vae_of_greys_overfits_eight_examples) { learns_by_heart(-10, true, WITH("hidden=48", "latent=4", "likelihood=gaussian")); }
TEST(a_vae_of_levels_overfits_eight_examples) { learns_by_heart(125, true, WITH("hidden=48", "latent=4", "likelihood=logistic")); }

/* ---- options ---- */

typedef struct figures { float loss, recon, kl; } figures;

static figures loss_at(tg_model *m, const tg_tape_mode *mode)
{
    const tg_batch batch = examples();
    tg_tape *t;
    tg_metrics metrics;
    for (int i = 0; i < B * SIZE; i++) pixels[i] = (float)(i % 11) / 10;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, mode);
    const tg_tensor *loss = tg_model_descriptor(m)->loss(m, t, &batch, NULL, &metrics);
    CHECK_OK(loss ? TG_OK : tg_tape_status(t));
    const figures f = {loss->data[0], (float)metrics.values[0], (float)metrics.values[1]};
    tg_tape_free(t);
    return f;
}

TEST(beta_counts_in_training_only_and_rises_over_the_warm_up)
{
    const tg_model_data data = images(C, Y, X, 0);
    tg_model *m = model_of(&data, WITH("hidden=8", "latent=3", "beta=4", "kl-warmup=10"));
    figures f = loss_at(m, &(tg_tape_mode){.train = true, .update = 4});
    CHECK(fabsf(f.loss - (f.recon + 2 * f.kl)) < 1e-5f * f.loss);
    f = loss_at(m, &(tg_tape_mode){.train = true, .update = 1000});
    CHECK(fabsf(f.loss - (f.recon + 4 * f.kl)) < 1e-5f * f.loss);
    f = loss_at(m, &(tg_tape_mode){.update = 4});
    CHECK(fabsf(f.loss - (f.recon + f.kl)) < 1e-5f * f.loss);
    tg_model_free(m);
}

TEST(binarized_images_stay_or_change_with_the_step)
{
    const tg_model_data data = images(C, Y, X, 0);
    const tg_tape_mode one = {.seed = 1, .step = 1}, two = {.seed = 1, .step = 2};
    const char *const kinds[] = {"binarize=none", "binarize=static", "binarize=dynamic"};
    float kl[3][2];
    for (int k = 0; k < 3; k++) { /* the KL term has no noise but that of the pixels */
        tg_model *m = model_of(&data, WITH("hidden=8", "latent=3", kinds[k]));
        kl[k][0] = loss_at(m, &one).kl;
        kl[k][1] = loss_at(m, &two).kl;
        tg_model_free(m);
    }
    CHECK(kl[0][0] == kl[0][1] && kl[1][0] == kl[1][1] && kl[2][0] != kl[2][1]);
    CHECK(kl[0][0] != kl[1][0]);
}

/* log w of five draws of example 0. */
static void weights_at(tg_model *m, uint32_t draws, double out[5])
{
    static float one[SIZE];
    const tg_batch batch = {.arrays = {{.name = "x", .rank = 4, .dims = {1, C, Y, X}, .values = one}}, .count = 1, .items = 1};
    tg_tape *t;
    for (int i = 0; i < SIZE; i++) one[i] = (float)(i % 11) / 10;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.seed = 1, .step = 7, .draws = draws});
    CHECK_OK(tg_model_descriptor(m)->log_weights(m, t, &batch, 5, out));
    tg_tape_free(t);
}

/* Where neither side looks at the other, z's part is 0 and w is p of the pixels, whichever they became. */
TEST(other_draws_are_of_the_same_pixels)
{
    static const char *const silent[] = {"fc4.weight", "fc21.weight", "fc21.bias", "fc22.weight", "fc22.bias"};
    const tg_model_data data = images(C, Y, X, 0);
    tg_model *m = model_of(&data, WITH("hidden=8", "latent=3", "binarize=dynamic"));
    double a[5], b[5];
    weights_at(m, 0, a);
    weights_at(m, 1, b);
    for (int k = 0; k < 5; k++) CHECK(a[k] != a[(k + 1) % 5] && a[k] != b[k]);
    for (int i = 0; i < 5; i++) {
        tg_tensor *w = tg_params_find(tg_model_params(m), silent[i]);
        memset(w->data, 0, (size_t)tg_shape_count(&w->shape) * sizeof *w->data);
    }
    weights_at(m, 0, a);
    weights_at(m, 1, b);
    for (int k = 0; k < 5; k++) CHECK(fabs(a[k] - a[0]) < 1e-5 && fabs(b[k] - a[0]) < 1e-5);
    tg_model_free(m);
}

TEST(what_does_not_go_together_is_refused_with_the_reason)
{
    tg_model *m;
    const tg_model_data data = images(1, 8, 8, 0), small = images(1, 3, 8, 0), points = {.kind = TG_KIND_POINTS, .rank = 1, .dims = {2}},
                        text = {.kind = TG_KIND_TEXT, .vocab = 9};
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    CHECK_ERROR(model_with(ctx, "vae", WITH("likelihood=gaussian", "binarize=static"), &data, false, &m), TG_EUSAGE, "--likelihood bernoulli");
    CHECK_ERROR(model_with(ctx, "vae", WITH("arch=conv"), &small, false, &m), TG_EUSAGE, "8 x 3; take --arch mlp");
    CHECK_ERROR(model_with(ctx, "vae", WITH("likelihood=bernoulli"), &points, false, &m), TG_EUSAGE, "--likelihood gaussian");
    CHECK_ERROR(model_with(ctx, "vae", WITH("arch=mlp"), &text, false, &m), TG_EINVAL, "does not learn from this kind");
}

TEST(rows_of_a_batch_do_not_know_of_each_other)
{
    static float z[B * 3], all[B * SIZE];
    const tg_model_data data = images(C, Y, X, 3);
    tg_rng r = tg_rng_at(7, TG_RNG_TEST, 0);
    for (int i = 0; i < B * 3; i++) z[i] = tg_rng_normal(&r);
    examples();
    for (int conv = 0; conv < 2; conv++) {
        tg_model *m = model_of(&data, WITH("hidden=48", "latent=3", conv ? "arch=conv" : "arch=mlp"));
        const tg_model_desc *desc = tg_model_descriptor(m);
        tg_tape *t;
        CHECK(desc->latent(m) == 3 && desc->conditional(m));
        CHECK_OK(tg_tape_new(ctx, &t));
        for (int n = B; n >= 1; n -= B - 1)
            for (int b = 0; b < B; b += n) {
                tg_tape_begin(t, &(tg_tape_mode){.train = false});
                const tg_tensor *x = desc->decode(m, t, tg_input_values(t, 2, (int64_t[]){n, 3}, z + 3 * b),
                                                  tg_input_ids(t, 1, (int64_t[]){n}, classes + b));
                CHECK_OK(x ? TG_OK : tg_tape_status(t));
                CHECK_INT(tg_shape_count(&x->shape), n * SIZE);
                if (n == B) memcpy(all, x->data, sizeof all);
                else CHECK_BYTES(x->data, all + b * SIZE, SIZE * (int64_t)sizeof(float));
            }
        tg_tape_free(t);
        tg_model_free(m);
    }
}
