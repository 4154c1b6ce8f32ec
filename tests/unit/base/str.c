/* str.c - tests of the builder and of numbers to and from text. */
#include "base/alloc.h"
#include "base/str.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* ---- the builder */

TEST(a_builder_joins_what_it_is_given)
{
    tg_str s = {0};
    tg_str_add(&s, "loss ");
    tg_str_add_real(&s, 1.73);
    tg_str_addf(&s, ", step %d of %s", 400, "2000");
    tg_str_add_n(&s, " and more", 4);
    tg_str_add_n(&s, NULL, 0);
    tg_str_add_n(&s, "\0x", 2);
    CHECK_TEXT(s.data, "loss 1.73, step 400 of 2000 and");
    CHECK_INT(s.length, 33);
    CHECK_BYTES(s.data, "loss 1.73, step 400 of 2000 and\0x", 34);
    tg_str_clear(&s);
    CHECK_TEXT(s.data, "");
    tg_str_add(&s, "again");
    CHECK_TEXT(s.data, "again");
    CHECK(!s.failed);
    tg_str_free(&s);
    CHECK(!s.data && s.length == 0);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(a_builder_grows_without_losing_a_byte)
{
    tg_str s = {0};
    char piece[700];
    int64_t length = 0;
    for (int n = 0; n < 700; n++) {
        memset(piece, 'a' + n % 26, (size_t)n);
        piece[n] = 0;
        if (n % 2) tg_str_add(&s, piece);
        else tg_str_addf(&s, "%s", piece);
        length += n;
        CHECK_INT(s.length, length);
        CHECK_INT(s.data[s.length], 0);
    }
    const char *at = s.data;
    for (int n = 0; n < 700; n++)
        for (int i = 0; i < n; i++) CHECK_INT(*at++, 'a' + n % 26);
    tg_str_free(&s);
}

TEST(a_failed_append_keeps_the_text_and_is_remembered)
{
    tg_str s = {0};
    tg_str_add(&s, "kept");
    tg_alloc_fail_at(1, false);
    char wide[400];
    memset(wide, 'w', sizeof wide);
    tg_str_add_n(&s, wide, sizeof wide);
    tg_str_add(&s, "x");
    CHECK(s.failed);
    CHECK_TEXT(s.data, "kept");
    tg_str_clear(&s);
    tg_str_add_n(&s, wide, INT64_MAX - 3);
    CHECK(s.failed);
    CHECK(strstr(tg_error(), "out of memory") != NULL);
    tg_str_free(&s);
    tg_str_add(&s, "new");
    CHECK_TEXT(s.data, "new");
    tg_str_free(&s);
}

/* ---- text to number */

TEST(integers_are_read_exactly_or_not_at_all)
{
    static const struct { const char *text; int64_t value; } good[] = {
        {"0", 0}, {"7", 7}, {"-7", -7}, {"+7", 7}, {"007", 7}, {"-0", 0}, {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN}, {"1000000007", 1000000007}
    };
    static const char *const bad[] = {
        "", "-", "+", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "1_000", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "18446744073709551617", "\xd9\xa1", "a", "12a"
    };
    int64_t x = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(tg_parse_int(good[i].text, (int64_t)strlen(good[i].text), &x));
        CHECK_INT(x, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        x = 4711;
        if (tg_parse_int(bad[i], (int64_t)strlen(bad[i]), &x)) test_failed(__FILE__, __LINE__, "read \"%s\"", bad[i]);
        CHECK_INT(x, 4711);
    }
    CHECK(tg_parse_int("123", 2, &x));
    CHECK_INT(x, 12);
    CHECK(!tg_parse_int("1\0", 2, &x));
}

TEST(reals_are_read_to_the_nearest_double) /* bits from python's float(); middles, denormals, the ends of the range */
{
    static const struct { const char *text; uint64_t bits; } cases[] = {
    {"2.2250738585072011e-308", 0x000fffffffffffff}, {"2.2250738585072012e-308", 0x0010000000000000},
    {"2.2250738585072014e-308", 0x0010000000000000}, {"9007199254740993", 0x4340000000000000},
    {"9007199254740992.999", 0x4340000000000000},
    {"9007199254740993.0000000000000000001", 0x4340000000000001},
    {"1.7976931348623157e308", 0x7fefffffffffffff}, {"1.7976931348623158e308", 0x7fefffffffffffff},
    {"4.9e-324", 0x0000000000000001}, {"2.4703282292062327e-324", 0x0000000000000000},
    {"2.4703282292062328e-324", 0x0000000000000001}, {"5e-325", 0x0000000000000000},
    {"1e-400", 0x0000000000000000}, {"0e999999999999999999999", 0x0000000000000000},
    {"1e23", 0x44b52d02c7e14af6}, {"8.5e22", 0x44b1ffdbf6b2b2eb},
    {"179769313486231570000e288", 0x7fefffffffffffff},
    {"0.000000000000000000000000000000000000000000001e45", 0x3ff0000000000000},
    {"1000000000000000000000000000000e-30", 0x3ff0000000000000},
    {"6.631236846766476e-316", 0x0000000008000000}, {"3.237883913302901e-319", 0x000000000000ffff},
    {"123456789012345678901234567890", 0x45f8ee90ff6c373e}, {"0", 0x0000000000000000},
    {"-0.0", 0x8000000000000000}, {"+.5", 0x3fe0000000000000}, {"5.", 0x4014000000000000},
    {"1E5", 0x40f86a0000000000}, {"1e+05", 0x40f86a0000000000}, {"00012", 0x4028000000000000},
    {"1.00000000000000011102230246251565404236316680908203125", 0x3ff0000000000000},
    {"1.00000000000000011102230246251565404236316680908203124", 0x3ff0000000000000},
    {"1.00000000000000011102230246251565404236316680908203126", 0x3ff0000000000001},
    {"7.2057594037927933e16", 0x4370000000000000}, {"0.1e-6", 0x3e7ad7f29abcaf48},
    {"1.1125369292536007e-308", 0x0008000000000000}, {"3.5e-46", 0x367ff868bf4d956a},
    {"18446744073709551616", 0x43f0000000000000}, {"18446744073709553664", 0x43f0000000000000},
    {"18446744073709553665", 0x43f0000000000001}, {"-3.14159", 0xc00921f9f01b866e},
    {"0.1", 0x3fb999999999999a}, {"1e22", 0x4480f0cf064dd592}, {"1e-22", 0x3b5e392010175ee6},
    {"123456789012345e22", 0x476db89cafccd3a9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x = -1;
        bool read = tg_parse_real(cases[i].text, (int64_t)strlen(cases[i].text), &x);
        if (!read || bits_of(x) != cases[i].bits)
            test_failed(__FILE__, __LINE__, "%s is read as %.17g, not %.17g", cases[i].text, x,
                        from_bits(cases[i].bits));
    }
}

TEST(what_is_no_finite_number_is_not_read)
{
    static const char *const bad[] = {
        "", "-", "+", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1.2.3", "1,5", " 1", "1 ", "inf", "nan", "-inf",
        "Infinity", "0x1p3", "1e5.0", "1f", "1e309", "-1e309", "1.7976931348623159e308",
        "1e999999999999999999999", "--1", "1e5x", "\342\210\2221", "1e308000"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double x = 4711;
        if (tg_parse_real(bad[i], (int64_t)strlen(bad[i]), &x))
            test_failed(__FILE__, __LINE__, "read \"%s\"", bad[i]);
        CHECK(bits_of(x) == bits_of(4711));
    }
}

TEST(random_decimals_are_read_as_strtod_reads_them)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 40000; i++) {
        char text[96];
        int digits = (int)(draw(&state) % 25) + 1, point = (int)(draw(&state) % 25), n = 0;
        for (int j = 0; j < digits; j++) {
            if (j == point) text[n++] = '.';
            text[n++] = (char)('0' + draw(&state) % 10);
        }
        n += snprintf(text + n, 16, "e%d", (int)(draw(&state) % 680) - 345);
        double want = strtod(text, NULL), got = 0;
        if (tg_parse_real(text, n, &got) != (bool)isfinite(want) || (isfinite(want) && bits_of(got) != bits_of(want)))
            test_failed(__FILE__, __LINE__, "%s is read as %.17g, not %.17g", text, got, want);
    }
}

TEST(a_digit_far_behind_decides_a_tie)
{
    static char text[3000]; /* 2^53 + 1 lies in the middle between two doubles */
    int n = snprintf(text, sizeof text, "9007199254740993.");
    memset(text + n, '0', sizeof text - (size_t)n);
    double x;
    CHECK(tg_parse_real(text, sizeof text, &x) && x == 9007199254740992.0);
    text[sizeof text - 1] = '1';
    CHECK(tg_parse_real(text, sizeof text, &x) && x == 9007199254740994.0);
}

TEST(numbers_of_thousands_of_digits_are_read_as_strtod_reads_them)
{
    static char text[3000];
    for (int digit = '1'; digit <= '9'; digit++) {
        for (int exponent = -3300; exponent < 310; exponent += 361) {
            memset(text, digit, sizeof text);
            text[1] = '.';
            int end = (int)sizeof text - 16, n = end + snprintf(text + end, 16, "e%d", exponent);
            double want = strtod(text, NULL), got = -1;
            CHECK(tg_parse_real(text, n, &got));
            CHECK(bits_of(got) == bits_of(want));
        }
    }
}

/* ---- number to text */

TEST(reals_are_printed_as_rfc_8785_prints_them) /* its appendix B, and more of the same from a JavaScript engine */
{
    static const struct { uint64_t bits; const char *text; } cases[] = {
    {0x0000000000000001, "5e-324"}, {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"}, {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"}, {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"}, {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"}, {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"}, {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"}, {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"}, {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"}, {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"}, {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"}, {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x3d30000000000000, "5.684341886080802e-14"}, {0x0010000000000000, "2.2250738585072014e-308"},
    {0x000fffffffffffff, "2.225073858507201e-308"}, {0x3ff0000000000000, "1"}, {0x3fb999999999999a, "0.1"},
    {0x40c81c8000000000, "12345"}, {0x7fe0000000000000, "8.98846567431158e+307"},
    {0x3c9cd2b297d889bc, "1e-16"}, {0x4197d78400000000, "100000000"}, {0x0000000000000000, "0"},
    };
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(tg_format_real(out, from_bits(cases[i].bits)), strlen(cases[i].text));
        CHECK_TEXT(out, cases[i].text);
    }
}

TEST(what_is_no_number_has_a_word_and_zero_keeps_its_sign)
{
    char out[32];
    tg_format_real(out, NAN);
    CHECK_TEXT(out, "nan");
    tg_format_real(out, -NAN);
    CHECK_TEXT(out, "nan");
    tg_format_real(out, INFINITY);
    CHECK_TEXT(out, "inf");
    tg_format_real(out, -INFINITY);
    CHECK_TEXT(out, "-inf");
    tg_format_real(out, -0.0);
    CHECK_TEXT(out, "-0");
}

/* Significant digits of a printed number, without zeros at its ends. */
static int count_digits(const char *text)
{
    int count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0')) continue;
        count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

TEST(a_printed_real_reads_back_and_is_the_shortest)
{
    uint64_t state = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = draw(&state), kind = draw(&state) % 4;
        if (kind == 0) bits &= ~((UINT64_C(1) << 52) - 1); /* powers of two: uneven neighbours */
        if (kind == 1) bits = (bits & ((UINT64_C(1) << 52) - 1)) >> (bits >> 58) % 52; /* denormals */
        double x = kind == 2 ? (double)(int64_t)(bits % 2000000) / 1000 : from_bits(bits), back = 0;
        if (!isfinite(x) || x == 0) continue;
        char out[32], fewer[40];
        int n = tg_format_real(out, x), digits = count_digits(out);
        CHECK(strtod(out, NULL) == x);
        CHECK(tg_parse_real(out, n, &back) && bits_of(back) == bits_of(x));
        if (digits == 1) continue;
        snprintf(fewer, sizeof fewer, "%.*e", digits - 2, x);
        if (strtod(fewer, NULL) == x) test_failed(__FILE__, __LINE__, "%s is longer than %s", out, fewer);
    }
}

TEST(fixed_decimals_round_as_printf_does)
{
    uint64_t state = 88172645463325252u;
    static const double picked[] = {0, 0.5, 1.5, 2.5, 0.05, 0.25, 0.125, 0.375, 9.995, 99.5, 0.004, 0.006, 0.95, 1e22,
                                    1e-300, 1.7976931348623157e308, 5e-324, 999999.9999996};
    for (int i = 0; i < 5000; i++) {
        double x = i < 18 ? picked[i] : (double)(draw(&state) % 100000) / (double)(1 << draw(&state) % 10);
        for (int decimals = 0; decimals < 8; decimals++) {
            char want[400];
            tg_str s = {0};
            snprintf(want, sizeof want, "%.*f", decimals, i % 3 ? x : -x);
            tg_str_add_fixed(&s, i % 3 ? x : -x, decimals);
            CHECK_TEXT(s.data, want);
            tg_str_free(&s);
        }
    }
    tg_str s = {0};
    tg_str_add_fixed(&s, NAN, 2);
    tg_str_add_fixed(&s, -INFINITY, 2);
    tg_str_add_fixed(&s, 1, -5);
    CHECK_TEXT(s.data, "nan-inf1");
    tg_str_free(&s);
}

/* ---- for people */

TEST(sizes_counts_and_times_read_well)
{
    char out[32];
    CHECK_TEXT(tg_format_bytes(out, 0), "0 B");
    CHECK_TEXT(tg_format_bytes(out, 1023), "1023 B");
    CHECK_TEXT(tg_format_bytes(out, 1024), "1.0 KiB");
    CHECK_TEXT(tg_format_bytes(out, 1048575), "1.0 MiB");
    CHECK_TEXT(tg_format_bytes(out, 1.2 * 1048576), "1.2 MiB");
    CHECK_TEXT(tg_format_bytes(out, 5e9), "4.7 GiB");
    CHECK_TEXT(tg_format_bytes(out, NAN), "an unknown size");
    CHECK_TEXT(tg_format_count(out, 0), "0");
    CHECK_TEXT(tg_format_count(out, 999), "999");
    CHECK_TEXT(tg_format_count(out, 45900), "45,900");
    CHECK_TEXT(tg_format_count(out, -1000000), "-1,000,000");
    CHECK_TEXT(tg_format_count(out, INT64_MIN), "-9,223,372,036,854,775,808");
    CHECK_TEXT(tg_format_seconds(out, 0.05), "50 ms");
    CHECK_TEXT(tg_format_seconds(out, 1.25), "1.2 s");
    CHECK_TEXT(tg_format_seconds(out, 59.4), "59 s");
    CHECK_TEXT(tg_format_seconds(out, 59.6), "1 min 0 s");
    CHECK_TEXT(tg_format_seconds(out, 200), "3 min 20 s");
    CHECK_TEXT(tg_format_seconds(out, 7500), "2 h 5 min");
    CHECK_TEXT(tg_format_seconds(out, 100000), "1 d 3 h");
    CHECK_TEXT(tg_format_seconds(out, NAN), "an unknown time");
    CHECK_TEXT(tg_format_seconds(out, -1), "an unknown time");
}

TEST(a_slip_finds_the_name_that_was_meant)
{
    static const char *const names[] = {"temperature", "top-k", "top-p", "steps", "seed", "lr", "batch"};
    static const struct { const char *word, *name; } cases[] = {
        {"temprature", "temperature"}, {"temperatrue", "temperature"}, {"tempreature", "temperature"},
        {"topk", "top-k"}, {"stesp", "steps"}, {"sed", "seed"}, {"bach", "batch"}, {"lr", "lr"}, {"rl", "lr"},
        {"top-x", "top-k"}, {"x", NULL}, {"", NULL}, {"stxxx", NULL},
        {"xyzzy", NULL}, {"learning", NULL}, {"lrlrlr", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_TEXT(tg_nearest(cases[i].word, names, 7), cases[i].name);
    CHECK(!tg_nearest("seed", names, 0));
}

TEST(a_prefix_is_told_from_the_rest)
{
    CHECK(tg_starts_with("synth:verses", "synth:"));
    CHECK(tg_starts_with("synth:", "synth:"));
    CHECK(tg_starts_with("x", ""));
    CHECK(!tg_starts_with("synth", "synth:"));
    CHECK(!tg_starts_with("", "s"));
}

TEST(a_name_is_written_as_a_shell_reads_it)
{
    static const char *const names[][2] = {{"runs/a-1", "runs/a-1"}, {"a b", "'a b'"}, {"it's", "'it'\\''s'"}, {"-rf", "./'-rf'"}, {"", "''"},
                                           {"$(x)`y`", "'$(x)`y`'"}, {"\u6570\u636e", "'\u6570\u636e'"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tg_str s = {0};
        tg_str_add_word(&s, names[i][0]);
        CHECK_TEXT(s.data, names[i][1]);
        tg_str_free(&s);
    }
}
