/* kept.h - going on with another vocabulary, or other classes: what both know keeps its rows in what a model declared to have
 * some (tg_param_rows); tokens are the same by their text, special tokens and classes by their name. */
#ifndef TG_RUN_KEPT_H
#define TG_RUN_KEPT_H
#include "run/trained.h"

/* Of the new data's tokens (of images and points: classes) so many are known to the model. same: all are, in the same order, made by a tokeniser of the same kind. */
typedef struct tg_kept { int64_t count, known; bool same; } tg_kept;

/* Counts alone. Errors: TG_ENOMEM. */
tg_status tg_kept_count(const tg_trained *old, const tg_dataset *d, tg_kept *out);
/* The weights of a model's file (open without weights) into those of another vocabulary. New rows keep what they hold. p: a model of
 * the same settings, sealed and drawn. Errors: TG_EFORMAT (a tensor that is missing or of another shape), TG_ENOMEM. */
tg_status tg_kept_read(const tg_trained *old, const tg_dataset *d, tg_params *p);
#endif
