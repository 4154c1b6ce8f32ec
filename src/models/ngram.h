/*
 * ngram.h - interpolated Kneser-Ney over tokens: counting (ngram_count.c), smoothing (ngram_smooth.c), looking up
 * (ngram_look.c). ngram.c makes a model of it; gen-preprocess has its baseline from here:
 *
 *     const tg_ngram_text train = {tokens, n, starts, documents}, val = ...;
 *     tg_ngram_fit(ctx, &train, V, 6, &g);
 *     tg_ngram_nats(ctx, g, &val, &nats);
 *     tg_ngram_free(g);
 *
 * The n-grams are a trie: those of one level are sorted by their tokens, first to last, so the continuations of one lie
 * side by side in the level above. Probabilities are kept as in an ARPA file: that of a seen n-gram whole, mixed with
 * those of lower orders already; an unseen one has its suffix's, times the back-off weight of its context.
 */
#ifndef TG_MODELS_NGRAM_H
#define TG_MODELS_NGRAM_H
#include "data/figures.h"

enum { TG_NGRAM_ORDERS = 8 }; /* most tokens of an n-gram */

/* Packed: tg_token_bytes(vocab) each, all below vocab. starts: where documents begin, ascending; there the context is
 * empty again. NULL: one document. tokenizer: tells which tokens are asked for; NULL: all are. Borrowed. */
typedef struct tg_ngram_text {
    const void *tokens;
    int64_t count;
    const int64_t *starts;
    int64_t documents;
    const tg_tokenizer *tokenizer;
} tg_ngram_text;

typedef struct tg_ngram_level {
    int64_t count;       /* level 1: the whole vocabulary, seen or not, each token at its own number */
    uint32_t *token;     /* [count] the last of each n-gram; level 1: NULL */
    uint32_t *first;     /* [count + 1] continuations of i are first[i] .. first[i+1]-1 of the next level; highest: NULL */
    float *log_prob;     /* [count] of the last token after the others */
    float *log_backoff;  /* [count] what lower orders weigh where i is the context; highest: NULL */
    uint32_t *times;     /* while fitting: how often, below the highest level after how many different tokens */
    uint32_t *suffix;    /* while fitting: the n-gram without its first token, in the level below */
} tg_ngram_level;

typedef struct tg_ngram {
    int64_t order, vocab;
    tg_ngram_level levels[TG_NGRAM_ORDERS + 1]; /* 1 .. order */
} tg_ngram;

/* The last tokens, as far as they have been seen together: node[k], 1 <= k <= length, are the last k. {0}: none. */
typedef struct tg_ngram_context { int64_t length; uint32_t node[TG_NGRAM_ORDERS]; } tg_ngram_context;

/* Learns from a text: one thread, the same bits everywhere, about 15 bytes a token while counting. ctx is told of the
 * progress and asked for the cancel flag; may be NULL. Errors: TG_EINVAL (order, no token), TG_EUNSUPPORTED (2^32 tokens
 * and more), TG_ECANCELLED, TG_ENOMEM. */
tg_status tg_ngram_fit(tg_context *ctx, const tg_ngram_text *text, int64_t vocab, int64_t order, tg_ngram **out);
/* Without any n-gram: the caller gives the levels memory (tg_alloc), which tg_ngram_free frees. */
tg_status tg_ngram_new(int64_t vocab, int64_t order, tg_ngram **out);
void tg_ngram_free(tg_ngram *g);
int64_t tg_ngram_count(const tg_ngram *g); /* n-grams of all levels */

/* Mean of -log p over all tokens but the first, and the first of each document: they are given, not predicted, as to
 * every model. NaN: none is left. Errors: TG_ECANCELLED. */
tg_status tg_ngram_nats(tg_context *ctx, const tg_ngram *g, const tg_ngram_text *text, double *nats);
/* log p of the token after the context, which moves on. */
double tg_ngram_step(const tg_ngram *g, tg_ngram_context *at, int32_t token);
/* The same for every token of the vocabulary: out [V]. */
void tg_ngram_row(const tg_ngram *g, const tg_ngram_context *at, float *out);

/* ---- between the parts ---- */
static inline uint32_t tg_ngram_token(const void *tokens, int width, int64_t i)
{
    return width == 1 ? ((const uint8_t *)tokens)[i]
         : width == 2 ? ((const uint16_t *)tokens)[i] : ((const uint32_t *)tokens)[i];
}
tg_status tg_ngram_gather(tg_context *ctx, const tg_ngram_text *text, tg_ngram *g); /* levels but for probabilities */
tg_status tg_ngram_smooth(tg_ngram *g);                                             /* probabilities from times */
#endif
