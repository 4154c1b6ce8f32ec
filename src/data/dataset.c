/* dataset.c - reading a dataset file: the header is checked, tokens are kept in memory as they lie on disk (one, two or
 * four bytes each) or, where there are too many, read as they are asked for. */
#include "data/dataset_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/text/tokenizer.h"

/* ---- opening ---------------------------------------------------------------------------------------------------- */

tg_status tg_dataset_damaged(const tg_dataset *d, const char *what)
{
    return tg_fail(TG_EFORMAT, "%s: %s; make it again with gen-preprocess", d->path, what);
}

/* A hash of 64 hexadecimal digits. */
static bool is_hash(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static tg_status read_identity(tg_dataset *d, const tg_json *meta)
{
    const char *format = tg_json_text(meta, "format"), *kind = tg_json_text(meta, "kind");
    const char *hash = tg_json_text(meta, "content_sha256");
    int64_t version = 0;
    if (!format || strcmp(format, "tinygen-dataset") != 0)
        return tg_fail(TG_EFORMAT, "%s: %s, not a dataset; give the file that gen-preprocess wrote", d->path,
                       format ? format : "a safetensors file of another program");
    if (!tg_json_int(meta, "version", &version) || version < 1) return tg_dataset_damaged(d, "the dataset has no version");
    if (version > TG_DATASET_VERSION)
        return tg_fail(TG_EUNSUPPORTED, "%s: a dataset of version %" PRId64 "; this program knows %d: take a newer one",
                       d->path, version, TG_DATASET_VERSION);
    d->kind = kind && !strcmp(kind, "text") ? TG_KIND_TEXT : kind && !strcmp(kind, "image") ? TG_KIND_IMAGE
            : kind && !strcmp(kind, "points") ? TG_KIND_POINTS : 0;
    if (!d->kind)
        return tg_fail(TG_EUNSUPPORTED, "%s: data of kind %s are not known to this version", d->path,
                       kind ? kind : "(none)");
    if (!is_hash(hash)) return tg_dataset_damaged(d, "the dataset has no content hash");
    memcpy(d->hash, hash, sizeof d->hash);
    return TG_OK;
}

static tg_status read_part(tg_dataset *d, const tg_json *meta, int s)
{
    tg_dataset_part *p = &d->parts[s];
    int64_t count = 0;
    bool told = tg_json_int(tg_json_get(meta, "counts"), tg_split_names[s], &count) &&
                tg_json_int(tg_json_get(meta, "bytes"), tg_split_names[s], &p->bytes) &&
                tg_json_int(tg_json_get(meta, "chars"), tg_split_names[s], &p->chars);
    p->tensor = tg_safetensors_find(d->file, tg_split_names[s]);
    if (!told || p->bytes < 0 || p->chars < 0 || count != (p->tensor ? p->tensor->count : 0))
        return tg_dataset_damaged(d, "what its header tells of the splits is not what the tensors are");
    if (count == 0) p->tensor = NULL;
    p->count = count;
    if (!p->tensor) return TG_OK;
    const tg_st_dtype type = p->tensor->dtype;
    p->width = type == TG_ST_U8 || type == TG_ST_U16 || type == TG_ST_U32 ? (int)tg_st_size(type) : 0;
    if (p->width == 0 || p->tensor->rank != 1) return tg_dataset_damaged(d, "its tokens are not a row of U8, U16 or U32");
    if (!tg_json_int(tg_json_get(meta, "targets"), tg_split_names[s], &p->targets)) p->targets = count;
    if (p->targets < 1 || p->targets > count || p->chars < 1 || p->bytes < 1)
        return tg_dataset_damaged(d, "it tells of more targets than tokens");
    return TG_OK;
}

/* Starts lie on disk as U64 and are kept as they are: none is beyond the tokens. */
static tg_status read_starts(tg_dataset *d, int s)
{
    tg_dataset_part *p = &d->parts[s];
    const tg_st_tensor *tensor = tg_safetensors_find(d->file, tg_starts_names[s]);
    if (!p->tensor || tg_tokenizer_start(d->tokenizer) < 0) return TG_OK;
    if (!tensor || tensor->dtype != TG_ST_U64 || tensor->rank != 1 || tensor->count < 1)
        return tg_dataset_damaged(d, "its documents do not say where they start");
    p->documents = tensor->count;
    p->starts = tg_alloc_array(p->documents, sizeof *p->starts);
    if (!p->starts) return TG_ENOMEM;
    tg_status status = tg_safetensors_read(d->file, tensor, p->starts);
    if (status) return status;
    bool good = p->starts[0] == 0;
    for (int64_t i = 1; i < p->documents && good; i++) good = p->starts[i] > p->starts[i - 1] && p->starts[i] < p->tensor->count;
    if (!good) return tg_dataset_damaged(d, "its documents' starts are not in ascending order");
    return TG_OK;
}

/* Each document begins with the start token: what is in memory is looked at. */
static tg_status check_starts(tg_dataset *d, int s)
{
    const tg_dataset_part *p = &d->parts[s];
    for (int64_t i = 0; i < p->documents && p->tokens; i++) {
        int32_t id;
        tg_status status = tg_dataset_tokens(d, (tg_split)s, p->starts[i], 1, &id);
        if (status) return status;
        if (id != tg_tokenizer_start(d->tokenizer)) return tg_dataset_damaged(d, "a document does not begin where it says");
    }
    return TG_OK;
}

/* The largest of count tokens; a plain loop that compilers turn into vectors. */
static uint32_t largest(const void *tokens, int width, int64_t count)
{
    uint32_t most = 0;
    if (width == 1) {
        const uint8_t *t = tokens;
        uint8_t m = 0;
        for (int64_t i = 0; i < count; i++) m = t[i] > m ? t[i] : m;
        most = m;
    } else if (width == 2) {
        const uint16_t *t = tokens;
        uint16_t m = 0;
        for (int64_t i = 0; i < count; i++) m = t[i] > m ? t[i] : m;
        most = m;
    } else {
        const uint32_t *t = tokens;
        for (int64_t i = 0; i < count; i++) most = t[i] > most ? t[i] : most;
    }
    return most;
}

static tg_status load_part(tg_dataset *d, int s)
{
    tg_dataset_part *p = &d->parts[s];
    if (!p->tensor) return TG_OK;
    p->tokens = tg_alloc_raw(p->tensor->bytes);
    if (!p->tokens) return TG_ENOMEM;
    tg_status status = tg_safetensors_read(d->file, p->tensor, p->tokens);
    if (status) return status;
    if (largest(p->tokens, p->width, p->tensor->count) >= tg_tokenizer_vocab(d->tokenizer))
        return tg_dataset_damaged(d, "it has tokens outside its vocabulary");
    return TG_OK;
}

static tg_status read_dataset(tg_dataset *d, int64_t load_bytes)
{
    tg_status status = tg_safetensors_open(d->path, &d->file);
    if (status && tg_path_kind(d->path) == TG_PATH_FOLDER)
        return tg_fail(TG_EINVAL, "%s: a folder, no dataset; make one of a corpus: gen-preprocess %s -o x.safetensors",
                       d->path, d->path);
    bool known = true;
    if (status == TG_EFORMAT && !tg_safetensors_is(d->path, &known) && !known)
        return tg_fail(TG_EFORMAT, "%s: no dataset, a file of another kind; gen-collect takes it into a corpus, of which "
                       "gen-preprocess makes one", d->path);
    if (status) return status;
    const tg_json *meta = tg_safetensors_meta(d->file);
    status = read_identity(d, meta);
    if (status || d->kind != TG_KIND_TEXT) return status ? status : tg_dataset_read_samples(d, meta, load_bytes);
    status = tg_tokenizer_from_tree(tg_json_get(meta, "tokenizer"), &d->tokenizer);
    if (status) return tg_note("%s", d->path);
    int64_t bytes = 0;
    for (int s = 0; !status && s < TG_SPLITS; s++) {
        status = read_part(d, meta, s);
        if (d->parts[s].tensor) bytes += d->parts[s].tensor->bytes; /* within the file's size: no overflow */
        if (!status) status = read_starts(d, s);
    }
    for (int s = 0; !status && s < TG_SPLITS && bytes <= load_bytes; s++) {
        status = load_part(d, s);
        if (!status) status = check_starts(d, s);
    }
    return status;
}

tg_status tg_dataset_open_within(const char *path, int64_t load_bytes, tg_dataset **out)
{
    tg_dataset *d = tg_alloc(sizeof *d);
    if (!d) return TG_ENOMEM;
    d->path = tg_strdup(path);
    tg_status status = d->path ? read_dataset(d, load_bytes) : TG_ENOMEM;
    if (status) tg_dataset_close(d);
    else *out = d;
    return status;
}

tg_status tg_dataset_open(tg_context *ctx, const char *path, tg_dataset **out)
{
    (void)ctx;
    return tg_dataset_open_within(path, TG_DATASET_LOAD, out);
}

void tg_dataset_close(tg_dataset *d)
{
    if (!d) return;
    for (int s = 0; s < TG_SPLITS; s++) {
        tg_free(d->parts[s].tokens);
        tg_free(d->parts[s].starts);
        tg_free(d->parts[s].labels);
    }
    tg_tokenizer_free(d->tokenizer);
    tg_safetensors_close(d->file);
    tg_free(d->path);
    tg_free(d);
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

const char *tg_dataset_path(const tg_dataset *d)
{
    return d->path;
}

tg_kind tg_dataset_kind(const tg_dataset *d)
{
    return d->kind;
}

const char *tg_kind_name(tg_kind kind)
{
    return kind == TG_KIND_TEXT ? "text" : kind == TG_KIND_IMAGE ? "images" : kind == TG_KIND_POINTS ? "points" : "audio";
}

const char *tg_dataset_hash(const tg_dataset *d)
{
    return d->hash;
}

int64_t tg_dataset_count(const tg_dataset *d, tg_split s)
{
    return d->parts[s].count;
}

/* Documents are not cut: the last one ends within the share, but for the first. */
static void narrow_documents(tg_dataset_part *p, int64_t most)
{
    int64_t whole = 1;
    while (whole < p->documents && (whole + 1 < p->documents ? p->starts[whole + 1] : p->count) <= most) whole++;
    if (whole < p->documents) p->count = p->starts[whole];
    p->documents = whole;
}

void tg_dataset_narrow(tg_dataset *d, double share)
{
    enum { PIECES = 32, SHORTEST = 64 }; /* so few that seams do not count */
    tg_dataset_part *p = &d->parts[TG_TRAIN];
    const int64_t most = (int64_t)(share * (double)p->count), piece = most / PIECES;
    if (share >= 1 || p->count == 0) return;
    if (p->documents) narrow_documents(p, most);
    else if (d->kind != TG_KIND_TEXT || piece < SHORTEST) p->count = most < 1 ? 1 : most;
    else {
        p->stride = p->count / PIECES;
        p->piece = piece;
        p->count = piece * PIECES;
    }
}

int64_t tg_dataset_documents(const tg_dataset *d, tg_split s)
{
    return d->parts[s].documents;
}

const int64_t *tg_dataset_starts(const tg_dataset *d, tg_split s)
{
    return d->parts[s].starts;
}

int64_t tg_dataset_document_start(const tg_dataset *d, tg_split s, int64_t i)
{
    return i < d->parts[s].documents ? d->parts[s].starts[i] : tg_dataset_count(d, s);
}

const tg_tokenizer *tg_dataset_tokenizer(const tg_dataset *d)
{
    return d->tokenizer;
}

/* raw may lie at the end of ids' own room: a token is read before its place is written. */
static void widen(const void *raw, int width, int64_t count, int32_t *ids)
{
    const unsigned char *from = raw;
    if (width == 1) {
        for (int64_t i = 0; i < count; i++) ids[i] = from[i];
    } else if (width == 2) {
        for (int64_t i = 0; i < count; i++) {
            uint16_t x;
            memcpy(&x, from + 2 * i, sizeof x);
            ids[i] = x;
        }
    } else if (from != (const unsigned char *)ids) {
        memmove(ids, from, (size_t)count * 4);
    }
}

/* Of tokens as they lie in the file. */
static tg_status read_tokens(const tg_dataset *d, const tg_dataset_part *p, int64_t first, int64_t count, int32_t *ids)
{
    if (p->tokens) {
        widen((const char *)p->tokens + first * p->width, p->width, count, ids);
        return TG_OK;
    }
    char *raw = (char *)ids + count * (4 - p->width);
    tg_status status = tg_safetensors_read_part(d->file, p->tensor, first, count, raw);
    if (status) return status;
    widen(raw, p->width, count, ids);
    int64_t vocab = tg_tokenizer_vocab(d->tokenizer);
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= vocab) return tg_dataset_damaged(d, "it has tokens outside its vocabulary");
    return TG_OK;
}

tg_status tg_dataset_tokens(const tg_dataset *d, tg_split s, int64_t first, int64_t count, int32_t *ids)
{
    const tg_dataset_part *p = &d->parts[s];
    int64_t all = tg_dataset_count(d, s);
    if (d->kind != TG_KIND_TEXT) return tg_fail(TG_EINVAL, "%s: is a dataset of %s, it has no tokens", d->path, tg_kind_name(d->kind));
    if (first < 0 || count < 0 || first > all || count > all - first)
        return tg_fail(TG_EINVAL, "%s: split %s has %" PRId64 " tokens; %" PRId64 " from %" PRId64 " were asked for",
                       d->path, tg_split_names[s], all, count, first);
    tg_status status = TG_OK;
    for (int64_t n; count > 0 && !status; first += n, ids += n, count -= n) {
        const int64_t left = p->piece ? p->piece - first % p->piece : count;
        n = left < count ? left : count;
        status = read_tokens(d, p, p->piece ? first / p->piece * p->stride + first % p->piece : first, n, ids);
    }
    return status;
}

static double per_token(const tg_dataset *d, tg_split s, int64_t of)
{
    int64_t count = d->parts[s].targets;
    return count ? (double)of / (double)count : (double)NAN;
}

double tg_dataset_bytes_per_token(const tg_dataset *d, tg_split s)
{
    return per_token(d, s, d->parts[s].bytes);
}

double tg_dataset_chars_per_token(const tg_dataset *d, tg_split s)
{
    return per_token(d, s, d->parts[s].chars);
}

static const tg_json *origins_of(const tg_dataset *d)
{
    const tg_json *items = tg_json_get(tg_json_get(tg_safetensors_meta(d->file), "provenance"), "items");
    return items && items->type == TG_JSON_ARRAY ? items : NULL;
}

int64_t tg_dataset_origins(const tg_dataset *d)
{
    const tg_json *items = origins_of(d);
    return items ? items->integer : 0;
}

const char *tg_dataset_origin(const tg_dataset *d, int64_t i, const char **licence)
{
    const tg_json *items = origins_of(d), *at = items ? items->child : NULL;
    while (at && i-- > 0) at = at->next;
    *licence = at ? tg_json_text(at, "licence") : NULL;
    return at ? tg_json_text(at, "origin") : NULL;
}

double tg_dataset_baseline(const tg_dataset *d, const char *name)
{
    const tg_json *baselines = tg_json_get(tg_safetensors_meta(d->file), "baselines");
    double nats;
    return tg_json_real(tg_json_get(baselines, name), "nats", &nats) ? nats : (double)NAN;
}
