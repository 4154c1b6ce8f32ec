/* sheet.h - data to look at: pictures side by side, points of a plane. */
#ifndef TG_DATA_SHEET_H
#define TG_DATA_SHEET_H
#include "base/scratch.h"
#include "data/image/image.h"

/* The class of a sample, for its colour; -1: none. */
typedef tg_status tg_sheet_class(void *user, int64_t sample, int64_t *out);

/* Samples [C, Y, X] of data, cells[rows, columns] of them (-1: none there), small ones enlarged by whole numbers, a grey line between.
 * *out is the caller's. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_sheet_images(tg_scratch *data, const int64_t dims[3], const int64_t *cells, int64_t rows, int64_t columns, tg_image *out);
/* Which part of the plane is shown, and what lies under the points: shade[side, side], 0 white, 1 yellow; row 0 is the lowest. */
typedef struct tg_sheet_plane { float low[2], high[2]; int64_t side; const float *shade; } tg_sheet_plane;
/* The first two coordinates (the first against its number, where there is one) of points [D], order[count] of them, where there
 * are more the darker; a colour a class. plane NULL: all of them, on white. */
tg_status tg_sheet_points(tg_scratch *data, int64_t D, const int64_t *order, int64_t count, tg_sheet_class *class, void *user,
                          const tg_sheet_plane *plane, tg_image *out);
#endif
