/*
 * sequence.c - whole recurrent sequences. The recurrent matrix is packed once; then each thread takes some rows of the
 * batch through all of time, without a barrier: rows do not depend on each other. Gradients of the matrix and its bias
 * are one product and one sum over all steps after the loop.
 */
#include "kernels/drive.h"
#include "base/sizes.h"

#include <string.h>

static const int64_t gates_of[] = {[TG_CELL_RNN] = 1, [TG_CELL_LSTM] = 4, [TG_CELL_GRU] = 3};

static int64_t lines(int64_t floats) { return tg_padded(floats, 16); } /* whole cache lines */

/* What all chunks share, and how the rows are split. */
typedef struct job {
    tg_context *ctx;
    const tg_sequence *s;
    const tg_sequence_grad *g;   /* backward only */
    const tg_kernels *kn;
    int64_t G, rows, chunks;     /* gates; rows a chunk takes */
    const float *packed;         /* w_hh as the right operand: forward [H, G·H] (gru: [H, 2H] then [H, H]), backward [G·H, H] */
    float *own;                  /* each chunk's scratch */
    int64_t own_size;
    float *dg;                   /* gru: gradient towards w_hh·h, [T, B, 3H]; else the gates, as their gradients */
} job;

static job plan(tg_context *ctx, const tg_sequence *s)
{
    job j = {.ctx = ctx, .s = s, .kn = tg_kernels_of(ctx), .G = gates_of[s->cell]};
    j.rows = tg_ceil_div(s->B, tg_least(s->B, tg_pool_threads(ctx->pool)));
    j.chunks = tg_ceil_div(s->B, j.rows);
    const int64_t tiles = tg_padded(j.rows, j.kn->mr);
    /* packed rows of the left operand; then forward's state before the step, or dh and dc */
    j.own_size = lines(tiles * j.G * s->H) + 2 * lines(j.rows * s->H);
    return j;
}

static int64_t packed_forward(tg_context *ctx, const tg_sequence *s)
{
    const int64_t H = s->H;
    if (s->cell != TG_CELL_GRU) return lines(tg_pack_room(ctx, H, gates_of[s->cell] * H) / 4);
    return lines(tg_pack_room(ctx, H, 2 * H) / 4) + lines(tg_pack_room(ctx, H, H) / 4);
}

/* c[n] = from + x[k]·(packed right operand; NULL: w [n, k], transposed). A single row leaves threads idle, so its columns are
 * split, if that pays. */
static void one_row(const job *j, float *c, const float *from, const float *x, const float *packed, const float *w, int64_t n,
                    int64_t k)
{
    const tg_gemm g = {.m = 1, .n = n, .k = k, .a = x, .a_rs = k, .a_cs = 1, .b = w, .b_rs = 1, .b_cs = k, .packed = packed,
                       .from = from, .c = c, .far = j->s->far};
    tg_gemm_run(j->ctx, &g, NULL);
}

/* c[rows, n] = from + x[rows, k]·(packed right operand), x with row stride x_rs; left is scratch for packed x, which pays
 * where rows a power of two apart would crowd each other out of the caches. */
static void product(const job *j, float *c, int64_t c_rs, const float *from, int64_t from_rs, const float *x,
                    int64_t x_rs, const float *packed, float *left, int64_t rows, int64_t n, int64_t k)
{
    const tg_kernels *kn = j->kn;
    if (rows == 1) {
        one_row(j, c, from, x, packed, NULL, n, k);
        return;
    }
    const int64_t h = tg_ceil_div(rows, tg_ceil_div(rows, kn->mr));
    tg_left a = {x, h * x_rs, x_rs, 1, h};
    const tg_right b = {packed, k * kn->nr, kn->nr};
    if (x_rs % TG_PAGE_FLOATS == 0) {
        kn->pack(left, h * k, x, 1, x_rs, k, rows, h);
        a = (tg_left){left, h * k, 1, h, h};
    }
    kn->gemm_block(c, c_rs, from, from_rs, &a, &b, rows, n, k, NULL);
}

/* One step of one row reads w_hh as it lies: to pack it for one use takes longer. */
static bool reads_as_it_lies(const tg_sequence *s)
{
    return s->T * s->B == 1 && s->H > 1;
}

/* c[rows, n] = from + x[rows, H]·(rows `first` to first + n of w_hh)ᵀ, where from has the gates' stride. */
static void state_product(const job *j, float *c, int64_t c_rs, const float *from, const float *x, int64_t first, int64_t n,
                          float *left, int64_t rows)
{
    const int64_t H = j->s->H;
    if (!j->packed) one_row(j, c, from, x, NULL, j->s->w_hh + first * H, n, H);
    else product(j, c, c_rs, from, j->G * H, x, H, j->packed + lines(tg_padded(first, j->kn->nr) * H), left, rows, n, H);
}

static bool any_starts(const int32_t *zero, int64_t rows)
{
    for (int64_t r = 0; zero && r < rows; r++)
        if (zero[r]) return true;
    return false;
}

/* State before a step for some rows: borrowed where possible, a copy with zeros where documents start. */
static const float *before(const float *h, const int32_t *zero, float *copy, int64_t rows, int64_t H)
{
    if (h && !any_starts(zero, rows)) return h;
    for (int64_t r = 0; r < rows; r++) {
        if (h && !(zero && zero[r])) memcpy(copy + r * H, h + r * H, (size_t)H * sizeof *copy);
        else memset(copy + r * H, 0, (size_t)H * sizeof *copy);
    }
    return copy;
}

static void step_forward(const job *j, int64_t t, int64_t r0, int64_t rows, float *left, float *copy)
{
    const tg_sequence *s = j->s;
    const int64_t H = s->H, GH = j->G * H, at = t * s->B + r0;
    const int32_t *zero = s->reset ? s->reset + at : NULL;
    const float *h_prev = t ? s->y + (at - s->B) * H : s->h0 ? s->h0 + r0 * H : NULL;
    const float *c_prev = t ? (s->c ? s->c + (at - s->B) * H : NULL) : s->c0 ? s->c0 + r0 * H : NULL;
    const float *x = before(h_prev, zero, copy, rows, H), *gx = s->gx + at * GH;
    float *z = s->gates + at * GH, *h = s->y + at * H;
    if (s->cell == TG_CELL_GRU) {
        state_product(j, z, GH, gx, x, 0, 2 * H, left, rows);
        state_product(j, s->hn + at * H, H, NULL, x, 2 * H, H, left, rows);
        for (int64_t r = 0; z != gx && r < rows; r++)
            memcpy(z + r * GH + 2 * H, gx + r * GH + 2 * H, (size_t)H * sizeof *z);
        j->kn->gru_cell(h, H, z, GH, s->hn + at * H, h_prev, H, s->b_hh, zero, rows, H);
        return;
    }
    state_product(j, z, GH, gx, x, 0, GH, left, rows);
    if (s->cell == TG_CELL_LSTM)
        j->kn->lstm_cell(h, H, s->c + at * H, s->tc + at * H, c_prev, z, GH, s->b_hh, zero, rows, H);
    else
        j->kn->rnn_cell(h, H, z, GH, s->b_hh, rows, H, s->act);
}

static void forward_chunk(void *arg, int64_t chunk)
{
    const job *j = arg;
    const int64_t r0 = chunk * j->rows, rows = tg_least(j->rows, j->s->B - r0);
    float *own = j->own + chunk * j->own_size, *copy = own + j->own_size - lines(j->rows * j->s->H);
    for (int64_t t = 0; t < j->s->T; t++) step_forward(j, t, r0, rows, own, copy);
}

int64_t tg_sequence_room(tg_context *ctx, const tg_sequence *s)
{
    const job j = plan(ctx, s);
    return ((reads_as_it_lies(s) ? 0 : packed_forward(ctx, s)) + j.chunks * j.own_size) * (int64_t)sizeof(float);
}

int64_t tg_sequence_pack_room(tg_context *ctx, const tg_sequence *s)
{
    return packed_forward(ctx, s) * (int64_t)sizeof(float);
}

void tg_sequence_pack(tg_context *ctx, const tg_sequence *s, float *out)
{
    const int64_t H = s->H;
    if (s->cell == TG_CELL_GRU) {
        tg_pack(ctx, out, s->w_hh, 1, H, H, 2 * H);
        tg_pack(ctx, out + lines(tg_pack_room(ctx, H, 2 * H) / 4), s->w_hh + 2 * H * H, 1, H, H, H);
    } else {
        tg_pack(ctx, out, s->w_hh, 1, H, H, gates_of[s->cell] * H);
    }
}

void tg_sequence_forward(tg_context *ctx, const tg_sequence *s, void *scratch)
{
    job j = plan(ctx, s);
    j.packed = s->packed;
    j.own = (float *)scratch + (reads_as_it_lies(s) ? 0 : packed_forward(ctx, s));
    if (!j.packed && !reads_as_it_lies(s)) {
        tg_sequence_pack(ctx, s, scratch);
        j.packed = scratch;
    }
    tg_pool_run(ctx->pool, forward_chunk, &j, j.chunks);
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

/* dh holds dL/dh of step t for these rows; leaves that of step t-1 there. */
static void step_backward(const job *j, int64_t t, int64_t r0, int64_t rows, float *left, float *dh, float *dc)
{
    const tg_sequence *s = j->s;
    const int64_t H = s->H, GH = j->G * H, at = t * s->B + r0;
    const int32_t *zero = s->reset ? s->reset + at : NULL;
    const float *h_prev = t ? s->y + (at - s->B) * H : s->h0 ? s->h0 + r0 * H : NULL;
    const float *c_prev = t ? (s->c ? s->c + (at - s->B) * H : NULL) : s->c0 ? s->c0 + r0 * H : NULL;
    float *z = s->gates + at * GH, *dg = j->dg + at * GH; /* the gates become their gradients */
    if (s->cell == TG_CELL_LSTM) j->kn->lstm_cell_back(z, GH, dc, dh, z, GH, s->tc + at * H, c_prev, zero, rows, H);
    else if (s->cell == TG_CELL_GRU)
        j->kn->gru_cell_back(z, GH, dg, GH, dh, z, GH, s->hn + at * H, h_prev, H, zero, rows, H);
    else j->kn->rnn_cell_back(z, GH, dh, s->y + at * H, H, rows, H, s->act);
    if (!t && !j->g->dh0) return;
    /* what comes from the step before's output, and in a gru on the direct way, starts the chain */
    const float *dy = t ? j->g->dy + (at - s->B) * H : NULL, *from = dy;
    if (s->cell == TG_CELL_GRU) {
        if (dy) j->kn->add(dh, dh, dy, rows * H);
        from = dh;
    }
    product(j, dh, H, from, H, dg, GH, j->packed, left, rows, H, GH);
    for (int64_t r = 0; zero && r < rows; r++) { /* a document's first state has no past */
        if (!zero[r]) continue;
        if (dy) memcpy(dh + r * H, dy + r * H, (size_t)H * sizeof *dh);
        else memset(dh + r * H, 0, (size_t)H * sizeof *dh);
    }
}

static void backward_chunk(void *arg, int64_t chunk)
{
    const job *j = arg;
    const tg_sequence *s = j->s;
    const int64_t r0 = chunk * j->rows, rows = tg_least(j->rows, s->B - r0), each = lines(j->rows * s->H);
    float *own = j->own + chunk * j->own_size, *dh = own + j->own_size - 2 * each, *dc = dh + each;
    memcpy(dh, j->g->dy + ((s->T - 1) * s->B + r0) * s->H, (size_t)(rows * s->H) * sizeof *dh);
    memset(dc, 0, (size_t)(rows * s->H) * sizeof *dc);
    for (int64_t t = s->T - 1; t >= 0; t--) step_backward(j, t, r0, rows, own, dh, dc);
    if (j->g->dh0) memcpy(j->g->dh0 + r0 * s->H, dh, (size_t)(rows * s->H) * sizeof *dh);
    if (j->g->dc0 && s->cell == TG_CELL_LSTM) memcpy(j->g->dc0 + r0 * s->H, dc, (size_t)(rows * s->H) * sizeof *dc);
}

/* The sizes of a weight product over so many rows of time and batch. */
static tg_gemm weight_sizes(const job *j, int64_t rows)
{
    const int64_t H = j->s->H, GH = j->G * H;
    return (tg_gemm){.m = GH, .n = H, .k = rows, .a_rs = 1, .a_cs = GH, .b_rs = H, .b_cs = 1, .from_rs = H, .c_rs = H};
}

/* dw_hh (+)= sum over time and batch of dgᵀ·h_prev: step 0 against h0, the others against y one step earlier. */
static tg_gemm weight_product(const job *j, const float *h_prev, int64_t first_row, int64_t rows, bool add)
{
    tg_gemm g = weight_sizes(j, rows);
    g.a = j->dg + first_row * g.m;
    g.b = h_prev;
    g.c = j->g->dw_hh;
    g.from = add ? g.c : NULL;
    return g;
}

/* What weight_gradient takes of scratch: as it chooses its products. */
static int64_t weight_room(tg_context *ctx, const job *j)
{
    const tg_sequence *s = j->s;
    const int64_t all = s->T * s->B;
    const tg_gemm whole = weight_sizes(j, all), first = weight_sizes(j, s->B), others = weight_sizes(j, all - s->B);
    if (s->reset) return lines(all * s->H) + lines(tg_gemm_room(ctx, &whole) / 4);
    const int64_t a = tg_gemm_room(ctx, &first), b = tg_gemm_room(ctx, &others);
    return lines((a > b ? a : b) / 4);
}

/* States before every step, with zeros where documents start: what dw needs when there are any. */
static void collect_before(void *arg, tg_span rows)
{
    const job *j = arg;
    const tg_sequence *s = j->s;
    for (int64_t at = rows.begin; at < rows.end; at++) {
        const float *h = at >= s->B ? s->y + (at - s->B) * s->H : s->h0 ? s->h0 + at * s->H : NULL;
        before(h, s->reset + at, j->own + at * s->H, 1, s->H);
        if (h && !s->reset[at]) memcpy(j->own + at * s->H, h, (size_t)s->H * sizeof *h);
    }
}

static void weight_gradient(tg_context *ctx, job *j, float *scratch)
{
    const tg_sequence *s = j->s;
    const int64_t all = s->T * s->B;
    if (s->reset) {
        j->own = scratch;
        tg_for_spans(ctx, all, 64, collect_before, j);
        const tg_gemm g = weight_product(j, j->own, 0, all, j->g->add_w);
        tg_gemm_run(ctx, &g, scratch + lines(all * s->H));
        return;
    }
    if (s->h0) {
        const tg_gemm g = weight_product(j, s->h0, 0, s->B, j->g->add_w);
        tg_gemm_run(ctx, &g, scratch);
    }
    if (s->T > 1) {
        const tg_gemm g = weight_product(j, s->y, s->B, all - s->B, s->h0 || j->g->add_w);
        tg_gemm_run(ctx, &g, scratch);
    } else if (!s->h0 && !j->g->add_w) {
        memset(j->g->dw_hh, 0, (size_t)(j->G * s->H * s->H) * sizeof(float));
    }
}

typedef struct bias_job { const job *j; int64_t rows; } bias_job;

static void bias_span(void *arg, tg_span columns)
{
    const bias_job *b = arg;
    b->j->kn->column_sum(b->j->g->db_hh, b->j->dg, b->j->G * b->j->s->H, b->rows, columns, b->j->g->add_b);
}

static void add_span(void *arg, tg_span elements)
{
    const job *j = arg;
    j->kn->accumulate(j->g->dgx + elements.begin, j->s->gates + elements.begin, elements.end - elements.begin, j->g->add_gx);
}

/* Scratch of backward: packed matrix | dg of a gru | chunks' own, later the weight product's. */
typedef struct back_room { int64_t packed, dg, rest; } back_room;

static back_room back_layout(tg_context *ctx, const tg_sequence *s)
{
    const job j = plan(ctx, s);
    const int64_t GH = j.G * s->H, own = j.chunks * j.own_size, weights = weight_room(ctx, &j);
    return (back_room){lines(tg_pack_room(ctx, GH, s->H) / 4), s->cell == TG_CELL_GRU ? lines(s->T * s->B * GH) : 0,
                       own > weights ? own : weights};
}

int64_t tg_sequence_back_room(tg_context *ctx, const tg_sequence *s)
{
    const back_room r = back_layout(ctx, s);
    return (r.packed + r.dg + r.rest) * (int64_t)sizeof(float);
}

void tg_sequence_backward(tg_context *ctx, const tg_sequence *s, const tg_sequence_grad *g, void *scratch)
{
    job j = plan(ctx, s);
    const back_room r = back_layout(ctx, s);
    const int64_t GH = j.G * s->H;
    j.g = g;
    float *packed = scratch;
    j.packed = packed;
    j.dg = s->cell == TG_CELL_GRU ? packed + r.packed : s->gates;
    j.own = packed + r.packed + r.dg;
    tg_pack(ctx, packed, s->w_hh, s->H, 1, GH, s->H);
    tg_pool_run(ctx->pool, backward_chunk, &j, j.chunks);
    if (g->dw_hh) weight_gradient(ctx, &j, j.own);
    bias_job b = {&j, s->T * s->B};
    if (g->db_hh) tg_for_spans(ctx, GH, 64, bias_span, &b);
    if (g->dgx) tg_for_spans(ctx, s->T * s->B * GH, 16384, add_span, &j);
}
