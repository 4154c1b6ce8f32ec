/* tape.c - what a tape promises: memory, errors, masks, sums of gradients, plans. */
#include "autograd/tape.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "support/example.h"
#include "support/net.h"
#include "test.h"

static const net_shape small = {.kind = TG_LSTM, .V = 11, .D = 6, .H = 9, .layers = 2, .norm = true, .dropout = 0.25};
enum { T = 7, B = 5 };

typedef struct bench { tg_context *ctx; tg_tape *tape; net n; int32_t *tokens, *targets; } bench;

static bench bench_new(const net_shape *shape, int threads)
{
    bench b = {.ctx = example_context(threads, NULL)};
    net_make(&b.n, b.ctx, shape, false);
    CHECK_OK(tg_tape_new(b.ctx, &b.tape));
    b.tokens = net_tokens(1, T * B, shape->V);
    b.targets = net_tokens(2, T * B, shape->V);
    return b;
}

static void bench_free(bench *b)
{
    tg_free(b->tokens);
    tg_free(b->targets);
    tg_tape_free(b->tape);
    net_free(&b->n);
    tg_context_free(b->ctx);
}

static float train_step(bench *b, uint64_t step, uint32_t groups)
{
    tg_tape_begin(b->tape, &(tg_tape_mode){.train = true, .seed = 1, .step = step, .groups = groups});
    tg_tensor *loss = net_loss(&b->n, b->tape, T, B, b->tokens, b->targets);
    CHECK_OK(tg_tape_backward(b->tape, loss));
    return loss->data[0];
}

TEST(training_steps_allocate_nothing_from_the_third_on)
{
    bench b = bench_new(&small, 2);
    for (uint64_t step = 0; step < 3; step++) train_step(&b, step, 0);
    int64_t before = tg_alloc_count();
    for (uint64_t step = 3; step < 20; step++) {
        tg_params_clear_grads(b.n.params);
        train_step(&b, step, 0);
    }
    CHECK_INT(tg_alloc_count() - before, 0);
    bench_free(&b);
}

/* Evaluation of another size between the steps, as a trainer does it, settles too; and so does sampling by tokens. */
TEST(evaluation_between_steps_and_sampling_allocate_nothing_in_the_end)
{
    bench b = bench_new(&small, 1);
    int64_t before = 0;
    for (uint64_t step = 0; step < 12; step++) {
        if (step == 6) before = tg_alloc_count();
        train_step(&b, step, 0);
        tg_tape_begin(b.tape, &(tg_tape_mode){0});
        CHECK(net_loss(&b.n, b.tape, 1, T * B, b.tokens, b.targets) != NULL);
        for (int64_t i = 0; i < 5; i++) {
            tg_tape_begin(b.tape, &(tg_tape_mode){0});
            tg_tensor *token = tg_input_ids(b.tape, 2, (int64_t[]){1, 1}, b.tokens + i);
            CHECK(net_logits(&b.n, b.tape, token, NULL, NULL, NULL) != NULL);
        }
    }
    CHECK_INT(tg_alloc_count() - before, 0);
    bench_free(&b);
}

TEST(without_training_nothing_is_recorded_and_memory_is_less)
{
    bench b = bench_new(&small, 1);
    tg_tape_begin(b.tape, &(tg_tape_mode){0});
    tg_tensor *loss = net_loss(&b.n, b.tape, T, B, b.tokens, b.targets);
    int64_t evaluating = tg_tape_peak(b.tape);
    CHECK(loss && !loss->wants_grad);
    CHECK_ERROR(tg_tape_backward(b.tape, loss), TG_EINVAL, "nothing was recorded");
    train_step(&b, 0, 0);
    test_note("evaluating: %lld bytes, training: %lld", (long long)evaluating, (long long)tg_tape_peak(b.tape));
    CHECK(evaluating < tg_tape_peak(b.tape) * 3 / 4);
    bench_free(&b);
}

TEST(the_first_error_is_kept_and_null_goes_through)
{
    bench b = bench_new(&small, 1);
    tg_tape *t = b.tape;
    float values[6] = {0};
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    CHECK_OK(tg_tape_status(t));
    tg_tensor *a = tg_input_values(t, 2, (int64_t[]){2, 3}, values), *c = tg_input_values(t, 1, (int64_t[]){6}, values);
    CHECK(a && c);
    CHECK(tg_add(t, a, c) == NULL);
    CHECK_ERROR(tg_tape_status(t), TG_EINVAL, "add: shapes [2, 3] and [6] differ");
    CHECK(tg_linear(t, NULL, NULL, NULL, TG_TANH) == NULL);
    CHECK(tg_add(t, a, a) == NULL); /* nothing goes on after an error */
    CHECK(tg_dropout(t, a, 0) == NULL);
    CHECK(tg_input_values(t, 1, (int64_t[]){1}, values) == NULL);
    CHECK_ERROR(tg_tape_backward(t, NULL), TG_EINVAL, "add: shapes");
    tg_fail(TG_EIO, "something else");
    CHECK_ERROR(tg_tape_status(t), TG_EINVAL, "add: shapes [2, 3] and [6] differ");
    train_step(&b, 0, 0); /* begin forgets it */
    bench_free(&b);
}

static void expect(tg_tape *t, tg_tensor *got, const char *message)
{
    CHECK(got == NULL);
    CHECK_ERROR(tg_tape_status(t), TG_EINVAL, message);
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
}

TEST(a_result_that_was_used_up_cannot_be_read_again_and_an_input_never_is)
{
    enum { STEPS = 3, ROWS = 2, H = 4 };
    bench b = bench_new(&(net_shape){.kind = TG_LSTM, .V = 5, .D = 4, .H = H, .layers = 1}, 1);
    const tg_recurrent_layer *l = &b.n.recurrent[0];
    float given[STEPS * ROWS * 4 * H], x[STEPS * ROWS * 4];
    for (int i = 0; i < STEPS * ROWS * 4 * H; i++) given[i] = (float)i * 0.01f;
    for (int i = 0; i < STEPS * ROWS * 4; i++) x[i] = (float)i * 0.1f;
    tg_tape_begin(b.tape, &(tg_tape_mode){.train = true});
    tg_tensor *values = tg_input_values(b.tape, 3, (int64_t[]){STEPS, ROWS, 4 * H}, given);
    CHECK(tg_lstm(b.tape, values, l->w_hh, l->b_hh, NULL, NULL, NULL, NULL, NULL));
    CHECK(tg_lstm(b.tape, values, l->w_hh, l->b_hh, NULL, NULL, NULL, NULL, NULL));
    for (int i = 0; i < STEPS * ROWS * 4 * H; i++) CHECK(given[i] == (float)i * 0.01f);
    tg_tensor *in = tg_input_values(b.tape, 3, (int64_t[]){STEPS, ROWS, 4}, x);
    tg_tensor *gx = tg_linear(b.tape, in, l->w_ih, l->b_ih, TG_LINEAR), *act = tg_linear(b.tape, in, l->w_ih, l->b_ih, TG_TANH);
    CHECK(tg_lstm(b.tape, act, l->w_hh, l->b_hh, NULL, NULL, NULL, NULL, NULL));
    CHECK(tg_add(b.tape, act, act)); /* tanh's gradient needs it: it was left alone */
    tg_tensor *read = tg_linear(b.tape, in, l->w_ih, l->b_ih, TG_LINEAR);
    CHECK(tg_add(b.tape, read, read)); /* read before: another op's backward may need it */
    memcpy(given, read->data, sizeof given);
    CHECK(tg_lstm(b.tape, read, l->w_hh, l->b_hh, NULL, NULL, NULL, NULL, NULL));
    CHECK_BYTES(read->data, given, (int64_t)sizeof given);
    CHECK(tg_lstm(b.tape, gx, l->w_hh, l->b_hh, NULL, NULL, NULL, NULL, NULL));
    CHECK(!tg_add(b.tape, gx, gx));
    CHECK_ERROR(tg_tape_status(b.tape), TG_EINVAL, "used up");
    bench_free(&b);
}

TEST(every_op_says_which_shapes_do_not_fit)
{
    bench b = bench_new(&small, 1);
    tg_tape *t = b.tape;
    float v[64] = {0};
    int32_t ids[4] = {0, 1, 7, -1}, none[4] = {-1, -1, -1, -1};
    tg_tensor m23 = {.shape = tg_shape_of(2, (int64_t[]){2, 3}), .data = v, .group = -1};
    tg_tensor m45 = {.shape = tg_shape_of(2, (int64_t[]){4, 5}), .data = v, .group = -1};
    tg_tensor v5 = {.shape = tg_shape_of(1, (int64_t[]){5}), .data = v, .group = -1};
    tg_tensor gx = {.shape = tg_shape_of(3, (int64_t[]){2, 2, 4}), .data = v, .group = -1};
    tg_tensor one = {.shape = tg_shape_of(0, NULL), .data = v, .group = -1};
    tg_tensor i4 = {.shape = tg_shape_of(1, (int64_t[]){4}), .dtype = TG_I32, .ids = ids, .group = -1};
    tg_tensor n4 = {.shape = tg_shape_of(1, (int64_t[]){4}), .dtype = TG_I32, .ids = none, .group = -1};
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    expect(t, tg_input_values(t, 1, (int64_t[]){0}, v), "input [0] is empty");
    expect(t, tg_linear(t, &m23, &m45, NULL, TG_LINEAR), "linear: x [2, 3] does not fit w [4, 5]");
    expect(t, tg_linear(t, &m45, &m45, &v5, TG_LINEAR), "linear: bias [5] does not fit w [4, 5]");
    expect(t, tg_linear(t, &m45, NULL, NULL, TG_LINEAR), "linear: input 1 is missing");
    expect(t, tg_embed(t, &m23, &i4), "embed: id 7 at position 2 is outside the table of 2 rows");
    expect(t, tg_reshape(t, &m23, 1, (int64_t[]){5}), "reshape: [2, 3] and [5]");
    expect(t, tg_flatten(t, &one), "reshape: [] and [0, 0] have not as many elements");
    expect(t, tg_dropout(t, &m23, 1), "dropout: the probability must be");
    expect(t, tg_dropout(t, &m23, -0.1), "dropout: the probability must be");
    expect(t, tg_dropout(t, &m23, (double)NAN), "dropout: the probability must be");
    expect(t, tg_layernorm(t, &m23, &v5, &v5, 1e-5), "layernorm: x [2, 3] wants");
    expect(t, tg_cross_entropy(t, &m23, &i4), "cross_entropy: logits [2, 3] want a target a row, not [4]");
    expect(t, tg_cross_entropy(t, &m45, &i4), "cross_entropy: target 7 at position 2, but there are 5 classes");
    expect(t, tg_cross_entropy(t, &m45, &n4), "cross_entropy: no target is 0 or more");
    expect(t, tg_lstm(t, &gx, &m23, &v5, NULL, NULL, NULL, NULL, NULL), "lstm: input [2, 2, 4] and weights [2, 3]");
    bench_free(&b);
}

static void check_groups(const tg_params *p, int group)
{
    for (int64_t i = 0; i < tg_params_count(p); i++)
        CHECK_INT(tg_params_at(p, i)->has_grad, tg_params_at(p, i)->group == group);
}

/* Whatever the op: a sigmoid's values are in 0..1, a tanh's in -1..1; an LSTM's output is less than its gate lets through. */
static void check_units(void *user, const tg_node *n)
{
    int64_t *seen = user;
    tg_op_units u[TG_OP_UNITS] = {{0}};
    const int count = n->op->units ? n->op->units(n, u) : 0;
    for (int k = 0; k < count; k++) {
        const int act = u[k].act;
        CHECK(u[k].what && u[k].units * u[k].inner <= u[k].stride);
        if (n->op != &tg_op_activate) CHECK_INT(u[k].rows * u[k].stride % tg_shape_count(&n->out->shape), 0);
        for (int64_t r = 0; r < u[k].rows; r++)
            for (int64_t i = 0; i < u[k].units * u[k].inner; i++) {
                const float x = u[k].values[r * u[k].stride + i];
                if (act == TG_SIGMOID) CHECK(x >= 0 && x <= 1);
                if (act == TG_TANH) CHECK(x >= -1 && x <= 1);
                if (act == TG_RELU && !u[k].before) CHECK(x >= 0);
                if (n->op == &tg_op_lstm && k == 3) CHECK(fabsf(n->out->data[r * u[k].units + i]) <= x);
            }
        seen[act]++;
    }
}

TEST(ops_with_an_activation_show_their_units)
{
    int64_t seen[TG_SOFTPLUS + 1] = {0};
    tg_context *ctx = example_context(2, NULL);
    tg_tape *t;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_watch(t, check_units, seen);
    for (int64_t i = 0; tg_op_at(i); i++) {
        example e;
        for (int variant = 0; example_make(&e, tg_op_at(i), variant); variant++) {
            CHECK(example_run(&e, t) != NULL);
            example_free(&e);
        }
    }
    for (int act = TG_TANH; act <= TG_SOFTPLUS; act++) CHECK(seen[act] > 0);
    tg_tape_watch(t, NULL, NULL);
    tg_tape_free(t);
    tg_context_free(ctx);
}

TEST(groups_that_are_masked_out_get_no_gradient)
{
    bench b = bench_new(&small, 1);
    const tg_params *p = b.n.params;
    train_step(&b, 0, 1u << 1); /* the head alone */
    double masked = tg_tape_backward_flops(b.tape);
    check_groups(p, 1);
    tg_params_clear_grads(b.n.params);
    train_step(&b, 0, 1u << 0); /* all below it: its weights still carry the gradient down */
    check_groups(p, 0);
    CHECK(tg_tape_backward_flops(b.tape) > 2 * masked);
    float below = b.n.embed.table->grad[0];
    tg_params_clear_grads(b.n.params);
    train_step(&b, 0, 0);
    for (int64_t i = 0; i < tg_params_count(p); i++) CHECK(tg_params_at(p, i)->has_grad);
    CHECK(b.n.embed.table->grad[0] == below);
    bench_free(&b);
}

/* Five micro-batches of one row each: the mean of their gradients is the gradient of the batch of five. */
TEST(gradients_of_micro_batches_add_up_to_those_of_the_batch)
{
    net_shape shape = small;
    shape.dropout = 0; /* its masks are another matter */
    bench b = bench_new(&shape, 1);
    int64_t size = tg_params_size(b.n.params);
    double *want = tg_alloc_array(size, sizeof *want);
    int32_t tokens[T], targets[T];
    train_step(&b, 0, 0);
    for (int64_t i = 0; i < size; i++) want[i] = (double)tg_params_grads(b.n.params)[i];
    tg_params_clear_grads(b.n.params);
    for (int row = 0; row < B; row++) {
        for (int t = 0; t < T; t++) tokens[t] = b.tokens[t * B + row], targets[t] = b.targets[t * B + row];
        tg_tape_begin(b.tape, &(tg_tape_mode){.train = true});
        CHECK_OK(tg_tape_backward(b.tape, net_loss(&b.n, b.tape, T, 1, tokens, targets)));
    }
    float *got = tg_params_grads(b.n.params);
    for (int64_t i = 0; i < size; i++) got[i] /= B;
    CHECK_CLOSE(got, want, size, 1e-6);
    tg_free(want);
    bench_free(&b);
}

/* The embedding is the head, too: both uses add to one gradient. */
TEST(a_parameter_used_twice_gets_the_sum_of_both_gradients)
{
    tg_context *ctx = example_context(1, NULL);
    tg_params *p = NULL;
    tg_tape *t = NULL;
    enum { V = 5, D = 4, N = 6 };
    CHECK_OK(tg_params_new(ctx, &p));
    tg_tensor *one = tg_param(p, "tied", 2, (int64_t[]){V, D}, TG_INIT_NORMAL, 1, true, 0);
    tg_tensor *first = tg_param(p, "first", 2, (int64_t[]){V, D}, TG_INIT_ZERO, 1, true, 0);
    tg_tensor *second = tg_param(p, "second", 2, (int64_t[]){V, D}, TG_INIT_ZERO, 1, true, 0);
    CHECK_OK(tg_params_seal(p, 1, true, false));
    CHECK_OK(tg_tape_new(ctx, &t));
    memcpy(first->data, one->data, V * D * sizeof(float));
    memcpy(second->data, one->data, V * D * sizeof(float));
    int32_t *ids = net_tokens(1, N, V), *targets = net_tokens(2, N, V);
    for (int tied = 0; tied < 2; tied++) {
        tg_tape_begin(t, &(tg_tape_mode){.train = true});
        tg_tensor *x = tg_embed(t, tied ? one : first, tg_input_ids(t, 1, (int64_t[]){N}, ids));
        x = tg_linear(t, x, tied ? one : second, NULL, TG_LINEAR);
        CHECK_OK(tg_tape_backward(t, tg_cross_entropy(t, x, tg_input_ids(t, 1, (int64_t[]){N}, targets))));
    }
    double want[V * D];
    for (int i = 0; i < V * D; i++) want[i] = (double)first->grad[i] + (double)second->grad[i];
    CHECK_CLOSE(one->grad, want, V * D, 1e-6);
    tg_free(ids);
    tg_free(targets);
    tg_tape_free(t);
    tg_params_free(p);
    tg_context_free(ctx);
}

/* A row of products; where settled, after each the memory of the last is given back. */
static tg_tensor *row_of_products(tg_tape *t, tg_tensor *x, tg_tensor *w, int n, bool settled)
{
    for (int i = 0; i < n && x; i++) {
        const tg_tape_place before = tg_tape_here(t);
        tg_tensor *next = tg_activate(t, tg_linear(t, x, w, NULL, TG_LINEAR), TG_TANH);
        x = settled ? tg_tape_settle(t, before, x, next) : next;
    }
    return x;
}

typedef struct row_job { tg_context *ctx; tg_tape *tape; tg_tensor w, x; } row_job;
enum { ROW = 24, DEEP = 12, ROW_BYTES = ROW * ROW * 4 };

static row_job row_new(bool trained)
{
    row_job r = {.ctx = example_context(2, NULL), .w = {.group = -1, .wants_grad = trained}, .x = {.group = -1}};
    tg_tensor *const both[] = {&r.w, &r.x};
    for (int k = 0; k < 2; k++) {
        both[k]->shape = tg_shape_of(2, (int64_t[]){ROW, ROW});
        both[k]->data = tg_alloc(ROW_BYTES);
        CHECK(both[k]->data != NULL);
        for (int i = 0; i < ROW * ROW; i++) both[k]->data[i] = (float)((i * 7 + k) % 11 - 5) / 40;
    }
    CHECK_OK(tg_tape_new(r.ctx, &r.tape));
    return r;
}

static void row_free(row_job *r)
{
    tg_free(r->w.data);
    tg_free(r->x.data);
    tg_tape_free(r->tape);
    tg_context_free(r->ctx);
}

TEST(a_pass_that_is_settled_holds_one_part_and_gives_the_same)
{
    float *want = tg_alloc(ROW_BYTES);
    int64_t peak[2];
    CHECK(want != NULL);
    for (int settled = 0; settled < 2; settled++) {
        row_job r = row_new(false);
        tg_tape_begin(r.tape, &(tg_tape_mode){0});
        tg_tensor *x = tg_scale(r.tape, &r.x, 1, 0), *y = row_of_products(r.tape, x, &r.w, DEEP, settled);
        CHECK_OK(tg_tape_status(r.tape));
        CHECK(!settled || (y == x && !x->spent));
        if (settled) CHECK_BYTES(y->data, want, ROW_BYTES);
        memcpy(want, y->data, ROW_BYTES);
        peak[settled] = tg_tape_peak(r.tape);
        row_free(&r);
    }
    test_note("%lld bytes, settled %lld", (long long)peak[0], (long long)peak[1]);
    CHECK(peak[0] > DEEP * ROW_BYTES && peak[1] < 6 * ROW_BYTES);
    tg_free(want);
}

/* Nothing that backward will read is given back, and gradients take the memory of those that have been read: beyond what
 * forward keeps, a row of any length takes a few. */
TEST(gradients_that_were_read_leave_their_memory_to_others)
{
    row_job r = row_new(true);
    tg_tape_begin(r.tape, &(tg_tape_mode){.train = true});
    tg_tensor *x = tg_scale(r.tape, &r.x, 1, 0), *y = row_of_products(r.tape, x, &r.w, DEEP, true);
    CHECK(y != x);
    const int64_t forward = tg_tape_peak(r.tape);
    CHECK_OK(tg_tape_backward(r.tape, tg_sum(r.tape, y)));
    const int64_t more = tg_tape_peak(r.tape) - forward;
    test_note("forward %lld bytes, backward %lld more", (long long)forward, (long long)more);
    CHECK(forward > DEEP * ROW_BYTES && more < 7 * ROW_BYTES);
    CHECK(r.w.has_grad && !y->has_grad && !y->grad); /* what has left its memory is not there to be read */
    row_free(&r);
}

/* y = (a + a) + reshape(a), used again behind: gradients that are adopted and then added to. */
TEST(adopted_gradients_are_added_to_rightly)
{
    tg_context *ctx = example_context(1, NULL);
    tg_tape *t = NULL;
    float a_data[6] = {1, 2, 3, 4, 5, 6}, dot_data[6] = {1, -1, 2, -2, 3, -3};
    tg_tensor a = {.shape = tg_shape_of(2, (int64_t[]){2, 3}), .data = a_data, .wants_grad = true, .group = -1};
    tg_tensor dot = {.shape = tg_shape_of(2, (int64_t[]){1, 6}), .data = dot_data, .group = -1};
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *twice = tg_add(t, &a, &a);                               /* 2a */
    tg_tensor *flat = tg_reshape(t, twice, 2, (int64_t[]){1, 6});       /* 2a */
    tg_tensor *again = tg_reshape(t, tg_add(t, twice, &a), 2, (int64_t[]){1, 6}); /* 3a */
    tg_tensor *sum = tg_add(t, tg_add(t, flat, again), flat);           /* 7a */
    CHECK_OK(tg_tape_backward(t, tg_linear(t, sum, &dot, NULL, TG_LINEAR)));
    double want[6];
    for (int i = 0; i < 6; i++) want[i] = 7 * (double)dot_data[i];
    CHECK_CLOSE(a.grad, want, 6, 1e-6);
    tg_tape_free(t);
    tg_context_free(ctx);
}

static void check_plan(const net_shape *shape)
{
    bench b = bench_new(shape, 2);
    net planned;
    tg_tape *plan = NULL;
    net_make(&planned, b.ctx, shape, true);
    CHECK_OK(tg_tape_new(b.ctx, &plan));
    CHECK(tg_params_values(planned.params) == NULL);
    for (int pass = 0; pass < 2; pass++) { /* the second adds to gradients that are there */
        tg_tape_begin(plan, &(tg_tape_mode){.train = true, .plan = true});
        CHECK_OK(tg_tape_backward(plan, net_loss(&planned, plan, T, B, NULL, NULL)));
        train_step(&b, 0, 0);
    }
    double real = (double)tg_tape_peak(b.tape), want = (double)tg_tape_peak(plan);
    CHECK(fabs(real / want - 1) < 0.05);
    CHECK(fabs((double)tg_arena_peak(b.tape->arena) / want - 1) < 0.05);
    CHECK(tg_tape_flops(plan) == tg_tape_flops(b.tape));
    CHECK(tg_tape_backward_flops(plan) == tg_tape_backward_flops(b.tape));
    CHECK(tg_arena_peak(plan->arena) < (64 << 10)); /* records only */
    test_note("planned %.0f bytes, used %.0f", want, real);
    tg_tape_free(plan);
    net_free(&planned);
    bench_free(&b);
}

/* Weight gradients over 600 rows take other ways through a product than short ones: the room they were given is enough
 * (AddressSanitizer sees it if it is not). */
TEST(long_batches_have_the_scratch_they_need)
{
    enum { LONG = 20, WIDE = 32 };
    static const int64_t hidden[] = {32, 256};
    for (int i = 0; i < 2; i++) {
        bench b = bench_new(&(net_shape){.kind = TG_LSTM, .V = 11, .D = 16, .H = hidden[i], .layers = 1}, 2);
        int32_t *tokens = net_tokens(1, LONG * WIDE, 11), *targets = net_tokens(2, LONG * WIDE, 11);
        tg_tape_begin(b.tape, &(tg_tape_mode){.train = true});
        CHECK_OK(tg_tape_backward(b.tape, net_loss(&b.n, b.tape, LONG, WIDE, tokens, targets)));
        tg_free(tokens);
        tg_free(targets);
        bench_free(&b);
    }
}

TEST(the_planned_peak_is_the_real_one)
{
    net_shape shape = small;
    check_plan(&shape);
    shape.kind = TG_GRU;
    shape.H = 100;
    check_plan(&shape);
    shape.kind = TG_RNN_RELU;
    shape.V = 3000;
    check_plan(&shape);
}

/* Products: 2·N·(4H·D + 4H·H) a layer and 2·N·H·V for the head are nearly all there is. */
TEST(costs_are_counted_by_formula)
{
    net_shape shape = {.kind = TG_LSTM, .V = 60, .D = 128, .H = 128, .layers = 1};
    bench b = bench_new(&shape, 1);
    train_step(&b, 0, 0);
    double want = 2.0 * T * B * (4.0 * 128 * 128 + 4.0 * 128 * 128 + 128 * 60.0);
    CHECK(tg_tape_flops(b.tape) > want && tg_tape_flops(b.tape) < 1.1 * want);
    CHECK(tg_tape_backward_flops(b.tape) > 2 * want && tg_tape_backward_flops(b.tape) < 2.2 * want);
    bench_free(&b);
}

/* Every allocation of a tape's life may fail: an error, never a crash, and the next step works. */
TEST(a_tape_survives_any_failed_allocation)
{
    bench b = bench_new(&small, 1);
    float want = train_step(&b, 0, 0);
    for (int64_t n = 1;; n++) {
        tg_tape *t = NULL;
        tg_alloc_fail_at(n, false);
        tg_status s = tg_tape_new(b.ctx, &t);
        bool failed = s != TG_OK;
        for (int step = 0; step < 3 && t; step++) {
            tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1});
            tg_tensor *loss = net_loss(&b.n, t, T, B, b.tokens, b.targets);
            s = loss ? tg_tape_backward(t, loss) : tg_tape_status(t);
            failed = failed || s != TG_OK;
            if (s) CHECK_INT(s, TG_ENOMEM);
            else CHECK(loss->data[0] == want);
        }
        tg_alloc_fail_at(0, false);
        tg_tape_free(t);
        if (!failed) break;
        CHECK(n < 1000);
    }
    bench_free(&b);
}
