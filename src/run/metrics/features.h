/*
 * features.h - a small convolutional classifier that learns the labelled real images, for what it sees in images: 128 numbers
 * each, in which distances mean more than between pixels, and chances of classes. Its distances compare models of one dataset
 * only; they are no FID, whose network is another (Heusel et al. 2017, arXiv:1706.08500).
 *
 *     tg_features *f;
 *     tg_features_for(ctx, dataset, "runs/a/cache", &f);                // learns once, then reads what it kept there
 *     tg_features_run(f, images, n, numbers, NULL);                     // [n, TG_FEATURES]
 *     tg_features_predict(f, images, n, classes);                       // label accuracy: how often classes[i] == labels[i]
 *     tg_features_free(f);
 *
 * Convolutions 5 x 5 of stride 2 with 32, then 64 channels, two at least and until no side is above 8, each with batch norm and
 * ReLU; a dense layer of 128 with ReLU, which are the features; a softmax over the classes. 600 to 1,200 steps of Adam over 100
 * images. The same bits for any number of threads and on every instruction set.
 */
#ifndef TG_RUN_METRICS_FEATURES_H
#define TG_RUN_METRICS_FEATURES_H
#include "tinygen/data.h"

enum { TG_FEATURES = 128 };

typedef struct tg_features tg_features;
/* Learns the training split; its accuracy is that on the validation split. Errors: TG_EUNSUPPORTED (no images, or images without
 * classes), TG_EINVAL (no training split), TG_ENOMEM, TG_ECANCELLED, those of reading. */
tg_status tg_features_train(tg_context *ctx, const tg_dataset *d, tg_features **out);
void tg_features_free(tg_features *f);
/* As safetensors, whole or not at all. Errors: TG_EIO, TG_ENOMEM. */
tg_status tg_features_save(const tg_features *f, const char *path);
/* Errors: TG_EIO, TG_EFORMAT: no classifier of ours, damaged, of another version, or of other data than those of this content
 * hash. */
tg_status tg_features_load(tg_context *ctx, const char *path, const char *hash, tg_features **out);
/* FOLDER/features-HASH.safetensors, HASH the first 16 digits of the data's: read where it is there and good, else learned and
 * kept there; a folder that cannot be written to is a warning. folder NULL: learned and not kept. Errors: those of training. */
tg_status tg_features_for(tg_context *ctx, const tg_dataset *d, const char *folder, tg_features **out);

int64_t tg_features_classes(const tg_features *f);
/* Share of the validation split (where there is none, of the test split) that it tells the class of, and how many these are;
 * NaN and 0: there is neither. */
double tg_features_accuracy(const tg_features *f, int64_t *of);
/* Of images x [n, C, Y, X] in 0..1, of the dataset's shape: features [n, TG_FEATURES], 0 or more each, and chances of the classes
 * [n, K]; either may be NULL. Rows do not know of each other. Errors: TG_ENOMEM, TG_ECANCELLED. */
tg_status tg_features_run(tg_features *f, const float *x, int64_t n, float *features, float *chances);
/* The likeliest class of each; the first of equals. */
tg_status tg_features_predict(tg_features *f, const float *x, int64_t n, int32_t *classes);
#endif
