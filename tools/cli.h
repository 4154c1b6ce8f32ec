/*
 * cli.h - what all programs share: common options, help, messages, signals, exit codes. A tool is
 *
 *     int main(int argc, char **argv)
 *     {
 *         tg_sample_options o;
 *         cli c = {.name = "gen-sample", .brief = "draws samples from a trained model",
 *                  .usage = "RUN|model.safetensors [options]", .examples = "gen-sample runs/verses -n 3\n"};
 *         if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Sampling", tg_sample_keys, &o)
 *             || !cli_parse(&c, argc, argv)) return c.exit;
 *         o.json = c.json;
 *         return cli_done(&c, tg_sample(c.ctx, &o));
 *     }
 *
 * A tool whose options depend on one of them (--model) calls cli_peek after the first cli_add, looks at its field, adds
 * further rows, and then calls cli_parse.
 */
#ifndef TG_TOOLS_CLI_H
#define TG_TOOLS_CLI_H
#include "tinygen/base.h"

enum { CLI_TABLES = 8 };

typedef struct cli_table { const char *title; const tg_key *rows; void *values; } cli_table;

typedef struct cli {
    /* the tool's */
    const char *name, *brief;
    const char *usage;    /* behind the name on the usage line; NULL: "[options]" */
    const char *examples; /* command lines, each with its newline; may be NULL */
    bool raw;             /* foreign text goes to a terminal as it is; may be set until the step starts */

    /* the common options' */
    bool quiet, verbose, json, print_config, help, version;
    const char *config;
    int64_t threads, color;

    /* cli_begin makes keys, cli_parse ctx; cli_done frees both */
    tg_keys *keys;
    tg_context *ctx;
    int exit; /* what main returns where one of these functions said false */

    /* cli.c's own */
    char *config_text;          /* of --config */
    void *own;                  /* of cli_add_own */
    int64_t config_length;
    cli_table tables[CLI_TABLES];
    int table_count;
    const volatile int *signal;
    bool colored, drawn;        /* drawn: a progress line stands on the terminal */
    bool terminal_err, terminal_out; /* whether standard error and output are terminals */
    double last_line, last_flush;
    char tail[4];               /* start of a character whose rest comes with the next output */
    int tail_length;
} cli;

/* Each returns false when the program is to end with c->exit: 0 after --help, --version and --print-config, 2 on wrong
 * usage (told on standard error), 1 on a failure; all is freed then. */
bool cli_begin(cli *c, int argc, char **argv);
bool cli_add(cli *c, const char *title, const tg_key *rows, void *values);
/* The same with a struct of so many bytes that is made here and lives until cli_done; once a program. */
bool cli_add_own(cli *c, const char *title, const tg_key *rows, int64_t size, void **values);
/* A first, lenient look at options and config file: unknown ones are passed over, errors wait for cli_parse. */
bool cli_peek(cli *c, int argc, char **argv);
bool cli_parse(cli *c, int argc, char **argv);
/* Tells of a failure once, checks standard output, frees; the exit code: 0 done (or the reader of our output left),
 * 1 failed, 2 usage, 3 a gate not met, 129, 130, 143 stopped by HUP, INT, TERM. */
int cli_done(cli *c, tg_status s);
/* The same for a first word that is none of these: the nearest is named. */
int cli_no_such(cli *c, const char *word, const char *const *names, int64_t count);

#endif
