/* clock.h - monotonic seconds for logic; wall time only as a label in manifests and reports. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H
double tg_now(void);                  /* CLOCK_MONOTONIC, seconds */
void tg_nap(double seconds);          /* waits so long, or until a signal comes */
void tg_wall_time(char out[32]);      /* "2026-01-31T12:00:00Z" */
#endif
