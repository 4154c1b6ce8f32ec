/* byte.c - 256 tokens, one for each byte: takes any data, in any encoding, and gives it back as it was. */
#include "base/alloc.h"
#include "data/text/tokenizer.h"

static tg_status byte_encode(const tg_tokenizer *t, const char *bytes, int64_t length, tg_unknown unknown, int32_t *ids,
                             int64_t *count)
{
    (void)t;
    (void)unknown; /* nothing is */
    for (int64_t i = 0; i < length; i++) ids[i] = (unsigned char)bytes[i];
    *count = length;
    return TG_OK;
}

#define FOUR(x) x, (x) + 1, (x) + 2, (x) + 3
#define SIXTEEN(x) FOUR(x), FOUR((x) + 4), FOUR((x) + 8), FOUR((x) + 12)
#define SIXTY_FOUR(x) SIXTEEN(x), SIXTEEN((x) + 16), SIXTEEN((x) + 32), SIXTEEN((x) + 48)
static const unsigned char all[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

static const char *byte_text(const tg_tokenizer *t, int32_t id, int64_t *length)
{
    (void)t;
    *length = 1;
    return (const char *)all + id;
}

static void byte_put(const tg_tokenizer *t, tg_json_writer *w)
{
    (void)t;
    (void)w;
}

static tg_status byte_read(const tg_json *object, tg_tokenizer **out)
{
    (void)object;
    return tg_tokenizer_byte_new(out);
}

static void byte_free(tg_tokenizer *t)
{
    tg_free(t);
}

const tg_tokenizer_row tg_tokenizer_byte = {
    .name = "byte", .encode = byte_encode, .text = byte_text, .put = byte_put, .read = byte_read, .free = byte_free,
};

tg_status tg_tokenizer_byte_new(tg_tokenizer **out)
{
    tg_tokenizer *t = tg_alloc(sizeof *t);
    if (!t) return TG_ENOMEM;
    *t = (tg_tokenizer){.row = &tg_tokenizer_byte, .plain = 256, .vocab = 256, .special = TG_NO_SPECIALS};
    *out = t;
    return TG_OK;
}
