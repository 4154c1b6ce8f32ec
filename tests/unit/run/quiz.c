/* quiz.c - tests of quizzes: what a page holds and what it does not tell, and asking on a terminal. */
#include "run/quiz.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "run/ratings.h"
#include "support/quiz.h"

/* ---- the page ---------------------------------------------------------------------------------------------------------- */

TEST(quiz_names_hide_what_they_say_and_only_their_quiz_can_tell)
{
    char name[TG_QUIZ_ITEM], other[TG_QUIZ_ITEM];
    int source;
    int64_t number, same = 0;
    for (int64_t i = 0; i < 300; i++) {
        const int64_t want = i < 100 ? i : (INT64_C(1) << 56) - i;
        tg_quiz_name("0123456789abcdef", (int)(i % 3), want, name);
        CHECK(tg_quiz_unname("0123456789abcdef", name, &source, &number));
        CHECK_INT(source, i % 3);
        CHECK_INT(number, want);
        CHECK(!tg_quiz_unname("0123456789abcdee", name, &source, &number));
        tg_quiz_name("0123456789abcdef", (int)((i + 1) % 3), want, other);
        for (int k = 0; k < TG_QUIZ_ITEM - 1; k++) same += name[k] == other[k];
        name[8 + i % 16] = name[8 + i % 16] == '0' ? '1' : '0';
        CHECK(!tg_quiz_unname("0123456789abcdef", name, &source, &number));
    }
    CHECK(same > 300 * 24 / 16 / 2 && same < 300 * 24 / 16 * 2); /* digits agree as chance has it: nothing is seen of the source */
    CHECK(!tg_quiz_unname("0123456789abcdef", "", &source, &number));
    CHECK(!tg_quiz_unname("0123456789abcdef", "0123456789ABCDEF01234567", &source, &number));
}

TEST(quiz_page_is_the_same_again_and_holds_its_texts_safely)
{
    for (int i = 0; i < 4; i++) {
        made_quiz m;
        quiz_make(&m, i < 2 ? TG_KIND_TEXT : TG_KIND_IMAGE, i % 2 ? TG_ZH : TG_EN);
        tg_str a = {0}, b = {0};
        CHECK_OK(tg_quiz_write(&m.quiz, &a));
        CHECK_OK(tg_quiz_write(&m.quiz, &b));
        CHECK_TEXT(a.data, b.data);
        CHECK_INT(tg_utf8_check(a.data, a.length), -1);
        CHECK(!strstr(a.data, "<script>alert") && !strstr(a.data, "http://") && !strstr(a.data, "https://"));
        CHECK(!strchr(a.data, '\x1b') && !strchr(a.data, '\a') && !strstr(a.data, "\xe2\x80\xae"));
        CHECK(strstr(a.data, i % 2 ? "下一个" : "To the end"));
        tg_str_free(&a);
        tg_str_free(&b);
        quiz_free(&m);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(quiz_order_is_of_the_seed_and_what_is_real_is_anywhere)
{
    made_quiz m;
    int real[QUIZ_ITEMS] = {0};
    char first[TG_QUIZ_ID] = "";
    quiz_make(&m, TG_KIND_TEXT, TG_EN);
    for (int64_t seed = 1; seed <= 200; seed++) {
        tg_quiz_deck d;
        bool seen[QUIZ_ITEMS] = {false};
        m.quiz.seed = seed;
        CHECK_OK(tg_quiz_shuffle(&m.quiz, &d));
        for (int i = 0; i < QUIZ_ITEMS; i++) {
            CHECK(!seen[d.order[i]]);
            seen[d.order[i]] = true;
            real[i] += m.items[d.order[i]].source == 0;
        }
        CHECK(strcmp(d.id, first));
        memcpy(first, d.id, sizeof first);
        tg_quiz_deck_free(&d);
    }
    for (int i = 0; i < QUIZ_ITEMS; i++) CHECK(real[i] > 65 && real[i] < 135); /* 100, five deviations each way */
    tg_quiz_deck en, zh;
    CHECK_OK(tg_quiz_shuffle(&m.quiz, &en));
    m.quiz.lang = TG_ZH;
    CHECK_OK(tg_quiz_shuffle(&m.quiz, &zh));
    CHECK_TEXT(en.id, zh.id); /* answers to both go together */
    tg_quiz_deck_free(&en);
    tg_quiz_deck_free(&zh);
    quiz_free(&m);
}

TEST(quizzes_that_make_no_sense_are_refused)
{
    made_quiz m;
    tg_str page = {0};
    quiz_make(&m, TG_KIND_TEXT, TG_EN);
    m.items[3].source = 3;
    CHECK_ERROR(tg_quiz_write(&m.quiz, &page), TG_EINVAL, "item 3");
    m.items[3] = m.items[1];
    CHECK_ERROR(tg_quiz_write(&m.quiz, &page), TG_EINVAL, "item 101 of runs/<a> is in a quiz twice");
    for (int i = 0; i < QUIZ_ITEMS; i++) m.items[i] = (tg_quiz_item){"x", 1, 1, i};
    CHECK_ERROR(tg_quiz_write(&m.quiz, &page), TG_EINVAL, "needs real items and generated ones");
    m.quiz.count = TG_QUIZ_ITEMS + 1;
    CHECK_ERROR(tg_quiz_write(&m.quiz, &page), TG_EINVAL, "10001 items");
    CHECK_INT(page.length, 0);
    quiz_free(&m);
}

/* ---- on a terminal --------------------------------------------------------------------------------------------------------- */

static tg_status collect(void *user, const char *bytes, int64_t count)
{
    tg_str_add_n(user, bytes, count);
    return TG_OK;
}

/* Asks with this typed; what was shown, and the answers. */
static void ask(const tg_quiz *q, const char *typed, int columns, tg_str *shown, tg_str *answers)
{
    const char *path = in(test_folder(), "typed");
    tg_context *ctx;
    tg_quiz_lines lines = {0};
    put(path, typed);
    CHECK_OK(tg_file_open(path, &lines.file));
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .output = collect, .user = shown}, &ctx));
    const tg_quiz_terminal t = {.line = tg_quiz_read_line, .user = &lines, .columns = columns, .colours = TG_COLOURS_NONE};
    CHECK_OK(tg_quiz_ask(ctx, q, &t, answers));
    tg_context_free(ctx);
    tg_file_close(lines.file);
}

static const tg_people *sum_of(const tg_str *answers, tg_ratings **r)
{
    const tg_people *p;
    CHECK_OK(tg_ratings_new(NULL, r));
    CHECK_OK(tg_ratings_add(*r, "typed", answers->data, answers->length));
    CHECK_OK(tg_ratings_sum(*r, &p));
    return p;
}

TEST(quiz_on_a_terminal_takes_letters_marks_nothing_back_and_end)
{
    made_quiz m;
    tg_quiz_deck d;
    tg_str shown = {0}, answers = {0};
    tg_ratings *r;
    quiz_make(&m, TG_KIND_TEXT, TG_EN);
    CHECK_OK(tg_quiz_shuffle(&m.quiz, &d));
    /* item 1: asked again after nonsense; item 2: some left out; back to it, other answers; item 3: the end in its middle */
    ask(&m.quiz, " \xe7\x8e\x8b \n" "R\n" "9\nfive\n5\n4\n3\n" "g\n\n2\n\n" "b\n" "r\n1\n1\n1\n" "g\n5", 40, &shown, &answers);
    const tg_people *p = sum_of(&answers, &r);
    CHECK_INT(p->raters, 1);
    CHECK_INT(p->real.real.count + p->generated.real.count, 3);
    for (int64_t i = 0, found = 0; i < p->item_count; i++) {
        const tg_people_item *x = &p->items[i];
        for (int at = 0; at < 3; at++) {
            static const struct { int real, grammar, coherence; } want[] = {{1, 5, 4}, {1, 1, 1}, {0, 5, 0}};
            const tg_quiz_item *item = &m.items[d.order[at]];
            if (item->source != x->source || item->number != x->number) continue;
            CHECK_INT(x->verdicts, 1);
            CHECK_INT(x->real, want[at].real);
            CHECK_INT(x->mean[0], want[at].grammar);
            CHECK_INT(x->marks[1], want[at].coherence > 0);
            found++;
        }
        if (i + 1 == p->item_count) CHECK_INT(found, 3);
    }
    CHECK(strstr(answers.data, "\"rater\": \"王\""));
    CHECK(!strchr(shown.data, '\x1b') && !strchr(shown.data, '\a') && !strstr(shown.data, "runs/"));
    tg_ratings_free(r);
    tg_quiz_deck_free(&d);
    tg_str_free(&shown);
    tg_str_free(&answers);
    quiz_free(&m);
}

/* The longest line of what was shown that is not a question. */
static int64_t widest(const char *shown)
{
    int64_t most = 0;
    for (const char *at = shown, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        const int64_t columns = tg_utf8_columns(at, end - at);
        if (!memchr(at, '(', (size_t)(end - at)) && !memchr(at, '-', (size_t)(end - at)) && columns > most) most = columns;
    }
    return most;
}

TEST(quiz_on_a_terminal_fits_its_columns_in_chinese_and_with_pictures)
{
    for (int i = 0; i < 4; i++) {
        made_quiz m;
        tg_str shown = {0}, answers = {0};
        tg_ratings *r;
        quiz_make(&m, i < 2 ? TG_KIND_TEXT : TG_KIND_IMAGE, i % 2 ? TG_ZH : TG_EN);
        char typed[2 + QUIZ_ITEMS * 8 + 1] = "\n";
        for (int k = 0; k < QUIZ_ITEMS; k++) strcat(typed, i < 2 ? "r\n5\n5\n5\n" : "r\n5\n5\n");
        ask(&m.quiz, typed, 30, &shown, &answers);
        CHECK(widest(shown.data) <= 30);
        CHECK_INT(sum_of(&answers, &r)->generated.real.yes, QUIZ_ITEMS / 2);
        tg_ratings_free(r);
        tg_str_free(&shown);
        tg_str_free(&answers);
        quiz_free(&m);
    }
}
