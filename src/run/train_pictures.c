/* train_pictures.c - what a latent model draws on the way: the same noise each time, so that pictures of a run can be compared; and
 * whether what it draws is still of many kinds. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fmath.h"
#include "run/latent.h"
#include "run/train.h"

enum { ROWS = 8, COLUMNS = 8, MOST_COLUMNS = 16, POINTS = 1024, PICTURE_SEED = 1, SURFACE = 96, EARLY = 1000,
       FEWEST = 8 /* examples that tell of diversity */ };
static const double ALIKE = 0.2; /* of the data's diversity: below it, twice in a row, samples count as all alike */

struct tg_pictures {
    int64_t n, columns;
    float *z, *x, *real;       /* real: training examples of the same classes ... */
    bool *found;               /* ... where there are as many; a sample without one does not count */
    int32_t *labels;           /* NULL: the model knows none */
    double apart;              /* of the real ones, see apart(); NaN: too few to tell */
    tg_sheet_plane plane;      /* points: where those are */
    float *grid, *logits, *shade;
    int32_t *grid_labels;
    bool alike, unlike;        /* the last time; ever */
};

void tg_pictures_free(tg_pictures *p)
{
    if (!p) return;
    tg_free(p->z);
    tg_free(p->x);
    tg_free(p->real);
    tg_free(p->found);
    tg_free(p->labels);
    tg_free(p->grid);
    tg_free(p->logits);
    tg_free(p->shade);
    tg_free(p->grid_labels);
    tg_free(p);
}

/* Mean distance of an example to the nearest other one of its class: small where there are few kinds, and the smaller the more
 * there are to choose from, so that generated ones are compared with as many real ones. */
static double apart(const tg_pictures *p, const float *x, int64_t size)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < p->n; i++) {
        double least = INFINITY;
        for (int64_t k = 0; k < p->n && p->found[i]; k++) {
            double d = 0;
            if (k == i || !p->found[k] || (p->labels && p->labels[k] != p->labels[i])) continue;
            for (int64_t e = 0; e < size && d < least; e++) {
                const double by = (double)x[i * size + e] - (double)x[k * size + e];
                d += by * by;
            }
            least = d < least ? d : least;
        }
        if (isfinite(least)) sum += sqrt(least);
        count += isfinite(least);
    }
    return count >= FEWEST ? sum / (double)count : NAN;
}

/* The first of training that are of the classes asked for, as far as there are any. */
static tg_status find_real(tg_training *t, tg_pictures *p)
{
    enum { AT_ONCE = 256 };
    const int64_t size = tg_model_data_size(&t->about.data), all = tg_dataset_count(t->data, TG_TRAIN);
    float *some = tg_alloc_array(AT_ONCE * size, sizeof *some);
    int32_t classes[AT_ONCE];
    int64_t left = p->n;
    tg_status s = some ? TG_OK : TG_ENOMEM;
    for (int64_t at = 0, count; at < all && left > 0 && !s; at += count) {
        count = all - at < AT_ONCE ? all - at : AT_ONCE;
        s = tg_dataset_samples(t->data, TG_TRAIN, at, count, some, p->labels ? classes : NULL);
        for (int64_t i = 0; i < count && left > 0 && !s; i++) {
            int64_t k = 0;
            while (k < p->n && (p->found[k] || (p->labels && p->labels[k] != classes[i]))) k++;
            if (k == p->n) continue;
            memcpy(p->real + k * size, some + i * size, (size_t)size * sizeof *some);
            p->found[k] = true;
            left--;
        }
    }
    tg_free(some);
    return s;
}

/* A surface's places, and the part of the plane that it covers: where the real ones are, and a tenth around them. */
static tg_status lay_plane(tg_training *t, tg_pictures *p)
{
    const int64_t D = t->about.data.dims[0], cells = SURFACE * SURFACE;
    for (int d = 0; d < 2; d++) {
        float low = INFINITY, high = -INFINITY;
        for (int64_t i = 0; i < p->n; i++) {
            if (D > d && !p->found[i]) continue;
            const float x = D > d ? p->real[i * D + d] : (float)i;
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        p->plane.low[d] = D > d ? low - (high - low) / 10 : low;
        p->plane.high[d] = D > d ? high + (high - low) / 10 : high;
    }
    if (D != 2 || !t->desc->score) return TG_OK;
    p->plane.side = SURFACE;
    p->grid = tg_alloc_array(2 * cells, sizeof *p->grid);
    p->logits = tg_alloc_array(cells, sizeof *p->logits);
    p->plane.shade = p->shade = tg_alloc_array(cells, sizeof *p->shade);
    p->grid_labels = tg_alloc_array(cells, sizeof *p->grid_labels);
    if (!p->grid || !p->logits || !p->shade || !p->grid_labels) return TG_ENOMEM;
    for (int64_t i = 0; i < cells; i++)
        for (int d = 0; d < 2; d++) {
            const float share = ((float)(d ? i / SURFACE : i % SURFACE) + 0.5f) / SURFACE;
            p->grid[2 * i + d] = p->plane.low[d] + share * (p->plane.high[d] - p->plane.low[d]);
        }
    return TG_OK;
}

/* Images: a column a class, where they are few; points: classes in turn. */
static tg_status lay_out(tg_training *t, tg_pictures *p)
{
    const bool image = t->kind == TG_KIND_IMAGE, conditional = t->desc->conditional(t->model);
    const int64_t Z = t->desc->latent(t->model), size = tg_model_data_size(&t->about.data), classes = t->about.data.classes;
    p->columns = image && conditional && classes > 1 && classes <= MOST_COLUMNS ? classes : COLUMNS;
    p->n = image ? ROWS * p->columns : POINTS;
    p->z = tg_alloc_array(p->n * Z, sizeof *p->z);
    p->x = tg_alloc_array(p->n * size, sizeof *p->x);
    p->real = tg_alloc_array(p->n * size, sizeof *p->real);
    p->found = tg_alloc_array(p->n, sizeof *p->found);
    if (conditional) p->labels = tg_alloc_array(p->n, sizeof *p->labels);
    if (!p->z || !p->x || !p->real || !p->found || (conditional && !p->labels)) return TG_ENOMEM;
    for (int64_t i = 0; i < p->n; i++) tg_latent_draw(p->z + i * Z, Z, 0, PICTURE_SEED, i);
    for (int64_t i = 0; i < p->n && conditional; i++) p->labels[i] = (int32_t)(image ? i % p->columns % classes : i % classes);
    tg_status s = t->loop->turns || !image ? find_real(t, p) : TG_OK; /* nobody looks at those of a VAE's images */
    if (!s && t->loop->turns) p->apart = apart(p, p->real, size);
    if (!(p->apart > 0)) p->apart = NAN; /* all alike themselves */
    return s || image ? s : lay_plane(t, p);
}

/* How real each place of the plane looks, as the class that it looks most like: 1 is real, 0 generated. */
static tg_status draw_surface(tg_training *t, tg_pictures *p)
{
    const int64_t cells = SURFACE * SURFACE, classes = p->labels ? t->about.data.classes : 1;
    tg_status s = TG_OK;
    for (int64_t k = 0; k < classes && !s; k++) {
        for (int64_t i = 0; i < cells; i++) p->grid_labels[i] = (int32_t)k;
        s = tg_latent_score(t->model, t->loop->tape, p->grid, p->labels ? p->grid_labels : NULL, cells, p->logits);
        for (int64_t i = 0; i < cells && !s; i++) {
            const float real = tg_sigmoidf(p->logits[i]);
            p->shade[i] = k == 0 || real > p->shade[i] ? real : p->shade[i];
        }
    }
    return s;
}

static void tell_collapse(tg_training *t, tg_pictures *p)
{
    const bool alike = t->diversity < ALIKE; /* so they are, too, before anything is learned */
    p->unlike = p->unlike || !alike;
    if (alike && p->alike && (p->unlike || t->loop->place.step >= EARLY))
        tg_log(t->ctx, TG_LOG_WARN, "step %lld: what is generated is nearly all alike (diversity %d %% of the data's): the generator has "
               "collapsed. Try a lower --lr, or --r1 1", (long long)t->loop->place.step, (int)(100 * t->diversity));
    p->alike = alike;
}

static tg_status draw(tg_training *t, tg_pictures *p, tg_image *out)
{
    tg_status s = tg_latent_sample(t->model, t->loop->tape, p->z, p->labels, p->n, PICTURE_SEED, 0, p->x);
    if (!s && p->shade) s = draw_surface(t, p);
    if (!s) s = tg_latent_sheet(&t->about.data, p->x, p->labels, p->n, p->columns, t->kind == TG_KIND_POINTS ? &p->plane : NULL, out);
    if (s || !t->loop->turns) return s;
    t->diversity = apart(p, p->x, tg_model_data_size(&t->about.data)) / p->apart;
    tell_collapse(t, p);
    return TG_OK;
}

tg_status tg_training_write_picture(tg_training *t, int64_t step)
{
    tg_str png = {0}, name = {0};
    tg_image image = {0};
    tg_status s = TG_OK;
    if (!t->desc->decode) return TG_OK;
    if (!t->pictures) {
        t->pictures = tg_alloc(sizeof *t->pictures);
        s = t->pictures ? lay_out(t, t->pictures) : TG_ENOMEM;
    }
    if (!s) s = draw(t, t->pictures, &image);
    if (!s) s = tg_png_write(&png, &image);
    tg_str_addf(&name, "%06lld.png", (long long)step);
    if (!s) s = name.failed ? TG_ENOMEM : tg_training_put_file(t, name.data, png.data, png.length);
    tg_image_free(&image);
    tg_str_free(&png);
    tg_str_free(&name);
    return s;
}
