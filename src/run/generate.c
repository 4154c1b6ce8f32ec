/* generate.c - text from a model, a token at a time. */
#include "run/generate.h"

#include "base/alloc.h"
#include "base/rng.h"

enum { CHUNK = 64 /* tokens of a prompt at once */ };

struct tg_generator {
    tg_model *model;
    tg_tape *tape;
    tg_chooser *chooser;
    tg_carry carry;
    const float *logits; /* of the next token; on the tape */
    int32_t pending;     /* drawn, but not yet read by the model; -1: none */
    int32_t input[CHUNK];
};

static void ban_specials(tg_chooser *c, const tg_tokenizer *t)
{
    for (int32_t id = 0; id < tg_tokenizer_vocab(t); id++)
        if (tg_tokenizer_special(t, id) && id != tg_tokenizer_end(t)) tg_chooser_ban(c, id);
}

tg_status tg_generator_new(tg_model *m, tg_tape *t, const tg_tokenizer *k, const tg_choice *choice, tg_generator **out)
{
    tg_generator *g = tg_alloc(sizeof *g);
    if (!g) return TG_ENOMEM;
    g->model = m;
    g->tape = t;
    tg_tape_begin(t, &(tg_tape_mode){.frozen = false}); /* nothing is kept of another model */
    tg_status s = tg_chooser_new(choice, tg_model_about(m)->vocab, &g->chooser);
    if (!s) s = tg_carry_new(m, 1, &g->carry);
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
    tg_free(g);
}

/* The model reads tokens; logits of what follows the last of them. */
static tg_status feed(tg_generator *g, const int32_t *tokens, int64_t count)
{
    int64_t V = tg_model_about(g->model)->vocab;
    for (int64_t i = 0; i < count; i++) g->input[i] = tokens[i];
    tg_tape_begin(g->tape, &(tg_tape_mode){.frozen = true});
    tg_tensor *ids = tg_input_ids(g->tape, 2, (int64_t[]){count, 1}, g->input);
    tg_tensor *logits = tg_model_descriptor(g->model)->next(g->model, g->tape, ids, NULL, &g->carry);
    if (!logits) return tg_tape_status(g->tape);
    g->logits = logits->data + (count - 1) * V;
    return TG_OK;
}

tg_status tg_generator_start(tg_generator *g, const int32_t *prompt, int64_t count)
{
    tg_status s = TG_OK;
    if (count < 1) return tg_fail(TG_EINVAL, "a text must start from one token at least");
    tg_carry_zero(&g->carry);
    tg_chooser_reset(g->chooser);
    g->pending = -1;
    for (int64_t i = 0; i < count; i++) tg_chooser_saw(g->chooser, prompt[i]);
    for (int64_t i = 0; i < count && !s; i += CHUNK) s = feed(g, prompt + i, count - i < CHUNK ? count - i : CHUNK);
    return s;
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
    *token = tg_chooser_draw(g->chooser, g->logits, seed, sample, at, log_prob);
    g->pending = *token;
    return TG_OK;
}

tg_status tg_generator_top(tg_generator *g, int32_t *ids, float *probs, int64_t room, int64_t *count)
{
    tg_status s = catch_up(g);
    if (!s) *count = tg_chooser_top(g->chooser, g->logits, ids, probs, room);
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
