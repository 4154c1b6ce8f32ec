/* transformer.c - the whole model against PyTorch's, in the shape of GPT-2 and in that of Llama: logits, loss and all
 * gradients. Settings as in make.py. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "support/example.h"
#include "support/golden.h"
#include "test.h"
#include "tinygen/model.h"

/* Asked is 1e-4; PyTorch computed in double. */
static const double tolerance = 1e-5;
enum { T = 9, B = 3, V = 11 };

static tg_model *model_of(tg_context *ctx, const char *const (*settings)[2])
{
    static const char *const shared[][2] = {{"layers", "2"}, {"context", "11"}, {"ffn", "20"}, {"theta", "100"}};
    const tg_model_desc *desc;
    tg_keys *keys;
    tg_model *m;
    CHECK_OK(tg_model_find("transformer", &desc));
    void *config = tg_alloc(desc->config_size);
    CHECK(config != NULL);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, desc->name, desc->keys, config));
    for (int i = 0; i < 4; i++) CHECK_OK(tg_keys_set(keys, shared[i][0], shared[i][1], TG_FROM_FLAG));
    for (; (*settings)[0]; settings++) CHECK_OK(tg_keys_set(keys, (*settings)[0], (*settings)[1], TG_FROM_FLAG));
    CHECK_OK(tg_model_new(ctx, desc, config, &(tg_model_data){.kind = TG_KIND_TEXT, .vocab = V}, 1, true, false, &m));
    tg_keys_free(keys);
    tg_free(config);
    return m;
}

static void load(golden *g, const tg_params *p)
{
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        tg_tensor *to = tg_params_at(p, i);
        const tg_tensor *from = golden_tensor(g, to->name);
        CHECK(tg_shape_equal(&to->shape, &from->shape));
        memcpy(to->data, from->data, (size_t)tg_shape_count(&to->shape) * sizeof(float));
    }
}

static void check(const char *name, const char *const (*settings)[2])
{
    tg_context *ctx = example_context(2, NULL);
    golden g = golden_open(name);
    tg_tape *t;
    tg_metrics metrics;
    tg_model *m = model_of(ctx, settings);
    const tg_model_desc *desc = tg_model_descriptor(m);
    const tg_params *p = tg_model_params(m);
    const int32_t *tokens = golden_tensor(&g, "tokens")->ids, *targets = golden_tensor(&g, "targets")->ids;
    const tg_batch batch = {.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}, .ids = tokens},
                                       {.name = "targets", .rank = 2, .dims = {T, B}, .ids = targets}}, .count = 2};
    load(&g, p);
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = false});
    tg_tensor *logits = desc->next(m, t, tg_input_ids(t, 2, (int64_t[]){T, B}, tokens), NULL, NULL);
    CHECK_OK(logits ? TG_OK : tg_tape_status(t));
    double worst = golden_check(&g, "logits", logits->data, tolerance);
    tg_tape_begin(t, &(tg_tape_mode){.train = true});
    tg_tensor *loss = desc->loss(m, t, &batch, NULL, &metrics);
    CHECK_OK(tg_tape_backward(t, loss));
    worst = fmax(worst, golden_check(&g, "loss", loss->data, tolerance));
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        char grad[128];
        const tg_tensor *x = tg_params_at(p, i);
        CHECK(x->has_grad);
        snprintf(grad, sizeof grad, "grad.%s", x->name);
        worst = fmax(worst, golden_check(&g, grad, x->grad, tolerance));
    }
    test_note("%s: largest relative error %.1e", name, worst);
    tg_tape_free(t);
    tg_model_free(m);
    golden_close(&g);
    tg_context_free(ctx);
}

TEST(gpt2s_shape_matches_pytorch)
{
    static const char *const settings[][2] = {{"norm", "layer"}, {"pos", "learned"}, {"act", "gelu"}, {"bias", "true"},
                                              {"heads", "2"}, {"dim", "12"}, {NULL, NULL}};
    check("transformer_gpt2", settings);
}

TEST(llamas_shape_matches_pytorch)
{
    static const char *const settings[][2] = {{"heads", "4"}, {"kv-heads", "2"}, {"dim", "16"}, {"tie", "false"},
                                              {NULL, NULL}};
    check("transformer_llama", settings);
}
