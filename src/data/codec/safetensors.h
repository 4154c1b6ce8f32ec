/* safetensors.h - every tensor on disk: 8 bytes little-endian header length, JSON header, raw data. One reader, one
 * writer, for datasets, models and states.
 *   { "__metadata__": {"xxh64.header": "...", "xxh64": "<JSON: name -> 16 hex digits>", "tinygen": "<JSON as text>"},
 *     "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ... } padded with spaces to 8 bytes
 * Our own files begin with exactly {"__metadata__": {"xxh64.header": "; its 16 digits are the hash of the header's text
 * with these digits as zeros. A file that has one of our three metadata keys must have all.
 * Checked on open: header <= 100 MB and within the file, offsets in range, no overlap, no hole, shape x dtype = bytes,
 * no duplicate name, known dtype, file not longer than its data, and the header's checksum in our own files; that of a
 * tensor is checked when it is read whole. */
#ifndef TG_DATA_SAFETENSORS_H
#define TG_DATA_SAFETENSORS_H
#include "base/json.h"

typedef enum tg_st_dtype {
    TG_ST_F32, TG_ST_I32, TG_ST_U8, TG_ST_U16, TG_ST_U32, TG_ST_I64, TG_ST_U64, TG_ST_OTHER
} tg_st_dtype;

typedef struct tg_st_tensor {
    const char *name;
    tg_st_dtype dtype;
    int rank;
    int64_t dims[8];
    int64_t offset, bytes;  /* offset from the start of the file */
    int64_t count;          /* elements */
} tg_st_tensor;

typedef struct tg_safetensors tg_safetensors;
/* Whether it begins as one: a header's length, then its JSON. */
tg_status tg_safetensors_is(const char *path, bool *yes);
tg_status tg_safetensors_open(const char *path, tg_safetensors **out);
void tg_safetensors_close(tg_safetensors *s);
int64_t tg_safetensors_count(const tg_safetensors *s);
const tg_st_tensor *tg_safetensors_at(const tg_safetensors *s, int64_t i);
const tg_st_tensor *tg_safetensors_find(const tg_safetensors *s, const char *name); /* NULL: none */
const char *tg_safetensors_path(const tg_safetensors *s);
/* The parsed JSON of metadata key "tinygen", or NULL (a foreign file). And its text. */
const tg_json *tg_safetensors_meta(const tg_safetensors *s);
const char *tg_safetensors_meta_text(const tg_safetensors *s);
/* Whole tensor into out (bytes of it), checksum verified. */
tg_status tg_safetensors_read(tg_safetensors *s, const tg_st_tensor *t, void *out);
/* The same; look is shown every piece of it, whole elements, while a cache has it. */
typedef void (*tg_st_look)(void *user, const void *piece, int64_t bytes);
tg_status tg_safetensors_read_looking(tg_safetensors *s, const tg_st_tensor *t, void *out, tg_st_look look, void *user);
/* Part of it, not verified: elements [first, first+count). */
tg_status tg_safetensors_read_part(tg_safetensors *s, const tg_st_tensor *t, int64_t first, int64_t count, void *out);
int64_t tg_safetensors_bytes(const tg_safetensors *s); /* of the whole file */

/* All that tg_safetensors_open decides from bytes: the file's first `length` (length prefix and whole header at least)
 * and how long it is. No file is touched; the result can be asked, not read. name: for messages. */
tg_status tg_safetensors_parse(const char *name, const char *bytes, int64_t length, int64_t file_bytes,
                               tg_safetensors **out);

/* Writing: rows in the order given (the header lists them so, and the data lie so), tinygen: JSON text.
 * data NULL: the rows come from fill(user, row index, first element, count, out), called twice for each part. */
typedef struct tg_st_row {
    const char *name;
    tg_st_dtype dtype;
    int rank;
    int64_t dims[8];
    const void *data;
} tg_st_row;
typedef tg_status (*tg_st_fill)(void *user, int64_t row, int64_t first, int64_t count, void *out);
/* sha256: hex of the whole file's bytes, or NULL when not wanted. Atomic (base/file.h). */
tg_status tg_safetensors_write(const char *path, const tg_st_row *rows, int64_t count, const char *tinygen,
                               tg_st_fill fill, void *user, char sha256[65]);

/* For reader and writer. */
#define TG_ST_HEAD "{\"__metadata__\": {\"xxh64.header\": \"" /* how our own headers begin; 16 digits follow */
enum { TG_ST_MAX_HEADER = 100000000, TG_ST_MAX_NAME = 1024 };
int64_t tg_st_size(tg_st_dtype dtype);      /* bytes of an element; 0: TG_ST_OTHER */
const char *tg_st_name(tg_st_dtype dtype);  /* "F32"; NULL: TG_ST_OTHER */
/* Product of dims; false where it passes int64, a zero among them or not. */
bool tg_st_product(const int64_t *dims, int rank, int64_t *out);
#endif
