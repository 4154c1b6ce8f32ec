/* kernels.c - the kernels that are not products, at the sizes of the models; the pool; whole recurrent sequences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bench/bench.h"
#include "kernels/drive.h"

/* What a kernel may use: arrays of `floats` each, and ids below 65. */
enum { ARRAYS = 8 };
typedef struct operands {
    tg_context *ctx;
    const tg_kernels *kn;
    float *x[ARRAYS];
    int32_t *ids;
    int64_t rows, width;    /* of what it works on; rows · width floats an array */
    tg_span span;           /* rows or elements of this chunk */
    void (*kernel)(const struct operands *o, tg_span span);
    int64_t grain;
    tg_sequence s;
    tg_sequence_grad g;
    void *scratch;
} operands;

static int64_t count(tg_span s) { return s.end - s.begin; }

/* ---- over elements: a span of 4096 or so, as the ops do it -------------------------------------------------------------- */
#define MAP(what) static void run_##what(const operands *o, tg_span s) { o->kn->map_##what(o->x[1] + s.begin, o->x[0] + s.begin, count(s)); }
MAP(exp)
MAP(tanh)
MAP(sigmoid)
MAP(log)
MAP(erf)
static void run_add(const operands *o, tg_span s)
{
    o->kn->add(o->x[2] + s.begin, o->x[0] + s.begin, o->x[1] + s.begin, count(s));
}
static void run_dropout(const operands *o, tg_span s)
{
    o->kn->dropout(o->x[1] + s.begin, o->x[0] + s.begin, s.begin, count(s), (const uint32_t[2]){1, 2}, 7, 1u << 30, 1.25f, false);
}
static void run_act_back(const operands *o, tg_span s)
{
    o->kn->act_back(o->x[2] + s.begin, o->x[0] + s.begin, o->x[1] + s.begin, count(s), TG_ACT_TANH, false);
}
static void run_sum_squares(const operands *o, tg_span s) { o->x[1][s.begin / 4096] = o->kn->sum_squares(o->x[0] + s.begin, count(s)); }
static void run_adam(const operands *o, tg_span s)
{
    const int64_t i = s.begin;
    o->kn->adam(o->x[0] + i, o->x[1] + i, o->x[2] + i, o->x[3] + i, count(s), 1, 1e-5f, 0.9f, 0.999f, 1e-8f, 1, 0, 1);
}
static void run_sgd(const operands *o, tg_span s)
{
    o->kn->sgd(o->x[0] + s.begin, o->x[1] + s.begin, o->x[2] + s.begin, count(s), 1, 1e-5f, 0.9f, false, 0);
}

/* ---- over rows --------------------------------------------------------------------------------------------------------- */
static void run_softmax_loss(const operands *o, tg_span s) { o->kn->softmax_loss(o->x[2], o->x[1], o->x[0], o->ids, o->width, s); }
static void run_layernorm(const operands *o, tg_span s)
{
    o->kn->layernorm(o->x[1], o->x[2], o->x[3], o->x[0], o->x[4], o->x[5], o->width, 1e-5f, s);
}
static void run_layernorm_back(const operands *o, tg_span s)
{
    o->kn->layernorm_back(o->x[1], o->x[0], o->x[6], o->x[4], o->x[2], o->x[3], o->width, s, false);
}
static void run_rmsnorm(const operands *o, tg_span s) { o->kn->rmsnorm(o->x[1], o->x[2], o->x[0], o->x[4], o->width, 1e-5f, s); }
static void run_rmsnorm_back(const operands *o, tg_span s)
{
    o->kn->rmsnorm_back(o->x[1], o->x[0], o->x[6], o->x[4], o->x[2], o->width, s, false);
}
/* swiglu takes half of width results of its rows */
#define ACTIVATE(what, act, F)                                                                                         \
    static void run_##what(const operands *o, tg_span s) { o->kn->activate(o->x[1], o->x[0], F, act, s); }             \
    static void run_##what##_back(const operands *o, tg_span s) { o->kn->activate_back(o->x[2], o->x[1], o->x[0], F, act, s, false); }
ACTIVATE(gelu, TG_ACT_GELU, o->width)
ACTIVATE(relu2, TG_ACT_RELU2, o->width)
ACTIVATE(swiglu, TG_ACT_SWIGLU, o->width / 2)
static void run_gather(const operands *o, tg_span s) { o->kn->gather(o->x[1], o->x[0], o->ids, o->width, s); }
/* by columns */
static void run_scatter(const operands *o, tg_span s) { o->kn->scatter_add(o->x[0], 65, o->x[1], o->ids, o->rows, o->width, s, false); }
static void run_column_sum(const operands *o, tg_span s) { o->kn->column_sum(o->x[1], o->x[0], o->width, o->rows, s, false); }

/* ---- not split here ------------------------------------------------------------------------------------------------------ */
static void run_nothing(const operands *o, tg_span s) { (void)o; (void)s; }
static void run_forward(const operands *o, tg_span s) { (void)s; tg_sequence_forward(o->ctx, &o->s, o->scratch); }
/* backward turns the gates into their gradients, so forward comes before it every time */
static void run_both(const operands *o, tg_span s)
{
    run_forward(o, s);
    tg_sequence_backward(o->ctx, &o->s, &o->g, o->scratch);
}

typedef struct kernel {
    const char *name;
    void (*run)(const operands *o, tg_span s);
    int64_t rows, width, grain; /* over elements: rows · width in chunks of grain; over rows: rows; by columns: width */
    char split;                 /* e, r, c; s: a sequence; p: the pool alone */
    const char *unit, *limit;
    double bytes;               /* moved for each element */
    tg_cell cell;
} kernel;

static const kernel kernels[] = {
    {"exp, 4096", run_exp, 1, 4096, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"tanh, 4096", run_tanh, 1, 4096, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"sigmoid, 4096", run_sigmoid, 1, 4096, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"log, 4096", run_log, 1, 4096, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"erf, 4096", run_erf, 1, 4096, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"add, 2500 x 128", run_add, 2500, 128, 16384, 'e', "GB/s", "triad L3", 12, 0},
    {"tanh's gradient, 2500 x 128", run_act_back, 2500, 128, 4096, 'e', "GB/s", "triad L3", 12, 0},
    {"dropout, 2500 x 128", run_dropout, 2500, 128, 4096, 'e', "Gresult/s", NULL, 1, 0},
    {"sum of squares, 281k", run_sum_squares, 1, 281000, 4096, 'e', "GB/s", "L3", 4, 0},
    {"softmax and loss, 2500 x 65", run_softmax_loss, 2500, 65, 16, 'r', "Gresult/s", NULL, 1, 0},
    {"layer norm, 2500 x 128", run_layernorm, 2500, 128, 16, 'r', "GB/s", "triad L3", 8, 0},
    {"layer norm's gradient, 2500 x 128", run_layernorm_back, 2500, 128, 16, 'r', "GB/s", "triad L3", 12, 0},
    {"rms norm, 2500 x 128", run_rmsnorm, 2500, 128, 16, 'r', "GB/s", "triad L3", 8, 0},
    {"rms norm's gradient, 2500 x 128", run_rmsnorm_back, 2500, 128, 16, 'r', "GB/s", "triad L3", 12, 0},
    {"gelu, 768 x 512", run_gelu, 768, 512, 8, 'r', "GB/s", "triad L3", 8, 0},
    {"gelu's gradient, 768 x 512", run_gelu_back, 768, 512, 8, 'r', "GB/s", "triad L3", 12, 0},
    {"relu2, 768 x 512", run_relu2, 768, 512, 8, 'r', "GB/s", "triad L3", 8, 0},
    {"relu2's gradient, 768 x 512", run_relu2_back, 768, 512, 8, 'r', "GB/s", "triad L3", 12, 0},
    {"swiglu, 768 x 2·344", run_swiglu, 768, 688, 12, 'r', "GB/s", "triad L3", 6, 0},
    {"swiglu's gradient, 768 x 2·344", run_swiglu_back, 768, 688, 12, 'r', "GB/s", "triad L3", 10, 0},
    {"gather, 2500 of 65 x 512", run_gather, 2500, 512, 256, 'r', "GB/s", "triad L3", 4, 0},
    {"scatter, 2500 into 65 x 512", run_scatter, 2500, 512, 32, 'c', "GB/s", "L3", 4, 0},
    {"column sums, 2500 x 512", run_column_sum, 2500, 512, 64, 'c', "GB/s", "L3", 4, 0},
    {"adam, 281k weights", run_adam, 1, 281000, 4096, 'e', "GB/s", "update L3", 28, 0},
    {"adam, 10M weights", run_adam, 1, 10000000, 4096, 'e', "GB/s", "update DRAM", 28, 0},
    {"sgd with momentum, 10M weights", run_sgd, 1, 10000000, 4096, 'e', "GB/s", "update DRAM", 20, 0},
    {"fork and join", run_nothing, 0, 0, 1, 'p', "us", NULL, 1, 0},
    {"rnn 128 forward, 50 x 50", run_forward, 50, 128, 0, 's', "GFLOP/s", "fma", 1, TG_CELL_RNN},
    {"rnn 128 both ways, 50 x 50", run_both, 50, 128, 0, 's', "GFLOP/s", "fma", 3, TG_CELL_RNN},
    {"gru 128 forward, 50 x 50", run_forward, 50, 128, 0, 's', "GFLOP/s", "fma", 1, TG_CELL_GRU},
    {"gru 128 both ways, 50 x 50", run_both, 50, 128, 0, 's', "GFLOP/s", "fma", 3, TG_CELL_GRU},
    {"lstm 128 forward, 50 x 50", run_forward, 50, 128, 0, 's', "GFLOP/s", "fma", 1, TG_CELL_LSTM},
    {"lstm 128 both ways, 50 x 50", run_both, 50, 128, 0, 's', "GFLOP/s", "fma", 3, TG_CELL_LSTM},
    {"lstm 512 forward, 50 x 50", run_forward, 50, 512, 0, 's', "GFLOP/s", "fma", 1, TG_CELL_LSTM},
    {"lstm 512 both ways, 50 x 50", run_both, 50, 512, 0, 's', "GFLOP/s", "fma", 3, TG_CELL_LSTM},
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static void split_span(void *arg, tg_span s)
{
    operands *o = arg;
    o->kernel(o, s);
}

static void run_split(void *arg)
{
    operands *o = arg;
    tg_for_spans(o->ctx, o->span.end, o->grain, split_span, o);
}

static void run_whole(void *arg)
{
    operands *o = arg;
    o->kernel(o, o->span);
}

static const int64_t gates_of[] = {[TG_CELL_RNN] = 1, [TG_CELL_LSTM] = 4, [TG_CELL_GRU] = 3};

/* Arrays for a sequence of T = B = rows, as far as its cell has them: gx, w, b, y, c, tc or hn, dy, dw. */
static bool take_sequence(operands *o, const kernel *k)
{
    const int64_t T = k->rows, B = k->rows, H = k->width, G = gates_of[k->cell], all = T * B * H;
    o->s = (tg_sequence){.cell = k->cell, .act = TG_ACT_TANH, .T = T, .B = B, .H = H};
    float *at = tg_alloc((2 * G * all + G * H * H + G * H + 4 * all + G * all + 2 * (G * H * H + G * H)) * 4);
    if (!at) return false;
    o->x[0] = at;
    o->s.gx = o->s.gates = at, at += G * all; /* in place, as the models run it */
    o->s.w_hh = at, at += G * H * H;
    o->s.b_hh = at, at += G * H;
    o->s.y = at, at += all;
    o->s.c = o->s.hn = at, at += all;
    o->s.tc = at, at += all;
    float *dy = at;
    o->g.dy = at, at += all;
    o->g.dw_hh = at, at += G * H * H;
    o->g.db_hh = at;
    for (int64_t i = 0; i < G * all; i++) o->x[0][i] = (float)(i % 13 - 6) * 0.1f;
    for (int64_t i = 0; i < all; i++) dy[i] = (float)(i % 7 - 3) * 0.1f;
    for (int64_t i = 0; i < G * H * H; i++) o->x[0][G * all + i] = (float)(i % 11 - 5) * 0.01f;
    const int64_t f = tg_sequence_room(o->ctx, &o->s), b = tg_sequence_back_room(o->ctx, &o->s);
    o->scratch = tg_alloc(f > b ? f : b);
    return o->scratch;
}

static bool take_operands(operands *o, const kernel *k)
{
    if (k->split == 's') return take_sequence(o, k);
    const int64_t n = k->rows * k->width + 1024, used = n > 5000000 ? 4 : ARRAYS;
    o->ids = tg_alloc((k->rows + 1) * (int64_t)sizeof *o->ids);
    for (int64_t i = 0; o->ids && i < k->rows; i++) o->ids[i] = (int32_t)(i * 7 % 65);
    for (int a = 0; a < used; a++) {
        o->x[a] = tg_alloc(n * (int64_t)sizeof(float));
        if (!o->x[a]) return false;
        for (int64_t i = 0; i < n; i++) o->x[a][i] = (float)(i % 17 - 8 + a) * 0.1f + 1;
    }
    return o->ids;
}

typedef struct kernel_arg { const bench *b; const kernel *k; int on; } kernel_arg;

static double measure_kernel(bench_row *r)
{
    const kernel_arg *a = r->arg;
    const kernel *k = a->k;
    operands o = {.ctx = a->b->on[a->on], .kernel = k->run, .rows = k->rows, .width = k->width, .grain = k->grain};
    const double elements = (double)(k->rows * k->width);
    double rate = NAN, work = elements * k->bytes * 1e-9;
    o.kn = tg_kernels_of(o.ctx);
    o.span = (tg_span){0, k->split == 'e' ? k->rows * k->width : k->split == 'r' ? k->rows : k->split == 'c' ? k->width : r->threads};
    if (take_operands(&o, k)) {
        if (k->split == 's') /* products only; backward has two of them, forward one */
            work = 2e-9 * (double)(k->rows * k->rows * gates_of[k->cell]) * (double)(k->width * k->width) * k->bytes;
        if (k->split == 'p') work = 1;
        rate = bench_rate(k->split == 's' ? run_whole : run_split, &o, work);
        if (k->split == 'p') rate = 1e6 / rate;
    }
    for (int i = 0; i < ARRAYS; i++) tg_free(o.x[i]);
    tg_free(o.ids);
    tg_free(o.scratch);
    return rate;
}

void bench_kernels(bench *b)
{
    static kernel_arg args[KERNELS][2];
    for (int i = 0; i < KERNELS; i++)
        for (int on = 0; on < b->sizes; on++) {
            bench_row row = {.group = "kernel", .threads = b->threads[on], .unit = kernels[i].unit, .limit = kernels[i].limit,
                             .less_is_better = kernels[i].split == 'p', .measure = measure_kernel, .arg = &args[i][on]};
            snprintf(row.name, sizeof row.name, "%s", kernels[i].name);
            args[i][on] = (kernel_arg){b, &kernels[i], on};
            if (kernels[i].split == 'p' && on == 0) continue; /* one thread forks nothing */
            bench_add(b, &row);
        }
    bench_run(b, "Kernels");
}
