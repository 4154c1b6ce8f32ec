/* tpe.c */
#include "run/tune/strategy_parts.h"
tg_status tg_tpe_point(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                       tg_point *out)
{
    (void)jobs, (void)seen;
    tg_quasi_point(s, o->seed, count, out);
    return TG_OK;
}
