/* wave.h - what the backends share that hand many trials at once to another program. That program starts "./gen-tune trial N" in
 * the study's folder, so a name or a value of the study is in no job file, and what a trial came to is read from its own folder.
 * One that is over already costs a moment when it is started again: nothing hangs on seeing soon what another machine wrote. */
#ifndef TG_RUN_TUNE_WAVE_H
#define TG_RUN_TUNE_WAVE_H
#include "base/str.h"
#include "run/tune/backend.h"

typedef struct tg_wave {
    const tg_backend_run *run;
    bool *over;   /* per job */
    int64_t left; /* that are not over */
} tg_wave;

tg_status tg_wave_begin(tg_wave *w, const tg_backend_run *r);
void tg_wave_end(tg_wave *w);
/* Asks the study which are over since. */
void tg_wave_look(tg_wave *w);
/* Runs argv in the study's folder and looks now and then; what it says goes into the file backend.log there. */
tg_status tg_wave_call(tg_wave *w, const char *const *argv, int *exit_code);
/* The same of a program that runs the trials: at the end of the budget it is asked to end, and has ended. Errors: TG_ECANCELLED
 * (so it is then, too). */
tg_status tg_wave_work(tg_wave *w, const char *const *argv);
/* The program is here and says who it is: `greeting` and more. what: it is for, to go on the message. Errors: TG_EUSAGE. */
tg_status tg_wave_needs(tg_wave *w, const char *program, const char *greeting, const char *what);
/* backend.log; the caller's by tg_free. */
tg_status tg_wave_said(const tg_wave *w, char **out);
/* A file of the study's folder, whole or not at all; frees the text. */
tg_status tg_wave_put(const tg_wave *w, const char *name, tg_str *text);
#endif
