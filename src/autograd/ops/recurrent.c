/* recurrent.c - whole recurrent sequences as single ops: rnn, lstm, gru. The loops over time are the kernels'. */
#include "autograd/tape.h"

#include <stddef.h>

enum { GX, W_HH, B_HH, H0, C0, RESET };
enum { GATES, SCRATCH, BACK, CELL, CELL_TANH, GRU_HN = CELL };

static tg_cell cell_of(const tg_node *n)
{
    return n->op == &tg_op_lstm ? TG_CELL_LSTM : n->op == &tg_op_gru ? TG_CELL_GRU : TG_CELL_RNN;
}

static int64_t gates_of(const tg_node *n)
{
    return n->op == &tg_op_lstm ? 4 : n->op == &tg_op_gru ? 3 : 1;
}

static tg_sequence sequence_of(const tg_node *n)
{
    const tg_tensor *gx = n->in[GX];
    tg_sequence s = {.cell = cell_of(n), .act = n->attr.act, .T = gx->shape.dims[0], .B = gx->shape.dims[1],
                     .H = n->in[W_HH]->shape.dims[1], .gx = gx->data, .w_hh = n->in[W_HH]->data,
                     .b_hh = n->in[B_HH]->data, .y = n->out->data};
    if (n->in[H0]) s.h0 = n->in[H0]->data;
    if (n->in[C0]) s.c0 = n->in[C0]->data;
    if (n->in[RESET]) s.reset = n->in[RESET]->ids;
    if (n->buffers) {
        s.gates = n->buffer[GATES].bytes ? n->buffer[GATES].data : n->in[GX]->data;
        if (s.cell == TG_CELL_LSTM) s.c = n->buffer[CELL].data, s.tc = n->buffer[CELL_TANH].data;
        if (s.cell == TG_CELL_GRU) s.hn = n->buffer[GRU_HN].data;
    }
    return s;
}

static tg_status check_state(const tg_node *n, const char *what, const tg_tensor *x, int64_t rows, int64_t columns)
{
    char text[96];
    if (!x || (x->shape.rank == 2 && x->shape.dims[0] == rows && x->shape.dims[1] == columns)) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: %s has shape %s, not [%lld, %lld]", n->op->name, what,
                   tg_shape_text(&x->shape, text), (long long)rows, (long long)columns);
}

static tg_status check_shapes(const tg_node *n)
{
    char gx_text[96], w_text[96];
    const tg_tensor *gx = n->in[GX], *w = n->in[W_HH];
    int64_t G = gates_of(n);
    bool fits = gx->dtype == TG_F32 && gx->shape.rank == 3 && w->shape.rank == 2;
    int64_t H = fits ? w->shape.dims[1] : 0, GH = G * H;
    fits = fits && w->shape.dims[0] == GH && gx->shape.dims[2] == GH && tg_shape_count(&n->in[B_HH]->shape) == GH;
    if (!fits)
        return tg_fail(TG_EINVAL, "%s: input %s and weights %s; wanted are [T, B, %lldH], [%lldH, H], a bias [%lldH]",
                       n->op->name, tg_shape_text(&gx->shape, gx_text), tg_shape_text(&w->shape, w_text), (long long)G,
                       (long long)G, (long long)G);
    tg_status s = check_state(n, "the first state", n->in[H0], gx->shape.dims[1], H);
    if (!s) s = check_state(n, "the first cell", n->in[C0], gx->shape.dims[1], H);
    if (!s) s = check_state(n, "reset", n->in[RESET], gx->shape.dims[0], gx->shape.dims[1]);
    if (!s && n->in[RESET] && n->in[RESET]->dtype != TG_I32)
        s = tg_fail(TG_EINVAL, "%s: reset must be whole numbers", n->op->name);
    if (!s && n->op == &tg_op_rnn && n->attr.act != TG_TANH && n->attr.act != TG_RELU)
        s = tg_fail(TG_EINVAL, "rnn: the activation must be tanh or relu");
    return s;
}

static tg_status recurrent_shape(tg_tape *t, tg_node *n)
{
    tg_status status = check_shapes(n);
    if (status) return status;
    tg_sequence s = sequence_of(n);
    int64_t G = gates_of(n), bytes = s.T * s.B * s.H * (int64_t)sizeof(float);
    n->out->shape = tg_shape_of(3, (int64_t[]){s.T, s.B, s.H});
    tg_node_buffer(n, TG_LIFE_SAVE, tg_node_take_over(n, GX) ? 0 : G * bytes);
    tg_node_buffer(n, TG_LIFE_ROOM, tg_sequence_room(t->ctx, &s));
    tg_node_buffer(n, TG_LIFE_BACK, tg_sequence_back_room(t->ctx, &s));
    if (s.cell == TG_CELL_LSTM) tg_node_buffer(n, TG_LIFE_KEEP, bytes); /* its last step is *c_last */
    if (s.cell != TG_CELL_RNN) tg_node_buffer(n, TG_LIFE_SAVE, bytes);
    return TG_OK;
}

static void recurrent_forward(tg_tape *t, tg_node *n)
{
    tg_sequence s = sequence_of(n);
    bool fill = false;
    float *packed = NULL;
    const bool alone = s.T * s.B == 1 && tg_tape_first_frozen(t); /* as of a product with one row */
    if (!alone) packed = tg_tape_keep(t, n, &n->in[W_HH], 1, tg_sequence_pack_room(t->ctx, &s), &fill);
    if (fill) tg_sequence_pack(t->ctx, &s, packed);
    s.packed = packed;
    s.far = packed && tg_tape_keeps_far(t);
    tg_sequence_forward(t->ctx, &s, n->buffer[SCRATCH].data);
}

/* The gates become their gradients, and these the gradient of gx, in place where it has none of its own. */
static void recurrent_backward(tg_tape *t, tg_node *n)
{
    tg_sequence s = sequence_of(n);
    tg_sequence_grad g = {.dy = n->out->grad};
    if (tg_node_grad_or_adopt(t, n, GX, s.gates)) g.dgx = tg_node_grad(t, n, GX, &g.add_gx);
    g.dw_hh = tg_node_grad(t, n, W_HH, &g.add_w);
    g.db_hh = tg_node_grad(t, n, B_HH, &g.add_b);
    tg_sequence_backward(t->ctx, &s, &g, n->buffer[BACK].data);
}

/* The gates, or the states where there are none. */
static int recurrent_units(const tg_node *n, tg_op_units out[TG_OP_UNITS])
{
    static const char *const lstm[] = {"input gate", "forget gate", "candidate", "output gate"};
    static const char *const gru[] = {"reset gate", "update gate", "candidate"};
    const tg_sequence s = sequence_of(n);
    const int G = (int)gates_of(n);
    for (int g = 0; g < G; g++)
        out[g] = (tg_op_units){.what = s.cell == TG_CELL_RNN ? "state" : s.cell == TG_CELL_LSTM ? lstm[g] : gru[g],
                               .act = s.cell == TG_CELL_RNN ? s.act : g == 2 ? TG_TANH : TG_SIGMOID,
                               .values = s.cell == TG_CELL_RNN ? s.y : s.gates + g * s.H, .rows = s.T * s.B, .stride = G * s.H,
                               .units = s.H, .inner = 1};
    return G;
}

/* Products with the recurrent matrix; an exponential or tanh counts as 10. */
static double recurrent_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    int64_t G = gates_of(n), H = n->in[W_HH]->shape.dims[1];
    double rows = (double)tg_rows_of(n->in[GX]), product = 2.0 * rows * (double)(G * H) * (double)H;
    double cells = rows * (double)H * (double)(backward ? 6 * G : 14 * G);
    return cells + (backward ? product * (tg_tape_wants(t, n->in[W_HH]) ? 2 : 1) : product);
}

/* Shapes are odd on purpose. Variants: plain; states before; reset; all of it. */
static bool recurrent_example(int variant, int64_t G, bool has_cell, tg_example *e)
{
    static const char *const what[] = {"from zero", "from a state", "with resets", "from a state, with resets"};
    enum { T = 5, B = 3, H = 4 };
    if (variant > 3) return false;
    e->what = what[variant];
    e->in[GX] = tg_example_values(3, (int64_t[]){T, B, G * H}, -1, 1);
    e->in[W_HH] = tg_example_values(2, (int64_t[]){G * H, H}, -1, 1);
    e->in[B_HH] = tg_example_values(1, (int64_t[]){G * H}, -0.5, 0.5);
    if (variant & 1) e->in[H0] = tg_example_values(2, (int64_t[]){B, H}, -1, 1);
    if (variant & 1 && has_cell) e->in[C0] = tg_example_values(2, (int64_t[]){B, H}, -1, 1);
    if (variant & 2) e->in[RESET] = tg_example_ids(2, (int64_t[]){T, B}, 0, 2);
    e->in[H0].constant = e->in[C0].constant = true;
    return true;
}

static bool rnn_example(int variant, tg_example *e)
{
    static const char *const relu[] = {"relu", "relu, from a state", "relu, with resets", "relu, all"};
    bool is_relu = variant >= 4;
    if (!recurrent_example(is_relu ? variant - 4 : variant, 1, false, e)) return false;
    if (is_relu) e->what = relu[variant - 4];
    e->attr.act = is_relu ? TG_RELU : TG_TANH;
    return true;
}

static bool lstm_example(int variant, tg_example *e) { return recurrent_example(variant, 4, true, e); }
static bool gru_example(int variant, tg_example *e) { return recurrent_example(variant, 3, false, e); }

const tg_op tg_op_rnn = {
    .name = "rnn", .n_in = 6, .adopts = 1 << GX, .optional = 1 << H0 | 1 << C0 | 1 << RESET,
    .doc = "h' = act(gx + w_hh·h + b_hh) through time; gx[T, B, H], y[T, B, H]; act tanh or relu",
    .source = "Elman 1990, Cognitive Science 14",
    .shape = recurrent_shape,
    .forward = recurrent_forward,
    .backward = recurrent_backward,
    .units = recurrent_units,
    .flops = recurrent_flops,
    .example = rnn_example,
};

const tg_op tg_op_lstm = {
    .name = "lstm", .n_in = 6, .adopts = 1 << GX, .optional = 1 << H0 | 1 << C0 | 1 << RESET,
    .doc = "gates i f g o of gx + w_hh·h + b_hh; c' = f·c + i·g, h' = o·tanh(c'); gx[T, B, 4H], y[T, B, H]",
    .source = "Hochreiter & Schmidhuber 1997; forget gate: Gers, Schmidhuber & Cummins 2000",
    .shape = recurrent_shape,
    .forward = recurrent_forward,
    .backward = recurrent_backward,
    .units = recurrent_units,
    .flops = recurrent_flops,
    .example = lstm_example,
};

const tg_op tg_op_gru = {
    .name = "gru", .n_in = 6, .adopts = 1 << GX, .optional = 1 << H0 | 1 << C0 | 1 << RESET,
    .doc = "gates r z n; n = tanh(gx_n + r·(w_hn·h + b_hn)), h' = (1-z)·n + z·h; gx[T, B, 3H], y[T, B, H]",
    .source = "Cho et al. 2014, arXiv:1406.1078, with the reset gate behind the product",
    .shape = recurrent_shape,
    .forward = recurrent_forward,
    .backward = recurrent_backward,
    .units = recurrent_units,
    .flops = recurrent_flops,
    .example = gru_example,
};

/* The last time step of x [T, B, H]. */
static tg_tensor *last_step(tg_tape *t, const tg_tensor *y, float *data)
{
    const int64_t *d = y->shape.dims;
    return tg_tape_view(t, data ? data + (d[0] - 1) * d[1] * d[2] : NULL, 2, d + 1);
}

static tg_tensor *run(tg_tape *t, const tg_op *op, tg_tensor *const *in, tg_activation act, tg_tensor **h_last)
{
    tg_tensor *y = tg_tape_apply(t, op, in, &(tg_op_attr){.act = (int)act});
    if (y && h_last && !(*h_last = last_step(t, y, y->data))) return NULL;
    return y;
}

tg_tensor *tg_rnn(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *reset,
                  tg_activation act, tg_tensor **h_last)
{
    return run(t, &tg_op_rnn, (tg_tensor *[]){gx, w_hh, b_hh, h0, NULL, reset}, act, h_last);
}

tg_tensor *tg_gru(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *reset,
                  tg_tensor **h_last)
{
    return run(t, &tg_op_gru, (tg_tensor *[]){gx, w_hh, b_hh, h0, NULL, reset}, TG_LINEAR, h_last);
}

tg_tensor *tg_lstm(tg_tape *t, tg_tensor *gx, tg_tensor *w_hh, tg_tensor *b_hh, tg_tensor *h0, tg_tensor *c0,
                   tg_tensor *reset, tg_tensor **h_last, tg_tensor **c_last)
{
    tg_tensor *y = run(t, &tg_op_lstm, (tg_tensor *[]){gx, w_hh, b_hh, h0, c0, reset}, TG_LINEAR, h_last);
    if (y && c_last && !(*c_last = last_step(t, y, t->newest->buffer[CELL].data))) return NULL;
    return y;
}
