/* source.h - what a SOURCE on the command line stands for: a file, a folder's files, standard input, a grammar. */
#ifndef TG_DATA_SOURCE_H
#define TG_DATA_SOURCE_H
#include "tinygen/data.h"

/* Where what is found goes, and how much is wanted. The counters run on from source to source. */
typedef struct tg_gather {
    tg_context *ctx;
    uint64_t seed;      /* of grammars and of --sample */
    double sample;      /* share of a folder's files; 1: all */
    int64_t max_bytes;  /* 0: no bound (a grammar: TG_SYNTH_BYTES) */
    int64_t limit;      /* items; 0: no bound */
    /* One item; licence NULL: the source does not know. */
    tg_status (*take)(void *user, const char *origin, const char *licence, const char *bytes, int64_t length);
    tg_status (*note)(void *user, const char *path); /* a file that was read */
    void *user;
    int64_t bytes, items, skipped, found;
} tg_gather;

/* A file that is named is taken whatever is in it, with a warning where it is not UTF-8; of a folder, at any depth and
 * in order of names, only what is text, the rest is passed over with a warning each. Text that is cut by max_bytes ends
 * with a whole character. Errors: TG_EIO, TG_EUNSUPPORTED (an address), TG_EINVAL (a corpus, an unknown grammar). */
tg_status tg_gather_source(tg_gather *g, const char *source);
/* Whether limit or max_bytes are reached. */
bool tg_gather_full(const tg_gather *g);
#endif
