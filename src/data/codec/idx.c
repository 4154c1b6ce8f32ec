/* idx.c - a header of a few sizes, each believed only when all of them make the bytes that are there. */
#include "data/codec/idx.h"

#include <inttypes.h>

enum { HEAD = 4, TYPE_U8 = 8 };

static const struct { uint8_t type; const char *name; } types[] = {
    {TYPE_U8, "u8"}, {9, "i8"}, {11, "i16"}, {12, "i32"}, {13, "f32"}, {14, "f64"},
};
enum { TYPES = sizeof types / sizeof *types };

static const char *type_name(uint8_t type)
{
    for (int i = 0; i < TYPES; i++)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

bool tg_idx_known(const uint8_t *bytes, int64_t size)
{
    return size >= HEAD && bytes[0] == 0 && bytes[1] == 0 && type_name(bytes[2]) && bytes[3] >= 1 && bytes[3] <= TG_IDX_RANK_MOST;
}

tg_status tg_idx_read(const uint8_t *bytes, int64_t size, const char *what, tg_idx *out)
{
    tg_idx x = {.count = 1};
    if (!tg_idx_known(bytes, size))
        return tg_fail(TG_EFORMAT, "%s: no IDX file: it does not begin with two zeros, a type and a rank of 1 to %d", what,
                       TG_IDX_RANK_MOST);
    if (bytes[2] != TYPE_U8)
        return tg_fail(TG_EUNSUPPORTED, "%s: an IDX file of %s elements; those of u8 are read", what, type_name(bytes[2]));
    x.rank = bytes[3];
    const int64_t start = HEAD + 4 * x.rank;
    if (size < start) return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in its sizes; fetch it again", what, size);
    for (int i = 0; i < x.rank; i++) {
        const uint8_t *at = bytes + HEAD + 4 * i;
        x.dims[i] = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    }
    bool empty = false;
    for (int i = 0; i < x.rank; i++) {
        if (x.dims[i] == 0) empty = true;
        else if (__builtin_mul_overflow(x.count, x.dims[i], &x.count))
            return tg_fail(TG_EFORMAT, "%s: its sizes make more elements than any file holds", what);
    }
    if (empty) x.count = 0;
    if (x.count != size - start)
        return tg_fail(TG_EFORMAT, "%s: its sizes make %" PRId64 " bytes from byte %" PRId64 " on, but there are %" PRId64 "%s",
                       what, x.count, start, size - start, x.count > size - start ? ": cut short; fetch it again" : "");
    x.data = bytes + start;
    *out = x;
    return TG_OK;
}
