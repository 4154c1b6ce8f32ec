/* schedule.c - learning rates at the corners of each schedule. */
#include <math.h>

#include "test.h"
#include "tinygen/nn.h"

static bool near(double a, double b) { return fabs(a - b) < 1e-7; }

TEST(warm_up_rises_in_equal_steps_to_the_rate)
{
    tg_schedule s = {.kind = TG_CONSTANT, .lr = 0.8, .warmup = 4, .steps = 100};
    CHECK(near(tg_schedule_at(&s, 0), 0.2));
    CHECK(near(tg_schedule_at(&s, 1), 0.4));
    CHECK(tg_schedule_at(&s, 3) == 0.8);
    CHECK(tg_schedule_at(&s, 4) == 0.8);
    CHECK(tg_schedule_at(&s, 1000000) == 0.8);
    s.warmup = 0;
    CHECK(tg_schedule_at(&s, 0) == 0.8);
}

TEST(cosine_falls_from_the_rate_to_the_least)
{
    tg_schedule s = {.kind = TG_COSINE, .lr = 1, .min_lr = 0.1, .warmup = 10, .steps = 110};
    CHECK(tg_schedule_at(&s, 10) == 1);
    CHECK(near(tg_schedule_at(&s, 60), 0.55));
    CHECK(near(tg_schedule_at(&s, 110), 0.1));
    CHECK(near(tg_schedule_at(&s, 200), 0.1));
    for (int64_t step = 10; step < 110; step++) {
        double want = 0.1 + 0.9 * 0.5 * (1 + cos(acos(-1) * (double)(step - 10) / 100));
        CHECK(near(tg_schedule_at(&s, step), want));
        CHECK(tg_schedule_at(&s, step + 1) < tg_schedule_at(&s, step));
    }
}

TEST(linear_falls_in_equal_steps)
{
    tg_schedule s = {.kind = TG_LINEAR_DECAY, .lr = 1, .min_lr = 0.2, .warmup = 0, .steps = 80};
    CHECK(tg_schedule_at(&s, 0) == 1);
    CHECK(near(tg_schedule_at(&s, 20), 0.8));
    CHECK(near(tg_schedule_at(&s, 79), 0.21));
    CHECK(near(tg_schedule_at(&s, 80), 0.2));
}

/* Until its decay the number of steps does not show, so that a run may be made longer. */
TEST(wsd_is_constant_then_falls_over_its_last_share)
{
    tg_schedule s = {.kind = TG_WSD, .lr = 1, .min_lr = 0, .warmup = 10, .steps = 100, .decay_share = 0.2};
    CHECK(near(tg_schedule_at(&s, 4), 0.5));
    for (int64_t step = 10; step <= 80; step++) CHECK(tg_schedule_at(&s, step) == 1);
    CHECK(near(tg_schedule_at(&s, 90), 0.5));
    CHECK(near(tg_schedule_at(&s, 99), 0.05));
    CHECK(tg_schedule_at(&s, 100) == 0);
    s.decay_share = 0;
    CHECK(tg_schedule_at(&s, 99) == 1);
}

TEST(a_schedule_of_no_steps_does_not_divide_by_zero)
{
    for (int kind = TG_CONSTANT; kind <= TG_WSD; kind++) {
        tg_schedule s = {.kind = (tg_schedule_kind)kind, .lr = 1, .min_lr = 0.5};
        CHECK(isfinite(tg_schedule_at(&s, 0)) && tg_schedule_at(&s, 0) >= 0.5);
    }
}
