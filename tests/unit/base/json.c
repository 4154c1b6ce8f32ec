/* json.c - tests of the JSON reader and writer. The lists follow the spirit of Seriot's JSONTestSuite; what a good
 * text means is what python's json reads from it, with numbers as JavaScript prints them. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* In a block of its own size, so that a sanitizer sees reading beyond the end. */
static tg_status parse_exactly(tg_arena *a, const char *text, int64_t length, const tg_json **out)
{
    char *copy = tg_alloc(length);
    if (length) memcpy(copy, text, (size_t)length);
    tg_status s = tg_json_parse(a, "x.json", copy, length, out);
    tg_free(copy);
    return s;
}

static const tg_json *parse(tg_arena *a, const char *text)
{
    const tg_json *value = NULL;
    CHECK_OK(parse_exactly(a, text, (int64_t)strlen(text), &value));
    return value;
}

static void check_tree(const tg_json *value, const char *want)
{
    tg_str s = {0};
    tg_json_writer w = {.out = &s};
    tg_json_put_tree(&w, value);
    CHECK_TEXT(s.data, want);
    tg_str_free(&s);
}

TEST(good_texts_are_read_for_what_they_mean)
{
    static const struct { const char *text, *meaning; } cases[] = {
        {"null", "null"}, {"true", "true"}, {"false", "false"}, {"0", "0"}, {"-1", "-1"}, {"1.5", "1.5"},
        {"\"\"", "\"\""}, {"[]", "[]"}, {"{}", "{}"}, {" [ ] ", "[]"}, {"\n{\t}\r\n", "{}"},
        {"[null]", "[null]"}, {"[true,false]", "[true, false]"}, {"[1,2,3]", "[1, 2, 3]"},
        {"[[],[[]],{}]", "[[], [[]], {}]"}, {"{\"a\":1}", "{\"a\": 1}"},
        {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\": {\"b\": [1, {\"c\": null}]}}"}, {"{\"\":0}", "{\"\": 0}"},
        {"{\"a\":1,\"A\":2}", "{\"a\": 1, \"A\": 2}"}, {"{\"a\":1,\"b\":1}", "{\"a\": 1, \"b\": 1}"},
        {"\"a\"", "\"a\""}, {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u0041\\u00e9\\u4e2d\"", "\"A\xc3\xa9\xe4\xb8\xad\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""}, {"\"\\uD834\\uDD1E\"", "\"\xf0\x9d\x84\x9e\""},
        {"\"\\u2028\\u2029\"", "\"\xe2\x80\xa8\xe2\x80\xa9\""}, {"\"\\uffff\"", "\"\xef\xbf\xbf\""},
        {"\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"", "\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\""},
        {"\"\x7f\"", "\"\x7f\""}, {"\"\\u0001\\u001f\"", "\"\\u0001\\u001f\""}, {"\"a\\u0020b\"", "\"a b\""},
        {"{\"\\u0061\":1}", "{\"a\": 1}"}, {"{\"k\\n\":\"v\\t\"}", "{\"k\\n\": \"v\\t\"}"}, {"-0", "-0"},
        {"-0.0", "-0"}, {"0.0", "0"}, {"0e5", "0"}, {"1e2", "100"}, {"1E2", "100"}, {"1e+2", "100"},
        {"1e-2", "0.01"}, {"1.0", "1"}, {"100", "100"}, {"1e21", "1e+21"},
        {"123456789012345678", "123456789012345678"}, {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775808", "9223372036854776000"},
        {"18446744073709551615", "18446744073709552000"}, {"0.1", "0.1"}, {"-1.25e-3", "-0.00125"},
        {"1e-400", "0"}, {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"5e-324", "5e-324"},
        {"0.30000000000000004", "0.30000000000000004"}, {"3.141592653589793", "3.141592653589793"},
        {"1.000", "1"}, {"12.5e0", "12.5"}, {"[1 , 2 ,\n3]", "[1, 2, 3]"},
        {"{ \"a\" : [ ] , \"b\" : { } }", "{\"a\": [], \"b\": {}}"},
        {"[\"a\",\"\",\"b\"]", "[\"a\", \"\", \"b\"]"},
        {"[0.5,\"x\",null,{\"y\":[]}]", "[0.5, \"x\", null, {\"y\": []}]"}, {"\"//\"", "\"//\""},
        {"\"[,]\"", "\"[,]\""}, {"[[[[[[[[[[]]]]]]]]]]", "[[[[[[[[[[]]]]]]]]]]"},
        {"\"\xf4\x8f\xbf\xbf\"", "\"\xf4\x8f\xbf\xbf\""}, {"[1e0]", "[1]"},
        {"{\"a\":[{\"b\":[{\"c\":1}]}]}", "{\"a\": [{\"b\": [{\"c\": 1}]}]}"},
        {"\"\\\\u0000\"", "\"\\\\u0000\""}, {"-9.5", "-9.5"}, {"[\t-1\r,\n0\t]", "[-1, 0]"},
    };
    tg_arena *a = tg_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_tree(parse(a, cases[i].text), cases[i].meaning);
        check_tree(parse(a, cases[i].meaning), cases[i].meaning);
    }
    tg_arena_free(a);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(bad_texts_are_refused_at_their_line_and_column)
{
    static const struct { const char *text, *message; } cases[] = {
        {"", "1:1: expected a value"}, {" ", "1:2: expected a value"}, {"\n\n", "3:1: expected a value"},
        {"[", "1:2: expected a value"}, {"]", "1:1: expected a value"}, {"{", "1:2: expected a key"},
        {"}", "1:1: expected a value"}, {"[1", "1:3: expected ',' or ']', but the text ends"},
        {"[1,", "1:4: expected a value"}, {"[1,]", "1:4: expected a value"}, {"[,1]", "1:2: expected a value"},
        {"[1,,2]", "1:4: expected a value"}, {"[1 2]", "1:4: expected ',' or ']', found '2'"},
        {"[1}", "1:3: expected ',' or ']', found '}'"}, {"{\"a\":1]", "1:7: expected ',' or '}', found ']'"},
        {"{\"a\"}", "1:5: expected ':' after the key"}, {"{\"a\":}", "1:6: expected a value"},
        {"{\"a\":1,}", "1:8: expected a key"}, {"{,}", "1:2: expected a key"}, {"{a:1}", "1:2: expected a key"},
        {"{'a':1}", "1:2: expected a key"}, {"{1:1}", "1:2: expected a key"},
        {"{\"a\" 1}", "1:6: expected ':'"}, {"{\"a\":1 \"b\":2}", "1:8: expected ',' or '}', found '\"'"},
        {"{\"a\":1,\"b\"", "1:11: expected ':'"}, {"{\"a\",1}", "1:5: expected ':'"},
        {"{null:1}", "1:2: expected a key"}, {"1 2", "1:3: expected the end"},
        {"[] []", "1:4: expected the end"}, {"{}x", "1:3: expected the end"},
        {"null,", "1:5: expected the end"}, {"\"\"\"\"", "1:3: expected the end"},
        {"nul", "1:1: expected a value"}, {"True", "1:1: expected a value"}, {"truE", "1:1: expected a value"},
        {"nulll", "1:5: expected the end"}, {"NaN", "1:1: expected a value"},
        {"[Infinity]", "1:2: expected a value"}, {"-Infinity", "1:2: expected a digit"},
        {"undefined", "1:1: expected a value"}, {"+1", "1:1: expected a value"}, {"-", "1:2: expected a digit"},
        {"--1", "1:2: expected a digit"}, {"01", "1:1: a number must not begin with 0"},
        {"-01", "1:1: a number must not begin with 0"}, {"00", "1:1: a number must not"},
        {"1.", "1:3: expected a digit behind the point"}, {".5", "1:1: expected a value"},
        {"1.e5", "1:3: expected a digit behind"}, {"1e", "1:3: expected a digit of the exponent"},
        {"1e+", "1:4: expected a digit of the exponent"}, {"1ea", "1:3: expected a digit of the exponent"},
        {"0x10", "1:2: expected the end"}, {"1_000", "1:2: expected the end"},
        {"1e309", "1:1: a number beyond the range"}, {"-1e999999999999", "1:1: a number beyond the range"},
        {"[1,\n  2e400]", "2:3: a number beyond the range"}, {"1.2.3", "1:4: expected the end"},
        {"\xef\xbc\x91", "1:1: expected a value"}, {"\"", "1:1: this text has no closing"},
        {"\"a", "1:1: this text has no closing"}, {"[\"a\\\"]", "1:2: this text has no closing"},
        {"'a'", "1:1: expected a value"}, {"\"\\x41\"", "1:2: unknown escape"},
        {"\"\\a\"", "1:2: unknown escape"}, {"\"a\\", "1:4: expected an escape, but the text ends"},
        {"\"\\u12\"", "1:2: expected four hex"}, {"\"\\u12g4\"", "1:2: expected four hex"},
        {"\"\\U0041\"", "1:2: unknown escape"}, {"\"\\u\"", "1:2: expected four hex"},
        {"\"\\ud800\"", "1:2: half of a surrogate"}, {"\"\\udc00\"", "1:2: half of a surrogate"},
        {"\"x\\ud800\\u0041\"", "1:3: half of a surrogate"}, {"\"\\ud800\\ud800\"", "1:2: half of a surrogate"},
        {"\"\\ude00\\ud83d\"", "1:2: half of a surrogate"}, {"\"\\ud83dxxde00\"", "1:2: half of a surrogate"},
        {"\"\\ud83d\\nde00\"", "1:2: half of a surrogate"},
        {"1. ", "1:3: expected a digit behind the point, found a byte 0x20"},
        {"\"\\ud83d\\\"", "1:2: half of a surrogate"}, {"\"\\u0000\"", "1:2: \\u0000 is not allowed"},
        {"\"a\tb\"", "1:3: a control character"}, {"\"a\nb\"", "1:3: a control character"},
        {"\"\x1f\"", "1:2: a control character"}, {"\"\xff\"", "1:2: invalid UTF-8"},
        {"\"\xc0\x80\"", "1:2: invalid UTF-8"}, {"[\"\xed\xa0\x80\"]", "1:3: invalid UTF-8"},
        {"\xef\xbb\xbf{}", "1:1: begins with a byte-order mark"}, {"\"\xe4\xb8\"", "1:2: invalid UTF-8"},
        {"[1]//x", "1:4: expected the end"}, {"/* */1", "1:1: expected a value"},
        {"#x\n1", "1:1: expected a value"}, {"[1\x0c]", "1:3: expected ',' or ']', found a byte 0x0c"},
        {"\xc2\xa0""1", "1:1: expected a value"}, {"{\"a\":1,\"a\":1}", "1:8: this key stood"},
        {"{\"a\":1,\n\"b\":2,\n\"\\u0061\":3}", "3:1: this key stood"},
        {"{\"x\":{\"\":1,\"\":2}}", "1:12: this key stood"},
        {"{\n  \"\xe4\xb8\xad\xe6\x96\x87\": tru\n}", "2:9: expected a value"},
        {"[\"\xe4\xb8\xad\",\xc3\xa9]", "1:6: expected a value"},
    };
    tg_arena *a = tg_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tg_json *value = NULL;
        char want[200];
        snprintf(want, sizeof want, "x.json:%s", cases[i].message);
        tg_status s = parse_exactly(a, cases[i].text, (int64_t)strlen(cases[i].text), &value);
        if (s != TG_EFORMAT) test_failed(__FILE__, __LINE__, "%s gives status %d", cases[i].text, (int)s);
        CHECK(value == NULL);
        if (!tg_starts_with(tg_error(), want))
            test_failed(__FILE__, __LINE__, "%s gives \"%s\", not \"%s\"", cases[i].text, tg_error(), want);
    }
    tg_arena_free(a);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(every_beginning_of_a_text_is_refused)
{
    static const char text[] = "{\"a\": [1, -2.5e+3, \"x\\u00e9\\ud83d\\ude00\\n\", true, false, null], "
                               "\"b\": {\"c\": {}}}";
    tg_arena *a = tg_arena_new(0);
    const tg_json *value = NULL;
    int64_t length = (int64_t)strlen(text);
    for (int64_t n = 0; n < length; n++) CHECK_INT(parse_exactly(a, text, n, &value), TG_EFORMAT);
    CHECK_OK(parse_exactly(a, text, length, &value));
    CHECK_INT(parse_exactly(a, text, length + 1, &value), TG_EFORMAT); /* a NUL is no end */
    tg_arena_free(a);
}

TEST(nesting_goes_sixty_four_deep_and_no_further)
{
    tg_arena *a = tg_arena_new(0);
    const tg_json *value;
    char text[1000];
    for (int kind = 0; kind < 2; kind++) {
        for (int depth = 63; depth < 67; depth++) {
            int n = 0;
            for (int i = 0; i < depth; i++) n += snprintf(text + n, 8, "%s", kind ? "{\"a\":" : "[");
            n += snprintf(text + n, 8, "1");
            for (int i = 0; i < depth; i++) text[n++] = kind ? '}' : ']';
            tg_status s = parse_exactly(a, text, n, &value);
            CHECK_INT(s, depth <= 64 ? TG_OK : TG_EFORMAT);
            if (s) test_has(__FILE__, __LINE__, tg_error(), kind ? "1:321: nested more" : "1:65: nested more");
        }
    }
    int64_t many = 2 << 20; /* unclosed: neither stack nor time */
    char *open = tg_alloc(many);
    memset(open, '[', (size_t)many);
    CHECK_ERROR(tg_json_parse(a, "x", open, many, &value), TG_EFORMAT, "nested more than 64");
    tg_free(open);
    CHECK_ERROR(tg_json_parse(a, "x", "1", 100000001, &value), TG_EFORMAT, "100 MB");
    tg_arena_free(a);
}

TEST(large_objects_are_read_fast_and_their_duplicates_found)
{
    enum { COUNT = 100000 };
    tg_str s = {0};
    tg_arena *a = tg_arena_new(0);
    const tg_json *value;
    for (int last = 0; last < 2; last++) { /* last 1: key number 77777 comes again at the end */
        tg_str_clear(&s);
        for (int i = 0; i < COUNT; i++) tg_str_addf(&s, "%c\"layers.%d.weight\":%d\n", i ? ',' : '{', i, i);
        tg_str_addf(&s, ",\"layers.%d.weight\":0}", last ? 77777 : -1);
        double begin = tg_now();
        tg_status status = tg_json_parse(a, "x", s.data, s.length, &value);
        test_note("%d members in %.3f s", COUNT, tg_now() - begin);
        CHECK_INT(status, last ? TG_EFORMAT : TG_OK);
        CHECK(tg_now() - begin < 10); /* quadratic would take minutes */
        if (last) test_has(__FILE__, __LINE__, tg_error(), "x:100001:2: this key stood in the object before");
        else CHECK_INT(value->integer, COUNT + 1);
    }
    tg_str_free(&s);
    tg_arena_free(a);
}

TEST(duplicates_are_found_in_objects_of_every_size)
{
    tg_arena *a = tg_arena_new(0);
    const tg_json *value;
    for (int count = 2; count < 40; count++) {
        for (int same = 0; same < count; same++) { /* the last key repeats number `same`; none if it is itself */
            tg_str s = {0};
            for (int i = 0; i < count; i++) tg_str_addf(&s, "%s\"k%d\":0", i ? "," : "{", i < count - 1 ? i : same);
            tg_str_add(&s, "}");
            CHECK_INT(tg_json_parse(a, "x", s.data, s.length, &value), same < count - 1 ? TG_EFORMAT : TG_OK);
            tg_str_free(&s);
        }
    }
    tg_arena_free(a);
}

TEST(members_are_found_by_name_and_type)
{
    tg_arena *a = tg_arena_new(0);
    const tg_json *o = parse(a, "{\"i\":7,\"r\":0.5,\"t\":\"x\\u0041\",\"n\":null,\"b\":true,\"l\":[1,2],"
                                "\"big\":1e30}");
    int64_t i = -1;
    double r = -1;
    CHECK_INT(o->integer, 7);
    CHECK(tg_json_int(o, "i", &i) && i == 7);
    CHECK(tg_json_real(o, "i", &r) && r == 7);
    CHECK(tg_json_real(o, "r", &r) && r == 0.5);
    static const char *const no_integers[] = {"r", "t", "b", "n", "l", "big", "I", ""};
    for (int k = 0; k < 8; k++) CHECK(!tg_json_int(o, no_integers[k], &i));
    CHECK(!tg_json_real(o, "t", &r) && !tg_json_real(o, "n", &r) && !tg_json_real(o, "b", &r));
    CHECK(i == 7 && r == 0.5);
    CHECK_TEXT(tg_json_text(o, "t"), "xA");
    CHECK_INT(tg_json_get(o, "t")->length, 2);
    CHECK(!tg_json_text(o, "i") && !tg_json_text(o, "missing"));
    CHECK_INT(tg_json_get(o, "b")->integer, 1);
    CHECK_INT(tg_json_get(o, "l")->integer, 2);
    CHECK_INT(tg_json_get(o, "l")->child->next->integer, 2);
    CHECK(!tg_json_get(tg_json_get(o, "l"), "x") && !tg_json_get(tg_json_get(o, "i"), "i") && !tg_json_get(NULL, "x"));
    tg_arena_free(a);
}

TEST(a_failed_reading_gives_its_memory_back)
{
    static const char text[] = "{\"a\":[1,2,{\"b\":\"c\"}],\"k1\":1,\"k2\":1,\"k3\":1,\"k4\":1,\"k5\":1,\"k6\":1,"
                               "\"k7\":1,\"k8\":1,\"k9\":1,\"k10\":1,\"k11\":1,\"k12\":1}";
    int64_t length = (int64_t)strlen(text), n = 1;
    for (tg_status s = TG_ENOMEM; s; n++) {
        tg_arena *a = tg_arena_new(0);
        const tg_json *value = NULL;
        tg_alloc_fail_at(n, false);
        s = tg_json_parse(a, "x", text, length, &value);
        tg_alloc_fail_at(0, false);
        CHECK(s == TG_OK || s == TG_ENOMEM);
        CHECK_INT(value != NULL, s == TG_OK);
        if (s) CHECK_INT(tg_arena_here(a).block + tg_arena_here(a).used, 0);
        tg_arena_free(a);
        CHECK_INT(tg_alloc_live(), 0);
    }
    CHECK(n > 2);
}

TEST(the_writer_minds_commas_and_escapes)
{
    tg_str s = {0};
    tg_json_writer w = {.out = &s};
    tg_json_open(&w, '{');
    tg_json_key(&w, "a\"b");
    tg_json_put_int(&w, INT64_MIN);
    tg_json_key(&w, "list");
    tg_json_open(&w, '[');
    tg_json_put_real(&w, 0.1);
    tg_json_put_real(&w, NAN);
    tg_json_put_real(&w, -INFINITY);
    tg_json_put_bool(&w, true);
    tg_json_put_bool(&w, false);
    tg_json_put_null(&w);
    tg_json_open(&w, '{');
    tg_json_close(&w, '}');
    tg_json_open(&w, '[');
    tg_json_close(&w, ']');
    tg_json_put_raw(&w, "[1]");
    tg_json_close(&w, ']');
    tg_json_key(&w, "text");
    tg_json_put_text(&w, "tab\t nl\n quote\" back\\ bell\a del\x7f \xe4\xb8\xad");
    tg_json_key(&w, "bad");
    tg_json_put_text_n(&w, "a\xff\0\xe4\xb8", 5);
    tg_json_close(&w, '}');
    CHECK_TEXT(s.data, "{\"a\\\"b\": -9223372036854775808, \"list\": [0.1, null, null, true, false, null, {}, [], "
                       "[1]], \"text\": \"tab\\t nl\\n quote\\\" back\\\\ bell\\u0007 del\x7f \xe4\xb8\xad\", "
                       "\"bad\": \"a\xef\xbf\xbd\\u0000\xef\xbf\xbd\xef\xbf\xbd\"}");
    tg_str_free(&s);
}

TEST(what_is_written_reads_back_the_same)
{
    static const double reals[] = {0, -0.0, 1, -1.5, 0.1, 1e-7, 5e-324, 1.7976931348623157e308,
                                   1e15, 1e21, 123456789.125};
    tg_str s = {0};
    tg_json_writer w = {.out = &s};
    char text[256];
    for (int i = 1; i < 256; i++) text[i - 1] = (char)(i < 128 ? i : 'x');
    text[255] = 0;
    tg_json_open(&w, '[');
    for (int i = 0; i < 11; i++) tg_json_put_real(&w, reals[i]);
    tg_json_put_text(&w, text);
    tg_json_close(&w, ']');
    tg_arena *a = tg_arena_new(0);
    const tg_json *item = parse(a, s.data)->child;
    for (int i = 0; i < 11; i++, item = item->next) CHECK_BYTES(&item->real, &reals[i], sizeof *reals);
    CHECK_TEXT(item->text, text);
    CHECK_INT(item->length, 255);
    check_tree(parse(a, s.data), s.data);
    tg_arena_free(a);
    tg_str_free(&s);
}
