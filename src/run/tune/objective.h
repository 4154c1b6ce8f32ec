/* objective.h - analytic objectives, to try strategies on without training anything: gen-tune search --objective NAME. */
#ifndef TG_RUN_TUNE_OBJECTIVE_H
#define TG_RUN_TUNE_OBJECTIVE_H
#include "run/tune/space.h"

typedef struct tg_objective_model { const char *name; const tg_key *keys; } tg_objective_model; /* models: up to a NULL */
typedef struct tg_objective {
    const char *name, *title;
    const char *const *space;         /* its axes, as --space takes them, up to a NULL */
    const tg_key *keys;               /* rows of those, all bound to one struct of so many bytes ... */
    int64_t size;
    const tg_objective_model *models; /* ... and of those that only some of its models have; NULL: it has no models */
    double least;                     /* its minimum */
    /* Less is better. trained: the share of its steps that the trial has had, above 0 to 1. Any point of a space that
     * tg_space_parse made for this objective. */
    double (*value)(const tg_space *s, const tg_point *p, double trained);
} tg_objective;

/* All of them, in order; NULL outside. */
const tg_objective *tg_objective_at(int64_t i);
/* Errors: TG_EUSAGE, listing all. */
tg_status tg_objective_find(const char *name, const tg_objective **out);
#endif
