/* scrub_parts.h - between the halves of the scrubber: scrub.c scans, scrub_number.c judges what begins with a digit. */
#ifndef TG_DATA_SCRUB_PARTS_H
#define TG_DATA_SCRUB_PARTS_H
#include "data/text/scrub.h"

/* A text, and the end of the last span that was found in it: no span begins before that. */
typedef struct tg_scrub_text { const char *bytes; int64_t length, floor; } tg_scrub_text;

/* The byte there, 0 outside of the text. */
static inline unsigned char byte_at(const tg_scrub_text *t, int64_t i)
{
    return i >= 0 && i < t->length ? (unsigned char)t->bytes[i] : 0;
}
static inline bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static inline bool is_letter(unsigned char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static inline bool is_word(unsigned char c) { return is_digit(c) || is_letter(c) || c == '_'; }

/* Whether the last word before `at` is in `words`; words of `fillers`, spaces and punctuation are passed over, four
 * times at most. Lists are "|a|b|"; ASCII words are compared without case, others by the end of the text before. */
bool tg_scrub_after(const tg_scrub_text *t, int64_t at, const char *words, const char *fillers);

/* Whether a number may begin at `begin`: not within a word, an amount, a decimal, a longer row of digits. */
bool tg_scrub_begins(const tg_scrub_text *t, int64_t begin);

/* An identity, card or telephone number whose first digit is at `at`, the first of its row. */
bool tg_scrub_number(const tg_scrub_text *t, int64_t at, tg_scrub_span *out);
#endif
