/* chart.c - axes with round numbers, lines, points, steps and bars, as SVG. */
#include "run/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fmath.h"
#include "base/utf8.h"
#include "run/html.h"

enum { WIDTH = 480, HEIGHT = 300, LEFT = 58, RIGHT = 16, TOP = 10, BOTTOM = 46, MOST_TICKS = 16, COLOURS = 8, LETTER = 8 /* how wide one is */ };

/* low, high: in the axis' own measure, logarithms where log is set. */
typedef struct axis { bool log; double low, high, from, to, ticks[MOST_TICKS]; int count; } axis;

typedef struct drawing {
    tg_str *out;
    const tg_chart *chart;
    axis x, y;
    int64_t bars, bar; /* series of bars by names: how many, and which one is drawn */
} drawing;

/* Our own logarithm: the same page everywhere. */
static double measure(const axis *a, double v) { return a->log ? (double)tg_logf((float)v) : v; }
/* Beyond floats there are no logarithms, and beyond that no differences. */
static bool can_be_drawn(const axis *a, double v) { return a->log ? v > 1e-37 && v < 1e38 : fabs(v) < 1e300; }
static double place(const axis *a, double v) { return a->from + (measure(a, v) - a->low) / (a->high - a->low) * (a->to - a->from); }
static double px(const drawing *d, double v) { return place(&d->x, v); }
static double lowered(const drawing *d, double v) { return d->chart->cap_y && v > d->chart->most_y ? d->chart->most_y : v; }
static double py(const drawing *d, double v) { return place(&d->y, lowered(d, v)); }
static bool seen(const drawing *d, double x, double y) { return can_be_drawn(&d->x, x) && can_be_drawn(&d->y, y); }

static void number(tg_str *out, double x) { tg_str_add_fixed(out, x, 1); }

static void pair(tg_str *out, const char *before, double x, double y)
{
    tg_str_add(out, before);
    number(out, x);
    tg_str_add(out, " ");
    number(out, y);
}

static void attribute(tg_str *out, const char *name, double x)
{
    tg_str_addf(out, " %s=\"", name);
    number(out, x);
    tg_str_add(out, "\"");
}

static void stroke(tg_str *out, const char *class, double x1, double y1, double x2, double y2)
{
    tg_str_addf(out, "<path class=\"%s\" d=\"", class);
    pair(out, "M", x1, y1);
    pair(out, "L", x2, y2);
    tg_str_add(out, "\"/>");
}

/* ---- axes ------------------------------------------------------------------------------------------------------------ */

/* 10^e, rounded once: what is made of it reads 0.3 and not 0.30000000000000004. */
static double ten_to(int e)
{
    char text[16] = "1e";
    double power = 1;
    const int n = 2 + snprintf(text + 2, sizeof text - 2, "%d", e);
    return tg_parse_real(text, n, &power) ? power : 1;
}

static double times_ten_to(double x, int e) { return e < 0 ? x / ten_to(-e) : x * ten_to(e); }

/* e of the largest power of ten that is not above x > 0. */
static int exponent(double x)
{
    int e = 0;
    while (e > -300 && ten_to(e) > x) e--;
    while (e < 300 && ten_to(e + 1) <= x) e++;
    return e;
}

static void add_tick(axis *a, double v)
{
    if (a->count < MOST_TICKS) a->ticks[a->count++] = v;
}

/* Ticks at multiples of 1, 2 or 5 times a power of ten; the axis goes from one to another. */
static void linear_ticks(axis *a)
{
    if (a->high - a->low < 1e-9 * fabs(a->high) || a->high == a->low) {
        const double room = a->high != 0 ? fabs(a->high) / 10 : 1;
        a->low -= room;
        a->high += room;
    }
    const double least = (a->high - a->low) / 6;
    int e = exponent(least), digit = 1;
    while (digit < 10 && times_ten_to(digit, e) < least) digit = digit == 1 ? 2 : digit == 2 ? 5 : 10;
    const double step = times_ten_to(digit, e), first = floor(a->low / step + 1e-9), last = ceil(a->high / step - 1e-9);
    for (double i = first; i <= last; i++) add_tick(a, times_ten_to(i * digit, e));
    a->low = first * step;
    a->high = last * step;
}

/* Powers of ten, and 2 and 5 times these where there is room for them. */
static void log_ticks(axis *a, double low, double high)
{
    const int from = exponent(low), to = exponent(high), step = 1 + (to - from) / (MOST_TICKS / 2);
    for (int e = from; e <= to; e += step)
        for (int digit = 1; digit < 10; digit = digit == 1 ? 2 : digit == 2 ? 5 : 10) {
            const double v = times_ten_to(digit, e);
            if (v >= low && v <= high && (digit == 1 || to - from <= 3)) add_tick(a, v);
        }
    a->low = measure(a, low);
    a->high = measure(a, high);
    if (a->high - a->low > 1e-6) return;
    a->low -= 0.5;
    a->high += 0.5;
}

static void widen(const axis *a, const double *v, int64_t count, double *low, double *high)
{
    for (int64_t i = 0; v && i < count; i++) {
        if (!can_be_drawn(a, v[i])) continue;
        if (!(v[i] >= *low)) *low = v[i]; /* NAN at first */
        if (!(v[i] <= *high)) *high = v[i];
    }
}

/* False: there is nothing to draw. */
static bool find_axis(axis *a, double low, double high, bool from_zero)
{
    if (isnan(low)) return false;
    if (a->log) {
        log_ticks(a, low, high);
        return true;
    }
    a->low = from_zero && low > 0 ? 0 : low;
    a->high = from_zero && high < 0 ? 0 : high;
    linear_ticks(a);
    return true;
}

static bool find_axes(drawing *d, const tg_series *series, int64_t count)
{
    double x_low = NAN, x_high = NAN, y_low = NAN, y_high = NAN;
    const double ends[] = {0, 1}, most = d->chart->most_y;
    bool points = false;
    for (int64_t i = 0; i < count; i++) {
        const tg_series *s = &series[i];
        points = points || s->mark == TG_POINTS;
        if (!d->chart->names) widen(&d->x, s->x, s->count + (s->mark == TG_BARS), &x_low, &x_high);
        widen(&d->y, s->y, s->count, &y_low, &y_high);
        widen(&d->y, s->low, s->count, &y_low, &y_high);
        widen(&d->y, s->high, s->count, &y_low, &y_high);
    }
    if (d->chart->unit) {
        widen(&d->x, ends, 2, &x_low, &x_high);
        widen(&d->y, ends, 2, &y_low, &y_high);
    }
    if (d->chart->cap_y && can_be_drawn(&d->y, most) && y_high > most) {
        y_high = most;
        if (y_low > most) y_low = most;
    }
    if (!find_axis(&d->y, y_low, y_high, d->chart->zero_y)) return false;
    if (!d->chart->names) {
        const bool any = find_axis(&d->x, x_low, x_high, false);
        const double room = points && d->x.log ? (d->x.high - d->x.low) / 25 : 0; /* so that none lies on the frame */
        d->x.low -= room;
        d->x.high += room;
        return any;
    }
    d->x.low = -0.5;
    d->x.high = (double)d->chart->name_count - 0.5;
    return d->chart->name_count > 0;
}

/* 0.25, 1500, 20k, 3M. */
static void add_label(tg_str *out, double v)
{
    static const struct { int e; const char *name; } ends[] = {{9, "G"}, {6, "M"}, {3, "k"}};
    const double size = fabs(v);
    char text[32];
    const char *name = "";
    for (size_t i = 0; i < sizeof ends / sizeof *ends && size >= 1e4 && size < 1e12 && !*name; i++)
        if (size >= ten_to(ends[i].e)) {
            v /= ten_to(ends[i].e);
            name = ends[i].name;
        }
    tg_format_real(text, v == 0 ? 0 : v);
    tg_str_addf(out, "%s%s", text, name);
}

static void draw_y_axis(drawing *d)
{
    tg_str *out = d->out;
    for (int i = 0; i < d->y.count; i++) {
        const double y = place(&d->y, d->y.ticks[i]); /* one above most_y is where it is */
        stroke(out, "grid", LEFT, y, WIDTH - RIGHT, y);
        tg_str_add(out, "<text text-anchor=\"end\"");
        attribute(out, "x", LEFT - 6);
        attribute(out, "y", y + 4);
        tg_str_add(out, ">");
        add_label(out, d->y.ticks[i]);
        tg_str_add(out, "</text>");
    }
    if (!d->chart->y) return;
    tg_str_addf(out, "<text text-anchor=\"middle\" transform=\"translate(13 %d) rotate(-90)\">", (TOP + HEIGHT - BOTTOM) / 2);
    tg_html_add(out, d->chart->y, (int64_t)strlen(d->chart->y));
    tg_str_add(out, "</text>");
}

/* A name that would lie over the one before is left out. */
static void draw_x_axis(drawing *d)
{
    tg_str *out = d->out, label = {0};
    const int64_t count = d->chart->names ? d->chart->name_count : d->x.count;
    double taken = 0; /* up to there */
    for (int64_t i = 0; i < count; i++) {
        const double x = px(d, d->chart->names ? (double)i : d->x.ticks[i]);
        tg_str_clear(&label);
        if (d->chart->names) tg_str_add(&label, d->chart->names[i]);
        else add_label(&label, d->x.ticks[i]);
        if (label.failed) out->failed = true;
        const double half = LETTER / 2.0 * (double)tg_utf8_columns(label.data, label.length);
        if (!d->chart->names) stroke(out, "axis", x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4);
        if (x - half < taken) continue;
        taken = x + half + LETTER;
        tg_str_add(out, "<text text-anchor=\"middle\"");
        attribute(out, "x", x + half > WIDTH ? WIDTH - half : x);
        attribute(out, "y", HEIGHT - BOTTOM + 18);
        tg_str_add(out, ">");
        tg_html_add(out, label.data, label.length);
        tg_str_add(out, "</text>");
    }
    tg_str_free(&label);
    stroke(out, "axis", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM);
    if (!d->chart->x) return;
    tg_str_addf(out, "<text text-anchor=\"middle\" x=\"%d\" y=\"%d\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
    tg_html_add(out, d->chart->x, (int64_t)strlen(d->chart->x));
    tg_str_add(out, "</text>");
}

/* ---- series -------------------------------------------------------------------------------------------------------------- */

/* Points that lie in one column of pixels: of all of them, the first, the outermost and the last are drawn. So a log of a million
 * steps makes no longer a page than one of a thousand. */
typedef struct column { double x, first, low, high, last; bool any, open; } column;

static void draw_column(drawing *d, column *c, bool steps)
{
    if (!c->any) return;
    if (c->open && steps) { /* to the right first: nothing better is known between two points of a front */
        tg_str_add(d->out, "H");
        number(d->out, c->x);
    }
    pair(d->out, c->open ? "L" : "M", c->x, c->first);
    if (c->low < c->first) pair(d->out, "L", c->x, c->low);
    if (c->high > c->first) pair(d->out, "L", c->x, c->high);
    if (c->last != c->first) pair(d->out, "L", c->x, c->last);
    c->open = true;
    c->any = false;
}

static void draw_line(drawing *d, const tg_series *s)
{
    const bool steps = s->mark == TG_STEPS;
    column c = {.any = false};
    tg_str_add(d->out, "<path class=\"line\" d=\"");
    for (int64_t i = 0; i < s->count; i++) {
        if (!seen(d, s->x[i], s->y[i])) {
            draw_column(d, &c, steps);
            c.open = false;
            continue;
        }
        const double x = px(d, s->x[i]), y = py(d, s->y[i]);
        if (steps || fabs(x - c.x) >= 0.5) draw_column(d, &c, steps);
        if (!c.any) c = (column){.x = x, .first = y, .low = y, .high = y, .any = true, .open = c.open};
        if (y < c.low) c.low = y;
        if (y > c.high) c.high = y;
        c.last = y;
    }
    draw_column(d, &c, steps);
    tg_str_add(d->out, "\"/>");
}

/* There and back again; points without an interval are passed over. */
static void draw_band(drawing *d, const tg_series *s)
{
    bool open = false;
    tg_str_add(d->out, "<path class=\"band\" d=\"");
    for (int64_t i = 0; i < 2 * s->count; i++) {
        const int64_t at = i < s->count ? i : 2 * s->count - 1 - i;
        const double y = i < s->count ? s->low[at] : s->high[at];
        if (!seen(d, s->x[at], s->low[at]) || !seen(d, s->x[at], s->high[at])) continue;
        pair(d->out, open ? "L" : "M", px(d, s->x[at]), py(d, y));
        open = true;
    }
    tg_str_add(d->out, open ? "Z\"/>" : "\"/>");
}

static void draw_whisker(drawing *d, const tg_series *s, int64_t i, double x)
{
    if (!s->low || !s->high || !can_be_drawn(&d->y, s->low[i]) || !can_be_drawn(&d->y, s->high[i])) return;
    const double low = py(d, s->low[i]), high = py(d, s->high[i]);
    stroke(d->out, "whisker", x, low, x, high);
    stroke(d->out, "whisker", x - 4, low, x + 4, low);
    stroke(d->out, "whisker", x - 4, high, x + 4, high);
}

/* What a browser shows where the pointer rests: "name: x, y"; at: in place of x, "": nothing is. */
static void add_hint(tg_str *out, const char *name, const char *at, double x, double y)
{
    char text[32];
    tg_str_add(out, "<title>");
    if (name) {
        tg_html_add(out, name, (int64_t)strlen(name));
        tg_str_add(out, ": ");
    }
    if (!at) tg_format_real(text, x);
    if (!at || *at) {
        tg_html_add(out, at ? at : text, (int64_t)strlen(at ? at : text));
        tg_str_add(out, ", ");
    }
    tg_format_real(text, y);
    tg_str_addf(out, "%s</title>", text);
}

/* The name that a place on an axis of names is nearest to. */
static const char *name_at(const drawing *d, double x)
{
    const double i = floor(x + 0.5);
    return !d->chart->names ? NULL : i >= 0 && i < (double)d->chart->name_count ? d->chart->names[(int64_t)i] : "";
}

static void draw_points(drawing *d, const tg_series *s, int colour)
{
    static const char *const shapes[] = {"m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0", "m-4.5-4.5h9v9h-9z", "m0-6l6 10h-12z", "m0-6.5l6 6.5-6 6.5-6-6.5z"};
    for (int64_t i = 0; i < s->count; i++) {
        if (!seen(d, s->x[i], s->y[i])) continue;
        const double x = px(d, s->x[i]), y = py(d, s->y[i]);
        draw_whisker(d, s, i, x);
        tg_str_add(d->out, "<path class=\"point\" d=\"");
        pair(d->out, "M", x, y);
        tg_str_addf(d->out, "%s\">", shapes[colour % 4]);
        add_hint(d->out, s->hints ? s->hints[i] : s->labels ? s->labels[i] : s->name, name_at(d, s->x[i]), s->x[i], s->y[i]);
        tg_str_add(d->out, "</path>");
        if (!s->labels || !s->labels[i]) continue;
        const bool left = x > (LEFT + WIDTH - RIGHT) / 2;
        tg_str_addf(d->out, "<text text-anchor=\"%s\"", left ? "end" : "start");
        attribute(d->out, "x", left ? x - 9 : x + 9);
        attribute(d->out, "y", y + (y < TOP + 20 ? 14 : -6));
        tg_str_add(d->out, ">");
        tg_html_add(d->out, s->labels[i], (int64_t)strlen(s->labels[i]));
        tg_str_add(d->out, "</text>");
    }
}

/* Bars stand on 0, or on the axis where 0 is not on it. */
static void draw_bars(drawing *d, const tg_series *s)
{
    const double ground = d->y.log || d->y.low > 0 ? d->y.from : d->y.high < 0 ? d->y.to : py(d, 0);
    for (int64_t i = 0; i < s->count; i++) {
        double from, to;
        if (!can_be_drawn(&d->y, s->y[i])) continue;
        if (d->chart->names) {
            const double room = 0.8 / (double)d->bars, at = (double)i - 0.4 + room * (double)d->bar;
            from = px(d, at);
            to = px(d, at + room);
        } else {
            if (!can_be_drawn(&d->x, s->x[i]) || !can_be_drawn(&d->x, s->x[i + 1])) continue;
            from = px(d, s->x[i]);
            to = px(d, s->x[i + 1]);
        }
        const double y = py(d, s->y[i]), gap = to - from > 4 ? 0.5 : 0;
        tg_str_add(d->out, "<rect class=\"bar\"");
        attribute(d->out, "x", from + gap);
        attribute(d->out, "width", to - from > 2 * gap ? to - from - 2 * gap : 0);
        attribute(d->out, "y", y < ground ? y : ground);
        attribute(d->out, "height", fabs(ground - y));
        tg_str_add(d->out, ">");
        if (d->chart->names) add_hint(d->out, d->chart->names[i], "", 0, s->y[i]);
        else add_hint(d->out, s->name, NULL, s->x[i], s->y[i]);
        tg_str_add(d->out, "</rect>");
        draw_whisker(d, s, i, (from + to) / 2);
    }
    d->bar++;
}

static void draw_series(drawing *d, const tg_series *s, int colour)
{
    tg_str_addf(d->out, s->faint ? "\n<g class=\"faint\">" : "\n<g class=\"s%d\">", colour + 1);
    if (s->mark != TG_POINTS && s->hints) {
        tg_str_add(d->out, "<title>");
        tg_html_add(d->out, s->hints[0], (int64_t)strlen(s->hints[0]));
        tg_str_add(d->out, "</title>");
    }
    if (s->mark == TG_BARS) draw_bars(d, s);
    else if (s->mark == TG_POINTS) draw_points(d, s, colour);
    else {
        if (s->low && s->high) draw_band(d, s);
        draw_line(d, s);
    }
    tg_str_add(d->out, "</g>");
}

static void draw_legend(drawing *d, const tg_series *series, int64_t count)
{
    static const char *const signs[] = {"<path class=\"line\" d=\"M0 6H28\"/>", "<path class=\"point\" d=\"M9 1h10v10h-10z\"/>",
                                        "<path class=\"line\" d=\"M0 6H28\"/>", "<path class=\"bar\" d=\"M6 1h16v10h-16z\"/>"};
    bool any = false;
    for (int64_t i = 0; i < count; i++) any = any || series[i].name;
    if (!any) return;
    tg_str_add(d->out, "<ul class=\"legend\">");
    for (int64_t i = 0, colour = 0; i < count; colour += !series[i++].faint) {
        if (!series[i].name) continue;
        tg_str_addf(d->out, series[i].faint ? "<li><svg class=\"faint\"" : "<li><svg class=\"s%d\"", (int)(colour % COLOURS) + 1);
        tg_str_addf(d->out, " viewBox=\"0 0 28 12\" aria-hidden=\"true\"><g>%s</g></svg>", signs[series[i].mark]);
        tg_html_add(d->out, series[i].name, (int64_t)strlen(series[i].name));
        tg_str_add(d->out, "</li>");
    }
    tg_str_add(d->out, "</ul>");
}

static int layer_of(const tg_series *s) { return s->faint ? 0 : s->mark == TG_POINTS ? 2 : 1; }

static void begin_figure(tg_page *p, const char *title)
{
    tg_str_add(&p->body, "<figure><figcaption>");
    tg_html_add(&p->body, title, (int64_t)strlen(title));
    tg_str_add(&p->body, "</figcaption>");
}

static void begin_svg(tg_page *p, const char *title, int64_t height)
{
    tg_str_addf(&p->body, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, (int)height);
    tg_html_add(&p->body, title, (int64_t)strlen(title));
    tg_str_add(&p->body, "\">");
}

static void end_empty(tg_page *p) { tg_str_addf(&p->body, "<p class=\"soft\">%s</p>", tg_words(p->lang, TG_WORD_page_nothing)); }

void tg_chart_draw(tg_page *p, const tg_chart *chart, const tg_series *series, int64_t count)
{
    drawing d = {.out = &p->body, .chart = chart, .x = {.log = chart->log_x, .from = LEFT, .to = WIDTH - RIGHT},
                 .y = {.log = chart->log_y, .from = HEIGHT - BOTTOM, .to = TOP}};
    for (int64_t i = 0; i < count; i++) d.bars += series[i].mark == TG_BARS;
    const bool any = find_axes(&d, series, count);
    begin_figure(p, chart->title);
    if (any) {
        begin_svg(p, chart->title, HEIGHT);
        draw_y_axis(&d);
        draw_x_axis(&d);
        for (int layer = 0; layer < 3; layer++) /* points over all else, as they have names */
            for (int64_t i = 0, colour = 0; i < count; colour += !series[i++].faint)
                if (layer_of(&series[i]) == layer) draw_series(&d, &series[i], (int)(colour % COLOURS));
        tg_str_add(d.out, "\n</svg>");
        draw_legend(&d, series, count);
    } else {
        end_empty(p);
    }
    tg_str_add(d.out, "</figure>\n");
}

void tg_chart_shares(tg_page *p, const char *title, const char *const *names, const double *shares, int64_t count)
{
    enum { ROW = 28, NAMES = 150, NUMBERS = 60 };
    tg_str *out = &p->body;
    begin_figure(p, title);
    if (count > 0) begin_svg(p, title, ROW * count);
    else end_empty(p);
    for (int64_t i = 0; i < count; i++) {
        const double share = shares[i] > 0 ? shares[i] < 1 ? shares[i] : 1 : 0; /* NAN: 0 */
        const double y = (double)(i * ROW), width = share * (WIDTH - NAMES - NUMBERS);
        tg_str_add(out, "\n<g class=\"s1\"><text text-anchor=\"end\"");
        attribute(out, "x", NAMES - 8);
        attribute(out, "y", y + 18);
        tg_str_add(out, ">");
        tg_html_add(out, names[i], (int64_t)strlen(names[i]));
        tg_str_add(out, "</text><rect class=\"bar\"");
        attribute(out, "x", NAMES);
        attribute(out, "width", width);
        attribute(out, "y", y + 4);
        attribute(out, "height", ROW - 8);
        tg_str_add(out, "/><text");
        attribute(out, "x", NAMES + width + 8);
        attribute(out, "y", y + 18);
        tg_str_add(out, ">");
        tg_str_add_fixed(out, 100 * share, 0);
        tg_str_add(out, " %</text></g>");
    }
    tg_str_add(out, count > 0 ? "\n</svg></figure>\n" : "</figure>\n");
}
