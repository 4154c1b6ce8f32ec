/* key.c - rows bound to structs; one function checks a text and stores the value, wherever the text came from. */
#include "base/key.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os.h"

/* Beyond these a bound is none: it only keeps the type's range. */
static const double endless_int = 9e15, endless_real = 1e30;

tg_status tg_keys_new(tg_keys **out)
{
    tg_keys *k = tg_alloc(sizeof *k);
    if (k) k->arena = tg_arena_new(4096);
    if (!k || !k->arena) {
        tg_free(k);
        return TG_ENOMEM;
    }
    *out = k;
    return TG_OK;
}

void tg_keys_free(tg_keys *k)
{
    if (!k) return;
    tg_arena_free(k->arena);
    tg_free(k->rows);
    tg_free(k);
}

void *tg_key_field(const tg_key_row *r)
{
    return r->values + r->key->offset;
}

static bool same_name(const char *field, const char *name, int64_t length)
{
    if ((int64_t)strlen(field) != length) return false;
    for (int64_t i = 0; i < length; i++)
        if (field[i] != name[i] && !(field[i] == '_' && name[i] == '-')) return false;
    return true;
}

tg_key_row *tg_key_find(const tg_keys *k, const char *name, int64_t length)
{
    for (int64_t i = 0; i < k->count; i++)
        if (same_name(k->rows[i].key->name, name, length)) return &k->rows[i];
    return NULL;
}

/* ---- names for messages */

static void add_hyphens(tg_str *out, const char *field)
{
    for (; *field; field++) tg_str_add_n(out, *field == '_' ? "-" : field, 1);
}

const char *tg_key_word(const tg_key *key)
{
    if (key->type == TG_KEY_CHOICE && strlen(key->choices) > 28) return "NAME";
    if (key->choices) return key->choices;
    switch (key->type) {
    case TG_KEY_INT: return key->flags & TG_KEY_SEED ? "N|random" : "N";
    case TG_KEY_REAL: return "X";
    case TG_KEY_TIME: return "TIME";
    default: return "TEXT";
    }
}

void tg_key_add_name(tg_str *out, const tg_key *key)
{
    if (key->flags & TG_KEY_ARGUMENT) {
        tg_str_add(out, tg_key_word(key));
        return;
    }
    tg_str_add(out, "--");
    add_hyphens(out, key->name);
}

void tg_key_add_range(tg_str *out, const tg_key *key)
{
    bool whole = key->type == TG_KEY_INT;
    double endless = whole ? endless_int : endless_real;
    bool low = key->low > -endless, high = key->high < endless;
    if (low && !high) tg_str_add(out, "at least ");
    if (high && !low) tg_str_add(out, "at most ");
    if (low && whole) tg_str_addf(out, "%lld", (long long)key->low);
    else if (low) tg_str_add_real(out, key->low);
    if (low && high) tg_str_add(out, " to ");
    if (high && whole) tg_str_addf(out, "%lld", (long long)key->high);
    else if (high) tg_str_add_real(out, key->high);
}

void tg_key_add_hint(tg_str *out, const tg_keys *k, const char *prefix, const char *name, int64_t length)
{
    const char **names = tg_alloc_array(k->count + 1, sizeof *names);
    int64_t count = 0;
    tg_str word = {0};
    for (int64_t i = 0; i < length; i++) tg_str_add_n(&word, name[i] == '-' ? "_" : name + i, 1);
    for (int64_t i = 0; names && i < k->count; i++)
        if (!*prefix || !(k->rows[i].key->flags & TG_KEY_ARGUMENT)) names[count++] = k->rows[i].key->name;
    const char *near = word.length && !word.failed ? tg_nearest(word.data, names, count) : NULL;
    if (near) {
        tg_str_addf(out, " (did you mean %s", prefix);
        if (*prefix) add_hyphens(out, near);
        else tg_str_add(out, near);
        tg_str_add(out, "?)");
    }
    tg_str_free(&word);
    tg_free(names);
}

const char *tg_key_choice(const char *choices, int64_t i, int64_t *length)
{
    for (; i > 0; i--) {
        choices = strchr(choices, '|');
        if (!choices) return NULL;
        choices++;
    }
    *length = (int64_t)strcspn(choices, "|");
    return choices;
}

/* ---- values from text */

typedef union value {
    int64_t whole;
    double real;
    bool on;
    const char *text;
} value;

/* The exact product where it is a whole number of 64 bits: 10k, 1.5M (1.0005k is not one). */
static bool parse_whole(const char *text, int64_t *out)
{
    char digits[40];
    int64_t n = (int64_t)strlen(text), scale = 1, used = 0;
    char last = n > 0 ? text[n - 1] : '\0';
    if (last == 'k' || last == 'K') scale = 1000;
    if (last == 'M') scale = 1000000;
    if (last == 'G') scale = 1000000000;
    if (scale > 1) n--;
    const char *point = scale > 1 ? memchr(text, '.', (size_t)n) : NULL;
    if (n >= (int64_t)sizeof digits || point == text || (point && point == text + n - 1)) return false;
    for (int64_t i = 0; i < n; i++) {
        if (text + i == point) continue;
        digits[used++] = text[i];
        if (!point || text + i < point) continue;
        if (scale == 1) return false; /* more decimals than the ending has zeros */
        scale /= 10;
    }
    int64_t whole = 0;
    return tg_parse_int(digits, used, &whole) && !__builtin_mul_overflow(whole, scale, out);
}

/* 90, 90s, 10m, 1h30m, 2d; in seconds. */
static bool parse_time(const char *text, double *out)
{
    double sum = 0;
    if (!*text) return false;
    for (bool first = true; *text; first = false) {
        int64_t n = (int64_t)strspn(text, "0123456789.");
        double x = 0;
        if (!tg_parse_real(text, n, &x)) return false;
        char unit = text[n];
        if (unit == '\0' && !first) return false;
        double scale = unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : unit == 's' || !unit ? 1 : 0;
        if (scale == 0) return false;
        sum += x * scale;
        text += unit ? n + 1 : n;
    }
    *out = sum;
    return true;
}

static bool parse_switch(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (int i = 0; i < 8; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *out = i % 2 == 1;
        return true;
    }
    return false;
}

static bool parse_choice(const char *choices, const char *text, int64_t *out)
{
    int64_t n = 0;
    const char *at;
    for (int64_t i = 0; (at = tg_key_choice(choices, i, &n)); i++) {
        if ((int64_t)strlen(text) != n || memcmp(text, at, (size_t)n) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

/* A number that a person can type again: below 10^9 and within the row's range. */
static int64_t random_seed(const tg_key *key)
{
    uint32_t bits = 0;
    int fd = tg_os_open(AT_FDCWD, "/dev/urandom", O_RDONLY, 0);
    bool drawn = fd >= 0 && tg_os_read(fd, &bits, sizeof bits) == (ssize_t)sizeof bits;
    if (fd >= 0) tg_os_close(fd);
    if (!drawn) bits = (uint32_t)(int64_t)(tg_now() * 1e6);
    double most = key->high > 1 && key->high < 999999999 ? key->high : 999999999;
    return 1 + (int64_t)(bits % (uint32_t)most);
}

static tg_status refuse(const tg_key *key, const char *where, const char *text)
{
    tg_str must = {0}, range = {0};
    switch (key->type) {
    case TG_KEY_SWITCH: tg_str_add(&must, "true or false"); break;
    case TG_KEY_TIME: tg_str_add(&must, "a time such as 90s, 10m or 2h"); break;
    case TG_KEY_CHOICE: {
        int64_t n = 0;
        const char *at;
        tg_str_add(&must, "one of");
        for (int64_t i = 0; (at = tg_key_choice(key->choices, i, &n)); i++)
            tg_str_addf(&must, "%s %.*s", i ? "," : "", (int)n, at);
        break;
    }
    default:
        tg_str_add(&must, key->type == TG_KEY_INT ? "a whole number" : "a number");
        if (key->low < key->high) tg_key_add_range(&range, key);
        if (range.length) tg_str_addf(&must, ", %s", range.data);
        if (key->flags & TG_KEY_SEED) tg_str_add(&must, ", or random");
        break;
    }
    tg_status s = must.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s %.200s: must be %s", where, text, must.data);
    tg_str_free(&must);
    tg_str_free(&range);
    return s;
}

static tg_status check_range(const tg_key *key, const char *where, const char *text, double x)
{
    if (key->low >= key->high || (x >= key->low && x <= key->high)) return TG_OK;
    tg_str range = {0};
    tg_key_add_range(&range, key);
    tg_status s = range.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s %.200s: must be %s", where, text, range.data);
    tg_str_free(&range);
    return s;
}

static tg_status parse_value(const tg_key *key, const char *where, const char *text, value *v)
{
    bool good = true;
    switch (key->type) {
    case TG_KEY_INT:
        if ((key->flags & TG_KEY_SEED) && strcmp(text, "random") == 0) v->whole = random_seed(key);
        else good = parse_whole(text, &v->whole);
        return good ? check_range(key, where, text, (double)v->whole) : refuse(key, where, text);
    case TG_KEY_REAL:
        good = tg_parse_real(text, (int64_t)strlen(text), &v->real);
        return good ? check_range(key, where, text, v->real) : refuse(key, where, text);
    case TG_KEY_TIME:
        good = parse_time(text, &v->real);
        return good ? check_range(key, where, text, v->real) : refuse(key, where, text);
    case TG_KEY_SWITCH: good = parse_switch(text, &v->on); break;
    case TG_KEY_CHOICE: good = parse_choice(key->choices, text, &v->whole); break;
    default:
        if ((key->flags & TG_KEY_NAME) && !*text) return tg_fail(TG_EUSAGE, "%s: the name is empty", where);
        v->text = text;
        break;
    }
    return good ? TG_OK : refuse(key, where, text);
}

/* ---- storing */

/* A stronger source replaces what a weaker one listed. */
static tg_status append(tg_keys *k, tg_key_row *r, const char *text, tg_key_source source)
{
    tg_list *list = tg_key_field(r);
    if (source > r->source) list->count = 0;
    if (list->count == r->room) {
        int64_t room = r->room ? r->room * 2 : 8;
        const char **items = tg_arena_alloc(k->arena, room * (int64_t)sizeof *items);
        if (!items) return TG_ENOMEM;
        if (list->count) memcpy(items, list->items, (size_t)list->count * sizeof *items);
        list->items = items;
        r->room = room;
    }
    list->items[list->count++] = text;
    return TG_OK;
}

tg_status tg_key_store(tg_keys *k, tg_key_row *r, const char *where, const char *text, tg_key_source source)
{
    value v = {0};
    tg_status s = parse_value(r->key, where, text, &v);
    if (s || source < r->source) return s;
    void *field = tg_key_field(r);
    switch (r->key->type) {
    case TG_KEY_INT:
    case TG_KEY_CHOICE: *(int64_t *)field = v.whole; break;
    case TG_KEY_REAL:
    case TG_KEY_TIME: *(double *)field = v.real; break;
    case TG_KEY_SWITCH: *(bool *)field = v.on; break;
    default:
        v.text = tg_arena_strdup(k->arena, text);
        if (!v.text) return TG_ENOMEM;
        if (r->key->type == TG_KEY_LIST) s = append(k, r, v.text, source);
        else *(const char **)field = v.text;
        break;
    }
    if (!s) r->source = source;
    return s;
}

static void clear(tg_key_row *r)
{
    void *field = tg_key_field(r);
    switch (r->key->type) {
    case TG_KEY_INT:
    case TG_KEY_CHOICE: *(int64_t *)field = 0; break;
    case TG_KEY_REAL:
    case TG_KEY_TIME: *(double *)field = 0; break;
    case TG_KEY_SWITCH: *(bool *)field = false; break;
    case TG_KEY_LIST: *(tg_list *)field = (tg_list){0}; break;
    default: *(const char **)field = NULL; break;
    }
}

static tg_status add_row(tg_keys *k, const char *title, const tg_key *key, void *values)
{
    for (int64_t i = 0; i < k->count; i++) {
        const tg_key *other = k->rows[i].key;
        if (same_name(key->name, other->name, (int64_t)strlen(other->name)) ||
            (key->letter && key->letter == other->letter))
            return tg_fail(TG_EINVAL, "option row %s: its name or letter is %s's already", key->name, other->name);
    }
    if (k->count == k->room) {
        int64_t room = k->room ? k->room * 2 : 32, size = sizeof *k->rows;
        tg_key_row *rows = tg_realloc(k->rows, k->room * size, room * size);
        if (!rows) return TG_ENOMEM;
        k->rows = rows;
        k->room = room;
    }
    tg_key_row *r = &k->rows[k->count++];
    *r = (tg_key_row){.key = key, .values = values, .title = title, .table = k->tables, .source = TG_FROM_DEFAULT};
    clear(r);
    if (!key->fallback) return TG_OK;
    return tg_key_store(k, r, key->name, key->fallback, TG_FROM_DEFAULT) ? tg_note("default") : TG_OK;
}

tg_status tg_keys_add(tg_keys *k, const char *title, const tg_key *rows, void *values)
{
    int64_t before = k->count;
    for (; rows->type != TG_KEY_END_ROW; rows++) {
        tg_status s = add_row(k, title, rows, values);
        if (s) {
            k->count = before;
            return s;
        }
    }
    k->tables++;
    return TG_OK;
}

tg_status tg_keys_set(tg_keys *k, const char *name, const char *text, tg_key_source source)
{
    int64_t length = (int64_t)strlen(name);
    tg_key_row *r = tg_key_find(k, name, length);
    tg_str message = {0};
    tg_status s;
    if (r) {
        tg_str_add(&message, "--");
        add_hyphens(&message, r->key->name);
        s = message.failed ? TG_ENOMEM : tg_key_store(k, r, message.data, text, source);
    } else {
        tg_str_addf(&message, "unknown option --%s", name);
        tg_key_add_hint(&message, k, "--", name, length);
        s = message.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", message.data);
    }
    tg_str_free(&message);
    return s;
}

tg_key_source tg_keys_source(const tg_keys *k, const char *name)
{
    const tg_key_row *r = tg_key_find(k, name, (int64_t)strlen(name));
    return r ? r->source : TG_FROM_DEFAULT;
}

static bool is_given(const tg_key_row *r)
{
    if (r->source != TG_FROM_DEFAULT) return true;
    if (r->key->type == TG_KEY_TEXT) return *(const char *const *)tg_key_field(r) != NULL;
    if (r->key->type == TG_KEY_LIST) return ((const tg_list *)tg_key_field(r))->count > 0;
    return r->key->fallback != NULL;
}

tg_status tg_keys_check(const tg_keys *k)
{
    for (int64_t i = 0; i < k->count; i++) {
        const tg_key *key = k->rows[i].key;
        if (!(key->flags & TG_KEY_REQUIRED) || is_given(&k->rows[i])) continue;
        tg_str name = {0};
        tg_key_add_name(&name, key);
        if (!(key->flags & TG_KEY_ARGUMENT)) tg_str_addf(&name, " %s", tg_key_word(key));
        tg_status s = name.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s is missing: %s", name.data, key->help);
        tg_str_free(&name);
        return s;
    }
    return TG_OK;
}
