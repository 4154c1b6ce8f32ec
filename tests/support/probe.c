#include "support/probe.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "test.h"

enum { GUARD = 32 };
static const float guard_value = 12345.5f;
static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};
static const int64_t sizes[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 50, 64, 100};
enum { ISAS = sizeof isas / sizeof *isas, SIZES = sizeof sizes / sizeof *sizes };

static tg_arena *memory;

static void *take(int64_t bytes)
{
    void *x = tg_arena_alloc(memory, bytes);
    CHECK(x != NULL);
    return x;
}

float *probe_floats(probe *p, int64_t n, double low, double high)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, p->stream++);
    float *x = take(n * (int64_t)sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(low + (high - low) * (double)tg_rng_unit(&r));
    return x;
}

int32_t *probe_ids(probe *p, int64_t n, int64_t low, int64_t high)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, p->stream++);
    int32_t *x = take(n * (int64_t)sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (int32_t)(low + tg_rng_below(&r, high - low));
    return x;
}

double *probe_doubles(probe *p, int64_t n)
{
    (void)p;
    return take(n * (int64_t)sizeof(double));
}

double *probe_wide(probe *p, const float *x, int64_t n)
{
    double *y = probe_doubles(p, n);
    for (int64_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

float *probe_result(probe *p, int64_t n)
{
    (void)p;
    float *x = take((n + GUARD) * (int64_t)sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = NAN;
    for (int64_t i = n; i < n + GUARD; i++) x[i] = guard_value;
    return x;
}

float *probe_copy(probe *p, const float *x, int64_t n)
{
    float *y = probe_result(p, n);
    memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

float *probe_sum(probe *p, int64_t n, double **before)
{
    float *x = probe_copy(p, probe_floats(p, n, -1, 1), n);
    *before = probe_wide(p, x, n);
    return x;
}

void probe_check(probe *p, const float *got, const double *want, int64_t n, double tolerance)
{
    double scale = 1;
    for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(want[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= tolerance * scale))
            test_failed(__FILE__, __LINE__, "%s, %s, size %lld: [%lld] is %.9g, not %.9g", p->kernel, p->k->name,
                        (long long)p->n, (long long)i, (double)got[i], want[i]);
    for (int64_t i = n; i < n + GUARD; i++)
        if (got[i] != guard_value)
            test_failed(__FILE__, __LINE__, "%s, %s, size %lld: wrote %lld behind its end", p->kernel, p->k->name,
                        (long long)p->n, (long long)(i - n));
    tg_xxh64_add(&p->bits, got, n * (int64_t)sizeof *got);
}

static uint64_t run_one(const probe_row *row, const tg_kernels *k, int64_t n)
{
    probe p = {.k = k, .kernel = row->kernel, .n = n, .stream = (uint64_t)n << 16};
    tg_xxh64_start(&p.bits);
    row->run(&p);
    tg_arena_rewind(memory, (tg_arena_mark){0});
    return tg_xxh64_end(&p.bits);
}

void probe_all(const probe_row *rows)
{
    memory = tg_arena_new(1 << 20);
    CHECK(memory != NULL);
    for (const probe_row *row = rows; row->kernel; row++)
        for (int s = 0; s < SIZES; s++) {
            uint64_t want = run_one(row, tg_kernels_named("scalar"), sizes[s]);
            for (int i = 1; i < ISAS; i++) {
                const tg_kernels *k = tg_kernels_named(isas[i]);
                if (k && run_one(row, k, sizes[s]) != want)
                    test_failed(__FILE__, __LINE__, "%s, size %lld: %s gives other bits than scalar", row->kernel,
                                (long long)sizes[s], isas[i]);
            }
        }
    tg_arena_free(memory);
}
