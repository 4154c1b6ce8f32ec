#include "support/naive_image.h"

#include <math.h>
#include <stddef.h>

int64_t naive_tap(const tg_axis *a, int64_t o, int64_t q)
{
    const int64_t at = o * a->stride + q * a->dilation - a->before;
    return at >= 0 && at < a->in ? at : -1;
}

/* Calls fn with the places of y, x and w of every product of the sum. */
static void every_product(const tg_convolution *g, void (*fn)(void *arg, int64_t y, int64_t x, int64_t w), void *arg)
{
    for (int64_t b = 0; b < g->B; b++)
        for (int64_t o = 0; o < g->O; o++)
            for (int64_t y = 0; y < g->y.out; y++)
                for (int64_t x = 0; x < g->x.out; x++)
                    for (int64_t c = 0; c < g->C; c++)
                        for (int64_t p = 0; p < g->y.taps; p++)
                            for (int64_t q = 0; q < g->x.taps; q++) {
                                const int64_t i = naive_tap(&g->y, y, p), j = naive_tap(&g->x, x, q);
                                if (i < 0 || j < 0) continue;
                                fn(arg, ((b * g->O + o) * g->y.out + y) * g->x.out + x,
                                   ((b * g->C + c) * g->y.in + i) * g->x.in + j,
                                   ((o * g->C + c) * g->y.taps + p) * g->x.taps + q);
                            }
}

typedef struct sums { double *y, *dx, *dw; const double *x, *w, *dy; } sums;

static void add_forward(void *arg, int64_t y, int64_t x, int64_t w)
{
    const sums *s = arg;
    s->y[y] += s->x[x] * s->w[w];
}

static void add_back(void *arg, int64_t y, int64_t x, int64_t w)
{
    const sums *s = arg;
    if (s->dx) s->dx[x] += s->dy[y] * s->w[w];
    if (s->dw) s->dw[w] += s->dy[y] * s->x[x];
}

void naive_conv(double *y, const double *x, const double *w, const double *bias, const tg_convolution *g)
{
    const int64_t each = g->y.out * g->x.out;
    for (int64_t i = 0; i < g->B * g->O * each; i++) y[i] = bias ? bias[i / each % g->O] : 0;
    every_product(g, add_forward, &(sums){.y = y, .x = x, .w = w});
}

void naive_conv_back(double *dx, double *dw, const double *dy, const double *x, const double *w, const tg_convolution *g)
{
    for (int64_t i = 0; dx && i < g->B * g->C * g->y.in * g->x.in; i++) dx[i] = 0;
    for (int64_t i = 0; dw && i < g->O * g->C * g->y.taps * g->x.taps; i++) dw[i] = 0;
    every_product(g, add_back, &(sums){.dx = dx, .dw = dw, .dy = dy, .x = x, .w = w});
}
