/*
 * ngram.c - the n-gram model: the next token after the last order - 1, by interpolated Kneser-Ney. One pass, no tape.
 *
 *   order1.log_prob     F32 [V]      every token of the vocabulary by its number
 *   orderK.token        U32 [n]      K > 1: last tokens of the n-grams, sorted by all their tokens
 *   orderK.log_prob     F32 [n]      natural logarithms
 *   orderK.log_backoff  F32 [n]      K < order
 *   orderK.first        U32 [n + 1]  K < order: where the continuations of each begin in level K + 1
 */
#include "models/ngram.h"

#include "base/alloc.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"
#include "data/pack.h"
#include "tinygen/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PART = 1 << 14, PARTS_OF_LEVEL = 4, NO_LEVEL = TG_NGRAM_ORDERS + 1 };

typedef struct ngram_config { int64_t order; } ngram_config;
typedef struct ngram { tg_ngram *grams; } ngram; /* NULL: nothing is learned yet */

static const tg_key ngram_keys[] = {
    TG_INT(ngram_config, order, 0, "6", 1, TG_NGRAM_ORDERS, TG_KEY_RESULT,
           "most tokens of an n-gram; a token is predicted from one less"),
    TG_KEYS_END
};

static const char *const names[NO_LEVEL][PARTS_OF_LEVEL] = {
#define LEVEL(k) {"order" #k ".token", "order" #k ".log_prob", "order" #k ".log_backoff", "order" #k ".first"}
    {NULL}, LEVEL(1), LEVEL(2), LEVEL(3), LEVEL(4), LEVEL(5), LEVEL(6), LEVEL(7), LEVEL(8)
#undef LEVEL
};
enum { TOKEN, LOG_PROB, LOG_BACKOFF, FIRST };

static const tg_ngram *grams_of(const tg_model *m)
{
    const ngram *state = tg_model_state(m);
    return state->grams;
}

static tg_status ngram_init(tg_model *m)
{
    (void)m;
    return TG_OK;
}

static void ngram_free(tg_model *m)
{
    ngram *state = tg_model_state(m);
    tg_ngram_free(state->grams);
}

static void replace(tg_model *m, tg_ngram *g)
{
    ngram_free(m);
    ((ngram *)tg_model_state(m))->grams = g;
}

/* ---- learning ------------------------------------------------------------------------------------------------------- */

/* A split as it lies in the file; *tokens is the caller's. */
static tg_status read_split(const tg_dataset *d, tg_split s, int64_t vocab, void **tokens, tg_ngram_text *out)
{
    const int width = tg_token_bytes(vocab);
    const int64_t N = tg_dataset_count(d, s);
    int32_t *ids = tg_alloc_array(PART, sizeof *ids);
    char *all = tg_alloc_raw(N * width);
    tg_status status = ids && all ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < N && !status; i += PART) {
        const int64_t n = N - i < PART ? N - i : PART;
        status = tg_dataset_tokens(d, s, i, n, ids);
        if (!status) tg_tokens_narrow(ids, n, width, all + i * width);
    }
    tg_free(ids);
    *tokens = all;
    *out = (tg_ngram_text){.tokens = all, .count = N, .starts = tg_dataset_starts(d, s), .documents = tg_dataset_documents(d, s),
                           .tokenizer = tg_dataset_tokenizer(d)};
    return status;
}

static tg_status ngram_fit(tg_context *ctx, tg_model *m, const tg_dataset *d)
{
    const ngram_config *c = tg_model_config(m);
    const int64_t V = tg_model_about(m)->vocab;
    void *tokens = NULL;
    tg_ngram_text text;
    tg_ngram *g = NULL;
    tg_status s = read_split(d, TG_TRAIN, V, &tokens, &text);
    if (!s) s = tg_ngram_fit(ctx, &text, V, c->order, &g);
    if (!s) replace(m, g);
    tg_free(tokens);
    return s;
}

static tg_status ngram_loss(tg_context *ctx, const tg_model *m, const tg_dataset *d, tg_split split, double *nats)
{
    void *tokens = NULL;
    tg_ngram_text text;
    tg_status s = read_split(d, split, tg_model_about(m)->vocab, &tokens, &text);
    if (!s) s = tg_ngram_nats(ctx, grams_of(m), &text, nats);
    tg_free(tokens);
    return s;
}

static int64_t ngram_count(const tg_model *m)
{
    return tg_ngram_count(grams_of(m));
}

/* While counting, 14 bytes a position and the tokens; and 28 for each n-gram where no two are alike. */
static double ngram_room(const void *config, const tg_model_data *data, int64_t train_items)
{
    const ngram_config *c = config;
    double n = (double)data->vocab, grams = n;
    for (int64_t k = 2; k <= c->order; k++) {
        n *= (double)data->vocab;
        grams += n < (double)train_items ? n : (double)train_items;
    }
    return (double)train_items * (14 + tg_token_bytes(data->vocab)) + 28 * grams;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static tg_st_dtype dtype_of(int part)
{
    return part == TOKEN || part == FIRST ? TG_ST_U32 : TG_ST_F32;
}

static int ngram_rows(const tg_model *m, tg_st_row *out)
{
    const tg_ngram *g = grams_of(m);
    int n = 0;
    for (int64_t k = 1; k <= g->order; k++) {
        const tg_ngram_level *l = &g->levels[k];
        const void *const data[] = {l->token, l->log_prob, l->log_backoff, l->first};
        for (int i = 0; i < PARTS_OF_LEVEL; i++)
            if (data[i])
                out[n++] = (tg_st_row){.name = names[k][i], .dtype = dtype_of(i), .rank = 1,
                                       .dims = {l->count + (i == FIRST)}, .data = data[i]};
    }
    return n;
}

/* A tensor of `count` elements (-1: as many as it has, told in *found) of four bytes. */
static tg_status read_part(tg_safetensors *file, int64_t k, int part, int64_t count, int64_t *found, void *out)
{
    const tg_st_tensor *t = tg_safetensors_find(file, names[k][part]);
    if (!t) return tg_fail(TG_EFORMAT, "the tensor %s is missing", names[k][part]);
    if (t->dtype != dtype_of(part) || t->rank != 1 || (count >= 0 && t->count != count) || t->count >= UINT32_MAX)
        return tg_fail(TG_EFORMAT, "the tensor %s is not what an n-gram model has", names[k][part]);
    void *memory = tg_alloc_array(t->count, 4);
    if (!memory) return TG_ENOMEM;
    if (found) *found = t->count;
    memcpy(out, &memory, sizeof memory);
    return tg_safetensors_read(file, t, memory);
}

static tg_status read_level(tg_safetensors *file, tg_ngram *g, int64_t k)
{
    tg_ngram_level *l = &g->levels[k];
    tg_status s = read_part(file, k, LOG_PROB, k == 1 ? g->vocab : -1, &l->count, &l->log_prob);
    if (!s && k > 1) s = read_part(file, k, TOKEN, l->count, NULL, &l->token);
    if (!s && k < g->order) s = read_part(file, k, LOG_BACKOFF, l->count, NULL, &l->log_backoff);
    if (!s && k < g->order) s = read_part(file, k, FIRST, l->count + 1, NULL, &l->first);
    return s;
}

static bool all_finite(const float *x, int64_t n)
{
    for (int64_t i = 0; x && i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* Whether looking up stays inside: continuations in order, in their level, their tokens ascending and in the vocabulary. */
static bool is_sound(const tg_ngram *g, int64_t k)
{
    const tg_ngram_level *l = &g->levels[k], *next = l + 1;
    if (!all_finite(l->log_prob, l->count) || !all_finite(l->log_backoff, l->count)) return false;
    if (k == g->order) return true;
    if (l->first[0] != 0 || l->first[l->count] != next->count) return false;
    for (int64_t i = 0; i < l->count; i++) {
        if (l->first[i] > l->first[i + 1] || l->first[i + 1] > next->count) return false;
        for (uint32_t j = l->first[i]; j < l->first[i + 1]; j++)
            if (next->token[j] >= g->vocab || (j > l->first[i] && next->token[j] <= next->token[j - 1])) return false;
    }
    return true;
}

static tg_status ngram_load(tg_model *m, tg_safetensors *file)
{
    const ngram_config *c = tg_model_config(m);
    tg_ngram *g = NULL;
    tg_status s = tg_ngram_new(tg_model_about(m)->vocab, c->order, &g);
    for (int64_t k = 1; k <= c->order && !s; k++) s = read_level(file, g, k);
    for (int64_t k = 1; k <= c->order && !s; k++)
        if (!is_sound(g, k)) s = tg_fail(TG_EFORMAT, "its n-grams of order %lld make no sense: it is damaged", (long long)k);
    if (s) tg_ngram_free(g);
    else replace(m, g);
    return s;
}

/* ---- the next token --------------------------------------------------------------------------------------------------- */

/* The last tokens, the newest first, each plus one; 0: none. Floats hold every token that a vocabulary may have. */
static void ngram_carry(const tg_model *m, int64_t B, tg_carry *out)
{
    const ngram_config *c = tg_model_config(m);
    if (c->order == 1) return;
    out->count = 1;
    out->names[0] = "context";
    out->shapes[0] = tg_shape_of(2, (int64_t[]){B, c->order - 1});
}

static tg_ngram_context context_of(const tg_ngram *g, const float *last)
{
    tg_ngram_context at = {0};
    for (int64_t i = g->order - 2; i >= 0; i--)
        if (last[i] > 0) tg_ngram_step(g, &at, (int32_t)last[i] - 1);
    return at;
}

static bool in_vocabulary(tg_tape *t, const tg_tensor *tokens, int64_t V)
{
    for (int64_t i = 0; tokens->ids && i < tg_shape_count(&tokens->shape); i++)
        if (tokens->ids[i] < 0 || tokens->ids[i] >= V) {
            tg_tape_fail(t, tg_fail(TG_EINVAL, "token %d is outside the vocabulary of %lld", (int)tokens->ids[i],
                                    (long long)V));
            return false;
        }
    return true;
}

/* Logits [T, B, V]: log-probabilities. */
static tg_tensor *ngram_next(tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, tg_carry *carry)
{
    const tg_ngram *g = grams_of(m);
    const int64_t V = g->vocab, C = g->order - 1;
    if (!tokens || !in_vocabulary(t, tokens, V)) return NULL;
    const int64_t T = tokens->shape.dims[0], B = tokens->shape.dims[1];
    tg_tensor *logits = tg_tape_values(t, 3, (int64_t[]){T, B, V});
    if (!logits || !logits->data) return logits; /* no memory, or only a plan */
    for (int64_t b = 0; b < B; b++) {
        const bool carried = carry && C > 0;
        float last[TG_NGRAM_ORDERS] = {0};
        if (carried) memcpy(last, carry->data[0] + b * C, (size_t)C * sizeof *last);
        tg_ngram_context at = context_of(g, last);
        for (int64_t i = b; i < T * B; i += B) {
            if (reset && reset->ids[i]) {
                at = (tg_ngram_context){0};
                memset(last, 0, sizeof last);
            }
            tg_ngram_step(g, &at, tokens->ids[i]);
            memmove(last + 1, last, sizeof last - sizeof *last);
            last[0] = (float)(tokens->ids[i] + 1);
            tg_ngram_row(g, &at, logits->data + i * V);
        }
        if (carried) memcpy(carry->next[0] + b * C, last, (size_t)C * sizeof *last);
    }
    if (carry) tg_carry_swap(carry);
    return logits;
}

static const tg_learner ngram_learner = {.fit = ngram_fit, .loss = ngram_loss, .count = ngram_count, .rows = ngram_rows,
                                         .load = ngram_load, .room = ngram_room};

const tg_model_desc tg_model_ngram = {
    .name = "ngram", .title = "N-gram", .source = "Kneser & Ney 1995; Chen & Goodman 1998",
    .kinds = TG_KIND_TEXT, .keys = ngram_keys, .config_size = sizeof(ngram_config), .state_size = sizeof(ngram),
    .init = ngram_init, .free = ngram_free, .learner = &ngram_learner, .carry = ngram_carry, .next = ngram_next};
