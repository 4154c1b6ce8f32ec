/* dataset_write_samples.c - images or points, their classes and split to a file that knows its content hash. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/meter.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"

enum { ROWS = 2 * TG_SPLITS, PART = 1 << 18 /* elements */ };

/* The file's tensors: of a split the samples, then their labels. */
typedef struct table {
    const tg_sample_draft *d;
    tg_st_row rows[ROWS];
    const int64_t *order[ROWS]; /* of its samples */
    int64_t size[ROWS];         /* elements of one */
    tg_scratch *from[ROWS];
    int64_t count;
    tg_meter meter;
} table;

static void make_rows(const tg_sample_draft *d, table *t)
{
    int64_t at = 0, size = 1;
    for (int i = 0; i < d->rank; i++) size *= d->dims[i];
    *t = (table){.d = d};
    for (int s = 0; s < TG_SPLITS; at += d->counts[s++]) {
        if (d->counts[s] == 0) continue;
        t->from[t->count] = d->data;
        t->order[t->count] = d->order + at;
        t->size[t->count] = size;
        t->rows[t->count++] = (tg_st_row){tg_split_names[s], d->kind == TG_KIND_IMAGE ? TG_ST_U8 : TG_ST_F32, d->rank + 1,
                                          {d->counts[s], d->dims[0], d->dims[1], d->dims[2]}, NULL};
        if (!d->labels) continue;
        t->from[t->count] = d->labels;
        t->order[t->count] = d->order + at;
        t->size[t->count] = 1;
        t->rows[t->count++] = (tg_st_row){tg_labels_names[s], TG_ST_U16, 1, {d->counts[s]}, NULL};
    }
    t->meter = tg_meter_start(d->ctx, "write", "samples", 3 * at); /* read three times: two hashes, and to the file */
}

/* Elements [first, first + count) of a row; they may begin and end within a sample. */
static tg_status fill(void *user, int64_t row, int64_t first, int64_t count, void *out)
{
    table *t = user;
    const int64_t size = t->size[row], width = tg_st_size(t->rows[row].dtype);
    char *to = out;
    while (count > 0) {
        const int64_t skip = first % size, n = size - skip < count ? size - skip : count;
        const char *part;
        tg_status status = tg_scratch_view(t->from[row], (t->order[row][first / size] * size + skip) * width, n * width, &part);
        if (!status && skip == 0 && t->from[row] == t->d->data) status = tg_meter_add(&t->meter, 1);
        if (status) return status;
        memcpy(to, part, (size_t)(n * width));
        to += n * width;
        first += n;
        count -= n;
    }
    return TG_OK;
}

static tg_status hash_row(table *t, int64_t row, char *part, tg_sha256 *sha)
{
    const int64_t all = t->rows[row].dims[0] * t->size[row], width = tg_st_size(t->rows[row].dtype);
    tg_status status = TG_OK;
    for (int64_t at = 0, n; at < all && !status; at += n) {
        n = all - at < PART ? all - at : PART;
        status = fill(t, row, at, n, part);
        if (!status) tg_sha256_add(sha, part, n * width);
    }
    return status;
}

/* SHA-256 over "tinygen-dataset 1\nimage\nSAMPLES\nSPLIT\n", then "NAME TYPE N" and the data of each tensor. */
static tg_status hash_content(table *t, char hex[65])
{
    tg_str text = {0};
    tg_sha256 sha;
    char *part = tg_alloc_raw(PART * 4);
    tg_status status = part ? TG_OK : TG_ENOMEM;
    tg_sha256_start(&sha);
    tg_str_addf(&text, "tinygen-dataset %d\n%s\n%s\n%s\n", TG_DATASET_VERSION, t->d->kind == TG_KIND_IMAGE ? "image" : "points",
                t->d->samples, t->d->split);
    for (int64_t i = 0; i < t->count && !status; i++) {
        tg_str_addf(&text, "%s %s %" PRId64 "\n", t->rows[i].name, tg_st_name(t->rows[i].dtype), t->rows[i].dims[0]);
        if (text.failed) break; /* clearing would forget it */
        tg_sha256_add(&sha, text.data, text.length);
        status = hash_row(t, i, part, &sha);
        tg_str_clear(&text);
    }
    if (text.failed) status = TG_ENOMEM;
    tg_sha256_end(&sha, hex);
    tg_str_free(&text);
    tg_free(part);
    return status;
}

static void put_metadata(const tg_sample_draft *d, const char *content, tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "format", "tinygen-dataset");
    tg_json_member_int(&w, "version", TG_DATASET_VERSION);
    tg_json_member_text(&w, "kind", d->kind == TG_KIND_IMAGE ? "image" : "points");
    tg_json_member_raw(&w, "samples", d->samples);
    tg_json_member_raw(&w, "split", d->split);
    tg_json_member_text(&w, "content_sha256", content);
    tg_dataset_put_splits(&w, "counts", d->counts);
    tg_json_member_raw(&w, "figures", d->figures);
    tg_json_member_raw(&w, "baselines", d->baselines);
    tg_json_member_raw(&w, "verdict", d->verdict);
    tg_json_member_raw(&w, "report", d->report);
    tg_json_member_raw(&w, "provenance", d->provenance);
    tg_json_close(&w, '}');
}

tg_status tg_dataset_write_samples(const char *path, const tg_sample_draft *d, char content_sha256[65])
{
    table t;
    char content[65];
    tg_str metadata = {0};
    make_rows(d, &t);
    tg_status status = hash_content(&t, content);
    if (!status) put_metadata(d, content, &metadata);
    if (metadata.failed) status = TG_ENOMEM;
    if (!status) status = tg_safetensors_write(path, t.rows, t.count, metadata.data, fill, &t, NULL);
    tg_meter_end(&t.meter);
    tg_str_free(&metadata);
    if (!status) memcpy(content_sha256, content, sizeof content);
    return status;
}
