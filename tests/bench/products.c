/* products.c - matrix products at the shapes of the models, beside OpenBLAS where it is installed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/bench.h"
#include "kernels/drive.h"

typedef struct shape { int m, n, k; const char *op, *what; } shape;

/* NN forward, NT a weight stored as PyTorch stores it, TN a weight gradient, added to what is there. */
static const shape shapes[] = {
    {512, 512, 512, "NN", "square"}, {1024, 1024, 1024, "NN", "square"}, {2048, 2048, 2048, "NN", "square"},
    {512, 512, 512, "NT", "square"}, {1024, 1024, 1024, "TN", "square"},
    {50, 512, 128, "NN", "LSTM 128 step"}, {50, 512, 128, "NT", "LSTM 128 step"}, {50, 128, 512, "NN", "LSTM 128 step dh"},
    {25, 512, 128, "NN", "LSTM 128 half a step"}, {25, 128, 512, "NN", "LSTM 128 half a step dh"},
    {128, 512, 2500, "TN", "LSTM 128 dw"}, {512, 128, 2500, "TN", "LSTM 128 dw, turned"},
    {2500, 512, 128, "NT", "LSTM 128 input"}, {2500, 65, 128, "NT", "LSTM 128 head"},
    {50, 2048, 512, "NN", "LSTM 512 step"}, {50, 2048, 512, "NT", "LSTM 512 step"}, {50, 512, 2048, "NN", "LSTM 512 step dh"},
    {25, 2048, 512, "NN", "LSTM 512 half a step"}, {50, 1024, 512, "NN", "LSTM 512 half the gates"},
    {512, 2048, 2500, "TN", "LSTM 512 dw"}, {2048, 512, 2500, "TN", "LSTM 512 dw, turned"}, {64, 512, 256, "NN", "RNN step"},
    {768, 384, 128, "NN", "GPT 128 qkv"}, {768, 384, 128, "NT", "GPT 128 qkv"}, {768, 128, 384, "NN", "GPT 128 qkv dx"},
    {384, 128, 768, "TN", "GPT 128 qkv dw"}, {768, 512, 128, "NN", "GPT 128 fc1"}, {768, 128, 512, "NN", "GPT 128 fc2"},
    {512, 128, 768, "TN", "GPT 128 fc1 dw"}, {64, 64, 32, "NT", "GPT 128 head qk"}, {64, 32, 64, "NN", "GPT 128 head pv"},
    {4096, 1152, 384, "NN", "GPT 384 qkv"}, {4096, 1536, 384, "NN", "GPT 384 fc1"}, {4096, 384, 1536, "NN", "GPT 384 fc2"},
    {4096, 1536, 384, "NT", "GPT 384 fc1"}, {1536, 384, 4096, "TN", "GPT 384 fc1 dw"}, {256, 256, 64, "NT", "GPT 384 head qk"},
    {256, 64, 256, "NN", "GPT 384 head pv"},
    {128, 400, 784, "NN", "VAE encoder"}, {128, 400, 784, "NT", "VAE encoder"}, {128, 784, 400, "NN", "VAE decoder"},
    {128, 784, 400, "NT", "VAE decoder"}, {400, 784, 128, "TN", "VAE encoder dw"},
    {128, 512, 256, "NT", "GAN generator"}, {128, 784, 512, "NT", "GAN generator out"},
    {1, 512, 128, "NT", "LSTM 128 generate"}, {1, 2048, 512, "NT", "LSTM 512 generate"}, {1, 384, 128, "NT", "GPT 128 generate"},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, OURS = 2 /* as given, packed; then the peers */ };

typedef struct product_job { tg_context *ctx; tg_gemm g; void *scratch; } product_job;

static void product_run(void *arg)
{
    product_job *j = arg;
    tg_gemm_run(j->ctx, &j->g, j->scratch);
}

static double flops(const shape *s) { return 2e-9 * s->m * s->n * s->k; }

/* A row times a matrix does nothing but read it: GB/s of its weights, beside reading as many bytes. Bytes a FLOP: */
enum { ROW_BYTES = sizeof(float) / 2 };
static bool is_row(const shape *s) { return s->m == 1; }

static void fill(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i % 7 - 3);
}

/* One sample of ours; packed: the right operand was packed before. */
static double product_sample(tg_context *ctx, const shape *s, bool packed)
{
    const int64_t m = s->m, n = s->n, k = s->k;
    const bool ta = s->op[0] == 'T', tb = s->op[1] == 'T';
    float *a = tg_alloc(m * k * 4), *b = tg_alloc(k * n * 4), *c = tg_alloc(m * n * 4);
    float *p = packed ? tg_alloc(tg_pack_room(ctx, k, n)) : NULL;
    product_job j = {.ctx = ctx};
    double rate = NAN;
    j.g = (tg_gemm){.m = m, .n = n, .k = k, .a = a, .a_rs = ta ? 1 : k, .a_cs = ta ? m : 1, .b = b, .b_rs = tb ? 1 : n,
                    .b_cs = tb ? k : 1, .c = c, .c_rs = n, .from = ta ? c : NULL, .from_rs = n, .packed = p};
    j.scratch = tg_alloc_raw(tg_gemm_room(ctx, &j.g) + 64);
    if (a && b && c && j.scratch && (p || !packed)) {
        fill(a, m * k);
        fill(b, k * n);
        if (p) tg_pack(ctx, p, b, j.g.b_rs, j.g.b_cs, k, n);
        rate = bench_rate(product_run, &j, flops(s));
    }
    void *all[] = {a, b, c, p, j.scratch};
    for (int i = 0; i < 5; i++) tg_free(all[i]);
    return rate;
}

typedef struct product_arg {
    const bench *b;
    const shape *s;
    int on;
    bool packed;
    bench_child *peer;
    char limit[32]; /* of a row */
} product_arg;

static double in_unit(const shape *s, double rate) { return is_row(s) ? ROW_BYTES * rate : rate; }

static double measure_ours(bench_row *r)
{
    const product_arg *a = r->arg;
    return in_unit(a->s, product_sample(a->b->on[a->on], a->s, a->packed));
}

static double measure_peer(bench_row *r)
{
    const product_arg *a = r->arg;
    char line[80];
    snprintf(line, sizeof line, "%d %d %d %s", a->s->m, a->s->n, a->s->k, a->s->op);
    return in_unit(a->s, bench_child_ask(a->peer, line));
}

/* OpenBLAS: a process for every build and number of threads, started when a row first wants it. */
static const char *const sides[BENCH_BLAS] = {"OpenBLAS/pthread", "OpenBLAS/openmp"};
typedef struct peer { bench_child *child; bool tried; } peer;

static bench_child *peer_of(const bench *b, peer *p, int blas, int threads)
{
    char program[512];
    snprintf(program, sizeof program, "%s/bench-openblas", b->bin);
    if (!p->tried) p->child = bench_child_start((const char *[]){program, "libopenblas.so.0", NULL}, blas, threads);
    p->tried = true;
    return p->child;
}

static void add_shape(bench *b, const shape *s, int on, product_arg args[OURS + BENCH_BLAS], peer peers[BENCH_BLAS])
{
    for (int side = 0; side < OURS + BENCH_BLAS; side++) {
        const int blas = side - OURS;
        product_arg *a = &args[side];
        bench_row row = {.group = "product", .threads = b->threads[on], .unit = "GFLOP/s", .limit = "fma", .arg = a,
                         .measure = measure_ours};
        /* a packed operand is a matter of rows that come with many others: steps and generation */
        if (side == 1 && (s->m > 64 || s->op[0] == 'T')) continue;
        snprintf(row.name, sizeof row.name, "%d x %d x %d %s %s%s", s->m, s->n, s->k, s->op, s->what,
                 side == 1 ? BENCH_PACKED : "");
        if (!bench_wanted(b, row.group, row.name)) continue;
        *a = (product_arg){.b = b, .s = s, .on = on, .packed = side == 1};
        if (is_row(s)) {
            snprintf(a->limit, sizeof a->limit, "reading %d KiB", s->n * s->k * (int)sizeof(float) / 1024);
            row.unit = "GB/s";
            row.limit = a->limit;
        }
        if (blas >= 0) {
            a->peer = peer_of(b, &peers[blas], blas, row.threads);
            row.side = sides[blas];
            row.limit = NULL;
            row.measure = measure_peer;
        }
        if (blas < 0 || a->peer) bench_add(b, &row);
    }
}

void bench_products(bench *b)
{
    static product_arg args[SHAPES][2][OURS + BENCH_BLAS];
    peer peers[2][BENCH_BLAS] = {{{0}}};
    for (int i = 0; i < SHAPES; i++)
        for (int on = 0; on < b->sizes; on++) add_shape(b, &shapes[i], on, args[i][on], peers[on]);
    bench_run(b, "Matrix products m x n x k");
    for (int on = 0; on < 2; on++)
        for (int blas = 0; blas < BENCH_BLAS; blas++) bench_child_stop(peers[on][blas].child);
}
