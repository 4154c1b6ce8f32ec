/*
 * conv.c - convolution as products over the register tile, a block of images (or of an image's rows) at a time.
 *
 * Forward: patches [C·P·Q, results] of a block are copied for as many channels as stay in cache, and the product with the
 * weights continues its chains from one such group of channels to the next. Gradient of x: the product of the transposed
 * weights with the results' gradients, added back to where the patches came from. Gradient of w: the product of patches with the
 * results' gradients, results being k. Its chains run over a part of the batch; parts depend on sizes alone.
 * Weights are packed once. Units of work write to different places, so neither blocks nor threads show in the bits.
 */
#include "kernels/drive.h"
#include "base/sizes.h"

#include <stdatomic.h>
#include <string.h>

enum {
    COLUMNS = 400,           /* results of a block, more or less */
    HELD = 200 << 10,        /* floats of patches that a thread holds: 800 KiB, they stay in L2 */
    LINES = 256,             /* rows of patches, more or less, where results are k or patches the product */
    PARTS = 16,              /* of the batch in the gradient of w, at most; this and the next decide bits: ... */
    PARTIALS = 1 << 20,      /* ... never change them without raising TG_ALGORITHM. Floats of all parts' gradients */
    A_THREAD = 4,            /* blocks for each thread, so that none waits long for the last */
    SMALL = 1 << 18          /* multiply-adds below which a fork costs more than it brings */
};

static int64_t taps_of(const tg_convolution *g) { return g->y.taps * g->x.taps; }
static int64_t results_of(const tg_convolution *g) { return g->y.out * g->x.out; }
static int64_t image_of(const tg_convolution *g) { return g->C * g->y.in * g->x.in; }

int64_t tg_conv_planes(const tg_convolution *g, int64_t rows)
{
    const int64_t high = rows + (g->y.taps - 1) * g->y.dilation / g->y.stride;
    const int64_t wide = g->x.out + (g->x.taps - 1) * g->x.dilation / g->x.stride;
    return tg_padded(g->y.stride * g->x.stride * high * wide + g->x.in + 48, 16);
}

static tg_pool *pool_for(tg_context *ctx, const tg_convolution *g)
{
    return g->B * results_of(g) * g->O * g->C * taps_of(g) < SMALL ? NULL : ctx->pool;
}

/* Space between rows of n: whole vectors, what runs over, and not a multiple of a page. */
static int64_t apart(int64_t n)
{
    const int64_t s = tg_padded(n, 16) + 32; /* panels of a tile may be read to their end */
    return s % (TG_PAGE_FLOATS / 4) == 0 ? s + 16 : s;
}

/* ---- units of work ---------------------------------------------------------------------------------------------------- */

typedef struct job job;
struct job {
    const tg_convolution *g;
    const tg_kernels *kn;
    void (*unit)(const job *j, int64_t unit, float *own);
    int64_t units, own_floats;       /* a thread's scratch */
    int64_t images, rows, blocks_y;  /* of a block: images, or one and some rows of its results */
    int64_t apart, channels;         /* row stride of patches; channels at once */
    int64_t groups, parts;           /* of channels; of the batch */
    int64_t height, packed_floats;   /* weights: lines of a tile, floats in all */
    int64_t part_floats;
    float *out, *packed, *partial, *own;
    const float *x, *dy, *w, *bias;
    bool add;
    _Atomic int64_t next;
};

/* Lines of an operand on a tile's left side, as even as can be. */
static void plan_tiles(job *j, int64_t lines, int64_t k)
{
    j->height = tg_ceil_div(lines, tg_ceil_div(lines, j->kn->mr));
    j->packed_floats = tg_padded(tg_ceil_div(lines, j->height) * j->height * k, 16);
}

static void plan_images(job *j, int64_t batch, int64_t units)
{
    j->images = tg_most(1, tg_least(COLUMNS / results_of(j->g), tg_ceil_div(batch, units)));
    j->rows = j->g->y.out;
    j->blocks_y = 1;
}

static void claim(void *arg, int64_t thread)
{
    job *j = arg;
    for (int64_t u; (u = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->units;)
        j->unit(j, u, j->own + thread * j->own_floats);
}

static void run_units(tg_context *ctx, job *j)
{
    tg_pool *pool = pool_for(ctx, j->g);
    atomic_store_explicit(&j->next, 0, memory_order_relaxed);
    tg_pool_run(pool, claim, j, tg_least(tg_pool_threads(pool), j->units));
}

static int64_t bytes_of(tg_context *ctx, const job *j)
{
    return (j->packed_floats + j->part_floats + j->own_floats * tg_pool_threads(pool_for(ctx, j->g))) * (int64_t)sizeof(float);
}

/* ---- packing of weights: tile i in `each` floats --------------------------------------------------------------------- */

typedef struct pack_job { const tg_kernels *kn; float *out; const float *w; int64_t ps, ls, k, lines, height; } pack_job;

static void pack_span(void *arg, tg_span tiles)
{
    const pack_job *j = arg;
    const int64_t line = tiles.begin * j->height, each = j->height * j->k;
    j->kn->pack(j->out + tiles.begin * each, each, j->w + line * j->ls, j->ps, j->ls, j->k,
                tg_least(j->lines, tiles.end * j->height) - line, j->height);
}

static void pack_weights(tg_context *ctx, const job *j, int64_t ps, int64_t ls, int64_t k, int64_t lines)
{
    pack_job p = {j->kn, j->packed, j->w, ps, ls, k, lines, j->height};
    tg_for_spans(ctx, tg_ceil_div(lines, j->height), tg_most(1, 16384 / (k * j->height)), pack_span, &p);
}

/* ---- forward ------------------------------------------------------------------------------------------------------------ */

static void forward_unit(const job *j, int64_t unit, float *own)
{
    const tg_convolution *g = j->g;
    const int64_t first = unit / j->blocks_y * j->images, images = tg_least(j->images, g->B - first), taps = taps_of(g),
        K = g->C * taps;
    const tg_span ys = {unit % j->blocks_y * j->rows, tg_least(g->y.out, (unit % j->blocks_y + 1) * j->rows)};
    const int64_t each = (ys.end - ys.begin) * g->x.out;
    float *planes = own, *cols = own + tg_conv_planes(g, j->rows), *sums = cols + j->channels * taps * j->apart;
    for (int64_t c = 0; c < g->C; c += j->channels) {
        const int64_t channels = tg_least(j->channels, g->C - c);
        for (int64_t i = 0; i < images; i++)
            j->kn->patches(cols + i * each, j->apart, j->x + (first + i) * image_of(g) + c * g->y.in * g->x.in, g, channels, ys,
                           planes);
        const tg_left a = {j->packed + c * taps * j->height, j->height * K, 1, j->height, j->height};
        const tg_right b = {cols, j->kn->nr, j->apart};
        j->kn->gemm_block(sums, j->apart, c ? sums : NULL, j->apart, &a, &b, g->O, images * each, channels * taps, NULL);
    }
    for (int64_t i = 0; i < images; i++)
        for (int64_t o = 0; o < g->O; o++)
            j->kn->affine(j->out + ((first + i) * g->O + o) * results_of(g) + ys.begin * g->x.out, sums + o * j->apart + i * each,
                          1,
                          j->bias ? j->bias[o] : 0, each, j->add);
}

static job plan_forward(tg_context *ctx, const tg_convolution *g)
{
    job j = {.g = g, .kn = tg_kernels_of(ctx), .unit = forward_unit};
    const int64_t taps = taps_of(g), wanted = (int64_t)tg_pool_threads(pool_for(ctx, g)) * A_THREAD;
    plan_tiles(&j, g->O, g->C * taps);
    plan_images(&j, g->B, wanted);
    if (j.images == 1) {
        j.rows = tg_most(1, tg_least(g->y.out, COLUMNS / g->x.out));
        while (j.rows > 1 && g->B * tg_ceil_div(g->y.out, j.rows) < wanted && j.rows * g->x.out > 64)
            j.rows = tg_ceil_div(j.rows, 2);
        j.blocks_y = tg_ceil_div(g->y.out, j.rows);
        j.rows = tg_ceil_div(g->y.out, j.blocks_y);
    }
    j.units = tg_ceil_div(g->B, j.images) * j.blocks_y;
    j.apart = apart(j.images * j.rows * g->x.out);
    j.channels = tg_most(1, tg_least(g->C, HELD / (taps * j.apart)));
    j.own_floats = tg_conv_planes(g, j.rows) + (j.channels * taps + g->O) * j.apart;
    return j;
}

int64_t tg_conv_room(tg_context *ctx, const tg_convolution *g)
{
    const job j = plan_forward(ctx, g);
    return bytes_of(ctx, &j);
}

void tg_conv_forward(tg_context *ctx, const tg_convolution *g, float *y, const float *x, const float *w, const float *bias,
                     bool add,
                     void *scratch)
{
    job j = plan_forward(ctx, g);
    const int64_t K = g->C * taps_of(g);
    j.packed = scratch;
    j.own = j.packed + j.packed_floats;
    j.out = y, j.x = x, j.w = w, j.bias = bias, j.add = add;
    pack_weights(ctx, &j, 1, K, K, g->O);
    run_units(ctx, &j);
}

/* ---- gradient of x ---------------------------------------------------------------------------------------------------- */

/* Some groups of channels of some whole images. */
static void back_x_unit(const job *j, int64_t unit, float *own)
{
    const tg_convolution *g = j->g;
    const int64_t first = unit / j->parts * j->images, images = tg_least(j->images, g->B - first), part = unit % j->parts;
    const int64_t each = results_of(g), taps = taps_of(g), plane = g->y.in * g->x.in;
    float *dy = own, *cols = dy + g->O * j->apart;
    const tg_right b = {dy, j->kn->nr, j->apart};
    for (int64_t i = 0; i < images; i++)
        for (int64_t o = 0; o < g->O; o++)
            memcpy(dy + o * j->apart + i * each, j->dy + ((first + i) * g->O + o) * each, (size_t)each * sizeof *dy);
    for (int64_t n = j->groups * part / j->parts; n < j->groups * (part + 1) / j->parts; n++) {
        const int64_t c = n * j->channels, channels = tg_least(j->channels, g->C - c);
        const tg_left a = {j->packed + n * j->packed_floats, j->height * g->O, 1, j->height, j->height};
        j->kn->gemm_block(cols, j->apart, NULL, 0, &a, &b, channels * taps, images * each, g->O, NULL);
        for (int64_t i = 0; i < images; i++)
            j->kn->unpatch(j->out + (first + i) * image_of(g) + c * plane, cols + i * each, j->apart, g, channels,
                           j->bias ? j->bias + c : NULL, j->add);
    }
}

/* Where images are few, a block's groups of channels are shared out. packed_floats: of one group. */
static job plan_back_x(tg_context *ctx, const tg_convolution *g)
{
    job j = {.g = g, .kn = tg_kernels_of(ctx), .unit = back_x_unit};
    const int64_t taps = taps_of(g), wanted = (int64_t)tg_pool_threads(pool_for(ctx, g)) * A_THREAD;
    plan_images(&j, g->B, wanted);
    j.apart = apart(j.images * results_of(g));
    j.channels = tg_most(1, tg_least(g->C, tg_least(LINES / taps, HELD / (taps * j.apart))));
    j.groups = tg_ceil_div(g->C, j.channels);
    j.channels = tg_ceil_div(g->C, j.groups);
    j.groups = tg_ceil_div(g->C, j.channels);
    j.parts = tg_most(1, tg_least(j.groups, wanted / tg_ceil_div(g->B, j.images)));
    j.units = tg_ceil_div(g->B, j.images) * j.parts;
    plan_tiles(&j, j.channels * taps, g->O);
    j.own_floats = (j.channels * taps + g->O) * j.apart;
    return j;
}

int64_t tg_conv_back_x_room(tg_context *ctx, const tg_convolution *g)
{
    job j = plan_back_x(ctx, g);
    j.packed_floats *= j.groups;
    return bytes_of(ctx, &j);
}

static void pack_group(void *arg, tg_span groups)
{
    const job *j = arg;
    const int64_t taps = taps_of(j->g), n = groups.begin, lines = tg_least(j->channels, j->g->C - n * j->channels) * taps;
    j->kn->pack(j->packed + n * j->packed_floats, j->height * j->g->O, j->w + n * j->channels * taps, j->g->C * taps, 1, j->g->O,
                lines, j->height);
}

void tg_conv_back_x(tg_context *ctx, const tg_convolution *g, float *dx, const float *dy, const float *w, const float *bias,
                    bool add,
                    void *scratch)
{
    job j = plan_back_x(ctx, g);
    j.packed = scratch;
    j.own = j.packed + j.packed_floats * j.groups;
    j.out = dx, j.dy = dy, j.w = w, j.bias = bias, j.add = add;
    tg_for_spans(ctx, j.groups, 1, pack_group, &j);
    run_units(ctx, &j);
}

/* ---- gradient of w ---------------------------------------------------------------------------------------------------- */

/* dy of some images turned: panels of nr columns, a step for each result. */
static void turn_results(const job *j, float *out, int64_t first, int64_t images, tg_span ys)
{
    const tg_convolution *g = j->g;
    const int64_t nr = j->kn->nr, each = (ys.end - ys.begin) * g->x.out;
    for (int64_t i = 0; i < images; i++)
        j->kn->pack(out + i * each * nr, images * each * nr, j->dy + (first + i) * g->O * results_of(g) + ys.begin * g->x.out, 1,
                    results_of(g), each, g->O, nr);
}

/* A group of channels over a part of the batch: partial[part] [C·P·Q, O] */
static void back_w_unit(const job *j, int64_t unit, float *own)
{
    const tg_convolution *g = j->g;
    const int64_t part = unit / j->groups, c = unit % j->groups * j->channels, channels = tg_least(j->channels, g->C - c);
    const int64_t end = g->B * (part + 1) / j->parts, taps = taps_of(g), lines = channels * taps;
    float *planes = own, *turned = own + tg_conv_planes(g, j->rows), *cols = turned + tg_padded(g->O, j->kn->nr) * j->apart;
    float *sums = j->partial + (part * g->C + c) * taps * g->O;
    bool first = true;
    for (int64_t at = g->B * part / j->parts; at < end; at += j->images)
        for (int64_t y = 0; y < g->y.out; y += j->rows, first = false) {
            const int64_t images = tg_least(j->images, end - at);
            const tg_span ys = {y, tg_least(g->y.out, y + j->rows)};
            const int64_t each = (ys.end - ys.begin) * g->x.out, k = images * each;
            for (int64_t i = 0; i < images; i++)
                j->kn->patches(cols + i * each, j->apart, j->x + (at + i) * image_of(g) + c * g->y.in * g->x.in, g, channels, ys,
                               planes);
            turn_results(j, turned, at, images, ys);
            const tg_left a = {cols, j->height * j->apart, j->apart, 1, j->height};
            const tg_right b = {turned, k * j->kn->nr, j->kn->nr};
            j->kn->gemm_block(sums, g->O, first ? NULL : sums, g->O, &a, &b, lines, g->O, k, NULL);
        }
}

static job plan_back_w(tg_context *ctx, const tg_convolution *g)
{
    job j = {.g = g, .kn = tg_kernels_of(ctx), .unit = back_w_unit};
    const int64_t taps = taps_of(g), size = g->C * taps * g->O;
    const int64_t wanted = (int64_t)tg_pool_threads(pool_for(ctx, g)) * A_THREAD;
    j.parts = tg_most(1, tg_least(tg_least(PARTS, g->B), PARTIALS / size));
    plan_images(&j, tg_ceil_div(g->B, j.parts), 1);
    if (j.images == 1) j.rows = tg_most(1, tg_least(g->y.out, COLUMNS / g->x.out));
    j.apart = apart(j.images * j.rows * g->x.out);
    j.channels = tg_most(1, tg_least(g->C, HELD / (taps * j.apart)));
    while (j.channels > 1 && j.channels * taps > LINES / 2 && j.parts * tg_ceil_div(g->C, j.channels) < wanted)
        j.channels = tg_ceil_div(j.channels, 2);
    j.groups = tg_ceil_div(g->C, j.channels);
    j.units = j.parts * j.groups;
    j.height = tg_ceil_div(j.channels * taps, tg_ceil_div(j.channels * taps, j.kn->mr));
    j.part_floats = tg_padded(j.parts * size, 16);
    j.own_floats = tg_padded(tg_conv_planes(g, j.rows) + (j.channels * taps + tg_padded(g->O, j.kn->nr)) * j.apart, 16);
    return j;
}

int64_t tg_conv_back_w_room(tg_context *ctx, const tg_convolution *g)
{
    const job j = plan_back_w(ctx, g);
    return bytes_of(ctx, &j);
}

/* All parts into the first, in order. */
static void add_parts(void *arg, tg_span s)
{
    const job *j = arg;
    const int64_t size = j->g->C * taps_of(j->g) * j->g->O;
    for (int64_t p = 1; p < j->parts; p++)
        j->kn->accumulate(j->partial + s.begin, j->partial + p * size + s.begin, s.end - s.begin, true);
}

/* Filters [begin, end) of dw [O, lines] from [lines, O]. */
static void put_filters(void *arg, tg_span filters)
{
    const job *j = arg;
    const int64_t lines = j->g->C * taps_of(j->g);
    j->kn->turn(j->out + filters.begin * lines, lines, j->partial + filters.begin, j->g->O, lines, filters.end - filters.begin,
                j->add);
}

void tg_conv_back_w(tg_context *ctx, const tg_convolution *g, float *dw, const float *dy, const float *x, bool add, void *scratch)
{
    job j = plan_back_w(ctx, g);
    j.partial = scratch;
    j.own = j.partial + j.part_floats;
    j.out = dw, j.dy = dy, j.x = x, j.add = add;
    run_units(ctx, &j);
    tg_for_spans(ctx, g->C * taps_of(g) * g->O, 16384, add_parts, &j);
    tg_for_spans(ctx, g->O, 16, put_filters, &j);
}
