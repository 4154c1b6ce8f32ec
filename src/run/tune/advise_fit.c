/* advise_fit.c - power laws through a few points, and which lever promises most. Pure; plain arithmetic and our own
 * exp and log. */
#include "run/tune/advise.h"

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"
#include "base/sort.h"

#include <math.h>

enum { GRID = 60, DRAWS = 400, MOST_POINTS = 8 };
static const double LEAST_B = 0.05, GRID_RATIO = 1.06, USUAL_B = 0.35; /* b: 0.05 to 1.55; language models: 0.1 to 0.4 */

const char *tg_lever_name(tg_lever lever)
{
    static const char *const names[] = {"none", "data", "parameters", "architecture"};
    return names[lever];
}

static double power(double n, double b)
{
    return (double)tg_expf((float)-b * tg_logf((float)n));
}

double tg_power_at(const tg_power *p, double n)
{
    return p->floor + p->a * power(n, p->b);
}

/* The best line through (n^-b, loss) with a >= 0, floor >= 0; returns the sum of squares. */
static double line(const double *n, const double *loss, int count, bool positive, double b, tg_power *out)
{
    double x = 0, y = 0, xx = 0, xy = 0, sum = 0, all = 0;
    for (int i = 0; i < count; i++) {
        all += sqrt(n[i]);
        x += sqrt(n[i]) * power(n[i], b);
        y += sqrt(n[i]) * loss[i];
    }
    x /= all;
    y /= all;
    for (int i = 0; i < count; i++) {
        const double dx = power(n[i], b) - x;
        xx += sqrt(n[i]) * dx * dx;
        xy += sqrt(n[i]) * dx * (loss[i] - y);
    }
    double a = xx > 0 && xy > 0 ? xy / xx : 0, floor = y - a * x;
    if (positive && floor < 0) { /* through the origin, then */
        xx = xy = 0;
        for (int i = 0; i < count; i++) {
            xx += sqrt(n[i]) * power(n[i], b) * power(n[i], b);
            xy += sqrt(n[i]) * power(n[i], b) * loss[i];
        }
        floor = 0;
        a = xy / xx;
    }
    *out = (tg_power){floor, a, b};
    for (int i = 0; i < count; i++) {
        const double off = loss[i] - tg_power_at(out, n[i]);
        sum += sqrt(n[i]) * off * off;
    }
    return sum;
}

void tg_power_fit(const double *n, const double *loss, int count, bool positive, tg_power *out)
{
    double b = LEAST_B, best = INFINITY;
    if (count < 3) {
        line(n, loss, count, positive, USUAL_B, out);
        return;
    }
    for (int i = 0; i < GRID; i++, b *= GRID_RATIO) {
        tg_power p;
        const double sum = line(n, loss, count, positive, b, &p);
        if (sum < best) {
            best = sum;
            *out = p;
        }
    }
}

static int by_size(const void *a, const void *b, void *user)
{
    const double x = *(const double *)a, y = *(const double *)b;
    (void)user;
    return x < y ? -1 : x > y;
}

static double level(const tg_power *p, double last)
{
    return (last + tg_power_at(p, 1)) / 2;
}

static double doubled(const tg_power *p, double last)
{
    return level(p, last) - (tg_power_at(p, 1) - tg_power_at(p, 2));
}

tg_status tg_power_double(const double *n, const double *loss, int count, bool positive, double noise, double miss,
                          tg_doubling *out)
{
    double sum = 0, shaken[MOST_POINTS];
    double *draws = tg_alloc_array(2 * DRAWS, sizeof *draws);
    if (!draws) return TG_ENOMEM;
    count = count > MOST_POINTS ? MOST_POINTS : count;
    tg_power_fit(n, loss, count, positive, &out->law);
    out->level = level(&out->law, loss[count - 1]);
    out->loss = doubled(&out->law, loss[count - 1]);
    for (int i = 0; i < count; i++) {
        const double off = loss[i] - tg_power_at(&out->law, n[i]);
        sum += off * off;
    }
    const double scatter = count > 3 ? sqrt(sum / (count - 3)) : 0, off = scatter > noise ? scatter : noise;
    for (int k = 0; k < DRAWS; k++) {
        tg_rng r = tg_rng_at(1, TG_RNG_SAMPLE, (uint64_t)k);
        tg_power p;
        for (int i = 0; i < count; i++) shaken[i] = loss[i] + off * (double)tg_rng_normal(&r);
        tg_power_fit(n, shaken, count, positive, &p);
        draws[k] = doubled(&p, shaken[count - 1]);
    }
    tg_sort(draws, DRAWS, sizeof *draws, draws + DRAWS, by_size, NULL);
    const double down = fmax(out->loss - draws[DRAWS / 40], 0), up = fmax(draws[DRAWS - 1 - DRAWS / 40] - out->loss, 0);
    out->low = out->loss - sqrt(down * down + miss * miss);
    out->high = out->loss + sqrt(up * up + miss * miss);
    if (positive) out->low = fmax(out->low, 0);
    tg_free(draws);
    return TG_OK;
}

int tg_advise_decide(const tg_promise *p, int count, double loss, double least)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if (p[i].gain > least * fabs(loss) && (best < 0 || p[i].gain > p[best].gain)) best = i;
    return best;
}
