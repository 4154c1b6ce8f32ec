/* curve.h - the losses of a run over its steps, as log.jsonl has them, for charts. */
#ifndef TG_RUN_CURVE_H
#define TG_RUN_CURVE_H
#include "tinygen/base.h"

enum { TG_CURVE_TRAIN, TG_CURVE_VAL, TG_CURVES };
/* Each loss by its own steps: validation is looked at more seldom. */
typedef struct tg_curve { double *step[TG_CURVES], *loss[TG_CURVES]; int64_t count[TG_CURVES]; } tg_curve;

/* Of folder/log.jsonl; none there: an empty curve. What is no line of a log is passed over. Errors: TG_ENOMEM, those of reading.
 * The caller frees it, whatever comes back. */
tg_status tg_curve_read(const char *folder, tg_curve *out);
void tg_curve_free(tg_curve *c);
#endif
