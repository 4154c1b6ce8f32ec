/* latent.c - drawing latent vectors, decoding them, and laying the result out to be looked at. */
#include "run/latent.h"

#include <math.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "base/rng.h"
#include "run/kinds.h"

enum { AT_ONCE = 64 };

/* ---- latents ---------------------------------------------------------------------------------------------------------- */

void tg_latent_draw(float *z, int64_t Z, double truncation, uint64_t seed, int64_t sample)
{
    tg_rng r = tg_rng_at(seed, TG_RNG_SAMPLE, (uint64_t)sample);
    for (int64_t i = 0; i < Z; i++) {
        do z[i] = tg_rng_normal(&r);
        while (truncation > 0 && fabs((double)z[i]) > truncation);
    }
}

int32_t tg_latent_class(const tg_json *samples, int64_t classes, uint64_t seed, int64_t sample)
{
    int64_t all = 0, count = 0, i = 0;
    for (int64_t k = 0; k < classes; k++) {
        tg_samples_class(samples, k, &count);
        all += count;
    }
    tg_rng r = tg_rng_at(seed, TG_RNG_LABEL, (uint64_t)sample);
    for (int64_t at = all > 0 ? tg_rng_below(&r, all) : 0; i < classes - 1; i++, at -= count) {
        tg_samples_class(samples, i, &count);
        if (at < count) break;
    }
    return (int32_t)i;
}

/* sin((1-s)w)/sin w · a + sin(s·w)/sin w · b, w the angle between a and b; on a line where they point the same way, or opposite
 * ones. The angle is found by halving, with cosines of our own: libraries differ in theirs. */
void tg_latent_between(float *z, const float *a, const float *b, int64_t Z, double share)
{
    double aa = 0, bb = 0, ab = 0, low = 0, high = 3.14159265358979323846;
    for (int64_t i = 0; i < Z; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    const double cosine = aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : 1;
    for (int k = 0; k < 40; k++) {
        const double w = (low + high) / 2;
        if ((double)tg_cosf((float)w) > cosine) low = w;
        else high = w;
    }
    const float sine = tg_sinf((float)low), s = (float)share;
    const bool flat = !(sine > 1e-3f);
    const float of_a = flat ? 1 - s : tg_sinf((1 - s) * (float)low) / sine, of_b = flat ? s : tg_sinf(s * (float)low) / sine;
    for (int64_t i = 0; i < Z; i++) z[i] = share <= 0 ? a[i] : share >= 1 ? b[i] : of_a * a[i] + of_b * b[i];
}

static double ratio(const double *above, const double *below, int n, double x)
{
    double up = above[0], down = below[0];
    for (int i = 1; i < n; i++) {
        up = up * x + above[i];
        down = down * x + below[i];
    }
    return up / down;
}

double tg_normal_quantile(double p)
{
    static const double middle[] = {-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
                                    -3.066479806614716e+01, 2.506628277459239e+00};
    static const double middle_by[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                                       6.680131188771972e+01,
                                       -1.328068155288572e+01, 1};
    static const double tail[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
                                  4.374664141464968e+00, 2.938163982698783e+00};
    static const double tail_by[] = {0, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                     3.754408661907416e+00, 1};
    static const double edge = 0.02425;
    const double q = p - 0.5, outer = p < 0.5 ? p : 1 - p;
    if (outer >= edge) return q * ratio(middle, middle_by, 6, q * q);
    const double x = ratio(tail, tail_by, 6, sqrt(-2 * (double)tg_logf((float)outer)));
    return p < 0.5 ? x : -x;
}

/* ---- through the model -------------------------------------------------------------------------------------------------- */

typedef tg_tensor *(*pass)(tg_model *m, tg_tape *t, tg_tensor *in, tg_tensor *labels);

static tg_status run(tg_model *m, tg_tape *t, pass way, const tg_shape *one, const float *in, const int32_t *labels, int64_t n,
                     float *out)
{
    const int64_t size = tg_shape_count(one);
    for (int64_t at = 0, count; at < n; at += count) {
        count = n - at < AT_ONCE ? n - at : AT_ONCE;
        int64_t dims[4] = {count};
        for (int i = 0; i < one->rank; i++) dims[i + 1] = one->dims[i];
        tg_tape_begin(t, &(tg_tape_mode){.train = false});
        tg_tensor *x = tg_input_values(t, one->rank + 1, dims, in + at * size);
        const tg_tensor *y = way(m, t, x, labels ? tg_input_ids(t, 1, &count, labels + at) : NULL);
        if (!y) return tg_tape_status(t);
        const int64_t each = tg_shape_count(&y->shape) / count;
        for (int64_t i = 0; i < count * each; i++) out[at * each + i] = y->data[i];
    }
    return TG_OK;
}

tg_status tg_latent_decode(tg_model *m, tg_tape *t, const float *z, const int32_t *labels, int64_t n, float *x)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    const tg_shape one = tg_shape_of(1, (int64_t[]){desc->latent(m)});
    return run(m, t, desc->decode, &one, z, labels, n, x);
}

tg_status tg_latent_encode(tg_model *m, tg_tape *t, const float *x, const int32_t *labels, int64_t n, float *z)
{
    const tg_model_data *about = tg_model_about(m);
    const tg_shape one = tg_shape_of(about->rank, about->dims);
    return run(m, t, tg_model_descriptor(m)->encode, &one, x, labels, n, z);
}

tg_status tg_latent_sample(tg_model *m, tg_tape *t, const float *z, const int32_t *labels, int64_t n, uint64_t seed, int64_t first,
                           float *x)
{
    tg_status s = tg_latent_decode(m, t, z, labels, n, x);
    if (!s) tg_latent_scatter(m, x, n, seed, first);
    return s;
}

tg_status tg_latent_score(tg_model *m, tg_tape *t, const float *x, const int32_t *labels, int64_t n, float *logits)
{
    const tg_model_data *about = tg_model_about(m);
    const tg_shape one = tg_shape_of(about->rank, about->dims);
    return run(m, t, tg_model_descriptor(m)->score, &one, x, labels, n, logits);
}

void tg_latent_scatter(const tg_model *m, float *x, int64_t n, uint64_t seed, int64_t first)
{
    const tg_model_desc *desc = tg_model_descriptor(m);
    const int64_t size = tg_model_data_size(tg_model_about(m));
    const float wide = desc->deviation ? desc->deviation(m) : 0;
    for (int64_t i = 0; i < n && wide > 0; i++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_NOISE, (uint64_t)(first + i));
        for (int64_t d = 0; d < size; d++) x[i * size + d] += wide * tg_rng_normal(&r);
    }
}

/* ---- to look at -------------------------------------------------------------------------------------------------------- */

uint8_t tg_latent_pixel(float x)
{
    return !(x > 0) ? 0 : x >= 1 ? 255 : (uint8_t)(x * 255 + 0.5f);
}

static tg_status class_of(void *user, int64_t sample, int64_t *out)
{
    const int32_t *labels = user ? *(const int32_t *const *)user : NULL;
    *out = labels ? labels[sample] : -1;
    return TG_OK;
}

static tg_status sheet_of_points(const tg_model_data *data, tg_scratch *bytes, const int32_t *labels, int64_t n, int64_t *order,
                                 const tg_sheet_plane *plane, tg_image *out)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    return tg_sheet_points(bytes, data->dims[0], order, n, class_of, &labels, plane, out);
}

static tg_status sheet_of_images(const tg_model_data *data, const float *x, int64_t n, int64_t rows, int64_t columns,
                                 int64_t *cells,
                                 tg_image *out)
{
    const int64_t size = tg_model_data_size(data);
    tg_scratch *bytes = NULL;
    uint8_t *pixels = tg_alloc_raw(n * size);
    tg_status s = pixels ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < n * size && !s; i++) pixels[i] = tg_latent_pixel(x[i]);
    for (int64_t i = 0; i < rows * columns; i++) cells[i] = i < n ? i : -1;
    if (!s) s = tg_scratch_of(pixels, n * size, &bytes);
    if (!s) s = tg_sheet_images(bytes, data->dims, cells, rows, columns, out);
    tg_scratch_free(bytes);
    tg_free(pixels);
    return s;
}

tg_status tg_latent_sheet(const tg_model_data *data, const float *x, const int32_t *labels, int64_t n, int64_t columns,
                          const tg_sheet_plane *plane, tg_image *out)
{
    const int64_t rows = (n + columns - 1) / columns;
    int64_t *cells = tg_alloc_array(rows * columns, sizeof *cells);
    tg_scratch *bytes = NULL;
    tg_status s = cells ? TG_OK : TG_ENOMEM;
    if (!s && data->kind == TG_KIND_IMAGE) s = sheet_of_images(data, x, n, rows, columns, cells, out);
    else if (!s) s = tg_scratch_of(x, n * data->dims[0] * (int64_t)sizeof *x, &bytes);
    if (!s && bytes) s = sheet_of_points(data, bytes, labels, n, cells, plane, out);
    tg_scratch_free(bytes);
    tg_free(cells);
    return s;
}
