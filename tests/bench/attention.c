/* attention.c - attention forward, backward and for one token behind a cache. FLOPs are those of the pairs that are seen: half of
 * the square, and five products backward to forward's two. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "bench/bench.h"
#include "kernels/drive.h"

typedef enum part { FORWARD, BACKWARD, TOKEN } part;
typedef struct shape { const char *name; part part; int64_t T, B, H, K, D; } shape;

static const shape shapes[] = {
    {"T 64, B 12, H 4, D 32, forward", FORWARD, 64, 12, 4, 4, 32},
    {"T 64, B 12, H 4, D 32, backward", BACKWARD, 64, 12, 4, 4, 32},
    {"T 256, B 8, H 6, D 64, forward", FORWARD, 256, 8, 6, 6, 64},
    {"T 256, B 8, H 6, D 64, backward", BACKWARD, 256, 8, 6, 6, 64},
    {"T 256, B 8, H 6 over 2, D 64, forward", FORWARD, 256, 8, 6, 2, 64},
    {"T 256, B 8, H 6 over 2, D 64, backward", BACKWARD, 256, 8, 6, 2, 64},
    {"T 1024, B 1, H 6, D 64, forward", FORWARD, 1024, 1, 6, 6, 64},
    {"a token behind 255, B 1, H 6, D 64", TOKEN, 1, 1, 6, 6, 64},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, BEHIND = 255 };

typedef struct arg { const bench *b; const shape *s; int on; } arg;
typedef struct work { tg_context *ctx; tg_attend s; tg_attend_grad g; void *scratch; } work;

static void run_forward(void *p)
{
    const work *w = p;
    tg_attend_forward(w->ctx, &w->s, w->scratch);
}

static void run_backward(void *p)
{
    const work *w = p;
    tg_attend_backward(w->ctx, &w->s, &w->g, w->scratch);
}

static double measure(bench_row *r)
{
    const arg *a = r->arg;
    const shape *z = a->s;
    const int64_t rows = z->T * z->B, wide = (z->H + 2 * z->K) * z->D, out = z->H * z->D, cache = (BEHIND + 1) * z->B * z->K * z->D;
    work w = {.ctx = a->b->on[a->on], .s = {.T = z->T, .B = z->B, .H = z->H, .K = z->K, .D = z->D, .theta = 10000}};
    const int64_t forward = tg_attend_room(w.ctx, &w.s), backward = tg_attend_back_room(w.ctx, &w.s);
    float *x = tg_alloc_array(2 * rows * (wide + out) + rows * z->H + 2 * cache, sizeof *x);
    double rate = NAN;
    w.scratch = tg_alloc(forward > backward ? forward : backward);
    if (x && w.scratch) {
        for (int64_t i = 0; i < rows * (wide + out) + rows * z->H + 2 * cache; i++) x[i] = (float)(i * 7 % 23 - 11) * 0.05f;
        w.s.qkv = x;
        w.s.y = x + rows * wide;
        w.s.lse = w.s.y + rows * out;
        float *k = w.s.lse + rows * z->H, *dqkv = k + 2 * cache;
        w.g = (tg_attend_grad){.dy = dqkv + rows * wide, .dqkv = dqkv};
        if (z->part == TOKEN) w.s.cache_k = k, w.s.cache_v = k + cache, w.s.capacity = BEHIND + 1, w.s.used = BEHIND;
        const double flops = tg_attend_pairs(&w.s) * (double)(z->H * z->D) * (z->part == BACKWARD ? 10 : 4);
        run_forward(&w);
        rate = bench_rate(z->part == BACKWARD ? run_backward : run_forward, &w, flops * 1e-9);
    }
    tg_free(x);
    tg_free(w.scratch);
    return rate;
}

void bench_attention(bench *b)
{
    static arg args[SHAPES][2];
    for (int i = 0; i < SHAPES; i++)
        for (int on = 0; on < b->sizes; on++) {
            bench_row row = {.group = "attention", .threads = b->threads[on], .unit = "GFLOP/s", .limit = "fma", .per_unit = 1,
                             .measure = measure, .arg = &args[i][on]};
            snprintf(row.name, sizeof row.name, "%s", shapes[i].name);
            args[i][on] = (arg){b, &shapes[i], on};
            bench_add(b, &row);
        }
    bench_run(b, "Attention");
}
