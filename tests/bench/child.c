/* child.c - other programs: asked for a sample at a time over two pipes, or run to their end and timed. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "bench/bench.h"

/* A pipe that children do not inherit but for the end they are given. */
static bool open_pipe(int ends[2])
{
    return !pipe(ends) && fcntl(ends[0], F_SETFD, FD_CLOEXEC) >= 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) >= 0;
}

struct bench_child { pid_t pid; FILE *to, *from; };

static const char *const blas_folders[BENCH_BLAS] = {"/usr/lib/x86_64-linux-gnu/openblas-pthread",
                                                     "/usr/lib/x86_64-linux-gnu/openblas-openmp"};

/* The child's side of a fork: descriptors in place, then the program. */
static void become(const char *const *argv, int in, int out)
{
    const int null = open("/dev/null", O_RDWR);
    signal(SIGPIPE, SIG_DFL);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a stopped child would never see that the bench is gone */
#endif
    if (null < 0 || dup2(in < 0 ? null : in, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0) _exit(127);
    execvp(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

static void become_peer(const char *const *argv, int blas, int threads, int in, int out)
{
    char number[16];
    snprintf(number, sizeof number, "%d", threads);
    if (setenv("LD_LIBRARY_PATH", blas_folders[blas], 1) || setenv("OMP_NUM_THREADS", number, 1) ||
        setenv("OPENBLAS_NUM_THREADS", number, 1))
        _exit(127);
    become(argv, in, out);
}

bench_child *bench_child_start(const char *const *argv, int blas, int threads)
{
    int to[2], from[2];
    char line[64];
    if (tg_path_kind(blas_folders[blas]) != TG_PATH_FOLDER) return NULL;
    bench_child *c = calloc(1, sizeof *c);
    if (!c || !open_pipe(to) || !open_pipe(from)) {
        free(c);
        return NULL;
    }
    c->pid = fork();
    if (c->pid == 0) become_peer(argv, blas, threads, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    c->to = fdopen(to[1], "w");
    c->from = fdopen(from[0], "r");
    if (c->pid > 0 && c->to && c->from && fgets(line, sizeof line, c->from) && !strcmp(line, "ready\n") &&
        !kill(c->pid, SIGSTOP)) return c;
    bench_child_stop(c);
    return NULL;
}

double bench_child_ask(bench_child *c, const char *line)
{
    char answer[64];
    double x = NAN;
    if (!c || kill(c->pid, SIGCONT)) return NAN;
    const bool answered = fprintf(c->to, "%s\n", line) > 0 && !fflush(c->to) && fgets(answer, sizeof answer, c->from);
    kill(c->pid, SIGSTOP); /* its threads would go on spinning */
    return answered && tg_parse_real(answer, (int64_t)strcspn(answer, "\n"), &x) ? x : NAN;
}

void bench_child_stop(bench_child *c)
{
    if (!c) return;
    if (c->to) fclose(c->to);
    if (c->from) fclose(c->from);
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
    }
    free(c);
}

int bench_command(const char *const *argv, char *out, int room, double *seconds, double *first)
{
    int pipes[2], status = -1, used = 0;
    if (!open_pipe(pipes)) return -1;
    const double start = tg_now();
    const pid_t pid = fork();
    if (pid == 0) become(argv, -1, pipes[1]);
    close(pipes[1]);
    for (ssize_t n = 1; pid > 0 && n > 0;) {
        char rest[4096];
        n = used < room - 1 ? read(pipes[0], out + used, (size_t)(room - 1 - used)) : read(pipes[0], rest, sizeof rest);
        if (n > 0 && used == 0 && first) *first = tg_now() - start;
        if (n > 0 && used < room - 1) used += (int)n;
    }
    close(pipes[0]);
    out[used] = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    if (seconds) *seconds = tg_now() - start;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
