/* arena.c - tests of the arena. */
#include "base/alloc.h"
#include "base/arena.h"
#include "test.h"

#include <string.h>

static uint32_t draw(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u, *state >> 8;
}

TEST(pieces_are_aligned_and_do_not_overlap)
{
    tg_arena *a = tg_arena_new(100);
    enum { COUNT = 500 };
    unsigned char *piece[COUNT];
    int64_t size[COUNT];
    uint32_t state = 1;
    for (int i = 0; i < COUNT; i++) {
        size[i] = draw(&state) % (i % 50 == 49 ? 20000 : 200);
        piece[i] = tg_arena_alloc(a, size[i]);
        CHECK(piece[i] && (uintptr_t)piece[i] % 64 == 0);
        memset(piece[i], i & 255, (size_t)size[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (int64_t j = 0; j < size[i]; j++) CHECK_INT(piece[i][j], i & 255);
    tg_arena_free(a);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(zeros_are_zero_even_in_used_memory)
{
    tg_arena *a = tg_arena_new(4096);
    memset(tg_arena_alloc(a, 4000), 0x7f, 4000);
    tg_arena_rewind(a, (tg_arena_mark){0});
    const char *z = tg_arena_zeros(a, 4000);
    for (int i = 0; i < 4000; i++) CHECK_INT(z[i], 0);
    tg_arena_free(a);
}

TEST(texts_are_copied_whole_or_in_part)
{
    tg_arena *a = tg_arena_new(0);
    CHECK_TEXT(tg_arena_strdup(a, "verse"), "verse");
    CHECK_TEXT(tg_arena_strndup(a, "verse", 3), "ver");
    CHECK_TEXT(tg_arena_strndup(a, NULL, 0), "");
    CHECK(!tg_arena_strndup(a, "verse", -1));
    tg_arena_free(a);
}

TEST(a_rewind_keeps_what_stood_before_the_mark)
{
    tg_arena *a = tg_arena_new(256);
    char *kept = tg_arena_strdup(a, "kept");
    tg_arena_mark mark = tg_arena_here(a);
    char *first = tg_arena_alloc(a, 40);
    for (int i = 0; i < 100; i++) memset(tg_arena_alloc(a, 300), 'x', 300);
    tg_arena_rewind(a, mark);
    CHECK_TEXT(kept, "kept");
    CHECK(tg_arena_alloc(a, 40) == (void *)first);
    CHECK_TEXT(kept, "kept");
    tg_arena_free(a);
}

/* Steps of random pieces in random order; those after the second need at most `limit` bytes, as the first two do. */
static void run_steps(int64_t first_block, bool behind_a_mark)
{
    tg_arena *a = tg_arena_new(first_block);
    uint32_t state = 7;
    if (behind_a_mark) CHECK(tg_arena_alloc(a, 700));
    tg_arena_mark mark = behind_a_mark ? tg_arena_here(a) : (tg_arena_mark){0};
    const int64_t limit = 300000;
    int64_t before = 0;
    for (int step = 0; step < 60; step++) {
        if (step == 2) before = tg_alloc_count();
        for (int64_t left = limit; left > 0;) {
            int64_t bytes = draw(&state) % (step % 3 == 0 ? 4096 : 100000) / 64 * 64 + 64;
            if (bytes > left) bytes = left / 64 * 64;
            if (bytes == 0) break;
            CHECK(tg_arena_alloc(a, bytes));
            left -= bytes;
        }
        tg_arena_rewind(a, mark);
    }
    CHECK_INT(tg_alloc_count(), before);
    tg_arena_free(a);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_step_that_needs_no_more_than_the_one_before_allocates_nothing)
{
    run_steps(1024, false);
    run_steps(100000, false);
    run_steps(1024, true);
}

TEST(inner_marks_do_not_disturb_the_steady_state)
{
    tg_arena *a = tg_arena_new(1000);
    int64_t before = 0;
    for (int step = 0; step < 20; step++) {
        if (step == 3) before = tg_alloc_count();
        tg_arena_mark outer = tg_arena_here(a);
        for (int layer = 0; layer < 5; layer++) {
            char *kept = tg_arena_alloc(a, 5000);
            memset(kept, layer, 5000);
            tg_arena_mark inner = tg_arena_here(a);
            memset(tg_arena_alloc(a, 20000), 9, 20000);
            tg_arena_rewind(a, inner);
            CHECK_INT(kept[4999], layer);
        }
        tg_arena_rewind(a, outer);
    }
    CHECK_INT(tg_alloc_count(), before);
    tg_arena_free(a);
}

TEST(the_peak_is_the_most_that_was_in_use_at_once)
{
    tg_arena *a = tg_arena_new(1024);
    for (int i = 0; i < 10; i++) tg_arena_alloc(a, 640);
    CHECK_INT(tg_arena_peak(a), 6400);
    tg_arena_rewind(a, (tg_arena_mark){0});
    tg_arena_alloc(a, 64);
    CHECK_INT(tg_arena_peak(a), 6400);
    tg_arena_alloc(a, 64000);
    CHECK_INT(tg_arena_peak(a), 64064);
    tg_arena_free(a);
}

TEST(an_arena_survives_a_failed_allocation)
{
    tg_alloc_fail_at(2, false);
    CHECK(!tg_arena_new(1024));
    CHECK_INT(tg_alloc_live(), 0);
    tg_arena *a = tg_arena_new(1024);
    char *kept = tg_arena_strdup(a, "kept");
    tg_alloc_fail_at(1, true);
    CHECK(!tg_arena_alloc(a, 5000));
    CHECK(tg_arena_alloc(a, 100)); /* still room in the first block */
    tg_alloc_fail_at(0, false);
    CHECK(!tg_arena_alloc(a, -1));
    CHECK(!tg_arena_alloc(a, INT64_MAX));
    CHECK(tg_arena_alloc(a, 5000));
    CHECK_TEXT(kept, "kept");
    tg_arena_free(a);
    tg_arena_free(NULL);
    CHECK_INT(tg_alloc_live(), 0);
}
