/* Tests of run/metrics/two_sample.c: n-grams as numbers, what judges tell apart and what not. */
#include "run/metrics/two_sample.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/sort.h"
#include "support/golden.h"
#include "support/shared.h"

static tg_text text_of(const char *bytes)
{
    return (tg_text){bytes, (int64_t)strlen(bytes)};
}

TEST(ngrams_are_counted_in_the_bins_of_their_hashes)
{
    golden g = golden_open("metrics");
    float got[32 + 3 + TG_RUN_NUMBERS], longer[32 + 3 + TG_RUN_NUMBERS];
    tg_ngram_features(text_of("Wär's möglich? 春眠不覺曉 Wär's"), 22, 3, 32, got);
    golden_check(&g, "ngrams", got, 1e-6);
    tg_ngram_features(text_of("Wär's möglich? 春眠不覺曉 Wär's"), 23, 3, 32, longer);
    CHECK(memcmp(got, longer, sizeof got) != 0);
    golden_close(&g);
}

/* Each with its mark: 3, 3, 2, 3, 4, and 3, 4, 3, 4, 5, with the blanks before them; the newline behind a mark is no run. */
TEST(runs_between_marks_are_measured)
{
    static const struct { const char *text; int64_t characters; double runs[TG_RUN_NUMBERS]; } rows[] = {
        {"窗前，明月。光，疑是\n地上霜。\n", 16, {3, 0.6324555320336759, 0.25}}, {"at, is. a; on\nit's!\n", 20, {3.8, 0.7483314773547883, 0}},
        {"窗前，明月。光，疑是\n地上霜。\n，，", 16, {3, 0.6324555320336759, 0.25}}, {"no mark at all", 14, {14, 0, 0}}};
    for (int i = 0; i < 4; i++) {
        float got[8 + 1 + TG_RUN_NUMBERS];
        tg_ngram_features(text_of(rows[i].text), rows[i].characters, 1, 8, got);
        CHECK_CLOSE(got + 8 + 1, rows[i].runs, TG_RUN_NUMBERS, 1e-6);
    }
}

TEST(the_shortest_text_is_told_by_characters)
{
    const tg_text texts[] = {text_of("abcdef"), text_of("春眠不覺曉"), {"\xff\xff\xff\xff\xff\xff", 6}};
    CHECK_INT(tg_texts_shortest(texts, 3), 5);
    CHECK_INT(tg_texts_shortest(texts, 0), 0);
}

enum { EACH = 4000, D = 6 };
static float real[EACH * D], made[EACH * D];

static void draw(float shift)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
    for (int i = 0; i < EACH * D; i++) real[i] = tg_rng_normal(&r);
    for (int i = 0; i < EACH * D; i++) made[i] = tg_rng_normal(&r) + (i % D == 0 ? shift : 0);
}

TEST(judges_find_what_a_threshold_finds_and_nothing_where_nothing_is)
{
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) {
        tg_two_sample same, apart, far;
        draw(0);
        CHECK_OK(tg_two_sample_test((tg_judge_kind)kind, real, EACH, made, EACH - 5, D, 1, &same));
        draw(2); /* the best threshold is at 1: 84.1 % */
        CHECK_OK(tg_two_sample_test((tg_judge_kind)kind, real, EACH, made, EACH, D, 1, &apart));
        draw(20);
        CHECK_OK(tg_two_sample_test((tg_judge_kind)kind, real, 100, made, EACH, D, 1, &far));
        test_note("%s: %d.%d %% of the same, %d.%d %% of what is apart", tg_judge_name((tg_judge_kind)kind), (int)(same.accuracy * 100),
                  (int)(same.accuracy * 1000) % 10, (int)(apart.accuracy * 100), (int)(apart.accuracy * 1000) % 10);
        CHECK(fabs(same.accuracy - 0.5) < 0.03 && same.interval.low < 0.5 && same.interval.high > 0.5);
        CHECK_INT(same.judged, EACH - 4); /* 3,995 of each: 1,998 of each are judged, 1,997 train */
        CHECK(apart.accuracy > (kind == TG_JUDGE_TREE ? 0.74 : 0.82) && apart.accuracy < 0.86);
        CHECK(far.accuracy == 1 && far.judged == 100);
    }
    tg_two_sample r;
    CHECK_ERROR(tg_two_sample_test(TG_JUDGE_SVM, real, 3, made, EACH, D, 1, &r), TG_EINVAL, "four samples");
    CHECK_ERROR(tg_two_sample_texts(TG_JUDGE_SVM, &(tg_text){"", 0}, 1, &(tg_text){"a", 1}, 1, 1, &r), TG_EINVAL, "no texts");
}

static void judged(const tg_text *a, const tg_text *b, int64_t n, double accuracy[TG_JUDGE_KINDS])
{
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) {
        tg_two_sample r;
        CHECK_OK(tg_two_sample_texts((tg_judge_kind)kind, a, n, b, n, 1, &r));
        accuracy[kind] = r.accuracy;
        test_note("%s: %d.%d %% of %d", tg_judge_name((tg_judge_kind)kind), (int)(r.accuracy * 100), (int)(r.accuracy * 1000) % 10,
                  (int)r.judged);
    }
}

/* Pieces of a text, by chance on the one side or the other. */
TEST(judges_cannot_tell_real_text_from_real_text)
{
    enum { LONG = 500 };
    static tg_text sides[2][4000];
    double accuracy[TG_JUDGE_KINDS];
    int64_t length;
    char *text = shared_text("text/tinyshakespeare.txt", &length);
    const int64_t n = length / LONG / 2;
    CHECK(n > 1000 && n < 4000);
    for (int64_t i = 0; i < 2 * n; i++)
        sides[i % 2][i / 2] = (tg_text){text + tg_rng_permute(1, TG_RNG_TEST, 0, 2 * n, i) * LONG, LONG};
    judged(sides[0], sides[1], n, accuracy);
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) CHECK(fabs(accuracy[kind] - 0.5) <= 0.03);
    tg_free(text);
}

enum { MEMORY = 4, BOOK = 2000000 };

static int by_next(const void *a, const void *b, void *book)
{
    return memcmp((const char *)book + *(const int32_t *)a, (const char *)book + *(const int32_t *)b, MEMORY);
}

/* What an n-gram model of order 5 writes, by Shannon's method of 1948: go to one of the places of the book, by chance, where the
 * last four characters stand, and write down the one behind them. Places [n] are sorted by what stands there: place p belongs
 * with those from first[p] to last[p]. */
static void write_by_shannon(char *book, int64_t n, tg_rng *r, char *out, int64_t count)
{
    static int32_t places[BOOK], scratch[BOOK], first[BOOK], last[BOOK];
    if (!last[0]) {
        for (int32_t i = 0; i < n; i++) places[i] = i;
        tg_sort(places, n, sizeof *places, scratch, by_next, book);
        for (int32_t i = 0, j = 0; i < n; i = j) {
            for (; j < n && by_next(places + i, places + j, book) == 0; j++) first[places[j]] = i;
            for (int32_t k = i; k < j; k++) last[places[k]] = j;
        }
    }
    for (int64_t p = tg_rng_below(r, n), i = 0; i < count; i++, p = (p + 1) % n) {
        p = places[first[p] + tg_rng_below(r, last[p] - first[p])];
        out[i] = book[p + MEMORY];
    }
}

TEST(judges_tell_what_an_ngram_model_writes_from_real_text)
{
    enum { LONG = 1000, N = 300 };
    static char written[N * LONG];
    static tg_text from[N], of[N];
    double accuracy[TG_JUDGE_KINDS];
    int64_t length;
    char *text = shared_text("text/tinyshakespeare.txt", &length);
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
    for (int64_t i = 0; i < N; i++) {
        write_by_shannon(text, length - MEMORY, &r, written + i * LONG, LONG);
        from[i] = (tg_text){written + i * LONG, LONG};
        of[i] = (tg_text){text + tg_rng_permute(1, TG_RNG_TEST, 0, length / LONG, i) * LONG, LONG};
    }
    judged(of, from, N, accuracy);
    for (int kind = 0; kind < TG_JUDGE_KINDS; kind++) CHECK(accuracy[kind] >= 0.9);
    tg_free(text);
}
