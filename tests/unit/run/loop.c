/* Tests of run/loop.c and run/generate.c: the steady state. */
#include "run/loop.h"

#include <stdio.h>

#include "support/make.h"
#include "run/generate.h"

/* A training loop over a text that repeats a sentence, with what it needs; freed by bench_free. */
typedef struct bench {
    tg_context *ctx;
    tg_dataset *data;
    tg_model *model;
    tg_loop *loop;
} bench;

static bench bench_new(const char *name, int threads, double dropout)
{
    bench b = {0};
    char text[40 * 32 + 1] = "", hash[65], flag[32];
    for (int i = 0; i < 40; i++) strcat(text, "the cat sat on the mat, and so.\n");
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(one_path(), t, text, (int64_t)strlen(text), 1000, (int64_t)strlen(text) - 1000, "{}", hash);
    tg_tokenizer_free(t);
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads}, &b.ctx));
    CHECK_OK(tg_dataset_open(b.ctx, one_path(), &b.data));
    const tg_model_desc *desc;
    CHECK_OK(tg_model_find(name, &desc));
    tg_keys *keys;
    void *config = tg_alloc(desc->config_size);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, name, desc->keys, config));
    CHECK_OK(tg_keys_set(keys, "hidden", "24", TG_FROM_FLAG));
    snprintf(flag, sizeof flag, "%d.%d", 0, (int)(dropout * 10));
    CHECK_OK(tg_keys_set(keys, "dropout", flag, TG_FROM_FLAG));
    tg_model_data about = {TG_KIND_TEXT, tg_tokenizer_vocab(tg_dataset_tokenizer(b.data))};
    CHECK_OK(tg_model_new(b.ctx, desc, config, &about, 1, true, false, &b.model));
    tg_keys_free(keys);
    tg_free(config);
    tg_loop_options o = {.optim = {.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                         .schedule = {.kind = TG_CONSTANT, .lr = 0.01, .steps = 1000}, .batch = 4, .seq = 16, .accum = 1,
                         .clip = 5, .seed = 1};
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &b.loop));
    return b;
}

static void bench_free(bench *b)
{
    tg_loop_free(b->loop);
    tg_model_free(b->model);
    tg_dataset_close(b->data);
    tg_context_free(b->ctx);
}

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
