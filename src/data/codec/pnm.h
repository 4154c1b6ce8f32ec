/* pnm.h - Netpbm's formats; image.h has the calls for all formats.
 *   "P", digit; width, height, maxval (not P1, P4); then samples, row by row
 *   P1, P2, P3: bits (1 is black), grey, RGB as decimal numbers
 *   P4, P5, P6: the same in bytes, behind one white space: eight bits a byte and rows filled up; one byte a sample where
 *   maxval is below 256, else two, the high one first
 * # begins a comment to the end of its line, in the header and among numbers. A sample of maxval is 255. */
#ifndef TG_DATA_PNM_H
#define TG_DATA_PNM_H
#include "data/image/image.h"

bool tg_pnm_known(const uint8_t *bytes, int64_t size);
tg_status tg_pnm_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out);
#endif
