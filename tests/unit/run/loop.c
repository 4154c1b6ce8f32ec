/* Tests of run/loop.c and run/generate.c: the steady state. */
#include "run/loop.h"

#include <math.h>

#include "run/generate.h"
#include "support/bench.h"

static void learns(const char *name)
{
    bench b = bench_new(name, 2, 0);
    tg_step_info i = {0};
    for (int k = 0; k < 150; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    test_note("%s: %lld thousandths of a nat after 150 steps", name, (long long)(i.loss * 1000));
    CHECK(i.loss < 0.2); /* guessing among the 14 characters costs 2.6 */
    double nats;
    CHECK_OK(tg_loop_evaluate(b.loop, &nats));
    CHECK(nats < 0.4); /* streams start from zero state, so the first characters cost more */
    bench_free(&b);
}

TEST(an_lstm_learns_a_sentence_by_heart) { learns("lstm"); }
TEST(a_gru_learns_a_sentence_by_heart) { learns("gru"); }
TEST(an_rnn_learns_a_sentence_by_heart) { learns("rnn"); }

static void trains_without_allocating(const char *name)
{
    bench b = bench_new(name, 2, 0.1);
    tg_step_info i;
    for (int k = 0; k < 3; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    int64_t before = tg_alloc_count();
    for (int k = 0; k < 40; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    CHECK_INT(tg_alloc_count() - before, 0);
    test_note("%s: allocations in 40 steps: %lld", name, (long long)(tg_alloc_count() - before));
    bench_free(&b);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(steps_after_the_third_allocate_nothing) { trains_without_allocating("lstm"); }
TEST(a_transformers_steps_after_the_third_allocate_nothing) { trains_without_allocating("transformer"); }

/* `first`: tokens until every size has come; a full context, which slides, is one. Of several texts one ends after the other. */
static void samples_without_allocating(const char *name, int texts, int first)
{
    bench b = bench_new(name, 1, 0);
    tg_choice choice = {.temperature = 0.8, .top_k = 5, .top_p = 0.9, .min_p = 0, .repeat_penalty = 1.1};
    tg_generator *g;
    const tg_tokenizer *tokens = tg_dataset_tokenizer(b.data);
    int32_t token, opening[TG_OPENING];
    float log_prob;
    int64_t before = 0;
    const int64_t count = tg_opening(tokens, -1, false, 1, 0, opening);
    CHECK_OK(tg_generator_new(b.model, b.loop->tape, tokens, &choice, 0, texts, &g));
    CHECK_OK(tg_generator_start(g, &(tg_beginning){.prompt = opening, .count = count}, texts));
    for (int k = 0; k < 200; k++) {
        if (k == first) before = tg_alloc_count();
        for (int i = texts > 1 ? k / 60 : 0; i < texts; i++) CHECK_OK(tg_generator_next(g, i, 1, i, k, &token, &log_prob));
        if (k % 60 == 59 && texts > 1) tg_generator_end(g, k / 60);
    }
    CHECK_INT(tg_alloc_count() - before, 0);
    tg_generator_free(g);
    bench_free(&b);
}

TEST(sampling_several_texts_allocates_nothing_after_the_first_tokens)
{
    samples_without_allocating("lstm", 4, 3);
    samples_without_allocating("transformer", 4, 32);
}
TEST(sampling_allocates_nothing_after_its_first_tokens) { samples_without_allocating("lstm", 1, 3); }
TEST(sampling_a_transformer_allocates_nothing_after_its_first_slide) { samples_without_allocating("transformer", 1, 32); }

static void same_bits_for_any_threads(const char *name)
{
    uint8_t first[4096];
    for (int threads = 1; threads <= 4; threads++) {
        bench b = bench_new(name, threads, 0.2);
        tg_step_info i;
        for (int k = 0; k < 10; k++) CHECK_OK(tg_loop_step(b.loop, &i));
        const float *w = tg_params_values(tg_model_params(b.model));
        if (threads == 1) memcpy(first, w, sizeof first);
        CHECK_BYTES((const uint8_t *)w, first, (int64_t)sizeof first);
        bench_free(&b);
    }
}

TEST(training_gives_the_same_bits_for_any_number_of_threads) { same_bits_for_any_threads("lstm"); }
TEST(training_a_transformer_gives_the_same_bits_for_any_number_of_threads) { same_bits_for_any_threads("transformer"); }

/* Weights after one step of plain descent, over `accum` batches; lr 0 leaves them, and the gradient can be read. */
static float *one_step(int64_t accum, double lr, int64_t first, float *grads)
{
    bench b = bench_new("gru", 1, 0);
    const int64_t n = tg_params_size(tg_model_params(b.model));
    tg_loop_options o = b.loop->options;
    o.optim = (tg_optim_config){.kind = TG_SGD};
    o.schedule.lr = lr;
    o.clip = 0;
    o.accum = accum;
    tg_loop *l;
    tg_step_info i;
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &l));
    for (int64_t k = 0; k <= first; k++) CHECK_OK(tg_loop_step(l, &i));
    if (grads) memcpy(grads, tg_params_grads(tg_model_params(b.model)), (size_t)n * sizeof *grads);
    float *w = tg_alloc_array(n, sizeof *w);
    memcpy(w, tg_params_values(tg_model_params(b.model)), (size_t)n * sizeof *w);
    tg_loop_free(l);
    bench_free(&b);
    return w;
}

TEST(accumulated_batches_take_the_mean_of_their_gradients)
{
    enum { N = 1 << 16 };
    static float first[N], second[N];
    float *start = one_step(1, 0, 0, first), *same = one_step(1, 0, 1, second), *w = one_step(2, 0.5, 0, NULL);
    int64_t n = 3 * 24 * 24; /* of the first tensors: what is compared is enough */
    for (int64_t i = 0; i < n; i++) {
        CHECK(start[i] == same[i]);
        const double want = (double)start[i] - 0.5 * ((double)first[i] + (double)second[i]) / 2;
        if (!(fabs((double)w[i] - want) < 1e-6)) test_failed(__FILE__, __LINE__, "[%lld]: %g, not %g", (long long)i, (double)w[i], want);
    }
    tg_free(start);
    tg_free(same);
    tg_free(w);
}

/* Behind a step of a transformer whose net is very wide, over `accum` batches of `batch` windows. */
static tg_step_info wide_step(int64_t batch, int64_t accum, int64_t *rows, float weights[8])
{
    bench b = bench_new("lstm", 2, 0);
    tg_model *m;
    tg_loop *l;
    tg_step_info i = {0};
    const tg_model_data about = tg_model_data_of(tg_dataset_tokenizer(b.data));
    const char *const *settings = WITH("layers=1", "heads=1", "dim=2", "ffn=65536", "context=16", "dropout=0.2");
    CHECK_OK(model_with(b.ctx, "transformer", settings, &about, true, &m));
    tg_loop_options o = b.loop->options;
    o.batch = batch;
    o.accum = accum;
    CHECK_OK(tg_loop_new(b.ctx, m, b.data, &o, &l));
    CHECK_OK(tg_loop_step(l, &i));
    *rows = l->rows;
    memcpy(weights, tg_params_values(tg_model_params(m)), 8 * sizeof *weights);
    tg_loop_free(l);
    tg_model_free(m);
    bench_free(&b);
    return i;
}

/* Such a step has the bits of one over that many batches. */
TEST(a_batch_that_memory_cannot_hold_is_taken_in_pieces)
{
    int64_t pieces, whole;
    float w[8], same[8];
    const tg_step_info one = wide_step(24, 1, &pieces, w), two = wide_step(12, 2, &whole, same);
    CHECK_INT(pieces, 12); /* 13 fit */
    CHECK_INT(whole, 12);
    CHECK_INT(one.tokens, 24 * 16);
    CHECK(one.loss == two.loss && one.grad_norm == two.grad_norm);
    CHECK_BYTES((const uint8_t *)w, (const uint8_t *)same, (int64_t)sizeof w);
}

enum { HALF = 32, SHORT = 8 };

/* Two halves that each begin with a start: SHORT empty documents and one of 14 letters, 23 targets; one document of 30
 * letters, 31 targets. */
static void make_halves(void)
{
    tg_tokenizer *t = char_tokenizer_of("ab");
    CHECK_OK(tg_tokenizer_add_specials(t, false, true, NULL, 0));
    const int32_t start = tg_tokenizer_start(t), end = tg_tokenizer_end(t);
    int32_t ids[2 * HALF + 2];
    int64_t starts[SHORT + 3], documents = 0;
    for (int64_t i = 0; i < 2 * HALF + 2; i++) {
        const bool opens = i <= 2 * SHORT ? i % 2 == 0 : i % HALF == 0;
        const bool closes = i < 2 * SHORT ? i % 2 == 1 : i % HALF == HALF - 1;
        if (opens) starts[documents++] = i;
        ids[i] = opens ? start : closes || i > 2 * HALF ? end : (int32_t)(i * i % 7 % 2);
    }
    tg_packer *p;
    tg_scratch *tokens, *of_starts;
    tg_figures f;
    char hash[65];
    CHECK_OK(tg_scratch_new(one_path(), 1 << 20, &tokens));
    CHECK_OK(tg_scratch_of((const char *)starts, documents * (int64_t)sizeof *starts, &of_starts));
    CHECK_OK(tg_packer_new(t, tokens, &p));
    CHECK_OK(tg_packer_ids(p, ids, 2 * HALF + 2));
    CHECK_OK(tg_packer_end(p));
    CHECK_OK(tg_figures_count(t, tokens, (int64_t[]){2 * HALF + 2, 0, 0}, &f));
    tg_dataset_draft draft = {.tokenizer = t, .tokens = tokens, .figures = &f, .documents = {documents}, .starts = of_starts,
                              .split = "{}", .verdict = "{}", .report = "{}", .provenance = "{}"};
    CHECK_OK(tg_dataset_write(one_path(), &draft, hash));
    tg_packer_free(p);
    tg_scratch_free(tokens);
    tg_scratch_free(of_starts);
    tg_tokenizer_free(t);
}

/* The first step over `accum` batches of `batch` rows, with threads threads; the weights behind it. */
static float *halves_step(int64_t batch, int64_t accum, int threads, tg_step_info *i)
{
    bench b = bench_over_made("gru", threads, 0);
    const int64_t n = tg_params_size(tg_model_params(b.model));
    tg_loop_options o = b.loop->options;
    tg_loop *l;
    o.optim = (tg_optim_config){.kind = TG_SGD};
    o.schedule.lr = 0.5;
    o.clip = 0;
    o.batch = batch;
    o.accum = accum;
    o.seq = HALF;
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &l));
    CHECK_OK(tg_loop_step(l, i));
    float *w = tg_alloc_array(n + 1, sizeof *w);
    memcpy(w, tg_params_values(tg_model_params(b.model)), (size_t)n * sizeof *w);
    tg_loop_free(l);
    bench_free(&b);
    return w;
}

/* A start clears the state, so a half is the same behind the other one as beside it. */
TEST(batches_of_unlike_documents_make_the_step_of_one_that_holds_them_all)
{
    tg_step_info one, two, again;
    make_halves();
    float *whole = halves_step(2, 1, 1, &one), *parts = halves_step(1, 2, 1, &two), *same = halves_step(1, 2, 3, &again);
    const int64_t n = 3 * 24 * 24;
    CHECK_INT(one.tokens, 23 + 31);
    CHECK_INT(two.tokens, 23 + 31);
    CHECK(fabs(one.loss - two.loss) < 1e-6 && fabs(one.grad_norm - two.grad_norm) < 1e-6 * one.grad_norm);
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)whole[i] - (double)parts[i]) < 1e-6))
            test_failed(__FILE__, __LINE__, "[%lld]: %g, not %g", (long long)i, (double)parts[i], (double)whole[i]);
    CHECK(two.loss == again.loss && two.grad_norm == again.grad_norm);
    CHECK_BYTES((const uint8_t *)same, (const uint8_t *)parts, n * (int64_t)sizeof *parts);
    tg_free(whole);
    tg_free(parts);
    tg_free(same);
}

static volatile int cancelled;

TEST(a_cancelled_evaluation_is_as_if_it_had_not_been_asked_for)
{
    bench b = bench_new("lstm", 1, 0);
    tg_context *ctx;
    tg_step_info i;
    double nats = -1, again = -1;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &cancelled}, &ctx));
    for (int k = 0; k < 3; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    b.loop->ctx = ctx;
    cancelled = 1;
    CHECK_INT(tg_loop_evaluate(b.loop, &nats), TG_ECANCELLED);
    CHECK(nats == -1 && b.loop->place.evaluated == -1 && isnan(b.loop->place.best_loss));
    cancelled = 0;
    CHECK_OK(tg_loop_evaluate(b.loop, &nats));
    CHECK_OK(tg_loop_evaluate(b.loop, &again));
    CHECK(nats == again && b.loop->place.evaluated == 3);
    b.loop->ctx = b.ctx;
    tg_context_free(ctx);
    bench_free(&b);
}
