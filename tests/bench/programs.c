/* programs.c - what people run: training steps, sampling, start-up, preparing text; beside PyTorch where it is installed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "bench/bench.h"
#include "tinygen/data.h"

typedef struct training { const char *name, *model; int hidden, batch, seq, steps, sample; bool peer; } training;

static const training trainings[] = {
    {"LSTM 2x128, batch 50, seq 50", "lstm", 128, 50, 50, 30, 20000, true},
    {"LSTM 2x512, batch 50, seq 50", "lstm", 512, 50, 50, 6, 10000, true},
    {"GRU 2x128, batch 50, seq 50", "gru", 128, 50, 50, 30, 20000, true},
    {"RNN 2x128, batch 50, seq 50", "rnn", 128, 50, 50, 75, 20000, true},
    /* no cliff: hidden size, batch and sequence one at a time */
    {"LSTM 2x32, batch 50, seq 50", "lstm", 32, 50, 50, 100, 0, false},
    {"LSTM 2x48, batch 50, seq 50", "lstm", 48, 50, 50, 75, 0, false},
    {"LSTM 2x64, batch 50, seq 50", "lstm", 64, 50, 50, 50, 0, false},
    {"LSTM 2x96, batch 50, seq 50", "lstm", 96, 50, 50, 40, 0, false},
    {"LSTM 2x160, batch 50, seq 50", "lstm", 160, 50, 50, 20, 0, false},
    {"LSTM 2x256, batch 50, seq 50", "lstm", 256, 50, 50, 12, 0, false},
    {"LSTM 2x384, batch 50, seq 50", "lstm", 384, 50, 50, 6, 0, false},
    {"LSTM 2x768, batch 50, seq 50", "lstm", 768, 50, 50, 6, 0, false},
    {"LSTM 2x1024, batch 50, seq 50", "lstm", 1024, 50, 50, 6, 0, false},
    {"LSTM 2x128, batch 1, seq 50", "lstm", 128, 1, 50, 300, 0, false},
    {"LSTM 2x128, batch 4, seq 50", "lstm", 128, 4, 50, 150, 0, false},
    {"LSTM 2x128, batch 8, seq 50", "lstm", 128, 8, 50, 100, 0, false},
    {"LSTM 2x128, batch 16, seq 50", "lstm", 128, 16, 50, 60, 0, false},
    {"LSTM 2x128, batch 32, seq 50", "lstm", 128, 32, 50, 40, 0, false},
    {"LSTM 2x128, batch 100, seq 50", "lstm", 128, 100, 50, 15, 0, false},
    {"LSTM 2x128, batch 200, seq 50", "lstm", 128, 200, 50, 7, 0, false},
    {"LSTM 2x128, batch 50, seq 5", "lstm", 128, 50, 5, 200, 0, false},
    {"LSTM 2x128, batch 50, seq 10", "lstm", 128, 50, 10, 125, 0, false},
    {"LSTM 2x128, batch 50, seq 25", "lstm", 128, 50, 25, 60, 0, false},
    {"LSTM 2x128, batch 50, seq 100", "lstm", 128, 50, 100, 15, 0, false},
    {"LSTM 2x128, batch 50, seq 200", "lstm", 128, 50, 200, 7, 0, false},
};
enum { TRAININGS = sizeof trainings / sizeof *trainings, OUT = 4096 };

typedef struct program_arg {
    const bench *b;
    const training *t;
    char data[512], run[512];
    bench_child *peer;
} program_arg;

const char *bench_program(const bench *b, const char *name, char out[512])
{
    snprintf(out, 512, "%s/%s", b->bin, name);
    return out;
}

/* A run of t in a folder of that name, on the text of bench_data. */
static program_arg arg_of(const bench *b, const training *t, const char *run)
{
    program_arg a = {.b = b, .t = t};
    snprintf(a.data, sizeof a.data, "%s/verses.safetensors", b->folder);
    snprintf(a.run, sizeof a.run, "%s/%s", b->folder, run);
    return a;
}

double bench_figure(const char *text, const char *key)
{
    double x = NAN;
    const tg_json *root = NULL;
    tg_arena *a = tg_arena_new(1 << 16);
    if (a && !tg_json_parse(a, "result", text, (int64_t)strlen(text), &root)) tg_json_real(root, key, &x);
    tg_arena_free(a);
    return x;
}

void bench_data(const bench *b, const char *name, const char *bytes)
{
    char path[512], corpus[256], to[280], out[OUT];
    snprintf(corpus, sizeof corpus, "%.200s/%s", b->folder, name);
    snprintf(to, sizeof to, "%s.safetensors", corpus);
    if (tg_path_kind(to) == TG_PATH_FILE) return;
    bench_command((const char *[]){bench_program(b, "gen-collect", path), "synth:verses", "--max-bytes", bytes, "-o", corpus, "--force",
                                   "--quiet", NULL}, out, OUT, NULL, NULL);
    bench_command((const char *[]){bench_program(b, "gen-preprocess", path), corpus, "-o", to, "--val", "0.005", "--force", "--quiet", NULL}, out,
                  OUT, NULL, NULL);
}

int64_t bench_symbols(const bench *b)
{
    char path[512];
    tg_dataset *d = NULL;
    bench_data(b, "verses", "1000k");
    snprintf(path, sizeof path, "%.480s/verses.safetensors", b->folder);
    const int64_t n = tg_dataset_open(b->on[0], path, &d) ? 0 : tg_tokenizer_vocab(tg_dataset_tokenizer(d));
    tg_dataset_close(d);
    return n;
}

/* ---- training --------------------------------------------------------------------------------------------------------- */

static int train(program_arg *a, int steps, int threads, char out[OUT], double *seconds)
{
    char path[512], text[6][16];
    bench_data(a->b, "verses", "1000k");
    const int n[6] = {a->t->hidden, a->t->batch, a->t->seq, steps, threads, 1000000};
    for (int i = 0; i < 6; i++) snprintf(text[i], sizeof text[i], "%d", n[i]);
    const char *argv[] = {bench_program(a->b, "gen-train", path), "--data", a->data, "--model", a->t->model, "--layers", "2", "--hidden",
                          text[0], "--batch", text[1], "--seq", text[2], "--steps", text[3], "--threads", text[4], "--lr", "2e-3",
                          "--clip", "5", "--eval-every", text[5], "--save-every", text[5], "--sample-every", "0", "-o", a->run,
                          "--force", "--json", "--quiet", NULL};
    return bench_command(argv, out, OUT, seconds, NULL);
}

static double measure_training(bench_row *r)
{
    program_arg *a = r->arg;
    char out[OUT];
    if (train(a, a->t->steps * r->threads, r->threads, out, NULL)) return NAN;
    const double peak = bench_figure(out, "peak_bytes"); /* its own word: what wait4 says includes this program before exec */
    const double rate = bench_figure(out, "tokens_per_second");
    r->per_unit = bench_figure(out, "gflops") / rate;
    if (peak > r->peak) r->peak = peak;
    return rate;
}

static double measure_peer(bench_row *r)
{
    const program_arg *a = r->arg;
    return bench_child_ask(a->peer, "go");
}

static const char *const sides[BENCH_BLAS] = {"PyTorch/pthread", "PyTorch/openmp"};

static bench_child *start_torch(const bench *b, const training *t, int blas, int threads)
{
    char n[5][16];
    const int values[5] = {t->hidden, t->batch, t->seq, threads, (int)bench_symbols(b)};
    for (int i = 0; i < 5; i++) snprintf(n[i], sizeof n[i], "%d", values[i]);
    return bench_child_start((const char *[]){"/usr/bin/python3", "tests/bench/peers/torch_recurrent.py", t->model, n[0], n[1], n[2],
                                              n[3], n[4], NULL}, blas, threads);
}

static void add_training(bench *b, const training *t, int on, program_arg args[1 + BENCH_BLAS])
{
    for (int side = 0; side <= BENCH_BLAS; side++) {
        bench_row row = {.group = "training", .threads = b->threads[on], .unit = "tokens/s", .limit = "fma",
                         .measure = measure_training, .arg = &args[side]};
        snprintf(row.name, sizeof row.name, "%s", t->name);
        if (!bench_wanted(b, row.group, row.name)) return;
        args[side] = arg_of(b, t, "run");
        if (side > 0) {
            args[side].peer = t->peer ? start_torch(b, t, side - 1, row.threads) : NULL;
            row.side = sides[side - 1];
            row.limit = NULL;
            row.measure = measure_peer;
        }
        if (side == 0 || args[side].peer) bench_add(b, &row);
    }
}

static void bench_training(bench *b)
{
    static program_arg args[TRAININGS][2][1 + BENCH_BLAS];
    for (int i = 0; i < TRAININGS; i++)
        for (int on = 0; on < b->sizes; on++) add_training(b, &trainings[i], on, args[i][on]);
    bench_run(b, "Training steps");
    for (int i = 0; i < TRAININGS; i++)
        for (int on = 0; on < 2; on++)
            for (int side = 0; side <= BENCH_BLAS; side++) bench_child_stop(args[i][on][side].peer);
}

/* ---- sampling --------------------------------------------------------------------------------------------------------- */

static double sample_seconds(const program_arg *a, int length, int threads)
{
    char path[512], n[16], t[16], out[OUT];
    double seconds = NAN;
    snprintf(n, sizeof n, "%d", length);
    snprintf(t, sizeof t, "%d", threads);
    const int status = bench_command((const char *[]){bench_program(a->b, "gen-sample", path), a->run, "--length", n, "--threads", t, "--quiet",
                                                      NULL}, out, OUT, &seconds, NULL);
    return status ? NAN : seconds;
}

/* Characters a second of one long text, the program's start included. */
static double measure_sampling(bench_row *r)
{
    const program_arg *a = r->arg;
    return a->t->sample / sample_seconds(a, a->t->sample, r->threads);
}

static double measure_first_character(bench_row *r)
{
    return 1e3 * sample_seconds(r->arg, 1, r->threads);
}

static void bench_sampling(bench *b)
{
    static program_arg args[TRAININGS];
    char out[OUT];
    for (int i = 0; i < TRAININGS; i++) {
        program_arg *a = &args[i];
        bench_row row = {.group = "sampling", .unit = "chars/s", .measure = measure_sampling, .arg = a};
        bench_row first = {.group = "sampling", .threads = 1, .unit = "ms", .less_is_better = true, .arg = a,
                           .measure = measure_first_character};
        if (trainings[i].sample == 0) continue;
        snprintf(first.name, sizeof first.name, "exec to first character, %s", trainings[i].name);
        *strchr(first.name + 25, ',') = 0;
        snprintf(row.name, sizeof row.name, "one text, %s", trainings[i].name);
        *strchr(row.name + 10, ',') = 0;
        if (!bench_wanted(b, row.group, row.name) && !bench_wanted(b, row.group, first.name)) continue;
        *a = arg_of(b, &trainings[i], trainings[i].name);
        if (train(a, 2, b->cores, out, NULL)) continue;
        for (int on = 0; on < b->sizes; on++) {
            row.threads = b->threads[on];
            bench_add(b, &row);
        }
        bench_add(b, &first);
    }
    bench_run(b, "Sampling");
}

/* ---- start-up and data ---------------------------------------------------------------------------------------------------- */

/* A run of one step, saved: all that comes before and after the first step is in it. */
static double measure_start(bench_row *r)
{
    program_arg *a = r->arg;
    char out[OUT];
    double seconds = NAN;
    return train(a, 1, r->threads, out, &seconds) ? NAN : seconds * 1e3;
}

static double measure_preparing(bench_row *r)
{
    const program_arg *a = r->arg;
    char path[512], corpus[512], to[512], out[OUT];
    double seconds = NAN;
    bench_data(a->b, "large", "16M");
    snprintf(corpus, sizeof corpus, "%s/large", a->b->folder);
    snprintf(to, sizeof to, "%s/large.safetensors", a->b->folder);
    if (bench_command((const char *[]){bench_program(a->b, "gen-preprocess", path), corpus, "-o", to, "--force", "--quiet", NULL}, out, OUT,
                      &seconds, NULL))
        return NAN;
    return 16 / seconds;
}

void bench_programs(bench *b)
{
    static program_arg start;
    bench_training(b);
    bench_sampling(b);
    start = arg_of(b, &trainings[0], "start");
    bench_row row = {.group = "program", .name = "a training run of one step, LSTM 2x128", .threads = b->cores, .unit = "ms",
                     .less_is_better = true, .measure = measure_start, .arg = &start};
    bench_add(b, &row);
    row = (bench_row){.group = "program", .name = "gen-preprocess, 16 MB of text", .threads = b->cores, .unit = "MB/s",
                      .measure = measure_preparing, .arg = &start};
    bench_add(b, &row);
    bench_run(b, "Programs");
}
