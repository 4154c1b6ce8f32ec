/* html.c - foreign text and pictures in pages. */
#include "run/html.h"

#include <string.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/term.h"

static const char *entity(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
}

void tg_html_add(tg_str *out, const char *text, int64_t length)
{
    tg_str safe = {0};
    tg_term_safe(&safe, text, length);
    const char *plain = safe.data, *end = plain + safe.length;
    for (const char *at = plain; at < end; at++) {
        const char *written = entity(*at);
        if (!written) continue;
        tg_str_add_n(out, plain, at - plain);
        tg_str_add(out, written);
        plain = at + 1;
    }
    tg_str_add_n(out, plain, end - plain);
    if (safe.failed) out->failed = true;
    tg_str_free(&safe);
}

void tg_html_put_safe(tg_json_writer *w, const char *text, int64_t length)
{
    tg_str safe = {0};
    tg_term_safe(&safe, text, length);
    if (safe.failed) w->out->failed = true;
    else tg_json_put_text_n(w, safe.data ? safe.data : "", safe.length);
    tg_str_free(&safe);
}

void tg_html_add_png(tg_str *out, const char *png, int64_t length)
{
    tg_str_add(out, "data:image/png;base64,");
    tg_base64_add(out, png, length);
}

/* < comes in JSON's texts alone. */
static void hide_brackets(tg_str *out, const tg_str *json)
{
    const char *plain = json->data, *end = plain + json->length;
    for (const char *at; plain < end && (at = memchr(plain, '<', (size_t)(end - plain))); plain = at + 1) {
        tg_str_add_n(out, plain, at - plain);
        tg_str_add(out, "\\u003c");
    }
    tg_str_add_n(out, plain, end - plain);
    if (json->failed) out->failed = true;
}

/* A script's name: its SHA-256 as base64. */
static void put_hash(tg_str *out, const char *script, int64_t length)
{
    static const char hex[] = "0123456789abcdef";
    char digits[65];
    uint8_t bytes[32];
    tg_sha256_hex(script, length, digits);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)((strchr(hex, digits[2 * i]) - hex) << 4 | (strchr(hex, digits[2 * i + 1]) - hex));
    tg_base64_add(out, bytes, sizeof bytes);
}

void tg_html_fill(tg_str *out, const char *template, const tg_str *json)
{
    static const char begin[] = "<script>", *const marks[] = {"@HASH@", "@DATA@"};
    const char *at = template, *script = strstr(at, begin) + sizeof begin - 1;
    for (int i = 0; i < 2; i++) {
        const char *mark = strstr(at, marks[i]);
        tg_str_add_n(out, at, mark - at);
        if (i == 0) put_hash(out, script, strstr(script, "</script>") - script);
        else hide_brackets(out, json);
        at = mark + strlen(marks[i]);
    }
    tg_str_add(out, at);
}
