/* schedule.c - the learning rate of a step. Double arithmetic and our own cosine: the same on every machine. */
#include "base/fmath.h"
#include "tinygen/nn.h"

/* Share of the way from `begin` to `end` that is behind us at step. */
static double progress(int64_t step, double begin, double end)
{
    double at = (double)step - begin, all = end - begin;
    if (at <= 0) return 0;
    return at < all ? at / all : 1;
}

double tg_schedule_at(const tg_schedule *s, int64_t step)
{
    double x;
    if (step < s->warmup) return s->lr * ((double)step + 1) / (double)s->warmup;
    switch (s->kind) {
    case TG_COSINE:
        x = progress(step, (double)s->warmup, (double)s->steps);
        return s->min_lr + (s->lr - s->min_lr) * 0.5 * (1 + (double)tg_cosf((float)(3.14159265358979323846 * x)));
    case TG_LINEAR_DECAY:
        x = progress(step, (double)s->warmup, (double)s->steps);
        return s->lr + (s->min_lr - s->lr) * x;
    case TG_WSD:
        x = progress(step, (double)(int64_t)((1 - s->decay_share) * (double)s->steps + 0.5), (double)s->steps);
        return s->lr + (s->min_lr - s->lr) * x;
    case TG_CONSTANT: break;
    }
    return s->lr;
}
