/* hash.c - tests of the checksums. The sums over all lengths come from hashlib, zlib and libxxhash 0.8.1. */
#include "base/hash.h"
#include "test.h"

#include <string.h>

static void check_sha(const char *data, int64_t count, const char *want)
{
    char hex[65];
    tg_sha256_hex(data, count, hex);
    CHECK_TEXT(hex, want);
}

TEST(sha256_gives_the_examples_of_fips_180)
{
    check_sha("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char hex[65], block[1000];
    tg_sha256 s;
    memset(block, 'a', sizeof block);
    tg_sha256_start(&s);
    for (int i = 0; i < 1000; i++) tg_sha256_add(&s, block, 1000);
    tg_sha256_end(&s, hex);
    CHECK_TEXT(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_is_the_same_with_the_machines_instructions_and_without)
{
    uint8_t data[1000];
    for (int i = 0; i < 1000; i++) data[i] = (uint8_t)(i * i * 13 + i);
    if (!tg_sha256_x86()) test_skip("no instructions for SHA-256 here");
    for (int n = 0; n <= 1000; n += 37) {
        tg_sha256 fast, plain;
        char a[65], b[65];
        tg_sha256_start(&fast);
        tg_sha256_start(&plain);
        fast.by_machine = true;
        tg_sha256_add(&fast, data, n / 3);
        tg_sha256_add(&fast, data + n / 3, n - n / 3);
        tg_sha256_add(&plain, data, n);
        tg_sha256_end(&fast, a);
        tg_sha256_end(&plain, b);
        CHECK_TEXT(a, b);
    }
}

TEST(sha256_asks_the_machine_once_and_of_a_long_text_only)
{
    static const uint8_t part[1 << 14];
    tg_sha256 s;
    char hex[65];
    tg_sha256_start(&s);
    tg_sha256_add(&s, part, sizeof part);
    CHECK(!s.asked && !s.by_machine);
    tg_sha256_add(&s, part, sizeof part);
    CHECK(s.asked && s.by_machine == tg_sha256_x86());
    s.by_machine = false;
    tg_sha256_add(&s, part, sizeof part);
    CHECK(!s.by_machine);
    tg_sha256_end(&s, hex); /* coreutils' sha256sum of 48 KiB of zeros */
    CHECK_TEXT(hex, "2aae7dc846aaf25f1cadf55f1666862046c6db9d65d84bdc07fa039dac405606");
}

TEST(crc32_gives_the_published_check_value)
{
    CHECK_INT(tg_crc32(0, "", 0), 0);
    CHECK_INT(tg_crc32(0, "123456789", 9), 0xcbf43926);
    CHECK_INT(tg_crc32(tg_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
}

TEST(long_data_have_the_checksums_of_zlib)
{
    enum { LONG = 20000 };
    static uint8_t data[LONG];
    for (int i = 0; i < LONG; i++) data[i] = (uint8_t)(i * i * 7 + i * 3 + i / 256);
    CHECK_INT(tg_crc32(0, data, LONG), 0x5c9947cd);
    CHECK_INT(tg_adler32(1, data, LONG), 0xa74ee99b);
    for (int cut = 0; cut < LONG; cut += 997) {
        CHECK_INT(tg_crc32(tg_crc32(0, data, cut), data + cut, LONG - cut), 0x5c9947cd);
        CHECK_INT(tg_adler32(tg_adler32(1, data, cut), data + cut, LONG - cut), 0xa74ee99b);
    }
    memset(data, 255, LONG);
    CHECK_INT(tg_adler32(1, data, LONG), 0x9f51d664);
    CHECK_INT(tg_adler32(0xfff0fff0, data, LONG), 0x310d662); /* both sums at their largest */
    CHECK_INT(tg_adler32(1, "Wikipedia", 9), 0x11e60398);
}

TEST(xxhash64_gives_the_published_values)
{
    CHECK_INT(tg_xxh64_of("", 0), 0xef46db3751d8e999);
    CHECK_INT(tg_xxh64_of("a", 1), 0xd24ec4f1a98c6e5b);
    CHECK_INT(tg_xxh64_of("abc", 3), 0x44bc2cf5ad770999);
    CHECK_INT(tg_xxh64_of("Nobody inspects the spammish repetition", 39), 0xfbcea83c8a378bf1);
}

enum { LENGTHS = 301 };

static void fill(uint8_t data[LENGTHS - 1])
{
    for (int i = 0; i < LENGTHS - 1; i++) data[i] = (uint8_t)(i * i * 7 + i * 3 + 5);
}

TEST(all_lengths_hash_as_other_implementations_do)
{
    uint8_t data[LENGTHS - 1];
    char hex[65];
    tg_sha256 sha, crc, xxh;
    fill(data);
    tg_sha256_start(&sha);
    tg_sha256_start(&crc);
    tg_sha256_start(&xxh);
    for (int n = 0; n < LENGTHS; n++) {
        uint32_t c = tg_crc32(0, data, n);
        uint64_t x = tg_xxh64_of(data, n);
        tg_sha256_hex(data, n, hex);
        tg_sha256_add(&sha, hex, 64);
        tg_sha256_add(&crc, &c, sizeof c);
        tg_sha256_add(&xxh, &x, sizeof x);
    }
    tg_sha256_end(&sha, hex);
    CHECK_TEXT(hex, "8871a610bb4f785340382ec1392911d073da4aae398322e8bb76058c943a1333");
    tg_sha256_end(&crc, hex);
    CHECK_TEXT(hex, "934f0426aa918f72ad7d6afb8c57db42f75613d33952a92c83879952f7d1e012");
    tg_sha256_end(&xxh, hex);
    CHECK_TEXT(hex, "c0173dab789c8fdab751cb071bb4a5834f768dd0409797dafe7565192b7c217d");
}

TEST(a_stream_in_any_pieces_hashes_as_the_whole)
{
    uint8_t data[LENGTHS - 1];
    char whole[65], pieces[65];
    fill(data);
    tg_sha256_hex(data, LENGTHS - 1, whole);
    for (int step = 1; step < 140; step++) {
        tg_sha256 s;
        tg_xxh64 x;
        tg_sha256_start(&s);
        tg_xxh64_start(&x);
        for (int at = 0; at < LENGTHS - 1; at += step) {
            int n = at + step < LENGTHS - 1 ? step : LENGTHS - 1 - at;
            tg_sha256_add(&s, data + at, n);
            tg_sha256_add(&s, NULL, 0);
            tg_xxh64_add(&x, data + at, n);
            tg_xxh64_add(&x, NULL, 0);
            CHECK(tg_xxh64_end(&x) == tg_xxh64_of(data, at + n)); /* may be asked on the way */
        }
        tg_sha256_end(&s, pieces);
        CHECK_TEXT(pieces, whole);
    }
}

TEST(a_hash_is_printed_with_all_its_zeros)
{
    char hex[17];
    tg_hex64(0, hex);
    CHECK_TEXT(hex, "0000000000000000");
    tg_hex64(UINT64_C(0x0123456789abcdef), hex);
    CHECK_TEXT(hex, "0123456789abcdef");
}
