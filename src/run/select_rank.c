/* select_rank.c - which of several models is the best, which cannot be told apart from it, and which of those is the cheapest. */
#include "run/select.h"

#include "base/alloc.h"
#include "base/sort.h"

#include <math.h>

static const double MS_ALIKE = 1.25; /* times that differ by less are the same: another measurement would turn them round */

/* Whether both have looked at the same pieces: then what one piece has in difficulty falls out of their difference. */
static bool paired(const tg_contender *a, const tg_contender *b)
{
    if (!a->pieces || !b->pieces || a->count != b->count || a->context != b->context || a->scale != b->scale) return false;
    for (int64_t i = 0; i < a->count; i++)
        if (a->pieces[i].items != b->pieces[i].items) return false;
    return true;
}

/* Of a's value, by how its pieces differ; or, with b, of how much it is above b's. Pieces may be of another pass, whose mean is
 * off by rounding or by other noise: the interval goes where the value is. */
static tg_status interval_of(const tg_contender *a, const tg_contender *b, uint64_t seed, tg_interval *out)
{
    int64_t n = 0;
    double sum = 0, weight = 0;
    *out = a->pieces || a->told.low >= a->told.high ? (tg_interval){NAN, NAN} : a->told;
    if (!a->pieces || a->count < 2) return TG_OK;
    double *x = tg_alloc_array(a->count, sizeof *x), *weights = tg_alloc_array(a->count, sizeof *weights);
    tg_status s = x && weights ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < a->count && !s; i++) {
        if (a->pieces[i].items == 0) continue; /* the tail of a split may have no target */
        weights[n] = (double)a->pieces[i].items;
        x[n] = a->scale * (b ? a->pieces[i].loss - b->pieces[i].loss : a->pieces[i].loss);
        sum += x[n] * weights[n];
        weight += weights[n++];
    }
    if (!s && n > 1) s = tg_bootstrap_weighed(x, weights, n, TG_RANK_DRAWS, seed, out);
    const double off = a->value - (b ? b->value : 0) - sum / weight;
    out->low += off;
    out->high += off;
    tg_free(x);
    tg_free(weights);
    return s;
}

/* Where nothing is known of how far a value may be off, it is taken as it is. */
static double low_of(const tg_contender *c) { return isnan(c->interval.low) ? c->value : c->interval.low; }
static double high_of(const tg_contender *c) { return isnan(c->interval.high) ? c->value : c->interval.high; }

static tg_status same(const tg_contender *best, const tg_contender *other, uint64_t seed, bool *out)
{
    tg_interval gap;
    *out = low_of(other) <= high_of(best);
    if (!paired(best, other)) return TG_OK;
    tg_status s = interval_of(other, best, seed, &gap);
    if (!s && !isnan(gap.low)) *out = gap.low <= 0;
    return s;
}

static int by_value(const void *a, const void *b, void *user)
{
    const tg_contender *c = user;
    const int64_t i = *(const int64_t *)a, k = *(const int64_t *)b;
    if (c[i].value != c[k].value) return c[i].value < c[k].value ? -1 : 1;
    return i < k ? -1 : i > k;
}

/* Below 0: a is cheaper. */
static int compare_cost(const tg_contender *a, const tg_contender *b, tg_select_why *why)
{
    *why = TG_WHY_PARAMS;
    if (a->params != b->params) return a->params < b->params ? -1 : 1;
    *why = TG_WHY_MS;
    if (a->ms * MS_ALIKE < b->ms) return -1;
    if (b->ms * MS_ALIKE < a->ms) return 1;
    *why = TG_WHY_BYTES;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? -1 : 1;
    return 0;
}

static void mark_front(tg_contender *c, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        c[i].front = true;
        for (int64_t k = 0; k < n; k++) {
            const bool as_good = c[k].value <= c[i].value && c[k].params <= c[i].params;
            if (as_good && (c[k].value < c[i].value || c[k].params < c[i].params)) c[i].front = false;
        }
    }
}

tg_status tg_rank(tg_contender *c, int64_t n, uint64_t seed, int64_t *order, tg_ranking *out)
{
    tg_status s = TG_OK;
    tg_select_why why;
    int64_t *scratch = tg_alloc_array(n, sizeof *scratch), ties = 0;
    if (!scratch) return TG_ENOMEM;
    for (int64_t i = 0; i < n; i++) order[i] = i;
    tg_sort(order, n, sizeof *order, scratch, by_value, c);
    tg_free(scratch);
    for (int64_t i = 0; i < n && !s; i++) s = interval_of(&c[i], NULL, seed, &c[i].interval);
    for (int64_t i = 0; i < n && !s; i++) {
        c[order[i]].tied = i == 0;
        if (i > 0) s = same(&c[order[0]], &c[order[i]], seed, &c[order[i]].tied);
        ties += c[order[i]].tied;
    }
    if (s) return s;
    mark_front(c, n);
    *out = (tg_ranking){.order = order, .chosen = order[0], .ties = ties, .why = n == 1 ? TG_WHY_ALONE : TG_WHY_BEST};
    for (int64_t i = 1; i < n; i++) /* the best first, so that of those which cost the same the best stays */
        if (c[order[i]].tied && compare_cost(&c[order[i]], &c[out->chosen], &why) < 0) out->chosen = order[i];
    if (out->chosen != order[0]) (void)compare_cost(&c[out->chosen], &c[order[0]], &out->why);
    return TG_OK;
}
