/* evaluate_text.c - what can be measured of a model of text: its samples beside real text as long, what it copied, how sure it is. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/meter.h"
#include "base/str.h"
#include "run/evaluate.h"
#include "run/generate.h"
#include "run/metrics/two_sample.h"
#include "run/split_text.h"

enum {
    SAMPLES = 200,
    FEW = 4,                  /* fewer real texts are nothing to compare with */
    LEXICON = 64 << 20,       /* bytes of training text whose words are known */
    CALIBRATION = 20000,      /* tokens */
    TIME = 64,
    MOST_PROMPTS = 1 << 26
};

/* ---- the data as text ---------------------------------------------------------------------------------------------------- */

static tg_status into_string(void *user, const char *bytes, int64_t length)
{
    tg_str *s = user;
    tg_str_add_n(s, bytes, length);
    if (length == 0) tg_str_add(s, "\n");
    return s->failed ? TG_ENOMEM : TG_OK;
}

/* ---- samples ------------------------------------------------------------------------------------------------------------- */

typedef struct drawn { tg_str text; bool ended; } drawn;

static tg_status draw_some(tg_evaluation *e, tg_judged *j, tg_generator *g, drawn *texts, int64_t first, int64_t count)
{
    const tg_tokenizer *k = j->model->tokenizer;
    int32_t *openings = tg_alloc_array(count * TG_OPENING, sizeof *openings), token = 0;
    int64_t opening = 0, left = count;
    tg_status s = openings ? TG_OK : TG_ENOMEM;
    for (int64_t i = 0; i < count && !s; i++)
        opening = tg_opening(k, -1, false, (uint64_t)e->o->seed, first + i, openings + i * opening); /* as many in each */
    if (!s) s = tg_generator_start(g, &(tg_beginning){.openings = openings, .opening_count = opening}, count);
    for (int64_t at = 0; at < e->o->length && left > 0 && !s; at++)
        for (int64_t i = 0; i < count && !s; i++) {
            int64_t length = 0;
            if (texts[i].ended) continue;
            s = tg_generator_next(g, i, (uint64_t)e->o->seed, first + i, at, &token, NULL);
            if (!s && token == tg_tokenizer_end(k)) {
                texts[i].ended = true;
                tg_generator_end(g, i);
                left--;
                continue;
            }
            const char *bytes = s ? "" : tg_tokenizer_text(k, token, &length);
            tg_str_add_n(&texts[i].text, bytes, length);
            if (texts[i].text.failed) s = TG_ENOMEM;
        }
    tg_free(openings);
    return s;
}

/* All in one piece of memory. */
static tg_status gather(tg_judged *j, drawn *texts)
{
    tg_str all = {0};
    for (int64_t i = 0; i < j->count; i++) tg_str_add_n(&all, texts[i].text.data ? texts[i].text.data : "", texts[i].text.length);
    j->texts = tg_alloc_array(j->count, sizeof *j->texts);
    j->real = tg_alloc_array(j->count, sizeof *j->real);
    if (all.failed || !j->texts || !j->real) {
        tg_str_free(&all);
        return TG_ENOMEM;
    }
    j->drawn = all.data;
    for (int64_t i = 0, at = 0; i < j->count; at += texts[i].text.length, i++)
        j->texts[i] = (tg_text){all.data ? all.data + at : "", texts[i].text.length};
    return TG_OK;
}

static tg_status draw_texts(tg_evaluation *e, tg_judged *j)
{
    const tg_choice choice = {.temperature = e->o->temperature, .top_p = 1, .repeat_penalty = 1};
    tg_generator *g = NULL;
    j->count = e->o->samples > 0 ? e->o->samples : SAMPLES;
    drawn *texts = tg_alloc_array(j->count, sizeof *texts);
    tg_status s = texts ? tg_generator_new(j->model->model, j->tape, j->model->tokenizer, &choice, 0, j->count, &g) : TG_ENOMEM;
    tg_meter meter = tg_meter_start(e->ctx, "sample", "texts", j->count);
    for (int64_t at = 0, count; at < j->count && !s; at += count) {
        const int64_t most = tg_generator_most(g);
        count = j->count - at < most ? j->count - at : most;
        s = draw_some(e, j, g, texts + at, at, count);
        if (!s) s = tg_meter_add(&meter, count);
    }
    tg_meter_end(&meter);
    if (!s) s = gather(j, texts);
    for (int64_t i = 0; texts && i < j->count; i++) tg_str_free(&texts[i].text);
    tg_free(texts);
    tg_generator_free(g);
    return s;
}

/* Documents of a split, room of them out of total at equal distances (it may be sorted): text behind text, and where each ends. */
typedef struct document_list { tg_str all; int64_t *ends, count, room, total, seen; } document_list;

static tg_status into_documents(void *user, const char *bytes, int64_t length)
{
    document_list *d = user;
    const double share = d->room < d->total ? (double)d->room / (double)d->total : 1;
    const bool taken = d->count < d->room && (int64_t)((double)d->seen * share) >= d->count;
    if (taken) tg_str_add_n(&d->all, bytes, length);
    if (taken && length == 0) d->ends[d->count++] = d->all.length;
    d->seen += length == 0;
    return d->all.failed ? TG_ENOMEM : TG_OK;
}

/* Real text of the split: its documents, or pieces of it that are as long as the samples. */
static tg_status cut_pieces(tg_evaluation *e, tg_judged *j)
{
    const int64_t documents = tg_dataset_documents(j->data, e->split);
    const bool whole = documents > 0;
    document_list d = {.ends = tg_alloc_array(j->count, sizeof *d.ends), .room = j->count, .total = documents};
    tg_status s = d.ends ? tg_split_text(j->data, e->split, INT64_MAX, whole ? into_documents : into_string, whole ? (void *)&d : (void *)&d.all) : TG_ENOMEM;
    if (s) {
        tg_str_free(&d.all);
    } else {
        j->pieces = d.all.data;
        if (whole) j->real_count = d.count;
        else j->real_count = tg_pieces_like(d.all.data ? d.all.data : "", d.all.length, j->texts, j->count, j->real);
    }
    for (int64_t i = 0, at = 0; i < d.count && !s; at = d.ends[i++]) j->real[i] = (tg_text){d.all.data + at, d.ends[i] - at};
    tg_free(d.ends);
    return s;
}

/* ---- what they are like ---------------------------------------------------------------------------------------------------- */

/* The more text, the less of it is new: both sides are as many. Of a split too small for that, samples stand alone. */
static tg_status measure_diversity(tg_judged *j)
{
    tg_diversity d[2] = {{{0}, 0, 0}};
    bool words = false;
    const bool alike = j->real_count >= FEW || j->real_count >= j->count;
    const int64_t most = alike && j->real_count < j->count ? j->real_count : j->count;
    for (int side = 0; side < 2; side++) {
        const tg_text *texts = side ? j->real : j->texts;
        const int64_t n = side ? j->real_count : most;
        tg_symbols symbols = {0};
        tg_status s = side == 0 ? tg_symbols_of(texts, n, &words, &symbols)
                    : words ? tg_symbols_of_words(texts, n, &symbols) : tg_symbols_of_chars(texts, n, &symbols);
        if (!s) s = tg_diversity_of(&symbols, &d[side]);
        tg_symbols_free(&symbols);
        if (s) return s;
    }
    if (!alike) d[1] = (tg_diversity){{NAN, NAN, NAN, NAN}, NAN, NAN};
    for (int n = 0; n < TG_DIVERSITY_ORDERS; n++)
        tg_figure_set(j, (tg_figure_id)(TG_FIGURE_distinct_1 + n), d[0].distinct[n], d[1].distinct[n]);
    tg_figure_set(j, TG_FIGURE_self_bleu, d[0].self_bleu, d[1].self_bleu);
    tg_figure_set(j, TG_FIGURE_repetition, d[0].repetition, d[1].repetition);
    return TG_OK;
}

static double share_of(int64_t part, int64_t all) { return all > 0 ? (double)part / (double)all : (double)NAN; }

static tg_status measure_lines(const tg_evaluation *e, tg_judged *j)
{
    const tg_balance made = tg_balance_of(j->texts, j->count), real = tg_balance_of(j->real, j->real_count);
    const bool cut = tg_dataset_documents(j->data, e->split) == 0;
    tg_lengths a = {0}, b = {0};
    double moved = NAN, ks = NAN;
    tg_figure_set(j, TG_FIGURE_balance, share_of(made.matched, made.marks), share_of(real.matched, real.marks));
    tg_status s = tg_lengths_of_lines(j->texts, j->count, cut, &a);
    if (!s) s = tg_lengths_of_lines(j->real, j->real_count, cut, &b);
    if (!s) {
        tg_lengths_compare(&a, &b, &moved, &ks);
        tg_figure_set(j, TG_FIGURE_line_length, a.count ? tg_lengths_median(&a) : (double)NAN, b.count ? tg_lengths_median(&b) : (double)NAN);
        tg_figure_set(j, TG_FIGURE_line_distance, ks, NAN);
    }
    tg_lengths_free(&a);
    tg_lengths_free(&b);
    return s;
}

/* ---- words that the data have, and what was copied from them: one pass over the training text ------------------------------ */

typedef struct learned { tg_copied *copied; tg_map *lexicon; int64_t lexicon_bytes; tg_meter *meter; } learned;

static tg_status learn(void *user, const char *bytes, int64_t length)
{
    learned *l = user;
    if (length == 0) {
        tg_copied_break(l->copied);
        return TG_OK;
    }
    tg_copied_read(l->copied, bytes, length);
    tg_status s = tg_meter_add(l->meter, length);
    if (s || l->lexicon_bytes > LEXICON) return s;
    l->lexicon_bytes += length;
    return tg_lexicon_add(l->lexicon, &(tg_text){bytes, length}, 1);
}

static tg_status learn_words(void *user, const char *bytes, int64_t length)
{
    return length ? tg_lexicon_add(user, &(tg_text){bytes, length}, 1) : TG_OK;
}

/* Of real ones words that training has, for they are of validation; of samples those that either has. */
static tg_status measure_words(const tg_evaluation *e, tg_judged *j, learned *l)
{
    int64_t words = 0, known = 0, real_words = 0, real_known = 0;
    tg_status s = tg_words_known(l->lexicon, j->real, j->real_count, NULL, &real_words, &real_known);
    if (!s) s = tg_split_text(j->data, e->split, LEXICON, learn_words, l->lexicon);
    if (!s) s = tg_words_known(l->lexicon, j->texts, j->count, NULL, &words, &known);
    if (!s) tg_figure_set(j, TG_FIGURE_words_known, share_of(known, words), share_of(real_known, real_words));
    return s;
}

static tg_status measure_copies(tg_judged *j, learned *l)
{
    tg_copied_figures *f = tg_alloc_array(2, sizeof *f);
    tg_status s = f ? tg_copied_end(l->copied) : TG_ENOMEM;
    if (!s) {
        tg_copied_of(l->copied, 0, &f[0]);
        tg_copied_of(l->copied, 1, &f[1]);
        j->verdict = tg_copied_judge(&f[0], j->real_count > 0 ? &f[1] : NULL);
        const tg_copied_verdict *v = &j->verdict;
        j->compared = true;
        tg_figure_set(j, TG_FIGURE_copied, v->share, v->real_share);
        tg_figure_set(j, TG_FIGURE_longest_copy, (double)v->longest, v->real_longest >= 0 ? (double)v->real_longest : (double)NAN);
        s = tg_copied_passages(l->copied, 0, v->length, j->passages, TG_EVALUATE_PASSAGES, &j->passage_count);
    }
    tg_free(f);
    return s;
}

static tg_status compare_with_training(tg_evaluation *e, tg_judged *j)
{
    const double bytes = (double)tg_dataset_count(j->data, TG_TRAIN) * tg_dataset_bytes_per_token(j->data, TG_TRAIN);
    tg_meter meter = tg_meter_start(e->ctx, "compare", "bytes", bytes > 0 ? (int64_t)bytes : 0);
    learned l = {.meter = &meter};
    tg_status s = tg_copied_new((tg_copied_group[]){{j->texts, j->count}, {j->real, j->real_count}}, 2, &l.copied);
    if (!s && !(l.lexicon = tg_map_new())) s = TG_ENOMEM;
    if (!s) s = tg_split_text(j->data, TG_TRAIN, INT64_MAX, learn, &l);
    tg_meter_end(&meter);
    if (!s) s = measure_words(e, j, &l);
    if (!s) s = measure_copies(j, &l);
    tg_map_free(l.lexicon);
    tg_copied_free(l.copied);
    return s;
}

/* ---- judges ---------------------------------------------------------------------------------------------------------------- */

/* Those that are not empty, of which no judge could say anything. */
static int64_t without_empty(const tg_text *texts, int64_t count, tg_text *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (texts[i].length > 0) out[n++] = texts[i];
    return n;
}

static tg_status ask_judges(const tg_evaluation *e, tg_judged *j)
{
    tg_text *some = tg_alloc_array(j->count + j->real_count, sizeof *some);
    if (!some) return TG_ENOMEM;
    const int64_t n = without_empty(j->texts, j->count, some), m = without_empty(j->real, j->real_count, some + n);
    tg_status s = TG_OK;
    for (int k = 0; k < TG_JUDGE_KINDS && !s; k++) {
        const tg_figure_id id = (tg_figure_id)(TG_FIGURE_c2st_logistic + k);
        tg_two_sample r;
        if (!e->wanted[id]) continue;
        s = tg_two_sample_texts((tg_judge_kind)k, some + n, m, some, n, (uint64_t)e->o->seed, &r);
        if (!s) tg_figure_between(j, id, r.accuracy, r.interval.low, r.interval.high, 0.5);
    }
    tg_free(some);
    if (s != TG_EINVAL) return s;
    tg_log(e->ctx, TG_LOG_WARN, "%s: no judge was asked: %s", j->path, tg_error()); /* too few texts */
    return TG_OK;
}

/* ---- calibration ------------------------------------------------------------------------------------------------------------- */

/* Tokens ids[0 .. count] of one document or piece, predicted one after another from a state of nothing. */
static tg_status calibrate_piece(tg_judged *j, tg_carry *carry, const int32_t *ids, int64_t count)
{
    const tg_model_desc *desc = j->model->desc;
    const int64_t V = j->model->data.vocab, context = desc->context ? desc->context(j->model->config) : INT64_MAX;
    int64_t seen = 0;
    for (int64_t at = 0, n; at < count; at += n) {
        n = count - at < TIME ? count - at : TIME;
        if (n > context) n = context;
        if (at == 0 || seen + n > context) {
            tg_carry_zero(carry);
            seen = 0;
        }
        tg_tape_begin(j->tape, &(tg_tape_mode){.train = false});
        const tg_tensor *logits = desc->next(j->model->model, j->tape, tg_input_ids(j->tape, 2, (int64_t[]){n, 1}, ids + at), NULL, carry);
        if (!logits) return tg_tape_status(j->tape);
        for (int64_t t = 0; t < n; t++) tg_calibration_add_logits(&j->calibration, logits->data + t * V, V, ids[at + t + 1]);
        seen += n;
    }
    return TG_OK;
}

static tg_status calibrate(tg_evaluation *e, tg_judged *j)
{
    const int64_t all = tg_dataset_count(j->data, e->split), documents = tg_dataset_documents(j->data, e->split);
    const int64_t most = all < CALIBRATION ? all : CALIBRATION;
    int32_t *ids = tg_alloc_array(most, sizeof *ids);
    tg_carry carry = {0};
    tg_status s = ids ? tg_dataset_tokens(j->data, e->split, 0, most, ids) : TG_ENOMEM;
    if (!s) s = tg_carry_new(j->model->model, 1, &carry);
    for (int64_t i = 0, at = 0; at < most - 1 && !s; i++) {
        const int64_t end = documents > i + 1 ? tg_dataset_document_start(j->data, e->split, i + 1) : most;
        const int64_t stop = end < most ? end : most;
        if (stop - at > 1) s = calibrate_piece(j, &carry, ids + at, stop - at - 1);
        at = stop;
    }
    if (!s) tg_figure_set(j, TG_FIGURE_calibration, tg_calibration_of(&j->calibration).ece, NAN);
    tg_carry_free(&carry);
    tg_free(ids);
    return s;
}

/* ---- prompts ------------------------------------------------------------------------------------------------------------------- */

/* One line: whether the likeliest continuation of the prompt begins with what must follow. */
static tg_status try_prompt(tg_judged *j, tg_generator *g, const char *line, int64_t length, int64_t number, bool *right)
{
    const tg_tokenizer *k = j->model->tokenizer;
    const char *tab = memchr(line, '\t', (size_t)length);
    if (!tab) return tg_fail(TG_EFORMAT, "line %lld: no tab between a prompt and what must follow", (long long)number);
    const int64_t room = tg_tokenizer_most(k, tab - line) + TG_OPENING, wanted = line + length - tab - 1;
    int32_t *ids = tg_alloc_array(room, sizeof *ids), token = 0;
    tg_str got = {0};
    tg_status s = ids ? TG_OK : TG_ENOMEM;
    int64_t opening = s ? 0 : tg_opening(k, -1, tab > line, 1, number, ids), count = room - opening;
    if (!s) s = tg_tokenizer_encode(k, line, tab - line, TG_UNKNOWN_ERROR, ids + opening, &count);
    if (!s) s = tg_generator_start(g, &(tg_beginning){.prompt = ids, .count = opening + count}, 1);
    for (int64_t at = 0; got.length < wanted && !s; at++) {
        int64_t bytes = 0;
        s = tg_generator_next(g, 0, 1, number, at, &token, NULL);
        if (s || token == tg_tokenizer_end(k)) break;
        const char *text = tg_tokenizer_text(k, token, &bytes);
        if (bytes == 0) break;
        tg_str_add_n(&got, text, bytes);
        if (got.failed) s = TG_ENOMEM;
    }
    *right = !s && got.length >= wanted && !memcmp(got.data ? got.data : "", tab + 1, (size_t)wanted);
    tg_str_free(&got);
    tg_free(ids);
    return s;
}

static tg_status try_prompts(tg_evaluation *e, tg_judged *j)
{
    const tg_choice likeliest = {.temperature = 0, .top_p = 1, .repeat_penalty = 1};
    tg_generator *g = NULL;
    char *text = NULL;
    int64_t length = 0, number = 0, tried = 0, hits = 0;
    if (!e->o->prompts) return TG_OK;
    tg_status s = tg_file_slurp(e->o->prompts, MOST_PROMPTS, &text, &length);
    if (!s) s = tg_generator_new(j->model->model, j->tape, j->model->tokenizer, &likeliest, 0, 1, &g);
    for (int64_t at = 0, next; at < length && !s; at = next) {
        const char *end = memchr(text + at, '\n', (size_t)(length - at));
        int64_t line = end ? end - text - at : length - at;
        bool right = false;
        next = at + line + 1;
        number++;
        if (line > 0 && text[at + line - 1] == '\r') line--;
        if (line == 0) continue;
        s = try_prompt(j, g, text + at, line, number, &right);
        if (s) s = tg_note("%s", e->o->prompts);
        hits += right;
        tried++;
    }
    if (!s) {
        const tg_interval w = tg_wilson(hits, tried);
        tg_figure_between(j, TG_FIGURE_exact_match, share_of(hits, tried), w.low, w.high, NAN);
    }
    tg_generator_free(g);
    tg_free(text);
    return s;
}

tg_status tg_evaluate_text(tg_evaluation *e, tg_judged *j)
{
    const bool samples = tg_evaluation_wants(e, TG_FIGURE_distinct_1, TG_FIGURE_longest_copy) ||
                         tg_evaluation_wants(e, TG_FIGURE_c2st_logistic, TG_FIGURE_c2st_svm) || e->o->quiz;
    tg_status s = TG_OK;
    if (j->model->data.classes == 0 && e->wanted[TG_FIGURE_calibration]) s = calibrate(e, j);
    if (!s) s = try_prompts(e, j);
    if (s || !samples) return s;
    s = draw_texts(e, j);
    if (!s) s = cut_pieces(e, j);
    if (!s) s = measure_diversity(j);
    if (!s) s = measure_lines(e, j);
    if (!s && tg_evaluation_wants(e, TG_FIGURE_words_known, TG_FIGURE_longest_copy)) s = compare_with_training(e, j);
    return s ? s : ask_judges(e, j);
}
