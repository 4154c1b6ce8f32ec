/* make.h - small datasets for tests, in one call. */
#ifndef TG_TEST_MAKE_H
#define TG_TEST_MAKE_H
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/pack.h"
#include "data/text/tokenizer.h"
#include "test.h"

/* One file for all of a test's datasets; nobody frees it. */
static inline const char *one_path(void)
{
    static char *path;
    if (!path) {
        static char room[5000];
        char *joined = tg_path_join(test_folder(), "x.safetensors");
        strcpy(room, joined);
        tg_free(joined);
        path = room;
    }
    return path;
}

static inline tg_tokenizer *char_tokenizer_of(const char *text)
{
    uint64_t *set = tg_alloc(TG_CHAR_SET_WORDS * (int64_t)sizeof *set);
    tg_tokenizer *t;
    CHECK_OK(tg_char_set_add(set, text, (int64_t)strlen(text)));
    CHECK_OK(tg_tokenizer_char_new(set, &t));
    tg_free(set);
    return t;
}

/* text under t as a scratch; the caller's. */
static inline tg_scratch *tokens_of(const tg_tokenizer *t, const char *text, int64_t length)
{
    tg_scratch *from, *tokens;
    CHECK_OK(tg_scratch_of(text, length, &from));
    CHECK_OK(tg_scratch_new(one_path(), 1 << 20, &tokens));
    CHECK_OK(tg_pack_tokens(NULL, t, from, tokens));
    tg_scratch_free(from);
    return tokens;
}

/* text under t, its first train tokens for training, val behind them, the rest for testing. */
static inline void make_dataset(const char *path, const tg_tokenizer *t, const char *text, int64_t length,
                                int64_t train, int64_t val, const char *provenance, char hash[65])
{
    tg_scratch *tokens = tokens_of(t, text, length);
    const int64_t count = tg_scratch_length(tokens) / tg_token_bytes(tg_tokenizer_vocab(t));
    tg_figures f;
    CHECK_OK(tg_figures_count(t, tokens, (int64_t[]){train, val, count - train - val}, &f));
    tg_dataset_draft draft = {
        .tokenizer = t, .tokens = tokens, .figures = &f, .split = "{\"rule\":\"position\",\"val\":0.1,\"test\":0}",
        .verdict = "{\"grade\":\"good\",\"findings\":[]}", .report = "{}", .provenance = provenance,
    };
    CHECK_OK(tg_dataset_write(path, &draft, hash));
    tg_scratch_free(tokens);
}
#endif
