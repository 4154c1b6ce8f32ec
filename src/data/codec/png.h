/* png.h - Portable Network Graphics, the second edition (ISO/IEC 15948), read; image.h has the calls for all formats.
 *   89 "PNG" 0d 0a 1a 0a; chunks: u32 length, 4 letters, data, u32 CRC-32 of letters and data; all big-endian
 *   IHDR u32 width, height; u8 depth, colour type, 0, 0, interlaced; PLTE; tRNS; IDAT...: one zlib stream; IEND
 *   the stream: for each row a filter's number, then samples, filtered; interlaced: seven pictures, one behind the other
 * png.c reads chunks, png_rows.c makes pixels of the stream, png_write.c writes. */
#ifndef TG_DATA_PNG_H
#define TG_DATA_PNG_H
#include "data/image/image.h"

/* Most of the signature is there: a file that was damaged in a transfer as text is still one, and refused by its name. */
bool tg_png_known(const uint8_t *bytes, int64_t size);
tg_status tg_png_decode(const uint8_t *bytes, int64_t size, int64_t max_bytes, const char *what, tg_image *out);

/* ---- between the files that do it ---- */

#define TG_PNG_SIGNATURE "\x89PNG\r\n\x1a\n"
enum { TG_PNG_SIGNATURE_BYTES = 8, TG_PNG_GREY = 0, TG_PNG_RGB = 2, TG_PNG_PALETTE = 3, TG_PNG_GREY_ALPHA = 4, TG_PNG_RGBA = 6 };
/* What stands before the image data. */
typedef struct tg_png_head {
    int64_t width, height;
    int depth, colour;         /* bits a sample (of an index), colour type */
    bool interlaced;
    int palette_count;         /* entries of PLTE; 0: none */
    uint8_t palette[256][4];   /* RGBA */
    int channels;              /* of the image that it becomes */
    bool transparent;          /* there is a tRNS: alpha is in the palette, or pixels of this colour have none */
    uint16_t key[3];
} tg_png_head;

/* The filter of Paeth: whichever of left, up, corner is nearest to left + up - corner, in this order. */
static inline int tg_png_paeth(int left, int up, int corner)
{
    const int a = up - corner, b = left - corner, c = a + b;
    const int to_left = a < 0 ? -a : a, to_up = b < 0 ? -b : b, to_corner = c < 0 ? -c : c;
    const int nearer = to_left <= to_up ? left : up, least = to_left <= to_up ? to_left : to_up;
    return least <= to_corner ? nearer : corner; /* written so that it takes no jumps, which nobody could foresee */
}

/* Bytes of the stream, filters' numbers included. */
int64_t tg_png_stream_bytes(const tg_png_head *h);
/* Pixels of a whole stream, which is unfiltered in its place. Errors: TG_EFORMAT. */
tg_status tg_png_rows(const tg_png_head *h, uint8_t *stream, const char *what, uint8_t *pixels);
#endif
