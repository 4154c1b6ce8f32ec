/*
 * attention.c - causal attention in blocks of scores, never all of them (Dao et al. 2022, arXiv:2205.14135).
 *
 * What decides the bits: keys come in blocks at absolute multiples of KEYS, whether they were cached or not. A score is one chain
 * over the features. Within a block the exponentials of a query are summed as v16_sum does, and its result continues one chain
 * over the keys that it sees, ascending; from block to block both are scaled to the new maximum. So a query's result does not
 * depend on which others are computed beside it, by which thread, with which tile: a sequence may be computed at once or
 * token by token. In backward the chains of a query run over the keys ascending, those of a key over the queries ascending.
 *
 * A unit is one row of the batch with one head of keys and the R = H/K heads of queries that share it: no two units write to
 * the same place. Query rows of a unit are numbered by position, then head.
 */
#include "kernels/drive.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/fmath.h"
#include "base/sizes.h"

enum {
    KEYS = 64,       /* a block of keys; decides bits: never change without raising TG_ALGORITHM */
    QUERIES = 64,    /* rows of a block of queries, more or less: whole positions */
    TILE = 8,        /* rows or columns of a block that is not seen whole are taken so many at a time */
    A_THREAD = 4,    /* items for each thread where there are few units */
    SMALL = 1 << 18  /* multiply-adds below which a fork costs more than it brings */
};

typedef struct job {
    const tg_attend *s;
    const tg_attend_grad *g;      /* backward only */
    const tg_kernels *kn;
    int64_t R, W, S;              /* queries a key head; floats of a position of qkv; keys that scratch has room for */
    bool as_it_lies;              /* values are read in the cache, not copied */
    bool single;                  /* and keys, too, for the one row of queries */
    int64_t wide;                 /* D as rows in scratch have it: whole panels */
    int64_t steps, rows;          /* positions and rows of a block of queries */
    int64_t parts;                /* a unit's blocks of queries are shared out to so many items */
    float scale;
    const float *cosine, *sine;   /* [T, D/2] or NULL */
    float *own;                   /* each thread's scratch, one behind the other */
    int64_t own_size;
    _Atomic int64_t next;         /* item that nobody has claimed yet */
} job;

/* A thread's scratch. Rows are `wide` apart; turned operands are panels of a block of keys. */
typedef struct hold {
    float *q, *o, *s, *top, *sum, *turned_k, *k, *v;      /* a block of queries; all keys. forward: k is a block */
    float *dq, *d, *delta, *turned_v, *dk, *dv;           /* backward; dy in place of o */
    tg_span *seen;
} hold;

/* What an item works on. */
typedef struct unit {
    int64_t b, g, number;
    hold h;
    const float *v; int64_t v_rs; /* rows of values: copied, or in the cache */
} unit;

static int64_t place(float **at, float *base, int64_t used, int64_t floats)
{
    *at = base ? base + used : NULL;
    return used + tg_padded(floats, 16);
}

/* Lays out a thread's scratch at base (NULL: only counts); returns its floats. */
static int64_t lay_out(const job *j, float *base, hold *h)
{
    const int64_t keys = tg_padded(j->S, KEYS), turned = j->single ? 0 : keys * j->s->D;
    int64_t n = 0;
    float *seen = NULL;
    *h = (hold){0};
    n = place(&h->q, base, n, j->rows * j->wide);
    n = place(&h->o, base, n, j->rows * j->wide);
    n = place(&h->s, base, n, j->rows * KEYS);
    n = place(&h->top, base, n, j->rows);
    n = place(&h->sum, base, n, j->rows);
    n = place(&seen, base, n, j->rows * (int64_t)(sizeof(tg_span) / sizeof(float)));
    n = place(&h->turned_k, base, n, turned);
    n = place(&h->k, base, n, (j->g ? keys : KEYS) * j->wide);
    n = place(&h->v, base, n, j->as_it_lies ? 0 : keys * j->wide);
    h->seen = (tg_span *)(void *)seen;
    if (!j->g) return n;
    n = place(&h->dq, base, n, j->rows * j->wide);
    n = place(&h->d, base, n, j->rows * KEYS);
    n = place(&h->delta, base, n, j->rows);
    n = place(&h->turned_v, base, n, turned);
    n = place(&h->dk, base, n, keys * j->wide);
    return place(&h->dv, base, n, keys * j->wide);
}

/* The first position that step t of row b sees. */
static int64_t first_of(const tg_attend *s, int64_t t, int64_t b)
{
    return s->first ? tg_least(tg_most(0, s->first[t * s->B + b]), s->used + t) : 0;
}

double tg_attend_pairs(const tg_attend *s)
{
    double all = (double)s->B * (double)s->T * ((double)s->used + 0.5 * (double)(s->T + 1));
    for (int64_t i = 0; s->first && i < s->T * s->B; i++) all -= (double)first_of(s, i / s->B, i % s->B);
    return all;
}

static tg_pool *pool_for(tg_context *ctx, const tg_attend *s)
{
    return s->B * s->T * (s->used + s->T) * s->H * s->D < SMALL ? NULL : ctx->pool;
}

static int64_t table_size(const tg_attend *s)
{
    return s->theta > 0 ? tg_padded(s->T * (s->D / 2), 16) : 0;
}

static job plan(tg_context *ctx, const tg_attend *s, const tg_attend_grad *g)
{
    const int64_t threads = tg_pool_threads(pool_for(ctx, s)), units = s->B * s->K;
    job j = {.s = s, .g = g, .kn = tg_kernels_of(ctx), .R = s->H / s->K, .W = (s->H + 2 * s->K) * s->D,
             .S = tg_most(s->used + s->T, s->capacity),
             .scale = 1.0f / sqrtf((float)s->D), .parts = 1};
    hold none;
    j.wide = tg_padded(s->D, j.kn->nr);
    j.steps = tg_least(s->T, tg_most(1, QUERIES / j.R));
    j.rows = j.steps * j.R;
    j.as_it_lies = s->capacity && s->D % (j.kn->nr / 2) == 0;
    j.single = s->capacity && j.rows == 1;
    if (!g && units < 2 * threads && threads > 1)
        j.parts = tg_least(tg_ceil_div(s->T, j.steps), tg_ceil_div(A_THREAD * threads, units));
    j.own_size = lay_out(&j, NULL, &none);
    return j;
}

static int64_t room(tg_context *ctx, const tg_attend *s, const tg_attend_grad *g)
{
    const job j = plan(ctx, s, g);
    tg_attend full = *s; /* a cache that fills must not need more one day, when threads begin to pay */
    if (s->capacity) full.used = s->capacity - s->T;
    return (2 * table_size(s) + j.own_size * tg_pool_threads(pool_for(ctx, &full))) * (int64_t)sizeof(float);
}

int64_t tg_attend_room(tg_context *ctx, const tg_attend *s) { return room(ctx, s, NULL); }
int64_t tg_attend_back_room(tg_context *ctx, const tg_attend *s) { return room(ctx, s, &(tg_attend_grad){0}); }

/* ---- rotation ------------------------------------------------------------------------------------------------------ */

/* Position p turns pair i by p·theta^(-2i/D). */
static void make_table(job *j, float *cosine)
{
    const tg_attend *s = j->s;
    const int64_t half = s->D / 2, n = table_size(s);
    float *sine = cosine + n;
    if (!n) return;
    const double slower = 1 / tg_root(s->theta, half);
    for (int64_t t = 0; t < s->T; t++) {
        double angle = (double)(s->used + t);
        for (int64_t i = 0; i < half; i++, angle *= slower) sine[t * half + i] = (float)angle;
    }
    j->kn->map_cos(cosine, sine, s->T * half);
    j->kn->map_sin(sine, sine, s->T * half);
    j->cosine = cosine;
    j->sine = sine;
}

/* Head `head` of qkv (queries, then keys, then values) at position t of the unit's row. */
static int64_t at_qkv(const job *j, const unit *u, int64_t t, int64_t head)
{
    return (t * j->s->B + u->b) * j->W + head * j->s->D;
}

/* One head's rows of positions [t, t + n) made ready for products: y has them y_rs apart. */
static void rotate(const job *j, const unit *u, float *y, int64_t y_rs, int64_t t, int64_t n, int64_t head)
{
    const tg_attend *s = j->s;
    const bool is_query = head < s->H;
    const int64_t at = t * (s->D / 2);
    j->kn->rotate(y, y_rs, s->qkv + at_qkv(j, u, t, head), s->B * j->W, is_query ? s->q_gain : s->k_gain, s->eps,
                  j->cosine ? j->cosine + at : NULL, j->sine ? j->sine + at : NULL, is_query ? j->scale : 1.0f, s->D, n);
}

static void rotate_back(const job *j, const unit *u, float *dy, int64_t dy_rs, int64_t t, int64_t n, int64_t head)
{
    const tg_attend *s = j->s;
    const bool is_query = head < s->H;
    const int64_t at = t * (s->D / 2), here = at_qkv(j, u, t, head), step = s->B * j->W;
    const float *gain = is_query ? s->q_gain : s->k_gain;
    float *dgain = gain ? j->g->dgain + (2 * u->number + (is_query ? 0 : 1)) * s->D : NULL;
    j->kn->rotate_back(j->g->dqkv ? j->g->dqkv + here : NULL, step, dgain, dy, dy_rs, s->qkv + here, step, gain, s->eps,
                       j->cosine ? j->cosine + at : NULL, j->sine ? j->sine + at : NULL, is_query ? j->scale : 1.0f, s->D, n,
                       j->g->add);
}

/* Rows as they are: a rotation by nothing. */
static void copy_rows(const job *j, float *to, int64_t to_rs, const float *from, int64_t from_rs, int64_t rows)
{
    j->kn->rotate(to, to_rs, from, from_rs, NULL, 0, NULL, NULL, 1.0f, j->s->D, rows);
}

/* ---- keys and values ----------------------------------------------------------------------------------------------- */

static int64_t cache_step(const job *j) { return j->s->K * j->s->D; }
static int64_t at_cache(const job *j, const unit *u, int64_t key)
{
    return (u->b * j->s->capacity + key) * cache_step(j) + u->g * j->s->D;
}

/* This pass's keys, rotated, and values behind those in the cache. */
static void fill_cache(void *arg, int64_t number)
{
    const job *j = arg;
    const tg_attend *s = j->s;
    const unit u = {.b = number / s->K, .g = number % s->K};
    const int64_t at = at_cache(j, &u, s->used), step = cache_step(j);
    rotate(j, &u, s->cache_k + at, step, 0, s->T, s->H + u.g);
    copy_rows(j, s->cache_v + at, step, s->qkv + at_qkv(j, &u, 0, s->H + s->K + u.g), s->B * j->W, s->T);
}

/* Panels of a block of keys or values whose lines are the keys. */
static void turn(const job *j, float *turned, const float *x, int64_t x_rs, int64_t key, int64_t n)
{
    j->kn->pack(turned + key * j->s->D, j->kn->nr * j->s->D, x, 1, x_rs, j->s->D, n, j->kn->nr);
}

/* Operands of the first `keys` keys and values. */
static void take_keys(const job *j, unit *u, int64_t keys)
{
    const tg_attend *s = j->s;
    const bool cached = s->capacity, as_it_lies = j->as_it_lies;
    u->v = as_it_lies ? s->cache_v + at_cache(j, u, 0) : u->h.v;
    u->v_rs = as_it_lies ? cache_step(j) : j->wide;
    for (int64_t key = 0; key < keys; key += KEYS) {
        const int64_t n = tg_least(KEYS, keys - key);
        float *k = u->h.k + (j->g ? key * j->wide : 0);
        if (cached && !j->single) turn(j, u->h.turned_k, s->cache_k + at_cache(j, u, key), cache_step(j), key, n);
        if (!cached) {
            rotate(j, u, k, j->wide, key, n, s->H + u->g);
            turn(j, u->h.turned_k, k, j->wide, key, n);
        }
        if (as_it_lies) continue;
        const float *v = cached ? s->cache_v + at_cache(j, u, key) : s->qkv + at_qkv(j, u, key, s->H + s->K + u->g);
        copy_rows(j, u->h.v + key * j->wide, j->wide, v, cached ? cache_step(j) : s->B * j->W, n);
        if (j->g) turn(j, u->h.turned_v, u->h.v + key * j->wide, j->wide, key, n);
    }
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */

/* c[rows, cols] (+)= A·B, element (r, p) of A at a[r*row + p*step]: one of these is 1. */
static void multiply(const job *j, float *c, int64_t c_rs, bool add, const float *a, int64_t row, int64_t step, tg_right b,
                     int64_t rows, int64_t cols, int64_t k)
{
    const int64_t h = tg_ceil_div(rows, tg_ceil_div(rows, j->kn->mr));
    const tg_left left = {a, h * row, row, step, h};
    j->kn->gemm_block(c, c_rs, add ? c : NULL, c_rs, &left, &b, rows, cols, k, NULL);
}

static tg_right rows_of(const job *j, const float *x, int64_t rs) { return (tg_right){x, j->kn->nr, rs}; }

/* Which keys of the block at `key` the rows from position t on see, as columns of the block. */
static void look(const job *j, const unit *u, int64_t t, int64_t rows, int64_t key)
{
    const tg_attend *s = j->s;
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = t + r / j->R;
        u->h.seen[r] = (tg_span){tg_most(0, first_of(s, at, u->b) - key), tg_least(KEYS, s->used + at + 1 - key)};
    }
}

/* Columns that any of these rows sees, and that all of them do. */
typedef struct sight { tg_span any, all; } sight;

static sight sight_of(const tg_span *seen, int64_t rows)
{
    sight x = {{KEYS, 0}, {0, KEYS}};
    for (int64_t r = 0; r < rows; r++) {
        x.all = (tg_span){tg_most(x.all.begin, seen[r].begin), tg_least(x.all.end, seen[r].end)};
        if (seen[r].begin < seen[r].end)
            x.any = (tg_span){tg_least(x.any.begin, seen[r].begin), tg_most(x.any.end, seen[r].end)};
    }
    return x;
}

static bool alike(const sight *x) { return x->any.begin == x->all.begin && x->any.end == x->all.end; }

/* x[rows] against the turned block at `key`, the columns that some row sees. */
static void score(const job *j, float *to, const float *x, const float *turned, int64_t key, tg_span any, int64_t rows)
{
    const int64_t D = j->s->D, nr = j->kn->nr, skip = any.begin / nr * nr;
    const tg_right b = {turned + (key + skip) * D, nr * D, nr};
    multiply(j, to + skip, KEYS, false, x, j->wide, 1, b, rows, any.end - skip, D);
}

/* Scores of rows r to r + n of a block of queries against the keys that some of them see. */
static void score_rows(const job *j, const unit *u, int64_t key, int64_t r, int64_t n, tg_span any)
{
    const hold *h = &u->h;
    float *s = h->s + r * KEYS;
    if (j->single)
        j->kn->gemv_turned(s, NULL, h->q, j->s->cache_k + at_cache(j, u, key), cache_step(j), j->s->D, any, NULL);
    else score(j, s, h->q + r * j->wide, h->turned_k, key, any, n);
}

/* Rows r to r + n of a block of queries against a block of keys: scores, exponentials, sums of values. */
static void attend_rows(const job *j, const unit *u, int64_t key, int64_t r, int64_t n, const sight *x)
{
    const hold *h = &u->h;
    const int64_t D = j->s->D, wide = j->wide;
    const float *v = u->v + key * u->v_rs;
    const tg_span *seen = h->seen + r, all = x->all;
    float *s = h->s + r * KEYS, *o = h->o + r * wide;
    score_rows(j, u, key, r, n, x->any);
    j->kn->attend(s, KEYS, h->top + r, h->sum + r, o, wide, seen, n, D);
    if (all.begin >= all.end) {
        j->kn->attend_some(o, wide, s, KEYS, v, u->v_rs, seen, x->any, n, D);
        return;
    }
    if (x->any.begin < all.begin)
        j->kn->attend_some(o, wide, s, KEYS, v, u->v_rs, seen, (tg_span){x->any.begin, all.begin}, n, D);
    multiply(j, o, wide, true, s + all.begin, KEYS, 1, rows_of(j, v + all.begin * u->v_rs, u->v_rs), n, D, all.end - all.begin);
    if (x->any.end > all.end)
        j->kn->attend_some(o, wide, s, KEYS, v, u->v_rs, seen, (tg_span){all.end, x->any.end}, n, D);
}

static tg_span blocks_seen(const job *j, const unit *u, int64_t t, int64_t steps)
{
    const tg_attend *s = j->s;
    int64_t first = first_of(s, t, u->b);
    for (int64_t i = t + 1; s->first && i < t + steps; i++) first = tg_least(first, first_of(s, i, u->b));
    return (tg_span){first / KEYS * KEYS, s->used + t + steps};
}

static void take_queries(const job *j, const unit *u, int64_t t, int64_t steps)
{
    for (int64_t r = 0; r < j->R; r++) rotate(j, u, u->h.q + r * j->wide, j->R * j->wide, t, steps, u->g * j->R + r);
}

/* Results of positions t to t + steps: one call where a position is one row. */
static void finish(const job *j, const unit *u, int64_t t, int64_t steps)
{
    const tg_attend *s = j->s;
    const hold *h = &u->h;
    const int64_t n = j->R == 1 ? steps : 1, y_rs = j->R == 1 ? s->B * s->H * s->D : s->D;
    for (int64_t i = 0; i < steps; i += n) {
        float *y = s->y + (((t + i) * s->B + u->b) * s->H + u->g * j->R) * s->D;
        float *lse = s->lse ? s->lse + (u->number * s->T + t + i) * j->R : NULL;
        j->kn->attend_end(y, y_rs, lse, h->o + i * j->R * j->wide, j->wide, h->top + i * j->R, h->sum + i * j->R, n * j->R, s->D);
    }
}

/* For who wants to see them: the same scores once more, as shares of the sums that are known by now. */
static void weigh(const job *j, const unit *u, int64_t t, int64_t steps, tg_span keys)
{
    const tg_attend *s = j->s;
    const hold *h = &u->h;
    const int64_t rows = steps * j->R, S = s->used + s->T;
    for (int64_t key = keys.begin; key < keys.end; key += KEYS) {
        look(j, u, t, rows, key);
        const sight x = sight_of(h->seen, rows);
        if (x.any.begin < x.any.end) score_rows(j, u, key, 0, rows, x.any);
        for (int64_t r = 0; r < rows; r++) {
            float *to = s->weights + (((t + r / j->R) * s->B + u->b) * s->H + u->g * j->R + r % j->R) * S;
            if (key == keys.begin) memset(to, 0, (size_t)S * sizeof *to);
            for (int64_t c = h->seen[r].begin; c < h->seen[r].end; c++)
                to[key + c] = tg_expf(h->s[r * KEYS + c] - h->top[r]) / h->sum[r];
        }
    }
}

/* Positions t to t + steps of a unit. */
static void query_block(const job *j, const unit *u, int64_t t, int64_t steps)
{
    const hold *h = &u->h;
    const int64_t rows = steps * j->R;
    const tg_span keys = blocks_seen(j, u, t, steps);
    take_queries(j, u, t, steps);
    memset(h->o, 0, (size_t)(rows * j->wide) * sizeof *h->o);
    for (int64_t r = 0; r < rows; r++) h->top[r] = -INFINITY, h->sum[r] = 0;
    for (int64_t key = keys.begin; key < keys.end; key += KEYS) {
        look(j, u, t, rows, key);
        const sight whole = sight_of(h->seen, rows);
        const int64_t tile = alike(&whole) ? rows : TILE;
        for (int64_t r = 0; r < rows; r += tile) {
            const int64_t n = tg_least(tile, rows - r);
            const sight x = sight_of(h->seen + r, n);
            if (x.any.begin < x.any.end) attend_rows(j, u, key, r, n, &x);
        }
    }
    finish(j, u, t, steps);
    if (j->s->weights) weigh(j, u, t, steps, keys);
}

static unit unit_of(const job *j, int64_t number, float *own)
{
    unit u = {.b = number / j->s->K, .g = number % j->s->K, .number = number};
    lay_out(j, own, &u.h);
    if (j->wide != j->s->D) memset(own, 0, (size_t)j->own_size * sizeof *own); /* products read the rows' padding */
    return u;
}

static void forward_item(const job *j, int64_t item, float *own)
{
    const int64_t T = j->s->T, blocks = tg_ceil_div(T, j->steps), part = item % j->parts;
    const int64_t begin = blocks * part / j->parts * j->steps, end = tg_least(T, blocks * (part + 1) / j->parts * j->steps);
    unit u = unit_of(j, item / j->parts, own);
    take_keys(j, &u, j->s->used + end);
    for (int64_t t = begin; t < end; t += j->steps) query_block(j, &u, t, tg_least(j->steps, end - t));
}

/* ---- backward ------------------------------------------------------------------------------------------------------ */

/* Probabilities and the scores' gradients of a block, and what they give to the queries. */
static void back_rows(const job *j, const unit *u, int64_t key, int64_t r, int64_t n, const sight *x)
{
    const hold *h = &u->h;
    const int64_t wide = j->wide;
    float *s = h->s + r * KEYS, *d = h->d + r * KEYS;
    if (x->any.begin < x->any.end) {
        score(j, s, h->q + r * wide, h->turned_k, key, x->any, n);
        score(j, d, h->o + r * wide, h->turned_v, key, x->any, n);
    }
    j->kn->attend_back(s, d, KEYS, h->top + r, h->delta + r, h->seen + r, n, KEYS);
    if (x->any.begin >= x->any.end) return;
    multiply(j, h->dq + r * wide, wide, true, d + x->any.begin, KEYS, 1, rows_of(j, h->k + (key + x->any.begin) * wide, wide), n,
             j->s->D, x->any.end - x->any.begin);
}

/* What rows r to `rows` of the block give to columns c to c + n of it. */
static void back_columns(const job *j, const unit *u, int64_t key, int64_t c, int64_t n, int64_t r, int64_t rows)
{
    const hold *h = &u->h;
    const int64_t wide = j->wide, D = j->s->D, at = (key + c) * wide;
    if (r >= rows) return;
    multiply(j, h->dv + at, wide, true, h->s + r * KEYS + c, 1, KEYS, rows_of(j, h->o + r * wide, wide), n, D, rows - r);
    multiply(j, h->dk + at, wide, true, h->d + r * KEYS + c, 1, KEYS, rows_of(j, h->q + r * wide, wide), n, D, rows - r);
}

/* The queries, dy where forward has o, its dot with y, and lse where forward has top. */
static void take_block(const job *j, const unit *u, int64_t t, int64_t steps)
{
    const tg_attend *s = j->s;
    const hold *h = &u->h;
    const int64_t HD = s->H * s->D, n = j->R == 1 ? steps : 1, rs = j->R == 1 ? s->B * HD : s->D;
    take_queries(j, u, t, steps);
    memcpy(h->top, s->lse + (u->number * s->T + t) * j->R, (size_t)(steps * j->R) * sizeof *h->top);
    memset(h->dq, 0, (size_t)(steps * j->R * j->wide) * sizeof *h->dq);
    for (int64_t i = 0; i < steps; i += n) { /* one call where a position is one row */
        const int64_t at = ((t + i) * s->B + u->b) * HD + u->g * j->R * s->D;
        float *dy = h->o + i * j->R * j->wide;
        copy_rows(j, dy, j->wide, j->g->dy + at, rs, n * j->R);
        j->kn->row_dots(h->delta + i * j->R, dy, j->wide, s->y + at, rs, s->D, n * j->R);
    }
}

static void back_block(const job *j, const unit *u, int64_t t, int64_t steps)
{
    const hold *h = &u->h;
    const int64_t rows = steps * j->R;
    const tg_span keys = blocks_seen(j, u, t, steps);
    take_block(j, u, t, steps);
    for (int64_t key = keys.begin; key < keys.end; key += KEYS) {
        look(j, u, t, rows, key);
        const sight whole = sight_of(h->seen, rows);
        const int64_t tile = alike(&whole) ? rows : TILE, n = tg_least(KEYS, keys.end - key), columns = alike(&whole) ? n : TILE;
        for (int64_t r = 0; r < rows; r += tile) {
            const int64_t some = tg_least(tile, rows - r);
            const sight x = sight_of(h->seen + r, some);
            back_rows(j, u, key, r, some, &x);
        }
        for (int64_t c = 0; c < n; c += columns) /* queries before a key do not see it */
            back_columns(j, u, key, c, tg_least(columns, n - c), tg_most(0, key + c - t) * j->R, rows);
    }
    for (int64_t r = 0; r < j->R; r++) rotate_back(j, u, h->dq + r * j->wide, j->R * j->wide, t, steps, u->g * j->R + r);
}

static void backward_item(const job *j, int64_t number, float *own)
{
    const tg_attend *s = j->s;
    const tg_attend_grad *g = j->g;
    unit u = unit_of(j, number, own);
    const size_t bytes = (size_t)(s->T * j->wide) * sizeof(float);
    take_keys(j, &u, s->T);
    memset(u.h.dk, 0, bytes);
    memset(u.h.dv, 0, bytes);
    if (g->dgain) memset(g->dgain + 2 * number * s->D, 0, (size_t)(2 * s->D) * sizeof(float));
    for (int64_t t = 0; t < s->T; t += j->steps) back_block(j, &u, t, tg_least(j->steps, s->T - t));
    rotate_back(j, &u, u.h.dk, j->wide, 0, s->T, s->H + u.g);
    if (!g->dqkv) return;
    float *dv = u.h.dv;
    j->kn->rotate_back(g->dqkv + at_qkv(j, &u, 0, s->H + s->K + u.g), s->B * j->W, NULL, dv, j->wide, dv, j->wide, NULL, 0, NULL,
                       NULL, 1.0f, s->D, s->T, g->add);
}

/* ---- over threads -------------------------------------------------------------------------------------------------- */

static void claim_items(void *arg, int64_t thread)
{
    job *j = arg;
    const int64_t items = j->s->B * j->s->K * j->parts;
    for (int64_t item; (item = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < items;) {
        float *own = j->own + thread * j->own_size;
        if (j->g) backward_item(j, item, own);
        else forward_item(j, item, own);
    }
}

static void run(tg_context *ctx, job *j, float *scratch)
{
    tg_pool *pool = pool_for(ctx, j->s);
    make_table(j, scratch);
    j->own = scratch + 2 * table_size(j->s);
    if (j->s->capacity) tg_pool_run(pool, fill_cache, j, j->s->B * j->s->K);
    tg_pool_run(pool, claim_items, j, tg_pool_threads(pool));
}

void tg_attend_forward(tg_context *ctx, const tg_attend *s, void *scratch)
{
    job j = plan(ctx, s, NULL);
    run(ctx, &j, scratch);
}

void tg_attend_backward(tg_context *ctx, const tg_attend *s, const tg_attend_grad *g, void *scratch)
{
    job j = plan(ctx, s, g);
    run(ctx, &j, scratch);
}
