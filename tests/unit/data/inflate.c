/* inflate.c - tests of deflate, zlib and gzip read: against Python's zlib, and streams spelled out bit by bit. */
#include "data/codec/inflate.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/codec/gzip.h"
#include "support/python.h"
#include "support/shared.h"
#include "test.h"

enum { LIMIT = 1 << 22 };

/* Bits in the order in which they are read, as text: "1 10 0000000". */
static tg_str bits(const char *text)
{
    tg_str s = {0};
    int filled = 0;
    for (unsigned byte = 0;; text++) {
        if (*text == '0' || *text == '1') byte |= (unsigned)(*text - '0') << filled++;
        if (filled == 8 || (!*text && filled)) {
            tg_str_add_n(&s, &(char){(char)byte}, 1);
            byte = 0;
            filled = 0;
        }
        if (!*text) return s;
    }
}

static tg_status inflate_bits(const char *text, tg_inflated *out)
{
    int64_t at = 0;
    tg_str s = bits(text);
    const tg_status status = tg_inflate((const uint8_t *)s.data, s.length, &at, "x", out);
    if (!status) CHECK_INT(at, s.length);
    tg_str_free(&s);
    return status;
}

static void makes(const char *text, const char *want)
{
    tg_inflated out = {.limit = LIMIT};
    if (inflate_bits(text, &out)) test_failed(__FILE__, __LINE__, "%s: %s", text, tg_error());
    CHECK_INT(out.length, strlen(want));
    CHECK_BYTES(out.data, want, out.length);
    tg_free(out.data);
}

static void refuses(const char *text, const char *says)
{
    tg_inflated out = {.limit = LIMIT};
    const tg_status status = inflate_bits(text, &out);
    if (status != TG_EFORMAT) test_failed(__FILE__, __LINE__, "%s: status %d", text, (int)status);
    test_has(__FILE__, __LINE__, tg_error(), says);
    tg_free(out.data);
}

/* A dynamic block of 257 literals and lengths and one distance, whose code lengths lie under 18: 0, 1: 10, 2: 11. */
#define DYNAMIC "1 01 00000 00000 0111 000 000 100 000 000 000 000 000 000 000 000 000 000 000 000 010 000 010"

TEST(blocks_spelled_out_bit_by_bit_make_what_they_say)
{
    makes("1 10 0000000", "");
    makes("1 10 10010001 10010010 0000000", "ab");
    makes("0 10 10010001 0000000 1 10 0000001 00000 0000000", "aaaa");      /* a match reaches into the block before */
    makes("1 00 00000 10000000 00000000 01111111 11111111 10000110", "a"); /* stored */
    makes("0 00 00000 00000000 00000000 11111111 11111111 1 10 0000000", "");
    /* 97 zeros, 'a': 1, 138 and 20 zeros, end: 1; distance 0: 1 */
    makes(DYNAMIC " 0 0110101 10 0 1111111 0 1001000 10 10 0 0 1", "aa");
}

TEST(streams_that_are_none_say_why)
{
    refuses("", "cut short at byte 0");
    refuses("1 11", "no known type");
    refuses("1 10 10010001", "cut short at byte 2");
    refuses("1 10 0000001 00000 0000000", "a match that reaches back");
    refuses("1 10 11000110", "no code");                      /* 286 */
    refuses("1 10 10010001 0000001 11110", "no code");        /* distance 30 */
    refuses("1 00 00000 10000000 00000000 01111111 11111110 10000110", "not repeated");
    refuses("1 00 00000 10000000 00000000 01111111 11111111", "cut short at byte 5");
    refuses("1 01 01111 00000 0000 000 000 000 000", "more symbols");         /* 287 of them */
    refuses("1 01 00000 01111 0000 000 000 000 000", "more symbols");         /* 31 distances */
    refuses("1 01 00000 00000 0000 100 100 100 000", "under no proper code"); /* three of one bit */
    refuses("1 01 00000 00000 0000 100 000 000 000", "under no proper code"); /* a lone one */
    refuses("1 01 00000 00000 0000 100 100 000 000 0 00", "before the first");
    refuses(DYNAMIC " 0 1111111 0 1111111 0 1111111", "more code lengths");
    refuses(DYNAMIC " 0 0110101 10 0 1111111 0 0101000 10", "without an end");
    refuses(DYNAMIC " 0 1111111 0 1101011 11 10", "literals and lengths under no proper code"); /* a lone one of 2 bits */
    refuses(DYNAMIC " 0 0110101 10 0 1111111 0 1001000 10 11", "distances under no proper code");   /* the same */
}

TEST(a_stream_never_reaches_back_into_the_one_before)
{
    tg_inflated out = {.limit = LIMIT};
    CHECK_OK(inflate_bits("1 10 10010001 0000000", &out));
    CHECK_ERROR(inflate_bits("1 10 0000001 00000 0000000", &out), TG_EFORMAT, "a match that reaches back");
    tg_free(out.data);
}

TEST(what_comes_out_never_passes_the_limit)
{
    /* "a", then twice 258 more: 517 bytes */
    const char *text = "1 10 10010001 11000101 00000 11000101 00000 0000000";
    for (int64_t limit = 0; limit < 520; limit++) {
        tg_inflated out = {.limit = limit};
        const tg_status status = inflate_bits(text, &out);
        CHECK_INT(status, limit < 517 ? TG_EUNSUPPORTED : TG_OK);
        if (status) test_has(__FILE__, __LINE__, tg_error(), "more than the");
        tg_free(out.data);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

static tg_status read_as(const char *kind, const uint8_t *bytes, int64_t size, int64_t *used, tg_inflated *out)
{
    *used = 0;
    *out = (tg_inflated){.limit = LIMIT};
    if (!strcmp(kind, "raw")) return tg_inflate(bytes, size, used, "x", out);
    if (!strcmp(kind, "zlib")) {
        *used = size;
        return tg_zlib_read(bytes, size, "x", out);
    }
    return tg_gunzip(bytes, size, LIMIT, "x", &out->data, &out->length);
}

static bool read_case(FILE *f, int64_t *refused)
{
    char line[400], kind[8], name[300];
    int64_t size, used, want, at;
    tg_inflated out;
    if (!fgets(line, sizeof line, f)) return false;
    CHECK_INT(sscanf(line, "%7s %" SCNd64 " %" SCNd64 " %" SCNd64 " %299[^\n]", kind, &size, &used, &want, name), 5);
    uint8_t *bytes = python_bytes(f, size), *made = python_bytes(f, want < 0 ? 0 : want);
    const tg_status status = read_as(kind, bytes, size, &at, &out);
    if (status && want >= 0) test_failed(__FILE__, __LINE__, "%s: %s", name, tg_error());
    if (status != TG_EFORMAT && want < 0) test_failed(__FILE__, __LINE__, "%s: status %d", name, (int)status);
    if (want >= 0 && (out.length != want || memcmp(out.data, made, (size_t)want) || at != used))
        test_failed(__FILE__, __LINE__, "%s: other bytes than Python's, or %" PRId64 " used", name, at);
    *refused += want < 0;
    tg_free(out.data);
    tg_free(bytes);
    tg_free(made);
    return true;
}

TEST(inflate_makes_and_refuses_what_zlib_does)
{
    int64_t cases = 0, refused = 0;
    FILE *f = python_start("tests/support/deflates.py 6000");
    while (read_case(f, &refused)) cases++;
    python_end(f, cases);
    test_note("%" PRId64 " streams, of them %" PRId64 " refused", cases, refused);
    CHECK(refused > 2000 && cases - refused > 400);
    CHECK_INT(tg_alloc_live(), 0);
}

/* ---- gzip ---------------------------------------------------------------------------------------------------------- */

/* "a" in a stored block */
static const uint8_t small[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 1, 0, 0xfe, 0xff, 'a', 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0};

static tg_status gunzip_with(int at, uint8_t byte, int64_t size)
{
    uint8_t bytes[sizeof small + 2] = {0}, *out = NULL;
    int64_t length = -1;
    memcpy(bytes, small, sizeof small);
    if (at >= 0) bytes[at] = byte;
    const tg_status status = tg_gunzip(bytes, size, 1, "x.gz", &out, &length);
    CHECK(status ? !out && length == -1 : length == 1 && out[0] == 'a');
    tg_free(out);
    return status;
}

TEST(gzip_that_is_none_says_why)
{
    const int64_t whole = sizeof small;
    CHECK_OK(gunzip_with(-1, 0, whole));
    CHECK_OK(gunzip_with(-1, 0, whole + 2)); /* padding */
    CHECK_ERROR(gunzip_with(0, 0, whole), TG_EFORMAT, "x.gz: byte 0 begins no gzip data");
    CHECK_ERROR(gunzip_with(2, 7, whole), TG_EFORMAT, "begins no gzip data");
    CHECK_ERROR(gunzip_with(3, 0x20, whole), TG_EFORMAT, "no known meaning (20) at byte 3");
    CHECK_ERROR(gunzip_with(15, 'b', whole), TG_EFORMAT,
                "CRC-32 of what was compressed is 71beeff9, at byte 16 it is said to be e8b7be43");
    CHECK_ERROR(gunzip_with(20, 2, whole), TG_EFORMAT, "1 bytes were compressed, at byte 20 it is said to be 2");
    CHECK_ERROR(gunzip_with((int)whole, 1, whole + 1), TG_EFORMAT, "what follows its compressed data at byte 24");
    CHECK_ERROR(gunzip_with(3, 2, whole), TG_EFORMAT, "CRC of the header at byte 0");
    for (int64_t size = 0; size < whole; size++) CHECK(gunzip_with(-1, 0, size) == TG_EFORMAT);
}

TEST(gzip_with_any_bit_flipped_is_refused_if_it_means_anything)
{
    for (int bit = 0; bit < (int)sizeof small * 8; bit++) {
        /* time, how it was packed and where; whether it is text; padding in front of a stored block */
        const bool free_to_say = (bit >= 32 && bit < 80) || bit == 24 || (bit > 82 && bit < 88);
        const tg_status status = gunzip_with(bit / 8, (uint8_t)(small[bit / 8] ^ 1 << bit % 8), sizeof small);
        if (free_to_say) CHECK_OK(status);
        else CHECK(status == TG_EFORMAT || status == TG_EUNSUPPORTED);
    }
}

TEST(gzip_of_any_size_stops_at_the_limit)
{
    uint8_t *out = NULL;
    int64_t length;
    CHECK_ERROR(tg_gunzip(small, sizeof small, 0, "x", &out, &length), TG_EUNSUPPORTED, "more than the 0 bytes");
    CHECK(!out);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_gunzip_without_memory_fails_and_leaves_none)
{
    uint8_t *out = NULL;
    int64_t length;
    for (int n = 1;; n++) {
        tg_alloc_fail_at(n, true);
        const tg_status status = tg_gunzip(small, sizeof small, 9, "x", &out, &length);
        tg_alloc_fail_at(0, false);
        if (!status) break;
        CHECK_INT(status, TG_ENOMEM);
        CHECK_INT(tg_alloc_live(), 0);
    }
    tg_free(out);
}

TEST(mnist_unpacks_to_the_bytes_that_others_list)
{
    static const struct { const char *name, *sha256; } files[] = {
        {"t10k-images-idx3", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
        {"t10k-labels-idx1", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
        {"train-images-idx3", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
        {"train-labels-idx1", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    };
    for (int i = 0; i < 4; i++) {
        char name[100], *packed, hex[65];
        uint8_t *out;
        int64_t size, length;
        snprintf(name, sizeof name, "image/mnist/%s-ubyte.gz", files[i].name);
        packed = shared_text(name, &size);
        CHECK_OK(tg_gunzip((const uint8_t *)packed, size, 1 << 26, name, &out, &length));
        tg_sha256_hex(out, length, hex);
        CHECK_TEXT(hex, files[i].sha256);
        tg_free(out);
        tg_free(packed);
    }
}
