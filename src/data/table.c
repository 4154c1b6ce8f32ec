/* table.c - rows of JSON, JSON lines, CSV and TSV. */
#include "data/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"

enum { NAMES_SHOWN = 20 };

static int64_t count_lines(const char *from, const char *to)
{
    int64_t n = 0;
    while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
        n++;
        from++;
    }
    return n;
}

static tg_status fail_column(const tg_table *t, int64_t line, const char *wanted, tg_str *names)
{
    tg_status status = TG_ENOMEM;
    if (!names->failed)
        status = tg_fail(TG_EINVAL, "%s:%" PRId64 ": there is no column %s; there are %s", t->name, line, wanted,
                         names->length ? names->data : "none");
    tg_str_free(names);
    return status;
}

static void add_name(tg_str *names, int64_t i, const char *name)
{
    if (i < NAMES_SHOWN) tg_str_addf(names, "%s%s", i ? ", " : "", name);
    if (i == NAMES_SHOWN) tg_str_add(names, ", ...");
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

/* A row's value as text into out; nothing where it is null. line: of the row, or near it. */
static tg_status add_value(const tg_table *t, int64_t line, const char *column, const tg_json *value, tg_str *out)
{
    const tg_json *bad = value->type == TG_JSON_OBJECT ? value : NULL;
    if (value->type == TG_JSON_TEXT) tg_str_add_n(out, value->text, value->length);
    for (const tg_json *part = value->type == TG_JSON_ARRAY ? value->child : NULL; part && !bad; part = part->next) {
        if (part != value->child) tg_str_add(out, "\n");
        if (part->type == TG_JSON_TEXT) tg_str_add_n(out, part->text, part->length);
        else bad = part;
    }
    if (bad)
        return tg_fail(TG_EINVAL, "%s:%" PRId64 ": column %s holds %s; wanted is a text, a number or a list of texts",
                       t->name, line, column, value->type == TG_JSON_OBJECT ? "an object" : "a list of other things");
    tg_json_writer w = {.out = out};
    if (value->type == TG_JSON_INT || value->type == TG_JSON_REAL || value->type == TG_JSON_BOOL)
        tg_json_put_tree(&w, value);
    return out->failed ? TG_ENOMEM : TG_OK;
}

static tg_status find_value(const tg_table *t, int64_t line, const tg_json *row, const char *column, tg_str *out)
{
    tg_str_clear(out);
    if (row->type == TG_JSON_TEXT && column == t->column) return add_value(t, line, column, row, out);
    if (row->type == TG_JSON_TEXT)
        return tg_fail(TG_EINVAL, "%s:%" PRId64 ": a row that is a text has no column %s", t->name, line, column);
    if (row->type != TG_JSON_OBJECT)
        return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": this row is no object and no text", t->name, line);
    const tg_json *value = tg_json_get(row, column);
    if (value) return add_value(t, line, column, value, out);
    tg_str names = {0};
    int64_t i = 0;
    for (const tg_json *member = row->child; member; member = member->next) add_name(&names, i++, member->key);
    return fail_column(t, line, column, &names);
}

typedef struct cells { tg_str text, label; } cells;

static void free_cells(cells *c)
{
    tg_str_free(&c->text);
    tg_str_free(&c->label);
}

static tg_status give_row(tg_table *t, const cells *c)
{
    const char *label = !t->label ? NULL : c->label.data ? c->label.data : "";
    return t->row(t->user, c->text.data ? c->text.data : "", c->text.length, label);
}

static tg_status give_json(tg_table *t, int64_t line, const tg_json *row, cells *c)
{
    tg_status status = find_value(t, line, row, t->column, &c->text);
    if (!status && t->label) status = find_value(t, line, row, t->label, &c->label);
    return status ? status : give_row(t, c);
}

/* Where the next element of an array begins: from behind its bracket or behind an element's beginning. The text is
 * known to be right. */
static const char *next_element(const char *at, bool first)
{
    int depth = 0;
    bool quoted = false;
    for (; !first; at++) {
        if (quoted && *at == '\\') at++;
        else if (*at == '"') quoted = !quoted;
        else if (!quoted && (*at == '[' || *at == '{')) depth++;
        else if (!quoted && (*at == ']' || *at == '}')) depth--;
        else if (!quoted && depth == 0 && *at == ',') first = true;
        if (depth < 0) return at; /* the end */
    }
    return at + strspn(at, " \t\r\n");
}

static tg_status read_json_array(tg_table *t, tg_arena *a, const char *bytes, int64_t length)
{
    const tg_json *root;
    tg_status status = tg_json_parse(a, t->name, bytes, length, &root);
    if (status) return status;
    cells c = {0};
    const char *before = bytes, *at = next_element(bytes + strcspn(bytes, "[") + 1, true);
    int64_t line = 1;
    for (const tg_json *row = root->child; !status && row && !t->enough; row = row->next) {
        line += count_lines(before, at);
        before = at;
        status = give_json(t, line, row, &c);
        at = next_element(at, false);
    }
    free_cells(&c);
    return status;
}

/* A line that is no JSON by itself may be the beginning of an object over several. */
static tg_status parse_line(const tg_table *t, tg_arena *a, int64_t number, const char *at, const char **stop,
                            const char *end, const tg_json **row)
{
    tg_str where = {0};
    tg_str_addf(&where, "%s:%" PRId64, t->name, number);
    tg_status status = where.failed ? TG_ENOMEM : tg_json_parse(a, where.data, at, *stop - at, row);
    tg_str_free(&where);
    if (status != TG_EFORMAT || number != 1) return status;
    tg_status whole = tg_json_parse(a, t->name, at, end - at, row);
    if (!whole) *stop = end;
    return whole;
}

static tg_status read_json_lines(tg_table *t, tg_arena *a, const char *at, const char *end)
{
    tg_status status = TG_OK;
    cells c = {0};
    for (int64_t number = 1; !status && at < end && !t->enough; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        const tg_json *row;
        tg_arena_rewind(a, (tg_arena_mark){0});
        if ((int64_t)strspn(at, " \t\r") < stop - at) {
            status = parse_line(t, a, number, at, &stop, end, &row);
            if (!status) status = give_json(t, number, row, &c);
        }
        at = stop + 1;
    }
    free_cells(&c);
    return status;
}

/* ---- CSV, TSV --------------------------------------------------------------------------------------------------- */

typedef struct csv {
    const tg_table *t;
    const char *at, *end;
    char separator;
    int64_t line, column, label, columns; /* line of at; positions of what is wanted, label -1: not wanted */
} csv;

/* Appends a field to out (NULL: passed over) and stands on what ended it: separator, line end, end. */
static tg_status read_field(csv *r, tg_str *out)
{
    const char *plain = r->at;
    if (r->at == r->end || *r->at != '"') {
        while (r->at < r->end && *r->at != r->separator && *r->at != '\n') r->at++;
        bool carriage = (r->at == r->end || *r->at == '\n') && r->at > plain && r->at[-1] == '\r';
        const char *stop = r->at - carriage;
        if (out) tg_str_add_n(out, plain, stop - plain);
        return TG_OK;
    }
    int64_t line = r->line;
    for (plain = ++r->at; r->at < r->end; r->at++) {
        r->line += *r->at == '\n';
        if (*r->at != '"') continue;
        if (r->at + 1 == r->end || r->at[1] != '"') break;
        r->at++; /* two stand for one: what comes before goes with the first */
        if (out) tg_str_add_n(out, plain, r->at - plain);
        plain = r->at + 1;
    }
    if (r->at == r->end)
        return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": a quoted field begins here and never ends; add its closing \"",
                       r->t->name, line);
    if (out) tg_str_add_n(out, plain, r->at - plain);
    r->at++;
    if (r->at < r->end && *r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n')) r->at++;
    if (r->at < r->end && *r->at != r->separator && *r->at != '\n')
        return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": text behind the closing \" of a field; a \" inside is written \"\"",
                       r->t->name, r->line);
    return TG_OK;
}

/* Behind a field: true when another follows in this record. */
static bool next_field(csv *r)
{
    if (r->at == r->end) return false;
    bool more = *r->at == r->separator;
    r->line += !more;
    r->at++;
    return more;
}

/* What separates the fields of a header: a tab, else a comma, else a semicolon, outside quotes. */
static char find_separator(const char *at, const char *end)
{
    bool quoted = false, comma = false, semicolon = false;
    for (; at < end && (quoted || *at != '\n'); at++) {
        if (*at == '"') quoted = !quoted;
        if (quoted) continue;
        if (*at == '\t') return '\t';
        comma |= *at == ',';
        semicolon |= *at == ';';
    }
    return semicolon && !comma ? ';' : ',';
}

static tg_status take_name(csv *r, const char *name, const char *wanted, int64_t *position)
{
    if (!wanted || strcmp(name, wanted) != 0) return TG_OK;
    if (*position >= 0)
        return tg_fail(TG_EINVAL, "%s:1: there are two columns %s; rename one of them", r->t->name, name);
    *position = r->columns;
    return TG_OK;
}

static tg_status read_header(csv *r)
{
    const tg_table *t = r->t;
    tg_str name = {0}, names = {0};
    tg_status status = TG_OK;
    bool more = true;
    for (r->columns = 0; more && !status; r->columns++) {
        tg_str_clear(&name);
        status = read_field(r, &name);
        if (!status && (name.failed || names.failed)) status = TG_ENOMEM;
        const char *text = name.data ? name.data : "";
        if (!status) status = take_name(r, text, t->column, &r->column);
        if (!status) status = take_name(r, text, t->label, &r->label);
        if (!status) add_name(&names, r->columns, text);
        if (!status) more = next_field(r);
    }
    tg_str_free(&name);
    if (!status && r->column < 0) return fail_column(t, 1, t->column, &names);
    if (!status && t->label && r->label < 0) return fail_column(t, 1, t->label, &names);
    tg_str_free(&names);
    return status;
}

static tg_status read_record(csv *r, cells *c)
{
    int64_t line = r->line, i = 0;
    bool more = true;
    tg_str_clear(&c->text);
    tg_str_clear(&c->label);
    for (; more; i++) {
        tg_status status = read_field(r, i == r->column ? &c->text : i == r->label ? &c->label : NULL);
        if (status) return status;
        more = next_field(r);
    }
    if (c->text.failed || c->label.failed) return TG_ENOMEM;
    if (i != r->columns)
        return tg_fail(TG_EFORMAT, "%s:%" PRId64 ": %" PRId64 " field%s, the header has %" PRId64
                       "; quote a field that holds the separator or a line end", r->t->name, line, i, i == 1 ? "" : "s",
                       r->columns);
    return TG_OK;
}

static tg_status read_csv(tg_table *t, const char *at, const char *end)
{
    csv r = {.t = t, .at = at, .end = end, .separator = find_separator(at, end), .line = 1, .column = -1, .label = -1};
    cells c = {0};
    tg_status status = read_header(&r);
    while (!status && r.at < r.end && !t->enough) {
        bool empty = *r.at == '\n' || (*r.at == '\r' && r.at + 1 < r.end && r.at[1] == '\n');
        if (empty) {
            r.at += *r.at == '\r' ? 2 : 1;
            r.line++;
            continue;
        }
        status = read_record(&r, &c);
        if (!status) status = give_row(t, &c);
    }
    free_cells(&c);
    return status;
}

/* ---- which of them ---------------------------------------------------------------------------------------------- */

/* A first line that is a JSON text may be a CSV header of one quoted column: it is if that column is wanted. */
static bool is_json_line(const tg_table *t, tg_arena *a, const char *at, const char *end)
{
    const tg_json *value;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    if (*at == '{') return true;
    if (*at != '"' || tg_json_parse(a, t->name, at, (stop ? stop : end) - at, &value)) return false;
    return value->type == TG_JSON_TEXT && strcmp(value->text, t->column) != 0;
}

static tg_status check_text(const tg_table *t, const char *bytes, int64_t length)
{
    const char *nul = length ? memchr(bytes, 0, (size_t)length) : NULL;
    int64_t invalid = tg_utf8_check(bytes, nul ? nul - bytes : length);
    if (invalid < 0 && !nul) return TG_OK;
    const char *odd = invalid >= 0 ? bytes + invalid : nul;
    return tg_fail(TG_EINVAL, "%s:%" PRId64 ": %s; a table is UTF-8: convert it (iconv) and collect it again", t->name,
                   1 + count_lines(bytes, odd), invalid >= 0 ? "not UTF-8" : "a NUL");
}

tg_status tg_table_read(tg_table *t, const char *bytes, int64_t length)
{
    tg_status status = check_text(t, bytes, length);
    if (status) return status;
    const char *end = bytes + length;
    if (tg_starts_with(bytes, "\xef\xbb\xbf")) bytes += 3;
    const char *begin = bytes + strspn(bytes, " \t\r\n");
    if (begin == end) return TG_OK;
    tg_arena *a = tg_arena_new(1 << 14);
    if (!a) return TG_ENOMEM;
    if (*begin == '[') status = read_json_array(t, a, bytes, end - bytes);
    else if (is_json_line(t, a, begin, end)) status = read_json_lines(t, a, bytes, end);
    else status = read_csv(t, bytes, end);
    tg_arena_free(a);
    return status;
}

/* ---- what may be one --------------------------------------------------------------------------------------------- */

enum { GUESS_ROWS = 2, GUESS_MOST = 50, GUESS_NAME = 40 /* bytes */, GUESS_WORDS = 3 };

/* Behind the object that begins at `at`; NULL: it does not end here. */
static const char *object_end(const char *at, const char *end)
{
    int depth = 0;
    for (bool quoted = false; at < end; at++) {
        if (quoted && *at == '\\') at++;
        else if (*at == '"') quoted = !quoted;
        else if (!quoted && *at == '{') depth++;
        else if (!quoted && *at == '}' && --depth == 0) return at + 1;
    }
    return NULL;
}

static const char *pass_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
    return at;
}

/* An object, and another, or nothing, behind it. */
static tg_status guess_json(const char *at, const char *end, bool whole, tg_str *names)
{
    const bool list = *at == '[';
    const char *begin = list ? pass_space(at + 1, end) : at;
    const char *stop = begin < end && *begin == '{' ? object_end(begin, end) : NULL;
    const char *next = stop ? pass_space(stop, end) : NULL;
    if (!stop || (next == end && (list || !whole))) return TG_OK;
    if (next < end && *next != (list ? ',' : '{') && !(list && *next == ']')) return TG_OK;
    tg_arena *a = tg_arena_new(1 << 14);
    const tg_json *row = NULL;
    tg_status status = a ? tg_json_parse(a, "", begin, stop - begin, &row) : TG_ENOMEM;
    int64_t i = 0;
    for (const tg_json *member = status ? NULL : row->child; member; member = member->next) add_name(names, i++, member->key);
    tg_arena_free(a);
    return status == TG_ENOMEM ? status : TG_OK; /* what is no JSON is no table */
}

/* Names are short, no sentences and no numbers; prose has a space behind its comma. */
static bool is_name(const char *text, int64_t length)
{
    int64_t words = 1, letters = 0;
    if (length == 0 || length > GUESS_NAME || text[0] == ' ' || text[length - 1] == ' ') return false;
    for (int64_t i = 0; i < length; i++) {
        words += text[i] == ' ';
        letters += (unsigned char)text[i] >= 0x80 || (text[i] | 32) >= 'a';
        if (strchr("!?;:.(){}<>=\"'\n", text[i])) return false;
    }
    return letters > 0 && words <= GUESS_WORDS;
}

static bool is_header(csv *r, tg_str *names)
{
    tg_str name = {0};
    bool good = true, more = true;
    for (r->columns = 0; more && good; r->columns++) {
        tg_str_clear(&name);
        good = !read_field(r, &name) && name.data && is_name(name.data, name.length);
        if (!good) break;
        add_name(names, r->columns, name.data);
        more = next_field(r);
    }
    names->failed |= name.failed;
    tg_str_free(&name);
    return good && r->columns > 1;
}

/* Rows with as many fields as there are names, two at least, and none with more or fewer. */
static bool has_rows(csv *r, bool whole)
{
    cells c = {0};
    int64_t rows = 0;
    bool good = true;
    while (good && r->at < r->end && rows < GUESS_MOST) {
        while (r->at < r->end && (*r->at == '\n' || *r->at == '\r')) r->at++;
        if (r->at == r->end) break;
        const bool reads = !read_record(r, &c);
        if (!whole && r->at == r->end) break; /* cut */
        good = reads;
        rows++;
    }
    free_cells(&c);
    return good && rows >= GUESS_ROWS;
}

tg_status tg_table_guess(const char *bytes, int64_t length, bool whole, tg_str *names)
{
    const char *end = bytes + length, *at = length >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? bytes + 3 : bytes;
    tg_str_clear(names);
    at = pass_space(at, end);
    if (at == end || tg_utf8_check(at, end - at - (whole ? 0 : tg_utf8_partial(at, end - at))) >= 0) return TG_OK;
    tg_status status = TG_OK;
    if (*at == '[' || *at == '{') status = guess_json(at, end, whole, names);
    else {
        csv r = {.t = &(tg_table){.name = ""}, .at = at, .end = end, .separator = find_separator(at, end), .line = 1,
                 .column = -1, .label = -1};
        if (!is_header(&r, names) || !has_rows(&r, whole)) tg_str_clear(names);
    }
    return status ? status : names->failed ? TG_ENOMEM : TG_OK;
}
