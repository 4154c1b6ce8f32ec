/* samples_parts.h - the steps of gen-preprocess between samples and file. */
#ifndef TG_RUN_SAMPLES_PARTS_H
#define TG_RUN_SAMPLES_PARTS_H
#include "run/samples.h"

/* Labels in order of names, numbers by value; p->labels becomes uint16_t of each sample. */
tg_status tg_samples_classes(tg_sampling *p);
/* Which samples stay, and where they go: order, counts, classes' counts, and what was found on the way. Errors: TG_EINVAL (a split
 * without a sample), TG_EUSAGE (--test beside a test split of the corpus's own), TG_EIO, TG_ENOMEM. */
tg_status tg_samples_split(tg_sampling *p);
/* Mean, deviation, the baseline. */
tg_status tg_samples_figures(tg_sampling *p);
/* The contact sheet, beside the dataset. */
tg_status tg_samples_sheet(tg_sampling *p);
#endif
