/* Tests of models/gan.c: whole steps as PyTorch takes them, who moves in whose turn, eight examples, options that contradict. */
#include <math.h>

#include "base/rng.h"
#include "support/golden.h"
#include "support/models.h"

static tg_context *ctx;

static tg_model *model_of(const tg_model_data *data, const char *const *settings)
{
    tg_model *m;
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    CHECK_OK(model_with(ctx, "gan", settings, data, true, &m));
    return m;
}

typedef struct game { tg_turns u; tg_batch batch; } game;

static game game_of(tg_model *m, tg_optim_config optim, double lr, const tg_batch *batch)
{
    game g = {.u = {.ctx = ctx, .params = tg_model_params(m), .seed = 3, .base_lr = lr}, .batch = *batch};
    CHECK_OK(tg_tape_new(ctx, &g.u.tape));
    CHECK_OK(tg_optim_new(ctx, g.u.params, &optim, &g.u.optim));
    return g;
}

static tg_status play(tg_model *m, game *g, int64_t step, tg_metrics *out)
{
    out->count = 0;
    g->u.given = &g->batch;
    tg_turns_start(&g->u, step, g->u.base_lr);
    return tg_model_descriptor(m)->step(m, &g->u, out);
}

static void game_free(game *g)
{
    tg_optim_free(g->u.optim);
    tg_tape_free(g->u.tape);
    tg_free(g->u.room);
}

/* ---- PyTorch's ---- */

/* A step of plain SGD, 0.25 for the discriminator, 0.5 for the generator; its noise, seed 3 and step 11, the golden file's maker
 * works out for itself, and the penalties it has by double backward. */
static void steps_like_pytorch(const char *name, int64_t channels, int64_t high, int64_t wide, int64_t classes, double most,
                               const char *const *settings)
{
    const tg_model_data data = {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {channels, high, wide}, .classes = classes};
    tg_model *m = model_of(&data, settings);
    tg_params *p = tg_model_params(m);
    golden g = golden_open(name);
    tg_metrics metrics;
    double worst = 0;
    char key[64];
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        tg_tensor *w = tg_params_at(p, i);
        snprintf(key, sizeof key, "w.%s", w->name);
        CHECK(tg_shape_equal(&golden_tensor(&g, key)->shape, &w->shape));
        memcpy(w->data, golden_tensor(&g, key)->data, (size_t)tg_shape_count(&w->shape) * sizeof *w->data);
    }
    const tg_tensor *x = golden_tensor(&g, "x"), *labels = classes ? golden_tensor(&g, "labels") : NULL;
    tg_batch batch = {.arrays = {{.name = "x", .rank = 4, .dims = {6, channels, high, wide}, .values = x->data}}, .count = 1, .items = 6};
    if (labels) batch.arrays[batch.count++] = (tg_array){.name = "labels", .rank = 1, .dims = {6}, .ids = labels->ids};
    game of = game_of(m, (tg_optim_config){.kind = TG_SGD}, 0.5, &batch);
    CHECK_OK(play(m, &of, 11, &metrics));
    const float d_loss = (float)metrics.values[0], g_loss = (float)metrics.values[1];
    CHECK_TEXT(metrics.names[0], "d_loss");
    CHECK_INT(of.u.items, 6);
    worst = fmax(golden_check(&g, "d_loss", &d_loss, most), golden_check(&g, "g_loss", &g_loss, most));
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        snprintf(key, sizeof key, "after.%s", tg_params_at(p, i)->name);
        worst = fmax(worst, golden_check(&g, key, tg_params_at(p, i)->data, most));
    }
    test_note("%s: off by %lld billionths of the largest", name, (long long)(worst * 1e9));
    game_free(&of);
    golden_close(&g);
    tg_model_free(m);
}

TEST(a_step_of_a_dcgan_is_pytorchs)
{
    steps_like_pytorch("gan_dcgan", 3, 17, 16, 3, 2e-5, WITH("arch=dcgan", "latent=3", "channels=2", "loss=nonsaturating", "lr-d=0.25"));
}

TEST(a_step_with_spectral_norm_is_pytorchs)
{
    steps_like_pytorch("gan_spectral", 1, 8, 9, 2, 2e-5,
                       WITH("arch=dcgan", "latent=2", "channels=3", "loss=hinge", "spectral=true", "lr-d=0.25"));
}

TEST(steps_with_gradient_penalties_are_pytorchs_double_backward)
{
    steps_like_pytorch("gan_r1", 1, 8, 8, 3, 2e-5, WITH("arch=dcgan", "latent=2", "channels=3", "loss=hinge", "r1=2", "lr-d=0.25"));
    steps_like_pytorch("gan_wgan", 1, 3, 4, 0, 2e-5, WITH("arch=mlp", "latent=2", "hidden=3", "loss=wgan-gp", "lr-d=0.25"));
}

/* ---- turns ---- */

enum { B = 8, SIZE = 5 * 6 };

static float pixels[B * SIZE];
static int32_t classes[B];
static const tg_model_data small = {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {1, 5, 6}, .classes = 3};

static tg_batch examples(void)
{
    tg_rng r = tg_rng_at(5, TG_RNG_TEST, 0);
    for (int i = 0; i < B * SIZE; i++) pixels[i] = (float)tg_rng_below(&r, 2);
    for (int i = 0; i < B; i++) classes[i] = i % 3;
    return (tg_batch){.arrays = {{.name = "x", .rank = 4, .dims = {B, 1, 5, 6}, .values = pixels},
                                 {.name = "labels", .rank = 1, .dims = {B}, .ids = classes}}, .count = 2, .items = B};
}

/* The sum of a side's parameters' absolute values: changes when the side moves. */
static double weight_of(const tg_model *m, char side)
{
    const tg_params *p = tg_model_params(m);
    double sum = 0;
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const tg_tensor *w = tg_params_at(p, i);
        for (int64_t k = 0; w->name[0] == side && k < tg_shape_count(&w->shape); k++) sum += fabs((double)w->data[k]);
    }
    return sum;
}

/* At a rate of 0 for one side, only the other moves; the critic takes as many batches as it has turns. */
TEST(each_side_moves_in_its_own_turn)
{
    const tg_batch batch = examples();
    tg_model *m = model_of(&small, WITH("arch=mlp", "hidden=6", "latent=3", "critic=3", "lr-d=1e-30"));
    tg_metrics metrics;
    game g = game_of(m, (tg_optim_config){.kind = TG_SGD}, 0.1, &batch);
    const double d = weight_of(m, 'd'), of_g = weight_of(m, 'g');
    CHECK_OK(play(m, &g, 0, &metrics));
    CHECK(weight_of(m, 'd') == d);
    CHECK(fabs(weight_of(m, 'g') - of_g) > 1e-6);
    CHECK_INT(g.u.items, 3 * B);
    CHECK_INT(metrics.count, 4);
    game_free(&g);
    tg_model_free(m);
}

/* Eight examples and a discriminator that may learn them: what is generated comes near to one of them, of the class asked for. */
static void learns_by_heart(const char *const *settings)
{
    enum { STEPS = 1500, N = 60 };
    const tg_batch batch = examples();
    tg_model *m = model_of(&small, settings);
    tg_metrics metrics;
    static float z[N * 4];
    int32_t labels[N];
    double sum = 0;
    game g = game_of(m, (tg_optim_config){.kind = TG_ADAM, .beta1 = 0.5, .beta2 = 0.99, .epsilon = 1e-8}, 2e-3, &batch);
    for (int step = 0; step < STEPS; step++) CHECK_OK(play(m, &g, step, &metrics));
    tg_rng r = tg_rng_at(6, TG_RNG_TEST, 0);
    for (int i = 0; i < N * 4; i++) z[i] = tg_rng_normal(&r);
    for (int i = 0; i < N; i++) labels[i] = i % 3;
    tg_tape_begin(g.u.tape, &(tg_tape_mode){.train = false});
    const tg_tensor *x = tg_model_descriptor(m)->decode(m, g.u.tape, tg_input_values(g.u.tape, 2, (int64_t[]){N, 4}, z),
                                                        tg_input_ids(g.u.tape, 1, (int64_t[]){N}, labels));
    CHECK(x);
    for (int i = 0; i < N; i++) {
        double least = INFINITY;
        for (int k = i % 3; k < B; k += 3) {
            double off = 0;
            for (int e = 0; e < SIZE; e++) off += fabs((double)(x->data[i * SIZE + e] - pixels[k * SIZE + e]));
            least = fmin(least, off / SIZE);
        }
        sum += least / N;
    }
    test_note("off by %lld thousandths a pixel", (long long)(1000 * sum));
    CHECK(sum < 0.12); /* guessing: 0.5 */
    game_free(&g);
    tg_model_free(m);
}

TEST(a_gan_learns_eight_examples) { learns_by_heart(WITH("arch=mlp", "hidden=48", "latent=4", "loss=nonsaturating", "r1=0.5")); }
TEST(a_wgan_learns_eight_examples) { learns_by_heart(WITH("arch=mlp", "hidden=48", "latent=4", "loss=wgan-gp", "critic=2")); }

/* ---- what it is not for ---- */

static void is_refused(const tg_model_data *data, const char *says, const char *const *settings)
{
    tg_model *m;
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    CHECK_INT(model_with(ctx, "gan", settings, data, true, &m), TG_EUSAGE);
    CHECK(strstr(tg_error(), says) != NULL);
}

TEST(options_that_contradict_each_other_are_refused)
{
    const tg_model_data points = {.kind = TG_KIND_POINTS, .rank = 1, .dims = {2}};
    is_refused(&points, "--arch mlp", WITH("arch=dcgan", "latent=2"));
    is_refused(&small, "less than 8; take --arch mlp", WITH("arch=dcgan", "latent=2"));
    is_refused(&small, "two gradient penalties", WITH("arch=mlp", "latent=2", "loss=wgan-gp", "r1=1"));
}

TEST(a_step_that_is_not_finite_stops_before_anything_moves)
{
    tg_batch batch = examples();
    tg_model *m = model_of(&small, WITH("arch=mlp", "hidden=6", "latent=3", "labels=false"));
    tg_metrics metrics;
    game g = game_of(m, (tg_optim_config){.kind = TG_SGD}, 0.1, &batch);
    const double before = weight_of(m, 'd') + weight_of(m, 'g');
    pixels[7] = NAN;
    CHECK_INT(play(m, &g, 0, &metrics), TG_EINVAL);
    CHECK(isnan(g.u.grad_norm));
    CHECK(weight_of(m, 'd') + weight_of(m, 'g') == before);
    game_free(&g);
    tg_model_free(m);
}
