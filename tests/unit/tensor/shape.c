/* shape.c - products and texts of shapes, also of absurd ones. */
#include "test.h"
#include "tinygen/tensor.h"

#include <string.h>

TEST(a_shape_counts_its_elements_and_says_when_it_cannot)
{
    tg_shape s = tg_shape_of(3, (int64_t[]){2, 3, 4});
    CHECK_INT(tg_shape_count(&s), 24);
    s = tg_shape_of(0, NULL);
    CHECK_INT(tg_shape_count(&s), 1);
    s = tg_shape_of(2, (int64_t[]){5, 0});
    CHECK_INT(tg_shape_count(&s), 0);
    s = tg_shape_of(2, (int64_t[]){5, -1});
    CHECK_INT(tg_shape_count(&s), -1);
    s = tg_shape_of(2, (int64_t[]){INT64_MAX, 3});
    CHECK_INT(tg_shape_count(&s), -1);
}

TEST(a_shape_has_a_text_that_fits)
{
    char text[96];
    tg_shape s = tg_shape_of(2, (int64_t[]){2500, 128});
    CHECK_TEXT(tg_shape_text(&s, text), "[2500, 128]");
    s = tg_shape_of(0, NULL);
    CHECK_TEXT(tg_shape_text(&s, text), "[]");
    int64_t most[TG_MAX_RANK];
    for (int rank = 1; rank <= TG_MAX_RANK; rank++) {
        for (int i = 0; i < rank; i++) most[i] = INT64_MIN;
        s = tg_shape_of(rank, most);
        memset(text, 'x', sizeof text);
        size_t n = strlen(tg_shape_text(&s, text));
        CHECK(n < sizeof text && text[n - 1] == ']');
    }
}

TEST(shapes_are_equal_in_rank_and_every_size)
{
    tg_shape a = tg_shape_of(2, (int64_t[]){2, 3}), b = a, c = tg_shape_of(1, (int64_t[]){2});
    CHECK(tg_shape_equal(&a, &b) && !tg_shape_equal(&a, &c));
    b.dims[1] = 4;
    CHECK(!tg_shape_equal(&a, &b));
}
