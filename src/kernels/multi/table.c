/* table.c - this instruction set's kernels, gathered. */
#include "kernels/kernels.h"
#include "kernels/simd/v16.h"

extern const tg_kernels TG_K(table);
const tg_kernels TG_K(table) = {
    .name = TG_NAME(TG_SIMD),
    .mr = TG_MR,
    .nr = TG_NR,
#define TG_KERNEL(result, kernel, arguments) .kernel = TG_K(kernel),
#include "kernels/kernels.def"
#undef TG_KERNEL
};
