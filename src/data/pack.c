/* pack.c - in parts of a few KiB, so that ids as the tokeniser gives them never fill memory. */
#include "data/pack.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/meter.h"
#include "base/utf8.h"

enum { PART = 1 << 16 };

void tg_tokens_narrow(const int32_t *ids, int64_t count, int width, void *out)
{
    if (width == 1)
        for (int64_t i = 0; i < count; i++) ((uint8_t *)out)[i] = (uint8_t)ids[i];
    else if (width == 2)
        for (int64_t i = 0; i < count; i++) ((uint16_t *)out)[i] = (uint16_t)ids[i];
    else
        for (int64_t i = 0; i < count; i++) ((uint32_t *)out)[i] = (uint32_t)ids[i];
}

static tg_status pack(tg_meter *m, const tg_tokenizer *t, const char *text, int64_t length, int32_t *ids, char *out,
                      int64_t *count)
{
    int width = tg_token_bytes(tg_tokenizer_vocab(t));
    *count = 0;
    for (int64_t at = 0; at < length;) {
        int64_t n = length - at < PART ? length - at : PART, got = PART;
        if (n == PART) n -= tg_utf8_partial(text + at, n); /* a character is not cut in two */
        tg_status status = tg_tokenizer_encode(t, text + at, n, false, ids, &got);
        if (status) return tg_note("from byte %" PRId64, at);
        tg_tokens_narrow(ids, got, width, out + *count * width);
        *count += got;
        at += n;
        status = tg_meter_add(m, n);
        if (status) return status;
    }
    return TG_OK;
}

tg_status tg_pack_tokens(tg_context *ctx, const tg_tokenizer *t, const char *text, int64_t length, void **tokens,
                         int64_t *count)
{
    int32_t *ids = tg_alloc_array(PART, sizeof *ids);
    char *out = tg_alloc_raw(length * tg_token_bytes(tg_tokenizer_vocab(t)) + 1);
    int64_t n = 0;
    tg_meter m = tg_meter_start(ctx, "tokenise", "bytes", length);
    tg_status status = ids && out ? pack(&m, t, text, length, ids, out, &n) : TG_ENOMEM;
    tg_meter_end(&m);
    tg_free(ids);
    if (status) {
        tg_free(out);
        return status;
    }
    *tokens = out;
    *count = n;
    return TG_OK;
}
