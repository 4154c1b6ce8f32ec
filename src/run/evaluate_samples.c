/* evaluate_samples.c - what can be measured of a model of images or points: its samples beside real ones, in the features of a
 * classifier where there is one, else as they are. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/sizes.h"
#include "data/synth.h"
#include "run/bound.h"
#include "run/evaluate.h"
#include "run/latent.h"
#include "run/metrics/distance.h"
#include "run/metrics/features.h"
#include "run/metrics/manifold.h"
#include "run/metrics/modes.h"
#include "run/metrics/two_sample.h"

enum { IMAGES = 2000, POINTS = 10000, BOUND_ITEMS = 500, TESTED = 1000, PERMUTATIONS = 200, COMPARED = 5000, SUBSETS = 20 };

/* Vectors of both sides that distances are taken between. Borrowed where they are the samples themselves. */
typedef struct space { const float *made, *real; float *owned; int64_t d; } space;

/* ---- samples --------------------------------------------------------------------------------------------------------------- */

static tg_status draw_samples(tg_evaluation *e, tg_judged *j)
{
    const tg_model_desc *desc = j->model->desc;
    const int64_t Z = desc->latent(j->model->model), size = tg_model_data_size(&j->model->data), classes = j->model->data.classes;
    const bool conditional = desc->conditional(j->model->model);
    j->count = e->o->samples > 0 ? e->o->samples : j->model->data.kind == TG_KIND_IMAGE ? IMAGES : POINTS;
    float *z = tg_alloc_array(j->count * Z, sizeof *z);
    j->x = tg_alloc_array(j->count * size, sizeof *j->x);
    if (conditional) j->labels = tg_alloc_array(j->count, sizeof *j->labels);
    tg_status s = z && j->x && (!conditional || j->labels) ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < j->count && !s; i++) {
        tg_latent_draw(z + i * Z, Z, 0, (uint64_t)e->o->seed, i);
        if (conditional) j->labels[i] = tg_latent_class(j->model->samples, classes, (uint64_t)e->o->seed, i);
    }
    if (!s) s = tg_latent_sample(j->model->model, j->tape, z, j->labels, j->count, (uint64_t)e->o->seed, 0, j->x);
    tg_free(z);
    return s;
}

/* Real ones of a split, by chance, for a split that was made of folders is sorted by class, and the first of them, or its halves,
 * are not like the whole. x is the caller's, after an error, too. */
static tg_status read_some(const tg_evaluation *e, const tg_judged *j, tg_split split, int64_t count, float **x)
{
    const int64_t size = tg_model_data_size(&j->model->data), all = tg_dataset_count(j->data, split);
    *x = tg_alloc_array(count * size, sizeof **x);
    tg_status s = *x ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++)
        s = tg_dataset_samples(j->data, split, tg_rng_permute((uint64_t)e->o->seed, TG_RNG_SPLIT, 0, all, i), 1, *x + i * size, NULL);
    return s;
}

/* As many as were drawn, or as many as there are. */
static tg_status read_real(const tg_evaluation *e, tg_judged *j)
{
    const int64_t all = tg_dataset_count(j->data, e->split);
    j->real_count = j->count < all ? j->count : all;
    return read_some(e, j, e->split, j->real_count, &j->real_x);
}

/* ---- features -------------------------------------------------------------------------------------------------------------- */

/* Classes that the classifier takes x for, beside those of the data. */
static tg_status balance_of(const tg_judged *j, tg_features *f, const float *x, int64_t count, int32_t *guesses, double *kl)
{
    const int64_t K = tg_features_classes(f);
    int64_t *counts = tg_alloc_array(2 * K, sizeof *counts);
    tg_class_balance balance = {0};
    tg_status s = counts ? tg_features_predict(f, x, count, guesses) : TG_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++) counts[K + guesses[i]]++;
    for (int64_t k = 0; k < K && !s; k++) counts[k] = tg_dataset_class_count(j->data, k);
    if (!s) s = tg_class_balance_of(counts, counts + K, K, &balance);
    *kl = balance.kl;
    tg_free(counts);
    return s;
}

static tg_status measure_classes(tg_judged *j, tg_features *f)
{
    int32_t *guesses = tg_alloc_array(j->count, sizeof *guesses); /* of no more real ones */
    double kl = NAN, real_kl = NAN;
    int64_t right = 0;
    tg_status s = guesses ? balance_of(j, f, j->real_x, j->real_count, guesses, &real_kl) : TG_ENOMEM;
    if (!s) s = balance_of(j, f, j->x, j->count, guesses, &kl);
    for (int64_t i = 0; i < j->count && j->labels && !s; i++) right += guesses[i] == j->labels[i];
    if (!s) tg_figure_set(j, TG_FIGURE_class_balance, kl, real_kl);
    if (!s && j->labels) {
        const tg_interval w = tg_wilson(right, j->count);
        tg_figure_between(j, TG_FIGURE_label_accuracy, (double)right / (double)j->count, w.low, w.high, j->accuracy);
    }
    tg_free(guesses);
    return s;
}

static tg_status find_features(tg_evaluation *e, tg_judged *j, tg_features **out)
{
    char *folder = NULL;
    *out = NULL;
    if (j->model->data.kind != TG_KIND_IMAGE || j->model->data.classes < 2) return TG_OK;
    if (e->home && !(folder = tg_path_join(e->home, "cache"))) return TG_ENOMEM;
    tg_status s = tg_features_for(e->ctx, j->data, folder, out);
    int64_t of = 0;
    if (!s) j->accuracy = tg_features_accuracy(*out, &of);
    if (!s) tg_log(e->ctx, TG_LOG_INFO, "features are those of a classifier of the real images, right about %d of 1000", (int)(1000 * j->accuracy + 0.5));
    tg_free(folder);
    return s;
}

static tg_status make_space(tg_judged *j, tg_features *f, space *out)
{
    const int64_t size = tg_model_data_size(&j->model->data);
    *out = (space){.made = j->x, .real = j->real_x, .d = size};
    if (!f) return TG_OK;
    out->owned = tg_alloc_array((j->count + j->real_count) * TG_FEATURES, sizeof *out->owned);
    if (!out->owned) return TG_ENOMEM;
    out->made = out->owned;
    out->real = out->owned + j->count * TG_FEATURES;
    out->d = TG_FEATURES;
    tg_status s = tg_features_run(f, j->x, j->count, out->owned, NULL);
    return s ? s : tg_features_run(f, j->real_x, j->real_count, out->owned + j->count * TG_FEATURES, NULL);
}

/* ---- distances ------------------------------------------------------------------------------------------------------------- */

/* What comes out where as many training examples stand in for samples: as good as a model could be. */
static tg_status manifold_of_training(const tg_evaluation *e, const tg_judged *j, tg_features *f, const space *v, int64_t n, int64_t m,
                                      tg_manifold *out)
{
    float *x = NULL, *seen = NULL;
    *out = (tg_manifold){NAN, NAN, NAN, NAN};
    if (tg_dataset_count(j->data, TG_TRAIN) < m) return TG_OK;
    tg_status s = read_some(e, j, TG_TRAIN, m, &x);
    if (!s && f && !(seen = tg_alloc_array(m * v->d, sizeof *seen))) s = TG_ENOMEM;
    if (!s && f) s = tg_features_run(f, x, m, seen, NULL);
    if (!s) s = tg_manifold_of(e->ctx, v->real, n, f ? seen : x, m, v->d, out);
    tg_free(seen);
    tg_free(x);
    return s;
}

static tg_status measure_manifold(const tg_evaluation *e, tg_judged *j, tg_features *f, const space *v, int64_t n, int64_t m)
{
    tg_manifold made, real;
    tg_status s = tg_manifold_of(e->ctx, v->real, n, v->made, m, v->d, &made);
    if (!s) s = manifold_of_training(e, j, f, v, n, m, &real);
    if (s) return s;
    tg_figure_set(j, TG_FIGURE_precision, made.precision, real.precision);
    tg_figure_set(j, TG_FIGURE_recall, made.recall, real.recall);
    tg_figure_set(j, TG_FIGURE_density, made.density, real.density);
    tg_figure_set(j, TG_FIGURE_coverage, made.coverage, real.coverage);
    return TG_OK;
}

static tg_status measure_distances(const tg_evaluation *e, tg_judged *j, tg_features *f, const space *v)
{
    const int64_t n = tg_least(j->real_count, COMPARED), m = tg_least(j->count, n);
    tg_kernel_result kernel;
    double d = NAN;
    tg_status s = TG_OK;
    if (n < 10 || m < 10) return TG_OK;
    if (v->d <= TG_FRECHET_MOST && e->wanted[TG_FIGURE_frechet]) {
        /* of as many, it compares with that of two halves of the real ones */
        const int64_t half = tg_least(j->real_count / 2, j->count);
        double halves = NAN;
        s = tg_frechet(e->ctx, v->real, half, v->made, half, v->d, &d);
        if (!s) s = tg_frechet(e->ctx, v->real, half, v->real + half * v->d, half, v->d, &halves);
        if (!s) tg_figure_set(j, TG_FIGURE_frechet, d, halves);
    }
    if (!s && e->wanted[TG_FIGURE_kernel]) {
        /* Subsets of all that there is would be one and the same, and so sure of themselves. */
        s = tg_kernel_distance(e->ctx, v->real, n, v->made, m, v->d, tg_least((m + 1) / 2, TESTED), SUBSETS, (uint64_t)e->o->seed, &kernel);
        const double off = !s && kernel.deviation > 0 ? 1.96 * kernel.deviation : (double)NAN;
        if (!s) tg_figure_between(j, TG_FIGURE_kernel, kernel.mean, kernel.mean - off, kernel.mean + off, 0);
    }
    const bool manifold = tg_evaluation_wants(e, TG_FIGURE_precision, TG_FIGURE_coverage);
    return s || !manifold ? s : measure_manifold(e, j, f, v, n, m);
}

static tg_status test_samples(const tg_evaluation *e, tg_judged *j, const space *v)
{
    const int64_t n = tg_least(j->real_count, TESTED), m = tg_least(j->count, n);
    tg_mmd_result mmd;
    tg_nearest_result near;
    tg_status s = TG_OK;
    if (n < 10 || m < 10) return TG_OK;
    if (e->wanted[TG_FIGURE_mmd_p]) {
        s = tg_mmd_test(e->ctx, v->real, n, v->made, m, v->d, PERMUTATIONS, (uint64_t)e->o->seed, &mmd);
        if (!s) tg_figure_set(j, TG_FIGURE_mmd_p, mmd.p, NAN);
    }
    if (!s && e->wanted[TG_FIGURE_nearest]) {
        s = tg_nearest_test(e->ctx, v->real, n, v->made, m, v->d, &near);
        if (!s) tg_figure_between(j, TG_FIGURE_nearest, near.accuracy, near.interval.low, near.interval.high, 0.5);
    }
    for (int k = 0; k < TG_JUDGE_KINDS && !s; k++) {
        const tg_figure_id id = (tg_figure_id)(TG_FIGURE_c2st_logistic + k);
        tg_two_sample r;
        if (!e->wanted[id]) continue;
        s = tg_two_sample_test((tg_judge_kind)k, v->real, n, v->made, m, v->d, (uint64_t)e->o->seed, &r);
        if (!s) tg_figure_between(j, id, r.accuracy, r.interval.low, r.interval.high, 0.5);
    }
    return s;
}

/* ---- what is behind the first samples in training ------------------------------------------------------------------------- */

static tg_status find_neighbours(const tg_evaluation *e, tg_judged *j)
{
    const int64_t size = tg_model_data_size(&j->model->data), all = tg_dataset_count(j->data, TG_TRAIN);
    const int64_t n = tg_least(j->count, TG_EVALUATE_NEIGHBOURS), most = INT64_C(1) << 26, some = tg_least(all, most / size);
    float *train = NULL;
    int64_t index[TG_EVALUATE_NEIGHBOURS];
    double distance[TG_EVALUATE_NEIGHBOURS];
    if (j->model->data.kind != TG_KIND_IMAGE || some < 1) return TG_OK;
    train = tg_alloc_array(some * size, sizeof *train);
    j->neighbours = tg_alloc_array(TG_EVALUATE_NEIGHBOURS * size, sizeof *j->neighbours);
    tg_status s = train && j->neighbours ? tg_dataset_samples(j->data, TG_TRAIN, 0, some, train, NULL) : TG_ENOMEM;
    if (!s) s = tg_neighbours(e->ctx, j->x, n, train, some, size, 1, false, index, distance);
    for (int64_t i = 0; i < n && !s; i++) memcpy(j->neighbours + i * size, train + index[i] * size, (size_t)size * sizeof *train);
    tg_free(train);
    return s;
}

static tg_status measure_modes(tg_judged *j)
{
    tg_modes f;
    const int variant = j->model->data.kind == TG_KIND_POINTS && j->model->data.dims[0] == 2 ? tg_modes_variant(j->real_x, j->real_count) : -1;
    if (variant < 0) return TG_OK;
    tg_status s = tg_modes_of(variant, j->x, j->count, &f);
    if (s) return s;
    tg_figure_set(j, TG_FIGURE_modes, (double)f.covered, (double)f.parts);
    tg_figure_set(j, TG_FIGURE_near, f.near, 1 - exp(-4.5));
    return TG_OK;
}

static tg_status measure_bound(const tg_evaluation *e, tg_judged *j)
{
    const tg_bound_options o = {.split = e->split, .items = BOUND_ITEMS, .draws = e->o->draws, .seed = 1};
    tg_bound b;
    if (!j->model->desc->log_weights || o.draws == 0 || !e->wanted[TG_FIGURE_nll]) return TG_OK;
    tg_status s = tg_bound_of(e->ctx, j->data, j->model->model, &o, &b);
    if (!s) tg_figure_between(j, TG_FIGURE_nll, b.nats, b.nats - 1.96 * b.error, b.nats + 1.96 * b.error, NAN);
    return s;
}

tg_status tg_evaluate_samples(tg_evaluation *e, tg_judged *j)
{
    tg_features *f = NULL;
    space v = {0};
    tg_status s = measure_bound(e, j);
    if (s || !(tg_evaluation_wants(e, TG_FIGURE_frechet, TG_FIGURE_c2st_svm) || e->o->quiz)) return s;
    s = draw_samples(e, j);
    if (!s) s = read_real(e, j);
    if (!s) s = find_features(e, j, &f);
    if (!s && f) s = measure_classes(j, f);
    if (!s) s = make_space(j, f, &v);
    if (!s) s = measure_distances(e, j, f, &v);
    if (!s) s = test_samples(e, j, &v);
    if (!s) s = measure_modes(j);
    if (!s) s = find_neighbours(e, j);
    tg_features_free(f);
    tg_free(v.owned);
    return s;
}
