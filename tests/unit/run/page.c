/* page.c - tests of reports: what is written is escaped and nests, charts stay inside their frames whatever the data. */
#include "run/page.h"

#include <math.h>

#include "base/utf8.h"
#include "run/chart.h"
#include "run/ratings.h"
#include "support/python.h"
#include "support/quiz.h"

static void put_page(tg_page *p, const char *path)
{
    tg_str html = {0};
    CHECK_OK(tg_page_write(p, &html));
    CHECK_OK(tg_write_file(path, html.data, html.length));
    tg_str_free(&html);
}

/* Reads pages strictly: nothing loads or leads elsewhere, all elements nest, all coordinates lie within their pictures. */
static void check_pages(const char *folder)
{
    char command[1000], line[200];
    int64_t pages = 0;
    snprintf(command, sizeof command, "tests/support/html_page.py '%s'/*.html", folder);
    FILE *f = python_start(command);
    for (; fgets(line, sizeof line, f); pages++) test_note("%.*s", (int)strcspn(line, "\n"), line);
    python_end(f, pages);
}

/* ---- charts ------------------------------------------------------------------------------------------------------------- */

enum { STEPS = 4000 };

static void curves(tg_page *p)
{
    static double x[STEPS], train[STEPS], val[40], val_x[40], low[40], high[40];
    for (int i = 0; i < STEPS; i++) {
        x[i] = i + 1;
        train[i] = 1.2 + 2.6 / (1 + i / 60.0) + 0.08 * sin(i * 1.7) * cos(i * 0.37);
    }
    for (int i = 0; i < 40; i++) {
        val_x[i] = (i + 1) * 100;
        val[i] = 1.35 + 2.4 / (1 + i * 100 / 60.0) + 0.0004 * i * i;
        low[i] = val[i] - 0.06;
        high[i] = val[i] + 0.06;
    }
    tg_page_side(p);
    for (int log_x = 0; log_x < 2; log_x++)
        tg_chart_draw(p, &(tg_chart){.title = log_x ? "Loss & learning <log>" : "Loss", .x = "step", .y = "nats per token", .log_x = log_x == 1},
                      (const tg_series[]){{.name = "train", .x = x, .y = train, .count = STEPS},
                                          {.name = "validation, interval of 95 %", .x = val_x, .y = val, .low = low, .high = high, .count = 40}}, 2);
    tg_page_side_end(p);
}

static void other_charts(tg_page *p)
{
    static const double edges[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}, diagonal[] = {0, 1};
    static const double right[] = {0.04, 0.13, 0.22, 0.38, 0.41, NAN, 0.55, 0.68, 0.74, 0.86}, lengths[] = {3, 18, 44, 61, 52, 33, 19, 9, 3, 1};
    static const double cost[] = {1200, 5400, 20000, 88000, 300000, 1200000}, bpc[] = {2.9, 2.5, 2.2, 2.3, 1.9, 1.85};
    static const double front_cost[] = {1200, 5400, 20000, 300000, 1200000}, front[] = {2.9, 2.5, 2.2, 1.9, 1.85};
    static const double a[] = {0.31, 0.62, 0.83, 0.93}, b[] = {0.28, 0.55, 0.79, 0.9}, off[] = {-0.4, 0.1, 0.5, -0.2};
    static const char *const names[] = {"distinct-1", "distinct-2", "distinct-3", "distinct-4"};
    static const char *const runs[] = {"ngram", "gru <64>", "lstm 128", "二层", "transformer", "larger"};
    tg_page_side(p);
    tg_chart_draw(p, &(tg_chart){.title = "Reliability", .x = "confidence", .y = "accuracy", .unit = true},
                  (const tg_series[]){{.name = "tokens", .mark = TG_BARS, .x = edges, .y = right, .count = 10},
                                      {.name = "perfect", .x = diagonal, .y = diagonal, .count = 2}}, 2);
    tg_chart_draw(p, &(tg_chart){.title = "Lengths of lines", .x = "characters", .y = "lines", .zero_y = true},
                  (const tg_series[]){{.mark = TG_BARS, .x = edges, .y = lengths, .count = 10}}, 1);
    tg_chart_draw(p, &(tg_chart){.title = "Quality against cost", .x = "parameters", .y = "bits per character", .log_x = true},
                  (const tg_series[]){{.name = "runs", .mark = TG_POINTS, .x = cost, .y = bpc, .labels = runs, .count = 6},
                                      {.name = "Pareto front", .mark = TG_STEPS, .x = front_cost, .y = front, .count = 5}}, 2);
    tg_chart_draw(p, &(tg_chart){.title = "Diversity", .names = names, .name_count = 4, .zero_y = true},
                  (const tg_series[]){{.name = "data", .mark = TG_BARS, .y = a, .count = 4}, {.name = "model", .mark = TG_BARS, .y = b, .count = 4}},
                  2);
    tg_chart_draw(p, &(tg_chart){.title = "Differences", .names = names, .name_count = 4, .zero_y = true},
                  (const tg_series[]){{.mark = TG_BARS, .y = off, .count = 4}}, 1);
    tg_page_side_end(p);
}

/* A report as the coming ones are. */
static void make_report(const char *path, tg_lang lang, const tg_people *people)
{
    tg_page p = {.lang = lang, .title = lang == TG_ZH ? "诗句：评估报告" : "verses: evaluation", .about = "LSTM, 2 x 128 · <seed 1>"};
    tg_str png = {0};
    tg_page_section(&p, "loss", lang == TG_ZH ? "损失" : "Loss");
    tg_page_text(&p, "Nats per token over the whole validation split: lower is better. 每个词元的奈特数：越低越好。");
    tg_page_table(&p, "one row a run", (const char *const[]){"run", "model", "val_loss", "bpc", "parameters"}, 5, 2);
    for (int i = 0; i < 3; i++) {
        tg_page_row(&p);
        tg_page_cell(&p, i ? "runs/a-rather-long-name-of-a-run-folder-that-has-no-blank" : "runs/<a>");
        tg_page_cell(&p, i == 2 ? NULL : "lstm");
        tg_page_cell_interval(&p, 1.234 + i, i ? 1.1 + i : NAN, 1.3 + i, 3);
        tg_page_cell_real(&p, i == 2 ? NAN : 1.78, 2);
        tg_page_cell_int(&p, 265400);
    }
    tg_page_table_end(&p);
    curves(&p);
    tg_page_section(&p, "charts", lang == TG_ZH ? "图表" : "Charts");
    other_charts(&p);
    tg_page_section(&p, "samples", lang == TG_ZH ? "样本" : "Samples");
    tg_page_warn(&p, "A passage of 120 characters is copied from training. 有 120 个字的段落抄自训练数据。");
    tg_page_side(&p);
    for (int i = 0; i < 6; i++) tg_page_sample(&p, i % 2 ? NULL : "sample", quiz_lines[i], (int64_t)strlen(quiz_lines[i]));
    make_picture(&png, 3);
    tg_page_image(&p, png.data, png.length, "a \"sheet\" of images", "step 200", true);
    tg_page_side_end(&p);
    tg_page_details(&p, "Configuration", false);
    tg_page_sample(&p, NULL, "{\"layers\": 2}", 13);
    tg_page_details_end(&p);
    if (people) tg_people_show(&p, people);
    tg_str_free(&png);
    put_page(&p, path);
}

/* Made-up answers of `raters` people. */
static void answer(tg_ratings *r, const made_quiz *m, int raters)
{
    tg_quiz_deck d;
    CHECK_OK(tg_quiz_shuffle(&m->quiz, &d));
    for (int i = 0; i < raters; i++) {
        tg_rng g = tg_rng_at((uint64_t)i, TG_RNG_TEST, 0);
        tg_str text = {0};
        tg_json_writer w = {.out = &text};
        tg_json_open(&w, '{');
        tg_json_member_text(&w, "format", "tinygen-answers");
        tg_json_member_int(&w, "version", 1);
        tg_json_member_text(&w, "quiz", d.id);
        tg_json_member_text(&w, "kind", "text");
        tg_json_member_text(&w, "rater", "");
        char session[TG_QUIZ_ID];
        tg_hex64((uint64_t)i, session);
        tg_json_member_text(&w, "session", session);
        tg_json_member_int(&w, "saves", 0);
        tg_json_member_int(&w, "items", m->quiz.count);
        tg_json_key(&w, "sources");
        tg_quiz_put_sources(&w, &m->quiz);
        tg_json_key(&w, "answers");
        tg_json_open(&w, '[');
        for (int64_t k = 0; k < m->quiz.count; k++) {
            const int real = m->items[d.order[k]].source == 0;
            tg_json_open(&w, '{');
            tg_json_member_text(&w, "item", d.names[k]);
            tg_json_member_text(&w, "verdict", tg_rng_below(&g, 3) < 1 + real ? "real" : "generated");
            tg_json_member_int(&w, "grammar", 2 + real + tg_rng_below(&g, 3));
            tg_json_member_int(&w, "coherence", 1 + 2 * real + tg_rng_below(&g, 3));
            tg_json_member_int(&w, "meaning", 1 + real + tg_rng_below(&g, 3));
            tg_json_close(&w, '}');
        }
        tg_json_close(&w, ']');
        tg_json_close(&w, '}');
        CHECK_OK(tg_ratings_add(r, "x", text.data, text.length));
        tg_str_free(&text);
    }
    tg_quiz_deck_free(&d);
}

/* tests/e2e/pages.sh has them written to a folder of its own, and opens them in a browser. */
TEST(pages_of_reports_and_quizzes_are_whole_and_lead_nowhere)
{
    const char *given = getenv("TG_TEST_PAGES"), *folder = given ? given : test_folder();
    made_quiz m;
    tg_ratings *r;
    const tg_people *people;
    CHECK_OK(tg_ratings_new(NULL, &r));
    for (int i = 0; i < 4; i++) {
        quiz_make(&m, i < 2 ? TG_KIND_TEXT : TG_KIND_IMAGE, i % 2 ? TG_ZH : TG_EN);
        quiz_put(&m, in(folder, (const char *const[]){"quiz-text-en.html", "quiz-text-zh.html", "quiz-image-en.html", "quiz-image-zh.html"}[i]));
        if (i == 0) answer(r, &m, 3);
        quiz_free(&m);
    }
    CHECK_OK(tg_ratings_sum(r, &people));
    make_report(in(folder, "report-en.html"), TG_EN, people);
    make_report(in(folder, "report-zh.html"), TG_ZH, people);
    tg_ratings_free(r);
    check_pages(folder);
}

TEST(words_are_there_in_both_languages)
{
    for (tg_word i = 0; i < TG_WORDS; i++) {
        const char *en = tg_words(TG_EN, i), *zh = tg_words(TG_ZH, i);
        CHECK_INT(tg_utf8_check(zh, (int64_t)strlen(zh)), -1);
        if (!*zh || !strcmp(en, zh)) test_failed(__FILE__, __LINE__, "%s is not in Chinese", tg_word_name(i));
    }
}

/* ---- charts of whatever comes ------------------------------------------------------------------------------------------------ */

TEST(charts_of_any_numbers_stay_in_their_frames)
{
    static const double sets[][4] = {{NAN, NAN, NAN, NAN}, {1, 1, 1, 1}, {0, 0, 0, 0}, {-3, INFINITY, 5, -INFINITY}, {1e-300, 1e300, 1, 0},
                                     {-1e12, 3e15, 2, 7}, {1e-9, 2e-9, 3e-9, 4e-9}, {1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3}, {5, 1, 4, 2},
                                     {0.1, 0.2, 0.3, 0.7}, {999, 1000, 1001, 1e4}, {-0.0, 1e-7, 2e-7, -1e-7}};
    enum { SETS = sizeof sets / sizeof *sets };
    const double edges[] = {0, 1, 2, 3, 4};
    const char *folder = test_folder();
    tg_page p = {.title = "charts"};
    for (int i = 0; i < SETS * SETS * 8; i++) {
        const double *x = sets[i / 8 % SETS], *y = sets[i / 8 / SETS];
        const tg_mark mark = (tg_mark)(i % 4);
        tg_chart_draw(&p, &(tg_chart){.title = "c", .log_x = (i & 4) != 0 && mark != TG_BARS, .log_y = (i & 4) != 0, .zero_y = i % 3 == 0},
                      (const tg_series[]){{.mark = mark, .x = mark == TG_BARS ? edges : x, .y = y, .low = x, .high = y, .count = 4}}, 1);
    }
    tg_chart_draw(&p, &(tg_chart){.title = "none"}, NULL, 0);
    tg_chart_draw(&p, &(tg_chart){.title = "no points"}, (const tg_series[]){{.name = "a"}}, 1);
    put_page(&p, in(folder, "charts.html"));
    check_pages(folder);
}

static bool drawn(double low, double high, bool log, const char *tick)
{
    const double x[] = {low, high};
    tg_page p = {.title = "t"};
    tg_str html = {0};
    tg_chart_draw(&p, &(tg_chart){.title = "c", .log_x = log}, (const tg_series[]){{.x = x, .y = x, .count = 2}}, 1);
    CHECK_OK(tg_page_write(&p, &html));
    char text[60];
    snprintf(text, sizeof text, ">%s</text>", tick);
    const bool found = strstr(html.data, text) != NULL;
    tg_str_free(&html);
    return found;
}

TEST(ticks_are_round_numbers)
{
    CHECK(drawn(0, 1, false, "0.2") && drawn(0, 1, false, "0.6") && !drawn(0, 1, false, "0.25"));
    CHECK(drawn(0, 9300, false, "2000") && drawn(0, 9300, false, "10k"));
    CHECK(drawn(1.13, 1.92, false, "1.2") && drawn(1.13, 1.92, false, "2"));
    CHECK(drawn(-3, 7, false, "-4") && drawn(-3, 7, false, "0"));
    CHECK(drawn(1, 1e6, true, "1") && drawn(1, 1e6, true, "100") && drawn(1, 1e6, true, "1M") && !drawn(1, 1e6, true, "2"));
    CHECK(drawn(30, 700, true, "50") && drawn(30, 700, true, "200") && !drawn(30, 700, true, "1000"));
    CHECK(drawn(2e-9, 9e-9, false, "4e-9") && drawn(3e7, 9e7, false, "40M"));
}

TEST(charts_of_many_show_the_one_over_the_others)
{
    const double x[] = {0.1, 1.2, 1.9}, y[] = {1, 2, 900};
    static const char *const names[] = {"a<b", "\u4e8c", "c"}, *const hints[] = {"trial <1>", "trial 2", "trial 3"};
    tg_page p = {.title = "t"};
    tg_str html = {0};
    tg_chart_draw(&p, &(tg_chart){.title = "c", .names = names, .name_count = 3, .cap_y = true, .most_y = 4},
                  (const tg_series[]){{.name = "best", .mark = TG_POINTS, .x = x, .y = y, .count = 1},
                                      {.name = "others", .mark = TG_POINTS, .x = x, .y = y, .hints = hints, .count = 3, .faint = true},
                                      {.name = "second", .mark = TG_POINTS, .x = x, .y = y, .count = 1}}, 3);
    tg_chart_shares(&p, "s", names, (const double[]){0.494, NAN, 7}, 3);
    CHECK_OK(tg_page_write(&p, &html));
    const char *faint = strstr(html.data, "<g class=\"faint\">"), *best = strstr(html.data, "<g class=\"s1\">"), *second = strstr(html.data, "<g class=\"s2\">");
    CHECK(faint && best && second && faint < best && best < second);
    CHECK(strstr(html.data, "<title>trial &lt;1&gt;: a&lt;b, 1</title>") && strstr(html.data, "<title>trial 3: c, 900</title>"));
    CHECK(strstr(html.data, ">4</text>") && !strstr(html.data, "900</text>"));
    CHECK(strstr(html.data, ">49 %</text>") && strstr(html.data, ">0 %</text>") && strstr(html.data, ">100 %</text>"));
    tg_str_free(&html);
}

TEST(reports_of_many_points_stay_short)
{
    static double x[200000], y[200000];
    for (int i = 0; i < 200000; i++) x[i] = i, y[i] = sin(i / 3000.0) + (i % 7) * 0.01;
    tg_page p = {.title = "t"};
    tg_str html = {0};
    tg_chart_draw(&p, &(tg_chart){.title = "c"}, (const tg_series[]){{.x = x, .y = y, .count = 200000}}, 1);
    CHECK_OK(tg_page_write(&p, &html));
    CHECK(html.length < 100000);
    tg_str_free(&html);
}
