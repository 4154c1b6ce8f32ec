/* figures.h - what can be said of a text's tokens by counting: how much there is, what the splits share, baselines. */
#ifndef TG_DATA_FIGURES_H
#define TG_DATA_FIGURES_H
#include "base/scratch.h"
#include "tinygen/data.h"

enum { TG_SPLITS = 3 };

typedef struct tg_figures {
    int64_t vocab;              /* of the tokeniser */
    int64_t counts[TG_SPLITS];  /* tokens, as given */
    int64_t targets[TG_SPLITS]; /* tokens that a loss asks for: all but starts and classes */
    int64_t bytes[TG_SPLITS], chars[TG_SPLITS];
    int64_t kinds[TG_SPLITS];   /* different symbols: tokens that are not special */
    int64_t kinds_in_all;
    int32_t some_token;         /* one that occurs */
    int64_t unseen[TG_SPLITS];  /* tokens of a split whose kind training does not have */
    double uniform;             /* nats per target: log of how many kinds may be one */
    double ngram;               /* the same of an n-gram model that training's beginning was counted for; NaN: none */
    double unigram;             /* of validation (of training where there is none) under training's counts plus one */
} tg_figures;

/* Bytes that a token id takes in a file: 1, 2 or 4, the narrowest. */
int tg_token_bytes(int64_t vocab);
/* tokens: all splits one behind the other, each tg_token_bytes long. Logarithms are our own, so the figures are the
 * same bits everywhere. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_figures_count(const tg_tokenizer *t, tg_scratch *tokens, const int64_t counts[TG_SPLITS], tg_figures *out);
#endif
