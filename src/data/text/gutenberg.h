/* gutenberg.h - where the book is in a file of Project Gutenberg, between licence and licence. */
#ifndef TG_DATA_GUTENBERG_H
#define TG_DATA_GUTENBERG_H
#include "tinygen/base.h"

/* Finds the first book's body by the lines around it, whatever their case and spaces:
 *   before   *** START OF TH(E|IS) PROJECT GUTENBERG ..., also where the title goes on for two more lines; until 2001
 *            *END*THE SMALL PRINT!...; the last such line counts
 *   behind   *** END OF TH(E|IS) PROJECT GUTENBERG ..., End of (the) Project Gutenberg('s) ...; the first such line
 * The body is whole lines without blank ones at its ends; transcribers' notes within are left there. Where one of both
 * is missing, the body runs to that end of the text. False, and *begin and *end as they were: there is neither. */
bool tg_gutenberg_body(const char *text, int64_t length, int64_t *begin, int64_t *end);
#endif
