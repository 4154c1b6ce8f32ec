/* llama2c.h - checkpoints of llama2.c, its first and usual format (export.py's version 0). Little-endian:
 *   i32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size (negative: the classifier has weights of its own), seq_len
 *   f32 token embedding [vocab, dim] · attention norm [layers, dim] · wq [layers, dim, dim] · wk, wv [layers, kv·D, dim] ·
 *       wo [layers, dim, dim] · feed-forward norm [layers, dim] · w1, the gate [layers, hidden, dim] · w2, down [layers, dim, hidden] ·
 *       w3, up [layers, hidden, dim] · last norm [dim] · cosines, sines of the rotation [seq_len, D/2] · classifier [vocab, dim],
 *       if it has weights of its own
 * D = dim / n_heads. The rotation turns the pairs (2i, 2i+1) of a head; ours turns (i, i + D/2). */
#ifndef TG_DATA_LLAMA2C_H
#define TG_DATA_LLAMA2C_H
#include "tinygen/base.h"

enum { TG_LLAMA2_HEAD = 28 /* bytes before the weights */ };

typedef struct tg_llama2 {
    int64_t dim, hidden, layers, heads, kv_heads, vocab, context;
    bool shared; /* the classifier is the embedding */
} tg_llama2;

/* In the order of the file. */
typedef enum tg_llama2_part {
    TG_LLAMA2_EMBED, TG_LLAMA2_ATTENTION_NORM, TG_LLAMA2_QUERY, TG_LLAMA2_KEY, TG_LLAMA2_VALUE, TG_LLAMA2_OUT, TG_LLAMA2_NET_NORM,
    TG_LLAMA2_GATE, TG_LLAMA2_DOWN, TG_LLAMA2_UP, TG_LLAMA2_NORM, TG_LLAMA2_COSINE, TG_LLAMA2_SINE, TG_LLAMA2_HEAD_WEIGHT,
    TG_LLAMA2_PARTS
} tg_llama2_part;

/* What a file's first `length` bytes say, checked: sizes that a model may have, and such that the file is as long as they
 * ask for. name: for messages. Errors: TG_EFORMAT, TG_EUNSUPPORTED (another version of the format). */
tg_status tg_llama2_parse(const char *name, const void *head, int64_t length, int64_t file_bytes, tg_llama2 *out);
void tg_llama2_put(const tg_llama2 *c, unsigned char head[TG_LLAMA2_HEAD]);

/* A part is `times` matrices, one a layer or one in all (0: it is not in the file), of rows x columns floats. */
int64_t tg_llama2_times(const tg_llama2 *c, tg_llama2_part p);
int64_t tg_llama2_rows(const tg_llama2 *c, tg_llama2_part p);
int64_t tg_llama2_columns(const tg_llama2 *c, tg_llama2_part p);
/* Where matrix number `layer` of a part begins; of TG_LLAMA2_PARTS: where the file ends. */
int64_t tg_llama2_offset(const tg_llama2 *c, tg_llama2_part p, int64_t layer);

/* Rows of queries and keys, between the two ways of pairing: where the file has our row, and where we have the file's. */
int64_t tg_llama2_their_row(const tg_llama2 *c, tg_llama2_part p, int64_t row);
int64_t tg_llama2_our_row(const tg_llama2 *c, tg_llama2_part p, int64_t row);

/* Cosines or sines of position t with base 10000, [D/2]. Readers of the format work them out themselves. */
void tg_llama2_table(const tg_llama2 *c, tg_llama2_part p, int64_t t, float *out);
#endif
