/* samples_verdict.c - of images and points: is there something to learn here, what would mend it; what is told of it, in the file and
 * to people; and a sheet to look at. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/key.h"
#include "base/term.h"
#include "data/image/sheet.h"
#include "run/result.h"
#include "run/samples_parts.h"

/* Thresholds, from small models on small pictures: below 100 a model can only learn by heart, below 1,000 what it draws are those it
 * has seen; a class of fewer than 20 is hardly learned. */
enum { FEW = 100, SMALL = 1000, SMALL_VAL = 50, RARE = 20, SIZES_LISTED = 20, SHEET_COLUMNS = 16, SHEET_ROWS = 8, SHEET_CLASSES = 20 };

typedef struct judge { tg_sampling *p; tg_json_writer w; tg_str text; bool bad, look; } judge;

/* What stands in text, which is then empty again. */
static void find(judge *j, bool bad, const char *remedy)
{
    tg_finding_put(&j->p->about, &j->w, bad, &j->text, remedy);
    tg_str_clear(&j->text);
    *(bad ? &j->bad : &j->look) = true;
}

static const char *units(const tg_sampling *p, int64_t n)
{
    return p->kind == TG_KIND_IMAGE ? n == 1 ? "image" : "images" : n == 1 ? "point" : "points";
}

static void judge_sizes(judge *j)
{
    const tg_sampling *p = j->p;
    const int64_t train = p->counts[TG_TRAIN], val = p->counts[TG_VAL];
    char count[32];
    if (train < FEW) {
        tg_str_addf(&j->text, "only %s %s to train on: a model can only learn them by heart", tg_format_count(count, train),
                    units(p, train));
        find(j, true, "collect more");
    } else if (train < SMALL) {
        tg_str_addf(&j->text, "%s %s to train on are few: a small model, and --augment flip where left and right are alike",
                    tg_format_count(count, train), units(p, train));
        find(j, false, "collect more");
    }
    if (val == 0) {
        tg_str_add(&j->text, "no validation split: nothing tells when to stop");
        find(j, false, "--val 0.1");
    } else if (val < SMALL_VAL) {
        tg_str_addf(&j->text, "only %s %s to validate on: the loss there is noise", tg_format_count(count, val), units(p, val));
        find(j, false, "--val 0.2, or collect more");
    }
}

static void judge_same(judge *j)
{
    const tg_sampling *p = j->p;
    const int64_t kept = p->counts[0] + p->counts[1] + p->counts[2];
    char number[32], of[32];
    bool constant = p->kind == TG_KIND_POINTS;
    for (int64_t d = 0; d < p->dims[0] && constant; d++) constant = p->deviation[d] <= 0;
    if (constant || (p->kind == TG_KIND_IMAGE && p->blank == p->count)) {
        tg_str_addf(&j->text, p->kind == TG_KIND_IMAGE ? "every image is of a single colour" : "all points are the same");
        find(j, true, "collect others");
    } else if (p->blank * 100 >= p->count && p->blank > 1) {
        tg_str_addf(&j->text, "%s of %s images are of a single colour", tg_format_count(number, p->blank), tg_format_count(of, p->count));
        find(j, false, "look at the sheet; leave out what shows nothing");
    }
    if ((p->duplicates + p->shared) * 50 >= p->count && p->duplicates + p->shared) {
        tg_str_addf(&j->text, "%s of %s images were there already and are left out", tg_format_count(number, p->duplicates + p->shared),
                    tg_format_count(of, p->duplicates + p->near + p->shared + kept));
        find(j, false, "nothing to do, if that is right; --dedupe off keeps them");
    }
    if (p->near) {
        tg_str_addf(&j->text, "%s of %s images nearly equal%s one that was there already, and %s left out",
                    tg_format_count(number, p->near), tg_format_count(of, p->count), p->near == 1 ? "s" : "",
                    p->near == 1 ? "is" : "are");
        find(j, false, "nothing to do, if that is right; --dedupe exact keeps them");
    }
    if (p->conflicts && p->kind == TG_KIND_IMAGE) {
        tg_str_addf(&j->text, "%s image%s equal%s one of another class%s", tg_format_count(number, p->conflicts),
                    p->conflicts == 1 ? "" : "s", p->conflicts == 1 ? "s" : "", p->near ? ", or nearly" : "");
        find(j, false, "look at the labels");
    }
    if (p->leaks && p->kind == TG_KIND_IMAGE) {
        tg_str_addf(&j->text, "%s image%s of validation and test stand%s in training, too", tg_format_count(number, p->leaks),
                    p->leaks == 1 ? "" : "s", p->leaks == 1 ? "s" : "");
        find(j, p->leaks * 10 > kept - p->counts[TG_TRAIN], "--dedupe exact");
    }
}

static void judge_classes(judge *j)
{
    const tg_sampling *p = j->p;
    int64_t least = 0, most = 0;
    char number[32];
    for (int64_t i = 1; i < p->class_count; i++) {
        if (p->classes[i].documents < p->classes[least].documents) least = i;
        if (p->classes[i].documents > p->classes[most].documents) most = i;
    }
    if (!p->class_count) return;
    const int64_t few = p->classes[least].documents, many = p->classes[most].documents;
    const char *name = p->classes[least].name;
    if (few == 0 || few < RARE || few * 10 < many) {
        tg_str_addf(&j->text, few ? "class " : "nothing in training is of class ");
        tg_term_safe_line(&j->text, name, (int64_t)strlen(name));
        if (few) tg_str_addf(&j->text, " has only %s %s to train on", tg_format_count(number, few), units(p, few));
        if (few && few * 10 < many) tg_str_addf(&j->text, ", the largest %s", tg_format_count(number, many));
        find(j, few == 0, "collect more of it, or leave classes out: --no-labels");
    }
}

static void judge_enlarged(judge *j)
{
    const tg_sampling *p = j->p;
    char number[32], of[32];
    if (p->enlarged * 2 < p->count || p->enlarged == 0) return;
    tg_str_addf(&j->text, "%s of %s images are smaller than %" PRId64 " x %" PRId64 ", and enlarged", tg_format_count(number, p->enlarged),
                tg_format_count(of, p->count), p->fit.width, p->fit.height);
    find(j, false, "a smaller --size learns the same sooner");
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void put_shape(tg_json_writer *w, const tg_sampling *p)
{
    tg_json_key(w, "shape");
    tg_json_open(w, '[');
    for (int i = 0; i < p->rank; i++) tg_json_put_int(w, p->dims[i]);
    tg_json_close(w, ']');
}

static void put_samples(tg_sampling *p)
{
    tg_json_writer w = {.out = &p->samples};
    tg_json_open(&w, '{');
    put_shape(&w, p);
    if (p->class_count) {
        tg_json_key(&w, "classes");
        tg_json_open(&w, '[');
        for (int64_t i = 0; i < p->class_count; i++) {
            tg_json_open(&w, '{');
            tg_json_member_text(&w, "name", p->classes[i].name);
            tg_json_member_int(&w, "count", p->classes[i].documents);
            tg_json_close(&w, '}');
        }
        tg_json_close(&w, ']');
    }
    if (p->kind == TG_KIND_IMAGE && p->o->augment) tg_json_member_text(&w, "augment", "flip");
    if (p->kind == TG_KIND_POINTS && p->survey.names.length) {
        tg_json_key(&w, "columns");
        tg_json_open(&w, '[');
        tg_json_put_raw(&w, p->survey.names.data);
        tg_json_close(&w, ']');
    }
    tg_json_close(&w, '}');
}

static void put_reals(tg_json_writer *w, const char *key, const double *x, int64_t count)
{
    tg_json_key(w, key);
    tg_json_open(w, '[');
    for (int64_t i = 0; i < count; i++) tg_json_put_real(w, x[i]);
    tg_json_close(w, ']');
}

static void put_figures(tg_sampling *p)
{
    tg_json_writer w = {.out = &p->figures};
    tg_json_open(&w, '{');
    put_reals(&w, "mean", p->mean, p->dims[0]);
    put_reals(&w, "deviation", p->deviation, p->dims[0]);
    tg_json_close(&w, '}');
    w = (tg_json_writer){.out = &p->baselines};
    tg_json_open(&w, '{');
    if (!isnan(p->baseline)) {
        tg_json_key(&w, p->kind == TG_KIND_IMAGE ? "pixels" : "gauss");
        tg_json_open(&w, '{');
        tg_json_member_real(&w, "nats", p->baseline);
        tg_json_member_real(&w, "bits", p->baseline * 1.4426950408889634);
        tg_json_close(&w, '}');
    }
    tg_json_close(&w, '}');
}

static void put_split(tg_sampling *p)
{
    static const char *const rules[] = {"random", "position", "random", "position"};
    tg_json_writer w = {.out = &p->about.split};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "rule", p->given ? "given" : rules[p->o->split]);
    tg_json_member_int(&w, "seed", p->o->seed);
    tg_json_member_real(&w, "val", p->o->val);
    tg_json_member_real(&w, "test", p->o->test);
    tg_json_close(&w, '}');
}

/* The commonest come first, of equally common ones those that were met first. */
static void put_sizes(tg_json_writer *w, const tg_map *sizes)
{
    tg_map *m = (tg_map *)(uintptr_t)sizes; /* values are only read */
    int64_t bytes, bound = INT64_MAX, listed = 0, before = -1;
    tg_json_key(w, "sizes");
    tg_json_open(w, '[');
    for (; listed < SIZES_LISTED && listed < tg_map_count(m); listed++) {
        int64_t best = -1, size[2];
        for (int64_t i = 0; i < tg_map_count(m); i++) {
            const int64_t n = *tg_map_value(m, i);
            if ((n < bound || (n == bound && i > before)) && (best < 0 || n > *tg_map_value(m, best))) best = i;
        }
        memcpy(size, tg_map_key(m, best, &bytes), sizeof size);
        bound = *tg_map_value(m, before = best);
        tg_json_open(w, '{');
        tg_json_member_int(w, "width", size[0]);
        tg_json_member_int(w, "height", size[1]);
        tg_json_member_int(w, "count", bound);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
    tg_json_member_int(w, "sizes_not_listed", tg_map_count(m) - listed);
}

static void put_report(tg_sampling *p)
{
    const bool images = p->kind == TG_KIND_IMAGE;
    tg_json_writer w = {.out = &p->about.report};
    tg_json_open(&w, '{');
    tg_json_member_int(&w, "items", p->about.items);
    tg_json_member_int(&w, "samples", p->count);
    if (images) {
        put_sizes(&w, p->survey.sizes);
        tg_json_member_int(&w, "resized", p->resized);
        tg_json_member_int(&w, "enlarged", p->enlarged);
        tg_json_member_int(&w, "transparent", p->survey.transparent);
        tg_json_member_int(&w, "of_a_single_colour", p->blank);
        tg_json_member_int(&w, "duplicates_left_out", p->duplicates);
        tg_json_member_int(&w, "near_duplicates_left_out", p->near);
        tg_json_member_int(&w, "left_out_for_test", p->shared);
    }
    tg_json_member_int(&w, "duplicates_kept", p->twins);
    tg_json_member_int(&w, "duplicates_of_another_class", p->conflicts);
    tg_json_member_int(&w, "also_in_train", p->leaks);
    if (p->tables && images) tg_json_member_real(&w, "max_value", p->most);
    tg_json_close(&w, '}');
}

tg_status tg_samples_judge(tg_sampling *p)
{
    tg_str list = {0};
    judge j = {.p = p, .w = {.out = &list}};
    tg_json_open(&j.w, '[');
    judge_sizes(&j);
    judge_same(&j);
    judge_classes(&j);
    judge_enlarged(&j);
    tg_json_close(&j.w, ']');
    tg_verdict_put(&p->about, j.bad, j.look, &list);
    put_samples(p);
    put_figures(p);
    put_split(p);
    put_report(p);
    tg_provenance_put(&p->about);
    const tg_str *const texts[] = {&list, &j.text, &p->samples, &p->figures, &p->baselines, &p->about.split, &p->about.report,
                                   &p->about.verdict, &p->about.provenance, &p->about.findings, &p->survey.names};
    bool failed = false;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) failed |= texts[i]->failed;
    tg_str_free(&list);
    tg_str_free(&j.text);
    return failed ? TG_ENOMEM : TG_OK;
}

/* ---- a sheet to look at ------------------------------------------------------------------------------------------- */

static tg_status class_at(void *user, int64_t sample, int64_t *out)
{
    const tg_sampling *p = user;
    const char *view;
    uint16_t label;
    *out = -1;
    if (!p->class_count) return TG_OK;
    tg_status status = tg_scratch_view(p->labels, sample * 2, 2, &view);
    if (status) return status;
    memcpy(&label, view, sizeof label);
    *out = label;
    return TG_OK;
}

/* Of training, some from begin to end; a row a class where there are not too many. */
static tg_status choose_cells(tg_sampling *p, int64_t rows, bool by_class, int64_t *cells)
{
    const int64_t all = rows * SHEET_COLUMNS, n = p->counts[TG_TRAIN];
    int64_t filled[SHEET_CLASSES] = {0}, met[SHEET_CLASSES] = {0};
    for (int64_t i = 0; i < all; i++)
        cells[i] = by_class || i >= n ? -1 : p->order[n <= all ? i : (int64_t)((double)n / (double)all * (double)i)];
    for (int64_t i = 0, class, left = all; by_class && i < n && left > 0; i++) {
        tg_status status = class_at(p, p->order[i], &class);
        if (status) return status;
        const int64_t many = p->classes[class].documents, next = many > SHEET_COLUMNS ? filled[class] * many / SHEET_COLUMNS : filled[class];
        if (met[class]++ != next || filled[class] == SHEET_COLUMNS) continue;
        cells[class * SHEET_COLUMNS + filled[class]++] = p->order[i];
        left--;
    }
    return TG_OK;
}

static tg_status draw_images(tg_sampling *p, tg_image *out)
{
    const bool by_class = p->class_count > 0 && p->class_count <= SHEET_CLASSES;
    const int64_t n = p->counts[TG_TRAIN], few = (n + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    const int64_t rows = by_class ? p->class_count : few < SHEET_ROWS ? few : SHEET_ROWS;
    int64_t cells[SHEET_CLASSES * SHEET_COLUMNS];
    tg_status status = choose_cells(p, rows, by_class, cells);
    return status ? status : tg_sheet_images(p->data, p->dims, cells, rows, SHEET_COLUMNS, out);
}

/* NAME.png for NAME.safetensors. */
static tg_status name_sheet(tg_sampling *p)
{
    const char *out = p->o->out, *end = ".safetensors";
    const size_t n = strlen(out), m = strlen(end);
    tg_str name = {0};
    tg_str_add_n(&name, out, (int64_t)(n > m && !strcmp(out + n - m, end) ? n - m : n));
    tg_str_add(&name, ".png");
    if (name.failed) return TG_ENOMEM;
    p->sheet = name.data;
    if (tg_path_kind(p->sheet) == TG_PATH_NONE || p->o->force) return TG_OK;
    tg_log(p->ctx, TG_LOG_INFO, "%s: is there already, and no sheet of this data; --sheet FILE or --force writes one", p->sheet);
    tg_free(p->sheet);
    p->sheet = NULL;
    return TG_OK;
}

tg_status tg_samples_sheet(tg_sampling *p)
{
    tg_image image = {0};
    tg_str png = {0};
    if (p->o->sheet && !strcmp(p->o->sheet, "none")) return TG_OK;
    tg_status status = TG_OK;
    if (!p->o->sheet) status = name_sheet(p);
    else if (!(p->sheet = tg_strdup(p->o->sheet))) status = TG_ENOMEM;
    if (status || !p->sheet) return status;
    status = p->kind == TG_KIND_IMAGE ? draw_images(p, &image)
                                      : tg_sheet_points(p->data, p->size, p->order, p->counts[TG_TRAIN], class_at, p, NULL, &image);
    if (!status) status = tg_png_write(&png, &image);
    if (!status) status = tg_write_file(p->sheet, png.data, png.length);
    tg_image_free(&image);
    tg_str_free(&png);
    return status;
}

/* ---- telling ------------------------------------------------------------------------------------------------------ */

void tg_samples_add_shape(tg_str *out, const tg_sampling *p)
{
    if (p->kind == TG_KIND_IMAGE)
        tg_str_addf(out, "%" PRId64 " x %" PRId64 " %s", p->dims[2], p->dims[1], p->dims[0] == 1 ? "grey" : "RGB");
    else tg_str_addf(out, "%" PRId64 " coordinate%s", p->size, p->size == 1 ? "" : "s");
}

/* What was chosen, and from what. */
static void tell_size(const tg_sampling *p, tg_str *line)
{
    const tg_survey *s = &p->survey;
    tg_map *m = s->sizes;
    int64_t low[2] = {INT64_MAX, INT64_MAX}, high[2] = {0, 0}, bytes;
    if (p->kind != TG_KIND_IMAGE || p->resized == 0) return;
    for (int64_t i = 0; i < tg_map_count(m); i++) {
        int64_t size[2];
        memcpy(size, tg_map_key(m, i, &bytes), sizeof size);
        for (int d = 0; d < 2; d++) {
            if (size[d] < low[d]) low[d] = size[d];
            if (size[d] > high[d]) high[d] = size[d];
        }
    }
    tg_str_addf(line, tg_map_count(m) > 1 ? "sizes from %" PRId64 " x %" PRId64 : "%" PRId64 " x %" PRId64, low[0], low[1]);
    if (tg_map_count(m) > 1) tg_str_addf(line, " to %" PRId64 " x %" PRId64, high[0], high[1]);
    tg_str_addf(line, " become%s %" PRId64 " x %" PRId64 "%s", tg_map_count(m) > 1 ? "" : "s", p->fit.width, p->fit.height,
                p->o->size ? "" : "; --size N for another");
    if (!line->failed) tg_log(p->ctx, TG_LOG_INFO, "%s", line->data);
    tg_str_clear(line);
}

static void add_reals(tg_str *line, const double *x, int64_t shown, int64_t all)
{
    for (int64_t i = 0; i < shown; i++) {
        tg_str_add(line, " ");
        tg_str_add_fixed(line, x[i], 3);
    }
    if (shown < all) tg_str_add(line, " ...");
}

static void tell_figures(const tg_sampling *p, tg_str *line)
{
    const int64_t shown = p->dims[0] < 4 ? p->dims[0] : 4;
    tg_str_add(line, "mean");
    add_reals(line, p->mean, shown, p->dims[0]);
    tg_str_add(line, ", deviation");
    add_reals(line, p->deviation, shown, p->dims[0]);
    if (!isnan(p->baseline)) {
        tg_str_addf(line, "; baseline, nats per %s: ", p->kind == TG_KIND_IMAGE ? "image" : "point");
        tg_str_add_fixed(line, p->baseline, p->kind == TG_KIND_IMAGE ? 1 : 3);
        tg_str_add(line, p->kind == TG_KIND_IMAGE ? " (each pixel for itself)" : " (each coordinate for itself)");
    }
    if (!line->failed) tg_log(p->ctx, TG_LOG_INFO, "%s", line->data);
    tg_str_clear(line);
}

/* Who has pixels in a table may not know that there is another way. */
static void hint_pixels(const tg_sampling *p)
{
    const tg_survey *s = &p->survey;
    if (p->kind != TG_KIND_POINTS || !s->whole || s->low < 0) return;
    for (int64_t side = 8; side * side <= s->columns; side++)
        for (int64_t more = 0; more < 2; more++)
            if (side * side + more == s->columns || 3 * side * side + more == s->columns)
                tg_log(p->ctx, TG_LOG_INFO, "%" PRId64 " whole numbers a row: if they are pixels%s, --shape %dx%" PRId64 "x%" PRId64
                       " makes images of them", s->columns, more ? " and a class" : "",
                       side * side + more == s->columns ? 1 : 3, side, side);
}

static void tell_people(const tg_sampling *p)
{
    static const char *const called[TG_SPLITS] = {"train", "validation", "test"};
    char number[32];
    tg_str line = {0};
    tell_size(p, &line);
    hint_pixels(p);
    if (p->given) {
        tg_str_add(&line, "the corpus's own");
        for (int s = TG_VAL; s <= TG_TEST; s++)
            if (p->survey.own[s]) tg_str_addf(&line, "%s %s", line.length > 16 ? " and" : "", called[s]);
        tg_log(p->ctx, TG_LOG_INFO, "%s split is kept; --split random draws anew", line.data ? line.data : "");
        tg_str_clear(&line);
    }
    tg_str_addf(&line, "%s:", p->o->out);
    for (int s = 0; s < TG_SPLITS; s++)
        if (p->counts[s] || s < TG_TEST)
            tg_str_addf(&line, "%s %s %s", s == TG_TRAIN ? "" : ",", called[s], tg_format_count(number, p->counts[s]));
    tg_str_addf(&line, " %s of ", units(p, 2));
    tg_samples_add_shape(&line, p);
    if (p->class_count) tg_str_addf(&line, ", %s class%s", tg_format_count(number, p->class_count), p->class_count == 1 ? "" : "es");
    tg_str_addf(&line, "; seed %" PRId64, p->o->seed);
    if (!line.failed) tg_log(p->ctx, TG_LOG_INFO, "%s", line.data);
    tg_str_clear(&line);
    tell_figures(p, &line);
    if (p->sheet) tg_log(p->ctx, TG_LOG_INFO, "%s: to look at", p->sheet);
    tg_str_free(&line);
    tg_verdict_tell(&p->about);
}

tg_status tg_samples_tell(tg_sampling *p, double seconds)
{
    tell_people(p);
    if (!p->o->json) return TG_OK;
    tg_str text = {0};
    tg_json_writer w = {.out = &text};
    tg_result_begin(&w, "gen-preprocess", p->o->out, p->o->seed, seconds);
    tg_json_member_text(&w, "kind", p->kind == TG_KIND_IMAGE ? "image" : "points");
    for (int s = 0; s < TG_SPLITS; s++) tg_json_member_int(&w, tg_split_names[s], p->counts[s]);
    put_shape(&w, p);
    tg_json_member_int(&w, "classes", p->class_count);
    tg_json_member_raw(&w, "figures", p->figures.data);
    tg_json_member_raw(&w, "baselines", p->baselines.data);
    tg_json_member_text(&w, "sheet", p->sheet);
    tg_json_member_text(&w, "content_sha256", p->about.content);
    tg_json_member_int(&w, "peak_bytes", tg_peak_memory());
    tg_json_member_raw(&w, "verdict", p->about.verdict.data);
    return tg_result_end(p->ctx, &w);
}
