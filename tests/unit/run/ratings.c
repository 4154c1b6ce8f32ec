/* ratings.c - tests of answers read back: against Python, by published values, and all that can be wrong in a file. */
#include "run/ratings.h"

#include <math.h>

#include "base/alloc.h"
#include "support/python.h"
#include "support/quiz.h"

static void same(const char *what, double got, const char *want)
{
    const double value = strcmp(want, "nan") ? strtod(want, NULL) : NAN;
    if (isnan(value) ? !isnan(got) : !(fabs(got - value) <= 1e-9 * (1 + fabs(value))))
        test_failed(__FILE__, __LINE__, "%s: %.17g and not %s", what, got, want);
}

TEST(agreement_and_intervals_are_those_of_python)
{
    char line[2000], values[1000], a[40], b[40], c[40];
    long long scale, n, m;
    int64_t cases = 0;
    FILE *f = python_start("tests/golden/ratings.py statistics");
    for (; fgets(line, sizeof line, f); cases++) {
        if (sscanf(line, "alpha %lld %lld %lld %999s %39s", &scale, &n, &m, values, a) == 5) {
            int8_t rows[1000];
            for (size_t i = 0; values[i]; i++) rows[i] = (int8_t)(values[i] - '0');
            same(line, tg_krippendorff(rows, n, m, (tg_answer_scale)scale), a);
        } else if (sscanf(line, "share %lld %lld %39s %39s %39s", &n, &m, a, b, c) == 5) {
            same(line, tg_binomial_half(n, m), a);
            same(line, tg_wilson(n, m).low, b);
            same(line, tg_wilson(n, m).high, c);
        } else {
            CHECK(sscanf(line, "student %lld %39s", &n, a) == 2);
            same(line, tg_student_95(n), a);
        }
    }
    python_end(f, cases);
    CHECK(cases > 100);
    CHECK(isnan(tg_binomial_half(0, 0)) && tg_binomial_half(0, 100000) == 0);
}

TEST(alpha_has_the_published_values) /* Krippendorff 2011: four observers, twelve units, answers missing */
{
    static const int8_t rows[] = {1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0, 1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3,
                                  0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0, 1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0};
    CHECK_INT(lround(1000 * tg_krippendorff(rows, 4, 12, TG_NOMINAL)), 743);
    CHECK_INT(lround(1000 * tg_krippendorff(rows, 4, 12, TG_ORDINAL)), 815);
    CHECK_INT(lround(1000 * tg_krippendorff(rows, 4, 12, TG_INTERVAL)), 849);
}

/* ---- files against Python --------------------------------------------------------------------------------------------------- */

static const char *command(const char *format, ...)
{
    static char line[4000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return line;
}

/* Raters that Python makes up for a page, in files 0.json to N-1.json of the folder. */
static void make_answers(const made_quiz *m, const char *folder, int raters)
{
    const char *page = in(folder, "quiz.html");
    quiz_put(m, page);
    FILE *f = python_start(command("tests/golden/ratings.py answer '%s' '%s' 5 %d && echo done", page, folder, raters));
    char line[10];
    python_end(f, fgets(line, sizeof line, f) != NULL);
}

static const char *answers_file(const char *folder, int i)
{
    char name[20];
    snprintf(name, sizeof name, "%d.json", i);
    return in(folder, name);
}

static void check_share(const char *line, const tg_people_share *s)
{
    long long yes, count;
    char p[40], low[40], high[40];
    CHECK(sscanf(line, "%*s %lld %lld %39s %39s %39s", &yes, &count, p, low, high) == 5);
    CHECK_INT(s->yes, yes);
    CHECK_INT(s->count, count);
    same(line, s->p, p);
    same(line, s->interval.low, low);
    same(line, s->interval.high, high);
}

static void check_mean(const char *line, const tg_people_mean *m)
{
    char value[40], low[40], high[40];
    CHECK(sscanf(line, "%*s %39s %39s %39s", value, low, high) == 3);
    same(line, m->value, value);
    same(line, m->low, low);
    same(line, m->high, high);
}

/* "real 3 5 ...", "run1.grammar 4.1 ...", "alpha.meaning 0.2": a line of Python's sum. */
static void check_line(const tg_people *p, const char *line)
{
    char name[40], *dot, alpha[40];
    CHECK(sscanf(line, "%39s", name) == 1);
    if ((dot = strchr(name, '.'))) *dot++ = '\0';
    const tg_quiz_question *q = tg_quiz_questions(p->kind);
    int k = 0;
    while (dot && q[k].name && strcmp(q[k].name, dot)) k++;
    const tg_people_group *g = !strcmp(name, "real") ? &p->real : !strncmp(name, "run", 3) ? &p->runs[name[3] - '1'] : &p->generated;
    if (!strcmp(name, "alpha")) {
        CHECK(sscanf(line, "%*s %39s", alpha) == 1);
        same(line, strcmp(dot, "verdict") ? p->agreements[k] : p->agreement, alpha);
    } else if (dot) check_mean(line, &g->marks[k]);
    else check_share(line, strcmp(name, "right") ? &g->real : &p->right);
}

/* tests/e2e/pages.sh answers the same quiz in a browser and names the folder of what it saved; else Python makes up raters. */
static void check_sum(tg_kind kind, int raters, int64_t lines)
{
    made_quiz m;
    tg_ratings *r;
    const tg_people *p;
    char line[400];
    int64_t count = 0;
    const char *given = getenv("TG_TEST_ANSWERS"), *folder = given ? given : test_folder();
    quiz_make(&m, kind, TG_EN);
    if (!given) make_answers(&m, folder, raters);
    CHECK_OK(tg_ratings_new(NULL, &r));
    for (int i = 0; tg_path_kind(answers_file(folder, i)) == TG_PATH_FILE; i++) CHECK_OK(tg_ratings_read(r, answers_file(folder, i)));
    CHECK_OK(tg_ratings_sum(r, &p));
    CHECK_INT(p->raters, given ? 2 : raters);
    CHECK_INT(p->items[0].source, 0);
    CHECK_INT(p->items[0].number, 100);
    FILE *f = python_start(command("tests/golden/ratings.py sum '%s'/[0-9]*.json", folder));
    for (; fgets(line, sizeof line, f); count++) check_line(p, line);
    python_end(f, count);
    CHECK_INT(count, lines);
    tg_ratings_free(r);
    quiz_free(&m);
}

TEST(answers_about_texts_come_to_what_python_says) { check_sum(TG_KIND_TEXT, 4, 1 + 4 * 4 + 4); }
TEST(answers_about_pictures_come_to_what_python_says) { check_sum(TG_KIND_IMAGE, 3, 1 + 4 * 3 + 3); }
TEST(answers_of_one_rater_have_no_agreement_but_all_else) { check_sum(TG_KIND_TEXT, 1, 1 + 4 * 4 + 4); }

/* ---- what is wrong ----------------------------------------------------------------------------------------------------------- */

/* Two items, text; hand-made but for the items' names. */
static void write_answers(tg_str *out, const char *quiz, const char *from, const char *to)
{
    char names[2][TG_QUIZ_ITEM];
    tg_str text = {0};
    tg_quiz_name(quiz, 0, 7, names[0]);
    tg_quiz_name(quiz, 1, 7, names[1]);
    tg_str_addf(&text,
                "{\"format\": \"tinygen-answers\", \"version\": 1, \"quiz\": \"%s\", \"kind\": \"text\", \"rater\": \"Wang\", "
                "\"session\": \"00000000000000aa\", \"saves\": 1, \"items\": 2, \"sources\": [{\"name\": \"d\", \"identity\": \"1\"}, {\"name\": \"r\", "
                "\"identity\": \"2\"}], \"answers\": [{\"item\": \"%s\", \"verdict\": \"real\", \"grammar\": 5, \"coherence\": 4, \"meaning\": null}, "
                "{\"item\": \"%s\", \"verdict\": null, \"grammar\": 1, \"coherence\": null, \"meaning\": 2}]}",
                quiz, names[0], names[1]);
    const char *at = strstr(text.data, from);
    CHECK(at != NULL);
    tg_str_clear(out);
    tg_str_add_n(out, text.data, at - text.data);
    tg_str_add(out, to);
    tg_str_add(out, at + strlen(from));
    tg_str_free(&text);
}

static const char quiz_id[] = "0123456789abcdef";

TEST(answers_that_were_changed_are_refused_with_the_place)
{
    static const char *const cases[][3] = {
        {"tinygen-answers", "other", "not answers to a quiz"},
        {"\"version\": 1", "\"version\": 2", "answers of version 2"},
        {"\"quiz\": \"0", "\"quiz\": \"g", "16 hexadecimal digits"},
        {"00000000000000aa", "AA", "16 hexadecimal digits"},
        {"\"kind\": \"text\"", "\"kind\": \"audio\"", "kind must be"},
        {"\"rater\": \"Wang\"", "\"rater\": 5", "rater must be a name"},
        {"\"saves\": 1", "\"saves\": -1", "saves must be"},
        {"\"items\": 2", "\"items\": 3", "as many as items says"},
        {"\"items\": 2", "\"items\": 1e3", "as many as items says"},
        {"\"sources\": [{", "\"sources\": [5, {", "source 0 has no name"},
        {"\"sources\":", "\"origins\":", "sources must be a list"},
        {"\"identity\": \"2\"", "\"identity\": null", "source 1 has no name and identity"},
        {"\"item\": \"", "\"item\": \"0", "answer 1 is of no item of quiz 0123456789abcdef: the file was changed"},
        {"\"item\"", "\"thing\"", "answer 1 is of no item"},
        {"\"verdict\": \"real\"", "\"verdict\": \"Real\"", "answer 1: verdict must be"},
        {"\"verdict\": null", "\"verdict\": true", "answer 2: verdict must be"},
        {"\"grammar\": 5", "\"grammar\": 6", "answer 1: grammar must be a whole number from 1 to 5"},
        {"\"grammar\": 5", "\"grammar\": 4.5", "answer 1: grammar must be"},
        {"\"meaning\": 2", "\"meaning\": 0", "answer 2: meaning must be"},
        {"\"coherence\": null", "\"coherenc\": null", "answer 2: coherence must be"},
        {"}]}", "}]", "x.json:1:"},
        {"{\"format\"", "[{\"format\"", "x.json:1:"},
    };
    tg_str text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_ratings *r;
        CHECK_OK(tg_ratings_new(NULL, &r));
        write_answers(&text, quiz_id, cases[i][0], cases[i][1]);
        const tg_status s = tg_ratings_add(r, "x.json", text.data, text.length);
        if (s != TG_EFORMAT && s != TG_EUNSUPPORTED) test_failed(__FILE__, __LINE__, "not refused: %s", cases[i][1]);
        test_has(__FILE__, __LINE__, tg_error(), "x.json");
        test_has(__FILE__, __LINE__, tg_error(), cases[i][2]);
        tg_ratings_free(r);
    }
    for (int64_t cut = 0; cut < text.length; cut += 7) { /* cut short anywhere */
        tg_ratings *r;
        write_answers(&text, quiz_id, "", "");
        CHECK_OK(tg_ratings_new(NULL, &r));
        CHECK_INT(tg_ratings_add(r, "x.json", text.data, cut), TG_EFORMAT);
        tg_ratings_free(r);
    }
    tg_str_free(&text);
    CHECK_INT(tg_alloc_live(), 0);
}

typedef struct told { char text[2000]; } told;
static void on_log(void *user, tg_log_level level, const char *text)
{
    told *t = user;
    (void)level;
    snprintf(t->text, sizeof t->text, "%s", text);
}

/* A first file as it is and one with `from` made `to`; what comes of both. */
static tg_status two_files(const char *quiz, const char *from, const char *to, told *t, int64_t *raters, int64_t *verdicts)
{
    tg_context *ctx;
    tg_ratings *r;
    const tg_people *p;
    tg_str text = {0};
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .log = on_log, .user = t}, &ctx));
    CHECK_OK(tg_ratings_new(ctx, &r));
    write_answers(&text, quiz_id, "Wang", "Wang");
    CHECK_OK(tg_ratings_add(r, "x.json", text.data, text.length));
    write_answers(&text, quiz, from, to);
    const tg_status s = tg_ratings_add(r, "y.json", text.data, text.length);
    if (!s) CHECK_OK(tg_ratings_sum(r, &p));
    if (!s) *raters = p->raters, *verdicts = p->real.real.count + p->generated.real.count;
    tg_str_free(&text);
    tg_ratings_free(r);
    tg_context_free(ctx);
    return s;
}

TEST(the_same_rater_twice_counts_once)
{
    told t = {""};
    int64_t raters = 0, verdicts = 0;
    CHECK_OK(two_files(quiz_id, "Wang", "Wang", &t, &raters, &verdicts));
    CHECK_INT(raters, 1);
    test_has(__FILE__, __LINE__, t.text, "y.json is left out: x.json is of the same sitting");
    CHECK_OK(two_files(quiz_id, "\"saves\": 1, \"items\": 2", "\"saves\": 2, \"items\": 2", &t, &raters, &verdicts));
    test_has(__FILE__, __LINE__, t.text, "x.json is left out: y.json is of the same sitting");
    CHECK_INT(raters, 1);
    CHECK_ERROR(two_files(quiz_id, "\"verdict\": null", "\"verdict\": \"real\"", &t, &raters, &verdicts), TG_EINVAL,
                "x.json and y.json are of one sitting and differ");
    t.text[0] = '\0';
    CHECK_OK(two_files(quiz_id, "00aa", "00ab", &t, &raters, &verdicts));
    CHECK_INT(raters, 2);
    CHECK_INT(verdicts, 2);
    test_has(__FILE__, __LINE__, t.text, "both by Wang, of two sittings");
}

TEST(answers_are_told_in_a_line_and_as_json)
{
    tg_ratings *r;
    const tg_people *p;
    tg_str text = {0}, line = {0}, json = {0};
    const tg_json *root;
    double value = 0;
    tg_arena *a = tg_arena_new(1 << 12);
    write_answers(&text, quiz_id, "Wang", "");
    CHECK_OK(tg_ratings_new(NULL, &r));
    CHECK_OK(tg_ratings_add(r, "x", text.data, text.length));
    CHECK_OK(tg_ratings_sum(r, &p));
    tg_people_summary(&line, p);
    CHECK_TEXT(line.data, "1 rater, 2 items: 1 of 1 verdicts right (1.00, p 1.000), 0 of 0 generated taken for real (nan, p nan)");
    tg_people_put(&(tg_json_writer){.out = &json}, p);
    CHECK_OK(tg_json_parse(a, "json", json.data, json.length, &root));
    CHECK(tg_json_real(tg_json_get(tg_json_get(root, "real"), "grammar"), "value", &value) && value == 5);
    CHECK_INT(tg_json_get(root, "runs")->integer, 1);
    CHECK_TEXT(tg_json_text(tg_json_get(root, "runs")->child, "identity"), "2");
    CHECK_INT(tg_json_get(tg_json_get(root, "agreement"), "verdict")->type, TG_JSON_NULL);
    CHECK_INT(tg_json_get(root, "per_item")->integer, 2);
    tg_ratings_free(r);
    tg_arena_free(a);
    tg_str_free(&text);
    tg_str_free(&line);
    tg_str_free(&json);
    CHECK_INT(tg_alloc_live(), 0);
}

/* A quiz, answers, and a report of them. */
static tg_status whole_way(const made_quiz *m, const tg_str *answers)
{
    tg_str html = {0}, json = {0};
    tg_page page = {.title = "t", .about = "a"};
    tg_ratings *r = NULL;
    const tg_people *p = NULL;
    tg_status s = tg_quiz_write(&m->quiz, &html);
    if (!s) s = tg_ratings_new(NULL, &r);
    if (!s) s = tg_ratings_add(r, "x.json", answers->data, answers->length);
    if (!s) s = tg_ratings_sum(r, &p);
    if (!s) tg_people_put(&(tg_json_writer){.out = &json}, p);
    if (!s && json.failed) s = TG_ENOMEM;
    if (!s) tg_people_show(&page, p);
    if (!s) s = tg_page_write(&page, &html);
    tg_ratings_free(r);
    tg_str_free(&html);
    tg_str_free(&json);
    return s;
}

TEST(quiz_ratings_and_report_survive_any_allocation_that_fails)
{
    made_quiz m;
    tg_str answers = {0};
    quiz_make(&m, TG_KIND_TEXT, TG_EN);
    m.quiz.count = 4;
    write_answers(&answers, quiz_id, "Wang", "");
    const int64_t live = tg_alloc_live(), before = tg_alloc_count();
    CHECK_OK(whole_way(&m, &answers));
    const int64_t all = tg_alloc_count() - before;
    for (int64_t n = 1; n <= all; n++) {
        tg_alloc_fail_at(n, false);
        const tg_status s = whole_way(&m, &answers);
        tg_alloc_fail_at(0, false);
        if (s != TG_ENOMEM) test_failed(__FILE__, __LINE__, "allocation %d of %d failed and nobody told: %d", (int)n, (int)all, (int)s);
        CHECK_INT(tg_alloc_live(), live);
    }
    test_note("%d allocations", (int)all);
    tg_str_free(&answers);
    quiz_free(&m);
}

TEST(answers_to_another_quiz_are_not_mixed_in)
{
    told t = {""};
    int64_t raters, verdicts;
    CHECK_ERROR(two_files("0123456789abcdee", "00aa", "00ab", &t, &raters, &verdicts), TG_EINVAL,
                "y.json answers quiz 0123456789abcdee, and x.json quiz 0123456789abcdef; give the files of one quiz at a time");
    CHECK_ERROR(two_files(quiz_id, "\"identity\": \"2\"", "\"identity\": \"3\"", &t, &raters, &verdicts), TG_EFORMAT,
                "y.json says other things of quiz");
    tg_ratings *r;
    const tg_people *p;
    CHECK_OK(tg_ratings_new(NULL, &r));
    CHECK_ERROR(tg_ratings_sum(r, &p), TG_EINVAL, "no answers");
    CHECK_INT(tg_ratings_read(r, in(test_folder(), "nowhere.json")), TG_EIO);
    tg_ratings_free(r);
}
