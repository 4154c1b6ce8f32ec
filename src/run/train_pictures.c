/* train_pictures.c - what a latent model draws on the way: the same noise each time, so that pictures of a run can be compared. */
#include "base/alloc.h"
#include "run/latent.h"
#include "run/train.h"

enum { SIDE = 8, POINTS = 1024, PICTURE_SEED = 1 };

/* A column of images a class; points' classes in turn. */
static tg_status draw(tg_training *t, float *z, int32_t *labels, int64_t n, float *x)
{
    const int64_t Z = t->desc->latent(t->model), classes = t->about.data.classes;
    for (int64_t i = 0; i < n; i++) tg_latent_draw(z + i * Z, Z, 0, PICTURE_SEED, i);
    for (int64_t i = 0; i < n && classes; i++) labels[i] = (int32_t)(i % SIDE % classes);
    return tg_latent_decode(t->model, t->loop->tape, z, t->desc->conditional(t->model) ? labels : NULL, n, x);
}

tg_status tg_training_write_picture(tg_training *t, int64_t step)
{
    const int64_t n = t->kind == TG_KIND_IMAGE ? SIDE * SIDE : POINTS, size = tg_model_data_size(&t->about.data);
    tg_str png = {0}, name = {0};
    tg_image image = {0};
    if (!t->desc->decode) return TG_OK;
    float *z = tg_alloc_array(n * t->desc->latent(t->model), sizeof *z), *x = tg_alloc_array(n * size, sizeof *x);
    int32_t *labels = tg_alloc_array(n, sizeof *labels);
    tg_status s = z && x && labels ? draw(t, z, labels, n, x) : TG_ENOMEM;
    if (!s) s = tg_latent_sheet(&t->about.data, x, t->desc->conditional(t->model) ? labels : NULL, n, SIDE, &image);
    if (!s) s = tg_png_write(&png, &image);
    tg_str_addf(&name, "%06lld.png", (long long)step);
    if (!s) s = name.failed ? TG_ENOMEM : tg_training_put_file(t, name.data, png.data, png.length);
    tg_image_free(&image);
    tg_str_free(&png);
    tg_str_free(&name);
    tg_free(labels);
    tg_free(x);
    tg_free(z);
    return s;
}
