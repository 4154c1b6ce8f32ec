/* Tests of run/loop.c and run/generate.c: the steady state. */
#include "run/loop.h"

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

TEST(steps_after_the_third_allocate_nothing)
{
    bench b = bench_new("lstm", 2, 0.1);
    tg_step_info i;
    for (int k = 0; k < 3; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    int64_t before = tg_alloc_count();
    for (int k = 0; k < 40; k++) CHECK_OK(tg_loop_step(b.loop, &i));
    CHECK_INT(tg_alloc_count() - before, 0);
    test_note("allocations in 40 steps: %lld", (long long)(tg_alloc_count() - before));
    bench_free(&b);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(sampling_allocates_nothing_after_its_first_tokens)
{
    bench b = bench_new("lstm", 1, 0);
    tg_choice choice = {.temperature = 0.8, .top_k = 5, .top_p = 0.9, .min_p = 0, .repeat_penalty = 1.1};
    tg_generator *g;
    int32_t token = tg_first_token(tg_dataset_tokenizer(b.data));
    float log_prob;
    CHECK_OK(tg_generator_new(b.model, b.loop->tape, &choice, &g));
    CHECK_OK(tg_generator_start(g, &token, 1));
    for (int k = 0; k < 3; k++) CHECK_OK(tg_generator_next(g, 1, 0, k, &token, &log_prob));
    int64_t before = tg_alloc_count();
    for (int k = 3; k < 200; k++) CHECK_OK(tg_generator_next(g, 1, 0, k, &token, &log_prob));
    CHECK_INT(tg_alloc_count() - before, 0);
    tg_generator_free(g);
    bench_free(&b);
}

TEST(training_gives_the_same_bits_for_any_number_of_threads)
{
    uint8_t first[4096];
    for (int threads = 1; threads <= 4; threads++) {
        bench b = bench_new("lstm", threads, 0.2);
        tg_step_info i;
        for (int k = 0; k < 10; k++) CHECK_OK(tg_loop_step(b.loop, &i));
        const float *w = tg_params_values(tg_model_params(b.model));
        if (threads == 1) memcpy(first, w, sizeof first);
        CHECK_BYTES((const uint8_t *)w, first, (int64_t)sizeof first);
        bench_free(&b);
    }
}
