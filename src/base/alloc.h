/* alloc.h - the only way to heap memory. Failing sets the thread's message ("out of memory: 4.0 MiB are not to be had
 * ..."). No block may exceed 1 TiB: a larger size is a mistake, not a wish. tg_free is in tinygen/base.h. */
#ifndef TG_BASE_ALLOC_H
#define TG_BASE_ALLOC_H
#include "tinygen/base.h"

void *tg_alloc(int64_t bytes);                             /* zeroed, 64-byte aligned; NULL on failure or overflow */
void *tg_alloc_array(int64_t count, int64_t size);         /* the same, product checked */
void *tg_alloc_raw(int64_t bytes);                         /* NOT zeroed: pages are touched when they are used */
void *tg_realloc(void *memory, int64_t old_bytes, int64_t bytes); /* keeps min(old, new) bytes, new ones are zero;
                                                                     on failure NULL, and memory stays as it was */
char *tg_strdup(const char *text);

/* For tests: how many allocations this process asked for; and the n-th from now (1 = next) fails, `forever` all after
 * it too. 0 switches it off. TG_FAULT=malloc:N in the environment does the same for programs, malloc:N+ forever. */
int64_t tg_alloc_count(void);
int64_t tg_alloc_live(void); /* blocks not yet freed */
void tg_alloc_fail_at(int64_t n, bool forever);
#endif
