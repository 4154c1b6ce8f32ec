/* json.c - RFC 8259. The reader does not recurse: open arrays and objects stand on a stack of 64. */
#include "base/json.h"
#include "base/alloc.h"
#include "base/sort.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_BYTES = 100000000 /* as a safetensors header may be */, FEW_MEMBERS = 12 };

typedef struct level { tg_json *container, *last; } level; /* last: its newest child, NULL before the first */

/* Decoded texts are never longer than their source, so each stands in `texts` at its source's offset. */
typedef struct reader {
    const char *name, *begin, *at, *end;
    char *texts;
    tg_arena *arena;
    level open[MAX_DEPTH];
    int depth;
} reader;

/* ---- errors */

/* "name:line:column: message"; columns count characters from 1. */
static tg_status fail_at(const reader *r, const char *at, const char *message)
{
    int64_t line = 1, column = 1;
    for (const char *c = r->begin; c < at; c++) {
        if (*c == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)*c & 0xc0) != 0x80;
        }
    }
    return tg_fail(TG_EFORMAT, "%s:%lld:%lld: %s", r->name, (long long)line, (long long)column, message);
}

/* The same at the present byte, with what is found there. */
static tg_status fail_expected(const reader *r, const char *expected)
{
    uint32_t code;
    tg_str s = {0};
    int length = tg_utf8_next(r->at, r->end, &code);
    tg_str_addf(&s, "expected %s, ", expected);
    if (length == 0) tg_str_add(&s, "but the text ends here; is it cut short?");
    else if (code <= ' ' || code == 0x7f) tg_str_addf(&s, "found a byte 0x%02x", (unsigned)code);
    else tg_str_addf(&s, "found '%.*s'", length, r->at);
    tg_status status = s.failed ? TG_ENOMEM : fail_at(r, r->at, s.data);
    tg_str_free(&s);
    return status;
}

/* ---- texts */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits behind \u; -1: there are none. */
static int32_t hex_word(const char *at, const char *end)
{
    int32_t word = 0;
    for (int i = 0; i < 4; i++) {
        int digit = at + i < end ? hex_digit(at[i]) : -1;
        if (digit < 0) return -1;
        word = word << 4 | digit;
    }
    return word;
}

/* r->at is on the u of \uXXXX, afterwards behind it and behind the second half of a surrogate pair. */
static tg_status read_unicode(reader *r, char **out)
{
    const char *escape = r->at - 1;
    int32_t code = hex_word(r->at + 1, r->end);
    if (code < 0) return fail_at(r, escape, "expected four hexadecimal digits after \\u");
    if (code == 0) return fail_at(r, escape, "\\u0000 is not allowed in a text; remove it");
    r->at += 5;
    if (code >= 0xd800 && code < 0xe000) {
        int32_t low = r->end - r->at > 2 && r->at[0] == '\\' && r->at[1] == 'u' ? hex_word(r->at + 2, r->end) : -1;
        if (code >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
            return fail_at(r, escape, "half of a surrogate pair stands alone; write the character itself");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        r->at += 6;
    }
    *out += tg_utf8_put(*out, (uint32_t)code);
    return TG_OK;
}

static tg_status read_escape(reader *r, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    r->at++;
    if (r->at >= r->end) return fail_expected(r, "an escape");
    if (*r->at == 'u') return read_unicode(r, out);
    const char *letter = memchr(letters, *r->at, sizeof letters - 1);
    if (!letter) return fail_at(r, r->at - 1, "unknown escape; a backslash itself is written \\\\");
    *(*out)++ = meanings[letter - letters];
    r->at++;
    return TG_OK;
}

/* r->at is on the opening quote, afterwards behind the closing one. */
static tg_status read_text(reader *r, const char **text, int64_t *length)
{
    const char *opening = r->at++;
    char *begin = r->texts + (r->at - r->begin), *out = begin;
    for (;;) {
        if (r->at >= r->end) return fail_at(r, opening, "this text has no closing '\"'; add it");
        char c = *r->at;
        if (c == '"') break;
        if ((unsigned char)c < 0x20) return fail_at(r, r->at, "a control character in a text; write it as \\u00XX");
        if (c == '\\') {
            tg_status s = read_escape(r, &out);
            if (s) return s;
        } else {
            *out++ = c;
            r->at++;
        }
    }
    r->at++;
    *out = 0;
    *text = begin;
    *length = out - begin;
    return TG_OK;
}

/* ---- numbers */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at;
}

/* JSON's grammar is narrower than tg_parse_real's, so it is checked here. */
static tg_status read_number(reader *r, tg_json *value)
{
    const char *begin = r->at, *digits = begin + (*begin == '-'), *at = skip_digits(digits, r->end);
    bool whole = true;
    r->at = at;
    if (at == digits) return fail_expected(r, "a digit");
    if (*digits == '0' && at - digits > 1) return fail_at(r, begin, "a number must not begin with 0; remove it");
    if (at < r->end && *at == '.') {
        whole = false;
        r->at = skip_digits(at + 1, r->end);
        if (r->at == at + 1) return fail_expected(r, "a digit behind the point");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        whole = false;
        at = r->at + 1;
        if (at < r->end && (*at == '+' || *at == '-')) at++;
        r->at = skip_digits(at, r->end);
        if (r->at == at) return fail_expected(r, "a digit of the exponent");
    }
    value->type = TG_JSON_REAL;
    bool minus_zero = *begin == '-' && *digits == '0'; /* has its sign only as a double */
    if (whole && !minus_zero && tg_parse_int(begin, r->at - begin, &value->integer)) value->type = TG_JSON_INT;
    if (!tg_parse_real(begin, r->at - begin, &value->real))
        return fail_at(r, begin, "a number beyond the range of a double (1.8e308); make it smaller");
    return TG_OK;
}

/* ---- arrays and objects */

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) r->at++;
}

static int by_key(const void *a, const void *b, void *user)
{
    (void)user;
    return strcmp((*(const tg_json *const *)a)->key, (*(const tg_json *const *)b)->key);
}

/* The member whose key stood there before, or NULL. Quadratic for a few members, sorted for many; members: room for
 * twice their number. */
static const tg_json *find_duplicate(const tg_json *object, const tg_json **members)
{
    if (object->integer <= FEW_MEMBERS) {
        for (const tg_json *a = object->child; a; a = a->next)
            for (const tg_json *b = object->child; b != a; b = b->next)
                if (strcmp(a->key, b->key) == 0) return a;
        return NULL;
    }
    int64_t n = 0;
    for (const tg_json *a = object->child; a; a = a->next) members[n++] = a;
    tg_sort(members, n, sizeof *members, members + n, by_key, NULL);
    for (int64_t i = 1; i < n; i++)
        if (strcmp(members[i - 1]->key, members[i]->key) == 0) return members[i];
    return NULL;
}

static tg_status check_duplicates(const reader *r, const tg_json *object)
{
    const tg_json **members = NULL;
    if (object->integer > FEW_MEMBERS) {
        members = tg_alloc_array(2 * object->integer, sizeof *members);
        if (!members) return TG_ENOMEM;
    }
    const tg_json *second = find_duplicate(object, members);
    tg_free(members);
    if (!second) return TG_OK;
    const char *where = r->begin + (second->key - r->texts) - 1;
    return fail_at(r, where, "this key stood in the object before; remove one of the two");
}

static tg_json *new_node(reader *r)
{
    return tg_arena_zeros(r->arena, sizeof(tg_json));
}

/* A new child of the innermost container; in an object its key and colon are read. */
static tg_status next_child(reader *r, tg_json **out)
{
    level *l = &r->open[r->depth - 1];
    tg_json *child = new_node(r);
    if (!child) return TG_ENOMEM;
    if (l->container->type == TG_JSON_OBJECT) {
        int64_t length;
        skip_space(r);
        if (r->at >= r->end || *r->at != '"') return fail_expected(r, "a key in double quotes");
        tg_status s = read_text(r, &child->key, &length);
        if (s) return s;
        skip_space(r);
        if (r->at >= r->end || *r->at != ':') return fail_expected(r, "':' after the key");
        r->at++;
    }
    if (l->last) l->last->next = child;
    else l->container->child = child;
    l->last = child;
    l->container->integer++;
    *out = child;
    return TG_OK;
}

static tg_status read_word(reader *r, tg_json *value, const char *word, tg_json_type type, int64_t integer)
{
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return fail_expected(r, "a value (text, number, true, false, null, array or object)");
    r->at += length;
    value->type = type;
    value->integer = integer;
    return TG_OK;
}

/* Opens the container at r->at. *more: it has a first child. */
static tg_status read_opening(reader *r, tg_json *value, bool *more)
{
    if (r->depth == MAX_DEPTH) return fail_at(r, r->at, "nested more than 64 deep; flatten it");
    char closing = *r->at == '[' ? ']' : '}';
    value->type = *r->at++ == '[' ? TG_JSON_ARRAY : TG_JSON_OBJECT;
    skip_space(r);
    *more = r->at >= r->end || *r->at != closing;
    if (*more) r->open[r->depth++] = (level){value, NULL};
    else r->at++;
    return TG_OK;
}

/* A scalar, an empty container (both complete), or an opening bracket with children to come. */
static tg_status read_value(reader *r, tg_json *value, bool *more)
{
    *more = false;
    skip_space(r);
    char c = r->at < r->end ? *r->at : 0;
    if (c == '{' || c == '[') return read_opening(r, value, more);
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(r, value);
    if (c == 't') return read_word(r, value, "true", TG_JSON_BOOL, 1);
    if (c == 'f') return read_word(r, value, "false", TG_JSON_BOOL, 0);
    if (c != '"') return read_word(r, value, "null", TG_JSON_NULL, 0);
    value->type = TG_JSON_TEXT;
    return read_text(r, &value->text, &value->length);
}

/* Behind a complete value: closes what ends here. *more: a comma came, another child follows. */
static tg_status read_after(reader *r, bool *more)
{
    *more = false;
    while (r->depth > 0) {
        const tg_json *container = r->open[r->depth - 1].container;
        bool array = container->type == TG_JSON_ARRAY;
        skip_space(r);
        char c = r->at < r->end ? *r->at : 0;
        if (c == ',') {
            r->at++;
            *more = true;
            return TG_OK;
        }
        if (c != (array ? ']' : '}')) return fail_expected(r, array ? "',' or ']'" : "',' or '}'");
        r->at++;
        r->depth--;
        tg_status s = array ? TG_OK : check_duplicates(r, container);
        if (s) return s;
    }
    return TG_OK;
}

static tg_status read_all(reader *r, tg_json *root)
{
    tg_json *value = root;
    bool more;
    for (;;) {
        tg_status s = read_value(r, value, &more);
        if (!s && !more) s = read_after(r, &more);
        if (!s && !more) break;
        if (!s) s = next_child(r, &value);
        if (s) return s;
    }
    skip_space(r);
    return r->at < r->end ? fail_expected(r, "the end of the text after the value") : TG_OK;
}

tg_status tg_json_parse(tg_arena *a, const char *name, const char *text, int64_t length, const tg_json **out)
{
    if (length < 0 || length > MAX_BYTES)
        return tg_fail(TG_EFORMAT, "%s: more than 100 MB of JSON; split it", name);
    reader r = {.name = name, .begin = text, .at = text, .end = text + length, .arena = a};
    int64_t invalid = tg_utf8_check(text, length);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return fail_at(&r, text, "begins with a byte-order mark; save it without");
    if (invalid >= 0) return fail_at(&r, text + invalid, "invalid UTF-8; convert the text to UTF-8");
    tg_arena_mark mark = tg_arena_here(a);
    tg_json *root = new_node(&r);
    r.texts = tg_arena_alloc(a, length + 1);
    tg_status s = root && r.texts ? read_all(&r, root) : TG_ENOMEM;
    if (s) tg_arena_rewind(a, mark);
    else *out = root;
    return s;
}

/* ---- looking things up */

const tg_json *tg_json_get(const tg_json *object, const char *key)
{
    if (!object || object->type != TG_JSON_OBJECT) return NULL;
    const tg_json *member = object->child;
    while (member && strcmp(member->key, key) != 0) member = member->next;
    return member;
}

bool tg_json_int(const tg_json *object, const char *key, int64_t *out)
{
    const tg_json *member = tg_json_get(object, key);
    if (!member || member->type != TG_JSON_INT) return false;
    *out = member->integer;
    return true;
}

bool tg_json_real(const tg_json *object, const char *key, double *out)
{
    const tg_json *member = tg_json_get(object, key);
    if (!member || (member->type != TG_JSON_INT && member->type != TG_JSON_REAL)) return false;
    *out = member->real;
    return true;
}

const char *tg_json_text(const tg_json *object, const char *key)
{
    const tg_json *member = tg_json_get(object, key);
    return member && member->type == TG_JSON_TEXT ? member->text : NULL;
}

/* ---- writer */

static void begin_item(tg_json_writer *w)
{
    if (w->comma) tg_str_add_n(w->out, ", ", 2);
    w->comma = true;
}

void tg_json_open(tg_json_writer *w, char bracket)
{
    begin_item(w);
    tg_str_add_n(w->out, &bracket, 1);
    w->comma = false;
}

void tg_json_close(tg_json_writer *w, char bracket)
{
    tg_str_add_n(w->out, &bracket, 1);
    w->comma = true;
}

/* The escape that the character at `at` needs, or NULL: it may stand for itself. */
static const char *escape_of(const char *at, char room[8])
{
    switch (*at) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
    }
    unsigned char c = (unsigned char)*at;
    if (c >= 0x20) return NULL;
    memcpy(room, "\\u00", 4);
    room[4] = (char)('0' + (c >> 4));
    room[5] = "0123456789abcdef"[c & 15];
    room[6] = 0;
    return room;
}

static void add_quoted(tg_str *out, const char *text, int64_t length)
{
    const char *end = text + length, *plain = text; /* from plain to at nothing needs an escape */
    tg_str_add_n(out, "\"", 1);
    for (const char *at = text; at < end;) {
        uint32_t code;
        char room[8];
        int bytes = tg_utf8_next(at, end, &code);
        const char *escape = bytes == 0 ? "\xef\xbf\xbd" : escape_of(at, room);
        int step = bytes ? bytes : 1;
        if (escape) {
            tg_str_add_n(out, plain, at - plain);
            tg_str_add(out, escape);
            plain = at + step;
        }
        at += step;
    }
    tg_str_add_n(out, plain, end - plain);
    tg_str_add_n(out, "\"", 1);
}

void tg_json_key(tg_json_writer *w, const char *key)
{
    begin_item(w);
    add_quoted(w->out, key, (int64_t)strlen(key));
    tg_str_add_n(w->out, ": ", 2);
    w->comma = false;
}

void tg_json_put_int(tg_json_writer *w, int64_t x)
{
    begin_item(w);
    tg_str_addf(w->out, "%lld", (long long)x);
}

void tg_json_put_real(tg_json_writer *w, double x)
{
    begin_item(w);
    if (isfinite(x)) tg_str_add_real(w->out, x);
    else tg_str_add(w->out, "null");
}

void tg_json_put_bool(tg_json_writer *w, bool x)
{
    tg_json_put_raw(w, x ? "true" : "false");
}

void tg_json_put_null(tg_json_writer *w)
{
    tg_json_put_raw(w, "null");
}

void tg_json_put_text(tg_json_writer *w, const char *text)
{
    tg_json_put_text_n(w, text, (int64_t)strlen(text));
}

void tg_json_put_text_n(tg_json_writer *w, const char *text, int64_t length)
{
    begin_item(w);
    add_quoted(w->out, text, length);
}

void tg_json_put_raw(tg_json_writer *w, const char *json)
{
    begin_item(w);
    tg_str_add(w->out, json);
}

/* Recursion is safe: a parsed tree is at most 64 deep. */
void tg_json_put_tree(tg_json_writer *w, const tg_json *value)
{
    switch (value->type) {
    case TG_JSON_NULL: tg_json_put_null(w); return;
    case TG_JSON_BOOL: tg_json_put_bool(w, value->integer != 0); return;
    case TG_JSON_INT: tg_json_put_int(w, value->integer); return;
    case TG_JSON_REAL: tg_json_put_real(w, value->real); return;
    case TG_JSON_TEXT: tg_json_put_text_n(w, value->text, value->length); return;
    case TG_JSON_ARRAY:
    case TG_JSON_OBJECT: break;
    }
    bool object = value->type == TG_JSON_OBJECT;
    tg_json_open(w, object ? '{' : '[');
    for (const tg_json *child = value->child; child; child = child->next) {
        if (object) tg_json_key(w, child->key);
        tg_json_put_tree(w, child);
    }
    tg_json_close(w, object ? '}' : ']');
}

void tg_json_member_text(tg_json_writer *w, const char *key, const char *text)
{
    tg_json_key(w, key);
    if (text) tg_json_put_text(w, text);
    else tg_json_put_null(w);
}

void tg_json_member_int(tg_json_writer *w, const char *key, int64_t x)
{
    tg_json_key(w, key);
    tg_json_put_int(w, x);
}

void tg_json_member_real(tg_json_writer *w, const char *key, double x)
{
    tg_json_key(w, key);
    tg_json_put_real(w, x);
}

void tg_json_member_raw(tg_json_writer *w, const char *key, const char *json)
{
    tg_json_key(w, key);
    tg_json_put_raw(w, json);
}
