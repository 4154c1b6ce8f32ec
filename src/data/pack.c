/* pack.c - in parts of a few KiB, so that ids as the tokeniser gives them never fill memory. */
#include "data/pack.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "data/text/tokenizer.h"

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
    tg_encoder *encoder;
    int32_t *many;         /* [room] ids of a part that is longer than others */
    int64_t room;
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
    tg_status status = tg_encoder_new(t, &p->encoder);
    if (status) tg_free(p);
    else *packer = p;
    return status;
}

void tg_packer_free(tg_packer *p)
{
    if (!p) return;
    tg_encoder_free(p->encoder);
    tg_free(p->many);
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

/* A part's ids: at once to where they are held, those of a part beyond the usual size by way of memory of their own. */
static tg_status pack_part(tg_packer *p, const char *part, int64_t n, bool first, bool last, int64_t *taken)
{
    int64_t got = tg_tokenizer_most(p->t, n);
    if (n <= PART) {
        tg_status status = make_room(p, got);
        if (!status) status = tg_encoder_part(p->encoder, part, n, first, last, TG_UNKNOWN_TOKEN, p->ids + p->held, &got, taken);
        if (!status) p->held += got;
        return status;
    }
    if (p->room < got) {
        tg_free(p->many);
        p->many = tg_alloc_array(got, sizeof *p->many);
        p->room = p->many ? got : 0;
        if (!p->many) return TG_ENOMEM;
    }
    tg_status status = tg_encoder_part(p->encoder, part, n, first, last, TG_UNKNOWN_TOKEN, p->many, &got, taken);
    for (int64_t i = 0; i < got && !status; i += PART) status = tg_packer_ids(p, p->many + i, got - i < PART ? got - i : PART);
    return status;
}

tg_status tg_packer_text(tg_packer *p, tg_scratch *text, int64_t begin, int64_t end, tg_meter *m)
{
    tg_status status = TG_OK;
    for (int64_t at = begin, most = PART, taken = 0; at < end && !status; at += taken) {
        const int64_t n = end - at < most ? end - at : most;
        const char *part;
        status = tg_scratch_view(text, at, n, &part);
        if (status) return status;
        status = pack_part(p, part, n, at == begin, n == end - at, &taken);
        if (status) return tg_note("from byte %" PRId64, at - begin);
        most = taken > 0 ? PART : 2 * most; /* a run without a place to cut */
        status = tg_meter_add(m, taken);
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
