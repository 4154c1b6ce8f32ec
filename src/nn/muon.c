/*
 * muon.c - the momentum of a matrix, its singular values brought to about 1, is the update (Jordan et al. 2024).
 *
 * Five steps of a Newton-Schulz iteration do it, x = (a + b·s + c·s²)x with s = xxᵀ, by products alone. The smaller side is
 * squared: of a tall matrix s is xᵀx and stands on the right, which is the same polynomial of the same singular values.
 * Where there are matrices enough, each thread takes one after the other, for their products are small; where there are
 * few, the threads share the products of one. The bits are those of the products, the same either way.
 */
#include "nn/muon.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sizes.h"

enum { ITERATIONS = 5, GRAIN = 4096 };
/* Steep at 0, so that small singular values grow fast; what ends between 0.7 and 1.2 is near enough to 1. */
static const float A = 3.4445f, B = -4.7750f, C = 2.0315f;
static const double LEAST_NORM = 1e-7, UPDATE_RMS = 0.2;

/* One matrix of a parameter, at `offset` of the slabs. */
typedef struct matrix { const tg_param_row *of; int64_t offset, rows, cols; } matrix;

struct tg_muon {
    tg_context *ctx;
    const tg_params *p;
    matrix *list;
    int64_t count;
    int64_t area, square;        /* of the largest, and of the largest smaller side's square: floats, padded */
    int64_t gemm_bytes;
    int64_t desks;               /* matrices at work at once */
    char *memory;                /* a desk's after the other; NULL in a plan */
};

/* Scratch for one matrix: two as large, two of its square, and for products. */
typedef struct desk { float *x, *y, *s, *poly; void *scratch; } desk;

/* Fewer matrices for each thread would leave some without work while the last are done. */
enum { EACH_LEAST = 4 };

static int64_t side_of(const matrix *m) { return tg_least(m->rows, m->cols); }

/* ---- the three products -------------------------------------------------------------------------------------------- */

static tg_gemm square_of_x(const matrix *m, const float *x, float *s)
{
    const int64_t side = side_of(m), down = m->rows <= m->cols ? m->cols : 1, along = m->rows <= m->cols ? 1 : m->cols;
    return (tg_gemm){.m = side, .n = side, .k = tg_most(m->rows, m->cols), .a = x, .a_rs = down, .a_cs = along,
                     .b = x, .b_rs = along, .b_cs = down, .c = s, .c_rs = side};
}

static tg_gemm square_of_s(const matrix *m, const float *s, float *poly)
{
    const int64_t side = side_of(m);
    return (tg_gemm){.m = side, .n = side, .k = side, .a = s, .a_rs = side, .a_cs = 1, .b = s, .b_rs = side, .b_cs = 1,
                     .c = poly, .c_rs = side};
}

static tg_gemm poly_times_x(const matrix *m, const float *poly, const float *x, float *y)
{
    const int64_t side = side_of(m);
    const bool wide = m->rows <= m->cols;
    return (tg_gemm){.m = m->rows, .n = m->cols, .k = side, .a = wide ? poly : x, .a_rs = side, .a_cs = 1,
                     .b = wide ? x : poly, .b_rs = m->cols, .b_cs = 1, .c = y, .c_rs = m->cols};
}

/* ---- making -------------------------------------------------------------------------------------------------------- */

static void list_matrices(tg_muon *u)
{
    for (int64_t i = 0; i < u->p->count; i++) {
        const tg_param_row *r = &u->p->rows[i];
        int64_t offset = r->offset;
        for (int k = 0; k < r->parts; k++) {
            const matrix m = {r, offset, r->part_rows[k], r->tensor->shape.dims[1]};
            u->list[u->count++] = m;
            offset += m.rows * m.cols;
        }
    }
}

static void measure(tg_muon *u)
{
    for (int64_t i = 0; i < u->count; i++) {
        const matrix *m = &u->list[i];
        const tg_gemm all[] = {square_of_x(m, NULL, NULL), square_of_s(m, NULL, NULL), poly_times_x(m, NULL, NULL, NULL)};
        for (int k = 0; k < 3; k++) u->gemm_bytes = tg_most(u->gemm_bytes, tg_gemm_room(u->ctx, &all[k]));
        u->area = tg_most(u->area, tg_padded(m->rows * m->cols, TG_PARAM_PAD));
        u->square = tg_most(u->square, tg_padded(side_of(m) * side_of(m), TG_PARAM_PAD));
    }
    u->gemm_bytes = tg_most(u->gemm_bytes, tg_sum_room(u->area));
    const int64_t threads = tg_context_threads(u->ctx);
    u->desks = u->count >= EACH_LEAST * threads ? threads : 1;
}

static int64_t desk_bytes(const tg_muon *u)
{
    return (2 * (u->area + u->square) + tg_padded(u->gemm_bytes / (int64_t)sizeof(float) + 1, TG_PARAM_PAD)) * (int64_t)sizeof(float);
}

static desk desk_at(const tg_muon *u, int64_t i)
{
    float *x = (float *)(void *)(u->memory + i * desk_bytes(u));
    desk d = {.x = x, .y = x + u->area};
    d.s = d.y + u->area;
    d.poly = d.s + u->square;
    d.scratch = d.poly + u->square;
    return d;
}

tg_status tg_muon_new(tg_context *ctx, const tg_params *p, tg_muon **out)
{
    int64_t count = 0;
    for (int64_t i = 0; i < p->count; i++) count += p->rows[i].parts;
    tg_muon *u = tg_alloc(sizeof *u);
    if (!u) return TG_ENOMEM;
    *u = (tg_muon){.ctx = ctx, .p = p, .list = tg_alloc_array(tg_most(count, 1), sizeof *u->list)};
    if (u->list) {
        list_matrices(u);
        measure(u);
        if (tg_params_values(p)) u->memory = tg_alloc(tg_most(tg_muon_room(u), 1));
    }
    if (!u->list || (tg_params_values(p) && !u->memory)) {
        tg_muon_free(u);
        return TG_ENOMEM;
    }
    *out = u;
    return TG_OK;
}

void tg_muon_free(tg_muon *u)
{
    if (!u) return;
    tg_free(u->list);
    tg_free(u->memory);
    tg_free(u);
}

int64_t tg_muon_room(const tg_muon *u)
{
    return u->desks * desk_bytes(u);
}

double tg_muon_flops(const tg_muon *u)
{
    double flops = 0;
    for (int64_t i = 0; i < u->count; i++) {
        const double side = (double)side_of(&u->list[i]), area = (double)(u->list[i].rows * u->list[i].cols);
        flops += 2 * ITERATIONS * side * (2 * area + side * side);
    }
    return flops;
}

/* ---- a step -------------------------------------------------------------------------------------------------------- */

/* What the sweeps over one matrix share. */
typedef struct sweep {
    const tg_kernels *k;
    float *w, *m, *x, *s, *poly;
    const float *g;
    float scale, momentum, factor, lr, decay;
    bool nesterov;
} sweep;

/* m as sgd has it, and where sgd would go is x: a step of -1 from 0. */
static void look_ahead(void *arg, tg_span t)
{
    const sweep *j = arg;
    memset(j->x + t.begin, 0, (size_t)(t.end - t.begin) * sizeof(float));
    j->k->sgd(j->x + t.begin, j->g + t.begin, j->momentum > 0 ? j->m + t.begin : NULL, t.end - t.begin, j->scale, -1, j->momentum,
              j->nesterov, 0);
}

static void scale_x(void *arg, tg_span t)
{
    const sweep *j = arg;
    j->k->scale(j->x + t.begin, j->x + t.begin, j->factor, t.end - t.begin, false);
}

/* poly, so far s², to C·s² + B·s */
static void add_powers(void *arg, tg_span t)
{
    const sweep *j = arg;
    j->k->scale(j->poly + t.begin, j->poly + t.begin, C, t.end - t.begin, false);
    j->k->scale(j->poly + t.begin, j->s + t.begin, B, t.end - t.begin, true);
}

static void update(void *arg, tg_span t)
{
    const sweep *j = arg;
    j->k->sgd(j->w + t.begin, j->x + t.begin, NULL, t.end - t.begin, j->factor, j->lr, 0, false, j->decay);
}

/* x, of norm 1 at most, to about UVᵀ of its singular value decomposition; returns where that is, x or y. */
static float *newton_schulz(tg_context *ctx, const desk *at, const matrix *m, sweep *j)
{
    const int64_t side = side_of(m);
    float *x = at->x, *y = at->y;
    for (int i = 0; i < ITERATIONS; i++) {
        const tg_gemm first = square_of_x(m, x, at->s), second = square_of_s(m, at->s, at->poly);
        const tg_gemm third = poly_times_x(m, at->poly, x, y);
        tg_gemm_run(ctx, &first, at->scratch);
        tg_gemm_run(ctx, &second, at->scratch);
        tg_for_spans(ctx, side * side, GRAIN, add_powers, j);
        for (int64_t d = 0; d < side; d++) at->poly[d * side + d] += A;
        tg_gemm_run(ctx, &third, at->scratch);
        float *other = x;
        x = y;
        y = other;
    }
    return x;
}

typedef struct muon_job {
    const tg_muon *u;
    const tg_optim_config *c;
    float *slab, lr, scale;
    _Atomic int64_t next; /* matrix that nobody has taken yet */
} muon_job;

static void step_matrix(const muon_job *job, const desk *at, const matrix *m)
{
    tg_context *ctx = job->u->ctx;
    const int64_t n = m->rows * m->cols;
    sweep j = {.k = tg_kernels_of(ctx), .w = job->u->p->values + m->offset, .m = job->slab + m->offset, .x = at->x, .s = at->s,
               .poly = at->poly, .g = job->u->p->grads + m->offset, .scale = job->scale, .momentum = (float)job->c->momentum,
               .lr = job->lr, .decay = m->of->decay ? (float)job->c->weight_decay : 0, .nesterov = job->c->nesterov};
    tg_for_spans(ctx, n, GRAIN, look_ahead, &j);
    j.factor = (float)(1 / (sqrt(tg_sum_all(ctx, at->x, n, true, at->scratch)) + LEAST_NORM));
    tg_for_spans(ctx, n, GRAIN, scale_x, &j);
    j.x = newton_schulz(ctx, at, m, &j);
    j.factor = (float)(UPDATE_RMS * sqrt((double)tg_most(m->rows, m->cols)));
    tg_for_spans(ctx, n, GRAIN, update, &j);
}

static void take_matrices(void *arg, int64_t i)
{
    muon_job *job = arg;
    const tg_muon *u = job->u;
    const desk at = desk_at(u, i);
    for (int64_t k; (k = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < u->count;)
        if (u->list[k].of->tensor->has_grad) step_matrix(job, &at, &u->list[k]);
}

void tg_muon_step(tg_muon *u, const tg_optim_config *c, float *slab, double lr, double scale)
{
    muon_job job = {.u = u, .c = c, .slab = slab, .lr = (float)lr, .scale = (float)scale};
    tg_pool_run(u->ctx->pool, take_matrices, &job, u->desks);
}
