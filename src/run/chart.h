/*
 * chart.h - charts in a report (page.h): SVG in the page itself, whose colours follow light and dark. One call draws axes and, one
 * over the other, what is to be seen in them, points last:
 *
 *     learning curves   TG_LINE each                       log_x where steps go over decades
 *     a histogram       TG_BARS, x has count + 1 edges     zero_y
 *     bars by names     TG_BARS in a chart with names      y[i] is that of names[i]; several series stand side by side
 *     reliability       TG_BARS (accuracy by confidence), TG_LINE (the diagonal)
 *     a Pareto front    TG_POINTS with labels, TG_STEPS through those of the front, by x
 *     one of many       all of them faint, with hints, and that one over them
 *     by category       TG_POINTS in a chart with names: x 2 is above the third name, 2.1 a little to its right
 */
#ifndef TG_RUN_CHART_H
#define TG_RUN_CHART_H
#include "run/page.h"

typedef enum tg_mark { TG_LINE, TG_POINTS, TG_STEPS, TG_BARS } tg_mark;

/* Borrowed. What is no number is left out, and so is on an axis of logarithms what is not above 0. */
typedef struct tg_series {
    const char *name;           /* in the legend; NULL: not there */
    tg_mark mark;
    const double *x, *y;
    const double *low, *high;   /* an interval of each y: a band of lines, whiskers of points and bars; NULL: none */
    const char *const *labels;  /* beside each point; NULL: none */
    const char *const *hints;   /* shown where the pointer rests on a point; of a line the first; NULL: its name */
    int64_t count;
    bool faint;                 /* one of many: behind the others, without a colour of its own */
} tg_series;

typedef struct tg_chart {
    const char *title, *x, *y;  /* the chart's and the axes' names; x, y may be NULL */
    const char *const *names;   /* the x axis has these instead of numbers, [name_count]; NULL: numbers */
    int64_t name_count;
    bool log_x, log_y;
    bool zero_y;                /* the y axis begins at 0 */
    bool cap_y;                 /* ... ends near most_y: what is above is drawn there */
    double most_y;
    bool unit;                  /* both axes go from 0 to 1 */
} tg_chart;

/* At most 8 colours: series 9 has that of series 1. Draws a note instead where there is nothing to draw. */
void tg_chart_draw(tg_page *p, const tg_chart *chart, const tg_series *series, int64_t count);
/* Shares of 1 as bars that lie one below another, their names to the left, per cent to the right: names may be long. */
void tg_chart_shares(tg_page *p, const char *title, const char *const *names, const double *shares, int64_t count);
#endif
