/* conv.c - convolution layers, batch and group norm: parameters by PyTorch's names, layouts and initial values. */
#include <math.h>

#include "nn/layers.h"

/* PyTorch's: both from U(-1/sqrt(fan), 1/sqrt(fan)), fan the second axis times the taps. deviation > 0: DCGAN's, weights from
 * N(0, deviation²), biases 0 (Radford et al. 2015, arXiv:1511.06434). */
static tg_status declare(tg_params *p, tg_conv_layer *l, const char *name, int64_t first, int64_t second, int64_t out,
                         const tg_conv_shape *s)
{
    const int64_t dims[] = {first, second, s->taps[0], s->taps[1]};
    const double scale = 1 / sqrt((double)(second * s->taps[0] * s->taps[1]));
    const bool normal = s->deviation > 0;
    tg_conv_layer n = {.options = s->options};
    n.w = tg_layer_param(p, name, s->spectral ? "weight_orig" : "weight", -1, 4, dims, normal ? TG_INIT_NORMAL : TG_INIT_UNIFORM,
                         normal ? s->deviation : scale, s->group);
    if (n.w && s->bias) n.b = tg_layer_param(p, name, "bias", -1, 1, &out, normal ? TG_INIT_ZERO : TG_INIT_UNIFORM, scale,
                                             s->group);
    if (!n.w || (s->bias && !n.b)) return tg_note("declaring the convolution %s", name);
    if (s->spectral) {
        const int64_t wide = second * s->taps[0] * s->taps[1];
        n.u = tg_layer_buffer(p, name, "weight_u", 1, &first, TG_INIT_NORMAL, 1, s->group);
        n.v = n.u ? tg_layer_buffer(p, name, "weight_v", 1, &wide, TG_INIT_NORMAL, 1, s->group) : NULL;
        if (!n.v) return tg_note("declaring the convolution %s", name);
    }
    *l = n;
    return TG_OK;
}

tg_status tg_conv_layer_declare(tg_params *p, tg_conv_layer *l, const char *name, int64_t in, int64_t out, const tg_conv_shape *s)
{
    return declare(p, l, name, out, in, out, s);
}

tg_tensor *tg_conv_layer_apply(tg_tape *t, const tg_conv_layer *l, tg_tensor *x)
{
    return tg_conv(t, x, l->u ? tg_spectral_norm(t, l->w, l->u, l->v) : l->w, l->b, &l->options);
}

tg_status tg_conv_transpose_layer_declare(tg_params *p, tg_conv_layer *l, const char *name, int64_t in, int64_t out,
                                          const tg_conv_shape *s)
{
    if (s->spectral) return tg_fail(TG_EUNSUPPORTED, "the transposed convolution %s has no spectral norm", name);
    return declare(p, l, name, in, out, out, s);
}

tg_tensor *tg_conv_transpose_layer_apply(tg_tape *t, const tg_conv_layer *l, tg_tensor *x)
{
    return tg_conv_transpose(t, x, l->w, l->b, &l->options);
}

tg_status tg_batch_norm_layer_declare(tg_params *p, tg_batch_norm_layer *l, const char *name, int64_t C, double deviation,
                                      int group)
{
    tg_batch_norm_layer n = {0};
    n.g = tg_layer_param(p, name, "weight", -1, 1, &C, deviation > 0 ? TG_INIT_NORMAL_ONE : TG_INIT_ONE, deviation, group);
    if (n.g) n.b = tg_layer_param(p, name, "bias", -1, 1, &C, TG_INIT_ZERO, 0, group);
    if (n.b) n.mean = tg_layer_buffer(p, name, "running_mean", 1, &C, TG_INIT_ZERO, 0, group);
    if (n.mean) n.var = tg_layer_buffer(p, name, "running_var", 1, &C, TG_INIT_ONE, 0, group);
    if (!n.var) return tg_note("declaring the batch norm %s", name);
    *l = n;
    return TG_OK;
}

tg_tensor *tg_batch_norm_layer_apply(tg_tape *t, const tg_batch_norm_layer *l, tg_tensor *x)
{
    return tg_batch_norm(t, x, l->g, l->b, l->mean, l->var, 0.1, 1e-5);
}

tg_tensor *tg_group_norm_layer_apply(tg_tape *t, const tg_norm_layer *l, tg_tensor *x, int64_t groups)
{
    return tg_group_norm(t, x, l->g, l->b, groups, 1e-5);
}
