/* Tests of run/tune/space.c and space_parse.c: what an axis may be, and the grid. */
#include "run/tune/space.h"

#include <math.h>

#include "base/alloc.h"
#include "run/tune/objective.h"
#include "support/files.h"

static tg_status parse(const char *const *items, const char *model, const char *objective, tg_space **out)
{
    int64_t n = 0;
    while (items[n]) n++;
    return tg_space_parse(items, n, model, objective, out);
}

#define ITEMS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *const *items, const char *model, const char *says)
{
    tg_space *s = NULL;
    const int64_t before = tg_alloc_live();
    CHECK_ERROR(parse(items, model, NULL, &s), TG_EUSAGE, says);
    CHECK(s == NULL);
    CHECK_INT(tg_alloc_live(), before);
}

static void text_is(const tg_space *s, const char *key, double value, const char *text)
{
    tg_str out = {0};
    tg_space_text(&s->axes[tg_space_find(s, key)], value, &out);
    CHECK_TEXT(out.data, text);
    tg_str_free(&out);
}

/* "a=1 b=x " of what applies. */
static void point_is(const tg_space *s, const tg_point *p, const char *text)
{
    tg_str out = {0};
    for (int i = 0; i < s->count; i++) {
        if (isnan(p->at[i])) continue;
        tg_str_addf(&out, "%s=", s->axes[i].key);
        tg_space_text(&s->axes[i], p->at[i], &out);
        tg_str_add(&out, " ");
    }
    CHECK_TEXT(out.data, text);
    tg_str_free(&out);
}

TEST(axes_are_ranges_and_lists_as_the_rows_of_their_keys_say)
{
    tg_space *s;
    CHECK_OK(parse(ITEMS("lr=1e-4:1e-2:log", "hidden=16:256:log:5", "layers=1:2", "warmup=1k,20", "optimizer=adam,sgd",
                         "layer_norm=no,true", "dropout=0,0.1,0.2", "seed=1:9"), "lstm", NULL, &s));
    CHECK_INT(s->count, 8);
    CHECK_INT(s->model_axis, -1);
    const tg_axis *a = s->axes;
    CHECK(a[0].kind == TG_AXIS_REAL && a[0].log && a[0].low == 1e-4 && a[0].high == 1e-2 && a[0].count == 3);
    CHECK(a[1].kind == TG_AXIS_INT && a[1].log && a[1].low == 16 && a[1].high == 256 && a[1].count == 5);
    CHECK(a[2].kind == TG_AXIS_INT && !a[2].log && a[2].count == 2); /* no more points than there are numbers */
    CHECK(a[3].kind == TG_AXIS_CHOICE && a[3].count == 2 && !a[3].ordered);
    CHECK_TEXT(a[3].choices[0], "1000");
    CHECK_TEXT(a[4].choices[1], "sgd");
    CHECK(!a[4].ordered);
    CHECK_TEXT(a[5].key, "layer-norm");
    CHECK_TEXT(a[5].choices[0], "false");
    CHECK(a[6].ordered);
    CHECK_TEXT(a[6].choices[1], "0.1");
    for (int i = 0; i < s->count; i++) CHECK(~a[i].models == 0);
    text_is(s, "lr", 0.00031, "0.00031");
    text_is(s, "hidden", 64, "64");
    text_is(s, "optimizer", 1, "sgd");
    tg_space_free(s);
}

TEST(an_axis_that_no_trial_could_be_started_with_is_refused)
{
    refused(ITEMS("hiden=64,128"), "lstm", "--space hiden: no key of gen-train or of the model lstm (did you mean hidden?)");
    refused(ITEMS("latent=2,3"), "lstm", "it is a key of vae, gan");
    refused(ITEMS("hidden=0,64"), "lstm", "--space hidden 0: must be 1 to 4096");
    refused(ITEMS("hidden=64:9000"), "lstm", "--space hidden 9000: must be 1 to 4096");
    refused(ITEMS("hidden=64,many"), "lstm", "--space hidden many: must be a whole number");
    refused(ITEMS("hidden=64.5:80"), "lstm", "--space hidden 64.5: must be a whole number");
    refused(ITEMS("hidden=64,,128"), "lstm", "--space hidden: a value is missing");
    refused(ITEMS("hidden="), "lstm", "--space hidden: a value is missing");
    refused(ITEMS("hidden=64,128,64"), "lstm", "--space hidden: 64 is there twice");
    refused(ITEMS("warmup=1000,1k"), "lstm", "--space warmup: 1000 is there twice");
    refused(ITEMS("hidden=64,128", "hidden=32"), "lstm", "--space hidden: that axis has been given");
    refused(ITEMS("min-lr=1,2", "min_lr=3"), "lstm", "--space min_lr: that axis has been given");
    refused(ITEMS("lr=1e-2:1e-4"), "lstm", "change their places");
    refused(ITEMS("lr=1e-2:1e-2"), "lstm", "give a fixed value as a setting");
    refused(ITEMS("dropout=0:0.5:log"), "lstm", "there is no logarithm of 0");
    refused(ITEMS("forget-bias=-1:1:log"), "lstm", "there is no logarithm of");
    refused(ITEMS("lr=1e-4:1e-2:lag"), "lstm", "behind the bounds may stand log");
    refused(ITEMS("lr=1e-4:1e-2:log:1"), "lstm", "behind the bounds may stand log");
    refused(ITEMS("lr=1e-4:1e-2:4:log"), "lstm", "behind the bounds may stand log");
    refused(ITEMS("lr=1:2:log:4:5"), "lstm", "too many parts");
    refused(ITEMS("lr=:1"), "lstm", "--space lr: a value is missing");
    refused(ITEMS("optimizer=adam,adem"), "lstm", "--space optimizer adem: must be one of sgd, rmsprop, adam, adamw, muon");
    refused(ITEMS("optimizer=adam:sgd"), "lstm", "--space optimizer adam:sgd: must be one of");
    refused(ITEMS("tie=1,maybe"), "lstm", "--space tie maybe: must be true or false");
    refused(ITEMS("seed=1,random"), "lstm", "no study could be repeated");
    refused(ITEMS("=1,2"), "lstm", "the name of a key is missing");
    refused(ITEMS("nofile.json"), "lstm", "--space nofile.json: neither key=values");
    refused(ITEMS("hidden=1,2"), NULL, "which model? give --model NAME");
    refused(ITEMS("model=lstm,gru"), "rnn", "the model is given by --model rnn already");
    refused(ITEMS("model=lstm,lstn"), NULL, "--space model: unknown model lstn (did you mean lstm?)");
    refused(ITEMS("model=lstm,gru,lstm"), NULL, "--space model: lstm is there twice");
    refused(ITEMS("hidden=1,2"), "lstn", "did you mean lstm?");
    refused(ITEMS(NULL), "lstm", "nothing to vary");
}

TEST(keys_that_trials_cannot_differ_in_are_no_axes)
{
    static const char *const keys[][2] = {{"data", "same data"}, {"steps", "--steps N"}, {"epochs", "--steps N"},
        {"until", "--steps N"}, {"time", "machine"}, {"target", "asha"}, {"patience", "asha"}, {"preset", "each as an axis"},
        {"threads", "not the result"}, {"out", "-o STUDY"}, {"resume", "same command"}, {"force", "whole study"},
        {"dry-run", "does not decide"}, {"keep", "does not decide"},
        {"save-every", "--save-every once"}, {"init", "does not decide"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char item[64];
        snprintf(item, sizeof item, "%s=1,2", keys[i][0]);
        refused(ITEMS(item), "lstm", "is no axis: ");
        refused(ITEMS(item), "lstm", keys[i][1]);
    }
}

TEST(an_axis_applies_to_the_models_that_have_its_key)
{
    tg_space *s;
    CHECK_OK(parse(ITEMS("hidden=32,64", "model=lstm,transformer,ngram", "dim=64:128", "order=3,5", "lr=1e-3:1e-2", "seed=1,2",
                         "layers=1,2"), NULL, NULL, &s));
    CHECK_INT(s->model_axis, 1);
    const uint64_t all = ~UINT64_C(0), expected[] = {1, all, 2, 4, 3, all, 3}; /* ngram learns in one pass: no rate */
    for (int i = 0; i < 7; i++) CHECK_INT(s->axes[i].models, expected[i]);
    /* lstm: hidden, lr, seed, layers; transformer: dim, lr, seed, layers; ngram: order, seed */
    CHECK_INT(tg_space_grid(s), 2 * 3 * 2 * 2 + 3 * 3 * 2 * 2 + 2 * 2);
    tg_space_free(s);
    refused(ITEMS("model=transformer,vae", "act=relu,swiglu"), NULL,
            "model transformer: --space act relu: must be one of swiglu, gelu");
    refused(ITEMS("model=ngram", "lr=1e-3:1e-2"), NULL, "--space lr: no key of gen-train or of the model ngram");
}

TEST(a_space_may_be_a_file)
{
    const char *path = in(test_folder(), "空间.json");
    tg_space *s;
    put(path, "{\"lr\": \"1e-4:1e-2:log:4\", \"hidden\": [64, 128.0], \"tie\": [true, false], "
              "\"optimizer\": \"adam,sgd\", \"layers\": 2}");
    CHECK_OK(parse(ITEMS(path, "seed=1,2"), "gru", NULL, &s));
    CHECK_INT(s->count, 6);
    CHECK_INT(tg_space_grid(s), 4 * 2 * 2 * 2 * 2);
    CHECK_TEXT(s->axes[1].choices[1], "128");
    CHECK_TEXT(s->axes[2].choices[0], "true");
    tg_space_free(s);
    put(path, "{\"lr\": []}");
    refused(ITEMS(path), "gru", ".json: lr: no values");
    put(path, "{\"lr\": {\"low\": 1}}");
    refused(ITEMS(path), "gru", ".json: lr: must be \"low:high\"");
    put(path, "{\"lr\": [1, null]}");
    refused(ITEMS(path), "gru", ".json: lr: must be \"low:high\"");
    put(path, "[1, 2]");
    refused(ITEMS(path), "gru", "must be a JSON object");
    put(path, "{\"lr\": [1, 2]");
    refused(ITEMS(path), "gru", ".json:1:");
    put(path, "{\"hidden\": [0, 2]}");
    refused(ITEMS(path), "gru", ".json: hidden 0: must be 1 to 4096");
    refused(ITEMS(test_folder()), "gru", "a folder");
}

TEST(a_grid_has_each_point_once)
{
    tg_space *s;
    tg_point p;
    CHECK_OK(parse(ITEMS("model=lstm,ngram", "hidden=8:32:log", "order=2,4", "lr=1e-4:1e-2:log"), NULL, NULL, &s));
    CHECK_INT(tg_space_grid(s), 11);
    static const char *const points[] = {
        "model=lstm hidden=8 lr=0.0001 ", "model=lstm hidden=8 lr=0.001 ", "model=lstm hidden=8 lr=0.01 ",
        "model=lstm hidden=16 lr=0.0001 ", "model=lstm hidden=16 lr=0.001 ", "model=lstm hidden=16 lr=0.01 ",
        "model=lstm hidden=32 lr=0.0001 ", "model=lstm hidden=32 lr=0.001 ", "model=lstm hidden=32 lr=0.01 ",
        "model=ngram order=2 ", "model=ngram order=4 "};
    for (int i = 0; i < 11; i++) {
        tg_space_grid_at(s, i, &p);
        point_is(s, &p, points[i]);
    }
    tg_space_free(s);
}

/* Whole numbers near the low end of a logarithmic axis are fewer than its points ask for. */
TEST(whole_numbers_of_a_grid_differ)
{
    char item[64];
    for (int low = 1; low <= 4; low++)
        for (int high = low + 1; high <= 40; high++)
            for (int points = 2; points <= high - low + 1; points++) {
                tg_space *s;
                tg_point p, before = {{0}};
                snprintf(item, sizeof item, "hidden=%d:%d:log:%d", low, high, points);
                CHECK_OK(parse(ITEMS(item), "lstm", NULL, &s));
                CHECK_INT(tg_space_grid(s), points);
                for (int i = 0; i < points; i++, before = p) {
                    tg_space_grid_at(s, i, &p);
                    if (i > 0 && !(p.at[0] > before.at[0]))
                        test_failed(__FILE__, __LINE__, "%s: point %d is %g", item, i, p.at[0]);
                }
                CHECK_INT(before.at[0], high);
                tg_space_grid_at(s, 0, &p);
                CHECK_INT(p.at[0], low);
                tg_space_free(s);
            }
}

TEST(values_of_an_axis_are_short_and_within_its_bounds)
{
    static const char *const items[] = {"lr=1e-4:1e-2:log", "lr=0.1:0.13:log", "dropout=0:0.3", "beta2=0.9:0.9999",
                                        "forget-bias=-5:10", "lr=1e-4:5e9:log"};
    tg_space *s;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        CHECK_OK(parse(ITEMS(items[i]), "lstm", NULL, &s));
        const tg_axis *a = &s->axes[0];
        double last = 0;
        for (int k = 0; k <= 997; k++) {
            tg_str text = {0};
            double begin, end;
            const double unit = (double)k / 997, x = tg_axis_value(a, unit);
            CHECK(x >= a->low && x <= a->high);
            tg_str_add_real(&text, x);
            if (text.length > 11) test_failed(__FILE__, __LINE__, "%s: %s", items[i], text.data);
            tg_axis_cell(a, x, &begin, &end);
            CHECK(begin == end && fabs(begin - unit) < 2e-3);
            CHECK(k == 0 || x > last); /* not so coarse that neighbours of a fine grid are one */
            last = x;
            tg_str_free(&text);
        }
        tg_space_free(s);
    }
}

TEST(cells_of_whole_numbers_and_choices_fill_the_axis)
{
    static const char *const items[] = {"hidden=1:20", "hidden=1:20:log", "optimizer=adam,sgd,muon", "hidden=8,64"};
    tg_space *s;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        CHECK_OK(parse(ITEMS(items[i]), "lstm", NULL, &s));
        const tg_axis *a = &s->axes[0];
        const int64_t n = a->kind == TG_AXIS_INT ? 20 : a->count, first = a->kind == TG_AXIS_INT;
        double reached = 0;
        for (int64_t k = 0; k < n; k++) {
            double begin, end;
            tg_axis_cell(a, (double)(first + k), &begin, &end);
            CHECK(fabs(begin - reached) < 1e-6 && end > begin);
            CHECK_INT(tg_axis_value(a, (begin + end) / 2), first + k);
            CHECK_INT(tg_axis_value(a, begin + 1e-5), first + k);
            reached = end;
        }
        CHECK(fabs(reached - 1) < 1e-6);
        tg_space_free(s);
    }
}

TEST(an_objective_brings_its_axes)
{
    tg_space *s;
    CHECK_OK(parse(ITEMS(NULL), NULL, "branin", &s));
    CHECK_INT(s->count, 2);
    CHECK_INT(tg_space_grid(s), 256);
    tg_space_free(s);
    CHECK_OK(parse(ITEMS("x1=-5:10:4"), NULL, "branin", &s));
    CHECK_INT(tg_space_grid(s), 4 * 16);
    tg_space_free(s);
    CHECK_OK(parse(ITEMS(NULL), NULL, "mixed", &s));
    CHECK_INT(tg_space_grid(s), 6 * 4 * 4 * (6 * 5 + 7));
    tg_space_free(s);
    CHECK_OK(parse(ITEMS("model=recurrence"), NULL, "mixed", &s)); /* heads and dropout belong to no model that is left */
    CHECK_INT(tg_space_grid(s), 6 * 4 * 4 * 7);
    tg_space_free(s);
    CHECK_ERROR(parse(ITEMS("x1=-6:10"), NULL, "branin", &s), TG_EUSAGE, "--space x1 -6: must be -5 to 10");
    CHECK_ERROR(parse(ITEMS("x3=1:2"), NULL, "branin", &s), TG_EUSAGE, "--space x3: no axis of the objective branin");
    CHECK_ERROR(parse(ITEMS("model=lstm"), NULL, "mixed", &s), TG_EUSAGE, "lstm is no model of the objective mixed");
    CHECK_ERROR(parse(ITEMS(NULL), NULL, "brain", &s), TG_EUSAGE, "there is no objective brain; there are: branin, mixed");
}

TEST(a_space_survives_any_allocation_that_fails)
{
    const char *path = in(test_folder(), "space.json");
    put(path, "{\"lr\": \"1e-4:1e-2:log:4\", \"hidden\": [64, 128]}");
    const int64_t live = tg_alloc_live();
    tg_status s = TG_ENOMEM;
    int64_t n = 0;
    for (n = 1; s; n++) {
        tg_space *space = NULL;
        tg_alloc_fail_at(n, false);
        s = parse(ITEMS(path, "model=lstm,gru", "optimizer=adam,sgd"), NULL, NULL, &space);
        tg_alloc_fail_at(0, false);
        CHECK(s == TG_OK || s == TG_ENOMEM);
        tg_space_free(space);
        CHECK_INT(tg_alloc_live(), live);
    }
    CHECK(n > 20);
}
