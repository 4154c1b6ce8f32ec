/* probe_likely.c - losses of numbers and normal noise. Losses are the formulas in double; slopes their central differences. */
#include "base/rng.h"
#include "support/naive.h"
#include "support/probe.h"
#include "test.h"

#include <math.h>

static double loss_at(int kind, double a, double b, double x)
{
    const double pi = 3.14159265358979323846;
    switch (kind) {
    case TG_LIKELY_BERNOULLI: return -x * log(naive_sigmoid(a)) - (1 - x) * log(naive_sigmoid(-a));
    case TG_LIKELY_GAUSSIAN: return (pow(x - a, 2) / exp(b) + b + log(2 * pi)) / 2;
    case TG_LIKELY_KL: return (a * a + exp(b) - 1 - b) / 2;
    case TG_LIKELY_RATIO: return (a * a - b - x * x) / 2;
    default: break;
    }
    const double high = (x + 0.5 / 255 - a) / exp(b), low = (x - 0.5 / 255 - a) / exp(b);
    if (x < 0.5 / 255) return -log(naive_sigmoid(high));
    if (x > 254.5 / 255) return -log(naive_sigmoid(-low));
    /* on the side of the mean where the difference of sigmoids keeps its digits */
    return -log(x < a ? naive_sigmoid(high) - naive_sigmoid(low) : naive_sigmoid(-low) - naive_sigmoid(-high));
}

static void likely(probe *p)
{
    for (int kind = 0; kind <= TG_LIKELY_RATIO; kind++)
        for (int more = 0; more < 2; more++) {
            const int64_t n = p->n;
            const bool pixels = kind == TG_LIKELY_LOGISTIC, fixed = kind == TG_LIKELY_BERNOULLI || (kind == TG_LIKELY_GAUSSIAN &&
                                                                                                    more);
            float *x = probe_floats(p, n, 0, 1), *sum = probe_result(p, 1);
            const float *a = probe_floats(p, n, pixels ? 0 : -4, pixels ? 1 : 4), *b = probe_floats(p, n, pixels ? -5 : -2, 2);
            double *da, *db, want = 0;
            float *ga = probe_sum(p, n, &da), *gb = probe_sum(p, n, &db);
            for (int64_t i = 0; i < n; i++) {
                if (pixels) x[i] = i == 1 ? 0 : i == 2 ? 1 : roundf(x[i] * 255) / 255;
                const double va = (double)a[i], vb = fixed ? -0.5 : (double)b[i], vx = (double)x[i], h = 1e-5;
                want += loss_at(kind, va, vb, vx);
                da[i] = (more ? da[i] : 0) + 0.25 * (loss_at(kind, va + h, vb, vx) - loss_at(kind, va - h, vb, vx)) / (2 * h);
                db[i] = (more ? db[i] : 0) + 0.25 * (loss_at(kind, va, vb + h, vx) - loss_at(kind, va, vb - h, vx)) / (2 * h);
            }
            const float *given = kind == TG_LIKELY_KL ? NULL : x, *spread = fixed ? NULL : b;
            sum[0] = p->k->likely(kind, a, spread, given, -0.5f, n);
            p->k->likely_back(ga, NULL, kind, a, spread, given, -0.5f, 0.25f, n, more, more);
            p->k->likely_back(NULL, fixed ? NULL : gb, kind, a, spread, given, -0.5f, 0.25f, n, more, more);
            probe_check(p, sum, &want, 1, 2e-6);
            probe_check(p, ga, da, n, 2e-6);
            if (!fixed) probe_check(p, gb, db, n, 3e-6);
        }
}

/* What the generator draws one by one. */
static void normal(probe *p)
{
    tg_rng r = tg_rng_at(3, TG_RNG_NOISE, 5);
    const int64_t first = 6;
    float *y = probe_result(p, p->n);
    double *want = probe_doubles(p, p->n);
    p->k->normal(y, first, p->n, r.key, r.step);
    for (int64_t i = 0; i < first; i++) tg_rng_normal(&r);
    for (int64_t i = 0; i < p->n; i++) want[i] = (double)tg_rng_normal(&r);
    probe_check(p, y, want, p->n, 0);
}

static void reparam(probe *p)
{
    for (int more = 0; more < 2; more++) {
        const int64_t n = p->n;
        const float *m = probe_floats(p, n, -1, 1), *v = probe_floats(p, n, -3, 3), *e = probe_floats(p, n, -3, 3),
            *dz = probe_floats(p, n, -1, 1);
        float *z = probe_result(p, n);
        double *want = probe_doubles(p, n), *d;
        float *dv = probe_sum(p, n, &d);
        for (int64_t i = 0; i < n; i++) {
            want[i] = (double)m[i] + exp((double)v[i] / 2) * (double)e[i];
            d[i] = (more ? d[i] : 0) + (double)dz[i] * (double)e[i] * exp((double)v[i] / 2) / 2;
        }
        p->k->reparam(z, m, v, e, n);
        p->k->reparam_back(dv, dz, v, e, n, more);
        probe_check(p, z, want, n, 5e-7);
        probe_check(p, dv, d, n, 5e-7);
    }
}

const probe_row probe_likely[] = {
    {"likely", likely}, {"likely_back", likely}, {"normal", normal}, {"reparam", reparam}, {"reparam_back", reparam}, {NULL,
                                                                                                                       NULL},
};
