/* conv.c - layers of image models: a small GAN of them trains without allocating, in groups that do not touch each other, and
 * gives
 * the same bytes for any number of threads. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "nn/layers.h"
#include "support/example.h"
#include "test.h"

enum { B = 6, Z = 5, G = 0, D = 1 };

typedef struct pair {
    tg_context *ctx;
    tg_params *p;
    tg_tape *t;
    tg_optim *o;
    tg_linear_layer in, out;
    tg_batch_norm_layer norm, second;
    tg_conv_layer up, last, down, deep;
} pair;

static tg_conv_shape four_by_four(int group, bool spectral)
{
    return (tg_conv_shape){.taps = {4, 4}, .options = tg_conv_square(2, 1), .bias = spectral, .spectral = spectral,
                           .deviation = 0.02,
                           .group = group};
}

static pair pair_new(int threads)
{
    pair m = {.ctx = example_context(threads, NULL)};
    const tg_conv_shape g = four_by_four(G, false), d = four_by_four(D, true);
    CHECK_OK(tg_params_new(m.ctx, &m.p));
    CHECK_OK(tg_linear_layer_declare(m.p, &m.in, "g.in", Z, 8 * 3 * 3, true, 1, G));
    CHECK_OK(tg_batch_norm_layer_declare(m.p, &m.norm, "g.norm", 8, 0.02, G));
    CHECK_OK(tg_conv_transpose_layer_declare(m.p, &m.up, "g.up", 8, 6, &g));
    CHECK_OK(tg_batch_norm_layer_declare(m.p, &m.second, "g.second", 6, 0.02, G));
    CHECK_OK(tg_conv_transpose_layer_declare(m.p, &m.last, "g.last", 6, 1, &g));
    CHECK_OK(tg_conv_layer_declare(m.p, &m.down, "d.down", 1, 6, &d));
    CHECK_OK(tg_conv_layer_declare(m.p, &m.deep, "d.deep", 6, 8, &d));
    CHECK_OK(tg_linear_layer_declare(m.p, &m.out, "d.out", 8 * 3 * 3, 1, true, 1, D));
    CHECK_OK(tg_params_seal(m.p, 1, true, false));
    CHECK_OK(tg_tape_new(m.ctx, &m.t));
    CHECK_OK(tg_optim_new(m.ctx, m.p, &(tg_optim_config){.kind = TG_ADAM, .beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-8}, &m.o));
    return m;
}

static void pair_free(pair *m)
{
    tg_optim_free(m->o);
    tg_tape_free(m->t);
    tg_params_free(m->p);
    tg_context_free(m->ctx);
}

static tg_tensor *generate(pair *m)
{
    tg_tensor *h = tg_linear_layer_apply(m->t, &m->in, tg_noise(m->t, 2, (int64_t[]){B, Z}), TG_LINEAR);
    h = tg_reshape(m->t, h, 4, (int64_t[]){B, 8, 3, 3});
    h = tg_activate(m->t, tg_batch_norm_layer_apply(m->t, &m->norm, h), TG_RELU);
    h = tg_conv_transpose_layer_apply(m->t, &m->up, h);
    h = tg_activate(m->t, tg_batch_norm_layer_apply(m->t, &m->second, h), TG_RELU);
    return tg_activate(m->t, tg_conv_transpose_layer_apply(m->t, &m->last, h), TG_TANH);
}

static tg_tensor *judge(pair *m, tg_tensor *x)
{
    tg_tensor *h = tg_leaky_relu(m->t, tg_conv_layer_apply(m->t, &m->down, x), 0.2);
    h = tg_leaky_relu(m->t, tg_conv_layer_apply(m->t, &m->deep, h), 0.2);
    return tg_linear_layer_apply(m->t, &m->out, tg_reshape(m->t, h, 2, (int64_t[]){B, 72}), TG_LINEAR);
}

static void step(pair *m, int side, uint64_t number)
{
    static float real[B * 144];
    for (int i = 0; i < B * 144; i++) real[i] = (float)(i % 12 > 5 ? 0.9 : -0.9);
    tg_params_clear_grads(m->p);
    tg_tape_begin(m->t, &(tg_tape_mode){.train = true, .seed = 1, .step = number, .groups = 1u << side});
    tg_tensor *loss = tg_gan_loss(m->t, judge(m, generate(m)), TG_GAN_NONSATURATING, side == G ? TG_GAN_FOOLS : TG_GAN_FAKE);
    if (side == D) {
        tg_tensor *x = tg_input_values(m->t, 4, (int64_t[]){B, 1, 12, 12}, real);
        loss = tg_add(m->t, loss, tg_gan_loss(m->t, judge(m, x), TG_GAN_NONSATURATING, TG_GAN_REAL));
    }
    if (!loss) test_failed(__FILE__, __LINE__, "%s", tg_error());
    CHECK(isfinite(loss->data[0]));
    CHECK_OK(tg_tape_backward(m->t, loss));
    tg_optim_step(m->o, 0.01, 1, (int64_t)number + 1);
}

static uint64_t train(int threads, bool count)
{
    pair m = pair_new(threads);
    int64_t before = 0;
    for (uint64_t s = 0; s < 12; s++) {
        if (s == 6) before = tg_alloc_count();
        step(&m, s % 2 ? G : D, s);
    }
    if (count) CHECK_INT(tg_alloc_count() - before, 0);
    const uint64_t hash = tg_xxh64_of(tg_params_values(m.p), tg_params_size(m.p) * (int64_t)sizeof(float));
    pair_free(&m);
    return hash;
}

TEST(a_gan_of_layers_trains_without_allocating_and_the_same_on_any_number_of_threads)
{
    const uint64_t want = train(1, true);
    CHECK(train(2, true) == want);
    CHECK(train(5, false) == want);
}

TEST(layers_have_pytorchs_names_and_shapes_and_a_step_moves_its_own_side_only)
{
    char text[96];
    pair m = pair_new(1);
    static const struct { const char *name, *shape; bool learned; } want[] = {
        {"g.up.weight", "[8, 6, 4, 4]", true}, {"d.down.weight_orig", "[6, 1, 4, 4]", true}, {"d.down.bias", "[6]", true},
        {"d.deep.weight_u", "[8]", false}, {"d.deep.weight_v", "[96]", false}, {"g.norm.weight", "[8]", true},
        {"g.norm.running_mean", "[8]", false}, {"g.norm.running_var", "[8]", false},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const tg_tensor *x = tg_params_find(m.p, want[i].name);
        if (!x) test_failed(__FILE__, __LINE__, "no %s", want[i].name);
        CHECK_TEXT(tg_shape_text(&x->shape, text), want[i].shape);
        CHECK(x->wants_grad == want[i].learned);
    }
    const float up = m.up.w->data[0], down = m.down.w->data[0], mean = m.norm.mean->data[0];
    step(&m, D, 0);
    CHECK(m.up.w->data[0] == up && m.down.w->data[0] != down && m.norm.mean->data[0] != mean);
    pair_free(&m);
}
