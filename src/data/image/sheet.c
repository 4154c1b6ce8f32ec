/* sheet.c - contact sheets. */
#include "data/image/sheet.h"

#include <string.h>

#include "base/alloc.h"

enum { CELL = 32, LINE = 1, GROUND = 160, PLANE = 480, INK = 96, COLOURS = 8 };

static void lay_image(const uint8_t *from, const int64_t dims[3], int64_t zoom, int64_t left, int64_t top, tg_image *out)
{
    const int64_t C = dims[0], Y = dims[1], X = dims[2];
    for (int64_t y = 0; y < Y * zoom; y++)
        for (int64_t x = 0; x < X * zoom; x++)
            for (int64_t c = 0; c < C; c++)
                out->pixels[((top + y) * out->width + left + x) * C + c] = from[(c * Y + y / zoom) * X + x / zoom];
}

tg_status tg_sheet_images(tg_scratch *data, const int64_t dims[3], const int64_t *cells, int64_t rows, int64_t columns, tg_image *out)
{
    const int64_t C = dims[0], size = C * dims[1] * dims[2], longer = dims[1] > dims[2] ? dims[1] : dims[2];
    const int64_t zoom = longer < CELL ? (CELL + longer - 1) / longer : 1, high = dims[1] * zoom + LINE, wide = dims[2] * zoom + LINE;
    tg_image sheet = {.width = columns * wide + LINE, .height = rows * high + LINE, .channels = C};
    sheet.pixels = tg_alloc_array(sheet.width * sheet.height, C);
    if (!sheet.pixels) return TG_ENOMEM;
    memset(sheet.pixels, GROUND, (size_t)(sheet.width * sheet.height * C));
    for (int64_t i = 0; i < rows * columns; i++) {
        const char *view;
        if (cells[i] < 0) continue;
        tg_status status = tg_scratch_view(data, cells[i] * size, size, &view);
        if (status) {
            tg_image_free(&sheet);
            return status;
        }
        lay_image((const uint8_t *)view, dims, zoom, LINE + i % columns * wide, LINE + i / columns * high, &sheet);
    }
    *out = sheet;
    return TG_OK;
}

/* ---- points ------------------------------------------------------------------------------------------------------- */

typedef struct plane {
    tg_scratch *data;
    int64_t D;
    const int64_t *order;
    int64_t count;
    float low[2], high[2];
} plane;

static tg_status look(const plane *p, int64_t i, float at[2])
{
    const char *view;
    const int64_t n = p->D < 2 ? 1 : 2;
    tg_status status = tg_scratch_view(p->data, p->order[i] * p->D * 4, n * 4, &view);
    if (status) return status;
    at[1] = (float)i;
    memcpy(at, view, (size_t)n * sizeof *at);
    return TG_OK;
}

static tg_status measure(plane *p)
{
    float at[2];
    for (int64_t i = 0; i < p->count; i++) {
        tg_status status = look(p, i, at);
        if (status) return status;
        for (int d = 0; d < 2; d++) {
            if (i == 0 || at[d] < p->low[d]) p->low[d] = at[d];
            if (i == 0 || at[d] > p->high[d]) p->high[d] = at[d];
        }
    }
    return TG_OK;
}

/* A drop of ink of the class's colour: what is there already grows darker. */
static void mark(tg_image *out, int64_t x, int64_t y, int64_t class)
{
    static const uint8_t colours[COLOURS][3] = {{31, 119, 180}, {214, 39, 40}, {44, 160, 44}, {255, 127, 14}, {148, 103, 189},
                                                {140, 86, 75}, {23, 190, 207}, {227, 119, 194}};
    uint8_t *p = out->pixels + (y * PLANE + x) * 3;
    const uint8_t *ink = colours[(class < 0 ? 0 : class) % COLOURS];
    for (int c = 0; c < 3; c++) p[c] = (uint8_t)(p[c] - (p[c] - ink[c]) * INK / 128 * (p[c] > ink[c]));
}

/* Where in the plane a coordinate lies, a margin left at both sides. What is outside, or no number: at an end, or -1 where it is to
 * be left out. */
static int64_t place(float x, float low, float high, bool leave_out)
{
    const double share = high > low ? ((double)x - (double)low) / ((double)high - (double)low) : 0.5, at = PLANE * (0.04 + 0.92 * share);
    if (leave_out) return at >= 0 && at < PLANE ? (int64_t)at : -1;
    return (int64_t)(PLANE * (0.04 + 0.92 * (!(share > 0) ? 0 : share < 1 ? share : 1)));
}

static void lay_ground(tg_image *out, const tg_sheet_plane *p)
{
    static const uint8_t yellow[3] = {255, 214, 102};
    for (int64_t i = 0; i < PLANE * PLANE; i++) {
        const int64_t y = (PLANE - 1 - i / PLANE) * p->side / PLANE, x = i % PLANE * p->side / PLANE;
        const float shade = p->shade[y * p->side + x], deep = shade > 0 ? shade < 1 ? shade : 1 : 0; /* what is no number is white */
        for (int c = 0; c < 3; c++) out->pixels[3 * i + c] = (uint8_t)(255 - deep * (float)(255 - yellow[c]));
    }
}

tg_status tg_sheet_points(tg_scratch *data, int64_t D, const int64_t *order, int64_t count, tg_sheet_class *class, void *user,
                          const tg_sheet_plane *part, tg_image *out)
{
    plane p = {.data = data, .D = D, .order = order, .count = count};
    tg_image sheet = {.width = PLANE, .height = PLANE, .channels = 3, .pixels = tg_alloc_array(PLANE * PLANE, 3)};
    if (!sheet.pixels) return TG_ENOMEM;
    memset(sheet.pixels, 255, (size_t)PLANE * PLANE * 3);
    tg_status status = part ? TG_OK : measure(&p);
    for (int d = 0; d < 2 && part; d++) {
        p.low[d] = part->low[d];
        p.high[d] = part->high[d];
    }
    if (part && part->side > 0) lay_ground(&sheet, part);
    for (int64_t i = 0; i < count && !status; i++) {
        float at[2];
        int64_t of = -1;
        status = look(&p, i, at);
        if (!status) status = class(user, order[i], &of);
        const int64_t x = place(at[0], p.low[0], p.high[0], part != NULL), y = place(at[1], p.low[1], p.high[1], part != NULL);
        if (!status && x >= 0 && y >= 0) mark(&sheet, x, PLANE - 1 - y, of);
    }
    if (status) tg_image_free(&sheet);
    else *out = sheet;
    return status;
}
