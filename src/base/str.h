/* str.h - counted strings, a builder (str.c); numbers to and from text without a locale (number.c). */
#ifndef TG_BASE_STR_H
#define TG_BASE_STR_H
#include "tinygen/base.h"

/* A growing text, always NUL-terminated. Start from (tg_str){0}. A failed append sets `failed` and keeps what was
 * there, so a long build is checked once at its end. */
typedef struct tg_str { char *data; int64_t length, room; bool failed; } tg_str;
void tg_str_add(tg_str *s, const char *text);
void tg_str_add_n(tg_str *s, const char *bytes, int64_t count);
void tg_str_addf(tg_str *s, const char *format, ...) TG_PRINTF(2, 3); /* no floats: use tg_str_add_real */
void tg_str_add_real(tg_str *s, double x);                 /* shortest text that reads back to the same double */
void tg_str_add_fixed(tg_str *s, double x, int decimals);  /* 1.60; nan, inf as words */
void tg_str_add_word(tg_str *s, const char *name);         /* of a file, as a shell reads it, in a command to copy */
void tg_str_clear(tg_str *s);                              /* keeps its memory */
void tg_str_free(tg_str *s);

/* Whole text or nothing: *end must be reached, no spaces, no locale. False when it is no number or out of range. */
bool tg_parse_int(const char *text, int64_t length, int64_t *out);
bool tg_parse_real(const char *text, int64_t length, double *out);   /* correctly rounded; no inf, nan, hex */
/* Shortest round trip, laid out as ECMAScript and RFC 8785 do ("0.001", "1e-7", "1e+21"), but -0 is "-0". Returns its
 * length. */
int tg_format_real(char out[32], double x);

/* "1.2 MiB", "45,900", "3 min 20 s": for people. out holds at least 32 bytes; returns out. */
char *tg_format_bytes(char *out, double bytes);
char *tg_format_count(char *out, int64_t n);
char *tg_format_seconds(char *out, double seconds);

bool tg_starts_with(const char *text, const char *prefix);
/* Nearest of `names` to `word` by edit distance (transpositions count 1), if near enough to suggest; else NULL. */
const char *tg_nearest(const char *word, const char *const *names, int64_t count);
#endif
