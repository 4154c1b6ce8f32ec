/* probe_elements.c - kernels over elements and rows, losses, optimisers. */
#include "support/naive.h"
#include "support/probe.h"
#include "test.h"

#include <math.h>

enum { ROWS = 7 };

/* ---- maps ------------------------------------------------------------------------------------------------------- */

static void check_map(probe *p, void (*map)(float *, const float *, int64_t), double (*want)(double), double low,
                      double high)
{
    const float *x = probe_floats(p, p->n, low, high);
    float *y = probe_result(p, p->n);
    double *w = probe_doubles(p, p->n);
    for (int64_t i = 0; i < p->n; i++) w[i] = want((double)x[i]);
    map(y, x, p->n);
    probe_check(p, y, w, p->n, 3e-7);
}

static void map_exp(probe *p) { check_map(p, p->k->map_exp, exp, -20, 5); }
static void map_log(probe *p) { check_map(p, p->k->map_log, log, 1e-3, 50); }
static void map_tanh(probe *p) { check_map(p, p->k->map_tanh, tanh, -6, 6); }
static void map_sigmoid(probe *p) { check_map(p, p->k->map_sigmoid, naive_sigmoid, -12, 12); }
static void map_sin(probe *p) { check_map(p, p->k->map_sin, sin, -100, 100); }
static void map_cos(probe *p) { check_map(p, p->k->map_cos, cos, -100, 100); }
static void map_erf(probe *p) { check_map(p, p->k->map_erf, erf, -4, 4); }

static void add(probe *p)
{
    const float *a = probe_floats(p, p->n, -1, 1), *b = probe_floats(p, p->n, -1, 1);
    float *y = probe_result(p, p->n);
    double *w = probe_doubles(p, p->n);
    for (int64_t i = 0; i < p->n; i++) w[i] = (double)a[i] + (double)b[i];
    p->k->add(y, a, b, p->n);
    probe_check(p, y, w, p->n, 1e-7);
}

static void accumulate(probe *p)
{
    for (int more = 0; more < 2; more++) {
        const float *x = probe_floats(p, p->n, -1, 1);
        double *w;
        float *y = probe_sum(p, p->n, &w);
        for (int64_t i = 0; i < p->n; i++) w[i] = (more ? w[i] : 0) + (double)x[i];
        p->k->accumulate(y, x, p->n, more);
        probe_check(p, y, w, p->n, 1e-7);
    }
}

static void scale(probe *p)
{
    for (int more = 0; more < 2; more++) {
        const float *x = probe_floats(p, p->n, -1, 1);
        double *w;
        float *y = probe_sum(p, p->n, &w);
        for (int64_t i = 0; i < p->n; i++) w[i] = (more ? w[i] : 0) + (double)x[i] * (double)1.7f;
        p->k->scale(y, x, 1.7f, p->n, more);
        probe_check(p, y, w, p->n, 2e-7);
    }
}

static void act_back(probe *p)
{
    for (int act = 0; act <= TG_ACT_RELU; act++)
        for (int more = 0; more < 2; more++) {
            const float *dy = probe_floats(p, p->n, -1, 1), *y = probe_floats(p, p->n, -1, 1);
            double *w;
            float *dx = probe_sum(p, p->n, &w);
            for (int64_t i = 0; i < p->n; i++)
                w[i] = (more ? w[i] : 0) + (double)dy[i] * naive_act_slope((double)y[i], act);
            p->k->act_back(dx, dy, y, p->n, act, more);
            probe_check(p, dx, w, p->n, 3e-7);
        }
}

static void activate(probe *p)
{
    enum { LINES = 3 };
    for (int act = TG_ACT_GELU; act <= TG_ACT_SWIGLU; act++)
        for (int more = 0; more < 2; more++) {
            const int64_t F = p->n, n = LINES * F, in = act == TG_ACT_SWIGLU ? 2 * n : n;
            const float *x = probe_floats(p, in, -6, 6), *dy = probe_floats(p, n, -1, 1);
            float *y = probe_result(p, n);
            double *want = probe_doubles(p, n), *want_dx = probe_doubles(p, in), *before;
            float *dx = probe_sum(p, in, &before);
            naive_activate(want, want_dx, probe_wide(p, dy, n), probe_wide(p, x, in), LINES, F, act);
            for (int64_t i = 0; more && i < in; i++) want_dx[i] += before[i];
            for (int64_t at = 0; at < LINES; at += 2) { /* in pieces */
                const tg_span rows = {at, at + 2 < LINES ? at + 2 : LINES};
                p->k->activate(y, x, F, act, rows);
                p->k->activate_back(dx, dy, x, F, act, rows, more);
            }
            probe_check(p, y, want, n, 1e-6);
            probe_check(p, dx, want_dx, in, 3e-6); /* 1 - tanh² cancels, times a slope of some ten */
        }
}

/* From a place inside the stream, in one piece and in two. */
static void dropout(probe *p)
{
    static const uint32_t key[2] = {0x12345678u, 0x9abcdef0u};
    const uint64_t step = UINT64_C(0x100000007);
    const uint32_t threshold = 0x4ccccccdu; /* 0.3 */
    const int64_t first = (INT64_C(1) << 40) + 5, half = p->n / 2;
    for (int more = 0; more < 2; more++) {
        const float *x = probe_floats(p, p->n, 1, 2);
        double *w;
        float *y = probe_sum(p, p->n, &w);
        for (int64_t i = 0; i < p->n; i++) {
            bool keeps = naive_keeps(first + i, key, step, threshold);
            w[i] = (more ? w[i] : 0) + (keeps ? (double)x[i] * 1.25 : 0);
        }
        p->k->dropout(y, x, first, half, key, step, threshold, 1.25f, more);
        p->k->dropout(y + half, x + half, first + half, p->n - half, key, step, threshold, 1.25f, more);
        probe_check(p, y, w, p->n, 2e-7);
    }
}

static void sums(probe *p)
{
    for (int squares = 0; squares < 2; squares++) {
        const float *x = probe_floats(p, p->n, -1, 1);
        float *y = probe_result(p, 1);
        double w = 0;
        for (int64_t i = 0; i < p->n; i++) w += (double)x[i] * (squares ? (double)x[i] : 1);
        *y = squares ? p->k->sum_squares(x, p->n) : p->k->sum(x, p->n);
        probe_check(p, y, &w, 1, 1e-6);
    }
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

enum { V = 11 };
static const tg_span some = {0, 3}, others = {3, ROWS};

static void gather(probe *p)
{
    int64_t D = p->n;
    const float *table = probe_floats(p, V * D, -1, 1);
    const int32_t *ids = probe_ids(p, ROWS, 0, V);
    float *y = probe_result(p, ROWS * D);
    double *w = probe_doubles(p, ROWS * D);
    for (int64_t i = 0; i < ROWS * D; i++) w[i] = (double)table[ids[i / D] * D + i % D];
    p->k->gather(y, table, ids, D, some);
    p->k->gather(y, table, ids, D, others);
    probe_check(p, y, w, ROWS * D, 0);
}

static void scatter_add(probe *p)
{
    int64_t D = p->n, half = D / 2;
    for (int more = 0; more < 2; more++) {
        const float *dy = probe_floats(p, ROWS * D, -1, 1);
        const int32_t *ids = probe_ids(p, ROWS, 0, 4); /* some repeat */
        double *w;
        float *table = probe_sum(p, V * D, &w);
        for (int64_t i = 0; !more && i < V * D; i++) w[i] = 0;
        for (int64_t i = 0; i < ROWS * D; i++) w[ids[i / D] * D + i % D] += (double)dy[i];
        p->k->scatter_add(table, V, dy, ids, ROWS, D, (tg_span){0, half}, more);
        p->k->scatter_add(table, V, dy, ids, ROWS, D, (tg_span){half, D}, more);
        probe_check(p, table, w, V * D, 3e-7);
    }
}

static void column_sum(probe *p)
{
    int64_t D = p->n, half = D / 2, stride = D + 3;
    for (int more = 0; more < 2; more++) {
        const float *x = probe_floats(p, ROWS * stride, -1, 1);
        double *w;
        float *out = probe_sum(p, D, &w);
        for (int64_t j = 0; j < D; j++) {
            if (!more) w[j] = 0;
            for (int64_t r = 0; r < ROWS; r++) w[j] += (double)x[r * stride + j];
        }
        p->k->column_sum(out, x, stride, ROWS, (tg_span){0, half}, more);
        p->k->column_sum(out, x, stride, ROWS, (tg_span){half, D}, more);
        probe_check(p, out, w, D, 5e-7);
    }
}

static const float eps = 1e-3f; /* large enough for rows of one element */

static void layernorm(probe *p)
{
    int64_t D = p->n;
    const float *x = probe_floats(p, ROWS * D, -2, 3), *g = probe_floats(p, D, 0.5, 2), *b = probe_floats(p, D, -1, 1);
    float *y = probe_result(p, ROWS * D), *mean = probe_result(p, ROWS), *inv = probe_result(p, ROWS);
    double *wy = probe_doubles(p, ROWS * D), *wm = probe_doubles(p, ROWS), *wi = probe_doubles(p, ROWS);
    naive_layernorm(wy, wm, wi, probe_wide(p, x, ROWS * D), probe_wide(p, g, D), probe_wide(p, b, D), ROWS, D,
                    (double)eps);
    p->k->layernorm(y, mean, inv, x, g, b, D, eps, some);
    p->k->layernorm(y, mean, inv, x, g, b, D, eps, others);
    probe_check(p, mean, wm, ROWS, 1e-6);
    probe_check(p, inv, wi, ROWS, 1e-6);
    probe_check(p, y, wy, ROWS * D, 3e-6);
}

static void layernorm_back(probe *p)
{
    int64_t D = p->n;
    const float *x = probe_floats(p, ROWS * D, -2, 3), *g = probe_floats(p, D, 0.5, 2);
    const float *dy = probe_floats(p, ROWS * D, -1, 1);
    float *y = probe_result(p, ROWS * D), *mean = probe_result(p, ROWS), *inv = probe_result(p, ROWS);
    const double *wx = probe_wide(p, x, ROWS * D), *wdy = probe_wide(p, dy, ROWS * D);
    double *want = probe_doubles(p, ROWS * D), *wg = probe_doubles(p, D), *wb = probe_doubles(p, D), *before;
    p->k->layernorm(y, mean, inv, x, g, g, D, eps, (tg_span){0, ROWS});
    for (int more = 0; more < 2; more++) {
        float *dx = probe_sum(p, ROWS * D, &before);
        naive_layernorm_back(want, wdy, wx, probe_wide(p, g, D), ROWS, D, (double)eps);
        for (int64_t i = 0; more && i < ROWS * D; i++) want[i] += before[i];
        p->k->layernorm_back(dx, dy, x, g, mean, inv, D, some, more);
        p->k->layernorm_back(dx, dy, x, g, mean, inv, D, others, more);
        probe_check(p, dx, want, ROWS * D, 5e-6);
        double *dg0, *db0;
        float *dg = probe_sum(p, D, &dg0), *db = probe_sum(p, D, &db0);
        naive_layernorm_dg(wg, wb, wdy, wx, ROWS, D, (double)eps);
        for (int64_t j = 0; more && j < D; j++) wg[j] += dg0[j], wb[j] += db0[j];
        p->k->layernorm_dg(dg, db, dy, x, mean, inv, ROWS, D, (tg_span){0, D / 2}, more);
        p->k->layernorm_dg(dg, db, dy, x, mean, inv, ROWS, D, (tg_span){D / 2, D}, more);
        probe_check(p, dg, wg, D, 5e-6);
        probe_check(p, db, wb, D, 1e-6);
    }
}

static void rmsnorm(probe *p)
{
    int64_t D = p->n;
    const float *x = probe_floats(p, ROWS * D, -2, 3), *g = probe_floats(p, D, 0.5, 2), *dy = probe_floats(p, ROWS * D, -1, 1);
    float *y = probe_result(p, ROWS * D), *inv = probe_result(p, ROWS);
    double *wy = probe_doubles(p, ROWS * D), *wi = probe_doubles(p, ROWS), *before;
    const double *wx = probe_wide(p, x, ROWS * D), *wgain = probe_wide(p, g, D);
    naive_rmsnorm(wy, wi, wx, wgain, ROWS, D, (double)eps);
    p->k->rmsnorm(y, inv, x, g, D, eps, some);
    p->k->rmsnorm(y, inv, x, g, D, eps, others);
    probe_check(p, inv, wi, ROWS, 1e-6);
    probe_check(p, y, wy, ROWS * D, 3e-6);
    for (int more = 0; more < 2; more++) {
        float *dx = probe_sum(p, ROWS * D, &before);
        double *want = probe_doubles(p, ROWS * D), *wg = probe_doubles(p, D), *dg0;
        naive_rmsnorm_back(want, wg, probe_wide(p, dy, ROWS * D), wx, wgain, ROWS, D, (double)eps);
        for (int64_t i = 0; more && i < ROWS * D; i++) want[i] += before[i];
        p->k->rmsnorm_back(dx, dy, x, g, inv, D, some, more);
        p->k->rmsnorm_back(dx, dy, x, g, inv, D, others, more);
        probe_check(p, dx, want, ROWS * D, 5e-6);
        float *dg = probe_sum(p, D, &dg0);
        for (int64_t j = 0; more && j < D; j++) wg[j] += dg0[j];
        p->k->rmsnorm_dg(dg, dy, x, inv, ROWS, D, (tg_span){0, D / 2}, more);
        p->k->rmsnorm_dg(dg, dy, x, inv, ROWS, D, (tg_span){D / 2, D}, more);
        probe_check(p, dg, wg, D, 5e-6);
    }
}

static void softmax(probe *p)
{
    int64_t K = p->n;
    const float *x = probe_floats(p, ROWS * K, -30, 10);
    float *y = probe_result(p, ROWS * K);
    double *w = probe_doubles(p, ROWS * K);
    naive_softmax(w, probe_wide(p, x, ROWS * K), ROWS, K);
    p->k->softmax(y, x, K, some);
    p->k->softmax(y, x, K, others);
    probe_check(p, y, w, ROWS * K, 5e-7);
}

/* Without dx, with it, and with dx where x is. */
static void softmax_loss(probe *p)
{
    int64_t K = p->n;
    const float *x = probe_floats(p, ROWS * K, -90, 10);
    int32_t *target = probe_ids(p, ROWS, 0, K);
    float *loss = probe_result(p, ROWS), *dx = probe_result(p, ROWS * K), *same = probe_copy(p, x, ROWS * K);
    double *wl = probe_doubles(p, ROWS), *wd = probe_doubles(p, ROWS * K);
    target[2] = target[5] = -1;
    naive_softmax_loss(wl, wd, probe_wide(p, x, ROWS * K), target, ROWS, K);
    p->k->softmax_loss(loss, NULL, x, target, K, some);
    p->k->softmax_loss(loss, NULL, x, target, K, others);
    probe_check(p, loss, wl, ROWS, 5e-7);
    p->k->softmax_loss(loss, dx, x, target, K, (tg_span){0, ROWS});
    probe_check(p, loss, wl, ROWS, 5e-7);
    probe_check(p, dx, wd, ROWS * K, 5e-7);
    for (int64_t i = 0; i < ROWS * K; i++) CHECK(dx[i] == 0 || fabsf(dx[i]) >= 0x1p-95f);
    p->k->softmax_loss(loss, same, same, target, K, (tg_span){0, ROWS});
    CHECK_BYTES(same, dx, ROWS * K * (int64_t)sizeof *dx);
}

/* ---- optimisers: three steps each ------------------------------------------------------------------------------- */

enum { STEPS = 3 };
static const float gs = 0.5f, lr = 0.1f;

typedef struct weights { float *w, *m, *v; double *ww, *wm, *wv; } weights;

static weights start(probe *p)
{
    int64_t n = p->n;
    weights x = {.w = probe_copy(p, probe_floats(p, n, -1, 1), n), .m = probe_result(p, n), .v = probe_result(p, n)};
    for (int64_t i = 0; i < n; i++) x.m[i] = x.v[i] = 0;
    x.ww = probe_wide(p, x.w, n);
    x.wm = probe_wide(p, x.m, n);
    x.wv = probe_wide(p, x.v, n);
    return x;
}

/* Gradients, and what the formulas see of them. */
static const float *gradients(probe *p, double **scaled)
{
    const float *g = probe_floats(p, p->n, -1, 1);
    *scaled = probe_wide(p, g, p->n);
    for (int64_t i = 0; i < p->n; i++) (*scaled)[i] *= (double)gs;
    return g;
}

static void sgd(probe *p)
{
    static const struct { float mu, wd; bool nesterov; } v[] = {{0, 0.1f, false}, {0.9f, 0, false}, {0.9f, 0.1f, true}};
    for (int i = 0; i < 3; i++) {
        weights x = start(p);
        naive_optim o = {.lr = (double)lr, .momentum = (double)v[i].mu, .decay = (double)v[i].wd,
                         .nesterov = v[i].nesterov};
        for (int s = 0; s < STEPS; s++) {
            double *wg;
            const float *g = gradients(p, &wg);
            p->k->sgd(x.w, g, v[i].mu > 0 ? x.m : NULL, p->n, gs, lr, v[i].mu, v[i].nesterov, v[i].wd);
            naive_sgd(x.ww, wg, v[i].mu > 0 ? x.wm : NULL, p->n, &o);
        }
        probe_check(p, x.w, x.ww, p->n, 1e-6);
        probe_check(p, x.m, x.wm, p->n, 1e-6);
    }
}

static void rmsprop(probe *p)
{
    weights x = start(p);
    naive_optim o = {.lr = (double)lr, .beta2 = 0.875, .epsilon = (double)1e-3f, .decay = (double)0.1f};
    for (int s = 0; s < STEPS; s++) {
        double *wg;
        const float *g = gradients(p, &wg);
        p->k->rmsprop(x.w, g, x.v, p->n, gs, lr, 0.875f, 1e-3f, 0.1f);
        naive_rmsprop(x.ww, wg, x.wv, p->n, &o);
    }
    probe_check(p, x.w, x.ww, p->n, 2e-6);
    probe_check(p, x.v, x.wv, p->n, 1e-6);
}

/* Betas are exact in binary, so that rounding of 1 - beta does not hide a wrong formula. */
static void adam(probe *p)
{
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        weights x = start(p);
        naive_optim o = {.lr = (double)lr, .beta1 = 0.875, .beta2 = 0.96875, .epsilon = (double)1e-3f,
                         .decay = (double)0.1f, .decoupled = decoupled};
        for (int s = 1; s <= STEPS; s++) {
            double *wg;
            const float *g = gradients(p, &wg);
            float rate = (float)((double)lr / (1 - pow(0.875, s))), root = (float)(1 / sqrt(1 - pow(0.96875, s)));
            p->k->adam(x.w, g, x.m, x.v, p->n, gs, rate, 0.875f, 0.96875f, 1e-3f, root, decoupled ? 0 : 0.1f,
                       decoupled ? 1 - lr * 0.1f : 1);
            naive_adam(x.ww, wg, x.wm, x.wv, p->n, &o, s);
        }
        probe_check(p, x.w, x.ww, p->n, 2e-6);
        probe_check(p, x.m, x.wm, p->n, 1e-6);
        probe_check(p, x.v, x.wv, p->n, 1e-6);
    }
}

static void ema(probe *p)
{
    const float *w = probe_floats(p, p->n, -1, 1);
    double *want;
    float *a = probe_sum(p, p->n, &want);
    for (int64_t i = 0; i < p->n; i++) want[i] += (double)0.01f * ((double)w[i] - want[i]);
    p->k->ema(a, w, p->n, 0.01f);
    probe_check(p, a, want, p->n, 2e-7);
}

const probe_row probe_elements[] = {
    {"map_exp", map_exp}, {"map_log", map_log}, {"map_tanh", map_tanh}, {"map_sigmoid", map_sigmoid},
    {"map_sin", map_sin}, {"map_cos", map_cos}, {"map_erf", map_erf}, {"add", add}, {"accumulate", accumulate},
    {"scale", scale}, {"act_back", act_back}, {"dropout", dropout}, {"sum", sums}, {"sum_squares", sums},
    {"gather", gather}, {"scatter_add", scatter_add}, {"column_sum", column_sum}, {"layernorm", layernorm},
    {"layernorm_back", layernorm_back}, {"layernorm_dg", layernorm_back}, {"softmax", softmax},
    {"softmax_loss", softmax_loss}, {"activate", activate}, {"activate_back", activate}, {"rmsnorm", rmsnorm},
    {"rmsnorm_back", rmsnorm}, {"rmsnorm_dg", rmsnorm}, {"sgd", sgd}, {"rmsprop", rmsprop}, {"adam", adam}, {"ema", ema}, {NULL, NULL},
};
