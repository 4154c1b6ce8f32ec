/* deps.h - --deps FILE: a Makefile fragment that says what a step has read, so that make runs it again when that
 * changes. */
#ifndef TG_RUN_DEPS_H
#define TG_RUN_DEPS_H
#include "base/context.h"

/* "TARGET: NAMES" of all that tg_context_read took down and, so that make does not stop when one of them goes, "NAMES:".
 * Names are escaped as make reads them; one that make cannot be told is left out, with a warning. file NULL: nothing to
 * do. Atomic. */
tg_status tg_deps_write(tg_context *ctx, const char *file, const char *target);
/* The same for a target folder/name. */
tg_status tg_deps_write_in(tg_context *ctx, const char *file, const char *folder, const char *name);
#endif
