/* copied.c - tests of runs that texts share with a training text, against plain loops in Python (golden/text_metrics.py). */
#include "run/metrics/copied.h"

#include "base/rng.h"
#include "run/metrics/text.h"
#include "support/cases.h"
#include "support/shared.h"

/* Documents one behind the other, in parts of `part` bytes. */
static void read_all(tg_copied *c, const tg_text *train, int64_t count, int64_t part)
{
    for (int64_t i = 0; i < count; i++) {
        tg_copied_break(c);
        for (int64_t at = 0; at < train[i].length; at += part)
            tg_copied_read(c, train[i].bytes + at, train[i].length - at < part ? train[i].length - at : part);
    }
}

/* The passages are those of the case and stand where they say. */
static void expect_passages(const cases *c, const tg_json *j, const tg_copied *copied, const tg_text *train, int64_t documents,
                            const tg_text *texts)
{
    tg_passage p[256];
    int64_t n, k = 0;
    CHECK_OK(tg_copied_passages(copied, 1, 1, p, 256, &n));
    for (const tg_json *want = tg_json_get(j, "passages")->child; want; want = want->next, k++) {
        const int64_t got[] = {p[k].text, p[k].offset, p[k].length, p[k].chars};
        const tg_json *x = want->child;
        CHECK(k < n);
        for (int i = 0; i < 4; i++, x = x->next)
            if (got[i] != x->integer)
                test_failed(__FILE__, __LINE__, "%s:%lld: passage %lld: %lld, not %lld", c->name, (long long)c->line, (long long)k,
                            (long long)got[i], (long long)x->integer);
        int64_t at = p[k].in_train, document = 0;
        while (document < documents && at >= train[document].length) at -= train[document++].length;
        CHECK(document < documents && at + p[k].length <= train[document].length);
        CHECK_BYTES(texts[p[k].text].bytes + p[k].offset, train[document].bytes + at, p[k].length);
    }
    CHECK_INT(n, k);
}

/* With the training text among what is judged, and without. */
TEST(copied_runs_are_those_of_plain_loops)
{
    cases c = cases_open("text_metrics.txt", "copied");
    for (const tg_json *j; (j = cases_next(&c));)
        for (int64_t part = 1, known = 0; part < 1000; part = 3 * part + 1, known = !known) {
            int64_t documents, n;
            tg_copied *copied;
            tg_copied_figures f;
            const tg_text *train = cases_texts(&c, tg_json_get(j, "train"), &documents);
            const tg_text *texts = cases_texts(&c, tg_json_get(j, "texts"), &n);
            CHECK_OK(tg_copied_new((tg_copied_group[]){{train, known ? documents : 0}, {texts, n}}, 2, &copied));
            read_all(copied, train, documents, part);
            CHECK_OK(tg_copied_end(copied));
            tg_copied_of(copied, 1, &f);
            cases_ints(&c, j, "grams", f.grams + 1, 12);
            cases_ints(&c, j, "copied", f.copied + 1, 12);
            cases_int(&c, j, "longest", f.longest);
            expect_passages(&c, j, copied, train, documents, texts);
            tg_copied_of(copied, 0, &f);
            for (int k = 0; k <= TG_COPIED_LONGEST; k++) CHECK_INT(f.copied[k], f.grams[k]);
            tg_copied_free(copied);
        }
    CHECK_INT(tg_alloc_live(), 0);
}

/* ---- the verdict */

/* Figures of so many n-grams of each length, of which this share is copied, shrinking from each length to the next. */
static tg_copied_figures figures(int64_t grams, int64_t bytes_per_char, double share, double shrink, int64_t longest)
{
    tg_copied_figures f = {.longest = longest, .bytes = grams * bytes_per_char};
    for (int n = 1; n <= TG_COPIED_LONGEST; n++, share *= shrink) {
        f.grams[n] = grams;
        f.copied[n] = (int64_t)(share * (double)grams + 0.5);
    }
    return f;
}

static void expect_verdict(const tg_copied_figures *texts, const tg_copied_figures *real, tg_copied_why why, int64_t length,
                           int64_t longest_bound)
{
    const tg_copied_verdict v = tg_copied_judge(texts, real);
    CHECK_INT(v.why, why);
    CHECK_INT(v.flagged, why == TG_COPIED_SHARE || why == TG_COPIED_RUN);
    CHECK_INT(v.length, length);
    CHECK_INT(v.longest_bound, longest_bound);
    CHECK_INT(v.longest, texts->longest);
}

TEST(copies_are_judged_beside_those_of_real_text)
{
    const tg_copied_figures real = figures(100000, 1, 1, 0.8, 40), leaky = figures(100000, 1, 0.02, 1, 300); /* n = 32: 0.001 */
    tg_copied_figures f = figures(100000, 1, 1, 0.85, 50);    /* 0.0065 */
    expect_verdict(&f, &real, TG_COPIED_FINE, 32, 150);
    f = figures(100000, 1, 0.3, 1, 50);                       /* the same share at all lengths: the first that breaks the bound */
    expect_verdict(&f, &real, TG_COPIED_SHARE, 32, 150);
    expect_verdict(&f, &leaky, TG_COPIED_SHARE, 32, 900);     /* above 0.25 */
    f = figures(100000, 1, 0.24, 1, 50);
    expect_verdict(&f, &leaky, TG_COPIED_FINE, 32, 900);
    f.copied[40] = 26000;
    expect_verdict(&f, &leaky, TG_COPIED_SHARE, 40, 900);
    f = figures(100000, 1, 1, 0.85, 151);
    expect_verdict(&f, &real, TG_COPIED_RUN, 32, 150);
    f.longest = 900;
    expect_verdict(&f, &leaky, TG_COPIED_FINE, 32, 900);
}

TEST(copies_are_judged_by_what_they_are_worth)
{
    const tg_copied_figures real = figures(10000, 3, 1, 0.5, 10), few = figures(99, 3, 0, 0, 10);
    tg_copied_figures f = figures(10000, 3, 1, 0.8, 20); /* at n = 11: 0.107; at 14, 0.055 */
    expect_verdict(&f, &real, TG_COPIED_SHARE, 11, 3 * 17);
    f = figures(10000, 3, 1, 0.7, 34);
    expect_verdict(&f, &real, TG_COPIED_FINE, 11, 3 * 17);
    expect_verdict(&f, NULL, TG_COPIED_FINE, 34, 3 * 34);
    expect_verdict(&f, &few, TG_COPIED_FINE, 34, 3 * 34);
    f = figures(10000, 3, 0.06, 1, 34);
    expect_verdict(&f, NULL, TG_COPIED_SHARE, 34, 3 * 34);
    f = figures(99, 1, 1, 1, 20); /* names */
    expect_verdict(&f, &real, TG_COPIED_SHORT, 32, 150);
    f = (tg_copied_figures){.longest = 0};
    expect_verdict(&f, NULL, TG_COPIED_SHORT, 100, 300);
    CHECK(isnan(tg_copied_judge(&f, NULL).share) && tg_copied_judge(&f, NULL).real_longest == -1);
}

/* ---- real text */

static tg_copied_verdict judge(const char *train, int64_t length, const tg_text *texts, int64_t count,
                               const tg_text *real, int64_t many)
{
    tg_copied *c;
    tg_copied_figures of_texts, of_real;
    CHECK_OK(tg_copied_new((tg_copied_group[]){{texts, count}, {real, many}}, 2, &c));
    tg_copied_read(c, train, length);
    CHECK_OK(tg_copied_end(c));
    tg_copied_of(c, 0, &of_texts);
    tg_copied_of(c, 1, &of_real);
    tg_copied_free(c);
    return tg_copied_judge(&of_texts, &of_real);
}

/* English and Chinese: what a model says that learned its text by heart, or a passage of it, and what one says that did not: every
 * other piece of the rest. */
TEST(what_was_learned_by_heart_is_told_from_real_text)
{
    static const char *const files[] = {"text/tinyshakespeare.txt", "text/tang_poems.txt"};
    for (int k = 0; k < 2; k++) {
        const int64_t train = 200000;
        int64_t length;
        char *text = shared_text(files[k], &length), planted[1000];
        tg_text pieces[40], texts[20], real[20];
        for (int i = 0; i < 40; i++) pieces[i] = (tg_text){text, sizeof planted};
        CHECK_INT(tg_pieces_like(text + train, length - train, pieces, 40, pieces), 40);
        for (int i = 0; i < 40; i++) (i % 2 ? real : texts)[i / 2] = pieces[i];
        tg_copied_verdict v = judge(text, train, texts, 20, real, 20);
        test_note("real: %lld in 100000 of %lld characters are copied, other real: %lld; longest %lld and %lld",
                  (long long)(v.share * 1e5), (long long)v.length, (long long)(v.real_share * 1e5), (long long)v.longest,
                  (long long)v.real_longest);
        CHECK_INT(v.why, TG_COPIED_FINE);
        memcpy(planted, texts[7].bytes, (size_t)texts[7].length);
        memcpy(planted + 50, text + 100000, 900);
        texts[7].bytes = planted;
        CHECK_INT(judge(text, train, texts, 20, real, 20).why, TG_COPIED_RUN);
        CHECK_INT(tg_pieces_like(text, train, texts, 4, texts), 4); /* one of five */
        CHECK_INT(judge(text, train, texts, 20, real, 20).why, TG_COPIED_SHARE);
        tg_free(text);
    }
}

TEST(copied_runs_do_not_cross_a_break_between_documents)
{
    const tg_text texts[] = {{"abcdef", 6}};
    tg_copied *c;
    tg_copied_figures f;
    for (int broken = 0; broken < 2; broken++) {
        CHECK_OK(tg_copied_new(&(tg_copied_group){texts, 1}, 1, &c));
        tg_copied_read(c, "xabc", 4);
        if (broken) tg_copied_break(c);
        tg_copied_read(c, "defx", 4);
        CHECK_OK(tg_copied_end(c));
        tg_copied_of(c, 0, &f);
        CHECK_INT(f.longest, broken ? 3 : 6);
        tg_copied_free(c);
    }
}

/* The automaton's bounds are reached by words of two letters that hardly repeat: a^n b^n and random ones. */
TEST(copied_has_room_for_any_text)
{
    enum { N = 3000 };
    char *text = tg_alloc(N);
    for (uint64_t round = 0; round < 12; round++) {
        tg_rng r = tg_rng_at(1, TG_RNG_TEST, 900 + round);
        tg_text texts[30];
        int64_t count = round % 2 ? 30 : 1;
        for (int i = 0; i < N; i++) text[i] = round < 2 ? "ab"[i > N / 2] : (char)('a' + tg_rng_below(&r, (int64_t)round));
        if (round == 10) memset(text, 'a', N);
        for (int64_t i = 0; i < count; i++) texts[i] = (tg_text){text + i * (N / count), N / count};
        tg_copied *c;
        tg_copied_figures f;
        CHECK_OK(tg_copied_new(&(tg_copied_group){texts, count}, 1, &c));
        tg_copied_read(c, text, N);
        CHECK_OK(tg_copied_end(c));
        tg_copied_of(c, 0, &f);
        CHECK_INT(f.longest, N / count);
        CHECK_INT(f.bytes, N);
        CHECK_INT(f.copied[TG_COPIED_LONGEST], f.grams[TG_COPIED_LONGEST]);
        tg_copied_free(c);
    }
    tg_free(text);
}

TEST(copied_refuses_too_much_and_survives_any_allocation_that_fails)
{
    const tg_text much[] = {{"x", TG_COPIED_ROOM}, {"y", 1}}, texts[] = {{"the cat", 7}, {"sat", 3}};
    tg_copied *c = NULL;
    CHECK_ERROR(tg_copied_new(&(tg_copied_group){much, 2}, 1, &c), TG_EINVAL, "fewer samples");
    for (int64_t n = 1, failed = 1; failed > 0; n++) {
        tg_passage p[4];
        int64_t count = -1;
        tg_alloc_fail_at(n, false);
        tg_status status = tg_copied_new(&(tg_copied_group){texts, 2}, 1, &c);
        if (!status) {
            tg_copied_read(c, "a cat sat", 9);
            status = tg_copied_end(c);
            if (!status) status = tg_copied_passages(c, 0, 2, p, 4, &count);
            tg_copied_free(c);
        }
        tg_alloc_fail_at(0, false);
        failed = status != TG_OK;
        CHECK_INT(status, failed ? TG_ENOMEM : TG_OK);
        CHECK_INT(count, failed ? -1 : 2);
        CHECK_INT(tg_alloc_live(), 0);
        CHECK(n < 100);
    }
}
