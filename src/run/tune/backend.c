/* backend.c - the backends there are. */
#include "run/tune/backend.h"

#include <stddef.h>

static const tg_backend backends[] = {
    {"local", NULL, NULL},
};

const tg_backend *tg_backend_at(int64_t i)
{
    return &backends[i];
}
