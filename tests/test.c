/* test.c - runs the tests of test.h: each in a process and process group of its own, several at a time, with a time
 * limit; what a test prints is kept in an unnamed file and shown only if it fails. The exit status of the child is the
 * verdict: 0 passed (a leak that a sanitizer finds at exit counts as failed), EXIT_SKIPPED skipped, all else failed. */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77, LIMIT_SECONDS = 120, FULL_SECONDS = 3600, MAX_JOBS = 64, PATH_ROOM = 4096, MAX_FOLDERS = 16 };

/* Sweeps over everything (TG_TEST_FULL) take their time. */
static int limit_seconds(void)
{
    return getenv("TG_TEST_FULL") ? FULL_SECONDS : LIMIT_SECONDS;
}

typedef struct running {
    const tg_test *test; /* NULL: this slot is free */
    pid_t pid;
    FILE *output, *notes;
    double begin;
    bool timed_out;
} running;

static tg_test *all_tests, **last_link = &all_tests;
static running slots[MAX_JOBS];
static int64_t passed, failed, skipped;
static bool verbose;
static char temporary[PATH_ROOM / 2]; /* absolute; test folders are made below it */

/* In the child. */
static const char *current_test;
static int notes_fd = -1;

void test_register(tg_test *t)
{
    *last_link = t;
    last_link = &t->next;
}

const char *test_name(void)
{
    return current_test;
}

/* ---- what tests call ------------------------------------------------------------------------------------------ */

void test_failed(const char *file, int line, const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(NULL);
    _exit(1);
}

void test_note(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    if (n < 0) return;
    if (n > (int)sizeof text - 2) n = (int)sizeof text - 2;
    text[n++] = '\n';
    if (write(notes_fd, text, (size_t)n) != n) perror("test_note");
}

void test_skip(const char *why)
{
    test_note("%s", why);
    fflush(NULL);
    _exit(EXIT_SKIPPED);
}

void test_equal_int(const char *file, int line, const char *what, int64_t got, int64_t want)
{
    if (got != want) test_failed(file, line, "%s is %lld, not %lld", what, (long long)got, (long long)want);
}

static void print_quoted(FILE *f, const char *s, size_t n)
{
    fputc('"', f);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\n') fputs("\\n", f);
        else if (c < 32 || c == 127) fprintf(f, "\\x%02x", (unsigned)c);
        else fputc(c, f);
    }
    fputc('"', f);
}

void test_equal_text(const char *file, int line, const char *what, const char *got, const char *want)
{
    if (got && want && !strcmp(got, want)) return;
    if (!got || !want) {
        if (got == want) return;
        test_failed(file, line, "%s is %s, not %s", what, got ? got : "NULL", want ? want : "NULL");
    }
    size_t at = 0;
    while (got[at] == want[at]) at++;
    fputs("got  ", stderr);
    print_quoted(stderr, got, strlen(got));
    fputs("\nwant ", stderr);
    print_quoted(stderr, want, strlen(want));
    fputc('\n', stderr);
    test_failed(file, line, "%s differs from byte %zu on", what, at);
}

static void print_bytes(FILE *f, const char *title, const unsigned char *bytes, int64_t from, int64_t to)
{
    fprintf(f, "%s from byte %lld:", title, (long long)from);
    for (int64_t i = from; i < to; i++) fprintf(f, " %02x", (unsigned)bytes[i]);
    fputc('\n', f);
}

void test_equal_bytes(const char *file, int line, const char *what, const void *got, const void *want, int64_t count)
{
    const unsigned char *g = got, *w = want;
    int64_t at = 0;
    while (at < count && g[at] == w[at]) at++;
    if (at == count) return;
    int64_t from = at > 8 ? at - 8 : 0, to = count - at > 8 ? at + 8 : count;
    print_bytes(stderr, "got ", g, from, to);
    print_bytes(stderr, "want", w, from, to);
    test_failed(file, line, "%s differs at byte %lld of %lld", what, (long long)at, (long long)count);
}

void test_close(const char *file, int line, const char *what, const float *got, const double *want, int64_t count,
                double tolerance)
{
    double scale = 1, worst = -1;
    int64_t at = 0, bad = 0;
    for (int64_t i = 0; i < count; i++) scale = fmax(scale, fabs(want[i]));
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (isnan(error)) error = (double)got[i] == want[i] || (isnan(got[i]) && isnan(want[i])) ? 0 : INFINITY;
        bad += error > tolerance * scale;
        if (error > worst) worst = error, at = i;
    }
    if (bad == 0) return;
    test_failed(file, line, "%s: %lld of %lld elements are off by more than %g; the worst, [%lld], is %.9g, not %.9g (off by %g)",
                what, (long long)bad, (long long)count, tolerance * scale, (long long)at, (double)got[at], want[at], worst);
}

void test_equal_hex(const char *file, int line, const char *what, const uint32_t *got, const char *want)
{
    char *end;
    for (int i = 0; *want; i++, want = end + strspn(end, " ")) {
        unsigned long word = strtoul(want, &end, 16);
        if (end == want) test_failed(file, line, "bad hexadecimal words: %s", want);
        if (got[i] != word) test_failed(file, line, "%s: word %d is %08x, not %08lx", what, i, (unsigned)got[i], word);
    }
}

void test_has(const char *file, int line, const char *text, const char *part)
{
    if (text && strstr(text, part)) return;
    test_failed(file, line, "\"%s\" does not contain \"%s\"", text ? text : "(null)", part);
}

/* ---- folders -------------------------------------------------------------------------------------------------- */

static void join(char *out, size_t room, const char *folder, const char *name)
{
    int n = snprintf(out, room, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= room) {
        fprintf(stderr, "test: the path %s/%s is too long\n", folder, name);
        exit(1);
    }
}

/* Makes a folder and its parents. */
static void make_folders(const char *path)
{
    char part[PATH_ROOM];
    for (size_t i = 1; i < sizeof part; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) && errno != EEXIST) {
            fprintf(stderr, "test: cannot make the folder %s: %s\n", part, strerror(errno));
            exit(1);
        }
        if (path[i] == 0) return;
    }
}

static void remove_tree(const char *path)
{
    struct stat st;
    if (lstat(path, &st)) return;
    if (!S_ISDIR(st.st_mode)) {
        unlink(path);
        return;
    }
    chmod(path, 0700); /* a test may have taken its rights away */
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char child[PATH_ROOM];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        join(child, sizeof child, path, e->d_name);
        remove_tree(child);
    }
    if (d) closedir(d);
    rmdir(path);
}

static void folder_of(char *out, size_t room, const char *name, pid_t pid)
{
    char last[256];
    snprintf(last, sizeof last, "%.200s-%ld", name, (long)pid);
    join(out, room, temporary, last);
}

const char *test_folder(void)
{
    static char names[MAX_FOLDERS][PATH_ROOM];
    static int used;
    static char base[PATH_ROOM - 16]; /* made by the first call; a forked helper uses its parent's */
    char number[16];
    if (used == MAX_FOLDERS) test_failed(__FILE__, __LINE__, "a test has at most %d folders", MAX_FOLDERS);
    if (used == 0) folder_of(base, sizeof base, current_test, getpid());
    snprintf(number, sizeof number, "%d", used + 1);
    join(names[used], sizeof names[used], base, number);
    make_folders(names[used]);
    return names[used++];
}

/* ---- the runner ----------------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "test: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void run_in_child(const running *r)
{
    int null = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (null < 0 || dup2(null, 0) < 0 || dup2(fileno(r->output), 1) < 0 || dup2(fileno(r->output), 2) < 0) _exit(1);
    close(null);
    notes_fd = fileno(r->notes);
    fcntl(notes_fd, F_SETFD, FD_CLOEXEC);
    fcntl(fileno(r->output), F_SETFD, FD_CLOEXEC);
    current_test = r->test->name;
    r->test->run();
    exit(0); /* not _exit: sanitizers and coverage work at exit */
}

static void start(running *r, const tg_test *t)
{
    *r = (running){.test = t, .output = tmpfile(), .notes = tmpfile(), .begin = now()};
    if (!r->output || !r->notes) give_up("temporary file");
    fflush(NULL);
    r->pid = fork();
    if (r->pid < 0) give_up("fork");
    if (r->pid == 0) run_in_child(r);
    setpgid(r->pid, r->pid);
}

static void copy_out(FILE *from, const char *indent)
{
    bool new_line = true;
    rewind(from);
    for (int c; (c = getc(from)) != EOF;) {
        if (new_line) fputs(indent, stdout);
        putchar(c);
        new_line = c == '\n';
    }
    if (!new_line) putchar('\n');
}

static void report_failure(const running *r, int status, const char *folder)
{
    struct stat st;
    printf("not ok %s (%s)", r->test->name, r->test->file);
    if (r->timed_out) printf(": killed after %d s\n", limit_seconds());
    else if (WIFSIGNALED(status)) printf(": signal %d, %s\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else printf(": exit status %d\n", WEXITSTATUS(status));
    copy_out(r->output, "    ");
    copy_out(r->notes, "    ");
    if (!stat(folder, &st)) printf("    its folder is kept: %s\n", folder);
}

static void finish(running *r, int status)
{
    char folder[PATH_ROOM];
    double seconds = now() - r->begin;
    folder_of(folder, sizeof folder, r->test->name, r->pid);
    kill(-r->pid, SIGKILL); /* whatever it left running */
    fseek(r->notes, 0, SEEK_END);
    bool has_notes = ftell(r->notes) > 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
        skipped++;
        printf("skip %s\n", r->test->name);
        copy_out(r->notes, "    ");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        failed++;
        report_failure(r, status, folder);
        folder[0] = 0;
    } else {
        passed++;
        if (verbose || has_notes || seconds > 5) printf("ok %s (%.2f s)\n", r->test->name, seconds);
        copy_out(r->notes, "    ");
    }
    if (folder[0]) remove_tree(folder);
    fclose(r->output);
    fclose(r->notes);
    fflush(stdout);
    r->test = NULL;
}

/* Waits until some test has ended or is killed for its slowness. */
static void wait_for_one(void)
{
    for (;;) {
        for (int i = 0; i < MAX_JOBS; i++) {
            running *r = &slots[i];
            int status;
            if (!r->test) continue;
            if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
                finish(r, status);
                return;
            }
            if (!r->timed_out && now() - r->begin > limit_seconds()) {
                r->timed_out = true;
                kill(-r->pid, SIGKILL);
            }
        }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

static void stop_all(int signal_number)
{
    for (int i = 0; i < MAX_JOBS; i++)
        if (slots[i].test) kill(-slots[i].pid, SIGKILL);
    _exit(128 + signal_number);
}

static bool wanted(const tg_test *t, char **filters, int count)
{
    for (int i = 0; i < count; i++)
        if (strstr(t->name, filters[i]) || strstr(t->file, filters[i])) return true;
    return count == 0;
}

static void run_all(char **filters, int count, int jobs)
{
    int active = 0;
    for (const tg_test *t = all_tests; t; t = t->next) {
        if (!wanted(t, filters, count)) continue;
        if (active == jobs) wait_for_one(), active--;
        int i = 0;
        while (slots[i].test) i++;
        start(&slots[i], t);
        active++;
    }
    for (; active > 0; active--) wait_for_one();
}

/* Absolute, because a test may go elsewhere. */
static void choose_temporary(void)
{
    const char *folder = getenv("TG_TEST_TMP");
    char here[PATH_ROOM / 2];
    if (!folder || !*folder) folder = "build/tmp";
    if (!getcwd(here, sizeof here)) give_up("the current folder");
    if (*folder == '/') snprintf(temporary, sizeof temporary, "%s", folder);
    else join(temporary, sizeof temporary, here, folder);
}

int main(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int jobs = cores < 1 ? 1 : (int)cores, i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strncmp(argv[i], "-j", 2)) {
            const char *number = argv[i][2] ? argv[i] + 2 : i + 1 < argc ? argv[++i] : "";
            jobs = (int)strtol(number, NULL, 10);
        } else if (!strcmp(argv[i], "-v")) {
            verbose = true;
        } else if (!strcmp(argv[i], "--list")) {
            for (const tg_test *t = all_tests; t; t = t->next) printf("%s %s\n", t->name, t->file);
            return 0;
        } else {
            fprintf(stderr, "usage: unit|cli [-v] [-j N] [--list] [FILTER...]\n");
            return 2;
        }
    }
    if (jobs < 1) jobs = 1;
    if (jobs > MAX_JOBS) jobs = MAX_JOBS;
    verbose = verbose || i < argc;
    choose_temporary();
    signal(SIGINT, stop_all);
    signal(SIGTERM, stop_all);
    run_all(argv + i, argc - i, jobs);
    printf("%lld passed, %lld failed, %lld skipped\n", (long long)passed, (long long)failed, (long long)skipped);
    return failed > 0;
}
