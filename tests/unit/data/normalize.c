/* normalize.c - tests of normalization against Unicode's own files, where they are, and of the other cleaning. */
#include "data/text/normalize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "support/shared.h"
#include "test.h"

typedef tg_status change(const char *text, int64_t length, tg_str *out, int64_t *changed);

/* ---- helpers */

/* "0044 0307" as UTF-8, ended by a NUL; returns what follows the ';'. */
static char *column(char *at, char text[256], int64_t *length)
{
    *length = 0;
    while (*at != ';') {
        char *end;
        uint32_t code = (uint32_t)strtoul(at, &end, 16);
        CHECK(end > at && *length < 250);
        *length += tg_utf8_put(text + *length, code);
        at = end + strspn(end, " ");
    }
    text[*length] = 0;
    return at + 1;
}

static void check_change(change *f, const char *text, const char *want, int64_t changed)
{
    tg_str out = {0};
    int64_t count = 0;
    CHECK_OK(f(text, (int64_t)strlen(text), &out, &count));
    CHECK_TEXT(out.data ? out.data : "", want);
    if (count != changed) test_failed(__FILE__, __LINE__, "'%s': %d changed, not %d", text, (int)count, (int)changed);
    tg_str_free(&out);
}

/* ---- NFC */

TEST(every_line_of_unicodes_normalization_test_passes)
{
    int64_t size, lines = 0;
    char *file = shared_text("unicode/NormalizationTest.txt", &size), *listed = tg_alloc(0x110000);
    bool part1 = false;
    tg_str out = {0};
    for (char *line = file, *next; line < file + size; line = next) {
        next = strchr(line, '\n') + 1;
        if (*line == '@') part1 = strncmp(line, "@Part1", 6) == 0;
        if (*line == '@' || *line == '#' || *line == '\n') continue;
        char c[5][256];
        int64_t n[5], changed = 0;
        char *at = line;
        if (part1) listed[strtoul(line, NULL, 16)] = 1;
        for (int i = 0; i < 5; i++) at = column(at, c[i], n + i);
        for (int i = 0; i < 5; i++) {
            const char *want = c[i < 3 ? 1 : 3];
            tg_str_clear(&out);
            CHECK_OK(tg_nfc(c[i], n[i], &out, &changed));
            if (strcmp(out.data, want) != 0)
                test_failed(__FILE__, __LINE__, "column %d of %.60s", i + 1, line);
            if ((changed > 0) != (strcmp(c[i], want) != 0))
                test_failed(__FILE__, __LINE__, "changed is %d for column %d of %.60s", (int)changed, i + 1, line);
            changed = 0;
        }
        lines++;
    }
    int64_t others = 0;
    for (uint32_t code = 1; code < 0x110000; code++) {
        char text[4];
        int64_t changed = 0, n = tg_utf8_put(text, code);
        if (listed[code] || n == 0) continue;
        tg_str_clear(&out);
        CHECK_OK(tg_nfc(text, n, &out, &changed));
        CHECK_INT(out.length, n);
        CHECK_BYTES(out.data, text, n);
        CHECK_INT(changed, 0);
        others++;
    }
    test_note("%d lines, %d other code points", (int)lines, (int)others);
    CHECK(lines > 20000);
    tg_str_free(&out);
    tg_free(listed);
    tg_free(file);
}

/* All lines' sources in one text, each behind a starter: what stands before must not change what comes. */
TEST(sequences_do_not_disturb_each_other)
{
    int64_t size, changed = 0;
    char *file = shared_text("unicode/NormalizationTest.txt", &size), text[256];
    static const char *const between[] = {"x", "\xe6\x9c\x88", "\n "};
    tg_str source = {0}, want = {0}, out = {0};
    for (int b = 0; b < 3; b++) {
        for (char *line = file, *next; line < file + size; line = next) {
            next = strchr(line, '\n') + 1;
            if (*line == '@' || *line == '#' || *line == '\n') continue;
            int64_t n;
            char *at = column(line, text, &n);
            tg_str one = {0};
            tg_str_add(&one, between[b]);
            tg_str_add_n(&one, text, n);
            tg_str_add_n(&source, one.data, one.length);
            CHECK_OK(tg_nfc(one.data, one.length, &want, &changed));
            column(at, text, &n);
            tg_str_free(&one);
        }
    }
    int64_t whole = 0;
    CHECK_OK(tg_nfc(source.data, source.length, &out, &whole));
    CHECK_INT(out.length, want.length);
    CHECK_BYTES(out.data, want.data, want.length);
    CHECK_INT(whole, changed);
    tg_str_free(&source);
    tg_str_free(&want);
    tg_str_free(&out);
    tg_free(file);
}

TEST(accents_join_their_letters_and_are_counted)
{
    check_change(tg_nfc, "", "", 0);
    check_change(tg_nfc, "plain", "plain", 0);
    check_change(tg_nfc, "cafe\xcc\x81!", "caf\xc3\xa9!", 2);
    check_change(tg_nfc, "caf\xc3\xa9", "caf\xc3\xa9", 0);
    check_change(tg_nfc, "\xcc\x81" "a", "\xcc\x81" "a", 0);         /* a mark with nothing to stand on */
    check_change(tg_nfc, "\xe2\x84\xab", "\xc3\x85", 1);             /* the Angstrom sign */
    check_change(tg_nfc, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c", 3);
    check_change(tg_nfc, "\xed\x95\x98\xe1\x86\xab", "\xed\x95\x9c", 2);
    check_change(tg_nfc, "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87", 2); /* order alone */
    check_change(tg_nfc, "\xe6\x98\x8e\xe6\x9c\x88\xef\xbc\x8c", "\xe6\x98\x8e\xe6\x9c\x88\xef\xbc\x8c", 0);
    check_change(tg_nfc, "\xef\xa4\x80", "\xe8\xb1\x88", 1);         /* U+F900 is U+8C48 */
    check_change(tg_nfc, "\xe3\x82\xab\xe3\x82\x99", "\xe3\x82\xac", 2);
}

/* Would take hours in quadratic time. */
TEST(a_million_marks_are_ordered_in_no_time)
{
    enum { PAIRS = 500000 };
    tg_str text = {0}, out = {0};
    int64_t changed = 0;
    tg_str_add(&text, "q");
    for (int i = 0; i < PAIRS; i++) tg_str_add(&text, "\xcc\x87\xcc\xa3"); /* classes 230, 220 */
    CHECK_OK(tg_nfc(text.data, text.length, &out, &changed));
    CHECK_INT(out.length, text.length);
    CHECK_INT(changed, 2 * PAIRS);
    for (int i = 0; i < 2 * PAIRS; i++)
        CHECK(memcmp(out.data + 1 + 2 * i, i < PAIRS ? "\xcc\xa3" : "\xcc\x87", 2) == 0);
    tg_str_free(&text);
    tg_str_free(&out);
}

static tg_status clean(const char *text, int64_t length, tg_str *out, int64_t *changed)
{
    tg_cleaned counts = {0};
    tg_status status = tg_clean_controls(text, length, out, &counts);
    *changed += counts.line_ends * 10000 + counts.controls * 100 + counts.marks;
    return status;
}

static change *const all[] = {tg_nfc, tg_fold_width, clean, tg_lowercase};

TEST(what_is_not_utf8_is_refused_with_the_byte)
{
    for (int i = 0; i < 4; i++) {
        tg_str out = {0};
        int64_t changed = 0;
        CHECK_ERROR(all[i]("ABC\xff", 4, &out, &changed), TG_EINVAL, "0xff at byte 3");
        CHECK_ERROR(all[i]("\xe4\xb8", 2, &out, &changed), TG_EINVAL, "0xe4 at byte 0");
        CHECK_ERROR(all[i]("e\xcc\x81\xe4\xb8z", 6, &out, &changed), TG_EINVAL, "0xe4 at byte 3");
        CHECK_INT(changed, 0);
        tg_str_free(&out);
    }
}

TEST(no_memory_is_told_and_nothing_is_counted)
{
    tg_str text = {0};
    tg_str_add(&text, "A\r\xef\xbc\xa1" "e");
    for (int i = 0; i < 40; i++) tg_str_add(&text, "\xcc\x81\xcc\xa3");
    for (int i = 0; i < 4; i++) {
        int failures = 0;
        for (int n = 1;; n++) {
            tg_str out = {0};
            int64_t changed = 0;
            tg_alloc_fail_at(n, false);
            tg_status status = all[i](text.data, text.length, &out, &changed);
            tg_alloc_fail_at(0, false);
            tg_str_free(&out);
            if (status == TG_OK) break;
            CHECK_INT(status, TG_ENOMEM);
            CHECK_INT(changed, 0);
            failures++;
        }
        CHECK(failures >= (i == 0 ? 3 : 1));
    }
    int64_t live = tg_alloc_live();
    tg_str_free(&text);
    CHECK_INT(tg_alloc_live(), live - 1);
}

/* ---- widths, case, controls */

TEST(widths_fold_as_the_header_says)
{
    check_change(tg_fold_width, "abc \xc3\xa9 \xe6\x98\x8e", "abc \xc3\xa9 \xe6\x98\x8e", 0);
    check_change(tg_fold_width, "\xef\xbc\xa1\xef\xbd\x82\xef\xbc\x91\xe3\x80\x80\xef\xbd\x9e", "Ab1 ~", 5);
    check_change(tg_fold_width, "\xe6\x98\x8e\xef\xbc\x8c\xe6\x9c\x88\xe3\x80\x82\xef\xbc\x81",
                 "\xe6\x98\x8e,\xe6\x9c\x88\xe3\x80\x82!", 2);           /* the comma folds, the full stop stays */
    check_change(tg_fold_width, "\xef\xbd\xb6\xef\xbe\x9e\xef\xbd\xa1", "\xe3\x82\xab\xe3\x82\x99\xe3\x80\x82", 3);
    check_change(tg_fold_width, "\xef\xbe\xa1\xef\xbf\xa5", "\xe3\x84\xb1\xc2\xa5", 2);
    check_change(tg_fold_width, "\xef\xbc\x80\xef\xbf\xaf\xef\xbf\xb0", "\xef\xbc\x80\xef\xbf\xaf\xef\xbf\xb0", 0);
}

TEST(lower_case_of_many_scripts)
{
    check_change(tg_lowercase, "To BE @[`{", "to be @[`{", 3);
    check_change(tg_lowercase, "\xc3\x80\xc3\x97\xc3\xbf", "\xc3\xa0\xc3\x97\xc3\xbf", 1);
    check_change(tg_lowercase, "\xd0\x96\xce\xa3\xc7\x85", "\xd0\xb6\xcf\x83\xc7\x86", 3);
    check_change(tg_lowercase, "\xc4\xb0I", "ii", 2); /* whatever the language */
    check_change(tg_lowercase, "\xef\xbc\xa1\xf0\x90\x90\x80", "\xef\xbd\x81\xf0\x90\x90\xa8", 2);
    check_change(tg_lowercase, "\xe6\x98\x8e\xe4\x84\x80", "\xe6\x98\x8e\xe4\x84\x80", 0);
}

/* Field 5 (<wide>, <narrow>) and field 13 of every line. */
TEST(widths_and_lower_case_are_those_of_the_unicode_database)
{
    int64_t size, lines = 0;
    char *file = shared_text("unicode/UnicodeData.txt", &size);
    tg_str out = {0};
    for (char *line = file, *next; line < file + size; line = next) {
        next = strchr(line, '\n') + 1;
        uint32_t code = (uint32_t)strtoul(line, NULL, 16), wide = code, small = code;
        char *at = line, text[4], want[4];
        int64_t n = tg_utf8_put(text, code), changed;
        if (*line == '#' || n == 0) continue;
        for (int field = 0; at && at < next && field < 14; field++, at = strchr(at, ';') + 1) {
            if (field == 5 && strncmp(at, "<wide> ", 7) == 0) wide = (uint32_t)strtoul(at + 7, NULL, 16);
            if (field == 5 && strncmp(at, "<narrow> ", 9) == 0) wide = (uint32_t)strtoul(at + 9, NULL, 16);
            if (field == 13 && *at != ';') small = (uint32_t)strtoul(at, NULL, 16);
        }
        for (int i = 0; i < 2; i++) {
            uint32_t form = i ? small : wide;
            int64_t m = tg_utf8_put(want, form);
            tg_str_clear(&out);
            changed = 0;
            CHECK_OK((i ? tg_lowercase : tg_fold_width)(text, n, &out, &changed));
            CHECK_INT(changed, form != code);
            CHECK_INT(out.length, m);
            CHECK_BYTES(out.data, want, m);
        }
        lines++;
    }
    CHECK(lines > 40000);
    tg_str_free(&out);
    tg_free(file);
}

TEST(line_ends_become_one_and_controls_go)
{
    check_change(clean, "a\nb\tc \xc3\xa9\xe6\x98\x8e", "a\nb\tc \xc3\xa9\xe6\x98\x8e", 0);
    check_change(clean, "a\r\nb\rc\r\r\n", "a\nb\nc\n\n", 40000);
    check_change(clean, "a\xe2\x80\xa8" "b\xe2\x80\xa9" "c\xc2\x85", "a\nb\nc\n", 30000);
    check_change(clean, "\x1b[1mbold\x7f\xc2\x9b\x0c", "[1mbold", 400);
    check_change(clean, "\xef\xbb\xbf" "a\xef\xbb\xbf", "a", 2);
    check_change(clean, "\xc2\xa0\xc2\xad", "\xc2\xa0\xc2\xad", 0);
    tg_str out = {0};
    int64_t changed = 0;
    CHECK_OK(clean("a\0b", 3, &out, &changed));
    CHECK_TEXT(out.data, "ab");
    CHECK_INT(changed, 100);
    tg_str_free(&out);
}
