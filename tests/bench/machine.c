/* machine.c - limits of this machine: multiply-adds and bandwidths, each thread on memory of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "bench/bench.h"
#include "kernels/drive.h"

typedef struct peak_table {
    const char *isa;
    void (*fma)(float *sink, int64_t times);
    float (*read)(const float *x, int64_t n);
    void (*triad)(float *y, const float *a, const float *b, int64_t n);
    void (*update)(float *y, const float *a, int64_t n);
    int (*width)(void);
} peak_table;

#define DECLARE(isa)                                                          \
    void bench_fma_##isa(float *sink, int64_t times);                         \
    float bench_read_##isa(const float *x, int64_t n);                        \
    void bench_triad_##isa(float *y, const float *a, const float *b, int64_t n); \
    void bench_update_##isa(float *y, const float *a, int64_t n);             \
    int bench_width_##isa(void);
#define TABLE(isa) {#isa, bench_fma_##isa, bench_read_##isa, bench_triad_##isa, bench_update_##isa, bench_width_##isa}
#ifdef TG_HAVE_avx512
DECLARE(avx512)
#endif
#ifdef TG_HAVE_avx2
DECLARE(avx2)
#endif
#ifdef TG_HAVE_neon
DECLARE(neon)
#endif
DECLARE(scalar)

static const peak_table tables[] = {
#ifdef TG_HAVE_avx512
    TABLE(avx512),
#endif
#ifdef TG_HAVE_avx2
    TABLE(avx2),
#endif
#ifdef TG_HAVE_neon
    TABLE(neon),
#endif
    TABLE(scalar),
};
enum { TABLES = sizeof tables / sizeof *tables };

static const peak_table *table_of(const char *isa)
{
    for (int i = 0; i < TABLES; i++)
        if (!strcmp(tables[i].isa, isa) && tg_cpu_has(isa)) return &tables[i];
    return NULL;
}

/* What each thread does in one go; chunk = thread. */
typedef struct limit_job {
    const peak_table *t;
    const tg_kernels *kn;
    char kind;              /* f: multiply-adds, m: the register tile, r: read, t: triad y = a + s·b, u: update y += s·a */
    float *x;               /* each thread's floats, one behind the other */
    int64_t floats, times;
    tg_pool *pool;
    int threads;
} limit_job;

enum { TILE_STEPS = 128 };

/* One tile over and over, its operands in L1: what products reach where nothing has to be fetched. It is less than registers
 * alone allow where a core lowers its clock for what loads and multiplies at once. */
static void run_tile(const tg_kernels *kn, float *x)
{
    const tg_left a = {x, 0, 1, kn->mr, kn->mr};
    const tg_right b = {x + kn->mr * TILE_STEPS, kn->nr * TILE_STEPS, kn->nr};
    kn->gemm_block(x + (kn->mr + kn->nr) * TILE_STEPS, kn->nr, NULL, 0, &a, &b, kn->mr, kn->nr, TILE_STEPS, NULL);
}

static void limit_chunk(void *arg, int64_t chunk)
{
    const limit_job *j = arg;
    float *x = j->x + chunk * j->floats;
    const int64_t half = j->floats / 2 / 16 * 16, third = j->floats / 3 / 16 * 16;
    for (int64_t n = 0; n < (j->kind == 'f' ? 1 : j->times); n++) {
        if (j->kind == 'f') j->t->fma(x, j->times);
        else if (j->kind == 'm') run_tile(j->kn, x);
        else if (j->kind == 'r') x[0] = j->t->read(x, j->floats) * 0;
        else if (j->kind == 'u') j->t->update(x, x + half, half);
        else j->t->triad(x, x + third, x + 2 * third, third);
    }
}

static void limit_run(void *arg)
{
    limit_job *j = arg;
    tg_pool_run(j->pool, limit_chunk, j, j->threads);
}

static double sample(const bench *b, const peak_table *t, char kind, int64_t bytes, int threads)
{
    tg_context *ctx = b->on[threads > 1];
    limit_job j = {.t = t, .kn = tg_kernels_of(ctx), .kind = kind, .threads = threads, .pool = ctx->pool};
    if (!t) return NAN;
    if (kind == 'm') bytes = ((j.kn->mr + j.kn->nr) * TILE_STEPS + j.kn->mr * j.kn->nr) * (int64_t)sizeof(float);
    j.floats = bytes / (int64_t)sizeof(float);
    j.times = kind == 'f' ? 200000 : 1 + (4 << 20) / bytes;
    j.x = tg_alloc(bytes * threads);
    if (!j.x) return NAN;
    for (int64_t i = 0; i < j.floats * threads; i++) j.x[i] = 1e-3f; /* else all pages are the one page of zeros */
    /* an update reads what it writes: three times half of the bytes go over the bus */
    const double flops = 2.0 * (double)j.times * (kind == 'm' ? (double)(j.kn->mr * j.kn->nr * TILE_STEPS) : t->width());
    const double gigabytes = (double)(j.times * bytes) * (kind == 'u' ? 1.5 : 1);
    const double rate = bench_rate(limit_run, &j, (kind == 'f' || kind == 'm' ? flops : gigabytes) * threads * 1e-9);
    tg_free(j.x);
    return rate;
}

/* So much of a level that one thread of so many has it for sure. */
static int64_t level_bytes(const char *level, int threads)
{
    int64_t l1, l2, l3;
    tg_cpu_caches(&l1, &l2, &l3);
    if (strstr(level, " KiB")) return (int64_t)strtod(level, NULL) * 1024 / threads;
    if (!strcmp(level, "L1")) return l1 * 3 / 4;
    if (!strcmp(level, "L2")) return l2 / 2;
    if (!strcmp(level, "L3")) return 2 * l3 / 5 / (threads > 2 ? threads : 2);
    return !strcmp(level, "DRAM") ? 8 * l3 / threads : 0;
}

double bench_limit(const bench *b, const char *name, int threads)
{
    const peak_table *t = table_of(b->on[0]->isa);
    const char *space = strchr(name, ' '), *level = space ? space + 1 : name;
    const char kind = !space || !strncmp(name, "reading ", 8) ? 'r' : name[0];
    if (!strncmp(name, "fma", 3)) return sample(b, name[3] == ' ' ? table_of(name + 4) : t, 'f', 4096, threads);
    if (!strcmp(name, "tile from L1")) return sample(b, t, 'm', 0, threads);
    const int64_t bytes = level_bytes(level, threads);
    return bytes ? sample(b, t, kind, bytes, threads) : NAN;
}

typedef struct machine_arg { const bench *b; char name[24]; int threads; } machine_arg;

static double measure_limit(bench_row *r)
{
    const machine_arg *a = r->arg;
    return bench_limit(a->b, a->name, a->threads);
}

void bench_machine(bench *b)
{
    static const char *const levels[] = {"L1", "L2", "L3", "DRAM", "triad L2", "triad L3", "triad DRAM", "update L3",
                                         "update DRAM", "tile from L1"};
    enum { LEVELS = sizeof levels / sizeof *levels };
    static machine_arg args[2][TABLES + LEVELS];
    for (int s = 0; s < b->sizes; s++)
        for (int i = 0; i < TABLES + LEVELS; i++) {
            machine_arg *a = &args[s][i];
            bench_row row = {.group = "machine", .threads = b->threads[s], .measure = measure_limit, .arg = a};
            *a = (machine_arg){.b = b, .threads = b->threads[s]};
            if (i < TABLES && !table_of(tables[i].isa)) continue;
            if (i < TABLES) snprintf(a->name, sizeof a->name, "fma %s", tables[i].isa);
            else snprintf(a->name, sizeof a->name, "%s", levels[i - TABLES]);
            const bool tile = !strncmp(a->name, "tile", 4);
            row.unit = i < TABLES || tile ? "GFLOP/s" : "GB/s";
            if (tile) row.limit = "fma";
            snprintf(row.name, sizeof row.name, i < TABLES ? "%s" : strchr(a->name, ' ') ? "%s" : "read %s", a->name);
            bench_add(b, &row);
        }
    bench_run(b, "The machine");
}
