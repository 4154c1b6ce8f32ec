/* meter.h - progress of a job: how much is done, how fast, how long still. Nothing is said in the first two seconds. */
#ifndef TG_BASE_METER_H
#define TG_BASE_METER_H
#include "tinygen/base.h"

typedef struct tg_meter { tg_context *ctx; const char *what, *unit; int64_t done, total; double start; bool said; } tg_meter;
/* what: "read"; unit: "bytes"; static texts. total 0: unknown. ctx NULL: says nothing. */
tg_meter tg_meter_start(tg_context *ctx, const char *what, const char *unit, int64_t total);
/* Also asks for the cancel flag: TG_ECANCELLED. */
tg_status tg_meter_add(tg_meter *m, int64_t count);
void tg_meter_end(tg_meter *m);
#endif
