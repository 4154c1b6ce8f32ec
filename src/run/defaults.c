/* defaults.c - the table of defaults. */
#include "run/defaults.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Batches and sequences that fit the data; steps for several passes over a small corpus, few over a large one. The best
 * weights on validation are kept, so a pass too many costs time, not quality. */
typedef struct defaults_row { int64_t tokens, batch, seq, steps; double lr; } defaults_row;
static const defaults_row text_rows[] = {
    {1000, 2, 16, 300, 2e-3},       {5000, 8, 32, 400, 2e-3},        {50000, 16, 50, 600, 2e-3},
    {300000, 32, 50, 1500, 4e-3},   {4000000, 50, 50, 4000, 4e-3},   {40000000, 64, 64, 12000, 2e-3},
    {INT64_MAX, 64, 100, 30000, 1e-3}
};
enum { ROWS = sizeof text_rows / sizeof text_rows[0], MAX_WARMUP = 20, WINDOW_WARMUP = 100 };

/* Of models that see windows; a sequence is their context. Their matrices go by Muon: a tenth of a nat ahead of AdamW after
 * a thousand steps; who asks for another optimiser gets OTHERS_SHARE of the rate. */
static const defaults_row window_rows[ROWS] = {
    {1000, 4, 0, 300, 3e-3},        {5000, 8, 0, 400, 3e-3},         {50000, 12, 0, 800, 3e-3},
    {300000, 12, 0, 1500, 3e-3},    {4000000, 16, 0, 3000, 3e-3},    {40000000, 32, 0, 12000, 3e-3},
    {INT64_MAX, 64, 0, 30000, 2e-3}
};
/* Of images and points; Adam throughout. No clipping: a loss is nats of a whole image, its gradient's length in the hundreds. */
static const defaults_row sample_rows[] = {
    {1000, 32, 1, 2000, 1e-3}, {5000, 64, 1, 4000, 1e-3}, {20000, 128, 1, 6000, 1e-3}, {200000, 128, 1, 10000, 1e-3},
    {INT64_MAX, 128, 1, 30000, 1e-3}
};
static const double OTHERS_SHARE = 1.0 / 3, WINDOW_DECAY = 0.1, WINDOW_BETA2 = 0.99, WINDOW_CLIP = 1, WINDOW_LEAST = 100;
static const double EVALUATION_SHARE = 0.05; /* of the steps done, where nobody knows how many there will be */

static void add_table(tg_str *out, const char *model, const defaults_row *rows, const char *const keys[2], const char *sequence)
{
    const tg_model_desc *desc = NULL;
    if (tg_model_find(model, &desc)) out->failed = true;
    tg_str_addf(out, "| training tokens | batch | %s | steps | lr | %s | %s |\n|---|---|---|---|---|---|---|\n",
                sequence ? sequence : "seq", keys[0], keys[1]);
    for (int i = 0; i < ROWS && desc; i++) {
        char text[32], seq[32];
        const bool last = i == ROWS - 1;
        const tg_model_data data = {.kind = TG_KIND_TEXT};
        snprintf(seq, sizeof seq, "%lld", (long long)rows[i].seq);
        tg_str_addf(out, "| %s %s | %lld | %s | %lld | ", last ? "from" : "below",
                    tg_format_count(text, rows[last ? i - 1 : i].tokens), (long long)rows[i].batch,
                    sequence ? desc->auto_default(sequence, &data, rows[i].tokens - 1, text) : seq, (long long)rows[i].steps);
        tg_str_add_real(out, rows[i].lr);
        for (int k = 0; k < 2; k++) tg_str_addf(out, " | %s", desc->auto_default(keys[k], &data, rows[i].tokens - 1, text));
        tg_str_add(out, " |\n");
    }
}

void tg_train_defaults_table(tg_str *streams, tg_str *windows)
{
    add_table(streams, "lstm", text_rows, (const char *const[]){"hidden", "dropout"}, NULL);
    add_table(windows, "transformer", window_rows, (const char *const[]){"dim", "dropout"}, "context");
}

void tg_train_defaults_samples(tg_str *out)
{
    enum { LAST = sizeof sample_rows / sizeof *sample_rows - 1 };
    tg_str_add(out, "| images or points to train on | batch | steps | lr |\n|---|---|---|---|\n");
    for (int i = 0; i <= LAST; i++) {
        char text[32];
        const bool last = i == LAST;
        tg_format_count(text, sample_rows[last ? i - 1 : i].tokens);
        tg_str_addf(out, "| %s %s | %lld | %lld | ", last ? "from" : "below", text,
                    (long long)sample_rows[i].batch, (long long)sample_rows[i].steps);
        tg_str_add_real(out, sample_rows[i].lr);
        tg_str_add(out, " |\n");
    }
}

/* The next of 1, 1.5, 2, 3, 5, 7 times a power of ten that is not below x. */
int64_t tg_handy_steps(double x)
{
    static const double steps[] = {1, 1.5, 2, 3, 5, 7};
    for (double ten = 1; ten < 1e15; ten *= 10)
        for (int i = 0; i < 6; i++)
            if (steps[i] * ten >= x && steps[i] * ten == floor(steps[i] * ten)) return (int64_t)(steps[i] * ten);
    return (int64_t)1e15;
}

int64_t tg_step_items(const tg_train_options *o, const tg_model_desc *desc, const void *config)
{
    return o->batch * o->seq * o->accum * (desc->batches ? desc->batches(config) : 1);
}

typedef struct filler {
    tg_keys *keys;
    const tg_model_desc *desc;
    const void *config;
    tg_str *chosen;
    tg_status status;
} filler;

/* Evaluation reads the whole split forward, a third of what training on it costs: at most a twentieth of the time goes
 * there, and at most 20 evaluations are made. */
static int64_t eval_every(const filler *f, const tg_train_options *o, const tg_dataset *d)
{
    const double step_items = (double)tg_step_items(o, f->desc, f->config);
    const double cost = f->desc->step ? 0 : (double)tg_dataset_count(d, TG_VAL) / 3 / step_items; /* in steps; 0: it has no such loss */
    double every = 20 * cost > (double)o->steps / 20 ? 20 * cost : (double)o->steps / 20;
    int64_t n = tg_handy_steps(every);
    if (o->steps > 0 && n > o->steps) n = o->steps;
    return n < 1 ? 1 : n;
}

static bool is_open(const filler *f, const char *name)
{
    return !f->status && tg_keys_source(f->keys, name) == TG_FROM_DEFAULT;
}

static const char *int_text(char out[24], int64_t x)
{
    snprintf(out, 24, "%lld", (long long)x);
    return out;
}

static void set_int(filler *f, const char *name, int64_t x, tg_key_source source)
{
    char text[24];
    if (!f->status) f->status = tg_keys_set(f->keys, name, int_text(text, x), source);
}

static void fill(filler *f, const char *name, const char *value)
{
    if (!is_open(f, name)) return;
    f->status = tg_keys_set(f->keys, name, value, TG_FROM_CONFIG); /* settled: no longer open in JSON */
    tg_str_add(f->chosen, f->chosen->length ? ", " : "");
    for (const char *c = name; *c; c++) tg_str_add_n(f->chosen, *c == '_' ? "-" : c, 1);
    tg_str_addf(f->chosen, " %s", value);
}

static void fill_int(filler *f, const char *name, int64_t x)
{
    char text[24];
    fill(f, name, int_text(text, x));
}

static void fill_real(filler *f, const char *name, double x)
{
    char text[32];
    tg_format_real(text, x);
    fill(f, name, text);
}

/* A value that says nothing to people. */
static void settle_real(filler *f, const char *name, double x)
{
    char text[32];
    tg_format_real(text, x);
    if (is_open(f, name)) f->status = tg_keys_set(f->keys, name, text, TG_FROM_CONFIG);
}

static void fill_model(filler *f, const tg_model_desc *desc, const tg_dataset *d)
{
    const tg_model_data data = tg_model_data_in(d);
    char text[32];
    for (const tg_key *k = desc->keys; k->type != TG_KEY_END_ROW; k++) {
        if (!(k->flags & TG_KEY_AUTO) || !desc->auto_default) continue;
        const char *value = desc->auto_default(k->name, &data, tg_dataset_count(d, TG_TRAIN), text);
        if (value) fill(f, k->name, value);
    }
}

/* Tokens of an epoch: of all windows, or of whole sequences of whole streams. */
static int64_t epoch_tokens(const tg_train_options *o, const tg_dataset *d, bool windows)
{
    const int64_t tokens = tg_dataset_count(d, TG_TRAIN);
    if (tg_dataset_kind(d) != TG_KIND_TEXT) return tokens;
    return windows ? tg_feed_windows_per_epoch(tokens, o->seq) * o->seq : (tokens - 1) / o->batch / o->seq * o->batch * o->seq;
}

/* --steps, --epochs and --time: which of them decides. Epochs become steps, so that the settings hold one number. */
static void fill_length(filler *f, tg_train_options *o, const tg_dataset *d, bool windows, int64_t steps)
{
    if (f->status) return;
    if (o->epochs > 0 && tg_keys_source(f->keys, "epochs") == tg_keys_source(f->keys, "steps") && o->steps > 0) {
        f->status = tg_fail(TG_EUSAGE, "--steps and --epochs both say how long to train; give one of them");
        return;
    }
    if (o->epochs > 0 && tg_keys_source(f->keys, "epochs") >= tg_keys_source(f->keys, "steps")) {
        const int64_t step_tokens = tg_step_items(o, f->desc, f->config);
        const int64_t n = (o->epochs * epoch_tokens(o, d, windows) + step_tokens - 1) / step_tokens;
        set_int(f, "steps", n < 1 ? 1 : n, TG_FROM_FLAG);
    }
    o->epochs = 0;
    if (f->status || o->steps > 0) return;
    if (o->time > 0 || o->until > 0) return; /* steps stay open: there is no end to lay a schedule out for */
    fill_int(f, "steps", steps);
}

/* What follows from the length of training, once that is settled; `like`: the table's, where there is no end in sight. */
static void fill_schedule(filler *f, tg_train_options *o, const tg_dataset *d, int64_t like_steps, double least, int64_t warm)
{
    fill(f, "schedule", "wsd");
    fill_real(f, "min_lr", o->schedule == TG_CONSTANT ? 0 : o->lr / least);
    const int64_t warmup = o->steps > 0 && o->steps / 20 < warm ? o->steps / 20 : warm;
    fill_int(f, "warmup", warmup);
    if (o->steps == 0 && is_open(f, "eval_every")) { /* as if for the table's number of steps */
        tg_train_options like = *o;
        like.steps = like_steps;
        fill_int(f, "eval_every", eval_every(f, &like, d));
    }
    fill_int(f, "eval_every", eval_every(f, o, d));
    fill_int(f, "sample_every", o->eval_every);
    if (o->steps > 0) settle_real(f, "eval_share", 0);
    else fill_real(f, "eval_share", EVALUATION_SHARE);
}

/* As Jordan has them. */
static void settle_muon(filler *f, const tg_train_options *o)
{
    if (o->optimizer != TG_MUON) return;
    settle_real(f, "muon_lr", o->lr);
    settle_real(f, "momentum", 0.95);
    if (is_open(f, "nesterov")) f->status = tg_keys_set(f->keys, "nesterov", o->momentum > 0 ? "true" : "false", TG_FROM_CONFIG);
}

static void fill_text(filler *f, tg_train_options *o, const tg_dataset *d, int64_t context)
{
    int64_t tokens = tg_dataset_count(d, TG_TRAIN);
    int row = 0;
    while (tokens >= text_rows[row].tokens) row++;
    const defaults_row *of = context > 0 ? &window_rows[row] : &text_rows[row];
    fill_int(f, "batch", of->batch);
    fill_int(f, "seq", context > 0 ? context : of->seq);
    fill_length(f, o, d, context > 0, of->steps);
    if (context > 0) fill(f, "optimizer", "muon");
    fill_real(f, "lr", context > 0 && o->optimizer != TG_MUON ? of->lr * OTHERS_SHARE : of->lr);
    if (context > 0) {
        fill_real(f, "weight_decay", o->optimizer == TG_MUON || o->optimizer == TG_ADAMW ? WINDOW_DECAY : 0);
        fill_real(f, "beta2", WINDOW_BETA2);
        fill_real(f, "clip", WINDOW_CLIP);
    }
    settle_muon(f, o);
    fill_schedule(f, o, d, of->steps, context > 0 ? WINDOW_LEAST : 10, context > 0 ? WINDOW_WARMUP : MAX_WARMUP);
}

/* What the model itself asks for. */
static void fill_own(filler *f, const tg_dataset *d)
{
    static const char *const keys[] = {"batch", "lr", "beta1", "ema"};
    const tg_model_data data = tg_model_data_in(d);
    char text[32];
    for (size_t i = 0; i < sizeof keys / sizeof *keys && f->desc->auto_default; i++) {
        const char *value = f->desc->auto_default(keys[i], &data, tg_dataset_count(d, TG_TRAIN), text);
        if (value) fill(f, keys[i], value);
    }
}

static void fill_samples(filler *f, tg_train_options *o, const tg_dataset *d)
{
    const defaults_row *of = sample_rows;
    while (tg_dataset_count(d, TG_TRAIN) >= of->tokens) of++;
    fill_own(f, d);
    fill_int(f, "batch", of->batch);
    set_int(f, "seq", 1, TG_FROM_FLAG); /* whatever was said: an image is one piece */
    fill_length(f, o, d, false, of->steps);
    fill_real(f, "lr", of->lr);
    fill_real(f, "clip", 0);
    settle_muon(f, o);
    fill_schedule(f, o, d, of->steps, 10, WINDOW_WARMUP);
}

tg_usual tg_train_usual(const tg_model_desc *desc, const tg_dataset *d, bool muon)
{
    const bool text = tg_dataset_kind(d) == TG_KIND_TEXT, windows = text && desc->context;
    const defaults_row *of = !text ? sample_rows : windows ? window_rows : text_rows;
    const int64_t items = tg_dataset_count(d, TG_TRAIN);
    const tg_model_data data = tg_model_data_in(d);
    char room[32];
    while (items >= of->tokens) of++;
    const char *own = !text && desc->auto_default ? desc->auto_default("lr", &data, items, room) : NULL;
    tg_usual usual = {of->steps, windows && !muon ? of->lr * OTHERS_SHARE : of->lr};
    if (own) tg_parse_real(own, (int64_t)strlen(own), &usual.lr);
    return usual;
}

tg_status tg_train_defaults(tg_train_options *o, const tg_model_desc *desc, const void *config, const tg_dataset *d,
                            tg_keys *keys, tg_str *chosen)
{
    filler f = {.keys = keys, .desc = desc, .config = config, .chosen = chosen};
    fill_model(&f, desc, d);
    if (tg_dataset_kind(d) == TG_KIND_TEXT) fill_text(&f, o, d, desc->context ? desc->context(config) : 0);
    else fill_samples(&f, o, d);
    if (!f.status && chosen->failed) f.status = TG_ENOMEM;
    if (f.status) return f.status;
    if (desc->step && (o->accum > 1 || o->patience > 0 || o->target > 0))
        return tg_fail(TG_EUSAGE, "%s is of no use to a %s, which %s", o->accum > 1 ? "--accum" : o->patience > 0 ? "--patience" : "--target",
                       desc->name, o->accum > 1 ? "trains in turns; give a larger --batch" : "has no validation loss");
    if (desc->step && o->lr <= 0)
        return tg_fail(TG_EUSAGE, "--lr 0 holds all of a %s still: the rates of its sides are shares of it; for one side give a tiny one",
                       desc->name);
    if (desc->context && o->seq > desc->context(config))
        return tg_fail(TG_EUSAGE, "--seq %lld is more than the model sees at once; give it --context %lld", (long long)o->seq,
                       (long long)o->seq);
    if (o->muon_lr > 0 && (o->optimizer != TG_MUON || o->lr <= 0))
        return tg_fail(TG_EUSAGE, "--muon-lr is muon's rate for matrices, beside the --lr of all else: give --optimizer muon%s "
                                  "with it", o->lr > 0 ? "" : " and an --lr above 0");
    if (o->steps == 0 && (o->schedule == TG_COSINE || o->schedule == TG_LINEAR_DECAY))
        return tg_fail(TG_EUSAGE, "--schedule %s must know its end: give --steps or --epochs beside --time, or take wsd",
                       o->schedule == TG_COSINE ? "cosine" : "linear");
    return TG_OK;
}
