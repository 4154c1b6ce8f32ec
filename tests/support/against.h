/* against.h - one case of a golden file that make.py's case() wrote: an op's result and gradients against PyTorch's. */
#ifndef TEST_AGAINST_H
#define TEST_AGAINST_H

#include "autograd/tape.h"
#include "support/golden.h"

typedef struct against {
    golden g;
    tg_context *ctx;
    tg_tape *t;
    const char *name; /* of the case */
    int inputs;
    struct { const char *key; tg_tensor *x; } in[8];
} against;

/* Opens the file and begins a tape (training). */
void against_open(against *a, const char *file);
void against_close(against *a);
/* The next case; what was made before is gone. */
void against_case(against *a, const char *name);
/* One of its inputs, whose gradient is wanted if the file has it. */
tg_tensor *against_input(against *a, const char *key);
/* Goes back from sum(y·dy) and compares y and all gradients; returns the largest error, which is at most tolerance of the
 * largest number. */
double against_check(against *a, tg_tensor *y, double tolerance);

#endif
