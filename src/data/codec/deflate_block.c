/* deflate_block.c - one block: its codes, their description, and which of stored, fixed and dynamic is shortest. */
#include <string.h>

#include "base/alloc.h"
#include "base/sort.h"
#include "data/codec/deflate.h"

enum { LITLENS = TG_DEFLATE_LITLENS, DISTS = TG_DEFLATE_DISTS, PRES = 19, END_OF_BLOCK = 256 };
enum { LONGEST = 15, PRE_LONGEST = 7, STORED_MOST = 65535, STORED = 0, FIXED = 1, DYNAMIC = 2 };

/* ---- bits ---------------------------------------------------------------------------------------------------------- */

/* At most 48 at once between two calls of spill. */
static inline void put(tg_deflate_bits *to, uint32_t value, int count)
{
    to->bits |= (uint64_t)value << to->count;
    to->count += count;
}

static inline void spill(tg_deflate_bits *to)
{
    const int bytes = to->count / 8;
    tg_str_add_n(to->out, (const char *)&to->bits, bytes); /* little-endian machines only, as base/hash.c */
    to->bits >>= 8 * bytes;
    to->count %= 8;
}

void tg_deflate_flush(tg_deflate_bits *to)
{
    to->count = (to->count + 7) / 8 * 8;
    spill(to);
}

/* ---- codes --------------------------------------------------------------------------------------------------------- */

typedef struct leaf { uint32_t frequency; int symbol; } leaf;

static int by_frequency(const void *a, const void *b, void *user)
{
    const leaf *x = a, *y = b;
    (void)user;
    return (x->frequency > y->frequency) - (x->frequency < y->frequency);
}

/* Package-merge (Larmore and Hirschberg 1990): level by level, from the deepest up, pairs of the level below are packages beside
 * the leaves; the 2n - 2 lightest of the last level, unpacked, name each symbol as often as its code has bits. */
void tg_deflate_lengths(const uint32_t *frequencies, int count, int longest, uint8_t *lengths)
{
    leaf leaves[LITLENS], other[LITLENS];
    bool is_leaf[LONGEST][2 * LITLENS];
    uint64_t weights[2][2 * LITLENS];
    int n = 0, items = 0;
    memset(lengths, 0, (size_t)count);
    for (int i = 0; i < count; i++)
        if (frequencies[i]) leaves[n++] = (leaf){frequencies[i], i};
    if (n == 1) lengths[leaves[0].symbol] = 1;
    if (n < 2) return;
    tg_sort(leaves, n, (int64_t)sizeof *leaves, other, by_frequency, NULL);
    for (int level = 0; level < longest; level++) {
        const uint64_t *below = weights[(level + 1) % 2];
        uint64_t *here = weights[level % 2];
        const int packages = items / 2;
        int leaf_at = 0, package = 0;
        for (items = 0; leaf_at < n || package < packages; items++) {
            const uint64_t pair = package < packages ? below[2 * package] + below[2 * package + 1] : UINT64_MAX;
            is_leaf[level][items] = leaf_at < n && leaves[leaf_at].frequency <= pair;
            here[items] = is_leaf[level][items] ? leaves[leaf_at++].frequency : (package++, pair);
        }
    }
    int taken = 2 * n - 2;
    for (int level = longest - 1; level >= 0; level--) {
        int named = 0;
        for (int i = 0; i < taken; i++) named += is_leaf[level][i];
        for (int i = 0; i < named; i++) lengths[leaves[i].symbol]++;
        taken = 2 * (taken - named);
    }
}

/* A code of given lengths: each symbol's bits, the first one lowest. */
static void make_codes(const uint8_t *lengths, int count, uint16_t *codes)
{
    int next[LONGEST + 2] = {0};
    for (int i = 0; i < count; i++) next[lengths[i] + 1] += lengths[i] > 0;
    for (int length = 1; length <= LONGEST; length++) next[length + 1] = (next[length + 1] + next[length]) * 2;
    for (int i = 0; i < count; i++) {
        int code = lengths[i] ? next[lengths[i]]++ : 0, reversed = 0;
        for (int bit = 0; bit < lengths[i]; bit++, code >>= 1) reversed = reversed << 1 | (code & 1);
        codes[i] = (uint16_t)reversed;
    }
}

/* Which symbol, how many bits behind it, and which. */
typedef struct spelled { int symbol, bits; uint32_t extra; } spelled;

static inline int log2_of(uint32_t x)
{
    return 31 - __builtin_clz(x);
}

static inline spelled spell_length(int length)
{
    const uint32_t x = (uint32_t)length - 3;
    const int bits = x < 8 ? 0 : log2_of(x) - 2;
    if (length == 258) return (spelled){LITLENS - 1, 0, 0};
    return (spelled){END_OF_BLOCK + 1 + 4 * bits + (int)(x >> bits), bits, x & ((UINT32_C(1) << bits) - 1)};
}

static inline spelled spell_distance(int distance)
{
    const uint32_t x = (uint32_t)distance - 1;
    const int bits = x < 4 ? 0 : log2_of(x) - 1;
    return (spelled){2 * bits + (int)(x >> bits), bits, x & ((UINT32_C(1) << bits) - 1)};
}

/* ---- the description of a block's codes ---------------------------------------------------------------------------- */

typedef struct block {
    uint32_t litlen_counts[LITLENS], dist_counts[DISTS];
    uint64_t extra_bits;                       /* behind all lengths and distances */
    /* those of distances right behind those in use; fixed: LITLENS + 2, then distances */
    uint8_t lengths[LITLENS + 2 + DISTS];
    int litlens, dists;                        /* in use */
    uint8_t run[LITLENS + DISTS], more[LITLENS + DISTS]; /* the lengths as symbols of their own code, and the bits behind these */
    int runs, pres;
    uint8_t pre_lengths[PRES];
} block;

static const uint8_t pre_order[PRES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static int pre_extra(int symbol)
{
    return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

static void add_run(block *b, int symbol, int more)
{
    b->run[b->runs] = (uint8_t)symbol;
    b->more[b->runs++] = (uint8_t)more;
}

/* Repeats as 16 (the last one, 3 to 6 times), 17 (zeros, 3 to 10) and 18 (zeros, 11 to 138). */
static void run_lengths(block *b)
{
    const int count = b->litlens + b->dists;
    b->runs = 0;
    for (int i = 0, n; i < count; i += n) {
        const int length = b->lengths[i];
        for (n = 1; i + n < count && b->lengths[i + n] == length;) n++;
        int left = n;
        if (length) {
            add_run(b, length, 0);
            left--;
        }
        while (left >= 3) {
            const int most = length ? 6 : 138, take = left < most ? left : most;
            if (length) add_run(b, 16, take - 3);
            else if (take < 11) add_run(b, 17, take - 3);
            else add_run(b, 18, take - 11);
            left -= take;
        }
        for (; left > 0; left--) add_run(b, length, 0);
    }
}

/* Codes for what was counted; returns bits of block head, description and symbols. */
static uint64_t plan_dynamic(block *b)
{
    uint32_t counts[PRES] = {0};
    uint64_t bits = 3 + 5 + 5 + 4 + b->extra_bits;
    tg_deflate_lengths(b->litlen_counts, LITLENS, LONGEST, b->lengths);
    for (b->litlens = LITLENS; b->litlens > END_OF_BLOCK + 1 && !b->lengths[b->litlens - 1];) b->litlens--;
    uint8_t *dist_lengths = b->lengths + b->litlens;
    tg_deflate_lengths(b->dist_counts, DISTS, LONGEST, dist_lengths);
    for (b->dists = DISTS; b->dists > 1 && !dist_lengths[b->dists - 1];) b->dists--;
    run_lengths(b);
    for (int i = 0; i < b->runs; i++) counts[b->run[i]]++;
    tg_deflate_lengths(counts, PRES, PRE_LONGEST, b->pre_lengths);
    for (b->pres = PRES; b->pres > 4 && !b->pre_lengths[pre_order[b->pres - 1]];) b->pres--;
    bits += 3 * (uint64_t)b->pres;
    for (int i = 0; i < PRES; i++) bits += (uint64_t)counts[i] * (uint64_t)(b->pre_lengths[i] + pre_extra(i));
    for (int i = 0; i < b->litlens; i++) bits += (uint64_t)b->litlen_counts[i] * b->lengths[i];
    for (int i = 0; i < b->dists; i++) bits += (uint64_t)b->dist_counts[i] * dist_lengths[i];
    return bits;
}

static int fixed_length(int symbol)
{
    return symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
}

static uint64_t plan_fixed(const block *b)
{
    uint64_t bits = 3 + b->extra_bits;
    for (int i = 0; i < LITLENS; i++) bits += (uint64_t)b->litlen_counts[i] * (uint64_t)fixed_length(i);
    for (int i = 0; i < DISTS; i++) bits += (uint64_t)b->dist_counts[i] * 5;
    return bits;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static void put_description(tg_deflate_bits *to, const block *b)
{
    uint16_t codes[PRES];
    make_codes(b->pre_lengths, PRES, codes);
    put(to, (uint32_t)b->litlens - 257, 5);
    put(to, (uint32_t)b->dists - 1, 5);
    put(to, (uint32_t)b->pres - 4, 4);
    for (int i = 0; i < b->pres; i++) {
        put(to, b->pre_lengths[pre_order[i]], 3);
        spill(to);
    }
    for (int i = 0; i < b->runs; i++) {
        put(to, codes[b->run[i]], b->pre_lengths[b->run[i]]);
        put(to, b->more[i], pre_extra(b->run[i]));
        spill(to);
    }
}

static void put_symbols(tg_deflate_bits *to, const block *b, const tg_deflate_symbol *symbols, int64_t count)
{
    uint16_t litlen_codes[LITLENS + 2], dist_codes[DISTS];
    const uint8_t *dist_lengths = b->lengths + b->litlens;
    make_codes(b->lengths, b->litlens, litlen_codes);
    make_codes(dist_lengths, b->dists, dist_codes);
    for (int64_t i = 0; i < count; i++) {
        if (symbols[i].distance == 0) {
            put(to, litlen_codes[symbols[i].length], b->lengths[symbols[i].length]);
        } else {
            const spelled l = spell_length(symbols[i].length), d = spell_distance(symbols[i].distance);
            put(to, litlen_codes[l.symbol], b->lengths[l.symbol]);
            put(to, l.extra, l.bits);
            put(to, dist_codes[d.symbol], dist_lengths[d.symbol]);
            put(to, d.extra, d.bits);
        }
        spill(to);
    }
    put(to, litlen_codes[END_OF_BLOCK], b->lengths[END_OF_BLOCK]);
    spill(to);
}

static void put_stored(tg_deflate_bits *to, const uint8_t *data, int64_t size, bool last)
{
    do {
        const int64_t part = size < STORED_MOST ? size : STORED_MOST;
        put(to, last && part == size, 1);
        put(to, STORED, 2);
        tg_deflate_flush(to);
        put(to, (uint32_t)part, 16);
        put(to, (uint32_t)~part & 0xffff, 16);
        spill(to);
        tg_str_add_n(to->out, (const char *)data, part);
        data += part;
        size -= part;
    } while (size > 0);
}

/* The first head is filled up to a whole byte from where the bits stand, the others, if any, from a whole byte. */
static uint64_t stored_bits(const tg_deflate_bits *to, int64_t size)
{
    const int64_t more = size > STORED_MOST ? (size - 1) / STORED_MOST : 0;
    return (uint64_t)(8 * size + (to->count + 3 + 7) / 8 * 8 - to->count + 32 + more * (8 + 32));
}

void tg_deflate_block(tg_deflate_bits *to, const tg_deflate_symbol *symbols, int64_t count, const uint8_t *data, int64_t size,
                      bool last)
{
    block b = {.litlen_counts[END_OF_BLOCK] = 1};
    for (int64_t i = 0; i < count; i++) {
        if (symbols[i].distance == 0) {
            b.litlen_counts[symbols[i].length]++;
            continue;
        }
        const spelled l = spell_length(symbols[i].length), d = spell_distance(symbols[i].distance);
        b.litlen_counts[l.symbol]++;
        b.dist_counts[d.symbol]++;
        b.extra_bits += (uint64_t)(l.bits + d.bits);
    }
    const uint64_t dynamic = plan_dynamic(&b), fixed = plan_fixed(&b);
    const uint64_t stored = stored_bits(to, size);
    if (stored <= dynamic && stored <= fixed) {
        put_stored(to, data, size, last);
        return;
    }
    put(to, last, 1);
    if (fixed <= dynamic) {
        put(to, FIXED, 2);
        b.litlens = LITLENS + 2;
        b.dists = DISTS;
        for (int i = 0; i < b.litlens; i++) b.lengths[i] = (uint8_t)fixed_length(i);
        memset(b.lengths + b.litlens, 5, DISTS);
    } else {
        put(to, DYNAMIC, 2);
        put_description(to, &b);
    }
    put_symbols(to, &b, symbols, count);
}
