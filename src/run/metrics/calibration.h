/*
 * calibration.h - whether a model that says "with probability 0.7" is right seven times in ten.
 *
 * Of each prediction the likeliest token's probability p is told, and whether that token came. Predictions are put into
 * TG_CALIBRATION_BINS bins of p of equal width, bin m for p in (m/M, (m+1)/M], 0 in the first; in each, the mean of p is what the
 * model claims (confidence), the share of those that came what it keeps (accuracy). Guo et al. 2017, arXiv:1706.04599, section 2.
 *
 *     tg_calibration c = {0};
 *     tg_calibration_add_logits(&c, logits, V, target);      // for each token of validation
 *     tg_calibration_figures f = tg_calibration_of(&c);
 *
 * Sums are taken in the order in which predictions are added.
 */
#ifndef TG_RUN_METRICS_CALIBRATION_H
#define TG_RUN_METRICS_CALIBRATION_H
#include "tinygen/base.h"

enum { TG_CALIBRATION_BINS = 15 }; /* as in the paper */

/* Begins as {0}. */
typedef struct tg_calibration {
    int64_t count[TG_CALIBRATION_BINS], correct[TG_CALIBRATION_BINS];
    double confidence[TG_CALIBRATION_BINS]; /* the sum of p; of bin m, confidence / count is drawn against correct / count */
    int64_t broken;                         /* predictions whose p was no number: in none of the bins */
} tg_calibration;

/* p: 0..1; beyond, by rounding, it is the nearer end. */
void tg_calibration_add(tg_calibration *c, double p, bool correct);
/* From logits[0 .. V), V > 0: the likeliest token is the first of the largest, p its share of the softmax. A logit of -infinity
 * is a token that cannot come; where any is NaN, or the largest is infinite, the prediction is broken. */
void tg_calibration_add_logits(tg_calibration *c, const float *logits, int64_t V, int32_t target);

typedef struct tg_calibration_figures {
    int64_t count;
    double accuracy, confidence; /* over all, 0..1; confidence above accuracy: the model is too sure */
    double ece;                  /* expected calibration error: |accuracy - confidence| of a bin, weighted by its count; eq. 3 */
    double mce;                  /* the largest of a bin that is not empty; eq. 5 */
} tg_calibration_figures;        /* NaN where nothing was added */
tg_calibration_figures tg_calibration_of(const tg_calibration *c);
#endif
