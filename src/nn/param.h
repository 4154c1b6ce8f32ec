/* param.h - the inside of tg_params. All slabs have one layout: parameter i at offset(i), each padded to 16 floats;
 * padding is 0 and stays 0. Chunks are pieces of single parameters: what is done to all parameters is split along them,
 * in one fork, whatever the number of threads. */
#ifndef TG_NN_PARAM_H
#define TG_NN_PARAM_H

#include "base/arena.h"
#include "kernels/drive.h"
#include "tinygen/nn.h"

enum { TG_PARAM_PAD = 16, TG_PARAM_CHUNK = 4096 };

typedef struct tg_param_start_range {
    const tg_tensor *parameter;
    int64_t first, count;
    float value;
    struct tg_param_start_range *next;
} tg_param_start_range;

typedef struct tg_param_row {
    tg_tensor *tensor;
    int64_t offset, count; /* in floats */
    tg_init_kind init;
    double scale;
    bool decay;
    bool buffer;             /* no gradient */
    bool frozen;             /* a parameter that is to stay as it is */
    tg_row_kind rows_of;     /* what its rows from first_row on stand for */
    int64_t first_row;
    int parts;               /* matrices between hidden units that lie on top of each other in it; 0: it is none ... */
    const int64_t *part_rows; /* ... and the rows of each */
} tg_param_row;

typedef struct tg_param_chunk { int64_t row, offset, count; } tg_param_chunk; /* offset in the slab */

struct tg_params {
    tg_context *ctx;
    tg_arena *arena; /* names, tensors, starts */
    tg_param_row *rows;
    int64_t count, room;
    int64_t size, elements;
    tg_param_start_range *starts, **starts_end;
    bool sealed;
    float *values, *grads;
    tg_param_chunk *chunks;
    int64_t chunk_count;
    float *partials; /* one for each chunk */
};

/* Initial values of the slab (init.c). */
void tg_params_draw(tg_params *p, uint64_t seed);

#endif
