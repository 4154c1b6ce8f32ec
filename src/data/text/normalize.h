/* normalize.h - one spelling for one text: NFC (Unicode 17), widths, line ends and control characters, lower case.
 * Each function appends its form of the text to out, in one pass and in linear time, and adds to the counts what it
 * changed; both are meant for a text that is whole (a cut one may end within a sequence). Do them in this order:
 * controls, widths, NFC, case.
 * Errors: TG_EINVAL (not UTF-8, with the byte), TG_ENOMEM; out then holds some beginning, counts are as they were. */
#ifndef TG_DATA_NORMALIZE_H
#define TG_DATA_NORMALIZE_H
#include "base/str.h"

/* Normalization Form C: accents are joined with their letters, Hangul vowels with their syllables, the rest of the
 * marks is put in order; characters that only look alike stay apart (that is NFKC). *changed grows by the characters of
 * text that are not in the result as they were: "e" and an accent that become one letter are two. */
tg_status tg_nfc(const char *text, int64_t length, tg_str *out, int64_t *changed);

/* All of the block U+FF00..FFEF and the wide space U+3000 become the usual forms, as Unicode's <wide> and <narrow> say:
 *   U+FF01..FF5E  full-width ASCII, the comma U+FF0C and all its kin with them, to U+0021..007E; U+3000 to a space
 *   U+FF61..FFDC  half-width katakana, its punctuation and Hangul letters to their full forms; a sound mark becomes the
 *                 combining one (U+3099, U+309A), which tg_nfc joins with its letter
 *   U+FF5F, FF60, FFE0..FFEE  brackets, currencies, arrows
 * The punctuation of U+3001..303F has no other width and stays: of a Chinese text the comma folds, the full stop
 * does not. *changed grows by one for each character. */
tg_status tg_fold_width(const char *text, int64_t length, tg_str *out, int64_t *changed);

typedef struct tg_cleaned {
    int64_t line_ends; /* CR LF, CR, U+0085, U+2028, U+2029 that became \n */
    int64_t controls;  /* C0 but \t and \n, NUL too, DEL, C1: removed */
    int64_t marks;     /* U+FEFF, byte order marks in the middle, too: removed */
} tg_cleaned;
tg_status tg_clean_controls(const char *text, int64_t length, tg_str *out, tg_cleaned *counts);

/* Unicode's simple mapping, one character for one, whatever the language: I is i, capital sigma is never final. */
tg_status tg_lowercase(const char *text, int64_t length, tg_str *out, int64_t *changed);
#endif
