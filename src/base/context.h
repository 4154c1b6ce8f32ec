/* context.h - the inside of tg_context, for the layers above base. */
#ifndef TG_BASE_CONTEXT_H
#define TG_BASE_CONTEXT_H
#include "base/map.h"
#include "base/pool.h"

struct tg_context {
    tg_context_options options;
    tg_pool *pool;
    const char *isa;      /* static text */
    int64_t l2;           /* bytes of a core's cache: how products are cut, never what they give */
    const void *kernels;  /* struct tg_kernels, set by tg_kernels_of on first use */
    double last_progress; /* tg_now of the last report */
    tg_map *read;         /* files that were read, in order; NULL: none yet */
};

/* Takes down that a file was read, for --deps. "-" is none; ctx NULL: nobody wants to know. Errors: TG_ENOMEM. */
tg_status tg_context_read(tg_context *ctx, const char *path);
/* Whether output, which may be NULL, is none of those files, by whatever name: TG_EUSAGE. */
tg_status tg_context_spare(const tg_context *ctx, const char *output);
#endif
