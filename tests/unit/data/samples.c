/* samples.c - tests of datasets of images and points, and of the batches that are drawn of them. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"
#include "support/files.h"

enum { N = 10, C = 3, Y = 2, X = 5, SIZE = C * Y * X };

/* Pixel k of image i is (7 i + k) mod 256; train 6, val 3, test 1, in an order of their own. */
static const int64_t order[N] = {0, 2, 4, 6, 8, 9, 1, 3, 5, 7};

static tg_status write_images(const char *path, bool labels, const char *augment, char hash[65])
{
    uint8_t pixels[N * SIZE];
    uint16_t classes[N];
    char samples[200];
    tg_scratch *data, *of;
    for (int i = 0; i < N; i++) {
        classes[i] = (uint16_t)(i % 3);
        for (int k = 0; k < SIZE; k++) pixels[i * SIZE + k] = (uint8_t)(7 * i + k);
    }
    CHECK_OK(tg_scratch_of(pixels, sizeof pixels, &data));
    CHECK_OK(tg_scratch_of(classes, sizeof classes, &of));
    snprintf(samples, sizeof samples, "{\"shape\": [3, 2, 5]%s, \"augment\": \"%s\"}",
             labels ? ", \"classes\": [{\"name\": \"a\", \"count\": 3}, {\"name\": \"b\", \"count\": 0}, {\"name\": \"c\", \"count\": 3}]" : "",
             augment);
    tg_sample_draft d = {.kind = TG_KIND_IMAGE, .rank = 3, .dims = {C, Y, X}, .data = data, .labels = labels ? of : NULL,
                         .order = order, .counts = {6, 3, 1}, .samples = samples, .split = "{}", .figures = "{}",
                         .baselines = "{\"pixels\": {\"nats\": 2.5}}", .verdict = "{}", .report = "{}", .provenance = "{}"};
    tg_status s = tg_dataset_write_samples(path, &d, hash);
    tg_scratch_free(data);
    tg_scratch_free(of);
    return s;
}

static void check_image(const float *x, int64_t i, bool flipped)
{
    for (int k = 0; k < SIZE; k++) {
        const int at = flipped ? k / X * X + X - 1 - k % X : k;
        CHECK(x[at] == (float)((7 * i + k) & 255) / 255.0f);
    }
}

TEST(images_come_back_as_they_were_written)
{
    const char *path = in(test_folder(), "x.safetensors"), *other_path = in(test_folder(), "y.safetensors");
    const int64_t live = tg_alloc_live();
    char hash[65], other[65];
    CHECK_OK(write_images(path, true, "none", hash));
    CHECK_OK(write_images(other_path, true, "flip", other));
    CHECK(strcmp(hash, other) != 0);
    for (int64_t bound = 0; bound <= TG_DATASET_LOAD; bound += TG_DATASET_LOAD) { /* read as needed, and kept */
        tg_dataset *d;
        int64_t dims[3];
        float x[6 * SIZE];
        int32_t labels[6];
        CHECK_OK(tg_dataset_open_within(path, bound, &d));
        CHECK_INT(tg_dataset_kind(d), TG_KIND_IMAGE);
        CHECK_INT(tg_dataset_shape(d, dims), 3);
        CHECK(dims[0] == C && dims[1] == Y && dims[2] == X && !tg_dataset_flips(d));
        CHECK_INT(tg_dataset_classes(d), 3);
        CHECK_TEXT(tg_dataset_class_name(d, 2), "c");
        CHECK_INT(tg_dataset_class_count(d, 1), 0);
        CHECK(tg_dataset_tokenizer(d) == NULL);
        CHECK(tg_dataset_baseline(d, "pixels") == 2.5);
        CHECK_TEXT(tg_dataset_hash(d), hash);
        int64_t at = 0;
        for (int s = 0; s < TG_SPLITS; s++) {
            const int64_t n = tg_dataset_count(d, (tg_split)s);
            CHECK_OK(tg_dataset_samples(d, (tg_split)s, 0, n, x, labels));
            for (int64_t i = 0; i < n; i++, at++) {
                check_image(x + i * SIZE, order[at], false);
                CHECK_INT(labels[i], order[at] % 3);
            }
        }
        CHECK_INT(at, N);
        CHECK_ERROR(tg_dataset_samples(d, TG_VAL, 2, 2, x, labels), TG_EINVAL, "split val has 3 samples");
        CHECK_ERROR(tg_dataset_tokens(d, TG_VAL, 0, 1, labels), TG_EINVAL, "a dataset of images");
        tg_dataset_close(d);
    }
    CHECK_INT(tg_alloc_live(), live);
}

TEST(an_epoch_draws_each_sample_once_and_any_step_can_be_asked_for)
{
    const char *path = in(test_folder(), "x.safetensors");
    const int64_t live = tg_alloc_live();
    char hash[65];
    tg_dataset *d;
    tg_feed *feed, *again;
    tg_batch b;
    CHECK_OK(write_images(path, true, "none", hash));
    CHECK_OK(tg_dataset_open(NULL, path, &d));
    CHECK_OK(tg_feed_samples(d, TG_TRAIN, 2, false, 5, &feed));
    CHECK_OK(tg_feed_samples(d, TG_TRAIN, 2, false, 5, &again));
    CHECK_INT(tg_feed_steps_per_epoch(feed), 3);
    float first[4 * 3 * 2];
    for (int64_t step = 0; step < 12; step++) {
        CHECK_OK(tg_feed_batch(feed, step, &b));
        const tg_array *x = tg_batch_array(&b, "x"), *labels = tg_batch_array(&b, "labels");
        CHECK(b.items == 2 && x->rank == 4 && x->dims[0] == 2 && x->dims[1] == C && x->dims[2] == Y && x->dims[3] == X);
        CHECK(labels->rank == 1 && labels->dims[0] == 2);
        for (int k = 0; k < 2; k++) {
            first[2 * step + k] = x->values[k * SIZE];
            const int64_t i = lroundf(x->values[k * SIZE] * 255) / 7;
            check_image(x->values + k * SIZE, i, false);
            CHECK_INT(labels->ids[k], i % 3);
        }
    }
    for (int epoch = 0; epoch < 4; epoch++)
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < i; j++) CHECK(first[6 * epoch + i] != first[6 * epoch + j]);
    CHECK(memcmp(first, first + 6, 6 * sizeof *first) != 0);
    CHECK_OK(tg_feed_batch(again, 7, &b)); /* at once */
    CHECK(tg_batch_array(&b, "x")->values[0] == first[14]);
    tg_feed_free(feed);
    tg_feed_free(again);
    CHECK_OK(tg_feed_samples(d, TG_VAL, 2, true, 5, &feed)); /* the tail: in order, the last smaller */
    CHECK_INT(tg_feed_steps_per_epoch(feed), 2);
    CHECK_OK(tg_feed_batch(feed, 1, &b));
    CHECK(b.items == 1 && tg_batch_array(&b, "x")->dims[0] == 1);
    check_image(tg_batch_array(&b, "x")->values, 5, false);
    tg_feed_free(feed);
    CHECK_ERROR(tg_feed_new(d, TG_TRAIN, 1, 4, false, &feed), TG_EINVAL, "it has no tokens");
    CHECK_ERROR(tg_feed_windows(d, TG_TRAIN, 1, 4, false, 1, &feed), TG_EINVAL, "it has no tokens");
    CHECK_ERROR(tg_feed_samples(d, TG_TRAIN, 0, false, 1, &feed), TG_EINVAL, "cannot be");
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(half_of_what_is_drawn_of_a_dataset_that_flips_is_mirrored)
{
    const char *path = in(test_folder(), "x.safetensors");
    const int64_t live = tg_alloc_live();
    char hash[65];
    tg_dataset *d;
    tg_feed *feed;
    tg_batch b;
    int flipped = 0;
    uint32_t mask = 0, drawn = 0; /* of the first draws: which were mirrored, and which images they were */
    CHECK_OK(write_images(path, false, "flip", hash));
    CHECK_OK(tg_dataset_open(NULL, path, &d));
    CHECK_OK(tg_feed_samples(d, TG_TRAIN, 2, false, 1, &feed));
    for (int64_t step = 0; step < 100; step++) {
        CHECK_OK(tg_feed_batch(feed, step, &b));
        CHECK_INT(b.count, 1); /* no labels */
        for (int k = 0; k < 2; k++) {
            const float *x = tg_batch_array(&b, "x")->values + k * SIZE;
            const bool is = x[0] > x[1];
            check_image(x, lroundf(x[is ? X - 1 : 0] * 255) / 7, is);
            flipped += is;
            if (step < 16) mask = mask << 1 | is;
            if (step < 5) drawn = drawn * 10 + (uint32_t)lroundf(x[is ? X - 1 : 0] * 255) / 7;
        }
    }
    CHECK(flipped > 70 && flipped < 130);
    CHECK_INT(mask, 1731715829); /* once written down, so that a run goes on as it began */
    CHECK_INT(drawn, 4280696240);
    tg_feed_free(feed);
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(points_are_floats_and_none_of_them_is_nan)
{
    const char *path = in(test_folder(), "x.safetensors");
    const int64_t live = tg_alloc_live();
    float at[6] = {0.5f, -1, 2, 3, -4.25f, 1e30f};
    const int64_t in_order[3] = {0, 2, 1};
    char hash[65];
    tg_scratch *data;
    tg_dataset *d;
    float x[6];
    CHECK_OK(tg_scratch_of(at, sizeof at, &data));
    tg_sample_draft draft = {.kind = TG_KIND_POINTS, .rank = 1, .dims = {2, 1, 1}, .data = data, .order = in_order, .counts = {2, 1, 0},
                             .samples = "{\"shape\": [2]}", .split = "{}", .figures = "{}", .baselines = "{}", .verdict = "{}",
                             .report = "{}", .provenance = "{}"};
    for (int bad = 0; bad < 2; bad++) {
        if (bad) at[3] = NAN;
        CHECK_OK(tg_dataset_write_samples(path, &draft, hash));
        for (int64_t bound = 0; bound <= TG_DATASET_LOAD; bound += TG_DATASET_LOAD) {
            if (bad && bound) CHECK_ERROR(tg_dataset_open_within(path, bound, &d), TG_EFORMAT, "no numbers");
            if (bad && bound) continue;
            CHECK_OK(tg_dataset_open_within(path, bound, &d));
            CHECK_OK(tg_dataset_samples(d, TG_TRAIN, 0, 2, x, NULL));
            CHECK(x[0] == 0.5f && x[1] == -1 && x[2] == -4.25f && x[3] == 1e30f);
            if (bad) CHECK_ERROR(tg_dataset_samples(d, TG_VAL, 0, 1, x, NULL), TG_EFORMAT, "no numbers");
            tg_dataset_close(d);
        }
    }
    tg_scratch_free(data);
    CHECK_INT(tg_alloc_live(), live);
}

/* Headers that say what the tensors are not. */
TEST(datasets_of_samples_that_lie_are_refused)
{
    static const struct { const char *samples, *counts, *why; } lies[] = {
        {"{\"shape\": [3, 2, 5]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", NULL},
        {"{\"shape\": [3, 2, 5]}", "{\"train\": 3, \"val\": 0, \"test\": 0}", "not what the tensors are"},
        {"{\"shape\": [3, 2, 5]}", "{\"train\": 2, \"val\": 1, \"test\": 0}", "not what the tensors are"},
        {"{\"shape\": [3, 5, 2]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "another type or shape"},
        {"{\"shape\": [3, 2]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "does not tell the shape"},
        {"{\"shape\": [3, 0, 5]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "makes no sense"},
        {"{\"shape\": [9000000000, 9000000000, 5]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "makes no sense"},
        {"{}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "does not tell the shape"},
        {"{\"shape\": [3, 2, 5], \"classes\": []}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "does not tell its classes"},
        {"{\"shape\": [3, 2, 5], \"classes\": [{\"name\": \"a\"}]}", "{\"train\": 2, \"val\": 0, \"test\": 0}", "no count"},
        {"{\"shape\": [3, 2, 5], \"classes\": [{\"name\": \"a\", \"count\": 2}]}", "{\"train\": 2, \"val\": 0, \"test\": 0}",
         "outside its classes"},
    };
    const char *path = in(test_folder(), "x.safetensors");
    const int64_t live = tg_alloc_live();
    uint8_t pixels[2 * SIZE] = {0};
    uint16_t labels[2] = {0, 1};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        char meta[700];
        tg_dataset *d;
        snprintf(meta, sizeof meta, "{\"format\": \"tinygen-dataset\", \"version\": 1, \"kind\": \"image\", \"samples\": %s, "
                 "\"content_sha256\": \"%064d\", \"counts\": %s}", lies[i].samples, 0, lies[i].counts);
        const tg_st_row rows[] = {{"train", TG_ST_U8, 4, {2, C, Y, X}, pixels}, {"train.labels", TG_ST_U16, 1, {2}, labels}};
        CHECK_OK(tg_safetensors_write(path, rows, 2, meta, NULL, NULL, NULL));
        if (!lies[i].why) {
            CHECK_OK(tg_dataset_open(NULL, path, &d));
            tg_dataset_close(d);
        } else CHECK_ERROR(tg_dataset_open(NULL, path, &d), TG_EFORMAT, lies[i].why);
    }
    CHECK_INT(tg_alloc_live(), live);
}
