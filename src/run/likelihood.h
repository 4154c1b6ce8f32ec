/* likelihood.h - the loss over a whole split: what val_loss means.
 * Recurrent models: min(50, max(1, tokens/200)) parallel streams from zero state, tail included, whatever the training's
 * batch; models of windows: rows of up to a context's targets, as many side by side as training takes, documents whole where they
 * fit; the mean over all targets, nats per token. Images and points: the mean over all, nats each, with one draw of whatever noise the model
 * asks for, the same each time. Training state is not touched: streams and carried state are its own. */
#ifndef TG_RUN_LIKELIHOOD_H
#define TG_RUN_LIKELIHOOD_H
#include "tinygen/model.h"

typedef struct tg_likelihood tg_likelihood;
tg_status tg_likelihood_new(const tg_dataset *d, tg_split split, const tg_model *m, tg_likelihood **out);
/* The same of pieces so many times smaller, for more of them: the same loss but for rounding and, of images, other noise. */
tg_status tg_likelihood_finer(const tg_dataset *d, tg_split split, const tg_model *m, int64_t finer, tg_likelihood **out);
void tg_likelihood_free(tg_likelihood *l);
/* The tape is begun anew. Allocates nothing after its first run. Errors: those of reading and of the model,
 * TG_ECANCELLED. */
tg_status tg_likelihood_of(tg_context *ctx, tg_likelihood *l, tg_model *m, tg_tape *t, double *nats);
/* What the mean is made of: pieces that are looked at one after the other, the mean loss of each and how many targets it has.
 * From now on tg_likelihood_of leaves them in pieces [tg_likelihood_pieces], borrowed; NULL: nowhere. */
typedef struct tg_piece { double loss; int64_t items; } tg_piece;
int64_t tg_likelihood_pieces(const tg_likelihood *l);
void tg_likelihood_keep(tg_likelihood *l, tg_piece *pieces);
/* The mean of the loss's metric number i over the split, as it was the last time. */
double tg_likelihood_metric(const tg_likelihood *l, int i);
#endif
