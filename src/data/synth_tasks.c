/* synth_tasks.c - small problems with one right answer, so that what a model has learned can be counted: "copy abcd=abcd",
 * "reverse abcd=dcba" of three to six letters, "12+34=46" of two digits each. A line is a document; ask up to the "=". */
#include <inttypes.h>

#include "data/synth.h"

enum { COPY, REVERSE, ADD, KINDS, LEAST = 3, MOST = 6 };

static void letters_task(tg_rng *r, int kind, tg_str *out)
{
    char word[MOST + 1] = "", answer[MOST + 1] = "";
    const int64_t n = LEAST + tg_rng_below(r, MOST - LEAST + 1);
    for (int64_t i = 0; i < n; i++) {
        word[i] = (char)('a' + tg_rng_below(r, 26));
        answer[kind == COPY ? i : n - 1 - i] = word[i];
    }
    tg_str_addf(out, "%s %s=%s\n", kind == COPY ? "copy" : "reverse", word, answer);
}

void tg_synth_task(tg_rng *r, int variant, tg_str *out)
{
    const int kind = variant < 0 ? (int)tg_rng_below(r, KINDS) : variant;
    if (kind != ADD) {
        letters_task(r, kind, out);
        return;
    }
    const int64_t a = 10 + tg_rng_below(r, 90), b = 10 + tg_rng_below(r, 90);
    tg_str_addf(out, "%" PRId64 "+%" PRId64 "=%" PRId64 "\n", a, b, a + b);
}
