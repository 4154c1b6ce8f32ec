/* context.h - the inside of tg_context, for the layers above base. */
#ifndef TG_BASE_CONTEXT_H
#define TG_BASE_CONTEXT_H
#include "base/pool.h"

struct tg_context {
    tg_context_options options;
    tg_pool *pool;
    const char *isa;      /* static text */
    const void *kernels;  /* struct tg_kernels, set by tg_kernels_of on first use */
    double last_progress; /* tg_now of the last report */
};
#endif
