/* Locks between processes. Children tell by pipes when they hold a lock: nobody waits for time to pass. */
#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "test.h"

static const char *lock_path(void)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/run.lock", test_folder());
    return path;
}

/* A child that takes the lock, says so, and holds it until it is killed. */
static pid_t hold(const char *path)
{
    int ends[2];
    char said = 0;
    CHECK_INT(pipe(ends), 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        tg_lock *l = NULL;
        if (tg_lock_take(path, &l) || write(ends[1], "y", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    CHECK_INT(read(ends[0], &said, 1), 1);
    close(ends[0]);
    return pid;
}

TEST(a_second_process_is_refused_and_told_who_holds_the_lock)
{
    const char *path = lock_path();
    char who[64];
    tg_lock *l = NULL;
    pid_t pid = hold(path);
    snprintf(who, sizeof who, "in use by pid %ld on ", (long)pid);
    CHECK_ERROR(tg_lock_take(path, &l), TG_EBUSY, who);
    test_has(__FILE__, __LINE__, tg_error(), " since 20");
    test_has(__FILE__, __LINE__, tg_error(), path);
    test_has(__FILE__, __LINE__, tg_error(), "wait until it ends");
    CHECK(l == NULL);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

TEST(the_lock_of_a_killed_process_is_free_again)
{
    const char *path = lock_path();
    tg_lock *l = NULL;
    pid_t pid = hold(path);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK_INT(tg_path_kind(path), TG_PATH_FILE);
    CHECK_OK(tg_lock_take(path, &l));
    tg_lock_release(l);
    CHECK_INT(tg_path_kind(path), TG_PATH_NONE);
}

TEST(the_same_process_is_refused_a_second_time_and_released_locks_can_be_taken)
{
    const char *path = lock_path();
    tg_lock *a = NULL, *b = NULL;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(tg_lock_take(path, &a));
        CHECK_ERROR(tg_lock_take(path, &b), TG_EBUSY, "in use by pid");
        tg_lock_release(a);
    }
    tg_lock_release(NULL);
}

TEST(of_many_processes_exactly_one_gets_the_lock)
{
    const char *path = lock_path();
    enum { MANY = 12 };
    int go[2], done[2], got = 0;
    pid_t pids[MANY];
    CHECK_INT(pipe(go), 0);
    CHECK_INT(pipe(done), 0);
    for (int i = 0; i < MANY; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0) {
            char c;
            tg_lock *l = NULL;
            close(go[1]);
            if (read(go[0], &c, 1) != 0) _exit(7); /* all start when the parent closes its end */
            tg_status s = tg_lock_take(path, &l);
            if (write(done[1], s == TG_OK ? "1" : s == TG_EBUSY ? "0" : "x", 1) != 1) _exit(8);
            for (;;) pause();
        }
    }
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < MANY; i++) {
        char c = 0;
        CHECK_INT(read(done[0], &c, 1), 1);
        CHECK(c == '0' || c == '1');
        got += c == '1';
    }
    for (int i = 0; i < MANY; i++) kill(pids[i], SIGKILL);
    for (int i = 0; i < MANY; i++) waitpid(pids[i], NULL, 0);
    CHECK_INT(got, 1);
}

TEST(text_of_others_in_the_lock_is_one_plain_line)
{
    const char *path = lock_path();
    tg_lock *a = NULL, *b = NULL;
    CHECK_OK(tg_lock_take(path, &a));
    FILE *f = fopen(path, "w");
    CHECK(f && fputs("pid 7\x1b]0;x\nmore", f) >= 0 && fclose(f) == 0);
    CHECK_ERROR(tg_lock_take(path, &b), TG_EBUSY, "in use by pid 7;");
    tg_lock_release(a);
}

TEST(a_lock_holds_even_where_its_text_cannot_be_written)
{
    const char *path = lock_path();
    tg_lock *a = NULL, *b = NULL;
    tg_fault_set("write:1:ENOSPC");
    CHECK_OK(tg_lock_take(path, &a));
    CHECK_ERROR(tg_lock_take(path, &b), TG_EBUSY, "in use by another process");
    tg_lock_release(a);
    tg_fault_set(NULL);
    CHECK_ERROR(tg_lock_take("/not/there/lock", &a), TG_EIO, "/not/there/lock");
}
