/* gen-train - a dataset and a model name -> a run folder. */
#include "cli.h"
#include "tinygen/run.h"

int main(int argc, char **argv)
{
    tg_train_options o;
    const tg_model_desc *desc = NULL;
    cli c = {.name = "gen-train", .brief = "trains a model on a dataset",
             .usage = "--data x.safetensors --model NAME -o RUN [options]",
             .examples = "gen-train --data verses.safetensors --model lstm -o runs/verses\n"
                         "gen-train --resume -o runs/verses --steps 4000\n"
                         "gen-train --model lstm --help\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Training", tg_train_keys, &o) || !cli_peek(&c, argc, argv)) return c.exit;
    tg_status s = tg_train_model(&o, &desc);
    if (s) return cli_done(&c, s);
    if (!desc && !c.help && !c.version && !c.print_config)
        return cli_done(&c, tg_model_find(NULL, &desc));
    void *config = NULL;
    if (desc && !cli_add_own(&c, desc->title, desc->keys, desc->config_size, &config)) return c.exit;
    if (!cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_train(c.ctx, &o, config, c.keys));
}
