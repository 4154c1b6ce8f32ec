/* html.h - foreign text and pictures in pages for a browser, and pages with a script of ours: templates (src/run/NAME.html,
 * built in by the Makefile as tg_NAME_page) that are filled with data. */
#ifndef TG_RUN_HTML_H
#define TG_RUN_HTML_H
#include "base/json.h"

/* Text as it stands between tags or in a quoted attribute. Bytes that are no UTF-8 and control characters are written out, as
 * tg_term_safe does; newlines and tabs stay. */
void tg_html_add(tg_str *out, const char *text, int64_t length);
/* The same of JSON's texts: made safe, then a string. */
void tg_html_put_safe(tg_json_writer *w, const char *text, int64_t length);
/* data:image/png;base64,..., which a page may show without a request. */
void tg_html_add_png(tg_str *out, const char *png, int64_t length);
/* A template's @HASH@ becomes the name of its script, by which the page's own rule lets that one run and no other; its @DATA@
 * the JSON, in which no text can end the element that it stands in. */
void tg_html_fill(tg_str *out, const char *template, const tg_str *json);

#endif
