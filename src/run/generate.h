/* generate.h - texts from a model, a token at a time, with carried state. After the first tokens nothing is allocated.
 *
 *     tg_generator_new(model, tape, tokenizer, &choice, 0, 64, &g);
 *     tg_generator_start(g, &(tg_beginning){.prompt = ids, .count = n}, 3);
 *     for (at = 0; at < length; at++)
 *         for (text = 0; text < 3; text++) tg_generator_next(g, text, seed, sample + text, at, &token, NULL);
 *
 * A text is the same, bit for bit, alone and among others. */
#ifndef TG_RUN_GENERATE_H
#define TG_RUN_GENERATE_H
#include "tinygen/model.h"

typedef struct tg_generator tg_generator;

/* What is read before the first token is drawn, one token at least: an opening, which may differ from text to text (text i's
 * is at openings + i·opening_count), then a prompt. A text's class is the one whose token is in it. */
typedef struct tg_beginning {
    const int32_t *openings;
    int64_t opening_count;
    const int32_t *prompt;
    int64_t count;
} tg_beginning;

/* model, tape, tokenizer: borrowed; the tape begins anew, and may be used for other things between texts. Special tokens
 * are never drawn, but for the end. guidance: how strongly a text's class is brought out, 0: as the model has it; without
 * two classes or more it does nothing. texts: as many at once as are wanted, or fewer, which tg_generator_most tells: by
 * the model's shapes, so that memory is bounded. */
tg_status tg_generator_new(tg_model *m, tg_tape *t, const tg_tokenizer *k, const tg_choice *choice, double guidance,
                           int64_t texts, tg_generator **out);
void tg_generator_free(tg_generator *g);
int64_t tg_generator_most(const tg_generator *g);
/* Starts texts 0 .. texts - 1. Where all openings are the same the beginning is read once. */
tg_status tg_generator_start(tg_generator *g, const tg_beginning *b, int64_t texts);
/* The same with what was read last, where that was the same for all and nothing else was done with the tape; not where
 * tg_generator_most is 1. */
tg_status tg_generator_again(tg_generator *g, int64_t texts);
/* Reads the token of a text that was drawn last, which else waits until another is asked for; with it, those of all texts. */
tg_status tg_generator_read(tg_generator *g, int64_t text);
/* Draws the token at position `at` (0, 1, ... behind the beginning) of a text, which is sample number `sample`. Each text that
 * has not ended has its token drawn before any has its next one. log_prob: before temperature and the like, guidance included;
 * may be NULL. */
tg_status tg_generator_next(tg_generator *g, int64_t text, uint64_t seed, int64_t sample, int64_t at, int32_t *token,
                            float *log_prob);
/* The distribution of the next token, guidance included, most likely first. */
tg_status tg_generator_top(tg_generator *g, int64_t text, int32_t *ids, float *probs, int64_t room, int64_t *count);
/* Nothing more is drawn of this text. */
void tg_generator_end(tg_generator *g, int64_t text);

/* What token `at` of a text, its opening and prompt counted, looked at while it was read first, in one layer: shares [heads,
 * stride] of the `count` positions that the model saw. Position i is the text's token i, from `opening` on i + left_out: the
 * tokens between were no longer seen. */
typedef struct tg_look {
    int64_t at, layer, heads, count, stride, opening, left_out;
    const float *shares;
} tg_look;
/* Told of tokens begin .. end-1 of text 0, until it ends; of a beginning that texts share, when it is read. */
typedef struct tg_look_watch {
    void (*look)(void *user, const tg_look *l);
    void *user;
    int64_t begin, end;
} tg_look_watch;
/* Borrowed; may be changed between calls. Only of models that have attention. NULL: nobody looks. What is drawn stays the same. */
void tg_generator_watch(tg_generator *g, const tg_look_watch *w);

/* What is read before a text and never printed; returns how many tokens, at most TG_OPENING. A document: its start, and
 * its class; label -1: one drawn for this sample, as often as training has it. Else, where there is no prompt: a newline if
 * the vocabulary has one, or token 0. */
enum { TG_OPENING = 2 };
int64_t tg_opening(const tg_tokenizer *t, int64_t label, bool prompted, uint64_t seed, int64_t sample, int32_t out[TG_OPENING]);
#endif
