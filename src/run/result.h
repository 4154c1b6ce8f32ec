/* result.h - how every step's result object begins (program, version, out, seed, seconds) and ends. */
#ifndef TG_RUN_RESULT_H
#define TG_RUN_RESULT_H
#include "base/json.h"
#include "tinygen/base.h"

/* Opens the object; the caller adds its own members. out may be NULL. */
void tg_result_begin(tg_json_writer *w, const char *program, const char *out, int64_t seed, double seconds);
/* Closes it, puts it out as one line and frees the text. Errors: TG_ENOMEM (the text failed), what the output says. */
tg_status tg_result_end(tg_context *ctx, tg_json_writer *w);
#endif
