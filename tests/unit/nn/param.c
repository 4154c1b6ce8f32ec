/* param.c - declaring, sealing, drawing; the layers' names, layouts and first values. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "support/example.h"
#include "support/net.h"
#include "test.h"

TEST(parameters_lie_in_one_slab_each_on_a_multiple_of_sixteen_floats)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *a = tg_param(p, "a", 2, (int64_t[]){3, 7}, TG_INIT_ONE, 0, true, 0);
    tg_tensor *b = tg_param(p, "b", 0, NULL, TG_INIT_ZERO, 0, false, 2);
    tg_tensor *c = tg_param(p, "c", 1, (int64_t[]){16}, TG_INIT_UNIFORM, 0.5, false, 0);
    CHECK(a && b && c && !a->data && !a->wants_grad);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK_INT(tg_params_count(p), 3);
    CHECK_INT(tg_params_elements(p), 21 + 1 + 16);
    CHECK_INT(tg_params_size(p), 32 + 16 + 16);
    CHECK_INT(tg_params_offset(p, 1), 32);
    CHECK_INT(tg_params_offset(p, 2), 48);
    CHECK(a->data == tg_params_values(p) && c->data == tg_params_values(p) + 48 && c->grad == tg_params_grads(p) + 48);
    CHECK(a->wants_grad && !a->has_grad && b->group == 2);
    CHECK(tg_params_find(p, "b") == b && tg_params_find(p, "d") == NULL);
    CHECK(tg_params_at(p, 2) == c && tg_params_at(p, 3) == NULL && tg_params_at(p, -1) == NULL);
    for (int i = 0; i < 64; i++) CHECK(tg_params_values(p)[i] == (i < 21 ? 1.0f : 0.0f) || i >= 48);
    tg_params_free(p);
    tg_context_free(ctx);
}

TEST(bad_declarations_are_refused)
{
    static char long_name[1100];
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    memset(long_name, 'x', sizeof long_name - 1);
    CHECK_OK(tg_params_new(ctx, &p));
    const int64_t one = 1, none = 0, much = INT64_C(1) << 50;
    tg_tensor *a = tg_param(p, "a", 1, &one, TG_INIT_ONE, 0, true, 0);
    CHECK(a != NULL);
    CHECK(tg_param(p, "a", 1, &one, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK_ERROR(TG_EINVAL, TG_EINVAL, "there is one of this name");
    CHECK(tg_param(p, "", 1, &one, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK(tg_param(p, long_name, 1, &one, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK(tg_param(p, "b", 1, &none, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK_ERROR(TG_EINVAL, TG_EINVAL, "[0] is no sensible shape");
    CHECK(tg_param(p, "b", 1, &much, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK_ERROR(tg_param_start(p, a, 0, 2, 1), TG_EINVAL, "parameter a: elements from 0 on, 2 of them, are not there");
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK(tg_param(p, "c", 1, &one, TG_INIT_ONE, 0, true, 0) == NULL);
    CHECK_ERROR(TG_EINVAL, TG_EINVAL, "sealed");
    CHECK_ERROR(tg_param_start(p, a, 0, 1, 1), TG_EINVAL, "sealed");
    CHECK_ERROR(tg_params_seal(p, 1, true, false), TG_EINVAL, "sealed");
    tg_params_free(p);
    tg_context_free(ctx);
}

/* Mean and deviation within four standard errors; bounds kept; place and shape alone decide. */
TEST(first_values_have_the_distribution_asked_for)
{
    enum { N = 40000 };
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL, *q = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    CHECK_OK(tg_params_new(ctx, &q));
    tg_tensor *u = tg_param(p, "u", 1, (int64_t[]){N}, TG_INIT_UNIFORM, 0.5, true, 0);
    tg_tensor *z = tg_param(p, "z", 1, (int64_t[]){N}, TG_INIT_NORMAL, 2, true, 0);
    tg_param(q, "other", 1, (int64_t[]){3}, TG_INIT_ZERO, 2, true, 0);
    tg_tensor *again = tg_param(q, "z", 1, (int64_t[]){N}, TG_INIT_NORMAL, 2, true, 0);
    CHECK_OK(tg_params_seal(p, 7, true, false));
    CHECK_OK(tg_params_seal(q, 7, false, false));
    CHECK_BYTES(z->data, again->data, N * (int64_t)sizeof(float));
    CHECK(!again->wants_grad && !again->grad);
    double mean_u = 0, mean_z = 0, square_u = 0, square_z = 0;
    for (int i = 0; i < N; i++) {
        CHECK(u->data[i] >= -0.5f && u->data[i] < 0.5f);
        mean_u += (double)u->data[i] / N;
        mean_z += (double)z->data[i] / N;
        square_u += (double)u->data[i] * (double)u->data[i] / N;
        square_z += (double)z->data[i] * (double)z->data[i] / N;
    }
    CHECK(fabs(mean_u) < 4 * 0.5 / sqrt(3.0 * N) && fabs(square_u - 0.25 / 3) < 4 * 0.0745 / sqrt(N));
    CHECK(fabs(mean_z) < 4 * 2 / sqrt(N) && fabs(square_z - 4) < 4 * 4 * sqrt(2.0 / N));
    tg_params_free(p);
    tg_params_free(q);
    tg_context_free(ctx);
}

TEST(a_plan_has_shapes_and_no_values)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    tg_optim *o = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 2, (int64_t[]){1 << 20, 1 << 10}, TG_INIT_NORMAL, 1, true, 0);
    int64_t before = tg_alloc_count();
    CHECK_OK(tg_params_seal(p, 1, true, true));
    CHECK_INT(tg_alloc_count() - before, 0);
    CHECK(!w->data && w->wants_grad && !tg_params_values(p) && !tg_params_grads(p));
    CHECK_INT(tg_params_elements(p), INT64_C(1) << 30);
    CHECK_OK(tg_optim_new(ctx, p, &(tg_optim_config){.kind = TG_ADAM}, &o)); /* what it would take can be asked */
    CHECK_INT(tg_optim_slabs(o), 2);
    CHECK(tg_optim_slab(o, 0) == NULL && tg_grad_norm(ctx, p) == 0);
    tg_optim_free(o);
    tg_params_free(p);
    tg_context_free(ctx);
}

TEST(a_failed_seal_leaves_the_set_as_it_was)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *w = tg_param(p, "w", 1, (int64_t[]){5}, TG_INIT_ONE, 1, true, 0);
    for (int64_t n = 1; n <= 4; n++) {
        tg_alloc_fail_at(n, false);
        CHECK_INT(tg_params_seal(p, 1, true, false), TG_ENOMEM);
        CHECK(!w->data && !tg_params_values(p) && !tg_params_grads(p));
    }
    tg_alloc_fail_at(0, false);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK(w->data[4] == 1);
    tg_params_free(p);
    tg_context_free(ctx);
}

static void expect(const tg_params *p, const char *name, int rank, int64_t rows, int64_t columns)
{
    const tg_tensor *x = tg_params_find(p, name);
    if (!x) test_failed(__FILE__, __LINE__, "no parameter %s", name);
    CHECK_INT(x->shape.rank, rank);
    CHECK_INT(x->shape.dims[0], rows);
    if (rank > 1) CHECK_INT(x->shape.dims[1], columns);
}

TEST(layers_have_pytorch_names_layouts_and_bounds_and_an_open_forget_gate)
{
    enum { V = 9, D = 5, H = 16 };
    tg_context *ctx = example_context(1, NULL);
    net n;
    net_make(&n, ctx, &(net_shape){.kind = TG_LSTM, .V = V, .D = D, .H = H, .layers = 2, .norm = true}, false);
    expect(n.params, "embedding.weight", 2, V, D);
    expect(n.params, "rnn.weight_ih_l0", 2, 4 * H, D);
    expect(n.params, "rnn.weight_hh_l0", 2, 4 * H, H);
    expect(n.params, "rnn.bias_ih_l0", 1, 4 * H, 0);
    expect(n.params, "rnn.bias_hh_l0", 1, 4 * H, 0);
    expect(n.params, "rnn.weight_ih_l1", 2, 4 * H, H);
    expect(n.params, "norm.weight", 1, H, 0);
    expect(n.params, "head.weight", 2, V, H);
    expect(n.params, "head.bias", 1, V, 0);
    const tg_recurrent_layer *l = &n.recurrent[1];
    float most = 0;
    for (int i = 0; i < 4 * H; i++) {
        bool forget = i >= H && i < 2 * H;
        if (forget) CHECK(l->b_ih->data[i] == 1 && l->b_hh->data[i] == 0);
        else CHECK(fabsf(l->b_ih->data[i]) <= 0.25f && fabsf(l->b_hh->data[i]) <= 0.25f);
        for (int j = 0; j < H; j++) most = fmaxf(most, fabsf(l->w_hh->data[i * H + j]));
    }
    CHECK(most > 0.24f && most <= 0.25f); /* 1/sqrt(H) */
    CHECK(n.norm.g->data[3] == 1 && n.norm.b->data[3] == 0);
    net_free(&n);
    tg_context_free(ctx);
}

TEST(declaring_a_layer_twice_says_which)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    tg_linear_layer l;
    tg_recurrent_layer r = {0};
    CHECK_OK(tg_params_new(ctx, &p));
    CHECK_OK(tg_linear_layer_declare(p, &l, "head", 3, 4, true, 1, 0));
    CHECK_ERROR(tg_linear_layer_declare(p, &l, "head", 3, 4, true, 1, 0), TG_EINVAL, "declaring the linear layer head: ");
    CHECK_ERROR(tg_recurrent_layer_declare(p, &r, "", 0, TG_GRU, 0, 4, 1, 0, 0), TG_EINVAL, "declaring layer 0 of : ");
    CHECK(r.w_ih == NULL);
    tg_params_free(p);
    tg_context_free(ctx);
}
