/* linear.c - the linear layer, and how a layer names its parameters. */
#include <math.h>
#include <stdio.h>

#include "nn/layers.h"

tg_tensor *tg_layer_param(tg_params *p, const char *module, const char *name, int number, int rank, const int64_t *dims,
                          tg_init_kind kind, double scale, int group)
{
    char full[1280];
    int n = number < 0 ? snprintf(full, sizeof full, "%s.%s", module, name)
                       : snprintf(full, sizeof full, "%s.%s%d", module, name, number);
    if (n < 0 || (size_t)n >= sizeof full) {
        tg_fail(TG_EINVAL, "a parameter's name must have 1 to 1024 bytes");
        return NULL;
    }
    return tg_param(p, full, rank, dims, kind, scale, rank > 1, group);
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

tg_tensor *tg_linear_layer_apply(tg_tape *t, const tg_linear_layer *l, tg_tensor *x, tg_activation act)
{
    return tg_linear(t, x, l->w, l->b, act);
}
