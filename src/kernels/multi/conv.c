/*
 * conv.c - an image's patches as the rows of a matrix, and back.
 *
 * Strided access is paid once for each number of the image, not once for each tap: a channel with its margin of zeros is split
 * into planes by the remainder of its coordinates by the stride, and what lies under one tap is then rows side by side in one
 * plane. Planes of a channel are a few KiB and stay in L1 while its taps are copied. Rows are copied in whole vectors; what
 * runs over is overwritten by the next row. Where a set can pick any of 32 numbers, short rows need no planes.
 */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

/* Of a plane, and of one tap's place in it. */
typedef struct layout { int64_t rows, width, size; } layout;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t reach(const tg_axis *a) { return (a->taps - 1) * a->dilation / a->stride; }

static layout layout_of(const tg_convolution *g, int64_t rows)
{
    const layout l = {rows + reach(&g->y), g->x.out + reach(&g->x), 0};
    return (layout){l.rows, l.width, l.rows * l.width};
}

/* Numbers k, k + stride, ... of an axis: they lie in the planes of one rest, from place `at` on. */
typedef struct part { int64_t rest, at, n; } part;

static part part_of(const tg_axis *a, int64_t k)
{
    const int64_t padded = k + a->before;
    return (part){padded % a->stride, padded / a->stride, k < a->in ? (a->in - k - 1) / a->stride + 1 : 0};
}

/* Where along an axis the first result's tap, or a number, lies. The next one's place takes no division. */
typedef struct place { int64_t rest, at; } place;

static place step_of(const tg_axis *a) { return (place){a->dilation % a->stride, a->dilation / a->stride}; }

static place next_place(place p, place step, int64_t stride)
{
    p.rest += step.rest;
    p.at += step.at;
    return p.rest < stride ? p : (place){p.rest - stride, p.at + 1};
}

static void zero(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) v16_store_n(x + i, v16_zero(), n - i);
}

static void copy(float *to, const float *from, int64_t n)
{
    for (int64_t i = 0; i < n; i += 16) v16_store_n(to + i, v16_load_n(from + i, n - i), n - i);
}

/* A row of x to one of the planes, the first of which is at `to`; parts: numbers 0 and 1 on, which is all of strides 1 and 2.
 * What lies past the planes is under no tap. */
static void split_row(float *to, const float *x, const tg_axis *a, const layout *l, const part parts[2])
{
    if (a->stride == 1) copy(to + parts[0].at, x, least(parts[0].n, l->width - parts[0].at));
    else if (a->stride == 2)
        for (int64_t i = 0; i < parts[0].n; i += 16) {
            v16 even = v16_load_n(x + 2 * i, a->in - 2 * i), odd = v16_load_n(x + 2 * i + 16, a->in - 2 * i - 16);
            v16_part(&even, &odd);
            v16_store_n(to + parts[0].rest * l->size + parts[0].at + i, even, least(parts[0].n, l->width - parts[0].at) - i);
            v16_store_n(to + parts[1].rest * l->size + parts[1].at + i, odd, least(parts[1].n, l->width - parts[1].at) - i);
        }
    else
        for (int64_t k = 0; k < a->stride; k++) {
            const part p = part_of(a, k);
            for (int64_t i = 0; i < p.n && p.at + i < l->width; i++) to[p.rest * l->size + p.at + i] = x[k + i * a->stride];
        }
}

/* One channel into planes that are 0 where it does not reach; result row `first` comes first. */
static void split(float *planes, const float *x, const tg_convolution *g, const layout *l, const part parts[2], int64_t first)
{
    for (int64_t rest = 0; rest < g->y.stride; rest++, planes += g->x.stride * l->size)
        for (int64_t i = 0; i < l->rows; i++) {
            const int64_t y = (first + i) * g->y.stride + rest - g->y.before;
            if (y >= 0 && y < g->y.in) split_row(planes + i * l->width, x + y * g->x.in, &g->x, l, parts);
        }
}

/* rows of n numbers, from_rs apart, side by side */
TG_INLINE void gather_rows(float *to, const float *from, int64_t from_rs, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++, to += n, from += from_rs)
        for (int64_t i = 0; i < n; i += 16) v16_store(to + i, v16_load(from + i));
}

/* ---- rows of few numbers: with one instruction that picks any of 32, two vectors make one of a tap's results ------------- */

#ifdef TG_HAVE_PICK
enum { PICKS = 8, WIDE = 32, HIGH = 64 }; /* taps of a row, or turns, at most; numbers of a row; rows */

/* Two short rows of results are made of two rows of x, a longer one of a row's two halves. */
static int64_t rows_abreast(const tg_convolution *g) { return g->x.in <= 16 && g->x.out <= 8 ? 2 : 1; }

/* Rows of x, and of margin, that so many rows of results reach; an odd one is taken for two. */
static int64_t rows_reached(const tg_convolution *g, int64_t rows)
{
    return rows * g->y.stride + (g->y.taps - 1) * g->y.dilation + 1;
}

static bool are_picked(const tg_convolution *g, int64_t rows)
{
    return g->x.in <= WIDE && g->x.out <= 16 && g->x.taps <= PICKS && rows_reached(g, rows) <= HIGH;
}

/* Where tap q of each lane's result is. */
static v16i picks_of(const tg_convolution *g, int64_t q)
{
    int32_t at[16];
    for (int64_t l = 0, row = 0, o = 0; l < 16; l++) {
        const int64_t x = o * g->x.stride + q * g->x.dilation - g->x.before;
        at[l] = row < rows_abreast(g) && x >= 0 && x < g->x.in ? (int32_t)(row * 16 + x) : -1;
        if (++o == g->x.out) o = 0, row++;
    }
    return v16i_load(at);
}

/* Rows of results, under the taps of one of the filter's rows: vectors `apart` apart in x and `on` apart in the result. */
typedef struct picking { int64_t vectors, apart, second, on, taps; } picking;

TG_INLINE void pick_row(float *out, int64_t out_rs, const float *from, const v16i *at, const picking *w, int64_t taps)
{
    for (int64_t i = 0; i < w->vectors; i++, from += w->apart, out += w->on) {
        const v16 a = v16_load(from), b = v16_load(from + w->second);
        TG_UNROLL for (int64_t q = 0; q < taps; q++) {
            v16_store(out + q * out_rs, v16_pick(a, b, at[q]));
            __builtin_prefetch(out + (q + w->taps) * out_rs, 1); /* the filter's next row is written there */
        }
    }
}

static void pick_rows(float *out, int64_t out_rs, const float *from, const v16i *at, const picking *w)
{
    const picking own = *w; /* stores may not change it */
    if (own.taps == 4) pick_row(out, out_rs, from, at, &own, 4);
    else if (own.taps == 3) pick_row(out, out_rs, from, at, &own, 3);
    else for (int64_t q = 0; q < own.taps; q++) pick_row(out + q * out_rs, out_rs, from, at + q, &own, 1);
}

static void pick_patches(float *out, int64_t out_rs, const float *x, const tg_convolution *g, int64_t channels, tg_span ys)
{
    float image[HIGH * WIDE];
    v16i at[PICKS];
    const int64_t rows = ys.end - ys.begin, high = rows_reached(g, rows), abreast = rows_abreast(g), wide = WIDE / abreast;
    const int64_t above = g->y.before - ys.begin * g->y.stride, taps = g->x.taps, width = g->x.in;
    const tg_span there = {above < 0 ? 0 : above, least(high, g->y.in + above)};
    const picking w = {(rows + abreast - 1) / abreast, abreast * g->y.stride * wide, abreast == 2 ? g->y.stride * wide : 16,
                      abreast * g->x.out, taps};
    zero(image, high * wide);
    for (int64_t q = 0; q < taps; q++) at[q] = picks_of(g, q);
    for (int64_t c = 0; c < channels; c++, x += g->y.in * width) {
        for (int64_t y = there.begin; y < there.end; y++)
            for (int64_t i = 0; i < wide; i += 16)
                v16_store(image + y * wide + i, v16_load_n(x + (y - above) * width + i, width - i));
        for (int64_t p = 0; p < g->y.taps; p++, out += taps * out_rs)
            pick_rows(out, out_rs, image + p * g->y.dilation * wide, at, &w);
    }
}
#endif

void TG_K(patches)(float *out, int64_t out_rs, const float *x, const tg_convolution *g, int64_t channels, tg_span ys,
                   float *planes)
{
    const int64_t rows = ys.end - ys.begin;
    const layout l = layout_of(g, rows);
#ifdef TG_HAVE_PICK
    if (are_picked(g, rows)) {
        pick_patches(out, out_rs, x, g, channels, ys);
        return;
    }
#endif
    const part parts[2] = {part_of(&g->x, 0), part_of(&g->x, 1)};
    const place by_y = step_of(&g->y), by_x = step_of(&g->x);
    zero(planes, g->y.stride * g->x.stride * l.size + 16);
    for (int64_t c = 0; c < channels; c++, x += g->y.in * g->x.in) {
        split(planes, x, g, &l, parts, ys.begin);
        place y = {0, 0};
        for (int64_t p = 0; p < g->y.taps; p++, y = next_place(y, by_y, g->y.stride)) {
            place z = {0, 0};
            for (int64_t q = 0; q < g->x.taps; q++, z = next_place(z, by_x, g->x.stride), out += out_rs) {
                const float *from = planes + (y.rest * g->x.stride + z.rest) * l.size + y.at * l.width + z.at;
                if (l.width == g->x.out) gather_rows(out, from, 0, 1, rows * l.width);
                else gather_rows(out, from, l.width, rows, g->x.out);
            }
        }
    }
}

/* The taps of an axis that fall on planes of rest `rest`: first, first + step, ...; how many places each is behind result 0. */
typedef struct comb { int64_t first, step, shift, by; } comb;

static comb comb_of(const tg_axis *a, int64_t rest)
{
    if (a->dilation == 1) return (comb){rest, a->stride, 0, 1};
    comb c = {0, 1, 0, 1};
    while (c.step < a->stride && c.step * a->dilation % a->stride) c.step++;
    while (c.first < a->taps && c.first * a->dilation % a->stride != rest) c.first++;
    c.shift = c.first * a->dilation / a->stride;
    c.by = c.step * a->dilation / a->stride;
    return c;
}

/* What a row of x is summed from, and what is added to it. */
typedef struct merge {
    const float *cols;
    int64_t cols_rs;
    const tg_convolution *g;
    comb ys;
    int64_t row;
    v16 bias;
    bool add;
} merge;

/* Sixteen numbers of a plane's row, from place j on: what the taps of this plane took from there, (p, q) ascending. Place j under
 * tap q is result j - q·dilation/stride; results that are not there are 0, whatever lies before them in memory. */
TG_INLINE v16 plane_sum(const merge *m, const comb *xs, int64_t j)
{
    const tg_convolution *g = m->g;
    v16 sum = v16_zero();
    for (int64_t p = m->ys.first, o = m->row - m->ys.shift; p < g->y.taps; p += m->ys.step, o -= m->ys.by) {
        if (o < 0 || o >= g->y.out) continue;
        for (int64_t q = xs->first, at = j - xs->shift; q < g->x.taps; q += xs->step, at -= xs->by) {
            if (at <= -16 || at >= g->x.out) continue;
            v16 v = v16_load_n(m->cols + (p * g->x.taps + q) * m->cols_rs + o * g->x.out + at, g->x.out - at);
            if (at < 0) v = v16_select(v16_past(-at), v, v16_zero());
            sum = v16_add(sum, v);
        }
    }
    return sum;
}

TG_INLINE void put_sum(float *to, const merge *m, v16 sum, int64_t n)
{
    sum = v16_add(sum, m->bias);
    v16_store_n(to, m->add ? v16_add(v16_load_n(to, n), sum) : sum, n);
}

/* Any stride: sums are put one by one. */
static void merge_part(float *to, const merge *m, int64_t k)
{
    const int64_t stride = m->g->x.stride;
    const part p = part_of(&m->g->x, k);
    const comb xs = comb_of(&m->g->x, p.rest);
    for (int64_t i = 0; i < p.n; i += 16) {
        float sum[16];
        v16_store(sum, v16_add(plane_sum(m, &xs, p.at + i), m->bias));
        for (int64_t l = 0; l < 16 && i + l < p.n; l++) {
            float *at = to + k + (i + l) * stride;
            *at = m->add ? *at + sum[l] : sum[l];
        }
    }
}

/* A row of x; parts and xs: see split_row. */
static void merge_row(float *to, const merge *m, const part parts[2], const comb xs[2])
{
    const int64_t n = m->g->x.in, stride = m->g->x.stride;
    if (stride == 1)
        for (int64_t i = 0; i < n; i += 16) put_sum(to + i, m, plane_sum(m, &xs[0], parts[0].at + i), n - i);
    else if (stride == 2)
        for (int64_t i = 0; i < n; i += 32) {
            v16 even = plane_sum(m, &xs[0], parts[0].at + i / 2), odd = plane_sum(m, &xs[1], parts[1].at + i / 2);
            v16_zip(&even, &odd);
            put_sum(to + i, m, even, n - i);
            put_sum(to + i + 16, m, odd, n - i - 16);
        }
    else
        for (int64_t k = 0; k < stride; k++) merge_part(to, m, k);
}

#ifdef TG_HAVE_PICK
static bool are_summed_by_picks(const tg_convolution *g)
{
    const bool plain = g->x.stride <= 2 && g->x.dilation == 1 && g->y.dilation == 1;
    return plain && g->x.in <= WIDE && g->x.out <= 16 && g->x.taps <= PICKS;
}

/* Which result each number from x on takes in turn k: one of tap k·stride or, of the other rest, of the tap behind it. */
static v16i turn_of(const tg_axis *a, int64_t x, int64_t k)
{
    int32_t at[16];
    place p = {(x + a->before) % a->stride, (x + a->before) / a->stride};
    for (int64_t l = 0; l < 16; l++, p = next_place(p, (place){1, 0}, a->stride)) {
        const int64_t result = p.at - k;
        at[l] = k * a->stride + p.rest < a->taps && result >= 0 && result < a->out ? (int32_t)(p.rest * 16 + result) : -1;
    }
    return v16i_load(at);
}

/* Turns of sixteen numbers of a row: one tap is `first` behind the row's first, that of the other rest `second` behind it. */
typedef struct turns { int64_t count, first[PICKS], second[PICKS]; v16i at[PICKS]; } turns;

static turns turns_of(const tg_convolution *g, int64_t cols_rs, int64_t x)
{
    turns t = {.count = (g->x.taps + g->x.stride - 1) / g->x.stride};
    for (int64_t k = 0; k < t.count; k++) {
        t.first[k] = k * g->x.stride * cols_rs;
        t.second[k] = g->x.stride == 2 && 2 * k + 1 < g->x.taps ? cols_rs : 0;
        t.at[k] = turn_of(&g->x, x, k);
    }
    return t;
}

/* n numbers, or sixteen, of each row of a channel; see plane_sum. */
TG_INLINE void pick_sums(float *dx, const merge *m, const turns *t, int64_t n, int64_t count)
{
    const tg_axis y = m->g->y;
    const int64_t wide = m->g->x.in, results = m->g->x.out, row = m->g->x.taps * m->cols_rs;
    place here = {y.before % y.stride, y.before / y.stride};
    for (int64_t i = 0; i < y.in; i++, dx += wide, here = next_place(here, (place){1, 0}, y.stride)) {
        v16 sum = v16_zero();
        for (int64_t p = here.rest, o = here.at; p < y.taps && o >= 0; p += y.stride, o--) {
            if (o >= y.out) continue;
            const float *from = m->cols + p * row + o * results;
            TG_UNROLL for (int64_t k = 0; k < count; k++) {
                const float *tap = from + t->first[k];
                sum = v16_add(sum, v16_pick(v16_load(tap), v16_load(tap + t->second[k]), t->at[k]));
            }
        }
        put_sum(dx, m, sum, n);
    }
}

static void pick_channel(float *dx, const merge *m, const turns *t, int64_t n)
{
    const merge own = *m; /* stores may not change it */
    if (t->count == 2) pick_sums(dx, &own, t, n, 2);
    else pick_sums(dx, &own, t, n, t->count);
}

static void unpatch_picked(float *dx, merge *m, int64_t channels, const float *bias)
{
    const tg_convolution *g = m->g;
    turns t[WIDE / 16];
    for (int64_t i = 0; i < g->x.in; i += 16) t[i / 16] = turns_of(g, m->cols_rs, i);
    for (int64_t c = 0; c < channels; c++, dx += g->y.in * g->x.in, m->cols += g->y.taps * g->x.taps * m->cols_rs) {
        m->bias = v16_all(bias ? bias[c] : 0.0f);
        for (int64_t i = 0; i < g->x.in; i += 16) pick_channel(dx + i, m, &t[i / 16], g->x.in - i);
    }
}
#endif

void TG_K(unpatch)(float *dx, const float *cols, int64_t cols_rs, const tg_convolution *g, int64_t channels, const float *bias,
                   bool add)
{
    const part parts[2] = {part_of(&g->x, 0), part_of(&g->x, 1)};
    const comb xs[2] = {comb_of(&g->x, parts[0].rest), comb_of(&g->x, parts[1].rest)};
    const place begin = {g->y.before % g->y.stride, g->y.before / g->y.stride}, step = {1, 0};
    merge m = {.cols = cols, .cols_rs = cols_rs, .g = g, .add = add};
#ifdef TG_HAVE_PICK
    if (are_summed_by_picks(g)) {
        unpatch_picked(dx, &m, channels, bias);
        return;
    }
#endif
    for (int64_t c = 0; c < channels; c++, m.cols += g->y.taps * g->x.taps * cols_rs) {
        place at = begin;
        m.bias = v16_all(bias ? bias[c] : 0.0f);
        for (int64_t y = 0; y < g->y.in; y++, dx += g->x.in, at = next_place(at, step, g->y.stride)) {
            m.ys = comb_of(&g->y, at.rest);
            m.row = at.at;
            merge_row(dx, &m, parts, xs);
        }
    }
}
