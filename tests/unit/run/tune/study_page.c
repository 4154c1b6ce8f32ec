/* study_page.c - tests of the page of a study: whole, safe, and saying what the files say. */
#include "run/tune/study_page.h"

#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "run/tune/study_view.h"
#include "run/words.h"
#include "support/python.h"
#include "support/files.h"

static const char hostile[] = "</td><script>alert(1)</script> \"'& \x1b[31m\u202e \u8bad\u7ec3\u53d1\u6563\uff1a\u635f\u5931\u4e0d\u662f\u6570";

/* ---- studies made up ---------------------------------------------------------------------------------------------------- */

static void put_text(const char *folder, const char *name, tg_str *text)
{
    CHECK(!text->failed);
    CHECK_OK(tg_write_file(in(folder, name), text->data, text->length));
    tg_str_free(text);
}

typedef struct made_trial { double lr, value; int hidden, model, steps; const char *status; } made_trial;
static const char *const models[] = {"lstm", "gru", "\u6a21\u578b<b>"};

/* Trial n of a made-up surface with its best at lr 3e-3, hidden 128 and gru; 5 fails, 6 diverges, 11 is far off. */
static made_trial make_trial(int n)
{
    const int hidden[] = {32, 64, 128};
    made_trial t = {.lr = pow(10, -4 + 2 * fmod(n * 0.6180339887, 1)), .hidden = hidden[n % 3], .model = n / 2 % 3, .steps = 300,
                    .status = "ok"};
    const double far = log10(t.lr) + 2.5;
    t.value = 1.2 + 0.4 * far * far + 0.2 * (t.model != 1) + 10.0 / t.hidden;
    if (n == 11) t.value = 4000;
    if (n == 5 || n == 6) {
        t.value = NAN;
        t.status = n == 5 ? "failed" : "diverged";
    }
    return t;
}

static void put_values(tg_json_writer *w, const made_trial *t)
{
    tg_json_key(w, "values");
    tg_json_open(w, '{');
    tg_json_member_real(w, "lr", t->lr);
    if (t->model != 1) tg_json_member_int(w, "hidden", t->hidden); /* gru has none of it: a dash */
    tg_json_member_text(w, "model", models[t->model]);
    tg_json_close(w, '}');
}

static void put_trial(const char *folder, int n, const made_trial *t)
{
    char name[60];
    tg_str text = {0};
    snprintf(name, sizeof name, "trials/%04d", n);
    CHECK_OK(tg_make_folder(in(folder, name)));
    for (int step = 1; step <= t->steps && !isnan(t->value); step += 10) {
        tg_json_writer w = {.out = &text};
        tg_json_open(&w, '{');
        tg_json_member_int(&w, "step", step);
        tg_json_member_real(&w, "train_loss", t->value + 3.0 / step);
        tg_json_member_real(&w, "val_loss", t->value + 4.0 / step);
        tg_json_close(&w, '}');
        tg_str_add(&text, "\n");
    }
    if (text.data) {
        snprintf(name, sizeof name, "trials/%04d/log.jsonl", n);
        put_text(folder, name, &text);
    } else if (n == 5) {
        tg_json_writer w = {.out = &text};
        tg_json_open(&w, '{');
        tg_json_member_text(&w, "status", "failed");
        tg_json_member_text(&w, "message", hostile);
        tg_json_close(&w, '}');
        snprintf(name, sizeof name, "trials/%04d/failed.json", n);
        put_text(folder, name, &text);
    }
}

static void put_end(tg_str *log, int job, int n, int rung, int steps, double value, const char *status)
{
    tg_json_writer w = {.out = log};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "event", "end");
    tg_json_member_int(&w, "job", job);
    tg_json_member_int(&w, "trial", n);
    tg_json_member_int(&w, "rung", rung);
    tg_json_member_text(&w, "status", status);
    tg_json_member_real(&w, "value", value);
    tg_json_member_int(&w, "steps", steps);
    tg_json_close(&w, '}');
    tg_str_add(log, "\n");
}

static void put_share(tg_json_writer *w, const char *key, double share)
{
    tg_json_open(w, '{');
    tg_json_member_text(w, "key", key);
    tg_json_member_real(w, "share", share);
    tg_json_close(w, '}');
}

static void put_ranking(const char *folder, const char *strategy, int trials, bool weights)
{
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "strategy", strategy);
    tg_json_member_text(&w, "metric", "val_loss");
    tg_json_member_raw(&w, "axes", "[{\"key\": \"lr\", \"kind\": \"real\", \"log\": true, \"low\": 0.0001, \"high\": 0.01}, "
                       "{\"key\": \"hidden\", \"kind\": \"choice\", \"choices\": [32, 64, 128]}, "
                       "{\"key\": \"model\", \"kind\": \"choice\", \"choices\": [\"lstm\", \"gru\", \"\u6a21\u578b<b>\"]}]");
    tg_json_key(&w, "ranking");
    tg_json_open(&w, '[');
    for (int n = trials - 1; n >= 0; n--) { /* in any order: the view sorts */
        const made_trial t = make_trial(n);
        tg_json_open(&w, '{');
        tg_json_member_int(&w, "trial", n);
        tg_json_member_text(&w, "status", t.status);
        tg_json_member_real(&w, "value", t.value);
        tg_json_member_int(&w, "steps", t.steps);
        put_values(&w, &t);
        tg_json_close(&w, '}');
    }
    tg_json_close(&w, ']');
    tg_json_key(&w, "importance");
    tg_json_open(&w, '[');
    if (weights) put_share(&w, "hidden", 0.08);
    if (weights) put_share(&w, "lr", 0.61);
    put_share(&w, "model", NAN);
    tg_json_close(&w, ']');
    tg_json_close(&w, '}');
    put_text(folder, "ranking.json", &text);
}

/* asha: three trials of four are trained for 100 steps, the fourth for 300, in two jobs. */
static const char *make_study(const char *folder, const char *name, const char *strategy, int trials)
{
    const bool asha = !strcmp(strategy, "asha");
    static char study[4200]; /* until the next one */
    tg_str text = {0}, log = {0};
    snprintf(study, sizeof study, "%.4000s/%s", folder, name);
    CHECK_OK(tg_make_folder(study));
    tg_str_add(&text, "{\"data\": \"/d/\u6570\u636e.safetensors\"}");
    put_text(study, "study.json", &text);
    for (int n = 0, job = 0; n < trials; n++) {
        made_trial t = make_trial(n);
        put_end(&log, job++, n, 0, asha ? 100 : 300, t.value + (asha ? 0.3 : 0), t.status);
        if (asha && n % 4 == 3) put_end(&log, job++, n, 1, 300, t.value, t.status);
        if (n < 20 || n == 32) put_trial(study, n, &t); /* a trial's folder may be gone */
    }
    tg_str_add(&log, "{\"event\": \"end\", \"jo"); /* killed */
    put_text(study, "study.jsonl", &log);
    put_ranking(study, strategy, trials, trials > 10);
    return study;
}

static char *page_of(const char *study, tg_lang lang)
{
    char *html = NULL, *path = tg_path_join(study, "study.html");
    int64_t length = 0;
    CHECK_OK(tg_study_page(study, lang));
    CHECK_OK(tg_file_slurp(path, 1 << 26, &html, &length));
    tg_free(path);
    return html;
}

/* ---- what is read ------------------------------------------------------------------------------------------------------- */

TEST(a_study_is_seen_as_its_files_tell_of_it)
{
    tg_study_view *v;
    CHECK_OK(tg_study_view_open(make_study(test_folder(), "a", "asha", 40), &v));
    CHECK_INT(v->count, 40);
    CHECK_INT(v->ok, 38);
    CHECK(v->trials[0].value < v->trials[1].value && isnan(v->trials[38].value) && v->trials[37].number == 11);
    CHECK_TEXT(v->trials[38].message, hostile);
    CHECK(v->trials[39].message == NULL);
    CHECK_INT(v->weight_count, 2); /* nobody knows of the third */
    CHECK_TEXT(v->weighed[0], "lr");
    CHECK_INT(v->axis_count, 3);
    CHECK(v->axes[0].log && !v->axes[0].names && v->axes[1].name_count == 3 && !v->axes[1].log);
    CHECK_TEXT(v->axes[2].names[1], "gru");
    CHECK(v->rungs && v->end_count == 50);
    CHECK(v->ends[3].spent == 400 && v->ends[4].spent == 600 && v->ends[4].trial == 3);
    CHECK(v->ends[49].spent == 40 * 100 + 10 * 200);
    for (int64_t i = 0; i < v->count; i++) {
        const tg_view_trial *t = &v->trials[i];
        const made_trial m = make_trial((int)t->number);
        CHECK(tg_study_view_place(v, t, &v->axes[0]) == m.lr);
        CHECK(tg_study_view_place(v, t, &v->axes[2]) == m.model);
        const double at = tg_study_view_place(v, t, &v->axes[1]);
        CHECK(m.model == 1 ? isnan(at) && !tg_study_view_text(v, t, "hidden") : at == t->number % 3);
    }
    tg_study_view_close(v);
}

TEST(files_that_are_no_study_are_refused_by_name)
{
    const char *folder = test_folder();
    tg_study_view *v = NULL;
    CHECK_ERROR(tg_study_view_open(folder, &v), TG_EIO, "study.json");
    CHECK_OK(tg_write_file(in(folder, "study.json"), "{}", 2));
    CHECK_ERROR(tg_study_view_open(folder, &v), TG_EIO, "ranking.json");
    CHECK_OK(tg_write_file(in(folder, "ranking.json"), "[1]", 3));
    CHECK_ERROR(tg_study_view_open(folder, &v), TG_EFORMAT, "ranking.json: no ranking");
    CHECK(v == NULL);
}

/* ---- what is shown ------------------------------------------------------------------------------------------------------ */

/* tests/e2e/pages.sh has them written to a folder of its own, and opens them in a browser. */
TEST(pages_of_studies_are_whole_and_safe)
{
    const char *given = getenv("TG_TEST_PAGES"), *folder = given ? given : test_folder();
    static const struct { const char *name, *strategy; int trials; tg_lang lang; } made[] = {
        {"study-tpe", "tpe", 40, TG_EN}, {"study-asha", "asha", 40, TG_ZH}, {"study-one", "grid", 1, TG_EN},
        {"study-many", "random", 3000, TG_ZH}};
    char command[1000], line[200];
    int64_t pages = 0;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        tg_str path = {0};
        char *html = page_of(make_study(test_folder(), made[i].name, made[i].strategy, made[i].trials), made[i].lang);
        CHECK(!strstr(html, "<script") && !strstr(html, "\x1b") && !strstr(html, "\u202e") && !strstr(html, "\u578b<b>"));
        CHECK(strlen(html) < 3000000);
        if (made[i].trials > 5)
            CHECK(strstr(html, "&lt;script&gt;") && strstr(html, "\u8bad\u7ec3\u53d1\u6563") && strstr(html, "\u578b&lt;b&gt;"));
        tg_str_addf(&path, "%s/%s.html", folder, made[i].name);
        CHECK_OK(tg_write_file(path.data, html, (int64_t)strlen(html)));
        tg_str_free(&path);
        tg_free(html);
    }
    snprintf(command, sizeof command, "tests/support/html_page.py '%s'/study-*.html", folder);
    FILE *f = python_start(command);
    for (; fgets(line, sizeof line, f); pages++) test_note("%.*s", (int)strcspn(line, "\n"), line);
    python_end(f, pages);
}

TEST(the_page_says_how_to_train_the_best_again)
{
    char *html = page_of(make_study(test_folder(), "it's a study", "tpe", 12), TG_EN);
    CHECK(strstr(html, "gen-train --config &#39;") && strstr(html, "it&#39;\\&#39;&#39;s a study/best.json&#39; -o runs/best"));
    CHECK(strstr(html, "<tr class=\"best\"><th scope=\"row\">1. trials/00"));
    CHECK(strstr(html, ">61 %</text>") && strstr(html, ">8 %</text>"));
    tg_free(html);
}

TEST(a_study_in_which_all_failed_has_a_page_that_says_so)
{
    const char *study = make_study(test_folder(), "none", "random", 1);
    tg_str text = {0};
    tg_str_add(&text, "{\"strategy\": \"random\", \"metric\": \"bpc\", \"ranking\": [{\"trial\": 0, \"status\": \"failed\", "
                      "\"value\": null, \"message\": \"out of <luck>\", \"values\": {}}]}");
    put_text(study, "ranking.json", &text);
    char *html = page_of(study, TG_EN);
    CHECK(strstr(html, "out of &lt;luck&gt;") && !strstr(html, "gen-train"));
    tg_free(html);
}
