/* Tests of kernels/gemm.c: products of sizes and strides that take every way through it - operands packed, as they lie,
 * packed beforehand; one k-block and several; one block of rows and several; one row - against a chain of fused multiply-adds written as a loop, which
 * they must equal bit for bit, on every instruction set and for any number of threads. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/rng.h"
#include "kernels/drive.h"
#include "test.h"

static const char *const isas[] = {"scalar", "avx2", "avx512", "neon"};

static float *numbers(int64_t n, uint64_t stream)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, stream);
    float *x = tg_alloc_array(n > 0 ? n : 1, sizeof *x);
    CHECK(x != NULL);
    for (int64_t i = 0; i < n; i++) x[i] = 2 * tg_rng_unit(&r) - 1;
    return x;
}

/* One element, as docs/numerics.md says it. */
static float chain(const tg_gemm *g, const float *b, int64_t i, int64_t j)
{
    float sum = g->from ? g->from[i * g->from_rs + j] : 0;
    for (int64_t p = 0; p < g->k; p++) sum = fmaf(g->a[i * g->a_rs + p * g->a_cs], b[p * g->b_rs + j * g->b_cs], sum);
    return g->ep && g->ep->bias ? sum + g->ep->bias[j] : sum;
}

typedef struct size { int64_t m, n, k; bool turn_a, turn_b, add, packed, bare; } size; /* bare: no bias */

static void run(const char *isa, int threads, const size *s, tg_gemm g, float *c)
{
    tg_context *ctx;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = threads, .isa = isa}, &ctx));
    if (threads == 2) ctx->l2 = 64 << 10; /* a small cache cuts more finely */
    g.far = threads == 3; /* smaller rows are split, too */
    const int64_t bytes = s->m * s->n * (int64_t)sizeof *c;
    if (s->add) memcpy(c, g.from, (size_t)bytes);
    else memset(c, 0xff, (size_t)bytes);
    g.c = c;
    if (s->add) g.from = c; /* in place */
    void *scratch = NULL, *packed = NULL;
    if (s->packed) {
        packed = tg_alloc(tg_pack_room(ctx, s->k, s->n));
        CHECK(packed != NULL);
        tg_pack(ctx, packed, g.b, g.b_rs, g.b_cs, s->k, s->n);
        g.b = NULL;
        g.packed = packed;
    }
    scratch = tg_alloc(tg_gemm_room(ctx, &g) + 64);
    CHECK(scratch != NULL);
    tg_gemm_run(ctx, &g, scratch);
    tg_free(scratch);
    tg_free(packed);
    tg_context_free(ctx);
}

static void check_size(const size *s)
{
    float *a = numbers(s->m * s->k, 1), *b = numbers(s->k * s->n, 2), *from = numbers(s->m * s->n, 3), *bias = numbers(s->n, 4);
    float *want = numbers(s->m * s->n, 5), *c = numbers(s->m * s->n, 6);
    const tg_epilogue ep = {bias, TG_ACT_LINEAR};
    const tg_gemm g = {.m = s->m, .n = s->n, .k = s->k, .a = a, .a_rs = s->turn_a ? 1 : s->k, .a_cs = s->turn_a ? s->m : 1,
                       .b = b, .b_rs = s->turn_b ? 1 : s->n, .b_cs = s->turn_b ? s->k : 1, .from = s->add ? from : NULL,
                       .from_rs = s->n, .c_rs = s->n, .ep = s->bare ? NULL : &ep};
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->n; j++) want[i * s->n + j] = chain(&g, b, i, j);
    const bool alone = !tg_kernels_named("avx2") && !tg_kernels_named("neon");
    for (int i = 0; i < 4; i++)
        for (int threads = 1; threads <= 3 && tg_kernels_named(isas[i]); threads++) {
            if (i == 0 && threads != 2 && !alone) continue; /* plain C, instrumented, takes ten times as long as the others */
            run(isas[i], threads, s, g, c);
            for (int64_t e = 0; e < s->m * s->n; e++)
                if (memcmp(&c[e], &want[e], sizeof *c))
                    test_failed(__FILE__, __LINE__, "%lldx%lldx%lld, %s, %d threads: [%lld] is %.9g, not %.9g", (long long)s->m,
                                (long long)s->n, (long long)s->k, isas[i], threads, (long long)e, (double)c[e], (double)want[e]);
        }
    float *all[] = {a, b, from, bias, want, c};
    for (int i = 0; i < 6; i++) tg_free(all[i]);
}

TEST(products_are_chains_of_fused_multiply_adds_whichever_way_they_take)
{
    static const size sizes[] = {
        {1, 1, 1, 0, 0, 0, 0, 0},        {1, 70, 33, 0, 0, 1, 1, 0},      {1, 70, 33, 0, 1, 0, 0, 0},    {3, 5, 7, 1, 1, 1, 0, 0},
        {50, 64, 40, 0, 0, 0, 0, 0},     {50, 65, 40, 0, 1, 1, 0, 0},     {15, 48, 20, 0, 0, 1, 1, 0},   {29, 16, 9, 1, 0, 0, 0, 0},
        {33, 33, 1100, 0, 0, 0, 0, 0},   {17, 32, 2100, 1, 0, 1, 0, 0},   {20, 17, 1030, 0, 1, 1, 1, 0}, /* several k-blocks */
        {512, 40, 70, 1, 0, 0, 0, 0},    {40, 1024, 70, 0, 0, 1, 0, 0},   {6, 32, 512, 0, 0, 0, 0, 0},   /* rows a page apart */
        {300, 32, 20, 0, 0, 1, 0, 0},    {30, 520, 20, 1, 0, 0, 0, 0},    {64, 20, 80, 0, 0, 0, 0, 0},
        {96, 48, 600, 1, 0, 0, 0, 1}, {160, 32, 700, 1, 0, 1, 0, 1},                            /* transposed as a whole */
        {544, 40, 1000, 1, 0, 1, 0, 0},                                                         /* columns of A far apart */
        {20, 600, 1030, 0, 1, 0, 0, 0},                                                         /* B packed in two passes */
        {3, 40, 0, 0, 0, 1, 0, 0},       {9, 17, 0, 1, 1, 0, 0, 0},    {1, 17, 0, 0, 1, 1, 1, 0},                     /* nothing to add */
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_size(&sizes[i]);
}

/* The row of a large product with one row is split over threads. */
TEST(a_row_times_a_large_matrix_is_the_same_for_any_number_of_threads)
{
    check_size(&(size){1, 1100, 300, 0, 0, 0, 1, 0});
    check_size(&(size){1, 300, 130, 0, 0, 1, 1, 0}); /* if it is far */
    check_size(&(size){1, 290, 130, 0, 1, 0, 0, 0});
    check_size(&(size){1, 40, 1000, 0, 0, 0, 1, 0}); /* fewer panels than threads */
}

/* No rows are as many as twice no columns: turned for ever, it would end with the stack. */
TEST(a_product_of_no_rows_and_no_columns_ends)
{
    tg_context *ctx;
    const tg_gemm g = {.k = 600, .a_rs = 1, .a_cs = 16, .b_rs = 16, .b_cs = 1};
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 2}, &ctx));
    void *scratch = tg_alloc(tg_gemm_room(ctx, &g) + 64);
    CHECK(scratch != NULL);
    tg_gemm_run(ctx, &g, scratch);
    tg_free(scratch);
    tg_context_free(ctx);
}
