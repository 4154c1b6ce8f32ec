/* tokenizer.c - what all kinds share: the list of them, JSON, checks before a kind's own function is called. */
#include "data/text/tokenizer.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

static const tg_tokenizer_row *const kinds[] = {&tg_tokenizer_byte, &tg_tokenizer_char, &tg_tokenizer_bpe};
enum { KINDS = sizeof kinds / sizeof kinds[0], OWN_START = 1 };

int64_t tg_tokenizer_vocab(const tg_tokenizer *t)
{
    return t->vocab;
}

const char *tg_tokenizer_kind(const tg_tokenizer *t)
{
    return t->row->name;
}

int64_t tg_tokenizer_most(const tg_tokenizer *t, int64_t bytes)
{
    return bytes + t->prefix;
}

bool tg_tokenizer_takes_bytes(const tg_tokenizer *t)
{
    return t->row != &tg_tokenizer_char;
}

static tg_status check_room(const tg_tokenizer *t, int64_t length, int64_t room)
{
    if (length >= 0 && tg_tokenizer_most(t, length) <= room) return TG_OK;
    return tg_fail(TG_EINVAL, "there is room for %" PRId64 " tokens, %" PRId64 " bytes may need more", room, length);
}

tg_status tg_tokenizer_encode(const tg_tokenizer *t, const char *bytes, int64_t length, tg_unknown unknown,
                              int32_t *ids, int64_t *count)
{
    tg_status status = check_room(t, length, *count);
    return status ? status : t->row->encode(t, bytes, length, unknown, ids, count);
}

struct tg_encoder { const tg_tokenizer *t; void *work; };

tg_status tg_encoder_new(const tg_tokenizer *t, tg_encoder **out)
{
    tg_encoder *e = tg_alloc(sizeof *e);
    if (!e) return TG_ENOMEM;
    e->t = t;
    if (t->row->work_new && !(e->work = t->row->work_new())) {
        tg_free(e);
        return TG_ENOMEM;
    }
    *out = e;
    return TG_OK;
}

void tg_encoder_free(tg_encoder *e)
{
    if (e && e->t->row->work_free) e->t->row->work_free(e->work);
    tg_free(e);
}

tg_status tg_encoder_part(tg_encoder *e, const char *bytes, int64_t length, bool first, bool last, tg_unknown unknown,
                          int32_t *ids, int64_t *count, int64_t *taken)
{
    tg_status status = check_room(e->t, length, *count);
    if (status) return status;
    if (e->t->row->part) return e->t->row->part(e->t, e->work, bytes, length, first, last, ids, count, taken);
    *taken = last ? length : length - tg_utf8_partial(bytes, length);
    return e->t->row->encode(e->t, bytes, *taken, unknown, ids, count);
}

const char *tg_tokenizer_text(const tg_tokenizer *t, int32_t id, int64_t *length)
{
    *length = 0;
    if (id >= 0 && id < t->plain) return t->row->text(t, id, length);
    if (id < 0 || id != t->special.unknown) return "";
    *length = 3;
    return "\xef\xbf\xbd";
}

int64_t tg_tokenizer_bytes_of(const tg_tokenizer *t, const char *text, int64_t length, int64_t count)
{
    if (t->row == &tg_tokenizer_byte) return count < length ? count : length;
    int64_t at = 0;
    while (count > 0 && at < length) {
        at++;
        while (at < length && ((unsigned char)text[at] & 0xc0) == 0x80) at++;
        count--;
    }
    return at;
}

/* ---- special tokens --------------------------------------------------------------------------------------------- */

int32_t tg_tokenizer_unknown(const tg_tokenizer *t) { return t->special.unknown; }
int32_t tg_tokenizer_start(const tg_tokenizer *t) { return t->special.start; }
int32_t tg_tokenizer_end(const tg_tokenizer *t) { return t->special.end; }
int64_t tg_tokenizer_classes(const tg_tokenizer *t) { return t->special.classes; }

const char *tg_tokenizer_special(const tg_tokenizer *t, int32_t id)
{
    if (id < 0 || id >= t->vocab) return NULL;
    if (id == t->special.unknown) return "<unknown>";
    if (id == t->special.start) return "<start>";
    if (id == t->special.end) return "<end>";
    return id < t->plain ? NULL : t->special.list[id - t->special.first_class].name;
}

static bool is_class(const tg_tokenizer *t, int64_t i)
{
    return i >= 0 && i < t->special.classes;
}

const char *tg_tokenizer_class_name(const tg_tokenizer *t, int64_t i)
{
    return is_class(t, i) ? t->special.list[i].name : NULL;
}

int32_t tg_tokenizer_class_token(const tg_tokenizer *t, int64_t i)
{
    return is_class(t, i) ? t->special.first_class + (int32_t)i : -1;
}

int64_t tg_tokenizer_class_documents(const tg_tokenizer *t, int64_t i)
{
    return is_class(t, i) ? t->special.list[i].documents : 0;
}

tg_status tg_tokenizer_add_specials(tg_tokenizer *t, bool unknown, bool documents, const tg_class *classes, int64_t count)
{
    tg_specials *s = &t->special;
    int32_t next = (int32_t)t->plain;
    if (unknown) s->unknown = next++;
    if (documents) {
        s->start = next++;
        s->end = next++;
    }
    if (count > 0) {
        s->first_class = next;
        s->list = tg_alloc_array(count, sizeof *s->list);
        if (!s->list) return TG_ENOMEM;
        for (; s->classes < count; s->classes++) {
            tg_class *c = &s->list[s->classes];
            *c = (tg_class){tg_strdup(classes[s->classes].name), classes[s->classes].documents};
            if (!c->name) return TG_ENOMEM;
        }
    }
    t->vocab = next + count;
    return TG_OK;
}

tg_status tg_tokenizer_own_start(tg_tokenizer *t)
{
    if (t->row != &tg_tokenizer_bpe || !t->prefix)
        return tg_fail(TG_EFORMAT, "only a bpe tokeniser with scores has a start token of its own");
    t->special.start = t->special.end = OWN_START;
    return TG_OK;
}

static void put_specials(const tg_specials *s, tg_json_writer *w)
{
    if (s->unknown >= 0) tg_json_member_int(w, "unknown", s->unknown);
    if (s->start < 0) return;
    tg_json_member_int(w, "start", s->start);
    tg_json_member_int(w, "end", s->end);
    if (!s->classes) return;
    tg_json_key(w, "classes");
    tg_json_open(w, '[');
    for (int64_t i = 0; i < s->classes; i++) {
        tg_json_open(w, '{');
        tg_json_member_text(w, "name", s->list[i].name);
        tg_json_member_int(w, "token", s->first_class + i);
        tg_json_member_int(w, "documents", s->list[i].documents);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

/* Their ids follow from which there are; a file that says otherwise is not ours. */
static tg_status read_specials(const tg_json *tree, tg_tokenizer *t)
{
    int64_t unknown = -1, start = -1, end = -1, count = 0, token;
    const tg_json *list = tg_json_get(tree, "classes");
    tg_json_int(tree, "unknown", &unknown);
    tg_json_int(tree, "start", &start);
    tg_json_int(tree, "end", &end);
    if (start == OWN_START && end == OWN_START && unknown < 0 && !list) return tg_tokenizer_own_start(t);
    for (const tg_json *c = list ? list->child : NULL; c; c = c->next) count++;
    tg_class *classes = tg_alloc_array(count + 1, sizeof *classes);
    if (!classes) return TG_ENOMEM;
    count = 0;
    bool good = true;
    for (const tg_json *c = list ? list->child : NULL; c && good; c = c->next, count++) {
        classes[count].name = (char *)tg_json_text(c, "name"); /* only read */
        good = classes[count].name && tg_json_int(c, "documents", &classes[count].documents) && start >= 0 &&
               classes[count].documents >= 0 && classes[count].documents <= INT64_MAX / TG_MOST_CLASSES &&
               count < TG_MOST_CLASSES && (count == 0 || strcmp(classes[count - 1].name, classes[count].name) < 0);
    }
    tg_status status = good ? tg_tokenizer_add_specials(t, unknown >= 0, start >= 0, classes, count) : TG_EFORMAT;
    good = good && unknown == t->special.unknown && start == t->special.start && end == t->special.end &&
           (!count || (tg_json_int(list->child, "token", &token) && token == t->special.first_class));
    tg_free(classes);
    return status == TG_ENOMEM || good ? status
                                       : tg_fail(TG_EFORMAT, "the tokeniser's special tokens are not where they belong");
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

char *tg_tokenizer_json(const tg_tokenizer *t)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "kind", t->row->name);
    t->row->put(t, &w);
    put_specials(&t->special, &w);
    tg_json_close(&w, '}');
    if (!text.failed) return text.data;
    tg_str_free(&text);
    return NULL;
}

tg_status tg_tokenizer_plain_from_tree(const tg_json *tree, tg_tokenizer **out)
{
    const char *kind = tg_json_text(tree, "kind");
    if (!kind) return tg_fail(TG_EFORMAT, "the tokeniser does not say its kind");
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kind, kinds[i]->name) == 0) return kinds[i]->read(tree, out);
    return tg_fail(TG_EUNSUPPORTED, "a tokeniser of kind %s is not known to this version", kind);
}

tg_status tg_tokenizer_from_tree(const tg_json *tree, tg_tokenizer **out)
{
    tg_tokenizer *t;
    tg_status status = tg_tokenizer_plain_from_tree(tree, &t);
    if (status) return status;
    status = read_specials(tree, t);
    if (status) tg_tokenizer_free(t);
    else *out = t;
    return status;
}

tg_status tg_tokenizer_from_json(const char *json, int64_t length, tg_tokenizer **out)
{
    tg_arena *arena = tg_arena_new(4096);
    if (!arena) return TG_ENOMEM;
    const tg_json *tree;
    tg_status status = tg_json_parse(arena, "tokeniser", json, length, &tree);
    if (!status) status = tg_tokenizer_from_tree(tree, out);
    tg_arena_free(arena);
    return status;
}

void tg_tokenizer_free(tg_tokenizer *t)
{
    if (!t) return;
    for (int64_t i = 0; i < t->special.classes; i++) tg_free(t->special.list[i].name);
    tg_free(t->special.list);
    t->row->free(t);
}
