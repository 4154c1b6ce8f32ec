/* numbers.h - tables of numbers: as many fields in each row, with a comma, a semicolon, a tab or blanks between, and perhaps a
 * first row that names the columns. Empty lines and those that begin with # are passed over; a field may stand in quotes. */
#ifndef TG_DATA_NUMBERS_H
#define TG_DATA_NUMBERS_H
#include "base/str.h"

typedef struct tg_field { const char *text; int64_t length; } tg_field; /* borrowed from the bytes */

typedef struct tg_numbers {
    const char *name, *at, *end; /* name: for messages */
    char separator;              /* ' ': blanks, any number of them */
    int64_t columns, line;       /* line: of the row that was read last */
    bool header;                 /* the first row is none of numbers: a name of each column */
    tg_field *names;             /* [columns]; of the first row, header or not */
    tg_field *row;               /* [columns] the row that was read last */
} tg_numbers;

/* A row with a word where the next has a number is a header. Bytes stay the caller's. Errors: TG_EFORMAT (nothing in it; not as many
 * fields in each row), TG_ENOMEM. tg_numbers_close, also after an error. */
tg_status tg_numbers_open(tg_numbers *t, const char *name, const char *bytes, int64_t length);
void tg_numbers_close(tg_numbers *t);
/* The next row of numbers to t->row; *more false: there is none. Errors: TG_EFORMAT (with the line). */
tg_status tg_numbers_next(tg_numbers *t, bool *more);
/* A field as a number; false: it is none that a float holds. */
bool tg_field_number(const tg_field *f, double *out);
/* Whether a text is one: two columns and two rows at least, every field a number but in a header. bytes: its beginning; whole: and
 * its end. *rows and *columns: how many it has. Errors: TG_ENOMEM. */
tg_status tg_numbers_guess(const char *bytes, int64_t length, bool whole, bool *yes, int64_t *rows, int64_t *columns);
#endif
