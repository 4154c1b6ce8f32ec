/*
 * gemm.c - the register tile: C[rows, cols] = from + A·B over packed panels, every element one chain of fused
 * multiply-adds over k ascending. Sums of TG_MR rows x TG_NV vectors stay in registers for all of k; a step of k loads
 * TG_NV vectors of B and broadcasts TG_MR numbers of A. The row count is a constant in each instance (1 .. TG_MR), so
 * the last rows of a matrix run at full rate too; columns past the end are computed on the padding and not stored.
 */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

typedef struct tile_args {
    float *c;
    int64_t c_rs;
    const float *from;
    int64_t from_rs;
    const float *a, *b;
    int64_t cols, k;
    const float *bias; /* NULL until the last block of k */
} tile_args;

TG_INLINE void tile(const tile_args *t, int rows)
{
    vt sum[TG_MR][TG_NV];
    TG_UNROLL for (int r = 0; r < rows; r++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++)
            sum[r][v] = t->from ? vt_load_n(t->from + r * t->from_rs + v * TG_W, t->cols - v * TG_W) : vt_zero();
    const float *a = t->a, *b = t->b;
    for (int64_t p = 0; p < t->k; p++, a += TG_MR, b += TG_NR) {
        vt bv[TG_NV];
        TG_UNROLL for (int v = 0; v < TG_NV; v++) bv[v] = vt_load(b + v * TG_W);
        TG_UNROLL for (int r = 0; r < rows; r++) {
            const vt x = vt_all(a[r]);
            TG_UNROLL for (int v = 0; v < TG_NV; v++) sum[r][v] = vt_fma(x, bv[v], sum[r][v]);
        }
    }
    if (t->bias) {
        TG_UNROLL for (int v = 0; v < TG_NV; v++) {
            const vt bias = vt_load_n(t->bias + v * TG_W, t->cols - v * TG_W);
            TG_UNROLL for (int r = 0; r < rows; r++) sum[r][v] = vt_add(sum[r][v], bias);
        }
    }
    TG_UNROLL for (int r = 0; r < rows; r++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++)
            vt_store_n(t->c + r * t->c_rs + v * TG_W, sum[r][v], t->cols - v * TG_W);
}

static void tile_of(const tile_args *t, int64_t rows)
{
    switch (rows) {
#define CASE(n) case n: if (n <= TG_MR) tile(t, n <= TG_MR ? n : 1); break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#undef CASE
    default: break;
    }
}

TG_INLINE v16 activate(v16 x, int act)
{
    switch (act) {
    case TG_ACT_TANH: return v16_tanh(x);
    case TG_ACT_SIGMOID: return v16_sigmoid(x);
    case TG_ACT_RELU: return v16_relu(x);
    default: return x;
    }
}

static void activate_rows(float *c, int64_t c_rs, int64_t rows, int64_t cols, int act)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j += 16) {
            float *at = c + r * c_rs + j;
            v16_store_n(at, activate(v16_load_n(at, cols - j), act), cols - j);
        }
}

void TG_K(gemm_panel)(float *c, int64_t c_rs, const float *from, int64_t from_rs, const float *a, int64_t a_stride,
                      const float *b, int64_t b_stride, int64_t rows, int64_t cols, int64_t k, const tg_epilogue *ep)
{
    for (int64_t j = 0; j < cols; j += TG_NR) {
        tile_args t = {.c_rs = c_rs, .from_rs = from_rs, .b = b + j / TG_NR * b_stride, .k = k,
                       .cols = cols - j < TG_NR ? cols - j : TG_NR, .bias = ep && ep->bias ? ep->bias + j : NULL};
        for (int64_t i = 0; i < rows; i += TG_MR) {
            const int64_t m = rows - i < TG_MR ? rows - i : TG_MR;
            t.c = c + i * c_rs + j;
            t.from = from ? from + i * from_rs + j : NULL;
            t.a = a + i / TG_MR * a_stride;
            tile_of(&t, m);
            if (ep && ep->act != TG_ACT_LINEAR) activate_rows(t.c, c_rs, m, t.cols, ep->act);
        }
    }
}

/* One row: chains are few, so four panels run side by side to hide the latency of a multiply-add. */
enum { ABREAST = 4 };

TG_INLINE void gemv_panels(float *y, const float *from, const float *x, const float *b, int64_t b_stride, int64_t k,
                           int64_t cols, const float *bias, int panels)
{
    vt sum[ABREAST][TG_NV];
    TG_UNROLL for (int q = 0; q < panels; q++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++)
            sum[q][v] = from ? vt_load_n(from + q * TG_NR + v * TG_W, cols - q * TG_NR - v * TG_W) : vt_zero();
    for (int64_t p = 0; p < k; p++) {
        const vt xv = vt_all(x[p]);
        TG_UNROLL for (int q = 0; q < panels; q++)
            TG_UNROLL for (int v = 0; v < TG_NV; v++)
                sum[q][v] = vt_fma(xv, vt_load(b + q * b_stride + p * TG_NR + v * TG_W), sum[q][v]);
    }
    TG_UNROLL for (int q = 0; q < panels; q++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++) {
            const int64_t at = q * TG_NR + v * TG_W;
            if (bias) sum[q][v] = vt_add(sum[q][v], vt_load_n(bias + at, cols - at));
            vt_store_n(y + at, sum[q][v], cols - at);
        }
}

void TG_K(gemv)(float *y, const float *from, const float *x, const float *b, int64_t b_stride, int64_t k, tg_span columns,
                const tg_epilogue *ep)
{
    for (int64_t j = columns.begin; j < columns.end;) {
        const int64_t cols = columns.end - j;
        const float *panel = b + j / TG_NR * b_stride, *start = from ? from + j : NULL;
        const float *bias = ep && ep->bias ? ep->bias + j : NULL;
        if (cols > (ABREAST - 1) * TG_NR) {
            gemv_panels(y + j, start, x, panel, b_stride, k, cols, bias, ABREAST);
            j += ABREAST * TG_NR;
        } else {
            gemv_panels(y + j, start, x, panel, b_stride, k, cols, bias, 1);
            j += TG_NR;
        }
    }
    if (ep && ep->act != TG_ACT_LINEAR)
        activate_rows(y + columns.begin, 0, 1, columns.end - columns.begin, ep->act);
}
