/* A table for people: columns as wide as what is widest in them, on a terminal. */
#include "run/columns.h"

#include "test.h"

static void check_table(const char *const *texts, int64_t rows, int columns, uint64_t left, const char *want)
{
    tg_str cells[16] = {{0}}, out = {0};
    for (int64_t i = 0; i < rows * columns; i++) tg_str_add(&cells[i], texts[i]);
    tg_columns(cells, rows, columns, left, &out);
    CHECK(!out.failed);
    CHECK_TEXT(out.data, want);
    for (int64_t i = 0; i < rows * columns; i++) tg_str_free(&cells[i]);
    tg_str_free(&out);
}

TEST(cells_stand_at_the_right_of_their_column_or_at_its_left)
{
    static const char *const texts[] = {"a", "name", "bb", "123", "x", "4"};
    check_table(texts, 3, 2, 0, " a  name\nbb   123\n x     4\n");
}

TEST(no_line_ends_in_spaces)
{
    static const char *const texts[] = {"1", "name", "22", "x", "3", ""};
    check_table(texts, 3, 2, 2, " 1  name\n22  x\n 3\n");
}

TEST(a_wide_character_takes_two_columns)
{
    static const char *const texts[] = {"\xe8\xaf\x97", "1", "abc", "2"};
    check_table(texts, 2, 2, 1, "\xe8\xaf\x97   1\nabc  2\n");
}

TEST(a_cell_that_failed_fails_the_table)
{
    tg_str cell = {.failed = true}, out = {0};
    tg_columns(&cell, 1, 1, 0, &out);
    CHECK(out.failed);
    tg_str_free(&out);
}
