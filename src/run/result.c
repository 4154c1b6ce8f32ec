/* result.c - how every step's result object begins and ends. */
#include "run/result.h"

#include "base/context.h"

void tg_result_begin(tg_json_writer *w, const char *program, const char *out, int64_t seed, double seconds)
{
    tg_json_open(w, '{');
    tg_json_member_text(w, "program", program);
    tg_json_member_text(w, "version", TG_VERSION);
    tg_json_member_text(w, "out", out);
    tg_json_member_int(w, "seed", seed);
    tg_json_member_real(w, "seconds", seconds);
}

tg_status tg_result_end(tg_context *ctx, tg_json_writer *w)
{
    tg_json_close(w, '}');
    tg_str_add(w->out, "\n");
    tg_status s = w->out->failed ? TG_ENOMEM : tg_output(ctx, w->out->data, w->out->length);
    tg_str_free(w->out);
    return s;
}
