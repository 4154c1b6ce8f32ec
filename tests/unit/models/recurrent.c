/* Tests of models/recurrent.c and model.c: names and shapes, learning by heart, one forward pass for training and sampling. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "support/models.h"

enum { V = 11, T = 12, B = 8 };

static tg_context *ctx;

/* "classes=K" before all other settings: the last K tokens are classes. */
static tg_status make_model(const char *name, const char *const *settings, bool train, tg_model **out)
{
    tg_model_data data = {.kind = TG_KIND_TEXT, .vocab = V};
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    if (*settings && !strncmp(*settings, "classes=", 8)) {
        data.classes = (*settings++)[8] - '0';
        data.first_class = V - data.classes;
    }
    tg_status s = model_with(ctx, name, settings, &data, train, out);
    if (!s && data.classes) { /* they start from zero */
        const tg_tensor *w = tg_params_find(tg_model_params(*out), "classes.weight");
        for (int64_t i = 0; i < tg_shape_count(&w->shape); i++) w->data[i] = (float)(i * 7 % 11) / 11 - 0.5f;
    }
    return s;
}

static tg_model *model_of(const char *name, const char *const *settings, bool train)
{
    tg_model *m;
    CHECK_OK(make_model(name, settings, train, &m));
    return m;
}

/* ---- parameters ---- */

static void check_param(const tg_model *m, int64_t i, const char *name, const char *shape)
{
    char text[96];
    const tg_tensor *t = tg_params_at(tg_model_params(m), i);
    CHECK_TEXT(t->name, name);
    CHECK_TEXT(tg_shape_text(&t->shape, text), shape);
}

TEST(an_lstm_has_the_names_and_shapes_of_pytorchs)
{
    tg_model *m = model_of("lstm", WITH("hidden=6", "embed=5", "layers=2"), false);
    CHECK_INT(tg_params_count(tg_model_params(m)), 11);
    check_param(m, 0, "embed.weight", "[11, 5]");
    check_param(m, 1, "rnn.weight_ih_l0", "[24, 5]");
    check_param(m, 2, "rnn.weight_hh_l0", "[24, 6]");
    check_param(m, 3, "rnn.bias_ih_l0", "[24]");
    check_param(m, 4, "rnn.bias_hh_l0", "[24]");
    check_param(m, 5, "rnn.weight_ih_l1", "[24, 6]");
    check_param(m, 9, "head.weight", "[11, 6]");
    check_param(m, 10, "head.bias", "[11]");
    CHECK_INT(tg_params_elements(tg_model_params(m)), 11 * 5 + 24 * 13 + 24 * 14 + 11 * 7);
    tg_model_free(m);
}

TEST(gru_and_rnn_have_three_gates_and_one)
{
    tg_model *m = model_of("gru", WITH("hidden=6", "layers=1"), false);
    check_param(m, 2, "rnn.weight_hh_l0", "[18, 6]");
    tg_model_free(m);
    m = model_of("rnn", WITH("hidden=6", "layers=1", "activation=relu"), false);
    check_param(m, 2, "rnn.weight_hh_l0", "[6, 6]");
    tg_model_free(m);
}

TEST(tied_weights_are_stored_once_and_norms_have_names)
{
    tg_model *m = model_of("lstm", WITH("hidden=6", "layers=11", "tie=true", "layer-norm=true"), false);
    const tg_params *p = tg_model_params(m);
    CHECK(tg_params_find(p, "head.weight") == NULL);
    CHECK(tg_params_find(p, "head.bias") != NULL);
    CHECK(tg_params_find(p, "norm.0.weight") != NULL);
    CHECK(tg_params_find(p, "norm.10.bias") != NULL);
    tg_model_free(m);
    CHECK_ERROR(make_model("lstm", WITH("hidden=6", "embed=5", "tie=true"), false, &m), TG_EUSAGE, "--embed is 5");
}

static void forget_gates_start_at(const char *const *settings, float value)
{
    tg_model *m = model_of("lstm", settings, false);
    const float *b = tg_params_find(tg_model_params(m), "rnn.bias_ih_l0")->data;
    const float *r = tg_params_find(tg_model_params(m), "rnn.bias_hh_l0")->data;
    for (int i = 6; i < 12; i++) CHECK(b[i] == value && r[i] == 0);
    CHECK(b[5] != value && b[12] != value && r[5] != 0);
    tg_model_free(m);
}

TEST(forget_gates_start_at_one_or_where_they_are_told)
{
    forget_gates_start_at(WITH("hidden=6", "layers=1"), 1);
    forget_gates_start_at(WITH("hidden=6", "layers=1", "forget-bias=2.5"), 2.5f);
}

static float largest(const tg_model *m, const char *name)
{
    const tg_tensor *x = tg_params_find(tg_model_params(m), name);
    float most = 0;
    for (int64_t i = 0; i < tg_shape_count(&x->shape); i++) most = fmaxf(most, fabsf(x->data[i]));
    return most;
}

/* Bounds of the uniform draw: sqrt(3/in) keeps the variance of rows; what reads an LSTM's small output starts larger. */
TEST(weights_start_so_that_every_layer_hears_the_one_below)
{
    const struct { const char *model; float first, upper, head; } each[] = {{"lstm", 1.732f, 3, 2}, {"gru", 1.732f, 1.732f, 1}};
    for (int i = 0; i < 2; i++) {
        tg_model *m = model_of(each[i].model, WITH("hidden=25", "embed=16"), false);
        const struct { const char *name; float bound; } w[] = {
            {"rnn.weight_ih_l0", each[i].first / 4}, {"rnn.weight_ih_l1", each[i].upper / 5}, {"head.weight", each[i].head / 5},
            {"rnn.weight_hh_l0", 0.2f}, {"rnn.weight_hh_l1", 0.2f}};
        for (int k = 0; k < 5; k++) {
            const float most = largest(m, w[k].name);
            CHECK(most > 0.98f * w[k].bound && most < 1.001f * w[k].bound);
        }
        tg_model_free(m);
    }
}

TEST(unknown_models_are_named_with_the_nearest)
{
    const tg_model_desc *desc;
    CHECK_ERROR(tg_model_find("lstn", &desc), TG_EUSAGE, "did you mean lstm?");
    CHECK(tg_model_at(0) && tg_model_at(6) && !tg_model_at(7) && !tg_model_at(-1));
}

/* ---- eight examples by heart ---- */

static int32_t tokens[T * B], targets[T * B];

static tg_batch examples(void)
{
    tg_rng r = tg_rng_at(5, TG_RNG_TEST, 0);
    /* The first tokens tell the rows apart, so that all can be known. */
    for (int i = 0; i < T * B; i++) tokens[i] = i < B ? i : (int32_t)tg_rng_below(&r, V);
    for (int i = 0; i < T * B; i++) targets[i] = (int32_t)tg_rng_below(&r, V);
    return (tg_batch){.arrays = {{.name = "tokens", .rank = 2, .dims = {T, B}, .ids = tokens},
                                 {.name = "targets", .rank = 2, .dims = {T, B}, .ids = targets}},
                      .count = 2, .items = T * B};
}

static void learns_by_heart(const char *name, const char *const *settings)
{
    tg_model *m = model_of(name, settings, true);
    const tg_batch batch = examples();
    CHECK(learned_by_heart(ctx, m, &batch, 0.02, 0.999) < 0.02); /* guessing costs 2.4 */
    tg_model_free(m);
}

TEST(an_lstm_overfits_eight_examples) { learns_by_heart("lstm", WITH("hidden=24")); }
TEST(a_gru_overfits_eight_examples) { learns_by_heart("gru", WITH("hidden=24")); }
TEST(an_rnn_overfits_eight_examples) { learns_by_heart("rnn", WITH("hidden=32", "layers=1")); }
TEST(tied_and_normalised_it_overfits_too) { learns_by_heart("lstm", WITH("hidden=24", "tie=true", "layer-norm=true")); }

/* ---- one forward pass ---- */

enum { LONG = 20, FEW = 3 };

/* Logits of tokens [LONG, FEW], `step` time steps at a time from zero state. */
static void logits_on(tg_model *m, tg_tape *t, bool frozen, int64_t step, const int32_t *ids, float *out)
{
    tg_carry carry;
    CHECK_OK(tg_carry_new(m, FEW, &carry));
    for (int64_t at = 0; at < LONG; at += step) {
        tg_tape_begin(t, &(tg_tape_mode){.frozen = frozen});
        tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){step, FEW}, ids + at * FEW);
        tg_tensor *y = tg_model_descriptor(m)->next(m, t, x, NULL, &carry);
        CHECK_OK(y ? TG_OK : tg_tape_status(t));
        memcpy(out + at * FEW * V, y->data, (size_t)(step * FEW * V) * sizeof *out);
    }
    tg_carry_free(&carry);
}

static void logits_by(tg_model *m, int64_t step, const int32_t *ids, float *out)
{
    tg_tape *t;
    CHECK_OK(tg_tape_new(ctx, &t));
    logits_on(m, t, false, step, ids, out);
    tg_tape_free(t);
}

/* At once the vocabulary is smaller than the tokens and the table is projected; a step at a time it is not. */
static void steps_equal_whole(const char *name, const char *const *settings)
{
    static float whole[LONG * FEW * V], steps[LONG * FEW * V];
    int32_t ids[LONG * FEW];
    tg_rng r = tg_rng_at(6, TG_RNG_TEST, 0);
    for (int i = 0; i < LONG * FEW; i++) ids[i] = (int32_t)tg_rng_below(&r, V);
    tg_model *m = model_of(name, settings, false);
    logits_by(m, LONG, ids, whole);
    logits_by(m, 1, ids, steps);
    CHECK_BYTES(steps, whole, (int64_t)sizeof whole);
    logits_by(m, 5, ids, steps);
    CHECK_BYTES(steps, whole, (int64_t)sizeof whole);
    tg_model_free(m);
}

TEST(an_lstm_step_by_step_gives_the_bits_of_the_whole) { steps_equal_whole("lstm", WITH("hidden=20", "layers=3", "embed=7")); }
TEST(a_gru_step_by_step_gives_the_bits_of_the_whole) { steps_equal_whole("gru", WITH("hidden=20", "layer-norm=true")); }
TEST(with_classes_step_by_step_gives_the_bits_of_the_whole) { steps_equal_whole("lstm", WITH("classes=3", "hidden=20")); }
TEST(an_rnn_step_by_step_gives_the_bits_of_the_whole) { steps_equal_whole("rnn", WITH("hidden=20", "activation=relu")); }

TEST(the_last_steps_logits_alone_have_the_same_bits)
{
    enum { HALF = LONG / 2 };
    static float whole[LONG * FEW * V];
    int32_t ids[LONG * FEW];
    tg_model *m = model_of("lstm", WITH("hidden=20", "layer-norm=true"), false);
    tg_tape *t;
    tg_carry carry;
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 7 % V;
    logits_by(m, LONG, ids, whole);
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_carry_new(m, FEW, &carry));
    carry.last_only = true;
    for (int at = 0; at < LONG; at += HALF) {
        tg_tape_begin(t, &(tg_tape_mode){.frozen = true});
        tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){HALF, FEW}, ids + at * FEW);
        const tg_tensor *y = tg_model_descriptor(m)->next(m, t, x, NULL, &carry);
        CHECK_OK(y ? TG_OK : tg_tape_status(t));
        CHECK_INT(y->shape.dims[0], 1);
        CHECK_BYTES(y->data, whole + (at + HALF - 1) * FEW * V, (int64_t)sizeof(float) * FEW * V);
    }
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}

/* What a frozen tape keeps changes no bit, is given up when the weights may have changed, and costs no memory twice. */
static void frozen_equals_anew(const char *name, const char *const *settings)
{
    static float anew[LONG * FEW * V], frozen[LONG * FEW * V];
    int32_t ids[LONG * FEW];
    tg_tape *t;
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 7 % V;
    tg_model *m = model_of(name, settings, false);
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int round = 0; round < 3; round++) {
        logits_by(m, 1, ids, anew);
        int64_t before = tg_alloc_count();
        logits_on(m, t, true, 1, ids, frozen);
        if (round == 2) CHECK(tg_alloc_count() - before <= 4); /* the carry's */
        CHECK_BYTES(frozen, anew, (int64_t)sizeof anew);
        logits_on(m, t, true, LONG, ids, frozen);
        CHECK_BYTES(frozen, anew, (int64_t)sizeof anew);
        for (int64_t i = 0; i < tg_params_size(tg_model_params(m)); i++) tg_params_values(tg_model_params(m))[i] *= 0.5f;
        tg_tape_begin(t, &(tg_tape_mode){.frozen = false});
    }
    tg_tape_free(t);
    tg_model_free(m);
}

/* A pass that runs out of memory leaves nothing behind that a later one takes for computed. */
TEST(a_frozen_pass_that_failed_is_made_up_for)
{
    static float anew[LONG * FEW * V], frozen[LONG * FEW * V];
    int32_t ids[LONG * FEW];
    int failed = 0;
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 7 % V;
    tg_model *m = model_of("lstm", WITH("hidden=120"), false);
    logits_by(m, 1, ids, anew);
    for (int64_t n = 1; n <= 40; n++) {
        tg_tape *t;
        tg_carry carry;
        CHECK_OK(tg_tape_new(ctx, &t));
        CHECK_OK(tg_carry_new(m, FEW, &carry));
        tg_alloc_fail_at(n, false);
        tg_tape_begin(t, &(tg_tape_mode){.frozen = true});
        const tg_tensor *y = tg_model_descriptor(m)->next(m, t, tg_input_ids(t, 2, (int64_t[]){LONG, FEW}, ids), NULL, &carry);
        tg_alloc_fail_at(0, false);
        if (!y) failed++;
        logits_on(m, t, true, 1, ids, frozen);
        CHECK_BYTES(frozen, anew, (int64_t)sizeof anew);
        tg_carry_free(&carry);
        tg_tape_free(t);
    }
    CHECK(failed > 0);
    tg_model_free(m);
}

TEST(a_frozen_lstm_gives_the_same_bits) { frozen_equals_anew("lstm", WITH("hidden=20", "layers=3", "embed=7")); }
TEST(a_frozen_gru_gives_the_same_bits) { frozen_equals_anew("gru", WITH("hidden=40", "layer-norm=true")); }
TEST(a_frozen_gru_with_classes_gives_the_same_bits) { frozen_equals_anew("gru", WITH("classes=2", "hidden=20", "tie=true")); }
TEST(a_frozen_tied_rnn_gives_the_same_bits) { frozen_equals_anew("rnn", WITH("hidden=20", "tie=true")); }

TEST(a_row_alone_gives_the_bits_that_it_gives_among_others)
{
    float among[LONG * FEW * V];
    int32_t ids[LONG * FEW], alone[LONG];
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 7 % V;
    for (int i = 0; i < LONG; i++) alone[i] = ids[i * FEW + 1];
    tg_model *m = model_of("lstm", WITH("hidden=20"), false);
    logits_by(m, LONG, ids, among);
    tg_tape *t;
    CHECK_OK(tg_tape_new(ctx, &t));
    tg_tape_begin(t, &(tg_tape_mode){.train = false});
    tg_tensor *y = tg_model_descriptor(m)->next(m, t, tg_input_ids(t, 2, (int64_t[]){LONG, 1}, alone), NULL, NULL);
    CHECK_OK(y ? TG_OK : tg_tape_status(t));
    for (int i = 0; i < LONG; i++) CHECK_BYTES(y->data + i * V, among + (i * FEW + 1) * V, V * (int64_t)sizeof(float));
    tg_tape_free(t);
    tg_model_free(m);
}

/* Without recurrent weights nothing is remembered, but the class. */
TEST(a_class_holds_to_the_end_of_its_document)
{
    float one[LONG * FEW * V], other[LONG * FEW * V];
    int32_t ids[LONG * FEW];
    tg_model *m = model_of("rnn", WITH("classes=2", "hidden=20", "layers=1"), false);
    const tg_tensor *w = tg_params_find(tg_model_params(m), "rnn.weight_hh_l0");
    memset(w->data, 0, (size_t)tg_shape_count(&w->shape) * sizeof(float));
    check_param(m, 1, "classes.weight", "[3, 20]");
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 5 % (V - 2);
    logits_by(m, 1, ids, one);
    ids[1] = V - 1; /* row 1 is of the second class, the others of none */
    logits_by(m, 1, ids, other);
    for (int t = 0; t < LONG; t++)
        for (int b = 0; b < FEW; b++)
            CHECK(!memcmp(one + (t * FEW + b) * V, other + (t * FEW + b) * V, V * sizeof(float)) == (b != 1));
    tg_model_free(m);
}

static void reset_is_a_new_start(const char *const *settings)
{
    float fresh[LONG * FEW * V];
    int32_t ids[LONG * FEW], reset[LONG * FEW] = {0};
    for (int i = 0; i < LONG * FEW; i++) ids[i] = i * 5 % V;
    tg_model *m = model_of("gru", settings, false);
    logits_by(m, LONG, ids, fresh);
    tg_tape *t;
    tg_carry carry;
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_carry_new(m, FEW, &carry));
    for (int pass = 0; pass < 2; pass++) { /* the second starts from what the first left, and resets it */
        for (int b = 0; b < FEW; b++) reset[b] = pass;
        tg_tape_begin(t, &(tg_tape_mode){.train = false});
        tg_tensor *x = tg_input_ids(t, 2, (int64_t[]){LONG, FEW}, ids), *r = tg_input_ids(t, 2, (int64_t[]){LONG, FEW}, reset);
        tg_tensor *y = tg_model_descriptor(m)->next(m, t, x, r, &carry);
        CHECK_OK(y ? TG_OK : tg_tape_status(t));
        CHECK_BYTES(y->data, fresh, (int64_t)sizeof fresh);
    }
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}

TEST(a_reset_is_a_new_start) { reset_is_a_new_start(WITH("hidden=20")); }
TEST(a_reset_ends_a_class) { reset_is_a_new_start(WITH("classes=2", "hidden=20")); }

TEST(dropout_works_in_training_only)
{
    const char *const *settings = WITH("hidden=20", "dropout=0.5");
    tg_model *m = model_of("lstm", settings, true);
    tg_batch batch = examples();
    tg_metrics metrics;
    tg_tape *t;
    float loss[4];
    CHECK_OK(tg_tape_new(ctx, &t));
    for (int i = 0; i < 4; i++) { /* trained at steps 1, 2, 2; then not training */
        tg_tape_begin(t, &(tg_tape_mode){.train = i < 3, .seed = 1, .step = i == 0 ? 1 : 2});
        tg_tensor *l = tg_model_descriptor(m)->loss(m, t, &batch, NULL, &metrics);
        CHECK_OK(l ? TG_OK : tg_tape_status(t));
        loss[i] = l->data[0];
    }
    CHECK(loss[0] != loss[1] && loss[1] == loss[2] && loss[3] != loss[2]);
    tg_tape_free(t);
    tg_model_free(m);
}

TEST(a_plan_costs_no_memory_for_values)
{
    const tg_model_desc *desc;
    tg_model *m;
    tg_keys *keys;
    if (!ctx) CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &ctx));
    CHECK_OK(tg_model_find("lstm", &desc));
    void *config = tg_alloc(desc->config_size);
    CHECK_OK(tg_keys_new(&keys));
    CHECK_OK(tg_keys_add(keys, "lstm", desc->keys, config));
    CHECK_OK(tg_keys_set(keys, "hidden", "4096", TG_FROM_FLAG));
    CHECK_OK(tg_keys_set(keys, "layers", "16", TG_FROM_FLAG));
    CHECK_OK(tg_model_new(ctx, desc, config, &(tg_model_data){.kind = TG_KIND_TEXT, .vocab = V}, 1, true, true, &m));
    CHECK_INT(tg_params_elements(tg_model_params(m)), V * 4096LL + 16 * (4 * 4096LL * (2 * 4096 + 2)) + V * 4097LL);
    CHECK(tg_params_values(tg_model_params(m)) == NULL);
    tg_model_free(m);
    tg_keys_free(keys);
    tg_free(config);
}

static float loss_of(tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry)
{
    tg_metrics metrics;
    tg_tape_begin(t, &(tg_tape_mode){.train = false});
    tg_tensor *l = tg_model_descriptor(m)->loss(m, t, batch, carry, &metrics);
    CHECK_OK(l ? TG_OK : tg_tape_status(t));
    return l->data[0];
}

TEST(where_the_streams_begin_anew_carried_state_counts_for_nothing)
{
    tg_model *m = model_of("lstm", WITH("hidden=24"), false);
    tg_tape *t;
    tg_carry carry;
    tg_batch batch = examples();
    CHECK_OK(tg_tape_new(ctx, &t));
    CHECK_OK(tg_carry_new(m, B, &carry));
    const float fresh = loss_of(m, t, &batch, &carry);
    CHECK(loss_of(m, t, &batch, &carry) != fresh);
    batch.restart = true;
    CHECK(loss_of(m, t, &batch, &carry) == fresh);
    tg_carry_free(&carry);
    tg_tape_free(t);
    tg_model_free(m);
}
