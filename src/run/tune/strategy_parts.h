/* strategy_parts.h - the strategies behind strategy.h. Each says which job is next. */
#ifndef TG_RUN_TUNE_STRATEGY_PARTS_H
#define TG_RUN_TUNE_STRATEGY_PARTS_H
#include "run/tune/strategy.h"

/* Number n of the axis's sequence in [0, 1), which fills it evenly, as all axes together fill their cube. */
double tg_quasi(uint64_t seed, int axis, int64_t n);
/* Point n of the space by it, axes that do not apply left out. */
void tg_quasi_point(const tg_space *s, uint64_t seed, int64_t n, tg_point *out);
tg_status tg_asha_next(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_tune_job *out, bool *more, bool *wait);
/* The point of a new trial. */
tg_status tg_tpe_point(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_point *out);
#endif
