/* attention.c - causal attention over whole sequences as one op: norm, rotation, softmax and both products. The loops are the
 * kernels'. Of forward only the log of each softmax's sum is kept. */
#include "autograd/tape.h"

#include <stddef.h>

enum { QKV, Q_GAIN, K_GAIN, FIRST };
enum { LSE, SCRATCH, WEIGHTS, BACK, DGAIN };

static tg_attend attend_of(const tg_node *n)
{
    const tg_attention_options *o = &n->attr.attention;
    const tg_tensor *qkv = n->in[QKV];
    tg_attend s = {.T = qkv->shape.dims[0], .B = qkv->shape.dims[1], .H = o->heads, .K = o->kv_heads, .qkv = qkv->data,
                   .theta = o->theta, .eps = (float)o->eps, .y = n->out->data};
    s.D = qkv->shape.dims[2] / (s.H + 2 * s.K);
    if (n->in[Q_GAIN]) s.q_gain = n->in[Q_GAIN]->data;
    if (n->in[K_GAIN]) s.k_gain = n->in[K_GAIN]->data;
    if (n->in[FIRST]) s.first = n->in[FIRST]->ids;
    if (o->cache) s.cache_k = o->cache->k, s.cache_v = o->cache->v, s.capacity = o->cache->capacity, s.used = o->cache->used;
    if (n->buffers && n->recorded) s.lse = n->buffer[LSE].data;
    if (n->buffers && n->buffer[WEIGHTS].bytes) s.weights = n->buffer[WEIGHTS].data;
    return s;
}

static tg_status check_first(const tg_node *n, const tg_attend *s)
{
    char text[96];
    const tg_tensor *first = n->in[FIRST];
    if (!first) return TG_OK;
    if (first->dtype != TG_I32 || first->shape.rank != 2 || first->shape.dims[0] != s->T || first->shape.dims[1] != s->B)
        return tg_fail(TG_EINVAL, "attention: first is %s; wanted are whole numbers [%lld, %lld]",
                       tg_shape_text(&first->shape, text), (long long)s->T, (long long)s->B);
    return TG_OK;
}

static tg_status check_cache(const tg_tape *t, const tg_node *n, const tg_attend *s)
{
    const tg_attention_cache *c = n->attr.attention.cache;
    if (!c) return TG_OK;
    if (n->recorded) return tg_fail(TG_EINVAL, "attention: a cache is for sampling; there is no way back through it");
    if (c->used < 0 || c->used > c->capacity - s->T || (!t->mode.plan && (!c->k || !c->v)))
        return tg_fail(TG_EINVAL, "attention: a cache of %lld positions, %lld used, has no room for %lld more",
                       (long long)c->capacity, (long long)c->used, (long long)s->T);
    return TG_OK;
}

static tg_status check_shapes(const tg_tape *t, const tg_node *n)
{
    char text[96];
    const tg_attention_options *o = &n->attr.attention;
    const tg_tensor *qkv = n->in[QKV];
    const int64_t H = o->heads, K = o->kv_heads;
    if (H < 1 || K < 1 || H > INT32_MAX || H % K)
        return tg_fail(TG_EINVAL, "attention: %lld heads of queries cannot share %lld of keys", (long long)H, (long long)K);
    if (qkv->dtype != TG_F32 || qkv->shape.rank != 3 || qkv->shape.dims[2] % (H + 2 * K) || tg_shape_count(&qkv->shape) < 1)
        return tg_fail(TG_EINVAL, "attention: qkv %s; wanted is [T, B, (%lld + 2·%lld)·D]", tg_shape_text(&qkv->shape, text),
                       (long long)H, (long long)K);
    const tg_attend s = attend_of(n);
    for (int i = Q_GAIN; i <= K_GAIN; i++)
        if (n->in[i] && (n->in[i]->dtype != TG_F32 || tg_shape_count(&n->in[i]->shape) != s.D))
            return tg_fail(TG_EINVAL, "attention: a gain of shape %s; a head has %lld elements",
                           tg_shape_text(&n->in[i]->shape, text), (long long)s.D);
    if (!(o->eps >= 0) || !(o->theta >= 0 && o->theta < 1e30))
        return tg_fail(TG_EINVAL, "attention: eps and theta must not be negative");
    if (o->theta > 0 && s.D % 2)
        return tg_fail(TG_EINVAL, "attention: heads of %lld elements cannot be rotated, which takes pairs", (long long)s.D);
    tg_status status = check_cache(t, n, &s);
    return status ? status : check_first(n, &s);
}

/* The first buffer is kept, so that the tape never takes the result for one of parameters alone: a cache is written each time. */
static tg_status attention_shape(tg_tape *t, tg_node *n)
{
    tg_status status = check_shapes(t, n);
    if (status) return status;
    const tg_attend s = attend_of(n);
    const bool gains = n->in[Q_GAIN] || n->in[K_GAIN];
    n->out->shape = tg_shape_of(3, (int64_t[]){s.T, s.B, s.H * s.D});
    tg_node_buffer(n, TG_LIFE_KEEP, n->recorded ? s.T * s.B * s.H * (int64_t)sizeof(float) : 0);
    tg_node_buffer(n, TG_LIFE_ROOM, tg_attend_room(t->ctx, &s));
    tg_node_buffer(n, TG_LIFE_ROOM, t->mode.watch ? s.T * s.B * s.H * (s.used + s.T) * (int64_t)sizeof(float) : 0);
    if (!n->recorded) return TG_OK;
    tg_node_buffer(n, TG_LIFE_BACK, tg_attend_back_room(t->ctx, &s));
    tg_node_buffer(n, TG_LIFE_BACK, gains ? s.B * s.K * 2 * s.D * (int64_t)sizeof(float) : 0);
    return TG_OK;
}

static void attention_forward(tg_tape *t, tg_node *n)
{
    const tg_attend s = attend_of(n);
    tg_attend_forward(t->ctx, &s, n->buffer[SCRATCH].data);
    if (s.weights) t->mode.watch->look(t->mode.watch->user, &(tg_attention_weights){s.T, s.B, s.H, s.used + s.T, s.weights});
}

typedef struct gain_job { const tg_kernels *k; float *to; const float *parts; int64_t D, rows; bool add; } gain_job;

static void gain_span(void *arg, tg_span columns)
{
    const gain_job *j = arg;
    j->k->column_sum(j->to, j->parts, 2 * j->D, j->rows, columns, j->add);
}

static void attention_backward(tg_tape *t, tg_node *n)
{
    const tg_attend s = attend_of(n);
    tg_attend_grad g = {.dy = n->out->grad};
    if (n->buffer[DGAIN].bytes) g.dgain = n->buffer[DGAIN].data;
    g.dqkv = tg_node_grad(t, n, QKV, &g.add);
    tg_attend_backward(t->ctx, &s, &g, n->buffer[BACK].data);
    for (int i = Q_GAIN; i <= K_GAIN; i++) {
        gain_job j = {.k = t->kernels, .D = s.D, .rows = s.B * s.K};
        j.to = tg_node_grad(t, n, i, &j.add);
        if (!j.to) continue;
        j.parts = g.dgain + (i == K_GAIN ? s.D : 0);
        tg_for_spans(t->ctx, s.D, 64, gain_span, &j);
    }
}

/* Two products for each pair, backward five; an exponential counts as 8. */
static double attention_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    tg_attend s = attend_of(n);
    if (t->mode.plan) s.first = NULL;
    return tg_attend_pairs(&s) * (double)s.H * ((backward ? 10 : 4) * (double)s.D + 12);
}

/* Variants: heads of their own; all but the cache; more than one block of keys, of which some are not seen; wide heads. */
static bool attention_example(int variant, tg_example *e)
{
    static const struct { const char *what; int64_t T, B, H, K, D; double theta; bool norm; int64_t first; } v[] = {
        {"plain", 5, 2, 2, 2, 3, 0, false, 0},
        {"rotation", 5, 2, 2, 2, 4, 100, false, 0},
        {"shared keys, norm, rotation, documents", 7, 2, 4, 2, 6, 100, true, 7},
        {"two blocks of keys", 67, 1, 2, 1, 2, 10000, false, 67},
        {"one block of keys and wide heads", 21, 1, 1, 1, 40, 10000, true, 0},
    };
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    const int64_t T = v[variant].T, B = v[variant].B, H = v[variant].H, K = v[variant].K, D = v[variant].D;
    e->what = v[variant].what;
    e->attr.attention = (tg_attention_options){.heads = H, .kv_heads = K, .theta = v[variant].theta, .eps = 1e-3};
    e->in[QKV] = tg_example_values(3, (int64_t[]){T, B, (H + 2 * K) * D}, -1.5, 1.5);
    if (v[variant].norm) e->in[Q_GAIN] = e->in[K_GAIN] = tg_example_values(1, &D, 0.5, 1.5);
    if (v[variant].first) e->in[FIRST] = tg_example_ids(2, (int64_t[]){T, B}, 0, v[variant].first);
    return true;
}

const tg_op tg_op_attention = {
    .name = "attention", .n_in = 4, .optional = 1 << Q_GAIN | 1 << K_GAIN | 1 << FIRST,
    .doc = "softmax(q·kᵀ/√D)·v, causal; qkv[T, B, (H + 2K)·D], y[T, B, H·D]; norm of q and k, rotary positions, cache",
    .source = "Vaswani et al. 2017, arXiv:1706.03762; in blocks: Dao et al. 2022, arXiv:2205.14135",
    .shape = attention_shape,
    .forward = attention_forward,
    .backward = attention_backward,
    .flops = attention_flops,
    .example = attention_example,
};

tg_tensor *tg_attention(tg_tape *t, tg_tensor *qkv, tg_tensor *q_gain, tg_tensor *k_gain, tg_tensor *first,
                        const tg_attention_options *o)
{
    tg_op_attr attr = {.attention = *o};
    if (!attr.attention.kv_heads) attr.attention.kv_heads = o->heads;
    return tg_tape_apply(t, &tg_op_attention, (tg_tensor *[]){qkv, q_gain, k_gain, first}, &attr);
}
