/* npy.h - NumPy's .npy, version 1.0: "\x93NUMPY", 1, 0, u16 length, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), },
 * spaces and a newline up to a multiple of 64 bytes; then the data. */
#ifndef TG_DATA_NPY_H
#define TG_DATA_NPY_H
#include "base/str.h"
#include "data/codec/safetensors.h"

/* All before the data of such a tensor, appended. Errors: TG_EUNSUPPORTED (a type that NumPy lacks), TG_ENOMEM. */
tg_status tg_npy_head(tg_str *out, const tg_st_tensor *t);
#endif
