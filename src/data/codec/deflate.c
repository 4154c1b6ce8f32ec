/* deflate.c - which matches are taken. Positions whose next four bytes hash alike are chained, the newest first; of three bytes
 * only the newest position is kept. A match waits one byte: if the next one is better it becomes a literal and that match (lazy
 * matching). */
#include "data/codec/deflate.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

enum { WINDOW = 1 << 15, HASH_BITS_MOST = 15, HASH_BITS_LEAST = 8, SHORTEST = 3, LONGEST = 258 };
/* How far a chain is followed; a match that is long enough not to look on; how far back three bytes may come from. */
enum { DEPTH = 64, NICE = 128, NEAR = 4096 };
enum { BLOCK = 1 << 14 /* symbols */ };

/* Positions are kept modulo 2^32 and never believed: a candidate counts if it lies in the window and its bytes are the same. */
typedef struct finder {
    const uint8_t *data;
    int64_t size, inserted;       /* positions below it are in the tables */
    int hash_bits;                /* fewer for less data: tables of zeros cost more than a small picture */
    uint32_t head[1 << HASH_BITS_MOST], near[1 << HASH_BITS_MOST], before[WINDOW];
    tg_deflate_symbol symbols[BLOCK];
    int64_t count, start;         /* of the block that grows */
    tg_deflate_bits to;
} finder;

typedef struct match { int length, distance; } match;

static inline uint32_t load32(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static inline uint32_t hash(uint32_t x, int bits)
{
    return x * UINT32_C(0x9e3779b1) >> (32 - bits);
}

/* Bytes that a and b have in common, up to most. */
static inline int common(const uint8_t *a, const uint8_t *b, int most)
{
    int n = 0;
    for (; n + 8 <= most; n += 8) {
        uint64_t x, y;
        memcpy(&x, a + n, sizeof x);
        memcpy(&y, b + n, sizeof y);
        if (x != y) return n + __builtin_ctzll(x ^ y) / 8;
    }
    while (n < most && a[n] == b[n]) n++;
    return n;
}

/* Puts the position into the tables; *candidate, *near: what stood there. There must be four bytes. */
static inline void insert(finder *f, int64_t at, uint32_t *candidate, uint32_t *near)
{
    const uint32_t four = load32(f->data + at), slot = hash(four, f->hash_bits), near_slot = hash(four << 8, f->hash_bits);
    *candidate = f->head[slot];
    *near = f->near[near_slot];
    f->before[at % WINDOW] = *candidate;
    f->head[slot] = f->near[near_slot] = (uint32_t)at;
    f->inserted = at + 1;
}

/* The best match at the next position that is longer than `longer`; length 0: none. */
static match find(finder *f, int longer, int depth)
{
    const int64_t at = f->inserted;
    const uint8_t *here = f->data + at;
    const int64_t left = f->size - at, reach = at < WINDOW ? at : WINDOW;
    const int most = left < LONGEST ? (int)left : LONGEST;
    match best = {0, 0};
    uint32_t candidate, near;
    if (left < 4) {
        f->inserted++;
        return best;
    }
    insert(f, at, &candidate, &near);
    const int64_t near_distance = (uint32_t)at - near;
    if (longer < SHORTEST && near_distance > 0 && near_distance <= (reach < NEAR ? reach : NEAR) &&
        (load32(here) ^ load32(here - near_distance)) << 8 == 0) {
        best = (match){common(here, here - near_distance, most), (int)near_distance};
        longer = best.length;
    }
    for (int64_t distance = 0; depth > 0 && longer < most; depth--) {
        const int64_t next = (uint32_t)at - candidate;
        if (next <= distance || next > reach) break;
        distance = next;
        candidate = f->before[(at - distance) % WINDOW];
        const uint8_t *there = here - distance;
        if (there[longer] != here[longer] || load32(there) != load32(here)) continue;
        const int length = common(here, there, most);
        if (length <= longer) continue;
        best = (match){length, (int)distance};
        longer = length;
        if (length >= NICE) break;
    }
    return best;
}

static void pass_over(finder *f, int64_t end)
{
    uint32_t candidate, near;
    while (f->inserted < end && f->size - f->inserted >= 4) insert(f, f->inserted, &candidate, &near);
    f->inserted = end;
}

static void end_block(finder *f, int64_t at)
{
    tg_deflate_block(&f->to, f->symbols, f->count, f->data + f->start, at - f->start, at == f->size);
    f->start = at;
    f->count = 0;
}

static inline void add(finder *f, int length, int distance)
{
    f->symbols[f->count++] = (tg_deflate_symbol){(uint16_t)length, (uint16_t)distance};
}

/* A longer match is worth a literal more unless its distance is much larger. */
static inline bool better(match next, match m)
{
    return next.length >= m.length && 4 * (next.length - m.length) + __builtin_clz((unsigned)next.distance) -
           __builtin_clz((unsigned)m.distance) > 2;
}

static void compress(finder *f)
{
    int64_t at = 0;
    while (at < f->size) {
        match m = find(f, SHORTEST - 1, DEPTH);
        while (m.length && m.length < NICE && at + 1 < f->size) {
            const match next = find(f, m.length - 1, DEPTH / 2);
            if (!next.length || !better(next, m)) break;
            add(f, f->data[at++], 0);
            if (f->count == BLOCK) end_block(f, at);
            m = next;
        }
        if (m.length) add(f, m.length, m.distance);
        else add(f, f->data[at], 0);
        at += m.length ? m.length : 1;
        pass_over(f, at);
        if (f->count == BLOCK && at < f->size) end_block(f, at);
    }
    end_block(f, at);
}

tg_status tg_deflate(tg_str *out, const uint8_t *data, int64_t size)
{
    finder *f = tg_alloc_raw((int64_t)sizeof *f);
    if (!f) return TG_ENOMEM;
    f->data = data;
    f->size = size;
    f->inserted = f->count = f->start = 0;
    f->to = (tg_deflate_bits){.out = out};
    f->hash_bits = HASH_BITS_LEAST;
    while (f->hash_bits < HASH_BITS_MOST && size >> f->hash_bits) f->hash_bits++;
    memset(f->head, 0, sizeof *f->head << f->hash_bits);
    memset(f->near, 0, sizeof *f->near << f->hash_bits);
    compress(f);
    tg_deflate_flush(&f->to);
    tg_free(f);
    return out->failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_zlib_write(tg_str *out, const uint8_t *data, int64_t size)
{
    const uint32_t adler = tg_adler32(1, data, size);
    const char tail[] = {(char)(adler >> 24), (char)(adler >> 16), (char)(adler >> 8), (char)adler};
    tg_str_add_n(out, "\x78\x9c", 2); /* deflate with a window of 32 KiB; the level that a reader may guess */
    const tg_status status = tg_deflate(out, data, size);
    if (!status) tg_str_add_n(out, tail, 4);
    return status ? status : out->failed ? TG_ENOMEM : TG_OK;
}
