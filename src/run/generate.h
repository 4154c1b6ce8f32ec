/* generate.h - text from a model, a token at a time, with carried state. After the first tokens nothing is allocated. */
#ifndef TG_RUN_GENERATE_H
#define TG_RUN_GENERATE_H
#include "tinygen/model.h"

typedef struct tg_generator tg_generator;
/* model, tape, tokenizer: borrowed; the tape begins anew, and may be used for other things between texts. Special tokens
 * are never drawn, but for the end. guidance: how strongly a text's class is brought out, 0: as the model has it; without
 * two classes or more it does nothing. */
tg_status tg_generator_new(tg_model *m, tg_tape *t, const tg_tokenizer *k, const tg_choice *choice, double guidance,
                           tg_generator **out);
void tg_generator_free(tg_generator *g);
/* Starts a text with a prompt of one token at least; its class is the one whose token is in it. */
tg_status tg_generator_start(tg_generator *g, const int32_t *prompt, int64_t count);
/* Draws the token at position `at` (0, 1, ... behind the prompt) of a sample. log_prob: before temperature and the
 * like, guidance included; may be NULL. */
tg_status tg_generator_next(tg_generator *g, uint64_t seed, int64_t sample, int64_t at, int32_t *token, float *log_prob);
/* The distribution of the next token, guidance included, most likely first. */
tg_status tg_generator_top(tg_generator *g, int32_t *ids, float *probs, int64_t room, int64_t *count);
/* What is read before a text and never printed; returns how many tokens, at most TG_OPENING. A document: its start, and
 * its class; label -1: one drawn for this sample, as often as training has it. Else, where there is no prompt: a newline if
 * the vocabulary has one, or token 0. */
enum { TG_OPENING = 2 };
int64_t tg_opening(const tg_tokenizer *t, int64_t label, bool prompted, uint64_t seed, int64_t sample, int32_t out[TG_OPENING]);
#endif
