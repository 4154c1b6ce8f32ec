/* gen-train - a dataset and a model name -> a run folder. */
#include "cli.h"
#include "tinygen/run.h"

#include <stdlib.h>

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
    void *config = calloc(1, desc ? (size_t)desc->config_size : 1);
    if (!config) return cli_done(&c, tg_fail(TG_ENOMEM, "out of memory"));
    int code;
    if ((desc && !cli_add(&c, desc->title, desc->keys, config)) || !cli_parse(&c, argc, argv)) {
        code = c.exit;
    } else {
        o.json = c.json;
        code = cli_done(&c, tg_train(c.ctx, &o, config, c.keys));
    }
    free(config);
    return code;
}
