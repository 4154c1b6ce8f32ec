/* dataset_write.c - tokens, tokeniser and split to a file that knows its content hash. */
#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "data/codec/safetensors.h"
#include "data/dataset.h"

const char *const tg_split_names[TG_SPLITS] = {"train", "val", "test"};

static tg_st_dtype type_of(int width)
{
    return width == 1 ? TG_ST_U8 : width == 2 ? TG_ST_U16 : TG_ST_U32;
}

enum { ROWS = 3 * TG_SPLITS };
static const char *const starts_names[TG_SPLITS] = {"train.starts", "val.starts", "test.starts"};
static const char *const labels_names[TG_SPLITS] = {"train.labels", "val.labels", "test.labels"};

/* Tokens of a split, then its documents' starts and labels. */
static int64_t make_rows(const tg_dataset_draft *d, tg_st_row rows[ROWS])
{
    int width = tg_token_bytes(d->figures->vocab);
    const char *at = d->tokens;
    int64_t n = 0, document = 0;
    for (int s = 0; s < TG_SPLITS; s++) {
        int64_t count = d->figures->counts[s], documents = d->documents[s];
        if (count) rows[n++] = (tg_st_row){tg_split_names[s], type_of(width), 1, {count}, at};
        if (documents) rows[n++] = (tg_st_row){starts_names[s], TG_ST_U64, 1, {documents}, d->starts + document};
        if (documents && d->labels)
            rows[n++] = (tg_st_row){labels_names[s], TG_ST_U16, 1, {documents}, d->labels + document};
        at += count * width;
        document += documents;
    }
    return n;
}

/* SHA-256 over "tinygen-dataset 1\ntext\nTOKENISER\nSPLIT\n", then "NAME TYPE COUNT\n" and the data of each tensor. */
static tg_status hash_content(const tg_dataset_draft *d, const char *tokenizer, const tg_st_row *rows, int64_t count,
                              char hex[65])
{
    tg_str text = {0};
    tg_sha256 sha;
    tg_sha256_start(&sha);
    tg_str_addf(&text, "tinygen-dataset %d\ntext\n%s\n%s\n", TG_DATASET_VERSION, tokenizer, d->split);
    for (int64_t i = 0; i < count; i++) {
        tg_str_addf(&text, "%s %s %" PRId64 "\n", rows[i].name, tg_st_name(rows[i].dtype), rows[i].dims[0]);
        if (text.failed) break; /* clearing would forget it */
        tg_sha256_add(&sha, text.data, text.length);
        tg_sha256_add(&sha, rows[i].data, rows[i].dims[0] * tg_st_size(rows[i].dtype));
        tg_str_clear(&text);
    }
    bool failed = text.failed;
    if (!failed) tg_sha256_add(&sha, text.data, text.length);
    tg_sha256_end(&sha, hex);
    tg_str_free(&text);
    return failed ? TG_ENOMEM : TG_OK;
}

static void put_splits(tg_json_writer *w, const char *key, const int64_t of[TG_SPLITS])
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
    put_splits(&w, "counts", d->figures->counts);
    if (d->documents[TG_TRAIN]) {
        put_splits(&w, "documents", d->documents);
        put_splits(&w, "targets", d->figures->targets);
    }
    put_splits(&w, "bytes", d->figures->bytes);
    put_splits(&w, "chars", d->figures->chars);
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
    tg_st_row rows[ROWS];
    int64_t count = make_rows(d, rows);
    char *tokenizer = tg_tokenizer_json(d->tokenizer), content[65];
    if (!tokenizer) return TG_ENOMEM;
    tg_str metadata = {0};
    tg_status status = hash_content(d, tokenizer, rows, count, content);
    if (!status) put_metadata(d, tokenizer, content, &metadata);
    if (metadata.failed) status = TG_ENOMEM;
    if (!status) status = tg_safetensors_write(path, rows, count, metadata.data, NULL, NULL, NULL);
    tg_str_free(&metadata);
    tg_free(tokenizer);
    for (int i = 0; !status && i < 65; i++) content_sha256[i] = content[i];
    return status;
}
