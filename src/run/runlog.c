/* runlog.c - log.jsonl. */
#include "run/runlog.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

struct tg_runlog {
    tg_appender *file;
    tg_str line;
};

/* The number behind {"step": at the start of a line, or -1. */
static int64_t step_of(const char *line, int64_t length)
{
    static const char start[] = "{\"step\": ";
    int64_t n = (int64_t)sizeof start - 1, digits = 0, step = -1;
    if (length < n || memcmp(line, start, (size_t)n)) return -1;
    while (n + digits < length && line[n + digits] >= '0' && line[n + digits] <= '9') digits++;
    return tg_parse_int(line + n, digits, &step) ? step : -1;
}

int64_t tg_runlog_keep(const char *text, int64_t length, int64_t step, int64_t *last)
{
    int64_t at = 0;
    *last = -1;
    while (at < length) {
        const char *end = memchr(text + at, '\n', (size_t)(length - at));
        if (!end || end == text + at || end[-1] != '}') break;
        int64_t here = step_of(text + at, end - text - at);
        if (here < 0 || here > step) break;
        *last = at;
        at = end - text + 1;
    }
    return at;
}

static void read_line(const char *text, int64_t length, tg_log_line *out)
{
    const tg_json *json = NULL;
    tg_arena *a = tg_arena_new(1024);
    if (a && tg_json_parse(a, "log.jsonl", text, length, &json) == TG_OK) {
        tg_json_real(json, "seconds", &out->seconds);
        tg_json_real(json, "train_loss", &out->train_loss);
        tg_json_real(json, tg_words_of(out->kind)->rate, &out->tokens_per_second);
    }
    tg_arena_free(a);
}

tg_status tg_runlog_open(const char *path, int64_t step, tg_log_line *last, tg_runlog **out)
{
    char *text = NULL;
    int64_t length = 0, at = -1, keep = 0;
    tg_status s = TG_OK;
    if (step > 0 && tg_path_kind(path) == TG_PATH_FILE) {
        s = tg_file_slurp(path, INT64_C(1) << 32, &text, &length);
        if (s) return s;
        keep = tg_runlog_keep(text, length, step, &at);
        if (at >= 0) read_line(text + at, keep - at - 1, last);
        tg_free(text);
    }
    tg_runlog *l = tg_alloc(sizeof *l);
    if (!l) return TG_ENOMEM;
    s = tg_appender_open(path, keep, &l->file);
    if (s) {
        tg_free(l);
        return s;
    }
    *out = l;
    return TG_OK;
}

static void put(tg_json_writer *w, const char *key, double x)
{
    tg_json_member_real(w, key, x);
}

static void put_metrics(tg_json_writer *w, const tg_log_line *line)
{
    tg_str name = {0};
    for (int k = 0; k < line->metrics; k++) put(w, line->names[k], line->train[k]);
    for (int k = 0; k < line->metrics && !line->turns; k++) {
        tg_str_clear(&name);
        tg_str_addf(&name, "val_%s", line->names[k]);
        if (name.failed) w->out->failed = true;
        else put(w, name.data, line->val[k]);
    }
    tg_str_free(&name);
}

tg_status tg_runlog_add(tg_runlog *l, const tg_log_line *line)
{
    const tg_kind_words *words = tg_words_of(line->kind);
    tg_json_writer w = {.out = &l->line};
    tg_str_clear(&l->line);
    tg_json_open(&w, '{');
    tg_json_member_int(&w, "step", line->step);
    put(&w, "epoch", line->epoch);
    tg_json_member_int(&w, words->items, line->tokens);
    put(&w, "train_loss", line->train_loss);
    put(&w, "val_loss", line->val_loss);
    if (words->bits) put(&w, words->bits, line->bpc);
    put_metrics(&w, line);
    if (line->turns) put(&w, "diversity", line->diversity);
    put(&w, "lr", line->lr);
    put(&w, "grad_norm", line->grad_norm);
    put(&w, words->rate, line->tokens_per_second);
    put(&w, "seconds", line->seconds);
    tg_json_member_int(&w, "peak_memory", line->peak_memory);
    tg_json_close(&w, '}');
    if (l->line.failed) return TG_ENOMEM;
    return tg_appender_line(l->file, l->line.data, l->line.length);
}

void tg_runlog_close(tg_runlog *l)
{
    if (!l) return;
    tg_appender_close(l->file);
    tg_str_free(&l->line);
    tg_free(l);
}

tg_status tg_runlog_each(const char *text, int64_t length, void (*take)(void *user, const tg_json *line), void *user)
{
    tg_arena *a = tg_arena_new(4096);
    tg_status s = a ? TG_OK : TG_ENOMEM;
    for (int64_t at = 0; at < length && !s;) {
        const char *end = memchr(text + at, '\n', (size_t)(length - at));
        const tg_json *line = NULL;
        if (!end) break; /* torn, or being written */
        const tg_status parsed = tg_json_parse(a, "log", text + at, end - text - at, &line);
        if (parsed == TG_ENOMEM) s = parsed;
        else if (!parsed) take(user, line);
        tg_arena_rewind(a, (tg_arena_mark){0});
        at = end - text + 1;
    }
    tg_arena_free(a);
    return s;
}
