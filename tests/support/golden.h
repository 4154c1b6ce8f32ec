/* golden.h - values from outside: tests/golden/NAME.safetensors, made by tests/golden/make.py. */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "data/codec/safetensors.h"
#include "tinygen/tensor.h"

typedef struct golden { tg_safetensors *file; tg_arena *arena; } golden;

golden golden_open(const char *name);
void golden_close(golden *g);
/* A tensor of the file, with room for a gradient nowhere: wants_grad is false, group -1. Lives until golden_close. */
tg_tensor *golden_tensor(golden *g, const char *name);
bool golden_has(const golden *g, const char *name);
/* |got - stored| <= tolerance times the largest stored value. Returns the largest error in that measure. */
double golden_check(golden *g, const char *name, const float *got, double tolerance);

#endif
