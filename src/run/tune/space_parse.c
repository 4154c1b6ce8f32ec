/* space_parse.c - --space items to axes. Each value goes through the row of its key, of every model that has it. */
#include "run/tune/space.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/key.h"
#include "run/tune/objective.h"
#include "tinygen/run.h"

enum { MODELS = 64, MOST_POINTS = 1000, MOST_FILE = 1 << 20, USUAL_POINTS = 3 };

/* One axis as given. */
typedef struct item {
    const char *where, *key;      /* "--space lr", for messages; "lr" */
    const char *text;             /* what stands behind "="; NULL: */
    const char **values;          /* values one by one */
    int64_t count;
    bool usual;                   /* of the objective itself: passed over where it applies to none of the models */
} item;

/* The rows that a trial of one model has. */
typedef struct table { const char *name; tg_keys *keys; bool one_pass; } table;

typedef struct parser {
    tg_space *s;
    const tg_objective *objective;
    item items[TG_AXES];
    int count;
    table tables[MODELS];
    int models;
} parser;

/* ---- items */

static bool same_key(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b))) return false;
    return *a == *b;
}

/* A new item; its key in hyphens. */
static tg_status add_item(parser *p, const char *from, const char *key, int64_t length, item **out)
{
    tg_str where = {0};
    tg_str_addf(&where, "%s%.*s", from, (int)length, key);
    char *name = where.failed ? NULL : tg_arena_strndup(p->s->arena, key, length);
    char *text = name ? tg_arena_strdup(p->s->arena, where.data) : NULL;
    tg_str_free(&where);
    if (!text) return TG_ENOMEM;
    for (char *c = name; *c; c++)
        if (*c == '_') *c = '-';
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->items[i].key, name))
            return tg_fail(TG_EUSAGE, "%s: that axis has been given; all its values go into one", text);
    if (!length) return tg_fail(TG_EUSAGE, "%s: the name of a key is missing; write --space lr=1e-4:1e-2:log", from);
    if (p->count == TG_AXES) return tg_fail(TG_EUSAGE, "%s: more than %d axes; fix what matters least", text, TG_AXES);
    *out = &p->items[p->count++];
    **out = (item){.where = text, .key = name};
    return TG_OK;
}

static tg_status add_flag(parser *p, const char *text, bool usual)
{
    const int64_t length = (int64_t)strcspn(text, "=");
    item *it;
    tg_status s = add_item(p, "--space ", text, length, &it);
    if (s) return s;
    it->text = text + length + 1;
    it->usual = usual;
    return TG_OK;
}

/* A number, text or truth value as the text of a flag. */
static tg_status json_scalar(parser *p, const item *it, const tg_json *v, const char **out)
{
    tg_str text = {0};
    if (v->type == TG_JSON_TEXT) tg_str_add(&text, v->text);
    else if (v->type == TG_JSON_BOOL) tg_str_add(&text, v->integer ? "true" : "false");
    else if (v->type == TG_JSON_INT) tg_str_addf(&text, "%lld", (long long)v->integer);
    else if (v->type == TG_JSON_REAL) tg_str_add_real(&text, v->real);
    else return tg_fail(TG_EUSAGE, "%s: must be \"low:high\", \"low:high:log\" or a list of values such as [64, 128]", it->where);
    *out = text.failed ? NULL : tg_arena_strdup(p->s->arena, text.length ? text.data : "");
    tg_str_free(&text);
    return *out ? TG_OK : TG_ENOMEM;
}

static tg_status add_member(parser *p, const char *file, const tg_json *m)
{
    tg_str from = {0};
    tg_str_addf(&from, "%s: ", file);
    item *it;
    tg_status s = from.failed ? TG_ENOMEM : add_item(p, from.data, m->key, (int64_t)strlen(m->key), &it);
    tg_str_free(&from);
    if (s) return s;
    if (m->type != TG_JSON_ARRAY) return json_scalar(p, it, m, &it->text);
    it->count = m->integer;
    it->values = tg_arena_alloc(p->s->arena, (it->count + 1) * (int64_t)sizeof *it->values);
    if (!it->values) return TG_ENOMEM;
    int64_t i = 0;
    for (const tg_json *v = m->child; v && !s; v = v->next) s = json_scalar(p, it, v, &it->values[i++]);
    return s;
}

/* Whatever is wrong with the file is wrong usage. */
static tg_status add_file(parser *p, const char *path)
{
    char *text = NULL;
    int64_t length = 0;
    const tg_json *root = NULL;
    if (tg_path_kind(path) == TG_PATH_NONE)
        return tg_fail(TG_EUSAGE, "--space %s: neither key=values (lr=1e-4:1e-2:log, hidden=64,128) nor a file", path);
    tg_status s = tg_file_slurp(path, MOST_FILE, &text, &length);
    if (!s) s = tg_json_parse(p->s->arena, path, text, length, &root);
    tg_free(text);
    if (s) return s;
    if (root->type != TG_JSON_OBJECT)
        return tg_fail(TG_EUSAGE, "%s: must be a JSON object such as {\"lr\": \"1e-4:1e-2:log\", \"hidden\": [64, 128]}", path);
    for (const tg_json *m = root->child; m && !s; m = m->next) s = add_member(p, path, m);
    return s;
}

/* "a,b,c" one by one. */
static tg_status split(parser *p, item *it)
{
    if (it->values) return TG_OK;
    int64_t n = 1;
    for (const char *c = it->text; *c; c++) n += *c == ',';
    it->values = tg_arena_alloc(p->s->arena, n * (int64_t)sizeof *it->values);
    if (!it->values) return TG_ENOMEM;
    const char *at = it->text;
    for (it->count = 0; it->count < n; it->count++) {
        const int64_t length = (int64_t)strcspn(at, ",");
        char *copy = tg_arena_strndup(p->s->arena, at, length);
        if (!copy) return TG_ENOMEM;
        it->values[it->count] = copy;
        at += length + 1;
    }
    return TG_OK;
}

/* ---- the rows of each model */

static tg_status add_table(parser *p, const char *name, const tg_key *common, int64_t common_size, const tg_key *own,
                           int64_t own_size, bool one_pass)
{
    if (p->models == MODELS) return tg_fail(TG_EUSAGE, "--space model: more than %d models", MODELS);
    table *t = &p->tables[p->models];
    void *values = tg_arena_zeros(p->s->arena, common_size), *own_values = tg_arena_zeros(p->s->arena, own_size + 1);
    if (!values || !own_values) return TG_ENOMEM;
    tg_status s = tg_keys_new(&t->keys);
    if (s) return s;
    t->name = name;
    t->one_pass = one_pass;
    p->models++;
    s = tg_keys_add(t->keys, "Training", common, values);
    if (!s && own) s = tg_keys_add(t->keys, "Model", own, own_values);
    return s;
}

static tg_status add_model(parser *p, const char *name)
{
    const tg_model_desc *d;
    const tg_objective *o = p->objective;
    if (!o) {
        tg_status s = tg_model_find(name, &d);
        return s ? s : add_table(p, name, tg_train_keys, sizeof(tg_train_options), d->keys, d->config_size, d->learner != NULL);
    }
    for (const tg_objective_model *m = o->models; m && m->name; m++)
        if (!strcmp(m->name, name)) return add_table(p, name, o->keys, o->size, m->keys, o->size, false);
    return tg_fail(TG_EUSAGE, "%s is no model of the objective %s", name, o->name);
}

static item *model_item(parser *p)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->items[i].key, "model") && !(p->objective && !p->objective->models)) return &p->items[i];
    return NULL;
}

static tg_status add_models(parser *p, const char *fixed)
{
    item *it = model_item(p);
    if (!it && p->objective) return add_table(p, p->objective->name, p->objective->keys, p->objective->size, NULL, 0, false);
    if (it && fixed && !p->objective)
        return tg_fail(TG_EUSAGE, "%s: the model is given by --model %s already; leave one of the two out", it->where, fixed);
    if (!it && !fixed)
        return tg_fail(TG_EUSAGE, "which model? give --model NAME, or the models to choose from: --space model=lstm,gru");
    if (!it) return add_model(p, fixed);
    tg_status s = split(p, it);
    for (int64_t i = 0; i < it->count && !s; i++)
        if (add_model(p, it->values[i])) s = tg_note("%s", it->where);
    return s;
}

/* ---- keys */

/* Keys of gen-train that no trial can differ in. */
static const struct { const char *key, *why; } refused[] = {
    {"data", "all trials learn from the same data, or they could not be compared; run a study for each dataset"},
    {"steps", "all trials are trained equally long, or the longest would win; give --steps N"},
    {"epochs", "all trials are trained equally long, or the longest would win; give --steps N"},
    {"until", "all trials are trained equally long, or the longest would win; give --steps N"},
    {"time", "what a trial reaches in a time depends on the machine; give --steps N"},
    {"target", "it ends trials at different steps; the strategy asha ends those that promise little"},
    {"patience", "it ends trials at different steps; the strategy asha ends those that promise little"},
    {"preset", "a preset is many settings; give those that are to vary, each as an axis"},
    {"threads", "it decides the speed, not the result; give --threads N"},
    {"out", "trials have folders of their own below the study's; give -o STUDY"},
    {"resume", "a study goes on by itself; run the same command again"},
    {"force", "it is for the whole study; give --force"},
};

/* The row of a table that the axis means, where it decides something for such a model. */
static tg_key_row *row_of(const table *t, const char *key)
{
    tg_key_row *r = tg_key_find(t->keys, key, (int64_t)strlen(key));
    const bool of_steps = r && (r->key->flags & TG_KEY_MARK) && !(r->key->flags & TG_KEY_SEED);
    return t->one_pass && of_steps ? NULL : r;
}

/* Models outside the space that have the key: "; vae and gan have it"; nothing where there are none. */
static void add_owners(tg_str *out, const char *key)
{
    const tg_model_desc *d;
    const char *join = "; it is a key of ";
    for (int64_t i = 0; (d = tg_model_at(i)); i++)
        for (const tg_key *k = d->keys; k->type != TG_KEY_END_ROW; k++) {
            if (!same_key(k->name, key)) continue;
            tg_str_addf(out, "%s%s", join, d->name);
            join = ", ";
        }
}

static tg_status fail_unknown(const parser *p, const item *it)
{
    tg_str m = {0};
    tg_str_addf(&m, "%s: ", it->where);
    if (p->objective) tg_str_addf(&m, "no axis of the objective %s", p->objective->name);
    else if (p->models == 1) tg_str_addf(&m, "no key of gen-train or of the model %s", p->tables[0].name);
    else tg_str_add(&m, "no key of gen-train or of a model of this space");
    const int64_t before = m.length;
    if (!p->objective) add_owners(&m, it->key);
    for (int i = 0; i < p->models && m.length == before; i++)
        tg_key_add_hint(&m, p->tables[i].keys, "", it->key, (int64_t)strlen(it->key));
    tg_status s = m.failed ? TG_ENOMEM : tg_fail(TG_EUSAGE, "%s", m.data);
    tg_str_free(&m);
    return s;
}

/* Which models have the key; its row of the first of them. */
static tg_status find_rows(const parser *p, const item *it, uint64_t *models, const tg_key **key)
{
    *models = 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused && !p->objective; i++)
        if (!strcmp(refused[i].key, it->key)) return tg_fail(TG_EUSAGE, "%s is no axis: %s", it->where, refused[i].why);
    for (int i = p->models - 1; i >= 0; i--) {
        const tg_key_row *r = row_of(&p->tables[i], it->key);
        if (!r) continue;
        *models |= UINT64_C(1) << i;
        *key = r->key;
    }
    if (!*models) return fail_unknown(p, it);
    if (!((*key)->flags & TG_KEY_RESULT))
        return tg_fail(TG_EUSAGE, "%s is no axis: it does not decide what a trial learns; give --%s once, for all trials",
                       it->where, it->key);
    return TG_OK;
}

/* ---- values */

/* Through the rows of all models that have the key: its number, and the text that says it shortest, in the arena. */
static tg_status check_value(const parser *p, const item *it, const char *text, double *number, const char **shortest)
{
    tg_str out = {0};
    if (!*text) return tg_fail(TG_EUSAGE, "%s: a value is missing", it->where);
    if (!strcmp(text, "random"))
        return tg_fail(TG_EUSAGE, "%s random: must be numbers, or no study could be repeated", it->where);
    for (int i = 0; i < p->models; i++) {
        tg_key_row *r = row_of(&p->tables[i], it->key);
        if (!r || r->key->type == TG_KEY_LIST) continue;
        tg_status s = tg_key_store(p->tables[i].keys, r, it->where, text, TG_FROM_FLAG);
        if (s) return p->models > 1 ? tg_note("model %s", p->tables[i].name) : s;
        const void *field = tg_key_field(r);
        tg_str_clear(&out);
        *number = 0;
        if (r->key->type == TG_KEY_INT) *number = (double)*(const int64_t *)field;
        if (r->key->type == TG_KEY_REAL) *number = *(const double *)field;
        if (r->key->type == TG_KEY_INT) tg_str_addf(&out, "%lld", (long long)*(const int64_t *)field);
        else if (r->key->type == TG_KEY_REAL) tg_str_add_real(&out, *number);
        else if (r->key->type == TG_KEY_SWITCH) tg_str_add(&out, *(const bool *)field ? "true" : "false");
        else tg_str_add(&out, text);
    }
    const char *copy = out.failed ? NULL : tg_arena_strdup(p->s->arena, out.length ? out.data : text);
    tg_str_free(&out);
    if (!copy) return TG_ENOMEM;
    if (shortest) *shortest = copy;
    return TG_OK;
}

static tg_status read_choices(parser *p, item *it, const tg_key *key, tg_axis *a)
{
    tg_status s = split(p, it);
    if (!s && it->count == 0) s = tg_fail(TG_EUSAGE, "%s: no values; write %s=a,b,c", it->where, it->where);
    const char **choices = s ? NULL : tg_arena_alloc(p->s->arena, it->count * (int64_t)sizeof *choices);
    if (!s && !choices) s = TG_ENOMEM;
    double before = 0;
    int64_t up = 0, down = 0;
    for (int64_t i = 0; i < it->count && !s; i++) {
        double x = 0;
        s = check_value(p, it, it->values[i], &x, &choices[i]);
        for (int64_t k = 0; k < i && !s; k++)
            if (!strcmp(choices[k], choices[i])) s = tg_fail(TG_EUSAGE, "%s: %s is there twice", it->where, choices[i]);
        up += i > 0 && x > before;
        down += i > 0 && x < before;
        before = x;
    }
    if (s) return s;
    a->kind = TG_AXIS_CHOICE;
    a->count = it->count;
    a->choices = choices;
    a->ordered = (key->type == TG_KEY_INT || key->type == TG_KEY_REAL) && it->count > 2 && (up == 0 || down == 0);
    return TG_OK;
}

/* low:high[:log][:points] */
static tg_status read_range(const parser *p, const item *it, const tg_key *key, tg_axis *a)
{
    char *parts[4];
    int64_t points = USUAL_POINTS;
    int n = 0;
    for (const char *at = it->text; at; n++) {
        const int64_t length = (int64_t)strcspn(at, ":");
        if (n == 4) return tg_fail(TG_EUSAGE, "%s %s: too many parts; write low:high:log:points", it->where, it->text);
        if (!(parts[n] = tg_arena_strndup(p->s->arena, at, length))) return TG_ENOMEM;
        at = at[length] ? at + length + 1 : NULL;
    }
    tg_status s = check_value(p, it, parts[0], &a->low, NULL);
    if (!s) s = check_value(p, it, parts[1], &a->high, NULL);
    if (s) return s;
    a->kind = key->type == TG_KEY_INT ? TG_AXIS_INT : TG_AXIS_REAL;
    a->log = n > 2 && !strcmp(parts[2], "log");
    const int last = a->log ? 3 : 2;
    const bool counted = n > last && tg_parse_int(parts[last], (int64_t)strlen(parts[last]), &points);
    if (n > last + 1 || (n > last && (!counted || points < 2 || points > MOST_POINTS)))
        return tg_fail(TG_EUSAGE, "%s %s: behind the bounds may stand log, and the points of a grid, 2 to %d", it->where,
                       it->text, MOST_POINTS);
    if (a->low >= a->high)
        return tg_fail(TG_EUSAGE, "%s %s: the second bound must be above the first%s", it->where, it->text,
                       a->low > a->high ? "; change their places" : "; give a fixed value as a setting, not as an axis");
    if (a->log && a->low < 1e-30)
        return tg_fail(TG_EUSAGE, "%s %s: there is no logarithm of %s; begin above 0, such as at 1e-6, or leave log out",
                       it->where, it->text, a->low == 0 ? "0" : "what is that small");
    if (a->kind == TG_AXIS_INT && (double)points > a->high - a->low + 1) points = (int64_t)(a->high - a->low) + 1;
    a->count = points;
    return TG_OK;
}

static tg_status read_axis(parser *p, item *it, tg_axis *a)
{
    const tg_key *key = NULL;
    *a = (tg_axis){.key = it->key, .models = ~UINT64_C(0)};
    if (it == model_item(p)) {
        static const tg_key names = {.type = TG_KEY_TEXT};
        return read_choices(p, it, &names, a);
    }
    uint64_t models;
    tg_status s = find_rows(p, it, &models, &key);
    if (s) return s;
    for (int i = 0; i < p->models; i++)
        if (!(models >> i & 1)) a->models = models;
    const bool numbers = key->type == TG_KEY_INT || key->type == TG_KEY_REAL;
    return numbers && it->text && strchr(it->text, ':') ? read_range(p, it, key, a) : read_choices(p, it, key, a);
}

/* An axis that the objective brings and that belongs to none of the models that were asked for. */
static bool idle(const parser *p, const item *it)
{
    bool any = !it->usual || !strcmp(it->key, "model");
    for (int i = 0; i < p->models; i++) any |= row_of(&p->tables[i], it->key) != NULL;
    return !any;
}

static tg_status parse(parser *p, const char *const *items, int64_t count, const char *model, const char *objective)
{
    tg_status s = objective ? tg_objective_find(objective, &p->objective) : TG_OK;
    for (int64_t i = 0; i < count && !s; i++) s = strchr(items[i], '=') ? add_flag(p, items[i], false) : add_file(p, items[i]);
    const int given = p->count;
    for (const char *const *at = s || !p->objective ? NULL : p->objective->space; at && *at && !s; at++) {
        bool is_given = false;
        for (int i = 0; i < given; i++) {
            const int64_t length = (int64_t)strlen(p->items[i].key);
            is_given |= !strncmp(*at, p->items[i].key, (size_t)length) && (*at)[length] == '=';
        }
        if (!is_given) s = add_flag(p, *at, true);
    }
    if (!s && p->count == 0)
        s = tg_fail(TG_EUSAGE, "nothing to vary: give axes, such as --space lr=1e-4:1e-2:log --space hidden=64,128");
    if (!s) s = add_models(p, model);
    for (int i = 0; i < p->count && !s; i++) {
        if (idle(p, &p->items[i])) continue;
        if (&p->items[i] == model_item(p)) p->s->model_axis = p->s->count;
        s = read_axis(p, &p->items[i], &p->s->axes[p->s->count]);
        p->s->count++;
    }
    return s;
}

tg_status tg_space_parse(const char *const *items, int64_t count, const char *model, const char *objective, tg_space **out)
{
    parser *p = tg_alloc(sizeof *p);
    tg_space *s = tg_alloc(sizeof *s);
    tg_status status = p && s && (s->arena = tg_arena_new(4096)) ? TG_OK : TG_ENOMEM;
    if (!status) {
        s->model_axis = -1;
        p->s = s;
        status = tg_key_usage(parse(p, items, count, model, objective));
    }
    for (int i = 0; p && i < p->models; i++) tg_keys_free(p->tables[i].keys);
    tg_free(p);
    if (status) tg_space_free(s);
    else *out = s;
    return status;
}
