/* tangent.c - how a result changes as an input moves in a direction, recorded out of ordinary ops: forward mode over what is on
 * the
 * tape, op by op, by the rows' own rules. What is recorded has gradients like everything else. */
#include <stddef.h>

#include "autograd/tape.h"

/* What lies between x and y, in the order of recording. */
typedef struct way {
    int64_t count;
    tg_node **node;
    tg_tensor **change; /* of each node's result; NULL: none */
    bool *needed;       /* y depends on it */
} way;

static bool collect(tg_tape *t, way *w)
{
    w->count = 0;
    for (tg_node *n = t->last; n; n = n->before) w->count++;
    w->node = tg_arena_zeros(t->arena, (w->count + 1) * (int64_t)sizeof(tg_node *));
    w->change = tg_arena_zeros(t->arena, (w->count + 1) * (int64_t)sizeof(tg_tensor *));
    w->needed = tg_arena_zeros(t->arena, w->count + 1);
    if (!w->node || !w->change || !w->needed) {
        tg_tape_fail(t, TG_ENOMEM);
        return false;
    }
    int64_t i = w->count;
    for (tg_node *n = t->last; n; n = n->before) w->node[--i] = n;
    return true;
}

static int64_t maker_of(const way *w, const tg_tensor *x)
{
    for (int64_t i = 0; x && i < w->count; i++)
        if (w->node[i]->out == x) return i;
    return -1;
}

static void mark_needed(const way *w, const tg_tensor *y)
{
    int64_t i = maker_of(w, y);
    if (i >= 0) w->needed[i] = true;
    for (; i >= 0; i--)
        for (int k = 0; w->needed[i] && k < w->node[i]->op->n_in; k++) {
            const int64_t from = maker_of(w, w->node[i]->in[k]);
            if (from >= 0) w->needed[from] = true;
        }
}

tg_tensor *tg_tangent_sum(tg_tape *t, tg_tensor *a, tg_tensor *b) { return a && b ? tg_add(t, a, b) : a ? a : b; }

tg_tensor *tg_tangent_refused(tg_tape *t, const tg_node *n, int input)
{
    tg_tape_fail(t, tg_fail(TG_EUNSUPPORTED, "tangent: %s has none for its input %d", n->op->name, input));
    return NULL;
}

/* Of one node; false: failed. */
static bool step(tg_tape *t, const way *w, int64_t i, const tg_tensor *x, tg_tensor *direction)
{
    const tg_node *n = w->node[i];
    tg_tensor *change[TG_OP_INPUTS] = {NULL};
    bool any = false;
    for (int k = 0; k < n->op->n_in; k++) {
        const int64_t from = maker_of(w, n->in[k]);
        change[k] = n->in[k] == x ? direction : from >= 0 ? w->change[from] : NULL;
        any = any || change[k];
    }
    if (!any) return true;
    if (!n->op->tangent) {
        tg_tape_fail(t, tg_fail(TG_EUNSUPPORTED, "tangent: %s has none; leave it out of what is differentiated twice",
                                n->op->name));
        return false;
    }
    return (w->change[i] = n->op->tangent(t, n, change)) != NULL;
}

tg_tensor *tg_tangent(tg_tape *t, tg_tensor *y, tg_tensor *x, tg_tensor *direction)
{
    char a[96], b[96];
    way w;
    if (t->status || !y || !x || !direction) return NULL;
    if (!tg_tape_wants(t, x) || !tg_shape_equal(&x->shape, &direction->shape)) {
        tg_tape_fail(t, tg_fail(TG_EINVAL,
                                "tangent: x %s must be recorded as wanting a gradient, and the direction %s be like it",
                                tg_shape_text(&x->shape, a), tg_shape_text(&direction->shape, b)));
        return NULL;
    }
    if (!collect(t, &w)) return NULL;
    mark_needed(&w, y);
    for (int64_t i = 0; i < w.count; i++)
        if (w.needed[i] && !step(t, &w, i, x, direction)) return NULL;
    const int64_t last = maker_of(&w, y);
    if (last >= 0 && w.change[last]) return w.change[last];
    tg_tape_fail(t, tg_fail(TG_EINVAL, "tangent: the result does not depend on x"));
    return NULL;
}
