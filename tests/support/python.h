/* python.h - cases that a Python script prints: skipped, and counted, where there is no Python. */
#ifndef TG_TEST_PYTHON_H
#define TG_TEST_PYTHON_H
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "test.h"

/* The output of `python3 COMMAND`; python_end it. */
static inline FILE *python_start(const char *command)
{
    const char *python = getenv("PYTHON") ? getenv("PYTHON") : "python3";
    static char line[9000];
    snprintf(line, sizeof line, "command -v %s > /dev/null || exit 127; %s %s", python, python, command);
    FILE *f = popen(line, "r");
    CHECK(f != NULL);
    return f;
}

/* cases: how many were read. */
static inline void python_end(FILE *f, int64_t cases)
{
    const int end = pclose(f);
    if (cases == 0 && WEXITSTATUS(end) == 127) test_skip("no python3 (PYTHON)");
    CHECK_INT(end, 0);
    CHECK(cases > 0);
}

/* So many bytes, the caller's by tg_free. At the very end of their block, so that a read behind them is seen. */
static inline uint8_t *python_bytes(FILE *f, int64_t count)
{
    uint8_t *bytes = tg_alloc_raw(count);
    CHECK(bytes && fread(bytes, 1, (size_t)count, f) == (size_t)count);
    return bytes;
}
#endif
