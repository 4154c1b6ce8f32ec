/* Tests of models/ngram_count.c: which n-grams there are, in which order, for every width of a token; short texts; memory. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "models/ngram.h"
#include "test.h"

static tg_ngram *fit(const void *text, int64_t count, int64_t V, int64_t order)
{
    tg_ngram *g;
    CHECK_OK(tg_ngram_fit(NULL, &(tg_ngram_text){text, count, NULL, 0, NULL}, V, order, &g));
    return g;
}

TEST(ngrams_lie_sorted_below_their_contexts)
{
    /* 1 0 1 0 2: pairs 01 02 10, triples 010? no: 101, 010, 102 */
    tg_ngram *g = fit((uint8_t[]){1, 0, 1, 0, 2}, 5, 4, 3);
    CHECK_INT(g->levels[1].count, 4);
    CHECK_BYTES(g->levels[1].first, ((uint32_t[]){0, 2, 3, 3, 3}), 20);
    CHECK_INT(g->levels[2].count, 3);
    CHECK_BYTES(g->levels[2].token, ((uint32_t[]){1, 2, 0}), 12);
    CHECK_BYTES(g->levels[2].first, ((uint32_t[]){0, 1, 1, 3}), 16);
    CHECK_INT(g->levels[3].count, 3);
    CHECK_BYTES(g->levels[3].token, ((uint32_t[]){0, 1, 2}), 12);
    CHECK(g->levels[3].first == NULL && g->levels[3].times == NULL);
    CHECK_INT(tg_ngram_count(g), 10);
    tg_ngram_free(g);
}

static void same_levels(const tg_ngram *a, const tg_ngram *b)
{
    for (int64_t k = 2; k <= a->order; k++) {
        const tg_ngram_level *x = &a->levels[k], *y = &b->levels[k];
        CHECK_INT(x->count, y->count);
        CHECK_BYTES(x->token, y->token, x->count * 4);
        if (k == a->order) continue;
        CHECK_BYTES(x->first, y->first, (x->count + 1) * 4);
        CHECK_BYTES(x->log_backoff, y->log_backoff, x->count * 4);
    }
}

TEST(tokens_of_one_two_and_four_bytes_give_the_same_ngrams)
{
    enum { N = 3000 };
    static uint8_t one[N];
    static uint16_t two[N];
    static uint32_t four[N];
    tg_rng r = tg_rng_at(6, TG_RNG_TEST, 0);
    for (int i = 0; i < N; i++) one[i] = (uint8_t)tg_rng_below(&r, 7), two[i] = one[i], four[i] = one[i];
    tg_ngram *a = fit(one, N, 7, 5), *b = fit(two, N, 300, 5), *c = fit(four, N, 70000, 5);
    same_levels(a, b);
    same_levels(a, c);
    tg_ngram_free(a);
    tg_ngram_free(b);
    tg_ngram_free(c);
}

TEST(tokens_of_two_bytes_are_told_apart_by_both)
{
    const uint16_t text[] = {256, 0, 256, 1, 256, 0};
    tg_ngram *g = fit(text, 6, 300, 2);
    CHECK_INT(g->levels[2].count, 4);
    CHECK_INT(g->levels[1].first[257] - g->levels[1].first[256], 2);
    CHECK_INT(g->levels[2].token[2], 0);
    CHECK_INT(g->levels[2].token[3], 1);
    tg_ngram_free(g);
}

TEST(texts_shorter_than_the_order_have_what_they_have)
{
    tg_ngram *g = fit((uint8_t[]){1, 0}, 2, 2, 8);
    CHECK_INT(g->levels[2].count, 1);
    CHECK_INT(g->levels[3].count, 0);
    tg_ngram_context at = {0};
    for (int i = 0; i < 20; i++) {
        float row[2];
        tg_ngram_row(g, &at, row);
        CHECK(fabs(exp((double)row[0]) + exp((double)row[1]) - 1) < 1e-6);
        CHECK(tg_ngram_step(g, &at, i % 2) <= 0);
    }
    tg_ngram_free(g);
    double nats = 0;
    g = fit((uint8_t[]){0}, 1, 1, 3);
    CHECK_OK(tg_ngram_nats(NULL, g, &(tg_ngram_text){(uint8_t[]){0}, 1, NULL, 0, NULL}, &nats));
    CHECK(isnan(nats)); /* the first is given */
    tg_ngram_free(g);
}

TEST(what_cannot_be_counted_is_said)
{
    tg_ngram *g;
    const tg_ngram_text some = {(uint8_t[]){0, 1}, 2, NULL, 0, NULL}, none = {NULL, 0, NULL, 0, NULL};
    CHECK_ERROR(tg_ngram_fit(NULL, &none, 2, 3, &g), TG_EINVAL, "no token");
    CHECK_ERROR(tg_ngram_fit(NULL, &some, 2, 0, &g), TG_EINVAL, "1 to 8 tokens, not 0");
    CHECK_ERROR(tg_ngram_fit(NULL, &some, 2, 9, &g), TG_EINVAL, "1 to 8 tokens, not 9");
    CHECK_ERROR(tg_ngram_fit(NULL, &(tg_ngram_text){some.tokens, UINT32_MAX, NULL, 0, NULL}, 2, 3, &g), TG_EUNSUPPORTED, "at most");
}

TEST(documents_are_scored_each_from_an_empty_context)
{
    const uint8_t text[] = {0, 1, 1, 0, 2, 2, 1, 0, 1, 2};
    tg_ngram *g = fit(text, 10, 3, 4);
    double all, first, second;
    CHECK_OK(tg_ngram_nats(NULL, g, &(tg_ngram_text){text, 4, NULL, 0, NULL}, &first));
    CHECK_OK(tg_ngram_nats(NULL, g, &(tg_ngram_text){text + 4, 6, NULL, 0, NULL}, &second));
    CHECK_OK(tg_ngram_nats(NULL, g, &(tg_ngram_text){text, 10, (int64_t[]){0, 4}, 2, NULL}, &all));
    CHECK(fabs(all - (first * 3 + second * 5) / 8) < 1e-12);
    tg_ngram_free(g);
}

TEST(any_allocation_may_fail_and_nothing_is_lost)
{
    uint8_t text[300];
    const tg_ngram_text t = {text, 300, NULL, 0, NULL};
    tg_ngram *g = NULL;
    for (int i = 0; i < 300; i++) text[i] = (uint8_t)(i * i % 11);
    const int64_t live = tg_alloc_live();
    int64_t n = 1;
    for (;; n++) {
        tg_alloc_fail_at(n, false);
        const tg_status s = tg_ngram_fit(NULL, &t, 11, 3, &g);
        tg_alloc_fail_at(0, false);
        if (!s) break;
        CHECK_INT(s, TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), live);
    }
    CHECK(n > 20);
    tg_ngram_free(g);
    CHECK_INT(tg_alloc_live(), live);
}
