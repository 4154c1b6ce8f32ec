/*
 * cell.c - one time step of recurrent cells and their gradients, row by row of the batch. The products with the
 * recurrent matrix are done before; what is left is elementwise and runs over 16 units at a time.
 *   rnn  Elman 1990: h = act(z + b)
 *   lstm Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000; gates i f g o
 *   gru  Cho et al. 2014 in the form of PyTorch: n = tanh(gx_n + r·(w_hn·h + b_hn)), h = (1-z)·n + z·h; gates r z n
 * A row with zero[r] != 0 starts a document: its state before this step counts as 0 and gets no gradient.
 * States, and gradients on their way back through time, become 0 below 2^-95: where gates are shut they would be denormal for
 * many steps, and the products with them twenty times as slow (docs/numerics.md).
 */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

/* State before the step: 0 where there is none or a document starts. */
TG_INLINE v16 state_at(const float *row, bool gone, int64_t j, int64_t H)
{
    return row && !gone ? v16_load_n(row + j, H - j) : v16_zero();
}

TG_INLINE bool starts(const int32_t *zero, int64_t r)
{
    return zero && zero[r] != 0;
}

TG_INLINE v16 one_minus(v16 x) { return v16_sub(v16_all(1.0f), x); }

void TG_K(rnn_cell)(float *h, int64_t h_rs, const float *z, int64_t z_rs, const float *b, int64_t rows, int64_t H, int act)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < H; j += 16) {
            const v16 s = v16_add(v16_load_n(z + r * z_rs + j, H - j), v16_load_n(b + j, H - j));
            v16_store_n(h + r * h_rs + j, act == TG_ACT_RELU ? v16_relu(s) : v16_tanh(s), H - j);
        }
}

void TG_K(lstm_cell)(float *h, int64_t h_rs, float *c, float *tc, const float *c_prev, float *z, int64_t z_rs,
                     const float *b, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t r = 0; r < rows; r++) {
        float *zr = z + r * z_rs;
        const float *before = c_prev ? c_prev + r * H : NULL;
        for (int64_t j = 0; j < H; j += 16) {
            const int64_t n = H - j;
            const v16 i = v16_sigmoid(v16_add(v16_load_n(zr + j, n), v16_load_n(b + j, n)));
            const v16 f = v16_sigmoid(v16_add(v16_load_n(zr + H + j, n), v16_load_n(b + H + j, n)));
            const v16 g = v16_tanh(v16_add(v16_load_n(zr + 2 * H + j, n), v16_load_n(b + 2 * H + j, n)));
            const v16 o = v16_sigmoid(v16_add(v16_load_n(zr + 3 * H + j, n), v16_load_n(b + 3 * H + j, n)));
            const v16 cell = v16_flush(v16_fma(f, state_at(before, starts(zero, r), j, H), v16_mul(i, g)));
            const v16 squashed = v16_tanh(cell);
            v16_store_n(zr + j, i, n);
            v16_store_n(zr + H + j, f, n);
            v16_store_n(zr + 2 * H + j, g, n);
            v16_store_n(zr + 3 * H + j, o, n);
            v16_store_n(c + r * H + j, cell, n);
            v16_store_n(tc + r * H + j, squashed, n);
            v16_store_n(h + r * h_rs + j, v16_flush(v16_mul(o, squashed)), n);
        }
    }
}

void TG_K(gru_cell)(float *h, int64_t h_rs, float *z, int64_t z_rs, float *hn, const float *h_prev, int64_t h_prev_rs,
                    const float *b, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t q = 0; q < rows; q++) {
        float *zr = z + q * z_rs;
        const float *before = h_prev ? h_prev + q * h_prev_rs : NULL;
        for (int64_t j = 0; j < H; j += 16) {
            const int64_t n = H - j;
            const v16 r = v16_sigmoid(v16_add(v16_load_n(zr + j, n), v16_load_n(b + j, n)));
            const v16 u = v16_sigmoid(v16_add(v16_load_n(zr + H + j, n), v16_load_n(b + H + j, n)));
            const v16 inner = v16_add(v16_load_n(hn + q * H + j, n), v16_load_n(b + 2 * H + j, n));
            const v16 m = v16_tanh(v16_fma(r, inner, v16_load_n(zr + 2 * H + j, n)));
            const v16 kept = v16_mul(u, state_at(before, starts(zero, q), j, H));
            v16_store_n(zr + j, r, n);
            v16_store_n(zr + H + j, u, n);
            v16_store_n(zr + 2 * H + j, m, n);
            v16_store_n(hn + q * H + j, inner, n);
            v16_store_n(h + q * h_rs + j, v16_flush(v16_fma(one_minus(u), m, kept)), n);
        }
    }
}

/* s·(1-s)·x, the derivative of a sigmoid times what comes back */
TG_INLINE v16 sigmoid_back(v16 s, v16 x) { return v16_mul(v16_mul(s, one_minus(s)), x); }
TG_INLINE v16 tanh_back(v16 y, v16 x) { return v16_mul(v16_neg_fma(y, y, v16_all(1.0f)), x); }

void TG_K(rnn_cell_back)(float *dz, int64_t dz_rs, const float *dh, const float *h, int64_t h_rs, int64_t rows, int64_t H,
                         int act)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < H; j += 16) {
            const v16 y = v16_load_n(h + r * h_rs + j, H - j), d = v16_load_n(dh + r * H + j, H - j);
            const v16 dx = act == TG_ACT_RELU ? v16_select(v16_lt(v16_zero(), y), d, v16_zero()) : tanh_back(y, d);
            v16_store_n(dz + r * dz_rs + j, v16_flush(dx), H - j);
        }
}

void TG_K(lstm_cell_back)(float *dz, int64_t dz_rs, float *dc, const float *dh, const float *gates, int64_t g_rs,
                          const float *tc, const float *c_prev, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *gr = gates + r * g_rs;
        float *dzr = dz + r * dz_rs;
        const float *before = c_prev ? c_prev + r * H : NULL;
        const bool gone = starts(zero, r);
        for (int64_t j = 0; j < H; j += 16) {
            const int64_t n = H - j;
            const v16 i = v16_load_n(gr + j, n), f = v16_load_n(gr + H + j, n);
            const v16 g = v16_load_n(gr + 2 * H + j, n), o = v16_load_n(gr + 3 * H + j, n);
            const v16 squashed = v16_load_n(tc + r * H + j, n), d = v16_load_n(dh + r * H + j, n);
            const v16 dcell = v16_fma(v16_mul(d, o), v16_neg_fma(squashed, squashed, v16_all(1.0f)),
                                      v16_load_n(dc + r * H + j, n));
            v16_store_n(dzr + j, v16_flush(sigmoid_back(i, v16_mul(dcell, g))), n);
            v16_store_n(dzr + H + j, v16_flush(sigmoid_back(f, v16_mul(dcell, state_at(before, gone, j, H)))), n);
            v16_store_n(dzr + 2 * H + j, v16_flush(tanh_back(g, v16_mul(dcell, i))), n);
            v16_store_n(dzr + 3 * H + j, v16_flush(sigmoid_back(o, v16_mul(d, squashed))), n);
            v16_store_n(dc + r * H + j, gone ? v16_zero() : v16_flush(v16_mul(dcell, f)), n);
        }
    }
}

void TG_K(gru_cell_back)(float *dz, int64_t dz_rs, float *dg, int64_t dg_rs, float *dh, const float *gates, int64_t g_rs,
                         const float *hn, const float *h_prev, int64_t h_prev_rs, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t q = 0; q < rows; q++) {
        const float *gr = gates + q * g_rs;
        float *dzr = dz + q * dz_rs, *dgr = dg + q * dg_rs;
        const float *before = h_prev ? h_prev + q * h_prev_rs : NULL;
        const bool gone = starts(zero, q);
        for (int64_t j = 0; j < H; j += 16) {
            const int64_t n = H - j;
            const v16 r = v16_load_n(gr + j, n), u = v16_load_n(gr + H + j, n), m = v16_load_n(gr + 2 * H + j, n);
            const v16 d = v16_load_n(dh + q * H + j, n), inner = v16_load_n(hn + q * H + j, n);
            const v16 dn = v16_flush(tanh_back(m, v16_mul(d, one_minus(u))));
            const v16 du = v16_flush(sigmoid_back(u, v16_mul(d, v16_sub(state_at(before, gone, j, H), m))));
            const v16 dr = v16_flush(sigmoid_back(r, v16_mul(dn, inner)));
            v16_store_n(dzr + j, dr, n);
            v16_store_n(dzr + H + j, du, n);
            v16_store_n(dzr + 2 * H + j, dn, n);
            v16_store_n(dgr + j, dr, n);
            v16_store_n(dgr + H + j, du, n);
            v16_store_n(dgr + 2 * H + j, v16_flush(v16_mul(dn, r)), n);
            v16_store_n(dh + q * H + j, gone ? v16_zero() : v16_flush(v16_mul(d, u)), n);
        }
    }
}
