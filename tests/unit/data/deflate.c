/* deflate.c - tests of deflate written: it comes back, by our reader and by Python's, is as small as zlib's, and its codes are
 * optimal. */
#include "data/codec/deflate.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "data/codec/gzip.h"
#include "data/codec/inflate.h"
#include "support/files.h"
#include "support/python.h"
#include "support/shared.h"
#include "test.h"

enum { LARGE = 1 << 20, TEXTURES = 6 };

/* Data of a kind: noise, few values, periods, words, a picture's rows, one value. */
static void fill(uint8_t *data, int64_t size, int texture)
{
    uint64_t x = 88172645463325252;
    for (int64_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        switch (texture) {
        case 0: data[i] = (uint8_t)x; break;
        case 1: data[i] = (uint8_t)(x % 3 == 0 ? x >> 8 & 3 : 0); break;
        case 2: data[i] = (uint8_t)(i % 7 * 31 + i / 5000); break;
        case 3: data[i] = i > 40 && x % 16 ? data[i - 1 - (int64_t)(i / 8 % 37)] : (uint8_t)('a' + x % 26); break;
        case 4: data[i] = (uint8_t)(i % 300 / 3 + i / 300 + (int64_t)(x & 1)); break;
        default: data[i] = 9; break;
        }
    }
}

static void comes_back(const uint8_t *data, int64_t size, const char *what)
{
    tg_str packed = {0};
    tg_inflated out = {.limit = size};
    CHECK_OK(tg_zlib_write(&packed, data, size));
    if (tg_zlib_read((const uint8_t *)packed.data, packed.length, what, &out))
        test_failed(__FILE__, __LINE__, "%" PRId64 " bytes: %s", size, tg_error());
    if (out.length != size || memcmp(out.data, data, (size_t)size))
        test_failed(__FILE__, __LINE__, "%s, %" PRId64 ": other bytes", what, size);
    if (packed.length > size + 2 + 4 + (size / 16384 + 1) * 5) /* as stored blocks, which end where symbols' blocks do */
        test_failed(__FILE__, __LINE__, "%s, %" PRId64 " bytes became %" PRId64, what, size, packed.length);
    tg_free(out.data);
    tg_str_free(&packed);
}

TEST(what_is_deflated_comes_back)
{
    uint8_t *data = tg_alloc_raw(LARGE);
    for (int texture = 0; texture < TEXTURES; texture++) {
        for (int64_t size = 0; size < 700; size++) {
            uint8_t *exact = tg_alloc_raw(size); /* a read behind its end is seen by the sanitizer */
            fill(exact, size, texture);
            comes_back(exact, size, "small");
            tg_free(exact);
        }
        fill(data, LARGE, texture);
        static const int64_t sizes[] = {16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 131071, 300000, LARGE};
        for (int i = 0; i < (int)(sizeof sizes / sizeof *sizes); i++) comes_back(data, sizes[i], "large");
    }
    tg_free(data);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(matches_of_every_length_and_distance_are_found_and_come_back)
{
    enum { SIZE = 40000 };
    uint8_t *data = tg_alloc_raw(SIZE);
    tg_str with = {0}, without = {0};
    for (int length = 3; length <= 258; length++) { /* noise of 16 values, and its own beginning so many bytes on */
        const int distance = length < 250 ? 1 << length % 16 : 32700 + (length - 250) * 9;
        fill(data, distance, 0);
        for (int64_t i = 0; i < distance; i++) data[i] &= 15;
        for (int64_t i = distance; i < distance + length; i++) data[i] = data[i - distance];
        comes_back(data, distance + length, "match");
        CHECK_OK(tg_deflate(&with, data, distance + length));
        CHECK_OK(tg_deflate(&without, data, distance));
        if (distance <= 32768 && length > 20 && with.length > without.length + 9)
            test_failed(__FILE__, __LINE__, "a match of %d, %d bytes back, took %" PRId64 " bytes", length, distance,
                        with.length - without.length);
        tg_str_clear(&with);
        tg_str_clear(&without);
    }
    tg_str_free(&with);
    tg_str_free(&without);
    tg_free(data);
}

/* The same bytes from any compiler and instruction set. */
TEST(deflate_makes_the_same_bytes_everywhere)
{
    uint8_t *data = tg_alloc_raw(100000);
    tg_str packed = {0};
    char hex[65];
    for (int texture = 0; texture < TEXTURES; texture++) {
        fill(data, 100000, texture);
        CHECK_OK(tg_deflate(&packed, data, 100000));
    }
    tg_sha256_hex(packed.data, packed.length, hex);
    CHECK_TEXT(hex, "6b38dfbcac02f6555c133632c65e2fa3f0041594fa539adf025ae133fc8071d5");
    tg_str_free(&packed);
    tg_free(data);
}

TEST(data_of_no_use_to_matches_are_stored)
{
    uint8_t data[1000];
    tg_str packed = {0};
    fill(data, sizeof data, 0);
    CHECK_OK(tg_deflate(&packed, data, sizeof data));
    CHECK_INT(packed.length, 5 + sizeof data);
    tg_str_clear(&packed);
    CHECK_OK(tg_deflate(&packed, (const uint8_t *)"abcabcabc", 9)); /* fixed codes: 3 + 3·8 + 7 + 5 + 7 bits */
    CHECK_INT(packed.length, 6);
    tg_str_clear(&packed);
    CHECK_OK(tg_deflate(&packed, NULL, 0));
    CHECK_INT(packed.length, 2);
    CHECK_BYTES(packed.data, "\3\0", 2);
    tg_str_free(&packed);
}

/* ---- code lengths -------------------------------------------------------------------------------------------------- */

static uint64_t cost(const uint32_t *frequencies, const uint8_t *lengths, int n, int longest)
{
    uint64_t sum = 0, room = 0;
    for (int i = 0; i < n; i++) {
        CHECK(lengths[i] >= 1 && lengths[i] <= longest);
        sum += (uint64_t)frequencies[i] * lengths[i];
        room += UINT64_C(1) << (longest - lengths[i]);
    }
    CHECK(room <= UINT64_C(1) << longest); /* Kraft: it is a prefix code */
    return sum;
}

/* Least cost of all codes of n symbols within what is left of the room, by trying them. */
static uint64_t least_cost(const uint32_t *frequencies, int n, int longest, int64_t room)
{
    uint64_t least = UINT64_MAX;
    if (n == 0) return 0;
    for (int length = 1; length <= longest; length++) {
        const int64_t left = room - (INT64_C(1) << (longest - length));
        if (left < n - 1) continue;
        const uint64_t rest = least_cost(frequencies + 1, n - 1, longest, left);
        const uint64_t sum = rest == UINT64_MAX ? rest : rest + (uint64_t)frequencies[0] * (uint64_t)length;
        if (sum < least) least = sum;
    }
    return least;
}

TEST(code_lengths_are_the_best_of_all)
{
    uint64_t x = 1;
    int tight = 0;
    for (int n = 2; n <= 7; n++)
        for (int longest = n <= 4 ? 2 : 3; longest <= 5; longest++)
            for (int again = 0; again < 20; again++) {
                uint32_t frequencies[7];
                uint8_t lengths[7];
                for (int i = 0; i < n; i++) {
                    x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
                    frequencies[i] = 1 + (uint32_t)(x >> 33) % (1U << (1 + 2 * (x >> 60)));
                }
                tg_deflate_lengths(frequencies, n, longest, lengths);
                CHECK_INT(cost(frequencies, lengths, n, longest), least_cost(frequencies, n, longest, INT64_C(1) << longest));
                for (int i = 0; i < n; i++) tight += lengths[i] == longest;
            }
    CHECK(tight > 100);
}

TEST(code_lengths_keep_to_their_limit)
{
    uint32_t frequencies[40] = {0}, a = 1, b = 1;
    uint8_t lengths[40];
    for (int i = 0; i < 30; i++, b += a, a = b - a) frequencies[i] = a; /* Fibonacci's: without a limit the longest has 29 bits */
    tg_deflate_lengths(frequencies, 40, 15, lengths);
    cost(frequencies, lengths, 30, 15);
    CHECK_INT(lengths[0], 15);
    for (int i = 30; i < 40; i++) CHECK_INT(lengths[i], 0);
    memset(frequencies, 0, sizeof frequencies);
    tg_deflate_lengths(frequencies, 40, 15, lengths);
    for (int i = 0; i < 40; i++) CHECK_INT(lengths[i], 0);
    frequencies[7] = 5;
    tg_deflate_lengths(frequencies, 40, 15, lengths);
    CHECK_INT(lengths[7], 1);
}

/* ---- beside Python's zlib ------------------------------------------------------------------------------------------ */

/* Python unpacks what is deflated and tells how long its own is, of level 6. */
typedef struct beside {
    char command[6000];
    const char *folder;
    int64_t ours[TEXTURES + 1], theirs[TEXTURES + 1];
    int count;
} beside;

static void beside_add(beside *b, const uint8_t *data, int64_t size)
{
    tg_str packed = {0};
    if (!b->folder) {
        b->folder = test_folder();
        strcpy(b->command,
               "-c 'import sys, zlib\nfor name in sys.argv[1:]:\n a, b = (open(name + end, \"rb\").read() for end in \"ab\")\n"
                           " assert zlib.decompress(b) == a\n print(len(zlib.compress(a, 6)))'");
    }
    char name[3] = {'0', (char)('0' + b->count), 0};
    const char *base = in(b->folder, name);
    snprintf(b->command + strlen(b->command), sizeof b->command - strlen(b->command), " '%s'", base);
    char end[4] = {'0', (char)('0' + b->count), 'a', 0};
    CHECK_OK(tg_write_file(in(b->folder, end), data, size));
    CHECK_OK(tg_zlib_write(&packed, data, size));
    end[2] = 'b';
    CHECK_OK(tg_write_file(in(b->folder, end), packed.data, packed.length));
    b->ours[b->count++] = packed.length;
    tg_str_free(&packed);
}

static void beside_run(beside *b)
{
    int read = 0;
    FILE *f = python_start(b->command);
    while (read < b->count && fscanf(f, "%" SCNd64, &b->theirs[read]) == 1) read++;
    python_end(f, read);
    CHECK_INT(read, b->count);
}

TEST(zlib_reads_what_is_deflated_and_is_hardly_smaller)
{
    enum { SIZE = 200000 };
    static beside b;
    uint8_t *data = tg_alloc_raw(SIZE);
    for (int texture = 0; texture < TEXTURES; texture++) {
        fill(data, SIZE, texture);
        beside_add(&b, data, SIZE);
    }
    beside_add(&b, data, 0);
    beside_run(&b);
    for (int i = 0; i < b.count; i++) {
        test_note("texture %d: %" PRId64 " bytes, zlib's level 6 %" PRId64, i, b.ours[i], b.theirs[i]);
        CHECK(b.ours[i] <= b.theirs[i] + b.theirs[i] / 50);
    }
    tg_free(data);
}

TEST(real_pictures_are_deflated_as_well_as_by_zlib)
{
    static beside b;
    int64_t size, length;
    uint8_t *images;
    char *packed = shared_text("image/mnist/t10k-images-idx3-ubyte.gz", &size);
    CHECK_OK(tg_gunzip((const uint8_t *)packed, size, 1 << 23, "mnist", &images, &length));
    beside_add(&b, images, length / 8);
    beside_run(&b);
    test_note("%" PRId64 " bytes of MNIST: %" PRId64 ", zlib's level 6 %" PRId64, length / 8, b.ours[0], b.theirs[0]);
    CHECK(b.ours[0] <= b.theirs[0]);
    tg_free(images);
    tg_free(packed);
}

TEST(a_deflate_without_memory_fails_and_leaves_none)
{
    uint8_t data[3000];
    fill(data, sizeof data, 3);
    for (int n = 1;; n++) {
        tg_str packed = {0};
        tg_alloc_fail_at(n, true);
        const tg_status status = tg_zlib_write(&packed, data, sizeof data);
        tg_alloc_fail_at(0, false);
        tg_str_free(&packed);
        CHECK_INT(tg_alloc_live(), 0);
        if (!status) {
            CHECK(n > 2);
            break;
        }
        CHECK_INT(status, TG_ENOMEM);
    }
}
