/* Tests of run/defaults.c: the page that people read says what the code does. */
#include "run/defaults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/make.h"
#include "support/models.h"

TEST(the_page_of_defaults_holds_the_table_of_the_code)
{
    char path[2048], *page;
    const char *source = getenv("TINYGEN_SRC");
    int64_t length;
    tg_str table = {0}, windows = {0}, samples = {0};
    snprintf(path, sizeof path, "%s/docs/defaults.md", source ? source : ".");
    CHECK_OK(tg_file_slurp(path, 1 << 20, &page, &length));
    tg_train_defaults_table(&table, &windows);
    tg_train_defaults_samples(&samples);
    CHECK(!table.failed && !windows.failed && !samples.failed);
    test_has(__FILE__, __LINE__, page, table.data);
    test_has(__FILE__, __LINE__, page, windows.data);
    test_has(__FILE__, __LINE__, page, samples.data);
    tg_str_free(&samples);
    tg_str_free(&windows);
    tg_str_free(&table);
    tg_free(page);
}

TEST(the_page_of_defaults_says_what_a_gan_asks_for)
{
    static const char *const keys[] = {"batch", "lr", "beta1", "ema", "latent", "hidden", "loss", "spectral", "r1"};
    static const struct { const char *name; tg_model_data data; } of[] = {
        {"images", {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {1, 28, 28}}}, {"points", {.kind = TG_KIND_POINTS, .rank = 1, .dims = {2}}}};
    char path[2048], text[32], *page;
    const char *source = getenv("TINYGEN_SRC");
    const tg_model_desc *gan;
    int64_t length;
    snprintf(path, sizeof path, "%s/docs/defaults.md", source ? source : ".");
    CHECK_OK(tg_file_slurp(path, 1 << 20, &page, &length));
    CHECK_OK(tg_model_find("gan", &gan));
    for (int i = 0; i < 2; i++) {
        tg_str row = {0};
        tg_str_addf(&row, "| %s |", of[i].name);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) tg_str_addf(&row, " %s |", gan->auto_default(keys[k], &of[i].data, 1, text));
        CHECK(!row.failed);
        test_has(__FILE__, __LINE__, page, row.data);
        tg_str_free(&row);
    }
    tg_free(page);
}

/* What is chosen for a model and a text of `tokens` training tokens, with "key=value" settings. */
static tg_status choose_for(const char *model, int64_t tokens, const char *const *settings, tg_train_options *o, tg_str *chosen)
{
    char hash[65], *text = tg_alloc(tokens + 101);
    const tg_model_desc *desc;
    tg_dataset *d;
    tg_keys *keys;
    for (int64_t i = 0; i < tokens + 100; i++) text[i] = "abcdefgh"[i % 8];
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(one_path(), t, text, tokens + 100, tokens, 100, "{}", hash);
    tg_tokenizer_free(t);
    tg_free(text);
    CHECK_OK(tg_dataset_open(NULL, one_path(), &d));
    CHECK_OK(tg_model_find(model, &desc));
    void *config = tg_alloc(desc->config_size);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, "train", tg_train_keys, o));
    CHECK_OK(tg_keys_add(keys, model, desc->keys, config));
    set_keys(keys, settings);
    tg_status s = tg_train_defaults(o, desc, config, d, keys, chosen);
    tg_keys_free(keys);
    tg_free(config);
    tg_dataset_close(d);
    return s;
}

static tg_status choose(int64_t tokens, const char *const *settings, tg_train_options *o, tg_str *chosen)
{
    return choose_for("lstm", tokens, settings, o, chosen);
}

TEST(defaults_fit_texts_of_every_size)
{
    static const int64_t sizes[] = {40, 999, 1000, 4999, 29999, 299999, 300000};
    for (int i = 0; i < 7; i++) {
        tg_train_options o;
        tg_str chosen = {0};
        CHECK_OK(choose(sizes[i], (const char *const[]){NULL}, &o, &chosen));
        CHECK(o.batch * o.seq < sizes[i] || sizes[i] < 100);
        CHECK(o.steps > 0 && o.lr > 0 && o.eval_every > 0 && o.eval_every <= o.steps && o.schedule == TG_WSD);
        test_has(__FILE__, __LINE__, chosen.data, "hidden 128, dropout 0");
        tg_str_free(&chosen);
    }
}

TEST(muon_has_jordan_s_momentum_unless_told)
{
    tg_train_options o;
    tg_str chosen = {0};
    CHECK_OK(choose(8000, WITH("optimizer=sgd"), &o, &chosen));
    CHECK(o.momentum == 0.9 && !o.nesterov);
    CHECK_OK(choose(8000, WITH("optimizer=muon"), &o, &chosen));
    CHECK(o.momentum == 0.95 && o.nesterov);
    CHECK_OK(choose(8000, WITH("optimizer=muon", "momentum=0.9", "nesterov=false"), &o, &chosen));
    CHECK(o.momentum == 0.9 && !o.nesterov);
    CHECK_OK(choose(8000, WITH("optimizer=muon", "momentum=0"), &o, &chosen));
    CHECK(o.momentum == 0 && !o.nesterov);
    CHECK_ERROR(choose(8000, WITH("muon_lr=0.01"), &o, &chosen), TG_EUSAGE, "give --optimizer muon with it");
    tg_str_free(&chosen);
}

TEST(epochs_become_steps)
{
    tg_train_options o;
    tg_str chosen = {0};
    CHECK_OK(choose(8001, WITH("epochs=3", "batch=10", "seq=20"), &o, &chosen));
    CHECK_INT(o.steps, 120); /* 8,000 targets: 40 batches of 200 */
    CHECK_INT(o.epochs, 0);
    CHECK_ERROR(choose(8001, WITH("epochs=3", "steps=7"), &o, &chosen), TG_EUSAGE, "--steps and --epochs");
    tg_str_free(&chosen);
}

/* A batch may hold more windows than an epoch has. */
TEST(epochs_of_windows_become_steps)
{
    tg_train_options o;
    tg_str chosen = {0};
    CHECK_OK(choose_for("transformer", 1001, WITH("epochs=10", "batch=64", "context=20"), &o, &chosen));
    CHECK_INT(o.steps, 8); /* 49 windows of 20: 490 of them, 64 a step */
    CHECK_OK(choose_for("transformer", 1001, WITH("epochs=2", "batch=7", "context=20", "seq=10", "accum=2"), &o, &chosen));
    CHECK_INT(o.steps, 15); /* 99 windows of 10: 198, 14 a step */
    tg_str_free(&chosen);
}

TEST(a_transformer_s_matrices_go_by_muon_unless_told)
{
    tg_train_options o;
    tg_str chosen = {0};
    CHECK_OK(choose_for("transformer", 1001, (const char *const[]){NULL}, &o, &chosen));
    test_has(__FILE__, __LINE__, chosen.data, "optimizer muon, lr 0.003, weight-decay 0.1, beta2 0.99, clip 1");
    CHECK(o.muon_lr == o.lr && o.momentum == 0.95 && o.min_lr == 3e-5);
    CHECK_OK(choose_for("transformer", 1001, WITH("optimizer=adam"), &o, &chosen));
    CHECK(o.optimizer == TG_ADAM && o.lr == 0.001 && o.weight_decay == 0);
    CHECK_OK(choose_for("transformer", 1001, WITH("optimizer=adamw", "clip=0"), &o, &chosen));
    CHECK(o.weight_decay == 0.1 && o.clip == 0);
    tg_str_free(&chosen);
}

TEST(time_alone_leaves_the_steps_open)
{
    tg_train_options o;
    tg_str chosen = {0};
    CHECK_OK(choose(8000, WITH("time=10m"), &o, &chosen));
    CHECK_INT(o.steps, 0);
    CHECK_INT(o.schedule, TG_WSD);
    CHECK(o.eval_every > 0);
    CHECK_ERROR(choose(8000, WITH("time=10m", "schedule=cosine"), &o, &chosen), TG_EUSAGE, "cosine must know its end");
    tg_str_free(&chosen);
}
