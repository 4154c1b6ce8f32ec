/* proc.c - children from an argument array: no shell sees a name. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os.h"

extern char **environ;

enum { GRACE_SECONDS = 2 };
static const double shortest_nap = 0.0005, longest_nap = 0.004;

/* Where a child runs (NULL: where we do), and where to it speaks: into a file, which is made anew, or else output to out_fd (or
 * nowhere if -1) and messages to ours, unless they are dropped, too. */
typedef struct surroundings { const char *folder, *log; int out_fd; bool quiet; } surroundings;

static int add_surroundings(posix_spawn_file_actions_t *files, const surroundings *in)
{
    int error = in->folder ? tg_os_spawn_in(files, in->folder) : 0;
    if (!error) error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (!error && in->log) error = posix_spawn_file_actions_addopen(files, 1, in->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    else if (!error && in->out_fd >= 0) error = posix_spawn_file_actions_adddup2(files, in->out_fd, 1);
    else if (!error) error = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
    if (!error && in->log) error = posix_spawn_file_actions_adddup2(files, 1, 2);
    else if (!error && in->quiet) error = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
    return error;
}

/* Returns an errno. */
static int spawn(const char *const *argv, const surroundings *in, pid_t *pid)
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
    if (!error) error = add_surroundings(&files, in);
    /* The cast drops a const that the interface forgot: the strings are not changed. */
    if (!error) error = posix_spawnp(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* ---- children side by side ------------------------------------------------------------------------------------------ */

typedef struct child { pid_t pid; int64_t number; } child;

struct tg_procs {
    child *children;
    int64_t count, room;
    double grace;
};

tg_status tg_procs_new(double grace, tg_procs **out)
{
    tg_procs *p = tg_alloc(sizeof *p);
    if (!p) return TG_ENOMEM;
    p->grace = grace;
    *out = p;
    return TG_OK;
}

static tg_status start(tg_procs *p, const char *const *argv, const surroundings *in, int64_t number)
{
    if (p->count == p->room) {
        const int64_t room = p->room ? 2 * p->room : 4, size = sizeof *p->children;
        child *children = tg_realloc(p->children, p->room * size, room * size);
        if (!children) return TG_ENOMEM;
        p->children = children;
        p->room = room;
    }
    child *c = &p->children[p->count];
    const int error = spawn(argv, in, &c->pid);
    if (error == ENOENT)
        return tg_fail(TG_EIO, "cannot start %s: it is not installed, or not in PATH", argv[0]);
    if (error) return tg_fail(TG_EIO, "cannot start %s: %s", argv[0], strerror(error));
    c->number = number;
    p->count++;
    return TG_OK;
}

tg_status tg_procs_start(tg_procs *p, const char *const *argv, int64_t number)
{
    return start(p, argv, &(surroundings){.out_fd = -1, .quiet = true}, number);
}

tg_status tg_procs_start_in(tg_procs *p, const char *const *argv, const char *folder, const char *log, int64_t number)
{
    return start(p, argv, &(surroundings){.folder = folder, .log = log}, number);
}

int64_t tg_procs_count(const tg_procs *p)
{
    return p->count;
}

/* One that has ended, if there is one: *number -1 if not. */
static tg_status reap(tg_procs *p, int64_t *number, int *exit_code)
{
    int status = 0;
    *number = -1;
    for (int64_t i = 0; i < p->count; i++) {
        const pid_t got = waitpid(p->children[i].pid, &status, WNOHANG);
        if (got < 0 && errno != EINTR) return tg_fail(TG_EIO, "waiting for a child: %s", strerror(errno));
        if (got <= 0) continue;
        *number = p->children[i].number;
        *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        p->children[i] = p->children[--p->count];
        break;
    }
    return TG_OK;
}

static void ask_all(const tg_procs *p, int number)
{
    for (int64_t i = 0; i < p->count; i++) kill(p->children[i].pid, number);
}

/* Naps that grow, so that short children cost little and long ones nothing. */
static void nap(double *seconds)
{
    tg_nap(*seconds);
    if (*seconds < longest_nap) *seconds *= 2;
}

void tg_procs_stop(tg_procs *p)
{
    double t = shortest_nap;
    const double asked = tg_now();
    int64_t number = 0;
    int code = 0;
    ask_all(p, SIGTERM);
    while (p->count > 0) {
        if (reap(p, &number, &code)) p->count = 0; /* they are not ours any more */
        if (number >= 0) continue;
        if (tg_now() - asked > p->grace) ask_all(p, SIGKILL);
        nap(&t);
    }
}

void tg_procs_free(tg_procs *p)
{
    if (!p) return;
    tg_procs_stop(p);
    tg_free(p->children);
    tg_free(p);
}

tg_status tg_procs_wait(tg_procs *p, tg_context *ctx, double until, int64_t *number, int *exit_code)
{
    double t = shortest_nap;
    for (;;) {
        if (tg_cancelled(ctx)) { /* first: a terminal's Ctrl-C ends the children, too */
            tg_procs_stop(p);
            return tg_fail(TG_ECANCELLED, "stopped");
        }
        tg_status s = reap(p, number, exit_code);
        if (s || *number >= 0) return s;
        if (tg_now() >= until) return TG_OK;
        nap(&t);
    }
}

/* ---- one child ------------------------------------------------------------------------------------------------------ */

tg_status tg_proc_run(tg_context *ctx, const char *const *argv, int out_fd, int *exit_code)
{
    return tg_proc_watch(ctx, argv, out_fd, NULL, NULL, exit_code);
}

tg_status tg_proc_watch(tg_context *ctx, const char *const *argv, int out_fd, tg_status (*tick)(void *), void *user,
                        int *exit_code)
{
    child only;
    tg_procs one = {.children = &only, .room = 1, .grace = GRACE_SECONDS};
    double t = shortest_nap;
    int64_t number = -1;
    int code = 0;
    tg_status s = start(&one, argv, &(surroundings){.out_fd = out_fd}, 0);
    while (!s) {
        s = reap(&one, &number, &code);
        if (!s && number >= 0) break;
        if (!s && tick) s = tick(user);
        if (!s && tg_cancelled(ctx)) s = tg_fail(TG_ECANCELLED, "stopped while %s was running", argv[0]);
        if (!s) nap(&t);
    }
    tg_procs_stop(&one);
    if (!s) *exit_code = code;
    return s;
}
