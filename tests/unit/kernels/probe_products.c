/* probe_products.c - packing, the register tile, the product with one row. */
#include <math.h>

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

/* Lines one behind the other, then side by side; panels further apart than they are long, the gap untouched. */
static void pack_width(probe *p, int64_t width)
{
    enum { GAP = 3 };
    const int64_t n = p->n, k = COLUMNS, each = width * k;
    const float *x = probe_floats(p, n * k, -1, 1);
    float *out = probe_result(p, panels(n, width) * each), *apart = probe_result(p, panels(n, width) * (each + GAP));
    p->k->pack(out, each, x, 1, k, k, n, width);
    check_packed(p, out, x, k, 1, n, k, width);
    p->k->pack(out, each, x, n, 1, k, n, width);
    check_packed(p, out, x, 1, n, n, k, width);
    for (int64_t i = 0; i < panels(n, width) * (each + GAP); i++) apart[i] = 7;
    p->k->pack(apart, each + GAP, x, n, 1, k, n, width);
    for (int64_t q = 0; q < panels(n, width); q++) {
        CHECK_BYTES(apart + q * (each + GAP), out + q * each, each * (int64_t)sizeof *out);
        for (int i = 0; i < GAP; i++) CHECK(apart[q * (each + GAP) + each + i] == 7);
    }
}

static void pack(probe *p)
{
    pack_width(p, p->k->nr);
    for (int64_t width = 1; width <= p->k->mr; width++) pack_width(p, width);
}

typedef struct operands {
    int64_t rows, cols, k;
    const float *a, *b, *bias; /* A [rows, k], B [k, cols] */
    const float *at;           /* A transposed */
    tg_left left;
    tg_right right;
} operands;

/* From zeros and from what is there, with every activation and without an epilogue. */
static void check_block(probe *p, const operands *o)
{
    const int64_t rows = o->rows, cols = o->cols, k = o->k;
    double *want = probe_doubles(p, rows * cols), *before;
    naive_product np = {rows, cols, k, probe_wide(p, o->a, rows * k), k, 1, probe_wide(p, o->b, k * cols), cols, 1, NULL, NULL, 0};
    for (int act = -1; act <= TG_ACT_RELU; act++) { /* -1: no epilogue at all */
        tg_epilogue ep = {act % 2 ? o->bias : NULL, act < 0 ? 0 : act};
        float *c = probe_sum(p, rows * cols, &before);
        bool add = act % 2 == 0;
        p->k->gemm_block(c, cols, add ? c : NULL, cols, &o->left, &o->right, rows, cols, k, act < 0 ? NULL : &ep);
        np.from = add ? before : NULL;
        np.bias = act >= 0 && ep.bias ? probe_wide(p, o->bias, cols) : NULL;
        np.act = ep.act;
        naive_gemm(want, &np);
        probe_check(p, c, want, rows * cols, 3e-6);
    }
}

static const float *transposed(probe *p, const float *x, int64_t rows, int64_t cols)
{
    float *y = probe_result(p, rows * cols);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) y[j * rows + i] = x[i * cols + j];
    return y;
}

/* A packed at one height, by rows as it lies, by steps as a transposed matrix lies; B packed and, where its width
 * allows that, as it lies. Also what packs and walks: numbers behind the last row and column must not matter. */
static void check_product(probe *p, int64_t rows, int64_t cols, int64_t k, int64_t height)
{
    const tg_kernels *kn = p->k;
    operands o = {.rows = rows, .cols = cols, .k = k, .a = probe_floats(p, rows * k, -1, 1),
                  .b = probe_floats(p, k * cols, -1, 1), .bias = probe_floats(p, cols, -1, 1)};
    float *pa = probe_result(p, panels(rows, height) * height * k), *pb = probe_result(p, panels(cols, kn->nr) * kn->nr * k);
    o.at = transposed(p, o.a, rows, k);
    kn->pack(pa, height * k, o.a, 1, k, k, rows, height);
    kn->pack(pb, kn->nr * k, o.b, cols, 1, k, cols, kn->nr);
    const tg_left lefts[] = {{pa, height * k, 1, height, height}, {o.a, height * k, k, 1, height}, {o.at, height, 1, rows, height}};
    const tg_right rights[] = {{pb, kn->nr * k, kn->nr}, {o.b, kn->nr, cols}};
    for (int l = 0; l < 3; l++)
        for (int r = 0; r < 2; r++) {
            o.left = lefts[l];
            o.right = rights[cols % (kn->nr / 2) == 0 ? r : 0];
            check_block(p, &o);
        }
}

/* Sizes are those of no instruction set, so that all compute the same. */
static void gemm_block(probe *p)
{
    const int64_t mr = p->k->mr;
    check_product(p, p->n, COLUMNS, 29, mr);
    check_product(p, p->n, 64, 5, (mr + 1) / 2);
    check_product(p, 5, p->n, 29, mr < 5 ? mr : 5);
    check_product(p, 19, COLUMNS, p->n, mr);
    for (int64_t h = 1; h <= 14 && p->n == 33; h++) check_product(p, h, 16, 3, h < mr ? h : mr);
}

/* B by rows and by columns, with gaps between them, packed on the way: the bits of one that was packed before. From one tile,
 * which packs a whole panel, to more tiles than there are slices to pack. */
static void gemm_raw(probe *p)
{
    const tg_kernels *kn = p->k;
    enum { GAP = 3 };
    const int64_t cols = p->n, rows[] = {1, kn->mr, 40};
    for (int64_t k = 1; k <= 77; k += 38)
        for (int turned = 0; turned < 2; turned++) {
            const int64_t step = turned ? 1 : cols + GAP, line = turned ? k + GAP : 1;
            const float *b = probe_floats(p, (k - 1) * step + (cols - 1) * line + 1, -1, 1), *bias = probe_floats(p, cols, -1, 1);
            float *pb = probe_result(p, panels(cols, kn->nr) * kn->nr * k), *room = probe_result(p, 2 * kn->nr * k);
            const tg_epilogue ep = {bias, TG_ACT_TANH};
            kn->pack(pb, k * kn->nr, b, step, line, k, cols, kn->nr);
            for (int r = 0; r < 3; r++) {
                const float *a = probe_floats(p, rows[r] * k, -1, 1), *from = probe_floats(p, rows[r] * cols, -1, 1);
                float *c = probe_result(p, rows[r] * cols), *want = probe_result(p, rows[r] * cols);
                const tg_left left = {a, kn->mr * k, k, 1, kn->mr};
                kn->gemm_block(want, cols, from, cols, &left, &(tg_right){pb, k * kn->nr, kn->nr}, rows[r], cols, k, &ep);
                kn->gemm_raw(c, cols, from, cols, &left, &(tg_raw){b, step, line, room}, rows[r], cols, k, &ep);
                CHECK_BYTES(c, want, rows[r] * cols * (int64_t)sizeof *c);
            }
        }
}

static void gemv(probe *p)
{
    const tg_kernels *kn = p->k;
    int64_t n = p->n, k = COLUMNS, middle = panels(n, 2 * kn->nr) * kn->nr;
    const float *x = probe_floats(p, k, -1, 1), *b = probe_floats(p, k * n, -1, 1), *bias = probe_floats(p, n, -1, 1);
    float *pb = probe_result(p, panels(n, kn->nr) * kn->nr * k);
    double *want = probe_doubles(p, n), *before;
    naive_product np = {1, n, k, probe_wide(p, x, k), k, 1, probe_wide(p, b, k * n), n, 1, NULL, NULL, 0};
    kn->pack(pb, k * kn->nr, b, n, 1, k, n, kn->nr);
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

/* One row through gemm_block and through gemv: the same chain, so the same bits. */
static void gemv_is_gemm(probe *p)
{
    const tg_kernels *kn = p->k;
    int64_t n = p->n, k = COLUMNS;
    const float *x = probe_floats(p, k, -1, 1), *b = probe_floats(p, k * n, -1, 1), *bias = probe_floats(p, n, -1, 1);
    float *pb = probe_result(p, panels(n, kn->nr) * kn->nr * k);
    float *y = probe_result(p, n), *c = probe_result(p, n);
    tg_epilogue ep = {bias, TG_ACT_TANH};
    kn->pack(pb, k * kn->nr, b, n, 1, k, n, kn->nr);
    kn->gemv(y, NULL, x, pb, k * kn->nr, k, (tg_span){0, n}, &ep);
    kn->gemm_block(c, n, NULL, 0, &(tg_left){x, k, k, 1, 1}, &(tg_right){pb, k * kn->nr, kn->nr}, 1, n, k, &ep);
    CHECK_BYTES(y, c, n * (int64_t)sizeof *c);
}

/* A B whose columns lie one behind the other, with a gap between them, in two spans and as far as it goes: the bits of gemv. */
static void gemv_turned(probe *p)
{
    const tg_kernels *kn = p->k;
    enum { GAP = 3 };
    for (int64_t k = 1; k <= 35; k += 17) {
        const int64_t n = p->n, b_cs = k + GAP, middle = n / 2 / 16 * 16;
        float *x = probe_floats(p, k + 16, -1, 1); /* what lies past k would show: infinity times 0 */
        for (int64_t i = k; i < k + 16; i++) x[i] = INFINITY;
        const float *b = probe_floats(p, b_cs * (n - 1) + k, -1, 1), *bias = probe_floats(p, n, -1, 1);
        float *pb = probe_result(p, panels(n, kn->nr) * kn->nr * k), *y = probe_result(p, n), *c = probe_result(p, n);
        kn->pack(pb, k * kn->nr, b, 1, b_cs, k, n, kn->nr);
        for (int act = 0; act <= TG_ACT_RELU; act++) {
            tg_epilogue ep = {act % 2 ? bias : NULL, act};
            const float *from = act % 2 ? NULL : bias;
            kn->gemv(c, from, x, pb, k * kn->nr, k, (tg_span){0, n}, &ep);
            if (middle > 0) kn->gemv_turned(y, from, x, b, b_cs, k, (tg_span){0, middle}, &ep);
            kn->gemv_turned(y, from, x, b, b_cs, k, (tg_span){middle, n}, &ep);
            CHECK_BYTES(y, c, n * (int64_t)sizeof *c);
        }
        kn->gemv(c, NULL, x, pb, k * kn->nr, k, (tg_span){0, n}, NULL);
        kn->gemv_turned(y, NULL, x, b, b_cs, k, (tg_span){0, n}, NULL);
        CHECK_BYTES(y, c, n * (int64_t)sizeof *c);
    }
}

const probe_row probe_products[] = {{"pack", pack}, {"gemm_block", gemm_block}, {"gemm_raw", gemm_raw}, {"gemv", gemv},
                                     {"gemv", gemv_is_gemm}, {"gemv_turned", gemv_turned}, {NULL, NULL}};
