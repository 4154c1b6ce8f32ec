/* images.c - what image models are made of against PyTorch's, forward and backward. Settings: tests/golden/make.py. */
#include <math.h>

#include "support/against.h"
#include "test.h"

static const double tolerance = 1e-5;

TEST(convolutions_match_pytorch)
{
    static const struct { const char *name; bool transposed; tg_conv_options o; } cases[] = {
        {"down", false, {.stride = {2, 2}, .before = {1, 1}, .after = {1, 1}}},
        {"dilated", false, {.stride = {2, 1}, .dilation = {1, 2}, .before = {1, 2}, .after = {1, 2}}},
        {"causal", false, {.dilation = {1, 2}, .before = {0, 4}}},
        {"up", true, {.stride = {2, 2}, .before = {1, 1}, .after = {1, 1}}},
        {"up_more", true, {.stride = {3, 3}, .dilation = {2, 2}, .before = {1, 1}, .after = {1, 1}, .extra = {2, 2}}},
    };
    against a;
    double worst = 0;
    against_open(&a, "convolutions");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        against_case(&a, cases[i].name);
        tg_tensor *x = against_input(&a, "x"), *w = against_input(&a, "w"), *b = against_input(&a, "b");
        tg_tensor *y = (cases[i].transposed ? tg_conv_transpose : tg_conv)(a.t, x, w, b, &cases[i].o);
        worst = fmax(worst, against_check(&a, y, tolerance));
    }
    test_note("largest error %.1e", worst);
    against_close(&a);
}
