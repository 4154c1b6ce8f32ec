/* llama2c.c - where what lies in a llama2.c checkpoint. */
#include "data/codec/llama2c.h"

#include <inttypes.h>
#include <string.h>

#include "base/fmath.h"

enum { FIELDS = 7, VERSIONED = 0x616b3432 /* "ak42": versions 1 and 2 */ };
static const double BASE = 10000;

int64_t tg_llama2_times(const tg_llama2 *c, tg_llama2_part p)
{
    switch (p) {
    case TG_LLAMA2_HEAD_WEIGHT: return c->shared ? 0 : 1;
    case TG_LLAMA2_EMBED: case TG_LLAMA2_NORM: case TG_LLAMA2_COSINE: case TG_LLAMA2_SINE: return 1;
    default: return c->layers;
    }
}

int64_t tg_llama2_rows(const tg_llama2 *c, tg_llama2_part p)
{
    switch (p) {
    case TG_LLAMA2_EMBED: case TG_LLAMA2_HEAD_WEIGHT: return c->vocab;
    case TG_LLAMA2_QUERY: case TG_LLAMA2_OUT: case TG_LLAMA2_DOWN: return c->dim;
    case TG_LLAMA2_KEY: case TG_LLAMA2_VALUE: return c->dim / c->heads * c->kv_heads;
    case TG_LLAMA2_GATE: case TG_LLAMA2_UP: return c->hidden;
    case TG_LLAMA2_COSINE: case TG_LLAMA2_SINE: return c->context;
    default: return 1;
    }
}

int64_t tg_llama2_columns(const tg_llama2 *c, tg_llama2_part p)
{
    switch (p) {
    case TG_LLAMA2_DOWN: return c->hidden;
    case TG_LLAMA2_COSINE: case TG_LLAMA2_SINE: return c->dim / c->heads / 2;
    default: return c->dim;
    }
}

int64_t tg_llama2_offset(const tg_llama2 *c, tg_llama2_part p, int64_t layer)
{
    int64_t floats = 0;
    for (int i = 0; i < (int)p; i++) {
        const tg_llama2_part q = (tg_llama2_part)i;
        floats += tg_llama2_times(c, q) * tg_llama2_rows(c, q) * tg_llama2_columns(c, q);
    }
    if (p < TG_LLAMA2_PARTS) floats += layer * tg_llama2_rows(c, p) * tg_llama2_columns(c, p);
    return TG_LLAMA2_HEAD + (int64_t)sizeof(float) * floats;
}

/* ---- the header */

static int32_t get32(const unsigned char *b)
{
    return (int32_t)(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
}

/* The bounds are those of our own Transformer; all products of such numbers fit into 64 bits. */
static tg_status check_sizes(const char *name, const tg_llama2 *c)
{
    const struct { const char *name; int64_t value, most; } sizes[FIELDS] = {
        {"dim", c->dim, 16384}, {"hidden_dim", c->hidden, 65536}, {"n_layers", c->layers, 64}, {"n_heads", c->heads, 256},
        {"n_kv_heads", c->kv_heads, 256}, {"vocab_size", c->vocab, 1000000}, {"seq_len", c->context, 65536}};
    for (int i = 0; i < FIELDS; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return tg_fail(TG_EFORMAT, "%s: no checkpoint of llama2.c that can be read: its %s is %" PRId64 ", 1 to %" PRId64 " are possible",
                           name, sizes[i].name, sizes[i].value, sizes[i].most);
    if (c->dim % c->heads || c->heads % c->kv_heads || c->dim / c->heads % 2)
        return tg_fail(TG_EFORMAT, "%s: no checkpoint of llama2.c: %" PRId64 " heads, %" PRId64 " of keys, do not share a width of %"
                       PRId64 " in pairs", name, c->heads, c->kv_heads, c->dim);
    return TG_OK;
}

tg_status tg_llama2_parse(const char *name, const void *head, int64_t length, int64_t file_bytes, tg_llama2 *out)
{
    int64_t x[FIELDS];
    if (length < TG_LLAMA2_HEAD)
        return tg_fail(TG_EFORMAT, "%s: no checkpoint of llama2.c: %" PRId64 " bytes, its header alone has %d", name, length, TG_LLAMA2_HEAD);
    if (!memcmp(head, "GGUF", 4)) return tg_fail(TG_EUNSUPPORTED, "%s: GGUF is written, but not read", name);
    for (int i = 0; i < FIELDS; i++) x[i] = get32((const unsigned char *)head + 4 * i);
    if (x[0] == VERSIONED)
        return tg_fail(TG_EUNSUPPORTED, "%s: version %" PRId64 " of llama2.c's format; version 0 is read: export.py --version 0", name, x[1]);
    const tg_llama2 c = {.dim = x[0], .hidden = x[1], .layers = x[2], .heads = x[3], .kv_heads = x[4],
                         .vocab = x[5] < 0 ? -x[5] : x[5], .context = x[6], .shared = x[5] > 0};
    tg_status s = check_sizes(name, &c);
    if (s) return s;
    const int64_t asked = tg_llama2_offset(&c, TG_LLAMA2_PARTS, 0);
    if (asked != file_bytes)
        return tg_fail(TG_EFORMAT, "%s: its header asks for %" PRId64 " bytes, the file has %" PRId64 ": %s", name, asked, file_bytes,
                       file_bytes < asked ? "cut short? fetch it again" : "no checkpoint of llama2.c");
    *out = c;
    return TG_OK;
}

void tg_llama2_put(const tg_llama2 *c, unsigned char head[TG_LLAMA2_HEAD])
{
    const int64_t x[FIELDS] = {c->dim, c->hidden, c->layers, c->heads, c->kv_heads, c->shared ? c->vocab : -c->vocab, c->context};
    for (int i = 0; i < TG_LLAMA2_HEAD; i++) head[i] = (unsigned char)((uint64_t)x[i / 4] >> 8 * (i % 4));
}

/* ---- the rotation */

static bool is_turned(tg_llama2_part p)
{
    return p == TG_LLAMA2_QUERY || p == TG_LLAMA2_KEY;
}

int64_t tg_llama2_their_row(const tg_llama2 *c, tg_llama2_part p, int64_t row)
{
    const int64_t D = c->dim / c->heads, i = row % D;
    return is_turned(p) ? row - i + (i < D / 2 ? 2 * i : 2 * i - D + 1) : row;
}

int64_t tg_llama2_our_row(const tg_llama2 *c, tg_llama2_part p, int64_t row)
{
    const int64_t D = c->dim / c->heads, i = row % D;
    return is_turned(p) ? row - i + i / 2 + (i % 2 ? D / 2 : 0) : row;
}

void tg_llama2_table(const tg_llama2 *c, tg_llama2_part p, int64_t t, float *out)
{
    const int64_t half = c->dim / c->heads / 2;
    const double slower = 1 / tg_root(BASE, half);
    double angle = (double)t;
    for (int64_t i = 0; i < half; i++, angle *= slower)
        out[i] = p == TG_LLAMA2_COSINE ? tg_cosf((float)angle) : tg_sinf((float)angle);
}
