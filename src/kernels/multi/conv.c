/*
 * conv.c - an image's patches as the rows of a matrix, and back.
 *
 * Strided access is paid once for each number of the image, not once for each tap: a channel with its margin of zeros is split
 * into planes by the remainder of its coordinates by the stride, and what lies under one tap is then rows side by side in one
 * plane. Planes of a channel are a few KiB and stay in L1 while its taps are copied. Rows are copied in whole vectors; what
 * runs over is overwritten by the next row.
 */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* Of a plane, and of one tap's place in it. */
typedef struct layout { int64_t rows, width, size; } layout;

static int64_t reach(const tg_axis *a) { return (a->taps - 1) * a->dilation / a->stride; }

static layout layout_of(const tg_convolution *g, int64_t rows)
{
    const layout l = {rows + reach(&g->y), g->x.out + reach(&g->x), 0};
    return (layout){l.rows, l.width, l.rows * l.width};
}

static int64_t at_tap(const tg_convolution *g, const layout *l, int64_t p, int64_t q)
{
    const int64_t y = p * g->y.dilation, x = q * g->x.dilation;
    const int64_t plane = y % g->y.stride * g->x.stride + x % g->x.stride;
    return plane * l->size + y / g->y.stride * l->width + x / g->x.stride;
}

/* Which j of 0..n-1 have 0 <= j*stride + rest - before < in. */
static tg_span inside(const tg_axis *a, int64_t rest, int64_t n)
{
    const int64_t before = a->before - rest, last = a->in - 1 + before;
    tg_span s = {before > 0 ? (before + a->stride - 1) / a->stride : 0, last < 0 ? 0 : last / a->stride + 1};
    if (s.end > n) s.end = n;
    if (s.begin > s.end) s.begin = s.end;
    return s;
}

static void zero(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) v16_store_n(x + i, v16_zero(), n - i);
}

static void copy(float *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) v16_store_n(to + i, v16_load_n(from + i, n - i), n - i);
}

static void take_every(float *to, const float *from, int64_t stride, int64_t n)
{
    if (stride == 1) copy(to, from, n);
    else if (stride == 2) for (int64_t i = 0; i < n; i++) to[i] = from[2 * i];
    else for (int64_t i = 0; i < n; i++) to[i] = from[i * stride];
}

/* One channel into planes that are 0 where it does not reach; result row `first` comes first. */
static void split(float *planes, const float *x, const tg_convolution *g, const layout *l, int64_t first)
{
    for (int64_t ry = 0; ry < g->y.stride; ry++)
        for (int64_t i = 0; i < l->rows; i++) {
            const int64_t y = (first + i) * g->y.stride + ry - g->y.before;
            if (y < 0 || y >= g->y.in) continue;
            for (int64_t rx = 0; rx < g->x.stride; rx++) {
                const tg_span j = inside(&g->x, rx, l->width);
                float *to = planes + (ry * g->x.stride + rx) * l->size + i * l->width;
                take_every(to + j.begin, x + y * g->x.in + j.begin * g->x.stride + rx - g->x.before, g->x.stride,
                           j.end - j.begin);
            }
        }
}

/* rows of n numbers, from_rs apart, side by side */
TG_INLINE void gather_rows(float *to, const float *from, int64_t from_rs, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++, to += n, from += from_rs)
        for (int64_t i = 0; i < n; i += 16) v16_store(to + i, v16_load(from + i));
}

void TG_K(patches)(float *out, int64_t out_rs, const float *x, const tg_convolution *g, int64_t channels, tg_span ys,
                   float *planes)
{
    const int64_t rows = ys.end - ys.begin;
    const layout l = layout_of(g, rows);
    zero(planes, g->y.stride * g->x.stride * l.size + 16);
    for (int64_t c = 0; c < channels; c++, x += g->y.in * g->x.in) {
        split(planes, x, g, &l, ys.begin);
        for (int64_t p = 0; p < g->y.taps; p++)
            for (int64_t q = 0; q < g->x.taps; q++, out += out_rs) {
                const float *from = planes + at_tap(g, &l, p, q);
                if (l.width == g->x.out) gather_rows(out, from, 0, 1, rows * l.width);
                else gather_rows(out, from, l.width, rows, g->x.out);
            }
    }
}

static void put_every(float *to, const float *from, int64_t stride, int64_t n)
{
    if (stride == 1) copy(to, from, n);
    else if (stride == 2) for (int64_t i = 0; i < n; i++) to[2 * i] = from[i];
    else for (int64_t i = 0; i < n; i++) to[i * stride] = from[i];
}

/* The taps of an axis that fall on planes of rest `rest`: first, first + step, ...; how many places each is behind result 0. */
typedef struct comb { int64_t first, step, shift, by; } comb;

TG_INLINE comb comb_of(const tg_axis *a, int64_t rest)
{
    if (a->dilation == 1) return (comb){rest, a->stride, 0, 1};
    comb c = {0, 1, 0, 1};
    while (c.step < a->stride && c.step * a->dilation % a->stride) c.step++;
    while (c.first < a->taps && c.first * a->dilation % a->stride != rest) c.first++;
    c.shift = c.first * a->dilation / a->stride;
    c.by = c.step * a->dilation / a->stride;
    return c;
}

/* Sixteen numbers of a plane's row, from place j on: what the taps of this plane took from there, (p, q) ascending. Place j under
 * tap q is result j - q·dilation/stride; results that are not there are 0, whatever lies before them in memory. */
TG_INLINE v16 plane_sum(const float *cols, int64_t cols_rs, const tg_convolution *g, const comb *ys, const comb *xs, int64_t row,
                        int64_t j)
{
    v16 sum = v16_zero();
    for (int64_t p = ys->first, o = row - ys->shift; p < g->y.taps; p += ys->step, o -= ys->by) {
        if (o < 0 || o >= g->y.out) continue;
        for (int64_t q = xs->first, at = j - xs->shift; q < g->x.taps; q += xs->step, at -= xs->by) {
            if (at <= -16 || at >= g->x.out) continue;
            v16 v = v16_load_n(cols + (p * g->x.taps + q) * cols_rs + o * g->x.out + at, g->x.out - at);
            if (at < 0) v = v16_select(v16_past(-at), v, v16_zero());
            sum = v16_add(sum, v);
        }
    }
    return sum;
}

/* Row y of the image out of a row of each plane that reaches it; plane: room for such a row. */
static void merge_row(float *line, float *plane, const float *cols, int64_t cols_rs, const tg_convolution *g, const layout *l,
                      int64_t y)
{
    const int64_t padded = y + g->y.before, row = padded / g->y.stride;
    if (row >= l->rows || (l->width - 1) * g->x.stride < g->x.in - 1 + g->x.before) zero(line,
                                                                                         g->x.in); /* no tap reaches that far */
    if (row >= l->rows) return;
    const comb ys = comb_of(&g->y, padded - row * g->y.stride);
    for (int64_t rx = 0; rx < g->x.stride; rx++) {
        const tg_span j = inside(&g->x, rx, l->width);
        const comb xs = comb_of(&g->x, rx);
        for (int64_t i = 0; i < l->width; i += 16) v16_store(plane + i, plane_sum(cols, cols_rs, g, &ys, &xs, row, i));
        put_every(line + j.begin * g->x.stride + rx - g->x.before, plane + j.begin, g->x.stride, j.end - j.begin);
    }
}

void TG_K(unpatch)(float *dx, const float *cols, int64_t cols_rs, const tg_convolution *g, int64_t channels, const float *bias,
                   float *planes, bool add)
{
    const layout l = layout_of(g, g->y.out);
    float *line = planes + l.width + 16;
    const bool direct = !add && !bias;
    for (int64_t c = 0; c < channels; c++, cols += g->y.taps * g->x.taps * cols_rs)
        for (int64_t y = 0; y < g->y.in; y++, dx += g->x.in) {
            merge_row(direct ? dx : line, planes, cols, cols_rs, g, &l, y);
            if (!direct) TG_K(affine)(dx, line, 1.0f, bias ? bias[c] : 0.0f, g->x.in, add);
        }
}
