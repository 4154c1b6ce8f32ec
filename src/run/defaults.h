/* defaults.h - what gen-train does where nothing is said: a function of the data's kind and size only, never of speed,
 * so that the same command gives the same bytes everywhere. docs/defaults.md holds the table; a test compares. */
#ifndef TG_RUN_DEFAULTS_H
#define TG_RUN_DEFAULTS_H
#include "base/str.h"
#include "tinygen/run.h"

/* Fills every AUTO key that was not given, in o and in the model's config, through keys. `chosen` gets what was chosen:
 * "batch 50, seq 50, steps 4000". Errors: TG_EUSAGE (options that contradict each other), TG_ENOMEM. */
tg_status tg_train_defaults(tg_train_options *o, const tg_model_desc *desc, const void *config, const tg_dataset *d, tg_keys *keys,
                            tg_str *chosen);
/* Steps and learning rate of the tables, whatever was given, but for the optimiser (windows: muon's rate is not the others'). */
typedef struct tg_usual { int64_t steps; double lr; } tg_usual;
tg_usual tg_train_usual(const tg_model_desc *desc, const tg_dataset *d, bool muon);
/* Tokens, images or points that a step of training takes. */
int64_t tg_step_items(const tg_train_options *o, const tg_model_desc *desc, const void *config);
/* The next of 1, 1.5, 2, 3, 5, 7 times a power of ten that is not below x, at least 1. */
int64_t tg_handy_steps(double x);
/* The tables as Markdown: of models that read streams, of those that see windows. */
void tg_train_defaults_table(tg_str *streams, tg_str *windows);
void tg_train_defaults_samples(tg_str *out); /* of images and points */
#endif
