/* scratch.h - bytes that are added at the end and read anywhere: in memory up to a bound, beyond it in a file without a
 * name, which is gone with its process. What is read is the same either way. */
#ifndef TG_BASE_SCRATCH_H
#define TG_BASE_SCRATCH_H
#include "tinygen/base.h"

typedef struct tg_scratch tg_scratch;
/* beside: the file would lie in the folder of this path; keep: bytes held in memory before there is one. */
tg_status tg_scratch_new(const char *beside, int64_t keep, tg_scratch **out);
/* An empty one with the same folder and bound. */
tg_status tg_scratch_like(const tg_scratch *s, tg_scratch **out);
tg_status tg_scratch_beside(const tg_scratch *s, int64_t keep, tg_scratch **out); /* with a bound of its own */
/* Of bytes that are there already and stay the caller's: to be read only. */
tg_status tg_scratch_of(const void *bytes, int64_t length, tg_scratch **out);
void tg_scratch_free(tg_scratch *s); /* NULL is fine */
tg_status tg_scratch_add(tg_scratch *s, const void *data, int64_t count);
int64_t tg_scratch_length(const tg_scratch *s);
int64_t tg_scratch_keep(const tg_scratch *s); /* its bound */
/* Forgets what is behind length. */
tg_status tg_scratch_cut(tg_scratch *s, int64_t length);
/* Bytes [at, at + count), borrowed until the next call; reading on from where the last view ended is fast. */
tg_status tg_scratch_view(tg_scratch *s, int64_t at, int64_t count, const char **out);
/* A place to read at beside that of tg_scratch_view, with views of its own: start from {0}, end with tg_window_free. */
typedef struct tg_window { char *bytes; int64_t at, count, room; } tg_window;
tg_status tg_scratch_look(const tg_scratch *s, tg_window *w, int64_t at, int64_t count, const char **out);
void tg_window_free(tg_window *w);
/* All of it where it is in memory, NUL-terminated; NULL: it is in a file. */
const char *tg_scratch_memory(const tg_scratch *s);
#endif
