/* select_tell.c - gen-select's table and its JSON. */
#include "run/select.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/term.h"
#include "run/columns.h"
#include "run/metrics/bits.h"
#include "run/result.h"

enum { RANK, RUN, MODEL, VALUE, INTERVAL, PARAMS, MS, BYTES, MARK, COLUMNS, DECIMALS = 4 };

static const char *const reasons[] = {"it is the only one", "it is the best", "fewer parameters", "less time a sample",
                                      "a smaller file"};

/* ---- the table --------------------------------------------------------------------------------------------------------- */

static void fill_row(const tg_selection *s, int64_t at, tg_str cells[COLUMNS])
{
    const int64_t which = s->ranked[at];
    const tg_run_entry *r = &s->runs[which];
    char text[32];
    tg_str_addf(&cells[RANK], "%lld", (long long)at + 1);
    tg_term_safe_line(&cells[RUN], r->path, (int64_t)strlen(r->path));
    tg_str_add(&cells[MODEL], r->model->desc->name);
    tg_str_add_fixed(&cells[VALUE], r->about.value, DECIMALS);
    if (isnan(r->about.interval.low)) tg_str_add(&cells[INTERVAL], "-");
    else {
        tg_str_add_fixed(&cells[INTERVAL], r->about.interval.low, DECIMALS);
        tg_str_add(&cells[INTERVAL], " to ");
        tg_str_add_fixed(&cells[INTERVAL], r->about.interval.high, DECIMALS);
    }
    tg_str_add(&cells[PARAMS], tg_format_count(text, r->about.params));
    tg_str_add_fixed(&cells[MS], r->about.ms, r->about.ms < 0.01 ? 6 : r->about.ms < 10 ? 3 : 1);
    tg_str_add(&cells[BYTES], tg_format_count(text, r->about.bytes));
    tg_str_addf(&cells[MARK], "%s%s%s", which == s->chosen ? ">" : "", r->about.tied && s->ties > 1 ? "=" : "",
                r->about.front ? "*" : "");
}

static void add_table(const tg_selection *s, tg_str *out)
{
    static const char *const heads[COLUMNS] = {"rank", "run", "model", NULL, "95 %", "params", "ms", "bytes", ""};
    tg_str(*cells)[COLUMNS] = tg_alloc_array(s->ranked_count + 1, sizeof *cells);
    if (!cells) {
        out->failed = true;
        return;
    }
    for (int c = 0; c < COLUMNS; c++) tg_str_add(&cells[0][c], heads[c] ? heads[c] : tg_select_metric_name(s->metric));
    for (int64_t i = 0; i < s->ranked_count; i++) fill_row(s, i, cells[i + 1]);
    tg_columns(cells[0], s->ranked_count + 1, COLUMNS, 1u << RUN | 1u << MODEL | 1u << MARK, out);
    for (int64_t i = 0; i <= s->ranked_count; i++)
        for (int c = 0; c < COLUMNS; c++) tg_str_free(&cells[i][c]);
    tg_free(cells);
}

static void add_path(tg_str *out, const char *path)
{
    tg_term_safe_line(out, path, (int64_t)strlen(path));
}

/* "b is chosen: it cannot be told apart from a, the best, and has fewer parameters". */
static void add_verdict(const tg_selection *s, tg_str *out)
{
    static const char *const has[] = {"", "", "has fewer parameters", "takes less time a sample", "has a smaller file"};
    const int64_t best = s->ranked[0];
    add_path(out, s->runs[s->chosen].path);
    tg_str_add(out, " is chosen: ");
    if (s->why == TG_WHY_ALONE) tg_str_addf(out, "%s%s", reasons[s->why], s->count > 1 ? " within the limits" : "");
    else if (s->ties == 1 && isnan(s->runs[best].about.interval.low))
        tg_str_add(out, s->runs[best].pieces ? "its figure is the best, as far as one piece tells"
                                             : "its figure is the best; how far it may be off is not known");
    else if (s->ties == 1) tg_str_add(out, "it is the best, and can be told apart from all others");
    else if (s->chosen == best) tg_str_addf(out, "it is the best; %s cannot be told apart from it, and none of these is cheaper",
                                            s->ties == 2 ? "one other" : "others");
    else {
        tg_str_add(out, "it cannot be told apart from ");
        add_path(out, s->runs[best].path);
        tg_str_addf(out, ", the best, and %s", has[s->why]);
    }
    tg_str_add(out, "\n");
}

static void add_left_out(const tg_selection *s, tg_str *out)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (!s->runs[i].left_out) continue;
        tg_str_add(out, "left out: ");
        add_path(out, s->runs[i].path);
        tg_str_addf(out, ": %s\n", s->runs[i].left_out);
    }
}

/* With an output file people see it, too, but on standard error. */
static tg_status put_lines(const tg_selection *s, const tg_str *text)
{
    if (!s->o->out) return tg_output(s->ctx, text->data, text->length);
    for (const char *at = text->data, *end; *at; at = end + 1) {
        end = strchr(at, '\n');
        tg_log(s->ctx, TG_LOG_INFO, "%.*s", (int)(end - at), at);
    }
    return TG_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static void put_entry(const tg_selection *s, tg_json_writer *w, int64_t at)
{
    const tg_run_entry *r = &s->runs[s->ranked[at]];
    tg_json_open(w, '{');
    tg_json_member_int(w, "rank", at + 1);
    tg_json_member_text(w, "run", r->path);
    tg_json_member_text(w, "model", r->model->desc->name);
    tg_json_member_text(w, "data", tg_dataset_hash(r->data));
    tg_json_member_real(w, "value", r->about.value);
    tg_json_member_real(w, "low", r->about.interval.low);
    tg_json_member_real(w, "high", r->about.interval.high);
    tg_json_member_int(w, "pieces", r->pieces ? r->about.count : 0);
    tg_json_member_int(w, "params", r->about.params);
    tg_json_member_int(w, "bytes", r->about.bytes);
    tg_json_member_real(w, "measured_ms", r->about.ms);
    tg_json_key(w, "pareto");
    tg_json_put_bool(w, r->about.front);
    tg_json_key(w, "tied");
    tg_json_put_bool(w, r->about.tied);
    tg_json_member_text(w, "checkpoint", r->state && r->state_nats < r->nats ? r->state : r->model->path);
    tg_json_member_real(w, "checkpoint_value", (r->state && r->state_nats < r->nats ? r->state_nats : r->nats) * r->about.scale);
    tg_json_close(w, '}');
}

static void put_members(const tg_selection *s, tg_json_writer *w)
{
    tg_json_member_text(w, "metric", tg_select_metric_name(s->metric));
    tg_json_member_text(w, "split", s->split == TG_TEST ? "test" : "val");
    tg_json_member_text(w, "chosen", s->runs[s->chosen].path);
    tg_json_member_text(w, "why", reasons[s->why]);
    tg_json_member_int(w, "tied", s->ties);
    tg_json_key(w, "ranking");
    tg_json_open(w, '[');
    for (int64_t i = 0; i < s->ranked_count; i++) put_entry(s, w, i);
    tg_json_close(w, ']');
    tg_json_key(w, "left_out");
    tg_json_open(w, '[');
    for (int64_t i = 0; i < s->count; i++) {
        if (!s->runs[i].left_out) continue;
        tg_json_open(w, '{');
        tg_json_member_text(w, "run", s->runs[i].path);
        tg_json_member_text(w, "reason", s->runs[i].left_out);
        tg_json_close(w, '}');
    }
    tg_json_close(w, ']');
}

tg_status tg_select_json(const tg_selection *s, tg_str *out)
{
    tg_json_writer w = {.out = out};
    tg_json_open(&w, '{');
    tg_json_member_text(&w, "program", "gen-select");
    tg_json_member_text(&w, "version", TG_VERSION);
    tg_json_member_int(&w, "seed", s->o->seed);
    put_members(s, &w);
    tg_json_close(&w, '}');
    tg_str_add(out, "\n");
    return out->failed ? TG_ENOMEM : TG_OK;
}

tg_status tg_select_tell(const tg_selection *s, double seconds)
{
    tg_str out = {0};
    tg_json_writer w = {.out = &out};
    if (s->o->json) {
        tg_result_begin(&w, "gen-select", s->o->out, s->o->seed, seconds);
        put_members(s, &w);
        return tg_result_end(s->ctx, &w);
    }
    add_table(s, &out);
    add_verdict(s, &out);
    add_left_out(s, &out);
    tg_str_add(&out, "> chosen  = cannot be told apart from the best  * none is as good with fewer parameters\n");
    tg_status status = out.failed ? TG_ENOMEM : put_lines(s, &out);
    tg_str_free(&out);
    return status;
}
