/* deps.h - --deps FILE: a Makefile fragment that says what a step has read, so that make runs it again when that
 * changes. */
#ifndef TG_RUN_DEPS_H
#define TG_RUN_DEPS_H
#include "tinygen/base.h"

/* "TARGET: NAMES" and, so that make does not stop when one of them goes, "NAMES:". Names are escaped as make reads
 * them; one with a newline cannot be written and is left out, and so is "-". file NULL: nothing to do. Atomic. */
tg_status tg_deps_write(const char *file, const char *target, const char *const *names, int64_t count);
#endif
