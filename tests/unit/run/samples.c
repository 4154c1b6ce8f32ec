/* samples.c - tests of gen-preprocess on images and points: what goes where, what is left out, and that nothing leaks. */
#include "run/samples.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/json.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"
#include "support/files.h"

enum { LARGE = 1 << 24 };
static const tg_bounds large = {LARGE, LARGE, LARGE, LARGE, LARGE}, small = {100, 7, LARGE, LARGE, LARGE};

static tg_context *context(void)
{
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &ctx));
    return ctx;
}

static tg_preprocess_options options(const char **corpus, const char *out)
{
    return (tg_preprocess_options){.corpora = {.items = corpus, .count = 1}, .out = out, .val = 0.2, .seed = 1, .min_count = 1,
                                   .force = true, .sheet = "none"};
}

/* `count` grey pictures of 4 x 3, picture i of noise drawn for i / same, in an IDX item; labels i mod 3 where wanted. */
static void add_idx(tg_corpus_writer *w, int64_t count, int64_t same, const char *split, bool labels, uint64_t seed)
{
    char images[16 + 12 * 200] = {0, 0, 8, 3, 0, 0, 0, (char)count, 0, 0, 0, 3, 0, 0, 0, 4}, of[8 + 200] = {0, 0, 8, 1, 0, 0, 0, (char)count};
    CHECK(count <= 127);
    for (int64_t i = 0; i < count; i++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_TEST, (uint64_t)(i / same));
        for (int k = 0; k < 12; k++) images[16 + 12 * i + k] = (char)tg_rng_u32(&r);
        of[8 + i] = (char)(i / same % 3);
    }
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "image", .documents = "idx", .split = split}, images, 16 + 12 * count));
    if (labels) CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "labels", .documents = "idx", .split = split}, of, 8 + count));
}

static void add_png(tg_corpus_writer *w, int64_t width, int64_t height, int64_t channels, const char *label, uint64_t seed)
{
    uint8_t pixels[40 * 40 * 4];
    tg_rng r = tg_rng_at(seed, TG_RNG_TEST, 1);
    tg_str png = {0};
    for (int64_t k = 0; k < width * height * channels; k++) pixels[k] = (uint8_t)tg_rng_u32(&r);
    CHECK_OK(tg_png_write(&png, &(tg_image){.width = width, .height = height, .channels = channels, .pixels = pixels}));
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "image", .label = label, .ending = "png"}, png.data, png.length));
    tg_str_free(&png);
}

static tg_corpus_writer *begin(const char *folder)
{
    tg_corpus_writer *w;
    CHECK_OK(tg_corpus_begin(folder, true, &w));
    return w;
}

static void commit(tg_corpus_writer *w)
{
    char hash[65];
    CHECK_OK(tg_corpus_commit(w, hash));
}

static int64_t report(const tg_dataset *d, const char *path, const char *member)
{
    tg_safetensors *file;
    int64_t x = -1;
    (void)d;
    CHECK_OK(tg_safetensors_open(path, &file));
    tg_json_int(tg_json_get(tg_safetensors_meta(file), "report"), member, &x);
    tg_safetensors_close(file);
    return x;
}

TEST(images_keep_their_order_within_each_split_and_none_is_lost)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_corpus_writer *w = begin(corpora[0]);
    add_idx(w, 100, 1, NULL, true, 1);
    commit(w);
    const tg_preprocess_options o = options(corpora, out);
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    tg_dataset *d;
    int64_t dims[3], seen = 0, by_class[3] = {0};
    bool met[100] = {false};
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_shape(d, dims), 3);
    CHECK(dims[0] == 1 && dims[1] == 3 && dims[2] == 4);
    CHECK_INT(tg_dataset_count(d, TG_TRAIN), 80);
    CHECK_INT(tg_dataset_count(d, TG_VAL), 20);
    CHECK_INT(tg_dataset_classes(d), 3);
    for (int s = 0; s < 2; s++) {
        int64_t before = -1;
        for (int64_t i = 0; i < tg_dataset_count(d, (tg_split)s); i++) {
            float x[12];
            int32_t label;
            CHECK_OK(tg_dataset_samples(d, (tg_split)s, i, 1, x, &label));
            for (int64_t k = before + 1; k < 100; k++) {
                tg_rng r = tg_rng_at(1, TG_RNG_TEST, (uint64_t)k);
                bool same = true;
                for (int e = 0; e < 12; e++) same &= x[e] == (float)(uint8_t)tg_rng_u32(&r) / 255.0f;
                if (!same) continue;
                CHECK(!met[k]);
                CHECK_INT(label, k % 3);
                if (s == TG_TRAIN) by_class[k % 3]++;
                met[k] = true;
                before = k;
                seen++;
                break;
            }
        }
    }
    CHECK_INT(seen, 100);
    for (int c = 0; c < 3; c++) CHECK_INT(tg_dataset_class_count(d, c), by_class[c]);
    CHECK_TEXT(tg_dataset_class_name(d, 2), "2");
    tg_dataset_close(d);
    tg_context_free(ctx);
}

TEST(equal_images_go_before_the_split_unless_they_are_to_stay)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_corpus_writer *w = begin(corpora[0]);
    add_idx(w, 120, 2, NULL, false, 1);
    commit(w);
    tg_preprocess_options o = options(corpora, out);
    tg_dataset *d;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN) + tg_dataset_count(d, TG_VAL), 60);
    CHECK_INT(report(d, out, "duplicates_left_out"), 60);
    CHECK_INT(report(d, out, "also_in_train"), 0);
    tg_dataset_close(d);
    o.dedupe = TG_DEDUPE_OFF;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN) + tg_dataset_count(d, TG_VAL), 120);
    CHECK_INT(report(d, out, "duplicates_kept"), 60);
    CHECK(report(d, out, "also_in_train") > 10);
    tg_dataset_close(d);
    tg_context_free(ctx);
}

/* Pictures of 20 x 20 of three random shapes; every third is darker by a tenth than the one before, to the eye the same. */
static void add_near(tg_corpus_writer *w, int64_t count, const char *split, uint64_t number)
{
    enum { SIDE = 20, SIZE = SIDE * SIDE };
    tg_str bytes = {0};
    const unsigned char head[16] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)count, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    uint8_t last[SIZE] = {0};
    tg_str_add_n(&bytes, (const char *)head, sizeof head);
    for (int64_t i = 0; i < count; i++) {
        tg_rng r = tg_rng_at(number, TG_RNG_TEST, (uint64_t)i);
        for (int p = 0; p < SIZE && i % 3 == 2; p++) last[p] = (uint8_t)(last[p] - last[p] / 10);
        for (int k = 0; k < 3 && i % 3 < 2; k++) {
            const int64_t top = tg_rng_below(&r, 12), left = tg_rng_below(&r, 12), light = 80 + tg_rng_below(&r, 150);
            if (k == 0) memset(last, 20, sizeof last);
            for (int p = 0; p < 64; p++) last[(top + p / 8) * SIDE + left + p % 8] = (uint8_t)light;
        }
        tg_str_add_n(&bytes, (const char *)last, SIZE);
    }
    CHECK(!bytes.failed);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "image", .documents = "idx", .split = split}, bytes.data, bytes.length));
    tg_str_free(&bytes);
}

TEST(nearly_equal_images_go_where_that_is_asked_for_and_are_counted)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_corpus_writer *w = begin(corpora[0]);
    add_near(w, 90, "train", 1);
    add_near(w, 90, "train", 1); /* once more, equal */
    add_near(w, 9, "test", 1);   /* and the first of it, to test with */
    commit(w);
    tg_preprocess_options o = options(corpora, out);
    tg_dataset *d;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN) + tg_dataset_count(d, TG_VAL), 81);
    CHECK_INT(report(d, out, "near_duplicates_left_out"), 0);
    tg_dataset_close(d);
    o.dedupe = TG_DEDUPE_NEAR;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN) + tg_dataset_count(d, TG_VAL), 54);
    CHECK_INT(tg_dataset_count(d, TG_TEST), 9); /* stays whole, nearly equal ones too */
    CHECK_INT(report(d, out, "near_duplicates_left_out"), 27);
    CHECK_INT(report(d, out, "duplicates_left_out"), 81);
    CHECK_INT(report(d, out, "left_out_for_test"), 18);
    CHECK_INT(report(d, out, "duplicates_kept"), 3);
    CHECK_INT(report(d, out, "also_in_train"), 0);
    tg_dataset_close(d);
    tg_context_free(ctx);
}

/* 50 that train, 30 that test, 20 of both are the same: the test set stays whole, training loses them. */
TEST(a_test_set_of_the_corpus_s_own_stays_whole_and_training_does_not_know_it)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_corpus_writer *w = begin(corpora[0]);
    add_idx(w, 50, 1, "train", true, 1);
    add_idx(w, 20, 1, "test", true, 1); /* the first of training */
    add_idx(w, 10, 1, "test", true, 2);
    commit(w);
    tg_preprocess_options o = options(corpora, out);
    tg_dataset *d;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN), 24);
    CHECK_INT(tg_dataset_count(d, TG_VAL), 6);
    CHECK_INT(tg_dataset_count(d, TG_TEST), 30);
    CHECK_INT(report(d, out, "left_out_for_test"), 20);
    tg_dataset_close(d);
    o.test = 0.1;
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EUSAGE, "a test split of its own (30 samples)");
    o.split = TG_SPLIT_RANDOM;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK_INT(tg_dataset_count(d, TG_TRAIN) + tg_dataset_count(d, TG_VAL) + tg_dataset_count(d, TG_TEST), 60);
    tg_dataset_close(d);
    tg_context_free(ctx);
}

TEST(images_of_many_sizes_and_kinds_become_one)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_dataset *d;
    int64_t dims[3];
    tg_corpus_writer *w = begin(corpora[0]);
    for (uint64_t i = 0; i < 12; i++) add_png(w, 10 + (int64_t)i, 30 - (int64_t)i, 1 + (int64_t)i % 4, i % 2 ? "b" : "a", i);
    commit(w);
    tg_preprocess_options o = options(corpora, out);
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    tg_dataset_shape(d, dims);
    CHECK(dims[0] == 3 && dims[1] == dims[2] && dims[1] == 15); /* of the smaller sides, 10 to 20, the middle one */
    CHECK_INT(report(d, out, "resized"), 12);
    CHECK_INT(tg_dataset_class_count(d, 0) + tg_dataset_class_count(d, 1), tg_dataset_count(d, TG_TRAIN));
    tg_dataset_close(d);
    o.channels = 1; /* the row's first choice is auto */
    o.size = 8;
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    tg_dataset_shape(d, dims);
    CHECK(dims[0] == 1 && dims[1] == 8 && dims[2] == 8);
    tg_dataset_close(d);
    tg_context_free(ctx);
}

static void add_table(const char *folder, const char *kind, const char *text)
{
    tg_corpus_writer *w = begin(folder);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = kind, .documents = "csv", .origin = "t.csv"}, text, (int64_t)strlen(text)));
    commit(w);
}

TEST(rows_become_points_or_images_as_is_said)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_preprocess_options o = options(corpora, out);
    tg_dataset *d;
    float x[8];
    int32_t label;
    int64_t dims[3];
    o.split = TG_SPLIT_POSITION;
    o.val = 0.25;
    add_table(corpora[0], "table", "0,4,8,16,7\n1,2,3,4,10\n5,6,7,8,7\n16,16,0,0,9\n");
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK(tg_dataset_kind(d) == TG_KIND_POINTS && tg_dataset_shape(d, dims) == 1 && dims[0] == 5 && tg_dataset_classes(d) == 0);
    CHECK_OK(tg_dataset_samples(d, TG_VAL, 0, 1, x, NULL));
    CHECK(x[0] == 16 && x[4] == 9);
    tg_dataset_close(d);
    o.shape = "1x2x2";
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK(tg_dataset_kind(d) == TG_KIND_IMAGE && tg_dataset_classes(d) == 3);
    CHECK_TEXT(tg_dataset_class_name(d, 2), "10"); /* numbers by value */
    CHECK_OK(tg_dataset_samples(d, TG_TRAIN, 0, 1, x, &label));
    CHECK(x[0] == 0 && x[1] == 64 / 255.0f && x[2] == 128 / 255.0f && x[3] == 1 && label == 0);
    tg_dataset_close(d);
    o.shape = "3x2x2";
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EINVAL, "rows have 5 columns; --shape 3x2x2 wants 12");
    o.shape = "2x2";
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EUSAGE, "must be CxHxW");
    o.shape = "1x2x2";
    o.max_value = 10;
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EINVAL, "pixels from 0 to 16");
    o.shape = NULL;
    add_table(corpora[0], "points", "x,y,class\n0.5,1,b\n2,3,a\n4,5,a\n6,7,a\n");
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_dataset_open(ctx, out, &d));
    CHECK(tg_dataset_shape(d, dims) == 1 && dims[0] == 2 && tg_dataset_classes(d) == 2);
    CHECK_OK(tg_dataset_samples(d, TG_TRAIN, 0, 1, x, &label));
    CHECK(x[0] == 0.5f && x[1] == 1 && label == 1);
    tg_dataset_close(d);
    add_table(corpora[0], "points", "1,2\n3,four\n");
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EFORMAT, ":2: field 2 is no number: \"four\"");
    tg_context_free(ctx);
}

TEST(kinds_that_do_not_go_together_are_refused)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_preprocess_options o = options(corpora, out);
    tg_corpus_writer *w = begin(corpora[0]);
    add_png(w, 5, 5, 1, NULL, 1);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text"}, "a text", 6));
    commit(w);
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EINVAL, "an item of kind text among images");
    w = begin(corpora[0]);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "text"}, "a text", 6));
    add_png(w, 5, 5, 1, NULL, 1);
    commit(w);
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EINVAL, "an item of kind image among texts");
    w = begin(corpora[0]);
    add_png(w, 5, 5, 1, NULL, 1);
    add_png(w, 5, 5, 1, "a", 2);
    commit(w);
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EINVAL, "1 of 2 images have no label");
    w = begin(corpora[0]);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "image"}, "\x89PNG no", 7));
    commit(w);
    CHECK(tg_preprocess_within(ctx, &o, &large) != TG_OK);
    w = begin(corpora[0]);
    add_idx(w, 5, 1, NULL, false, 1);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "labels", .documents = "idx"}, "\0\0\x08\x01\0\0\0\x02xy", 10));
    commit(w);
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EFORMAT, "2 labels for 5 images");
    w = begin(corpora[0]);
    CHECK_OK(tg_corpus_add(w, &(tg_item){.kind = "image", .documents = "idx"}, "\0\0\x08\x03\0\0\0\0\0\0\0\x01\0\x01\0\0", 16));
    commit(w);
    CHECK_ERROR(tg_preprocess_within(ctx, &o, &large), TG_EUNSUPPORTED, "a side has 65535 at most");
    tg_context_free(ctx);
}

/* Everything in memory, and hardly anything: the same bytes. */
TEST(datasets_of_images_do_not_depend_on_how_much_is_in_memory)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    char *one = NULL, *two = NULL;
    int64_t length, other;
    tg_corpus_writer *w = begin(corpora[0]);
    add_idx(w, 120, 2, NULL, true, 1);
    commit(w);
    const tg_preprocess_options o = options(corpora, out);
    CHECK_OK(tg_preprocess_within(ctx, &o, &large));
    CHECK_OK(tg_file_slurp(out, LARGE, &one, &length));
    CHECK_OK(tg_preprocess_within(ctx, &o, &small));
    CHECK_OK(tg_file_slurp(out, LARGE, &two, &other));
    CHECK_INT(length, other);
    CHECK_BYTES(one, two, length);
    tg_free(one);
    tg_free(two);
    tg_context_free(ctx);
}

/* The context keeps names of what was read. */
static void starve(tg_context *ctx, const tg_preprocess_options *o)
{
    int failed = 0;
    CHECK_OK(tg_preprocess_within(ctx, o, &small));
    const int64_t live = tg_alloc_live();
    for (int n = 1;; n++) {
        tg_alloc_fail_at(n, false);
        tg_status s = tg_preprocess_within(ctx, o, &small);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live);
        if (!s) break;
        CHECK_INT(s, TG_ENOMEM);
        failed++;
    }
    CHECK(failed > 50);
}

TEST(preparing_samples_survives_want_of_memory)
{
    const char *folder = test_folder(), *corpora[] = {in(folder, "a")}, *out = in(folder, "x.safetensors");
    tg_context *ctx = context();
    tg_preprocess_options o = options(corpora, out);
    o.sheet = in(folder, "x.png");
    tg_corpus_writer *w = begin(corpora[0]);
    add_idx(w, 12, 2, NULL, true, 1);
    commit(w);
    starve(ctx, &o);
    o.dedupe = TG_DEDUPE_NEAR;
    w = begin(corpora[0]);
    for (uint64_t i = 0; i < 4; i++) add_png(w, 6 + (int64_t)i, 6, 1 + (int64_t)i, i % 2 ? "b" : "a", i);
    commit(w);
    starve(ctx, &o);
    o.dedupe = TG_DEDUPE_EXACT;
    add_table(corpora[0], "points", "x,y,class\n0.5,1,b\n2,3,a\n4,5,a\n6,7,a\n7,7,b\n");
    starve(ctx, &o);
    tg_context_free(ctx);
}
