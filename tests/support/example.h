/* example.h - an op's own random example, made real: its inputs, one run of it, and a loss on top, so that tests can
 * loop over the op table. */
#ifndef TEST_EXAMPLE_H
#define TEST_EXAMPLE_H

#include "autograd/tape.h"

typedef struct example {
    const tg_op *op;
    tg_example what;
    tg_tensor in[TG_OP_INPUTS];   /* those that are given */
    int64_t count[TG_OP_INPUTS];  /* elements; 0: not given */
    tg_tensor dot;                /* [1, elements of the result]: what the loss multiplies it with */
} example;

tg_context *example_context(int threads, const char *isa);
/* False: the op has no such variant. Values depend on (op's name, variant) only. */
bool example_make(example *e, const tg_op *op, int variant);
void example_free(example *e);
/* Begins the tape (training, seed 1, step 2) and runs the op. */
tg_tensor *example_run(example *e, tg_tape *t);
/* Sum of dot·y as ops; forgets the inputs' gradients first, then goes back. */
void example_back(example *e, tg_tape *t, tg_tensor *y);
/* The same sum in double. */
double example_objective(const example *e, const tg_tensor *y);

/* A gradient of values in [-1, 1) of that stream. */
void set_gradient(tg_tensor *x, uint64_t stream);
/* n values uniform in [low, high) of stream (1, TEST, stream); the caller's, by tg_free. */
float *random_values(uint64_t stream, int64_t n, double low, double high);

#endif
