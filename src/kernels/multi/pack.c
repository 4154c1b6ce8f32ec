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

/* Lines side by side: memory is read in its order through all panels, not panel by panel, so that a page is opened once. */
static void copy_lines(float *out, int64_t panel_stride, const float *x, int64_t ps, int64_t k, int64_t lines, int64_t width)
{
    for (int64_t p = 0; p < k; p++, x += ps)
        for (int64_t n = 0, q = 0; n < lines; n += width, q++)
            for (int64_t l = 0; l < width; l += 16)
                put_step(out + q * panel_stride, v16_load_n(x + n + l, lines - n - l), p, l, k, width);
}

/* Lines one behind the other. */
static void turn_lines(float *out, const float *x, int64_t ls, int64_t k, int64_t lines, int64_t width)
{
    for (int64_t p = 0; p < k; p += 16)
        for (int64_t l = 0; l < width; l += 16) {
            v16 r[16];
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
