/* recommend.c - gen-select --recommend: what to train on a dataset. Which suits is told by kind and size; what it takes is
 * measured here, by making the first steps of each. */
#include "run/select.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "run/kinds.h"
#include "run/metrics/bits.h"
#include "run/result.h"
#include "run/train.h"

enum { SMALL, MIDDLE, LARGE, SIZES, MOST = 16 };
/* Tokens to train on. By what models of gen-train's defaults come to on the beginning of Tiny Shakespeare, nats a character over
 * 10 %: of 11,000 characters n-gram 2.01, rnn 2.16, transformer 2.23, lstm 2.27, gru 2.29; of 40,000 n-gram 1.70, gru 1.74, lstm
 * 1.78; of 108,000 transformer 1.44, lstm 1.45, gru 1.45, n-gram 1.46, rnn 1.49; of all, 1.0 million: docs/models. */
static const int64_t bounds[] = {50000, 300000};

/* place: 1 the first to try, of each size. One why may stand for all sizes. */
typedef struct family { const char *model; int place[SIZES]; const char *why[SIZES]; } family;
static const family families[] = {
    {"ngram", {1, 4, 4}, {"counts which tokens follow which: nothing else gets as much out of so little text, in an instant",
                          "counts which tokens follow which, in an instant: not far behind on a text of this size, and "
                          "what others have to beat",
                          "counts which tokens follow which, in an instant: what others have to beat"}},
    {"lstm", {3, 1, 2}, {"remembers over some hundred tokens; of so little text it learns part by heart",
                         "remembers over some hundred tokens; on a text of this size as good as a transformer, in less time",
                         "remembers over some hundred tokens, with few parameters, and draws each token as fast as the first"}},
    {"gru", {4, 2, 3}, {"an lstm with a quarter less of parameters", "an lstm with a quarter less of parameters, nearly as good",
                        "an lstm with a quarter less of parameters, nearly as good"}},
    {"transformer", {5, 3, 1}, {"sees whole windows at once; takes the most time, and shows what it can do only with more text",
                                "sees whole windows at once; takes the most time, and with more text would be the first to try",
                                "sees whole windows at once: the lowest loss on as much text as this, for the most time"}},
    {"rnn", {2, 5, 5}, {"the plainest network: forgets soon, but of so little text there is little to remember",
                        "the plainest network: the one to understand first, forgets soon",
                        "the plainest network: the one to understand first, forgets soon"}},
    {"vae", {1, 1, 1},
     {"learns steadily, has a likelihood to compare by and latents that mean something; draws a little blurred"}},
    {"gan", {2, 2, 2},
     {"draws sharp, but learns unsteadily, may leave out part of the data, and has no likelihood to choose by"}}};

static const family unknown = {NULL, {9, 9, 9}, {"nobody has compared it with the others yet"}};

static const family *family_of(const char *model)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strcmp(families[i].model, model)) return &families[i];
    return &unknown;
}

typedef struct advice {
    const tg_model_desc *desc;
    const family *of;
    tg_cost cost;
    char *command, *reason; /* reason: it cannot be trained */
} advice;
typedef struct advices { advice list[MOST]; int count, size; double seconds; } advices;

static tg_status write_command(const char *data, advice *a)
{
    tg_str text = {0};
    tg_str_add(&text, "gen-train --data ");
    tg_str_add_word(&text, data);
    tg_str_addf(&text, " --model %s -o runs/%s", a->desc->name, a->desc->name);
    a->command = text.failed ? NULL : tg_strdup(text.data);
    tg_str_free(&text);
    return a->command ? TG_OK : TG_ENOMEM;
}

/* What gen-train would do with that command. */
static tg_status measure(tg_context *ctx, const char *data, advice *a)
{
    tg_train_options o;
    const tg_model_desc *desc = a->desc;
    tg_keys *keys = NULL;
    void *config = NULL;
    tg_status s = tg_keys_new(&keys);
    if (!s) s = tg_keys_add(keys, "Training", tg_train_keys, &o);
    if (!s && !(config = tg_alloc(desc->config_size))) s = TG_ENOMEM;
    if (!s) s = tg_keys_add(keys, "Model", desc->keys, config);
    if (!s) {
        o.data = data;
        o.model = a->desc->name;
        s = tg_train_cost(ctx, &o, desc, config, keys, &a->cost);
        if (s == TG_EINVAL || s == TG_EUSAGE || s == TG_EUNSUPPORTED) { /* this model cannot learn from them; perhaps another can */
            a->reason = tg_strdup(tg_error());
            s = a->reason ? TG_OK : TG_ENOMEM;
        }
    }
    tg_keys_free(keys);
    tg_free(config);
    return s;
}

static const char *why_of(const advices *all, const advice *a)
{
    return a->of->why[a->of->why[all->size] ? all->size : 0];
}

static tg_status tell(tg_context *ctx, const tg_select_options *o, const tg_dataset *d, const advices *all)
{
    const tg_kind kind = tg_dataset_kind(d);
    tg_str out = {0};
    char text[32];
    tg_str_addf(&out, "%s: %s %s to train on", o->recommend, tg_format_count(text, tg_dataset_count(d, TG_TRAIN)),
                tg_words_of(kind)->items);
    const double bits = kind == TG_KIND_TEXT ? tg_bits_per_char(d, TG_VAL, tg_dataset_baseline(d, "ngram")) : (double)NAN;
    if (!isnan(bits)) {
        tg_str_add(&out, "; a 3-gram has ");
        tg_str_add_fixed(&out, bits, 3);
        tg_str_add(&out, " bits a character");
    }
    tg_str_add(&out, "\n");
    for (int i = 0; i < all->count; i++) {
        const advice *a = &all->list[i];
        tg_str_addf(&out, "\n%d. %s: %s\n", i + 1, a->desc->name, a->reason ? a->reason : why_of(all, a));
        if (a->reason) continue;
        tg_str_add(&out, "   ");
        if (a->cost.params >= 0) tg_str_addf(&out, "%s parameters, ", tg_format_count(text, a->cost.params));
        tg_str_addf(&out, "%s of memory, ", tg_format_bytes(text, (double)a->cost.bytes));
        tg_str_addf(&out, "about %s on this machine\n   %s\n", tg_format_seconds(text, a->cost.seconds), a->command);
    }
    tg_status s = out.failed ? TG_ENOMEM : tg_output(ctx, out.data, out.length);
    tg_str_free(&out);
    return s;
}

static tg_status tell_json(tg_context *ctx, const tg_select_options *o, const tg_dataset *d, const advices *all)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_result_begin(&w, "gen-select", NULL, o->seed, all->seconds);
    tg_json_member_text(&w, "data", tg_dataset_hash(d));
    tg_json_member_text(&w, "kind", tg_words_of(tg_dataset_kind(d))->name);
    tg_json_member_int(&w, "train", tg_dataset_count(d, TG_TRAIN));
    tg_json_key(&w, "recommended");
    tg_json_open(&w, '[');
    for (int i = 0; i < all->count; i++) {
        const advice *a = &all->list[i];
        tg_json_open(&w, '{');
        tg_json_member_text(&w, "model", a->desc->name);
        tg_json_member_text(&w, "why", a->reason ? NULL : why_of(all, a));
        tg_json_member_text(&w, "reason_against", a->reason);
        tg_json_member_text(&w, "command", a->command);
        tg_json_member_real(&w, "params", a->reason || a->cost.params < 0 ? (double)NAN : (double)a->cost.params);
        tg_json_member_real(&w, "bytes", a->reason ? (double)NAN : (double)a->cost.bytes);
        tg_json_member_real(&w, "steps", a->reason ? (double)NAN : (double)a->cost.steps);
        tg_json_member_real(&w, "measured_seconds", a->reason ? (double)NAN : a->cost.seconds);
        tg_json_close(&w, '}');
    }
    tg_json_close(&w, ']');
    return tg_result_end(ctx, &w);
}

/* By place; what cannot be trained comes last. */
static void sort(advices *all)
{
    for (int i = 1; i < all->count; i++)
        for (int k = i; k > 0; k--) {
            const advice one = all->list[k - 1], two = all->list[k];
            const int first = one.of->place[all->size] + (one.reason ? MOST : 0);
            const int second = two.of->place[all->size] + (two.reason ? MOST : 0);
            if (first <= second) break;
            all->list[k - 1] = two;
            all->list[k] = one;
        }
}

tg_status tg_recommend(tg_context *ctx, const tg_select_options *o)
{
    const double began = tg_now();
    tg_dataset *d = NULL;
    advices all = {0};
    tg_status s = tg_dataset_open(ctx, o->recommend, &d);
    const int64_t items = s ? 0 : tg_dataset_count(d, TG_TRAIN);
    all.size = items < bounds[0] ? SMALL : items < bounds[1] ? MIDDLE : LARGE;
    const tg_model_desc *desc = NULL;
    for (int64_t i = 0; !s && all.count < MOST && (desc = tg_model_at(i)); i++) {
        if (!(desc->kinds & tg_dataset_kind(d))) continue;
        advice *a = &all.list[all.count++];
        *a = (advice){.desc = desc, .of = family_of(desc->name)};
        tg_log(ctx, TG_LOG_DETAIL, "the first steps of %s", desc->name);
        s = measure(ctx, o->recommend, a);
        if (!s) s = write_command(o->recommend, a);
    }
    sort(&all);
    if (!s && all.list[0].reason) s = tg_fail(TG_EINVAL, "%s", all.list[0].reason); /* those that can be trained come first */
    all.seconds = tg_now() - began;
    if (!s) s = o->json ? tell_json(ctx, o, d, &all) : tell(ctx, o, d, &all);
    for (int i = 0; i < all.count; i++) {
        tg_free(all.list[i].command);
        tg_free(all.list[i].reason);
    }
    tg_dataset_close(d);
    return s;
}
