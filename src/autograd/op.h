/*
 * op.h - the row of an op, and a node: one use of it on a tape.
 *
 * A row's functions run in this order. shape checks all that can be wrong, gives the result its shape and declares the
 * memory that is needed; the tape provides it. forward then computes, and cannot fail. backward, also unable to fail,
 * writes or adds into the inputs' gradients that somebody wants; by then they have memory.
 * Whatever must know all ops (gradient checker, docs, bench) loops over tg_op_at.
 */
#ifndef TG_AUTOGRAD_OP_H
#define TG_AUTOGRAD_OP_H

#include "kernels/drive.h"
#include "tinygen/autograd.h"

enum { TG_OP_INPUTS = 6, TG_OP_BUFFERS = 6 };

typedef struct tg_op tg_op;

/* Settings of one use. An op reads what its row's doc names. */
typedef struct tg_op_attr {
    int act;        /* tg_activation; group_norm: groups; likelihood: TG_LIKELY_...;
                       spectral_norm: whether to iterate */
    double number;  /* dropout: p; norms: eps; activate, slope: slope of leaky; scale, total: factor;
                       likelihood: log variance where it is fixed */
    tg_shape shape; /* reshape */
    double other;   /* batch_norm: momentum; scale: shift; likelihood: not 0: every example's own */
    tg_attention_options attention;
    tg_conv_options conv;
} tg_op_attr;

typedef enum tg_life {
    TG_LIFE_KEEP, /* until the next tg_tape_begin: seen from outside */
    TG_LIFE_SAVE, /* for backward; scratch of forward where nothing is recorded */
    TG_LIFE_ROOM, /* scratch of forward */
    TG_LIFE_BACK  /* scratch of backward */
} tg_life;

typedef struct tg_buffer { tg_life life; int64_t bytes; void *data; } tg_buffer;

typedef struct tg_node tg_node;
struct tg_node {
    const tg_op *op;
    tg_node *before;             /* recorded before this one */
    void *left;                  /* memory of the result's gradient, which has been read, for another one; NULL in a plan */
    int64_t left_bytes;
    tg_node *next_left;          /* among those that have some */
    tg_tensor *in[TG_OP_INPUTS]; /* NULL: an optional one that is not given */
    tg_tensor *out;              /* shape sets its shape */
    bool spare;                  /* set by shape: backward does not read out->data */
    bool view;                   /* set by shape: out->data is part of an input's memory, and set, too */
    tg_op_attr attr;
    bool recorded;               /* backward may come; set before shape is called */
    uint32_t index;              /* dropout: how many were recorded before it */
    int64_t counted;             /* cross_entropy: targets that count */
    int buffers;
    tg_buffer buffer[TG_OP_BUFFERS];
};

/* One random input of an example. Values are uniform in [low, high), ids in low .. high-1. */
typedef struct tg_example_input {
    tg_dtype dtype;
    tg_shape shape;
    double low, high;
    bool given, constant;
} tg_example_input;
typedef struct tg_example { const char *what; tg_op_attr attr; tg_example_input in[TG_OP_INPUTS]; } tg_example;

/* Units behind an activation, as a node's result or its kept gates: unit u of row r is values[r·stride + u·inner ...], inner of
 * them. Where values are what goes into the activation, before is set. */
enum { TG_OP_UNITS = 4 };
typedef struct tg_op_units {
    const char *what; /* static text: "forget gate" */
    int act;          /* tg_activation */
    bool before;
    const float *values;
    int64_t rows, stride, units, inner;
} tg_op_units;

struct tg_op {
    const char *name;
    const char *doc;     /* formula and shapes, one line */
    const char *source;  /* paper, or "" */
    int n_in;
    unsigned optional;   /* bit i: input i may be NULL */
    unsigned adopts;     /* bit i: backward may make a buffer of its own the gradient of input i, if that has none ... */
    bool passes_on;      /* ... and that buffer is the gradient of its result */
    tg_status (*shape)(tg_tape *t, tg_node *n);
    void (*forward)(tg_tape *t, tg_node *n);  /* NULL: a view is all there is to it */
    void (*backward)(tg_tape *t, tg_node *n);
    /* May be NULL. Records how the result changes as inputs change by dx (NULL: not at all; one at least does). */
    tg_tensor *(*tangent)(tg_tape *t, const tg_node *n, tg_tensor *const *dx);
    /* May be NULL: it has no activation. Right after forward, returns how many. */
    int (*units)(const tg_node *n, tg_op_units out[TG_OP_UNITS]);
    double (*flops)(const tg_tape *t, const tg_node *n, bool backward); /* multiply-add = 2 */
    bool (*example)(int variant, tg_example *e); /* false: no such variant; e is zeroed before */
};

/* All ops in the order of ops.def; NULL past the end. */
const tg_op *tg_op_at(int64_t i);

#define TG_OP(name) extern const tg_op tg_op_##name;
#include "autograd/ops.def"
#undef TG_OP

/* For examples: an input that is given. */
tg_example_input tg_example_values(int rank, const int64_t *dims, double low, double high);
tg_example_input tg_example_ids(int rank, const int64_t *dims, int64_t low, int64_t high);

#endif
