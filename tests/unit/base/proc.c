/* Children: arguments go through untouched by any shell; what they say and how they end comes back. */
#include "base/proc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file.h"
#include "support/files.h"

/* What a child wrote to the pipe. */
static const char *drain(const int ends[2])
{
    static char text[512];
    int64_t length = 0;
    close(ends[1]);
    for (ssize_t n; length < 511 && (n = read(ends[0], text + length, (size_t)(511 - length))) > 0;) length += n;
    close(ends[0]);
    text[length] = '\0';
    return text;
}

TEST(arguments_reach_the_child_as_they_are)
{
    int ends[2], code = -1;
    CHECK_INT(pipe(ends), 0);
    const char *const argv[] = {"printf", "%s|", "$(touch PWNED)", "a b", "; echo", "'\"", "*", NULL};
    CHECK_OK(tg_proc_run(NULL, argv, ends[1], &code));
    CHECK_INT(code, 0);
    CHECK_TEXT(drain(ends), "$(touch PWNED)|a b|; echo|'\"|*|");
}

TEST(standard_input_is_empty_and_output_is_dropped_unless_wanted)
{
    int ends[2], code = -1;
    CHECK_INT(pipe(ends), 0);
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"cat", NULL}, ends[1], &code));
    CHECK_INT(code, 0);
    CHECK_TEXT(drain(ends), "");
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"echo", "dropped", NULL}, -1, &code));
    CHECK_INT(code, 0);
}

TEST(exit_codes_and_signals_come_back)
{
    int code = -1;
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"sh", "-c", "exit 7", NULL}, -1, &code));
    CHECK_INT(code, 7);
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"sh", "-c", "kill -9 $$", NULL}, -1, &code));
    CHECK_INT(code, 128 + SIGKILL);
}

TEST(signals_that_we_ignore_act_on_the_child)
{
    int code = -1;
    tg_process_start();
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"sh", "-c", "kill -PIPE $$", NULL}, -1, &code));
    CHECK_INT(code, 128 + SIGPIPE);
}

TEST(whoever_starts_us_may_ignore_the_end_of_children)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    int code = -1;
    CHECK_INT(sigaction(SIGCHLD, &ignore, NULL), 0);
    tg_process_start();
    CHECK_OK(tg_proc_run(NULL, (const char *const[]){"sh", "-c", "exit 7", NULL}, -1, &code));
    CHECK_INT(code, 7);
}

TEST(a_program_that_is_missing_is_named)
{
    int code = -1;
    CHECK_ERROR(tg_proc_run(NULL, (const char *const[]){"no-such-program-here", NULL}, -1, &code), TG_EIO,
                "cannot start no-such-program-here");
    CHECK_INT(code, -1);
}

static tg_status make_file(void *user)
{
    CHECK_OK(tg_write_file(user, "", 0));
    return TG_OK;
}

TEST(whoever_watches_is_called_while_the_child_runs)
{
    int code = -1;
    char path[4096];
    snprintf(path, sizeof path, "%s/go", test_folder());
    /* Waits for the file that only the watcher makes. */
    const char *const argv[] = {"sh", "-c", "until test -e \"$0\"; do :; done; exit 3", path, NULL};
    CHECK_OK(tg_proc_watch(NULL, argv, -1, make_file, path, &code));
    CHECK_INT(code, 3);
}

static tg_status had_enough(void *user)
{
    (*(int *)user)++;
    return tg_fail(TG_EINVAL, "enough");
}

TEST(whoever_watches_may_end_the_child)
{
    int code = -1, calls = 0;
    CHECK_ERROR(tg_proc_watch(NULL, (const char *const[]){"tail", "-f", "/dev/null", NULL}, -1, had_enough, &calls, &code),
                TG_EINVAL, "enough");
    CHECK_INT(calls, 1);
    CHECK_INT(code, -1);
}

TEST(cancelling_ends_the_child)
{
    int code = -1;
    volatile int flag = 2;
    tg_context *ctx = NULL;
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &flag}, &ctx));
    /* Waits for ever if nobody ends it; the runner's time limit would tell. */
    CHECK_ERROR(tg_proc_run(ctx, (const char *const[]){"tail", "-f", "/dev/null", NULL}, -1, &code), TG_ECANCELLED,
                "tail");
    tg_context_free(ctx);
}

TEST(children_run_side_by_side_and_each_end_is_told_once)
{
    tg_procs *p;
    const char *folder = test_folder(), *a = in(folder, "a"), *b = in(folder, "b"), *c = in(folder, "c");
    int64_t number = -1;
    int code = -1;
    CHECK_OK(tg_procs_new(2, &p));
    /* Each waits for the other's file, so both must run at once; the second ends when the first has been told of. */
    const char *const first[] = {"sh", "-c", ": > \"$0\"; until test -e \"$1\"; do :; done; exit 3", a, b, NULL};
    const char *const second[] = {"sh", "-c", "until test -e \"$0\"; do :; done; : > \"$1\"; until test -e \"$2\"; do :; done; kill -9 $$",
                                  a, b, c, NULL};
    CHECK_OK(tg_procs_start(p, first, 30));
    CHECK_OK(tg_procs_start(p, second, 40));
    CHECK_INT(tg_procs_count(p), 2);
    CHECK_OK(tg_procs_wait(p, NULL, 1e18, &number, &code));
    CHECK_INT(number, 30);
    CHECK_INT(code, 3);
    CHECK_OK(tg_procs_wait(p, NULL, 0, &number, &code)); /* time is over already */
    CHECK_INT(number, -1);
    put(c, "");
    CHECK_OK(tg_procs_wait(p, NULL, 1e18, &number, &code));
    CHECK_INT(number, 40);
    CHECK_INT(code, 128 + SIGKILL);
    CHECK_INT(tg_procs_count(p), 0);
    tg_procs_free(p);
}

TEST(cancelling_ends_all_children_and_gives_them_time_to_save)
{
    volatile int flag = 0;
    tg_context *ctx = NULL;
    tg_procs *p;
    int64_t number = -1;
    int code = -1;
    const char *folder = test_folder(), *const marks[] = {in(folder, "x"), in(folder, "y"), in(folder, "z")};
    CHECK_OK(tg_context_new(&(tg_context_options){.threads = 1, .cancel = &flag}, &ctx));
    CHECK_OK(tg_procs_new(100, &p));
    for (int64_t i = 0; i < 3; i++) { /* each saves when it is asked to end */
        const char *const argv[] = {"sh", "-c", "trap ': > \"$0.saved\"; exit 1' TERM; : > \"$0\"; while :; do :; done", marks[i], NULL};
        CHECK_OK(tg_procs_start(p, argv, i));
    }
    for (int i = 0; i < 3; i++)
        while (tg_path_kind(marks[i]) == TG_PATH_NONE) continue;
    flag = 2;
    CHECK_ERROR(tg_procs_wait(p, ctx, 1e18, &number, &code), TG_ECANCELLED, "stopped");
    CHECK_INT(tg_procs_count(p), 0);
    CHECK_INT(count_names(folder), 6);
    tg_procs_free(p);
    tg_context_free(ctx);
}

TEST(a_child_runs_in_another_folder_and_speaks_into_a_file_there)
{
    tg_procs *p;
    const char *top = test_folder(), *folder = in(top, "$(touch PWNED) '\"\n\\");
    int64_t number = -1;
    int code = -1;
    CHECK_OK(tg_make_folder(folder));
    CHECK_OK(tg_procs_new(2, &p));
    put(in(folder, "said"), "what an earlier child said, and that is longer");
    CHECK_OK(tg_procs_start_in(p, (const char *const[]){"sh", "-c", "cat; echo out; echo err >&2; : > here", NULL}, folder, "said", 7));
    CHECK_OK(tg_procs_wait(p, NULL, 1e18, &number, &code));
    CHECK_INT(number, 7);
    CHECK_INT(code, 0);
    holds(in(folder, "said"), "out\nerr\n");
    CHECK_INT(tg_path_kind(in(folder, "here")), TG_PATH_FILE);
    CHECK_INT(tg_path_kind(in(top, "PWNED")), TG_PATH_NONE);
    tg_procs_free(p);
}

TEST(a_child_that_does_not_end_when_asked_is_killed_after_its_grace)
{
    tg_procs *p;
    const char *mark = in(test_folder(), "x");
    const char *const argv[] = {"sh", "-c", "trap '' TERM; : > \"$0\"; while :; do :; done", mark, NULL};
    CHECK_OK(tg_procs_new(0.01, &p));
    CHECK_OK(tg_procs_start(p, argv, 0));
    while (tg_path_kind(mark) == TG_PATH_NONE) continue;
    tg_procs_stop(p);
    CHECK_INT(tg_procs_count(p), 0);
    tg_procs_free(p);
}
