/* Tests of models/ngram_smooth.c and ngram_look.c: numbers by hand, a reference that only counts, sums of probabilities. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "models/ngram.h"
#include "test.h"

static tg_ngram *fit(const uint8_t *text, int64_t count, const int64_t *starts, int64_t documents, int64_t V, int64_t order)
{
    tg_ngram *g;
    CHECK_OK(tg_ngram_fit(NULL, &(tg_ngram_text){text, count, starts, documents, NULL}, V, order, &g));
    return g;
}

static tg_ngram_context after(const tg_ngram *g, const uint8_t *context, int64_t count)
{
    tg_ngram_context at = {0};
    for (int64_t i = 0; i < count; i++) tg_ngram_step(g, &at, context[i]);
    return at;
}

static double prob(const tg_ngram *g, const uint8_t *context, int64_t count, int32_t token)
{
    tg_ngram_context at = after(g, context, count);
    return exp(tg_ngram_step(g, &at, token));
}

static void near(double got, double want)
{
    CHECK_CLOSE(&(float){(float)got}, &want, 1, 1e-6);
}

/* ---- by hand ---- */

/* a b a c, pairs, three tokens. Counted from the left: a comes after b and opens the text, so 2; b 1, c 1. All counts of
 * counts have holes, so discounts are 1/2, 1, 3/2. One token: g = (1 + 1/2 + 1/2)/4 = 1/2, so p(a) = (2 - 1)/4 + 1/6 = 5/12,
 * p(b) = p(c) = (1 - 1/2)/4 + 1/6 = 7/24. After a: b and c once each, g = (1/2 + 1/2)/2. After b: a once, g = 1/2. */
TEST(four_tokens_give_the_numbers_worked_out_by_hand)
{
    enum { a, b, c };
    tg_ngram *g = fit((uint8_t[]){a, b, a, c}, 4, NULL, 0, 3, 2);
    near(prob(g, NULL, 0, a), 5.0 / 12);
    near(prob(g, NULL, 0, b), 7.0 / 24);
    near(prob(g, NULL, 0, c), 7.0 / 24);
    near(prob(g, (uint8_t[]){a}, 1, b), 0.5 / 2 + 0.5 * 7 / 24);
    near(prob(g, (uint8_t[]){a}, 1, c), 0.5 / 2 + 0.5 * 7 / 24);
    near(prob(g, (uint8_t[]){a}, 1, a), 0.5 * 5 / 12);
    near(prob(g, (uint8_t[]){b}, 1, a), 0.5 / 1 + 0.5 * 5 / 12);
    near(prob(g, (uint8_t[]){b}, 1, c), 0.5 * 7 / 24);
    near(prob(g, (uint8_t[]){c}, 1, b), 7.0 / 24); /* nothing was seen after c */
    double nats;
    CHECK_OK(tg_ngram_nats(NULL, g, &(tg_ngram_text){(uint8_t[]){a, b, a}, 3, NULL, 0, NULL}, &nats));
    near(nats, (log(48.0 / 19) + log(24.0 / 17)) / 2);
    tg_ngram_free(g);
}

TEST(order_one_is_the_share_of_each_token_mixed_with_the_uniform)
{
    /* 5, 3, 1 of 9 and one that never came, the discounts 3/2, 3/2, 1/2. */
    tg_ngram *g = fit((uint8_t[]){0, 1, 0, 0, 2, 1, 0, 1, 0}, 9, NULL, 0, 4, 1);
    const double rest = 3.5 / 9 / 4;
    near(prob(g, NULL, 0, 0), 3.5 / 9 + rest);
    near(prob(g, (uint8_t[]){1, 2}, 2, 1), 1.5 / 9 + rest);
    near(prob(g, NULL, 0, 2), 0.5 / 9 + rest);
    near(prob(g, NULL, 0, 3), rest);
    tg_ngram_free(g);
}

/* ---- a reference: the formula, every count by reading the whole text ---- */

enum { N = 900, MOST = 4 };
static uint8_t text[N];
static const int64_t begins[] = {0, 1, 9, 200, 202, 777};
static struct reference { int64_t V, order, documents; int estimated, plain; } r;

static bool opens_at(int64_t p)
{
    if (p == 0) return true;
    for (int64_t d = 0; d < r.documents; d++)
        if (begins[d] == (int64_t)p) return true;
    return false;
}

static bool lies_at(const uint8_t *gram, int64_t n, int64_t p)
{
    if (p + n > N || memcmp(text + p, gram, (size_t)n)) return false;
    for (int64_t i = 1; i < n; i++)
        if (opens_at(p + i)) return false;
    return true;
}

static int64_t times(const uint8_t *gram, int64_t n)
{
    bool before[257] = {false};
    int64_t count = 0;
    for (int64_t p = 0; p < N; p++) {
        if (!lies_at(gram, n, p)) continue;
        const int left = n == r.order ? 0 : opens_at(p) ? 256 : text[p - 1];
        count += n == r.order || !before[left];
        before[left] = true;
    }
    return count;
}

static void discounts(int64_t n, double D[4])
{
    double of[6] = {0};
    for (int64_t p = 0; p < N; p++) {
        bool first = lies_at(text + p, n, p);
        for (int64_t q = 0; q < p && first; q++) first = !lies_at(text + p, n, q);
        const int64_t t = first ? times(text + p, n) : 5;
        of[t < 5 ? t : 5]++;
    }
    const double Y = of[1] / (of[1] + 2 * of[2]);
    bool fine = of[1] > 0 && of[2] > 0 && of[3] > 0 && of[4] > 0;
    for (int c = 1; c <= 3 && fine; c++) fine = (D[c] = c - (c + 1) * Y * of[c + 1] / of[c]) > 0;
    for (int c = 1; c <= 3 && !fine; c++) D[c] = c / 2.0;
    r.estimated += fine;
    r.plain += !fine;
    D[0] = 0;
}

static double table[MOST + 1][4];

static double reference(const uint8_t *context, int64_t n, uint8_t token)
{
    uint8_t gram[MOST];
    double sum = 0, taken = 0, own = 0;
    if (n < 0) return 1 / (double)r.V;
    memcpy(gram, context, (size_t)n);
    for (int64_t w = 0; w < r.V; w++) {
        gram[n] = (uint8_t)w;
        const int64_t t = times(gram, n + 1);
        const double D = table[n + 1][t < 3 ? t : 3];
        sum += (double)t;
        taken += D;
        if (w == token) own = (double)t - D;
    }
    const double lower = n == 0 ? 1 / (double)r.V : reference(context + 1, n - 1, token);
    return sum > 0 ? own / sum + taken / sum * lower : lower;
}

static void same_as_reference(int64_t order, int64_t documents)
{
    const int64_t V = 9;
    tg_rng rng = tg_rng_at(3, TG_RNG_TEST, 0);
    r.V = V;
    r.order = order;
    r.documents = documents;
    for (int i = 0; i < N; i++) { /* likely after what came before, so that long n-grams come again */
        const int64_t x = tg_rng_below(&rng, 16);
        text[i] = (uint8_t)(x < 10 && i > 1 ? (text[i - 1] * 3 + text[i - 2]) % 8 : x < 13 ? x % 3 : x % 8); /* never 8 */
    }
    for (int64_t n = 1; n <= order; n++) discounts(n, table[n]);
    tg_ngram *g = fit(text, N, documents ? begins : NULL, documents, V, order);
    float row[9];
    for (int trial = 0; trial < 60; trial++) {
        uint8_t context[MOST];
        const int64_t n = tg_rng_below(&rng, order);
        const int64_t from = tg_rng_below(&rng, N - MOST);
        for (int64_t i = 0; i < n; i++) context[i] = trial % 2 ? text[from + i] : (uint8_t)tg_rng_below(&rng, (int64_t)V);
        const tg_ngram_context at = after(g, context, n);
        tg_ngram_row(g, &at, row);
        for (int64_t w = 0; w < V; w++) {
            const double want = log(reference(context, n, (uint8_t)w));
            tg_ngram_context moved = at;
            CHECK_CLOSE(&(float){(float)tg_ngram_step(g, &moved, (int32_t)w)}, &want, 1, 1e-6);
            CHECK_CLOSE(&row[w], &want, 1, 1e-6);
        }
    }
    tg_ngram_free(g);
}

TEST(probabilities_are_those_of_the_formula_counted_anew_for_each)
{
    same_as_reference(1, 0);
    same_as_reference(2, 0);
    same_as_reference(4, 0);
    CHECK(r.estimated > 0 && r.plain > 0); /* both ways to a discount were taken */
}

TEST(no_ngram_reaches_over_the_start_of_a_document)
{
    same_as_reference(2, 6);
    same_as_reference(4, 6);
}

/* ---- sums ---- */

TEST(the_probabilities_after_any_context_sum_to_one)
{
    enum { LENGTH = 6000, V = 60 };
    static uint8_t many[LENGTH];
    float row[V];
    double worst = 0;
    tg_rng rng = tg_rng_at(4, TG_RNG_TEST, 0);
    for (int i = 0; i < LENGTH; i++) many[i] = (uint8_t)(tg_rng_below(&rng, 8) * tg_rng_below(&rng, 7) + (i > 2 ? many[i - 3] % 3 : 0));
    for (int64_t order = 1; order <= TG_NGRAM_ORDERS; order++) {
        tg_ngram *g = fit(many, LENGTH, NULL, 0, V, order);
        for (int trial = 0; trial < 400; trial++) {
            uint8_t context[TG_NGRAM_ORDERS];
            const int64_t n = tg_rng_below(&rng, TG_NGRAM_ORDERS), from = tg_rng_below(&rng, LENGTH - TG_NGRAM_ORDERS);
            for (int64_t i = 0; i < n; i++)
                context[i] = trial % 4 ? many[from + i] : (uint8_t)tg_rng_below(&rng, V);
            const tg_ngram_context at = after(g, context, n);
            double sum = 0;
            tg_ngram_row(g, &at, row);
            for (int w = 0; w < V; w++) sum += exp((double)row[w]);
            if (fabs(sum - 1) > worst) worst = fabs(sum - 1);
        }
        tg_ngram_free(g);
    }
    test_note("farthest from 1: %lld e-9", (long long)(worst * 1e9));
    CHECK(worst < 1e-6);
}
