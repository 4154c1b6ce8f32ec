/* conv.c - convolutions of a DCGAN for 28 x 28 images at batch 64: forward, and the gradients of x and of w. The gradient of x
 * is what a transposed convolution does forward. FLOPs count padding as work. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "bench/bench.h"
#include "kernels/drive.h"

typedef enum part { FORWARD, BACK_X, BACK_W, PARTS } part;
typedef struct shape { const char *name; tg_convolution g; } shape;

static const shape shapes[] = {
    {"1 to 64, 4x4 s2, 28 to 14", {64, 1, 64, {28, 14, 4, 2, 1, 1}, {28, 14, 4, 2, 1, 1}}},
    {"64 to 128, 4x4 s2, 14 to 7", {64, 64, 128, {14, 7, 4, 2, 1, 1}, {14, 7, 4, 2, 1, 1}}},
    {"64 to 64, 3x3, 14", {64, 64, 64, {14, 14, 3, 1, 1, 1}, {14, 14, 3, 1, 1, 1}}},
    {"32 to 32, 3x3, 32", {64, 32, 32, {32, 32, 3, 1, 1, 1}, {32, 32, 3, 1, 1, 1}}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct arg { const bench *b; const tg_convolution *g; part part; int on; } arg;
typedef struct work { tg_context *ctx; const tg_convolution *g; part part; float *x, *y, *w; void *scratch; } work;

static void run(void *p)
{
    const work *w = p;
    if (w->part == FORWARD) tg_conv_forward(w->ctx, w->g, w->y, w->x, w->w, NULL, false, w->scratch);
    else if (w->part == BACK_X) tg_conv_back_x(w->ctx, w->g, w->x, w->y, w->w, NULL, false, w->scratch);
    else tg_conv_back_w(w->ctx, w->g, w->w, w->y, w->x, false, w->scratch);
}

static double measure(bench_row *r)
{
    const arg *a = r->arg;
    const tg_convolution *g = a->g;
    tg_context *ctx = a->b->on[a->on];
    const int64_t x = g->B * g->C * g->y.in * g->x.in, y = g->B * g->O * g->y.out * g->x.out, taps = g->C * g->y.taps * g->x.taps;
    const int64_t room[] = {tg_conv_room(ctx, g), tg_conv_back_x_room(ctx, g), tg_conv_back_w_room(ctx, g)};
    float *all = tg_alloc_array(x + y + g->O * taps, sizeof *all);
    void *scratch = tg_alloc(room[a->part]);
    double rate = NAN;
    if (all && scratch) {
        work w = {ctx, g, a->part, all, all + x, all + x + y, scratch};
        for (int64_t i = 0; i < x + y + g->O * taps; i++) all[i] = (float)(i * 7 % 23 - 11) * 0.05f;
        rate = bench_rate(run, &w, 2e-9 * (double)y * (double)taps);
    }
    tg_free(all);
    tg_free(scratch);
    return rate;
}

void bench_conv(bench *b)
{
    static const char *const parts[] = {"forward", "gradient of x", "gradient of w"};
    static arg args[SHAPES][PARTS][2];
    for (int i = 0; i < SHAPES; i++)
        for (int p = 0; p < PARTS; p++)
            for (int on = 0; on < b->sizes; on++) {
                bench_row row = {.group = "conv", .threads = b->threads[on], .unit = "GFLOP/s", .limit = "fma", .per_unit = 1,
                                 .measure = measure, .arg = &args[i][p][on]};
                snprintf(row.name, sizeof row.name, "%s, %s", shapes[i].name, parts[p]);
                args[i][p][on] = (arg){b, &shapes[i].g, (part)p, on};
                bench_add(b, &row);
            }
    bench_run(b, "Convolution");
}
