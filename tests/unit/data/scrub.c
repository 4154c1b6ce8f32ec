/* scrub.c - tests of the scrubber: the labelled list in tests/golden/pii.txt, and what no list shows. */
#include "data/text/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

enum { MAX_SPANS = 64 };

typedef struct spans { tg_scrub_span items[MAX_SPANS]; int count; } spans;

static const char *const names[] = {"EMAIL", "PHONE", "ID", "CARD", "IP"};

/* Takes the marks "{KIND:" and "}" out of a line. */
static spans read_marks(const char *line, int64_t length, tg_str *text)
{
    spans s = {.count = 0};
    const char *at = line, *end = line + length;
    while (at < end) {
        if (*at == '{') {
            int kind = 0;
            size_t n = strcspn(++at, ":");
            while (kind < TG_SCRUB_KINDS && (strlen(names[kind]) != n || memcmp(at, names[kind], n) != 0)) kind++;
            CHECK(kind < TG_SCRUB_KINDS && s.count < MAX_SPANS);
            s.items[s.count].kind = (tg_scrub_kind)kind;
            s.items[s.count++].begin = text->length;
            at += n + 1;
        } else if (*at == '}') {
            CHECK(s.count > 0);
            s.items[s.count - 1].end = text->length;
            at++;
        } else tg_str_add_n(text, at++, 1);
    }
    return s;
}

static spans find_spans(const char *text, int64_t length)
{
    spans s = {.count = 0};
    for (int64_t from = 0; tg_scrub_next(text, length, from, s.items + s.count); from = s.items[s.count++].end)
        CHECK(s.count < MAX_SPANS - 1);
    return s;
}

/* How many of a's are in b, too. */
static int shared(const spans *a, const spans *b)
{
    int count = 0;
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++)
            count += a->items[i].kind == b->items[j].kind && a->items[i].begin == b->items[j].begin &&
                     a->items[i].end == b->items[j].end;
    return count;
}

/* A span counts as found if kind, begin and end are right. */
TEST(a_labelled_list_of_personal_data_is_found_and_nothing_else)
{
    char path[2048], *file = NULL;
    const char *source = getenv("TINYGEN_SRC");
    int64_t size;
    int lines = 0, wanted = 0, found = 0, right = 0, surprises = 0;
    snprintf(path, sizeof path, "%s/tests/golden/pii.txt", source ? source : ".");
    CHECK_OK(tg_file_slurp(path, 1 << 20, &file, &size));
    tg_str text = {0};
    for (char *line = file, *end; line < file + size; line = end + 1) {
        end = strchr(line, '\n');
        if (end == line || strncmp(line, "# ", 2) == 0) continue;
        bool known = strncmp(line, "! ", 2) == 0;
        if (known) line += 2;
        tg_str_clear(&text);
        spans want = read_marks(line, end - line, &text), got = find_spans(text.data, text.length);
        int both = shared(&want, &got);
        lines++;
        wanted += want.count;
        found += got.count;
        right += both;
        if ((both < want.count || both < got.count) != known && surprises++ < 20) {
            tg_str out = {0};
            CHECK_OK(tg_scrub(text.data, text.length, &out, &(tg_scrubbed){{0}}));
            test_note("%.*s -> %s", (int)(end - line), line, out.data);
            tg_str_free(&out);
        }
    }
    double recall = 100.0 * right / wanted, precision = 100.0 * right / found;
    test_note("%d lines, %d spans: recall %.1f %%, precision %.1f %%", lines, wanted, recall, precision);
    CHECK(lines >= 150 && wanted >= 100);
    CHECK(recall >= 95 && precision >= 95); /* what is promised */
    CHECK_INT(surprises, 0);                /* what is so today: who changes a rule sees what else it changed */
    tg_str_free(&text);
    tg_free(file);
}

static void check_scrub(const char *text, const char *want)
{
    tg_str out = {0};
    tg_scrubbed counts = {{0}};
    CHECK_OK(tg_scrub(text, (int64_t)strlen(text), &out, &counts));
    CHECK_TEXT(out.data, want);
    tg_str_free(&out);
}

TEST(masks_stand_where_the_data_stood_and_are_counted)
{
    static const char text[] = "Ann <ann@example.org>, +44 20 7946 0958\n4111 1111 1111 1111 192.0.2.1 "
                               "11010519491231002X bob@example.org";
    tg_str out = {0};
    tg_scrubbed counts = {{1, 0, 0, 0, 0}};
    CHECK_OK(tg_scrub(text, sizeof text - 1, &out, &counts));
    CHECK_TEXT(out.data, "Ann <<EMAIL>>, <PHONE>\n<CARD> <IP> <ID> <EMAIL>");
    static const int64_t want[] = {3, 1, 1, 1, 1};
    for (int i = 0; i < TG_SCRUB_KINDS; i++) CHECK_INT(counts.count[i], want[i]);
    tg_str_free(&out);
    check_scrub("", "");
    check_scrub("a@b.org@c.org", "<EMAIL>@c.org");
}

/* Each text stands at the end of its block, for sanitizers to see who reads on. */
TEST(any_bytes_will_do_and_spans_lie_within)
{
    static const char *const bits[] = {"4", "111", "1111", " ", "-", ".", ":", "::", "@", "a", "b.org", "+", "(", ")",
                                       "0", "86", "138", "192", "fe80", "\xef\xbc\x88", "\xff", "\xe4\xb8", "\xc3", "/",
                                       "x", "tel ", "\n"};
    uint32_t state = 1;
    for (int round = 0; round < 20000; round++) {
        char text[80];
        int64_t n = 0;
        while (n < 60) {
            state = state * 1664525 + 1013904223;
            const char *bit = bits[(state >> 16) % (sizeof bits / sizeof *bits)];
            memcpy(text + n, bit, strlen(bit));
            n += (int64_t)strlen(bit);
        }
        char *exact = tg_alloc(n);
        memcpy(exact, text, (size_t)n);
        tg_scrub_span span;
        for (int64_t from = 0; tg_scrub_next(exact, n, from, &span); from = span.end)
            CHECK(span.begin >= from && span.end > span.begin && span.end <= n);
        tg_free(exact);
    }
}

/* Each of these would take hours if any look back or ahead had no bound. */
TEST(long_rows_of_one_character_take_no_time)
{
    static const char *const rows[] = {"1", "1 ", "@", "a@", "a.", "1.", ":", "a:", "(", "+1", "1-",
                                       "\xef\xbc\x88\x31"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tg_str text = {0}, out = {0};
        tg_scrubbed counts = {{0}};
        while (text.length < 1000000) tg_str_add(&text, rows[i]);
        tg_str_add(&text, "@example.");
        CHECK_OK(tg_scrub(text.data, text.length, &out, &counts));
        tg_str_free(&text);
        tg_str_free(&out);
    }
}

TEST(the_scrubber_tells_that_memory_is_out)
{
    tg_str out = {0};
    tg_scrubbed counts = {{0}};
    tg_alloc_fail_at(1, false);
    CHECK_INT(tg_scrub("ann@example.org", 15, &out, &counts), TG_ENOMEM);
    CHECK_INT(counts.count[TG_SCRUB_EMAIL], 0);
    tg_str_free(&out);
}
