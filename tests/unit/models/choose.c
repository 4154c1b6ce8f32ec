/* Tests of models/choose.c: which tokens may be drawn, how often, and that nothing but (seed, sample, position) decides. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "test.h"
#include "tinygen/model.h"

enum { V = 8, DRAWS = 40000 };

/* Two ties (ids 2 and 5), one far below. */
static const float logits[V] = {1.0f, 3.0f, 2.0f, -1.0f, 0.5f, 2.0f, -8.0f, 0.0f};

static const tg_choice neutral = {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .repeat_penalty = 1};

static tg_chooser *chooser_of(tg_choice c)
{
    tg_chooser *h;
    CHECK_OK(tg_chooser_new(&c, V, &h));
    return h;
}

/* How often each token comes in n draws, nothing remembered between them. */
static void count_draws(tg_choice c, int64_t n, int64_t counts[V])
{
    tg_chooser *h = chooser_of(c);
    memset(counts, 0, V * sizeof *counts);
    for (int64_t at = 0; at < n; at++) {
        float log_prob;
        tg_chooser_reset(h);
        counts[tg_chooser_draw(h, logits, 7, 0, at, &log_prob)]++;
    }
    tg_chooser_free(h);
}

/* The distribution over the tokens of `kept`, in plain double. */
static void reference(const bool kept[V], double temperature, double p[V])
{
    double sum = 0;
    for (int i = 0; i < V; i++) sum += p[i] = kept[i] ? exp((double)logits[i] / temperature) : 0;
    for (int i = 0; i < V; i++) p[i] /= sum;
}

/* Frequencies are within five deviations of the reference, and what is not kept never comes. */
static void check_frequencies(tg_choice c, const char *kept_ids)
{
    bool kept[V] = {false};
    double p[V];
    int64_t counts[V];
    for (const char *k = kept_ids; *k; k++) kept[*k - '0'] = true;
    reference(kept, c.temperature, p);
    count_draws(c, DRAWS, counts);
    for (int i = 0; i < V; i++) {
        double deviation = sqrt(DRAWS * p[i] * (1 - p[i]));
        if (!kept[i]) CHECK_INT(counts[i], 0);
        CHECK(fabs((double)counts[i] - DRAWS * p[i]) <= 5 * deviation + 1e-9);
    }
}

TEST(draws_follow_the_softmax)
{
    check_frequencies(neutral, "01234567");
}

TEST(temperature_sharpens_and_flattens)
{
    tg_choice c = neutral;
    c.temperature = 0.5;
    check_frequencies(c, "01234567");
    c.temperature = 3;
    check_frequencies(c, "01234567");
}

TEST(top_k_keeps_the_likeliest_and_the_lower_id_of_a_tie)
{
    tg_choice c = neutral;
    c.top_k = 2;
    check_frequencies(c, "12");
    c.top_k = 3;
    check_frequencies(c, "125");
}

TEST(top_p_keeps_the_shortest_list_that_reaches_it)
{
    /* probabilities in order: 1: 0.487, 2 and 5: 0.179 each, 0: 0.066, 4: 0.040, ... */
    tg_choice c = neutral;
    c.top_p = 0.48;
    check_frequencies(c, "1");
    c.top_p = 0.5;
    check_frequencies(c, "12");
    c.top_p = 0.86;
    check_frequencies(c, "1250");
}

TEST(top_p_counts_before_temperature)
{
    tg_choice c = neutral;
    c.top_p = 0.5;
    c.temperature = 100; /* flat afterwards: nearly even, over the same two */
    check_frequencies(c, "12");
}

TEST(top_p_counts_what_top_k_left)
{
    tg_choice c = neutral;
    c.top_k = 3; /* 1, 2, 5: 0.576, 0.212, 0.212 */
    c.top_p = 0.57;
    check_frequencies(c, "1");
}

TEST(min_p_is_a_share_of_the_likeliest)
{
    tg_choice c = neutral;
    c.min_p = 0.1; /* e^(x-3) >= 0.1: x >= 0.697 */
    check_frequencies(c, "1250");
    c.min_p = 1;
    check_frequencies(c, "1");
}

TEST(filters_that_cut_nothing_change_no_draw)
{
    tg_choice loose = neutral;
    loose.top_k = V;
    loose.top_p = 1;
    loose.min_p = 1e-9;
    tg_chooser *a = chooser_of(neutral), *b = chooser_of(loose);
    for (int64_t at = 0; at < 2000; at++)
        CHECK_INT(tg_chooser_draw(a, logits, 3, 1, at, NULL), tg_chooser_draw(b, logits, 3, 1, at, NULL));
    tg_chooser_free(a);
    tg_chooser_free(b);
}

TEST(temperature_0_takes_the_likeliest)
{
    tg_choice c = neutral;
    c.temperature = 0;
    tg_chooser *h = chooser_of(c);
    for (int64_t at = 0; at < 10; at++) CHECK_INT(tg_chooser_draw(h, logits, (uint64_t)at, at, at, NULL), 1);
    tg_chooser_free(h);
}

TEST(the_repetition_penalty_comes_before_the_filters)
{
    tg_choice c = neutral;
    c.repeat_penalty = 2; /* 3 becomes 1.5, below the 2 of token 2; -1 becomes -2 */
    c.top_k = 1;
    tg_chooser *h = chooser_of(c);
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 0, NULL), 1);
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 1, NULL), 2);
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 2, NULL), 5);
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 3, NULL), 1); /* 1.5 against 1, 1 and 1: the penalty does not add up */
    tg_chooser_reset(h);
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 4, NULL), 1);
    tg_chooser_reset(h);
    tg_chooser_saw(h, 1); /* a prompt counts, too */
    CHECK_INT(tg_chooser_draw(h, logits, 1, 0, 5, NULL), 2);
    tg_chooser_free(h);
}

TEST(a_draw_depends_on_seed_sample_and_position_only)
{
    tg_chooser *h = chooser_of(neutral);
    int32_t first[50];
    int changed[2] = {0, 0};
    for (int at = 0; at < 50; at++) first[at] = tg_chooser_draw(h, logits, 9, 4, at, NULL);
    for (int at = 49; at >= 0; at--) CHECK_INT(tg_chooser_draw(h, logits, 9, 4, at, NULL), first[at]);
    for (int at = 0; at < 50; at++) {
        changed[0] += tg_chooser_draw(h, logits, 9, 5, at, NULL) != first[at];
        changed[1] += tg_chooser_draw(h, logits, 10, 4, at, NULL) != first[at];
    }
    CHECK(changed[0] > 10 && changed[1] > 10);
    tg_chooser_free(h);
}

TEST(log_probabilities_are_the_models_own)
{
    tg_choice c = {.temperature = 0.3, .top_k = 2, .top_p = 0.9, .min_p = 0.1, .repeat_penalty = 1.5};
    tg_chooser *h = chooser_of(c);
    bool all[V];
    double p[V];
    memset(all, true, sizeof all);
    reference(all, 1, p);
    for (int at = 0; at < 20; at++) {
        float got;
        int32_t token = tg_chooser_draw(h, logits, 2, 0, at, &got);
        double want = log(p[token]);
        CHECK_CLOSE(&got, &want, 1, 1e-6);
    }
    tg_chooser_free(h);
}

TEST(the_ranking_is_sorted_with_lower_ids_first)
{
    static const int32_t order[V] = {1, 2, 5, 0, 4, 7, 3, 6};
    tg_chooser *h = chooser_of(neutral);
    int32_t ids[V];
    float probs[V];
    bool all[V];
    double p[V], want[V];
    memset(all, true, sizeof all);
    reference(all, 1, p);
    for (int i = 0; i < V; i++) want[i] = p[order[i]];
    CHECK_INT(tg_chooser_top(h, logits, ids, probs, V), V);
    CHECK_BYTES(ids, order, (int64_t)sizeof order);
    CHECK_CLOSE(probs, want, V, 1e-6);
    CHECK_INT(tg_chooser_top(h, logits, ids, probs, 3), 3);
    CHECK_INT(ids[2], 5);
    tg_chooser_free(h);
}

TEST(what_is_not_a_number_is_never_drawn)
{
    float bad[V] = {NAN, 1, NAN, 0, -INFINITY, 2, NAN, NAN};
    tg_choice c = neutral;
    for (int variant = 0; variant < 2; variant++) {
        c.top_k = variant ? 4 : 0;
        tg_chooser *h = chooser_of(c);
        for (int64_t at = 0; at < 500; at++) {
            int32_t token = tg_chooser_draw(h, bad, 1, 0, at, NULL);
            CHECK(token == 1 || token == 3 || token == 5);
        }
        tg_chooser_free(h);
    }
}

TEST(drawing_allocates_nothing)
{
    tg_choice c = {.temperature = 0.8, .top_k = 5, .top_p = 0.9, .min_p = 0.01, .repeat_penalty = 1.1};
    tg_chooser *h = chooser_of(c);
    int64_t before = tg_alloc_count();
    for (int64_t at = 0; at < 100; at++) tg_chooser_draw(h, logits, 1, 0, at, NULL);
    CHECK_INT(tg_alloc_count() - before, 0);
    tg_chooser_free(h);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(senseless_choices_are_refused)
{
    tg_chooser *h;
    tg_choice c = neutral;
    c.temperature = -1;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "temperature");
    c = neutral, c.temperature = NAN;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "temperature");
    c = neutral, c.top_k = -1;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "top-k");
    c = neutral, c.top_p = 0;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "top-p");
    c = neutral, c.min_p = 1.5;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "min-p");
    c = neutral, c.repeat_penalty = 0;
    CHECK_ERROR(tg_chooser_new(&c, V, &h), TG_EINVAL, "repetition");
    CHECK_ERROR(tg_chooser_new(&neutral, 0, &h), TG_EINVAL, "vocabulary");
}
