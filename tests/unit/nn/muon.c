/* muon.c - Muon against its formula in double, for matrices of every shape; its bits, its memory, its slabs. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "support/example.h"
#include "support/isas.h"
#include "support/naive.h"
#include "test.h"
#include "tinygen/nn.h"

enum { STEPS = 4, MATRICES = 6, MOST_PARTS = 3 };

/* Three on top of each other, of which two are wide and one is tall; tall; square and of several chunks; a row; a column;
 * one that never gets a gradient. Eight in all: two threads take each its own, three and more share the products of one. */
static const struct { const char *name; int64_t rows, cols; int parts; int64_t part_rows[MOST_PARTS]; } shapes[MATRICES] = {
    {"qkv", 75, 37, 3, {50, 5, 20}}, {"tall", 150, 19, 1, {150}}, {"square", 96, 96, 1, {96}},
    {"row", 1, 40, 1, {1}},          {"column", 40, 1, 1, {40}},  {"idle", 4, 4, 1, {4}},
};

typedef struct bench { tg_context *ctx; tg_params *p; tg_tensor *w[MATRICES], *table, *b; } bench;

static bench bench_new(int threads, const char *isa, bool plan)
{
    bench x = {.ctx = example_context(threads, isa)};
    CHECK_OK(tg_params_new(x.ctx, &x.p));
    x.table = tg_param(x.p, "table", 2, (int64_t[]){9, 13}, TG_INIT_UNIFORM, 1, true, 0);
    for (int i = 0; i < MATRICES; i++) {
        x.w[i] = tg_param(x.p, shapes[i].name, 2, (int64_t[]){shapes[i].rows, shapes[i].cols}, TG_INIT_UNIFORM, 1, i != 1, 0);
        CHECK_OK(tg_param_matrices(x.p, x.w[i], shapes[i].parts, shapes[i].part_rows));
    }
    x.b = tg_param(x.p, "b", 1, (int64_t[]){19}, TG_INIT_UNIFORM, 1, false, 0);
    CHECK_OK(tg_params_seal(x.p, 1, true, plan));
    return x;
}

static void bench_free(bench *x)
{
    tg_params_free(x->p);
    tg_context_free(x->ctx);
}

static int64_t count(const tg_tensor *x) { return tg_shape_count(&x->shape); }

static void set_gradients(const bench *x, int step)
{
    for (int i = 0; i < MATRICES - 1; i++) set_gradient(x->w[i], (uint64_t)(100 * i + step));
    set_gradient(x->table, (uint64_t)(1000 + step));
    set_gradient(x->b, (uint64_t)(2000 + step));
}

/* ---- against the formula ------------------------------------------------------------------------------------------- */

typedef struct reference { double *w, *m, *v, *g; int64_t n; } reference;

static reference reference_of(const tg_tensor *x)
{
    reference r = {.n = count(x)};
    double **all[] = {&r.w, &r.m, &r.v, &r.g};
    for (int i = 0; i < 4; i++) CHECK((*all[i] = tg_alloc_array(r.n, sizeof(double))) != NULL);
    for (int64_t i = 0; i < r.n; i++) r.w[i] = (double)x->data[i];
    return r;
}

static void reference_free(reference *r)
{
    tg_free(r->w);
    tg_free(r->m);
    tg_free(r->v);
    tg_free(r->g);
}

/* Matrix i of the shapes; another number: a parameter that is none. */
static void reference_step(reference *r, const tg_tensor *x, int i, const tg_optim_config *c, double lr, double scale, int step)
{
    naive_optim o = {.lr = lr, .momentum = c->momentum, .beta1 = c->beta1, .beta2 = c->beta2, .epsilon = c->epsilon,
                     .decay = x->shape.rank > 1 && i != 1 ? c->weight_decay : 0, .nesterov = c->nesterov, .decoupled = true};
    for (int64_t k = 0; k < r->n; k++) r->g[k] = scale * (double)x->grad[k];
    if (i >= MATRICES) {
        naive_adam(r->w, r->g, r->m, r->v, r->n, &o, step);
        return;
    }
    o.lr = lr * c->hidden_rate;
    for (int64_t k = 0, at = 0; k < shapes[i].parts; at += shapes[i].part_rows[k++] * shapes[i].cols)
        naive_muon(r->w + at, r->g + at, r->m + at, shapes[i].part_rows[k], shapes[i].cols, &o);
}

static void check(const tg_optim_config *c)
{
    bench x = bench_new(2, NULL, false);
    tg_tensor *all[] = {x.w[0], x.w[1], x.w[2], x.w[3], x.w[4], x.table, x.b};
    enum { ALL = sizeof all / sizeof *all };
    tg_optim *o = NULL;
    reference r[ALL];
    float idle[16];
    CHECK_OK(tg_optim_new(x.ctx, x.p, c, &o));
    for (int i = 0; i < ALL; i++) r[i] = reference_of(all[i]);
    memcpy(idle, x.w[MATRICES - 1]->data, sizeof idle);
    for (int step = 1; step <= STEPS; step++) {
        set_gradients(&x, step);
        const int64_t before = tg_alloc_count();
        tg_optim_step(o, 0.01, 0.25, step);
        CHECK_INT(tg_alloc_count() - before, 0);
        for (int i = 0; i < ALL; i++) reference_step(&r[i], all[i], i < MATRICES - 1 ? i : MATRICES, c, 0.01, 0.25, step);
    }
    for (int i = 0; i < ALL; i++) {
        CHECK_CLOSE(all[i]->data, r[i].w, r[i].n, 2e-5);
        reference_free(&r[i]);
    }
    CHECK_BYTES(x.w[MATRICES - 1]->data, idle, (int64_t)sizeof idle);
    tg_optim_free(o);
    bench_free(&x);
}

static const tg_optim_config usual = {.kind = TG_MUON, .momentum = 0.95, .nesterov = true, .beta1 = 0.9, .beta2 = 0.95,
                                      .epsilon = 1e-8, .weight_decay = 0.1, .hidden_rate = 3};

TEST(muon_is_its_formula_in_double_over_four_steps)
{
    tg_optim_config plain = usual, still = usual;
    plain.nesterov = still.nesterov = false;
    still.momentum = 0;
    check(&usual);
    check(&plain);
    check(&still);
}

/* What the factors are for: singular values near 1, so that the root mean square of an update is about a fifth of the rate,
 * whatever the gradient's size. */
TEST(updates_of_muon_are_as_large_as_adamw_s_whatever_the_gradient)
{
    for (int tiny = 0; tiny < 2; tiny++) {
        bench x = bench_new(1, NULL, false);
        tg_optim *o = NULL;
        tg_optim_config c = usual;
        c.weight_decay = 0;
        CHECK_OK(tg_optim_new(x.ctx, x.p, &c, &o));
        set_gradients(&x, 1);
        memset(x.w[2]->data, 0, (size_t)count(x.w[2]) * sizeof(float));
        tg_optim_step(o, 0.01, tiny ? 1e-5 : 1e3, 1);
        double square = 0;
        for (int64_t i = 0; i < count(x.w[2]); i++) square += (double)x.w[2]->data[i] * (double)x.w[2]->data[i];
        const double rms = sqrt(square / (double)count(x.w[2])) / (0.2 * 0.01 * c.hidden_rate);
        if (!(rms > 0.7 && rms < 1.2)) test_failed(__FILE__, __LINE__, "%g of what it ought to be", rms);
        tg_optim_free(o);
        bench_free(&x);
    }
}

TEST(a_matrix_whose_gradient_is_zero_stays_as_it_is)
{
    bench x = bench_new(1, NULL, false);
    tg_optim *o = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, &usual, &o));
    float before = x.w[1]->data[7]; /* of the one that does not decay */
    memset(x.w[1]->grad, 0, (size_t)count(x.w[1]) * sizeof(float));
    x.w[1]->has_grad = true;
    tg_optim_step(o, 0.01, 1, 1);
    CHECK(x.w[1]->data[7] == before);
    tg_optim_free(o);
    bench_free(&x);
}

/* ---- bits, slabs, memory ------------------------------------------------------------------------------------------- */

static uint64_t hash_after(const char *isa, int threads)
{
    bench x = bench_new(threads, isa, false);
    tg_optim *o = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, &usual, &o));
    for (int step = 1; step <= 3; step++) {
        set_gradients(&x, step);
        tg_optim_step(o, 0.01, 1, step);
    }
    const int64_t bytes = tg_params_size(x.p) * (int64_t)sizeof(float);
    tg_xxh64 h;
    tg_xxh64_start(&h);
    tg_xxh64_add(&h, tg_params_values(x.p), bytes);
    for (int i = 0; i < tg_optim_slabs(o); i++) tg_xxh64_add(&h, tg_optim_slab(o, i), bytes);
    tg_optim_free(o);
    bench_free(&x);
    return tg_xxh64_end(&h);
}

TEST(muon_gives_the_same_bits_on_every_isa_and_for_any_number_of_threads)
{
    same_on_every_isa(hash_after);
}

TEST(muon_goes_on_from_its_slabs)
{
    bench x = bench_new(2, NULL, false), y = bench_new(1, NULL, false);
    tg_optim *first = NULL, *second = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, &usual, &first));
    CHECK_OK(tg_optim_new(y.ctx, y.p, &usual, &second));
    const int64_t bytes = tg_params_size(x.p) * (int64_t)sizeof(float);
    for (int step = 1; step <= 3; step++) {
        set_gradients(&x, step);
        tg_optim_step(first, 0.01, 1, step);
    }
    CHECK_INT(tg_optim_slabs(first), 2);
    CHECK_TEXT(tg_optim_slab_name(first, 0), "m");
    CHECK_TEXT(tg_optim_slab_name(first, 1), "v");
    memcpy(tg_params_values(y.p), tg_params_values(x.p), (size_t)bytes);
    for (int i = 0; i < 2; i++) memcpy(tg_optim_slab(second, i), tg_optim_slab(first, i), (size_t)bytes);
    set_gradients(&x, 4);
    set_gradients(&y, 4);
    tg_optim_step(first, 0.01, 1, 4);
    tg_optim_step(second, 0.01, 1, 4);
    CHECK_BYTES(tg_params_values(x.p), tg_params_values(y.p), bytes);
    tg_optim_free(first);
    tg_optim_free(second);
    bench_free(&x);
    bench_free(&y);
}

TEST(a_plan_of_muon_says_what_it_would_hold_and_compute)
{
    bench x = bench_new(1, NULL, false), plan = bench_new(1, NULL, true);
    tg_optim *o = NULL, *paper = NULL, *other = NULL;
    CHECK_OK(tg_optim_new(x.ctx, x.p, &usual, &o));
    CHECK_OK(tg_optim_new(plan.ctx, plan.p, &usual, &paper));
    CHECK_OK(tg_optim_new(x.ctx, x.p, &(tg_optim_config){.kind = TG_ADAMW}, &other));
    const int64_t slabs = 2 * tg_params_size(x.p) * (int64_t)sizeof(float);
    CHECK(tg_optim_slab(paper, 0) == NULL);
    CHECK_INT(tg_optim_bytes(other), slabs);
    CHECK_INT(tg_optim_bytes(paper), tg_optim_bytes(o));
    CHECK(tg_optim_bytes(o) >= slabs + 4 * 96 * 96 * (int64_t)sizeof(float)); /* two of the largest, two of its square */
    CHECK(tg_optim_flops(other) == 0 && tg_optim_flops(paper) == tg_optim_flops(o));
    CHECK(tg_optim_flops(o) > 5 * 2 * 3 * pow(96, 3));
    tg_optim_free(o);
    tg_optim_free(paper);
    tg_optim_free(other);
    bench_free(&x);
    bench_free(&plan);
}

TEST(muon_without_memory_says_so_and_keeps_nothing)
{
    bench x = bench_new(1, NULL, false);
    tg_optim *o = NULL;
    const int64_t live = tg_alloc_live();
    for (int64_t n = 1; n <= 6; n++) { /* itself, two slabs, muon, its list, its scratch */
        tg_alloc_fail_at(n, false);
        CHECK_INT(tg_optim_new(x.ctx, x.p, &usual, &o), TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), live);
    }
    tg_alloc_fail_at(0, false);
    CHECK_OK(tg_optim_new(x.ctx, x.p, &usual, &o));
    tg_optim_free(o);
    bench_free(&x);
}

TEST(matrices_must_be_all_of_a_parameter_with_two_axes)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 2, (int64_t[]){6, 5}, TG_INIT_ONE, 1, true, 0);
    tg_tensor *b = tg_param(p, "b", 1, (int64_t[]){6}, TG_INIT_ONE, 1, true, 0);
    CHECK_ERROR(tg_param_matrices(p, b, 1, (int64_t[]){6}), TG_EINVAL, "parameter b");
    CHECK_ERROR(tg_param_matrices(p, w, 0, NULL), TG_EINVAL, "0 matrices");
    CHECK_ERROR(tg_param_matrices(p, w, 2, (int64_t[]){3, 2}), TG_EINVAL, "parameter w");
    CHECK_ERROR(tg_param_matrices(p, w, 2, (int64_t[]){7, -1}), TG_EINVAL, "parameter w");
    CHECK_ERROR(tg_param_matrices(p, w, 2, (int64_t[]){INT64_MAX, 6}), TG_EINVAL, "parameter w");
    CHECK_OK(tg_param_matrices(p, w, 2, (int64_t[]){4, 2}));
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK_ERROR(tg_param_matrices(p, w, 2, (int64_t[]){4, 2}), TG_EINVAL, "sealed");
    tg_params_free(p);
    tg_context_free(ctx);
}
