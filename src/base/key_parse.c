/* key_parse.c - option rows from command lines and from config files. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/key.h"


/* ---- command lines */

typedef struct line {
    tg_keys *k;
    int argc, at;
    char **argv;
    bool lenient;
} line;

/* Usage errors say no more than this in a lenient look. */
static tg_status forgive(const line *l, tg_status s)
{
    return l->lenient && s == TG_EUSAGE ? TG_OK : s;
}

/* Whether name, length bytes, begins the field's name; hyphens match underscores. */
static bool begins(const char *field, const char *name, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        if (!field[i] || (field[i] != name[i] && !(field[i] == '_' && name[i] == '-'))) return false;
    return true;
}

/* The row that name is, or is the only beginning of; NULL with *candidates 0 or 2 and more. */
static tg_key_row *resolve(const tg_keys *k, const char *name, int64_t length, bool switches_only, int *candidates)
{
    tg_key_row *found = NULL;
    *candidates = 0;
    for (int64_t i = 0; i < k->count; i++) {
        tg_key_row *r = &k->rows[i];
        if ((r->key->flags & TG_KEY_ARGUMENT) || (switches_only && r->key->type != TG_KEY_SWITCH)) continue;
        if (length == 0 || !begins(r->key->name, name, length)) continue;
        if ((int64_t)strlen(r->key->name) == length) {
            *candidates = 1;
            return r;
        }
        found = r;
        ++*candidates;
    }
    return *candidates == 1 ? found : NULL;
}

static tg_status fail_ambiguous(const tg_keys *k, const char *name, int64_t length)
{
    tg_str m = {0};
    tg_str_addf(&m, "--%.*s could be", (int)length, name);
    const char *join = " ";
    for (int64_t i = 0; i < k->count; i++) {
        const tg_key *key = k->rows[i].key;
        if ((key->flags & TG_KEY_ARGUMENT) || !begins(key->name, name, length)) continue;
        tg_str_add(&m, join);
        tg_key_add_name(&m, key);
        join = " or ";
    }
    tg_status s = m.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", m.data);
    tg_str_free(&m);
    return s;
}

static tg_status fail_unknown(const tg_keys *k, const char *option, const char *name, int64_t length)
{
    tg_str m = {0};
    tg_str_addf(&m, "unknown option %.*s", (int)(name + length - option), option);
    tg_key_add_hint(&m, k, "--", name, length);
    tg_status s = m.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", m.data);
    tg_str_free(&m);
    return s;
}

/* Stores text for an option of the line. What a lenient look lists counts less, so that the strict pass lists it anew. */
static tg_status store(const line *l, tg_key_row *r, const char *text)
{
    const bool look = l->lenient && r->key->type == TG_KEY_LIST;
    tg_str where = {0};
    tg_key_add_name(&where, r->key);
    tg_status s = where.failed ? TG_ENOMEM : tg_key_store(l->k, r, where.data, text, look ? TG_FROM_CONFIG : TG_FROM_FLAG);
    tg_str_free(&where);
    return forgive(l, s);
}

/* The value of an option: attached, or the next word. Something that looks like an option is one. */
static tg_status take_value(line *l, tg_key_row *r, const char *option, int length, const char *attached)
{
    if (attached) return store(l, r, attached);
    const char *next = l->at + 1 < l->argc ? l->argv[l->at + 1] : NULL;
    if (!next) return forgive(l, tg_fail(TG_EUSAGE, "%.*s needs a value: %s", length, option, tg_key_word(r->key)));
    if (strncmp(next, "--", 2) == 0)
        return forgive(l, tg_fail(TG_EUSAGE, "%.*s needs a value: %s (if %s is it, write --%s=%s)", length, option,
                                  tg_key_word(r->key), next, r->key->name, next));
    l->at++;
    return store(l, r, next);
}

static tg_status parse_long(line *l, const char *option)
{
    const char *name = option + 2;
    int64_t length = (int64_t)strcspn(name, "=");
    const char *attached = name[length] ? name + length + 1 : NULL;
    int candidates = 0, negated = 0;
    tg_key_row *r = resolve(l->k, name, length, false, &candidates);
    bool no = !r && length > 3 && strncmp(name, "no-", 3) == 0;
    if (no) {
        r = resolve(l->k, name + 3, length - 3, true, &negated);
        if (r && attached) return forgive(l, tg_fail(TG_EUSAGE, "--%.*s takes no value", (int)length, name));
        if (r) return store(l, r, "false");
        tg_key_row *other = tg_key_find(l->k, name + 3, length - 3);
        if (other && other->key->type != TG_KEY_SWITCH)
            return forgive(l, tg_fail(TG_EUSAGE, "--%.*s: --%.*s is not a switch; give it a value", (int)length, name,
                                      (int)length - 3, name + 3));
    }
    if (!r && l->lenient) return TG_OK;
    if (!r && candidates > 1) return fail_ambiguous(l->k, name, length);
    if (!r && negated > 1) return fail_ambiguous(l->k, name + 3, length - 3);
    if (!r) return fail_unknown(l->k, option, name, length);
    if (r->key->type == TG_KEY_SWITCH) return store(l, r, attached ? attached : "true");
    return take_value(l, r, option, (int)length + 2, attached);
}

/* -k, -k VALUE, -kVALUE; switches stand alone. */
static tg_status parse_short(line *l, const char *option)
{
    tg_key_row *r = NULL;
    for (int64_t i = 0; i < l->k->count; i++)
        if (l->k->rows[i].key->letter == option[1]) r = &l->k->rows[i];
    bool is_switch = r && r->key->type == TG_KEY_SWITCH;
    if (!r || (is_switch && option[2])) {
        if (l->lenient) return TG_OK;
        return fail_unknown(l->k, option, option + 1, (int64_t)strlen(option + 1));
    }
    if (is_switch) return store(l, r, "true");
    return take_value(l, r, option, 2, option[2] ? option + 2 : NULL);
}

/* Texts take one each, in the order of their rows; a list takes the rest. */
static tg_status take_argument(const line *l, const char *text)
{
    if (l->lenient) return TG_OK;
    for (int64_t i = 0; i < l->k->count; i++) {
        tg_key_row *r = &l->k->rows[i];
        if (!(r->key->flags & TG_KEY_ARGUMENT)) continue;
        if (r->key->type == TG_KEY_LIST || r->source != TG_FROM_FLAG) return store(l, r, text);
    }
    return tg_fail(TG_EUSAGE, "unexpected argument %s", text);
}

tg_status tg_keys_parse(tg_keys *k, int argc, char **argv, bool lenient)
{
    line l = {.k = k, .argc = argc, .argv = argv, .lenient = lenient};
    bool only_arguments = false;
    for (l.at = 1; l.at < argc; l.at++) {
        const char *word = argv[l.at];
        tg_status s = TG_OK;
        if (only_arguments || word[0] != '-' || word[1] == '\0') s = take_argument(&l, word);
        else if (strcmp(word, "--") == 0) only_arguments = true;
        else if (word[1] == '-') s = parse_long(&l, word);
        else s = parse_short(&l, word);
        if (s) return s;
    }
    return TG_OK;
}

/* ---- config files */

/* "name:LINE:COLUMN" of the outermost object's member key, or "name" where its key is written with escapes. The text
 * is valid JSON. */
static void add_position(tg_str *out, const char *name, const char *text, const char *key)
{
    size_t length = strlen(key);
    int depth = 0, row = 1;
    const char *start = text;
    tg_str_add(out, name);
    for (const char *at = text; *at; at++) {
        if (*at == '\n') {
            row++;
            start = at + 1;
        } else if (*at == '{' || *at == '[') depth++;
        else if (*at == '}' || *at == ']') depth--;
        if (*at != '"') continue;
        const char *open = at;
        for (at++; *at && *at != '"'; at++)
            if (*at == '\\' && at[1]) at++;
        if (!*at) return;
        const char *after = at + 1 + strspn(at + 1, " \t\r\n");
        if (depth != 1 || *after != ':' || (size_t)(at - open - 1) != length || memcmp(open + 1, key, length) != 0)
            continue;
        long long column = open - start + 1;
        tg_str_addf(out, ":%d:%lld", row, column);
        return;
    }
}

static bool is_ignored(const char *ignore, const char *key)
{
    size_t length = strlen(key);
    while (ignore && *ignore) {
        size_t n = strcspn(ignore, ",");
        if (n == length && memcmp(ignore, key, n) == 0) return true;
        ignore += ignore[n] ? n + 1 : n;
    }
    return false;
}

/* A scalar goes through the same text as a flag's. */
static tg_status store_json(tg_keys *k, tg_key_row *r, const char *where, const tg_json *v, tg_key_source source)
{
    char number[32];
    const char *text = number;
    switch (v->type) {
    case TG_JSON_BOOL: text = v->integer ? "true" : "false"; break;
    case TG_JSON_TEXT: text = v->text; break;
    case TG_JSON_REAL: tg_format_real(number, v->real); break;
    case TG_JSON_INT: {
        tg_str digits = {0};
        tg_str_addf(&digits, "%lld", (long long)v->integer);
        if (!digits.failed) memcpy(number, digits.data, (size_t)digits.length + 1);
        bool failed = digits.failed;
        tg_str_free(&digits);
        if (failed) return TG_ENOMEM;
        break;
    }
    default: return tg_fail(TG_EUSAGE, "%s: must be one value, not an array or an object", where);
    }
    return tg_key_store(k, r, where, text, source);
}

static tg_status store_list(tg_keys *k, tg_key_row *r, const char *where, const tg_json *v, tg_key_source source)
{
    if (r->source <= source) *(tg_list *)tg_key_field(r) = (tg_list){0};
    if (r->source <= source) r->room = 0;
    if (v->type != TG_JSON_ARRAY) return store_json(k, r, where, v, source);
    tg_status s = TG_OK;
    for (const tg_json *item = v->child; item && !s; item = item->next) s = store_json(k, r, where, item, source);
    return s;
}

typedef struct config { const char *name, *text, *ignore; tg_key_source source; } config;

static tg_status store_member(tg_keys *k, const config *c, const tg_json *member)
{
    tg_key_row *r = tg_key_find(k, member->key, (int64_t)strlen(member->key));
    bool all = c->ignore && strcmp(c->ignore, "*") == 0;
    if (is_ignored(c->ignore, member->key) || (all && !r) || (r && member->type == TG_JSON_NULL)) return TG_OK;
    tg_str where = {0};
    add_position(&where, c->name, c->text, member->key);
    tg_status s;
    if (!r) {
        tg_str_addf(&where, ": unknown key %s", member->key);
        tg_key_add_hint(&where, k, "", member->key, (int64_t)strlen(member->key));
        s = where.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", where.data);
    } else {
        tg_str_addf(&where, ": %s", r->key->name);
        if (where.failed) s = TG_ENOMEM;
        else if (r->key->flags & TG_KEY_NO_CONFIG)
            s = tg_fail(TG_EUSAGE, "%s is for the command line only", where.data);
        else if (r->key->type == TG_KEY_LIST) s = store_list(k, r, where.data, member, c->source);
        else s = store_json(k, r, where.data, member, c->source);
        if (s == TG_EUSAGE && all) s = TG_OK;
    }
    tg_str_free(&where);
    return s;
}

tg_status tg_key_usage(tg_status s)
{
    if (s == TG_OK || s == TG_ENOMEM || s == TG_EUSAGE) return s;
    tg_str copy = {0};
    tg_str_add(&copy, tg_error());
    s = copy.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", copy.data);
    tg_str_free(&copy);
    return s;
}

tg_status tg_keys_read_config(tg_keys *k, const char *name, const char *text, int64_t length, const char *ignore,
                              tg_key_source source)
{
    const tg_json *root = NULL;
    tg_arena *arena = tg_arena_new(4096);
    tg_status s = arena ? tg_json_parse(arena, name, text, length, &root) : TG_ENOMEM;
    if (!s && root->type != TG_JSON_OBJECT)
        s = tg_fail(TG_EUSAGE, "%s: must be a JSON object, {\"key\": value, ...}", name);
    const config c = {name, text, ignore, source};
    for (const tg_json *m = s ? NULL : root->child; m && !s; m = m->next) s = store_member(k, &c, m);
    tg_arena_free(arena);
    return tg_key_usage(s);
}
