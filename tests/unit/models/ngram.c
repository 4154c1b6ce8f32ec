/* Tests of models/ngram.c: a dataset to a model, its file, the next token's logits with what is carried. */
#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "data/codec/safetensors.h"
#include "models/ngram.h"
#include "support/make.h"
#include "test.h"
#include "tinygen/model.h"

typedef struct setting { int64_t order; } setting; /* the model's only key */

static const char verse[] = "the cat sat on the mat and the dog sat on the log and the cat saw the dog on the mat\n"
                            "a cat is a cat and a dog is a dog and a mat is a mat and that is that said the rat\n";
static tg_context *ctx;
static tg_dataset *data;

static void open_verse(int threads)
{
    char hash[65];
    tg_dataset_close(data);
    tg_context_free(ctx);
    tg_tokenizer *k = char_tokenizer_of(verse);
    make_dataset(one_path(), k, verse, (int64_t)strlen(verse), 120, 40, "{}", hash);
    tg_tokenizer_free(k);
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads}, &ctx));
    CHECK_OK(tg_dataset_open(ctx, one_path(), &data));
}

static tg_model *new_model(int64_t order)
{
    const tg_model_desc *desc;
    tg_model *m;
    CHECK_OK(tg_model_find("ngram", &desc));
    CHECK_INT(desc->config_size, sizeof(setting));
    CHECK_OK(tg_model_new(ctx, desc, &(setting){order}, &(tg_model_data){.kind = TG_KIND_TEXT, .vocab = tg_tokenizer_vocab(tg_dataset_tokenizer(data))},
                          1, false, false, &m));
    return m;
}

static const tg_learner *learner(void)
{
    const tg_model_desc *desc;
    CHECK_OK(tg_model_find("ngram", &desc));
    return desc->learner;
}

static tg_model *fitted(int64_t order)
{
    tg_model *m = new_model(order);
    CHECK_OK(learner()->fit(ctx, m, data));
    return m;
}

static void same_rows(const tg_model *a, const tg_model *b)
{
    tg_st_row x[TG_LEARNER_ROWS], y[TG_LEARNER_ROWS];
    const int n = learner()->rows(a, x);
    CHECK_INT(learner()->rows(b, y), n);
    for (int i = 0; i < n; i++) {
        CHECK_TEXT(x[i].name, y[i].name);
        CHECK_INT(x[i].dims[0], y[i].dims[0]);
        CHECK_BYTES(x[i].data, y[i].data, x[i].dims[0] * 4);
    }
}

/* ---- files ---- */

static const char *model_path(void)
{
    static char path[5000];
    if (*path) return path;
    char *joined = tg_path_join(test_folder(), "model.safetensors");
    strcpy(path, joined);
    tg_free(joined);
    return path;
}

/* Writes these rows and loads them into a model of this order. */
static tg_status through_file(const tg_st_row *rows, int count, int64_t order, tg_model **out)
{
    tg_safetensors *file;
    CHECK_OK(tg_safetensors_write(model_path(), rows, count, "{}", NULL, NULL, NULL));
    CHECK_OK(tg_safetensors_open(model_path(), &file));
    *out = new_model(order);
    tg_status s = learner()->load(*out, file);
    tg_safetensors_close(file);
    return s;
}

TEST(a_model_that_was_written_and_read_has_the_same_bits)
{
    tg_st_row rows[TG_LEARNER_ROWS];
    open_verse(1);
    for (int64_t order = 1; order <= TG_NGRAM_ORDERS; order++) {
        tg_model *m = fitted(order), *read;
        double one, two;
        CHECK_OK(through_file(rows, learner()->rows(m, rows), order, &read));
        same_rows(m, read);
        CHECK_INT(learner()->count(m), learner()->count(read));
        CHECK_OK(learner()->loss(ctx, m, data, TG_VAL, &one));
        CHECK_OK(learner()->loss(ctx, read, data, TG_VAL, &two));
        CHECK(one == two && one > 0);
        tg_model_free(m);
        tg_model_free(read);
    }
}

TEST(files_that_lie_are_refused)
{
    tg_st_row rows[TG_LEARNER_ROWS], lie[TG_LEARNER_ROWS];
    uint32_t words[2000];
    tg_model *read;
    open_verse(1);
    tg_model *m = fitted(3);
    const int n = learner()->rows(m, rows);
    CHECK_ERROR(through_file(rows, n, 4, &read), TG_EFORMAT, "order3.log_backoff is missing");
    tg_model_free(read);
    for (int i = 0; i < n; i++) {
        const int64_t count = rows[i].dims[0];
        CHECK(count < 2000);
        const bool whole = rows[i].dtype == TG_ST_U32;
        for (int at = 0; at < 3; at++) {
            memcpy(lie, rows, sizeof lie);
            memcpy(words, rows[i].data, (size_t)count * 4);
            words[at == 0 ? 0 : at == 1 ? count / 2 : count - 1] = whole ? 0x7fffffff : 0x7f800000 /* infinity */;
            lie[i].data = words;
            CHECK_ERROR(through_file(lie, n, 3, &read), TG_EFORMAT, "make no sense");
            tg_model_free(read);
        }
        memcpy(lie, rows, sizeof lie);
        memcpy(words, rows[i].data, (size_t)count * 4);
        words[count - 1]--; /* of the first ones: an n-gram that nothing leads to */
        lie[i].data = words;
        if (strstr(rows[i].name, "first")) CHECK_ERROR(through_file(lie, n, 3, &read), TG_EFORMAT, "make no sense");
        if (strstr(rows[i].name, "first")) tg_model_free(read);
        lie[i].data = rows[i].data;
        lie[i].dims[0]--;
        CHECK_INT(through_file(lie, n, 3, &read), TG_EFORMAT);
        tg_model_free(read);
        lie[i].dims[0]++;
        lie[i].dtype = whole ? TG_ST_F32 : TG_ST_U32;
        CHECK_INT(through_file(lie, n, 3, &read), TG_EFORMAT);
        tg_model_free(read);
    }
    tg_model_free(m);
}

TEST(threads_do_not_show_in_what_is_learned)
{
    open_verse(1);
    tg_model *one = fitted(5);
    open_verse(3);
    tg_model *three = fitted(5);
    same_rows(one, three);
    tg_model_free(one);
    tg_model_free(three);
}

/* ---- the next token ---- */

enum { T = 12, B = 2, MOST_V = 40 };

static int32_t ids[T * B];

/* Logits of tokens first .. first + count - 1 of both rows. */
static const float *run(tg_model *m, tg_tape *t, int64_t first, int64_t count, const int32_t *reset, tg_carry *carry)
{
    tg_tape_begin(t, &(tg_tape_mode){0});
    tg_tensor *tokens = tg_input_ids(t, 2, (int64_t[]){count, B}, ids + first * B);
    tg_tensor *r = reset ? tg_input_ids(t, 2, (int64_t[]){count, B}, reset + first * B) : NULL;
    tg_tensor *logits = tg_model_descriptor(m)->next(m, t, tokens, r, carry);
    CHECK(logits != NULL);
    CHECK_INT(logits->shape.dims[0], count);
    return logits->data;
}

static void begin(int64_t order, tg_model **m, tg_tape **t, tg_carry *carry, int64_t *V)
{
    open_verse(1);
    *m = fitted(order);
    *V = tg_model_about(*m)->vocab;
    CHECK(*V <= MOST_V);
    CHECK_OK(tg_tape_new(ctx, t));
    CHECK_OK(tg_carry_new(*m, B, carry));
    int32_t seen[T];
    CHECK_OK(tg_dataset_tokens(data, TG_TRAIN, 0, T, seen));
    for (int i = 0; i < T; i++) {
        ids[i * B] = (int32_t)((i * 7 + i * i) % *V);
        ids[i * B + 1] = seen[i];
    }
}

TEST(logits_do_not_depend_on_how_the_text_is_cut)
{
    static float whole[T * B * MOST_V];
    for (int64_t order = 1; order <= 8; order += 7) {
        tg_model *m;
        tg_tape *t;
        tg_carry carry;
        int64_t V;
        begin(order, &m, &t, &carry, &V);
        memcpy(whole, run(m, t, 0, T, NULL, NULL), sizeof(float) * (size_t)(T * B * V));
        for (int64_t i = 0; i < T; i++) CHECK_BYTES(run(m, t, i, 1, NULL, &carry), whole + i * B * V, B * V * 4);
        tg_carry_zero(&carry);
        CHECK_BYTES(run(m, t, 0, 5, NULL, &carry), whole, 5 * B * V * 4);
        CHECK_BYTES(run(m, t, 5, 7, NULL, &carry), whole + 5 * B * V, 7 * B * V * 4);
        tg_carry_free(&carry);
        tg_tape_free(t);
        tg_model_free(m);
    }
}

TEST(logits_are_the_log_probabilities_that_the_loss_is_made_of)
{
    tg_model *m;
    tg_tape *t;
    tg_carry carry;
    int64_t V;
    begin(4, &m, &t, &carry, &V);
    const int64_t n = tg_dataset_count(data, TG_VAL);
    double sum = 0, nats;
    for (int64_t i = 0; i + 1 < n; i++) {
        int32_t two[2];
        CHECK_OK(tg_dataset_tokens(data, TG_VAL, i, 2, two));
        for (int b = 0; b < B; b++) ids[b] = two[0];
        sum -= (double)run(m, t, 0, 1, NULL, &carry)[V + two[1]];
    }
    CHECK_OK(learner()->loss(ctx, m, data, TG_VAL, &nats));
    CHECK_CLOSE(&(float){(float)nats}, &(double){sum / (double)(n - 1)}, 1, 1e-6);
    CHECK(nats < log((double)V));
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}

TEST(a_reset_empties_the_context_of_its_row_alone)
{
    static float fresh[T * B * MOST_V], whole[T * B * MOST_V];
    int32_t reset[T * B] = {0};
    tg_model *m;
    tg_tape *t;
    tg_carry carry;
    int64_t V;
    begin(6, &m, &t, &carry, &V);
    memcpy(whole, run(m, t, 0, T, NULL, NULL), sizeof(float) * (size_t)(T * B * V));
    memcpy(fresh, run(m, t, 4, T - 4, NULL, NULL), sizeof(float) * (size_t)((T - 4) * B * V));
    reset[4 * B + 1] = 1;
    const float *got = run(m, t, 0, T, reset, &carry);
    for (int64_t i = 0; i < T; i++) {
        CHECK_BYTES(got + i * B * V, whole + i * B * V, V * 4);
        CHECK_BYTES(got + (i * B + 1) * V, i < 4 ? whole + (i * B + 1) * V : fresh + ((i - 4) * B + 1) * V, V * 4);
    }
    tg_carry_zero(&carry); /* and what was before it is not carried on */
    run(m, t, 0, 6, reset, &carry);
    CHECK_BYTES(run(m, t, 6, 1, NULL, &carry) + V, fresh + (2 * B + 1) * V, V * 4);
    CHECK(memcmp(whole + (5 * B + 1) * V, fresh + (1 * B + 1) * V, (size_t)V * 4) != 0);
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}

TEST(a_token_outside_the_vocabulary_is_named)
{
    tg_model *m;
    tg_tape *t;
    tg_carry carry;
    int64_t V;
    begin(2, &m, &t, &carry, &V);
    tg_tape_begin(t, &(tg_tape_mode){0});
    CHECK(!tg_model_descriptor(m)->next(m, t, tg_input_ids(t, 2, (int64_t[]){1, 1}, (int32_t[]){(int32_t)V}), NULL, NULL));
    CHECK_ERROR(tg_tape_status(t), TG_EINVAL, "outside the vocabulary");
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}
