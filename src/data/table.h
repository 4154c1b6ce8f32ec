/* table.h - texts out of tables: JSON (an array of objects or of texts, or one object), JSON lines, CSV and TSV
 * (RFC 4180, with a header line; what separates fields is found in it). Told apart by content, not by ending. */
#ifndef TG_DATA_TABLE_H
#define TG_DATA_TABLE_H
#include "base/str.h"

typedef struct tg_table {
    const char *name;           /* for messages */
    const char *column, *label; /* which holds the text, which its class; label NULL: none does */
    /* A row; the texts are borrowed. length 0: no text there. label "": the cell is empty, NULL: not asked for. */
    tg_status (*row)(void *user, const char *text, int64_t length, const char *label);
    void *user;
    bool enough; /* set by row: no more rows are wanted */
} tg_table;

/* All rows in order; bytes end with a NUL. In JSON a text is taken as it is, numbers and truth values as they are
 * written, null is no text, and of a list of texts each becomes a line; rows that are texts themselves have no columns
 * and are taken whole. Errors: TG_EFORMAT (no table; the message has file and line), TG_EINVAL (no such column, with
 * those there are; not UTF-8), what row returns. */
tg_status tg_table_read(tg_table *t, const char *bytes, int64_t length);

/* Whether a text looks like a table: names gets its columns, "id, text", and stays empty where it does not, or is prose with
 * commas. bytes: its beginning; whole: and its end. Errors: TG_ENOMEM. */
tg_status tg_table_guess(const char *bytes, int64_t length, bool whole, tg_str *names);
#endif
