/* gen-collect.c - the first step: sources to a corpus. Its options stand in src/run/collect.c. */
#include "cli.h"
#include "tinygen/run.h"

static const char examples[] =
    "gen-collect poems/*.txt -o corpus --licence CC0-1.0\n"
    "gen-collect letters/ -o corpus            every text file below the folder, others are named and passed over\n"
    "gen-collect mails/ -o corpus --label from-folder            mails/spam/1.txt is of the class spam\n"
    "gen-collect https://example.org/a.txt -o corpus             fetched by curl; its address is the origin\n"
    "gen-collect recipe:tinyshakespeare -o corpus                a public data set, its SHA-256 checked\n"
    "gen-collect reviews.csv -o corpus --column text --label-column stars    a document a row, an item a class\n"
    "gen-collect tiles/ -o corpus --label from-folder           PNG and PNM images; the folder is the class\n"
    "gen-collect mnist/ -o corpus               IDX files, packed by gzip or not: images with their labels\n"
    "gen-collect synth:shapes --limit 2000 -o corpus             pictures; synth:points:moons: points\n"
    "gen-collect synth:verses --max-bytes 50k -o corpus\n";

int main(int argc, char **argv)
{
    tg_collect_options o;
    cli c = {.name = "gen-collect", .brief = "collects text, images or points into a corpus: items, and where each came from",
             .usage = "SOURCE... -o FOLDER [options]", .examples = examples};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Collecting", tg_collect_keys, &o) || !cli_parse(&c, argc, argv))
        return c.exit;
    o.json = c.json;
    return cli_done(&c, tg_collect(c.ctx, &o));
}
