/* scratch.c - tests of bytes that spill into a file: the same whatever the bound, nothing left behind. */
#include "base/scratch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/files.h"

static char byte_at(int64_t i)
{
    return (char)(i * 7 + i / 251);
}

static void add(tg_scratch *s, int64_t count)
{
    char part[5000];
    for (int64_t at = tg_scratch_length(s), i = 0; count > 0; count -= i) {
        for (i = 0; i < count && i < (int64_t)sizeof part; i++) part[i] = byte_at(at + i);
        CHECK_OK(tg_scratch_add(s, part, i));
        at += i;
    }
}

static void expect(tg_scratch *s, int64_t at, int64_t count)
{
    const char *view;
    CHECK_OK(tg_scratch_view(s, at, count, &view));
    for (int64_t i = 0; i < count; i++) CHECK(view[i] == byte_at(at + i));
}

static void round_trip(const char *beside, int64_t keep, int64_t bytes)
{
    tg_scratch *s;
    const char *view;
    CHECK_OK(tg_scratch_new(beside, keep, &s));
    add(s, bytes / 2);
    expect(s, 0, bytes / 2);
    add(s, bytes - bytes / 2);
    CHECK_INT(tg_scratch_length(s), bytes);
    CHECK_INT(tg_scratch_memory(s) != NULL, bytes <= keep);
    for (int64_t at = 0; at < bytes; at += 700001) expect(s, at, bytes - at < 1000 ? bytes - at : 1000);
    expect(s, 0, bytes); /* more than a window */
    expect(s, bytes / 3, bytes / 2);
    CHECK_ERROR(tg_scratch_view(s, bytes - 1, 2, &view), TG_EINVAL, "temporary file");
    CHECK_OK(tg_scratch_cut(s, bytes / 2 + 1));
    CHECK_INT(tg_scratch_length(s), bytes / 2 + 1);
    CHECK_ERROR(tg_scratch_view(s, 0, bytes / 2 + 2, &view), TG_EINVAL, "temporary file");
    add(s, 3000); /* goes on where it was cut */
    expect(s, bytes / 2 - 1000 < 0 ? 0 : bytes / 2 - 1000, 3000);
    expect(s, 0, tg_scratch_length(s));
    tg_scratch_free(s);
}

TEST(scratch_gives_back_what_was_added_wherever_it_lies)
{
    static const int64_t keeps[] = {0, 1, 1000, 3 << 20, 1 << 30}, sizes[] = {1, 2, 999, 1 << 20, (4 << 20) + 17};
    const char *folder = test_folder(), *beside = in(folder, "x");
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < 5; i++) round_trip(beside, keeps[k], sizes[i]);
    tg_listing left;
    CHECK_OK(tg_list_tree(folder, &left));
    CHECK_INT(left.count, 0);
    tg_listing_free(&left);
}

TEST(scratch_says_where_it_could_not_write)
{
    tg_scratch *s;
    CHECK_OK(tg_scratch_new("/nowhere/at/all", 10, &s));
    CHECK_OK(tg_scratch_add(s, "0123456789", 10));
    CHECK_ERROR(tg_scratch_add(s, "x", 1), TG_EIO, "/nowhere/at/all");
    tg_scratch_free(s);
    CHECK_INT(tg_alloc_live(), 0);
}
