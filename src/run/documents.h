/* documents.h - a text cut into documents: found, kept or left out, put in order, made into tokens. */
#ifndef TG_RUN_DOCUMENTS_H
#define TG_RUN_DOCUMENTS_H
#include "base/map.h"
#include "data/dataset.h"
#include "data/duplicates.h"
#include "data/text/tokenizer.h"

#define TG_DOCUMENTS_CHOICES "none|line|blank|file"
#define TG_SPLIT_CHOICES "auto|position|random|document"
enum { TG_DOCUMENTS_NONE, TG_DOCUMENTS_LINE, TG_DOCUMENTS_BLANK, TG_DOCUMENTS_FILE }; /* choices of --documents */
enum { TG_SPLIT_AUTO, TG_SPLIT_POSITION, TG_SPLIT_RANDOM, TG_SPLIT_DOCUMENT };       /* choices of --split */

/* Documents lie one behind the other in a text, nothing between them. Start from {0}. */
typedef struct tg_documents {
    int64_t count, end;       /* end: of the last in the text, where the open one begins */
    tg_scratch *list;         /* [count] of tg_document, kept like the text; NULL: none yet */
    tg_map *known;            /* the labels, in order of first appearance; NULL: none yet */
    int64_t labelled;         /* documents that have a label */
    int64_t by_split[TG_SPLITS];
    bool open, written;       /* document `count` has begun; it has more than white space */
    bool in_text;             /* the line that a part ended in has more than white space */
    int64_t newlines;         /* at the end of what it has so far, not yet in the text */
} tg_documents;
/* How many different labels there are, and one of them (borrowed). */
int64_t tg_documents_labels(const tg_documents *d);
const char *tg_documents_label(const tg_documents *d, int64_t i);
void tg_documents_free(tg_documents *d);

/* Cuts an item's text as `how` says and appends its documents to `text`: without the line ends around them; what holds white
 * space only is none. The text comes in parts, cut anywhere between characters but within a line of white space; after the
 * last, tg_documents_end. label may be NULL. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_documents_part(tg_documents *d, tg_scratch *text, const char *bytes, int64_t length, int how, const char *label);
tg_status tg_documents_end(tg_documents *d, tg_scratch *text, const char *label);
/* How far the first `count` documents go in the text. */
tg_status tg_documents_reach(const tg_documents *d, int64_t count, int64_t *bytes);
/* Forgets documents that end behind so many bytes of text. */
tg_status tg_documents_cut(tg_documents *d, int64_t bytes);
/* Leaves out the documents that are keys of twins: *text becomes another. */
tg_status tg_documents_drop(tg_context *ctx, tg_documents *d, tg_scratch **text, tg_spill *twins);
/* The first floor((1 - val - test)·N) of N train, up to floor((1 - test)·N) validate, the rest test. A small addition is
 * against shares like 0.7 that binary fractions fall short of. */
void tg_split_at(double val, double test, int64_t count, int64_t out[TG_SPLITS]);
/* Puts the documents that train first, then those that validate, then those that test, and counts them. position: in the
 * order given, cut where so much of the text is through; document: in the order given, by number; random: by number, in an
 * order that (seed) alone decides, and *text becomes another. The documents of a random split stay in that order. Errors:
 * TG_EINVAL (a share that leaves a split without a document), TG_EIO, TG_ENOMEM, TG_ECANCELLED. */
tg_status tg_documents_split(tg_context *ctx, tg_documents *d, tg_scratch **text, int rule, uint64_t seed, double val, double test);

/* The dataset's tokens and what the file tells of them. Owned; tg_packed_free. */
typedef struct tg_packed {
    tg_scratch *tokens;
    int64_t counts[TG_SPLITS];
    tg_scratch *starts;       /* [documents] of int64_t, from the split's first token on */
    tg_scratch *labels;       /* [documents] of uint16_t; NULL: no classes */
} tg_packed;
void tg_packed_free(tg_packed *p);
/* classes: a place in the tokeniser's list for each label; NULL: none. Errors: those of tg_packer_text. */
tg_status tg_documents_pack(tg_context *ctx, const tg_documents *d, tg_scratch *text, const tg_tokenizer *t,
                            const int32_t *classes, tg_packed *out);
#endif
