/* pool.h - fork and join over fixed chunks. Which thread does a chunk never shows in a result. A waiting thread spins
 * for a bounded time, then yields, then sleeps. Workers block all signals and never allocate. */
#ifndef TG_BASE_POOL_H
#define TG_BASE_POOL_H
#include "tinygen/base.h"
typedef struct tg_pool tg_pool;
/* threads >= 1, the caller being one. Where the system refuses threads the pool is smaller. */
tg_status tg_pool_new(int threads, tg_pool **out);
void tg_pool_free(tg_pool *p);
int tg_pool_threads(const tg_pool *p);
/* Calls fn(arg, chunk) once for each chunk of 0..chunks-1, from any thread; returns when all are done. Chunks are
 * handed out in ascending order; but of as many as there are threads, chunk i goes to the same thread in every job (0: the
 * caller), unless that is late. p NULL or one chunk: in the caller. A call from inside a chunk runs in that thread. */
void tg_pool_run(tg_pool *p, void (*fn)(void *arg, int64_t chunk), void *arg, int64_t chunks);
int tg_default_threads(void); /* affinity mask, cgroup quota, divided by N under make -jN (MAKEFLAGS) */
#endif
