/* Tests of run/bound.c against a likelihood that is known: of a linear-Gaussian model, x = Wz + noise. */
#include "run/bound.h"

#include <math.h>

#include "base/rng.h"
#include "support/bench.h"

enum { N = 40, VAL = 30, DRAWS = 5000 };
static const float W[2][2] = {{1, 0.5f}, {0, 1}};

/* Points x = Wz + noise, all of deviation 1. */
static void make_points(void)
{
    static float points[N * 2];
    int64_t order[N];
    char hash[65];
    tg_scratch *data;
    tg_rng r = tg_rng_at(4, TG_RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        const float a = tg_rng_normal(&r), b = tg_rng_normal(&r);
        order[i] = i;
        for (int d = 0; d < 2; d++) points[2 * i + d] = W[d][0] * a + W[d][1] * b + tg_rng_normal(&r);
    }
    CHECK_OK(tg_scratch_of(points, sizeof points, &data));
    tg_sample_draft d = {.kind = TG_KIND_POINTS, .rank = 1, .dims = {2}, .data = data, .order = order, .counts = {N - VAL, VAL, 0},
                         .split = "{}", .figures = "{}", .baselines = "{}", .verdict = "{}", .report = "{}", .samples = "{\"shape\": [2]}",
                         .provenance = "{}"};
    CHECK_OK(tg_dataset_write_samples(one_path(), &d, hash));
    tg_scratch_free(data);
}

static void set(const tg_params *p, const char *name, const float *values)
{
    tg_tensor *w = tg_params_find(p, name);
    for (int64_t i = 0; i < tg_shape_count(&w->shape); i++) w->data[i] = values ? values[i] : 0;
}

/* -log N(x; 0, WWᵀ + 1) */
static double known(const float x[2])
{
    const double a = (double)(W[0][0] * W[0][0] + W[0][1] * W[0][1]) + 1, b = (double)(W[0][0] * W[1][0] + W[0][1] * W[1][1]);
    const double c = (double)(W[1][0] * W[1][0] + W[1][1] * W[1][1]) + 1, det = a * c - b * b, u = (double)x[0], v = (double)x[1];
    return log(2 * 3.14159265358979324) + log(det) / 2 + (c * u * u - 2 * b * u * v + a * v * v) / det / 2;
}

/* ReLU lets everything through behind a bias of 9, which the last layer takes back; q(z|x) is the prior. */
TEST(the_bound_of_a_linear_gaussian_model_is_its_likelihood)
{
    const float nines[2] = {9, 9}, one[4] = {1, 0, 0, 1}, back[2] = {-9 * (W[0][0] + W[0][1]), -9 * (W[1][0] + W[1][1])};
    static const char *const settings[] = {"hidden=2", "latent=2", "likelihood=gaussian", NULL};
    tg_context *ctx;
    tg_dataset *data;
    tg_model *m;
    tg_bound b[2];
    double nats = 0;
    make_points();
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    CHECK_OK(tg_dataset_open(ctx, one_path(), &data));
    const tg_model_data about = tg_model_data_in(data);
    CHECK_OK(model_with(ctx, "vae", settings, &about, true, &m));
    const tg_params *p = tg_model_params(m);
    static const char *const zero[] = {"fc1.weight", "fc1.bias", "fc21.weight", "fc21.bias", "fc22.weight", "fc22.bias", "spread"};
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++) set(p, zero[i], NULL);
    set(p, "fc3.weight", one);
    set(p, "fc3.bias", nines);
    set(p, "fc4.weight", W[0]);
    set(p, "fc4.bias", back);
    for (int64_t i = 0; i < VAL; i++) {
        float x[2];
        CHECK_OK(tg_dataset_samples(data, TG_VAL, i, 1, x, NULL));
        nats += known(x) / VAL;
    }
    for (int k = 0; k < 2; k++)
        CHECK_OK(tg_bound_of(ctx, data, m, &(tg_bound_options){.split = TG_VAL, .draws = k ? DRAWS : 1, .seed = 1}, &b[k]));
    test_note("thousandths of a nat over -log p(x): %lld of %lld by one draw, %lld by %d", (long long)(1000 * (b[0].nats - nats)),
              (long long)(1000 * nats), (long long)(1000 * (b[1].nats - nats)), DRAWS);
    CHECK(fabs(b[1].nats - nats) < 0.01);
    CHECK(b[0].nats > nats + 0.2);
    tg_model_free(m);
    tg_dataset_close(data);
    tg_context_free(ctx);
}
