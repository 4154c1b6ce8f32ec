/* bound.h - how likely images or points are to a model with latents: log p(x) cannot be had, but the importance-weighted bound of
 * Burda et al. 2015, arXiv:1509.00519, falls towards -log p(x) as draws of z grow; 5,000 of them are what papers call "NLL". */
#ifndef TG_RUN_BOUND_H
#define TG_RUN_BOUND_H
#include "tinygen/model.h"

typedef struct tg_bound_options {
    tg_split split;
    int64_t items;  /* so many of the split, at equal distances: it may be sorted by class; 0: all */
    int64_t draws;  /* of z for each */
    uint64_t seed;  /* of the draws, and of pixels that become 0 or 1 by chance, which each item's draws share */
} tg_bound_options;

typedef struct tg_bound {
    int64_t items, draws;
    double nats;    /* the mean over items of -log(mean of w over draws), w = p(x, z)/q(z|x) */
    double error;   /* its standard error, by how items differ; NaN: of one item */
    double elbo;    /* the mean of log w, over the same draws */
} tg_bound;

/* Whether the model has such a bound and the data such a split. Errors: TG_EUNSUPPORTED, TG_EINVAL, with the remedy. */
tg_status tg_bound_check(const tg_model_desc *desc, const tg_dataset *d, tg_split split);
/* Of a model that is there. The same for any number of threads. Errors: those of tg_bound_check, of reading and of the model,
 * TG_ECANCELLED. */
tg_status tg_bound_of(tg_context *ctx, const tg_dataset *d, tg_model *m, const tg_bound_options *o, tg_bound *out);
/* Of a run folder's model, or of a model file. Errors: the same, those of tg_trained_open, TG_EINVAL (images of another size). */
tg_status tg_bound_of_file(tg_context *ctx, const tg_dataset *d, const char *path, const tg_bound_options *o, tg_bound *out);
#endif
