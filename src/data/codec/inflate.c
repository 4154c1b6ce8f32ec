/* inflate.c - one table look-up a symbol: the next 11 bits (8 of a distance) index a table whose entry says what they begin with;
 * a longer code goes on in a smaller table behind it. The bit buffer is refilled by eight bytes at once, and there is always room
 * behind the output for the longest match, so that the inner loop checks each of the two bounds once a round.
 * Little-endian machines only, as base/hash.c. */
#include "data/codec/inflate.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

/* LITLEN_ROOM, DIST_ROOM: the most entries that any complete code needs (zlib's enough.c: 288 symbols in 11 bits, 32 in 8, 15 at
 * most). */
enum { LITLEN_BITS = 11, DIST_BITS = 8, PRE_BITS = 7, LITLEN_ROOM = 2342, DIST_ROOM = 402, LONGEST = 15 };
enum { LITLENS = 288, DISTS = 32, PRES = 19, END_OF_BLOCK = 256 };
/* Behind the output: a round writes three literals or a match of 258 that is copied in strides of 16. */
enum { SLACK = 320 };

/* An entry of a table: bits 0-7 how many bits to drop, bits 8-11 how many of them are the code (the others are added to the
 * base); bits 12-15 flags; from bit 16 the literal, the base of a length or distance, or where a second table begins. */
#define LITERAL UINT32_C(0x80000000)
#define SECOND UINT32_C(0x8000) /* bits 8-11: how many bits index it */
#define END UINT32_C(0x4000)
#define INVALID UINT32_C(0x2000)
#define SPECIAL (SECOND | END | INVALID)

typedef struct reader {
    const uint8_t *in, *end;
    uint64_t bits;  /* next ones lowest; those above `left` are true or zero */
    unsigned left;  /* how many were taken from the input */
    unsigned over;  /* bytes of zeros that were taken behind the input's end */
} reader;

typedef struct stream {
    reader r;
    const uint8_t *bytes;
    const char *what;
    bool fixed;     /* the tables hold the fixed codes */
    uint32_t litlen[LITLEN_ROOM], dist[DIST_ROOM];
} stream;

/* Of the next byte of which no bit was used. */
static int64_t position(const stream *s)
{
    return s->r.in - s->bytes + s->r.over - s->r.left / 8;
}

static tg_status broken(const stream *s, const char *how)
{
    return tg_fail(TG_EFORMAT, "%s: damaged before byte %" PRId64 ": %s; fetch it again", s->what, position(s), how);
}

static tg_status cut_short(const stream *s)
{
    return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in compressed data; fetch it again", s->what,
                   (int64_t)(s->r.end - s->bytes));
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

/* At least 56 bits; behind the end they are zeros, which `short_of` notices. */
static inline void refill(reader *r)
{
    if (r->end - r->in >= 8) {
        r->bits |= load64(r->in) << r->left;
        r->in += (63 - r->left) >> 3;
        r->left |= 56;
        return;
    }
    for (; r->left < 56; r->left += 8) {
        if (r->in < r->end) r->bits |= (uint64_t)*r->in++ << r->left;
        else r->over++;
    }
}

/* More was used than there is. */
static inline bool short_of(const reader *r)
{
    return r->over * 8 > r->left;
}

static inline uint32_t low_bits(uint64_t bits, unsigned count)
{
    return (uint32_t)(bits & ((UINT64_C(1) << count) - 1));
}

static inline uint32_t take(reader *r, unsigned count)
{
    const uint32_t x = low_bits(r->bits, count);
    r->bits >>= count;
    r->left -= count;
    return x;
}

/* ---- output -------------------------------------------------------------------------------------------------------- */

/* Room for `bytes` and what the inner loop may write behind them. */
static tg_status grow(tg_inflated *out, int64_t bytes)
{
    if (bytes > out->limit) bytes = out->limit;
    if (bytes + SLACK <= out->room) return TG_OK;
    uint8_t *data = tg_alloc_raw(bytes + SLACK);
    if (!data) return TG_ENOMEM;
    if (out->length) memcpy(data, out->data, (size_t)out->length);
    tg_free(out->data);
    out->data = data;
    out->room = bytes + SLACK;
    return TG_OK;
}

tg_status tg_inflate_reserve(tg_inflated *out, int64_t bytes)
{
    return grow(out, bytes);
}

static tg_status too_long(const stream *s, const tg_inflated *out)
{
    return tg_fail(TG_EUNSUPPORTED, "%s: its compressed data make more than the %" PRId64 " bytes that they may make here",
                   s->what, out->limit);
}

/* ---- tables -------------------------------------------------------------------------------------------------------- */

#define EXTRA(base, bits) ((uint32_t)(base) << 16 | (bits))
static const uint32_t length_entries[] = { /* symbols from 257 on */
    EXTRA(3, 0),  EXTRA(4, 0),  EXTRA(5, 0),  EXTRA(6, 0),  EXTRA(7, 0),  EXTRA(8, 0),   EXTRA(9, 0),   EXTRA(10, 0),
    EXTRA(11, 1), EXTRA(13, 1), EXTRA(15, 1), EXTRA(17, 1), EXTRA(19, 2), EXTRA(23, 2),  EXTRA(27, 2),  EXTRA(31, 2),
    EXTRA(35, 3), EXTRA(43, 3), EXTRA(51, 3), EXTRA(59, 3), EXTRA(67, 4), EXTRA(83, 4),  EXTRA(99, 4),  EXTRA(115, 4),
    EXTRA(131, 5), EXTRA(163, 5), EXTRA(195, 5), EXTRA(227, 5), EXTRA(258, 0), INVALID,  INVALID,
};
static const uint32_t dist_entries[DISTS] = {
    EXTRA(1, 0),     EXTRA(2, 0),     EXTRA(3, 0),      EXTRA(4, 0),      EXTRA(5, 1),      EXTRA(7, 1),
    EXTRA(9, 2),     EXTRA(13, 2),    EXTRA(17, 3),     EXTRA(25, 3),     EXTRA(33, 4),     EXTRA(49, 4),
    EXTRA(65, 5),    EXTRA(97, 5),    EXTRA(129, 6),    EXTRA(193, 6),    EXTRA(257, 7),    EXTRA(385, 7),
    EXTRA(513, 8),   EXTRA(769, 8),   EXTRA(1025, 9),   EXTRA(1537, 9),   EXTRA(2049, 10),  EXTRA(3073, 10),
    EXTRA(4097, 11), EXTRA(6145, 11), EXTRA(8193, 12),  EXTRA(12289, 12), EXTRA(16385, 13), EXTRA(24577, 13),
    INVALID,         INVALID,
};

typedef enum alphabet { LITLEN, DIST, PRE } alphabet;

static uint32_t entry_of(alphabet kind, int symbol, int length)
{
    const uint32_t code = (uint32_t)length * 0x101;
    if (kind == DIST) return dist_entries[symbol] + code;
    if (kind == PRE) return (uint32_t)symbol << 16 | code;
    if (symbol < END_OF_BLOCK) return LITERAL | (uint32_t)symbol << 16 | code;
    return (symbol == END_OF_BLOCK ? END : length_entries[symbol - END_OF_BLOCK - 1]) + code;
}

/* Symbols with a code, shortest first. False where the lengths make no prefix code: too many, or too few (but for a lone code of
 * one bit and none at all, which the format allows, not to the code lengths' own code). */
static bool sort_symbols(const uint8_t *lengths, int count, alphabet kind, int counts[LONGEST + 1], uint16_t *sorted,
                         bool *complete)
{
    int next[LONGEST + 2] = {0}, longest = 0;
    int free_codes = 1;
    memset(counts, 0, (LONGEST + 1) * sizeof *counts);
    for (int i = 0; i < count; i++) counts[lengths[i]]++;
    counts[0] = 0;
    for (int length = 1; length <= LONGEST; length++) {
        free_codes = 2 * free_codes - counts[length];
        if (free_codes < 0) return false;
        if (counts[length]) longest = length;
        next[length + 1] = next[length] + counts[length];
    }
    *complete = free_codes == 0;
    if (!*complete && (longest > 1 || (kind == PRE && longest > 0))) return false;
    for (int i = 0; i < count; i++)
        if (lengths[i]) sorted[next[lengths[i]]++] = (uint16_t)i;
    return true;
}

/* How many bits index a second table for codes from `length` bits on, of which counts are left to place: as few as hold all that
 * share the first bits. */
static int second_bits(const int counts[LONGEST + 1], int length, int bits)
{
    int size = length - bits, room = 1 << size;
    while (size + bits < LONGEST && (room -= counts[size + bits]) > 0) {
        size++;
        room *= 2;
    }
    return size;
}

static bool build(uint32_t *table, int bits, const uint8_t *lengths, int count, alphabet kind)
{
    int counts[LONGEST + 1], next = 1 << bits, second_size = 0;
    uint16_t sorted[LITLENS];
    bool complete;
    uint32_t code = 0, prefix = UINT32_MAX, *second = table; /* code: first bit lowest, as it is read */
    if (!sort_symbols(lengths, count, kind, counts, sorted, &complete)) return false;
    if (!complete)
        for (int i = 0; i < 1 << bits; i++) table[i] = INVALID;
    int symbols = 0;
    for (int length = 1; length <= LONGEST; length++) symbols += counts[length];
    for (int i = 0; i < symbols; i++) {
        const int length = lengths[sorted[i]];
        if (length <= bits) {
            const uint32_t entry = entry_of(kind, sorted[i], length);
            for (uint32_t j = code; j < UINT32_C(1) << bits; j += UINT32_C(1) << length) table[j] = entry;
        } else {
            if (low_bits(code, (unsigned)bits) != prefix) {
                prefix = low_bits(code, (unsigned)bits);
                second_size = second_bits(counts, length, bits);
                second = table + next;
                table[prefix] = SECOND | (uint32_t)next << 16 | (uint32_t)second_size << 8 | (uint32_t)bits;
                next += 1 << second_size;
            }
            const uint32_t entry = entry_of(kind, sorted[i], length - bits);
            const uint32_t step = UINT32_C(1) << (length - bits);
            for (uint32_t j = code >> bits; j < UINT32_C(1) << second_size; j += step) second[j] = entry;
        }
        counts[length]--;
        /* adds one to the code as it is read from the other end */
        uint32_t bit = UINT32_C(1) << (length - 1);
        while (code & bit) bit >>= 1;
        code = bit ? (code & (bit - 1)) | bit : 0;
    }
    return true;
}

static void build_fixed(stream *s)
{
    uint8_t lengths[LITLENS];
    if (s->fixed) return;
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    build(s->litlen, LITLEN_BITS, lengths, LITLENS, LITLEN);
    memset(lengths, 5, DISTS);
    build(s->dist, DIST_BITS, lengths, DISTS, DIST);
    s->fixed = true;
}

/* The lengths of both codes, run-length encoded under a code of their own. */
static tg_status read_lengths(stream *s, const uint32_t *pre, uint8_t *lengths, int count)
{
    for (int i = 0; i < count;) {
        refill(&s->r);
        const uint32_t entry = pre[low_bits(s->r.bits, PRE_BITS)];
        if (entry & INVALID) return broken(s, "a code that stands for no code length");
        take(&s->r, entry & 0xff);
        const int symbol = (int)(entry >> 16);
        int run = 1;
        uint8_t length = (uint8_t)symbol;
        if (symbol >= 16) {
            if (symbol == 16 && i == 0) return broken(s, "a code length that repeats the one before the first");
            length = symbol == 16 ? lengths[i - 1] : 0;
            run = symbol == 16 ? 3 + (int)take(&s->r, 2) : symbol == 17 ? 3 + (int)take(&s->r, 3) : 11 + (int)take(&s->r, 7);
        }
        if (short_of(&s->r)) return cut_short(s);
        if (run > count - i) return broken(s, "more code lengths than symbols");
        memset(lengths + i, length, (size_t)run);
        i += run;
    }
    return TG_OK;
}

static tg_status build_dynamic(stream *s)
{
    static const uint8_t order[PRES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITLENS + DISTS] = {0}, pre_lengths[PRES] = {0};
    uint32_t pre[1 << PRE_BITS];
    s->fixed = false;
    refill(&s->r);
    const int litlens = 257 + (int)take(&s->r, 5), dists = 1 + (int)take(&s->r, 5), pres = 4 + (int)take(&s->r, 4);
    if (litlens > 286 || dists > 30) return broken(s, "a block of more symbols than there are");
    for (int i = 0; i < pres; i++) {
        if (i % 8 == 0) refill(&s->r);
        pre_lengths[order[i]] = (uint8_t)take(&s->r, 3);
    }
    if (short_of(&s->r)) return cut_short(s);
    if (!build(pre, PRE_BITS, pre_lengths, PRES, PRE)) return broken(s, "code lengths under no proper code");
    const tg_status status = read_lengths(s, pre, lengths, litlens + dists);
    if (status) return status;
    if (lengths[END_OF_BLOCK] == 0) return broken(s, "a block without an end");
    if (!build(s->litlen, LITLEN_BITS, lengths, litlens, LITLEN)) return broken(s, "literals and lengths under no proper code");
    if (!build(s->dist, DIST_BITS, lengths + litlens, dists, DIST)) return broken(s, "distances under no proper code");
    return TG_OK;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */

/* length bytes from `distance` before; may write up to 15 more. */
static inline void copy_match(uint8_t *to, int64_t distance, int64_t length)
{
    const uint8_t *from = to - distance, *stop = to + length;
    if (distance >= 16) {
        do {
            memcpy(to, from, 16);
            to += 16;
            from += 16;
        } while (to < stop);
        return;
    }
    /* Eight bytes of which the first `stride` are right, and with them the next ones; a run of one byte is spread at once. */
    const int64_t stride = distance == 1 || distance >= 8 ? 8 : distance;
    uint64_t run = UINT64_C(0x0101010101010101) * *from;
    do {
        if (distance > 1) run = load64(from);
        memcpy(to, &run, sizeof run);
        to += stride;
        from += stride;
    } while (to < stop);
}

typedef enum verdict { FULL, ENDED, SHORT, NO_CODE, TOO_FAR } verdict;

/* Symbols until the block ends, something is wrong, or less than SLACK is left of the output. One refill is enough for three
 * literals of 11 bits, and one for a length (15 + 5 bits) with its distance (15 + 13). */
static verdict read_symbols(stream *s, tg_inflated *out, int64_t start)
{
    reader r = s->r; /* whose address nobody keeps, so that it lives in registers */
    uint8_t *o = out->data + out->length, *const last = out->data + out->room - SLACK, *const first = out->data + start;
    verdict end = FULL;
    while (o <= last) {
        refill(&r);
        uint32_t entry = s->litlen[low_bits(r.bits, LITLEN_BITS)];
        for (int i = 0; i < 3 && (entry & LITERAL); i++) {
            take(&r, entry & 0xff);
            *o++ = (uint8_t)(entry >> 16);
            entry = s->litlen[low_bits(r.bits, LITLEN_BITS)];
        }
        refill(&r);
        if (entry & SPECIAL) {
            if (entry & SECOND) {
                take(&r, LITLEN_BITS);
                entry = s->litlen[(entry >> 16) + low_bits(r.bits, entry >> 8 & 15)];
            }
            if (entry & (END | INVALID)) {
                take(&r, entry & 0xff);
                end = entry & END ? ENDED : NO_CODE;
                break;
            }
        }
        if (short_of(&r)) break;
        if (entry & LITERAL) {
            take(&r, entry & 0xff);
            *o++ = (uint8_t)(entry >> 16);
            continue;
        }
        const uint64_t length_bits = r.bits;
        take(&r, entry & 0xff);
        const uint32_t length = (entry >> 16) + (low_bits(length_bits, entry & 0xff) >> (entry >> 8 & 15));
        entry = s->dist[low_bits(r.bits, DIST_BITS)];
        if (entry & SECOND) {
            take(&r, DIST_BITS);
            entry = s->dist[(entry >> 16) + low_bits(r.bits, entry >> 8 & 15)];
        }
        const uint64_t distance_bits = r.bits;
        take(&r, entry & 0xff);
        const int64_t distance = (entry >> 16) + (low_bits(distance_bits, entry & 0xff) >> (entry >> 8 & 15));
        if (entry & INVALID || distance > o - first) {
            end = entry & INVALID ? NO_CODE : TOO_FAR;
            break;
        }
        copy_match(o, distance, length);
        o += length;
    }
    s->r = r;
    out->length = o - out->data;
    return short_of(&r) ? SHORT : end;
}

static tg_status read_coded(stream *s, tg_inflated *out, int64_t start)
{
    for (;;) {
        const verdict v = read_symbols(s, out, start);
        if (v == SHORT) return cut_short(s);
        if (v == NO_CODE) return broken(s, "bits that are no code");
        if (v == TOO_FAR) return broken(s, "a match that reaches back before the beginning");
        if (out->length > out->limit) return too_long(s, out);
        if (v == ENDED) return TG_OK;
        const tg_status status = grow(out, 2 * out->room);
        if (status) return status;
    }
}

/* From the next whole byte on: u16 length, its complement, the bytes. */
static tg_status read_stored(stream *s, tg_inflated *out)
{
    reader *r = &s->r;
    take(r, r->left % 8);
    refill(r);
    const uint32_t length = take(r, 16), complement = take(r, 16);
    if (short_of(r)) return cut_short(s);
    if (length != (~complement & 0xffff)) return broken(s, "the length of a stored block is not repeated as it should be");
    r->in -= r->left / 8 - r->over;
    r->bits = 0;
    r->left = r->over = 0;
    if (length > r->end - r->in) return cut_short(s);
    if (length > out->limit - out->length) return too_long(s, out);
    const int64_t need = out->length + length;
    const tg_status status = need + SLACK > out->room ? grow(out, need > 2 * out->room ? need : 2 * out->room) : TG_OK;
    if (status) return status;
    if (length) memcpy(out->data + out->length, r->in, length);
    r->in += length;
    out->length = need;
    return TG_OK;
}

static tg_status read_blocks(stream *s, tg_inflated *out)
{
    const int64_t start = out->length;
    for (bool last = false; !last;) {
        tg_status status = TG_OK;
        refill(&s->r);
        last = take(&s->r, 1);
        const uint32_t type = take(&s->r, 2);
        if (short_of(&s->r)) return cut_short(s);
        if (type == 3) return broken(s, "a block of no known type");
        if (type == 1) build_fixed(s);
        if (type == 2) status = build_dynamic(s);
        if (!status) status = type == 0 ? read_stored(s, out) : read_coded(s, out, start);
        if (status) return status;
    }
    return TG_OK;
}

tg_status tg_inflate(const uint8_t *bytes, int64_t size, int64_t *at, const char *what, tg_inflated *out)
{
    stream *s = tg_alloc_raw((int64_t)sizeof *s);
    tg_status status = s ? grow(out, out->length > size ? out->length : size) : TG_ENOMEM;
    if (!status) {
        s->r = (reader){.in = bytes + *at, .end = bytes + size};
        s->bytes = bytes;
        s->what = what;
        s->fixed = false;
        status = read_blocks(s, out);
    }
    if (!status) *at = position(s);
    tg_free(s);
    return status;
}

/* ---- zlib ---------------------------------------------------------------------------------------------------------- */

/* A byte of method (8) and window, one of flags that makes both a multiple of 31; the stream; Adler-32, big-endian. */
tg_status tg_zlib_read(const uint8_t *bytes, int64_t size, const char *what, tg_inflated *out)
{
    enum { HEAD = 2, TAIL = 4, PRESET = 32 };
    int64_t at = HEAD;
    const int64_t start = out->length;
    if (size < HEAD + TAIL)
        return tg_fail(TG_EFORMAT, "%s: cut short at byte %" PRId64 ", in compressed data; fetch it again", what, size);
    if ((bytes[0] & 15) != 8 || bytes[0] >> 4 > 7 || (bytes[0] << 8 | bytes[1]) % 31 != 0)
        return tg_fail(TG_EFORMAT, "%s: its compressed data begin with %02x %02x, which is no zlib header", what, bytes[0],
                       bytes[1]);
    if (bytes[1] & PRESET) return tg_fail(TG_EFORMAT, "%s: its compressed data ask for a preset dictionary", what);
    const tg_status status = tg_inflate(bytes, size - TAIL, &at, what, out);
    if (status) return status;
    const uint8_t *t = bytes + at;
    const uint32_t told = (uint32_t)t[0] << 24 | (uint32_t)t[1] << 16 | (uint32_t)t[2] << 8 | t[3];
    const uint32_t is = tg_adler32(1, out->data + start, out->length - start);
    if (told != is)
        return tg_fail(TG_EFORMAT, "%s: damaged: Adler-32 of what was compressed is %08" PRIx32 ", at byte %" PRId64
                       " it is said to be %08" PRIx32 "; fetch it again", what, is, at, told);
    if (at + TAIL < size)
        return tg_fail(TG_EFORMAT, "%s: %" PRId64 " bytes lie behind the end of its compressed data at byte %" PRId64, what,
                       size - at - TAIL, at + TAIL);
    return TG_OK;
}
