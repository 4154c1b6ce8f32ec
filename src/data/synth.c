/* synth.c - which grammar, how much of it. */
#include "data/synth.h"

#include <inttypes.h>
#include <string.h>

typedef struct grammar {
    const char *name, *variants[4];
    void (*poem)(tg_rng *r, int variant, tg_str *out);
} grammar;

static const grammar grammars[] = {
    {"verses", {"ballad", "couplet", NULL}, tg_synth_verse},
    {"couplets", {"five", "seven", NULL}, tg_synth_couplet},
    {"tasks", {"copy", "reverse", "add", NULL}, tg_synth_task},
};
enum { GRAMMARS = sizeof grammars / sizeof grammars[0] };
static const char prefix[] = "synth:";

const char *tg_synth_list(void)
{
    return "synth:verses            English verse, iambic and rhymed: ballads and couplets in turn\n"
           "synth:verses:ballad     lines of four and three feet, the second and fourth rhyme\n"
           "synth:verses:couplet    lines of four feet that rhyme in pairs\n"
           "synth:couplets          Chinese parallel couplets of five and seven characters\n"
           "synth:couplets:five     five characters a line\n"
           "synth:couplets:seven    seven characters a line\n"
           "synth:tasks             problems, one a line: copy abcd=abcd, reverse abcd=dcba, 12+34=46\n"
           "synth:tasks:copy        copy three to six letters\n"
           "synth:tasks:reverse     the same backwards\n"
           "synth:tasks:add         two-digit additions\n";
}

bool tg_synth_is(const char *source)
{
    return tg_starts_with(source, prefix);
}

int64_t tg_synth_pick(tg_rng *r, int64_t n)
{
    int64_t a = tg_rng_below(r, n), b = tg_rng_below(r, n);
    return a < b ? a : b;
}

/* "a, b or c" */
static tg_status no_such_variant(const char *source, const grammar *g)
{
    tg_str names = {0};
    for (int v = 0; g->variants[v]; v++)
        tg_str_addf(&names, "%s%s", v == 0 ? "" : g->variants[v + 1] ? ", " : " or ", g->variants[v]);
    tg_status status = names.failed ? TG_ENOMEM : tg_fail(TG_EINVAL, "%s: there is no such variant; take %s", source, names.data);
    tg_str_free(&names);
    return status;
}

static tg_status find(const char *source, const grammar **out, int *variant)
{
    const char *name = source + sizeof prefix - 1, *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    for (int g = 0; g < GRAMMARS; g++) {
        if (strlen(grammars[g].name) != length || strncmp(grammars[g].name, name, length) != 0) continue;
        *variant = -1;
        for (int v = 0; colon && grammars[g].variants[v]; v++)
            if (strcmp(grammars[g].variants[v], colon + 1) == 0) *variant = v;
        if (colon && *variant < 0) return no_such_variant(source, &grammars[g]);
        *out = &grammars[g];
        return TG_OK;
    }
    return tg_fail(TG_EINVAL, "%s: there is no such grammar; gen-collect --list shows what there is", source);
}

tg_status tg_synth(const char *source, uint64_t seed, int64_t bytes, tg_str *out)
{
    const grammar *g = NULL;
    int variant = -1;
    tg_status status = find(source, &g, &variant);
    if (!g) return status;
    int64_t begin = out->length;
    for (uint64_t i = 0; !out->failed && out->length - begin < bytes; i++) {
        tg_rng r = tg_rng_at(seed, TG_RNG_SYNTH, i);
        g->poem(&r, variant, out);
    }
    if (out->failed) return TG_ENOMEM;
    int64_t end = begin + bytes < out->length ? begin + bytes : out->length;
    while (end > begin && out->data[end - 1] != '\n') end--;
    if (end == begin)
        return tg_fail(TG_EINVAL, "%s: %" PRId64 " bytes are too few for a line; ask for 100 or more", source, bytes);
    out->length = end;
    out->data[end] = 0;
    return TG_OK;
}
