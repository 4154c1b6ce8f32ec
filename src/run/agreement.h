/* agreement.h - what can be said of people's answers by counting: how far they agree, how sure a mean or a share is. */
#ifndef TG_RUN_AGREEMENT_H
#define TG_RUN_AGREEMENT_H
#include <stdint.h>

enum { TG_ANSWERS = 8 }; /* different values that an answer may have, at most */

/* How far apart two values are: not the same; by ranks; by their difference. */
typedef enum tg_answer_scale { TG_NOMINAL, TG_ORDINAL, TG_INTERVAL } tg_answer_scale;

/* Krippendorff's alpha: 1 all agree, 0 as by chance, below 0 they differ systematically. values [raters, units], 1..TG_ANSWERS, 0:
 * no answer. A unit that fewer than two answered does not count. NaN: none counts, or all that do have the same value, which
 * says nothing. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability". */
double tg_krippendorff(const int8_t *values, int64_t raters, int64_t units, tg_answer_scale scale);

/* How likely it is that chance alone, yes and no of the same probability, gives a share so far from one half or farther: the exact
 * binomial test, two-sided. NaN: count 0. O(count). */
double tg_binomial_half(int64_t yes, int64_t count);

/* Of Student's t: 95 % lie within +- this. The finite series of Abramowitz & Stegun 26.7.3 and 26.7.4; above 1000 degrees of freedom
 * their expansion 26.7.5, which differs from it by less than 10^-8 there. freedom >= 1. */
double tg_student_95(int64_t freedom);
#endif
