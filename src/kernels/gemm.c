/*
 * gemm.c - products of any shape over the register tile. k is taken in blocks; for each, panels of A and B are packed
 * by all threads, then blocks of C are computed by all threads: two forks. A block of C continues its chains from one
 * k-block to the next, so neither blocking nor threads show in the bits.
 */
#include "kernels/drive.h"

enum {
    K_TILE = 384,               /* a panel of B then is 48 KiB (avx512): it streams from L2 while A's 21 KiB stay in L1 */
    PACKED_MOST = 4 << 20,      /* floats packed at once: 16 MiB */
    PACK_GRAIN = 16384,         /* floats packed by one chunk */
    ROW_TILES = 8, COL_TILES = 16, /* most register tiles in a block of C */
    SMALL = 1 << 16             /* multiply-adds below which a fork costs more than it brings */
};

typedef struct gemm_job {
    const tg_gemm *g;
    const tg_kernels *kernels;
    float *a, *b;               /* packed panels of this k-block */
    const float *b_panels;
    int64_t b_stride;
    int64_t k0, kb;             /* this k-block */
    int64_t a_group, a_groups;  /* panels a chunk packs; chunks of A come before those of B */
    int64_t b_group;
    int64_t block_rows, block_cols, grid_cols;
} gemm_job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t padded(int64_t n, int64_t to) { return ceil_div(n, to) * to; }

/* How much of k is packed at once. */
static int64_t k_block(const tg_kernels *kn, const tg_gemm *g)
{
    const int64_t lines = padded(g->m, kn->mr) + (g->packed ? 0 : padded(g->n, kn->nr));
    const int64_t fits = most(PACKED_MOST / most(lines, 1), K_TILE) / K_TILE * K_TILE;
    return least(most(g->k, 1), fits);
}

int64_t tg_gemm_room(tg_context *ctx, const tg_gemm *g)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    const int64_t lines = padded(g->m, kn->mr) + (g->packed ? 0 : padded(g->n, kn->nr));
    return lines * k_block(kn, g) * (int64_t)sizeof(float);
}

static void pack_chunk(void *arg, int64_t chunk)
{
    const gemm_job *j = arg;
    const tg_gemm *g = j->g;
    if (chunk < j->a_groups) {
        const int64_t row = chunk * j->a_group * j->kernels->mr;
        const int64_t rows = least(g->m - row, j->a_group * j->kernels->mr);
        j->kernels->pack_a(j->a + row * j->kb, g->a + row * g->a_rs + j->k0 * g->a_cs, g->a_rs, g->a_cs, rows, j->kb);
        return;
    }
    const int64_t col = (chunk - j->a_groups) * j->b_group * j->kernels->nr;
    const int64_t cols = least(g->n - col, j->b_group * j->kernels->nr);
    j->kernels->pack_b(j->b + col * j->kb, g->b + j->k0 * g->b_rs + col * g->b_cs, g->b_rs, g->b_cs, j->kb, cols);
}

/* One block of C, through this k-block in tiles of k that fit the caches. Packed A is laid out for the whole k-block,
 * so its panels are taken one by one where k is cut. */
static void block_chunk(void *arg, int64_t chunk)
{
    const gemm_job *j = arg;
    const tg_gemm *g = j->g;
    const tg_kernels *kn = j->kernels;
    const int64_t row = chunk / j->grid_cols * j->block_rows, col = chunk % j->grid_cols * j->block_cols;
    const int64_t rows = least(g->m - row, j->block_rows), cols = least(g->n - col, j->block_cols);
    float *c = g->c + row * g->c_rs + col;
    for (int64_t k = 0; k < j->kb; k += K_TILE) {
        const int64_t kt = least(j->kb - k, K_TILE);
        const bool first = j->k0 + k == 0, last = j->k0 + k + kt == g->k;
        const float *from = !first ? c : g->from ? g->from + row * g->from_rs + col : NULL;
        tg_epilogue ep = last && g->ep ? *g->ep : (tg_epilogue){0};
        if (ep.bias) ep.bias += col;
        const float *b = j->b_panels + col / kn->nr * j->b_stride + k * kn->nr;
        kn->gemm_panel(c, g->c_rs, from, first ? g->from_rs : g->c_rs, j->a + row * j->kb + k * kn->mr, j->kb * kn->mr,
                       b, j->b_stride, rows, cols, kt, &ep);
    }
}

/* Blocks of C small enough that every thread gets several, large enough to reuse what they load. */
static void plan_grid(gemm_job *j, int threads)
{
    const int64_t mr = j->kernels->mr, nr = j->kernels->nr;
    int64_t rt = least(ROW_TILES, ceil_div(j->g->m, mr)), ct = least(COL_TILES, ceil_div(j->g->n, nr));
    const int64_t wanted = threads > 1 ? 4 * (int64_t)threads : 1;
    while (ceil_div(j->g->m, rt * mr) * ceil_div(j->g->n, ct * nr) < wanted && (rt > 1 || ct > 1)) {
        if (ct > 1 && (rt == 1 || ct * nr >= rt * mr)) ct = ceil_div(ct, 2);
        else rt = ceil_div(rt, 2);
    }
    j->block_rows = rt * mr;
    j->block_cols = ct * nr;
    j->grid_cols = ceil_div(j->g->n, j->block_cols);
}

static void run_gemv(const tg_kernels *kn, const tg_gemm *g)
{
    kn->gemv(g->c, g->from, g->a, g->packed, g->k * kn->nr, g->k, (tg_span){0, g->n}, g->ep);
}

void tg_gemm_run(tg_context *ctx, const tg_gemm *g, void *scratch)
{
    const tg_kernels *kn = tg_kernels_of(ctx);
    if (g->m == 1 && g->packed && g->a_cs == 1) {
        run_gemv(kn, g);
        return;
    }
    const int64_t whole = k_block(kn, g);
    tg_pool *pool = g->m * g->n * g->k < SMALL ? NULL : ctx->pool;
    gemm_job j = {.g = g, .kernels = kn, .a = scratch};
    j.b = j.a + padded(g->m, kn->mr) * whole;
    plan_grid(&j, pool ? tg_pool_threads(pool) : 1);
    const int64_t blocks = ceil_div(g->m, j.block_rows) * j.grid_cols;
    for (j.k0 = 0; j.k0 == 0 || j.k0 < g->k; j.k0 += whole) {
        j.kb = least(g->k - j.k0, whole);
        j.a_group = most(1, PACK_GRAIN / most(1, j.kb * kn->mr));
        j.b_group = most(1, PACK_GRAIN / most(1, j.kb * kn->nr));
        j.a_groups = ceil_div(g->m, j.a_group * kn->mr);
        j.b_panels = g->packed ? g->packed + j.k0 * kn->nr : j.b;
        j.b_stride = (g->packed ? g->k : j.kb) * kn->nr;
        const int64_t b_groups = g->packed ? 0 : ceil_div(g->n, j.b_group * kn->nr);
        tg_pool_run(pool, pack_chunk, &j, j.a_groups + b_groups);
        tg_pool_run(pool, block_chunk, &j, blocks);
    }
}

int64_t tg_pack_room(tg_context *ctx, int64_t k, int64_t n)
{
    return padded(n, tg_kernels_of(ctx)->nr) * k * (int64_t)sizeof(float);
}

void tg_pack(tg_context *ctx, float *out, const float *b, int64_t rs, int64_t cs, int64_t k, int64_t n)
{
    const tg_gemm g = {.n = n, .k = k, .b = b, .b_rs = rs, .b_cs = cs};
    gemm_job j = {.g = &g, .kernels = tg_kernels_of(ctx), .b = out, .kb = k};
    j.b_group = most(1, PACK_GRAIN / most(1, k * j.kernels->nr));
    tg_pool_run(n * k < PACK_GRAIN ? NULL : ctx->pool, pack_chunk, &j, ceil_div(n, j.b_group * j.kernels->nr));
}
