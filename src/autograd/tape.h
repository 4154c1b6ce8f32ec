/*
 * tape.h - the inside of tg_tape, for ops.
 *
 * Nodes, tensors, values, saved buffers and gradients lie in one arena. tg_tape_begin rewinds it; where the step before
 * needed more than its first block, the arena is made anew with one block of that size, so that from the third step on
 * nothing is allocated. Scratch is taken behind a mark and given back when the node is done. In plan mode the same
 * code runs and counts, but values get no memory and nothing is computed: the planned peak is the real one.
 */
#ifndef TG_AUTOGRAD_TAPE_H
#define TG_AUTOGRAD_TAPE_H

#include "autograd/op.h"
#include "autograd/profile.h"
#include "base/arena.h"

/* One thing made of parameters: by op, from those whose values begin at `of`. */
typedef struct tg_kept tg_kept;
struct tg_kept {
    tg_kept *next;
    const tg_op *op;
    tg_op_attr attr;
    const void *of[TG_OP_INPUTS];
    int64_t bytes;
    bool filled;
    float *data;
};

/* Told of a node as soon as it is computed, while its scratch is still there: later ops may use its result up. */
typedef void tg_tape_look(void *user, const tg_node *n);

struct tg_tape {
    tg_context *ctx;
    const tg_kernels *kernels;
    tg_arena *arena;         /* NULL only after memory ran out in begin */
    int64_t block;           /* bytes of its first block */
    tg_tape_mode mode;
    tg_node *last;           /* recorded last; NULL: nothing to go back through */
    tg_node *newest;         /* computed last, recorded or not */
    tg_node *left;           /* the newest of those whose gradients left memory for others */
    uint32_t dropouts;       /* recorded since begin */
    int64_t frozen_passes;   /* begun one after another, this one too; 0: the mode is not frozen */
    tg_arena *kept_arena;    /* NULL: nothing was kept yet */
    uint32_t noises;         /* drawn since begin */
    tg_kept *kept;           /* what is kept while the mode is frozen, in the order of first use */
    int64_t kept_bytes;      /* of all of it */
    tg_kept *kept_last;      /* found last: ops ask in the same order every time, so the next one is wanted next */
    double flops, back_flops;
    int64_t used, peak;      /* bytes, each piece rounded up to the arena's alignment */
    tg_profile *profile;     /* of training passes, borrowed; NULL: not wanted */
    tg_tape_look *look;      /* told of every op that was computed; NULL: nobody */
    void *looker;
    tg_status status;        /* first error since begin */
    char message[512];
};

/* Records and computes one op; NULL: failed, now or before. in has op->n_in entries. attr may be NULL. */
tg_tensor *tg_tape_apply(tg_tape *t, const tg_op *op, tg_tensor *const *in, const tg_op_attr *attr);

/* A tensor over part of another's memory, through which no gradient flows. NULL: failed. */
tg_tensor *tg_tape_view(tg_tape *t, float *data, int rank, const int64_t *dims);

/* A place on the tape. After part of a model that turned x, made before the place, into `next` of the same shape: where nothing was
 * recorded since, and nobody looks, all memory taken since is given back, next's values move into x, and x is returned; else next.
 * So a pass without gradients holds one layer at a time. next NULL: NULL. */
typedef struct tg_tape_place { tg_arena_mark arena; int64_t used; const tg_node *last; } tg_tape_place;
tg_tape_place tg_tape_here(const tg_tape *t);
tg_tensor *tg_tape_settle(tg_tape *t, tg_tape_place from, tg_tensor *x, tg_tensor *next);

/* From now on look is told of every op; NULL: nobody is. Not in a plan, nor of what is kept from the pass before. */
void tg_tape_watch(tg_tape *t, tg_tape_look *look, void *user);
/* For shape: memory of this node; its number is the order of the calls, from 0. */
void tg_node_buffer(tg_node *n, tg_life life, int64_t bytes);
/* Whether backward must compute the gradient of x (NULL: no). */
bool tg_tape_wants(const tg_tape *t, const tg_tensor *x);
/* For backward: where to write input i's gradient, *add whether to add to what is there. NULL: not wanted. Marks it as
 * written, so ask once for each use. */
float *tg_node_grad(const tg_tape *t, tg_node *n, int i, bool *add);
/* The same for an input in op->adopts: a first gradient becomes buffer itself (then NULL is returned). */
float *tg_node_grad_or_adopt(const tg_tape *t, tg_node *n, int i, float *buffer);

/* For shape: takes over the memory of input i, if that may be used up; false: it may not. */
bool tg_node_take_over(tg_node *n, int i);
/* Memory that stays from begin to begin while the mode is frozen, for what node n makes of `count` parameters (some may be
 * NULL) and its attributes alone; *fill: it must be filled now, which must not fail. NULL: nothing is kept, because of the
 * mode, because one is no parameter, or for want of memory: do without. */
float *tg_tape_keep(tg_tape *t, const tg_node *n, tg_tensor *const *of, int count, int64_t bytes, bool *fill);

/* Whether this is the first pass since the mode is frozen: what would have to be made for it alone may wait. */
bool tg_tape_first_frozen(const tg_tape *t);
/* Whether what is kept takes more than a core's L2, so that each use fetches it from further away. */
bool tg_tape_keeps_far(const tg_tape *t);

/* For tangents: the sum of two, of which one or both may be NULL; and the refusal of what a row cannot do. */
tg_tensor *tg_tangent_sum(tg_tape *t, tg_tensor *a, tg_tensor *b);
tg_tensor *tg_tangent_refused(tg_tape *t, const tg_node *n, int input);

/* Elements before the last axis, and the last axis. */
int64_t tg_rows_of(const tg_tensor *x);
int64_t tg_columns_of(const tg_tensor *x);

/* y (+)= x over n elements, in chunks over the pool. */
void tg_accumulate_all(tg_tape *t, float *y, const float *x, int64_t n, bool add);
/* out[j] (+)= sum of column j of x [rows, columns], in chunks over the pool. */
void tg_column_sums(tg_tape *t, float *out, const float *x, int64_t rows, int64_t columns, bool add);

#endif
