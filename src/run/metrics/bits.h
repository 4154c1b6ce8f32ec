/* bits.h - a mean loss in nats, in units that can be compared between tokenisers and shapes. NaN gives NaN. */
#ifndef TG_RUN_METRICS_BITS_H
#define TG_RUN_METRICS_BITS_H
#include "tinygen/model.h"

/* Nats per token of a split -> bits per character, per byte of its text: nats / ln 2 / (characters, bytes that a token which a
 * loss asks for stands for on average in the split). A NaN where the split has no text. */
double tg_bits_per_char(const tg_dataset *d, tg_split s, double nats);
double tg_bits_per_byte(const tg_dataset *d, tg_split s, double nats);
/* Nats per image or point -> bits per number of it. */
double tg_bits_per_dim(const tg_model_data *data, double nats);
/* e^nats: among how many tokens, all as likely, the choice would be as hard. Only between models of one tokeniser. */
double tg_perplexity(double nats);
#endif
