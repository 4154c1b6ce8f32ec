/* batch.c - tests of the feed: streams as PyTorch's usual batchify cuts them, evaluation that leaves nothing out. */
#include "support/make.h"

/* 0, 1, 2 ... as byte tokens. */
static tg_dataset *counting(int64_t train, int64_t val, int64_t bound)
{
    const char *path = one_path();
    char text[256], hash[65];
    tg_tokenizer *t;
    tg_dataset *d;
    for (int i = 0; i < 256; i++) text[i] = (char)i;
    CHECK_OK(tg_tokenizer_byte_new(&t));
    make_dataset(path, t, text, train + val, train, val, "{}", hash);
    CHECK_OK(tg_dataset_open_within(path, bound, &d));
    tg_tokenizer_free(t);
    return d;
}

static void expect(tg_feed *f, int64_t step, const int32_t *tokens, int64_t T, int64_t B, bool restart)
{
    tg_batch b;
    CHECK_OK(tg_feed_batch(f, step, &b));
    const tg_array *x = tg_batch_array(&b, "tokens"), *y = tg_batch_array(&b, "targets");
    CHECK(x && y && x->rank == 2 && y->rank == 2 && !tg_batch_array(&b, "labels"));
    CHECK(x->dims[0] == T && x->dims[1] == B && y->dims[0] == T && y->dims[1] == B);
    CHECK_BYTES(x->ids, tokens, T * B * 4);
    for (int64_t i = 0; i < T * B; i++) CHECK_INT(y->ids[i], tokens[i] + 1); /* as the tokens count up */
    CHECK_INT(b.items, T * B);
    CHECK_INT(b.restart, restart);
}

/* 24 tokens, B = 2, T = 4. PyTorch: n = (24 - 1) // 2 = 11; x = data[:22].view(2, 11).t(); steps = 11 // 4 = 2;
 * x[0:4] = [[0,11],[1,12],[2,13],[3,14]], x[4:8] = [[4,15],[5,16],[6,17],[7,18]]. */
TEST(streams_are_those_of_the_pytorch_protocol)
{
    static const int32_t first[] = {0, 11, 1, 12, 2, 13, 3, 14}, second[] = {4, 15, 5, 16, 6, 17, 7, 18};
    for (int64_t bound = 0; bound <= 1000; bound += 1000) {
        tg_dataset *d = counting(24, 0, bound);
        tg_feed *f;
        CHECK_OK(tg_feed_new(d, TG_TRAIN, 2, 4, false, &f));
        CHECK_INT(tg_feed_steps_per_epoch(f), 2);
        expect(f, 0, first, 4, 2, true);
        expect(f, 1, second, 4, 2, false);
        expect(f, 2, first, 4, 2, true);
        expect(f, 1000001, second, 4, 2, false); /* any step by itself: a resumed run asks for where it is */
        tg_batch b;
        CHECK_ERROR(tg_feed_batch(f, -1, &b), TG_EINVAL, "no batch -1");
        tg_feed_free(f);
        tg_dataset_close(d);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

static void cover(int64_t N, int64_t B, int64_t T)
{
    tg_dataset *d = counting(1, N, 1000);
    tg_feed *f;
    tg_batch b;
    int seen[256] = {0}, last[256];
    int64_t items = 0, shortest = 256, longest = 0, length[256] = {0};
    CHECK_OK(tg_feed_new(d, TG_VAL, B, T, true, &f));
    for (int64_t step = 0; step < tg_feed_steps_per_epoch(f); step++) {
        CHECK_OK(tg_feed_batch(f, step, &b));
        CHECK_INT(b.restart, step == 0);
        int64_t here = 0;
        for (int64_t i = 0; i < T * B; i++) {
            int32_t x = b.arrays[0].ids[i], y = b.arrays[1].ids[i];
            if (y < 0) {
                CHECK(x == 0 && y == -1);
                continue;
            }
            CHECK_INT(y, x + 1);
            seen[y]++;
            if (length[i % B]++) CHECK_INT(x, last[i % B] + 1); /* a stream goes on where it was */
            last[i % B] = x;
            here++;
        }
        CHECK_INT(here, b.items);
        CHECK(here > 0);
        items += here;
    }
    for (int64_t i = 0; i < B; i++) {
        if (length[i] < shortest) shortest = length[i];
        if (length[i] > longest) longest = length[i];
    }
    CHECK_INT(items, N - 1);
    CHECK(longest - shortest <= 1);
    for (int64_t y = 2; y <= N; y++) CHECK_INT(seen[y], 1); /* val begins at token 1 */
    tg_feed_free(f);
    tg_dataset_close(d);
}

TEST(evaluation_covers_every_target_once)
{
    for (int64_t N = 2; N <= 40; N += 1 + N / 8)
        for (int64_t B = 1; B < N && B <= 7; B++)
            for (int64_t T = 1; T <= 9; T += 2) cover(N, B, T);
    cover(250, 50, 3);
    cover(250, 7, 100);
}

TEST(a_split_too_small_for_a_batch_is_refused_with_the_remedy)
{
    tg_dataset *d = counting(24, 3, 1000);
    tg_feed *f;
    CHECK_OK(tg_feed_new(d, TG_TRAIN, 23, 1, false, &f));
    tg_feed_free(f);
    CHECK_ERROR(tg_feed_new(d, TG_TRAIN, 3, 8, false, &f), TG_EINVAL, "split train has 24 tokens");
    test_has(__FILE__, __LINE__, tg_error(), "needs 25");
    test_has(__FILE__, __LINE__, tg_error(), "--batch or --seq");
    CHECK_ERROR(tg_feed_new(d, TG_VAL, 3, 8, true, &f), TG_EINVAL, "split val has 3 tokens");
    CHECK_ERROR(tg_feed_new(d, TG_TEST, 1, 1, true, &f), TG_EINVAL, "--test 0.1");
    CHECK_ERROR(tg_feed_new(d, TG_TRAIN, INT64_C(1) << 40, INT64_C(1) << 40, false, &f), TG_EINVAL, "cannot be");
    CHECK_ERROR(tg_feed_new(d, TG_TRAIN, 0, 1, false, &f), TG_EINVAL, "cannot be");
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(drawing_a_batch_allocates_nothing)
{
    for (int64_t bound = 0; bound <= 1000; bound += 1000) {
        tg_dataset *d = counting(100, 50, bound);
        tg_feed *f;
        tg_batch b;
        CHECK_OK(tg_feed_new(d, TG_VAL, 4, 5, true, &f));
        int64_t before = tg_alloc_count();
        for (int64_t step = 0; step < 30; step++) CHECK_OK(tg_feed_batch(f, step, &b));
        CHECK_INT(tg_alloc_count(), before);
        tg_feed_free(f);
        tg_dataset_close(d);
    }
}

/* ---- windows ---- */

/* Where row b's window begins, whose tokens count up. */
static int64_t window_at(const tg_batch *batch, int64_t b, int64_t T, int64_t B)
{
    const int32_t *ids = batch->arrays[0].ids, *next = batch->arrays[1].ids;
    for (int64_t t = 0; t < T; t++) CHECK(ids[t * B + b] == ids[b] + t && next[t * B + b] == ids[b] + t + 1);
    return ids[b];
}

TEST(an_epoch_of_windows_covers_the_text_in_an_order_of_its_own)
{
    enum { N = 103, T = 10, B = 4, WINDOWS = 9 };
    tg_dataset *d = counting(N, 0, 1000);
    tg_feed *f;
    tg_batch batch;
    int64_t order[3][WINDOWS], g = 0;
    CHECK_OK(tg_feed_windows(d, TG_TRAIN, B, T, false, 7, &f));
    CHECK_INT(tg_feed_steps_per_epoch(f), WINDOWS / B);
    for (int64_t step = 0; g < 3 * WINDOWS; step++) {
        CHECK_OK(tg_feed_batch(f, step, &batch));
        CHECK(batch.restart && batch.items == T * B && batch.count == 2);
        for (int64_t b = 0; b < B && g < 3 * WINDOWS; b++, g++) order[g / WINDOWS][g % WINDOWS] = window_at(&batch, b, T, B);
    }
    for (int e = 0; e < 3; e++) {
        int64_t seen = 0, falls = 0;
        for (int i = 1; i < WINDOWS; i++) falls += order[e][i] < order[e][i - 1];
        CHECK(falls > 1); /* neither as they lie nor from a place on round about */
        for (int i = 0; i < WINDOWS; i++) {
            CHECK_INT(order[e][i] % T, order[e][0] % T); /* side by side */
            CHECK(order[e][i] >= 0 && order[e][i] + T < N);
            seen |= INT64_C(1) << order[e][i] / T;
        }
        CHECK(seen == (1 << WINDOWS) - 1 || seen == ((1 << WINDOWS) - 1) << 1);
    }
    CHECK(memcmp(order[0], order[1], sizeof order[0]) && memcmp(order[1], order[2], sizeof order[0]));
    CHECK(order[0][0] % T != order[1][0] % T || order[1][0] % T != order[2][0] % T); /* an offset is drawn, too */
    tg_feed_free(f);
    CHECK_OK(tg_feed_windows(d, TG_TRAIN, 1, T, false, 7, &f)); /* other rows, same windows */
    for (int64_t i = 0; i < 2 * WINDOWS; i++) {
        CHECK_OK(tg_feed_batch(f, i, &batch));
        CHECK_INT(window_at(&batch, 0, T, 1), order[i / WINDOWS][i % WINDOWS]);
    }
    tg_feed_free(f);
    CHECK_OK(tg_feed_windows(d, TG_TRAIN, 2, N - 1, false, 7, &f)); /* one that fits exactly */
    CHECK_OK(tg_feed_batch(f, 5, &batch));
    CHECK_INT(window_at(&batch, 1, N - 1, 2), 0);
    tg_feed_free(f);
    CHECK_ERROR(tg_feed_windows(d, TG_TRAIN, 2, N, false, 7, &f), TG_EINVAL, "needs 104");
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(evaluation_by_windows_covers_every_target_once)
{
    for (int64_t N = 2; N <= 40; N += 1 + N / 8)
        for (int64_t B = 1; B <= 5; B += 2)
            for (int64_t T = 1; T <= 9; T += 4) {
                tg_dataset *d = counting(1, N, 1000);
                tg_feed *f;
                tg_batch batch;
                int64_t seen[64] = {0}, items = 0;
                CHECK_OK(tg_feed_windows(d, TG_VAL, B, T, true, 0, &f));
                for (int64_t step = 0; step < tg_feed_steps_per_epoch(f); step++) {
                    CHECK_OK(tg_feed_batch(f, step, &batch));
                    items += batch.items;
                    for (int64_t i = 0; i < T * B; i++)
                        if (batch.arrays[1].ids[i] >= 0) seen[batch.arrays[1].ids[i]]++;
                }
                CHECK_INT(items, N - 1);
                for (int64_t y = 2; y <= N; y++) CHECK_INT(seen[y], 1);
                tg_feed_free(f);
                tg_dataset_close(d);
            }
}
