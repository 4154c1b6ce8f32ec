/* people.c - what came out of a quiz: as JSON and as a section of a report. */
#include <math.h>

#include "run/chart.h"
#include "run/ratings.h"

static void add_share(tg_str *out, const tg_people_share *s, const char *what)
{
    tg_str_addf(out, "%lld of %lld %s (", (long long)s->yes, (long long)s->count, what);
    tg_str_add_fixed(out, s->value, 2);
    tg_str_add(out, ", p ");
    tg_str_add_fixed(out, s->p, 3);
    tg_str_add(out, ")");
}

void tg_people_summary(tg_str *out, const tg_people *p)
{
    tg_str_addf(out, "%lld rater%s, %lld items: ", (long long)p->raters, p->raters == 1 ? "" : "s", (long long)p->item_count);
    add_share(out, &p->right, "verdicts right");
    tg_str_add(out, ", ");
    add_share(out, &p->generated.real, "generated taken for real");
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static void put_mean(tg_json_writer *w, const char *key, const tg_people_mean *m)
{
    tg_json_key(w, key);
    tg_json_open(w, '{');
    tg_json_member_real(w, "value", m->value);
    tg_json_member_real(w, "low", m->low);
    tg_json_member_real(w, "high", m->high);
    tg_json_member_int(w, "count", m->count);
    tg_json_close(w, '}');
}

static void put_share(tg_json_writer *w, const char *key, const tg_people_share *s)
{
    tg_json_key(w, key);
    tg_json_open(w, '{');
    tg_json_member_real(w, "value", s->value);
    tg_json_member_real(w, "low", s->interval.low);
    tg_json_member_real(w, "high", s->interval.high);
    tg_json_member_real(w, "p", s->p);
    tg_json_member_int(w, "yes", s->yes);
    tg_json_member_int(w, "count", s->count);
    tg_json_close(w, '}');
}

static void put_group(tg_json_writer *w, const tg_people *p, const tg_people_group *g)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    put_share(w, "taken_for_real", &g->real);
    for (int k = 0; q[k].name; k++) put_mean(w, q[k].name, &g->marks[k]);
}

static void put_items(tg_json_writer *w, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    tg_json_open(w, '[');
    for (int64_t i = 0; i < p->item_count; i++) {
        const tg_people_item *x = &p->items[i];
        tg_json_open(w, '{');
        tg_json_member_int(w, "source", x->source);
        tg_json_member_int(w, "number", x->number);
        tg_json_member_int(w, "verdicts", x->verdicts);
        tg_json_member_int(w, "taken_for_real", x->real);
        for (int k = 0; q[k].name; k++) tg_json_member_real(w, q[k].name, x->mean[k]);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

void tg_people_put(tg_json_writer *w, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    tg_json_open(w, '{');
    tg_json_member_text(w, "quiz", p->quiz);
    tg_json_member_text(w, "kind", p->kind == TG_KIND_TEXT ? "text" : "image");
    tg_json_member_int(w, "raters", p->raters);
    tg_json_member_int(w, "items", p->item_count);
    put_share(w, "right", &p->right);
    put_share(w, "fooled", &p->generated.real);
    for (int64_t i = -1; i < p->source_count; i++) { /* real, generated, then the runs apart */
        if (i == 1) {
            tg_json_key(w, "runs");
            tg_json_open(w, '[');
        }
        if (i < 1) tg_json_key(w, i < 0 ? "real" : "generated");
        tg_json_open(w, '{');
        if (i > 0) tg_json_member_text(w, "run", p->sources[i].name);
        if (i > 0) tg_json_member_text(w, "identity", p->sources[i].identity);
        put_group(w, p, i < 0 ? &p->real : i == 0 ? &p->generated : &p->runs[i - 1]);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
    tg_json_key(w, "agreement");
    tg_json_open(w, '{');
    tg_json_member_real(w, "verdict", p->agreement);
    for (int k = 0; q[k].name; k++) tg_json_member_real(w, q[k].name, p->agreements[k]);
    tg_json_close(w, '}');
    tg_json_key(w, "per_item");
    put_items(w, p);
    tg_json_close(w, '}');
}

/* ---- the section --------------------------------------------------------------------------------------------------------------- */

static const char *say(const tg_page *page, tg_word word) { return tg_words(page->lang, word); }

/* A probability: "0.042", "< 0.001". */
static void cell_chance(tg_page *page, double p)
{
    if (p < 0.001) tg_page_cell(page, "< 0.001");
    else tg_page_cell_real(page, p, 3);
}

static void share_row(tg_page *page, const char *name, const tg_people_share *s)
{
    tg_page_row(page);
    tg_page_cell(page, name);
    tg_page_cell_int(page, s->yes);
    tg_page_cell_int(page, s->count);
    tg_page_cell_interval(page, s->value, s->interval.low, s->interval.high, 2);
    cell_chance(page, s->p);
}

static void show_shares(tg_page *page, const tg_people *p)
{
    const char *const heads[] = {"", "n", say(page, TG_WORD_people_verdicts), say(page, TG_WORD_people_share),
                                 say(page, TG_WORD_people_chance)};
    tg_page_table(page, NULL, heads, 5, 1);
    share_row(page, say(page, TG_WORD_people_right), &p->right);
    share_row(page, say(page, TG_WORD_people_fooled), &p->generated.real);
    for (int64_t i = 1; i < p->source_count && p->source_count > 2; i++) { /* fooled by each run */
        tg_str name = {0};
        tg_str_addf(&name, "\xe2\x80\x93 %s", p->sources[i].name);
        share_row(page, name.failed ? "" : name.data, &p->runs[i - 1].real);
        if (name.failed) page->body.failed = true;
        tg_str_free(&name);
    }
    tg_page_table_end(page);
    tg_page_note(page, say(page, TG_WORD_people_share_meaning));
}

static void marks_row(tg_page *page, const char *name, const tg_people *p, const tg_people_group *g)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    tg_page_row(page);
    tg_page_cell(page, name);
    for (int k = 0; q[k].name; k++) tg_page_cell_interval(page, g->marks[k].value, g->marks[k].low, g->marks[k].high, 2);
}

static void marks_chart(tg_page *page, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    const tg_people_group *const groups[] = {&p->real, &p->generated};
    const char *names[TG_QUIZ_QUESTIONS];
    double y[2][3][TG_QUIZ_QUESTIONS];
    tg_series series[2] = {{.name = say(page, TG_WORD_people_real)}, {.name = say(page, TG_WORD_people_generated)}};
    int n = 0;
    for (; q[n].name; n++) names[n] = say(page, q[n].word);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < n; k++) {
            y[i][0][k] = groups[i]->marks[k].value;
            y[i][1][k] = groups[i]->marks[k].low;
            y[i][2][k] = groups[i]->marks[k].high;
        }
        series[i].mark = TG_BARS;
        series[i].y = y[i][0];
        series[i].low = y[i][1];
        series[i].high = y[i][2];
        series[i].count = n;
    }
    tg_chart_draw(page, &(tg_chart){.title = say(page, TG_WORD_people_marks), .names = names, .name_count = n, .zero_y = true}, series, 2);
}

static void show_marks(tg_page *page, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    const char *heads[1 + TG_QUIZ_QUESTIONS] = {say(page, TG_WORD_people_source)};
    int n = 0;
    for (; q[n].name; n++) heads[n + 1] = say(page, q[n].word);
    tg_page_heading(page, say(page, TG_WORD_people_marks));
    tg_page_table(page, NULL, heads, n + 1, 1);
    marks_row(page, say(page, TG_WORD_people_real), p, &p->real);
    marks_row(page, say(page, TG_WORD_people_generated), p, &p->generated);
    for (int64_t i = 1; i < p->source_count && p->source_count > 2; i++) marks_row(page, p->sources[i].name, p, &p->runs[i - 1]);
    tg_page_table_end(page);
    tg_page_note(page, say(page, TG_WORD_people_marks_meaning));
    marks_chart(page, p);
}

static void show_agreement(tg_page *page, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    const char *const heads[] = {say(page, TG_WORD_people_question), say(page, TG_WORD_people_alpha)};
    tg_page_heading(page, say(page, TG_WORD_people_agreement));
    tg_page_table(page, NULL, heads, 2, 1);
    tg_page_row(page);
    tg_page_cell(page, say(page, TG_WORD_people_verdict));
    tg_page_cell_real(page, p->agreement, 3);
    for (int k = 0; q[k].name; k++) {
        tg_page_row(page);
        tg_page_cell(page, say(page, q[k].word));
        tg_page_cell_real(page, p->agreements[k], 3);
    }
    tg_page_table_end(page);
    tg_page_note(page, say(page, TG_WORD_people_alpha_meaning));
}

static void show_items(tg_page *page, const tg_people *p)
{
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    const char *heads[4 + TG_QUIZ_QUESTIONS] = {say(page, TG_WORD_people_source), say(page, TG_WORD_people_number),
                                                say(page, TG_WORD_people_taken_for_real), say(page, TG_WORD_people_verdicts)};
    int n = 0;
    for (; q[n].name; n++) heads[n + 4] = say(page, q[n].word);
    tg_page_details(page, say(page, TG_WORD_people_each), false);
    tg_page_table(page, NULL, heads, n + 4, 1);
    for (int64_t i = 0; i < p->item_count; i++) {
        const tg_people_item *x = &p->items[i];
        tg_page_row(page);
        tg_page_cell(page, x->source == 0 ? say(page, TG_WORD_people_real) : p->sources[x->source].name);
        tg_page_cell_int(page, x->number);
        tg_page_cell_int(page, x->real);
        tg_page_cell_int(page, x->verdicts);
        for (int k = 0; k < n; k++) tg_page_cell_real(page, x->mean[k], 2);
    }
    tg_page_table_end(page);
    tg_page_details_end(page);
}

void tg_people_show(tg_page *page, const tg_people *p)
{
    tg_page_section(page, "people", say(page, TG_WORD_people_title));
    tg_page_text(page, say(page, TG_WORD_people_about));
    tg_str text = {0};
    tg_str_addf(&text, "%s: %lld · %s: %lld", say(page, TG_WORD_people_raters), (long long)p->raters, say(page, TG_WORD_people_items),
                (long long)p->item_count);
    if (text.failed) page->body.failed = true;
    else tg_page_text(page, text.data);
    tg_str_free(&text);
    show_shares(page, p);
    show_marks(page, p);
    show_agreement(page, p);
    show_items(page, p);
}
