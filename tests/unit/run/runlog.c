/* Tests of run/runlog.c: what stays of a log when a run goes on. */
#include "run/runlog.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

static const char whole[] = "{\"step\": 10, \"x\": 1}\n{\"step\": 20, \"x\": 2}\n{\"step\": 30, \"x\": 3}\n";
enum { LINE = 21 };

static int64_t keep(const char *text, int64_t step)
{
    int64_t last;
    return tg_runlog_keep(text, (int64_t)strlen(text), step, &last);
}

TEST(lines_after_the_checkpoints_step_are_cut)
{
    CHECK_INT(keep(whole, 30), 3 * LINE);
    CHECK_INT(keep(whole, 29), 2 * LINE);
    CHECK_INT(keep(whole, 20), 2 * LINE);
    CHECK_INT(keep(whole, 9), 0);
    CHECK_INT(keep("", 9), 0);
}

TEST(a_torn_tail_is_cut_wherever_it_tore)
{
    char torn[sizeof whole];
    for (int64_t length = 0; length < 3 * LINE; length++) {
        memcpy(torn, whole, (size_t)length);
        torn[length] = 0;
        CHECK_INT(keep(torn, 1000), length / LINE * LINE);
    }
    CHECK_INT(keep("{\"step\": 10, \"x\n{\"step\": 20}\n", 1000), 0); /* two torn into one */
    CHECK_INT(keep("{\"step\": 99999999999999999999}\n", 1000), 0);
    CHECK_INT(keep("\n\n", 1000), 0);
}

static char *read_log(const char *path)
{
    char *text;
    int64_t length;
    CHECK_OK(tg_file_slurp(path, 1 << 20, &text, &length));
    return text;
}

TEST(a_log_goes_on_after_a_step_as_if_nothing_had_been)
{
    char *path = tg_path_join(test_folder(), "log.jsonl");
    tg_runlog *l;
    tg_log_line last = {.train_loss = -1}, line = {.train_loss = 1.5, .val_loss = NAN, .bpc = NAN, .seconds = 2.5};
    CHECK_OK(tg_runlog_open(path, 0, &last, &l));
    CHECK(last.seconds == 0 && last.train_loss == -1);
    for (line.step = 1; line.step <= 4; line.step++) CHECK_OK(tg_runlog_add(l, &line));
    tg_runlog_close(l);
    char *unbroken = read_log(path);
    CHECK(strstr(unbroken, "\"val_loss\": null") != NULL);

    CHECK_OK(tg_runlog_open(path, 2, &last, &l));
    CHECK(last.seconds == 2.5 && last.train_loss == 1.5); /* of the sessions before */
    for (line.step = 3; line.step <= 4; line.step++) CHECK_OK(tg_runlog_add(l, &line));
    tg_runlog_close(l);
    char *resumed = read_log(path);
    CHECK_TEXT(resumed, unbroken);

    CHECK_OK(tg_runlog_open(path, 0, &last, &l)); /* a new run */
    tg_runlog_close(l);
    char *empty = read_log(path);
    CHECK_TEXT(empty, "");
    tg_free(unbroken);
    tg_free(resumed);
    tg_free(empty);
    tg_free(path);
}
