/* gguf.h - GGUF version 3, written. Little-endian:
 *   "GGUF", u32 3, u64 tensors, u64 keys; keys; for each tensor text name, u32 rank, u64 sizes (the inner one first), u32 type
 *   (0: f32), u64 offset of its data; zeros up to a multiple of 32; the data, each up to a multiple of 32
 *   key: text name, u32 type, value. text: u64 bytes, bytes. array: u32 type, u64 count, values
 * A head is built whole, then the data are written behind it in the order in which the tensors were told. */
#ifndef TG_DATA_GGUF_H
#define TG_DATA_GGUF_H
#include "base/str.h"

enum { TG_GGUF_ALIGN = 32 };
typedef enum tg_gguf_type { TG_GGUF_U32 = 4, TG_GGUF_I32 = 5, TG_GGUF_F32 = 6, TG_GGUF_BOOL = 7, TG_GGUF_TEXT = 8, TG_GGUF_ARRAY = 9 } tg_gguf_type;

/* Start from (tg_gguf){0}; a failed append shows in what tg_gguf_head returns. */
typedef struct tg_gguf { tg_str keys, tensors; int64_t key_count, tensor_count, bytes; } tg_gguf;
void tg_gguf_free(tg_gguf *g);

void tg_gguf_put_u32(tg_gguf *g, const char *key, int64_t x);
void tg_gguf_put_f32(tg_gguf *g, const char *key, float x);
void tg_gguf_put_bool(tg_gguf *g, const char *key, bool x);
void tg_gguf_put_text(tg_gguf *g, const char *key, const char *text);
/* Then exactly count values of that type. */
void tg_gguf_put_array(tg_gguf *g, const char *key, tg_gguf_type type, int64_t count);
void tg_gguf_add_text(tg_gguf *g, const char *bytes, int64_t length);
void tg_gguf_add_i32(tg_gguf *g, int32_t x);
void tg_gguf_add_f32(tg_gguf *g, float x);
/* Of float32, rows x columns; rows 0: a vector. */
void tg_gguf_put_tensor(tg_gguf *g, const char *name, int64_t rows, int64_t columns);
/* All before the data, appended; g is done with. Errors: TG_ENOMEM. */
tg_status tg_gguf_head(tg_gguf *g, tg_str *out);
#endif
