/* sample_latent.c - images and points from a trained model: random ones, of a class, between two, over a plane of latents, or what
 * comes back of given ones; as a sheet, as numbers, or on the terminal. */
#include "run/sample_latent.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/json.h"
#include "base/term.h"
#include "data/codec/npy.h"
#include "data/image/blocks.h"
#include "data/image/resize.h"
#include "run/deps.h"
#include "run/kinds.h"
#include "run/latent.h"
#include "run/result.h"

enum { NO_LABEL = -1, ALL_LABELS = -2 };
enum { SOME = 10, MAP_SIDE = 20, MAX_FILE = 1 << 28, MAX_PIXELS = 1 << 28, MOST = 1 << 24 };

typedef struct gallery {
    tg_context *ctx;
    const tg_sample_options *o;
    tg_trained *trained;
    tg_tape *tape;
    const tg_model_data *data;
    int64_t Z, size, label;     /* label: of the one that was asked for, or NO_LABEL, ALL_LABELS */
    int64_t columns, rows;      /* of --grid, 0: it was not given */
    int64_t n, across;          /* how many, and how many side by side */
    bool conditional;
    float *z, *x, *originals;   /* originals: of --reconstruct */
    int32_t *labels;
    tg_str out;                 /* the file */
} gallery;

/* ---- options ------------------------------------------------------------------------------------------------------------- */

static tg_status refuse_text(const gallery *g)
{
    const tg_sample_options *o = g->o;
    const struct { bool given; const char *name; } of_text[] = {
        {o->prompt || o->prompt_file || o->input, "--prompt"}, {o->length > 0, "--length"}, {o->top_k > 0, "--top-k"},
        {o->top_p < 1, "--top-p"}, {o->min_p > 0, "--min-p"},
        {o->repeat_penalty < 1 || o->repeat_penalty > 1, "--repeat-penalty"},
        {o->stop.count > 0, "--stop"}, {o->probs, "--probs"}, {o->attention != NULL, "--attention"},
        {o->unk > 0, "--unk"}, {o->guidance > 0, "--guidance"},
        {o->format == TG_FORMAT_TEXT, "--format text"}, {o->format == TG_FORMAT_JSONL, "--format jsonl"}};
    if (o->temperature < 0.8 || o->temperature > 0.8)
        return tg_fail(TG_EUSAGE,
                       "--temperature is for the choice of tokens, and %s makes %s; --truncation 1 keeps to likely ones",
                       g->trained->path, tg_kind_name(g->data->kind));
    for (size_t i = 0; i < sizeof of_text / sizeof *of_text; i++)
        if (of_text[i].given)
            return tg_fail(TG_EUSAGE, "%s is for text, and %s makes %s", of_text[i].name, g->trained->path,
                           tg_kind_name(g->data->kind));
    return TG_OK;
}

tg_status tg_sample_refuse_pictures(const tg_sample_options *o, const char *model)
{
    const struct { bool given; const char *name; } of_pictures[] = {
        {o->grid != NULL, "--grid"}, {o->interpolate != NULL, "--interpolate"},
        {o->truncation > 0, "--truncation"}, {o->map, "--map"},
        {o->reconstruct != NULL, "--reconstruct"}, {o->show, "--show"}, {o->format == TG_FORMAT_PNG, "--format png"},
        {o->format == TG_FORMAT_NPY, "--format npy"}};
    for (size_t i = 0; i < sizeof of_pictures / sizeof *of_pictures; i++)
        if (of_pictures[i].given)
            return tg_fail(TG_EUSAGE, "%s is for images and points, and %s writes text", of_pictures[i].name, model);
    return TG_OK;
}

/* "8x4" or "3:7" */
static bool two_numbers(const char *text, char between, int64_t *a, int64_t *b)
{
    const char *at = strchr(text, between);
    return at && tg_parse_int(text, at - text, a) && tg_parse_int(at + 1, (int64_t)strlen(at + 1), b);
}

static tg_status check_options(gallery *g)
{
    const tg_sample_options *o = g->o;
    const bool out = o->out != NULL;
    if ((o->interpolate != NULL) + (o->reconstruct != NULL) + o->map > 1)
        return tg_fail(TG_EUSAGE, "--interpolate, --map and --reconstruct are three pictures; ask for one at a time");
    if (!out && !o->show) return tg_fail(TG_EUSAGE, "%s makes %s: give -o x.png, or --show to see them here", g->trained->path,
                                         tg_kind_name(g->data->kind));
    if (o->grid && (!two_numbers(o->grid, 'x', &g->columns, &g->rows) || g->columns < 1 || g->rows < 1 ||
                    g->columns > MOST / g->rows))
        return tg_fail(TG_EUSAGE, "--grid %s: must be columns x rows, as 8x4", o->grid);
    if (o->truncation > 0 && (o->reconstruct || o->map))
        return tg_fail(TG_EUSAGE, "--truncation is for latents that are drawn; with %s none are",
                       o->map ? "--map" : "--reconstruct");
    if (o->map && g->Z != 2)
        return tg_fail(TG_EUSAGE, "--map draws a plane of latents, and those of %s have %lld numbers; train with --latent 2",
                       g->trained->path, (long long)g->Z);
    if (o->reconstruct && !g->trained->desc->encode)
        return tg_fail(TG_EUSAGE, "%s is a %s, which has no way from an image to its latent", g->trained->path,
                       g->trained->desc->name);
    return TG_OK;
}

static tg_status find_label(gallery *g)
{
    int64_t count;
    tg_str names = {0};
    g->label = NO_LABEL;
    if (!g->o->label) return TG_OK;
    if (!g->conditional)
        return tg_fail(TG_EUSAGE,
                       "%s knows no classes, so there is no --label; collect with labels, and train without --no-labels",
                       g->trained->path);
    for (int64_t i = 0; i < g->data->classes; i++) {
        const char *name = tg_samples_class(g->trained->samples, i, &count);
        if (!strcmp(g->o->label, name)) g->label = i;
        tg_str_addf(&names, "%s%s", i ? ", " : "", name);
    }
    if (g->label < 0 && !strcmp(g->o->label, "all")) g->label = ALL_LABELS;
    if (g->label == ALL_LABELS && (g->o->interpolate || g->o->map || g->o->reconstruct)) {
        tg_str_free(&names);
        return tg_fail(TG_EUSAGE, "--label all draws samples of each class; name one class for --interpolate, --map and --reconstruct");
    }
    tg_status s = names.failed ? TG_ENOMEM
                : g->label != NO_LABEL ? TG_OK : tg_fail(TG_EUSAGE, "no class %s; there are: %s, and all", g->o->label, names.data);
    tg_str_free(&names);
    return s;
}

/* ---- latents ------------------------------------------------------------------------------------------------------------- */

/* Room for n, of which so many stand side by side. n 0: what the grid holds, or else as many as are usual. */
static tg_status make_room(gallery *g, int64_t n, int64_t usual, int64_t across)
{
    g->n = n > 1 || !g->columns ? n : g->columns * g->rows;
    if (g->n < 1) g->n = usual;
    g->across = g->columns ? g->columns : across ? across : (int64_t)ceil(sqrt((double)g->n));
    if (g->across > g->n) g->across = g->n;
    if (g->n > MOST) return tg_fail(TG_EUSAGE, "-n %lld is more than %d at once; draw them in parts, with --first",
                                    (long long)g->n, (int)MOST);
    if (g->columns && g->n > g->columns * g->rows)
        return tg_fail(TG_EUSAGE, "-n %lld does not fit into --grid %s", (long long)g->n, g->o->grid);
    g->z = tg_alloc_array(g->n * g->Z, sizeof *g->z);
    g->x = tg_alloc_array(g->n * g->size, sizeof *g->x);
    g->labels = tg_alloc_array(g->n, sizeof *g->labels);
    return g->z && g->x && g->labels ? TG_OK : TG_ENOMEM;
}

static int32_t class_of(const gallery *g, int64_t sample)
{
    if (g->label >= 0 || !g->conditional) return (int32_t)g->label;
    return tg_latent_class(g->trained->samples, g->data->classes, (uint64_t)g->o->seed, sample);
}

/* A row a class, the same latents in each. */
static tg_status draw_classes(gallery *g)
{
    const tg_sample_options *o = g->o;
    const int64_t K = g->data->classes, each = g->columns ? g->columns : o->n > 1 ? o->n : SOME;
    if (g->columns && g->rows != K)
        return tg_fail(TG_EUSAGE, "--label all: a row a class, so --grid %lldx%lld", (long long)g->columns, (long long)K);
    tg_status s = each > MOST / K ? tg_fail(TG_EUSAGE, "-n %lld of each class are too many at once", (long long)each) : make_room(g, each * K, 1, each);
    for (int64_t i = 0; i < g->n && !s; i++) {
        tg_latent_draw(g->z + i * g->Z, g->Z, o->truncation, (uint64_t)o->seed, o->first + i % each);
        g->labels[i] = (int32_t)(i / each);
    }
    return s;
}

static tg_status draw_random(gallery *g)
{
    const tg_sample_options *o = g->o;
    if (g->label == ALL_LABELS) return draw_classes(g);
    tg_status s = make_room(g, o->n, 1, 0);
    for (int64_t i = 0; i < g->n && !s; i++) {
        tg_latent_draw(g->z + i * g->Z, g->Z, o->truncation, (uint64_t)o->seed, o->first + i);
        g->labels[i] = class_of(g, o->first + i);
    }
    return s;
}

/* From sample A to sample B, of A's class. */
static tg_status draw_between(gallery *g)
{
    int64_t a, b;
    const tg_sample_options *o = g->o;
    if (!two_numbers(o->interpolate, ':', &a, &b) || a < 0 || b < 0)
        return tg_fail(TG_EUSAGE, "--interpolate %s: must be the numbers of two samples, as 3:7", o->interpolate);
    tg_status s = make_room(g, o->n > 1 ? o->n : 0, SOME, SOME);
    float *ends = s ? NULL : tg_alloc_array(2 * g->Z, sizeof *ends);
    if (!s && !ends) s = TG_ENOMEM;
    if (!s) tg_latent_draw(ends, g->Z, o->truncation, (uint64_t)o->seed, a);
    if (!s) tg_latent_draw(ends + g->Z, g->Z, o->truncation, (uint64_t)o->seed, b);
    for (int64_t i = 0; i < g->n && !s; i++) {
        const double share = g->n > 1 ? (double)i / (double)(g->n - 1) : 0;
        tg_latent_between(g->z + i * g->Z, ends, ends + g->Z, g->Z, share);
        g->labels[i] = class_of(g, a);
    }
    tg_free(ends);
    return s;
}

/* Latents at the middles of areas that are equally likely (Kingma & Welling 2013, figure 4); the first number grows to the right, the
 * second upwards. */
static tg_status draw_map(gallery *g)
{
    if (!g->columns) g->columns = g->rows = MAP_SIDE;
    tg_status s = make_room(g, 0, 0, g->columns);
    for (int64_t i = 0; i < g->n && !s; i++) {
        g->z[2 * i] = (float)tg_normal_quantile(((double)(i % g->columns) + 0.5) / (double)g->columns);
        g->z[2 * i + 1] = (float)-tg_normal_quantile(((double)(i / g->columns) + 0.5) / (double)g->rows);
        g->labels[i] = g->label >= 0 ? (int32_t)g->label : 0;
    }
    return s;
}

/* ---- --reconstruct ------------------------------------------------------------------------------------------------------- */

/* The first of validation, or of training where there is none. */
static tg_status take_dataset(gallery *g)
{
    const tg_sample_options *o = g->o;
    tg_dataset *d = NULL;
    tg_status s = tg_dataset_open(g->ctx, o->reconstruct, &d);
    if (s) return s;
    s = tg_samples_same(g->trained->samples, g->data, g->trained->path, d, o->reconstruct, true);
    const tg_split split = tg_dataset_count(d, TG_VAL) > 0 ? TG_VAL : TG_TRAIN;
    const int64_t all = tg_dataset_count(d, split);
    const int64_t wanted = o->n > 1 ? o->n : g->columns ? g->columns * g->rows : SOME;
    if (!s) s = make_room(g, wanted < all ? wanted : all, SOME, SOME);
    if (!s && !(g->originals = tg_alloc_array(g->n * g->size, sizeof *g->originals))) s = TG_ENOMEM;
    if (!s) s = tg_dataset_samples(d, split, 0, g->n, g->originals, g->labels);
    tg_dataset_close(d);
    return s;
}

static tg_status take_image(gallery *g, const char *bytes, int64_t length)
{
    tg_image image = {0};
    const tg_fitting how = {.width = g->data->dims[2], .height = g->data->dims[1], .channels = g->data->dims[0],
                            .fit = TG_FIT_PAD};
    if (g->data->kind != TG_KIND_IMAGE) return tg_fail(TG_EINVAL, "%s is an image, and %s makes points", g->o->reconstruct,
                                                       g->trained->path);
    if (g->conditional && g->label < 0)
        return tg_fail(TG_EUSAGE, "%s knows classes: say with --label which one %s is of", g->trained->path, g->o->reconstruct);
    tg_status s = tg_image_decode((const uint8_t *)bytes, length, MAX_PIXELS, g->o->reconstruct, &image);
    if (!s) s = make_room(g, 1, 1, 1);
    uint8_t *fitted = s ? NULL : tg_alloc_raw(g->size);
    if (!s && !(g->originals = tg_alloc_array(g->n * g->size, sizeof *g->originals))) s = TG_ENOMEM;
    if (!s) s = fitted ? tg_image_fit(&image, &how, fitted) : TG_ENOMEM;
    for (int64_t i = 0; i < g->n * g->size && !s; i++) g->originals[i] = (float)fitted[i % g->size] / 255.0f;
    for (int64_t i = 0; i < g->n && !s; i++) g->labels[i] = (int32_t)g->label;
    tg_free(fitted);
    tg_image_free(&image);
    return s;
}

static tg_status take_originals(gallery *g)
{
    char *bytes = NULL;
    int64_t length = 0;
    bool dataset = false;
    tg_status s = tg_context_read(g->ctx, g->o->reconstruct);
    if (!s) s = tg_safetensors_is(g->o->reconstruct, &dataset);
    if (!s && dataset) s = take_dataset(g);
    else if (!s) s = tg_file_slurp(g->o->reconstruct, MAX_FILE, &bytes, &length);
    if (!s && bytes) s = take_image(g, bytes, length);
    tg_free(bytes);
    if (!s) s = tg_latent_encode(g->trained->model, g->tape, g->originals, g->conditional ? g->labels : NULL, g->n, g->z);
    return s;
}

/* ---- the picture --------------------------------------------------------------------------------------------------------- */

/* What is laid out: the samples, or a row of originals above each row of what came back. labels: colours of points. */
static tg_status arrange(const gallery *g, float **x, int32_t **labels, int64_t *n)
{
    const int64_t across = g->across, rows = (g->n + across - 1) / across, all = g->originals ? 2 * rows * across : g->n;
    const bool points = g->data->kind == TG_KIND_POINTS;
    *n = g->originals && points ? 2 * g->n : all;
    *x = tg_alloc_array(*n * g->size, sizeof **x);
    *labels = tg_alloc_array(*n, sizeof **labels);
    if (!*x || !*labels) return TG_ENOMEM;
    for (int64_t i = 0; i < g->n; i++) {
        const int64_t above = !g->originals ? i : points ? i : 2 * (i / across) * across + i % across;
        const int64_t at = !g->originals ? i : points ? g->n + i : above + across;
        if (g->originals) memcpy(*x + above * g->size, g->originals + i * g->size, (size_t)g->size * sizeof **x);
        memcpy(*x + at * g->size, g->x + i * g->size, (size_t)g->size * sizeof **x);
        (*labels)[at] = g->originals ? 1 : g->labels[i];
    }
    return TG_OK;
}

static tg_status make_png(gallery *g)
{
    float *x = NULL;
    int32_t *labels = NULL;
    int64_t n = 0;
    tg_image image = {0};
    tg_status s = arrange(g, &x, &labels, &n);
    if (!s) s = tg_latent_sheet(g->data, x, labels, n, g->across, NULL, &image);
    if (!s) s = tg_png_write(&g->out, &image);
    tg_image_free(&image);
    tg_free(labels);
    tg_free(x);
    return s;
}

static tg_status make_npy(gallery *g)
{
    tg_st_tensor t = {.name = "samples", .dtype = TG_ST_F32, .rank = g->data->rank + 1, .dims = {g->n}};
    for (int i = 0; i < g->data->rank; i++) t.dims[i + 1] = g->data->dims[i];
    tg_status s = tg_npy_head(&g->out, &t);
    tg_str_add_n(&g->out, (const char *)g->x, g->n * g->size * (int64_t)sizeof *g->x);
    return s ? s : g->out.failed ? TG_ENOMEM : TG_OK;
}

/* Pixel by pixel, as many side by side as the terminal has columns for. */
static tg_status lay_pixels(const gallery *g, const float *x, int64_t n, int64_t across, tg_image *out)
{
    const int64_t C = g->data->dims[0], Y = g->data->dims[1], X = g->data->dims[2], rows = (n + across - 1) / across;
    tg_image i = {.width = across * (X + 1) - 1, .height = rows * (Y + 1) - 1, .channels = C};
    i.pixels = tg_alloc_array(i.width * i.height, C);
    if (!i.pixels) return TG_ENOMEM;
    for (int64_t k = 0; k < n; k++)
        for (int64_t p = 0; p < g->size; p++) {
            const int64_t c = p / (Y * X), y = k / across * (Y + 1) + p / X % Y, at = k % across * (X + 1) + p % X;
            i.pixels[(y * i.width + at) * C + c] = tg_latent_pixel(x[k * g->size + p]);
        }
    *out = i;
    return TG_OK;
}

static tg_status show(gallery *g)
{
    const int64_t columns = tg_term_columns(1), fit = g->data->kind == TG_KIND_IMAGE ? (columns + 1) / (g->data->dims[2] + 1) : 1;
    const int64_t wanted = g->across;
    float *x = NULL;
    int32_t *labels = NULL;
    int64_t n = 0;
    tg_image image = {0};
    tg_str text = {0};
    if (g->across > fit) g->across = fit < 1 ? 1 : fit;
    tg_status s = arrange(g, &x, &labels, &n);
    if (!s && g->data->kind == TG_KIND_IMAGE) s = lay_pixels(g, x, n, g->across, &image);
    else if (!s) s = tg_latent_sheet(g->data, x, labels, n, 1, NULL, &image);
    if (!s) s = tg_image_narrow(&image, columns);
    if (!s) tg_blocks_draw(&text, &image, tg_term_colours());
    if (!s) s = text.failed ? TG_ENOMEM : tg_output(g->ctx, text.data, text.length);
    g->across = wanted;
    tg_image_free(&image);
    tg_str_free(&text);
    tg_free(labels);
    tg_free(x);
    return s;
}

/* ---- output -------------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

static tg_status put_file(gallery *g)
{
    const tg_sample_options *o = g->o;
    if (!o->out) return TG_OK;
    const bool npy = o->format == TG_FORMAT_NPY || (o->format == TG_FORMAT_AUTO && ends_with(o->out, ".npy"));
    tg_status s = npy ? make_npy(g) : make_png(g);
    if (s) return s;
    if (!strcmp(o->out, "-")) return tg_output(g->ctx, g->out.data, g->out.length);
    tg_clean_temps_of(o->out);
    return tg_write_file(o->out, g->out.data, g->out.length);
}

/* Rather than between samples, over a plane, or what comes back. */
static bool is_random(const gallery *g)
{
    return !g->o->reconstruct && !g->o->map && !g->o->interpolate;
}

static tg_status put_result(const gallery *g, double seconds)
{
    int64_t count;
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_result_begin(&w, "gen-sample", g->o->out, g->o->seed, seconds);
    tg_json_member_int(&w, "n", g->n);
    tg_json_key(&w, "samples");
    tg_json_open(&w, '[');
    for (int64_t i = 0; is_random(g) && i < g->n; i++) {
        tg_json_open(&w, '{');
        tg_json_member_int(&w, "sample", g->o->first + i);
        if (g->conditional) tg_json_member_text(&w, "label", tg_samples_class(g->trained->samples, g->labels[i], &count));
        tg_json_close(&w, '}');
    }
    tg_json_close(&w, ']');
    return tg_result_end(g->ctx, &w);
}

static tg_status prepare(gallery *g)
{
    const tg_sample_options *o = g->o;
    tg_status s = refuse_text(g);
    if (!s) s = check_options(g);
    if (!s) s = find_label(g);
    if (!s && o->out && strcmp(o->out, "-") && !o->force && tg_path_kind(o->out) != TG_PATH_NONE)
        s = tg_fail(TG_EINVAL, "%s is there already; --force replaces it", o->out);
    if (!s && o->json && ((o->out && !strcmp(o->out, "-")) || o->show))
        s = tg_fail(TG_EUSAGE, "--json prints the result where the picture would go; give -o x.png, without --show");
    if (!s) s = tg_tape_new(g->ctx, &g->tape);
    if (s) return s;
    if (o->reconstruct) return take_originals(g);
    return o->map ? draw_map(g) : o->interpolate ? draw_between(g) : draw_random(g);
}

tg_status tg_sample_latent(tg_context *ctx, const tg_sample_options *o, tg_trained *trained)
{
    const double begin = tg_now();
    tg_model *m = trained->model;
    gallery g = {.ctx = ctx, .o = o, .trained = trained, .data = &trained->data, .Z = trained->desc->latent(m),
                 .size = tg_model_data_size(&trained->data), .conditional = trained->desc->conditional(m)};
    tg_status s = prepare(&g);
    const int32_t *labels = g.conditional ? g.labels : NULL;
    if (!s) s = is_random(&g) ? tg_latent_sample(m, g.tape, g.z, labels, g.n, (uint64_t)o->seed, o->first, g.x)
                              : tg_latent_decode(m, g.tape, g.z, labels, g.n, g.x);
    if (!s) s = put_file(&g);
    if (!s && o->show) s = show(&g);
    if (!s && o->json) s = put_result(&g, tg_now() - begin);
    if (!s && o->deps) s = tg_deps_write(ctx, o->deps, o->out);
    tg_tape_free(g.tape);
    tg_str_free(&g.out);
    tg_free(g.originals);
    tg_free(g.labels);
    tg_free(g.z);
    tg_free(g.x);
    return s;
}
