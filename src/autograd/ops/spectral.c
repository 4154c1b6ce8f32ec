/*
 * spectral.c - a weight divided by its largest singular value, as power iteration knows it: W [O, I] being the weight with all
 * axes but the first as one, v = Wᵀu/|Wᵀu|, u = Wv/|Wv| once a training step, sigma = u·Wv. u and v are buffers, and constants in
 * backward: dW = dY/sigma - (dY·W)/sigma²·u·vᵀ.
 */
#include <math.h>

#include "autograd/tape.h"

enum { W, U, V };                       /* inputs */
enum { SIGMA, SCRATCH, SUMS, DOTS };    /* buffers */

static int64_t high_of(const tg_node *n) { return n->in[W]->shape.dims[0]; }
static int64_t wide_of(const tg_node *n) { return tg_shape_count(&n->in[W]->shape) / high_of(n); }

/* out = W·v, or Wᵀ·u */
static tg_gemm product(const tg_node *n, const float *x, bool transposed, float *out)
{
    const int64_t O = high_of(n), I = wide_of(n);
    return (tg_gemm){.m = 1, .n = transposed ? I : O, .k = transposed ? O : I, .a = x, .a_rs = transposed ? O : I, .a_cs = 1,
                     .b = n->in[W]->data, .b_rs = transposed ? I : 1, .b_cs = transposed ? 1 : I, .c = out,
                     .c_rs = transposed ? I : O};
}

static tg_status spectral_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    const tg_tensor *w = n->in[W];
    if (w->dtype != TG_F32 || w->shape.rank < 2)
        return tg_fail(TG_EINVAL, "spectral_norm: w must have two axes or more, not be %s", tg_shape_text(&w->shape, text));
    const int64_t O = high_of(n), I = wide_of(n), most = O > I ? O : I;
    if (tg_shape_count(&n->in[U]->shape) != O || tg_shape_count(&n->in[V]->shape) != I)
        return tg_fail(TG_EINVAL, "spectral_norm: w %s wants u [%lld] and v [%lld]", tg_shape_text(&w->shape, text), (long long)O,
                       (long long)I);
    n->out->shape = w->shape;
    n->spare = true;
    const tg_gemm there = product(n, NULL, false, NULL), back = product(n, NULL, true, NULL);
    const int64_t a = tg_gemm_room(t->ctx, &there), b = tg_gemm_room(t->ctx, &back);
    tg_node_buffer(n, TG_LIFE_SAVE, (int64_t)sizeof(float) * (1 + O + I)); /* sigma; u and v as they were */
    tg_node_buffer(n, TG_LIFE_ROOM, (a > b ? a : b) + 64);
    tg_node_buffer(n, TG_LIFE_ROOM, tg_sum_room(most) + O * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_BACK, 2 * O * (int64_t)sizeof(float));
    return TG_OK;
}

/* to = from/|from|, as PyTorch: no norm is taken below 1e-12. */
static void normalise(tg_tape *t, tg_node *n, float *to, int64_t count)
{
    const double norm = sqrt(tg_sum_all(t->ctx, to, count, true, n->buffer[SUMS].data));
    t->kernels->affine(to, to, (float)(1 / (norm > 1e-12 ? norm : 1e-12)), 0, count, false);
}

static void run(tg_tape *t, tg_node *n, const float *x, bool transposed, float *out)
{
    const tg_gemm g = product(n, x, transposed, out);
    tg_gemm_run(t->ctx, &g, n->buffer[SCRATCH].data);
}

static void spectral_forward(tg_tape *t, tg_node *n)
{
    const int64_t O = high_of(n), I = wide_of(n);
    float *u = n->in[U]->data, *v = n->in[V]->data, *keep = n->buffer[SIGMA].data, *wv = (float *)n->buffer[SUMS].data;
    wv += tg_sum_room(O > I ? O : I) / (int64_t)sizeof(float);
    if (n->attr.act) {
        run(t, n, u, true, v);
        normalise(t, n, v, I);
        run(t, n, v, false, u);
        normalise(t, n, u, O);
    }
    run(t, n, v, false, wv);
    t->kernels->row_dots(keep, u, O, wv, O, O, 1);
    t->kernels->accumulate(keep + 1, u, O, false);
    t->kernels->accumulate(keep + 1 + O, v, I, false);
    t->kernels->affine(n->out->data, n->in[W]->data, 1 / keep[0], 0, O * I, false);
}

static void spectral_backward(tg_tape *t, tg_node *n)
{
    const int64_t O = high_of(n), I = wide_of(n);
    const float *keep = n->buffer[SIGMA].data, *u = keep + 1, *v = u + O;
    float *dots = n->buffer[DOTS].data;
    bool add;
    float *dw = tg_node_grad(t, n, W, &add);
    if (!dw) return;
    double dot = 0;
    t->kernels->row_dots(dots, n->out->grad, I, n->in[W]->data, I, I, O);
    for (int64_t o = 0; o < O; o++) dot += (double)dots[o];
    const double inv = 1 / (double)keep[0];
    t->kernels->affine(dw, n->out->grad, (float)inv, 0, O * I, add);
    for (int64_t o = 0; o < O; o++) t->kernels->scale(dw + o * I, v, (float)(-dot * inv * inv * (double)u[o]), I, true);
}

static double spectral_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 5.0 : 7.0) * (double)tg_shape_count(&n->in[W]->shape);
}

static bool spectral_example(int variant, tg_example *e)
{
    if (variant > 0) return false;
    e->what = "u and v as they are"; /* an iteration would change what is differentiated */
    e->in[W] = tg_example_values(3, (int64_t[]){4, 3, 2}, -1, 1);
    e->in[U] = tg_example_values(1, (int64_t[]){4}, 0.3, 1);
    e->in[V] = tg_example_values(1, (int64_t[]){6}, 0.3, 1);
    e->in[W].low = 0.1;
    e->in[U].constant = e->in[V].constant = true;
    return true;
}

const tg_op tg_op_spectral_norm = {
    .name = "spectral_norm", .n_in = 3,
    .doc = "y = w/(u·Wv), W being w[O, ...] as a matrix; buffers u[O], v[...] go one power iteration on in training",
    .source = "Miyato et al. 2018, arXiv:1802.05957",
    .shape = spectral_shape,
    .forward = spectral_forward,
    .backward = spectral_backward,
    .flops = spectral_flops,
    .example = spectral_example,
};

tg_tensor *tg_spectral_norm(tg_tape *t, tg_tensor *w, tg_tensor *u, tg_tensor *v)
{
    return tg_tape_apply(t, &tg_op_spectral_norm, (tg_tensor *[]){w, u, v}, &(tg_op_attr){.act = t->mode.train});
}
