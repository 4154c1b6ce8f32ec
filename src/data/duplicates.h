/* duplicates.h - documents that occur again, word for word or nearly.
 *
 * Documents are spans of one UTF-8 text, in memory or in a file, one behind the other from its begin on. White space at both
 * ends of a document (Unicode's, the ideographic space included) does not count. Same result for any number of threads. */
#ifndef TG_DATA_DUPLICATES_H
#define TG_DATA_DUPLICATES_H
#include "base/spill.h"
#include "tinygen/data.h"

/* Of the shingles of two documents, the share that both must have: that of Lee et al. 2022. */
#define TG_NEAR_THRESHOLD 0.8
enum {
    TG_NEAR_MOST = 1000000,     /* documents */
    TG_NEAR_SHINGLE = 5,        /* characters */
    TG_NEAR_WHOLE = 1 << 20,    /* bytes: a longer document equals only its equals */
    TG_NEAR_NEIGHBOURS = 64     /* documents of one bucket that each is compared with, at most */
};

/* A list of documents is a scratch of these; each begins where the one before it ends. */
typedef struct tg_document { int64_t end, label; /* in the text; -1: none */ } tg_document;
int64_t tg_document_count(const tg_scratch *documents);
/* Document i of a list, and where it begins; w as in tg_scratch_look. */
tg_status tg_document_look(const tg_scratch *documents, tg_window *w, int64_t i, int64_t *begin, tg_document *out);

/* Equal bytes. To twins is added {i, first} for each document i of which an equal one came before; first is the first of
 * these. 88 bits of two hashes tell: that of a billion documents two that differ are taken for equal has a chance below
 * 1e-8, where nobody wants it. Memory: that of two tg_spill, like the list. Errors: TG_EIO, TG_ENOMEM, TG_ECANCELLED. ctx may be
 * NULL. */
tg_status tg_duplicates_exact(tg_context *ctx, const tg_scratch *text, const tg_scratch *documents, tg_spill *twins);

/*
 * Nearly equal: the sets of shingles (runs of 5 characters) of two documents have a Jaccard similarity, |A and B| /
 * |A or B|, of threshold (0.1 to 1) or more. A chain of such pairs is one group. Before, case is folded and runs of
 * white space become one space. Shingles are of characters, not words: Chinese has no spaces, and a name is one word.
 * A document of fewer than 5 characters, or of more than 1 MiB, is one shingle: only its equals are near.
 *   How     MinHash, 128 hash functions in bands; what shares a band is a candidate, and its true similarity is
 *           computed (over 64-bit hashes of shingles). A pair at the threshold is passed over with a probability below
 *           1e-4, a more similar one with far less; no pair below it is taken.
 *   Bounds  documents with the same set are one for all that follows; of one bucket, each is compared with the 64
 *           before it, so that a boilerplate which thousands share costs a constant a document.
 *   Memory  124 bytes a document at 0.8 (540 below 0.4), 10 MiB, and up to 24 MiB for each thread and two more; of a text
 *           in a file some 8 MiB besides, or its longest document.
 *   Cost    about 0.15 us a character, shared by the threads; where buckets are full of unlike documents, up to some
 *           hundred comparisons a document, in one thread.
 *   Result  document i is text[starts[i] .. starts[i + 1]), so starts holds count + 1 offsets, ascending. first[i] is the index
 *           of the document that stands for i, the first of its group, and i itself where nothing like it came before.
 *           Keeping those with first[i] == i keeps one of each. After an error first holds nothing of use.
 * Errors: TG_EINVAL (threshold; more than TG_NEAR_MOST documents), TG_EIO, TG_ENOMEM, TG_ECANCELLED. ctx may be NULL.
 * Sources: Broder 1997, On the resemblance and containment of documents; Leskovec, Rajaraman & Ullman, Mining of
 *          Massive Datasets, ch. 3 (bands); Lee et al. 2022, arXiv:2107.06499 (on training text).
 */
tg_status tg_duplicates_near(tg_context *ctx, tg_scratch *text, const int64_t *starts, int64_t count, double threshold,
                             int32_t *first);
/* The same, refused above most documents. */
tg_status tg_duplicates_near_among(tg_context *ctx, tg_scratch *text, const int64_t *starts, int64_t count,
                                   double threshold, int64_t most, int32_t *first);
#endif
