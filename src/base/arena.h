/* arena.h - bump allocation: many small things freed together, or rewound to a mark every step. 64-byte aligned.
 * After a rewind the blocks are kept, so a step that needs no more than the one before allocates nothing. */
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H
#include "tinygen/base.h"

typedef struct tg_arena tg_arena;
typedef struct tg_arena_mark { int64_t block, used; } tg_arena_mark;

tg_arena *tg_arena_new(int64_t first_block_bytes);
void tg_arena_free(tg_arena *a);
void *tg_arena_alloc(tg_arena *a, int64_t bytes);          /* NOT zeroed; NULL: no memory, message set */
void *tg_arena_zeros(tg_arena *a, int64_t bytes);
char *tg_arena_strdup(tg_arena *a, const char *text);
char *tg_arena_strndup(tg_arena *a, const char *text, int64_t n);
tg_arena_mark tg_arena_here(const tg_arena *a);
void tg_arena_rewind(tg_arena *a, tg_arena_mark mark);     /* (tg_arena_mark){0}: to the start */
int64_t tg_arena_peak(const tg_arena *a);                  /* most bytes in use at once */
#endif
