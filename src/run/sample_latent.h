/* sample_latent.h - gen-sample of a model that decodes latents; sample.c has the options and the opening of the model. */
#ifndef TG_RUN_SAMPLE_LATENT_H
#define TG_RUN_SAMPLE_LATENT_H
#include "run/trained.h"
#include "tinygen/run.h"

enum { TG_FORMAT_AUTO, TG_FORMAT_TEXT, TG_FORMAT_JSONL, TG_FORMAT_PNG, TG_FORMAT_NPY };

/* Errors: TG_EUSAGE where options of text are given, or what is asked for does not go with the model. */
tg_status tg_sample_latent(tg_context *ctx, const tg_sample_options *o, tg_trained *trained);
/* The other way about: options of images where the model writes text. */
tg_status tg_sample_refuse_pictures(const tg_sample_options *o, const char *model);
#endif
