/* lora.c - adapters against their formulas in double and against finite differences; their bits, names, plans; frozen
 * parameters. */
#include "nn/lora.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "support/example.h"
#include "support/isas.h"
#include "test.h"

enum { RANK = 3, MATRICES = 3 };
static const double ALPHA = 5;
/* Three on top of each other; tall; wide. */
static const struct { const char *name; int64_t rows, cols; int parts; int64_t part_rows[3]; } shapes[MATRICES] = {
    {"qkv.weight", 75, 37, 3, {50, 5, 20}}, {"tall.weight", 150, 19, 1, {150}}, {"wide.weight", 6, 90, 1, {6}},
};

typedef struct bench { tg_context *ctx; tg_params *p; tg_tensor *w[MATRICES], *table, *bias; tg_lora *l; } bench;

/* The table is parameter 0, the matrices follow. */
static bench bench_new(int threads, const char *isa, bool vocabulary, bool plan)
{
    bench x = {.ctx = example_context(threads, isa)};
    CHECK_OK(tg_params_new(x.ctx, &x.p));
    x.table = tg_param(x.p, "table", 2, (int64_t[]){9, 13}, TG_INIT_UNIFORM, 1, true, 0);
    CHECK_OK(tg_param_rows(x.p, x.table, TG_ROWS_OF_TOKENS, 0));
    for (int i = 0; i < MATRICES; i++) {
        x.w[i] = tg_param(x.p, shapes[i].name, 2, (int64_t[]){shapes[i].rows, shapes[i].cols}, TG_INIT_UNIFORM, 0.1, true, 0);
        CHECK_OK(tg_param_matrices(x.p, x.w[i], shapes[i].parts, shapes[i].part_rows));
    }
    x.bias = tg_param(x.p, "bias", 1, (int64_t[]){19}, TG_INIT_UNIFORM, 1, false, 0);
    CHECK_OK(tg_params_seal(x.p, 1, true, plan));
    CHECK_OK(tg_lora_new(x.ctx, x.p, &(tg_lora_options){RANK, ALPHA, vocabulary, 1}, &x.l));
    return x;
}

static void bench_free(bench *x)
{
    tg_lora_free(x->l);
    tg_params_free(x->p);
    tg_context_free(x->ctx);
}

static tg_tensor *part(const bench *x, int i, const char *which)
{
    char name[64];
    snprintf(name, sizeof name, "%s.lora_%s", shapes[i].name, which);
    tg_tensor *t = tg_params_find(tg_lora_params(x->l), name);
    CHECK(t != NULL);
    return t;
}

/* B is 0 at first; from here on it is not. */
static void move_b(bench *x)
{
    for (int i = 0; i < MATRICES; i++) {
        tg_tensor *b = part(x, i, "B");
        float *values = random_values(77 + (uint64_t)i, tg_shape_count(&b->shape), -1, 1);
        memcpy(b->data, values, (size_t)tg_shape_count(&b->shape) * sizeof *values);
        tg_free(values);
    }
    tg_lora_merge(x->l);
}

TEST(an_adapter_that_has_not_learned_changes_no_bit)
{
    bench x = bench_new(2, NULL, true, false);
    const int64_t bytes = tg_params_size(x.p) * (int64_t)sizeof(float);
    float *before = tg_alloc(bytes);
    memcpy(before, tg_params_values(x.p), (size_t)bytes);
    tg_lora_merge(x.l);
    CHECK_BYTES(tg_params_values(x.p), before, bytes);
    tg_free(before);
    bench_free(&x);
}

TEST(a_starts_uniform_in_one_over_the_root_of_its_columns_and_b_at_0)
{
    bench x = bench_new(1, NULL, false, false);
    for (int i = 0; i < MATRICES; i++) {
        const tg_tensor *a = part(&x, i, "A"), *b = part(&x, i, "B");
        const float bound = 1 / sqrtf((float)shapes[i].cols);
        float least = 0, most = 0;
        for (int64_t k = 0; k < tg_shape_count(&a->shape); k++) {
            least = a->data[k] < least ? a->data[k] : least;
            most = a->data[k] > most ? a->data[k] : most;
        }
        CHECK(least >= -bound && least < -0.8f * bound && most <= bound && most > 0.8f * bound);
        for (int64_t k = 0; k < tg_shape_count(&b->shape); k++) CHECK(b->data[k] == 0);
    }
    /* of the same seed, but not the numbers that the first parameter started from */
    CHECK(fabsf(part(&x, 0, "A")->data[0] * sqrtf(37) - x.table->data[0]) > 1e-3f);
    bench_free(&x);
}

TEST(a_merged_matrix_is_its_base_and_the_scaled_product)
{
    bench x = bench_new(2, NULL, false, false);
    for (int turn = 0; turn < 2; turn++) { /* a second merge starts from the base again */
        move_b(&x);
        for (int i = 0; i < MATRICES; i++) {
            const tg_tensor *a = part(&x, i, "A"), *b = part(&x, i, "B");
            const float *base = tg_lora_base(x.l, 1 + i);
            const int64_t r = shapes[i].rows, c = shapes[i].cols;
            for (int64_t e = 0; e < r * c; e++) {
                double want = (double)base[e];
                for (int k = 0; k < RANK; k++)
                    want += ALPHA / RANK * (double)b->data[e / c * RANK + k] * (double)a->data[k * c + e % c];
                if (fabs((double)x.w[i]->data[e] - want) > 1e-6)
                    test_failed(__FILE__, __LINE__, "%s element %lld", shapes[i].name, (long long)e);
            }
        }
    }
    bench_free(&x);
}

/* f = sum of g·W²/2, so that dW = g·W; quadratic in each number of A and B, so a central difference is exact. */
static double objective(bench *x, float *const g[MATRICES])
{
    double f = 0;
    tg_lora_merge(x->l);
    for (int i = 0; i < MATRICES; i++)
        for (int64_t e = 0; e < tg_shape_count(&x->w[i]->shape); e++)
            f += (double)g[i][e] * (double)x->w[i]->data[e] * (double)x->w[i]->data[e] / 2;
    return f;
}

static double difference(bench *x, float *const g[MATRICES], float *at)
{
    const float h = 1.0f / 8, was = *at;
    *at = was + h;
    const double up = objective(x, g);
    *at = was - h;
    const double down = objective(x, g);
    *at = was;
    return (up - down) / (2 * (double)h);
}

TEST(an_adapters_gradients_are_those_of_finite_differences)
{
    bench x = bench_new(2, NULL, false, false);
    float *g[MATRICES];
    move_b(&x);
    for (int i = 0; i < MATRICES; i++) {
        const int64_t n = tg_shape_count(&x.w[i]->shape);
        g[i] = random_values(500 + (uint64_t)i, n, -1, 1);
        for (int64_t e = 0; e < n; e++) x.w[i]->grad[e] = g[i][e] * x.w[i]->data[e];
        x.w[i]->has_grad = true;
    }
    tg_lora_gradients(x.l);
    for (int i = 0; i < MATRICES; i++)
        for (int which = 0; which < 2; which++) {
            tg_tensor *t = part(&x, i, which ? "B" : "A");
            CHECK(t->has_grad);
            for (int64_t e = 0; e < tg_shape_count(&t->shape); e += 7) {
                const double want = difference(&x, g, t->data + e), got = (double)t->grad[e];
                if (fabs(got - want) > 2e-4 * (1 + fabs(want)))
                    test_failed(__FILE__, __LINE__, "%s element %lld: %g, not %g", t->name, (long long)e, got, want);
            }
        }
    for (int i = 0; i < MATRICES; i++) tg_free(g[i]);
    bench_free(&x);
}

static uint64_t hash_after(const char *isa, int threads)
{
    bench x = bench_new(threads, isa, true, false);
    tg_optim *o = NULL;
    tg_params *own = tg_lora_params(x.l);
    CHECK_OK(tg_optim_new(x.ctx, own, &(tg_optim_config){.kind = TG_ADAMW, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8}, &o));
    for (int step = 1; step <= 3; step++) {
        for (int i = 0; i < MATRICES; i++) set_gradient(x.w[i], (uint64_t)(100 * i + step));
        set_gradient(x.table, (uint64_t)(1000 + step));
        tg_lora_gradients(x.l);
        tg_optim_step(o, 0.01, tg_clip_scale(tg_grad_norm(x.ctx, own), 1), step);
        tg_lora_merge(x.l);
    }
    tg_xxh64 h;
    tg_xxh64_start(&h);
    tg_xxh64_add(&h, tg_params_values(x.p), tg_params_size(x.p) * (int64_t)sizeof(float));
    tg_xxh64_add(&h, tg_params_values(own), tg_params_size(own) * (int64_t)sizeof(float));
    tg_optim_free(o);
    bench_free(&x);
    return tg_xxh64_end(&h);
}

TEST(adapters_give_the_same_bits_on_every_isa_and_for_any_number_of_threads)
{
    same_on_every_isa(hash_after);
}

TEST(an_adapter_has_a_gradient_where_its_matrix_has_and_what_is_whole_has_its_own)
{
    bench x = bench_new(1, NULL, true, false);
    x.w[1]->has_grad = true;
    tg_lora_gradients(x.l);
    CHECK(part(&x, 1, "A")->has_grad && part(&x, 1, "B")->has_grad);
    CHECK(!part(&x, 0, "A")->has_grad && !part(&x, 0, "B")->has_grad && !tg_params_find(tg_lora_params(x.l), "table")->has_grad);
    x.w[1]->has_grad = false;
    set_gradient(x.table, 5);
    tg_lora_gradients(x.l);
    const tg_tensor *whole = tg_params_find(tg_lora_params(x.l), "table");
    CHECK(!part(&x, 1, "A")->has_grad && !part(&x, 1, "B")->has_grad && whole->has_grad);
    CHECK_BYTES(whole->grad, x.table->grad, 9 * 13 * (int64_t)sizeof(float));
    bench_free(&x);
}

TEST(beside_adapters_only_a_vocabularys_rows_are_trained)
{
    bench plain = bench_new(1, NULL, false, false), whole = bench_new(1, NULL, true, false), plan = bench_new(1, NULL, true, true);
    const int64_t adapters = RANK * (75 + 37 + 150 + 19 + 6 + 90);
    CHECK_INT(tg_params_trained(tg_lora_params(plain.l)), adapters);
    CHECK_INT(tg_params_trained(tg_lora_params(whole.l)), adapters + 9 * 13);
    CHECK_INT(tg_params_trained(tg_lora_params(plan.l)), adapters + 9 * 13);
    CHECK_INT(tg_lora_bytes(plan.l), tg_lora_bytes(whole.l));
    CHECK(tg_lora_bytes(plan.l) >= (75 * 37 + 150 * 19 + 6 * 90) * (int64_t)sizeof(float));
    CHECK(!plain.table->wants_grad && whole.table->wants_grad && !whole.bias->wants_grad && whole.w[0]->wants_grad);
    CHECK(tg_params_find(tg_lora_params(whole.l), "table")->data[5] == whole.table->data[5]);
    CHECK(tg_params_find(tg_lora_params(plain.l), "table") == NULL);
    bench_free(&plain);
    bench_free(&whole);
    bench_free(&plan);
}

TEST(frozen_rows_of_a_vocabulary_are_held_and_not_trained)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p;
    tg_lora *l;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *table = tg_param(p, "table", 2, (int64_t[]){9, 13}, TG_INIT_UNIFORM, 1, true, 0);
    tg_tensor *w = tg_param(p, "w", 2, (int64_t[]){8, 5}, TG_INIT_UNIFORM, 1, true, 0);
    CHECK_OK(tg_param_rows(p, table, TG_ROWS_OF_TOKENS, 0));
    CHECK_OK(tg_param_matrices(p, w, 1, (int64_t[]){8}));
    CHECK_OK(tg_params_seal(p, 1, true, false));
    tg_params_freeze(p, 0);
    CHECK_OK(tg_lora_new(ctx, p, &(tg_lora_options){2, 2, true, 1}, &l));
    const tg_params *own = tg_lora_params(l);
    const tg_tensor *held = tg_params_find(own, "table");
    CHECK(held != NULL && !held->wants_grad && tg_params_find(own, "w.lora_A")->wants_grad);
    CHECK_BYTES(held->data, table->data, 9 * 13 * (int64_t)sizeof(float));
    CHECK_INT(tg_params_trained(own), 2 * (8 + 5));
    tg_lora_free(l);
    tg_params_free(p);
    tg_context_free(ctx);
}

TEST(an_adapter_must_have_something_to_adapt_and_a_lower_rank)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p;
    tg_lora *l = NULL;
    const int64_t live = tg_alloc_live();
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 2, (int64_t[]){8, 5}, TG_INIT_UNIFORM, 1, true, 0);
    CHECK_OK(tg_param_matrices(p, w, 1, (int64_t[]){8}));
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK_ERROR(tg_lora_new(ctx, p, &(tg_lora_options){5, 5, false, 1}, &l), TG_EUSAGE, "--lora-rank 5: w is a matrix of [8, 5]");
    tg_params_freeze(p, 0);
    CHECK_ERROR(tg_lora_new(ctx, p, &(tg_lora_options){2, 2, false, 1}, &l), TG_EUSAGE, "no matrix between hidden units");
    tg_params_free(p);
    CHECK_INT(tg_alloc_live(), live);
    tg_context_free(ctx);
}

TEST(a_frozen_parameter_is_counted_apart_and_asks_for_no_gradient)
{
    bench x = bench_new(1, NULL, true, false);
    tg_params *own = tg_lora_params(x.l);
    const int64_t before = tg_params_trained(own), all = tg_params_elements(own);
    tg_params_freeze(own, 0);
    CHECK(tg_params_frozen(own, 0) && !tg_params_frozen(own, 1) && !tg_params_at(own, 0)->wants_grad);
    CHECK_INT(tg_params_trained(own), before - tg_shape_count(&tg_params_at(own, 0)->shape));
    CHECK_INT(tg_params_elements(own), all);
    bench_free(&x);
}
