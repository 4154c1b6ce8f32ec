/* study_log.c - study.jsonl: a line for each start and end, read and added to. */
#include "run/tune/study.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { MOST_TEXT = 1 << 28 };

static tg_status keep_end(tg_study *s, int64_t job, const tg_study_end *end)
{
    if (job >= s->ends_room) {
        const int64_t room = job < 32 ? 64 : 2 * job, size = sizeof *s->ends;
        tg_study_end *ends = tg_realloc(s->ends, s->ends_room * size, room * size);
        if (!ends) return TG_ENOMEM;
        s->ends = ends;
        s->ends_room = room;
    }
    if (job >= s->ends_count) s->ends_count = job + 1;
    s->ends[job] = *end;
    return TG_OK;
}

/* Line number 1, 2, ...: each job before this one has a line of its own, so no single line asks for much memory. */
static tg_status read_line(tg_study *s, const tg_json *line, int64_t number)
{
    const char *event = tg_json_text(line, "event"), *status = tg_json_text(line, "status");
    tg_study_end end = {.status = TG_TRIAL_OPEN, .value = NAN};
    int64_t job = -1;
    (void)tg_json_real(line, "elapsed", &s->before);
    if (event && strcmp(event, "end")) return TG_OK;
    if (!event || !tg_json_int(line, "job", &job) || job < 0 || job / 4 > number + 16)
        return tg_fail(TG_EFORMAT, "no line of a study's");
    for (int i = TG_TRIAL_OK; status && i <= TG_TRIAL_DIVERGED; i++)
        if (!strcmp(status, tg_trial_status_name((tg_trial_status)i))) end.status = (tg_trial_status)i;
    if (end.status == TG_TRIAL_OPEN || !tg_json_int(line, "trial", &end.trial) || !tg_json_int(line, "rung", &end.rung) ||
        !tg_json_int(line, "steps", &end.steps) || (end.status == TG_TRIAL_OK && !tg_json_real(line, "value", &end.value)))
        return tg_fail(TG_EFORMAT, "no line of a study's");
    return keep_end(s, job, &end);
}

tg_status tg_study_read_log(tg_study *s, const char *path, int64_t *keep)
{
    char *text = NULL;
    int64_t length = 0, number = 1;
    *keep = 0;
    if (tg_path_kind(path) == TG_PATH_NONE) return TG_OK;
    tg_arena *a = tg_arena_new(4096);
    tg_status status = a ? tg_file_slurp(path, MOST_TEXT, &text, &length) : TG_ENOMEM;
    for (const char *end; !status && (end = memchr(text + *keep, '\n', (size_t)(length - *keep))); number++) {
        const tg_json *line = NULL;
        const int64_t n = end - text - *keep;
        status = tg_json_parse(a, path, text + *keep, n, &line);
        if (!status) status = read_line(s, line, number);
        if (status && status != TG_ENOMEM)
            status = tg_note("%s, line %lld (left out, the trial's folder is asked anew)", path, (long long)number);
        *keep += n + 1;
        tg_arena_rewind(a, (tg_arena_mark){0});
    }
    tg_free(text);
    tg_arena_free(a);
    return status;
}

/* Closes a line's object, adds it to the log and frees it. */
static tg_status end_line(tg_study *s, tg_json_writer *w)
{
    char now[32];
    tg_json_member_real(w, "elapsed", tg_study_seconds(s));
    tg_wall_time(now);
    tg_json_member_text(w, "time", now);
    tg_json_close(w, '}');
    tg_status status = w->out->failed ? TG_ENOMEM : tg_appender_line(s->log, w->out->data, w->out->length);
    tg_str_free(w->out);
    return status;
}

tg_status tg_study_add_line(tg_study *s, const char *event, int64_t job, const char *message)
{
    const tg_tune_job *j = &s->jobs[job];
    const tg_study_run *r = &s->runs[job];
    tg_str line = {0};
    tg_json_writer w = {.out = &line};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "event", event);
    tg_json_member_int(&w, "job", job);
    tg_json_member_int(&w, "trial", j->trial);
    tg_json_member_int(&w, "rung", j->rung);
    tg_json_member_int(&w, "until", j->until);
    if (r->status != TG_TRIAL_OPEN) {
        tg_json_member_text(&w, "status", tg_trial_status_name(r->status));
        tg_json_member_real(&w, "value", j->value);
        tg_json_member_int(&w, "steps", r->steps);
        tg_json_member_real(&w, "seconds", r->began > 0 ? tg_now() - r->began : (double)NAN);
    }
    if (message) tg_json_member_text(&w, "message", message);
    tg_json_key(&w, "values");
    tg_json_open(&w, '{');
    tg_study_put_point(s->space, &j->point, &w);
    tg_json_close(&w, '}');
    return end_line(s, &w);
}

tg_status tg_study_pause(tg_study *s)
{
    tg_str line = {0};
    tg_json_writer w = {.out = &line};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "event", "pause");
    return end_line(s, &w);
}
