/* attention.h - what a model looked at while it drew a text, as a page for a browser. */
#ifndef TG_RUN_ATTENTION_H
#define TG_RUN_ATTENTION_H
#include "base/file.h"
#include "run/generate.h"

typedef enum tg_look_kind { TG_LOOK_OPENING, TG_LOOK_PROMPT, TG_LOOK_DRAWN } tg_look_kind;

/* One text's tokens, and what each of them looked at in every layer and head; borrowed: what it was made with. */
typedef struct tg_looks tg_looks;
/* Errors: TG_EUSAGE (no model of attention), TG_ENOMEM. */
tg_status tg_looks_new(const tg_model *m, const tg_tokenizer *k, tg_looks **out);
void tg_looks_free(tg_looks *l);
/* Before a text of `read` tokens, opening and prompt, and up to `drawn` more: what a generator is to tell. A page shows 512 of
 * them at the most, fewer where there are many heads: those around the end of what was read. */
tg_status tg_looks_start(tg_looks *l, int64_t read, int64_t drawn);
const tg_look_watch *tg_looks_watch(const tg_looks *l);
/* The text's tokens in order. log_prob: of a drawn one. */
void tg_looks_token(tg_looks *l, int32_t token, tg_look_kind kind, double log_prob);

/* About the text, for the page's head. */
typedef struct tg_looks_about { const char *path; int64_t seed, sample, context; double temperature, guidance; } tg_looks_about;
/* The page: whole, with no reference to anything outside, all foreign text as JSON. Errors: of the writer, TG_ENOMEM. */
tg_status tg_looks_write(const tg_looks *l, const tg_looks_about *about, tg_writer *w);

/* attention.html, built in by the Makefile. */
extern const char tg_attention_page[];
#endif
