/*
 * ngram_smooth.c - probabilities from counts: modified Kneser-Ney, interpolated.
 *
 *   p(w | h) = (c(hw) - D(c(hw))) / c(h) + g(h) p(w | h')        h' is h without its first token, c(h) the sum over w
 *   g(h)     = (D1 N1(h) + D2 N2(h) + D3 N3(h)) / c(h)           Nc(h): tokens seen c times after h, N3: three and more
 *   Y = n1 / (n1 + 2 n2),  Dc = c - (c + 1) Y n(c+1) / nc        nc: n-grams of this level seen c times
 *
 * Below the lowest order, p is 1 / V. Source: Chen & Goodman 1998, TR-10-98 (its journal form: Computer Speech and
 * Language 13, 1999), modified Kneser-Ney, page 20 with eq. 26; counts of lower orders: Kneser & Ney 1995.
 * Products, sums and quotients are doubles in a fixed order and the logarithm is our own: the same bits everywhere.
 */
#include "models/ngram.h"

#include "base/alloc.h"
#include "base/fmath.h"

/* Where too little is there to estimate discounts, or what comes out makes no sense (short texts, small vocabularies): all
 * must lie above 0, so that nothing is impossible, and below their counts. */
static const double plain_discounts[] = {0, 0.5, 1, 1.5};

typedef struct discounts { double of[4]; } discounts; /* by count; 3: three and more */

static uint32_t capped(uint32_t times)
{
    return times < 3 ? times : 3;
}

static discounts estimate(const tg_ngram_level *l)
{
    double n[5] = {0};
    discounts d;
    bool good = true;
    for (int64_t i = 0; i < l->count; i++)
        if (l->times[i] < 5) n[l->times[i]]++;
    const double Y = n[1] / (n[1] + 2 * n[2]);
    for (int c = 0; c < 4; c++) {
        d.of[c] = c == 0 ? 0 : c - (c + 1) * Y * n[c + 1] / n[c];
        good = good && (c == 0 || (n[c] > 0 && n[c + 1] > 0 && d.of[c] > 0));
    }
    for (int c = 0; c < 4 && !good; c++) d.of[c] = plain_discounts[c];
    return d;
}

/* The n-grams first .. end-1 of a level continue one context. lower: probabilities of the level below, NULL: uniform.
 * Fills prob; returns the context's g, 1 where nothing was ever seen after it. */
static double share_out(const tg_ngram *g, int64_t k, const discounts *d, int64_t first, int64_t end,
                        const double *lower, double *prob)
{
    const tg_ngram_level *l = &g->levels[k];
    double sum = 0, taken = 0;
    for (int64_t i = first; i < end; i++) {
        sum += l->times[i];
        taken += d->of[capped(l->times[i])];
    }
    if (sum <= 0) return 1;
    const double rest = taken / sum;
    for (int64_t i = first; i < end; i++) {
        const double below = lower ? lower[l->suffix[i]] : 1 / (double)g->vocab;
        prob[i] = (l->times[i] - d->of[capped(l->times[i])]) / sum + rest * below;
    }
    return rest;
}

static tg_status smooth_level(tg_ngram *g, int64_t k, const double *lower, double *prob)
{
    tg_ngram_level *l = &g->levels[k];
    const discounts d = estimate(l);
    l->log_prob = tg_alloc_array(l->count, sizeof *l->log_prob);
    if (!l->log_prob) return TG_ENOMEM;
    if (k == 1) {
        share_out(g, 1, &d, 0, l->count, NULL, prob);
    } else {
        tg_ngram_level *context = l - 1;
        context->log_backoff = tg_alloc_array(context->count, sizeof *context->log_backoff);
        if (!context->log_backoff) return TG_ENOMEM;
        for (int64_t i = 0; i < context->count; i++) {
            const double rest = share_out(g, k, &d, context->first[i], context->first[i + 1], lower, prob);
            context->log_backoff[i] = tg_logf((float)rest);
        }
    }
    for (int64_t i = 0; i < l->count; i++) l->log_prob[i] = tg_logf((float)prob[i]);
    return TG_OK;
}

tg_status tg_ngram_smooth(tg_ngram *g)
{
    tg_status s = TG_OK;
    double *lower = NULL;
    for (int64_t k = 1; k <= g->order && !s; k++) {
        tg_ngram_level *l = &g->levels[k];
        double *prob = tg_alloc_array(l->count, sizeof *prob);
        s = prob ? smooth_level(g, k, lower, prob) : TG_ENOMEM;
        tg_free(lower);
        tg_free(l->times);
        tg_free(l->suffix);
        l->times = l->suffix = NULL;
        lower = prob;
    }
    tg_free(lower);
    return s;
}
