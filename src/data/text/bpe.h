/* bpe.h - byte pair encoding: pieces of text, and which two of them become one. bpe.c is the tokeniser, bpe_split.c cuts a
 * text into chunks, bpe_merge.c joins what is in a chunk, bpe_train.c learns a vocabulary, bpe_files.c knows others' files.
 *
 * Two kinds. With merges (GPT-2, and what is trained here): a chunk's bytes are joined in the order of the list of merges,
 * all places of one merge before the next. With scores (SentencePiece, llama2.c's tokenizer.bin): a text gets a space before
 * it and its characters are joined, the two first whose piece has the best score, leftmost first; a character that is no
 * piece is bytes. */
#ifndef TG_DATA_BPE_H
#define TG_DATA_BPE_H
#include <string.h>

#include "base/scratch.h"
#include "base/str.h"
#include "data/text/tokenizer.h"

typedef enum tg_bpe_rule { TG_BPE_WORDS, TG_BPE_GPT2, TG_BPE_SCORES } tg_bpe_rule;
enum { TG_BPE_LEAST = 256, TG_BPE_MOST = 1000000 /* pieces */, TG_BPE_LONGEST = 1024 /* bytes of one; words: of a chunk, too */,
       TG_BPE_BYTE0 = 3 /* scores: the piece of byte 0 */, TG_BPE_FIRST = TG_BPE_BYTE0 + 256 /* and the first that is text */,
       TG_BPE_AHEAD = 8 };

/* What a vocabulary is made of. */
typedef struct tg_bpe_parts {
    tg_bpe_rule rule;
    int64_t count;
    char *bytes;          /* of all pieces, one behind the other */
    int64_t *at;          /* [count + 1] where each begins */
    int64_t merge_count;
    int32_t *merges;      /* [2·merge_count] both ids, best first; NULL with scores */
    float *scores;        /* [count]; NULL with merges */
    int32_t longest;      /* with scores: as tokenizer.bin tells it */
} tg_bpe_parts;
void tg_bpe_parts_free(tg_bpe_parts *p);

/* Which two ids become one: a hash table, slots of 16 bytes. rank: lower is joined first; INT32_MAX: they do not. */
typedef struct tg_bpe_pair { uint64_t key; int32_t rank, id; } tg_bpe_pair;
typedef struct tg_bpe_pairs { tg_bpe_pair *slots; int shift; } tg_bpe_pairs;
#define TG_BPE_EMPTY UINT64_MAX
static inline uint64_t tg_bpe_key(int32_t a, int32_t b) { return (uint64_t)(uint32_t)a << 32 | (uint32_t)b; }
static inline const tg_bpe_pair *tg_bpe_find(const tg_bpe_pairs *p, uint64_t key)
{
    const uint64_t mask = (UINT64_C(1) << (64 - p->shift)) - 1;
    uint64_t i = key * UINT64_C(0x9e3779b97f4a7c15) >> p->shift;
    while (p->slots[i].key != key && p->slots[i].key != TG_BPE_EMPTY) i = (i + 1) & mask;
    return &p->slots[i];
}
/* Room for count keys. What is not in it is found as a slot of rank INT32_MAX. */
tg_status tg_bpe_pairs_new(int64_t count, tg_bpe_pairs *out);
void tg_bpe_pairs_set(tg_bpe_pairs *p, uint64_t key, int32_t rank, int32_t id);

typedef struct tg_bpe {
    tg_tokenizer base;
    tg_bpe_rule rule;
    tg_bpe_parts parts;
    int32_t of_byte[256];  /* the piece of each byte */
    tg_bpe_pairs pairs;
    tg_bpe_pairs chars;    /* not with gpt2: the piece of each character, by its bytes */
    uint64_t touching[1024]; /* with scores: two bytes, of two characters, that stand side by side in some piece */
} tg_bpe;
static inline bool tg_bpe_touch(const tg_bpe *t, char left, char right)
{
    const unsigned i = (unsigned)(unsigned char)left << 8 | (unsigned char)right;
    return t->touching[i / 64] >> i % 64 & 1;
}
static inline const char *tg_bpe_piece(const tg_bpe_parts *p, int64_t id, int64_t *length)
{
    *length = p->at[id + 1] - p->at[id];
    return p->bytes + p->at[id];
}

/* Takes what parts own, whatever happens. Errors: TG_EFORMAT (a byte without a piece, a merge of what is none; the message
 * says which), TG_ENOMEM. */
tg_status tg_bpe_new(tg_bpe_parts *parts, tg_tokenizer **out);
/* NULL: it is of another kind. */
const tg_bpe *tg_bpe_of(const tg_tokenizer *t);

/* In a vocabulary of rule words: whole characters join whole ones; bytes that go on a character join what has begun it, or is
 * inside of one. So a piece is whole characters or a part of one, and what a character's bytes become does not depend on what
 * stands around it. */
bool tg_bpe_may_join(const char *a, int64_t a_length, const char *b, int64_t b_length);

/* Bytes of the chunk that begins at `at`, which is before end. Where the text goes on behind end, this is sure only of chunks
 * that end TG_BPE_AHEAD bytes before it. */
int64_t tg_bpe_chunk(const tg_bpe *t, const char *at, const char *end);
/* Joins the n ids of a chunk in place; returns how many are left, -1: no memory. memory: grows as needed. */
typedef struct tg_bpe_memory { void *bytes; int64_t room; } tg_bpe_memory;
int64_t tg_bpe_merge(const tg_bpe *t, tg_bpe_memory *memory, int32_t *ids, int64_t n);

/* GPT-2's spelling of bytes: a character each, printable, none of them a space. */
void tg_bpe_spell(tg_str *out, const char *bytes, int64_t length);
/* The byte that a spelled character stands for and its length; 0: it is none. */
int tg_bpe_unspell(const char *at, const char *end, char *byte);

/* Learns a vocabulary of `vocab` pieces, 256 bytes among them, or fewer, where no two stand side by side twice. Only the
 * first TG_BPE_SAMPLE bytes of text[0 .. length) are looked at. A piece is whole characters or a part of one. The same
 * everywhere: of pairs that are as frequent the one with the lower ids comes first. Errors: TG_EIO, TG_ENOMEM, TG_ECANCELLED. */
enum { TG_BPE_SAMPLE = 32 << 20 };
tg_status tg_bpe_train(tg_context *ctx, tg_scratch *text, int64_t length, int64_t vocab, tg_tokenizer **out);

/* ---- files: llama2.c's tokenizer.bin; GPT-2's vocab.json, or encoder.json, with *merges.txt or vocab.bpe beside it */
/* Told by what is in it. Errors: TG_EFORMAT (neither of them, or damaged), TG_EINVAL (no merges beside it), TG_EIO. */
tg_status tg_bpe_open(tg_context *ctx, const char *path, tg_tokenizer **out);
/* Errors: TG_EUNSUPPORTED (the other kind), TG_EIO. */
tg_status tg_bpe_write_scores(const tg_tokenizer *t, const char *path);
/* Both files' contents, appended. The pair does not tell the rule of cutting: words comes back as gpt2. Errors:
 * TG_EUNSUPPORTED (no merges), TG_ENOMEM. */
tg_status tg_bpe_put_pair(const tg_tokenizer *t, tg_str *vocab, tg_str *merges);
#endif
