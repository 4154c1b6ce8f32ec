/*
 * cli.c - the one place that prints. Messages, the progress line and, on a terminal, results pass through tg_term_safe,
 * so nothing that a file or a model says can act on the terminal. Standard output belongs to results alone.
 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/context.h"
#include "base/file.h"
#include "base/str.h"
#include "base/term.h"
#include "base/utf8.h"

enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum { CONFIG_BYTES = 64 << 20 };

static const tg_key common[] = {
    TG_SWITCH(cli, quiet, 'q', NULL, TG_KEY_NO_CONFIG, "no progress and no notes, only warnings and errors"),
    TG_SWITCH(cli, verbose, 'v', NULL, TG_KEY_NO_CONFIG, "more notes on the way"),
    TG_SWITCH(cli, json, 0, NULL, TG_KEY_NO_CONFIG, "the result as one JSON object on standard output"),
    TG_TEXT(cli, config, 0, NULL, "FILE", TG_KEY_NO_CONFIG, "options from a JSON object; the command line wins"),
    TG_SWITCH(cli, print_config, 0, NULL, TG_KEY_NO_CONFIG, "prints the options as --config takes them, and ends"),
    TG_INT(cli, threads, 0, NULL, 1, 1024, TG_KEY_NO_CONFIG | TG_KEY_AUTO, "threads; results do not depend on it"),
    TG_CHOICE(cli, color, 0, "auto", "auto|always|never", TG_KEY_NO_CONFIG, "colour in messages"),
    TG_SWITCH(cli, help, 'h', NULL, TG_KEY_NO_CONFIG, "prints this"),
    TG_SWITCH(cli, version, 0, NULL, TG_KEY_NO_CONFIG, "prints version, instruction set and threads"),
    TG_KEYS_END
};

/* ---- standard error */

/* One line, made safe, behind a prefix of ours. */
static void print_line(const cli *c, const char *color, const char *prefix, const char *text)
{
    tg_str line = {0};
    tg_str_addf(&line, "%s%s%s", c->colored ? color : "", prefix, c->colored && *color ? "\x1b[0m" : "");
    tg_term_safe_line(&line, text, (int64_t)strlen(text));
    tg_str_add(&line, "\n");
    if (line.failed) fputs("out of memory\n", stderr);
    else fwrite(line.data, 1, (size_t)line.length, stderr);
    tg_str_free(&line);
}

static void print_error(const cli *c, const char *message)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s: ", c->name);
    print_line(c, "\x1b[31m", prefix, message);
}

static void clear_progress(cli *c)
{
    if (c->drawn) fputs("\r\x1b[K", stderr);
    c->drawn = false;
}

static void on_log(void *user, tg_log_level level, const char *text)
{
    cli *c = user;
    char prefix[64] = "";
    if ((level == TG_LOG_INFO && c->quiet) || (level == TG_LOG_DETAIL && !c->verbose)) return;
    clear_progress(c);
    if (level == TG_LOG_WARN) snprintf(prefix, sizeof prefix, "%s: warning: ", c->name);
    print_line(c, level == TG_LOG_WARN ? "\x1b[33m" : "", prefix, text);
}

/* One line drawn over and over on a terminal; elsewhere a line every other second. */
static void on_progress(void *user, const tg_progress *p)
{
    cli *c = user;
    double now = tg_now();
    if (c->quiet || (!c->terminal_err && !p->final && now - c->last_line < 2)) return;
    tg_str text = {0}, line = {0};
    tg_term_progress(&text, p, c->terminal_err ? tg_term_columns(2) - 1 : 1000);
    if (c->terminal_err) tg_str_add(&line, "\r");
    if (text.length) tg_term_safe_line(&line, text.data, text.length);
    tg_str_add(&line, c->terminal_err ? "\x1b[K" : "\n");
    if (c->terminal_err && p->final) tg_str_add(&line, "\n");
    if (!line.failed) fwrite(line.data, 1, (size_t)line.length, stderr);
    c->drawn = c->terminal_err && !p->final;
    c->last_line = now;
    tg_str_free(&text);
    tg_str_free(&line);
}

/* ---- standard output */

static tg_status fail_output(void)
{
    int error = errno;
    if (error == EPIPE) return tg_fail(TG_ECLOSED, "standard output was closed by its reader");
    return tg_fail(TG_EIO, "cannot write to standard output: %s", strerror(error));
}

static tg_status write_output(cli *c, const char *bytes, int64_t count)
{
    errno = 0;
    if (fwrite(bytes, 1, (size_t)count, stdout) != (size_t)count) return fail_output();
    double now = tg_now();
    if (!c->terminal_out && now - c->last_flush < 0.1) return TG_OK;
    c->last_flush = now;
    return fflush(stdout) == 0 ? TG_OK : fail_output();
}

/* On a terminal text is made safe. A character may be cut by the end of a call: its start waits for the rest. */
static tg_status write_safe(cli *c, const char *bytes, int64_t count, bool last)
{
    tg_str text = {0}, safe = {0};
    tg_str_add_n(&text, c->tail, c->tail_length);
    tg_str_add_n(&text, bytes, count);
    if (!text.failed && text.length) {
        c->tail_length = last ? 0 : tg_utf8_partial(text.data, text.length);
        text.length -= c->tail_length;
        memcpy(c->tail, text.data + text.length, (size_t)c->tail_length);
        tg_term_safe(&safe, text.data, text.length);
    }
    tg_status s = text.failed || safe.failed ? TG_ENOMEM : TG_OK;
    if (!s && safe.length) s = write_output(c, safe.data, safe.length);
    tg_str_free(&text);
    tg_str_free(&safe);
    return s;
}

static tg_status on_output(void *user, const char *bytes, int64_t count)
{
    cli *c = user;
    if (c->terminal_out) clear_progress(c);
    return c->terminal_out && !c->raw ? write_safe(c, bytes, count, false) : write_output(c, bytes, count);
}

/* ---- start */

static void free_all(cli *c)
{
    tg_context_free(c->ctx);
    tg_keys_free(c->keys);
    tg_free(c->config_text);
    tg_free(c->own);
    c->config_text = NULL;
    c->own = NULL;
    c->ctx = NULL;
    c->keys = NULL;
}

/* Ends the program before its step: false, with c->exit. */
static bool stop(cli *c, tg_status s)
{
    c->exit = cli_done(c, s);
    return false;
}

bool cli_begin(cli *c, int argc, char **argv)
{
    tg_process_start();
    if (!c->name) c->name = argc > 0 ? tg_path_name(argv[0]) : "tinygen";
    const char *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    c->terminal_err = tg_term_is_tty(2) && !dumb;
    c->terminal_out = tg_term_is_tty(1);
    c->last_line = tg_now();
    c->last_flush = -1; /* what comes first does not wait */
    tg_status s = tg_keys_new(&c->keys);
    if (!s) s = tg_keys_add(c->keys, "Common", common, c);
    return s ? stop(c, s) : true;
}

bool cli_add(cli *c, const char *title, const tg_key *rows, void *values)
{
    tg_status s = TG_OK;
    if (c->table_count == CLI_TABLES) s = tg_fail(TG_EINVAL, "more than %d tables of options", CLI_TABLES);
    if (!s) s = tg_keys_add(c->keys, title, rows, values);
    if (s) return stop(c, s);
    c->tables[c->table_count++] = (cli_table){title, rows, values};
    return true;
}

bool cli_add_own(cli *c, const char *title, const tg_key *rows, int64_t size, void **values)
{
    *values = c->own = tg_alloc(size);
    return c->own ? cli_add(c, title, rows, c->own) : stop(c, TG_ENOMEM);
}

/* The file of --config is read once: it may be a pipe. A file that cannot be read is wrong usage. */
static tg_status read_config(cli *c, const char *ignore)
{
    tg_status s = TG_OK;
    if (!c->config) return TG_OK;
    if (!c->config_text) s = tg_file_slurp(c->config, CONFIG_BYTES, &c->config_text, &c->config_length);
    if (s && s != TG_ENOMEM) {
        tg_note("--config");
        return TG_EUSAGE;
    }
    return s ? s : tg_keys_read_config(c->keys, c->config, c->config_text, c->config_length, ignore, TG_FROM_CONFIG);
}

bool cli_peek(cli *c, int argc, char **argv)
{
    tg_status s = tg_keys_parse(c->keys, argc, argv, true);
    if (!s) s = read_config(c, "*");
    return s == TG_ENOMEM ? stop(c, s) : true;
}

/* Writes what a builder holds and frees it. */
static tg_status put(cli *c, tg_str *text)
{
    tg_status s = text->failed ? TG_ENOMEM : write_output(c, text->data, text->length);
    tg_str_free(text);
    return s;
}

/* The step's own options first, the common ones last: a set of its own, for those were bound first. */
static tg_status print_help(cli *c)
{
    tg_keys *k = NULL;
    tg_str text = {0};
    tg_status s = tg_keys_new(&k);
    for (int i = 0; i < c->table_count && !s; i++)
        s = tg_keys_add(k, c->tables[i].title, c->tables[i].rows, c->tables[i].values);
    if (!s) s = tg_keys_add(k, "Common", common, c);
    int columns = tg_term_columns(1);
    char *options = s ? NULL : tg_keys_help(k, columns < 120 ? columns : 120);
    tg_keys_free(k);
    if (!options) return s ? s : TG_ENOMEM;
    tg_str_addf(&text, "%s - %s\n\nusage: %s %s\n\n", c->name, c->brief ? c->brief : "", c->name,
                c->usage ? c->usage : "[options]");
    tg_str_add(&text, options);
    tg_free(options);
    if (c->examples) tg_str_add(&text, "\nExamples:\n");
    for (const char *line = c->examples; line && *line;) {
        size_t n = strcspn(line, "\n");
        tg_str_addf(&text, "  %.*s\n", (int)n, line);
        line += line[n] ? n + 1 : n;
    }
    return put(c, &text);
}

static tg_status print_config(cli *c)
{
    char *json = tg_keys_json(c->keys, 0, TG_KEY_NO_CONFIG);
    tg_str text = {0};
    if (!json) return TG_ENOMEM;
    tg_str_add(&text, json);
    tg_str_add(&text, "\n");
    tg_free(json);
    return put(c, &text);
}

static void choose_color(cli *c)
{
    const char *no = getenv("NO_COLOR");
    c->colored = c->color == COLOR_ALWAYS || (c->color == COLOR_AUTO && c->terminal_err && !(no && *no));
}

static tg_status make_context(cli *c)
{
    c->signal = tg_process_catch();
    tg_context_options o = {.threads = (int)c->threads, .log = on_log, .progress = on_progress, .output = on_output,
                            .user = c, .cancel = c->signal};
    return tg_context_new(&o, &c->ctx);
}

static tg_status print_version(cli *c)
{
    tg_status s = make_context(c);
    if (s) return s;
    int threads = tg_context_threads(c->ctx);
    tg_str text = {0};
    tg_str_addf(&text, "%s %s (algorithm %d, isa %s, %d thread%s)\n", c->name, TG_VERSION, TG_ALGORITHM,
                tg_context_isa(c->ctx), threads, threads == 1 ? "" : "s");
    return put(c, &text);
}

bool cli_parse(cli *c, int argc, char **argv)
{
    /* A lenient look first: --help and --version are answered whatever else is wrong. */
    tg_status s = tg_keys_parse(c->keys, argc, argv, true);
    choose_color(c);
    if (!s && c->help) return stop(c, print_help(c));
    if (!s && c->version) return stop(c, print_version(c));
    if (!s) s = tg_keys_parse(c->keys, argc, argv, false);
    if (!s) s = read_config(c, NULL);
    if (!s && c->print_config) return stop(c, print_config(c));
    if (!s) s = tg_keys_check(c->keys);
    if (!s) s = make_context(c);
    if (!s && c->config) s = tg_context_read(c->ctx, c->config);
    return s ? stop(c, s) : true;
}

/* ---- end */

static int exit_code(const cli *c, tg_status s)
{
    switch (s) {
    case TG_OK:
    case TG_ECLOSED: return 0;
    case TG_EUSAGE: return 2;
    case TG_EGATE: return 3;
    case TG_ECANCELLED: return 128 + (c->signal && *c->signal > 0 ? *c->signal : 2);
    default: return 1;
    }
}

int cli_done(cli *c, tg_status s)
{
    if (c->drawn) fputs("\n", stderr);
    c->drawn = false;
    if (s && s != TG_ECLOSED) print_error(c, tg_error());
    /* What stdio still holds may fail only now: the last chance to say so. */
    tg_status out = c->tail_length ? write_safe(c, "", 0, true) : TG_OK;
    errno = 0;
    if (!out && fflush(stdout) != 0) out = fail_output();
    if (fclose(stdout) != 0 && !out) out = fail_output();
    if (!s && out) {
        s = out;
        if (s != TG_ECLOSED) print_error(c, tg_error());
    }
    int code = exit_code(c, s);
    free_all(c);
    return code;
}

int cli_no_such(cli *c, const char *word, const char *const *names, int64_t count)
{
    const char *near = tg_nearest(word, names, count);
    return cli_done(c, tg_fail(TG_EUSAGE, "no such thing to do: %.100s%s%s%s; %s --help tells what there is", word,
                               near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", c->name));
}
