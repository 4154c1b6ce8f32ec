/* map.c - open addressing with linear probing over a table of entry numbers; nothing is ever removed. Keys lie one
 * behind the other in order of insertion, so entry i's key is [end of i - 1, end of i). */
#include "base/map.h"
#include "base/alloc.h"
#include "base/hash.h"

#include <string.h>

typedef struct entry { uint64_t hash; int64_t key_end, value; } entry;

struct tg_map {
    entry *entries;
    char *keys;
    uint32_t *table; /* entry number + 1; 0: empty. At most half of it is in use, so a search ends */
    int64_t count, room, key_room;
    int64_t size; /* of the table, a power of two; 0 before the first entry */
};

tg_map *tg_map_new(void)
{
    return tg_alloc(sizeof(tg_map));
}

void tg_map_free(tg_map *m)
{
    if (!m) return;
    tg_free(m->entries);
    tg_free(m->keys);
    tg_free(m->table);
    tg_free(m);
}

int64_t tg_map_count(const tg_map *m)
{
    return m->count;
}

static int64_t key_begin(const tg_map *m, int64_t i)
{
    return i > 0 ? m->entries[i - 1].key_end : 0;
}

/* The slot that holds the key, or the empty one where it belongs. The table is not empty. */
static uint32_t *slot_of(const tg_map *m, uint64_t hash, const void *key, int64_t bytes)
{
    uint64_t mask = (uint64_t)m->size - 1, at = hash & mask;
    for (; m->table[at] != 0; at = (at + 1) & mask) {
        int64_t i = (int64_t)m->table[at] - 1, begin = key_begin(m, i);
        if (m->entries[i].hash != hash || m->entries[i].key_end - begin != bytes) continue;
        if (bytes == 0 || memcmp(m->keys + begin, key, (size_t)bytes) == 0) break;
    }
    return &m->table[at];
}

int64_t tg_map_find(const tg_map *m, const void *key, int64_t bytes)
{
    if (m->size == 0) return -1;
    return (int64_t)*slot_of(m, tg_xxh64_of(key, bytes), key, bytes) - 1;
}

static bool grow_table(tg_map *m)
{
    int64_t size = m->size ? 2 * m->size : 64;
    uint32_t *table = tg_alloc_array(size, sizeof *table);
    if (!table) return false;
    uint64_t mask = (uint64_t)size - 1;
    for (int64_t i = 0; i < m->count; i++) {
        uint64_t at = m->entries[i].hash & mask;
        while (table[at] != 0) at = (at + 1) & mask;
        table[at] = (uint32_t)i + 1;
    }
    tg_free(m->table);
    m->table = table;
    m->size = size;
    return true;
}

/* Room for one more entry and its key in all three arrays; on failure nothing has changed. */
static bool reserve(tg_map *m, int64_t bytes)
{
    if (bytes < 0 || bytes > INT64_MAX / 4 || m->count >= INT32_MAX) {
        tg_fail(TG_ENOMEM, "out of memory: a map of more than 2^31 entries; use less data");
        return false;
    }
    if (2 * (m->count + 1) > m->size && !grow_table(m)) return false;
    if (m->count == m->room) {
        int64_t room = m->room ? 2 * m->room : 32, each = (int64_t)sizeof(entry);
        entry *entries = tg_realloc(m->entries, m->room * each, room * each);
        if (!entries) return false;
        m->entries = entries;
        m->room = room;
    }
    int64_t need = key_begin(m, m->count) + bytes;
    if (need > m->key_room) {
        int64_t room = need < 256 ? 512 : 2 * need;
        char *keys = tg_realloc(m->keys, m->key_room, room);
        if (!keys) return false;
        m->keys = keys;
        m->key_room = room;
    }
    return true;
}

int64_t tg_map_add(tg_map *m, const void *key, int64_t bytes)
{
    uint64_t hash = tg_xxh64_of(key, bytes);
    if (m->size > 0) {
        uint32_t found = *slot_of(m, hash, key, bytes);
        if (found != 0) return (int64_t)found - 1;
    }
    if (!reserve(m, bytes)) return -1;
    int64_t begin = key_begin(m, m->count);
    *slot_of(m, hash, key, bytes) = (uint32_t)m->count + 1;
    if (bytes > 0) memcpy(m->keys + begin, key, (size_t)bytes);
    m->entries[m->count] = (entry){hash, begin + bytes, 0};
    return m->count++;
}

const void *tg_map_key(const tg_map *m, int64_t entry_number, int64_t *bytes)
{
    int64_t begin = key_begin(m, entry_number);
    *bytes = m->entries[entry_number].key_end - begin;
    return m->keys + begin;
}

int64_t *tg_map_value(tg_map *m, int64_t entry_number)
{
    return &m->entries[entry_number].value;
}
