/* npy.c - the header of a .npy file. */
#include "data/codec/npy.h"

#include <inttypes.h>

enum { PREFIX = 10, ALIGN = 64 };

tg_status tg_npy_head(tg_str *out, const tg_st_tensor *t)
{
    static const char *const types[] = {"<f4", "<i4", "|u1", "<u2", "<u4", "<i8", "<u8"};
    tg_str dict = {0};
    if (t->dtype == TG_ST_OTHER) return tg_fail(TG_EUNSUPPORTED, "the tensor %s is of a type that is not written as .npy", t->name);
    tg_str_addf(&dict, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[t->dtype]);
    for (int i = 0; i < t->rank; i++) tg_str_addf(&dict, "%s%" PRId64, i ? ", " : "", t->dims[i]);
    tg_str_add(&dict, t->rank == 1 ? ",), }" : "), }");
    while (!dict.failed && (PREFIX + dict.length + 1) % ALIGN) tg_str_add(&dict, " ");
    tg_str_add(&dict, "\n");
    tg_str_add_n(out, "\x93NUMPY\x01\x00", 8);
    tg_str_add_n(out, (const char[]){(char)(dict.length & 255), (char)(dict.length >> 8)}, 2);
    tg_str_add_n(out, dict.data, dict.failed ? 0 : dict.length);
    const bool failed = dict.failed || out->failed;
    tg_str_free(&dict);
    return failed ? TG_ENOMEM : TG_OK;
}
