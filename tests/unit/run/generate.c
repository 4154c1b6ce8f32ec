/* Tests of run/generate.c: guidance against Bayes' rule worked out plainly. */
#include <math.h>
#include <stdio.h>

#include "run/generate.h"
#include "support/make.h"
#include "support/models.h"

enum { V = 8, CLASSES = 2, READ = 72 /* more than are read at once */ }; /* a, b, c, d, start, end, x, y */

static const tg_class classes[CLASSES] = {{"x", 1}, {"y", 3}};

typedef struct maker { tg_context *ctx; tg_tokenizer *k; tg_model *model; tg_tape *tape, *plain; } maker;

static maker make_with(const tg_class *known, int64_t count)
{
    maker m;
    m.k = char_tokenizer_of("abcd");
    CHECK_OK(tg_tokenizer_add_specials(m.k, false, true, known, count));
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &m.ctx));
    const tg_model_data about = tg_model_data_of(m.k);
    CHECK_OK(model_with(m.ctx, "gru", WITH("hidden=12"), &about, false, &m.model));
    /* Weights as drawn hardly tell the classes apart. */
    float *w = tg_params_values(tg_model_params(m.model));
    for (int64_t i = 0; i < tg_params_size(tg_model_params(m.model)); i++) w[i] = 3 * w[i] + (float)(i * 7 % 11) / 11 - 0.5f;
    CHECK_OK(tg_tape_new(m.ctx, &m.tape));
    CHECK_OK(tg_tape_new(m.ctx, &m.plain));
    return m;
}

static maker make(void)
{
    maker m = make_with(classes, CLASSES);
    CHECK_INT(tg_tokenizer_vocab(m.k), V);
    return m;
}

static void unmake(maker *m)
{
    tg_tape_free(m->tape);
    tg_tape_free(m->plain);
    tg_model_free(m->model);
    tg_context_free(m->ctx);
    tg_tokenizer_free(m->k);
    CHECK_INT(tg_alloc_live(), 0);
}

/* log p of every next token behind the first n of ids, of that class; and log p of the tokens behind the class. */
static double class_says(const maker *m, const int32_t *ids, int n, int class, double next[V])
{
    int32_t own[READ + 2];
    double said = 0;
    memcpy(own, ids, (size_t)n * sizeof *own);
    own[1] = tg_tokenizer_class_token(m->k, class);
    tg_tape_begin(m->plain, &(tg_tape_mode){.train = false});
    tg_tensor *x = tg_input_ids(m->plain, 2, (int64_t[]){n, 1}, own);
    const tg_tensor *y = tg_model_descriptor(m->model)->next(m->model, m->plain, x, NULL, NULL);
    CHECK_OK(y ? TG_OK : tg_tape_status(m->plain));
    for (int i = 1; i < n; i++) {
        double all = 0;
        for (int v = 0; v < V; v++) all += exp((double)y->data[i * V + v]);
        for (int v = 0; v < V; v++) next[v] = (double)y->data[i * V + v] - log(all);
        if (i + 1 < n) said += next[ids[i + 1]];
    }
    return said;
}

/* p(next) of class c, guided by w: p(next|c) (p(c|all, next) / p(c|all))^w, made to sum to one. */
static void expected(const maker *m, const int32_t *ids, int n, int c, double w, double out[V])
{
    double next[CLASSES][V], belief[CLASSES], sum = 0, all = 0;
    for (int k = 0; k < CLASSES; k++)
        sum += belief[k] = (double)classes[k].documents * exp(class_says(m, ids, n, k, next[k]));
    for (int v = 0; v < V; v++) {
        double mixed = 0;
        for (int k = 0; k < CLASSES; k++) mixed += belief[k] / sum * exp(next[k][v]);
        all += out[v] = exp(next[c][v]) * pow(exp(next[c][v]) / mixed, w);
    }
    for (int v = 0; v < V; v++) out[v] /= all;
}

TEST(guidance_is_bayes_rule)
{
    maker m = make();
    for (int class = 0; class < CLASSES; class++) {
        tg_generator *g;
        int32_t ids[READ + 2] = {tg_tokenizer_start(m.k), tg_tokenizer_class_token(m.k, class), 0, 2}, top[V];
        const double w = class ? 2.5 : 1;
        CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, w, &g));
        const int prompt = class ? READ - 2 : 4;
        for (int i = 4; i < prompt; i++) ids[i] = i * i % 7 % 4;
        CHECK_OK(tg_generator_start(g, ids, prompt));
        for (int n = prompt; n <= prompt + 3; n++) {
            float probs[V];
            double want[V];
            int64_t count;
            CHECK_OK(tg_generator_top(g, top, probs, V, &count));
            expected(&m, ids, n, class, w, want);
            for (int i = 0; i < V; i++) CHECK(fabs((double)probs[i] - want[top[i]]) < 1e-5);
            CHECK_OK(tg_generator_next(g, 1, 0, n - prompt, ids + n, NULL));
        }
        tg_generator_free(g);
    }
    unmake(&m);
}

/* Rows are as many as classes; what they read at once is not as many times as much. */
TEST(guidance_among_many_classes_reads_a_prompt_in_little_memory)
{
    enum { MANY = 200, PROMPT = 40 };
    static char names[MANY][8];
    tg_class many[MANY];
    maker m;
    int32_t ids[PROMPT] = {0};
    tg_generator *g;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%04d", i);
        many[i] = (tg_class){names[i], 1};
    }
    m = make_with(many, MANY);
    ids[0] = tg_tokenizer_start(m.k);
    ids[1] = tg_tokenizer_class_token(m.k, 7);
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 2, &g));
    CHECK_OK(tg_generator_start(g, ids, PROMPT));
    CHECK(tg_tape_peak(m.tape) < 4 * MANY * (MANY + 100) * (int64_t)sizeof(float)); /* a logit a class and token; 64 of them otherwise */
    tg_generator_free(g);
    unmake(&m);
}

/* The rows are one model's: what is drawn of a class is not what is drawn of the other, and w = 0 costs and changes nothing. */
TEST(without_guidance_a_class_is_the_models_own)
{
    maker m = make();
    tg_generator *g;
    const int32_t ids[] = {tg_tokenizer_start(m.k), tg_tokenizer_class_token(m.k, 1), 3};
    int32_t top[V];
    float probs[V];
    double next[V];
    int64_t count;
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 0, &g));
    CHECK_OK(tg_generator_start(g, ids, 3));
    CHECK_OK(tg_generator_top(g, top, probs, V, &count));
    class_says(&m, ids, 3, 1, next);
    for (int i = 0; i < V; i++) CHECK(fabs((double)probs[i] - exp(next[top[i]])) < 1e-6);
    tg_generator_free(g);
    unmake(&m);
}
