/* attention.c - attention against plain loops, and the same bits on every instruction set, for any number of threads, at once or
 * in pieces behind a cache. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "support/example.h"
#include "support/naive.h"
#include "test.h"

typedef struct shape { int64_t T, B, H, K, D; double theta; bool norm, first; } shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 0, false, false},       {63, 2, 2, 2, 16, 0, false, false},    {64, 3, 4, 4, 32, 10000, false, false},
    {65, 1, 3, 1, 20, 10000, true, false},  {130, 2, 4, 2, 64, 10000, true, true}, {200, 1, 1, 1, 33, 0, true, true},
    {150, 2, 6, 3, 8, 500, false, true},    {70, 1, 70, 1, 4, 100, false, false},  {256, 1, 2, 2, 48, 1e6, false, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Inputs of one shape. Documents start here and there. */
typedef struct inputs { shape z; int64_t W; tg_tensor qkv, q_gain, k_gain, first; tg_attention_options o; } inputs;

static tg_tensor values(uint64_t stream, int rank, const int64_t *dims, double low, double high)
{
    tg_tensor x = {.shape = tg_shape_of(rank, dims), .group = -1, .wants_grad = true};
    x.data = random_values(stream, tg_shape_count(&x.shape), low, high);
    return x;
}

static inputs make(const shape *z)
{
    inputs in = {.z = *z, .W = (z->H + 2 * z->K) * z->D};
    in.o = (tg_attention_options){.heads = z->H, .kv_heads = z->K, .theta = z->theta, .eps = 1e-3};
    in.qkv = values(1, 3, (int64_t[]){z->T, z->B, in.W}, -2, 2);
    in.q_gain = values(2, 1, &z->D, 0.5, 3);
    in.k_gain = values(3, 1, &z->D, 0.5, 3);
    in.first = (tg_tensor){.shape = tg_shape_of(2, (int64_t[]){z->T, z->B}), .dtype = TG_I32, .group = -1};
    in.first.ids = tg_alloc_array(z->T * z->B, sizeof(int32_t));
    for (int64_t i = 0; i < z->T * z->B; i++) {
        const int64_t t = i / z->B, length = 29 + 17 * (i % z->B);
        in.first.ids[i] = (int32_t)(t / length * length + (t % 11 == 3 ? 2 : 0)); /* rows of a tile do not see the same */
    }
    return in;
}

static void drop(inputs *in)
{
    tg_free(in->qkv.data);
    tg_free(in->q_gain.data);
    tg_free(in->k_gain.data);
    tg_free(in->first.ids);
}

static tg_tensor *attend(inputs *in, tg_tape *t, bool train)
{
    tg_tape_begin(t, &(tg_tape_mode){.train = train, .seed = 1});
    tg_tensor *y = tg_attention(t, &in->qkv, in->z.norm ? &in->q_gain : NULL, in->z.norm ? &in->k_gain : NULL,
                                in->z.first ? &in->first : NULL, &in->o);
    if (!y) test_failed(__FILE__, __LINE__, "%s", tg_error());
    return y;
}

static double *wide(const float *x, int64_t n)
{
    double *y = tg_alloc_array(n, sizeof *y);
    CHECK(y != NULL);
    for (int64_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

TEST(attention_is_that_of_plain_loops)
{
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int i = 0; i < SHAPES; i++) {
        inputs in = make(&shapes[i]);
        const shape *z = &in.z;
        const int64_t n = z->T * z->B * z->H * z->D;
        tg_tensor *y = attend(&in, t, true);
        double *want = tg_alloc_array(n, sizeof *want), *qkv = wide(in.qkv.data, z->T * z->B * in.W);
        double *q = wide(in.q_gain.data, z->D), *k = wide(in.k_gain.data, z->D);
        naive_attend(want, &(naive_attention){z->T, z->B, z->H, z->K, z->D, z->theta, (double)(float)in.o.eps, qkv,
                                              z->norm ? q : NULL, z->norm ? k : NULL, z->first ? in.first.ids : NULL});
        CHECK_CLOSE(y->data, want, n, 2e-5); /* angles are rounded to floats: 256 radians by 1.5e-5 */
        tg_free(want);
        tg_free(qkv);
        tg_free(q);
        tg_free(k);
        drop(&in);
    }
    tg_tape_free(t);
    tg_context_free(ctx);
}

/* ---- who looks on ---- */

/* All that was seen of a sequence in pieces, as one pass would have it: [T, B, H, T]. */
typedef struct onlooker { float *p; int64_t T, from; int calls; } onlooker;

static void note(void *user, const tg_attention_weights *w)
{
    onlooker *o = user;
    const int64_t row = w->B * w->H;
    for (int64_t i = 0; i < w->T * row; i++) memcpy(o->p + (o->from * row + i) * o->T, w->p + i * w->S, (size_t)w->S * sizeof *w->p);
    o->from += w->T;
    o->calls++;
}

static tg_tensor *attend_watched(inputs *in, tg_tape *t, bool train, onlooker *o)
{
    tg_tape_begin(t, &(tg_tape_mode){.train = train, .seed = 1, .watch = &(tg_attention_watch){note, o}});
    tg_tensor *y = tg_attention(t, &in->qkv, in->z.norm ? &in->q_gain : NULL, in->z.norm ? &in->k_gain : NULL,
                                in->z.first ? &in->first : NULL, &in->o);
    if (!y) test_failed(__FILE__, __LINE__, "%s", tg_error());
    return y;
}

static double *naive_weights(const inputs *in)
{
    const shape *z = &in->z;
    double *want = tg_alloc_array(z->T * z->B * z->H * z->T, sizeof *want), *qkv = wide(in->qkv.data, z->T * z->B * in->W);
    double *q = wide(in->q_gain.data, z->D), *k = wide(in->k_gain.data, z->D);
    naive_weigh(want, &(naive_attention){z->T, z->B, z->H, z->K, z->D, z->theta, (double)(float)in->o.eps, qkv, z->norm ? q : NULL,
                                         z->norm ? k : NULL, z->first ? in->first.ids : NULL});
    tg_free(qkv);
    tg_free(q);
    tg_free(k);
    return want;
}

/* Nothing beside what is seen, and the whole of it. */
static void check_rows(const onlooker *o, const inputs *in)
{
    const shape *z = &in->z;
    for (int64_t i = 0; i < z->T * z->B * z->H; i++) {
        const int64_t t = i / z->H / z->B, b = i / z->H % z->B, first = z->first ? in->first.ids[t * z->B + b] : 0;
        double sum = 0;
        for (int64_t s = 0; s < z->T; s++) {
            const float p = o->p[i * z->T + s];
            if (s < (first < t ? first : t) || s > t) CHECK(p == 0);
            sum += (double)p;
        }
        CHECK(fabs(sum - 1) < 2e-6);
    }
}

/* Through a tape with someone looking: at once and recorded, or (piece > 0) in pieces behind a cache. */
static void look_on(inputs *in, tg_tape *t, onlooker *o, int64_t piece, const float *whole)
{
    const int64_t cache = in->z.T * in->z.B * in->z.K * in->z.D, out = in->z.B * in->z.H * in->z.D;
    tg_attention_cache c = {tg_alloc_array(cache, sizeof(float)), tg_alloc_array(cache, sizeof(float)), in->z.T, 0};
    inputs part = *in;
    part.o.cache = piece ? &c : NULL;
    for (; c.used < in->z.T; c.used += part.z.T) {
        part.z.T = piece && in->z.T - c.used > piece ? piece : in->z.T - c.used;
        part.qkv.shape.dims[0] = part.first.shape.dims[0] = part.z.T;
        part.qkv.data = in->qkv.data + c.used * in->z.B * in->W;
        part.first.ids = in->first.ids + c.used * in->z.B;
        const tg_tensor *y = attend_watched(&part, t, !piece, o);
        CHECK_BYTES(y->data, whole + c.used * out, part.z.T * out * (int64_t)sizeof(float));
    }
    tg_free(c.k);
    tg_free(c.v);
}

/* Grouped heads, norms, rotations, windows that slide (first) and documents are among the shapes. What is computed beside it
 * has the same bits as when nobody looks. */
TEST(who_watches_attention_sees_the_weights_of_plain_loops)
{
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int i = 0; i < 2 * SHAPES; i++) {
        inputs in = make(&shapes[i / 2]);
        const shape *z = &in.z;
        const int64_t n = z->T * z->B * z->H * z->T;
        if (i % 2) in.z.first = true; /* a window of 20 */
        for (int64_t k = 0; i % 2 && k < z->T * z->B; k++) in.first.ids[k] = (int32_t)(k / z->B < 20 ? 0 : k / z->B - 19);
        const tg_tensor *y = attend(&in, t, true);
        const int64_t bytes = tg_shape_count(&y->shape) * (int64_t)sizeof(float);
        float *whole = tg_alloc(bytes);
        double *want = naive_weights(&in);
        memcpy(whole, y->data, (size_t)bytes);
        for (int64_t piece = 0; piece <= 71; piece += piece ? 70 : 1) {
            onlooker o = {.p = tg_alloc_array(n, sizeof(float)), .T = z->T};
            look_on(&in, t, &o, piece, whole);
            CHECK_INT(o.calls, piece ? (z->T + piece - 1) / piece : 1);
            CHECK_CLOSE(o.p, want, n, 2e-5);
            check_rows(&o, &in);
            tg_free(o.p);
        }
        tg_free(want);
        tg_free(whole);
        drop(&in);
    }
    tg_tape_free(t);
    tg_context_free(ctx);
}

/* Results and gradients of all shapes. */
static uint64_t hash_of_shapes(const char *isa, int threads)
{
    tg_context *ctx = example_context(threads, isa);
    tg_tape *t = NULL;
    tg_xxh64 h;
    tg_xxh64_start(&h);
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int i = 0; i < SHAPES; i++) {
        inputs in = make(&shapes[i]);
        tg_tensor *y = attend(&in, t, true), *all[] = {&in.qkv, &in.q_gain, &in.k_gain};
        const int64_t n = tg_shape_count(&y->shape);
        tg_xxh64_add(&h, y->data, n * (int64_t)sizeof(float));
        tg_tensor dot = values(9, 2, (int64_t[]){1, n}, -1, 1);
        dot.wants_grad = false;
        CHECK_OK(tg_tape_backward(t, tg_linear(t, tg_reshape(t, y, 2, dot.shape.dims), &dot, NULL, TG_LINEAR)));
        for (int k = 0; k < (in.z.norm ? 3 : 1); k++)
            tg_xxh64_add(&h, all[k]->grad, tg_shape_count(&all[k]->shape) * (int64_t)sizeof(float));
        tg_free(dot.data);
        drop(&in);
    }
    tg_tape_free(t);
    tg_context_free(ctx);
    return tg_xxh64_end(&h);
}

TEST(attention_has_the_same_bits_on_every_isa_and_for_any_number_of_threads)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    static const int threads[] = {1, 2, 3, 7};
    const uint64_t want = hash_of_shapes("scalar", 1);
    for (int i = 0; i < 4; i++)
        for (int n = i ? 0 : 1; n < 4 && tg_kernels_named(isas[i]); n += i ? 1 : 2)
            if (hash_of_shapes(isas[i], threads[n]) != want)
                test_failed(__FILE__, __LINE__, "attention on %s, %d threads: other bits", isas[i], threads[n]);
}

/* The pass in pieces of so many positions, each behind a cache of those before, against `whole`. */
static void check_pieces(inputs *in, tg_tape *t, const float *whole, int64_t piece)
{
    const int64_t cache = in->z.T * in->z.B * in->z.K * in->z.D, out = in->z.B * in->z.H * in->z.D;
    tg_attention_cache c = {tg_alloc_array(cache, sizeof(float)), tg_alloc_array(cache, sizeof(float)), in->z.T, 0};
    inputs part = *in;
    int64_t before = 0;
    part.o.cache = &c;
    for (; c.used < in->z.T; c.used += part.z.T) {
        part.z.T = in->z.T - c.used < piece ? in->z.T - c.used : piece;
        part.qkv.shape.dims[0] = part.first.shape.dims[0] = part.z.T;
        part.qkv.data = in->qkv.data + c.used * in->z.B * in->W;
        part.first.ids = in->first.ids + c.used * in->z.B;
        if (c.used == 3 * piece) before = tg_alloc_count();
        const tg_tensor *y = attend(&part, t, false);
        CHECK_BYTES(y->data, whole + c.used * out, part.z.T * out * (int64_t)sizeof(float));
    }
    if (before) CHECK_INT(tg_alloc_count() - before, 0);
    tg_free(c.k);
    tg_free(c.v);
}

TEST(a_cache_that_fills_needs_no_more_scratch)
{
    tg_context *ctx = example_context(3, NULL);
    tg_attend s = {.T = 1, .B = 1, .H = 8, .K = 2, .D = 64, .capacity = 1000};
    const int64_t empty = tg_attend_room(ctx, &s);
    s.used = 999; /* so many multiply-adds are shared out to threads */
    CHECK_INT(tg_attend_room(ctx, &s), empty);
    tg_context_free(ctx);
}

TEST(a_sequence_in_pieces_behind_a_cache_has_the_same_bits)
{
    static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
    for (int a = 0; a < 4; a++) {
        if (!tg_kernels_named(isas[a])) continue;
        tg_context *ctx = example_context(2, isas[a]);
        tg_tape *t = NULL;
        CHECK_OK(tg_tape_new(ctx, &t));
        for (int i = 0; i < SHAPES; i++) {
            inputs in = make(&shapes[i]);
            const tg_tensor *y = attend(&in, t, true);
            const int64_t bytes = tg_shape_count(&y->shape) * (int64_t)sizeof(float);
            float *whole = tg_alloc(bytes);
            memcpy(whole, y->data, (size_t)bytes);
            CHECK_BYTES(attend(&in, t, false)->data, whole, bytes);
            check_pieces(&in, t, whole, 1);
            if (a) check_pieces(&in, t, whole, 7);
            if (a) check_pieces(&in, t, whole, 100);
            tg_free(whole);
            drop(&in);
        }
        tg_tape_free(t);
        tg_context_free(ctx);
    }
}

/* NaN times a probability of 0 would be NaN. */
TEST(what_is_masked_is_never_multiplied)
{
    tg_context *ctx = example_context(1, NULL);
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    inputs in = make(&(shape){90, 1, 2, 1, 32, 10000, true, true});
    for (int64_t i = 0; i < 90; i++) in.first.ids[i] = i < 20 ? 0 : 20;
    for (int64_t bad = 13; bad < 90; bad += 62) /* before the second document, and at position 75 */
        for (int64_t k = 0; k < in.W; k++) in.qkv.data[bad * in.W + k] = NAN;
    const tg_tensor *y = attend(&in, t, true);
    for (int64_t i = 0; i < 90 * 64; i++) {
        const int64_t p = i / 64;
        CHECK(isnan(y->data[i]) == ((p >= 13 && p < 20) || p >= 75));
    }
    drop(&in);
    tg_tape_free(t);
    tg_context_free(ctx);
}

TEST(attention_says_what_does_not_fit)
{
    tg_context *ctx = example_context(1, NULL);
    tg_tape *t = NULL;
    float k[64] = {0};
    CHECK_OK(tg_tape_new(ctx, &t));
    inputs in = make(&(shape){4, 1, 2, 2, 3, 0, false, false});
    tg_attention_cache full = {k, k, 4, 1};
    const struct { tg_attention_options o; const char *says; } bad[] = {
        {{.heads = 3, .kv_heads = 2}, "cannot share"},
        {{.heads = 5, .kv_heads = 5}, "wanted is [T, B, (5 + 2·5)·D]"},
        {{.heads = 2, .kv_heads = 2, .theta = 100}, "pairs"},
        {{.heads = 2, .kv_heads = 2, .eps = -1}, "negative"},
        {{.heads = 2, .kv_heads = 2, .cache = &full}, "no room for 4 more"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_tape_begin(t, &(tg_tape_mode){0});
        CHECK(!tg_attention(t, &in.qkv, NULL, NULL, NULL, &bad[i].o));
        CHECK_INT(tg_tape_status(t), TG_EINVAL);
        if (!strstr(tg_error(), bad[i].says)) test_failed(__FILE__, __LINE__, "%s", tg_error());
    }
    full.used = 0;
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    CHECK(!tg_attention(t, &in.qkv, NULL, NULL, NULL, &bad[4].o)); /* gradients are wanted */
    CHECK(strstr(tg_error(), "no way back"));
    drop(&in);
    tg_tape_free(t);
    tg_context_free(ctx);
}

TEST(training_with_attention_allocates_nothing_from_the_third_step_on)
{
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t = NULL;
    CHECK_OK(tg_tape_new(ctx, &t));
    inputs in = make(&shapes[4]);
    int64_t before = 0;
    tg_tensor dot = values(9, 2, (int64_t[]){1, in.z.T * in.z.B * in.z.H * in.z.D}, -1, 1);
    dot.wants_grad = false;
    for (int step = 0; step < 6; step++) {
        if (step == 3) before = tg_alloc_count();
        in.qkv.grad = in.q_gain.grad = in.k_gain.grad = NULL;
        in.qkv.has_grad = in.q_gain.has_grad = in.k_gain.has_grad = false;
        tg_tensor *y = attend(&in, t, true);
        CHECK_OK(tg_tape_backward(t, tg_linear(t, tg_reshape(t, y, 2, dot.shape.dims), &dot, NULL, TG_LINEAR)));
    }
    CHECK_INT(tg_alloc_count() - before, 0);
    tg_free(dot.data);
    drop(&in);
    tg_tape_free(t);
    tg_context_free(ctx);
}
