/* embed.c - the embedding layer. */
#include "nn/layers.h"

tg_status tg_embed_layer_declare(tg_params *p, tg_embed_layer *l, const char *name, int64_t V, int64_t D,
                                 double deviation, int group)
{
    l->table = tg_layer_param(p, name, "weight", -1, 2, (int64_t[]){V, D}, TG_INIT_NORMAL, deviation, group);
    return l->table ? TG_OK : tg_note("declaring the embedding %s", name);
}

tg_tensor *tg_embed_layer_apply(tg_tape *t, const tg_embed_layer *l, tg_tensor *ids)
{
    return tg_embed(t, l->table, ids);
}
