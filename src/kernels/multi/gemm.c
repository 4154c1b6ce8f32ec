/*
 * gemm.c - the register tile: C[rows, cols] = from + A·B, every element one chain of fused multiply-adds over k ascending.
 * Sums of up to TG_MR rows x TG_NV vectors stay in registers for all of k; a step of k loads TG_NV vectors of B and
 * broadcasts a number of A for each row. Rows, vectors and the way A is walked are constants in each instance, so the last
 * rows and columns of a matrix run at full rate, too; columns past the end are computed on B's padding and not stored. Two
 * steps go between jumps: five rows of AVX2 would lose a tenth to them.
 */
#include "kernels/kernels.h"
#include "kernels/simd/math16.h"
#include "kernels/simd/v16.h"

typedef struct tile_args {
    float *c;
    int64_t c_rs;
    const float *from;
    int64_t from_rs;
    const float *a;
    int64_t a_row, a_step;
    const float *b;
    int64_t b_step;
    int64_t cols, k;
    const float *bias; /* NULL until the last block of k */
    const float *next; /* what the next tile starts from, fetched while this one is computed; or NULL */
    const float *rows; /* the next tile's rows of A, if they lie one behind the other, likewise; or this one's again */
} tile_args;

/* Steps of k by which B is fetched ahead of use: it streams from L2, or its steps lie a row apart, and a tile ends before the
 * machine has found the pattern. What is fetched past the end is never read. */
enum { AHEAD = 16, LINE_VECTORS = 64 / (TG_W * (int)sizeof(float)) };

TG_INLINE void fetch(const float *step, int vectors)
{
    TG_UNROLL for (int v = 0; v < vectors; v += LINE_VECTORS) __builtin_prefetch(step + v * TG_W);
}

/* One step of k; AT is the number of A for row r. */
#define STEP(AT)                                                                                                       \
    do {                                                                                                               \
        vt bv[TG_NV];                                                                                                  \
        fetch(ahead, vectors);                                                                                         \
        TG_UNROLL for (int v = 0; v < vectors; v++) bv[v] = vt_load(b + v * TG_W);                                     \
        TG_UNROLL for (int r = 0; r < rows; r++) {                                                                     \
            const vt x = vt_all(AT);                                                                                   \
            TG_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vt_fma(x, bv[v], sum[r][v]);                       \
        }                                                                                                              \
    } while (0)

/* Row r of A in bytes behind the first of seven rows: what an address can say with one, three and five times the stride. */
TG_INLINE const char *row_of_seven(const char *a, int64_t one, int64_t three, int64_t five, int r)
{
    switch (r) {
    case 0: return a;
    case 1: return a + one;
    case 2: return a + 2 * one;
    case 3: return a + three;
    case 4: return a + 4 * one;
    case 5: return a + five;
    default: return a + 2 * three;
    }
}

TG_INLINE float float_at(const char *p)
{
    return *(const float *)(const void *)p;
}

/* A as it lies in memory, row by row: a row's numbers are one step apart. Two bases and three strides reach all rows. */
TG_INLINE void walk_rows(const tile_args *t, vt sum[TG_MR][TG_NV], int rows, int vectors)
{
    const int64_t one = t->a_row * (int64_t)sizeof(float), three = 3 * one, five = 5 * one;
    const char *low = (const char *)t->a, *high = low + 7 * one;
    const float *b = t->b, *ahead = b + AHEAD * t->b_step, *rows_ahead = t->rows;
    TG_TWICE for (int64_t p = 0; p < t->k;
                  p++, low += sizeof(float), high += sizeof(float), b += t->b_step, ahead += t->b_step, rows_ahead += 16) {
        __builtin_prefetch(rows_ahead);
        STEP(float_at(r < 7 ? row_of_seven(low, one, three, five, r) : row_of_seven(high, one, three, five, r - 7)));
    }
}

/* A packed, or a transposed matrix as it lies in memory: the numbers of a step lie side by side, and the steps a row apart, so
 * that A is fetched ahead, too. */
TG_INLINE void walk_steps(const tile_args *t, vt sum[TG_MR][TG_NV], int rows, int vectors)
{
    const float *a = t->a, *b = t->b, *ahead = b + AHEAD * t->b_step;
    TG_TWICE for (int64_t p = 0; p < t->k; p++, a += t->a_step, b += t->b_step, ahead += t->b_step) {
        __builtin_prefetch(a + AHEAD * t->a_step); /* first and last line */
        __builtin_prefetch(a + AHEAD * t->a_step + rows - 1);
        STEP(a[r]);
    }
}

TG_INLINE void tile(const tile_args *t, int rows, int vectors, bool by_rows)
{
    vt sum[TG_MR][TG_NV];
    TG_UNROLL for (int r = 0; r < rows; r++)
        TG_UNROLL for (int v = 0; v < vectors; v++)
            sum[r][v] = t->from ? vt_load_n(t->from + r * t->from_rs + v * TG_W, t->cols - v * TG_W) : vt_zero();
    if (t->next)
        TG_UNROLL for (int r = 0; r < rows; r++)
            TG_UNROLL for (int v = 0; v < vectors; v++) __builtin_prefetch(t->next + r * t->from_rs + v * TG_W);
    if (!t->from) /* C is only written, and yet its lines must come first */
        TG_UNROLL for (int r = 0; r < rows; r++)
            TG_UNROLL for (int v = 0; v < vectors; v++) __builtin_prefetch(t->c + r * t->c_rs + v * TG_W, 1);
    if (by_rows) walk_rows(t, sum, rows, vectors);
    else walk_steps(t, sum, rows, vectors);
    if (t->bias) {
        TG_UNROLL for (int v = 0; v < vectors; v++) {
            const vt bias = vt_load_n(t->bias + v * TG_W, t->cols - v * TG_W);
            TG_UNROLL for (int r = 0; r < rows; r++) sum[r][v] = vt_add(sum[r][v], bias);
        }
    }
    TG_UNROLL for (int r = 0; r < rows; r++)
        TG_UNROLL for (int v = 0; v < vectors; v++)
            vt_store_n(t->c + r * t->c_rs + v * TG_W, sum[r][v], t->cols - v * TG_W);
}

#define CASE(n) case n: if (n <= TG_MR) tile(t, n <= TG_MR ? n : 1, VECTORS, BY_ROWS); break;
#define CASES CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#define TILES(NAME)                                                                                                    \
    static void NAME(const tile_args *t, int64_t rows)                                                                 \
    {                                                                                                                  \
        switch (rows) {                                                                                                \
            CASES                                                                                                      \
        default: break;                                                                                                \
        }                                                                                                              \
    }
#define VECTORS TG_NV
#define BY_ROWS false
TILES(whole_by_steps)
#undef BY_ROWS
#define BY_ROWS true
TILES(whole_by_rows)
#undef VECTORS
#define VECTORS (TG_NV / 2)
TILES(half_by_rows)
#undef BY_ROWS
#define BY_ROWS false
TILES(half_by_steps)

/* Columns that fill no more than half a panel take half the work. */
TG_INLINE void tile_of(const tile_args *t, int64_t rows)
{
    const bool half = t->cols <= TG_NR / 2;
    if (t->a_row == 1) half ? half_by_steps(t, rows) : whole_by_steps(t, rows);
    else half ? half_by_rows(t, rows) : whole_by_rows(t, rows);
}

TG_INLINE v16 activate(v16 x, int act)
{
    switch (act) {
    case TG_ACT_TANH: return v16_tanh(x);
    case TG_ACT_SIGMOID: return v16_sigmoid(x);
    case TG_ACT_RELU: return v16_relu(x);
    default: return x;
    }
}

static void activate_rows(float *c, int64_t c_rs, int64_t rows, int64_t cols, int act)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j += 16) {
            float *at = c + r * c_rs + j;
            v16_store_n(at, activate(v16_load_n(at, cols - j), act), cols - j);
        }
}

/* The next panel's part of B as it lies: column j at step p is x[p*step + j*line], j < lines. */
typedef struct strip { const float *x; int64_t step, line, lines; } strip;

static void fetch_steps(const strip *b, tg_span steps)
{
    if (b->line == 1)
        for (int64_t p = steps.begin; p < steps.end; p++) {
            __builtin_prefetch(b->x + p * b->step, 0, 2);
            if (b->lines > 16) __builtin_prefetch(b->x + p * b->step + 16, 0, 2);
        }
    else
        for (int64_t j = 0; j < b->lines; j++)
            for (int64_t p = steps.begin; p < steps.end; p += 16) __builtin_prefetch(b->x + j * b->line + p, 0, 2);
}

static void pack_steps(float *panel, const strip *b, tg_span steps)
{
    TG_K(pack)(panel + steps.begin * TG_NR, 0, b->x + steps.begin * b->step, b->step, b->line, steps.end - steps.begin, b->lines,
               TG_NR);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* A block of C, and what it is the product of but for B. */
typedef struct block {
    float *c;
    int64_t c_rs;
    const float *from;
    int64_t from_rs;
    const tg_left *a;
    int64_t rows, cols, k;
    const tg_epilogue *ep;
} block;

/* All rows against one panel, of columns j and on. Meanwhile the next one is packed into `to`, if there is one: before each
 * tile a slice of its steps is fetched, so that what is packed after the tile has come from L3 in its time. */
static void one_panel(const block *o, int64_t j, const float *b, int64_t b_step, const strip *next, float *to)
{
    const tg_left *a = o->a;
    const tg_epilogue *ep = o->ep;
    const int64_t tiles = (o->rows + a->height - 1) / a->height, slice = ((o->k + tiles - 1) / tiles + 15) / 16 * 16;
    tile_args t = {.c_rs = o->c_rs, .from_rs = o->from_rs, .a_row = a->row, .a_step = a->step, .b = b, .b_step = b_step,
                   .k = o->k, .cols = least(o->cols - j, TG_NR), .bias = ep && ep->bias ? ep->bias + j : NULL};
    for (int64_t i = 0, n = 0; i < o->rows; i += a->height, n++) {
        const int64_t m = least(o->rows - i, a->height);
        const tg_span steps = {least(n * slice, o->k), least((n + 1) * slice, o->k)};
        t.c = o->c + i * o->c_rs + j;
        t.from = o->from ? o->from + i * o->from_rs + j : NULL;
        t.next = !o->from ? NULL : i + m < o->rows ? t.from + m * o->from_rs : j + TG_NR < o->cols ? o->from + j + TG_NR : NULL;
        t.a = a->a + n * a->tile;
        t.rows = j == 0 && a->row == o->k && i + m < o->rows ? t.a + a->tile : t.a;
        if (next) fetch_steps(next, steps);
        tile_of(&t, m);
        if (next && steps.begin < steps.end) pack_steps(to, next, steps);
        if (ep && ep->act != TG_ACT_LINEAR) activate_rows(t.c, o->c_rs, m, t.cols, ep->act);
    }
}

void TG_K(gemm_block)(float *c, int64_t c_rs, const float *from, int64_t from_rs, const tg_left *a, const tg_right *b,
                      int64_t rows, int64_t cols, int64_t k, const tg_epilogue *ep)
{
    const block o = {c, c_rs, from, from_rs, a, rows, cols, k, ep};
    for (int64_t j = 0; j < cols; j += TG_NR) one_panel(&o, j, b->b + j / TG_NR * b->panel, b->step, NULL, NULL);
}

void TG_K(gemm_raw)(float *c, int64_t c_rs, const float *from, int64_t from_rs, const tg_left *a, const tg_raw *b, int64_t rows,
                    int64_t cols, int64_t k, const tg_epilogue *ep)
{
    const block o = {c, c_rs, from, from_rs, a, rows, cols, k, ep};
    strip s = {b->b, b->step, b->line, least(cols, TG_NR)};
    pack_steps(b->room, &s, (tg_span){0, k});
    for (int64_t j = 0, odd = 0; j < cols; j += TG_NR, odd = !odd) {
        s.x += TG_NR * b->line;
        s.lines = least(cols - j - TG_NR, TG_NR);
        one_panel(&o, j, b->room + odd * k * TG_NR, TG_NR, s.lines > 0 ? &s : NULL, b->room + !odd * k * TG_NR);
    }
}

/* One row: chains are few, so four panels run side by side to hide the latency of a multiply-add. */
enum { ABREAST = 4 };

TG_INLINE void gemv_panels(float *y, const float *from, const float *x, const float *b, int64_t b_stride, int64_t k,
                           int64_t cols, const float *bias, int panels)
{
    vt sum[ABREAST][TG_NV];
    TG_UNROLL for (int q = 0; q < panels; q++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++)
            sum[q][v] = from ? vt_load_n(from + q * TG_NR + v * TG_W, cols - q * TG_NR - v * TG_W) : vt_zero();
    for (int64_t p = 0; p < k; p++) {
        const vt xv = vt_all(x[p]);
        TG_UNROLL for (int q = 0; q < panels; q++)
            TG_UNROLL for (int v = 0; v < TG_NV; v++)
                sum[q][v] = vt_fma(xv, vt_load(b + q * b_stride + p * TG_NR + v * TG_W), sum[q][v]);
    }
    TG_UNROLL for (int q = 0; q < panels; q++)
        TG_UNROLL for (int v = 0; v < TG_NV; v++) {
            const int64_t at = q * TG_NR + v * TG_W;
            if (bias) sum[q][v] = vt_add(sum[q][v], vt_load_n(bias + at, cols - at));
            vt_store_n(y + at, sum[q][v], cols - at);
        }
}

void TG_K(gemv)(float *y, const float *from, const float *x, const float *b, int64_t b_stride, int64_t k, tg_span columns,
                const tg_epilogue *ep)
{
    for (int64_t j = columns.begin; j < columns.end;) {
        const int64_t cols = columns.end - j;
        const float *panel = b + j / TG_NR * b_stride, *start = from ? from + j : NULL;
        const float *bias = ep && ep->bias ? ep->bias + j : NULL;
        if (cols > (ABREAST - 1) * TG_NR) {
            gemv_panels(y + j, start, x, panel, b_stride, k, cols, bias, ABREAST);
            j += ABREAST * TG_NR;
        } else {
            gemv_panels(y + j, start, x, panel, b_stride, k, cols, bias, 1);
            j += TG_NR;
        }
    }
    if (ep && ep->act != TG_ACT_LINEAR)
        activate_rows(y + columns.begin, 0, 1, columns.end - columns.begin, ep->act);
}

/* Sixteen steps of sixteen columns that lie one behind the other, turned so that a step's numbers lie side by side. Steps past
 * k and columns past n are not read. */
TG_INLINE v16 turned_steps(v16 sum, const float *x, const float *b, int64_t b_cs, int64_t steps, int64_t n)
{
    v16 r[16];
    if (steps >= 16 && n >= 16) {
        TG_UNROLL for (int i = 0; i < 16; i++) r[i] = v16_load(b + i * b_cs);
        v16_turn(r);
        TG_UNROLL for (int p = 0; p < 16; p++) sum = v16_fma(v16_all(x[p]), r[p], sum);
        return sum;
    }
    for (int64_t i = 0; i < 16; i++) r[i] = i < n ? v16_load_n(b + i * b_cs, steps) : v16_zero();
    v16_turn(r);
    for (int64_t p = 0; p < 16 && p < steps; p++) sum = v16_fma(v16_all(x[p]), r[p], sum);
    return sum;
}

void TG_K(gemv_turned)(float *y, const float *from, const float *x, const float *b, int64_t b_cs, int64_t k, tg_span columns,
                       const tg_epilogue *ep)
{
    for (int64_t j = columns.begin; j < columns.end; j += 16) {
        const int64_t n = columns.end - j;
        v16 sum = from ? v16_load_n(from + j, n) : v16_zero();
        for (int64_t p = 0; p < k; p += 16) sum = turned_steps(sum, x + p, b + j * b_cs + p, b_cs, k - p, n);
        if (ep && ep->bias) sum = v16_add(sum, v16_load_n(ep->bias + j, n));
        if (ep) sum = activate(sum, ep->act);
        v16_store_n(y + j, sum, n);
    }
}
