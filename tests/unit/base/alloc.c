/* alloc.c - tests of the allocator and of its switch for failing. */
#include "base/alloc.h"
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

TEST(blocks_are_aligned_to_64_bytes_and_zeroed)
{
    for (int64_t bytes = 0; bytes < 5000; bytes = bytes * 5 / 4 + 1) {
        char *dirty = tg_alloc_raw(bytes);
        memset(dirty, 0xa5, (size_t)bytes); /* likely the next one's memory */
        tg_free(dirty);
        char *block = tg_alloc(bytes);
        CHECK(block && (uintptr_t)block % 64 == 0);
        for (int64_t i = 0; i < bytes; i++) CHECK_INT(block[i], 0);
        tg_free(block);
    }
}

TEST(sizes_that_make_no_sense_are_refused_with_a_message)
{
    CHECK(!tg_alloc(-1));
    CHECK(!tg_alloc(INT64_MAX));
    CHECK(!tg_alloc((INT64_C(1) << 40) + 1));
    CHECK(!tg_alloc_array(INT64_C(1) << 32, INT64_C(1) << 32)); /* 2^64 wraps to 0 */
    CHECK(!tg_alloc_array(INT64_C(1) << 40, INT64_C(1) << 40));
    CHECK(!tg_alloc_array(-1, -1));
    CHECK(!tg_alloc_array(-3, 8));
    tg_fail(TG_OK, "untouched");
    CHECK(!tg_alloc_array(8, -3));
    CHECK_INT(tg_note("x"), TG_ENOMEM);
    CHECK(strstr(tg_error(), "out of memory") != NULL);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(an_array_has_room_for_count_times_size)
{
    int32_t *a = tg_alloc_array(1000, sizeof *a);
    for (int i = 0; i < 1000; i++) CHECK_INT(a[i], 0);
    for (int i = 0; i < 1000; i++) a[i] = i; /* a sanitizer sees a short block */
    tg_free(a);
}

TEST(growing_keeps_what_was_there_and_zeroes_the_rest)
{
    char *p = tg_realloc(NULL, 0, 10);
    memcpy(p, "0123456789", 10);
    p = tg_realloc(p, 10, 3000);
    CHECK((uintptr_t)p % 64 == 0);
    CHECK_BYTES(p, "0123456789", 10);
    for (int i = 10; i < 3000; i++) CHECK_INT(p[i], 0);
    p = tg_realloc(p, 3000, 4);
    CHECK_BYTES(p, "0123", 4);
    CHECK(!tg_realloc(p, 4, -1));
    CHECK_BYTES(p, "0123", 4);
    tg_alloc_fail_at(1, false);
    CHECK(!tg_realloc(p, 4, 100));
    CHECK_BYTES(p, "0123", 4);
    tg_free(p);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_text_is_copied_with_its_end)
{
    char *copy = tg_strdup("r\xc3\xa9sum\xc3\xa9");
    CHECK_TEXT(copy, "r\xc3\xa9sum\xc3\xa9");
    tg_free(copy);
    copy = tg_strdup("");
    CHECK_TEXT(copy, "");
    tg_free(copy);
    tg_free(NULL);
}

TEST(the_nth_allocation_fails_once_or_forever)
{
    tg_alloc_fail_at(3, false);
    for (int i = 1; i <= 6; i++) {
        void *p = tg_alloc(64);
        CHECK_INT(p != NULL, i != 3);
        tg_free(p);
    }
    tg_alloc_fail_at(3, true);
    for (int i = 1; i <= 6; i++) {
        void *p = tg_alloc(INT64_C(4) << 20);
        CHECK_INT(p != NULL, i < 3);
        tg_free(p);
    }
    CHECK(strstr(tg_error(), "out of memory: 4.0 MiB") != NULL);
    tg_alloc_fail_at(0, false);
    void *p = tg_alloc(64);
    CHECK(p != NULL);
    tg_free(p);
}

static void check_environment(const char *value, const char *outcome)
{
    CHECK_INT(tg_alloc_count(), 0); /* else the variable was read before it was set */
    setenv("TG_FAULT", value, 1);
    for (; *outcome; outcome++) {
        void *p = tg_alloc(8);
        CHECK_INT(p ? '+' : '-', *outcome);
        tg_free(p);
    }
}

TEST(the_environment_can_make_one_allocation_fail)
{
    check_environment("malloc:2", "+-+++");
}

TEST(the_environment_can_make_all_further_ones_fail)
{
    check_environment("write:1:EIO,malloc:3+", "++---");
}

TEST(other_faults_in_the_environment_leave_memory_alone)
{
    check_environment("write:1:EIO", "+++++");
}

TEST(asked_and_living_blocks_are_counted)
{
    int64_t asked = tg_alloc_count(), live = tg_alloc_live();
    void *a = tg_alloc(1), *b = tg_alloc(0);
    a = tg_realloc(a, 1, 2);
    CHECK_INT(tg_alloc_count() - asked, 3);
    CHECK_INT(tg_alloc_live() - live, 2);
    tg_free(a);
    tg_free(b);
    CHECK_INT(tg_alloc_live() - live, 0);
}

enum { THREADS = 4, ROUNDS = 5000 };

static void *allocate_often(void *failures)
{
    for (int i = 0; i < ROUNDS; i++) {
        void *p = tg_alloc(100);
        if (!p) ++*(int *)failures;
        tg_free(p);
    }
    return NULL;
}

TEST(counts_and_the_failing_one_are_exact_with_threads)
{
    pthread_t thread[THREADS];
    int failures[THREADS] = {0}, all = 0;
    int64_t asked = tg_alloc_count();
    tg_alloc_fail_at(THREADS * ROUNDS / 2, false);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&thread[i], NULL, allocate_often, &failures[i]) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL), all += failures[i];
    CHECK_INT(all, 1);
    CHECK_INT(tg_alloc_count() - asked, THREADS * ROUNDS);
    CHECK_INT(tg_alloc_live(), 0);
}
