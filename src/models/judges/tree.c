/*
 * tree.c - a decision tree (CART: Breiman et al. 1984). A node asks "is feature f at most t?"; a leaf answers with the shares of
 * the classes among the examples that came to it.
 *
 * It is grown from the root. Of all questions that divide a node's examples the one is taken that leaves the two sides purest:
 * with n_k examples of class k among n, Gini's impurity is 1 - sum of (n_k/n)², and the sides' mean impurity, weighed by how many
 * they are, is least where
 *
 *     sum over k of left_k² / left  +  sum over k of right_k² / right
 *
 * is largest. For each feature the examples are sorted once, before the first question; a pass over them moves one after the
 * other from the right side to the left, which changes two sums of squares. A question divides every sorted list in two and keeps
 * its order. A node becomes a leaf when all of its examples are of one class or no question divides them. Equal questions: that
 * of the first feature, then of the lowest threshold.
 *
 * Cost: d·n·log n to sort, then d·n a level; memory 4·d·n bytes.
 */
#include "models/judges/judge_parts.h"

#include "base/alloc.h"
#include "base/sort.h"

#include <string.h>

/* feature -1: a leaf. What is at most the threshold goes to child, the rest to child + 1. */
typedef struct node { int32_t feature; float threshold; int64_t child; } node;
typedef struct tree { node *nodes; double *shares; /* [nodes, K] */ int64_t count; } tree;

typedef struct growing {
    const tg_examples *e;
    tree *tree;
    int32_t *order;        /* [d, n]: examples by each feature; a node has the same places in all of them */
    int32_t *spare;        /* [n] */
    bool *goes_left;       /* [n] */
    int64_t *begin, *end;  /* [2n]: the places of each node */
} growing;

/* ---- the best question ------------------------------------------------------------------------------------------------- */

typedef struct question { int32_t feature; float threshold; double purity; int64_t left; } question;

static int by_feature(const void *a, const void *b, void *user)
{
    const tg_examples *column = user; /* x begins at the feature */
    const float x = column->x[*(const int32_t *)a * column->d], y = column->x[*(const int32_t *)b * column->d];
    return x < y ? -1 : x > y;
}

/* Between two numbers, or the lower where there is none in between. */
static float middle(float low, float high)
{
    const float half = low / 2 + high / 2;
    return half >= low && half < high ? half : low;
}

static void try_feature(const growing *g, int32_t f, int64_t begin, int64_t end, const int64_t *counts, question *best)
{
    const tg_examples *e = g->e;
    const int32_t *order = g->order + (int64_t)f * e->n;
    int64_t left[TG_JUDGE_CLASSES] = {0}, right[TG_JUDGE_CLASSES], left_squares = 0, right_squares = 0;
    memcpy(right, counts, (size_t)e->K * sizeof *right);
    for (int64_t k = 0; k < e->K; k++) right_squares += right[k] * right[k];
    for (int64_t i = begin; i < end - 1; i++) {
        const int32_t k = e->y[order[i]];
        left_squares += 2 * left[k]++ + 1;
        right_squares -= 2 * right[k]-- - 1;
        const float here = e->x[order[i] * e->d + f], next = e->x[order[i + 1] * e->d + f];
        if (here == next) continue;
        const double purity = (double)left_squares / (double)(i + 1 - begin) + (double)right_squares / (double)(end - i - 1);
        if (best->feature < 0 || purity > best->purity) *best = (question){f, middle(here, next), purity, i + 1 - begin};
    }
}

/* ---- growing ------------------------------------------------------------------------------------------------------------- */

/* Every list's places begin..end become those that go left, then the others. */
static void divide(const growing *g, const question *q, int64_t begin, int64_t end)
{
    const tg_examples *e = g->e;
    for (int64_t i = begin; i < end; i++) {
        const int32_t example = g->order[i];
        g->goes_left[example] = e->x[example * e->d + q->feature] <= q->threshold;
    }
    for (int64_t f = 0; f < e->d; f++) {
        int32_t *order = g->order + f * e->n, *left = order + begin;
        int64_t right = 0;
        for (int64_t i = begin; i < end; i++) {
            if (g->goes_left[order[i]]) *left++ = order[i];
            else g->spare[right++] = order[i];
        }
        memcpy(left, g->spare, (size_t)right * sizeof *left);
    }
}

static void grow(growing *g)
{
    const tg_examples *e = g->e;
    tree *t = g->tree;
    g->end[0] = e->n;
    t->count = 1;
    for (int64_t at = 0; at < t->count; at++) {
        const int64_t begin = g->begin[at], end = g->end[at];
        int64_t counts[TG_JUDGE_CLASSES] = {0};
        question q = {.feature = -1};
        for (int64_t i = begin; i < end; i++) counts[e->y[g->order[i]]]++;
        for (int64_t k = 0; k < e->K; k++) t->shares[at * e->K + k] = (double)counts[k] / (double)(end - begin);
        const bool pure = counts[e->y[g->order[begin]]] == end - begin;
        for (int32_t f = 0; f < (int32_t)e->d && !pure; f++) try_feature(g, f, begin, end, counts, &q);
        t->nodes[at] = (node){.feature = q.feature, .threshold = q.threshold, .child = t->count};
        if (q.feature < 0) continue;
        divide(g, &q, begin, end);
        g->begin[t->count] = begin;
        g->end[t->count++] = begin + q.left;
        g->begin[t->count] = begin + q.left;
        g->end[t->count++] = end;
    }
}

static void sort_all(const growing *g)
{
    const tg_examples *e = g->e;
    for (int64_t f = 0; f < e->d; f++) {
        int32_t *order = g->order + f * e->n;
        tg_examples column = *e;
        column.x += f;
        for (int32_t i = 0; i < (int32_t)e->n; i++) order[i] = i;
        tg_sort(order, e->n, sizeof *order, g->spare, by_feature, &column);
    }
}

static void tree_free(void *learned)
{
    tree *t = learned;
    tg_free(t->nodes);
    tg_free(t->shares);
    tg_free(t);
}

/* A tree of n examples has n leaves at most, so 2n - 1 nodes. */
static tg_status tree_fit(const tg_examples *e, uint64_t seed, void **out)
{
    const int64_t most = 2 * e->n;
    tree *t = tg_alloc(sizeof *t);
    if (!t) return TG_ENOMEM;
    growing g = {.e = e, .tree = t, .order = tg_alloc_array(e->d, e->n * (int64_t)sizeof *g.order),
                 .spare = tg_alloc_array(e->n, sizeof *g.spare), .goes_left = tg_alloc_array(e->n, sizeof *g.goes_left),
                 .begin = tg_alloc_array(most, sizeof *g.begin), .end = tg_alloc_array(most, sizeof *g.end)};
    t->nodes = tg_alloc_array(most, sizeof *t->nodes);
    t->shares = tg_alloc_array(most, e->K * (int64_t)sizeof *t->shares);
    const bool made = g.order && g.spare && g.goes_left && g.begin && g.end && t->nodes && t->shares;
    (void)seed; /* nothing is left to chance */
    if (made) {
        sort_all(&g);
        grow(&g);
        *out = t;
    } else {
        tree_free(t);
    }
    tg_free(g.order);
    tg_free(g.spare);
    tg_free(g.goes_left);
    tg_free(g.begin);
    tg_free(g.end);
    return made ? TG_OK : TG_ENOMEM;
}

static void tree_score(const void *learned, const float *x, int64_t d, int64_t K, double *scores)
{
    const tree *t = learned;
    int64_t at = 0;
    (void)d;
    while (t->nodes[at].feature >= 0) at = t->nodes[at].child + (x[t->nodes[at].feature] > t->nodes[at].threshold);
    memcpy(scores, t->shares + at * K, (size_t)K * sizeof *scores);
}

const tg_judge_row tg_judge_tree = {.name = "tree", .fit = tree_fit, .score = tree_score, .free = tree_free};
