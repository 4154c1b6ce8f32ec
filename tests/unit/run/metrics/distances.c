/* Tests of run/metrics: distances, manifolds, intervals, modes against NumPy's, SciPy's and scikit-learn's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/synth.h"
#include "run/metrics/distance.h"
#include "run/metrics/manifold.h"
#include "run/metrics/modes.h"
#include "support/golden.h"
#include "test.h"

enum { REAL = 60, D = 6 };
static tg_context *ctx;

static void begin(int threads, const char *isa)
{
    tg_context_free(ctx);
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads, .isa = isa}, &ctx));
}

static const float *row_of(golden *g, const char *set, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", set, what);
    return golden_tensor(g, name)->data;
}

static void near(const char *what, double got, float want, double tolerance)
{
    if (!(fabs(got - (double)want) <= tolerance * fmax(1, fabs((double)want))))
        test_failed(__FILE__, __LINE__, "%s is %.9g, not %.9g", what, got, (double)want);
}

static const char *const sets[] = {"made", "like"};

TEST(distances_are_numpys)
{
    golden g = golden_open("metrics");
    begin(2, NULL);
    for (int k = 0; k < 2; k++) {
        const tg_tensor *real = golden_tensor(&g, "real"), *x = golden_tensor(&g, sets[k]);
        double frechet;
        tg_kernel_result kid;
        CHECK_OK(tg_frechet(ctx, real->data, REAL, x->data, x->shape.dims[0], D, &frechet));
        near("Fréchet's", frechet, row_of(&g, sets[k], "frechet")[0], 1e-6);
        CHECK_OK(tg_kernel_distance(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 0, 0, 1, &kid));
        near("KID", kid.mean, row_of(&g, sets[k], "kid")[0], 1e-5);
        CHECK(kid.deviation == 0);
    }
    const float *flat = golden_tensor(&g, "flat")->data;
    double frechet;
    CHECK_OK(tg_frechet(ctx, flat, 5, flat + 5 * 14, 7, 14, &frechet));
    near("Fréchet's of few", frechet, row_of(&g, "flat", "frechet")[0], 1e-5);
    CHECK_OK(tg_frechet(ctx, flat, 12, flat, 12, 14, &frechet));
    near("Fréchet's to itself", frechet, 0, 1e-5);
    golden_close(&g);
}

TEST(eigenvalues_are_scipys_and_vectors_theirs)
{
    golden g = golden_open("metrics");
    const float *m = golden_tensor(&g, "matrix")->data, *want = golden_tensor(&g, "matrix.values")->data;
    double a[D * D], v[D * D], values[D];
    for (int i = 0; i < D * D; i++) a[i] = (double)m[i];
    tg_eigen(a, D, v, values);
    for (int e = 0; e < D; e++) {
        int below = 0;
        for (int k = 0; k < D; k++) below += values[k] < values[e];
        near("an eigenvalue", values[e], want[below], 1e-6);
        for (int i = 0; i < D; i++) {
            double sum = 0;
            for (int j = 0; j < D; j++) sum += (double)m[i * D + j] * v[e * D + j];
            CHECK(fabs(sum - values[e] * v[e * D + i]) < 1e-5);
        }
    }
    golden_close(&g);
}

TEST(subsets_of_a_kernel_distance_scatter_around_that_of_the_whole)
{
    golden g = golden_open("metrics");
    const tg_tensor *real = golden_tensor(&g, "real"), *x = golden_tensor(&g, "made");
    tg_kernel_result whole, some, again;
    begin(1, NULL);
    CHECK_OK(tg_kernel_distance(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 0, 0, 1, &whole));
    CHECK_OK(tg_kernel_distance(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 30, 400, 1, &some));
    CHECK_OK(tg_kernel_distance(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 30, 400, 1, &again));
    CHECK(some.deviation > 0 && fabs(some.mean - whole.mean) < 4 * some.deviation / sqrt(400));
    CHECK(some.mean == again.mean && some.deviation == again.deviation);
    CHECK_ERROR(tg_kernel_distance(ctx, real->data, REAL, x->data, 50, D, 51, 1, 1, &some), TG_EINVAL, "no larger than the sets");
    golden_close(&g);
}

/* Chances of SciPy's side are out of 4,000 permutations of its own: off by 3·sqrt(p/4000) at most. */
TEST(mmd_is_numpys_and_its_chance_too)
{
    golden g = golden_open("metrics");
    begin(2, NULL);
    for (int k = 0; k < 2; k++) {
        const tg_tensor *real = golden_tensor(&g, "real"), *x = golden_tensor(&g, sets[k]);
        const float *want = row_of(&g, sets[k], "mmd");
        tg_mmd_result r, again;
        CHECK_OK(tg_mmd_test(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 2000, 1, &r));
        near("MMD", r.squared, want[0], 1e-6);
        near("its width", r.width, want[1], 1e-6);
        CHECK(fabs(r.p - (double)want[2]) < 0.001 + 5 * sqrt((double)want[2] / 2000));
        test_note("%s: chance %d of 10,000, NumPy's %d", sets[k], (int)(r.p * 1e4), (int)((double)want[2] * 1e4));
        begin(1, NULL);
        CHECK_OK(tg_mmd_test(ctx, real->data, REAL, x->data, x->shape.dims[0], D, 2000, 1, &again));
        CHECK_BYTES(&again, &r, sizeof r);
    }
    golden_close(&g);
}

TEST(neighbours_and_manifolds_are_scikit_learns)
{
    golden g = golden_open("metrics");
    begin(2, NULL);
    for (int k = 0; k < 2; k++) {
        const tg_tensor *real = golden_tensor(&g, "real"), *x = golden_tensor(&g, sets[k]);
        const int64_t n = x->shape.dims[0];
        const float *want = row_of(&g, sets[k], "manifold"), *nearest = row_of(&g, sets[k], "nearest");
        int64_t index[4 * REAL];
        double distance[4 * REAL];
        char name[64];
        tg_manifold m;
        tg_nearest_result r;
        CHECK_OK(tg_manifold_of(ctx, real->data, REAL, x->data, n, D, &m));
        near("precision", m.precision, want[0], 1e-7);
        near("recall", m.recall, want[1], 1e-7);
        near("density", m.density, want[2], 1e-7);
        near("coverage", m.coverage, want[3], 1e-7);
        CHECK_OK(tg_nearest_test(ctx, real->data, REAL, x->data, n, D, &r));
        near("nearest neighbours", r.accuracy, nearest[0], 1e-7);
        near("of the real", r.real, nearest[1], 1e-7);
        near("of the made", r.made, nearest[2], 1e-7);
        CHECK(r.interval.low < r.accuracy && r.accuracy < r.interval.high && r.each == n);
        CHECK_OK(tg_neighbours(ctx, x->data, n, real->data, REAL, D, 4, false, index, distance));
        snprintf(name, sizeof name, "%s.index", sets[k]);
        for (int64_t i = 0; i < 4 * n; i++) CHECK_INT(index[i], golden_tensor(&g, name)->ids[i]);
        for (int64_t i = 0; i < 4 * n; i++) near("a distance", distance[i], row_of(&g, sets[k], "distance")[i], 1e-6);
    }
    golden_close(&g);
}

/* Vectors far from 0 and near each other, where float products say nothing; one is there twice. */
TEST(neighbours_are_exact_where_floats_are_not)
{
    enum { N = 300, FEW = 3 };
    static float x[N * FEW];
    int64_t index[2 * N];
    double distance[2 * N];
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
    for (int k = 0; k < 3; k++) {
        begin(1 + k, k == 2 ? "scalar" : NULL);
        for (int i = 0; i < N * FEW && k == 0; i++) x[i] = 1000 + tg_rng_normal(&r) * (i < FEW ? 1e4f : 1e-3f);
        memcpy(x + 7 * FEW, x + 11 * FEW, FEW * sizeof *x);
        CHECK_OK(tg_neighbours(ctx, x, N, x, N, FEW, 2, true, index, distance));
        for (int i = 0; i < N; i++) {
            double best = INFINITY;
            int64_t at = -1;
            for (int j = 0; j < N; j++) {
                double is = 0;
                for (int f = 0; f < FEW; f++) is += pow((double)x[i * FEW + f] - (double)x[j * FEW + f], 2);
                if (j == i || is >= best) continue;
                best = is;
                at = j;
            }
            CHECK_INT(index[2 * i], at);
            CHECK(fabs(distance[2 * i] - sqrt(best)) <= 1e-12 * sqrt(best));
        }
        CHECK(index[2 * 7] == 11 && distance[2 * 7] == 0 && index[2 * 11] == 7);
    }
    CHECK_OK(tg_neighbours(ctx, x, 1, x, 1, FEW, 2, true, index, distance)); /* nobody else is there */
    CHECK(index[0] == -1 && isinf(distance[0]));
}

TEST(distances_refuse_too_little_and_too_much)
{
    const float x[20] = {0};
    tg_manifold m;
    tg_mmd_result r;
    tg_nearest_result near_one;
    double f;
    begin(1, NULL);
    CHECK_ERROR(tg_frechet(ctx, x, 1, x, 2, 2, &f), TG_EINVAL, "two vectors");
    CHECK_ERROR(tg_frechet(ctx, x, 2, x, 2, TG_FRECHET_MOST + 1, &f), TG_EUNSUPPORTED, "257");
    CHECK_ERROR(tg_manifold_of(ctx, x, 5, x, 6, 1, &m), TG_EINVAL, "more than 5");
    CHECK_ERROR(tg_mmd_test(ctx, x, 2, x, TG_MMD_MOST, 1, 10, 1, &r), TG_EUNSUPPORTED, "4096");
    CHECK_ERROR(tg_mmd_test(ctx, x, 5, x, 5, 2, 10, 1, &r), TG_EINVAL, "equal");
    CHECK_ERROR(tg_nearest_test(ctx, x, 1, x, 3, 2, &near_one), TG_EINVAL, "two vectors");
    const float bad[] = {0, 1, 2, 3, 4, NAN};
    CHECK_ERROR(tg_frechet(ctx, x, 3, bad, 3, 2, &f), TG_EINVAL, "number 1 of vector 2 is not finite");
    CHECK_ERROR(tg_nearest_test(ctx, bad, 3, x, 3, 2, &near_one), TG_EINVAL, "number 1 of vector 2 is not finite");
}

TEST(distances_without_memory_leave_nothing_behind)
{
    float x[32];
    tg_rng r = tg_rng_at(2, TG_RNG_TEST, 0);
    begin(1, NULL);
    for (int i = 0; i < 32; i++) x[i] = tg_rng_normal(&r);
    const int64_t live = tg_alloc_live();
    for (int what = 0; what < 4; what++)
        for (int64_t n = 1, done = 0; !done; n++) {
            double f;
            tg_kernel_result kid;
            tg_mmd_result mmd;
            tg_manifold m;
            tg_alloc_fail_at(n, false);
            done = !(what == 0 ? tg_frechet(ctx, x, 8, x + 16, 8, 2, &f) : what == 1 ? tg_manifold_of(ctx, x, 8, x + 16, 8, 2, &m)
                   : what == 2 ? tg_kernel_distance(ctx, x, 8, x + 16, 8, 2, 4, 3, 1, &kid)
                   : tg_mmd_test(ctx, x, 8, x + 16, 8, 2, 9, 1, &mmd));
            tg_alloc_fail_at(0, false);
            CHECK_INT(tg_alloc_live(), live);
        }
}

/* ---- intervals ---- */

TEST(intervals_are_scipys)
{
    golden g = golden_open("metrics");
    const tg_tensor *of = golden_tensor(&g, "wilson.of"), *sample = golden_tensor(&g, "bootstrap.of");
    double x[100];
    tg_interval got, again;
    for (int i = 0; i < of->shape.dims[0]; i++) {
        got = tg_wilson(of->ids[2 * i], of->ids[2 * i + 1]);
        near("low", got.low, golden_tensor(&g, "wilson")->data[2 * i], 1e-7);
        near("high", got.high, golden_tensor(&g, "wilson")->data[2 * i + 1], 1e-7);
    }
    got = tg_wilson(0, 0);
    CHECK(got.low == 0 && got.high == 1);
    const int64_t n = sample->shape.dims[0];
    for (int i = 0; i < n; i++) x[i] = (double)sample->data[i];
    CHECK_OK(tg_bootstrap(x, n, 20000, 1, &got)); /* NumPy's is of 200,000 draws: ends are off by 1 % of the interval */
    const float *want = golden_tensor(&g, "bootstrap")->data;
    CHECK(fabs(got.low - (double)want[0]) < 0.02 * (double)(want[1] - want[0]));
    CHECK(fabs(got.high - (double)want[1]) < 0.02 * (double)(want[1] - want[0]));
    CHECK_OK(tg_bootstrap(x, n, 20000, 1, &again));
    CHECK_BYTES(&again, &got, sizeof got);
    CHECK_OK(tg_bootstrap(x, 1, 10, 1, &got));
    CHECK(got.low == x[0] && got.high == x[0]);
    CHECK_OK(tg_bootstrap(x, 0, 10, 1, &got));
    CHECK(isnan(got.low) && isnan(got.high));
    golden_close(&g);
}

/* ---- modes and classes ---- */

TEST(modes_are_numpys)
{
    golden g = golden_open("metrics");
    const float *want = golden_tensor(&g, "modes")->data;
    tg_modes m;
    CHECK_OK(tg_modes_of(0, golden_tensor(&g, "points")->data, 400, &m));
    near("covered", (double)m.covered, want[0], 0);
    near("with one", (double)m.least_one, want[1], 0);
    near("near", m.near, want[2], 1e-7);
    near("kl", m.kl, want[3], 1e-6);
    CHECK(m.parts == 8 && m.least == 2);
    CHECK_ERROR(tg_modes_of(2, want, 1, &m), TG_EINVAL, "mixture");
    golden_close(&g);
}

TEST(modes_of_the_data_are_all_there_and_tell_which_data_they_are)
{
    enum { N = 5000 };
    static float x[N * 2];
    for (int variant = 0; variant < TG_SYNTH_VARIANTS; variant++) {
        tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
        for (int i = 0; i < N; i++) tg_synth_point(&r, variant, x + 2 * i);
        const bool mixture = tg_synth_point_modes(variant, NULL, NULL) > 0;
        CHECK_INT(tg_modes_variant(x, N), mixture ? variant : -1);
        tg_modes m;
        if (!mixture) continue;
        CHECK_OK(tg_modes_of(variant, x, N, &m));
        CHECK(m.covered == m.parts && fabs(m.near - 0.989) < 0.005 && m.kl < 0.01);
        for (int i = 0; i < N * 2; i++) x[i] += 100;
        CHECK_OK(tg_modes_of(variant, x, N, &m));
        CHECK(m.covered == 0 && m.near == 0 && isnan(m.kl));
    }
}

/* The centres are those that points are drawn around, class by class. */
TEST(points_are_drawn_around_the_centres_of_their_modes)
{
    for (int variant = 0; variant < 2; variant++) {
        float centres[TG_SYNTH_MODES][2], deviation, x[2];
        tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
        CHECK_INT(tg_synth_point_modes(variant, centres, &deviation), variant ? 25 : 8);
        for (int i = 0; i < 1000; i++) {
            const int k = tg_synth_point(&r, variant, x);
            CHECK(hypotf(x[0] - centres[k][0], x[1] - centres[k][1]) < 6 * deviation);
        }
    }
}

TEST(balance_is_scipys)
{
    golden g = golden_open("metrics");
    static const char *const names[] = {"balance", "balance.near"};
    for (int k = 0; k < 2; k++) {
        char of[64];
        int64_t counts[20];
        tg_class_balance b;
        snprintf(of, sizeof of, "%s.of", names[k]);
        const int64_t K = golden_tensor(&g, of)->shape.dims[1];
        const float *want = golden_tensor(&g, names[k])->data;
        for (int i = 0; i < 2 * K; i++) counts[i] = golden_tensor(&g, of)->ids[i];
        CHECK_OK(tg_class_balance_of(counts, counts + K, K, &b));
        near("chi-square", b.chi_square, want[0], 1e-6);
        near("chance", b.p, want[1], 1e-7);
        near("kl", b.kl, want[2], 1e-6);
    }
    tg_class_balance b;
    CHECK_OK(tg_class_balance_of((int64_t[]){5, 0}, (int64_t[]){4, 4}, 2, &b));
    CHECK(isinf(b.kl) && b.p < 0.1);
    CHECK_OK(tg_class_balance_of((int64_t[]){5, 0}, (int64_t[]){4, 0}, 2, &b));
    CHECK(b.kl == 0 && b.p == 1 && b.chi_square == 0);
    CHECK_ERROR(tg_class_balance_of((int64_t[]){0, 0}, (int64_t[]){4, 4}, 2, &b), TG_EINVAL, "no classes");
    golden_close(&g);
}
