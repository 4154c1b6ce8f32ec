#include "support/naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "kernels/kernels.h"

double naive_sigmoid(double x) { return 1 / (1 + exp(-x)); }

double naive_act(double x, int act)
{
    switch (act) {
    case TG_ACT_TANH: return tanh(x);
    case TG_ACT_SIGMOID: return naive_sigmoid(x);
    case TG_ACT_RELU: return x > 0 ? x : 0;
    default: return x;
    }
}

double naive_act_slope(double y, int act)
{
    switch (act) {
    case TG_ACT_TANH: return 1 - y * y;
    case TG_ACT_SIGMOID: return y * (1 - y);
    case TG_ACT_RELU: return y > 0 ? 1 : 0;
    default: return 1;
    }
}

void naive_gemm(double *c, const naive_product *p)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            double sum = p->from ? p->from[i * p->n + j] : 0;
            for (int64_t q = 0; q < p->k; q++) sum += p->a[i * p->a_rs + q * p->a_cs] * p->b[q * p->b_rs + j * p->b_cs];
            c[i * p->n + j] = naive_act(sum + (p->bias ? p->bias[j] : 0), p->act);
        }
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static double state(const double *before, const int32_t *zero, int64_t r, int64_t j, int64_t H)
{
    return before && !(zero && zero[r]) ? before[r * H + j] : 0;
}

void naive_rnn_cell(double *h, const double *z, const double *b, int64_t rows, int64_t H, int act)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < H; j++) h[r * H + j] = naive_act(z[r * H + j] + b[j], act);
}

void naive_lstm_cell(double *h, double *c, double *tc, double *gates, const double *c_prev, const double *z,
                     const double *b, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < H; j++) {
            double *g = gates + r * 4 * H + j, before = state(c_prev, zero, r, j, H);
            for (int q = 0; q < 4; q++) {
                double x = z[r * 4 * H + q * H + j] + b[q * H + j];
                g[q * H] = q == 2 ? tanh(x) : naive_sigmoid(x);
            }
            c[r * H + j] = g[H] * before + g[0] * g[2 * H];
            tc[r * H + j] = tanh(c[r * H + j]);
            h[r * H + j] = g[3 * H] * tc[r * H + j];
        }
}

void naive_gru_cell(double *h, double *gates, double *inner, const double *hn, const double *h_prev, const double *z,
                    const double *b, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t q = 0; q < rows; q++)
        for (int64_t j = 0; j < H; j++) {
            const double *at = z + q * 3 * H + j;
            double r = naive_sigmoid(at[0] + b[j]), u = naive_sigmoid(at[H] + b[H + j]);
            double in = hn[q * H + j] + b[2 * H + j], n = tanh(at[2 * H] + r * in);
            gates[q * 3 * H + j] = r;
            gates[q * 3 * H + H + j] = u;
            gates[q * 3 * H + 2 * H + j] = n;
            inner[q * H + j] = in;
            h[q * H + j] = (1 - u) * n + u * state(h_prev, zero, q, j, H);
        }
}

void naive_rnn_back(double *dz, const double *dh, const double *h, int64_t rows, int64_t H, int act)
{
    for (int64_t i = 0; i < rows * H; i++) dz[i] = dh[i] * naive_act_slope(h[i], act);
}

void naive_lstm_back(double *dz, double *dc, const double *dh, const double *gates, const double *tc,
                     const double *c_prev, const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < H; j++) {
            const double *g = gates + r * 4 * H + j;
            double i = g[0], f = g[H], m = g[2 * H], o = g[3 * H], t = tc[r * H + j], d = dh[r * H + j];
            double cell = dc[r * H + j] + d * o * (1 - t * t), *to = dz + r * 4 * H + j;
            to[0] = cell * m * i * (1 - i);
            to[H] = cell * state(c_prev, zero, r, j, H) * f * (1 - f);
            to[2 * H] = cell * i * (1 - m * m);
            to[3 * H] = d * t * o * (1 - o);
            dc[r * H + j] = zero && zero[r] ? 0 : cell * f;
        }
}

void naive_gru_back(double *dz, double *dg, double *dh, const double *gates, const double *inner, const double *h_prev,
                    const int32_t *zero, int64_t rows, int64_t H)
{
    for (int64_t q = 0; q < rows; q++)
        for (int64_t j = 0; j < H; j++) {
            const double *g = gates + q * 3 * H + j;
            double r = g[0], u = g[H], n = g[2 * H], d = dh[q * H + j], *to = dz + q * 3 * H + j;
            double dn = d * (1 - u) * (1 - n * n), dr = dn * inner[q * H + j] * r * (1 - r);
            double du = d * (state(h_prev, zero, q, j, H) - n) * u * (1 - u);
            double *rec = dg + q * 3 * H + j;
            to[0] = rec[0] = dr;
            to[H] = rec[H] = du;
            to[2 * H] = dn;
            rec[2 * H] = dn * r;
            dh[q * H + j] = zero && zero[q] ? 0 : d * u;
        }
}

/* One row of one step; hn, z, gates and cell are scratch of 1 row. */
static void sequence_row(const naive_sequence *s, double *y, double *c, int64_t t, int64_t b, double *scratch)
{
    const int64_t H = s->H, G = s->gates, at = (t * s->B + b) * H;
    double *x = scratch, *z = x + H, *gates = z + 4 * H, *hn = gates + 4 * H, *other = hn + H;
    const double *h_prev = t ? y + at - s->B * H : s->h0 ? s->h0 + b * H : NULL;
    const double *c_prev = t ? (c ? c + at - s->B * H : NULL) : s->c0 ? s->c0 + b * H : NULL;
    const int32_t *zero = s->reset ? s->reset + t * s->B + b : NULL;
    for (int64_t j = 0; j < H; j++) x[j] = state(h_prev, zero, 0, j, H);
    for (int64_t g = 0; g < G * H; g++) {
        double sum = 0;
        for (int64_t j = 0; j < H; j++) sum += s->w_hh[g * H + j] * x[j];
        bool apart = G == 3 && g >= 2 * H; /* a gru's last product stays apart from its input */
        z[g] = s->gx[(t * s->B + b) * G * H + g] + (apart ? 0 : sum);
        if (apart) hn[g - 2 * H] = sum;
    }
    if (G == 1) naive_rnn_cell(y + at, z, s->b_hh, 1, H, s->act);
    if (G == 3) naive_gru_cell(y + at, gates, other, hn, h_prev, z, s->b_hh, zero, 1, H);
    if (G == 4) naive_lstm_cell(y + at, c + at, other, gates, c_prev, z, s->b_hh, zero, 1, H);
}

void naive_run_sequence(double *y, double *c, const naive_sequence *s)
{
    double *scratch = malloc((size_t)(11 * s->H) * sizeof *scratch);
    for (int64_t t = 0; scratch && t < s->T; t++)
        for (int64_t b = 0; b < s->B; b++) sequence_row(s, y, c, t, b, scratch);
    free(scratch);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void moments(const double *x, int64_t D, double eps, double *mean, double *inv_std)
{
    double sum = 0, squares = 0;
    for (int64_t d = 0; d < D; d++) sum += x[d];
    *mean = sum / (double)D;
    for (int64_t d = 0; d < D; d++) squares += (x[d] - *mean) * (x[d] - *mean);
    *inv_std = 1 / sqrt(squares / (double)D + eps);
}

void naive_layernorm(double *y, double *mean, double *inv_std, const double *x, const double *g, const double *b,
                     int64_t rows, int64_t D, double eps)
{
    for (int64_t r = 0; r < rows; r++) {
        moments(x + r * D, D, eps, &mean[r], &inv_std[r]);
        for (int64_t d = 0; d < D; d++) y[r * D + d] = (x[r * D + d] - mean[r]) * inv_std[r] * g[d] + b[d];
    }
}

/* dL/dx_j = sum over i of e_i·dn_i/dx_j, n_i = (x_i - mean)·s, dn_i/dx_j = s·([i = j] - 1/D - n_i·n_j/D) */
void naive_layernorm_back(double *dx, const double *dy, const double *x, const double *g, int64_t rows, int64_t D,
                          double eps)
{
    for (int64_t r = 0; r < rows; r++) {
        double mean, s;
        moments(x + r * D, D, eps, &mean, &s);
        for (int64_t j = 0; j < D; j++) {
            double sum = 0, nj = (x[r * D + j] - mean) * s;
            for (int64_t i = 0; i < D; i++) {
                double ni = (x[r * D + i] - mean) * s;
                sum += dy[r * D + i] * g[i] * s * ((i == j ? 1 : 0) - (1 + ni * nj) / (double)D);
            }
            dx[r * D + j] = sum;
        }
    }
}

void naive_layernorm_dg(double *dg, double *db, const double *dy, const double *x, int64_t rows, int64_t D, double eps)
{
    memset(dg, 0, (size_t)D * sizeof *dg);
    memset(db, 0, (size_t)D * sizeof *db);
    for (int64_t r = 0; r < rows; r++) {
        double mean, s;
        moments(x + r * D, D, eps, &mean, &s);
        for (int64_t j = 0; j < D; j++) {
            dg[j] += dy[r * D + j] * (x[r * D + j] - mean) * s;
            db[j] += dy[r * D + j];
        }
    }
}

void naive_rmsnorm(double *y, double *inv, const double *x, const double *g, int64_t rows, int64_t D, double eps)
{
    for (int64_t r = 0; r < rows; r++) {
        double squares = 0;
        for (int64_t d = 0; d < D; d++) squares += x[r * D + d] * x[r * D + d];
        inv[r] = 1 / sqrt(squares / (double)D + eps);
        for (int64_t d = 0; d < D; d++) y[r * D + d] = x[r * D + d] * inv[r] * g[d];
    }
}

/* dn_i/dx_j = s·([i = j] - n_i·n_j/D), n_i = x_i·s */
void naive_rmsnorm_back(double *dx, double *dg, const double *dy, const double *x, const double *g, int64_t rows, int64_t D,
                        double eps)
{
    memset(dg, 0, (size_t)D * sizeof *dg);
    for (int64_t r = 0; r < rows; r++, x += D, dy += D, dx += D) {
        double squares = 0;
        for (int64_t d = 0; d < D; d++) squares += x[d] * x[d];
        const double s = 1 / sqrt(squares / (double)D + eps);
        for (int64_t j = 0; j < D; j++) {
            dx[j] = 0;
            dg[j] += dy[j] * x[j] * s;
            for (int64_t i = 0; i < D; i++) dx[j] += dy[i] * g[i] * s * ((i == j ? 1 : 0) - x[i] * s * x[j] * s / (double)D);
        }
    }
}

static double naive_gelu(double x) { return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))); }
static double naive_silu(double x) { return x * naive_sigmoid(x); }

/* Slopes of the smooth ones by a central difference in double: right to 1e-9. */
static double slope_of(double (*f)(double), double x) { return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5; }

void naive_activate(double *y, double *dx, const double *dy, const double *x, int64_t rows, int64_t F, int act)
{
    for (int64_t i = 0; i < rows * F; i++) {
        const int64_t a = act == TG_ACT_SWIGLU ? i + i / F * F : i, b = a + F;
        if (act == TG_ACT_SWIGLU) {
            y[i] = naive_silu(x[a]) * x[b];
            if (dx) dx[a] = dy[i] * x[b] * slope_of(naive_silu, x[a]), dx[b] = dy[i] * naive_silu(x[a]);
        } else {
            y[i] = act == TG_ACT_GELU ? naive_gelu(x[i]) : x[i] > 0 ? x[i] * x[i] : 0;
            if (dx) dx[i] = dy[i] * (act == TG_ACT_GELU ? slope_of(naive_gelu, x[i]) : x[i] > 0 ? 2 * x[i] : 0);
        }
    }
}

void naive_rotate(double *y, const double *x, const double *g, double eps, double theta, int64_t at, double scale, int64_t D)
{
    double inv = 1;
    if (g) naive_rmsnorm(y, &inv, x, g, 1, D, eps);
    for (int64_t d = 0; d < D; d++) y[d] = scale * (g ? y[d] : x[d]);
    for (int64_t i = 0; theta > 0 && i < D / 2; i++) {
        const double angle = (double)at * pow(theta, -2 * (double)i / (double)D), a = y[i], b = y[i + D / 2];
        y[i] = a * cos(angle) - b * sin(angle);
        y[i + D / 2] = b * cos(angle) + a * sin(angle);
    }
}

/* One query of one head. scratch: 2D + T */
/* The shares p [T] of what row i = (t·B + b)·H + h sees. */
static void weigh_one(double *p, const naive_attention *a, int64_t i, double *scratch)
{
    const int64_t t = i / a->H / a->B, b = i / a->H % a->B, h = i % a->H;
    const int64_t D = a->D, W = (a->H + 2 * a->K) * D, g = a->H + h / (a->H / a->K);
    double *q = scratch, *k = q + D, top = -INFINITY, sum = 0;
    int64_t first = a->first ? a->first[t * a->B + b] : 0;
    if (first > t) first = t;
    naive_rotate(q, a->qkv + (t * a->B + b) * W + h * D, a->q_gain, a->eps, a->theta, t, 1 / sqrt((double)D), D);
    for (int64_t s = first; s <= t; s++) {
        naive_rotate(k, a->qkv + (s * a->B + b) * W + g * D, a->k_gain, a->eps, a->theta, s, 1, D);
        p[s] = 0;
        for (int64_t d = 0; d < D; d++) p[s] += q[d] * k[d];
        top = fmax(top, p[s]);
    }
    for (int64_t s = first; s <= t; s++) sum += exp(p[s] - top);
    for (int64_t s = 0; s < a->T; s++) p[s] = s < first || s > t ? 0 : exp(p[s] - top) / sum;
}

void naive_weigh(double *p, const naive_attention *a)
{
    double *scratch = malloc((size_t)(2 * a->D) * sizeof *scratch);
    for (int64_t i = 0; scratch && i < a->T * a->B * a->H; i++) weigh_one(p + i * a->T, a, i, scratch);
    free(scratch);
}

void naive_attend(double *y, const naive_attention *a)
{
    const int64_t D = a->D, W = (a->H + 2 * a->K) * D;
    double *p = malloc((size_t)(a->T * a->B * a->H * a->T) * sizeof *p);
    if (p) naive_weigh(p, a);
    for (int64_t i = 0; p && i < a->T * a->B * a->H; i++, y += D) {
        const int64_t t = i / a->H / a->B, b = i / a->H % a->B, v = a->H + a->K + i % a->H / (a->H / a->K);
        memset(y, 0, (size_t)D * sizeof *y);
        for (int64_t s = 0; s <= t; s++) /* what is not seen may be no number */
            for (int64_t d = 0; p[i * a->T + s] > 0 && d < D; d++) y[d] += p[i * a->T + s] * a->qkv[(s * a->B + b) * W + v * D + d];
    }
    free(p);
}

void naive_softmax(double *y, const double *x, int64_t rows, int64_t V)
{
    for (int64_t r = 0; r < rows; r++) {
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < V; j++) top = fmax(top, x[r * V + j]);
        for (int64_t j = 0; j < V; j++) sum += exp(x[r * V + j] - top);
        for (int64_t j = 0; j < V; j++) y[r * V + j] = exp(x[r * V + j] - top) / sum;
    }
}

void naive_softmax_loss(double *loss, double *dx, const double *x, const int32_t *target, int64_t rows, int64_t V)
{
    naive_softmax(dx, x, rows, V);
    for (int64_t r = 0; r < rows; r++) {
        if (target[r] < 0) {
            loss[r] = 0;
            memset(dx + r * V, 0, (size_t)V * sizeof *dx);
            continue;
        }
        loss[r] = -log(dx[r * V + target[r]]);
        dx[r * V + target[r]] -= 1;
    }
}

bool naive_keeps(int64_t at, const uint32_t key[2], uint64_t step, uint32_t threshold)
{
    uint64_t block = (uint64_t)at / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)(step >> 32)};
    uint32_t out[4];
    tg_philox(out, counter, key);
    return out[at % 4] >= threshold;
}

/* ---- optimisers ------------------------------------------------------------------------------------------------- */

void naive_sgd(double *w, const double *g, double *m, int64_t n, const naive_optim *o)
{
    for (int64_t i = 0; i < n; i++) {
        double grad = g[i] + o->decay * w[i], move = grad;
        if (m) {
            m[i] = o->momentum * m[i] + grad;
            move = o->nesterov ? grad + o->momentum * m[i] : m[i];
        }
        w[i] -= o->lr * move;
    }
}

void naive_rmsprop(double *w, const double *g, double *v, int64_t n, const naive_optim *o)
{
    for (int64_t i = 0; i < n; i++) {
        double grad = g[i] + o->decay * w[i];
        v[i] = o->beta2 * v[i] + (1 - o->beta2) * grad * grad;
        w[i] -= o->lr * grad / (sqrt(v[i]) + o->epsilon);
    }
}

void naive_adam(double *w, const double *g, double *m, double *v, int64_t n, const naive_optim *o, int64_t step)
{
    double correct1 = 1 - pow(o->beta1, (double)step), correct2 = 1 - pow(o->beta2, (double)step);
    for (int64_t i = 0; i < n; i++) {
        double grad = g[i] + (o->decoupled ? 0 : o->decay * w[i]);
        if (o->decoupled) w[i] -= o->lr * o->decay * w[i];
        m[i] = o->beta1 * m[i] + (1 - o->beta1) * grad;
        v[i] = o->beta2 * v[i] + (1 - o->beta2) * grad * grad;
        w[i] -= o->lr * (m[i] / correct1) / (sqrt(v[i] / correct2) + o->epsilon);
    }
}

/* x = a·x + b·(xxT)x + c·(xxT)(xxT)x, as it stands in Jordan et al. 2024 */
static void newton_schulz(double *x, int64_t rows, int64_t cols)
{
    const double factors[3] = {3.4445, -4.7750, 2.0315};
    double *power = tg_alloc_array(rows * cols, sizeof *power), *next = tg_alloc_array(rows * cols, sizeof *next);
    double *sum = tg_alloc_array(rows * cols, sizeof *sum), *s = tg_alloc_array(rows * rows, sizeof *s);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < rows; j++)
            for (int64_t k = 0; k < cols; k++) s[i * rows + j] += x[i * cols + k] * x[j * cols + k];
    memcpy(power, x, (size_t)(rows * cols) * sizeof *x);
    for (int f = 0; f < 3; f++) {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < cols; k++) {
                sum[i * cols + k] += factors[f] * power[i * cols + k];
                next[i * cols + k] = 0;
                for (int64_t j = 0; j < rows; j++) next[i * cols + k] += s[i * rows + j] * power[j * cols + k];
            }
        double *other = power;
        power = next;
        next = other;
    }
    memcpy(x, sum, (size_t)(rows * cols) * sizeof *x);
    tg_free(power);
    tg_free(next);
    tg_free(sum);
    tg_free(s);
}

void naive_muon(double *w, const double *g, double *m, int64_t rows, int64_t cols, const naive_optim *o)
{
    const int64_t n = rows * cols;
    double norm = 0, *x = tg_alloc_array(n, sizeof *x);
    for (int64_t i = 0; i < n; i++) {
        m[i] = o->momentum * m[i] + g[i];
        x[i] = o->nesterov ? g[i] + o->momentum * m[i] : m[i];
        norm += x[i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) x[i] /= sqrt(norm) + 1e-7;
    for (int i = 0; i < 5; i++) newton_schulz(x, rows, cols);
    for (int64_t i = 0; i < n; i++)
        w[i] -= o->lr * (o->decay * w[i] + 0.2 * sqrt((double)(rows > cols ? rows : cols)) * x[i]);
    tg_free(x);
}
