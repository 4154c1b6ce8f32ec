/* advise_range.c - the learning-rate range test of Smith 2015, arXiv:1506.01186: from the run's first weights on, every step at a
 * rate a little higher than the one before, until training breaks down. */
#include "run/tune/advise.h"

#include "base/fmath.h"
#include "base/meter.h"

#include <math.h>

enum { A_DECADE = 20, WINDOW = 4 /* points on each side that a slope is of */ };
static const double LOWEST = 1e-5, HIGHEST = 10;
static const double RISEN = 0.1; /* of what the loss had fallen by: from there on it blows up */

/* The median of five: a single bad batch leaves no trace. */
static double median(const double *x, int count, int at)
{
    double five[5];
    int n = 0;
    for (int i = at - 2; i <= at + 2; i++) {
        if (i < 0 || i >= count) continue;
        int k = n++;
        for (; k > 0 && five[k - 1] > x[i]; k--) five[k] = five[k - 1];
        five[k] = x[i];
    }
    return five[n / 2];
}

/* Slope of the line through the points around. */
static double slope(const double *y, int count, int at)
{
    double x = 0, xy = 0, xx = 0;
    int n = 0;
    for (int i = at - WINDOW; i <= at + WINDOW; i++)
        if (i >= 0 && i < count) {
            x += i;
            n++;
        }
    x /= n;
    for (int i = at - WINDOW; i <= at + WINDOW; i++)
        if (i >= 0 && i < count) {
            xy += (i - x) * y[i];
            xx += (i - x) * (i - x);
        }
    return xx > 0 ? xy / xx : 0;
}

void tg_range_read(const double *rate, const double *loss, int count, bool blew_up, double *steepest, double *blows_up,
                   double *suggested)
{
    double smooth[TG_RANGE_STEPS], fall = 0;
    int least = 0, steep = -1, end = -1;
    *steepest = *blows_up = *suggested = NAN;
    if (count < 2 * WINDOW) return;
    for (int i = 0; i < count; i++) {
        smooth[i] = median(loss, count, i);
        if (smooth[i] < smooth[least]) least = i;
    }
    for (int i = least; i < count && end < 0; i++)
        if (smooth[i] > smooth[least] + RISEN * (smooth[0] - smooth[least])) end = i;
    if (end < 0 && blew_up) end = count - 1;
    for (int i = 0; i <= least; i++) {
        const double s = slope(smooth, least + 1, i);
        if (s < fall) {
            fall = s;
            steep = i;
        }
    }
    if (steep >= 0) *steepest = rate[steep];
    if (end >= 0) *blows_up = rate[end];
    if (steep < 0) return;
    /* Where it falls fastest, but well below the rate of the lowest point: a whole training wants less than a hundred steps do. */
    *suggested = rate[least] / 5 < rate[steep] ? rate[least] / 5 : rate[steep];
}

static tg_status climb(tg_advice *a, tg_loop *l)
{
    const double factor = tg_root(10, A_DECADE);
    double rate = a->lr > 0 && a->lr / 30 < LOWEST ? a->lr / 30 : LOWEST, least = INFINITY;
    const double top = a->lr * 30 > HIGHEST ? a->lr * 30 : HIGHEST;
    bool blew_up = false;
    tg_status s = TG_OK;
    tg_meter meter = tg_meter_start(a->ctx, "range test", "steps", TG_RANGE_STEPS);
    for (int k = 0; k < TG_RANGE_STEPS && rate <= top && !blew_up && !s; k++, rate *= factor) {
        tg_step_info info = {0};
        l->options.schedule.lr = rate;
        s = tg_loop_step(l, &info);
        blew_up = s == TG_EDIVERGED || (!s && info.loss > 3 * least + 1); /* it is not finite, or gone for good */
        if (s == TG_EDIVERGED) s = TG_OK;
        if (s || blew_up) break;
        if (info.loss < least) least = info.loss;
        a->range_rate[a->range_count] = rate;
        a->range_loss[a->range_count++] = info.loss;
        s = tg_meter_add(&meter, 1);
    }
    tg_meter_end(&meter);
    if (!s) tg_range_read(a->range_rate, a->range_loss, a->range_count, blew_up, &a->steepest, &a->blows_up, &a->suggested);
    return s;
}

tg_status tg_advice_range(tg_advice *a)
{
    tg_setup setup = {0};
    tg_model *m = NULL;
    tg_loop *l = NULL;
    tg_status s = tg_setup_open(a, &setup);
    if (!s) s = tg_advice_model(a, &setup, false, &m);
    tg_loop_options options = tg_training_loop(&setup.o);
    options.schedule = (tg_schedule){.kind = TG_CONSTANT};
    options.on_nan = TG_NAN_STOP;
    if (!s) s = tg_loop_new(a->ctx, m, a->data, &options, &l);
    if (!s) s = climb(a, l);
    tg_loop_free(l);
    tg_model_free(m);
    tg_setup_close(&setup);
    return s;
}
