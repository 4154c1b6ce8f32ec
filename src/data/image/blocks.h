/* blocks.h - pictures on a terminal: a character is two pixels, an upper half block in front of a coloured ground. */
#ifndef TG_DATA_BLOCKS_H
#define TG_DATA_BLOCKS_H
#include "base/term.h"
#include "data/image/image.h"

/* Grey or RGB, appended. 24 bits a colour, or the nearest of xterm's 256, in lines that end with a reset and a newline; without
 * colours a character's two pixels together are a shade, of five. */
void tg_blocks_draw(tg_str *out, const tg_image *image, tg_colours colours);
#endif
