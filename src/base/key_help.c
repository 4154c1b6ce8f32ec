/* key_help.c - option rows printed: as JSON and as the options part of --help. */
#include <string.h>

#include "base/json.h"
#include "base/key.h"
#include "base/utf8.h"

/* ---- JSON */

/* An automatic value that nobody has worked out yet is null, which reads back as automatic. */
static bool is_open(const tg_key_row *r)
{
    return (r->key->flags & TG_KEY_AUTO) && r->source == TG_FROM_DEFAULT;
}

void tg_key_put_json(tg_json_writer *w, const tg_key_row *r)
{
    const void *field = tg_key_field(r);
    int64_t n = 0;
    const char *text;
    if (is_open(r)) {
        tg_json_put_null(w);
        return;
    }
    switch (r->key->type) {
    case TG_KEY_INT: tg_json_put_int(w, *(const int64_t *)field); break;
    case TG_KEY_REAL:
    case TG_KEY_TIME: tg_json_put_real(w, *(const double *)field); break;
    case TG_KEY_SWITCH: tg_json_put_bool(w, *(const bool *)field); break;
    case TG_KEY_CHOICE:
        text = tg_key_choice(r->key->choices, *(const int64_t *)field, &n);
        if (text) tg_json_put_text_n(w, text, n);
        else tg_json_put_null(w);
        break;
    case TG_KEY_LIST: {
        const tg_list *list = field;
        tg_json_open(w, '[');
        for (int64_t i = 0; i < list->count; i++) tg_json_put_text(w, list->items[i]);
        tg_json_close(w, ']');
        break;
    }
    default:
        text = *(const char *const *)field;
        if (text) tg_json_put_text(w, text);
        else tg_json_put_null(w);
        break;
    }
}

char *tg_keys_json(const tg_keys *k, unsigned with, unsigned without)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_json_open(&w, '{');
    for (int64_t i = 0; i < k->count; i++) {
        const tg_key *key = k->rows[i].key;
        if ((key->flags & with) != with || (key->flags & without)) continue;
        tg_json_key(&w, key->name);
        tg_key_put_json(&w, &k->rows[i]);
    }
    tg_json_close(&w, '}');
    if (!out.failed) return out.data;
    tg_str_free(&out);
    return NULL;
}

/* ---- help */

enum { LEFT_MOST = 30, TELLING = 1000000 };

/* "  -n, --number N" */
static void add_left(tg_str *out, const tg_key *key)
{
    if (key->flags & TG_KEY_ARGUMENT) {
        tg_str_addf(out, "  %s%s", tg_key_word(key), key->type == TG_KEY_LIST ? "..." : "");
        return;
    }
    if (key->letter) tg_str_addf(out, "  -%c, ", key->letter);
    else tg_str_add(out, "      ");
    bool on = key->type == TG_KEY_SWITCH && key->fallback && strcmp(key->fallback, "true") == 0;
    tg_str name = {0};
    tg_key_add_name(&name, key);
    if (!name.data) out->failed = true;
    else if (on) tg_str_addf(out, "--[no-]%s", name.data + 2);
    else tg_str_add(out, name.data);
    tg_str_free(&name);
    if (key->type != TG_KEY_SWITCH) tg_str_addf(out, " %s", tg_key_word(key));
}

/* Bounds that say something: not "0 to a billion". */
static bool is_telling(const tg_key *key)
{
    bool number = key->type == TG_KEY_INT || key->type == TG_KEY_REAL;
    return number && !(key->flags & TG_KEY_SEED) && key->low < key->high && key->low > -TELLING && key->high <= TELLING;
}

/* The help sentence and, in brackets, the default and what is allowed. */
static void add_right(tg_str *out, const tg_key *key)
{
    const char *join = " (";
    tg_str_add(out, key->help ? key->help : "");
    if (key->type == TG_KEY_CHOICE && strcmp(tg_key_word(key), key->choices) != 0) {
        int64_t n = 0;
        const char *at;
        for (int64_t i = 0; (at = tg_key_choice(key->choices, i, &n)); i++)
            tg_str_addf(out, "%s%.*s", i ? ", " : ": ", (int)n, at);
    }
    if (key->flags & TG_KEY_REQUIRED) {
        tg_str_addf(out, "%srequired", join);
        join = "; ";
    } else if (key->flags & TG_KEY_AUTO) {
        tg_str_addf(out, "%sauto", join);
        join = "; ";
    } else if (key->fallback && key->type != TG_KEY_SWITCH) {
        tg_str_addf(out, "%sdefault %s", join, key->fallback);
        join = "; ";
    } else if (key->fallback && strcmp(key->fallback, "true") == 0) {
        tg_str_addf(out, "%son unless told otherwise", join);
        join = "; ";
    }
    if (is_telling(key)) {
        tg_str_add(out, join);
        tg_key_add_range(out, key);
        join = "; ";
    }
    if (*join == ';') tg_str_add(out, ")");
}

static void pad(tg_str *out, int64_t columns)
{
    for (; columns > 0; columns--) tg_str_add_n(out, " ", 1);
}

/* Words of text from column indent on (the cursor is there), lines broken before columns. */
static void add_wrapped(tg_str *out, const char *text, int64_t indent, int64_t columns)
{
    int64_t at = indent;
    while (*text) {
        int64_t n = (int64_t)strcspn(text, " ");
        int64_t width = tg_utf8_columns(text, n);
        if (at > indent && at + 1 + width > columns) {
            tg_str_add(out, "\n");
            pad(out, indent);
            at = indent;
        } else if (at > indent) {
            tg_str_add(out, " ");
            at++;
        }
        tg_str_add_n(out, text, n);
        at += width;
        text += n;
        text += strspn(text, " ");
    }
    tg_str_add(out, "\n");
}

static void add_row(tg_str *out, const tg_key *key, int64_t column, int64_t columns)
{
    tg_str left = {0}, right = {0};
    add_left(&left, key);
    add_right(&right, key);
    if (left.failed || right.failed) out->failed = true;
    else {
        int64_t width = tg_utf8_columns(left.data, left.length);
        tg_str_add(out, left.data);
        if (width + 2 > column) tg_str_add(out, "\n");
        pad(out, width + 2 > column ? column : column - width);
        add_wrapped(out, right.data, column, columns);
    }
    tg_str_free(&left);
    tg_str_free(&right);
}

/* Where the right sides start: behind the widest left side, within reason. */
static int64_t right_column(const tg_keys *k)
{
    int64_t widest = 0;
    for (int64_t i = 0; i < k->count; i++) {
        tg_str left = {0};
        add_left(&left, k->rows[i].key);
        int64_t width = left.failed ? 0 : tg_utf8_columns(left.data, left.length);
        if (width > widest && width <= LEFT_MOST) widest = width;
        tg_str_free(&left);
    }
    return widest + 2;
}

char *tg_keys_help(const tg_keys *k, int columns)
{
    tg_str out = {0};
    int64_t column = right_column(k);
    if (columns < column + 20) columns = (int)column + 20;
    tg_str_add(&out, "");
    for (int64_t i = 0; i < k->count; i++) {
        const tg_key_row *r = &k->rows[i];
        if (i == 0 || r->table != r[-1].table) tg_str_addf(&out, "%s%s:\n", i ? "\n" : "", r->title);
        add_row(&out, r->key, column, columns);
    }
    if (!out.failed) return out.data;
    tg_str_free(&out);
    return NULL;
}
