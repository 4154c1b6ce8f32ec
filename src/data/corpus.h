/* corpus.h - a folder of collected items and the list of them.
 *   DIR/manifest.jsonl   a line per item, in order: {"path": "items/000001.txt", "kind": "text", "bytes": 812,
 *                        "sha256": "...", "origin": "poems/a.txt", "licence": "CC0-1.0", "label": null,
 *                        "collected": "2026-01-31T12:00:00Z"}
 *   DIR/items/           the items, under names of our own
 * An item of many documents (rows of a table) has "documents": "jsonl" besides: each of its lines is a JSON text, one
 * document. Pictures are of kind "image": one in a file (PNG, PNM), or many ("documents": "idx"), behind which an item of
 * kind "labels" may tell their classes. Rows of numbers ("documents": "csv") are of kind "points" or, where they may be pixels,
 * too, "table". An item that belongs to a split of its own, as test sets do, has "split": "test". Where an item came from is
 * its origin, a text and no path to be opened; when, is a label that enters no hash. */
#ifndef TG_DATA_CORPUS_H
#define TG_DATA_CORPUS_H
#include "base/hash.h"
#include "base/scratch.h"
#include "tinygen/data.h"

typedef struct tg_item {
    const char *path, *kind, *sha256, *origin, *licence, *label, *collected; /* the last four may be NULL */
    const char *documents; /* "jsonl", "idx", "csv": how it holds many; NULL: the item is one text, or one picture */
    const char *split;     /* "train", "val", "test"; NULL: none of its own */
    const char *ending;    /* of its file's name, told when it is written; NULL: that of documents, or "txt" */
    int64_t bytes;
} tg_item;

/* ---- reading: the list is checked on open, an item's size and hash when it is read */
typedef struct tg_corpus tg_corpus;
tg_status tg_corpus_open(const char *folder, tg_corpus **out);
void tg_corpus_close(tg_corpus *c);
int64_t tg_corpus_count(const tg_corpus *c);
const tg_item *tg_corpus_item(const tg_corpus *c, int64_t i);
/* NUL-terminated, the caller's by tg_free; bytes as the item says. */
tg_status tg_corpus_read(const tg_corpus *c, int64_t i, char **bytes);
/* The same in parts: the size is checked here, the hash as its last byte is read for the first time. */
typedef struct tg_item_file tg_item_file;
tg_status tg_item_open(const tg_corpus *c, int64_t i, tg_item_file **out);
void tg_item_close(tg_item_file *f); /* NULL is fine */
/* The next bytes, `room` of them or what is left; *got 0: there are none. */
tg_status tg_item_read(tg_item_file *f, void *out, int64_t room, int64_t *got);
void tg_item_rewind(tg_item_file *f);
/* Of an item's content and rights: sha256, bytes, licence, label, documents, kind (but of text), split of all, in order; not
 * where and when. */
void tg_manifest_start(tg_sha256 *s);
tg_status tg_manifest_add(tg_sha256 *s, const tg_item *item);

/* ---- writing: whole or not at all */
typedef struct tg_corpus_writer tg_corpus_writer;
/* replace: an older corpus (or an empty folder) of that name is replaced on commit; anything else never is. */
tg_status tg_corpus_begin(const char *folder, bool replace, tg_corpus_writer **out);
/* about: kind, origin, licence, label, documents, split, ending; path, sha256, bytes and collected are found here. */
tg_status tg_corpus_add(tg_corpus_writer *w, const tg_item *about, const char *bytes, int64_t length);
tg_status tg_corpus_add_from(tg_corpus_writer *w, const tg_item *about, tg_scratch *text);
int64_t tg_corpus_items(const tg_corpus_writer *w);
int64_t tg_corpus_bytes(const tg_corpus_writer *w);
/* Origin of the first item with the same bytes as the last one, borrowed until the next; NULL: there is none. */
const char *tg_corpus_repeats(const tg_corpus_writer *w);
/* A path in the folder that grows, for what is not to stay: the caller removes it before commit. Freed by tg_free. */
char *tg_corpus_scratch(const tg_corpus_writer *w);
/* manifest_sha256: what tg_manifest_add made of all items. Frees w whatever happens. */
tg_status tg_corpus_commit(tg_corpus_writer *w, char manifest_sha256[65]);
void tg_corpus_abandon(tg_corpus_writer *w);
#endif
