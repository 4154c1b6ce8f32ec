/* linear.c - the linear layer, and how a layer names its parameters. */
#include <math.h>
#include <stdio.h>

#include "autograd/tape.h"
#include "nn/layers.h"

static bool full_name(char out[1280], const char *module, const char *name, int number)
{
    int n = number < 0 ? snprintf(out, 1280, "%s.%s", module, name) : snprintf(out, 1280, "%s.%s%d", module, name, number);
    if (n >= 0 && n < 1280) return true;
    tg_fail(TG_EINVAL, "a parameter's name must have 1 to 1024 bytes");
    return false;
}

tg_tensor *tg_layer_param(tg_params *p, const char *module, const char *name, int number, int rank, const int64_t *dims,
                          tg_init_kind kind, double scale, int group)
{
    char full[1280];
    return full_name(full, module, name, number) ? tg_param(p, full, rank, dims, kind, scale, rank > 1, group) : NULL;
}

tg_tensor *tg_layer_buffer(tg_params *p, const char *module, const char *name, int rank, const int64_t *dims, tg_init_kind kind,
                           double scale, int group)
{
    char full[1280];
    return full_name(full, module, name, -1) ? tg_param_buffer(p, full, rank, dims, kind, scale, group) : NULL;
}

tg_status tg_linear_layer_declare(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out,
                                  bool bias, double gain, int group)
{
    const double scale = 1 / sqrt((double)in);
    *l = (tg_linear_layer){0};
    l->w = tg_layer_param(p, name, "weight", -1, 2, (int64_t[]){out, in}, TG_INIT_UNIFORM, gain * scale, group);
    if (l->w && bias) l->b = tg_layer_param(p, name, "bias", -1, 1, &out, TG_INIT_UNIFORM, scale, group);
    return l->w && (l->b || !bias) ? TG_OK : tg_note("declaring the linear layer %s", name);
}

tg_status tg_linear_layer_declare_spectral(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out, int group)
{
    const double scale = 1 / sqrt((double)in);
    tg_linear_layer n = {0};
    n.w = tg_layer_param(p, name, "weight_orig", -1, 2, (int64_t[]){out, in}, TG_INIT_UNIFORM, scale, group);
    if (n.w) n.b = tg_layer_param(p, name, "bias", -1, 1, &out, TG_INIT_UNIFORM, scale, group);
    if (n.b) n.u = tg_layer_buffer(p, name, "weight_u", 1, &out, TG_INIT_NORMAL, 1, group);
    if (n.u) n.v = tg_layer_buffer(p, name, "weight_v", 1, &in, TG_INIT_NORMAL, 1, group);
    if (!n.v) return tg_note("declaring the linear layer %s", name);
    *l = n;
    return TG_OK;
}

tg_tensor *tg_linear_layer_apply(tg_tape *t, const tg_linear_layer *l, tg_tensor *x, tg_activation act)
{
    return tg_linear(t, x, l->u ? tg_spectral_norm(t, l->w, l->u, l->v) : l->w, l->b, act);
}

tg_tensor *tg_last_step(tg_tape *t, const tg_tensor *x)
{
    const int64_t *d = x->shape.dims, behind = (d[0] - 1) * d[1] * d[2];
    return tg_tape_view(t, x->data ? x->data + behind : NULL, 3, (int64_t[]){1, d[1], d[2]});
}
