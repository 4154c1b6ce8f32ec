/* base64.c - bytes as letters. */
#include "base/base64.h"

static void put_digits(tg_base64 *b, int digits)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char four[4] = {'=', '=', '=', '='};
    for (int i = 0; i < digits; i++) four[i] = digit[b->bits >> (18 - 6 * i) & 63];
    tg_str_add_n(b->out, four, 4);
    b->bits = 0;
    b->bytes = 0;
}

void tg_base64_put(tg_base64 *b, const void *bytes, int64_t count)
{
    const uint8_t *at = bytes;
    for (int64_t i = 0; i < count; i++) {
        b->bits |= (uint32_t)at[i] << (16 - 8 * b->bytes);
        if (++b->bytes == 3) put_digits(b, 4);
    }
}

void tg_base64_end(tg_base64 *b)
{
    if (b->bytes) put_digits(b, b->bytes + 1);
}

void tg_base64_add(tg_str *out, const void *bytes, int64_t count)
{
    tg_base64 b = {.out = out};
    tg_base64_put(&b, bytes, count);
    tg_base64_end(&b);
}
