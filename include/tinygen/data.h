/*
 * tinygen/data.h - corpora, datasets, tokenisers, batches: from bytes on disk to what a training step reads.
 *
 *     tg_dataset *d = NULL;
 *     if (tg_dataset_open(ctx, "verses.safetensors", &d)) ...
 *     printf("%lld training tokens of %lld kinds\n", (long long)tg_dataset_count(d, TG_TRAIN),
 *            (long long)tg_tokenizer_vocab(tg_dataset_tokenizer(d)));
 *     tg_dataset_close(d);
 *
 * A corpus is a folder (manifest.jsonl, items/); a dataset is one safetensors file that knows its tokeniser, its split,
 * its content hash and where its content came from. docs/formats.md draws both.
 */
#ifndef TINYGEN_DATA_H
#define TINYGEN_DATA_H

#include "tinygen/base.h"

/* ---- tokenisers ---------------------------------------------------------------------------------------------- */

typedef struct tg_tokenizer tg_tokenizer; /* immutable: may be shared by threads */

/* Token ids are 0..vocab-1. byte: 256 ids. char: one id per Unicode character seen, in code point order. bpe: pieces of words,
 * any bytes at worst; trained by gen-preprocess, or GPT-2's and SentencePiece's. Behind them come special tokens,
 * where there are any: one for characters that are too rare, start and end of a document, the classes.
 * Encoding and decoding round-trip exactly, but for what the unknown token stands for. */
int64_t tg_tokenizer_vocab(const tg_tokenizer *t);
const char *tg_tokenizer_kind(const tg_tokenizer *t); /* "byte", "char", "bpe" */

/* How many tokens so many bytes may become: a token is at least one byte, and SentencePiece puts a space before a text. */
int64_t tg_tokenizer_most(const tg_tokenizer *t, int64_t bytes);
/* Text to ids; *count in: room of ids, as tg_tokenizer_most tells, out: how many were written. Errors: TG_EINVAL when the
 * text holds a character that the tokeniser lacks or is not UTF-8; the message names character, code point, offset and remedy. That is for what people type; TG_UNKNOWN_SKIP leaves such characters
 * out, and TG_UNKNOWN_TOKEN, which training data are written with, has the unknown token for them where there is one. */
typedef enum tg_unknown { TG_UNKNOWN_ERROR, TG_UNKNOWN_SKIP, TG_UNKNOWN_TOKEN } tg_unknown;
tg_status tg_tokenizer_encode(const tg_tokenizer *t, const char *bytes, int64_t length, tg_unknown unknown,
                              int32_t *ids, int64_t *count);
/* The bytes of one token, borrowed. Start, end, classes and an id outside the vocabulary have an empty text, the unknown
 * token is U+FFFD. */
const char *tg_tokenizer_text(const tg_tokenizer *t, int32_t id, int64_t *length);
/* Ids of special tokens, -1: none. Documents lie in a dataset as start, class (where there are classes), text, end. */
int32_t tg_tokenizer_unknown(const tg_tokenizer *t);
int32_t tg_tokenizer_start(const tg_tokenizer *t);
int32_t tg_tokenizer_end(const tg_tokenizer *t);
/* What a special token is called, "<unknown>", "<start>", "<end>" or a class's name; NULL: it is none. */
const char *tg_tokenizer_special(const tg_tokenizer *t, int32_t id);
/* Classes 0..n-1: their number, the name of one (borrowed), its token, and how many documents of training have it. */
int64_t tg_tokenizer_classes(const tg_tokenizer *t);
const char *tg_tokenizer_class_name(const tg_tokenizer *t, int64_t i);
int32_t tg_tokenizer_class_token(const tg_tokenizer *t, int64_t i);
int64_t tg_tokenizer_class_documents(const tg_tokenizer *t, int64_t i);
/* As JSON, whole (what a file needs to decode), the caller's by tg_free; and back. */
char *tg_tokenizer_json(const tg_tokenizer *t);
tg_status tg_tokenizer_from_json(const char *json, int64_t length, tg_tokenizer **out);
void tg_tokenizer_free(tg_tokenizer *t);

/* ---- datasets ------------------------------------------------------------------------------------------------ */

typedef struct tg_dataset tg_dataset;
typedef enum tg_kind { TG_KIND_TEXT = 1, TG_KIND_IMAGE = 2, TG_KIND_AUDIO = 4, TG_KIND_POINTS = 8 } tg_kind;
typedef enum tg_split { TG_TRAIN, TG_VAL, TG_TEST } tg_split;

/* Reads the header, checks it, and up to 256 MB of data with their checksums; larger files are read by pread as needed.
 * Errors: TG_EIO, TG_EFORMAT (not safetensors, not a dataset, truncated, a flipped bit; the message says which). */
tg_status tg_dataset_open(tg_context *ctx, const char *path, tg_dataset **out);
void tg_dataset_close(tg_dataset *d);
tg_kind tg_dataset_kind(const tg_dataset *d);
const char *tg_kind_name(tg_kind kind); /* "text", "images", "points" */
const char *tg_dataset_hash(const tg_dataset *d);             /* content hash, 64 hex digits */
int64_t tg_dataset_count(const tg_dataset *d, tg_split s);    /* tokens, or samples; 0: there is no such split */
/* Documents of a split, 0: the text is one piece; the first token of document i, the split's length behind the last. */
int64_t tg_dataset_documents(const tg_dataset *d, tg_split s);
int64_t tg_dataset_document_start(const tg_dataset *d, tg_split s, int64_t i);
const tg_tokenizer *tg_dataset_tokenizer(const tg_dataset *d); /* borrowed; as in the file; NULL: no text */
/* Tokens [first, first + count) of a split into ids. Errors: TG_EIO, TG_EINVAL (outside). */
tg_status tg_dataset_tokens(const tg_dataset *d, tg_split s, int64_t first, int64_t count, int32_t *ids);
/* Figures that gen-preprocess worked out: bytes and characters that a token which a loss asks for stands for on average
 * in a split (for bits per byte and per character), baselines in nats per such token (NaN when absent). */
double tg_dataset_bytes_per_token(const tg_dataset *d, tg_split s);
double tg_dataset_chars_per_token(const tg_dataset *d, tg_split s);
/* "uniform", "unigram", "ngram" (of order 3); nats per sample: "pixels", "gauss". */
double tg_dataset_baseline(const tg_dataset *d, const char *name);

/* Where it comes from: origin i of those that were collected, borrowed; NULL: there are no more. licence: its own, or NULL: none was
 * stated. Walks from the first: meant for a few. */
const char *tg_dataset_origin(const tg_dataset *d, int64_t i, const char **licence);
int64_t tg_dataset_origins(const tg_dataset *d);

/* Of images and points, a sample being one of them: its shape, [C, Y, X] or [D], and the rank, 0: text. */
int tg_dataset_shape(const tg_dataset *d, int64_t dims[3]);
/* Classes of samples (those of documents are the tokeniser's): how many, 0: none; the name of one, borrowed; how many samples of
 * training have it. */
int64_t tg_dataset_classes(const tg_dataset *d);
const char *tg_dataset_class_name(const tg_dataset *d, int64_t i);
int64_t tg_dataset_class_count(const tg_dataset *d, int64_t i);
bool tg_dataset_flips(const tg_dataset *d); /* half of what trains is to be mirrored, left to right */
/* Samples [first, first + count) of a split: x [count, C, Y, X] in 0..1, or [count, D] as they are; labels [count], -1: none, may be
 * NULL. Errors: TG_EIO, TG_EINVAL (outside, or text), TG_EFORMAT (a coordinate that is no number). */
tg_status tg_dataset_samples(const tg_dataset *d, tg_split s, int64_t first, int64_t count, float *x, int32_t *labels);

/* ---- batches ------------------------------------------------------------------------------------------------- */

/* A batch is a set of named arrays, time first: "tokens" [T, B], "targets" [T, B] (int32), "reset" [T, B] where rows
 * hold several documents, or "first" [T, B], where each token's document begins in its window. Of images and points:
 * "x" [B, C, Y, X] or [B, D] and, where they have classes, "labels" [B]. Arrays belong to the feed and are valid until its next call. */
typedef struct tg_array { const char *name; int rank; int64_t dims[4]; const int32_t *ids; const float *values; } tg_array;
typedef struct tg_batch {
    tg_array arrays[8];
    int count;
    int64_t items;      /* targets in it: what a loss is the mean of */
    bool restart;       /* the streams begin anew: carried state is zero */
} tg_batch;
const tg_array *tg_batch_array(const tg_batch *b, const char *name); /* NULL: none */

/* Draws batches of one split; which batch comes at a step is a pure function of (dataset, B, T, step), so a resumed
 * run asks for the step it is at:
 *
 *     tg_feed_new(d, TG_TRAIN, 50, 50, false, &feed);
 *     for (int64_t step = 0; step < steps && tg_feed_batch(feed, step, &batch) == TG_OK; step++)
 *         learn(tg_batch_array(&batch, "tokens")->ids, ...);        // ids[t*B + b]; targets: the token that follows each
 *
 * stream: B parallel streams of count/B tokens, T at a time, state carried on; epoch after epoch. With tail set the last,
 * shorter piece of each stream and the tokens that do not divide by B come too (evaluation covers every target once):
 * the streams' lengths then differ by one at most, and rows that have ended have target -1.
 * documents: "reset" is 1 at each start token, and no target is a start or a class (-1 in their place). With tail set streams
 * hold whole documents, about as many tokens each. */
typedef struct tg_feed tg_feed;
/* B streams, T tokens at a time. Errors: TG_EINVAL (fewer tokens than a batch needs; the message says what to do),
 * TG_ENOMEM. */
tg_status tg_feed_new(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail, tg_feed **out);
/* Windows of T tokens instead, by the seed in another order in each epoch; no state is carried from one to the next, and an
 * epoch's last batch takes what it lacks from the next one. With tail set all targets come once, in rows of up to T, documents whole
 * where T allows it. */
tg_status tg_feed_windows(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail, uint64_t seed, tg_feed **out);
int64_t tg_feed_windows_per_epoch(int64_t tokens, int64_t T); /* of a split of so many; without tail */
/* Images or points: B samples, by the seed in another order in each epoch; an epoch's last batch takes what it lacks from the
 * next one. Where the dataset flips, so does half of what is drawn. With tail set all come once, as they lie in the file, nothing
 * is flipped, and the last batch may be smaller. Errors: TG_EINVAL (text; no such split), TG_ENOMEM. */
tg_status tg_feed_samples(const tg_dataset *d, tg_split s, int64_t B, bool tail, uint64_t seed, tg_feed **out);
void tg_feed_free(tg_feed *f);
/* What tg_feed_new would say to these sizes, without asking for memory. */
tg_status tg_feed_check(const tg_dataset *d, tg_split s, int64_t B, int64_t T, bool tail);
int64_t tg_feed_steps_per_epoch(const tg_feed *f); /* batches until every stream is through */
/* Allocates nothing. Errors: TG_EIO. */
tg_status tg_feed_batch(tg_feed *f, int64_t step, tg_batch *out);

#endif
