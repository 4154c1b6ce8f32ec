/*
 * vae.c - the variational autoencoder, of images and points.
 *
 * Kingma & Welling 2013, arXiv:1312.6114: an encoder gives q(z|x) = N(mu, e^logvar), a decoder p(x|z), and what is made small is
 *
 *     -ELBO = E_q[-log p(x|z)] + KL(q(z|x) || N(0, 1))        nats; recon and kl in the log
 *
 * with one z an example, drawn as mu + e^(logvar/2)·noise so that gradients pass through it. Training weighs the KL term by
 * beta (Higgins et al. 2017), which may rise from 0 (Bowman et al. 2015); a loss that is not in training is -ELBO itself.
 *
 * With K draws of z an example, w = p(x|z)·p(z)/q(z|x) of each, it is a tighter bound, -E[log(mean of w)] (Burda et al. 2015,
 * arXiv:1509.00519, eq. 8), whose gradient weighs draws by their shares of the sum. Rows of the decoder are then draw after draw of
 * all examples.
 *
 * mlp: names and layouts are those of PyTorch's example, fc1, fc21 (mu), fc22 (logvar), fc3, fc4. conv: two convolutions of
 * stride 2 stand before fc1, their transposes behind fc4. More layers stand behind fc1 (fc1_2 ...) and fc3. Of data with classes,
 * encoder and decoder know the class y: what a one-hot y beside x (beside z) would add to fc1 (fc3) is a row of a table (Kingma et
 * al. 2014, arXiv:1406.5298, M2).
 */
#include "base/fmath.h"
#include "base/str.h"
#include "nn/layers.h"
#include "tinygen/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MLP, CONV };
enum { BERNOULLI, GAUSSIAN, LOGISTIC };
enum { NONE, STATIC, DYNAMIC };
static const tg_activation activations[] = {TG_RELU, TG_TANH, TG_SILU}; /* of --act, in its order */
enum { MOST_LAYERS = 8 };
enum { TAPS = 4, STRIDE = 2, PADDING = 1, LEAST_SIDE = 4 };

typedef struct vae_config {
    int64_t arch, latent, hidden, layers, act, channels, likelihood, binarize, draws, kl_warmup;
    double beta;
    bool labels;
} vae_config;

typedef struct vae {
    int64_t size, classes;      /* numbers of an example; classes that count, 0: none */
    int64_t inner[3];           /* conv: what its convolutions make of an image, [C, Y, X] */
    tg_conv_layer conv[2], deconv[2];
    tg_linear_layer fc1, mu, logvar, fc3, fc4, more1[MOST_LAYERS - 1], more3[MOST_LAYERS - 1];
    tg_embed_layer label1, label3;
    tg_tensor *spread;          /* [1, 1]: log variance or log scale of all of x, over SPEED; NULL: bernoulli */
} vae;

static const double SPEED = 10; /* one number for all pixels would take thousands of Adam's steps to get anywhere */

static const tg_key vae_keys[] = {
    TG_CHOICE(vae_config, arch, 0, "mlp", "mlp|conv", TG_KEY_RESULT, "dense layers, or convolutions before and behind them"),
    TG_INT(vae_config, latent, 'z', "20", 1, 4096, TG_KEY_RESULT | TG_KEY_AUTO, "size of the latent vector"),
    TG_INT(vae_config, hidden, 0, "400", 1, 65536, TG_KEY_RESULT | TG_KEY_AUTO, "units of the dense layers"),
    TG_INT(vae_config, layers, 0, "1", 1, MOST_LAYERS, TG_KEY_RESULT, "dense layers of the encoder, and of the decoder"),
    TG_CHOICE(vae_config, act, 0, "relu", "relu|tanh|silu", TG_KEY_RESULT, "activation behind each hidden layer"),
    TG_INT(vae_config, channels, 0, "32", 1, 1024, TG_KEY_RESULT,
           "conv: channels of the outer convolution; the inner has twice as many"),
    TG_CHOICE(vae_config, likelihood, 0, "bernoulli", "bernoulli|gaussian|logistic", TG_KEY_RESULT | TG_KEY_AUTO,
              "what pixels are drawn from, given z; logistic: over 256 levels; of points gaussian"),
    TG_CHOICE(vae_config, binarize, 0, "none", "none|static|dynamic", TG_KEY_RESULT,
              "bernoulli: pixels become 0 or 1 with their grey as the chance, once for each image or anew each time"),
    TG_INT(vae_config, draws, 0, "1", 1, 1000, TG_KEY_RESULT,
           "of z for an example; above 1 the importance-weighted bound of so many is trained and told (Burda et al. 2015)"),
    TG_REAL(vae_config, beta, 0, "1", 0, 1000, TG_KEY_RESULT, "weight of the KL term while training (Higgins et al. 2017)"),
    TG_INT(vae_config, kl_warmup, 0, "0", 0, 1e12, TG_KEY_RESULT, "steps over which that weight rises from 0"),
    TG_SWITCH(vae_config, labels, 0, "true", TG_KEY_RESULT, "learn each class apart, where the data have classes"),
    TG_KEYS_END
};

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static tg_status check(const vae_config *c, const tg_model_data *data)
{
    if (data->kind == TG_KIND_POINTS && (c->arch == CONV || c->likelihood != GAUSSIAN))
        return tg_fail(TG_EUSAGE, "points are no images: they take --arch mlp and --likelihood gaussian");
    if (c->binarize != NONE && c->likelihood != BERNOULLI)
        return tg_fail(TG_EUSAGE, "--binarize makes pixels 0 or 1, which only --likelihood bernoulli is for");
    if (c->arch == CONV && (data->dims[1] < LEAST_SIDE || data->dims[2] < LEAST_SIDE))
        return tg_fail(TG_EUSAGE, "--arch conv halves images twice, and these are %lld x %lld; take --arch mlp",
                       (long long)data->dims[2], (long long)data->dims[1]);
    return TG_OK;
}

/* The transposes make each side what it was: what halving rounded off is added. */
static tg_status declare_convolutions(tg_params *p, vae *v, const vae_config *c, const tg_model_data *data)
{
    const int64_t *in = data->dims, C[] = {in[0], c->channels, 2 * c->channels};
    int64_t sides[3][2] = {{in[1], in[2]}};
    tg_conv_shape s = {.taps = {TAPS, TAPS}, .options = tg_conv_square(STRIDE, PADDING), .bias = true};
    tg_status status = TG_OK;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 2; i++) sides[k + 1][i] = sides[k][i] / STRIDE;
    for (int k = 0; k < 2 && !status; k++)
        status = tg_conv_layer_declare(p, &v->conv[k], k ? "conv2" : "conv1", C[k], C[k + 1], &s);
    for (int k = 0; k < 2 && !status; k++) {
        for (int i = 0; i < 2; i++) s.options.extra[i] = sides[1 - k][i] % STRIDE;
        status = tg_conv_transpose_layer_declare(p, &v->deconv[k], k ? "deconv2" : "deconv1", C[2 - k], C[1 - k], &s);
    }
    memcpy(v->inner, (int64_t[]){C[2], sides[2][0], sides[2][1]}, sizeof v->inner);
    return status;
}

static tg_status declare_more(tg_params *p, tg_linear_layer *more, const char *name, const vae_config *c)
{
    char full[16];
    tg_status s = TG_OK;
    for (int64_t i = 0; i < c->layers - 1 && !s; i++) {
        snprintf(full, sizeof full, "%s_%d", name, (int)i + 2);
        s = tg_linear_layer_declare(p, &more[i], full, c->hidden, c->hidden, true, 1, 0);
    }
    return s;
}

static tg_status declare_dense(tg_params *p, vae *v, const vae_config *c)
{
    const int64_t H = c->hidden, Z = c->latent;
    const int64_t D = c->arch == CONV ? v->inner[0] * v->inner[1] * v->inner[2] : v->size;
    tg_status s = tg_linear_layer_declare(p, &v->fc1, "fc1", D, H, true, 1, 0);
    if (!s) s = declare_more(p, v->more1, "fc1", c);
    if (!s) s = tg_linear_layer_declare(p, &v->mu, "fc21", H, Z, true, 1, 0);
    if (!s) s = tg_linear_layer_declare(p, &v->logvar, "fc22", H, Z, true, 1, 0);
    if (!s) s = tg_linear_layer_declare(p, &v->fc3, "fc3", Z, H, true, 1, 0);
    if (!s) s = declare_more(p, v->more3, "fc3", c);
    if (!s) s = tg_linear_layer_declare(p, &v->fc4, "fc4", H, D, true, 1, 0);
    if (!s && v->classes) s = tg_embed_layer_declare(p, &v->label1, "label1", v->classes, H, 1 / sqrt((double)D), 0);
    if (!s && v->classes) s = tg_embed_layer_declare(p, &v->label3, "label3", v->classes, H, 1 / sqrt((double)Z), 0);
    if (!s && v->classes) s = tg_param_rows(p, v->label1.table, TG_ROWS_OF_CLASSES, 0);
    if (!s && v->classes) s = tg_param_rows(p, v->label3.table, TG_ROWS_OF_CLASSES, 0);
    return s;
}

/* Pixels start from a deviation of about a quarter of their range; points, whose range nobody knows, from 1. */
static tg_status declare_spread(tg_params *p, vae *v, const vae_config *c, const tg_model_data *data)
{
    if (c->likelihood == BERNOULLI) return TG_OK;
    const double start = data->kind == TG_KIND_POINTS ? 0 : c->likelihood == GAUSSIAN ? -3 : -2.5;
    v->spread = tg_param(p, "spread", 2, (int64_t[]){1, 1}, TG_INIT_ZERO, 0, false, 0);
    return v->spread ? tg_param_start(p, v->spread, 0, 1, start / SPEED) : tg_note("declaring the spread");
}

static tg_status vae_init(tg_model *m)
{
    const vae_config *c = tg_model_config(m);
    const tg_model_data *data = tg_model_about(m);
    tg_params *p = tg_model_params(m);
    vae *v = tg_model_state(m);
    tg_status s = check(c, data);
    v->size = tg_model_data_size(data);
    v->classes = c->labels ? data->classes : 0;
    if (!s && c->arch == CONV) s = declare_convolutions(p, v, c, data);
    if (!s) s = declare_dense(p, v, c);
    return s ? s : declare_spread(p, v, c, data);
}

/* ---- the data ------------------------------------------------------------------------------------------------------ */

/* Pixel i becomes 1 with chance x: static, the same each time (what Salakhutdinov & Murray 2008 did to MNIST), or dynamic. */
static tg_tensor *binarized(const vae_config *c, tg_tape *t, tg_tensor *x)
{
    return c->binarize == NONE ? x : tg_coins(t, x, c->binarize == STATIC);
}

/* ---- the forward pass ---------------------------------------------------------------------------------------------- */

/* act(x·wᵀ + b) */
static tg_tensor *layer(tg_tape *t, const tg_linear_layer *l, tg_tensor *x, tg_activation act)
{
    return act == TG_SILU ? tg_activate(t, tg_linear_layer_apply(t, l, x, TG_LINEAR), act) : tg_linear_layer_apply(t, l, x, act);
}

/* All dense layers: act(x·wᵀ + b + the label's row), and those behind it. */
static tg_tensor *dense(const vae_config *c, tg_tape *t, const tg_linear_layer *first, const tg_linear_layer *more,
                        const tg_embed_layer *label, tg_tensor *x, tg_tensor *labels)
{
    const tg_activation act = activations[c->act];
    tg_tensor *h = label->table ? tg_activate(t, tg_linear_onto(t, tg_embed_layer_apply(t, label, labels), x, first->w, first->b), act)
                                : layer(t, first, x, act);
    for (int64_t i = 0; i < c->layers - 1; i++) h = layer(t, &more[i], h, act);
    return h;
}

static void encode(const tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels, tg_tensor **mu, tg_tensor **logvar)
{
    const vae_config *c = tg_model_config(m);
    const vae *v = tg_model_state(m);
    for (int k = 0; k < 2 && c->arch == CONV; k++) x = tg_activate(t, tg_conv_layer_apply(t, &v->conv[k], x), activations[c->act]);
    tg_tensor *h = dense(c, t, &v->fc1, v->more1, &v->label1, tg_flatten(t, x), labels); /* [B, hidden] */
    *mu = tg_linear_layer_apply(t, &v->mu, h, TG_LINEAR);                   /* [B, Z] */
    if (logvar) *logvar = tg_linear_layer_apply(t, &v->logvar, h, TG_LINEAR);
}

/* What p(x|z) is made of, [B, D]: logits of pixels, means of points. */
static tg_tensor *decode(const tg_model *m, tg_tape *t, tg_tensor *z, tg_tensor *labels)
{
    const vae_config *c = tg_model_config(m);
    const vae *v = tg_model_state(m);
    tg_tensor *h = dense(c, t, &v->fc3, v->more3, &v->label3, z, labels);
    if (c->arch == MLP || !h) return tg_linear_layer_apply(t, &v->fc4, h, TG_LINEAR);
    const int64_t inner[] = {h->shape.dims[0], v->inner[0], v->inner[1], v->inner[2]};
    tg_tensor *y = tg_reshape(t, layer(t, &v->fc4, h, activations[c->act]), 4, inner);
    y = tg_activate(t, tg_conv_transpose_layer_apply(t, &v->deconv[0], y), activations[c->act]);
    return tg_flatten(t, tg_conv_transpose_layer_apply(t, &v->deconv[1], y));
}

static tg_tensor *means(const tg_model *m, tg_tape *t, tg_tensor *y)
{
    return tg_model_about(m)->kind == TG_KIND_POINTS ? y : tg_activate(t, y, TG_SIGMOID);
}

/* The spread, as often as y has numbers. */
static tg_tensor *spread(const vae *v, tg_tape *t, const tg_tensor *y)
{
    const int64_t n = tg_shape_count(&y->shape);
    tg_tensor *speed = tg_tape_values(t, 2, (int64_t[]){n, 1});
    for (int64_t i = 0; speed && speed->data && i < n; i++) speed->data[i] = (float)SPEED;
    return tg_reshape(t, tg_linear(t, speed, v->spread, NULL, TG_LINEAR), y->shape.rank, y->shape.dims);
}

/* -log p(x|z), nats an example. */
static tg_tensor *surprise(const tg_model *m, tg_tape *t, tg_tensor *y, tg_tensor *x)
{
    const vae_config *c = tg_model_config(m);
    if (!y || !x) return NULL;
    if (c->likelihood == BERNOULLI) return tg_bce_logits(t, y, x);
    tg_tensor *mean = means(m, t, y), *wide = spread(tg_model_state(m), t, y);
    return c->likelihood == GAUSSIAN ? tg_gauss_nll(t, mean, wide, x, 0) : tg_logistic_nll(t, mean, wide, x);
}

/* The same of each row of y, which may be several for one of x. */
static tg_tensor *surprise_each(const tg_model *m, tg_tape *t, tg_tensor *y, tg_tensor *x)
{
    const vae_config *c = tg_model_config(m);
    if (!y || !x) return NULL;
    if (c->likelihood == BERNOULLI) return tg_bce_logits_each(t, y, x);
    tg_tensor *mean = means(m, t, y), *wide = spread(tg_model_state(m), t, y);
    return c->likelihood == GAUSSIAN ? tg_gauss_nll_each(t, mean, wide, x) : tg_logistic_nll_each(t, mean, wide, x);
}

static double kl_weight(const vae_config *c, const tg_tape_mode *mode)
{
    if (!mode->train) return 1;
    return mode->update < c->kl_warmup ? c->beta * (double)(mode->update + 1) / (double)c->kl_warmup : c->beta;
}

static tg_tensor *repeated(tg_tape *t, const tg_tensor *labels, int64_t K)
{
    if (!labels) return NULL;
    const int64_t B = labels->shape.dims[0], rows = K * B;
    tg_tensor *all = tg_tape_ids(t, 1, &rows);
    for (int64_t i = 0; all && all->ids && labels->ids && i < rows; i++) all->ids[i] = labels->ids[i % B];
    return all;
}

/* Of K draws of z for each example, [K·B]: -log p(x|z), and log q(z|x) - log p(z). */
static tg_tensor *draw(const tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels, int64_t K, tg_tensor **ratio)
{
    tg_tensor *mu = NULL, *logvar = NULL;
    encode(m, t, x, labels, &mu, &logvar);
    if (!mu || !logvar) return NULL;
    tg_tensor *noise = tg_noise(t, 2, (int64_t[]){K * mu->shape.dims[0], mu->shape.dims[1]});
    tg_tensor *z = tg_reparam_by(t, mu, logvar, noise);
    *ratio = tg_gauss_ratio_each(t, z, logvar, noise);
    return surprise_each(m, t, decode(m, t, z, repeated(t, labels, K)), tg_flatten(t, x));
}

static tg_tensor *importance_loss(tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels, tg_metrics *out)
{
    const vae_config *c = tg_model_config(m);
    tg_tensor *ratio = NULL, *recon = draw(m, t, x, labels, c->draws, &ratio);
    tg_metric(out, "recon", tg_mean(t, recon));
    tg_metric(out, "kl", tg_mean(t, ratio));
    tg_tensor *nats = tg_add_scaled(t, recon, kl_weight(c, tg_tape_mode_of(t)), ratio);
    return nats ? tg_importance_bound(t, tg_reshape(t, nats, 2, (int64_t[]){c->draws, nats->shape.dims[0] / c->draws})) : NULL;
}

static tg_tensor *vae_loss(tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out)
{
    const vae_config *c = tg_model_config(m);
    tg_tensor *x = binarized(c, t, tg_batch_values(t, batch, "x")), *labels = tg_batch_ids(t, batch, "labels");
    tg_tensor *mu = NULL, *logvar = NULL;
    (void)carry;
    if (out) out->count = 0;
    if (c->draws > 1) return importance_loss(m, t, x, labels, out);
    encode(m, t, x, labels, &mu, &logvar);
    tg_tensor *z = tg_reparam(t, mu, logvar);
    tg_tensor *recon = surprise(m, t, decode(m, t, z, labels), tg_flatten(t, x));
    tg_tensor *kl = tg_gauss_kl(t, mu, logvar);
    tg_metric(out, "recon", recon);
    tg_metric(out, "kl", kl);
    return tg_add_scaled(t, recon, kl_weight(c, tg_tape_mode_of(t)), kl);
}

/* log w of K draws of z for one example. */
static tg_status vae_log_weights(tg_model *m, tg_tape *t, const tg_batch *batch, int64_t K, double *out)
{
    tg_tensor *x = binarized(tg_model_config(m), t, tg_batch_values(t, batch, "x")), *labels = tg_batch_ids(t, batch, "labels");
    tg_tensor *ratio = NULL;
    const tg_tensor *recon = draw(m, t, x, labels, K, &ratio);
    for (int64_t k = 0; k < K && recon && ratio; k++) out[k] = -(double)recon->data[k] - (double)ratio->data[k];
    return tg_tape_status(t);
}

/* ---- sampling -------------------------------------------------------------------------------------------------------- */

static int64_t vae_latent(const tg_model *m)
{
    return ((const vae_config *)tg_model_config(m))->latent;
}

static bool vae_conditional(const tg_model *m)
{
    return ((const vae *)tg_model_state(m))->classes > 0;
}

static tg_tensor *vae_decode(tg_model *m, tg_tape *t, tg_tensor *z, tg_tensor *labels)
{
    const tg_model_data *about = tg_model_about(m);
    tg_tensor *x = means(m, t, decode(m, t, z, labels));
    if (!x) return NULL;
    const int64_t dims[] = {x->shape.dims[0], about->dims[0], about->dims[1], about->dims[2]};
    return tg_reshape(t, x, 1 + about->rank, dims);
}

static tg_tensor *vae_encode(tg_model *m, tg_tape *t, tg_tensor *x, tg_tensor *labels)
{
    tg_tensor *mu = NULL;
    encode(m, t, binarized(tg_model_config(m), t, x), labels, &mu, NULL);
    return mu;
}

/* Points are drawn from p(x|z), or they lie too close together. Of images the mean is shown: their noise would be grain. */
static float vae_deviation(const tg_model *m)
{
    if (tg_model_about(m)->kind != TG_KIND_POINTS) return 0;
    return tg_expf((float)(SPEED / 2) * ((const vae *)tg_model_state(m))->spread->data[0]);
}

static void vae_told(const tg_model *m, tg_str *line)
{
    static const char *const how[] = {"", "; each image's pixels become 0 or 1 by chance once, by Philox of its own bytes",
                                      "; pixels become 0 or 1 by chance anew each time, by Philox of seed and step"};
    tg_str_add(line, how[((const vae_config *)tg_model_config(m))->binarize]);
}

/* Of points a plane of latents, which --map can draw, and fewer units. */
static const char *vae_default(const char *key, const tg_model_data *data, int64_t train_items, char out[32])
{
    const bool points = data->kind == TG_KIND_POINTS;
    (void)train_items;
    (void)out;
    if (!strcmp(key, "latent")) return points ? "2" : "20";
    if (!strcmp(key, "hidden")) return points ? "128" : "400";
    if (!strcmp(key, "likelihood")) return points ? "gaussian" : "bernoulli";
    return NULL;
}

const tg_model_desc tg_model_vae = {
    .name = "vae", .title = "Variational autoencoder", .source = "Kingma & Welling 2013, arXiv:1312.6114",
    .kinds = TG_KIND_IMAGE | TG_KIND_POINTS, .keys = vae_keys, .config_size = sizeof(vae_config), .state_size = sizeof(vae),
    .init = vae_init, .loss = vae_loss, .latent = vae_latent, .conditional = vae_conditional, .decode = vae_decode,
    .encode = vae_encode, .deviation = vae_deviation, .log_weights = vae_log_weights, .told = vae_told, .auto_default = vae_default};
