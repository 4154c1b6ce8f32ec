/* wave.c - trials in the hands of another program. */
#include "run/tune/wave.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

/* Seconds: between two looks at the trials' folders; that a program and its trials have for saving when they are asked to end. */
static const double LOOK = 0.2, GRACE = 60;
#define LOG "backend.log"

void tg_wave_look(tg_wave *w)
{
    const tg_backend_run *r = w->run;
    for (int64_t i = 0; i < r->count; i++) {
        if (w->over[i] || !r->over(r->user, i)) continue;
        w->over[i] = true;
        w->left--;
    }
}

tg_status tg_wave_begin(tg_wave *w, const tg_backend_run *r)
{
    *w = (tg_wave){.run = r, .over = tg_alloc_array(r->count, sizeof *w->over), .left = r->count};
    if (!w->over) return TG_ENOMEM;
    tg_wave_look(w);
    return TG_OK;
}

void tg_wave_end(tg_wave *w)
{
    tg_free(w->over);
    w->over = NULL;
}

static tg_status call(tg_wave *w, tg_context *ctx, double end, const char *const *argv, int *exit_code)
{
    tg_procs *children = NULL;
    int64_t number = -1;
    tg_status s = tg_procs_new(GRACE, &children);
    if (!s) s = tg_procs_start_in(children, argv, w->run->folder, LOG, 0);
    while (!s && number < 0 && tg_now() < end) {
        const double next = tg_now() + LOOK;
        s = tg_procs_wait(children, ctx, next < end ? next : end, &number, exit_code);
        if (!s) tg_wave_look(w);
    }
    tg_procs_free(children); /* ended, where it still runs */
    if (!s && number < 0) tg_wave_look(w);
    return s;
}

tg_status tg_wave_call(tg_wave *w, const char *const *argv, int *exit_code)
{
    return call(w, NULL, (double)INFINITY, argv, exit_code);
}

tg_status tg_wave_work(tg_wave *w, const char *const *argv)
{
    int code = 0; /* what came of the trials stands in their folders */
    return call(w, w->run->ctx, w->run->end, argv, &code);
}

tg_status tg_wave_said(const tg_wave *w, char **out)
{
    int64_t length = 0;
    char *path = tg_path_join(w->run->folder, LOG);
    tg_status s = path ? tg_file_slurp(path, 1 << 24, out, &length) : TG_ENOMEM;
    tg_free(path);
    return s;
}

tg_status tg_wave_needs(tg_wave *w, const char *program, const char *greeting, const char *what)
{
    char *said = NULL;
    int code = 0;
    tg_status s = tg_wave_call(w, (const char *const[]){program, "--version", NULL}, &code);
    if (s == TG_ENOMEM) return s;
    if (!s) s = tg_wave_said(w, &said);
    if (!s && !tg_starts_with(said, greeting)) s = TG_EUSAGE;
    tg_free(said);
    return s ? tg_fail(TG_EUSAGE, "%s; other ways to run the trials: --backend local needs nothing else", what) : TG_OK;
}

tg_status tg_wave_put(const tg_wave *w, const char *name, tg_str *text)
{
    char *path = text->failed ? NULL : tg_path_join(w->run->folder, name);
    tg_status s = path ? tg_write_file(path, text->data, text->length) : TG_ENOMEM;
    tg_free(path);
    tg_str_free(text);
    return s;
}
