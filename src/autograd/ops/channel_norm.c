/*
 * channel_norm.c - batch norm and group norm of [B, C, ...]. What normalises a row (one channel of one example) is a mean and a
 * deviation, over the batch or over a group of the example's channels; kernels see rows with a number of each, and the two ops
 * differ in where these come from:
 *   y = n·g + b, n = (x - mean)·inv;  dx = inv·(e - E(e) - n·E(e·n)) with e = dy·g and E the mean over all that shares mean and
 * inv
 */
#include <math.h>

#include "autograd/tape.h"

enum { X, GAIN, BIAS, MEAN, VAR }; /* inputs */
enum { STATS, ROWS, BACK };        /* buffers */
/* Tables of a number for each row. */
enum { ROW_MEAN, ROW_INV, ROW_GAIN, ROW_BIAS, FORWARD_TABLES, SUM = FORWARD_TABLES, DOT, BACK_TABLES };

/* M numbers share one of `stats` means. */
typedef struct sizes { int64_t B, C, N, rows, stats, M; } sizes;

static sizes sizes_of(const tg_node *n)
{
    const tg_shape *x = &n->in[X]->shape;
    sizes z = {.B = x->dims[0], .C = x->dims[1]};
    z.rows = z.B * z.C;
    z.N = tg_shape_count(x) / z.rows;
    z.stats = n->op == &tg_op_batch_norm ? z.C : z.B * (int64_t)n->attr.act;
    z.M = tg_shape_count(x) / z.stats;
    return z;
}

/* Which mean is row r's. */
static int64_t stat_of(const tg_node *n, const sizes *z, int64_t r)
{
    return n->op == &tg_op_batch_norm ? r % z->C : r / (z->rows / z->stats);
}

static tg_status norm_shape(tg_node *n)
{
    char x_text[96], g_text[96];
    const tg_tensor *x = n->in[X];
    if (x->dtype != TG_F32 || x->shape.rank < 2)
        return tg_fail(TG_EINVAL, "%s: x must be [B, C, ...], not %s", n->op->name, tg_shape_text(&x->shape, x_text));
    for (int i = GAIN; i < n->op->n_in; i++)
        if (n->in[i] && tg_shape_count(&n->in[i]->shape) != x->shape.dims[1])
            return tg_fail(TG_EINVAL, "%s: x %s wants a number for each channel, not %s", n->op->name,
                           tg_shape_text(&x->shape, x_text), tg_shape_text(&n->in[i]->shape, g_text));
    if (!n->in[GAIN] != !n->in[BIAS]) return tg_fail(TG_EINVAL, "%s: gain and bias come together", n->op->name);
    if (!(n->attr.number >= 0)) return tg_fail(TG_EINVAL, "%s: eps must not be negative", n->op->name);
    n->out->shape = x->shape;
    n->spare = true;
    return TG_OK;
}

static void take_memory(tg_node *n)
{
    const sizes z = sizes_of(n);
    tg_node_buffer(n, TG_LIFE_SAVE, 2 * z.stats * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_ROOM, FORWARD_TABLES * z.rows * (int64_t)sizeof(float));
    tg_node_buffer(n, TG_LIFE_BACK, (BACK_TABLES * z.rows + 2 * z.stats + 2 * z.C) * (int64_t)sizeof(float));
}

typedef struct norm_job {
    const tg_kernels *k;
    const tg_node *n;
    sizes z;
    float *tables, *sum, *dot, *dx;
    bool add;
} norm_job;

static float *table(const norm_job *j, int which) { return j->tables + which * j->z.rows; }

/* About 4,096 numbers, in whole vectors of rows or channels where they are short. */
static int64_t grain_of(int64_t each) { return each > 256 ? 4096 / each + 1 : (4096 / each + 15) / 16 * 16; }

static void moments_span(void *arg, tg_span stats)
{
    const norm_job *j = arg;
    float *mean = j->n->buffer[STATS].data, *var = mean + j->z.stats;
    const bool batch = j->n->op == &tg_op_batch_norm;
    j->k->channel_moments(mean, var, j->n->in[X]->data, batch ? j->z.B : 1, j->z.stats, batch ? j->z.N : j->z.M, stats);
}

static void norm_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    j->k->norm_rows(j->n->out->data, j->n->in[X]->data, table(j, ROW_MEAN), table(j, ROW_INV), table(j, ROW_GAIN),
                    table(j, ROW_BIAS), j->z.N, rows);
}

static void fill_tables(const norm_job *j)
{
    const tg_node *n = j->n;
    const float *mean = n->buffer[STATS].data, *inv = mean + j->z.stats;
    for (int64_t r = 0; r < j->z.rows; r++) {
        const int64_t s = stat_of(n, &j->z, r), c = r % j->z.C;
        table(j, ROW_MEAN)[r] = mean[s];
        table(j, ROW_INV)[r] = inv[s];
        table(j, ROW_GAIN)[r] = n->in[GAIN] ? n->in[GAIN]->data[c] : 1;
        table(j, ROW_BIAS)[r] = n->in[BIAS] ? n->in[BIAS]->data[c] : 0;
    }
}

/* From means and variances in STATS, the latter becoming 1/deviation. */
static void normalise(tg_tape *t, norm_job *j)
{
    float *inv = (float *)j->n->buffer[STATS].data + j->z.stats;
    for (int64_t s = 0; s < j->z.stats; s++) inv[s] = (float)(1 / sqrt((double)inv[s] + j->n->attr.number));
    fill_tables(j);
    tg_for_spans(t->ctx, j->z.rows, grain_of(j->z.N), norm_span, j);
}

static void row_sums_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    j->k->channel_sums(j->sum, j->dot, j->n->out->grad, j->n->in[X]->data, table(j, ROW_MEAN), table(j, ROW_INV), 1, j->z.rows,
                       j->z.N,
                       rows, false);
}

static void batch_sums_span(void *arg, tg_span channels)
{
    const norm_job *j = arg;
    j->k->channel_sums(j->sum, j->dot, j->n->out->grad, j->n->in[X]->data, table(j, ROW_MEAN), table(j, ROW_INV), j->z.B, j->z.C,
                       j->z.N,
                       channels, false);
}

static void back_span(void *arg, tg_span rows)
{
    const norm_job *j = arg;
    j->k->norm_rows_back(j->dx, j->n->out->grad, j->n->in[X]->data, table(j, ROW_MEAN), table(j, ROW_INV), table(j, ROW_GAIN),
                         table(j, SUM), table(j, DOT), j->z.N, rows, j->add);
}

/* of a channel: sums [C] of dy and dy·n; per_stat: E(e), E(e·n) */
static void norm_backward(tg_tape *t, norm_job *j, const float *channel, const float *per_stat)
{
    tg_node *n = (tg_node *)(uintptr_t)j->n;
    const sizes *z = &j->z;
    bool add;
    for (int i = GAIN; i <= BIAS; i++) {
        float *to = tg_node_grad(t, n, i, &add);
        if (to) tg_accumulate_all(t, to, channel + (i == GAIN ? z->C : 0), z->C, add);
    }
    j->dx = tg_node_grad(t, n, X, &j->add);
    if (!j->dx) return;
    for (int64_t r = 0; r < z->rows; r++) {
        const int64_t s = stat_of(n, z, r);
        table(j, SUM)[r] = per_stat[s];
        table(j, DOT)[r] = per_stat[z->stats + s];
    }
    tg_for_spans(t->ctx, z->rows, grain_of(z->N), back_span, j);
}

static double norm_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    (void)t;
    return (backward ? 14.0 : 8.0) * (double)tg_shape_count(&n->out->shape);
}

/* ---- batch norm ------------------------------------------------------------------------------------------------------ */

static tg_status batch_norm_shape(tg_tape *t, tg_node *n)
{
    tg_status s = norm_shape(n);
    if (s) return s;
    if (!n->in[MEAN] != !n->in[VAR]) return tg_fail(TG_EINVAL, "batch_norm: running mean and variance come together");
    if (!(n->attr.other >= 0 && n->attr.other <= 1)) return tg_fail(TG_EINVAL, "batch_norm: momentum must be between 0 and 1");
    if ((t->mode.train || !n->in[MEAN]) && sizes_of(n).M < 2)
        return tg_fail(TG_EINVAL, "batch_norm: one number a channel has no variance; use a larger batch");
    take_memory(n);
    return TG_OK;
}

/* PyTorch's: the variance that is kept is that of a sample. */
static void keep_running(const norm_job *j)
{
    const tg_node *n = j->n;
    const float *mean = n->buffer[STATS].data, *var = mean + j->z.stats, m = (float)n->attr.other;
    const float sample = (float)((double)j->z.M / (double)(j->z.M - 1));
    for (int64_t c = 0; c < j->z.C; c++) {
        n->in[MEAN]->data[c] += m * (mean[c] - n->in[MEAN]->data[c]);
        n->in[VAR]->data[c] += m * (var[c] * sample - n->in[VAR]->data[c]);
    }
}

static void batch_norm_forward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n, .z = sizes_of(n), .tables = n->buffer[ROWS].data};
    float *stats = n->buffer[STATS].data;
    if (t->mode.train || !n->in[MEAN]) {
        tg_for_spans(t->ctx, j.z.stats, grain_of(j.z.M), moments_span, &j);
        if (n->in[MEAN] && t->mode.train) keep_running(&j);
    } else {
        for (int64_t c = 0; c < j.z.C; c++) {
            stats[c] = n->in[MEAN]->data[c];
            stats[j.z.C + c] = n->in[VAR]->data[c];
        }
    }
    normalise(t, &j);
}

static void batch_norm_backward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n, .z = sizes_of(n), .tables = n->buffer[BACK].data};
    float *channel = j.tables + BACK_TABLES * j.z.rows, *per_stat = channel + 2 * j.z.C;
    fill_tables(&j);
    j.sum = channel, j.dot = channel + j.z.C;
    tg_for_spans(t->ctx, j.z.C, grain_of(j.z.M), batch_sums_span, &j);
    for (int64_t i = 0; i < 2 * j.z.C; i++) per_stat[i] = table(&j, ROW_GAIN)[i % j.z.C] * channel[i] / (float)j.z.M;
    norm_backward(t, &j, channel, per_stat);
}

static void affine_example(tg_example *e, int64_t C)
{
    e->attr.number = 1e-5;
    e->in[GAIN] = tg_example_values(1, &C, 0.5, 1.5);
    e->in[BIAS] = tg_example_values(1, &C, -1, 1);
}

static bool batch_norm_example(int variant, tg_example *e)
{
    static const char *const what[] = {"images", "rows", "no gain, no running statistics"};
    if (variant > 2) return false;
    const int64_t C = variant == 1 ? 19 : 3;
    e->what = what[variant];
    e->in[X] = variant == 1 ? tg_example_values(2, (int64_t[]){5, C}, -2, 2) : tg_example_values(4, (int64_t[]){2, C, 3, 4}, -2,
                                                                                                 2);
    affine_example(e, C);
    if (variant == 2) {
        e->in[GAIN].given = e->in[BIAS].given = false;
        return true;
    }
    e->attr.other = 0.1;
    e->in[MEAN] = e->in[VAR] = tg_example_values(1, &C, 0.5, 1.5);
    e->in[MEAN].constant = e->in[VAR].constant = true;
    return true;
}

const tg_op tg_op_batch_norm = {
    .name = "batch_norm", .n_in = 5, .optional = 1 << GAIN | 1 << BIAS | 1 << MEAN | 1 << VAR,
    .doc = "y = (x - mean)/sqrt(var + eps)·g + b over all but axis 1 of x[B, C, ...]; g, b, running statistics [C] or none",
    .source = "Ioffe & Szegedy 2015, arXiv:1502.03167",
    .shape = batch_norm_shape,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .flops = norm_flops,
    .example = batch_norm_example,
};

tg_tensor *tg_batch_norm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, tg_tensor *running_mean, tg_tensor *running_var,
                         double momentum, double eps)
{
    return tg_tape_apply(t, &tg_op_batch_norm, (tg_tensor *[]){x, g, b, running_mean, running_var},
                         &(tg_op_attr){.number = eps, .other = momentum});
}

/* ---- group norm ------------------------------------------------------------------------------------------------------ */

static tg_status group_norm_shape(tg_tape *t, tg_node *n)
{
    tg_status s = norm_shape(n);
    (void)t;
    if (s) return s;
    const int64_t C = n->in[X]->shape.dims[1];
    if (n->attr.act < 1 || C % n->attr.act)
        return tg_fail(TG_EINVAL, "group_norm: %lld channels do not make %d equal groups", (long long)C, n->attr.act);
    take_memory(n);
    return TG_OK;
}

static void group_norm_forward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n, .z = sizes_of(n), .tables = n->buffer[ROWS].data};
    tg_for_spans(t->ctx, j.z.stats, grain_of(j.z.M), moments_span, &j);
    normalise(t, &j);
}

/* A group's sums are those of its rows, times their gains; a channel's are those of its rows in all examples. */
static void group_norm_backward(tg_tape *t, tg_node *n)
{
    norm_job j = {.k = t->kernels, .n = n, .z = sizes_of(n), .tables = n->buffer[BACK].data};
    float *channel = j.tables + BACK_TABLES * j.z.rows, *per_stat = channel + 2 * j.z.C;
    fill_tables(&j);
    j.sum = table(&j, SUM), j.dot = table(&j, DOT);
    tg_for_spans(t->ctx, j.z.rows, grain_of(j.z.N), row_sums_span, &j);
    for (int64_t i = 0; i < 2 * j.z.C; i++) channel[i] = 0;
    for (int64_t i = 0; i < 2 * j.z.stats; i++) per_stat[i] = 0;
    for (int64_t r = 0; r < j.z.rows; r++) {
        const int64_t c = r % j.z.C, s = stat_of(n, &j.z, r);
        channel[c] += j.sum[r];
        channel[j.z.C + c] += j.dot[r];
        per_stat[s] += table(&j, ROW_GAIN)[r] * j.sum[r];
        per_stat[j.z.stats + s] += table(&j, ROW_GAIN)[r] * j.dot[r];
    }
    for (int64_t i = 0; i < 2 * j.z.stats; i++) per_stat[i] /= (float)j.z.M;
    norm_backward(t, &j, channel, per_stat);
}

static bool group_norm_example(int variant, tg_example *e)
{
    static const struct { const char *what; int groups; int64_t C; } v[] = {
        {"two groups", 2, 4}, {"instance norm", 3, 3}, {"one group of rows", 1, 18}};
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->in[X] = variant == 2 ? tg_example_values(2, (int64_t[]){3, v[variant].C}, -2, 2)
                            : tg_example_values(4, (int64_t[]){2, v[variant].C, 3, 3}, -2, 2);
    affine_example(e, v[variant].C);
    e->attr.act = v[variant].groups;
    return true;
}

const tg_op tg_op_group_norm = {
    .name = "group_norm", .n_in = 3, .optional = 1 << GAIN | 1 << BIAS,
    .doc = "y = (x - mean)/sqrt(var + eps)·g + b over groups of channels of an example of x[B, C, ...]; g, b [C] or none",
    .source = "Wu & He 2018, arXiv:1803.08494",
    .shape = group_norm_shape,
    .forward = group_norm_forward,
    .backward = group_norm_backward,
    .flops = norm_flops,
    .example = group_norm_example,
};

tg_tensor *tg_group_norm(tg_tape *t, tg_tensor *x, tg_tensor *g, tg_tensor *b, int64_t groups, double eps)
{
    const int count = groups > 0 && groups <= INT32_MAX ? (int)groups : 0;
    return tg_tape_apply(t, &tg_op_group_norm, (tg_tensor *[]){x, g, b}, &(tg_op_attr){.number = eps, .act = count});
}
