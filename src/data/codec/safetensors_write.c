/* safetensors_write.c - the writer. Two passes over the data: one for the checksums, which stand in the header before
 * them, one that writes; so nothing need be in memory at once. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/codec/safetensors.h"

enum { PART_BYTES = 1 << 20 };

typedef struct job {
    const char *path;
    const tg_st_row *rows;
    int64_t count;
    tg_st_fill fill;
    void *user;
    void *part; /* PART_BYTES of room for fill */
    int64_t *elements;
    uint64_t *hashes;
    tg_writer *writer; /* NULL in the first pass */
    tg_sha256 *sha;    /* NULL: not wanted */
} job;

static tg_status emit(job *j, const void *data, int64_t bytes)
{
    if (!j->writer) return TG_OK;
    if (j->sha) tg_sha256_add(j->sha, data, bytes);
    return tg_writer_add(j->writer, data, bytes);
}

/* Hashes row i and, in the second pass, writes it. */
static tg_status pass_row(job *j, int64_t i, uint64_t *hash)
{
    const tg_st_row *row = &j->rows[i];
    int64_t size = tg_st_size(row->dtype), step = PART_BYTES / size;
    tg_xxh64 h;
    tg_xxh64_start(&h);
    for (int64_t first = 0; first < j->elements[i]; first += step) {
        int64_t n = j->elements[i] - first < step ? j->elements[i] - first : step;
        const void *data = j->part;
        tg_status status = TG_OK;
        if (row->data) data = (const char *)row->data + first * size;
        else status = j->fill(j->user, i, first, n, j->part);
        if (!status) status = emit(j, data, n * size);
        if (status) return status;
        tg_xxh64_add(&h, data, n * size);
    }
    *hash = tg_xxh64_end(&h);
    return TG_OK;
}

static tg_status check_rows(job *j)
{
    for (int64_t i = 0; i < j->count; i++) {
        const tg_st_row *row = &j->rows[i];
        int64_t bytes;
        bool good = row->name && strlen(row->name) <= TG_ST_MAX_NAME && strcmp(row->name, "__metadata__") != 0 &&
                    tg_st_size(row->dtype) > 0 && row->rank >= 0 && row->rank <= 8 &&
                    tg_st_product(row->dims, row->rank, &j->elements[i]) &&
                    !__builtin_mul_overflow(j->elements[i], tg_st_size(row->dtype), &bytes) &&
                    (row->data || j->fill || bytes == 0);
        if (!good)
            return tg_fail(TG_EINVAL, "%s: tensor %s cannot be written so", j->path,
                           row->name ? row->name : "(no name)");
    }
    return TG_OK;
}

static void put_tensor(tg_json_writer *w, const tg_st_row *row, int64_t begin, int64_t end)
{
    tg_json_key(w, row->name);
    tg_json_open(w, '{');
    tg_json_member_text(w, "dtype", tg_st_name(row->dtype));
    tg_json_key(w, "shape");
    tg_json_open(w, '[');
    for (int i = 0; i < row->rank; i++) tg_json_put_int(w, row->dims[i]);
    tg_json_close(w, ']');
    tg_json_key(w, "data_offsets");
    tg_json_open(w, '[');
    tg_json_put_int(w, begin);
    tg_json_put_int(w, end);
    tg_json_close(w, ']');
    tg_json_close(w, '}');
}

static void put_hashes(const job *j, tg_str *out)
{
    tg_json_writer w = {.out = out};
    char hex[17];
    tg_json_open(&w, '{');
    for (int64_t i = 0; i < j->count; i++) {
        tg_hex64(j->hashes[i], hex);
        tg_json_member_text(&w, j->rows[i].name, hex);
    }
    tg_json_close(&w, '}');
}

static tg_status build_header(const job *j, const char *tinygen, tg_str *out)
{
    tg_str hashes = {0};
    put_hashes(j, &hashes);
    tg_str_add(out, TG_ST_HEAD "0000000000000000\"");
    tg_json_writer w = {.out = out, .comma = true};
    tg_json_member_text(&w, "xxh64", hashes.data ? hashes.data : "");
    tg_json_member_text(&w, "tinygen", tinygen);
    tg_json_close(&w, '}');
    int64_t at = 0;
    for (int64_t i = 0; i < j->count; i++) {
        int64_t bytes = j->elements[i] * tg_st_size(j->rows[i].dtype);
        put_tensor(&w, &j->rows[i], at, at + bytes);
        at += bytes;
    }
    tg_json_close(&w, '}');
    while (!out->failed && out->length % 8) tg_str_add(out, " ");
    bool failed = hashes.failed || out->failed;
    tg_str_free(&hashes);
    if (failed) return TG_ENOMEM;
    if (out->length > TG_ST_MAX_HEADER)
        return tg_fail(TG_EINVAL, "%s: a header of %" PRId64 " bytes; %d are possible", j->path, out->length,
                       TG_ST_MAX_HEADER);
    char hex[17];
    tg_hex64(tg_xxh64_of(out->data, out->length), hex);
    memcpy(out->data + sizeof TG_ST_HEAD - 1, hex, 16);
    return TG_OK;
}

static tg_status write_all(job *j, const tg_str *header)
{
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)((uint64_t)header->length >> 8 * i);
    int64_t total = 8 + header->length;
    for (int64_t i = 0; i < j->count; i++) total += j->elements[i] * tg_st_size(j->rows[i].dtype);
    tg_writer_expect(j->writer, total);
    tg_status status = emit(j, prefix, 8);
    if (!status) status = emit(j, header->data, header->length);
    for (int64_t i = 0; !status && i < j->count; i++) {
        uint64_t hash = 0;
        status = pass_row(j, i, &hash);
        if (!status && hash != j->hashes[i])
            status = tg_fail(TG_EINVAL, "%s: tensor %s changed while it was written", j->path, j->rows[i].name);
    }
    return status;
}

static tg_status run(job *j, const char *tinygen)
{
    j->part = tg_alloc_raw(PART_BYTES);
    j->elements = tg_alloc_array(j->count + 1, (int64_t)sizeof *j->elements);
    j->hashes = tg_alloc_array(j->count + 1, (int64_t)sizeof *j->hashes);
    if (!j->part || !j->elements || !j->hashes) return TG_ENOMEM;
    tg_status status = check_rows(j);
    for (int64_t i = 0; !status && i < j->count; i++) status = pass_row(j, i, &j->hashes[i]);
    tg_str header = {0};
    if (!status) status = build_header(j, tinygen, &header);
    if (!status) status = tg_writer_new(j->path, &j->writer);
    if (!status) status = write_all(j, &header);
    tg_str_free(&header);
    if (!status) return tg_writer_commit(j->writer);
    tg_writer_abandon(j->writer);
    return status;
}

tg_status tg_safetensors_write(const char *path, const tg_st_row *rows, int64_t count, const char *tinygen,
                               tg_st_fill fill, void *user, char sha256[65])
{
    tg_sha256 sha;
    tg_sha256_start(&sha);
    job j = {.path = path, .rows = rows, .count = count, .fill = fill, .user = user, .sha = sha256 ? &sha : NULL};
    tg_status status = run(&j, tinygen);
    tg_free(j.part);
    tg_free(j.elements);
    tg_free(j.hashes);
    if (!status && sha256) tg_sha256_end(&sha, sha256);
    return status;
}
