/* pack.h - a whole text to tokens as they lie in a file: one, two or four bytes each, by the vocabulary's size. */
#ifndef TG_DATA_PACK_H
#define TG_DATA_PACK_H
#include "data/figures.h"

/* Ids as they lie in a file, width bytes each. */
void tg_tokens_narrow(const int32_t *ids, int64_t count, int width, void *out);
/* *tokens is the caller's by tg_free. ctx is told of the progress where it takes long; may be NULL. Errors: TG_EINVAL
 * (a character that the tokeniser lacks), TG_ECANCELLED, TG_ENOMEM. */
tg_status tg_pack_tokens(tg_context *ctx, const tg_tokenizer *t, const char *text, int64_t length, void **tokens,
                         int64_t *count);
#endif
