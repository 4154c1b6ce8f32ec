/*
 * gemm.c - products of any shape over the register tile. An operand is taken as it lies where the tile can walk it fast and
 * packed into panels where it cannot, or where it is used so often that packing pays. k is taken in blocks; for each,
 * what must be packed is packed by all threads, then blocks of C are computed by all threads. A block of C continues its
 * chains from one k-block to the next, so neither packing nor blocking nor threads show in the bits.
 */
#include "kernels/drive.h"

enum {
    K_BLOCK = 1024,             /* a panel of B is at most 128 KiB then and streams from L2; C is touched seldom */
    ROW_BLOCK = 96 << 10,       /* floats of A that a block's rows take at most: 384 KiB, they stay in L2 */
    PACKED_MOST = 4 << 20,      /* floats packed at once: 16 MiB */
    PACK_GRAIN = 16384,         /* floats packed by one chunk */
    COPY_PANELS = 8,            /* panels side by side that a chunk of lines side by side takes: 1 KiB of each step */
    PAGE = 1024,                /* floats: strides that are multiples of a page fall on the same lines of the caches */
    SHORT = 64,                 /* so short a k that those lines do not crowd each other out */
    NARROW = 512, FLAT = 256,   /* fewer columns of B, rows of A: packing the other operand does not pay */
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
    int64_t k_block;
    int64_t a_floats, b_floats; /* of scratch */
} plan;

static bool crowds(int64_t stride, int64_t k)
{
    return k > SHORT && stride % (PAGE / 2) == 0;
}

static plan plan_of(const tg_kernels *kn, const tg_gemm *g)
{
    plan p = {.tiles = ceil_div(most(g->m, 1), kn->mr)};
    p.height = ceil_div(most(g->m, 1), p.tiles);
    p.tiles = ceil_div(most(g->m, 1), p.height);
    if (g->a_cs == 1) p.pack_a = crowds(g->a_rs, g->k) && g->m > 2;
    else p.pack_a = g->a_rs != 1 || (crowds(g->a_cs, g->k) && g->n > kn->nr) || g->n >= NARROW;
    p.pack_b = !g->packed && (g->b_cs != 1 || g->n % (kn->nr / 2) != 0 || crowds(g->b_rs, g->k) || g->m >= FLAT);
    const int64_t lines = (p.pack_a ? p.tiles * p.height : 0) + (p.pack_b ? padded(g->n, kn->nr) : 0);
    const int64_t fits = most(PACKED_MOST / most(lines, 1), K_BLOCK) / K_BLOCK * K_BLOCK;
    p.k_block = least(most(g->k, 1), least(fits, K_BLOCK));
    p.a_floats = p.pack_a ? padded(p.tiles * p.height * p.k_block, 16) : 0;
    p.b_floats = p.pack_b ? padded(g->n, kn->nr) * p.k_block : 0;
    return p;
}

int64_t tg_gemm_room(tg_context *ctx, const tg_gemm *g)
{
    const plan p = plan_of(tg_kernels_of(ctx), g);
    return (p.a_floats + p.b_floats) * (int64_t)sizeof(float);
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

static int64_t pack_chunks(const pack_job *j)
{
    return j->lines ? ceil_div(j->lines, j->width * j->group) : 0;
}

static void pack_chunk(const pack_job *j, int64_t chunk)
{
    const int64_t line = chunk * j->group * j->width, lines = least(j->lines - line, j->group * j->width);
    j->kn->pack(j->out + chunk * j->group * j->panel_stride, j->panel_stride, j->x + line * j->ls, j->ps, j->ls, j->k, lines,
                j->width);
}

typedef struct pack_jobs { pack_job a, b; } pack_jobs;

static void pack_either(void *arg, int64_t chunk)
{
    const pack_jobs *j = arg;
    const int64_t first = pack_chunks(&j->a);
    if (chunk < first) pack_chunk(&j->a, chunk);
    else pack_chunk(&j->b, chunk - first);
}

int64_t tg_pack_room(tg_context *ctx, int64_t k, int64_t n)
{
    return padded(n, tg_kernels_of(ctx)->nr) * k * (int64_t)sizeof(float);
}

void tg_pack(tg_context *ctx, float *out, const float *b, int64_t rs, int64_t cs, int64_t k, int64_t n)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    pack_jobs j = {.b = pack_of(kn, out, b, rs, cs, k, n, kn->nr)};
    tg_pool_run(n * k < PACK_GRAIN ? NULL : ctx->pool, pack_either, &j, pack_chunks(&j.b));
}

/* ---- the product ---------------------------------------------------------------------------------------------------- */

typedef struct gemm_job {
    const tg_gemm *g;
    const tg_kernels *kn;
    plan p;
    int64_t k0, kb;             /* this k-block */
    tg_left a;
    tg_right b;
    int64_t block_rows, block_cols, grid_cols;
} gemm_job;

/* Where this k-block's operands are read, packed or not. */
static void aim(gemm_job *j, float *scratch)
{
    const tg_gemm *g = j->g;
    const int64_t h = j->p.height, nr = j->kn->nr;
    if (j->p.pack_a) j->a = (tg_left){scratch, h * j->kb, 1, h, h};
    else j->a = (tg_left){g->a + j->k0 * g->a_cs, h * g->a_rs, g->a_rs, g->a_cs, h};
    if (j->p.pack_b) j->b = (tg_right){scratch + j->p.a_floats, nr * j->kb, nr};
    else if (g->packed) j->b = (tg_right){g->packed + j->k0 * nr, nr * g->k, nr};
    else j->b = (tg_right){g->b + j->k0 * g->b_rs, nr, g->b_rs};
}

static void pack_block(const gemm_job *j, tg_pool *pool, float *scratch)
{
    const tg_gemm *g = j->g;
    pack_jobs jobs = {0};
    if (j->p.pack_a) jobs.a = pack_of(j->kn, scratch, g->a + j->k0 * g->a_cs, g->a_cs, g->a_rs, j->kb, g->m, j->p.height);
    if (j->p.pack_b)
        jobs.b = pack_of(j->kn, scratch + j->p.a_floats, g->b + j->k0 * g->b_rs, g->b_rs, g->b_cs, j->kb, g->n, j->kn->nr);
    tg_pool_run(pool, pack_either, &jobs, pack_chunks(&jobs.a) + pack_chunks(&jobs.b));
}

static void block_chunk(void *arg, int64_t chunk)
{
    const gemm_job *j = arg;
    const tg_gemm *g = j->g;
    const int64_t row = chunk / j->grid_cols * j->block_rows, col = chunk % j->grid_cols * j->block_cols;
    const int64_t rows = least(g->m - row, j->block_rows), cols = least(g->n - col, j->block_cols);
    const bool first = j->k0 == 0, last = j->k0 + j->kb == g->k;
    float *c = g->c + row * g->c_rs + col;
    const float *from = !first ? c : g->from ? g->from + row * g->from_rs + col : NULL;
    tg_left a = j->a;
    tg_right b = j->b;
    a.a += row / j->p.height * a.tile;
    b.b += col / j->kn->nr * b.panel;
    tg_epilogue ep = last && g->ep ? *g->ep : (tg_epilogue){0};
    if (ep.bias) ep.bias += col;
    j->kn->gemm_block(c, g->c_rs, from, first ? g->from_rs : g->c_rs, &a, &b, rows, cols, j->kb, &ep);
}

/* Blocks of C whose part of A stays in L2, and small enough that every thread gets several. */
static void plan_grid(gemm_job *j, int threads)
{
    const int64_t h = j->p.height, nr = j->kn->nr;
    int64_t rt = least(j->p.tiles, most(1, ROW_BLOCK / (h * j->p.k_block))), ct = ceil_div(j->g->n, nr);
    const int64_t wanted = threads > 1 ? 3 * (int64_t)threads : 1;
    while (ceil_div(j->p.tiles, rt) * ceil_div(ceil_div(j->g->n, nr), ct) < wanted && (rt > 1 || ct > 1)) {
        if (ct > 1 && (rt == 1 || ct * nr >= rt * h)) ct = ceil_div(ct, 2);
        else rt = ceil_div(rt, 2);
    }
    j->block_rows = rt * h;
    j->block_cols = ct * nr;
    j->grid_cols = ceil_div(j->g->n, j->block_cols);
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
    plan_grid(&j, pool ? tg_pool_threads(pool) : 1);
    const int64_t blocks = ceil_div(g->m, j.block_rows) * j.grid_cols;
    for (j.k0 = 0; j.k0 == 0 || j.k0 < g->k; j.k0 += j.p.k_block) {
        j.kb = least(g->k - j.k0, j.p.k_block);
        if (j.p.pack_a || j.p.pack_b) pack_block(&j, pool, scratch);
        aim(&j, scratch);
        tg_pool_run(pool, block_chunk, &j, blocks);
    }
}
