/* utf8.c - tests of UTF-8 and of widths. The checksums are of what python's decoder accepts. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "test.h"

#include <string.h>

/* Bit i of a map tells whether the `length` bytes of i, highest first, are valid. */
static uint32_t crc_of_valid(int length, int64_t *valid)
{
    int64_t count = INT64_C(1) << 8 * length;
    uint8_t *map = tg_alloc(count / 8);
    for (int64_t i = 0; i < count; i++) {
        char text[3];
        for (int b = 0; b < length; b++) text[b] = (char)(i >> 8 * (length - 1 - b));
        if (tg_utf8_check(text, length) >= 0) continue;
        map[i / 8] |= (uint8_t)(1 << i % 8);
        ++*valid;
    }
    uint32_t crc = tg_crc32(0, map, count / 8);
    tg_free(map);
    return crc;
}

TEST(every_text_of_up_to_three_bytes_is_judged_as_python_does)
{
    static const int64_t counts[] = {128, 18304, 2650112};
    static const uint32_t sums[] = {0x2c642644, 0x2dfa8684, 0x107d6f19};
    for (int length = 1; length <= 3; length++) {
        int64_t valid = 0;
        CHECK_INT(crc_of_valid(length, &valid), sums[length - 1]);
        CHECK_INT(valid, counts[length - 1]);
    }
}

TEST(every_character_survives_writing_and_reading)
{
    int64_t bytes = 0;
    for (uint32_t code = 0; code < 0x110100; code++) {
        char text[4];
        uint32_t back = 0;
        int n = tg_utf8_put(text, code);
        bool scalar = code < 0xd800 || (code >= 0xe000 && code <= 0x10ffff);
        CHECK_INT(n > 0, scalar);
        if (!scalar) continue;
        CHECK_INT(tg_utf8_next(text, text + n, &back), n);
        CHECK_INT(back, code);
        CHECK_INT(tg_utf8_check(text, n), -1);
        CHECK_INT(tg_utf8_three(text, text + n), code >= 0x1000 && code < 0xd000 ? code : 0);
        for (int i = 1; i < n; i++) { /* cut short it is begun, not valid */
            CHECK_INT(tg_utf8_next(text, text + i, &back), 0);
            CHECK_INT(tg_utf8_check(text, i), 0);
            CHECK_INT(tg_utf8_three(text, text + i), 0);
            CHECK_INT(tg_utf8_partial(text, i), i);
        }
        CHECK_INT(tg_utf8_partial(text, n), 0);
        bytes += n;
    }
    CHECK_INT(bytes, 0x80 + 0x780 * 2 + 0xf000 * 3 + 0x100000 * 4);
    CHECK_INT(tg_utf8_put((char[4]){0}, UINT32_MAX), 0);
}

TEST(four_byte_forms_beyond_unicode_are_refused)
{
    static const char *const bad[] = {
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe",
        "\xf0\x90\x80", "\xf0\x9f\x98\x28", "\xf0\x28\x8c\xbc", "\xf0\x90\x28\xbc", "\xed\xa0\xbd\xed\xb8\x80",
        "\xc0\x80", "\xe0\x80\x80"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(tg_utf8_check(bad[i], (int64_t)strlen(bad[i])), 0);
    CHECK_INT(tg_utf8_check("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8), -1);
}

TEST(the_first_invalid_byte_is_found_wherever_it_stands)
{
    char text[100];
    for (int at = 0; at < 100; at++) {
        memset(text, 'a', sizeof text);
        text[at] = (char)0xe4;
        CHECK_INT(tg_utf8_check(text, 100), at);
        CHECK_INT(tg_utf8_check(text, at), -1);
        if (at > 97) continue;
        memcpy(text + at, "\xe4\xb8\xad", 3);
        CHECK_INT(tg_utf8_check(text, 100), -1);
        CHECK_INT(tg_utf8_check(text, at + 2), at);
        CHECK_INT(tg_utf8_length(text, 100), 98);
    }
}

TEST(an_unfinished_character_at_the_end_is_counted_in_bytes)
{
    static const struct { const char *text; int bytes; } cases[] = {
        {"", 0}, {"a", 0}, {"a\xc3", 1}, {"a\xe4", 1}, {"a\xe4\xb8", 2}, {"a\xf0\x9f\x98", 3},
        {"\xf0\x9f\x98\x80", 0}, {"a\x80", 0}, {"a\x80\x80\x80", 0}, {"\xc0", 0}, {"\xe0\x80", 0},
        {"\xed\xa0", 0}, {"\xf4\x90", 0}, {"\xf5", 0}, {"\xf4\x8f\xbf", 3}, {"\xc3\xa9\xa9", 0},
        {"\xe4\xc3", 1}, {"\xf0\x9f\x41", 0}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = tg_utf8_partial(cases[i].text, (int64_t)strlen(cases[i].text));
        if (got != cases[i].bytes) test_failed(__FILE__, __LINE__, "case %d: %d, not %d", (int)i, got, cases[i].bytes);
    }
}

TEST(widths_are_those_of_the_unicode_database)
{
    static const struct { uint32_t code; int width; } cases[] = {
        {0x00, -1}, {0x0a, -1}, {0x1b, -1}, {0x7f, -1}, {0x80, -1}, {0x9f, -1}, {' ', 1}, {'~', 1}, {0xa0, 1},
        {0xad, 1}, {0xe9, 1}, {0x2ff, 1}, {0x300, 0}, {0x36f, 0}, {0x370, 1}, {0x5d0, 1}, {0x5b0, 0},
        {0x600, 1}, {0x627, 1}, {0x64b, 0}, {0x93f, 1}, {0x94d, 0}, {0xe31, 0}, {0x1100, 2}, {0x1161, 0},
        {0x11a8, 0}, {0x200b, 0}, {0x200d, 0}, {0x2014, 1}, {0x2026, 1}, {0x202e, 0}, {0x20dd, 0}, {0x20ac, 1},
        {0x2190, 1}, {0x231a, 2}, {0x2500, 1}, {0x2588, 1}, {0x2665, 1}, {0x26a1, 2}, {0x2705, 2}, {0x3000, 2},
        {0x3001, 2}, {0x302a, 0}, {0x303f, 1}, {0x3042, 2}, {0x3099, 0}, {0x30a2, 2}, {0x4dc0, 2}, {0x4e00, 2},
        {0x4e2d, 2}, {0x9fff, 2}, {0xac00, 2}, {0xd7a3, 2}, {0xe000, 1}, {0xf900, 2}, {0xfe0f, 0}, {0xfe30, 2},
        {0xfeff, 0}, {0xff01, 2}, {0xff61, 1}, {0xff76, 1}, {0xffe5, 2}, {0xfffd, 1}, {0x10400, 1},
        {0x1d400, 1}, {0x1f004, 2}, {0x1f1e6, 1}, {0x1f300, 2}, {0x1f321, 1}, {0x1f3fb, 2}, {0x1f600, 2},
        {0x1f680, 2}, {0x1f970, 2}, {0x1fa80, 2}, {0x20000, 2}, {0x2a6df, 2}, {0x3134a, 2}, {0xe0001, 0},
        {0xe0100, 0}, {0xf0000, 1}, {0x10ffff, 1}, {0x110000, -1}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = tg_utf8_width(cases[i].code);
        if (got != cases[i].width)
            test_failed(__FILE__, __LINE__, "U+%04X is %d wide, not %d", (unsigned)cases[i].code, got, cases[i].width);
    }
}

TEST(columns_add_up_over_any_bytes)
{
    CHECK_INT(tg_utf8_columns("", 0), 0);
    CHECK_INT(tg_utf8_columns("abc", 3), 3);
    CHECK_INT(tg_utf8_columns("\xe6\x98\x8e\xe6\x9c\x88 a", 8), 6);
    CHECK_INT(tg_utf8_columns("e\xcc\x81", 3), 1);
    CHECK_INT(tg_utf8_columns("\xf0\x9f\x98\x80!", 5), 3);
    CHECK_INT(tg_utf8_columns("a\nb", 3), 2);
    CHECK_INT(tg_utf8_columns("a\xff\xe4\xb8", 4), 4);
}
