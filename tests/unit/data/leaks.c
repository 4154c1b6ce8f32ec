/* leaks.c - tests of spans that two texts share: planted ones at known places, plain loops, texts that repeat. */
#include "data/leaks.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "support/make.h"

/* ---- helpers */

/* n bytes of `letters` different letters, the same for the same stream; the caller's, by tg_free. */
static char *noise(int64_t n, int64_t letters, uint64_t stream)
{
    char *text = tg_alloc(n + 1);
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    CHECK(text);
    for (int64_t i = 0; i < n; i++) text[i] = (char)(' ' + tg_rng_below(&r, letters));
    return text;
}

/* text[at..] becomes a copy of n bytes, what stands beside being different for sure. */
static void plant(char *text, int64_t at, const char *copy, int64_t n)
{
    memcpy(text + at, copy, (size_t)n);
    text[at - 1] = '\1';
    text[at + n] = '\2';
}

static void check(const tg_leaks *l, int64_t covered, int64_t spans, int64_t longest, int64_t in_train, int64_t in_val)
{
    CHECK_INT(l->covered, covered);
    CHECK_INT(l->spans, spans);
    CHECK_INT(l->longest, longest);
    CHECK_INT(l->longest_in_train, in_train);
    CHECK_INT(l->longest_in_val, in_val);
}

static int64_t plain_alike(const char *a, int64_t a_length, const char *b, int64_t b_length)
{
    int64_t n = 0;
    while (n < a_length && n < b_length && a[n] == b[n]) n++;
    return n;
}

/* All places against all places; longest_in_* are left alone. */
static tg_leaks plain_leaks(const char *train, int64_t train_length, const char *val, int64_t val_length, int64_t span)
{
    tg_leaks l = {0};
    int64_t reach = 0;
    for (int64_t v = 0; v < val_length; v++) {
        int64_t best = 0;
        for (int64_t t = 0; t < train_length; t++) {
            int64_t n = plain_alike(train + t, train_length - t, val + v, val_length - v);
            if (n > best) best = n;
        }
        if (best < span) continue;
        if (best > l.longest) l.longest = best;
        l.spans += v > reach || l.spans == 0;
        if (v > reach) reach = v;
        if (v + best > reach) {
            l.covered += v + best - reach;
            reach = v + best;
        }
    }
    return l;
}

/* Two buffers as the texts that tg_leaks_find reads. */
static tg_status find_with(const char *train, int64_t train_length, const char *val, int64_t val_length, int64_t span,
                           int64_t anchors, tg_leaks *out)
{
    tg_scratch *a = NULL, *b = NULL;
    tg_status s = tg_scratch_of(train, train_length, &a);
    if (!s) s = tg_scratch_of(val, val_length, &b);
    if (!s && anchors) s = tg_leaks_find_with(NULL, (tg_stretch){a, 0, train_length}, (tg_stretch){b, 0, val_length}, span, anchors, out);
    else if (!s) s = tg_leaks_find(NULL, (tg_stretch){a, 0, train_length}, (tg_stretch){b, 0, val_length}, span, out);
    tg_scratch_free(a);
    tg_scratch_free(b);
    return s;
}

static tg_status find(const char *train, int64_t train_length, const char *val, int64_t val_length, int64_t span, tg_leaks *out)
{
    return find_with(train, train_length, val, val_length, span, 0, out);
}

/* ---- what is found */

TEST(planted_spans_are_found_where_they_are)
{
    char *train = noise(200000, 64, 110), *val = noise(50000, 64, 111);
    tg_leaks l;
    CHECK_OK(find(train, 200000, val, 50000, TG_LEAK_SPAN, &l));
    check(&l, 0, 0, 0, 0, 0);
    plant(val, 30000, train + 777, 100);
    plant(val, 1000, train + 123456, 1500);
    plant(val, 40000, train + 199900, 100); /* the last bytes of train */
    plant(val, 20000, train + 5000, 99);    /* too short */
    memcpy(val, train + 42, 123);           /* the first of val */
    memcpy(val + 50000 - 111, train, 111);  /* the first of train are the last of val */
    CHECK_OK(find(train, 200000, val, 50000, TG_LEAK_SPAN, &l));
    check(&l, 100 + 1500 + 100 + 123 + 111, 5, 1500, 123456, 1000);
    tg_free(train);
    tg_free(val);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_span_is_found_at_any_offset_and_none_below_the_bound)
{
    static const int64_t bounds[] = {16, 17, 31, 64, 65, 100};
    char *train = noise(4000, 64, 112), *fresh = noise(600, 64, 113), val[600];
    tg_leaks l;
    for (int64_t from = 1000; from < 1100; from++)
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
            memcpy(val, fresh, 600);
            plant(val, 200, train + from, bounds[b]);
            CHECK_OK(find(train, 4000, val, 600, bounds[b], &l));
            check(&l, bounds[b], 1, bounds[b], from, 200);
            CHECK_OK(find(train, 4000, val, 600, bounds[b] + 1, &l));
            check(&l, 0, 0, 0, 0, 0);
        }
    tg_free(train);
    tg_free(fresh);
}

TEST(shared_spans_are_those_of_plain_loops)
{
    for (uint64_t round = 0; round < 30; round++) {
        char *train = noise(3000, 6, 200 + 2 * round), *val = noise(1000, 6, 201 + 2 * round);
        tg_rng r = tg_rng_at(1, TG_RNG_TEST, 300 + round);
        for (int i = 0; i < 25; i++) { /* copies lie over copies, in val and, less, in train */
            int64_t n = 10 + tg_rng_below(&r, 40), t = tg_rng_below(&r, 3000 - n);
            memcpy(val + tg_rng_below(&r, 1000 - n), train + t, (size_t)n);
            if (i % 4 == 0) memmove(train + tg_rng_below(&r, 3000 - n), train + t, (size_t)n);
        }
        tg_leaks want = plain_leaks(train, 3000, val, 1000, 20), got, sections;
        CHECK_OK(find(train, 3000, val, 1000, 20, &got));
        check(&got, want.covered, want.spans, want.longest, got.longest_in_train, got.longest_in_val);
        CHECK(got.covered > 0 && got.covered < 1000);
        CHECK_BYTES(train + got.longest_in_train, val + got.longest_in_val, got.longest);
        for (int64_t anchors = 1; anchors < 100; anchors += 12) { /* nor does it depend on what fits into memory */
            CHECK_OK(find_with(train, 3000, val, 1000, 20, anchors, &sections));
            check(&sections, want.covered, want.spans, want.longest, sections.longest_in_train, sections.longest_in_val);
            CHECK_BYTES(train + sections.longest_in_train, val + sections.longest_in_val, want.longest);
        }
        tg_free(train);
        tg_free(val);
    }
}

TEST(sections_do_not_cut_a_span)
{
    char *train = noise(100000, 64, 114), *val = noise(60000, 64, 115);
    tg_leaks l;
    plant(val, 500, train + 20000, 50000);
    plant(val, 58000, train + 10, 200);
    for (int64_t anchors = 1; anchors < 2000; anchors *= 3) {
        CHECK_OK(find_with(train, 100000, val, 60000, 100, anchors, &l));
        check(&l, 50200, 2, 50000, 20000, 500);
    }
    tg_free(train);
    tg_free(val);
}

/* Train is long and holds little of val; both are in files. */
TEST(texts_in_files_are_searched_as_those_in_memory)
{
    enum { TRAIN = 3000000, VAL = 300000 };
    char *train = noise(TRAIN, 64, 122), *val = noise(VAL, 64, 123);
    tg_leaks l;
    tg_scratch *both;
    for (int i = 0; i < 100; i++) plant(val, 1000 + 2000 * i, train + 1 + 29000 * i, 100 + i);
    plant(train, 2950000, val + 299000, 500);
    CHECK_OK(tg_scratch_new(one_path(), 1000, &both));
    CHECK_OK(tg_scratch_add(both, train, TRAIN));
    CHECK_OK(tg_scratch_add(both, val, VAL));
    for (int64_t anchors = 50; anchors < 100000; anchors *= 40) {
        CHECK_OK(tg_leaks_find_with(NULL, (tg_stretch){both, 0, TRAIN}, (tg_stretch){both, TRAIN, VAL}, 100, anchors, &l));
        check(&l, 100 * 100 + 99 * 50 + 500, 101, 500, 2950000, 299000);
    }
    tg_scratch_free(both);
    tg_free(train);
    tg_free(val);
    CHECK_INT(tg_alloc_live(), 0);
}

/* A phrase that train has 5000 times does not hide what stands beside it. */
TEST(what_train_repeats_hides_nothing_beside_it)
{
    enum { TRAIN = 1000000, PHRASE = 45 };
    char *train = noise(TRAIN, 64, 124), *val = noise(60000, 64, 125), *phrase = noise(PHRASE, 64, 126);
    tg_leaks l;
    for (int i = 1; i < TRAIN / 200; i++) memcpy(train + 200 * i, phrase, PHRASE);
    for (int i = 1; i < 60000 / 100; i++) memcpy(val + 100 * i, phrase, PHRASE);
    CHECK_OK(find(train, TRAIN, val, 60000, 100, &l));
    check(&l, 0, 0, 0, 0, 0);
    plant(val, 30010, train + 800020, 240); /* one of them is in its midst, all of it */
    for (int64_t anchors = 1000; anchors < 1000000; anchors *= 10) {
        CHECK_OK(find_with(train, TRAIN, val, 60000, 100, anchors, &l));
        check(&l, 240, 1, 240, 800020, 30010);
    }
    tg_free(train);
    tg_free(val);
    tg_free(phrase);
}

/* Behind a span of 300 bytes, a byte more is shared by one of 100 that has a single anchor, at its begin. */
TEST(a_span_that_goes_a_byte_beyond_another_is_found)
{
    char *train = noise(4000, 64, 118), *val = noise(600, 64, 119);
    tg_leaks l;
    plant(train, 1000, val + 200, 300);
    for (int64_t at = 2000; at < 2069; at++) {
        plant(train, at, val + 401, 100);
        CHECK_OK(find(train, 4000, val, 600, 100, &l));
        check(&l, 301, 1, 300, 1000, 200);
    }
    tg_free(train);
    tg_free(val);
}

/* Two of 92 bytes overlap in val to 152; the 32 bytes that both have are an anchor in both places. */
TEST(short_spans_that_overlap_do_not_make_a_long_one)
{
    char *train = noise(69 * 60, 64, 120), *val = noise(600, 64, 121);
    tg_leaks l;
    plant(train, 69 * 10 - 60, val + 200, 92);
    plant(train, 69 * 40, val + 260, 92);
    CHECK_OK(find(train, 69 * 60, val, 600, 100, &l));
    check(&l, 0, 0, 0, 0, 0);
    CHECK_OK(find(train, 69 * 60, val, 600, 92, &l));
    check(&l, 152, 1, 92, 69 * 10 - 60, 200);
    tg_free(train);
    tg_free(val);
}

TEST(the_same_text_leaks_whole)
{
    char *text = noise(100000, 64, 116);
    tg_leaks l;
    CHECK_OK(find(text, 100000, text, 100000, TG_LEAK_SPAN, &l));
    check(&l, 100000, 1, 100000, 0, 0);
    CHECK_OK(find(text, 99, text, 99, TG_LEAK_SPAN, &l));
    check(&l, 0, 0, 0, 0, 0);
    CHECK_OK(find(text, 0, text, 100, TG_LEAK_SPAN, &l));
    check(&l, 0, 0, 0, 0, 0);
    CHECK_OK(find(text, 100, text, 0, TG_LEAK_SPAN, &l));
    check(&l, 0, 0, 0, 0, 0);
    CHECK_OK(find(text, 100, text, 100, TG_LEAK_SPAN, &l));
    check(&l, 100, 1, 100, 0, 0);
    tg_free(text);
}

TEST(spans_begin_and_end_between_characters)
{
    /* Two characters whose last two bytes are alike stand before, two whose first two are alike behind. */
    char train[400] = "x\u4e00", val[400] = "yy\u5e00", inside[200] = "";
    for (uint32_t c = 0x4e10; c < 0x4e10 + 34; c++) tg_utf8_put(inside + strlen(inside), c * 7 % 0x1000 + 0x4e00);
    strcat(strcat(train, inside), "\u4e10z");
    strcat(strcat(val, inside), "\u4e11z");
    tg_leaks l;
    CHECK_OK(find(train, (int64_t)strlen(train), val, (int64_t)strlen(val), 100, &l));
    check(&l, 102, 1, 102, 4, 5);
    CHECK_OK(find(train, (int64_t)strlen(train), val, (int64_t)strlen(val), 103, &l)); /* 106 with the parts */
    check(&l, 0, 0, 0, 0, 0);
}

/* ---- texts that repeat */

TEST(repeated_texts_cost_no_more_than_others)
{
    enum { N = 4000000 };
    char *train = tg_alloc(N), *val = tg_alloc(N);
    tg_leaks l;
    for (int period = 1; period < 200; period = 3 * period + 1) {
        for (int i = 0; i < N; i++) train[i] = val[i] = (char)('0' + i % period % 50);
        CHECK_OK(find(train, N, val, N, TG_LEAK_SPAN, &l));
        check(&l, N, 1, N, 0, 0);
        CHECK_OK(find(train, N / 2 + 1, val, N, TG_LEAK_SPAN, &l)); /* val is longer than anything in train */
        CHECK(l.covered == N && l.spans == 1 && l.longest == N / 2 + 1);
        for (int i = 1000; i < N; i += 1000) val[i] = '\1';
        CHECK_OK(find(train, N, val, N, TG_LEAK_SPAN, &l));
        check(&l, N - N / 1000 + 1, N / 1000, 1000, 0, 0);
    }
    tg_free(train);
    tg_free(val);
}

TEST(leaks_refuse_short_spans_and_survive_any_allocation_that_fails)
{
    char *text = noise(1000, 64, 117);
    tg_leaks l;
    CHECK_ERROR(find(text, 1000, text, 1000, 15, &l), TG_EINVAL, "16 or more");
    for (int n = 1; n <= 8; n++) { /* two of them our own */
        tg_alloc_fail_at(n, false);
        CHECK_INT(find(text, 1000, text, 1000, 100, &l), TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), 1);
    }
    tg_alloc_fail_at(9, false);
    CHECK_OK(find(text, 1000, text, 1000, 100, &l));
    tg_alloc_fail_at(0, false);
    tg_free(text);
}
