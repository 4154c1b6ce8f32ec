/* classes.h - what kind of character stands somewhere, for cutting a text into words: bpe_split.c and whoever counts words. The
 * tables are the file's own that includes this. */
#ifndef TG_DATA_CLASSES_H
#define TG_DATA_CLASSES_H
#include <string.h>

#include "base/utf8.h"
#include "data/text/class_tables.h"

static inline int class_beyond_ascii(uint32_t code)
{
    if (code >= 0x4e00 && code < 0xa000) return IDEOGRAPH;
    const uint32_t page = code / 256 < CLASS_PAGES ? code / 256 : CLASS_PAGES;
    int low = run_of[page], high = page < CLASS_PAGES ? run_of[page + 1] + 1 : (int)(sizeof class_runs / sizeof *class_runs);
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (class_runs[middle] >> 3 <= code) low = middle;
        else high = middle;
    }
    return (int)(class_runs[low] & 7);
}

/* The class of the character at `at`, which is before end, and its length; a byte that is not UTF-8 is OTHER. */
static inline int class_at(const char *at, const char *end, int *size)
{
    uint32_t code = (unsigned char)*at;
    *size = 1;
    if (code < 0x80) return class_of_ascii[code];
    const int n = tg_utf8_next(at, end, &code);
    if (n == 0) return OTHER;
    *size = n;
    return class_beyond_ascii(code);
}

/* The length of an apostrophe at `at` that a letter follows, 0: there is none. */
static inline int64_t apostrophe(const char *at, const char *end)
{
    int size;
    const int64_t n = at >= end ? 0 : *at == '\'' ? 1 : end - at > 3 && !memcmp(at, "\xe2\x80\x99", 3) ? 3 : 0;
    return n > 0 && at + n < end && class_at(at + n, end, &size) == LETTER ? n : 0;
}
#endif
