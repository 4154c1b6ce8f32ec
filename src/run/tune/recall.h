/* recall.h - what a model still knows of the data that an older one learned from, whose tokens may have been others: the loss over
 * their validation split. */
#ifndef TG_RUN_TUNE_RECALL_H
#define TG_RUN_TUNE_RECALL_H
#include "tinygen/model.h"

/* NaN: it cannot be measured. bits: a character of text, a number of an image: what compares across vocabularies. */
typedef struct tg_recall { double nats, bits; int64_t chars, missing; } tg_recall; /* of chars characters, missing are not in the model's vocabulary */
/* model: a run folder or a model file. Where its tokens are others, the text is encoded by them: characters that it lacks become its
 * unknown token, else they are left out. Documents become its documents, else lines; a text in one piece becomes, where it has
 * documents, one for each line. beside: the folder in which a file is made for it and removed. Errors: those of reading and writing. */
tg_status tg_recall_of(tg_context *ctx, const char *model, const tg_dataset *d, const char *beside, tg_recall *out);
#endif
