/* hash.h - SHA-256 (FIPS 180-4), CRC-32 (ISO 3309, as zlib), Adler-32 (RFC 1950), xxHash64 (its specification, seed 0). */
#ifndef TG_BASE_HASH_H
#define TG_BASE_HASH_H
#include "tinygen/base.h"

typedef struct tg_sha256 { uint32_t h[8]; uint64_t bytes; uint8_t block[64]; bool asked, by_machine; } tg_sha256;
void tg_sha256_start(tg_sha256 *s);
void tg_sha256_add(tg_sha256 *s, const void *data, int64_t count);
void tg_sha256_end(tg_sha256 *s, char hex[65]);
void tg_sha256_hex(const void *data, int64_t count, char hex[65]);
/* Whether the machine has instructions for it (x86); and whole blocks by them, with the constants of the 64 steps. */
bool tg_sha256_x86(void);
void tg_sha256_x86_blocks(uint32_t h[8], const uint8_t *at, int64_t blocks, const uint32_t constants[64]);

uint32_t tg_crc32(uint32_t crc, const void *data, int64_t count);     /* start from 0 */
uint32_t tg_adler32(uint32_t adler, const void *data, int64_t count); /* start from 1 */

typedef struct tg_xxh64 { uint64_t v[4]; uint64_t bytes; uint8_t block[32]; } tg_xxh64;
void tg_xxh64_start(tg_xxh64 *s);
void tg_xxh64_add(tg_xxh64 *s, const void *data, int64_t count);
uint64_t tg_xxh64_end(const tg_xxh64 *s);
uint64_t tg_xxh64_of(const void *data, int64_t count);
void tg_hex64(uint64_t x, char hex[17]);
#endif
