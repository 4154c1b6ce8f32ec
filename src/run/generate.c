/*
 * generate.c - text from a model, a token at a time; guided towards its class where that is asked for.
 *
 * Guidance: of a class c, the model says p(x|c), and by Bayes' rule also p(c|x), from the text's probability under each of
 * the classes. Tokens are drawn from p(next|x, c) * p(c|x, next)^w, up to a factor: w = 0 is the model itself; the larger
 * w, the more a token counts that tells c from the others. Each class is a row of one batch, and all rows read the same text.
 * Sources: classifier-free guidance, Ho & Salimans 2022, arXiv:2207.12598; by Bayes' rule along the text, Krause et al.
 * 2020 (GeDi), arXiv:2009.06367.
 */
#include "run/generate.h"

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"

#include <math.h>

enum { CHUNK = 64 /* tokens of a prompt at once, all rows together; one a row at least */ };

struct tg_generator {
    tg_model *model;
    tg_tape *tape;
    tg_chooser *chooser;
    const tg_tokenizer *tokenizer;
    tg_carry carry;
    const float *logits; /* [rows, V] of the next token; on the tape; NULL: nothing is read yet */
    const float *read;   /* of all tokens of the last pass */
    int32_t pending;     /* drawn, but not yet read by the model; -1: none */
    int64_t rows, row;   /* 1, or a row a class; which one is drawn from */
    double guidance;
    float *belief;       /* [rows] log p(class|text) */
    float *guided;       /* [V] logits that are drawn from; with one row not used */
    int64_t chunk;
    int32_t *input;      /* [chunk, rows] */
    int64_t context;     /* positions that the model sees at once; 0: it has no end */
    int32_t *seen;       /* [context] the tokens at them, `used` of which are read; the first `kept` open the text */
    int64_t used, kept;
};

static void ban_specials(tg_chooser *c, const tg_tokenizer *t)
{
    for (int32_t id = 0; id < tg_tokenizer_vocab(t); id++)
        if (tg_tokenizer_special(t, id) && id != tg_tokenizer_end(t)) tg_chooser_ban(c, id);
}

static int64_t vocab_of(const tg_generator *g)
{
    return tg_model_about(g->model)->vocab;
}

tg_status tg_generator_new(tg_model *m, tg_tape *t, const tg_tokenizer *k, const tg_choice *choice, double guidance,
                           tg_generator **out)
{
    tg_generator *g = tg_alloc(sizeof *g);
    if (!g) return TG_ENOMEM;
    g->model = m;
    g->tape = t;
    g->tokenizer = k;
    g->guidance = guidance;
    g->rows = guidance > 0 && tg_tokenizer_classes(k) > 1 ? tg_tokenizer_classes(k) : 1;
    g->chunk = g->rows < CHUNK ? CHUNK / g->rows : 1;
    tg_tape_begin(t, &(tg_tape_mode){.frozen = false}); /* nothing is kept of another model */
    tg_status s = tg_chooser_new(choice, vocab_of(g), &g->chooser);
    if (!s) s = tg_carry_new(m, g->rows, &g->carry);
    g->belief = tg_alloc_array(g->rows, sizeof *g->belief);
    g->guided = tg_alloc_array(vocab_of(g), sizeof *g->guided);
    g->input = tg_alloc_array(g->chunk * g->rows, sizeof *g->input);
    g->context = tg_model_descriptor(m)->context ? tg_model_descriptor(m)->context(tg_model_config(m)) : 0;
    g->seen = tg_alloc_array(g->context, sizeof *g->seen);
    if (!s && (!g->belief || !g->guided || !g->input || (g->context && !g->seen))) s = TG_ENOMEM;
    if (s) {
        tg_generator_free(g);
        return s;
    }
    ban_specials(g->chooser, k);
    *out = g;
    return TG_OK;
}

void tg_generator_free(tg_generator *g)
{
    if (!g) return;
    tg_chooser_free(g->chooser);
    tg_carry_free(&g->carry);
    tg_free(g->belief);
    tg_free(g->guided);
    tg_free(g->input);
    tg_free(g->seen);
    tg_free(g);
}

/* ---- guidance ---------------------------------------------------------------------------------------------------- */

/* Which class a token stands for; -1: none. */
static int64_t class_of(const tg_generator *g, int32_t token)
{
    const int64_t classes = tg_tokenizer_classes(g->tokenizer), c = classes ? token - tg_tokenizer_class_token(g->tokenizer, 0) : -1;
    return c >= 0 && c < classes ? c : -1;
}

/* Before any text a class is as likely as training has it; one that it lacks (log 0) has no say in what others are told from. */
static void forget(tg_generator *g)
{
    for (int64_t r = 0; r < g->rows; r++) g->belief[r] = tg_logf((float)tg_tokenizer_class_documents(g->tokenizer, r));
    g->row = 0;
    g->logits = NULL;
}

/* A token was read of which each row had said how likely it is: Bayes' rule. The class itself tells nothing. */
static void believe(tg_generator *g, const float *logits, int32_t token)
{
    const int64_t V = vocab_of(g);
    if (g->rows == 1 || !logits || class_of(g, token) >= 0) return;
    for (int64_t r = 0; r < g->rows; r++) g->belief[r] += logits[r * V + token] - tg_log_sum_exp(logits + r * V, V);
    const float all = tg_log_sum_exp(g->belief, g->rows);
    for (int64_t r = 0; r < g->rows; r++) g->belief[r] -= all;
}

/* Logits to draw from: log p(x|c) + w * (log p(x|c) - log of the mean of p(x|each class), weighed by belief). */
static const float *guide(tg_generator *g)
{
    const int64_t V = vocab_of(g);
    const float w = (float)g->guidance, *own = g->logits + g->row * V;
    if (g->rows == 1) return g->logits;
    for (int64_t v = 0; v < V; v++) g->guided[v] = 0;
    for (int64_t r = 0; r < g->rows; r++) {
        const float *row = g->logits + r * V, shift = g->belief[r] - tg_log_sum_exp(row, V);
        for (int64_t v = 0; v < V; v++) g->guided[v] += tg_expf(row[v] + shift);
    }
    const float sum = tg_log_sum_exp(own, V);
    for (int64_t v = 0; v < V; v++) {
        const float p = own[v] - sum, all = tg_logf(g->guided[v]);
        g->guided[v] = all > -INFINITY ? p + w * (p - all) : p;
    }
    return g->guided;
}

/* ---- reading and drawing ----------------------------------------------------------------------------------------- */

/* The model reads up to a chunk of tokens; logits of what follows the last of them. */
static tg_status read_some(tg_generator *g, const int32_t *tokens, int64_t count)
{
    const int64_t R = g->rows;
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = R > 1 ? class_of(g, tokens[i]) : -1;
        if (c >= 0) g->row = c;
        for (int64_t r = 0; r < R; r++) g->input[i * R + r] = c >= 0 ? tg_tokenizer_class_token(g->tokenizer, r) : tokens[i];
    }
    tg_tape_begin(g->tape, &(tg_tape_mode){.frozen = true});
    tg_tensor *ids = tg_input_ids(g->tape, 2, (int64_t[]){count, R}, g->input);
    tg_tensor *logits = tg_model_descriptor(g->model)->next(g->model, g->tape, ids, NULL, &g->carry);
    if (!logits) return tg_tape_status(g->tape);
    g->read = logits->data;
    g->logits = logits->data + (count - 1) * R * vocab_of(g);
    return TG_OK;
}

/* The context is full: its last half is read anew, behind what opens the text. */
static tg_status slide(tg_generator *g)
{
    const int64_t opening = g->kept < g->context / 2 ? g->kept : 0, rest = (g->context - opening) / 2;
    tg_status s = TG_OK;
    tg_carry_zero(&g->carry);
    for (int64_t i = 0; i < rest; i++) g->seen[opening + i] = g->seen[g->used - rest + i];
    g->used = opening + rest;
    for (int64_t i = 0; i < g->used && !s; i += g->chunk) s = read_some(g, g->seen + i, g->used - i < g->chunk ? g->used - i : g->chunk);
    return s;
}

/* The same of any number of tokens, of which each row has its belief. */
static tg_status feed(tg_generator *g, const int32_t *tokens, int64_t count)
{
    tg_status s = TG_OK;
    for (int64_t n; count > 0 && !s; tokens += n, count -= n) {
        believe(g, g->logits, tokens[0]);
        if (g->context && g->used == g->context) s = slide(g);
        n = count < g->chunk ? count : g->chunk;
        if (g->context && n > g->context - g->used) n = g->context - g->used;
        if (!s) s = read_some(g, tokens, n);
        for (int64_t i = 1; i < n && !s; i++) believe(g, g->read + (i - 1) * g->rows * vocab_of(g), tokens[i]);
        for (int64_t i = 0; i < n && g->context && !s; i++) g->seen[g->used++] = tokens[i];
    }
    return s;
}

tg_status tg_generator_start(tg_generator *g, const int32_t *prompt, int64_t count)
{
    if (count < 1) return tg_fail(TG_EINVAL, "a text must start from one token at least");
    tg_carry_zero(&g->carry);
    tg_chooser_reset(g->chooser);
    forget(g);
    g->pending = -1;
    g->used = g->kept = 0;
    while (g->kept < count && tg_tokenizer_special(g->tokenizer, prompt[g->kept])) g->kept++;
    for (int64_t i = 0; i < count; i++) tg_chooser_saw(g->chooser, prompt[i]);
    return feed(g, prompt, count);
}

static tg_status catch_up(tg_generator *g)
{
    tg_status s = g->pending < 0 ? TG_OK : feed(g, &g->pending, 1);
    if (!s) g->pending = -1;
    return s;
}

tg_status tg_generator_next(tg_generator *g, uint64_t seed, int64_t sample, int64_t at, int32_t *token, float *log_prob)
{
    tg_status s = catch_up(g);
    if (s) return s;
    *token = tg_chooser_draw(g->chooser, guide(g), seed, sample, at, log_prob);
    g->pending = *token;
    return TG_OK;
}

tg_status tg_generator_top(tg_generator *g, int32_t *ids, float *probs, int64_t room, int64_t *count)
{
    tg_status s = catch_up(g);
    if (!s) *count = tg_chooser_top(g->chooser, guide(g), ids, probs, room);
    return s;
}

static int32_t newline_of(const tg_tokenizer *t)
{
    for (int64_t i = 0; i < tg_tokenizer_vocab(t); i++) {
        int64_t length = 0;
        const char *text = tg_tokenizer_text(t, (int32_t)i, &length);
        if (length == 1 && text[0] == '\n') return (int32_t)i;
    }
    return 0;
}

/* A class, as often as training has it. */
static int64_t draw_class(const tg_tokenizer *t, uint64_t seed, int64_t sample)
{
    const int64_t classes = tg_tokenizer_classes(t);
    int64_t all = 0, i = 0;
    for (int64_t k = 0; k < classes; k++) all += tg_tokenizer_class_documents(t, k);
    tg_rng r = tg_rng_at(seed, TG_RNG_LABEL, (uint64_t)sample);
    int64_t at = all > 0 ? tg_rng_below(&r, all) : 0;
    while (i < classes - 1 && at >= tg_tokenizer_class_documents(t, i)) at -= tg_tokenizer_class_documents(t, i++);
    return i;
}

int64_t tg_opening(const tg_tokenizer *t, int64_t label, bool prompted, uint64_t seed, int64_t sample, int32_t out[TG_OPENING])
{
    if (tg_tokenizer_start(t) < 0) {
        out[0] = newline_of(t);
        return prompted ? 0 : 1;
    }
    out[0] = tg_tokenizer_start(t);
    if (tg_tokenizer_classes(t) == 0) return 1;
    out[1] = tg_tokenizer_class_token(t, label >= 0 ? label : draw_class(t, seed, sample));
    return 2;
}
