/* leaks.h - how much of one text stands in another: a validation text that the training text holds word for word
 * measures memory, not learning. */
#ifndef TG_DATA_LEAKS_H
#define TG_DATA_LEAKS_H
#include "base/scratch.h"
#include "tinygen/data.h"

/* A sentence and a half of English, a quatrain of Chinese: longer than set phrases, refrains and names, which two
 * halves of an honest corpus share. Lee et al. 2022 (arXiv:2107.06499) take 50 tokens, some 200 bytes, for large
 * models' data. */
enum { TG_LEAK_SPAN = 100, TG_LEAK_SHORTEST = 16 };

typedef struct tg_leaks {
    int64_t covered; /* bytes of val that lie in a shared span */
    int64_t spans;   /* runs of such bytes; spans that overlap or touch are one */
    int64_t longest; /* bytes of the longest shared span; 0: there is none */
    int64_t longest_in_train, longest_in_val; /* where it begins */
} tg_leaks;

/* Bytes of a text, in memory or in a file. */
typedef struct tg_stretch { const tg_scratch *text; int64_t begin, length; } tg_stretch;

/*
 * Spans of at least span bytes (TG_LEAK_SHORTEST or more) that stand in both texts; where the texts are UTF-8, spans
 * begin and end between characters.
 *   How     every so many bytes of train, a stretch of up to 32 is an anchor; every shared span holds one whole. Those that
 *           val may hold are put into a table by their hash: a filter (Bloom 1970) of all anchors, shown to val, tells which.
 *           A rolling hash (Karp & Rabin 1987) runs over val; what it finds in the table is compared byte by byte and
 *           extended both ways. So either text is read twice, up to several GB.
 *   Bounds  of anchors with equal bytes the first 16 of train are kept, so that a text of one character costs no more than
 *           another. A span all of whose anchors are such boilerplate may be missed; of texts full of boilerplate, one in
 *           some hundred other anchors may be taken for it. Nothing is counted that is not shared. Of overlapping spans a
 *           longer one may hide behind the longest; of several that are equally long, one is told.
 *   Memory  70 MiB or less for texts of any size, and up to 48 bytes for each run found. Where val may hold more than 2^21
 *           anchors of train (140 MB at 100 bytes a span) they are done in sections, val being read once more for each. The
 *           filters do not grow: beyond some 5 GB of train they tell little apart, and sections become many.
 * Errors: TG_EINVAL (span), TG_EIO, TG_ENOMEM, TG_ECANCELLED. ctx may be NULL.
 */
tg_status tg_leaks_find(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, tg_leaks *out);
/* The same with at most so many anchors in the table (fewer: more sections). */
tg_status tg_leaks_find_with(tg_context *ctx, tg_stretch train, tg_stretch val, int64_t span, int64_t anchors, tg_leaks *out);
#endif
