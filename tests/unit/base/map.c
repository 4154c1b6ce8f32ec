/* map.c - tests of the hash map against plain arrays. */
#include "base/alloc.h"
#include "base/map.h"
#include "test.h"

#include <string.h>

TEST(a_new_map_is_empty)
{
    tg_map *m = tg_map_new();
    CHECK_INT(tg_map_count(m), 0);
    CHECK_INT(tg_map_find(m, "a", 1), -1);
    CHECK_INT(tg_map_find(m, "", 0), -1);
    tg_map_free(m);
    tg_map_free(NULL);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(keys_are_told_apart_by_length_and_bytes)
{
    static const struct { const char *bytes; int64_t count; } keys[] = {
        {"", 0}, {"a", 1}, {"b", 1}, {"ab", 2}, {"a\0", 2}, {"a\0b", 3}, {"a\0c", 3}, {"\0", 1}, {"\0\0", 2}
    };
    tg_map *m = tg_map_new();
    for (int i = 0; i < 9; i++) CHECK_INT(tg_map_add(m, keys[i].bytes, keys[i].count), i);
    for (int i = 0; i < 9; i++) {
        int64_t bytes;
        CHECK_INT(tg_map_find(m, keys[i].bytes, keys[i].count), i);
        CHECK_INT(tg_map_add(m, keys[i].bytes, keys[i].count), i);
        const void *key = tg_map_key(m, i, &bytes);
        CHECK_INT(bytes, keys[i].count);
        CHECK_BYTES(key, keys[i].bytes, bytes);
    }
    CHECK_INT(tg_map_count(m), 9);
    tg_map_free(m);
}

TEST(a_hundred_thousand_numbers_keep_order_and_values)
{
    enum { COUNT = 100000 };
    tg_map *m = tg_map_new();
    for (int64_t i = 0; i < COUNT; i++) {
        uint64_t key = (uint64_t)i * 0x9e3779b97f4a7c15u;
        int64_t entry = tg_map_add(m, &key, sizeof key);
        CHECK_INT(entry, i);
        CHECK_INT(*tg_map_value(m, entry), 0);
        *tg_map_value(m, entry) = i * i;
    }
    CHECK_INT(tg_map_count(m), COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        uint64_t key = (uint64_t)i * 0x9e3779b97f4a7c15u, stored, missing = key + 1;
        int64_t bytes;
        CHECK_INT(tg_map_find(m, &key, sizeof key), i);
        CHECK_INT(tg_map_find(m, &missing, sizeof missing), -1);
        CHECK_INT(*tg_map_value(m, i), i * i);
        memcpy(&stored, tg_map_key(m, i, &bytes), sizeof stored);
        CHECK(bytes == 8 && stored == key);
    }
    tg_map_free(m);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_failed_addition_leaves_the_map_as_it_was)
{
    tg_map *m = tg_map_new();
    char key[40] = {0};
    int64_t failures = 0;
    for (int i = 0; i < 3000; i++) {
        memcpy(key, &i, sizeof i);
        int64_t entry = -1;
        for (int64_t n = 1; entry < 0; n++, failures += entry < 0) { /* the n-th allocation of this addition */
            tg_alloc_fail_at(n, false);
            entry = tg_map_add(m, key, sizeof key);
            tg_alloc_fail_at(0, false);
            CHECK_INT(tg_map_count(m), entry < 0 ? i : i + 1);
            CHECK_INT(tg_map_find(m, key, sizeof key), entry);
        }
        CHECK_INT(entry, i);
        *tg_map_value(m, entry) = i;
    }
    CHECK(failures > 10);
    for (int i = 0; i < 3000; i++) {
        memcpy(key, &i, sizeof i);
        CHECK_INT(tg_map_find(m, key, sizeof key), i);
        CHECK_INT(*tg_map_value(m, i), i);
    }
    CHECK_INT(tg_map_add(m, key, -1), -1);
    tg_map_free(m);
}
