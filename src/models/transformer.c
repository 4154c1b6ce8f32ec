/*
 * transformer.c - a decoder-only Transformer: embedding, layers of causal attention and a feed-forward net, a linear head.
 *
 * Each layer reads the residual stream x, adds what attention makes of it, then what the net makes of that, both behind a
 * norm ("pre-norm", Xiong et al. 2020, arXiv:2002.04745):
 *
 *     x = x + out(attention(qkv(norm1(x))))          x = x + down(act(up(norm2(x))))
 *
 * One descriptor covers the shape of GPT-2 (--norm layer --pos learned --act gelu --bias; Radford et al. 2019) and that of
 * Llama (--norm rms --pos rope --act swiglu --kv-heads K; Touvron et al. 2023, arXiv:2302.13971), the default. Trained on
 * windows of --context tokens in random order; sampling keeps keys and values of what it has read, so a token costs one pass
 * of one position, by the same code.
 *
 * Names, for K layers: embed.weight [V, C], pos.weight [context, C] (learned), layers.K.norm1.weight, layers.K.attn.qkv.weight
 * [(H + 2·KV)·D, C] (queries, keys, values), layers.K.attn.q_norm.weight and k_norm.weight [D], layers.K.attn.out.weight [C, H·D],
 * layers.K.norm2.weight, layers.K.mlp.up.weight [F, C] (swiglu: [2F, C], the gate first), layers.K.mlp.down.weight [C, F],
 * norm.weight, head.weight [V, C] (tied: embed.weight); biases beside them.
 */
#include "autograd/tape.h"
#include "nn/layers.h"
#include "tinygen/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 64, NAME = 64, AT_ONCE = 1 << 26 /* floats of activations at once: 256 MiB */ };
enum { NORM_RMS, NORM_LAYER };
enum { POS_ROPE, POS_LEARNED };
enum { ACT_SWIGLU, ACT_GELU, ACT_RELU2 };
static const double DEVIATION = 0.02, EPS = 1e-5;

typedef struct transformer_config {
    int64_t layers, heads, kv_heads, dim, context, ffn, norm, pos, act;
    bool bias, tie, qk_norm;
    double dropout, theta;
} transformer_config;

typedef struct block {
    tg_norm_layer norm1, norm2;
    tg_linear_layer qkv, out, up, down;
    tg_tensor *q_norm, *k_norm;
} block;

typedef struct transformer {
    tg_embed_layer embed, pos;
    block blocks[MAX_LAYERS];
    tg_norm_layer norm;
    tg_tensor *head;
} transformer;

static const tg_key transformer_keys[] = {
    TG_INT(transformer_config, layers, 0, "4", 1, MAX_LAYERS, TG_KEY_RESULT, "layers of attention and feed-forward net"),
    TG_INT(transformer_config, heads, 0, "4", 1, 256, TG_KEY_RESULT, "heads of attention; they share the width"),
    TG_INT(transformer_config, kv_heads, 0, "0", 0, 256, TG_KEY_RESULT, "heads of keys and values; 0: as heads"),
    TG_INT(transformer_config, dim, 0, "128", 1, 16384, TG_KEY_RESULT | TG_KEY_AUTO, "width of the residual stream"),
    TG_INT(transformer_config, context, 0, "64", 1, 65536, TG_KEY_RESULT | TG_KEY_AUTO, "tokens that are seen at once"),
    TG_INT(transformer_config, ffn, 0, "0", 0, 65536, TG_KEY_RESULT,
           "width inside the feed-forward net; 0: 4 times dim, with swiglu 8/3 times, a multiple of 16"),
    TG_CHOICE(transformer_config, norm, 0, "rms", "rms|layer", TG_KEY_RESULT, "rms (Llama) or layer norm (GPT-2)"),
    TG_CHOICE(transformer_config, pos, 0, "rope", "rope|learned", TG_KEY_RESULT, "positions: rotary (Llama) or a table (GPT-2)"),
    TG_CHOICE(transformer_config, act, 0, "swiglu", "swiglu|gelu|relu2", TG_KEY_RESULT, "the feed-forward net's activation"),
    TG_SWITCH(transformer_config, bias, 0, NULL, TG_KEY_RESULT, "biases in all linear layers"),
    TG_SWITCH(transformer_config, tie, 0, "true", TG_KEY_RESULT, "let the head use the embedding's weights"),
    TG_SWITCH(transformer_config, qk_norm, 0, NULL, TG_KEY_RESULT, "normalise queries and keys (Henry et al. 2020)"),
    TG_REAL(transformer_config, dropout, 0, "0", 0, 0.95, TG_KEY_RESULT | TG_KEY_AUTO,
            "share dropped of the embedding and of what each half layer adds, while training"),
    TG_REAL(transformer_config, theta, 0, "10000", 1, 1e9, TG_KEY_RESULT, "base of the rotary positions"),
    TG_KEYS_END
};

/* ---- sizes --------------------------------------------------------------------------------------------------------- */

static int64_t kv_heads_of(const transformer_config *c)
{
    return c->kv_heads ? c->kv_heads : c->heads;
}

static int64_t ffn_of(const transformer_config *c)
{
    if (c->ffn) return c->ffn;
    return c->act == ACT_SWIGLU ? (8 * c->dim / 3 + 15) / 16 * 16 : 4 * c->dim;
}

static int64_t context_of(const void *config)
{
    const transformer_config *c = config;
    return c->context;
}

static void attention_of(const void *config, int64_t *layers, int64_t *heads)
{
    const transformer_config *c = config;
    *layers = c->layers;
    *heads = c->heads;
}

/* Rows whose activations and their gradients fit: what a layer keeps of a token, and the logits. */
static int64_t rows_at_once(const tg_model *m, int64_t T)
{
    const transformer_config *c = tg_model_config(m);
    const int64_t D = c->dim / c->heads, F = ffn_of(c);
    const int64_t layer = 7 * c->dim + 2 * (c->heads + 2 * kv_heads_of(c)) * D + (c->act == ACT_SWIGLU ? 5 : 3) * F;
    return AT_ONCE / (c->layers * layer + 2 * tg_model_about(m)->vocab) / T;
}

/* ---- parameters ----------------------------------------------------------------------------------------------------- */

/* "layers.K.what" */
static const char *name_of(char out[NAME], int64_t k, const char *what)
{
    snprintf(out, NAME, "layers.%d.%s", (int)k, what);
    return out;
}

static tg_status declare_linear(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int64_t out, bool bias, double deviation)
{
    l->w = tg_layer_param(p, name, "weight", -1, 2, (int64_t[]){out, in}, TG_INIT_NORMAL, deviation, 0);
    if (l->w && bias) l->b = tg_layer_param(p, name, "bias", -1, 1, &out, TG_INIT_ZERO, 0, 0);
    return l->w && (l->b || !bias) ? TG_OK : tg_note("declaring %s", name);
}

/* A linear layer between hidden units: `count` matrices of so many rows on top of each other. */
static tg_status declare_hidden(tg_params *p, tg_linear_layer *l, const char *name, int64_t in, int count, const int64_t *rows,
                                bool bias, double deviation)
{
    int64_t out = 0;
    for (int i = 0; i < count; i++) out += rows[i];
    tg_status s = declare_linear(p, l, name, in, out, bias, deviation);
    return s ? s : tg_param_matrices(p, l->w, count, rows);
}

static tg_status declare_norm(tg_params *p, tg_norm_layer *l, const char *name, const transformer_config *c)
{
    if (c->norm == NORM_LAYER) return tg_norm_layer_declare(p, l, name, c->dim, 0);
    l->g = tg_layer_param(p, name, "weight", -1, 1, &c->dim, TG_INIT_ONE, 0, 0);
    return l->g ? TG_OK : tg_note("declaring %s", name);
}

/* Matrices that write into the residual stream start smaller the more of them there are (Radford et al. 2019, 2.3). */
static tg_status declare_block(tg_params *p, block *b, int64_t k, const transformer_config *c)
{
    const int64_t D = c->dim / c->heads, KV = kv_heads_of(c) * D, F = ffn_of(c);
    const int64_t qkv[] = {c->heads * D, KV, KV}, up[] = {F, F};
    const int ups = c->act == ACT_SWIGLU ? 2 : 1;
    const double residual = DEVIATION / sqrt(2 * (double)c->layers);
    char name[NAME];
    tg_status s = declare_norm(p, &b->norm1, name_of(name, k, "norm1"), c);
    if (!s) s = declare_hidden(p, &b->qkv, name_of(name, k, "attn.qkv"), c->dim, 3, qkv, c->bias, DEVIATION);
    if (!s && c->qk_norm) {
        b->q_norm = tg_layer_param(p, name_of(name, k, "attn.q_norm"), "weight", -1, 1, &D, TG_INIT_ONE, 0, 0);
        b->k_norm = tg_layer_param(p, name_of(name, k, "attn.k_norm"), "weight", -1, 1, &D, TG_INIT_ONE, 0, 0);
        if (!b->q_norm || !b->k_norm) s = tg_note("declaring %s", name);
    }
    if (!s) s = declare_hidden(p, &b->out, name_of(name, k, "attn.out"), c->heads * D, 1, &c->dim, c->bias, residual);
    if (!s) s = declare_norm(p, &b->norm2, name_of(name, k, "norm2"), c);
    if (!s) s = declare_hidden(p, &b->up, name_of(name, k, "mlp.up"), c->dim, ups, up, c->bias, DEVIATION);
    if (!s) s = declare_hidden(p, &b->down, name_of(name, k, "mlp.down"), F, 1, &c->dim, c->bias, residual);
    return s;
}

static tg_status check_config(const transformer_config *c)
{
    if (c->dim % c->heads)
        return tg_fail(TG_EUSAGE, "%lld heads do not share --dim %lld evenly", (long long)c->heads, (long long)c->dim);
    if (c->heads % kv_heads_of(c))
        return tg_fail(TG_EUSAGE, "--heads %lld is no multiple of --kv-heads %lld", (long long)c->heads, (long long)c->kv_heads);
    if (c->pos == POS_ROPE && c->dim / c->heads % 2)
        return tg_fail(TG_EUSAGE, "--pos rope turns pairs, but a head is %lld wide; take another --dim or --heads",
                       (long long)(c->dim / c->heads));
    return TG_OK;
}

static tg_status transformer_init(tg_model *m)
{
    const transformer_config *c = tg_model_config(m);
    transformer *r = tg_model_state(m);
    tg_params *p = tg_model_params(m);
    const int64_t V = tg_model_about(m)->vocab;
    tg_status s = check_config(c);
    if (!s) s = tg_embed_layer_declare(p, &r->embed, "embed", V, c->dim, DEVIATION, 0);
    if (!s) s = tg_param_rows(p, r->embed.table, TG_ROWS_OF_TOKENS, 0);
    if (!s && c->pos == POS_LEARNED) s = tg_embed_layer_declare(p, &r->pos, "pos", c->context, c->dim, DEVIATION, 0);
    for (int64_t k = 0; k < c->layers && !s; k++) s = declare_block(p, &r->blocks[k], k, c);
    if (!s) s = declare_norm(p, &r->norm, "norm", c);
    if (s) return s;
    r->head = c->tie ? r->embed.table
                     : tg_layer_param(p, "head", "weight", -1, 2, (int64_t[]){V, c->dim}, TG_INIT_NORMAL, DEVIATION, 0);
    return r->head ? tg_param_rows(p, r->head, TG_ROWS_OF_TOKENS, 0) : tg_note("declaring the head");
}

/* ---- the forward pass ------------------------------------------------------------------------------------------------ */

/* Keys and values of all layers, and how many positions of them are there. */
enum { KEYS, VALUES, USED, ENTRIES };

static void transformer_carry(const tg_model *m, int64_t B, tg_carry *out)
{
    const transformer_config *c = tg_model_config(m);
    const int64_t width = kv_heads_of(c) * (c->dim / c->heads);
    out->count = ENTRIES;
    out->names[KEYS] = "keys";
    out->names[VALUES] = "values";
    out->names[USED] = "used";
    for (int i = KEYS; i <= VALUES; i++) {
        out->shapes[i] = tg_shape_of(4, (int64_t[]){c->layers, B, c->context, width});
        out->rows[i] = 1;
        out->kept[i] = true;
    }
    out->shapes[USED] = tg_shape_of(1, (int64_t[]){1});
    out->rows[USED] = -1;
}

static tg_tensor *norm(tg_tape *t, const transformer_config *c, const tg_norm_layer *l, tg_tensor *x)
{
    return c->norm == NORM_LAYER ? tg_norm_layer_apply(t, l, x) : tg_rmsnorm(t, x, l->g, EPS);
}

/* x + a linear layer of h; dropped out in between where that is asked for. */
static tg_tensor *add_to(tg_tape *t, tg_tensor *x, const tg_linear_layer *l, tg_tensor *h, double dropout)
{
    if (dropout <= 0) return tg_linear_onto(t, x, h, l->w, l->b);
    return tg_add(t, x, tg_dropout(t, tg_linear_layer_apply(t, l, h, TG_LINEAR), dropout));
}

static tg_tensor *feed_forward(tg_tape *t, const transformer_config *c, const block *b, tg_tensor *x)
{
    static const tg_activation acts[] = {TG_SWIGLU, TG_GELU, TG_RELU2};
    tg_tensor *h = tg_linear_layer_apply(t, &b->up, norm(t, c, &b->norm2, x), TG_LINEAR);
    return add_to(t, x, &b->down, tg_activate(t, h, acts[c->act]), c->dropout);
}

static tg_tensor *attend(tg_tape *t, const transformer_config *c, const block *b, tg_tensor *x, tg_tensor *first,
                         tg_attention_cache *cache)
{
    const tg_attention_options o = {.heads = c->heads, .kv_heads = kv_heads_of(c), .theta = c->pos == POS_ROPE ? c->theta : 0,
                                    .eps = EPS, .cache = cache};
    tg_tensor *qkv = tg_linear_layer_apply(t, &b->qkv, norm(t, c, &b->norm1, x), TG_LINEAR);
    return add_to(t, x, &b->out, tg_attention(t, qkv, b->q_norm, b->k_norm, first, &o), c->dropout);
}

/* Embedding of tokens [T, B] at positions behind `used`; documents that share a window count their own. */
static tg_tensor *embed(const tg_model *m, tg_tape *t, tg_tensor *tokens, const tg_tensor *first, int64_t used)
{
    const transformer *r = tg_model_state(m);
    tg_tensor *x = tg_embed_layer_apply(t, &r->embed, tokens);
    if (!x || !r->pos.table) return x;
    const int64_t T = tokens->shape.dims[0], B = tokens->shape.dims[1];
    tg_tensor *at = tg_tape_ids(t, 2, (int64_t[]){T, B});
    for (int64_t i = 0; at && at->ids && i < T * B; i++)
        at->ids[i] = (int32_t)(used + i / B - (first && first->ids ? first->ids[i] : 0));
    return tg_add(t, x, tg_embed_layer_apply(t, &r->pos, at));
}

/* Logits [T, B, V] of tokens [T, B], or of the last step alone; `first` [T, B] or NULL: where documents begin. */
static tg_tensor *forward(const tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *first, tg_carry *carry)
{
    const transformer_config *c = tg_model_config(m);
    const transformer *r = tg_model_state(m);
    const int64_t used = carry ? (int64_t)carry->data[USED][0] : 0;
    tg_tensor *x = tg_dropout(t, embed(m, t, tokens, first, used), c->dropout);
    for (int64_t k = 0; k < c->layers && x; k++) {
        tg_attention_cache cache = {.capacity = c->context, .used = used};
        if (carry) {
            const int64_t slab = tg_shape_count(&carry->shapes[KEYS]) / c->layers;
            cache.k = carry->data[KEYS] + k * slab;
            cache.v = carry->data[VALUES] + k * slab;
        }
        const tg_tape_place before = tg_tape_here(t);
        tg_tensor *seen = attend(t, c, &r->blocks[k], x, first, carry ? &cache : NULL);
        x = tg_tape_settle(t, before, x, feed_forward(t, c, &r->blocks[k], seen));
    }
    if (x && carry && carry->last_only) x = tg_last_step(t, x);
    x = x ? tg_linear(t, norm(t, c, &r->norm, x), r->head, NULL, TG_LINEAR) : NULL;
    if (x && carry) {
        carry->filled[KEYS] = carry->filled[VALUES] = used + tokens->shape.dims[0];
        carry->next[USED][0] = (float)(used + tokens->shape.dims[0]);
        tg_carry_swap(carry);
    }
    return x;
}

static tg_tensor *transformer_next(tg_model *m, tg_tape *t, tg_tensor *tokens, tg_tensor *reset, tg_carry *carry)
{
    (void)reset; /* a text that is sampled is one document */
    return tokens ? forward(m, t, tokens, NULL, carry) : NULL;
}

static tg_tensor *transformer_loss(tg_model *m, tg_tape *t, const tg_batch *batch, tg_carry *carry, tg_metrics *out)
{
    tg_tensor *tokens = tg_batch_ids(t, batch, "tokens"), *targets = tg_batch_ids(t, batch, "targets");
    (void)carry;
    if (out) out->count = 0;
    return tokens ? tg_cross_entropy(t, forward(m, t, tokens, tg_batch_ids(t, batch, "first"), NULL), targets) : NULL;
}

static const char *transformer_default(const char *key, const tg_model_data *data, int64_t train_items, char out[32])
{
    (void)data;
    (void)out;
    if (!strcmp(key, "dim")) return train_items < 4000000 ? "128" : "256";
    if (!strcmp(key, "context") && train_items < 300000) return train_items < 1000 ? "16" : train_items < 50000 ? "32" : "64";
    if (!strcmp(key, "context")) return train_items < 40000000 ? "128" : "256";
    if (!strcmp(key, "dropout")) return train_items < 300000 ? "0.1" : "0";
    return NULL;
}

const tg_model_desc tg_model_transformer = {
    .name = "transformer", .title = "Transformer",
    .source = "Vaswani et al. 2017, arXiv:1706.03762; Radford et al. 2019 (GPT-2); Touvron et al. 2023, arXiv:2302.13971 (Llama)",
    .kinds = TG_KIND_TEXT, .keys = transformer_keys, .config_size = sizeof(transformer_config), .state_size = sizeof(transformer),
    .init = transformer_init, .loss = transformer_loss, .carry = transformer_carry, .next = transformer_next,
    .context = context_of, .attention = attention_of, .rows = rows_at_once, .auto_default = transformer_default};
