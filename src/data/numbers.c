/* numbers.c - fields between separators, line by line. */
#include "data/numbers.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* What stands between the fields of a line: a tab, else a comma, else a semicolon, else blanks. */
static char find_separator(const char *at, const char *end)
{
    static const char candidates[] = "\t,;";
    for (const char *c = candidates; *c; c++)
        if (memchr(at, *c, (size_t)(end - at))) return *c;
    return ' ';
}

static tg_field trimmed(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) at++;
    while (end > at && is_blank(end[-1])) end--;
    if (end - at >= 2 && *at == '"' && end[-1] == '"') at++, end--;
    return (tg_field){at, end - at};
}

/* The next line that holds something; false: there is none. */
static bool next_line(tg_numbers *t, const char **begin, const char **end)
{
    while (t->at < t->end) {
        const char *stop = memchr(t->at, '\n', (size_t)(t->end - t->at));
        *begin = t->at;
        *end = stop ? stop : t->end;
        t->at = stop ? stop + 1 : t->end;
        t->line++;
        const tg_field all = trimmed(*begin, *end);
        if (all.length > 0 && all.text[0] != '#') return true;
    }
    return false;
}

/* The fields of a line, up to `most` of them stored; returns how many there are. */
static int64_t cut(char separator, const char *at, const char *end, tg_field *out, int64_t most)
{
    int64_t count = 0;
    if (separator == ' ') {
        const tg_field all = trimmed(at, end);
        at = all.text;
        end = at + all.length;
    }
    for (const char *stop; at <= end; at = stop + 1) {
        stop = at;
        while (stop < end && !(separator == ' ' ? is_blank(*stop) : *stop == separator)) stop++;
        if (count < most) out[count] = trimmed(at, stop);
        count++;
        while (separator == ' ' && stop < end && stop + 1 < end && is_blank(stop[1])) stop++;
    }
    return count;
}

bool tg_field_number(const tg_field *f, double *out)
{
    const int64_t plus = f->length > 1 && f->text[0] == '+' && f->text[1] != '-';
    return tg_parse_real(f->text + plus, f->length - plus, out) && *out < 3.4e38 && *out > -3.4e38;
}

tg_status tg_numbers_next(tg_numbers *t, bool *more)
{
    const char *begin, *end;
    *more = next_line(t, &begin, &end);
    if (!*more) return TG_OK;
    const int64_t count = cut(t->separator, begin, end, t->row, t->columns);
    if (count == t->columns) return TG_OK;
    return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": %" PRId64 " field%s, the first row has %" PRId64, t->name, t->line, count,
                   count == 1 ? "" : "s", t->columns);
}

/* Whether the first row has a word where the second has a number. Leaves the table before the second, or the first. */
static tg_status find_header(tg_numbers *t)
{
    const char *after = t->at;
    const int64_t line = t->line;
    bool more;
    double x;
    tg_status status = tg_numbers_next(t, &more);
    for (int64_t i = 0; i < t->columns && !status && more; i++)
        if (!tg_field_number(&t->names[i], &x) && tg_field_number(&t->row[i], &x)) t->header = true;
    t->at = after;
    t->line = line;
    return status;
}

tg_status tg_numbers_open(tg_numbers *t, const char *name, const char *bytes, int64_t length)
{
    const char *begin, *end;
    *t = (tg_numbers){.name = name, .at = bytes, .end = bytes + length};
    if (length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) t->at += 3;
    const char *start = t->at;
    if (!next_line(t, &begin, &end)) return tg_fail(TG_EFORMAT, "%s: no rows in it", name);
    t->separator = find_separator(begin, end);
    t->columns = cut(t->separator, begin, end, NULL, 0);
    t->names = tg_alloc_array(t->columns, sizeof *t->names);
    t->row = tg_alloc_array(t->columns, sizeof *t->row);
    if (!t->names || !t->row) return TG_ENOMEM;
    cut(t->separator, begin, end, t->names, t->columns);
    tg_status status = find_header(t);
    if (!status && !t->header) {
        t->at = start;
        t->line = 0;
    }
    return status;
}

void tg_numbers_close(tg_numbers *t)
{
    tg_free(t->names);
    tg_free(t->row);
    t->names = t->row = NULL;
}

static bool all_numbers(const tg_numbers *t)
{
    double x;
    for (int64_t i = 0; i < t->columns; i++)
        if (!tg_field_number(&t->row[i], &x)) return false;
    return true;
}

tg_status tg_numbers_guess(const char *bytes, int64_t length, bool whole, bool *yes, int64_t *rows, int64_t *columns)
{
    tg_numbers t = {0};
    bool more = true;
    *yes = false;
    *rows = 0;
    while (!whole && length > 0 && bytes[length - 1] != '\n') length--; /* a row that is cut tells nothing */
    tg_status status = tg_numbers_open(&t, "", bytes, length);
    bool good = !status && t.columns > 1 && t.separator != ' ';
    while (good && more) {
        good = !tg_numbers_next(&t, &more) && (!more || all_numbers(&t));
        *rows += more;
    }
    *columns = t.columns;
    *yes = good && *rows >= 2;
    tg_numbers_close(&t);
    return status == TG_ENOMEM ? status : TG_OK; /* what is no table is none */
}
