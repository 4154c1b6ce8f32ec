/* gen-select - which of several trained models to take, and which kind of model to train. */
#include "cli.h"
#include "tinygen/run.h"

int main(int argc, char **argv)
{
    tg_select_options o;
    cli c = {.name = "gen-select", .brief = "chooses the best of trained models, or what to train on a dataset",
             .usage = "RUN... [-o best] [options], or --recommend FILE",
             .examples = "gen-select runs/* -o best\n"
                         "gen-select runs/a runs/b --metric bpc --max-params 500k --max-ms 50\n"
                         "gen-select --recommend verses.safetensors\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Selection", tg_select_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_select(c.ctx, &o));
}
