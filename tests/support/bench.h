/* bench.h - a small training loop for tests, in one call. */
#ifndef TG_TEST_BENCH_H
#define TG_TEST_BENCH_H
#include <stdio.h>

#include "run/loop.h"
#include "support/make.h"

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
    const tg_model_desc *desc;
    CHECK_OK(tg_model_find(name, &desc));
    tg_keys *keys;
    void *config = tg_alloc(desc->config_size);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, name, desc->keys, config));
    const bool transformer = !strcmp(name, "transformer");
    CHECK_OK(tg_keys_set(keys, transformer ? "dim" : "hidden", "24", TG_FROM_FLAG));
    if (transformer) CHECK_OK(tg_keys_set(keys, "context", "16", TG_FROM_FLAG)); /* as seq below */
    snprintf(flag, sizeof flag, "%d.%d", 0, (int)(dropout * 10));
    CHECK_OK(tg_keys_set(keys, "dropout", flag, TG_FROM_FLAG));
    const tg_model_data about = tg_model_data_of(tg_dataset_tokenizer(b.data));
    CHECK_OK(tg_model_new(b.ctx, desc, config, &about, 1, true, false, &b.model));
    tg_keys_free(keys);
    tg_free(config);
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
