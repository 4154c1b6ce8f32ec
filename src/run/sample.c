/* sample.c - gen-sample: text from a trained model; images and points are sample_latent.c's. Sample i is drawn with stream (seed, i): alone or among others, it is
 * the same. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/term.h"
#include "base/utf8.h"
#include "data/text/tokenizer.h"
#include "run/attention.h"
#include "run/deps.h"
#include "run/generate.h"
#include "run/result.h"
#include "run/sample_latent.h"
#include "run/trained.h"
#include "tinygen/run.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_LENGTH = 500, MAX_PROMPT = 64 << 20, UNK_ERROR = 0, PROB_ROWS = 10, BAR = 40 };

const tg_key tg_sample_keys[] = {
    TG_TEXT(tg_sample_options, model, 0, NULL, "RUN|model.safetensors", TG_KEY_ARGUMENT | TG_KEY_REQUIRED | TG_KEY_NO_CONFIG,
            "a run folder or a model file"),
    TG_TEXT(tg_sample_options, input, 0, NULL, "-", TG_KEY_ARGUMENT | TG_KEY_NO_CONFIG, "the prompt is read from standard input"),
    TG_TEXT(tg_sample_options, out, 'o', NULL, "PATH", TG_KEY_NO_CONFIG | TG_KEY_NAME, "file to write; without it, standard output"),
    TG_TEXT(tg_sample_options, adapter, 0, NULL, "FILE", TG_KEY_NAME,
            "what gen-tune finetune --lora-rank learned for this model, added into its weights"),
    TG_TEXT(tg_sample_options, prompt, 'p', NULL, "TEXT", 0, "what the text begins with"),
    TG_TEXT(tg_sample_options, prompt_file, 0, NULL, "FILE", 0, "a file with what the text begins with; -: standard input"),
    TG_TEXT(tg_sample_options, label, 0, NULL, "NAME", 0,
            "the class to sample, or all: a row of images for each; without it, classes come as often as in training"),
    TG_REAL(tg_sample_options, guidance, 0, "0", 0, 100, 0,
            "bring the class out by what tells it from the others; 0: as the model has it, 3: clearly"),
    TG_INT(tg_sample_options, n, 'n', "1", 1, 1e9, 0, "samples"),
    TG_INT(tg_sample_options, first, 0, "0", 0, 9e15, 0, "number of the first sample"),
    TG_INT(tg_sample_options, length, 'l', "0", 0, 1e12, TG_KEY_AUTO, "new tokens in each, fewer where a document ends; 0: 500, with --probs 1"),
    TG_REAL(tg_sample_options, temperature, 't', "0.8", 0, 1000, 0, "below 1 safer, above 1 wilder; 0: always the likeliest"),
    TG_INT(tg_sample_options, top_k, 0, "0", 0, 1e9, 0, "only the so many likeliest tokens; 0: all"),
    TG_REAL(tg_sample_options, top_p, 0, "1", 1e-9, 1, 0, "only the likeliest tokens that together reach this probability"),
    TG_REAL(tg_sample_options, min_p, 0, "0", 0, 1, 0, "only tokens at least so likely as this share of the likeliest"),
    TG_REAL(tg_sample_options, repeat_penalty, 0, "1", 0.01, 100, 0, "above 1: tokens seen before get less likely"),
    TG_INT(tg_sample_options, seed, 0, "1", 0, 9e15, TG_KEY_SEED, "of the draws"),
    TG_LIST(tg_sample_options, stop, 0, "TEXT", 0, "end a sample before this text; may be given again"),
    TG_CHOICE(tg_sample_options, unk, 0, "error", "error|skip", 0, "at a prompt's character that the model does not know"),
    TG_SWITCH(tg_sample_options, probs, 0, NULL, 0, "show how likely the next tokens are, and which is taken"),
    TG_TEXT(tg_sample_options, attention, 0, NULL, "FILE.html", TG_KEY_NO_CONFIG | TG_KEY_NAME,
            "write a page that shows what a transformer looked at, token by token, in the first sample"),
    TG_CHOICE(tg_sample_options, format, 0, "auto", "auto|text|jsonl|png|npy", 0,
              "plain text, or an object a line with log-probabilities; a sheet of images or points, or their numbers; auto: by -o"),
    TG_TEXT(tg_sample_options, grid, 0, NULL, "CxR", 0, "images: columns and rows of the sheet"),
    TG_TEXT(tg_sample_options, interpolate, 0, NULL, "A:B", 0, "images: from sample A to sample B, 10 of them or -n"),
    TG_TEXT(tg_sample_options, reconstruct, 0, NULL, "FILE", 0,
            "images: what comes back of a dataset's first ones (of validation) or of an image, below each"),
    TG_SWITCH(tg_sample_options, map, 0, NULL, 0, "images: the plane of latents, where these have two numbers"),
    TG_REAL(tg_sample_options, truncation, 0, "0", 0, 100, 0,
            "images: latents within so many deviations; smaller: likelier and more alike; 0: any"),
    TG_SWITCH(tg_sample_options, show, 0, NULL, 0, "images: draw them on the terminal"),
    TG_SWITCH(tg_sample_options, raw, 0, NULL, 0, "let control characters through to a terminal"),
    TG_SWITCH(tg_sample_options, force, 0, NULL, TG_KEY_NO_CONFIG, "replace the output file"),
    TG_TEXT(tg_sample_options, deps, 0, NULL, "FILE", TG_KEY_NO_CONFIG, "write a Makefile fragment of what was read"),
    TG_KEYS_END
};

/* A sample that is being drawn. */
typedef struct drawing {
    int64_t sample;
    tg_str shown;             /* what is to be put out when all samples before it are */
    tg_str held;              /* drawn, not shown yet: may begin a stop text, or be part of a character */
    tg_str text;              /* the sample so far, without the prompt (jsonl, json; else empty) */
    tg_str tokens, log_probs; /* JSON arrays of it */
    double log_prob;
    const char *stopped;      /* "end" of a document, a "stop" text; NULL: not yet */
    char last;                /* last byte shown */
} drawing;

typedef struct sampler {
    tg_context *ctx;
    const tg_sample_options *o;
    tg_trained *trained;
    tg_tape *tape;
    tg_generator *generator;
    tg_writer *writer;        /* NULL: the output hook */
    tg_looks *looks;          /* of the sample that is drawn; NULL: nobody asked */
    tg_writer *page;          /* for them; NULL: none, or it is written */
    char *prompt;
    int64_t prompt_bytes, prompt_count, label; /* label: -1: none was asked for */
    int32_t *prompt_ids;
    int32_t *openings;        /* [texts, TG_OPENING], so many of each as there are */
    bool begun;               /* the beginning that all samples share is read */
    drawing *texts;           /* [texts at once] */
    tg_str samples;           /* json: objects of all samples */
} sampler;

/* ---- output --------------------------------------------------------------------------------------------------------- */

static bool is_plain(const sampler *m)
{
    return m->o->format <= TG_FORMAT_TEXT && (!m->o->json || m->writer);
}

static void show(drawing *x, const char *bytes, int64_t count)
{
    if (count <= 0) return;
    x->last = bytes[count - 1];
    tg_str_add_n(&x->shown, bytes, count);
}

/* Out with it: all samples before this one are out. */
static tg_status put_out(sampler *m, drawing *x)
{
    tg_status s = TG_OK;
    tg_str *h = &x->shown;
    if (h->failed) return TG_ENOMEM;
    if (h->length) s = m->writer ? tg_writer_add(m->writer, h->data, h->length) : tg_output(m->ctx, h->data, h->length);
    tg_str_clear(h);
    return s;
}

/* The first `count` held bytes are final. */
static tg_status release(const sampler *m, drawing *x, int64_t count)
{
    tg_str *h = &x->held;
    if (h->failed) return TG_ENOMEM;
    if (count <= 0) return TG_OK;
    if (is_plain(m) && !m->o->probs) show(x, h->data, count);
    if (!is_plain(m) || m->o->json) tg_str_add_n(&x->text, h->data, count);
    memmove(h->data, h->data + count, (size_t)(h->length - count) + 1);
    h->length -= count;
    return TG_OK;
}

/* Where the first stop text begins in what is held, -1: none. *may_begin: the least offset where one may begin. */
static int64_t find_stop(const sampler *m, const drawing *x, int64_t *may_begin)
{
    const tg_str *h = &x->held;
    *may_begin = h->length;
    for (int64_t at = 0; at < h->length; at++) {
        for (int64_t i = 0; i < m->o->stop.count; i++) {
            const char *stop = m->o->stop.items[i];
            int64_t n = (int64_t)strlen(stop), left = h->length - at;
            if (n == 0 || memcmp(h->data + at, stop, (size_t)(n < left ? n : left))) continue;
            if (n <= left) return at;
            if (at < *may_begin) *may_begin = at;
        }
    }
    return -1;
}

/* Shows what is certain: whole characters before anything that may become a stop text. */
static tg_status advance(const sampler *m, drawing *x, bool end)
{
    int64_t may_begin = 0, stop = find_stop(m, x, &may_begin);
    if (stop >= 0) {
        x->stopped = "stop";
        return release(m, x, stop);
    }
    if (!x->held.length || end) return release(m, x, x->held.length);
    int64_t whole = x->held.length - tg_utf8_partial(x->held.data, x->held.length);
    return release(m, x, whole < may_begin ? whole : may_begin);
}

/* ---- --probs -------------------------------------------------------------------------------------------------------- */

static void add_padded(tg_str *out, const char *bytes, int64_t count, int64_t columns)
{
    tg_str safe = {0};
    tg_str_add(&safe, "\"");
    tg_term_safe_line(&safe, bytes, count);
    tg_str_add(&safe, "\"");
    if (safe.failed) {
        out->failed = true;
    } else {
        tg_str_add_n(out, safe.data, safe.length);
        for (int64_t w = tg_utf8_columns(safe.data, safe.length); w < columns; w++) tg_str_add(out, " ");
    }
    tg_str_free(&safe);
}

/* A token's text, a special one's name. */
static const char *shown_text(const tg_tokenizer *k, int32_t id, int64_t *length)
{
    const char *special = tg_tokenizer_special(k, id);
    if (!special) return tg_tokenizer_text(k, id, length);
    *length = (int64_t)strlen(special);
    return special;
}

/* "* "e"       41.2 %  ################"; the star marks the token that was taken. */
static void add_probability(tg_str *out, const tg_tokenizer *k, int32_t id, float p, bool taken)
{
    int64_t length = 0;
    const char *text = shown_text(k, id, &length);
    tg_str number = {0};
    tg_str_add_fixed(&number, (double)p * 100, 1);
    tg_str_add(out, taken ? "* " : "  ");
    add_padded(out, text, length, 12);
    for (int64_t i = number.length; i < 6; i++) tg_str_add(out, " ");
    tg_str_add(out, number.failed ? "" : number.data);
    tg_str_add(out, " %  ");
    const int bar = p > 0 && p <= 1 ? (int)((double)p * BAR + 0.5) : 0; /* not of what is no probability */
    for (int i = 0; i < bar; i++) tg_str_add(out, "#");
    while (out->length > 0 && !out->failed && out->data[out->length - 1] == ' ') out->data[--out->length] = 0;
    tg_str_add(out, "\n");
    tg_str_free(&number);
}

typedef struct ranking { int32_t ids[PROB_ROWS]; float probs[PROB_ROWS]; int64_t count; } ranking;

static tg_status show_probs(const sampler *m, drawing *x, const ranking *r, int64_t at, int32_t token, float log_prob)
{
    const tg_tokenizer *k = m->trained->tokenizer;
    tg_str out = {0};
    bool listed = false;
    int64_t length = 0;
    const char *text = shown_text(k, token, &length);
    tg_str_addf(&out, "%stoken %lld: ", at ? "\n" : "", (long long)at + 1);
    add_padded(&out, text, length, 0);
    tg_str_add(&out, "\n");
    for (int64_t i = 0; i < r->count; i++) {
        listed = listed || r->ids[i] == token;
        add_probability(&out, k, r->ids[i], r->probs[i], r->ids[i] == token);
    }
    if (!listed) add_probability(&out, k, token, (float)exp((double)log_prob), true);
    if (!out.failed) show(x, out.data, out.length);
    tg_status s = out.failed ? TG_ENOMEM : TG_OK;
    tg_str_free(&out);
    return s;
}

/* ---- a sample --------------------------------------------------------------------------------------------------------- */

static void record(drawing *x, int32_t token, float log_prob, bool first)
{
    tg_str_addf(&x->tokens, "%s%lld", first ? "" : ", ", (long long)token);
    tg_json_put_real(&(tg_json_writer){.out = &x->log_probs, .comma = !first}, (double)log_prob);
    x->log_prob += (double)log_prob;
}

static int64_t length_of(const sampler *m)
{
    return m->o->length ? m->o->length : m->o->probs ? 1 : DEFAULT_LENGTH;
}

static tg_status one_token(sampler *m, int64_t i, int64_t at)
{
    drawing *x = &m->texts[i];
    int32_t token = 0;
    float log_prob = 0;
    int64_t length = 0;
    ranking r = {.count = 0};
    tg_status s = TG_OK;
    const bool recorded = !is_plain(m) || m->o->json, shown = m->o->probs && is_plain(m);
    if (m->o->probs) s = tg_generator_top(m->generator, i, r.ids, r.probs, PROB_ROWS, &r.count);
    if (!s)
        s = tg_generator_next(m->generator, i, (uint64_t)m->o->seed, x->sample, at, &token,
                              recorded || shown || m->looks ? &log_prob : NULL);
    if (s) return s;
    if (m->looks) tg_looks_token(m->looks, token, TG_LOOK_DRAWN, (double)log_prob);
    const char *piece = tg_tokenizer_text(m->trained->tokenizer, token, &length);
    const bool begins = at == 0 && m->prompt_count == 0 && tg_tokenizer_start(m->trained->tokenizer) >= 0;
    const int64_t left_out = begins && length > 0 && *piece == ' ' ? m->trained->tokenizer->prefix : 0; /* is none of the text */
    tg_str_add_n(&x->held, piece + left_out, length - left_out);
    if (recorded) record(x, token, log_prob, at == 0);
    if (shown) s = show_probs(m, x, &r, at, token, log_prob);
    const bool ends = token == tg_tokenizer_end(m->trained->tokenizer);
    if (!s) s = advance(m, x, ends); /* at the end, what is held is no stop text any more */
    if (ends && !x->stopped) x->stopped = "end";
    const bool last = x->stopped || at + 1 == length_of(m); /* nobody else would read it */
    return s || !last || !m->looks ? s : tg_generator_read(m->generator, i);
}

static void begin_sample(const sampler *m, drawing *x, int64_t sample)
{
    tg_str *const strings[] = {&x->held, &x->text, &x->tokens, &x->log_probs};
    for (int i = 0; i < 4; i++) tg_str_clear(strings[i]);
    x->sample = sample;
    x->log_prob = 0;
    x->stopped = NULL;
    x->last = '\n';
    if (is_plain(m) && m->o->n > 1) tg_str_addf(&x->shown, "--- sample %lld ---\n", (long long)sample);
    if (is_plain(m) && !m->o->probs) show(x, m->prompt, m->prompt_bytes);
}

/* Whatever the model reads of the sample that begins so is noted. */
static tg_status look_on(sampler *m, const tg_beginning *b)
{
    tg_status s = tg_looks_start(m->looks, b->opening_count + b->count, length_of(m));
    if (s) return s;
    for (int64_t i = 0; i < b->opening_count; i++) tg_looks_token(m->looks, b->openings[i], TG_LOOK_OPENING, 0);
    for (int64_t i = 0; i < b->count; i++) tg_looks_token(m->looks, b->prompt[i], TG_LOOK_PROMPT, 0);
    tg_generator_watch(m->generator, tg_looks_watch(m->looks));
    return TG_OK;
}

/* The page of the first sample, and no other: that of more would tell less. */
static tg_status put_looks(sampler *m, int64_t sample)
{
    const tg_model *model = m->trained->model;
    const tg_looks_about about = {.path = m->trained->path, .seed = m->o->seed, .sample = sample, .temperature = m->o->temperature,
                                  .guidance = m->o->guidance, .context = tg_model_descriptor(model)->context(tg_model_config(model))};
    tg_status s = tg_looks_write(m->looks, &about, m->page);
    tg_generator_watch(m->generator, NULL);
    tg_looks_free(m->looks);
    m->looks = NULL;
    return s;
}

/* The samples from `first` on read their beginning; once for all, unless their classes are drawn. */
static tg_status begin_samples(sampler *m, int64_t first, int64_t count)
{
    const tg_tokenizer *k = m->trained->tokenizer;
    tg_beginning b = {.openings = m->openings, .prompt = m->prompt_ids, .count = m->prompt_count};
    for (int64_t i = 0; i < count; i++) {
        begin_sample(m, &m->texts[i], first + i);
        int32_t *opening = m->openings + i * b.opening_count; /* all are as long as the first */
        b.opening_count = tg_opening(k, m->label, m->prompt_count > 0, (uint64_t)m->o->seed, first + i, opening);
    }
    if (m->begun) return tg_generator_again(m->generator, count);
    const bool alike = m->label >= 0 || tg_tokenizer_classes(k) == 0;
    m->begun = alike && tg_generator_most(m->generator) > 1;
    tg_status s = m->looks ? look_on(m, &b) : TG_OK;
    return s ? s : tg_generator_start(m->generator, &b, count);
}

static void put_sample(const sampler *m, const drawing *x, tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_int(&w, "sample", x->sample);
    tg_json_key(&w, "prompt");
    tg_json_put_text_n(&w, m->prompt ? m->prompt : "", m->prompt_bytes);
    tg_json_key(&w, "text");
    tg_json_put_text_n(&w, x->text.data ? x->text.data : "", x->text.length);
    tg_json_member_text(&w, "stopped", x->stopped ? x->stopped : "length");
    tg_json_member_real(&w, "log_prob", x->log_prob);
    tg_json_member_raw(&w, "tokens", "[");
    tg_str_add_n(out, x->tokens.data, x->tokens.length);
    tg_str_add(out, "], \"log_probs\": [");
    tg_str_add_n(out, x->log_probs.data, x->log_probs.length);
    tg_str_add(out, "]}");
    if (x->tokens.failed || x->log_probs.failed) out->failed = true;
}

static tg_status end_sample(sampler *m, drawing *x)
{
    tg_status s = x->stopped ? TG_OK : advance(m, x, true);
    if (s) return s;
    if (x->text.failed) return TG_ENOMEM;
    if (m->o->json) {
        if (m->samples.length) tg_str_add(&m->samples, ", ");
        put_sample(m, x, &m->samples);
    }
    if (is_plain(m) && x->last != '\n') show(x, "\n", 1);
    if (!is_plain(m) && m->o->format > TG_FORMAT_TEXT && (!m->o->json || m->writer)) {
        put_sample(m, x, &x->shown);
        tg_str_add(&x->shown, "\n");
    }
    return put_out(m, x);
}

/* As many samples as go together. They come out in order: the first as it is drawn, another when those before it have ended. */
static tg_status some_samples(sampler *m, int64_t first, int64_t count)
{
    const int64_t length = length_of(m);
    int64_t front = 0;
    tg_status s = begin_samples(m, first, count);
    for (int64_t at = 0; at < length && front < count && !s; at++) {
        if (tg_cancelled(m->ctx))
            return tg_fail(TG_ECANCELLED, "stopped at token %lld of sample %lld", (long long)at, (long long)(first + front));
        for (int64_t i = front; i < count && !s; i++) {
            if (m->texts[i].stopped) continue;
            s = one_token(m, i, at);
            if (m->texts[i].stopped) tg_generator_end(m->generator, i);
        }
        while (front < count && m->texts[front].stopped && !s) s = end_sample(m, &m->texts[front++]);
        if (front < count && !s) s = put_out(m, &m->texts[front]);
    }
    while (front < count && !s) s = end_sample(m, &m->texts[front++]);
    return s || !m->looks ? s : put_looks(m, first);
}

/* ---- beginning and end ------------------------------------------------------------------------------------------------ */

static tg_status read_prompt(sampler *m)
{
    const tg_sample_options *o = m->o;
    const char *file = o->input ? o->input : o->prompt_file;
    if (o->input && strcmp(o->input, "-")) return tg_fail(TG_EUSAGE, "unexpected argument %s; a prompt is --prompt TEXT", o->input);
    if ((o->prompt != NULL) + (o->prompt_file != NULL) + (o->input != NULL) > 1)
        return tg_fail(TG_EUSAGE, "--prompt, --prompt-file and - all give a prompt; give one of them");
    if (o->prompt) {
        m->prompt = tg_strdup(o->prompt);
        m->prompt_bytes = (int64_t)strlen(o->prompt);
        return m->prompt ? TG_OK : TG_ENOMEM;
    }
    if (!file) return TG_OK;
    tg_status s = tg_context_read(m->ctx, file);
    return s ? s : tg_file_slurp(file, MAX_PROMPT, &m->prompt, &m->prompt_bytes);
}

static tg_status encode_prompt(sampler *m)
{
    m->prompt_count = tg_tokenizer_most(m->trained->tokenizer, m->prompt_bytes);
    m->prompt_ids = tg_alloc_array(m->prompt_count, sizeof *m->prompt_ids);
    if (!m->prompt_ids) return TG_ENOMEM;
    if (m->prompt_bytes == 0) m->prompt_count = 0;
    if (m->prompt_bytes == 0) return TG_OK;
    tg_status s = tg_tokenizer_encode(m->trained->tokenizer, m->prompt, m->prompt_bytes,
                                      m->o->unk == UNK_ERROR ? TG_UNKNOWN_ERROR : TG_UNKNOWN_SKIP, m->prompt_ids,
                                      &m->prompt_count);
    return s ? tg_note("the prompt") : TG_OK;
}

/* Position of --label among the model's classes. */
static tg_status find_label(sampler *m)
{
    const tg_tokenizer *k = m->trained->tokenizer;
    tg_str names = {0};
    m->label = -1;
    if (m->o->guidance > 0 && tg_tokenizer_classes(k) < 2)
        return tg_fail(TG_EUSAGE, "%s knows %s, so there is nothing for --guidance to tell apart", m->trained->path,
                       tg_tokenizer_classes(k) ? "one class only" : "no classes");
    if (!m->o->label) return TG_OK;
    if (tg_tokenizer_classes(k) == 0)
        return tg_fail(TG_EUSAGE, "%s knows no classes, so there is no --label; collect with labels and preprocess with --documents",
                       m->trained->path);
    for (int64_t i = 0; i < tg_tokenizer_classes(k); i++) {
        if (!strcmp(m->o->label, tg_tokenizer_class_name(k, i))) m->label = i;
        tg_str_addf(&names, "%s%s", i ? ", " : "", tg_tokenizer_class_name(k, i));
    }
    tg_status s = names.failed ? TG_ENOMEM
                : m->label >= 0 ? TG_OK : tg_fail(TG_EUSAGE, "no class %s; there are: %s", m->o->label, names.data);
    tg_str_free(&names);
    if (!s && tg_tokenizer_class_documents(k, m->label) == 0)
        tg_log(m->ctx, TG_LOG_WARN, "no training document is of class %s: the model has not learned what it means", m->o->label);
    return s;
}

static tg_status open_file(const sampler *m, const char *path, tg_writer **out)
{
    if (!m->o->force && tg_path_kind(path) != TG_PATH_NONE)
        return tg_fail(TG_EINVAL, "%s is there already; --force replaces it", path);
    tg_clean_temps_of(path);
    return tg_writer_new(path, out);
}

static tg_status open_outputs(sampler *m)
{
    const tg_sample_options *o = m->o;
    tg_status s = o->out && strcmp(o->out, "-") ? open_file(m, o->out, &m->writer) : TG_OK;
    return s || !o->attention ? s : open_file(m, o->attention, &m->page);
}

/* Both, or what comes first. */
static tg_status commit_outputs(sampler *m)
{
    tg_status s = m->writer ? tg_writer_commit(m->writer) : TG_OK;
    m->writer = NULL;
    if (!s && m->page) {
        s = tg_writer_commit(m->page);
        m->page = NULL;
    }
    return s;
}

static void tell_context(const sampler *m)
{
    const tg_model *model = m->trained->model;
    const tg_model_desc *desc = tg_model_descriptor(model);
    const int64_t context = desc->context ? desc->context(tg_model_config(model)) : 0;
    if (context && m->prompt_count + TG_OPENING + length_of(m) > context)
        tg_log(m->ctx, TG_LOG_INFO, "the model sees %lld tokens at once; behind these it goes on from the last half of them",
               (long long)context);
}

static tg_status prepare(sampler *m)
{
    const tg_sample_options *o = m->o;
    tg_choice choice = {.temperature = o->temperature, .top_k = o->top_k, .top_p = o->top_p, .min_p = o->min_p,
                        .repeat_penalty = o->repeat_penalty};
    tg_status s = read_prompt(m);
    if (!s) s = tg_trained_open_adapted(m->ctx, o->model, o->adapter, &m->trained);
    if (!s) s = tg_context_read(m->ctx, m->trained->path);
    if (!s && o->adapter) s = tg_context_read(m->ctx, o->adapter);
    if (s || m->trained->samples) return s;
    s = tg_sample_refuse_pictures(o, m->trained->path);
    if (!s && o->attention) s = tg_looks_new(m->trained->model, m->trained->tokenizer, &m->looks);
    if (!s) s = find_label(m);
    if (!s) s = encode_prompt(m);
    if (!s) s = tg_tape_new(m->ctx, &m->tape);
    if (!s) s = tg_generator_new(m->trained->model, m->tape, m->trained->tokenizer, &choice, o->guidance, o->n, &m->generator);
    if (s) return s;
    m->texts = tg_alloc_array(tg_generator_most(m->generator), sizeof *m->texts);
    m->openings = tg_alloc_array(tg_generator_most(m->generator) * TG_OPENING, sizeof *m->openings);
    if (!m->texts || !m->openings) return TG_ENOMEM;
    tell_context(m);
    return open_outputs(m);
}

static tg_status put_result(sampler *m, double seconds)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    tg_result_begin(&w, "gen-sample", m->o->out, m->o->seed, seconds);
    if (m->o->attention) tg_json_member_text(&w, "attention", m->o->attention);
    tg_json_member_raw(&w, "samples", "[");
    tg_str_add_n(&out, m->samples.data, m->samples.length);
    tg_str_add(&out, "]");
    if (m->samples.failed) out.failed = true;
    return tg_result_end(m->ctx, &w);
}

static void clean(sampler *m)
{
    for (int64_t i = 0; m->texts && i < tg_generator_most(m->generator); i++) {
        drawing *x = &m->texts[i];
        tg_str *const strings[] = {&x->shown, &x->held, &x->text, &x->tokens, &x->log_probs};
        for (int k = 0; k < 5; k++) tg_str_free(strings[k]);
    }
    tg_free(m->texts);
    tg_free(m->openings);
    tg_writer_abandon(m->writer);
    tg_writer_abandon(m->page);
    tg_looks_free(m->looks);
    tg_generator_free(m->generator);
    tg_tape_free(m->tape);
    tg_trained_close(m->trained);
    tg_free(m->prompt);
    tg_free(m->prompt_ids);
    tg_str_free(&m->samples);
}

tg_status tg_sample(tg_context *ctx, const tg_sample_options *o)
{
    sampler m = {.ctx = ctx, .o = o};
    double begin = tg_now();
    if (o->deps && (!o->out || !strcmp(o->out, "-")))
        return tg_fail(TG_EUSAGE, "--deps names what an output was made of; add -o PATH");
    if (o->probs && (o->format == TG_FORMAT_JSONL || o->json))
        return tg_fail(TG_EUSAGE, "--probs draws a picture for people; --format jsonl has log-probabilities of what was taken");
    if (o->attention && (!strcmp(o->attention, "-") || (o->out && !strcmp(o->out, o->attention))))
        return tg_fail(TG_EUSAGE, "--attention writes a page beside the text; name a file of its own, such as look.html");
    tg_status s = prepare(&m);
    if (!s && m.trained->samples) {
        s = tg_sample_latent(ctx, o, m.trained);
        clean(&m);
        return s;
    }
    if (!s && o->attention && o->n > 1) tg_log(ctx, TG_LOG_INFO, "--attention shows the first of %lld samples", (long long)o->n);
    if (!s) tg_log(ctx, TG_LOG_DETAIL, "%s, seed %lld", m.trained->path, (long long)o->seed);
    for (int64_t i = 0, most = s ? 1 : tg_generator_most(m.generator), count; i < o->n && !s; i += count) {
        count = m.looks ? 1 : o->n - i < most ? o->n - i : most; /* who is looked at is drawn alone */
        s = some_samples(&m, o->first + i, count);
    }
    if (!s) s = commit_outputs(&m);
    if (!s && o->json) s = put_result(&m, tg_now() - begin);
    if (!s && o->deps) s = tg_deps_write(ctx, o->deps, o->out);
    clean(&m);
    return s;
}
