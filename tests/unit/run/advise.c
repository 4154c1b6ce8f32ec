/* Tests of run/tune/advise_*: the power law, the range test's reading, the noise scale, the decision; expected
 * values by formula. */
#include "run/tune/advise.h"

#include <math.h>

#include "test.h"

static const double shares[] = {0.125, 0.25, 0.5, 1};
enum { POINTS = 4 };

static void law(double floor, double a, double b, double loss[POINTS])
{
    for (int i = 0; i < POINTS; i++) loss[i] = floor + a * pow(shares[i], -b);
}

TEST(a_power_law_is_found_again_and_says_what_twice_the_data_bring)
{
    static const struct { double floor, a, b; } laws[] = {{1.2, 0.5, 0.4}, {0, 2, 0.1}, {90, 14, 0.7}, {0.5, 0.05, 1.1}};
    for (size_t k = 0; k < sizeof laws / sizeof *laws; k++) {
        double loss[POINTS];
        tg_doubling d;
        law(laws[k].floor, laws[k].a, laws[k].b, loss);
        const double want = laws[k].floor + laws[k].a * pow(2, -laws[k].b);
        CHECK_OK(tg_power_double(shares, loss, POINTS, true, 0.005 * loss[POINTS - 1], 0, &d));
        test_note("b %g found as %g; twice the data %g, predicted %g", laws[k].b, d.law.b, want, d.loss);
        CHECK(fabs(d.loss - want) < 0.002 * want);
        CHECK(d.low < want && want < d.high && d.high - d.low < 0.1 * want);
    }
}

TEST(a_curve_that_is_flat_or_rises_promises_nothing)
{
    tg_doubling d;
    const double flat[POINTS] = {1.5, 1.5, 1.5, 1.5}, rising[POINTS] = {1.5, 1.51, 1.53, 1.55};
    CHECK_OK(tg_power_double(shares, flat, POINTS, true, 0, 0, &d));
    CHECK(fabs(d.loss - 1.5) < 1e-12 && fabs(d.low - d.high) < 1e-12);
    CHECK_OK(tg_power_double(shares, rising, POINTS, true, 0, 0, &d));
    CHECK(fabs(d.loss - d.level) < 1e-12 && d.loss > 1.5 && d.loss < 1.55);
}

/* Its parts are independent: 0.03 of the points, 0.04 of the law, 0.05 together. */
TEST(the_interval_holds_the_luck_of_the_points_and_what_the_law_may_miss_by)
{
    double loss[POINTS];
    tg_doubling of_points, of_law, of_both;
    law(1.2, 0.5, 0.4, loss);
    CHECK_OK(tg_power_double(shares, loss, POINTS, true, 0, 0.04, &of_law));
    CHECK(fabs(of_law.loss - of_law.low - 0.04) < 1e-3 && fabs(of_law.high - of_law.loss - 0.04) < 1e-3);
    CHECK_OK(tg_power_double(shares, loss, POINTS, true, 0.01, 0, &of_points));
    CHECK_OK(tg_power_double(shares, loss, POINTS, true, 0.01, 0.04, &of_both));
    test_note("points alone %g to %g, both %g to %g", of_points.low, of_points.high, of_both.low, of_both.high);
    CHECK(fabs(of_both.loss - of_both.low - hypot(of_points.loss - of_points.low, 0.04)) < 1e-9);
    CHECK(fabs(of_both.high - of_both.loss - hypot(of_points.high - of_points.loss, 0.04)) < 1e-9);
    CHECK_OK(tg_power_double(shares, loss, POINTS, true, 0, 5, &of_law));
    CHECK(of_law.low >= 0); /* no loss can be below */
    CHECK_OK(tg_power_double(shares, loss, POINTS, false, 0, 5, &of_law));
    CHECK(of_law.low < 0);
}

/* Without the bound, 3 -> 2 -> 1.2 -> 0.6 would fall below 0. */
TEST(a_loss_that_cannot_be_negative_is_not_predicted_to_be)
{
    tg_power p;
    const double loss[POINTS] = {3, 2, 1.2, 0.6};
    tg_power_fit(shares, loss, POINTS, true, &p);
    CHECK(p.floor >= 0 && tg_power_at(&p, 1000) >= 0);
    tg_power_fit(shares, loss, POINTS, false, &p);
    CHECK(tg_power_at(&p, 1000) < 0);
}

/* From 4 to 2 in a curve that is steepest at 0.01, then up from 0.1 on; 20 points a decade. */
static int range(double rate[TG_RANGE_STEPS], double loss[TG_RANGE_STEPS])
{
    int n = 0;
    for (double at = -5; at < 0.01; at += 0.05, n++) {
        rate[n] = pow(10, at);
        loss[n] = 4 - 2 / (1 + exp(-5 * (at + 2))) + (at < -1 ? 0 : 10 * (at + 1));
    }
    return n;
}

TEST(a_range_test_tells_where_the_loss_falls_and_where_it_blows_up)
{
    double rate[TG_RANGE_STEPS], loss[TG_RANGE_STEPS], steepest, blows_up, suggested;
    const int n = range(rate, loss);
    tg_range_read(rate, loss, n, false, &steepest, &blows_up, &suggested);
    test_note("falls fastest at %g, blows up at %g, suggested %g", steepest, blows_up, suggested);
    CHECK(steepest > 0.008 && steepest < 0.0125);
    CHECK(blows_up > 0.1 && blows_up < 0.15);
    CHECK(suggested > 1e-3 && suggested < 0.05);
    loss[n / 4] = 0.1; /* single batches that are out of the way */
    loss[n / 2] = 30;
    tg_range_read(rate, loss, n, false, &steepest, &blows_up, &suggested);
    CHECK(steepest > 0.007 && steepest < 0.014 && blows_up > 0.1 && blows_up < 0.15);
    for (int i = 0; i < n; i++) loss[i] = 4 + 0.01 * i;
    tg_range_read(rate, loss, n, false, &steepest, &blows_up, &suggested); /* it never falls */
    CHECK(isnan(steepest) && isnan(suggested));
}

/* E|g|² of a batch of B is |G|² + tr(S)/B: McCandlish et al. 2018, equation A.1. */
TEST(the_noise_scale_is_that_of_its_definition)
{
    const double signal = 0.3, trace = 240;
    const double got = tg_noise_scale(signal + trace / 200, 200, signal + trace / 3200, 3200);
    CHECK(fabs(got - trace / signal) < 1e-9 * got);
    CHECK(isinf(tg_noise_scale(16, 200, 1, 3200))); /* all of it noise: nothing is left of the signal */
    CHECK(tg_noise_scale(1, 200, 1, 3200) < 1e-9);  /* none at all */
}

TEST(the_lever_that_promises_most_is_named_or_none)
{
    const tg_promise p[] = {{.lever = TG_LEVER_PARAMETERS, .gain = 0.03}, {.lever = TG_LEVER_DATA, .gain = 0.10},
                            {.lever = TG_LEVER_ARCHITECTURE, .gain = 0.05}};
    CHECK_INT(tg_advise_decide(p, 3, 2, 0.02), 1);
    CHECK_INT(tg_advise_decide(p, 3, -2, 0.02), 1); /* of a density */
    CHECK_INT(tg_advise_decide(p, 3, 2, 0.06), -1);
    CHECK_INT(tg_advise_decide(p, 1, 2, 0.02), -1);
    CHECK_INT(tg_advise_decide(p, 0, 2, 0.02), -1);
}
