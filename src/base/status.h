/* status.h - for the inside of the library: broken invariants. Messages and codes are in tinygen/base.h. */
#ifndef TG_BASE_STATUS_H
#define TG_BASE_STATUS_H
#include "tinygen/base.h"

/* A broken invariant is a bug of ours, never a matter of input: debug builds (-DTG_DEBUG) trap, others do not look. */
#ifdef TG_DEBUG
#define TG_ASSERT(x) ((x) ? (void)0 : __builtin_trap())
#else
#define TG_ASSERT(x) ((void)sizeof((x) ? 1 : 0))
#endif
#endif
