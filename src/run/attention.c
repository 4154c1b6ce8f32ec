/*
 * attention.c - what a model looked at while it drew a text, as a page for a browser: attention.html with the text's tokens and
 * shares put in.
 *
 * Shares are whole numbers of 65535ths, of each layer and head a triangle: row i has i + 1 of them, of the tokens from the
 * first that is shown to i itself. What a row lacks to 65535 went to tokens before these. The page holds them as base64 of
 * two bytes each, the lower first. The script is named in the page's own rule by its hash: no other one runs.
 */
#include "run/attention.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/sizes.h"
#include "base/utf8.h"
#include "run/html.h"

enum {
    MOST_TOKENS = 512,
    MOST_SQUARES = 1 << 22, /* heads times tokens squared: 2 million shares, a page of 5.6 MB */
    WHOLE = 65535
};

typedef struct looked { int32_t token; tg_look_kind kind; double log_prob; int64_t begin, end; /* of its bytes in the text */ } looked;

struct tg_looks {
    const tg_tokenizer *tokenizer;
    const char *model;
    int64_t layers, heads;
    int64_t room;          /* tokens that may be shown */
    tg_look_watch watch;   /* those are begin .. end-1 of the text */
    looked *tokens;        /* [room] */
    tg_str text;           /* their bytes */
    int64_t total;         /* tokens of the text, shown or not */
    uint16_t *shares;      /* [layers, heads, triangle of room] */
};

/* Where row n of a triangle begins, and how much n rows are. */
static int64_t triangle(int64_t n) { return n * (n + 1) / 2; }

static int64_t shown(const tg_looks *l) { return tg_most(0, tg_least(l->total, l->watch.end) - l->watch.begin); }

/* ---- looking on ------------------------------------------------------------------------------------------------------ */

static void look(void *user, const tg_look *x)
{
    tg_looks *l = user;
    for (int64_t h = 0; h < x->heads; h++) {
        const float *p = x->shares + h * x->stride;
        uint16_t *row = l->shares + (x->layer * l->heads + h) * triangle(l->room) + triangle(x->at - l->watch.begin);
        for (int64_t i = 0; i < x->count; i++) {
            const int64_t at = (i < x->opening ? i : i + x->left_out) - l->watch.begin;
            if (at >= 0 && p[i] > 0) row[at] = (uint16_t)(p[i] * WHOLE + 0.5f); /* what is no number stays 0 */
        }
    }
}

tg_status tg_looks_new(const tg_model *m, const tg_tokenizer *k, tg_looks **out)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    if (!desc->attention)
        return tg_fail(TG_EUSAGE, "--attention shows what a Transformer looks at; a model of kind %s has no attention", desc->name);
    tg_looks *l = tg_alloc(sizeof *l);
    if (!l) return TG_ENOMEM;
    l->tokenizer = k;
    l->model = desc->title;
    desc->attention(tg_model_config(m), &l->layers, &l->heads);
    *out = l;
    return TG_OK;
}

void tg_looks_free(tg_looks *l)
{
    if (!l) return;
    tg_free(l->tokens);
    tg_free(l->shares);
    tg_str_free(&l->text);
    tg_free(l);
}

tg_status tg_looks_start(tg_looks *l, int64_t read, int64_t drawn)
{
    int64_t n = MOST_TOKENS;
    while (n > 1 && n * n > MOST_SQUARES / (l->layers * l->heads)) n--;
    l->room = tg_least(n, read + drawn);
    l->watch = (tg_look_watch){.look = look, .user = l, .begin = tg_most(0, tg_least(read - n / 2, read + drawn - n))};
    l->watch.end = l->watch.begin + l->room;
    l->tokens = tg_alloc_array(l->room, sizeof *l->tokens);
    l->shares = tg_alloc_array(l->layers * l->heads * triangle(l->room), sizeof *l->shares);
    return l->tokens && l->shares ? TG_OK : TG_ENOMEM;
}

const tg_look_watch *tg_looks_watch(const tg_looks *l) { return &l->watch; }

void tg_looks_token(tg_looks *l, int32_t token, tg_look_kind kind, double log_prob)
{
    const int64_t at = l->total++ - l->watch.begin;
    int64_t length = 0;
    if (at < 0 || at >= l->room) return;
    const char *bytes = tg_tokenizer_text(l->tokenizer, token, &length);
    l->tokens[at] = (looked){token, kind, log_prob, l->text.length, l->text.length + length};
    tg_str_add_n(&l->text, bytes, length);
}

/* ---- the page -------------------------------------------------------------------------------------------------------- */

/* The first character that only a part of token t's bytes are in; NULL: there is none. */
static const char *torn(const tg_looks *l, const looked *t, int *length)
{
    const char *text = l->text.data;
    uint32_t code;
    for (int64_t at = tg_most(0, t->begin - 3); at < t->end; at++) {
        const int n = tg_utf8_next(text + at, text + l->text.length, &code);
        if (n < 2 || at + n <= t->begin || (at >= t->begin && at + n <= t->end)) continue;
        *length = n;
        return text + at;
    }
    return NULL;
}

/* [text, kind, log_prob, special, the character that it is a part of] */
static void put_token(tg_json_writer *w, const tg_looks *l, const looked *t)
{
    const char *special = tg_tokenizer_special(l->tokenizer, t->token);
    int length = 0;
    const char *whole = special ? NULL : torn(l, t, &length);
    tg_json_open(w, '[');
    if (special) tg_html_put_safe(w, special, (int64_t)strlen(special));
    else if (t->end > t->begin) tg_html_put_safe(w, l->text.data + t->begin, t->end - t->begin);
    else tg_json_put_text(w, "");
    tg_json_put_int(w, t->kind);
    if (t->kind == TG_LOOK_DRAWN) tg_json_put_real(w, t->log_prob);
    else tg_json_put_null(w);
    tg_json_put_bool(w, special != NULL);
    if (whole) tg_html_put_safe(w, whole, length);
    tg_json_close(w, ']');
}

static void put_shares(tg_str *out, const tg_looks *l)
{
    tg_base64 b = {.out = out};
    for (int64_t h = 0; h < l->layers * l->heads; h++) {
        const uint16_t *share = l->shares + h * triangle(l->room);
        for (int64_t i = 0; i < triangle(shown(l)); i++)
            tg_base64_put(&b, (const uint8_t[]){(uint8_t)(share[i] & 255u), (uint8_t)(share[i] >> 8)}, 2);
    }
    tg_base64_end(&b);
}

static void put_data(tg_str *out, const tg_looks *l, const tg_looks_about *about)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "version", TG_VERSION);
    tg_json_member_text(&w, "model", l->model);
    tg_json_key(&w, "path");
    tg_html_put_safe(&w, about->path, (int64_t)strlen(about->path));
    tg_json_member_int(&w, "seed", about->seed);
    tg_json_member_int(&w, "sample", about->sample);
    tg_json_member_real(&w, "temperature", about->temperature);
    tg_json_member_real(&w, "guidance", about->guidance);
    tg_json_member_int(&w, "context", about->context);
    tg_json_member_int(&w, "layers", l->layers);
    tg_json_member_int(&w, "heads", l->heads);
    tg_json_member_int(&w, "begin", l->watch.begin);
    tg_json_member_int(&w, "total", l->total);
    tg_json_key(&w, "tokens");
    tg_json_open(&w, '[');
    for (int64_t i = 0; i < shown(l); i++) put_token(&w, l, &l->tokens[i]);
    tg_json_close(&w, ']');
    tg_json_member_raw(&w, "shares", "\"");
    put_shares(out, l);
    tg_str_add(out, "\"");
    tg_json_close(&w, '}');
}

tg_status tg_looks_write(const tg_looks *l, const tg_looks_about *about, tg_writer *w)
{
    tg_str json = {0}, page = {0};
    tg_status s = l->text.failed ? TG_ENOMEM : TG_OK;
    if (!s) put_data(&json, l, about);
    if (!s) tg_html_fill(&page, tg_attention_page, &json);
    if (page.failed) s = TG_ENOMEM;
    if (!s) s = tg_writer_add(w, page.data, page.length);
    tg_str_free(&json);
    tg_str_free(&page);
    return s;
}
