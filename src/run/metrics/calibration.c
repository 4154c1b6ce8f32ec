/* calibration.c - counts in bins. */
#include "run/metrics/calibration.h"

#include <math.h>

void tg_calibration_add(tg_calibration *c, double p, bool correct)
{
    if (isnan(p)) {
        c->broken++;
        return;
    }
    p = p < 0 ? 0 : p > 1 ? 1 : p;
    int bin = (int)ceil(p * TG_CALIBRATION_BINS) - 1;
    if (bin < 0) bin = 0;
    c->count[bin]++;
    c->correct[bin] += correct;
    c->confidence[bin] += p;
}

void tg_calibration_add_logits(tg_calibration *c, const float *logits, int64_t V, int32_t target)
{
    int64_t best = 0;
    double sum = 0;
    for (int64_t i = 1; i < V; i++)
        if (logits[i] > logits[best]) best = i;
    for (int64_t i = 0; i < V; i++) sum += (double)expf(logits[i] - logits[best]); /* inf - inf is NaN, so is the sum */
    tg_calibration_add(c, 1 / sum, best == target);
}

tg_calibration_figures tg_calibration_of(const tg_calibration *c)
{
    tg_calibration_figures f = {0, 0, 0, 0, 0};
    for (int i = 0; i < TG_CALIBRATION_BINS; i++) {
        f.count += c->count[i];
        f.accuracy += (double)c->correct[i];
        f.confidence += c->confidence[i];
    }
    for (int i = 0; i < TG_CALIBRATION_BINS; i++) {
        if (c->count[i] == 0) continue;
        const double n = (double)c->count[i], gap = fabs((double)c->correct[i] - c->confidence[i]) / n;
        f.ece += n / (double)f.count * gap;
        if (gap > f.mce) f.mce = gap;
    }
    const double all = f.count > 0 ? (double)f.count : (double)NAN;
    f.accuracy /= all;
    f.confidence /= all;
    if (f.count == 0) f.ece = f.mce = (double)NAN;
    return f;
}
