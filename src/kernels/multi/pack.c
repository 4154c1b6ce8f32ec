/* pack.c - operands of a product laid out as the register tile reads them: panels of `width` lines, a step's numbers side by
 * side. One of the two strides is 1 in all our products: lines lie side by side and are copied, or one behind the other and
 * are transposed 16 x 16 at a time. */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* Stores a vector of a panel's step p: whole where what runs over lies in steps that are written later. */
TG_INLINE void put_step(float *out, v16 v, int64_t p, int64_t l, int64_t k, int64_t width)
{
    float *to = out + p * width + l;
    if (p * width + l + 16 <= k * width) v16_store(to, v);
    else v16_store_n(to, v, width - l);
}

enum { STEPS = 4 }; /* copied at once: fewer panels' lines are open at a time, and what a panel takes lies together */

/* Four steps of lines n to n+16; a store may run over into steps that are written later. */
TG_INLINE void copy_four(float *to, const float *x, int64_t ps, int64_t width)
{
    v16 r[STEPS];
    TG_UNROLL for (int i = 0; i < STEPS; i++) r[i] = v16_load(x + i * ps);
    TG_UNROLL for (int i = 0; i < STEPS; i++) v16_store(to + i * width, r[i]);
}

/* Lines side by side: memory is read in its order through all panels, not panel by panel, so that a page is opened once. */
static void copy_lines(float *out, int64_t panel_stride, const float *x, int64_t ps, int64_t k, int64_t lines, int64_t width)
{
    const int64_t wide = (width + 15) / 16 * 16, over = (wide - 1) / width; /* steps that a store runs over */
    for (int64_t p = 0; p < k; p += STEPS, x += STEPS * ps)
        for (int64_t n = 0, q = 0; n < lines; n += width, q++)
            for (int64_t l = 0; l < width; l += 16) {
                float *panel = out + q * panel_stride;
                if (p + STEPS + over <= k && n + wide <= lines) {
                    copy_four(panel + p * width + l, x + n + l, ps, width);
                    continue;
                }
                for (int64_t i = 0; i < STEPS && p + i < k; i++)
                    put_step(panel, v16_load_n(x + i * ps + n + l, lines - n - l), p + i, l, k, width);
            }
}

/* Lines one behind the other. */
static void turn_lines(float *out, const float *x, int64_t ls, int64_t k, int64_t lines, int64_t width)
{
    for (int64_t p = 0; p < k; p += 16)
        for (int64_t l = 0; l < width; l += 16) {
            v16 r[16];
            for (int64_t i = 0; i < 16; i++) /* sixteen lines at once are more than the hardware follows */
                __builtin_prefetch(x + p + 32 + (l + i < lines ? l + i : 0) * ls);
            for (int64_t i = 0; i < 16; i++)
                r[i] = l + i < lines ? v16_load_n(x + p + (l + i) * ls, k - p) : v16_zero();
            v16_turn(r);
            for (int64_t q = 0; q < 16 && p + q < k; q++) put_step(out, r[q], p + q, l, k, width);
        }
}

void TG_K(pack)(float *out, int64_t panel_stride, const float *x, int64_t ps, int64_t ls, int64_t k, int64_t lines, int64_t width)
{
    if (ls == 1) {
        copy_lines(out, panel_stride, x, ps, k, lines, width);
        return;
    }
    for (int64_t n = 0; n < lines; n += width, out += panel_stride)
        turn_lines(out, x + n * ls, ls, k, lines - n < width ? lines - n : width, width);
}

void TG_K(turn)(float *out, int64_t out_rs, const float *x, int64_t x_rs, int64_t rows, int64_t cols, bool add)
{
    for (int64_t r = 0; r < rows; r += 16)
        for (int64_t c = 0; c < cols; c += 16) {
            v16 v[16];
            for (int64_t i = 0; i < 16; i++) v[i] = r + i < rows ? v16_load_n(x + (r + i) * x_rs + c, cols - c) : v16_zero();
            v16_turn(v);
            for (int64_t i = 0; i < 16 && c + i < cols; i++) {
                float *to = out + (c + i) * out_rs + r;
                v16_store_n(to, add ? v16_add(v16_load_n(to, rows - r), v[i]) : v[i], rows - r);
            }
        }
}
