/* spill.c - tests of sorting through a file: the same as in memory, a disk that is full, memory that is not there. */
#include "base/spill.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "support/files.h"

enum { SMALL = 16384, MANY = 100000 }; /* parts of 512 */

/* Records of few keys in no order. */
static tg_record record(int64_t i)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 130);
    r.index = (uint64_t)i;
    return (tg_record){tg_rng_u32(&r) % 700 * UINT64_C(0x123456789abcdef), i - 100};
}

/* Sorts count records into all. */
static tg_status sorted(const char *path, int64_t keep, int64_t count, tg_record *all)
{
    tg_scratch *like = NULL;
    tg_spill *s = NULL;
    bool more = true;
    tg_status status = tg_scratch_new(path, keep, &like);
    if (!status) status = tg_spill_new(like, &s);
    for (int64_t i = 0; i < count && !status; i++) status = tg_spill_add(s, record(i));
    if (!status) CHECK_INT(tg_spill_count(s), count);
    for (int64_t n = 0; !status && more; n++) {
        CHECK(n <= count);
        status = tg_spill_next(s, &all[n], &more);
        if (!status) CHECK(more == (n < count));
    }
    tg_record none;
    if (status && s && tg_spill_count(s) == count) CHECK_INT(tg_spill_next(s, &none, &more), status);
    tg_spill_free(s);
    tg_scratch_free(like);
    return status;
}

TEST(sorted_through_a_file_is_sorted_as_in_memory)
{
    static const int64_t counts[] = {0, 1, 2, 511, 512, 513, 1024, 1025, 5000, MANY}, keeps[] = {0, 700, SMALL};
    const char *folder = test_folder(), *path = in(folder, "x");
    const int64_t live = tg_alloc_live();
    tg_record *one = tg_alloc_array(MANY + 1, sizeof *one), *other = tg_alloc_array(MANY + 1, sizeof *other);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const int64_t n = counts[c];
        CHECK_OK(sorted(path, 1 << 24, n, one));
        for (int64_t i = 1; i < n; i++)
            CHECK(one[i - 1].key < one[i].key || (one[i - 1].key == one[i].key && one[i - 1].value < one[i].value));
        for (int k = 0; k < 3; k++) { /* of the least, parts of 8: more of them than fit in memory, one record read of each */
            CHECK_OK(sorted(path, keeps[k], n, other));
            CHECK_BYTES(other, one, n * (int64_t)sizeof *one);
        }
    }
    tg_free(one);
    tg_free(other);
    CHECK_INT(count_names(folder), 0);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(a_sort_survives_any_call_that_fails)
{
    static const char *const calls[] = {"write", "open", "read"};
    const char *folder = test_folder(), *path = in(folder, "x");
    tg_record *want = tg_alloc_array(MANY + 1, sizeof *want), *got = tg_alloc_array(MANY + 1, sizeof *got);
    const int64_t live = tg_alloc_live();
    int failed = 0;
    CHECK_OK(sorted(path, SMALL, MANY, want));
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
        for (int n = 1; n <= 6; n++) {
            char spec[40];
            snprintf(spec, sizeof spec, "%s:%d:%s", calls[c], n, n % 2 ? "ENOSPC" : "SHORT");
            tg_fault_set(spec);
            tg_status status = sorted(path, SMALL, MANY, got);
            tg_fault_set(NULL);
            if (status) CHECK_INT(status, TG_EIO);
            else CHECK_BYTES(got, want, MANY * (int64_t)sizeof *got);
            if (status && c == 0) CHECK(strstr(tg_error(), "no room for a temporary file beside"));
            failed += status != TG_OK;
            CHECK_INT(count_names(folder), 0);
            CHECK_INT(tg_alloc_live(), live);
        }
    CHECK_INT(failed, 5); /* one file, opened once, read often */
    tg_free(want);
    tg_free(got);
}

TEST(a_sort_survives_any_allocation_that_fails)
{
    const char *folder = test_folder(), *path = in(folder, "x");
    tg_record *got = tg_alloc_array(MANY + 1, sizeof *got);
    const int64_t live = tg_alloc_live();
    for (int64_t keep = 0; keep <= 1 << 24; keep += 1 << 24)
        for (int n = 1;; n++) {
            tg_alloc_fail_at(n, false);
            tg_status status = sorted(path, keep, 2000, got);
            tg_alloc_fail_at(0, false);
            CHECK_INT(tg_alloc_live(), live);
            if (!status) {
                CHECK(n > 5);
                break;
            }
            CHECK_INT(status, TG_ENOMEM);
        }
    tg_free(got);
}
