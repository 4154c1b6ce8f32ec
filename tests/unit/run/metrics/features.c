/* Tests of run/metrics/features.c: what it learns, that it is the same everywhere, what it keeps. */
#include "run/metrics/features.h"

#include <math.h>

#include "base/rng.h"
#include "kernels/drive.h"
#include "run/preprocess.h"
#include "support/files.h"
#include "support/make.h"
#include "support/shared.h"

static tg_context *context_of(int threads, const char *isa)
{
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads, .isa = isa}, &ctx));
    return ctx;
}

/* n images with a bright pixel in one half or in the other: two classes. `seed` decides the rest of them. */
static tg_dataset *halves(tg_context *ctx, int64_t C, int64_t side, int64_t n, int64_t val, uint64_t seed)
{
    const int64_t size = C * side * side;
    uint8_t *pixels = tg_alloc(n * size);
    uint16_t classes[100];
    int64_t order[100];
    char hash[65], about[200];
    tg_scratch *data, *of;
    tg_dataset *d;
    tg_rng r = tg_rng_at(seed, TG_RNG_TEST, 0);
    for (int64_t i = 0; i < n * size; i++) pixels[i] = (uint8_t)tg_rng_below(&r, 100);
    for (int64_t i = 0; i < n; i++) {
        order[i] = i;
        classes[i] = (uint16_t)(i % 2);
        pixels[i * size + (i % 2) * (size / 2) + tg_rng_below(&r, size / 2)] = 255;
    }
    snprintf(about, sizeof about, "{\"shape\": [%d, %d, %d], \"classes\": [{\"name\": \"a\", \"count\": 1}, {\"name\": \"b\", \"count\": 1}], "
             "\"augment\": \"none\"}", (int)C, (int)side, (int)side);
    CHECK_OK(tg_scratch_of(pixels, n * size, &data));
    CHECK_OK(tg_scratch_of(classes, n * (int64_t)sizeof *classes, &of));
    tg_sample_draft draft = {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {C, side, side}, .data = data, .labels = of, .order = order,
                             .counts = {n - val, val, 0}, .split = "{}", .figures = "{}", .baselines = "{}", .verdict = "{}",
                             .report = "{}", .samples = about, .provenance = "{}"};
    CHECK_OK(tg_dataset_write_samples(one_path(), &draft, hash));
    CHECK_OK(tg_dataset_open(ctx, one_path(), &d));
    tg_scratch_free(data);
    tg_scratch_free(of);
    tg_free(pixels);
    return d;
}

/* Features and chances of the training images. */
static void look(tg_features *f, const tg_dataset *d, float *features, float *chances)
{
    float x[1000];
    const int64_t n = tg_dataset_count(d, TG_TRAIN);
    CHECK_OK(tg_dataset_samples(d, TG_TRAIN, 0, n, x, NULL));
    CHECK_OK(tg_features_run(f, x, n, features, chances));
}

/* Learned: by any number of threads, and by two vector sets where they are here. Plain C only looks: in instrumented code it would
 * learn for minutes, and that each op has its bits is tested beside the ops. */
TEST(features_are_the_same_bits_for_any_threads_and_instructions)
{
    static const struct { int threads; const char *isa; bool learns; } ways[] = {
        {1, NULL, true}, {3, NULL, true}, {2, "avx2", true}, {2, "scalar", false}};
    const char *path = in(test_folder(), "features.safetensors");
    const int64_t live = tg_alloc_live();
    float kept[4 * TG_FEATURES], now[4 * TG_FEATURES], chances[8];
    for (int k = 0; k < 4; k++) {
        if (ways[k].isa && !tg_kernels_named(ways[k].isa)) continue;
        tg_context *ctx = context_of(ways[k].threads, ways[k].isa);
        tg_dataset *d = halves(ctx, 3, 3, 4, 0, 1);
        tg_features *f;
        int64_t of;
        if (ways[k].learns) CHECK_OK(tg_features_train(ctx, d, &f));
        else CHECK_OK(tg_features_load(ctx, path, tg_dataset_hash(d), &f));
        look(f, d, k ? now : kept, chances);
        if (k) CHECK_BYTES(now, kept, sizeof kept);
        else CHECK_OK(tg_features_save(f, path));
        CHECK(isnan(tg_features_accuracy(f, &of)) && of == 0);
        for (int i = 0; i < 4; i++) CHECK(chances[2 * i + i % 2] > 0.9f);
        for (int i = 0; i < 4; i++) CHECK(fabsf(chances[2 * i] + chances[2 * i + 1] - 1) < 1e-6f);
        tg_features_free(f);
        tg_dataset_close(d);
        tg_context_free(ctx);
    }
    CHECK_INT(tg_alloc_live(), live);
}

TEST(features_are_kept_and_only_what_was_learned_of_these_data_is_read_again)
{
    tg_context *ctx = context_of(1, NULL);
    tg_dataset *d = halves(ctx, 1, 4, 6, 2, 1);
    const char *folder = in(test_folder(), "run/cache");
    float first[4 * TG_FEATURES], again[4 * TG_FEATURES];
    tg_features *f;
    int64_t of;
    char name[64];
    CHECK_OK(tg_features_for(ctx, d, folder, &f));
    look(f, d, first, NULL);
    const double accuracy = tg_features_accuracy(f, &of);
    CHECK_INT(of, 2);
    tg_features_free(f);
    snprintf(name, sizeof name, "features-%.16s.safetensors", tg_dataset_hash(d));
    const char *path = in(folder, name);
    CHECK_OK(tg_features_load(ctx, path, tg_dataset_hash(d), &f));
    look(f, d, again, NULL);
    CHECK_BYTES(again, first, sizeof first);
    CHECK(tg_features_accuracy(f, &of) == accuracy && of == 2 && tg_features_classes(f) == 2);
    tg_features_free(f);
    tg_dataset *other = halves(ctx, 1, 4, 6, 2, 2);
    CHECK_ERROR(tg_features_load(ctx, path, tg_dataset_hash(other), &f), TG_EFORMAT, "other data");
    put(path, "damaged");
    CHECK_ERROR(tg_features_load(ctx, path, tg_dataset_hash(d), &f), TG_EFORMAT, name);
    CHECK_OK(tg_features_for(ctx, d, folder, &f));
    look(f, d, again, NULL);
    CHECK_BYTES(again, first, sizeof first);
    tg_features_free(f);
    CHECK_OK(tg_features_load(ctx, path, tg_dataset_hash(d), &f)); /* and it is whole again */
    tg_features_free(f);
    tg_dataset_close(d);
    tg_dataset_close(other);
    tg_context_free(ctx);
}

TEST(features_of_data_without_classes_are_refused)
{
    tg_context *ctx = context_of(1, NULL);
    tg_tokenizer *t = char_tokenizer_of("ab");
    char hash[65];
    tg_dataset *d;
    tg_features *f;
    make_dataset(one_path(), t, "abababababab", 12, 12, 0, "{}", hash);
    CHECK_OK(tg_dataset_open(ctx, one_path(), &d));
    CHECK_ERROR(tg_features_train(ctx, d, &f), TG_EUNSUPPORTED, "two classes or more");
    tg_dataset_close(d);
    tg_tokenizer_free(t);
    tg_context_free(ctx);
}

TEST(features_without_memory_leave_nothing_behind)
{
    tg_context *ctx = context_of(1, NULL);
    tg_dataset *d = halves(ctx, 1, 2, 4, 2, 1);
    const char *folder = in(test_folder(), "cache");
    const int64_t live = tg_alloc_live();
    int64_t failures = 0;
    for (int64_t n = 1, done = 0; !done; n++, failures += !done) {
        tg_features *f = NULL;
        tg_alloc_fail_at(n, false);
        done = tg_features_for(ctx, d, folder, &f) == TG_OK; /* what cannot be kept is only a warning */
        tg_alloc_fail_at(0, false);
        tg_features_free(f);
        CHECK_OK(tg_remove_tree(folder));
        CHECK_INT(tg_alloc_live(), live);
    }
    test_note("%d allocations", (int)failures);
    tg_dataset_close(d);
    tg_context_free(ctx);
}

/* Convolutional networks tell 97 to 99 of 100 of these digits by other writers. */
TEST(features_tell_digits_of_8_by_8_apart)
{
    tg_context *ctx = context_of(0, NULL);
    const char *tables[2], *corpus = in(test_folder(), "digits"), *data = in(test_folder(), "digits.safetensors");
    static float x[1797 * 64];
    int32_t labels[1797], classes[1797];
    int64_t right = 0, of;
    tg_dataset *d;
    tg_features *f;
    tables[0] = strdup(shared("image/digits_8x8/optdigits.tra"));
    tables[1] = strdup(shared("image/digits_8x8/optdigits.tes"));
    CHECK_OK(tg_collect(ctx, &(tg_collect_options){.sources = {tables, 2}, .out = corpus, .seed = 1, .sample = 1}));
    CHECK_OK(tg_preprocess(ctx, &(tg_preprocess_options){.corpora = {&corpus, 1}, .out = data, .shape = "1x8x8", .val = 0.1, .seed = 1}));
    CHECK_OK(tg_dataset_open(ctx, data, &d));
    CHECK_INT(tg_dataset_count(d, TG_TEST), 1797);
    CHECK_OK(tg_features_train(ctx, d, &f));
    CHECK(tg_features_accuracy(f, &of) > 0.97);
    CHECK_OK(tg_dataset_samples(d, TG_TEST, 0, 1797, x, labels));
    CHECK_OK(tg_features_predict(f, x, 1797, classes));
    for (int i = 0; i < 1797; i++) right += classes[i] == labels[i];
    test_note("%d.%02d %% of the writers that it has not seen", (int)(right * 100 / 1797), (int)(right * 10000 / 1797 % 100));
    CHECK(right > 1797 * 96 / 100);
    tg_features_free(f);
    tg_dataset_close(d);
    tg_context_free(ctx);
}
