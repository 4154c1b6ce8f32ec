/* image.h - pictures in memory and as PNG (codec/png.h) or PNM (codec/pnm.h) files. Decoders are functions of bytes: no files,
 * and no size that a file claims is believed before it is checked. */
#ifndef TG_DATA_IMAGE_H
#define TG_DATA_IMAGE_H
#include "base/str.h"

/* 8 bit, [Y, X, C] interleaved; C: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA (alpha not multiplied in). All three sizes are at least
 * 1 where pixels are there; they are the owner's, freed by tg_image_free. */
typedef struct tg_image { int64_t width, height, channels; uint8_t *pixels; } tg_image;

enum { TG_IMAGE_SIDE = 65535 }; /* pixels that a side of what is read has at most: a line of millions is no picture */

/* Whether the bytes begin as a format that tg_image_decode reads. */
bool tg_image_known(const uint8_t *bytes, int64_t size);

/* PNG (all of version 1.2's kinds) or PNM (P1 to P6), told by content. Samples of 16 bits are rounded to 8, those below 8 bits
 * scaled to 0..255, palettes expanded; transparency of any kind makes an alpha channel. what names the source in errors.
 * max_bytes bounds the pixels and is checked before they are allocated.
 * Errors: TG_EFORMAT (says what is wrong and at which byte), TG_EUNSUPPORTED (neither format, larger than max_bytes, or longer than TG_IMAGE_SIDE),
 * TG_ENOMEM. */
tg_status tg_image_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out);

/* Appended to out; the same pixels make the same bytes on every machine. Errors: TG_EINVAL, TG_ENOMEM. */
tg_status tg_png_write(tg_str *out, const tg_image *image);
/* P5 for grey, P6 for RGB. Errors: TG_EUNSUPPORTED (PNM has no alpha), TG_ENOMEM. */
tg_status tg_pnm_write(tg_str *out, const tg_image *image);

/* The error of a side that is longer than TG_IMAGE_SIDE. */
tg_status tg_image_too_long(const char *what, int64_t width, int64_t height);
void tg_image_free(tg_image *image); /* its pixels; NULL and an empty one are fine */
#endif
