/* tape.c - records ops as they are computed and goes back through them. */
#include "autograd/tape.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/status.h"

enum { FIRST_BLOCK = 64 << 10, ALIGNMENT = 64, KEPT_BLOCK = 2 << 20 /* a large page: weights are streamed from it */ };

tg_status tg_tape_new(tg_context *ctx, tg_tape **out)
{
    tg_tape *t = tg_alloc(sizeof *t);
    if (!t) return TG_ENOMEM;
    t->ctx = ctx;
    t->kernels = tg_kernels_of(ctx);
    t->block = FIRST_BLOCK;
    t->arena = tg_arena_new(t->block);
    if (!t->arena) {
        tg_tape_free(t);
        return TG_ENOMEM;
    }
    *out = t;
    return TG_OK;
}

void tg_tape_free(tg_tape *t)
{
    if (!t) return;
    tg_arena_free(t->kept_arena);
    tg_arena_free(t->arena);
    tg_free(t);
}

/* Keeps the first cause. */
static tg_status fail(tg_tape *t, tg_status s)
{
    if (t->status) return t->status;
    t->status = s;
    snprintf(t->message, sizeof t->message, "%s", tg_error());
    return s;
}

void tg_tape_begin(tg_tape *t, const tg_tape_mode *mode)
{
    /* What a failed pass was to fill is not; the memory stays for the next time. */
    const bool keeps = mode->frozen && !t->status;
    for (tg_kept *k = keeps ? NULL : t->kept; k; k = k->next) k->filled = false;
    t->frozen_passes = !mode->frozen ? 0 : keeps ? t->frozen_passes + 1 : 1;
    t->mode = *mode;
    t->status = TG_OK;
    t->kept_last = NULL;
    t->last = t->newest = t->left = NULL;
    t->dropouts = 0;
    t->noises = mode->draws;
    t->flops = t->back_flops = 0;
    t->used = 0;
    int64_t need = t->arena && tg_arena_peak(t->arena) > t->block ? tg_arena_peak(t->arena) : t->block;
    if (!mode->plan && t->peak > need) need = t->peak; /* a plan knows what the step will need */
    if (t->arena && need <= t->block) {
        tg_arena_rewind(t->arena, (tg_arena_mark){0});
        return;
    }
    t->block = need;
    tg_arena_free(t->arena); /* before the new one, so that both are never there at once */
    t->arena = tg_arena_new(t->block);
    if (!t->arena) fail(t, TG_ENOMEM);
}

tg_status tg_tape_status(tg_tape *t)
{
    return t->status ? tg_fail(t->status, "%s", t->message) : TG_OK;
}

tg_status tg_tape_fail(tg_tape *t, tg_status s) { return fail(t, s); }
void tg_tape_profile(tg_tape *t, tg_profile *p) { t->profile = p; }
const tg_tape_mode *tg_tape_mode_of(const tg_tape *t) { return &t->mode; }
bool tg_tape_is_frozen(const tg_tape *t) { return t->mode.frozen; }
bool tg_tape_first_frozen(const tg_tape *t) { return t->frozen_passes == 1; }
bool tg_tape_keeps_far(const tg_tape *t) { return t->kept_bytes > t->ctx->l2; }
double tg_tape_flops(const tg_tape *t) { return t->flops; }
double tg_tape_backward_flops(const tg_tape *t) { return t->back_flops; }
int64_t tg_tape_peak(const tg_tape *t) { return t->peak; }

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void count_bytes(tg_tape *t, int64_t bytes)
{
    t->used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (t->used > t->peak) t->peak = t->used;
}

/* Memory for records: there in plan mode, too. */
static void *take_record(tg_tape *t, int64_t bytes)
{
    void *memory = tg_arena_zeros(t->arena, bytes);
    if (memory) count_bytes(t, bytes);
    else fail(t, TG_ENOMEM);
    return memory;
}

/* Memory for values: counted only, and NULL, in plan mode. */
static tg_status take_values(tg_tape *t, int64_t bytes, void **out)
{
    if (!t->mode.plan) {
        *out = tg_arena_alloc(t->arena, bytes);
        if (!*out) return fail(t, TG_ENOMEM);
    }
    count_bytes(t, bytes);
    return TG_OK;
}

tg_tape_place tg_tape_here(const tg_tape *t)
{
    return (tg_tape_place){tg_arena_here(t->arena), t->used, t->last};
}

/* Gives back what was taken since. */
static void rewind_to(tg_tape *t, tg_tape_place place)
{
    tg_arena_rewind(t->arena, place.arena);
    t->used = place.used;
}

static tg_tensor *new_tensor(tg_tape *t, const tg_shape *shape, tg_dtype dtype)
{
    tg_tensor *x = take_record(t, sizeof *x);
    if (!x) return NULL;
    x->shape = *shape;
    x->dtype = dtype;
    x->group = -1;
    return x;
}

static tg_tensor *new_input(tg_tape *t, int rank, const int64_t *dims, tg_dtype dtype, const void *data)
{
    char text[96];
    if (t->status) return NULL;
    tg_shape shape = tg_shape_of(rank, dims);
    if (rank < 0 || rank > TG_MAX_RANK || tg_shape_count(&shape) < 1 || (!data && !t->mode.plan)) {
        fail(t, tg_fail(TG_EINVAL, "input %s is empty", tg_shape_text(&shape, text)));
        return NULL;
    }
    return new_tensor(t, &shape, dtype);
}

/* The structs hold pointers that may be written through; ops never write to an input. */
tg_tensor *tg_input_ids(tg_tape *t, int rank, const int64_t *dims, const int32_t *ids)
{
    tg_tensor *x = new_input(t, rank, dims, TG_I32, ids);
    if (x) x->ids = (int32_t *)(uintptr_t)ids;
    return x;
}

tg_tensor *tg_input_values(tg_tape *t, int rank, const int64_t *dims, const float *values)
{
    tg_tensor *x = new_input(t, rank, dims, TG_F32, values);
    if (x) x->data = (float *)(uintptr_t)values;
    return x;
}

/* A tensor and its memory, which both kinds of elements take as much of. */
static tg_tensor *new_room(tg_tape *t, int rank, const int64_t *dims, tg_dtype dtype, void **room)
{
    const tg_shape shape = tg_shape_of(rank, dims);
    int64_t bytes = 0;
    if (t->status) return NULL;
    if (tg_shape_count(&shape) < 0 || __builtin_mul_overflow(tg_shape_count(&shape), (int64_t)sizeof(float), &bytes)) bytes = -1;
    tg_tensor *x = new_tensor(t, &shape, dtype);
    return !x || take_values(t, bytes, room) ? NULL : x;
}

tg_tensor *tg_tape_values(tg_tape *t, int rank, const int64_t *dims)
{
    void *room = NULL;
    tg_tensor *x = new_room(t, rank, dims, TG_F32, &room);
    if (x) x->data = room;
    return x;
}

tg_tensor *tg_tape_ids(tg_tape *t, int rank, const int64_t *dims)
{
    void *room = NULL;
    tg_tensor *x = new_room(t, rank, dims, TG_I32, &room);
    if (x) x->ids = room;
    return x;
}

tg_tensor *tg_tape_view(tg_tape *t, float *data, int rank, const int64_t *dims)
{
    tg_shape shape = tg_shape_of(rank, dims);
    tg_tensor *x = t->status ? NULL : new_tensor(t, &shape, TG_F32);
    if (x) x->data = data;
    return x;
}

/* ---- what is kept --------------------------------------------------------------------------------------------- */

static bool same_kept(const tg_kept *a, const tg_kept *b)
{
    bool same = a->op == b->op && a->bytes == b->bytes && a->attr.act == b->attr.act &&
                !(a->attr.number < b->attr.number || a->attr.number > b->attr.number) &&
                !(a->attr.other < b->attr.other || a->attr.other > b->attr.other) && tg_shape_equal(&a->attr.shape,
                                                                                                    &b->attr.shape) &&
                memcmp(&a->attr.conv, &b->attr.conv, sizeof a->attr.conv) == 0;
    for (int i = 0; i < TG_OP_INPUTS && same; i++) same = a->of[i] == b->of[i];
    return same;
}

static tg_kept *new_kept(tg_tape *t, const tg_kept *like)
{
    if (!t->kept_arena) t->kept_arena = tg_arena_new(KEPT_BLOCK);
    tg_kept *k = t->kept_arena ? tg_arena_alloc(t->kept_arena, sizeof *k) : NULL, **end = &t->kept;
    float *data = k ? tg_arena_alloc(t->kept_arena, like->bytes) : NULL;
    if (!data) return NULL;
    *k = *like;
    k->data = data;
    while (*end) end = &(*end)->next;
    *end = k;
    t->kept_bytes += k->bytes;
    return k;
}

float *tg_tape_keep(tg_tape *t, const tg_node *n, tg_tensor *const *of, int count, int64_t bytes, bool *fill)
{
    tg_kept wanted = {.op = n->op, .attr = n->attr, .bytes = bytes};
    if (!t->mode.frozen || t->mode.plan) return NULL;
    for (int i = 0; i < count; i++) {
        if (of[i] && of[i]->group < 0) return NULL;
        wanted.of[i] = of[i] ? of[i]->data : NULL;
    }
    tg_kept *k = t->kept_last ? t->kept_last->next : t->kept;
    if (!k || !same_kept(k, &wanted))
        for (k = t->kept; k && !same_kept(k, &wanted);) k = k->next;
    if (!k) k = new_kept(t, &wanted);
    if (!k) return NULL;
    *fill = !k->filled;
    k->filled = true;
    t->kept_last = k;
    return k->data;
}

/* ---- forward ---------------------------------------------------------------------------------------------------- */

void tg_tape_watch(tg_tape *t, tg_tape_look *look, void *user)
{
    t->look = look;
    t->looker = user;
}

void tg_node_buffer(tg_node *n, tg_life life, int64_t bytes)
{
    TG_ASSERT(n->buffers < TG_OP_BUFFERS && bytes >= 0);
    n->buffer[n->buffers++] = (tg_buffer){.life = life, .bytes = bytes};
}

bool tg_node_take_over(tg_node *n, int i)
{
    tg_tensor *x = n->in[i];
    if (x->spare) x->spent = true;
    return x->spent;
}

bool tg_tape_wants(const tg_tape *t, const tg_tensor *x)
{
    if (!x || !x->wants_grad || !t->mode.train) return false;
    return x->group < 0 || t->mode.groups == 0 || (x->group < 32 && (t->mode.groups >> x->group & 1) != 0);
}

static tg_node *new_node(tg_tape *t, const tg_op *op, tg_tensor *const *in, const tg_op_attr *attr)
{
    tg_node *n = take_record(t, sizeof *n);
    if (!n) return NULL;
    n->op = op;
    if (attr) n->attr = *attr;
    for (int i = 0; i < op->n_in; i++) {
        n->in[i] = in[i];
        if (!in[i] && (op->optional >> i & 1) == 0) {
            fail(t, tg_fail(TG_EINVAL, "%s: input %d is missing", op->name, i));
            return NULL;
        }
        if (in[i] && in[i]->spent) {
            fail(t, tg_fail(TG_EINVAL, "%s: input %d was used up by the op that read it before", op->name, i));
            return NULL;
        }
        if (tg_tape_wants(t, in[i])) n->recorded = true;
    }
    n->out = new_tensor(t, &(tg_shape){0}, TG_F32);
    return n->out ? n : NULL;
}

/* Takes the buffers of this node that live from now on (lasting) or for its forward only (not). */
static tg_status take_buffers(tg_tape *t, tg_node *n, bool lasting)
{
    tg_status s = TG_OK;
    for (int i = 0; i < n->buffers && !s; i++) {
        tg_buffer *b = &n->buffer[i];
        bool lasts = b->life == TG_LIFE_KEEP || (b->life == TG_LIFE_SAVE && n->recorded);
        if (b->life != TG_LIFE_BACK && lasts == lasting) s = take_values(t, b->bytes, &b->data);
    }
    return s;
}

/* A result that outlives its node: not where backward or a view of a buffer comes after it. */
static bool may_be_kept(const tg_node *n)
{
    for (int i = 0; i < n->buffers; i++)
        if (n->buffer[i].life == TG_LIFE_KEEP) return false;
    return !n->view && !n->recorded;
}

static tg_status compute(tg_tape *t, tg_node *n)
{
    int64_t bytes = 0;
    int64_t count = tg_shape_count(&n->out->shape);
    if (count < 1 || __builtin_mul_overflow(count, (int64_t)sizeof(float), &bytes))
        return fail(t, tg_fail(TG_EINVAL, "%s: its result is too large", n->op->name));
    tg_status s = TG_OK;
    void *data = n->out->data;
    bool fill = true;
    float *kept = may_be_kept(n) ? tg_tape_keep(t, n, n->in, n->op->n_in, bytes, &fill) : NULL;
    if (kept) data = kept;
    else if (!n->view) s = take_values(t, bytes, &data);
    n->out->data = data;
    n->out->spare = n->spare && !kept && !n->view;
    if (!fill) return s;
    if (!s) s = take_buffers(t, n, true);
    if (s) return s;
    const tg_tape_place before = tg_tape_here(t);
    s = take_buffers(t, n, false);
    if (!s && !t->mode.plan && n->op->forward) n->op->forward(t, n);
    if (!s && !t->mode.plan && t->look) t->look(t->looker, n);
    rewind_to(t, before);
    return s;
}

static bool is_profiled(const tg_tape *t)
{
    return t->profile && t->mode.train && !t->mode.plan;
}

tg_tensor *tg_tape_apply(tg_tape *t, const tg_op *op, tg_tensor *const *in, const tg_op_attr *attr)
{
    if (t->status) return NULL;
    tg_node *n = new_node(t, op, in, attr);
    if (!n) return NULL;
    tg_status s = op->shape(t, n);
    if (s) {
        fail(t, s);
        return NULL;
    }
    for (int i = 0; i < op->n_in; i++) /* this op may have taken one over; none after it may: its backward may read them */
        if (n->in[i]) n->in[i]->spare = false;
    const double began = is_profiled(t) ? tg_now() : 0, flops = op->flops(t, n, false);
    if (compute(t, n)) return NULL;
    if (is_profiled(t)) tg_profile_add(t->profile, op->name, &n->out->shape, "forward", tg_now() - began, flops);
    t->newest = n;
    t->flops += flops;
    if (!n->recorded) return n->out;
    t->back_flops += op->flops(t, n, true);
    n->out->wants_grad = true;
    n->before = t->last;
    t->last = n;
    return n->out;
}

tg_tensor *tg_tape_settle(tg_tape *t, tg_tape_place from, tg_tensor *x, tg_tensor *next)
{
    if (!next || next == x || t->last != from.last || t->look || t->mode.watch) return next;
    TG_ASSERT(tg_shape_equal(&x->shape, &next->shape) && x->dtype == TG_F32 && x->group < 0);
    if (x->data != next->data) memcpy(x->data, next->data, (size_t)(tg_shape_count(&x->shape) * (int64_t)sizeof(float)));
    x->spare = next->spare;
    x->spent = false;
    t->newest = NULL;
    rewind_to(t, from);
    return x;
}

/* ---- backward --------------------------------------------------------------------------------------------------- */

float *tg_node_grad(const tg_tape *t, tg_node *n, int i, bool *add)
{
    tg_tensor *x = n->in[i];
    if (!tg_tape_wants(t, x)) return NULL;
    *add = x->has_grad;
    x->has_grad = true;
    return x->grad;
}

static void pass_room_on(tg_node *n, tg_tensor *to)
{
    to->grad_room = n->out->grad_room;
    n->out->grad_room = 0;
}

float *tg_node_grad_or_adopt(const tg_tape *t, tg_node *n, int i, float *buffer)
{
    tg_tensor *x = n->in[i];
    if (!tg_tape_wants(t, x)) return NULL;
    if (x->grad) return x->grad;
    x->grad = buffer;
    x->has_grad = true;
    if (n->op->passes_on) pass_room_on(n, x);
    return NULL;
}

/* Memory for the gradient of x: the smallest of those that have been read, if one is large enough, so that a step's gradients
 * take little more than the largest few of them. The oldest of equals: the newest is still in another core's cache. */
static tg_status take_gradient(tg_tape *t, tg_tensor *x)
{
    const int64_t bytes = tg_shape_count(&x->shape) * (int64_t)sizeof(float);
    tg_node **best = NULL;
    for (tg_node **at = &t->left; *at; at = &(*at)->next_left)
        if ((*at)->left_bytes >= bytes && (!best || (*at)->left_bytes <= (*best)->left_bytes)) best = at;
    void *grad = NULL;
    x->grad_room = bytes;
    if (best) {
        grad = (*best)->left;
        x->grad_room = (*best)->left_bytes;
        *best = (*best)->next_left;
    } else if (take_values(t, bytes, &grad)) {
        return t->status;
    }
    x->grad = grad;
    return TG_OK;
}

/* Nobody reads the gradient of this node's result any more. */
static void leave_gradient(tg_tape *t, tg_node *n)
{
    tg_tensor *out = n->out;
    if (out->grad_room == 0) return;
    n->left = out->grad;
    n->left_bytes = out->grad_room;
    n->next_left = t->left;
    t->left = n;
    out->grad = NULL;
    out->grad_room = 0;
    out->has_grad = false;
}

/* Memory for the gradients that this node is about to write first. Parameters bring theirs. */
static tg_status take_gradients(tg_tape *t, tg_node *n)
{
    for (int i = 0; i < n->op->n_in; i++) {
        tg_tensor *x = n->in[i];
        if (!tg_tape_wants(t, x) || x->grad || (t->mode.plan && (x->group >= 0 || x->has_grad))) continue;
        bool adopts = (n->op->adopts >> i & 1) != 0;
        if (adopts && !t->mode.plan) continue;
        if (t->mode.plan) x->has_grad = true;
        if (adopts && n->op->passes_on) pass_room_on(n, x);
        if (!adopts && take_gradient(t, x)) return t->status;
    }
    return TG_OK;
}

static tg_status node_back(tg_tape *t, tg_node *n)
{
    const double began = is_profiled(t) ? tg_now() : 0;
    tg_status s = take_gradients(t, n);
    if (s) return s;
    const tg_tape_place before = tg_tape_here(t);
    for (int i = 0; i < n->buffers && !s; i++)
        if (n->buffer[i].life == TG_LIFE_BACK) s = take_values(t, n->buffer[i].bytes, &n->buffer[i].data);
    if (!s && !t->mode.plan) n->op->backward(t, n);
    if (is_profiled(t))
        tg_profile_add(t->profile, n->op->name, &n->out->shape, "backward", tg_now() - began, n->op->flops(t, n, true));
    rewind_to(t, before);
    leave_gradient(t, n);
    return s;
}

tg_status tg_tape_backward(tg_tape *t, tg_tensor *loss)
{
    return tg_tape_backward_by(t, loss, 1);
}

tg_status tg_tape_backward_by(tg_tape *t, tg_tensor *loss, double weight)
{
    char text[96];
    if (t->status) return tg_tape_status(t);
    if (!loss) return fail(t, tg_fail(TG_EINVAL, "backward: there is no loss"));
    if (tg_shape_count(&loss->shape) != 1)
        return fail(t, tg_fail(TG_EINVAL, "backward: the loss has shape %s; it must be one number",
                               tg_shape_text(&loss->shape, text)));
    if (!t->last || !loss->wants_grad)
        return fail(t, tg_fail(TG_EINVAL, "backward: nothing was recorded that needs a gradient"));
    void *grad = NULL;
    if (take_values(t, sizeof(float), &grad)) return tg_tape_status(t);
    loss->grad = grad;
    loss->has_grad = true;
    if (grad) *loss->grad = (float)weight;
    tg_node *n = t->last;
    t->last = NULL; /* adopted buffers are changed on the way: there is no second time */
    for (; n; n = n->before)
        if (n->out->has_grad && node_back(t, n)) return tg_tape_status(t);
    return TG_OK;
}

/* ---- what several ops need -------------------------------------------------------------------------------------- */

int64_t tg_columns_of(const tg_tensor *x)
{
    return x->shape.rank ? x->shape.dims[x->shape.rank - 1] : 1;
}

int64_t tg_rows_of(const tg_tensor *x)
{
    return tg_shape_count(&x->shape) / tg_columns_of(x);
}

typedef struct accumulate_job { const tg_kernels *k; float *y; const float *x; bool add; } accumulate_job;

static void accumulate_span(void *arg, tg_span s)
{
    const accumulate_job *j = arg;
    j->k->accumulate(j->y + s.begin, j->x + s.begin, s.end - s.begin, j->add);
}

void tg_accumulate_all(tg_tape *t, float *y, const float *x, int64_t n, bool add)
{
    accumulate_job j = {t->kernels, y, x, add};
    tg_for_spans(t->ctx, n, 16384, accumulate_span, &j);
}

typedef struct sums_job { const tg_kernels *k; float *out; const float *x; int64_t rows, columns; bool add; } sums_job;

static void sums_span(void *arg, tg_span s)
{
    const sums_job *j = arg;
    j->k->column_sum(j->out, j->x, j->columns, j->rows, s, j->add);
}

void tg_column_sums(tg_tape *t, float *out, const float *x, int64_t rows, int64_t columns, bool add)
{
    sums_job j = {t->kernels, out, x, rows, columns, add};
    tg_for_spans(t->ctx, columns, 64, sums_span, &j);
}
