/* Tests of models/transformer.c: names and shapes, learning by heart, the same bits at once and behind a cache. */
#include "base/rng.h"
#include "nn/param.h"
#include "support/models.h"

#include <math.h>

enum { V = 11, T = 24, B = 3 };

static tg_context *ctx;

static tg_status make_model(const char *const *settings, bool train, tg_model **out)
{
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    return model_with(ctx, "transformer", settings, &(tg_model_data){.kind = TG_KIND_TEXT, .vocab = V}, train, out);
}

#define GPT2 "norm=layer", "pos=learned", "act=gelu", "bias=true", "layers=2", "heads=2", "dim=16", "context=24"
#define LLAMA "context=24", "layers=2", "heads=4", "kv-heads=2", "dim=32", "tie=false"
#define OURS "context=24", "layers=2", "heads=2", "dim=16", "act=relu2", "qk-norm=true"

static tg_model *model_of(const char *const *settings, bool train)
{
    tg_model *m;
    CHECK_OK(make_model(settings, train, &m));
    return m;
}

static void check_param(const tg_model *m, const char *name, const char *shape)
{
    char text[96];
    const tg_tensor *t = tg_params_find(tg_model_params(m), name);
    CHECK(t != NULL);
    CHECK_TEXT(tg_shape_text(&t->shape, text), shape);
}

TEST(both_shapes_have_their_names)
{
    tg_model *m = model_of(WITH(GPT2), false);
    check_param(m, "embed.weight", "[11, 16]");
    check_param(m, "pos.weight", "[24, 16]");
    check_param(m, "layers.1.norm1.bias", "[16]");
    check_param(m, "layers.0.attn.qkv.weight", "[48, 16]");
    check_param(m, "layers.0.attn.qkv.bias", "[48]");
    check_param(m, "layers.0.mlp.up.weight", "[64, 16]");
    check_param(m, "norm.bias", "[16]");
    CHECK(!tg_params_find(tg_model_params(m), "head.weight"));
    tg_model_free(m);
    m = model_of(WITH(LLAMA), false);
    check_param(m, "layers.1.attn.qkv.weight", "[64, 32]"); /* four heads of queries, two of keys, two of values */
    check_param(m, "layers.1.attn.out.weight", "[32, 32]");
    check_param(m, "layers.1.mlp.up.weight", "[192, 32]");  /* 8/3 of 32, up to a multiple of 16, twice */
    check_param(m, "layers.1.mlp.down.weight", "[32, 96]");
    check_param(m, "head.weight", "[11, 32]");
    CHECK(!tg_params_find(tg_model_params(m), "norm.bias"));
    tg_model_free(m);
}

/* How large the elements of parameters are whose name ends so, and whether weight decay is of all of them, or of none. */
static void check_start(const tg_model *m, const char *end, double deviation, bool decays)
{
    const tg_params *p = tg_model_params(m);
    double sum = 0;
    int64_t n = 0;
    for (int64_t k = 0; k < p->count; k++) {
        const tg_param_row *r = &p->rows[k];
        const size_t length = strlen(r->tensor->name), tail = strlen(end);
        if (length < tail || strcmp(r->tensor->name + length - tail, end)) continue;
        if (r->decay != decays) test_failed(__FILE__, __LINE__, "%s %s", r->tensor->name, decays ? "does not decay" : "decays");
        for (int64_t i = 0; i < r->count; i++) sum += (double)p->values[r->offset + i] * (double)p->values[r->offset + i];
        n += r->count;
    }
    CHECK(n > 0);
    const double got = sqrt(sum / (double)n);
    if (fabs(got - deviation) > 0.1 * deviation) test_failed(__FILE__, __LINE__, "%s: %g, not %g", end, got, deviation);
}

/* Radford et al. 2019, 2.3, and nanoGPT's groups: matrices decay, the embeddings' tables among them; vectors do not. */
TEST(parameters_start_and_decay_as_gpt2s_do)
{
    tg_model *m = model_of(WITH("norm=layer", "pos=learned", "act=gelu", "bias=true", "qk-norm=true", "tie=false", "layers=8",
                                "heads=2", "dim=32", "context=64"), true);
    static const char *const matrices[] = {"embed.weight", "pos.weight", "head.weight", "attn.qkv.weight", "mlp.up.weight"};
    for (int i = 0; i < 5; i++) check_start(m, matrices[i], 0.02, true);
    check_start(m, "attn.out.weight", 0.02 / 4, true); /* two of these in each of eight layers write into one stream */
    check_start(m, "mlp.down.weight", 0.02 / 4, true);
    check_start(m, ".bias", 0, false);
    check_start(m, "norm1.weight", 1, false);
    check_start(m, "k_norm.weight", 1, false);
    tg_model_free(m);
}

TEST(what_does_not_fit_together_is_refused)
{
    tg_model *m;
    CHECK_ERROR(make_model(WITH("heads=3"), false, &m), TG_EUSAGE, "3 heads do not share --dim 128 evenly");
    CHECK_ERROR(make_model(WITH("heads=4", "kv-heads=3"), false, &m), TG_EUSAGE, "no multiple of --kv-heads 3");
    CHECK_ERROR(make_model(WITH("heads=4", "dim=12"), false, &m), TG_EUSAGE, "a head is 3 wide");
}

/* ---- learning ---- */

static int32_t tokens[T * B], targets[T * B];

static void learns_by_heart(const char *const *settings)
{
    tg_model *m = model_of(settings, true);
    tg_rng r = tg_rng_at(5, TG_RNG_TEST, 0);
    for (int i = 0; i < T * B; i++) tokens[i] = i < B ? i : (int32_t)tg_rng_below(&r, V);
    for (int i = 0; i < T * B; i++) targets[i] = (int32_t)tg_rng_below(&r, V);
    const tg_batch batch = {.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}, .ids = tokens},
                                       {.name = "targets", .rank = 2, .dims = {T, B}, .ids = targets}},
                            .count = 2, .items = T * B};
    CHECK(learned_by_heart(ctx, m, &batch, 0.01, 0.99) < 0.02); /* guessing costs 2.4 */
    tg_model_free(m);
}

TEST(gpt2s_shape_learns_by_heart) { learns_by_heart(WITH(GPT2)); }
TEST(llamas_shape_learns_by_heart) { learns_by_heart(WITH(LLAMA)); }
TEST(relu2_with_normed_queries_learns_by_heart) { learns_by_heart(WITH(OURS)); }

/* Where no layer adds anything, only what is dropped of the embedding can make two steps' losses differ. */
TEST(the_embedding_is_dropped_out_too)
{
    tg_model *m = model_of(WITH(GPT2, "dropout=0.5"), true);
    const tg_batch batch = {.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}, .ids = tokens},
                                       {.name = "targets", .rank = 2, .dims = {T, B}, .ids = targets}},
                            .count = 2, .items = T * B};
    float losses[2];
    tg_tape *t;
    tg_metrics metrics;
    for (int i = 0; i < T * B; i++) tokens[i] = i % V, targets[i] = (i + 1) % V;
    for (int k = 0; k < 2; k++) {
        static const char *const writers[] = {"layers.%d.attn.out.weight", "layers.%d.mlp.down.weight"};
        for (int i = 0; i < 2; i++) {
            char name[64];
            snprintf(name, sizeof name, writers[k], i);
            tg_tensor *w = tg_params_find(tg_model_params(m), name);
            memset(w->data, 0, (size_t)tg_shape_count(&w->shape) * sizeof *w->data);
        }
    }
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int k = 0; k < 2; k++) {
        tg_tape_begin(t, &(tg_tape_mode){.train = true, .seed = 1, .step = (uint64_t)k});
        tg_tensor *loss = tg_model_descriptor(m)->loss(m, t, &batch, NULL, &metrics);
        CHECK_OK(loss ? TG_OK : tg_tape_status(t));
        losses[k] = loss->data[0];
    }
    CHECK(losses[0] < losses[1] || losses[0] > losses[1]);
    tg_tape_free(t);
    tg_model_free(m);
}

/* ---- one forward pass ---- */

/* Logits of tokens [T, B] behind a cache, `step` at a time; step 0: at once, without one. */
static void logits_by(tg_model *m, int64_t step, bool frozen, const int32_t *ids, float *out)
{
    tg_tape *t;
    tg_carry carry;
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_carry_new(m, B, &carry));
    for (int64_t at = 0, n; at < T; at += n) {
        n = step == 0 ? T : T - at < step ? T - at : step;
        tg_tape_begin(t, &(tg_tape_mode){.frozen = frozen});
        tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){n, B}, ids + at * B);
        tg_tensor *y = tg_model_descriptor(m)->next(m, t, x, NULL, step ? &carry : NULL);
        CHECK_OK(y ? TG_OK : tg_tape_status(t));
        memcpy(out + at * B * V, y->data, (size_t)(n * B * V) * sizeof *out);
    }
    if (step) { /* it is full now */
        tg_tape_begin(t, &(tg_tape_mode){.frozen = frozen});
        CHECK(!tg_model_descriptor(m)->next(m, t, tg_input_ids(t, 2, (int64_t[]){1, B}, ids), NULL, &carry));
        CHECK_INT(tg_tape_status(t), TG_EINVAL);
    }
    tg_carry_free(&carry);
    tg_tape_free(t);
}

static void cached_equals_whole(const char *const *settings)
{
    static float whole[T * B * V], steps[T * B * V];
    int32_t ids[T * B];
    tg_rng r = tg_rng_at(6, TG_RNG_TEST, 0);
    for (int i = 0; i < T * B; i++) ids[i] = (int32_t)tg_rng_below(&r, V);
    tg_model *m = model_of(settings, false);
    for (int64_t i = 0; i < tg_params_size(tg_model_params(m)); i++) tg_params_values(tg_model_params(m))[i] *= 10;
    logits_by(m, 0, false, ids, whole);
    for (int64_t step = 1; step <= 7; step += 3) {
        memset(steps, 0, sizeof steps);
        logits_by(m, step, step == 1, ids, steps);
        CHECK_BYTES(steps, whole, (int64_t)sizeof whole);
    }
    tg_model_free(m);
}

TEST(gpt2s_shape_gives_the_same_bits_behind_a_cache) { cached_equals_whole(WITH(GPT2)); }
TEST(llamas_shape_gives_the_same_bits_behind_a_cache) { cached_equals_whole(WITH(LLAMA)); }
TEST(relu2_with_normed_queries_gives_the_same_bits_behind_a_cache) { cached_equals_whole(WITH(OURS)); }

TEST(the_last_steps_logits_alone_have_the_same_bits)
{
    static float whole[T * B * V];
    int32_t ids[T * B];
    tg_model *m = model_of(WITH(LLAMA), false);
    tg_tape *t;
    tg_carry carry;
    for (int i = 0; i < T * B; i++) ids[i] = i * 7 % V;
    logits_by(m, 0, false, ids, whole);
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_carry_new(m, B, &carry));
    carry.last_only = true;
    for (int at = 0; at < T; at += T / 2) {
        tg_tape_begin(t, &(tg_tape_mode){.frozen = true});
        tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){T / 2, B}, ids + at * B);
        const tg_tensor *y = tg_model_descriptor(m)->next(m, t, x, NULL, &carry);
        CHECK_OK(y ? TG_OK : tg_tape_status(t));
        CHECK_INT(y->shape.dims[0], 1);
        CHECK_BYTES(y->data, whole + (at + T / 2 - 1) * B * V, (int64_t)sizeof(float) * B * V);
    }
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}

/* A document is the same in a window of its own and behind another, but for what positions round: learned ones begin anew. */
TEST(documents_that_share_a_window_do_not_see_each_other)
{
    enum { AT = 10 };
    float shared[T];
    double alone[T - AT];
    int32_t ids[T], first[T];
    tg_model *m = model_of(WITH(GPT2), false);
    const tg_model_desc *desc = tg_model_descriptor(m);
    tg_tape *t;
    tg_metrics metrics;
    for (int i = 0; i < T; i++) ids[i] = i * 5 % V;
    for (int i = 0; i < T; i++) first[i] = i < AT ? 0 : AT;
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int how = 0; how < 2; how++) {
        const int64_t n = how ? T : T - AT, from = T - n;
        const tg_batch batch = {.arrays = {{.name = "tokens", .rank = 2, .dims = {n, 1}, .ids = ids + from},
                                           {.name = "targets", .rank = 2, .dims = {n, 1}, .ids = ids + from},
                                           {.name = "first", .rank = 2, .dims = {n, 1}, .ids = first}},
                                .count = how ? 3 : 2, .items = n};
        for (int64_t i = 0; i < n; i++) { /* each target alone: its loss */
            int32_t only[T];
            tg_batch one = batch;
            for (int64_t k = 0; k < n; k++) only[k] = k == i ? ids[from + k] : -1;
            one.arrays[1].ids = only;
            tg_tape_begin(t, &(tg_tape_mode){.train = false});
            tg_tensor *loss = desc->loss(m, t, &one, NULL, &metrics);
            CHECK_OK(loss ? TG_OK : tg_tape_status(t));
            if (how) shared[i] = loss->data[0];
            else alone[i] = (double)loss->data[0];
        }
    }
    CHECK_CLOSE(shared + AT, alone, T - AT, 1e-6);
    tg_tape_free(t);
    tg_model_free(m);
}
