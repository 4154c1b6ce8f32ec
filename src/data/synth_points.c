/* synth_points.c - distributions of the plane that generative models are tried on, where all that is learned and missed can be seen.
 *   8gaussians   on a ring of radius 2, deviation 0.02: Metz et al. 2017, arXiv:1611.02163
 *   25gaussians  on a grid from -4 to 4, deviation 0.05: Lin et al. 2018, arXiv:1712.04086
 *   swissroll    (t cos t, t sin t) / 7.5 with t from 1.5 pi to 4.5 pi and deviation 0.25 / 7.5: Gulrajani et al. 2017,
 *                arXiv:1704.00028
 *   moons        two half circles of radius 1, deviation 0.1: as scikit-learn's make_moons
 *   pinwheel     five arms: Johnson et al. 2016, arXiv:1603.06277, twice as large
 * Functions are our own, so that a seed gives the same points everywhere. */
#include "base/fmath.h"
#include "data/synth.h"

enum { RING, GRID, ROLL, MOONS, PINWHEEL };
static const float pi = 3.14159265f;

bool tg_synth_point_has_class(int variant)
{
    return variant != ROLL;
}

static void centre_on_ring(int64_t k, float out[2])
{
    const float angle = 2 * pi * (float)k / 8;
    out[0] = 2 * tg_cosf(angle);
    out[1] = 2 * tg_sinf(angle);
}

static void centre_on_grid(int64_t k, float out[2])
{
    out[0] = (float)(2 * (k % 5) - 4);
    out[1] = (float)(2 * (k / 5) - 4);
}

static const struct { int count; float deviation; void (*centre)(int64_t k, float out[2]); } modes[] = {
    [RING] = {8, 0.02f, centre_on_ring}, [GRID] = {25, 0.05f, centre_on_grid}};

int tg_synth_point_modes(int variant, float centres[][2], float *deviation)
{
    if (variant != RING && variant != GRID) return 0;
    for (int k = 0; k < modes[variant].count && centres; k++) modes[variant].centre(k, centres[k]);
    if (deviation) *deviation = modes[variant].deviation;
    return modes[variant].count;
}

static int at_mode(tg_rng *r, int variant, float out[2])
{
    const int64_t k = tg_rng_below(r, modes[variant].count);
    modes[variant].centre(k, out);
    for (int i = 0; i < 2; i++) out[i] += modes[variant].deviation * tg_rng_normal(r);
    return (int)k;
}

static int on_ring(tg_rng *r, float out[2])
{
    return at_mode(r, RING, out);
}

static int on_grid(tg_rng *r, float out[2])
{
    return at_mode(r, GRID, out);
}

static int on_roll(tg_rng *r, float out[2])
{
    const float t = 1.5f * pi * (1 + 2 * tg_rng_unit(r));
    out[0] = (t * tg_cosf(t) + 0.25f * tg_rng_normal(r)) / 7.5f;
    out[1] = (t * tg_sinf(t) + 0.25f * tg_rng_normal(r)) / 7.5f;
    return 0;
}

static int on_moon(tg_rng *r, float out[2])
{
    const int lower = (int)tg_rng_below(r, 2);
    const float angle = pi * tg_rng_unit(r), x = tg_cosf(angle), y = tg_sinf(angle);
    out[0] = (lower ? 1 - x : x) + 0.1f * tg_rng_normal(r);
    out[1] = (lower ? 0.5f - y : y) + 0.1f * tg_rng_normal(r);
    return lower;
}

static int on_pinwheel(tg_rng *r, float out[2])
{
    const int64_t k = tg_rng_below(r, 5);
    const float along = 1 + 0.3f * tg_rng_normal(r), across = 0.1f * tg_rng_normal(r);
    const float angle = 2 * pi * (float)k / 5 + 0.25f * tg_expf(along), c = tg_cosf(angle), s = tg_sinf(angle);
    out[0] = 2 * (along * c - across * s);
    out[1] = 2 * (along * s + across * c);
    return (int)k;
}

int tg_synth_point(tg_rng *r, int variant, float out[2])
{
    static int (*const draws[])(tg_rng *, float *) = {on_ring, on_grid, on_roll, on_moon, on_pinwheel};
    return draws[variant](r, out);
}
