/* tokenizer.h - the inside of tg_tokenizer: a row of functions per kind, one file each (byte.c, char.c, bpe.c). */
#ifndef TG_DATA_TOKENIZER_H
#define TG_DATA_TOKENIZER_H
#include "base/json.h"
#include "tinygen/data.h"

typedef struct tg_tokenizer_row {
    const char *name;
    tg_status (*encode)(const tg_tokenizer *t, const char *bytes, int64_t length, tg_unknown unknown, int32_t *ids,
                        int64_t *count);                      /* room is there; *count: how many came out */
    const char *(*text)(const tg_tokenizer *t, int32_t id, int64_t *length); /* id is within the vocabulary */
    void (*put)(const tg_tokenizer *t, tg_json_writer *w);    /* members behind "kind" */
    tg_status (*read)(const tg_json *object, tg_tokenizer **out);
    void (*free)(tg_tokenizer *t);
    /* Kinds whose tokens depend on what stands around them; NULL: any characters may be encoded alone. As tg_encoder_part;
     * work is what work_new made, NULL: no memory. */
    void *(*work_new)(void);
    void (*work_free)(void *work);
    tg_status (*part)(const tg_tokenizer *t, void *work, const char *bytes, int64_t length, bool first, bool last, int32_t *ids,
                      int64_t *count, int64_t *taken);
} tg_tokenizer_row;

enum { TG_MOST_CLASSES = UINT16_MAX }; /* a dataset's labels are U16 */

/* Tokens that stand for no text, numbered behind a kind's own: unknown, start, end, a class each; -1 where there is none. Only
 * of a vocabulary with scores start and end may both be its own begin. */
typedef struct tg_class { char *name; int64_t documents; /* of training that have it */ } tg_class;
typedef struct tg_specials {
    int32_t unknown, start, end, first_class;
    int64_t classes;
    tg_class *list;
} tg_specials;

#define TG_NO_SPECIALS {-1, -1, -1, -1, 0, NULL}

/* A kind's own struct begins with this one. */
struct tg_tokenizer {
    const tg_tokenizer_row *row;
    int64_t plain; /* tokens of the kind's own */
    int64_t vocab; /* with the special ones */
    int prefix;    /* spaces that encoding puts before a text, and decoding takes away again: 0 or 1 */
    tg_specials special;
};

/* Adds special tokens to a tokeniser that was just made: an unknown one, start and end of documents, count classes (which
 * need documents). names are copied. */
tg_status tg_tokenizer_add_specials(tg_tokenizer *t, bool unknown, bool documents, const tg_class *classes, int64_t count);
/* SentencePiece's own begin, token 1 of a vocabulary with scores, starts a text and, as llama2.c has it, ends it. Errors:
 * TG_EFORMAT (another kind). */
tg_status tg_tokenizer_own_start(tg_tokenizer *t);
/* A text in parts, one thread at a time; from text to text it remembers what it has seen, which makes it fast. */
typedef struct tg_encoder tg_encoder;
tg_status tg_encoder_new(const tg_tokenizer *t, tg_encoder **out); /* t is borrowed */
void tg_encoder_free(tg_encoder *e); /* NULL is fine */
/* bytes: from where the last call stopped, as far as they are at hand; first, last: the text begins or ends here. *taken: how
 * many are in the ids, all of the last ones; the tokens are those of the whole text, however it is cut. 0 of more than 0: the
 * first tokens depend on what follows, give more at once. ids: room for tg_tokenizer_most. Errors: as of
 * tg_tokenizer_encode. */
tg_status tg_encoder_part(tg_encoder *e, const char *bytes, int64_t length, bool first, bool last, tg_unknown unknown,
                          int32_t *ids, int64_t *count, int64_t *taken);
/* Whether it takes any bytes: if not, UTF-8 without NUL. */
bool tg_tokenizer_takes_bytes(const tg_tokenizer *t);
/* Bytes of text that its first `count` plain tokens take, unknown ones too. */
int64_t tg_tokenizer_bytes_of(const tg_tokenizer *t, const char *text, int64_t length, int64_t count);
/* Whether a loss may ask for it: a text's own tokens, the unknown one and the end, but no start and no class. */
static inline bool tg_token_is_target(const tg_tokenizer *t, int32_t id)
{
    return id < t->plain || id == t->special.unknown || id == t->special.end;
}

/* Without its special tokens: what stands for text. */
tg_status tg_tokenizer_plain_from_tree(const tg_json *tree, tg_tokenizer **out);
/* tg_tokenizer_from_json of what is parsed already. */
tg_status tg_tokenizer_from_tree(const tg_json *tree, tg_tokenizer **out);

extern const tg_tokenizer_row tg_tokenizer_byte, tg_tokenizer_char, tg_tokenizer_bpe;

tg_status tg_tokenizer_byte_new(tg_tokenizer **out);

/* char is made in two steps: all text is shown to a set of characters, then the set becomes a vocabulary in code point
 * order. The whole corpus is shown, validation and test too: what the split left out of training can then still be
 * encoded, and gen-preprocess tells how much that is. Errors: TG_EINVAL (not UTF-8, or a NUL, which is no text; the
 * message names the offset), TG_ENOMEM. */
enum { TG_CHAR_SET_WORDS = 0x110000 / 64 };
tg_status tg_char_set_add(uint64_t set[TG_CHAR_SET_WORDS], const char *bytes, int64_t length);
/* Counts characters: seen [64·TG_CHAR_SET_WORDS]. */
void tg_char_set_count(int64_t *seen, const char *bytes, int64_t length);
/* Takes out of the set what was seen less than `least` times; returns how many characters of the text that are. */
int64_t tg_char_set_prune(uint64_t set[TG_CHAR_SET_WORDS], const int64_t *seen, int64_t least);
tg_status tg_tokenizer_char_new(const uint64_t set[TG_CHAR_SET_WORDS], tg_tokenizer **out);
#endif
