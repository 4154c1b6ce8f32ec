/* map.h - hash map from byte strings (a 64-bit key is eight of them) to int64. Entries are numbered 0, 1, 2 in order of
 * insertion and walked in that order: no table order anywhere. At most 2^31 - 1 entries. */
#ifndef TG_BASE_MAP_H
#define TG_BASE_MAP_H
#include "tinygen/base.h"
typedef struct tg_map tg_map;
tg_map *tg_map_new(void);
void tg_map_free(tg_map *m);
int64_t tg_map_count(const tg_map *m);
/* Keys are copied. Index of the entry (0, 1, 2 in order of insertion), or -1. */
int64_t tg_map_find(const tg_map *m, const void *key, int64_t bytes);
/* Finds or adds (value 0); -1: no memory. */
int64_t tg_map_add(tg_map *m, const void *key, int64_t bytes);
/* Both are borrowed until the next tg_map_add; a key may lie at any address (memcpy it into an integer). */
const void *tg_map_key(const tg_map *m, int64_t entry, int64_t *bytes);
int64_t *tg_map_value(tg_map *m, int64_t entry);
#endif
