/* text.c - tests of what is counted in texts, against plain loops in Python (golden/text_metrics.py), and at the edges. */
#include "run/metrics/text.h"

#include "support/cases.h"
#include "support/shared.h"

static const char golden_file[] = "text_metrics.txt";

/* ---- diversity */

static void expect_diversity(const cases *c, const tg_json *want, tg_symbols *s)
{
    static const char *const keys[] = {"0", "1", "2", "3"};
    int64_t counts[16];
    tg_diversity d;
    CHECK(s->count <= 16);
    for (int64_t i = 0; i < s->count; i++) counts[i] = s->starts[i + 1] - s->starts[i];
    cases_ints(c, want, "counts", counts, s->count);
    cases_int(c, want, "kinds", s->kinds);
    CHECK_OK(tg_diversity_of(s, &d));
    const tg_json *distinct = tg_json_get(want, "distinct")->child;
    for (int n = 0; n < 4; n++, distinct = distinct->next) {
        const tg_json value = {.type = distinct->type, .key = keys[n], .real = distinct->real};
        cases_real(c, &(tg_json){.type = TG_JSON_OBJECT, .child = &value}, keys[n], d.distinct[n], 1e-15);
    }
    cases_real(c, want, "repetition", d.repetition, 1e-14);
    cases_real(c, want, "self_bleu", d.self_bleu, 1e-14);
    tg_symbols_free(s);
}

TEST(diversity_of_words_and_characters_is_that_of_plain_loops)
{
    cases c = cases_open(golden_file, "diversity");
    for (const tg_json *j; (j = cases_next(&c));) {
        int64_t n;
        tg_symbols s;
        const tg_text *texts = cases_texts(&c, tg_json_get(j, "texts"), &n);
        CHECK_OK(tg_symbols_of_words(texts, n, &s));
        expect_diversity(&c, tg_json_get(j, "words"), &s);
        CHECK_OK(tg_symbols_of_chars(texts, n, &s));
        expect_diversity(&c, tg_json_get(j, "chars"), &s);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(texts_of_a_word_or_two_are_counted_in_characters)
{
    const tg_text names[] = {{"anna", 4}, {"otto", 4}, {"to be or not to be that is", 26}};
    const tg_text verses[] = {{"春眠不觉晓处处闻", 24}, {"ha", 2}, {"床前明月光疑是地", 24}};
    tg_symbols s;
    bool words = true;
    CHECK_OK(tg_symbols_of(names, 3, &words, &s));
    CHECK(!words && s.starts[2] == 8);
    tg_symbols_free(&s);
    CHECK_OK(tg_symbols_of(verses, 3, &words, &s));
    CHECK(words && s.starts[3] == 17);
    tg_symbols_free(&s);
    CHECK_ERROR(tg_grams_of(&s, 0, &s), TG_EINVAL, "1 is the least");
}

/* ---- marks, lines, lexicons */

TEST(brackets_and_quotes_are_matched_as_plain_loops_match_them)
{
    cases c = cases_open(golden_file, "balance");
    for (const tg_json *j; (j = cases_next(&c));) {
        int64_t n;
        const tg_text *texts = cases_texts(&c, tg_json_get(j, "texts"), &n);
        const tg_balance b = tg_balance_of(texts, n);
        cases_int(&c, j, "marks", b.marks);
        cases_int(&c, j, "matched", b.matched);
    }
}

TEST(lengths_of_lines_are_in_characters_that_readers_count)
{
    cases c = cases_open(golden_file, "lines");
    for (const tg_json *j; (j = cases_next(&c));) {
        int64_t n;
        tg_lengths l;
        const tg_text *texts = cases_texts(&c, tg_json_get(j, "texts"), &n);
        CHECK_OK(tg_lengths_of_lines(texts, n, true, &l));
        cases_ints(&c, j, "cut", l.items, l.count);
        tg_lengths_free(&l);
        CHECK_OK(tg_lengths_of_lines(texts, n, false, &l));
        cases_ints(&c, j, "all", l.items, l.count);
        tg_lengths_free(&l);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(lengths_of_texts_are_sorted)
{
    const tg_text texts[] = {{"nai\xcc\x88ve\n", 8}, {"", 0}, {"a\r\nb", 4}, {"春眠", 6}};
    tg_lengths l;
    CHECK_OK(tg_lengths_of_texts(texts, 4, &l));
    CHECK(l.count == 4 && l.items[0] == 0 && l.items[1] == 2 && l.items[2] == 3 && l.items[3] == 6);
    tg_lengths_free(&l);
}

static tg_lengths numbers(cases *c, const tg_json *array)
{
    tg_lengths l = {tg_arena_alloc(c->arena, (array->integer + 1) * 8), 0};
    for (const tg_json *x = array->child; x; x = x->next) l.items[l.count++] = x->integer;
    return l;
}

TEST(distances_of_lengths_are_those_of_quantiles)
{
    cases c = cases_open(golden_file, "compare");
    for (const tg_json *j; (j = cases_next(&c));) {
        const tg_lengths a = numbers(&c, tg_json_get(j, "a")), b = numbers(&c, tg_json_get(j, "b"));
        double wasserstein, ks;
        tg_lengths_compare(&a, &b, &wasserstein, &ks);
        cases_real(&c, j, "wasserstein", wasserstein, 1e-12);
        cases_real(&c, j, "ks", ks, 1e-15);
        const tg_json *medians = tg_json_get(j, "medians")->child;
        CHECK(medians->type == TG_JSON_NULL ? isnan(tg_lengths_median(&a)) : tg_lengths_median(&a) == medians->real);
        CHECK(medians->next->type == TG_JSON_NULL ? isnan(tg_lengths_median(&b)) : tg_lengths_median(&b) == medians->next->real);
    }
}

TEST(words_that_are_known_are_those_of_plain_loops)
{
    cases c = cases_open(golden_file, "lexicon");
    for (const tg_json *j; (j = cases_next(&c));) {
        int64_t n, words, known, entry = 0;
        tg_map *lexicon = tg_map_new(), *unknown = tg_map_new();
        const tg_text *train = cases_texts(&c, tg_json_get(j, "train"), &n);
        CHECK_OK(tg_lexicon_add(lexicon, train, n));
        const tg_text *texts = cases_texts(&c, tg_json_get(j, "texts"), &n);
        CHECK_OK(tg_words_known(lexicon, texts, n, unknown, &words, &known));
        cases_int(&c, j, "words", words);
        cases_int(&c, j, "known", known);
        for (const tg_json *u = tg_json_get(j, "unknown")->child; u; u = u->next, entry++) {
            int64_t length;
            const char *word = tg_map_key(unknown, entry, &length);
            CHECK_INT(length, u->child->length);
            CHECK_BYTES(word, u->child->text, length);
            CHECK_INT(*tg_map_value(unknown, entry), u->child->next->integer);
        }
        CHECK_INT(tg_map_count(unknown), entry);
        tg_map_free(lexicon);
        tg_map_free(unknown);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

/* ---- real text */

TEST(pieces_of_real_text_are_as_long_and_do_not_overlap)
{
    char text[3000];
    tg_text like[12], out[12];
    for (int i = 0; i < 3000; i++) text[i] = i % 50 == 49 ? '\n' : (char)('a' + i % 26);
    for (int i = 0; i < 12; i++) like[i] = (tg_text){text, 100 + i};
    CHECK_INT(tg_pieces_like(text, 3000, like, 12, out), 12);
    for (int i = 0; i < 12; i++) {
        CHECK_INT(out[i].length, like[i].length);
        CHECK(i == 0 ? out[i].bytes == text : out[i].bytes[-1] == '\n' && out[i].bytes >= out[i - 1].bytes + out[i - 1].length);
    }
    CHECK(out[11].bytes + out[11].length <= text + 3000 && out[11].bytes > text + 2700);
    CHECK_INT(tg_pieces_like(text, 450, like, 12, out), 4);
    CHECK_INT(tg_pieces_like(text, 99, like, 12, out), 0);
    CHECK_INT(tg_pieces_like(text, 0, like, 0, out), 0);
}

TEST(pieces_are_whole_characters)
{
    char text[3 * 100 + 1] = "";
    tg_text like[9], out[9];
    for (int i = 0; i < 100; i++) memcpy(text + 3 * i, "\u6625", 3);
    for (int64_t length = 1; length < 34; length++) {
        for (int i = 0; i < 9; i++) like[i] = (tg_text){text, length};
        CHECK_INT(tg_pieces_like(text, 300, like, 9, out), 9);
        for (int i = 0; i < 9; i++) {
            CHECK_INT(tg_utf8_check(out[i].bytes, out[i].length), -1);
            CHECK(out[i].length <= length && out[i].length >= length - (length == 33 ? 5 : 2));
            CHECK(i == 0 || out[i].bytes >= out[i - 1].bytes + out[i - 1].length);
        }
    }
}

/* ---- when memory ends */

TEST(text_metrics_survive_any_allocation_that_fails)
{
    const tg_text texts[] = {{"the cat sat on the mat\n", 23}, {"春眠不觉晓\nthe cat", 23}};
    for (int64_t n = 1, failed = 1; failed > 0; n++) {
        tg_symbols s;
        tg_diversity d;
        tg_lengths l;
        int64_t words, known;
        failed = 0;
        tg_alloc_fail_at(n, false);
        const tg_status status = tg_symbols_of(texts, 2, &(bool){false}, &s);
        if (!status) {
            failed += tg_diversity_of(&s, &d) == TG_ENOMEM;
            tg_symbols_free(&s);
        }
        failed += status == TG_ENOMEM;
        if (tg_lengths_of_lines(texts, 2, false, &l)) failed++;
        else tg_lengths_free(&l);
        tg_map *lexicon = tg_map_new();
        if (!lexicon) failed++;
        else {
            failed += tg_lexicon_add(lexicon, texts, 2) == TG_ENOMEM;
            failed += tg_words_known(lexicon, texts, 2, lexicon, &words, &known) == TG_ENOMEM;
        }
        tg_map_free(lexicon);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), 0);
        CHECK(failed <= 1 && n < 500);
        if (!failed) test_note("%lld allocations", (long long)n - 1);
    }
}
