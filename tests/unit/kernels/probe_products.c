/* probe_products.c - packing, the register tile, the product with one row. */
#include "support/naive.h"
#include "support/probe.h"
#include "test.h"

enum { COLUMNS = 37 };

static int64_t panels(int64_t n, int64_t width) { return (n + width - 1) / width; }

/* Element (line, p) of a packed operand. */
static float packed_at(const float *packed, int64_t width, int64_t k, int64_t line, int64_t p)
{
    return packed[line / width * k * width + p * width + line % width];
}

static void check_packed(probe *p, const float *got, const float *x, int64_t line_stride, int64_t k_stride,
                         int64_t lines, int64_t k, int64_t width)
{
    for (int64_t line = 0; line < panels(lines, width) * width; line++)
        for (int64_t q = 0; q < k; q++) {
            float want = line < lines ? x[line * line_stride + q * k_stride] : 0.0f;
            if (packed_at(got, width, k, line, q) != want)
                test_failed(__FILE__, __LINE__, "%s, %s, %lld lines: element (%lld, %lld) is %g, not %g", p->kernel,
                            p->k->name, (long long)lines, (long long)line, (long long)q,
                            (double)packed_at(got, width, k, line, q), (double)want);
        }
}

/* k x cols of B: rows of B contiguous, then columns. */
static void pack_b(probe *p)
{
    int64_t n = p->n, k = COLUMNS, nr = p->k->nr;
    const float *x = probe_floats(p, n * k, -1, 1);
    float *out = probe_result(p, panels(n, nr) * nr * k);
    p->k->pack_b(out, x, n, 1, k, n);
    check_packed(p, out, x, 1, n, n, k, nr);
    p->k->pack_b(out, x, 1, k, k, n);
    check_packed(p, out, x, k, 1, n, k, nr);
}

static void pack_a(probe *p)
{
    int64_t n = p->n, k = COLUMNS, mr = p->k->mr;
    const float *x = probe_floats(p, n * k, -1, 1);
    float *out = probe_result(p, panels(n, mr) * mr * k);
    p->k->pack_a(out, x, k, 1, n, k);
    check_packed(p, out, x, k, 1, n, k, mr);
    p->k->pack_a(out, x, 1, n, n, k);
    check_packed(p, out, x, 1, n, n, k, mr);
}

/* A [rows, k]·B [k, cols] through both packings, with every activation, from zeros and from what is there. */
static void check_product(probe *p, int64_t rows, int64_t cols, int64_t k)
{
    const tg_kernels *kn = p->k;
    const float *a = probe_floats(p, rows * k, -1, 1), *b = probe_floats(p, k * cols, -1, 1);
    const float *bias = probe_floats(p, cols, -1, 1);
    float *pa = probe_result(p, panels(rows, kn->mr) * kn->mr * k);
    float *pb = probe_result(p, panels(cols, kn->nr) * kn->nr * k);
    double *want = probe_doubles(p, rows * cols), *before;
    kn->pack_a(pa, a, k, 1, rows, k);
    kn->pack_b(pb, b, cols, 1, k, cols);
    const double *wa = probe_wide(p, a, rows * k), *wb = probe_wide(p, b, k * cols);
    naive_product np = {rows, cols, k, wa, k, 1, wb, cols, 1, NULL, NULL, 0};
    for (int act = -1; act <= TG_ACT_RELU; act++) { /* -1: no epilogue at all */
        tg_epilogue ep = {act % 2 ? bias : NULL, act < 0 ? 0 : act};
        float *c = probe_sum(p, rows * cols, &before);
        bool add = act % 2 == 0;
        kn->gemm_panel(c, cols, add ? c : NULL, cols, pa, k * kn->mr, pb, k * kn->nr, rows, cols, k,
                       act < 0 ? NULL : &ep);
        np.from = add ? before : NULL;
        np.bias = act >= 0 && ep.bias ? probe_wide(p, bias, cols) : NULL;
        np.act = ep.act;
        naive_gemm(want, &np);
        probe_check(p, c, want, rows * cols, 3e-6);
    }
}

static void gemm_panel(probe *p)
{
    check_product(p, p->n, COLUMNS, 29);
    check_product(p, 5, p->n, 29);
    check_product(p, 19, COLUMNS, p->n);
}

static void gemv(probe *p)
{
    const tg_kernels *kn = p->k;
    int64_t n = p->n, k = COLUMNS, middle = panels(n, 2 * kn->nr) * kn->nr;
    const float *x = probe_floats(p, k, -1, 1), *b = probe_floats(p, k * n, -1, 1), *bias = probe_floats(p, n, -1, 1);
    float *pb = probe_result(p, panels(n, kn->nr) * kn->nr * k);
    double *want = probe_doubles(p, n), *before;
    naive_product np = {1, n, k, probe_wide(p, x, k), k, 1, probe_wide(p, b, k * n), n, 1, NULL, NULL, 0};
    kn->pack_b(pb, b, n, 1, k, n);
    for (int act = 0; act <= TG_ACT_RELU; act++) {
        tg_epilogue ep = {act % 2 ? bias : NULL, act};
        float *y = probe_sum(p, n, &before);
        const float *from = act % 2 ? NULL : y;
        if (middle < n) kn->gemv(y, from, x, pb, k * kn->nr, k, (tg_span){0, middle}, &ep);
        kn->gemv(y, from, x, pb, k * kn->nr, k, (tg_span){middle < n ? middle : 0, n}, &ep);
        np.from = from ? before : NULL;
        np.bias = ep.bias ? probe_wide(p, bias, n) : NULL;
        np.act = act;
        naive_gemm(want, &np);
        probe_check(p, y, want, n, 2e-5);
    }
}

/* One row through gemm_panel and through gemv: the same chain, so the same bits. */
static void gemv_is_gemm(probe *p)
{
    const tg_kernels *kn = p->k;
    int64_t n = p->n, k = COLUMNS;
    const float *x = probe_floats(p, k, -1, 1), *b = probe_floats(p, k * n, -1, 1), *bias = probe_floats(p, n, -1, 1);
    float *pb = probe_result(p, panels(n, kn->nr) * kn->nr * k), *pa = probe_result(p, kn->mr * k);
    float *y = probe_result(p, n), *c = probe_result(p, n);
    tg_epilogue ep = {bias, TG_ACT_TANH};
    kn->pack_a(pa, x, k, 1, 1, k);
    kn->pack_b(pb, b, n, 1, k, n);
    kn->gemv(y, NULL, x, pb, k * kn->nr, k, (tg_span){0, n}, &ep);
    kn->gemm_panel(c, n, NULL, 0, pa, k * kn->mr, pb, k * kn->nr, 1, n, k, &ep);
    CHECK_BYTES(y, c, n * (int64_t)sizeof *c);
}

const probe_row probe_products[] = {{"pack_a", pack_a}, {"pack_b", pack_b}, {"gemm_panel", gemm_panel},
                                    {"gemv", gemv},     {"gemv", gemv_is_gemm}, {NULL, NULL}};
