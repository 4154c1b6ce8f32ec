/* proc.c - children from an argument array: no shell sees a name. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

enum { LONGEST_NAP = 20000000, GRACE_SECONDS = 2 };

/* Descriptors and signals of the child; returns an errno. */
static int spawn(const char *const *argv, int out_fd, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t defaults, none;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attr);
    if (error) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* we ignore these, and the child would, too */
#ifdef SIGXFSZ
    sigaddset(&defaults, SIGXFSZ);
#endif
    if (!error) error = posix_spawnattr_setsigdefault(&attr, &defaults);
    if (!error) error = posix_spawnattr_setsigmask(&attr, &none);
    if (!error) error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!error && out_fd >= 0) error = posix_spawn_file_actions_adddup2(&files, out_fd, 1);
    if (!error && out_fd < 0) error = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    /* The cast drops a const that the interface forgot: the strings are not changed. */
    if (!error) error = posix_spawnp(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* Waits with growing naps, so that a cancel flag set meanwhile, or an error of tick, is seen; after it TERM, then KILL. */
static tg_status wait_for(tg_context *ctx, pid_t pid, tg_status (*tick)(void *), void *user, int *status, tg_status *stopped)
{
    struct timespec nap = {0, 500000};
    double asked = 0;
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid) return TG_OK;
        if (got < 0 && errno != EINTR) return tg_fail(TG_EIO, "waiting for a child: %s", strerror(errno));
        if (*stopped && tg_now() - asked > GRACE_SECONDS) kill(pid, SIGKILL);
        if (!*stopped && tick) *stopped = tick(user);
        if (!*stopped && tg_cancelled(ctx)) *stopped = TG_ECANCELLED;
        if (*stopped && asked == 0) {
            asked = tg_now();
            kill(pid, SIGTERM);
        }
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < LONGEST_NAP) nap.tv_nsec *= 2;
    }
}

tg_status tg_proc_run(tg_context *ctx, const char *const *argv, int out_fd, int *exit_code)
{
    return tg_proc_watch(ctx, argv, out_fd, NULL, NULL, exit_code);
}

tg_status tg_proc_watch(tg_context *ctx, const char *const *argv, int out_fd, tg_status (*tick)(void *), void *user,
                        int *exit_code)
{
    pid_t pid = 0;
    int status = 0;
    tg_status stopped = TG_OK;
    int error = spawn(argv, out_fd, &pid);
    if (error == ENOENT)
        return tg_fail(TG_EIO, "cannot start %s: it is not installed, or not in PATH", argv[0]);
    if (error) return tg_fail(TG_EIO, "cannot start %s: %s", argv[0], strerror(error));
    tg_status s = wait_for(ctx, pid, tick, user, &status, &stopped);
    if (s) return s;
    if (stopped && stopped != TG_ECANCELLED) return stopped;
    if (stopped) return tg_fail(TG_ECANCELLED, "stopped while %s was running", argv[0]);
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return TG_OK;
}
