/* hash.c - SHA-256 for identity, xxHash64 for speed, CRC-32 and Adler-32 because PNG and gzip want them. Little-endian machines
 * only (others are refused when building). */
#include "base/hash.h"

#include <string.h>

/* ---- SHA-256, FIPS 180-4 ---- */

/* Fraction of the cube roots of the first 64 primes. */
static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate_right(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* One of the 64 steps, on the eight words where they are: instead of moving them on by one, the caller does. */
static inline void sha_step(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g,
                            uint32_t *h, uint32_t added)
{
    uint32_t big1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    uint32_t big0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    uint32_t first = *h + big1 + ((e & f) ^ (~e & g)) + added;
    *d += first;
    *h = first + big0 + ((a & b) ^ (a & c) ^ (b & c));
}

static void sha_block(uint32_t h[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++) w[t] = big_endian(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];
        uint32_t small0 = rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
        uint32_t small1 = rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10;
        w[t] = w[t - 16] + small0 + w[t - 7] + small1;
    }
    for (int t = 0; t < 64; t++) w[t] += sha_constants[t];
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], i = h[7];
    for (int t = 0; t < 64; t += 8) {
        sha_step(a, b, c, &d, e, f, g, &i, w[t]);
        sha_step(i, a, b, &c, d, e, f, &g, w[t + 1]);
        sha_step(g, i, a, &b, c, d, e, &f, w[t + 2]);
        sha_step(f, g, i, &a, b, c, d, &e, w[t + 3]);
        sha_step(e, f, g, &i, a, b, c, &d, w[t + 4]);
        sha_step(d, e, f, &g, i, a, b, &c, w[t + 5]);
        sha_step(c, d, e, &f, g, i, a, &b, w[t + 6]);
        sha_step(b, c, d, &e, f, g, i, &a, w[t + 7]);
    }
    const uint32_t end[8] = {a, b, c, d, e, f, g, i};
    for (int k = 0; k < 8; k++) h[k] += end[k];
}

/* Bytes. To ask which instructions there are takes a virtual machine as long as to hash some of these KiB without them, and
 * a corpus may be of many short items. */
enum { WORTH_ASKING = 1 << 15 };

static void sha_blocks(tg_sha256 *s, const uint8_t *at, int64_t blocks)
{
    if (s->by_machine) tg_sha256_x86_blocks(s->h, at, blocks, sha_constants);
    else for (int64_t i = 0; i < blocks; i++) sha_block(s->h, at + 64 * i);
}

void tg_sha256_start(tg_sha256 *s)
{
    /* Fraction of the square roots of the first 8 primes. */
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, first, sizeof first);
    s->bytes = 0;
    s->asked = s->by_machine = false;
}

void tg_sha256_add(tg_sha256 *s, const void *data, int64_t count)
{
    const uint8_t *at = data;
    int64_t held = (int64_t)(s->bytes % 64);
    s->bytes += (uint64_t)count;
    if (!s->asked && s->bytes >= WORTH_ASKING) {
        s->asked = true;
        s->by_machine = tg_sha256_x86();
    }
    if (held > 0) {
        int64_t take = count < 64 - held ? count : 64 - held;
        if (take > 0) memcpy(s->block + held, at, (size_t)take);
        if (held + take < 64) return;
        sha_blocks(s, s->block, 1);
        at += take;
        count -= take;
    }
    sha_blocks(s, at, count / 64);
    if (count % 64 > 0) memcpy(s->block, at + count / 64 * 64, (size_t)(count % 64));
}

void tg_sha256_end(tg_sha256 *s, char hex[65])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = s->bytes * 8, held = s->bytes % 64;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
    tg_sha256_add(s, padding, (int64_t)(held < 56 ? 56 - held : 120 - held));
    tg_sha256_add(s, length, 8);
    for (int i = 0; i < 64; i++) hex[i] = "0123456789abcdef"[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = 0;
}

void tg_sha256_hex(const void *data, int64_t count, char hex[65])
{
    tg_sha256 s;
    tg_sha256_start(&s);
    tg_sha256_add(&s, data, count);
    tg_sha256_end(&s, hex);
}

/* ---- CRC-32, ISO 3309: polynomial 0xedb88320, bits reversed ---- */

static const uint32_t crc_of_byte[256] = {
    0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535, 0x9e6495a3,
    0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd, 0xe7b82d07, 0x90bf1d91,
    0x1db71064, 0x6ab020f2, 0xf3b97148, 0x84be41de, 0x1adad47d, 0x6ddde4eb, 0xf4d4b551, 0x83d385c7,
    0x136c9856, 0x646ba8c0, 0xfd62f97a, 0x8a65c9ec, 0x14015c4f, 0x63066cd9, 0xfa0f3d63, 0x8d080df5,
    0x3b6e20c8, 0x4c69105e, 0xd56041e4, 0xa2677172, 0x3c03e4d1, 0x4b04d447, 0xd20d85fd, 0xa50ab56b,
    0x35b5a8fa, 0x42b2986c, 0xdbbbc9d6, 0xacbcf940, 0x32d86ce3, 0x45df5c75, 0xdcd60dcf, 0xabd13d59,
    0x26d930ac, 0x51de003a, 0xc8d75180, 0xbfd06116, 0x21b4f4b5, 0x56b3c423, 0xcfba9599, 0xb8bda50f,
    0x2802b89e, 0x5f058808, 0xc60cd9b2, 0xb10be924, 0x2f6f7c87, 0x58684c11, 0xc1611dab, 0xb6662d3d,
    0x76dc4190, 0x01db7106, 0x98d220bc, 0xefd5102a, 0x71b18589, 0x06b6b51f, 0x9fbfe4a5, 0xe8b8d433,
    0x7807c9a2, 0x0f00f934, 0x9609a88e, 0xe10e9818, 0x7f6a0dbb, 0x086d3d2d, 0x91646c97, 0xe6635c01,
    0x6b6b51f4, 0x1c6c6162, 0x856530d8, 0xf262004e, 0x6c0695ed, 0x1b01a57b, 0x8208f4c1, 0xf50fc457,
    0x65b0d9c6, 0x12b7e950, 0x8bbeb8ea, 0xfcb9887c, 0x62dd1ddf, 0x15da2d49, 0x8cd37cf3, 0xfbd44c65,
    0x4db26158, 0x3ab551ce, 0xa3bc0074, 0xd4bb30e2, 0x4adfa541, 0x3dd895d7, 0xa4d1c46d, 0xd3d6f4fb,
    0x4369e96a, 0x346ed9fc, 0xad678846, 0xda60b8d0, 0x44042d73, 0x33031de5, 0xaa0a4c5f, 0xdd0d7cc9,
    0x5005713c, 0x270241aa, 0xbe0b1010, 0xc90c2086, 0x5768b525, 0x206f85b3, 0xb966d409, 0xce61e49f,
    0x5edef90e, 0x29d9c998, 0xb0d09822, 0xc7d7a8b4, 0x59b33d17, 0x2eb40d81, 0xb7bd5c3b, 0xc0ba6cad,
    0xedb88320, 0x9abfb3b6, 0x03b6e20c, 0x74b1d29a, 0xead54739, 0x9dd277af, 0x04db2615, 0x73dc1683,
    0xe3630b12, 0x94643b84, 0x0d6d6a3e, 0x7a6a5aa8, 0xe40ecf0b, 0x9309ff9d, 0x0a00ae27, 0x7d079eb1,
    0xf00f9344, 0x8708a3d2, 0x1e01f268, 0x6906c2fe, 0xf762575d, 0x806567cb, 0x196c3671, 0x6e6b06e7,
    0xfed41b76, 0x89d32be0, 0x10da7a5a, 0x67dd4acc, 0xf9b9df6f, 0x8ebeeff9, 0x17b7be43, 0x60b08ed5,
    0xd6d6a3e8, 0xa1d1937e, 0x38d8c2c4, 0x4fdff252, 0xd1bb67f1, 0xa6bc5767, 0x3fb506dd, 0x48b2364b,
    0xd80d2bda, 0xaf0a1b4c, 0x36034af6, 0x41047a60, 0xdf60efc3, 0xa867df55, 0x316e8eef, 0x4669be79,
    0xcb61b38c, 0xbc66831a, 0x256fd2a0, 0x5268e236, 0xcc0c7795, 0xbb0b4703, 0x220216b9, 0x5505262f,
    0xc5ba3bbe, 0xb2bd0b28, 0x2bb45a92, 0x5cb36a04, 0xc2d7ffa7, 0xb5d0cf31, 0x2cd99e8b, 0x5bdeae1d,
    0x9b64c2b0, 0xec63f226, 0x756aa39c, 0x026d930a, 0x9c0906a9, 0xeb0e363f, 0x72076785, 0x05005713,
    0x95bf4a82, 0xe2b87a14, 0x7bb12bae, 0x0cb61b38, 0x92d28e9b, 0xe5d5be0d, 0x7cdcefb7, 0x0bdbdf21,
    0x86d3d2d4, 0xf1d4e242, 0x68ddb3f8, 0x1fda836e, 0x81be16cd, 0xf6b9265b, 0x6fb077e1, 0x18b74777,
    0x88085ae6, 0xff0f6a70, 0x66063bca, 0x11010b5c, 0x8f659eff, 0xf862ae69, 0x616bffd3, 0x166ccf45,
    0xa00ae278, 0xd70dd2ee, 0x4e048354, 0x3903b3c2, 0xa7672661, 0xd06016f7, 0x4969474d, 0x3e6e77db,
    0xaed16a4a, 0xd9d65adc, 0x40df0b66, 0x37d83bf0, 0xa9bcae53, 0xdebb9ec5, 0x47b2cf7f, 0x30b5ffe9,
    0xbdbdf21c, 0xcabac28a, 0x53b39330, 0x24b4a3a6, 0xbad03605, 0xcdd70693, 0x54de5729, 0x23d967bf,
    0xb3667a2e, 0xc4614ab8, 0x5d681b02, 0x2a6f2b94, 0xb40bbe37, 0xc30c8ea1, 0x5a05df1b, 0x2d02ef8d,
};

/* a·b modulo the polynomial, x^0 being the highest bit. */
static uint32_t crc_product(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (int i = 31; i >= 0; i--) {
        if (a >> i & 1) product ^= b;
        b = b >> 1 ^ (b & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return product;
}

static inline uint32_t crc_step(uint32_t crc, uint8_t byte)
{
    return crc >> 8 ^ crc_of_byte[(crc ^ byte) & 255];
}

/* Of four stretches of so many bytes. A step waits for the one before, so the four are done in turns; past is x^(8·stretch), by
 * which the zeros of a stretch behind it multiply a CRC. */
static uint32_t crc_of_four(uint32_t crc, const uint8_t *at, int stretch, uint32_t past)
{
    uint32_t b = 0, c = 0, d = 0;
    for (int i = 0; i < stretch; i++) {
        crc = crc_step(crc, at[i]);
        b = crc_step(b, at[i + stretch]);
        c = crc_step(c, at[i + 2 * stretch]);
        d = crc_step(d, at[i + 3 * stretch]);
    }
    crc = crc_product(past, crc) ^ b;
    crc = crc_product(past, crc) ^ c;
    return crc_product(past, crc) ^ d;
}

uint32_t tg_crc32(uint32_t crc, const void *data, int64_t count)
{
    enum { LONG = 1024, SHORT = 128 };
    const uint8_t *at = data;
    crc = ~crc;
    for (; count >= 4 * LONG; at += 4 * LONG, count -= 4 * LONG) crc = crc_of_four(crc, at, LONG, 0x6427800e);
    for (; count >= 4 * SHORT; at += 4 * SHORT, count -= 4 * SHORT) crc = crc_of_four(crc, at, SHORT, 0xd7bbfe6a);
    for (int64_t i = 0; i < count; i++) crc = crc_step(crc, at[i]);
    return ~crc;
}

/* ---- Adler-32, RFC 1950 ---- */

uint32_t tg_adler32(uint32_t adler, const void *data, int64_t count)
{
    enum { MODULUS = 65521, STRETCH = 5552 /* so many bytes of 255 keep both sums below 2^32 */ };
    const uint8_t *at = data;
    uint32_t a = adler & 0xffff, b = adler >> 16;
    while (count > 0) {
        const int64_t n = count < STRETCH ? count : STRETCH;
        for (int64_t i = 0; i < n; i++) b += a += at[i];
        a %= MODULUS;
        b %= MODULUS;
        at += n;
        count -= n;
    }
    return b << 16 | a;
}

/* ---- xxHash64, seed 0; Y. Collet's specification 0.1.1 ---- */

static const uint64_t prime1 = UINT64_C(0x9e3779b185ebca87), prime2 = UINT64_C(0xc2b2ae3d27d4eb4f),
                      prime3 = UINT64_C(0x165667b19e3779f9), prime4 = UINT64_C(0x85ebca77c2b2ae63),
                      prime5 = UINT64_C(0x27d4eb2f165667c5);

static uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t word64(const uint8_t *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

static uint64_t xxh_round(uint64_t v, uint64_t word)
{
    return rotate_left(v + word * prime2, 31) * prime1;
}

static uint64_t xxh_merge(uint64_t hash, uint64_t v)
{
    return (hash ^ xxh_round(0, v)) * prime1 + prime4;
}

static const uint8_t *xxh_stripes(uint64_t v[4], const uint8_t *at, int64_t stripes)
{
    uint64_t a = v[0], b = v[1], c = v[2], d = v[3];
    for (; stripes > 0; stripes--, at += 32) {
        a = xxh_round(a, word64(at));
        b = xxh_round(b, word64(at + 8));
        c = xxh_round(c, word64(at + 16));
        d = xxh_round(d, word64(at + 24));
    }
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
    return at;
}

void tg_xxh64_start(tg_xxh64 *s)
{
    s->v[0] = prime1 + prime2;
    s->v[1] = prime2;
    s->v[2] = 0;
    s->v[3] = 0 - prime1;
    s->bytes = 0;
}

void tg_xxh64_add(tg_xxh64 *s, const void *data, int64_t count)
{
    const uint8_t *at = data;
    int64_t held = (int64_t)(s->bytes % 32);
    s->bytes += (uint64_t)count;
    if (held > 0) {
        int64_t take = count < 32 - held ? count : 32 - held;
        if (take > 0) memcpy(s->block + held, at, (size_t)take);
        if (held + take < 32) return;
        xxh_stripes(s->v, s->block, 1);
        at += take;
        count -= take;
    }
    if (count >= 32) at = xxh_stripes(s->v, at, count / 32);
    if (count % 32 > 0) memcpy(s->block, at, (size_t)(count % 32));
}

/* The last 0..31 bytes, then the avalanche. */
static uint64_t xxh_finish(uint64_t hash, const uint8_t *at, int64_t count)
{
    for (; count >= 8; at += 8, count -= 8) hash = rotate_left(hash ^ xxh_round(0, word64(at)), 27) * prime1 + prime4;
    if (count >= 4) {
        uint32_t half;
        memcpy(&half, at, sizeof half);
        hash = rotate_left(hash ^ half * prime1, 23) * prime2 + prime3;
        at += 4;
        count -= 4;
    }
    for (; count > 0; at++, count--) hash = rotate_left(hash ^ *at * prime5, 11) * prime1;
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}

static uint64_t xxh_result(const uint64_t v[4], uint64_t bytes, const uint8_t *rest)
{
    uint64_t hash = prime5;
    if (bytes >= 32) {
        hash = rotate_left(v[0], 1) + rotate_left(v[1], 7) + rotate_left(v[2], 12) + rotate_left(v[3], 18);
        for (int i = 0; i < 4; i++) hash = xxh_merge(hash, v[i]);
    }
    return xxh_finish(hash + bytes, rest, (int64_t)(bytes % 32));
}

uint64_t tg_xxh64_end(const tg_xxh64 *s)
{
    return xxh_result(s->v, s->bytes, s->block);
}

uint64_t tg_xxh64_of(const void *data, int64_t count)
{
    uint64_t v[4] = {prime1 + prime2, prime2, 0, 0 - prime1};
    const uint8_t *rest = data;
    if (count >= 32) rest = xxh_stripes(v, rest, count / 32);
    return xxh_result(v, (uint64_t)count, rest);
}

void tg_hex64(uint64_t x, char hex[17])
{
    for (int i = 0; i < 16; i++) hex[i] = "0123456789abcdef"[x >> (60 - 4 * i) & 15];
    hex[16] = 0;
}
