/*
 * two_sample.h - judges as a measure: can a classifier tell what is made from what is real?
 *
 *     tg_two_sample r;
 *     tg_two_sample_test(TG_JUDGE_SVM, real, n, made, m, d, seed, &r);
 *     // r.accuracy 0.5: nobody can tell by these numbers; 1: anybody can
 *
 * For texts the numbers are counts of character n-grams, hashed, and how long lines and clauses are; all are cut to the length of the shortest, and as many are taken
 * of both, so that neither lengths nor numbers give anything away.
 */
#ifndef TG_RUN_METRICS_TWO_SAMPLE_H
#define TG_RUN_METRICS_TWO_SAMPLE_H
#include "models/judges/judge.h"
#include "run/metrics/interval.h"
#include "run/metrics/words.h"

/* accuracy: share of `judged` held-out items that it told right; interval: Wilson's, for these. */
typedef struct tg_two_sample { double accuracy; tg_interval interval; int64_t judged; } tg_two_sample;

/*
 * tg_two_sample_test - of real [n, d] and made [m, d] as many are taken, by chance where one has more; one half of each, by
 * chance, trains the judge, the other is judged. A judge that cannot tell has 50 %. Errors: TG_EINVAL (fewer than 4 of one,
 * numbers that are not finite), TG_ENOMEM.
 * Source: Lopez-Paz & Oquab 2017, arXiv:1610.06545.
 */
tg_status tg_two_sample_test(tg_judge_kind kind, const float *real, int64_t n, const float *made, int64_t m, int64_t d,
                             uint64_t seed, tg_two_sample *out);

/* Characters, cut to which n texts are compared: those of the shortest. A byte that is no UTF-8 counts as a character. */
int64_t tg_texts_shortest(const tg_text *texts, int64_t n);
/*
 * tg_ngram_features - what the first `characters` of a text are made of: out [d + most + TG_RUN_NUMBERS].
 *   the first d    log(1 + how many n-grams of 1 to `most` characters fall into a bin), by their hash (xxHash64, so bins are the same everywhere)
 *   the others     how many different ones there are of each length: a passage of real text comes back to its names and words,
 *                  which models of a few characters do not, however right each of these is
 *   the last       of the runs between line ends and punctuation: mean length, deviation, share of those as long as the one before
 *                  (lines and verses keep to a measure that is longer than what such models remember)
 */
enum { TG_RUN_NUMBERS = 3 };
void tg_ngram_features(tg_text text, int64_t characters, int most, int64_t d, float *out);
/* The test of texts by these numbers. Texts should begin alike (at a line's start, say), and what a sample says because nothing
 * came before it be cut off; the longer they are, the easier it is to tell. Errors: as above; an empty text.
 * Bins: a few hundred texts do not teach what thousands of numbers mean. Of an n-gram model's 200 samples of
 * 1,000 characters logistic regression told 92 % from real ones by 256 bins, at temperature 0.8 as at 1; by 64 it was 85 and 96 %,
 * by 2,048 it was 93 and 88 %. Runs between marks: at temperature 0.8 a tree tells 98 % instead of 83 of an n-gram model of Tiny
 * Shakespeare, of verses by synth:verses 99 % instead of 60; of real text from real text it remains at 50. */
enum { TG_NGRAM_BINS = 256, TG_NGRAM_MOST = 8 };
tg_status tg_two_sample_texts(tg_judge_kind kind, const tg_text *real, int64_t n, const tg_text *made, int64_t m, uint64_t seed,
                              tg_two_sample *out);
#endif
