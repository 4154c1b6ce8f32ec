/*
 * kernels.h - the table of hand-written kernels, and the drivers that split them over threads.
 *
 * A kernel takes raw pointers and sizes, checks nothing and cannot fail. One portable source in multi/ is compiled once
 * per instruction set; select.c picks a table. Every result is the same bits in every table (docs/numerics.md):
 *   - an element of a matrix product is one chain of fused multiply-adds over k ascending, from 0 or the value added to;
 *   - other sums run over 16 lanes, element i in lane i mod 16, then one fixed tree (v16_sum);
 *   - exp, tanh, sigmoid are the polynomials of base/fmath.inc.
 */
#ifndef TG_KERNELS_H
#define TG_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tg_span { int64_t begin, end; } tg_span; /* rows or elements, end not included */

/* Activations by number; the same as autograd.h's tg_activation. */
enum { TG_ACT_LINEAR = 0, TG_ACT_TANH = 1, TG_ACT_SIGMOID = 2, TG_ACT_RELU = 3, TG_ACT_GELU = 4, TG_ACT_RELU2 = 5,
       TG_ACT_SWIGLU = 6, TG_ACT_LEAKY = 7, TG_ACT_SILU = 8, TG_ACT_SOFTPLUS = 9 };

/* Losses by number, of kernels likely and likely_back. */
enum { TG_LIKELY_BERNOULLI, TG_LIKELY_GAUSSIAN, TG_LIKELY_LOGISTIC, TG_LIKELY_KL, TG_LIKELY_RATIO };

/* What a product does to a tile of C when its last k-block is done. */
typedef struct tg_epilogue {
    const float *bias;   /* [n], added at the end; or NULL */
    int act;             /* TG_ACT_..., after the bias */
} tg_epilogue;

/*
 * How a product reads its operands: as packed, or as they lie in memory. Strides in floats.
 *   left   row i of tile n at step p: a[n*tile + i*row + p*step]. row is 1 (packed, or a transposed matrix) or step is 1 (a
 *          matrix as it lies); tiles have `height` rows, the last one fewer.
 *   right  column j of panel q at step p: b[q*panel + p*step + j]; a panel is nr columns wide, the last one may be read up
 *          to nr/2 or nr columns, whichever holds what is wanted.
 *   raw    column j at step p: b[p*step + j*line], one of the two 1. Panels are packed one after the other into room for two
 *          of k steps, each while the one before it is in use.
 */
typedef struct tg_left { const float *a; int64_t tile, row, step, height; } tg_left;
typedef struct tg_right { const float *b; int64_t panel, step; } tg_right;
typedef struct tg_raw { const float *b; int64_t step, line; float *room; } tg_raw;

/*
 * One axis of a convolution over `in` numbers with `out` results: result o takes tap q from o*stride + q*dilation - before,
 * where that is there. `out` says what padding there is behind: any number such that the first tap of the last result is not past
 * it.
 */
typedef struct tg_axis { int64_t in, out, taps, stride, before, dilation; } tg_axis;
/* x [B, C, y.in, x.in], w [O, C, y.taps, x.taps] to [B, O, y.out, x.out]; what has one axis has y = {1, 1, 1, 1, 0, 1}. */
typedef struct tg_convolution { int64_t B, C, O; tg_axis y, x; } tg_convolution;

/* One instruction set's kernels; their contracts stand in kernels.def. */
typedef struct tg_kernels {
    const char *name;
    int64_t mr, nr;      /* register tile: rows of A, columns of B; panels are packed to these */
#define TG_KERNEL(result, name, arguments) result(*name) arguments;
#include "kernels/kernels.def"
#undef TG_KERNEL
} tg_kernels;

#ifdef TG_SIMD /* in multi/: rmsnorm is tg_k_avx2_rmsnorm, and every definition is checked against its contract */
#define TG_PASTE3_(a, b, c) a##b##c
#define TG_PASTE3(a, b, c) TG_PASTE3_(a, b, c)
#define TG_K(name) TG_PASTE3(tg_k_, TG_SIMD, _##name)
#define TG_KERNEL(result, name, arguments) result TG_K(name) arguments;
#include "kernels/kernels.def"
#undef TG_KERNEL
#endif

#endif
