/* pack.h - a text to tokens as they lie in a file: one, two or four bytes each, by the vocabulary's size. */
#ifndef TG_DATA_PACK_H
#define TG_DATA_PACK_H
#include "base/meter.h"
#include "base/scratch.h"
#include "data/figures.h"

/* Ids as they lie in a file, width bytes each. */
void tg_tokens_narrow(const int32_t *ids, int64_t count, int width, void *out);

/* The next whole characters of text[at .. end), some 64 KiB; borrowed until the next view. */
tg_status tg_text_part(tg_scratch *text, int64_t at, int64_t end, const char **out, int64_t *count);

/* Tokens are added to `out`, some of them only by tg_packer_end. Frees neither t nor out. */
typedef struct tg_packer tg_packer;
tg_status tg_packer_new(const tg_tokenizer *t, tg_scratch *out, tg_packer **packer);
void tg_packer_free(tg_packer *p); /* NULL is fine */
tg_status tg_packer_ids(tg_packer *p, const int32_t *ids, int64_t few);
/* text[begin .. end). Errors: TG_EINVAL (a character that the tokeniser lacks), TG_EIO, TG_ENOMEM. */
tg_status tg_packer_text(tg_packer *p, tg_scratch *text, int64_t begin, int64_t end, tg_meter *m);
tg_status tg_packer_end(tg_packer *p);
int64_t tg_packer_count(const tg_packer *p); /* tokens so far */

/* A whole text. ctx is told of the progress where it takes long; may be NULL. Errors: those of tg_packer_text, TG_ECANCELLED. */
tg_status tg_pack_tokens(tg_context *ctx, const tg_tokenizer *t, tg_scratch *text, tg_scratch *out);
#endif
