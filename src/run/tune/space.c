/* space.c - axes, points and the grid; space_parse.c makes them. */
#include "run/tune/space.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fmath.h"

void tg_space_free(tg_space *s)
{
    if (!s) return;
    tg_arena_free(s->arena);
    tg_free(s);
}

int tg_space_find(const tg_space *s, const char *key)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->axes[i].key, key)) return i;
    return -1;
}

static bool applies(const tg_space *s, int axis, int64_t model)
{
    return s->model_axis < 0 || axis == s->model_axis || (s->axes[axis].models >> model & 1);
}

bool tg_space_applies(const tg_space *s, int axis, const tg_point *p)
{
    return s->model_axis < 0 || applies(s, axis, (int64_t)p->at[s->model_axis]);
}

void tg_space_text(const tg_axis *a, double value, tg_str *out)
{
    if (a->kind == TG_AXIS_CHOICE) tg_str_add(out, a->choices[(int64_t)value]);
    else if (a->kind == TG_AXIS_INT) tg_str_addf(out, "%lld", (long long)value);
    else tg_str_add_real(out, value);
}

/* ---- along an axis */

/* Our own logarithm, of float precision, so that a study is the same everywhere. */
static double scale(const tg_axis *a, double x)
{
    return a->log ? (double)tg_logf((float)x) : x;
}

/* What the unit interval spans. */
static void span(const tg_axis *a, double *begin, double *end)
{
    const double half = a->kind == TG_AXIS_INT ? 0.5 : 0;
    *begin = a->kind == TG_AXIS_CHOICE ? 0 : scale(a, a->low - half);
    *end = a->kind == TG_AXIS_CHOICE ? (double)a->count : scale(a, a->high + half);
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Four significant digits where the axis runs over decades, else a ten-thousandth of the power of ten in its length. Powers of
 * ten up to 10^22 are exact, so the quotient is the double nearest to the decimal, and its shortest text is that decimal. */
static double tidy(const tg_axis *a, double x)
{
    const bool decades = a->log && a->high >= 10 * a->low;
    const double size = decades ? x : a->high - a->low;
    double power = 1;
    int decimals = decades ? 3 : 4;
    for (; power * 10 <= size; power *= 10) decimals--;
    for (; power > size && decimals < 22; power /= 10) decimals++;
    double factor = 1;
    for (int i = 0; i < decimals; i++) factor *= 10;
    for (int i = decimals; i < 0; i++) factor *= 10;
    const double rounded = decimals >= 0 ? floor(x * factor + 0.5) / factor : floor(x / factor + 0.5) * factor;
    return clamp(rounded, a->low, a->high);
}

double tg_axis_value(const tg_axis *a, double unit)
{
    double begin, end;
    span(a, &begin, &end);
    double x = begin + (end - begin) * clamp(unit, 0, 1);
    if (a->kind == TG_AXIS_CHOICE) return clamp(floor(x), 0, (double)a->count - 1);
    if (a->log) x = (double)tg_expf((float)x);
    return a->kind == TG_AXIS_INT ? clamp(floor(x + 0.5), a->low, a->high) : tidy(a, clamp(x, a->low, a->high));
}

void tg_axis_cell(const tg_axis *a, double value, double *begin, double *end)
{
    double from, to;
    span(a, &from, &to);
    const double below = a->kind == TG_AXIS_INT ? 0.5 : 0, above = a->kind == TG_AXIS_REAL ? 0 : a->kind == TG_AXIS_INT ? 0.5 : 1;
    const double low = a->kind == TG_AXIS_CHOICE ? value : scale(a, value - below);
    const double high = a->kind == TG_AXIS_CHOICE ? value + above : scale(a, value + above);
    *begin = (low - from) / (to - from);
    *end = (high - from) / (to - from);
}

/* ---- the grid */

/* Point i along an axis, evenly; the ends are its bounds. */
static double even(const tg_axis *a, int64_t i)
{
    if (i == 0) return a->low;
    if (i == a->count - 1) return a->high;
    const double low = scale(a, a->low), x = low + (scale(a, a->high) - low) * (double)i / (double)(a->count - 1);
    return a->log ? (double)tg_expf((float)x) : x;
}

/* Whole numbers that logarithms would bring together are moved apart, and leave room for those to come. */
static double grid_value(const tg_axis *a, int64_t i)
{
    if (a->kind == TG_AXIS_CHOICE) return (double)i;
    if (a->kind == TG_AXIS_REAL) return tidy(a, even(a, i));
    double x = a->low - 1;
    for (int64_t k = a->log ? 0 : i; k <= i; k++) {
        const double rounded = floor(even(a, k) + 0.5), most = a->high - (double)(a->count - 1 - k);
        x = rounded > x ? rounded : x + 1;
        if (x > most) x = most;
    }
    return x;
}

/* Values that an axis has at all. */
static int64_t values_of(const tg_axis *a)
{
    return a->kind == TG_AXIS_CHOICE ? a->count : a->kind == TG_AXIS_INT ? (int64_t)(a->high - a->low) + 1 : INT64_MAX;
}

/* Points with that model, of the grid or all; INT64_MAX: more than can be counted. */
static int64_t points_of(const tg_space *s, int64_t model, bool grid)
{
    int64_t n = 1;
    for (int i = 0; i < s->count; i++)
        if (i != s->model_axis && applies(s, i, model) &&
            __builtin_mul_overflow(n, grid ? s->axes[i].count : values_of(&s->axes[i]), &n)) return INT64_MAX;
    return n;
}

static int64_t models_of(const tg_space *s)
{
    return s->model_axis < 0 ? 1 : s->axes[s->model_axis].count;
}

static int64_t count_points(const tg_space *s, bool grid)
{
    int64_t n = 0;
    for (int64_t m = 0; m < models_of(s); m++)
        if (__builtin_add_overflow(n, points_of(s, m, grid), &n)) return INT64_MAX;
    return n;
}

int64_t tg_space_grid(const tg_space *s)
{
    return count_points(s, true);
}

int64_t tg_space_points(const tg_space *s)
{
    return count_points(s, false);
}

void tg_space_grid_at(const tg_space *s, int64_t i, tg_point *out)
{
    int64_t model = 0;
    for (; i >= points_of(s, model, true) && model < models_of(s) - 1; model++) i -= points_of(s, model, true);
    for (int axis = s->count - 1; axis >= 0; axis--) {
        const tg_axis *a = &s->axes[axis];
        out->at[axis] = NAN;
        if (axis == s->model_axis) out->at[axis] = (double)model;
        else if (applies(s, axis, model)) {
            out->at[axis] = grid_value(a, i % a->count);
            i /= a->count;
        }
    }
}
