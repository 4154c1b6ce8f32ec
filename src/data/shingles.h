/* shingles.h - a document as the set of its runs of TG_NEAR_SHINGLE characters, each as a 64-bit hash, for
 * duplicates_near.c. Case folded, runs of white space one space, none at the ends. Invalid bytes are characters of
 * their own. */
#ifndef TG_DATA_SHINGLES_H
#define TG_DATA_SHINGLES_H
#include "base/scratch.h"
#include "tinygen/data.h"

typedef struct tg_shingles {
    uint64_t *items;  /* the set, in order of first occurrence; none is 0 */
    int64_t count;    /* never 0: an empty document is one shingle, too */
    uint64_t *slots;  /* the same as a hash table, 0: free; mask + 1 of them are in use */
    uint64_t mask;
} tg_shingles;

/* The small letter of a large one, where case is a matter of adding a number; everything else as it is. */
uint32_t tg_fold_case(uint32_t code);
/* Cuts white space off both ends of text[*begin .. *end). */
void tg_trim(const char *text, int64_t *begin, int64_t *end);
/* The same where the text may be in a file. */
tg_status tg_trim_in(const tg_scratch *text, tg_window *w, int64_t *begin, int64_t *end);

/* Room for documents of up to longest bytes (more than TG_NEAR_WHOLE need no more). */
tg_status tg_shingles_new(int64_t longest, tg_shingles *out);
void tg_shingles_free(tg_shingles *s);
void tg_shingles_of(const char *text, int64_t begin, int64_t end, tg_shingles *s);
/* Of b, only items are looked at. */
double tg_shingles_jaccard(const tg_shingles *a, const tg_shingles *b);
/* The bits of x, stirred: a bijection (the finaliser of SplitMix64, Steele et al. 2014). */
uint64_t tg_stir(uint64_t x);
#endif
