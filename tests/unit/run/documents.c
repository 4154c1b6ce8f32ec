/* documents.c - tests of documents: where they begin and end, how they are split, how a feed hands them out. */
#include "run/documents.h"

#include <stdio.h>

#include "base/alloc.h"
#include "support/make.h"

static void cut(tg_documents *d, tg_scratch *text, const char *item, int how, const char *label)
{
    CHECK_OK(tg_documents_part(d, text, item, (int64_t)strlen(item), how, label));
    CHECK_OK(tg_documents_end(d, text, label));
}

static tg_scratch *scratch(void)
{
    tg_scratch *s;
    CHECK_OK(tg_scratch_new(one_path(), 100, &s));
    return s;
}

/* Where document i begins in the text. */
static int64_t start(const tg_documents *d, int64_t i)
{
    int64_t at;
    CHECK_OK(tg_documents_reach(d, i, &at));
    return at;
}

static int64_t label(const tg_documents *d, int64_t i)
{
    tg_window w = {0};
    tg_document one;
    int64_t begin;
    CHECK_OK(tg_document_look(d->list, &w, i, &begin, &one));
    CHECK_INT(begin, start(d, i));
    tg_window_free(&w);
    return one.label;
}

static void expect_documents(const tg_documents *d, tg_scratch *text, const char *const *expected, int64_t count)
{
    CHECK_INT(d->count, count);
    for (int64_t i = 0; i < count; i++) {
        CHECK_INT(start(d, i + 1) - start(d, i), (int64_t)strlen(expected[i]));
        const char *got;
        CHECK_OK(tg_scratch_view(text, start(d, i), (int64_t)strlen(expected[i]), &got));
        CHECK_BYTES(got, expected[i], (int64_t)strlen(expected[i]));
    }
    CHECK_INT(start(d, d->count), tg_scratch_length(text));
    CHECK_INT(d->end, tg_scratch_length(text));
}

TEST(documents_are_lines_or_what_blank_lines_part_or_items)
{
    static const char item[] = "\n\none\ntwo\n \t\n\nthree\n";
    static const char *const lines[] = {"one", "two", "three"}, *const blank[] = {"one\ntwo", "three"},
                             *const file[] = {"one\ntwo\n \t\n\nthree"};
    const struct { int how; const char *const *documents; int64_t count; } cases[] = {
        {TG_DOCUMENTS_LINE, lines, 3}, {TG_DOCUMENTS_BLANK, blank, 2}, {TG_DOCUMENTS_FILE, file, 1}};
    for (int i = 0; i < 3; i++) {
        tg_documents d = {0};
        tg_scratch *text = scratch();
        cut(&d, text, item, cases[i].how, NULL);
        expect_documents(&d, text, cases[i].documents, cases[i].count);
        cut(&d, text, " \n\n", cases[i].how, NULL); /* white space only: none */
        cut(&d, text, "", cases[i].how, NULL);
        CHECK_INT(d.count, cases[i].count);
        tg_documents_free(&d);
        tg_scratch_free(text);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(documents_that_have_an_earlier_twin_are_left_out)
{
    static const char *const left[] = {"ab", "c", "eee"};
    tg_documents d = {0};
    tg_scratch *text = scratch();
    tg_spill *twins;
    CHECK_OK(tg_spill_new(text, &twins));
    cut(&d, text, "ab\nab\nc\n", TG_DOCUMENTS_LINE, "x");
    cut(&d, text, "ab\neee\n", TG_DOCUMENTS_LINE, NULL);
    CHECK_INT(d.labelled, 3);
    CHECK_OK(tg_spill_add(twins, (tg_record){3, 0}));
    CHECK_OK(tg_spill_add(twins, (tg_record){1, 0}));
    CHECK_OK(tg_documents_drop(NULL, &d, &text, twins));
    expect_documents(&d, text, left, 3);
    CHECK(label(&d, 0) == 0 && label(&d, 1) == 0 && label(&d, 2) == -1);
    tg_spill_free(twins);
    CHECK_INT(d.labelled, 2);
    tg_documents_free(&d);
    tg_scratch_free(text);
}

static void many(tg_documents *d, tg_scratch *text)
{
    char line[32];
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "%0*d", i < 50 ? 1 : 3, i);
        cut(d, text, line, TG_DOCUMENTS_LINE, i % 2 ? "odd" : "even");
    }
}

static int number_of(const tg_documents *d, tg_scratch *text, int64_t i)
{
    int n = 0;
    const int64_t length = start(d, i + 1) - start(d, i);
    const char *bytes;
    CHECK_OK(tg_scratch_view(text, start(d, i), length, &bytes));
    for (int64_t at = 0; at < length; at++) n = 10 * n + bytes[at] - '0';
    return n;
}

TEST(a_random_split_is_a_permutation_that_the_seed_decides)
{
    tg_documents d = {0}, again = {0}, other = {0};
    tg_scratch *text[3] = {scratch(), scratch(), scratch()};
    bool seen[100] = {false};
    many(&d, text[0]);
    many(&again, text[1]);
    many(&other, text[2]);
    CHECK_OK(tg_documents_split(NULL, &d, &text[0], TG_SPLIT_RANDOM, 1, 0.1, 0.1));
    CHECK_OK(tg_documents_split(NULL, &again, &text[1], TG_SPLIT_RANDOM, 1, 0.1, 0.1));
    CHECK_OK(tg_documents_split(NULL, &other, &text[2], TG_SPLIT_RANDOM, 2, 0.1, 0.1));
    CHECK(d.by_split[0] == 80 && d.by_split[1] == 10 && d.by_split[2] == 10);
    int64_t same = 0;
    for (int i = 0; i < 100; i++) {
        const int which = number_of(&d, text[0], i);
        CHECK(!seen[which]);
        seen[which] = true;
        CHECK_INT(label(&d, i), which % 2);
        CHECK_INT(number_of(&again, text[1], i), which);
        same += number_of(&other, text[2], i) == which;
    }
    CHECK(same < 20);
    tg_documents *all[] = {&d, &again, &other};
    for (int i = 0; i < 3; i++) {
        tg_documents_free(all[i]);
        tg_scratch_free(text[i]);
    }
}

TEST(splits_in_order_go_by_length_or_by_number)
{
    static const struct { int rule; int64_t train; } cases[] = {{TG_SPLIT_DOCUMENT, 50}, {TG_SPLIT_POSITION, 60}};
    for (int i = 0; i < 2; i++) { /* 90 bytes, then 150: half of the 240 are through after document 60 */
        tg_documents d = {0};
        tg_scratch *text = scratch();
        many(&d, text);
        CHECK_OK(tg_documents_split(NULL, &d, &text, cases[i].rule, 1, 0.5, 0));
        CHECK_INT(d.by_split[TG_TRAIN], cases[i].train);
        CHECK_INT(d.by_split[TG_VAL], 100 - cases[i].train);
        for (int k = 0; k < 100; k++) CHECK_INT(number_of(&d, text, k), k);
        tg_documents_free(&d);
        tg_scratch_free(text);
    }
    tg_documents few = {0};
    tg_scratch *text = scratch();
    cut(&few, text, "a\nb\n", TG_DOCUMENTS_LINE, NULL);
    CHECK_ERROR(tg_documents_split(NULL, &few, &text, TG_SPLIT_RANDOM, 1, 0.1, 0.1), TG_EINVAL, "too few for a split");
    tg_documents_free(&few);
    tg_scratch_free(text);
    CHECK_INT(tg_alloc_live(), 0);
}

/* A first text of class y, "c" of class x, "dd" of class y as a file's training split, read back. */
static tg_dataset *three_of(const char *first)
{
    const tg_class classes[] = {{"x", 1}, {"y", 2}};
    const int32_t places[] = {1, 0}; /* y was seen first */
    const char *path = one_path();
    char hash[65];
    tg_documents d = {0};
    tg_scratch *text = scratch();
    tg_packed packed;
    tg_figures figures;
    tg_dataset *out = NULL;
    tg_tokenizer *t = char_tokenizer_of("abcd");
    cut(&d, text, first, TG_DOCUMENTS_FILE, "y");
    cut(&d, text, "c", TG_DOCUMENTS_FILE, "x");
    cut(&d, text, "dd", TG_DOCUMENTS_FILE, "y");
    CHECK_OK(tg_tokenizer_add_specials(t, false, true, classes, 2));
    CHECK_OK(tg_documents_split(NULL, &d, &text, TG_SPLIT_DOCUMENT, 1, 0, 0));
    CHECK_OK(tg_documents_pack(NULL, &d, text, t, places, &packed));
    CHECK_OK(tg_figures_count(t, packed.tokens, packed.counts, &figures));
    const int64_t chars = (int64_t)strlen(first) + 3;
    CHECK_INT(figures.counts[TG_TRAIN], chars + 9);  /* a start, a class, an end each */
    CHECK_INT(figures.targets[TG_TRAIN], chars + 3); /* and three ends */
    CHECK_INT(figures.chars[TG_TRAIN], chars);
    tg_dataset_draft draft = {.tokenizer = t, .tokens = packed.tokens, .figures = &figures, .documents = {3}, .starts = packed.starts,
                              .labels = packed.labels, .split = "{}", .verdict = "{}", .report = "{}", .provenance = "{}"};
    CHECK_OK(tg_dataset_write(path, &draft, hash));
    CHECK_OK(tg_dataset_open(NULL, path, &out));
    tg_documents_free(&d);
    tg_scratch_free(text);
    tg_packed_free(&packed);
    tg_tokenizer_free(t);
    return out;
}

static tg_dataset *three(void) { return three_of("ab"); }

enum { S = 4, E = 5, X = 6, Y = 7 }; /* behind a, b, c, d */

TEST(documents_lie_in_a_dataset_as_start_class_text_end)
{
    static const int32_t expected[] = {S, Y, 0, 1, E, S, X, 2, E, S, Y, 3, 3, E};
    int32_t ids[14];
    tg_dataset *d = three();
    const tg_tokenizer *t = tg_dataset_tokenizer(d);
    CHECK_OK(tg_dataset_tokens(d, TG_TRAIN, 0, 14, ids));
    CHECK_BYTES(ids, expected, (int64_t)sizeof expected);
    CHECK_INT(tg_dataset_documents(d, TG_TRAIN), 3);
    CHECK(tg_dataset_document_start(d, TG_TRAIN, 1) == 5 && tg_dataset_document_start(d, TG_TRAIN, 2) == 9 &&
          tg_dataset_document_start(d, TG_TRAIN, 3) == 14);
    CHECK(tg_tokenizer_start(t) == S && tg_tokenizer_end(t) == E && tg_tokenizer_class_token(t, 1) == Y);
    CHECK_TEXT(tg_tokenizer_class_name(t, 0), "x");
    CHECK_INT(tg_tokenizer_class_documents(t, 1), 2);
    CHECK(tg_dataset_chars_per_token(d, TG_TRAIN) == 5.0 / 8);
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_feed_resets_at_starts_and_asks_for_no_start_and_no_class)
{
    /* Streams of whole documents: 14 tokens in two begin at 0 and, as document 1 begins before token 7, at 9. */
    static const int32_t tokens[] = {S, S, Y, Y, 0, 3, 1, 3, E, 0, S, 0, X, 0, 2, 0};
    static const int32_t targets[] = {-1, -1, 0, 3, 1, 3, E, E, -1, -1, -1, -1, 2, -1, E, -1};
    static const int32_t reset[] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
    tg_dataset *d = three();
    tg_feed *f;
    tg_batch b;
    CHECK_ERROR(tg_feed_new(d, TG_TRAIN, 2, 3, true, &f), TG_EINVAL, "--seq 4");
    CHECK_OK(tg_feed_new(d, TG_TRAIN, 2, 8, true, &f));
    CHECK_INT(tg_feed_steps_per_epoch(f), 1);
    CHECK_OK(tg_feed_batch(f, 0, &b));
    CHECK_BYTES(tg_batch_array(&b, "tokens")->ids, tokens, (int64_t)sizeof tokens);
    CHECK_BYTES(tg_batch_array(&b, "targets")->ids, targets, (int64_t)sizeof targets);
    CHECK_BYTES(tg_batch_array(&b, "reset")->ids, reset, (int64_t)sizeof reset);
    CHECK_INT(b.items, 8);
    tg_feed_free(f);
    CHECK_OK(tg_feed_new(d, TG_TRAIN, 5, 4, true, &f)); /* more streams than documents: some are empty */
    int64_t items = 0;
    for (int64_t step = 0; step < tg_feed_steps_per_epoch(f); step++) {
        CHECK_OK(tg_feed_batch(f, step, &b));
        items += b.items;
    }
    CHECK_INT(items, 8);
    tg_feed_free(f);
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(windows_cut_a_document_that_is_longer_side_by_side)
{
    tg_dataset *d = three_of("abcdabcdabcdabcdabcd");
    tg_feed *f;
    tg_batch b;
    for (int64_t T = 4; T <= 30; T++) {
        int64_t items = 0;
        CHECK_OK(tg_feed_windows(d, TG_TRAIN, 1, T, true, 0, &f));
        for (int64_t step = 0; step < tg_feed_steps_per_epoch(f); step++) {
            CHECK_OK(tg_feed_batch(f, step, &b));
            items += b.items;
            for (int64_t t = 1; t < T && step < 22 / T; t++) /* of the long one, behind its class a b c d again and again */
                CHECK_INT(tg_batch_array(&b, "tokens")->ids[t], step * T + t == 1 ? Y : (step * T + t - 2) % 4);
        }
        CHECK_INT(items, 26);
        tg_feed_free(f);
    }
    tg_dataset_close(d);
}

TEST(windows_of_documents_hold_whole_ones_and_say_where_they_begin)
{
    static const int32_t tokens[] = {S, S, Y, Y, 0, 3, 1, 3, E, 0, S, 0, X, 0, 2, 0};
    static const int32_t targets[] = {-1, -1, 0, 3, 1, 3, E, E, -1, -1, -1, -1, 2, -1, E, -1};
    static const int32_t first[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 5, 0, 5, 0};
    tg_dataset *d = three();
    tg_feed *f;
    tg_batch b;
    CHECK_OK(tg_feed_windows(d, TG_TRAIN, 2, 8, true, 0, &f));
    CHECK_INT(tg_feed_steps_per_epoch(f), 1);
    CHECK_OK(tg_feed_batch(f, 0, &b));
    CHECK_BYTES(tg_batch_array(&b, "tokens")->ids, tokens, (int64_t)sizeof tokens);
    CHECK_BYTES(tg_batch_array(&b, "targets")->ids, targets, (int64_t)sizeof targets);
    CHECK_BYTES(tg_batch_array(&b, "first")->ids, first, (int64_t)sizeof first);
    CHECK(!tg_batch_array(&b, "reset") && b.items == 8);
    tg_feed_free(f);
    for (int64_t T = 4; T <= 14; T++) { /* in rows of any width every target comes once */
        int64_t items = 0;
        if (T == 14) CHECK_ERROR(tg_feed_windows(d, TG_TRAIN, 2, T, false, 0, &f), TG_EINVAL, "needs 15");
        CHECK_OK(tg_feed_windows(d, TG_TRAIN, 1, T, true, 0, &f));
        for (int64_t step = 0; step < tg_feed_steps_per_epoch(f); step++) {
            CHECK_OK(tg_feed_batch(f, step, &b));
            items += b.items;
        }
        CHECK_INT(items, 8);
        tg_feed_free(f);
    }
    tg_dataset_close(d);
    CHECK_INT(tg_alloc_live(), 0);
}
