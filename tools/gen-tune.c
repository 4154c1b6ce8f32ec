/* gen-tune - the last of the seven steps: better settings, new data, and what would help most. */
#include "cli.h"
#include "tinygen/run.h"

#include <stdio.h>
#include <string.h>

/* What its first argument may be; each has options of its own. argv[0] is that word. */
typedef struct subcommand { const char *name, *brief; int (*main)(int argc, char **argv); } subcommand;
static const subcommand subcommands[] = {
    {NULL, NULL, NULL}
};

static int tell(FILE *to)
{
    fprintf(to, "usage: gen-tune WHAT [options]; gen-tune WHAT --help tells more\n");
    for (const subcommand *c = subcommands; c->name; c++) fprintf(to, "  %-9s %s\n", c->name, c->brief);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) return tell(stdout);
    for (const subcommand *c = subcommands; argc > 1 && c->name; c++)
        if (!strcmp(argv[1], c->name)) return c->main(argc - 1, argv + 1);
    if (argc > 1) fprintf(stderr, "gen-tune: no such thing to do: %s\n", argv[1]);
    return tell(stderr);
}
