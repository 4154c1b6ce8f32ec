/* peak.c - the most that an instruction set does on this machine: multiply-adds with nothing to wait for, and reading. */
#include "kernels/simd/v16.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define NAME(what) PASTE(what, TG_SIMD)

void NAME(bench_fma_)(float *sink, int64_t times);
float NAME(bench_read_)(const float *x, int64_t n);
void NAME(bench_triad_)(float *y, const float *a, const float *b, int64_t n);
void NAME(bench_update_)(float *y, const float *a, int64_t n);

enum { CHAINS = 12 }; /* enough to hide a multiply-add's latency, few enough for sixteen registers */

/* times · CHAINS · TG_W multiply-adds. */
void NAME(bench_fma_)(float *sink, int64_t times)
{
    vt sum[CHAINS];
    const vt a = vt_all(0.999f), b = vt_all(1e-6f);
    TG_UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = vt_all((float)i);
    for (int64_t t = 0; t < times; t++)
        TG_UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = vt_fma(sum[i], a, b);
    TG_UNROLL for (int i = 0; i < CHAINS; i++) vt_store(sink + i * TG_W, sum[i]);
}

float NAME(bench_read_)(const float *x, int64_t n)
{
    enum { ABREAST = 8 };
    vt sum[ABREAST];
    float out[16];
    TG_UNROLL for (int i = 0; i < ABREAST; i++) sum[i] = vt_zero();
    for (int64_t j = 0; j + ABREAST * TG_W <= n; j += ABREAST * TG_W)
        TG_UNROLL for (int i = 0; i < ABREAST; i++) sum[i] = vt_add(sum[i], vt_load(x + j + i * TG_W));
    TG_UNROLL for (int i = 1; i < ABREAST; i++) sum[0] = vt_add(sum[0], sum[i]);
    vt_store(out, sum[0]);
    return out[0];
}

void NAME(bench_triad_)(float *y, const float *a, const float *b, int64_t n)
{
    const vt s = vt_all(3);
    for (int64_t j = 0; j + TG_W <= n; j += TG_W) vt_store(y + j, vt_fma(s, vt_load(b + j), vt_load(a + j)));
}

/* In place, as an optimiser goes over its weights: no line is read only to be written. */
void NAME(bench_update_)(float *y, const float *a, int64_t n)
{
    const vt s = vt_all(3);
    for (int64_t j = 0; j + TG_W <= n; j += TG_W) vt_store(y + j, vt_fma(s, vt_load(a + j), vt_load(y + j)));
}

int NAME(bench_width_)(void);
int NAME(bench_width_)(void) { return CHAINS * TG_W; }
