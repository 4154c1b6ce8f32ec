/* resample.c - images made smaller and larger in tiles of one size: mean or largest of a tile, and its inverse. attr.shape: high
 * and wide. */
#include "autograd/tape.h"

enum { PLACES };

typedef struct tiles { int64_t planes, Y, X, high, wide; } tiles; /* Y, X: of the larger image */

static tiles tiles_of(const tg_node *n, const tg_tensor *large)
{
    const int64_t *d = large->shape.dims;
    return (tiles){d[0] * d[1], d[2], d[3], n->attr.shape.dims[0], n->attr.shape.dims[1]};
}

static tg_status check_images(const tg_node *n)
{
    char text[96];
    const tg_tensor *x = n->in[0];
    const int64_t high = n->attr.shape.dims[0], wide = n->attr.shape.dims[1];
    if (x->dtype != TG_F32 || x->shape.rank != 4)
        return tg_fail(TG_EINVAL, "%s: x must be [B, C, Y, X], not %s", n->op->name, tg_shape_text(&x->shape, text));
    if (high < 1 || wide < 1 || high > 1 << 20 || wide > 1 << 20)
        return tg_fail(TG_EINVAL, "%s: %lld x %lld is no tile", n->op->name, (long long)high, (long long)wide);
    return TG_OK;
}

static tg_status pool_shape(tg_tape *t, tg_node *n)
{
    char text[96];
    tg_status s = check_images(n);
    (void)t;
    if (s) return s;
    const tiles z = tiles_of(n, n->in[0]);
    if (z.Y % z.high || z.X % z.wide)
        return tg_fail(TG_EINVAL, "%s: x %s is not made of tiles of %lld x %lld", n->op->name, tg_shape_text(&n->in[0]->shape,
                                                                                                             text),
                       (long long)z.high, (long long)z.wide);
    n->out->shape = n->in[0]->shape;
    n->out->shape.dims[2] = z.Y / z.high;
    n->out->shape.dims[3] = z.X / z.wide;
    n->spare = true;
    if (n->op == &tg_op_max_pool) tg_node_buffer(n, TG_LIFE_SAVE, tg_shape_count(&n->out->shape) * (int64_t)sizeof(int32_t));
    return TG_OK;
}

static tg_status upsample_shape(tg_tape *t, tg_node *n)
{
    tg_status s = check_images(n);
    (void)t;
    if (s) return s;
    n->out->shape = n->in[0]->shape;
    for (int i = 0; i < 2; i++)
        if (__builtin_mul_overflow(n->out->shape.dims[2 + i], n->attr.shape.dims[i], &n->out->shape.dims[2 + i]))
            return tg_fail(TG_EINVAL, "upsample: its result is too large");
    n->spare = true;
    return TG_OK;
}

typedef struct job { const tg_kernels *k; tiles z; float *to; const float *from; int32_t *at; float scale; bool add; } job;

static void pool_span(void *arg, tg_span s)
{
    const job *j = arg;
    j->k->pool(j->to, j->from, j->z.Y, j->z.X, j->z.high, j->z.wide, j->scale, s, j->add);
}

static void spread_span(void *arg, tg_span s)
{
    const job *j = arg;
    j->k->spread(j->to, j->from, j->z.Y, j->z.X, j->z.high, j->z.wide, j->scale, s, j->add);
}

static void most_span(void *arg, tg_span s)
{
    const job *j = arg;
    j->k->pool_most(j->to, j->at, j->from, j->z.Y, j->z.X, j->z.high, j->z.wide, s);
}

static void spread_most_span(void *arg, tg_span s)
{
    const job *j = arg;
    j->k->spread_most(j->to, j->from, j->at, j->z.Y, j->z.X, j->z.high, j->z.wide, s, j->add);
}

/* Planes of about 4,096 numbers. */
static void run(tg_tape *t, job *j, void (*span)(void *, tg_span))
{
    j->k = t->kernels;
    tg_for_spans(t->ctx, j->z.planes, 4096 / (j->z.Y * j->z.X) + 1, span, j);
}

static float share(const tiles *z) { return (float)(1 / ((double)z->high * (double)z->wide)); }

static void average_forward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->in[0]), .to = n->out->data, .from = n->in[0]->data};
    j.scale = share(&j.z);
    run(t, &j, pool_span);
}

static void average_backward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->in[0]), .from = n->out->grad};
    j.scale = share(&j.z);
    if ((j.to = tg_node_grad(t, n, 0, &j.add)) != NULL) run(t, &j, spread_span);
}

static void max_forward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->in[0]), .to = n->out->data, .from = n->in[0]->data, .at = n->buffer[PLACES].data};
    run(t, &j, most_span);
}

static void max_backward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->in[0]), .from = n->out->grad, .at = n->buffer[PLACES].data};
    if ((j.to = tg_node_grad(t, n, 0, &j.add)) != NULL) run(t, &j, spread_most_span);
}

static void upsample_forward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->out), .to = n->out->data, .from = n->in[0]->data, .scale = 1};
    run(t, &j, spread_span);
}

static void upsample_backward(tg_tape *t, tg_node *n)
{
    job j = {.z = tiles_of(n, n->out), .from = n->out->grad, .scale = 1};
    if ((j.to = tg_node_grad(t, n, 0, &j.add)) != NULL) run(t, &j, pool_span);
}

static double tiles_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t, (void)backward;
    return (double)tg_shape_count(&(n->op == &tg_op_upsample ? n->out : n->in[0])->shape);
}

static bool tiles_example(int variant, tg_example *e)
{
    if (variant > 1) return false;
    e->what = variant ? "3 x 2" : "2 x 2";
    e->attr.shape = tg_shape_of(2, (int64_t[]){variant ? 3 : 2, 2});
    e->in[0] = tg_example_values(4, (int64_t[]){2, 2, 6, 4}, -2, 2);
    return true;
}

/* Of average pool and upsampling: they are linear. */
static tg_tensor *tiles_tangent(tg_tape *t, const tg_node *n, tg_tensor *const *dx) { return tg_tape_apply(t, n->op, dx,
                                                                                                           &n->attr); }

#define TILES_OP(op, text, shape_of, way, by)                                                                          \
    const tg_op tg_op_##op = {                                                                                         \
        .name = #op, .n_in = 1, .doc = text, .source = "", .shape = shape_of, .forward = way##_forward,                \
        .backward = way##_backward, .tangent = by, .flops = tiles_flops, .example = tiles_example,                     \
    };
TILES_OP(average_pool, "y[B, C, Y/h, X/w] = mean of each tile of h x w of x[B, C, Y, X]", pool_shape, average, tiles_tangent)
TILES_OP(max_pool, "y[B, C, Y/h, X/w] = the largest of each tile of h x w of x[B, C, Y, X]", pool_shape, max, NULL)
TILES_OP(upsample, "y[B, C, h·Y, w·X]: each number of x[B, C, Y, X] as a tile of h x w", upsample_shape, upsample, tiles_tangent)

/* 0: the whole image. */
static tg_tensor *apply(tg_tape *t, const tg_op *op, tg_tensor *x, int64_t high, int64_t wide)
{
    const bool image = x && x->shape.rank == 4 && op != &tg_op_upsample;
    const int64_t tile[] = {image && !high ? x->shape.dims[2] : high, image && !wide ? x->shape.dims[3] : wide};
    return tg_tape_apply(t, op, (tg_tensor *[]){x}, &(tg_op_attr){.shape = tg_shape_of(2, tile)});
}

tg_tensor *tg_average_pool(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide) { return apply(t, &tg_op_average_pool, x, high,
                                                                                                wide); }
tg_tensor *tg_max_pool(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide) { return apply(t, &tg_op_max_pool, x, high, wide); }
tg_tensor *tg_upsample(tg_tape *t, tg_tensor *x, int64_t high, int64_t wide) { return apply(t, &tg_op_upsample, x, high, wide); }
