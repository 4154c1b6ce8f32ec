/* latent.h - images and points out of latent vectors. Sample i is a function of (model, seed, i), alone or among others. */
#ifndef TG_RUN_LATENT_H
#define TG_RUN_LATENT_H
#include "base/json.h"
#include "data/image/sheet.h"
#include "tinygen/model.h"

/* z [Z] of sample i: normal numbers, those beyond the truncation (0: none) drawn again. */
void tg_latent_draw(float *z, int64_t Z, double truncation, uint64_t seed, int64_t sample);
/* The class of sample i, drawn as often as training has it; samples: kinds.h. */
int32_t tg_latent_class(const tg_json *samples, int64_t classes, uint64_t seed, int64_t sample);
/* share 0: a, 1: b, between them along the great circle (White 2016, arXiv:1609.04468): as long as latents are in between, too. */
void tg_latent_between(float *z, const float *a, const float *b, int64_t Z, double share);
/* The number that a share p of normal numbers is below; 0 < p < 1. Acklam's approximation, off by a millionth at most. */
double tg_normal_quantile(double p);

/* x [n, size] of z [n, Z], and back again; labels [n], NULL for a model without classes. A few at a time: memory is bounded. */
tg_status tg_latent_decode(tg_model *m, tg_tape *t, const float *z, const int32_t *labels, int64_t n, float *x);
tg_status tg_latent_encode(tg_model *m, tg_tape *t, const float *x, const int32_t *labels, int64_t n, float *z);
/* Samples first, first + 1, ... of the model: decoded, and scattered. */
tg_status tg_latent_sample(tg_model *m, tg_tape *t, const float *z, const int32_t *labels, int64_t n, uint64_t seed, int64_t first,
                           float *x);
/* x [n, size] of decode become samples first, first + 1, ...: noise is added where the model's x have some about them. */
void tg_latent_scatter(const tg_model *m, float *x, int64_t n, uint64_t seed, int64_t first);

/* How real x [n, size] looks, logits [n]. */
tg_status tg_latent_score(tg_model *m, tg_tape *t, const float *x, const int32_t *labels, int64_t n, float *logits);

/* Pixel of x: 0..1 to 0..255, rounded. */
uint8_t tg_latent_pixel(float x);
/* x [n, size] side by side, columns in a row; points: a plane (NULL: where they are), a colour a class (labels NULL: one). *out is
 * the caller's. */
tg_status tg_latent_sheet(const tg_model_data *data, const float *x, const int32_t *labels, int64_t n, int64_t columns,
                          const tg_sheet_plane *plane, tg_image *out);
#endif
