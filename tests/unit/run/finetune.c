/* Tests of run/freeze.c, run/kept.c and of adapters in run/loop.c: what stays, what is kept, what is trained. */
#include "run/freeze.h"

#include "run/checkpoint.h"
#include "run/kept.h"
#include "support/bench.h"

/* ---- --freeze ------------------------------------------------------------------------------------------------------- */

/* Names of what is not frozen, or the error. */
static void check_left(const char *model, const char *list, const char *want)
{
    char left[1024] = "";
    bench b = bench_new(model, 1, 0);
    tg_params *p = tg_model_params(b.model);
    if (tg_freeze(p, list)) strcpy(left, tg_error());
    else
        for (int64_t i = 0; i < tg_params_count(p); i++)
            if (!tg_params_frozen(p, i)) strcat(strcat(left, *left ? " " : ""), tg_params_at(p, i)->name);
    CHECK_TEXT(left, want);
    bench_free(&b);
}

TEST(words_name_parameters_parts_and_layers)
{
    check_left("rnn", "rnn", "embed.weight head.weight head.bias");
    check_left("rnn", "rnn.0,embed.weight,head",
               "rnn.weight_ih_l1 rnn.weight_hh_l1 rnn.bias_ih_l1 rnn.bias_hh_l1");
    check_left("rnn", "all,-head", "head.weight head.bias");
    check_left("rnn", "all,-rnn.1,rnn.bias_hh_l1", "rnn.weight_ih_l1 rnn.weight_hh_l1 rnn.bias_ih_l1");
    check_left("transformer", "all,-layers.3.mlp,-norm", "layers.3.mlp.up.weight layers.3.mlp.down.weight norm.weight");
}

TEST(a_word_that_nothing_is_called_by_is_refused_with_what_there_is)
{
    check_left("rnn", "embed,rnn.2", "--freeze: no parameter of this model is called rnn.2; there are all, embed, rnn.0, rnn.1, head, and "
                                     "their parts, such as embed.weight");
    check_left("rnn", "rnn.weight", "--freeze: no parameter of this model is called rnn.weight; there are all, embed, rnn.0, rnn.1, head, "
                                    "and their parts, such as embed.weight");
    check_left("rnn", "-head", "--freeze -head: takes away from nothing; begin with all, as in all,-head");
    check_left("rnn", "embed,rnn,head", "--freeze embed,rnn,head: nothing is left to train");
    check_left("transformer", "layer", "--freeze: no parameter of this model is called layer; there are all, embed, layers.0, layers.1, "
                                       "layers.2, layers.3, norm, and their parts, such as embed.weight");
}

/* ---- training ------------------------------------------------------------------------------------------------------- */

/* Another loop over the bench's model. */
static tg_loop *loop_of(bench *b, int64_t rank, double ema)
{
    tg_loop_options o = b->loop->options;
    tg_loop *l;
    o.optim.kind = TG_ADAMW;
    o.optim.weight_decay = 0.1;
    o.ema = ema;
    o.accum = 2;
    o.lora = (tg_lora_options){.rank = rank, .alpha = 2 * (double)rank, .seed = 1};
    CHECK_OK(tg_loop_new(b->ctx, b->model, b->data, &o, &l));
    return l;
}

static void stays(const char *model, const char *list)
{
    bench b = bench_new(model, 2, 0.1);
    tg_params *p = tg_model_params(b.model);
    const int64_t bytes = tg_params_size(p) * (int64_t)sizeof(float);
    CHECK_OK(tg_freeze(p, list));
    tg_loop *l = loop_of(&b, 0, 0.9);
    float *before = tg_alloc(bytes);
    tg_step_info info;
    memcpy(before, tg_params_values(p), (size_t)bytes);
    for (int k = 0; k < 3; k++) CHECK_OK(tg_loop_step(l, &info));
    const int64_t allocated = tg_alloc_count();
    for (int k = 0; k < 9; k++) CHECK_OK(tg_loop_step(l, &info));
    CHECK_INT(tg_alloc_count() - allocated, 0);
    for (int64_t i = 0; i < tg_params_count(p); i++) {
        const int64_t at = tg_params_offset(p, i), size = tg_shape_count(&tg_params_at(p, i)->shape) * (int64_t)sizeof(float);
        const bool same = !memcmp(before + at, tg_params_values(p) + at, (size_t)size) && !memcmp(before + at, l->ema + at, (size_t)size);
        if (same != tg_params_frozen(p, i)) test_failed(__FILE__, __LINE__, "%s of %s", tg_params_at(p, i)->name, model);
    }
    tg_free(before);
    tg_loop_free(l);
    bench_free(&b);
}

TEST(what_is_frozen_does_not_move_by_a_bit_and_all_else_does)
{
    stays("lstm", "embed,rnn.0");
    stays("gru", "all,-rnn.0");
    stays("transformer", "all,-layers.1.attn.qkv");
    stays("transformer", "layers.0,embed");
}

static void adapters_train(const char *model)
{
    bench b = bench_new(model, 2, 0.1);
    tg_loop *l = loop_of(&b, 4, 0.9);
    const tg_params *p = tg_model_params(b.model);
    tg_step_info first, info;
    double nats;
    CHECK_OK(tg_loop_step(l, &first));
    for (int k = 0; k < 2; k++) CHECK_OK(tg_loop_step(l, &info));
    const int64_t allocated = tg_alloc_count();
    for (int k = 0; k < 60; k++) CHECK_OK(tg_loop_step(l, &info));
    CHECK_INT(tg_alloc_count() - allocated, 0);
    CHECK(info.loss < first.loss - 0.1);
    CHECK_OK(tg_loop_evaluate(l, &nats));
    for (int k = 0; k < 5; k++) CHECK_OK(tg_loop_step(l, &info));
    /* what is shown and taken off again leaves all as it was */
    const int64_t bytes = tg_params_size(p) * (int64_t)sizeof(float);
    float *before = tg_alloc(bytes);
    memcpy(before, tg_params_values(p), (size_t)bytes);
    CHECK(tg_loop_put_on(l) == tg_params_values(p) && memcmp(before, tg_params_values(p), (size_t)bytes));
    tg_loop_take_off(l);
    CHECK_BYTES(tg_params_values(p), before, bytes);
    CHECK_BYTES(tg_params_at(p, 0)->data, tg_lora_base(l->lora, 0), 64); /* the table is frozen */
    tg_free(before);
    tg_loop_free(l);
    bench_free(&b);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(adapters_learn_and_allocate_nothing_after_the_third_step)
{
    adapters_train("lstm");
    adapters_train("gru");
    adapters_train("transformer");
}

TEST(averaged_adapters_are_shown_in_the_model_and_hidden_again)
{
    bench b = bench_new("gru", 1, 0.1);
    tg_loop *l = loop_of(&b, 2, 0.9);
    const tg_params *p = tg_model_params(b.model);
    const int64_t bytes = tg_params_size(p) * (int64_t)sizeof(float);
    float *now = tg_alloc(bytes), *shown = tg_alloc(bytes);
    tg_step_info info;
    for (int k = 0; k < 4; k++) CHECK_OK(tg_loop_step(l, &info));
    memcpy(now, tg_params_values(p), (size_t)bytes);
    tg_loop_show(l);
    memcpy(shown, tg_params_values(p), (size_t)bytes);
    tg_loop_hide(l);
    CHECK_BYTES(tg_params_values(p), now, bytes);
    memcpy(tg_params_values(l->set), l->ema, (size_t)(tg_params_size(l->set) * (int64_t)sizeof(float)));
    tg_loop_merge(l);
    CHECK_BYTES(tg_params_values(p), shown, bytes);
    CHECK(memcmp(now, shown, (size_t)bytes));
    tg_free(now);
    tg_free(shown);
    tg_loop_free(l);
    bench_free(&b);
}

TEST(going_back_to_the_best_adapters_takes_the_model_with_them)
{
    bench b = bench_new("gru", 1, 0.1);
    tg_loop *l = loop_of(&b, 2, 0);
    const tg_params *p = tg_model_params(b.model);
    const int64_t bytes = tg_params_size(p) * (int64_t)sizeof(float);
    float *best = tg_alloc(bytes);
    tg_step_info info;
    double nats;
    l->options.on_nan = TG_NAN_REWIND;
    for (int k = 0; k < 3; k++) CHECK_OK(tg_loop_step(l, &info));
    CHECK_OK(tg_loop_evaluate(l, &nats));
    memcpy(best, tg_params_values(p), (size_t)bytes);
    CHECK_OK(tg_loop_step(l, &info));
    CHECK(memcmp(best, tg_params_values(p), (size_t)bytes));
    for (int64_t i = 0; i < tg_params_size(l->set); i++) tg_params_values(l->set)[i] = 1e30f;
    tg_loop_merge(l);
    CHECK_OK(tg_loop_step(l, &info));
    CHECK(!info.taken);
    CHECK_INT(l->place.rewinds, 1);
    CHECK_BYTES(tg_params_values(p), best, bytes);
    tg_free(best);
    tg_loop_free(l);
    bench_free(&b);
}

TEST(adapters_of_plain_descent_move_as_two_steps_by_hand)
{
    bench b = bench_new("rnn", 1, 0);
    tg_loop_options o = b.loop->options;
    tg_loop *l;
    tg_step_info info;
    o.optim = (tg_optim_config){.kind = TG_SGD};
    o.schedule.lr = 0.5;
    o.clip = 0;
    o.lora = (tg_lora_options){.rank = 1, .alpha = 3, .seed = 1};
    CHECK_OK(tg_loop_new(b.ctx, b.model, b.data, &o, &l));
    const tg_tensor *w = tg_params_find(tg_model_params(b.model), "rnn.weight_hh_l0");
    const tg_tensor *a = tg_params_find(l->set, "rnn.weight_hh_l0.lora_A"), *up = tg_params_find(l->set, "rnn.weight_hh_l0.lora_B");
    const int64_t n = w->shape.dims[0];
    double *base = tg_alloc_array(n * n, sizeof *base), *low = tg_alloc_array(n, sizeof *low), *high = tg_alloc_array(n, sizeof *high);
    for (int64_t i = 0; i < n * n; i++) base[i] = (double)w->data[i];
    for (int64_t i = 0; i < n; i++) low[i] = (double)a->data[i];
    for (int step = 0; step < 2; step++) {
        CHECK_OK(tg_loop_step(l, &info)); /* w->grad is of the weights before it */
        double *da = tg_alloc_array(n, sizeof *da), *db = tg_alloc_array(n, sizeof *db);
        for (int64_t i = 0; i < n * n; i++) {
            da[i % n] += 3 * high[i / n] * (double)w->grad[i];
            db[i / n] += 3 * low[i % n] * (double)w->grad[i];
        }
        for (int64_t i = 0; i < n; i++) {
            low[i] -= 0.5 * da[i];
            high[i] -= 0.5 * db[i];
            CHECK((double)a->data[i] - low[i] < 1e-5 && low[i] - (double)a->data[i] < 1e-5);
            CHECK((double)up->data[i] - high[i] < 1e-5 && high[i] - (double)up->data[i] < 1e-5);
        }
        for (int64_t i = 0; i < n * n; i++) {
            const double want = base[i] + 3 * high[i / n] * low[i % n];
            CHECK((double)w->data[i] - want < 1e-5 && want - (double)w->data[i] < 1e-5);
        }
        tg_free(da);
        tg_free(db);
    }
    tg_free(base);
    tg_free(low);
    tg_free(high);
    tg_loop_free(l);
    bench_free(&b);
}

/* ---- other vocabularies ---------------------------------------------------------------------------------------------- */

/* The bench's model as a file; its tokens are those of "the cat sat on the mat, and so.\n". */
static void save_model(const bench *b, const char *folder)
{
    tg_rundir *dir;
    char *tokenizer = tg_tokenizer_json(tg_dataset_tokenizer(b->data));
    const tg_about about = {.model = "lstm", .data_hash = tg_dataset_hash(b->data), .tokenizer = tokenizer,
                            .settings = "{\"hidden\": 24}", .data = *tg_model_about(b->model)};
    CHECK_OK(tg_rundir_open(folder, false, false, &dir));
    tg_saver saver = {.ctx = b->ctx, .dir = dir, .loop = b->loop, .about = &about, .model_step = -1};
    CHECK_OK(tg_checkpoint_save_model(&saver));
    tg_rundir_close(dir);
    tg_free(tokenizer);
}

static int32_t id_of(const tg_tokenizer *t, const char *text)
{
    int32_t ids[4];
    int64_t count = 4;
    CHECK_OK(tg_tokenizer_encode(t, text, (int64_t)strlen(text), TG_UNKNOWN_ERROR, ids, &count));
    CHECK_INT(count, 1);
    return ids[0];
}

static bool same_row(const tg_params *one, int64_t i, const tg_params *two, int64_t k, const char *name)
{
    const tg_tensor *a = tg_params_find(one, name), *b = tg_params_find(two, name);
    const int64_t size = a->shape.rank == 1 ? 1 : a->shape.dims[1];
    return !memcmp(a->data + i * size, b->data + k * size, (size_t)size * sizeof(float));
}

TEST(tokens_that_both_vocabularies_know_keep_their_rows_and_new_ones_start_anew)
{
    static const char *const names[] = {"embed.weight", "head.weight", "head.bias"};
    char text[1500] = "", hash[65], *folder = tg_path_join(test_folder(), "old");
    bench b = bench_new("lstm", 1, 0);
    tg_step_info info;
    for (int k = 0; k < 5; k++) CHECK_OK(tg_loop_step(b.loop, &info));
    save_model(&b, folder);
    for (int i = 0; i < 60; i++) strcat(text, "the zebra and the \xe7\x8c\xab.\n");
    tg_tokenizer *t = char_tokenizer_of(text);
    make_dataset(one_path(), t, text, (int64_t)strlen(text), 900, 200, "{}", hash);
    tg_dataset *d;
    tg_trained *old;
    tg_kept kept;
    tg_model *m, *fresh;
    CHECK_OK(tg_dataset_open(b.ctx, one_path(), &d));
    CHECK_OK(tg_trained_open(b.ctx, folder, false, &old));
    CHECK_OK(tg_kept_count(old, d, &kept));
    CHECK_INT(kept.count, tg_tokenizer_vocab(t));
    CHECK_INT(kept.count - kept.known, 4); /* z, b, r and the cat */
    CHECK(!kept.same);
    const tg_model_data about = tg_model_data_in(d);
    CHECK_OK(tg_model_new(b.ctx, old->desc, old->config, &about, 9, true, false, &m));
    CHECK_OK(tg_model_new(b.ctx, old->desc, old->config, &about, 9, true, false, &fresh));
    CHECK_OK(tg_kept_read(old, d, tg_model_params(m)));
    const tg_tokenizer *was = tg_dataset_tokenizer(b.data);
    const tg_params *p = tg_model_params(m), *before = tg_model_params(b.model), *drawn = tg_model_params(fresh);
    for (int i = 0; i < 3; i++) {
        CHECK(same_row(p, id_of(t, "t"), before, id_of(was, "t"), names[i]));
        CHECK(same_row(p, id_of(t, "\n"), before, id_of(was, "\n"), names[i]));
        CHECK(same_row(p, id_of(t, "z"), drawn, id_of(t, "z"), names[i]));
        CHECK(same_row(p, id_of(t, "\xe7\x8c\xab"), drawn, id_of(t, "\xe7\x8c\xab"), names[i]));
    }
    const tg_tensor *w = tg_params_find(p, "rnn.weight_hh_l1");
    CHECK_BYTES(w->data, tg_params_find(before, "rnn.weight_hh_l1")->data, tg_shape_count(&w->shape) * (int64_t)sizeof(float));
    tg_model_free(m);
    tg_model_free(fresh);
    tg_trained_close(old);
    tg_dataset_close(d);
    tg_tokenizer_free(t);
    tg_free(folder);
    bench_free(&b);
}
