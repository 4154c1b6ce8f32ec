/* resize.h - pictures of any size and kind to those that a dataset holds: one size, grey or RGB, nothing transparent. Integer
 * arithmetic throughout, so the same picture gives the same bytes everywhere. */
#ifndef TG_DATA_RESIZE_H
#define TG_DATA_RESIZE_H
#include "data/image/image.h"

/* The size of the middle part that is taken; all of it is, within a background. */
enum { TG_FIT_CROP, TG_FIT_PAD };
typedef struct tg_fitting {
    int64_t width, height, channels; /* channels: 1 or 3 */
    int fit;
    uint8_t background[3];           /* RGB: behind what is transparent, and around what is padded */
} tg_fitting;

/* out: [C, Y, X]. Down, a pixel is the mean of what it covers; up, Catmull & Rom's cubic between pixel centres, its edge repeated;
 * each axis for itself, rounded once. Transparency is laid over the background before, grey of RGB is (299 R + 587 G + 114 B) / 1000
 * in 16 bits, as ITU-R BT.601 has it. Errors: TG_ENOMEM. */
tg_status tg_image_fit(const tg_image *in, const tg_fitting *how, uint8_t *out);
/* A grey or RGB picture wider than so many columns is made as wide, its shape kept. Errors: TG_ENOMEM. */
tg_status tg_image_narrow(tg_image *image, int64_t columns);
/* Whether it is grey on that background, whatever its channels. */
bool tg_image_is_grey(const tg_image *in, const uint8_t background[3]);
/* Whether any pixel is not opaque. */
bool tg_image_is_transparent(const tg_image *in);
#endif
