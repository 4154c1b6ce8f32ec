/* numbers.c - tests of tables of numbers. */
#include "data/numbers.h"

#include <string.h>

#include "base/alloc.h"
#include "test.h"

/* All of a table as "a|b/c|d/", its header before a colon. */
static void reads(const char *text, const char *want)
{
    tg_numbers t;
    tg_str got = {0};
    bool more = true;
    CHECK_OK(tg_numbers_open(&t, "t", text, (int64_t)strlen(text)));
    for (int64_t i = 0; t.header && i < t.columns; i++) {
        if (i) tg_str_add(&got, "|");
        tg_str_add_n(&got, t.names[i].text, t.names[i].length);
    }
    if (t.header) tg_str_add(&got, ": ");
    for (;;) {
        CHECK_OK(tg_numbers_next(&t, &more));
        if (!more) break;
        for (int64_t i = 0; i < t.columns; i++) {
            if (i) tg_str_add(&got, "|");
            tg_str_add_n(&got, t.row[i].text, t.row[i].length);
        }
        tg_str_add(&got, "/");
    }
    CHECK_TEXT(got.data, want);
    tg_str_free(&got);
    tg_numbers_close(&t);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(rows_of_numbers_are_read_with_any_separator)
{
    reads("1,2\n3,4", "1|2/3|4/");
    reads("x,y\r\n1,2\r\n\r\n3,4\r\n", "x|y: 1|2/3|4/");
    reads("\xef\xbb\xbf" "1;2,5\n3;4,5\n", "1;2|5/3;4|5/"); /* a comma comes first */
    reads("1;2\n 3 ; 4 \n", "1|2/3|4/");
    reads("1\t\"2\"\n\"3\"\t4\n", "1|2/3|4/");
}

TEST(blanks_may_part_fields_and_comments_are_passed_over)
{
    reads("# made by hand\n 1   2 \n3 4\n# more\n5 6", "1|2/3|4/5|6/");
    reads("7\n8\n", "7/8/");
}

TEST(a_header_is_a_row_of_words_where_the_next_has_numbers)
{
    reads("5.1,3.5,setosa\n4.9,3.0,setosa\n", "5.1|3.5|setosa/4.9|3.0|setosa/");
    reads("label,0,1\n7,1,2\n", "label|0|1: 7|1|2/");
    reads("a,b\n", "a|b/");
}

TEST(rows_of_another_length_are_refused_by_line)
{
    tg_numbers t;
    bool more;
    CHECK_OK(tg_numbers_open(&t, "t.csv", "1,2\n3,4\n5\n", 10));
    CHECK_OK(tg_numbers_next(&t, &more));
    CHECK_OK(tg_numbers_next(&t, &more));
    CHECK_ERROR(tg_numbers_next(&t, &more), TG_EFORMAT, "t.csv:3: 1 field, the first row has 2");
    tg_numbers_close(&t);
    CHECK_ERROR(tg_numbers_open(&t, "t.csv", "\n\n", 2), TG_EFORMAT, "no rows");
    tg_numbers_close(&t);
    const tg_field good[] = {{"1e3", 3}, {"+2", 2}, {"-.5", 3}}, bad[] = {{"", 0}, {"nan", 3}, {"inf", 3}, {"1e40", 4}, {"1 2", 3}, {"+-2", 3}};
    double x;
    CHECK(tg_field_number(&good[0], &x) && x == 1000 && tg_field_number(&good[1], &x) && x == 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!tg_field_number(&bad[i], &x));
}

static bool guessed(const char *text, bool whole, int64_t want_rows)
{
    bool yes;
    int64_t rows, columns;
    CHECK_OK(tg_numbers_guess(text, (int64_t)strlen(text), whole, &yes, &rows, &columns));
    if (yes) CHECK_INT(rows, want_rows);
    CHECK_INT(tg_alloc_live(), 0);
    return yes;
}

TEST(tables_of_numbers_are_told_from_texts)
{
    CHECK(guessed("1,2\n3,4\n", true, 2));
    CHECK(guessed("x,y\n3,4\n5,6", true, 2));
    CHECK(guessed("1,2\n3,4\n5", false, 2)); /* what is cut tells nothing */
    CHECK(!guessed("1,2\n3,4\n5", true, 0));
    CHECK(!guessed("1,2\n", true, 0)); /* one row is a sentence */
    CHECK(!guessed("1 2\n3 4\n", true, 0));
    CHECK(!guessed("7\n8\n9\n", true, 0));
    CHECK(!guessed("id,text\n1,good\n2,bad\n", true, 0));
    CHECK(!guessed("", true, 0));
    CHECK(!guessed("12+34=46\n11+11=22\n", true, 0));
}
