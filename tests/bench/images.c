/* images.c - training steps of a VAE and of two GANs, beside PyTorch. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "bench/bench.h"

typedef struct drawing { const char *name, *peer; int steps; const char *settings[18]; } drawing;

static const drawing drawings[] = {
    {"VAE 784-400-20, batch 128", "vae", 200, {"vae", "--batch", "128"}},
    {"GAN MLP 100-256-512-784, batch 128", "mlp", 100,
     {"gan", "--batch", "128", "--arch", "mlp", "--loss", "nonsaturating", "--no-spectral", "--lr", "2e-4", "--lr-d", "2e-4"}},
    {"DCGAN 28x28, 64 and 128 channels, batch 64", "dcgan", 12,
     {"gan", "--batch", "64", "--arch", "dcgan", "--loss", "nonsaturating", "--no-spectral", "--lr", "2e-4", "--lr-d", "2e-4"}},
};
enum { DRAWINGS = sizeof drawings / sizeof *drawings, OUT = 4096, WORDS = 48 };

typedef struct drawing_arg { const bench *b; const drawing *d; bench_child *peer; } drawing_arg;

static void make_data(const bench *b, const char *to)
{
    char path[512], corpus[512], out[OUT];
    snprintf(corpus, sizeof corpus, "%s/shapes", b->folder);
    if (tg_path_kind(to) == TG_PATH_FILE) return;
    bench_command((const char *[]){bench_program(b, "gen-collect", path), "synth:shapes", "--limit", "2000", "-o", corpus, "--force", "--quiet",
                                   NULL}, out, OUT, NULL, NULL);
    bench_command((const char *[]){bench_program(b, "gen-preprocess", path), corpus, "-o", to, "--size", "28", "--channels", "1", "--force",
                                   "--quiet", NULL}, out, OUT, NULL, NULL);
}

static double measure(bench_row *r)
{
    const drawing_arg *a = r->arg;
    char path[512], data[512], run[512], steps[16], threads[16], out[OUT];
    snprintf(data, sizeof data, "%s/shapes.safetensors", a->b->folder);
    snprintf(run, sizeof run, "%s/drawing", a->b->folder);
    snprintf(steps, sizeof steps, "%d", a->d->steps * r->threads);
    snprintf(threads, sizeof threads, "%d", r->threads);
    make_data(a->b, data);
    const char *argv[WORDS] = {bench_program(a->b, "gen-train", path), "--data", data, "--steps", steps, "--threads", threads, "-o", run,
                               "--no-labels", "--ema", "0", "--eval-every", "1000000", "--save-every", "1000000", "--sample-every", "0",
                               "--force", "--json", "--quiet", "--model"};
    int n = 0;
    while (argv[n]) n++;
    for (const char *const *s = a->d->settings; *s; s++) argv[n++] = *s;
    if (bench_command(argv, out, OUT, NULL, NULL)) return NAN;
    const double peak = bench_figure(out, "peak_bytes"), rate = bench_figure(out, "images_per_second");
    r->per_unit = bench_figure(out, "gflops") / rate;
    if (peak > r->peak) r->peak = peak;
    return rate;
}

static double measure_peer(bench_row *r)
{
    return bench_child_ask(((const drawing_arg *)r->arg)->peer, "go");
}

void bench_images(bench *b)
{
    static const char *const sides[1 + BENCH_BLAS] = {NULL, "PyTorch/pthread", "PyTorch/openmp"};
    static drawing_arg args[DRAWINGS][2][1 + BENCH_BLAS];
    for (int i = 0; i < DRAWINGS; i++)
        for (int on = 0; on < b->sizes; on++)
            for (int side = 0; side <= BENCH_BLAS; side++) {
                drawing_arg *a = &args[i][on][side];
                bench_row row = {.group = "training", .threads = b->threads[on], .unit = "images/s", .limit = side ? NULL : "fma",
                                 .side = sides[side], .measure = side ? measure_peer : measure, .arg = a};
                char threads[16];
                snprintf(row.name, sizeof row.name, "%s", drawings[i].name);
                snprintf(threads, sizeof threads, "%d", row.threads);
                if (!bench_wanted(b, row.group, row.name)) continue;
                *a = (drawing_arg){.b = b, .d = &drawings[i]};
                if (side) a->peer = bench_child_start((const char *[]){"/usr/bin/python3", "tests/bench/peers/torch_images.py",
                                                                       drawings[i].peer, threads, NULL}, side - 1, row.threads);
                if (!side || a->peer) bench_add(b, &row);
            }
    bench_run(b, "Training steps of image models");
    for (int i = 0; i < DRAWINGS; i++)
        for (int on = 0; on < 2; on++)
            for (int side = 0; side <= BENCH_BLAS; side++) bench_child_stop(args[i][on][side].peer);
}
