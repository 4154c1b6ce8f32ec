/* cli.c - tests of command lines: every tests/cli/NAME.t is one test of test.c's runner.
 *
 *     # a comment; empty lines are skipped too
 *     skip unless command -v python3         the rest of the file is skipped if this fails
 *     $ gen-sample run --temprature 1        a command for sh, in the file's own fresh folder
 *     > more of it                           its further lines, as for a here document
 *     < one line of its standard output      "<~ REGEX": a line in which the POSIX extended expression is found;
 *     ! one line of its standard error       "<*": any number of lines. "!~" and "!*" likewise.
 *     ? 2                                    its exit status, 0 if not given
 *
 * Every line of standard output must be expected; standard error is compared only where a "!" line stands. The
 * programs under test come first in PATH ($TG_BIN, by default build/bin); $TINYGEN_SRC is the source folder (by
 * default the current one); HOME is the test's folder. A last line without its newline counts as a line. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LINES = 4000, MAX_FILES = 500, SHOWN_LINES = 40, PATH_ROOM = 4096, LIMIT_SECONDS = 110 };

typedef enum how { EXACT, REGEX, ANY } how;
typedef struct wanted { how how; const char *text; } wanted;
typedef struct text_lines { char *line[MAX_LINES]; int count; } text_lines;

/* One command and what it should do; pointers go into the file's text. */
typedef struct step {
    int line;
    char *command;
    wanted out[MAX_LINES], err[MAX_LINES];
    int out_count, err_count, status;
} step;

static char source[PATH_ROOM];
static const char *file_name;
static volatile sig_atomic_t line_now;
static int failures;

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static _Noreturn void bad_line(int line, const char *why)
{
    test_failed(file_name, line, "%s", why);
}

static char *read_all(FILE *f)
{
    size_t room = 1 << 16, used = 0;
    char *text = malloc(room);
    rewind(f);
    while (text) {
        used += fread(text + used, 1, room - used - 1, f);
        if (used < room - 1) break;
        char *more = realloc(text, room *= 2);
        if (!more) free(text);
        text = more;
    }
    if (!text) test_failed(__FILE__, __LINE__, "no memory");
    for (size_t i = 0; i < used; i++)
        if (text[i] == 0) text[i] = 1; /* so that a NUL neither ends a line nor passes for an empty one */
    text[used] = 0;
    return text;
}

static void split_lines(char *text, text_lines *out)
{
    for (out->count = 0; *text;) {
        if (out->count == MAX_LINES) test_failed(file_name, (int)line_now, "more than %d lines", MAX_LINES);
        out->line[out->count++] = text;
        text += strcspn(text, "\n");
        if (*text) *text++ = 0;
    }
}

/* "< x", "<~ x", "<*", "<" */
static wanted parse_wanted(char *line, int number)
{
    if (line[1] == '*' && line[2] == 0) return (wanted){ANY, "*"};
    if (line[1] == '~' && line[2] == ' ') return (wanted){REGEX, line + 3};
    if (line[1] == ' ') return (wanted){EXACT, line + 2};
    if (line[1] == 0) return (wanted){EXACT, ""};
    bad_line(number, "one of \"< text\", \"<~ regex\", \"<*\" (or ! for <) is needed");
}

/* Joins "$ first" and the "> more" lines behind it; they are neighbours in the text, so it is done in place. */
static char *join_command(const text_lines *t, int *at)
{
    char *command = t->line[*at] + 2;
    while (*at + 1 < t->count && !strncmp(t->line[*at + 1], "> ", 2)) {
        char *more = t->line[++*at], *end = command + strlen(command);
        *end = '\n';
        memmove(end + 1, more + 2, strlen(more + 2) + 1);
    }
    return command;
}

/* Reads the expectations behind a command; *at ends on the last line that was used. */
static void parse_step(const text_lines *t, int *at, step *s)
{
    s->line = *at + 1;
    s->out_count = s->err_count = s->status = 0;
    s->command = join_command(t, at);
    for (; *at + 1 < t->count; ++*at) {
        char *line = t->line[*at + 1];
        if (line[0] == '<') s->out[s->out_count++] = parse_wanted(line, *at + 2);
        else if (line[0] == '!') s->err[s->err_count++] = parse_wanted(line, *at + 2);
        else if (line[0] == '?') s->status = (int)strtol(line + 1, NULL, 10);
        else break;
    }
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static bool line_fits(wanted w, const char *line)
{
    regex_t compiled;
    if (w.how == EXACT) return !strcmp(w.text, line);
    if (regcomp(&compiled, w.text, REG_EXTENDED | REG_NOSUB)) bad_line((int)line_now, "bad regular expression");
    bool fits = regexec(&compiled, line, 0, NULL, 0) == 0;
    regfree(&compiled);
    return fits;
}

/* As a shell pattern over lines: on a misfit the last ANY takes one line more. */
static bool lines_fit(const wanted *w, int w_count, const text_lines *got)
{
    int i = 0, j = 0, any = -1, taken = 0;
    while (j < got->count) {
        if (i < w_count && w[i].how == ANY) any = i++, taken = j;
        else if (i < w_count && line_fits(w[i], got->line[j])) i++, j++;
        else if (any >= 0) i = any + 1, j = ++taken;
        else return false;
    }
    while (i < w_count && w[i].how == ANY) i++;
    return i == w_count;
}

static void print_line(char sign, const char *mark, const char *text)
{
    printf("    %c %s", sign, mark);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 32 && c != '\t') || c == 127) printf("\\x%02x", c == 1 ? 0u : (unsigned)c);
        else putchar(c);
    }
    putchar('\n');
}

static void print_difference(const wanted *w, int w_count, const text_lines *got)
{
    static const char *marks[] = {"", "~ ", ""};
    int same = 0, w_end = w_count, got_end = got->count;
    while (same < w_end && same < got_end && w[same].how != ANY && line_fits(w[same], got->line[same])) same++;
    while (w_end > same && got_end > same && w[w_end - 1].how != ANY && line_fits(w[w_end - 1], got->line[got_end - 1]))
        w_end--, got_end--;
    for (int i = same > 2 ? same - 2 : 0; i < same; i++) print_line(' ', "", got->line[i]);
    for (int i = same; i < w_end && i < same + SHOWN_LINES; i++) print_line('-', marks[w[i].how], w[i].text);
    for (int i = same; i < got_end && i < same + SHOWN_LINES; i++) print_line('+', "", got->line[i]);
    if (w_end > same + SHOWN_LINES || got_end > same + SHOWN_LINES) printf("      ...\n");
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int run_shell(const char *command, FILE *out, FILE *err)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(fileno(out), 1) < 0 || dup2(fileno(err), 2) < 0) _exit(126);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) test_failed(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void complain(const step *s, bool *told, const char *what)
{
    if (!*told) printf("%s:%d: $ %s\n", file_name, s->line, s->command), failures++;
    *told = true;
    printf("  %s\n", what);
}

static void run_step(const step *s)
{
    FILE *out = tmpfile(), *err = tmpfile();
    static text_lines out_lines, err_lines;
    if (!out || !err) test_failed(__FILE__, __LINE__, "temporary file: %s", strerror(errno));
    int status = run_shell(s->command, out, err);
    char *out_text = read_all(out), *err_text = read_all(err);
    bool told = false, err_told = false;
    split_lines(out_text, &out_lines);
    split_lines(err_text, &err_lines);
    if (!lines_fit(s->out, s->out_count, &out_lines)) {
        complain(s, &told, "standard output differs (- expected, + got):");
        print_difference(s->out, s->out_count, &out_lines);
    }
    if (s->err_count && !lines_fit(s->err, s->err_count, &err_lines)) {
        complain(s, &told, "standard error differs (- expected, + got):");
        print_difference(s->err, s->err_count, &err_lines);
        err_told = true;
    }
    if (status != s->status) {
        char text[80];
        snprintf(text, sizeof text, "exit status %d, expected %d", status, s->status);
        complain(s, &told, text);
    }
    if (told && !err_told && err_lines.count) {
        printf("  its standard error:\n");
        print_difference(NULL, 0, &err_lines);
    }
    free(out_text);
    free(err_text);
    fclose(out);
    fclose(err);
}

static void too_slow(int signal_number)
{
    (void)signal_number;
    char text[] = "too slow: the command at line 00000\n";
    for (int n = (int)line_now, i = (int)sizeof text - 3; n > 0 && text[i] == '0'; n /= 10) text[i--] = (char)('0' + n % 10);
    if (write(2, text, sizeof text - 1) < 0) _exit(2);
    _exit(1);
}

static void skip_unless(const char *command)
{
    FILE *nowhere = tmpfile();
    char why[300];
    if (!nowhere) test_failed(__FILE__, __LINE__, "temporary file: %s", strerror(errno));
    int status = run_shell(command, nowhere, nowhere);
    fclose(nowhere);
    snprintf(why, sizeof why, "needs: %s", command);
    if (status != 0 && failures == 0) test_skip(why);
}

static void run_lines(const text_lines *t)
{
    static step s;
    for (int i = 0; i < t->count; i++) {
        char *line = t->line[i];
        line_now = i + 1;
        if (line[0] == 0 || line[0] == '#') continue;
        if (!strncmp(line, "skip unless ", 12)) {
            skip_unless(line + 12);
        } else if (!strncmp(line, "$ ", 2)) {
            parse_step(t, &i, &s);
            run_step(&s);
        } else {
            bad_line(i + 1, "a line begins with $ > < ! ? # or \"skip unless\"; expectations stand behind their command");
        }
    }
}

static void run_file(void)
{
    static text_lines lines;
    static char path[PATH_ROOM + 300];
    snprintf(path, sizeof path, "%s/tests/cli/%s", source, test_name());
    file_name = path + strlen(source) + 1;
    FILE *f = fopen(path, "r");
    if (!f) test_failed(path, 0, "%s", strerror(errno));
    char *text = read_all(f);
    fclose(f);
    split_lines(text, &lines);
    const char *folder = test_folder();
    if (chdir(folder) || setenv("HOME", folder, 1)) test_failed(folder, 0, "%s", strerror(errno));
    signal(SIGALRM, too_slow);
    alarm(LIMIT_SECONDS);
    run_lines(&lines);
    free(text);
    if (failures) test_failed(file_name, (int)line_now, "%d of its commands failed", failures);
}

/* ---- finding the files, before main ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tg_test *)a)->name, ((const tg_test *)b)->name);
}

static void set_environment(void)
{
    char bin[PATH_ROOM], path[3 * PATH_ROOM];
    const char *from = getenv("TINYGEN_SRC"), *old = getenv("PATH"), *given = getenv("TG_BIN");
    if (!realpath(from && *from ? from : ".", source)) source[0] = 0;
    if (!realpath(given && *given ? given : "build/bin", bin)) bin[0] = 0;
    snprintf(path, sizeof path, "%s:%.8000s", bin, old ? old : "/usr/bin:/bin");
    setenv("TINYGEN_SRC", source, 1);
    setenv("PATH", path, 1);
    setenv("COLUMNS", "80", 1);
}

__attribute__((constructor)) static void find_files(void)
{
    static tg_test tests[MAX_FILES];
    static char names[MAX_FILES][256], folder[PATH_ROOM + 16];
    int count = 0;
    set_environment();
    snprintf(folder, sizeof folder, "%s/tests/cli", source);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && count < MAX_FILES && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n < 3 || e->d_name[0] == '.' || strcmp(e->d_name + n - 2, ".t")) continue;
        memcpy(names[count], e->d_name, n + 1);
        tests[count] = (tg_test){names[count], "tests/cli", run_file, NULL};
        count++;
    }
    if (d) closedir(d);
    qsort(tests, (size_t)count, sizeof tests[0], by_name);
    for (int i = 0; i < count; i++) test_register(&tests[i]);
}
