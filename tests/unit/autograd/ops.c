/* ops.c - every op against plain loops in double at sizes beyond one tile or chunk, and the same bits for any
 * instruction set and number of threads. */
#include "autograd/tape.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/rng.h"
#include "support/example.h"
#include "support/isas.h"
#include "support/naive.h"
#include "support/net.h"
#include "test.h"

/* ---- a tape with an arena beside it, and leaves in the arena ---------------------------------------------------- */

typedef struct bench { tg_context *ctx; tg_tape *tape; tg_arena *arena; uint64_t stream; } bench;

static bench bench_new(void)
{
    bench b = {.ctx = example_context(2, NULL), .arena = tg_arena_new(1 << 20)};
    CHECK(b.arena != NULL);
    CHECK_OK(tg_tape_new(b.ctx, &b.tape));
    tg_tape_begin(b.tape, &(tg_tape_mode){.train = true, .seed = 3, .step = 4});
    return b;
}

static void bench_free(bench *b)
{
    tg_tape_free(b->tape);
    tg_arena_free(b->arena);
    tg_context_free(b->ctx);
}

static void *take(bench *b, int64_t bytes)
{
    void *x = tg_arena_zeros(b->arena, bytes);
    CHECK(x != NULL);
    return x;
}

static tg_tensor *leaf(bench *b, int rank, const int64_t *dims, double low, double high)
{
    tg_tensor *x = take(b, sizeof *x);
    *x = (tg_tensor){.shape = tg_shape_of(rank, dims), .wants_grad = true, .group = -1};
    int64_t n = tg_shape_count(&x->shape);
    x->data = take(b, n * (int64_t)sizeof(float));
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, b->stream++);
    for (int64_t i = 0; i < n; i++) x->data[i] = (float)(low + (high - low) * (double)tg_rng_unit(&r));
    return x;
}

static tg_tensor *leaf_ids(bench *b, int rank, const int64_t *dims, int64_t low, int64_t high)
{
    tg_tensor *x = take(b, sizeof *x);
    *x = (tg_tensor){.shape = tg_shape_of(rank, dims), .dtype = TG_I32, .group = -1};
    int64_t n = tg_shape_count(&x->shape);
    x->ids = take(b, n * (int64_t)sizeof(int32_t));
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, b->stream++);
    for (int64_t i = 0; i < n; i++) x->ids[i] = (int32_t)(low + tg_rng_below(&r, high - low));
    return x;
}

static double *doubles(bench *b, int64_t n) { return take(b, n * (int64_t)sizeof(double)); }

static double *wide(bench *b, const float *x, int64_t n)
{
    double *y = doubles(b, n);
    for (int64_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

static double *wide_of(bench *b, const tg_tensor *x) { return x ? wide(b, x->data, tg_shape_count(&x->shape)) : NULL; }

/* Goes back from sum(dot·y) and gives dot, the gradient of y. */
static double *go_back(bench *b, tg_tensor *y)
{
    int64_t n = tg_shape_count(&y->shape);
    tg_tensor *dot = leaf(b, 2, (int64_t[]){1, n}, -1, 1);
    dot->wants_grad = false;
    tg_tensor *row = tg_reshape(b->tape, y, 2, dot->shape.dims);
    CHECK_OK(tg_tape_backward(b->tape, tg_linear(b->tape, row, dot, NULL, TG_LINEAR)));
    return wide(b, dot->data, n);
}

/* ---- ops -------------------------------------------------------------------------------------------------------- */

static void check_linear(int64_t N, int64_t I, int64_t O, tg_activation act, bool bias)
{
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){N, I}, -1, 1), *w = leaf(&b, 2, (int64_t[]){O, I}, -0.1, 0.1);
    tg_tensor *c = bias ? leaf(&b, 1, &O, -1, 1) : NULL, *y = tg_linear(b.tape, x, w, c, act);
    double *wx = wide_of(&b, x), *ww = wide_of(&b, w), *want = doubles(&b, N * O), *d = go_back(&b, y);
    double *dx = doubles(&b, N * I), *dw = doubles(&b, O * I), *db = doubles(&b, O);
    naive_gemm(want, &(naive_product){N, O, I, wx, I, 1, ww, 1, I, NULL, wide_of(&b, c), (int)act});
    CHECK_CLOSE(y->data, want, N * O, 2e-6);
    for (int64_t i = 0; i < N * O; i++) {
        d[i] *= naive_act_slope(want[i], (int)act);
        db[i % O] += d[i];
    }
    naive_gemm(dx, &(naive_product){N, I, O, d, O, 1, ww, I, 1, NULL, NULL, 0});
    naive_gemm(dw, &(naive_product){O, I, N, d, 1, O, wx, I, 1, NULL, NULL, 0});
    CHECK_CLOSE(x->grad, dx, N * I, 3e-6);
    CHECK_CLOSE(w->grad, dw, O * I, 3e-6);
    if (bias) CHECK_CLOSE(c->grad, db, O, 3e-6);
    bench_free(&b);
}

TEST(linear_is_that_of_plain_loops)
{
    check_linear(1, 1, 1, TG_LINEAR, true);
    check_linear(1, 129, 65, TG_LINEAR, true); /* one row */
    check_linear(33, 50, 17, TG_TANH, true);
    check_linear(17, 31, 100, TG_SIGMOID, false);
    check_linear(1000, 7, 13, TG_LINEAR, true); /* long sums in dw */
    check_linear(3, 1500, 65, TG_TANH, true);   /* several blocks of k */
    check_linear(201, 202, 203, TG_LINEAR, false);
}

/* The residual starts the chains, and its gradient is the result's: alone, and where another op reads it, too. */
static void check_onto(int64_t N, int64_t I, int64_t O, bool read_again)
{
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){N, I}, -1, 1), *w = leaf(&b, 2, (int64_t[]){O, I}, -0.1, 0.1);
    tg_tensor *onto = leaf(&b, 2, (int64_t[]){N, O}, -1, 1), *c = leaf(&b, 1, &O, -1, 1);
    tg_tensor *y = tg_linear_onto(b.tape, onto, x, w, c);
    if (read_again) y = tg_add(b.tape, y, onto);
    double *want = doubles(&b, N * O), *from = wide_of(&b, onto), *d = go_back(&b, y), *dx = doubles(&b, N * I);
    naive_gemm(want, &(naive_product){N, O, I, wide_of(&b, x), I, 1, wide_of(&b, w), 1, I, from, wide_of(&b, c), TG_ACT_LINEAR});
    for (int64_t i = 0; read_again && i < N * O; i++) want[i] += from[i];
    CHECK_CLOSE(y->data, want, N * O, 2e-6);
    naive_gemm(dx, &(naive_product){N, I, O, d, O, 1, wide_of(&b, w), I, 1, NULL, NULL, 0});
    CHECK_CLOSE(x->grad, dx, N * I, 3e-6);
    for (int64_t i = 0; read_again && i < N * O; i++) d[i] *= 2;
    CHECK_CLOSE(onto->grad, d, N * O, 1e-6);
    bench_free(&b);
}

TEST(linear_onto_a_residual_is_that_of_plain_loops)
{
    check_onto(1, 50, 33, false);
    check_onto(33, 50, 17, false);
    check_onto(40, 1500, 65, true); /* several blocks of k */
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){3, 4}, -1, 1), *w = leaf(&b, 2, (int64_t[]){5, 4}, -1, 1);
    CHECK(!tg_linear_onto(b.tape, x, x, w, NULL));
    CHECK(strstr(tg_error(), "they must be the same"));
    tg_tape_begin(b.tape, &(tg_tape_mode){0});
    CHECK(!tg_linear(b.tape, x, w, NULL, TG_GELU));
    CHECK(strstr(tg_error(), "tg_activate has the others"));
    tg_tape_begin(b.tape, &(tg_tape_mode){0});
    CHECK(!tg_activate(b.tape, x, TG_LINEAR));
    CHECK_INT(tg_tape_status(b.tape), TG_EINVAL);
    bench_free(&b);
}

TEST(activations_and_rmsnorm_are_those_of_plain_loops)
{
    enum { N = 90, F = 130 };
    for (int act = TG_GELU; act <= TG_SWIGLU; act++) {
        bench b = bench_new();
        const int64_t in = act == TG_SWIGLU ? 2 * F : F;
        tg_tensor *x = leaf(&b, 2, (int64_t[]){N, in}, -5, 5), *y = tg_activate(b.tape, x, (tg_activation)act);
        double *want = doubles(&b, N * F), *dx = doubles(&b, N * in), *d = go_back(&b, y);
        naive_activate(want, dx, d, wide_of(&b, x), N, F, act);
        CHECK_CLOSE(y->data, want, N * F, 2e-6);
        CHECK_CLOSE(x->grad, dx, N * in, 3e-6);
        bench_free(&b);
    }
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){N, F}, -3, 5), *g = leaf(&b, 1, (int64_t[]){F}, 0.5, 2);
    tg_tensor *y = tg_rmsnorm(b.tape, x, g, 1e-5);
    double *want = doubles(&b, N * F), *inv = doubles(&b, N), *dx = doubles(&b, N * F), *dg = doubles(&b, F), *d = go_back(&b, y);
    naive_rmsnorm(want, inv, wide_of(&b, x), wide_of(&b, g), N, F, (double)1e-5f);
    naive_rmsnorm_back(dx, dg, d, wide_of(&b, x), wide_of(&b, g), N, F, (double)1e-5f);
    CHECK_CLOSE(y->data, want, N * F, 2e-6);
    CHECK_CLOSE(x->grad, dx, N * F, 3e-6);
    CHECK_CLOSE(g->grad, dg, F, 3e-6);
    bench_free(&b);
}

TEST(embed_is_that_of_plain_loops)
{
    enum { V = 50, D = 70, N = 600 };
    bench b = bench_new();
    tg_tensor *table = leaf(&b, 2, (int64_t[]){V, D}, -1, 1), *ids = leaf_ids(&b, 1, (int64_t[]){N}, 0, V);
    tg_tensor *y = tg_embed(b.tape, table, ids);
    double *d = go_back(&b, y), *want = doubles(&b, V * D);
    for (int64_t i = 0; i < (int64_t)N * D; i++) {
        CHECK(y->data[i] == table->data[ids->ids[i / D] * D + i % D]);
        want[ids->ids[i / D] * D + i % D] += d[i];
    }
    CHECK_CLOSE(table->grad, want, V * D, 1e-6);
    bench_free(&b);
}

TEST(add_and_reshape_are_those_of_plain_loops)
{
    enum { N = 40000 };
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 1, (int64_t[]){N}, -1, 1), *z = leaf(&b, 2, (int64_t[]){N / 10, 10}, -1, 1);
    tg_tensor *rows = tg_flatten(b.tape, tg_reshape(b.tape, x, 3, (int64_t[]){N / 10, 5, 2})), *y = tg_add(b.tape, rows, z);
    double *d = go_back(&b, y);
    for (int64_t i = 0; i < N; i++) CHECK(y->data[i] == x->data[i] + z->data[i]);
    CHECK_CLOSE(x->grad, d, N, 1e-7);
    CHECK_CLOSE(z->grad, d, N, 1e-7);
    bench_free(&b);
}

/* The mask of the k-th dropout of a step starts at word k·2^40 of the step's stream. */
static int64_t check_mask(const tg_tensor *x, const tg_tensor *y, int64_t index, double p)
{
    const tg_rng r = tg_rng_at(3, TG_RNG_DROPOUT, 4);
    int64_t n = tg_shape_count(&x->shape), kept = 0;
    for (int64_t i = 0; i < n; i++) {
        bool keeps = naive_keeps((index << 40) + i, r.key, r.step, (uint32_t)(p * 0x1p32));
        float want = keeps ? x->data[i] * (float)(1 / (1 - p)) : 0;
        if (y->data[i] != want)
            test_failed(__FILE__, __LINE__, "dropout at %lld is %g, not %g", (long long)i, (double)y->data[i],
                        (double)want);
        kept += keeps;
    }
    return kept;
}

TEST(dropout_keeps_what_its_stream_says_and_is_off_when_not_training)
{
    enum { N = 20001 };
    bench b = bench_new();
    const double p = 0.3;
    tg_tensor *x = leaf(&b, 1, (int64_t[]){N}, 1, 2), *y = tg_dropout(b.tape, x, p), *z = tg_dropout(b.tape, y, 0.6);
    int64_t kept = check_mask(x, y, 0, p);
    check_mask(y, z, 1, 0.6);
    CHECK(fabs((double)kept / N - (1 - p)) < 4 * sqrt(p * (1 - p) / N)); /* four deviations */
    double *d = go_back(&b, z), *want = doubles(&b, N);
    for (int64_t i = 0; i < N; i++) want[i] = z->data[i] != 0 ? d[i] / ((1 - p) * 0.4) : 0;
    CHECK_CLOSE(x->grad, want, N, 1e-6);
    CHECK(tg_dropout(b.tape, x, 0) == x);
    tg_tape_begin(b.tape, &(tg_tape_mode){0});
    CHECK(tg_dropout(b.tape, x, p) == x);
    bench_free(&b);
}

TEST(layernorm_is_that_of_plain_loops)
{
    enum { N = 50, D = 130 };
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){N, D}, -3, 5), *g = leaf(&b, 1, (int64_t[]){D}, 0.5, 2);
    tg_tensor *c = leaf(&b, 1, (int64_t[]){D}, -1, 1), *y = tg_layernorm(b.tape, x, g, c, 1e-5);
    double *wx = wide_of(&b, x), *wg = wide_of(&b, g), *want = doubles(&b, N * D), *dx = doubles(&b, N * D);
    double *mean = doubles(&b, N), *inv = doubles(&b, N), *dg = doubles(&b, D), *db = doubles(&b, D);
    double *d = go_back(&b, y);
    double eps = (double)1e-5f;
    naive_layernorm(want, mean, inv, wx, wg, wide_of(&b, c), N, D, eps);
    naive_layernorm_back(dx, d, wx, wg, N, D, eps);
    naive_layernorm_dg(dg, db, d, wx, N, D, eps);
    CHECK_CLOSE(y->data, want, N * D, 2e-6);
    CHECK_CLOSE(x->grad, dx, N * D, 3e-6);
    CHECK_CLOSE(g->grad, dg, D, 3e-6);
    CHECK_CLOSE(c->grad, db, D, 3e-6);
    bench_free(&b);
}

static void check_cross_entropy(int64_t rows, int64_t V, int64_t lowest)
{
    bench b = bench_new();
    tg_tensor *x = leaf(&b, 2, (int64_t[]){rows, V}, -8, 8), *target = leaf_ids(&b, 1, &rows, lowest, V);
    tg_tensor *loss = tg_cross_entropy(b.tape, x, target);
    double *losses = doubles(&b, rows), *dx = doubles(&b, rows * V), sum = 0;
    int64_t counted = 0;
    naive_softmax_loss(losses, dx, wide_of(&b, x), target->ids, rows, V);
    for (int64_t r = 0; r < rows; r++) sum += losses[r], counted += target->ids[r] >= 0;
    sum /= (double)counted;
    CHECK_CLOSE(loss->data, &sum, 1, 1e-6);
    CHECK_OK(tg_tape_backward(b.tape, loss));
    for (int64_t i = 0; i < rows * V; i++) {
        double want = dx[i] / (double)counted;
        CHECK(fabs((double)x->grad[i] - want) < 1e-6 / (double)counted);
    }
    bench_free(&b);
}

TEST(cross_entropy_is_that_of_plain_loops)
{
    check_cross_entropy(1, 2, 0);
    check_cross_entropy(17, 65, 0);
    check_cross_entropy(17, 65, -65);
    check_cross_entropy(9000, 5, -1); /* several chunks of the sum */
}

static void check_sequence(const tg_op *op, int64_t T, int64_t B, int64_t H, int act, bool state, bool reset)
{
    bench b = bench_new();
    int64_t G = op == &tg_op_rnn ? 1 : op == &tg_op_gru ? 3 : 4;
    double most = 1 / sqrt((double)H);
    tg_tensor *gx = leaf(&b, 3, (int64_t[]){T, B, G * H}, -2, 2), *w = leaf(&b, 2, (int64_t[]){G * H, H}, -most, most);
    tg_tensor *c = leaf(&b, 1, (int64_t[]){G * H}, -1, 1), *h0 = state ? leaf(&b, 2, (int64_t[]){B, H}, -1, 1) : NULL;
    tg_tensor *c0 = state && G == 4 ? leaf(&b, 2, (int64_t[]){B, H}, -1, 1) : NULL;
    tg_tensor *starts = reset ? leaf_ids(&b, 2, (int64_t[]){T, B}, 0, 2) : NULL, *y, *h_last = NULL, *c_last = NULL;
    double *want = doubles(&b, T * B * H), *cells = doubles(&b, T * B * H);
    naive_run_sequence(want, G == 4 ? cells : NULL,
                       &(naive_sequence){(int)G, act, T, B, H, wide_of(&b, gx), wide_of(&b, w), wide_of(&b, c),
                                         wide_of(&b, h0), wide_of(&b, c0), starts ? starts->ids : NULL});
    if (G == 1) y = tg_rnn(b.tape, gx, w, c, h0, starts, (tg_activation)act, &h_last);
    else if (G == 3) y = tg_gru(b.tape, gx, w, c, h0, starts, &h_last);
    else y = tg_lstm(b.tape, gx, w, c, h0, c0, starts, &h_last, &c_last);
    if (!y) test_failed(__FILE__, __LINE__, "%s", tg_error());
    CHECK_CLOSE(y->data, want, T * B * H, 5e-6);
    CHECK_CLOSE(h_last->data, want + (T - 1) * B * H, B * H, 5e-6);
    if (G == 4) CHECK_CLOSE(c_last->data, cells + (T - 1) * B * H, B * H, 5e-6);
    CHECK_INT(h_last->shape.rank, 2);
    CHECK(!h_last->wants_grad);
    bench_free(&b);
}

TEST(recurrent_sequences_are_those_of_plain_loops)
{
    static const tg_op *const ops[] = {&tg_op_rnn, &tg_op_lstm, &tg_op_gru};
    static const int64_t sizes[][3] = {{1, 1, 1}, {1, 1, 67}, {7, 3, 5}, {20, 9, 33}, {3, 40, 64}, {9, 1, 130}, {2, 3, 600}};
    for (int o = 0; o < 3; o++)
        for (int s = 0; s < 7; s++)
            for (int variant = 0; variant < 4; variant++)
                check_sequence(ops[o], sizes[s][0], sizes[s][1], sizes[s][2], TG_TANH, variant & 1, variant & 2);
    check_sequence(&tg_op_rnn, 5, 3, 33, TG_RELU, true, true);
    check_sequence(&tg_op_rnn, 2, 15, 1024, TG_TANH, true, false); /* rows a page apart */
}

/* ---- the same bits ---------------------------------------------------------------------------------------------- */

/* Results and gradients of all examples of the table. */
static uint64_t hash_of_examples(const char *isa, int threads)
{
    tg_context *ctx = example_context(threads, isa);
    tg_tape *t = NULL;
    tg_xxh64 h;
    tg_xxh64_start(&h);
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int64_t i = 0; tg_op_at(i); i++) {
        example e;
        for (int v = 0; example_make(&e, tg_op_at(i), v); v++) {
            tg_tensor *y = example_run(&e, t);
            tg_xxh64_add(&h, y->data, tg_shape_count(&y->shape) * (int64_t)sizeof(float));
            example_back(&e, t, y);
            for (int k = 0; k < TG_OP_INPUTS; k++)
                if (e.in[k].has_grad) tg_xxh64_add(&h, e.in[k].grad, e.count[k] * (int64_t)sizeof(float));
            example_free(&e);
        }
    }
    tg_tape_free(t);
    tg_context_free(ctx);
    return tg_xxh64_end(&h);
}

/* A model's loss and gradients; twice, so that gradients are also added to. */
static uint64_t hash_of_training(const char *isa, int threads, const net_shape *shape, int64_t T, int64_t B)
{
    tg_context *ctx = example_context(threads, isa);
    tg_tape *t = NULL;
    net n;
    net_make(&n, ctx, shape, false);
    CHECK_OK(tg_tape_new(ctx, &t));
    int32_t *tokens = net_tokens(1, T * B, shape->V), *targets = net_tokens(2, T * B, shape->V);
    tg_tensor *loss = NULL;
    for (uint64_t step = 0; step < 2; step++) {
        tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1, .step = step});
        loss = net_loss(&n, t, T, B, tokens, targets);
        CHECK_OK(tg_tape_backward(t, loss));
    }
    uint64_t hash = net_grad_hash(&n) ^ tg_xxh64_of(loss->data, sizeof(float));
    tg_free(tokens);
    tg_free(targets);
    tg_tape_free(t);
    net_free(&n);
    tg_context_free(ctx);
    return hash;
}

/* In sizes that make many chunks. */
static uint64_t hash_of_net(const char *isa, int threads, tg_recurrent_kind kind)
{
    const net_shape shape = {.kind = kind, .V = 67, .D = 33, .H = 90, .layers = 2, .norm = true, .dropout = 0.2};
    return hash_of_training(isa, threads, &shape, 9, 13);
}

/* 4·256 gates are a page: going back, they are packed, of as many rows as fill whole tiles. */
static uint64_t hash_of_page(const char *isa, int threads)
{
    return hash_of_training(isa, threads, &(net_shape){.kind = TG_LSTM, .V = 5, .D = 8, .H = 256, .layers = 1}, 2, 14);
}

TEST(gates_a_page_apart_give_the_same_bits_on_every_isa_and_for_any_number_of_threads) { same_on_every_isa(hash_of_page); }

/* So wide that the gates of the one row are split over threads. */
static uint64_t hash_of_row(const char *isa, int threads)
{
    return hash_of_training(isa, threads, &(net_shape){.kind = TG_LSTM, .V = 5, .D = 8, .H = 264, .layers = 1}, 3, 1);
}

TEST(a_single_wide_row_gives_the_same_bits_on_every_isa_and_for_any_number_of_threads) { same_on_every_isa(hash_of_row); }

TEST(ops_give_the_same_bits_on_every_isa_and_for_any_number_of_threads)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    static const int threads[] = {1, 2, 3, 7};
    uint64_t examples = hash_of_examples("scalar", 1), nets[4];
    for (int k = 0; k < 4; k++) nets[k] = hash_of_net("scalar", 1, (tg_recurrent_kind)k);
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < 4 && tg_kernels_named(isas[i]); n++) {
            if (hash_of_examples(isas[i], threads[n]) != examples)
                test_failed(__FILE__, __LINE__, "examples on %s, %d threads: other bits", isas[i], threads[n]);
            for (int k = 0; k < 4; k++)
                if ((i || k == 1) && hash_of_net(isas[i], threads[n], (tg_recurrent_kind)k) != nets[k])
                    test_failed(__FILE__, __LINE__, "net %d on %s, %d threads: other bits", k, isas[i], threads[n]);
        }
}
