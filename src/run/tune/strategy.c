/* strategy.c - grid, quasi-random points, and who decides what is next. */
#include "run/tune/strategy.h"

#include <math.h>

#include "base/rng.h"
#include "run/tune/strategy_parts.h"

/* Halton's sequence (1960): digits of n to the base of the axis's prime, mirrored at the point. Each digit goes through a
 * permutation that the seed and the digits before it decide (Owen 2017, arXiv:1706.02808), or axes of large primes would move in
 * step. Digits that only more than 4096 points could tell apart are random. */
double tg_quasi(uint64_t seed, int axis, int64_t n)
{
    static const int primes[TG_AXES] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31,  37,  41,  43,  47,  53,
                                        59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131};
    const int64_t base = primes[axis];
    const uint64_t stream = (uint64_t)axis << 48;
    double x = 0, weight = 1;
    int64_t before = 0, rest = n;
    for (int digit = 0; weight > 0x1p-12; digit++) {
        const uint64_t step = stream + ((uint64_t)digit << 32) + (uint64_t)before;
        weight /= (double)base;
        x += weight * (double)tg_rng_permute(seed, TG_RNG_TUNE, step, base, rest % base);
        before = before * base + rest % base;
        rest /= base;
    }
    tg_rng tail = tg_rng_at(seed, TG_RNG_TUNE, stream + ((uint64_t)1 << 44) + (uint64_t)n);
    return x + weight * (double)tg_rng_unit(&tail);
}

void tg_quasi_point(const tg_space *s, uint64_t seed, int64_t n, tg_point *out)
{
    for (int i = 0; i < s->count; i++) out->at[i] = tg_axis_value(&s->axes[i], tg_quasi(seed, i, n));
    for (int i = 0; i < s->count; i++)
        if (!tg_space_applies(s, i, out)) out->at[i] = NAN;
}

int64_t tg_strategy_steps(const tg_strategy_options *o, int64_t rung)
{
    int64_t steps = o->steps;
    for (int64_t r = o->kind == TG_STRATEGY_ASHA ? rung : o->rungs; r < o->rungs - 1; r++) steps /= o->reduction;
    return steps;
}

static tg_status check_asha(const tg_strategy_options *o)
{
    int64_t least = 1;
    if (o->rungs < 1 || o->reduction < 2) return tg_fail(TG_EUSAGE, "asha: needs a rung at least, and a reduction of 2 or more");
    for (int64_t r = 1; r < o->rungs; r++)
        if (__builtin_mul_overflow(least, o->reduction, &least)) least = INT64_MAX / 2;
    if (o->steps < least)
        return tg_fail(TG_EUSAGE, "asha: %lld steps are too few for %lld rungs, each %lld times as long as the one before; give "
                       "--steps %lld or more, or fewer --rungs", (long long)o->steps, (long long)o->rungs,
                       (long long)o->reduction, (long long)least);
    if (o->trials > 0 && o->trials < least)
        return tg_fail(TG_EUSAGE, "asha: of %lld trials none would reach the last of %lld rungs; give --trials %lld or more, "
                       "or fewer --rungs", (long long)o->trials, (long long)o->rungs, (long long)least);
    return TG_OK;
}

tg_status tg_strategy_check(const tg_strategy_options *o, const tg_space *s)
{
    if (o->kind == TG_STRATEGY_ASHA) return check_asha(o);
    if (o->kind == TG_STRATEGY_GRID && o->trials == 0 && tg_space_grid(s) > 1000000)
        return tg_fail(TG_EUSAGE, "the grid of this space has more than 1000000 points; give fewer, or --strategy tpe");
    return TG_OK;
}

tg_status tg_strategy_next(const tg_strategy_options *o, const tg_space *s, const tg_tune_job *jobs, int64_t count, int64_t seen,
                           tg_tune_job *out, bool *more, bool *wait)
{
    *wait = *more = false;
    if (o->kind == TG_STRATEGY_ASHA) return tg_asha_next(o, s, jobs, count, seen, out, more, wait);
    if ((o->trials > 0 && count >= o->trials) || (o->kind == TG_STRATEGY_GRID && count >= tg_space_grid(s))) return TG_OK;
    *more = true;
    *out = (tg_tune_job){.trial = count};
    if (o->kind == TG_STRATEGY_TPE) return tg_tpe_point(o, s, jobs, count, seen, &out->point);
    if (o->kind == TG_STRATEGY_GRID) tg_space_grid_at(s, count, &out->point);
    else tg_quasi_point(s, o->seed, count, &out->point);
    return TG_OK;
}
