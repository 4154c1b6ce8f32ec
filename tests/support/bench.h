/* bench.h - a small training loop for tests, in one call. */
#ifndef TG_TEST_BENCH_H
#define TG_TEST_BENCH_H
#include <stdio.h>

#include "run/loop.h"
#include "support/make.h"
#include "support/models.h"

/* A training loop with what it needs; freed by bench_free. */
typedef struct bench {
    tg_context *ctx;
    tg_dataset *data;
    tg_model *model;
    tg_loop *loop;
} bench;

/* Over the dataset at one_path(). */
static inline bench bench_over_made(const char *name, int threads, double dropout)
{
    bench b = {0};
    char flag[32];
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads}, &b.ctx));
    CHECK_OK(tg_dataset_open(b.ctx, one_path(), &b.data));
    snprintf(flag, sizeof flag, "dropout=0.%d", (int)(dropout * 10));
    const bool transformer = !strcmp(name, "transformer"); /* its context is seq below */
    const tg_model_data about = tg_model_data_of(tg_dataset_tokenizer(b.data));
    const char *const *settings = transformer ? WITH("dim=24", "context=16", flag) : WITH("hidden=24", flag);
    CHECK_OK(model_with(b.ctx, name, settings, &about, true, &b.model));
    tg_loop_options o = {.optim = {.kind = TG_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                         .schedule = {.kind = TG_CONSTANT, .lr = 0.01, .steps = 1000}, .batch = 4, .seq = 16, .accum = 1,
                         .clip = 5, .seed = 1};
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &b.loop));
    return b;
}

/* Over a text that repeats a sentence. */
static inline bench bench_new(const char *name, int threads, double dropout)
{
    char text[40 * 32 + 1] = "", hash[65];
    for (int i = 0; i < 40; i++) strcat(text, "the cat sat on the mat, and so.\n");
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(one_path(), t, text, (int64_t)strlen(text), 1000, (int64_t)strlen(text) - 1000, "{}", hash);
    tg_tokenizer_free(t);
    return bench_over_made(name, threads, dropout);
}

static inline void bench_free(bench *b)
{
    tg_loop_free(b->loop);
    tg_model_free(b->model);
    tg_dataset_close(b->data);
    tg_context_free(b->ctx);
}
#endif
