/* meter.c - progress of a job. */
#include "base/meter.h"

#include <math.h>

#include "base/clock.h"

tg_meter tg_meter_start(tg_context *ctx, const char *what, const char *unit, int64_t total)
{
    return (tg_meter){.ctx = ctx, .what = what, .unit = unit, .total = total, .start = tg_now()};
}

static void report(tg_meter *m, bool final)
{
    double seconds = tg_now() - m->start, rate = seconds > 0 ? (double)m->done / seconds : 0;
    tg_progress p = {
        .what = m->what, .done = m->done, .total = m->total, .unit = m->unit, .rate = rate, .rate_unit = m->unit,
        .seconds_left = rate > 0 && m->total ? (double)(m->total - m->done) / rate : (double)NAN,
        .loss = (double)NAN, .val_loss = (double)NAN, .final = final,
    };
    tg_report_progress(m->ctx, &p);
}

tg_status tg_meter_add(tg_meter *m, int64_t count)
{
    m->done += count;
    if (!m->ctx) return TG_OK;
    if (tg_cancelled(m->ctx)) return tg_fail(TG_ECANCELLED, "stopped; nothing was written");
    if (!m->said && tg_now() - m->start < 2) return TG_OK;
    m->said = true;
    report(m, false);
    return TG_OK;
}

void tg_meter_end(tg_meter *m)
{
    if (m->said) report(m, true);
}
