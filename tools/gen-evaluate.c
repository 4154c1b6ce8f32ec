/* gen-evaluate - how good trained models are, in figures, a report and by people. */
#include "cli.h"
#include "tinygen/run.h"

int main(int argc, char **argv)
{
    tg_evaluate_options o;
    cli c = {.name = "gen-evaluate", .brief = "judges trained models: figures, a report, a quiz for people",
             .usage = "RUN... [--data FILE] [-o report.html] [options]",
             .examples = "gen-evaluate runs/verses -o report.html\n"
                         "gen-evaluate runs/a runs/b --metrics bpc,self_bleu,copied --json\n"
                         "gen-evaluate runs/verses --gate 'bpc<=2.2'\n"
                         "gen-evaluate runs/verses --quiz quiz.html\n"
                         "gen-evaluate runs/verses --ratings answers.json -o report.html\n"};
    if (!cli_begin(&c, argc, argv) || !cli_add(&c, "Evaluation", tg_evaluate_keys, &o) || !cli_parse(&c, argc, argv)) return c.exit;
    o.json = c.json;
    c.raw = o.quiz && o.quiz[0] == '-'; /* pictures of characters are made of escapes */
    return cli_done(&c, tg_evaluate(c.ctx, &o));
}
