/* proc.h - children without a shell. */
#ifndef TG_BASE_PROC_H
#define TG_BASE_PROC_H
#include "tinygen/base.h"
/* Runs argv (NULL-terminated; argv[0] looked up in PATH), standard input from /dev/null, standard output to out_fd (or
 * /dev/null if -1); waits; *exit_code gets 0..255 or 128+signal. Errors: TG_EIO (cannot start; the message says what
 * is missing), TG_ECANCELLED (cancel flag: the child is ended). */
tg_status tg_proc_run(tg_context *ctx, const char *const *argv, int out_fd, int *exit_code);
/* The same; tick is called again and again while the child runs, at most 0.02 s apart: to show how far it is, and to end
 * it by an error, which then comes back. */
tg_status tg_proc_watch(tg_context *ctx, const char *const *argv, int out_fd, tg_status (*tick)(void *), void *user,
                        int *exit_code);
/* Children side by side, each under a number of the caller's. Starting is as above, output to /dev/null; so are messages. */
typedef struct tg_procs tg_procs;
/* grace: seconds that a child has between being asked to end (TERM) and being killed. */
tg_status tg_procs_new(double grace, tg_procs **out);
tg_status tg_procs_start(tg_procs *p, const char *const *argv, int64_t number);
/* The same in another folder, output and messages into a file there, which is made anew. */
tg_status tg_procs_start_in(tg_procs *p, const char *const *argv, const char *folder, const char *log, int64_t number);
int64_t tg_procs_count(const tg_procs *p); /* that run, or whose end nobody has been told yet */
/* Waits for one that ends: its number and exit code, as above; until is a time of tg_now, and *number -1 when it is over.
 * Errors: TG_ECANCELLED (cancel flag; all have been asked to end, and have ended). */
tg_status tg_procs_wait(tg_procs *p, tg_context *ctx, double until, int64_t *number, int *exit_code);
/* Asks all to end, and waits until they have; nobody is told of them any more. */
void tg_procs_stop(tg_procs *p);
void tg_procs_free(tg_procs *p); /* the same first */
#endif
