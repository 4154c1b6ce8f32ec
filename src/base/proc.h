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
#endif
