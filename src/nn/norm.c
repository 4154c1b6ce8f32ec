/* norm.c - the layer norm layer. */
#include "nn/layers.h"

tg_status tg_norm_layer_declare(tg_params *p, tg_norm_layer *l, const char *name, int64_t D, int group)
{
    *l = (tg_norm_layer){0};
    l->g = tg_layer_param(p, name, "weight", -1, 1, &D, TG_INIT_ONE, 0, group);
    if (l->g) l->b = tg_layer_param(p, name, "bias", -1, 1, &D, TG_INIT_ZERO, 0, group);
    return l->b ? TG_OK : tg_note("declaring the layer norm %s", name);
}

tg_tensor *tg_norm_layer_apply(tg_tape *t, const tg_norm_layer *l, tg_tensor *x)
{
    return tg_layernorm(t, x, l->g, l->b, 1e-5);
}
