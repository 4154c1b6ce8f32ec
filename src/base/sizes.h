/* sizes.h - arithmetic of sizes, all 0 or more. */
#ifndef TG_BASE_SIZES_H
#define TG_BASE_SIZES_H
#include <stdint.h>
static inline int64_t tg_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tg_most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tg_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* The next multiple of `to`. */
static inline int64_t tg_padded(int64_t n, int64_t to) { return tg_ceil_div(n, to) * to; }
#endif
