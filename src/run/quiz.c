/* quiz.c - real and generated items in random order, and the page that shows them. */
#include "run/quiz.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/rng.h"
#include "run/html.h"

const tg_quiz_question *tg_quiz_questions(tg_kind kind)
{
    static const tg_quiz_question text[] = {{"grammar", TG_WORD_quiz_grammar, TG_WORD_quiz_grammar_hint},
                                            {"coherence", TG_WORD_quiz_coherence, TG_WORD_quiz_coherence_hint},
                                            {"meaning", TG_WORD_quiz_meaning, TG_WORD_quiz_meaning_hint},
                                            {NULL, TG_WORDS, TG_WORDS}};
    static const tg_quiz_question image[] = {{"quality", TG_WORD_quiz_quality, TG_WORD_quiz_quality_hint},
                                             {"realism", TG_WORD_quiz_realism, TG_WORD_quiz_realism_hint},
                                             {NULL, TG_WORDS, TG_WORDS}};
    return kind == TG_KIND_TEXT ? text : image;
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static uint64_t hex_value(const char *hex, int digits)
{
    uint64_t x = 0;
    for (int i = 0; i < digits; i++) x = x << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    return x;
}

/* SHA-256 of "id word". */
static void hash_word(const char *id, const char *word, char out[65])
{
    char text[64];
    const int n = snprintf(text, sizeof text, "%s %s", id, word);
    tg_sha256_hex(text, n, out);
}

/* Of the two parts: the first digits of a name, of its contents; and the mask that those make. */
static void first_part(const char *id, uint64_t x, char out[9])
{
    char word[32], hash[65];
    snprintf(word, sizeof word, "%" PRIu64, x);
    hash_word(id, word, hash);
    memcpy(out, hash, 8);
    out[8] = '\0';
}

static uint64_t mask(const char *id, const char *first)
{
    char hash[65];
    hash_word(id, first, hash);
    return hex_value(hash, 16);
}

void tg_quiz_name(const char id[TG_QUIZ_ID], int source, int64_t number, char out[TG_QUIZ_ITEM])
{
    const uint64_t x = (uint64_t)source << 56 | (uint64_t)number;
    char hex[17];
    first_part(id, x, out);
    tg_hex64(x ^ mask(id, out), hex);
    memcpy(out + 8, hex, sizeof hex);
}

bool tg_quiz_unname(const char *id, const char *name, int *source, int64_t *number)
{
    char first[9], right[9];
    if (strlen(name) != TG_QUIZ_ITEM - 1 || strspn(name, "0123456789abcdef") != TG_QUIZ_ITEM - 1) return false;
    memcpy(first, name, 8);
    first[8] = '\0';
    const uint64_t x = hex_value(name + 8, 16) ^ mask(id, first);
    first_part(id, x, right);
    *source = (int)(x >> 56);
    *number = (int64_t)(x & ((UINT64_C(1) << 56) - 1));
    return strcmp(first, right) == 0;
}

/* ---- the order --------------------------------------------------------------------------------------------------------- */

static tg_status check(const tg_quiz *q)
{
    int64_t real = 0;
    tg_status s = TG_OK;
    tg_map *seen = tg_map_new();
    if (!seen) return TG_ENOMEM;
    if (q->count > TG_QUIZ_ITEMS)
        s = tg_fail(TG_EINVAL, "a quiz of %" PRId64 " items is more than people answer; %d are the most", q->count, TG_QUIZ_ITEMS);
    if (q->source_count > TG_QUIZ_SOURCES)
        s = tg_fail(TG_EINVAL, "a quiz of %" PRId64 " sources; %d are the most", q->source_count, TG_QUIZ_SOURCES);
    for (int64_t i = 0; i < q->count && !s; i++) {
        const tg_quiz_item *item = &q->items[i];
        const int64_t key[2] = {item->source, item->number}, before = tg_map_count(seen);
        real += item->source == 0;
        if (item->source < 0 || item->source >= q->source_count || item->number < 0 || item->number >> 56)
            s = tg_fail(TG_EINVAL, "item %" PRId64 " of a quiz has no source, or a number that is too large", i);
        else if (tg_map_add(seen, key, sizeof key) < 0) s = TG_ENOMEM;
        else if (tg_map_count(seen) == before)
            s = tg_fail(TG_EINVAL, "item %" PRId64 " of %s is in a quiz twice", item->number, q->sources[item->source].name);
    }
    if (!s && (real == 0 || real == q->count))
        s = tg_fail(TG_EINVAL, "a quiz needs real items and generated ones, and has %" PRId64 " of %" PRId64 " real", real, q->count);
    tg_map_free(seen);
    return s;
}

static void add_number(tg_sha256 *hash, int64_t x)
{
    char text[32];
    tg_sha256_add(hash, text, snprintf(text, sizeof text, "%" PRId64 " ", x));
}

/* What the quiz is, but for its language: answers in both are of one quiz. */
static void identify(const tg_quiz *q, char id[TG_QUIZ_ID])
{
    tg_sha256 hash;
    char hex[65];
    tg_sha256_start(&hash);
    add_number(&hash, q->kind);
    add_number(&hash, q->seed);
    for (int64_t i = 0; i < q->source_count; i++) {
        tg_sha256_add(&hash, q->sources[i].name, (int64_t)strlen(q->sources[i].name) + 1);
        tg_sha256_add(&hash, q->sources[i].identity, (int64_t)strlen(q->sources[i].identity) + 1);
    }
    for (int64_t i = 0; i < q->count; i++) {
        add_number(&hash, q->items[i].source);
        add_number(&hash, q->items[i].number);
        add_number(&hash, q->items[i].length);
        tg_sha256_add(&hash, q->items[i].bytes, q->items[i].length);
    }
    tg_sha256_end(&hash, hex);
    memcpy(id, hex, TG_QUIZ_ID - 1);
    id[TG_QUIZ_ID - 1] = '\0';
}

tg_status tg_quiz_shuffle(const tg_quiz *q, tg_quiz_deck *out)
{
    tg_quiz_deck d = {.order = NULL};
    tg_status s = check(q);
    if (s) return s;
    identify(q, d.id);
    d.order = tg_alloc_array(q->count, sizeof *d.order);
    d.names = tg_alloc_array(q->count, sizeof *d.names);
    if (!d.order || !d.names) {
        tg_quiz_deck_free(&d);
        return TG_ENOMEM;
    }
    /* Fisher and Yates; the stream is the quiz's own, so that two quizzes of one seed differ in their order. */
    tg_rng r = tg_rng_at((uint64_t)q->seed, TG_RNG_SHUFFLE, hex_value(d.id, 16));
    for (int64_t i = 0; i < q->count; i++) {
        const int64_t j = tg_rng_below(&r, i + 1);
        d.order[i] = d.order[j];
        d.order[j] = i;
    }
    for (int64_t i = 0; i < q->count; i++) {
        const tg_quiz_item *item = &q->items[d.order[i]];
        tg_quiz_name(d.id, item->source, item->number, d.names[i]);
    }
    *out = d;
    return TG_OK;
}

void tg_quiz_deck_free(tg_quiz_deck *d)
{
    tg_free(d->order);
    tg_free(d->names);
}

/* ---- the page ------------------------------------------------------------------------------------------------------------ */

void tg_quiz_put_sources(tg_json_writer *w, const tg_quiz *q)
{
    tg_json_open(w, '[');
    for (int64_t i = 0; i < q->source_count; i++) {
        tg_json_open(w, '{');
        tg_json_member_text(w, "name", q->sources[i].name);
        tg_json_member_text(w, "identity", q->sources[i].identity);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

static void put_words(tg_json_writer *w, tg_lang lang)
{
    static const char own[] = "quiz_";
    tg_json_open(w, '{');
    for (tg_word i = 0; i < TG_WORDS; i++) {
        const char *name = tg_word_name(i);
        if (tg_starts_with(name, own)) tg_json_member_text(w, name + sizeof own - 1, tg_words(lang, i));
    }
    tg_json_close(w, '}');
}

static void put_item(tg_json_writer *w, const tg_quiz *q, const tg_quiz_item *item, const char *name)
{
    tg_json_open(w, '{');
    tg_json_member_text(w, "id", name);
    if (q->kind == TG_KIND_TEXT) {
        tg_json_key(w, "text");
        tg_html_put_safe(w, item->bytes, item->length);
    } else {
        tg_json_member_raw(w, "png", "\"");
        tg_base64_add(w->out, item->bytes, item->length);
        tg_str_add(w->out, "\"");
    }
    tg_json_close(w, '}');
}

static void put_data(tg_str *out, const tg_quiz *q, const tg_quiz_deck *d)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "tinygen", TG_VERSION);
    tg_json_member_text(&w, "id", d->id);
    tg_json_member_text(&w, "lang", q->lang == TG_ZH ? "zh" : "en");
    tg_json_member_text(&w, "kind", q->kind == TG_KIND_TEXT ? "text" : "image");
    tg_json_key(&w, "words");
    put_words(&w, q->lang);
    tg_json_key(&w, "sources");
    tg_quiz_put_sources(&w, q);
    tg_json_key(&w, "questions");
    tg_json_open(&w, '[');
    for (const tg_quiz_question *question = tg_quiz_questions(q->kind); question->name; question++)
        tg_json_put_text(&w, question->name);
    tg_json_close(&w, ']');
    tg_json_key(&w, "items");
    tg_json_open(&w, '[');
    for (int64_t i = 0; i < q->count; i++) put_item(&w, q, &q->items[d->order[i]], d->names[i]);
    tg_json_close(&w, ']');
    tg_json_close(&w, '}');
}

tg_status tg_quiz_write(const tg_quiz *q, tg_str *out)
{
    tg_quiz_deck d;
    tg_str json = {0};
    tg_status s = tg_quiz_shuffle(q, &d);
    if (s) return s;
    put_data(&json, q, &d);
    tg_html_fill(out, tg_quiz_page, &json);
    if (out->failed) s = TG_ENOMEM;
    tg_str_free(&json);
    tg_quiz_deck_free(&d);
    return s;
}
