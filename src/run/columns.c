/* columns.c - a table for people. */
#include "run/columns.h"

#include "base/utf8.h"

static int64_t width_of(const tg_str *cell)
{
    return cell->length ? tg_utf8_columns(cell->data, cell->length) : 0;
}

static void add_row(const tg_str *cells, const int64_t *width, int columns, uint64_t left, tg_str *out)
{
    while (columns > 0 && cells[columns - 1].length == 0) columns--;
    for (int c = 0; c < columns; c++) {
        const bool at_left = left >> c & 1;
        const int64_t pad = at_left && c == columns - 1 ? 0 : width[c] - width_of(&cells[c]);
        if (c > 0) tg_str_add(out, "  ");
        if (at_left) tg_str_add_n(out, cells[c].data, cells[c].length);
        for (int64_t i = 0; i < pad; i++) tg_str_add(out, " ");
        if (!at_left) tg_str_add_n(out, cells[c].data, cells[c].length);
    }
    tg_str_add(out, "\n");
}

void tg_columns(const tg_str *cells, int64_t rows, int columns, uint64_t left, tg_str *out)
{
    int64_t width[64] = {0};
    for (int64_t i = 0; i < rows * columns; i++) {
        const int64_t w = width_of(&cells[i]);
        if (cells[i].failed) out->failed = true;
        if (w > width[i % columns]) width[i % columns] = w;
    }
    for (int64_t r = 0; r < rows && !out->failed; r++) add_row(&cells[r * columns], width, columns, left, out);
}
