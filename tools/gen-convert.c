/* gen-convert.c - a model in another format. Its options stand in src/run/convert.c. */
#include "cli.h"
#include "tinygen/run.h"

int main(int argc, char **argv)
{
    tg_convert_options o;
    cli c = {.name = "gen-convert", .brief = "brings models of llama2.c in, and ours out to llama2.c, GGUF and NumPy",
             .usage = "IN -o OUT [options]",
             .examples = "gen-convert stories15M.bin --tokenizer tokenizer.bin -o stories.safetensors\n"
                         "gen-convert runs/a -o a.gguf\n"
                         "gen-convert runs/a -o embed.npy --tensor embed.weight\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Converting", tg_convert_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_convert(c.ctx, &o));
}
