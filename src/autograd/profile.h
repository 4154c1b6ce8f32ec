/* profile.h - where the time of training steps goes: a row for each op and shape of result, forward and backward apart. */
#ifndef TG_AUTOGRAD_PROFILE_H
#define TG_AUTOGRAD_PROFILE_H
#include "tinygen/autograd.h"

enum { TG_PROFILE_ROWS = 128 };

typedef struct tg_profile_row {
    const char *name;   /* static text */
    tg_shape shape;     /* of the result; rank 0 where it says nothing */
    const char *pass;   /* "forward", "backward"; "": neither */
    int64_t calls;
    double seconds, flops;
} tg_profile_row;
/* Rows past the last are not taken down. */
typedef struct tg_profile { int count; tg_profile_row rows[TG_PROFILE_ROWS]; } tg_profile;

/* shape may be NULL. p NULL: nobody wants to know. */
void tg_profile_add(tg_profile *p, const char *name, const tg_shape *shape, const char *pass, double seconds, double flops);
/* Longest first. */
void tg_profile_sort(tg_profile *p);
/* Training passes of this tape are taken down in p, which is borrowed, until it is told NULL. */
void tg_tape_profile(tg_tape *t, tg_profile *p);
#endif
