/* A study of a built-in function: killed anywhere it goes on, with what it has and no more; what it tells is right. */
#include "run/tune/study.h"

#include <math.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "run/tune/objective.h"
#include "support/files.h"

/* gen-tune beside this program. */
static const char *program(void)
{
    static char path[4200];
    char *self = NULL;
    CHECK_OK(tg_process_program("unit", &self));
    snprintf(path, sizeof path, "%.4000s/gen-tune", strrchr(self, '/') ? (*strrchr(self, '/') = '\0', self) : ".");
    tg_free(self);
    if (tg_path_kind(path) != TG_PATH_FILE) test_skip("gen-tune is not built");
    return path;
}

/* What the output hook was given. */
static char told[1 << 16];

static tg_status keep(void *user, const char *bytes, int64_t count)
{
    (void)user;
    snprintf(told, sizeof told, "%.*s", (int)count, bytes);
    return TG_OK;
}

/* A search of an objective in a folder; by, NULL: gen-tune, else what is started in its place. failing: the allocation of the search's
 * own that fails; 0: none. */
static tg_status search_failing(const char *folder, const char *by, const char *const *settings, int64_t failing)
{
    tg_search_options o;
    tg_train_options train;
    tg_key rows[TG_SEARCH_ROWS];
    tg_keys *keys;
    tg_context *ctx;
    tg_search_train_rows(rows);
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .output = keep}, &ctx));
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, "search", tg_search_keys, &o));
    CHECK_OK(tg_keys_add(keys, "training", rows, &train));
    o.objective = "branin";
    o.out = folder;
    o.program = by ? by : program();
    o.json = true;
    o.trials = 2;
    for (; *settings; settings += 2) CHECK_OK(tg_keys_set(keys, settings[0], settings[1], TG_FROM_FLAG));
    tg_alloc_fail_at(failing, false);
    tg_status s = tg_search(ctx, &o, &train, NULL, keys);
    tg_alloc_fail_at(0, false);
    tg_keys_free(keys);
    tg_context_free(ctx);
    return s;
}

static tg_status search(const char *folder, const char *by, const char *const *settings)
{
    return search_failing(folder, by, settings, 0);
}

static const char *const none[] = {NULL};

static int64_t times(const char *text, const char *what)
{
    int64_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++) n++;
    return n;
}

static int64_t lines_with(const char *path, const char *what)
{
    char *text = NULL;
    int64_t length = 0;
    if (tg_path_kind(path) == TG_PATH_NONE) return 0;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &text, &length));
    const int64_t n = times(text, what);
    tg_free(text);
    return n;
}

static char *slurp(const char *path)
{
    char *text = NULL;
    int64_t length = 0;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &text, &length));
    return text;
}

static void job(const char *folder)
{
    (void)search(folder, NULL, none);
}

TEST(a_search_killed_before_any_call_goes_on_to_the_same_ranking)
{
    const char *top = test_folder(), *whole = in(top, "whole");
    CHECK_OK(search(whole, NULL, none));
    char *want = slurp(in(whole, "ranking.json")), name[32];
    bool alive = false;
    int n = 0;
    for (n = 1; !alive; n += 3) {
        snprintf(name, sizeof name, "%d", n);
        const char *folder = in(top, name);
        alive = survives(n, job, folder);
        CHECK_OK(search(folder, NULL, none));
        holds(in(folder, "ranking.json"), want);
        CHECK_INT(lines_with(in(folder, "study.jsonl"), "\"end\""), 2);
    }
    test_note("killed before each third of %d calls", n);
    CHECK(n > 60);
    tg_free(want);
}

TEST(a_search_that_has_ended_starts_nothing_and_tells_the_same)
{
    const char *folder = in(test_folder(), "s");
    CHECK_OK(search(folder, NULL, none));
    char *want = slurp(in(folder, "ranking.json")), *log = slurp(in(folder, "study.jsonl"));
    CHECK_OK(search(folder, "/nowhere/gen-tune", none));
    holds(in(folder, "ranking.json"), want);
    holds(in(folder, "study.jsonl"), log);
    tg_free(want);
    tg_free(log);
}

TEST(half_a_line_at_the_end_of_the_log_is_dropped_and_half_a_line_within_is_refused)
{
    const char *folder = in(test_folder(), "s"), *path = in(folder, "study.jsonl");
    CHECK_OK(search(folder, NULL, none));
    char *log = slurp(path), *want = slurp(in(folder, "ranking.json"));
    log[strlen(log) - 20] = '\0';
    put(path, log);
    CHECK_OK(search(folder, NULL, none));
    holds(in(folder, "ranking.json"), want);
    CHECK_INT(lines_with(path, "\"end\""), 2);
    *strchr(log, '}') = ' ';
    put(path, log);
    CHECK_ERROR(search(folder, NULL, none), TG_EFORMAT, "study.jsonl, line 1");
    tg_free(log);
    tg_free(want);
}

TEST(no_line_of_a_log_is_believed_beyond_what_a_study_writes)
{
    static const char *const bad[] = {
        "nonsense", "", "5", "{}", "[1]", "{\"event\": \"end\"}", "{\"event\": 5}",
        "{\"event\": \"end\", \"job\": 9999998, \"trial\": 1, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": 1}",
        "{\"event\": \"end\", \"job\": -1, \"trial\": 1, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": 1}",
        "{\"event\": \"end\", \"job\": 0, \"trial\": 0, \"rung\": 0, \"steps\": 1, \"status\": \"open\", \"value\": 1}",
        "{\"event\": \"end\", \"job\": 0, \"trial\": 0, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": null}",
        "{\"event\": \"end\", \"job\": 0, \"trial\": 0, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": NaN}",
        "{\"event\": \"end\", \"job\": 0, \"trial\": 0, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": \"x\"}"};
    const char *folder = in(test_folder(), "s"), *path = in(folder, "study.jsonl");
    char text[400];
    CHECK_OK(search(folder, NULL, none));
    char *want = slurp(in(folder, "ranking.json"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"event\": \"pause\"}\n%s\n", bad[i]);
        put(path, text);
        CHECK_ERROR(search(folder, NULL, none), TG_EFORMAT, "study.jsonl, line 2 (left out, the trial's folder is asked anew): ");
        holds(path, text);
    }
    put(path, "{\"event\": \"end\", \"job\": 0, \"trial\": 1, \"rung\": 0, \"steps\": 1, \"status\": \"ok\", \"value\": 1}\n");
    CHECK_ERROR(search(folder, NULL, none), TG_EFORMAT, "job 0 was of trial 1, rung 0, and should be of trial 0, rung 0");
    put(path, "{\"event\": \"end\", \"job\": 0, \"trial\": 0, \"rung\": 1, \"steps\": 1, \"status\": \"ok\", \"value\": 1}\n");
    CHECK_ERROR(search(folder, NULL, none), TG_EFORMAT, "job 0 was of trial 0, rung 1, and should be of trial 0, rung 0");
    put(path, "{\"event\": \"pause\", \"elapsed\": -1e300}\n"); /* whatever comes of it, it ends */
    CHECK_OK(search(folder, NULL, none));
    holds(in(folder, "ranking.json"), want);
    tg_free(want);
}

/* Results that are forged, or another program's. */
TEST(a_result_without_the_metric_is_a_mistake_until_another_trial_has_it)
{
    const char *folder = in(test_folder(), "s");
    CHECK_OK(search(folder, NULL, none));
    put(in(folder, "study.jsonl"), "");
    put(in(folder, "trials/0001/result.json"), "{\"bpc\": 2, \"steps\": 3}\n");
    CHECK_OK(search(folder, NULL, none));
    CHECK(strstr(told, "\"trial\": 1, \"status\": \"failed\", \"value\": null") != NULL);
    CHECK_INT(lines_with(in(folder, "study.jsonl"), "its result.json has no val_loss"), 1);
    put(in(folder, "study.jsonl"), "");
    put(in(folder, "trials/0000/result.json"), "{\"bpc\": 2, \"steps\": 3}\n");
    CHECK_ERROR(search(folder, NULL, none), TG_EUSAGE, "no such number in a trial's result.json; there are: bpc, steps");
    put(in(folder, "trials/0000/result.json"), "[1]\n");
    CHECK_ERROR(search(folder, NULL, none), TG_EUSAGE, "there are: none");
    for (int i = 0; i < 2; i++) put(in(folder, i ? "trials/0001/result.json" : "trials/0000/result.json"), "{\"val_loss\": null}\n");
    CHECK_ERROR(search(folder, NULL, none), TG_EINVAL, "no trial came to a result");
}

TEST(a_trial_is_chosen_without_the_results_of_as_many_before_it_as_lag_says)
{
    enum { N = 24, LAG = 3 };
    const char *folder = in(test_folder(), "s"), *const tpe[] = {"strategy", "tpe", "trials", "24", "lag", "3", NULL};
    const tg_strategy_options o = {.kind = TG_STRATEGY_TPE, .trials = N, .lag = LAG, .seed = 1};
    const tg_objective *objective;
    tg_space *space;
    tg_tune_job jobs[N];
    CHECK_OK(search(folder, NULL, tpe));
    CHECK_OK(tg_objective_find("branin", &objective));
    CHECK_OK(tg_space_parse(NULL, 0, NULL, "branin", &space));
    for (int64_t k = 0; k < N; k++) {
        bool more = false, wait = false;
        tg_str want = {0};
        tg_json_writer w = {.out = &want};
        CHECK_OK(tg_strategy_next(&o, space, jobs, k, k > LAG ? k - LAG : 0, &jobs[k], &more, &wait));
        CHECK(more && !wait);
        jobs[k].value = objective->value(space, &jobs[k].point, 1);
        tg_str_addf(&want, "\"trial\": %d, \"status\": \"ok\", \"value\": ", (int)k);
        tg_json_put_real(&w, jobs[k].value);
        CHECK(!want.failed);
        if (!strstr(told, want.data)) test_failed(__FILE__, __LINE__, "trial %d is another: %s was not told", (int)k, want.data);
        tg_str_free(&want);
    }
    tg_space_free(space);
}

/* The ends that a log tells of, by their jobs, a line each, but for times. */
static char *ends_of(const char *log)
{
    tg_str out = {0};
    char name[64];
    const char *at = log;
    for (int job = 0; at; job++) {
        snprintf(name, sizeof name, "\"end\", \"job\": %d,", job);
        at = strstr(log, name);
        if (at) tg_str_add_n(&out, at, strstr(at, "\"seconds\"") - at);
        tg_str_add(&out, "\n");
    }
    CHECK(!out.failed);
    return out.data;
}

TEST(each_rung_has_a_result_of_its_own_steps)
{
    const char *folder = in(test_folder(), "s"), *const asha[] = {"strategy", "asha", "trials", "9", "steps", "90", "rungs", "3", NULL};
    CHECK_OK(search(folder, NULL, asha));
    char *log = slurp(in(folder, "study.jsonl")), *ends = ends_of(log);
    CHECK_INT(times(ends, "\"rung\": 0, \"until\": 10, "), 9);
    CHECK_INT(times(ends, "\"steps\": 10,"), 9);
    CHECK_INT(times(ends, "\"rung\": 1, \"until\": 30, "), 3);
    CHECK_INT(times(ends, "\"steps\": 30,"), 3);
    CHECK_INT(times(ends, "\"rung\": 2, \"until\": 0, "), 1);
    CHECK_INT(times(ends, "\"steps\": 90,"), 1);
    tg_free(ends);
    tg_free(log);
}

/* A power cut keeps files that were waited for, and of the log what had reached the disk. */
TEST(a_log_that_lost_its_last_lines_comes_to_the_same_also_where_trials_went_on_since)
{
    const char *folder = in(test_folder(), "s"), *path = in(folder, "study.jsonl");
    const char *const asha[] = {"strategy", "asha", "trials", "9", "steps", "90", "rungs", "3", NULL};
    CHECK_OK(search(folder, NULL, asha));
    char *log = slurp(path), *want = slurp(in(folder, "ranking.json")), *ends = ends_of(log);
    const int64_t lines = lines_with(path, "\n");
    for (int64_t keep = 0; keep <= lines; keep++) {
        char *end = log;
        for (int64_t i = 0; i < keep; i++) end = strchr(end, '\n') + 1;
        const char cut = *end;
        *end = '\0';
        put(path, log);
        *end = cut;
        CHECK_OK(search(folder, NULL, asha));
        holds(in(folder, "ranking.json"), want);
        char *now = slurp(path), *got = ends_of(now);
        CHECK_TEXT(got, ends);
        tg_free(now);
        tg_free(got);
    }
    test_note("lost each number of %lld lines", (long long)lines);
    tg_free(ends);
    tg_free(want);
    tg_free(log);
}

TEST(a_budget_is_of_all_sessions)
{
    const char *folder = in(test_folder(), "s"), *log = in(folder, "study.jsonl");
    const char *const small[] = {"budget", "1h", NULL}, *const large[] = {"budget", "100h", NULL};
    CHECK_ERROR(search(folder, "/bin/false", none), TG_EIO, "trial 0 ended without a result");
    put(log, "{\"event\": \"pause\", \"elapsed\": 3601}\n");
    CHECK_OK(search(folder, "/bin/false", small)); /* nothing is started */
    CHECK_INT(lines_with(log, "\"start\""), 0);
    CHECK_INT(lines_with(log, "\"elapsed\": 3601."), 1);
    CHECK_OK(search(folder, NULL, large));
    CHECK_INT(lines_with(log, "\"status\": \"ok\""), 2);
    CHECK_OK(search(folder, NULL, small)); /* all is known: it costs nothing to tell */
    CHECK(strstr(told, "\"trials\": [{\"rank\": 1") != NULL);
}

TEST(settings_that_a_trial_was_begun_with_are_not_written_anew)
{
    const char *folder = in(test_folder(), "s"), *config = in(folder, "trials/0001/config.json");
    CHECK_OK(search(folder, NULL, none));
    put(in(folder, "study.jsonl"), "");
    CHECK_OK(tg_remove(in(folder, "trials/0001/result.json")));
    put(config, "{}\n"); /* as gen-train has resolved them */
    CHECK_OK(search(folder, NULL, none));
    holds(config, "{}\n");
}

TEST(another_study_is_refused_with_what_differs_until_force_removes_it)
{
    const char *folder = in(test_folder(), "s"), *const other[] = {"seed", "2", NULL}, *const anew[] = {"seed", "2", "force", "true", NULL};
    CHECK_OK(search(folder, NULL, none));
    put(in(folder, "notes.txt"), "mine");
    CHECK_ERROR(search(folder, NULL, other), TG_EINVAL, "its seed is 1, and now it would be 2");
    CHECK_OK(search(folder, NULL, anew));
    CHECK_INT(lines_with(in(folder, "study.jsonl"), "\"end\""), 2);
    holds(in(folder, "notes.txt"), "mine");
    CHECK_ERROR(search(folder, NULL, none), TG_EINVAL, "its seed is 2, and now it would be 1");
    const char *const metric[] = {"seed", "2", "metric", "steps", NULL}, *const same[] = {"seed", "2", NULL};
    CHECK_ERROR(search(folder, NULL, metric), TG_EINVAL, "its metric is \"val_loss\", and now it would be \"steps\"");
    char *spec = slurp(in(folder, "study.json")), *end = strrchr(spec, '}'), more[4096];
    snprintf(more, sizeof more, "%.*s, \"novel\": 1}\n", (int)(end - spec), spec);
    put(in(folder, "study.json"), more); /* of a later version, say */
    CHECK_ERROR(search(folder, NULL, same), TG_EINVAL, "its novel is 1, and now it would be not said");
    put(in(folder, "study.json"), spec);
    CHECK_OK(search(folder, NULL, same));
    tg_free(spec);
}

TEST(force_leaves_all_as_it_is_while_somebody_is_at_a_trial)
{
    const char *folder = in(test_folder(), "s"), *const anew[] = {"seed", "2", "force", "true", NULL};
    tg_lock *lock;
    CHECK_OK(search(folder, NULL, none));
    char *want = slurp(in(folder, "study.jsonl"));
    CHECK_OK(tg_lock_take(in(folder, "trials/0001/run.lock"), &lock));
    CHECK_ERROR(search(folder, NULL, anew), TG_EBUSY, "0001/run.lock: in use by pid");
    holds(in(folder, "study.jsonl"), want);
    CHECK_INT(tg_path_kind(in(folder, "trials/0000/result.json")), TG_PATH_FILE);
    tg_lock_release(lock);
    CHECK_OK(search(folder, NULL, anew));
    tg_free(want);
}

static void force(const char *folder)
{
    static const char *const anew[] = {"force", "true", NULL};
    (void)search(folder, NULL, anew);
}

TEST(force_killed_before_any_call_leaves_a_study_that_goes_on)
{
    const char *folder = in(test_folder(), "s");
    CHECK_OK(search(folder, NULL, none));
    char *want = slurp(in(folder, "ranking.json"));
    bool alive = false;
    int n = 0;
    for (n = 1; !alive; n += n < 48 ? 1 : 16) {
        alive = survives(n, force, folder);
        CHECK_OK(search(folder, NULL, none));
        holds(in(folder, "ranking.json"), want);
    }
    test_note("killed before %d calls", n);
    tg_free(want);
}

TEST(more_trials_go_on_with_those_there_are_to_what_as_many_at_once_come_to)
{
    static const char *const strategies[] = {"random", "grid", "tpe"};
    const char *top = test_folder();
    for (int i = 0; i < 3; i++) {
        const char *const few[] = {"strategy", strategies[i], "trials", "12", NULL};
        const char *const many[] = {"strategy", strategies[i], "trials", "16", NULL};
        const char *folder = in(top, strategies[i]), *whole = in(folder, "whole"), *grown = in(folder, "grown");
        CHECK_OK(search(whole, NULL, many));
        CHECK_OK(search(grown, NULL, few));
        CHECK_OK(search(grown, NULL, many));
        char *want = slurp(in(whole, "ranking.json"));
        holds(in(grown, "ranking.json"), want);
        CHECK_INT(lines_with(in(grown, "study.jsonl"), "\"start\""), 16);
        CHECK_ERROR(search(grown, NULL, few), TG_EINVAL, "its trials is 16, and now it would be 12");
        tg_free(want);
    }
    const char *const asha[] = {"strategy", "asha", "trials", "9", "steps", "90", NULL};
    const char *const more[] = {"strategy", "asha", "trials", "12", "steps", "90", NULL};
    CHECK_OK(search(in(top, "asha"), NULL, asha));
    CHECK_ERROR(search(in(top, "asha"), NULL, more), TG_EINVAL, "its trials is 9, and now it would be 12");
}

TEST(a_folder_of_other_things_is_nobodys_study)
{
    const char *folder = test_folder(), *const anew[] = {"force", "true", NULL};
    put(in(folder, "notes.txt"), "mine");
    CHECK_ERROR(search(folder, NULL, none), TG_EINVAL, "is not a study's folder");
    CHECK_ERROR(search(folder, NULL, anew), TG_EINVAL, "is not a study's folder");
    CHECK_ERROR(search(in(folder, "notes.txt"), NULL, none), TG_EINVAL, "is a file");
    holds(in(folder, "notes.txt"), "mine");
}

TEST(two_searches_of_one_study_are_one_too_many)
{
    const char *folder = in(test_folder(), "s");
    tg_lock *lock;
    CHECK_OK(search(folder, NULL, none));
    CHECK_OK(tg_lock_take(in(folder, "study.lock"), &lock));
    CHECK_ERROR(search(folder, NULL, none), TG_EBUSY, "study.lock: in use by pid");
    tg_lock_release(lock);
    CHECK_OK(search(folder, NULL, none));
}

/* A program that does something in place of a trial's first starts. */
static const char *script(const char *folder, const char *text)
{
    const char *path = in(folder, "trial.sh");
    put(path, text);
    CHECK_INT(chmod(path, 0755), 0);
    return path;
}

TEST(a_trial_that_dies_is_started_again_and_after_three_times_it_has_failed)
{
    const char *top = test_folder(), *folder = in(top, "s"), *other = in(top, "t");
    char text[9000];
    /* The first two starts of trial 1 die. */
    snprintf(text, sizeof text, "#!/bin/sh\n[ $2 = 0 ] || mkdir %s/once 2> /dev/null || mkdir %s/twice 2> /dev/null || exec '%s' \"$@\"\n"
             "[ $2 = 0 ] && exec '%s' \"$@\"\nkill -9 $$\n", top, top, program(), program());
    CHECK_OK(search(folder, script(top, text), none));
    CHECK_INT(lines_with(in(folder, "study.jsonl"), "\"status\": \"ok\""), 2);
    CHECK_INT(tg_path_kind(in(top, "twice")), TG_PATH_FOLDER);
    snprintf(text, sizeof text, "#!/bin/sh\n[ $2 = 0 ] || { echo >> %s/deaths; kill -9 $$; }\nexec '%s' \"$@\"\n", top, program());
    CHECK_OK(search(other, script(top, text), none));
    holds(in(top, "deaths"), "\n\n\n");
    holds(in(other, "trials/0001/failed.json"), "{\"status\": \"failed\", \"message\": \"its process was ended by signal 9, 3 times; "
          "gen-train --resume -o STUDY/trials/0001 may say why\"}\n");
    CHECK(strstr(told, "\"trial\": 1, \"status\": \"failed\", \"value\": null") != NULL);
    CHECK_OK(search(other, NULL, none)); /* and stays so */
    CHECK_INT(lines_with(in(other, "study.jsonl"), "\"status\": \"failed\""), 1);
}

TEST(a_search_without_any_result_has_failed)
{
    const char *top = test_folder();
    CHECK_ERROR(search(in(top, "s"), script(top, "#!/bin/sh\nkill -9 $$\n"), none), TG_EINVAL, "no trial came to a result");
}

TEST(a_process_that_ends_by_itself_without_a_result_ends_the_search_and_costs_no_trial)
{
    const char *folder = in(test_folder(), "s"), *log = in(folder, "study.jsonl");
    CHECK_ERROR(search(folder, "/bin/false", none), TG_EIO, "trial 0 ended without a result, exit code 1, 3 times; gen-tune trial 0 -o");
    CHECK_INT(lines_with(log, "\"end\""), 0);
    CHECK_INT(tg_path_kind(in(folder, "trials/0000/failed.json")), TG_PATH_NONE);
    CHECK_OK(search(folder, NULL, none)); /* what was wrong is mended */
    CHECK_INT(lines_with(log, "\"status\": \"ok\""), 2);
}

/* What make and Slurm do not tell: how a process ended. */
TEST(of_an_end_that_nobody_saw_the_lock_left_behind_tells_whose_fault_it_was)
{
    const char *folder = in(test_folder(), "s");
    const tg_search_options o = {.objective = "branin", .out = folder, .metric = "val_loss", .trials = 2, .program = "/bin/true"};
    const tg_train_options train = {0};
    tg_keys *keys;
    CHECK_OK(tg_keys_new(&keys));
    tg_study s = {.o = &o, .train = &train, .keys = keys, .strategy = {.trials = 2, .seed = 1}};
    CHECK_OK(tg_study_open(&s));
    for (int64_t k = 0; k < 2; k++) {
        int64_t job;
        bool run, again = true;
        CHECK_OK(tg_study_next(&s, &job));
        CHECK_OK(tg_study_prepare(&s, job, &run));
        CHECK_OK(tg_study_begin(&s, job));
        for (int i = 1; i < TG_STUDY_ATTEMPTS; i++) {
            CHECK_OK(tg_study_end_job(&s, job, -1, &again));
            CHECK(again);
        }
        if (k == 0) put(in(folder, "trials/0000/run.lock"), "pid 1 on another machine\n");
        const tg_status ended = tg_study_end_job(&s, job, -1, &again);
        CHECK(!again);
        if (k == 0) CHECK_OK(ended);
        else CHECK_ERROR(ended, TG_EIO, "trial 1 ended without a result, 3 times; gen-tune trial 1 -o ");
        CHECK_INT(s.jobs[job].known, k == 0);
    }
    holds(in(folder, "trials/0000/failed.json"), "{\"status\": \"failed\", \"message\": \"its process was ended, 3 times; "
          "gen-train --resume -o STUDY/trials/0000 may say why\"}\n");
    tg_study_close(&s);
    tg_keys_free(keys);
}

TEST(memory_may_fail_anywhere_and_the_study_goes_on)
{
    const char *folder = in(test_folder(), "s");
    CHECK_OK(search(folder, NULL, none));
    const int64_t before = tg_alloc_count();
    CHECK_OK(search(folder, NULL, none));
    const int64_t calls = tg_alloc_count() - before;
    char *want = slurp(in(folder, "ranking.json")), *log = slurp(in(folder, "study.jsonl"));
    for (int64_t n = 1; n <= calls; n++) {
        const tg_status s = search_failing(folder, NULL, none, n);
        CHECK(!s || s == TG_ENOMEM); /* a note to people may be left out */
    }
    test_note("each of %lld allocations failed", (long long)calls);
    holds(in(folder, "ranking.json"), want);
    holds(in(folder, "study.jsonl"), log);
    tg_free(want);
    tg_free(log);
}

/* ---- ranking and importance, without a folder */

/* Two axes: x from 0 to 1, and a choice of three. */
static void make_study(tg_study *s, tg_space *space, int64_t n)
{
    static const char *const choices[] = {"a", "b", "c"};
    *space = (tg_space){.count = 2, .model_axis = -1};
    space->axes[0] = (tg_axis){.key = "x", .kind = TG_AXIS_REAL, .low = 0, .high = 1, .models = ~UINT64_C(0)};
    space->axes[1] = (tg_axis){.key = "kind", .kind = TG_AXIS_CHOICE, .count = 3, .choices = choices, .models = ~UINT64_C(0)};
    *s = (tg_study){.space = space, .count = n};
    s->jobs = calloc((size_t)n, sizeof *s->jobs);
    s->runs = calloc((size_t)n, sizeof *s->runs);
    CHECK(s->jobs && s->runs);
}

static void set_job(tg_study *s, int64_t k, double x, int64_t kind, double value)
{
    s->jobs[k] = (tg_tune_job){.trial = k, .point = {{x, (double)kind}}, .known = true, .value = value};
}

static void free_study(tg_study *s)
{
    free(s->jobs);
    free(s->runs);
}

TEST(importance_is_the_share_that_a_hand_computation_says)
{
    /* Ranks of the values: 0 1 2 3; kind a: 0 1, kind b: 2 3. SSW = 1, SST = 5: 1 - (1/2)/(5/3) = 0.7. x: two halves, the same. */
    tg_study s;
    tg_space space;
    double share[TG_AXES];
    make_study(&s, &space, 6);
    for (int64_t k = 0; k < 4; k++) set_job(&s, k, (double)k / 4, k / 2, k < 3 ? (double)(k * k) : (double)NAN); /* failed: the worst */
    set_job(&s, 4, 0.75, 1, -1); /* trained longer than the others: nothing to compare it with */
    s.jobs[4].rung = 1;
    set_job(&s, 5, 0.75, 0, -1); /* runs still */
    s.jobs[5].known = false;
    CHECK_OK(tg_study_importance(&s, share));
    CHECK(fabs(share[0] - 0.7) < 1e-12 && fabs(share[1] - 0.7) < 1e-12);
    for (int64_t k = 0; k < 4; k++) s.jobs[k].point.at[1] = 2; /* never varied: nobody knows */
    CHECK_OK(tg_study_importance(&s, share));
    CHECK(isnan(share[1]));
    for (int64_t k = 0; k < 4; k++) s.jobs[k].value = 1; /* all the same: nothing to explain */
    CHECK_OK(tg_study_importance(&s, share));
    CHECK(isnan(share[0]));
    free_study(&s);
}

TEST(what_has_no_influence_has_no_importance)
{
    enum { N = 300 };
    tg_study s;
    tg_space space;
    double share[TG_AXES];
    make_study(&s, &space, N);
    for (int64_t k = 0; k < N; k++) set_job(&s, k, fmod((double)k * 0.754877666, 1), k % 3, exp(fmod((double)k * 0.754877666, 1)));
    CHECK_OK(tg_study_importance(&s, share));
    test_note("thousandths: x %d, kind %d", (int)(1000 * share[0]), (int)(1000 * share[1]));
    CHECK(share[0] > 0.9 && share[1] < 0.02);
    free_study(&s);
}

TEST(the_ranking_takes_each_trials_last_result_and_ends_with_those_without)
{
    tg_study s;
    tg_space space;
    tg_ranked *list;
    int64_t count;
    make_study(&s, &space, 6);
    for (int64_t k = 0; k < 4; k++) set_job(&s, k, 0, 0, 4 - (double)k); /* trial 3 is the best ... */
    set_job(&s, 4, 0, 0, 0.5); /* ... until 1 is trained on */
    s.jobs[4].trial = 1;
    s.jobs[4].rung = 1;
    s.jobs[0].value = NAN;
    s.jobs[5] = (tg_tune_job){.trial = 4, .value = NAN}; /* runs still */
    CHECK_OK(tg_study_rank(&s, &list, &count));
    CHECK_INT(count, 4);
    const int64_t jobs[] = {4, 3, 2, 0}, ranks[] = {1, 2, 3, 0};
    for (int i = 0; i < 4; i++) {
        CHECK_INT(list[i].job, jobs[i]);
        CHECK_INT(list[i].rank, ranks[i]);
    }
    tg_free(list);
    free_study(&s);
}
