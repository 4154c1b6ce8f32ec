/* sort.c - bottom-up merge sort: stable, n log n in every case; libc's qsort promises no order of equals. */
#include "base/sort.h"

#include <string.h>

typedef struct order { int (*compare)(const void *, const void *, void *); void *user; size_t size; } order;

/* Merges the ordered runs [a, b) and [b, end) into out. On equality the left one goes first. */
static void merge(const order *o, char *out, const char *a, const char *b, const char *end)
{
    const char *middle = b;
    if (b < end && a < b && o->compare(b - o->size, b, o->user) > 0) {
        while (a < middle && b < end) {
            const char **from = o->compare(a, b, o->user) <= 0 ? &a : &b;
            memcpy(out, *from, o->size);
            *from += o->size;
            out += o->size;
        }
    }
    memcpy(out, a, (size_t)(middle - a));
    memcpy(out + (middle - a), b, (size_t)(end - b));
}

void tg_sort(void *items, int64_t count, int64_t size, void *scratch,
             int (*compare)(const void *, const void *, void *), void *user)
{
    const order o = {compare, user, (size_t)size};
    char *from = items, *to = scratch;
    for (int64_t run = 1; run < count; run *= 2) {
        for (int64_t i = 0; i < count; i += 2 * run) {
            int64_t middle = i + run < count ? i + run : count, end = middle + run < count ? middle + run : count;
            merge(&o, to + i * size, from + i * size, from + middle * size, from + end * size);
        }
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != (char *)items && count > 0) memcpy(items, from, (size_t)count * o.size);
}
