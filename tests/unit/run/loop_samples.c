/* Tests of run/loop.c on images and points: the steady state, bits, metrics, validation. */
#include <math.h>

#include "base/rng.h"
#include "run/bound.h"
#include "support/bench.h"

enum { N = 60, VAL = 20, C = 1, Y = 8, X = 8, SIZE = C * Y * X };

/* Squares of one of three sizes, brighter to the right; the class is the size. */
static void make_images(void)
{
    static uint8_t pixels[N * SIZE];
    uint16_t classes[N];
    int64_t order[N];
    char hash[65];
    tg_scratch *data, *of;
    tg_rng r = tg_rng_at(8, TG_RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        const int64_t side = 2 + i % 3, top = tg_rng_below(&r, Y - side + 1), left = tg_rng_below(&r, X - side + 1);
        order[i] = i;
        classes[i] = (uint16_t)(i % 3);
        for (int64_t p = 0; p < SIZE; p++) {
            const int64_t y = p / X, x = p % X;
            pixels[i * SIZE + p] = y >= top && y < top + side && x >= left && x < left + side ? (uint8_t)(150 + 15 * x) : 0;
        }
    }
    CHECK_OK(tg_scratch_of(pixels, sizeof pixels, &data));
    CHECK_OK(tg_scratch_of(classes, sizeof classes, &of));
    tg_sample_draft d = {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {C, Y, X}, .data = data, .labels = of, .order = order,
                         .counts = {N - VAL, VAL, 0}, .split = "{}", .figures = "{}", .baselines = "{}", .verdict = "{}", .report = "{}",
                         .samples = "{\"shape\": [1, 8, 8], \"classes\": [{\"name\": \"s\", \"count\": 14}, {\"name\": \"m\", \"count\": 13}, "
                                    "{\"name\": \"l\", \"count\": 13}], \"augment\": \"none\"}", .provenance = "{}"};
    CHECK_OK(tg_dataset_write_samples(one_path(), &d, hash));
    tg_scratch_free(data);
    tg_scratch_free(of);
}

static bench bench_of_classes(int classes, int threads, const char *isa, int64_t batch, int64_t accum, const char *model,
                              const char *const *settings)
{
    bench b = {0};
    make_images();
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads, .isa = isa}, &b.ctx));
    CHECK_OK(tg_dataset_open(b.ctx, one_path(), &b.data));
    tg_model_data about = tg_model_data_in(b.data);
    about.classes = classes;
    CHECK_OK(model_with(b.ctx, model, settings, &about, true, &b.model));
    tg_loop_options o = {.optim = {.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                         .schedule = {.kind = TG_CONSTANT, .lr = 0.005, .steps = 1000}, .batch = batch, .seq = 1, .accum = accum, .seed = 1};
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &b.loop));
    return b;
}

static bench bench_of_images(int threads, const char *isa, int64_t batch, int64_t accum, const char *model,
                             const char *const *settings)
{
    return bench_of_classes(3, threads, isa, batch, accum, model, settings);
}

static const char *const mlp[] = {"hidden=24", "latent=3", NULL};
static const char *const conv[] = {"arch=conv", "channels=4", "hidden=24", "latent=3", "likelihood=logistic", NULL};
static const char *const chance[] = {"hidden=24", "latent=3", "binarize=dynamic", "kl-warmup=20", NULL};
static const char *const several[] = {"hidden=24", "latent=3", "layers=2", "act=silu", "binarize=dynamic", "draws=3", NULL};
static const char *const dcgan[] = {"arch=dcgan", "channels=4", "latent=3", "spectral=true", "loss=hinge", NULL};
static const char *const batch_norms[] = {"arch=dcgan", "channels=3", "latent=5", "loss=nonsaturating", "labels=false", NULL};
static const char *const wgan[] = {"arch=mlp", "hidden=12", "latent=3", "loss=wgan-gp", "critic=2", NULL};
static const struct { const char *model; const char *const *settings; } all[] = {
    {"vae", mlp}, {"vae", conv}, {"vae", chance}, {"vae", several}, {"gan", dcgan}, {"gan", batch_norms}, {"gan", wgan}};
enum { ALL = sizeof all / sizeof *all };

TEST(steps_on_images_allocate_nothing_after_the_third)
{
    for (int k = 0; k < ALL; k++) {
        bench b = bench_of_images(2, NULL, 8, k < 4 ? 2 : 1, all[k].model, all[k].settings);
        tg_step_info i;
        double nats;
        for (int n = 0; n < 3; n++) CHECK_OK(tg_loop_step(b.loop, &i));
        for (int n = 0; n < 2 && b.loop->validation; n++) CHECK_OK(tg_loop_evaluate(b.loop, &nats));
        const int64_t before = tg_alloc_count();
        for (int n = 0; n < 20; n++) CHECK_OK(tg_loop_step(b.loop, &i));
        if (b.loop->validation) CHECK_OK(tg_loop_evaluate(b.loop, &nats));
        CHECK_INT(tg_alloc_count() - before, 0);
        bench_free(&b);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

/* A loop and two steps, so that memory of the first step and that of the second may fail, too. */
static tg_status two_steps(bench *b, const tg_loop_options *o)
{
    tg_step_info i;
    tg_status s = tg_loop_new(b->ctx, b->model, b->data, o, &b->loop);
    for (int n = 0; n < 2 && !s; n++) s = tg_loop_step(b->loop, &i);
    tg_loop_free(b->loop);
    b->loop = NULL;
    return s;
}

TEST(training_on_images_without_memory_says_so_and_leaves_nothing_behind)
{
    for (int k = 0; k < ALL; k++) {
        bench b = bench_of_images(1, NULL, 8, 1, all[k].model, all[k].settings);
        const tg_loop_options o = b.loop->options;
        int failed = 0;
        tg_loop_free(b.loop);
        b.loop = NULL;
        const int64_t live = tg_alloc_live();
        tg_status s = TG_ENOMEM;
        for (int64_t n = 1; s; n++) {
            tg_alloc_fail_at(n, false);
            s = two_steps(&b, &o);
            tg_alloc_fail_at(0, false);
            if (s) CHECK_INT(s, TG_ENOMEM);
            CHECK_INT(tg_alloc_live() - live, 0);
            failed += s != TG_OK;
        }
        CHECK(failed > 10);
        test_note("%s %d: %d ways to fail", all[k].model, k, failed);
        bench_free(&b);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

/* A class that the model was not made for: no loss, so that none is not finite. */
TEST(a_step_in_turns_that_fails_says_why)
{
    bench b = bench_of_classes(2, 1, NULL, 20, 1, "gan", wgan);
    tg_step_info i;
    CHECK_ERROR(tg_loop_step(b.loop, &i), TG_EINVAL, "embed: id 2");
    CHECK_INT(b.loop->place.step, 0);
    bench_free(&b);
}

static void same_weights(const bench *b, int k, float *kept, bool first)
{
    const tg_params *p = tg_model_params(b->model);
    const int64_t bytes = tg_params_size(p) * (int64_t)sizeof *kept;
    CHECK(bytes <= 1 << 20);
    if (first) memcpy(kept, tg_params_values(p), (size_t)bytes);
    CHECK_BYTES((const uint8_t *)tg_params_values(p), (const uint8_t *)kept, bytes);
    if (!first) test_note("variant %d: the same bits", k);
}

TEST(steps_on_images_give_the_same_bits_for_any_threads_and_instructions)
{
    static float kept[1 << 18];
    for (int k = 0; k < ALL; k++)
        for (int run = 0; run < 4; run++) {
            bench b = bench_of_images(1 + run, run == 3 ? "scalar" : NULL, 8, 1, all[k].model, all[k].settings);
            tg_step_info i;
            for (int n = 0; n < 6; n++) CHECK_OK(tg_loop_step(b.loop, &i));
            same_weights(&b, k, kept, run == 0);
            bench_free(&b);
        }
}

TEST(a_vae_learns_squares_and_its_metrics_add_up)
{
    bench b = bench_of_images(2, NULL, 20, 1, "vae", (const char *const[]){"hidden=64", "latent=4", NULL});
    tg_step_info i = {0};
    double first, nats, again;
    CHECK_INT(b.loop->metrics, 2);
    CHECK_OK(tg_loop_evaluate(b.loop, &first));
    for (int n = 0; n < 400; n++) CHECK_OK(tg_loop_step(b.loop, &i));
    CHECK(fabs(i.loss - (i.metrics[0] + i.metrics[1])) < 1e-4 * i.loss);
    CHECK_INT(i.tokens, 20);
    CHECK_OK(tg_loop_evaluate(b.loop, &nats));
    CHECK_OK(tg_loop_evaluate(b.loop, &again));
    CHECK(nats == again); /* the same noise */
    CHECK(fabs(nats - (b.loop->place.best_metric[0] + b.loop->place.best_metric[1])) < 1e-4 * nats);
    CHECK(nats < 0.7 * first);
    test_note("thousandths of a nat: %lld, then %lld", (long long)(first * 1000), (long long)(nats * 1000));
    bench_free(&b);
}

static void fill(const bench *b, const char *name, float value)
{
    tg_tensor *w = tg_params_find(tg_model_params(b->model), name);
    for (int64_t i = 0; i < tg_shape_count(&w->shape); i++) w->data[i] = value;
}

/* A decoder that does not look at z: log p(x) is known, whatever the encoder guesses. */
TEST(the_importance_weighted_bound_falls_to_minus_log_p)
{
    bench b = bench_of_images(2, NULL, 20, 1, "vae", (const char *const[]){"hidden=24", "latent=3", NULL});
    tg_bound bound[3];
    double elbo;
    const int64_t k[3] = {1, 20, 4000};
    fill(&b, "fc4.weight", 0);
    fill(&b, "fc21.bias", 0.7f);
    CHECK_OK(tg_loop_evaluate(b.loop, &elbo));
    for (int i = 0; i < 3; i++)
        CHECK_OK(tg_bound_of(b.ctx, b.data, b.model, &(tg_bound_options){.split = TG_VAL, .draws = k[i], .seed = 1}, &bound[i]));
    const double known = tg_likelihood_metric(b.loop->validation, 0);
    CHECK(fabs(bound[0].nats - elbo) < 0.5); /* other draws, of twenty images */
    CHECK(fabs(bound[0].nats + bound[0].elbo) < 1e-4 && fabs(bound[2].elbo + elbo) < 0.5);
    CHECK(bound[0].nats > bound[1].nats && bound[1].nats > known - 0.02);
    CHECK(fabs(bound[2].nats - known) < 0.01 && bound[2].items == VAL && bound[2].error > 0);
    test_note("thousandths of a nat over -log p(x): %lld, %lld, %lld; ELBO %lld", (long long)((bound[0].nats - known) * 1000),
              (long long)((bound[1].nats - known) * 1000), (long long)((bound[2].nats - known) * 1000), (long long)((elbo - known) * 1000));
    bench_free(&b);
}

/* More draws than one pass takes, on any number of threads. */
TEST(the_bound_has_the_same_bits_for_any_threads_and_instructions)
{
    const tg_bound_options o = {.split = TG_VAL, .draws = 1100, .seed = 3, .items = 4};
    tg_bound first, again;
    for (int run = 0; run < 3; run++) {
        bench b = bench_of_images(1 + run, run == 2 ? "scalar" : NULL, 8, 1, "vae", chance);
        CHECK_OK(tg_bound_of(b.ctx, b.data, b.model, &o, run ? &again : &first));
        if (run) CHECK(again.nats == first.nats && again.error == first.error && again.elbo == first.elbo);
        bench_free(&b);
    }
    CHECK(first.items == 4 && first.draws == 1100);
}

TEST(a_split_that_is_not_there_has_no_bound)
{
    tg_bound bound;
    bench b = bench_of_images(1, NULL, 8, 1, "vae", mlp);
    CHECK_ERROR(tg_bound_of(b.ctx, b.data, b.model, &(tg_bound_options){.split = TG_TEST, .draws = 2}, &bound), TG_EINVAL,
                "no test split; gen-preprocess --test");
    bench_free(&b);
}
