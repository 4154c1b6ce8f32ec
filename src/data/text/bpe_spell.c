/* bpe_spell.c - GPT-2's spelling of bytes: those that Latin-1 prints are its characters, the others are U+0100 and on. */
#include "base/utf8.h"
#include "data/text/bpe.h"

static bool is_printed(unsigned byte)
{
    return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
}

/* How many bytes below this one are not printed. */
static unsigned place_of(unsigned byte)
{
    return byte < 0x7f ? byte : byte < 0xad ? byte - 0x7f + 0x21 : 0x21 + 0x22;
}

void tg_bpe_spell(tg_str *out, const char *bytes, int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        const unsigned byte = (unsigned char)bytes[i];
        char text[4];
        tg_str_add_n(out, text, tg_utf8_put(text, is_printed(byte) ? byte : 0x100 + place_of(byte)));
    }
}

int tg_bpe_unspell(const char *at, const char *end, char *byte)
{
    uint32_t code;
    const int size = tg_utf8_next(at, end, &code);
    if (size == 0 || code > 0x143) return 0;
    unsigned b = code;
    if (code >= 0x100) {
        const unsigned place = code - 0x100;
        b = place <= 0x20 ? place : place < 0x43 ? place - 0x21 + 0x7f : 0xad;
    } else if (!is_printed(b)) {
        return 0;
    }
    *byte = (char)(unsigned char)b;
    return size;
}
