/* arena.c - bump allocation over a row of blocks; blocks[0 .. now] are in use, the later ones are empty and kept.
 *
 * A rewind remembers how much was in use behind the mark. When the next step must leave the mark's block and the
 * kept block behind it is smaller than that, the kept ones are given up for a single block of that size. So a step
 * that needs no more than the one before it allocates nothing, in whatever order and sizes it asks, after at most one
 * such exchange. */
#include "base/arena.h"
#include "base/alloc.h"
#include "base/status.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

enum { ALIGNMENT = 64, SMALLEST = 1024, GROWTH = 64 << 20 }; /* blocks double up to GROWTH */

typedef struct block { char *data; int64_t size, used; } block; /* used <= size, both multiples of ALIGNMENT */

struct tg_arena {
    block *blocks;
    int64_t count, room; /* of blocks */
    int64_t now;         /* the block that serves; blocks behind it have used == 0 */
    int64_t before;      /* bytes used in the blocks ahead of it */
    int64_t wanted;      /* bytes that were in use behind the mark of the last rewind */
    int64_t peak;
};

static int64_t round_up(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool add_block(tg_arena *a, int64_t size)
{
    if (a->count == a->room) {
        int64_t room = a->room ? 2 * a->room : 8, each = (int64_t)sizeof(block);
        block *blocks = tg_realloc(a->blocks, a->room * each, room * each);
        if (!blocks) return false;
        a->blocks = blocks;
        a->room = room;
    }
    char *data = tg_alloc_raw(size);
    if (!data) return false;
    ASAN_POISON_MEMORY_REGION(data, (size_t)size);
    a->blocks[a->count++] = (block){data, size, 0};
    return true;
}

/* Gives up blocks from the end until `count` are left. */
static void drop_blocks(tg_arena *a, int64_t count)
{
    while (a->count > count) {
        block *b = &a->blocks[--a->count];
        ASAN_UNPOISON_MEMORY_REGION(b->data, (size_t)b->size);
        tg_free(b->data);
    }
}

tg_arena *tg_arena_new(int64_t first_block_bytes)
{
    tg_arena *a = tg_alloc(sizeof *a);
    if (!a) return NULL;
    int64_t size = first_block_bytes < SMALLEST ? SMALLEST : first_block_bytes;
    if (size > INT64_MAX - ALIGNMENT || !add_block(a, round_up(size))) {
        tg_arena_free(a);
        return NULL;
    }
    return a;
}

void tg_arena_free(tg_arena *a)
{
    if (!a) return;
    drop_blocks(a, 0);
    tg_free(a->blocks);
    tg_free(a);
}

/* Makes the block behind the present one serve, with room for bytes. */
static bool next_block(tg_arena *a, int64_t bytes)
{
    int64_t need = bytes > a->wanted ? bytes : a->wanted, next = a->now + 1;
    if (next >= a->count || a->blocks[next].size < need) {
        int64_t size = a->blocks[a->now].size < GROWTH / 2 ? 2 * a->blocks[a->now].size : GROWTH;
        drop_blocks(a, next);
        if (!add_block(a, size > need ? size : need)) return false;
    }
    a->before += a->blocks[a->now].used;
    a->now = next;
    return true;
}

void *tg_arena_alloc(tg_arena *a, int64_t bytes)
{
    if (bytes < 0 || bytes > INT64_MAX / 4) return tg_alloc_raw(-1); /* sets the message */
    int64_t size = round_up(bytes ? bytes : 1);
    if (size > a->blocks[a->now].size - a->blocks[a->now].used && !next_block(a, size)) return NULL;
    block *b = &a->blocks[a->now];
    char *memory = b->data + b->used;
    b->used += size;
    if (a->before + b->used > a->peak) a->peak = a->before + b->used;
    ASAN_UNPOISON_MEMORY_REGION(memory, (size_t)bytes);
#ifdef TG_DEBUG
    memset(memory, 0xff, (size_t)bytes); /* floats are NaN, so that reading what was never written shows */
#endif
    return memory;
}

void *tg_arena_zeros(tg_arena *a, int64_t bytes)
{
    void *memory = tg_arena_alloc(a, bytes);
    if (memory) memset(memory, 0, (size_t)bytes);
    return memory;
}

char *tg_arena_strndup(tg_arena *a, const char *text, int64_t n)
{
    char *copy = tg_arena_alloc(a, n >= 0 && n < INT64_MAX ? n + 1 : -1);
    if (!copy) return NULL;
    if (n) memcpy(copy, text, (size_t)n);
    copy[n] = 0;
    return copy;
}

char *tg_arena_strdup(tg_arena *a, const char *text)
{
    return tg_arena_strndup(a, text, (int64_t)strlen(text));
}

tg_arena_mark tg_arena_here(const tg_arena *a)
{
    return (tg_arena_mark){a->now, a->blocks[a->now].used};
}

void tg_arena_rewind(tg_arena *a, tg_arena_mark mark)
{
    TG_ASSERT(mark.block <= a->now && mark.used <= a->blocks[mark.block].used);
    int64_t in_use = a->before + a->blocks[a->now].used;
    for (int64_t i = mark.block; i <= a->now; i++) {
        block *b = &a->blocks[i];
        int64_t keep = i == mark.block ? mark.used : 0;
        if (i < a->now) a->before -= b->used;
        b->used = keep;
        ASAN_POISON_MEMORY_REGION(b->data + keep, (size_t)(b->size - keep));
    }
    a->now = mark.block;
    a->wanted = in_use - a->before - mark.used;
}

int64_t tg_arena_peak(const tg_arena *a)
{
    return a->peak;
}
