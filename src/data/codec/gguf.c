/* gguf.c - the head of a GGUF file. */
#include "data/codec/gguf.h"

#include <string.h>

enum { VERSION = 3, TYPE_F32 = 0 /* of a tensor */ };

static void put(tg_str *out, uint64_t x, int bytes)
{
    char b[8];
    for (int i = 0; i < bytes; i++) b[i] = (char)(unsigned char)(x >> 8 * i);
    tg_str_add_n(out, b, bytes);
}

static void put_bytes(tg_str *out, const char *bytes, int64_t length)
{
    put(out, (uint64_t)length, 8);
    tg_str_add_n(out, bytes, length);
}

static void put_float(tg_str *out, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put(out, bits, 4);
}

static void put_key(tg_gguf *g, const char *key, tg_gguf_type type)
{
    put_bytes(&g->keys, key, (int64_t)strlen(key));
    put(&g->keys, type, 4);
    g->key_count++;
}

void tg_gguf_free(tg_gguf *g)
{
    tg_str_free(&g->keys);
    tg_str_free(&g->tensors);
}

void tg_gguf_put_u32(tg_gguf *g, const char *key, int64_t x)
{
    put_key(g, key, TG_GGUF_U32);
    put(&g->keys, (uint64_t)x, 4);
}

void tg_gguf_put_f32(tg_gguf *g, const char *key, float x)
{
    put_key(g, key, TG_GGUF_F32);
    put_float(&g->keys, x);
}

void tg_gguf_put_bool(tg_gguf *g, const char *key, bool x)
{
    put_key(g, key, TG_GGUF_BOOL);
    put(&g->keys, x, 1);
}

void tg_gguf_put_text(tg_gguf *g, const char *key, const char *text)
{
    put_key(g, key, TG_GGUF_TEXT);
    put_bytes(&g->keys, text, (int64_t)strlen(text));
}

void tg_gguf_put_array(tg_gguf *g, const char *key, tg_gguf_type type, int64_t count)
{
    put_key(g, key, TG_GGUF_ARRAY);
    put(&g->keys, type, 4);
    put(&g->keys, (uint64_t)count, 8);
}

void tg_gguf_add_text(tg_gguf *g, const char *bytes, int64_t length)
{
    put_bytes(&g->keys, bytes, length);
}

void tg_gguf_add_i32(tg_gguf *g, int32_t x)
{
    put(&g->keys, (uint32_t)x, 4);
}

void tg_gguf_add_f32(tg_gguf *g, float x)
{
    put_float(&g->keys, x);
}

void tg_gguf_put_tensor(tg_gguf *g, const char *name, int64_t rows, int64_t columns)
{
    const int64_t bytes = (int64_t)sizeof(float) * columns * (rows ? rows : 1);
    put_bytes(&g->tensors, name, (int64_t)strlen(name));
    put(&g->tensors, rows ? 2 : 1, 4);
    put(&g->tensors, (uint64_t)columns, 8);
    if (rows) put(&g->tensors, (uint64_t)rows, 8);
    put(&g->tensors, TYPE_F32, 4);
    put(&g->tensors, (uint64_t)g->bytes, 8);
    g->tensor_count++;
    g->bytes += (bytes + TG_GGUF_ALIGN - 1) / TG_GGUF_ALIGN * TG_GGUF_ALIGN;
}

tg_status tg_gguf_head(tg_gguf *g, tg_str *out)
{
    tg_str_add(out, "GGUF");
    put(out, VERSION, 4);
    put(out, (uint64_t)g->tensor_count, 8);
    put(out, (uint64_t)g->key_count, 8);
    tg_str_add_n(out, g->keys.data, g->keys.length);
    tg_str_add_n(out, g->tensors.data, g->tensors.length);
    while (!out->failed && out->length % TG_GGUF_ALIGN) tg_str_add_n(out, "", 1);
    return g->keys.failed || g->tensors.failed || out->failed ? TG_ENOMEM : TG_OK;
}
