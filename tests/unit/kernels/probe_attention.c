/* probe_attention.c - what attention does between its products: rotation, softmax over what is seen, its gradient. Here size is
 * the number of elements of a head, or of the columns of a block. */
#include "support/naive.h"
#include "support/probe.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { ROWS = 5, GAP = 3, FEATURES = 21 };
static const float eps = 1e-2f;

static void rotate(probe *p)
{
    for (int variant = 0; variant < 4; variant++) {
        const bool turns = variant & 1, norm = variant & 2;
        const int64_t D = turns ? 2 * p->n : p->n, half = D / 2, x_rs = D + GAP;
        const float *x = probe_floats(p, ROWS * x_rs, -2, 2), *g = norm ? probe_floats(p, D, 0.5, 2) : NULL;
        float *c = probe_floats(p, ROWS * half, 0, 0), *s = probe_floats(p, ROWS * half, 0, 0), *y = probe_result(p, ROWS * D);
        double *want = probe_doubles(p, ROWS * D);
        for (int64_t i = 0; i < ROWS * half; i++) {
            const double angle = (double)(i / half) * pow(100, -2 * (double)(i % half) / (double)D);
            c[i] = (float)cos(angle), s[i] = (float)sin(angle);
        }
        for (int64_t r = 0; r < ROWS; r++)
            naive_rotate(want + r * D, probe_wide(p, x + r * x_rs, D), g ? probe_wide(p, g, D) : NULL, (double)eps,
                         turns ? 100 : 0, r, 1.7, D);
        p->k->rotate(y, D, x, x_rs, g, eps, turns ? c : NULL, turns ? s : NULL, 1.7f, D, ROWS);
        probe_check(p, y, want, ROWS * D, 2e-6);
        /* The way back is linear in dy: with one of e_j, dx is the slope of element j; here against all dy at once, <dy, J v> =
         * <dx, v> for a random v, J v by a difference of the plain loops. */
        const float *v = probe_floats(p, ROWS * D, -1, 1);
        float *dy = probe_copy(p, probe_floats(p, ROWS * D, -1, 1), ROWS * D), *dg = probe_copy(p, probe_floats(p, D, 0, 0), D);
        double *wdy = probe_wide(p, dy, ROWS * D), left = 0, right = 0, *before;
        float *dx = probe_sum(p, ROWS * x_rs, &before);
        for (int64_t r = 0; r < ROWS; r++) {
            double *up = probe_wide(p, x + r * x_rs, D), *down = probe_wide(p, x + r * x_rs, D), *a = probe_doubles(p, D),
                   *b = probe_doubles(p, D);
            for (int64_t d = 0; d < D; d++) up[d] += 1e-5 * (double)v[r * D + d], down[d] -= 1e-5 * (double)v[r * D + d];
            naive_rotate(a, up, g ? probe_wide(p, g, D) : NULL, (double)eps, turns ? 100 : 0, r, 1.7, D);
            naive_rotate(b, down, g ? probe_wide(p, g, D) : NULL, (double)eps, turns ? 100 : 0, r, 1.7, D);
            for (int64_t d = 0; d < D; d++) left += wdy[r * D + d] * (a[d] - b[d]) / 2e-5;
        }
        p->k->rotate_back(dx, x_rs, g ? dg : NULL, dy, D, x, x_rs, g, eps, turns ? c : NULL, turns ? s : NULL, 1.7f, D, ROWS, true);
        for (int64_t i = 0; i < ROWS * D; i++) {
            const int64_t at = i / D * x_rs + i % D;
            right += ((double)dx[at] - before[at]) * (double)v[i];
        }
        if (!(fabs(left - right) <= 1e-5 * (double)(ROWS * D)))
            test_failed(__FILE__, __LINE__, "rotate_back, %s, size %lld: %g, not %g", p->k->name, (long long)D, right, left);
        tg_xxh64_add(&p->bits, dx, ROWS * x_rs * (int64_t)sizeof *dx);
        tg_xxh64_add(&p->bits, dg, D * (int64_t)sizeof *dg);
    }
}

/* What rows see of n columns: all; nothing; the first; the last; a middle part. */
static void spans(tg_span *seen, int64_t n)
{
    const tg_span some[ROWS] = {{0, n}, {n / 2, n / 2}, {0, 1}, {n - 1, n}, {n / 3, n - n / 4}};
    memcpy(seen, some, sizeof some);
}

static bool sees(tg_span s, int64_t j) { return j >= s.begin && j < s.end; }

/* Two blocks of scores one after the other, then the end. */
static void attend(probe *p)
{
    const int64_t n = p->n;
    tg_span seen[2][ROWS];
    float *o = probe_copy(p, probe_floats(p, ROWS * FEATURES, 0, 0), ROWS * FEATURES), *y = probe_result(p, ROWS * FEATURES);
    float top[ROWS], sum[ROWS], *lse = probe_result(p, ROWS);
    double *want = probe_doubles(p, ROWS * FEATURES), *total = probe_doubles(p, ROWS), *want_lse = probe_doubles(p, ROWS);
    spans(seen[0], n);
    for (int r = 0; r < ROWS; r++) seen[1][r] = seen[0][ROWS - 1 - r], top[r] = -INFINITY, sum[r] = total[r] = 0;
    for (int64_t i = 0; i < ROWS * FEATURES; i++) want[i] = 0;
    for (int block = 0; block < 2; block++) {
        float *s = probe_floats(p, ROWS * n, -20, 20);
        const float *v = probe_floats(p, n * FEATURES, -1, 1);
        for (int64_t i = 0; i < ROWS * n; i++) {
            const int64_t r = i / n, j = i % n;
            if (!sees(seen[block][r], j)) {
                s[i] = NAN; /* must not be looked at */
                continue;
            }
            total[r] += exp((double)s[i]);
            for (int64_t d = 0; d < FEATURES; d++) want[r * FEATURES + d] += exp((double)s[i]) * (double)v[j * FEATURES + d];
        }
        p->k->attend(s, n, top, sum, o, FEATURES, seen[block], ROWS, FEATURES);
        for (int64_t half = 0; half < 2; half++)
            p->k->attend_some(o, FEATURES, s, n, v, FEATURES, seen[block], (tg_span){half ? n / 2 : 0, half ? n : n / 2}, ROWS,
                              FEATURES);
    }
    for (int64_t i = 0; i < ROWS * FEATURES; i++) want[i] /= total[i / FEATURES];
    for (int r = 0; r < ROWS; r++) want_lse[r] = log(total[r]);
    p->k->attend_end(y, FEATURES, lse, o, FEATURES, top, sum, ROWS, FEATURES);
    probe_check(p, y, want, ROWS * FEATURES, 3e-6);
    probe_check(p, lse, want_lse, ROWS, 1e-6);
}

static void attend_back(probe *p)
{
    const int64_t n = p->n;
    tg_span seen[ROWS];
    float *s = probe_copy(p, probe_floats(p, ROWS * n, -3, 3), ROWS * n), *d = probe_copy(p, probe_floats(p, ROWS * n, -1, 1), ROWS * n);
    const float *lse = probe_floats(p, ROWS, 2, 3), *delta = probe_floats(p, ROWS, -1, 1);
    double *want = probe_wide(p, s, ROWS * n), *want_d = probe_wide(p, d, ROWS * n);
    spans(seen, n);
    for (int64_t i = 0; i < ROWS * n; i++) {
        const int64_t r = i / n;
        want[i] = sees(seen[r], i % n) ? exp(want[i] - (double)lse[r]) : 0;
        want_d[i] = want[i] * (want_d[i] - (double)delta[r]);
        if (!sees(seen[r], i % n)) s[i] = d[i] = NAN, want_d[i] = 0;
    }
    p->k->attend_back(s, d, n, lse, delta, seen, ROWS, n);
    probe_check(p, s, want, ROWS * n, 1e-6);
    probe_check(p, d, want_d, ROWS * n, 1e-6);
}

static void row_dots(probe *p)
{
    const int64_t D = p->n;
    const float *a = probe_floats(p, ROWS * (D + GAP), -1, 1), *b = probe_floats(p, ROWS * D, -1, 1);
    float *out = probe_result(p, ROWS);
    double *want = probe_doubles(p, ROWS);
    for (int64_t r = 0; r < ROWS; r++) {
        want[r] = 0;
        for (int64_t d = 0; d < D; d++) want[r] += (double)a[r * (D + GAP) + d] * (double)b[r * D + d];
    }
    p->k->row_dots(out, a, D + GAP, b, D, D, ROWS);
    probe_check(p, out, want, ROWS, 1e-6);
}

const probe_row probe_attention[] = {
    {"rotate", rotate}, {"rotate_back", rotate}, {"attend", attend}, {"attend_some", attend}, {"attend_end", attend},
    {"attend_back", attend_back}, {"row_dots", row_dots}, {NULL, NULL},
};
