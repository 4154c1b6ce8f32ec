/*
 * text.h - what can be said of generated texts by counting: how varied they are, whether their words, brackets and lines are
 * those of the data.
 *
 * No figure means much alone: each is to be shown beside the same figure of real text, of pieces as many and as long
 * (tg_pieces_like), for all of them change with the amount of text.
 *
 *     tg_text real[200];
 *     int64_t n = tg_pieces_like(val, val_length, samples, 200, real);
 *     tg_symbols_of(samples, n, &words, &s);
 *     tg_diversity_of(&s, &of_samples);                      // and the same of real[0 .. n), in the same symbols:
 *     words ? tg_symbols_of_words(real, n, &s) : tg_symbols_of_chars(real, n, &s);
 *
 * Texts are any bytes (words.h). Everything is a pure function of the texts in their order; sums are taken in that order. A
 * figure that has nothing to count is NaN. Errors are TG_ENOMEM, and TG_EINVAL where texts are too long for words.h.
 */
#ifndef TG_RUN_METRICS_TEXT_H
#define TG_RUN_METRICS_TEXT_H
#include "base/map.h"
#include "run/metrics/words.h"

enum { TG_DIVERSITY_ORDERS = 4 };
#define TG_BLEU_EPSILON 0.1

typedef struct tg_diversity {
    /* [n - 1]: of all n-grams of all texts, the share that are different ones, 0..1; higher is more varied. Falls as texts get
     * more or longer. Li et al. 2016, arXiv:1510.03055; they divide by symbols, which are n - 1 more a text. */
    double distinct[TG_DIVERSITY_ORDERS];
    /* Of a text's 4-grams, the share that stood in it before, 0..1; the mean over the texts that have any. seq-rep-4 of Welleck
     * et al. 2020, arXiv:1908.04319. */
    double repetition;
    /* Each text's BLEU-4 against all others as references, 0..1, the mean over all texts but empty ones; higher is less varied.
     * Zhu et al. 2018 (Texygen), arXiv:1802.01886. BLEU as Papineni et al. 2002 define it: clipped precisions, their
     * geometric mean, the brevity penalty against the reference nearest in length (of two the shorter). Smoothing is method 1 of
     * Chen & Cherry 2014 as nltk has it: no match counts as TG_BLEU_EPSILON matches, unless no symbol matches: that is 0. Orders
     * that a text is too short for do not count. NaN: fewer than two texts are not empty. */
    double self_bleu;
} tg_diversity;
tg_status tg_diversity_of(const tg_symbols *s, tg_diversity *out);

/*
 * Brackets and quotation marks that have their partner in the same text: () [] {} "" and, of Chinese, （） ［］ ｛｝ 「」 『』 《》 〈〉
 * 【】 〔〕 and “”. Not ‘’, whose second is an apostrophe. A mark that closes takes the nearest one of its kind that is open, and
 * what was opened in between stays without; a straight quote closes one that is open, else it opens. More than 256 that are open
 * at once: those beyond stay without. Texts that were cut at a length have marks without partner at their ends, real ones as
 * well.
 */
typedef struct tg_balance { int64_t marks, matched; /* of them, both of a pair */ } tg_balance;
tg_balance tg_balance_of(const tg_text *texts, int64_t count);

/*
 * Words that occur somewhere. A lexicon is a tg_map that is begun by tg_map_new; case is folded (data/shingles.h). Only words of
 * letters count, and pairs of neighbouring ideographs (Chinese has no spaces, and single ideographs are all known soon), or one
 * that has no neighbour. The value of a word is how often it was added.
 * tg_words_known gives how many words the texts have and how many of these are in the lexicon; those that are not are added to
 * `unknown`, which may be NULL.
 */
tg_status tg_lexicon_add(tg_map *lexicon, const tg_text *texts, int64_t count);
tg_status tg_words_known(const tg_map *lexicon, const tg_text *texts, int64_t count, tg_map *unknown, int64_t *words,
                         int64_t *known);

/* Lengths in ascending order, in characters as readers count them (grapheme clusters; base/utf8.h). Freed by tg_lengths_free. */
typedef struct tg_lengths { int64_t *items, count; } tg_lengths;
/* Of lines, empty ones too, without their line end (LF, CRLF). What stands behind a text's last line end is a line where it is
 * not empty, and where `cut` does not say that texts end anywhere. */
tg_status tg_lengths_of_lines(const tg_text *texts, int64_t count, bool cut, tg_lengths *out);
tg_status tg_lengths_of_texts(const tg_text *texts, int64_t count, tg_lengths *out);
void tg_lengths_free(tg_lengths *l);
double tg_lengths_median(const tg_lengths *l); /* of an even number, the mean of the two in the middle */
/* How far two distributions of lengths are from each other: their distribution functions F and G, each a step a length.
 *   wasserstein   the integral of |F - G|: characters that lengths must move by on average to become the others
 *   ks            the largest |F - G|, 0..1 (Kolmogorov-Smirnov's statistic)
 * NaN both where either is empty. */
void tg_lengths_compare(const tg_lengths *a, const tg_lengths *b, double *wasserstein, double *ks);

/* Stretches of text[0 .. length) to hold beside `count` texts: out[i] has the length of like[i] in bytes, or less for whole
 * characters. None overlap; they are spread evenly, and begin behind a line end where there is room to move. Returns how many
 * there are, the first so many of the list, as long as all fit. They borrow text. out
 * may be like. */
int64_t tg_pieces_like(const char *text, int64_t length, const tg_text *like, int64_t count, tg_text *out);
#endif
