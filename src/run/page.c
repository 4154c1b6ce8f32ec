/* page.c - reports, put into page.html: sections, tables, pictures. */
#include "run/page.h"

#include <math.h>
#include <string.h>

#include "run/html.h"

static void add_text(tg_str *out, const char *text) { tg_html_add(out, text, (int64_t)strlen(text)); }

static void add_element(tg_page *p, const char *open, const char *text, const char *close)
{
    tg_str_add(&p->body, open);
    add_text(&p->body, text);
    tg_str_add(&p->body, close);
}

static void end_section(tg_page *p)
{
    if (p->in_section) tg_str_add(&p->body, "</section>\n");
    p->in_section = false;
}

static void make_head(const tg_page *p, tg_str *out)
{
    add_text(out, p->title);
    tg_str_add(out, "</h1>\n");
    if (!p->about) return;
    tg_str_add(out, "<p class=\"soft\">");
    add_text(out, p->about);
    tg_str_add(out, "</p>\n");
}

static void make_contents(const tg_page *p, tg_str *out)
{
    if (!p->contents.length) return;
    tg_str_addf(out, "<nav aria-label=\"%s\"><ul>\n", tg_words(p->lang, TG_WORD_page_contents));
    tg_str_add_n(out, p->contents.data, p->contents.length);
    tg_str_add(out, "</ul></nav>\n");
}

tg_status tg_page_write(tg_page *p, tg_str *out)
{
    enum { LANG, TITLE, HEAD, CONTENTS, BODY, FOOT, PARTS };
    static const char *const marks[PARTS] = {"@LANG@", "@TITLE@", "@HEAD@", "@CONTENTS@", "@BODY@", "@FOOT@"};
    tg_str parts[PARTS] = {{0}};
    const char *at = tg_page_page;
    end_section(p);
    tg_str_add(&parts[LANG], p->lang == TG_ZH ? "zh" : "en");
    add_text(&parts[TITLE], p->title);
    make_head(p, &parts[HEAD]);
    make_contents(p, &parts[CONTENTS]);
    parts[BODY] = p->body;
    p->body = (tg_str){0};
    tg_str_addf(&parts[FOOT], "%s tinygen %s. %s", tg_words(p->lang, TG_WORD_page_made_by), TG_VERSION,
                tg_words(p->lang, TG_WORD_page_generated));
    for (int i = 0; i < PARTS; i++) {
        const char *mark = strstr(at, marks[i]);
        tg_str_add_n(out, at, mark - at);
        tg_str_add_n(out, parts[i].data ? parts[i].data : "", parts[i].length);
        at = mark + strlen(marks[i]);
        if (parts[i].failed) out->failed = true;
        tg_str_free(&parts[i]);
    }
    tg_str_add(out, at);
    if (p->contents.failed) out->failed = true;
    tg_str_free(&p->contents);
    return out->failed ? TG_ENOMEM : TG_OK;
}

void tg_page_section(tg_page *p, const char *id, const char *title)
{
    end_section(p);
    p->in_section = true;
    tg_str_addf(&p->body, "<section id=\"%s\">\n", id);
    add_element(p, "<h2>", title, "</h2>\n");
    tg_str_addf(&p->contents, "<li><a href=\"#%s\">", id);
    add_text(&p->contents, title);
    tg_str_add(&p->contents, "</a></li>\n");
}

void tg_page_heading(tg_page *p, const char *text) { add_element(p, "<h3>", text, "</h3>\n"); }
void tg_page_text(tg_page *p, const char *text) { add_element(p, "<p>", text, "</p>\n"); }
void tg_page_note(tg_page *p, const char *text) { add_element(p, "<p class=\"soft\">", text, "</p>\n"); }
void tg_page_warn(tg_page *p, const char *text) { add_element(p, "<p class=\"warn\">", text, "</p>\n"); }

/* ---- samples and pictures ---------------------------------------------------------------------------------------------- */

/* A newline that begins the text would be taken for markup's: one goes before it. */
void tg_page_sample(tg_page *p, const char *caption, const char *text, int64_t length)
{
    tg_str_add(&p->body, "<figure>");
    if (caption) add_element(p, "<figcaption>", caption, "</figcaption>");
    tg_str_add(&p->body, "<pre>\n");
    tg_html_add(&p->body, text, length);
    tg_str_add(&p->body, "</pre></figure>\n");
}

void tg_page_image(tg_page *p, const char *png, int64_t length, const char *alt, const char *caption, bool pixels)
{
    add_element(p, pixels ? "<figure><img class=\"pixels\" alt=\"" : "<figure><img alt=\"", alt, "\" src=\"");
    tg_html_add_png(&p->body, png, length);
    tg_str_add(&p->body, "\">");
    if (caption) add_element(p, "<figcaption>", caption, "</figcaption>");
    tg_str_add(&p->body, "</figure>\n");
}

void tg_page_side(tg_page *p) { tg_str_add(&p->body, "<div class=\"side\">\n"); }
void tg_page_side_end(tg_page *p) { tg_str_add(&p->body, "</div>\n"); }

void tg_page_details(tg_page *p, const char *summary, bool open)
{
    add_element(p, open ? "<details open><summary>" : "<details><summary>", summary, "</summary>\n");
}

void tg_page_details_end(tg_page *p) { tg_str_add(&p->body, "</details>\n"); }

/* ---- tables ---------------------------------------------------------------------------------------------------------------- */

/* A table wider than the window is moved by itself, by the keyboard, too. */
void tg_page_table(tg_page *p, const char *caption, const char *const *heads, int columns, int numbers)
{
    p->numbers = numbers;
    p->in_row = false;
    tg_str_add(&p->body, "<div class=\"wide\" tabindex=\"0\"><table>");
    if (caption) add_element(p, "<caption>", caption, "</caption>");
    if (heads) tg_str_add(&p->body, "\n<thead><tr>");
    for (int i = 0; heads && i < columns; i++)
        add_element(p, i >= numbers ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">", heads[i], "</th>");
    tg_str_add(&p->body, heads ? "</tr></thead>\n<tbody>\n" : "\n<tbody>\n");
}

static void end_row(tg_page *p)
{
    if (p->in_row) tg_str_add(&p->body, "</tr>\n");
    p->in_row = false;
}

static void begin_row(tg_page *p, const char *tag)
{
    end_row(p);
    tg_str_add(&p->body, tag);
    p->in_row = true;
    p->column = 0;
}

void tg_page_row(tg_page *p) { begin_row(p, "<tr>"); }
void tg_page_row_best(tg_page *p) { begin_row(p, "<tr class=\"best\">"); }

void tg_page_cell(tg_page *p, const char *text)
{
    const int at = p->column++;
    const char *kind = at == 0 ? "<th scope=\"row\">" : at >= p->numbers ? "<td class=\"number\">" : "<td>";
    add_element(p, kind, text ? text : "–", at == 0 ? "</th>" : "</td>");
}

static void end_cell(tg_page *p, tg_str *text, bool any)
{
    tg_page_cell(p, any && text->data ? text->data : NULL);
    if (text->failed) p->body.failed = true;
    tg_str_free(text);
}

void tg_page_cell_int(tg_page *p, int64_t x)
{
    char text[32];
    tg_page_cell(p, tg_format_count(text, x));
}

void tg_page_cell_real(tg_page *p, double x, int decimals)
{
    tg_str text = {0};
    tg_str_add_fixed(&text, x, decimals);
    end_cell(p, &text, !isnan(x));
}

void tg_page_cell_interval(tg_page *p, double x, double low, double high, int decimals)
{
    tg_str text = {0};
    tg_str_add_fixed(&text, x, decimals);
    if (!isnan(low) && !isnan(high)) {
        tg_str_add(&text, " (");
        tg_str_add_fixed(&text, low, decimals);
        tg_str_addf(&text, "%s", tg_words(p->lang, TG_WORD_page_to));
        tg_str_add_fixed(&text, high, decimals);
        tg_str_add(&text, ")");
    }
    end_cell(p, &text, !isnan(x));
}

void tg_page_table_end(tg_page *p)
{
    end_row(p);
    tg_str_add(&p->body, "</tbody></table></div>\n");
}
