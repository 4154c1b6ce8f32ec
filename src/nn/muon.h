/* muon.h - Muon's step of the matrices that tg_param_matrices declared. Formulas and sources: tinygen/nn.h. */
#ifndef TG_NN_MUON_H
#define TG_NN_MUON_H

#include "nn/param.h"

typedef struct tg_muon tg_muon; /* the matrices and scratch for the largest of them */
/* For a sealed set, which it borrows; in a plan without scratch. Errors: TG_ENOMEM. */
tg_status tg_muon_new(tg_context *ctx, const tg_params *p, tg_muon **out);
void tg_muon_free(tg_muon *u);
int64_t tg_muon_room(const tg_muon *u);  /* bytes of scratch, in a plan, too */
double tg_muon_flops(const tg_muon *u);  /* of a step */
/* One step of every matrix that has a gradient; m is the momentum's slab, lr the matrices' own rate. */
void tg_muon_step(tg_muon *u, const tg_optim_config *c, float *m, double lr, double scale);

#endif
