/* Option rows: command lines, config files, messages, help. Expected texts are what a person should read. */
#include "base/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

typedef struct values {
    tg_list sources;
    const char *out, *data;
    int64_t layers, kv_heads, steps, seed, color, big;
    double temperature, beta, time;
    bool labels, force, quiet;
    tg_list metrics;
} values;

static const tg_key rows[] = {
    TG_LIST(values, sources, 0, "SOURCE", TG_KEY_ARGUMENT | TG_KEY_REQUIRED, "what to read"),
    TG_TEXT(values, out, 'o', NULL, "PATH", 0, "where to write"),
    TG_TEXT(values, data, 0, "x.safetensors", "FILE", 0, "data"),
    TG_INT(values, layers, 'l', "2", 1, 64, TG_KEY_RESULT, "how many layers"),
    TG_INT(values, kv_heads, 0, NULL, 1, 64, TG_KEY_RESULT | TG_KEY_AUTO, "heads for keys and values"),
    TG_INT(values, steps, 'n', "50", 1, 9.2e18, 0, "steps"),
    TG_INT(values, seed, 0, "1", 0, 9.2e18, TG_KEY_SEED | TG_KEY_RESULT, "seed"),
    TG_INT(values, big, 0, NULL, -9.3e18, 9.3e18, 0, "any number"),
    TG_CHOICE(values, color, 0, "auto", "auto|always|never", TG_KEY_NO_CONFIG, "colour"),
    TG_REAL(values, temperature, 't', "0.8", 0, 10, TG_KEY_RESULT, "temperature"),
    TG_REAL(values, beta, 0, "1", 0, 1000, TG_KEY_RESULT, "weight"),
    TG_TIME(values, time, 0, NULL, 0, "how long"),
    TG_SWITCH(values, labels, 0, "true", 0, "use labels"),
    TG_SWITCH(values, force, 'f', NULL, TG_KEY_NO_CONFIG, "replace"),
    TG_SWITCH(values, quiet, 'q', NULL, 0, "say nothing"),
    TG_LIST(values, metrics, 'm', "NAME", 0, "what to measure"),
    TG_KEYS_END
};

static values v;

static tg_keys *make(void)
{
    tg_keys *k = NULL;
    CHECK_OK(tg_keys_new(&k));
    CHECK_OK(tg_keys_add(k, "Things", rows, &v));
    return k;
}

/* Words separated by blanks; "" is not possible. */
static tg_status parse(tg_keys *k, const char *words, bool lenient)
{
    char text[512], *argv[32] = {"gen-x"};
    int argc = 1;
    CHECK(strlen(words) < sizeof text);
    memcpy(text, words, strlen(words) + 1);
    for (char *at = text; *at;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at) *at++ = '\0';
    }
    return tg_keys_parse(k, argc, argv, lenient);
}

static void parse_ok(const char *words)
{
    tg_keys *k = make();
    CHECK_OK(parse(k, words, false));
    tg_keys_free(k); /* texts are gone: look at numbers only */
}

static void parse_bad(const char *words, const char *message)
{
    tg_keys *k = make();
    CHECK_INT(parse(k, words, false), TG_EUSAGE);
    CHECK_TEXT(tg_error(), message);
    tg_keys_free(k);
}

TEST(defaults_are_written_when_rows_are_bound)
{
    memset(&v, 0x55, sizeof v);
    tg_keys *k = make();
    CHECK_INT(v.layers, 2);
    CHECK_INT(v.kv_heads, 0);
    CHECK(v.temperature == 0.8 && v.time == 0);
    CHECK(v.labels && !v.force);
    CHECK(v.out == NULL);
    CHECK_TEXT(v.data, "x.safetensors");
    CHECK_INT(v.sources.count, 0);
    CHECK_INT(tg_keys_source(k, "layers"), TG_FROM_DEFAULT);
    tg_keys_free(k);
    tg_keys_free(NULL);
}

TEST(values_follow_their_option_or_are_attached_to_it)
{
    parse_ok("--layers 3 --temperature=0.5 -n7 --kv-heads 4");
    CHECK_INT(v.layers, 3);
    CHECK(v.temperature == 0.5);
    CHECK_INT(v.steps, 7);
    CHECK_INT(v.kv_heads, 4);
    parse_ok("--kv_heads 5 -l 6 -f --big -12");
    CHECK_INT(v.kv_heads, 5);
    CHECK_INT(v.layers, 6);
    CHECK(v.force);
    CHECK_INT(v.big, -12);
}

TEST(endings_k_M_G_multiply_and_only_whole_numbers_pass)
{
    static const struct { const char *text; int64_t want; } good[] = {
        {"--big 10k", 10000}, {"--big 1.5M", 1500000}, {"--big -2G", -2000000000}, {"--big 1.123456M", 1123456},
        {"--big 0.001k", 1}, {"--big 9223372036854775807", INT64_MAX}, {"--big -9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"1.0005k", "1.5", "k", ".5k", "5.k", "1e3", "0x10", "1kk", "9223372036854775808",
                                      "9223372036854775807k", "1.2.3k", "12m", "nan"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        parse_ok(good[i].text);
        CHECK_INT(v.big, good[i].want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_keys *k = make();
        CHECK_ERROR(tg_keys_set(k, "big", bad[i], TG_FROM_FLAG), TG_EUSAGE, "must be a whole number");
        tg_keys_free(k);
    }
}

TEST(messages_name_the_option_the_value_and_what_is_allowed)
{
    parse_bad("--layers 99", "--layers 99: must be 1 to 64");
    parse_bad("-l 0", "--layers 0: must be 1 to 64");
    parse_bad("--steps 0", "--steps 0: must be at least 1");
    parse_bad("--layers two", "--layers two: must be a whole number, 1 to 64");
    parse_bad("--beta -0.5", "--beta -0.5: must be 0 to 1000");
    parse_bad("--beta nan", "--beta nan: must be a number, 0 to 1000");
    parse_bad("--color blue", "--color blue: must be one of auto, always, never");
    parse_bad("--quiet=maybe", "--quiet maybe: must be true or false");
    parse_bad("--time soon", "--time soon: must be a time such as 90s, 10m or 2h");
    parse_bad("--seed x", "--seed x: must be a whole number, at least 0, or random");
}

TEST(an_unknown_option_suggests_the_nearest)
{
    parse_bad("--temprature 1", "unknown option --temprature (did you mean --temperature?)");
    parse_bad("--kv-haeds=2", "unknown option --kv-haeds (did you mean --kv-heads?)");
    parse_bad("--zzzzzz", "unknown option --zzzzzz");
    parse_bad("-x", "unknown option -x");
    parse_bad("-temperature 1", "--temperature emperature: must be a number, 0 to 10");
    parse_bad("--metricss x", "unknown option --metricss (did you mean --metrics?)");
    parse_bad("--sourcesofall x", "unknown option --sourcesofall");
    tg_keys *k = make();
    CHECK_ERROR(tg_keys_set(k, "lyers", "1", TG_FROM_FLAG), TG_EUSAGE,
                "unknown option --lyers (did you mean --layers?)");
    tg_keys_free(k);
}

TEST(unambiguous_beginnings_are_understood_and_ambiguous_ones_name_the_candidates)
{
    parse_ok("--temp 0.25 --lay 9 --kv 2");
    CHECK(v.temperature == 0.25);
    CHECK_INT(v.layers, 9);
    CHECK_INT(v.kv_heads, 2);
    parse_bad("--te=1 --t 3", "--t could be --temperature or --time");
    parse_bad("--no-l=1", "--no-l takes no value");
}

TEST(switches_are_set_and_cleared)
{
    parse_ok("--no-labels --quiet");
    CHECK(!v.labels && v.quiet);
    parse_ok("--no-lab --labels -q --no-quiet");
    CHECK(v.labels && !v.quiet);
    parse_ok("--labels=false --quiet=yes");
    CHECK(!v.labels && v.quiet);
    parse_bad("--no-layers", "--no-layers: --layers is not a switch; give it a value");
}

TEST(times_are_seconds_minutes_hours_days)
{
    static const struct { const char *text; double want; } good[] = {
        {"--time 90", 90}, {"--time 90s", 90}, {"--time 10m", 600}, {"--time 2h", 7200}, {"--time 1h30m", 5400},
        {"--time 1.5h", 5400}, {"--time 1d", 86400}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        parse_ok(good[i].text);
        CHECK(v.time == good[i].want);
    }
    static const char *const bad[] = {"--time h", "--time 5x", "--time 1h30", "--time -5s", "--time 1e9h"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_keys *k = make();
        CHECK_INT(parse(k, bad[i], false), TG_EUSAGE);
        tg_keys_free(k);
    }
}

TEST(a_random_seed_is_a_small_positive_number)
{
    parse_ok("--seed random");
    CHECK(v.seed >= 1 && v.seed <= 999999999);
    int64_t first = v.seed, same = 0;
    for (int i = 0; i < 3; i++) {
        parse_ok("--seed random");
        same += v.seed == first;
    }
    CHECK(same < 3);
}

TEST(arguments_a_dash_and_what_stands_behind_two_dashes)
{
    tg_keys *k = make();
    CHECK_OK(parse(k, "a.txt - --layers 3 -- --layers -q", false));
    CHECK_INT(v.sources.count, 4);
    CHECK_TEXT(v.sources.items[0], "a.txt");
    CHECK_TEXT(v.sources.items[1], "-");
    CHECK_TEXT(v.sources.items[2], "--layers");
    CHECK_TEXT(v.sources.items[3], "-q");
    CHECK_INT(v.layers, 3);
    CHECK(!v.quiet);
    tg_keys_free(k);
}

TEST(text_arguments_take_one_each_and_more_are_refused)
{
    typedef struct two { const char *from, *to; } two;
    static const tg_key two_rows[] = {TG_TEXT(two, from, 0, NULL, "FROM", TG_KEY_ARGUMENT, "x"),
                                      TG_TEXT(two, to, 0, NULL, "TO", TG_KEY_ARGUMENT | TG_KEY_REQUIRED, "goal"),
                                      TG_KEYS_END};
    two t;
    tg_keys *k = NULL;
    CHECK_OK(tg_keys_new(&k));
    CHECK_OK(tg_keys_add(k, "Two", two_rows, &t));
    CHECK_ERROR(tg_keys_check(k), TG_EUSAGE, "TO is missing: goal");
    CHECK_OK(parse(k, "a b", false));
    CHECK_TEXT(t.from, "a");
    CHECK_TEXT(t.to, "b");
    CHECK_OK(tg_keys_check(k));
    CHECK_ERROR(parse(k, "c", false), TG_EUSAGE, "unexpected argument c");
    tg_keys_free(k);
}

TEST(a_list_option_is_given_again_and_again)
{
    tg_keys *k = make();
    for (int i = 0; i < 10; i++) CHECK_OK(parse(k, "-m a --metrics b --metrics=c", false));
    CHECK_INT(v.metrics.count, 30);
    CHECK_TEXT(v.metrics.items[0], "a");
    CHECK_TEXT(v.metrics.items[28], "b");
    tg_keys_free(k);
}

TEST(an_option_without_its_value_says_so)
{
    parse_bad("--out", "--out needs a value: PATH");
    parse_bad("-o", "-o needs a value: PATH");
    parse_bad("--out --force", "--out needs a value: PATH (if --force is it, write --out=--force)");
    parse_ok("--out=--force");
    CHECK(!v.force);
}

TEST(a_lenient_look_passes_over_what_it_does_not_know_and_fills_no_list_twice)
{
    tg_keys *k = make();
    CHECK_OK(parse(k, "a.txt --hidden 3 --layers 4 --beta oops -m one -x --unknown=5 --out", true));
    CHECK_INT(v.layers, 4);
    CHECK_INT(v.sources.count, 0);
    CHECK_INT(v.metrics.count, 1);
    CHECK_OK(parse(k, "a.txt --layers 5 -m one -m two", false));
    CHECK_INT(v.sources.count, 1);
    CHECK_INT(v.metrics.count, 2);
    CHECK_TEXT(v.metrics.items[1], "two");
    CHECK_INT(v.layers, 5);
    tg_keys_free(k);
}

TEST(two_rows_of_one_name_or_letter_are_refused)
{
    typedef struct one { int64_t layers, other; } one;
    static const tg_key same_name[] = {TG_INT(one, layers, 0, NULL, 0, 1, 0, "x"), TG_KEYS_END};
    static const tg_key same_letter[] = {TG_INT(one, other, 'l', NULL, 0, 1, 0, "x"), TG_KEYS_END};
    one o;
    tg_keys *k = make();
    CHECK_ERROR(tg_keys_add(k, "More", same_name, &o), TG_EINVAL, "layers");
    CHECK_ERROR(tg_keys_add(k, "More", same_letter, &o), TG_EINVAL, "other");
    CHECK_ERROR(tg_keys_set(k, "other", "1", TG_FROM_FLAG), TG_EUSAGE, "unknown option --other");
    tg_keys_free(k);
}

TEST(what_is_required_and_missing_is_named)
{
    tg_keys *k = make();
    CHECK_INT(tg_keys_check(k), TG_EUSAGE);
    CHECK_TEXT(tg_error(), "SOURCE is missing: what to read");
    CHECK_OK(parse(k, "x", false));
    CHECK_OK(tg_keys_check(k));
    tg_keys_free(k);
}

/* ---- config files */

static tg_status config(tg_keys *k, const char *text, const char *ignore)
{
    return tg_keys_read_config(k, "c.json", text, (int64_t)strlen(text), ignore, TG_FROM_CONFIG);
}

static void config_bad(const char *text, const char *message)
{
    tg_keys *k = make();
    CHECK_INT(config(k, text, NULL), TG_EUSAGE);
    CHECK_TEXT(tg_error(), message);
    tg_keys_free(k);
}

TEST(flags_win_over_a_config_file_whichever_is_read_first)
{
    static const char text[] =
        "{\"layers\": 7, \"kv-heads\": 3, \"temperature\": 0.5, \"labels\": false, \"out\": \"c\","
        " \"steps\": \"10k\", \"time\": 60, \"beta\": null, \"sources\": [\"p\", \"q\"], \"metrics\": \"m\"}";
    for (int first = 0; first < 2; first++) {
        tg_keys *k = make();
        if (first) CHECK_OK(config(k, text, NULL));
        CHECK_OK(parse(k, "--layers 9 --labels s1 s2 s3", false));
        if (!first) CHECK_OK(config(k, text, NULL));
        CHECK_INT(v.layers, 9);
        CHECK_INT(v.kv_heads, 3);
        CHECK(v.temperature == 0.5 && v.time == 60 && v.beta == 1);
        CHECK(v.labels);
        CHECK_INT(v.steps, 10000);
        CHECK_TEXT(v.out, "c");
        CHECK_INT(v.sources.count, 3);
        CHECK_TEXT(v.sources.items[0], "s1");
        CHECK_INT(v.metrics.count, 1);
        CHECK_INT(tg_keys_source(k, "layers"), TG_FROM_FLAG);
        CHECK_INT(tg_keys_source(k, "kv-heads"), TG_FROM_CONFIG);
        CHECK_INT(tg_keys_source(k, "beta"), TG_FROM_DEFAULT);
        tg_keys_free(k);
    }
}

TEST(what_a_run_was_started_with_yields_to_a_config_file)
{
    tg_keys *k = make();
    static const char run[] = "{\"layers\": 7, \"beta\": 2, \"metrics\": [\"a\"]}";
    CHECK_OK(config(k, "{\"layers\": 5, \"metrics\": [\"b\"]}", NULL));
    CHECK_OK(tg_keys_read_config(k, "run", run, (int64_t)strlen(run), NULL, TG_FROM_RUN));
    CHECK_INT(v.layers, 5);
    CHECK(v.beta == 2);
    CHECK_INT(v.metrics.count, 1);
    CHECK_TEXT(v.metrics.items[0], "b");
    CHECK_INT(tg_keys_source(k, "beta"), TG_FROM_RUN);
    tg_keys_free(k);
}

TEST(a_config_file_read_twice_gives_the_same_lists)
{
    tg_keys *k = make();
    CHECK_OK(config(k, "{\"metrics\": [\"a\", \"b\"]}", "*"));
    CHECK_OK(config(k, "{\"metrics\": [\"a\", \"b\"]}", NULL));
    CHECK_INT(v.metrics.count, 2);
    tg_keys_free(k);
}

TEST(mistakes_in_a_config_file_are_wrong_usage_with_line_and_column)
{
    config_bad("{\n  \"beta\": 2,\n  \"layers\": 99\n}", "c.json:3:3: layers 99: must be 1 to 64");
    config_bad("{\"beta\": 2, \"lyers\": 3}", "c.json:1:13: unknown key lyers (did you mean layers?)");
    config_bad("{\"out\": \"layers\", \"x\": {\"layers\": 1},\n \"layers\": 1.5}", "c.json:1:19: unknown key x");
    config_bad("{\"out\": \"layers\",\n \"layers\": 1.5}", "c.json:2:2: layers 1.5: must be a whole number, 1 to 64");
    config_bad("{\"force\": true}", "c.json:1:2: force is for the command line only");
    config_bad("{\"layers\": [1]}", "c.json:1:2: layers: must be one value, not an array or an object");
    config_bad("{\"l\\u0061yers\": 99}", "c.json: layers 99: must be 1 to 64");
    config_bad("[1]", "c.json: must be a JSON object, {\"key\": value, ...}");
}

TEST(a_config_file_that_is_no_json_is_wrong_usage)
{
    config_bad("{\"layers\": }",
               "c.json:1:12: expected a value (text, number, true, false, null, array or object), found '}'");
}

TEST(chosen_or_all_unknown_members_of_a_config_file_are_passed_over)
{
    tg_keys *k = make();
    static const char text[] = "{\"program\": \"gen-x\", \"version\": \"1\", \"layers\": 5}";
    CHECK_ERROR(config(k, text, "version"), TG_EUSAGE, "unknown key program");
    CHECK_OK(config(k, text, "version,program"));
    CHECK_INT(v.layers, 5);
    CHECK_OK(config(k, text, "*"));
    tg_keys_free(k);
}

/* ---- printing */

TEST(rows_print_as_json_that_reads_back)
{
    tg_keys *k = make();
    CHECK_OK(parse(k, "a b --layers 5 --time 10m --no-labels --color never", false));
    char *json = tg_keys_json(k, 0, TG_KEY_NO_CONFIG);
    CHECK_TEXT(
        json,
        "{\"sources\": [\"a\", \"b\"], \"out\": null, \"data\": \"x.safetensors\", \"layers\": 5, \"kv_heads\": null, "
        "\"steps\": 50, \"seed\": 1, \"big\": 0, \"temperature\": 0.8, \"beta\": 1, \"time\": 600, "
        "\"labels\": false, \"quiet\": false, \"metrics\": []}");
    tg_keys_free(k);
    k = make();
    CHECK_OK(config(k, json, NULL));
    char *again = tg_keys_json(k, 0, TG_KEY_NO_CONFIG);
    CHECK_TEXT(again, json);
    tg_free(again);
    tg_free(json);
    CHECK_OK(tg_keys_set(k, "kv-heads", "8", TG_FROM_RUN)); /* as a step does that has worked it out */
    json = tg_keys_json(k, TG_KEY_RESULT, TG_KEY_SEED);
    CHECK_TEXT(json, "{\"layers\": 5, \"kv_heads\": 8, \"temperature\": 0.8, \"beta\": 1}");
    tg_free(json);
    tg_keys_free(k);
}

TEST(help_is_grouped_aligned_and_wrapped)
{
    typedef struct small { const char *in, *out; int64_t n, kv_heads, kind; double lr; bool tie, labels; } small;
    static const tg_key first[] = {
        TG_TEXT(small, in, 0, NULL, "RUN", TG_KEY_ARGUMENT, "a trained run"),
        TG_TEXT(small, out, 'o', NULL, "PATH", TG_KEY_REQUIRED, "where to write what comes out of all this in the end"),
        TG_INT(small, n, 'n', "50", 1, 100, 0, "how many"), TG_KEYS_END};
    static const tg_key second[] = {
        TG_INT(small, kv_heads, 0, NULL, 1, 1e12, TG_KEY_AUTO, "heads"),
        TG_CHOICE(small, kind, 0, "a", "a|b", 0, "kind"), TG_REAL(small, lr, 0, "0.001", 0, 1, 0, "rate"),
        TG_SWITCH(small, tie, 0, NULL, 0, "tie"), TG_SWITCH(small, labels, 0, "true", 0, "labels"), TG_KEYS_END};
    small s;
    tg_keys *k = NULL;
    CHECK_OK(tg_keys_new(&k));
    CHECK_OK(tg_keys_add(k, "Sampling", first, &s));
    CHECK_OK(tg_keys_add(k, "Model", second, &s));
    char *help = tg_keys_help(k, 60);
    CHECK_TEXT(help, "Sampling:\n"
                     "  RUN                a trained run\n"
                     "  -o, --out PATH     where to write what comes out of all\n"
                     "                     this in the end (required)\n"
                     "  -n, --n N          how many (default 50; 1 to 100)\n"
                     "\n"
                     "Model:\n"
                     "      --kv-heads N   heads (auto)\n"
                     "      --kind a|b     kind (default a)\n"
                     "      --lr X         rate (default 0.001; 0 to 1)\n"
                     "      --tie          tie\n"
                     "      --[no-]labels  labels (on unless told otherwise)\n");
    tg_free(help);
    tg_keys_free(k);
}

/* ---- no memory */

static tg_status everything(const char *text)
{
    tg_keys *k = NULL;
    char *argv[] = {"gen-x", "a", "b", "--out", "o", "--metrics=m", "--no-labels", "--temprature", "1"};
    tg_status s = tg_keys_new(&k);
    if (!s) s = tg_keys_add(k, "Things", rows, &v);
    if (!s) s = tg_keys_parse(k, 7, argv, false);
    if (!s) s = config(k, text, NULL);
    if (!s && tg_keys_parse(k, 9, argv, false) == TG_ENOMEM) s = TG_ENOMEM;
    char *json = s ? NULL : tg_keys_json(k, 0, 0);
    char *help = s ? NULL : tg_keys_help(k, 80);
    if (!s && (!json || !help)) s = TG_ENOMEM;
    tg_free(json);
    tg_free(help);
    tg_keys_free(k);
    return s;
}

TEST(every_allocation_of_option_rows_may_fail)
{
    static const char text[] = "{\"layers\": 7, \"steps\": \"10k\", \"sources\": [\"p\", \"q\"], \"beta\": 2.5}";
    int64_t live = tg_alloc_live(), n = 1;
    for (bool done = false; !done; n++) {
        tg_alloc_fail_at(n, n % 2 == 0);
        tg_status s = everything(text);
        tg_alloc_fail_at(0, false);
        if (s) CHECK_INT(s, TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), live);
        done = s == TG_OK;
    }
    test_note("%lld allocations", (long long)n - 2);
    CHECK(n > 20);
}
