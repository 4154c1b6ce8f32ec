/* naive.h - what every kernel computes, as plain loops in double, from the formulas and not from the kernels. All
 * arrays are row-major without gaps. Activations by number as in kernels.h. NULL inputs mean what they mean there. */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include <stdbool.h>
#include <stdint.h>

double naive_sigmoid(double x);
double naive_act(double x, int act);
double naive_act_slope(double y, int act); /* from the activation's result */

/* c[m, n] = act(from + A·B + bias); element (i, p) of A at a[i*a_rs + p*a_cs] */
typedef struct naive_product {
    int64_t m, n, k;
    const double *a; int64_t a_rs, a_cs;
    const double *b; int64_t b_rs, b_cs;
    const double *from, *bias; /* [m, n], [n]; or NULL */
    int act;
} naive_product;
void naive_gemm(double *c, const naive_product *p);

/* One step of rows: z [rows, G·H] before bias (gru: r, z parts with the product, n part the input's alone). */
void naive_rnn_cell(double *h, const double *z, const double *b, int64_t rows, int64_t H, int act);
void naive_lstm_cell(double *h, double *c, double *tc, double *gates, const double *c_prev, const double *z,
                     const double *b, const int32_t *zero, int64_t rows, int64_t H);
/* hn: w_hn·h before bias; inner: with it */
void naive_gru_cell(double *h, double *gates, double *inner, const double *hn, const double *h_prev, const double *z,
                    const double *b, const int32_t *zero, int64_t rows, int64_t H);
void naive_rnn_back(double *dz, const double *dh, const double *h, int64_t rows, int64_t H, int act);
void naive_lstm_back(double *dz, double *dc, const double *dh, const double *gates, const double *tc,
                     const double *c_prev, const int32_t *zero, int64_t rows, int64_t H);
void naive_gru_back(double *dz, double *dg, double *dh, const double *gates, const double *inner, const double *h_prev,
                    const int32_t *zero, int64_t rows, int64_t H);

/* A whole sequence: gates 1 (rnn), 3 (gru) or 4 (lstm); c only for an lstm. */
typedef struct naive_sequence {
    int gates, act;
    int64_t T, B, H;
    const double *gx, *w_hh, *b_hh, *h0, *c0;
    const int32_t *reset;
} naive_sequence;
void naive_run_sequence(double *y, double *c, const naive_sequence *s);

void naive_layernorm(double *y, double *mean, double *inv_std, const double *x, const double *g, const double *b,
                     int64_t rows, int64_t D, double eps);
void naive_layernorm_back(double *dx, const double *dy, const double *x, const double *g, int64_t rows, int64_t D,
                          double eps);
void naive_layernorm_dg(double *dg, double *db, const double *dy, const double *x, int64_t rows, int64_t D, double eps);
void naive_rmsnorm(double *y, double *inv, const double *x, const double *g, int64_t rows, int64_t D, double eps);
void naive_rmsnorm_back(double *dx, double *dg, const double *dy, const double *x, const double *g, int64_t rows, int64_t D,
                        double eps); /* dg, dx overwritten */

/* gelu, relu2: rows of F; swiglu: x rows of 2F. dx by the slopes' formulas; dx NULL: not wanted */
void naive_activate(double *y, double *dx, const double *dy, const double *x, int64_t rows, int64_t F, int act);

/* One head: norm with gain g (NULL: none), rotation as position `at` (theta 0: none), times scale. */
void naive_rotate(double *y, const double *x, const double *g, double eps, double theta, int64_t at, double scale, int64_t D);

typedef struct naive_attention {
    int64_t T, B, H, K, D;
    double theta, eps;
    const double *qkv, *q_gain, *k_gain;
    const int32_t *first;
} naive_attention;
void naive_attend(double *y, const naive_attention *a); /* [T, B, H·D] */
void naive_weigh(double *p, const naive_attention *a);  /* [T, B, H, T] shares of what each position sees */

void naive_softmax(double *y, const double *x, int64_t rows, int64_t V);
void naive_softmax_loss(double *loss, double *dx, const double *x, const int32_t *target, int64_t rows, int64_t V);

/* The mask of dropout element `at`, from Philox alone. */
bool naive_keeps(int64_t at, const uint32_t key[2], uint64_t step, uint32_t threshold);

/* Optimisers over n elements, PyTorch's formulas; step counts from 1. */
typedef struct naive_optim {
    double lr, momentum, beta1, beta2, epsilon, decay;
    bool nesterov, decoupled;
} naive_optim;
void naive_sgd(double *w, const double *g, double *m, int64_t n, const naive_optim *o);
void naive_rmsprop(double *w, const double *g, double *v, int64_t n, const naive_optim *o);
/* One matrix; o->lr is the matrices' own rate. */
void naive_muon(double *w, const double *g, double *m, int64_t rows, int64_t cols, const naive_optim *o);
void naive_adam(double *w, const double *g, double *m, double *v, int64_t n, const naive_optim *o, int64_t step);

#endif
