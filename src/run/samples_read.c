/* samples_read.c - the samples of corpora, one by one: pictures in files of their own, pictures of an IDX file with the classes that
 * the item behind it tells, rows of a table. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/context.h"
#include "base/file.h"
#include "data/codec/idx.h"
#include "run/samples.h"

enum { MOST_PIXELS = 1 << 28 /* samples of one image, as reliable decoders have it */ };

tg_status tg_samples_kind(const tg_preprocess_options *o, const char **out)
{
    static const char *const kinds[] = {"text", "image", "points", "table"};
    tg_corpus *corpus;
    tg_status status = tg_corpus_open(o->corpora.items[0], &corpus);
    if (status) return status;
    const tg_item *first = tg_corpus_item(corpus, 0);
    *out = kinds[0];
    for (size_t i = 0; first && i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(first->kind, kinds[i])) *out = kinds[i];
    if (first && !strcmp(first->kind, "labels")) *out = kinds[1]; /* is refused there */
    tg_corpus_close(corpus);
    return TG_OK;
}

/* One item on its way, and what is known of it. */
typedef struct walk {
    tg_sampling *p;
    tg_visit *visit;
    const tg_corpus *corpus;
    const tg_item *item;
    char *bytes;
    tg_found found;
    tg_meter *meter;
} walk;

static int split_of(const tg_item *item)
{
    for (int s = 0; item->split && s < TG_SPLITS; s++)
        if (!strcmp(item->split, tg_split_names[s])) return s;
    return TG_NO_SPLIT;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

static tg_status one_image(walk *w)
{
    tg_image image = {0};
    tg_status status = tg_image_decode((const uint8_t *)w->bytes, w->item->bytes, MOST_PIXELS, w->found.where, &image);
    w->found.image = &image;
    if (!status) status = w->visit(w->p, &w->found);
    tg_image_free(&image);
    return status;
}

/* Sizes of one image of an IDX file: [n, y, x] or [n, y, x, c]. */
static tg_status idx_image(const walk *w, const tg_idx *x, tg_image *out)
{
    const int64_t channels = x->rank == 4 ? x->dims[3] : 1;
    *out = (tg_image){.width = x->rank > 2 ? x->dims[2] : 0, .height = x->rank > 2 ? x->dims[1] : 0, .channels = channels};
    if (out->width > TG_IMAGE_SIDE || out->height > TG_IMAGE_SIDE) return tg_image_too_long(w->found.where, out->width, out->height);
    if ((x->rank == 3 || x->rank == 4) && (channels == 1 || channels == 3) && out->width > 0 && out->height > 0) return TG_OK;
    return tg_fail(TG_EUNSUPPORTED, "%s: an IDX file of %d sizes is none of images: count, height, width and perhaps 1 or 3 channels",
                   w->found.where, x->rank);
}

/* The classes of an item's images, which the item behind it holds; NULL: there are none. */
static tg_status read_labels(const walk *w, int64_t i, int64_t count, char **bytes, const uint8_t **out)
{
    const tg_item *next = tg_corpus_item(w->corpus, i + 1);
    tg_idx x;
    *out = NULL;
    if (!next || strcmp(next->kind, "labels")) return TG_OK;
    tg_status status = tg_corpus_read(w->corpus, i + 1, bytes);
    if (!status) status = tg_idx_read((const uint8_t *)*bytes, next->bytes, next->path, &x);
    if (!status && (x.rank != 1 || x.count != count))
        status = tg_fail(TG_EFORMAT, "%s: %" PRId64 " labels for %" PRId64 " images of %s; collect both again", next->path, x.count,
                         count, w->item->path);
    if (!status) *out = x.data;
    return status;
}

static tg_status many_images(walk *w, int64_t i)
{
    tg_idx x = {0};
    tg_image image = {0};
    char *label_bytes = NULL;
    tg_str name = {0};
    const uint8_t *labels = NULL;
    tg_status status = tg_idx_read((const uint8_t *)w->bytes, w->item->bytes, w->found.where, &x);
    if (!status) status = idx_image(w, &x, &image);
    if (!status && !w->item->label) status = read_labels(w, i, x.dims[0], &label_bytes, &labels);
    const int64_t size = status ? 0 : image.width * image.height * image.channels;
    for (int64_t k = 0; !status && k < x.dims[0]; k++) {
        image.pixels = (uint8_t *)(uintptr_t)(x.data + k * size); /* is only read */
        w->found.image = &image;
        w->found.number = k + 1;
        if (labels) {
            tg_str_clear(&name);
            tg_str_addf(&name, "%d", labels[k]);
            w->found.label = name.data;
        }
        status = name.failed ? TG_ENOMEM : w->visit(w->p, &w->found);
        if (!status) status = tg_meter_add(w->meter, size);
    }
    tg_str_free(&name);
    tg_free(label_bytes);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

static bool is_label_name(const tg_field *f)
{
    static const char *const names[] = {"label", "class", "target", "species", "category"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool same = (int64_t)strlen(names[i]) == f->length;
        for (int64_t k = 0; same && k < f->length; k++) same = (f->text[k] | 32) == names[i][k];
        if (same) return true;
    }
    return false;
}

/* A column of words is the label; so is one that is called so, and one more than pixels. */
static int64_t guess_label(const tg_sampling *p, const tg_numbers *t, const tg_field *first_row)
{
    const int64_t last = t->columns - 1, pixels = p->shape[0] * p->shape[1] * p->shape[2];
    double x;
    if (pixels && t->columns == pixels) return -1;
    if (t->header && is_label_name(&t->names[0])) return 0;
    if (t->header && is_label_name(&t->names[last])) return last;
    if (first_row && !tg_field_number(&first_row[last], &x)) return last;
    if (first_row && !tg_field_number(&first_row[0], &x)) return 0;
    return pixels && t->columns == pixels + 1 ? last : -1;
}

tg_status tg_samples_label_column(const tg_sampling *p, const tg_numbers *t, int64_t *out)
{
    const int64_t pixels = p->shape[0] * p->shape[1] * p->shape[2];
    tg_numbers look = *t; /* reads the first row, and leaves t before it */
    bool more;
    tg_status status = tg_numbers_next(&look, &more);
    if (status) return status;
    *out = p->o->label_column == TG_LABELS_LAST    ? t->columns - 1
           : p->o->label_column == TG_LABELS_FIRST ? 0
           : p->o->label_column == TG_LABELS_NONE  ? -1
                                                   : guess_label(p, t, more ? look.row : NULL);
    const int64_t numbers = t->columns - (*out >= 0);
    if (pixels && numbers != pixels)
        return tg_fail(TG_EINVAL, "%s: rows have %" PRId64 " columns; --shape %s wants %" PRId64 ", and one more for a label", t->name,
                       t->columns, p->o->shape, pixels);
    if (numbers < 1) return tg_fail(TG_EINVAL, "%s: rows have a label and no numbers", t->name);
    return TG_OK;
}

static tg_status rows(walk *w)
{
    tg_numbers t;
    tg_field *row = NULL;
    tg_str label = {0};
    int64_t column = -1;
    bool more = true;
    tg_status status = tg_numbers_open(&t, w->found.where, w->bytes, w->item->bytes);
    if (!status) status = tg_samples_label_column(w->p, &t, &column);
    if (!status && !(row = tg_alloc_array(t.columns, sizeof *row))) status = TG_ENOMEM;
    w->found.table = &t;
    w->found.label_column = column;
    w->found.columns = t.columns - (column >= 0);
    w->found.row = row;
    for (const char *before = t.at; !status && !(status = tg_numbers_next(&t, &more)) && more; before = t.at) {
        for (int64_t i = 0, k = 0; i < t.columns; i++)
            if (i != column) row[k++] = t.row[i];
        if (column >= 0 && !w->item->label) {
            tg_str_clear(&label);
            tg_str_add_n(&label, t.row[column].text, t.row[column].length);
            if (label.failed) status = TG_ENOMEM;
            w->found.label = label.length ? label.data : NULL;
        }
        w->found.number = t.line;
        if (!status) status = w->visit(w->p, &w->found);
        if (!status) status = tg_meter_add(w->meter, t.at - before);
    }
    tg_str_free(&label);
    tg_free(row);
    tg_numbers_close(&t);
    return status;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static tg_status refuse_kind(const walk *w, const char *where)
{
    const bool labels = !strcmp(w->item->kind, "labels");
    if (labels) return tg_fail(TG_EFORMAT, "%s: labels that stand behind no images; collect them again", where);
    return tg_fail(TG_EINVAL, "%s: an item of kind %s among %s; collect kinds apart, a dataset is of one", where, w->item->kind,
                   w->p->tables ? "tables" : "images");
}

static tg_status one_item(walk *w, int64_t i, const char *folder)
{
    tg_str where = {0};
    const bool many = w->item->documents != NULL, image = !strcmp(w->item->kind, "image");
    const bool table = !strcmp(w->item->kind, "table") || !strcmp(w->item->kind, "points");
    tg_str_addf(&where, "%s/%s (from %s)", folder, w->item->path, w->item->origin ? w->item->origin : "?");
    if (where.failed) return TG_ENOMEM;
    w->found = (tg_found){.label = w->item->label, .split = split_of(w->item), .where = where.data, .label_column = -1};
    tg_status status = (w->p->tables ? table : image) ? tg_corpus_read(w->corpus, i, &w->bytes) : refuse_kind(w, where.data);
    if (!status) status = table ? rows(w) : many ? many_images(w, i) : one_image(w);
    if (!status && image && !many) status = tg_meter_add(w->meter, w->item->bytes);
    tg_free(w->bytes);
    w->bytes = NULL;
    tg_str_free(&where);
    return status;
}

static tg_status walk_corpus(tg_sampling *p, const char *folder, const char *what, tg_visit *visit, bool provenance)
{
    tg_corpus *corpus;
    tg_status status = tg_corpus_open(folder, &corpus);
    if (status) return status;
    int64_t total = 0;
    for (int64_t i = 0; i < tg_corpus_count(corpus); i++) {
        const int64_t bytes = tg_corpus_item(corpus, i)->bytes;
        total = bytes < INT64_MAX - total ? total + bytes : 0;
    }
    tg_meter m = tg_meter_start(p->ctx, what, "bytes", total);
    walk w = {.p = p, .visit = visit, .corpus = corpus, .meter = &m};
    bool images = false; /* the item before */
    for (int64_t i = 0; i < tg_corpus_count(corpus) && !status; i++) {
        w.item = tg_corpus_item(corpus, i);
        if (!images || strcmp(w.item->kind, "labels")) status = one_item(&w, i, folder);
        images = !strcmp(w.item->kind, "image") && w.item->documents;
        if (!status && provenance) status = tg_manifest_add(&p->about.manifest, w.item);
        if (!status && provenance) tg_provenance_add(&p->about, w.item);
    }
    tg_meter_end(&m);
    tg_corpus_close(corpus);
    return status;
}

tg_status tg_samples_walk(tg_sampling *p, const char *what, tg_visit *visit, bool provenance)
{
    tg_status status = TG_OK;
    for (int64_t i = 0; i < p->o->corpora.count && !status; i++) {
        status = walk_corpus(p, p->o->corpora.items[i], what, visit, provenance);
        if (!status && provenance) {
            char *path = tg_path_join(p->o->corpora.items[i], "manifest.jsonl");
            status = path ? tg_context_read(p->ctx, path) : TG_ENOMEM;
            tg_free(path);
        }
    }
    return status;
}
