/* shared.h - real data beside the project, where it is. */
#ifndef TG_TEST_SHARED_H
#define TG_TEST_SHARED_H
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "test.h"

/* TINYGEN_DATA/NAME or ../shared/data/NAME, valid until the next call; the test is skipped where it is not there. */
static inline const char *shared(const char *name)
{
    static char path[4096];
    const char *root = getenv("TINYGEN_DATA") ? getenv("TINYGEN_DATA") : "../shared/data";
    snprintf(path, sizeof path, "%s/%s", root, name);
    if (tg_path_kind(path) == TG_PATH_NONE) test_skip("no data folder (TINYGEN_DATA)");
    return path;
}

static inline char *shared_text(const char *name, int64_t *length)
{
    char *text = NULL;
    CHECK_OK(tg_file_slurp(shared(name), 1 << 24, &text, length));
    return text;
}
#endif
