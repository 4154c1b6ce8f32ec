/* batch_samples.c - samples in batches. Of n samples, row b of batch i is draw g = i·B + b of all that are ever made: sample
 * permutation(g mod n) of epoch g / n, mirrored where the dataset flips and the first word of (seed, shuffle, 2^63 + g) is odd.
 * With tail, batch i is samples i·B to (i + 1)·B of the file, as they are; the last has what is left. */
#include "data/batch_samples.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/dataset.h"

struct tg_sample_feed {
    const tg_dataset *dataset;
    tg_split split;
    int64_t B, count, steps, size; /* of a batch, of the split, of an epoch, of a sample */
    int rank;
    int64_t dims[3];
    bool tail, flips;
    uint64_t seed;
    float *x;        /* [B, size] */
    int32_t *labels; /* [B]; NULL: no classes */
};

static tg_status check(const tg_dataset *d, tg_split s, int64_t B, int64_t size)
{
    int64_t need;
    if (B < 1 || __builtin_mul_overflow(B, size, &need) || need > INT64_MAX / 16)
        return tg_fail(TG_EINVAL, "a batch of %" PRId64 " samples cannot be", B);
    if (tg_dataset_count(d, s) > 0) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: there is no split %s; give gen-preprocess a share for it: --%s 0.1", tg_dataset_path(d),
                   tg_split_names[s], s == TG_TRAIN ? "val" : tg_split_names[s]);
}

tg_status tg_sample_feed_new(const tg_dataset *d, tg_split s, int64_t B, bool tail, uint64_t seed, tg_sample_feed **out,
                             int64_t *steps)
{
    int64_t dims[3] = {1, 1, 1}, count = tg_dataset_count(d, s);
    const int rank = tg_dataset_shape(d, dims);
    if (rank == 0) return tg_fail(TG_EINVAL, "%s: is a dataset of text, it has no samples", tg_dataset_path(d));
    const int64_t size = dims[0] * dims[1] * dims[2];
    tg_status status = check(d, s, B, size);
    if (status) return status;
    tg_sample_feed *f = tg_alloc(sizeof *f);
    if (!f) return TG_ENOMEM;
    *f = (tg_sample_feed){.dataset = d, .split = s, .B = B, .count = count, .size = size, .rank = rank, .tail = tail,
                          .dims = {dims[0], dims[1], dims[2]}, .flips = tg_dataset_flips(d) && !tail && rank == 3, .seed = seed,
                          .steps = tail ? (count + B - 1) / B : count > B ? count / B : 1};
    f->x = tg_alloc_array(B * size, sizeof *f->x);
    if (tg_dataset_classes(d)) f->labels = tg_alloc_array(B, sizeof *f->labels);
    if (!f->x || (tg_dataset_classes(d) && !f->labels)) {
        tg_sample_feed_free(f);
        return TG_ENOMEM;
    }
    *steps = f->steps;
    *out = f;
    return TG_OK;
}

void tg_sample_feed_free(tg_sample_feed *f)
{
    if (!f) return;
    tg_free(f->x);
    tg_free(f->labels);
    tg_free(f);
}

static void flip(float *x, int64_t rows, int64_t width)
{
    for (int64_t y = 0; y < rows; y++, x += width)
        for (int64_t a = 0, b = width - 1; a < b; a++, b--) {
            const float kept = x[a];
            x[a] = x[b];
            x[b] = kept;
        }
}

static tg_status draw(tg_sample_feed *f, int64_t b, int64_t g)
{
    const int64_t at = tg_rng_permute(f->seed, TG_RNG_SHUFFLE, (uint64_t)(g / f->count), f->count, g % f->count);
    float *x = f->x + b * f->size;
    tg_status status = tg_dataset_samples(f->dataset, f->split, at, 1, x, f->labels ? f->labels + b : NULL);
    if (status || !f->flips) return status;
    tg_rng r = tg_rng_at(f->seed, TG_RNG_SHUFFLE, (uint64_t)1 << 63 | (uint64_t)g); /* epochs never come so far */
    if (tg_rng_u32(&r) & 1) flip(x, f->dims[0] * f->dims[1], f->dims[2]);
    return TG_OK;
}

tg_status tg_sample_feed_batch(tg_sample_feed *f, int64_t step, tg_batch *out)
{
    const int64_t first = step % f->steps * f->B, left = f->count - first;
    const int64_t rows = f->tail && left < f->B ? left : f->B;
    tg_status status = f->tail ? tg_dataset_samples(f->dataset, f->split, first, rows, f->x, f->labels) : TG_OK;
    for (int64_t b = 0; b < rows && !status && !f->tail; b++) status = draw(f, b, step * f->B + b);
    if (status) return status;
    *out = (tg_batch){
        .arrays = {{.name = "x", .rank = f->rank + 1, .dims = {rows, f->dims[0], f->dims[1], f->dims[2]}, .values = f->x},
                   {.name = "labels", .rank = 1, .dims = {rows}, .ids = f->labels}},
        .count = f->labels ? 2 : 1, .items = rows, .restart = true};
    return TG_OK;
}
