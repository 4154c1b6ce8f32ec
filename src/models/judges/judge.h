/*
 * judge.h - discriminative models: given numbers, which class? Three of the textbook's, each a file to be read beside it:
 *
 *   logistic.c   softmax regression: a probability for each class; convex, by accelerated gradient descent
 *   tree.c       a decision tree: questions "is number f at most t?", each chosen to leave the classes purer
 *   svm.c        a linear support vector machine for each class against the rest: the plane with the widest margin
 *
 *     tg_judge *j;
 *     tg_judge_fit(TG_JUDGE_SVM, x, classes, n, d, K, 1, &j);
 *     tg_judge_predict(j, fresh, m, guesses);
 *     tg_judge_free(j);
 *
 * Where their units matter, numbers are standardised inside: each to mean 0 and deviation 1 over the examples. Fitting is a pure
 * function of its arguments, in one thread; settings are scikit-learn's defaults (C = 1, a tree grown to the end).
 * Source: Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning, chapters 4, 9 and 12.
 */
#ifndef TG_MODELS_JUDGE_H
#define TG_MODELS_JUDGE_H
#include "tinygen/base.h"

enum { TG_JUDGE_CLASSES = 256 }; /* at most */
typedef enum tg_judge_kind { TG_JUDGE_LOGISTIC, TG_JUDGE_TREE, TG_JUDGE_SVM, TG_JUDGE_KINDS } tg_judge_kind;
typedef struct tg_judge tg_judge; /* what was learned; immutable: may be shared by threads */

const char *tg_judge_name(tg_judge_kind kind); /* "logistic", "tree", "svm" */

/* From examples x [n, d], finite, of classes y [n] in 0..K-1, K 2 to TG_JUDGE_CLASSES; seed: the order in which the SVM looks at
 * them. Errors: TG_EINVAL (nothing to learn from, sizes beyond 2^31, a class outside, a number that is not finite), TG_ENOMEM. */
tg_status tg_judge_fit(tg_judge_kind kind, const float *x, const int32_t *y, int64_t n, int64_t d, int64_t K, uint64_t seed,
                       tg_judge **out);
void tg_judge_free(tg_judge *j);
/* The likeliest class of each of x [n, d]; the first of equals. */
void tg_judge_predict(const tg_judge *j, const float *x, int64_t n, int32_t *classes);
/* scores [n, K], the highest of a row being the class: probabilities (logistic), shares of the leaf's examples (tree), distances
 * from the planes in units of their margins (SVM). */
void tg_judge_score(const tg_judge *j, const float *x, int64_t n, double *scores);
#endif
