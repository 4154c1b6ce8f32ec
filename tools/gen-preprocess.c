/* gen-preprocess.c - the second step: corpora to a dataset. Its options stand in src/run/preprocess.c. */
#include "cli.h"
#include "tinygen/run.h"

static const char examples[] =
    "gen-preprocess corpus -o verses.safetensors\n"
    "gen-preprocess poems letters -o both.safetensors --val 0.05 --test 0.05\n"
    "gen-preprocess mixed -o mixed.safetensors --tokenizer byte    any bytes, in any encoding\n"
    "gen-preprocess photos -o photos.safetensors --size 32 --channels 3       images, all of one size\n"
    "gen-preprocess digits -o digits.safetensors --shape 1x8x8     a table whose rows are pixels\n";

int main(int argc, char **argv)
{
    tg_preprocess_options o;
    cli c = {.name = "gen-preprocess", .brief = "makes a corpus into tokens, images or points to train on, and judges it",
             .usage = "CORPUS... -o FILE.safetensors [options]", .examples = examples};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Preprocessing", tg_preprocess_keys, &o) ||
        !cli_parse(&c, argc, argv))
        return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_preprocess(c.ctx, &o));
}
