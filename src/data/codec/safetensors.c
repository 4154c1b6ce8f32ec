/* safetensors.c - the reader. Sizes come from the file, so each is checked against what remains of it before it is
 * used: lengths by comparison, products with overflow, offsets by laying all tensors end to end. */
#include "data/codec/safetensors.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/sort.h"

struct tg_safetensors {
    tg_file *file; /* NULL: parsed from bytes */
    tg_arena *arena;
    const char *path;
    tg_st_tensor *tensors;
    uint64_t *hashes; /* one a tensor; NULL: a foreign file */
    int64_t count, data_start, file_bytes;
    tg_map *index; /* name -> position */
    const tg_json *meta;
    const char *meta_text;
};

/* All that the format knows. Those that tinygen has no use for can be listed and passed over. */
static const struct { const char *name; tg_st_dtype dtype; int64_t size; } dtypes[] = {
    {"F32", TG_ST_F32, 4},      {"I32", TG_ST_I32, 4},        {"U8", TG_ST_U8, 1},          {"U16", TG_ST_U16, 2},
    {"U32", TG_ST_U32, 4},      {"I64", TG_ST_I64, 8},        {"U64", TG_ST_U64, 8},        {"BOOL", TG_ST_OTHER, 1},
    {"I8", TG_ST_OTHER, 1},     {"F8_E4M3", TG_ST_OTHER, 1},  {"F8_E5M2", TG_ST_OTHER, 1},  {"I16", TG_ST_OTHER, 2},
    {"F16", TG_ST_OTHER, 2},    {"BF16", TG_ST_OTHER, 2},     {"F64", TG_ST_OTHER, 8},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

int64_t tg_st_size(tg_st_dtype dtype)
{
    return dtype == TG_ST_OTHER ? 0 : dtypes[dtype].size;
}

const char *tg_st_name(tg_st_dtype dtype)
{
    return dtype == TG_ST_OTHER ? NULL : dtypes[dtype].name;
}

bool tg_st_product(const int64_t *dims, int rank, int64_t *out)
{
    int64_t product = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0) return false;
        if (dims[i] == 0) zero = true;
        else if (__builtin_mul_overflow(product, dims[i], &product)) return false;
    }
    *out = zero ? 0 : product;
    return true;
}

/* ---- one entry of the header ------------------------------------------------------------------------------------ */

static tg_status read_shape(const tg_safetensors *s, const tg_json *shape, tg_st_tensor *t)
{
    if (!shape || shape->type != TG_JSON_ARRAY)
        return tg_fail(TG_EFORMAT, "%s: tensor %s has no shape", s->path, t->name);
    if (shape->integer > 8)
        return tg_fail(TG_EFORMAT, "%s: tensor %s has %" PRId64 " dimensions; up to 8 are understood", s->path, t->name,
                       shape->integer);
    t->rank = 0;
    for (const tg_json *d = shape->child; d; d = d->next) {
        if (d->type != TG_JSON_INT || d->integer < 0)
            return tg_fail(TG_EFORMAT, "%s: the shape of tensor %s is not made of counts", s->path, t->name);
        t->dims[t->rank++] = d->integer;
    }
    if (!tg_st_product(t->dims, t->rank, &t->count))
        return tg_fail(TG_EFORMAT, "%s: the shape of tensor %s is larger than any file", s->path, t->name);
    return TG_OK;
}

/* Leaves offset relative to the data's start. */
static tg_status read_offsets(const tg_safetensors *s, const tg_json *offsets, int64_t size, tg_st_tensor *t)
{
    const tg_json *begin = offsets && offsets->type == TG_JSON_ARRAY ? offsets->child : NULL;
    const tg_json *end = begin ? begin->next : NULL;
    if (!end || end->next || begin->type != TG_JSON_INT || end->type != TG_JSON_INT || begin->integer < 0 ||
        end->integer < begin->integer)
        return tg_fail(TG_EFORMAT, "%s: tensor %s has no proper data_offsets", s->path, t->name);
    int64_t bytes;
    if (__builtin_mul_overflow(t->count, size, &bytes) || end->integer - begin->integer != bytes)
        return tg_fail(TG_EFORMAT, "%s: tensor %s spans %" PRId64 " bytes, which its shape and type do not make",
                       s->path, t->name, end->integer - begin->integer);
    if (end->integer > s->file_bytes - s->data_start)
        return tg_fail(TG_EFORMAT,
                       "%s: cut short: tensor %s should end at byte %" PRId64 " of the data, there are %" PRId64
                       "; fetch or make the file again",
                       s->path, t->name, end->integer, s->file_bytes - s->data_start);
    t->offset = begin->integer;
    t->bytes = bytes;
    return TG_OK;
}

static tg_status read_tensor(const tg_safetensors *s, const tg_json *entry, tg_st_tensor *t)
{
    t->name = entry->key;
    if (strlen(entry->key) > TG_ST_MAX_NAME)
        return tg_fail(TG_EFORMAT, "%s: a tensor's name is longer than %d bytes", s->path, TG_ST_MAX_NAME);
    if (entry->type != TG_JSON_OBJECT || entry->integer != 3)
        return tg_fail(TG_EFORMAT, "%s: tensor %s is not described by dtype, shape and data_offsets", s->path, t->name);
    const char *type = tg_json_text(entry, "dtype");
    int64_t size = 0;
    for (int i = 0; type && i < DTYPES; i++)
        if (strcmp(type, dtypes[i].name) == 0) {
            t->dtype = dtypes[i].dtype;
            size = dtypes[i].size;
        }
    if (size == 0)
        return tg_fail(TG_EFORMAT, "%s: tensor %s is of the unknown type %s", s->path, t->name, type ? type : "(none)");
    tg_status status = read_shape(s, tg_json_get(entry, "shape"), t);
    return status ? status : read_offsets(s, tg_json_get(entry, "data_offsets"), size, t);
}

/* ---- the header as a whole -------------------------------------------------------------------------------------- */

static int by_offset(const void *a, const void *b, void *user)
{
    const tg_st_tensor *x = *(const tg_st_tensor *const *)a, *y = *(const tg_st_tensor *const *)b;
    (void)user;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Laid end to end the tensors must fill the data exactly: no overlap, no hole, nothing behind. */
static tg_status check_layout(const tg_safetensors *s)
{
    const tg_st_tensor **order = tg_arena_alloc(s->arena, 2 * (s->count + 1) * (int64_t)sizeof *order);
    if (!order) return TG_ENOMEM;
    for (int64_t i = 0; i < s->count; i++) order[i] = &s->tensors[i];
    tg_sort(order, s->count, (int64_t)sizeof *order, order + s->count + 1, by_offset, NULL);
    int64_t at = 0;
    for (int64_t i = 0; i < s->count; i++) {
        if (order[i]->offset != at)
            return tg_fail(TG_EFORMAT, "%s: the data have %s before tensor %s (byte %" PRId64 ", expected %" PRId64 ")",
                           s->path, order[i]->offset > at ? "a hole" : "an overlap", order[i]->name, order[i]->offset,
                           at);
        at += order[i]->bytes;
    }
    if (at != s->file_bytes - s->data_start)
        return tg_fail(TG_EFORMAT, "%s: %" PRId64 " bytes too long for what its header lists", s->path,
                       s->file_bytes - s->data_start - at);
    return TG_OK;
}

/* xxh64.header comes first in our own headers; its digits count as zeros. *ours: whether the header begins so. */
static tg_status check_header_hash(const tg_safetensors *s, const char *header, int64_t length, bool *ours)
{
    static const char zeros[] = "0000000000000000";
    const int64_t head = (int64_t)sizeof TG_ST_HEAD - 1;
    *ours = length >= head + 16 && memcmp(header, TG_ST_HEAD, (size_t)head) == 0;
    if (!*ours) return TG_OK;
    tg_xxh64 h;
    tg_xxh64_start(&h);
    tg_xxh64_add(&h, header, head);
    tg_xxh64_add(&h, zeros, 16);
    tg_xxh64_add(&h, header + head + 16, length - head - 16);
    char hex[17];
    tg_hex64(tg_xxh64_end(&h), hex);
    if (memcmp(hex, header + head, 16) != 0)
        return tg_fail(TG_EFORMAT, "%s: the header is damaged (its checksum differs); fetch or make the file again",
                       s->path);
    return TG_OK;
}

static bool read_hex64(const char *text, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t x = 0;
    for (int i = 0; i < 16; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit) return false;
        x = x << 4 | (uint64_t)(digit - digits);
    }
    *out = x;
    return text[16] == 0;
}

static tg_status read_hashes(tg_safetensors *s, const char *text)
{
    const tg_json *list;
    tg_status status = tg_json_parse(s->arena, s->path, text, (int64_t)strlen(text), &list);
    if (status) return status;
    if (list->type != TG_JSON_OBJECT || list->integer != s->count)
        return tg_fail(TG_EFORMAT, "%s: the checksums in its header are not one for each tensor", s->path);
    s->hashes = tg_arena_alloc(s->arena, (s->count + 1) * (int64_t)sizeof *s->hashes);
    if (!s->hashes) return TG_ENOMEM;
    for (const tg_json *c = list->child; c; c = c->next) {
        const tg_st_tensor *t = tg_safetensors_find(s, c->key);
        if (!t || c->type != TG_JSON_TEXT || !read_hex64(c->text, &s->hashes[t - s->tensors]))
            return tg_fail(TG_EFORMAT, "%s: no proper checksum of tensor %s", s->path, c->key);
    }
    return TG_OK;
}

static tg_status read_metadata(tg_safetensors *s, const tg_json *metadata, bool ours)
{
    for (const tg_json *m = metadata ? metadata->child : NULL; m; m = m->next)
        if (m->type != TG_JSON_TEXT)
            return tg_fail(TG_EFORMAT, "%s: metadata %s is not a text", s->path, m->key);
    const char *text = tg_json_text(metadata, "tinygen"), *hashes = tg_json_text(metadata, "xxh64");
    bool hash = tg_json_text(metadata, "xxh64.header") != NULL;
    if (!text && !hashes && !hash) return TG_OK;
    if (!text || !hashes || !hash || !ours)
        return tg_fail(TG_EFORMAT, "%s: the header is damaged: of tinygen's metadata only a part is there", s->path);
    tg_status status = read_hashes(s, hashes);
    if (status) return status;
    s->meta_text = text;
    status = tg_json_parse(s->arena, s->path, text, (int64_t)strlen(text), &s->meta);
    return status ? tg_note("%s: metadata tinygen", s->path) : TG_OK;
}

static tg_status read_tensors(tg_safetensors *s, const tg_json *root)
{
    s->tensors = tg_arena_zeros(s->arena, (root->integer + 1) * (int64_t)sizeof *s->tensors);
    s->index = tg_map_new();
    if (!s->tensors || !s->index) return TG_ENOMEM;
    for (const tg_json *entry = root->child; entry; entry = entry->next) {
        if (strcmp(entry->key, "__metadata__") == 0) {
            if (entry->type != TG_JSON_OBJECT) return tg_fail(TG_EFORMAT, "%s: __metadata__ is not an object", s->path);
            continue;
        }
        tg_status status = read_tensor(s, entry, &s->tensors[s->count]);
        if (status) return status;
        if (tg_map_add(s->index, entry->key, (int64_t)strlen(entry->key)) < 0) return TG_ENOMEM;
        s->count++;
    }
    tg_status status = check_layout(s);
    for (int64_t i = 0; i < s->count; i++) s->tensors[i].offset += s->data_start;
    return status;
}

static tg_status parse(tg_safetensors *s, const char *bytes, int64_t length)
{
    uint64_t n = 0;
    if (s->file_bytes < 8 || length < 8)
        return tg_fail(TG_EFORMAT, "%s: %" PRId64 " bytes are too few for a safetensors file", s->path, s->file_bytes);
    for (int i = 0; i < 8; i++) n |= (uint64_t)(unsigned char)bytes[i] << 8 * i;
    if (n > TG_ST_MAX_HEADER || n < 2)
        return tg_fail(TG_EFORMAT, "%s: not a safetensors file (a header of %" PRIu64 " bytes; 2 to %d are possible)",
                       s->path, n, TG_ST_MAX_HEADER);
    if ((int64_t)n > length - 8 || (int64_t)n > s->file_bytes - 8)
        return tg_fail(TG_EFORMAT, "%s: cut short: its header should be %" PRIu64 " bytes, %" PRId64
                       " are there; fetch or make the file again", s->path, n, length - 8);
    const char *header = bytes + 8;
    if (header[0] != '{') return tg_fail(TG_EFORMAT, "%s: not a safetensors file (no JSON header)", s->path);
    s->data_start = 8 + (int64_t)n;
    bool ours;
    tg_status status = check_header_hash(s, header, (int64_t)n, &ours);
    if (status) return status;
    const tg_json *root;
    status = tg_json_parse(s->arena, s->path, header, (int64_t)n, &root);
    if (status) return tg_note("%s: header", s->path);
    status = read_tensors(s, root);
    return status ? status : read_metadata(s, tg_json_get(root, "__metadata__"), ours);
}

static tg_safetensors *start(const char *name, int64_t file_bytes)
{
    tg_safetensors *s = tg_alloc(sizeof *s);
    if (!s) return NULL;
    s->file_bytes = file_bytes;
    s->arena = tg_arena_new(1 << 16);
    s->path = s->arena ? tg_arena_strdup(s->arena, name) : NULL;
    if (s->path) return s;
    tg_safetensors_close(s);
    return NULL;
}

tg_status tg_safetensors_parse(const char *name, const char *bytes, int64_t length, int64_t file_bytes,
                               tg_safetensors **out)
{
    tg_safetensors *s = start(name, file_bytes);
    if (!s) return TG_ENOMEM;
    tg_status status = parse(s, bytes, length);
    if (status) tg_safetensors_close(s);
    else *out = s;
    return status;
}

/* Prefix and header; a length that makes no sense is left to parse to refuse. */
static tg_status read_head(tg_file *f, int64_t size, char **out, int64_t *length)
{
    unsigned char prefix[8];
    uint64_t n = 0;
    *length = size < 8 ? size : 8;
    tg_status status = tg_file_read_at(f, 0, prefix, *length);
    if (status) return status;
    if (*length == 8) {
        for (int i = 0; i < 8; i++) n |= (uint64_t)prefix[i] << 8 * i;
        if (n <= TG_ST_MAX_HEADER) *length = (int64_t)n < size - 8 ? 8 + (int64_t)n : size;
    }
    char *head = tg_alloc_raw(*length + 1);
    if (!head) return TG_ENOMEM;
    status = tg_file_read_at(f, 0, head, *length);
    if (status) tg_free(head);
    else *out = head;
    return status;
}

tg_status tg_safetensors_is(const char *path, bool *yes)
{
    tg_file *f;
    char head[9] = {0};
    tg_status s = tg_file_open(path, &f);
    if (s) return s;
    if (tg_file_size(f) > (int64_t)sizeof head) s = tg_file_read_at(f, 0, head, sizeof head);
    *yes = head[8] == '{' && head[5] == 0 && head[6] == 0 && head[7] == 0;
    tg_file_close(f);
    return s;
}

tg_status tg_safetensors_open(const char *path, tg_safetensors **out)
{
    tg_file *file;
    tg_status status = tg_file_open(path, &file);
    if (status) return status;
    int64_t size = tg_file_size(file), length = 0;
    char *head = NULL;
    tg_safetensors *s = NULL;
    if (size < 0)
        status = tg_fail(TG_EUNSUPPORTED, "%s: a safetensors file cannot come through a pipe; save it first", path);
    if (!status) status = read_head(file, size, &head, &length);
    if (!status) status = tg_safetensors_parse(path, head, length, size, &s);
    tg_free(head);
    if (status) {
        tg_file_close(file);
        return status;
    }
    s->file = file;
    *out = s;
    return TG_OK;
}

void tg_safetensors_close(tg_safetensors *s)
{
    if (!s) return;
    tg_file_close(s->file);
    tg_map_free(s->index);
    tg_arena_free(s->arena);
    tg_free(s);
}

/* ---- asking and reading ----------------------------------------------------------------------------------------- */

int64_t tg_safetensors_count(const tg_safetensors *s)
{
    return s->count;
}

const tg_st_tensor *tg_safetensors_at(const tg_safetensors *s, int64_t i)
{
    return i >= 0 && i < s->count ? &s->tensors[i] : NULL;
}

const tg_st_tensor *tg_safetensors_find(const tg_safetensors *s, const char *name)
{
    int64_t i = tg_map_find(s->index, name, (int64_t)strlen(name));
    return i < 0 ? NULL : &s->tensors[i];
}

const tg_json *tg_safetensors_meta(const tg_safetensors *s)
{
    return s->meta;
}

const char *tg_safetensors_path(const tg_safetensors *s)
{
    return s->path;
}

const char *tg_safetensors_meta_text(const tg_safetensors *s)
{
    return s->meta_text;
}

int64_t tg_safetensors_bytes(const tg_safetensors *s)
{
    return s->file_bytes;
}

tg_status tg_safetensors_read(tg_safetensors *s, const tg_st_tensor *t, void *out)
{
    return tg_safetensors_read_looking(s, t, out, NULL, NULL);
}

tg_status tg_safetensors_read_looking(tg_safetensors *s, const tg_st_tensor *t, void *out, tg_st_look look, void *user)
{
    enum { PIECE = 256 << 10 /* that is hashed while it is in a cache */ };
    tg_status status = TG_OK;
    tg_xxh64 hash;
    if (t->bytes == 0) return TG_OK;
    tg_xxh64_start(&hash);
    for (int64_t at = 0, n; at < t->bytes && !status; at += n) {
        n = t->bytes - at < PIECE ? t->bytes - at : PIECE;
        status = tg_file_read_at(s->file, t->offset + at, (char *)out + at, n);
        if (s->hashes && !status) tg_xxh64_add(&hash, (char *)out + at, n);
        if (look && !status) look(user, (char *)out + at, n);
    }
    if (status) return tg_note("%s: tensor %s", s->path, t->name);
    if (s->hashes && tg_xxh64_end(&hash) != s->hashes[t - s->tensors])
        return tg_fail(TG_EFORMAT, "%s: tensor %s is damaged (its checksum differs); fetch or make the file again",
                       s->path, t->name);
    return TG_OK;
}

tg_status tg_safetensors_read_part(tg_safetensors *s, const tg_st_tensor *t, int64_t first, int64_t count, void *out)
{
    if (first < 0 || count < 0 || first > t->count || count > t->count - first)
        return tg_fail(TG_EINVAL, "%s: tensor %s has %" PRId64 " elements; %" PRId64 " from %" PRId64 " were asked for",
                       s->path, t->name, t->count, count, first);
    if (count == 0) return TG_OK;
    int64_t size = t->bytes / t->count;
    tg_status status = tg_file_read_at(s->file, t->offset + first * size, out, count * size);
    return status ? tg_note("%s: tensor %s", s->path, t->name) : TG_OK;
}
