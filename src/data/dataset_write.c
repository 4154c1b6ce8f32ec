/* dataset_write.c - tokens, tokeniser and split to a file that knows its content hash. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/meter.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"

const char *const tg_split_names[TG_SPLITS] = {"train", "val", "test"};
const char *const tg_starts_names[TG_SPLITS] = {"train.starts", "val.starts", "test.starts"};

static tg_st_dtype type_of(int width)
{
    return width == 1 ? TG_ST_U8 : width == 2 ? TG_ST_U16 : TG_ST_U32;
}

enum { ROWS = 3 * TG_SPLITS, PART = 1 << 18 /* elements */ };
const char *const tg_labels_names[TG_SPLITS] = {"train.labels", "val.labels", "test.labels"};

/* The file's tensors, and where their elements lie. */
typedef struct table {
    const tg_dataset_draft *d;
    tg_st_row rows[ROWS];
    tg_scratch *from[ROWS];
    int64_t first[ROWS]; /* element that is the row's first */
    int64_t count;
    tg_meter meter;
} table;

static void add_row(table *t, const char *name, tg_st_dtype dtype, tg_scratch *from, int64_t first, int64_t count)
{
    if (!from || count == 0) return;
    t->from[t->count] = from;
    t->first[t->count] = first;
    t->rows[t->count++] = (tg_st_row){name, dtype, 1, {count}, NULL};
}

/* Tokens of a split, then its documents' starts and labels. */
static void make_rows(const tg_dataset_draft *d, table *t)
{
    int64_t at = 0, document = 0;
    *t = (table){.d = d};
    for (int s = 0; s < TG_SPLITS; s++) {
        const int64_t count = d->figures->counts[s], documents = d->documents[s];
        add_row(t, tg_split_names[s], type_of(tg_token_bytes(d->figures->vocab)), d->tokens, at, count);
        add_row(t, tg_starts_names[s], TG_ST_U64, d->starts, document, documents);
        add_row(t, tg_labels_names[s], TG_ST_U16, d->labels, document, documents);
        at += count;
        document += documents;
    }
    t->meter = tg_meter_start(d->ctx, "write", "tokens", 3 * at); /* read three times: two hashes, and to the file */
}

static tg_status view(table *t, int64_t row, int64_t first, int64_t count, const char **out, int64_t *bytes)
{
    const int64_t size = tg_st_size(t->rows[row].dtype);
    *bytes = count * size;
    tg_status status = tg_scratch_view(t->from[row], (t->first[row] + first) * size, *bytes, out);
    return status || t->from[row] != t->d->tokens ? status : tg_meter_add(&t->meter, count);
}

static tg_status fill(void *user, int64_t row, int64_t first, int64_t count, void *out)
{
    const char *part;
    int64_t bytes;
    tg_status status = view(user, row, first, count, &part, &bytes);
    if (!status) memcpy(out, part, (size_t)bytes);
    return status;
}

static tg_status hash_row(table *t, int64_t row, tg_sha256 *sha)
{
    const int64_t all = t->rows[row].dims[0];
    tg_status status = TG_OK;
    for (int64_t at = 0, n; at < all && !status; at += n) {
        const char *part;
        int64_t bytes;
        n = all - at < PART ? all - at : PART;
        status = view(t, row, at, n, &part, &bytes);
        if (!status) tg_sha256_add(sha, part, bytes);
    }
    return status;
}

/* SHA-256 over "tinygen-dataset 1\ntext\nTOKENISER\nSPLIT\n", then "NAME TYPE COUNT\n" and the data of each tensor. */
static tg_status hash_content(table *t, const char *tokenizer, char hex[65])
{
    tg_str text = {0};
    tg_sha256 sha;
    tg_status status = TG_OK;
    tg_sha256_start(&sha);
    tg_str_addf(&text, "tinygen-dataset %d\ntext\n%s\n%s\n", TG_DATASET_VERSION, tokenizer, t->d->split);
    for (int64_t i = 0; i < t->count && !status; i++) {
        tg_str_addf(&text, "%s %s %" PRId64 "\n", t->rows[i].name, tg_st_name(t->rows[i].dtype), t->rows[i].dims[0]);
        if (text.failed) break; /* clearing would forget it */
        tg_sha256_add(&sha, text.data, text.length);
        status = hash_row(t, i, &sha);
        tg_str_clear(&text);
    }
    if (text.failed) status = TG_ENOMEM;
    if (!status) tg_sha256_add(&sha, text.data, text.length);
    tg_sha256_end(&sha, hex);
    tg_str_free(&text);
    return status;
}

void tg_dataset_put_splits(tg_json_writer *w, const char *key, const int64_t of[TG_SPLITS])
{
    tg_json_key(w, key);
    tg_json_open(w, '{');
    for (int s = 0; s < TG_SPLITS; s++) {
        tg_json_member_int(w, tg_split_names[s], of[s]);
    }
    tg_json_close(w, '}');
}

static void put_baseline(tg_json_writer *w, const char *key, double nats)
{
    tg_json_key(w, key);
    tg_json_open(w, '{');
    tg_json_member_real(w, "nats", nats);
    tg_json_member_real(w, "bits", nats * 1.4426950408889634);
    tg_json_close(w, '}');
}

static void put_raw(tg_json_writer *w, const char *key, const char *json)
{
    tg_json_member_raw(w, key, json);
}

static void put_metadata(const tg_dataset_draft *d, const char *tokenizer, const char *content, tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "format", "tinygen-dataset");
    tg_json_member_int(&w, "version", TG_DATASET_VERSION);
    tg_json_member_text(&w, "kind", "text");
    put_raw(&w, "tokenizer", tokenizer);
    put_raw(&w, "split", d->split);
    tg_json_member_text(&w, "content_sha256", content);
    tg_dataset_put_splits(&w, "counts", d->figures->counts);
    if (d->documents[TG_TRAIN]) {
        tg_dataset_put_splits(&w, "documents", d->documents);
        tg_dataset_put_splits(&w, "targets", d->figures->targets);
    }
    tg_dataset_put_splits(&w, "bytes", d->figures->bytes);
    tg_dataset_put_splits(&w, "chars", d->figures->chars);
    tg_json_key(&w, "baselines");
    tg_json_open(&w, '{');
    put_baseline(&w, "uniform", d->figures->uniform);
    put_baseline(&w, "unigram", d->figures->unigram);
    if (!isnan(d->figures->ngram)) put_baseline(&w, "ngram", d->figures->ngram);
    tg_json_close(&w, '}');
    put_raw(&w, "verdict", d->verdict);
    put_raw(&w, "report", d->report);
    put_raw(&w, "provenance", d->provenance);
    tg_json_close(&w, '}');
}

tg_status tg_dataset_write(const char *path, const tg_dataset_draft *d, char content_sha256[65])
{
    table t;
    char *tokenizer = tg_tokenizer_json(d->tokenizer), content[65];
    if (!tokenizer) return TG_ENOMEM;
    make_rows(d, &t);
    tg_str metadata = {0};
    tg_status status = hash_content(&t, tokenizer, content);
    if (!status) put_metadata(d, tokenizer, content, &metadata);
    if (metadata.failed) status = TG_ENOMEM;
    if (!status) status = tg_safetensors_write(path, t.rows, t.count, metadata.data, fill, &t, NULL);
    tg_meter_end(&t.meter);
    tg_str_free(&metadata);
    tg_free(tokenizer);
    for (int i = 0; !status && i < 65; i++) content_sha256[i] = content[i];
    return status;
}
