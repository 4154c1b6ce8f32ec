/* naive_image.h - what the image kernels and ops compute, as plain loops in double, from the formulas. */
#ifndef TEST_NAIVE_IMAGE_H
#define TEST_NAIVE_IMAGE_H

#include "kernels/kernels.h"

/* Place in the image under tap q at result o, or -1: padding. */
int64_t naive_tap(const tg_axis *a, int64_t o, int64_t q);
/* y [B, O, y.out, x.out]; bias NULL: none */
void naive_conv(double *y, const double *x, const double *w, const double *bias, const tg_convolution *g);
/* dx, dw overwritten; either may be NULL */
void naive_conv_back(double *dx, double *dw, const double *dy, const double *x, const double *w, const tg_convolution *g);

#endif
