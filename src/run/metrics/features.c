/* features.c - a classifier of the real images. */
#include "run/metrics/features.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/fmath.h"
#include "base/meter.h"
#include "base/str.h"
#include "data/codec/safetensors.h"
#include "nn/layers.h"
#include "run/trained.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    VERSION = 1,        /* raised when the same data give another classifier */
    BATCH = 100, LEAST_STEPS = 600, MOST_STEPS = 1200, EPOCHS = 2,
    TAPS = 5, LEAST_SIDE = 8, MOST_LAYERS = 16,
    SEED = 1            /* no setting: one dataset, one classifier */
};
static const double RATE = 2e-3;

struct tg_features {
    tg_context *ctx;
    tg_params *params;
    tg_tape *tape;
    tg_shape image;                 /* [C, Y, X] */
    int64_t classes;
    int layers;                     /* convolutions */
    tg_conv_layer conv[MOST_LAYERS];
    tg_batch_norm_layer norm[MOST_LAYERS];
    tg_linear_layer dense, head;
    double accuracy;
    int64_t judged;                 /* images that the accuracy is over */
    char data[65];                  /* content hash of what it learned */
};

/* ---- the network ----------------------------------------------------------------------------------------------------- */

static tg_status declare(tg_features *f)
{
    const tg_conv_shape shape = {.taps = {TAPS, TAPS}, .options = tg_conv_square(2, TAPS / 2)};
    int64_t channels = f->image.dims[0], high = f->image.dims[1], wide = f->image.dims[2];
    tg_status s = TG_OK;
    for (; !s && f->layers < MOST_LAYERS && (f->layers < 2 || high > LEAST_SIDE || wide > LEAST_SIDE); f->layers++) {
        const int64_t next = f->layers ? 64 : 32;
        char conv[16], norm[16];
        snprintf(conv, sizeof conv, "conv%d", f->layers + 1);
        snprintf(norm, sizeof norm, "norm%d", f->layers + 1);
        s = tg_conv_layer_declare(f->params, &f->conv[f->layers], conv, channels, next, &shape);
        if (!s) s = tg_batch_norm_layer_declare(f->params, &f->norm[f->layers], norm, next, 0, 0);
        channels = next;
        high = (high + 1) / 2;
        wide = (wide + 1) / 2;
    }
    if (!s) s = tg_linear_layer_declare(f->params, &f->dense, "dense", channels * high * wide, TG_FEATURES, true, sqrt(3), 0);
    return s ? s : tg_linear_layer_declare(f->params, &f->head, "head", TG_FEATURES, f->classes, true, 1, 0);
}

static tg_status make(tg_context *ctx, const tg_shape *image, int64_t classes, const char *data, bool train, tg_features **out)
{
    tg_features *f = tg_alloc(sizeof *f);
    if (!f) return TG_ENOMEM;
    f->ctx = ctx;
    f->image = *image;
    f->classes = classes;
    f->accuracy = NAN;
    memcpy(f->data, data, strnlen(data, sizeof f->data - 1));
    tg_status s = tg_params_new(ctx, &f->params);
    if (!s) s = declare(f);
    if (!s) s = tg_params_seal(f->params, SEED, train, false);
    if (!s) s = tg_tape_new(ctx, &f->tape);
    if (s) tg_features_free(f);
    else *out = f;
    return s;
}

void tg_features_free(tg_features *f)
{
    if (!f) return;
    tg_tape_free(f->tape);
    tg_params_free(f->params);
    tg_free(f);
}

/* [B, TG_FEATURES] of images x [B, C, Y, X]. */
static tg_tensor *see(tg_features *f, tg_tensor *x)
{
    tg_tape *t = f->tape;
    for (int i = 0; i < f->layers; i++)
        x = tg_activate(t, tg_batch_norm_layer_apply(t, &f->norm[i], tg_conv_layer_apply(t, &f->conv[i], x)), TG_RELU);
    return tg_linear_layer_apply(t, &f->dense, tg_flatten(t, x), TG_RELU);
}

static tg_tensor *images(tg_features *f, int64_t n, const float *x)
{
    return tg_input_values(f->tape, 4, (int64_t[]){n, f->image.dims[0], f->image.dims[1], f->image.dims[2]}, x);
}

/* ---- learning ------------------------------------------------------------------------------------------------------------ */

static tg_status step(tg_features *f, tg_optim *o, const tg_batch *batch, int64_t i, double rate)
{
    const tg_array *x = tg_batch_array(batch, "x"), *labels = tg_batch_array(batch, "labels");
    tg_params_clear_grads(f->params);
    tg_tape_begin(f->tape, &(tg_tape_mode){.train = true, .seed = SEED, .step = (uint64_t)i});
    tg_tensor *logits = tg_linear_layer_apply(f->tape, &f->head, see(f, images(f, batch->items, x->values)), TG_LINEAR);
    tg_tensor *loss = tg_cross_entropy(f->tape, logits, tg_input_ids(f->tape, 1, &batch->items, labels->ids));
    tg_status s = loss ? tg_tape_backward(f->tape, loss) : tg_tape_status(f->tape);
    if (!s) tg_optim_step(o, rate, 1, i + 1);
    return s;
}

static tg_status learn(tg_features *f, const tg_dataset *d)
{
    static const tg_optim_config adam = {.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    const int64_t count = tg_dataset_count(d, TG_TRAIN), rows = count < BATCH ? count : BATCH, wished = EPOCHS * count / BATCH;
    const int64_t steps = wished < LEAST_STEPS ? LEAST_STEPS : wished > MOST_STEPS ? MOST_STEPS : wished;
    const tg_schedule rates = {.kind = TG_COSINE, .lr = RATE, .warmup = steps / 20, .steps = steps};
    tg_feed *feed = NULL;
    tg_optim *o = NULL;
    tg_status s = tg_feed_samples(d, TG_TRAIN, rows, false, SEED, &feed);
    if (!s) s = tg_optim_new(f->ctx, f->params, &adam, &o);
    tg_meter meter = tg_meter_start(f->ctx, "learn the real images", "steps", steps);
    for (int64_t i = 0; i < steps && !s; i++) {
        tg_batch batch;
        s = tg_feed_batch(feed, i, &batch);
        if (!s) s = step(f, o, &batch, i, tg_schedule_at(&rates, i));
        if (!s) s = tg_meter_add(&meter, 1);
    }
    tg_meter_end(&meter);
    tg_optim_free(o);
    tg_feed_free(feed);
    return s;
}

static tg_status judge(tg_features *f, const tg_dataset *d)
{
    const tg_split split = tg_dataset_count(d, TG_VAL) ? TG_VAL : TG_TEST;
    int64_t right = 0;
    int32_t classes[BATCH];
    tg_feed *feed = NULL;
    if (!tg_dataset_count(d, split)) return TG_OK;
    tg_status s = tg_feed_samples(d, split, BATCH, true, 0, &feed);
    for (int64_t i = 0; !s && i < tg_feed_steps_per_epoch(feed); i++) {
        tg_batch batch;
        s = tg_feed_batch(feed, i, &batch);
        if (!s) s = tg_features_predict(f, tg_batch_array(&batch, "x")->values, batch.items, classes);
        for (int64_t b = 0; b < batch.items && !s; b++) right += classes[b] == tg_batch_array(&batch, "labels")->ids[b];
    }
    tg_feed_free(feed);
    if (s) return s;
    f->judged = tg_dataset_count(d, split);
    f->accuracy = (double)right / (double)f->judged;
    return TG_OK;
}

tg_status tg_features_train(tg_context *ctx, const tg_dataset *d, tg_features **out)
{
    int64_t dims[3];
    tg_features *f = NULL;
    if (tg_dataset_kind(d) != TG_KIND_IMAGE || tg_dataset_classes(d) < 2)
        return tg_fail(TG_EUNSUPPORTED, "features are learned from images of two classes or more, which these data are not; "
                       "take the pixels themselves");
    const tg_shape image = tg_shape_of(tg_dataset_shape(d, dims), dims);
    tg_status s = make(ctx, &image, tg_dataset_classes(d), tg_dataset_hash(d), true, &f);
    if (!s) s = learn(f, d);
    if (!s) s = judge(f, d);
    if (s) {
        tg_features_free(f);
        return tg_note("learning features of the real images");
    }
    *out = f;
    return TG_OK;
}

/* ---- keeping ------------------------------------------------------------------------------------------------------- */

static void describe(const tg_features *f, tg_str *meta)
{
    tg_json_writer w = {.out = meta};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "kind", "features");
    tg_json_member_int(&w, "algorithm", TG_ALGORITHM);
    tg_json_member_int(&w, "version", VERSION);
    tg_json_member_text(&w, "data", f->data);
    tg_json_key(&w, "shape");
    tg_json_open(&w, '[');
    for (int i = 0; i < f->image.rank; i++) tg_json_put_int(&w, f->image.dims[i]);
    tg_json_close(&w, ']');
    tg_json_member_int(&w, "classes", f->classes);
    tg_json_member_real(&w, "accuracy", f->accuracy);
    tg_json_member_int(&w, "judged", f->judged);
    tg_json_close(&w, '}');
}

tg_status tg_features_save(const tg_features *f, const char *path)
{
    const int64_t count = tg_params_count(f->params);
    tg_st_row *rows = tg_alloc_array(count, sizeof *rows);
    tg_str meta = {0};
    describe(f, &meta);
    tg_status s = !rows || meta.failed ? TG_ENOMEM : TG_OK;
    for (int64_t i = 0; i < count && !s; i++) {
        const tg_tensor *t = tg_params_at(f->params, i);
        rows[i] = (tg_st_row){.name = t->name, .dtype = TG_ST_F32, .rank = t->shape.rank, .data = t->data};
        memcpy(rows[i].dims, t->shape.dims, sizeof rows[i].dims);
    }
    if (!s) s = tg_safetensors_write(path, rows, count, meta.data, NULL, NULL, NULL);
    tg_str_free(&meta);
    tg_free(rows);
    return s;
}

/* Of metadata that make no sense, an image without dimensions. */
static tg_shape shape_in(const tg_json *meta)
{
    const tg_json *list = tg_json_get(meta, "shape");
    tg_shape image = {0};
    if (!list || list->type != TG_JSON_ARRAY || list->integer != 3) return image;
    for (const tg_json *at = list->child; at; at = at->next) {
        if (at->type != TG_JSON_INT || at->integer < 1 || at->integer > 65536) return (tg_shape){0};
        image.dims[image.rank++] = at->integer;
    }
    return image;
}

static tg_status read_file(tg_context *ctx, tg_safetensors *file, const char *hash, tg_features **out)
{
    const tg_json *meta = tg_safetensors_meta(file);
    const char *kind = tg_json_text(meta, "kind"), *data = tg_json_text(meta, "data");
    const tg_shape image = shape_in(meta);
    int64_t algorithm = 0, version = 0, classes = 0, judged = 0;
    tg_features *f = NULL;
    tg_json_int(meta, "algorithm", &algorithm);
    tg_json_int(meta, "version", &version);
    if (!kind || strcmp(kind, "features")) return tg_fail(TG_EFORMAT, "it holds no features");
    if (algorithm != TG_ALGORITHM || version != VERSION) return tg_fail(TG_EFORMAT, "another version wrote it");
    if (!data || strcmp(data, hash)) return tg_fail(TG_EFORMAT, "its features are those of other data");
    if (image.rank != 3 || !tg_json_int(meta, "classes", &classes) || classes < 2 || classes > 65536 ||
        !tg_json_int(meta, "judged", &judged) || judged < 0)
        return tg_fail(TG_EFORMAT, "its description is damaged");
    tg_status s = make(ctx, &image, classes, data, false, &f);
    if (!s) s = tg_weights_read(ctx, file, "", f->params, tg_params_values(f->params));
    if (s) {
        tg_features_free(f);
        return s;
    }
    tg_json_real(meta, "accuracy", &f->accuracy); /* null: there was nothing to judge it by */
    f->judged = judged;
    *out = f;
    return TG_OK;
}

tg_status tg_features_load(tg_context *ctx, const char *path, const char *hash, tg_features **out)
{
    tg_safetensors *file = NULL;
    tg_status s = tg_safetensors_open(path, &file);
    if (!s) s = read_file(ctx, file, hash, out);
    tg_safetensors_close(file);
    return s ? tg_note("reading %s", path) : TG_OK;
}

static void keep(tg_context *ctx, const tg_features *f, const char *folder, const char *path)
{
    tg_status s = tg_make_folder(folder);
    if (!s) s = tg_features_save(f, path);
    if (s) tg_log(ctx, TG_LOG_WARN, "what was learned of the images is not kept for the next time: %s", tg_error());
}

tg_status tg_features_for(tg_context *ctx, const tg_dataset *d, const char *folder, tg_features **out)
{
    if (!folder) return tg_features_train(ctx, d, out);
    tg_str name = {0};
    tg_str_addf(&name, "features-%.16s.safetensors", tg_dataset_hash(d));
    char *path = name.failed ? NULL : tg_path_join(folder, name.data);
    tg_status s = path ? TG_OK : TG_ENOMEM;
    if (!s && (tg_path_kind(path) != TG_PATH_FILE || tg_features_load(ctx, path, tg_dataset_hash(d), out))) {
        s = tg_features_train(ctx, d, out);
        if (!s) keep(ctx, *out, folder, path);
    }
    tg_str_free(&name);
    tg_free(path);
    return s;
}

/* ---- looking ------------------------------------------------------------------------------------------------------- */

int64_t tg_features_classes(const tg_features *f)
{
    return f->classes;
}

double tg_features_accuracy(const tg_features *f, int64_t *of)
{
    if (of) *of = f->judged;
    return f->accuracy;
}

/* softmax of a row. */
static void chances_of(const float *logits, int64_t K, float *out)
{
    float most = logits[0], sum = 0;
    for (int64_t k = 1; k < K; k++) most = logits[k] > most ? logits[k] : most;
    for (int64_t k = 0; k < K; k++) sum += out[k] = tg_expf(logits[k] - most);
    for (int64_t k = 0; k < K; k++) out[k] /= sum;
}

tg_status tg_features_run(tg_features *f, const float *x, int64_t n, float *features, float *chances)
{
    const int64_t size = tg_shape_count(&f->image), K = f->classes;
    for (int64_t at = 0, count; at < n; at += count) {
        count = n - at < BATCH ? n - at : BATCH;
        if (tg_cancelled(f->ctx)) return tg_fail(TG_ECANCELLED, "stopped while looking at images");
        tg_tape_begin(f->tape, &(tg_tape_mode){.train = false});
        tg_tensor *seen = see(f, images(f, count, x + at * size));
        const tg_tensor *logits = chances ? tg_linear_layer_apply(f->tape, &f->head, seen, TG_LINEAR) : seen;
        if (!logits) return tg_tape_status(f->tape);
        if (features) memcpy(features + at * TG_FEATURES, seen->data, (size_t)(count * TG_FEATURES) * sizeof *features);
        for (int64_t i = 0; i < count && chances; i++) chances_of(logits->data + i * K, K, chances + (at + i) * K);
    }
    return TG_OK;
}

tg_status tg_features_predict(tg_features *f, const float *x, int64_t n, int32_t *classes)
{
    const int64_t size = tg_shape_count(&f->image), K = f->classes;
    float *chances = tg_alloc_array(BATCH * K, sizeof *chances);
    tg_status s = chances ? TG_OK : TG_ENOMEM;
    for (int64_t at = 0; at < n && !s; at += BATCH) {
        const int64_t count = n - at < BATCH ? n - at : BATCH;
        s = tg_features_run(f, x + at * size, count, NULL, chances);
        for (int64_t i = 0; i < count && !s; i++) {
            int32_t best = 0;
            for (int32_t k = 1; k < (int32_t)K; k++) best = chances[i * K + k] > chances[i * K + best] ? k : best;
            classes[at + i] = best;
        }
    }
    tg_free(chances);
    return s;
}
