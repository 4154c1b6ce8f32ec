/* The references are libm's double functions. By default every 251st float, and all in places where a formula changes;
 * with TG_TEST_FULL set all 2^32 (some minutes per function). */
#include "base/fmath.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    float (*ours)(float);
    double (*reference)(double);
    double limit; /* in ulp; the largest error over all floats, rounded up */
    float dense[6]; /* pairs: first and last of a range of which every float is tried */
} function;

typedef struct {
    double worst;
    float at;
} finding;

static float float_at(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_at(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

/* The distance of neighbouring floats around want. */
static double ulp_at(double want)
{
    int exponent;
    if (fabs(want) < 0x1p-126) return 0x1p-149;
    frexp(want, &exponent);
    return ldexp(1.0, exponent - 24);
}

static void try_one(const function *f, float x, finding *found)
{
    double want = f->reference((double)x);
    float rounded = (float)want, got = f->ours(x);
    bool special = isnan(want) || isinf(rounded) || isinf(got) || isnan(got);
    if (special) {
        if (isnan(want) ? isnan(got) : got == rounded) return;
        test_failed(__FILE__, __LINE__, "%s(%.9g) is %.9g, not %.9g", f->name, (double)x, (double)got, want);
    }
    bool flushed = got == 0 && fabs(want) < 0x1p-126 && fabsf(x) >= 0x1p-126f;
    if (flushed && (f->ours == tg_expf || f->ours == tg_sigmoidf)) return;
    double error = fabs((double)got - want) / ulp_at(want);
    if (error > found->worst) *found = (finding){error, x};
}

static void sweep(const function *f)
{
    finding found = {0};
    uint64_t stride = getenv("TG_TEST_FULL") ? 1 : 251;
    for (uint64_t u = 0; u <= UINT32_MAX; u += stride) try_one(f, float_at((uint32_t)u), &found);
    for (int i = 0; i < 6; i += 2) {
        if (f->dense[i] == f->dense[i + 1]) continue;
        uint32_t a = bits_at(f->dense[i]), b = bits_at(f->dense[i + 1]);
        for (uint32_t u = a < b ? a : b; u <= (a < b ? b : a); u++) try_one(f, float_at(u), &found);
    }
    test_note("%s: %.4f ulp at %.9g", f->name, found.worst, (double)found.at);
    if (found.worst > f->limit)
        test_failed(__FILE__, __LINE__, "%s: %.4f ulp at %.9g, over %.2f", f->name, found.worst,
                    (double)found.at, f->limit);
}

TEST(exp_is_within_an_ulp_everywhere)
{
    sweep(&(function){"exp", tg_expf, exp, 0.90, {-87.4f, -87.3f, 88.7f, 88.8f, -0.35f, -0.34f}});
}

TEST(log_is_within_an_ulp_everywhere)
{
    sweep(&(function){"log", tg_logf, log, 0.95, {0.64f, 0.67f, 0.99f, 1.01f, 1.33f, 1.34f}});
}

TEST(tanh_is_within_two_ulp_everywhere)
{
    sweep(&(function){"tanh", tg_tanhf, tanh, 1.74, {0.06f, 0.063f, 0.99f, 1.01f, 9.0f, 9.1f}});
}

TEST(sigmoid_is_within_two_ulp_everywhere)
{
    sweep(&(function){"sigmoid", tg_sigmoidf, logistic, 2.0, {-87.4f, -87.3f, -16.7f, -16.6f, -0.00036f, -0.00033f}});
}

TEST(sin_is_within_two_ulp_everywhere)
{
    sweep(&(function){"sin", tg_sinf, sin, 1.56, {3.1415f, 3.1417f, 131000.0f, 131200.0f, 0.78f, 0.79f}});
}

TEST(cos_is_within_two_ulp_everywhere)
{
    sweep(&(function){"cos", tg_cosf, cos, 1.56, {1.57f, 1.571f, 131000.0f, 131200.0f, 0.78f, 0.79f}});
}

TEST(erf_is_within_two_ulp_everywhere)
{
    sweep(&(function){"erf", tg_erff, erf, 1.05, {0.84f, 0.89f, 3.8f, 3.95f, 0.917f, 0.919f}});
}

typedef struct {
    float (*ours)(float);
    float x;
    uint32_t want;
} special;

TEST(fmath_special_values_have_the_right_bits)
{
    const float inf = (float)INFINITY;
    const special cases[] = {
        {tg_expf, 0.0f, 0x3f800000}, {tg_expf, -0.0f, 0x3f800000}, {tg_expf, 0x1p-149f, 0x3f800000},
        {tg_expf, inf, 0x7f800000}, {tg_expf, -inf, 0}, {tg_expf, 3.4e38f, 0x7f800000}, {tg_expf, -3.4e38f, 0},
        {tg_expf, 0x1.62e43p6f, 0x7f800000}, {tg_expf, -0x1.5d58ap6f, 0},
        {tg_logf, 1.0f, 0}, {tg_logf, 0.0f, 0xff800000}, {tg_logf, -0.0f, 0xff800000}, {tg_logf, inf, 0x7f800000},
        {tg_tanhf, 0.0f, 0}, {tg_tanhf, -0.0f, 0x80000000}, {tg_tanhf, inf, 0x3f800000}, {tg_tanhf, -inf, 0xbf800000},
        {tg_tanhf, 0x1p-149f, 1}, {tg_tanhf, 20.0f, 0x3f800000},
        {tg_sigmoidf, 0.0f, 0x3f000000}, {tg_sigmoidf, -0.0f, 0x3f000000}, {tg_sigmoidf, inf, 0x3f800000},
        {tg_sigmoidf, -inf, 0}, {tg_sigmoidf, -90.0f, 0}, {tg_sigmoidf, 90.0f, 0x3f800000},
        {tg_sinf, 0.0f, 0}, {tg_sinf, -0.0f, 0x80000000}, {tg_sinf, 0x1p-149f, 1}, {tg_cosf, 0.0f, 0x3f800000},
        {tg_erff, 0.0f, 0}, {tg_erff, -0.0f, 0x80000000}, {tg_erff, inf, 0x3f800000}, {tg_erff, -inf, 0xbf800000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t got = bits_at(cases[i].ours(cases[i].x));
        if (got != cases[i].want)
            test_failed(__FILE__, __LINE__, "case %d, of %g: %08x, not %08x", (int)i, (double)cases[i].x, got,
                        cases[i].want);
    }
    CHECK(isnan(tg_logf(-1.0f)) && isnan(tg_logf(-inf)) && isnan(tg_logf(-0x1p-149f)));
    CHECK(isnan(tg_sinf(inf)) && isnan(tg_sinf(-inf)) && isnan(tg_cosf(inf)) && isnan(tg_cosf(-inf)));
}

TEST(fmath_lets_every_kind_of_nan_through)
{
    float (*const all[])(float) = {tg_expf, tg_logf, tg_tanhf, tg_sigmoidf, tg_sinf, tg_cosf, tg_erff};
    for (uint32_t bits = 0x7f800001; bits < 0x80000000; bits += 509)
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            CHECK(isnan(all[i](float_at(bits))) && isnan(all[i](float_at(bits | 0x80000000))));
}

TEST(tanh_erf_and_sin_are_exactly_odd_and_cos_is_even)
{
    for (uint32_t u = 0; u < 0x7f800000; u += 499) {
        float x = float_at(u);
        CHECK(bits_at(tg_tanhf(-x)) == (bits_at(tg_tanhf(x)) ^ 0x80000000));
        CHECK(bits_at(tg_erff(-x)) == (bits_at(tg_erff(x)) ^ 0x80000000));
        CHECK(bits_at(tg_sinf(-x)) == (bits_at(tg_sinf(x)) ^ 0x80000000));
        CHECK(bits_at(tg_cosf(-x)) == bits_at(tg_cosf(x)));
    }
}

TEST(tanh_erf_and_sigmoid_stay_inside_their_limits)
{
    for (uint32_t u = 0; u < 0x7f800000; u += 499) {
        float x = float_at(u), low = tg_sigmoidf(-x), high = tg_sigmoidf(x);
        CHECK(tg_tanhf(x) >= 0.0f && tg_tanhf(x) <= 1.0f && tg_erff(x) >= 0.0f && tg_erff(x) <= 1.0f);
        CHECK(low >= 0.0f && low <= 0.5f && high >= 0.5f && high <= 1.0f);
        if (x > 9.1f) CHECK(tg_tanhf(x) == 1.0f);
        if (x > 3.93f) CHECK(tg_erff(x) == 1.0f);
        if (x > 17.4f) CHECK(high == 1.0f);
    }
}

TEST(exp_and_sigmoid_never_return_a_denormal)
{
    for (float x = -89.0f; x < -87.0f; x = nextafterf(x, 0.0f)) {
        CHECK(tg_expf(x) == 0.0f || tg_expf(x) >= 0x1p-126f);
        CHECK(tg_sigmoidf(x) == 0.0f || tg_sigmoidf(x) >= 0x1p-126f);
    }
    CHECK(tg_expf(-87.3365f) > 0.0f && tg_sigmoidf(-87.3365f) > 0.0f);
}

/* FNV-1a over the results' bits. The number may change only with a formula: it is the same on every machine. */
TEST(fmath_gives_the_same_bits_everywhere)
{
    float (*const all[])(float) = {tg_expf, tg_logf, tg_tanhf, tg_sigmoidf, tg_sinf, tg_cosf, tg_erff};
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        for (uint64_t u = 0; u <= UINT32_MAX; u += 10007) {
            float y = all[i](float_at((uint32_t)u));
            hash = (hash ^ (isnan(y) ? 1 : bits_at(y))) * 1099511628211u;
        }
    }
    CHECK_HEX(((uint32_t[2]){(uint32_t)(hash >> 32), (uint32_t)hash}), "743100b2 1b328c74");
}
