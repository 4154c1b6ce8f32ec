/* profile.c - rows of a profile. There are few, so they are searched one by one. */
#include "autograd/profile.h"

#include <string.h>

#include "base/sort.h"

static bool is_row(const tg_profile_row *r, const char *name, const tg_shape *shape, const char *pass)
{
    return !strcmp(r->name, name) && !strcmp(r->pass, pass) && tg_shape_equal(&r->shape, shape);
}

void tg_profile_add(tg_profile *p, const char *name, const tg_shape *shape, const char *pass, double seconds, double flops)
{
    const tg_shape none = {0};
    int i = 0;
    if (!p) return;
    if (!shape) shape = &none;
    while (i < p->count && !is_row(&p->rows[i], name, shape, pass)) i++;
    if (i == TG_PROFILE_ROWS) return;
    tg_profile_row *r = &p->rows[i];
    if (i == p->count) {
        p->count++;
        *r = (tg_profile_row){.name = name, .shape = *shape, .pass = pass};
    }
    r->calls++;
    r->seconds += seconds;
    r->flops += flops;
}

static int by_seconds(const void *a, const void *b, void *user)
{
    const tg_profile_row *x = a, *y = b;
    (void)user;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

void tg_profile_sort(tg_profile *p)
{
    tg_profile_row scratch[TG_PROFILE_ROWS];
    tg_sort(p->rows, p->count, sizeof *p->rows, scratch, by_seconds, NULL);
}
