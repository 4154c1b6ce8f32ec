/* pack.h - a whole text to tokens as they lie in a file: one, two or four bytes each, by the vocabulary's size. */
#ifndef TG_DATA_PACK_H
#define TG_DATA_PACK_H
#include "data/figures.h"

/* *tokens is the caller's by tg_free. ctx is told of the progress where it takes long; may be NULL. Errors: TG_EINVAL
 * (a character that the tokeniser lacks), TG_ECANCELLED, TG_ENOMEM. */
tg_status tg_pack_tokens(tg_context *ctx, const tg_tokenizer *t, const char *text, int64_t length, void **tokens,
                         int64_t *count);

/* Progress of a job over bytes: nothing is said in the first two seconds. */
typedef struct tg_meter { tg_context *ctx; const char *what; int64_t done, total; double start; bool said; } tg_meter;
tg_meter tg_meter_start(tg_context *ctx, const char *what, int64_t total);
/* Also asks for the cancel flag: TG_ECANCELLED. */
tg_status tg_meter_add(tg_meter *m, int64_t bytes);
void tg_meter_end(tg_meter *m);
#endif
