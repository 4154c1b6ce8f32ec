/* near.h - pictures that are another one over again: saved once more with loss, lighter or darker, moved by a pixel. */
#ifndef TG_DATA_IMAGE_NEAR_H
#define TG_DATA_IMAGE_NEAR_H
#include "base/scratch.h"

enum { TG_NEAR_IMAGES = 200000 /* whose likeness is searched, at most */ };

/*
 * Which of many pictures of one size are nearly one that came before. A is nearly B where, with A moved by at most a pixel each way
 * (sides of 16 and more), all of this holds within a border of a pixel, over all channels together:
 *   light     A's mean is within 32 levels of B's, its deviation between 4/5 and 5/4 of B's; both deviations are 4 levels or more.
 *             From here on pixels count in deviations from the mean, so that light does not matter.
 *   shapes    in each of 8 x 8 cells, and each channel, the two means differ by at most 1/8: one pixel of another shade in a cell
 *             is more than that. (Sides below 8: each pixel is a cell.)
 *   texture   of all pixels the differences have a mean square of at most 1/16.
 * These bounds are strict on purpose: what passes is one picture to the eye, and drawings that share all but a clock's hand do not.
 *   data    pictures [C, Y, X] of bytes, one behind the other
 *   order   [count] all of 0..count-1, in the order in which they come
 *   roots   [count] in: of each the equal picture that came first, itself perhaps. Out: of a picture that is nearly one that stays
 *           that one, the first such; its equals' roots follow it. What has itself as root stays. Nothing is nearly what goes: no chains.
 * A function of its arguments, for any number of threads. Cost: of each picture and move, comparisons with some hundredths of all:
 * it grows by the square; 54,000 of MNIST take 12 s on one core, 2,426 tiles 0.2 s. Memory: 150 bytes a picture.
 * Errors: TG_EINVAL (more than TG_NEAR_IMAGES), TG_EIO, TG_ENOMEM, TG_ECANCELLED. ctx may be NULL.
 */
tg_status tg_image_near(tg_context *ctx, const tg_scratch *data, const int64_t dims[3], const int64_t *order, int64_t count,
                        int64_t *roots);
#endif
