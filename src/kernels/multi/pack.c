/* pack.c - operands of a product laid out as the register tile reads them: panels [k][mr] of A, [k][nr] of B, the
 * missing rows or columns of the last panel filled with zeros. One of the two strides is 1 in all our products: lines
 * lie side by side and are copied, or one behind the other and are transposed 16 x 16 at a time. */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* Stores a vector of a panel's row p: whole where what runs over lies in rows that are written later. */
TG_INLINE void put_row(float *out, v16 v, int64_t p, int64_t j, int64_t k, int64_t width)
{
    float *to = out + p * width + j;
    if (p * width + j + 16 <= k * width) v16_store(to, v);
    else v16_store_n(to, v, width - j);
}

/* One panel of `width` (a constant) from `lines` lines: element (p, j) at x[p*ps + j*js], one of the strides 1. */
TG_INLINE void pack_panel(float *out, const float *x, int64_t ps, int64_t js, int64_t k, int64_t lines, int64_t width)
{
    for (int64_t p = 0; js == 1 && p < k; p++)
        for (int64_t j = 0; j < width; j += 16) put_row(out, v16_load_n(x + p * ps + j, lines - j), p, j, k, width);
    for (int64_t p = 0; js != 1 && p < k; p += 16)
        for (int64_t j = 0; j < width; j += 16) {
            v16 r[16];
            for (int64_t l = 0; l < 16; l++)
                r[l] = j + l < lines ? v16_load_n(x + p + (j + l) * js, k - p) : v16_zero();
            v16_turn(r);
            for (int64_t q = 0; q < 16 && p + q < k; q++) put_row(out, r[q], p + q, j, k, width);
        }
}

void TG_K(pack_a)(float *out, const float *a, int64_t rs, int64_t ks, int64_t rows, int64_t k)
{
    for (int64_t i = 0; i < rows; i += TG_MR) {
        const int64_t lines = rows - i < TG_MR ? rows - i : TG_MR;
        pack_panel(out + i * k, a + i * rs, ks, rs, k, lines, TG_MR);
    }
}

void TG_K(pack_b)(float *out, const float *b, int64_t rs, int64_t cs, int64_t k, int64_t cols)
{
    for (int64_t j = 0; j < cols; j += TG_NR) {
        const int64_t lines = cols - j < TG_NR ? cols - j : TG_NR;
        pack_panel(out + j * k, b + j * cs, rs, cs, k, lines, TG_NR);
    }
}
