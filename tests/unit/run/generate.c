/* Tests of run/generate.c: guidance against Bayes' rule worked out plainly; texts alone and among others. */
#include <math.h>
#include <stdio.h>

#include "run/generate.h"
#include "support/make.h"
#include "support/models.h"

enum { V = 8, CLASSES = 2, READ = 72 /* more than are read at once */ }; /* a, b, c, d, start, end, x, y */

static const tg_class classes[CLASSES] = {{"x", 1}, {"y", 3}};

typedef struct maker { tg_context *ctx; tg_tokenizer *k; tg_model *model; tg_tape *tape, *plain; } maker;

static maker make_with(const char *model, const char *const *settings, const tg_class *known, int64_t count)
{
    maker m;
    m.k = char_tokenizer_of("abcd");
    CHECK_OK(tg_tokenizer_add_specials(m.k, false, true, known, count));
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1}, &m.ctx));
    const tg_model_data about = tg_model_data_of(m.k);
    CHECK_OK(model_with(m.ctx, model, settings, &about, false, &m.model));
    /* Weights as drawn hardly tell the classes apart. */
    float *w = tg_params_values(tg_model_params(m.model));
    for (int64_t i = 0; i < tg_params_size(tg_model_params(m.model)); i++) w[i] = 3 * w[i] + (float)(i * 7 % 11) / 11 - 0.5f;
    CHECK_OK(tg_tape_new(m.ctx, &m.tape));
    CHECK_OK(tg_tape_new(m.ctx, &m.plain));
    return m;
}

static maker make(void)
{
    maker m = make_with("gru", WITH("hidden=12"), classes, CLASSES);
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
        CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, w, 1, &g));
        const int prompt = class ? READ - 2 : 4;
        for (int i = 4; i < prompt; i++) ids[i] = i * i % 7 % 4;
        CHECK_OK(tg_generator_start(g, &(tg_beginning){.prompt = ids, .count = prompt}, 1));
        for (int n = prompt; n <= prompt + 3; n++) {
            float probs[V];
            double want[V];
            int64_t count;
            CHECK_OK(tg_generator_top(g, 0, top, probs, V, &count));
            expected(&m, ids, n, class, w, want);
            for (int i = 0; i < V; i++) CHECK(fabs((double)probs[i] - want[top[i]]) < 1e-5);
            CHECK_OK(tg_generator_next(g, 0, 1, 0, n - prompt, ids + n, NULL));
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
    m = make_with("gru", WITH("hidden=12"), many, MANY);
    ids[0] = tg_tokenizer_start(m.k);
    ids[1] = tg_tokenizer_class_token(m.k, 7);
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 2, 1, &g));
    CHECK_OK(tg_generator_start(g, &(tg_beginning){.prompt = ids, .count = PROMPT}, 1));
    CHECK(tg_tape_peak(m.tape) < 4 * MANY * (MANY + 100) * (int64_t)sizeof(float)); /* a logit a class and token; 64 of them otherwise */
    tg_generator_free(g);
    unmake(&m);
}

/* ---- who watches a text ---- */

enum { LONG = 60, SIGHT = 16, HEADS = 4, LAYERS = 2 };

typedef struct seen { tg_look of; float shares[HEADS][SIGHT]; } seen;
typedef struct watcher { seen at[LONG][LAYERS]; int calls; } watcher;

static void note(void *user, const tg_look *l)
{
    watcher *w = user;
    seen *s = &w->at[l->at][l->layer];
    CHECK(l->count <= SIGHT && l->heads == HEADS && l->layer < LAYERS);
    s->of = *l;
    for (int h = 0; h < HEADS; h++) memcpy(s->shares[h], l->shares + h * l->stride, (size_t)l->count * sizeof(float));
    w->calls++;
}

/* One pass over what a token saw, and the last row of each layer. */
typedef struct last_row { float shares[LAYERS][HEADS][SIGHT]; int layer; } last_row;

static void note_last(void *user, const tg_attention_weights *w)
{
    last_row *r = user;
    for (int h = 0; h < HEADS; h++)
        memcpy(r->shares[r->layer][h], w->p + ((w->T - 1) * HEADS + h) * w->S, (size_t)w->S * sizeof(float));
    r->layer++;
}

static void check_look(const maker *m, const int32_t *ids, const seen *s, int layer)
{
    const tg_look *l = &s->of;
    int32_t window[SIGHT];
    last_row r = {.layer = 0};
    for (int64_t i = 0; i < l->count; i++) window[i] = ids[i < l->opening ? i : i + l->left_out];
    CHECK_INT(l->count - 1 < l->opening ? l->count - 1 : l->count - 1 + l->left_out, l->at);
    tg_tape_begin(m->plain, &(tg_tape_mode){.watch = &(tg_attention_watch){note_last, &r}});
    tg_tensor *x = tg_input_ids(m->plain, 2, (int64_t[]){l->count, 1}, window);
    CHECK(tg_model_descriptor(m->model)->next(m->model, m->plain, x, NULL, NULL) != NULL);
    for (int h = 0; h < HEADS; h++) CHECK_BYTES(s->shares[h], r.shares[layer][h], l->count * (int64_t)sizeof(float));
}

/* ids [LONG]: of text 0. Text i is over when it has over[i] tokens. */
static void draw_long(tg_generator *g, const int32_t *openings, int texts, const int *over, int32_t *ids)
{
    static const int32_t prompt[] = {2, 0, 1};
    int32_t other;
    memcpy(ids, openings, 2 * sizeof *ids);
    memcpy(ids + 2, prompt, sizeof prompt);
    CHECK_OK(tg_generator_start(g, &(tg_beginning){openings, 2, prompt, 3}, texts));
    for (int i = 5; i < LONG; i++) {
        for (int text = 0; text < texts; text++)
            if (i < over[text]) CHECK_OK(tg_generator_next(g, text, 7, text, i - 5, text ? &other : &ids[i], NULL));
        if (i + 1 == over[0]) CHECK_OK(tg_generator_read(g, 0));
        for (int text = 0; text < texts; text++)
            if (i + 1 == over[text]) tg_generator_end(g, text);
    }
}

/* In a text longer than the context, of a guided class among others: each token saw what a pass over its window alone sees, and
 * the text is that which is drawn when nobody looks. Where nobody wants to know, nobody is told; nor of other texts beside it,
 * of its own class or not, that end before it or go on behind it. */
TEST(who_watches_a_text_is_told_what_each_token_looked_at)
{
    static const struct { int texts; bool watched, mixed; int over[3]; } runs[] = {
        {1, false, false, {LONG}}, {1, true, false, {LONG}}, {3, true, false, {LONG, 20, 35}},
        {3, true, true, {LONG, 20, 35}}, {3, true, false, {30, 45, LONG}}};
    static watcher w;
    maker m = make_with("transformer", WITH("layers=2", "heads=4", "kv-heads=2", "dim=16", "context=16"), classes, CLASSES);
    int32_t ids[2][LONG] = {{0}};
    for (size_t n = 0; n < sizeof runs / sizeof *runs; n++) {
        const int told = runs[n].over[0] < LONG - 2 ? runs[n].over[0] : LONG - 2;
        const tg_look_watch watch = {note, &w, 1, LONG - 2};
        tg_generator *g;
        int32_t openings[6];
        for (int i = 0; i < 6; i++)
            openings[i] = i % 2 ? tg_tokenizer_class_token(m.k, i > 1 && runs[n].mixed ? 0 : 1) : tg_tokenizer_start(m.k);
        w.calls = 0;
        CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 1.5, runs[n].texts, &g));
        tg_generator_watch(g, runs[n].watched ? &watch : NULL);
        draw_long(g, openings, runs[n].texts, runs[n].over, ids[n > 0]);
        tg_generator_free(g);
        CHECK_BYTES(ids[n > 0], ids[0], runs[n].over[0] * (int64_t)sizeof **ids);
        CHECK_INT(w.calls, runs[n].watched ? (told - 1) * LAYERS : 0);
        if (!runs[n].watched) continue;
        CHECK_INT(w.at[25][1].of.opening, 2);
        CHECK(w.at[25][1].of.left_out > 0);
        for (int i = 1; i < told; i++)
            for (int layer = 0; layer < LAYERS; layer++) check_look(&m, ids[0], &w.at[i][layer], layer);
    }
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
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &(tg_choice){.temperature = 1, .top_p = 1, .repeat_penalty = 1}, 0, 1, &g));
    CHECK_OK(tg_generator_start(g, &(tg_beginning){.prompt = ids, .count = 3}, 1));
    CHECK_OK(tg_generator_top(g, 0, top, probs, V, &count));
    class_says(&m, ids, 3, 1, next);
    for (int i = 0; i < V; i++) CHECK(fabs((double)probs[i] - exp(next[top[i]])) < 1e-6);
    tg_generator_free(g);
    unmake(&m);
}

/* ---- texts alone and among others ---- */

enum { TEXTS = 7, LENGTH = 40 };
typedef struct drawn { int32_t tokens[LENGTH]; float log_probs[LENGTH], likeliest[LENGTH]; } drawn;

static const tg_choice choice = {.temperature = 1, .top_p = 1, .repeat_penalty = 1.2};

/* When text i is over: they end one after another, the last ones together. */
static int end_of(int i) { return i == 2 ? LENGTH : i > 4 ? 30 : 1 + 5 * i; }

/* `count` texts from sample `first` on, begun or begun again. All are asked what comes next before any is drawn. */
static void draw_texts(tg_generator *g, const tg_beginning *b, int first, int count, bool again, drawn *out)
{
    if (again) CHECK_OK(tg_generator_again(g, count));
    else CHECK_OK(tg_generator_start(g, b, count));
    for (int at = 0; at < LENGTH; at++) {
        for (int i = count - 1; i >= 0; i--) {
            int32_t id;
            int64_t one;
            if (at < end_of(first + i)) CHECK_OK(tg_generator_top(g, i, &id, &out[i].likeliest[at], 1, &one));
        }
        for (int i = 0; i < count; i++) {
            if (at >= end_of(first + i)) continue;
            CHECK_OK(tg_generator_next(g, i, 1, first + i, at, &out[i].tokens[at], &out[i].log_probs[at]));
            if (at + 1 == end_of(first + i)) tg_generator_end(g, i);
        }
    }
}

/* classed: the texts are of both classes, so they share no beginning. */
static void among_equals_alone(const char *model, const char *const *settings, double guidance, bool classed)
{
    static drawn alone[TEXTS], among[TEXTS];
    maker m = make_with(model, settings, classes, CLASSES);
    tg_generator *g;
    int32_t openings[TEXTS * 2];
    const int32_t prompt[] = {0, 3, 1, 1, 2, 0, 1};
    tg_beginning b = {.openings = openings, .opening_count = 2, .prompt = prompt, .count = 7};
    memset(alone, 0, sizeof alone);
    memset(among, 0, sizeof among);
    for (int i = 0; i < TEXTS; i++) {
        openings[2 * i] = tg_tokenizer_start(m.k);
        openings[2 * i + 1] = tg_tokenizer_class_token(m.k, classed ? i % CLASSES : 1);
    }
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &choice, guidance, 1, &g));
    for (int i = 0; i < TEXTS; i++) {
        b.openings = openings + 2 * i;
        draw_texts(g, &b, i, 1, false, &alone[i]);
    }
    tg_generator_free(g);
    CHECK(memcmp(alone[0].tokens, alone[2].tokens, sizeof alone[0].tokens) != 0);
    b.openings = openings;
    CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &choice, guidance, TEXTS, &g));
    CHECK_INT(tg_generator_most(g), TEXTS);
    draw_texts(g, &b, 0, TEXTS, false, among);
    CHECK_BYTES(among, alone, (int64_t)sizeof alone);
    for (int i = 0; i < TEXTS; i += 4) { /* in groups: four, then three; the second begins where the first did */
        b.openings = openings + 2 * i;
        draw_texts(g, &b, i, TEXTS - i < 4 ? TEXTS - i : 4, i && !classed, among + i);
    }
    CHECK_BYTES(among, alone, (int64_t)sizeof alone);
    tg_generator_free(g);
    unmake(&m);
}

#define SMALL_GPT WITH("layers=2", "heads=2", "kv-heads=1", "dim=16", "context=24")

TEST(a_transformers_texts_are_the_same_alone_and_among_others)
{
    among_equals_alone("transformer", SMALL_GPT, 0, false); /* the context slides, with some texts gone */
    among_equals_alone("transformer", SMALL_GPT, 0, true);
    among_equals_alone("transformer", WITH("layers=1", "heads=2", "dim=16", "context=24", "pos=learned", "norm=layer"), 0, false);
}

TEST(recurrent_models_texts_are_the_same_alone_and_among_others)
{
    among_equals_alone("lstm", WITH("hidden=12"), 0, false);
    among_equals_alone("gru", WITH("hidden=20", "layers=1"), 0, true);
    among_equals_alone("rnn", WITH("hidden=8"), 0, true);
}

TEST(guided_texts_are_the_same_alone_and_among_others)
{
    among_equals_alone("transformer", SMALL_GPT, 2, false);
    among_equals_alone("lstm", WITH("hidden=12"), 2, true);
}

/* As many texts at once as memory that the shapes decide has room for. */
TEST(a_long_context_takes_fewer_texts_at_once)
{
    static const struct { const char *context; int64_t most; } c[] = {{"context=64", 64}, {"context=65536", 31}};
    for (int i = 0; i < 2; i++) {
        maker m = make_with("transformer", WITH("layers=1", "heads=1", "dim=8", c[i].context), classes, CLASSES);
        tg_generator *g;
        CHECK_OK(tg_generator_new(m.model, m.tape, m.k, &choice, 0, 1000, &g));
        CHECK_INT(tg_generator_most(g), c[i].most);
        tg_generator_free(g);
        unmake(&m);
    }
}
