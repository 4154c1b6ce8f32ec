/* gan.c - the losses of a GAN's two sides, out of ordinary ops: a batch has one number an example. */
#include "autograd/tape.h"

/* mean of f(sign·logits) */
static tg_tensor *mean_of(tg_tape *t, tg_tensor *logits, double sign, double shift, tg_activation f)
{
    return tg_mean(t, tg_activate(t, tg_scale(t, logits, sign, shift), f));
}

tg_tensor *tg_gan_loss(tg_tape *t, tg_tensor *logits, tg_gan_loss_kind kind, tg_gan_side side)
{
    const double sign = side == TG_GAN_FAKE ? 1 : -1;
    if (kind == TG_GAN_NONSATURATING) return mean_of(t, logits, sign, 0, TG_SOFTPLUS);
    if (kind == TG_GAN_HINGE && side != TG_GAN_FOOLS) return mean_of(t, logits, sign, 1, TG_RELU);
    return tg_scale(t, tg_mean(t, logits), sign, 0);
}
