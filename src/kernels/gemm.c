/*
 * gemm.c - products of any shape over the register tile. An operand is taken as it lies where the tile can walk it fast and
 * packed into panels where it cannot, or where it is used so often that packing pays. Threads claim blocks of C; for each, k is
 * taken in blocks, and where A must be packed, a block's rows are, by the thread that computes it, into memory that stays in
 * its cache. B is packed likewise where blocks are whole columns of C, so that each panel is wanted once; else all threads
 * pack as much of it as there is room for before they claim. A block of C continues its chains from one k-block to the next,
 * so neither packing nor blocking nor threads show in the bits.
 */
#include "kernels/drive.h"
#include "base/sizes.h"

#include <stdatomic.h>

enum {
    K_BLOCK = 1024,             /* a panel of B is at most 128 KiB then and streams from L2; C is touched seldom */
    K_BLOCK_TURNED = 384,       /* where A is walked by steps as it lies: what a block's rows take must stay in L2 */
    PACKED_MOST = 1 << 20,      /* floats of B packed at once, if a block of k takes no more: 4 MiB stay in L3 */
    PACK_GRAIN = 16384,         /* floats packed by one chunk */
    COPY_PANELS = 8,            /* panels side by side that a chunk of lines side by side takes: 1 KiB of each step */
    SHORT = 64,                 /* so short a k that rows a page apart do not crowd each other out */
    TALL = 512,                 /* so long a k that turning C does not show */
    FLAT = 256,                 /* fewer rows of A: packing B does not pay */
    FAR = 1 << 19,              /* floats of a transposed A that L2 does not hold: its steps, far apart, would wait for L3 */
    A_THREAD = 4,               /* blocks of C for each, so that no thread waits long for the last */
    SMALL = 1 << 18,            /* multiply-adds below which a fork costs more than it brings */
    SMALL_FAR = 1 << 15         /* the same of one row whose weights are not in L2: 128 KiB of them */
};

/* What sizes, strides and threads decide. */
typedef struct plan {
    int64_t height, tiles;      /* rows of a tile of A, and how many tiles: heights as equal as can be */
    int64_t panels;             /* of B */
    bool pack_a;
    bool on_the_way, before;    /* B is packed panel by panel by whoever computes with it; by all threads, first. Neither: not */
    int64_t k_pass, k_block;    /* as much of k as B is packed for at once, and in a block */
    int64_t row_blocks, col_blocks;
    int64_t own, own_a, shared; /* floats of scratch: each thread's, of it for A, and all threads' for B */
} plan;

static bool crowds(int64_t stride, int64_t k)
{
    return k > SHORT && stride % TG_PAGE_FLOATS == 0;
}

static bool must_pack_left(const tg_gemm *g)
{
    if (g->a_cs == 1) return crowds(g->a_rs, g->k) && g->m > 2;
    return g->a_rs != 1 || g->m * g->k > FAR;
}

static bool must_pack_right(const tg_kernels *kn, const tg_gemm *g)
{
    if (g->packed) return false;
    return g->b_cs != 1 || g->n % (kn->nr / 2) != 0 || crowds(g->b_rs, g->k) || g->m >= FLAT;
}

/* Blocks of C whose part of A stays in L2, where it takes three eighths, and enough of them for every thread. The longer side
 * is cut; across, the rows of a packed A would be packed again. */
static void plan_grid(plan *p, const tg_kernels *kn, int64_t l2, int threads)
{
    const int64_t row_tiles = tg_most(1, l2 / (int64_t)sizeof(float) * 3 / 8 / (p->height * p->k_block));
    const int64_t wanted = threads > 1 ? (int64_t)threads * A_THREAD : 1;
    p->row_blocks = tg_ceil_div(p->tiles, row_tiles);
    p->col_blocks = 1;
    while (p->row_blocks * p->col_blocks < wanted && (p->row_blocks < p->tiles || p->col_blocks < p->panels)) {
        const int64_t high = p->tiles * p->height / p->row_blocks;
        const int64_t wide = p->panels * kn->nr / p->col_blocks / (p->pack_a ? 2 : 1);
        const bool by_columns = p->col_blocks < p->panels && (p->row_blocks == p->tiles || wide >= high);
        if (by_columns) p->col_blocks = tg_least(2 * p->col_blocks, p->panels);
        else p->row_blocks = tg_least(2 * p->row_blocks, p->tiles);
    }
}

static plan plan_of(tg_context *ctx, const tg_gemm *g, int threads)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    plan p = {.tiles = tg_ceil_div(tg_most(g->m, 1), kn->mr), .panels = tg_ceil_div(tg_most(g->n, 1), kn->nr)};
    const int64_t k = tg_most(g->k, 1);
    p.height = tg_ceil_div(tg_most(g->m, 1), p.tiles);
    p.tiles = tg_ceil_div(tg_most(g->m, 1), p.height);
    p.pack_a = must_pack_left(g);
    p.k_block = tg_least(k, g->a_cs == 1 || p.pack_a ? K_BLOCK : K_BLOCK_TURNED);
    plan_grid(&p, kn, ctx->l2, threads);
    p.on_the_way = must_pack_right(kn, g) && p.row_blocks == 1;
    p.before = must_pack_right(kn, g) && p.row_blocks > 1;
    p.k_pass = p.before ? tg_least(k, tg_most(PACKED_MOST / (p.panels * kn->nr) / p.k_block, 1) * p.k_block) : k;
    p.own_a = p.pack_a ? tg_padded(tg_ceil_div(p.tiles, p.row_blocks) * p.height * p.k_block, 16) : 0;
    p.own = p.own_a + (p.on_the_way ? 2 * kn->nr * p.k_block : 0);
    p.shared = p.before ? p.panels * kn->nr * p.k_pass : 0;
    return p;
}

/* Small products are not forked. */
static tg_pool *pool_for(tg_context *ctx, const tg_gemm *g)
{
    return g->m * g->n * g->k < SMALL ? NULL : ctx->pool;
}

/* A weight gradient, AᵀB of two tall matrices, at least twice as high as wide: the transposed product BᵀA walks the narrow
 * matrix in strips and the wide one as it lies, so that neither is packed; C, small beside them, is turned in the end. */
static bool is_turned(const tg_gemm *g)
{
    return g->a_rs == 1 && g->a_cs > 1 && g->b_cs == 1 && !g->packed && !g->ep && g->n > 0 && g->m >= 2 * g->n &&
           g->k >= TALL && g->m % 16 == 0 && g->n % 16 == 0 && g->c_rs == g->n;
}

static tg_gemm turned(const tg_gemm *g, float *c)
{
    return (tg_gemm){.m = g->n, .n = g->m, .k = g->k, .a = g->b, .a_rs = 1, .a_cs = g->b_rs, .b = g->a, .b_rs = g->a_cs,
                     .b_cs = 1, .c = c, .c_rs = g->m, .from = g->from ? c : NULL, .from_rs = g->m};
}

/* One row: each weight is read once, as it lies or packed beforehand. */
static bool is_gemv(const tg_gemm *g)
{
    return g->m == 1 && g->a_cs == 1 && (g->packed || (g->b_rs == 1 && g->b_cs != 1));
}

int64_t tg_gemm_room(tg_context *ctx, const tg_gemm *g)
{
    if (is_gemv(g)) return 0;
    if (is_turned(g)) {
        const tg_gemm other = turned(g, NULL);
        return tg_gemm_room(ctx, &other) + g->m * g->n * (int64_t)sizeof(float);
    }
    const int threads = tg_pool_threads(pool_for(ctx, g));
    const plan p = plan_of(ctx, g, threads);
    return (p.own * threads + p.shared) * (int64_t)sizeof(float);
}

/* ---- packing ------------------------------------------------------------------------------------------------------ */

/* Lines of one operand into panels; a chunk takes `group` panels. */
typedef struct pack_job {
    const tg_kernels *kn;
    float *out;
    const float *x;
    int64_t ps, ls, k, lines, width, panel_stride, group;
} pack_job;

static pack_job pack_of(const tg_kernels *kn, float *out, const float *x, int64_t ps, int64_t ls, int64_t k, int64_t lines,
                        int64_t width)
{
    pack_job j = {kn, out, x, ps, ls, k, lines, width, width * k, tg_most(1, PACK_GRAIN / tg_most(1, k * width))};
    if (ls == 1) j.group = tg_most(j.group, COPY_PANELS);
    return j;
}

static void pack_chunk(void *arg, int64_t chunk)
{
    const pack_job *j = arg;
    const int64_t line = chunk * j->group * j->width, lines = tg_least(j->lines - line, j->group * j->width);
    j->kn->pack(j->out + chunk * j->group * j->panel_stride, j->panel_stride, j->x + line * j->ls, j->ps, j->ls, j->k, lines,
                j->width);
}

static void run_pack(tg_pool *pool, pack_job j)
{
    tg_pool_run(pool, pack_chunk, &j, tg_ceil_div(j.lines, j.width * j.group));
}

int64_t tg_pack_room(tg_context *ctx, int64_t k, int64_t n)
{
    return tg_padded(n, tg_kernels_of(ctx)->nr) * k * (int64_t)sizeof(float);
}

void tg_pack(tg_context *ctx, float *out, const float *b, int64_t rs, int64_t cs, int64_t k, int64_t n)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    run_pack(n * k < PACK_GRAIN ? NULL : ctx->pool, pack_of(kn, out, b, rs, cs, k, n, kn->nr));
}

/* ---- the product ---------------------------------------------------------------------------------------------------- */

typedef struct gemm_job {
    const tg_gemm *g;
    const tg_kernels *kn;
    plan p;
    int64_t k0, k1;             /* this pass */
    tg_right b;                 /* its B, from k0 on */
    float *own;                 /* each thread's scratch, one behind the other */
    _Atomic int64_t next;       /* block that nobody has claimed yet */
} gemm_job;

/* Where this pass's B is read, packed or not. */
static void aim_right(gemm_job *j, tg_pool *pool, float *scratch)
{
    const tg_gemm *g = j->g;
    const int64_t nr = j->kn->nr, k = j->k1 - j->k0;
    if (j->p.before) {
        run_pack(pool, pack_of(j->kn, scratch, g->b + j->k0 * g->b_rs, g->b_rs, g->b_cs, k, g->n, nr));
        j->b = (tg_right){scratch, nr * k, nr};
    } else if (g->packed) {
        j->b = (tg_right){g->packed, nr * g->k, nr};
    } else {
        j->b = (tg_right){g->b, nr, g->b_rs};
    }
}

/* The same for a block's rows of A and a block of k. */
static tg_left aim_left(const gemm_job *j, int64_t row, int64_t rows, int64_t k, int64_t kb, float *own)
{
    const tg_gemm *g = j->g;
    const int64_t h = j->p.height;
    const float *a = g->a + row * g->a_rs + k * g->a_cs;
    if (!j->p.pack_a) return (tg_left){a, h * g->a_rs, g->a_rs, g->a_cs, h};
    j->kn->pack(own, h * kb, a, g->a_cs, g->a_rs, kb, rows, h);
    return (tg_left){own, h * kb, 1, h, h};
}

/* Rows and columns of C, and what its chains begin from and end with. */
typedef struct corner { int64_t row, rows, col, cols; } corner;

static void one_k_block(const gemm_job *j, const corner *at, int64_t k, int64_t kb, float *own)
{
    const tg_gemm *g = j->g;
    const bool first = k == 0, last = k + kb == g->k;
    const tg_left a = aim_left(j, at->row, at->rows, k, kb, own);
    float *c = g->c + at->row * g->c_rs + at->col;
    const float *from = !first ? c : g->from ? g->from + at->row * g->from_rs + at->col : NULL;
    const int64_t from_rs = first ? g->from_rs : g->c_rs;
    tg_epilogue ep = last && g->ep ? *g->ep : (tg_epilogue){0};
    if (ep.bias) ep.bias += at->col;
    if (j->p.on_the_way) {
        const tg_raw raw = {g->b + k * g->b_rs + at->col * g->b_cs, g->b_rs, g->b_cs, own + j->p.own_a};
        j->kn->gemm_raw(c, g->c_rs, from, from_rs, &a, &raw, at->rows, at->cols, kb, &ep);
        return;
    }
    tg_right b = j->b;
    b.b += at->col / j->kn->nr * b.panel + (k - j->k0) * b.step;
    j->kn->gemm_block(c, g->c_rs, from, from_rs, &a, &b, at->rows, at->cols, kb, &ep);
}

/* Part i of n, as even as whole units allow, at most `end` of what a unit holds. */
static tg_span part_of(int64_t units, int64_t i, int64_t n, int64_t unit, int64_t end)
{
    return (tg_span){units * i / n * unit, tg_least(units * (i + 1) / n * unit, end)};
}

static void one_block(const gemm_job *j, int64_t block, float *own)
{
    const plan *p = &j->p;
    const tg_span rows = part_of(p->tiles, block / p->col_blocks, p->row_blocks, p->height, j->g->m);
    const tg_span cols = part_of(p->panels, block % p->col_blocks, p->col_blocks, j->kn->nr, j->g->n);
    const corner at = {rows.begin, rows.end - rows.begin, cols.begin, cols.end - cols.begin};
    for (int64_t k = j->k0; k == j->k0 || k < j->k1; k += p->k_block)
        one_k_block(j, &at, k, tg_least(j->k1 - k, p->k_block), own);
}

static void claim_blocks(void *arg, int64_t thread)
{
    gemm_job *j = arg;
    const int64_t blocks = j->p.row_blocks * j->p.col_blocks;
    for (int64_t block; (block = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < blocks;)
        one_block(j, block, j->own + thread * j->p.own);
}

typedef struct gemv_job { const tg_gemm *g; const tg_kernels *kn; int parts; } gemv_job;

static void gemv_columns(const tg_gemm *g, const tg_kernels *kn, tg_span columns)
{
    if (g->packed) kn->gemv(g->c, g->from, g->a, g->packed, g->k * kn->nr, g->k, columns, g->ep);
    else kn->gemv_turned(g->c, g->from, g->a, g->b, g->b_cs, g->k, columns, g->ep);
}

static void gemv_part(void *arg, int64_t part)
{
    const gemv_job *j = arg;
    const tg_span columns = part_of(tg_ceil_div(j->g->n, j->kn->nr), part, j->parts, j->kn->nr, j->g->n);
    if (columns.begin < columns.end) gemv_columns(j->g, j->kn, columns);
}

/* Each thread has columns of its own, the same ones every time: its share of the weights stays in its L2, if there is room. */
static void run_gemv(tg_context *ctx, const tg_kernels *kn, const tg_gemm *g)
{
    gemv_job j = {g, kn, tg_pool_threads(ctx->pool)};
    if (g->n * g->k < (g->far ? SMALL_FAR : SMALL)) gemv_columns(g, kn, (tg_span){0, g->n});
    else tg_pool_run(ctx->pool, gemv_part, &j, j.parts);
}

/* to[steps, lines] = from[lines, steps] with rows from_rs apart: a panel as wide as a matrix is high is its transpose. */
typedef struct turn_job { const tg_kernels *kn; float *to; const float *from; int64_t from_rs, lines; } turn_job;

static void turn_span(void *arg, tg_span steps)
{
    const turn_job *j = arg;
    float *to = j->to + steps.begin * j->lines;
    j->kn->pack(to, 0, j->from + steps.begin, 1, j->from_rs, steps.end - steps.begin, j->lines, j->lines);
}

static void run_turned(tg_context *ctx, const tg_kernels *kn, const tg_gemm *g, float *scratch)
{
    const tg_gemm other = turned(g, scratch);
    turn_job in = {kn, scratch, g->from, g->from_rs, g->m}, out = {kn, g->c, scratch, g->m, g->n};
    if (g->from) tg_for_spans(ctx, g->n, 64, turn_span, &in);
    tg_gemm_run(ctx, &other, scratch + g->m * g->n);
    tg_for_spans(ctx, g->m, 64, turn_span, &out);
}

void tg_gemm_run(tg_context *ctx, const tg_gemm *g, void *scratch)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    if (is_gemv(g)) {
        run_gemv(ctx, kn, g);
        return;
    }
    if (is_turned(g)) {
        run_turned(ctx, kn, g, scratch);
        return;
    }
    tg_pool *pool = pool_for(ctx, g);
    gemm_job j = {.g = g, .kn = kn, .p = plan_of(ctx, g, tg_pool_threads(pool))};
    j.own = (float *)scratch + j.p.shared;
    for (; j.k0 == 0 || j.k0 < g->k; j.k0 = j.k1) {
        j.k1 = tg_least(g->k, j.k0 + j.p.k_pass);
        aim_right(&j, pool, scratch);
        atomic_store_explicit(&j.next, 0, memory_order_relaxed);
        tg_pool_run(pool, claim_blocks, &j, tg_least(tg_pool_threads(pool), j.p.row_blocks * j.p.col_blocks));
        if (j.k1 == 0) break;
    }
}
