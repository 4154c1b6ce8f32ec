/* likelihood.c - losses in nats per example: every element's -log p is added up and divided by the examples (the first axis); or
 * every example's own, where several rows of logits may explain the same one: row r goes with row r % B of what has B rows. */
#include <math.h>

#include "autograd/tape.h"

enum { A, B, X };           /* logits or means; log variances or log scales; what is to be explained */
enum { PARTIALS };
enum { CHUNK = 4096 };      /* decides bits: never change without raising TG_ALGORITHM */

static const char *const names[] = {
    [TG_LIKELY_BERNOULLI] = "bce_logits", [TG_LIKELY_GAUSSIAN] = "gauss_nll", [TG_LIKELY_LOGISTIC] = "logistic_nll",
    [TG_LIKELY_KL] = "gauss_kl", [TG_LIKELY_RATIO] = "gauss_ratio",
};

static bool is_each(const tg_node *n) { return n->attr.other != 0; }

/* Of examples one by one, rows of the input that has fewest. */
static int64_t fewest_rows(const tg_node *n)
{
    int64_t rows = n->in[A]->shape.dims[0];
    for (int i = B; i <= X; i++)
        if (n->in[i] && n->in[i]->shape.dims[0] < rows) rows = n->in[i]->shape.dims[0];
    return rows;
}

/* Whether input i has the shape of a, or, of examples one by one, fewer rows that a's are a multiple of. */
static bool fits(const tg_node *n, int i)
{
    const tg_shape *a = &n->in[A]->shape;
    tg_shape b = n->in[i]->shape;
    if (n->in[i]->dtype != TG_F32) return false;
    if (is_each(n) && b.rank == a->rank && b.dims[0] == fewest_rows(n) && b.dims[0] > 0 && a->dims[0] % b.dims[0] == 0)
        b.dims[0] = a->dims[0];
    return tg_shape_equal(&b, a);
}

static tg_status likelihood_shape(tg_tape *t, tg_node *n)
{
    char a[96], other[96];
    const tg_tensor *x = n->in[A];
    const int64_t chunks = (tg_shape_count(&x->shape) + CHUNK - 1) / CHUNK;
    if (x->shape.rank < 1 || (is_each(n) && x->shape.dims[0] < 1))
        return tg_fail(TG_EINVAL, "%s: a tensor of shape %s is no batch of examples", names[n->attr.act],
                       tg_shape_text(&x->shape, a));
    for (int i = A; i <= X; i++)
        if (n->in[i] && (n->in[i]->shape.rank < 1 || !fits(n, i)))
            return tg_fail(TG_EINVAL, "%s: shapes %s and %s differ", names[n->attr.act], tg_shape_text(&x->shape, a),
                           tg_shape_text(&n->in[i]->shape, other));
    if (!n->in[X] != (n->attr.act == TG_LIKELY_KL) || (!n->in[B] && n->attr.act != TG_LIKELY_BERNOULLI &&
                                                       n->attr.act != TG_LIKELY_GAUSSIAN))
        return tg_fail(TG_EINVAL, "%s: an input is missing", names[n->attr.act]);
    if (tg_tape_wants(t, n->in[X])) return tg_fail(TG_EINVAL, "%s: what is to be explained has no gradient", names[n->attr.act]);
    n->out->shape = tg_shape_of(is_each(n), x->shape.dims);
    if (!is_each(n)) tg_node_buffer(n, TG_LIFE_ROOM, chunks * (int64_t)sizeof(float));
    return TG_OK;
}

typedef struct likely_job { const tg_kernels *k; const tg_node *n; float *da, *db, by; bool add_a, add_b; } likely_job;

static const float *data_at(const tg_node *n, int i, int64_t at) { return n->in[i] ? n->in[i]->data + at : NULL; }

static void forward_span(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    float *partial = n->buffer[PARTIALS].data;
    partial[s.begin / CHUNK] = j->k->likely(n->attr.act, data_at(n, A, s.begin), data_at(n, B, s.begin), data_at(n, X, s.begin),
                                            (float)n->attr.number, s.end - s.begin);
}

/* ---- every example's own ---- */

static int64_t row_size(const tg_node *n) { return tg_shape_count(&n->in[A]->shape) / n->in[A]->shape.dims[0]; }

static int64_t rows_at_once(int64_t numbers_a_row) { return numbers_a_row < CHUNK ? CHUNK / (numbers_a_row + 1) + 1 : 1; }

/* What row r of a goes with. */
static int64_t row_at(const tg_node *n, int i, int64_t r) { return n->in[i] ? r % n->in[i]->shape.dims[0] * row_size(n) : 0; }

static void forward_rows(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    const int64_t size = row_size(n);
    for (int64_t r = s.begin; r < s.end; r++) {
        double sum = 0;
        for (int64_t d = 0; d < size; d += CHUNK)
            sum += (double)j->k->likely(n->attr.act, data_at(n, A, r * size + d), data_at(n, B, row_at(n, B, r) + d),
                                        data_at(n, X, row_at(n, X, r) + d), (float)n->attr.number,
                                        size - d < CHUNK ? size - d : CHUNK);
        n->out->data[r] = (float)sum;
    }
}

/* Examples, each with all of its rows, in order: theirs adds up in what they share. */
static void backward_rows(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    const int64_t size = row_size(n), rows = n->in[A]->shape.dims[0], step = fewest_rows(n);
    const bool shared = n->in[B] && n->in[B]->shape.dims[0] < rows;
    for (int64_t i = s.begin; i < s.end; i++)
        for (int64_t r = i; r < rows; r += step)
            j->k->likely_back(j->da ? j->da + r * size : NULL, j->db ? j->db + row_at(n, B, r) : NULL, n->attr.act,
                              data_at(n, A, r * size), data_at(n, B, row_at(n, B, r)), data_at(n, X, row_at(n, X, r)),
                              (float)n->attr.number, n->out->grad[r], size, j->add_a, j->add_b || (shared && r > i));
}

/* ---- both ---- */

static void likelihood_forward(tg_tape *t, tg_node *n)
{
    likely_job j = {.k = t->kernels, .n = n};
    const int64_t count = tg_shape_count(&n->in[A]->shape);
    const float *partial = n->buffer[PARTIALS].data;
    double sum = 0;
    if (is_each(n)) {
        tg_for_spans(t->ctx, n->in[A]->shape.dims[0], rows_at_once(row_size(n)), forward_rows, &j);
        return;
    }
    tg_for_spans(t->ctx, count, CHUNK, forward_span, &j);
    for (int64_t i = 0; i * CHUNK < count; i++) sum += (double)partial[i];
    n->out->data[0] = (float)(sum / (double)n->in[A]->shape.dims[0]);
}

static void backward_span(void *arg, tg_span s)
{
    const likely_job *j = arg;
    const tg_node *n = j->n;
    j->k->likely_back(j->da ? j->da + s.begin : NULL, j->db ? j->db + s.begin : NULL, n->attr.act, data_at(n, A, s.begin),
                      data_at(n, B, s.begin), data_at(n, X, s.begin), (float)n->attr.number, j->by, s.end - s.begin, j->add_a,
                          j->add_b);
}

static void likelihood_backward(tg_tape *t, tg_node *n)
{
    likely_job j = {.k = t->kernels, .n = n, .by = n->out->grad[0] / (float)n->in[A]->shape.dims[0]}; /* each: not used */
    j.da = tg_node_grad(t, n, A, &j.add_a);
    j.db = n->in[B] ? tg_node_grad(t, n, B, &j.add_b) : NULL;
    const int64_t few = fewest_rows(n), count = tg_shape_count(&n->in[A]->shape);
    if (!j.da && !j.db) return;
    if (is_each(n)) tg_for_spans(t->ctx, few, rows_at_once(count / few), backward_rows, &j);
    else tg_for_spans(t->ctx, count, CHUNK, backward_span, &j);
}

/* Exponentials and logarithms count as 8. */
static double likelihood_flops(const tg_tape *t, const tg_node *n, bool backward)
{
    static const double each[] = {[TG_LIKELY_BERNOULLI] = 30, [TG_LIKELY_GAUSSIAN] = 14, [TG_LIKELY_LOGISTIC] = 100,
                                  [TG_LIKELY_KL] = 13, [TG_LIKELY_RATIO] = 5};
    (void)t, (void)backward;
    return each[n->attr.act] * (double)tg_shape_count(&n->in[A]->shape);
}

static bool likelihood_example(int variant, tg_example *e)
{
    static const struct { const char *what; int kind; bool b, x; double low, high; int64_t rows, shared; } v[] = {
        {"bernoulli", TG_LIKELY_BERNOULLI, false, true, -3, 3, 3, 3}, {"gaussian", TG_LIKELY_GAUSSIAN, true, true, -1, 1, 3, 3},
        {"gaussian, fixed variance", TG_LIKELY_GAUSSIAN, false, true, -1, 1, 3, 3},
        {"logistic", TG_LIKELY_LOGISTIC, true, true, 0.1, 0.9, 3, 3}, {"divergence", TG_LIKELY_KL, true, false, -2, 2, 3, 3},
        {"each of six by three", TG_LIKELY_BERNOULLI, false, true, -3, 3, 6, 3},
        {"each of six by its own", TG_LIKELY_GAUSSIAN, true, true, -1, 1, 6, 6},
        {"ratio of six draws of three", TG_LIKELY_RATIO, true, true, -1, 1, 6, 3},
    };
    if (variant >= (int)(sizeof v / sizeof *v)) return false;
    e->what = v[variant].what;
    e->attr.act = v[variant].kind;
    e->attr.number = -0.5;
    e->attr.other = v[variant].rows > 3;
    const int64_t dims[] = {v[variant].rows, 19}, fewer[] = {v[variant].shared, 19};
    e->in[A] = tg_example_values(2, dims, v[variant].low, v[variant].high);
    if (v[variant].b) e->in[B] = tg_example_values(2, fewer, -1, 1);
    if (v[variant].x) e->in[X] = tg_example_values(2, v[variant].kind == TG_LIKELY_RATIO ? dims : fewer, 0, 1);
    e->in[X].constant = true;
    return true;
}

const tg_op tg_op_likelihood = {
    .name = "likelihood", .n_in = 3, .optional = 1 << B | 1 << X,
    .doc = "nats per example, or each one's: bernoulli (logits), gaussian, logistic of 256 bins (mean, log variance or scale), "
           "KL to N(0, 1); log q - log p of a draw",
    .source = "Kingma & Welling 2013, arXiv:1312.6114; Salimans et al. 2017, arXiv:1701.05517, eq. 2",
    .shape = likelihood_shape,
    .forward = likelihood_forward,
    .backward = likelihood_backward,
    .flops = likelihood_flops,
    .example = likelihood_example,
};

static tg_tensor *apply(tg_tape *t, int kind, tg_tensor *a, tg_tensor *b, tg_tensor *x, double fixed)
{
    return tg_tape_apply(t, &tg_op_likelihood, (tg_tensor *[]){a, b, x}, &(tg_op_attr){.act = kind, .number = fixed});
}

static tg_tensor *apply_each(tg_tape *t, int kind, tg_tensor *a, tg_tensor *b, tg_tensor *x)
{
    return tg_tape_apply(t, &tg_op_likelihood, (tg_tensor *[]){a, b, x}, &(tg_op_attr){.act = kind, .other = 1});
}

tg_tensor *tg_bce_logits_each(tg_tape *t, tg_tensor *logits, tg_tensor *x)
{
    return apply_each(t, TG_LIKELY_BERNOULLI, logits, NULL, x);
}

tg_tensor *tg_gauss_nll_each(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *x)
{
    return apply_each(t, TG_LIKELY_GAUSSIAN, mean, logvar, x);
}

tg_tensor *tg_logistic_nll_each(tg_tape *t, tg_tensor *mean, tg_tensor *log_scale, tg_tensor *x)
{
    return apply_each(t, TG_LIKELY_LOGISTIC, mean, log_scale, x);
}

tg_tensor *tg_gauss_ratio_each(tg_tape *t, tg_tensor *z, tg_tensor *logvar, tg_tensor *noise)
{
    return apply_each(t, TG_LIKELY_RATIO, z, logvar, noise);
}

tg_tensor *tg_bce_logits(tg_tape *t, tg_tensor *logits, tg_tensor *x)
{
    return apply(t, TG_LIKELY_BERNOULLI, logits, NULL, x, 0);
}

tg_tensor *tg_gauss_nll(tg_tape *t, tg_tensor *mean, tg_tensor *logvar, tg_tensor *x, double fixed_logvar)
{
    return apply(t, TG_LIKELY_GAUSSIAN, mean, logvar, x, fixed_logvar);
}

tg_tensor *tg_logistic_nll(tg_tape *t, tg_tensor *mean, tg_tensor *log_scale, tg_tensor *x)
{
    return apply(t, TG_LIKELY_LOGISTIC, mean, log_scale, x, 0);
}

tg_tensor *tg_gauss_kl(tg_tape *t, tg_tensor *mean, tg_tensor *logvar)
{
    return apply(t, TG_LIKELY_KL, mean, logvar, NULL, 0);
}
