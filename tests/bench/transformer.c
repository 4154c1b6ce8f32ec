/* transformer.c - training steps of two GPTs beside PyTorch, and sampling: tokens a second from a cache, beside what reading the
 * weights over and over takes, one text and many; and from a program's start to its first token. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "bench/bench.h"
#include "data/codec/llama2c.h"
#include "run/generate.h"
#include "run/trained.h"

/* ---- training --------------------------------------------------------------------------------------------------------- */

typedef struct gpt { const char *name; int layers, heads, dim, context, batch, steps, rounds; } gpt;

/* rounds: of the larger one, whose step takes seconds, so many at most. */
static const gpt gpts[] = {
    {"GPT 4x128, context 64, batch 12", 4, 4, 128, 64, 12, 40, BENCH_ROUNDS_MOST},
    {"GPT 6x384, context 256, batch 64", 6, 6, 384, 256, 64, 4, 2}, /* three steps are left out of a rate */
};
enum { GPTS = sizeof gpts / sizeof *gpts, OUT = 4096 };

typedef struct gpt_arg { const bench *b; const gpt *t; char run[512]; bench_child *peer; int measured; } gpt_arg;

static int train(const gpt_arg *a, int steps, int threads, char out[OUT])
{
    const gpt *t = a->t;
    char path[512], data[512], text[7][16];
    const int n[7] = {t->layers, t->heads, t->dim, t->context, t->batch, steps, threads};
    for (int i = 0; i < 7; i++) snprintf(text[i], sizeof text[i], "%d", n[i]);
    bench_data(a->b, "verses", "1000k");
    snprintf(data, sizeof data, "%s/verses.safetensors", a->b->folder);
    const char *argv[] = {bench_program(a->b, "gen-train", path), "--data", data, "--model", "transformer", "--layers", text[0],
                          "--heads", text[1], "--dim", text[2], "--context", text[3], "--batch", text[4], "--steps", text[5],
                          "--threads", text[6], "--norm", "layer", "--pos", "learned", "--act", "gelu", "--optimizer", "adamw",
                          "--lr", "1e-3", "--clip", "1", "--dropout", "0", "--eval-every", "1000000", "--save-every", "1000000",
                          "--sample-every", "0", "-o", a->run, "--force", "--json", "--quiet", NULL};
    return bench_command(argv, out, OUT, NULL, NULL);
}

static double measure_training(bench_row *r)
{
    gpt_arg *a = r->arg;
    char out[OUT];
    if (a->measured++ >= a->t->rounds || train(a, a->t->steps, r->threads, out)) return NAN;
    const double peak = bench_figure(out, "peak_bytes"), rate = bench_figure(out, "tokens_per_second");
    r->per_unit = bench_figure(out, "gflops") / rate;
    if (peak > r->peak) r->peak = peak;
    return rate;
}

static double measure_peer(bench_row *r)
{
    gpt_arg *a = r->arg;
    return a->measured++ >= a->t->rounds ? NAN : bench_child_ask(a->peer, "go");
}

static bench_child *start_torch(const bench *b, const gpt *t, int blas, int threads)
{
    char n[7][16];
    const int values[7] = {t->layers, t->dim, t->heads, t->batch, t->context, threads, (int)bench_symbols(b)};
    for (int i = 0; i < 7; i++) snprintf(n[i], sizeof n[i], "%d", values[i]);
    return bench_child_start((const char *[]){"/usr/bin/python3", "tests/bench/peers/torch_gpt.py", n[0], n[1], n[2], n[3], n[4], n[5],
                                              n[6], NULL}, blas, threads);
}

static void add_training(bench *b, const gpt *t, int on, gpt_arg args[1 + BENCH_BLAS])
{
    static const char *const sides[1 + BENCH_BLAS] = {NULL, "PyTorch/pthread", "PyTorch/openmp"};
    for (int side = 0; side <= BENCH_BLAS; side++) {
        bench_row row = {.group = "training", .threads = b->threads[on], .unit = "tokens/s", .limit = side ? NULL : "fma",
                         .side = sides[side], .measure = side ? measure_peer : measure_training, .arg = &args[side]};
        snprintf(row.name, sizeof row.name, "%s", t->name);
        if (!bench_wanted(b, row.group, row.name)) return;
        args[side] = (gpt_arg){.b = b, .t = t};
        snprintf(args[side].run, sizeof args[side].run, "%s/run", b->folder);
        if (side) args[side].peer = start_torch(b, t, side - 1, row.threads);
        if (!side || args[side].peer) bench_add(b, &row);
    }
}

static void bench_training(bench *b)
{
    static gpt_arg args[GPTS][2][1 + BENCH_BLAS];
    for (int i = 0; i < GPTS; i++)
        for (int on = 0; on < b->sizes; on++) add_training(b, &gpts[i], on, args[i][on]);
    bench_run(b, "Training steps of Transformers");
    for (int i = 0; i < GPTS; i++)
        for (int on = 0; on < 2; on++)
            for (int side = 0; side <= BENCH_BLAS; side++) bench_child_stop(args[i][on][side].peer);
}

/* ---- models to sample --------------------------------------------------------------------------------------------------- */

static bool make_small(const bench *b, const char *path)
{
    gpt_arg a = {.b = b, .t = &gpts[0]};
    char out[OUT];
    snprintf(a.run, sizeof a.run, "%s", path);
    return train(&a, 2, b->cores, out) == 0;
}

static void add_int(tg_str *s, int32_t x) { tg_str_add_n(s, (const char *)&x, sizeof x); }
static void add_float(tg_str *s, float x) { tg_str_add_n(s, (const char *)&x, sizeof x); }

/* A tokenizer.bin: control tokens, bytes, and words of three letters. */
static void add_pieces(tg_str *s, int64_t count)
{
    char text[16];
    add_int(s, 6);
    for (int64_t i = 0; i < count; i++) {
        const int64_t word = i - 259;
        if (i < 3) snprintf(text, sizeof text, "<%d>", (int)i);
        else if (word < 0) snprintf(text, sizeof text, "<0x%02X>", (unsigned)(i - 3));
        else snprintf(text, sizeof text, "%s%c%c%c", word < 26 * 26 * 26 ? "" : " ", 'a' + (int)(word % 26),
                      'a' + (int)(word / 26 % 26), 'a' + (int)(word / 676 % 26));
        add_float(s, (float)-i);
        add_int(s, (int32_t)strlen(text));
        tg_str_add(s, text);
    }
}

/* The shape of llama2.c's stories15M, random weights: written as that program's checkpoint and read by gen-convert. */
static bool make_large(const bench *b, const char *path)
{
    const tg_llama2 shape = {.dim = 288, .hidden = 768, .layers = 6, .heads = 6, .kv_heads = 6, .vocab = 32000, .context = 256,
                             .shared = true};
    char program[512], from[512], pieces[512], out[OUT];
    unsigned char head[TG_LLAMA2_HEAD];
    tg_str weights = {0}, tokens = {0};
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 0);
    const int64_t floats = (tg_llama2_offset(&shape, TG_LLAMA2_PARTS, 0) - TG_LLAMA2_HEAD) / (int64_t)sizeof(float);
    tg_llama2_put(&shape, head);
    tg_str_add_n(&weights, (const char *)head, sizeof head);
    for (int64_t i = 0; i < floats; i++) add_float(&weights, (tg_rng_unit(&r) - 0.5f) * 0.2f);
    add_pieces(&tokens, shape.vocab);
    snprintf(from, sizeof from, "%.480s/large.bin", b->folder);
    snprintf(pieces, sizeof pieces, "%.480s/large-tokens.bin", b->folder);
    const bool there = !weights.failed && !tokens.failed && !tg_write_file(from, weights.data, weights.length) &&
                       !tg_write_file(pieces, tokens.data, tokens.length);
    tg_str_free(&weights);
    tg_str_free(&tokens);
    return there && !bench_command((const char *[]){bench_program(b, "gen-convert", program), from, "--tokenizer", pieces, "-o", path,
                                                    "--force", "--quiet", NULL}, out, OUT, NULL, NULL);
}

/* ---- sampling --------------------------------------------------------------------------------------------------------- */

enum { TEXTS = 64, KINDS = 4 };

typedef struct sampled { const bench *b; char path[512], limit[32]; double bytes; } sampled;
typedef struct sampling { const sampled *m; int on, texts; bool slides; } sampling;

/* Texts that are drawn on and on. Without sliding each begins anew where the context is full: all tokens come from the cache. */
typedef struct drawing { tg_generator *g; int64_t texts, at, most; tg_beginning b; bool failed; } drawing;

static void draw_some(void *arg)
{
    drawing *d = arg;
    int32_t token;
    if (d->at == 0 || (d->most && d->at + d->b.count > d->most)) {
        d->failed = d->failed || tg_generator_start(d->g, &d->b, d->texts);
        d->at = 0;
    }
    for (int64_t i = 0; i < d->texts && !d->failed; i++)
        d->failed = tg_generator_next(d->g, i, 1, i, d->at, &token, NULL) != TG_OK;
    d->at++;
}

static double measure_sampling(bench_row *r)
{
    const sampling *a = r->arg;
    tg_context *ctx = a->m->b->on[a->on];
    const tg_choice choice = {.temperature = 0.8, .top_p = 1, .repeat_penalty = 1};
    static const int32_t first = 1;
    drawing d = {.texts = a->texts, .b = {.prompt = &first, .count = 1}};
    tg_trained *t = NULL;
    tg_tape *tape = NULL;
    double rate = NAN;
    tg_status s = tg_trained_open(ctx, a->m->path, true, &t);
    if (!s) s = tg_tape_new(ctx, &tape);
    if (!s) s = tg_generator_new(t->model, tape, t->tokenizer, &choice, 0, a->texts, &d.g);
    if (!s && d.texts > tg_generator_most(d.g)) d.texts = tg_generator_most(d.g);
    if (!s && !a->slides) d.most = tg_model_descriptor(t->model)->context(tg_model_config(t->model));
    for (int i = 0; i < 4 && !s; i++) draw_some(&d); /* weights are packed by the second token */
    if (!s) rate = bench_rate(draw_some, &d, (double)d.texts);
    if (d.failed) rate = NAN;
    tg_generator_free(d.g);
    tg_tape_free(tape);
    tg_trained_close(t);
    return rate;
}

/* From the start of a program to the first byte that it puts out. */
static double measure_first(bench_row *r)
{
    const sampling *a = r->arg;
    char path[512], threads[16], out[OUT];
    double first = NAN;
    snprintf(threads, sizeof threads, "%d", r->threads);
    const int status = bench_command((const char *[]){bench_program(a->m->b, "gen-sample", path), a->m->path, "--length", "16",
                                                      "--threads", threads, "--quiet", NULL}, out, OUT, NULL, &first);
    return status ? NAN : 1e3 * first;
}

static void add_sampling(bench *b, const char *model, const sampled *m, int on, sampling args[KINDS])
{
    static const struct { const char *what; int texts; bool slides, limited; } kinds[] = {
        {"from the cache", 1, false, true}, {"one text", 1, true, true}, {"64 texts", TEXTS, true, false}};
    for (int i = 0; i < KINDS; i++) {
        bench_row row = {.group = "sampling", .threads = b->threads[on], .unit = i < 3 ? "tokens/s" : "ms", .arg = &args[i],
                         .measure = i < 3 ? measure_sampling : measure_first, .less_is_better = i == 3};
        args[i] = (sampling){.m = m, .on = on};
        if (i < 3) args[i].texts = kinds[i].texts, args[i].slides = kinds[i].slides;
        if (i < 3 && kinds[i].limited) row.limit = m->limit, row.per_unit = m->bytes * 1e-9;
        snprintf(row.name, sizeof row.name, "%s, %s", i < 3 ? kinds[i].what : "exec to first token", model);
        bench_add(b, &row);
    }
}

static double weight_bytes(const bench *b, const char *path)
{
    tg_trained *t = NULL;
    const tg_status s = tg_trained_open(b->on[0], path, true, &t);
    const double bytes = s ? NAN : (double)tg_params_elements(tg_model_params(t->model)) * (double)sizeof(float);
    tg_trained_close(t);
    return bytes;
}

static void bench_sampling(bench *b)
{
    static const struct { const char *name, *file; bool (*make)(const bench *b, const char *path); } models[] = {
        {"GPT 4x128", "gpt", make_small}, {"Llama 6x288, 15M", "llama.safetensors", make_large}};
    static sampled made[2];
    static sampling args[2][2][KINDS];
    for (int i = 0; i < 2; i++) {
        char name[72];
        snprintf(name, sizeof name, "from the cache, one text, 64 texts, exec to first token, %s", models[i].name);
        if (!bench_wanted(b, "sampling", name)) continue;
        made[i].b = b;
        snprintf(made[i].path, sizeof made[i].path, "%.480s/%s", b->folder, models[i].file);
        if (!models[i].make(b, made[i].path)) continue;
        made[i].bytes = weight_bytes(b, made[i].path);
        snprintf(made[i].limit, sizeof made[i].limit, "reading %.0f KiB", made[i].bytes / 1024);
        for (int on = 0; on < b->sizes; on++) add_sampling(b, models[i].name, &made[i], on, args[i][on]);
    }
    bench_run(b, "Sampling from Transformers");
}

void bench_transformers(bench *b)
{
    bench_training(b);
    bench_sampling(b);
}
