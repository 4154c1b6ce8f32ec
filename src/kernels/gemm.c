/*
 * gemm.c - products of any shape over the register tile. An operand is taken as it lies where the tile can walk it fast and
 * packed into panels where it cannot, or where it is used so often that packing pays. k is taken in blocks; for each, B is
 * packed by all threads if it must be, then blocks of C are claimed by all threads; where A must be packed, a block's rows
 * are, by the thread that computes it, into memory that stays in its cache. A block of C continues its chains from one
 * k-block to the next, so neither packing nor blocking nor threads show in the bits.
 */
#include "kernels/drive.h"

#include <stdatomic.h>

enum {
    K_BLOCK = 1024,             /* a panel of B is at most 128 KiB then and streams from L2; C is touched seldom */
    K_BLOCK_TURNED = 384,       /* where A is walked by steps as it lies: its lines are far apart, and must stay in L2 */
    ROW_BLOCK = 96 << 10,       /* floats of A that a block's rows take at most: 384 KiB, they stay in L2 */
    PACKED_MOST = 4 << 20,      /* floats packed at once: 16 MiB */
    PACK_GRAIN = 16384,         /* floats packed by one chunk */
    COPY_PANELS = 8,            /* panels side by side that a chunk of lines side by side takes: 1 KiB of each step */
    PAGE = 1024,                /* floats: strides that are multiples of a page fall on the same lines of the caches */
    SHORT = 64,                 /* so short a k that those lines do not crowd each other out */
    FLAT = 256,                 /* fewer rows of A: packing B does not pay */
    SMALL = 1 << 16             /* multiply-adds below which a fork costs more than it brings */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t padded(int64_t n, int64_t to) { return ceil_div(n, to) * to; }

/* What is decided by sizes and strides alone. */
typedef struct plan {
    int64_t height, tiles;      /* rows of a tile of A, and how many tiles: heights as equal as can be */
    bool pack_a, pack_b;
    int64_t k_block, row_tiles; /* row_tiles: most tiles of A in a block of C */
    int64_t a_floats, b_floats; /* of scratch: of A each thread's, of B in all */
} plan;

static bool crowds(int64_t stride, int64_t k)
{
    return k > SHORT && stride % PAGE == 0;
}

static plan plan_of(const tg_kernels *kn, const tg_gemm *g)
{
    plan p = {.tiles = ceil_div(most(g->m, 1), kn->mr)};
    p.height = ceil_div(most(g->m, 1), p.tiles);
    p.tiles = ceil_div(most(g->m, 1), p.height);
    p.pack_a = g->a_cs == 1 ? crowds(g->a_rs, g->k) && g->m > 2 : g->a_rs != 1;
    p.pack_b = !g->packed && (g->b_cs != 1 || g->n % (kn->nr / 2) != 0 || crowds(g->b_rs, g->k) || g->m >= FLAT);
    const int64_t fits = p.pack_b ? most(PACKED_MOST / padded(g->n, kn->nr), K_BLOCK_TURNED) : K_BLOCK;
    p.k_block = least(most(g->k, 1), least(fits, g->a_cs == 1 || p.pack_a ? K_BLOCK : K_BLOCK_TURNED));
    p.row_tiles = most(1, ROW_BLOCK / (p.height * p.k_block));
    p.a_floats = p.pack_a ? padded(least(p.row_tiles, p.tiles) * p.height * p.k_block, 16) : 0;
    p.b_floats = p.pack_b ? padded(g->n, kn->nr) * p.k_block : 0;
    return p;
}

int64_t tg_gemm_room(tg_context *ctx, const tg_gemm *g)
{
    const plan p = plan_of(tg_kernels_of(ctx), g);
    return (p.a_floats * tg_pool_threads(ctx->pool) + p.b_floats) * (int64_t)sizeof(float);
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
    pack_job j = {kn, out, x, ps, ls, k, lines, width, width * k, most(1, PACK_GRAIN / most(1, k * width))};
    if (ls == 1) j.group = most(j.group, COPY_PANELS);
    return j;
}

static void pack_chunk(void *arg, int64_t chunk)
{
    const pack_job *j = arg;
    const int64_t line = chunk * j->group * j->width, lines = least(j->lines - line, j->group * j->width);
    j->kn->pack(j->out + chunk * j->group * j->panel_stride, j->panel_stride, j->x + line * j->ls, j->ps, j->ls, j->k, lines,
                j->width);
}

static void run_pack(tg_pool *pool, pack_job j)
{
    tg_pool_run(pool, pack_chunk, &j, ceil_div(j.lines, j.width * j.group));
}

int64_t tg_pack_room(tg_context *ctx, int64_t k, int64_t n)
{
    return padded(n, tg_kernels_of(ctx)->nr) * k * (int64_t)sizeof(float);
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
    int64_t k0, kb;             /* this k-block */
    tg_right b;
    float *a_scratch;           /* each thread's, one behind the other */
    int64_t block_rows, block_cols, grid_cols, blocks;
    _Atomic int64_t next;       /* block that nobody has claimed yet */
} gemm_job;

/* Where this k-block's B is read, packed or not. */
static void aim_right(gemm_job *j, tg_pool *pool, float *scratch)
{
    const tg_gemm *g = j->g;
    const int64_t nr = j->kn->nr;
    if (j->p.pack_b) {
        run_pack(pool, pack_of(j->kn, scratch, g->b + j->k0 * g->b_rs, g->b_rs, g->b_cs, j->kb, g->n, nr));
        j->b = (tg_right){scratch, nr * j->kb, nr};
    } else if (g->packed) {
        j->b = (tg_right){g->packed + j->k0 * nr, nr * g->k, nr};
    } else {
        j->b = (tg_right){g->b + j->k0 * g->b_rs, nr, g->b_rs};
    }
}

/* The same for a block's rows of A. */
static tg_left aim_left(const gemm_job *j, int64_t row, int64_t rows, float *own)
{
    const tg_gemm *g = j->g;
    const int64_t h = j->p.height;
    const float *a = g->a + row * g->a_rs + j->k0 * g->a_cs;
    if (!j->p.pack_a) return (tg_left){a, h * g->a_rs, g->a_rs, g->a_cs, h};
    j->kn->pack(own, h * j->kb, a, g->a_cs, g->a_rs, j->kb, rows, h);
    return (tg_left){own, h * j->kb, 1, h, h};
}

static void one_block(const gemm_job *j, int64_t block, float *own)
{
    const tg_gemm *g = j->g;
    const int64_t row = block / j->grid_cols * j->block_rows, col = block % j->grid_cols * j->block_cols;
    const int64_t rows = least(g->m - row, j->block_rows), cols = least(g->n - col, j->block_cols);
    const bool first = j->k0 == 0, last = j->k0 + j->kb == g->k;
    const tg_left a = aim_left(j, row, rows, own);
    tg_right b = j->b;
    float *c = g->c + row * g->c_rs + col;
    const float *from = !first ? c : g->from ? g->from + row * g->from_rs + col : NULL;
    tg_epilogue ep = last && g->ep ? *g->ep : (tg_epilogue){0};
    b.b += col / j->kn->nr * b.panel;
    if (ep.bias) ep.bias += col;
    j->kn->gemm_block(c, g->c_rs, from, first ? g->from_rs : g->c_rs, &a, &b, rows, cols, j->kb, &ep);
}

static void claim_blocks(void *arg, int64_t thread)
{
    gemm_job *j = arg;
    for (int64_t block; (block = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->blocks;)
        one_block(j, block, j->a_scratch + thread * j->p.a_floats);
}

/* Blocks of C whose part of A stays in L2, and small enough that every thread gets several. */
static void plan_grid(gemm_job *j, int threads)
{
    const int64_t h = j->p.height, nr = j->kn->nr, panels = ceil_div(j->g->n, nr);
    const int64_t wanted = threads > 1 ? 3 * (int64_t)threads : 1;
    int64_t rt = least(j->p.tiles, j->p.row_tiles), ct = most(1, panels);
    while (ceil_div(j->p.tiles, rt) * ceil_div(panels, ct) < wanted && (rt > 1 || ct > 1)) {
        if (ct > 1 && (rt == 1 || ct * nr >= rt * h)) ct = ceil_div(ct, 2);
        else rt = ceil_div(rt, 2);
    }
    j->block_rows = rt * h;
    j->block_cols = ct * nr;
    j->grid_cols = ceil_div(j->g->n, j->block_cols);
    j->blocks = ceil_div(j->g->m, j->block_rows) * j->grid_cols;
}

typedef struct gemv_job { const tg_gemm *g; const tg_kernels *kn; } gemv_job;

static void gemv_span(void *arg, tg_span panels)
{
    const gemv_job *j = arg;
    const tg_gemm *g = j->g;
    const int64_t nr = j->kn->nr;
    j->kn->gemv(g->c, g->from, g->a, g->packed, g->k * nr, g->k, (tg_span){panels.begin * nr, least(g->n, panels.end * nr)}, g->ep);
}

enum { GEMV_PANELS = 16 };

static void run_gemv(tg_context *ctx, const tg_kernels *kn, const tg_gemm *g)
{
    gemv_job j = {g, kn};
    if (g->n * g->k < SMALL * 4) gemv_span(&j, (tg_span){0, ceil_div(g->n, kn->nr)});
    else tg_for_spans(ctx, ceil_div(g->n, kn->nr), GEMV_PANELS, gemv_span, &j);
}

void tg_gemm_run(tg_context *ctx, const tg_gemm *g, void *scratch)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    if (g->m == 1 && g->packed && g->a_cs == 1) {
        run_gemv(ctx, kn, g);
        return;
    }
    gemm_job j = {.g = g, .kn = kn, .p = plan_of(kn, g)};
    tg_pool *pool = g->m * g->n * g->k < SMALL ? NULL : ctx->pool;
    j.a_scratch = (float *)scratch + j.p.b_floats;
    plan_grid(&j, tg_pool_threads(pool));
    for (j.k0 = 0; j.k0 == 0 || j.k0 < g->k; j.k0 += j.p.k_block) {
        j.kb = least(g->k - j.k0, j.p.k_block);
        aim_right(&j, pool, scratch);
        atomic_store_explicit(&j.next, 0, memory_order_relaxed);
        tg_pool_run(pool, claim_blocks, &j, least(tg_pool_threads(pool), j.blocks));
    }
}
