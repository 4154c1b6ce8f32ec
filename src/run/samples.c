/* samples.c - gen-preprocess of images, tables and points. Corpora are walked twice: first to see what there is, so that a size and
 * a number of channels can be chosen that suit all of it, then to make samples of it. These lie in the file in the order of the
 * corpus, split by split: a feed draws them in another order anyway. */
#include "run/samples.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "run/deps.h"
#include "run/samples_parts.h"

enum { USUAL_SIDE = 64 /* of images whose size nobody says, at most: what small models learn */ };

/* ---- seeing what there is ----------------------------------------------------------------------------------------- */

static tg_status see_image(tg_sampling *p, const tg_image *image)
{
    tg_survey *s = &p->survey;
    const int64_t size[2] = {image->width, image->height};
    const int64_t entry = tg_map_add(s->sizes, size, sizeof size);
    if (entry < 0) return TG_ENOMEM;
    ++*tg_map_value(s->sizes, entry);
    if (!s->colour && p->o->channels == 0) s->colour = !tg_image_is_grey(image, p->fit.background);
    s->transparent += tg_image_is_transparent(image);
    return TG_OK;
}

static tg_status no_number(const tg_found *f, int64_t i)
{
    const int64_t at = i + 1 + (f->label_column >= 0 && f->label_column <= i);
    tg_str text = {0};
    tg_str_add_n(&text, f->row[i].text, f->row[i].length < 40 ? f->row[i].length : 40);
    tg_status status = tg_fail(TG_EFORMAT, "%s:%" PRId64 ": field %" PRId64 " is no number: \"%s\"; if it is the class, give "
                               "--label-column first or last", f->where, f->number, at, text.data ? text.data : "");
    tg_str_free(&text);
    return status;
}

/* The names of the columns, of the first table that has some. */
static void see_names(tg_sampling *p, const tg_found *f)
{
    tg_json_writer w = {.out = &p->survey.names};
    if (p->survey.count || !f->table->header) return;
    for (int64_t i = 0; i < f->table->columns; i++)
        if (i != f->label_column) tg_json_put_text_n(&w, f->table->names[i].text, f->table->names[i].length);
}

static tg_status see_row(tg_sampling *p, const tg_found *f)
{
    tg_survey *s = &p->survey;
    if (s->count && f->columns != s->columns)
        return tg_fail(TG_EINVAL, "%s: rows of %" PRId64 " numbers, those before had %" PRId64 "; collect tables of one kind", f->where,
                       f->columns, s->columns);
    s->columns = f->columns;
    see_names(p, f);
    for (int64_t i = 0; i < f->columns; i++) {
        double x;
        if (!tg_field_number(&f->row[i], &x)) return no_number(f, i);
        if (x < s->low) s->low = x;
        if (x > s->high) s->high = x;
        s->whole &= x == floor(x);
    }
    return TG_OK;
}

static tg_status see(tg_sampling *p, const tg_found *f)
{
    tg_status status = f->image ? see_image(p, f->image) : see_row(p, f);
    p->survey.count++;
    p->survey.labelled += f->label != NULL;
    p->survey.own[f->split]++;
    return status;
}

/* ---- choosing ----------------------------------------------------------------------------------------------------- */

/* The middle one of the smaller sides of all images. */
static int64_t middle_side(const tg_map *sizes, int64_t count)
{
    int64_t side = 0, bytes, below = 0;
    while (2 * below < count) {
        int64_t next = INT64_MAX, many = 0;
        for (int64_t i = 0; i < tg_map_count(sizes); i++) {
            int64_t size[2];
            memcpy(size, tg_map_key(sizes, i, &bytes), sizeof size);
            const int64_t least = size[0] < size[1] ? size[0] : size[1];
            const int64_t value = *tg_map_value((tg_map *)(uintptr_t)sizes, i);
            if (least <= side || least > next) continue;
            many = least < next ? value : many + value;
            next = least;
        }
        side = next;
        below += many;
    }
    return side;
}

/* As they are where all are of one size that a small model learns; else square. */
static void choose_size(tg_sampling *p)
{
    const tg_survey *s = &p->survey;
    int64_t size[2] = {p->o->size, p->o->size}, bytes;
    if (!p->o->size && tg_map_count(s->sizes) == 1) {
        memcpy(size, tg_map_key(s->sizes, 0, &bytes), sizeof size);
        const int64_t longer = size[0] > size[1] ? size[0] : size[1];
        for (int i = 0; i < 2 && longer > USUAL_SIDE; i++) size[i] = (2 * size[i] * USUAL_SIDE + longer) / (2 * longer);
        for (int i = 0; i < 2; i++) size[i] += size[i] == 0;
    } else if (!p->o->size) {
        size[0] = middle_side(s->sizes, s->count);
        if (size[0] > USUAL_SIDE) size[0] = USUAL_SIDE;
        size[1] = size[0];
    }
    p->fit.width = size[0];
    p->fit.height = size[1];
}

/* What is white: 1, or 255, where nothing is above; few grey levels are taken to end with the highest. */
static tg_status choose_white(tg_sampling *p)
{
    const tg_survey *s = &p->survey;
    p->most = s->high <= 1 && !s->whole ? 1 : s->high > 16 && s->high <= 255 ? 255 : s->high;
    if (p->o->max_value > 0) p->most = p->o->max_value;
    if (p->most <= 0) p->most = 1;
    if (s->low >= 0 && s->high <= p->most) return TG_OK;
    tg_str text = {0};
    tg_str_add(&text, "pixels from ");
    tg_str_add_real(&text, s->low);
    tg_str_add(&text, " to ");
    tg_str_add_real(&text, s->high);
    tg_status status = tg_fail(TG_EINVAL, "%s: %s, but they are to be from 0 to --max-value; leave --shape out to take them as points",
                               p->o->corpora.items[0], text.data ? text.data : "");
    tg_str_free(&text);
    return status;
}

static tg_status choose(tg_sampling *p)
{
    tg_survey *s = &p->survey;
    if (s->count == 0)
        return tg_fail(TG_EINVAL, "%s: the corpus is empty; collect something first", p->o->corpora.items[0]);
    if (p->kind == TG_KIND_POINTS) {
        p->rank = 1;
        p->dims[0] = p->size = s->columns;
        p->dims[1] = p->dims[2] = 1;
        return TG_OK;
    }
    tg_status status = TG_OK;
    if (p->tables) {
        const int64_t size[2] = {p->shape[2], p->shape[1]};
        const int64_t entry = tg_map_add(s->sizes, size, sizeof size);
        if (entry < 0) return TG_ENOMEM;
        *tg_map_value(s->sizes, entry) = s->count;
        s->colour = p->shape[0] == 3;
        status = choose_white(p);
    }
    choose_size(p);
    static const int64_t said[] = {0, 1, 3};
    p->fit.channels = p->o->channels ? said[p->o->channels] : s->colour ? 3 : 1;
    p->rank = 3;
    p->dims[0] = p->fit.channels;
    p->dims[1] = p->fit.height;
    p->dims[2] = p->fit.width;
    p->size = p->dims[0] * p->dims[1] * p->dims[2];
    return status;
}

/* ---- making samples ----------------------------------------------------------------------------------------------- */

static tg_status make_image(tg_sampling *p, const tg_image *image, uint8_t *out)
{
    const tg_fitting *f = &p->fit;
    tg_status status = tg_image_fit(image, f, out);
    bool blank = true;
    for (int64_t i = 1; i < p->size && blank; i++) blank = out[i] == out[i - 1] || i % (f->width * f->height) == 0;
    p->blank += blank;
    p->resized += image->width != f->width || image->height != f->height;
    p->enlarged += image->width < f->width && image->height < f->height;
    return status ? status : tg_scratch_add(p->data, out, p->size);
}

/* Pixels [C, Y, X] of a row to an image [Y, X, C]. */
static tg_status make_row_image(tg_sampling *p, const tg_found *f, uint8_t *out)
{
    const int64_t C = p->shape[0], count = p->shape[1] * p->shape[2];
    tg_image image = {.width = p->shape[2], .height = p->shape[1], .channels = C, .pixels = tg_alloc_raw(C * count)};
    if (!image.pixels) return TG_ENOMEM;
    for (int64_t i = 0; i < C * count; i++) {
        double x = 0;
        tg_field_number(&f->row[i], &x); /* it has been seen to be one */
        image.pixels[i % count * C + i / count] = (uint8_t)(x / p->most * 255 + 0.5);
    }
    tg_status status = make_image(p, &image, out);
    tg_image_free(&image);
    return status;
}

static tg_status make_point(tg_sampling *p, const tg_found *f, float *out)
{
    for (int64_t i = 0; i < p->size; i++) {
        double x = 0;
        tg_field_number(&f->row[i], &x);
        out[i] = (float)x;
    }
    return tg_scratch_add(p->data, out, p->size * (int64_t)sizeof *out);
}

static tg_status make(tg_sampling *p, const tg_found *f)
{
    int32_t label = -1;
    const char own = (char)f->split;
    if (f->label && !p->o->no_labels) {
        const int64_t entry = tg_map_add(p->known, f->label, (int64_t)strlen(f->label) + 1);
        if (entry < 0) return TG_ENOMEM;
        if (entry >= TG_MOST_CLASSES)
            return tg_fail(TG_EINVAL, "%s: more than %d different labels; --no-labels leaves them out", f->where, (int)TG_MOST_CLASSES);
        label = (int32_t)entry;
    }
    tg_status status = p->kind == TG_KIND_POINTS ? make_point(p, f, p->room)
                       : f->image               ? make_image(p, f->image, p->room)
                                                : make_row_image(p, f, p->room);
    if (!status) status = tg_scratch_add(p->labels, &label, sizeof label);
    tg_str_add_n(&p->own, &own, 1);
    p->count++;
    return status ? status : p->own.failed ? TG_ENOMEM : TG_OK;
}

static tg_status make_all(tg_sampling *p)
{
    tg_status status = choose(p);
    if (status) return status;
    const int64_t lacking = p->survey.count - p->survey.labelled;
    if (!p->o->no_labels && lacking && p->survey.labelled)
        return tg_fail(TG_EINVAL, "%" PRId64 " of %" PRId64 " %s have no label, the others have; collect those again with --label, or "
                       "leave labels out: --no-labels", lacking, p->survey.count, p->kind == TG_KIND_IMAGE ? "images" : "points");
    p->room = tg_alloc_array(p->size, p->kind == TG_KIND_IMAGE ? 1 : (int64_t)sizeof(float));
    status = p->room ? tg_scratch_new(p->o->out, p->bounds.keep, &p->data) : TG_ENOMEM;
    if (!status) status = tg_scratch_new(p->o->out, p->bounds.keep, &p->labels);
    if (!status) status = tg_samples_walk(p, "prepare", make, true);
    if (!status && p->count != p->survey.count) status = tg_fail(TG_EFORMAT, "%s: it changed while it was read", p->o->corpora.items[0]);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static tg_status parse_background(const char *text, uint8_t out[3])
{
    static const char digits[] = "0123456789abcdef";
    if (!text) text = "FFFFFF";
    for (int i = 0; i < 6; i++) {
        const char *at = strlen(text) == 6 && text[i] ? strchr(digits, text[i] >= 'A' && text[i] <= 'F' ? text[i] | 32 : text[i]) : NULL;
        if (!at) return tg_fail(TG_EUSAGE, "--background %s: must be six hexadecimal digits, RRGGBB, as FFFFFF", text);
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | (at - digits) : (at - digits) << 4);
    }
    return TG_OK;
}

static tg_status parse_shape(const char *text, int64_t out[3])
{
    const char *at = text;
    bool good = true;
    for (int i = 0; i < 3 && good; i++) {
        const size_t n = strcspn(at, "x");
        good = tg_parse_int(at, (int64_t)n, &out[i]) && out[i] >= 1 && out[i] <= 4096 && (at[n] == 'x') == (i < 2);
        at += n + (at[n] == 'x');
    }
    if (good && (out[0] == 1 || out[0] == 3)) return TG_OK;
    return tg_fail(TG_EUSAGE, "--shape %s: must be CxHxW, channels (1 or 3), rows, columns, as 1x28x28", text);
}

/* Options that are about text, or about other data than these. */
static void warn_options(const tg_sampling *p)
{
    const tg_preprocess_options *o = p->o;
    const struct { bool given; const char *name; } rows[] = {
        {o->tokenizer && strcmp(o->tokenizer, "char"), "--tokenizer"}, {o->vocab_size, "--vocab-size"}, {o->encoding, "--encoding"},
        {o->normalize, "--normalize"}, {o->width, "--width"}, {o->lowercase, "--lowercase"}, {o->strip, "--strip"},
        {o->scrub_pii, "--scrub-pii"}, {o->min_count > 1, "--min-count"}, {o->documents, "--documents"}, {o->raw, "--raw"},
        {o->max_bytes, "--max-bytes"}, {!p->tables && o->shape, "--shape"}, {o->max_value > 0 && !o->shape, "--max-value"},
        {!p->tables && o->label_column, "--label-column"}, {p->kind == TG_KIND_POINTS && o->size, "--size"},
        {p->kind == TG_KIND_POINTS && o->channels, "--channels"}, {p->kind == TG_KIND_POINTS && o->augment, "--augment"}};
    tg_str names = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].given) tg_str_addf(&names, "%s%s", names.length ? ", " : "", rows[i].name);
    if (names.length) tg_log(p->ctx, TG_LOG_WARN, "%s: nothing to do with %s", names.data, tg_kind_name(p->kind));
    tg_str_free(&names);
}

static tg_status check_options(tg_sampling *p, const char *kind)
{
    const tg_preprocess_options *o = p->o;
    p->tables = !strcmp(kind, "table") || !strcmp(kind, "points");
    p->kind = p->tables && !o->shape ? TG_KIND_POINTS : TG_KIND_IMAGE;
    if (o->dedupe == TG_DEDUPE_NEAR && p->kind == TG_KIND_POINTS)
        return tg_fail(TG_EUSAGE, "--dedupe near is about text and images; points all stay, a distribution may well repeat itself");
    if (o->sheet && strcmp(o->sheet, "none") && tg_path_kind(o->sheet) != TG_PATH_NONE && !o->force)
        return tg_fail(TG_EINVAL, "--sheet %s: is there already; --force replaces it", o->sheet);
    if (o->sheet && !strcmp(o->sheet, o->out))
        return tg_fail(TG_EUSAGE, "--sheet %s: the dataset goes there; name another", o->sheet);
    tg_status status = parse_background(o->background, p->fit.background);
    if (!status && o->shape && p->tables) status = parse_shape(o->shape, p->shape);
    p->fit.fit = (int)o->fit;
    if (!status) warn_options(p);
    return status;
}

static tg_status run(tg_sampling *p, const char *kind)
{
    tg_status status = check_options(p, kind);
    if (status) return status;
    p->survey = (tg_survey){.sizes = tg_map_new(), .low = INFINITY, .high = -INFINITY, .whole = true};
    p->known = tg_map_new();
    if (!p->survey.sizes || !p->known) return TG_ENOMEM;
    status = tg_samples_walk(p, "look", see, false);
    if (!status) status = make_all(p);
    if (!status) status = tg_samples_classes(p);
    if (!status) status = tg_samples_split(p);
    if (!status) status = tg_samples_figures(p);
    if (!status) status = tg_samples_judge(p);
    if (status) return status;
    const tg_sample_draft draft = {
        .kind = p->kind, .rank = p->rank, .dims = {p->dims[0], p->dims[1], p->dims[2]}, .data = p->data,
        .labels = p->class_count ? p->labels : NULL, .order = p->order, .counts = {p->counts[0], p->counts[1], p->counts[2]},
        .samples = p->samples.data, .split = p->about.split.data, .figures = p->figures.data, .baselines = p->baselines.data,
        .verdict = p->about.verdict.data, .report = p->about.report.data, .provenance = p->about.provenance.data, .ctx = p->ctx};
    tg_clean_temps_of(p->o->out);
    status = tg_dataset_write_samples(p->o->out, &draft, p->about.content);
    return status ? status : tg_samples_sheet(p);
}

static void free_all(tg_sampling *p)
{
    tg_map_free(p->survey.sizes);
    tg_map_free(p->known);
    tg_scratch_free(p->data);
    tg_scratch_free(p->labels);
    tg_str *const texts[] = {&p->survey.names, &p->own, &p->samples, &p->figures, &p->baselines, &p->about.sources, &p->about.split,
                             &p->about.verdict, &p->about.report, &p->about.provenance, &p->about.findings};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) tg_str_free(texts[i]);
    void *const blocks[] = {p->room, p->classes, p->places, p->order, p->roots, p->mean, p->sheet};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) tg_free(blocks[i]);
}

tg_status tg_preprocess_samples(tg_context *ctx, const tg_preprocess_options *o, const tg_bounds *bounds, const char *kind)
{
    const double start = tg_now();
    tg_sampling p = {.ctx = ctx, .o = o, .bounds = *bounds, .about = {.ctx = ctx, .o = o}, .baseline = (double)NAN};
    tg_manifest_start(&p.about.manifest);
    tg_status status = run(&p, kind);
    if (!status) status = tg_deps_write(ctx, o->deps, o->out);
    if (!status) status = tg_samples_tell(&p, tg_now() - start);
    free_all(&p);
    return status;
}
