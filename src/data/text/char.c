/* char.c - one token for each Unicode character of the corpus, numbered in code point order.
 *   {"kind": "char", "chars": "\n !,.ABC..."}      all of them, ascending; id = position in characters
 * Ids are found in pages of 256 code points; a page without any is shared, so a look-up never tests for one. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "data/text/tokenizer.h"

enum { PAGE = 256, PAGES = 0x110000 / PAGE, MAX_VOCAB = 1000000 };

typedef struct char_tokenizer {
    tg_tokenizer base;
    int32_t *page[PAGES]; /* id of a code point, -1: none; into ids */
    int32_t *ids;         /* page 0 is one without any character */
    char (*texts)[4];     /* UTF-8 of each token */
} char_tokenizer;

static int length_of(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static tg_status fail_unknown(const char_tokenizer *t, const char *at, uint32_t code, int64_t offset)
{
    char shown[5] = {0};
    memcpy(shown, at, (size_t)length_of(at));
    return tg_fail(TG_EINVAL,
                   "character '%s' (U+%04" PRIX32 ") at byte %" PRId64
                   " is not in the vocabulary: the training data do not have it%s; leave it out (--unk skip)",
                   shown, code, offset, t->base.special.unknown >= 0 ? ", or too seldom (--min-count)" : "");
}

static tg_status char_encode(const tg_tokenizer *tokenizer, const char *bytes, int64_t length, tg_unknown unknown,
                             int32_t *ids, int64_t *count)
{
    const char_tokenizer *t = (const char_tokenizer *)tokenizer;
    const char *at = bytes, *end = bytes + length;
    const int32_t *ascii = t->page[0];
    int64_t n = 0;
    while (at < end) {
        uint32_t code = (unsigned char)*at, three;
        int32_t id;
        int size = 1;
        if (code < 0x80) id = ascii[code];
        else if ((three = tg_utf8_three(at, end)) != 0) {
            code = three;
            size = 3;
            id = t->page[code / PAGE][code % PAGE];
        } else {
            size = tg_utf8_next(at, end, &code);
            if (size == 0)
                return tg_fail(TG_EINVAL, "not UTF-8: byte 0x%02x at byte %" PRId64 " begins no character",
                               (unsigned)(unsigned char)*at, (int64_t)(at - bytes));
            id = t->page[code / PAGE][code % PAGE];
        }
        if (id < 0 && unknown == TG_UNKNOWN_TOKEN) id = t->base.special.unknown;
        if (id >= 0) ids[n++] = id;
        else if (unknown != TG_UNKNOWN_SKIP) return fail_unknown(t, at, code, at - bytes);
        at += size;
    }
    *count = n;
    return TG_OK;
}

static const char *char_text(const tg_tokenizer *tokenizer, int32_t id, int64_t *length)
{
    const char_tokenizer *t = (const char_tokenizer *)tokenizer;
    *length = length_of(t->texts[id]);
    return t->texts[id];
}

static void char_put(const tg_tokenizer *tokenizer, tg_json_writer *w)
{
    const char_tokenizer *t = (const char_tokenizer *)tokenizer;
    tg_str all = {0};
    for (int64_t i = 0; i < t->base.plain; i++) tg_str_add_n(&all, t->texts[i], length_of(t->texts[i]));
    tg_json_key(w, "chars");
    tg_json_put_text_n(w, all.data ? all.data : "", all.length);
    if (all.failed) w->out->failed = true;
    tg_str_free(&all);
}

static void char_free(tg_tokenizer *tokenizer)
{
    char_tokenizer *t = (char_tokenizer *)tokenizer;
    tg_free(t->ids);
    tg_free(t->texts);
    tg_free(t);
}

static tg_status char_read(const tg_json *object, tg_tokenizer **out)
{
    const tg_json *chars = tg_json_get(object, "chars");
    if (!chars || chars->type != TG_JSON_TEXT || chars->length == 0)
        return tg_fail(TG_EFORMAT, "the char tokeniser does not list its characters");
    uint64_t *set = tg_alloc(TG_CHAR_SET_WORDS * (int64_t)sizeof *set);
    if (!set) return TG_ENOMEM;
    tg_status status = TG_OK;
    int64_t before = 0; /* U+0000 is no character here */
    for (const char *at = chars->text, *end = at + chars->length; !status && at < end; at += length_of(at)) {
        uint32_t code = 0;
        if (tg_utf8_next(at, end, &code) == 0 || code <= before)
            status = tg_fail(TG_EFORMAT, "the char tokeniser's characters are not in ascending order");
        else set[code / 64] |= UINT64_C(1) << code % 64;
        before = code;
    }
    if (!status) status = tg_tokenizer_char_new(set, out);
    tg_free(set);
    return status;
}

const tg_tokenizer_row tg_tokenizer_char = {
    .name = "char", .encode = char_encode, .text = char_text, .put = char_put, .read = char_read, .free = char_free,
};

/* ---- making ----------------------------------------------------------------------------------------------------- */

tg_status tg_char_set_add(uint64_t set[TG_CHAR_SET_WORDS], const char *bytes, int64_t length)
{
    bool ascii[128] = {false};
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        uint32_t code = (unsigned char)*at;
        if (code < 0x80) {
            ascii[code] = true;
            at++;
            continue;
        }
        const uint32_t three = tg_utf8_three(at, end);
        if (three) {
            set[three / 64] |= UINT64_C(1) << three % 64;
            at += 3;
            continue;
        }
        int size = tg_utf8_next(at, end, &code);
        if (size == 0)
            return tg_fail(TG_EINVAL, "not UTF-8: byte 0x%02x at byte %" PRId64 " begins no character",
                           (unsigned)(unsigned char)*at, (int64_t)(at - bytes));
        set[code / 64] |= UINT64_C(1) << code % 64;
        at += size;
    }
    if (ascii[0])
        return tg_fail(TG_EINVAL, "a NUL at byte %" PRId64 ": this is no text",
                       (int64_t)((const char *)memchr(bytes, 0, (size_t)length) - bytes));
    for (int code = 1; code < 128; code++)
        if (ascii[code]) set[code / 64] |= UINT64_C(1) << code % 64;
    return TG_OK;
}

void tg_char_set_count(int64_t *seen, const char *bytes, int64_t length)
{
    for (const char *at = bytes, *end = bytes + length; at < end;) {
        uint32_t code = 0;
        const int size = tg_utf8_next(at, end, &code);
        seen[code] += size > 0;
        at += size > 0 ? size : 1;
    }
}

int64_t tg_char_set_prune(uint64_t set[TG_CHAR_SET_WORDS], const int64_t *seen, int64_t least)
{
    int64_t gone = 0;
    for (uint32_t code = 0; code < TG_CHAR_SET_WORDS * 64; code++)
        if (seen[code] > 0 && seen[code] < least) {
            set[code / 64] &= ~(UINT64_C(1) << code % 64);
            gone += seen[code];
        }
    return gone;
}

static bool page_is_used(const uint64_t *set, int page)
{
    const uint64_t *words = set + page * (PAGE / 64);
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

/* Page 0 of the code points always has a page of its own. */
static tg_status make_pages(const uint64_t *set, char_tokenizer *t)
{
    int64_t used = 1;
    for (int p = 0; p < PAGES; p++) used += p == 0 || page_is_used(set, p);
    t->ids = tg_alloc_array(used * PAGE, sizeof *t->ids);
    if (!t->ids) return TG_ENOMEM;
    for (int64_t i = 0; i < used * PAGE; i++) t->ids[i] = -1;
    int32_t *next = t->ids + PAGE;
    for (int p = 0; p < PAGES; p++) {
        bool own = p == 0 || page_is_used(set, p);
        t->page[p] = own ? next : t->ids;
        if (own) next += PAGE;
    }
    return TG_OK;
}

tg_status tg_tokenizer_char_new(const uint64_t set[TG_CHAR_SET_WORDS], tg_tokenizer **out)
{
    char_tokenizer *t = tg_alloc(sizeof *t);
    if (!t) return TG_ENOMEM;
    t->base = (tg_tokenizer){.row = &tg_tokenizer_char, .special = TG_NO_SPECIALS};
    int64_t vocab = 0;
    for (int i = 0; i < TG_CHAR_SET_WORDS; i++) vocab += __builtin_popcountll(set[i]);
    tg_status status = TG_OK;
    if (vocab == 0) status = tg_fail(TG_EINVAL, "a text without characters, or none so frequent as --min-count wants, gives no vocabulary");
    if (vocab > MAX_VOCAB) status = tg_fail(TG_EINVAL, "a vocabulary of %" PRId64 " is more than %d", vocab, MAX_VOCAB);
    if (!status) status = make_pages(set, t);
    if (!status && !(t->texts = tg_alloc_array(vocab, sizeof *t->texts))) status = TG_ENOMEM;
    for (uint32_t code = 0; !status && code < 0x110000; code++) {
        if (set[code / 64] == 0) code |= 63; /* nothing among these 64 */
        else if (set[code / 64] >> code % 64 & 1) {
            tg_utf8_put(t->texts[t->base.plain], code);
            t->page[code / PAGE][code % PAGE] = (int32_t)t->base.plain++;
        }
    }
    t->base.vocab = t->base.plain;
    if (status) char_free(&t->base);
    else *out = &t->base;
    return status;
}
