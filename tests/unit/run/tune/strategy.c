/* Tests of run/tune/strategy.c and asha.c: points, promotions, and that a study is the same however it is run. */
#include "run/tune/strategy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/tune/objective.h"
#include "run/tune/strategy_parts.h"
#include "test.h"

TEST(quasi_random_points_fill_the_space_more_evenly_than_random_ones)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        int rows[9] = {0}, columns[16] = {0}, boxes[36] = {0};
        for (int64_t n = 0; n < 144; n++) {
            const double x = tg_quasi(seed, 0, n), y = tg_quasi(seed, 1, n);
            CHECK(x >= 0 && x < 1 && y >= 0 && y < 1);
            columns[(int)(x * 16)]++;
            rows[(int)(y * 9)]++;
            boxes[(int)(x * 4) * 9 + (int)(y * 9)]++;
        }
        /* what holds of the sequence whatever the permutations: each box of 1/16, 1/9 and 1/4 by 1/9 has its share */
        for (int i = 0; i < 16; i++) CHECK_INT(columns[i], 9);
        for (int i = 0; i < 9; i++) CHECK_INT(rows[i], 16);
        for (int i = 0; i < 36; i++) CHECK_INT(boxes[i], 4);
    }
    CHECK(tg_quasi(1, 0, 7) != tg_quasi(2, 0, 7));
    /* axes 20 and 21, of primes 73 and 79, without permutations rise together through the first 73 points */
    int same = 0;
    for (int64_t n = 0; n < 72; n++) same += (tg_quasi(1, 20, n + 1) > tg_quasi(1, 20, n)) == (tg_quasi(1, 21, n + 1) > tg_quasi(1, 21, n));
    CHECK(same > 18 && same < 54);
}
