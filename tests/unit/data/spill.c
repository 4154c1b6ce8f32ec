/* spill.c - tests of sorting through a file: the same as in memory, nothing left behind, a disk that is full. */
#include "data/spill.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "support/files.h"

/* ---- helpers */

enum { SMALL = 1 << 14, MANY = 8192 }; /* sixteen parts of 512: the most that so little memory merges */

/* Records of few keys; equal ones come with values in no order. */
static tg_record record(int64_t i)
{
    tg_rng r = tg_rng_at(1, TG_RNG_TEST, 130);
    uint64_t at = (uint64_t)tg_rng_permute(1, TG_RNG_TEST, 131, MANY, i % MANY);
    r.index = at;
    return (tg_record){tg_rng_u32(&r) % 700 * UINT64_C(0x123456789abcdef), (int64_t)at - 100};
}

static tg_status fill(tg_spill *s, int64_t count)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; !status && i < count; i++) status = tg_spill_add(s, record(i));
    return status;
}

/* Sorts count records; the caller's, by tg_free. *parts: how many the file had. */
static tg_status sorted(const char *path, int64_t memory, int64_t count, tg_record **out, int64_t *parts)
{
    tg_spill *s;
    bool more = true;
    tg_record *all = tg_alloc_array(count + 1, sizeof *all);
    if (!all) return TG_ENOMEM;
    int64_t n = 0;
    tg_status status = tg_spill_new(path, memory, &s);
    if (status) {
        tg_free(all);
        return status;
    }
    status = fill(s, count);
    while (!status && more) {
        status = tg_spill_next(s, &all[n], &more);
        if (!status && more) n++;
        if (n == 1 && more) *parts = tg_spill_parts(s);
        CHECK(n <= count);
    }
    tg_spill_free(s);
    if (status) tg_free(all);
    else {
        CHECK_INT(n, count);
        *out = all;
    }
    return status;
}

static void sort_small(const char *path)
{
    tg_record *all = NULL;
    int64_t parts;
    if (!sorted(path, SMALL, 2000, &all, &parts)) tg_free(all);
}

/* ---- the tests */

TEST(sorted_through_a_file_is_sorted_as_in_memory)
{
    static const int64_t counts[] = {0, 1, 2, 511, 512, 513, 1024, 1025, 5000, MANY};
    const char *folder = test_folder(), *path = in(folder, "x");
    int64_t live = tg_alloc_live();
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        tg_record *one, *other;
        int64_t n = counts[c], parts = 0, none = 0;
        CHECK_OK(sorted(path, 1 << 20, n, &one, &none));
        CHECK_OK(sorted(path, SMALL, n, &other, &parts));
        CHECK_INT(none, 0);
        CHECK_INT(parts, n <= 512 ? 0 : (n + 511) / 512);
        CHECK_BYTES(other, one, n * (int64_t)sizeof *one);
        for (int64_t i = 1; i < n; i++)
            CHECK(one[i - 1].key < one[i].key || (one[i - 1].key == one[i].key && one[i - 1].value < one[i].value));
        tg_free(one);
        tg_free(other);
    }
    CHECK_INT(count_names(folder), 0);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(the_file_has_no_name_while_it_is_read)
{
    tg_spill *s;
    tg_record r;
    bool more;
    const char *folder = test_folder();
    CHECK_OK(tg_spill_new(in(folder, "x"), SMALL, &s));
    CHECK_OK(fill(s, 2000));
    CHECK_INT(count_names(folder), 1);
    CHECK_OK(tg_spill_next(s, &r, &more));
    CHECK(more);
    CHECK_INT(count_names(folder), 0);
    CHECK_ERROR(tg_spill_add(s, r), TG_EINVAL, "already being read");
    tg_spill_free(s);
    CHECK_OK(tg_spill_new(in(folder, "x"), SMALL, &s));
    CHECK_OK(fill(s, 2000));
    tg_spill_free(s); /* before anything was read */
    CHECK_INT(count_names(folder), 0);
    tg_spill_free(NULL);
}

TEST(too_many_records_for_the_memory_are_refused)
{
    tg_record *all;
    int64_t parts;
    const char *folder = test_folder(), *path = in(folder, "x");
    int64_t live = tg_alloc_live();
    CHECK_ERROR(sorted(path, SMALL, MANY + 1, &all, &parts), TG_EINVAL, "8193 records in 17 parts");
    CHECK_ERROR(sorted(path, SMALL - 1, 1, &all, &parts), TG_EINVAL, "16384 or more");
    CHECK_INT(count_names(folder), 0);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(a_full_disk_under_a_sort_is_told)
{
    const char *folder = test_folder(), *path = in(folder, "x"), *nowhere = in(folder, "no/such/x");
    int64_t live = tg_alloc_live(), parts;
    tg_record *all, r;
    tg_spill *s;
    bool more;
    tg_fault_set("write:1:ENOSPC");
    CHECK_ERROR(sorted(path, SMALL, 5000, &all, &parts), TG_EIO, "No space left");
    tg_fault_set(NULL);
    CHECK_OK(tg_spill_new(path, SMALL, &s));
    CHECK_OK(fill(s, 5000));
    tg_fault_set("write:1:ENOSPC");
    CHECK_ERROR(tg_spill_next(s, &r, &more), TG_EIO, "No space left");
    tg_fault_set(NULL);
    CHECK_ERROR(tg_spill_next(s, &r, &more), TG_EIO, "an earlier read or write"); /* not: the end */
    tg_spill_free(s);
    CHECK_ERROR(sorted(nowhere, SMALL, 5000, &all, &parts), TG_EIO, "No such file");
    CHECK_INT(count_names(folder), 0);
    CHECK_INT(tg_alloc_live(), live);
}

TEST(a_sort_survives_any_call_that_fails)
{
    static const char *const calls[] = {"write", "open", "close", "fsync", "rename", "read"};
    const char *folder = test_folder(), *path = in(folder, "x");
    int64_t live = tg_alloc_live();
    tg_record *want, *got;
    int64_t parts;
    int failed = 0;
    CHECK_OK(sorted(path, SMALL, 3000, &want, &parts));
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
        for (int n = 1; n <= 6; n++) {
            char spec[40];
            snprintf(spec, sizeof spec, "%s:%d:%s", calls[c], n, n % 2 ? "EIO" : "SHORT");
            tg_fault_set(spec);
            tg_status status = sorted(path, SMALL, 3000, &got, &parts);
            tg_fault_set(NULL);
            if (status) {
                CHECK_INT(status, TG_EIO);
                failed++;
            } else {
                CHECK_BYTES(got, want, 3000 * (int64_t)sizeof *got);
                tg_free(got);
            }
            CHECK_INT(count_names(folder), 0);
            CHECK_INT(tg_alloc_live(), live + 1);
        }
    CHECK(failed >= 6);
    tg_free(want);
}

TEST(a_sort_that_is_killed_leaves_what_can_be_cleaned)
{
    const char *folder = test_folder(), *path = in(folder, "x");
    int n = 1;
    for (; !survives(n, sort_small, path); n++) {
        CHECK(count_names(folder) <= 2);
        tg_clean_temps(folder);
        CHECK_INT(count_names(folder), 0);
    }
    CHECK(n > 8);
}

TEST(a_sort_survives_any_allocation_that_fails)
{
    const char *folder = test_folder(), *path = in(folder, "x");
    int failed = 0;
    for (int n = 1;; n++) {
        tg_record *all;
        int64_t parts, live = tg_alloc_live();
        tg_alloc_fail_at(n, false);
        tg_status status = sorted(path, SMALL, 2000, &all, &parts);
        tg_alloc_fail_at(0, false);
        CHECK_INT(tg_alloc_live(), live + !status);
        CHECK_INT(count_names(folder), 0);
        if (!status) {
            tg_free(all);
            break;
        }
        CHECK_INT(status, TG_ENOMEM);
        failed++;
    }
    CHECK(failed > 5);
}
