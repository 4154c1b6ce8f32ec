/* optim.c - optimisers against plain loops in double over twenty steps, over parameters of several chunks. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "support/example.h"
#include "support/naive.h"
#include "test.h"
#include "tinygen/nn.h"

enum { STEPS = 20 };

/* One matrix of three chunks (decays), one vector (does not), one that never gets a gradient. */
typedef struct bench { tg_context *ctx; tg_params *p; tg_tensor *w, *b, *idle; } bench;

static bench bench_new(int threads, const char *isa)
{
    bench x = {.ctx = example_context(threads, isa)};
    CHECK_OK(tg_params_new(x.ctx, &x.p));
    x.w = tg_param(x.p, "w", 2, (int64_t[]){100, 101}, TG_INIT_UNIFORM, 1, true, 0);
    x.b = tg_param(x.p, "b", 1, (int64_t[]){19}, TG_INIT_UNIFORM, 1, false, 0);
    x.idle = tg_param(x.p, "idle", 1, (int64_t[]){7}, TG_INIT_ONE, 1, true, 0);
    CHECK_OK(tg_params_seal(x.p, 1, true, false));
    return x;
}

static void bench_free(bench *x)
{
    tg_params_free(x->p);
    tg_context_free(x->ctx);
}

static int64_t count(const tg_tensor *x) { return tg_shape_count(&x->shape); }

typedef struct reference { double *w, *m, *v, *g; int64_t n; naive_optim o; } reference;

static reference reference_of(const tg_tensor *x, double lr, const tg_optim_config *c, bool decays)
{
    reference r = {.n = count(x)};
    double **all[] = {&r.w, &r.m, &r.v, &r.g};
    for (int i = 0; i < 4; i++) CHECK((*all[i] = tg_alloc_array(r.n, sizeof(double))) != NULL);
    for (int64_t i = 0; i < r.n; i++) r.w[i] = (double)x->data[i];
    r.o = (naive_optim){.lr = lr, .momentum = c->momentum, .beta1 = c->beta1, .beta2 = c->beta2, .epsilon = c->epsilon,
                        .decay = decays ? c->weight_decay : 0, .nesterov = c->nesterov,
                        .decoupled = c->kind == TG_ADAMW || c->kind == TG_MUON};
    return r;
}

static void reference_free(reference *r)
{
    tg_free(r->w);
    tg_free(r->m);
    tg_free(r->v);
    tg_free(r->g);
}

static void reference_step(reference *r, const tg_tensor *x, const tg_optim_config *c, double scale, int64_t step)
{
    for (int64_t i = 0; i < r->n; i++) r->g[i] = scale * (double)x->grad[i];
    switch (c->kind) {
    case TG_SGD: naive_sgd(r->w, r->g, c->momentum > 0 ? r->m : NULL, r->n, &r->o); break;
    case TG_RMSPROP: naive_rmsprop(r->w, r->g, r->v, r->n, &r->o); break;
    case TG_ADAM:
    case TG_MUON: /* none of these is a matrix between hidden units */
    case TG_ADAMW: naive_adam(r->w, r->g, r->m, r->v, r->n, &r->o, step); break;
    }
}

static void check_padding(const bench *x)
{
    for (int64_t i = 0; i + 1 < tg_params_count(x->p); i++) {
        int64_t end = tg_params_offset(x->p, i) + count(tg_params_at(x->p, i)), next = tg_params_offset(x->p, i + 1);
        for (int64_t at = end; at < next; at++)
            CHECK(tg_params_values(x->p)[at] == 0 && tg_params_grads(x->p)[at] == 0);
    }
}

static void check(double lr, const tg_optim_config *c)
{
    bench x = bench_new(2, NULL);
    tg_optim *o = NULL;
    const double scale = 0.25;
    CHECK_OK(tg_optim_new(x.ctx, x.p, c, &o));
    reference w = reference_of(x.w, lr, c, true), b = reference_of(x.b, lr, c, false);
    int64_t before = tg_alloc_count();
    for (int step = 1; step <= STEPS; step++) {
        set_gradient(x.w, (uint64_t)step);
        set_gradient(x.b, (uint64_t)(1000 + step));
        before = tg_alloc_count();
        tg_optim_step(o, lr, scale, step);
        CHECK_INT(tg_alloc_count() - before, 0);
        reference_step(&w, x.w, c, scale, step);
        reference_step(&b, x.b, c, scale, step);
    }
    CHECK_CLOSE(x.w->data, w.w, w.n, 3e-6);
    CHECK_CLOSE(x.b->data, b.w, b.n, 3e-6);
    for (int64_t i = 0; i < count(x.idle); i++) CHECK(x.idle->data[i] == 1);
    check_padding(&x);
    reference_free(&w);
    reference_free(&b);
    tg_optim_free(o);
    bench_free(&x);
}

static const tg_optim_config configs[] = {
    {.kind = TG_SGD, .weight_decay = 0.01},
    {.kind = TG_SGD, .momentum = 0.9, .weight_decay = 0.01},
    {.kind = TG_SGD, .momentum = 0.9, .nesterov = true},
    {.kind = TG_RMSPROP, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.01},
    {.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01},
    {.kind = TG_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1},
    {.kind = TG_MUON, .momentum = 0.95, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .weight_decay = 0.1, .hidden_rate = 9},
};
enum { CONFIGS = sizeof configs / sizeof *configs };

TEST(optimisers_are_those_of_plain_loops_over_twenty_steps)
{
    for (int i = 0; i < CONFIGS; i++) check(0.01, &configs[i]);
}

/* docs/numerics.md: |m| < 1e-30 and v < 1e-36 become 0. Without a gradient and with betas of 1/2, moments are halved. */
TEST(moments_that_have_decayed_to_nothing_become_zero)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    const float first[] = {2.01e-30f, 1.99e-30f, -2.01e-30f, -1.99e-30f}, second[] = {2.01e-36f, 1.99e-36f, 1, 0};
    for (int i = 0; i < 4; i++) {
        const tg_kernels *k = tg_kernels_named(isas[i]);
        float w[4] = {1, 1, 1, 1}, g[4] = {0}, m[4], v[4], speed[4], square[4];
        if (!k) continue;
        memcpy(m, first, sizeof m);
        memcpy(v, second, sizeof v);
        memcpy(speed, first, sizeof speed);
        memcpy(square, second, sizeof square);
        k->adam(w, g, m, v, 4, 1, 0.1f, 0.5f, 0.5f, 1e-8f, 1, 0, 1);
        k->sgd(w, g, speed, 4, 1, 0.1f, 0.5f, false, 0);
        k->rmsprop(w, g, square, 4, 1, 0.1f, 0.5f, 1e-8f, 0);
        for (int e = 0; e < 4; e++) {
            CHECK(m[e] == (e % 2 ? 0 : first[e] / 2) && speed[e] == m[e]);
            CHECK(v[e] == (e == 1 ? 0 : second[e] / 2) && square[e] == v[e]);
        }
    }
}

static uint64_t hash_after(const char *isa, int threads, const tg_optim_config *c)
{
    bench x = bench_new(threads, isa);
    tg_optim *o = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, c, &o));
    tg_xxh64 h;
    tg_xxh64_start(&h);
    for (int step = 1; step <= 5; step++) {
        set_gradient(x.w, (uint64_t)step);
        set_gradient(x.b, (uint64_t)(1000 + step));
        double norm = tg_grad_norm(x.ctx, x.p);
        tg_xxh64_add(&h, &norm, sizeof norm);
        tg_optim_step(o, 0.01, tg_clip_scale(norm, 1), step);
    }
    int64_t bytes = tg_params_size(x.p) * (int64_t)sizeof(float);
    tg_xxh64_add(&h, tg_params_values(x.p), bytes);
    for (int i = 0; i < tg_optim_slabs(o); i++) tg_xxh64_add(&h, tg_optim_slab(o, i), bytes);
    tg_optim_free(o);
    bench_free(&x);
    return tg_xxh64_end(&h);
}

TEST(optimisers_and_norms_give_the_same_bits_on_every_isa_and_for_any_number_of_threads)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    for (int c = 0; c < CONFIGS; c++) {
        uint64_t want = hash_after("scalar", 1, &configs[c]);
        for (int i = 0; i < 4; i++)
            for (int n = 1; n <= 3 && tg_kernels_named(isas[i]); n++)
                if (hash_after(isas[i], n, &configs[c]) != want)
                    test_failed(__FILE__, __LINE__, "optimiser %d on %s, %d threads: other bits", c, isas[i], n);
    }
}

/* A step of a resumed run is that of the unbroken one: nothing but the slabs and the step's number matters. */
TEST(an_optimiser_goes_on_from_its_slabs)
{
    const tg_optim_config *c = &configs[4];
    bench x = bench_new(1, NULL);
    tg_optim *first = NULL, *second = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, c, &first));
    CHECK_OK(tg_optim_new(x.ctx, x.p, c, &second));
    int64_t size = tg_params_size(x.p), bytes = size * (int64_t)sizeof(float);
    set_gradient(x.w, 1);
    for (int64_t step = 1; step < 1000; step++) tg_optim_step(first, 0.01, 1, step);
    float *values = tg_alloc_array(size, sizeof *values), *after = tg_alloc_array(size, sizeof *after);
    memcpy(values, tg_params_values(x.p), (size_t)bytes);
    CHECK_INT(tg_optim_slabs(first), 2);
    CHECK_TEXT(tg_optim_slab_name(first, 0), "m");
    CHECK_TEXT(tg_optim_slab_name(first, 1), "v");
    for (int i = 0; i < 2; i++) memcpy(tg_optim_slab(second, i), tg_optim_slab(first, i), (size_t)bytes);
    tg_optim_step(first, 0.01, 1, 1000);
    memcpy(after, tg_params_values(x.p), (size_t)bytes);
    memcpy(tg_params_values(x.p), values, (size_t)bytes);
    tg_optim_step(second, 0.01, 1, 1000);
    CHECK_BYTES(tg_params_values(x.p), after, bytes);
    tg_free(values);
    tg_free(after);
    tg_optim_free(first);
    tg_optim_free(second);
    bench_free(&x);
}

TEST(settings_that_make_no_sense_are_refused)
{
    bench x = bench_new(1, NULL);
    tg_optim *o = NULL;
    const struct { tg_optim_config config; const char *message; } bad[] = {
        {{.kind = (tg_optim_kind)9}, "no optimiser"},          {{.kind = TG_ADAM, .beta1 = 1}, "below 1"},
        {{.kind = TG_ADAM, .beta2 = (double)NAN}, "below 1"}, {{.kind = TG_ADAM, .epsilon = -1}, "negative"},
        {{.kind = TG_SGD, .nesterov = true}, "Nesterov"},    {{.kind = TG_MUON, .nesterov = true, .hidden_rate = 1}, "Nesterov"},
        {{.kind = TG_MUON}, "hidden_rate"},                   {{.kind = TG_MUON, .hidden_rate = (double)INFINITY}, "hidden_rate"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_ERROR(tg_optim_new(x.ctx, x.p, &bad[i].config, &o), TG_EINVAL, bad[i].message);
    CHECK(o == NULL);
    CHECK_OK(tg_optim_new(x.ctx, x.p, &(tg_optim_config){.kind = TG_SGD}, &o));
    CHECK_INT(tg_optim_slabs(o), 0);
    tg_optim_free(o);
    bench_free(&x);
}

TEST(the_norm_counts_gradients_that_are_there_and_names_the_first_bad_one)
{
    bench x = bench_new(2, NULL);
    double sum = 0;
    CHECK(tg_grad_norm(x.ctx, x.p) == 0);
    set_gradient(x.w, 1);
    set_gradient(x.b, 2);
    for (int64_t i = 0; i < count(x.w); i++) sum += (double)x.w->grad[i] * (double)x.w->grad[i];
    for (int64_t i = 0; i < count(x.b); i++) sum += (double)x.b->grad[i] * (double)x.b->grad[i];
    CHECK(fabs(tg_grad_norm(x.ctx, x.p) / sqrt(sum) - 1) < 1e-6);
    CHECK(tg_grad_bad(x.p) == NULL);
    x.idle->grad[0] = NAN; /* has_grad is false: it is not there */
    CHECK(isfinite(tg_grad_norm(x.ctx, x.p)) && tg_grad_bad(x.p) == NULL);
    x.b->grad[18] = NAN;
    CHECK(!isfinite(tg_grad_norm(x.ctx, x.p)));
    CHECK_TEXT(tg_grad_bad(x.p), "b");
    x.w->grad[10099] = -INFINITY;
    CHECK_TEXT(tg_grad_bad(x.p), "w");
    tg_params_clear_grads(x.p);
    CHECK(tg_grad_norm(x.ctx, x.p) == 0 && tg_grad_bad(x.p) == NULL);
    bench_free(&x);
}

TEST(clipping_scales_down_only)
{
    CHECK(tg_clip_scale(0.5, 1) == 1);
    CHECK(tg_clip_scale(0, 1) == 1);
    CHECK(fabs(tg_clip_scale(10, 5) - 0.5) < 1e-6);
    CHECK(tg_clip_scale(10, 0) == 1); /* no limit */
}
