/* gen-sample - text, images or points from a trained model. */
#include "cli.h"
#include "tinygen/run.h"

int main(int argc, char **argv)
{
    tg_sample_options o;
    cli c = {.name = "gen-sample", .brief = "draws samples from a trained model",
             .usage = "RUN|model.safetensors [-] [options]",
             .examples = "gen-sample runs/verses\n"
                         "gen-sample runs/verses -n 3 --prompt 'The moon' --temperature 0.7\n"
                         "gen-sample runs/verses --prompt 'The moon' --probs\n"
                         "gen-sample runs/transformer --prompt 'The moon' --attention look.html\n"
                         "gen-sample runs/digits --grid 8x8 -o digits.png\n"
                         "gen-sample runs/digits -n 4 --show\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Sampling", tg_sample_keys, &o) || !cli_parse(&c, argc, argv))
        return c.exit;
    o.json = c.json;
    c.raw = o.raw || o.show; /* a picture of characters is made of escapes */
    return cli_done(&c, tg_sample(c.ctx, &o));
}
