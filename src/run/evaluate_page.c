/* evaluate_page.c - the report of gen-evaluate, and its quiz. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/term.h"
#include "data/codec/png.h"
#include "run/chart.h"
#include "run/curve.h"
#include "run/evaluate.h"
#include "run/latent.h"
#include "run/metrics/bits.h"
#include "run/quiz.h"

enum { SHOWN_TEXTS = 3, SHOWN_BYTES = 800, SHEET = 64, COLUMNS = 16, OVER_TRAINING = 5, MOST_PICTURE = 1 << 24, COLUMNS_MOST = 16,
       MOST_ORIGINS = 20 };

static const char *word(const tg_evaluation *e, tg_word w) { return tg_words((tg_lang)e->o->lang, w); }

/* What was put together; where memory did not suffice, the page fails, for it would say less than it should. */
static const char *made(tg_page *p, const tg_str *text)
{
    if (text->failed) p->body.failed = true;
    return text->failed ? NULL : text->data;
}

/* ---- figures ------------------------------------------------------------------------------------------------------------------ */

static bool is_known(const tg_evaluation *e, int id)
{
    for (int64_t r = 0; r < e->count; r++)
        if (!isnan(e->runs[r].figures[id].value)) return true;
    return false;
}

/* What the text costs whoever knows nothing, how often each token comes, or the two before: by the first run's data. */
static void show_baselines(const tg_evaluation *e, tg_page *p)
{
    static const struct { const char *key; tg_word word; } rows[] = {
        {"uniform", TG_WORD_report_uniform}, {"unigram", TG_WORD_report_unigram}, {"ngram", TG_WORD_report_ngram}};
    const tg_figure_id ids[] = {TG_FIGURE_val_loss, TG_FIGURE_perplexity, TG_FIGURE_bpc, TG_FIGURE_bpb};
    const tg_judged *j = &e->runs[0];
    const char *heads[5] = {word(e, TG_WORD_report_without)};
    if (tg_dataset_kind(j->data) != TG_KIND_TEXT || !is_known(e, TG_FIGURE_val_loss)) return;
    for (int i = 0; i < 4; i++) heads[i + 1] = tg_figure_rows[ids[i]].name;
    tg_page_table(p, NULL, heads, 5, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double nats = tg_dataset_baseline(j->data, rows[i].key);
        const double values[] = {nats, tg_perplexity(nats), tg_bits_per_char(j->data, e->split, nats), tg_bits_per_byte(j->data, e->split, nats)};
        tg_page_row(p);
        tg_page_cell(p, word(e, rows[i].word));
        for (int k = 0; k < 4; k++) tg_page_cell_real(p, values[k], tg_figure_rows[ids[k]].decimals);
    }
    tg_page_table_end(p);
}

static void show_figures(const tg_evaluation *e, tg_page *p)
{
    const char *heads[COLUMNS_MOST + 3];
    int columns = 0;
    const int64_t runs = e->count < COLUMNS_MOST ? e->count : COLUMNS_MOST;
    heads[columns++] = word(e, TG_WORD_report_figure);
    heads[columns++] = word(e, TG_WORD_report_meaning);
    for (int64_t r = 0; r < runs; r++) heads[columns++] = e->runs[r].path;
    heads[columns++] = word(e, TG_WORD_report_baseline);
    tg_page_section(p, "figures", word(e, TG_WORD_report_figures));
    tg_page_table(p, NULL, heads, columns, 2);
    for (int i = 0; i < TG_FIGURES; i++) {
        const tg_figure_row *row = &tg_figure_rows[i];
        tg_str name = {0};
        if (!is_known(e, i)) continue;
        tg_str_addf(&name, "%s%s%s%s", row->name, *row->unit ? ", " : "", row->unit, row->better == '<' ? " \u2193" : row->better == '>' ? " \u2191" : "");
        tg_page_row(p);
        tg_page_cell(p, made(p, &name));
        tg_page_cell(p, row->meaning[e->o->lang]);
        for (int64_t r = 0; r < runs; r++) {
            const tg_figure *f = &e->runs[r].figures[i];
            if (isnan(f->low)) tg_page_cell_real(p, f->value, row->decimals);
            else tg_page_cell_interval(p, f->value, f->low, f->high, row->decimals);
        }
        tg_page_cell_real(p, e->runs[0].figures[i].baseline, row->decimals);
        tg_str_free(&name);
    }
    tg_page_table_end(p);
    tg_page_note(p, word(e, TG_WORD_report_baseline_meaning));
    if (e->count > COLUMNS_MOST) {
        tg_str text = {0};
        tg_str_addf(&text, word(e, TG_WORD_report_columns_cut), COLUMNS_MOST, (long long)e->count);
        tg_page_warn(p, made(p, &text));
        tg_str_free(&text);
    }
    show_baselines(e, p);
}

/* ---- learning curves ------------------------------------------------------------------------------------------------------------ */

static tg_status show_curves(const tg_evaluation *e, tg_page *p)
{
    tg_status s = TG_OK;
    bool any = false;
    for (int64_t r = 0; r < e->count && !s; r++) {
        tg_curve c;
        s = tg_curve_read(e->runs[r].path, &c);
        const tg_series series[] = {{.name = "train_loss", .mark = TG_LINE, .x = c.step[0], .y = c.loss[0], .count = c.count[0]},
                                    {.name = "val_loss", .mark = c.count[1] > 1 ? TG_LINE : TG_POINTS, .x = c.step[1], .y = c.loss[1], .count = c.count[1]}};
        const tg_chart chart = {.title = e->runs[r].path, .x = word(e, TG_WORD_report_step), .y = word(e, TG_WORD_report_loss)};
        if (!s && c.count[0] > 0) {
            if (!any) tg_page_section(p, "curves", word(e, TG_WORD_report_curves));
            if (!any) tg_page_side(p);
            any = true;
            tg_chart_draw(p, &chart, series, c.count[1] > 0 ? 2 : 1);
        }
        tg_curve_free(&c);
    }
    if (any) tg_page_side_end(p);
    return s;
}

/* ---- samples ---------------------------------------------------------------------------------------------------------------------- */

/* How many bytes of a text are shown: SHOWN_BYTES at most, cut between characters. */
static int64_t shown(const char *bytes, int64_t length)
{
    if (length <= SHOWN_BYTES) return length;
    for (length = SHOWN_BYTES; length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80;) length--;
    return length;
}

static void show_texts(tg_page *p, const char *caption, const tg_text *texts, int64_t count)
{
    tg_page_note(p, caption);
    tg_page_side(p);
    for (int64_t i = 0; i < count && i < SHOWN_TEXTS; i++) tg_page_sample(p, NULL, texts[i].bytes, shown(texts[i].bytes, texts[i].length));
    tg_page_side_end(p);
}

static tg_status show_sheet(tg_page *p, const tg_model_data *data, const float *x, const int32_t *labels, int64_t n, int64_t columns,
                            const char *caption)
{
    tg_image image = {0};
    tg_str png = {0};
    tg_status s = tg_latent_sheet(data, x, labels, n, columns, NULL, &image);
    if (!s) s = tg_png_write(&png, &image);
    if (!s) tg_page_image(p, png.data, png.length, caption, caption, true);
    tg_image_free(&image);
    tg_str_free(&png);
    return s;
}

/* Pictures that training left, from the first to the last. */
static tg_status show_progress(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    char *folder = tg_path_join(j->path, "samples");
    tg_listing names = {0};
    tg_status s = folder ? TG_OK : TG_ENOMEM;
    if (!s && tg_path_kind(folder) == TG_PATH_FOLDER) s = tg_list_tree(folder, &names);
    if (!s && names.count > 1) tg_page_note(p, word(e, TG_WORD_report_over_training));
    tg_page_side(p);
    const int64_t most = names.count < OVER_TRAINING ? names.count : OVER_TRAINING;
    for (int64_t k = 0; k < most && most > 1 && !s; k++) {
        const char *name = names.names[k * (names.count - 1) / (most - 1)];
        char *path = tg_path_join(folder, name), *bytes = NULL;
        int64_t length = 0;
        s = path ? tg_file_slurp(path, MOST_PICTURE, &bytes, &length) : TG_ENOMEM;
        const size_t n = strlen(name);
        if (!s && n > 4 && !strcmp(name + n - 4, ".png")) tg_page_image(p, bytes, length, name, name, true);
        else if (!s) tg_page_sample(p, name, bytes, shown(bytes, length));
        tg_free(bytes);
        tg_free(path);
    }
    tg_page_side_end(p);
    tg_listing_free(&names);
    tg_free(folder);
    return s;
}

static tg_status show_samples(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    const tg_model_data *data = &j->model->data;
    tg_status s = TG_OK;
    if (e->count > 1) tg_page_heading(p, j->path);
    if (j->texts) {
        show_texts(p, word(e, TG_WORD_report_drawn), j->texts, j->count);
        show_texts(p, word(e, TG_WORD_report_real), j->real, j->real_count);
    } else if (j->x) {
        const bool image = data->kind == TG_KIND_IMAGE;
        const int64_t n = image && j->count > SHEET ? SHEET : j->count, m = image && j->real_count > SHEET ? SHEET : j->real_count;
        tg_page_side(p);
        s = show_sheet(p, data, j->x, j->labels, n, COLUMNS / 2, word(e, TG_WORD_report_drawn));
        if (!s) s = show_sheet(p, data, j->real_x, NULL, m, COLUMNS / 2, word(e, TG_WORD_report_real));
        tg_page_side_end(p);
    }
    return s || tg_path_kind(j->path) != TG_PATH_FOLDER ? s : show_progress(e, p, j);
}

/* ---- memory, calibration ------------------------------------------------------------------------------------------------------- */

static tg_status show_memory(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    const int64_t size = tg_model_data_size(&j->model->data), n = j->count < TG_EVALUATE_NEIGHBOURS ? j->count : TG_EVALUATE_NEIGHBOURS;
    if (!j->compared && !j->neighbours) return TG_OK;
    if (e->count > 1) tg_page_heading(p, j->path);
    if (j->compared) {
        if (j->verdict.flagged) tg_page_warn(p, word(e, TG_WORD_report_memory_flagged));
        else tg_page_text(p, word(e, j->verdict.why == TG_COPIED_SHORT ? TG_WORD_report_memory_short : TG_WORD_report_memory_fine));
        for (int64_t i = 0; i < j->passage_count; i++) {
            const tg_passage *x = &j->passages[i];
            const char *passage = j->texts[x->text].bytes + x->offset;
            tg_str caption = {0};
            tg_str_addf(&caption, "%s: %lld, %s %lld", word(e, TG_WORD_report_passage), (long long)x->chars, word(e, TG_WORD_report_sample), (long long)x->text);
            tg_page_sample(p, made(p, &caption), passage, shown(passage, x->length));
            tg_str_free(&caption);
        }
        return TG_OK;
    }
    float *both = tg_alloc_array(2 * n * size, sizeof *both);
    if (!both) return TG_ENOMEM;
    memcpy(both, j->x, (size_t)(n * size) * sizeof *both);
    memcpy(both + n * size, j->neighbours, (size_t)(n * size) * sizeof *both);
    tg_status s = show_sheet(p, &j->model->data, both, NULL, 2 * n, n, word(e, TG_WORD_report_neighbours));
    tg_free(both);
    return s;
}

static void show_calibration(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    double edges[TG_CALIBRATION_BINS + 1], share[TG_CALIBRATION_BINS], line[2] = {0, 1};
    for (int i = 0; i <= TG_CALIBRATION_BINS; i++) edges[i] = (double)i / TG_CALIBRATION_BINS;
    for (int i = 0; i < TG_CALIBRATION_BINS; i++)
        share[i] = j->calibration.count[i] ? (double)j->calibration.correct[i] / (double)j->calibration.count[i] : (double)NAN;
    const tg_series series[] = {{.name = word(e, TG_WORD_report_came), .mark = TG_BARS, .x = edges, .y = share, .count = TG_CALIBRATION_BINS},
                                {.mark = TG_LINE, .x = line, .y = line, .count = 2}};
    const tg_chart chart = {.title = j->path, .x = word(e, TG_WORD_report_said), .y = word(e, TG_WORD_report_came), .unit = true};
    tg_chart_draw(p, &chart, series, 2);
}

/* ---- where it comes from ---------------------------------------------------------------------------------------------------------- */

static void show_sources(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    const int64_t count = tg_dataset_origins(j->data);
    if (count == 0) return;
    tg_page_table(p, NULL, (const char *const[]){word(e, TG_WORD_report_origin), word(e, TG_WORD_report_licence)}, 2, 2);
    const char *before = NULL; /* files of one place come one behind the other */
    for (int64_t i = 0; i < count && i < MOST_ORIGINS; i++) {
        const char *licence = NULL, *origin = tg_dataset_origin(j->data, i, &licence);
        if (before && origin && !strcmp(before, origin)) continue;
        before = origin;
        tg_page_row(p);
        tg_page_cell(p, origin);
        tg_page_cell(p, licence);
    }
    tg_page_table_end(p);
    if (count <= MOST_ORIGINS) return;
    tg_str text = {0};
    tg_str_addf(&text, word(e, TG_WORD_report_origins_cut), (long long)(count - MOST_ORIGINS));
    tg_page_note(p, made(p, &text));
    tg_str_free(&text);
}

static void show_origin(const tg_evaluation *e, tg_page *p, const tg_judged *j)
{
    const tg_json *settings = tg_json_get(tg_safetensors_meta(j->model->file), "settings");
    tg_page_details(p, j->path, e->count == 1);
    tg_page_table(p, NULL, (const char *const[]){word(e, TG_WORD_report_setting), word(e, TG_WORD_report_value)}, 2, 2);
    tg_page_row(p);
    tg_page_cell(p, word(e, TG_WORD_report_model));
    tg_page_cell(p, j->model->desc->title);
    tg_page_row(p);
    tg_page_cell(p, word(e, TG_WORD_report_params));
    tg_page_cell_int(p, tg_params_elements(tg_model_params(j->model->model)));
    tg_page_row(p);
    tg_page_cell(p, word(e, TG_WORD_report_data));
    tg_page_cell(p, tg_dataset_hash(j->data));
    if (!isnan(j->accuracy)) {
        tg_page_row(p);
        tg_page_cell(p, word(e, TG_WORD_report_classifier));
        tg_page_cell_real(p, j->accuracy, 4);
    }
    for (const tg_json *at = settings ? settings->child : NULL; at; at = at->next) {
        tg_str value = {0};
        tg_settings_text(&value, at);
        tg_page_row(p);
        tg_page_cell(p, at->key);
        tg_page_cell(p, made(p, &value));
        tg_str_free(&value);
    }
    tg_page_table_end(p);
    show_sources(e, p, j);
    tg_page_details_end(p);
}

/* ---- the page --------------------------------------------------------------------------------------------------------------------- */

static tg_status fill_page(tg_evaluation *e, tg_page *p)
{
    bool memory = false, calibration = false, samples = false;
    for (int64_t r = 0; r < e->count; r++) {
        samples = samples || e->runs[r].texts || e->runs[r].x;
        memory = memory || e->runs[r].compared || e->runs[r].neighbours;
        calibration = calibration || !isnan(e->runs[r].figures[TG_FIGURE_calibration].value);
    }
    show_figures(e, p);
    tg_status s = show_curves(e, p);
    if (!s && samples) tg_page_section(p, "samples", word(e, TG_WORD_report_samples));
    for (int64_t r = 0; r < e->count && samples && !s; r++) s = show_samples(e, p, &e->runs[r]);
    if (!s && memory) tg_page_section(p, "memory", word(e, TG_WORD_report_memory));
    for (int64_t r = 0; r < e->count && memory && !s; r++) s = show_memory(e, p, &e->runs[r]);
    if (!s && calibration) {
        tg_page_section(p, "calibration", word(e, TG_WORD_report_calibration));
        tg_page_note(p, word(e, TG_WORD_report_calibration_meaning));
        tg_page_side(p);
        for (int64_t r = 0; r < e->count; r++)
            if (!isnan(e->runs[r].figures[TG_FIGURE_calibration].value)) show_calibration(e, p, &e->runs[r]);
        tg_page_side_end(p);
    }
    if (s) return s;
    if (e->people) tg_people_show(p, e->people);
    tg_page_section(p, "origin", word(e, TG_WORD_report_from));
    for (int64_t r = 0; r < e->count; r++) show_origin(e, p, &e->runs[r]);
    return TG_OK;
}

static tg_status put_file(const tg_evaluation *e, const char *path, const tg_str *bytes)
{
    if (bytes->failed) return TG_ENOMEM;
    if (!strcmp(path, "-")) return tg_output(e->ctx, bytes->data, bytes->length);
    return tg_write_file(path, bytes->data, bytes->length);
}

tg_status tg_evaluate_page(tg_evaluation *e)
{
    tg_str about = {0}, html = {0};
    for (int64_t r = 0; r < e->count; r++) tg_str_addf(&about, "%s%s", r ? ", " : "", e->runs[r].path);
    tg_page p = {.lang = (tg_lang)e->o->lang, .title = word(e, TG_WORD_report_title), .about = about.data};
    made(&p, &about);
    tg_status s = fill_page(e, &p), written = tg_page_write(&p, &html);
    if (!s) s = written;
    if (!s) s = put_file(e, e->o->out, &html);
    tg_str_free(&about);
    tg_str_free(&html);
    return s;
}

/* ---- the quiz --------------------------------------------------------------------------------------------------------------------- */

/* An image as PNG, appended; item says where. */
static tg_status add_png(const tg_judged *j, const float *x, tg_str *out)
{
    tg_image image = {0};
    tg_status s = tg_latent_sheet(&j->model->data, x, NULL, 1, 1, NULL, &image);
    if (!s) s = tg_png_write(out, &image);
    tg_image_free(&image);
    return s;
}

static tg_status quiz_items(const tg_judged *j, int64_t half, tg_quiz_item *items, tg_str *pngs)
{
    const int64_t size = tg_model_data_size(&j->model->data);
    tg_status s = TG_OK;
    for (int64_t i = 0; i < 2 * half && !s; i++) {
        const bool real = i < half;
        const int64_t n = real ? i : i - half;
        const tg_text *t = j->texts ? real ? &j->real[n] : &j->texts[n] : NULL;
        items[i] = (tg_quiz_item){.source = !real, .number = n};
        if (t) {
            items[i].bytes = t->bytes;
            items[i].length = shown(t->bytes, t->length);
            continue;
        }
        s = add_png(j, (real ? j->real_x : j->x) + n * size, &pngs[i]);
        items[i].bytes = pngs[i].data;
        items[i].length = pngs[i].length;
    }
    return s;
}

static tg_status ask_here(const tg_evaluation *e, const tg_quiz *q)
{
    tg_str answers = {0};
    tg_quiz_lines lines = {0};
    tg_status s = tg_file_open("-", &lines.file);
    const tg_quiz_terminal t = {.line = tg_quiz_read_line, .user = &lines, .columns = tg_term_columns(1), .colours = tg_term_colours()};
    if (!s) s = tg_quiz_ask(e->ctx, q, &t, &answers);
    if (!s || s == TG_ECANCELLED) {
        tg_str_add(&answers, "\n");
        tg_status kept = answers.failed ? TG_ENOMEM : tg_write_file(TG_EVALUATE_ANSWERS, answers.data, answers.length);
        if (!kept) tg_log(e->ctx, TG_LOG_INFO, "%s: give it back with --ratings", TG_EVALUATE_ANSWERS);
        if (!s) s = kept;
    }
    tg_file_close(lines.file);
    tg_str_free(&answers);
    return s;
}

tg_status tg_evaluate_quiz(tg_evaluation *e)
{
    const tg_judged *j = &e->runs[0];
    const int64_t least = j->count < j->real_count ? j->count : j->real_count, wanted = e->o->quiz_items / 2;
    const int64_t half = wanted < least ? wanted : least;
    const char *const meta_hash = tg_json_text(tg_safetensors_meta(j->model->file), "data");
    if (tg_dataset_kind(j->data) == TG_KIND_POINTS) return tg_fail(TG_EUSAGE, "%s: --quiz shows people texts and images, and these are points", j->path);
    if (half < 1) return tg_fail(TG_EINVAL, "%s: no items for a quiz: the split has no real ones as long as the samples; give a smaller --length, or collect more", j->path);
    if (e->count > 1) tg_log(e->ctx, TG_LOG_WARN, "--quiz: of %s alone", j->path);
    tg_quiz_item *items = tg_alloc_array(2 * half, sizeof *items);
    tg_str *pngs = tg_alloc_array(2 * half, sizeof *pngs), html = {0};
    tg_status s = items && pngs ? quiz_items(j, half, items, pngs) : TG_ENOMEM;
    const tg_quiz_source sources[] = {{"data", tg_dataset_hash(j->data)}, {tg_path_name(j->path), meta_hash ? meta_hash : ""}};
    const tg_quiz q = {.kind = tg_dataset_kind(j->data), .lang = (tg_lang)e->o->lang, .seed = e->o->seed, .sources = sources, .items = items,
                       .source_count = 2, .count = 2 * half};
    if (!s && !strcmp(e->o->quiz, "-")) s = ask_here(e, &q);
    else if (!s) {
        s = tg_quiz_write(&q, &html);
        if (!s) s = put_file(e, e->o->quiz, &html);
        if (!s) tg_log(e->ctx, TG_LOG_INFO, "%s: give it to people; answers come back with --ratings", e->o->quiz);
    }
    for (int64_t i = 0; pngs && i < 2 * half; i++) tg_str_free(&pngs[i]);
    tg_free(pngs);
    tg_free(items);
    tg_str_free(&html);
    return s;
}
