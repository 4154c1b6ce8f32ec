/* blocks.h - pictures on a terminal: a character is two pixels, an upper half block in front of a coloured ground. */
#ifndef TG_DATA_BLOCKS_H
#define TG_DATA_BLOCKS_H
#include "data/image/image.h"

/* Grey or RGB; lines that end with a reset and a newline, appended. deep: 24 bits a colour, else the nearest of xterm's 256. */
void tg_blocks_draw(tg_str *out, const tg_image *image, bool deep);
#endif
