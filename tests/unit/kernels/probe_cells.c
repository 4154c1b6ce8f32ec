/* probe_cells.c - one step of each recurrent cell, forward and backward. */
#include "support/naive.h"
#include "support/probe.h"

#include <math.h>
#include <stddef.h>

#include "test.h"

enum { ROWS = 5 };
static const double tolerance = 2e-6;

/* Variants of the state before: none; there; there, but some rows start anew. */
static const float *state_before(probe *p, int variant, const int32_t **zero)
{
    const float *state = probe_floats(p, ROWS * p->n, -1, 1);
    const int32_t *starts = probe_ids(p, ROWS, 0, 2);
    *zero = variant == 2 ? starts : NULL;
    return variant ? state : NULL;
}

/* What comes back through time in one probe and, decayed until some of the results are below 2^-95, in another. */
static const double decays[] = {1, 1e-27};

/* Gradients as in plain loops; those below 2^-95 are 0. Right at it rounding decides. */
static void check_back(probe *p, const float *got, double *want, int64_t n, double decay)
{
    const double least = 0x1p-95;
    if (decay == 1) {
        probe_check(p, got, want, n, tolerance);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const double size = fabs(want[i]), off = fabs((double)got[i] - want[i]);
        if (size < 0.999 * least ? got[i] != 0 : size > 1.001 * least && !(off < 1e-4 * size))
            test_failed(__FILE__, __LINE__, "%s, %s, size %lld: [%lld] is %.9g, for %.9g", p->kernel, p->k->name, (long long)p->n,
                        (long long)i, (double)got[i], want[i]);
        want[i] = (double)got[i];
    }
    probe_check(p, got, want, n, tolerance); /* bits, and what lies behind */
}

/* States of shut gates. */
static void check_flushed(const probe *p, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (x[i] != 0 && fabsf(x[i]) < 0x1p-95f)
            test_failed(__FILE__, __LINE__, "%s, %s: [%lld] is %.9g, not 0", p->kernel, p->k->name, (long long)i, (double)x[i]);
}

static void rnn_cell(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int act = TG_ACT_TANH; act <= TG_ACT_RELU; act += 2) {
        const float *z = probe_floats(p, all, -3, 3), *b = probe_floats(p, H, -1, 1);
        float *h = probe_result(p, all);
        double *want = probe_doubles(p, all);
        p->k->rnn_cell(h, H, z, H, b, ROWS, H, act);
        naive_rnn_cell(want, probe_wide(p, z, all), probe_wide(p, b, H), ROWS, H, act);
        probe_check(p, h, want, all, tolerance);
    }
}

static void rnn_cell_back(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int variant = 0; variant < 4; variant++) {
        const int act = variant % 2 ? TG_ACT_RELU : TG_ACT_TANH;
        const double decay = decays[variant / 2];
        const float *dh = probe_floats(p, all, -decay, decay), *h = probe_floats(p, all, -1, 1);
        float *dz = probe_result(p, all);
        double *want = probe_doubles(p, all);
        p->k->rnn_cell_back(dz, H, dh, h, H, ROWS, H, act);
        naive_rnn_back(want, probe_wide(p, dh, all), probe_wide(p, h, all), ROWS, H, act);
        check_back(p, dz, want, all, decay);
    }
}

static void lstm_cell(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int variant = 0; variant < 6; variant++) {
        const int32_t *zero;
        const float *before = state_before(p, variant % 3, &zero), *b = probe_floats(p, 4 * H, -1, 1);
        float *z = probe_copy(p, probe_floats(p, 4 * all, variant < 3 ? -3 : -90, 3), 4 * all), *h = probe_result(p, all);
        float *c = probe_result(p, all), *tc = probe_result(p, all);
        double *gates = probe_doubles(p, 4 * all), *wh = probe_doubles(p, all);
        double *wc = probe_doubles(p, all), *wtc = probe_doubles(p, all);
        naive_lstm_cell(wh, wc, wtc, gates, before ? probe_wide(p, before, all) : NULL, probe_wide(p, z, 4 * all),
                        probe_wide(p, b, 4 * H), zero, ROWS, H);
        p->k->lstm_cell(h, H, c, tc, before, z, 4 * H, b, zero, ROWS, H);
        probe_check(p, z, gates, 4 * all, tolerance);
        probe_check(p, c, wc, all, tolerance);
        probe_check(p, tc, wtc, all, tolerance);
        probe_check(p, h, wh, all, tolerance);
        check_flushed(p, c, all);
        check_flushed(p, h, all);
    }
}

static void lstm_cell_back(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int variant = 0; variant < 6; variant++) {
        const int32_t *zero;
        const double decay = decays[variant / 3];
        const float *before = state_before(p, variant % 3, &zero), *dh = probe_floats(p, all, -decay, decay);
        const float *gates = probe_floats(p, 4 * all, 0, 1), *tc = probe_floats(p, all, -1, 1);
        float *dc = probe_copy(p, probe_floats(p, all, -decay, decay), all), *dz = probe_result(p, 4 * all);
        double *want_dc = probe_wide(p, dc, all), *want = probe_doubles(p, 4 * all);
        naive_lstm_back(want, want_dc, probe_wide(p, dh, all), probe_wide(p, gates, 4 * all), probe_wide(p, tc, all),
                        before ? probe_wide(p, before, all) : NULL, zero, ROWS, H);
        p->k->lstm_cell_back(dz, 4 * H, dc, dh, gates, 4 * H, tc, before, zero, ROWS, H);
        check_back(p, dz, want, 4 * all, decay);
        check_back(p, dc, want_dc, all, decay);
    }
}

static void gru_cell(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int variant = 0; variant < 6; variant++) {
        const int32_t *zero;
        const float *before = state_before(p, variant % 3, &zero), *b = probe_floats(p, 3 * H, -1, 1);
        float *z = probe_copy(p, probe_floats(p, 3 * all, -3, 3), 3 * all);
        float *hn = probe_copy(p, probe_floats(p, all, -2, 2), all), *h = probe_result(p, all);
        double *gates = probe_doubles(p, 3 * all), *inner = probe_doubles(p, all), *wh = probe_doubles(p, all);
        naive_gru_cell(wh, gates, inner, probe_wide(p, hn, all), before ? probe_wide(p, before, all) : NULL,
                       probe_wide(p, z, 3 * all), probe_wide(p, b, 3 * H), zero, ROWS, H);
        p->k->gru_cell(h, H, z, 3 * H, hn, before, H, b, zero, ROWS, H);
        probe_check(p, z, gates, 3 * all, tolerance);
        probe_check(p, hn, inner, all, tolerance);
        probe_check(p, h, wh, all, tolerance);
        check_flushed(p, h, all);
    }
}

static void gru_cell_back(probe *p)
{
    int64_t H = p->n, all = ROWS * H;
    for (int variant = 0; variant < 6; variant++) {
        const int32_t *zero;
        const double decay = decays[variant / 3];
        const float *before = state_before(p, variant % 3, &zero), *gates = probe_floats(p, 3 * all, 0, 1);
        const float *inner = probe_floats(p, all, -2, 2);
        float *dh = probe_copy(p, probe_floats(p, all, -decay, decay), all);
        float *dz = probe_result(p, 3 * all), *dg = probe_result(p, 3 * all);
        double *want = probe_doubles(p, 3 * all), *want_g = probe_doubles(p, 3 * all), *want_h = probe_wide(p, dh, all);
        naive_gru_back(want, want_g, want_h, probe_wide(p, gates, 3 * all), probe_wide(p, inner, all),
                       before ? probe_wide(p, before, all) : NULL, zero, ROWS, H);
        p->k->gru_cell_back(dz, 3 * H, dg, 3 * H, dh, gates, 3 * H, inner, before, H, zero, ROWS, H);
        check_back(p, dz, want, 3 * all, decay);
        check_back(p, dg, want_g, 3 * all, decay);
        check_back(p, dh, want_h, all, decay);
    }
}

const probe_row probe_cells[] = {{"rnn_cell", rnn_cell},   {"rnn_cell_back", rnn_cell_back},
                                 {"lstm_cell", lstm_cell}, {"lstm_cell_back", lstm_cell_back},
                                 {"gru_cell", gru_cell},   {"gru_cell_back", gru_cell_back},
                                 {NULL, NULL}};
