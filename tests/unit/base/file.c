/* Files: written whole or not at all, whatever fails and whenever the process dies; opened without leaving a folder. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/path.h"
#include "support/files.h"

enum { LONG = 200000 }; /* more than the writer holds back */

static const char *const every_call[] = {"open",   "write", "fsync", "close",   "rename",
                                         "unlink", "mkdir", "read",  "truncate"};
enum { CALLS = sizeof every_call / sizeof *every_call };

/* A long text of one letter, so that a torn file shows. */
static const char *text_of(char letter)
{
    static char text[LONG + 1];
    memset(text, letter, LONG);
    return text;
}

static char letter_of(const char *path)
{
    char *got = NULL;
    int64_t length = 0;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &got, &length));
    char letter = got[0];
    CHECK_INT(length, LONG);
    CHECK_BYTES(got, text_of(letter), LONG);
    tg_free(got);
    return letter;
}

/* ---- writing */

TEST(a_file_is_written_and_replaced_and_nothing_else_is_left)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    tg_writer *w = NULL;
    CHECK_OK(tg_writer_new(path, &w));
    CHECK_OK(tg_writer_add(w, "ab", 2));
    CHECK_OK(tg_writer_add(w, NULL, 0));
    CHECK_INT(tg_path_kind(path), TG_PATH_NONE);
    CHECK_OK(tg_writer_add(w, "c", 1));
    CHECK_OK(tg_writer_commit(w));
    holds(path, "abc");
    put(path, "");
    holds(path, "");
    CHECK_OK(tg_writer_new(path, &w));
    CHECK_OK(tg_writer_add(w, "lost", 4));
    tg_writer_abandon(w);
    tg_writer_abandon(NULL);
    holds(path, "");
    CHECK_INT(count_names(folder), 1);
}

TEST(small_and_large_pieces_make_the_same_file)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    tg_writer *w = NULL;
    CHECK_OK(tg_writer_new(path, &w));
    for (int64_t at = 0, piece = 1; at < LONG; at += piece, piece = piece * 3 % 70001) {
        if (piece > LONG - at) piece = LONG - at;
        CHECK_OK(tg_writer_add(w, text_of('x'), piece));
    }
    CHECK_OK(tg_writer_commit(w));
    CHECK_INT(letter_of(path), 'x');
}

TEST(every_failing_call_of_a_save_leaves_the_old_file_and_says_so)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    int failures = 0;
    for (int call = 0; call < CALLS; call++) {
        for (int n = 1; n <= 5; n++) {
            char spec[64];
            tg_fault_set(NULL);
            CHECK_OK(tg_write_file(path, text_of('a'), LONG));
            snprintf(spec, sizeof spec, "%s:%d:EIO", every_call[call], n);
            tg_fault_set(spec);
            tg_status s = tg_write_file(path, text_of('b'), LONG);
            bool after_rename = strcmp(spec, "open:2:EIO") == 0 || strcmp(spec, "fsync:2:EIO") == 0;
            if (s) {
                CHECK_INT(s, TG_EIO);
                test_has(__FILE__, __LINE__, tg_error(), path);
                test_has(__FILE__, __LINE__, tg_error(), "Input/output error");
                failures++;
            }
            tg_fault_set(NULL);
            CHECK_INT(letter_of(path), s && !after_rename ? 'a' : 'b');
            CHECK_INT(count_names(folder), 1);
        }
    }
    /* open, write, fsync, close, rename; then open and fsync of the folder. */
    CHECK_INT(failures, 7);
}

TEST(a_failed_fsync_is_not_tried_again)
{
    const char *folder = test_folder();
    tg_fault_set("fsync:1:EIO");
    CHECK_ERROR(tg_write_file(in(folder, "f"), "x", 1), TG_EIO, "fsync");
    CHECK_INT(count_names(folder), 0);
}

TEST(interrupted_and_short_calls_change_nothing)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    for (int call = 0; call < CALLS; call++) {
        for (int n = 1; n <= 4; n++) {
            bool moves = strcmp(every_call[call], "write") == 0 || strcmp(every_call[call], "read") == 0;
            bool slow = moves || strcmp(every_call[call], "fsync") == 0 || strcmp(every_call[call], "open") == 0
                        || strcmp(every_call[call], "close") == 0;
            for (int kind = moves ? 0 : 1; kind < 2 && slow; kind++) {
                char spec[64];
                snprintf(spec, sizeof spec, "%s:%d:%s", every_call[call], n, kind ? "EINTR" : "SHORT");
                tg_fault_set(spec);
                CHECK_OK(tg_write_file(path, text_of((char)('a' + n)), LONG));
                CHECK_INT(letter_of(path), 'a' + n);
            }
        }
    }
}

TEST(a_full_disk_is_named_with_path_and_size)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    put(path, "old");
    tg_fault_set("write:1:ENOSPC");
    tg_status s = tg_write_file(path, text_of('x'), LONG);
    CHECK_INT(s, TG_EIO);
    test_has(__FILE__, __LINE__, tg_error(), path);
    test_has(__FILE__, __LINE__, tg_error(), "No space left on device");
    test_has(__FILE__, __LINE__, tg_error(), "200000 bytes");
    tg_fault_set(NULL);
    holds(path, "old");
    CHECK_INT(count_names(folder), 1);
}

TEST(a_save_whose_write_failed_cannot_be_committed)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    tg_writer *w = NULL;
    CHECK_OK(tg_writer_new(path, &w));
    tg_fault_set("write:1:EIO");
    CHECK_ERROR(tg_writer_add(w, text_of('x'), LONG), TG_EIO, path);
    CHECK_ERROR(tg_writer_add(w, "y", 1), TG_EIO, "earlier write failed");
    CHECK_ERROR(tg_writer_commit(w), TG_EIO, "earlier write failed");
    CHECK_INT(count_names(folder), 0);
}

static void save_new(const char *path)
{
    if (tg_write_file(path, text_of('b'), LONG)) _exit(9);
}

TEST(killed_at_any_call_of_a_save_the_old_or_the_new_file_is_there)
{
    const char *folder = test_folder(), *path = in(folder, "f");
    int n = 1, old = 0;
    for (bool lived = false; !lived; n++) {
        CHECK_OK(tg_write_file(path, text_of('a'), LONG));
        lived = survives(n, save_new, path);
        char letter = letter_of(path);
        CHECK(letter == 'b' || (letter == 'a' && !lived));
        old += letter == 'a';
        tg_clean_temps(folder);
        CHECK_INT(count_names(folder), 1);
    }
    test_note("killed at %d calls, old file after %d of them", n - 2, old);
    CHECK(n - 2 >= 8 && old >= 4);
}

TEST(the_umask_holds)
{
    const char *folder = test_folder();
    static const struct { mode_t mask, want; } cases[] = {{077, 0600}, {022, 0644}, {0, 0666}};
    for (int i = 0; i < 3; i++) {
        struct stat st;
        umask(cases[i].mask);
        put(in(folder, "f"), "x");
        CHECK_INT(stat(in(folder, "f"), &st), 0);
        CHECK_INT(st.st_mode & 07777, cases[i].want);
    }
}

TEST(a_link_at_the_temporary_name_is_passed_by_and_its_target_untouched)
{
    const char *folder = test_folder(), *victim = in(folder, "victim"), *path = in(folder, "f");
    put(victim, "precious");
    for (int n = 0; n < 50; n++) {
        char name[64];
        snprintf(name, sizeof name, ".f.tmp-%ld-%d", (long)getpid(), n);
        CHECK_INT(symlink("victim", in(folder, name)), 0);
    }
    put(path, "new");
    holds(path, "new");
    holds(victim, "precious");
}

TEST(a_link_at_the_final_name_is_written_through_and_stays_a_link)
{
    const char *folder = test_folder(), *path = in(folder, "link");
    struct stat st;
    put(in(folder, "target"), "old");
    CHECK_INT(symlink("target", path), 0);
    put(path, "new");
    holds(in(folder, "target"), "new");
    CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
    CHECK_INT(symlink("nowhere", in(folder, "lost")), 0);
    CHECK_ERROR(tg_write_file(in(folder, "lost"), "x", 1), TG_EIO, "link to nowhere");
}

TEST(devices_and_folders_are_never_replaced)
{
    const char *folder = test_folder();
    CHECK_ERROR(tg_write_file("/dev/null", "x", 1), TG_EINVAL, "device");
    CHECK_ERROR(tg_write_file(folder, "x", 1), TG_EINVAL, "folder");
    CHECK_ERROR(tg_write_file(in(folder, "not/there"), "x", 1), TG_EIO, "No such file");
}

TEST(only_temporary_names_of_dead_processes_are_cleaned)
{
    const char *folder = test_folder();
    char mine[64], dead[64], old[64], kept_old[64];
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    CHECK(waitpid(pid, NULL, 0) == pid);
    snprintf(mine, sizeof mine, ".f.tmp-%ld-7777", (long)getpid());
    snprintf(dead, sizeof dead, ".f.tmp-%ld-0", (long)pid);
    snprintf(old, sizeof old, ".gone.old-%ld-0", (long)pid);
    snprintf(kept_old, sizeof kept_old, ".f.old-%ld-0", (long)pid);
    static const char *const others[] = {".f.tmp-1-0",      "f", ".f.tmp-x-0", ".tmp-99999999-1", ".f.tmp-99999999-",
                                         "f.tmp-99999999-1"};
    for (int i = 0; i < 6; i++) put(in(folder, others[i]), "x");
    put(in(folder, mine), "x");
    put(in(folder, dead), "x");
    put(in(folder, kept_old), "x");
    CHECK_OK(tg_make_folder(in(folder, ".g.tmp-99999999-3/deep")));
    CHECK_OK(tg_make_folder(in(folder, old)));
    tg_clean_temps(folder);
    for (int i = 0; i < 6; i++) holds(in(folder, others[i]), "x");
    holds(in(folder, mine), "x");
    CHECK_INT(tg_path_kind(in(folder, dead)), TG_PATH_NONE);
    CHECK_INT(tg_path_kind(in(folder, kept_old)), TG_PATH_NONE);
    CHECK_INT(tg_path_kind(in(folder, ".g.tmp-99999999-3")), TG_PATH_NONE);
    CHECK_INT(tg_path_kind(in(folder, "gone")), TG_PATH_FOLDER); /* moved aside, never replaced: back again */
    CHECK_INT(count_names(folder), 8);
    tg_clean_temps("/not/there");
}

/* ---- logs */

TEST(a_log_grows_by_lines_and_is_cut_back_on_request)
{
    const char *path = in(test_folder(), "log");
    tg_appender *a = NULL;
    CHECK_OK(tg_appender_open(path, -1, &a));
    CHECK_OK(tg_appender_line(a, "one", 3));
    CHECK_OK(tg_appender_line(a, "two", 3));
    tg_appender_close(a);
    CHECK_OK(tg_appender_open(path, -1, &a));
    CHECK_OK(tg_appender_line(a, "three", 5));
    tg_appender_close(a);
    holds(path, "one\ntwo\nthree\n");
    CHECK_OK(tg_appender_open(path, 4, &a));
    CHECK_OK(tg_appender_line(a, "2", 1));
    tg_appender_close(a);
    holds(path, "one\n2\n");
    CHECK_OK(tg_appender_open(path, 1000, &a));
    tg_appender_close(a);
    holds(path, "one\n2\n");
    tg_appender_close(NULL);
}

TEST(half_a_line_never_stays_in_a_log)
{
    const char *path = in(test_folder(), "log");
    tg_appender *a = NULL;
    CHECK_OK(tg_appender_open(path, -1, &a));
    CHECK_OK(tg_appender_line(a, "first", 5));
    tg_fault_set("write:1:SHORT,write:2:ENOSPC");
    CHECK_ERROR(tg_appender_line(a, "second", 6), TG_EIO, "No space left on device");
    tg_fault_set(NULL);
    holds(path, "first\n");
    CHECK_OK(tg_appender_line(a, "third", 5));
    tg_appender_close(a);
    holds(path, "first\nthird\n");
}

/* ---- reading */

TEST(a_file_is_read_from_any_place_and_a_short_one_is_named)
{
    const char *path = in(test_folder(), "f");
    tg_file *f = NULL;
    char got[8] = "";
    int64_t n = 0;
    put(path, "0123456789");
    CHECK_OK(tg_file_open(path, &f));
    CHECK_INT(tg_file_size(f), 10);
    CHECK_OK(tg_file_read_at(f, 7, got, 3));
    CHECK_TEXT(got, "789");
    CHECK_ERROR(tg_file_read_at(f, 8, got, 3), TG_EFORMAT, "cut short at byte 10, 1 more");
    CHECK_ERROR(tg_file_read_at(f, -1, got, 3), TG_EINVAL, path);
    CHECK_OK(tg_file_read(f, got, 7, &n));
    CHECK_INT(n, 7);
    CHECK_OK(tg_file_read(f, got, 7, &n));
    CHECK_INT(n, 3);
    CHECK_OK(tg_file_read(f, got, 7, &n));
    CHECK_INT(n, 0);
    tg_file_close(f);
    tg_file_close(NULL);
}

TEST(what_is_no_file_is_refused_and_a_pipe_does_not_hang)
{
    const char *folder = test_folder();
    tg_file *f = NULL;
    CHECK_INT(mkfifo(in(folder, "pipe"), 0600), 0);
    CHECK_ERROR(tg_file_open(in(folder, "pipe"), &f), TG_EINVAL, "is a pipe");
    CHECK_ERROR(tg_file_open(folder, &f), TG_EINVAL, "is a folder");
    CHECK_ERROR(tg_file_open("/dev/zero", &f), TG_EINVAL, "is a device");
    CHECK_ERROR(tg_file_open(in(folder, "none"), &f), TG_EIO, "No such file or directory");
    CHECK(f == NULL);
}

TEST(a_whole_file_is_read_up_to_a_limit)
{
    const char *path = in(test_folder(), "f");
    char *text = NULL;
    int64_t length = 0;
    put(path, "12345");
    CHECK_OK(tg_file_slurp(path, 5, &text, &length));
    CHECK_TEXT(text, "12345");
    tg_free(text);
    CHECK_ERROR(tg_file_slurp(path, 4, &text, &length), TG_EINVAL, "5 bytes");
    tg_fault_set("read:1:EIO");
    CHECK_ERROR(tg_file_slurp(path, 5, &text, &length), TG_EIO, path);
}

/* Puts a pipe that holds text in place of standard input. */
static void pipe_in(const char *text)
{
    int ends[2];
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    CHECK_INT(dup2(ends[0], 0), 0);
    close(ends[0]);
}

TEST(standard_input_may_be_a_pipe)
{
    tg_file *f = NULL;
    char *text = NULL, c;
    int64_t length = 0;
    pipe_in("from a pipe");
    CHECK_OK(tg_file_open("-", &f));
    CHECK_INT(tg_file_size(f), -1);
    CHECK_ERROR(tg_file_read_at(f, 0, &c, 1), TG_EINVAL, "is a pipe");
    tg_file_close(f);
    CHECK_OK(tg_file_slurp("-", 100, &text, &length));
    CHECK_TEXT(text, "from a pipe");
    tg_free(text);
    pipe_in("too long");
    CHECK_ERROR(tg_file_slurp("-", 7, &text, &length), TG_EINVAL, "standard input");
}

TEST(standard_input_may_be_a_file_that_was_read_in_part)
{
    const char *path = in(test_folder(), "f");
    tg_file *f = NULL;
    char got[4] = "";
    put(path, "0123456789");
    int fd = open(path, O_RDONLY);
    CHECK_INT(dup2(fd, 0), 0);
    CHECK_INT(lseek(0, 4, SEEK_SET), 4);
    CHECK_OK(tg_file_open("-", &f));
    CHECK_INT(tg_file_size(f), 6);
    CHECK_OK(tg_file_read_at(f, 1, got, 3));
    CHECK_TEXT(got, "567");
    tg_file_close(f);
}

/* ---- names */

TEST(unsafe_names_are_refused)
{
    static const char *const bad[] = {"",     "/etc/passwd", "..",  "../x", "a/../b", "a/..",
                                      "a//b", "a/",          "-rf", "a\nb", "/"};
    static const char *const good[] = {"a", "a/b", "..a", "a..", "a/...", "a-b", "a/-b", ".hidden", "\xe4\xbd\xa0.txt"};
    char huge[1100];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tg_path_is_safe(bad[i])) test_failed(__FILE__, __LINE__, "\"%s\" passed", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!tg_path_is_safe(good[i])) test_failed(__FILE__, __LINE__, "\"%s\" did not pass", good[i]);
    memset(huge, 'a', sizeof huge);
    huge[1099] = '\0';
    CHECK(!tg_path_is_safe(huge));
    huge[1024] = '\0';
    CHECK(tg_path_is_safe(huge));
}

TEST(files_below_a_folder_are_opened_but_no_link_is_followed)
{
    const char *folder = test_folder();
    tg_file *f = NULL;
    CHECK_OK(tg_make_folder(in(folder, "corpus/items")));
    CHECK_OK(tg_make_folder(in(folder, "secret")));
    put(in(folder, "corpus/items/a"), "x");
    put(in(folder, "secret/key"), "x");
    const char *corpus = in(folder, "corpus");
    CHECK_OK(tg_file_open_below(corpus, "items/a", &f));
    CHECK_INT(tg_file_size(f), 1);
    tg_file_close(f);
    f = NULL;
    CHECK_INT(symlink("a", in(folder, "corpus/items/to-file")), 0);
    CHECK_INT(symlink("items", in(folder, "corpus/to-folder")), 0);
    CHECK_INT(symlink("../secret", in(folder, "corpus/out")), 0);
    CHECK_ERROR(tg_file_open_below(corpus, "items/to-file", &f), TG_EINVAL, "link");
    CHECK_ERROR(tg_file_open_below(corpus, "to-folder/a", &f), TG_EINVAL, "link");
    CHECK_ERROR(tg_file_open_below(corpus, "out/key", &f), TG_EINVAL, "link");
    CHECK_ERROR(tg_file_open_below(corpus, "../secret/key", &f), TG_EINVAL, "..");
    CHECK_ERROR(tg_file_open_below(corpus, "items", &f), TG_EINVAL, "is a folder");
    CHECK_ERROR(tg_file_open_below(corpus, "items/none", &f), TG_EIO, "items/none: No such file");
    CHECK(f == NULL);
}

TEST(names_are_joined_and_taken_apart)
{
    char *path = tg_path_join("a", "b");
    CHECK_TEXT(path, "a/b");
    tg_free(path);
    path = tg_path_join("a/", "b");
    CHECK_TEXT(path, "a/b");
    tg_free(path);
    path = tg_path_join("", "b");
    CHECK_TEXT(path, "b");
    tg_free(path);
    path = tg_path_trim("a//");
    CHECK_TEXT(path, "a");
    tg_free(path);
    path = tg_path_trim("/");
    CHECK_TEXT(path, "/");
    tg_free(path);
    CHECK_TEXT(tg_path_name("a/b.txt"), "b.txt");
    CHECK_TEXT(tg_path_name("b.txt"), "b.txt");
}

/* ---- this process */

TEST(closed_descriptors_0_to_2_are_taken_before_a_file_can)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        close(0);
        close(1);
        close(2);
        tg_process_start();
        _exit(open("/dev/null", O_RDONLY) >= 3 && write(2, "x", 1) == 1 ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

TEST(a_reader_that_left_and_a_size_limit_are_errors_and_no_signals)
{
    int ends[2];
    tg_process_start();
    CHECK_INT(pipe(ends), 0);
    close(ends[0]);
    CHECK_INT(write(ends[1], "x", 1), -1);
    CHECK_INT(errno, EPIPE);
    raise(SIGXFSZ);
}

TEST(signals_set_the_flag_and_a_second_interrupt_ends_the_program)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    int status = 0;
    for (int i = 0; i < 3; i++) signal(caught[i], SIG_DFL); /* nohup ignores one, a shell's background another */
    const volatile int *flag = tg_process_catch();
    CHECK_INT(*flag, 0);
    raise(SIGTERM);
    CHECK_INT(*flag, SIGTERM);
    raise(SIGHUP);
    CHECK_INT(*flag, SIGHUP);
    pid_t pid = fork();
    if (pid == 0) {
        raise(SIGINT);
        if (*flag != SIGINT) _exit(1);
        raise(SIGINT);
        _exit(2);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 130);
}

TEST(a_signal_that_was_ignored_at_start_stays_ignored)
{
    signal(SIGHUP, SIG_IGN);
    const volatile int *flag = tg_process_catch();
    raise(SIGHUP);
    CHECK_INT(*flag, 0);
}

TEST(peak_memory_grows_with_use)
{
    int64_t before = tg_peak_memory();
    volatile char *block = malloc(64 << 20);
    CHECK(block != NULL);
    for (int64_t i = 0; i < 64 << 20; i += 1024) block[i] = 1;
    int64_t after = tg_peak_memory();
    free((void *)(uintptr_t)block);
    CHECK(before > 0);
    CHECK(after - before > 48 << 20);
}

TEST(one_file_is_known_by_all_its_names_and_an_output_without_a_folder_is_told)
{
    const char *f = test_folder();
    CHECK_OK(tg_make_folder(in(f, "a")));
    CHECK_OK(tg_write_file(in(f, "a/x"), "x", 1));
    CHECK_OK(tg_write_file(in(f, "y"), "x", 1)); /* the same bytes make no same file */
    CHECK_INT(link(in(f, "a/x"), in(f, "hard")), 0);
    CHECK(tg_path_same(in(f, "a/x"), in(f, "a/../a/./x")));
    CHECK(tg_path_same(in(f, "a/x"), in(f, "hard")));
    CHECK(!tg_path_same(in(f, "a/x"), in(f, "y")));
    CHECK(tg_path_same(in(f, "new"), in(f, "a/../new"))); /* neither is there yet, their folder is */
    CHECK(!tg_path_same(in(f, "new"), in(f, "a/new")));
    CHECK(!tg_path_same(in(f, "no/new"), in(f, "a/new")));
    CHECK_OK(tg_output_check(in(f, "a/new"), false));
    CHECK_OK(tg_output_check("new", false));
    CHECK_OK(tg_output_check("-", false));
    CHECK_OK(tg_output_check(in(f, "a/x"), true));
    CHECK_ERROR(tg_output_check(in(f, "a/x"), false), TG_EINVAL, "is there already; --force replaces it");
    CHECK_ERROR(tg_output_check(in(f, "no/x"), true), TG_EINVAL, "there is no folder");
    CHECK_ERROR(tg_output_check(in(f, "y/x"), true), TG_EINVAL, "there is no folder");
}
