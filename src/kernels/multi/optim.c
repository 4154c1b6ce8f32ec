/*
 * optim.c - one fused pass per optimiser: each weight, gradient and moment is read once and written once.
 * Formulas as PyTorch's; sources beside each. Moments that have decayed below 1e-30 (first) or 1e-36 (second) become 0,
 * so that no denormal slows the pass (docs/numerics.md).
 */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

TG_INLINE v16 flush_first(v16 m)
{
    const v16 tiny = v16_all(1e-30f);
    const v16 size = v16_select(v16_lt(m, v16_zero()), v16_sub(v16_zero(), m), m);
    return v16_select(v16_lt(size, tiny), v16_zero(), m);
}
TG_INLINE v16 flush_second(v16 v) { return v16_select(v16_lt(v, v16_all(1e-36f)), v16_zero(), v); }

/* Sutskever et al. 2013 for momentum and Nesterov's form */
void TG_K(sgd)(float *w, const float *g, float *m, int64_t n, float gs, float lr, float mu, bool nesterov, float wd)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 old = v16_load_n(w + i, n - i);
        const v16 grad = v16_fma(old, v16_all(wd), v16_mul(v16_load_n(g + i, n - i), v16_all(gs)));
        v16 move = grad;
        if (m) {
            const v16 speed = flush_first(v16_fma(v16_all(mu), v16_load_n(m + i, n - i), grad));
            v16_store_n(m + i, speed, n - i);
            move = nesterov ? v16_fma(v16_all(mu), speed, grad) : speed;
        }
        v16_store_n(w + i, v16_neg_fma(v16_all(lr), move, old), n - i);
    }
}

/* Tieleman & Hinton 2012, lecture 6.5 */
void TG_K(rmsprop)(float *w, const float *g, float *v, int64_t n, float gs, float lr, float b2, float eps, float wd)
{
    const v16 rest = v16_all(1.0f - b2);
    for (int64_t i = 0; i < n; i += 16) {
        const v16 old = v16_load_n(w + i, n - i);
        const v16 grad = v16_fma(old, v16_all(wd), v16_mul(v16_load_n(g + i, n - i), v16_all(gs)));
        const v16 second = flush_second(v16_fma(v16_mul(grad, grad), rest, v16_mul(v16_all(b2), v16_load_n(v + i, n - i))));
        v16_store_n(v + i, second, n - i);
        const v16 step = v16_div(grad, v16_add(v16_sqrt(second), v16_all(eps)));
        v16_store_n(w + i, v16_neg_fma(v16_all(lr), step, old), n - i);
    }
}

/* Kingma & Ba 2014, algorithm 1; decoupled decay: Loshchilov & Hutter 2017, algorithm 2 */
void TG_K(adam)(float *w, const float *g, float *m, float *v, int64_t n, float gs, float step, float b1, float b2,
                float eps, float rc2, float wd, float keep)
{
    const v16 rest1 = v16_all(1.0f - b1), rest2 = v16_all(1.0f - b2);
    for (int64_t i = 0; i < n; i += 16) {
        const v16 old = v16_load_n(w + i, n - i);
        const v16 grad = v16_fma(old, v16_all(wd), v16_mul(v16_load_n(g + i, n - i), v16_all(gs)));
        const v16 first = flush_first(v16_fma(v16_all(b1), v16_load_n(m + i, n - i), v16_mul(rest1, grad)));
        const v16 second = flush_second(v16_fma(v16_all(b2), v16_load_n(v + i, n - i), v16_mul(v16_mul(grad, grad), rest2)));
        v16_store_n(m + i, first, n - i);
        v16_store_n(v + i, second, n - i);
        const v16 way = v16_div(first, v16_fma(v16_sqrt(second), v16_all(rc2), v16_all(eps)));
        v16_store_n(w + i, v16_neg_fma(v16_all(step), way, v16_mul(old, v16_all(keep))), n - i);
    }
}

void TG_K(ema)(float *a, const float *w, int64_t n, float rate)
{
    for (int64_t i = 0; i < n; i += 16) {
        const v16 old = v16_load_n(a + i, n - i);
        v16_store_n(a + i, v16_fma(v16_all(rate), v16_sub(v16_load_n(w + i, n - i), old), old), n - i);
    }
}
