/* Tests of run/select_rank.c: order, ties, cost, the front; of a likelihood's pieces; of the weighed bootstrap. */
#include "run/select.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "support/bench.h"

enum { PIECES = 40, MOST = 6 };

/* Losses of pieces around a mean: what is hard about a piece is so for all models, and each has a little of its own. */
static void make(tg_contender *c, tg_piece pieces[PIECES], double mean, double own, int seed, int64_t params)
{
    for (int i = 0; i < PIECES; i++) {
        const double hard = 0.2 * sin(12.9898 * (i + 1)), mine = own * sin(78.233 * (i + 1) * (seed + 1));
        pieces[i] = (tg_piece){mean + hard + mine, 10 + i % 3};
    }
    double sum = 0, items = 0;
    for (int i = 0; i < PIECES; i++) {
        sum += pieces[i].loss * (double)pieces[i].items;
        items += (double)pieces[i].items;
    }
    *c = (tg_contender){.value = sum / items, .scale = 1, .pieces = pieces, .count = PIECES, .params = params, .bytes = 4 * params,
                        .ms = 1};
}

TEST(the_best_run_is_chosen_where_it_can_be_told_apart)
{
    tg_contender c[3];
    tg_piece pieces[3][PIECES];
    int64_t order[3];
    tg_ranking r;
    make(&c[0], pieces[0], 2.0, 0.01, 0, 100);
    make(&c[1], pieces[1], 1.5, 0.01, 1, 9000);
    make(&c[2], pieces[2], 2.1, 0.01, 2, 5000);
    CHECK_OK(tg_rank(c, 3, 1, order, &r));
    CHECK_INT(order[0], 1);
    CHECK_INT(order[1], 0);
    CHECK_INT(order[2], 2);
    CHECK_INT(r.chosen, 1);
    CHECK_INT(r.ties, 1);
    CHECK_INT(r.why, TG_WHY_BEST);
    CHECK(c[0].front && c[1].front && !c[2].front); /* the third is worse than the first, and larger */
    CHECK(!c[0].tied && c[1].tied && !c[2].tied);
}

/* The intervals of both are 0.09 wide and overlap, but piece by piece one is better: only pairs show that. */
TEST(runs_of_the_same_pieces_are_compared_piece_by_piece)
{
    tg_contender c[2];
    tg_piece pieces[2][PIECES];
    int64_t order[2];
    tg_ranking r;
    make(&c[0], pieces[0], 1.50, 0.002, 0, 9000);
    make(&c[1], pieces[1], 1.51, 0.002, 1, 100);
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK(c[1].interval.low < c[0].interval.high);
    CHECK_INT(r.ties, 1);
    CHECK_INT(r.chosen, 0);
    c[1].context = 64; /* windows of the one, streams of the other: not the same pieces, whatever their sizes */
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.ties, 2);
    CHECK_INT(r.chosen, 1);
    CHECK_INT(r.why, TG_WHY_PARAMS);
    c[1].context = 0;
    c[1].scale = 1.0001; /* bits of another tokeniser: what a piece has in nats says nothing of the difference */
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.ties, 2);
}

TEST(of_runs_that_cannot_be_told_apart_the_cheaper_one_is_chosen)
{
    tg_contender c[2];
    tg_piece pieces[2][PIECES];
    int64_t order[2];
    tg_ranking r;
    make(&c[0], pieces[0], 1.500, 0.05, 0, 100);
    make(&c[1], pieces[1], 1.501, 0.05, 1, 100);
    const int best = c[0].value <= c[1].value ? 0 : 1, other = 1 - best;
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.ties, 2);
    CHECK_INT(r.chosen, best); /* they cost the same */
    CHECK_INT(r.why, TG_WHY_BEST);
    c[best].ms = 1.1; /* within what another measurement would turn round */
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.chosen, best);
    c[best].ms = 2;
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.chosen, other);
    CHECK_INT(r.why, TG_WHY_MS);
    c[best].ms = 1;
    c[other].ms = 1.1; /* no dearer, then */
    c[best].bytes++;
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.chosen, other);
    CHECK_INT(r.why, TG_WHY_BYTES);
    c[other].params++;
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK_INT(r.chosen, best);
}

TEST(a_run_whose_pieces_nobody_knows_is_taken_as_it_is)
{
    tg_contender c[3] = {{.value = 2, .scale = 1, .params = 5}, {.value = 1, .scale = 1, .params = 7},
                         {.value = 1, .scale = 1, .params = 7}};
    int64_t order[3];
    tg_ranking r;
    CHECK_OK(tg_rank(c, 3, 1, order, &r));
    CHECK(isnan(c[0].interval.low) && isnan(c[1].interval.high));
    CHECK_INT(r.chosen, 1);
    CHECK_INT(order[1], 2); /* the same value: as they were given */
    CHECK_INT(r.ties, 2);
    CHECK_OK(tg_rank(c, 1, 1, order, &r));
    CHECK_INT(r.why, TG_WHY_ALONE);
}

TEST(an_interval_that_was_told_decides_where_there_are_no_pieces)
{
    tg_contender c[3] = {{.value = 2, .scale = 1, .params = 5, .told = {1.4, 2.6}}, {.value = 1, .scale = 1, .params = 7, .told = {0.5, 1.5}},
                         {.value = 3, .scale = 1, .params = 1, .told = {2.9, 3.1}}};
    int64_t order[3];
    tg_ranking r;
    CHECK_OK(tg_rank(c, 3, 1, order, &r));
    CHECK(c[1].interval.low == 0.5 && c[1].interval.high == 1.5);
    CHECK_INT(r.ties, 2);
    CHECK_INT(r.chosen, 0);
    CHECK(!c[2].tied);
}

TEST(the_interval_goes_where_the_value_is_and_scales_with_it)
{
    tg_contender c[2];
    tg_piece pieces[2][PIECES];
    int64_t order[2];
    tg_ranking r;
    make(&c[0], pieces[0], 1.5, 0.01, 0, 1);
    c[1] = c[0];
    c[1].scale = 2;
    c[1].value = 2 * c[0].value + 1;
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    CHECK(fabs((c[1].interval.low - 1) - 2 * c[0].interval.low) < 1e-9);
    CHECK(fabs((c[1].interval.high - 1) - 2 * c[0].interval.high) < 1e-9);
    CHECK(c[0].interval.low < c[0].value && c[0].value < c[0].interval.high);
}

TEST(ranking_without_memory_is_an_error_and_leaves_nothing)
{
    tg_contender c[2];
    tg_piece pieces[2][PIECES];
    int64_t order[2];
    tg_ranking r;
    make(&c[0], pieces[0], 1.5, 0.01, 0, 1);
    make(&c[1], pieces[1], 1.5, 0.01, 1, 1);
    const int64_t live = tg_alloc_live(), before = tg_alloc_count();
    CHECK_OK(tg_rank(c, 2, 1, order, &r));
    const int64_t count = tg_alloc_count() - before;
    for (int64_t n = 1; n <= count; n++) {
        tg_alloc_fail_at(n, false);
        CHECK_INT(tg_rank(c, 2, 1, order, &r), TG_ENOMEM);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live);
    }
}

/* ---- intervals ---- */

TEST(a_weighed_bootstrap_is_that_of_as_many_alike)
{
    double x[60], weights[60], low[60];
    tg_interval plain, weighed;
    for (int i = 0; i < 60; i++) {
        x[i] = sin(i * 7.1);
        weights[i] = 3;
    }
    CHECK_OK(tg_bootstrap(x, 60, 4000, 1, &plain));
    CHECK_OK(tg_bootstrap_weighed(x, weights, 60, 4000, 1, &weighed));
    CHECK(fabs(plain.low - weighed.low) < 1e-12 && fabs(plain.high - weighed.high) < 1e-12);
    /* The delta method's deviation of a ratio of means: sum of (w·(x - mean))² under the root, over the sum of w. */
    double sum = 0, weight = 0, squares = 0;
    for (int i = 0; i < 60; i++) {
        weights[i] = 1 + i % 4;
        sum += weights[i] * x[i];
        weight += weights[i];
    }
    for (int i = 0; i < 60; i++) low[i] = weights[i] * (x[i] - sum / weight);
    for (int i = 0; i < 60; i++) squares += low[i] * low[i];
    CHECK_OK(tg_bootstrap_weighed(x, weights, 60, 20000, 1, &weighed));
    const double half = 1.96 * sqrt(squares) / weight;
    CHECK(fabs((weighed.high - weighed.low) / 2 - half) < 0.05 * half);
    CHECK(fabs((weighed.high + weighed.low) / 2 - sum / weight) < 0.05 * half);
}

/* ---- pieces ---- */

static void pieces_make_up_the_loss(const char *name)
{
    bench b = bench_new(name, 1, 0);
    double whole = 0, nats = 0;
    for (int64_t finer = 1; finer <= 4; finer *= 4) {
        tg_likelihood *l;
        CHECK_OK(tg_likelihood_finer(b.data, TG_VAL, b.model, finer, &l));
        const int64_t n = tg_likelihood_pieces(l);
        tg_piece *pieces = tg_alloc_array(n, sizeof *pieces);
        tg_likelihood_keep(l, pieces);
        CHECK_OK(tg_likelihood_of(b.ctx, l, b.model, b.loop->tape, &nats));
        double sum = 0, items = 0;
        for (int64_t i = 0; i < n; i++) {
            sum += pieces[i].loss * (double)pieces[i].items;
            items += (double)pieces[i].items;
        }
        CHECK(fabs(sum / items - nats) < 1e-12);
        if (finer == 1) whole = nats;
        CHECK(fabs(nats - whole) < 1e-5); /* float32 sums over other pieces */
        test_note("%s: %lld pieces", name, (long long)n);
        tg_free(pieces);
        tg_likelihood_free(l);
    }
    bench_free(&b);
}

TEST(pieces_make_up_the_loss_of_streams_whatever_their_size) { pieces_make_up_the_loss("lstm"); }
TEST(pieces_make_up_the_loss_of_windows_whatever_their_size) { pieces_make_up_the_loss("transformer"); }
