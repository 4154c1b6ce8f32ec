/*
 * words.h - texts as words or characters, and what n-grams of these are counted by.
 *
 * A text is any bytes; a byte that is not UTF-8 is a character, and a word, of its own. Words are cut so that English and
 * Chinese can be counted by the same code:
 *   letters and their marks           one word; an apostrophe (' or U+2019) between two letters belongs to it: don't
 *   ideographs and kana               one word each, as sacreBLEU's zh does (Post 2018, arXiv:1804.08771): there are no spaces
 *   digits                            one word for a run of them
 *   anything else but white space     one word each, with its marks
 * Thai and other letters without spaces come out as long words.
 *
 *     tg_symbols words;
 *     tg_text samples[] = {{"春眠不觉晓", 15}, {"don't go", 8}};
 *     tg_symbols_of_words(samples, 2, &words);               // 5 and 2 symbols
 *     tg_grams_of(&words, 2, &grams);                        // 4 and 1 pairs
 */
#ifndef TG_RUN_METRICS_WORDS_H
#define TG_RUN_METRICS_WORDS_H
#include "tinygen/base.h"

/* Bytes of someone else's; may hold any byte, 0 too. */
typedef struct tg_text { const char *bytes; int64_t length; } tg_text;

typedef struct tg_found_word { const char *bytes; int64_t length; bool letters, ideograph; } tg_found_word;
/* The next word in [*at, end), which *at is moved behind; false: there is none. */
bool tg_word_next(const char **at, const char *end, tg_found_word *out);
/* The length of the character that begins at `at`, which is before end: 1 for a byte that is not UTF-8. */
int tg_char_at(const char *at, const char *end);

/* Texts as numbers, the same number for the same word, in order of first occurrence: text i is ids[starts[i] .. starts[i +
 * 1]). */
typedef struct tg_symbols { int32_t *ids; int64_t *starts; int64_t count, kinds; } tg_symbols;
/* Errors: TG_ENOMEM, TG_EINVAL (more than 2^31 - 1 characters). *out is freed by tg_symbols_free. */
tg_status tg_symbols_of_words(const tg_text *texts, int64_t count, tg_symbols *out);
tg_status tg_symbols_of_chars(const tg_text *texts, int64_t count, tg_symbols *out); /* of code points */
void tg_symbols_free(tg_symbols *s);
/* Words, unless half the texts have fewer than TG_WORDS_ENOUGH of them (names, tags): then characters say more. */
enum { TG_WORDS_ENOUGH = 8 };
tg_status tg_symbols_of(const tg_text *texts, int64_t count, bool *words, tg_symbols *out);

/* The n-grams of such texts as symbols again: text i has its length - n + 1, or none, in the order in which they begin. Exact, no
 * hash decides. n = 1: a copy. Errors: TG_EINVAL (n below 1), TG_ENOMEM. */
tg_status tg_grams_of(const tg_symbols *s, int n, tg_symbols *out);
#endif
