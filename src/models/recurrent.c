/*
 * recurrent.c - rnn, lstm, gru: embedding, a stack of recurrent layers, a linear head; one source, three rows.
 *
 * Names and layouts are those of the PyTorch module {embed: nn.Embedding(V, E), rnn: nn.LSTM(E, H, layers), head:
 * nn.Linear(H, V)}, with norm.K an nn.LayerNorm(H) after layer K where asked for. Tied weights have no head.weight: the
 * head uses embed.weight. Trained along streams: state is carried from batch to batch, gradients stop at its edge
 * (truncated backpropagation through time).
 *
 * Of a corpus with classes, the class of a document is told at its start, but a few hundred steps on little of it is left in
 * the state. So it is held, and classes.weight, an nn.Embedding(1 + classes, E), is added to the embedding of each token.
 */
#include "autograd/tape.h"
#include "nn/layers.h"
#include "tinygen/model.h"

#include <math.h>
#include <string.h>

enum { MAX_LAYERS = 16, KEPT_ROWS = 4096 /* of a projected table: beyond, making it costs more than a text saves */ };

typedef struct recurrent_config {
    int64_t layers, hidden, embed;
    double dropout;
    bool tie, layer_norm;
    int64_t activation; /* rnn only */
    double forget_bias; /* lstm only */
} recurrent_config;

typedef struct recurrent {
    tg_embed_layer embed, classes; /* classes: row 0 is none; no table where there are none */
    tg_recurrent_layer layers[MAX_LAYERS];
    tg_norm_layer norms[MAX_LAYERS];
    tg_linear_layer head; /* tied: its weight is the embedding's */
} recurrent;

#define SHARED_KEYS                                                                                                   \
    TG_INT(recurrent_config, layers, 0, "2", 1, MAX_LAYERS, TG_KEY_RESULT, "recurrent layers on top of each other"),     \
    TG_INT(recurrent_config, hidden, 0, "128", 1, 4096, TG_KEY_RESULT | TG_KEY_AUTO, "units in each layer"),             \
    TG_INT(recurrent_config, embed, 0, "0", 0, 4096, TG_KEY_RESULT, "width of the embedding; 0: as hidden"),             \
    TG_REAL(recurrent_config, dropout, 0, "0", 0, 0.95, TG_KEY_RESULT | TG_KEY_AUTO,                                    \
            "share of units dropped between layers while training"),                                                  \
    TG_SWITCH(recurrent_config, tie, 0, NULL, TG_KEY_RESULT, "let the head use the embedding's weights"),                \
    TG_SWITCH(recurrent_config, layer_norm, 0, NULL, TG_KEY_RESULT, "normalise each layer's output (Ba et al. 2016)")

static const tg_key gated_keys[] = {SHARED_KEYS, TG_KEYS_END};
static const tg_key lstm_keys[] = {
    SHARED_KEYS,
    TG_REAL(recurrent_config, forget_bias, 0, "1", -10, 10, TG_KEY_RESULT,
            "where the forget gates' biases start; 1 remembers longer from the start (Jozefowicz et al. 2015)"),
    TG_KEYS_END
};
static const tg_key rnn_keys[] = {
    SHARED_KEYS,
    TG_CHOICE(recurrent_config, activation, 0, "tanh", "tanh|relu", TG_KEY_RESULT, "the units' activation"),
    TG_KEYS_END
};

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static tg_recurrent_kind kind_of(const tg_model *m)
{
    const recurrent_config *c = tg_model_config(m);
    const char *name = tg_model_descriptor(m)->name;
    if (!strcmp(name, "lstm")) return TG_LSTM;
    if (!strcmp(name, "gru")) return TG_GRU;
    return c->activation ? TG_RNN_RELU : TG_RNN_TANH;
}

static tg_status declare_norms(tg_params *p, recurrent *r, const recurrent_config *c)
{
    tg_status s = TG_OK;
    for (int64_t k = 0; k < c->layers && !s; k++) {
        char name[] = {'n', 'o', 'r', 'm', '.', (char)('0' + k / 10), (char)('0' + k % 10), 0};
        if (k < 10) memmove(name + 5, name + 6, 2);
        s = tg_norm_layer_declare(p, &r->norms[k], name, c->hidden, 0);
    }
    return s;
}

/* Gains of initial weights: sqrt(3) hands the variance on. Rows of the table have variance 1, of a tied one 1/H; what
 * an LSTM shows is small (a sigmoid times a tanh, about a third), so what reads it starts larger, else upper layers learn
 * late. docs/models/lstm.md has the figures. */
static double gain_of_layer(const tg_model *m, int64_t k)
{
    const recurrent_config *c = tg_model_config(m);
    if (k == 0) return sqrt(c->tie ? 3.0 * (double)c->hidden : 3.0);
    return kind_of(m) == TG_LSTM ? 3 : sqrt(3);
}

static double gain_of_head(const tg_model *m)
{
    return kind_of(m) == TG_LSTM ? 2 : 1;
}

static tg_status declare_head(tg_model *m, recurrent *r, const recurrent_config *c, int64_t V)
{
    tg_params *p = tg_model_params(m);
    tg_status s = TG_OK;
    if (!c->tie) {
        s = tg_linear_layer_declare(p, &r->head, "head", c->hidden, V, true, gain_of_head(m), 0);
        if (!s) s = tg_param_rows(p, r->head.w, TG_ROWS_OF_TOKENS, 0);
    } else {
        r->head.w = r->embed.table;
        r->head.b = tg_layer_param(p, "head", "bias", -1, 1, &V, TG_INIT_UNIFORM, 1 / sqrt((double)c->hidden), 0);
        if (!r->head.b) s = tg_note("declaring the head");
    }
    return s ? s : tg_param_rows(p, r->head.b, TG_ROWS_OF_TOKENS, 0);
}

static tg_status recurrent_init(tg_model *m)
{
    const recurrent_config *c = tg_model_config(m);
    recurrent *r = tg_model_state(m);
    tg_params *p = tg_model_params(m);
    int64_t V = tg_model_about(m)->vocab, H = c->hidden, E = c->embed ? c->embed : H;
    if (c->tie && E != H)
        return tg_fail(TG_EUSAGE, "--tie needs an embedding as wide as the layers, but --embed is %lld and --hidden %lld",
                       (long long)E, (long long)H);
    /* A table that is the head as well starts small, so that the first logits are. */
    tg_status s = tg_embed_layer_declare(p, &r->embed, "embed", V, E, c->tie ? 1 / sqrt((double)H) : 1, 0);
    if (!s) s = tg_param_rows(p, r->embed.table, TG_ROWS_OF_TOKENS, 0);
    if (!s && tg_model_about(m)->classes > 0) { /* from zero: rows of variance 1 on every token would drown the first layer's gates */
        s = tg_embed_layer_declare(p, &r->classes, "classes", 1 + tg_model_about(m)->classes, E, 0, 0);
        if (!s) s = tg_param_rows(p, r->classes.table, TG_ROWS_OF_CLASSES, 1);
    }
    for (int64_t k = 0; k < c->layers && !s; k++)
        s = tg_recurrent_layer_declare(p, &r->layers[k], "rnn", (int)k, kind_of(m), k == 0 ? E : H, H,
                                       gain_of_layer(m, k), c->forget_bias, 0);
    if (!s && c->layer_norm) s = declare_norms(p, r, c);
    return s ? s : declare_head(m, r, c, V);
}

/* ---- the forward pass -------------------------------------------------------------------------------------------- */

static int states_of(const tg_model *m)
{
    return kind_of(m) == TG_LSTM ? 2 : 1;
}

static void recurrent_carry(const tg_model *m, int64_t B, tg_carry *out)
{
    const recurrent_config *c = tg_model_config(m);
    out->count = states_of(m);
    out->names[0] = "h";
    out->names[1] = "c";
    for (int i = 0; i < out->count; i++) {
        out->shapes[i] = tg_shape_of(3, (int64_t[]){c->layers, B, c->hidden});
        out->rows[i] = 1;
    }
    if (tg_model_about(m)->classes == 0) return;
    out->names[out->count] = "class";
    out->shapes[out->count++] = tg_shape_of(1, &B);
}

/* The class that holds at each token [T, B], plus one; 0: none. It is carried behind the states. */
static tg_tensor *held_classes(const tg_model *m, tg_tape *t, const tg_tensor *tokens, const tg_tensor *reset, tg_carry *carry)
{
    const tg_model_data *about = tg_model_about(m);
    const int64_t T = tokens->shape.dims[0], B = tokens->shape.dims[1];
    const int at = states_of(m);
    tg_tensor *x = tg_tape_ids(t, 2, (int64_t[]){T, B});
    int32_t *held = x ? x->ids : NULL;
    for (int64_t i = 0; held && tokens->ids && i < T * B; i++) {
        const int64_t class = tokens->ids[i] - about->first_class;
        held[i] = i >= B ? held[i - B] : carry ? (int32_t)carry->data[at][i] : 0;
        if (reset && reset->ids[i]) held[i] = 0;
        if (class >= 0 && class < about->classes) held[i] = (int32_t)class + 1;
        if (carry && i >= (T - 1) * B) carry->next[at][i % B] = (float)held[i];
    }
    return x;
}

/* x·w_ihᵀ + b_ih for every time step at once. Where the tokens of a batch outnumber the vocabulary, or where the projected
 * table is kept from batch to batch, layer 1 projects the table and looks its rows up: the same products and sums, so the
 * same bits. The first token of all does not wait for the table. */
static tg_tensor *token_input(const recurrent *r, tg_tape *t, tg_tensor *tokens)
{
    const tg_recurrent_layer *l = &r->layers[0];
    tg_tensor *table = r->embed.table;
    if (!tokens) return NULL;
    const int64_t V = table->shape.dims[0], count = tg_shape_count(&tokens->shape);
    const bool kept = tg_tape_is_frozen(t) && V <= KEPT_ROWS && !(count == 1 && tg_tape_first_frozen(t));
    if (V <= count || kept)
        return tg_embed(t, tg_linear(t, table, l->w_ih, l->b_ih, TG_LINEAR), tokens);
    return tg_linear(t, tg_embed(t, table, tokens), l->w_ih, l->b_ih, TG_LINEAR);
}

/* The same of x = embed(token) + classes(class). */
static tg_tensor *first_input(const tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, tg_carry *carry)
{
    const recurrent *r = tg_model_state(m);
    tg_tensor *gx = token_input(r, t, tokens);
    if (!gx || !r->classes.table) return gx;
    tg_tensor *table = tg_linear(t, r->classes.table, r->layers[0].w_ih, NULL, TG_LINEAR);
    tg_tensor *held = held_classes(m, t, tokens, reset, carry);
    return tg_add(t, gx, tg_embed(t, table, held));
}

/* Layer k over gx; its state comes from carry->data and goes to carry->next. */
static tg_tensor *run_layer(const tg_model *m, tg_tape *t, int64_t k, tg_tensor *gx, tg_tensor *reset, tg_carry *carry)
{
    const tg_recurrent_layer *l = &((const recurrent *)tg_model_state(m))->layers[k];
    const int states = states_of(m);
    tg_tensor *before[2] = {NULL, NULL};
    if (!gx) return NULL;
    int64_t B = gx->shape.dims[1], floats = B * l->hidden;
    for (int i = 0; carry && i < states; i++) {
        before[i] = tg_input_values(t, 2, (int64_t[]){B, l->hidden}, carry->data[i] + k * floats);
        if (!before[i]) return NULL;
    }
    tg_recurrent_state last = {0};
    tg_tensor *y = tg_recurrent_layer_run(t, l, gx, &(tg_recurrent_state){before[0], before[1]}, reset, &last);
    const tg_tensor *after[2] = {last.h, last.c};
    for (int i = 0; y && carry && i < states; i++)
        if (after[i] && after[i]->data) /* a plan has none */
            memcpy(carry->next[i] + k * floats, after[i]->data, (size_t)floats * sizeof(float));
    return y;
}

/* Logits [T, B, V] of tokens [T, B], or of the last step alone. */
static tg_tensor *recurrent_next(tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, tg_carry *carry)
{
    const recurrent_config *c = tg_model_config(m);
    const recurrent *r = tg_model_state(m);
    tg_tensor *x = NULL;
    for (int64_t k = 0; k < c->layers; k++) {
        const tg_recurrent_layer *l = &r->layers[k];
        tg_tensor *gx = k == 0 ? first_input(m, t, tokens, reset, carry)
                               : tg_linear(t, tg_dropout(t, x, c->dropout), l->w_ih, l->b_ih, TG_LINEAR);
        x = run_layer(m, t, k, gx, reset, carry);
        if (c->layer_norm) x = tg_norm_layer_apply(t, &r->norms[k], x);
    }
    if (x && carry && carry->last_only) x = tg_last_step(t, x);
    x = tg_linear_layer_apply(t, &r->head, x, TG_LINEAR);
    if (x && carry) tg_carry_swap(carry);
    return x;
}

static tg_tensor *recurrent_loss(tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out)
{
    tg_tensor *tokens = tg_batch_ids(t, batch, "tokens");
    tg_tensor *targets = tg_batch_ids(t, batch, "targets");
    if (out) out->count = 0;
    if (carry && batch->restart) tg_carry_zero(carry);
    return tg_cross_entropy(t, recurrent_next(m, t, tokens, tg_batch_ids(t, batch, "reset"), carry), targets);
}

static const char *recurrent_default(const char *key, const tg_model_data *data, int64_t train_items, char out[32])
{
    (void)data;
    (void)out;
    if (!strcmp(key, "hidden")) return train_items < 4000000 ? "128" : train_items < 40000000 ? "256" : "512";
    if (!strcmp(key, "dropout")) return train_items < 50000 ? "0.3" : train_items < 300000 ? "0.2" : "0";
    return NULL;
}

/* ---- the rows ---------------------------------------------------------------------------------------------------- */

#define RECURRENT_FUNCTIONS                                                                                           \
    .kinds = TG_KIND_TEXT, .config_size = sizeof(recurrent_config), .state_size = sizeof(recurrent),                  \
    .init = recurrent_init, .loss = recurrent_loss, .carry = recurrent_carry, .next = recurrent_next,                 \
    .auto_default = recurrent_default

const tg_model_desc tg_model_rnn = {
    .name = "rnn", .title = "Recurrent network", .source = "Elman 1990; Mikolov et al. 2010",
    .keys = rnn_keys, RECURRENT_FUNCTIONS};
const tg_model_desc tg_model_lstm = {
    .name = "lstm", .title = "Long short-term memory",
    .source = "Hochreiter & Schmidhuber 1997; Gers et al. 2000; Graves 2013, arXiv:1308.0850",
    .keys = lstm_keys, RECURRENT_FUNCTIONS};
const tg_model_desc tg_model_gru = {
    .name = "gru", .title = "Gated recurrent unit", .source = "Cho et al. 2014, arXiv:1406.1078",
    .keys = gated_keys, RECURRENT_FUNCTIONS};
