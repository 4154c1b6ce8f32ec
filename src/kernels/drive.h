/*
 * drive.h - kernels over the thread pool: products of any shape, whole recurrent sequences, rows and elements in
 * fixed chunks. Scratch memory comes from the caller (sizes by the *_room functions), so nothing here allocates.
 */
#ifndef TG_KERNELS_DRIVE_H
#define TG_KERNELS_DRIVE_H

#include "base/context.h"
#include "kernels/kernels.h"

/* Floats of a page: rows so far apart, or a multiple of it, fall on the same lines of the caches and crowd each other out. */
enum { TG_PAGE_FLOATS = 1024 };

/* The context's table, picked on first use by its ISA. */
const tg_kernels *tg_kernels_of(tg_context *ctx);
/* The table of one instruction set, or NULL where it was not built or this CPU lacks it (tests). */
const tg_kernels *tg_kernels_named(const char *isa);

/* ---- products: C[m, n] = from + op(A)·op(B), op by strides: element (i, p) of A at a[i*a_rs + p*a_cs]. ---------- */

typedef struct tg_gemm {
    int64_t m, n, k;
    const float *a; int64_t a_rs, a_cs;
    const float *b; int64_t b_rs, b_cs;   /* b NULL: packed is given */
    const float *packed;                  /* whole B packed by tg_pack, or NULL */
    const float *from; int64_t from_rs;   /* NULL: zeros; may be c */
    float *c; int64_t c_rs;
    const tg_epilogue *ep;
    bool far;                             /* a core's L2 does not keep B from use to use: one row is split though it is small */
} tg_gemm;
/* Bytes of scratch that tg_gemm_run needs for these sizes and strides; of the pointers, only whether packed and ep are given
 * matters. 64-byte aligned memory. */
int64_t tg_gemm_room(tg_context *ctx, const tg_gemm *g);
void tg_gemm_run(tg_context *ctx, const tg_gemm *g, void *scratch);
/* An operand B packed once, used many times. */
int64_t tg_pack_room(tg_context *ctx, int64_t k, int64_t n);
void tg_pack(tg_context *ctx, float *out, const float *b, int64_t rs, int64_t cs, int64_t k, int64_t n);

/* ---- whole recurrent sequences (what the arrays hold: see autograd.h's tg_lstm) --------------------------------- */

typedef enum tg_cell { TG_CELL_RNN, TG_CELL_LSTM, TG_CELL_GRU } tg_cell; /* G = 1, 4, 3 gates */
typedef struct tg_sequence {
    tg_cell cell;
    int act;                     /* rnn only */
    int64_t T, B, H;
    const float *gx;             /* [T, B, G·H] */
    const float *w_hh, *b_hh;    /* [G·H, H], [G·H] */
    const float *h0, *c0;        /* [B, H]; NULL: zeros */
    const int32_t *reset;        /* [T, B] or NULL */
    const float *packed;         /* w_hh by tg_sequence_pack, for forward; NULL: it is packed in scratch, or read as it lies */
    bool far;                    /* as in tg_gemm */
    /* results, kept for backward */
    float *y;                    /* [T, B, H] */
    float *gates;                /* [T, B, G·H] activated; may be gx; backward leaves their gradients before activation here */
    float *c, *tc;               /* lstm: [T, B, H] cell, its tanh */
    float *hn;                   /* gru: [T, B, H] */
} tg_sequence;
typedef struct tg_sequence_grad {
    const float *dy;             /* [T, B, H] */
    float *dgx;  bool add_gx;    /* [T, B, G·H] or NULL: wanted nowhere but in the gates' place; add: into what is there */
    float *dw_hh; bool add_w;    /* NULL: not wanted */
    float *db_hh; bool add_b;
    float *dh0, *dc0;            /* [B, H] or NULL; overwritten */
} tg_sequence_grad;
/* w_hh as forward reads it, for many sequences with the same weights. */
int64_t tg_sequence_pack_room(tg_context *ctx, const tg_sequence *s);
void tg_sequence_pack(tg_context *ctx, const tg_sequence *s, float *out);
int64_t tg_sequence_room(tg_context *ctx, const tg_sequence *s);
void tg_sequence_forward(tg_context *ctx, const tg_sequence *s, void *scratch);
int64_t tg_sequence_back_room(tg_context *ctx, const tg_sequence *s);
void tg_sequence_backward(tg_context *ctx, const tg_sequence *s, const tg_sequence_grad *g, void *scratch);

/* ---- attention (formulas: see autograd.h's tg_attention) ---------------------------------------------------------- */

typedef struct tg_attend {
    int64_t T, B, H, K, D;               /* K heads of keys and values, each for H/K heads of queries */
    const float *qkv;                    /* [T, B, (H + 2K)·D] */
    const float *q_gain, *k_gain;        /* [D]; NULL: no norm */
    const int32_t *first;                /* [T, B] or NULL */
    double theta;                        /* base of the rotation; 0: none */
    float eps;
    float *cache_k, *cache_v;            /* [B, capacity, K·D] */
    int64_t capacity, used;              /* 0: no cache; else positions in it before these. Scratch is by capacity alone */
    float *y;                            /* [T, B, H·D] */
    float *lse;                          /* [B, K, T, H/K] log of the sum of exponentials, kept for backward; or NULL */
    float *weights;                      /* [T, B, H, used + T] what softmax makes of all scores, 0 at what is unseen; or NULL */
} tg_attend;
typedef struct tg_attend_grad {
    const float *dy;                     /* [T, B, H·D] */
    float *dqkv; bool add;               /* NULL: not wanted */
    float *dgain;                        /* [B·K, 2, D]: what each row of the batch and key head gives; NULL: no gains */
} tg_attend_grad;
int64_t tg_attend_room(tg_context *ctx, const tg_attend *s);
void tg_attend_forward(tg_context *ctx, const tg_attend *s, void *scratch);
int64_t tg_attend_back_room(tg_context *ctx, const tg_attend *s);
void tg_attend_backward(tg_context *ctx, const tg_attend *s, const tg_attend_grad *g, void *scratch); /* not with a cache */
/* Pairs of a query and a key that it sees, over one head of all rows of the batch; first NULL, too, where it is not known. */
double tg_attend_pairs(const tg_attend *s);

/* ---- convolution: x [B, C, Y, X], w [O, C, P, Q], y [B, O, y.out, x.out]; see tg_convolution ------------------------- */

/* y (+)= conv(x, w) + bias; bias NULL: none. Each element one chain over (c, p, q) ascending, padding as zeros. */
int64_t tg_conv_room(tg_context *ctx, const tg_convolution *g);
void tg_conv_forward(tg_context *ctx, const tg_convolution *g, float *y, const float *x, const float *w, const float *bias,
                     bool add, void *scratch);
/* dx (+)= the transpose of the same: chains over o, added by (p, q) ascending; then bias [C] (NULL: none; not with add). */
int64_t tg_conv_back_x_room(tg_context *ctx, const tg_convolution *g);
void tg_conv_back_x(tg_context *ctx, const tg_convolution *g, float *dx, const float *dy, const float *w, const float *bias,
                    bool add, void *scratch);
/* dw (+)= ...: chains over images and results ascending in a fixed number of parts of the batch, which are added in order. */
int64_t tg_conv_back_w_room(tg_context *ctx, const tg_convolution *g);
void tg_conv_back_w(tg_context *ctx, const tg_convolution *g, float *dw, const float *dy, const float *x, bool add,
                    void *scratch);
/* Floats of scratch that kernels patches and unpatch need for so many rows of results. */
int64_t tg_conv_planes(const tg_convolution *g, int64_t rows);

/* ---- elements and rows in fixed chunks --------------------------------------------------------------------------- */

/* fn(arg, span) over 0..n in chunks of `grain`, a constant of the caller: never a function of the thread count. */
void tg_for_spans(tg_context *ctx, int64_t n, int64_t grain, void (*fn)(void *arg, tg_span span), void *arg);
/* Sum over n elements by chunks of 4096: kernel sums, then added in order in double. partials: scratch of
 * tg_sum_room(n) bytes. */
int64_t tg_sum_room(int64_t n);
double tg_sum_all(tg_context *ctx, const float *x, int64_t n, bool squares, void *scratch);

#endif
