/* gen-tune - the last of the seven steps: better settings, new data, and what would help most. */
#include "cli.h"
#include "tinygen/run.h"

#include <stdio.h>
#include <string.h>

static int search(int argc, char **argv)
{
    tg_search_options o = {0};
    tg_train_options train = {0};
    tg_key rows[TG_SEARCH_ROWS];
    const tg_model_desc *desc = NULL;
    cli c = {.name = "gen-tune search", .brief = "trains with many settings, and tells which do best",
             .usage = "--data x.safetensors --model NAME --space KEY=VALUES... -o STUDY [options]",
             .examples = "gen-tune search --data verses.safetensors --model lstm --space lr=1e-4:1e-1:log --space hidden=64,128 -o tune\n"
                         "gen-tune search --data verses.safetensors --space model=lstm,gru,transformer --trials 12 --jobs 2 -o models\n"
                         "gen-tune search --model lstm --help\n"};
    tg_search_train_rows(rows);
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Search", tg_search_keys, &o) ||
        !cli_add(&c, "Training, the same for all trials", rows, &train) || !cli_peek(&c, argc, argv)) return c.exit;
    tg_status s = tg_search_model(&o, &train, &desc);
    if (s) return cli_done(&c, s);
    void *config = NULL;
    if (desc && !cli_add_own(&c, desc->title, desc->keys, desc->config_size, &config)) return c.exit;
    if (!cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_search(c.ctx, &o, &train, config, c.keys));
}

static int finetune(int argc, char **argv)
{
    tg_finetune_options o;
    tg_train_options train;
    const tg_model_desc *desc = NULL;
    cli c = {.name = "gen-tune finetune", .brief = "goes on from a trained model with new data",
             .usage = "RUN --data new.safetensors [-o OUT] [any option of gen-train]",
             .examples = "gen-tune finetune runs/plays --data sonnets.safetensors -o runs/sonnets\n"
                         "gen-tune finetune runs/plays --data sonnets.safetensors --lora-rank 8 -o runs/adapter\n"
                         "gen-sample runs/plays --adapter runs/adapter/adapter.safetensors\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Fine-tuning", tg_finetune_keys, &o) ||
        !cli_add(&c, "Training", tg_train_keys, &train) || !cli_peek(&c, argc, argv))
        return c.exit;
    o.run = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL; /* the model's options are known only when it is */
    tg_status s = o.run ? tg_finetune_model(&o, &desc) : TG_OK;
    if (!o.run && !c.help && !c.version) s = tg_fail(TG_EUSAGE, "RUN comes first: gen-tune finetune RUN --data new.safetensors");
    if (s) return cli_done(&c, s);
    void *config = NULL;
    if (desc && !cli_add_own(&c, desc->title, desc->keys, desc->config_size, &config)) return c.exit;
    if (!cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_finetune(c.ctx, &o, &train, config, c.keys));
}

static int advise(int argc, char **argv)
{
    tg_advise_options o;
    cli c = {.name = "gen-tune advise", .brief = "measures what would help a run most: more data, other parameters, another size",
             .usage = "RUN [-o advice] [options]",
             .examples = "gen-tune advise runs/verses\n"
                         "gen-tune advise runs/verses --budget 10m --apply\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Advice", tg_advise_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_advise(c.ctx, &o));
}

static int trial(int argc, char **argv)
{
    tg_trial_options o;
    cli c = {.name = "gen-tune trial", .brief = "runs one trial of a study: what job files start", .usage = "N [-o STUDY]",
             .examples = "gen-tune trial 7 -o tune\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Trial", tg_trial_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    return cli_done(&c, tg_trial(c.ctx, &o));
}

static int gather(int argc, char **argv)
{
    tg_search_gather_options o;
    cli c = {.name = "gen-tune gather", .brief = "ranks the trials of a study that have ended, and starts none", .usage = "[-o STUDY]",
             .examples = "gen-tune gather -o tune\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Study", tg_search_gather_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    return cli_done(&c, tg_search_gather(c.ctx, &o));
}

/* What its first argument may be; each has options of its own. argv[0] is that word. */
typedef struct subcommand { const char *name, *brief; int (*main)(int argc, char **argv); } subcommand;
static const subcommand subcommands[] = {
    {"search", "trains with many settings, and tells which do best", search},
    {"finetune", "goes on from a trained model with new data", finetune},
    {"advise", "measures what would help a run most", advise},
    {"gather", "ranks the trials that have ended, where their search has gone", gather},
    {"trial", "runs one trial of a search: what job files start", trial},
    {NULL, NULL, NULL}
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands - 1 };

static int tell(FILE *to)
{
    fprintf(to, "usage: gen-tune WHAT [options]; gen-tune WHAT --help tells more\n");
    for (const subcommand *c = subcommands; c->name; c++) fprintf(to, "  %-9s %s\n", c->name, c->brief);
    return to == stdout ? 0 : 2;
}

static const subcommand *find(const char *word)
{
    const subcommand *c = subcommands;
    while (c->name && strcmp(word, c->name)) c++;
    return c->name ? c : NULL;
}

/* No subcommand: only what all programs know, such as --version. */
static int no_word(int argc, char **argv)
{
    cli c = {.name = "gen-tune", .brief = "better settings, new data, and what would help most", .usage = "WHAT [options]"};
    const bool typo = argc > 1 && argv[1][0] != '-';
    for (int i = 1; i < argc && !typo; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return tell(stdout);
    if (!cli_begin(&c, argc, argv) || (!typo && !cli_parse(&c, argc, argv))) return c.exit;
    if (!typo) return cli_done(&c, tg_fail(TG_EUSAGE, "what is to be done? gen-tune --help tells what there is"));
    const char *names[SUBCOMMANDS];
    for (int i = 0; i < SUBCOMMANDS; i++) names[i] = subcommands[i].name;
    return cli_no_such(&c, argv[1], names, SUBCOMMANDS);
}

int main(int argc, char **argv)
{
    int at = 1;
    if (argc < 2) return tell(stderr);
    while (at < argc && argv[1][0] == '-' && !find(argv[at])) at++;
    const subcommand *c = at < argc ? find(argv[at]) : NULL;
    if (!c) return no_word(argc, argv);
    for (; at > 1; at--) { /* what stood before the word goes behind all others */
        char *first = argv[1];
        memmove(&argv[1], &argv[2], (size_t)(argc - 2) * sizeof *argv);
        argv[argc - 1] = first;
    }
    return c->main(argc - 1, argv + 1);
}
