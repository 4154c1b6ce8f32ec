/* tokenizer.c - what all kinds share: the list of them, JSON, checks before a kind's own function is called. */
#include "data/text/tokenizer.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"

static const tg_tokenizer_row *const kinds[] = {&tg_tokenizer_byte, &tg_tokenizer_char};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

int64_t tg_tokenizer_vocab(const tg_tokenizer *t)
{
    return t->vocab;
}

const char *tg_tokenizer_kind(const tg_tokenizer *t)
{
    return t->row->name;
}

tg_status tg_tokenizer_encode(const tg_tokenizer *t, const char *bytes, int64_t length, bool skip_unknown,
                              int32_t *ids, int64_t *count)
{
    if (length < 0 || length > *count)
        return tg_fail(TG_EINVAL, "there is room for %" PRId64 " tokens, %" PRId64 " bytes may need more", *count,
                       length);
    return t->row->encode(t, bytes, length, skip_unknown, ids, count);
}

const char *tg_tokenizer_text(const tg_tokenizer *t, int32_t id, int64_t *length)
{
    *length = 0;
    return id >= 0 && id < t->vocab ? t->row->text(t, id, length) : "";
}

char *tg_tokenizer_json(const tg_tokenizer *t)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "kind", t->row->name);
    t->row->put(t, &w);
    tg_json_close(&w, '}');
    if (!text.failed) return text.data;
    tg_str_free(&text);
    return NULL;
}

tg_status tg_tokenizer_from_tree(const tg_json *tree, tg_tokenizer **out)
{
    const char *kind = tg_json_text(tree, "kind");
    if (!kind) return tg_fail(TG_EFORMAT, "the tokeniser does not say its kind");
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kind, kinds[i]->name) == 0) return kinds[i]->read(tree, out);
    return tg_fail(TG_EUNSUPPORTED, "a tokeniser of kind %s is not known to this version", kind);
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
    if (t) t->row->free(t);
}
