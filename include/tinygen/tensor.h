/*
 * tinygen/tensor.h - shapes and the one tensor struct: contiguous, row-major, float32 or int32.
 *
 * Shape letters, the same everywhere: B batch, T time, S source time, V vocabulary, D features, H hidden units or heads,
 * G gates or key heads, Z latent, K classes; images [B, C, Y, X], filters [O, C, P, Q].
 *
 * A tensor borrows its memory: from an arena (activations, rewound every step), from a parameter slab, or from whoever made
 * an input. It owns nothing and is never freed on its own. The last dimension is contiguous: element (t, b, d) of
 * [T, B, D] is data[(t*B + b)*D + d]. A scalar has rank 0 and one element.
 *
 *     char text[96];
 *     tg_shape s = tg_shape_of(3, (int64_t[]){50, 32, 128});
 *     printf("%s has %lld elements\n", tg_shape_text(&s, text), (long long)tg_shape_count(&s));    // [50, 32, 128]
 */
#ifndef TINYGEN_TENSOR_H
#define TINYGEN_TENSOR_H

#include "tinygen/base.h"

#define TG_MAX_RANK 8

typedef enum tg_dtype { TG_F32, TG_I32 } tg_dtype;

/* dims[0 .. rank-1], outermost first; what lies behind is 0. */
typedef struct tg_shape { int rank; int64_t dims[TG_MAX_RANK]; } tg_shape;

/*
 * Invariants: exactly one of data and ids may be set, by dtype; both are NULL in a plan (shapes and costs only).
 * has_grad implies grad. grad of an activation gets its memory when backward first writes it, and is gone when the op that
 * made the activation has read it; that of a parameter is part of the gradients' slab.
 */
typedef struct tg_tensor {
    tg_shape shape;
    tg_dtype dtype;
    float *data;        /* F32 */
    int32_t *ids;       /* I32 */
    float *grad;        /* same shape, or NULL: none wanted or none yet */
    bool wants_grad;    /* backward computes it: a trainable parameter, or something made from one */
    bool has_grad;      /* grad holds a value; else the first writer overwrites it */
    bool spare;         /* of a tape, and backward does not read its values: an op may use its memory up */
    bool spent;         /* an op did: reading it again is an error */
    int64_t grad_room;  /* of a tape: bytes of grad that another gradient may have when it has been read; 0: none */
    int group;          /* parameter group, or -1 */
    const char *name;   /* parameters: PyTorch's conventional name; else NULL */
} tg_tensor;

/* Product of the dimensions; -1 on overflow or a negative one. */
int64_t tg_shape_count(const tg_shape *s);
/* "[2500, 128]"; returns out. */
const char *tg_shape_text(const tg_shape *s, char out[96]);
/* Same rank and dimensions. */
bool tg_shape_equal(const tg_shape *a, const tg_shape *b);
/* tg_shape_of(2, (int64_t[]){T, B}) */
tg_shape tg_shape_of(int rank, const int64_t *dims);

#endif
