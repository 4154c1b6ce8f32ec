/* source.h - what a SOURCE on the command line stands for: a file, a folder's files, standard input, an address, a
 * recipe, a grammar; plain texts, or tables of which one column is wanted; images, points, tables of numbers. */
#ifndef TG_DATA_SOURCE_H
#define TG_DATA_SOURCE_H
#include "data/corpus.h"

#define TG_GATHER_KINDS "auto|text|image|points|table"
enum { TG_GATHER_AUTO, TG_GATHER_TEXT, TG_GATHER_IMAGE, TG_GATHER_POINTS, TG_GATHER_TABLE };
#define TG_GATHER_SPLITS "auto|none|train|val|test"
enum { TG_BY_NAME, TG_BY_NOTHING, TG_AS_TRAIN }; /* of these; as_train and behind: what is said */

/* An IDX file that waits for the others: images may come before or behind their labels. */
typedef struct tg_waiting tg_waiting;

/* Where what is found goes, and how much is wanted. The counters run on from source to source. */
typedef struct tg_gather {
    tg_context *ctx;
    uint64_t seed;      /* of grammars and of --sample */
    double sample;      /* share of a folder's files, or of the rows of tables; 1: all */
    int64_t max_bytes;  /* 0: no bound (a grammar: TG_SYNTH_BYTES) */
    int64_t max_download; /* bytes that one address may bring; 0: no bound */
    int64_t limit;      /* items, images, or rows; 0: no bound */
    bool label_folders; /* the first folder below a source is the class of what is in it */
    const char *column, *label_column; /* files are tables, and this holds the texts, that their classes; may be NULL */
    int64_t kind, split;               /* TG_GATHER_..., what is wanted; which split items belong to */
    const char *scratch;               /* a path where a download may lie while it is read, and beside which long texts
                                          do; NULL: no addresses, and texts stay in memory */
    /* One item; kind, origin, licence, label and documents are set, the last three to NULL where nothing is known. */
    tg_status (*take)(void *user, const tg_item *about, tg_scratch *text);
    tg_status (*note)(void *user, const char *path); /* a file that was read */
    void *user;
    int64_t bytes, items, rows, skipped, found, taken; /* taken: what limit counts */
    bool full; /* a row did not fit into max_bytes */
    bool hinted; /* that a text looks like a table */
    int64_t found_kind;   /* of the folder at hand, where kind is auto; else auto */
    int64_t samples;      /* images, or rows of numbers, in what was taken */
    const char *was;      /* kind of what was taken; NULL: nothing was */
    int64_t with_split;   /* items whose split their names told */
    tg_waiting *waiting;  /* the last; tg_gather_finish takes or refuses them */
} tg_gather;

/* A file that is named is taken whatever is in it, with a warning where it is not UTF-8; of a folder, at any depth and
 * in order of names, only what is text, the rest is passed over with a warning each. Text that is cut by max_bytes ends
 * with a whole character. A table becomes an item for each class, in order of first appearance, a document a row; rows
 * are taken or left whole. What gzip has packed is unpacked first. Of a folder where most files are images those are taken,
 * where most are tables of numbers these; an IDX file makes it one of images. A damaged image is an error where it is named,
 * else passed over. Errors: TG_EIO, TG_EUNSUPPORTED (an address of another scheme), TG_EINVAL (a corpus, an unknown grammar or
 * recipe, no such column), TG_EFORMAT (no table; not the bytes that a recipe means), TG_ECANCELLED. */
tg_status tg_gather_source(tg_gather *g, const char *source);
/* After the last source: IDX files, images with their labels. Errors: TG_EINVAL (labels without images), those of take. */
tg_status tg_gather_finish(tg_gather *g);
void tg_gather_free(tg_gather *g); /* what still waits after an error */
/* Whether limit or max_bytes are reached. */
bool tg_gather_full(const tg_gather *g);
#endif
