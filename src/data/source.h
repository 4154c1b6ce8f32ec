/* source.h - what a SOURCE on the command line stands for: a file, a folder's files, standard input, an address, a
 * recipe, a grammar; plain texts, or tables of which one column is wanted. */
#ifndef TG_DATA_SOURCE_H
#define TG_DATA_SOURCE_H
#include "data/corpus.h"

/* Where what is found goes, and how much is wanted. The counters run on from source to source. */
typedef struct tg_gather {
    tg_context *ctx;
    uint64_t seed;      /* of grammars and of --sample */
    double sample;      /* share of a folder's files, or of the rows of tables; 1: all */
    int64_t max_bytes;  /* 0: no bound (a grammar: TG_SYNTH_BYTES) */
    int64_t max_download; /* bytes that one address may bring; 0: no bound */
    int64_t limit;      /* items, or rows; 0: no bound */
    bool label_folders; /* the first folder below a source is the class of what is in it */
    const char *column, *label_column; /* files are tables, and this holds the texts, that their classes; may be NULL */
    const char *scratch;               /* a path where a download may lie while it is read, and beside which long texts
                                          do; NULL: no addresses, and texts stay in memory */
    /* One item; kind, origin, licence, label and documents are set, the last three to NULL where nothing is known. */
    tg_status (*take)(void *user, const tg_item *about, tg_scratch *text);
    tg_status (*note)(void *user, const char *path); /* a file that was read */
    void *user;
    int64_t bytes, items, rows, skipped, found, taken; /* taken: what limit counts */
    bool full; /* a row did not fit into max_bytes */
    bool hinted; /* that a text looks like a table */
} tg_gather;

/* A file that is named is taken whatever is in it, with a warning where it is not UTF-8; of a folder, at any depth and
 * in order of names, only what is text, the rest is passed over with a warning each. Text that is cut by max_bytes ends
 * with a whole character. A table becomes an item for each class, in order of first appearance, a document a row; rows
 * are taken or left whole. Errors: TG_EIO, TG_EUNSUPPORTED (an address of another scheme), TG_EINVAL (a corpus, an
 * unknown grammar or recipe, no such column), TG_EFORMAT (no table; not the bytes that a recipe means), TG_ECANCELLED. */
tg_status tg_gather_source(tg_gather *g, const char *source);
/* Whether limit or max_bytes are reached. */
bool tg_gather_full(const tg_gather *g);
#endif
