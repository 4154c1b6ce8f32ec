/* image.c - which decoder reads it. */
#include "data/image/image.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "data/codec/png.h"
#include "data/codec/pnm.h"

bool tg_image_known(const uint8_t *bytes, int64_t size)
{
    return tg_png_known(bytes, size) || tg_pnm_known(bytes, size);
}

tg_status tg_image_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out)
{
    if (tg_png_known(bytes, size)) return tg_png_decode(bytes, size, max_bytes, what, out);
    if (tg_pnm_known(bytes, size)) return tg_pnm_decode(bytes, size, max_bytes, what, out);
    return tg_fail(TG_EUNSUPPORTED, "%s: neither PNG nor PNM (P1 to P6); convert it to one of them first", what);
}

tg_status tg_image_too_long(const char *what, int64_t width, int64_t height)
{
    return tg_fail(TG_EUNSUPPORTED, "%s: %" PRId64 " x %" PRId64 " pixels: a side has %d at most here; cut it into pieces", what, width,
                   height, (int)TG_IMAGE_SIDE);
}

void tg_image_free(tg_image *image)
{
    if (!image) return;
    tg_free(image->pixels);
    *image = (tg_image){0};
}
