/* sort.c - tests of the stable sort. */
#include "base/sort.h"
#include "test.h"

#include <string.h>

typedef struct item { uint8_t key; char name[2]; } item; /* three bytes: no size that a word copy would fit */

static int by_key(const void *a, const void *b, void *user)
{
    ++*(int64_t *)user;
    return (int)((const item *)a)->key - (int)((const item *)b)->key;
}

enum { MOST = 1000 };

/* Keys from so few values that most have equals; names tell the order in which they came. */
static int64_t fill(item *items, int count, unsigned kinds)
{
    uint32_t state = (uint32_t)count * 2654435761u + kinds;
    for (int i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        items[i] = (item){(uint8_t)((state >> 16) % kinds), {(char)(i >> 7), (char)(i & 127)}};
    }
    return 0;
}

TEST(sorting_orders_keys_and_keeps_equals_as_they_came)
{
    static item items[MOST], scratch[MOST];
    for (int count = 0; count <= MOST; count += count < 70 ? 1 : 93) {
        for (unsigned kinds = 1; kinds < 256; kinds += kinds < 4 ? 1 : 83) {
            int64_t compares = fill(items, count, kinds);
            int seen[256] = {0}, want[256] = {0};
            for (int i = 0; i < count; i++) want[items[i].key]++;
            tg_sort(items, count, sizeof *items, scratch, by_key, &compares);
            for (int i = 0; i < count; i++) {
                seen[items[i].key]++;
                if (i == 0) continue;
                CHECK(items[i - 1].key <= items[i].key);
                if (items[i - 1].key == items[i].key) CHECK(memcmp(items[i - 1].name, items[i].name, 2) < 0);
            }
            CHECK_BYTES(seen, want, (int64_t)sizeof seen);
        }
    }
}

TEST(sorting_never_compares_more_than_n_log_n_times)
{
    static item items[MOST], scratch[MOST];
    for (int order = 0; order < 3; order++) { /* random, ascending, descending */
        int64_t compares = fill(items, MOST, 250);
        for (int i = 0; order && i < MOST; i++) items[i].key = (uint8_t)(order == 1 ? i / 4 : 255 - i / 4);
        tg_sort(items, MOST, sizeof *items, scratch, by_key, &compares);
        CHECK(compares <= 1000 * 10 + 1000); /* one more look at each pair of runs */
        if (order == 1) CHECK_INT(compares, MOST - 1);
    }
}
