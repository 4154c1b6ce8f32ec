/* ngram_look.c - asking n-grams: how likely a token is, and a whole text. */
#include "models/ngram.h"

#include "base/alloc.h"
#include "base/meter.h"
#include "data/text/tokenizer.h"

#include <math.h>

enum { PART = 1 << 18 };

tg_status tg_ngram_new(int64_t vocab, int64_t order, tg_ngram **out)
{
    if (order < 1 || order > TG_NGRAM_ORDERS)
        return tg_fail(TG_EINVAL, "n-grams have 1 to %d tokens, not %lld", TG_NGRAM_ORDERS, (long long)order);
    tg_ngram *g = tg_alloc(sizeof *g);
    if (!g) return TG_ENOMEM;
    g->vocab = vocab;
    g->order = order;
    *out = g;
    return TG_OK;
}

void tg_ngram_free(tg_ngram *g)
{
    if (!g) return;
    for (int64_t k = 1; k <= g->order; k++) {
        tg_ngram_level *l = &g->levels[k];
        tg_free(l->token);
        tg_free(l->first);
        tg_free(l->log_prob);
        tg_free(l->log_backoff);
        tg_free(l->times);
        tg_free(l->suffix);
    }
    tg_free(g);
}

tg_status tg_ngram_fit(tg_context *ctx, const tg_ngram_text *text, int64_t vocab, int64_t order, tg_ngram **out)
{
    tg_ngram *g = NULL;
    if (text->count < 1 || vocab < 1) return tg_fail(TG_EINVAL, "there is no token to count");
    if (text->count >= UINT32_MAX)
        return tg_fail(TG_EUNSUPPORTED, "%lld tokens; n-grams are counted in at most 4,294,967,294", (long long)text->count);
    tg_status s = tg_ngram_new(vocab, order, &g);
    if (!s) s = tg_ngram_gather(ctx, text, g);
    if (!s) s = tg_ngram_smooth(g);
    if (s) tg_ngram_free(g);
    else *out = g;
    return s;
}

int64_t tg_ngram_count(const tg_ngram *g)
{
    int64_t n = 0;
    for (int64_t k = 1; k <= g->order; k++) n += g->levels[k].count;
    return n;
}

/* The continuation of an n-gram of level k by a token, in level k + 1. */
static bool find(const tg_ngram *g, int64_t k, uint32_t node, uint32_t token, uint32_t *out)
{
    const uint32_t *tokens = g->levels[k + 1].token;
    uint32_t low = g->levels[k].first[node], high = g->levels[k].first[node + 1];
    const uint32_t end = high;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (tokens[middle] < token) low = middle + 1;
        else high = middle;
    }
    *out = low;
    return low < end && tokens[low] == token;
}

/* Weight of what is known of the last k tokens only, where more are given. */
static double weight_of(const tg_ngram *g, const tg_ngram_context *at, int64_t k)
{
    double sum = 0;
    for (k++; k <= at->length; k++) sum += (double)g->levels[k].log_backoff[at->node[k]];
    return sum;
}

/* If an n-gram was seen, so were its suffixes: the search goes up until the first that was not. */
double tg_ngram_step(const tg_ngram *g, tg_ngram_context *at, int32_t token)
{
    const uint32_t w = (uint32_t)token;
    tg_ngram_context next = {.node = {0, w}};
    float log_prob = g->levels[1].log_prob[w];
    int64_t k = 0;
    for (uint32_t node; k < at->length && find(g, k + 1, at->node[k + 1], w, &node); k++) {
        log_prob = g->levels[k + 2].log_prob[node];
        if (k + 2 < g->order) next.node[k + 2] = node;
    }
    const double sum = (double)log_prob + weight_of(g, at, k);
    next.length = k + 1 < g->order ? k + 1 : g->order - 1;
    *at = next;
    return sum;
}

void tg_ngram_row(const tg_ngram *g, const tg_ngram_context *at, float *out)
{
    const double all = weight_of(g, at, 0);
    for (int64_t w = 0; w < g->vocab; w++) out[w] = (float)((double)g->levels[1].log_prob[w] + all);
    for (int64_t k = 1; k <= at->length; k++) {
        const tg_ngram_level *l = &g->levels[k + 1];
        const uint32_t *first = g->levels[k].first + at->node[k];
        const double weight = weight_of(g, at, k);
        for (uint32_t i = first[0]; i < first[1]; i++) out[l->token[i]] = (float)((double)l->log_prob[i] + weight);
    }
}

tg_status tg_ngram_nats(tg_context *ctx, const tg_ngram *g, const tg_ngram_text *text, double *nats)
{
    const int width = tg_token_bytes(g->vocab);
    tg_meter meter = tg_meter_start(ctx, "evaluate", "tokens", text->count);
    tg_ngram_context at = {0};
    double sum = 0;
    int64_t counted = 0, d = 0;
    tg_status s = TG_OK;
    for (int64_t i = 0; i < text->count && !s; i++) {
        bool begins = i == 0;
        for (; text->starts && d < text->documents && text->starts[d] <= i; d++) begins = true;
        if (begins) at.length = 0;
        const uint32_t token = tg_ngram_token(text->tokens, width, i);
        const double log_prob = tg_ngram_step(g, &at, (int32_t)token);
        const bool asked = !begins && (!text->tokenizer || tg_token_is_target(text->tokenizer, (int32_t)token));
        sum -= asked ? log_prob : 0;
        counted += asked;
        if (i % PART == PART - 1) s = tg_meter_add(&meter, PART);
    }
    if (!s) s = tg_meter_add(&meter, text->count % PART);
    tg_meter_end(&meter);
    if (!s) *nats = counted ? sum / (double)counted : (double)NAN;
    return s;
}
