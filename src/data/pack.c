/* pack.c - in parts of a few KiB, so that ids as the tokeniser gives them never fill memory. */
#include "data/pack.h"

#include <inttypes.h>

#include "base/alloc.h"
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

tg_status tg_text_part(tg_scratch *text, int64_t at, int64_t end, const char **out, int64_t *count)
{
    int64_t n = end - at < PART ? end - at : PART;
    tg_status status = tg_scratch_view(text, at, n, out);
    if (status) return status;
    if (n < end - at) n -= tg_utf8_partial(*out, n); /* a character is not cut in two */
    *count = n;
    return TG_OK;
}

struct tg_packer {
    const tg_tokenizer *t;
    tg_scratch *out;
    int width;
    int64_t held, written; /* ids here, tokens in out */
    int32_t ids[2 * PART];
    uint32_t narrow[2 * PART];
};

tg_status tg_packer_new(const tg_tokenizer *t, tg_scratch *out, tg_packer **packer)
{
    tg_packer *p = tg_alloc(sizeof *p);
    if (!p) return TG_ENOMEM;
    p->t = t;
    p->out = out;
    p->width = tg_token_bytes(tg_tokenizer_vocab(t));
    *packer = p;
    return TG_OK;
}

void tg_packer_free(tg_packer *p)
{
    tg_free(p);
}

int64_t tg_packer_count(const tg_packer *p)
{
    return p->written + p->held;
}

tg_status tg_packer_end(tg_packer *p)
{
    tg_tokens_narrow(p->ids, p->held, p->width, p->narrow);
    tg_status status = tg_scratch_add(p->out, p->narrow, p->held * p->width);
    if (status) return status;
    p->written += p->held;
    p->held = 0;
    return TG_OK;
}

static tg_status make_room(tg_packer *p, int64_t count)
{
    return p->held + count > 2 * PART ? tg_packer_end(p) : TG_OK;
}

tg_status tg_packer_ids(tg_packer *p, const int32_t *ids, int64_t few)
{
    tg_status status = make_room(p, few);
    for (int64_t i = 0; i < few && !status; i++) p->ids[p->held++] = ids[i];
    return status;
}

tg_status tg_packer_text(tg_packer *p, tg_scratch *text, int64_t begin, int64_t end, tg_meter *m)
{
    tg_status status = TG_OK;
    for (int64_t at = begin, n = 0; at < end && !status; at += n) {
        const char *part;
        status = tg_text_part(text, at, end, &part, &n);
        if (!status) status = make_room(p, n);
        if (status) return status;
        int64_t got = n;
        status = tg_tokenizer_encode(p->t, part, n, TG_UNKNOWN_TOKEN, p->ids + p->held, &got);
        if (status) return tg_note("from byte %" PRId64, at - begin);
        p->held += got;
        status = tg_meter_add(m, n);
    }
    return status;
}

tg_status tg_pack_tokens(tg_context *ctx, const tg_tokenizer *t, tg_scratch *text, tg_scratch *out)
{
    tg_packer *p;
    tg_status status = tg_packer_new(t, out, &p);
    if (status) return status;
    tg_meter m = tg_meter_start(ctx, "tokenise", "bytes", tg_scratch_length(text));
    status = tg_packer_text(p, text, 0, tg_scratch_length(text), &m);
    if (!status) status = tg_packer_end(p);
    tg_meter_end(&m);
    tg_packer_free(p);
    return status;
}
