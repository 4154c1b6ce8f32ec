/* batch_samples.h - the part of a feed that draws images and points. */
#ifndef TG_DATA_BATCH_SAMPLES_H
#define TG_DATA_BATCH_SAMPLES_H
#include "tinygen/data.h"

typedef struct tg_sample_feed tg_sample_feed;
tg_status tg_sample_feed_new(const tg_dataset *d, tg_split s, int64_t B, bool tail, uint64_t seed, tg_sample_feed **out,
                             int64_t *steps);
void tg_sample_feed_free(tg_sample_feed *f);
tg_status tg_sample_feed_batch(tg_sample_feed *f, int64_t step, tg_batch *out);
#endif
