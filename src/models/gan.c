/*
 * gan.c - generative adversarial networks, of images and points.
 *
 * Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1: a generator G makes x of noise z, a discriminator D says how real x looks
 * (a logit), and they learn in turns: D to tell training examples from G's, G to have its own taken for real. A step is `critic`
 * updates of D, then one of G. There is no likelihood, so no val_loss; d_loss and g_loss are those of the two sides, d_real and
 * d_fake the shares of real and of generated examples that D is right about: 0.5 is guessing.
 *
 * mlp: three dense layers each. dcgan (Radford et al. 2015, arXiv:1511.06434): G's transposed convolutions double the sides until
 * they are the image's, D's convolutions halve them; batch norm in G, and in D where neither spectral norm nor a penalty stands.
 * Of data with classes, G gets a row of a table on top of its first layer (what a one-hot y beside z would add), and D adds
 * e(y)·features(x) to its logit (Miyato & Koyama 2018, arXiv:1802.05637, projection).
 *
 * D is kept from changing too fast by spectral norm (Miyato et al. 2018, arXiv:1802.05957), by r1/2·|dD/dx|² at real examples
 * (Mescheder et al. 2018, arXiv:1801.04406), or by penalty·(|dD/dx| - 1)² between real and generated ones (Gulrajani et al. 2017,
 * arXiv:1704.00028); the gradients of the latter two are recorded as tangents, see tg_tangent.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nn/layers.h"
#include "tinygen/model.h"

enum { MLP, DCGAN };
enum { NONSATURATING, HINGE, WGAN_GP };
enum { GENERATOR, DISCRIMINATOR, NOBODY };                         /* parameter groups */
enum { TAPS = 4, STRIDE = 2, PADDING = 1, LEAST_SIDE = 8, STAGES = 6, WIDEST = 8, DENSE = 3 };
static const double SLOPE = 0.2, DEVIATION = 0.02;                 /* DCGAN's */
static const double TWO_RATES = 2; /* D learns faster, so that it is worth listening to: Heusel et al. 2017, arXiv:1706.08500 */

typedef struct gan_config {
    int64_t arch, latent, hidden, channels, loss, critic;
    double r1, penalty, lr_d;
    bool spectral, labels;
} gan_config;

typedef struct gan {
    int64_t size, classes;                  /* numbers of an example; classes that count, 0: none */
    int64_t stages;                         /* dcgan: how often sides are halved ... */
    int64_t shape[STAGES + 1][3];           /* ... and what that makes of an image, [C, Y, X] */
    tg_linear_layer g_fc[DENSE], d_fc[DENSE];
    tg_embed_layer g_label, d_label;
    tg_conv_layer g_conv[STAGES], d_conv[STAGES];
    tg_batch_norm_layer g_norm[STAGES], d_norm[STAGES];
} gan;

static const tg_key gan_keys[] = {
    TG_CHOICE(gan_config, arch, 0, "mlp", "mlp|dcgan", TG_KEY_RESULT | TG_KEY_AUTO,
              "dense layers, or convolutions; of points mlp"),
    TG_INT(gan_config, latent, 'z', "100", 1, 4096, TG_KEY_RESULT | TG_KEY_AUTO, "numbers of the noise z"),
    TG_INT(gan_config, hidden, 0, "256", 1, 16384, TG_KEY_RESULT | TG_KEY_AUTO,
           "mlp: units of the layer next to z; the next has twice as many, and the discriminator mirrors them"),
    TG_INT(gan_config, channels, 0, "64", 1, 1024, TG_KEY_RESULT,
           "dcgan: channels next to the image; each halving of the sides doubles them, up to 8 times"),
    TG_CHOICE(gan_config, loss, 0, "hinge", "nonsaturating|hinge|wgan-gp", TG_KEY_RESULT | TG_KEY_AUTO,
              "what the two sides play for"),
    TG_SWITCH(gan_config, spectral, 0, "false", TG_KEY_RESULT | TG_KEY_AUTO,
              "divide the discriminator's matrices by their largest singular value"),
    TG_REAL(gan_config, r1, 0, "0", 0, 1e6, TG_KEY_RESULT | TG_KEY_AUTO,
            "weight of the gradient penalty at real examples; 0: none"),
    TG_REAL(gan_config, penalty, 0, "10", 0, 1e6, TG_KEY_RESULT, "wgan-gp: weight of its gradient penalty"),
    TG_INT(gan_config, critic, 0, "1", 1, 50, TG_KEY_RESULT, "updates of the discriminator for each of the generator"),
    TG_REAL(gan_config, lr_d, 0, "0", 0, 1e30, TG_KEY_RESULT, "the discriminator's learning rate; 0: twice lr"),
    TG_SWITCH(gan_config, labels, 0, "true", TG_KEY_RESULT, "learn each class apart, where the data have classes"),
    TG_KEYS_END
};

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static bool is_penalised(const gan_config *c) { return c->r1 > 0 || c->loss == WGAN_GP; }
static bool has_batch_norm(const gan_config *c) { return !c->spectral && !is_penalised(c); }

static tg_status check(const gan_config *c, const tg_model_data *data)
{
    if (data->kind == TG_KIND_POINTS && c->arch == DCGAN) return tg_fail(TG_EUSAGE, "points are no images: they take --arch mlp");
    if (c->arch == DCGAN && (data->dims[1] < LEAST_SIDE || data->dims[2] < LEAST_SIDE))
        return tg_fail(TG_EUSAGE, "--arch dcgan halves images, and these are %lld x %lld, less than %d; take --arch mlp",
                       (long long)data->dims[2], (long long)data->dims[1], LEAST_SIDE);
    if (c->r1 > 0 && c->loss == WGAN_GP)
        return tg_fail(TG_EUSAGE, "--r1 and --loss wgan-gp are two gradient penalties; take one of them");
    return TG_OK;
}

/* From the image inwards, while both sides can be halved and stay above half of LEAST_SIDE. */
static void lay_stages(gan *v, const gan_config *c, const int64_t dims[3])
{
    memcpy(v->shape[0], dims, sizeof v->shape[0]);
    for (v->stages = 0; v->stages < STAGES; v->stages++) {
        const int64_t *of = v->shape[v->stages], widest = WIDEST * c->channels, wide = c->channels << v->stages;
        if (of[1] < LEAST_SIDE || of[2] < LEAST_SIDE) break;
        memcpy(v->shape[v->stages + 1], (int64_t[]){wide < widest ? wide : widest, of[1] / STRIDE, of[2] / STRIDE}, sizeof v->shape[0]);
    }
}

static int64_t inner_size(const gan *v)
{
    const int64_t *inner = v->shape[v->stages];
    return inner[0] * inner[1] * inner[2];
}

static const char *numbered(char out[16], const char *name, int64_t number)
{
    snprintf(out, 16, "%s%d", name, (int)number);
    return out;
}

/* Stage k lies between shape[k], nearer to the image, and shape[k + 1]; so do the layers that are numbered k + 1. */
static tg_status declare_generator(tg_params *p, gan *v, const gan_config *c)
{
    char name[16];
    tg_status s = tg_linear_layer_declare(p, &v->g_fc[0], "g.fc1", c->latent, inner_size(v), false, 1, GENERATOR);
    for (int64_t k = v->stages - 1; k >= 0 && !s; k--) {
        tg_conv_shape shape = {.taps = {TAPS, TAPS}, .options = tg_conv_square(STRIDE, PADDING), .bias = k == 0,
                               .deviation = DEVIATION, .group = GENERATOR};
        for (int i = 0; i < 2; i++) shape.options.extra[i] = v->shape[k][i + 1] % STRIDE;
        s = tg_batch_norm_layer_declare(p, &v->g_norm[k], numbered(name, "g.norm", k + 1), v->shape[k + 1][0], DEVIATION,
                                        GENERATOR);
        if (!s) s = tg_conv_transpose_layer_declare(p, &v->g_conv[k], numbered(name, "g.conv", k + 1), v->shape[k + 1][0],
                                                    v->shape[k][0], &shape);
    }
    return s;
}

static tg_status declare_dense(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out, const gan_config *c)
{
    return c->spectral ? tg_linear_layer_declare_spectral(p, l, name, in, out, DISCRIMINATOR)
                       : tg_linear_layer_declare(p, l, name, in, out, true, 1, DISCRIMINATOR);
}

static tg_status declare_discriminator(tg_params *p, gan *v, const gan_config *c)
{
    char name[16];
    tg_status s = TG_OK;
    for (int64_t k = 0; k < v->stages && !s; k++) {
        const bool norm = k > 0 && has_batch_norm(c);
        const tg_conv_shape shape = {.taps = {TAPS, TAPS}, .options = tg_conv_square(STRIDE, PADDING), .bias = !norm,
                                     .spectral = c->spectral, .deviation = DEVIATION, .group = DISCRIMINATOR};
        s = tg_conv_layer_declare(p, &v->d_conv[k], numbered(name, "d.conv", k + 1), v->shape[k][0], v->shape[k + 1][0], &shape);
        if (!s && norm)
            s = tg_batch_norm_layer_declare(p, &v->d_norm[k], numbered(name, "d.norm", k + 1), v->shape[k + 1][0], DEVIATION,
                                            DISCRIMINATOR);
    }
    return s ? s : declare_dense(p, &v->d_fc[0], "d.fc1", inner_size(v), 1, c);
}

static tg_status declare_mlp(tg_params *p, gan *v, const gan_config *c)
{
    const int64_t g[] = {c->latent, c->hidden, 2 * c->hidden, v->size}, d[] = {v->size, 2 * c->hidden, c->hidden, 1};
    char name[16];
    tg_status s = TG_OK;
    for (int k = 0; k < DENSE && !s; k++)
        s = tg_linear_layer_declare(p, &v->g_fc[k], numbered(name, "g.fc", k + 1), g[k], g[k + 1], true, 1, GENERATOR);
    for (int k = 0; k < DENSE && !s; k++) s = declare_dense(p, &v->d_fc[k], numbered(name, "d.fc", k + 1), d[k], d[k + 1], c);
    return s;
}

static tg_status gan_init(tg_model *m)
{
    const gan_config *c = tg_model_config(m);
    const tg_model_data *data = tg_model_about(m);
    tg_params *p = tg_model_params(m);
    gan *v = tg_model_state(m);
    tg_status s = check(c, data);
    v->size = tg_model_data_size(data);
    v->classes = c->labels ? data->classes : 0;
    if (!s && c->arch == DCGAN) {
        lay_stages(v, c, data->dims);
        s = declare_generator(p, v, c);
        if (!s) s = declare_discriminator(p, v, c);
    } else if (!s) s = declare_mlp(p, v, c);
    if (s || !v->classes) return s;
    const int64_t wide = c->arch == DCGAN ? inner_size(v) : c->hidden; /* of G's first layer and of D's last features */
    s = tg_embed_layer_declare(p, &v->g_label, "g.label", v->classes, wide, 1 / sqrt((double)c->latent), GENERATOR);
    if (!s) s = tg_param_rows(p, v->g_label.table, TG_ROWS_OF_CLASSES, 0);
    if (!s) s = tg_embed_layer_declare(p, &v->d_label, "d.label", v->classes, wide, 1 / sqrt((double)wide), DISCRIMINATOR);
    return s ? s : tg_param_rows(p, v->d_label.table, TG_ROWS_OF_CLASSES, 0);
}

/* ---- the two sides ------------------------------------------------------------------------------------------------- */

static tg_tensor *shaped(tg_tape *t, tg_tensor *x, const int64_t shape[3])
{
    return x ? tg_reshape(t, x, 4, (int64_t[]){x->shape.dims[0], shape[0], shape[1], shape[2]}) : NULL;
}

/* G: [B, Z] to [B, size], pixels in -1..1. */
static tg_tensor *generate(const tg_model *m, tg_tape *t, tg_tensor *z, tg_tensor *labels)
{
    const gan_config *c = tg_model_config(m);
    const gan *v = tg_model_state(m);
    const tg_linear_layer *fc = v->g_fc;
    tg_tensor *h = v->classes ? tg_linear_onto(t, tg_embed_layer_apply(t, &v->g_label, labels), z, fc->w, fc->b)
                              : tg_linear_layer_apply(t, fc, z, TG_LINEAR);
    if (c->arch == MLP) {
        for (int k = 1; k < DENSE; k++) h = tg_linear_layer_apply(t, &fc[k], tg_leaky_relu(t, h, SLOPE), TG_LINEAR);
    } else {
        h = shaped(t, h, v->shape[v->stages]);
        for (int64_t k = v->stages - 1; k >= 0; k--) {
            h = tg_activate(t, tg_batch_norm_layer_apply(t, &v->g_norm[k], h), TG_RELU);
            h = tg_conv_transpose_layer_apply(t, &v->g_conv[k], h);
        }
    }
    h = tg_flatten(t, h);
    return tg_model_about(m)->kind == TG_KIND_IMAGE ? tg_activate(t, h, TG_TANH) : h;
}

/* D: [B, size] as G makes it, to logits [B, 1]. */
static tg_tensor *discriminate(const tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels)
{
    const gan_config *c = tg_model_config(m);
    const gan *v = tg_model_state(m);
    const tg_linear_layer *head = c->arch == MLP ? &v->d_fc[DENSE - 1] : &v->d_fc[0];
    tg_tensor *h = c->arch == MLP ? x : shaped(t, x, v->shape[0]);
    for (int k = 0; k < DENSE - 1 && c->arch == MLP; k++)
        h = tg_leaky_relu(t, tg_linear_layer_apply(t, &v->d_fc[k], h, TG_LINEAR), SLOPE);
    for (int64_t k = 0; k < v->stages; k++) {
        h = tg_conv_layer_apply(t, &v->d_conv[k], h);
        if (v->d_norm[k].g) h = tg_batch_norm_layer_apply(t, &v->d_norm[k], h);
        h = tg_leaky_relu(t, h, SLOPE);
    }
    h = tg_flatten(t, h);
    tg_tensor *y = tg_linear_layer_apply(t, head, h, TG_LINEAR);
    if (!v->classes || !h) return y;
    const int64_t F = h->shape.dims[1];
    tg_tensor *ones = tg_tape_values(t, 2, (int64_t[]){1, F}); /* a product with them adds up a row */
    for (int64_t i = 0; ones && ones->data && i < F; i++) ones->data[i] = 1;
    return tg_linear_onto(t, y, tg_mul(t, h, tg_embed_layer_apply(t, &v->d_label, labels)), ones, NULL);
}

static tg_gan_loss_kind loss_of(const gan_config *c)
{
    return c->loss == HINGE ? TG_GAN_HINGE : c->loss == WGAN_GP ? TG_GAN_WASSERSTEIN : TG_GAN_NONSATURATING;
}

/* ---- turns --------------------------------------------------------------------------------------------------------- */

/* A batch of both kinds, and of a penalty's points and directions, [B, size] each, in memory that outlives passes. */
typedef struct examples { tg_turns *u; tg_batch batch; int64_t B, count; float *real, *fake, *at, *along; } examples;

static tg_tensor *input(const examples *b, const float *x)
{
    return tg_input_values(b->u->tape, 2, (int64_t[]){b->B, b->count / b->B}, b->u->plan ? NULL : x);
}

static tg_tensor *labels_of(const tg_model *m, const examples *b)
{
    return ((const gan *)tg_model_state(m))->classes ? tg_batch_ids(b->u->tape, &b->batch, "labels") : NULL;
}

static tg_tensor *noise(const tg_model *m, const examples *b)
{
    return tg_noise(b->u->tape, 2, (int64_t[]){b->B, ((const gan_config *)tg_model_config(m))->latent});
}

/* Real examples as G would make them, and G's own; G's batch norm takes note of both sides' turns, as PyTorch's scripts do. */
static tg_status draw_examples(const tg_model *m, examples *b, int64_t number)
{
    tg_turns *u = b->u;
    tg_status s = tg_turns_batch(u, number, &b->batch);
    const tg_array *x = s ? NULL : tg_batch_array(&b->batch, "x");
    if (s) return s;
    const bool image = tg_model_about(m)->kind == TG_KIND_IMAGE;
    b->B = x->dims[0];
    b->count = b->B * ((const gan *)tg_model_state(m))->size;
    if (!(b->real = tg_turns_room(u, 4 * b->count))) return TG_ENOMEM;
    b->fake = b->real + b->count;
    b->at = b->fake + b->count;
    b->along = b->at + b->count;
    tg_turns_pass(u, 1u << NOBODY);
    const tg_tensor *y = generate(m, u->tape, noise(m, b), labels_of(m, b));
    u->flops += tg_tape_flops(u->tape);
    for (int64_t i = 0; y && y->data && i < b->count; i++) {
        b->real[i] = image ? 2 * x->values[i] - 1 : x->values[i];
        b->fake[i] = y->data[i];
    }
    return y ? TG_OK : tg_tape_status(u->tape);
}

/* Where the penalty is taken: at real examples, or somewhere between a real and a generated one. */
static void penalty_points(const gan_config *c, const examples *b)
{
    const int64_t size = b->count / b->B;
    tg_rng r = tg_rng_at(b->u->seed, TG_RNG_MIX, tg_turns_stream(b->u));
    for (int64_t i = 0; i < b->B; i++) {
        const float share = c->loss == WGAN_GP ? tg_rng_unit(&r) : 1;
        for (int64_t k = i * size; k < (i + 1) * size; k++) b->at[k] = share * b->real[k] + (1 - share) * b->fake[k];
    }
}

/* dD/dx at those points, each by what its tangent counts in the loss: r1·g, or 2·penalty·(|g| - 1)/|g|·g; over B. */
static tg_status penalty_directions(const tg_model *m, const examples *b)
{
    const gan_config *c = tg_model_config(m);
    const int64_t size = b->count / b->B;
    tg_turns *u = b->u;
    if (!u->plan) penalty_points(c, b);
    tg_turns_pass(u, 1u << NOBODY);
    tg_tensor *x = input(b, b->at);
    if (x) x->wants_grad = true;
    tg_status s = tg_turns_back(u, tg_sum(u->tape, discriminate(m, u->tape, x, labels_of(m, b))));
    if (s || u->plan) return s;
    for (int64_t i = 0; i < b->B; i++) {
        const float *g = x->grad + i * size;
        double squares = 0;
        for (int64_t k = 0; k < size; k++) squares += (double)g[k] * (double)g[k];
        const double norm = sqrt(squares), by = c->loss == WGAN_GP ? (norm > 0 ? 2 * c->penalty * (norm - 1) / norm : 0) : c->r1;
        for (int64_t k = 0; k < size; k++) b->along[i * size + k] = (float)(by / (double)b->B) * g[k];
    }
    return TG_OK;
}

static double share_right(const tg_tensor *logits, int64_t B, bool real)
{
    int64_t right = 0;
    for (int64_t i = 0; logits && logits->data && i < B; i++) right += real ? logits->data[i] > 0 : logits->data[i] < 0;
    return (double)right / (double)B;
}

typedef struct figures { double loss, real, fake; } figures;

/* An update of D; its losses and shares are added. */
static tg_status update_discriminator(const tg_model *m, examples *b, int64_t number, figures *sum)
{
    const gan_config *c = tg_model_config(m);
    const tg_gan_loss_kind kind = loss_of(c);
    tg_turns *u = b->u;
    tg_tape *t = u->tape;
    tg_status s = draw_examples(m, b, number);
    if (!s && is_penalised(c)) s = penalty_directions(m, b);
    if (s) return s;
    tg_turns_pass(u, 1u << DISCRIMINATOR);
    tg_tensor *labels = labels_of(m, b);
    tg_tensor *real = discriminate(m, t, input(b, b->real), labels), *fake = discriminate(m, t, input(b, b->fake), labels);
    tg_tensor *loss = tg_add(t, tg_gan_loss(t, real, kind, TG_GAN_REAL), tg_gan_loss(t, fake, kind, TG_GAN_FAKE));
    sum->loss += loss && loss->data ? (double)loss->data[0] : 0;
    sum->real += share_right(real, b->B, true);
    sum->fake += share_right(fake, b->B, false);
    if (is_penalised(c)) {
        tg_tensor *x = input(b, b->at);
        if (x) x->wants_grad = true;
        tg_tensor *along = tg_tangent(t, discriminate(m, t, x, labels), x, input(b, b->along));
        loss = tg_add(t, loss, tg_sum(t, along));
    }
    return tg_turns_update(u, loss, c->lr_d > 0 ? c->lr_d / u->base_lr : TWO_RATES, number + 1);
}

/* The update of G. */
static tg_status update_generator(const tg_model *m, const examples *b, double *loss)
{
    tg_turns *u = b->u;
    tg_tape *t = u->tape;
    tg_turns_pass(u, 1u << GENERATOR);
    tg_tensor *labels = labels_of(m, b);
    tg_tensor *logits = discriminate(m, t, generate(m, t, noise(m, b), labels), labels);
    tg_tensor *y = tg_gan_loss(t, logits, loss_of(tg_model_config(m)), TG_GAN_FOOLS);
    *loss = y && y->data ? (double)y->data[0] : 0;
    return tg_turns_update(u, y, 1, u->step + 1);
}

static tg_status gan_step(tg_model *m, tg_turns *u, tg_metrics *out)
{
    const gan_config *c = tg_model_config(m);
    const double each = 1 / (double)c->critic;
    figures d = {0};
    double g_loss = 0;
    examples b = {.u = u};
    tg_status s = TG_OK;
    for (int64_t k = 0; k < c->critic && !s; k++) s = update_discriminator(m, &b, u->step * c->critic + k, &d);
    if (!s) s = update_generator(m, &b, &g_loss);
    if (s) return s;
    u->loss = each * d.loss;
    tg_metric_number(out, "d_loss", each * d.loss);
    tg_metric_number(out, "g_loss", g_loss);
    if (c->loss == WGAN_GP) return TG_OK; /* a critic does not say yes or no */
    tg_metric_number(out, "d_real", each * d.real);
    tg_metric_number(out, "d_fake", each * d.fake);
    return TG_OK;
}

static int64_t gan_batches(const void *config) { return ((const gan_config *)config)->critic; }

/* ---- sampling -------------------------------------------------------------------------------------------------------- */

static int64_t gan_latent(const tg_model *m) { return ((const gan_config *)tg_model_config(m))->latent; }
static bool gan_conditional(const tg_model *m) { return ((const gan *)tg_model_state(m))->classes > 0; }

static tg_tensor *gan_decode(tg_model *m, tg_tape *t, tg_tensor *z, tg_tensor *labels)
{
    const tg_model_data *about = tg_model_about(m);
    tg_tensor *x = generate(m, t, z, labels);
    if (!x || about->kind == TG_KIND_POINTS) return x;
    const int64_t dims[] = {x->shape.dims[0], about->dims[0], about->dims[1], about->dims[2]};
    return tg_reshape(t, tg_scale(t, x, 0.5, 0.5), 4, dims);
}

static tg_tensor *gan_score(tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels)
{
    x = tg_flatten(t, x);
    return discriminate(m, t, tg_model_about(m)->kind == TG_KIND_IMAGE ? tg_scale(t, x, 2, -1) : x, labels);
}

static const char *gan_default(const char *key, const tg_model_data *data, int64_t train_items, char out[32])
{
    static const struct { const char *key, *of_images, *of_points; } rows[] = {
        {"latent", "100", "16"}, {"hidden", "256", "128"}, {"loss", "hinge", "nonsaturating"}, {"spectral", "true", "false"},
        {"r1", "0", "0.1"}, {"lr", "5e-4", "1e-3"}, {"beta1", "0.5", "0.5"}, {"ema", "0.999", "0.999"}, {"batch", "64", "256"}};
    const bool points = data->kind == TG_KIND_POINTS;
    (void)train_items;
    (void)out;
    if (!strcmp(key, "arch")) return points || data->dims[1] < LEAST_SIDE || data->dims[2] < LEAST_SIDE ? "mlp" : "dcgan";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(key, rows[i].key)) return points ? rows[i].of_points : rows[i].of_images;
    return NULL;
}

const tg_model_desc tg_model_gan = {
    .name = "gan", .title = "Generative adversarial network", .source = "Goodfellow et al. 2014, arXiv:1406.2661",
    .kinds = TG_KIND_IMAGE | TG_KIND_POINTS, .keys = gan_keys, .config_size = sizeof(gan_config), .state_size = sizeof(gan),
    .init = gan_init, .step = gan_step, .batches = gan_batches, .latent = gan_latent, .conditional = gan_conditional,
    .decode = gan_decode, .score = gan_score, .auto_default = gan_default};
