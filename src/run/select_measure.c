/* select_measure.c - of one run: its loss, what that is the mean of, what it costs to keep and to draw from. */
#include "run/select.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "run/evaluate.h"
#include "run/generate.h"
#include "run/latent.h"
#include "run/metrics/bits.h"
#include "run/rundir.h"

#include <math.h>
#include <string.h>

enum { TOKENS = 200 /* of a text that is drawn */, SAMPLES = 64, TRIES = 3 };
static const double ENOUGH = 2; /* seconds: nobody waits longer for a time to be exact */

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static tg_status start_text(const tg_tokenizer *k, tg_generator *g, int64_t sample)
{
    int32_t opening[TG_OPENING];
    const int64_t count = tg_opening(k, -1, false, 1, sample, opening);
    return tg_generator_start(g, &(tg_beginning){.openings = opening, .opening_count = count}, 1);
}

/* One after the other until there are so many tokens: where documents are short, texts are. */
static tg_status draw_text(const tg_trained *m, tg_generator *g)
{
    int32_t token = 0;
    int64_t sample = 0, at = 0;
    tg_status s = start_text(m->tokenizer, g, sample);
    for (int64_t i = 0; i < TOKENS && !s; i++) {
        s = tg_generator_next(g, 0, 1, sample, at++, &token, NULL);
        if (s || token != tg_tokenizer_end(m->tokenizer)) continue;
        at = 0;
        s = start_text(m->tokenizer, g, ++sample);
    }
    return s;
}

static tg_status draw_samples(const tg_trained *m, tg_tape *tape, const float *z, const int32_t *labels, float *x)
{
    return tg_latent_sample(m->model, tape, z, labels, SAMPLES, 1, 0, x);
}

/* Milliseconds of a text of TOKENS, or of an image, the shortest of a few tries. */
static tg_status measure_time(tg_context *ctx, const tg_trained *m, tg_tape *tape, double *ms)
{
    const tg_choice choice = {.temperature = 1, .top_p = 1, .repeat_penalty = 1};
    const bool text = m->tokenizer != NULL;
    const int64_t Z = text ? 0 : m->desc->latent(m->model), size = text ? 0 : tg_model_data_size(&m->data);
    const double began = tg_now();
    tg_generator *g = NULL;
    float *z = tg_alloc_array(SAMPLES * (Z + size) + 1, sizeof *z);
    int32_t labels[SAMPLES];
    tg_status s = z ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < SAMPLES && !text && !s; i++) {
        tg_latent_draw(z + i * Z, Z, 0, 1, i);
        labels[i] = tg_latent_class(m->samples, m->data.classes, 1, i);
    }
    if (!s && text) s = tg_generator_new(m->model, tape, m->tokenizer, &choice, 0, 1, &g);
    *ms = INFINITY;
    for (int i = 0; i < TRIES && !s && (i == 0 || tg_now() - began < ENOUGH); i++) {
        const double begin = tg_now();
        s = text ? draw_text(m, g) : draw_samples(m, tape, z, m->desc->conditional(m->model) ? labels : NULL, z + SAMPLES * Z);
        const double taken = 1e3 * (tg_now() - begin) / (text ? 1 : SAMPLES);
        if (taken < *ms) *ms = taken;
        if (!s && tg_cancelled(ctx)) s = tg_fail(TG_ECANCELLED, "stopped; nothing was written");
    }
    tg_generator_free(g);
    tg_free(z);
    return s;
}

/* ---- loss ------------------------------------------------------------------------------------------------------------ */

double tg_select_scale(const tg_selection *s, const tg_run_entry *r)
{
    switch (s->metric) {
    case TG_METRIC_BPC: return tg_bits_per_char(r->data, s->split, 1);
    case TG_METRIC_BPB: return tg_bits_per_byte(r->data, s->split, 1);
    case TG_METRIC_BITS_PER_DIM: return tg_bits_per_dim(&r->model->data, 1);
    default: return 1; /* those of samples, too, which are no nats */
    }
}

/* Of a state that was kept; NaN: of one that broke down. */
static tg_status measure_state(tg_selection *sel, const tg_run_entry *r, const char *path, tg_likelihood *l, tg_tape *tape, double *nats)
{
    tg_trained *m = NULL;
    tg_status s = tg_trained_open(sel->ctx, path, true, &m);
    const char *data = s ? NULL : tg_json_text(tg_safetensors_meta(m->file), "data");
    if (!s && (m->desc != r->model->desc || !data || strcmp(data, tg_dataset_hash(r->data))))
        s = tg_fail(TG_EFORMAT, "%s: it is no state of this run", path);
    if (!s) s = tg_likelihood_of(sel->ctx, l, m->model, tape, nats);
    tg_trained_close(m);
    return s;
}

/* Of the states that --keep left, the one with the least loss. */
static tg_status look_at_states(tg_selection *sel, tg_run_entry *r, tg_likelihood *l, tg_tape *tape)
{
    char *folder = tg_path_join(r->path, "states");
    tg_listing names = {0};
    tg_status s = folder ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(folder) == TG_PATH_FOLDER) s = tg_list_folder(folder, &names);
    for (int64_t i = 0; i < names.count && !s; i++) {
        double nats = NAN;
        if (tg_rundir_number(names.names[i], ".safetensors") < 0) continue;
        char *path = tg_path_join(folder, names.names[i]);
        s = path ? measure_state(sel, r, path, l, tape, &nats) : TG_ENOMEM;
        if (s || !isfinite(nats) || (r->state && nats >= r->state_nats)) {
            tg_free(path);
            continue;
        }
        tg_free(r->state);
        r->state = path;
        r->state_nats = nats;
    }
    tg_listing_free(&names);
    tg_free(folder);
    return s;
}

/* Loss of a range of the split's text, by what the model says of each next token; of windows, one behind the other. */
static tg_status piece_of_next(const tg_trained *m, tg_tape *tape, const tg_batch *batch, tg_carry *carry, tg_piece *out)
{
    const tg_array *tokens = tg_batch_array(batch, "tokens"), *targets = tg_batch_array(batch, "targets");
    const tg_array *reset = tg_batch_array(batch, "reset");
    const int64_t V = m->data.vocab, T = targets->dims[0], window = m->desc->context ? m->desc->context(m->config) : T;
    *out = (tg_piece){0};
    for (int64_t at = 0, n; at < T; at += n) {
        n = T - at < window ? T - at : window;
        const int64_t dims[] = {n, 1};
        if (m->desc->context) tg_carry_zero(carry);
        tg_tape_begin(tape, &(tg_tape_mode){.train = false});
        tg_tensor *resets = reset ? tg_input_ids(tape, 2, dims, reset->ids + at) : NULL;
        const tg_tensor *logits = m->desc->next(m->model, tape, tg_input_ids(tape, 2, dims, tokens->ids + at), resets, carry);
        if (!logits) return tg_tape_status(tape);
        for (int64_t i = 0; i < n; i++) {
            const int32_t id = targets->ids[at + i];
            if (id < 0) continue;
            out->loss += (double)tg_log_sum_exp(logits->data + i * V, V) - (double)logits->data[i * V + id];
            out->items++;
        }
    }
    if (out->items > 0) out->loss /= (double)out->items;
    return TG_OK;
}

/* Ranges of the split are the same for all models of text, so that all can be compared piece by piece. A token at a time has its
 * price: not of large models on large splits, and not of windows that documents begin in. */
static bool can_go_by_ranges(const tg_selection *sel, const tg_run_entry *r, const tg_trained *m)
{
    static const double MOST_WORK = 1e11, MOST_LOGITS = 4e9; /* of all tokens: products, and probabilities */
    const double n = (double)tg_dataset_count(r->data, sel->split);
    if (!m->tokenizer || n * (double)m->data.vocab > MOST_LOGITS) return false;
    if (m->desc->context && tg_dataset_documents(r->data, sel->split)) return false;
    return m->desc->learner || n * (double)r->about.params < MOST_WORK;
}

static tg_status measure_ranges(tg_selection *sel, tg_run_entry *r, const tg_trained *m, tg_tape *tape)
{
    enum { ENOUGH_PIECES = 100, LEAST_TIME = 16, MOST_TIME = 1024, MOST_LOGITS = 1 << 22 };
    const int64_t n = tg_dataset_count(r->data, sel->split), V = m->data.vocab;
    int64_t T = n / ENOUGH_PIECES < MOST_TIME ? n / ENOUGH_PIECES : MOST_TIME;
    tg_feed *feed = NULL;
    tg_carry carry = {0};
    if (T > MOST_LOGITS / V) T = MOST_LOGITS / V;
    if (T < LEAST_TIME) T = LEAST_TIME;
    if (T > n - 1) T = n - 1;
    tg_status s = tg_feed_new(r->data, sel->split, 1, T, true, &feed);
    if (!s) s = tg_carry_new(m->model, 1, &carry);
    r->about.count = s ? 0 : tg_feed_steps_per_epoch(feed);
    r->about.context = TG_RANGES;
    r->about.pieces = r->pieces = tg_alloc_array(r->about.count + 1, sizeof *r->pieces);
    if (!s && !r->pieces) s = TG_ENOMEM;
    for (int64_t i = 0; i < r->about.count && !s; i++) {
        tg_batch batch;
        s = tg_feed_batch(feed, i, &batch);
        if (!s) s = piece_of_next(m, tape, &batch, &carry, &r->pieces[i]);
        if (!s && tg_cancelled(sel->ctx)) s = tg_fail(TG_ECANCELLED, "stopped; nothing was written");
    }
    tg_carry_free(&carry);
    tg_feed_free(feed);
    return s;
}

/* What gen-train's own loss is a mean of; where that is few pieces, smaller ones: an interval of four numbers would say little. */
static tg_status measure_pieces(tg_selection *sel, tg_run_entry *r, const tg_trained *m, const tg_likelihood *whole,
                                tg_tape *tape)
{
    enum { FEW = 30, ENOUGH_PIECES = 100 };
    tg_likelihood *l = NULL;
    double nats = NAN;
    const int64_t n = tg_likelihood_pieces(whole);
    tg_status s = tg_likelihood_finer(r->data, sel->split, m->model, n < FEW ? (ENOUGH_PIECES + n - 1) / n : 1, &l);
    r->about.count = s ? 0 : tg_likelihood_pieces(l);
    r->about.context = m->desc->context ? m->desc->context(m->config) : 0;
    r->about.pieces = r->pieces = tg_alloc_array(r->about.count + 1, sizeof *r->pieces);
    if (!s && !r->pieces) s = TG_ENOMEM;
    if (!s) {
        tg_likelihood_keep(l, r->pieces);
        s = tg_likelihood_of(sel->ctx, l, m->model, tape, &nats);
    }
    tg_likelihood_free(l);
    return s;
}

static tg_status measure_loss(tg_selection *sel, tg_run_entry *r, const tg_trained *m, tg_tape *tape)
{
    tg_likelihood *l = NULL;
    const tg_learner *learner = m->desc->learner;
    const bool ranges = can_go_by_ranges(sel, r, m);
    tg_status s = learner ? learner->loss(sel->ctx, m->model, r->data, sel->split, &r->nats)
                          : tg_likelihood_new(r->data, sel->split, m->model, &l);
    if (!s && l) s = tg_likelihood_of(sel->ctx, l, m->model, tape, &r->nats);
    if (!s && ranges) s = measure_ranges(sel, r, m, tape);
    else if (!s && l) s = measure_pieces(sel, r, m, l, tape);
    if (!s && l) s = look_at_states(sel, r, l, tape);
    tg_likelihood_free(l);
    return s;
}

static tg_status measure_samples(tg_selection *sel, tg_run_entry *r, tg_trained *m, tg_tape *tape)
{
    const tg_figure_id id = sel->metric == TG_METRIC_FRECHET ? TG_FIGURE_frechet : TG_FIGURE_kernel;
    tg_judged j = {.path = r->path, .model = m, .data = r->data, .tape = tape};
    tg_status s = tg_evaluate_figure(sel->ctx, &j, sel->split, sel->o->seed, sel->runs[0].path, id);
    r->nats = j.figures[id].value;
    r->about.told = (tg_interval){j.figures[id].low, j.figures[id].high};
    return s;
}

/* ---- limits ---------------------------------------------------------------------------------------------------------- */

static tg_status leave_out(tg_run_entry *r, tg_str *why)
{
    if (!why->failed) r->left_out = tg_strdup(why->data);
    tg_str_free(why);
    return r->left_out ? TG_OK : TG_ENOMEM;
}

static tg_status check_size(const tg_select_options *o, tg_run_entry *r)
{
    tg_str why = {0};
    char is[32], most[32];
    if (o->max_params > 0 && r->about.params > o->max_params) {
        tg_str_addf(&why, "%s parameters, --max-params is %s", tg_format_count(is, r->about.params),
                    tg_format_count(most, o->max_params));
        return leave_out(r, &why);
    }
    if (o->max_bytes <= 0 || r->about.bytes <= o->max_bytes) return TG_OK;
    tg_str_addf(&why, "%s bytes, --max-bytes is %s", tg_format_count(is, r->about.bytes), tg_format_count(most, o->max_bytes));
    return leave_out(r, &why);
}

static tg_status check_time(const tg_select_options *o, tg_run_entry *r)
{
    tg_str why = {0};
    if (o->max_ms <= 0 || r->about.ms <= o->max_ms) return TG_OK;
    tg_str_add_fixed(&why, r->about.ms, 3);
    tg_str_add(&why, " ms a sample, --max-ms is ");
    tg_str_add_real(&why, o->max_ms);
    return leave_out(r, &why);
}

/* Whoever chooses among all of a sweep does not want to hear of the one that broke down alone. */
static tg_status check_value(const tg_selection *sel, tg_run_entry *r)
{
    tg_str why = {0};
    if (isfinite(r->about.value)) return TG_OK;
    tg_str_addf(&why, "its %s is no finite number: its training broke down, or the split is too small",
                tg_select_metric_name(sel->metric));
    return leave_out(r, &why);
}

/* All of it, in order, until it is left out. */
static tg_status measure(tg_selection *sel, tg_run_entry *r, tg_trained *m)
{
    tg_tape *tape = NULL;
    r->about.params = m->desc->learner ? m->desc->learner->count(m->model) : tg_params_elements(tg_model_params(m->model));
    r->about.bytes = tg_safetensors_bytes(m->file);
    r->about.scale = tg_select_scale(sel, r);
    tg_status s = check_size(sel->o, r);
    if (!s && !r->left_out) s = tg_tape_new(sel->ctx, &tape);
    if (!s && !r->left_out) s = measure_time(sel->ctx, m, tape, &r->about.ms);
    if (!s && !r->left_out) s = check_time(sel->o, r);
    if (!s && !r->left_out) s = tg_select_of_samples(sel->metric) ? measure_samples(sel, r, m, tape) : measure_loss(sel, r, m, tape);
    r->about.value = r->nats * r->about.scale;
    if (!s && !r->left_out) s = check_value(sel, r);
    tg_tape_free(tape);
    return s;
}

tg_status tg_select_measure(tg_selection *sel, tg_run_entry *r)
{
    tg_trained *m = NULL;
    tg_status s = tg_trained_open(sel->ctx, r->path, true, &m); /* says itself which file it is about */
    if (s) return s;
    s = measure(sel, r, m);
    tg_trained_close(m);
    return s ? tg_note("%s", r->path) : s;
}
