/* op_table.c - all ops, gathered from ops.def. */
#include "autograd/op.h"

#include <stddef.h>

static const tg_op *const table[] = {
#define TG_OP(name) &tg_op_##name,
#include "autograd/ops.def"
#undef TG_OP
};

const tg_op *tg_op_at(int64_t i)
{
    return i >= 0 && i < (int64_t)(sizeof table / sizeof *table) ? table[i] : NULL;
}

tg_example_input tg_example_values(int rank, const int64_t *dims, double low, double high)
{
    return (tg_example_input){TG_F32, tg_shape_of(rank, dims), low, high, true, false};
}

tg_example_input tg_example_ids(int rank, const int64_t *dims, int64_t low, int64_t high)
{
    return (tg_example_input){TG_I32, tg_shape_of(rank, dims), (double)low, (double)high, true, true};
}
