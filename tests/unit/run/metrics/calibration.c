/* calibration.c - tests of reliability bins against plain loops in Python (golden/text_metrics.py). */
#include "run/metrics/calibration.h"

#include "run/metrics/bits.h"
#include "support/cases.h"

static void expect_bins(const cases *c, const tg_json *j, const tg_calibration *got, double tolerance)
{
    const tg_calibration_figures f = tg_calibration_of(got);
    cases_ints(c, j, "counts", got->count, TG_CALIBRATION_BINS);
    cases_ints(c, j, "hits", got->correct, TG_CALIBRATION_BINS);
    cases_real(c, j, "accuracy", f.accuracy, tolerance);
    cases_real(c, j, "confidence", f.confidence, tolerance);
    cases_real(c, j, "ece", f.ece, tolerance);
    cases_real(c, j, "mce", f.mce, tolerance);
}

TEST(calibration_errors_are_those_of_plain_loops)
{
    cases c = cases_open("text_metrics.txt", "calibration");
    for (const tg_json *j; (j = cases_next(&c));) {
        tg_calibration got = {0};
        const tg_json *hit = tg_json_get(j, "correct")->child;
        for (const tg_json *p = tg_json_get(j, "p")->child; p; p = p->next, hit = hit->next)
            tg_calibration_add(&got, p->real, hit->integer);
        expect_bins(&c, j, &got, 1e-12);
    }
}

TEST(calibration_takes_logits)
{
    cases c = cases_open("text_metrics.txt", "logits");
    for (const tg_json *j; (j = cases_next(&c));) {
        tg_calibration got = {0};
        const tg_json *target = tg_json_get(j, "targets")->child;
        for (const tg_json *row = tg_json_get(j, "rows")->child; row; row = row->next, target = target->next) {
            float logits[6];
            int n = 0;
            for (const tg_json *x = row->child; x; x = x->next) logits[n++] = (float)x->real;
            tg_calibration_add_logits(&got, logits, n, (int32_t)target->integer);
        }
        expect_bins(&c, j, &got, 1e-6);
    }
}

TEST(calibration_leaves_out_what_is_no_number)
{
    tg_calibration c = {0};
    tg_calibration_add(&c, NAN, true);
    tg_calibration_add_logits(&c, (const float[]){0, NAN, 1}, 3, 0);
    tg_calibration_add_logits(&c, (const float[]){NAN, 0, 1}, 3, 0);
    tg_calibration_add_logits(&c, (const float[]){0, INFINITY, 1}, 3, 1);
    tg_calibration_add_logits(&c, (const float[]){-INFINITY, -INFINITY}, 2, 1);
    CHECK_INT(c.broken, 5);
    CHECK(isnan(tg_calibration_of(&c).ece) && isnan(tg_calibration_of(&c).accuracy));
    tg_calibration_add_logits(&c, (const float[]){-INFINITY, 3}, 2, 1); /* a token that cannot come */
    tg_calibration_add(&c, 1 + 1e-9, true);
    tg_calibration_add(&c, -1e-9, false);
    CHECK(c.broken == 5 && c.count[0] == 1);
    CHECK(c.count[TG_CALIBRATION_BINS - 1] == 2 && c.confidence[TG_CALIBRATION_BINS - 1] == 2);
}

TEST(perplexity_of_a_die_is_its_sides)
{
    CHECK(fabs(tg_perplexity(1.791759469228055) - 6) < 1e-14); /* ln 6 */
    CHECK(isnan(tg_perplexity(NAN)));
    CHECK(fabs(tg_bits_per_dim(&(tg_model_data){.kind = TG_KIND_POINTS, .rank = 1, .dims = {2}}, 1.3862943611198906) - 1) < 1e-15);
}
