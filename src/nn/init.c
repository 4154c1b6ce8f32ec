/* init.c - initial values: element i of parameter k is draw i of stream (seed, INIT, k). */
#include "base/rng.h"
#include "nn/param.h"

static void draw_row(const tg_params *p, int64_t k, uint64_t seed)
{
    const tg_param_row *row = &p->rows[k];
    float *x = p->values + row->offset, scale = (float)row->scale;
    tg_rng r = tg_rng_at(seed, TG_RNG_INIT, (uint64_t)k);
    for (int64_t i = 0; i < row->count; i++) {
        switch (row->init) {
        case TG_INIT_ZERO: x[i] = 0; break;
        case TG_INIT_ONE: x[i] = 1; break;
        case TG_INIT_UNIFORM: x[i] = (2 * tg_rng_unit(&r) - 1) * scale; break;
        case TG_INIT_NORMAL: x[i] = tg_rng_normal(&r) * scale; break;
        case TG_INIT_NORMAL_ONE: x[i] = 1 + tg_rng_normal(&r) * scale; break;
        }
    }
}

void tg_params_draw(tg_params *p, uint64_t seed)
{
    for (int64_t k = 0; k < p->count; k++) {
        draw_row(p, k, seed);
        for (const tg_param_start_range *s = p->starts; s; s = s->next)
            for (int64_t i = 0; s->parameter == p->rows[k].tensor && i < s->count; i++)
                p->values[p->rows[k].offset + s->first + i] = s->value;
    }
}
