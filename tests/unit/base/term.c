/* What reaches a terminal: nothing that could act on it. And the progress line. */
#include "base/term.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "test.h"

static void safe_is(const char *bytes, const char *lines, const char *line)
{
    tg_str s = {0};
    tg_term_safe(&s, bytes, (int64_t)strlen(bytes));
    CHECK_TEXT(s.data ? s.data : "", lines);
    tg_str_clear(&s);
    tg_term_safe_line(&s, bytes, (int64_t)strlen(bytes));
    CHECK_TEXT(s.data ? s.data : "", line);
    tg_str_free(&s);
}

TEST(plain_text_of_any_script_passes)
{
    safe_is("", "", "");
    safe_is("Hello, world", "Hello, world", "Hello, world");
    safe_is("\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 \xc3\xa9", "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 \xc3\xa9",
            "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 \xc3\xa9");
    safe_is("a\tb\nc", "a\tb\nc", "a\\tb\\nc");
}

TEST(controls_turn_into_visible_codes)
{
    safe_is("\x1b[31mred\x1b]0;title\x07", "\\x1B[31mred\\x1B]0;title\\x07", "\\x1B[31mred\\x1B]0;title\\x07");
    safe_is("a\rb\x08" "c\x7f", "a\\x0Db\\x08c\\x7F", "a\\x0Db\\x08c\\x7F");
    safe_is("\xc2\x9b" "31m", "\\u{009B}31m", "\\u{009B}31m");
    safe_is("a\xe2\x80\xae" "b\xe2\x81\xa6" "c", "a\\u{202E}b\\u{2066}c", "a\\u{202E}b\\u{2066}c");
}

TEST(invalid_utf8_turns_into_visible_bytes)
{
    safe_is("a\xff" "b", "a\\xFFb", "a\\xFFb");
    safe_is("\x9b", "\\x9B", "\\x9B");
    safe_is("\xe4\xbd", "\\xE4\\xBD", "\\xE4\\xBD");
    safe_is("\xc0\x9b", "\\xC0\\x9B", "\\xC0\\x9B");
    safe_is("\xed\xa0\x80", "\\xED\\xA0\\x80", "\\xED\\xA0\\x80");
}

TEST(no_two_bytes_at_all_make_a_control_character)
{
    tg_str s = {0};
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const char bytes[2] = {(char)a, (char)b};
            tg_str_clear(&s);
            tg_term_safe_line(&s, bytes, 2);
            CHECK_INT(tg_utf8_check(s.data, s.length), -1);
            for (const char *at = s.data, *end = at + s.length; at < end;) {
                uint32_t c = 0;
                at += tg_utf8_next(at, end, &c);
                CHECK(c >= 0x20 && (c < 0x7f || c > 0x9f));
            }
        }
    }
    tg_str_free(&s);
}

static void line_is(const tg_progress *p, int columns, const char *want)
{
    tg_str s = {0};
    tg_term_progress(&s, p, columns);
    CHECK_TEXT(s.data ? s.data : "", want);
    CHECK(tg_utf8_columns(s.data ? s.data : "", s.length) <= columns);
    tg_str_free(&s);
}

static const tg_progress training = {.what = "train", .done = 400, .total = 2000, .unit = "steps", .rate = 85100,
                                     .rate_unit = "tokens", .seconds_left = 62, .loss = 1.73, .val_loss = 1.81};

TEST(a_progress_line_says_how_far_how_fast_how_long_how_good)
{
    line_is(&training, 200, "train  400/2000 steps  20%  85.1k tokens/s  left 1 min 2 s  loss 1.73  val 1.81");
    line_is(&training, 79, "train  400/2000 steps  20%  85.1k tokens/s  left 1 min 2 s  loss 1.73  val 1.81");
}

TEST(a_narrow_terminal_gets_the_parts_that_matter_most)
{
    line_is(&training, 78, "train  400/2000 steps  20%  left 1 min 2 s  loss 1.73  val 1.81");
    line_is(&training, 60, "train  400/2000 steps  left 1 min 2 s  loss 1.73  val 1.81");
    line_is(&training, 40, "train  400/2000 steps  loss 1.73");
    line_is(&training, 22, "train  400/2000 steps");
    line_is(&training, 10, "train");
    line_is(&training, 3, "");
}

TEST(what_is_unknown_is_left_out)
{
    tg_progress p = {.what = "read", .done = 1258291, .unit = "bytes", .rate = 1258291, .rate_unit = "bytes",
                     .seconds_left = NAN, .loss = NAN, .val_loss = NAN};
    line_is(&p, 80, "read  1.2 MiB  1.2 MiB/s");
    p.rate = 0;
    p.total = 2 * 1258291;
    line_is(&p, 80, "read  1.2 MiB/2.4 MiB  50%");
    p = (tg_progress){.what = "train", .done = 5, .total = 5, .unit = "steps", .rate = 9.87, .rate_unit = "images",
                      .seconds_left = 0, .loss = 0.01234, .val_loss = -0.5, .final = true};
    line_is(&p, 80, "train  5/5 steps  100%  9.87 images/s  loss 0.0123  val -0.500");
}

TEST(wide_characters_count_two_columns)
{
    tg_progress p = training;
    p.what = "\xe8\xae\xad\xe7\xbb\x83"; /* two characters, four columns */
    p.total = 0;
    line_is(&p, 30, "\xe8\xae\xad\xe7\xbb\x83  400 steps  loss 1.73");
    line_is(&p, 26, "\xe8\xae\xad\xe7\xbb\x83  400 steps  loss 1.73");
    line_is(&p, 25, "\xe8\xae\xad\xe7\xbb\x83  400 steps");
}

#define SYLLABLES "\xe8\xae\xad" "e\xcc\x81"
#define COUPLE "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"
#define FLAG "\xf0\x9f\x87\xa8\xf0\x9f\x87\xb3"

TEST(a_name_too_long_for_the_line_is_cut_between_clusters)
{
    tg_progress p = training;
    p.what = SYLLABLES COUPLE FLAG "!"; /* columns 2 1 2 2 1 */
    line_is(&p, 8, SYLLABLES COUPLE FLAG "!");
    line_is(&p, 7, SYLLABLES COUPLE FLAG);
    line_is(&p, 6, SYLLABLES COUPLE);
    line_is(&p, 5, SYLLABLES COUPLE);
    line_is(&p, 4, SYLLABLES);
    line_is(&p, 3, "");
}
