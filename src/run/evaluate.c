/* evaluate.c - gen-evaluate: how good trained models are, in figures, side by side. */
#include "run/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "run/bound.h"
#include "run/deps.h"
#include "run/kinds.h"
#include "run/likelihood.h"
#include "run/metrics/bits.h"
#include "run/result.h"
#include "run/rundir.h"

enum { LENGTH = 1000, DRAWS = 100 }; /* as the rows below say: whoever gives another means something by it */
const tg_key tg_evaluate_keys[] = {
    TG_LIST(tg_evaluate_options, runs, 0, "RUN", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NO_CONFIG, "run folders or model files, side by side"),
    TG_TEXT(tg_evaluate_options, data, 0, NULL, "FILE", 0, "dataset to judge by; without it, the one that a run was trained on"),
    TG_TEXT(tg_evaluate_options, out, 'o', NULL, "PATH", TG_KEY_NO_CONFIG | TG_KEY_NAME, "the report, one page for a browser: report.html"),
    TG_CHOICE(tg_evaluate_options, split, 0, "val", "val|test", 0, "what is held against the models"),
    TG_INT(tg_evaluate_options, samples, 'n', "0", 0, 1e6, 0, "samples to draw and judge; 0: 200 texts, 2000 images, 10000 points"),
    TG_INT(tg_evaluate_options, length, 'l', "1000", 1, 1e6, 0, "tokens of a text, fewer where a document ends"),
    TG_REAL(tg_evaluate_options, temperature, 0, "1", 0, 100, 0, "of the texts; 1: as the model has it"),
    TG_INT(tg_evaluate_options, draws, 0, "100", 0, 1e6, 0, "vae: draws of z for -log p(x), of 500 images; 0: none"),
    TG_TEXT(tg_evaluate_options, metrics, 0, NULL, "NAME,NAME", 0, "only these; a wrong NAME lists all"),
    TG_TEXT(tg_evaluate_options, prompts, 0, NULL, "FILE", 0, "lines of a prompt, a tab and what must follow: exact_match"),
    TG_LIST(tg_evaluate_options, gate, 0, "'NAME<=X'", 0, "end with 3 unless it holds (<=, >=, <, >); may be given again"),
    TG_TEXT(tg_evaluate_options, quiz, 0, NULL, "PATH", TG_KEY_NO_CONFIG, "a page that asks people what is real; -: asks here"),
    TG_INT(tg_evaluate_options, quiz_items, 0, "20", 2, 10000, 0, "items of the quiz, half of them real"),
    TG_LIST(tg_evaluate_options, ratings, 0, "FILE", 0, "answers to a quiz, into figures and report; may be given again"),
    TG_CHOICE(tg_evaluate_options, lang, 0, "en", "en|zh", 0, "language of report and quiz"),
    TG_INT(tg_evaluate_options, seed, 0, "1", 0, 9e15, TG_KEY_SEED, "of samples, of the quiz's order"),
    TG_SWITCH(tg_evaluate_options, force, 0, NULL, TG_KEY_NO_CONFIG, "replace the output files"),
    TG_TEXT(tg_evaluate_options, deps, 0, NULL, "FILE", TG_KEY_NO_CONFIG, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

const tg_figure_row tg_figure_rows[TG_FIGURES] = {
#define TG_FIGURE(name, unit, decimals, better, en, zh) {#name, unit, decimals, better, {en, zh}},
#include "run/figures_of.def"
#undef TG_FIGURE
};

/* ---- figures --------------------------------------------------------------------------------------------------------- */

void tg_figure_between(tg_judged *j, tg_figure_id id, double value, double low, double high, double baseline)
{
    j->figures[id] = (tg_figure){value, low, high, baseline};
}

void tg_figure_set(tg_judged *j, tg_figure_id id, double value, double baseline)
{
    tg_figure_between(j, id, value, NAN, NAN, baseline);
}

bool tg_evaluation_wants(const tg_evaluation *e, tg_figure_id first, tg_figure_id last)
{
    for (int i = (int)first; i <= (int)last; i++)
        if (e->wanted[i]) return true;
    return false;
}

static tg_status find_figure(const char *name, int64_t length, int *out)
{
    tg_str names = {0};
    for (int i = 0; i < TG_FIGURES; i++) {
        if ((int64_t)strlen(tg_figure_rows[i].name) == length && !strncmp(name, tg_figure_rows[i].name, (size_t)length)) {
            *out = i;
            tg_str_free(&names);
            return TG_OK;
        }
        tg_str_addf(&names, "%s%s", i ? ", " : "", tg_figure_rows[i].name);
    }
    tg_status s = names.failed ? TG_ENOMEM
                : tg_fail(TG_EUSAGE, "there is no figure %.*s; there are: %s", (int)(length < 80 ? length : 80), name, names.data);
    tg_str_free(&names);
    return s;
}

/* ---- gates ------------------------------------------------------------------------------------------------------------- */

typedef struct gate { int figure; char sign[3]; double bound; } gate;

static tg_status read_gate(const char *text, gate *out)
{
    const int64_t name = (int64_t)strcspn(text, "<>= ");
    const char *at = text + name + strspn(text + name, " ");
    const size_t sign = strspn(at, "<>=");
    tg_status s = find_figure(text, name, &out->figure);
    if (s) return tg_note("--gate %s", text);
    memset(out->sign, 0, sizeof out->sign);
    if (sign == 1 || sign == 2) memcpy(out->sign, at, sign);
    at += sign;
    at += strspn(at, " ");
    static const char *const signs[] = {"<=", ">=", "<", ">"};
    bool known = false;
    for (int i = 0; i < 4; i++) known = known || !strcmp(out->sign, signs[i]);
    if (known && tg_parse_real(at, (int64_t)strlen(at), &out->bound)) return TG_OK;
    return tg_fail(TG_EUSAGE, "--gate %s: must be a figure, <=, >=, < or >, and a number, as 'bpc<=2.2'", text);
}

/* Those of --metrics, and those that a gate is about. */
static tg_status choose_figures(tg_evaluation *e)
{
    const char *at = e->o->metrics;
    tg_status s = TG_OK;
    if (at && !*at) return tg_fail(TG_EUSAGE, "--metrics: empty; leave it out for all figures, or name some, as 'bpc,copied'");
    for (int i = 0; i < TG_FIGURES; i++) e->wanted[i] = !at;
    while (at && *at) {
        const int64_t length = (int64_t)strcspn(at, ",");
        int id = 0;
        s = find_figure(at, length, &id);
        if (s) return s;
        e->wanted[id] = true;
        at += length + (at[length] == ',');
    }
    for (int64_t i = 0; i < e->o->gate.count && !s; i++) {
        gate g;
        s = read_gate(e->o->gate.items[i], &g);
        if (!s) e->wanted[g.figure] = true;
    }
    return s;
}

static tg_status check_gates(const tg_evaluation *e)
{
    tg_status s = TG_OK;
    tg_str missed = {0};
    for (int64_t i = 0; i < e->o->gate.count; i++) {
        gate g;
        s = read_gate(e->o->gate.items[i], &g);
        if (s) return s;
        for (int64_t r = 0; r < e->count; r++) {
            const double x = e->runs[r].figures[g.figure].value;
            const bool met = !strcmp(g.sign, "<=") ? x <= g.bound : !strcmp(g.sign, ">=") ? x >= g.bound
                           : !strcmp(g.sign, "<") ? x < g.bound : x > g.bound;
            if (met) continue;
            tg_str_addf(&missed, "%s%s: %s is ", missed.length ? "; " : "", e->runs[r].path, tg_figure_rows[g.figure].name);
            if (isnan(x)) tg_str_add(&missed, "not known");
            else tg_str_add_fixed(&missed, x, tg_figure_rows[g.figure].decimals);
            tg_str_addf(&missed, ", the gate is %s", e->o->gate.items[i]);
        }
    }
    if (missed.failed) s = TG_ENOMEM;
    else if (missed.length) s = tg_fail(TG_EGATE, "%s", missed.data);
    tg_str_free(&missed);
    return s;
}

/* ---- one run ----------------------------------------------------------------------------------------------------------- */

static tg_status check_split(const tg_evaluation *e, const tg_judged *j, const char *name)
{
    static const char *const splits[] = {"training", "validation", "test"};
    if (tg_dataset_count(j->data, e->split) > 1) return TG_OK;
    return tg_fail(TG_EINVAL, "%s: no %s split to judge by; make one with gen-preprocess --%s 0.1", name, splits[e->split],
                   e->split == TG_TEST ? "test" : "val");
}

static tg_status check_data(const tg_evaluation *e, const tg_judged *j, const char *name)
{
    const tg_json *meta = tg_safetensors_meta(j->model->file);
    const char *trained_on = tg_json_text(meta, "data");
    const tg_tokenizer *k = tg_dataset_tokenizer(j->data);
    tg_status s = TG_OK;
    if (tg_dataset_kind(j->data) != j->model->data.kind)
        return tg_fail(TG_EINVAL, "%s was trained on %s, and %s holds %s", j->path, tg_kind_name(j->model->data.kind), name,
                       tg_kind_name(tg_dataset_kind(j->data)));
    if (k) s = tg_tokenizer_same(j->model->tokenizer, j->path, k, name, NULL);
    else s = tg_samples_same(j->model->samples, &j->model->data, j->path, j->data, name, true);
    if (!s) s = check_split(e, j, name);
    if (!s && trained_on && strcmp(trained_on, tg_dataset_hash(j->data)))
        tg_log(e->ctx, TG_LOG_WARN, "%s was trained on other data than %s: what it says of copying is not about its own", j->path, name);
    return s;
}

/* No output may replace what is read. */
static tg_status spare_inputs(const tg_evaluation *e)
{
    tg_status s = tg_context_spare(e->ctx, e->o->out);
    if (!s) s = tg_context_spare(e->ctx, e->o->quiz);
    return s ? s : tg_context_spare(e->ctx, e->o->deps);
}

/* Options that are about data of another kind, or about models that this one is none of. */
static void warn_options(const tg_evaluation *e, const tg_judged *j)
{
    const tg_evaluate_options *o = e->o;
    const bool text = tg_dataset_kind(j->data) == TG_KIND_TEXT;
    const struct { bool given; const char *name; } rows[] = {
        {!text && o->length != LENGTH, "--length"}, {!text && o->temperature != 1, "--temperature"}, {!text && o->prompts, "--prompts"},
        {!j->model->desc->log_weights && o->draws != DRAWS, "--draws"}};
    tg_str names = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].given) tg_str_addf(&names, "%s%s", names.length ? ", " : "", rows[i].name);
    if (names.length)
        tg_log(e->ctx, TG_LOG_WARN, "%s: nothing to do with %s, a %s of %s", names.data, j->path, j->model->desc->name,
               tg_kind_name(tg_dataset_kind(j->data)));
    tg_str_free(&names);
}

static tg_status open_run(tg_evaluation *e, tg_judged *j)
{
    char *name = NULL;
    tg_status s = tg_trained_open(e->ctx, j->path, true, &j->model);
    if (!s) s = tg_context_read(e->ctx, j->model->path);
    if (!s && !e->o->data) s = tg_rundir_data(j->path, &name);
    const char *data = e->o->data ? e->o->data : name;
    if (!s) s = tg_context_read(e->ctx, data);
    if (!s) s = spare_inputs(e);
    if (!s) s = tg_dataset_open(e->ctx, data, &j->data);
    if (!s) s = check_data(e, j, data);
    if (!s && j != e->runs && strcmp(tg_dataset_hash(j->data), tg_dataset_hash(e->runs->data)))
        tg_log(e->ctx, TG_LOG_WARN, "%s and %s are judged by different data: their figures do not compare; --data gives all the same", j->path, e->runs->path);
    if (!s) warn_options(e, j);
    if (!s) s = tg_tape_new(e->ctx, &j->tape);
    tg_free(name);
    return s;
}

/* What gen-train calls val_loss, of this split. */
static tg_status measure_loss(const tg_evaluation *e, tg_judged *j, double *nats)
{
    const tg_model_desc *desc = j->model->desc;
    tg_likelihood *l = NULL;
    if (desc->learner) return desc->learner->loss(e->ctx, j->model->model, j->data, e->split, nats);
    tg_status s = tg_likelihood_new(j->data, e->split, j->model->model, &l);
    if (!s) s = tg_likelihood_of(e->ctx, l, j->model->model, j->tape, nats);
    tg_likelihood_free(l);
    return s;
}

static tg_status measure_likelihood(tg_evaluation *e, tg_judged *j)
{
    double nats = NAN;
    const bool text = tg_dataset_kind(j->data) == TG_KIND_TEXT;
    if (!j->model->desc->loss && !j->model->desc->learner) return TG_OK; /* a GAN */
    if (!tg_evaluation_wants(e, TG_FIGURE_val_loss, TG_FIGURE_bits_per_dim)) return TG_OK;
    tg_status s = measure_loss(e, j, &nats);
    if (s) return s;
    const double base = tg_dataset_baseline(j->data, text ? "ngram" : tg_words_of(tg_dataset_kind(j->data))->baseline);
    tg_figure_set(j, TG_FIGURE_val_loss, nats, base);
    if (!text) {
        tg_figure_set(j, TG_FIGURE_elbo, -nats, -base);
        if (tg_words_of(tg_dataset_kind(j->data))->bits)
            tg_figure_set(j, TG_FIGURE_bits_per_dim, tg_bits_per_dim(&j->model->data, nats), tg_bits_per_dim(&j->model->data, base));
        return TG_OK;
    }
    tg_figure_set(j, TG_FIGURE_perplexity, tg_perplexity(nats), tg_perplexity(base));
    tg_figure_set(j, TG_FIGURE_bpc, tg_bits_per_char(j->data, e->split, nats), tg_bits_per_char(j->data, e->split, base));
    tg_figure_set(j, TG_FIGURE_bpb, tg_bits_per_byte(j->data, e->split, nats), tg_bits_per_byte(j->data, e->split, base));
    return TG_OK;
}

static void start_figures(tg_judged *j)
{
    for (int i = 0; i < TG_FIGURES; i++) tg_figure_set(j, (tg_figure_id)i, NAN, NAN);
    j->accuracy = NAN;
}

static tg_status measure_run(tg_evaluation *e, tg_judged *j)
{
    const double began = tg_now();
    start_figures(j);
    tg_status s = open_run(e, j); /* says itself which file it is about */
    if (s) return s;
    s = measure_likelihood(e, j);
    if (!s) s = tg_dataset_kind(j->data) == TG_KIND_TEXT ? tg_evaluate_text(e, j) : tg_evaluate_samples(e, j);
    if (s) return tg_note("%s", j->path);
    for (int i = 0; i < TG_FIGURES; i++)
        if (!e->wanted[i]) tg_figure_set(j, (tg_figure_id)i, NAN, NAN);
    j->seconds = tg_now() - began;
    return s;
}

static void free_found(tg_judged *j)
{
    tg_free(j->drawn);
    tg_free(j->pieces);
    tg_free(j->texts);
    tg_free(j->real);
    tg_free(j->x);
    tg_free(j->real_x);
    tg_free(j->labels);
    tg_free(j->neighbours);
}

static void free_run(tg_judged *j)
{
    tg_tape_free(j->tape);
    tg_trained_close(j->model);
    tg_dataset_close(j->data);
    free_found(j);
}

tg_status tg_evaluate_figure(tg_context *ctx, tg_judged *j, tg_split split, int64_t seed, const char *home, tg_figure_id id)
{
    const tg_evaluate_options o = {.seed = seed};
    tg_evaluation e = {.ctx = ctx, .o = &o, .split = split, .runs = j, .count = 1, .home = home};
    start_figures(j);
    e.wanted[id] = true;
    tg_status s = tg_evaluate_samples(&e, j);
    free_found(j);
    return s;
}

/* ---- what is told -------------------------------------------------------------------------------------------------------- */

static void put_figures(tg_json_writer *w, const tg_judged *j)
{
    tg_json_key(w, "metrics");
    tg_json_open(w, '{');
    for (int i = 0; i < TG_FIGURES; i++) {
        const tg_figure *f = &j->figures[i];
        if (isnan(f->value)) continue;
        tg_json_key(w, tg_figure_rows[i].name);
        tg_json_open(w, '{');
        tg_json_member_real(w, "value", f->value);
        tg_json_member_real(w, "low", f->low);
        tg_json_member_real(w, "high", f->high);
        tg_json_member_text(w, "unit", tg_figure_rows[i].unit);
        tg_json_member_real(w, "baseline", f->baseline);
        tg_json_close(w, '}');
    }
    tg_json_close(w, '}');
}

/* What the loss would be without a model, as gen-preprocess worked it out. */
static void put_baselines(tg_json_writer *w, const tg_judged *j)
{
    static const char *const names[] = {"uniform", "unigram", "ngram", "pixels", "gauss"};
    tg_json_key(w, "baselines");
    tg_json_open(w, '{');
    for (int i = 0; i < 5; i++) {
        const double nats = tg_dataset_baseline(j->data, names[i]);
        if (!isnan(nats)) tg_json_member_real(w, names[i], nats);
    }
    tg_json_close(w, '}');
}

static tg_status put_result(tg_evaluation *e, double seconds)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_result_begin(&w, "gen-evaluate", e->o->out, e->o->seed, seconds);
    tg_json_key(&w, "runs");
    tg_json_open(&w, '[');
    for (int64_t i = 0; i < e->count; i++) {
        const tg_judged *j = &e->runs[i];
        tg_json_open(&w, '{');
        tg_json_member_text(&w, "run", j->path);
        tg_json_member_text(&w, "model", j->model->desc->name);
        tg_json_member_text(&w, "data", tg_dataset_hash(j->data));
        tg_json_member_real(&w, "seconds", j->seconds);
        put_figures(&w, j);
        put_baselines(&w, j);
        if (j->compared) tg_json_member_raw(&w, "memorised", j->verdict.why == TG_COPIED_SHORT ? "null" : j->verdict.flagged ? "true" : "false");
        tg_json_close(&w, '}');
    }
    tg_json_close(&w, ']');
    if (e->people) tg_json_key(&w, "people");
    if (e->people) tg_people_put(&w, e->people);
    return tg_result_end(e->ctx, &w);
}

/* What was learned by heart, in a word. */
static void put_memorised(const tg_evaluation *e, tg_str *out)
{
    bool any = false;
    for (int64_t r = 0; r < e->count; r++) any = any || e->runs[r].compared;
    if (any) tg_str_addf(out, "%-15s", "memorised");
    for (int64_t r = 0; r < e->count && any; r++) {
        const tg_judged *j = &e->runs[r];
        tg_str_add(out, r ? "\t" : " ");
        tg_str_add(out, !j->compared ? "-" : j->verdict.flagged ? "yes" : j->verdict.why == TG_COPIED_SHORT ? "too short to tell" : "no");
    }
    if (any) tg_str_add(out, "\n");
}

/* A line a figure, a column a run. */
static tg_status put_table(const tg_evaluation *e)
{
    tg_str out = {0};
    for (int64_t r = 0; r < e->count && e->count > 1; r++) tg_str_addf(&out, "\t%s", e->runs[r].path);
    if (e->count > 1) tg_str_add(&out, "\n");
    for (int i = 0; i < TG_FIGURES; i++) {
        bool any = false;
        for (int64_t r = 0; r < e->count; r++) any = any || !isnan(e->runs[r].figures[i].value);
        if (!any) continue;
        tg_str_addf(&out, "%-15s", tg_figure_rows[i].name);
        for (int64_t r = 0; r < e->count; r++) {
            const tg_figure *f = &e->runs[r].figures[i];
            tg_str_add(&out, r ? "\t" : " ");
            if (isnan(f->value)) tg_str_add(&out, "-");
            else tg_str_add_fixed(&out, f->value, tg_figure_rows[i].decimals);
        }
        if (e->count == 1 && *tg_figure_rows[i].unit) tg_str_addf(&out, " %s", tg_figure_rows[i].unit);
        if (e->count == 1 && !isnan(e->runs[0].figures[i].baseline)) {
            tg_str_add(&out, "  (");
            tg_str_add_fixed(&out, e->runs[0].figures[i].baseline, tg_figure_rows[i].decimals);
            tg_str_add(&out, i <= TG_FIGURE_bits_per_dim ? " without a model)" : " of real ones)");
        }
        tg_str_add(&out, "\n");
    }
    put_memorised(e, &out);
    if (e->people) tg_people_summary(&out, e->people);
    if (e->people) tg_str_add(&out, "\n");
    tg_status s = out.failed ? TG_ENOMEM : tg_output(e->ctx, out.data ? out.data : "", out.length);
    tg_str_free(&out);
    return s;
}

static tg_status check_options(const tg_evaluate_options *o)
{
    const bool here = o->quiz && !strcmp(o->quiz, "-");
    const char *const paths[] = {o->out, here ? TG_EVALUATE_ANSWERS : o->quiz, o->deps};
    for (int i = 0; i < 3; i++) {
        const tg_status s = paths[i] ? tg_output_check(paths[i], o->force || paths[i] == o->deps) : TG_OK;
        if (s) return s;
    }
    if (o->out && o->quiz && !here && strcmp(o->out, "-") && tg_path_same(o->out, o->quiz))
        return tg_fail(TG_EUSAGE, "%s cannot be both report and quiz; name another", o->out);
    if (o->out && !strcmp(o->out, "-") && (o->json || here))
        return tg_fail(TG_EUSAGE, "-o -: standard output is taken by %s; name a file for the report", here ? "--quiz -" : "--json");
    if (o->deps && !o->out) return tg_fail(TG_EUSAGE, "--deps names what an output was made of; add -o report.html");
    return TG_OK;
}

/* First of all: a file that cannot be read is told before the work, not behind it. */
static tg_status read_people(tg_evaluation *e)
{
    const tg_list *files = &e->o->ratings;
    tg_status s = files->count ? tg_ratings_new(e->ctx, &e->ratings) : TG_OK;
    for (int64_t i = 0; i < files->count && !s; i++) s = tg_ratings_read(e->ratings, files->items[i]);
    return s || !files->count ? s : tg_ratings_sum(e->ratings, &e->people);
}

static tg_status evaluate(tg_evaluation *e, double began)
{
    const tg_evaluate_options *o = e->o;
    tg_status s = check_options(o);
    if (!s) s = choose_figures(e);
    if (!s) s = read_people(e);
    if (!s && o->prompts) s = tg_context_read(e->ctx, o->prompts);
    for (int64_t i = e->count - 1; i >= 0; i--)
        if (tg_path_kind(o->runs.items[i]) == TG_PATH_FOLDER) e->home = o->runs.items[i]; /* one for all: a classifier takes a while */
    for (int64_t i = 0; i < e->count && !s; i++) {
        e->runs[i].path = o->runs.items[i];
        s = measure_run(e, &e->runs[i]);
    }
    if (!s && o->quiz) s = tg_evaluate_quiz(e);
    if (!s && o->out) s = tg_evaluate_page(e);
    if (!s && o->out) tg_log(e->ctx, TG_LOG_INFO, "%s: open it in a browser", o->out);
    if (!s && o->json) s = put_result(e, tg_now() - began);
    else if (!s && !o->out) s = put_table(e);
    if (!s && o->deps) s = tg_deps_write(e->ctx, o->deps, o->out);
    return s ? s : check_gates(e);
}

tg_status tg_evaluate(tg_context *ctx, const tg_evaluate_options *o)
{
    const double began = tg_now();
    tg_evaluation e = {.ctx = ctx, .o = o, .split = o->split ? TG_TEST : TG_VAL, .count = o->runs.count};
    e.runs = tg_alloc_array(e.count > 0 ? e.count : 1, sizeof *e.runs);
    tg_status s = e.runs ? evaluate(&e, began) : TG_ENOMEM;
    for (int64_t i = 0; e.runs && i < e.count; i++) free_run(&e.runs[i]);
    tg_ratings_free(e.ratings);
    tg_free(e.runs);
    return s;
}
