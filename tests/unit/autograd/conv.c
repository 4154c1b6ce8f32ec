/* conv.c - convolutions against plain loops in double, in sizes of several blocks, groups of channels and parts of the batch. */
#include "autograd/tape.h"

#include <string.h>

#include "base/alloc.h"
#include "support/example.h"
#include "support/naive_image.h"
#include "test.h"

typedef struct made { tg_tensor x; int64_t n; double *wide; } made;

static made make(uint64_t stream, int rank, const int64_t *dims, double scale)
{
    made m = {.x = {.shape = tg_shape_of(rank, dims), .group = -1, .wants_grad = true}};
    m.n = tg_shape_count(&m.x.shape);
    m.x.data = random_values(stream, m.n, -scale, scale);
    m.wide = tg_alloc_array(m.n, sizeof *m.wide);
    CHECK(m.wide != NULL);
    for (int64_t i = 0; i < m.n; i++) m.wide[i] = (double)m.x.data[i];
    return m;
}

static void discard(made *m)
{
    tg_free(m->x.data);
    tg_free(m->wide);
}

/* g with its `out` from the op. Of the transpose, x is g's result. */
static void check_conv(int threads, tg_convolution g, const tg_conv_options *o, bool transposed)
{
    tg_context *ctx = example_context(threads, NULL);
    tg_tape *t = NULL;
    const int64_t taps = g.C * g.y.taps * g.x.taps;
    made big = make(1, 4, (int64_t[]){g.B, g.C, g.y.in, g.x.in}, 1), small = make(2, 4, (int64_t[]){g.B, g.O, g.y.out, g.x.out},
                                                                                  1);
    made w = make(3, 4, (int64_t[]){g.O, g.C, g.y.taps, g.x.taps}, 0.1), bias = make(4, 1, &(int64_t){transposed ? g.C : g.O}, 1);
    made *x = transposed ? &small : &big, *y = transposed ? &big : &small;
    double *want = tg_alloc_array(y->n, sizeof *want), *dx = tg_alloc_array(x->n, sizeof *dx), *dw = tg_alloc_array(w.n,
                                                                                                                    sizeof *dw);
    double *db = tg_alloc_array(bias.n, sizeof *db);
    CHECK(want && dx && dw && db);
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *got = (transposed ? tg_conv_transpose : tg_conv)(t, &x->x, &w.x, &bias.x, o);
    if (!got) test_failed(__FILE__, __LINE__, "%s", tg_error());
    CHECK(tg_shape_equal(&got->shape, &y->x.shape));
    tg_tensor dot = {.shape = tg_shape_of(2, (int64_t[]){1, y->n}), .group = -1,
                     .data = y->x.data}; /* y's numbers are its gradient */
    tg_tensor *row = tg_reshape(t, got, 2, dot.shape.dims);
    CHECK_OK(tg_tape_backward(t, tg_linear(t, row, &dot, NULL, TG_LINEAR)));
    if (transposed) {
        naive_conv_back(want, NULL, x->wide, NULL, w.wide, &g);
        for (int64_t i = 0; i < y->n; i++) want[i] += bias.wide[i / (g.y.in * g.x.in) % g.C];
        naive_conv(dx, y->wide, w.wide, NULL, &g);
        naive_conv_back(NULL, dw, x->wide, y->wide, w.wide, &g);
    } else {
        naive_conv(want, x->wide, w.wide, bias.wide, &g);
        naive_conv_back(dx, dw, y->wide, x->wide, w.wide, &g);
    }
    const int64_t each = y->n / g.B / bias.n;
    for (int64_t i = 0; i < y->n; i++) db[i / each % bias.n] += y->wide[i];
    CHECK_CLOSE(got->data, want, y->n, 3e-6 * (1 + (double)taps / 500));
    CHECK_CLOSE(x->x.grad, dx, x->n, 5e-6);
    CHECK_CLOSE(w.x.grad, dw, w.n, 2e-5);
    CHECK_CLOSE(bias.x.grad, db, bias.n, 1e-5);
    tg_free(want), tg_free(dx), tg_free(dw), tg_free(db);
    discard(&big), discard(&small), discard(&w), discard(&bias);
    tg_tape_free(t);
    tg_context_free(ctx);
}

TEST(convolutions_and_their_transposes_are_those_of_plain_loops)
{
    const tg_conv_options half = tg_conv_square(2, 1), same = tg_conv_square(1, 1), plain = {0};
    const tg_conv_options causal = {.before = {2, 4}, .dilation = {1, 2}};
    for (int transposed = 0; transposed < 2; transposed++) {
        check_conv(1, (tg_convolution){9, 40, 17, {14, 7, 4, 2, 1, 1}, {14, 7, 4, 2, 1, 1}}, &half, transposed);
        check_conv(2, (tg_convolution){17, 1, 33, {28, 14, 4, 2, 1, 1}, {28, 14, 4, 2, 1, 1}}, &half, transposed);
        check_conv(3, (tg_convolution){2, 3, 5, {40, 40, 3, 1, 1, 1}, {40, 40, 3, 1, 1, 1}}, &same,
                   transposed);    /* an image in several blocks */
        check_conv(7, (tg_convolution){1, 130, 20, {9, 9, 3, 1, 1, 1}, {17, 17, 3, 1, 1, 1}}, &same,
                   transposed);   /* several groups of channels */
        check_conv(2, (tg_convolution){5, 30, 30, {7, 7, 1, 1, 0, 1}, {7, 7, 1, 1, 0, 1}}, &plain, transposed);
    }
    check_conv(2, (tg_convolution){3, 8, 6, {10, 10, 3, 1, 2, 1}, {50, 50, 3, 1, 4, 2}}, &causal, false);
}

TEST(a_convolution_that_does_not_fit_says_so)
{
    tg_context *ctx = example_context(1, NULL);
    tg_tape *t = NULL;
    static float some[64];
    tg_tensor w = {.shape = tg_shape_of(4, (int64_t[]){2, 3, 3, 3}), .data = some, .group = -1};
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){0});
    CHECK(!tg_conv(t, tg_input_values(t, 4, (int64_t[]){1, 2, 4, 4}, some), &w, NULL, NULL));
    CHECK(strstr(tg_error(), "does not fit"));
    tg_tape_begin(t, &(tg_tape_mode){0});
    CHECK(!tg_conv(t, tg_input_values(t, 4, (int64_t[]){1, 3, 2, 2}, some), &w, NULL, NULL));
    CHECK(strstr(tg_error(), "more padding"));
    tg_tape_begin(t, &(tg_tape_mode){0});
    CHECK(!tg_conv(t, tg_input_values(t, 4, (int64_t[]){1, 3, 4, 4}, some), &w, NULL, &(tg_conv_options){.stride = {-1, 1}}));
    CHECK(strstr(tg_error(), "must not be negative"));
    tg_tape_free(t);
    tg_context_free(ctx);
}
