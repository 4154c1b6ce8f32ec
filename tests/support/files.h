/* files.h - what tests of files share: paths that live long enough, contents in one line, a death at any call. */
#ifndef TG_TEST_FILES_H
#define TG_TEST_FILES_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "test.h"

/* A path that lives as long as its test. */
static inline const char *in(const char *folder, const char *name)
{
    static char *kept[2000];
    static int count;
    CHECK(count < 2000);
    kept[count] = tg_path_join(folder, name);
    CHECK(kept[count] != NULL);
    return kept[count++];
}

static inline void put(const char *path, const char *text)
{
    CHECK_OK(tg_write_file(path, text, (int64_t)strlen(text)));
}

static inline void holds(const char *path, const char *text)
{
    char *got = NULL;
    int64_t length = 0;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &got, &length));
    CHECK_TEXT(got, text);
    CHECK_INT(length, strlen(text));
    tg_free(got);
}

/* Names in a folder, those that begin with a dot counted, too. */
static inline int64_t count_names(const char *folder)
{
    char command[1200], line[64] = "";
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *f = popen(command, "r");
    CHECK(f && fgets(line, sizeof line, f));
    pclose(f);
    return strtol(line, NULL, 10);
}

/* Runs job in a child that dies before its n-th call; true: it lived to the end. */
static inline bool survives(int n, void (*job)(const char *), const char *path)
{
    char spec[32];
    int status = 0;
    snprintf(spec, sizeof spec, "kill:%d", n);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        tg_fault_set(spec);
        job(path);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

#endif
