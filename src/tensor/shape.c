/* shape.c - shapes: their products, checked, and their texts. */
#include "tinygen/tensor.h"

#include <stdio.h>

int64_t tg_shape_count(const tg_shape *s)
{
    int64_t count = 1;
    bool empty = false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dims[i] < 0) return -1;
        if (s->dims[i] == 0) empty = true;
        else if (__builtin_mul_overflow(count, s->dims[i], &count)) return -1;
    }
    return empty ? 0 : count;
}

const char *tg_shape_text(const tg_shape *s, char out[96])
{
    enum { ROOM = 96 };
    size_t at = 1;
    out[0] = '[';
    out[1] = 0;
    for (int i = 0; i < s->rank; i++) {
        int n = snprintf(out + at, ROOM - at, i ? ", %lld" : "%lld", (long long)s->dims[i]);
        if (n < 0 || at + (size_t)n > ROOM - 8) { /* eight absurd sizes: cut short, but closed */
            at += (size_t)snprintf(out + at, ROOM - at < 8 ? ROOM - at : 8, ", ...");
            break;
        }
        at += (size_t)n;
    }
    out[at] = ']';
    out[at + 1] = 0;
    return out;
}

bool tg_shape_equal(const tg_shape *a, const tg_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i]) return false;
    return true;
}

tg_shape tg_shape_of(int rank, const int64_t *dims)
{
    tg_shape s = {.rank = rank < 0 ? 0 : rank < TG_MAX_RANK ? rank : TG_MAX_RANK};
    for (int i = 0; i < s.rank; i++) s.dims[i] = dims[i];
    return s;
}
