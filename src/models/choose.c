/*
 * choose.c - from logits to a token: repetition penalty, top-k, top-p, min-p, temperature, in this order.
 *
 * Filters cut the list of tokens sorted by logit (ties: the lower id first); the draw then walks what is kept in the
 * order of ids, so filters that cut nothing change nothing. Sums are sequential doubles, exp and log our own: the same
 * token on every machine. Sources: repetition penalty, Keskar et al. 2019, arXiv:1909.05858; top-k, Fan et al. 2018,
 * arXiv:1805.04833; top-p, Holtzman et al. 2019, arXiv:1904.09751; min-p, Nguyen et al. 2024, arXiv:2407.01082.
 */
#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"
#include "base/sort.h"
#include "tinygen/model.h"

#include <math.h>
#include <string.h>

typedef struct ranked { float logit; int32_t id; } ranked;

struct tg_chooser {
    tg_choice choice;
    int64_t vocab;
    bool *seen, *own; /* [vocab] for the repetition penalty; seen may be another's */
    bool *banned;     /* [vocab] never drawn */
    bool *kept;       /* [vocab] what the filters left */
    float *logits;    /* [vocab] after the penalty */
    ranked *order, *scratch;
};

static tg_status check_choice(const tg_choice *c)
{
    if (!(c->temperature >= 0)) return tg_fail(TG_EINVAL, "the temperature must be 0 or more");
    if (c->top_k < 0) return tg_fail(TG_EINVAL, "top-k must be 0 (all) or more");
    if (!(c->top_p > 0 && c->top_p <= 1)) return tg_fail(TG_EINVAL, "top-p must be above 0 and at most 1 (all)");
    if (!(c->min_p >= 0 && c->min_p <= 1)) return tg_fail(TG_EINVAL, "min-p must be in 0 (all) to 1");
    if (!(c->repeat_penalty > 0)) return tg_fail(TG_EINVAL, "the repetition penalty must be above 0 (1: none)");
    return TG_OK;
}

tg_status tg_chooser_new(const tg_choice *c, int64_t vocab, tg_chooser **out)
{
    tg_status s = check_choice(c);
    if (s) return s;
    if (vocab < 1 || vocab > INT32_MAX) return tg_fail(TG_EINVAL, "a vocabulary of %lld tokens", (long long)vocab);
    tg_chooser *h = tg_alloc(sizeof *h);
    if (!h) return TG_ENOMEM;
    h->choice = *c;
    h->vocab = vocab;
    h->seen = h->own = tg_alloc_array(vocab, sizeof *h->own);
    h->banned = tg_alloc_array(vocab, sizeof *h->banned);
    h->kept = tg_alloc_array(vocab, sizeof *h->kept);
    h->logits = tg_alloc_array(vocab, sizeof *h->logits);
    h->order = tg_alloc_array(vocab, sizeof *h->order);
    h->scratch = tg_alloc_array(vocab, sizeof *h->scratch);
    if (!h->seen || !h->banned || !h->kept || !h->logits || !h->order || !h->scratch) {
        tg_chooser_free(h);
        return TG_ENOMEM;
    }
    *out = h;
    return TG_OK;
}

void tg_chooser_free(tg_chooser *c)
{
    if (!c) return;
    tg_free(c->own);
    tg_free(c->banned);
    tg_free(c->kept);
    tg_free(c->logits);
    tg_free(c->order);
    tg_free(c->scratch);
    tg_free(c);
}

void tg_chooser_reset(tg_chooser *c)
{
    memset(c->seen, 0, (size_t)c->vocab * sizeof *c->seen);
}

void tg_chooser_seen(tg_chooser *c, bool *seen)
{
    c->seen = seen ? seen : c->own;
}

void tg_chooser_ban(tg_chooser *c, int32_t token)
{
    if (token >= 0 && token < c->vocab) c->banned[token] = true;
}

void tg_chooser_saw(tg_chooser *c, int32_t token)
{
    if (token >= 0 && token < c->vocab) c->seen[token] = true;
}

static int by_logit(const void *a, const void *b, void *user)
{
    const ranked *x = a, *y = b;
    (void)user;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Logits into c->order, largest first. What is not a number counts as the least. */
static void sort_logits(tg_chooser *c, const float *logits)
{
    for (int64_t i = 0; i < c->vocab; i++)
        c->order[i] = (ranked){logits[i] == logits[i] ? logits[i] : -3e38f, (int32_t)i};
    tg_sort(c->order, c->vocab, sizeof *c->order, c->scratch, by_logit, NULL);
}

static int32_t likeliest(const float *logits, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (logits[i] > logits[best] || logits[best] != logits[best]) best = i;
    return (int32_t)best;
}

static void penalise(tg_chooser *c, const float *logits)
{
    float r = (float)c->choice.repeat_penalty;
    for (int64_t i = 0; i < c->vocab; i++) {
        float x = logits[i];
        if (r != 1.0f && c->seen[i]) x = x > 0 ? x / r : x * r;
        if (c->banned[i]) x = -INFINITY;
        c->logits[i] = x;
    }
}

/* How many of the sorted tokens top-k, top-p and min-p leave; at least one. */
static int64_t filter(const tg_chooser *c)
{
    const tg_choice *h = &c->choice;
    int64_t n = h->top_k > 0 && h->top_k < c->vocab ? h->top_k : c->vocab;
    float top = c->order[0].logit;
    if (h->top_p < 1) {
        double total = 0, sum = 0;
        int64_t i = 0;
        for (int64_t k = 0; k < n; k++) total += tg_expf(c->order[k].logit - top);
        while (i < n && (i == 0 || sum < h->top_p * total)) sum += tg_expf(c->order[i++].logit - top);
        n = i;
    }
    if (h->min_p > 0) /* probability over the largest is exp(logit - top) */
        while (n > 1 && tg_expf(c->order[n - 1].logit - top) < h->min_p) n--;
    return n;
}

static void keep(tg_chooser *c)
{
    const tg_choice *h = &c->choice;
    bool all = (h->top_k <= 0 || h->top_k >= c->vocab) && h->top_p >= 1 && h->min_p <= 0;
    memset(c->kept, all, (size_t)c->vocab * sizeof *c->kept);
    if (all) return;
    sort_logits(c, c->logits);
    int64_t n = filter(c);
    for (int64_t i = 0; i < n; i++) c->kept[c->order[i].id] = true;
}

/* Replaces the logits by exp((logit - top) / temperature), 0 for what is filtered away or not a number; their sum. */
static double to_weights(tg_chooser *c)
{
    float top = c->logits[likeliest(c->logits, c->vocab)], temperature = (float)c->choice.temperature;
    double total = 0;
    for (int64_t i = 0; i < c->vocab; i++) {
        float x = c->logits[i];
        c->logits[i] = c->kept[i] && x == x ? tg_expf((x - top) / temperature) : 0;
        total += c->logits[i];
    }
    return total;
}

static int32_t draw(tg_chooser *c, float unit)
{
    double total = to_weights(c), sum = 0;
    int32_t last = 0;
    for (int64_t i = 0; i < c->vocab && (sum <= 0 || sum <= (double)unit * total); i++) {
        if (c->logits[i] <= 0) continue;
        last = (int32_t)i;
        sum += c->logits[i];
    }
    return last;
}

float tg_log_sum_exp(const float *logits, int64_t n)
{
    float top = logits[likeliest(logits, n)];
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += tg_expf(logits[i] - top);
    return top + tg_logf((float)total);
}

int32_t tg_chooser_draw(tg_chooser *c, const float *logits, uint64_t seed, int64_t sample, int64_t at, float *log_prob)
{
    int32_t token;
    penalise(c, logits);
    if ((float)c->choice.temperature <= 0) {
        token = likeliest(c->logits, c->vocab);
    } else {
        tg_rng r = tg_rng_at(seed, TG_RNG_SAMPLE, (uint64_t)sample);
        r.index = (uint64_t)at * 4; /* a Philox block a token */
        keep(c);
        token = draw(c, tg_rng_unit(&r));
    }
    if (log_prob) *log_prob = logits[token] - tg_log_sum_exp(logits, c->vocab);
    tg_chooser_saw(c, token);
    return token;
}

int64_t tg_chooser_top(tg_chooser *c, const float *logits, int32_t *ids, float *probs, int64_t room)
{
    int64_t n = room < c->vocab ? room : c->vocab;
    double total = 0;
    sort_logits(c, logits);
    float top = c->order[0].logit;
    for (int64_t i = 0; i < c->vocab; i++) total += tg_expf(c->order[i].logit - top);
    for (int64_t i = 0; i < n; i++) {
        ids[i] = c->order[i].id;
        probs[i] = (float)(tg_expf(c->order[i].logit - top) / total);
    }
    return n;
}
