/* quiz_ask.c - a quiz on a terminal: an item, then its questions, a line each. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "data/image/blocks.h"
#include "data/image/resize.h"
#include "run/quiz.h"

enum { MAX_PIXELS = 64 << 20, LEAST_COLUMNS = 20 };

typedef struct given { int verdict, marks[TG_QUIZ_QUESTIONS]; } given; /* 'r', 'g'; 1 to 5; 0: none */
typedef enum move { GO_ON, GO_BACK, GO_OUT } move;

typedef struct asking {
    tg_context *ctx;
    const tg_quiz *q;
    const tg_quiz_terminal *t;
    tg_quiz_deck deck;
    given *answers;          /* [count], in the order shown */
    tg_str text, typed, rater;
    bool ended;
} asking;

static const char *say(const asking *a, tg_word word) { return tg_words(a->q->lang, word); }

static tg_status put(asking *a)
{
    tg_status s = a->text.failed ? TG_ENOMEM : tg_output(a->ctx, a->text.data, a->text.length);
    tg_str_clear(&a->text);
    return s;
}

/* A line cut where the columns end: at the last blank before, or between two characters. */
static void add_wrapped(tg_str *out, const char *line, int64_t length, int64_t columns)
{
    while (tg_utf8_columns(line, length) > columns) {
        const int64_t fits = tg_utf8_cut(line, length, columns);
        int64_t n = fits;
        while (n > 0 && line[n] != ' ') n--;
        const int64_t next = n > 0 ? n + 1 : fits;
        tg_str_add_n(out, line, n > 0 ? n : fits);
        tg_str_add(out, "\n");
        line += next;
        length -= next;
    }
    tg_str_add_n(out, line, length);
    tg_str_add(out, "\n");
}

static void add_text(asking *a, const char *text, int64_t length)
{
    tg_str safe = {0};
    tg_term_safe(&safe, text, length);
    for (int64_t at = 0, end; at < safe.length; at = end + 1) {
        const char *newline = memchr(safe.data + at, '\n', (size_t)(safe.length - at));
        end = newline ? newline - safe.data : safe.length;
        add_wrapped(&a->text, safe.data + at, end - at, a->t->columns > LEAST_COLUMNS ? a->t->columns : LEAST_COLUMNS);
    }
    if (safe.failed) a->text.failed = true;
    tg_str_free(&safe);
}

static tg_status add_image(asking *a, const tg_quiz_item *item)
{
    tg_image image = {0};
    tg_status s = tg_image_decode((const uint8_t *)item->bytes, item->length, MAX_PIXELS, "an image of the quiz", &image);
    if (!s) s = tg_image_narrow(&image, a->t->columns);
    if (!s) tg_blocks_draw(&a->text, &image, a->t->colours);
    tg_image_free(&image);
    return s;
}

/* The next line without blanks around it. */
static tg_status read_line(asking *a)
{
    tg_str_clear(&a->typed);
    tg_status s = put(a);
    if (!s) s = a->t->line(a->t->user, &a->typed, &a->ended);
    if (!s && a->typed.failed) s = TG_ENOMEM;
    if (!s && tg_cancelled(a->ctx)) s = tg_fail(TG_ECANCELLED, "stopped while the quiz was asked");
    tg_str *t = &a->typed;
    int64_t from = 0;
    while (t->length && (unsigned char)t->data[t->length - 1] <= ' ') t->length--;
    while (from < t->length && (unsigned char)t->data[from] <= ' ') from++;
    if (!t->data) return s;
    t->length -= from;
    memmove(t->data, t->data + from, (size_t)t->length);
    t->data[t->length] = '\0';
    return s;
}

/* Asks until one of `letters` comes, or nothing: *out 0; at the input's end *out is 'q'. */
static tg_status ask(asking *a, tg_word question, tg_word hint, tg_word how, const char *letters, int *out)
{
    for (;;) {
        tg_str_add(&a->text, say(a, question));
        if (hint != TG_WORDS) tg_str_addf(&a->text, " - %s", say(a, hint));
        tg_str_addf(&a->text, " (%s): ", say(a, how));
        tg_status s = read_line(a);
        const char *typed = a->typed.data ? a->typed.data : "";
        if (s) return s;
        *out = a->ended ? 'q' : *typed >= 'A' && *typed <= 'Z' ? *typed - 'A' + 'a' : *typed;
        if (a->typed.length <= 1 && (*out == 0 || strchr(letters, *out))) return TG_OK;
        if (a->ended) return TG_OK;
    }
}

static tg_status ask_item(asking *a, int64_t i, move *where)
{
    const tg_quiz *q = a->q;
    const tg_quiz_item *item = &q->items[a->deck.order[i]];
    given *g = &a->answers[i];
    int said;
    tg_str_addf(&a->text, "\n--- %s %lld %s %lld%s ---\n", say(a, TG_WORD_quiz_item), (long long)i + 1, say(a, TG_WORD_quiz_of),
                (long long)q->count, say(a, TG_WORD_quiz_after_of));
    tg_status s = TG_OK;
    if (q->kind == TG_KIND_TEXT) add_text(a, item->bytes, item->length);
    else s = add_image(a, item);
    tg_str_add(&a->text, "\n");
    if (!s) s = ask(a, TG_WORD_quiz_verdict, TG_WORDS, TG_WORD_quiz_ask_verdict, "rgbq", &said);
    if (s) return s;
    *where = said == 'b' ? GO_BACK : said == 'q' ? GO_OUT : GO_ON;
    if (*where != GO_ON) return TG_OK;
    *g = (given){.verdict = said};
    const tg_quiz_question *question = tg_quiz_questions(q->kind);
    for (int k = 0; question[k].name; k++) {
        s = ask(a, question[k].word, question[k].hint, TG_WORD_quiz_ask_mark, "12345", &said);
        if (s || a->ended) break;
        g->marks[k] = said ? said - '0' : 0;
    }
    if (a->ended) *where = GO_OUT;
    return s;
}

static void put_items(tg_json_writer *w, const asking *a)
{
    const tg_quiz_question *question = tg_quiz_questions(a->q->kind);
    tg_json_open(w, '[');
    for (int64_t i = 0; i < a->q->count; i++) {
        const given *g = &a->answers[i];
        tg_json_open(w, '{');
        tg_json_member_text(w, "item", a->deck.names[i]);
        tg_json_member_text(w, "verdict", g->verdict == 'r' ? "real" : g->verdict == 'g' ? "generated" : NULL);
        for (int k = 0; question[k].name; k++) {
            tg_json_key(w, question[k].name);
            if (g->marks[k]) tg_json_put_int(w, g->marks[k]);
            else tg_json_put_null(w);
        }
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

/* A sitting's name is made of what was answered: it is as good as one that was drawn, and the same for the same input. */
static void put_answers(const asking *a, tg_str *out)
{
    tg_str items = {0};
    tg_json_writer w = {.out = &items};
    char hex[65];
    tg_json_open(&w, '[');
    tg_json_put_text_n(&w, a->rater.data ? a->rater.data : "", a->rater.length);
    put_items(&w, a);
    tg_json_close(&w, ']');
    tg_sha256_hex(items.data, items.length, hex);
    hex[TG_QUIZ_ID - 1] = '\0';
    w = (tg_json_writer){.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "format", "tinygen-answers");
    tg_json_member_int(&w, "version", 1);
    tg_json_member_text(&w, "quiz", a->deck.id);
    tg_json_member_text(&w, "kind", a->q->kind == TG_KIND_TEXT ? "text" : "image");
    tg_json_key(&w, "rater");
    tg_json_put_text_n(&w, a->rater.data ? a->rater.data : "", a->rater.length);
    tg_json_member_text(&w, "session", hex);
    tg_json_member_int(&w, "saves", 1);
    tg_json_member_int(&w, "items", a->q->count);
    tg_json_key(&w, "sources");
    tg_quiz_put_sources(&w, a->q);
    tg_json_key(&w, "answers");
    put_items(&w, a);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
    if (items.failed) out->failed = true;
    tg_str_free(&items);
}

static tg_status ask_name(asking *a)
{
    add_text(a, say(a, TG_WORD_quiz_title), (int64_t)strlen(say(a, TG_WORD_quiz_title)));
    const char *intro = say(a, a->q->kind == TG_KIND_TEXT ? TG_WORD_quiz_text_intro : TG_WORD_quiz_image_intro);
    add_text(a, intro, (int64_t)strlen(intro));
    tg_str_addf(&a->text, "\n%s: ", say(a, TG_WORD_quiz_name));
    tg_status s = read_line(a);
    if (!s) tg_str_add_n(&a->rater, a->typed.data ? a->typed.data : "", a->typed.length);
    return s;
}

tg_status tg_quiz_ask(tg_context *ctx, const tg_quiz *q, const tg_quiz_terminal *t, tg_str *answers)
{
    asking a = {.ctx = ctx, .q = q, .t = t};
    tg_status s = tg_quiz_shuffle(q, &a.deck);
    if (s) return s;
    a.answers = tg_alloc_array(q->count, sizeof *a.answers);
    s = a.answers ? ask_name(&a) : TG_ENOMEM;
    move where = a.ended ? GO_OUT : GO_ON;
    for (int64_t i = 0; i < q->count && !s && where != GO_OUT;) {
        s = ask_item(&a, i, &where);
        i += where == GO_BACK ? (i > 0 ? -1 : 0) : 1;
    }
    if (!s && where != GO_OUT) tg_str_addf(&a.text, "\n%s\n", say(&a, TG_WORD_quiz_done));
    else tg_str_add(&a.text, "\n");
    if (!s) s = put(&a);
    if (!s || s == TG_ECANCELLED) put_answers(&a, answers);
    if (!s && (answers->failed || a.rater.failed)) s = TG_ENOMEM;
    tg_quiz_deck_free(&a.deck);
    tg_free(a.answers);
    tg_str_free(&a.text);
    tg_str_free(&a.typed);
    tg_str_free(&a.rater);
    return s;
}

/* Characters that are kept whole: a line's first bytes, as many as the room has. */
tg_status tg_quiz_read_line(void *lines, tg_str *out, bool *end)
{
    tg_quiz_lines *l = lines;
    for (const int64_t begin = out->length;;) {
        if (l->at == l->length) {
            tg_status s = tg_file_read(l->file, l->buffer, sizeof l->buffer, &l->length);
            l->at = 0;
            if (s) return s;
        }
        if (l->length == 0) {
            *end = out->length == begin; /* a last line without its newline is one */
            return TG_OK;
        }
        const char c = l->buffer[l->at++];
        if (c == '\n') return TG_OK;
        if (out->length - begin < (int64_t)sizeof l->buffer) tg_str_add_n(out, &c, 1);
    }
}
