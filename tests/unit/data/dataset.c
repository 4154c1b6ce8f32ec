/* dataset.c - tests of dataset files: what is in them, what identifies them, what is refused. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "data/codec/safetensors.h"
#include "support/make.h"

static const char verse[] = "the rain is on the river\nand the river is away\n";

TEST(a_dataset_comes_back_as_it_was_made)
{
    const char *path = one_path();
    char hash[65];
    tg_tokenizer *t = char_tokenizer_of(verse);
    int64_t n = (int64_t)strlen(verse);
    make_dataset(path, t, verse, n, n - 12, 8, "{\"items\":[]}", hash);
    for (int64_t bound = 0; bound <= TG_DATASET_LOAD; bound += TG_DATASET_LOAD) { /* read as needed, and kept */
        tg_dataset *d;
        CHECK_OK(tg_dataset_open_within(path, bound, &d));
        CHECK_INT(tg_dataset_kind(d), TG_KIND_TEXT);
        CHECK_TEXT(tg_dataset_hash(d), hash);
        CHECK_INT(tg_dataset_count(d, TG_TRAIN), n - 12);
        CHECK_INT(tg_dataset_count(d, TG_VAL), 8);
        CHECK_INT(tg_dataset_count(d, TG_TEST), 4);
        CHECK_INT(tg_tokenizer_vocab(tg_dataset_tokenizer(d)), tg_tokenizer_vocab(t));
        int32_t ids[64];
        int64_t at = 0, length;
        for (int s = 0; s < TG_SPLITS; s++) {
            int64_t count = tg_dataset_count(d, (tg_split)s);
            CHECK_OK(tg_dataset_tokens(d, (tg_split)s, 0, count, ids));
            for (int64_t i = 0; i < count; i++) CHECK_INT(*tg_tokenizer_text(t, ids[i], &length), verse[at++]);
        }
        CHECK_OK(tg_dataset_tokens(d, TG_VAL, 5, 3, ids));
        CHECK_OK(tg_dataset_tokens(d, TG_VAL, 8, 0, ids));
        CHECK_ERROR(tg_dataset_tokens(d, TG_VAL, 6, 3, ids), TG_EINVAL, "split val has 8 tokens");
        CHECK_ERROR(tg_dataset_tokens(d, TG_VAL, -1, 1, ids), TG_EINVAL, "split val");
        CHECK(tg_dataset_bytes_per_token(d, TG_VAL) == 1 && tg_dataset_chars_per_token(d, TG_TRAIN) == 1);
        tg_dataset_close(d);
    }
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

/* 32 parts of 200 tokens, of which each begins with another letter; whether kept or read as needed. */
TEST(a_narrowed_text_is_made_of_pieces_of_all_of_it)
{
    static char text[6401];
    char hash[65];
    int32_t ids[3200], some[300];
    for (int i = 0; i < 6400; i++) text[i] = (char)(i % 200 ? 'a' + i % 7 : 'A' + i / 200 % 26);
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(one_path(), t, text, 6400, 6400, 0, "{\"items\":[]}", hash);
    for (int64_t bound = 0; bound <= TG_DATASET_LOAD; bound += TG_DATASET_LOAD) {
        tg_dataset *d;
        int64_t length;
        CHECK_OK(tg_dataset_open_within(one_path(), bound, &d));
        tg_dataset_narrow(d, 0.5);
        CHECK_INT(tg_dataset_count(d, TG_TRAIN), 3200);
        CHECK_OK(tg_dataset_tokens(d, TG_TRAIN, 0, 3200, ids));
        for (int i = 0; i < 3200; i++) CHECK_INT(*tg_tokenizer_text(t, ids[i], &length), text[i / 100 * 200 + i % 100]);
        CHECK_OK(tg_dataset_tokens(d, TG_TRAIN, 50, 300, some));
        CHECK(!memcmp(some, ids + 50, sizeof some));
        tg_dataset_close(d);
    }
    tg_tokenizer_free(t);
}

TEST(a_narrowed_dataset_has_the_first_share_of_its_training_split)
{
    char hash[65];
    int32_t ids[64];
    tg_dataset *d;
    tg_tokenizer *t = char_tokenizer_of(verse);
    const int64_t n = (int64_t)strlen(verse);
    make_dataset(one_path(), t, verse, n, n - 12, 8, "{\"items\":[]}", hash);
    CHECK_OK(tg_dataset_open(NULL, one_path(), &d));
    tg_dataset_narrow(d, 1);
    CHECK_INT(tg_dataset_count(d, TG_TRAIN), n - 12);
    tg_dataset_narrow(d, 0.5);
    CHECK_INT(tg_dataset_count(d, TG_TRAIN), (n - 12) / 2);
    CHECK_INT(tg_dataset_count(d, TG_VAL), 8);
    CHECK_TEXT(tg_dataset_hash(d), hash);
    CHECK_OK(tg_dataset_tokens(d, TG_TRAIN, 0, (n - 12) / 2, ids));
    CHECK_ERROR(tg_dataset_tokens(d, TG_TRAIN, (n - 12) / 2, 1, ids), TG_EINVAL, "split train has 17 tokens");
    tg_dataset_narrow(d, 1e-9);
    CHECK_INT(tg_dataset_count(d, TG_TRAIN), 1);
    tg_dataset_close(d);
    tg_tokenizer_free(t);
}

/* By hand: train "aab", val "ab" of vocabulary {a, b}: p(a) = 3/5, p(b) = 2/5. */
TEST(baselines_are_those_worked_out_by_hand)
{
    const char *path = one_path();
    char hash[65];
    tg_tokenizer *t = char_tokenizer_of("ab");
    make_dataset(path, t, "aabab", 5, 3, 2, "{}", hash);
    tg_dataset *d;
    CHECK_OK(tg_dataset_open(NULL, path, &d));
    float got[2] = {(float)tg_dataset_baseline(d, "uniform"), (float)tg_dataset_baseline(d, "unigram")};
    double want[2] = {log(2), -(log(3.0 / 5) + log(2.0 / 5)) / 2};
    CHECK_CLOSE(got, want, 2, 1e-6);
    CHECK(isnan(tg_dataset_baseline(d, "bigram")));
    CHECK(isnan(tg_dataset_bytes_per_token(d, TG_TEST)));
    tg_dataset_close(d);
    tg_tokenizer_free(t);
}

TEST(bytes_and_characters_per_token_are_counted)
{
    static const char text[] = "\xe6\x98\xa5 \xe9\xa3\x8e!"; /* 8 bytes, 4 characters */
    const char *path = one_path();
    char hash[65];
    tg_tokenizer *bytes, *chars = char_tokenizer_of(text);
    tg_dataset *d;
    CHECK_OK(tg_tokenizer_byte_new(&bytes));
    make_dataset(path, bytes, text, 8, 4, 4, "{}", hash);
    CHECK_OK(tg_dataset_open(NULL, path, &d));
    CHECK(tg_dataset_bytes_per_token(d, TG_TRAIN) == 1 && tg_dataset_chars_per_token(d, TG_TRAIN) == 0.5);
    tg_dataset_close(d);
    make_dataset(path, chars, text, 8, 2, 2, "{}", hash);
    CHECK_OK(tg_dataset_open(NULL, path, &d));
    CHECK(tg_dataset_bytes_per_token(d, TG_VAL) == 2 && tg_dataset_chars_per_token(d, TG_VAL) == 1);
    tg_dataset_close(d);
    tg_tokenizer_free(bytes);
    tg_tokenizer_free(chars);
}

/* The documented serialisation, put together here; provenance is no part of it, the split and the tokens are. */
TEST(the_content_hash_is_that_of_tokenizer_split_and_tokens)
{
    const char *path = one_path();
    char a[65], b[65], want[65];
    tg_tokenizer *t = char_tokenizer_of("ab");
    static const char text[] = "tinygen-dataset 1\ntext\n{\"kind\": \"char\", \"chars\": \"ab\"}\n"
                               "{\"rule\":\"position\",\"val\":0.1,\"test\":0}\ntrain U8 3\n\0\0\1val U8 2\n\0\1";
    tg_sha256_hex(text, (int64_t)sizeof text - 1, want);
    make_dataset(path, t, "aabab", 5, 3, 2, "{\"items\":[]}", a);
    make_dataset(path, t, "aabab", 5, 3, 2, "{\"items\":[{\"origin\":\"elsewhere\"}]}", b);
    CHECK_TEXT(a, want);
    CHECK_TEXT(b, want);
    make_dataset(path, t, "aabab", 5, 2, 3, "{}", b);
    CHECK(strcmp(a, b) != 0);
    make_dataset(path, t, "aabaa", 5, 3, 2, "{}", b);
    CHECK(strcmp(a, b) != 0);
    tg_tokenizer_free(t);
}

TEST(ids_take_the_narrowest_type)
{
    enum { N = 300 };
    const char *path = one_path();
    char hash[65], text[3 * N + 1];
    for (int i = 0; i < N; i++) {
        int code = 0x4e00 + i;
        text[3 * i] = (char)(0xe0 | code >> 12);
        text[3 * i + 1] = (char)(0x80 | (code >> 6 & 63));
        text[3 * i + 2] = (char)(0x80 | (code & 63));
    }
    text[3 * N] = 0;
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(path, t, text, 3 * N, N - 10, 10, "{}", hash);
    tg_safetensors *s;
    CHECK_OK(tg_safetensors_open(path, &s));
    CHECK_INT(tg_safetensors_find(s, "train")->dtype, TG_ST_U16);
    CHECK(!tg_safetensors_find(s, "test"));
    tg_safetensors_close(s);
    int32_t ids[N];
    for (int64_t bound = 0; bound <= 1 << 20; bound += 1 << 20) {
        tg_dataset *d;
        CHECK_OK(tg_dataset_open_within(path, bound, &d));
        CHECK_OK(tg_dataset_tokens(d, TG_TRAIN, 0, N - 10, ids));
        for (int i = 0; i < N - 10; i++) CHECK_INT(ids[i], i);
        tg_dataset_close(d);
    }
    CHECK_INT(tg_token_bytes(256), 1);
    CHECK_INT(tg_token_bytes(257), 2);
    CHECK_INT(tg_token_bytes(65536), 2);
    CHECK_INT(tg_token_bytes(65537), 4);
    tg_tokenizer_free(t);
}

/* ---- damage and lies */

TEST(a_flipped_bit_or_a_missing_byte_of_a_dataset_is_refused)
{
    const char *path = one_path();
    char hash[65], *bytes;
    tg_tokenizer *t = char_tokenizer_of(verse);
    tg_dataset *d;
    int64_t length, n = (int64_t)strlen(verse);
    make_dataset(path, t, verse, n, n - 12, 8, "{}", hash);
    CHECK_OK(tg_file_slurp(path, 1 << 20, &bytes, &length));
    for (int64_t i = 0; i < length; i += 1 + i % 7) {
        bytes[i] ^= (char)(1 << i % 8);
        CHECK_OK(tg_write_file(path, bytes, length));
        CHECK_ERROR(tg_dataset_open(NULL, path, &d), TG_EFORMAT, "x.safetensors");
        bytes[i] ^= (char)(1 << i % 8);
    }
    for (int64_t i = 0; i < length; i += 1 + i / 7) {
        CHECK_OK(tg_write_file(path, bytes, i));
        CHECK_ERROR(tg_dataset_open(NULL, path, &d), TG_EFORMAT, "x.safetensors");
    }
    tg_free(bytes);
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

static tg_status open_made(const char *meta, const uint8_t *tokens, int64_t count, int64_t bound)
{
    const char *path = one_path();
    tg_st_row row = {"train", TG_ST_U8, 1, {count}, tokens};
    CHECK_OK(tg_safetensors_write(path, &row, 1, meta, NULL, NULL, NULL));
    tg_dataset *d = NULL;
    tg_status status = tg_dataset_open_within(path, bound, &d);
    int32_t ids[8];
    if (!status) status = tg_dataset_tokens(d, TG_TRAIN, 0, count, ids);
    tg_dataset_close(d);
    return status;
}

#define META(format, version, kind, tokenizer, train)                                                                \
    "{\"format\":\"" format "\",\"version\":" version ",\"kind\":\"" kind "\",\"tokenizer\":" tokenizer               \
    ",\"content_sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","                       \
    "\"counts\":{\"train\":" train ",\"val\":0,\"test\":0},\"bytes\":{\"train\":3,\"val\":0,\"test\":0},"             \
    "\"chars\":{\"train\":3,\"val\":0,\"test\":0}}"
#define AB "{\"kind\":\"char\",\"chars\":\"ab\"}"

TEST(datasets_that_lie_are_refused)
{
    static const uint8_t good[3] = {0, 1, 1}, outside[3] = {0, 1, 2};
    static const struct { const char *meta; const uint8_t *tokens; tg_status status; const char *says; } cases[] = {
        {META("tinygen-dataset", "1", "text", AB, "3"), good, TG_OK, ""},
        {META("tinygen-dataset", "1", "text", AB, "3"), outside, TG_EFORMAT, "outside its vocabulary"},
        {META("tinygen-dataset", "1", "text", AB, "4"), good, TG_EFORMAT, "not what the tensors are"},
        {META("tinygen-dataset", "1", "text", AB, "\"3\""), good, TG_EFORMAT, "not what the tensors are"},
        {META("tinygen-dataset", "2", "text", AB, "3"), good, TG_EUNSUPPORTED, "version 2"},
        {META("tinygen-dataset", "1", "smell", AB, "3"), good, TG_EUNSUPPORTED, "kind smell"},
        {META("tinygen-model", "1", "text", AB, "3"), good, TG_EFORMAT, "tinygen-model, not a dataset"},
        {META("tinygen-dataset", "1", "text", "{}", "3"), good, TG_EFORMAT, "its kind"},
        {"{}", good, TG_EFORMAT, "not a dataset"},
        {"[]", good, TG_EFORMAT, "not a dataset"},
        {"{\"format\":\"tinygen-dataset\",\"version\":1,\"kind\":\"text\"}", good, TG_EFORMAT, "content hash"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t bound = 0; bound <= 1000; bound += 1000) {
            tg_status status = open_made(cases[i].meta, cases[i].tokens, 3, bound);
            if (status != cases[i].status)
                test_failed(__FILE__, __LINE__, "case %d: status %d: %s", (int)i, status, tg_error());
            if (status) test_has(__FILE__, __LINE__, tg_error(), cases[i].says);
        }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(foreign_safetensors_are_no_dataset)
{
    static const char header[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    char bytes[200] = {(char)(sizeof header - 1)};
    const char *path = one_path();
    memcpy(bytes + 8, header, sizeof header - 1);
    CHECK_OK(tg_write_file(path, bytes, 8 + (int64_t)sizeof header));
    tg_dataset *d;
    CHECK_ERROR(tg_dataset_open(NULL, path, &d), TG_EFORMAT, "of another program, not a dataset");
    CHECK_INT(tg_dataset_open(NULL, "nowhere.safetensors", &d), TG_EIO);
    test_has(__FILE__, __LINE__, tg_error(), "nowhere.safetensors");
}

TEST(datasets_survive_want_of_memory)
{
    const char *path = one_path();
    char hash[65];
    tg_tokenizer *t = char_tokenizer_of(verse);
    make_dataset(path, t, verse, 40, 30, 5, "{}", hash);
    int64_t live = tg_alloc_live();
    for (int64_t n = 1;; n++) {
        tg_dataset *d = NULL;
        tg_alloc_fail_at(n, false);
        tg_status status = tg_dataset_open(NULL, path, &d);
        tg_alloc_fail_at(0, false);
        tg_dataset_close(d);
        CHECK_INT(tg_alloc_live(), live);
        if (status == TG_OK) break;
        CHECK_INT(status, TG_ENOMEM);
    }
    tg_tokenizer_free(t);
}

/* Each allocation of a save fails in turn: refused, or the same bytes; never another file. */
TEST(saving_a_dataset_survives_want_of_memory)
{
    const char *path = one_path();
    char hash[65], again[65], *want, *got;
    int64_t length, count;
    tg_tokenizer *t = char_tokenizer_of(verse);
    tg_scratch *tokens = tokens_of(t, verse, 40);
    tg_figures f;
    CHECK_OK(tg_figures_count(t, tokens, (int64_t[]){30, 8, 2}, &f));
    tg_dataset_draft draft = {.tokenizer = t, .tokens = tokens, .figures = &f, .split = "{\"rule\": \"position\"}",
                              .verdict = "{}", .report = "{}", .provenance = "{}"};
    CHECK_OK(tg_dataset_write(path, &draft, hash));
    CHECK_OK(tg_file_slurp(path, 1 << 20, &want, &length));
    const int64_t live = tg_alloc_live();
    for (int64_t n = 1;; n++) {
        const int64_t before = tg_alloc_count();
        tg_alloc_fail_at(n, false);
        tg_status status = tg_dataset_write(path, &draft, again);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live);
        if (status) CHECK_INT(status, TG_ENOMEM);
        else CHECK_TEXT(again, hash);
        CHECK_OK(tg_file_slurp(path, 1 << 20, &got, &count));
        CHECK_INT(count, length);
        CHECK_BYTES(got, want, length);
        tg_free(got);
        if (tg_alloc_count() - before < n) break; /* n was never reached */
    }
    tg_free(want);
    tg_scratch_free(tokens);
    tg_tokenizer_free(t);
}
