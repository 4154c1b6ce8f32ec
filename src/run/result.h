/* result.h - how every step's result object begins: program, version, out, seed, seconds. */
#ifndef TG_RUN_RESULT_H
#define TG_RUN_RESULT_H
#include "base/json.h"

/* Opens the object; the caller adds its own members and closes it. out may be NULL. */
void tg_result_begin(tg_json_writer *w, const char *program, const char *out, int64_t seed, double seconds);
#endif
