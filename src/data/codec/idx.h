/* idx.h - the format of MNIST and its kin, read. Big-endian: 00 00, u8 type (8: u8), u8 rank, u32 sizes (the outer one first),
 * then the elements, which fill the file exactly. */
#ifndef TG_DATA_IDX_H
#define TG_DATA_IDX_H
#include "tinygen/base.h"

enum { TG_IDX_RANK_MOST = 8 };
/* data points into the bytes that it was read from; count is the product of dims and at least 0. */
typedef struct tg_idx { int rank; int64_t dims[TG_IDX_RANK_MOST]; int64_t count; const uint8_t *data; } tg_idx;

/* Whether it begins as one: of any type, with a rank that is read. */
bool tg_idx_known(const uint8_t *bytes, int64_t size);
/* Errors: TG_EFORMAT (no IDX file, cut short, or longer than its sizes say), TG_EUNSUPPORTED (elements that are not u8). */
tg_status tg_idx_read(const uint8_t *bytes, int64_t size, const char *what, tg_idx *out);
#endif
