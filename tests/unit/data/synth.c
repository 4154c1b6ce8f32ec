/* synth.c - tests of the grammars and of the corpora in data/. */
#include "data/synth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "test.h"

static char *made(const char *source, uint64_t seed, int64_t bytes)
{
    tg_str s = {0};
    CHECK_OK(tg_synth(source, seed, bytes, &s));
    CHECK(s.length > 0 && s.length <= bytes && s.data[s.length - 1] == '\n');
    CHECK_INT(tg_utf8_check(s.data, s.length), -1);
    return s.data;
}

TEST(a_seed_gives_the_same_text_and_a_longer_one_goes_on_from_it)
{
    static const char *const sources[] = {"synth:verses", "synth:verses:couplet", "synth:couplets",
                                          "synth:couplets:seven", "synth:tasks"};
    for (int i = 0; i < 5; i++) {
        char *a = made(sources[i], 7, 5000), *b = made(sources[i], 7, 5000), *longer = made(sources[i], 7, 20000);
        char *other = made(sources[i], 8, 5000);
        CHECK_TEXT(a, b);
        CHECK(strncmp(a, longer, strlen(a)) == 0);
        CHECK(strcmp(a, other) != 0);
        CHECK((int64_t)strlen(longer) > 19800);
        tg_free(a);
        tg_free(b);
        tg_free(longer);
        tg_free(other);
    }
}

/* Written down once: a change here changes what people's commands give. */
TEST(synth_texts_stay_what_they_were)
{
    static const struct { const char *source, *sha256;
    } known[] = {
        {"synth:verses", "b9b9c2dd4d4ee5585686d43ab2435fff2c3fb925059a2beafb1b22973f9a1161"},
        {"synth:couplets", "f509d82b0266aa818f67c1bc84bda841baae8119dbdd132d30beaf6f166b9c18"},
    };
    for (int i = 0; i < 2; i++) {
        char *text = made(known[i].source, 1, TG_SYNTH_BYTES), hex[65];
        tg_sha256_hex(text, (int64_t)strlen(text), hex);
        CHECK_TEXT(hex, known[i].sha256);
        tg_free(text);
    }
}

static int count_of(const char *text, const char *end, const char *part)
{
    int n = 0;
    for (const char *at = strstr(text, part); at && at < end; at = strstr(at + 1, part)) n++;
    return n;
}

/* "上联，下联。": five or seven characters a side, none twice. */
TEST(couplets_are_parallel_and_repeat_no_character)
{
    static const struct {
        const char *source;
        int size;
    } kinds[] = {{"synth:couplets:five", 5}, {"synth:couplets:seven", 7}};
    for (int k = 0; k < 2; k++) {
        char *text = made(kinds[k].source, 3, 20000);
        const int half = kinds[k].size * 3, line = 2 * half + 7;
        CHECK_INT((int64_t)strlen(text) % line, 0);
        for (const char *at = text; *at; at += line) {
            CHECK(strncmp(at + half, "，", 3) == 0 && strncmp(at + line - 4, "。\n", 4) == 0);
            for (int i = 0; i < line - 4; i += 3) {
                char one[4] = {at[i], at[i + 1], at[i + 2], 0};
                CHECK_INT(count_of(at, at + line, one), 1);
            }
        }
        tg_free(text);
    }
}

TEST(verses_come_in_quatrains_of_short_lines)
{
    char *text = made("synth:verses", 5, 30000);
    int in_stanza = 0;
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        CHECK(n < 60);
        if (n == 0) {
            CHECK_INT(in_stanza, 4);
            in_stanza = 0;
        } else {
            CHECK(*at >= 'A' && *at <= 'Z' && strchr(",;.", at[n - 1]) && !strchr("%", at[n - 2]));
            in_stanza++;
        }
        at += n + 1;
    }
    CHECK_INT(count_of(text, text + strlen(text), "  ") + count_of(text, text + strlen(text), "%"), 0);
    tg_free(text);
}

TEST(tasks_are_solved_rightly_and_all_kinds_come)
{
    char *text = made("synth:tasks", 4, 30000);
    int64_t of[3] = {0}, long_as[2][7] = {{0}};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        int64_t a, b, sum;
        char word[16], answer[16], end;
        if (sscanf(line, "copy %15[a-z]=%15[a-z]%c", word, answer, &end) == 2) {
            CHECK_TEXT(answer, word);
            CHECK(strlen(word) <= 6);
            long_as[0][strlen(word)]++;
            of[0]++;
        } else if (sscanf(line, "reverse %15[a-z]=%15[a-z]%c", word, answer, &end) == 2) {
            const size_t n = strlen(word);
            CHECK(n >= 3 && n <= 6 && strlen(answer) == n);
            for (size_t i = 0; i < n; i++) CHECK(answer[i] == word[n - 1 - i]);
            long_as[1][n]++;
            of[1]++;
        } else {
            CHECK_INT(sscanf(line, "%" SCNd64 "+%" SCNd64 "=%" SCNd64 "%c", &a, &b, &sum, &end), 3);
            CHECK(a >= 10 && a < 100 && b >= 10 && b < 100);
            CHECK_INT(sum, a + b);
            of[2]++;
        }
    }
    for (int i = 0; i < 3; i++) CHECK(of[i] > 500); /* of about 2,100 */
    for (int n = 0; n <= 6; n++) CHECK((long_as[0][n] > 100) == (n >= 3) && (long_as[1][n] > 100) == (n >= 3));
    tg_free(text);
}

TEST(unknown_grammars_are_refused)
{
    tg_str s = {0};
    CHECK_ERROR(tg_synth("synth:", 1, 1000, &s), TG_EINVAL, "no such grammar");
    CHECK_ERROR(tg_synth("synth:verse", 1, 1000, &s), TG_EINVAL, "--list");
    CHECK_ERROR(tg_synth("synth:verses:sonnet", 1, 1000, &s), TG_EINVAL, "ballad or couplet");
    CHECK_ERROR(tg_synth("synth:tasks:divide", 1, 1000, &s), TG_EINVAL, "take copy, reverse or add");
    CHECK_ERROR(tg_synth("synth:verses:", 1, 1000, &s), TG_EINVAL, "no such variant");
    CHECK_ERROR(tg_synth("synth:verses", 1, 5, &s), TG_EINVAL, "too few");
    CHECK(tg_synth_is("synth:x") && !tg_synth_is("synthesis.txt"));
    tg_str_free(&s);
}

/* data/README.md tells their SHA-256. */
TEST(the_corpora_in_data_are_those_that_their_readme_tells_of)
{
    static const char *const files[] = {"data/verses.txt", "data/couplets.txt", "data/couplets-gb18030.txt"};
    char *readme, *text, hex[65];
    int64_t length;
    if (tg_path_kind("data/README.md") != TG_PATH_FILE) test_skip("not run in the source folder");
    CHECK_OK(tg_file_slurp("data/README.md", 1 << 20, &readme, &length));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(tg_file_slurp(files[i], 1 << 20, &text, &length));
        CHECK_INT(tg_utf8_check(text, length) >= 0, i == 2);
        tg_sha256_hex(text, length, hex);
        test_has(__FILE__, __LINE__, readme, hex);
        tg_free(text);
    }
    tg_free(readme);
}

/* ---- pictures and points ---------------------------------------------------------------------------------------- */

TEST(synth_shapes_and_points_stay_what_they_were)
{
    static const struct { const char *source, *sha256; } known[] = {
        {"synth:shapes", "8093304e901a137162a1a9e3709da87814bb5ce9ce9d9fda5dddf2a709d5949c"}, {"synth:shapes:grey", "aca1373afeef932b51a3ad7a5dd29432c3ad9950f02ef210f1c94298b8adb22a"}, {"synth:points:8gaussians", "b7764516ca05076e4aa007f20c87a8b69cb7feaba661cb75f78b7ee4ae77d965"}, {"synth:points:25gaussians", "fea49cda75ee290ec9e410c34198f04ebe9caa78a1835d1f4ba7ee59fa31b7e4"},
        {"synth:points:swissroll", "c32d18ba1ec4d7fe9fded7d98206740cec00afd85bfa1869fa24be49ec37f3cb"}, {"synth:points:moons", "441df3dbe1f6f4b0a16ab6c4734e4e43ff589ea445801c8d8ab963e0b43d59a5"}, {"synth:points:pinwheel", "d7887388d78a1d96e78648c56653ca305bab867feb29b7531bbce0deb2e6c615"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        tg_str out = {0};
        char hex[65];
        int64_t many;
        if (i < 2) CHECK_OK(tg_synth_images(known[i].source, 1, 50, 0, &out, &many));
        else CHECK_OK(tg_synth_points(known[i].source, 1, 500, &out));
        tg_sha256_hex(out.data, out.length, hex);
        CHECK_TEXT(hex, known[i].sha256);
        tg_str_free(&out);
    }
}

TEST(synth_pictures_are_the_same_however_many_are_asked_for_and_all_are_of_a_class)
{
    tg_str few = {0}, more = {0};
    int64_t n, m, all = 0;
    CHECK_OK(tg_synth_images("synth:shapes:grey", 7, 40, 2, &few, &n));
    CHECK_OK(tg_synth_images("synth:shapes:grey", 7, 400, 2, &more, &m));
    CHECK(n > 0 && m > n && few.length == 16 + n * 1024 && more.length == 16 + m * 1024);
    CHECK_BYTES(more.data + 16, few.data + 16, n * 1024);
    CHECK_BYTES(few.data, "\0\0\x08\x03\0\0\0", 7);
    CHECK_INT(few.data[7], n);
    for (int shape = 0; tg_synth_shape_name(shape); shape++) {
        tg_str_clear(&few);
        CHECK_OK(tg_synth_images("synth:shapes", 7, 100, shape, &few, &n));
        CHECK(n > 5);
        all += n;
    }
    CHECK_INT(all, 100);
    tg_str_free(&few);
    tg_str_free(&more);
}

TEST(synth_figures_have_an_inside_and_soft_edges)
{
    uint8_t p[TG_SHAPE_SIZE * TG_SHAPE_SIZE];
    int soft = 0, full = 0;
    for (uint64_t i = 0; i < 200; i++) {
        tg_rng r = tg_rng_at(3, TG_RNG_SYNTH, i);
        tg_synth_shape(&r, TG_SHAPE_GREY, p);
        int most = 0, least = 255;
        for (int k = 0; k < TG_SHAPE_SIZE * TG_SHAPE_SIZE; k++) {
            most = p[k] > most ? p[k] : most;
            least = p[k] < least ? p[k] : least;
        }
        CHECK(least < 64 && most >= 160);
        for (int k = 0; k < TG_SHAPE_SIZE * TG_SHAPE_SIZE; k++) {
            full += p[k] == most;
            soft += p[k] > least && p[k] < most;
        }
    }
    CHECK(soft > 200 * 10 && full > 200 * 60);
}

TEST(synth_points_lie_where_their_papers_put_them)
{
    tg_rng r;
    float at[2];
    for (uint64_t i = 0; i < 500; i++) {
        r = tg_rng_at(1, TG_RNG_SYNTH, i);
        tg_synth_point(&r, 0, at);
        CHECK(at[0] * at[0] + at[1] * at[1] > 3.5f && at[0] * at[0] + at[1] * at[1] < 4.5f);
        r = tg_rng_at(1, TG_RNG_SYNTH, i);
        const int k = tg_synth_point(&r, 1, at), dx = (int)(at[0] + 20.5f) - 20, dy = (int)(at[1] + 20.5f) - 20;
        CHECK(dx == 2 * (k % 5) - 4 && dy == 2 * (k / 5) - 4);
    }
    CHECK(!tg_synth_point_has_class(2) && tg_synth_point_has_class(3));
    tg_str out = {0};
    CHECK_ERROR(tg_synth_points("synth:points", 1, 5, &out), TG_EINVAL, "8gaussians, 25gaussians, swissroll, moons or pinwheel");
    CHECK_ERROR(tg_synth("synth:shapes", 1, 500, &out), TG_EINVAL, "makes no text");
    tg_str_free(&out);
}
