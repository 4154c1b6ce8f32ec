/*
 * generate.c - text from a model, a token at a time; guided towards its class where that is asked for.
 *
 * Guidance: of a class c, the model says p(x|c), and by Bayes' rule also p(c|x), from the text's probability under each of
 * the classes. Tokens are drawn from p(next|x, c) * p(c|x, next)^w, up to a factor: w = 0 is the model itself; the larger
 * w, the more a token counts that tells c from the others. Each class is a row of one batch, and all rows read the same text.
 * Sources: classifier-free guidance, Ho & Salimans 2022, arXiv:2207.12598; by Bayes' rule along the text, Krause et al.
 * 2020 (GeDi), arXiv:2009.06367.
 *
 * Texts that begin in the same way are drawn together: the beginning is read once, each of them gets a copy of what the
 * model carries, and from then on a pass reads one token of each, so that the weights are fetched once for all. No row of a
 * batch shows in another's bits. A text that has ended idles until half of them have; then those that live move together.
 */
#include "run/generate.h"

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK = 64,              /* tokens at once, all rows together; one a row at least */
    TEXTS = 64,              /* texts at once: by then the weights are fetched seldom */
    CARRIED_MOST = 128 << 20 /* bytes that they carry and their logits take */
};

struct tg_generator {
    tg_model *model;
    tg_tape *tape;
    tg_chooser *chooser;
    const tg_tokenizer *tokenizer;
    int64_t most;        /* texts at once; number `most` is the beginning that they share, and what it left */
    int64_t rows;        /* of a text: 1, or one a class */
    tg_carry carry, begun; /* of the texts; of the beginning, where there is more than one text */
    tg_carry *now;       /* the one that is read with: slots x rows */
    int64_t slots;
    int64_t *text_of;    /* [most] which text a slot is, ascending */
    int64_t *kept_rows;  /* [most, rows] of those that move together */
    bool *ended;         /* [most + 1] by text, like all that follows */
    int64_t *row;        /* [most + 1] which row is drawn from */
    int32_t *pending;    /* [most + 1] drawn, but not yet read by the model; -1: none */
    float *belief;       /* [most + 1, rows] log p(class|text) */
    bool *drawn;         /* [most + 1, V] tokens seen, for the repetition penalty */
    const float *logits; /* [slots, rows, V] of the next token; NULL: nothing is read yet */
    bool same_logits;    /* one slot's, that count for all */
    float *begun_logits; /* [rows, V] behind the beginning */
    const float *read;   /* of all tokens of the last pass; on the tape */
    double guidance;
    float *guided;       /* [V] logits that are drawn from; with one row not used */
    int64_t guided_of;   /* they are those of this text, behind all that is read; -1: of none */
    int32_t *input;      /* [chunk, slots, rows] */
    int64_t context;     /* positions that the model sees at once; 0: it has no end */
    int32_t *seen;       /* [most + 1, context] the tokens at them, `used` of which are read; the first `kept` open the text */
    int64_t used, kept, begun_used;
    int64_t total, begun_total; /* tokens of a text that are read, seen or not */
    const tg_look_watch *watch;
    tg_attention_watch ask; /* the tape, while there is one */
    int64_t layer;       /* which attention of a pass comes next */
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

/* How many texts there is memory for, by shapes alone; of models that compute no row faster for others beside it, one. */
static int64_t texts_at_once(const tg_generator *g, int64_t wanted)
{
    tg_carry c = {0};
    const tg_model_desc *desc = tg_model_descriptor(g->model);
    double floats = (double)(g->rows * vocab_of(g));
    if (desc->learner) return 1;
    if (desc->carry) desc->carry(g->model, g->rows, &c);
    for (int i = 0; i < c.count; i++) floats += (double)tg_shape_count(&c.shapes[i]) * (c.kept[i] ? 1 : 2);
    const double most = CARRIED_MOST / (floats * (double)sizeof(float));
    const int64_t room = most < 1 ? 1 : most < TEXTS ? (int64_t)most : TEXTS;
    return wanted < room ? wanted : room;
}

static tg_status make_room(tg_generator *g)
{
    const int64_t V = vocab_of(g), R = g->rows, N = g->most, all = N + 1;
    g->text_of = tg_alloc_array(N, sizeof *g->text_of);
    g->kept_rows = tg_alloc_array(N * R, sizeof *g->kept_rows);
    g->ended = tg_alloc_array(all, sizeof *g->ended);
    g->row = tg_alloc_array(all, sizeof *g->row);
    g->pending = tg_alloc_array(all, sizeof *g->pending);
    g->belief = tg_alloc_array(all * R, sizeof *g->belief);
    g->drawn = tg_alloc_array(all * V, sizeof *g->drawn);
    g->begun_logits = tg_alloc_array(N > 1 ? R * V : 0, sizeof *g->begun_logits);
    g->guided = tg_alloc_array(V, sizeof *g->guided);
    g->input = tg_alloc_array(N * R > CHUNK ? N * R : CHUNK, sizeof *g->input);
    g->seen = tg_alloc_array(all * g->context, sizeof *g->seen);
    const bool all_there = g->text_of && g->kept_rows && g->ended && g->row && g->pending && g->belief && g->drawn &&
                           g->begun_logits && g->guided && g->input && g->seen;
    return all_there ? TG_OK : TG_ENOMEM;
}

tg_status tg_generator_new(tg_model *m, tg_tape *t, const tg_tokenizer *k, const tg_choice *choice, double guidance,
                           int64_t texts, tg_generator **out)
{
    tg_generator *g = tg_alloc(sizeof *g);
    if (!g) return TG_ENOMEM;
    g->model = m;
    g->tape = t;
    g->tokenizer = k;
    g->guidance = guidance;
    g->rows = guidance > 0 && tg_tokenizer_classes(k) > 1 ? tg_tokenizer_classes(k) : 1;
    g->context = tg_model_descriptor(m)->context ? tg_model_descriptor(m)->context(tg_model_config(m)) : 0;
    g->most = texts_at_once(g, texts);
    tg_tape_begin(t, &(tg_tape_mode){.frozen = false}); /* nothing is kept of another model */
    tg_status s = tg_chooser_new(choice, vocab_of(g), &g->chooser);
    if (!s) s = tg_carry_new(m, g->most * g->rows, &g->carry);
    if (!s && g->most > 1) s = tg_carry_new(m, g->rows, &g->begun);
    if (!s) s = make_room(g);
    if (s) {
        tg_generator_free(g);
        return s;
    }
    g->carry.last_only = g->begun.last_only = g->rows == 1; /* what is believed needs all */
    ban_specials(g->chooser, k);
    *out = g;
    return TG_OK;
}

void tg_generator_free(tg_generator *g)
{
    if (!g) return;
    void *const rooms[] = {g->text_of, g->kept_rows, g->ended, g->row, g->pending, g->belief, g->drawn, g->begun_logits,
                           g->guided, g->input, g->seen, g};
    tg_chooser_free(g->chooser);
    tg_carry_free(&g->carry);
    tg_carry_free(&g->begun);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) tg_free(rooms[i]);
}

int64_t tg_generator_most(const tg_generator *g)
{
    return g->most;
}

/* ---- guidance ---------------------------------------------------------------------------------------------------- */

/* Which class a token stands for; -1: none. */
static int64_t class_of(const tg_generator *g, int32_t token)
{
    const int64_t classes = tg_tokenizer_classes(g->tokenizer);
    const int64_t c = classes ? token - tg_tokenizer_class_token(g->tokenizer, 0) : -1;
    return c >= 0 && c < classes ? c : -1;
}

/* Before any text a class is as likely as training has it; one that it lacks (log 0) has no say in what others are told from. */
static void forget(tg_generator *g, int64_t text)
{
    float *belief = g->belief + text * g->rows;
    for (int64_t r = 0; r < g->rows; r++) belief[r] = tg_logf((float)tg_tokenizer_class_documents(g->tokenizer, r));
    memset(g->drawn + text * vocab_of(g), 0, (size_t)vocab_of(g) * sizeof *g->drawn);
    g->row[text] = 0;
    g->pending[text] = -1;
    g->ended[text] = false;
}

/* A token was read of which each row had said how likely it is: Bayes' rule. The class itself tells nothing. */
static void believe(tg_generator *g, int64_t text, const float *logits, int32_t token)
{
    const int64_t V = vocab_of(g);
    float *belief = g->belief + text * g->rows;
    if (class_of(g, token) >= 0) return;
    for (int64_t r = 0; r < g->rows; r++) belief[r] += logits[r * V + token] - tg_log_sum_exp(logits + r * V, V);
    const float all = tg_log_sum_exp(belief, g->rows);
    for (int64_t r = 0; r < g->rows; r++) belief[r] -= all;
}

/* The same of all texts, whose tokens lie `stride` apart. */
static void believe_all(tg_generator *g, const float *logits, const int32_t *tokens, int64_t stride)
{
    for (int64_t i = 0; i < g->slots && g->rows > 1 && logits; i++)
        believe(g, g->text_of[i], logits + (g->same_logits ? 0 : i) * g->rows * vocab_of(g), tokens[g->text_of[i] * stride]);
}

/* Logits of a text to draw from: log p(x|c) + w * (log p(x|c) - log of the mean of p(x|each class), weighed by belief). */
static const float *guide(tg_generator *g, int64_t text)
{
    const int64_t V = vocab_of(g);
    int64_t slot = 0;
    while (!g->same_logits && g->text_of[slot] != text) slot++;
    const float w = (float)g->guidance, *logits = g->logits + slot * g->rows * V, *own = logits + g->row[text] * V;
    if (g->rows == 1) return logits;
    if (g->guided_of == text) return g->guided;
    for (int64_t v = 0; v < V; v++) g->guided[v] = 0;
    for (int64_t r = 0; r < g->rows; r++) {
        const float *row = logits + r * V, shift = g->belief[text * g->rows + r] - tg_log_sum_exp(row, V);
        for (int64_t v = 0; v < V; v++) g->guided[v] += tg_expf(row[v] + shift);
    }
    const float sum = tg_log_sum_exp(own, V);
    for (int64_t v = 0; v < V; v++) {
        const float p = own[v] - sum, all = tg_logf(g->guided[v]);
        g->guided[v] = all > -INFINITY ? p + w * (p - all) : p;
    }
    g->guided_of = text;
    return g->guided;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int64_t chunk_of(const tg_generator *g)
{
    const int64_t rows = g->slots * g->rows;
    return rows < CHUNK ? CHUNK / rows : 1;
}

/* How many tokens at the front a full context keeps. */
static int64_t opening_of(const tg_generator *g)
{
    return g->kept < g->context / 2 ? g->kept : 0;
}

/* Whoever watches is told of `count` tokens that are read for the first time: those of text 0, or of the beginning that it
 * shares, which are in the first slot as long as it lives. */
static bool is_watched(const tg_generator *g, int64_t count)
{
    const tg_look_watch *w = g->watch;
    const int64_t text = g->text_of[0];
    return w && (text == 0 || text == g->most) && !g->ended[text] && g->total + count > w->begin && g->total < w->end;
}

/* One layer's attention of the tokens behind those that are read, of the row that is drawn from. */
static void look(void *user, const tg_attention_weights *w)
{
    tg_generator *g = user;
    const tg_look_watch *to = g->watch;
    tg_look l = {.layer = g->layer++, .heads = w->H, .stride = w->S, .opening = opening_of(g), .left_out = g->total - g->used};
    for (int64_t t = 0; t < w->T; t++) {
        l.at = g->total + t;
        l.count = w->S - w->T + t + 1;
        l.shares = w->p + (t * w->B + g->row[g->text_of[0]]) * w->H * w->S;
        if (l.at >= to->begin && l.at < to->end) to->look(to->user, &l);
    }
}

/* The model reads up to a chunk of tokens, those of text i from tokens + i*stride on; logits of what follows the last of them.
 * again: it has read them before. */
static tg_status read_some(tg_generator *g, const int32_t *tokens, int64_t stride, int64_t count, bool again)
{
    const int64_t R = g->rows, rows = g->slots * R;
    for (int64_t i = 0; i < count * g->slots; i++) {
        const int64_t text = g->text_of[i % g->slots];
        const int32_t token = tokens[text * stride + i / g->slots];
        const int64_t c = R > 1 ? class_of(g, token) : -1;
        if (c >= 0) g->row[text] = c;
        for (int64_t r = 0; r < R; r++) g->input[i * R + r] = c >= 0 ? tg_tokenizer_class_token(g->tokenizer, r) : token;
    }
    g->guided_of = -1;
    g->layer = 0;
    g->ask = (tg_attention_watch){look, g};
    tg_tape_begin(g->tape, &(tg_tape_mode){.frozen = true, .watch = !again && is_watched(g, count) ? &g->ask : NULL});
    tg_tensor *ids = tg_input_ids(g->tape, 2, (int64_t[]){count, rows}, g->input);
    tg_tensor *logits = tg_model_descriptor(g->model)->next(g->model, g->tape, ids, NULL, g->now);
    if (!logits) return tg_tape_status(g->tape);
    if (!again) g->total += count;
    g->read = logits->data;
    g->logits = logits->data + (logits->shape.dims[0] - 1) * rows * vocab_of(g);
    g->same_logits = false;
    return TG_OK;
}

/* The context is full: its last half is read anew, behind what opens the text. */
static tg_status slide(tg_generator *g)
{
    const int64_t opening = opening_of(g), rest = (g->context - opening) / 2, chunk = chunk_of(g);
    tg_status s = TG_OK;
    tg_carry_zero(g->now);
    for (int64_t i = 0; i < g->slots; i++) {
        int32_t *seen = g->seen + g->text_of[i] * g->context;
        memmove(seen + opening, seen + g->used - rest, (size_t)rest * sizeof *seen);
    }
    g->used = opening + rest;
    for (int64_t i = 0; i < g->used && !s; i += chunk)
        s = read_some(g, g->seen + i, g->context, g->used - i < chunk ? g->used - i : chunk, true);
    return s;
}

/* Where half of the texts or more have ended, the others move together. */
static void leave(tg_generator *g)
{
    int64_t live = 0;
    for (int64_t i = 0; i < g->slots; i++) live += !g->ended[g->text_of[i]];
    if (live == 0 || 2 * live > g->slots) return;
    for (int64_t i = 0, n = 0; i < g->slots; i++) {
        if (g->ended[g->text_of[i]]) continue;
        for (int64_t r = 0; r < g->rows; r++) g->kept_rows[n * g->rows + r] = i * g->rows + r;
        g->text_of[n++] = g->text_of[i];
    }
    g->slots = live;
    tg_carry_take(&g->carry, &g->carry, g->kept_rows, live * g->rows);
}

/* The same of any number of tokens, of which each row has its belief. */
static tg_status feed(tg_generator *g, const int32_t *tokens, int64_t stride, int64_t count)
{
    tg_status s = TG_OK;
    for (int64_t n; count > 0 && !s; tokens += n, count -= n) {
        believe_all(g, g->logits, tokens, stride);
        leave(g);
        if (g->context && g->used == g->context) s = slide(g);
        n = count < chunk_of(g) ? count : chunk_of(g);
        if (g->context && n > g->context - g->used) n = g->context - g->used;
        if (!s) s = read_some(g, tokens, stride, n, false);
        for (int64_t i = 1; i < n && !s; i++)
            believe_all(g, g->read + (i - 1) * g->slots * g->rows * vocab_of(g), tokens + i, stride);
        for (int64_t i = 0; i < g->slots && g->context && !s; i++)
            memcpy(g->seen + g->text_of[i] * g->context + g->used, tokens + g->text_of[i] * stride, (size_t)n * sizeof *tokens);
        if (g->context) g->used += n;
    }
    return s;
}

/* ---- beginnings --------------------------------------------------------------------------------------------------- */

static void saw(tg_generator *g, int64_t text, const int32_t *tokens, int64_t count)
{
    tg_chooser_seen(g->chooser, g->drawn + text * vocab_of(g));
    for (int64_t i = 0; i < count; i++) tg_chooser_saw(g->chooser, tokens[i]);
}

/* Texts first .. first + count - 1 read their beginning. */
static tg_status begin(tg_generator *g, const tg_beginning *b, tg_carry *carry, int64_t first, int64_t count)
{
    const int64_t n = b->opening_count;
    tg_carry_resize(carry, count * g->rows);
    tg_carry_zero(carry);
    g->now = carry;
    g->slots = count;
    g->logits = NULL;
    g->used = g->kept = g->total = 0;
    while (g->kept < n && tg_tokenizer_special(g->tokenizer, b->openings[g->kept])) g->kept++;
    for (int64_t i = 0; g->kept == n + i && i < b->count && tg_tokenizer_special(g->tokenizer, b->prompt[i]); i++) g->kept++;
    for (int64_t i = 0; i < count; i++) {
        g->text_of[i] = first + i;
        forget(g, first + i);
        saw(g, first + i, b->openings + i * n, n);
        saw(g, first + i, b->prompt, b->count);
    }
    tg_status s = feed(g, b->openings, count > 1 ? n : 0, n);
    return s ? s : feed(g, b->prompt, 0, b->count);
}

tg_status tg_generator_again(tg_generator *g, int64_t texts)
{
    const int64_t V = vocab_of(g), R = g->rows, from = g->most;
    TG_ASSERT(texts >= 1 && texts <= g->most && g->most > 1);
    for (int64_t i = 0; i < texts; i++) {
        forget(g, i);
        g->row[i] = g->row[from];
        g->text_of[i] = i;
        memcpy(g->belief + i * R, g->belief + from * R, (size_t)R * sizeof *g->belief);
        memcpy(g->drawn + i * V, g->drawn + from * V, (size_t)V * sizeof *g->drawn);
        memcpy(g->seen + i * g->context, g->seen + from * g->context, (size_t)g->context * sizeof *g->seen);
        for (int64_t r = 0; r < R; r++) g->kept_rows[i * R + r] = r;
    }
    tg_carry_take(&g->carry, &g->begun, g->kept_rows, texts * R);
    g->now = &g->carry;
    g->slots = texts;
    g->used = g->begun_used;
    g->total = g->begun_total;
    g->guided_of = -1;
    g->logits = g->begun_logits;
    g->same_logits = true;
    return TG_OK;
}

tg_status tg_generator_start(tg_generator *g, const tg_beginning *b, int64_t texts)
{
    bool same = true;
    TG_ASSERT(texts >= 1 && texts <= g->most);
    if (b->opening_count + b->count < 1) return tg_fail(TG_EINVAL, "a text must start from one token at least");
    for (int64_t n = b->opening_count, i = n; i < texts * n; i++) same = same && b->openings[i] == b->openings[i - n];
    if (!same || g->most == 1) return begin(g, b, &g->carry, 0, texts);
    tg_status s = begin(g, b, &g->begun, g->most, 1);
    if (s) return s;
    memcpy(g->begun_logits, g->logits, (size_t)(g->rows * vocab_of(g)) * sizeof *g->logits);
    g->begun_used = g->used;
    g->begun_total = g->total;
    return tg_generator_again(g, texts);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

void tg_generator_watch(tg_generator *g, const tg_look_watch *w)
{
    g->watch = w;
}

tg_status tg_generator_read(tg_generator *g, int64_t text)
{
    if (g->pending[text] < 0) return TG_OK;
    tg_status s = feed(g, g->pending, 1, 1);
    for (int64_t i = 0; i < g->slots && !s; i++)
        if (!g->ended[g->text_of[i]]) g->pending[g->text_of[i]] = -1;
    return s;
}

tg_status tg_generator_next(tg_generator *g, int64_t text, uint64_t seed, int64_t sample, int64_t at, int32_t *token,
                            float *log_prob)
{
    tg_status s = tg_generator_read(g, text);
    if (s) return s;
    tg_chooser_seen(g->chooser, g->drawn + text * vocab_of(g));
    *token = tg_chooser_draw(g->chooser, guide(g, text), seed, sample, at, log_prob);
    g->pending[text] = *token;
    return TG_OK;
}

tg_status tg_generator_top(tg_generator *g, int64_t text, int32_t *ids, float *probs, int64_t room, int64_t *count)
{
    tg_status s = tg_generator_read(g, text);
    if (!s) *count = tg_chooser_top(g->chooser, guide(g, text), ids, probs, room);
    return s;
}

void tg_generator_end(tg_generator *g, int64_t text)
{
    g->ended[text] = true;
    if (g->pending[text] < 0) g->pending[text] = 0; /* an idle text reads its last token again and again, or any */
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
