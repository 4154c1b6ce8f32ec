/* term.h - what a person sees: widths, colour, progress lines, and the one way for foreign text to a terminal.
 * Nothing here prints: it formats into builders; the tools write. */
#ifndef TG_BASE_TERM_H
#define TG_BASE_TERM_H
#include "base/str.h"

/* Appends foreign bytes made safe: C0 except \n \t, DEL, C1, bidi controls, invalid UTF-8 become \xNN or \u{NNNN}. */
void tg_term_safe(tg_str *out, const char *bytes, int64_t count);
/* The same for one-line messages: \n and \t are escaped too. */
void tg_term_safe_line(tg_str *out, const char *bytes, int64_t count);
bool tg_term_is_tty(int fd);
/* How many colours pictures may take, by NO_COLOR, TERM and COLORTERM: none, xterm's 256, or 24 bits. */
typedef enum tg_colours { TG_COLOURS_NONE, TG_COLOURS_256, TG_COLOURS_DEEP } tg_colours;
tg_colours tg_term_colours(void);
int tg_term_columns(int fd);                                          /* 80 where unknown */
/* One progress line, no newline, at most columns wide; what matters least goes first where it is too narrow,
 * and what is left is cut between clusters:
 * "train  400/2000 steps  20%  85.1k tokens/s  left 1 min 2 s  loss 1.73  val 1.81" */
void tg_term_progress(tg_str *out, const tg_progress *p, int columns);
#endif
