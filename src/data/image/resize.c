/* resize.c - a picture over its background, a part of it, at another size. */
#include "data/image/resize.h"

#include <string.h>

#include "base/alloc.h"

enum { ONE = 1 << 14, TAPS = 4 }; /* of cubic weights: their sum, how many */

/* ---- colours ---------------------------------------------------------------------------------------------------- */

static uint8_t over(int64_t colour, int64_t alpha, int64_t background)
{
    return (uint8_t)((colour * alpha + background * (255 - alpha) + 127) / 255);
}

/* RGB of a pixel on the background. */
static void flatten(const uint8_t *p, int64_t channels, const uint8_t background[3], uint8_t rgb[3])
{
    const bool grey = channels < 3;
    const int64_t alpha = channels == 2 ? p[1] : channels == 4 ? p[3] : 255;
    for (int c = 0; c < 3; c++) rgb[c] = over(grey ? p[0] : p[c], alpha, background[c]);
}

static uint8_t luma(const uint8_t rgb[3])
{
    return (uint8_t)((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16);
}

bool tg_image_is_grey(const tg_image *in, const uint8_t background[3])
{
    uint8_t rgb[3];
    if (in->channels == 1) return true;
    for (int64_t i = 0; i < in->width * in->height; i++) {
        flatten(in->pixels + i * in->channels, in->channels, background, rgb);
        if (rgb[0] != rgb[1] || rgb[1] != rgb[2]) return false;
    }
    return true;
}

bool tg_image_is_transparent(const tg_image *in)
{
    if (in->channels % 2) return false;
    for (int64_t i = 0; i < in->width * in->height; i++)
        if (in->pixels[(i + 1) * in->channels - 1] < 255) return true;
    return false;
}

/* ---- one axis ---------------------------------------------------------------------------------------------------- */

/* What a pixel of the output is made of: `taps` pixels from `first` on, with weights that sum to `total`. */
typedef struct axis { int64_t in, out, total, taps; int32_t *weights; int64_t *first; } axis;

/* Pixel i covers [i in, (i + 1) in) in units in which a pixel of the input is `out` long. */
static void cover(axis *a, int64_t i, int32_t *w)
{
    const int64_t begin = i * a->in, end = begin + a->in;
    a->first[i] = begin / a->out;
    for (int64_t k = 0; k < a->taps; k++) {
        const int64_t from = (a->first[i] + k) * a->out, to = from + a->out;
        const int64_t low = from > begin ? from : begin, high = to < end ? to : end;
        w[k] = (int32_t)(high > low ? high - low : 0);
    }
}

static int32_t rounded(int64_t x)
{
    return (int32_t)((x + ((int64_t)1 << 27)) >> 28);
}

/* The cubic at t behind a pixel's centre (Catmull & Rom 1974), its weights in 2^-14. */
static void cubic(axis *a, int64_t i, int32_t *w)
{
    const int64_t at = (2 * i + 1) * a->in - a->out, unit = 2 * a->out;
    const int64_t floor = at >= 0 ? at / unit : -1; /* it is above -unit */
    const int64_t t = ((at - floor * unit) * ONE + a->out) / unit, t2 = t * t * ONE, t3 = t * t * t;
    a->first[i] = floor - 1;
    w[0] = rounded((-t3 + 2 * t2 - t * ONE * ONE) / 2);
    w[2] = rounded((-3 * t3 + 4 * t2 + t * ONE * ONE) / 2);
    w[3] = rounded((t3 - t2) / 2);
    w[1] = ONE - w[0] - w[2] - w[3];
}

static tg_status axis_new(axis *a, int64_t in, int64_t out)
{
    const bool up = out > in;
    *a = (axis){.in = in, .out = out, .total = up ? ONE : in, .taps = up ? TAPS : in / out + 2};
    a->weights = tg_alloc_array(out * a->taps, sizeof *a->weights);
    a->first = tg_alloc_array(out, sizeof *a->first);
    if (!a->weights || !a->first) return TG_ENOMEM;
    for (int64_t i = 0; i < out; i++) (up ? cubic : cover)(a, i, a->weights + i * a->taps);
    return TG_OK;
}

static void axis_free(axis *a)
{
    tg_free(a->weights);
    tg_free(a->first);
}

static int64_t inside(const axis *a, int64_t at)
{
    return at < 0 ? 0 : at < a->in ? at : a->in - 1;
}

/* ---- both --------------------------------------------------------------------------------------------------------- */

/* The part of the input that is taken, and where in the output it goes. */
typedef struct part { int64_t x, y, width, height, to_x, to_y, to_width, to_height; } part;

static int64_t scaled(int64_t length, int64_t by, int64_t over_what)
{
    const int64_t n = (2 * length * by + over_what) / (2 * over_what);
    return n > 0 ? n : 1;
}

static part find_part(const tg_image *in, const tg_fitting *how)
{
    part p = {.width = in->width, .height = in->height, .to_width = how->width, .to_height = how->height};
    const int64_t wide = in->width * how->height, high = in->height * how->width;
    if (how->fit == TG_FIT_CROP && wide > high) p.width = scaled(in->height, how->width, how->height);
    if (how->fit == TG_FIT_CROP && wide < high) p.height = scaled(in->width, how->height, how->width);
    if (how->fit == TG_FIT_PAD && wide > high) p.to_height = scaled(in->height, how->width, in->width);
    if (how->fit == TG_FIT_PAD && wide < high) p.to_width = scaled(in->width, how->height, in->height);
    if (p.width > in->width) p.width = in->width;
    if (p.height > in->height) p.height = in->height;
    p.x = (in->width - p.width) / 2;
    p.y = (in->height - p.height) / 2;
    p.to_x = (how->width - p.to_width) / 2;
    p.to_y = (how->height - p.to_height) / 2;
    return p;
}

/* Pixel (x, y) of the part as it is to be, one or three channels. */
static void take_pixel(const tg_image *in, const tg_fitting *how, int64_t x, int64_t y, uint8_t out[3])
{
    uint8_t rgb[3];
    const uint8_t *p = in->pixels + (y * in->width + x) * in->channels;
    if (in->channels == 1 && how->channels == 1) {
        out[0] = p[0];
        return;
    }
    flatten(p, in->channels, how->background, rgb);
    if (how->channels == 1) out[0] = luma(rgb);
    else memcpy(out, rgb, 3);
}

static uint8_t divided(int64_t sum, int64_t total)
{
    if (sum <= 0) return 0;
    const int64_t x = (2 * sum + total) / (2 * total);
    return (uint8_t)(x < 255 ? x : 255);
}

/* Row y of the output: first down the columns, then along the row. Sums are exact: pixels are 8 bit, and an image has fewer than
 * 2^28 of them. */
static void make_row(const tg_image *in, const tg_fitting *how, const part *p, const axis *ax, const axis *ay, int64_t y,
                     int64_t *sums, uint8_t *out)
{
    const int64_t C = how->channels;
    memset(sums, 0, (size_t)(p->width * C) * sizeof *sums);
    for (int64_t k = 0; k < ay->taps; k++) {
        const int64_t weight = ay->weights[y * ay->taps + k], from = p->y + inside(ay, ay->first[y] + k);
        for (int64_t x = 0; x < p->width && weight; x++) {
            uint8_t pixel[3];
            take_pixel(in, how, p->x + x, from, pixel);
            for (int64_t c = 0; c < C; c++) sums[x * C + c] += weight * pixel[c];
        }
    }
    for (int64_t x = 0; x < ax->out; x++)
        for (int64_t c = 0; c < C; c++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < ax->taps; k++)
                sum += ax->weights[x * ax->taps + k] * sums[inside(ax, ax->first[x] + k) * C + c];
            out[(c * how->height + p->to_y + y) * how->width + p->to_x + x] = divided(sum, ax->total * ay->total);
        }
}

static void copy(const tg_image *in, const tg_fitting *how, uint8_t *out)
{
    const int64_t count = in->width * in->height;
    for (int64_t i = 0; i < count; i++) {
        uint8_t pixel[3];
        take_pixel(in, how, i % in->width, i / in->width, pixel);
        for (int64_t c = 0; c < how->channels; c++) out[c * count + i] = pixel[c];
    }
}

static void fill(const tg_fitting *how, uint8_t *out)
{
    const int64_t count = how->width * how->height;
    for (int64_t c = 0; c < how->channels; c++)
        memset(out + c * count, how->channels == 1 ? luma(how->background) : how->background[c], (size_t)count);
}

tg_status tg_image_fit(const tg_image *in, const tg_fitting *how, uint8_t *out)
{
    if (in->width == how->width && in->height == how->height) {
        copy(in, how, out);
        return TG_OK;
    }
    const part p = find_part(in, how);
    axis ax, ay = {0};
    int64_t *sums = tg_alloc_array(p.width * how->channels, sizeof *sums);
    tg_status status = axis_new(&ax, p.width, p.to_width);
    if (!status) status = axis_new(&ay, p.height, p.to_height);
    if (!sums) status = TG_ENOMEM;
    if (!status && how->fit == TG_FIT_PAD) fill(how, out);
    for (int64_t y = 0; y < p.to_height && !status; y++) make_row(in, how, &p, &ax, &ay, y, sums, out);
    axis_free(&ax);
    axis_free(&ay);
    tg_free(sums);
    return status;
}

tg_status tg_image_narrow(tg_image *image, int64_t columns)
{
    if (image->width <= columns) return TG_OK;
    const int64_t C = image->channels, high = image->height * columns / image->width;
    const tg_fitting how = {.width = columns, .height = high < 1 ? 1 : high, .channels = C, .fit = TG_FIT_PAD};
    const int64_t each = how.width * how.height;
    tg_image small = {.width = how.width, .height = how.height, .channels = C};
    small.pixels = tg_alloc_array(each, C);
    uint8_t *planes = tg_alloc_array(each, C);
    tg_status s = small.pixels && planes ? tg_image_fit(image, &how, planes) : TG_ENOMEM;
    for (int64_t i = 0; i < each * C && !s; i++) small.pixels[i] = planes[i % C * each + i / C];
    tg_free(planes);
    if (s) {
        tg_image_free(&small);
        return s;
    }
    tg_image_free(image);
    *image = small;
    return TG_OK;
}
