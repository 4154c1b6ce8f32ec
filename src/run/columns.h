/* columns.h - a table for people: cells in rows, columns as wide as what is widest in them on a terminal. */
#ifndef TG_RUN_COLUMNS_H
#define TG_RUN_COLUMNS_H
#include "base/str.h"
/* cells: rows of `columns` (at most 64) each, safe for a terminal; left: a bit for each column that begins at its left edge. Two
 * spaces lie between columns, and none at the end of a line. Appended; a cell that failed fails it. */
void tg_columns(const tg_str *cells, int64_t rows, int columns, uint64_t left, tg_str *out);
#endif
