/* grapheme.c - clusters against Unicode's own test, where it is, and the columns they take. The checksums are of what
 * another implementation of Unicode 17.0, the regex module of Python, finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "support/shared.h"
#include "test.h"

/* ---- clusters */

/* "÷ 0061 × 0308 ÷ 0062 ÷": each cluster must begin where a ÷ (c3 b7) stands. */
static void check_line(const char *line)
{
    char text[256];
    int64_t starts[64], count = 0, length = 0;
    for (const char *at = line; *at && *at != '\t';) {
        char *next;
        if (memcmp(at, "\xc3\xb7", 2) == 0) starts[count++] = length;
        at += 2 + (at[2] == ' ');
        if (*at == '\t' || !*at) break;
        length += tg_utf8_put(text + length, (uint32_t)strtoul(at, &next, 16));
        CHECK(next > at && length < 250 && count < 63);
        at = next + strspn(next, " ");
    }
    CHECK(count > 1 && starts[count - 1] == length);
    int64_t at = 0;
    for (int64_t i = 1; i < count; i++) {
        at += tg_utf8_grapheme(text + at, text + length);
        if (at != starts[i]) test_failed(__FILE__, __LINE__, "cluster %d ends at %d: %.60s", (int)i, (int)at, line);
    }
    CHECK_INT(tg_utf8_grapheme(text + at, text + length), 0);
}

TEST(every_line_of_unicodes_cluster_test_passes)
{
    int64_t size, lines = 0;
    char *file = shared_text("unicode/GraphemeBreakTest.txt", &size), *next;
    for (char *line = file; *line; line = next) {
        char *end = line + strcspn(line, "\n");
        next = end + (*end == '\n');
        *end = 0;
        if (memcmp(line, "\xc3\xb7", 2)) continue;
        check_line(line);
        lines++;
    }
    CHECK_INT(lines, 766);
    tg_free(file);
}

/* Each character before, behind and between others: a bit for each text that is one cluster. */
TEST(every_character_joins_what_it_should)
{
    static const char *const around[][2] = {
        {"", "\xcc\x88"}, {"a", ""}, {"", "a"}, {"\xe1\x84\x80", ""}, {"\xea\xb0\x80", ""}, {"", "\xe1\x86\xa8"},
        {"\xf0\x9f\x91\xa8\xe2\x80\x8d", ""}, {"", "\xe2\x80\x8d\xf0\x9f\x91\xa8"}, {"\xe0\xa4\x95\xe0\xa5\x8d", ""},
        {"\xe0\xa4\x95", "\xe0\xa4\x95"}, {"\xf0\x9f\x87\xa6", ""}
    };
    uint32_t crc = 0;
    for (uint32_t code = 0; code < 0xe1000; code = code == 0x1ffff ? 0xe0000 : code + 1) {
        char character[5] = {0}, text[32];
        if (!tg_utf8_put(character, code)) continue;
        unsigned bits = 0;
        for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
            size_t before = strlen(around[i][0]), own = code ? strlen(character) : 1, behind = strlen(around[i][1]);
            memcpy(text, around[i][0], before);
            memcpy(text + before, character, own);
            memcpy(text + before + own, around[i][1], behind);
            const char *end = text + before + own + behind;
            if (tg_utf8_grapheme(text, end) == end - text) bits |= 1u << i;
        }
        crc = tg_crc32(crc, (uint8_t[2]){(uint8_t)bits, (uint8_t)(bits >> 8)}, 2);
    }
    CHECK_INT(crc, 0xd6ae14fd);
}

/* All texts of four characters, one of each kind: a bit for each character that ends a cluster. */
TEST(every_order_of_kinds_is_cut_where_it_should)
{
    static const uint32_t kinds[] = {
        '\r', '\n', 1, 0x300, 0x94d, 0x200c, 0x200d, 0x903, 0x600, 0x915, 0x1f469, 0x1f1e6, 0x1100, 0x1161, 0x11a8,
        0xac00, 0xac01, 'a'
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    uint32_t crc = 0;
    for (int i = 0; i < KINDS * KINDS * KINDS * KINDS; i++) {
        const int order[] = {i / KINDS / KINDS / KINDS, i / KINDS / KINDS % KINDS, i / KINDS % KINDS, i % KINDS};
        char text[16];
        int64_t ends[4], length = 0;
        for (int c = 0; c < 4; c++) ends[c] = length += tg_utf8_put(text + length, kinds[order[c]]);
        uint8_t bits = 0;
        for (int64_t at = 0; at < length;) {
            at += tg_utf8_grapheme(text + at, text + length);
            for (int c = 0; c < 4; c++) bits |= (uint8_t)((ends[c] == at) << c);
        }
        crc = tg_crc32(crc, &bits, 1);
    }
    CHECK_INT(crc, 0x8b780772);
}

TEST(bytes_that_are_not_utf8_stand_alone)
{
    const char *text = "\xff\xcc\x81" "e\xcc\x81\xcc";
    CHECK_INT(tg_utf8_grapheme(text, text + 7), 1);
    CHECK_INT(tg_utf8_grapheme(text + 1, text + 7), 2); /* a mark does not join them */
    CHECK_INT(tg_utf8_grapheme(text + 3, text + 7), 3);
    CHECK_INT(tg_utf8_grapheme(text + 6, text + 7), 1);
    CHECK_INT(tg_utf8_grapheme(text + 7, text + 7), 0);
}

/* ---- columns */

#define FAMILY "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"
#define FLAG "\xf0\x9f\x87\xa8\xf0\x9f\x87\xb3"
#define HAND "\xf0\x9f\x91\x8b\xf0\x9f\x8f\xbd"
#define KEYCAP "1\xef\xb8\x8f\xe2\x83\xa3"
#define MARKED "e\xcc\x81\xcc\xa3"

TEST(a_cluster_takes_the_columns_a_terminal_gives_it)
{
    static const struct { const char *text; int columns, clusters; } cases[] = {
        {"plain ASCII", 11, 11}, {"\xe6\x98\x8e\xe6\x9c\x88", 4, 2}, {MARKED, 1, 1}, {"\xcc\x81", 0, 1},
        {"\xed\x95\x9c\xea\xb8\x80", 4, 2},                                     /* Hangul syllables */
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2, 1},                         /* the first of them in jamo */
        {HAND, 2, 1}, {"\xe2\x98\x9d\xf0\x9f\x8f\xbd", 2, 1}, {FAMILY, 2, 1}, {FLAG, 2, 1}, {FLAG FLAG, 4, 2},
        {FLAG "\xf0\x9f\x87\xa8", 3, 2}, {KEYCAP, 2, 1}, {"#\xef\xb8\x8f\xe2\x83\xa3", 2, 1}, {"1\xe2\x83\xa3", 1, 1},
        {"\xe2\x9d\xa4", 1, 1}, {"\xe2\x9d\xa4\xef\xb8\x8f", 2, 1},             /* a heart, the same as emoji */
        {"\xc2\xa9\xef\xb8\x8f", 2, 1}, {"a\xef\xb8\x8f", 1, 1},                /* of a letter there is no emoji */
        {"\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88", 2, 1},     /* rainbow flag */
        {"\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xbf", 2, 1}, /* black flag with tags */
        {"\xef\xbd\xb6\xef\xbe\x9e", 2, 1}, {"\xef\xbd\xb1\xef\xbd\xb2", 2, 2}, /* half-width katakana */
        {"\xe2\x80\x9c\xe2\x80\xa6\xce\xb1", 3, 3},                             /* ambiguous ones are narrow */
        {"\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xb7", 2, 1}, {"\xe0\xa4\x95\xe0\xa4\xbe", 2, 1}, /* conjunct, spacing vowel */
        {"\xff\xfe", 2, 2}, {"\xe4\xb8", 2, 2}, {"\r\n", 0, 1}, {"a\nb", 2, 3}, {"\x1b\xcc\x81", 0, 2},
        {"\xf0\x9f\xab\xaa\xf0\x9f\xab\x88", 4, 2}, {"\xf0\xb3\x8d\x80", 2, 1}, /* emoji and ideograph of Unicode 17 */
        {"\xe4\xb7\x80", 2, 1}                                                  /* wide since Unicode 16 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t length = (int64_t)strlen(cases[i].text), clusters = 0;
        for (int64_t at = 0; at < length; clusters++) at += tg_utf8_grapheme(cases[i].text + at, cases[i].text + length);
        int64_t columns = tg_utf8_columns(cases[i].text, length);
        if (columns != cases[i].columns || clusters != cases[i].clusters)
            test_failed(__FILE__, __LINE__, "case %d, '%s': %d clusters, %d columns, not %d and %d", (int)i,
                        cases[i].text, (int)clusters, (int)columns, cases[i].clusters, cases[i].columns);
    }
}

TEST(every_mark_of_unicode_17_takes_no_column)
{
    int64_t size, marks = 0;
    char *file = shared_text("unicode/UnicodeData.txt", &size);
    for (char *line = file; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char *category = strchr(line + strcspn(line, ";\n") + 1, ';');
        if (*line == '#' || !category || (memcmp(category, ";Mn;", 4) && memcmp(category, ";Me;", 4))) continue;
        uint32_t code = (uint32_t)strtoul(line, NULL, 16);
        if (tg_utf8_width(code) != 0) test_failed(__FILE__, __LINE__, "U+%04X takes columns", (unsigned)code);
        marks++;
    }
    CHECK_INT(marks, 2072);
    tg_free(file);
}

TEST(texts_are_cut_between_clusters)
{
    const char *text = "a\xe6\x98\x8e" MARKED FAMILY FLAG KEYCAP "\xff" "b"; /* columns 1 2 1 2 2 2 1 1 */
    static const int64_t bytes[] = {0, 1, 1, 4, 9, 9, 27, 27, 35, 35, 42, 43, 44, 44};
    for (int64_t columns = -1; columns < (int64_t)(sizeof bytes / sizeof *bytes); columns++) {
        int64_t got = tg_utf8_cut(text, (int64_t)strlen(text), columns);
        CHECK_INT(got, bytes[columns < 0 ? 0 : columns]);
        CHECK(columns < 0 || tg_utf8_columns(text, got) <= columns);
    }
    CHECK_INT(tg_utf8_columns(text, (int64_t)strlen(text)), 12);
}
