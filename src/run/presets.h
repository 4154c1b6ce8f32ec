/* presets.h - models with all that they need to train well, by name. */
#ifndef TG_RUN_PRESETS_H
#define TG_RUN_PRESETS_H
#include "tinygen/run.h"

/* Which model it is of. Errors: TG_EUSAGE, listing all there are. */
tg_status tg_preset_model(const char *name, const char **model);
/* Its settings, below what a config or flags say. The model's keys must be among keys. */
tg_status tg_preset_apply(const char *name, tg_keys *keys);
#endif
