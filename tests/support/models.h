/* models.h - models by name and settings, and a batch that one learns by heart. */
#ifndef TG_TEST_MODELS_H
#define TG_TEST_MODELS_H
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "test.h"
#include "tinygen/model.h"

#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* "key=value" settings, NULL at the end. */
static inline void set_keys(tg_keys *keys, const char *const *settings)
{
    for (; *settings; settings++) {
        char key[32];
        const char *equals = strchr(*settings, '=');
        snprintf(key, sizeof key, "%.*s", (int)(equals - *settings), *settings);
        CHECK_OK(tg_keys_set(keys, key, equals + 1, TG_FROM_FLAG));
    }
}

/* A model by name, with settings. */
static inline tg_status model_with(tg_context *ctx, const char *name, const char *const *settings, const tg_model_data *data,
                                   bool train, tg_model **out)
{
    const tg_model_desc *desc;
    tg_keys *keys;
    CHECK_OK(tg_model_find(name, &desc));
    void *config = tg_alloc(desc->config_size);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, name, desc->keys, config));
    set_keys(keys, settings);
    tg_status s = tg_model_new(ctx, desc, config, data, 1, train, false, out);
    tg_keys_free(keys);
    tg_free(config);
    return s;
}

/* The loss of the last of 250 steps of Adam over one batch, gradients of norm 1 at most. */
static inline double learned_by_heart(tg_context *ctx, tg_model *m, const tg_batch *batch, double rate, double beta2)
{
    tg_params *p = tg_model_params(m);
    tg_tape *t;
    tg_optim *o;
    tg_metrics metrics;
    float loss = 0;
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_optim_new(ctx, p, &(tg_optim_config){.kind = TG_ADAM, .beta1 = 0.9, .beta2 = beta2, .epsilon = 1e-8}, &o));
    for (int step = 1; step <= 250; step++) {
        tg_params_clear_grads(p);
        tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1, .step = (uint64_t)step});
        tg_tensor *l = tg_model_descriptor(m)->loss(m, t, batch, NULL, &metrics);
        CHECK_OK(l ? TG_OK : tg_tape_status(t));
        CHECK_OK(tg_tape_backward(t, l));
        const double norm = tg_grad_norm(ctx, p);
        tg_optim_step(o, rate, norm > 1 ? 1 / norm : 1, step);
        loss = l->data[0];
    }
    tg_optim_free(o);
    tg_tape_free(t);
    test_note("%s: %lld millionths of a nat", tg_model_descriptor(m)->name, (long long)((double)loss * 1e6));
    return (double)loss;
}
#endif
