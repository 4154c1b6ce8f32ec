/* judge_parts.h - what a kind of judge is: a row of functions. */
#ifndef TG_MODELS_JUDGE_PARTS_H
#define TG_MODELS_JUDGE_PARTS_H
#include "models/judges/judge.h"

/* x [n, d], y [n] in 0..K-1; all borrowed. */
typedef struct tg_examples { const float *x; const int32_t *y; int64_t n, d, K; } tg_examples;

typedef struct tg_judge_row {
    const char *name;
    /* What is learned is K planes, w [K, d + 1], the last number of each the offset. Then its examples are standardised, and the
     * planes are turned into such of the numbers as they are. */
    bool planes;
    /* *out: what score and free are given. Errors: TG_ENOMEM. */
    tg_status (*fit)(const tg_examples *e, uint64_t seed, void **out);
    void (*score)(const void *learned, const float *x, int64_t d, int64_t K, double *scores); /* of one example */
    void (*free)(void *learned);
} tg_judge_row;
extern const tg_judge_row tg_judge_logistic, tg_judge_tree, tg_judge_svm;

/* Sum of w[i]·x[i], in four chains that are added at the end: the same bits everywhere. */
double tg_judge_dot(const double *w, const float *x, int64_t d);
/* scores[k] = w[k]·(x, 1) */
void tg_judge_planes(const void *w, const float *x, int64_t d, int64_t K, double *scores);
#endif
