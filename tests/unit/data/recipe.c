/* recipe.c - tests of the recipes that are built in, against the list of data sets where that is there. */
#include "data/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/fetch.h"
#include "support/shared.h"
#include "test.h"

TEST(every_recipe_that_is_built_in_is_whole)
{
    int count = 0;
    for (const tg_recipe_text *t = tg_recipe_texts; t->text; t++, count++) {
        char source[100];
        tg_recipe r;
        tg_arena *a = tg_arena_new(1 << 12);
        snprintf(source, sizeof source, "recipe:%s", t->name);
        CHECK(tg_recipe_is(source) && !tg_recipe_path(source));
        CHECK_OK(tg_recipe_open(a, source, &r));
        CHECK_TEXT(r.name, t->name);
        CHECK(r.title && r.protocol && r.count > 0);
        CHECK(count == 0 || strcmp(t[-1].name, t->name) < 0);
        for (int64_t i = 0; i < r.count; i++) {
            CHECK(tg_starts_with(r.files[i].url, "https://") && r.files[i].bytes > 0);
            for (int64_t j = 0; j < i; j++) CHECK(strcmp(r.files[i].sha256, r.files[j].sha256) != 0);
        }
        tg_arena_free(a);
    }
    CHECK(count >= 5);
    CHECK_INT(tg_alloc_live(), 0);
}

TEST(recipes_name_the_hashes_that_the_list_of_data_sets_has)
{
    int64_t length;
    char *sums = shared_text("SHA256SUMS", &length);
    tg_arena *a = tg_arena_new(1 << 12);
    for (const tg_recipe_text *t = tg_recipe_texts; t->text; t++) {
        char source[100];
        tg_recipe r;
        snprintf(source, sizeof source, "recipe:%s", t->name);
        CHECK_OK(tg_recipe_open(a, source, &r));
        for (int64_t i = 0; i < r.count; i++) test_has(__FILE__, __LINE__, sums, r.files[i].sha256);
    }
    tg_arena_free(a);
    tg_free(sums);
}

TEST(an_address_is_told_from_a_file_and_shown_without_its_password)
{
    CHECK(tg_fetch_is("https://a.org/x") && tg_fetch_is("s3://a") && tg_fetch_is("file:///x"));
    CHECK(!tg_fetch_is("://a") && !tg_fetch_is("a/b://c") && !tg_fetch_is("recipe:names") && !tg_fetch_is("a:/b"));
    static const char *const shown[][2] = {
        {"https://a.org/x?q=1@2#y@z", "https://a.org/x?q=1@2#y@z"},
        {"https://me:secret@a.org/x", "https://a.org/x"},
        {"ftp://me:se@cret@a.org", "ftp://a.org"},
        {"file:///a@b", "file:///a@b"},
    };
    for (int i = 0; i < 4; i++) {
        char *text = tg_fetch_shown(shown[i][0]);
        CHECK_TEXT(text, shown[i][1]);
        tg_free(text);
    }
}
