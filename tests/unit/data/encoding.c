/* encoding.c - tests of text encodings. Bytes and checksums come from Python's codecs, the checksums from
 * encoding_tables.py --sums; whole texts are encoded by Python while the test runs (support/encodings.py). */
#include "data/text/encoding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "support/shared.h"
#include "test.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* ---- maps ------------------------------------------------------------------------------------------------------- */

static uint32_t code_of(tg_encoding e, const char *bytes, int length)
{
    uint32_t code = 0;
    return tg_encoding_next(e, bytes, bytes + length, &code) == length ? code : 0;
}

/* CRC of the code points of all texts of so many bytes, the first from `first` on. */
static uint32_t crc_of_map(tg_encoding e, int length, int first, int *valid)
{
    uint32_t crc = 0;
    *valid = 0;
    for (int a = first; a < 256; a++)
        for (int b = 0; b < (length == 2 ? 256 : 1); b++) {
            uint32_t code = code_of(e, (char[2]){(char)a, (char)b}, length);
            *valid += code > 0;
            crc = tg_crc32(crc, (uint8_t[4]){code & 255, code >> 8 & 255, code >> 16 & 255, code >> 24}, 4);
        }
    return crc;
}

TEST(every_code_of_one_or_two_bytes_is_pythons)
{
    static const struct { tg_encoding e; int length, first, valid; uint32_t crc; } maps[] = {
        {TG_GB18030, 1, 0, 127, 0x55485fe7},        {TG_GB18030, 2, 0x80, 23940, 0x0590dd34},
        {TG_BIG5, 1, 0, 127, 0x55485fe7},           {TG_BIG5, 2, 0x80, 13752, 0x0b42ab39},
        {TG_UTF16LE, 2, 0, 63487, 0xbd1d1cf8},      {TG_UTF16BE, 2, 0, 63487, 0x457d67c6},
    };
    for (int i = 0; i < COUNT(maps); i++) {
        int valid;
        CHECK_INT(crc_of_map(maps[i].e, maps[i].length, maps[i].first, &valid), maps[i].crc);
        CHECK_INT(valid, maps[i].valid);
    }
}

TEST(every_code_of_four_bytes_is_pythons)
{
    uint32_t crc = 0;
    int valid = 0;
    for (int i = 0; i < 126 * 12600; i++) {
        char text[4] = {(char)(0x81 + i / 12600), (char)(0x30 + i / 1260 % 10), (char)(0x81 + i / 10 % 126),
                        (char)(0x30 + i % 10)};
        uint32_t code = code_of(TG_GB18030, text, 4);
        valid += code > 0;
        crc = tg_crc32(crc, (uint8_t[4]){code & 255, code >> 8 & 255, code >> 16 & 255, code >> 24}, 4);
    }
    CHECK_INT(valid, 39420 + 0x100000);
    CHECK_INT(crc, 0xc3f5e091);
}

/* Each code point has one code: with 23940 of two bytes, 128 of one and those of four, none is left out. */
TEST(gb18030_has_every_character_once)
{
    uint8_t *seen = tg_alloc(0x110000);
    int64_t count = 0;
    for (int a = 0x81; a < 0xff; a++)
        for (int b = 0x30; b < 0xff; b++)
            for (int c = 0x81; c < (b < 0x40 ? 0xff : 0x82); c++)
                for (int d = 0x30; d < (b < 0x40 ? 0x3a : 0x31); d++) {
                    uint32_t code;
                    const char text[4] = {(char)a, (char)b, (char)c, (char)d};
                    if (tg_encoding_next(TG_GB18030, text, text + 4, &code) <= 0) continue;
                    CHECK_INT(seen[code]++, 0);
                    count++;
                }
    CHECK_INT(count, 0x110000 - 0x800 - 0x80);
    tg_free(seen);
}

TEST(every_pair_of_surrogates_is_one_character)
{
    for (uint32_t code = 0x10000; code < 0x110000; code++) {
        uint32_t high = 0xd800 + ((code - 0x10000) >> 10), low = 0xdc00 + (code & 0x3ff);
        const char big[4] = {(char)(high >> 8), (char)high, (char)(low >> 8), (char)low};
        const char little[4] = {(char)high, (char)(high >> 8), (char)low, (char)(low >> 8)};
        if (code_of(TG_UTF16BE, big, 4) != code) test_failed(__FILE__, __LINE__, "U+%X, big", (unsigned)code);
        if (code_of(TG_UTF16LE, little, 4) != code) test_failed(__FILE__, __LINE__, "U+%X, little", (unsigned)code);
    }
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

typedef struct sample { tg_encoding e; const char *bytes; int length; const char *utf8; } sample;

TEST(texts_become_what_python_makes_of_them)
{
    static const sample samples[] = {
        {TG_GB18030, "\xd6\xd0\xce\xc4", 4, "中文"},
        {TG_GB18030, "a\xd6\xd0\x62", 4, "a中b"},
        {TG_GB18030, "\xa2\xe3", 2, "€"},
        {TG_GB18030, "\x81\x35\xf4\x37", 4, "ḿ"},
        {TG_GB18030, "\xa8\xa6", 2, "é"},
        {TG_GB18030, "\x81\x30\x89\x38", 4, "ß"},
        {TG_GB18030, "\x86\xfe\x81\x39\xef\x31", 6, "嘅㐂"},
        {TG_GB18030, "\xfd\x88\xfd\x94", 4, "龍龜"},
        {TG_GB18030, "\xa3\xa0", 2, "\xee\x97\xa5"},
        {TG_GB18030, "\xaa\xa1", 2, "\xee\x80\x80"},
        {TG_GB18030, "\x84\x30\x81\x30", 4, "\xef\xa3\xbf"},
        {TG_GB18030, "\x84\x31\xa4\x39", 4, "\xef\xbf\xbf"},
        {TG_GB18030, "\x81\x30\x81\x30", 4, "\xc2\x80"},
        {TG_GB18030, "\x94\x39\xfc\x36", 4, "😀"},
        {TG_GB18030, "\x95\x32\x82\x36", 4, "𠀀"},
        {TG_GB18030, "\xe3\x32\x9a\x35", 4, "\xf4\x8f\xbf\xbf"},
        {TG_GB18030, "\x90\x30\x81\x30", 4, "𐀀"},
        {TG_GB18030, "\x81\x39\xee\x39", 4, "㐀"},
        {TG_GB18030, "\x81@", 2, "丂"},
        {TG_GB18030, "\xa1\xa1\xa1\xa4\xa1\xaa", 6, "\xe3\x80\x80·—"},
        {TG_BIG5, "\xa4\xa4\xa4\xe5", 4, "中文"},
        {TG_BIG5, "\xa5\x5c\xbb\x5c\xb3\x5c", 6, "功蓋許"}, /* second bytes are backslashes */
        {TG_BIG5, "\xa1\x41\xa1\x43\xa1u\xa1v", 8, "，。「」"},
        {TG_BIG5, "\xa1\xe3\xa1\x45", 4, "～‧"}, /* as cp950, not as the table of 1984 */
        {TG_BIG5, "\xa3\xe1", 2, "€"},
        {TG_BIG5, "\xa4@\xa4\x41", 4, "一乙"},
        {TG_BIG5, "\xf9\xd8", 2, "裏"},
        {TG_BIG5, "\xf9\xdd\xf9\xfe", 4, "╔▓"},
        {TG_BIG5, "\xa3t\xa3u", 4, "ㄅㄆ"},
        {TG_UTF16LE, "-N\x87\x65", 4, "中文"},
        {TG_UTF16BE, "N-e\x87", 4, "中文"},
        {TG_UTF16LE, "a\x00\x0a\x00", 4, "a\n"},
        {TG_UTF16BE, "\x00\x61\x00\x0a", 4, "a\n"},
        {TG_UTF16LE, "=\xd8\x00\xde", 4, "😀"},
        {TG_UTF16BE, "\xd8=\xde\x00", 4, "😀"},
        {TG_UTF16LE, "\xff\xdb\xff\xdf", 4, "\xf4\x8f\xbf\xbf"},
        {TG_UTF16BE, "\xd8\x00\xdc\x00", 4, "𐀀"},
        {TG_UTF16LE, "\x00\xe0\xff\xd7", 4, "\xee\x80\x80\xed\x9f\xbf"},
        {TG_UTF16LE, "\xe9\x00\xff\x07\x00\x08", 6, "é߿ࠀ"},
        {TG_UTF8, "é中😀", 9, "é中😀"},
        /* empty, marks, and a second mark, which is a character */
        {TG_UTF8, "", 0, ""},
        {TG_UTF16LE, "", 0, ""},
        {TG_GB18030, "", 0, ""},
        {TG_UTF8, "\xef\xbb\xbf", 3, ""},
        {TG_UTF16LE, "\xff\xfe", 2, ""},
        {TG_UTF16BE, "\xfe\xff", 2, ""},
        {TG_GB18030, "\x84\x31\x95\x33", 4, ""},
        {TG_UTF8, "\xef\xbb\xbf" "a", 4, "a"},
        {TG_UTF16LE, "\xff\xfe" "a\0", 4, "a"},
        {TG_UTF16BE, "\xfe\xff\0a", 4, "a"},
        {TG_GB18030, "\x84\x31\x95\x33" "a", 5, "a"},
        {TG_UTF16LE, "\xff\xfe\xff\xfe" "a\0", 6, "\xef\xbb\xbf" "a"},
        {TG_UTF16LE, "a\0\xff\xfe\xfe\xff", 6, "a\xef\xbb\xbf\xef\xbf\xbe"},
        /* line ends stay */
        {TG_UTF8, "a\r\nb\rc\n\n", 8, "a\r\nb\rc\n\n"},
        {TG_GB18030, "\xd6\xd0\r\n\xce\xc4\r\x81\x30\x81\x30\n\r", 13, "中\r\n文\r\xc2\x80\n\r"},
        {TG_BIG5, "\xa4\xa4\r\n\xa4\xe5\r\n\n", 9, "中\r\n文\r\n\n"},
        {TG_UTF16LE, "\r\0\n\0-N\n\0\r\0", 10, "\r\n中\n\r"},
        {TG_UTF16BE, "\0\r\0\n\x4e-\x20\x28\0\r", 10, "\r\n中\xe2\x80\xa8\r"},
    };
    tg_str out = {0};
    for (int i = 0; i < COUNT(samples); i++) {
        const sample *s = &samples[i];
        tg_str_clear(&out);
        tg_str_add(&out, "before ");
        CHECK_OK(tg_encoding_to_utf8(s->e, s->bytes, s->length, &out));
        CHECK_TEXT(out.data + 7, s->utf8);
        CHECK_INT(out.length, 7 + strlen(s->utf8));
    }
    tg_str_free(&out);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_nul_is_a_character_like_any_other)
{
    tg_str out = {0};
    CHECK_OK(tg_encoding_to_utf8(TG_UTF16LE, "a\0\0\0b\0", 6, &out));
    CHECK_OK(tg_encoding_to_utf8(TG_GB18030, "\0\xd6\xd0", 3, &out));
    CHECK_INT(out.length, 7);
    CHECK_BYTES(out.data, "a\0b\0中", 8);
    tg_str_free(&out);
    int64_t nul = -1;
    CHECK_OK(tg_encoding_check(TG_UTF16LE, "a\0b\0", 4, 0, &nul));
    CHECK_INT(nul, -1);
    CHECK_OK(tg_encoding_check(TG_UTF16LE, "a\0\0\0b\0", 6, 10, &nul));
    CHECK_INT(nul, 12);
    CHECK_OK(tg_encoding_check(TG_GB18030, "\xd6\xd0\0", 3, 0, &nul)); /* the first stays */
    CHECK_INT(nul, 12);
    char *text = tg_alloc(20000);
    for (int i = 0; i < 20000; i += 2) memcpy(text + i, "\xd6\xd0", 2);
    text[15000] = 'x';
    text[15001] = 0;
    nul = -1;
    CHECK_OK(tg_encoding_check(TG_GB18030, text, 20000, 7, &nul));
    CHECK_INT(nul, 15008);
    tg_free(text);
}

TEST(what_is_no_character_is_named_with_its_byte_and_place)
{
    static const struct { tg_encoding e; const char *bytes; int length; const char *says; } bad[] = {
        {TG_UTF8, "ab\xff", 3, "not UTF-8: byte 0xff at byte 2 begins no character"},
        {TG_UTF8, "\xef\xbb\xbf" "ab\xc0\x80", 7, "byte 0xc0 at byte 5 begins no"},
        {TG_UTF8, "\xed\xa0\x80 ", 4, "byte 0xed at byte 0 begins no"},
        {TG_UTF8, "a\xe4\xb8", 3, "byte 0xe4 at byte 1 begins a character that the end of the text cuts"},
        {TG_UTF8, "a\xf0\x9f\x98", 4, "byte 0xf0 at byte 1 begins a character that"},
        {TG_UTF8, "a\xe4\xb8 bcd", 7, "byte 0xe4 at byte 1 begins no"},
        {TG_UTF16LE, "a", 1, "not UTF-16LE: byte 0x61 at byte 0 begins a character that the end of the text cuts"},
        {TG_UTF16LE, "\xff\xfe" "a\0b", 5, "byte 0x62 at byte 4 begins a character that"},
        {TG_UTF16LE, "a\0=\xd8", 4, "byte 0x3d at byte 2 begins a character that"},
        {TG_UTF16LE, "a\0=\xd8\0", 5, "byte 0x3d at byte 2 begins a character that"},
        {TG_UTF16LE, "a\0=\xd8" "b\0", 6, "byte 0x3d at byte 2 begins half a character, a lone surrogate"},
        {TG_UTF16LE, "=\xd8=\xd8\0\xde", 6, "byte 0x3d at byte 0 begins half"},
        {TG_UTF16LE, "\0\xdc" "a\0", 4, "byte 0x00 at byte 0 begins half"},
        {TG_UTF16BE, "\0a\xdc\0", 4, "not UTF-16BE: byte 0xdc at byte 2 begins half"},
        {TG_UTF16BE, "\xdb\xff\0a", 4, "byte 0xdb at byte 0 begins half"},
        {TG_UTF16BE, "\xfe\xff\0a\xdb", 5, "byte 0xdb at byte 4 begins a character that"},
        {TG_UTF16BE, "\xff\xfe" "a\0", 4, "byte 0xff at byte 0 begins the mark of UTF-16LE"},
        {TG_UTF16LE, "\xfe\xff\0a", 4, "begins the mark of UTF-16BE; give --encoding UTF-16BE"},
        {TG_GB18030, "ab\x80\xd6\xd0", 5, "not GB18030: byte 0x80 at byte 2 begins no character"},
        {TG_GB18030, "ab\xff\xd6\xd0", 5, "byte 0xff at byte 2 begins no"},
        {TG_GB18030, "\xd6\xd0\xd6", 3, "byte 0xd6 at byte 2 begins a character that"},
        {TG_GB18030, "\xd6\n", 2, "byte 0xd6 at byte 0 begins no"},
        {TG_GB18030, "\xd6\x7f", 2, "byte 0xd6 at byte 0 begins no"},
        {TG_GB18030, "\xd6\xff", 2, "byte 0xd6 at byte 0 begins no"},
        {TG_GB18030, "a\x81\x30", 3, "byte 0x81 at byte 1 begins a character that"},
        {TG_GB18030, "a\x81\x30\x81", 4, "byte 0x81 at byte 1 begins a character that"},
        {TG_GB18030, "a\x81\x30\x80\x30", 5, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "a\x81\x30\xff\x30", 5, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "a\x81\x30\x81\x40", 5, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "a\x81\x30\x81\x3a", 5, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "a\x81\x31\x80\x30", 5, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "a\x81\x31\x80", 4, "byte 0x81 at byte 1 begins no"},
        {TG_GB18030, "\x84\x31\x95\x33\x84\x31\xa5\x30", 8, "byte 0x84 at byte 4 begins no"}, /* behind U+FFFF */
        {TG_GB18030, "\x85\x30\x81\x30", 4, "byte 0x85 at byte 0 begins no"},
        {TG_GB18030, "\x8f\x39\xfe\x39", 4, "byte 0x8f at byte 0 begins no"},
        {TG_GB18030, "\xe3\x32\x9a\x36", 4, "byte 0xe3 at byte 0 begins no"},                    /* behind U+10FFFF */
        {TG_BIG5, "a\x80\xa4\xa4", 4, "not Big5: byte 0x80 at byte 1 begins no character"},
        {TG_BIG5, "\xa4\xa4\xa4", 3, "byte 0xa4 at byte 2 begins a character that"},
        {TG_BIG5, "\xa4\xa4\xa4\n", 4, "byte 0xa4 at byte 2 begins no"},
        {TG_BIG5, "\xa4\x80", 2, "byte 0xa4 at byte 0 begins no"},
        {TG_BIG5, "\xc8\xfe", 2, "byte 0xc8 at byte 0 begins no"}, /* a code without character */
        {TG_BIG5, "\xfa\x40", 2, "byte 0xfa at byte 0 begins no"},
        {TG_BIG5, "\xff", 1, "byte 0xff at byte 0 begins no"},
        {TG_ENCODINGS_NAMED, "a", 1, "no encoding of number 10"},
    };
    for (int i = 0; i < COUNT(bad); i++) {
        tg_str out = {0};
        tg_str_add(&out, "kept");
        int64_t nul = -1;
        CHECK_ERROR(tg_encoding_check(bad[i].e, bad[i].bytes, bad[i].length, 0, &nul), TG_EINVAL, bad[i].says);
        tg_status status = tg_encoding_to_utf8(bad[i].e, bad[i].bytes, bad[i].length, &out);
        if (status != TG_EINVAL) test_failed(__FILE__, __LINE__, "row %d (%s): status %d", i, bad[i].says, status);
        test_has(__FILE__, __LINE__, tg_error(), bad[i].says);
        if (bad[i].e < TG_ENCODINGS) test_has(__FILE__, __LINE__, tg_error(), "--encoding");
        CHECK_TEXT(out.data, "kept");
        CHECK_INT(out.length, 4);
        tg_str_free(&out);
    }
    tg_str out = {0};
    CHECK_ERROR(tg_encoding_to_utf8(TG_BIG5, "\xff", 1, &out), TG_EINVAL, "--tokenizer byte");
    tg_str_free(&out);
    CHECK_INT(tg_alloc_live(), 0);
}

/* A text goes through in parts: neither their borders nor runs of ASCII may move anything. */
TEST(a_bad_byte_is_found_wherever_it_stands)
{
    enum { SIZE = 13000 };
    char *text = tg_alloc(SIZE), says[64];
    tg_str out = {0};
    for (int kind = 0; kind < 2; kind++)
        for (int at = 0; at < SIZE; at += at > 20 && at < 4000 ? 331 : 1 + at / 5000) {
            for (int i = 0; i < SIZE; i++) text[i] = kind ? (char)(0xb0 + (i + at) % 2) : 'a';
            if (at % 2 && kind) text[0] = 'a'; /* so that characters end before it */
            text[at] = (char)0xff;
            snprintf(says, sizeof says, "byte 0xff at byte %d begins", at);
            CHECK_ERROR(tg_encoding_to_utf8(TG_GB18030, text, SIZE, &out), TG_EINVAL, says);
            CHECK_INT(out.length, 0);
        }
    tg_free(text);
    tg_str_free(&out);
}

TEST(a_conversion_without_memory_leaves_what_was_there)
{
    tg_str out = {0};
    char *text = tg_alloc(100000);
    memset(text, 0xb0, 100000);
    tg_str_add(&out, "kept");
    for (int n = 1;; n++) {
        out.failed = false;
        tg_alloc_fail_at(n, false);
        tg_status status = tg_encoding_to_utf8(TG_GB18030, text, 100000, &out);
        tg_alloc_fail_at(0, false);
        if (!status) break;
        CHECK_INT(status, TG_ENOMEM);
        CHECK_TEXT(out.data, "kept");
    }
    CHECK_INT(out.length, 150004);
    tg_str_free(&out);
    tg_free(text);
    CHECK_INT(tg_alloc_live(), 0);
}

/* ---- cut texts, guesses ----------------------------------------------------------------------------------------- */

/* A sentence in both scripts, 41 characters: simplified and traditional in GB18030, traditional in Big5. */
#define GB_SIMPLIFIED                                                                                                  \
    "\xb4\xba\xcc\xec\xc0\xb4\xc1\xcb\xa3\xac\xd0\xa1\xba\xd3\xc0\xef\xb5\xc4\xb1\xf9\xc8\xda\xbb\xaf\xc1\xcb\xa3\xac" \
    "\xca\xf7\xc9\xcf\xb3\xa4\xb3\xf6\xc1\xcb\xd0\xc2\xb5\xc4\xd2\xb6\xd7\xd3\xa1\xa3\xce\xd2\xc3\xc7\xd4\xda\xb9\xab" \
    "\xd4\xb0\xc0\xef\xb7\xc5\xb7\xe7\xf3\xdd\xa3\xac\xb4\xf3\xbc\xd2\xb6\xbc\xba\xdc\xb8\xdf\xd0\xcb\xa1\xa3"
#define GB_TRADITIONAL                                                                                                 \
    "\xb4\xba\xcc\xec\x81\xed\xc1\xcb\xa3\xac\xd0\xa1\xba\xd3\xd1\x65\xb5\xc4\xb1\xf9\xc8\xda\xbb\xaf\xc1\xcb\xa3\xac" \
    "\x98\xe4\xc9\xcf\xe9L\xb3\xf6\xc1\xcb\xd0\xc2\xb5\xc4\xc8~\xd7\xd3\xa1\xa3\xce\xd2\x82\x83\xd4\xda\xb9\xab\x88@"  \
    "\xd1\x65\xb7\xc5\xefL\xb9~\xa3\xac\xb4\xf3\xbc\xd2\xb6\xbc\xba\xdc\xb8\xdf\xc5\x64\xa1\xa3"
#define BIG5_TRADITIONAL                                                                                               \
    "\xacK\xa4\xd1\xa8\xd3\xa4\x46\xa1\x41\xa4p\xaa\x65\xb8\xcc\xaa\xba\xa6\x42\xbf\xc4\xa4\xc6\xa4\x46\xa1\x41\xbe"   \
    "\xf0\xa4W\xaa\xf8\xa5X\xa4\x46\xb7s\xaa\xba\xb8\xad\xa4l\xa1\x43\xa7\xda\xad\xcc\xa6\x62\xa4\xbd\xb6\xe9\xb8\xcc" \
    "\xa9\xf1\xad\xb7\xba\xe5\xa1\x41\xa4j\xae\x61\xb3\xa3\xab\xdc\xb0\xaa\xbf\xb3\xa1\x43"
static const char simplified[] = "春天来了，小河里的冰融化了，树上长出了新的叶子。我们在公园里放风筝，大家都很高兴。";
static const char traditional[] = "春天來了，小河裡的冰融化了，樹上長出了新的葉子。我們在公園裡放風箏，大家都很高興。";

/* UTF-8 to UTF-16, appended. */
static void add_utf16(tg_str *out, const char *text, bool little)
{
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        uint32_t code = 0;
        at += tg_utf8_next(at, end, &code);
        uint32_t units[2] = {code, 0};
        if (code > 0xffff) units[0] = 0xd800 + ((code - 0x10000) >> 10), units[1] = 0xdc00 + (code & 0x3ff);
        for (int i = 0; i < (code > 0xffff ? 2 : 1); i++)
            tg_str_add_n(out, little ? (char[2]){(char)units[i], (char)(units[i] >> 8)}
                                     : (char[2]){(char)(units[i] >> 8), (char)units[i]}, 2);
    }
}

TEST(how_much_of_a_character_the_end_cut_is_known_at_every_byte)
{
    tg_str text[TG_ENCODINGS] = {{0}};
    tg_str_add(&text[TG_UTF8], "a 中\n😀é中中");
    tg_str_add(&text[TG_GB18030], "a \xd6\xd0\x81\x30\x81\x30\n\xd6\xd0\x94\x39\xfc\x36\xa8\xa6" GB_TRADITIONAL);
    tg_str_add(&text[TG_BIG5], "a \xa4\xa4\n" BIG5_TRADITIONAL "b\xa4@");
    add_utf16(&text[TG_UTF16LE], "a 中\n😀é😀中", true);
    add_utf16(&text[TG_UTF16BE], "a 中\n😀😀é中", false);
    for (int e = 0; e < TG_ENCODINGS; e++) {
        int64_t begin = 0;
        const char *data = text[e].data;
        while (begin < text[e].length) {
            uint32_t code;
            int size = tg_encoding_next((tg_encoding)e, data + begin, data + text[e].length, &code);
            CHECK(size > 0);
            for (int have = 0; have < size; have++) {
                CHECK_INT(tg_encoding_partial((tg_encoding)e, data, begin + have), have);
                if (have) CHECK_INT(tg_encoding_next((tg_encoding)e, data + begin, data + begin + have, &code), -1);
            }
            begin += size;
        }
        CHECK_INT(tg_encoding_partial((tg_encoding)e, data, begin), 0);
        tg_str_free(&text[e]);
    }
}

static void guessed(int row, const char *bytes, int64_t length, tg_encoding e, bool mark, double low, double high)
{
    tg_guess g = tg_encoding_guess(bytes, length);
    const char *name = tg_encoding_name(g.encoding);
    CHECK(name != NULL);
    if (g.encoding != e || g.mark != mark || g.confidence < low || g.confidence > high)
        test_failed(__FILE__, __LINE__, "row %d: %s, %.4f, mark %d; wanted %s in [%.3f, %.3f]", row, name, g.confidence,
                    g.mark, tg_encoding_name(e), low, high);
}

TEST(encodings_are_guessed)
{
#define B(text) text, sizeof(text) - 1
    static const struct { const char *bytes; int64_t length; tg_encoding e; bool mark; double low, high; } rows[] = {
        {B(""), TG_UTF8, false, 1, 1},
        {B("plain\r\n"), TG_UTF8, false, 1, 1},
        {B("a"), TG_UTF8, false, 1, 1},
        {B("Bush hid the facts"), TG_UTF8, false, 1, 1},
        {B("\xef\xbb\xbf"), TG_UTF8, true, 1, 1},
        {B("\xff\xfe"), TG_UTF16LE, true, 1, 1},
        {B("\xfe\xff"), TG_UTF16BE, true, 1, 1},
        {B("\x84\x31\x95\x33"), TG_GB18030, true, 1, 1},
        {B("\xff\xfe-N"), TG_UTF16LE, true, 1, 1},
        {B("\xff\xfe\0\0a\0\0\0"), TG_UTF16LE, true, 0, 0}, /* UTF-32 */
        {B("caf\xc3\xa9"), TG_UTF8, false, 0.97, 1},
        {B("中文"), TG_UTF8, false, 0.99, 1},
        {B("中\xe6\x96"), TG_UTF8, false, 0.97, 1},
        {B("d\xc3\xa9j\xc3\xa0 vu\xc3"), TG_UTF8, false, 0.97, 1},
        {B("春天来了\xff，小河里的冰融化了"), TG_UTF8, false, 0.9, 1}, /* a stray byte changes nothing */
        {B(GB_SIMPLIFIED), TG_GB18030, false, 0.9999, 1},
        {B(GB_TRADITIONAL), TG_GB18030, false, 0.9999, 1},
        {B(BIG5_TRADITIONAL), TG_BIG5, false, 0.9999, 1},
        {B("x" GB_SIMPLIFIED), TG_GB18030, false, 0.9999, 1},
        {B(GB_SIMPLIFIED "\xff" GB_SIMPLIFIED), TG_GB18030, false, 0.9999, 1},
        {B(BIG5_TRADITIONAL "\x80" BIG5_TRADITIONAL), TG_BIG5, false, 0.9999, 1},
        {B("\xc4\xe3\xba\xc3"), TG_GB18030, false, 0.7, 0.99}, /* 你好: likely, not sure */
        {B("\xa7\x41\xa6\x6e"), TG_BIG5, false, 0.7, 0.99},
        {B("h\0e\0l\0l\0o\0"), TG_UTF16LE, false, 0.99, 1},
        {B("\0h\0e\0l\0l\0o"), TG_UTF16BE, false, 0.99, 1},
        {B("\0h\0e\0l\0l\0o\0"), TG_UTF16BE, false, 0.99, 1}, /* cut */
        {B("une fa\xe7on d'\xeatre \xe0 la premi\xe8re personne \xe9tait d\xe9j\xe0 l\xe0"), TG_GB18030, false, 0, 0.5},
        {B("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x20\x08\x02\0\0\0\xfc\x18"), TG_UTF16BE, false, 0, 0.5},
    };
#undef B
    for (int i = 0; i < COUNT(rows); i++)
        guessed(i, rows[i].bytes, rows[i].length, rows[i].e, rows[i].mark, rows[i].low, rows[i].high);
}

TEST(a_guess_holds_wherever_the_text_ends)
{
    tg_str little = {0}, big = {0};
    add_utf16(&little, traditional, true);
    add_utf16(&big, simplified, false);
    const struct { const char *bytes; int64_t length; tg_encoding e; } texts[] = {
        {simplified, sizeof simplified - 1, TG_UTF8},
        {GB_SIMPLIFIED, sizeof GB_SIMPLIFIED - 1, TG_GB18030},
        {GB_TRADITIONAL, sizeof GB_TRADITIONAL - 1, TG_GB18030},
        {BIG5_TRADITIONAL, sizeof BIG5_TRADITIONAL - 1, TG_BIG5},
        {little.data, little.length, TG_UTF16LE},
        {big.data, big.length, TG_UTF16BE},
    };
    for (int i = 0; i < COUNT(texts); i++)
        for (int64_t n = 20; n <= texts[i].length; n++) guessed(i, texts[i].bytes, n, texts[i].e, false, 0.9, 1);
    tg_str_free(&little);
    tg_str_free(&big);
}

TEST(a_lone_surrogate_does_not_turn_the_bytes_around)
{
    tg_str text = {0};
    tg_str_add_n(&text, "\0\xdc", 2);
    add_utf16(&text, traditional, true);
    guessed(0, text.data, text.length, TG_UTF16LE, false, 0.99, 1);
    tg_str_free(&text);
}

TEST(what_comes_late_is_seen)
{
    enum { ASCII = 5 << 20 };
    char *text = tg_alloc(ASCII + 1000);
    memset(text, 'a', ASCII);
    for (int shift = 0; shift < 9; shift++) {
        memcpy(text + ASCII + shift, GB_SIMPLIFIED, sizeof GB_SIMPLIFIED);
        guessed(shift, text, ASCII + shift + (int64_t)sizeof GB_SIMPLIFIED - 1, TG_GB18030, false, 0.999, 1);
        memset(text + ASCII, 'a', (size_t)shift + 1);
    }
    tg_free(text);
}

TEST(noise_is_no_text)
{
    uint64_t x = 1;
    char noise[5000];
    for (int i = 0; i < (int)sizeof noise; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        noise[i] = (char)(x >> 56);
    }
    for (int n = 100; n <= (int)sizeof noise; n += 100) {
        tg_guess g = tg_encoding_guess(noise, n);
        if (g.confidence > 0.01)
            test_failed(__FILE__, __LINE__, "%d bytes: %s, %.3f", n, tg_encoding_name(g.encoding), g.confidence);
    }
}

TEST(encodings_have_names)
{
    CHECK_TEXT(tg_encoding_name(TG_UTF8), "UTF-8");
    CHECK_TEXT(tg_encoding_name(TG_UTF16LE), "UTF-16LE");
    CHECK_TEXT(tg_encoding_name(TG_UTF16BE), "UTF-16BE");
    CHECK_TEXT(tg_encoding_name(TG_GB18030), "GB18030");
    CHECK_TEXT(tg_encoding_name(TG_BIG5), "Big5");
    CHECK_TEXT(tg_encoding_name(TG_ISO_2022_CN), "ISO-2022-CN");
    CHECK(!tg_encoding_name(TG_ENCODINGS_NAMED) && !tg_encoding_name((tg_encoding)-1));
}

/* ---- encodings of seven bits ------------------------------------------------------------------------------------- */

/* By Python's codecs, but for ISO-2022-CN, which it lacks. */
TEST(seven_bit_encodings_are_recognised_and_refused_with_the_remedy)
{
    static const struct { const char *text; tg_encoding e; } rows[] = {
        {"\033$B=U$,Mh$\?!#@n$NI9$,MO$1$\?!#\033(B\012\033$B$9$Y$F\033(B\012", TG_ISO_2022_JP},
        {"\033$)C\016:=@L\017 \016\?T4Y\017. \0160-@G\017 \016>s@=@L\017 \0163l>R4Y\017.\012", TG_ISO_2022_KR},
        {"\033$)A\0164:Ll@4AK\017, spring\012", TG_ISO_2022_CN},
        {"~{4:Ll@4AK#,P!:S@o5D1yHZ;/AK!#~}\012~{VPND~}\012", TG_HZ},
        {"Hi ~{Dc:C~}!\012", TG_HZ},
        {"+ZiVZKWdlTob/DFwPbLORzHaEUbCHjVMWToYwAg\012+Ti1lhw\012", TG_UTF7},
        {"un +AOk-t+AOk, une for+AOo-t, +AOc-a a pass+AOk, l'+AMMAqQ\012 Gr+APYA3w-e, +APw-ber, Stra+AN8-e\012", TG_UTF7},
        {"+BB8EQAQ4BDIENQRC, +BDwEOARA\012", TG_UTF7},
        {"+T2BZfQ 1+-1=2 +ThZ1TA\012", TG_UTF7},
    };
    tg_str out = {0};
    for (int i = 0; i < COUNT(rows); i++) {
        const int64_t length = (int64_t)strlen(rows[i].text);
        guessed(i, rows[i].text, length, rows[i].e, false, 0.9, 0.999);
        CHECK_ERROR(tg_encoding_to_utf8(rows[i].e, rows[i].text, length, &out), TG_EINVAL, tg_encoding_name(rows[i].e));
        test_has(__FILE__, __LINE__, tg_error(), "make it UTF-8 first (iconv -f ");
        for (int64_t cut = 0; cut < length; cut++) { /* nothing else, wherever it ends */
            const tg_encoding e = tg_encoding_seven(rows[i].text, cut);
            CHECK(e == rows[i].e || e == TG_UTF8);
        }
    }
}

TEST(what_only_resembles_a_seven_bit_encoding_is_ascii)
{
    static const char *const rows[] = {
        "for (i = 0; i < n; i++) sum += x[i] + +y, z = a+b-c+d;\n", "C++ and g++, 1+1=2, +1-800-555-0100, A+ B+- C+\n",
        "From: user+lists-owner@example.org\nTo: me+news-letter@example.org, me+work@example.org, me+docs-a@example.org\n",
        "diff --git a/x b/x\n+++ b/x\n@@ -1,2 +1,3 @@\n+int main(void)\n+static void f(void);\n+    return 0;\n+done\n",
        "+ one\n+ two\n* three\n+four\n+five\n", "x+A+AA+AAA+AAAA+AAAAA\n",
        "(format t \"~{~a~^, ~}~%\" list) ~{~A ~} ~{x~a~} ~{(~a)~} ~~{ ~{<td>~a</td>~}\n", "see Fig.~{\\bf 1} and~{a~}b, ~{}\n",
        "\033[1;31mred\033[0m \033(B\033[m \033$ \033$Bnot closed\n", "\016\017 \033)0\016lqqk\017\n",
        "AAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5+\nrkJggg+Lq3Zx8Kb+TtWw0nJ5y1Qe+aZ7cVd\n9pLm+PqRs/T==\n",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDRDs+6PqTfm0NnQDLk0Up1sC7IbC1wz2d8tLr+Yh9XQb me@example.org\n",
    };
    for (int i = 0; i < COUNT(rows); i++) {
        guessed(i, rows[i], (int64_t)strlen(rows[i]), TG_UTF8, false, 1, 1);
        for (int64_t end = (int64_t)strlen(rows[i]); end > 0; end--)
            if (tg_encoding_seven(rows[i], end) != TG_UTF8) test_failed(__FILE__, __LINE__, "row %d: not ASCII to byte %d", i, (int)end);
    }
}

/* Whole texts, and every piece of them: what is cautious in a megabyte should not be rash in a paragraph. */
static void is_ascii_all_over(const char *path)
{
    char *text;
    int64_t length, pieces = 0;
    CHECK_OK(tg_file_slurp(path, 1 << 24, &text, &length));
    CHECK_INT(tg_encoding_seven(text, length), TG_UTF8);
    for (int64_t size = 64; size <= 4096; size *= 8)
        for (int64_t at = 0; at + size <= length; at += size, pieces++)
            if (tg_encoding_seven(text + at, size) != TG_UTF8)
                test_failed(__FILE__, __LINE__, "%s: %d bytes at %d: %.*s", path, (int)size, (int)at, (int)size, text + at);
    test_note("%s: %" PRId64 " pieces", path, pieces);
    tg_free(text);
}

TEST(real_ascii_texts_are_ascii)
{
    is_ascii_all_over(shared("text/tinyshakespeare.txt"));
    is_ascii_all_over(shared("text/names.txt"));
}

TEST(our_own_sources_are_ascii)
{
    is_ascii_all_over("src/data/text/encoding_seven.c");
    is_ascii_all_over("Makefile");
    is_ascii_all_over("tests/cli/collect_fetch.t");
}

/* ---- whole texts, encoded by Python ----------------------------------------------------------------------------- */

typedef struct tally { int64_t texts, texts_of[TG_ENCODINGS], shorts, wrong, unsure, bytes; } tally;

static bool read_record(FILE *f, tally *t)
{
    char line[4200], name[4096];
    int e, guess, mark, is_short;
    int64_t length, length8;
    if (!fgets(line, sizeof line, f)) return false;
    int fields = sscanf(line, "%d %d %d %d %" SCNd64 " %" SCNd64 " %4095[^\n]", &e, &guess, &mark, &is_short, &length,
                        &length8, name);
    CHECK_INT(fields, 7);
    char *bytes = tg_alloc_raw(length + length8 + 1);
    CHECK(bytes && fread(bytes, 1, (size_t)(length + length8), f) == (size_t)(length + length8));
    tg_str out = {0};
    tg_status status = tg_encoding_to_utf8((tg_encoding)e, bytes, length, &out);
    if (status) test_failed(__FILE__, __LINE__, "%s in %s: %s", name, tg_encoding_name((tg_encoding)e), tg_error());
    if (out.length != length8 || memcmp(out.data ? out.data : "", bytes + length, (size_t)length8) != 0)
        test_failed(__FILE__, __LINE__, "%s in %s: other bytes than Python's", name, tg_encoding_name((tg_encoding)e));
    tg_guess g = tg_encoding_guess(bytes, length);
    bool wrong = (int)g.encoding != guess || g.mark != mark;
    if (wrong && !is_short)
        test_failed(__FILE__, __LINE__, "%s in %s (mark %d): guessed %s, %.4f, mark %d", name,
                    tg_encoding_name((tg_encoding)e), mark, tg_encoding_name(g.encoding), g.confidence, g.mark);
    t->texts += !is_short;
    t->texts_of[e] += !is_short;
    t->shorts += is_short;
    t->wrong += wrong;
    t->unsure += is_short && g.confidence < 0.99;
    t->bytes += length;
    tg_str_free(&out);
    tg_free(bytes);
    return true;
}

static void compare_with_python(const char *path)
{
    const char *python = getenv("PYTHON") ? getenv("PYTHON") : "python3";
    char command[9000];
    tally t = {0};
    snprintf(command, sizeof command, "command -v %s > /dev/null || exit 127; %s tests/support/encodings.py '%s'",
             python, python, path);
    FILE *f = popen(command, "r");
    CHECK(f != NULL);
    while (read_record(f, &t)) continue;
    int end = pclose(f);
    if (t.texts == 0 && end != 0 && WEXITSTATUS(end) == 127) test_skip("no python3 (PYTHON)");
    CHECK_INT(end, 0);
    for (int e = 0; e < TG_ENCODINGS; e++) CHECK(t.texts_of[e] > 0);
    test_note("%" PRId64 " texts in 5 encodings, %" PRId64 " bytes, all guessed; of %" PRId64
              " texts of 20 characters %" PRId64 " not, %" PRId64 " with a confidence below 0.99",
              t.texts, t.bytes, t.shorts, t.wrong, t.unsure);
    CHECK(t.wrong * 500 <= t.shorts); /* 99.8 % */
    CHECK(t.unsure * 140 <= t.shorts); /* what the prices are worth: without any one of them there are more */
}

TEST(the_texts_of_the_tutorial_come_back_from_python)
{
    compare_with_python("data");
}

TEST(real_texts_come_back_from_python)
{
    compare_with_python(shared("text"));
}
