/* tokenizer.c - tests of byte and char: exact round trips, unknown characters named. */
#include "data/text/tokenizer.h"

#include "base/clock.h"
#include "support/make.h"

static void round_trip(const tg_tokenizer *t, const char *text, int64_t length)
{
    int64_t count = length, at = 0;
    int32_t *ids = tg_alloc_array(length + 1, sizeof *ids);
    CHECK_OK(tg_tokenizer_encode(t, text, length, TG_UNKNOWN_ERROR, ids, &count));
    for (int64_t i = 0; i < count; i++) {
        int64_t n;
        CHECK(ids[i] >= 0 && ids[i] < tg_tokenizer_vocab(t));
        const char *piece = tg_tokenizer_text(t, ids[i], &n);
        CHECK(n >= 1 && at + n <= length);
        CHECK_BYTES(piece, text + at, n);
        at += n;
    }
    CHECK_INT(at, length);
    tg_free(ids);
}

static tg_tokenizer *through_json(tg_tokenizer *t)
{
    char *json = tg_tokenizer_json(t);
    tg_tokenizer *back;
    CHECK_OK(tg_tokenizer_from_json(json, (int64_t)strlen(json), &back));
    CHECK_TEXT(tg_tokenizer_kind(back), tg_tokenizer_kind(t));
    CHECK_INT(tg_tokenizer_vocab(back), tg_tokenizer_vocab(t));
    char *again = tg_tokenizer_json(back);
    CHECK_TEXT(again, json);
    tg_free(again);
    tg_free(json);
    tg_tokenizer_free(t);
    return back;
}

TEST(byte_round_trips_every_byte)
{
    char all[512];
    for (int i = 0; i < 512; i++) all[i] = (char)(i * 7);
    tg_tokenizer *t;
    CHECK_OK(tg_tokenizer_byte_new(&t));
    CHECK_INT(tg_tokenizer_vocab(t), 256);
    t = through_json(t);
    round_trip(t, all, 512);
    int64_t n;
    for (int i = 0; i < 256; i++) CHECK_INT((unsigned char)*tg_tokenizer_text(t, i, &n), i);
    CHECK_TEXT(tg_tokenizer_text(t, 256, &n), "");
    CHECK_INT(n, 0);
    tg_tokenizer_free(t);
}

/* One to four bytes, plane borders, the last code point. */
TEST(char_round_trips_and_numbers_by_code_point)
{
    static const char text[] =
        "\n a\x7f\xc2\x80\xc3\xbf\xdf\xbf\xe0\xa0\x80\xe6\x98\xa5\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"\\";
    tg_tokenizer *t = through_json(char_tokenizer_of(text));
    CHECK_INT(tg_tokenizer_vocab(t), 14);
    round_trip(t, text, (int64_t)sizeof text - 1);
    int32_t ids[4];
    int64_t count = 4, n;
    CHECK_OK(tg_tokenizer_encode(t, "a\n \"", 4, TG_UNKNOWN_ERROR, ids, &count));
    CHECK_INT(ids[0], 4);
    CHECK_INT(ids[1], 0);
    CHECK_INT(ids[2], 1);
    CHECK_INT(ids[3], 2);
    CHECK_BYTES(tg_tokenizer_text(t, 13, &n), "\xf4\x8f\xbf\xbf", 4);
    CHECK_INT(n, 4);
    tg_tokenizer_text(t, -1, &n);
    CHECK_INT(n, 0);
    tg_tokenizer_free(t);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(unknown_characters_are_named_or_left_out)
{
    tg_tokenizer *t = char_tokenizer_of("abc \xe6\x98\xa5");
    int32_t ids[20];
    int64_t count = 20;
    CHECK_ERROR(tg_tokenizer_encode(t, "ab \xe6\x98\xa6", 6, TG_UNKNOWN_ERROR, ids, &count), TG_EINVAL,
                "character '\xe6\x98\xa6' (U+6626) at byte 3");
    CHECK_ERROR(tg_tokenizer_encode(t, "abz", 3, TG_UNKNOWN_ERROR, ids, &count), TG_EINVAL, "'z' (U+007A) at byte 2");
    CHECK_ERROR(tg_tokenizer_encode(t, "ab\xff", 3, TG_UNKNOWN_SKIP, ids, &count), TG_EINVAL, "not UTF-8: byte 0xff at byte 2");
    count = 20;
    CHECK_OK(tg_tokenizer_encode(t, "az\xe6\x98\xa6\xe6\x98\xa5", 8, TG_UNKNOWN_SKIP, ids, &count));
    CHECK_INT(count, 2);
    CHECK_INT(ids[1], 4);
    count = 2;
    CHECK_ERROR(tg_tokenizer_encode(t, "abc", 3, TG_UNKNOWN_ERROR, ids, &count), TG_EINVAL, "room for 2 tokens");
    count = 0;
    CHECK_OK(tg_tokenizer_encode(t, "", 0, TG_UNKNOWN_ERROR, ids, &count));
    CHECK_INT(count, 0);
    tg_tokenizer_free(t);
}

TEST(an_unknown_token_is_for_who_asks_for_it)
{
    tg_tokenizer *t = char_tokenizer_of("abc");
    int32_t ids[8];
    int64_t count = 8;
    CHECK_OK(tg_tokenizer_add_specials(t, true, false, NULL, 0));
    CHECK_ERROR(tg_tokenizer_encode(t, "ab\xe6\x98\xa6", 5, TG_UNKNOWN_ERROR, ids, &count), TG_EINVAL,
                "character '\xe6\x98\xa6' (U+6626) at byte 2 is not in the vocabulary: the training data do not have it, or "
                "too seldom (--min-count); leave it out (--unk skip)");
    CHECK_OK(tg_tokenizer_encode(t, "azb", 3, TG_UNKNOWN_SKIP, ids, &count));
    CHECK_INT(count, 2);
    CHECK_INT(ids[1], 1);
    CHECK_OK(tg_tokenizer_encode(t, "azb", 3, TG_UNKNOWN_TOKEN, ids, (count = 8, &count)));
    CHECK_INT(count, 3);
    CHECK_INT(ids[1], 3);
    tg_tokenizer_free(t);
}

TEST(texts_that_are_none_make_no_vocabulary)
{
    uint64_t *set = tg_alloc(TG_CHAR_SET_WORDS * (int64_t)sizeof *set);
    tg_tokenizer *t;
    CHECK_ERROR(tg_char_set_add(set, "abc\xc3(", 5), TG_EINVAL, "0xc3 at byte 3");
    CHECK_ERROR(tg_char_set_add(set, "ab\0c", 4), TG_EINVAL, "a NUL at byte 2");
    memset(set, 0, TG_CHAR_SET_WORDS * sizeof *set);
    CHECK_ERROR(tg_tokenizer_char_new(set, &t), TG_EINVAL, "without characters");
    tg_free(set);
}

TEST(bad_tokenizers_are_refused)
{
    static const struct { const char *json, *says; } bad[] = {
        {"{}", "its kind"},
        {"[]", "its kind"},
        {"{\"kind\":\"word\"}", "kind word"},
        {"{\"kind\":\"char\"}", "does not list"},
        {"{\"kind\":\"char\",\"chars\":\"\"}", "does not list"},
        {"{\"kind\":\"char\",\"chars\":[\"a\"]}", "does not list"},
        {"{\"kind\":\"char\",\"chars\":\"ba\"}", "ascending"},
        {"{\"kind\":\"char\",\"chars\":\"aa\"}", "ascending"},
        {"{\"kind\":\"char\",\"chars\":\"a\\u0000\"}", "u0000"},
        {"{\"kind\":", "tokeniser:1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tg_tokenizer *t;
        CHECK(tg_tokenizer_from_json(bad[i].json, (int64_t)strlen(bad[i].json), &t) != TG_OK);
        test_has(__FILE__, __LINE__, tg_error(), bad[i].says);
    }
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(char_encodes_a_megabyte_quickly)
{
    enum { N = 1 << 20, TIMES = 20 };
    char *text = tg_alloc(N + 1);
    for (int i = 0; i < N; i++) text[i] = (char)('a' + i * 31 % 26);
    tg_tokenizer *t = char_tokenizer_of(text);
    int32_t *ids = tg_alloc_array(N, sizeof *ids);
    double start = tg_now();
    for (int i = 0; i < TIMES; i++) {
        int64_t count = N;
        CHECK_OK(tg_tokenizer_encode(t, text, N, TG_UNKNOWN_ERROR, ids, &count));
    }
    test_note("%.0f MB/s of ASCII", TIMES * (double)N / 1e6 / (tg_now() - start));
    tg_free(ids);
    tg_free(text);
    tg_tokenizer_free(t);
}
