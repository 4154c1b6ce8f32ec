/* result.c - how every step's result object begins. */
#include "run/result.h"

void tg_result_begin(tg_json_writer *w, const char *program, const char *out, int64_t seed, double seconds)
{
    tg_json_open(w, '{');
    tg_json_member_text(w, "program", program);
    tg_json_member_text(w, "version", TG_VERSION);
    tg_json_member_text(w, "out", out);
    tg_json_member_int(w, "seed", seed);
    tg_json_member_real(w, "seconds", seconds);
}
