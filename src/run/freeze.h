/* freeze.h - which parameters a list of words means: gen-train --freeze. */
#ifndef TG_RUN_FREEZE_H
#define TG_RUN_FREEZE_H
#include "tinygen/nn.h"

/* Freezes what a comma list names, of a sealed set: a parameter ("embed.weight"); a part, all whose names begin with it and a dot
 * ("embed", "layers.0", "layers.0.attn"); a layer of a recurrent stack ("rnn.0": rnn.*_l0); "all". A "-" before a word takes it
 * away again from what stands before it: "all,-head". list NULL or empty: nothing. Errors: TG_EUSAGE (a word that nothing is
 * called by: what there is; nothing left to train), TG_ENOMEM. */
tg_status tg_freeze(tg_params *p, const char *list);
#endif
